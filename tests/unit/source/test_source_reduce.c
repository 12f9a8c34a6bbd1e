// SPDX-License-Identifier: Apache-2.0
// Strides and block means computed by the reader, against plain computation here.
#include "source_fixture.h"

#include <math.h>

#include "child_processes.h"

static struct source_pool *pool;

enum { NT = 2, NZ = 7, NY = 33, NX = 130, NALL = NT * NZ * NY * NX };

static double stored[NALL];  // what the file holds, as double

// int16 with a missing value here and there and wholly missing corners; the same in five layouts.
static void make_packed(const char *path, int mode, const size_t chunk[4]) {
    int id, dims[4], variable;
    const size_t shape[] = {NT, NZ, NY, NX};
    const char *const names[] = {"time", "z", "y", "x"};
    NC(nc_create(path, mode, &id));
    for (int d = 0; d < 4; d++) NC(nc_def_dim(id, names[d], shape[d], &dims[d]));
    NC(nc_def_var(id, "v", NC_SHORT, 4, dims, &variable));
    if (chunk) {
        NC(nc_def_var_chunking(id, variable, NC_CHUNKED, chunk));
        NC(nc_def_var_deflate(id, variable, 1, 1, 1));
    }
    NC(nc_enddef(id));
    NC(nc_put_var_double(id, variable, stored));
    NC(nc_close(id));
}

static void fill_stored(void) {
    uint32_t noise = 7;
    for (int i = 0; i < NALL; i++) {
        noise = noise * 1664525u + 1013904223u;
        int x = i % NX, y = i / NX % NY;
        stored[i] = (double)(int)(noise >> 16) - 32768;
        if (noise % 11 == 0 || (x < 8 && y < 8)) stored[i] = -32768;
        if (noise % 17 == 0) stored[i] = 123;  // a second missing value
    }
}

static size_t place(const size_t at[4]) { return ((at[0] * NZ + at[1]) * NY + at[2]) * NX + at[3]; }

// Mean, min, max and count of one block, by the definition.
static void plain_block(const struct source_slab_request *q, const size_t block[4], double out[4]) {
    double sum = 0, least = INFINITY, most = -INFINITY, count = 0;
    size_t from[4], to[4], at[4];
    for (int d = 0; d < 4; d++) {
        const size_t end = q->start[d] + (block[d] + 1) * q->block[d] - q->lead[d];
        from[d] = block[d] ? end - q->block[d] : q->start[d];  // the first may lack points
        to[d] = end < q->start[d] + q->count[d] ? end : q->start[d] + q->count[d];
    }
    for (at[0] = from[0]; at[0] < to[0]; at[0]++)
        for (at[1] = from[1]; at[1] < to[1]; at[1]++)
            for (at[2] = from[2]; at[2] < to[2]; at[2]++)
                for (at[3] = from[3]; at[3] < to[3]; at[3]++) {
                    double v = stored[place(at)];
                    if (v == -32768 || v == 123) continue;
                    v = v * q->scale + q->offset;
                    sum += v;
                    least = fmin(least, v);
                    most = fmax(most, v);
                    count++;
                }
    out[0] = count > 0 ? sum / count : NAN;
    out[1] = count > 0 ? least : NAN;
    out[2] = count > 0 ? most : NAN;
    out[3] = count;
}

static bool close_to(double a, double b) {
    return (isnan(a) && isnan(b)) || fabs(a - b) <= 1e-12 * fmax(1, fabs(b));
}

static size_t output_counts(const struct source_slab_request *q, size_t n[4]) {
    size_t elements = 1;
    for (int d = 0; d < 4; d++) elements *= n[d] = (q->count[d] + q->lead[d] + q->block[d] - 1) / q->block[d];
    return elements;
}

