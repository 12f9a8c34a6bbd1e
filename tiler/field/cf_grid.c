// SPDX-License-Identifier: Apache-2.0
#include "field/cf_grid.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "field/cf_attributes.h"
#include "field/cf_units.h"
#include "field/grid_transform.h"

enum { AXIS_MAX = 1 << 20 };
static const double metres_per_degree = 0.017453292519943295 * GRID_SPHERE;

static int refuse(struct failure *failure, char which, const char *why) {
    return failure_set(failure, VIRGA_UNSUPPORTED, "the %c axis %s", which, why);
}

// Copies an axis, scaled, increasing; longitudes that jump at the date line are unrolled.
static int take_axis(const struct cf_axis_input *in, char which, double scale, double shift, bool unroll, struct grid_axis *axis,
                     struct cf_axis_order *order, struct failure *failure) {
    size_t n = in->n;
    if (n < 1 || n > AXIS_MAX) return refuse(failure, which, n ? "is too long" : "has no points");
    double *v = axis->values = malloc(n * sizeof *v);
    if (!v) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    axis->n = order->n = n;
    for (size_t i = 0; i < n; i++) {
        v[i] = in->values[i] * scale + shift;
        if (!isfinite(v[i]) || fabs(v[i]) > 1e12) return refuse(failure, which, "has values that are missing or not finite");
    }
    if (unroll && n > 1) {
        // The way most neighbours go is the axis' way; the one jump against it is the date line.
        size_t up = 0;
        for (size_t i = 1; i < n; i++) up += v[i] > v[i - 1];
        double turn = 2 * up >= n - 1 ? 360 : -360, turned = 0;
        for (size_t i = 1; i < n; i++) {
            double before = v[i - 1] - turned;
            if (turn > 0 ? v[i] < before - 180 : v[i] > before + 180) turned += turn;
            v[i] += turned;
        }
    }
    order->reversed = n > 1 && v[1] < v[0];
    if (order->reversed)
        for (size_t i = 0; i < n / 2; i++) {
            double t = v[i];
            v[i] = v[n - 1 - i];
            v[n - 1 - i] = t;
        }
    for (size_t i = 1; i < n; i++)
        if (!(v[i] > v[i - 1])) return refuse(failure, which, "is neither increasing nor decreasing");
    return VIRGA_OK;
}

static void find_step(struct grid_axis *axis, bool single, double lone_step) {
    size_t n = axis->n;
    axis->start = axis->values[0];
    axis->step = n > 1 ? (axis->values[n - 1] - axis->values[0]) / (double)(n - 1) : lone_step;
    double tolerance = (single ? 1e-3 : 1e-4) * axis->step;
    axis->regular = true;
    for (size_t i = 0; i < n && axis->regular; i++)
        axis->regular = fabs(axis->values[i] - (axis->start + (double)i * axis->step)) <= tolerance;
}

// A globe: one more step closes it. A repeated first meridian at the end is dropped.
static void find_wrap(struct grid *grid, struct cf_axis_order *order, bool single) {
    struct grid_axis *x = &grid->x;
    if (!grid->angular || x->n < 4) return;
    double span = x->values[x->n - 1] - x->values[0], mean = span / (double)(x->n - 1);
    if (fabs(span - 360) < 1e-3 * mean) {
        x->n--;
        order->n--;
        find_step(x, single, 1);
        grid->wraps = true;
        return;
    }
    grid->wraps = fabs(360 - span - mean) < 0.01 * mean;
    // A step that closes the globe exactly leaves no seam.
    if (grid->wraps && x->regular) x->step = 360.0 / (double)x->n;
}

static void find_corners(struct grid *grid) {
    const struct grid_axis *x = &grid->x, *y = &grid->y;
    const double xs[] = {x->values[0], x->values[x->n - 1], x->values[x->n - 1], x->values[0]};
    const double ys[] = {y->values[0], y->values[0], y->values[y->n - 1], y->values[y->n - 1]};
    for (int c = 0; c < 4; c++)
        if (grid_to_lonlat(grid, xs[c], ys[c], &grid->corners[c][0], &grid->corners[c][1]))
            grid->corners[c][0] = grid->corners[c][1] = NAN;
}

