// SPDX-License-Identifier: Apache-2.0
#include "server/wms_extent.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/map_times.h"
#include "server/xml_writer.h"

static char *end_of(FILE *out, char **text) {
    bool failed = ferror(out);
    failed |= fclose(out) != 0;
    if (!failed) return *text;
    free(*text);
    return *text = NULL;
}

static void write_times(FILE *out, const struct catalog_time *times, size_t count, size_t most) {
    struct map_interval interval;
    size_t at = 0;
    while (map_times_next(times, count, &at, &interval) && (size_t)ftell(out) <= most) {
        char period[MAP_TIMES_PERIOD];
        fprintf(out, "%s%s", interval.first ? "," : "", times[interval.first].iso);
        if (interval.count < 2) continue;
        map_times_period(interval.period, period);
        fprintf(out, "/%s/%s", times[interval.first + interval.count - 1].iso, period);
    }
}

char *wms_extent_times(const struct catalog_time *times, size_t count, size_t most) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out) return NULL;
    write_times(out, times, count, most);
    if (!end_of(out, &text) || count < 2 || size <= most) return text;
    free(text);
    return asprintf(&text, "%s/%s/0", times[0].iso, times[count - 1].iso) < 0 ? NULL : text;
}

static bool is_regular(const double *values, size_t count) {
    double step = count > 1 ? values[1] - values[0] : 0;
    for (size_t n = 2; n < count; n++)
        if (fabs(values[n] - values[n - 1] - step) > 1e-9 * fabs(step)) return false;
    return count > 3 && step > 0;  // fewer are shorter one by one
}

char *wms_extent_numbers(const double *values, size_t count) {
    char *text = NULL, a[XML_NUMBER], b[XML_NUMBER], c[XML_NUMBER];
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out) return NULL;
    if (is_regular(values, count))
        fprintf(out, "%s/%s/%s", xml_number_text(values[0], a), xml_number_text(values[count - 1], b), xml_number_text(values[1] - values[0], c));
    else
        for (size_t n = 0; n < count; n++) fprintf(out, "%s%s", n ? "," : "", xml_number_text(values[n], a));
    return end_of(out, &text);
}
