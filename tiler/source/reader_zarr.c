// SPDX-License-Identifier: Apache-2.0
// Zarr version 2 stores in a folder, as xarray and netCDF-C (NCZarr) write them. Read here rather than by netCDF-C: version 4.9.0
// without its plug-ins takes the bytes of a compressed chunk for numbers, and so it takes whatever follows a chunk that is too short.
// Every file is asked of the server (reader_broker.h).
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "source/reader_format.h"
#include "source/reader_list.h"
#include "source/reader_reduce.h"
#include "source/reader_zarr_array.h"
#include "source/reader_zarr_document.h"

enum {
    MAX_ARRAYS = 20000, MAX_DIMENSIONS = 20000, MAX_ATTRIBUTES = 4096, MAX_GROUPS = 2000, MAX_DEPTH = 16, MAX_ENTRIES = 100000,
    MAX_CHUNK_BYTES = 256 << 20, PATH_ROOM = 4096,
};

struct zarr_variable {
    char *name;  // "group/array"
    size_t dimensions[SOURCE_MAX_RANK];
    struct reader_zarr_array array;
    json_t *attributes;       // or NULL
    json_t *dimension_names;  // or NULL where it has none
};

struct zarr_dimension {
    char *name;
    size_t length;
};

struct zarr_store {
    int fd;
    size_t max_chunk;
    struct arena arena;  // names and notes
    bool netcdf;         // written by netCDF-C
    json_t *attributes;  // of the root, or NULL
    size_t group_count, variable_count, variable_room, dimension_count, dimension_room, note_count, note_room;
    size_t lasting_notes;  // those of opening it; what comes after is listing's
    struct zarr_variable *variables;
    struct zarr_dimension *dimensions;
    char **notes;
    uint8_t *chunk;      // the last one read, decoded
    size_t chunk_room, chunk_variable;
    size_t chunk_at[SOURCE_MAX_RANK];
    bool chunk_there;
};

static void add_note(struct zarr_store *s, const char *name, const char *what) {
    char text[1024];
    snprintf(text, sizeof text, "%s%s%s", name, *name ? ": " : "", what);
    if (s->note_count >= MAX_ARRAYS) return;
    char **grown = memory_one_more(s->notes, s->note_count, &s->note_room, sizeof *grown);
    if (grown) s->notes = grown;
    char *copy = grown ? arena_text(&s->arena, text, strlen(text)) : NULL;
    if (copy) s->notes[s->note_count++] = copy;
}

static int store_document(const struct zarr_store *s, const char *group, const char *name, json_t **document, struct failure *failure) {
    char path[PATH_ROOM], inside[PATH_ROOM - 64];
    int n = snprintf(inside, sizeof inside, "%s%s%s", group, *group ? "/" : "", name);
    if (n < 0 || (size_t)n >= sizeof inside) return failure_set(failure, VIRGA_TOO_LARGE, "its groups' names are too long");
    snprintf(path, sizeof path, "/proc/self/fd/%d/%s", s->fd, inside);
    return reader_zarr_document(path, inside, document, failure);
}

// The dimension of this name that the group sees: its own or one of a group above it.
static struct zarr_dimension *find_dimension(const struct zarr_store *s, const char *group, const char *name) {
    for (size_t above = strlen(group) + 1; above-- > 0;) {
        if (above && group[above] && group[above] != '/') continue;
        size_t prefix = above ? above + 1 : 0;
        for (size_t i = 0; i < s->dimension_count; i++) {
            const char *d = s->dimensions[i].name;
            if (strlen(d) != prefix + strlen(name) || strcmp(d + prefix, name)) continue;
            if (!prefix || (!strncmp(d, group, above) && d[above] == '/')) return &s->dimensions[i];
        }
    }
    return NULL;
}

static int get_dimension(struct zarr_store *s, const char *group, const char *name, size_t length, size_t *index, struct failure *failure) {
    const struct zarr_dimension *known = find_dimension(s, group, name);
    if (known && known->length != length)
        return failure_set(failure, VIRGA_UNREADABLE, "left out: its dimension %s has %zu points where others have %zu", name, length, known->length);
    if (known) {
        *index = (size_t)(known - s->dimensions);
        return VIRGA_OK;
    }
    if (s->dimension_count == MAX_DIMENSIONS) return failure_set(failure, VIRGA_TOO_LARGE, "left out: there are more than %d dimensions", MAX_DIMENSIONS);
    struct zarr_dimension *grown = memory_one_more(s->dimensions, s->dimension_count, &s->dimension_room, sizeof *grown);
    if (grown) s->dimensions = grown;
    char *full = grown ? reader_list_name(&s->arena, group, name) : NULL;
    if (!full) return failure_set(failure, VIRGA_TOO_LARGE, "left out: out of memory");
    *index = s->dimension_count;
    s->dimensions[s->dimension_count++] = (struct zarr_dimension){full, length};
    return VIRGA_OK;
}

