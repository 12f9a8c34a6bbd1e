// SPDX-License-Identifier: Apache-2.0
#include "source/reader_zarr_array.h"

#include <math.h>
#include <netcdf.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "source/source_protocol.h"

static int refuse(struct reader_zarr_array *a, bool codec, const char *text, const char *what) {
    if (a->type != SOURCE_OTHER) snprintf(a->refusal, sizeof a->refusal, text, what);
    a->type = SOURCE_OTHER;
    a->bad_codec |= codec;
    return VIRGA_OK;
}

static void parse_type(const json_t *document, struct reader_zarr_array *a) {
    static const struct {
        const char *name;
        enum source_type type;
    } types[] = {{"b1", SOURCE_I8}, {"i1", SOURCE_I8}, {"u1", SOURCE_U8}, {"i2", SOURCE_I16}, {"u2", SOURCE_U16}, {"i4", SOURCE_I32},
                 {"u4", SOURCE_U32}, {"i8", SOURCE_I64}, {"u8", SOURCE_U64}, {"f4", SOURCE_F32}, {"f8", SOURCE_F64}, {"S1", SOURCE_CHAR}};
    const char *text = json_string_value(json_object_get(document, "dtype"));
    a->type = SOURCE_OTHER;
    for (size_t i = 0; text && i < sizeof types / sizeof *types; i++)
        if (*text && strchr("<>|", *text) && !strcmp(text + 1, types[i].name)) a->type = types[i].type;
    a->swapped = text && *text == (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? '>' : '<');
    if (a->type == SOURCE_OTHER)
        snprintf(a->refusal, sizeof a->refusal, "cannot be read: its numbers are of type %.40s", text ? text : "that is compound");
}

static int parse_lengths(const json_t *list, const char *what, size_t least, int *rank, size_t *lengths, struct failure *failure) {
    size_t count = json_array_size(list);
    if (!json_is_array(list)) return failure_set(failure, VIRGA_UNREADABLE, "left out: its description has no %s", what);
    if (count > SOURCE_MAX_RANK) return failure_set(failure, VIRGA_UNSUPPORTED, "left out: it has more than %d dimensions", SOURCE_MAX_RANK);
    for (size_t d = 0; d < count; d++) {
        const json_t *item = json_array_get(list, d);
        json_int_t n = json_is_integer(item) ? json_integer_value(item) : -1;
        if (n < (json_int_t)least || n > (json_int_t)1 << 48)
            return failure_set(failure, VIRGA_UNREADABLE, "left out: its %s is not of lengths that can be", what);
        lengths[d] = (size_t)n;
    }
    *rank = (int)count;
    return VIRGA_OK;
}

static int parse_shape(const json_t *document, struct reader_zarr_array *a, struct failure *failure) {
    int chunk_rank = 0;
    size_t product = 1;
    int status = parse_lengths(json_object_get(document, "shape"), "shape", 0, &a->rank, a->shape, failure);
    if (!status) status = parse_lengths(json_object_get(document, "chunks"), "chunks", 1, &chunk_rank, a->chunk, failure);
    if (!status && chunk_rank != a->rank)
        status = failure_set(failure, VIRGA_UNREADABLE, "left out: its chunks have %d dimensions where it has %d", chunk_rank, a->rank);
    for (int d = 0; !status && d < a->rank; d++)
        if (memory_multiply(product, a->shape[d] ? a->shape[d] : 1, &product) || product > (size_t)1 << 50)
            status = failure_set(failure, VIRGA_TOO_LARGE, "left out: it claims more numbers than any store holds");
    return status;
}

static void find_chunk_bytes(struct reader_zarr_array *a) {
    a->chunk_bytes = source_type_size(a->type);
    for (int d = 0; d < a->rank; d++)
        if (memory_multiply(a->chunk_bytes, a->chunk[d], &a->chunk_bytes)) {
            a->chunk_bytes = SIZE_MAX;
            return;
        }
}

static const char *codec_name(const json_t *codec) {
    const char *name = json_string_value(json_object_get(codec, "id"));
    return name ? name : "a codec without a name";
}

static void parse_compressor(const json_t *document, struct reader_zarr_array *a) {
    const json_t *codec = json_object_get(document, "compressor");
    if (!codec || json_is_null(codec)) return;
    const char *name = codec_name(codec);
    a->deflated = !strcmp(name, "zlib") || !strcmp(name, "gzip");
    if (!a->deflated)
        refuse(a, true, "cannot be read: it is compressed with %.40s, which this reader has not; write it with zlib or uncompressed", name);
}

