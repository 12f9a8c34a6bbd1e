// SPDX-License-Identifier: Apache-2.0
// Surfaces of pressure and of potential temperature: their quantity is walked upward, level by level, in all columns.
//
// Hydrostatic balance, p between two heights: ln(p1 / p2) = g (z2 − z1) / (Rd T), T the mean of both temperatures (Wallace and Hobbs, Atmospheric
// Science, section 3.2, with T linear). Potential temperature: theta = T (p0 / p)^(2/7), p0 = 1000 hPa (the same, section 3.4).
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/multiversion.h"
#include "field/hydrostatic.h"
#include "field/standard_atmosphere.h"
#include "tile/plane_math.h"
#include "tile/plane_place.h"

static const double gravity = HYDROSTATIC_GRAVITY, dry_air = HYDROSTATIC_DRY_AIR, log_p0 = 11.512925464970229 /* ln 100000 */, kappa = 2.0 / 7;
static const float least_pressure = 1e-3F;  // Pa

// --- A companion, level by level in its proper unit.

struct companion_reader {
    struct plane_reader reader;
    const struct level_companion *companion;
    size_t *levels;  // which of its levels is which of the field's; NULL without levels
};

static void companion_close(struct companion_reader *r) {
    plane_reader_close(&r->reader);
    free(r->levels);
    *r = (struct companion_reader){0};
}

static int companion_open(struct companion_reader *r, const struct plane_work *work, const struct level_companion *companion, bool levels, struct failure *failure) {
    const size_t n = work->coordinate.count, stored = work->field->dataset->variables[companion->field.variable].nz;
    *r = (struct companion_reader){.companion = companion};
    if (levels && !(r->levels = malloc(n * sizeof *r->levels))) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    if (levels && !level_companion_levels(work->field, companion, r->levels)) return failure_set(failure, VIRGA_UNSUPPORTED, "levels do not fit");
    struct field_ref field = companion->field;
    field.stop = work->field->stop;
    return plane_reader_open(&r->reader, work->maker, &work->columns, &field, true, stored - 1, levels, failure);
}

static int companion_level(struct companion_reader *r, size_t k, float *values, struct failure *failure) {
    const struct level_companion *c = r->companion;
    const size_t count = r->reader.columns->count;
    const int status = plane_reader_level(&r->reader, r->levels ? r->levels[k] : k, values, failure);
    const bool as_read = c->scale == 1 && c->offset == 0 && !c->logarithm;
    for (size_t n = 0; !status && !as_read && n < count; n++) {
        const double value = (double)values[n] * c->scale + c->offset;
        values[n] = (float)(c->logarithm ? exp(value) : value);
    }
    return status;
}

// --- The logarithm of pressure.

struct pressure_walk {
    struct plane_work *work;
    struct companion_reader pressure, temperature;
    float *surface;                          // Pa, or NULL where nothing tells it
    float *log_p, *warmth, *height, *before; // of the last level
};

static void pressure_close(struct pressure_walk *w) {
    companion_close(&w->pressure);
    companion_close(&w->temperature);
    float *planes[] = {w->surface, w->log_p, w->warmth, w->height, w->before};
    for (size_t n = 0; n < sizeof planes / sizeof *planes; n++) free(planes[n]);
}

static int plane_room(const struct plane_work *work, float **plane, struct failure *failure) {
    *plane = memory_new_aligned(64, work->columns.count, sizeof **plane);
    return *plane ? VIRGA_OK : failure_set(failure, VIRGA_NO_MEMORY, "out of memory for a surface of %zu columns", work->columns.count);
}

static int read_surface(struct pressure_walk *w, struct failure *failure) {
    struct companion_reader reader;
    const struct level_companion *companion = &w->work->coordinate.surface_pressure;
    if (!companion->there) return VIRGA_OK;
    int status = companion_open(&reader, w->work, companion, false, failure);
    if (!status) status = plane_room(w->work, &w->surface, failure);
    if (!status) status = companion_level(&reader, 0, w->surface, failure);
    companion_close(&reader);
    return status;
}

static bool told_by_numbers(const struct pressure_walk *w) {
    const struct level_coordinate *c = &w->work->coordinate;
    return c->quantity == LEVELS_PRESSURE || (c->quantity == LEVELS_HYBRID_PRESSURE && c->surface_pressure.there);
}

