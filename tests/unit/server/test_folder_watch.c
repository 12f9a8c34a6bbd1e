// SPDX-License-Identifier: Apache-2.0
// What the kernel tells of folders, and which folders and names matter to configured paths.
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../own_folder.h"
#include "server/folder_watch.h"
#include "server/watched_paths.h"

static char folder[64];
static struct { enum folder_change change; char path[256]; } told[64];
static size_t count;

static void changed(void *context, enum folder_change change, const char *path) {
    (void)context;
    if (count == 64) return;
    told[count].change = change;
    snprintf(told[count++].path, sizeof told->path, "%s", path);
}

static const char *inside(const char *name) {
    static char path[2][256];
    static int at;
    at = !at;
    snprintf(path[at], sizeof path[at], "%s/%s", folder, name);
    return path[at];
}

static bool heard(enum folder_change change, const char *name) {
    for (size_t n = 0; n < count; n++)
        if (told[n].change == change && !strcmp(told[n].path, inside(name))) return true;
    return false;
}

static int set_up(void **state) {
    (void)state;
    count = 0;
    return own_folder_make(folder, sizeof folder);
}

static int tear_down(void **state) {
    (void)state;
    return own_folder_remove(folder);
}

static struct folder_watch *watch_new(void) {
    struct failure failure = {0};
    struct folder_watch *watch = folder_watch_new(changed, NULL, &failure);
    if (!watch) skip();
    return watch;
}

static void write_file(const char *name) {
    FILE *file = fopen(inside(name), "w");
    assert_non_null(file);
    fputs("x", file);
    fclose(file);
}

static void what_happens_is_told(void **state) {
    (void)state;
    struct folder_watch *watch = watch_new();
    folder_watch_begin(watch);
    assert_int_equal(folder_watch_add(watch, folder, true), VIRGA_OK);
    assert_int_equal(folder_watch_add(watch, folder, true), VIRGA_OK);
    assert_int_equal(folder_watch_add(watch, inside("nowhere"), true), VIRGA_OK);
    folder_watch_end(watch);
    assert_int_equal(folder_watch_count(watch), 1);
    write_file("a");
    assert_int_equal(rename(inside("a"), inside("b")), 0);
    assert_int_equal(chmod(inside("b"), 0400), 0);
    assert_int_equal(unlink(inside("b")), 0);
    folder_watch_read(watch);
    assert_true(heard(FOLDER_MADE, "a") && heard(FOLDER_WRITTEN, "a") && heard(FOLDER_CLOSED, "a") && heard(FOLDER_LEFT, "a"));
    assert_true(heard(FOLDER_CAME, "b") && heard(FOLDER_TOUCHED, "b") && heard(FOLDER_LEFT, "b"));
    folder_watch_free(watch);
}

static void names_alone_may_matter(void **state) {
    (void)state;
    struct folder_watch *watch = watch_new();
    folder_watch_begin(watch);
    folder_watch_add(watch, folder, false);
    folder_watch_end(watch);
    write_file("a");
    folder_watch_read(watch);
    assert_true(heard(FOLDER_MADE, "a"));
    assert_false(heard(FOLDER_WRITTEN, "a") || heard(FOLDER_CLOSED, "a"));
    folder_watch_free(watch);
}

static void folders_that_are_not_added_again_are_let_go_of(void **state) {
    (void)state;
    struct folder_watch *watch = watch_new();
    folder_watch_begin(watch);
    folder_watch_add(watch, folder, true);
    folder_watch_end(watch);
    folder_watch_begin(watch);
    folder_watch_end(watch);
    write_file("a");
    folder_watch_read(watch);
    assert_int_equal(count, 0);
    assert_int_equal(folder_watch_count(watch), 0);
    folder_watch_free(watch);
}

static void a_folder_that_goes_is_told(void **state) {
    (void)state;
    struct folder_watch *watch = watch_new();
    assert_int_equal(mkdir(inside("sub"), 0700), 0);
    folder_watch_begin(watch);
    folder_watch_add(watch, inside("sub"), true);
    folder_watch_end(watch);
    assert_int_equal(rmdir(inside("sub")), 0);
    folder_watch_read(watch);
    assert_true(heard(FOLDER_LEFT, "sub"));
    assert_int_equal(folder_watch_count(watch), 0);
    folder_watch_free(watch);
}

static void lost_events_and_broken_buffers_do_no_harm(void **state) {
    (void)state;
    struct folder_watch *watch = watch_new();
    struct inotify_event lost = {.wd = -1, .mask = IN_Q_OVERFLOW}, cut = {.wd = 1, .mask = IN_CREATE, .len = 1000};
    char buffer[2 * sizeof lost];
    memcpy(buffer, &lost, sizeof lost);
    memcpy(buffer + sizeof lost, &cut, sizeof cut);
    folder_watch_take(watch, buffer, sizeof buffer);
    assert_int_equal(count, 1);
    assert_int_equal(told[0].change, FOLDER_LOST);
    folder_watch_take(watch, buffer, 3);
    assert_int_equal(count, 1);
    folder_watch_free(watch);
}

static size_t above_count;
static char above[32][256];
static bool above_names[32];

static void take_above(void *context, const char *path, bool names) {
    (void)context;
    assert_true(above_count < 32);
    snprintf(above[above_count], sizeof above[0], "%s", path);
    above_names[above_count++] = names;
}

static bool is_above(const char *path, bool names) {
    for (size_t n = 0; n < above_count; n++)
        if (!strcmp(above[n], path) && above_names[n] == names) return true;
    return false;
}

static void folders_above_a_path_are_watched_for_names(void **state) {
    (void)state;
    char glob[128];
    struct watched_paths paths;
    snprintf(glob, sizeof glob, "%s/r*/a*.nc", folder);
    assert_int_equal(mkdir(inside("r1"), 0700), 0);
    const char *given[] = {folder, "/data/x/latest", glob, "s3://bucket/runs"};
    assert_int_equal(watched_paths_init(&paths, given, 4), VIRGA_OK);
    assert_true(watched_paths_any_address(&paths));
    above_count = 0;
    watched_paths_above(&paths, take_above, NULL);
    assert_true(is_above("/", true) && is_above("/tmp", true) && is_above("/data", true) && is_above("/data/x", true));
    assert_true(is_above("/data/x", false));   // which may come as a file
    assert_true(is_above(folder, false));       // of the glob
    assert_true(is_above(inside("r1"), false));
    assert_true(watched_paths_matter(&paths, "/data"));
    assert_true(watched_paths_matter(&paths, "/data/x/latest"));
    assert_true(watched_paths_matter(&paths, "/data/x/latest/deep/file.nc"));
    assert_false(watched_paths_matter(&paths, "/data/x/later"));
    assert_false(watched_paths_matter(&paths, "/data/y"));
    assert_true(watched_paths_matter(&paths, inside("r2")));
    watched_paths_destroy(&paths);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_happens_is_told),
        TEST(names_alone_may_matter),
        TEST(folders_that_are_not_added_again_are_let_go_of),
        TEST(a_folder_that_goes_is_told),
        TEST(lost_events_and_broken_buffers_do_no_harm),
        TEST(folders_above_a_path_are_watched_for_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
