// SPDX-License-Identifier: Apache-2.0
#include "field/cf_file.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "field/cf_apart.h"
#include "field/cf_attributes.h"
#include "field/cf_columns.h"
#include "field/cf_units.h"
#include "field/cf_unplaced.h"
#include "field/cf_wrf.h"

enum { AXIS_MAX = 1 << 20, PROBLEMS_MAX = 500, VARIABLES_MAX = 4000 };
// A header of a few kilobytes may claim any size; what is listed has to fit.
static const size_t columns_max = (size_t)1 << 26, steps_max = (size_t)1 << 21;

void *cf_grow(void *array, size_t count, size_t size) {
    char *grown = realloc(array, (count + 1) * size);
    if (grown) memset(grown + count * size, 0, size);
    return grown;
}

const struct source_variable *cf_file_variable(const struct cf_file *file, size_t index) {
    return &source_inventory(file->source)->variables[index];
}

void cf_problem(struct cf_file *file, int variable, const char *format, ...) {
    struct cf_file_problem *grown = file->problem_count < PROBLEMS_MAX ? cf_grow(file->problems, file->problem_count, sizeof *grown) : NULL;
    if (!grown) return;
    file->problems = grown;
    struct cf_file_problem *p = &grown[file->problem_count++];
    p->variable = variable;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(p->reason, sizeof p->reason, format, arguments);
    va_end(arguments);
}

int cf_file_numbers(struct source *source, size_t index, size_t limit, double **values, size_t *count, struct failure *failure) {
    const struct source_inventory *inventory = source_inventory(source);
    const struct source_variable *v = &inventory->variables[index];
    struct source_slab_request request = {.variable = index, .rank = v->rank, .scale = 1};
    struct source_slab slab = {0};
    struct cf_packing packing;
    size_t total = 1;
    *values = NULL;
    *count = 0;
    if (cf_packing_init(&packing, v)) return failure_set(failure, VIRGA_UNSUPPORTED, "%.80s does not hold numbers", v->name);
    for (int d = 0; d < v->rank; d++) {
        request.count[d] = inventory->dimensions[v->dimensions[d]].length;
        request.block[d] = 1;
        if (request.count[d] > limit || total * request.count[d] > limit) return failure_set(failure, VIRGA_TOO_LARGE, "%.80s is too long for a coordinate", v->name);
        total *= request.count[d];
    }
    *values = malloc((total + 1) * sizeof **values);
    if (!*values) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    if (total == 0) return VIRGA_OK;
    int status = source_read(source, &request, &slab, failure);
    if (!status && slab.bytes < total * source_type_size(v->type)) status = failure_set(failure, VIRGA_INTERNAL, "a short answer for %.80s", v->name);
    if (!status) cf_packing_decode(&packing, slab.data, 1, total, *values);
    source_slab_release(&slab);
    *count = total;
    if (status) {
        free(*values);
        *values = NULL;
    }
    return status;
}

int cf_file_letters(struct source *source, size_t index, char **letters, struct failure *failure) {
    const struct source_inventory *inventory = source_inventory(source);
    const struct source_variable *v = &inventory->variables[index];
    struct source_slab_request request = {.variable = index, .rank = v->rank, .scale = 1};
    struct source_slab slab = {0};
    size_t total = 1;
    for (int d = 0; d < v->rank; d++) {
        request.count[d] = inventory->dimensions[v->dimensions[d]].length;
        request.block[d] = 1;
        total *= request.count[d];
    }
    *letters = NULL;
    int status = source_read(source, &request, &slab, failure);
    if (!status && slab.bytes < total) status = failure_set(failure, VIRGA_INTERNAL, "a short answer for %.60s", v->name);
    if (!status && !(*letters = malloc(total ? total : 1))) status = failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    if (!status) memcpy(*letters, slab.data, total);
    source_slab_release(&slab);
    return status;
}

// --- the grid of a variable --------------------------------------------------------------------------------------------

