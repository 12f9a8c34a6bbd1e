// SPDX-License-Identifier: Apache-2.0
#include "server/map_section.h"

#include <math.h>
#include <stdlib.h>

#include "brick/volume_sample.h"
#include "field/source_sample.h"

static const double RADIANS = M_PI / 180;

// --- Lines.

static double distance(const struct section_point *a, const struct section_point *b) {
    double dlat = sin(0.5 * (b->lat - a->lat) * RADIANS), dlon = sin(0.5 * (b->lon - a->lon) * RADIANS);
    double h = dlat * dlat + cos(a->lat * RADIANS) * cos(b->lat * RADIANS) * dlon * dlon;
    return 2 * GRID_SPHERE * asin(fmin(1, sqrt(h)));
}

static double spacing(const struct grid_axis *axis, double km_per_unit) {
    double span = fabs(axis->values[axis->n - 1] - axis->values[0]);
    return axis->n > 1 ? 1000 * km_per_unit * span / (double)(axis->n - 1) : INFINITY;
}

// Metres between columns.
static double column_distance(const struct grid *grid) {
    double d = fmin(spacing(&grid->x, grid->km_per_unit[0]), spacing(&grid->y, grid->km_per_unit[1]));
    return d > 0 && isfinite(d) ? d : 1000;
}

static struct section_point between(const struct section_point *a, const struct section_point *b, double f) {
    return (struct section_point){
        .lon = a->lon + f * remainder(b->lon - a->lon, 360),
        .lat = a->lat + f * (b->lat - a->lat),
        .height = a->height + f * (b->height - a->height),
        .seconds = a->seconds + f * (b->seconds - a->seconds),
    };
}

static double line_length(const struct section_point *vertices, size_t count) {
    double sum = 0;
    for (size_t n = 1; n < count; n++) sum += distance(&vertices[n - 1], &vertices[n]);
    return sum;
}

int section_line_init(struct section_line *line, const struct grid *grid, const struct section_point *vertices, size_t vertex_count, size_t most) {
    double step = column_distance(grid), spare = (double)(most - vertex_count);
    *line = (struct section_line){.points = malloc(most * sizeof *line->points)};
    if (!line->points) return VIRGA_NO_MEMORY;
    step = fmax(step, spare > 0 ? line_length(vertices, vertex_count) / spare : INFINITY);
    for (size_t n = 0; n < vertex_count; n++) {
        const struct section_point *a = &vertices[n], *b = n + 1 < vertex_count ? &vertices[n + 1] : NULL;
        double pieces = b ? ceil(distance(a, b) / step - 1e-9) : 1;
        size_t room = most - line->count - (vertex_count - n - 1), count = pieces < 1 ? 1 : pieces > (double)room ? room : (size_t)pieces;
        line->points[line->count++] = *a;
        for (size_t p = 1; p < count; p++) line->points[line->count++] = between(a, b, (double)p / (double)count);
    }
    line->points[0].distance = 0;
    for (size_t n = 1; n < line->count; n++) line->points[n].distance = line->points[n - 1].distance + distance(&line->points[n - 1], &line->points[n]);
    return VIRGA_OK;
}

int section_line_even(struct section_line *line, const struct section_point *vertices, size_t vertex_count, size_t count, double *marks) {
    *line = (struct section_line){.points = malloc(count * sizeof *line->points)};
    if (!line->points) return VIRGA_NO_MEMORY;
    marks[0] = 0;
    for (size_t n = 1; n < vertex_count; n++) marks[n] = marks[n - 1] + distance(&vertices[n - 1], &vertices[n]);
    for (size_t n = 1; line->count < count;) {
        double along = marks[vertex_count - 1] * ((double)line->count + 0.5) / (double)count;
        while (n + 1 < vertex_count && marks[n] < along) n++;
        double stretch = n < vertex_count ? marks[n] - marks[n - 1] : 0;
        struct section_point *point = &line->points[line->count++];
        *point = stretch > 0 ? between(&vertices[n - 1], &vertices[n], fmax(0, (along - marks[n - 1]) / stretch)) : vertices[0];
        point->distance = along;
    }
    return VIRGA_OK;
}

void section_line_destroy(struct section_line *line) {
    free(line->points);
    *line = (struct section_line){0};
}

// --- Values.

static int section_init(struct section *section, size_t points, size_t rows, struct failure *failure) {
    *section = (struct section){.points = points, .rows = rows};
    if (!points || !rows || rows > SECTION_VALUES / points)
        return failure_set(failure, VIRGA_TOO_LARGE, "%zu places with %zu values each are too many: ask for fewer", points, rows);
    section->values = malloc(points * rows * sizeof *section->values);
    section->heights = malloc(points * rows * sizeof *section->heights);
    section->ground = malloc(points * sizeof *section->ground);
    if (!section->values || !section->heights || !section->ground) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    for (size_t n = 0; n < points * rows; n++) section->values[n] = section->heights[n] = NAN;
    for (size_t n = 0; n < points; n++) section->ground[n] = NAN;
    return VIRGA_OK;
}

