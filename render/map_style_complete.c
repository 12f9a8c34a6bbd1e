// SPDX-License-Identifier: Apache-2.0
// What a style leaves open: taken from the variable's preset, so that page, maps and exports look alike.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "field/cf_units.h"
#include "render/colour_map.h"
#include "render/map_style.h"
#include "render/presets.h"

enum { LINES_WANTED = 12, ROUND_STEPS = 20 };

// --- distances of contours ---------------------------------------------------------------------------------------------------

// Distances that charts of these quantities usually have.
static const struct usual { const char *standard_name, *units; double interval; } usual[] = {
    {"air_pressure_at_mean_sea_level", "hPa", 4},
    {"air_pressure_at_sea_level", "hPa", 4},
    {"surface_air_pressure", "hPa", 20},
    {"geopotential_height", "m", 60},
    {"geopotential", "m2 s-2", 588.399},  // 60 m
    {"air_temperature", "K", 2.5},
    {"dew_point_temperature", "K", 2.5},
    {"wet_bulb_temperature", "K", 2.5},
    {"surface_temperature", "K", 2.5},
    {"sea_surface_temperature", "K", 1},
    {"air_potential_temperature", "K", 2.5},
    {"equivalent_potential_temperature", "K", 5},
    {"wet_bulb_potential_temperature", "K", 2},
    {"relative_humidity", "%", 10},
    {"surface_altitude", "m", 200},
    {"wind_speed", "m s-1", 5},
    {"wind_speed_of_gust", "m s-1", 5},
};

static double usual_interval(const struct catalog_variable *variable) {
    for (size_t n = 0; n < sizeof usual / sizeof *usual; n++) {
        double scale, offset;
        if (strcmp(usual[n].standard_name, variable->standard_name) == 0 && !catalog_is_difference(variable) &&
            !cf_units_convert(usual[n].units, variable->units, &scale, &offset))
            return usual[n].interval * fabs(scale);
    }
    return 0;
}

// A round number not below another.
static double round_up(double value) {
    static const double multiples[] = {1, 2, 2.5, 5, 10};
    const double power = pow(10, floor(log10(value)));
    size_t m = 0;
    while (m < 4 && multiples[m] * power < value * 0.999) m++;
    return multiples[m] * power;
}

// About a dozen over the range, round in the units that people read.
static double range_interval(const struct catalog_variable *variable, const double range[2]) {
    struct preset_units units;
    presets_units(variable, "", false, &units);
    const double scale = units.scale > 0 ? units.scale : 1, interval = round_up((range[1] - range[0]) / LINES_WANTED * scale) / scale;
    return isfinite(interval) && interval > 0 ? interval : range[1] - range[0];
}

// --- all ---------------------------------------------------------------------------------------------------------------------

// Opacities of the page's ground as shares of the greatest, as legends show them. Only where the least is clear does anything fade.
static void set_alpha(struct map_style *style, const struct view_layer *layer) {
    double most = 0, least = 1;
    for (size_t n = 0; n < layer->opacity_count; n++) {
        most = fmax(most, layer->opacity[n][1]);
        least = fmin(least, layer->opacity[n][1]);
    }
    style->alpha_count = 0;
    if (!(most > 0) || least > 0.5 * most) return;
    for (size_t n = 0; n < layer->opacity_count; n++) {
        style->alpha[n][0] = layer->opacity[n][0];
        style->alpha[n][1] = sqrt(layer->opacity[n][1] / most);
    }
    style->alpha_count = layer->opacity_count;
}

// Colour maps that are made to stand over a map.
static bool fades(const char *colour_map) {
    static const char *const maps[] = {"rain", "cloud", "cloud_water", "ice"};
    for (size_t n = 0; n < sizeof maps / sizeof *maps; n++)
        if (strcmp(colour_map, maps[n]) == 0) return true;
    return false;
}

// Without the last digits, which sums and products leave behind.
static double plain(double value) {
    char text[32];
    snprintf(text, sizeof text, "%.12g", value);
    return strtod(text, NULL);
}

