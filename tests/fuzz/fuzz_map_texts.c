// SPDX-License-Identifier: Apache-2.0
// Texts that stand in addresses of maps: the first byte chooses a surface ('l'), a style ('s') or a reference system ('c'). A surface or style that was taken writes one text
// of itself that is taken again and stays the same; of all, numbers are within their bounds.
#include "tests/fuzz/fuzz.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "render/map_style.h"
#include "tile/map_crs.h"
#include "tile/surface.h"
#include "tile/tile_matrix.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    if (!size) return 0;
    char *text = fuzz_text(bytes + 1, size - 1);
    if (!text) return 0;
    switch (bytes[0]) {
        case 'l': surface(text); break;
        case 's': style(text); break;
        case 'c': system_of(text); break;
        default: break;
    }
    free(text);
    return 0;
}
