// SPDX-License-Identifier: Apache-2.0
// netCDF classic, 64-bit offset, CDF-5 and netCDF-4 through netCDF-C. Runs confined: whatever a malformed file does to the
// library ends with this process.
#include <math.h>
#include <netcdf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "source/reader_classic.h"
#include "source/reader_format.h"
#include "source/reader_list.h"
#include "source/reader_reduce.h"

enum {
    MAX_VARIABLES = 20000, MAX_DIMENSIONS = 20000, MAX_ATTRIBUTES = 4096, MAX_GROUPS = 2000, MAX_DEPTH = 16,
    MAX_NUMBERS = 65536,         // of one attribute
    MAX_TEXT_BYTES = 1 << 18,    // of one attribute
    MAX_STRINGS = 4096,          // of one attribute
    MAX_FLAGS = 4096,            // names of one enumeration
    MAX_CHUNK_BYTES = 256 << 20,
    SMALL_CACHE = 1 << 20, CACHE_SLOTS = 521,
};

struct netcdf_variable {
    int group, id;
    nc_type stored;
    enum source_type type;
    int rank;
    size_t lengths[SOURCE_MAX_RANK], chunk[SOURCE_MAX_RANK];
    bool chunked;
};

struct netcdf_dimension {
    int id;
    char *name;
    size_t length;
    bool unlimited;
};

struct netcdf_file {
    int id;
    bool remote;                    // opened by reader_netcdf_open_name
    struct reader_classic classic;  // empty for netCDF-4
    size_t max_chunk;               // bytes
    struct arena arena;  // names and notes below, as long as the file is open
    size_t group_count, dimension_count, variable_count, note_count;
    struct netcdf_dimension *dimensions;
    struct netcdf_variable *variables;
    char **names;  // of variables
    char **notes;
    size_t dimension_room, variable_room, note_room;
    size_t opening_notes;  // those made when it was opened; each list adds its own to them
    long cached;   // the one variable with a large chunk cache, or -1
};

static int library_failure(int error, const char *what, struct failure *failure) {
    if (error == NC_ENOMEM) return failure_set(failure, VIRGA_TOO_LARGE, "%s: needs more memory than a reader may use", what);
    return failure_set(failure, VIRGA_UNREADABLE, "%s: %s", what, nc_strerror(error));
}

static void add_note(struct netcdf_file *f, const char *name, const char *what) {
    char text[1024];
    int n = snprintf(text, sizeof text, "%s: %s", name, what);
    if (n < 0 || f->note_count >= MAX_VARIABLES) return;
    char **grown = memory_one_more(f->notes, f->note_count, &f->note_room, sizeof *grown);
    char *copy = grown ? arena_text(&f->arena, text, strlen(text)) : NULL;
    if (grown) f->notes = grown;
    if (copy) f->notes[f->note_count++] = copy;
}

