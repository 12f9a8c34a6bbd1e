// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka after what it needs
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "server/opening_progress.h"

static void a_terminal_has_one_line_that_is_written_over(void **state) {
    (void)state;
    char *text = NULL;
    size_t size = 0;
    struct opening_progress p = {.terminal = open_memstream(&text, &size)};
    assert_non_null(p.terminal);
    assert_false(opening_progress_at(&p, 100, 1, 1000));
    assert_false(opening_progress_at(&p, 100.3, 200, 1000));
    assert_true(opening_progress_at(&p, 100.6, 340, 1000));
    assert_false(opening_progress_at(&p, 100.65, 341, 1000));
    assert_true(opening_progress_at(&p, 100.8, 500, 1000));
    opening_progress_end(&p);
    fclose(p.terminal);
    assert_string_equal(text, "\ropening 340 of 1000 files\033[K\ropening 500 of 1000 files\033[K\r\033[K");
    free(text);
}

static void what_is_over_in_a_moment_says_nothing(void **state) {
    (void)state;
    char *text = NULL;
    size_t size = 0;
    struct opening_progress p = {.terminal = open_memstream(&text, &size)};
    for (size_t n = 1; n <= 40; n++) assert_false(opening_progress_at(&p, 7 + (double)n / 100, n, 40));
    opening_progress_end(&p);
    fclose(p.terminal);
    assert_int_equal(size, 0);
    free(text);
}

static void the_log_has_a_line_every_few_seconds(void **state) {
    (void)state;
    struct opening_progress p = {0};
    size_t said = 0;
    for (size_t n = 0; n < 200; n++) said += opening_progress_at(&p, 50 + (double)n / 10, n + 1, 200);
    assert_in_range(said, 4, 8);  // in 20 s
    opening_progress_end(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_terminal_has_one_line_that_is_written_over),
        cmocka_unit_test(what_is_over_in_a_moment_says_nothing),
        cmocka_unit_test(the_log_has_a_line_every_few_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