// From one round number of the units that people read to another; where all values are the same, a little around it.
static void round_outwards(const struct catalog_variable *variable, const double field[2], double range[2]) {
    struct preset_units units;
    presets_units(variable, "", false, &units);
    const double scale = units.scale > 0 ? units.scale : 1, margin = field[0] < field[1] ? 0 : fmax(0.01 * fabs(field[0]), variable->lattice.epsilon > 0 ? variable->lattice.epsilon : 1e-6);
    const double low = (field[0] - margin) * scale + units.offset, high = (field[1] + margin) * scale + units.offset, step = round_up((high - low) / ROUND_STEPS);
    range[0] = plain((floor(low / step + 1e-9) * step - units.offset) / scale);
    range[1] = plain((ceil(high / step - 1e-9) * step - units.offset) / scale);
    if (range[0] < range[1] && isfinite(range[0]) && isfinite(range[1])) return;
    range[0] = field[0];
    range[1] = fmax(field[1], nextafter(field[0], INFINITY));
}

static void set_range(struct map_style *style, const struct catalog_variable *variable, const struct view_layer *layer, const double field[2]) {
    if (style->range_kind == MAP_RANGE_SAID) return;
    const bool follows = style->range_kind == MAP_RANGE_FIELD || presets_follow_field(variable);
    const bool known = field && field[0] <= field[1] && isfinite(field[0]) && isfinite(field[1]);
    style->range_kind = follows && !known ? MAP_RANGE_FIELD : MAP_RANGE_SAID;
    if (follows && known) round_outwards(variable, field, style->range);
    else memcpy(style->range, layer->range, sizeof style->range);
}

int map_style_complete(struct map_style *style, const struct catalog_variable *variable, const double field[2], struct failure *failure) {
    struct view_layer layer = {0};
    if (presets_fill(variable, NULL, &layer)) return failure_set(failure, VIRGA_NO_MEMORY, "style: out of memory");
    set_range(style, variable, &layer, field);
    if (style->fade == MAP_FADE_PRESET)
        style->fade = !*style->colour_map && map_style_fills(style) && fades(layer.colour_map) ? MAP_FADE_ON : MAP_FADE_OFF;
    if (!*style->colour_map && map_style_fills(style)) snprintf(style->colour_map, sizeof style->colour_map, "%s", layer.colour_map);
    if (style->fade == MAP_FADE_ON) set_alpha(style, &layer);
    if (!(style->interval > 0)) style->interval = usual_interval(variable);
    if (!(style->interval > 0) && style->range_kind == MAP_RANGE_SAID) style->interval = range_interval(variable, style->range);
    if (style->log_scale && style->range_kind == MAP_RANGE_SAID && !(style->range[0] > 0))
        return failure_set(failure, VIRGA_INVALID, "a logarithmic scale needs a range above 0; that of %s is %g to %g: say another", variable->id, style->range[0],
                           style->range[1]);
    return VIRGA_OK;
}

// --- on offer ----------------------------------------------------------------------------------------------------------------

static bool offer(char name[MAP_STYLE_TEXT], char title[MAP_STYLE_TEXT], const char *style, const char *colour_map, const char *words) {
    if (colour_map) snprintf(name, MAP_STYLE_TEXT, "%s/%s", style, colour_map);
    else snprintf(name, MAP_STYLE_TEXT, "%s", style);
    snprintf(title, MAP_STYLE_TEXT, "%s", words);
    return true;
}

bool map_style_offered(size_t index, bool wind, char name[MAP_STYLE_TEXT], char title[MAP_STYLE_TEXT]) {
    static const struct { const char *name, *title; bool wind; } plain[] = {
        {"fill", "Colours", false},
        {"contours", "Contours", false},
        {"fill-contours", "Colours and contours", false},
        {"barbs", "Wind barbs", true},
        {"arrows", "Wind arrows", true},
    };
    for (size_t n = 0; n < sizeof plain / sizeof *plain; n++) {
        if (plain[n].wind && !wind) continue;
        if (index-- == 0) return offer(name, title, plain[n].name, NULL, plain[n].title);
    }
    const char *colour_map = colour_map_name(index);
    if (!colour_map) return false;
    char words[MAP_STYLE_TEXT];
    snprintf(words, sizeof words, "Colours: %s", colour_map_find(colour_map)->title);
    return offer(name, title, "fill", colour_map, words);
}