static void parse_filters(const json_t *document, struct reader_zarr_array *a) {
    const json_t *filters = json_object_get(document, "filters"), *only = json_array_get(filters, 0);
    if (!json_array_size(filters)) return;
    const char *name = codec_name(only);
    if (json_array_size(filters) > 1 || strcmp(name, "shuffle")) {
        refuse(a, true, "cannot be read: it has the filter %.40s, which this reader has not; write it without", name);
        return;
    }
    json_int_t bytes = json_integer_value(json_object_get(only, "elementsize"));
    a->shuffled = bytes > 0 && bytes <= 64 ? (size_t)bytes : source_type_size(a->type);
}

static void put_number(struct reader_zarr_array *a, double real, int64_t integer) {
    float single = (float)real;
    if (a->type == SOURCE_F64) memcpy(a->fill.bytes, &real, sizeof real);
    else if (a->type == SOURCE_F32) memcpy(a->fill.bytes, &single, sizeof single);
    else
        for (size_t i = 0; i < source_type_size(a->type); i++)
            a->fill.bytes[__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? i : source_type_size(a->type) - 1 - i] = (uint8_t)((uint64_t)integer >> (8 * i));
    a->fill_value = a->type == SOURCE_F32 ? (double)single : source_type_size(a->type) && a->type < SOURCE_F32 ? (double)integer : real;
    a->fill_integer = integer;
}

// Where the store names none, what netCDF has for the type, which is no value either.
static void default_fill(struct reader_zarr_array *a) {
    static const double fills[] = {
        [SOURCE_I16] = NC_FILL_SHORT, [SOURCE_U16] = NC_FILL_USHORT, [SOURCE_I32] = NC_FILL_INT, [SOURCE_U32] = NC_FILL_UINT,
        [SOURCE_F32] = NC_FILL_FLOAT, [SOURCE_F64] = NC_FILL_DOUBLE,
    };
    if (a->type == SOURCE_I64) put_number(a, (double)NC_FILL_INT64, NC_FILL_INT64);
    else if (a->type == SOURCE_U64) put_number(a, (double)NC_FILL_UINT64, (int64_t)NC_FILL_UINT64);
    else if (source_type_size(a->type) >= 2) put_number(a, fills[a->type], source_type_is_integer(a->type) ? (int64_t)fills[a->type] : 0);
}

static void parse_fill(const json_t *document, struct reader_zarr_array *a) {
    const json_t *fill = json_object_get(document, "fill_value");
    const char *text = json_string_value(fill);
    bool real = a->type == SOURCE_F32 || a->type == SOURCE_F64;
    default_fill(a);
    if (a->type == SOURCE_CHAR || a->type == SOURCE_OTHER) return;
    if (text && real) {
        double value = !strcmp(text, "NaN") ? NAN : !strcmp(text, "Infinity") ? INFINITY : !strcmp(text, "-Infinity") ? -INFINITY : 0;
        a->has_fill = value != 0;
        if (a->has_fill) put_number(a, value, 0);
    } else if (json_is_integer(fill) || json_is_boolean(fill)) {
        int64_t integer = json_is_integer(fill) ? json_integer_value(fill) : json_is_true(fill);
        put_number(a, (double)integer, integer);
        a->has_fill = true;
    } else if (json_is_real(fill)) {
        double value = json_real_value(fill);
        bool fits = fabs(value) < 9.2e18, beyond = value >= 9.2e18 && value < 1.84467440737095e19;
        put_number(a, value, fits ? (int64_t)value : beyond ? (int64_t)(uint64_t)value : value > 0 ? -1 : 0);
        a->has_fill = true;
    }
}

int reader_zarr_array_parse(const json_t *document, struct reader_zarr_array *a, struct failure *failure) {
    const char *order = json_string_value(json_object_get(document, "order"));
    const char *separator = json_string_value(json_object_get(document, "dimension_separator"));
    *a = (struct reader_zarr_array){.separator = separator && !strcmp(separator, "/") ? '/' : '.', .columns = order && !strcmp(order, "F")};
    if (json_integer_value(json_object_get(document, "zarr_format")) != 2)
        return failure_set(failure, VIRGA_UNSUPPORTED, "left out: it is not of Zarr version 2");
    int status = parse_shape(document, a, failure);
    if (status) return status;
    parse_type(document, a);
    find_chunk_bytes(a);
    parse_compressor(document, a);
    parse_filters(document, a);
    parse_fill(document, a);
    return VIRGA_OK;
}
