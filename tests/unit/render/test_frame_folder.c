// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "render/frame_folder.h"
#include "render/frame_record.h"

static char root[64];

static int make_root(void **state) {
    (void)state;
    strcpy(root, "/tmp/virga-frames-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state) {
    (void)state;
    char command[200];
    snprintf(command, sizeof command, "chmod -R u+w %s && rm -rf %s", root, root);
    return system(command);
}

static char *record_of(const char *fps) {
    char json[100];
    snprintf(json, sizeof json, "{\"fps\": \"%s\", \"other\": [1, 2.5]}", fps);
    json_t *view = json_loads(json, 0, NULL);
    const char *editions[] = {"abc", "def"};
    struct frame_record record = {.program = "test 1", .frames = 3, .run = "R", .first = "A", .last = "B", .editions = editions,
                                  .edition_count = 2, .view = view};
    char *text = frame_record_text(&record);
    json_decref(view);
    assert_non_null(text);
    return text;
}

static int try_open(const char *name, const char *fps, bool overwrite, struct frame_folder **folder, struct failure *failure) {
    char path[200], *record = record_of(fps);
    struct frame_pattern pattern;
    snprintf(path, sizeof path, "%s/%s", root, name);
    assert_int_equal(frame_pattern_parse(path, &pattern, failure), VIRGA_OK);
    struct frame_folder_options options = {.pattern = &pattern, .frames = 3, .record = record, .overwrite = overwrite};
    int status = frame_folder_open(&options, folder, failure);
    free(record);
    return status;
}

static struct frame_folder *open_ok(const char *name, const char *fps, bool overwrite) {
    struct frame_folder *folder;
    struct failure failure = {0};
    if (try_open(name, fps, overwrite, &folder, &failure)) fail_msg("%s", failure.message);
    return folder;
}

static void expect_refused(const char *name, const char *fps, const char *words) {
    struct frame_folder *folder;
    struct failure failure = {0};
    assert_int_equal(try_open(name, fps, false, &folder, &failure), VIRGA_IO);
    assert_null(folder);
    if (!strstr(failure.message, words)) fail_msg("\"%s\" lacks \"%s\"", failure.message, words);
}

static void write_ok(struct frame_folder *folder, size_t index, const char *text) {
    struct failure failure = {0};
    if (frame_folder_write(folder, index, (const uint8_t *)text, strlen(text), &failure)) fail_msg("%s", failure.message);
}

static void touch(const char *name) {
    char path[200];
    snprintf(path, sizeof path, "%s/%s", root, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("x", file);
    fclose(file);
}

static bool is_there(const char *name) {
    char path[200];
    snprintf(path, sizeof path, "%s/%s", root, name);
    return access(path, F_OK) == 0;
}

static size_t entries(const char *name) {
    char path[200];
    size_t n = 0;
    snprintf(path, sizeof path, "%s/%s", root, name);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    while (readdir(dir)) n++;
    closedir(dir);
    return n - 2;
}

static void what_is_finished_is_found_again(void **state) {
    (void)state;
    struct frame_folder *folder = open_ok("a/b/%03d.png", "1", false);
    assert_int_equal(frame_folder_count(folder), 0);
    write_ok(folder, 1, "one");
    assert_true(frame_folder_has(folder, 1) && !frame_folder_has(folder, 0) && frame_folder_count(folder) == 1);
    frame_folder_close(folder);
    folder = open_ok("a/b/%03d.png", "1", false);
    assert_true(frame_folder_has(folder, 1) && !frame_folder_has(folder, 0) && !frame_folder_has(folder, 2) && frame_folder_count(folder) == 1);
    write_ok(folder, 0, "zero");
    frame_folder_close(folder);
    assert_int_equal(entries("a/b"), 3);
    assert_true(is_there("a/b/000.png") && is_there("a/b/.%03d.png.virga-export"));
}

static void a_frame_is_made_anew_where_it_was_taken_away_or_is_no_file(void **state) {
    (void)state;
    struct frame_folder *folder = open_ok("%d.png", "1", false);
    for (size_t i = 0; i < 3; i++) write_ok(folder, i, "old");
    frame_folder_close(folder);
    char path[200];
    snprintf(path, sizeof path, "%s/1.png", root);
    unlink(path);
    assert_int_equal(symlink("0.png", path), 0);
    folder = open_ok("%d.png", "1", false);
    assert_false(frame_folder_has(folder, 1));
    write_ok(folder, 1, "new");
    frame_folder_close(folder);
    struct stat is;
    assert_true(!lstat(path, &is) && S_ISREG(is.st_mode));
}

static void another_export_is_refused_with_what_differs(void **state) {
    (void)state;
    struct frame_folder *folder = open_ok("%d.png", "1", false);
    write_ok(folder, 0, "old");
    frame_folder_close(folder);
    expect_refused("%d.png", "2", "which shows another view (its \"fps\" differs); name other files, or replace it with --overwrite");
    folder = open_ok("%02d.png", "2", false);  // other names, another export
    write_ok(folder, 0, "other");
    frame_folder_close(folder);
    folder = open_ok("%d.png", "2", true);
    assert_int_equal(frame_folder_count(folder), 0);
    assert_false(is_there("0.png"));
    assert_true(is_there("00.png"));
    write_ok(folder, 2, "new");
    frame_folder_close(folder);
    folder = open_ok("%d.png", "2", true);  // --overwrite again goes on
    assert_int_equal(frame_folder_count(folder), 1);
    frame_folder_close(folder);
}

static void a_damaged_record_is_refused(void **state) {
    (void)state;
    static const char *const damaged[] = {"", "{", "[]", "{\"virga_export\": 2}", "{\"frames\": 1e99, \"virga_export\": 1}"};
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        char path[200];
        snprintf(path, sizeof path, "%s/.%%d.png.virga-export", root);
        FILE *file = fopen(path, "w");
        fputs(damaged[i], file);
        fclose(file);
        expect_refused("%d.png", "1", "another export, which");
    }
    frame_folder_close(open_ok("%d.png", "1", true));
}

static void files_of_others_are_neither_taken_nor_replaced(void **state) {
    (void)state;
    touch("1.png");
    touch("notes.txt");
    expect_refused("%d.png", "1", "/1.png is there already and of no export");
    expect_refused("notes.txt", "1", "/notes.txt is there already");
    struct frame_folder *folder = open_ok("%d.png", "1", true);
    assert_false(is_there("1.png"));
    assert_true(is_there("notes.txt"));
    frame_folder_close(folder);
}

static void what_is_no_file_is_never_replaced(void **state) {
    (void)state;
    char path[200];
    struct frame_folder *folder;
    struct failure failure = {0};
    snprintf(path, sizeof path, "%s/1.png", root);
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_refused("%d.png", "1", "/1.png is there already and no plain file");
    expect_refused("1.png", "1", "/1.png is there already and no plain file");
    assert_int_equal(try_open("%d.png", "1", true, &folder, &failure), VIRGA_IO);
    struct stat is;
    assert_true(!lstat(path, &is) && S_ISFIFO(is.st_mode));
    unlink(path);
    assert_int_equal(symlink("/nowhere", path), 0);
    expect_refused("%d.png", "1", "/1.png is there already and no plain file");
    assert_true(!lstat(path, &is) && S_ISLNK(is.st_mode));
}

static void what_a_killed_run_left_goes_and_nothing_else(void **state) {
    (void)state;
    static const char *const left[] = {".1.png.0badcafe.virga-part", ".100.png.00000000.virga-part", "..%d.png.virga-export.12345678.virga-part"};
    static const char *const kept[] = {
        ".1.png.0badcafe.virga-par", ".1.png.0badcaf.virga-part", ".x.png.0badcafe.virga-part", "1.png.0badcafe.virga-part",
        ".1.png.0BADCAFE.virga-part", ".01.png.0badcafe.virga-part", ".virga-part", ".0badcafe.virga-part"};
    for (size_t i = 0; i < 3; i++) touch(left[i]);
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) touch(kept[i]);
    frame_folder_close(open_ok("%d.png", "1", false));
    for (size_t i = 0; i < 3; i++) assert_false(is_there(left[i]));
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) assert_true(is_there(kept[i]));
}

