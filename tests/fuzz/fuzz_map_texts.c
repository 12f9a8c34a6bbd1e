// SPDX-License-Identifier: Apache-2.0
// Texts that stand in addresses of maps: the first byte chooses a surface ('l'), a style ('s'), a reference system ('c'), well-known text ('w'), times ('t') or heights ('z') of
// EDR. A surface or style that was taken writes one text of itself that is taken again and stays the same; of all, numbers are within their bounds.
#include "tests/fuzz/fuzz.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "render/map_style.h"
#include "server/ogc_query.h"
#include "server/ogc_wkt.h"
#include "tile/map_crs.h"
#include "tile/surface.h"
#include "tile/tile_matrix.h"

enum { PLACES = 50 };

static void expect(bool good) {
    if (!good) abort();
}

static void surface(const char *text) {
    struct failure failure = {0};
    struct surface first, again;
    char written[SURFACE_TEXT], rewritten[SURFACE_TEXT], title[SURFACE_TITLE];
    if (surface_parse(text, &first, &failure)) {
        expect(failure.message[0]);
        return;
    }
    expect((unsigned)first.kind < SURFACE_KINDS && !isinf(first.value));
    surface_write(&first, written);
    expect(!surface_parse(written, &again, &failure));
    surface_write(&again, rewritten);
    expect(!strcmp(written, rewritten) && again.kind == first.kind);
    surface_title(&first, title);
    expect(strlen(title) < sizeof title);
}

static void style(const char *text) {
    struct failure failure = {0};
    struct map_style first, again;
    char written[MAP_STYLE_TEXT], rewritten[MAP_STYLE_TEXT];
    if (map_style_parse(text, &first, &failure)) {
        expect(failure.message[0]);
        return;
    }
    expect(first.bands <= MAP_STYLE_BANDS_MAX && first.opacity >= 0 && first.opacity <= 1);
    expect(first.range_kind != MAP_RANGE_SAID || (isfinite(first.range[0]) && isfinite(first.range[1]) && first.range[0] < first.range[1]));
    map_style_write(&first, written);
    expect(!map_style_parse(written, &again, &failure));
    map_style_write(&again, rewritten);
    expect(!strcmp(written, rewritten));
}

static void system_of(const char *text) {
    const struct map_crs *crs = map_crs_find(text);
    double box[4];
    if (!crs) return;
    expect(map_crs_find(map_crs_name(crs)) == crs);
    map_crs_range(crs, box);
    expect(box[0] < box[2] && box[1] < box[3]);
    (void)tile_matrix_find(text);
}

static void geometry(const char *text) {
    struct failure failure = {0};
    struct ogc_wkt wkt;
    if (!ogc_wkt_parse(text, PLACES, &wkt, &failure)) {
        expect(wkt.count >= (wkt.kind == OGC_WKT_LINESTRING ? 2 : 1) && wkt.count <= PLACES);
        for (size_t n = 0; n < wkt.count; n++) {
            expect(isfinite(wkt.places[n].x) && isfinite(wkt.places[n].y));
            expect(isfinite(wkt.places[n].z) == wkt.has_z && isfinite(wkt.places[n].m) == wkt.has_m);
        }
    } else
        expect(failure.message[0]);
    ogc_wkt_destroy(&wkt);
}

static void times(const char *text) {
    struct failure failure = {0};
    struct ogc_datetime datetime;
    if (!ogc_datetime_parse(text, &datetime, &failure)) expect(memchr(datetime.from, 0, OGC_TIME_TEXT) && memchr(datetime.to, 0, OGC_TIME_TEXT));
}

static void heights(const char *text) {
    struct failure failure = {0};
    struct ogc_heights found;
    if (ogc_heights_parse(text, &found, &failure)) return;
    size_t count = found.kind == OGC_HEIGHTS_RANGE ? 2 : found.kind == OGC_HEIGHTS_LIST ? found.count : 0;
    expect(count <= OGC_HEIGHTS);
    for (size_t n = 0; n < count; n++) expect(isfinite(found.values[n]));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    if (!size) return 0;
    char *text = calloc(1, size);
    if (!text) return 0;
    memcpy(text, bytes + 1, size - 1);
    switch (bytes[0]) {
        case 'l': surface(text); break;
        case 's': style(text); break;
        case 'c': system_of(text); break;
        case 'w': geometry(text); break;
        case 't': times(text); break;
        case 'z': heights(text); break;
        default: break;
    }
    free(text);
    return 0;
}
