// SPDX-License-Identifier: Apache-2.0
// Two-dimensional longitude and latitude in a file: which variables they are, and their numbers.
#include <math.h>
#include <stdlib.h>
#include <strings.h>

#include "field/cf_attributes.h"
#include "field/cf_columns.h"
#include "field/cf_file.h"
#include "field/cf_packing.h"
#include "field/cf_units.h"

// --- which variables ---------------------------------------------------------------------------------------------------

// The two dimensions on which a coordinate of columns stands; earlier ones may only be times or of length 1.
static bool plane_of(const struct source *source, const struct source_variable *c, size_t dimension[2]) {
    const struct source_inventory *inventory = source_inventory(source);
    if (c->rank < 2 || c->type > SOURCE_F64) return false;
    for (int d = 0; d < c->rank - 2; d++) {
        int own = cf_coordinate_variable(source, c->dimensions[d]);
        bool time = strcasecmp(cf_base_name(inventory->dimensions[c->dimensions[d]].name), "time") == 0 ||
                    (own != CF_NO_VARIABLE && cf_role_of(source, &inventory->variables[own]) == ROLE_T);
        if (inventory->dimensions[c->dimensions[d]].length != 1 && !time) return false;
        if (inventory->dimensions[c->dimensions[d]].length == 0) return false;
    }
    dimension[0] = c->dimensions[c->rank - 2];
    dimension[1] = c->dimensions[c->rank - 1];
    return dimension[0] != dimension[1];
}

static bool has_dimension(const struct source_variable *v, size_t dimension) {
    for (int d = 0; d < v->rank; d++)
        if (v->dimensions[d] == dimension) return true;
    return false;
}

// Whether c may place v's columns; a corner's array has a dimension more that v lacks.
static bool places(const struct source *source, const struct source_variable *c, const struct source_variable *v, size_t dimension[2]) {
    return c != v && plane_of(source, c, dimension) && has_dimension(v, dimension[0]) && has_dimension(v, dimension[1]);
}

static int named(const struct source *source, const struct source_variable *v, bool (*is)(const struct source_variable *)) {
    const struct source_inventory *inventory = source_inventory(source);
    const char *at = cf_text_or_empty(v, "coordinates");
    size_t dimension[2];
    for (int n; (n = cf_next_variable(source, v, &at)) != CF_NO_VARIABLE;)
        if (is(&inventory->variables[n]) && places(source, &inventory->variables[n], v, dimension)) return n;
    return CF_NO_VARIABLE;
}

// The only one in the file; *second is another that would do as well.
static int only(const struct source *source, const struct source_variable *v, bool (*is)(const struct source_variable *), int *second) {
    const struct source_inventory *inventory = source_inventory(source);
    int found = CF_NO_VARIABLE;
    size_t dimension[2];
    *second = CF_NO_VARIABLE;
    for (size_t n = 0; n < inventory->variable_count; n++) {
        if (!is(&inventory->variables[n]) || !places(source, &inventory->variables[n], v, dimension)) continue;
        if (found == CF_NO_VARIABLE) found = (int)n;
        else *second = (int)n;
    }
    return found;
}

int cf_columns_find(const struct source *source, const struct source_variable *v, struct cf_columns *columns, struct failure *failure) {
    const struct source_variable *all = source_inventory(source)->variables;
    int other = CF_NO_VARIABLE;
    size_t dimension[2];
    if (v->rank < 2) return failure_set(failure, VIRGA_NOT_FOUND, "it has no two horizontal dimensions");
    columns->lon = named(source, v, cf_is_longitude);
    columns->lat = named(source, v, cf_is_latitude);
    if (columns->lon == CF_NO_VARIABLE || columns->lat == CF_NO_VARIABLE) {
        columns->lon = only(source, v, cf_is_longitude, &other);
        if (other == CF_NO_VARIABLE) columns->lat = only(source, v, cf_is_latitude, &other);
        if (other != CF_NO_VARIABLE)
            return failure_set(failure, VIRGA_UNSUPPORTED, "several two-dimensional coordinates could place it (%.60s, %.60s) and its attribute coordinates names none of them",
                               all[cf_is_longitude(&all[other]) ? columns->lon : columns->lat].name, all[other].name);
    }
    if (columns->lon == CF_NO_VARIABLE || columns->lat == CF_NO_VARIABLE) return failure_set(failure, VIRGA_NOT_FOUND, "it has no two-dimensional latitude and longitude");
    plane_of(source, &all[columns->lon], columns->dimension);
    plane_of(source, &all[columns->lat], dimension);
    bool same = (dimension[0] == columns->dimension[0] && dimension[1] == columns->dimension[1]) ||
                (dimension[0] == columns->dimension[1] && dimension[1] == columns->dimension[0]);
    return same ? VIRGA_OK : failure_set(failure, VIRGA_UNSUPPORTED, "its latitude and longitude stand on different dimensions");
}

