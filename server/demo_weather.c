// SPDX-License-Identifier: Apache-2.0
// Distances are km and heights m unless a name says otherwise. X and Y are positions relative to the low's centre.
#include "server/demo_weather.h"

#include <math.h>
#include <stdlib.h>

#include "server/demo_grid.h"

static const float gas = 287.05f, gravity = 9.80665f;  // dry air, J kg-1 K-1; m s-2

// The fronts of a mature cyclone at the start of occlusion (Bjerknes and Solberg 1922; Shapiro and Keyser 1990 for the
// bent-back branch): the boundary of the warm sector, from the cold front's far end through the triple point to the
// warm front's far end, and the occlusion that winds from the triple point around the low.
static const float warm_sector[][2] = {{-1100, -1900}, {-620, -1150}, {-400, -880}, {-190, -660}, {-20, -470}, {90, -310}, {140, -190},
                                       {158, -108}, {196, -78}, {262, -82}, {350, -116}, {460, -190}, {600, -310}, {800, -520}, {1100, -800}, {1900, -1900}};
enum { SECTOR_POINTS = sizeof warm_sector / sizeof *warm_sector, TRIPLE = 8 };
static const float occlusion[][2] = {{196, -78}, {158, -14}, {118, 48}, {70, 92}, {5, 112}, {-62, 100}, {-118, 62}, {-146, 0},
                                     {-138, -66}, {-98, -118}, {-36, -138}};
enum { OCCLUSION_POINTS = sizeof occlusion / sizeof *occlusion };

struct place {           // where a column lies in the cyclone
    float X, Y, r;       // from the low's centre
    float D;             // km to the warm sector's boundary, positive in the cold air
    float cold, warm;    // the same to the cold and to the warm front alone, at least as far as D
    float cold_side;     // 1 nearer the cold front, 0 nearer the warm front
    float along_cold, along_warm;  // km from the triple point along each
    float spiral, turn;  // km to the occlusion, and how far along it: 0 at the triple point, 1 at its end
    float outer;         // 1 outside the spiral (the comma head's back), 0 inside
    float wander;        // slow noise, about ±1
    float cluster;       // noise of about 100 km, ±1
};

static float square(float v) { return v * v; }
static float clamp01(float v) { return v < 0 ? 0 : v > 1 ? 1 : v; }
static float ramp(float from, float to, float v) {
    float t = clamp01((v - from) / (to - from));
    return t * t * (3 - 2 * t);
}
static float bell(float v) { return expf(-v * v); }

struct nearest {
    float d2, along;  // km², km from the line's first point
    float side;       // km to the left of the nearest segment's direction, less than 0 to the right
};

static struct nearest nearest_on(const float line[][2], int points, float x, float y) {
    struct nearest best = {1e12f, 0, 0};
    float length = 0;
    for (int p = 0; p + 1 < points; p++) {
        float dx = line[p + 1][0] - line[p][0], dy = line[p + 1][1] - line[p][1], l2 = dx * dx + dy * dy;
        float t = clamp01(((x - line[p][0]) * dx + (y - line[p][1]) * dy) / l2), l = sqrtf(l2);
        float d2 = square(line[p][0] + t * dx - x) + square(line[p][1] + t * dy - y);
        if (d2 < best.d2) {
            float side = dx * (y - line[p][1]) - dy * (x - line[p][0]);
            best = (struct nearest){d2, length + t * l, side / l};
        }
        length += l;
    }
    return best;
}

static float length_to(const float line[][2], int point) {
    float length = 0;
    for (int p = 0; p < point; p++) length += hypotf(line[p + 1][0] - line[p][0], line[p + 1][1] - line[p][1]);
    return length;
}

// −1 inside the warm sector. The sign of the nearest segment's side would flip at its corners; crossing parity does not.
static float sector_sign(float x, float y) {
    int crossings = 0;
    for (int p = 0, q = SECTOR_POINTS - 1; p < SECTOR_POINTS; q = p++) {
        const float *a = warm_sector[p], *b = warm_sector[q];
        if ((a[1] > y) != (b[1] > y) && x < a[0] + (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1])) crossings++;
    }
    return crossings & 1 ? -1 : 1;
}

