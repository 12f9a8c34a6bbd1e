// SPDX-License-Identifier: Apache-2.0
// The rendering equation of render/README.md ("The picture in words"), plainly: one ray after another in double, no tables of levels,
// no bricks. Shares nothing with the program; reference/picture.py compiles it and fills the structures.
#include <math.h>
#include <stdbool.h>
#include <stddef.h>

struct field {
    int n[3];               // columns along x and y, levels
    int wraps;              // the first column follows the last
    const double *x, *y;    // scene km of the columns, rising; where it wraps evenly spaced
    const double *heights;  // [level][y][x] metres, rising with the level
    const double *ground;   // [y][x] metres
    const double *values, *later;  // [level][y][x] in units of the file, NaN where missing; later: NULL or what is blended in
    double blend;
    // Transfer function at even values from low to high, both included: red, green, blue, tau; and the integrals from low of
    // colour × tau and tau.
    int entries;
    double low, high;
    const double *look, *integral;
    double coarse;          // values nearer than this are not integrated over: two entries of the picture's table
    double lattice_step;    // what one lattice integer is worth
    int shading;
};

struct scene {
    double low[3], high[3];  // of the box, km, not exaggerated
    double exaggeration;
    double eye[3];           // shown (heights exaggerated)
    double forward[3], right[3], top[3];  // of the camera; right and top as long as half of the picture at distance 1
    double light[3], colour[3], ambient[3];
    int width, height;
    double step;             // voxels a step
    double shortest;         // share of a ray's way through the box that a step is at least
    int field_count;
    const struct field *fields;
    int shadows;
    int cells[3];
    double *share;           // [z][y][x] of light that arrives
    int net[2];              // vertices of the ground along x and y
    const double *net_heights;  // [y][x] metres
    int leap_size[3];        // cells along x, y and z; no leaps where leaps is NULL
    double leap_low[3], leap_cell[3];  // km, not exaggerated
    const unsigned char *leaps;  // [z][y][x]: 0 something may show; n: nothing within n - 1 cells around
};

struct place { double ijk[3], density[3]; bool inside; };
static const double nothing = 1e300;

static double clamp(double v, double low, double high) { return v < low ? low : v > high ? high : v; }
static double mix(double a, double b, double share) { return a + (b - a) * share; }

// Fractional index among rising numbers, going on beyond the ends, and how many indices one unit is.
static double index_of(const double *axis, int n, double at, double *density) {
    int low = 0, high = n - 1;
    if (n == 1) { *density = 0; return 0; }
    while (high - low > 1) {
        int middle = (low + high) / 2;
        if (axis[middle] <= at) low = middle; else high = middle;
    }
    *density = 1 / (axis[low + 1] - axis[low]);
    return low + (at - axis[low]) * *density;
}

// The two neighbours around an index and the share of the second.
static void neighbours(double at, int n, int wraps, int index[2], double *share) {
    double below = floor(at);
    if (wraps) {
        index[0] = ((int)below % n + n) % n;
        index[1] = (index[0] + 1) % n;
        *share = at - below;
        return;
    }
    index[0] = (int)clamp(below, 0, n > 1 ? n - 2 : 0);
    index[1] = n > 1 ? index[0] + 1 : 0;
    *share = clamp(at - index[0], 0, 1);
}

static double column_mean(const struct field *field, const double *plane, const double ijk[3]) {
    int i[2], j[2];
    double a, b;
    neighbours(ijk[0], field->n[0], field->wraps, i, &a);
    neighbours(ijk[1], field->n[1], 0, j, &b);
    return mix(mix(plane[(size_t)j[0] * field->n[0] + i[0]], plane[(size_t)j[0] * field->n[0] + i[1]], a),
               mix(plane[(size_t)j[1] * field->n[0] + i[0]], plane[(size_t)j[1] * field->n[0] + i[1]], a), b);
}

static double level_height(const struct field *field, int level, const double ijk[3]) {
    return column_mean(field, field->heights + (size_t)level * field->n[0] * field->n[1], ijk);
}

