// SPDX-License-Identifier: Apache-2.0
// Zarr stores, made here file by file: what is read from them, and what a hostile one may not do.
#include "source_fixture.h"

#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>

static struct source_pool *pool;
static char store[512];  // the one a test works in

static void new_store(const char *name) {
    snprintf(store, sizeof store, "%s", fixture_path(name));
    assert_int_equal(0, mkdir(store, 0700));
}

static const char *in_store(const char *name) {
    static char paths[4][1024];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", store, name);
    return path;
}

static void put(const char *name, const void *data, size_t size) {
    char path[1024];
    snprintf(path, sizeof path, "%s", in_store(name));
    for (char *slash = path + strlen(store) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    fixture_write(path, data, size);
}

static void put_text(const char *name, const char *text) { put(name, text, strlen(text)); }

// A 3 × 4 array of dimensions y and x in chunks of 2 × 3; `more` is further members of its description.
static void put_array(const char *name, const char *dtype, const char *fill, const char *more) {
    char path[256], text[1024];
    snprintf(path, sizeof path, "%s/.zarray", name);
    snprintf(text, sizeof text, "{\"zarr_format\": 2, \"shape\": [3, 4], \"chunks\": [2, 3], \"dtype\": \"%s\", \"fill_value\": %s%s}",
             dtype, fill, more);
    put_text(path, text);
    snprintf(path, sizeof path, "%s/.zattrs", name);
    put_text(path, "{\"_ARRAY_DIMENSIONS\": [\"y\", \"x\"], \"units\": \"K\"}");
}

static void put_group(void) { put_text(".zgroup", "{\"zarr_format\": 2}"); }

// The value of every point of the sample arrays.
static double sample(size_t y, size_t x) { return 1 + 10.0 * (double)y + (double)x; }

static double number_at(const struct source_slab *slab, size_t i) {
    switch (slab->type) {
    case SOURCE_I8: return ((const int8_t *)slab->data)[i];
    case SOURCE_U8: return ((const uint8_t *)slab->data)[i];
    case SOURCE_I16: return ((const int16_t *)slab->data)[i];
    case SOURCE_U16: return ((const uint16_t *)slab->data)[i];
    case SOURCE_I32: return ((const int32_t *)slab->data)[i];
    case SOURCE_U32: return ((const uint32_t *)slab->data)[i];
    case SOURCE_I64: return (double)((const int64_t *)slab->data)[i];
    case SOURCE_U64: return (double)((const uint64_t *)slab->data)[i];
    case SOURCE_F32: return (double)((const float *)slab->data)[i];
    case SOURCE_F64: return ((const double *)slab->data)[i];
    default: fail_msg("type %d", slab->type); return 0;
    }
}

// One number as the letter and width of a dtype say, in the byte order of its first letter.
static void encode(double value, const char *dtype, uint8_t out[8]) {
    size_t width = (size_t)(dtype[2] - '0');
    float single = (float)value;
    int64_t integer = (int64_t)value;
    uint8_t native[8];
    if (dtype[1] == 'f' && width == 4) memcpy(native, &single, 4);
    else if (dtype[1] == 'f') memcpy(native, &value, 8);
    else memcpy(native, &integer, 8);
    for (size_t b = 0; b < width; b++) out[b] = native[dtype[0] == '>' ? width - 1 - b : b];
}

// The chunks of a sample array; what lies beyond its edge is 99. columns: order F. shuffled: bytes apart.
static void put_chunks(const char *name, const char *dtype, char separator, bool columns, bool shuffled) {
    size_t width = (size_t)(dtype[2] - '0');
    for (size_t cy = 0; cy < 2; cy++)
        for (size_t cx = 0; cx < 2; cx++) {
            uint8_t plain[48], apart[48];
            char path[256];
            for (size_t i = 0; i < 6; i++) {
                size_t y = cy * 2 + (columns ? i % 2 : i / 3), x = cx * 3 + (columns ? i / 2 : i % 3);
                encode(y < 3 && x < 4 ? sample(y, x) : 99, dtype, plain + i * width);
            }
            for (size_t i = 0; i < 6 * width; i++) apart[i % width * 6 + i / width] = plain[i];
            snprintf(path, sizeof path, "%s/%zu%c%zu", name, cy, separator, cx);
            put(path, shuffled ? apart : plain, 6 * width);
        }
}

static void assert_samples(struct source *source, const char *name) {
    struct source_slab_request request = fixture_whole(source, name);
    struct source_slab slab = fixture_slab(source, &request);
    assert_int_equal(12, slab.elements);
    for (size_t i = 0; i < 12; i++)
        if (number_at(&slab, i) != sample(i / 4, i % 4)) fail_msg("%s, number %zu is %g", name, i, number_at(&slab, i));
    source_slab_release(&slab);
}

static void every_type_is_read_in_either_byte_order(void **state) {
    (void)state;
    static const struct {
        const char *dtype;
        enum source_type type;
    } types[] = {{"|i1", SOURCE_I8}, {"|u1", SOURCE_U8}, {"<i2", SOURCE_I16}, {">u2", SOURCE_U16}, {">i4", SOURCE_I32}, {"<u4", SOURCE_U32},
                 {"<i8", SOURCE_I64}, {">u8", SOURCE_U64}, {"<f4", SOURCE_F32}, {">f4", SOURCE_F32}, {"<f8", SOURCE_F64}, {">f8", SOURCE_F64}};
    new_store("types.zarr");
    put_group();
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        char name[8] = {(char)('a' + (int)i)};
        put_array(name, types[i].dtype, "null", "");
        put_chunks(name, types[i].dtype, '.', false, false);
    }
    struct source *source = fixture_open(pool, store);
    assert_string_equal("Zarr version 2", source_inventory(source)->format);
    assert_int_equal(2, source_inventory(source)->dimension_count);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        char name[8] = {(char)('a' + (int)i)};
        assert_int_equal(types[i].type, source_find_variable(source, name)->type);
        assert_samples(source, name);
    }
    source_unref(source);
}

