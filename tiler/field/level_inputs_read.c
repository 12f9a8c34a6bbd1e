// SPDX-License-Identifier: Apache-2.0
// Heights of levels in a box of columns, level by level upward, so that no more than a few levels of a large grid are held.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "field/cf_attributes.h"
#include "field/cf_helpers.h"
#include "field/cf_units.h"
#include "field/hydrostatic.h"
#include "field/level_inputs.h"
#include "field/standard_atmosphere.h"

enum { GROUP_NUMBERS = 4 << 20 };  // of one input, held at a time
static const size_t no_level = (size_t)-1;

// --- pieces -------------------------------------------------------------------------------------------------------------

// A plane in metres or Pa; NaN where missing.
static int read_plane(const struct level_input *input, const struct column_box *box, const char *units, double *plane, struct failure *failure) {
    struct field_box piece = {box->x0, box->y0, 0, box->nx, box->ny, 1};
    const struct cf_variable *v = input->variable;
    double scale = v->helper_scale, offset = v->helper_offset;
    if (v->level_count != 1) return failure_set(failure, VIRGA_UNSUPPORTED, "%.80s should be a surface and has levels", cf_file_variable(input->file, v->index)->name);
    if (v->helper == HELPER_NONE && (cf_units_convert(cf_units_of(cf_file_variable(input->file, v->index)), units, &scale, &offset) || offset != 0)) scale = 1, offset = 0;
    int status = level_input_read(input, &piece, plane, failure);
    for (size_t c = 0; !status && c < box->nx * box->ny; c++) {
        plane[c] = plane[c] * scale + offset;
        if (v->helper == HELPER_LOG_SURFACE_PRESSURE) plane[c] = exp(plane[c]);
    }
    return status;
}

static int read_ground(const struct level_input *input, const struct column_box *box, double *plane, struct failure *failure) {
    int status = read_plane(input, box, "m", plane, failure);
    for (size_t c = 0; !status && c < box->nx * box->ny; c++)
        if (!(fabs(plane[c]) < 2e4)) plane[c] = 0;
    return status;
}

static int read_pressure(const struct level_input *input, const struct column_box *box, double *plane, struct failure *failure) {
    int status = read_plane(input, box, "Pa", plane, failure);
    for (size_t c = 0; !status && c < box->nx * box->ny; c++)
        if (!(plane[c] > 100 && plane[c] < 2e5)) plane[c] = NAN;
    return status;
}

int level_inputs_ground(const struct level_inputs *in, const struct column_box *box, double *ground, bool *known, struct failure *failure) {
    size_t columns = box->nx * box->ny;
    *known = true;
    if (in->ground.file) return read_ground(&in->ground, box, ground, failure);
    if (in->vertical->kind == VERTICAL_HYBRID_PRESSURE && in->surface_pressure.file) {
        int status = read_pressure(&in->surface_pressure, box, ground, failure);
        for (size_t c = 0; !status && c < columns; c++) ground[c] = isnan(ground[c]) ? 0 : standard_atmosphere_height(ground[c]);
        return status;
    }
    if (in->vertical->kind == VERTICAL_FIELD && in->vertical->field.halves && !in->vertical->field.pressure && !in->vertical->field.above_ground &&
        in->vertical->field.variables[1] == CF_NO_VARIABLE) {  // the lowest half level is the ground
        struct field_box piece = {box->x0, box->y0, 0, box->nx, box->ny, 1};
        int status = level_input_read(&in->fields[0], &piece, ground, failure);
        for (size_t c = 0; !status && c < columns; c++) {
            ground[c] *= in->vertical->field.factor;
            if (!(fabs(ground[c]) < 2e4)) ground[c] = 0;
        }
        return status;
    }
    *known = false;
    for (size_t c = 0; c < columns; c++) ground[c] = 0;
    return VIRGA_OK;
}

// --- levels of one variable, a few at a time ----------------------------------------------------------------------------

struct level_reader {
    const struct level_input *input;
    const struct column_box *box;
    double *numbers;             // [held][ny][nx]
    size_t room, first, held;    // levels
};

static const struct cf_vertical *levels_of(const struct level_input *input) {
    return input->variable->vertical >= 0 ? &input->file->verticals[input->variable->vertical] : NULL;
}

