// SPDX-License-Identifier: Apache-2.0
#include "render/view_write.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 110, INDENT = 2, PRECISION = 15 };
static const double largest_integer = 1e15;

static json_t *number(double value)
{
    return value == floor(value) && fabs(value) < largest_integer ? json_integer((json_int_t)value) : json_real(value);
}

static json_t *numbers(const double *values, size_t count)
{
    json_t *list = json_array();
    for (size_t n = 0; n < count; n++)
        json_array_append_new(list, number(values[n]));
    return list;
}

static json_t *opacity_json(const struct view_layer *layer)
{
    json_t *list = json_array();
    for (size_t n = 0; n < layer->opacity_count; n++)
        json_array_append_new(list, numbers(layer->opacity[n], 2));
    return list;
}

static json_t *minus_json(const struct view_minus *minus)
{
    json_t *object = json_object();
    if (*minus->variable)
        json_object_set_new(object, "variable", json_string(minus->variable));
    if (*minus->run)
        json_object_set_new(object, "run", json_string(minus->run));
    if (minus->has_member)
        json_object_set_new(object, "member", json_integer(minus->member));
    return object;
}

// What a layer leaves open stays open.
static json_t *layer_json(const struct view_layer *layer)
{
    json_t *object = json_object();
    json_object_set_new(object, "variable", json_string(layer->variable));
    json_object_set_new(object, "visible", json_boolean(layer->visible));
    if (*layer->colour_map)
        json_object_set_new(object, "colour_map", json_string(layer->colour_map));
    if (layer->has_range)
        json_object_set_new(object, "range", numbers(layer->range, 2));
    if (*layer->units)
        json_object_set_new(object, "units", json_string(layer->units));
    if (layer->opacity_count)
        json_object_set_new(object, "opacity", opacity_json(layer));
    json_object_set_new(object, "shading", json_boolean(layer->shading));
    if (*layer->level)
        json_object_set_new(object, "level", json_string(layer->level));
    if (layer->minus.used)
        json_object_set_new(object, "minus", minus_json(&layer->minus));
    return object;
}

static json_t *layers_json(const struct view *view)
{
    json_t *list = json_array();
    for (size_t n = 0; n < view->layer_count; n++)
        json_array_append_new(list, layer_json(&view->layers[n]));
    return list;
}

static json_t *camera_json(const struct view_camera *camera)
{
    static const char *const modes[] = {[VIEW_ORBIT] = "orbit", [VIEW_FLY] = "fly", [VIEW_TOP] = "top"};
    json_t *object = json_object();
    json_object_set_new(object, "mode", json_string(modes[camera->mode]));
    json_object_set_new(object, "eye", numbers(camera->eye, 3));
    json_object_set_new(object, "target", numbers(camera->target, 3));
    json_object_set_new(object, "up", numbers(camera->up, 3));
    json_object_set_new(object, "fov", number(camera->fov));
    return object;
}

static json_t *light_json(const struct view *view)
{
    json_t *object = json_object(), *sun = view->sun_by_time ? json_string("time") : json_object();
    if (!view->sun_by_time) {
        json_object_set_new(sun, "azimuth", number(view->sun_azimuth));
        json_object_set_new(sun, "elevation", number(view->sun_elevation));
    }
    json_object_set_new(object, "sun", sun);
    json_object_set_new(object, "shadows", json_boolean(view->shadows));
    json_object_set_new(object, "ambient", number(view->ambient));
    return object;
}

static json_t *map_json(const struct view *view)
{
    json_t *object = json_object();
    json_object_set_new(object, "coastlines", json_boolean(view->coastlines));
    json_object_set_new(object, "graticule", json_boolean(view->graticule));
    json_object_set_new(object, "terrain", json_boolean(view->terrain));
    json_object_set_new(object, "height_axis", json_boolean(view->height_axis));
    return object;
}

static json_t *captions_json(const struct view_captions *captions)
{
    json_t *object = json_object();
    json_object_set_new(object, "show", json_boolean(captions->show));
    if (captions->has_title)
        json_object_set_new(object, "title", json_string(captions->title));
    json_object_set_new(object, "attribution", json_string(captions->attribution));
    json_object_set_new(object, "legend", json_boolean(captions->legend));
    return object;
}

static json_t *view_json(const struct view *view)
{
    json_t *object = json_object();
    json_object_set_new(object, "version", json_integer(1));
    json_object_set_new(object, "dataset", json_string(view->dataset));
    json_object_set_new(object, "run", json_string(view->run));
    json_object_set_new(object, "time", json_string(view->time));
    json_object_set_new(object, "member", json_integer(view->member));
    json_object_set_new(object, "layers", layers_json(view));
    if (view->has_camera)
        json_object_set_new(object, "camera", camera_json(&view->camera));
    json_object_set_new(object, "light", light_json(view));
    json_object_set_new(object, "exaggeration", number(view->exaggeration));
    json_object_set_new(object, "map", map_json(view));
    if (view->size[0])
        json_object_set_new(object, "size", numbers((const double[]){view->size[0], view->size[1]}, 2));
    json_object_set_new(object, "captions", captions_json(&view->captions));
    json_object_set_new(object, "antialiasing", json_integer(view->antialiasing));
    json_object_set_new(object, "transparent", json_boolean(view->transparent));
    return object;
}

// Writes a value: on one line where it fits, else member by member.
static void write_value(FILE *out, const json_t *value, size_t indent, bool whole)
{
    char *line = whole ? NULL : json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(PRECISION));
    size_t count = json_is_array(value) ? json_array_size(value) : json_object_size(value), n = 0;
    if (line && (count == 0 || strlen(line) + indent <= LINE)) {
        fputs(line, out);
        free(line);
        return;
    }
    free(line);
    fputs(json_is_array(value) ? "[" : "{", out);
    const char *key;
    json_t *member;
    for (size_t i = 0; json_is_array(value) && i < count; i++) {
        fprintf(out, "%s\n%*s", i ? "," : "", (int)(indent + INDENT), "");
        write_value(out, json_array_get(value, i), indent + INDENT, false);
    }
    json_object_foreach((json_t *)value, key, member)
    {
        fprintf(out, "%s\n%*s\"%s\": ", n++ ? "," : "", (int)(indent + INDENT), "", key);
        write_value(out, member, indent + INDENT, false);
    }
    fprintf(out, "\n%*s%s", (int)indent, "", json_is_array(value) ? "]" : "}");
}

static char *write_lines(const json_t *value)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    write_value(out, value, 0, true);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

char *view_write(const struct view *view, bool lines)
{
    json_t *value = view_json(view);
    char *text = lines ? write_lines(value) : json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(PRECISION));
    json_decref(value);
    return text;
}
