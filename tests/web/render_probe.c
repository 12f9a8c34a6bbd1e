// SPDX-License-Identifier: Apache-2.0
// The program's own transfer functions, cameras, lights and units as numbers, for tests that hold the page's modules against them: one JSON
// request a line on standard input, one answer a line on standard output.
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "field/derived.h"
#include "render/camera.h"
#include "render/light.h"
#include "render/presets.h"
#include "render/transfer.h"

static json_t *reals(const double *values, size_t count)
{
    json_t *list = json_array();
    for (size_t n = 0; n < count; n++)
        json_array_append_new(list, json_real(values[n]));
    return list;
}

static json_t *floats(const float *values, size_t count)
{
    json_t *list = json_array();
    for (size_t n = 0; n < count; n++)
        json_array_append_new(list, json_real((double)values[n]));
    return list;
}

static size_t numbers(const json_t *list, double *values, size_t room)
{
    size_t count = json_array_size(list) < room ? json_array_size(list) : room;
    for (size_t n = 0; n < count; n++)
        values[n] = json_number_value(json_array_get(list, n));
    return count;
}

static double number(const json_t *object, const char *name)
{
    return json_number_value(json_object_get(object, name));
}

static void view_of(const json_t *request, struct view *view)
{
    struct failure failure = {0};
    char *text = json_dumps(json_object_get(request, "view"), 0);
    if (!text || view_parse(text, strlen(text), view, &failure)) {
        fprintf(stderr, "render_probe: %s\n", failure.message);
        exit(1);
    }
    free(text);
}

static json_t *transfer(const json_t *request)
{
    static struct transfer made;
    double range[2], opacity[VIEW_OPACITY_MAX][2], ask[2], lookup[2];
    size_t index, count = json_array_size(json_object_get(request, "opacity"));
    const json_t *value;
    json_t *answer = json_object(), *visible = json_array(), *tau = json_array(), *before = json_array();
    numbers(json_object_get(request, "range"), range, 2);
    for (size_t n = 0; n < count && n < VIEW_OPACITY_MAX; n++)
        numbers(json_array_get(json_object_get(request, "opacity"), n), opacity[n], 2);
    transfer_init(&made, colour_map_find(json_string_value(json_object_get(request, "map"))), range, (const double(*)[2])opacity, count);
    transfer_lookup(&made, &(struct lattice_spec){.v0 = number(request, "v0"), .step = number(request, "step")}, lookup);
    json_array_foreach(json_object_get(request, "pairs"), index, value)
    {
        numbers(value, ask, 2);
        json_array_append_new(visible, json_boolean(transfer_visible(&made, ask[0], ask[1])));
        json_array_append_new(tau, json_real(transfer_tau(&made, ask[0])));
    }
    for (size_t n = 0; n <= TRANSFER_ENTRIES; n++)
        json_array_append_new(before, json_integer(made.visible_before[n]));
    json_object_set_new(answer, "low", json_real(made.low));
    json_object_set_new(answer, "high", json_real(made.high));
    json_object_set_new(answer, "data", floats(made.data[0], 4 * TRANSFER_ENTRIES));
    json_object_set_new(answer, "integral", floats(made.integral[0], 4 * TRANSFER_ENTRIES));
    json_object_set_new(answer, "visibleBefore", before);
    json_object_set_new(answer, "lookup", reals(lookup, 2));
    json_object_set_new(answer, "visible", visible);
    json_object_set_new(answer, "tau", tau);
    return answer;
}

static json_t *camera(const json_t *request)
{
    static struct view view;
    struct scene_bounds box;
    struct camera_matrices m;
    double place[3], at[2], aspect = number(request, "aspect");
    size_t index;
    const json_t *value;
    const char *frame = json_string_value(json_object_get(request, "frame"));
    json_t *answer = json_object(), *projected = json_array();
    view_of(request, &view);
    numbers(json_object_get(request, "low"), box.low, 3);
    numbers(json_object_get(request, "high"), box.high, 3);
    if (frame && strcmp(frame, "top") == 0)
        camera_frame_top(&view.camera, &box, view.exaggeration, aspect);
    else if (frame)
        camera_frame(&view.camera, &box, view.exaggeration, aspect);
    camera_matrices(&view.camera, &box, view.exaggeration, aspect, &m);
    json_array_foreach(json_object_get(request, "places"), index, value)
    {
        numbers(value, place, 3);
        place[2] *= view.exaggeration;
        json_array_append_new(projected, camera_project(&m, place, at) ? reals(at, 2) : json_null());
    }
    json_object_set_new(answer, "eye", reals(view.camera.eye, 3));
    json_object_set_new(answer, "target", reals(view.camera.target, 3));
    json_object_set_new(answer, "up", reals(view.camera.up, 3));
    json_object_set_new(answer, "fov", json_real(view.camera.fov));
    json_object_set_new(answer, "shownEye", reals(m.eye, 3));
    json_object_set_new(answer, "view", reals(m.view, 16));
    json_object_set_new(answer, "projection", reals(m.projection, 16));
    json_object_set_new(answer, "all", reals(m.all, 16));
    json_object_set_new(answer, "relative", reals(m.relative, 16));
    json_object_set_new(answer, "near", json_real(m.near));
    json_object_set_new(answer, "far", json_real(m.far));
    json_object_set_new(answer, "projected", projected);
    return answer;
}