static int reader_init(struct level_reader *r, const struct level_input *input, const struct column_box *box) {
    size_t columns = box->nx * box->ny, n = input->variable->level_count;
    r->input = input;
    r->box = box;
    r->room = GROUP_NUMBERS / columns;
    if (r->room < 1) r->room = 1;
    if (r->room > n) r->room = n;
    r->numbers = memory_new_aligned(64, columns * r->room, sizeof *r->numbers);
    return r->numbers ? VIRGA_OK : VIRGA_NO_MEMORY;
}

static int reader_plane(struct level_reader *r, size_t level, double **plane, struct failure *failure) {
    size_t n = r->input->variable->level_count;
    if (level >= n) return failure_set(failure, VIRGA_UNSUPPORTED, "a variable that tells where its levels are has too few of them");
    if (r->held == 0 || level < r->first || level >= r->first + r->held) {
        size_t count = n - level < r->room ? n - level : r->room;
        struct field_box piece = {r->box->x0, r->box->y0, level, r->box->nx, r->box->ny, count};
        int status = level_input_read(r->input, &piece, r->numbers, failure);
        r->held = status ? 0 : count;
        r->first = level;
        if (status) return status;
    }
    *plane = r->numbers + (level - r->first) * r->box->nx * r->box->ny;
    return VIRGA_OK;
}

// --- a walk upward ------------------------------------------------------------------------------------------------------

struct walk {
    const struct level_inputs *in;
    const struct column_box *box;
    const struct cf_vertical *along;  // levels that are walked: the field's, or the temperature's
    size_t columns;
    size_t *mine;          // [along] the field's level, or no_level
    size_t *of[2];         // [along] level of the field or heights variable, and of the humidity
    struct level_reader field[2], temperature, humidity;
    double *ground, *surface;           // [columns] metres and Pa; surface NULL where nothing tells it
    double *out;                        // [columns] heights of the level
    double *foot, *below, *warmth;      // [columns] height and pressure of the last level (or of the last layer's upper face), its virtual temperature
    double *pressure;                   // [columns] of the level
    bool begun;
};

static void walk_destroy(struct walk *w) {
    struct level_reader *readers[] = {&w->field[0], &w->field[1], &w->temperature, &w->humidity};
    for (size_t n = 0; n < 4; n++) free(readers[n]->numbers);
    free(w->mine);
    free(w->of[0]);
    free(w->of[1]);
    double *planes[] = {w->ground, w->surface, w->out, w->foot, w->below, w->warmth, w->pressure};
    for (size_t n = 0; n < sizeof planes / sizeof *planes; n++) free(planes[n]);
}

static bool is_pressure_field(const struct level_inputs *in) { return in->vertical->kind == VERTICAL_FIELD && in->vertical->field.pressure; }
static bool reads_fields(const struct level_inputs *in) { return in->way == WAY_FIELD || (is_pressure_field(in) && in->way != WAY_GEOPOTENTIAL); }

static int match(const struct cf_vertical *mine, const struct level_input *theirs, size_t *levels, struct failure *failure) {
    const struct cf_vertical *v = levels_of(theirs);
    if (v && cf_vertical_match(mine, v, levels)) return VIRGA_OK;
    return failure_set(failure, VIRGA_UNSUPPORTED, "%.80s, which tells where its levels are, has other levels", cf_file_variable(theirs->file, theirs->variable->index)->name);
}

static int walk_levels(struct walk *w, struct failure *failure) {
    const struct level_inputs *in = w->in;
    size_t n = in->vertical->level_count;
    w->along = in->way == WAY_HYDROSTATIC ? levels_of(&in->temperature) : in->vertical;
    if (!w->along) return failure_set(failure, VIRGA_UNSUPPORTED, "its temperature has no levels");
    size_t m = w->along->level_count, *theirs = malloc(n * sizeof *theirs);
    int status = VIRGA_OK;
    w->mine = malloc(m * sizeof *w->mine);
    for (int f = 0; f < 2; f++) w->of[f] = calloc(m, sizeof **w->of);
    if (!theirs || !w->mine || !w->of[0] || !w->of[1]) status = failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    for (size_t k = 0; !status && k < m; k++) w->mine[k] = in->way == WAY_HYDROSTATIC ? no_level : k;
    if (!status && in->way == WAY_HYDROSTATIC && !(status = match(in->vertical, &in->temperature, theirs, failure)))
        for (size_t k = 0; k < n; k++) w->mine[theirs[k]] = k;
    if (!status && in->way == WAY_GEOPOTENTIAL) status = match(w->along, &in->heights, w->of[0], failure);
    if (!status && reads_fields(in) && in->vertical->field.halves)
        for (size_t k = 0; k < m; k++) w->of[0][k] = k;
    else if (!status && reads_fields(in)) status = match(w->along, &in->fields[0], w->of[0], failure);
    if (!status && in->way == WAY_HYDROSTATIC && in->humidity.file) status = match(w->along, &in->humidity, w->of[1], failure);
    free(theirs);
    return status;
}

