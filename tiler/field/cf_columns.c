// SPDX-License-Identifier: Apache-2.0
// From longitudes and latitudes of columns, in any order, to a grid that lies upright.
#include "field/cf_columns.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "field/grid_mesh.h"
#include "field/grid_shared.h"
#include "field/grid_transform.h"

static const double radian = 0.017453292519943295;

struct plane { double *lon, *lat; size_t nx, ny; };  // [ny][nx]

static bool known(const struct plane *p, size_t at) { return !isnan(p->lon[at]); }

// What is no place on Earth is missing: fill values that no attribute names, halves of places, and zeros where there are more
// than a seam may repeat (models that leave out land store them).
static size_t clean(double *lon, double *lat, size_t count) {
    size_t present = 0, zeros = 0;
    for (size_t c = 0; c < count; c++) zeros += lon[c] == 0 && lat[c] == 0;
    for (size_t c = 0; c < count; c++) {
        bool place = fabs(lon[c]) <= 1080 && fabs(lat[c]) <= 90.001 && !(zeros > 3 && lon[c] == 0 && lat[c] == 0);
        lon[c] = place ? lon[c] : NAN;
        lat[c] = place ? fmin(fmax(lat[c], -90), 90) : NAN;
        present += place;
    }
    return present;
}

static void swap(double *a, double *b) {
    double t = *a;
    *a = *b;
    *b = t;
}

// --- which way is up ---------------------------------------------------------------------------------------------------

// East and north parts of the way from one column to another, as a unit vector; false where there is none to tell.
static bool heading(const struct plane *p, size_t a, size_t b, double *east, double *north) {
    if (!known(p, a) || !known(p, b)) return false;
    double de = remainder(p->lon[b] - p->lon[a], 360), middle = 0.5 * (p->lat[a] + p->lat[b]), e = de * cos(middle * radian), n = p->lat[b] - p->lat[a], length = hypot(e, n);
    if (!(length > 0) || fabs(de) > 90 || fabs(middle) > 89) return false;
    *east = e / length, *north = n / length;
    return true;
}

struct headings { double east[2], north[2], turn; };  // means along x and along y; turn > 0 where y is to the left of x

static struct headings mean_headings(const struct plane *p) {
    struct headings h = {0};
    size_t count = 0, step_x = p->nx / 256 + 1, step_y = p->ny / 256 + 1;
    for (size_t j = 0; j + 1 < p->ny; j += step_y)
        for (size_t i = 0; i + 1 < p->nx; i += step_x) {
            double e[2], n[2];
            size_t at = j * p->nx + i;
            if (!heading(p, at, at + 1, &e[0], &n[0]) || !heading(p, at, at + p->nx, &e[1], &n[1])) continue;
            for (int d = 0; d < 2; d++) h.east[d] += e[d], h.north[d] += n[d];
            h.turn += e[0] * n[1] - n[0] * e[1];
            count++;
        }
    for (int d = 0; count && d < 2; d++) h.east[d] /= (double)count, h.north[d] /= (double)count;
    return h;
}

static bool transpose(struct plane *p) {
    double *lon = malloc(p->nx * p->ny * sizeof *lon), *lat = malloc(p->nx * p->ny * sizeof *lat);
    if (!lon || !lat) return free(lon), free(lat), false;
    for (size_t j = 0; j < p->ny; j++)
        for (size_t i = 0; i < p->nx; i++) lon[i * p->ny + j] = p->lon[j * p->nx + i], lat[i * p->ny + j] = p->lat[j * p->nx + i];
    memcpy(p->lon, lon, p->nx * p->ny * sizeof *lon);
    memcpy(p->lat, lat, p->nx * p->ny * sizeof *lat);
    size_t n = p->nx;
    p->nx = p->ny, p->ny = n;
    return free(lon), free(lat), true;
}

static void reverse_rows(struct plane *p) {
    for (size_t j = 0; j < p->ny / 2; j++)
        for (size_t i = 0; i < p->nx; i++) {
            size_t a = j * p->nx + i, b = (p->ny - 1 - j) * p->nx + i;
            swap(&p->lon[a], &p->lon[b]);
            swap(&p->lat[a], &p->lat[b]);
        }
}

static void reverse_columns(struct plane *p) {
    for (size_t j = 0; j < p->ny; j++)
        for (size_t i = 0; i < p->nx / 2; i++) {
            size_t a = j * p->nx + i, b = j * p->nx + p->nx - 1 - i;
            swap(&p->lon[a], &p->lon[b]);
            swap(&p->lat[a], &p->lat[b]);
        }
}

static bool orient(struct plane *p, struct cf_columns_order *order) {
    struct headings h = mean_headings(p);
    order->x = 1;
    // The faster dimension is x unless the other points east by clearly more: around a pole neither does.
    if (fabs(h.east[1]) + fabs(h.north[0]) > fabs(h.east[0]) + fabs(h.north[1]) + 0.05) {
        if (!transpose(p)) return false;
        h = (struct headings){{h.east[1], h.east[0]}, {h.north[1], h.north[0]}, -h.turn};
        order->x = 0;
    }
    bool left = h.east[0] < -0.05, down = h.north[1] < -0.05;
    double turn = h.turn * (left == down ? 1 : -1);
    // Mirrored still: the axis whose own direction says less is turned.
    if (turn < 0) {
        if (fabs(h.east[0]) >= fabs(h.north[1])) down = !down;
        else left = !left;
    }
    if (left) reverse_columns(p);
    if (down) reverse_rows(p);
    order->x_order.reversed = left;
    order->y_order.reversed = down;
    return true;
}

