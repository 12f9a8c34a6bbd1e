// SPDX-License-Identifier: Apache-2.0
#include "render/map_colours.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "render/colour_map.h"

static const uint8_t usual_ink[3] = {0x14, 0x1d, 0x29};

void map_colours_ink(const struct map_style *style, uint8_t rgb[3]) { memcpy(rgb, style->has_ink ? style->ink : usual_ink, 3); }

// --- the scale -----------------------------------------------------------------------------------------------------------------

// Values on maps are float: a range that is none there gets the least width that is one.
static void set_scale(const struct map_style *style, struct map_scale *scale) {
    const double most = 0.25 * (double)FLT_MAX;
    scale->low = (float)fmax(-most, fmin(most, style->range[0]));
    scale->high = (float)fmax(-most, fmin(most, style->range[1]));
    scale->log = style->log_scale;
    if (scale->log && !(scale->low >= FLT_MIN)) scale->low = FLT_MIN;
    if (!(scale->high > scale->low)) scale->high = nextafterf(scale->low, INFINITY);
    scale->bands = style->bands ? style->bands : MAP_SCALE_BANDS_MAX;
}

// --- the palette ---------------------------------------------------------------------------------------------------------------

static double alpha_at(const struct map_style *style, double value) {
    if (!style->alpha_count) return 1;
    const double (*p)[2] = style->alpha;
    if (!(value > p[0][0])) return p[0][1];
    for (size_t n = 1; n < style->alpha_count; n++) {
        if (value > p[n][0]) continue;
        const double span = p[n][0] - p[n - 1][0];
        return span > 0 ? p[n - 1][1] + (value - p[n - 1][0]) / span * (p[n][1] - p[n - 1][1]) : p[n][1];
    }
    return p[style->alpha_count - 1][1];
}

static uint8_t byte(double value) { return (uint8_t)lround(fmax(0, fmin(255, value))); }

static void set_entry(uint8_t entry[4], const double rgb[3], double alpha) {
    for (int c = 0; c < 3; c++) entry[c] = byte(rgb[c]);
    entry[3] = byte(255 * alpha);
}

static void set_band(const struct map_style *style, const struct colour_map *map, struct map_colours *colours, unsigned band) {
    const unsigned bands = colours->scale.bands;
    double share = bands > 1 ? (double)band / (bands - 1) : 0.5, rgb[3];
    uint8_t ink[3];
    map_colours_ink(style, ink);
    if (map) colour_map_at(map, style->inverted ? 1 - share : share, rgb);
    else for (int c = 0; c < 3; c++) rgb[c] = ink[c];
    set_entry(colours->palette[MAP_SCALE_FIRST + band], rgb, style->opacity * alpha_at(style, map_scale_middle(&colours->scale, band)));
}

static void set_beyond(const struct map_style *style, const struct map_beyond *beyond, const uint8_t end[4], uint8_t entry[4]) {
    const double rgb[3] = {beyond->rgb[0], beyond->rgb[1], beyond->rgb[2]};
    if (beyond->kind == MAP_EXTEND) memcpy(entry, end, 4);
    if (beyond->kind == MAP_COLOUR) set_entry(entry, rgb, style->opacity);
}

void map_colours_make(const struct map_style *style, struct map_colours *colours) {
    *colours = (struct map_colours){0};
    set_scale(style, &colours->scale);
    const struct colour_map *map = *style->colour_map ? colour_map_find(style->colour_map) : NULL;
    const unsigned bands = colours->scale.bands;
    for (unsigned band = 0; band < bands; band++) set_band(style, map, colours, band);
    set_beyond(style, &style->below, colours->palette[MAP_SCALE_FIRST], colours->palette[MAP_SCALE_BELOW]);
    set_beyond(style, &style->above, colours->palette[MAP_SCALE_FIRST + bands - 1], colours->palette[MAP_SCALE_FIRST + bands]);
}

const uint8_t *map_colours_at(const struct map_colours *colours, double value) {
    const float one = (float)value;
    uint8_t index;
    map_scale_indices(&colours->scale, &one, 1, &index);
    return colours->palette[index];
}