static void every_layout_of_chunks_is_read(void **state) {
    (void)state;
    new_store("layouts.zarr");
    put_group();
    put_array("columns", "<f4", "null", ", \"order\": \"F\"");
    put_chunks("columns", "<f4", '.', true, false);
    put_array("nested", "<i4", "null", ", \"dimension_separator\": \"/\"");
    put_chunks("nested", "<i4", '/', false, false);
    put_array("shuffled", ">f8", "null", ", \"filters\": [{\"id\": \"shuffle\", \"elementsize\": 8}]");
    put_chunks("shuffled", ">f8", '.', false, true);
    put_array("group/inner", "<i2", "null", "");
    put_chunks("group/inner", "<i2", '.', false, false);
    put_text("group/.zgroup", "{\"zarr_format\": 2}");
    put_text("scalar/.zarray", "{\"zarr_format\": 2, \"shape\": [], \"chunks\": [], \"dtype\": \"<f8\", \"fill_value\": null}");
    put("scalar/0", (double[]){7.5}, 8);
    struct source *source = fixture_open(pool, store);
    assert_samples(source, "columns");
    assert_samples(source, "nested");
    assert_samples(source, "shuffled");
    assert_samples(source, "group/inner");
    assert_int_equal(2, source_inventory(source)->dimension_count);  // the group sees those of the root
    struct source_slab_request request = fixture_whole(source, "scalar");
    struct source_slab slab = fixture_slab(source, &request);
    assert_true(slab.elements == 1 && *(const double *)slab.data == 7.5);
    source_slab_release(&slab);
    source_unref(source);
}

