// SPDX-License-Identifier: Apache-2.0
// The search tree holds boxes around blocks of cells in the space of unit vectors, which has neither poles nor a date line.
#include "field/grid_mesh.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 8, LEVELS_MAX = 24, SAMPLES_MAX = 65536, TESTS_MAX = 1 << 16 };
static const double radian = 0.017453292519943295, model_radius_km = 6371.229, longest_chord = 0.35, far_larger = 30, edge_tolerance = 1e-9;

struct box { float low[3], high[3]; };
struct level { size_t nx, ny; struct box *boxes; };

struct grid_mesh {
    const double *lon, *lat;
    size_t nx, ny, cells_x, cells_y, good;
    double limit[2];  // longest edge of a good cell along x and y, as chords
    double median[2];
    int level_count;
    struct level levels[LEVELS_MAX];
};

// --- one cell ----------------------------------------------------------------------------------------------------------

static bool unit(const struct grid_mesh *m, size_t i, size_t j, double p[3]) {
    double lon = m->lon[j * m->nx + i] * radian, lat = m->lat[j * m->nx + i] * radian, c = cos(lat);
    p[0] = c * cos(lon), p[1] = c * sin(lon), p[2] = sin(lat);
    return isfinite(lon) && isfinite(lat);
}

static double dot(const double a[3], const double b[3]) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

static double chord(const double a[3], const double b[3]) {
    const double d[] = {b[0] - a[0], b[1] - a[1], b[2] - a[2]};
    return sqrt(dot(d, d));
}

// Twice the area of the turn a, b, c seen from outside; positive counter-clockwise.
static double turn(const double a[3], const double b[3], const double c[3]) {
    const double u[] = {b[0] - a[0], b[1] - a[1], b[2] - a[2]}, v[] = {c[0] - b[0], c[1] - b[1], c[2] - b[2]};
    return (u[1] * v[2] - u[2] * v[1]) * b[0] + (u[2] * v[0] - u[0] * v[2]) * b[1] + (u[0] * v[1] - u[1] * v[0]) * b[2];
}

// Corners counter-clockwise from (i, j). False where one is unknown.
static bool corners(const struct grid_mesh *m, size_t i, size_t j, double p[4][3]) {
    size_t right = i + 1 == m->nx ? 0 : i + 1;
    bool known = unit(m, i, j, p[0]);
    known = unit(m, right, j, p[1]) && known;
    known = unit(m, right, j + 1, p[2]) && known;
    return unit(m, i, j + 1, p[3]) && known;
}

static bool is_good(const struct grid_mesh *m, double p[4][3]) {
    double along_x = fmax(chord(p[0], p[1]), chord(p[3], p[2])), along_y = fmax(chord(p[0], p[3]), chord(p[1], p[2]));
    if (along_x > m->limit[0] || along_y > m->limit[1]) return false;
    double area = 0, least = 0, longest = fmax(along_x, along_y);
    for (int c = 0; c < 4; c++) {
        double t = turn(p[c], p[(c + 1) & 3], p[(c + 2) & 3]);
        area += t / 2;
        least = fmin(least, t);
    }
    return area > 1e-6 * longest * longest && least >= -1e-9 * area;
}

static struct box box_of(double p[4][3]) {
    // A cell bulges out of its corners' hull by less than a quarter of its diagonal squared; 1e-6 covers the rounding.
    double diagonal = fmax(chord(p[0], p[2]), chord(p[1], p[3])), margin = 0.25 * diagonal * diagonal + 1e-6;
    struct box b;
    for (int d = 0; d < 3; d++) {
        b.low[d] = (float)(fmin(fmin(p[0][d], p[1][d]), fmin(p[2][d], p[3][d])) - margin);
        b.high[d] = (float)(fmax(fmax(p[0][d], p[1][d]), fmax(p[2][d], p[3][d])) + margin);
    }
    return b;
}

static const struct box nothing = {{2, 2, 2}, {-2, -2, -2}};

static void join(struct box *a, const struct box *b) {
    for (int d = 0; d < 3; d++) {
        a->low[d] = fminf(a->low[d], b->low[d]);
        a->high[d] = fmaxf(a->high[d], b->high[d]);
    }
}

static bool holds(const struct box *b, const double q[3]) {
    for (int d = 0; d < 3; d++)
        if (q[d] < (double)b->low[d] || q[d] > (double)b->high[d]) return false;
    return true;
}