static void check_mean(struct source *source, const struct source_slab_request *q) {
    struct source_slab slab = fixture_slab(source, q);
    size_t n[4], elements = output_counts(q, n), i = 0, b[4];
    const double *data = slab.data;
    assert_int_equal(SOURCE_F64, slab.type);
    assert_int_equal(elements, slab.elements);
    assert_int_equal(elements * 32, slab.bytes);
    for (b[0] = 0; b[0] < n[0]; b[0]++)
        for (b[1] = 0; b[1] < n[1]; b[1]++)
            for (b[2] = 0; b[2] < n[2]; b[2]++)
                for (b[3] = 0; b[3] < n[3]; b[3]++, i++) {
                    double expected[4];
                    plain_block(q, b, expected);
                    for (int k = 0; k < 4; k++)
                        if (!close_to(data[(size_t)k * elements + i], expected[k]))
                            fail_msg("block %zu, figure %d: %.17g is not %.17g", i, k, data[(size_t)k * elements + i], expected[k]);
                }
    source_slab_release(&slab);
}

static void check_stride(struct source *source, const struct source_slab_request *q) {
    struct source_slab slab = fixture_slab(source, q);
    size_t n[4], elements = output_counts(q, n), i = 0, b[4];
    const int16_t *data = slab.data;
    assert_int_equal(SOURCE_I16, slab.type);
    assert_int_equal(elements, slab.elements);
    for (b[0] = 0; b[0] < n[0]; b[0]++)
        for (b[1] = 0; b[1] < n[1]; b[1]++)
            for (b[2] = 0; b[2] < n[2]; b[2]++)
                for (b[3] = 0; b[3] < n[3]; b[3]++, i++) {
                    size_t at[4];
                    for (int d = 0; d < 4; d++) at[d] = q->start[d] + b[d] * q->block[d];
                    assert_int_equal(stored[place(at)], data[i]);
                }
    source_slab_release(&slab);
}

static const size_t requests[][3][4] = {  // start, count, block
    {{0, 0, 0, 0}, {2, 7, 33, 130}, {1, 1, 2, 2}},
    {{0, 0, 0, 0}, {2, 7, 33, 130}, {2, 2, 4, 8}},
    {{1, 1, 3, 5}, {1, 5, 29, 117}, {1, 2, 8, 16}},
    {{0, 0, 0, 0}, {2, 7, 33, 130}, {1, 1, 1, 1}},
    {{0, 0, 0, 0}, {2, 7, 33, 130}, {5, 50, 500, 5000}},
    {{1, 6, 32, 129}, {1, 1, 1, 1}, {3, 3, 3, 3}},
    {{0, 2, 1, 7}, {2, 3, 31, 64}, {1, 3, 7, 5}},
};

static const struct {
    const char *name;
    int mode;
    bool chunked;
    size_t chunk[4];
} layouts[] = {
    {"classic.nc", 0, false, {0}},
    {"contiguous.nc", NC_NETCDF4, false, {0}},
    {"layers.nc", NC_NETCDF4, true, {1, 1, NY, NX}},
    {"odd.nc", NC_NETCDF4, true, {2, 3, 10, 47}},
    {"columns.nc", NC_NETCDF4, true, {1, NZ, 4, 4}},
};
enum { LAYOUTS = sizeof layouts / sizeof *layouts, REQUESTS = sizeof requests / sizeof *requests };

static struct source *sources[LAYOUTS];

static struct source_slab_request request_of(struct source *source, int i, enum source_reduction reduction) {
    struct source_slab_request q = fixture_whole(source, "v");
    memcpy(q.start, requests[i][0], sizeof requests[i][0]);
    memcpy(q.count, requests[i][1], sizeof requests[i][1]);
    memcpy(q.block, requests[i][2], sizeof requests[i][2]);
    q.reduction = reduction;
    return q;
}

static void means_are_those_of_the_definition(void **state) {
    (void)state;
    for (int layout = 0; layout < LAYOUTS; layout++)
        for (int i = 0; i < REQUESTS; i++)
            for (int packing = 0; packing < 3; packing++) {
                struct source_slab_request q = request_of(sources[layout], i, REDUCE_MEAN);
                q.missing_count = 2;
                q.missing[0] = -32768;
                q.missing[1] = 123;
                q.scale = packing == 0 ? 1 : packing == 1 ? 0.01 : -0.25;
                q.offset = packing ? 273.15 : 0;
                check_mean(sources[layout], &q);
            }
}

