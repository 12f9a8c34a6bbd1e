// SPDX-License-Identifier: Apache-2.0
// Parameters of OGC API: the first byte chooses heights, a time, a box, a system or a format. What was taken is within its bounds.
#include "tests/fuzz/fuzz.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/ogc_query.h"

static void try_heights(const char *text) {
    struct ogc_heights h;
    if (ogc_heights_parse(text, &h, NULL)) return;
    if (h.count > OGC_HEIGHTS || (h.kind == OGC_HEIGHTS_LIST) != (h.count > 0)) abort();
    const size_t values = h.kind == OGC_HEIGHTS_RANGE ? 2 : h.count;
    for (size_t n = 0; n < values; n++)
        if (!isfinite(h.values[n])) abort();
    if (h.kind == OGC_HEIGHTS_RANGE && !(h.values[0] <= h.values[1])) abort();
}

static void try_time(const char *text) {
    static const char *const calendars[] = {"standard", "360_day", "noleap"};
    struct ogc_datetime datetime;
    if (ogc_datetime_parse(text, &datetime, NULL)) return;
    if (!memchr(datetime.from, 0, OGC_TIME_TEXT) || !memchr(datetime.to, 0, OGC_TIME_TEXT)) abort();
    for (size_t n = 0; n < sizeof calendars / sizeof *calendars; n++) {
        double from, to;
        if (!ogc_datetime_range(&datetime, calendars[n], &from, &to, NULL) && (isnan(from) || isnan(to))) abort();
    }
}

static void try_box(const char *text) {
    const double globe[4] = {-180, -90, 180, 90};
    double box[4];
    bool said;
    if (ogc_box_parse(text, &said, box, NULL) || !said) return;
    if (!(box[1] >= -90 && box[1] <= box[3] && box[3] <= 90) || !ogc_boxes_meet(box, globe) || !ogc_boxes_meet(globe, box)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    if (!size) return 0;
    char *text = fuzz_text(bytes + 1, size - 1);
    if (!text) return 0;
    switch (bytes[0]) {
        case 'z': try_heights(text); break;
        case 't': try_time(text); break;
        case 'b': try_box(text); break;
        case 'c': ogc_crs_check(text, NULL); break;
        default: ogc_format_check(text, "CoverageJSON covjson json", NULL);
    }
    free(text);
    return 0;
}
