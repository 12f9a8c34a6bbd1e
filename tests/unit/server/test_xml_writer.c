// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/xml_writer.h"

#define DECLARATION "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

static void expect(struct xml_writer *xml, const char *wanted) {
    size_t size = 0;
    char *text = xml_writer_end(xml, &size);
    assert_string_equal(text, wanted);
    assert_int_equal(size, strlen(wanted));
    free(text);
}

static void test_elements_close_in_turn(void **state) {
    (void)state;
    struct xml_writer *xml = xml_writer_new("<!DOCTYPE a>\n");
    xml_open(xml, "a");
    xml_attribute(xml, "b", "c");
    xml_text(xml, "d", "e");
    xml_text(xml, "f", NULL);
    xml_open(xml, "g");
    xml_attribute_number(xml, "h", 0.1);
    expect(xml, DECLARATION "<!DOCTYPE a>\n<a b=\"c\"><d>e</d><f/><g h=\"0.1\"/></a>\n");
}

static void test_no_text_leaves_its_place(void **state) {
    (void)state;
    struct xml_writer *xml = xml_writer_new(NULL);
    xml_open(xml, "a");
    xml_attribute(xml, "b", "\"><script>&\n");
    xml_write(xml, "]]></a><x y='z'/>&amp; \x01\x7f\xff\xc3\xa9\xef\xbf\xbf");
    expect(xml, DECLARATION "<a b=\"&quot;&gt;&lt;script&gt;&amp;&#10;\">]]&gt;&lt;/a&gt;&lt;x y='z'/&gt;&amp;amp; ???\xc3\xa9?</a>\n");
}

static void test_an_attribute_comes_before_what_stands_inside(void **state) {
    (void)state;
    struct xml_writer *xml = xml_writer_new(NULL);
    xml_open(xml, "a");
    xml_write(xml, "b");
    xml_attribute(xml, "c", "d");
    expect(xml, DECLARATION "<a>b</a>\n");
}

static void test_numbers_read_as_the_same(void **state) {
    (void)state;
    static const double numbers[] = {0, -0.5, 0.1, 1.0 / 3, 20037508.342789244, 100000, -1e-7, 1e300, 85000};
    char text[XML_NUMBER];
    for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++) assert_true(strtod(xml_number_text(numbers[n], text), NULL) == numbers[n]);
    assert_string_equal(xml_number_text(100000, text), "100000");
    assert_string_equal(xml_number_text(NAN, text), "0");
    assert_string_equal(xml_number_text(-INFINITY, text), "0");
}

static void test_what_is_too_deep_fails(void **state) {
    (void)state;
    struct xml_writer *xml = xml_writer_new(NULL);
    for (int n = 0; n < 33; n++) xml_open(xml, "a");
    assert_null(xml_writer_end(xml, NULL));
    xml_open(NULL, "a");
    xml_close(NULL);
    assert_null(xml_writer_end(NULL, NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_elements_close_in_turn),
        cmocka_unit_test(test_no_text_leaves_its_place),
        cmocka_unit_test(test_an_attribute_comes_before_what_stands_inside),
        cmocka_unit_test(test_numbers_read_as_the_same),
        cmocka_unit_test(test_what_is_too_deep_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
