// SPDX-License-Identifier: Apache-2.0
#include "render/view.h"

#include <ctype.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "render/document.h"
#include "render/sequence.h"
#include "render/view_check.h"
#include "tile/surface.h"

static int check_id(struct document *document, const json_t *value, void *out)
{
    return document_text(document, value, out, VIEW_ID_TEXT, isalnum, "_.-", "an identifier");
}

static int lower_or_digit(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static int check_colour_map(struct document *document, const json_t *value, void *out)
{
    return document_text(document, value, out, VIEW_COLOUR_MAP_TEXT, lower_or_digit, "_", "the name of a colour map");
}

static int check_units(struct document *document, const json_t *value, void *out)
{
    return document_text(document, value, out, VIEW_UNITS_TEXT, NULL, "", "");
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

static int check_run(struct document *document, const json_t *value, void *out)
{
    const char *text = short_text(value);
    if (!text || (strcmp(text, "latest") != 0 && !is_time(text)))
        return document_wrong(document, "expected \"latest\" or a time such as \"2009-11-19T03:00:00Z\"");
    memcpy(out, text, strlen(text) + 1);
    return VIRGA_OK;
}

int view_check_time(struct document *document, const json_t *value, void *out)
{
    const char *text = short_text(value);
    if (!text || (strcmp(text, "nearest to now") != 0 && !is_lead(text) && !is_time(text)))
        return document_wrong(document, "expected \"T+6\", \"nearest to now\" or a time such as \"2009-11-19T10:00:00Z\"");
    memcpy(out, text, strlen(text) + 1);
    return VIRGA_OK;
}

static int check_member(struct document *document, const json_t *value, void *out)
{
    return document_whole(document, value, 0, 100000, out);
}

static int check_range(struct document *document, const json_t *value, void *out)
{
    struct view_layer *layer = out;
    int status = document_list(document, value, 2, 2);
    for (size_t i = 0; status == VIRGA_OK && i < 2; i++) {
        size_t length = document_enter_index(document, i);
        status = document_number(document, json_array_get(value, i), -INFINITY, INFINITY, &layer->range[i]);
        if (status == VIRGA_OK)
            document_leave(document, length);
    }
    if (status == VIRGA_OK && !(layer->range[1] > layer->range[0]))
        status = document_wrong(document, "expected two rising numbers");
    layer->has_range = status == VIRGA_OK;
    return status;
}

// One [value, opacity]; the path stands at the point on entry, and on success on return.
static int check_point(struct document *document, const json_t *value, double point[2])
{
    int status = document_list(document, value, 2, 2);
    for (size_t i = 0; status == VIRGA_OK && i < 2; i++) {
        size_t length = document_enter_index(document, i);
        status = document_number(document, json_array_get(value, i), i == 0 ? -INFINITY : 0, i == 0 ? INFINITY : 1, &point[i]);
        if (status == VIRGA_OK)
            document_leave(document, length);
    }
    return status;
}

static int check_rising(struct document *document, const struct view_layer *layer)
{
    for (size_t i = 1; i < layer->opacity_count; i++) {
        if (layer->opacity[i][0] >= layer->opacity[i - 1][0])
            continue;
        document_enter_index(document, i);
        document_enter_index(document, 0);
        return document_wrong(document, "expected a value not below the one before");
    }
    return VIRGA_OK;
}

static int check_opacity(struct document *document, const json_t *value, void *out)
{
    struct view_layer *layer = out;
    int status = document_list(document, value, 1, VIEW_OPACITY_MAX);
    if (status != VIRGA_OK)
        return status;
    layer->opacity_count = json_array_size(value);
    for (size_t i = 0; i < layer->opacity_count; i++) {
        size_t length = document_enter_index(document, i);
        status = check_point(document, json_array_get(value, i), layer->opacity[i]);
        if (status != VIRGA_OK)
            return status;
        document_leave(document, length);
    }
    return check_rising(document, layer);
}

static int check_minus_run(struct document *document, const json_t *value, void *out)
{
    const char *text = short_text(value);
    if (!text || (strcmp(text, "previous") != 0 && strcmp(text, "latest") != 0 && !is_time(text)))
        return document_wrong(document, "expected \"previous\", \"latest\" or a time such as \"2009-11-19T03:00:00Z\"");
    memcpy(out, text, strlen(text) + 1);
    return VIRGA_OK;
}

static int check_minus(struct document *document, const json_t *value, void *out)
{
    static const char *const names[] = {"variable", "run", "member", NULL};
    struct view_minus *minus = out;
    int status = document_object(document, value);
    if (status == VIRGA_OK)
        status = document_member(document, value, "variable", false, check_id, minus->variable);
    if (status == VIRGA_OK)
        status = document_member(document, value, "run", false, check_minus_run, minus->run);
    if (status == VIRGA_OK)
        status = document_member(document, value, "member", false, check_member, &minus->member);
    if (status == VIRGA_OK)
        status = document_no_others(document, value, names);
    minus->used = true;
    minus->has_member = json_object_get(value, "member") != NULL;
    if (status == VIRGA_OK && !*minus->variable && !*minus->run && !minus->has_member)
        status = document_wrong(document, "expected a variable, a run or a member");
    return status;
}

// Plain numbers alone, as the page reads them; in limits by surface_parse. One place in a column: no maximum, no cloud top.
static bool is_level(const char *text)
{
    static const char *const suffixes[] = {"hPa", "Pa", "m", "km", "K", "m-above-ground", NULL};
    struct surface surface;
    const bool numbered = *text == 'k' || strncmp(text, "FL", 2) == 0;
    const char *at = text + (*text == 'k' ? 1 : numbered ? 2 : *text == '-' ? 1 : 0);
    size_t digits = strspn(at, "0123456789"), n = 0;
    at += digits;
    if (digits < 1 || digits > (numbered ? 4 : 6))
        return false;
    if (!numbered && *at == '.') {
        digits = strspn(at + 1, "0123456789");
        at += digits + 1;
        if (digits < 1 || digits > 6)
            return false;
    }
    while (!numbered && suffixes[n] && strcmp(at, suffixes[n]) != 0)
        n++;
    return (numbered ? !*at : suffixes[n] != NULL) && surface_parse(text, &surface, NULL) == VIRGA_OK;
}

static int check_level(struct document *document, const json_t *value, void *out)
{
    const char *text = json_string_value(value);
    if (!text || strlen(text) != json_string_length(value) || strlen(text) >= VIEW_LEVEL_TEXT || !is_level(text))
        return document_wrong(document, "expected a surface such as \"850hPa\", \"1500m\", \"FL100\", \"300K\" or \"k5\"");
    memcpy(out, text, strlen(text) + 1);
    return VIRGA_OK;
}

static int check_layer(struct document *document, const json_t *value, struct view_layer *layer)
{
    static const char *const names[] = {"variable", "visible", "colour_map", "range", "units", "opacity", "shading", "level", "minus", NULL};
    int status = document_object(document, value);
    layer->visible = true;
    layer->shading = true;
    if (status == VIRGA_OK)
        status = document_member(document, value, "variable", true, check_id, layer->variable);
    if (status == VIRGA_OK)
        status = document_member(document, value, "visible", false, document_bool, &layer->visible);
    if (status == VIRGA_OK)
        status = document_member(document, value, "colour_map", false, check_colour_map, layer->colour_map);
    if (status == VIRGA_OK)
        status = document_member(document, value, "range", false, check_range, layer);
    if (status == VIRGA_OK)
        status = document_member(document, value, "units", false, check_units, layer->units);
    if (status == VIRGA_OK)
        status = document_member(document, value, "opacity", false, check_opacity, layer);
    if (status == VIRGA_OK)
        status = document_member(document, value, "shading", false, document_bool, &layer->shading);
    if (status == VIRGA_OK)
        status = document_member(document, value, "level", false, check_level, layer->level);
    if (status == VIRGA_OK)
        status = document_member(document, value, "minus", false, check_minus, &layer->minus);
    if (status == VIRGA_OK)
        status = document_no_others(document, value, names);
    if (status == VIRGA_OK && *layer->level && layer->minus.used)
        return document_wrong(document, "a difference has no level");
    return status;
}

static int check_layers(struct document *document, const json_t *value, void *out)
{
    struct view *view = out;
    int status = document_list(document, value, 0, VIEW_LAYERS_MAX);
    if (status != VIRGA_OK)
        return status;
    view->layer_count = json_array_size(value);
    for (size_t i = 0; i < view->layer_count; i++) {
        size_t length = document_enter_index(document, i);
        status = check_layer(document, json_array_get(value, i), &view->layers[i]);
        if (status != VIRGA_OK)
            return status;
        document_leave(document, length);
    }
    return VIRGA_OK;
}

static int check_vector(struct document *document, const json_t *value, void *out)
{
    double *vector = out;
    int status = document_list(document, value, 3, 3);
    for (size_t i = 0; status == VIRGA_OK && i < 3; i++) {
        size_t length = document_enter_index(document, i);
        status = document_number(document, json_array_get(value, i), -1e7, 1e7, &vector[i]);
        if (status == VIRGA_OK)
            document_leave(document, length);
    }
    return status;
}

static int check_mode(struct document *document, const json_t *value, void *out)
{
    static const char *const names[] = {"orbit", "fly", "top"};
    for (size_t i = 0; json_is_string(value) && i < 3; i++) {
        if (strcmp(json_string_value(value), names[i]) != 0)
            continue;
        *(enum view_camera_mode *)out = (enum view_camera_mode)i;
        return VIRGA_OK;
    }
    return document_wrong(document, "expected one of orbit, fly, top");
}

static int check_fov(struct document *document, const json_t *value, void *out)
{
    return document_number(document, value, 1, 120, out);
}

static bool same_place(const double a[3], const double b[3])
{
    return a[0] == b[0] && a[1] == b[1] && a[2] == b[2];
}

int view_check_camera(struct document *document, const json_t *value, struct view_camera *camera)
{
    int status = document_object(document, value);
    if (status == VIRGA_OK)
        status = document_member(document, value, "mode", false, check_mode, &camera->mode);
    if (status == VIRGA_OK)
        status = document_member(document, value, "eye", true, check_vector, camera->eye);
    if (status == VIRGA_OK)
        status = document_member(document, value, "target", true, check_vector, camera->target);
    if (status == VIRGA_OK)
        status = document_member(document, value, "up", false, check_vector, camera->up);
    if (status == VIRGA_OK)
        status = document_member(document, value, "fov", false, check_fov, &camera->fov);
    if (status == VIRGA_OK && same_place(camera->eye, camera->target)) {
        document_enter(document, "target");
        status = document_wrong(document, "expected a place other than the eye's");
    }
    return status;
}

static int check_camera(struct document *document, const json_t *value, void *out)
{
    static const char *const names[] = {"mode", "eye", "target", "up", "fov", NULL};
    struct view *view = out;
    int status = view_check_camera(document, value, &view->camera);
    view->has_camera = true;
    return status == VIRGA_OK ? document_no_others(document, value, names) : status;
}

static int check_azimuth(struct document *document, const json_t *value, void *out)
{
    return document_number(document, value, 0, 360, out);
}

static int check_elevation(struct document *document, const json_t *value, void *out)
{
    return document_number(document, value, -90, 90, out);
}

static int check_sun(struct document *document, const json_t *value, void *out)
{
    static const char *const names[] = {"azimuth", "elevation", NULL};
    struct view *view = out;
    if (json_is_string(value)) {
        view->sun_by_time = strcmp(json_string_value(value), "time") == 0;
        return view->sun_by_time ? VIRGA_OK : document_wrong(document, "expected \"time\" or an azimuth and an elevation");
    }
    int status = document_object(document, value);
    if (status == VIRGA_OK)
        status = document_member(document, value, "azimuth", true, check_azimuth, &view->sun_azimuth);
    if (status == VIRGA_OK)
        status = document_member(document, value, "elevation", true, check_elevation, &view->sun_elevation);
    return status == VIRGA_OK ? document_no_others(document, value, names) : status;
}

static int check_share(struct document *document, const json_t *value, void *out)
{
    return document_number(document, value, 0, 1, out);
}

static int check_light(struct document *document, const json_t *value, void *out)
{
    static const char *const names[] = {"sun", "shadows", "ambient", NULL};
    struct view *view = out;
    int status = document_object(document, value);
    if (status == VIRGA_OK)
        status = document_member(document, value, "sun", false, check_sun, view);
    if (status == VIRGA_OK)
        status = document_member(document, value, "shadows", false, document_bool, &view->shadows);
    if (status == VIRGA_OK)
        status = document_member(document, value, "ambient", false, check_share, &view->ambient);
    return status == VIRGA_OK ? document_no_others(document, value, names) : status;
}

static int check_exaggeration(struct document *document, const json_t *value, void *out)
{
    return document_number(document, value, 0.1, 1000, out);
}

static int check_map(struct document *document, const json_t *value, void *out)
{
    static const char *const names[] = {"coastlines", "graticule", "terrain", "height_axis", NULL};
    struct view *view = out;
    bool *targets[] = {&view->coastlines, &view->graticule, &view->terrain, &view->height_axis};
    int status = document_object(document, value);
    for (size_t i = 0; status == VIRGA_OK && i < 4; i++)
        status = document_member(document, value, names[i], false, document_bool, targets[i]);
    return status == VIRGA_OK ? document_no_others(document, value, names) : status;
}

static int check_size(struct document *document, const json_t *value, void *out)
{
    unsigned *size = out;
    int status = document_list(document, value, 2, 2);
    for (size_t i = 0; status == VIRGA_OK && i < 2; i++) {
        size_t length = document_enter_index(document, i);
        status = document_whole(document, json_array_get(value, i), 16, 16384, &size[i]);
        if (status == VIRGA_OK)
            document_leave(document, length);
    }
    return status;
}

// Only whether it is right: sequence_parse gives what it says.
static int check_sequence(struct document *document, const json_t *value, void *out)
{
    (void)out;
    struct sequence *sequence = malloc(sizeof *sequence);
    int status = sequence ? sequence_check(document, value, sequence) : failure_set(document->failure, VIRGA_NO_MEMORY, "view: out of memory");
    free(sequence);
    return status;
}

// One line of text that may be empty.
static int check_caption(struct document *document, const json_t *value, void *out)
{
    size_t length = json_string_length(value);
    if (length >= VIEW_CAPTION_TEXT)
        return document_wrong(document, "expected at most %d bytes of text", VIEW_CAPTION_TEXT - 1);
    if (json_is_string(value) && length == 0) {
        *(char *)out = '\0';
        return VIRGA_OK;
    }
    return document_text(document, value, out, VIEW_CAPTION_TEXT, NULL, "", "");
}

static int check_title(struct document *document, const json_t *value, void *out)
{
    struct view_captions *captions = out;
    captions->has_title = true;
    return check_caption(document, value, captions->title);
}

static int check_captions(struct document *document, const json_t *value, void *out)
{
    static const char *const names[] = {"show", "title", "attribution", "legend", NULL};
    struct view_captions *captions = out;
    const struct { const char *name; document_check *check; void *out; } members[] = {
        {"show", document_bool, &captions->show},
        {"title", check_title, captions},
        {"attribution", check_caption, captions->attribution},
        {"legend", document_bool, &captions->legend},
    };
    int status = document_object(document, value);
    for (size_t i = 0; status == VIRGA_OK && i < sizeof members / sizeof *members; i++)
        status = document_member(document, value, members[i].name, false, members[i].check, members[i].out);
    return status == VIRGA_OK ? document_no_others(document, value, names) : status;
}

static int check_antialiasing(struct document *document, const json_t *value, void *out)
{
    return document_whole(document, value, 1, VIEW_ANTIALIASING_MAX, out);
}

static int check_version(struct document *document, const json_t *value, void *out)
{
    (void)out;
    return json_is_number(value) && json_number_value(value) == 1 ? VIRGA_OK : document_wrong(document, "expected 1");
}

static void set_defaults(struct view *view)
{
    *view = (struct view){
        .run = "latest", .time = "T+0",
        .camera = VIEW_CAMERA_DEFAULTS,
        .sun_azimuth = 225, .sun_elevation = 40, .shadows = true, .ambient = 0.35,
        .exaggeration = 15,
        .coastlines = true, .graticule = true, .terrain = true, .height_axis = true,
        .captions = {.show = true, .legend = true}, .antialiasing = 2,
    };
}

static int check_view(struct document *document, const json_t *value, struct view *view)
{
    static const char *const names[] = {"version", "dataset", "run", "time", "member", "layers", "camera", "light",
                                        "exaggeration", "map", "size", "captions", "antialiasing", "transparent", "sequence", NULL};
    const struct { const char *name; bool required; document_check *check; void *out; } members[] = {
        {"version", true, check_version, NULL},
        {"dataset", true, check_id, view->dataset},
        {"run", false, check_run, view->run},
        {"time", false, view_check_time, view->time},
        {"member", false, check_member, &view->member},
        {"layers", true, check_layers, view},
        {"camera", false, check_camera, view},
        {"light", false, check_light, view},
        {"exaggeration", false, check_exaggeration, &view->exaggeration},
        {"map", false, check_map, view},
        {"size", false, check_size, view->size},
        {"captions", false, check_captions, &view->captions},
        {"antialiasing", false, check_antialiasing, &view->antialiasing},
        {"transparent", false, document_bool, &view->transparent},
        {"sequence", false, check_sequence, NULL},
    };
    int status = VIRGA_OK;
    for (size_t i = 0; status == VIRGA_OK && i < sizeof members / sizeof members[0]; i++)
        status = document_member(document, value, members[i].name, members[i].required, members[i].check, members[i].out);
    return status == VIRGA_OK ? document_no_others(document, value, names) : status;
}

int view_parse(const char *json, size_t n, struct view *out, struct failure *failure)
{
    json_t *value;
    int status = document_load("view", json, n, VIEW_TEXT_MAX, &value, failure);
    if (status != VIRGA_OK)
        return status;
    struct document document = {.failure = failure};
    set_defaults(out);
    if (!json_is_object(value))
        status = failure_set(failure, VIRGA_INVALID, "view: expected an object");
    else
        status = check_view(&document, value, out);
    json_decref(value);
    return status;
}
