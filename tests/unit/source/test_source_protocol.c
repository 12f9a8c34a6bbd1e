// SPDX-License-Identifier: Apache-2.0
#include "source_fixture.h"

#include <math.h>

#include "source/source_protocol.h"

static const uint8_t *body_of(const struct source_frame *frame, size_t *bytes) {
    struct source_header header;
    assert_int_equal(VIRGA_OK, source_decode_header(frame->data, &header));
    assert_int_equal(frame->size, header.body_bytes + SOURCE_HEADER_BYTES);
    *bytes = header.body_bytes;
    return frame->data + SOURCE_HEADER_BYTES;
}

static void the_header_is_where_the_document_says(void **state) {
    (void)state;
    struct source_frame frame;
    struct failure failure = {VIRGA_IO, "no"};
    assert_int_equal(VIRGA_OK, source_encode_failure(0x1122334455667788, &failure, false, &frame));
    const uint8_t expected[] = {11, 0, 0, 0, 2, 0, 6, 0, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11,
                                0xf6, 0xff, 0xff, 0xff, 0, 2, 0, 0, 0, 'n', 'o'};
    assert_int_equal(sizeof expected, frame.size);
    assert_memory_equal(expected, frame.data, sizeof expected);
    source_frame_free(&frame);
}

static void another_version_or_kind_is_refused(void **state) {
    (void)state;
    struct source_header header;
    const uint8_t good[16] = {0, 0, 0, 0, 2, 0, 4, 0}, version[16] = {0, 0, 0, 0, 1, 0, 4, 0};
    const uint8_t none[16] = {0, 0, 0, 0, 2, 0, 0, 0}, beyond[16] = {0, 0, 0, 0, 2, 0, 12, 0};
    assert_int_equal(VIRGA_OK, source_decode_header(good, &header));
    assert_int_equal(SOURCE_READ, header.kind);
    assert_int_equal(VIRGA_INVALID, source_decode_header(version, &header));
    assert_int_equal(VIRGA_INVALID, source_decode_header(none, &header));
    assert_int_equal(VIRGA_INVALID, source_decode_header(beyond, &header));
}

static void requests_come_back_as_sent(void **state) {
    (void)state;
    static struct source_open open = {.identity = {1, 2, 3, -4}, .max_inventory_bytes = 1 << 20, .path = "/a/b.nc"}, opened;
    static struct source_read_message read = {
        .identity = {9, 8, 7, 6}, .slab_bytes = 4096, .path = "f", .token = {1, 2, 3, [15] = 0xff},
        .request = {.variable = 12, .rank = 3, .start = {1, 2, 0}, .count = {4, 5, 6}, .block = {1, 2, 4}, .lead = {0, 0, 3},
                    .reduction = REDUCE_MEAN, .missing_count = 2, .missing = {-999, 1e20}, .scale = 0.5, .offset = -1}}, got;
    struct source_frame frame;
    size_t bytes;
    assert_int_equal(VIRGA_OK, source_encode_open(5, &open, &frame));
    const uint8_t *body = body_of(&frame, &bytes);
    assert_int_equal(VIRGA_OK, source_decode_open(body, bytes, &opened));
    assert_true(source_identity_equal(&open.identity, &opened.identity));
    assert_string_equal("/a/b.nc", opened.path);
    assert_int_equal(1 << 20, opened.max_inventory_bytes);
    source_frame_free(&frame);
    assert_int_equal(VIRGA_OK, source_encode_read(6, &read, &frame));
    body = body_of(&frame, &bytes);
    assert_int_equal(VIRGA_OK, source_decode_read(body, bytes, &got));
    assert_memory_equal(&read.request, &got.request, sizeof got.request);
    assert_true(source_identity_equal(&read.identity, &got.identity));
    assert_int_equal(4096, got.slab_bytes);
    assert_memory_equal(read.token, got.token, sizeof got.token);
    assert_memory_equal(read.token, body + bytes - 4 - 1 - sizeof read.token, sizeof read.token);  // right before the path
    source_frame_free(&frame);
}