// --- around the globe --------------------------------------------------------------------------------------------------

static double apart(const struct plane *p, size_t a, size_t b) {
    double ax = p->lon[a] * radian, ay = p->lat[a] * radian, bx = p->lon[b] * radian, by = p->lat[b] * radian;
    double u = cos(ay) * cos(ax) - cos(by) * cos(bx), v = cos(ay) * sin(ax) - cos(by) * sin(bx), w = sin(ay) - sin(by);
    return sqrt(u * u + v * v + w * w);
}

// Whether one row runs once around the Earth's axis when its column `last` is followed by its first.
static bool row_closes(const struct plane *p, size_t j, size_t last) {
    double turned = 0, way = 0;
    const size_t row = j * p->nx;
    for (size_t i = 0; i <= last; i++) {
        size_t a = row + i, b = row + (i == last ? 0 : i + 1);
        turned += remainder(p->lon[b] - p->lon[a], 360);
        if (i < last) way += apart(p, a, b);
    }
    return fabs(fabs(turned) - 360) < 1 && apart(p, row + last, row) < 2.5 * way / (double)last;
}

static bool row_known(const struct plane *p, size_t j) {
    for (size_t i = 0; i < p->nx; i++)
        if (!known(p, j * p->nx + i)) return false;
    return true;
}

// How many columns a globe has before it repeats itself (ocean models store one or two again), or 0 where it does not close.
static size_t columns_of_globe(const struct plane *p) {
    size_t rows = 0, closing = 0, ends = 0, again[3] = {0, 0, 0}, step = p->ny / 64 + 1;
    if (p->nx < 8) return 0;
    for (size_t j = 0; j < p->ny; j += step) {
        size_t row = j * p->nx;
        if (row_known(p, j)) rows++, closing += row_closes(p, j, p->nx - 1);
        if (!known(p, row) || !known(p, row + 1) || !known(p, row + p->nx - 1) || !known(p, row + p->nx - 2)) continue;
        double spacing = apart(p, row, row + 1);
        ends++;
        for (size_t c = 1; c <= 2; c++) again[c] += apart(p, row, row + p->nx - c) < 1e-3 * spacing;
    }
    for (size_t c = 2; c >= 1; c--)
        if (2 * again[c] > ends) return p->nx - c;  // the same places again
    return rows > 0 && 2 * closing > rows ? p->nx : 0;
}

static void keep_columns(struct plane *p, size_t nx) {
    for (size_t j = 0; j < p->ny; j++) {
        memmove(p->lon + j * nx, p->lon + j * p->nx, nx * sizeof *p->lon);
        memmove(p->lat + j * nx, p->lat + j * p->nx, nx * sizeof *p->lat);
    }
    p->nx = nx;
}

// --- parallels and meridians -------------------------------------------------------------------------------------------

static bool at_pole(const struct plane *p, size_t at) { return fabs(p->lat[at]) > 90 - 1e-6; }  // every longitude is right there

static double first_known(const struct plane *p, const double *values, size_t from, size_t step, size_t count) {
    double found = NAN;
    for (size_t n = 0; n < count; n++) {
        size_t at = from + n * step;
        if (known(p, at) && !at_pole(p, at)) return values[at];
        if (known(p, at)) found = values[at];
    }
    return found;
}

// Whether latitude is by row and longitude by column, to a thousandth of a cell: then xs and ys are the axes.
static bool is_outer_product(const struct plane *p, double *xs, double *ys) {
    double width = 0, height = 0;
    for (size_t i = 0; i < p->nx; i++) {
        xs[i] = first_known(p, p->lon, i, p->nx, p->ny);
        if (isnan(xs[i])) return false;
        if (i > 0) width += fabs(remainder(xs[i] - xs[i - 1], 360)) / (double)(p->nx - 1);
    }
    for (size_t j = 0; j < p->ny; j++) {
        ys[j] = first_known(p, p->lat, j * p->nx, 1, p->nx);
        if (isnan(ys[j])) return false;
        if (j > 0) height += fabs(ys[j] - ys[j - 1]) / (double)(p->ny - 1);
    }
    for (size_t j = 0; j < p->ny; j++)
        for (size_t i = 0; i < p->nx; i++) {
            size_t at = j * p->nx + i;
            if (!known(p, at)) continue;
            if (fabs(p->lat[at] - ys[j]) > 1e-3 * height || (!at_pole(p, at) && fabs(remainder(p->lon[at] - xs[i], 360)) > 1e-3 * width)) return false;
        }
    return true;
}

