// SPDX-License-Identifier: Apache-2.0
#include "render/view.h"

#include <ctype.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

// Where the check is, for the message: a path as text, grown and cut back as the check goes down and up.
struct place {
    char path[160];
    struct failure *failure;
};

static int wrong(struct place *place, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int wrong(struct place *place, const char *format, ...)
{
    char problem[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(problem, sizeof problem, format, arguments);
    va_end(arguments);
    return failure_set(place->failure, VIRGA_INVALID, "%s: %s", place->path, problem);
}

// Appends a member's name to the path; returns the length to cut back to.
static size_t enter(struct place *place, const char *name)
{
    size_t length = strlen(place->path);
    snprintf(place->path + length, sizeof place->path - length, "%s%s", length > 0 ? "." : "", name);
    return length;
}

static size_t enter_index(struct place *place, size_t index)
{
    size_t length = strlen(place->path);
    snprintf(place->path + length, sizeof place->path - length, "[%zu]", index);
    return length;
}

static void leave(struct place *place, size_t length)
{
    place->path[length] = '\0';
}

typedef int check_function(struct place *place, const json_t *value, void *out);

// Runs `check` on a member where it is present; a missing one is an error only where `required`.
static int member(struct place *place, const json_t *object, const char *name, bool required, check_function *check, void *out)
{
    const json_t *value = json_object_get(object, name);
    if (!value && !required)
        return VIRGA_OK;
    size_t length = enter(place, name);
    int status = value ? check(place, value, out) : wrong(place, "missing");
    if (status == VIRGA_OK)
        leave(place, length);
    return status;
}

static int no_others(struct place *place, const json_t *object, const char *const *names)
{
    const char *key;
    const json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        size_t i = 0;
        while (names[i] && strcmp(names[i], key) != 0)
            i++;
        if (names[i])
            continue;
        char clean[64];
        snprintf(clean, sizeof clean, "%s", key);
        utf8_clean(clean);
        enter(place, clean);
        return wrong(place, "unknown field");
    }
    return VIRGA_OK;
}

static int check_object(struct place *place, const json_t *value)
{
    return json_is_object(value) ? VIRGA_OK : wrong(place, "expected an object");
}

static int check_list(struct place *place, const json_t *value, size_t least, size_t most)
{
    if (!json_is_array(value))
        return wrong(place, "expected a list");
    size_t count = json_array_size(value);
    if (count >= least && count <= most)
        return VIRGA_OK;
    return least == most ? wrong(place, "expected %zu entries", least) : wrong(place, "expected %zu to %zu entries", least, most);
}

static int number_within(struct place *place, const json_t *value, double least, double most, double *out)
{
    if (!json_is_number(value) || !isfinite(json_number_value(value)))
        return wrong(place, "expected a number");
    *out = json_number_value(value);
    if (*out < least || *out > most)
        return wrong(place, "expected a number from %.15g to %.15g", least, most);
    return VIRGA_OK;
}

static int whole_within(struct place *place, const json_t *value, unsigned least, unsigned most, unsigned *out)
{
    double number = json_is_number(value) ? json_number_value(value) : NAN;
    if (!isfinite(number) || number != floor(number))
        return wrong(place, "expected a whole number");
    if (number < least || number > most)
        return wrong(place, "expected a whole number from %u to %u", least, most);
    *out = (unsigned)number;
    return VIRGA_OK;
}

static int check_bool(struct place *place, const json_t *value, void *out)
{
    if (!json_is_boolean(value))
        return wrong(place, "expected true or false");
    *(bool *)out = json_is_true(value);
    return VIRGA_OK;
}

// Copies a text of 1 to room - 1 bytes; `extra` are the characters allowed beside those that `allowed` knows, or allowed is NULL.
static int copy_text(struct place *place, const json_t *value, char *out, size_t room, int (*allowed)(int), const char *extra,
                     const char *words)
{
    if (!json_is_string(value))
        return wrong(place, "expected text");
    const char *text = json_string_value(value);
    size_t length = json_string_length(value);
    if (length < 1 || length >= room)
        return wrong(place, "expected 1 to %zu bytes of text", room - 1);
    for (const char *c = text; allowed && *c; c++)
        if (!((unsigned char)*c < 128 && allowed((unsigned char)*c)) && !strchr(extra, *c))
            return wrong(place, "expected %s", words);
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < 32)
            return wrong(place, "expected text without control characters");
    memcpy(out, text, length + 1);
    return VIRGA_OK;
}

static int check_id(struct place *place, const json_t *value, void *out)
{
    return copy_text(place, value, out, VIEW_ID_TEXT, isalnum, "_.-", "an identifier");
}

