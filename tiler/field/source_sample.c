// SPDX-License-Identifier: Apache-2.0
#include "field/source_sample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "field/cf_attributes.h"
#include "field/cf_units.h"
#include "field/derived.h"

// Four columns around a place, and their weights.
struct columns {
    size_t i[4], j[4];
    double weight[4];
};

static bool locate_axis(const struct grid_axis *axis, bool wraps, double c, size_t *a, size_t *b, double *f) {
    double index = -1, last = (double)(axis->n - 1);
    if (axis->regular) {
        index = (c - axis->start) / axis->step;
    } else {
        for (size_t n = 0; n + 1 < axis->n; n++)
            if (c >= axis->values[n] && c <= axis->values[n + 1]) index = (double)n + (c - axis->values[n]) / (axis->values[n + 1] - axis->values[n]);
        if (wraps && c > axis->values[axis->n - 1]) index = last + (c - axis->values[axis->n - 1]) / (axis->values[0] + 360 - axis->values[axis->n - 1]);
    }
    if (index < 0 && index > -1e-6) index = 0;
    if (!wraps && index > last && index < last + 1e-6) index = last;
    if (wraps && index >= last + 1 && index < last + 1 + 1e-6) index = 0;
    if (!(index >= 0) || index >= (wraps ? last + 1 : last + 1e-12)) return false;
    *a = (size_t)index;
    *b = *a + 1 < axis->n ? *a + 1 : wraps ? 0 : *a;
    *f = index - (double)*a;
    return true;
}

static bool locate(const struct grid *grid, double lon, double lat, struct columns *c) {
    double x, y, fi, fj;
    size_t i0, i1, j0, j1;
    if (grid_from_lonlat(grid, lon, lat, &x, &y)) return false;
    if (!locate_axis(&grid->x, grid->wraps, x, &i0, &i1, &fi) || !locate_axis(&grid->y, false, y, &j0, &j1, &fj)) return false;
    *c = (struct columns){{i0, i1, i0, i1}, {j0, j0, j1, j1}, {(1 - fi) * (1 - fj), fi * (1 - fj), (1 - fi) * fj, fi * fj}};
    return true;
}

// One stored number, by type, one at a time.
static double stored_number(enum source_type type, const void *data, size_t at) {
    switch (type) {
        case SOURCE_I8: return ((const int8_t *)data)[at];
        case SOURCE_U8: return ((const uint8_t *)data)[at];
        case SOURCE_I16: return ((const int16_t *)data)[at];
        case SOURCE_U16: return ((const uint16_t *)data)[at];
        case SOURCE_I32: return ((const int32_t *)data)[at];
        case SOURCE_U32: return ((const uint32_t *)data)[at];
        case SOURCE_I64: return (double)((const int64_t *)data)[at];
        case SOURCE_U64: return (double)((const uint64_t *)data)[at];
        case SOURCE_F32: return (double)((const float *)data)[at];
        case SOURCE_F64: return ((const double *)data)[at];
        default: return NAN;
    }
}

static double number_value(const struct cf_packing *p, double stored) {
    if (!isfinite(stored)) return NAN;
    for (int n = 0; n < p->missing_count; n++)
        if (p->type == SOURCE_F32 ? (float)stored == (float)p->missing[n] : stored == p->missing[n]) return NAN;
    double value = stored * p->scale + p->offset;
    return p->has_missing_value && value == p->missing_value ? NAN : value;
}

static size_t stored_levels(const struct field_step *step) {
    return step->variable->stored_vertical >= 0 ? step->file->verticals[step->variable->stored_vertical].level_count : 1;
}

