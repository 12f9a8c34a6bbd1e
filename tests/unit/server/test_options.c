// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka after what it needs
#include <cmocka.h>
#include <string.h>

#include "server/options.h"

static const struct option_spec specs[] = {{"listen", 'l', true}, {"check", 0, false}, {"lon", 0, true}, {NULL, 0, false}};

// What options_next says of argv, one after the other: "name=value", "name" or ">argument", each ended by a space; or "!"
// and the message.
static const char *read_all(int argc, char **argv) {
    static char text[1024];
    struct options options;
    const struct option_spec *spec;
    const char *value;
    struct failure failure;
    int kind;
    *text = '\0';
    options_init(&options, specs, argc, argv);
    while ((kind = options_next(&options, &spec, &value, &failure)) > 0) {
        if (kind == 2) strcat(text, ">");
        if (kind == 1) strcat(text, spec->name);
        if (kind == 1 && value) strcat(text, "=");
        if (value) strcat(text, value);
        strcat(text, " ");
    }
    if (kind < 0) strcat(strcat(text, "!"), failure.message);
    return text;
}

#define READ(...) read_all((int)(sizeof((char *[]){"command", __VA_ARGS__}) / sizeof(char *)), (char *[]){"command", __VA_ARGS__})

static void both_forms_of_a_value_are_taken(void **state) {
    (void)state;
    assert_string_equal(READ("--listen", ":1", "--listen=:2", "-l", ":3"), "listen=:1 listen=:2 listen=:3 ");
    assert_string_equal(READ("--listen="), "listen= ");
}

static void a_negative_number_is_a_value(void **state) {
    (void)state;
    assert_string_equal(READ("--lon", "-5.1", "x"), "lon=-5.1 >x ");
}

static void other_arguments_may_stand_anywhere(void **state) {
    (void)state;
    assert_string_equal(READ("a", "--check", "b"), ">a check >b ");
    assert_string_equal(READ("-"), ">- ");
    assert_string_equal(READ(""), "> ");
}

static void two_dashes_end_the_options(void **state) {
    (void)state;
    assert_string_equal(READ("--check", "--", "--listen", "--"), "check >--listen >-- ");
}

static void wrong_use_is_refused(void **state) {
    (void)state;
    assert_string_equal(READ("--listen"), "!option --listen needs a value after it");
    assert_string_equal(READ("--check=1"), "!option --check takes no value");
    assert_string_equal(READ("--zzz"), "!unknown option --zzz");
    assert_string_equal(READ("-x"), "!unknown option -x");
    assert_string_equal(READ("-lx"), "!unknown option -lx");
    assert_string_equal(READ("--liste"), "!unknown option --liste; did you mean --listen?");
    assert_string_equal(READ("--chekc=2"), "!unknown option --chekc=2; did you mean --check?");
}

static void an_endless_option_is_only_unknown(void **state) {
    (void)state;
    char longest[600];
    memset(longest, '-', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    assert_non_null(strstr(READ(longest), "unknown option"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_forms_of_a_value_are_taken), cmocka_unit_test(a_negative_number_is_a_value),
        cmocka_unit_test(other_arguments_may_stand_anywhere), cmocka_unit_test(two_dashes_end_the_options),
        cmocka_unit_test(wrong_use_is_refused), cmocka_unit_test(an_endless_option_is_only_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