// Where the ray q meets the cell: both components of the bilinear mean across q vanish, which is a quadratic in u.
static bool invert(double p[4][3], const double q[3], double *u, double *v) {
    int least = fabs(q[0]) < fabs(q[1]) ? (fabs(q[0]) < fabs(q[2]) ? 0 : 2) : (fabs(q[1]) < fabs(q[2]) ? 1 : 2);
    double axis[3] = {0, 0, 0}, e[2][3], c[4][2];
    axis[least] = 1;
    for (int d = 0; d < 3; d++) e[0][d] = axis[d] - q[least] * q[d];
    double length = sqrt(dot(e[0], e[0]));
    for (int d = 0; d < 3; d++) e[0][d] /= length;
    for (int d = 0; d < 3; d++) e[1][d] = q[(d + 1) % 3] * e[0][(d + 2) % 3] - q[(d + 2) % 3] * e[0][(d + 1) % 3];
    for (int n = 0; n < 4; n++) c[n][0] = dot(e[0], p[n]), c[n][1] = dot(e[1], p[n]);
    if (dot(p[0], q) <= 0) return false;
    const double A[] = {c[0][0], c[0][1]}, B[] = {c[1][0] - c[0][0], c[1][1] - c[0][1]}, C[] = {c[3][0] - c[0][0], c[3][1] - c[0][1]};
    const double D[] = {c[2][0] - c[1][0] - C[0], c[2][1] - c[1][1] - C[1]};
    double k0 = A[0] * C[1] - A[1] * C[0], k1 = A[0] * D[1] - A[1] * D[0] + B[0] * C[1] - B[1] * C[0], k2 = B[0] * D[1] - B[1] * D[0];
    double under = k1 * k1 - 4 * k0 * k2;
    if (!(under >= 0)) return false;
    double h = -0.5 * (k1 + copysign(sqrt(under), k1));
    const double roots[] = {k0 / h, h / k2};  // the first is the one in the cell where the cell is nearly a parallelogram
    for (int r = 0; r < 2; r++) {
        double s = roots[r];
        if (!(s >= -edge_tolerance && s <= 1 + edge_tolerance)) continue;
        const double w[] = {C[0] + D[0] * s, C[1] + D[1] * s};
        double across = w[0] * w[0] + w[1] * w[1], t = across > 0 ? -((A[0] + B[0] * s) * w[0] + (A[1] + B[1] * s) * w[1]) / across : 0;
        if (!(t >= -edge_tolerance && t <= 1 + edge_tolerance)) continue;
        *u = fmin(fmax(s, 0), 1);
        *v = fmin(fmax(t, 0), 1);
        return true;
    }
    return false;
}

// --- the tree ----------------------------------------------------------------------------------------------------------

