// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "render/view_domain.h"
#include "render/view_write.h"
#include "server/app.h"
#include "server/command_line.h"
#include "server/commands.h"

static const char help[] =
    "Usage: virga view [OPTION…] PATH…\n"
    "\n"
    "Prints a view document of a forecast: what to show of it, how, and from where. It is the\n"
    "picture that the page shows at first; change it as you like (render/README.md says what it may\n"
    "hold), and give it to virga export, or to the page behind \"#view=\".\n"
    "\n"
    "      --variable V         show this one: its name, standard name or id, as virga info lists\n"
    "                           it; again for more (what suits the dataset best)\n"
    "      --dataset ID         which dataset, where there are several (the first)\n"
    "      --run R              the run's reference time, or latest (the default: a view that stays\n"
    "                           live)\n"
    "      --time T             a valid time, such as 2026-01-31T12:00Z, a lead time in hours, such\n"
    "                           as T+6, or \"nearest to now\" (the run's first)\n"
    "      --member M           the ensemble member's label (the first)\n"
    "      --top                from straight above (from the south, a little from above)\n"
    "      --size WxH           of the picture, in pixels (1280x720)\n"
    "      --compact            in one line, for the page's address\n"
    COMMAND_LINE_SETTINGS_HELP
    "\n"
    "Examples:\n"
    "  virga view forecast.nc > view.json\n"
    "  virga view forecast.nc --variable cloud_area_fraction_in_atmosphere_layer \\\n"
    "      --variable wind_speed --time T+12 --top --size 1920x1080\n"
    "\n"
    "Exit status: 0 printed, 1 failed, 2 wrong use, also a time between steps.\n";

static const struct option_spec specs[] = {
    COMMAND_LINE_SETTINGS, {"variable", 0, true}, {"dataset", 0, true}, {"run", 0, true},     {"time", 0, true},
    {"member", 0, true},   {"top", 0, false},     {"size", 0, true},    {"compact", 0, false}, {NULL, 0, false}};

enum { DIGITS = 7 };

struct view_flags {
    const char *variables[VIEW_LAYERS_MAX];
    size_t variable_count;
    const char *dataset, *run, *time, *member;
    unsigned size[2];
    bool top, compact;
};

static int set_size(struct view_flags *flags, const char *value, struct failure *failure) {
    char rest;
    unsigned *size = flags->size;
    if (sscanf(value, "%5ux%5u%c", &size[0], &size[1], &rest) == 2 && size[0] && size[1]) return VIRGA_OK;
    return failure_set(failure, VIRGA_INVALID, "size = \"%s\" must be like 1280x720", value);
}

static int take(void *user, const char *name, const char *value, struct failure *failure) {
    struct view_flags *flags = user;
    if (!strcmp(name, "top")) flags->top = true;
    else if (!strcmp(name, "compact")) flags->compact = true;
    else if (!strcmp(name, "dataset")) flags->dataset = value;
    else if (!strcmp(name, "run")) flags->run = value;
    else if (!strcmp(name, "time")) flags->time = value;
    else if (!strcmp(name, "member")) flags->member = value;
    else if (!strcmp(name, "size")) return set_size(flags, value, failure);
    else if (flags->variable_count < VIEW_LAYERS_MAX) flags->variables[flags->variable_count++] = value;
    else return failure_set(failure, VIRGA_INVALID, "a view has %d variables at most", VIEW_LAYERS_MAX);
    return VIRGA_OK;
}

static bool has_all(const struct catalog_dataset *set, const struct view_flags *flags) {
    for (size_t n = 0; n < flags->variable_count; n++)
        if (catalog_find_variable_named(set, flags->variables[n]) < 0) return false;
    return true;
}

// The dataset named, else the first that has all variables, else the first: then the view says which it lacks.
static const char *choose_dataset(const struct catalog *catalog, const struct view_flags *flags) {
    for (size_t d = 0; d < catalog->dataset_count && !flags->dataset && flags->variable_count; d++)
        if (has_all(&catalog->datasets[d], flags)) return catalog->datasets[d].id;
    return flags->dataset;
}

static int copy(char *out, size_t room, const char *name, const char *value, struct failure *failure) {
    if (strlen(value) >= room) return failure_set(failure, VIRGA_INVALID, "%s is too long", name);
    strcpy(out, value);
    return VIRGA_OK;
}

static int set_variables(struct view *view, const struct catalog_dataset *set, const struct view_flags *flags,
                         struct failure *failure) {
    for (size_t n = 0; n < flags->variable_count; n++) {
        int index = catalog_find_variable_named(set, flags->variables[n]);
        const char *id = index < 0 ? flags->variables[n] : set->variables[index].id;
        view->layers[n] = view->layers[0];
        int status = copy(view->layers[n].variable, VIEW_ID_TEXT, "variable", id, failure);
        if (status) return status;
        view->layer_count = n + 1;
        if (n == 0 && index >= 0) view->exaggeration = view_default_exaggeration(set, &set->variables[index]);
    }
    return VIRGA_OK;
}

