// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/made_source.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "source/source_address.h"
#include "source/source_of_engine.h"
#include "source/source_url.h"

enum { DIMENSIONS = 24, VARIABLES = 48, ATTRIBUTES = 16, NUMBERS = 64, SLAB_MAX = 1 << 22 };

struct made_data { double numbers[NUMBERS]; size_t count; bool goes_on; };

struct source {
    char *path;
    size_t open;
    struct arena arena;
    struct source_inventory inventory;
    struct source_identity identity;
    struct made_data data[VARIABLES];
};

static struct source files[MADE_FILES];
static size_t file_count;

// --- text --------------------------------------------------------------------------------------------------------------

static char *word(char **at) {
    *at += strspn(*at, " ");
    if (!**at) return NULL;
    char *begin = *at;
    *at += strcspn(begin, " ");
    if (**at) *(*at)++ = 0;
    return begin;
}

static char *keep(struct source *s, const char *text) { return arena_text(&s->arena, text, strlen(text)); }

static void add_dimension(struct source *s, char *rest) {
    char *name = word(&rest), *length = word(&rest);
    if (!name || !length || s->inventory.dimension_count == DIMENSIONS) return;
    s->inventory.dimensions[s->inventory.dimension_count++] = (struct source_dimension){.name = keep(s, name), .length = strtoull(length, NULL, 10)};
}

static bool find_dimension(const struct source *s, const char *name, size_t *index) {
    for (*index = 0; *index < s->inventory.dimension_count; ++*index)
        if (!strcmp(s->inventory.dimensions[*index].name, name)) return true;
    return false;
}

// What the reader refuses never reaches the layers above: shapes of more points than a size_t counts.
static bool countable(const struct source *s, const struct source_variable *v) {
    size_t points = 8;
    for (int d = 0; d < v->rank; d++)
        if (__builtin_mul_overflow(points, s->inventory.dimensions[v->dimensions[d]].length, &points)) return false;
    return true;
}

static void add_variable(struct source *s, char *rest) {
    struct source_inventory *i = &s->inventory;
    char *type = word(&rest), *name = word(&rest), *dimension;
    if (!type || !name || i->variable_count == VARIABLES) return;
    struct source_variable *v = &i->variables[i->variable_count];
    *v = (struct source_variable){.type = (enum source_type)(strtoul(type, NULL, 10) % 13), .netcdf_fill = NAN};
    while (v->rank < SOURCE_MAX_RANK && (dimension = word(&rest)))
        if (find_dimension(s, dimension, &v->dimensions[v->rank])) {
            v->chunk[v->rank] = i->dimensions[v->dimensions[v->rank]].length;
            v->rank++;
        }
    if (!countable(s, v)) return;
    v->name = keep(s, name);
    v->attributes = arena_new(&s->arena, ATTRIBUTES, sizeof *v->attributes);
    s->data[i->variable_count++] = (struct made_data){.numbers = {0, 1}, .count = 2, .goes_on = true};
}

static struct source_attribute *new_attribute(struct source *s, const char *name) {
    struct source_inventory *i = &s->inventory;
    struct source_variable *v = i->variable_count ? &i->variables[i->variable_count - 1] : NULL;
    size_t *count = v ? &v->attribute_count : &i->attribute_count;
    if (!name || *count == ATTRIBUTES) return NULL;
    struct source_attribute *a = &(v ? v->attributes : i->attributes)[(*count)++];
    a->name = keep(s, name);
    return a;
}

static void add_text(struct source *s, char *rest) {
    struct source_attribute *a = new_attribute(s, word(&rest));
    if (!a) return;
    a->type = SOURCE_CHAR, a->count = strlen(rest);
    a->text = keep(s, rest);
}

static int64_t as_integer(double x) { return x >= -9e18 && x <= 9e18 ? (int64_t)x : INT64_MIN; }

static void add_numbers(struct source *s, char *rest) {
    struct source_attribute *a = new_attribute(s, word(&rest));
    char *type = word(&rest), *number;
    if (!a) return;
    a->type = type ? (enum source_type)(strtoul(type, NULL, 10) % 10) : SOURCE_F64;
    a->numbers = arena_new(&s->arena, NUMBERS, sizeof *a->numbers);
    while (a->count < NUMBERS && (number = word(&rest))) a->numbers[a->count++] = strtod(number, NULL);
    if (a->type >= SOURCE_F32) return;
    a->integers = arena_new(&s->arena, NUMBERS, sizeof *a->integers);
    for (size_t n = 0; n < a->count; n++) a->integers[n] = as_integer(a->numbers[n]), a->numbers[n] = (double)a->integers[n];
}

