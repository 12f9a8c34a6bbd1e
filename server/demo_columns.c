// SPDX-License-Identifier: Apache-2.0
// One row of columns at a time, from the top level down; arrays are rows along x, so that loops vectorise.
#include "server/demo_columns.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const struct demo_variable_spec demo_variables[DEMO_VARIABLE_COUNT] = {
    [DEMO_CLOUD] = {"cloud_area_fraction_in_atmosphere_layer", "cloud fraction", "1", false, 0x1p-9f},
    [DEMO_LIQUID] = {"mass_fraction_of_cloud_liquid_water_in_air", "cloud liquid water", "kg kg-1", false, 0x1p-22f},
    [DEMO_RAIN] = {"mass_fraction_of_rain_in_air", "rain", "kg kg-1", false, 0x1p-22f},
    [DEMO_TEMPERATURE] = {"air_temperature", "air temperature", "K", false, 0x1p-6f},
    [DEMO_HUMIDITY] = {"relative_humidity", "relative humidity", "%", false, 0x1p-3f},
    [DEMO_SPECIFIC_HUMIDITY] = {"specific_humidity", "specific humidity", "kg kg-1", false, 0x1p-19f},
    [DEMO_X_WIND] = {"x_wind", "wind along grid longitude", "m s-1", false, 0x1p-5f},
    [DEMO_Y_WIND] = {"y_wind", "wind along grid latitude", "m s-1", false, 0x1p-5f},
    [DEMO_UPWARD] = {"upward_air_velocity", "upward wind", "m s-1", false, 0x1p-8f},
    [DEMO_PRESSURE] = {"air_pressure_at_sea_level", "pressure at mean sea level", "Pa", true, 0x1p-1f},
    [DEMO_RAIN_FLUX] = {"rainfall_flux", "rain rate at the surface", "kg m-2 s-1", true, 0x1p-22f},
};

enum { OCTAVES = 5 };

struct demo_row_work {
    int nx, mesh_nx;
    float *mesh;               // [DEMO_NZ][mesh_nx][DEMO_BULK_COUNT]: the mesh at this row's y
    float *bulk[DEMO_BULK_COUNT];
    float *flat[DEMO_FLAT_COUNT];
    float *z, *noise, *core, *cell_top, *flux, *ascent, *cloud, *humidity, *specific, *water, *slope_x, *slope_y;
    float *rows;               // the storage of all rows above
};

static float square(float v) { return v * v; }
static float clamp01(float v) { return v < 0 ? 0 : v > 1 ? 1 : v; }
static float ramp(float from, float to, float v) {
    float t = clamp01((v - from) / (to - from));
    return t * t * (3 - 2 * t);
}

struct demo_row_work *demo_row_work_new(const struct demo_grid *grid, const struct demo_weather *weather) {
    struct demo_row_work *work = calloc(1, sizeof *work);
    if (!work) return NULL;
    work->nx = grid->nx, work->mesh_nx = weather->nx;
    work->mesh = malloc(sizeof(float) * DEMO_NZ * DEMO_BULK_COUNT * (size_t)weather->nx);
    work->rows = calloc((size_t)grid->nx * (DEMO_BULK_COUNT + DEMO_FLAT_COUNT + 12), sizeof(float));
    if (!work->mesh || !work->rows) {
        demo_row_work_free(work);
        return NULL;
    }
    float *next = work->rows, **single[] = {&work->z, &work->noise, &work->core, &work->cell_top, &work->flux, &work->ascent,
                                            &work->cloud, &work->humidity, &work->specific, &work->water, &work->slope_x, &work->slope_y};
    for (int f = 0; f < DEMO_BULK_COUNT; f++, next += grid->nx) work->bulk[f] = next;
    for (int f = 0; f < DEMO_FLAT_COUNT; f++, next += grid->nx) work->flat[f] = next;
    for (size_t f = 0; f < sizeof single / sizeof *single; f++, next += grid->nx) *single[f] = next;
    return work;
}

void demo_row_work_free(struct demo_row_work *work) {
    if (!work) return;
    free(work->mesh);
    free(work->rows);
    free(work);
}