static void the_first_block_may_lack_points(void **state) {
    (void)state;
    static const size_t leads[][4] = {{0, 0, 0, 1}, {0, 0, 1, 0}, {1, 1, 3, 7}, {0, 1, 2, 5}};
    for (int layout = 0; layout < LAYOUTS; layout++)
        for (size_t i = 0; i < sizeof leads / sizeof *leads; i++) {
            struct source_slab_request q = request_of(sources[layout], 1, REDUCE_MEAN);
            memcpy(q.lead, leads[i], sizeof leads[i]);
            q.missing_count = 2;
            q.missing[0] = -32768;
            q.missing[1] = 123;
            check_mean(sources[layout], &q);
        }
}

static void strides_take_the_first_of_each_block(void **state) {
    (void)state;
    for (int layout = 0; layout < LAYOUTS; layout++)
        for (int i = 0; i < REQUESTS; i++) {
            struct source_slab_request q = request_of(sources[layout], i, REDUCE_STRIDE);
            check_stride(sources[layout], &q);
        }
}

static void not_a_number_is_always_missing(void **state) {
    (void)state;
    const char *path = fixture_path("nan.nc");
    int id, x, variable;
    NC(nc_create(path, 0, &id));
    NC(nc_def_dim(id, "x", 6, &x));
    NC(nc_def_var(id, "v", NC_FLOAT, 1, &x, &variable));
    NC(nc_enddef(id));
    NC(nc_put_var_float(id, variable, (float[]){1, NAN, NAN, NAN, 5, 6}));
    NC(nc_close(id));
    struct source *source = fixture_open(pool, path);
    struct source_slab_request q = fixture_whole(source, "v");
    q.reduction = REDUCE_MEAN;
    q.block[0] = 2;
    struct source_slab slab = fixture_slab(source, &q);
    const double *d = slab.data;
    assert_true(d[0] == 1 && isnan(d[1]) && d[2] == 5.5);
    assert_true(d[3] == 1 && isnan(d[4]) && d[5] == 5);
    assert_true(d[6] == 1 && isnan(d[7]) && d[8] == 6);
    assert_true(d[9] == 1 && d[10] == 0 && d[11] == 2);
    source_slab_release(&slab);
    source_unref(source);
}

static void every_type_has_a_mean(void **state) {
    (void)state;
    static const nc_type types[] = {NC_BYTE, NC_UBYTE, NC_SHORT, NC_USHORT, NC_INT, NC_UINT, NC_INT64, NC_UINT64, NC_FLOAT,
                                    NC_DOUBLE};
    const char *path = fixture_path("types.nc");
    int id, x, variable;
    NC(nc_create(path, NC_NETCDF4, &id));
    NC(nc_def_dim(id, "x", 5, &x));
    for (int i = 0; i < 10; i++) {
        char name[16];
        snprintf(name, sizeof name, "v%d", i);
        NC(nc_def_var(id, name, types[i], 1, &x, &variable));
        NC(nc_put_var_double(id, variable, (double[]){1, 2, 3, 4, 100}));
    }
    NC(nc_def_var(id, "scalar", NC_INT, 0, NULL, &variable));
    NC(nc_put_var_double(id, variable, (double[]){9}));
    NC(nc_close(id));
    struct source *source = fixture_open(pool, path);
    for (int i = 0; i < 10; i++) {
        char name[16];
        snprintf(name, sizeof name, "v%d", i);
        struct source_slab_request q = fixture_whole(source, name);
        q.reduction = REDUCE_MEAN;
        q.block[0] = 4;
        struct source_slab slab = fixture_slab(source, &q);
        assert_memory_equal(((double[]){2.5, 100, 1, 100, 4, 100, 4, 1}), slab.data, 64);
        source_slab_release(&slab);
    }
    struct source_slab_request q = fixture_whole(source, "scalar");
    q.reduction = REDUCE_MEAN;
    struct source_slab slab = fixture_slab(source, &q);
    assert_memory_equal(((double[]){9, 9, 9, 1}), slab.data, 32);
    source_slab_release(&slab);
    source_unref(source);
}