// The grid mapping variable that a variable names: "crs", or "crs: x y other: lat lon". CF_NO_VARIABLE when absent.
static int find_mapping(const struct source *source, const struct source_variable *v, int x) {
    const char *at = cf_text_or_empty(v, "grid_mapping");
    const char *x_name = cf_base_name(source_inventory(source)->variables[x].name);
    size_t length;
    int current = CF_NO_VARIABLE, first = CF_NO_VARIABLE;
    for (const char *word; (word = cf_next_word(&at, &length));) {
        bool mapping = word[length - 1] == ':' || first == CF_NO_VARIABLE;
        if (mapping) {
            current = cf_find_variable(source, v, word, word[length - 1] == ':' ? length - 1 : length);
            if (first == CF_NO_VARIABLE) first = current;
            if (current == CF_NO_VARIABLE) return CF_NO_VARIABLE;
        } else if (strlen(x_name) == length && strncmp(word, x_name, length) == 0) {
            return current;
        }
    }
    return first;
}

static int fill_grid(struct cf_file *file, struct cf_grid_slot *slot) {
    const struct source_variable *x = cf_file_variable(file, (size_t)slot->x_variable), *y = cf_file_variable(file, (size_t)slot->y_variable);
    double *xs = NULL, *ys = NULL;
    size_t nx, ny;
    int status = cf_file_numbers(file->source, (size_t)slot->x_variable, AXIS_MAX, &xs, &nx, &slot->failure);
    if (!status) status = cf_file_numbers(file->source, (size_t)slot->y_variable, AXIS_MAX, &ys, &ny, &slot->failure);
    if (!status) {
        struct cf_axis_input ax = {xs, nx, cf_text_or_empty(x, "units"), x->type == SOURCE_F32, cf_is_lonlat(x)};
        struct cf_axis_input ay = {ys, ny, cf_text_or_empty(y, "units"), y->type == SOURCE_F32, cf_is_lonlat(y)};
        if (ax.angular_name && strncasecmp(ax.units, "degree", 6) == 0) ax.units = "degree";
        if (ay.angular_name && strncasecmp(ay.units, "degree", 6) == 0) ay.units = "degree";
        const struct source_variable *mapping = slot->mapping == CF_NO_VARIABLE ? NULL : cf_file_variable(file, (size_t)slot->mapping);
        status = cf_grid_new(mapping, &ax, &ay, &slot->grid, &slot->x, &slot->y, &slot->failure);
    }
    if (!status) slot->hash = grid_hash(slot->grid);
    free(xs);
    free(ys);
    return status;
}

// A variable that names no grid mapping, on the dimensions of one that does, shares it (orographies often name none).
static int find_shared_mapping(const struct source *source, const struct source_variable *v, int x, int y) {
    const struct source_inventory *inventory = source_inventory(source);
    int mapping = find_mapping(source, v, x);
    if (cf_text(v, "grid_mapping")) return mapping;
    for (size_t n = 0; n < inventory->variable_count && mapping == CF_NO_VARIABLE; n++) {
        const struct source_variable *other = &inventory->variables[n];
        int shared = 0;
        if (!cf_text(other, "grid_mapping")) continue;
        for (int d = 0; d < other->rank; d++)
            shared += other->dimensions[d] == inventory->variables[x].dimensions[0] || other->dimensions[d] == inventory->variables[y].dimensions[0];
        if (shared == 2) mapping = find_mapping(source, other, x);
    }
    return mapping;
}

static struct cf_grid_slot *add_slot(struct cf_file *file, int x, int y, int mapping) {
    struct cf_grid_slot *grown = cf_grow(file->grids, file->grid_count, sizeof *grown);
    if (!grown) return NULL;
    file->grids = grown;
    struct cf_grid_slot *slot = &grown[file->grid_count++];
    slot->x_variable = x;
    slot->y_variable = y;
    slot->mapping = mapping;
    return slot;
}

int cf_grid_find(struct cf_file *file, const struct source_variable *v, int x, int y) {
    int mapping = find_shared_mapping(file->source, v, x, y);
    for (size_t n = 0; n < file->grid_count; n++)
        if (file->grids[n].x_variable == x && file->grids[n].y_variable == y && file->grids[n].mapping == mapping) return (int)n;
    struct cf_grid_slot *slot = add_slot(file, x, y, mapping);
    if (!slot) return -1;
    slot->x_dimension = cf_file_variable(file, (size_t)x)->dimensions[0];
    slot->y_dimension = cf_file_variable(file, (size_t)y)->dimensions[0];
    fill_grid(file, slot);
    return (int)(slot - file->grids);
}