// --- from the mesh to a row ----------------------------------------------------------------------------------------

static int mesh_at(float position, int count, float *fraction) {
    int at = (int)position;
    if (at > count - 2) at = count - 2;
    *fraction = position - (float)at;
    return at;
}

static void take_mesh_row(const struct demo_grid *grid, const struct demo_weather *weather, struct demo_row_work *work, int j) {
    float fy, fx;
    int jm = mesh_at((grid->y[j] - weather->y0) / weather->dy, weather->ny, &fy);
    size_t count = (size_t)DEMO_NZ * (size_t)weather->nx * DEMO_BULK_COUNT;
    const float *south = demo_weather_bulk(weather, jm, 0, 0), *north = demo_weather_bulk(weather, jm + 1, 0, 0);
    for (size_t n = 0; n < count; n++) work->mesh[n] = south[n] + fy * (north[n] - south[n]);
    for (int i = 0; i < work->nx; i++) {
        int im = mesh_at((grid->x[i] - weather->x0) / weather->dx, weather->nx, &fx);
        const float *a = demo_weather_flat(weather, jm, im), *b = demo_weather_flat(weather, jm + 1, im);
        for (int f = 0; f < DEMO_FLAT_COUNT; f++) {
            float lower = a[f] + fx * (a[f + DEMO_FLAT_COUNT] - a[f]), upper = b[f] + fx * (b[f + DEMO_FLAT_COUNT] - b[f]);
            work->flat[f][i] = lower + fy * (upper - lower);
        }
    }
}

static void take_level(const struct demo_grid *grid, const struct demo_weather *weather, struct demo_row_work *work, int j, int k) {
    const float *orography = grid->orography + (size_t)j * (size_t)grid->nx;
    size_t plane = (size_t)work->mesh_nx * DEMO_BULK_COUNT;
    for (int i = 0; i < work->nx; i++) {
        float fx, fz, z = grid->a[k] + grid->b[k] * orography[i], out[DEMO_BULK_COUNT];
        int im = mesh_at((grid->x[i] - weather->x0) / weather->dx, weather->nx, &fx);
        int m = mesh_at(sqrtf(z / (float)weather->top) * (DEMO_NZ - 1), DEMO_NZ, &fz);
        // z is quadratic in the mesh's level: make fz linear in z
        float z0 = square((float)m / (DEMO_NZ - 1)) * (float)weather->top, z1 = square((float)(m + 1) / (DEMO_NZ - 1)) * (float)weather->top;
        fz = (z - z0) / (z1 - z0);
        const float *a = work->mesh + (size_t)m * plane + (size_t)im * DEMO_BULK_COUNT, *b = a + plane;
        float w00 = (1 - fx) * (1 - fz), w10 = fx * (1 - fz), w01 = (1 - fx) * fz, w11 = fx * fz;
        for (int f = 0; f < DEMO_BULK_COUNT; f++)
            out[f] = w00 * a[f] + w10 * a[f + DEMO_BULK_COUNT] + w01 * b[f] + w11 * b[f + DEMO_BULK_COUNT];
        for (int f = 0; f < DEMO_BULK_COUNT; f++) work->bulk[f][i] = out[f];
        work->z[i] = z;
    }
}

static float grid_spacing(const struct demo_grid *grid) { return grid->nx > 1 ? grid->x[1] - grid->x[0] : 1000; }

static void take_noise(const struct demo_grid *grid, const struct demo_weather *weather, const struct demo_noise *noise,
                       struct demo_row_work *work, int j, int k) {
    float spacing = grid_spacing(grid), wavelength = 56, depth = 2600, height = 1;
    float hours = (float)weather->hours, x = grid->x[0] - 20 * hours, y = grid->y[j] - 25 * hours;  // drifts with the flow
    memset(work->noise, 0, sizeof(float) * (size_t)work->nx);
    for (int o = 0; o < OCTAVES && wavelength > 2.2f * spacing; o++, wavelength *= 0.5f, depth *= 0.65f, height *= 0.68f)
        demo_noise_add_row(noise, x / wavelength + 11.3f * (float)o, spacing / wavelength, y / wavelength + 7.7f * (float)o,
                           grid->a[k] / depth - 0.25f * hours * (float)(o + 1) + 3.9f * (float)o, height, work->nx, work->noise);
}

