// SPDX-License-Identifier: Apache-2.0
#include "field/grid.h"

#include <math.h>
#include <pthread.h>
#include <proj.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "field/grid_mesh.h"
#include "field/grid_shared.h"
#include "field/grid_transform.h"

static const double degrees = 57.29577951308232;

struct grid_transform {
    pthread_mutex_t lock;
    PJ_CONTEXT *context;  // guarded by lock, with pj
    PJ *pj;               // NULL: plain longitude and latitude
    bool radians;         // pj answers in radians
    double period;        // metres along x once around the globe, where x grows with longitude alone; else 0
    struct grid_mesh *mesh;  // of curvilinear grids
};

static bool apply(struct grid_transform *t, PJ_DIRECTION direction, double a, double b, double *c, double *d) {
    pthread_mutex_lock(&t->lock);
    proj_errno_reset(t->pj);
    PJ_COORD out = proj_trans(t->pj, direction, proj_coord(a, b, 0, 0));
    bool fine = proj_errno(t->pj) == 0 && isfinite(out.xy.x) && isfinite(out.xy.y) && fabs(out.xy.x) < 1e29;
    pthread_mutex_unlock(&t->lock);
    *c = out.xy.x;
    *d = out.xy.y;
    return fine;
}

bool grid_is_curvilinear(const struct grid *grid) { return grid->lon != NULL; }

uint64_t grid_hash(const struct grid *grid) {
    uint64_t h = XXH3_64bits(grid->proj, strlen(grid->proj));
    h = XXH3_64bits_withSeed(grid->x.values, grid->x.n * sizeof(double), h);
    h = XXH3_64bits_withSeed(grid->y.values, grid->y.n * sizeof(double), h);
    if (!grid_is_curvilinear(grid)) return h;
    h = XXH3_64bits_withSeed(grid->lon, grid->x.n * grid->y.n * sizeof(double), h);
    return XXH3_64bits_withSeed(grid->lat, grid->x.n * grid->y.n * sizeof(double), h);
}

bool grid_is_lonlat(const struct grid *grid) { return grid->angular && strncmp(grid->proj, "+proj=longlat", 13) == 0; }

// Cylindrical projections repeat themselves: an axis may cross the meridian where PROJ cuts the globe.
static void find_period(struct grid *grid) {
    struct grid_transform *t = grid->transform;
    double lon, lat, x[3], y;
    if (strncmp(grid->proj, "+proj=merc", 10) != 0 && strncmp(grid->proj, "+proj=cea", 9) != 0) return;
    if (!apply(t, PJ_INV, 0, 0, &lon, &lat)) return;
    for (int n = 0; n < 3; n++)
        if (!apply(t, PJ_FWD, remainder(lon + (n - 1), 2 * 3.141592653589793), 0, &x[n], &y)) return;
    if (fabs(x[2] - 2 * x[1] + x[0]) < 1e-6 * fabs(x[2] - x[0])) t->period = fabs(x[2] - x[0]) * 3.141592653589793;
}

int grid_transform_new(struct grid *grid) {
    struct grid_transform *t = calloc(1, sizeof *t);
    if (!t) return VIRGA_NO_MEMORY;
    pthread_mutex_init(&t->lock, NULL);
    grid->transform = t;
    if (grid_is_curvilinear(grid)) {
        t->mesh = grid_mesh_new(grid->lon, grid->lat, grid->x.n, grid->y.n, grid->wraps);
        return t->mesh ? VIRGA_OK : VIRGA_NO_MEMORY;
    }
    if (grid_is_lonlat(grid)) return VIRGA_OK;
    t->context = proj_context_create();
    if (!t->context) return VIRGA_NO_MEMORY;
    proj_log_level(t->context, PJ_LOG_NONE);
    proj_context_set_enable_network(t->context, 0);
    t->pj = proj_create(t->context, grid->proj);
    if (!t->pj) return VIRGA_UNSUPPORTED;
    find_period(grid);
    t->radians = grid->angular;  // ob_tran answers in radians, though proj_angular_output() says no
    return VIRGA_OK;
}

const struct grid_mesh *grid_mesh_of(const struct grid *grid) { return ((const struct grid_transform *)grid->transform)->mesh; }