static struct place locate(const struct field *field, const double scene[3]) {
    struct place place = {.inside = true};
    double x = scene[0], h = scene[2] * 1000;
    int nx = field->n[0], ny = field->n[1], nz = field->n[2];
    double turn = field->wraps ? nx * (field->x[1] - field->x[0]) : 1;
    if (field->wraps) x -= floor((x - field->x[0]) / turn) * turn;
    place.ijk[0] = index_of(field->x, nx, x, &place.density[0]);
    place.ijk[1] = index_of(field->y, ny, scene[1], &place.density[1]);
    if (!field->wraps && nx > 1 && (place.ijk[0] < -1e-4 || place.ijk[0] > nx - 1 + 1e-4)) place.inside = false;
    if (ny > 1 && (place.ijk[1] < -1e-4 || place.ijk[1] > ny - 1 + 1e-4)) place.inside = false;
    if (!field->wraps) place.ijk[0] = clamp(place.ijk[0], 0, nx - 1);
    place.ijk[1] = clamp(place.ijk[1], 0, ny - 1);
    int low = 0, high = nz - 1;
    while (high - low > 1) {
        int middle = (low + high) / 2;
        if (level_height(field, middle, place.ijk) <= h) low = middle; else high = middle;
    }
    double foot = level_height(field, low, place.ijk), head = level_height(field, high, place.ijk);
    double k = low + (h - foot) / (head - foot);
    place.density[2] = 1000 / (head - foot);
    if (k > nz - 1 + 1e-6 || h < column_mean(field, field->ground, place.ijk) - 0.01) place.inside = false;
    place.ijk[2] = clamp(k, 0, nz - 1);
    return place;
}

// Mean of the neighbours that are present; false where they have less than half of the weight.
static bool mean_of(const struct field *field, const double *values, const double ijk[3], double *value) {
    int index[3][2];
    double share[3], sum = 0, weights = 0;
    for (int axis = 0; axis < 3; axis++)
        neighbours(ijk[axis], field->n[axis], axis == 0 && field->wraps, index[axis], &share[axis]);
    for (int corner = 0; corner < 8; corner++) {
        double weight = 1;
        int at[3];
        for (int axis = 0; axis < 3; axis++) {
            int second = corner >> axis & 1;
            at[axis] = index[axis][second];
            weight *= second ? share[axis] : 1 - share[axis];
        }
        double here = values[((size_t)at[2] * field->n[1] + at[1]) * field->n[0] + at[0]];
        if (isnan(here)) continue;
        sum += weight * here;
        weights += weight;
    }
    *value = sum / weights;
    return weights >= 0.5;
}

static bool value_at(const struct field *field, const double ijk[3], double *value) {
    double later;
    bool present = mean_of(field, field->values, ijk, value);
    if (!field->later) return present;
    bool also = mean_of(field, field->later, ijk, &later);
    if (also) *value = present ? mix(*value, later, field->blend) : later;
    return field->blend < 0.5 ? present : also;
}

static double entry_of(const struct field *field, double value, int *index) {
    double at = (value - field->low) / (field->high - field->low) * (field->entries - 1);
    *index = (int)clamp(floor(at), 0, field->entries - 2);
    return clamp(at - *index, 0, 1);
}

static void look_at(const struct field *field, double value, double look[4]) {
    int index;
    double share = entry_of(field, value, &index);
    for (int c = 0; c < 4; c++) look[c] = mix(field->look[4 * index + c], field->look[4 * index + 4 + c], share);
}

static double tau_at(const struct field *field, double value) {
    double look[4];
    look_at(field, value, look);
    return look[3];
}

static void integral_to(const struct field *field, double value, double sum[4]) {
    int index;
    double share = entry_of(field, value, &index), beyond = value - clamp(value, field->low, field->high), look[4];
    look_at(field, value, look);
    for (int c = 0; c < 4; c++) {
        sum[c] = mix(field->integral[4 * index + c], field->integral[4 * index + 4 + c], share);
        sum[c] += beyond * look[3] * (c < 3 ? look[c] : 1);
    }
}

