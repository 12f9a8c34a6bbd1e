// SPDX-License-Identifier: Apache-2.0
// What the reader child lists and reads, against netCDF-C in this process.
#include "source_fixture.h"

#include <math.h>

static struct source_pool *pool;

enum { NT = 3, NZ = 4, NY = 5, NX = 6, NALL = NT * NZ * NY * NX };

struct numeric_type {
    const char *name;
    nc_type stored;
    enum source_type type;
    bool extended;  // CDF-5 and netCDF-4 only
};

static const struct numeric_type numeric_types[] = {
    {"i8", NC_BYTE, SOURCE_I8, false}, {"i16", NC_SHORT, SOURCE_I16, false}, {"i32", NC_INT, SOURCE_I32, false},
    {"f32", NC_FLOAT, SOURCE_F32, false}, {"f64", NC_DOUBLE, SOURCE_F64, false}, {"u8", NC_UBYTE, SOURCE_U8, true},
    {"u16", NC_USHORT, SOURCE_U16, true}, {"u32", NC_UINT, SOURCE_U32, true}, {"i64", NC_INT64, SOURCE_I64, true},
    {"u64", NC_UINT64, SOURCE_U64, true},
};
enum { TYPES = sizeof numeric_types / sizeof *numeric_types };

// Every type that the format has, over an unlimited time, z, y and x; a scalar; text; attributes of each type.
static void make_typed_file(const char *path, int mode, bool extended) {
    int id, dims[4], length_dim, text, scalar;
    NC(nc_create(path, mode | NC_CLOBBER, &id));
    NC(nc_def_dim(id, "time", NC_UNLIMITED, &dims[0]));
    NC(nc_def_dim(id, "z", NZ, &dims[1]));
    NC(nc_def_dim(id, "y", NY, &dims[2]));
    NC(nc_def_dim(id, "x", NX, &dims[3]));
    NC(nc_def_dim(id, "length", 19, &length_dim));
    int ids[TYPES];
    double values[NALL];
    for (int i = 0; i < NALL; i++) values[i] = i % 100;
    for (int t = 0; t < TYPES; t++) {
        if (numeric_types[t].extended && !extended) continue;
        NC(nc_def_var(id, numeric_types[t].name, numeric_types[t].stored, 4, dims, &ids[t]));
        NC(nc_put_att_double(id, ids[t], "valid_range", numeric_types[t].stored, 2, (double[]){1, 100}));
    }
    NC(nc_def_var(id, "Times", NC_CHAR, 2, (int[]){dims[0], length_dim}, &text));
    NC(nc_def_var(id, "scalar", NC_DOUBLE, 0, NULL, &scalar));
    NC(nc_put_att_text(id, scalar, "units", 5, "m s-1"));
    NC(nc_put_att_text(id, NC_GLOBAL, "Conventions", 6, "CF-1.8"));
    NC(nc_enddef(id));
    for (int t = 0; t < TYPES; t++)
        if (!numeric_types[t].extended || extended)
            NC(nc_put_vara_double(id, ids[t], (size_t[4]){0}, (size_t[]){NT, NZ, NY, NX}, values));
    NC(nc_put_vara_text(id, text, (size_t[]){0, 0}, (size_t[]){2, 19}, "2009-07-30_00:00:002009-07-30_03:00:00"));
    NC(nc_put_var_double(id, scalar, (double[]){2.5}));
    NC(nc_close(id));
}

// Slabs of all shapes and places, bit for bit as the library in this process reads them.
static void compare_slabs(struct source *source, const char *path, const char *name) {
    int id, variable;
    const size_t starts[][4] = {{0, 0, 0, 0}, {1, 2, 3, 4}, {2, 0, 4, 1}}, counts[][4] = {{3, 4, 5, 6}, {2, 1, 2, 2}, {1, 4, 1, 5}};
    NC(nc_open(path, NC_NOWRITE, &id));
    NC(nc_inq_varid(id, name, &variable));
    for (int i = 0; i < 3; i++) {
        struct source_slab_request request = fixture_whole(source, name);
        memcpy(request.start, starts[i], sizeof starts[i]);
        memcpy(request.count, counts[i], sizeof counts[i]);
        uint8_t expected[NALL * 8];
        NC(nc_get_vara(id, variable, starts[i], counts[i], expected));
        struct source_slab slab = fixture_slab(source, &request);
        assert_int_equal(counts[i][0] * counts[i][1] * counts[i][2] * counts[i][3], slab.elements);
        assert_int_equal(slab.elements * source_type_size(slab.type), slab.bytes);
        assert_memory_equal(expected, slab.data, slab.bytes);
        source_slab_release(&slab);
    }
    NC(nc_close(id));
}

