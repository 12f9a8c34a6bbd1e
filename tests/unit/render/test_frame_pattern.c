// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "render/frame_pattern.h"

static void expect_names(const char *text, const char *folder, const char *seventh, const char *great) {
    struct frame_pattern pattern;
    struct failure failure = {0};
    char name[FRAME_NAME_TEXT];
    if (frame_pattern_parse(text, &pattern, &failure)) fail_msg("%s: %s", text, failure.message);
    assert_string_equal(pattern.folder, folder);
    frame_pattern_name(&pattern, 7, name);
    assert_string_equal(name, seventh);
    frame_pattern_name(&pattern, 12345, name);
    assert_string_equal(name, great);
    for (size_t i = 0; pattern.numbered && i < 12000; i += 7) {
        size_t index;
        frame_pattern_name(&pattern, i, name);
        assert_true(frame_pattern_index(&pattern, name, 100000, &index) && index == i);
    }
}

static void the_number_stands_where_the_pattern_has_it(void **state) {
    (void)state;
    expect_names("frames/%04d.png", "frames", "0007.png", "12345.png");
    expect_names("/a/b c/x-%d.jpg", "/a/b c", "x-7.jpg", "x-12345.jpg");
    expect_names("%09d", ".", "000000007", "000012345");
    expect_names("/%02d.png", "/", "07.png", "12345.png");
    expect_names("50%%/%03d%%.png", "50%", "007%.png", "12345%.png");
    expect_names("out/picture.png", "out", "picture.png", "picture.png");
    expect_names("2009%d1.png", ".", "200971.png", "2009123451.png");
}

static void other_patterns_are_refused(void **state) {
    (void)state;
    static const char *const wrong[] = {"%s.png", "%04d%04d.png", "%n", "%", "a%", "%4d.png", "%-4d.png", "%010d.png", "%00d.png",
                                        "%ld.png", "%04x.png",
                                        "%d/%d.png", "%d/a.png", "frames/", "", "%*d.png", ".%d.png", "%1$d.png", "%d%", "% d"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct frame_pattern pattern;
        struct failure failure = {0};
        if (frame_pattern_parse(wrong[i], &pattern, &failure) != VIRGA_INVALID || !*failure.message) fail_msg("%s was taken", wrong[i]);
    }
    char longest[5000] = "";
    memset(longest, 'x', sizeof longest - 1);
    struct frame_pattern pattern;
    assert_int_equal(frame_pattern_parse(longest, &pattern, NULL), VIRGA_INVALID);
    longest[4900] = '/';
    assert_int_equal(frame_pattern_parse(longest, &pattern, NULL), VIRGA_INVALID);
}

static void names_of_others_are_not_taken_for_frames(void **state) {
    (void)state;
    static const char *const others[] = {"0007.jpg", "007.png", "00007.png", "0007.png.x", "x0007.png", ".0007.png", "-007.png", ".png",
                                         "99999999999999999999999.png", "100001.png", "+007.png"};
    struct frame_pattern pattern;
    size_t index;
    assert_int_equal(frame_pattern_parse("%04d.png", &pattern, NULL), VIRGA_OK);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (frame_pattern_index(&pattern, others[i], 100000, &index)) fail_msg("%s was taken", others[i]);
    assert_true(frame_pattern_index(&pattern, "100000.png", 100000, &index) && index == 100000);
    assert_int_equal(frame_pattern_parse("%d.png", &pattern, NULL), VIRGA_OK);
    assert_false(frame_pattern_index(&pattern, "007.png", 100000, &index));
}

static void the_end_of_the_name_says_the_format(void **state) {
    (void)state;
    static const struct { const char *text; int format; } cases[] = {
        {"%d.png", IMAGE_PNG}, {"%d.PNG", IMAGE_PNG}, {"a.jpg", IMAGE_JPEG}, {"%d.jpeg", IMAGE_JPEG},
        {"%d", -1}, {"%d.gif", -1}, {"png", -1}, {"a.png%d", -1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct frame_pattern pattern;
        enum image_format format;
        assert_int_equal(frame_pattern_parse(cases[i].text, &pattern, NULL), VIRGA_OK);
        bool known = frame_pattern_format(&pattern, &format);
        assert_int_equal(known ? (int)format : -1, cases[i].format);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_number_stands_where_the_pattern_has_it),
        cmocka_unit_test(other_patterns_are_refused),
        cmocka_unit_test(names_of_others_are_not_taken_for_frames),
        cmocka_unit_test(the_end_of_the_name_says_the_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