static struct place locate(const struct demo_weather *weather, const struct demo_noise *noise, float x, float y) {
    struct place p = {.X = x - weather->low_x, .Y = y - weather->low_y};
    float age = (float)weather->hours;
    // Fronts are not smooth lines: displace the point before measuring.
    float bend_x = 30 * demo_noise_fractal(noise, p.X / 170 + 3, p.Y / 170, 0.05f * age, 4, 0.6f);
    float bend_y = 30 * demo_noise_fractal(noise, p.X / 170 + 40, p.Y / 170, 9 + 0.05f * age, 4, 0.6f);
    float X = p.X + bend_x, Y = p.Y + bend_y;
    p.r = hypotf(p.X, p.Y);
    struct nearest cold = nearest_on(warm_sector, TRIPLE + 1, X, Y), wound = nearest_on(occlusion, OCCLUSION_POINTS, X, Y);
    struct nearest warm = nearest_on(warm_sector + TRIPLE, SECTOR_POINTS - TRIPLE, X, Y);
    float sign = sector_sign(X, Y);
    p.cold = sign * sqrtf(cold.d2);
    p.warm = sign * sqrtf(warm.d2);
    p.D = fabsf(p.cold) < fabsf(p.warm) ? p.cold : p.warm;
    p.along_cold = length_to(warm_sector, TRIPLE) - cold.along;
    p.along_warm = warm.along;
    p.cold_side = ramp(0.32f, 0.68f, (fabsf(p.warm) + 25) / (fabsf(p.cold) + fabsf(p.warm) + 50));
    p.spiral = sqrtf(wound.d2);
    p.turn = wound.along / length_to(occlusion, OCCLUSION_POINTS - 1);
    p.outer = ramp(35, -35, wound.side);
    p.wander = 1.4f * demo_noise_fractal(noise, (x - 20 * age) / 210, (y - 24 * age) / 210, 4 + 0.04f * age, 3, 0.55f);
    p.cluster = 1.6f * demo_noise_fractal(noise, (x - 38 * age) / 95, (y - 33 * age) / 95, 14 + 0.2f * age, 2, 0.5f);
    return p;
}

// --- temperature ---------------------------------------------------------------------------------------------------

// Depth of the cold air under the frontal surface: slopes of about 1:70 (cold front) and 1:110 (warm front), within the
// range Margules' formula gives for such winds and contrasts.
static float cold_depth(const struct place *p) {
    if (p->D < 0) return 14 * p->D;
    float slope = p->cold_side * 15 + (1 - p->cold_side) * 9.5f;
    return slope * p->D * (1 - 0.25f * bell(p->D / 60));
}

static float tropopause(const struct place *p) {
    float warm = ramp(250, -120, p->D);
    return 9300 + 2200 * warm - 900 * bell(p->r / 330) + 120 * p->wander;
}

// The lapse of the standard atmosphere (6.5 K/km, ISO 2533) below a tropopause, above it soon 216 K everywhere, so that
// wind is strongest at the tropopause; the warm air
// is 8 K warmer near the ground and less aloft; the front between is about 1 km deep.
static float temperature(const struct place *p, float y, float z) {
    float depth = cold_depth(p), tropo = tropopause(p);
    float warm = ramp(-500, 700, z - depth);
    float contrast = 8.5f - 6.0f * clamp01(z / 9000);
    float surface = 279.5f - 0.0062f * y * (1 - 1.4f * ramp(8000, 14000, z)) - 1.2f * p->cold_side * ramp(100, 700, p->D);
    float core = 2.5f * bell(p->r / 120) * bell((z - 1500) / 2500);  // the secluded warm core of a mature low
    float below = surface + contrast * warm + core - 0.0065f * z;
    float edge = surface + contrast * warm - 0.0065f * tropo;
    float above = 216 + (edge - 216) * expf(-fmaxf(z - tropo, 0) / 2200);
    float blend = 600;  // m over which the tropopause is rounded: a smooth maximum
    float h = clamp01(0.5f + (above - below) / (2 * 0.0065f * blend));
    return below + (above - below) * h + 0.0065f * blend * h * (1 - h);
}

// --- pressure and wind ---------------------------------------------------------------------------------------------

// A low of 33 hPa with a bell-like profile, a westerly background and troughs along the fronts, Pa.
static float sea_level_pressure(const struct place *p, float y) {
    float low = -3300 / powf(1 + square(p->r / 250), 0.9f);
    float trough = -220 * bell(p->D / 70) * bell(p->r / 650) - 120 * bell(p->spiral / 60);
    float ridge = 350 * bell((p->X + 750) / 350) * bell((p->Y + 250) / 500);
    return 101600 - 0.9f * y + low + trough + ridge;
}