static bool netcdf_recognises(int fd, const uint8_t *head, size_t bytes) {
    static const uint8_t hdf5[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
    if (bytes >= 4 && !memcmp(head, "CDF", 3)) return true;
    for (off_t at = 0; at <= 65536; at = at ? at * 2 : 512) {
        uint8_t here[8];
        if (pread(fd, here, sizeof here, at) == sizeof here && !memcmp(here, hdf5, sizeof here)) return true;
    }
    return false;
}

static enum source_type type_of(int group, nc_type type) {
    static const enum source_type atomic[] = {
        [NC_BYTE] = SOURCE_I8, [NC_CHAR] = SOURCE_CHAR, [NC_SHORT] = SOURCE_I16, [NC_INT] = SOURCE_I32,
        [NC_FLOAT] = SOURCE_F32, [NC_DOUBLE] = SOURCE_F64, [NC_UBYTE] = SOURCE_U8, [NC_USHORT] = SOURCE_U16,
        [NC_UINT] = SOURCE_U32, [NC_INT64] = SOURCE_I64, [NC_UINT64] = SOURCE_U64, [NC_STRING] = SOURCE_STRING,
    };
    if (type > 0 && type <= NC_STRING) return atomic[type];
    nc_type base;
    int class;
    if (nc_inq_user_type(group, type, NULL, NULL, &base, NULL, &class) || class != NC_ENUM) return SOURCE_OTHER;
    return base > 0 && base < NC_STRING ? atomic[base] : SOURCE_OTHER;
}

static int list_dimensions(struct netcdf_file *f, int group, const char *path, struct failure *failure) {
    int count = 0, unlimited_count = 0;
    int error = nc_inq_dimids(group, &count, NULL, 0);
    if (error) return library_failure(error, "dimensions", failure);
    if (count < 0 || f->dimension_count + (size_t)count > MAX_DIMENSIONS)
        return failure_set(failure, VIRGA_TOO_LARGE, "it has more than %d dimensions", MAX_DIMENSIONS);
    int *ids = calloc((size_t)count + 1, sizeof *ids), *unlimited = NULL;
    if (!ids) return reader_list_no_memory(failure);
    error = nc_inq_dimids(group, &count, ids, 0);
    if (!error) error = nc_inq_unlimdims(group, &unlimited_count, NULL);
    if (!error) unlimited = calloc((size_t)unlimited_count + 1, sizeof *unlimited);
    if (!error && unlimited) error = nc_inq_unlimdims(group, &unlimited_count, unlimited);
    int status = error ? library_failure(error, "dimensions", failure) : VIRGA_OK;
    if (!unlimited && !status) status = reader_list_no_memory(failure);
    for (int i = 0; i < count && !status; i++) {
        char name[NC_MAX_NAME + 1] = "";
        struct netcdf_dimension d = {.id = ids[i]};
        error = nc_inq_dim(group, ids[i], name, &d.length);
        if (error) {
            status = library_failure(error, "dimensions", failure);
            break;
        }
        for (int u = 0; u < unlimited_count; u++) d.unlimited |= unlimited[u] == ids[i];
        d.name = reader_list_name(&f->arena, path, name);
        struct netcdf_dimension *grown = memory_one_more(f->dimensions, f->dimension_count, &f->dimension_room, sizeof *grown);
        if (grown) f->dimensions = grown;
        if (!grown || !d.name) status = reader_list_no_memory(failure);
        else f->dimensions[f->dimension_count++] = d;
    }
    free(unlimited);
    free(ids);
    return status;
}

static const struct netcdf_dimension *find_dimension(const struct netcdf_file *f, int id) {
    for (size_t i = 0; i < f->dimension_count; i++)
        if (f->dimensions[i].id == id) return &f->dimensions[i];
    return NULL;
}

// Fills in shape and storage. Where it returns false the variable is left out and a note says why.
static bool describe_variable(struct netcdf_file *f, const char *name, struct netcdf_variable *v, int *dimension_ids) {
    int storage = NC_CONTIGUOUS;
    if (nc_inq_varndims(v->group, v->id, &v->rank) || v->rank < 0 || v->rank > SOURCE_MAX_RANK) {
        add_note(f, name, "left out: it has more than 16 dimensions");
        return false;
    }
    if (nc_inq_vardimid(v->group, v->id, dimension_ids) || nc_inq_vartype(v->group, v->id, &v->stored)) {
        add_note(f, name, "left out: it cannot be described");
        return false;
    }
    for (int d = 0; d < v->rank; d++) {
        const struct netcdf_dimension *dimension = find_dimension(f, dimension_ids[d]);
        if (!dimension) {
            add_note(f, name, "left out: one of its dimensions is not there");
            return false;
        }
        v->lengths[d] = v->chunk[d] = dimension->length;
    }
    v->type = type_of(v->group, v->stored);
    if (v->type == SOURCE_OTHER) add_note(f, name, "is of a compound or other type made by its writer, and cannot be read");
    size_t chunk[NC_MAX_VAR_DIMS];
    if (v->rank && !nc_inq_var_chunking(v->group, v->id, &storage, chunk) && storage == NC_CHUNKED) {
        v->chunked = true;
        for (int d = 0; d < v->rank; d++) v->chunk[d] = chunk[d] ? chunk[d] : 1;
    }
    return true;
}

static int list_variables(struct netcdf_file *f, int group, const char *path, struct failure *failure) {
    int count = 0;
    int error = nc_inq_nvars(group, &count);
    if (error) return library_failure(error, "variables", failure);
    if (count < 0 || f->variable_count + (size_t)count > MAX_VARIABLES)
        return failure_set(failure, VIRGA_TOO_LARGE, "it has more than %d variables", MAX_VARIABLES);
    for (int i = 0; i < count; i++) {
        char name[NC_MAX_NAME + 1] = "";
        int ids[NC_MAX_VAR_DIMS];
        struct netcdf_variable v = {.group = group, .id = i};
        error = nc_inq_varname(group, i, name);
        if (error) return library_failure(error, "variables", failure);
        char *full = reader_list_name(&f->arena, path, name);
        if (!full) return reader_list_no_memory(failure);
        if (!describe_variable(f, full, &v, ids)) continue;
        size_t room = f->variable_room;
        struct netcdf_variable *grown = memory_one_more(f->variables, f->variable_count, &room, sizeof *grown);
        if (grown) f->variables = grown;
        room = f->variable_room;
        char **names = grown ? memory_one_more(f->names, f->variable_count, &room, sizeof *names) : NULL;
        if (!names) return reader_list_no_memory(failure);
        f->names = names;
        f->variable_room = room;
        f->names[f->variable_count] = full;
        f->variables[f->variable_count++] = v;
    }
    return VIRGA_OK;
}

static int list_group(struct netcdf_file *f, int group, const char *path, int depth, struct failure *failure) {
    int count = 0;
    if (++f->group_count > MAX_GROUPS || depth > MAX_DEPTH)
        return failure_set(failure, VIRGA_TOO_LARGE, "it has more than %d groups, or groups %d deep", MAX_GROUPS, MAX_DEPTH);
    int status = list_dimensions(f, group, path, failure);
    if (!status) status = list_variables(f, group, path, failure);
    if (status || nc_inq_grps(group, &count, NULL) || count <= 0) return status;
    if (count > MAX_GROUPS) return failure_set(failure, VIRGA_TOO_LARGE, "it has more than %d groups", MAX_GROUPS);
    int *ids = calloc((size_t)count, sizeof *ids);
    if (!ids) return reader_list_no_memory(failure);
    int error = nc_inq_grps(group, &count, ids);
    if (error) status = library_failure(error, "groups", failure);
    for (int i = 0; i < count && !status; i++) {
        char name[NC_MAX_NAME + 1] = "";
        char *inner = nc_inq_grpname(ids[i], name) ? NULL : reader_list_name(&f->arena, path, name);
        status = inner ? list_group(f, ids[i], inner, depth + 1, failure) : reader_list_no_memory(failure);
    }
    free(ids);
    return status;
}

static void netcdf_close(void *file) {
    struct netcdf_file *f = file;
    if (!f) return;
    if (f->id >= 0) nc_close(f->id);
    reader_classic_close(&f->classic);
    free(f->dimensions);
    free(f->variables);
    free(f->names);
    free(f->notes);
    arena_destroy(&f->arena);
    free(f);
}

// fd: of the file, or -1 for what is no file here.
static int open_name(int fd, const char *name, size_t memory, void **file, struct failure *failure) {
    struct netcdf_file *f = calloc(1, sizeof *f);
    *file = NULL;
    if (!f) return reader_list_no_memory(failure);
    f->id = -1;
    f->remote = fd < 0;
    f->cached = -1;
    f->arena.limit = 64 << 20;
    f->max_chunk = memory / 4 < MAX_CHUNK_BYTES ? memory / 4 : MAX_CHUNK_BYTES;
    int status = fd < 0 ? VIRGA_OK : reader_classic_open(fd, &f->classic, failure);
    int error = status ? NC_NOERR : nc_open(name, NC_NOWRITE, &f->id);
    if (status || error) f->id = -1;
    if (error) status = library_failure(error, "not a readable netCDF file", failure);
    if (!status) status = list_group(f, f->id, "", 0, failure);
    f->opening_notes = f->note_count;
    if (status) netcdf_close(f);
    else *file = f;
    return status;
}

int reader_netcdf_open_name(const char *name, size_t memory, void **file, struct failure *failure) {
    return open_name(-1, name, memory, file, failure);
}

static int netcdf_open(int fd, size_t memory, void **file, struct failure *failure) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return open_name(fd, path, memory, file, failure);
}