static void find_scene(struct grid *grid) {
    const struct grid_axis *x = &grid->x, *y = &grid->y;
    grid->centre[0] = 0.5 * (x->values[0] + x->values[x->n - 1]);
    grid->centre[1] = 0.5 * (y->values[0] + y->values[y->n - 1]);
    grid->km_per_unit[0] = grid->km_per_unit[1] = 0.001;
    if (!grid->angular) return;
    double cosine = cos(grid->centre[1] * 0.017453292519943295);
    grid->km_per_unit[0] = 0.001 * metres_per_degree * (cosine > 0.01 ? cosine : 0.01);
    grid->km_per_unit[1] = 0.001 * metres_per_degree;
}

static int axis_scale(const struct cf_axis_input *axis, char which, bool angular, double height, double *scale,
                      struct failure *failure) {
    double offset;
    const char *target = angular ? "degree" : "m";
    *scale = 1;
    if (!*axis->units || (angular && axis->angular_name && strcmp(axis->units, "1") == 0)) return VIRGA_OK;
    if (height > 0 && cf_units_convert(axis->units, "radian", scale, &offset) == VIRGA_OK && strcmp(axis->units, "1") != 0) {
        *scale *= height;  // scan angles
        return VIRGA_OK;
    }
    if (cf_units_convert(axis->units, target, scale, &offset) || offset != 0)
        return failure_set(failure, VIRGA_UNSUPPORTED, "the %c axis is in \"%.40s\", which is not in %ss", which, axis->units, target);
    if (fabs(*scale - 1) < 1e-12) *scale = 1;
    return VIRGA_OK;
}

int cf_grid_new(const struct source_variable *mapping, const struct cf_axis_input *x, const struct cf_axis_input *y,
                struct grid **result, struct cf_axis_order *x_order, struct cf_axis_order *y_order, struct failure *failure) {
    struct cf_projection projection;
    double sx, sy, unit = 1, offset, height;
    int status = VIRGA_NO_MEMORY;
    struct grid *grid = calloc(1, sizeof *grid);
    *result = NULL;
    if (!grid) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    *x_order = *y_order = (struct cf_axis_order){0};
    if (*x->units && cf_units_convert(x->units, "m", &unit, &offset)) unit = 1;
    // False origins are in the axes' units, scan angles among them.
    if (mapping && cf_number(mapping, "perspective_point_height", &height) && cf_units_convert(x->units, "radian", &unit, &offset) == VIRGA_OK) unit *= height;
    if ((status = cf_projection(mapping, unit, &projection, failure))) goto fail;
    memcpy(grid->proj, projection.proj, sizeof grid->proj);
    grid->angular = projection.angular;
    if (!mapping && (!x->angular_name || !y->angular_name)) {
        status = failure_set(failure, VIRGA_UNSUPPORTED, "its axes are projection coordinates and the grid mapping is absent");
        goto fail;
    }
    if ((status = axis_scale(x, 'x', grid->angular, projection.height, &sx, failure)) ||
        (status = axis_scale(y, 'y', grid->angular, projection.height, &sy, failure)) ||
        (status = take_axis(x, 'x', sx, projection.meridian, grid->angular, &grid->x, x_order, failure)) ||
        (status = take_axis(y, 'y', sy, 0, false, &grid->y, y_order, failure)))
        goto fail;
    if (grid->angular && (grid->y.values[0] < -90.001 || grid->y.values[grid->y.n - 1] > 90.001)) {
        status = failure_set(failure, VIRGA_UNSUPPORTED, "the y axis leaves the latitudes -90 to 90");
        goto fail;
    }
    if (grid->angular && grid->x.values[grid->x.n - 1] - grid->x.values[0] > 360.5) {
        status = failure_set(failure, VIRGA_UNSUPPORTED, "the x axis goes around the globe more than once");
        goto fail;
    }
    find_step(&grid->x, x->single, grid->angular ? 1 : 1000);
    find_step(&grid->y, y->single, grid->angular ? 1 : 1000);
    find_wrap(grid, x_order, x->single);
    if ((status = grid_transform_new(grid))) {
        failure_set(failure, status, "PROJ refuses %.200s", grid->proj);
        goto fail;
    }
    find_corners(grid);
    find_scene(grid);
    *result = grid;
    return VIRGA_OK;
fail:
    grid_free(grid);
    return status;
}