// --- showers -------------------------------------------------------------------------------------------------------

static float showers_at(const struct demo_weather *weather, float x, float y) {
    float fx, fy, px = (x - weather->x0) / weather->dx, py = (y - weather->y0) / weather->dy;
    if (px < 0 || py < 0 || px > (float)(weather->nx - 1) || py > (float)(weather->ny - 1)) return 0;
    int i = mesh_at(px, weather->nx, &fx), j = mesh_at(py, weather->ny, &fy);
    float south = demo_weather_flat(weather, j, i)[DEMO_SHOWERS] * (1 - fx) + demo_weather_flat(weather, j, i + 1)[DEMO_SHOWERS] * fx;
    float north = demo_weather_flat(weather, j + 1, i)[DEMO_SHOWERS] * (1 - fx) + demo_weather_flat(weather, j + 1, i + 1)[DEMO_SHOWERS] * fx;
    return south + fy * (north - south);
}

static const float drift_x = 38, drift_y = 33, life = 2.6f;  // km, km/h, km/h, h

// km between showers: wide enough that those a coarse grid can hold do not touch.
static float cell_lattice(const struct demo_grid *grid) { return fminf(fmaxf(24, 6.5f * grid_spacing(grid)), 400); }

// A shower is up to five turrets side by side, fewer where the grid is too coarse to hold them.
static int make_cell(struct demo_cell *cell, const struct demo_grid *grid, const struct demo_weather *weather, int cx, int cy) {
    float lattice = cell_lattice(grid);
    float hours = (float)weather->hours, phase = demo_noise_unit((uint32_t)cx, (uint32_t)cy, 1);
    float lives = hours / life + phase + 100;
    uint32_t turn = (uint32_t)lives, ux = (uint32_t)cx, uy = (uint32_t)cy;
    uint32_t seed = 32 * turn;
    if (demo_noise_hash(ux, uy, seed) % 4 == 0) seed += 7919u * (uint32_t)weather->run;  // a newer run moves a quarter of them
    float age = lives - (float)turn, size = square(demo_noise_unit(ux, uy, seed + 2));
    cell->x = lattice * ((float)cx + demo_noise_unit(ux, uy, seed + 3)) + drift_x * hours;
    cell->y = lattice * ((float)cy + demo_noise_unit(ux, uy, seed + 4)) + drift_y * hours;
    float favour = showers_at(weather, cell->x, cell->y) * (0.35f + 0.65f * demo_noise_unit(ux, uy, seed + 5));
    cell->strength = sqrtf(sinf(3.14159265f * age)) * ramp(0.12f, 0.5f, favour);
    cell->radius = fmaxf(3.2f + 6.0f * size, 1.9f * grid_spacing(grid));
    cell->top = 2300 + (1500 + 4200 * size) * cell->strength;
    if (cell->strength <= 0.15f) return 0;
    float turret = cell->radius * 0.62f;
    int count = 1;
    for (; count < 5 && turret > 1.3f * grid_spacing(grid); count++) {
        uint32_t one = seed + 5 + 2 * (uint32_t)count;
        float away = cell->radius * (0.4f + 0.5f * demo_noise_unit(uy, ux, one)), angle = 6.2831853f * demo_noise_unit(ux, uy, one);
        float share = 0.6f + 0.4f * demo_noise_unit(uy, ux, one + 1);
        cell[count] = (struct demo_cell){cell->x + away * cosf(angle), cell->y + away * sinf(angle), turret * (0.7f + 0.5f * share),
                                         cell->top * share, cell->strength * (0.8f + 0.2f * share)};
    }
    if (count > 1) cell->radius = turret * 1.1f;
    return count;
}

