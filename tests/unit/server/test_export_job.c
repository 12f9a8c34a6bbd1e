// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/export_job.h"

static const struct export_limits limits = {.jobs = 1, .queue = 2, .frames = 100, .pixels = 1000000, .disk = 1000, .keep = 3600};

static void test_the_oldest_waiting_one_starts_and_only_so_many_run(void **state) {
    (void)state;
    struct export_job jobs[] = {{.sequence = 1, .state = EXPORT_DONE}, {.sequence = 2}, {.sequence = 3}};
    assert_ptr_equal(export_next(jobs, 3, &limits, 10), &jobs[1]);
    export_started(&jobs[1], 100);
    assert_int_equal(jobs[1].state, EXPORT_RUNNING);
    assert_null(export_next(jobs, 3, &limits, 10));
    const struct export_limits two = {.jobs = 2};
    assert_ptr_equal(export_next(jobs, 3, &two, 10), &jobs[2]);
}

static void test_one_that_broke_waits_longer_each_time_and_then_fails(void **state) {
    (void)state;
    struct export_job job = {.sequence = 1};
    double now = 1000, last = 0;
    for (int attempt = 1; attempt < EXPORT_ATTEMPTS; attempt++) {
        export_started(&job, 5);
        export_broke(&job, "killed", now, 6);
        assert_int_equal(job.state, EXPORT_QUEUED);
        double wait = export_next_in(&job, 1, now);
        assert_true(wait > last);
        assert_null(export_next(&job, 1, &limits, now));
        assert_ptr_equal(export_next(&job, 1, &limits, now + wait), &job);
        last = wait;
        now += wait;
    }
    export_started(&job, 5);
    export_broke(&job, "killed by \x01 signal 9", now, 77);
    assert_int_equal(job.state, EXPORT_FAILED);
    assert_string_equal(job.error, "killed by   signal 9");
    assert_true(job.ended == 77 && export_job_ended(&job));
}

static void test_a_new_frame_makes_attempts_count_anew(void **state) {
    (void)state;
    struct export_job job = {.sequence = 1};
    for (int round = 0; round < 3 * EXPORT_ATTEMPTS; round++) {
        export_started(&job, 5);
        export_frame_written(&job, 10, 50);
        export_broke(&job, "killed", 100, 6);
        assert_int_equal(job.state, EXPORT_QUEUED);
    }
    assert_int_equal(job.done, 3 * EXPORT_ATTEMPTS);
    assert_int_equal(job.bytes, 10 * 3 * EXPORT_ATTEMPTS);
}

static void test_an_interrupted_one_starts_at_once_and_has_lost_no_attempt(void **state) {
    (void)state;
    struct export_job job = {.sequence = 1, .attempts = 2};
    export_started(&job, 5);
    export_interrupted(&job);
    assert_int_equal(job.attempts, 2);
    assert_ptr_equal(export_next(&job, 1, &limits, 0), &job);
}

static void test_rate_and_time_left_are_of_the_attempt(void **state) {
    (void)state;
    struct export_job job = {.sequence = 1, .done = 50, .frames = 100};
    assert_true(export_seconds_left(&job) < 0);
    export_started(&job, 5);
    export_frame_written(&job, 1, 20);  // opened the files, too
    assert_true(job.rate == 0 && export_seconds_left(&job) < 0);
    for (int i = 1; i <= 9; i++) export_frame_written(&job, 1, 20 + 0.5 * i);
    assert_float_equal(job.rate, 2, 1e-6);
    assert_float_equal(export_seconds_left(&job), 20, 1e-6);
}

static void refused(const struct export_job *jobs, size_t count, const struct export_limits *l, unsigned width, int status, const char *word) {
    struct failure failure = {0};
    assert_int_equal(export_may_add(jobs, count, l, width, 100, &failure), status);
    if (status && !strstr(failure.message, word)) print_error("%s\n", failure.message);
    assert_true(!status || strstr(failure.message, word));
}