static int lower_or_digit(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static int check_colour_map(struct place *place, const json_t *value, void *out)
{
    return copy_text(place, value, out, VIEW_COLOUR_MAP_TEXT, lower_or_digit, "_", "the name of a colour map");
}

static int check_units(struct place *place, const json_t *value, void *out)
{
    return copy_text(place, value, out, VIEW_UNITS_TEXT, NULL, "", "");
}

// Skips `least` to `most` digits; NULL where there are fewer or the text was NULL.
static const char *skip_digits(const char *text, int least, int most)
{
    int count = 0;
    while (text && count < most && *text >= '0' && *text <= '9') {
        text++;
        count++;
    }
    return text && count >= least ? text : NULL;
}

static const char *skip_char(const char *text, char c)
{
    return text && *text == c ? text + 1 : NULL;
}

static bool is_time(const char *text)
{
    text = skip_char(skip_digits(text, 4, 6), '-');
    text = skip_char(skip_digits(text, 2, 2), '-');
    text = skip_char(skip_digits(text, 2, 2), 'T');
    text = skip_digits(skip_char(skip_digits(text, 2, 2), ':'), 2, 2);
    if (text && *text == ':')
        text = skip_digits(text + 1, 2, 2);
    if (text && *text == '.')
        text = skip_digits(text + 1, 1, 6);
    return text && strcmp(text, "Z") == 0;
}

static bool is_lead(const char *text)
{
    text = skip_char(text, 'T');
    if (!text || (*text != '+' && *text != '-'))
        return false;
    text = skip_digits(text + 1, 1, 6);
    if (text && *text == '.')
        text = skip_digits(text + 1, 1, 6);
    return text && *text == '\0';
}

// A JSON string short enough for a time, or NULL.
static const char *short_text(const json_t *value)
{
    return json_is_string(value) && json_string_length(value) < VIEW_TIME_TEXT ? json_string_value(value) : NULL;
}

static int check_run(struct place *place, const json_t *value, void *out)
{
    const char *text = short_text(value);
    if (!text || (strcmp(text, "latest") != 0 && !is_time(text)))
        return wrong(place, "expected \"latest\" or a time such as \"2009-11-19T03:00:00Z\"");
    memcpy(out, text, strlen(text) + 1);
    return VIRGA_OK;
}

static int check_time(struct place *place, const json_t *value, void *out)
{
    const char *text = short_text(value);
    if (!text || (strcmp(text, "nearest to now") != 0 && !is_lead(text) && !is_time(text)))
        return wrong(place, "expected \"T+6\", \"nearest to now\" or a time such as \"2009-11-19T10:00:00Z\"");
    memcpy(out, text, strlen(text) + 1);
    return VIRGA_OK;
}

static int check_member(struct place *place, const json_t *value, void *out)
{
    return whole_within(place, value, 0, 100000, out);
}

static int check_range(struct place *place, const json_t *value, void *out)
{
    struct view_layer *layer = out;
    int status = check_list(place, value, 2, 2);
    for (size_t i = 0; status == VIRGA_OK && i < 2; i++) {
        size_t length = enter_index(place, i);
        status = number_within(place, json_array_get(value, i), -INFINITY, INFINITY, &layer->range[i]);
        if (status == VIRGA_OK)
            leave(place, length);
    }
    if (status == VIRGA_OK && !(layer->range[1] > layer->range[0]))
        status = wrong(place, "expected two rising numbers");
    layer->has_range = status == VIRGA_OK;
    return status;
}

// One [value, opacity]; the path stands at the point on entry, and on success on return.
static int check_point(struct place *place, const json_t *value, double point[2])
{
    int status = check_list(place, value, 2, 2);
    for (size_t i = 0; status == VIRGA_OK && i < 2; i++) {
        size_t length = enter_index(place, i);
        status = number_within(place, json_array_get(value, i), i == 0 ? -INFINITY : 0, i == 0 ? INFINITY : 1, &point[i]);
        if (status == VIRGA_OK)
            leave(place, length);
    }
    return status;
}

static int check_rising(struct place *place, const struct view_layer *layer)
{
    for (size_t i = 1; i < layer->opacity_count; i++) {
        if (layer->opacity[i][0] >= layer->opacity[i - 1][0])
            continue;
        enter_index(place, i);
        enter_index(place, 0);
        return wrong(place, "expected a value not below the one before");
    }
    return VIRGA_OK;
}

static int check_opacity(struct place *place, const json_t *value, void *out)
{
    struct view_layer *layer = out;
    int status = check_list(place, value, 1, VIEW_OPACITY_MAX);
    if (status != VIRGA_OK)
        return status;
    layer->opacity_count = json_array_size(value);
    for (size_t i = 0; i < layer->opacity_count; i++) {
        size_t length = enter_index(place, i);
        status = check_point(place, json_array_get(value, i), layer->opacity[i]);
        if (status != VIRGA_OK)
            return status;
        leave(place, length);
    }
    return check_rising(place, layer);
}

static int check_layer(struct place *place, const json_t *value, struct view_layer *layer)
{
    static const char *const names[] = {"variable", "visible", "colour_map", "range", "units", "opacity", "shading", NULL};
    int status = check_object(place, value);
    layer->visible = true;
    layer->shading = true;
    if (status == VIRGA_OK)
        status = member(place, value, "variable", true, check_id, layer->variable);
    if (status == VIRGA_OK)
        status = member(place, value, "visible", false, check_bool, &layer->visible);
    if (status == VIRGA_OK)
        status = member(place, value, "colour_map", false, check_colour_map, layer->colour_map);
    if (status == VIRGA_OK)
        status = member(place, value, "range", false, check_range, layer);
    if (status == VIRGA_OK)
        status = member(place, value, "units", false, check_units, layer->units);
    if (status == VIRGA_OK)
        status = member(place, value, "opacity", false, check_opacity, layer);
    if (status == VIRGA_OK)
        status = member(place, value, "shading", false, check_bool, &layer->shading);
    return status == VIRGA_OK ? no_others(place, value, names) : status;
}

static int check_layers(struct place *place, const json_t *value, void *out)
{
    struct view *view = out;
    int status = check_list(place, value, 0, VIEW_LAYERS_MAX);
    if (status != VIRGA_OK)
        return status;
    view->layer_count = json_array_size(value);
    for (size_t i = 0; i < view->layer_count; i++) {
        size_t length = enter_index(place, i);
        status = check_layer(place, json_array_get(value, i), &view->layers[i]);
        if (status != VIRGA_OK)
            return status;
        leave(place, length);
    }
    return VIRGA_OK;
}

static int check_vector(struct place *place, const json_t *value, void *out)
{
    double *vector = out;
    int status = check_list(place, value, 3, 3);
    for (size_t i = 0; status == VIRGA_OK && i < 3; i++) {
        size_t length = enter_index(place, i);
        status = number_within(place, json_array_get(value, i), -1e7, 1e7, &vector[i]);
        if (status == VIRGA_OK)
            leave(place, length);
    }
    return status;
}

static int check_mode(struct place *place, const json_t *value, void *out)
{
    static const char *const names[] = {"orbit", "fly", "top"};
    for (size_t i = 0; json_is_string(value) && i < 3; i++) {
        if (strcmp(json_string_value(value), names[i]) != 0)
            continue;
        *(enum view_camera_mode *)out = (enum view_camera_mode)i;
        return VIRGA_OK;
    }
    return wrong(place, "expected one of orbit, fly, top");
}

static int check_fov(struct place *place, const json_t *value, void *out)
{
    return number_within(place, value, 1, 120, out);
}

static bool same_place(const double a[3], const double b[3])
{
    return a[0] == b[0] && a[1] == b[1] && a[2] == b[2];
}

static int check_camera(struct place *place, const json_t *value, void *out)
{
    static const char *const names[] = {"mode", "eye", "target", "up", "fov", NULL};
    struct view_camera *camera = &((struct view *)out)->camera;
    int status = check_object(place, value);
    if (status == VIRGA_OK)
        status = member(place, value, "mode", false, check_mode, &camera->mode);
    if (status == VIRGA_OK)
        status = member(place, value, "eye", true, check_vector, camera->eye);
    if (status == VIRGA_OK)
        status = member(place, value, "target", true, check_vector, camera->target);
    if (status == VIRGA_OK)
        status = member(place, value, "up", false, check_vector, camera->up);
    if (status == VIRGA_OK)
        status = member(place, value, "fov", false, check_fov, &camera->fov);
    if (status == VIRGA_OK && same_place(camera->eye, camera->target)) {
        enter(place, "target");
        status = wrong(place, "expected a place other than the eye's");
    }
    ((struct view *)out)->has_camera = true;
    return status == VIRGA_OK ? no_others(place, value, names) : status;
}

static int check_azimuth(struct place *place, const json_t *value, void *out)
{
    return number_within(place, value, 0, 360, out);
}

static int check_elevation(struct place *place, const json_t *value, void *out)
{
    return number_within(place, value, -90, 90, out);
}

static int check_sun(struct place *place, const json_t *value, void *out)
{
    static const char *const names[] = {"azimuth", "elevation", NULL};
    struct view *view = out;
    if (json_is_string(value)) {
        view->sun_by_time = strcmp(json_string_value(value), "time") == 0;
        return view->sun_by_time ? VIRGA_OK : wrong(place, "expected \"time\" or an azimuth and an elevation");
    }
    int status = check_object(place, value);
    if (status == VIRGA_OK)
        status = member(place, value, "azimuth", true, check_azimuth, &view->sun_azimuth);
    if (status == VIRGA_OK)
        status = member(place, value, "elevation", true, check_elevation, &view->sun_elevation);
    return status == VIRGA_OK ? no_others(place, value, names) : status;
}

static int check_share(struct place *place, const json_t *value, void *out)
{
    return number_within(place, value, 0, 1, out);
}

static int check_light(struct place *place, const json_t *value, void *out)
{
    static const char *const names[] = {"sun", "shadows", "ambient", NULL};
    struct view *view = out;
    int status = check_object(place, value);
    if (status == VIRGA_OK)
        status = member(place, value, "sun", false, check_sun, view);
    if (status == VIRGA_OK)
        status = member(place, value, "shadows", false, check_bool, &view->shadows);
    if (status == VIRGA_OK)
        status = member(place, value, "ambient", false, check_share, &view->ambient);
    return status == VIRGA_OK ? no_others(place, value, names) : status;
}

static int check_exaggeration(struct place *place, const json_t *value, void *out)
{
    return number_within(place, value, 0.1, 1000, out);
}

static int check_map(struct place *place, const json_t *value, void *out)
{
    static const char *const names[] = {"coastlines", "graticule", "terrain", "height_axis", NULL};
    struct view *view = out;
    bool *targets[] = {&view->coastlines, &view->graticule, &view->terrain, &view->height_axis};
    int status = check_object(place, value);
    for (size_t i = 0; status == VIRGA_OK && i < 4; i++)
        status = member(place, value, names[i], false, check_bool, targets[i]);
    return status == VIRGA_OK ? no_others(place, value, names) : status;
}

static int check_size(struct place *place, const json_t *value, void *out)
{
    unsigned *size = out;
    int status = check_list(place, value, 2, 2);
    for (size_t i = 0; status == VIRGA_OK && i < 2; i++) {
        size_t length = enter_index(place, i);
        status = whole_within(place, json_array_get(value, i), 16, 16384, &size[i]);
        if (status == VIRGA_OK)
            leave(place, length);
    }
    return status;
}

static int check_version(struct place *place, const json_t *value, void *out)
{
    (void)out;
    return json_is_number(value) && json_number_value(value) == 1 ? VIRGA_OK : wrong(place, "expected 1");
}

static void set_defaults(struct view *view)
{
    *view = (struct view){
        .run = "latest", .time = "T+0",
        .camera = {.mode = VIEW_ORBIT, .up = {0, 0, 1}, .fov = 40},
        .sun_azimuth = 225, .sun_elevation = 40, .shadows = true, .ambient = 0.35,
        .exaggeration = 15,
        .coastlines = true, .graticule = true, .terrain = true, .height_axis = true,
    };
}

static int check_view(struct place *place, const json_t *value, struct view *view)
{
    static const char *const names[] = {"version", "dataset", "run", "time", "member", "layers", "camera", "light",
                                        "exaggeration", "map", "size", NULL};
    const struct { const char *name; bool required; check_function *check; void *out; } members[] = {
        {"version", true, check_version, NULL},
        {"dataset", true, check_id, view->dataset},
        {"run", false, check_run, view->run},
        {"time", false, check_time, view->time},
        {"member", false, check_member, &view->member},
        {"layers", true, check_layers, view},
        {"camera", false, check_camera, view},
        {"light", false, check_light, view},
        {"exaggeration", false, check_exaggeration, &view->exaggeration},
        {"map", false, check_map, view},
        {"size", false, check_size, view->size},
    };
    int status = VIRGA_OK;
    for (size_t i = 0; status == VIRGA_OK && i < sizeof members / sizeof members[0]; i++)
        status = member(place, value, members[i].name, members[i].required, members[i].check, members[i].out);
    return status == VIRGA_OK ? no_others(place, value, names) : status;
}

int view_parse(const char *json, size_t n, struct view *out, struct failure *failure)
{
    if (n > VIEW_TEXT_MAX)
        return failure_set(failure, VIRGA_INVALID, "view: longer than %d bytes", (int)VIEW_TEXT_MAX);
    json_error_t error;
    // Integers as reals, so that 1 and 1.0 are the same number, as in the page.
    json_t *value = json_loadb(json, n, JSON_DECODE_INT_AS_REAL | JSON_DECODE_ANY, &error);
    if (!value) {
        if (json_error_code(&error) == json_error_out_of_memory)
            return failure_set(failure, VIRGA_NO_MEMORY, "view: out of memory");
        utf8_clean(error.text);
        return failure_set(failure, VIRGA_INVALID, "view: not JSON (line %d, column %d: %s)", error.line, error.column, error.text);
    }
    struct place place = {.path = "", .failure = failure};
    set_defaults(out);
    int status = VIRGA_OK;
    if (!json_is_object(value))
        status = failure_set(failure, VIRGA_INVALID, "view: expected an object");
    else
        status = check_view(&place, value, out);
    json_decref(value);
    return status;
}
