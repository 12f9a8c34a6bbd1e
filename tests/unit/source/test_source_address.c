// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka after what it needs
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "source/source_address.h"

static void addresses_are_told_from_files(void **state) {
    (void)state;
    static const char *const kinds[] = {"zarr:/a", "zarr:a", "xarray:/a/*.nc", "grib:x", "iris:x.pp", "kerchunk:s3://b/c.json", "published:my run", "notebook:ds"};
    static const char *const urls[] = {"http://a/b.nc", "s3://bucket/x.zarr", "memory://x"};
    static const char *const files[] = {"", "zarr", "zarr:", "Zarr:a", "./zarr:a", "/zarr:a", "zarrs:a", "a.nc", "published", "x:y"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) assert_true(source_address_like(kinds[i]) && source_address_has_kind(kinds[i]));
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) assert_true(source_address_like(urls[i]) && !source_address_has_kind(urls[i]));
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) assert_false(source_address_like(files[i]));
}

static void schemes_are_compared_whole(void **state) {
    (void)state;
    static const char *const schemes[] = {"s3", "https"};
    assert_true(source_address_has_scheme("s3://b/x", schemes, 2) && source_address_has_scheme("HTTPS://h/x", schemes, 2));
    assert_false(source_address_has_scheme("http://h/x", schemes, 2));
    assert_false(source_address_has_scheme("s3a://h/x", schemes, 2));
    assert_false(source_address_has_scheme("s3:x", schemes, 2));
    assert_false(source_address_has_scheme("zarr:s3://b/x", schemes, 2));  // the engine looks at that
    assert_false(source_address_has_scheme("s3://b/x", NULL, 0));
}

static void assert_text(char *got, const char *expected) {
    assert_non_null(got);
    assert_string_equal(expected, got);
    free(got);
}

static void relative_paths_are_made_absolute(void **state) {
    (void)state;
    char here[512];
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(0, chdir("/usr"));
    assert_text(source_address_absolute("zarr:lib/x.zarr"), "zarr:/usr/lib/x.zarr");
    assert_text(source_address_absolute("xarray:./lib/*.nc"), "xarray:/usr/lib/*.nc");
    assert_text(source_address_absolute("iris:/a/b.pp"), "iris:/a/b.pp");
    assert_text(source_address_absolute("zarr:s3://b/x"), "zarr:s3://b/x");
    assert_text(source_address_absolute("published:run"), "published:run");
    assert_text(source_address_absolute("https://h/x.zarr"), "https://h/x.zarr");
    assert_int_equal(0, chdir(here));
}

static void a_base_is_the_folder_in_the_address(void **state) {
    (void)state;
    assert_text(source_address_base("zarr:/data/runs/a.zarr"), "zarr:/data/runs");
    assert_text(source_address_base("xarray:/data/2026*/a_*.nc"), "xarray:/data");
    assert_text(source_address_base("published:run"), "published:run");
    assert_text(source_address_base("s3://bucket/runs/a.zarr"), "s3://bucket/runs");
    assert_text(source_address_base("s3://bucket"), "s3://bucket");
    assert_text(source_address_base("zarr:s3://bucket/a.zarr?x=/y"), "zarr:s3://bucket");
    assert_text(source_address_base("http://h/d/x.nc?t[0:1:2]"), "http://h/d");
    assert_text(source_address_base("zarr:/x"), "zarr:");
}

static void an_address_ends_in_a_list_at_its_colon(void **state) {
    (void)state;
    assert_int_equal(strlen("zarr:/a"), source_address_length("zarr:/a:/b"));
    assert_int_equal(strlen("zarr:s3://b/x"), source_address_length("zarr:s3://b/x:/c"));
    assert_int_equal(strlen("http://h:8080/x"), source_address_length("http://h:8080/x:/c"));
    assert_int_equal(strlen("published:run"), source_address_length("published:run"));
    assert_int_equal(0, source_address_length("/a:/b"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_told_from_files),     cmocka_unit_test(schemes_are_compared_whole),
        cmocka_unit_test(relative_paths_are_made_absolute),  cmocka_unit_test(a_base_is_the_folder_in_the_address),
        cmocka_unit_test(an_address_ends_in_a_list_at_its_colon),
    };
    return cmocka_run_group_tests_name("source_address", tests, NULL, NULL);
}
