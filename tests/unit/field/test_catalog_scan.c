// SPDX-License-Identifier: Apache-2.0
// From paths and addresses to files: what counts as one, and what it stands for. No engine is here: what it would open has a failure.
#include "made_file.h"

#include <sys/stat.h>

#include "field/catalog_scan.h"

static struct scanned_files scan(const char *const *paths, size_t count) {
    static const struct catalog_options options;
    struct scanned_files files;
    struct failure failure;
    if (catalog_scan(made_pool, paths, count, &options, NULL, &files, &failure)) fail_msg("%s", failure.message);
    return files;
}

static void an_address_is_one_file_and_stands_for_its_folder(void **state) {
    (void)state;
    static const char *const paths[] = {"zarr:/data/runs/a.zarr", "published:my run", "xarray:/data/2026*/*.nc", "s3://bucket/runs/b.zarr"};
    static const char *const bases[] = {"zarr:/data/runs", "published:my run", "xarray:/data", "s3://bucket/runs"};
    struct scanned_files files = scan(paths, 4);
    assert_int_equal(4, files.count);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(paths[i], files.files[i].path);
        assert_string_equal(bases[i], files.files[i].base);
        assert_null(files.files[i].file);
        assert_non_null(strstr(files.files[i].failure.message, paths[i]));
    }
    scanned_files_destroy(&files);
}

static void a_relative_address_stands_for_the_same_folder(void **state) {
    (void)state;
    char here[512], whole[600];
    const char *const paths[] = {"zarr:a.zarr", "zarr:./a.zarr", whole};
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(0, chdir(made_folder));
    char *folder = getcwd(NULL, 0);
    snprintf(whole, sizeof whole, "zarr:%s/b.zarr", folder);
    struct scanned_files files = scan(paths, 3);
    assert_int_equal(0, chdir(here));
    assert_string_equal(files.files[0].base, files.files[1].base);
    assert_string_equal(files.files[0].base, files.files[2].base);
    scanned_files_destroy(&files);
    free(folder);
}

static void write_text(const char *path, const char *text) {
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static const struct scanned_file *find(const struct scanned_files *files, const char *ending) {
    for (size_t i = 0; i < files->count; i++) {
        size_t length = strlen(files->files[i].path), n = strlen(ending);
        if (length > n && !strcmp(files->files[i].path + length - n, ending)) return &files->files[i];
    }
    fail_msg("%s was not found", ending);
    return NULL;
}

static void a_folder_is_searched_for_um_files_and_stores(void **state) {
    (void)state;
    const char *folder = made_path("mixed");
    assert_int_equal(0, mkdir(folder, 0700));
    assert_int_equal(0, mkdir(made_path("mixed/three.zarr"), 0700));
    write_text(made_path("mixed/three.zarr/zarr.json"), "{\"zarr_format\": 3, \"node_type\": \"group\"}");
    write_text(made_path("mixed/a.pp"), "x");
    write_text(made_path("mixed/a.txt"), "x");
    FILE *f = fopen(made_path("mixed/umglaa"), "w");  // by its first words
    for (int i = 0; i < 64; i++) fwrite((const unsigned char[8]){0, 0, 0, 0, 0, 0, 0, i == 0 ? 20 : i == 1 ? 1 : i == 4 ? 3 : 0}, 1, 8, f);
    fclose(f);
    struct scanned_files files = scan(&folder, 1);
    assert_int_equal(3, files.count);
    assert_non_null(strstr(find(&files, "/three.zarr")->failure.message, "version 3"));
    find(&files, "/a.pp");
    find(&files, "/umglaa");
    scanned_files_destroy(&files);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_one_file_and_stands_for_its_folder),
        cmocka_unit_test(a_relative_address_stands_for_the_same_folder),
        cmocka_unit_test(a_folder_is_searched_for_um_files_and_stores),
    };
    return cmocka_run_group_tests_name("catalog_scan", tests, made_begin, made_end);
}