void demo_cells_place(struct demo_cells *cells, const struct demo_grid *grid, const struct demo_weather *weather) {
    float hours = (float)weather->hours, lattice = cell_lattice(grid);
    double half_width, half_height;
    demo_grid_extent(&half_width, &half_height);
    int x0 = (int)floorf((-(float)half_width - drift_x * hours) / lattice) - 1, x1 = x0 + (int)(2 * half_width / lattice) + 4;
    int y0 = (int)floorf((-(float)half_height - drift_y * hours) / lattice) - 1, y1 = y0 + (int)(2 * half_height / lattice) + 4;
    cells->count = 0;
    for (int cy = y0; cy <= y1; cy++)
        for (int cx = x0; cx <= x1 && cells->count < DEMO_MAX_CELLS - 5; cx++)
            cells->count += make_cell(&cells->cell[cells->count], grid, weather, cx, cy);
}

static void take_cells(const struct demo_grid *grid, const struct demo_cells *cells, struct demo_row_work *work, int j) {
    float spacing = grid_spacing(grid);
    memset(work->core, 0, sizeof(float) * (size_t)work->nx);
    for (int i = 0; i < work->nx; i++) work->cell_top[i] = 2000;
    for (int c = 0; c < cells->count; c++) {
        const struct demo_cell *cell = &cells->cell[c];
        float dy2 = square(grid->y[j] - cell->y), reach = 2.2f * cell->radius;
        if (dy2 > reach * reach) continue;
        int from = (int)ceilf((cell->x - reach - grid->x[0]) / spacing), to = (int)floorf((cell->x + reach - grid->x[0]) / spacing);
        for (int i = from < 0 ? 0 : from; i <= to && i < work->nx; i++) {
            float core = cell->strength * expf(-(dy2 + square(grid->x[i] - cell->x)) / square(cell->radius));
            if (core <= work->core[i]) continue;
            work->core[i] = core;
            work->cell_top[i] = cell->top;
        }
    }
}

// A shower's cloud: a tower from 700 m to its top, wider at the anvil, ragged by noise.
static float shower_moisture(float core, float top, float z, float noise) {
    float s = z / top, threshold = 0.5f - 0.3f * ramp(0.72f, 0.95f, s) + 0.12f * ramp(0.3f, 0.0f, s);
    float body = ramp(threshold - 0.16f, threshold + 0.22f, core + 0.16f * noise);
    return 1.25f * body * ramp(550, 850, z) * ramp(1.08f, 0.92f, s);
}

// A thin sheet under the inversion, broken into cells by noise.
static float sheet_moisture(float sheet, float top, float z, float noise) {
    return sheet * (0.95f + 0.55f * noise) * ramp(top - 620, top - 330, z) * ramp(top + 150, top - 50, z);
}

// --- diagnosis -----------------------------------------------------------------------------------------------------

// Over water, hPa times 100: Bolton 1980, Mon. Wea. Rev. 108, eq. 10; as a mass fraction with 0.622 the ratio of gas constants.
static float saturation(float t, float pressure) {
    float c = t - 273.15f, vapour = 611.2f * expf(17.67f * c / (c + 243.5f));
    return 0.622f * vapour / fmaxf(pressure - 0.378f * vapour, vapour);
}

// Sundqvist et al. 1989, Mon. Wea. Rev. 117: cloud fraction from relative humidity, critical humidity 0.8.
static float cloud_fraction(float humidity) {
    float clear = (1 - humidity) / (1 - 0.8f);
    return clear > 0.996f ? 0 : clear <= 0 ? 1 : 1 - sqrtf(clear);  // less than what is stored as 0 is none
}