// One stored column at normalised (i, j) of the stored grid, its levels upward.
static int read_stored_column(const struct field_step *step, size_t index, const struct cf_packing *packing, size_t member, size_t i, size_t j, double *values,
                              struct failure *failure) {
    const struct cf_variable *v = step->variable;
    const struct source_inventory *inventory = source_inventory(step->file->source);
    const struct source_variable *stored = &inventory->variables[index];
    const struct cf_grid_slot *slot = &step->file->grids[v->stored_grid];
    size_t levels = stored_levels(step);
    size_t nx = inventory->dimensions[stored->dimensions[v->x]].length, ny = inventory->dimensions[stored->dimensions[v->y]].length;
    struct source_slab_request request = {.variable = index, .rank = stored->rank, .scale = 1};
    struct source_slab slab = {0};
    for (size_t k = 0; k < levels; k++) values[k] = NAN;
    if (step->absent) return VIRGA_OK;
    if (slot->moves) {  // the nest lies elsewhere at each time
        ptrdiff_t x = (ptrdiff_t)i - slot->moves[step->time < slot->move_count ? step->time : 0].x, y = (ptrdiff_t)j - slot->moves[step->time < slot->move_count ? step->time : 0].y;
        if (!v->hold && (x < 0 || y < 0 || x >= (ptrdiff_t)nx || y >= (ptrdiff_t)ny)) return VIRGA_OK;
        i = x < 0 ? 0 : x >= (ptrdiff_t)nx ? nx - 1 : (size_t)x;
        j = y < 0 ? 0 : y >= (ptrdiff_t)ny ? ny - 1 : (size_t)y;
    }
    for (int d = 0; d < stored->rank; d++) request.count[d] = request.block[d] = 1;
    request.start[v->x] = slot->x.reversed ? nx - 1 - i : i;
    request.start[v->y] = slot->y.reversed ? ny - 1 - j : j;
    if (v->t >= 0) request.start[v->t] = v->run >= 0 ? step->time % v->steps_per_run : step->time;
    if (v->run >= 0) request.start[v->run] = step->time / v->steps_per_run;
    if (v->member >= 0 && v->member_count > 1) request.start[v->member] = member;
    if (v->extra >= 0) request.start[v->extra] = v->extra_index;
    if (v->z >= 0) request.count[v->z] = levels;
    int status = source_read(step->file->source, &request, &slab, failure);
    if (status) return status;
    for (size_t k = 0; k < levels; k++) {
        size_t at = v->z >= 0 && v->stored_vertical >= 0 ? step->file->verticals[v->stored_vertical].order[k] : k;
        values[k] = at < slab.elements ? number_value(packing, stored_number(packing->type, slab.data, at)) : NAN;
    }
    source_slab_release(&slab);
    return VIRGA_OK;
}

// Where the stored point `n` of a staggered axis of `length` points is, or -1 where there is none.
static ptrdiff_t staggered_index(const struct cf_average *a, ptrdiff_t n, ptrdiff_t length) {
    if (n >= 0 && n < length) return n;
    if (a->wraps) return (n + length) % length;
    if (a->hold) return n < 0 ? 0 : length - 1;
    return -1;
}

// Adds `weight` times the column of the variable (the sum of its parts) to values.
static int add_column(const struct field_step *step, size_t member, ptrdiff_t i, ptrdiff_t j, double weight, double *values, struct failure *failure) {
    const struct cf_variable *v = step->variable;
    size_t levels = stored_levels(step);
    double *one = calloc(levels, sizeof *one);
    if (!one) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    int status = VIRGA_OK;
    if (i < 0 || j < 0)
        for (size_t k = 0; k < levels; k++) one[k] = NAN;
    else status = read_stored_column(step, v->index, &v->packing, member, (size_t)i, (size_t)j, one, failure);
    for (size_t k = 0; !status && k < levels; k++) values[k] += weight * (one[k] + v->constant);
    if (!status && v->plus != CF_NO_VARIABLE && i >= 0 && j >= 0) {
        status = read_stored_column(step, (size_t)v->plus, &v->plus_packing, member, (size_t)i, (size_t)j, one, failure);
        for (size_t k = 0; !status && k < levels; k++) values[k] += weight * one[k];
    }
    free(one);
    return status;
}

// All levels of a piece, upward, of the column at normalised (i, j).
static int read_piece(const struct field_step *step, size_t member, size_t i, size_t j, double *values, struct failure *failure) {
    const struct cf_variable *v = step->variable;
    const struct cf_average *x = &v->average[0], *y = &v->average[1], *z = &v->average[2];
    ptrdiff_t nx = (ptrdiff_t)step->file->grids[v->stored_grid].x.n, ny = (ptrdiff_t)step->file->grids[v->stored_grid].y.n, nz = (ptrdiff_t)stored_levels(step);
    double *sum = calloc((size_t)nz, sizeof *sum), weight = (x->on ? 0.5 : 1) * (y->on ? 0.5 : 1);
    if (!sum) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    int status = VIRGA_OK;
    for (int north = 0; north <= y->on && !status; north++)
        for (int east = 0; east <= x->on && !status; east++) {
            ptrdiff_t at_i = x->on ? staggered_index(x, (ptrdiff_t)i + x->shift + east, nx) : (ptrdiff_t)i;
            ptrdiff_t at_j = y->on ? staggered_index(y, (ptrdiff_t)j + y->shift + north, ny) : (ptrdiff_t)j;
            status = add_column(step, member, at_i, at_j, weight, sum, failure);
        }
    for (size_t k = 0; !status && k < v->level_count; k++) {
        values[k] = z->on ? 0 : sum[k];
        for (int up = 0; up < 2 && z->on; up++) {
            ptrdiff_t at = staggered_index(z, (ptrdiff_t)k + z->shift + up, nz);
            values[k] += at < 0 ? NAN : 0.5 * sum[at];
        }
    }
    free(sum);
    return status;
}