static void add_data(struct source *s, char *rest) {
    if (!s->inventory.variable_count) return;
    struct made_data *data = &s->data[s->inventory.variable_count - 1];
    *data = (struct made_data){0};
    for (char *number; data->count < NUMBERS && (number = word(&rest));)
        if (!strcmp(number, "...")) data->goes_on = true;
        else data->numbers[data->count++] = strtod(number, NULL);
    if (!data->count) data->count = 1;
}

static void begin_file(void) {
    struct source *s = &files[file_count++];
    char *path = s->path;
    memset(s, 0, sizeof *s);
    s->path = path;
    s->arena.limit = 16 << 20;
    s->inventory.dimensions = arena_new(&s->arena, DIMENSIONS, sizeof *s->inventory.dimensions);
    s->inventory.variables = arena_new(&s->arena, VARIABLES, sizeof *s->inventory.variables);
    s->inventory.attributes = arena_new(&s->arena, ATTRIBUTES, sizeof *s->inventory.attributes);
    s->inventory.format = keep(s, "made");
    s->identity = (struct source_identity){1, file_count, 1, 1};
}

static void take_line(char *line) {
    static const struct { const char *begins; void (*add)(struct source *, char *); } kinds[] = {
        {"dim ", add_dimension}, {"var ", add_variable}, {"text ", add_text}, {"numbers ", add_numbers}, {"data ", add_data}};
    if (!strcmp(line, "file") && file_count < MADE_FILES) begin_file();
    for (size_t n = 0; n < sizeof kinds / sizeof *kinds; n++)
        if (!strncmp(line, kinds[n].begins, strlen(kinds[n].begins))) kinds[n].add(&files[file_count - 1], line + strlen(kinds[n].begins));
}

// Text in an inventory is UTF-8 without zeros: the protocol's decoder sees to it.
static void clean(char *text, size_t size) {
    for (size_t n = 0; n < size; n++)
        if (!text[n] || text[n] & 0x80) text[n] = '?';
}

// catalog_open looks at paths itself: they are files, with a first byte that is let through.
static void make_paths(void) {
    for (size_t n = 0; n < MADE_FILES && !files[n].path; n++) {
        char path[] = "/tmp/virga-made-XXXXXX.nc";
        int fd = mkstemps(path, 3);
        if (fd < 0 || write(fd, "CDF\1    ", 8) != 8 || close(fd)) abort();
        files[n].path = strdup(path);
    }
}

static void remove_paths(void) {
    for (size_t n = 0; n < MADE_FILES; n++)
        if (files[n].path) unlink(files[n].path), free(files[n].path);
}

size_t made_sources(const char *text, size_t size) {
    if (!files[0].path) {
        make_paths();
        atexit(remove_paths);
    }
    char *copy = malloc(size + 1), *at = copy;
    if (!copy) abort();
    memcpy(copy, text, size);
    clean(copy, size);
    copy[size] = 0;
    file_count = 0;
    begin_file();
    for (char *line; (line = strsep(&at, "\n"));) take_line(line);
    free(copy);
    return file_count;
}

const char *made_path(size_t n) { return files[n].path; }

void made_sources_clear(void) {
    for (size_t n = 0; n < file_count; n++) {
        if (files[n].open) abort();  // somebody kept a reference
        arena_destroy(&files[n].arena);
    }
    file_count = 0;
}

// --- what the layers above call ----------------------------------------------------------------------------------------

int source_open(struct source_pool *pool, const char *path, struct source **source, struct failure *failure) {
    (void)pool;
    for (size_t n = 0; n < file_count; n++)
        if (!strcmp(files[n].path, path)) return *source = source_ref(&files[n]), VIRGA_OK;
    return failure_set(failure, VIRGA_NOT_FOUND, "%s: no such file", path);
}

struct source *source_ref(struct source *source) {
    source->open++;
    return source;
}

void source_unref(struct source *source) {
    if (source) source->open--;
}

const char *source_path(const struct source *source) { return source->path; }
const struct source_inventory *source_inventory(const struct source *source) { return &source->inventory; }
const struct source_identity *source_identity(const struct source *source) { return &source->identity; }
int source_pool_readers(const struct source_pool *pool) { return pool ? 1 : 1; }
bool source_identify(const char *path, struct source_identity *identity) {
    (void)path;
    *identity = (struct source_identity){.inode = 1};
    return true;
}

bool source_identity_equal(const struct source_identity *a, const struct source_identity *b) { return a->inode == b->inode; }

bool source_is_store(const char *path) { return !path; }
bool source_url_like(const char *path) { return !path; }
bool source_address_like(const char *path) { return !path; }
char *source_address_base(const char *path) { return strdup(path); }
char *source_address_absolute(const char *path) { return strdup(path); }
const char *source_of_engine_kind(const char *path, int fd) { return path && fd >= 0 ? NULL : NULL; }
bool source_reduces_early(const struct source *source) { return !source; }

bool source_is_condemned(const struct source *source, struct failure *failure) {
    (void)failure;
    return !source;
}