// Hydrostatic: d ln p / dz = −g / (R T), trapezoidal.
static void integrate_pressure(struct demo_weather *weather, int j, int i, float pmsl) {
    float lnp = logf(pmsl), z = 0, cold = 0;
    for (int m = 0; m < DEMO_NZ; m++) {
        float *at = demo_weather_bulk(weather, j, m, i), here = (float)(weather->top * square((float)m / (DEMO_NZ - 1)));
        float inverse = 1 / at[DEMO_T];
        if (m) lnp -= gravity / gas * 0.5f * (cold + inverse) * (here - z);
        at[DEMO_LNP] = lnp;
        cold = inverse, z = here;
    }
}

static float lnp_slope(const struct demo_weather *weather, int j0, int i0, int j1, int i1, int m, float km) {
    return (demo_weather_bulk(weather, j1, m, i1)[DEMO_LNP] - demo_weather_bulk(weather, j0, m, i0)[DEMO_LNP]) / (1000 * km);
}

// Geostrophic: f u = −R T ∂lnp/∂y, f v = R T ∂lnp/∂x. Round a low of radius r the gradient wind is slower:
// V = Vg · 2 / (1 + √(1 + 4 Vg / (f r))) (Holton, An Introduction to Dynamic Meteorology, 3.2). The curvature is taken as
// that of circles round the low near it, and as none far away.
static void balance_point(struct demo_weather *weather, float f, float x, float y, float z, float *at, float lnp_x, float lnp_y) {
    float u = -gas * at[DEMO_T] / f * lnp_y, v = gas * at[DEMO_T] / f * lnp_x;
    float X = x - weather->low_x, Y = y - weather->low_y, r = hypotf(X, Y) + 1;
    float speed = hypotf(u, v), cyclonic = clamp01((X * v - Y * u) / (r * speed + 1)) * bell(r / 600);
    float slower = 2 / (1 + sqrtf(1 + 4 * speed * cyclonic / (f * 1000 * (r + 60))));
    float calm = 1 - 0.65f * ramp(11500, 17500, z);  // drag of the stratosphere, which has little wind in spring
    float limit = 1 / sqrtf(sqrtf(1 + square(square(speed * slower / 62))));  // no jet above 62 m/s
    at[DEMO_U] = u * slower * limit * calm;
    at[DEMO_V] = v * slower * limit * calm;
}

void demo_weather_balance_row(struct demo_weather *weather, int j) {
    int south = j > 0 ? j - 1 : j, north = j + 1 < weather->ny ? j + 1 : j;
    float y = weather->y0 + weather->dy * (float)j;
    for (int i = 0; i < weather->nx; i++) {
        int west = i > 0 ? i - 1 : i, east = i + 1 < weather->nx ? i + 1 : i;
        float x = weather->x0 + weather->dx * (float)i;
        double lon, lat;
        demo_grid_to_true(x, y, &lon, &lat);
        float f = (float)(2 * 7.2921e-5 * sin(lat * 0.017453292519943295));
        for (int m = 0; m < DEMO_NZ; m++) {
            float lnp_x = lnp_slope(weather, j, west, j, east, m, weather->dx * (float)(east - west));
            float lnp_y = lnp_slope(weather, south, i, north, i, m, weather->dy * (float)(north - south));
            balance_point(weather, f, x, y, (float)(weather->top * square((float)m / (DEMO_NZ - 1))), demo_weather_bulk(weather, j, m, i), lnp_x, lnp_y);
        }
    }
}

// --- moisture and ascent -------------------------------------------------------------------------------------------

// Clear air: moist boundary layer, dry middle, drier still behind the cold front (the dry intrusion), very dry stratosphere.
static float clear_humidity(const struct place *p, float z, float tropo) {
    float middle = 0.42f - 0.22f * p->cold_side * ramp(40, 160, p->D) + 0.08f * p->wander;
    float h = middle + (0.78f - middle) * expf(-square(z / 1700));
    return h + (0.04f - h) * ramp(tropo - 600, tropo + 1800, z);
}