// All levels of a field, upward, each from its own piece where they are apart.
static int read_column(const struct field_ref *field, size_t i, size_t j, double *values, struct failure *failure) {
    const struct field_step *step = field_step_of(field);
    const struct catalog_variable *v = &field->dataset->variables[field->variable];
    if (!step->levels) return read_piece(step, v->from->members_apart ? step->member : field->member, i, j, values, failure);
    int status = VIRGA_OK;
    for (size_t k = 0; !status && k < v->nz; k++) {
        values[k] = NAN;
        if (step->levels[k].file) status = read_piece(&step->levels[k], field->member, i, j, &values[k], failure);
    }
    return status;
}

// Azimuth of a curvilinear grid's axis at a column, by the great circle between its neighbours there.
static bool axis_azimuth(const struct grid *grid, size_t i, size_t j, int di, int dj, double *azimuth) {
    ptrdiff_t nx = (ptrdiff_t)grid->x.n, ny = (ptrdiff_t)grid->y.n;
    double lon[2], lat[2];
    for (int side = 0; side < 2; side++) {
        ptrdiff_t x = (ptrdiff_t)i + (side ? di : -di), y = (ptrdiff_t)j + (side ? dj : -dj);
        if (grid->wraps) x = (x + nx) % nx;
        bool inside = x >= 0 && x < nx && y >= 0 && y < ny && !isnan(grid->lon[y * nx + x]);
        size_t at = inside ? (size_t)(y * nx + x) : j * (size_t)nx + i;
        lon[side] = grid->lon[at] / 57.29577951308232, lat[side] = grid->lat[at] / 57.29577951308232;
    }
    double d = lon[1] - lon[0], east = cos(lat[1]) * sin(d), north = cos(lat[0]) * sin(lat[1]) - sin(lat[0]) * cos(lat[1]) * cos(d);
    // From the first place's meridian to that half way: half of how much they converge.
    *azimuth = atan2(east, north) + atan(tan(0.5 * d) * sin(0.5 * (lat[0] + lat[1])) / cos(0.5 * (lat[0] - lat[1])));
    return hypot(east, north) > 0;
}

// Wind from components at one column; the grid's axes by a finite difference of their own.
static double wind(const struct field_ref *field, size_t i, size_t j, double u, double v) {
    const struct variable_source *from = field->dataset->variables[field->variable].from;
    const struct grid *grid = field->dataset->grid;
    if (from->derived == &derived_wind_speed) return hypot(u, v);
    double x = grid->x.values[i], y = grid->y.values[j], lon[3], lat[3], east = u, north = v;
    if (from->grid_winds && grid_is_curvilinear(grid)) {
        double azimuth[2];
        if (!axis_azimuth(grid, i, j, 1, 0, &azimuth[0]) || !axis_azimuth(grid, i, j, 0, 1, &azimuth[1])) return NAN;
        east = u * sin(azimuth[0]) + v * sin(azimuth[1]);
        north = u * cos(azimuth[0]) + v * cos(azimuth[1]);
    } else if (from->grid_winds && !grid_is_lonlat(grid)) {
        double d = grid->angular ? 1e-4 : 10, back = grid->angular && y + d > 90 ? -1 : 1;
        if (grid_to_lonlat(grid, x, y, &lon[0], &lat[0]) || grid_to_lonlat(grid, x + d, y, &lon[1], &lat[1]) ||
            grid_to_lonlat(grid, x, y + back * d, &lon[2], &lat[2]))
            return NAN;
        double c = cos(lat[0] / 57.29577951308232);
        double ex = remainder(lon[1] - lon[0], 360) * c, nx = lat[1] - lat[0], ey = back * remainder(lon[2] - lon[0], 360) * c, ny = back * (lat[2] - lat[0]);
        east = u * ex / hypot(ex, nx) + v * ey / hypot(ey, ny);
        north = u * nx / hypot(ex, nx) + v * ny / hypot(ey, ny);
    }
    double degrees = atan2(east, north) * 57.29577951308232 + 180;
    return degrees >= 360 ? degrees - 360 : degrees;
}