static void check_typed_file(const char *path, const char *format, bool extended) {
    struct source *source = fixture_open(pool, path);
    const struct source_inventory *all = source_inventory(source);
    assert_string_equal(format, all->format);
    assert_int_equal(5, all->dimension_count);
    assert_string_equal("time", all->dimensions[0].name);
    assert_true(all->dimensions[0].unlimited && all->dimensions[0].length == NT && !all->dimensions[1].unlimited);
    assert_int_equal((extended ? 10 : 5) + 2, all->variable_count);
    assert_int_equal(0, all->note_count);
    assert_string_equal("CF-1.8", source_find_attribute(all->attributes, all->attribute_count, "Conventions")->text);
    for (int t = 0; t < TYPES; t++) {
        if (numeric_types[t].extended && !extended) continue;
        const struct source_variable *v = source_find_variable(source, numeric_types[t].name);
        assert_int_equal(numeric_types[t].type, v->type);
        assert_int_equal(4, v->rank);
        assert_int_equal(source_type_size(v->type) > 1, v->has_netcdf_fill);
        const struct source_attribute *range = source_find_attribute(v->attributes, v->attribute_count, "valid_range");
        assert_int_equal(numeric_types[t].type, range->type);
        assert_int_equal(2, range->count);
        assert_true(range->numbers[0] == 1 && range->numbers[1] == 100);
        assert_int_equal(t != 3 && t != 4, range->integers != NULL);
        if (range->integers) assert_int_equal(100, range->integers[1]);
        compare_slabs(source, path, numeric_types[t].name);
    }
    struct source_slab_request request = fixture_whole(source, "scalar");
    struct source_slab slab = fixture_slab(source, &request);
    assert_true(slab.elements == 1 && *(const double *)slab.data == 2.5);
    source_slab_release(&slab);
    request = fixture_whole(source, "Times");
    request.start[0] = request.count[0] = 1;
    slab = fixture_slab(source, &request);
    assert_int_equal(SOURCE_CHAR, slab.type);
    assert_memory_equal("2009-07-30_03:00:00", slab.data, 19);
    source_slab_release(&slab);
    source_unref(source);
}

static void every_format_is_listed_and_read(void **state) {
    (void)state;
    static const struct {
        int mode;
        const char *name;
        bool extended;
    } formats[] = {
        {0, "netCDF classic", false}, {NC_64BIT_OFFSET, "netCDF 64-bit offset", false},
        {NC_64BIT_DATA, "netCDF CDF-5", true}, {NC_NETCDF4, "netCDF-4", true},
        {NC_NETCDF4 | NC_CLASSIC_MODEL, "netCDF-4 classic model", false},
    };
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        const char *path = fixture_path(formats[i].name);
        make_typed_file(path, formats[i].mode, formats[i].extended);
        check_typed_file(path, formats[i].name, formats[i].extended);
    }
}

static void groups_have_full_names_and_find_outer_dimensions(void **state) {
    (void)state;
    const char *path = fixture_path("groups.nc");
    int id, inner, deep, x, y, a, b;
    NC(nc_create(path, NC_NETCDF4, &id));
    NC(nc_def_dim(id, "x", 3, &x));
    NC(nc_def_grp(id, "model", &inner));
    NC(nc_def_grp(inner, "fine", &deep));
    NC(nc_def_dim(inner, "y", 2, &y));
    NC(nc_def_var(inner, "t", NC_INT, 2, (int[]){y, x}, &a));
    NC(nc_def_var(deep, "t", NC_INT, 1, &x, &b));
    NC(nc_put_att_text(deep, b, "units", 1, "K"));
    NC(nc_put_var_int(inner, a, (int[]){1, 2, 3, 4, 5, 6}));
    NC(nc_put_var_int(deep, b, (int[]){7, 8, 9}));
    NC(nc_close(id));
    struct source *source = fixture_open(pool, path);
    const struct source_inventory *all = source_inventory(source);
    const struct source_variable *v = source_find_variable(source, "model/t");
    assert_int_equal(2, all->variable_count);
    assert_string_equal("model/y", all->dimensions[v->dimensions[0]].name);
    assert_string_equal("x", all->dimensions[v->dimensions[1]].name);
    struct source_slab_request request = fixture_whole(source, "model/t");
    struct source_slab slab = fixture_slab(source, &request);
    assert_memory_equal(((int[]){1, 2, 3, 4, 5, 6}), slab.data, 24);
    source_slab_release(&slab);
    request = fixture_whole(source, "model/fine/t");
    slab = fixture_slab(source, &request);
    assert_memory_equal(((int[]){7, 8, 9}), slab.data, 12);
    source_slab_release(&slab);
    v = source_find_variable(source, "model/fine/t");
    assert_string_equal("K", source_find_attribute(v->attributes, v->attribute_count, "units")->text);
    source_unref(source);
}