const struct source_variable *source_find_variable(const struct source *source, const char *name) {
    for (size_t n = 0; n < source->inventory.variable_count; n++)
        if (!strcmp(source->inventory.variables[n].name, name)) return &source->inventory.variables[n];
    return NULL;
}

const struct source_attribute *source_find_attribute(const struct source_attribute *list, size_t count, const char *name) {
    for (size_t n = 0; n < count; n++)
        if (!strcmp(list[n].name, name)) return &list[n];
    return NULL;
}

size_t source_type_size(enum source_type type) {
    static const unsigned char sizes[] = {1, 1, 2, 2, 4, 4, 8, 8, 4, 8, 1, 0, 0};
    return (unsigned)type < sizeof sizes ? sizes[type] : 0;
}

static double number_at(const struct made_data *data, size_t n) {
    if (!data->goes_on || n < data->count) return data->numbers[n % data->count];
    double last = data->numbers[data->count - 1], before = data->count > 1 ? data->numbers[data->count - 2] : last;
    return last + (double)(n - data->count + 1) * (last - before);
}

static void put(void *to, enum source_type type, size_t n, double x) {
    int64_t whole = as_integer(x);
    switch (type) {
    case SOURCE_I8: case SOURCE_U8: case SOURCE_CHAR: ((uint8_t *)to)[n] = (uint8_t)whole; break;
    case SOURCE_I16: case SOURCE_U16: ((uint16_t *)to)[n] = (uint16_t)whole; break;
    case SOURCE_I32: case SOURCE_U32: ((uint32_t *)to)[n] = (uint32_t)whole; break;
    case SOURCE_I64: case SOURCE_U64: ((int64_t *)to)[n] = whole; break;
    case SOURCE_F32: ((float *)to)[n] = fabs(x) < 3e38 ? (float)x : x > 0 ? INFINITY : x < 0 ? -INFINITY : NAN; break;
    default: ((double *)to)[n] = x;
    }
}

// How many numbers of dimension d the answer has: the first of each block.
static size_t taken(const struct source_slab_request *r, int d) {
    size_t block = r->reduction == REDUCE_STRIDE ? r->block[d] : 1;
    return (r->count[d] - 1) / block + 1;
}

// Where element n of the slab stands in the variable, row-major.
static size_t position(const struct source *s, const struct source_variable *v, const struct source_slab_request *r, size_t n) {
    size_t at = 0, below = 1;
    for (int d = v->rank; d-- > 0;) {
        at += (r->start[d] + n % taken(r, d) * (r->reduction == REDUCE_STRIDE ? r->block[d] : 1)) * below;
        n /= taken(r, d);
        below *= s->inventory.dimensions[v->dimensions[d]].length;
    }
    return at;
}

static void check_request(const struct source *s, const struct source_slab_request *r) {
    if (r->variable >= s->inventory.variable_count) abort();
    const struct source_variable *v = &s->inventory.variables[r->variable];
    if (r->rank != v->rank || (r->reduction != REDUCE_NONE && r->reduction != REDUCE_STRIDE)) abort();
    for (int d = 0; d < r->rank; d++) {
        size_t length = s->inventory.dimensions[v->dimensions[d]].length;
        if (!r->count[d] || r->count[d] > length || r->start[d] > length - r->count[d]) abort();
        if (r->reduction == REDUCE_STRIDE && !r->block[d]) abort();
    }
}

int source_read(struct source *source, const struct source_slab_request *request, struct source_slab *slab, struct failure *failure) {
    *slab = (struct source_slab){0};
    check_request(source, request);
    const struct source_variable *v = &source->inventory.variables[request->variable];
    size_t elements = 1, size = source_type_size(v->type);
    if (!size) return failure_set(failure, VIRGA_UNSUPPORTED, "%s: cannot be read", v->name);
    for (int d = 0; d < request->rank; d++)
        if (__builtin_mul_overflow(elements, taken(request, d), &elements) || elements > SLAB_MAX / size)
            return failure_set(failure, VIRGA_TOO_LARGE, "%s: more than may be read at once", v->name);
    char *data = malloc(elements * size + 1);
    if (!data) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    for (size_t n = 0; n < elements; n++) put(data, v->type, n, number_at(&source->data[request->variable], position(source, v, request, n)));
    *slab = (struct source_slab){.type = v->type, .elements = elements, .data = data, .bytes = elements * size, .mapping = data};
    return VIRGA_OK;
}

void source_slab_release(struct source_slab *slab) {
    free(slab->mapping);
    *slab = (struct source_slab){0};
}

int source_read_again(struct source *source, const struct source_slab_request *request, struct source_slab *slab, struct failure *failure) {
    source_slab_release(slab);
    return source_read(source, request, slab, failure);
}

bool source_reads_parts(const struct source *source, size_t variable) { return !source->inventory.variables[variable].chunked; }