static int read_values(const struct field_ref *field, size_t i, size_t j, double *values, struct failure *failure);

static int read_pair(const struct field_ref *field, size_t i, size_t j, double *values, struct failure *failure) {
    struct field_ref u_field = field_input(field, false), v_field = field_input(field, true);
    size_t nz = field->dataset->variables[field->variable].nz;
    double *other = malloc(nz * sizeof *other);
    int status = other ? read_values(&u_field, i, j, values, failure) : failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    if (!status) status = read_values(&v_field, i, j, other, failure);
    const struct catalog_dataset *d = field->dataset;
    bool temperature = d->variables[field->variable].from->derived == &derived_temperature;
    double scale = 1, offset;
    if (!status && temperature) cf_units_convert(d->variables[v_field.variable].units, "hPa", &scale, &offset);
    for (size_t k = 0; !status && k < nz; k++)  // Poisson's equation, or components
        values[k] = temperature ? values[k] / exp(log(1000 / (scale * other[k])) * 0.2857142857142857) : wind(field, i, j, values[k], other[k]);
    free(other);
    return status;
}

// Mean or standard deviation of numbers that lie `stride` apart, by their sums; absent where more than half are.
static double statistic(const double *numbers, size_t count, size_t stride, bool spread) {
    double sum = 0, squares = 0, present = 0;
    for (size_t n = 0; n < count; n++)
        if (!isnan(numbers[n * stride])) sum += numbers[n * stride], present++;
    if (present == 0 || present < (double)count / 2 || (spread && present < 2)) return NAN;
    double mean = sum / present;
    for (size_t n = 0; n < count; n++)
        if (!isnan(numbers[n * stride])) squares += (numbers[n * stride] - mean) * (numbers[n * stride] - mean);
    return spread ? sqrt(squares / (present - 1)) : mean;
}

static int read_members(const struct field_ref *field, size_t i, size_t j, double *values, struct failure *failure) {
    struct field_ref member = field_input(field, false);
    const struct catalog_dataset *d = field->dataset;
    size_t nz = d->variables[field->variable].nz, count = d->variables[member.variable].member_count;
    bool spread = d->variables[field->variable].from->derived == &derived_member_spread;
    double *all = malloc(count * nz * sizeof *all);
    int status = all ? VIRGA_OK : failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    size_t there = 0;
    for (member.member = 0; !status && member.member < count; member.member++)
        if (catalog_has_member(&member)) status = read_values(&member, i, j, all + there++ * nz, failure);
    for (size_t k = 0; !status && k < nz; k++) values[k] = statistic(all + k, there, nz, spread);
    free(all);
    return status;
}

// All levels of a column, upward, whether stored or computed.
static int read_values(const struct field_ref *field, size_t i, size_t j, double *values, struct failure *failure) {
    const struct derived_kind *kind = field->dataset->variables[field->variable].from->derived;
    if (!kind) return read_column(field, i, j, values, failure);
    return kind->folds_members ? read_members(field, i, j, values, failure) : read_pair(field, i, j, values, failure);
}

// The four columns' values, [4][nz]; columns without weight are left NaN.
static int read_four(const struct field_ref *field, const struct columns *c, double **values, struct failure *failure) {
    size_t nz = field->dataset->variables[field->variable].nz;
    int status = VIRGA_OK;
    *values = malloc(4 * nz * sizeof **values);
    if (!*values) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    for (size_t n = 0; n < 4 * nz; n++) (*values)[n] = NAN;
    for (int n = 0; n < 4 && !status; n++)
        if (c->weight[n] > 0) status = read_values(field, c->i[n], c->j[n], *values + (size_t)n * nz, failure);
    return status;
}

// Exact heights of the levels above a place, each bilinear in the four columns, and the ground's.
struct ladder { size_t count; double *heights, ground; };