// The mean over all values between two, one of which may be absent.
static void look_between(const struct field *field, double before, double value, double look[4]) {
    double one = value == nothing ? before : value, change = one - (before == nothing ? one : before), from[4], to[4];
    look_at(field, one, look);
    if (fabs(change) < field->coarse) return;
    integral_to(field, before, from);
    integral_to(field, value, to);
    double tau = (to[3] - from[3]) / change;
    for (int c = 0; c < 3; c++) look[c] = tau > 1e-6 ? (to[c] - from[c]) / change / tau : 0;
    look[3] = tau > 1e-6 ? tau : 0;
}

static double light_at(const struct scene *scene, const double at[3]) {
    int index[3][2];
    double share[3], sum = 0;
    for (int axis = 0; axis < 3; axis++) {
        double scale = axis == 2 ? scene->exaggeration : 1;
        double size = (scene->high[axis] - scene->low[axis]) * scale;
        double place = (at[axis] - scene->low[axis] * scale) / size * scene->cells[axis] - 0.5;
        neighbours(clamp(place, 0, scene->cells[axis] - 1), scene->cells[axis], 0, index[axis], &share[axis]);
    }
    for (int corner = 0; corner < 8; corner++) {
        size_t where = 0;
        double weight = 1;
        for (int axis = 2; axis >= 0; axis--) {
            int second = corner >> axis & 1;
            weight *= second ? share[axis] : 1 - share[axis];
            where = where * scene->cells[axis] + index[axis][second];
        }
        sum += weight * scene->share[where];
    }
    return sum;
}

// How the surfaces of a field answer to the light, 0.35 … 1.1 as they are turned to it, and 1 where it has none.
static double facing(const struct scene *scene, const struct field *field, const struct place *place, double value, double tau) {
    double slope[3], gradient[3], length = 0, range = 0;
    for (int axis = 0; axis < 3; axis++) {
        double low[3] = {place->ijk[0], place->ijk[1], place->ijk[2]}, high[3] = {low[0], low[1], low[2]}, a, b;
        low[axis] -= 0.5;
        high[axis] += 0.5;
        if (!mean_of(field, field->values, low, &a)) a = value;
        if (!mean_of(field, field->values, high, &b)) b = value;
        slope[axis] = b - a;
        gradient[axis] = slope[axis] * place->density[axis] / (axis == 2 ? scene->exaggeration : 1);
        length += gradient[axis] * gradient[axis];
        range += fabs(slope[axis]);
    }
    range = fmax(range, 1e-6 * field->lattice_step);
    double rise = tau_at(field, value + 0.5 * range) - tau_at(field, value - 0.5 * range), towards = 0;
    if (length == 0 || rise == 0) return 1;
    for (int axis = 0; axis < 3; axis++) towards -= gradient[axis] / sqrt(length) * (rise > 0 ? 1 : -1) * scene->light[axis];
    double contrast = clamp(2 * fabs(rise) / (tau + fabs(rise)), 0, 1);
    return mix(1, 0.35 + 0.75 * (towards + 1) / 2, contrast);
}

// Height of the ground in km: flat triangles between the vertices of an even net.
static double ground_at(const struct scene *scene, double x, double y) {
    int nx = scene->net[0], ny = scene->net[1];
    double u = clamp((x - scene->low[0]) / (scene->high[0] - scene->low[0]), 0, 1) * (nx - 1);
    double v = clamp((y - scene->low[1]) / (scene->high[1] - scene->low[1]), 0, 1) * (ny - 1);
    int i = (int)clamp(floor(u), 0, nx - 2), j = (int)clamp(floor(v), 0, ny - 2);
    const double *h = scene->net_heights + (size_t)j * nx + i;
    u -= i;
    v -= j;
    double height = u + v <= 1 ? h[0] + u * (h[1] - h[0]) + v * (h[nx] - h[0])
                               : h[nx + 1] + (1 - u) * (h[nx] - h[nx + 1]) + (1 - v) * (h[1] - h[nx + 1]);
    return height / 1000;
}

