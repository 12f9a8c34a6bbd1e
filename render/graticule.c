// SPDX-License-Identifier: Apache-2.0
#include "render/graticule.h"

#include <math.h>
#include <stdlib.h>

enum { WANTED = 7, POINTS_MAX = 1024 };

struct maker {
    const struct map_cut *cut;
    struct map_lines *lines;
    struct basemap_degree **degrees;
    size_t *degree_count;
    double points[POINTS_MAX][2];
    size_t point_count;
};

static double spacing_for(double degrees) {
    static const double spacings[] = {0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 45};
    for (size_t n = 0; n < sizeof spacings / sizeof *spacings; n++)
        if (degrees / spacings[n] <= WANTED) return spacings[n];
    return 45;
}

// Outward direction of the edge that a point lies on; false inside.
static bool side_of(const struct basemap_places *places, const float at[3], double side[2]) {
    const struct scene_bounds *box = &places->box;
    double near = 0.012 * fmax(places->size[0], places->size[1]), reach = 10 * near;
    double X = (double)at[0], Y = (double)at[1];
    side[0] = side[1] = 0;
    if (Y - box->low[1] < near) side[1] = -reach;
    else if (box->high[1] - Y < near) side[1] = reach;
    else if (X - box->low[0] < near) side[0] = -reach;
    else if (box->high[0] - X < near) side[0] = reach;
    else return false;
    return true;
}

static int add_label(struct maker *m, bool longitude, double value, const float at[3]) {
    struct basemap_degree degree = {.longitude = longitude, .value = value, .at = {(double)at[0], (double)at[1], (double)at[2]}};
    if (!side_of(m->cut->places, at, degree.side)) return VIRGA_OK;
    struct basemap_degree *degrees = realloc(*m->degrees, (*m->degree_count + 1) * sizeof *degrees);
    if (!degrees) return VIRGA_NO_MEMORY;
    *m->degrees = degrees;
    degrees[(*m->degree_count)++] = degree;
    return VIRGA_OK;
}

// A line, and labels where it leaves the domain, on all sides; those turned away are left out when drawn.
static int add_line(struct maker *m, bool longitude, double value) {
    size_t first[] = {0, m->point_count}, before = m->lines->count;
    const struct atlas_lines line = {1, m->point_count, first, m->points};
    int status = map_lines_add_degrees(m->lines, m->cut, &line);
    if (status != VIRGA_OK || m->lines->count == before) return status;
    value = round(value * 1e6) / 1e6;
    status = add_label(m, longitude, value, m->lines->segments[before][0]);
    return status == VIRGA_OK ? add_label(m, longitude, value, m->lines->segments[m->lines->count - 1][1]) : status;
}

static int add_all(struct maker *m, bool longitude) {
    const struct degree_bounds *of = &m->cut->places->bounds;
    double low[] = {of->west, of->south}, high[] = {of->east, of->north}, step = spacing_for(high[!longitude] - low[!longitude]);
    int along = longitude ? 0 : 1, status = VIRGA_OK;
    for (double value = ceil(low[along] / step) * step; value <= high[along] + 1e-9 && status == VIRGA_OK; value += step) {
        if (!longitude && fabs(value) >= 90 - 1e-6) continue;
        for (size_t n = 0; n < m->point_count; n++) {
            m->points[n][along] = value;
            double share = (double)n / (double)(m->point_count - 1);
            m->points[n][1 - along] = low[1 - along] + (high[1 - along] - low[1 - along]) * share;
        }
        status = add_line(m, longitude, value);
    }
    return status;
}

int graticule_add(const struct map_cut *cut, struct map_lines *lines, struct basemap_degree **degrees, size_t *degree_count) {
    const struct degree_bounds *of = &cut->places->bounds;
    double wide = of->east - of->west, tall = of->north - of->south;
    if (!(wide >= 0 && wide <= 720 && tall >= 0 && tall <= 720)) return VIRGA_OK;  // no place on Earth
    struct maker m = {.cut = cut, .lines = lines, .degrees = degrees, .degree_count = degree_count};
    m.point_count = (size_t)fmax(72, round(wide)) + 1;
    int status = add_all(&m, true);
    return status == VIRGA_OK ? add_all(&m, false) : status;
}
