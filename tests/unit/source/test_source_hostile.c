// SPDX-License-Identifier: Apache-2.0
// Malformed files: made here by cutting and flipping bits of good ones, and those of ../shared where it is. Each is listed
// or fails with its name; this process lives; afterwards the pool reads a good file.
#include "source_fixture.h"

#include <dirent.h>
#include <sys/stat.h>

static struct source_pool *pool;
static size_t opened, refused_files;

static void read_variables(struct source *source, const char *path) {
    const struct source_inventory *all = source_inventory(source);
    for (size_t i = 0; i < all->variable_count && i < 60; i++) {
        const struct source_variable *v = &all->variables[i];
        struct source_slab_request request = {.variable = i, .rank = v->rank, .scale = 1, .reduction = i % 3};
        for (int d = 0; d < v->rank; d++) {
            size_t length = all->dimensions[v->dimensions[d]].length;
            request.count[d] = length < 64 ? length : 64;
            request.block[d] = 2;
        }
        struct source_slab slab;
        struct failure failure;
        int status = source_read(source, &request, &slab, &failure);
        if (status && !strstr(failure.message, path)) fail_msg("%s: it says: %s", path, failure.message);
        if (status == VIRGA_TIMED_OUT) break;  // the other variables would take as long
        source_slab_release(&slab);
    }
}

static void try_file(const char *path) {
    struct source *source;
    struct failure failure;
    opened++;
    int status = source_open(pool, path, &source, &failure);
    if (status) {
        refused_files++;
        assert_null(source);
        if (!strstr(failure.message, path)) fail_msg("%s: it says: %s", path, failure.message);
        return;
    }
    read_variables(source, path);
    source_unref(source);
}

static const struct {
    const char *name;
    int mode;
} formats[] = {{"classic", 0}, {"offset64", NC_64BIT_OFFSET}, {"cdf5", NC_64BIT_DATA}, {"netcdf4", NC_NETCDF4}};

static uint8_t *good_bytes(int format, size_t *size) {
    const char *path = fixture_path("original.nc");
    bool new = formats[format].mode == NC_NETCDF4;
    fixture_make_field(path, formats[format].mode, (size_t[]){2, 3, 8, 9}, new ? (size_t[]){1, 1, 8, 9} : NULL);
    return fixture_read(path, size);
}

static void truncations_are_survived(void **state) {
    (void)state;
    for (int format = 0; format < 4; format++) {
        size_t size;
        uint8_t *bytes = good_bytes(format, &size);
        for (size_t i = 0; i < 24; i++) {
            const char *path = fixture_path("cut.nc");
            fixture_write(path, bytes, size * i / 24);
            try_file(path);
        }
        free(bytes);
    }
    fixture_assert_reads(pool);
}

static void flipped_bits_are_survived(void **state) {
    (void)state;
    uint32_t seed = 20090730;
    for (int format = 0; format < 4; format++) {
        size_t size;
        uint8_t *bytes = good_bytes(format, &size);
        for (int i = 0; i < 40; i++) {
            uint8_t *copy = malloc(size);
            memcpy(copy, bytes, size);
            for (int k = 0; k < 1 + i % 4; k++) {
                seed = seed * 1664525u + 1013904223u;
                size_t within = i % 2 && size > 512 ? 512 : size;  // half of them in what is most likely a header
                copy[(seed >> 4) % within] ^= (uint8_t)(1u << (seed >> 29));
            }
            const char *path = fixture_path("flipped.nc");
            fixture_write(path, copy, size);
            try_file(path);
            free(copy);
        }
        free(bytes);
    }
    fixture_assert_reads(pool);
}

// A classic header that claims huge counts, field by field.
static void huge_claims_are_refused(void **state) {
    (void)state;
    size_t size, before = refused_files, claims = 0;
    uint8_t *bytes = good_bytes(0, &size);
    static const size_t count_fields[] = {12, 16};  // dimensions; length of the first name
    for (size_t f = 0; f < 2; f++)
        for (int value = 0; value < 3; value++, claims++) {
            static const uint8_t values[3][4] = {{0x7f, 0xff, 0xff, 0xff}, {0xff, 0xff, 0xff, 0xff}, {0x10, 0, 0, 0}};
            uint8_t *copy = malloc(size);
            memcpy(copy, bytes, size);
            memcpy(copy + count_fields[f], values[value], 4);
            const char *path = fixture_path("claims.nc");
            fixture_write(path, copy, size);
            try_file(path);
            free(copy);
        }
    free(bytes);
    assert_int_equal(claims, refused_files - before);
    fixture_assert_reads(pool);
}

static int try_entry(const char *path, const struct stat *s, int kind, struct FTW *at) {
    (void)at;
    if (kind == FTW_F && S_ISREG(s->st_mode)) try_file(path);
    return 0;
}

static void every_file_below(const char *folder) {
    if (access(folder, R_OK)) {
        print_message("%s is not here\n", folder);
        skip();
    }
    size_t before = opened;
    assert_int_equal(0, nftw(folder, try_entry, 16, FTW_PHYS));
    assert_true(opened > before);
    print_message("%zu files, %zu children replaced\n", opened - before, source_pool_restarts(pool));
    fixture_assert_reads(pool);
}

static void collected_malformed_files_are_survived(void **state) {
    (void)state;
    every_file_below(VIRGA_SOURCE_DIR "/../shared/hostile");
}

static void real_forecasts_are_listed_or_named(void **state) {
    (void)state;
    every_file_below(VIRGA_SOURCE_DIR "/../shared/forecasts");
}

static int setup(void **state) {
    if (fixture_setup(state)) return -1;
    pool = fixture_pool(2, 10);
    return 0;
}

static int teardown(void **state) {
    source_pool_free(pool);
    return fixture_teardown(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(truncations_are_survived),
        cmocka_unit_test(flipped_bits_are_survived),
        cmocka_unit_test(huge_claims_are_refused),
        cmocka_unit_test(collected_malformed_files_are_survived),
        cmocka_unit_test(real_forecasts_are_listed_or_named),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