static void diagnose_moisture(const struct demo_grid *grid, struct demo_row_work *work, int j) {
    const float *orography = grid->orography + (size_t)j * (size_t)grid->nx;
    for (int i = 0; i < work->nx; i++) {
        float z = work->z[i], noise = work->noise[i], above = z - orography[i];
        float uphill = work->bulk[DEMO_U][i] * work->slope_x[i] + work->bulk[DEMO_V][i] * work->slope_y[i];
        float hill = expf(-above / 1800);
        float moist = work->bulk[DEMO_MOIST][i] + work->bulk[DEMO_ROUGH][i] * noise;
        float shower = shower_moisture(work->core[i], work->cell_top[i], z, noise);
        float sheet = sheet_moisture(work->flat[DEMO_SHEET][i], work->flat[DEMO_SHEET_Z][i], z, noise);
        moist = fmaxf(moist, fmaxf(shower, sheet)) + hill * 0.35f * fmaxf(-0.6f, fminf(uphill * 2, 1));
        float base = work->bulk[DEMO_BASE][i], humidity = base + (1.03f - base) * ramp(0.1f, 1.0f, moist) + 0.02f * noise;
        work->humidity[i] = humidity < 0.01f ? 0.01f : humidity > 1 ? 1 : humidity;
        work->cloud[i] = cloud_fraction(work->humidity[i]);
        float up = work->core[i] * 7 * ramp(0.25f, 0.8f, work->core[i]) * ramp(0, 0.5f, z / work->cell_top[i]) * ramp(1.1f, 0.6f, z / work->cell_top[i]);
        float down = -0.35f * work->core[i] * ramp(0.3f, 0.05f, work->core[i]) * ramp(1.1f, 0.6f, z / work->cell_top[i]);
        work->ascent[i] = work->bulk[DEMO_W][i] * (1 + 0.5f * noise) + up + down + hill * uphill;
    }
}

// Condensed water as a share of what saturated air could hold (a mixed adiabatic parcel gives about a tenth), and rain by
// Kessler's autoconversion (1969): 0.001 s-1 of what exceeds a threshold; evaporation in dry air below; fall speed 6 m/s.
static void diagnose_water(const struct demo_grid *grid, struct demo_row_work *work, int j, int k) {
    const float *orography = grid->orography + (size_t)j * (size_t)grid->nx;
    int up = k + 1 < grid->nk ? k + 1 : k;
    for (int i = 0; i < work->nx; i++) {
        float t = work->bulk[DEMO_T][i], pressure = expf(work->bulk[DEMO_LNP][i]), density = pressure / (287.05f * t);
        float holds = saturation(t, pressure), share = 0.075f + 0.16f * work->core[i];
        float condensed = holds * share * work->cloud[i] * (0.3f + 0.7f * work->cloud[i]);
        float thick = grid->a[up] - grid->a[k] + (grid->b[up] - grid->b[k]) * orography[i];
        float made = 0.001f * fmaxf(condensed - 2.2e-4f, 0) * density * thick;
        float kept = expf(-fmaxf(0.9f - work->humidity[i], 0) * thick / 900);
        float flux = (work->flux[i] + made) * kept, melted = ramp(270.5f, 275.5f, t + 12 * ramp(0.2f, 0.5f, work->core[i]));
        work->specific[i] = holds * work->humidity[i];
        work->water[i] = condensed * ramp(236, 269, t);
        work->flux[i] = flux;
        work->noise[i] = melted * flux / (6 * density);  // the row of noise has been used: it becomes rain
    }
}

static void store(float *to, const float *from, int n, float quantum) {
    const float magic = 12582912;  // 1.5 · 2^23: adding and subtracting it rounds to the nearest integer
    float inverse = 1 / quantum;
    for (int i = 0; i < n; i++) to[i] = ((from[i] * inverse + magic) - magic) * quantum;
}

// Friction turns the wind towards the low and slows it within the lowest km, more over land (Ekman's spiral, simplified);
// by day the sun warms the air over land by up to 3 K under a clear sky's boundary layer.
static void add_surface(const struct demo_grid *grid, const struct demo_weather *weather, struct demo_row_work *work, int j) {
    size_t row = (size_t)j * (size_t)grid->nx;
    float day = sinf(6.2831853f * (float)(weather->hours - 9) / 24);  // highest at 15 UTC
    for (int i = 0; i < work->nx; i++) {
        float land = grid->land_fraction[row + (size_t)i], above = work->z[i] - grid->orography[row + (size_t)i];
        float near = expf(-above / 420), slow = 1 - (0.2f + 0.3f * land) * near, turn = (0.2f + 0.26f * land) * near;
        float gust = slow * (1 + 0.035f * work->noise[i]), u = work->bulk[DEMO_U][i], v = work->bulk[DEMO_V][i];
        float c = 1 - 0.5f * turn * turn, s = turn;
        work->bulk[DEMO_T][i] += land * (0.4f + 2.2f * day) * expf(-above / 600) + 0.25f * work->noise[i];
        work->bulk[DEMO_U][i] = gust * (c * u - s * v);
        work->bulk[DEMO_V][i] = gust * (s * u + c * v);
    }
}

