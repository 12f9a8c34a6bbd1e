// SPDX-License-Identifier: Apache-2.0
// The database and what is kept in it, across restarts, locks and damage.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../own_folder.h"
#include "base/log.h"
#include "server/export_frames.h"
#include "server/export_store.h"

static char folder[64];
static struct state_database *database;
static struct export_store *store;

static void open_store(void) {
    struct failure failure = {0};
    if (state_database_open(folder, &database, &failure)) fail_msg("%s", failure.message);
    assert_int_equal(export_store_new(database, &store, &failure), VIRGA_OK);
}

// As somebody else would, by hand.
static int change(const char *sql) {
    sqlite3 *handle;
    if (state_database_connect(database, &handle, NULL)) return SQLITE_ERROR;
    int result = sqlite3_exec(handle, sql, NULL, NULL, NULL);
    sqlite3_close(handle);
    return result;
}

static void close_store(void) {
    export_store_free(store);
    state_database_close(database);
}

static int set_up(void **state) {
    (void)state;
    log_configure(LOG_LEVEL_ERROR, false);
    if (own_folder_make(folder, sizeof folder)) return -1;
    open_store();
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    close_store();
    return own_folder_remove(folder);
}

static struct export_job add(const char *id) {
    struct export_job job = {.name = "Wind “at” 10 m", .created = 1234.5, .width = 640, .height = 480, .jpeg = true};
    struct failure failure;
    snprintf(job.id, sizeof job.id, "%s", id);
    assert_int_equal(export_store_add(store, &job, "{\"view\": 1}", &failure), VIRGA_OK);
    return job;
}

static void put(int64_t sequence, uint32_t number, uint64_t size) {
    const struct export_frame frame = {.number = number, .size = size, .crc = 0xFFFFFFF0u + number};
    bool fresh;
    assert_int_equal(export_store_put_frame(store, sequence, &frame, &fresh, NULL), VIRGA_OK);
    assert_true(fresh);
    assert_int_equal(export_store_put_frame(store, sequence, &frame, &fresh, NULL), VIRGA_OK);
    assert_false(fresh);
}

static void test_all_is_there_again_after_a_restart(void **state) {
    (void)state;
    struct export_job job = add("0123456789abcdef"), *jobs;
    size_t count;
    char *view;
    struct export_frame *frames;
    put(job.sequence, 1, 5000000000);
    put(job.sequence, 0, 3);
    job.state = EXPORT_RUNNING;
    job.frames = 17;
    job.attempts = 2;
    job.began = 2000;
    snprintf(job.error, sizeof job.error, "%s", "it's ; DROP TABLE");
    assert_int_equal(export_store_update(store, &job, NULL), VIRGA_OK);
    close_store();
    open_store();
    assert_int_equal(export_store_load(store, &jobs, &count, NULL), VIRGA_OK);
    assert_int_equal(count, 1);
    assert_true(jobs[0].sequence == job.sequence && jobs[0].state == EXPORT_RUNNING && jobs[0].frames == 17 && jobs[0].attempts == 2 && jobs[0].jpeg);
    assert_true(jobs[0].created == 1234.5 && jobs[0].began == 2000 && jobs[0].done == 2 && jobs[0].bytes == 5000000003);
    assert_string_equal(jobs[0].name, job.name);
    assert_string_equal(jobs[0].error, job.error);
    free(jobs);
    assert_int_equal(export_store_view(store, job.sequence, &view, NULL), VIRGA_OK);
    assert_string_equal(view, "{\"view\": 1}");
    free(view);
    assert_int_equal(export_store_frames(store, job.sequence, &frames, &count, NULL), VIRGA_OK);
    assert_true(count == 2 && frames[0].number == 0 && frames[0].size == 3 && frames[1].crc == 0xFFFFFFF1u && frames[1].size == 5000000000);
    free(frames);
}

