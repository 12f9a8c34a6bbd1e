// SPDX-License-Identifier: Apache-2.0
// What the server opens for a child that asks: what lies in the space named, and nothing else.
#include "source_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "source/source_broker.h"
#include "source/source_library.h"

static void make_tree(void) {
    fixture_write(fixture_path("secret"), "out", 3);
    assert_int_equal(0, mkdir(fixture_path("store"), 0700));
    assert_int_equal(0, mkdir(fixture_path("store/t"), 0700));
    assert_int_equal(0, mkdir(fixture_path("store-2"), 0700));
    fixture_write(fixture_path("store-2/beside"), "out", 3);
    fixture_write(fixture_path("store/.zgroup"), "in", 2);
    fixture_write(fixture_path("store/t/0.0"), "in", 2);
    assert_int_equal(0, symlink("../secret", fixture_path("store/link-out")));
    assert_int_equal(0, symlink("/etc/passwd", fixture_path("store/link-absolute")));
    assert_int_equal(0, symlink("/proc/self/fd/0", fixture_path("store/link-proc")));
    assert_int_equal(0, symlink("t/0.0", fixture_path("store/link-in")));
    assert_int_equal(0, symlink("..", fixture_path("store/t/up")));
    assert_int_equal(0, mkfifo(fixture_path("store/pipe"), 0600));
}

static int setup(void **state) {
    if (fixture_setup(state)) return -1;
    make_tree();
    return setenv("ECCODES_DEFINITION_PATH", fixture_path("store"), 1);
}

static int ask(struct source_broker *broker, enum source_space space, const char *path) {
    struct source_want want = {.space = space};
    int fd = -1;
    snprintf(want.path, sizeof want.path, "%s", path);
    int status = source_broker_open(broker, &want, &fd);
    assert_int_equal(status == VIRGA_OK, fd >= 0);
    if (status) return status;
    struct stat s;
    char text[4] = "";
    assert_int_equal(0, fstat(fd, &s));
    assert_int_equal(O_RDONLY, fcntl(fd, F_GETFL) & O_ACCMODE);
    assert_int_equal(FD_CLOEXEC, fcntl(fd, F_GETFD));
    if (S_ISREG(s.st_mode)) assert_true(read(fd, text, sizeof text) == 2 && !memcmp(text, "in", 2));
    close(fd);
    return VIRGA_OK;
}

static int inside(const char *path) {
    struct source_broker broker = {.folder = open(fixture_path("store"), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    int status = ask(&broker, SOURCE_INSIDE, path);
    close(broker.folder);
    return status;
}

static int library(const char *path) {
    struct source_broker broker = {.folder = -1};
    return ask(&broker, SOURCE_LIBRARY, path);
}

static void what_is_inside_a_lent_folder_is_granted(void **state) {
    (void)state;
    static const char *const good[] = {"", ".", "t", "t/", ".zgroup", "t/0.0", "t//0.0", "t/../.zgroup", "link-in", "t/up/.zgroup"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (inside(good[i])) fail_msg("'%s' is refused", good[i]);
}

static void what_is_outside_of_it_is_not_there(void **state) {
    (void)state;
    static const char *const bad[] = {"..", "../secret", "t/../../secret", "/etc/passwd", "link-out", "link-absolute", "link-proc",
                                      "t/up/../secret", "missing", "t/0.0/x", "pipe", "../store/.zgroup", "../store-2/beside"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (inside(bad[i]) != VIRGA_NOT_FOUND) fail_msg("'%s' is not refused", bad[i]);
}

static void only_files_below_the_folders_of_the_libraries_are_granted(void **state) {
    (void)state;
    char path[600];
    static const char *const good[] = {"store/.zgroup", "store/t/0.0", "store//t/0.0"};
    static const char *const bad[] = {"store", "store/", "store/t", "store/../secret", "store/link-out", "store/link-absolute",
                                      "store-2/beside", "secret", "store/pipe", "store/missing"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        snprintf(path, sizeof path, "%s/%s", fixture_folder, good[i]);
        if (library(path)) fail_msg("%s is refused", path);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(path, sizeof path, "%s/%s", fixture_folder, bad[i]);
        if (library(path) != VIRGA_NOT_FOUND) fail_msg("%s is not refused", path);
    }
    assert_int_equal(VIRGA_NOT_FOUND, library("/etc/passwd"));
    assert_int_equal(VIRGA_NOT_FOUND, library(""));
    assert_int_equal(VIRGA_NOT_FOUND, library(".zgroup"));
}

static const char *below(const char *roots, const char *path) {
    const char *root;
    size_t length;
    return source_library_below(roots, path, &root, &length);
}

static void several_folders_may_be_named(void **state) {
    (void)state;
    assert_string_equal("x/y", below("/a:/b/c", "/b/c/x/y"));
    assert_string_equal("x", below("/a/:/b", "/a///x"));
    assert_string_equal("", below("/a", "/a/"));
    assert_null(below("/a:/b/c", "/b/cx/y"));
    assert_null(below("/a", "/a"));
    assert_null(below("", "/a"));
    assert_null(below("/", "/a"));
    assert_null(below("a:.:/", "a/x"));
}

static void what_no_honest_child_asks_ends_it(void **state) {
    (void)state;
    struct source_broker broker = {.folder = -1};
    assert_int_equal(VIRGA_INVALID, ask(&broker, SOURCE_INSIDE, ".zgroup"));  // no folder was lent
    assert_int_equal(VIRGA_INVALID, ask(&broker, (enum source_space)9, ".zgroup"));
}

static void a_request_may_not_ask_for_ever(void **state) {
    (void)state;
    struct source_broker broker = {.folder = -1};
    int status, told = 0, asked = 0;
    while ((status = ask(&broker, SOURCE_LIBRARY, "/x")) != VIRGA_INVALID && asked < 100000) {
        told += status == VIRGA_TOO_LARGE;
        asked++;
    }
    assert_true(asked >= 20000 && asked < 30000);
    assert_true(told > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_inside_a_lent_folder_is_granted),
        cmocka_unit_test(what_is_outside_of_it_is_not_there),
        cmocka_unit_test(only_files_below_the_folders_of_the_libraries_are_granted),
        cmocka_unit_test(several_folders_may_be_named),
        cmocka_unit_test(what_no_honest_child_asks_ends_it),
        cmocka_unit_test(a_request_may_not_ask_for_ever),
    };
    return cmocka_run_group_tests(tests, setup, fixture_teardown);
}