// The grid on two dimensions of WRF's. -1: out of memory.
static int find_wrf_grid(struct cf_file *file, size_t x, size_t y) {
    for (size_t n = 0; n < file->grid_count; n++)
        if (file->grids[n].x_variable == CF_NO_VARIABLE && file->grids[n].x_dimension == x && file->grids[n].y_dimension == y) return (int)n;
    struct cf_grid_slot *slot = add_slot(file, CF_NO_VARIABLE, CF_NO_VARIABLE, CF_NO_VARIABLE);
    if (!slot) return -1;
    slot->x_dimension = x;
    slot->y_dimension = y;
    if (cf_wrf_grid(file->source, x, y, &slot->grid, &slot->x, &slot->y, &slot->moves, &slot->move_count, &slot->failure) == VIRGA_OK)
        slot->hash = grid_hash(slot->grid);
    return (int)(slot - file->grids);
}

// The grid of two-dimensional longitude and latitude.
static int find_columns_grid(struct cf_file *file, const struct cf_columns *columns) {
    for (size_t n = 0; n < file->grid_count; n++)
        if (file->grids[n].columns && file->grids[n].x_variable == columns->lon && file->grids[n].y_variable == columns->lat) return (int)n;
    struct cf_grid_slot *slot = add_slot(file, columns->lon, columns->lat, CF_NO_VARIABLE);
    struct cf_columns_order order;
    if (!slot) return -1;
    slot->columns = true;
    if (cf_columns_read(file->source, columns, &slot->grid, &order, &slot->failure)) return (int)(slot - file->grids);
    slot->x_dimension = columns->dimension[order.x];
    slot->y_dimension = columns->dimension[1 - order.x];
    slot->x = order.x_order, slot->y = order.y_order;
    slot->hash = grid_hash(slot->grid);
    return (int)(slot - file->grids);
}

// --- a variable's dimensions -------------------------------------------------------------------------------------------

struct dimensions {  // positions among the variable's dimensions, and their coordinate variables
    int position[ROLE_RUN + 1], coordinate[ROLE_RUN + 1];
    int extra;  // of the one without a role, or -1
};

// The coordinate that tells a dimension's role: its own, or an auxiliary one-dimensional one that the variable names.
static enum cf_role role_of_dimension(const struct source *source, const struct source_variable *v, size_t dimension, int *coordinate) {
    const struct source_inventory *inventory = source_inventory(source);
    int own = cf_coordinate_variable(source, dimension);
    enum cf_role role = ROLE_NONE;
    *coordinate = own;
    if (own != CF_NO_VARIABLE && (role = cf_role_of(source, &inventory->variables[own])) != ROLE_NONE) return role;
    const char *at = cf_text_or_empty(v, "coordinates");
    for (int n; (n = cf_next_variable(source, v, &at)) != CF_NO_VARIABLE;) {
        if (inventory->variables[n].rank != 1 || inventory->variables[n].dimensions[0] != dimension) continue;
        if ((role = cf_role_of(source, &inventory->variables[n])) == ROLE_NONE) continue;
        *coordinate = n;
        return role;
    }
    return ROLE_NONE;
}

// Where steps are counted from the start of a run, a time with a dimension of its own is when runs start. Positions, or -1.
struct leads { int steps, starts; };

static struct leads find_leads(const struct cf_file *file, const struct source_variable *v) {
    const struct source_inventory *inventory = source_inventory(file->source);
    struct leads found = {-1, -1};
    for (int n = 0; n < v->rank; n++) {
        int own = cf_coordinate_variable(file->source, v->dimensions[n]);
        if (own == CF_NO_VARIABLE) continue;
        const struct source_variable *c = &inventory->variables[own];
        if (cf_time_is_lead(c)) found.steps = n;
        else if (cf_time_units_like(cf_text(c, "units")) && cf_role_of(file->source, c) == ROLE_T) found.starts = n;
    }
    if (found.steps < 0 || (found.starts < 0 && cf_time_start(file->source, v) == CF_NO_VARIABLE)) return (struct leads){-1, -1};
    return found;
}