static int by_number(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(double *values, size_t count) {
    if (count == 0) return 0;
    qsort(values, count, sizeof *values, by_number);
    return values[count / 2];
}

// Median edges of a spread sample of cells, which tell what is far larger than the others.
static bool measure(struct grid_mesh *m) {
    size_t cells = m->cells_x * m->cells_y, step = cells / SAMPLES_MAX + 1, count = 0;
    double *edges = malloc((cells / step + 1) * 2 * sizeof *edges), p[4][3];
    if (step % 2 == 0) step++;  // not the same columns of every row
    if (!edges) return false;
    double *second = edges + cells / step + 1;
    for (size_t c = 0; c < cells; c += step) {
        if (!corners(m, c % m->cells_x, c / m->cells_x, p)) continue;
        double x = chord(p[0], p[1]), y = chord(p[0], p[3]);
        if (x > 0 && y > 0) edges[count] = x, second[count] = y, count++;
    }
    for (int d = 0; d < 2; d++) {
        m->median[d] = median(d ? second : edges, count);
        m->limit[d] = fmin(longest_chord, far_larger * m->median[d]);
    }
    free(edges);
    return true;
}

static struct box box_of_block(struct grid_mesh *m, size_t bx, size_t by) {
    struct box b = nothing;
    double p[4][3];
    for (size_t j = by * BLOCK; j < by * BLOCK + BLOCK && j < m->cells_y; j++)
        for (size_t i = bx * BLOCK; i < bx * BLOCK + BLOCK && i < m->cells_x; i++) {
            if (!corners(m, i, j, p) || !is_good(m, p)) continue;
            struct box cell = box_of(p);
            join(&b, &cell);
            m->good++;
        }
    return b;
}

static bool make_level(struct grid_mesh *m, size_t nx, size_t ny) {
    const struct level *below = m->level_count ? &m->levels[m->level_count - 1] : NULL;
    struct level *l = &m->levels[m->level_count++];
    *l = (struct level){nx, ny, malloc(nx * ny * sizeof *l->boxes)};
    if (!l->boxes) return false;
    for (size_t y = 0; y < ny; y++)
        for (size_t x = 0; x < nx; x++) {
            struct box *b = &l->boxes[y * nx + x];
            *b = below ? nothing : box_of_block(m, x, y);
            for (size_t n = 0; below && n < 4; n++) {
                size_t i = 2 * x + (n & 1), j = 2 * y + n / 2;
                if (i < below->nx && j < below->ny) join(b, &below->boxes[j * below->nx + i]);
            }
        }
    return true;
}

struct grid_mesh *grid_mesh_new(const double *lon, const double *lat, size_t nx, size_t ny, bool wraps) {
    struct grid_mesh *m = calloc(1, sizeof *m);
    if (!m) return NULL;
    *m = (struct grid_mesh){.lon = lon, .lat = lat, .nx = nx, .ny = ny, .cells_x = wraps ? nx : nx - 1, .cells_y = ny - 1};
    if (m->cells_x == 0 || m->cells_y == 0) return m;
    bool fine = measure(m);
    size_t x = (m->cells_x + BLOCK - 1) / BLOCK, y = (m->cells_y + BLOCK - 1) / BLOCK;
    while (fine && m->level_count < LEVELS_MAX) {
        fine = make_level(m, x, y);
        if (x == 1 && y == 1) break;
        x = (x + 1) / 2, y = (y + 1) / 2;
    }
    if (fine) return m;
    grid_mesh_free(m);
    return NULL;
}

void grid_mesh_free(struct grid_mesh *mesh) {
    if (!mesh) return;
    for (int l = 0; l < mesh->level_count; l++) free(mesh->levels[l].boxes);
    free(mesh);
}

size_t grid_mesh_good(const struct grid_mesh *m) { return m->good; }
size_t grid_mesh_cells(const struct grid_mesh *m) { return m->cells_x * m->cells_y; }

void grid_mesh_spacing(const struct grid_mesh *m, double km[2]) {
    for (int d = 0; d < 2; d++) km[d] = 2 * asin(fmin(1, m->median[d] / 2)) * model_radius_km;
}

// --- answers -----------------------------------------------------------------------------------------------------------

static bool locate_in_block(const struct grid_mesh *m, size_t bx, size_t by, const double q[3], int *tests, double *x, double *y) {
    double p[4][3], u, v;
    for (size_t j = by * BLOCK; j < by * BLOCK + BLOCK && j < m->cells_y; j++)
        for (size_t i = bx * BLOCK; i < bx * BLOCK + BLOCK && i < m->cells_x; i++) {
            if (--*tests < 0) return false;
            if (!corners(m, i, j, p) || !is_good(m, p)) continue;
            struct box cell = box_of(p);
            if (!holds(&cell, q) || !invert(p, q, &u, &v)) continue;
            *x = (double)i + u, *y = (double)j + v;
            if (m->cells_x == m->nx && *x >= (double)m->nx) *x -= (double)m->nx;
            return true;
        }
    return false;
}

static bool descend(const struct grid_mesh *m, int level, size_t x, size_t y, const double q[3], int *tests, double *found_x, double *found_y) {
    const struct level *l = &m->levels[level];
    if (x >= l->nx || y >= l->ny || !holds(&l->boxes[y * l->nx + x], q) || --*tests < 0) return false;
    if (level == 0) return locate_in_block(m, x, y, q, tests, found_x, found_y);
    for (size_t n = 0; n < 4; n++)
        if (descend(m, level - 1, 2 * x + (n & 1), 2 * y + n / 2, q, tests, found_x, found_y)) return true;
    return false;
}

bool grid_mesh_locate(const struct grid_mesh *m, double lon, double lat, double *x, double *y) {
    int tests = TESTS_MAX;
    if (!isfinite(lon) || !(fabs(lat) <= 90) || m->level_count == 0) return false;
    const double q[] = {cos(lat * radian) * cos(lon * radian), cos(lat * radian) * sin(lon * radian), sin(lat * radian)};
    return descend(m, m->level_count - 1, 0, 0, q, &tests, x, y);
}

bool grid_mesh_place(const struct grid_mesh *m, double x, double y, double *lon, double *lat) {
    bool wraps = m->cells_x == m->nx;
    double far_x = (double)m->cells_x, far_y = (double)m->cells_y, sum[3] = {0, 0, 0};
    if (wraps && isfinite(x)) x -= far_x * floor(x / far_x);
    if (!(x >= 0 && x <= far_x && y >= 0 && y <= far_y) || m->cells_x == 0 || m->cells_y == 0) return false;
    size_t i = x < far_x ? (size_t)x : m->cells_x - 1, j = y < far_y ? (size_t)y : m->cells_y - 1;
    double u = x - (double)i, v = y - (double)j;
    const double weights[] = {(1 - u) * (1 - v), u * (1 - v), u * v, (1 - u) * v};
    for (int n = 0; n < 4; n++) {
        double p[3];
        if (weights[n] == 0) continue;
        size_t column = i + (n == 1 || n == 2);
        if (!unit(m, column == m->nx ? 0 : column, j + (n >= 2), p)) return false;
        for (int d = 0; d < 3; d++) sum[d] += weights[n] * p[d];
    }
    if (!(dot(sum, sum) > 1e-6)) return false;
    *lon = atan2(sum[1], sum[0]) / radian;
    *lat = atan2(sum[2], hypot(sum[0], sum[1])) / radian;
    return true;
}
