// SPDX-License-Identifier: Apache-2.0
// As web/layers/curvilinear.js carries on: a few wide columns on each side along great circles, and between four columns the
// direction of the bilinear mean of their unit vectors (tiler/field/grid_mesh.h). The search needs cells of even size: it has a
// finer mesh of the same places.
#include <math.h>
#include <stdlib.h>

#include "field/grid.h"
#include "field/grid_mesh.h"
#include "render/basemap_places.h"

enum { PARTS = 4, INNER_MOST = 256, PIECES_MOST = 64 };
static const double parts[PARTS] = {0.125, 0.25, 0.5, 1}, radian = 0.017453292519943295, farthest = 1.2;

// Axis coordinates that do not fall; count of them lie within the grid, from `first` on.
struct columns {
    size_t total, first, count;
    double *at;
};

struct beyond {
    struct columns x, y;
    double (*points)[3];  // [y][x] unit vectors, NaN where unknown
    struct columns fine_x, fine_y;
    double *lon, *lat;    // of the finer mesh
    struct grid_mesh *mesh;
};

// --- columns -----------------------------------------------------------------------------------------------------------

static bool columns_init(struct columns *c, size_t n, double reach) {
    size_t stride = (n - 1 + INNER_MOST - 1) / INNER_MOST, inner = (n - 1 + stride - 1) / stride + 1;
    *c = (struct columns){.total = inner + 2 * PARTS, .first = PARTS, .count = inner};
    c->at = malloc(c->total * sizeof *c->at);
    if (!c->at) return false;
    for (size_t k = 0; k < inner; k++) c->at[PARTS + k] = (double)(k * stride < n - 1 ? k * stride : n - 1);
    for (size_t k = 0; k < PARTS; k++) {
        c->at[PARTS - 1 - k] = -parts[k] * reach;
        c->at[PARTS + inner + k] = (double)(n - 1) + parts[k] * reach;
    }
    return true;
}

// The same with the wide gaps beyond cut into pieces about as wide as those within.
static bool columns_cut(struct columns *fine, const struct columns *c) {
    double inner = (c->at[c->first + c->count - 1] - c->at[c->first]) / (double)(c->count - 1);
    *fine = (struct columns){.at = malloc((c->total + 2 * PARTS * PIECES_MOST) * sizeof *fine->at)};
    if (!fine->at) return false;
    for (size_t k = 0; k + 1 < c->total; k++) {
        double gap = c->at[k + 1] - c->at[k], pieces = fmin(fmax(ceil(gap / inner), 1), PIECES_MOST);
        bool within = k >= c->first && k + 1 < c->first + c->count;
        if (k == c->first) fine->first = fine->total;
        for (int piece = 0; piece < (within ? 1 : (int)pieces); piece++)
            fine->at[fine->total++] = c->at[k] + gap * piece / pieces;
    }
    fine->at[fine->total++] = c->at[c->total - 1];
    fine->count = c->count;
    return true;
}

// --- places ------------------------------------------------------------------------------------------------------------

static void unit(double lon, double lat, double p[3]) {
    double c = cos(lat * radian);
    p[0] = c * cos(lon * radian), p[1] = c * sin(lon * radian), p[2] = sin(lat * radian);
}

static double dot(const double a[3], const double b[3]) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