static struct source_attribute sample_attributes[] = {
    {.name = "units", .type = SOURCE_CHAR, .count = 1, .text = "K"},
    {.name = "history", .type = SOURCE_STRING, .count = 0, .text = ""},
    {.name = "flags", .type = SOURCE_U64, .count = 2, .numbers = (double[]){1, 18446744073709551615.0},
     .integers = (int64_t[]){1, -1}},
    {.name = "valid_range", .type = SOURCE_F32, .count = 2, .numbers = (double[]){-1.5, NAN}},
};
static struct source_dimension sample_dimensions[] = {{"x", 7, false}, {"group/time", SIZE_MAX / 2, true}};
static struct source_variable sample_variables[] = {
    {.name = "group/t", .type = SOURCE_I16, .rank = 2, .dimensions = {1, 0}, .chunk = {1, 7}, .chunked = true,
     .has_netcdf_fill = true, .netcdf_fill = -32767, .attribute_count = 4, .attributes = sample_attributes},
    {.name = "scalar", .type = SOURCE_OTHER, .netcdf_fill = NAN},
};
static const struct source_inventory sample_inventory = {
    .dimension_count = 2, .dimensions = sample_dimensions, .variable_count = 2, .variables = sample_variables,
    .attribute_count = 1, .attributes = sample_attributes, .format = "netCDF-4", .note_count = 1,
    .notes = (char *[]){"a: note"}, .index = (const uint8_t[]){7, 0, 9}, .index_bytes = 3,
};

static void an_inventory_comes_back_as_sent(void **state) {
    (void)state;
    struct source_frame frame;
    struct source_inventory got;
    struct arena arena = {0};
    size_t bytes;
    assert_int_equal(VIRGA_OK, source_encode_inventory(7, &sample_inventory, 1 << 20, &frame));
    const uint8_t *body = body_of(&frame, &bytes);
    assert_int_equal(VIRGA_OK, source_decode_inventory(body, bytes, &arena, &got));
    source_frame_free(&frame);
    assert_string_equal("netCDF-4", got.format);
    assert_int_equal(2, got.dimension_count);
    assert_string_equal("group/time", got.dimensions[1].name);
    assert_true(got.dimensions[1].length == SIZE_MAX / 2 && got.dimensions[1].unlimited && !got.dimensions[0].unlimited);
    const struct source_variable *v = &got.variables[0];
    assert_string_equal("group/t", v->name);
    assert_true(v->type == SOURCE_I16 && v->rank == 2 && v->dimensions[0] == 1 && v->chunk[1] == 7 && v->chunked);
    assert_true(v->has_netcdf_fill && v->netcdf_fill == -32767);
    assert_int_equal(4, v->attribute_count);
    assert_string_equal("K", v->attributes[0].text);
    assert_string_equal("", v->attributes[1].text);
    assert_true(v->attributes[2].integers[1] == -1 && v->attributes[2].numbers[1] == 18446744073709551615.0);
    assert_true(v->attributes[3].numbers[0] == -1.5 && isnan(v->attributes[3].numbers[1]) && !v->attributes[3].integers);
    assert_int_equal(SOURCE_OTHER, got.variables[1].type);
    assert_string_equal("a: note", got.notes[0]);
    assert_int_equal(3, got.index_bytes);
    assert_memory_equal(((const uint8_t[]){7, 0, 9}), got.index, 3);
    assert_string_equal("units", got.attributes[0].name);
    arena_destroy(&arena);
}

static void an_inventory_beyond_the_limit_is_not_sent(void **state) {
    (void)state;
    struct source_frame frame;
    size_t bytes;
    assert_int_equal(VIRGA_OK, source_encode_inventory(7, &sample_inventory, 1 << 20, &frame));
    body_of(&frame, &bytes);
    source_frame_free(&frame);
    assert_int_equal(VIRGA_OK, source_encode_inventory(7, &sample_inventory, bytes, &frame));
    source_frame_free(&frame);
    assert_int_equal(VIRGA_TOO_LARGE, source_encode_inventory(7, &sample_inventory, bytes - 1, &frame));
    assert_null(frame.data);
}

