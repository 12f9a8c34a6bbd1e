// SPDX-License-Identifier: Apache-2.0
// As web/view/presets.js: the same numbers, rounded to the same digits, so that a view made by either shows the same picture.
#include "render/presets.h"

#include <float.h>
#include <jansson.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "field/cf_units.h"
#include "render/render_assets.h"

static const double ground_opacity = 0.85, weather_depth = 10000;  // m
static const double little = 0.4;                                   // of a preset's range
enum { SPREAD_STEPS = 256, RANGE_STEPS = 4096, DIGITS = 9, OPACITY_DIGITS = 4, DEEPENED_MOST = 12, TICKS = 10 };

struct preset {
    char colour_map[VIEW_COLOUR_MAP_TEXT];
    bool of_data, relative;  // the range is the data's; opacities stand at shares of the range
    double range[2];
    size_t count;
    double opacity[VIEW_OPACITY_MAX][2];
};

// Whether a number lies exactly between two of `count` digits.
static bool is_tie(double value, int count)
{
    char text[64];
    snprintf(text, sizeof text, "%.40e", fabs(value));  // d.ddd…
    return text[count + 1] == '5' && strspn(text + count + 2, "0") == strcspn(text + count + 2, "e");
}

// Rounded to so many digits; ties go away from zero, as in the page's toPrecision.
static double digits(double value, int count)
{
    char text[64];
    snprintf(text, sizeof text, "%.*g", count, is_tie(value, count) ? value * (1 + DBL_EPSILON) : value);
    return strtod(text, NULL);
}

static double round_off(double value)
{
    return digits(value, DIGITS);
}

static bool in_height(const struct catalog_variable *variable, const struct view_layer *layer)
{
    return variable->vertical && variable->level_map && !*layer->level;
}

// How a preset's units become the variable's. False where they cannot: the preset is of something else.
static bool own_units(const char *units, const struct catalog_variable *variable, double *scale, double *offset)
{
    struct cf_units_choice choices[UNITS_CHOICES_MAX];
    *scale = 1;
    *offset = 0;
    if (strcmp(units, cf_units_canonical(variable->units)) == 0)
        return true;
    size_t count = cf_units_choices(variable->units, variable->standard_name, catalog_is_difference(variable), choices);
    for (size_t n = 0; n < count; n++) {
        if (strcmp(choices[n].units, units) != 0)
            continue;
        *scale = 1 / choices[n].scale;
        *offset = -choices[n].offset / choices[n].scale;
        return true;
    }
    return false;
}

static void read_points(struct preset *preset, const json_t *points)
{
    for (size_t n = 0; n < json_array_size(points) && n < VIEW_OPACITY_MAX; n++, preset->count++)
        for (size_t c = 0; c < 2; c++)
            preset->opacity[n][c] = json_number_value(json_array_get(json_array_get(points, n), c));
}

static void convert(struct preset *preset, double scale, double offset)
{
    for (size_t n = 0; n < 2 && !preset->of_data; n++)
        preset->range[n] = round_off(preset->range[n] * scale + offset);
    for (size_t n = 0; n < preset->count && !preset->relative; n++)
        preset->opacity[n][0] = round_off(preset->opacity[n][0] * scale + offset);
}

// Reads an entry of the table in the variable's units. False where there is none, or it is in units of another kind.
static bool read_preset(struct preset *preset, const json_t *entry, const struct catalog_variable *variable)
{
    const json_t *opacity = json_object_get(entry, "opacity"), *range = json_object_get(entry, "range");
    const char *units = json_string_value(json_object_get(entry, "units"));
    const char *of = json_string_value(json_object_get(opacity, "of"));
    const char *map = json_string_value(json_object_get(entry, "colour_map"));
    double scale = 1, offset = 0;
    if (!entry || !map || (units && !own_units(units, variable, &scale, &offset)))
        return false;
    *preset = (struct preset){.of_data = !json_is_array(range), .relative = of && strcmp(of, "range") == 0};
    snprintf(preset->colour_map, sizeof preset->colour_map, "%s", map);
    for (size_t n = 0; n < 2; n++)
        preset->range[n] = json_number_value(json_array_get(range, n));
    read_points(preset, json_object_get(opacity, "points"));
    if (units)
        convert(preset, scale, offset);
    return true;
}