static void what_cannot_be_read_is_listed_and_said(void **state) {
    (void)state;
    const char *path = fixture_path("other.nc");
    int id, x, variable, enumeration;
    nc_type compound, list, colour;
    const char *texts[] = {"one", "two"};
    NC(nc_create(path, NC_NETCDF4, &id));
    NC(nc_def_dim(id, "x", 2, &x));
    NC(nc_def_compound(id, 8, "pair", &compound));
    NC(nc_insert_compound(id, compound, "a", 0, NC_INT));
    NC(nc_insert_compound(id, compound, "b", 4, NC_INT));
    NC(nc_def_vlen(id, "list", NC_INT, &list));
    NC(nc_def_enum(id, NC_UBYTE, "colour", &colour));
    NC(nc_insert_enum(id, colour, "red", (uint8_t[]){3}));
    NC(nc_def_var(id, "c", compound, 1, &x, &variable));
    NC(nc_def_var(id, "l", list, 1, &x, &variable));
    NC(nc_def_var(id, "s", NC_STRING, 1, &x, &variable));
    NC(nc_def_var(id, "e", colour, 1, &x, &enumeration));
    NC(nc_put_att_string(id, variable, "names", 2, texts));
    NC(nc_put_var(id, enumeration, (uint8_t[]){3, 3}));
    NC(nc_put_var_string(id, variable, texts));
    NC(nc_close(id));
    struct source *source = fixture_open(pool, path);
    const struct source_inventory *all = source_inventory(source);
    assert_int_equal(SOURCE_OTHER, source_find_variable(source, "c")->type);
    assert_int_equal(SOURCE_OTHER, source_find_variable(source, "l")->type);
    assert_int_equal(SOURCE_STRING, source_find_variable(source, "s")->type);
    assert_int_equal(2, all->note_count);
    assert_non_null(strstr(all->notes[0], "c: "));
    const struct source_variable *s = source_find_variable(source, "s");
    assert_string_equal("one", source_find_attribute(s->attributes, s->attribute_count, "names")->text);
    struct failure failure;
    struct source_slab slab;
    struct source_slab_request request = fixture_whole(source, "s");
    assert_int_equal(VIRGA_UNSUPPORTED, source_read(source, &request, &slab, &failure));
    assert_non_null(strstr(failure.message, "other.nc"));
    request = fixture_whole(source, "e");
    slab = fixture_slab(source, &request);
    assert_true(slab.type == SOURCE_U8 && ((const uint8_t *)slab.data)[1] == 3);
    source_slab_release(&slab);
    source_unref(source);
}

static void chunks_and_fill_are_listed(void **state) {
    (void)state;
    const char *path = fixture_path("chunks.nc");
    int id, dims[2], a, b, c, d;
    NC(nc_create(path, NC_NETCDF4, &id));
    NC(nc_def_dim(id, "y", 100, &dims[0]));
    NC(nc_def_dim(id, "x", 200, &dims[1]));
    NC(nc_def_var(id, "chunked", NC_FLOAT, 2, dims, &a));
    NC(nc_def_var_chunking(id, a, NC_CHUNKED, (size_t[]){10, 50}));
    NC(nc_def_var(id, "plain", NC_SHORT, 2, dims, &b));
    NC(nc_put_att_short(id, b, "_FillValue", NC_SHORT, 1, (short[]){-1}));
    NC(nc_def_var(id, "byte", NC_BYTE, 2, dims, &c));
    NC(nc_def_var(id, "nofill", NC_FLOAT, 2, dims, &d));
    NC(nc_def_var_fill(id, d, NC_NOFILL, NULL));
    NC(nc_close(id));
    struct source *source = fixture_open(pool, path);
    const struct source_variable *v = source_find_variable(source, "chunked");
    assert_true(v->chunked && v->chunk[0] == 10 && v->chunk[1] == 50);
    assert_true(v->has_netcdf_fill && v->netcdf_fill == (double)NC_FILL_FLOAT);
    v = source_find_variable(source, "plain");
    assert_true(!v->chunked && v->chunk[0] == 100 && v->chunk[1] == 200);
    assert_true(!v->has_netcdf_fill && isnan(v->netcdf_fill));
    assert_int_equal(-1, source_find_attribute(v->attributes, v->attribute_count, "_FillValue")->integers[0]);
    assert_false(source_find_variable(source, "byte")->has_netcdf_fill);
    assert_false(source_find_variable(source, "nofill")->has_netcdf_fill);
    source_unref(source);
}