// Decodes a copy that ends where the bytes end, so that a sanitizer sees a read beyond.
static int decode_exactly(enum source_message_kind kind, const uint8_t *body, size_t bytes, size_t arena_limit) {
    static struct source_open open;
    static struct source_read_message read;
    struct source_hello hello;
    struct source_slab_answer slab;
    struct source_inventory inventory;
    static struct source_want want;
    static char state[SOURCE_MAX_STATE_BYTES + 1];
    struct failure failure;
    bool retire, start;
    int answer;
    struct arena arena = {.limit = arena_limit};
    uint8_t *copy = malloc(bytes ? bytes : 1);
    if (bytes) memcpy(copy, body, bytes);
    int status = kind == SOURCE_HELLO ? source_decode_hello(copy, bytes, &hello) :
                 kind == SOURCE_OPEN ? source_decode_open(copy, bytes, &open) :
                 kind == SOURCE_READ ? source_decode_read(copy, bytes, &read) :
                 kind == SOURCE_SLAB ? source_decode_slab(copy, bytes, &slab) :
                 kind == SOURCE_FAILURE ? source_decode_failure(copy, bytes, &failure, &retire) :
                 kind == SOURCE_WANT ? source_decode_want(copy, bytes, &want) :
                 kind == SOURCE_GRANT ? source_decode_grant(copy, bytes, &answer) :
                 kind == SOURCE_STATE ? source_decode_state(copy, bytes, state) :
                 kind == SOURCE_CLUSTER ? source_decode_cluster(copy, bytes, &start) :
                 source_decode_inventory(copy, bytes, &arena, &inventory);
    if (!status && kind == SOURCE_INVENTORY)  // whatever was accepted can be walked
        for (size_t i = 0; i < inventory.variable_count; i++) {
            const struct source_variable *v = &inventory.variables[i];
            for (int d = 0; d < v->rank; d++) assert_true(v->dimensions[d] < inventory.dimension_count);
            for (size_t a = 0; a < v->attribute_count; a++)
                assert_true(v->attributes[a].text ? strlen(v->attributes[a].text) == v->attributes[a].count :
                                                    v->attributes[a].numbers != NULL);
        }
    arena_destroy(&arena);
    free(copy);
    return status;
}

static struct source_frame sample_frame(enum source_message_kind kind) {
    struct source_frame frame = {0};
    static struct source_open open = {.identity = {1, 2, 3, 4}, .max_inventory_bytes = 99, .path = "/data/f.nc"};
    static struct source_read_message read = {.slab_bytes = 64, .path = "/data/f.nc",
        .request = {.rank = 2, .count = {2, 2}, .block = {1, 1}, .reduction = REDUCE_STRIDE, .missing_count = 1}};
    struct source_hello hello = {.name = "x", .landlock = true};
    struct source_slab_answer slab = {SOURCE_F32, 4, 16, 64, 20, true};
    struct failure failure = {VIRGA_UNREADABLE, "broken"};
    switch (kind) {
    case SOURCE_HELLO: source_encode_hello(&hello, &frame); break;
    case SOURCE_OPEN: source_encode_open(1, &open, &frame); break;
    case SOURCE_READ: source_encode_read(1, &read, &frame); break;
    case SOURCE_SLAB: source_encode_slab(1, &slab, &frame); break;
    case SOURCE_FAILURE: source_encode_failure(1, &failure, false, &frame); break;
    case SOURCE_INVENTORY: source_encode_inventory(1, &sample_inventory, 1 << 20, &frame); break;
    case SOURCE_GRANT: source_encode_grant(1, VIRGA_NOT_FOUND, &frame); break;
    case SOURCE_CANCEL: source_encode_cancel(1, &frame); break;
    case SOURCE_STATE: source_encode_state("{\"state\": \"idle\"}", &frame); break;
    case SOURCE_CLUSTER: source_encode_cluster(false, &frame); break;
    case SOURCE_WANT:
        frame.data = malloc(SOURCE_HEADER_BYTES + SOURCE_MAX_WANT_BYTES);
        frame.size = source_write_want(1, SOURCE_INSIDE, "t/0.0", frame.data);
        break;
    }
    assert_non_null(frame.data);
    return frame;
}

static void every_truncation_is_refused(void **state) {
    (void)state;
    for (int kind = SOURCE_HELLO; kind <= SOURCE_CLUSTER; kind++) {
        if (kind == SOURCE_CANCEL) continue;  // it has no body
        struct source_frame frame = sample_frame((enum source_message_kind)kind);
        size_t bytes;
        const uint8_t *body = body_of(&frame, &bytes);
        assert_int_equal(VIRGA_OK, decode_exactly((enum source_message_kind)kind, body, bytes, 0));
        for (size_t n = 0; n < bytes; n++)
            assert_int_equal(VIRGA_INVALID, decode_exactly((enum source_message_kind)kind, body, n, 0));
        uint8_t *longer = calloc(1, bytes + 1);
        memcpy(longer, body, bytes);
        assert_int_equal(VIRGA_INVALID, decode_exactly((enum source_message_kind)kind, longer, bytes + 1, 0));
        free(longer);
        source_frame_free(&frame);
    }
}