// A copy as UTF-8: what is none is taken for Latin-1, as old files have their degree signs.
static char *copy_text(struct arena *arena, const char *text) {
    size_t length = strlen(text);
    if (utf8_valid(text)) return arena_text(arena, text, length);
    char *copy = arena_new(arena, 2 * length + 1, 1);
    if (copy) utf8_from_latin1(text, copy);
    return copy;
}

// A copy of a text attribute up to its first zero; NULL when out of memory.
static char *text_attribute(struct arena *arena, int group, int variable, const char *name, size_t length, int *error) {
    char *text = calloc(length + 1, 1), *copy = NULL;
    *error = text ? nc_get_att_text(group, variable, name, text) : NC_ENOMEM;
    if (!*error) copy = copy_text(arena, text);
    free(text);
    return copy;
}

// The first string of the attribute.
static char *string_attribute(struct arena *arena, int group, int variable, const char *name, size_t count, int *error) {
    char **texts = calloc(count + 1, sizeof *texts), *copy = NULL;
    *error = texts ? nc_get_att_string(group, variable, name, texts) : NC_ENOMEM;
    if (!*error) {
        const char *first = count && texts[0] ? texts[0] : "";
        if (strlen(first) <= MAX_TEXT_BYTES) copy = copy_text(arena, first);
        else *error = NC_EATTMETA;
        nc_free_string(count, texts);
    }
    free(texts);
    return copy;
}