static double *new_plane(size_t columns, bool *failed) {
    double *plane = memory_new_aligned(64, columns, sizeof *plane);
    *failed |= !plane;
    return plane;
}

static int walk_readers(struct walk *w) {
    const struct level_inputs *in = w->in;
    int status = VIRGA_OK;
    if (in->way == WAY_GEOPOTENTIAL) status = reader_init(&w->field[0], &in->heights, w->box);
    for (int f = 0; f < 2 && !status && reads_fields(in); f++)
        if (in->fields[f].file) status = reader_init(&w->field[f], &in->fields[f], w->box);
    if (!status && in->way == WAY_HYDROSTATIC) status = reader_init(&w->temperature, &in->temperature, w->box);
    if (!status && in->way == WAY_HYDROSTATIC && in->humidity.file) status = reader_init(&w->humidity, &in->humidity, w->box);
    return status;
}

// Ground and surface pressure: one of them may have to be taken from the other by the standard atmosphere.
static int walk_surface(struct walk *w, struct failure *failure) {
    const struct level_inputs *in = w->in;
    bool known, by_pressure = in->vertical->kind == VERTICAL_HYBRID_PRESSURE || in->vertical->kind == VERTICAL_PRESSURE || is_pressure_field(in);
    int status = level_inputs_ground(in, w->box, w->ground, &known, failure);
    if (status || !by_pressure || (!known && !in->surface_pressure.file)) {
        free(w->surface);
        w->surface = NULL;
        return status;
    }
    if (in->surface_pressure.file) status = read_pressure(&in->surface_pressure, w->box, w->surface, failure);
    for (size_t c = 0; !status && c < w->columns; c++) {
        if (!in->surface_pressure.file || isnan(w->surface[c])) w->surface[c] = standard_atmosphere_pressure(known ? w->ground[c] : 0);
        if (!known) w->ground[c] = standard_atmosphere_height(w->surface[c]);
    }
    return status;
}

static int walk_init(struct walk *w, struct failure *failure) {
    bool failed = false;
    int status = walk_levels(w, failure);
    if (status) return status;
    double **planes[] = {&w->ground, &w->surface, &w->out, &w->foot, &w->below, &w->warmth, &w->pressure};
    for (size_t n = 0; n < sizeof planes / sizeof *planes; n++) *planes[n] = new_plane(w->columns, &failed);
    if (failed || walk_readers(w)) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    return walk_surface(w, failure);
}

// --- heights that stand in the file -------------------------------------------------------------------------------------

// The sum of up to two variables at a level of theirs, times the factor, into plane.
static int field_plane(struct walk *w, size_t level, double *plane, struct failure *failure) {
    double *numbers;
    const struct cf_level_field *f = &w->in->vertical->field;
    int status = reader_plane(&w->field[0], level, &numbers, failure);
    for (size_t c = 0; !status && c < w->columns; c++) plane[c] = numbers[c] * f->factor;
    if (status || f->variables[1] == CF_NO_VARIABLE) return status;
    status = reader_plane(&w->field[1], level, &numbers, failure);
    for (size_t c = 0; !status && c < w->columns; c++) plane[c] += numbers[c] * f->factor;
    return status;
}

static int field_level(struct walk *w, size_t k, double *plane, struct failure *failure) {
    const struct cf_level_field *f = &w->in->vertical->field;
    int status = field_plane(w, w->of[0][k], plane, failure);
    if (status || !f->halves) return status;
    status = field_plane(w, w->of[0][k] + 1, w->foot, failure);
    for (size_t c = 0; !status && c < w->columns; c++) plane[c] = (plane[c] + w->foot[c]) / 2;
    return status;
}