static void test_limits_refuse_with_their_setting(void **state) {
    (void)state;
    struct export_job jobs[] = {{.sequence = 1, .state = EXPORT_RUNNING}, {.sequence = 2}, {.sequence = 3}};
    struct export_limits none = limits;
    none.jobs = 0;
    refused(NULL, 0, &limits, 10000, VIRGA_OK, "");
    refused(NULL, 0, &limits, 10001, VIRGA_INVALID, "export-size");
    refused(NULL, 0, &none, 10, VIRGA_UNSUPPORTED, "export-jobs");
    refused(jobs, 2, &limits, 10, VIRGA_OK, "");
    refused(jobs, 3, &limits, 10, VIRGA_AGAIN, "export-queue");
    jobs[0].bytes = 1000;
    refused(jobs, 1, &limits, 10, VIRGA_TOO_LARGE, "export-disk");
    struct export_job *many = calloc(EXPORT_MOST_JOBS, sizeof *many);
    for (size_t i = 0; i < EXPORT_MOST_JOBS; i++) many[i].state = EXPORT_DONE;
    refused(many, EXPORT_MOST_JOBS - 1, &limits, 10, VIRGA_OK, "");
    refused(many, EXPORT_MOST_JOBS, &limits, 10, VIRGA_TOO_LARGE, "delete");
    free(many);
}

static void test_without_a_queue_one_may_still_run(void **state) {
    (void)state;
    struct export_job jobs[] = {{.sequence = 1}, {.sequence = 2, .state = EXPORT_DONE}};
    struct export_limits none = limits;
    none.queue = 0;
    refused(jobs + 1, 1, &none, 10, VIRGA_OK, "");
    refused(jobs, 2, &none, 10, VIRGA_AGAIN, "export-queue");
}

static void test_too_many_frames_or_bytes_end_a_run(void **state) {
    (void)state;
    struct export_job jobs[] = {{.sequence = 1, .bytes = 600}, {.sequence = 2, .bytes = 400}};
    struct failure failure;
    assert_int_equal(export_counted(&jobs[0], 100, &limits, &failure), VIRGA_OK);
    assert_int_equal(jobs[0].frames, 100);
    assert_int_equal(export_counted(&jobs[0], 101, &limits, &failure), VIRGA_TOO_LARGE);
    assert_non_null(strstr(failure.message, "export-frames"));
    assert_int_equal(export_grew(jobs, 2, &limits, &failure), VIRGA_OK);
    jobs[1].bytes++;
    assert_int_equal(export_grew(jobs, 2, &limits, &failure), VIRGA_TOO_LARGE);
    assert_non_null(strstr(failure.message, "export-disk"));
}

static void test_only_ended_ones_grow_old(void **state) {
    (void)state;
    struct export_job job = {.sequence = 1, .created = 1000};
    struct export_limits ever = limits;
    ever.keep = 0;
    export_end(&job, EXPORT_DONE, NULL, 50, 1000);
    assert_false(export_expired(&job, &limits, 3650, 4600));
    assert_true(export_expired(&job, &limits, 3651, 4601));
    assert_false(export_expired(&job, &ever, 1e12, 1e12));
    job.state = EXPORT_QUEUED;
    assert_false(export_expired(&job, &limits, 1e12, 1e12));
}

static void test_a_clock_that_jumps_makes_nothing_old(void **state) {
    (void)state;
    struct export_job job = {.sequence = 1};
    export_end(&job, EXPORT_DONE, NULL, 50, 1000);
    assert_false(export_expired(&job, &limits, 60, 1e9));
    assert_false(export_expired(&job, &limits, 3660, 1500));  // back, but not before its end: it counts on
    assert_true(export_expired(&job, &limits, 3660, 900));    // it ended in the future: one clock alone is to be believed
}