static void mutated_messages_are_refused_or_make_sense(void **state) {
    (void)state;
    uint32_t seed = 12345;
    for (int kind = SOURCE_HELLO; kind <= SOURCE_CLUSTER; kind++) {
        if (kind == SOURCE_CANCEL) continue;  // it has no body
        struct source_frame frame = sample_frame((enum source_message_kind)kind);
        size_t bytes;
        uint8_t *body = (uint8_t *)body_of(&frame, &bytes);
        for (int round = 0; round < 4000; round++) {
            uint8_t saved[3];
            size_t at[3];
            for (int i = 0; i < 3; i++) {
                seed = seed * 1664525u + 1013904223u;
                at[i] = (seed >> 8) % bytes;
                saved[i] = body[at[i]];
                static const uint8_t nasty[] = {0, 1, 0x7f, 0x80, 0xff};
                body[at[i]] = seed & 1 ? nasty[(seed >> 3) % 5] : (uint8_t)(seed >> 24);
            }
            int status = decode_exactly((enum source_message_kind)kind, body, bytes, 1 << 16);
            assert_true(status == VIRGA_OK || status == VIRGA_INVALID || status == VIRGA_NO_MEMORY);
            for (int i = 2; i >= 0; i--) body[at[i]] = saved[i];
        }
        source_frame_free(&frame);
    }
}

static void a_huge_count_allocates_nothing(void **state) {
    (void)state;
    // format "", then 2^32 - 1 dimensions in no bytes
    const uint8_t body[] = {0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff};
    struct arena arena = {0};
    struct source_inventory inventory;
    assert_int_equal(VIRGA_INVALID, source_decode_inventory(body, sizeof body, &arena, &inventory));
    assert_true(arena.used < 4096);
    assert_int_equal(0, inventory.dimension_count);
    arena_destroy(&arena);
}

static void an_inventory_that_does_not_fit_fails_cleanly(void **state) {
    (void)state;
    struct source_frame frame;
    struct source_inventory inventory;
    size_t bytes, needed = 1;
    assert_int_equal(VIRGA_OK, source_encode_inventory(7, &sample_inventory, 1 << 20, &frame));
    const uint8_t *body = body_of(&frame, &bytes);
    for (int status = VIRGA_NO_MEMORY; status; needed++) {
        struct arena arena = {.limit = needed};
        status = source_decode_inventory(body, bytes, &arena, &inventory);
        assert_true(status == VIRGA_OK || status == VIRGA_NO_MEMORY);
        if (status) assert_true(!inventory.variable_count && !inventory.variables);
        arena_destroy(&arena);
    }
    assert_true(needed > 500);
    source_frame_free(&frame);
}

static void a_failure_never_carries_a_success(void **state) {
    (void)state;
    for (int sent = -20; sent <= 5; sent++) {
        struct failure failure = {sent, "x"}, got;
        bool retire;
        struct source_frame frame;
        size_t bytes;
        source_encode_failure(1, &failure, false, &frame);
        const uint8_t *body = body_of(&frame, &bytes);
        assert_int_equal(VIRGA_OK, source_decode_failure(body, bytes, &got, &retire));
        assert_true(got.status < VIRGA_AGAIN && got.status >= VIRGA_CHANGED);
        if (sent < VIRGA_AGAIN && sent >= VIRGA_CHANGED) assert_int_equal(sent, got.status);
        source_frame_free(&frame);
    }
}