static double standard_height(const struct walk *w, size_t k) {
    const struct cf_vertical *v = w->along;
    double pressure = v->kind == VERTICAL_PRESSURE ? v->a[k] : v->kind == VERTICAL_HYBRID_PRESSURE ? v->a[k] + v->b[k] * 101325 : 101325 * exp(-(double)k / 10);
    return standard_atmosphere_height(pressure);
}

// Below the ground some models leave heights out: there the standard atmosphere's thicknesses go on, down from the lowest height
// there is and up from the level before.
static int geopotential_level(struct walk *w, size_t k, struct failure *failure) {
    const struct level_reader *r = &w->field[0];
    double *numbers, scale = r->input->variable->helper_scale;
    int status = reader_plane(&w->field[0], w->of[0][k], &numbers, failure);
    for (size_t c = 0; !status && c < w->columns; c++) {
        double height = numbers[c] * scale;
        for (size_t up = k + 1; !isfinite(height) && k == 0 && up < w->along->level_count && w->of[0][up] < r->first + r->held; up++)
            height = r->numbers[(w->of[0][up] - r->first) * w->columns + c] * scale - standard_height(w, up) + standard_height(w, k);
        if (!isfinite(height)) height = k > 0 ? w->out[c] + standard_height(w, k) - standard_height(w, k - 1) : standard_height(w, k);
        w->out[c] = height;
    }
    return status;
}

// --- heights by pressure ------------------------------------------------------------------------------------------------

static int pressure_level(struct walk *w, size_t k, struct failure *failure) {
    const struct cf_vertical *v = w->along;
    int status = is_pressure_field(w->in) ? field_level(w, k, w->pressure, failure) : VIRGA_OK;
    for (size_t c = 0; !status && c < w->columns; c++) {
        if (v->kind == VERTICAL_PRESSURE) w->pressure[c] = v->a[k];
        if (v->kind == VERTICAL_HYBRID_PRESSURE) w->pressure[c] = v->a[k] + v->b[k] * w->surface[c];
    }
    return status;
}

static double standard_temperature(double pressure) {
    double h = standard_atmosphere_height(pressure), step = 50, high = standard_atmosphere_pressure(h + step), low = standard_atmosphere_pressure(h - step);
    return 2 * step * HYDROSTATIC_GRAVITY / (HYDROSTATIC_DRY_AIR * log(low / high));
}

// Virtual temperature of the level into *t, the standard atmosphere's where it is missing.
static int temperature_level(struct walk *w, size_t k, double **t, struct failure *failure) {
    double *humidity = NULL;
    const struct cf_variable *tv = w->in->temperature.variable, *qv = w->in->humidity.variable;
    int status = reader_plane(&w->temperature, k, t, failure);
    if (!status && w->in->humidity.file) status = reader_plane(&w->humidity, w->of[1][k], &humidity, failure);
    for (size_t c = 0; !status && c < w->columns; c++) {
        double kelvin = (*t)[c] * tv->helper_scale + tv->helper_offset, q = humidity ? humidity[c] * qv->helper_scale : 0;
        if (humidity && qv->helper == HELPER_MIXING_RATIO) q = q / (1 + q);
        if (!(q > 0 && q < 0.2)) q = 0;
        if (!(kelvin > 50 && kelvin < 1000)) kelvin = w->pressure[c] > 0 ? standard_temperature(w->pressure[c]) : 250;
        w->warmth[c] = hydrostatic_virtual_temperature(kelvin, q);
    }
    return status;
}

// From the last level, or from the surface; levels below the surface hang under it.
static void between_levels(struct walk *w, size_t c, double before) {
    double p = w->pressure[c], t = w->warmth[c];
    if (!w->surface && !w->begun) w->out[c] = standard_atmosphere_height(p);
    else if (!w->begun || (w->surface && (p >= w->surface[c] || w->below[c] >= w->surface[c]))) w->out[c] = w->ground[c] - hydrostatic_lapse(t, p, w->surface[c]);
    else w->out[c] = w->out[c] + hydrostatic_between(before, w->below[c], t, p);
    w->below[c] = p;
}