// What the flags say, put into the view that the page would begin with.
static int begin(const struct catalog *catalog, const struct view_flags *flags, struct view *view, struct failure *failure) {
    int status = view_default(catalog, choose_dataset(catalog, flags), view, failure);
    const struct catalog_dataset *set = status ? NULL : catalog_find_dataset(catalog, view->dataset);
    if (set) status = set_variables(view, set, flags, failure);
    if (!status && flags->run) status = copy(view->run, sizeof view->run, "run", flags->run, failure);
    if (!status && flags->time) status = copy(view->time, sizeof view->time, "time", flags->time, failure);
    if (!status && flags->member) status = view_resolve_member(view, set, flags->member, &view->member, failure);
    view->size[0] = flags->size[0], view->size[1] = flags->size[1];
    return status;
}

// The flags' texts and numbers meet the rules of a view document, as any other's.
static int check(const struct view *view, struct failure *failure) {
    static struct view again;
    char *text = view_write(view, false);
    int status = text ? view_parse(text, strlen(text), &again, failure) : failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    free(text);
    return status;
}

// The step meant; where the run has no T+0, a time that it has is written in its place.
static int set_time(struct view *view, const struct view_resolved *resolved, double *seconds, struct failure *failure) {
    size_t step;
    bool exact;
    int status = view_resolve_time(resolved, view->time, (double)time(NULL), &step, &exact, failure);
    if (status) return status;
    const struct catalog_time *found = &resolved->times[step];
    if (!exact)
        return failure_set(failure, VIRGA_INVALID, "time: \"%s\" is not a step of this run; the nearest is %s", view->time, found->iso);
    *seconds = found->seconds;
    if (!strcmp(view->time, "T+0")) view_resolved_lead(resolved, step, view->time);
    return VIRGA_OK;
}

static double shortened(double value, const char *format, int digits) {
    char text[400];
    snprintf(text, sizeof text, format, digits, value);
    return strtod(text, NULL);
}

// To what anybody sees, as the page's address has it: metres of places.
static void shorten(struct view_camera *camera) {
    for (int n = 0; n < 3; n++) {
        camera->eye[n] = shortened(shortened(camera->eye[n], "%.*g", DIGITS), "%.*f", 3);
        camera->target[n] = shortened(shortened(camera->target[n], "%.*g", DIGITS), "%.*f", 3);
    }
}

static int set_camera(struct view *view, const struct view_resolved *resolved, struct catalog *catalog, double seconds, bool top,
                      struct failure *failure) {
    struct layer_spaces *spaces = layer_spaces_new(catalog, NULL);
    struct view_domain domain;
    if (!spaces) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    int status = view_domain_find(resolved, spaces, seconds, &domain, failure);
    if (!status) {
        const double aspect = (double)view->size[0] / view->size[1];
        (top ? camera_frame_top : camera_frame)(&view->camera, &domain.box, view->exaggeration, aspect);
        shorten(&view->camera);
        view->has_camera = true;
    }
    layer_spaces_free(spaces);
    return status;
}

// Layers as they look, nothing left open; what the page has no room for is there, hidden.
static void set_looks(struct view *view, const struct view_resolved *resolved) {
    size_t volumes = 0, planes = 0;
    for (size_t n = 0; n < resolved->layer_count; n++) {
        const struct view_resolved_layer *layer = &resolved->layers[n];
        view->layers[n] = layer->look;
        view->layers[n].visible = (layer->of->vertical ? volumes++ : planes++) < VIEW_DRAWN_MAX;
    }
}

static int make(struct app *app, const struct view_flags *flags, struct view *view, struct failure *failure) {
    static struct view_resolved resolved;
    double seconds = 0;
    int status = begin(app->catalog, flags, view, failure);
    if (!status) status = check(view, failure);
    if (!status) status = view_resolve(view, app->catalog, &resolved, failure);
    if (!status) status = set_time(view, &resolved, &seconds, failure);
    const struct brick_fetch_options fetch = {.catalog = app->catalog, .store = app->bricks};
    if (!status) status = view_complete(&resolved, &fetch, failure);
    if (status) return status;
    set_looks(view, &resolved);
    return set_camera(view, &resolved, app->catalog, seconds, flags->top, failure);
}

static int print(const struct view *view, bool lines, struct failure *failure) {
    char *text = view_write(view, lines);
    if (!text) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    bool good = puts(text) >= 0 && fflush(stdout) == 0;
    free(text);
    return good ? VIRGA_OK : failure_set(failure, VIRGA_IO, "cannot write the view");
}

static int run(const struct command_line *line, const struct config *config, const struct view_flags *flags) {
    static struct view view;
    struct failure failure = {0};
    struct app app;
    int status = app_init(&app, config, &failure);
    if (!status) status = make(&app, flags, &view, &failure);
    if (!status) status = print(&view, !flags->compact, &failure);
    app_destroy(&app);
    return status == VIRGA_OK ? EXIT_DONE : command_line_failed(line, &failure);
}

int command_view(int argc, char **argv) {
    struct view_flags flags = {.size = {VIEW_USUAL_WIDTH, VIEW_USUAL_HEIGHT}};
    struct command_line line = {.name = "view", .help = help, .specs = specs, .take = take, .user = &flags};
    struct config config;
    int done = command_line_read(&line, argc, argv, &config);
    if (done < 0 && !config.path_count) done = command_line_wrong(&line, "name the forecast file");
    else if (done < 0) done = run(&line, &config, &flags);
    config_destroy(&config);
    return done;
}