// The list of names: xarray's in the attributes, else netCDF-C's in either document, under the keys of its several versions.
static const json_t *dimension_names(const json_t *document, const json_t *attributes) {
    const json_t *names = json_object_get(attributes, "_ARRAY_DIMENSIONS");
    const json_t *owners[] = {json_object_get(document, "_NCZARR_ARRAY"), json_object_get(document, "_nczarr_array"),
                              json_object_get(attributes, "_nczarr_array")};
    for (size_t i = 0; !json_is_array(names) && i < sizeof owners / sizeof *owners; i++) {
        names = json_object_get(owners[i], "dimrefs");
        if (!json_is_array(names)) names = json_object_get(owners[i], "dimension_references");
    }
    return json_is_array(names) ? names : NULL;
}

static const char *dimension_name(const struct zarr_variable *v, int d, char made_up[40]) {
    const char *name = json_string_value(json_array_get(v->dimension_names, (size_t)d)), *last = name ? strrchr(name, '/') : NULL;
    if (last) name = last + 1;  // "/group/name"
    if (name && *name && strlen(name) <= SOURCE_MAX_NAME) return name;
    snprintf(made_up, 40, "_zdim_%zu", v->array.shape[d]);  // as netCDF-C calls it
    return made_up;
}

static void group_of(const struct zarr_variable *v, char group[PATH_ROOM]) {
    const char *slash = strrchr(v->name, '/');
    snprintf(group, PATH_ROOM, "%.*s", slash ? (int)(slash - v->name) : 0, v->name);
}

static int name_dimensions(struct zarr_store *s, struct zarr_variable *v, struct failure *failure) {
    const json_t *names = v->dimension_names;
    char made_up[40], group[PATH_ROOM];
    group_of(v, group);
    if (names && json_array_size(names) != (size_t)v->array.rank)
        return failure_set(failure, VIRGA_UNREADABLE, "left out: it has %d dimensions and %zu names of them", v->array.rank, json_array_size(names));
    for (int d = 0; d < v->array.rank; d++) {
        int status = get_dimension(s, group, dimension_name(v, d, made_up), v->array.shape[d], &v->dimensions[d], failure);
        if (status) return status;
    }
    return VIRGA_OK;
}

static void release_variable(struct zarr_variable *v) {
    json_decref(v->attributes);
    json_decref(v->dimension_names);
}

static bool is_coordinate(const struct zarr_variable *v) {
    char made_up[40];
    const char *slash = strrchr(v->name, '/');
    return v->array.rank == 1 && !strcmp(slash ? slash + 1 : v->name, dimension_name(v, 0, made_up));
}

// Coordinates say first how long a dimension is. Arrays that disagree are left out.
static void resolve_dimensions(struct zarr_store *s) {
    size_t kept = 0;
    struct failure why;
    for (size_t i = 0; i < s->variable_count; i++)
        if (is_coordinate(&s->variables[i])) (void)name_dimensions(s, &s->variables[i], &why);
    for (size_t i = 0; i < s->variable_count; i++) {
        struct zarr_variable *v = &s->variables[i];
        if (!name_dimensions(s, v, &why)) {
            s->variables[kept++] = *v;
            continue;
        }
        add_note(s, v->name, why.message);
        release_variable(v);
    }
    s->variable_count = kept;
}

static int add_array(struct zarr_store *s, const char *folder, const json_t *document, struct failure *failure) {
    struct failure why;
    struct zarr_variable v = {.name = arena_text(&s->arena, *folder ? folder : "data", strlen(*folder ? folder : "data"))};
    if (s->variable_count == MAX_ARRAYS) return failure_set(failure, VIRGA_TOO_LARGE, "it has more than %d arrays", MAX_ARRAYS);
    struct zarr_variable *grown = memory_one_more(s->variables, s->variable_count, &s->variable_room, sizeof *grown);
    if (!grown || !v.name) return reader_list_no_memory(failure);
    s->variables = grown;
    int status = reader_zarr_array_parse(document, &v.array, &why);
    if (!status && store_document(s, folder, ".zattrs", &v.attributes, &why) != VIRGA_OK && why.status != VIRGA_NOT_FOUND)
        add_note(s, folder, why.message);
    if (status) {
        add_note(s, v.name, why.message);
        return VIRGA_OK;
    }
    v.dimension_names = json_incref((json_t *)dimension_names(document, v.attributes));
    if (*v.array.refusal) add_note(s, v.name, v.array.refusal);
    s->variables[s->variable_count++] = v;
    return VIRGA_OK;
}