static void parts_and_means_agree_with_the_whole(void **state) {
    (void)state;
    new_store("parts.zarr");
    put_group();
    put_array("t", "<f4", "null", "");
    put_chunks("t", "<f4", '.', false, false);
    struct source *source = fixture_open(pool, store);
    struct source_slab_request request = fixture_whole(source, "t");
    request.start[0] = 1, request.count[0] = 2, request.start[1] = 2, request.count[1] = 2;
    struct source_slab slab = fixture_slab(source, &request);
    for (size_t i = 0; i < 4; i++) assert_true(number_at(&slab, i) == sample(1 + i / 2, 2 + i % 2));
    source_slab_release(&slab);
    request = fixture_whole(source, "t");
    request.reduction = REDUCE_MEAN;
    request.block[0] = 2, request.block[1] = 2;
    slab = fixture_slab(source, &request);
    assert_true(number_at(&slab, 0) == (sample(0, 0) + sample(0, 1) + sample(1, 0) + sample(1, 1)) / 4);
    assert_true(number_at(&slab, 3) == (sample(2, 2) + sample(2, 3)) / 2);
    source_slab_release(&slab);
    source_unref(source);
}

static void a_missing_chunk_holds_the_fill_value(void **state) {
    (void)state;
    new_store("fill.zarr");
    put_group();
    static const char *const names[] = {"nan", "number", "integer", "none"};
    static const char *const dtypes[] = {"<f4", ">f8", "<i2", "<f4"}, *const fills[] = {"\"NaN\"", "-9.5", "-32768", "null"};
    for (size_t i = 0; i < 4; i++) {
        char path[64];
        put_array(names[i], dtypes[i], fills[i], "");
        put_chunks(names[i], dtypes[i], '.', false, false);
        snprintf(path, sizeof path, "%s/0.1", names[i]);
        assert_int_equal(0, unlink(in_store(path)));
    }
    struct source *source = fixture_open(pool, store);
    for (size_t i = 0; i < 4; i++) {
        const struct source_variable *v = source_find_variable(source, names[i]);
        const struct source_attribute *fill = source_find_attribute(v->attributes, v->attribute_count, "_FillValue");
        assert_int_equal(i < 3, fill != NULL);
        assert_int_equal(i == 3, v->has_netcdf_fill);
        double expected = fill ? fill->numbers[0] : v->netcdf_fill;
        if (i == 1) assert_true(expected == -9.5);
        if (i == 2) assert_true(expected == -32768 && fill->type == SOURCE_I16 && fill->integers[0] == -32768);
        struct source_slab_request request = fixture_whole(source, names[i]);
        struct source_slab slab = fixture_slab(source, &request);
        assert_true(number_at(&slab, 0) == sample(0, 0));
        assert_true(i ? number_at(&slab, 3) == expected : isnan(number_at(&slab, 3)));
        assert_true(number_at(&slab, 11) == sample(2, 3));
        source_slab_release(&slab);
    }
    source_unref(source);
}

static void attributes_are_listed(void **state) {
    (void)state;
    new_store("attributes.zarr");
    put_group();
    put_array("t", "<f4", "null", "");
    put_chunks("t", "<f4", '.', false, false);
    put_text("t/.zattrs", "{\"_ARRAY_DIMENSIONS\": [\"y\", \"x\"], \"text\": \"a NaN in \\\"quotes\\\"\", \"whole\": 3, \"real\": 0.5, "
                          "\"list\": [1, 2.5], \"words\": [\"first\", \"second\"], \"absent\": NaN, \"deep\": {\"a\": 1}, \"yes\": true}");
    put_text(".zattrs", "{\"Conventions\": \"CF-1.8\"}");
    struct source *source = fixture_open(pool, store);
    const struct source_variable *v = source_find_variable(source, "t");
    const struct source_attribute *a = source_find_attribute(v->attributes, v->attribute_count, "text");
    assert_string_equal("a NaN in \"quotes\"", a->text);
    a = source_find_attribute(v->attributes, v->attribute_count, "whole");
    assert_true(a->type == SOURCE_I64 && a->integers[0] == 3);
    a = source_find_attribute(v->attributes, v->attribute_count, "real");
    assert_true(a->type == SOURCE_F64 && a->numbers[0] == 0.5);
    a = source_find_attribute(v->attributes, v->attribute_count, "list");
    assert_true(a->count == 2 && a->numbers[0] == 1 && a->numbers[1] == 2.5);
    a = source_find_attribute(v->attributes, v->attribute_count, "words");
    assert_string_equal("first", a->text);
    a = source_find_attribute(v->attributes, v->attribute_count, "yes");
    assert_true(a->integers[0] == 1);
    assert_null(source_find_attribute(v->attributes, v->attribute_count, "absent"));
    assert_null(source_find_attribute(v->attributes, v->attribute_count, "deep"));
    assert_null(source_find_attribute(v->attributes, v->attribute_count, "_ARRAY_DIMENSIONS"));
    const struct source_inventory *all = source_inventory(source);
    assert_string_equal("CF-1.8", source_find_attribute(all->attributes, all->attribute_count, "Conventions")->text);
    assert_int_equal(2, all->note_count);
    source_unref(source);
    source = fixture_open(pool, store);  // the child has it open, and says the same
    assert_int_equal(2, source_inventory(source)->note_count);
    source_unref(source);
}