static int numeric_attribute(struct arena *arena, int group, int variable, const char *name, struct source_attribute *a) {
    a->numbers = arena_new(arena, a->count, sizeof *a->numbers);
    if (!a->numbers) return NC_ENOMEM;
    if (!source_type_is_integer(a->type)) return nc_get_att_double(group, variable, name, a->numbers);
    a->integers = arena_new(arena, a->count, sizeof *a->integers);
    if (!a->integers) return NC_ENOMEM;
    int error = a->type == SOURCE_U64 ?
        nc_get_att_ulonglong(group, variable, name, (unsigned long long *)a->integers) :
        nc_get_att_longlong(group, variable, name, (long long *)a->integers);
    for (size_t i = 0; i < a->count && !error; i++)
        a->numbers[i] = a->type == SOURCE_U64 ? (double)(uint64_t)a->integers[i] : (double)a->integers[i];
    return error;
}

// The number of an enumeration's base type at `raw`.
static int64_t enum_number(enum source_type type, const void *raw) {
    switch (type) {
        case SOURCE_I8: return *(const int8_t *)raw;
        case SOURCE_U8: return *(const uint8_t *)raw;
        case SOURCE_I16: return *(const int16_t *)raw;
        case SOURCE_U16: return *(const uint16_t *)raw;
        case SOURCE_I32: return *(const int32_t *)raw;
        case SOURCE_U32: return *(const uint32_t *)raw;
        default: return *(const int64_t *)raw;
    }
}

static int room_for_integers(struct arena *arena, struct source_attribute *a) {
    a->numbers = arena_new(arena, a->count, sizeof *a->numbers);
    a->integers = arena_new(arena, a->count, sizeof *a->integers);
    return a->numbers && a->integers ? NC_NOERR : NC_ENOMEM;
}

static void set_integer(struct source_attribute *a, size_t n, int64_t integer) {
    a->integers[n] = integer;
    a->numbers[n] = a->type == SOURCE_U64 ? (double)(uint64_t)integer : (double)integer;
}

// An attribute of an enumeration's type, such as its variable's _FillValue: its numbers.
static int enum_attribute(struct arena *arena, int group, int variable, const char *name, struct source_attribute *a) {
    size_t size = source_type_size(a->type);
    char *raw = calloc(a->count + 1, size);
    int error = raw ? room_for_integers(arena, a) : NC_ENOMEM;
    if (!error) error = nc_get_att(group, variable, name, raw);
    for (size_t n = 0; n < a->count && !error; n++) set_integer(a, n, enum_number(a->type, raw + n * size));
    free(raw);
    return error;
}

