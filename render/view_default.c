// SPDX-License-Identifier: Apache-2.0
// The view to start from, as web/view/view_resolve.js chooses it.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "render/view_resolve.h"

static const double km_per_degree = 111.2, usual_exaggeration = 15, highest_weather = 16, rad = 0.017453292519943295;

static size_t on_offer(const struct catalog_dataset *dataset)
{
    size_t count = 0;
    for (size_t n = 0; n < dataset->variable_count; n++)
        count += !dataset->variables[n].hidden;
    return count;
}

static bool has_heights(const struct catalog_variable *variable)
{
    return variable->vertical && variable->level_map;
}

// Whether the latest run has a variable, and it is on offer.
static bool usable(const struct catalog_dataset *dataset, size_t index)
{
    return dataset->run_count > 0 && !dataset->variables[index].hidden &&
           dataset->runs[dataset->latest].series[index].present;
}

typedef bool wish(const struct catalog_variable *variable, const char *text);

static bool named(const struct catalog_variable *variable, const char *text)
{
    return strcmp(variable->standard_name, text) == 0;
}

static bool measured_in(const struct catalog_variable *variable, const char *text)
{
    return strcmp(variable->units, text) == 0;
}

static bool not_derived(const struct catalog_variable *variable, const char *text)
{
    (void)text;
    return !catalog_is_derived(variable);
}

static bool any(const struct catalog_variable *variable, const char *text)
{
    (void)variable, (void)text;
    return true;
}

static const struct catalog_variable *first_of(const struct catalog_dataset *dataset, bool volumes, wish *wished,
                                               const char *text)
{
    for (size_t n = 0; n < dataset->variable_count; n++)
        if (usable(dataset, n) && (!volumes || has_heights(&dataset->variables[n])) && wished(&dataset->variables[n], text))
            return &dataset->variables[n];
    return NULL;
}

// A cloud fraction in 3-D if there is one, else temperature or wind speed, else the first volume, else the first variable. NULL:
// none.
static const struct catalog_variable *favourite(const struct catalog_dataset *dataset)
{
    static const char *const names[] = {
        "cloud_area_fraction_in_atmosphere_layer", "cloud_volume_fraction_in_atmosphere_layer", "cloud_area_fraction",
        "mass_fraction_of_cloud_liquid_water_in_air", "cloud_liquid_water_mixing_ratio", "relative_humidity",
        "wet_bulb_temperature", "air_temperature"};
    static const struct { bool volume; wish *wished; const char *text; } others[] = {
        {true, measured_in, "K"}, {true, named, "wind_speed"}, {true, not_derived, NULL}, {true, any, NULL}, {false, any, NULL}};
    const struct catalog_variable *found = NULL;
    for (size_t n = 0; !found && n < sizeof names / sizeof *names; n++)
        found = first_of(dataset, true, named, names[n]);
    for (size_t n = 0; !found && n < sizeof others / sizeof *others; n++)
        found = first_of(dataset, others[n].volume, others[n].wished, others[n].text);
    for (size_t n = 0; !found && n < dataset->variable_count; n++)
        if (!dataset->variables[n].hidden)
            found = &dataset->variables[n];
    return found;
}

// From the south-west to the south-east corner and what that rises, in km; 0 where it is not known.
static double domain_width(const struct grid *grid)
{
    double middle = 0;
    if (grid_is_curvilinear(grid))
        return (double)grid->x.n * grid->km_per_unit[0];
    for (int n = 0; n < 4; n++)
        middle += grid->corners[n][1] / 4;
    double turn = fmod(grid->corners[1][0] - grid->corners[0][0] + 540, 360) - 180;
    double east = (grid->wraps ? 360 : fabs(turn)) * km_per_degree * cos(middle * rad);
    double north = (grid->corners[1][1] - grid->corners[0][1]) * km_per_degree;
    double width = sqrt(east * east + north * north);
    return isfinite(width) ? width : 0;
}

double view_default_exaggeration(const struct catalog_dataset *dataset, const struct catalog_variable *variable)
{
    static const double steps[] = {1, 1.5, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60};
    double km = domain_width(dataset->grid), best = steps[0];
    if (!(km > 0))
        return usual_exaggeration;
    double top = variable && has_heights(variable) ? variable->level_map->highest / 1000 : highest_weather;
    double wanted = fmin(60, fmax(1, km / 4 / fmin(highest_weather, fmax(1, top))));
    for (size_t n = 1; n < sizeof steps / sizeof *steps; n++)
        if (fabs(steps[n] - wanted) < fabs(best - wanted))
            best = steps[n];
    return best;
}

static const struct catalog_dataset *first_dataset(const struct catalog *catalog)
{
    for (size_t n = 0; n < catalog->dataset_count; n++)
        if (on_offer(&catalog->datasets[n]) > 0)
            return &catalog->datasets[n];
    return NULL;
}

int view_default(const struct catalog *catalog, const char *dataset_id, struct view *view, struct failure *failure)
{
    static const char plain[] = "{\"version\": 1, \"dataset\": \"any\", \"layers\": [{\"variable\": \"any\"}]}";
    const struct catalog_dataset *dataset = dataset_id ? catalog_find_dataset(catalog, dataset_id) : first_dataset(catalog);
    if (!dataset && dataset_id)
        return failure_set(failure, VIRGA_NOT_FOUND, "dataset: \"%s\" is not on offer", dataset_id);
    const struct catalog_variable *variable = dataset ? favourite(dataset) : NULL;
    if (!variable)
        return failure_set(failure, VIRGA_NOT_FOUND, "there is nothing to show");
    int status = view_parse(plain, sizeof plain - 1, view, failure);
    snprintf(view->dataset, sizeof view->dataset, "%s", dataset->id);
    snprintf(view->layers[0].variable, sizeof view->layers[0].variable, "%s", variable->id);
    view->exaggeration = view_default_exaggeration(dataset, variable);
    return status;
}