static void text_is_utf8(void **state) {
    (void)state;
    const char *path = fixture_path("latin.nc");
    int id;
    NC(nc_create(path, 0, &id));
    NC(nc_put_att_text(id, NC_GLOBAL, "latin", 3, "10\xb0"));
    NC(nc_put_att_text(id, NC_GLOBAL, "utf8", 4, "10\xc2\xb0"));
    NC(nc_put_att_text(id, NC_GLOBAL, "zero", 5, "K\0\0\0\0"));
    NC(nc_close(id));
    struct source *source = fixture_open(pool, path);
    const struct source_inventory *all = source_inventory(source);
    assert_string_equal("10\xc2\xb0", source_find_attribute(all->attributes, all->attribute_count, "latin")->text);
    assert_string_equal("10\xc2\xb0", source_find_attribute(all->attributes, all->attribute_count, "utf8")->text);
    assert_int_equal(1, source_find_attribute(all->attributes, all->attribute_count, "zero")->count);
    source_unref(source);
}

static void many_files_stay_readable_in_turn(void **state) {
    (void)state;
    struct source *sources[20];
    for (int i = 0; i < 20; i++) {
        char name[32];
        int id, x, variable;
        snprintf(name, sizeof name, "many%d.nc", i);
        const char *path = fixture_path(name);
        NC(nc_create(path, i % 2 ? NC_NETCDF4 : 0, &id));
        NC(nc_def_dim(id, "x", 1, &x));
        NC(nc_def_var(id, "v", NC_INT, 1, &x, &variable));
        NC(nc_enddef(id));
        NC(nc_put_var_int(id, variable, &i));
        NC(nc_close(id));
        sources[i] = fixture_open(pool, path);
    }
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < 20; i++) {
            struct source_slab_request request = fixture_whole(sources[i], "v");
            struct source_slab slab = fixture_slab(sources[i], &request);
            assert_int_equal(i, *(const int *)slab.data);
            source_slab_release(&slab);
        }
    for (int i = 0; i < 20; i++) source_unref(sources[i]);
}

static void memory_is_read_into_again(void **state) {
    (void)state;
    const char *path = fixture_path("again.nc");
    fixture_make_field(path, 0, (size_t[]){1, 2, 30, 4}, NULL);
    struct source *source = fixture_open(pool, path);
    struct source_slab_request request = fixture_whole(source, "t");
    struct source_slab whole = fixture_slab(source, &request), part = {0};
    const size_t size = source_type_size(whole.type), row = 4 * size;
    assert_true(source_reads_parts(source, request.variable));
    request.count[1] = 1, request.count[2] = 10;
    void *memory = NULL;
    for (size_t z = 0; z < 2; z++)
        for (size_t y = 0; y < 30; y += 10) {
            request.start[1] = z, request.start[2] = y;
            assert_int_equal(VIRGA_OK, source_read_again(source, &request, &part, NULL));
            assert_true(part.bytes == 10 * row && (!memory || part.mapping == memory));
            assert_memory_equal(part.data, (const char *)whole.data + (z * 30 + y) * row, 10 * row);
            memory = part.mapping;
        }
    request = fixture_whole(source, "t");  // more than there is memory for
    assert_int_equal(VIRGA_OK, source_read_again(source, &request, &part, NULL));
    assert_true(part.bytes == whole.bytes && memcmp(part.data, whole.data, whole.bytes) == 0);
    request.count[3] = 5;
    assert_int_equal(VIRGA_INVALID, source_read_again(source, &request, &part, NULL));
    assert_null(part.data);
    source_slab_release(&whole);
    source_unref(source);
}

static void requests_out_of_range_are_refused(void **state) {
    (void)state;
    const char *path = fixture_path("range.nc");
    fixture_make_field(path, NC_NETCDF4, (size_t[]){1, 2, 3, 4}, NULL);
    struct source *source = fixture_open(pool, path);
    struct source_slab slab;
    struct failure failure;
    struct source_slab_request request = fixture_whole(source, "t");
    request.count[3] = 5;
    assert_int_equal(VIRGA_INVALID, source_read(source, &request, &slab, &failure));
    assert_null(slab.data);
    request = fixture_whole(source, "t");
    request.variable = 1;
    assert_int_equal(VIRGA_INVALID, source_read(source, &request, &slab, &failure));
    assert_non_null(strstr(failure.message, "range.nc"));
    assert_int_equal(0, source_pool_restarts(pool));
    source_unref(source);
}

static int setup(void **state) {
    if (fixture_setup(state)) return -1;
    pool = fixture_pool(2, 60);
    return 0;
}

static int teardown(void **state) {
    source_pool_free(pool);
    return fixture_teardown(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_format_is_listed_and_read),
        cmocka_unit_test(groups_have_full_names_and_find_outer_dimensions),
        cmocka_unit_test(what_cannot_be_read_is_listed_and_said),
        cmocka_unit_test(chunks_and_fill_are_listed),
        cmocka_unit_test(text_is_utf8),
        cmocka_unit_test(many_files_stay_readable_in_turn),
        cmocka_unit_test(memory_is_read_into_again), cmocka_unit_test(requests_out_of_range_are_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