void section_destroy(struct section *section) {
    free(section->values);
    free(section->heights);
    free(section->ground);
    *section = (struct section){0};
}

static double bilinear(const float *values, size_t nx, size_t ny, double i, double j) {
    size_t x = (size_t)i, y = (size_t)j, x1 = (x + 1) % nx, y1 = y + 1 < ny ? y + 1 : y;
    double fx = i - (double)x, fy = j - (double)y;
    x %= nx;
    if (fx == 0) x1 = x;
    return (1 - fy) * ((1 - fx) * (double)values[y * nx + x] + fx * (double)values[y * nx + x1]) +
           fy * ((1 - fx) * (double)values[y1 * nx + x] + fx * (double)values[y1 * nx + x1]);
}

struct reading {
    const struct grid *grid;
    const struct level_map *map;  // NULL: a 2-D variable
    const struct section_rows *rows;
    struct section *section;
    double *k;  // [points][rows]
    struct sample_column *columns;
};

// Fractional levels and heights above a point inside the grid.
static void place_rows(struct reading *r, const struct section_point *point, size_t at, double i, double j) {
    double *k = &r->k[at * r->section->rows], *heights = &r->section->heights[at * r->section->rows];
    r->section->ground[at] = r->map && r->map->ground ? bilinear(r->map->ground, r->map->nx, r->map->ny, i, j) : 0;
    for (size_t n = 0; n < r->section->rows; n++) {
        k[n] = (double)n;
        if (!r->map) continue;
        if (r->rows->kind == SECTION_LEVELS) {
            heights[n] = level_map_height(r->map, r->grid->wraps, i, j, k[n]);
            continue;
        }
        heights[n] = r->rows->kind == SECTION_OWN ? point->height : r->rows->heights[n];
        if (!level_map_locate(r->map, r->grid->wraps, i, j, heights[n], &k[n])) k[n] = NAN;
    }
}

static void place(struct reading *r, const struct section_point *points) {
    for (size_t n = 0; n < r->section->points; n++) {
        struct sample_column *c = &r->columns[n];
        *c = (struct sample_column){NAN, NAN, r->section->rows, &r->k[n * r->section->rows], &r->section->values[n * r->section->rows]};
        double i, j;
        for (size_t row = 0; row < c->count; row++) r->k[n * r->section->rows + row] = NAN;
        if (!grid_locate(r->grid, points[n].lon, points[n].lat, &i, &j)) continue;
        c->i = i, c->j = j;
        place_rows(r, &points[n], n, i, j);
    }
}

static size_t rows_of(const struct catalog_variable *variable, const struct section_rows *rows) {
    if (!variable->vertical) return 1;
    return rows->kind == SECTION_LEVELS ? variable->nz : rows->kind == SECTION_OWN ? 1 : rows->count;
}

int section_read(struct catalog *catalog, struct brick_store *bricks, const struct field_ref *field, const struct section_point *points, size_t count,
                 const struct section_rows *rows, struct section *section, struct failure *failure) {
    const struct catalog_variable *variable = &field->dataset->variables[field->variable];
    struct level_map *map = NULL;
    struct reading r = {.grid = field->dataset->grid, .rows = rows, .section = section};
    int status = section_init(section, count, rows_of(variable, rows), failure);
    if (!status && variable->vertical) status = catalog_level_map(catalog, field, &map, failure);
    if (status) goto done;
    r.map = map;
    r.k = malloc(count * section->rows * sizeof *r.k);
    r.columns = malloc(count * sizeof *r.columns);
    if (!r.k || !r.columns) {
        status = failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
        goto done;
    }
    place(&r, points);
    status = brick_samples_along(bricks, catalog, field, r.columns, count, failure);
done:
    level_map_unref(map);
    free(r.k);
    free(r.columns);
    if (status) section_destroy(section);
    return status;
}

int section_exact_heights(const struct field_ref *field, double lon, double lat, double *heights, struct failure *failure) {
    struct source_profile profile;
    size_t count = field->dataset->variables[field->variable].nz;
    for (size_t n = 0; n < count; n++) heights[n] = NAN;
    int status = catalog_profile_source(field, lon, lat, &profile, failure);
    for (size_t n = 0; !status && n < profile.count && n < count; n++) heights[n] = profile.heights[n];
    if (!status) source_profile_destroy(&profile);
    return status;
}
