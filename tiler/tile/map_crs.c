// SPDX-License-Identifier: Apache-2.0
#include "tile/map_crs.h"

#include <math.h>
#include <proj.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define METRES_PER_DEGREE (MAP_CRS_HALF_TURN / 180)

enum crs_kind { CRS_LONLAT, CRS_WEB_MERCATOR, CRS_MERCATOR, CRS_PROJECTED, CRS_OWN };

struct map_crs {
    const char *name, *uri, *proj;
    enum crs_kind kind;
    bool north_first;
    double range[4];
    struct grid *grid;     // of CRS_OWN
    atomic_int more;       // references besides the first, of CRS_OWN
    pthread_mutex_t lock;
    PJ_CONTEXT *context;   // guarded by lock, with pj: made when first used
    PJ *pj;
};

#define EPSG(code) "http://www.opengis.net/def/crs/EPSG/0/" #code
#define POLAR_RANGE {-4194304, -4194304, 4194304, 4194304}
#define UPS_RANGE {-2194304, -2194304, 6194304, 6194304}
#define LOCK .lock = PTHREAD_MUTEX_INITIALIZER

static struct map_crs table[] = {
    // WGS 84 longitude, latitude
    {"CRS:84", "http://www.opengis.net/def/crs/OGC/1.3/CRS84", "+proj=longlat +datum=WGS84 +no_defs", CRS_LONLAT, false,
     {-180, -90, 180, 90}, LOCK},
    // WGS 84 latitude, longitude
    {"EPSG:4326", EPSG(4326), "+proj=longlat +datum=WGS84 +no_defs", CRS_LONLAT, true, {-180, -90, 180, 90}, LOCK},
    // WGS 84 / Pseudo-Mercator
    {"EPSG:3857", EPSG(3857), "+proj=webmerc +datum=WGS84 +units=m +no_defs", CRS_WEB_MERCATOR, false,
     {-MAP_CRS_HALF_TURN, -MAP_CRS_HALF_TURN, MAP_CRS_HALF_TURN, MAP_CRS_HALF_TURN}, LOCK},
    // WGS 84 / World Mercator
    {"EPSG:3395", EPSG(3395), "+proj=merc +lon_0=0 +k=1 +x_0=0 +y_0=0 +datum=WGS84 +units=m +no_defs", CRS_MERCATOR, false,
     {-MAP_CRS_HALF_TURN, -15496570.74, MAP_CRS_HALF_TURN, 18764656.23}, LOCK},
    // WGS 84 / NSIDC Sea Ice Polar Stereographic North
    {"EPSG:3413", EPSG(3413),
     "+proj=stere +lat_0=90 +lat_ts=70 +lon_0=-45 +x_0=0 +y_0=0 +datum=WGS84 +units=m +no_defs", CRS_PROJECTED, false, POLAR_RANGE, LOCK},
    // WGS 84 / Arctic Polar Stereographic
    {"EPSG:3995", EPSG(3995),
     "+proj=stere +lat_0=90 +lat_ts=71 +lon_0=0 +x_0=0 +y_0=0 +datum=WGS84 +units=m +no_defs", CRS_PROJECTED, false, POLAR_RANGE, LOCK},
    // WGS 84 / Antarctic Polar Stereographic
    {"EPSG:3031", EPSG(3031),
     "+proj=stere +lat_0=-90 +lat_ts=-71 +lon_0=0 +x_0=0 +y_0=0 +datum=WGS84 +units=m +no_defs", CRS_PROJECTED, false, POLAR_RANGE, LOCK},
    // WGS 84 / NSIDC Sea Ice Polar Stereographic South
    {"EPSG:3976", EPSG(3976),
     "+proj=stere +lat_0=-90 +lat_ts=-70 +lon_0=0 +x_0=0 +y_0=0 +datum=WGS84 +units=m +no_defs", CRS_PROJECTED, false, POLAR_RANGE, LOCK},
    // WGS 84 / UPS North (E,N)
    {"EPSG:5041", EPSG(5041),
     "+proj=stere +lat_0=90 +lon_0=0 +k=0.994 +x_0=2000000 +y_0=2000000 +datum=WGS84 +units=m +no_defs", CRS_PROJECTED, false, UPS_RANGE, LOCK},
    // WGS 84 / UPS South (E,N)
    {"EPSG:5042", EPSG(5042),
     "+proj=stere +lat_0=-90 +lon_0=0 +k=0.994 +x_0=2000000 +y_0=2000000 +datum=WGS84 +units=m +no_defs", CRS_PROJECTED, false, UPS_RANGE, LOCK},
    // WGS 84 / UPS North (N,E)
    {"EPSG:32661", EPSG(32661),
     "+proj=stere +lat_0=90 +lon_0=0 +k=0.994 +x_0=2000000 +y_0=2000000 +datum=WGS84 +units=m +no_defs", CRS_PROJECTED, true, UPS_RANGE, LOCK},
    // WGS 84 / UPS South (N,E)
    {"EPSG:32761", EPSG(32761),
     "+proj=stere +lat_0=-90 +lon_0=0 +k=0.994 +x_0=2000000 +y_0=2000000 +datum=WGS84 +units=m +no_defs", CRS_PROJECTED, true, UPS_RANGE, LOCK},
    // ETRS89-extended / LAEA Europe
    {"EPSG:3035", EPSG(3035), "+proj=laea +lat_0=52 +lon_0=10 +x_0=4321000 +y_0=3210000 +ellps=GRS80 +units=m +no_defs",
     CRS_PROJECTED, true, {900000, 900000, 7400000, 5500000}, LOCK},
};