static json_t *light(const json_t *request)
{
    static struct view view;
    struct light l;
    view_of(request, &view);
    light_init(&l, &view, number(request, "seconds"), number(request, "lon"), number(request, "lat"), number(request, "north"));
    json_t *answer = json_object();
    json_object_set_new(answer, "direction", reals(l.direction, 3));
    json_object_set_new(answer, "colour", reals(l.colour, 3));
    json_object_set_new(answer, "ambient", reals(l.ambient, 3));
    json_object_set_new(answer, "top", reals(l.sky_top, 3));
    json_object_set_new(answer, "low", reals(l.sky_low, 3));
    json_object_set_new(answer, "shadows", json_boolean(l.shadows));
    json_object_set_new(answer, "night", json_boolean(l.night));
    json_object_set_new(answer, "azimuth", json_real(l.azimuth));
    json_object_set_new(answer, "elevation", json_real(l.elevation));
    return answer;
}

static const char *text(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));
    return value ? value : "";
}

// How a variable of the catalog is called, and which units its numbers are written in.
static json_t *variable(const json_t *request)
{
    const json_t *of = json_object_get(request, "variable");
    const char *statistic = text(of, "statistic");
    struct catalog_dataset dataset = {0};
    struct dataset_shared shared = {.dataset = &dataset};
    struct variable_source from = {.shared = &shared};
    if (*statistic)
        from.derived = strcmp(statistic, "mean") == 0 ? &derived_member_mean : &derived_member_spread;
    const struct catalog_variable made = {.id = (char *)text(of, "id"), .name = (char *)text(of, "name"),
                                          .standard_name = (char *)text(of, "standard_name"),
                                          .long_name = (char *)text(of, "long_name"), .units = (char *)text(of, "units"),
                                          .derived = json_is_true(json_object_get(of, "derived")), .from = &from};
    struct preset_units units;
    char title[PRESET_TITLE_TEXT];
    presets_title(&made, title);
    presets_units(&made, text(request, "wanted"), false, &units);
    return json_pack("{s:s, s:s, s:s, s:f, s:f}", "title", title, "units", units.units, "label", units.label, "scale", units.scale,
                     "offset", units.offset);
}

// Every colour map, as the program has it.
static json_t *colour_maps(const json_t *request)
{
    (void)request;
    json_t *answer = json_array();
    for (size_t n = 0; colour_map_name(n); n++) {
        const struct colour_map *map = colour_map_find(colour_map_name(n));
        json_t *points = json_array();
        for (size_t p = 0; p < map->count; p++)
            json_array_append_new(points, reals(map->points[p], 4));
        json_array_append_new(answer, json_pack("{s:s, s:s, s:o}", "name", map->name, "title", map->title, "points", points));
    }
    return answer;
}

static json_t *answer_to(const json_t *request)
{
    static const struct { const char *name; json_t *(*make)(const json_t *request); } kinds[] = {
        {"transfer", transfer}, {"camera", camera}, {"light", light}, {"colour maps", colour_maps}, {"variable", variable}};
    const char *what = json_string_value(json_object_get(request, "what"));
    for (size_t n = 0; what && n < sizeof kinds / sizeof *kinds; n++)
        if (strcmp(what, kinds[n].name) == 0)
            return kinds[n].make(request);
    return json_null();
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, stdin) > 0) {
        json_t *request = json_loads(line, 0, NULL), *answer = answer_to(request);
        char *text = json_dumps(answer, JSON_COMPACT | JSON_REAL_PRECISION(17));
        puts(text ? text : "null");
        free(text);
        json_decref(answer);
        json_decref(request);
    }
    free(line);
    return 0;
}