// A variable of an enumeration is shown as CF has it: numbers with flag_values. *kept is false for other variables.
static int list_flags(struct arena *arena, int group, int variable, struct source_attribute *a, bool *kept, struct failure *failure) {
    nc_type type;
    size_t count = 0;
    *kept = false;
    if (nc_inq_vartype(group, variable, &type) || type <= NC_STRING || nc_inq_enum(group, type, NULL, NULL, NULL, &count) || count > MAX_FLAGS) return VIRGA_OK;
    *a = (struct source_attribute){.name = arena_text(arena, "flag_values", 11), .type = type_of(group, type), .count = count};
    if (!source_type_is_integer(a->type)) return VIRGA_OK;
    if (!a->name || room_for_integers(arena, a)) return reader_list_no_memory(failure);
    for (size_t n = 0; n < count; n++) {
        int64_t raw[2] = {0};
        if (nc_inq_enum_member(group, type, (int)n, NULL, raw)) return VIRGA_OK;
        set_integer(a, n, enum_number(a->type, raw));
    }
    *kept = true;
    return VIRGA_OK;
}

// VIRGA_OK with *kept false where the attribute is left out; a note says why.
static int list_attribute(struct netcdf_file *f, struct arena *arena, int group, int variable, int number, const char *owner,
                          struct source_attribute *a, bool *kept, struct failure *failure) {
    char name[NC_MAX_NAME + 1] = "", what[2 * NC_MAX_NAME];
    nc_type stored;
    *kept = false;
    int error = nc_inq_attname(group, variable, number, name);
    if (!error) error = nc_inq_att(group, variable, name, &stored, &a->count);
    snprintf(what, sizeof what, "%s%s%s", owner, *owner ? ":" : "", name);
    if (error) {
        add_note(f, what, nc_strerror(error));
        return VIRGA_OK;
    }
    a->type = type_of(group, stored);
    if (stored > NC_STRING && !source_type_is_integer(a->type)) a->type = SOURCE_OTHER;
    size_t most = a->type == SOURCE_CHAR ? MAX_TEXT_BYTES : a->type == SOURCE_STRING ? MAX_STRINGS : MAX_NUMBERS;
    if (a->type == SOURCE_OTHER || a->count > most) {
        add_note(f, what, a->type == SOURCE_OTHER ? "attribute left out: of a type made by its writer" :
                                                    "attribute left out: too large");
        return VIRGA_OK;
    }
    a->name = arena_text(arena, name, strlen(name));
    if (!a->name) return reader_list_no_memory(failure);
    if (a->type == SOURCE_CHAR) a->text = text_attribute(arena, group, variable, name, a->count, &error);
    else if (a->type == SOURCE_STRING) a->text = string_attribute(arena, group, variable, name, a->count, &error);
    else if (stored > NC_STRING) error = enum_attribute(arena, group, variable, name, a);
    else error = numeric_attribute(arena, group, variable, name, a);
    if (error == NC_ENOMEM || (!error && a->type >= SOURCE_CHAR && !a->text)) return reader_list_no_memory(failure);
    if (error) add_note(f, what, nc_strerror(error));
    if (a->text) a->count = strlen(a->text);
    *kept = !error;
    return VIRGA_OK;
}

static int list_attributes(struct netcdf_file *f, struct arena *arena, int group, int variable, const char *owner,
                           struct source_attribute **list, size_t *count, struct failure *failure) {
    int n = 0, status = VIRGA_OK;
    int error = variable == NC_GLOBAL ? nc_inq_natts(group, &n) : nc_inq_varnatts(group, variable, &n);
    *count = 0;
    if (error || n < 0 || n > MAX_ATTRIBUTES) {
        add_note(f, owner, error ? nc_strerror(error) : "attributes left out: too many");
        n = 0;
    }
    *list = arena_new(arena, (size_t)n + 1, sizeof **list);
    if (!*list) return reader_list_no_memory(failure);
    for (int i = 0; i < n && !status; i++) {
        bool kept;
        struct source_attribute *a = &(*list)[*count];
        memset(a, 0, sizeof *a);
        status = list_attribute(f, arena, group, variable, i, owner, a, &kept, failure);
        *count += kept;
    }
    bool flags = false;
    if (!status && variable != NC_GLOBAL) status = list_flags(arena, group, variable, &(*list)[*count], &flags, failure);
    *count += flags;
    return status;
}