static void assert_open_says(int status, const char *words) {
    struct source *source;
    struct failure failure;
    int got = source_open(pool, store, &source, &failure);
    if (got != status || !strstr(failure.message, words)) fail_msg("%d: %s", got, got ? failure.message : "opened");
}

static void assert_read_says(const char *name, int status, const char *words) {
    struct source *source = fixture_open(pool, store);
    struct source_slab_request request = fixture_whole(source, name);
    struct source_slab slab;
    struct failure failure;
    int got = source_read(source, &request, &slab, &failure);
    if (got != status || !strstr(failure.message, words)) fail_msg("%d: %s", got, got ? failure.message : "read");
    source_unref(source);
}

static void assert_note(const char *words) {
    struct source *source = fixture_open(pool, store);
    const struct source_inventory *all = source_inventory(source);
    bool found = false;
    for (size_t i = 0; i < all->note_count; i++) found |= strstr(all->notes[i], words) != NULL;
    if (!found) fail_msg("no note says '%s' but '%s'", words, all->note_count ? all->notes[0] : "");
    assert_samples(source, "good");  // the others are not taken along
    source_unref(source);
}

static void a_codec_that_is_not_here_is_named(void **state) {
    (void)state;
    new_store("codec.zarr");
    put_group();
    put_array("t", "<f4", "null", ", \"compressor\": {\"id\": \"blosc\", \"cname\": \"lz4\"}");
    assert_open_says(VIRGA_UNSUPPORTED, "blosc");
    put_array("t", "<f4", "null", ", \"filters\": [{\"id\": \"delta\"}]");
    assert_open_says(VIRGA_UNSUPPORTED, "delta");
    put_array("good", "<f4", "null", "");
    put_chunks("good", "<f4", '.', false, false);
    assert_note("t: cannot be read: it has the filter delta");
}

static void another_version_is_named(void **state) {
    (void)state;
    new_store("three.zarr");
    put_text("zarr.json", "{\"zarr_format\": 3}");
    assert_open_says(VIRGA_UNSUPPORTED, "version 3");
}

static void a_chunk_of_the_wrong_size_is_refused(void **state) {
    (void)state;
    new_store("short.zarr");
    put_group();
    put_array("t", "<f4", "null", "");
    put_chunks("t", "<f4", '.', false, false);
    put("t/1.1", "1234567", 7);
    assert_read_says("t", VIRGA_UNREADABLE, "t/1.1: the chunk is truncated");
    put("t/1.1", "1234567812345678123456781234567812345678", 40);
    assert_read_says("t", VIRGA_UNREADABLE, "t/1.1: the chunk is truncated or of another shape");
}

static void damaged_compression_is_refused(void **state) {
    (void)state;
    new_store("damaged.zarr");
    put_group();
    put_array("t", "<f4", "null", ", \"compressor\": {\"id\": \"zlib\", \"level\": 1}");
    put("t/0.0", "\x78\x9c garbage", 10);
    assert_read_says("t", VIRGA_UNREADABLE, "t/0.0: its compressed bytes are damaged");
    assert_int_equal(0, unlink(in_store("t/0.0")));  // put anew, so that the folder's time tells of it
    put("t/0.0", "", 0);
    assert_read_says("t", VIRGA_UNREADABLE, "truncated");
}

