// SPDX-License-Identifier: Apache-2.0
// What crashed readers is still refused after a restart, until it changes.
#include "../source/source_fixture.h"

#include "server/condemned_files.h"

static struct source_identity identity_of(const char *path) {
    struct stat s;
    assert_int_equal(0, stat(path, &s));
    return (struct source_identity){s.st_dev, s.st_ino, (uint64_t)s.st_size, (int64_t)s.st_mtim.tv_sec * 1000000000 + s.st_mtim.tv_nsec};
}

static const char *condemned_file(void) {
    const char *path = fixture_path("bad.nc");
    fixture_make_field(path, 0, (size_t[]){1, 2, 3, 4}, NULL);
    return path;
}

static void condemn(struct source_pool *pool, const char *path) {
    struct source_condemnation c = {.identity = identity_of(path), .status = VIRGA_GONE, .words = "the reader \"crashed\" on it"};
    source_pool_load_condemned(pool, &c, 1);
}

static void what_is_saved_is_refused_by_the_next(void **state) {
    (void)state;
    struct failure failure;
    struct source *source;
    const char *path = condemned_file();
    struct source_pool *pool = fixture_pool(1, 20);
    condemn(pool, path);
    assert_int_equal(VIRGA_OK, condemned_files_save(pool, fixture_folder, &failure));
    assert_int_equal(VIRGA_OK, condemned_files_save(pool, fixture_folder, &failure));  // in place of the first
    source_pool_free(pool);
    pool = fixture_pool(1, 20);
    condemned_files_load(pool, fixture_folder);
    assert_int_equal(VIRGA_GONE, source_open(pool, path, &source, &failure));
    assert_non_null(strstr(failure.message, "bad.nc: the reader \"crashed\" on it"));
    fixture_make_field(path, 0, (size_t[]){1, 2, 3, 5}, NULL);  // it changes
    source_unref(fixture_open(pool, path));
    source_pool_free(pool);
}

static void assert_says_nothing(const char *text) {
    fixture_write(fixture_path("condemned.json"), text, strlen(text));
    struct source_pool *pool = fixture_pool(1, 20);
    struct source_condemnation list[4];
    condemned_files_load(pool, fixture_folder);
    assert_int_equal(0, source_pool_save_condemned(pool, list, 4));
    source_pool_free(pool);
}

static void a_file_that_makes_no_sense_says_nothing(void **state) {
    (void)state;
    assert_says_nothing("");
    assert_says_nothing("[1, 2");
    assert_says_nothing("{\"version\": \"another\", \"files\": [{\"identity\": \"1-2-3-4\", \"status\": -11, \"words\": \"x\"}]}");
    assert_says_nothing("{\"version\": \"" VIRGA_VERSION "\", \"files\": [{\"identity\": \"1-2-3\", \"status\": -11, \"words\": \"x\"}]}");
    assert_says_nothing("{\"version\": \"" VIRGA_VERSION "\", \"files\": [{\"identity\": \"1-2-3-4\", \"status\": 0, \"words\": \"x\"}, 7]}");
}

static void a_folder_that_cannot_be_written_is_named(void **state) {
    (void)state;
    struct failure failure;
    struct source_pool *pool = fixture_pool(1, 20);
    assert_int_equal(VIRGA_IO, condemned_files_save(pool, "/nowhere", &failure));
    assert_non_null(strstr(failure.message, "/nowhere/condemned.json"));
    source_pool_free(pool);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_saved_is_refused_by_the_next),
        cmocka_unit_test(a_file_that_makes_no_sense_says_nothing),
        cmocka_unit_test(a_folder_that_cannot_be_written_is_named),
    };
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