// VIRGA_OK, or VIRGA_UNSUPPORTED and why. columns: the dimensions of two-dimensional coordinates, which need none of their own; or NULL.
static int sort_dimensions(const struct cf_file *file, const struct source_variable *v, const struct cf_columns *columns, struct dimensions *d,
                           struct failure *failure) {
    const struct source_inventory *inventory = source_inventory(file->source);
    for (int r = 0; r <= ROLE_RUN; r++) d->position[r] = -1, d->coordinate[r] = CF_NO_VARIABLE;
    d->extra = -1;
    const char *lost = NULL;
    size_t lost_length = 0;
    const struct leads leads = find_leads(file, v);
    for (int n = 0; n < v->rank; n++) {
        const struct source_dimension *dimension = &inventory->dimensions[v->dimensions[n]];
        int coordinate;
        enum cf_role role = role_of_dimension(file->source, v, v->dimensions[n], &coordinate);
        if (role == ROLE_NONE && !file->wrf && dimension->length > 1 && cf_is_level_name(cf_base_name(dimension->name))) role = ROLE_Z;
        if (role == ROLE_NONE && coordinate == CF_NO_VARIABLE && cf_is_member_name(cf_base_name(dimension->name))) role = ROLE_MEMBER;
        if (role == ROLE_NONE && file->wrf) role = cf_wrf_role(file->source, v->dimensions[n]);
        if (n == leads.steps || (role == ROLE_NONE && cf_time_is_dimension(file->source, v->dimensions[n]))) role = ROLE_T;
        if (n == leads.starts) role = ROLE_RUN;
        if (dimension->length == 0) return failure_set(failure, VIRGA_UNSUPPORTED, "its dimension %.60s has length 0", dimension->name);
        if (columns) {
            if (v->dimensions[n] == columns->dimension[0]) role = ROLE_Y, coordinate = columns->lat;
            else if (v->dimensions[n] == columns->dimension[1]) role = ROLE_X, coordinate = columns->lon;
            else if (role == ROLE_X || role == ROLE_Y) role = ROLE_NONE;
        }
        bool again = role != ROLE_NONE && d->position[role] >= 0;
        if (role == ROLE_NONE || again) {
            if (dimension->length == 1 || lost) continue;
            if (!again && d->extra < 0 && cf_may_slice(dimension->length)) d->extra = n;
            else lost = dimension->name, lost_length = dimension->length;
            continue;
        }
        d->position[role] = n;
        d->coordinate[role] = coordinate;
    }
    bool placed = d->position[ROLE_X] >= 0 && d->position[ROLE_Y] >= 0;
    if (lost) return failure_set(failure, VIRGA_UNSUPPORTED, "its dimension %.60s of length %zu has no coordinate that says what it is", lost, lost_length);
    if (placed) return VIRGA_OK;
    if (d->extra < 0) return failure_set(failure, VIRGA_UNSUPPORTED, "it has no two horizontal axes");
    const struct source_dimension *extra = &inventory->dimensions[v->dimensions[d->extra]];
    return failure_set(failure, VIRGA_UNSUPPORTED, "its dimension %.60s of length %zu has no coordinate that says what it is", extra->name, extra->length);
}

// --- heights ------------------------------------------------------------------------------------------

int cf_scalar_with_role(const struct source *source, const struct source_variable *v, enum cf_role role) {
    const struct source_inventory *inventory = source_inventory(source);
    const char *at = cf_text_or_empty(v, "coordinates");
    for (int n; (n = cf_next_variable(source, v, &at)) != CF_NO_VARIABLE;) {
        const struct source_variable *c = &inventory->variables[n];
        if (cf_is_scalar(source, c) && c->type <= SOURCE_F64 && cf_role_of(source, c) == role) return n;
    }
    return CF_NO_VARIABLE;
}

// --- which variables hold data -----------------------------------------------------------------------------------------

enum standing { STANDING_DATA, STANDING_AUXILIARY, STANDING_IGNORED };

static void mark_named(const struct source *source, const struct source_variable *from, const char *attribute, unsigned char mark, unsigned char *standing) {
    const char *at = cf_text_or_empty(from, attribute);
    size_t length;
    for (const char *word; (word = cf_next_word(&at, &length));) {
        int n = cf_find_variable(source, from, word, word[length - 1] == ':' ? length - 1 : length);
        if (n != CF_NO_VARIABLE && standing[n] < mark) standing[n] = mark;
    }
}

static bool ends_with(const char *text, const char *end) {
    size_t a = strlen(text), b = strlen(end);
    return a > b && strcmp(text + a - b, end) == 0;
}