// The library's own fill value, where nothing else marks what was never written.
static void find_fill(const struct netcdf_variable *v, struct source_variable *out) {
    static const double fills[] = {
        [SOURCE_I16] = NC_FILL_SHORT, [SOURCE_U16] = NC_FILL_USHORT, [SOURCE_I32] = NC_FILL_INT, [SOURCE_U32] = NC_FILL_UINT,
        [SOURCE_I64] = (double)NC_FILL_INT64, [SOURCE_U64] = (double)NC_FILL_UINT64,
        [SOURCE_F32] = NC_FILL_FLOAT, [SOURCE_F64] = NC_FILL_DOUBLE,
    };
    int no_fill = 0;
    size_t length;
    bool own = !nc_inq_attlen(v->group, v->id, "_FillValue", &length);
    out->netcdf_fill = NAN;
    if (own || source_type_size(v->type) < 2) return;
    if (nc_inq_var_fill(v->group, v->id, &no_fill, NULL) || no_fill) return;
    out->has_netcdf_fill = true;
    out->netcdf_fill = fills[v->type];
}

static int list_variable(struct netcdf_file *f, struct arena *arena, size_t i, struct source_variable *out,
                         struct failure *failure) {
    const struct netcdf_variable *v = &f->variables[i];
    int ids[NC_MAX_VAR_DIMS];
    out->name = arena_text(arena, f->names[i], strlen(f->names[i]));
    if (!out->name) return reader_list_no_memory(failure);
    out->type = v->type;
    out->rank = v->rank;
    out->chunked = v->chunked;
    memcpy(out->chunk, v->chunk, sizeof out->chunk);
    int error = nc_inq_vardimid(v->group, v->id, ids);
    if (error) return library_failure(error, f->names[i], failure);
    for (int d = 0; d < v->rank; d++) {
        const struct netcdf_dimension *dimension = find_dimension(f, ids[d]);
        if (!dimension) return failure_set(failure, VIRGA_UNREADABLE, "%s: one of its dimensions is not there", f->names[i]);
        out->dimensions[d] = (size_t)(dimension - f->dimensions);
    }
    find_fill(v, out);
    return list_attributes(f, arena, v->group, v->id, f->names[i], &out->attributes, &out->attribute_count, failure);
}

static const char *format_name(int id) {
    int format = 0;
    if (nc_inq_format(id, &format)) return "netCDF";
    switch (format) {
    case NC_FORMAT_CLASSIC: return "netCDF classic";
    case NC_FORMAT_64BIT_OFFSET: return "netCDF 64-bit offset";
    case NC_FORMAT_64BIT_DATA: return "netCDF CDF-5";
    case NC_FORMAT_NETCDF4: return "netCDF-4";
    case NC_FORMAT_NETCDF4_CLASSIC: return "netCDF-4 classic model";
    default: return "netCDF";
    }
}

static int netcdf_list(void *file, struct arena *arena, struct source_inventory *out, struct failure *failure) {
    struct netcdf_file *f = file;
    const char *format = format_name(f->id);
    memset(out, 0, sizeof *out);
    f->note_count = f->opening_notes;
    out->format = arena_text(arena, format, strlen(format));
    out->dimensions = arena_new(arena, f->dimension_count, sizeof *out->dimensions);
    out->variables = arena_new(arena, f->variable_count, sizeof *out->variables);
    if (!out->format || !out->dimensions || !out->variables) return reader_list_no_memory(failure);
    for (size_t i = 0; i < f->dimension_count; i++) {
        const struct netcdf_dimension *d = &f->dimensions[i];
        out->dimensions[i] = (struct source_dimension){.name = d->name, .length = d->length, .unlimited = d->unlimited};
    }
    out->dimension_count = f->dimension_count;
    int status = VIRGA_OK;
    for (size_t i = 0; i < f->variable_count && !status; i++) status = list_variable(f, arena, i, &out->variables[i], failure);
    if (status) return status;
    out->variable_count = f->variable_count;
    status = list_attributes(f, arena, f->id, NC_GLOBAL, "", &out->attributes, &out->attribute_count, failure);
    out->notes = f->notes;
    out->note_count = f->note_count;
    return status;
}