static void a_mean_of_more_than_one_piece_is_whole(void **state) {
    (void)state;  // 40 MB of stored numbers in 10 MB chunks; a piece is 8 MiB or one chunk
    const char *path = fixture_path("large.nc");
    const size_t shape[] = {1, 20, 512, 1024}, chunk[] = {1, 5, 512, 1024};
    fixture_make_field(path, NC_NETCDF4, shape, chunk);
    struct source *source = fixture_open(pool, path);
    struct source_slab_request q = fixture_whole(source, "t");
    struct source_slab all = fixture_slab(source, &q);
    q.reduction = REDUCE_MEAN;
    q.block[1] = 3, q.block[2] = 512, q.block[3] = 1024;
    struct source_slab mean = fixture_slab(source, &q);
    const float *v = all.data;
    const double *m = mean.data;
    assert_int_equal(7, mean.elements);
    for (size_t b = 0, at = 0; b < 7; b++) {
        double sum = 0;
        size_t n = (b < 6 ? 3u : 2u) * 512u * 1024u;
        for (size_t i = 0; i < n; i++) sum += (double)v[at++];
        assert_true(close_to(m[b], sum / (double)n));
        assert_true(m[21 + b] == (double)n);
    }
    source_slab_release(&mean);
    source_slab_release(&all);
    source_unref(source);
}

// Bytes that the process has asked the system to read so far.
static long bytes_read(pid_t pid) {
    char path[64];
    long bytes = 0;
    snprintf(path, sizeof path, "/proc/%d/io", (int)pid);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_int_equal(1, fscanf(f, "rchar: %ld", &bytes));
    fclose(f);
    return bytes;
}

static void no_stored_chunk_is_read_twice(void **state) {
    (void)state;
    const char *path = fixture_path("once.nc");
    fixture_make_field(path, NC_NETCDF4, (size_t[]){2, 10, 300, 400}, (size_t[]){1, 3, 70, 90});
    size_t size;
    free(fixture_read(path, &size));
    pid_t before[8];
    int others = child_processes(getpid(), before, 8);
    assert_int_equal(2, others);
    struct source_pool *one = fixture_pool(1, 60);
    struct source *source = fixture_open(one, path);
    struct source_slab_request q = fixture_whole(source, "t");
    pid_t after[8], pid = 0;
    assert_int_equal(others + 1, child_processes(getpid(), after, 8));
    for (int i = 0; i < others + 1; i++)
        if (after[i] != before[0] && after[i] != before[1]) pid = after[i];
    for (int reduction = REDUCE_NONE; reduction <= REDUCE_MEAN; reduction++) {
        long start = bytes_read(pid);
        q.reduction = (enum source_reduction)reduction;
        q.block[1] = 2, q.block[2] = 8, q.block[3] = 16;
        struct source_slab slab = fixture_slab(source, &q);
        source_slab_release(&slab);
        long read = bytes_read(pid) - start;
        if (read < (long)size / 2 || read > (long)size + 50000) fail_msg("%ld bytes of %zu were read", read, size);
    }
    source_unref(source);
    source_pool_free(one);
}

static int setup(void **state) {
    if (fixture_setup(state)) return -1;
    pool = fixture_pool(2, 60);
    fill_stored();
    for (int i = 0; i < LAYOUTS; i++) {
        const char *path = fixture_path(layouts[i].name);
        make_packed(path, layouts[i].mode, layouts[i].chunked ? layouts[i].chunk : NULL);
        sources[i] = fixture_open(pool, path);
    }
    return 0;
}

static int teardown(void **state) {
    for (int i = 0; i < LAYOUTS; i++) source_unref(sources[i]);
    source_pool_free(pool);
    return fixture_teardown(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(means_are_those_of_the_definition),
        cmocka_unit_test(the_first_block_may_lack_points),
        cmocka_unit_test(strides_take_the_first_of_each_block),
        cmocka_unit_test(not_a_number_is_always_missing),
        cmocka_unit_test(every_type_has_a_mean),
        cmocka_unit_test(no_stored_chunk_is_read_twice),
        cmocka_unit_test(a_mean_of_more_than_one_piece_is_whole),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