// With half levels: w->foot is the height of the face between the layers, w->below its pressure.
static void by_layers(struct walk *w, size_t k, size_t c, double before) {
    const double *a = w->along->half_a + 2 * k, *b = w->along->half_b + 2 * k;
    double low = a[0] + b[0] * w->surface[c], high = a[1] + b[1] * w->surface[c], t = w->warmth[c], p = w->pressure[c];
    if (!w->begun) w->foot[c] = w->ground[c] - (fabs(low - w->surface[c]) < 1e-5 * low ? 0 : hydrostatic_lapse(t, p, w->surface[c]) - hydrostatic_lapse(t, p, low));
    else if (fabs(low - w->below[c]) > 1e-5 * low) w->foot[c] += hydrostatic_between(before, w->below[c], t, low);  // levels are left out
    w->out[c] = w->foot[c] + hydrostatic_to_level(t, low, high);
    if (high > 0) w->foot[c] += hydrostatic_layer(t, low, high);
    w->below[c] = high;
}

static int hydrostatic_level(struct walk *w, size_t k, struct failure *failure) {
    double *raw;
    bool layers = w->along->kind == VERTICAL_HYBRID_PRESSURE && w->along->half_a && w->surface;
    int status = pressure_level(w, k, failure);
    double *before = malloc(w->columns * sizeof *before);
    if (!status && !before) status = failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    if (!status) memcpy(before, w->warmth, w->columns * sizeof *before);
    if (!status) status = temperature_level(w, k, &raw, failure);
    for (size_t c = 0; !status && c < w->columns; c++) {
        if (!(w->pressure[c] > 0)) w->out[c] = NAN;
        else if (layers) by_layers(w, k, c, before[c]);
        else between_levels(w, c, before[c]);
    }
    free(before);
    w->begun = true;
    return status;
}

static int standard_level(struct walk *w, size_t k, struct failure *failure) {
    int status = pressure_level(w, k, failure);
    for (size_t c = 0; !status && c < w->columns; c++) {
        w->out[c] = w->pressure[c] > 0 ? standard_atmosphere_height(w->pressure[c]) : NAN;
        if (w->surface) w->out[c] += w->ground[c] - standard_atmosphere_height(w->surface[c]);
    }
    return status;
}

// --- all ways -----------------------------------------------------------------------------------------------------------

static int numbers_level(struct walk *w, size_t k, const double *smooth) {
    const struct cf_vertical *v = w->in->vertical;
    for (size_t c = 0; c < w->columns; c++) {
        w->out[c] = v->kind == VERTICAL_PRESSURE ? standard_atmosphere_height(v->a[k]) : v->a[k];
        if (v->kind == VERTICAL_HEIGHT) w->out[c] += w->ground[c];
        if (v->b) w->out[c] += v->b[k] * w->ground[c];
        if (smooth) w->out[c] += v->c[k] * smooth[c];
    }
    return VIRGA_OK;
}

static int walk_level(struct walk *w, size_t k, const double *smooth, struct failure *failure) {
    int status = VIRGA_OK;
    switch (w->in->way) {
        case WAY_NUMBERS:
        case WAY_SMOOTH: return numbers_level(w, k, smooth);
        case WAY_GEOPOTENTIAL: return geopotential_level(w, k, failure);
        case WAY_HYDROSTATIC: return hydrostatic_level(w, k, failure);
        case WAY_STANDARD: return standard_level(w, k, failure);
        case WAY_FIELD:
            status = field_level(w, k, w->out, failure);
            for (size_t c = 0; !status && w->in->vertical->field.above_ground && c < w->columns; c++) w->out[c] += w->ground[c];
            return status;
    }
    return failure_set(failure, VIRGA_INTERNAL, "no way to heights");
}

int level_inputs_read(const struct level_inputs *in, const struct column_box *box, height_plane take, void *user, struct failure *failure) {
    struct walk w = {.in = in, .box = box, .columns = box->nx * box->ny};
    double *smooth = in->way == WAY_SMOOTH ? memory_new_aligned(64, w.columns, sizeof *smooth) : NULL;
    int status = walk_init(&w, failure);
    if (!status && in->way == WAY_SMOOTH) status = smooth ? read_ground(&in->smooth, box, smooth, failure) : failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    for (size_t k = 0; !status && k < w.along->level_count; k++) {
        status = walk_level(&w, k, smooth, failure);
        if (!status && w.mine[k] != no_level) status = take(user, w.mine[k], box, w.out);
    }
    walk_destroy(&w);
    free(smooth);
    return status;
}