static int pressure_open(struct pressure_walk *w, struct plane_work *work, struct failure *failure) {
    const struct level_coordinate *c = &work->coordinate;
    *w = (struct pressure_walk){.work = work};
    int status = read_surface(w, failure);
    if (!status) status = plane_room(work, &w->log_p, failure);
    if (status || told_by_numbers(w)) {
        if (!status) plane_work_say(work, c->b ? "pressure of the levels by the surface pressure" : "pressure of the levels");
        return status;
    }
    if (c->pressure.there) {
        plane_work_say(work, "pressure: %.60s", work->field->dataset->variables[c->pressure.field.variable].id);
        return companion_open(&w->pressure, work, &c->pressure, true, failure);
    }
    plane_work_say(work, c->temperature.there ? "pressure by hydrostatic balance of dry air between the levels' heights (%.80s)" : "pressure of the standard atmosphere at the levels' heights (%.80s)",
                   work->map->method);
    if (!c->temperature.there) return VIRGA_OK;
    if ((status = plane_room(work, &w->warmth, failure)) || (status = plane_room(work, &w->height, failure)) ||
        (status = plane_room(work, &w->before, failure))) return status;
    return companion_open(&w->temperature, work, &c->temperature, true, failure);
}

MULTIVERSION
static void logarithms(size_t count, float a, float b, const float *surface, float *log_p) {
    for (size_t n = 0; n < count; n++) {
        const float pressure = a + b * surface[n];
        log_p[n] = pressure > least_pressure ? plane_log(pressure) : NAN;
    }
}

static void by_numbers(struct pressure_walk *w, size_t k) {
    const struct level_coordinate *c = &w->work->coordinate;
    const size_t count = w->work->columns.count;
    if (c->b) logarithms(count, (float)c->a[k], (float)c->b[k], w->surface, w->log_p);
    for (size_t n = 0; !c->b && n < count; n++) w->log_p[n] = (float)log(c->a[k]);
}

static void by_standard_atmosphere(struct pressure_walk *w, size_t k) {
    for (size_t n = 0; n < w->work->columns.count; n++) w->log_p[n] = (float)log(standard_atmosphere_pressure(plane_work_height(w->work, n, (double)k)));
}

static double log_at_ground(const struct pressure_walk *w, size_t n) {
    const double told = w->surface ? (double)w->surface[n] : NAN;
    return log(told > 0 ? told : standard_atmosphere_pressure(plane_work_ground(w->work, n)));
}

// Where a temperature is missing the standard atmosphere's pressure stands.
static int by_balance(struct pressure_walk *w, size_t k, struct failure *failure) {
    float *before = w->warmth;
    w->warmth = w->before, w->before = before;
    const int status = companion_level(&w->temperature, k, w->warmth, failure);
    for (size_t n = 0; !status && n < w->work->columns.count; n++) {
        const double z = plane_work_height(w->work, n, (double)k), t = (double)w->warmth[n];
        const double from = k ? (double)w->height[n] : plane_work_ground(w->work, n), log_p = k ? (double)w->log_p[n] : log_at_ground(w, n);
        const double mean = k ? (t + (double)before[n]) / 2 : t;
        const double balanced = log_p - gravity * (z - from) / (dry_air * mean);
        w->log_p[n] = (float)(isnan(balanced) ? log(standard_atmosphere_pressure(z)) : balanced);
        w->height[n] = (float)z;
    }
    return status;
}

// ln p of level k, which comes after k − 1, into w->log_p.
static int pressure_level(struct pressure_walk *w, size_t k, struct failure *failure) {
    int status = plane_stopped(w->work->field, failure);
    if (status) return status;
    if (told_by_numbers(w)) return by_numbers(w, k), VIRGA_OK;
    if (w->pressure.companion) {
        status = companion_level(&w->pressure, k, w->log_p, failure);
        for (size_t n = 0; !status && n < w->work->columns.count; n++) w->log_p[n] = logf(w->log_p[n]);
        return status;
    }
    if (w->temperature.companion) return by_balance(w, k, failure);
    return by_standard_atmosphere(w, k), VIRGA_OK;
}

// --- Crossings.

static float between(size_t k, double a, double b, double target) { return (float)((double)k - 1 + (a == b ? 1 : (target - a) / (b - a))); }

// Where the pressure of levels follows from the surface's, each column is looked through from where the one before it was found.
static void cross_hybrid(const struct pressure_walk *w, double target, float *at) {
    const struct level_coordinate *levels = &w->work->coordinate;
    const double *a = levels->a, *b = levels->b, log_target = log(target);
    const size_t last = levels->count - 1;
    size_t k = 0;
    for (size_t c = 0; c < w->work->columns.count; c++) {
        const double surface = (double)w->surface[c];
        at[c] = NAN;
        if (!(target <= surface)) continue;  // under the ground, or where nothing is known
        if (target >= a[0] + b[0] * surface) {
            at[c] = 0;
            continue;
        }
        while (k > 0 && a[k] + b[k] * surface < target) k--;
        while (k < last && a[k + 1] + b[k + 1] * surface > target) k++;
        if (k == last) continue;
        const double low = log(a[k] + b[k] * surface), high = a[k + 1] + b[k + 1] * surface;
        at[c] = high > 0 ? between(k + 1, low, log(high), log_target) : NAN;
    }
}

