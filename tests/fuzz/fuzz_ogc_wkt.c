// SPDX-License-Identifier: Apache-2.0
// Geometries as text. What was taken is finite, and as much as it says; what was not is told why.
#include "tests/fuzz/fuzz.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/ogc_wkt.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    struct ogc_wkt wkt;
    struct failure failure = {0};
    char *text = fuzz_text(bytes, size);
    if (!text) return 0;
    int status = ogc_wkt_parse(text, 50, &wkt, &failure);
    const size_t least = !status && wkt.kind == OGC_WKT_LINESTRING ? 2 : 1;
    if (status ? wkt.places != NULL || !failure.message[0] : wkt.count < least || wkt.count > 50) abort();
    for (size_t n = 0; n < wkt.count; n++) {
        const struct ogc_wkt_place *p = &wkt.places[n];
        if (!isfinite(p->x) || !isfinite(p->y) || !isfinite(p->z) != !wkt.has_z || !isfinite(p->m) != !wkt.has_m) abort();
    }
    ogc_wkt_destroy(&wkt);
    free(text);
    return 0;
}