// The table, read once and kept; NULL when out of memory. It is only looked at: no reference to it is counted.
static const json_t *table(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static json_t *all;
    pthread_mutex_lock(&lock);
    if (!all)
        all = json_loads(embedded_text(render_assets, "presets.json"), 0, NULL);
    const json_t *read = all;
    pthread_mutex_unlock(&lock);
    return read;
}

// The preset that holds for a variable, in its units. VIRGA_OK or VIRGA_NO_MEMORY.
static int find_preset(struct preset *preset, const struct catalog_variable *variable)
{
    const json_t *all = table();
    const json_t *names = json_object_get(all, "standard_names"), *units = json_object_get(all, "units");
    const json_t *spread = json_object_get(json_object_get(all, "statistics"), "spread");
    bool found = catalog_is_difference(variable)
                     ? read_preset(preset, spread, variable)
                     : read_preset(preset, json_object_get(names, variable->standard_name), variable) ||
                           read_preset(preset, json_object_get(units, cf_units_canonical(variable->units)), variable);
    found = found || read_preset(preset, json_object_get(all, "default"), variable);
    return found ? VIRGA_OK : VIRGA_NO_MEMORY;
}

// Maps in which no colour has a meaning of its own: they are fitted to the data.
static bool may_fit(const struct preset *preset)
{
    static const char *const maps[] = {"temperature", "thermal", "lagoon", "terrain"};
    for (size_t n = 0; n < sizeof maps / sizeof *maps; n++)
        if (strcmp(preset->colour_map, maps[n]) == 0)
            return true;
    return false;
}

bool presets_need_data(const struct catalog_variable *variable)
{
    struct preset preset;
    return find_preset(&preset, variable) == VIRGA_OK && (preset.of_data || may_fit(&preset));
}

bool presets_follow_field(const struct catalog_variable *variable)
{
    struct preset preset;
    if (find_preset(&preset, variable) != VIRGA_OK || preset.of_data)
        return true;
    bool named = json_object_get(json_object_get(table(), "standard_names"), variable->standard_name) != NULL;
    bool is_temperature = strcmp(preset.colour_map, "temperature") == 0, is_share = strcmp(preset.colour_map, "humidity") == 0 || strcmp(preset.colour_map, "direction") == 0;
    return named ? may_fit(&preset) && !is_temperature : !is_share && strcmp(preset.colour_map, "rain") != 0;
}

// Colours need two values; numbers of nine digits may have become one.
static void set_rising(double range[2])
{
    double middle = range[0], margin = fmax(fabs(middle) * 1e-6, 1e-6);
    if (range[1] > range[0])
        return;
    range[0] = round_off(middle - margin);
    range[1] = round_off(middle + margin);
}

static void range_of_data(const struct catalog_variable *variable, const double data[2], double range[2])
{
    double epsilon = variable->lattice.epsilon;
    if (catalog_is_difference(variable)) {
        range[0] = 0;
        range[1] = round_off(data && data[1] > 0 ? data[1] : SPREAD_STEPS * (epsilon > 0 ? epsilon : 1.0 / SPREAD_STEPS));
    } else if (data && data[1] > data[0]) {
        range[0] = round_off(data[0]);
        range[1] = round_off(data[1]);
    } else if (data) {
        double margin = fmax(fabs(data[0]) * 0.01, epsilon);
        range[0] = round_off(data[0] - margin);
        range[1] = round_off(data[1] + margin);
    } else {
        range[0] = round_off(variable->lattice.v0);
        range[1] = round_off(variable->lattice.v0 + RANGE_STEPS * (epsilon > 0 ? epsilon : 1.0 / RANGE_STEPS));
    }
    set_rising(range);
}

// The distance of about ten round values within the two.
static double round_step(double low, double high)
{
    static const double multiples[] = {1, 2, 2.5, 5, 10};
    double raw = (high - low) / TICKS, power = pow(10, floor(log10(raw))), step = 10 * power;
    for (size_t n = sizeof multiples / sizeof *multiples; n-- > 0;)
        if (multiples[n] * power >= raw * 0.999)
            step = multiples[n] * power;
    double first = ceil(low / step - 1e-9);
    return digits((first + 1) * step, 12) - digits(first * step, 12);
}