static int read_ladder(const struct field_ref *field, const struct columns *c, struct ladder *ladder, struct failure *failure) {
    size_t n = field->dataset->variables[field->variable].nz;
    double *column = malloc(n * sizeof *column), ground;
    int status = VIRGA_OK;
    *ladder = (struct ladder){n, calloc(n, sizeof *ladder->heights), 0};
    if (!column || !ladder->heights) status = failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    for (int at = 0; at < 4 && !status; at++) {
        if (!(c->weight[at] > 0) || (status = field_column_heights(field, c->i[at], c->j[at], column, &ground, failure))) continue;
        for (size_t k = 0; k < n; k++) ladder->heights[k] += c->weight[at] * column[k];
        ladder->ground += c->weight[at] * ground;
    }
    free(column);
    return status;
}

// Weighted over what is present, at fractional level k.
static double weigh(const double *values, size_t nz, const struct columns *c, double k) {
    size_t low = (size_t)k < nz ? (size_t)k : nz - 1, high = low + 1 < nz ? low + 1 : low;
    double f = k - (double)low, sum = 0, present = 0;
    for (int n = 0; n < 4; n++)
        for (int up = 0; up < 2; up++) {
            double weight = c->weight[n] * (up ? f : 1 - f), value = values[(size_t)n * nz + (up ? high : low)];
            if (weight > 0 && !isnan(value)) sum += weight * value, present += weight;
        }
    return present >= 0.5 - 1e-12 ? sum / present : NAN;
}

// Fractional level of a height; false below the ground and above the highest level.
static bool locate_level(const struct ladder *ladder, double height, double *k) {
    size_t n = ladder->count;
    if (!(height >= ladder->ground - 1e-6)) return false;
    double below = ladder->heights[0];
    *k = 0;
    if (height <= below) return true;
    for (size_t up = 1; up < n; up++) {
        double above = ladder->heights[up];
        if (height <= above + (up + 1 == n ? 1e-6 : 0)) {
            *k = fmin((double)(up - 1) + (height - below) / (above - below), (double)(n - 1));
            return true;
        }
        below = above;
    }
    return false;
}

int catalog_sample_source(const struct field_ref *field, double lon, double lat, double height, double *value, struct failure *failure) {
    struct ladder ladder = {0};
    struct columns c;
    double *values = NULL, k = 0;
    int status = VIRGA_OK;
    *value = NAN;
    if (!field_step_of(field)) return failure_set(failure, VIRGA_NOT_FOUND, "no such field");
    const struct catalog_variable *v = &field->dataset->variables[field->variable];
    if (!locate(field->dataset->grid, lon, lat, &c)) return VIRGA_OK;
    if (v->vertical && (status = read_ladder(field, &c, &ladder, failure))) goto out;
    if (v->vertical && !locate_level(&ladder, height, &k)) goto out;
    if (!(status = read_four(field, &c, &values, failure))) *value = weigh(values, v->nz, &c, k);
out:
    free(values);
    free(ladder.heights);
    return status;
}

int catalog_profile_source(const struct field_ref *field, double lon, double lat, struct source_profile *profile, struct failure *failure) {
    struct ladder ladder = {0};
    struct columns c;
    double *values = NULL;
    int status = VIRGA_OK;
    *profile = (struct source_profile){0};
    if (!field_step_of(field)) return failure_set(failure, VIRGA_NOT_FOUND, "no such field");
    const struct catalog_variable *v = &field->dataset->variables[field->variable];
    if (!locate(field->dataset->grid, lon, lat, &c)) return VIRGA_OK;
    if (v->vertical && (status = read_ladder(field, &c, &ladder, failure))) goto out;
    if ((status = read_four(field, &c, &values, failure))) goto out;
    profile->heights = malloc(v->nz * sizeof *profile->heights);
    profile->values = malloc(v->nz * sizeof *profile->values);
    if (!profile->heights || !profile->values) {
        source_profile_destroy(profile);
        status = failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
        goto out;
    }
    profile->count = v->nz;
    for (size_t k = 0; k < v->nz; k++) {
        profile->heights[k] = ladder.heights ? ladder.heights[k] : NAN;
        profile->values[k] = weigh(values, v->nz, &c, (double)k);
    }
out:
    free(values);
    free(ladder.heights);
    return status;
}

void source_profile_destroy(struct source_profile *profile) {
    free(profile->heights);
    free(profile->values);
    *profile = (struct source_profile){0};
}