static void nothing_outside_of_the_store_is_read(void **state) {
    (void)state;
    fixture_write(fixture_path("secret"), "123456781234567812345678", 24);
    new_store("links.zarr");
    put_group();
    put_array("t", "<f4", "\"NaN\"", "");
    put_array("good", "<f4", "null", "");
    put_chunks("good", "<f4", '.', false, false);
    assert_int_equal(0, symlink("../../secret", in_store("t/0.0")));
    assert_int_equal(0, symlink(fixture_path("secret"), in_store("t/0.1")));
    assert_int_equal(0, symlink("..", in_store("up")));
    struct source *source = fixture_open(pool, store);
    assert_null(source_find_variable(source, "up/links.zarr/t"));
    struct source_slab_request request = fixture_whole(source, "t");
    struct source_slab slab = fixture_slab(source, &request);
    for (size_t i = 0; i < 12; i++) assert_true(isnan(number_at(&slab, i)));  // as if these chunks were not there
    source_slab_release(&slab);
    source_unref(source);
}

static void documents_that_make_no_sense_are_noted(void **state) {
    (void)state;
    static const struct {
        const char *text, *words;
    } bad[] = {
        {"no JSON", "bad/.zarray: is not JSON"},
        {"[1]", "bad/.zarray: is no JSON object"},
        {"{\"zarr_format\": 2}", "bad: left out: its description has no shape"},
        {"{\"zarr_format\": 2, \"shape\": [-1], \"chunks\": [1], \"dtype\": \"<f4\"}", "lengths that can be"},
        {"{\"zarr_format\": 2, \"shape\": [4], \"chunks\": [0], \"dtype\": \"<f4\"}", "lengths that can be"},
        {"{\"zarr_format\": 2, \"shape\": [4], \"chunks\": [1, 1], \"dtype\": \"<f4\"}", "chunks have 2 dimensions"},
        {"{\"zarr_format\": 2, \"shape\": [1e300], \"chunks\": [1], \"dtype\": \"<f4\"}", "lengths that can be"},
        {"{\"zarr_format\": 2, \"shape\": [1000000000, 1000000000], \"chunks\": [1, 1], \"dtype\": \"<f4\"}", "more numbers than"},
        {"{\"zarr_format\": 2, \"shape\": [9223372036854775807], \"chunks\": [1], \"dtype\": \"<f4\"}", "lengths that can be"},
        {"{\"zarr_format\": 2, \"shape\": [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1], \"chunks\": [1], \"dtype\": \"<f4\"}", "more than 16"},
        {"{\"zarr_format\": 2, \"shape\": [3], \"chunks\": [3], \"dtype\": \"<M8[ns]\"}", "<M8[ns]"},
        {"{\"zarr_format\": 2, \"shape\": [3], \"chunks\": [3], \"dtype\": [[\"a\", \"<f4\"]]}", "compound"},
        {"{\"zarr_format\": 9, \"shape\": [3], \"chunks\": [3], \"dtype\": \"<f4\"}", "not of Zarr version 2"},
    };
    new_store("nonsense.zarr");
    put_group();
    put_array("good", "<f4", "null", "");
    put_chunks("good", "<f4", '.', false, false);
    put_text("y/.zarray", "{\"zarr_format\": 2, \"shape\": [3], \"chunks\": [3], \"dtype\": \"<f4\"}");
    put_text("y/.zattrs", "{\"_ARRAY_DIMENSIONS\": [\"y\"]}");
    put_text("x/.zarray", "{\"zarr_format\": 2, \"shape\": [4], \"chunks\": [4], \"dtype\": \"<f4\"}");
    put_text("x/.zattrs", "{\"_ARRAY_DIMENSIONS\": [\"x\"]}");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put_text("bad/.zarray", bad[i].text);
        assert_note(bad[i].words);
    }
    put_array("bad", "<f4", "null", "");
    put_text("bad/.zattrs", "{\"_ARRAY_DIMENSIONS\": [\"y\"]}");
    assert_note("2 dimensions and 1 names");
    put_text("bad/.zattrs", "{\"_ARRAY_DIMENSIONS\": [\"x\", \"y\"]}");
    assert_note("its dimension x has 3 points where others have 4");
    put_text("bad/.zattrs", "{\"_ARRAY_DIMENSIONS\": ");
    assert_note("bad/.zattrs: is not JSON");
    char *deep = malloc(100001);
    memset(deep, '[', 100000);
    put("bad/.zattrs", deep, 100000);
    free(deep);
    assert_note("bad/.zattrs: is not JSON");
}