enum { SYSTEMS = sizeof table / sizeof *table };

// The part of a name that the table has: "EPSG:" and the code behind the last separator of a URN or URI.
static bool same_code(const char *name, const char *authority, const char *wanted) {
    const char *code = strchr(wanted, ':') + 1;
    const char *last = strpbrk(name, "/:") ? name + strlen(name) : NULL;
    if (!last) return false;
    while (last > name && last[-1] != ':' && last[-1] != '/') last--;
    return strcasestr(name, authority) && strcasecmp(last, code) == 0;
}

static bool is_named(const struct map_crs *crs, const char *name) {
    if (strcasecmp(name, crs->name) == 0) return true;
    const bool uri = strncasecmp(name, "urn:ogc:def:crs:", 16) == 0 || strncasecmp(name, "http://www.opengis.net/def/crs/", 31) == 0 ||
                     strncasecmp(name, "https://www.opengis.net/def/crs/", 32) == 0;
    if (crs->name[0] == 'C') {
        if (strcasecmp(name, "OGC:CRS84") == 0) return true;
        return uri && (same_code(name, "OGC", "CRS:CRS84") || same_code(name, "OGC", "CRS:84"));
    }
    if (strcmp(crs->name, "EPSG:3857") == 0 && strcasecmp(name, "EPSG:900913") == 0) return true;
    return uri && same_code(name, "EPSG", crs->name);
}

const struct map_crs *map_crs_find(const char *name) {
    char bare[96];
    const size_t n = strlen(name);
    if (n < 1 || n >= sizeof bare) return NULL;
    const bool brackets = n > 2 && name[0] == '[' && name[n - 1] == ']';  // a CURIE, as OGC API has them
    memcpy(bare, name + brackets, n + 1 - (size_t)brackets);
    if (brackets) bare[n - 2] = 0;
    for (size_t i = 0; i < SYSTEMS; i++)
        if (is_named(&table[i], bare)) return &table[i];
    return NULL;
}

const struct map_crs *map_crs_at(size_t index) { return index < SYSTEMS ? &table[index] : NULL; }

const struct map_crs *map_crs_own(const struct grid *grid) {
    struct map_crs *crs = calloc(1, sizeof *crs);
    if (!crs) return NULL;
    *crs = (struct map_crs){.name = MAP_CRS_OWN, .uri = "", .kind = CRS_OWN};
    crs->grid = grid_ref((struct grid *)(uintptr_t)grid);  // only its count of references changes
    crs->proj = crs->grid->proj;
    const struct grid_axis *axes[2] = {&grid->x, &grid->y};
    for (int a = 0; a < 2; a++) {
        const size_t n = axes[a]->n;
        const double *v = axes[a]->values;
        const double before = n > 1 ? 0.5 * (v[1] - v[0]) : 0.5, after = n > 1 ? 0.5 * (v[n - 1] - v[n - 2]) : 0.5;
        crs->range[a] = v[0] - before;
        crs->range[a + 2] = v[n - 1] + after;
    }
    if (grid->wraps) crs->range[2] = crs->range[0] + map_crs_period(crs);
    return crs;
}

const struct map_crs *map_crs_ref(const struct map_crs *crs) {
    if (crs->kind == CRS_OWN) atomic_fetch_add(&((struct map_crs *)(uintptr_t)crs)->more, 1);
    return crs;
}

void map_crs_unref(const struct map_crs *crs) {
    if (!crs || crs->kind != CRS_OWN) return;
    struct map_crs *own = (struct map_crs *)(uintptr_t)crs;
    if (atomic_fetch_sub(&own->more, 1) > 0) return;
    grid_free(own->grid);
    free(own);
}

const char *map_crs_name(const struct map_crs *crs) { return crs->name; }
const char *map_crs_uri(const struct map_crs *crs) { return crs->uri; }
bool map_crs_north_first(const struct map_crs *crs) { return crs->north_first; }
const struct grid *map_crs_grid(const struct map_crs *crs) { return crs->grid; }