// The shield of the warm conveyor belt: deep at the warm front, thinner and higher ahead of it, fading some 450 km ahead.
static float warm_shield(const struct place *p, float z, float tropo) {
    float ahead = 1 - ramp(0.45f, 0.85f, p->cold_side), far = p->D / 440;
    if (p->D < -90 || far > 1) return 0;
    float base = fmaxf(cold_depth(p), 0) * 0.95f + 250 + 900 * ramp(0.35f, 1, far);
    float lid = fminf(tropo - 300, 8600) + 350 * p->wander - 500 * far;
    float strength = 1.25f * ramp(-90, 15, p->D) * (1 - square(far)) * bell(p->along_warm / 620);
    return ahead * strength * ramp(base - 350, base + 350, z) * ramp(lid + 500, lid - 700, z);
}

// The cold front's band: narrow and upright at the front (the line convection), with cloud sloping back above it.
static float cold_band(const struct place *p, float z, float tropo) {
    float fade = bell(p->along_cold / 800) * ramp(0.02f, 0.4f, p->cold_side);
    float lean = p->cold - z / 45;  // the band leans back over the cold air
    float core = bell((lean + 6) / 26) * ramp(tropo, tropo - 1800, z);
    float rear = bell((lean - 45) / 75) * ramp(900, 2200, z) * ramp(7600 + 500 * p->wander, 5600 + 500 * p->wander, z);
    float second = 0.75f * bell((lean - 175) / 30) * ramp(4200, 3000, z) * ramp(0, 0.8f, p->wander);
    return fade * fmaxf(fmaxf(1.2f * core, 1.22f * rear), second);
}

// The comma head: cloud wound round the low along the occlusion, widest at its back, lower and thinner towards its end.
static float comma_head(const struct place *p, float z, float tropo) {
    float width = 46 - 10 * p->turn + (114 - 65 * p->turn) * p->outer;
    float lid = (tropo - 700) * (1 - 0.5f * p->turn) + 300 * p->wander;
    float strength = ramp(-90, 10, p->D) * bell(p->spiral / width) * (1 - 0.4f * ramp(0.6f, 1, p->turn));
    return 1.4f * strength * ramp(lid + 700, lid - 900, z) * ramp(100, 600, z);
}

// Cirrus ahead of the shield and along the jet: streaks, never opaque.
static float cirrus(const struct place *p, const struct demo_noise *noise, float z, float tropo, float hours) {
    float ahead = (1 - p->cold_side) * ramp(240, 380, p->D) * ramp(760, 480, p->D);
    if (ahead <= 0) return 0;
    float s = (0.55f * p->X + 0.83f * p->Y) / 240, t = (0.83f * p->X - 0.55f * p->Y) / 46;  // streaks along the flow
    float streak = demo_noise_fractal(noise, s + 0.2f * hours, t, 0.8f * z / 1000, 3, 0.55f);
    return ahead * bell((z - (tropo - 1500)) / 700) * (0.58f + 0.5f * streak);
}

// Low cloud of the warm sector's moist air: a layer within the lowest 1200 m, in patches.
static float warm_stratus(const struct place *p, float z) {
    float inside = ramp(10, -70, p->D) * (0.42f + 0.5f * p->wander);
    return inside * ramp(150, 400, z) * ramp(1500, 900, z);
}

static void fill_point(float *at, const struct place *p, const struct demo_noise *noise, float y, float z, float hours) {
    float tropo = tropopause(p);
    float shield = warm_shield(p, z, tropo), band = cold_band(p, z, tropo), head = comma_head(p, z, tropo);
    float frontal = fminf(fmaxf(shield, fmaxf(band, head)), 1.2f);
    float swirl = 1.1f * expf(-p->r / 260), c = cosf(swirl), s = sinf(swirl);  // texture is wound up near the low
    float X = c * p->X + s * p->Y, Y = c * p->Y - s * p->X;
    float texture = demo_noise_fractal(noise, X / 105, Y / 105 + 0.08f * hours, z / 3200 - 0.05f * hours, 4, 0.6f);
    float slot = ramp(70, 150, p->D) * p->cold_side * ramp(520, 380, p->r) * (1 - bell(p->spiral / 95)) * ramp(1500, 2600, z);
    float moist = fmaxf(frontal, fmaxf(cirrus(p, noise, z, tropo, hours), warm_stratus(p, z)));
    at[DEMO_T] = temperature(p, y, z);
    at[DEMO_MOIST] = moist + (0.32f + 0.14f * band) * texture * ramp(0, 0.4f, moist) - 0.5f * slot;
    at[DEMO_ROUGH] = 0.36f * ramp(0.05f, 0.5f, moist);
    at[DEMO_BASE] = clear_humidity(p, z, tropo);
    float lift = 0.16f * shield + 0.55f * band * ramp(5000, 1500, z) + 0.12f * band + 0.14f * head;
    at[DEMO_W] = (lift * (1 + 0.8f * texture) - 0.012f - 0.05f * slot) * ramp(0, 900, z) * ramp(tropo + 800, tropo - 2500, z);
}