static void sizes_that_are_claimed_cost_nothing(void **state) {
    (void)state;
    new_store("huge.zarr");
    put_group();
    put_text("chunk/.zarray", "{\"zarr_format\": 2, \"shape\": [4, 4], \"chunks\": [281474976710656, 281474976710656], \"dtype\": \"<f8\", "
                              "\"fill_value\": 0}");
    assert_read_says("chunk", VIRGA_TOO_LARGE, "stored chunks are larger");
    put_text("chunk/.zarray", "{\"zarr_format\": 2, \"shape\": [1000000000], \"chunks\": [1000000000], \"dtype\": \"<f8\", \"fill_value\": 0}");
    assert_read_says("chunk", VIRGA_TOO_LARGE, "a slab of more than");
    put_text("chunk/.zarray", "{\"zarr_format\": 2, \"shape\": [30000000], \"chunks\": [1], \"dtype\": \"<f8\", \"fill_value\": 0}");
    assert_read_says("chunk", VIRGA_TOO_LARGE, "more chunks than are read at once");
}

static void a_changed_store_is_not_read(void **state) {
    (void)state;
    static const char *const changes[] = {"t/.zarray", "t/.zattrs", "new/.zarray", "t/9.9"};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        char name[32];
        snprintf(name, sizeof name, "changed-%zu.zarr", i);
        new_store(name);
        put_group();
        put_array("t", "<f4", "null", "");
        put_chunks("t", "<f4", '.', false, false);
        struct source *source = fixture_open(pool, store);
        assert_samples(source, "t");
        if (i == 0) put_array("t", "<f4", "1", "");
        else put_text(changes[i], "{}");
        struct source_slab_request request = fixture_whole(source, "t");
        struct source_slab slab;
        struct failure failure;
        if (source_read(source, &request, &slab, &failure) != VIRGA_CHANGED) fail_msg("a change of %s is not noticed", changes[i]);
        source_unref(source);
    }
}

static void a_folder_that_is_no_store_is_refused(void **state) {
    (void)state;
    new_store("plain");
    put_text("t/0.0", "x");
    assert_false(source_is_store(store));
    assert_open_says(VIRGA_UNSUPPORTED, "is a folder, not a file");
    put_group();
    assert_true(source_is_store(store));
    assert_false(source_is_store(in_store(".zgroup")));
    assert_open_says(VIRGA_UNREADABLE, "holds no array");
}

static int setup(void **state) {
    if (fixture_setup(state)) return -1;
    pool = fixture_pool(1, 30);
    return 0;
}

static int teardown(void **state) {
    source_pool_free(pool);
    return fixture_teardown(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_read_in_either_byte_order),
        cmocka_unit_test(every_layout_of_chunks_is_read),
        cmocka_unit_test(parts_and_means_agree_with_the_whole),
        cmocka_unit_test(a_missing_chunk_holds_the_fill_value),
        cmocka_unit_test(attributes_are_listed),
        cmocka_unit_test(a_codec_that_is_not_here_is_named),
        cmocka_unit_test(another_version_is_named),
        cmocka_unit_test(a_chunk_of_the_wrong_size_is_refused),
        cmocka_unit_test(damaged_compression_is_refused),
        cmocka_unit_test(nothing_outside_of_the_store_is_read),
        cmocka_unit_test(documents_that_make_no_sense_are_noted),
        cmocka_unit_test(sizes_that_are_claimed_cost_nothing),
        cmocka_unit_test(a_changed_store_is_not_read),
        cmocka_unit_test(a_folder_that_is_no_store_is_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