static void a_want_comes_back_as_sent(void **state) {
    (void)state;
    static uint8_t bytes[SOURCE_HEADER_BYTES + SOURCE_MAX_WANT_BYTES];
    static char path[SOURCE_MAX_PATH + 2];
    struct source_header header;
    struct source_want want;
    for (size_t length = 0; length <= SOURCE_MAX_PATH; length += SOURCE_MAX_PATH / 2) {
        memset(path, 'x', length);
        size_t size = source_write_want(77, SOURCE_LIBRARY, path, bytes);
        assert_int_equal(SOURCE_HEADER_BYTES + 5 + length, size);
        assert_int_equal(VIRGA_OK, source_decode_header(bytes, &header));
        assert_true(header.kind == SOURCE_WANT && header.request == 77 && header.body_bytes == 5 + length);
        assert_int_equal(VIRGA_OK, source_decode_want(bytes + SOURCE_HEADER_BYTES, header.body_bytes, &want));
        assert_true(want.space == SOURCE_LIBRARY && !strcmp(want.path, path));
    }
    memset(path, 'x', sizeof path - 1);
    assert_int_equal(0, source_write_want(77, SOURCE_LIBRARY, path, bytes));
    for (int space = 0; space < 256; space++) {
        const uint8_t body[] = {(uint8_t)space, 0, 0, 0, 0};
        bool known = space >= SOURCE_LIBRARY && space < SOURCE_SPACES;
        assert_int_equal(known ? VIRGA_OK : VIRGA_INVALID, source_decode_want(body, sizeof body, &want));
    }
    int answer;
    assert_int_equal(VIRGA_INVALID, source_decode_grant((const uint8_t[]){1, 0, 0, 0}, 4, &answer));
}

static void messages_of_an_engine_come_back_as_sent(void **state) {
    (void)state;
    static char text[SOURCE_MAX_STATE_BYTES + 2], got[SOURCE_MAX_STATE_BYTES + 1];
    struct source_slab_answer sent = {SOURCE_F64, 4, 128, 1ull << 40, 77, true}, slab;
    struct source_frame frame;
    struct source_header header;
    size_t bytes;
    assert_int_equal(VIRGA_OK, source_encode_slab(9, &sent, &frame));
    assert_int_equal(VIRGA_OK, source_decode_slab(frame.data + SOURCE_HEADER_BYTES, frame.size - SOURCE_HEADER_BYTES, &slab));
    assert_true(slab.read == 1ull << 40 && slab.sent == 77 && slab.delivered && slab.bytes == 128);
    frame.data[frame.size - 1] = 2;
    assert_int_equal(VIRGA_INVALID, source_decode_slab(frame.data + SOURCE_HEADER_BYTES, frame.size - SOURCE_HEADER_BYTES, &slab));
    source_frame_free(&frame);
    assert_int_equal(VIRGA_OK, source_encode_cancel(0x0102030405060708, &frame));
    assert_int_equal(VIRGA_OK, source_decode_header(frame.data, &header));
    assert_true(header.kind == SOURCE_CANCEL && header.request == 0x0102030405060708 && !header.body_bytes);
    source_frame_free(&frame);
    memset(text, 'x', SOURCE_MAX_STATE_BYTES);
    text[3] = (char)0xff;
    assert_int_equal(VIRGA_OK, source_encode_state(text, &frame));
    const uint8_t *body = body_of(&frame, &bytes);
    assert_int_equal(VIRGA_OK, source_decode_state(body, bytes, got));
    assert_true(strlen(got) == SOURCE_MAX_STATE_BYTES && got[3] == '?');  // not UTF-8
    source_frame_free(&frame);
    text[SOURCE_MAX_STATE_BYTES] = 'x';
    assert_int_equal(VIRGA_TOO_LARGE, source_encode_state(text, &frame));
    bool start = false;
    assert_int_equal(VIRGA_OK, source_encode_cluster(true, &frame));
    body = body_of(&frame, &bytes);
    assert_int_equal(VIRGA_OK, source_decode_cluster(body, bytes, &start));
    assert_true(start);
    source_frame_free(&frame);
    assert_int_equal(VIRGA_INVALID, source_decode_cluster((const uint8_t[]){2}, 1, &start));
}

static void a_failure_that_is_too_long_is_cut(void **state) {
    (void)state;
    uint8_t body[9 + 1200] = {0xf4, 0xff, 0xff, 0xff, 0, 1200 & 255, 1200 >> 8};
    struct failure got;
    bool retire;
    for (size_t i = 9; i < sizeof body; i += 2) body[i] = 0xc3, body[i + 1] = 0xa4;  // ä
    assert_int_equal(VIRGA_OK, source_decode_failure(body, sizeof body, &got, &retire));
    assert_true(got.status == VIRGA_INTERNAL && strlen(got.message) == sizeof got.message - 1 && got.message[510] == '?');
}