static void test_a_deleted_one_takes_its_frames_along_and_its_number_is_never_used_again(void **state) {
    (void)state;
    struct export_job first = add("0000000000000001"), second = add("0000000000000002");
    struct export_frame *frames;
    size_t count;
    char *view;
    put(second.sequence, 0, 3);
    assert_int_equal(export_store_delete(store, second.sequence, NULL), VIRGA_OK);
    assert_int_equal(export_store_frames(store, second.sequence, &frames, &count, NULL), VIRGA_OK);
    assert_int_equal(count, 0);
    free(frames);
    assert_int_equal(export_store_view(store, second.sequence, &view, NULL), VIRGA_NOT_FOUND);
    close_store();
    open_store();
    struct export_job third = add("0000000000000003");
    assert_true(third.sequence > second.sequence && second.sequence > first.sequence);
}

static void test_the_same_id_twice_is_refused_and_hurts_nothing(void **state) {
    (void)state;
    struct export_job job = add("0000000000000001");
    struct failure failure;
    assert_int_equal(export_store_add(store, &job, "{}", &failure), VIRGA_IO);
    add("0000000000000002");
}

static void test_a_second_server_is_told(void **state) {
    (void)state;
    struct state_database *other;
    struct failure failure;
    assert_int_equal(state_database_open(folder, &other, &failure), VIRGA_AGAIN);
    assert_null(other);
    assert_non_null(strstr(failure.message, "--state"));
}