// Bounds and coordinates are not data; what others name may be (an orography), but is not missed when it cannot be placed.
static unsigned char *standings(const struct source *source) {
    static const char *const bounds[] = {"bounds", "climatology", "cell_measures"}, *const others[] = {"coordinates", "formula_terms", "grid_mapping"};
    const struct source_inventory *inventory = source_inventory(source);
    unsigned char *standing = calloc(inventory->variable_count + 1, 1);
    for (size_t n = 0; standing && n < inventory->variable_count; n++) {
        const struct source_variable *v = &inventory->variables[n];
        const char *base = cf_base_name(v->name);
        for (size_t a = 0; a < 3; a++) mark_named(source, v, bounds[a], STANDING_IGNORED, standing);
        for (size_t a = 0; a < 3; a++) mark_named(source, v, others[a], STANDING_AUXILIARY, standing);
        if (cf_text(v, "cf_role")) standing[n] = STANDING_IGNORED;  // how a mesh's parts hang together, or names
        if (v->rank < 2 || v->type > SOURCE_F64 || cf_is_lonlat(v) || ends_with(base, "_bnds") || ends_with(base, "_bounds")) standing[n] = STANDING_IGNORED;
    }
    return standing;
}

// --- placing one variable ----------------------------------------------------------------------------------------------

// Levels in the soil or the sea have no place in a volume above them: each is a field of its own.
static bool is_depth(const struct source_variable *c) {
    return cf_text_is(c, "standard_name", "depth") || (cf_text_is(c, "positive", "down") && cf_units_convertible(cf_text_or_empty(c, "units"), "m"));
}

static int place_vertical(struct cf_file *file, const struct source_variable *v, struct cf_variable *out, struct failure *failure) {
    int found = -1;
    out->vertical = -1;
    out->level_count = 1;
    if (out->z >= 0) found = cf_vertical_find(file, v, (int)v->dimensions[out->z], CF_NO_VARIABLE, failure);
    else {
        int scalar = cf_scalar_with_role(file->source, v, ROLE_Z);
        if (scalar == CF_NO_VARIABLE) return VIRGA_OK;
        found = cf_vertical_find(file, v, -1, scalar, failure);
    }
    if (found < 0) return found;
    const struct cf_vertical *vertical = &file->verticals[found];
    // One level needs no place above the ground to be shown: it lies draped.
    if (vertical->refused && (out->z < 0 || vertical->level_count == 1)) return VIRGA_OK;
    int coordinate = vertical->dimension >= 0 ? cf_coordinate_variable(file->source, (size_t)vertical->dimension) : CF_NO_VARIABLE;
    const struct source_variable *c = coordinate == CF_NO_VARIABLE ? NULL : cf_file_variable(file, (size_t)coordinate);
    const bool shown_each = c ? is_depth(c) || cf_role_of(file->source, c) == ROLE_NONE : !file->wrf;
    if (vertical->refused && out->extra < 0 && vertical->dimension >= 0 && shown_each &&
        cf_may_slice(source_inventory(file->source)->dimensions[vertical->dimension].length)) {
        out->extra = out->z, out->z = -1;
        return VIRGA_OK;
    }
    if (vertical->refused) return *failure = vertical->failure, vertical->failure.status;
    out->vertical = found;
    out->level_count = vertical->level_count;
    return VIRGA_OK;
}

static int position_of(const struct source_variable *v, size_t dimension) {
    for (int d = 0; d < v->rank; d++)
        if (v->dimensions[d] == dimension) return d;
    return -1;
}

// Finds the grid by a projection and its axes, or else by the columns' own longitude and latitude.
static int place_columns(struct cf_file *file, const struct source_variable *v, struct dimensions *d, struct cf_variable *out, struct failure *failure) {
    struct cf_columns columns;
    struct failure other = {0};
    int status = sort_dimensions(file, v, NULL, d, failure);
    if (!status) {
        int x = d->coordinate[ROLE_X], y = d->coordinate[ROLE_Y];
        bool wrf = x == CF_NO_VARIABLE || y == CF_NO_VARIABLE;
        out->grid = wrf ? find_wrf_grid(file, v->dimensions[d->position[ROLE_X]], v->dimensions[d->position[ROLE_Y]]) : cf_grid_find(file, v, x, y);
        if (out->grid < 0) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
        if (file->grids[out->grid].grid) return VIRGA_OK;
        *failure = file->grids[out->grid].failure;
        status = failure->status;
        if (wrf && status != VIRGA_NOT_FOUND) return status;
    }
    int found = cf_columns_find(file->source, v, &columns, &other);
    char reason[256];
    if (found == VIRGA_NOT_FOUND) return cf_unplaced(file->source, v, reason) ? failure_set(failure, VIRGA_UNSUPPORTED, "%s", reason) : status;
    if (found || (found = sort_dimensions(file, v, &columns, d, &other))) return *failure = other, found;
    if ((out->grid = find_columns_grid(file, &columns)) < 0) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    if (!file->grids[out->grid].grid) return *failure = file->grids[out->grid].failure, failure->status;
    return VIRGA_OK;
}