// VIRGA_NOT_FOUND when the columns stand otherwise.
static int plain_grid(const struct plane *p, bool single, struct grid **grid, struct cf_columns_order *order) {
    double *xs = malloc(p->nx * sizeof *xs), *ys = malloc(p->ny * sizeof *ys);
    int status = xs && ys ? VIRGA_NOT_FOUND : VIRGA_NO_MEMORY;
    if (status == VIRGA_NOT_FOUND && is_outer_product(p, xs, ys)) {
        struct cf_axis_input x = {xs, p->nx, "degree", single, true}, y = {ys, p->ny, "degree", single, true};
        struct cf_axis_order ox, oy;
        status = cf_grid_new(NULL, &x, &y, grid, &ox, &oy, NULL);
        if (!status) {
            order->x_order = (struct cf_axis_order){ox.n, ox.reversed != order->x_order.reversed};
            order->y_order = (struct cf_axis_order){oy.n, oy.reversed != order->y_order.reversed};
        } else if (status != VIRGA_NO_MEMORY) {
            status = VIRGA_NOT_FOUND;
        }
    }
    free(xs);
    free(ys);
    return status;
}

// --- curvilinear -------------------------------------------------------------------------------------------------------

static int number_axis(struct grid_axis *axis, size_t n) {
    *axis = (struct grid_axis){n, malloc(n * sizeof *axis->values), true, 0, 1};
    for (size_t i = 0; axis->values && i < n; i++) axis->values[i] = (double)i;
    return axis->values ? VIRGA_OK : VIRGA_NO_MEMORY;
}

static void find_place(struct grid *grid) {
    size_t nx = grid->x.n, ny = grid->y.n;
    const size_t at[] = {0, nx - 1, nx * ny - 1, (ny - 1) * nx};
    for (int c = 0; c < 4; c++) grid->corners[c][0] = remainder(grid->lon[at[c]], 360), grid->corners[c][1] = grid->lat[at[c]];
    grid->centre[0] = 0.5 * (double)(nx - 1);
    grid->centre[1] = 0.5 * (double)(ny - 1);
    grid_mesh_spacing(grid_mesh_of(grid), grid->km_per_unit);
}

// Takes the plane's arrays.
static int curvilinear_grid(struct plane *p, bool wraps, struct grid **result, struct failure *failure) {
    if ((*result = grid_shared_find(p->lon, p->lat, p->nx, p->ny, wraps))) return VIRGA_OK;
    struct grid *grid = calloc(1, sizeof *grid);
    int status = VIRGA_NO_MEMORY;
    if (!grid) goto fail;
    grid->wraps = wraps;
    grid->lon = p->lon, grid->lat = p->lat;
    p->lon = p->lat = NULL;
    if (number_axis(&grid->x, p->nx) || number_axis(&grid->y, p->ny) || grid_transform_new(grid)) goto fail;
    size_t good = grid_mesh_good(grid_mesh_of(grid)), cells = grid_mesh_cells(grid_mesh_of(grid));
    if (good == 0 || good < cells / 16) {
        status = failure_set(failure, VIRGA_UNSUPPORTED, "its latitude and longitude make no grid: only %zu of %zu cells between its columns have an area of their own", good, cells);
        grid_free(grid);
        return status;
    }
    find_place(grid);
    grid_shared_add(grid);
    *result = grid;
    return VIRGA_OK;
fail:
    grid_free(grid);
    return failure_set(failure, status, "out of memory");
}

int cf_columns_grid(double *lon, double *lat, const size_t n[2], bool single, struct grid **grid, struct cf_columns_order *order,
                    struct failure *failure) {
    struct plane p = {NULL, NULL, n[1], n[0]};
    int status = VIRGA_NO_MEMORY;
    *grid = NULL;
    *order = (struct cf_columns_order){0};
    if (n[0] < 2 || n[1] < 2) return failure_set(failure, VIRGA_UNSUPPORTED, "its columns stand in a single row, which has no area that could be shown");
    if (n[0] > CF_COLUMNS_MAX / n[1]) return failure_set(failure, VIRGA_TOO_LARGE, "its %zu x %zu columns are more than can be placed one by one", n[0], n[1]);
    size_t count = n[0] * n[1];
    if (clean(lon, lat, count) == 0) return failure_set(failure, VIRGA_UNSUPPORTED, "its latitude and longitude hold no place on Earth");
    p.lon = malloc(count * sizeof *p.lon), p.lat = malloc(count * sizeof *p.lat);
    if (!p.lon || !p.lat) goto out;
    memcpy(p.lon, lon, count * sizeof *lon);
    memcpy(p.lat, lat, count * sizeof *lat);
    if (!orient(&p, order)) goto out;
    order->x_order.n = p.nx;
    order->y_order.n = p.ny;
    if ((status = plain_grid(&p, single, grid, order)) != VIRGA_NOT_FOUND) goto out;
    size_t around = columns_of_globe(&p);
    if (around) keep_columns(&p, around);
    order->x_order.n = p.nx;
    status = curvilinear_grid(&p, around > 0, grid, failure);
out:
    free(p.lon);
    free(p.lat);
    return status == VIRGA_NO_MEMORY ? failure_set(failure, status, "out of memory") : status;
}