// --- their numbers -----------------------------------------------------------------------------------------------------

// values[n[0]][n[1]] in degrees, along columns->dimension, of the first or last time. The caller frees them.
static int read_plane(struct source *source, int variable, const size_t dimension[2], bool last, double **values, struct failure *failure) {
    const struct source_inventory *inventory = source_inventory(source);
    const struct source_variable *v = &inventory->variables[variable];
    struct source_slab_request request = {.variable = (size_t)variable, .rank = v->rank, .scale = 1};
    struct source_slab slab = {0};
    struct cf_packing packing;
    const size_t rows = inventory->dimensions[dimension[0]].length, columns = inventory->dimensions[dimension[1]].length;
    const char *units = cf_text_or_empty(v, "units");
    double scale = 1, offset = 0;
    *values = NULL;
    if (cf_packing_init(&packing, v)) return failure_set(failure, VIRGA_UNSUPPORTED, "%.80s does not hold numbers", v->name);
    if (*units && strncasecmp(units, "degree", 6) != 0 && (cf_units_convert(units, "degree", &scale, &offset) || offset != 0))
        return failure_set(failure, VIRGA_UNSUPPORTED, "%.80s is in \"%.40s\", which is no angle", v->name, units);
    for (int d = 0; d < v->rank; d++) {
        size_t length = inventory->dimensions[v->dimensions[d]].length;
        request.count[d] = d < v->rank - 2 ? 1 : length;
        request.start[d] = last ? length - request.count[d] : 0;
        request.block[d] = 1;
    }
    if (!(*values = malloc((rows * columns + 1) * sizeof **values))) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    int status = source_read(source, &request, &slab, failure);
    if (!status && slab.bytes < rows * columns * source_type_size(v->type)) status = failure_set(failure, VIRGA_INTERNAL, "a short answer for %.80s", v->name);
    bool turned = v->dimensions[v->rank - 1] != dimension[1];
    const size_t size = source_type_size(v->type);
    for (size_t r = 0; !status && r < rows; r++) {
        const char *from = (const char *)slab.data + size * (turned ? r : r * columns);
        cf_packing_decode(&packing, from, turned ? (ptrdiff_t)rows : 1, columns, *values + r * columns);
    }
    for (size_t n = 0; !status && n < rows * columns; n++) (*values)[n] *= scale;
    source_slab_release(&slab);
    if (status) free(*values), *values = NULL;
    return status;
}

// The plane of the first time, once it is known that the last is the same.
static int read_lasting(struct source *source, int variable, const size_t dimension[2], double **values, struct failure *failure) {
    const struct source_inventory *inventory = source_inventory(source);
    const struct source_variable *v = &inventory->variables[variable];
    const size_t count = inventory->dimensions[dimension[0]].length * inventory->dimensions[dimension[1]].length;
    bool once = true;
    for (int d = 0; d < v->rank - 2; d++) once = once && inventory->dimensions[v->dimensions[d]].length == 1;
    int status = read_plane(source, variable, dimension, false, values, failure);
    double *last = NULL;
    if (!status && !once) status = read_plane(source, variable, dimension, true, &last, failure);
    for (size_t n = 0; last && !status && n < count; n++)  // what is missing at one of the times says nothing
        if (fabs(remainder(last[n] - (*values)[n], 360)) > 1e-4) status = failure_set(failure, VIRGA_UNSUPPORTED, "its columns move from time to time (%.80s)", v->name);
    free(last);
    if (status) free(*values), *values = NULL;
    return status;
}

int cf_columns_read(struct source *source, const struct cf_columns *columns, struct grid **grid, struct cf_columns_order *order,
                    struct failure *failure) {
    const struct source_inventory *inventory = source_inventory(source);
    const size_t n[] = {inventory->dimensions[columns->dimension[0]].length, inventory->dimensions[columns->dimension[1]].length};
    double *lon = NULL, *lat = NULL;
    *grid = NULL;
    if (n[0] == 0 || n[1] == 0) return failure_set(failure, VIRGA_UNSUPPORTED, "its horizontal dimensions have length 0");
    if (n[0] > CF_COLUMNS_MAX / n[1]) return failure_set(failure, VIRGA_TOO_LARGE, "its %zu x %zu columns are more than can be placed one by one", n[0], n[1]);
    int status = read_lasting(source, columns->lon, columns->dimension, &lon, failure);
    if (!status) status = read_lasting(source, columns->lat, columns->dimension, &lat, failure);
    bool single = inventory->variables[columns->lon].type == SOURCE_F32 || inventory->variables[columns->lat].type == SOURCE_F32;
    if (!status) status = cf_columns_grid(lon, lat, n, single, grid, order, failure);
    free(lon);
    free(lat);
    return status;
}