bool map_crs_degrees(const struct map_crs *crs) {
    return crs->kind == CRS_LONLAT || (crs->kind == CRS_OWN && crs->grid->angular && !grid_is_curvilinear(crs->grid));
}

double map_crs_metres_per_unit(const struct map_crs *crs) { return map_crs_degrees(crs) ? METRES_PER_DEGREE : 1; }

double map_crs_period(const struct map_crs *crs) {
    switch (crs->kind) {
    case CRS_LONLAT: return 360;
    case CRS_WEB_MERCATOR:
    case CRS_MERCATOR: return 2 * MAP_CRS_HALF_TURN;
    case CRS_OWN: return !crs->grid->wraps ? 0 : grid_is_curvilinear(crs->grid) ? (double)crs->grid->x.n : 360;
    default: return 0;
    }
}

void map_crs_range(const struct map_crs *crs, double box[4]) { memcpy(box, crs->range, sizeof crs->range); }

static bool have_pj(struct map_crs *crs) {
    if (crs->pj) return true;
    if (!crs->context) crs->context = proj_context_create();
    if (!crs->context) return false;
    proj_log_level(crs->context, PJ_LOG_NONE);
    proj_context_set_enable_network(crs->context, 0);
    crs->pj = proj_create(crs->context, crs->proj);
    return crs->pj != NULL;
}

static int apply(const struct map_crs *shared, PJ_DIRECTION direction, double a, double b, double *c, double *d) {
    struct map_crs *crs = (struct map_crs *)(uintptr_t)shared;  // of the table, which is not const
    pthread_mutex_lock(&crs->lock);
    bool fine = have_pj(crs);
    if (fine) {
        proj_errno_reset(crs->pj);
        const PJ_COORD out = proj_trans(crs->pj, direction, proj_coord(a, b, 0, 0));
        fine = proj_errno(crs->pj) == 0 && isfinite(out.xy.x) && isfinite(out.xy.y) && fabs(out.xy.x) < 1e29;
        *c = out.xy.x;
        *d = out.xy.y;
    }
    pthread_mutex_unlock(&crs->lock);
    return fine ? VIRGA_OK : VIRGA_UNSUPPORTED;
}

int map_crs_to_lonlat(const struct map_crs *crs, double x, double y, double *lon, double *lat) {
    if (!(fabs(x) < 1e9) || !(fabs(y) < 1e9)) return VIRGA_UNSUPPORTED;
    int status = VIRGA_OK;
    switch (crs->kind) {
    case CRS_LONLAT: *lon = x, *lat = y; break;
    case CRS_WEB_MERCATOR:
        *lon = x / METRES_PER_DEGREE;
        *lat = atan(sinh(y * (M_PI / MAP_CRS_HALF_TURN))) * (180 / M_PI);
        break;
    case CRS_MERCATOR:
        status = apply(crs, PJ_INV, 0, y, lon, lat);
        *lon = x / METRES_PER_DEGREE;
        *lat *= 180 / M_PI;
        break;
    case CRS_PROJECTED:
        status = apply(crs, PJ_INV, x, y, lon, lat);
        *lon *= 180 / M_PI;
        *lat *= 180 / M_PI;
        break;
    case CRS_OWN: return grid_to_lonlat(crs->grid, x, y, lon, lat);
    }
    if (status || !(fabs(*lat) <= 90 + 1e-9)) return VIRGA_UNSUPPORTED;
    *lat = fmax(-90, fmin(90, *lat));
    *lon = remainder(*lon, 360);
    return VIRGA_OK;
}

int map_crs_from_lonlat(const struct map_crs *crs, double lon, double lat, double *x, double *y) {
    if (!(fabs(lon) < 1e6) || !(fabs(lat) <= 90)) return VIRGA_UNSUPPORTED;
    const double turned = remainder(lon, 360);
    switch (crs->kind) {
    case CRS_LONLAT: *x = turned, *y = lat; return VIRGA_OK;
    case CRS_WEB_MERCATOR:
        if (fabs(lat) > 89.999999) return VIRGA_UNSUPPORTED;
        *x = turned * METRES_PER_DEGREE;
        *y = asinh(tan(lat * (M_PI / 180))) * (MAP_CRS_HALF_TURN / M_PI);
        return VIRGA_OK;
    case CRS_MERCATOR:
        if (fabs(lat) > 89.999999 || apply(crs, PJ_FWD, 0, lat * (M_PI / 180), x, y)) return VIRGA_UNSUPPORTED;
        *x = turned * METRES_PER_DEGREE;
        return VIRGA_OK;
    case CRS_OWN: return grid_from_lonlat(crs->grid, lon, lat, x, y);
    default: return apply(crs, PJ_FWD, turned * (M_PI / 180), lat * (M_PI / 180), x, y);
    }
}
