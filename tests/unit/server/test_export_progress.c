// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/export_progress.h"

static char *said;
static size_t length;

static struct export_progress make(enum export_progress_kind kind, size_t frames, size_t done) {
    struct export_progress p = {.kind = kind, .frames = frames, .done = done, .width = 64, .height = 36, .where = "f/%d.png"};
    p.out = open_memstream(&said, &length);
    assert_non_null(p.out);
    return p;
}

static void finish(struct export_progress *p, const char *expected) {
    fclose(p->out);
    assert_string_equal(said, expected);
    free(said);
}

static void the_kind_follows_the_terminal(void **state) {
    (void)state;
    enum export_progress_kind kind;
    assert_int_equal(export_progress_parse("auto", true, &kind), VIRGA_OK);
    assert_int_equal(kind, EXPORT_PROGRESS_BAR);
    assert_int_equal(export_progress_parse("auto", false, &kind), VIRGA_OK);
    assert_int_equal(kind, EXPORT_PROGRESS_LINES);
    assert_int_equal(export_progress_parse("json", true, &kind), VIRGA_OK);
    assert_int_equal(kind, EXPORT_PROGRESS_JSON);
    assert_int_equal(export_progress_parse("loud", true, &kind), VIRGA_INVALID);
}

static void a_bar_is_written_over_and_not_too_often(void **state) {
    (void)state;
    struct export_progress p = make(EXPORT_PROGRESS_BAR, 100, 20);
    export_progress_begin(&p, 50);
    for (size_t i = 0; i < 40; i++) assert_int_equal(export_progress_frame(&p, 60 + (double)i * 0.001, 60, i, "x", 1), VIRGA_OK);
    export_progress_frame(&p, 60.2, 60, 99, "x", 1);
    export_progress_done(&p, 70);
    finish(&p, "\r[=====>                  ] 21/100 frames, 0.1/s, 13:10 left\033[K"
               "\r[===============>         ] 61/100 frames, 4.0/s, 0:10 left\033[K"
               "\r\033[K100 frames: f/%d.png (41 in 0:20, 2.0/s)\n");
}

static void a_bar_never_wraps(void **state) {
    (void)state;
    for (unsigned columns = 1; columns < 120; columns++) {
        struct export_progress p = make(EXPORT_PROGRESS_BAR, 100000, 50000);
        export_progress_begin(&p, 0);
        export_progress_frame(&p, 1e6, columns, 0, "x", 1);
        fclose(p.out);
        assert_true(length >= 4 && length - 4 < columns + (columns == 1));  // without \r and ESC [ K
        free(said);
    }
}

static void lines_come_every_few_seconds(void **state) {
    (void)state;
    struct export_progress p = make(EXPORT_PROGRESS_LINES, 1000, 0);
    export_progress_begin(&p, 0);
    for (size_t i = 0; i < 1000; i++) export_progress_frame(&p, (double)i / 50, 0, i, "x", 1);
    export_progress_done(&p, 20);
    finish(&p, "251/1000 frames, 50.2/s, 0:15 left\n501/1000 frames, 50.1/s, 0:10 left\n"
               "751/1000 frames, 50.1/s, 0:05 left\n"
               "1000 frames: f/%d.png (1000 in 0:20, 50.0/s)\n");
}

static void what_was_there_is_said(void **state) {
    (void)state;
    struct export_progress p = make(EXPORT_PROGRESS_LINES, 3, 3);
    export_progress_begin(&p, 0);
    export_progress_done(&p, 0);
    finish(&p, "all 3 frames are there: f/%d.png\n");
    p = make(EXPORT_PROGRESS_LINES, 3, 2);
    export_progress_begin(&p, 0);
    export_progress_frame(&p, 1, 0, 2, "x", 1);
    export_progress_done(&p, 2);
    finish(&p, "2 of 3 frames are there already\n3 frames: f/%d.png (1 in 0:02, 0.5/s)\n");
    p = make(EXPORT_PROGRESS_NONE, 3, 0);
    export_progress_begin(&p, 0);
    export_progress_frame(&p, 100, 80, 2, "x", 1);
    export_progress_error(&p, "bad");
    finish(&p, "");
}

static void programs_get_an_object_a_line(void **state) {
    (void)state;
    struct export_progress p = make(EXPORT_PROGRESS_JSON, 3, 1);
    export_progress_begin(&p, 5);
    export_progress_frame(&p, 6, 0, 2, "2.png", 123);
    export_progress_error(&p, "a \"word\"");
    export_progress_done(&p, 7.5);
    finish(&p, "{\"event\":\"begin\",\"frames\":3,\"done\":1,\"size\":[64,36],\"out\":\"f/%d.png\"}\n"
               "{\"event\":\"frame\",\"frame\":2,\"file\":\"2.png\",\"bytes\":123}\n"
               "{\"event\":\"error\",\"message\":\"a \\\"word\\\"\"}\n"
               "{\"event\":\"done\",\"frames\":3,\"written\":1,\"seconds\":2.5}\n");
}

static void nobody_reads(void **state) {
    (void)state;
    struct export_progress p = {.kind = EXPORT_PROGRESS_JSON, .out = fopen("/dev/full", "w"), .frames = 2, .where = "x"};
    assert_non_null(p.out);
    assert_int_equal(export_progress_frame(&p, 1, 0, 0, "x", 1), VIRGA_IO);
    fclose(p.out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_kind_follows_the_terminal),
        cmocka_unit_test(a_bar_is_written_over_and_not_too_often),
        cmocka_unit_test(a_bar_never_wraps),
        cmocka_unit_test(lines_come_every_few_seconds),
        cmocka_unit_test(what_was_there_is_said),
        cmocka_unit_test(programs_get_an_object_a_line),
        cmocka_unit_test(nobody_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