static void test_one_of_an_earlier_server_is_as_old_as_the_clock_says_but_for_an_hour(void **state) {
    (void)state;
    struct export_limits week = limits;
    week.keep = 7 * 86400.0;
    struct export_job job = {.sequence = 1, .state = EXPORT_DONE, .ended = 1000};
    export_found(&job, &week, 50, 1000 + 6 * 86400.0);
    assert_false(export_expired(&job, &week, 50 + 86400, 1000 + 7 * 86400.0));
    assert_true(export_expired(&job, &week, 51 + 86400, 1001 + 7 * 86400.0));
    export_found(&job, &week, 50, 1e9);  // years later
    assert_false(export_expired(&job, &week, 50 + EXPORT_GRACE, 1e9));
    assert_false(export_expired(&job, &week, 51 + EXPORT_GRACE, 2000));  // the clock was wrong, and is right now
    assert_true(export_expired(&job, &week, 51 + EXPORT_GRACE, 1e9));
    export_found(&job, &limits, 50, 1e9);  // kept for no longer than the hour itself
    assert_false(export_expired(&job, &limits, 3650, 1e9));
    assert_true(export_expired(&job, &limits, 3651, 1e9));
    export_found(&job, &week, 50, 500);  // it seems to have ended in the future
    assert_false(export_expired(&job, &week, 50 + 7 * 86400.0, 500));
}

static void test_names_of_frames_are_read_back_and_no_others(void **state) {
    (void)state;
    const struct export_job png = {.jpeg = false}, jpeg = {.jpeg = true};
    char name[32];
    uint32_t number;
    for (uint32_t n = 0; n < 200000; n = n * 3 + 1) {
        export_frame_name(&png, n, name, sizeof name);
        assert_true(export_frame_number(&png, name, &number) && number == n);
        assert_false(export_frame_number(&jpeg, name, &number));
    }
    static const char *const others[] = {"", "0.png", "00000.jpg", "000000.png", "-0001.png", " 0001.png", "00001.png.part", ".00001.png", "00001.PNG", "x",
                                         "99999999999999999999.png"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) assert_false(export_frame_number(&png, others[i], &number));
}

static void test_as_json(void **state) {
    (void)state;
    struct export_job job = {.sequence = 1, .id = "0123456789abcdef", .name = "n", .created = 1e9, .width = 640, .height = 360};
    json_t *json = export_job_json(&job);
    assert_non_null(json);
    assert_true(json_is_null(json_object_get(json, "frames")) && json_is_null(json_object_get(json, "rate")) && json_is_null(json_object_get(json, "error")));
    assert_string_equal(json_string_value(json_object_get(json, "created")), "2001-09-09T01:46:40Z");
    assert_string_equal(json_string_value(json_object_get(json, "state")), "queued");
    assert_string_equal(json_string_value(json_object_get(json, "files")), "%05d.png");
    json_decref(json);
    job.state = EXPORT_DELETED;
    json = export_job_json(&job);
    assert_int_equal(json_object_size(json), 2);
    json_decref(json);
}

static void test_ids(void **state) {
    (void)state;
    assert_true(export_id_valid("0123456789abcdef"));
    assert_false(export_id_valid("0123456789abcdeF"));
    assert_false(export_id_valid("0123456789abcde"));
    assert_false(export_id_valid("../../../../etc/"));
    assert_false(export_id_valid(""));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_oldest_waiting_one_starts_and_only_so_many_run),
        cmocka_unit_test(test_one_that_broke_waits_longer_each_time_and_then_fails),
        cmocka_unit_test(test_a_new_frame_makes_attempts_count_anew),
        cmocka_unit_test(test_an_interrupted_one_starts_at_once_and_has_lost_no_attempt),
        cmocka_unit_test(test_rate_and_time_left_are_of_the_attempt),
        cmocka_unit_test(test_limits_refuse_with_their_setting),
        cmocka_unit_test(test_without_a_queue_one_may_still_run),
        cmocka_unit_test(test_too_many_frames_or_bytes_end_a_run),
        cmocka_unit_test(test_only_ended_ones_grow_old),
        cmocka_unit_test(test_a_clock_that_jumps_makes_nothing_old),
        cmocka_unit_test(test_one_of_an_earlier_server_is_as_old_as_the_clock_says_but_for_an_hour),
        cmocka_unit_test(test_names_of_frames_are_read_back_and_no_others),
        cmocka_unit_test(test_as_json),
        cmocka_unit_test(test_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