static int compare_names(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void free_names(char **names, size_t count) {
    for (size_t i = 0; i < count; i++) free(names[i]);
    free(names);
}

// What the folder holds, in order, without hidden names. VIRGA_NOT_FOUND where it is none.
static int list_names(const struct zarr_store *s, const char *folder, char ***names, size_t *count, struct failure *failure) {
    char path[PATH_ROOM];
    size_t room = 0;
    int status = VIRGA_OK;
    *names = NULL;
    *count = 0;
    int n = snprintf(path, sizeof path, "/proc/self/fd/%d/%s", s->fd, folder);
    DIR *entries = n > 0 && (size_t)n < sizeof path ? opendir(path) : NULL;
    if (!entries) return VIRGA_NOT_FOUND;
    for (const struct dirent *e; !status && (e = readdir(entries));) {
        if (e->d_name[0] == '.' || (e->d_type != DT_DIR && e->d_type != DT_UNKNOWN)) continue;
        char **grown = *count < MAX_ENTRIES ? memory_one_more(*names, *count, &room, sizeof *grown) : NULL;
        if (grown) *names = grown;
        char *copy = grown ? strdup(e->d_name) : NULL;
        if (copy) (*names)[(*count)++] = copy;
        else status = reader_list_no_memory(failure);
    }
    closedir(entries);
    if (status) free_names(*names, *count);
    else if (*count) qsort(*names, *count, sizeof **names, compare_names);
    return status;
}

static int add_group(struct zarr_store *s, const char *group, int depth, struct failure *failure);

// What stands in the folder: an array, or a group.
static int add_member(struct zarr_store *s, const char *folder, int depth, struct failure *failure) {
    json_t *document;
    struct failure why;
    int status = store_document(s, folder, ".zarray", &document, &why);
    if (status == VIRGA_NOT_FOUND) return add_group(s, folder, depth, failure);
    if (status == VIRGA_TOO_LARGE) return failure_set(failure, status, "%s", why.message);
    if (status) {
        add_note(s, folder, why.message);
        return VIRGA_OK;
    }
    status = add_array(s, folder, document, failure);
    json_decref(document);
    return status;
}

static int add_group(struct zarr_store *s, const char *group, int depth, struct failure *failure) {
    char **names;
    size_t count;
    if (++s->group_count > MAX_GROUPS || depth > MAX_DEPTH)
        return failure_set(failure, VIRGA_TOO_LARGE, "it has more than %d groups, or groups %d deep", MAX_GROUPS, MAX_DEPTH);
    int status = list_names(s, group, &names, &count, failure);
    if (status == VIRGA_NOT_FOUND) return VIRGA_OK;
    if (status) return status;
    for (size_t i = 0; i < count && !status; i++) {
        char *folder = reader_list_name(&s->arena, group, names[i]);
        status = folder ? add_member(s, folder, depth + 1, failure) : reader_list_no_memory(failure);
    }
    free_names(names, count);
    return status;
}

static int read_root(struct zarr_store *s, struct failure *failure) {
    json_t *document;
    struct failure why;
    int status = store_document(s, "", ".zgroup", &document, &why);
    if (!status) {
        s->netcdf = json_object_get(document, "_NCZARR_SUPERBLOCK") || json_object_get(document, "_nczarr_superblock");
        json_decref(document);
    } else if (status != VIRGA_NOT_FOUND) {
        return failure_set(failure, status, "%s", why.message);
    }
    status = store_document(s, "", ".zattrs", &s->attributes, &why);
    if (status && status != VIRGA_NOT_FOUND) add_note(s, "", why.message);
    s->netcdf |= json_object_get(s->attributes, "_nczarr_superblock") != NULL;
    status = add_member(s, "", 0, failure);
    if (!status) resolve_dimensions(s);
    if (status || s->variable_count) return status;
    if (!store_document(s, "", "zarr.json", &document, &why)) {
        json_decref(document);
        return failure_set(failure, VIRGA_UNSUPPORTED, "is a Zarr store of version 3; stores of version 2 are read (zarr_format=2 in to_zarr)");
    }
    return failure_set(failure, VIRGA_UNREADABLE, "the Zarr store holds no array%s%s", s->note_count ? ": " : "", s->note_count ? s->notes[0] : "");
}

// Where nothing can be read because of one codec, that is the message.
static int check_codecs(const struct zarr_store *s, struct failure *failure) {
    for (size_t i = 0; i < s->variable_count; i++)
        if (!s->variables[i].array.bad_codec) return VIRGA_OK;
    return failure_set(failure, VIRGA_UNSUPPORTED, "the Zarr store %s", s->variables[0].array.refusal);
}

static bool zarr_recognises(int fd, const uint8_t *head, size_t bytes) {
    struct stat s;
    (void)head;
    (void)bytes;
    return !fstat(fd, &s) && S_ISDIR(s.st_mode);
}

static void zarr_close(void *file) {
    struct zarr_store *s = file;
    if (!s) return;
    for (size_t i = 0; i < s->variable_count; i++) release_variable(&s->variables[i]);
    json_decref(s->attributes);
    free(s->variables);
    free(s->dimensions);
    free(s->notes);
    free(s->chunk);
    arena_destroy(&s->arena);
    free(s);
}

static int zarr_open(int fd, size_t memory, void **file, struct failure *failure) {
    struct zarr_store *s = calloc(1, sizeof *s);
    *file = NULL;
    if (!s) return reader_list_no_memory(failure);
    s->fd = fd;
    s->arena.limit = 64 << 20;
    s->max_chunk = memory / 8 < MAX_CHUNK_BYTES ? memory / 8 : MAX_CHUNK_BYTES;  // two of them where bytes are shuffled
    int status = read_root(s, failure);
    if (!status) status = check_codecs(s, failure);
    s->lasting_notes = s->note_count;
    if (status) zarr_close(s);
    else *file = s;
    return status;
}

// What is the store's own, not the forecast's.
static bool is_internal(const char *name) {
    return !strcmp(name, "_ARRAY_DIMENSIONS") || !strncasecmp(name, "_nczarr", 7) || !strcmp(name, "_NCProperties");
}

// The store's fill value, as an attribute of the variable's type.
static int fill_attribute(const struct reader_zarr_array *a, struct arena *arena, struct source_attribute *out) {
    *out = (struct source_attribute){.name = arena_text(arena, "_FillValue", 10), .type = a->type, .count = 1};
    out->numbers = arena_new(arena, 1, sizeof *out->numbers);
    out->integers = source_type_is_integer(a->type) ? arena_new(arena, 1, sizeof *out->integers) : NULL;
    if (!out->name || !out->numbers || (source_type_is_integer(a->type) && !out->integers)) return VIRGA_NO_MEMORY;
    out->numbers[0] = a->fill_value;
    if (out->integers) out->integers[0] = a->fill_integer;
    return VIRGA_OK;
}

static int list_attributes(struct zarr_store *s, const json_t *attributes, const struct zarr_variable *owner, struct arena *arena,
                           struct source_attribute **list, size_t *count, struct failure *failure) {
    const char *key;
    json_t *value;
    size_t n = json_object_size(attributes);
    bool fill = owner && owner->array.has_fill && !json_object_get(attributes, "_FillValue");
    *count = 0;
    if (n > MAX_ATTRIBUTES) {
        add_note(s, owner ? owner->name : "", "attributes left out: too many");
        n = 0;
    }
    *list = arena_new(arena, n + 1, sizeof **list);
    if (!*list || (fill && fill_attribute(&owner->array, arena, &(*list)[(*count)++]))) return reader_list_no_memory(failure);
    if (!n) return VIRGA_OK;
    json_object_foreach((json_t *)attributes, key, value) {  // it is not changed
        char what[2 * SOURCE_MAX_NAME];
        if (is_internal(key)) continue;
        int status = reader_zarr_attribute(key, value, arena, &(*list)[*count]);
        if (status == VIRGA_NO_MEMORY) return reader_list_no_memory(failure);
        snprintf(what, sizeof what, "%s:%.200s", owner ? owner->name : "", key);
        if (status) add_note(s, what, json_is_null(value) ? "attribute left out: not a number" : "attribute left out: no netCDF attribute is like it");
        else ++*count;
    }
    return VIRGA_OK;
}

static int list_variable(struct zarr_store *s, size_t i, struct arena *arena, struct source_variable *out, struct failure *failure) {
    const struct zarr_variable *v = &s->variables[i];
    const struct reader_zarr_array *a = &v->array;
    out->name = v->name;
    out->type = a->type;
    out->rank = a->rank;
    out->chunked = true;
    memcpy(out->dimensions, v->dimensions, sizeof out->dimensions);
    memcpy(out->chunk, a->chunk, sizeof out->chunk);
    out->has_netcdf_fill = !a->has_fill && source_type_size(a->type) >= 2;
    out->netcdf_fill = out->has_netcdf_fill ? a->fill_value : NAN;
    return list_attributes(s, v->attributes, v, arena, &out->attributes, &out->attribute_count, failure);
}

static int zarr_list(void *file, struct arena *arena, struct source_inventory *out, struct failure *failure) {
    struct zarr_store *s = file;
    const char *format = s->netcdf ? "NCZarr" : "Zarr version 2";
    memset(out, 0, sizeof *out);
    s->note_count = s->lasting_notes;
    out->format = arena_text(arena, format, strlen(format));
    out->dimensions = arena_new(arena, s->dimension_count, sizeof *out->dimensions);
    out->variables = arena_new(arena, s->variable_count, sizeof *out->variables);
    if (!out->format || !out->dimensions || !out->variables) return reader_list_no_memory(failure);
    for (size_t i = 0; i < s->dimension_count; i++)
        out->dimensions[i] = (struct source_dimension){.name = s->dimensions[i].name, .length = s->dimensions[i].length};
    out->dimension_count = s->dimension_count;
    int status = VIRGA_OK;
    for (size_t i = 0; i < s->variable_count && !status; i++) status = list_variable(s, i, arena, &out->variables[i], failure);
    out->variable_count = s->variable_count;
    if (!status) status = list_attributes(s, s->attributes, NULL, arena, &out->attributes, &out->attribute_count, failure);
    out->notes = s->notes;
    out->note_count = s->note_count;
    return status;
}

static int chunk_name(const struct zarr_variable *v, const size_t *at, char *out, size_t room) {
    bool bare = !strcmp(v->name, "data");  // a store that is one array
    size_t n = (size_t)snprintf(out, room, "%s%s%s", bare ? "" : v->name, bare ? "" : "/", v->array.rank ? "" : "0");
    for (int d = 0; d < v->array.rank && n < room; d++) {
        char separator[2] = {d ? v->array.separator : '\0', '\0'};
        n += (size_t)snprintf(out + n, room - n, "%s%zu", separator, at[d]);
    }
    return n < room ? VIRGA_OK : VIRGA_TOO_LARGE;
}

static void fill_chunk(const struct reader_zarr_array *a, uint8_t *out) {
    size_t each = source_type_size(a->type);
    for (size_t i = 0; i < a->chunk_bytes; i += each) memcpy(out + i, a->fill.bytes, each);
}

// The chunk at this place is in s->chunk.
static int load_chunk(struct zarr_store *s, size_t variable, const size_t *at, struct failure *failure) {
    const struct zarr_variable *v = &s->variables[variable];
    char name[PATH_ROOM - 64], path[PATH_ROOM];
    size_t bytes = (size_t)v->array.rank * sizeof *at;
    if (s->chunk_there && s->chunk_variable == variable && !memcmp(s->chunk_at, at, bytes)) return VIRGA_OK;
    s->chunk_there = false;
    if (chunk_name(v, at, name, sizeof name)) return failure_set(failure, VIRGA_TOO_LARGE, "%s: its name is too long", v->name);
    snprintf(path, sizeof path, "/proc/self/fd/%d/%s", s->fd, name);
    int status = reader_zarr_array_chunk(&v->array, path, name, s->chunk, failure);
    if (status == VIRGA_NOT_FOUND) fill_chunk(&v->array, s->chunk);
    else if (status) return status;
    s->chunk_there = true;
    s->chunk_variable = variable;
    memcpy(s->chunk_at, at, bytes);
    return VIRGA_OK;
}

// A part of the chunk to a part of the box, both `count` points; steps are in numbers.
static void copy_part(const uint8_t *from, const size_t *from_step, uint8_t *to, const size_t *to_step, const size_t *count, int rank, size_t each) {
    if (!rank) {
        memcpy(to, from, each);
        return;
    }
    if (rank == 1 && from_step[0] == 1) {
        memcpy(to, from, count[0] * each);
        return;
    }
    for (size_t i = 0; i < count[0]; i++)
        copy_part(from + i * from_step[0] * each, from_step + 1, to + i * to_step[0] * each, to_step + 1, count + 1, rank - 1, each);
}

static void steps_of(const size_t *shape, int rank, bool columns, size_t *step) {
    size_t product = 1;
    for (int i = 0; i < rank; i++) {
        int d = columns ? i : rank - 1 - i;
        step[d] = product;
        product *= shape[d];
    }
}

struct box_reader {
    struct zarr_store *store;
    size_t variable;
};

// Goes through the chunks that the box touches, in row-major order.
static int read_box(void *context, const size_t *start, const size_t *count, void *out, struct failure *failure) {
    const struct box_reader *b = context;
    const struct reader_zarr_array *a = &b->store->variables[b->variable].array;
    size_t at[SOURCE_MAX_RANK] = {0}, box_step[SOURCE_MAX_RANK], chunk_step[SOURCE_MAX_RANK], each = source_type_size(a->type);
    steps_of(count, a->rank, false, box_step);
    steps_of(a->chunk, a->rank, a->columns, chunk_step);
    for (int d = 0; d < a->rank; d++) at[d] = start[d] / a->chunk[d];
    for (;;) {
        size_t part[SOURCE_MAX_RANK] = {0}, from = 0, to = 0;
        int status = load_chunk(b->store, b->variable, at, failure);
        if (status) return status;
        for (int d = 0; d < a->rank; d++) {
            size_t first = at[d] * a->chunk[d], low = first > start[d] ? first : start[d], end = start[d] + count[d];
            size_t high = first + a->chunk[d] < end ? first + a->chunk[d] : end;
            part[d] = high - low;
            from += (low - first) * chunk_step[d];
            to += (low - start[d]) * box_step[d];
        }
        copy_part(b->store->chunk + from * each, chunk_step, (uint8_t *)out + to * each, box_step, part, a->rank, each);
        int d = a->rank - 1;
        for (; d >= 0; d--) {
            if (++at[d] * a->chunk[d] < start[d] + count[d]) break;
            at[d] = start[d] / a->chunk[d];
        }
        if (d < 0) return VIRGA_OK;
    }
}

static int prepare_chunk(struct zarr_store *s, const struct zarr_variable *v, struct failure *failure) {
    if (v->array.chunk_bytes > s->max_chunk)
        return failure_set(failure, VIRGA_TOO_LARGE, "%s: its stored chunks are larger than the %zu MiB that a reader may hold", v->name,
                           s->max_chunk >> 20);
    if (v->array.chunk_bytes <= s->chunk_room) return VIRGA_OK;
    free(s->chunk);
    s->chunk_there = false;
    s->chunk = malloc(v->array.chunk_bytes);
    s->chunk_room = s->chunk ? v->array.chunk_bytes : 0;
    return s->chunk ? VIRGA_OK : failure_set(failure, VIRGA_TOO_LARGE, "%s: no memory for a chunk", v->name);
}

static int zarr_read(void *file, const struct source_slab_request *request, void *out, size_t bytes, struct source_slab_shape *shape,
                     struct failure *failure) {
    struct zarr_store *s = file;
    if (request->variable >= s->variable_count) return failure_set(failure, VIRGA_INVALID, "no such variable");
    const struct zarr_variable *v = &s->variables[request->variable];
    const struct reader_zarr_array *a = &v->array;
    int status = source_slab_shape(request, a->type, a->rank, a->shape, bytes, shape, failure);
    if (!status && shape->bytes != bytes) status = failure_set(failure, VIRGA_INVALID, "the slab's size is not the request's");
    if (!status) status = prepare_chunk(s, v, failure);
    if (status) return status;
    struct box_reader box = {.store = s, .variable = request->variable};
    struct reader_array array = {.type = a->type, .rank = a->rank, .read = read_box, .context = &box};
    for (int d = 0; d < a->rank; d++) array.step[d] = a->chunk[d];
    return request->reduction == REDUCE_NONE ? read_box(&box, request->start, request->count, out, failure) :
                                               reader_reduce(&array, request, shape, out, failure);
}

const struct reader_format reader_zarr = {
    .name = "Zarr",
    .recognises = zarr_recognises,
    .open = zarr_open,
    .list = zarr_list,
    .read = zarr_read,
    .close = zarr_close,
};