static void take_slopes(const struct demo_grid *grid, struct demo_row_work *work, int j) {
    size_t nx = (size_t)grid->nx;
    int south = j > 0 ? j - 1 : j, north = j + 1 < grid->ny ? j + 1 : j;
    const float *here = grid->orography + (size_t)j * nx, *below = grid->orography + (size_t)south * nx, *beyond = grid->orography + (size_t)north * nx;
    for (int i = 0; i < work->nx; i++) {
        int west = i > 0 ? i - 1 : i, east = i + 1 < grid->nx ? i + 1 : i;
        work->slope_x[i] = east > west ? (here[east] - here[west]) / (1000 * (grid->x[east] - grid->x[west])) : 0;
        work->slope_y[i] = north > south ? (beyond[i] - below[i]) / (1000 * (grid->y[north] - grid->y[south])) : 0;
    }
}

static void store_level(const struct demo_grid *grid, const struct demo_row_work *work, int j, int k, const struct demo_fields *fields) {
    const float *from[DEMO_VARIABLE_COUNT] = {
        [DEMO_CLOUD] = work->cloud, [DEMO_LIQUID] = work->water, [DEMO_RAIN] = work->noise, [DEMO_TEMPERATURE] = work->bulk[DEMO_T],
        [DEMO_HUMIDITY] = work->humidity, [DEMO_SPECIFIC_HUMIDITY] = work->specific, [DEMO_X_WIND] = work->bulk[DEMO_U],
        [DEMO_Y_WIND] = work->bulk[DEMO_V], [DEMO_UPWARD] = work->ascent};
    size_t at = ((size_t)k * (size_t)grid->ny + (size_t)j) * (size_t)grid->nx;
    for (int v = 0; v < DEMO_VARIABLE_COUNT; v++)
        if (from[v] && fields->of[v]) store(fields->of[v] + at, from[v], grid->nx, demo_variables[v].quantum);
}

void demo_columns_fill_row(const struct demo_grid *grid, const struct demo_weather *weather, const struct demo_cells *cells,
                           const struct demo_noise *noise, struct demo_row_work *work, int j, const struct demo_fields *fields) {
    bool water = fields->of[DEMO_LIQUID] || fields->of[DEMO_RAIN] || fields->of[DEMO_SPECIFIC_HUMIDITY] || fields->of[DEMO_RAIN_FLUX];
    size_t at = (size_t)j * (size_t)grid->nx;
    take_mesh_row(grid, weather, work, j);
    take_cells(grid, cells, work, j);
    take_slopes(grid, work, j);
    memset(work->flux, 0, sizeof(float) * (size_t)work->nx);
    for (int k = grid->nk - 1; k >= 0; k--) {
        take_level(grid, weather, work, j, k);
        take_noise(grid, weather, noise, work, j, k);
        diagnose_moisture(grid, work, j);
        add_surface(grid, weather, work, j);
        if (water) diagnose_water(grid, work, j, k);
        for (int i = 0; i < work->nx; i++) work->humidity[i] *= 100;
        store_level(grid, work, j, k, fields);
    }
    if (fields->of[DEMO_PRESSURE])
        store(fields->of[DEMO_PRESSURE] + at, work->flat[DEMO_PMSL], grid->nx, demo_variables[DEMO_PRESSURE].quantum);
    if (fields->of[DEMO_RAIN_FLUX]) {
        for (int i = 0; i < work->nx; i++) work->flux[i] *= ramp(270.5f, 275.5f, work->bulk[DEMO_T][i]);
        store(fields->of[DEMO_RAIN_FLUX] + at, work->flux, grid->nx, demo_variables[DEMO_RAIN_FLUX].quantum);
    }
}