// A preset spans all weather; where the data fill little of it, as in a shallow volume, the colours span the data, and opacities
// move along.
static void fit(struct preset *preset, const double data[2])
{
    double from[2] = {preset->range[0], preset->range[1]}, to[2];
    if (preset->of_data || !may_fit(preset) || !(data[1] > data[0]) || data[1] - data[0] > little * (from[1] - from[0]))
        return;
    double step = round_step(data[0], data[1]);
    if (!(step > 0))
        return;
    to[0] = round_off(floor(data[0] / step) * step);
    to[1] = round_off(ceil(data[1] / step) * step);
    memcpy(preset->range, to, sizeof to);
    for (size_t n = 0; n < preset->count && !preset->relative; n++)
        preset->opacity[n][0] = round_off(to[0] + (preset->opacity[n][0] - from[0]) / (from[1] - from[0]) * (to[1] - to[0]));
}

// The presets' opacities are for a volume as deep as the weather; a shallow one is made as visible as the whole of that would be.
static double for_depth(double opacity, const struct catalog_variable *variable)
{
    double depth = variable->level_map->highest - variable->level_map->lowest;
    double times = fmin(DEEPENED_MOST, fmax(1, weather_depth / fmax(1, depth)));
    return digits(1 - pow(1 - opacity, times), OPACITY_DIGITS);
}

static void set_opacity(struct preset *preset, const struct catalog_variable *variable, const struct view_layer *layer)
{
    const double *range = preset->range;
    bool fades = layer->minus.used || strcmp(preset->colour_map, "rain") == 0 || strcmp(preset->colour_map, "cloud") == 0;
    for (size_t n = 0; n < preset->count && preset->relative; n++)
        preset->opacity[n][0] = round_off(range[0] + preset->opacity[n][0] * (range[1] - range[0]));
    for (size_t n = 0; n < preset->count && in_height(variable, layer); n++)
        preset->opacity[n][1] = for_depth(preset->opacity[n][1], variable);
    if (in_height(variable, layer) || fades)
        return;
    preset->count = 2;
    for (size_t n = 0; n < 2; n++) {
        preset->opacity[n][0] = range[n];
        preset->opacity[n][1] = ground_opacity;
    }
}

// A round number not much below another.
static double round_up(double value)
{
    static const double multiples[] = {1, 2, 5};
    double power = pow(10, floor(log10(value)));
    for (size_t n = 0; n < sizeof multiples / sizeof *multiples; n++)
        if (multiples[n] * power >= value * 0.999)
            return round_off(multiples[n] * power);
    return round_off(10 * power);
}

// From what a variable looks like to what its differences do: as far either way from 0 as they usually reach.
static int become_difference(struct preset *preset, const struct catalog_variable *variable, const struct view_layer *layer)
{
    const json_t *differences = json_object_get(table(), "differences");
    const json_t *share = json_object_get(json_object_get(differences, "shares"), preset->colour_map);
    if (!share)
        share = json_object_get(differences, "share");
    double reach = round_up(json_number_value(share) * (preset->range[1] - preset->range[0]));
    struct preset found;
    bool read = read_preset(&found, differences, variable);
    if (read) {
        if (!in_height(variable, layer)) {
            found.count = 0;
            read_points(&found, json_object_get(json_object_get(differences, "ground"), "points"));
        }
        found.of_data = false;
        found.range[0] = -reach;
        found.range[1] = reach;
        *preset = found;
    }
    return read ? VIRGA_OK : VIRGA_NO_MEMORY;
}

int presets_fill(const struct catalog_variable *variable, const double data[2], struct view_layer *layer)
{
    struct preset preset;
    struct preset_units units;
    int status = find_preset(&preset, variable);
    if (status != VIRGA_OK)
        return status;
    if (layer->minus.used || (data && !(isfinite(data[0]) && isfinite(data[1]))))
        data = NULL;
    if (preset.of_data)
        range_of_data(variable, data, preset.range);
    else if (data)
        fit(&preset, data);
    if (layer->minus.used)
        status = become_difference(&preset, variable, layer);
    if (status != VIRGA_OK)
        return status;
    set_opacity(&preset, variable, layer);
    presets_units(variable, "", layer->minus.used, &units);
    if (!*layer->colour_map)
        strcpy(layer->colour_map, preset.colour_map);
    if (!layer->has_range)
        memcpy(layer->range, preset.range, sizeof preset.range);
    layer->has_range = true;
    if (layer->opacity_count == 0)
        memcpy(layer->opacity, preset.opacity, sizeof preset.opacity[0] * (layer->opacity_count = preset.count));
    if (!*layer->units)
        strcpy(layer->units, *units.label ? units.label : "1");
    return VIRGA_OK;
}