static void a_folder_has_one_writer(void **state) {
    (void)state;
    struct frame_folder *folder = open_ok("%d.png", "1", false);
    expect_refused("%d.png", "1", "another virga is writing into");
    frame_folder_close(folder);
    frame_folder_close(open_ok("%d.png", "1", false));
}

static void what_cannot_be_written_leaves_nothing(void **state) {
    (void)state;
    struct frame_folder *folder = open_ok("%d.png", "1", false);
    struct rlimit limit, small;
    struct failure failure = {0};
    static uint8_t bytes[8192];
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);
    small = limit;
    small.rlim_cur = 4096;
    setrlimit(RLIMIT_FSIZE, &small);
    int status = frame_folder_write(folder, 0, bytes, sizeof bytes, &failure);
    setrlimit(RLIMIT_FSIZE, &limit);
    assert_int_equal(status, VIRGA_IO);
    assert_non_null(strstr(failure.message, "0.png: it is larger than this process may write"));
    assert_int_equal(entries(""), 1);
    write_ok(folder, 0, "now");
    frame_folder_close(folder);
}

static void a_folder_that_cannot_be_made_or_written_to(void **state) {
    (void)state;
    touch("file");
    expect_refused("file/%d.png", "1", "cannot make the folder");
    if (geteuid() == 0) return;  // who may do anything
    char path[200];
    snprintf(path, sizeof path, "%s/locked", root);
    mkdir(path, 0500);
    expect_refused("locked/%d.png", "1", "cannot write into");
    expect_refused("locked/more/%d.png", "1", "cannot make the folder");
}

static void a_process_that_ends_takes_its_temporary_file_along(void **state) {
    (void)state;
    frame_folder_drop_temporary();  // none
    struct frame_folder *folder = open_ok("%d.png", "1", false);
    write_ok(folder, 0, "x");
    frame_folder_drop_temporary();  // none any more
    assert_true(is_there("0.png"));
    frame_folder_close(folder);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_root, remove_root)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_is_finished_is_found_again),
        TEST(a_frame_is_made_anew_where_it_was_taken_away_or_is_no_file),
        TEST(another_export_is_refused_with_what_differs),
        TEST(a_damaged_record_is_refused),
        TEST(files_of_others_are_neither_taken_nor_replaced),
        TEST(what_is_no_file_is_never_replaced),
        TEST(what_a_killed_run_left_goes_and_nothing_else),
        TEST(a_folder_has_one_writer),
        TEST(what_cannot_be_written_leaves_nothing),
        TEST(a_folder_that_cannot_be_made_or_written_to),
        TEST(a_process_that_ends_takes_its_temporary_file_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