static int shape_status(struct source_slab_request request, enum source_type type, size_t max) {
    struct source_slab_shape shape;
    struct failure failure;
    return source_slab_shape(&request, type, 2, (size_t[]){10, 20}, max, &shape, &failure);
}

static void slab_shapes_are_checked(void **state) {
    (void)state;
    struct source_slab_shape shape;
    struct source_slab_request r = {.rank = 2, .start = {3, 0}, .count = {7, 20}, .block = {4, 6}};
    assert_int_equal(VIRGA_OK, source_slab_shape(&r, SOURCE_I16, 2, (size_t[]){10, 20}, 1000, &shape, NULL));
    assert_int_equal(280, shape.bytes);
    r.reduction = REDUCE_MEAN;
    assert_int_equal(VIRGA_OK, source_slab_shape(&r, SOURCE_I16, 2, (size_t[]){10, 20}, 1000, &shape, NULL));
    assert_true(shape.type == SOURCE_F64 && shape.elements == 2 * 4 && shape.bytes == 2 * 4 * 32 && shape.count[1] == 4);
    assert_int_equal(VIRGA_TOO_LARGE, shape_status(r, SOURCE_I16, 255));
    r.lead[1] = 5;  // and 20 points: 1 6 6 6 1
    assert_int_equal(VIRGA_OK, source_slab_shape(&r, SOURCE_I16, 2, (size_t[]){10, 20}, 1000, &shape, NULL));
    assert_int_equal(5, shape.count[1]);
    r.lead[1] = 6;  // a whole block
    assert_int_equal(VIRGA_INVALID, shape_status(r, SOURCE_I16, 1000));
    r.lead[1] = 0, r.lead[0] = 1;  // where it does not begin at the first point
    assert_int_equal(VIRGA_INVALID, shape_status(r, SOURCE_I16, 1000));
    r.lead[0] = 0, r.lead[1] = 1, r.reduction = REDUCE_STRIDE;
    assert_int_equal(VIRGA_INVALID, shape_status(r, SOURCE_I16, 1000));
    r.lead[1] = 0, r.reduction = REDUCE_MEAN;
    assert_int_equal(VIRGA_UNSUPPORTED, shape_status(r, SOURCE_CHAR, 1000));
    assert_int_equal(VIRGA_UNSUPPORTED, shape_status(r, SOURCE_STRING, 1000));
    r.count[0] = 8;
    assert_int_equal(VIRGA_INVALID, shape_status(r, SOURCE_I16, 1000));
    r.count[0] = 0;
    assert_int_equal(VIRGA_INVALID, shape_status(r, SOURCE_I16, 1000));
    r.count[0] = 1, r.start[0] = SIZE_MAX;
    assert_int_equal(VIRGA_INVALID, shape_status(r, SOURCE_I16, 1000));
    r.start[0] = 0, r.block[1] = 0;
    assert_int_equal(VIRGA_INVALID, shape_status(r, SOURCE_I16, 1000));
    struct source_slab_request huge = {.rank = 2, .count = {SIZE_MAX / 2, 16}};
    assert_int_equal(VIRGA_TOO_LARGE,
                     source_slab_shape(&huge, SOURCE_F64, 2, (size_t[]){SIZE_MAX, SIZE_MAX}, SIZE_MAX, &shape, NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_header_is_where_the_document_says),
        cmocka_unit_test(another_version_or_kind_is_refused),
        cmocka_unit_test(requests_come_back_as_sent),
        cmocka_unit_test(an_inventory_comes_back_as_sent),
        cmocka_unit_test(an_inventory_beyond_the_limit_is_not_sent),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(mutated_messages_are_refused_or_make_sense),
        cmocka_unit_test(a_huge_count_allocates_nothing),
        cmocka_unit_test(an_inventory_that_does_not_fit_fails_cleanly),
        cmocka_unit_test(a_failure_never_carries_a_success),
        cmocka_unit_test(a_want_comes_back_as_sent),
        cmocka_unit_test(messages_of_an_engine_come_back_as_sent),
        cmocka_unit_test(a_failure_that_is_too_long_is_cut),
        cmocka_unit_test(slab_shapes_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