static double angle_of(const double a[3], const double b[3]) {
    const double c[] = {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
    return atan2(sqrt(dot(c, c)), dot(a, b));
}

// Fills a line of columns `stride` apart beyond both its ends: along the great circle through its end and a point some way in.
static void carry_on(double (*line)[3], const struct columns *c, size_t stride) {
    size_t some = (c->count + 4) / 8, last = c->count - 1, base = some < 1 ? 1 : some < last ? some : last;
    for (int side = 0; side < 2; side++) {
        size_t end = side ? c->first + last : c->first, inward = side ? end - base : end + base;
        const double *a = line[end * stride], *b = line[inward * stride];
        double angle = angle_of(a, b);
        if (!(angle > 1e-9)) continue;
        for (size_t k = 0; k < PARTS; k++) {
            size_t column = side ? end + 1 + k : end - 1 - k;
            double t = fabs((c->at[column] - c->at[end]) / (c->at[inward] - c->at[end])) * angle;
            if (t > farthest) break;
            for (int d = 0; d < 3; d++)
                line[column * stride][d] = a[d] * cos(t) - (b[d] - a[d] * cos(angle)) / sin(angle) * sin(t);
        }
    }
}

bool beyond_to_lonlat(const struct beyond *b, double x, double y, double *lon, double *lat) {
    const struct columns *cx = &b->x, *cy = &b->y;
    if (!(x >= cx->at[0] && x <= cx->at[cx->total - 1] && y >= cy->at[0] && y <= cy->at[cy->total - 1])) return false;
    size_t i = grid_interval(cx->at, cx->total, x), j = grid_interval(cy->at, cy->total, y);
    double u = (x - cx->at[i]) / (cx->at[i + 1] - cx->at[i]), v = (y - cy->at[j]) / (cy->at[j + 1] - cy->at[j]);
    double sum[3] = {0, 0, 0};
    const double weights[] = {(1 - u) * (1 - v), u * (1 - v), (1 - u) * v, u * v};
    for (size_t n = 0; n < 4; n++)
        for (int d = 0; d < 3 && weights[n] > 0; d++) sum[d] += weights[n] * b->points[(j + n / 2) * cx->total + i + n % 2][d];
    if (!(dot(sum, sum) > 1e-6)) return false;
    *lon = atan2(sum[1], sum[0]) / radian;
    *lat = atan2(sum[2], hypot(sum[0], sum[1])) / radian;
    return true;
}

bool beyond_from_lonlat(const struct beyond *b, double lon, double lat, double *x, double *y) {
    double i, j;
    if (!b->mesh || !grid_mesh_locate(b->mesh, lon, lat, &i, &j)) return false;
    size_t i0 = (size_t)i, j0 = (size_t)j;
    i0 -= i0 + 1 == b->fine_x.total, j0 -= j0 + 1 == b->fine_y.total;
    *x = b->fine_x.at[i0] + (i - (double)i0) * (b->fine_x.at[i0 + 1] - b->fine_x.at[i0]);
    *y = b->fine_y.at[j0] + (j - (double)j0) * (b->fine_y.at[j0 + 1] - b->fine_y.at[j0]);
    return true;
}

// --- making ------------------------------------------------------------------------------------------------------------

static bool fill_points(struct beyond *b, const struct grid *grid) {
    size_t wide = b->x.total, tall = b->y.total;
    b->points = malloc(wide * tall * sizeof *b->points);
    if (!b->points) return false;
    for (size_t n = 0; n < wide * tall; n++) b->points[n][0] = b->points[n][1] = b->points[n][2] = NAN;
    for (size_t j = b->y.first; j < b->y.first + b->y.count; j++)
        for (size_t i = b->x.first; i < b->x.first + b->x.count; i++) {
            size_t from = (size_t)b->y.at[j] * grid->x.n + (size_t)b->x.at[i];
            unit(grid->lon[from], grid->lat[from], b->points[j * wide + i]);
        }
    for (size_t j = b->y.first; j < b->y.first + b->y.count; j++) carry_on(b->points + j * wide, &b->x, 1);
    for (size_t i = 0; i < wide; i++) carry_on(b->points + i, &b->y, wide);
    return true;
}

static bool well_within(const struct columns *c, size_t k) { return k > c->first && k + 1 < c->first + c->count; }

// Columns well within the grid are left unknown: the grid itself knows them better.
static bool fill_mesh(struct beyond *b) {
    size_t wide = b->fine_x.total, tall = b->fine_y.total;
    b->lon = malloc(wide * tall * sizeof *b->lon);
    b->lat = malloc(wide * tall * sizeof *b->lat);
    if (!b->lon || !b->lat) return false;
    for (size_t j = 0; j < tall; j++)
        for (size_t i = 0; i < wide; i++) {
            size_t at = j * wide + i;
            bool within = well_within(&b->fine_x, i) && well_within(&b->fine_y, j);
            if (within || !beyond_to_lonlat(b, b->fine_x.at[i], b->fine_y.at[j], &b->lon[at], &b->lat[at]))
                b->lon[at] = b->lat[at] = NAN;
        }
    b->mesh = grid_mesh_new(b->lon, b->lat, wide, tall, false);
    return b->mesh != NULL;
}

int beyond_new(const struct grid *grid, const double reach[2], struct beyond **beyond) {
    *beyond = NULL;
    bool some = reach[0] > 0 && reach[1] > 0 && isfinite(reach[0]) && isfinite(reach[1]);
    if (grid->x.n < 2 || grid->y.n < 2 || !some) return VIRGA_OK;
    struct beyond *b = calloc(1, sizeof *b);
    if (!b) return VIRGA_NO_MEMORY;
    bool fine = columns_init(&b->x, grid->x.n, reach[0]) && columns_init(&b->y, grid->y.n, reach[1]) &&
                columns_cut(&b->fine_x, &b->x) && columns_cut(&b->fine_y, &b->y) && fill_points(b, grid) && fill_mesh(b);
    if (fine) *beyond = b;
    else beyond_free(b);
    return fine ? VIRGA_OK : VIRGA_NO_MEMORY;
}

void beyond_free(struct beyond *beyond) {
    if (!beyond) return;
    grid_mesh_free(beyond->mesh);
    free(beyond->lon);
    free(beyond->lat);
    free(beyond->points);
    free(beyond->x.at);
    free(beyond->y.at);
    free(beyond->fine_x.at);
    free(beyond->fine_y.at);
    free(beyond);
}