static void test_a_command_works_beside_a_server_and_without_one(void **state) {
    (void)state;
    struct state_database *beside;
    sqlite3 *handle;
    struct failure failure;
    assert_int_equal(state_database_open_beside(folder, &beside, &failure), VIRGA_OK);
    assert_int_equal(state_database_connect(beside, &handle, &failure), VIRGA_OK);
    assert_int_equal(sqlite3_exec(handle, "UPDATE export_jobs SET name = ''", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(handle);
    state_database_close(beside);
    close_store();
    assert_int_equal(state_database_open_beside(folder, &beside, &failure), VIRGA_OK);
    open_store();  // a command does not keep the folder
    state_database_close(beside);
}

static void test_a_command_makes_what_is_not_there(void **state) {
    (void)state;
    struct state_database *beside;
    sqlite3 *handle;
    struct failure failure;
    char command[100];
    close_store();
    snprintf(command, sizeof command, "rm %s/virga.db*", folder);
    assert_int_equal(system(command), 0);
    assert_int_equal(state_database_open_beside(folder, &beside, &failure), VIRGA_OK);
    assert_int_equal(state_database_connect(beside, &handle, &failure), VIRGA_OK);
    sqlite3_close(handle);
    state_database_close(beside);
    open_store();
}

static void test_a_command_leaves_a_server_of_another_version_alone(void **state) {
    (void)state;
    struct state_database *beside;
    struct failure failure;
    assert_int_equal(change("PRAGMA user_version = 0"), SQLITE_OK);
    assert_int_equal(state_database_open_beside(folder, &beside, &failure), VIRGA_UNSUPPORTED);
    assert_non_null(strstr(failure.message, "restart"));
    assert_null(beside);
}

static void overwrite(const char *name, long from, const char *text) {
    char path[100];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    fseek(file, from, SEEK_SET);
    for (int i = 0; i < 200; i++) fputs(text, file);
    fclose(file);
}

static void assert_begun_anew(void) {
    char command[200];
    struct export_job *jobs;
    size_t count;
    assert_int_equal(export_store_load(store, &jobs, &count, NULL), VIRGA_OK);
    assert_int_equal(count, 0);
    free(jobs);
    snprintf(command, sizeof command, "ls %s/virga.db.damaged-*Z %s/exports.damaged-*Z/keep >/dev/null", folder, folder);
    assert_int_equal(system(command), 0);
}

static void damage(long from) {
    char path[100];
    add("0000000000000001");
    snprintf(path, sizeof path, "%s/exports", folder);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/exports/keep", folder);
    fclose(fopen(path, "w"));
    close_store();
    overwrite("virga.db", from, "no database ");
    open_store();
    assert_begun_anew();
}

static void test_a_file_that_is_no_database_is_moved_aside(void **state) {
    (void)state;
    damage(0);
}

static void test_damaged_pages_are_moved_aside(void **state) {
    (void)state;
    damage(4096);
}

static void test_a_newer_database_is_left_alone(void **state) {
    (void)state;
    struct failure failure;
    assert_int_equal(change("PRAGMA user_version = 99"), SQLITE_OK);
    close_store();
    store = NULL;
    assert_int_equal(state_database_open(folder, &database, &failure), VIRGA_UNSUPPORTED);
    assert_non_null(strstr(failure.message, "newer"));
}

static void write_file(const char *in, const char *name, size_t size) {
    char path[EXPORT_PATH + 40];
    snprintf(path, sizeof path, "%s/%s", in, name);
    FILE *file = fopen(path, "wb");
    for (size_t i = 0; i < size; i++) fputc((int)i, file);
    fclose(file);
}

static void test_rows_that_somebody_changed_are_read_as_what_can_be(void **state) {
    (void)state;
    struct export_job *jobs;
    size_t count;
    add("0123456789abcdef");
    add("0123456789abcde0");
    assert_int_equal(change("UPDATE export_jobs SET id = '../../../../tmp/x' WHERE sequence = 1;"
                            "UPDATE export_jobs SET name = CAST(x'ff41' AS TEXT), created = 9e999, began = -1, width = -5, frames = 99999999999 WHERE sequence = 2"),
                     SQLITE_OK);
    assert_int_equal(export_store_load(store, &jobs, &count, NULL), VIRGA_OK);
    assert_int_equal(count, 1);  // the other one's folder would be elsewhere
    assert_true(jobs[0].created == 0 && jobs[0].began == 0 && jobs[0].width == 0 && jobs[0].frames == 0);
    json_t *told = export_job_json(&jobs[0]);
    assert_non_null(told);
    json_decref(told);
    free(jobs);
}

static void test_rows_follow_the_files(void **state) {
    (void)state;
    char exports[EXPORT_PATH], own[EXPORT_PATH];
    struct export_job job = add("0000000000000001");
    struct export_frame *frames, frame;
    size_t count;
    export_folder(folder, "", exports);
    export_folder(folder, job.id, own);
    assert_int_equal(export_folder_make(exports, NULL), VIRGA_OK);
    assert_int_equal(export_folder_make(own, NULL), VIRGA_OK);
    put(job.sequence, 0, 10);   // as its file
    put(job.sequence, 1, 10);   // without a file
    put(job.sequence, 2, 11);   // of another size
    write_file(own, "00000.jpg", 10);
    write_file(own, "00002.jpg", 10);
    write_file(own, "00007.jpg", 20);  // without a row
    write_file(own, ".00008.jpg.part", 5);
    write_file(own, "00009.png", 5);
    job.done = 99;
    assert_int_equal(export_frames_reconcile(store, own, &job, NULL), VIRGA_OK);
    assert_true(job.done == 3 && job.bytes == 40);
    assert_int_equal(export_store_frames(store, job.sequence, &frames, &count, NULL), VIRGA_OK);
    assert_true(count == 3 && frames[0].number == 0 && frames[1].number == 2 && frames[1].size == 10 && frames[2].number == 7);
    free(frames);
    export_folder_tidy(own, &job);
    assert_int_equal(export_frame_read(own, &job, 7, &frame, NULL), VIRGA_OK);
    assert_int_equal(frame.size, 20);
    assert_int_equal(export_frame_read(own, &job, 8, &frame, NULL), VIRGA_NOT_FOUND);
    char left[EXPORT_PATH + 40];
    snprintf(left, sizeof left, "%s/00009.png", own);
    assert_int_equal(access(left, F_OK), -1);
    export_folders_sweep(folder, NULL, 0);
    assert_int_equal(access(own, F_OK), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_all_is_there_again_after_a_restart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_deleted_one_takes_its_frames_along_and_its_number_is_never_used_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_same_id_twice_is_refused_and_hurts_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_second_server_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_command_works_beside_a_server_and_without_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_command_makes_what_is_not_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_command_leaves_a_server_of_another_version_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_file_that_is_no_database_is_moved_aside, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damaged_pages_are_moved_aside, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_newer_database_is_left_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rows_that_somebody_changed_are_read_as_what_can_be, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rows_follow_the_files, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