static double over_ground(const struct scene *scene, const double ray[3], double t) {
    double at[3];
    for (int axis = 0; axis < 3; axis++) at[axis] = scene->eye[axis] + ray[axis] * t;
    return at[2] - ground_at(scene, at[0], at[1]) * scene->exaggeration;
}

// Where the ray meets the ground between two distances, or the second.
static double ground_hit(const struct scene *scene, const double ray[3], double from, double to) {
    int parts = 2 * (scene->net[0] + scene->net[1]);
    double before = from;
    for (int part = 0; part <= parts; part++) {
        double t = from + (to - from) * part / parts;
        if (over_ground(scene, ray, t) >= 0) { before = t; continue; }
        for (int turn = 0; turn < 50 && part > 0; turn++) {
            double middle = (before + t) / 2;
            if (over_ground(scene, ray, middle) >= 0) before = middle; else t = middle;
        }
        return t;
    }
    return to;
}

static void ray_of(const struct scene *scene, double x, double y, double ray[3]) {
    double u = 2 * x / scene->width - 1, v = 2 * y / scene->height - 1, length = 0;
    for (int axis = 0; axis < 3; axis++) {
        ray[axis] = scene->forward[axis] + u * scene->right[axis] + v * scene->top[axis];
        length += ray[axis] * ray[axis];
    }
    for (int axis = 0; axis < 3; axis++) ray[axis] /= sqrt(length);
}

// Between which distances a ray is in the box, above the ground.
static bool way_of(const struct scene *scene, const double ray[3], double *from, double *to, bool *lands) {
    *from = 0;
    *to = INFINITY;
    for (int axis = 0; axis < 3; axis++) {
        double scale = axis == 2 ? scene->exaggeration : 1, safe = fabs(ray[axis]) > 1e-9 ? ray[axis] : 1e-9;
        double a = (scene->low[axis] * scale - scene->eye[axis]) / safe;
        double b = (scene->high[axis] * scale - scene->eye[axis]) / safe;
        *from = fmax(*from, fmin(a, b));
        *to = fmin(*to, fmax(a, b));
    }
    *lands = false;
    if (*from >= *to) return false;
    double end = ground_hit(scene, ray, *from, *to);
    *lands = end < *to || over_ground(scene, ray, end) * 1e3 < 1e-3;
    *to = end;
    return *from < *to;
}

struct sample { struct place place; double value, before, tau, look[4]; };

// One field's part of a step: its tau a km, and its colour if it has one. through: of the light so far; km: of the step.
static void add_step(const struct scene *scene, const struct field *field, struct sample *sample, bool first, bool last,
                     double sun, double through, double km, double *tau, double mixed[3]) {
    double value = nothing, before = first ? nothing : sample->before, look[4], found;
    if (sample->place.inside && value_at(field, sample->place.ijk, &found)) value = found;
    sample->before = value;
    if (value == nothing && before == nothing) return;
    bool whole = (value != nothing && before != nothing) || (value == nothing && last);
    look_between(field, before, value, look);
    if (!whole) look[3] *= 0.5;
    if (!(look[3] > 0)) return;
    double share = through * (1 - exp(-look[3] * km)), diffuse = 1;
    if (field->shading && share > 0.025)
        diffuse = facing(scene, field, &sample->place, value == nothing ? before : value, look[3]);
    *tau += look[3];
    for (int c = 0; c < 3; c++) mixed[c] += look[3] * look[c] * (scene->ambient[c] + scene->colour[c] * sun * diffuse);
}

static double jitter_of(int x, int y) {
    unsigned hash = (unsigned)x * 0xC13FA9A9u + (unsigned)y * 0x91E10DA5u;
    return (hash >> 8) / 16777216.0;
}