static int place(struct cf_file *file, size_t index, struct cf_variable *out, struct failure *failure) {
    const struct source_variable *v = cf_file_variable(file, index);
    struct dimensions d;
    int status;
    *out = (struct cf_variable){.index = index, .plus = CF_NO_VARIABLE, .extra = -1};
    if ((status = cf_packing_init(&out->packing, v))) return failure_set(failure, status, "it does not hold numbers");
    if ((status = place_columns(file, v, &d, out, failure))) return status;
    const struct cf_grid_slot *slot = &file->grids[out->grid];
    out->x = position_of(v, slot->x_dimension), out->y = position_of(v, slot->y_dimension);
    out->z = d.position[ROLE_Z], out->t = d.position[ROLE_T], out->run = d.position[ROLE_RUN], out->member = d.position[ROLE_MEMBER];
    out->extra = d.extra;
    if ((status = place_vertical(file, v, out, failure))) return status;
    out->stored_grid = out->grid, out->stored_vertical = out->vertical;
    bool several = out->run >= 0 && source_inventory(file->source)->dimensions[v->dimensions[out->run]].length > 1;
    out->time = cf_time_find(file, v, out->t >= 0 ? (int)v->dimensions[out->t] : -1, several ? (int)v->dimensions[out->run] : -1, failure);
    out->steps_per_run = out->t >= 0 ? source_inventory(file->source)->dimensions[v->dimensions[out->t]].length : 1;
    if (out->time < -1) return out->time;
    if (out->time >= 0 && file->times[out->time].refused) return *failure = file->times[out->time].failure, failure->status;
    if ((status = cf_members_fill(file, v, d.coordinate[ROLE_MEMBER], out, failure))) return status;
    if (!(out->apart = cf_apart(file->source, v))) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    size_t columns = slot->grid->x.n * slot->grid->y.n;
    if (columns > columns_max || columns * out->level_count > CF_VOXELS_MAX)
        return failure_set(failure, VIRGA_TOO_LARGE, "it has %zu x %zu x %zu voxels, more than can be shown", slot->grid->x.n, slot->grid->y.n, out->level_count);
    out->categories = source_find_attribute(v->attributes, v->attribute_count, "flag_values") || source_find_attribute(v->attributes, v->attribute_count, "flag_masks");
    if (out->extra < 0) out->helper = cf_helper_of(v, out->level_count > 1, out->vertical >= 0, &out->helper_scale, &out->helper_offset);
    return file->wrf ? cf_wrf_name(file, out) : VIRGA_OK;
}

static void variable_destroy(struct cf_variable *v) {
    for (size_t m = 0; v->members && m < v->member_count; m++) free(v->members[m]);
    free(v->members);
    free(v->apart);
    free(v->name);
    free(v->long_name);
}

struct cf_texts cf_variable_texts(const struct cf_file *file, const struct cf_variable *v) {
    const struct source_variable *stored = cf_file_variable(file, v->index);
    const char *units = v->units ? v->units : cf_text(stored, "units");
    return (struct cf_texts){v->name ? v->name : stored->name, v->standard_name ? v->standard_name : cf_text_or_empty(stored, "standard_name"),
                             v->long_name ? v->long_name : cf_text_or_empty(stored, "long_name"), units && *units ? units : "1"};
}

bool cf_is_averaged(const struct cf_variable *v) { return v->average[0].on || v->average[1].on || v->average[2].on; }