// Gives this variable a chunk cache that holds one chunk, and takes the last one's away, so that one is held in all.
static int prepare_cache(struct netcdf_file *f, size_t i, struct failure *failure) {
    const struct netcdf_variable *v = &f->variables[i];
    size_t bytes = source_type_size(v->type);
    if (!v->chunked || f->cached == (long)i) return VIRGA_OK;
    for (int d = 0; d < v->rank; d++)
        if (memory_multiply(bytes, v->chunk[d], &bytes) || bytes > f->max_chunk)
            return failure_set(failure, VIRGA_TOO_LARGE, "%s: its stored chunks are larger than the %zu MiB that a reader may hold",
                               f->names[i], f->max_chunk >> 20);
    if (f->cached >= 0) {
        const struct netcdf_variable *last = &f->variables[f->cached];
        nc_set_var_chunk_cache(last->group, last->id, 0, CACHE_SLOTS, 1);
    }
    f->cached = (long)i;
    nc_set_var_chunk_cache(v->group, v->id, bytes > SMALL_CACHE ? bytes : SMALL_CACHE, CACHE_SLOTS, 1);
    return VIRGA_OK;
}

struct box_reader {
    const struct netcdf_file *file;
    size_t variable;
};

// Where a server sends too few values, netCDF-C prints a line, leaves the rest of `out` as it was and answers with success. Its last
// number is written last: if that keeps two different marks, nothing was.
static int read_remote(const struct netcdf_variable *v, const size_t *start, const size_t *count, void *out, bool *missing) {
    size_t size = source_type_size(v->type), numbers = 1;
    for (int d = 0; d < v->rank; d++) numbers *= count[d];
    uint8_t *last = (uint8_t *)out + (numbers - 1) * size;
    *missing = true;
    for (int mark = 0xa5; numbers && *missing; mark -= 0x4b) {
        memset(last, mark, size);
        int error = nc_get_vara(v->group, v->id, start, count, out);
        if (error) return error;
        for (size_t i = 0; i < size; i++) *missing = *missing && last[i] == mark;
        if (mark != 0xa5) break;
    }
    *missing = *missing && numbers;
    return NC_NOERR;
}

static int read_box(void *context, const size_t *start, const size_t *count, void *out, struct failure *failure) {
    const struct box_reader *b = context;
    const struct netcdf_variable *v = &b->file->variables[b->variable];
    bool missing = false;
    int error = b->file->remote ? read_remote(v, start, count, out, &missing) : nc_get_vara(v->group, v->id, start, count, out);
    if (missing) return failure_set(failure, VIRGA_UNREADABLE, "%s: the server sent fewer values than were asked for", b->file->names[b->variable]);
    return error ? library_failure(error, b->file->names[b->variable], failure) : VIRGA_OK;
}

static int netcdf_read(void *file, const struct source_slab_request *request, void *out, size_t bytes,
                       struct source_slab_shape *shape, struct failure *failure) {
    struct netcdf_file *f = file;
    if (request->variable >= f->variable_count) return failure_set(failure, VIRGA_INVALID, "no such variable");
    const struct netcdf_variable *v = &f->variables[request->variable];
    int status = source_slab_shape(request, v->type, v->rank, v->lengths, bytes, shape, failure);
    if (!status && shape->bytes != bytes) status = failure_set(failure, VIRGA_INVALID, "the slab's size is not the request's");
    if (!status && !reader_classic_holds(&f->classic, (size_t)v->id, v->rank, v->lengths, request->start, request->count,
                                         source_type_size(v->type)))
        status = failure_set(failure, VIRGA_UNREADABLE, "%s: the file is truncated: it ends before these values",
                             f->names[request->variable]);
    if (!status) status = prepare_cache(f, request->variable, failure);
    if (status) return status;
    struct box_reader box = {.file = f, .variable = request->variable};
    if (request->reduction == REDUCE_NONE) return read_box(&box, request->start, request->count, out, failure);
    struct reader_array array = {.type = v->type, .rank = v->rank, .read = read_box, .context = &box};
    for (int d = 0; d < v->rank; d++) array.step[d] = v->chunked ? v->chunk[d] : 1;
    return reader_reduce(&array, request, shape, out, failure);
}

const struct reader_format reader_netcdf = {
    .name = "netCDF",
    .recognises = netcdf_recognises,
    .open = netcdf_open,
    .list = netcdf_list,
    .read = netcdf_read,
    .close = netcdf_close,
};