int plane_crossing_pressure(struct plane_work *work, double pressure, float *at, struct failure *failure) {
    struct pressure_walk w;
    const double target = log(pressure);
    float *last = NULL;
    int status = pressure_open(&w, work, failure);
    if (!status && told_by_numbers(&w) && work->coordinate.b) {
        cross_hybrid(&w, pressure, at);
        pressure_close(&w);
        return VIRGA_OK;
    }
    if (!status) status = plane_room(work, &last, failure);
    const bool ground = !status && (w.surface || w.temperature.companion);  // whose pressure is known
    for (size_t c = 0; !status && c < work->columns.count; c++) {
        at[c] = NAN;
        last[c] = ground ? (float)log_at_ground(&w, c) : NAN;
    }
    for (size_t k = 0; !status && k < work->coordinate.count; k++) {
        status = pressure_level(&w, k, failure);
        for (size_t c = 0; !status && c < work->columns.count; c++) {
            const double a = (double)last[c], b = (double)w.log_p[c];
            if (isnan(at[c]) && target >= b && (target <= a || (k == 0 && target == b))) at[c] = k ? between(k, a, b, target) : 0;
            last[c] = w.log_p[c];
        }
    }
    free(last);
    pressure_close(&w);
    return status;
}

// Potential temperature of level k into theta.
struct theta_walk {
    struct companion_reader theta, temperature;
    struct pressure_walk pressure;
};

static int theta_open(struct theta_walk *w, struct plane_work *work, struct failure *failure) {
    const struct level_coordinate *c = &work->coordinate;
    *w = (struct theta_walk){0};
    if (c->theta.there) {
        plane_work_say(work, "potential temperature: %.60s", work->field->dataset->variables[c->theta.field.variable].id);
        return companion_open(&w->theta, work, &c->theta, true, failure);
    }
    if (!c->temperature.there) return failure_set(failure, VIRGA_UNSUPPORTED, "no potential temperature, and no temperature, is on the levels of %s", work->field->dataset->variables[work->field->variable].id);
    plane_work_say(work, "potential temperature by %.60s", work->field->dataset->variables[c->temperature.field.variable].id);
    const int status = companion_open(&w->temperature, work, &c->temperature, true, failure);
    return status ? status : pressure_open(&w->pressure, work, failure);
}

static void theta_close(struct theta_walk *w) {
    companion_close(&w->theta);
    companion_close(&w->temperature);
    pressure_close(&w->pressure);
}

MULTIVERSION
static void become_theta(size_t count, const float *log_p, float *t) {
    for (size_t c = 0; c < count; c++) {
        const float more = (float)kappa * ((float)log_p0 - log_p[c]);
        t[c] = more > -50 && more < 50 ? t[c] * plane_exp(more) : NAN;  // false for NaN
    }
}

static int theta_level(struct theta_walk *w, size_t k, float *theta, struct failure *failure) {
    if (w->theta.companion) return companion_level(&w->theta, k, theta, failure);
    int status = companion_level(&w->temperature, k, theta, failure);
    if (!status) status = pressure_level(&w->pressure, k, failure);
    if (!status) become_theta(w->pressure.work->columns.count, w->pressure.log_p, theta);
    return status;
}

// The highest crossing is the last that is found.
MULTIVERSION
static void cross(size_t count, size_t k, float target, const float *last, const float *now, const float *lowest, float *at) {
    const float under = (float)(k - 1);
    for (size_t c = 0; c < count; c++) {
        const float a = last[c], b = now[c], step = b - a;
        const float found = under + (step != 0 ? (target - a) / step : 1);
        at[c] = (target - a) * (target - b) <= 0 ? found : at[c];
    }
    for (size_t c = 0; lowest && c < count; c++)  // what was found under the ground does not count; nor does anything where that is above all levels
        if (!(at[c] >= lowest[c])) at[c] = NAN;
}

int plane_crossing_theta(struct plane_work *work, double target, float *at, struct failure *failure) {
    struct theta_walk w;
    float *last = NULL, *now = NULL, *lowest = NULL;
    int status = theta_open(&w, work, failure);
    if (!status) status = plane_room(work, &last, failure);
    if (!status) status = plane_room(work, &now, failure);
    if (!status) status = plane_work_lowest(work, &lowest, failure);
    for (size_t c = 0; !status && c < work->columns.count; c++) at[c] = last[c] = NAN;
    for (size_t k = 0; !status && k < work->coordinate.count; k++) {
        status = theta_level(&w, k, now, failure);
        if (!status && k) cross(work->columns.count, k, (float)target, last, now, lowest, at);
        float *const passed = last;
        last = now, now = passed;
    }
    free(last);
    free(now);
    free(lowest);
    theta_close(&w);
    return status;
}