// How far a ray may leap from a distance, through cells in which nothing shows; 0 where something may.
static double leap_from(const struct scene *scene, const double ray[3], double t) {
    double cell[3], rate[3], leap = INFINITY;
    int here[3];
    for (int axis = 0; axis < 3; axis++) {
        double scale = axis == 2 ? scene->exaggeration : 1;
        rate[axis] = 1 / (scene->leap_cell[axis] * scale);
        cell[axis] = (scene->eye[axis] + ray[axis] * t - scene->leap_low[axis] * scale) * rate[axis];
        here[axis] = (int)clamp(floor(cell[axis]), 0, scene->leap_size[axis] - 1);
    }
    int empty = scene->leaps[((size_t)here[2] * scene->leap_size[1] + here[1]) * scene->leap_size[0] + here[0]];
    if (!empty) return 0;
    for (int axis = 0; axis < 3; axis++) {
        double safe = fabs(ray[axis]) > 1e-9 ? ray[axis] : 1e-9;
        double edge = here[axis] + (ray[axis] >= 0 ? empty : 1 - empty);
        leap = fmin(leap, (edge - cell[axis]) / (safe * rate[axis]));
    }
    return fmax(leap, 1e-12);
}

static void march(const struct scene *scene, int x, int y, double out[4]) {
    double ray[3], t, end, through = 1, sum[3] = {0, 0, 0}, ds = 0;
    bool lands;
    struct sample samples[2];
    ray_of(scene, x + 0.5, y + 0.5, ray);
    out[0] = out[1] = out[2] = out[3] = 0;
    if (!way_of(scene, ray, &t, &end, &lands)) return;
    double shortest = (end - t) * scene->shortest;
    while (t < end) {
        double leap = scene->leaps ? leap_from(scene, ray, t) : 0;
        if (leap > 0) {
            t += leap + 0.05 * shortest;
            ds = 0;
            continue;
        }
        double s = fmin(t + ds, end), km = (s - t) / scene->exaggeration;
        double middle[3], at[3], most = 0, tau = 0, mixed[3] = {0, 0, 0};
        for (int axis = 0; axis < 3; axis++) {
            middle[axis] = scene->eye[axis] + ray[axis] * 0.5 * (t + s);
            at[axis] = (scene->eye[axis] + ray[axis] * s) / (axis == 2 ? scene->exaggeration : 1);
        }
        double sun = scene->shadows ? light_at(scene, middle) : 1;
        for (int n = 0; n < scene->field_count; n++) {
            samples[n].place = locate(&scene->fields[n], at);
            for (int axis = 0; axis < 3; axis++)
                most = fmax(most, fabs(ray[axis]) / (axis == 2 ? scene->exaggeration : 1) * samples[n].place.density[axis]);
        }
        for (int n = 0; n < scene->field_count; n++)
            add_step(scene, &scene->fields[n], &samples[n], ds == 0, s >= end, sun, through, km, &tau, mixed);
        if (tau > 0) {
            double alpha = 1 - exp(-tau * km);
            for (int c = 0; c < 3; c++) sum[c] += through * alpha * mixed[c] / tau;
            through *= 1 - alpha;
            if (through < 0.008) { through = 0; break; }
        }
        t = s;
        double share = ds == 0 ? fmax(jitter_of(x, y), 0.01) : 1;
        ds = fmax(scene->step * (1.9 - 0.9 * through) / fmax(most, 1e-6), shortest) * share;
    }
    for (int c = 0; c < 3; c++) out[c] = sum[c];
    out[3] = 1 - through;
}

// rgba[height][width][4]: colour times alpha, and alpha; the top row first.
void draw(const struct scene *scene, double *rgba) {
    for (int row = 0; row < scene->height; row++)
        for (int x = 0; x < scene->width; x++)
            march(scene, x, scene->height - 1 - row, rgba + 4 * ((size_t)row * scene->width + x));
}