struct cf_variable *cf_variable_copy(struct cf_file *file, size_t index) {
    struct cf_variable *grown = cf_grow(file->variables, file->variable_count, sizeof *grown);
    if (!grown) return NULL;
    file->variables = grown;
    struct cf_variable *to = &grown[file->variable_count];
    const struct cf_variable *from = &grown[index];
    *to = *from;
    to->apart = strdup(from->apart);
    to->name = from->name ? strdup(from->name) : NULL;
    to->long_name = from->long_name ? strdup(from->long_name) : NULL;
    to->members = calloc(from->member_count, sizeof *to->members);
    bool whole = to->members && to->apart && !from->name == !to->name && !from->long_name == !to->long_name;
    for (size_t m = 0; whole && m < from->member_count; m++) whole = (to->members[m] = strdup(from->members[m]));
    if (whole) return file->variable_count++, to;
    variable_destroy(to);
    return NULL;
}

static int place_all(struct cf_file *file, struct failure *failure) {
    const struct source_inventory *inventory = source_inventory(file->source);
    size_t steps = 0;
    unsigned char *standing = standings(file->source);
    if (!standing) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    for (size_t n = 0; n < inventory->variable_count; n++) {
        struct cf_variable placed;
        struct failure why = {0};
        if (standing[n] == STANDING_IGNORED) continue;
        if (n >= VARIABLES_MAX) {
            cf_problem(file, -1, "it has more than %d variables; the others are left out", VARIABLES_MAX);
            break;
        }
        int status = place(file, n, &placed, &why);
        if (!status && placed.time >= 0 && (steps += file->times[placed.time].count) > steps_max)
            status = failure_set(&why, VIRGA_TOO_LARGE, "its file has more than %zu steps in all", steps_max);
        struct cf_variable *grown = status ? NULL : cf_grow(file->variables, file->variable_count, sizeof *grown);
        if (status == VIRGA_NO_MEMORY || (!status && !grown)) {
            variable_destroy(&placed);
            free(standing);
            return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
        }
        if (status) {
            variable_destroy(&placed);
            if (standing[n] == STANDING_DATA) cf_problem(file, (int)n, "%s", why.message);
            continue;
        }
        file->variables = grown;
        file->variables[file->variable_count++] = placed;
        status = placed.extra >= 0 ? cf_slices_add(file, file->variable_count - 1, &why) : VIRGA_OK;
        if (status == VIRGA_NO_MEMORY) return free(standing), failure_set(failure, status, "out of memory");
        if (status) variable_destroy(&file->variables[--file->variable_count]);
        if (status && standing[n] == STANDING_DATA) cf_problem(file, (int)n, "%s", why.message);
    }
    free(standing);
    if ((file->wrf && cf_wrf_add(file)) || cf_stagger_add(file)) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    for (size_t n = 0; n < inventory->note_count; n++) cf_problem(file, -1, "%s", inventory->notes[n]);
    if (file->variable_count == 0 && file->problem_count == inventory->note_count) cf_problem(file, -1, "no variable in it has two horizontal axes");
    return VIRGA_OK;
}

int cf_file_new(struct source *source, struct cf_file **result, struct failure *failure) {
    struct cf_file *file = calloc(1, sizeof *file);
    *result = NULL;
    if (!file) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    atomic_init(&file->references, 1);
    file->source = source_ref(source);
    file->wrf = cf_is_wrf(source);
    int status = place_all(file, failure);
    if (status) cf_file_free(file);
    else *result = file;
    return status;
}

struct cf_file *cf_file_ref(struct cf_file *file) {
    atomic_fetch_add(&file->references, 1);
    return file;
}

void cf_file_free(struct cf_file *file) {
    if (!file || atomic_fetch_sub(&file->references, 1) > 1) return;
    for (size_t n = 0; n < file->grid_count; n++) {
        grid_free(file->grids[n].grid);
        free(file->grids[n].moves);
    }
    for (size_t n = 0; n < file->vertical_count; n++) cf_vertical_destroy(&file->verticals[n]);
    for (size_t n = 0; n < file->time_count; n++) {
        free(file->times[n].seconds);
        free(file->times[n].run);
    }
    for (size_t n = 0; n < file->variable_count; n++) variable_destroy(&file->variables[n]);
    free(file->grids);
    free(file->verticals);
    free(file->times);
    free(file->variables);
    free(file->problems);
    source_unref(file->source);
    free(file);
}