// Convection: behind the cold front, not in the dry slot close to the low's south; stratocumulus: far from fronts.
static void fill_flat(float *flat, const struct place *p, float pmsl) {
    float behind = ramp(0.5f, 0.8f, p->cold_side) * ramp(70, 180, p->D), near = bell(p->spiral / 90);
    flat[DEMO_PMSL] = pmsl;
    flat[DEMO_SHOWERS] = behind * (1 - near) * clamp01(0.62f + 0.3f * p->wander + 0.75f * p->cluster);
    float east = (1 - ramp(0.4f, 0.75f, p->cold_side)) * ramp(60, 200, p->D) * clamp01(0.78f + 0.5f * p->wander);
    float rear = p->cold_side * ramp(480, 760, p->D) * clamp01(0.4f + 0.8f * p->wander);
    flat[DEMO_SHEET] = fmaxf(east, rear);
    flat[DEMO_SHEET_Z] = 1150 + 350 * rear + 220 * p->wander;
}

void demo_weather_fill_row(struct demo_weather *weather, const struct demo_noise *noise, int j) {
    float y = weather->y0 + weather->dy * (float)j, hours = (float)weather->hours;
    for (int i = 0; i < weather->nx; i++) {
        struct place p = locate(weather, noise, weather->x0 + weather->dx * (float)i, y);
        float pmsl = sea_level_pressure(&p, y);
        for (int m = 0; m < DEMO_NZ; m++) {
            float z = (float)(weather->top * square((float)m / (DEMO_NZ - 1)));
            fill_point(demo_weather_bulk(weather, j, m, i), &p, noise, y, z, hours);
        }
        fill_flat(demo_weather_flat(weather, j, i), &p, pmsl);
        integrate_pressure(weather, j, i, pmsl);
    }
}

// --- the whole -----------------------------------------------------------------------------------------------------

struct demo_weather *demo_weather_new(int columns, double top) {
    double half_width, half_height;
    demo_grid_extent(&half_width, &half_height);
    struct demo_weather *weather = calloc(1, sizeof *weather);
    if (!weather) return NULL;
    double spacing = 2 * half_width / columns * 1.5;
    if (spacing < 10) spacing = 10;
    if (spacing > 60) spacing = 60;
    weather->nx = (int)ceil(2 * half_width / spacing) + 3;
    weather->ny = (int)ceil(2 * half_height / spacing) + 3;
    weather->dx = weather->dy = (float)spacing;
    weather->x0 = (float)(-half_width - spacing), weather->y0 = (float)(-half_height - spacing);
    weather->top = top;
    size_t points = (size_t)weather->nx * (size_t)weather->ny;
    weather->bulk = malloc(points * DEMO_NZ * DEMO_BULK_COUNT * sizeof(float));
    weather->flat = malloc(points * DEMO_FLAT_COUNT * sizeof(float));
    if (weather->bulk && weather->flat) return weather;
    demo_weather_free(weather);
    return NULL;
}

void demo_weather_free(struct demo_weather *weather) {
    if (!weather) return;
    free(weather->bulk);
    free(weather->flat);
    free(weather);
}

// The low moves north-east at 8 m/s. A newer run has it a little further south-east, and the runs part as they go on.
void demo_weather_begin(struct demo_weather *weather, double hours, int run, double lead_hours) {
    float part = (float)run * (6 + 0.8f * (float)lead_hours);
    weather->hours = hours;
    weather->run = run;
    weather->low_x = -140 + 15.8f * (float)(hours - 12) + part;
    weather->low_y = 60 + 24.1f * (float)(hours - 12) - 0.6f * part;
}