// Where the rays meet the domain's ground: at[height][width][3] in km, shown, NaN elsewhere; and the share of sunlight there.
void draw_ground(const struct scene *scene, double *at, double *sunlight) {
    double lift = 0.012 * (scene->high[2] - scene->low[2]) * scene->exaggeration;
    for (int row = 0; row < scene->height; row++) for (int x = 0; x < scene->width; x++) {
        double ray[3], t, end, *here = at + 3 * ((size_t)row * scene->width + x);
        bool lands;
        ray_of(scene, x + 0.5, scene->height - row - 0.5, ray);
        way_of(scene, ray, &t, &end, &lands);
        for (int axis = 0; axis < 3; axis++) here[axis] = lands ? scene->eye[axis] + ray[axis] * end : NAN;
        double lifted[3] = {here[0], here[1], here[2] + lift};
        sunlight[(size_t)row * scene->width + x] = lands && scene->shadows ? light_at(scene, lifted) : 1;
    }
}

// Values of a field that lies on the ground, at the places of draw_ground; NaN where it has none.
void draw_drape(const struct scene *scene, const struct field *field, const double *at, double *values) {
    for (int pixel = 0; pixel < scene->width * scene->height; pixel++, at += 3) {
        double ijk[3] = {0, 0, 0}, density;
        values[pixel] = NAN;
        if (isnan(at[0])) continue;
        for (int axis = 0; axis < 2; axis++)
            ijk[axis] = clamp(index_of(axis ? field->y : field->x, field->n[axis], at[axis], &density), 0, field->n[axis] - 1);
        if (!value_at(field, ijk, &values[pixel])) values[pixel] = NAN;
    }
}

// Fills scene->share from the top slice down.
void cast_light(const struct scene *scene) {
    const int *n = scene->cells;
    double size[3], low[3];
    for (int axis = 0; axis < 3; axis++) {
        double scale = axis == 2 ? scene->exaggeration : 1;
        low[axis] = scene->low[axis] * scale;
        size[axis] = (scene->high[axis] - scene->low[axis]) * scale;
    }
    double way = size[2] / n[2] / scene->light[2];
    for (int z = n[2] - 1; z >= 0; z--) for (int y = 0; y < n[1]; y++) for (int x = 0; x < n[0]; x++) {
        double u = (x + 0.5) / n[0], v = (y + 0.5) / n[1], arriving = 1;
        double fu = u + scene->light[0] * way / size[0], fv = v + scene->light[1] * way / size[1];
        if (z + 1 < n[2] && fu >= 0 && fu <= 1 && fv >= 0 && fv <= 1) {
            int i[2], j[2];
            double a, b;
            const double *above = scene->share + (size_t)(z + 1) * n[0] * n[1];
            neighbours(clamp(fu * n[0] - 0.5, 0, n[0] - 1), n[0], 0, i, &a);
            neighbours(clamp(fv * n[1] - 0.5, 0, n[1] - 1), n[1], 0, j, &b);
            arriving = mix(mix(above[j[0] * n[0] + i[0]], above[j[0] * n[0] + i[1]], a),
                           mix(above[j[1] * n[0] + i[0]], above[j[1] * n[0] + i[1]], a), b);
        }
        double at[3] = {low[0] + u * size[0] + scene->light[0] * way * 0.5,
                        low[1] + v * size[1] + scene->light[1] * way * 0.5,
                        (low[2] + (z + 0.5) * size[2] / n[2] + scene->light[2] * way * 0.5) / scene->exaggeration};
        double tau = 0, value;
        for (int f = 0; f < scene->field_count; f++) {
            struct place place = locate(&scene->fields[f], at);
            if (place.inside && value_at(&scene->fields[f], place.ijk, &value)) tau += tau_at(&scene->fields[f], value);
        }
        scene->share[((size_t)z * n[1] + y) * n[0] + x] = arriving * exp(-tau * way / scene->exaggeration * 0.6);
    }
}