static void transform_free(struct grid_transform *t) {
    if (!t) return;
    grid_mesh_free(t->mesh);
    if (t->pj) proj_destroy(t->pj);
    if (t->context) proj_context_destroy(t->context);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

struct grid *grid_ref(struct grid *grid) {
    atomic_fetch_add(&grid->more, 1);
    return grid;
}

static bool drop_reference(struct grid *grid) {
    int more = atomic_load(&grid->more);
    while (more > 0)
        if (atomic_compare_exchange_weak(&grid->more, &more, more - 1)) return true;
    return false;
}

void grid_free(struct grid *grid) {
    if (!grid || drop_reference(grid) || (grid_is_curvilinear(grid) && !grid_shared_drop(grid))) return;
    transform_free(grid->transform);
    free(grid->x.values);
    free(grid->y.values);
    free(grid->lon);
    free(grid->lat);
    free(grid);
}

// The longitude on the axis' own turn of the globe.
static double onto_axis(const struct grid *grid, double x) {
    double first = grid->x.values[0], last = grid->x.values[grid->x.n - 1];
    if (grid->wraps) {
        double turned = x - 360 * floor((x - first) / 360);
        return turned - first >= 360 ? first : turned;
    }
    double middle = 0.5 * (first + last);
    return middle + remainder(x - middle, 360);
}

// Likewise in metres around the globe.
static double near_axis(const struct grid *grid, double x, double period) {
    double middle = 0.5 * (grid->x.values[0] + grid->x.values[grid->x.n - 1]);
    return middle + remainder(x - middle, period);
}

int grid_from_lonlat(const struct grid *grid, double lon, double lat, double *x, double *y) {
    struct grid_transform *t = grid->transform;
    if (!isfinite(lon) || !(fabs(lat) <= 90) || fabs(lon) > 1e6) return VIRGA_UNSUPPORTED;
    *x = lon, *y = lat;
    if (t->mesh) return grid_mesh_locate(t->mesh, lon, lat, x, y) ? VIRGA_OK : VIRGA_UNSUPPORTED;
    if (t->pj) {
        if (!apply(t, PJ_FWD, remainder(lon, 360) / degrees, lat / degrees, x, y)) return VIRGA_UNSUPPORTED;
        if (t->radians) *x *= degrees, *y *= degrees;
    }
    if (grid->angular) *x = onto_axis(grid, *x);
    else if (t->period > 0) *x = near_axis(grid, *x, t->period);
    return VIRGA_OK;
}

int grid_to_lonlat(const struct grid *grid, double x, double y, double *lon, double *lat) {
    struct grid_transform *t = grid->transform;
    if (!isfinite(x) || !isfinite(y) || (grid->angular && fabs(y) > 90 + 1e-9)) return VIRGA_UNSUPPORTED;
    *lon = x, *lat = y;
    if (t->mesh) return grid_mesh_place(t->mesh, x, y, lon, lat) ? VIRGA_OK : VIRGA_UNSUPPORTED;
    if (t->pj) {
        double scale = t->radians ? 1 / degrees : 1;
        if (!apply(t, PJ_INV, x * scale, y * scale, lon, lat)) return VIRGA_UNSUPPORTED;
        *lon *= degrees, *lat *= degrees;
    }
    *lon = remainder(*lon, 360);
    return VIRGA_OK;
}

size_t grid_interval(const double *values, size_t n, double value) {
    size_t low = 0, high = n - 1;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (values[middle] <= value) low = middle;
        else high = middle;
    }
    return low;
}

bool grid_axis_locate(const struct grid_axis *axis, bool wraps, double coordinate, double *index) {
    const double tolerance = 1e-6;
    double last = (double)axis->n - 1, f;
    if (!isfinite(coordinate)) return false;
    if (axis->regular || axis->n == 1) {
        f = (coordinate - axis->start) / axis->step;
    } else {
        size_t i = grid_interval(axis->values, axis->n, coordinate);
        f = (double)i + (coordinate - axis->values[i]) / (axis->values[i + 1] - axis->values[i]);
    }
    if (f < 0 && f >= -tolerance) f = 0;
    if (wraps) {
        if (!axis->regular && coordinate > axis->values[axis->n - 1])  // between the last column and the first
            f = last + (coordinate - axis->values[axis->n - 1]) / (axis->values[0] + 360 - axis->values[axis->n - 1]);
        if (f >= (double)axis->n) f = f < (double)axis->n + tolerance ? 0 : f;
        if (f < 0 || f >= (double)axis->n) return false;
    } else {
        if (f > last && f <= last + tolerance) f = last;
        if (f < 0 || f > last) return false;
    }
    *index = f;
    return true;
}

bool grid_locate(const struct grid *grid, double lon, double lat, double *i, double *j) {
    double x, y;
    return grid_from_lonlat(grid, lon, lat, &x, &y) == VIRGA_OK && grid_axis_locate(&grid->x, grid->wraps, x, i) &&
           grid_axis_locate(&grid->y, false, y, j);
}
