// SPDX-License-Identifier: Apache-2.0
// As web/view/view_resolve.js, but that what cannot be shown as asked for is an error: nobody looks at a picture while it is made.
#include "render/view_resolve.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "render/colour_map.h"
#include "render/view_minus.h"

static const double same_step = 1, same_time = 2;  // seconds; lead times are written with at most six decimals of an hour
enum { LIST_TEXT = 300 };

// Appends "a" or ", a" as far as there is room, then "…" once.
static void list_add(char list[LIST_TEXT], const char *name)
{
    static const char more[] = ", …";
    size_t used = strlen(list), length = strlen(name) + (used ? 2 : 0);
    if (used + length + sizeof more <= LIST_TEXT)
        sprintf(list + used, "%s%s", used ? ", " : "", name);
    else if (used < sizeof more || strcmp(list + used - (sizeof more - 1), more) != 0)
        strcpy(list + used, more);
}

static int find_dataset(const struct view *view, const struct catalog *catalog, struct view_resolved *resolved,
                        struct failure *failure)
{
    char list[LIST_TEXT] = "";
    resolved->dataset = catalog_find_dataset(catalog, view->dataset);
    if (resolved->dataset)
        return VIRGA_OK;
    for (size_t n = 0; n < catalog->dataset_count; n++)
        list_add(list, catalog->datasets[n].id);
    return failure_set(failure, VIRGA_NOT_FOUND, "dataset: \"%s\" is not on offer%s%s", view->dataset,
                       *list ? "; there is " : "", list);
}

// What the view asks of the latest run: its step, by lead or by valid time. "nearest to now" asks for none.
static int latest_run(const struct view *view, const struct catalog_dataset *dataset)
{
    int variables[VIEW_LAYERS_MAX];
    struct catalog_asked asked = {.variables = variables, .lead = view->time[0] == 'T', .seconds = NAN};
    enum cf_calendar calendar = CALENDAR_STANDARD;
    for (size_t n = 0; n < view->layer_count; n++)
        if (view->layers[n].visible)
            variables[asked.count++] = catalog_find_variable(dataset, view->layers[n].variable);
    if (asked.count && variables[0] >= 0)
        cf_calendar_parse(dataset->variables[variables[0]].calendar, &calendar);
    if (asked.lead)
        asked.seconds = 3600 * strtod(view->time + 1, NULL);
    else if (cf_time_parse(calendar, view->time, &asked.seconds))
        asked.seconds = NAN;
    return catalog_find_latest(dataset, &asked);
}

static int find_run(const struct view *view, struct view_resolved *resolved, struct failure *failure)
{
    const struct catalog_dataset *dataset = resolved->dataset;
    int run = strcmp(view->run, "latest") ? catalog_find_run(dataset, view->run) : latest_run(view, dataset);
    if (run < 0)
        return failure_set(failure, VIRGA_NOT_FOUND, "run: %s is not on offer%s%s", view->run,
                           dataset->run_count ? "; the latest is " : "",
                           dataset->run_count ? dataset->runs[dataset->latest].time.iso : "");
    resolved->run = (size_t)run;
    return VIRGA_OK;
}

// The surface that a layer is sliced at, which its title names: "Air temperature, 850 hPa".
static int find_surface(struct view_resolved_layer *layer, size_t index, struct failure *failure)
{
    char title[SURFACE_TITLE];
    presets_title(layer->of, layer->title);
    if (!*layer->look.level)
        return VIRGA_OK;
    if (!layer->of->vertical)
        return failure_set(failure, VIRGA_NOT_FOUND, "layers[%zu].level: \"%s\" has no levels", index, layer->of->id);
    if (surface_parse(layer->look.level, &layer->surface, NULL) != VIRGA_OK || (layer->surface.kind == SURFACE_LEVEL && layer->surface.value >= (double)layer->of->nz))
        return failure_set(failure, VIRGA_NOT_FOUND, "layers[%zu].level: \"%s\" has model levels k0 to k%zu", index, layer->of->id, layer->of->nz - 1);
    surface_title(&layer->surface, title);
    size_t used = strlen(layer->title);
    snprintf(layer->title + used, sizeof layer->title - used, ", %s", title);
    return VIRGA_OK;
}

static int find_variable(const struct view *view, size_t index, struct view_resolved *resolved, struct failure *failure)
{
    const struct catalog_dataset *dataset = resolved->dataset;
    struct view_resolved_layer *layer = &resolved->layers[index];
    char list[LIST_TEXT] = "";
    int variable = catalog_find_variable(dataset, view->layers[index].variable);
    for (size_t n = 0; variable < 0 && n < dataset->variable_count; n++)
        if (!dataset->variables[n].hidden)
            list_add(list, dataset->variables[n].id);
    if (variable < 0)
        return failure_set(failure, VIRGA_NOT_FOUND, "layers[%zu].variable: \"%s\" is not in this dataset; it has %s", index,
                           view->layers[index].variable, *list ? list : "none");
    layer->variable = (size_t)variable;
    layer->of = &dataset->variables[variable];
    layer->look = view->layers[index];
    snprintf(layer->look.variable, sizeof layer->look.variable, "%s", layer->of->id);
    const struct catalog_series *series = &dataset->runs[resolved->run].series[variable];
    layer->series = series->present && series->time_count > 0 ? series : NULL;
    layer->lattice = layer->of->lattice;
    int status = find_surface(layer, index, failure);
    if (status != VIRGA_OK)
        return status;
    if (layer->series || !layer->look.visible)
        return VIRGA_OK;
    return failure_set(failure, VIRGA_NOT_FOUND, "layers[%zu].variable: \"%s\" is not in the run of %s", index, layer->of->id,
                       dataset->runs[resolved->run].time.iso);
}

// Whether a run has anything of a layer's member.
static bool has_member(const struct view_resolved *resolved, const struct view_resolved_layer *layer, size_t member)
{
    struct field_ref field = {.dataset = resolved->dataset, .variable = layer->variable, .run = resolved->run, .member = member};
    for (; layer->series && field.step < layer->series->time_count; field.step++)
        if (catalog_has_member(&field))
            return true;
    return false;
}

int view_resolve_member(const struct view *view, const struct catalog_dataset *dataset, const char *label, unsigned *member,
                        struct failure *failure)
{
    const struct catalog_variable *most = NULL;
    for (size_t n = 0; n < view->layer_count; n++) {
        int index = catalog_find_variable(dataset, view->layers[n].variable);
        if (index >= 0 && (!most || dataset->variables[index].member_count > most->member_count))
            most = &dataset->variables[index];
    }
    for (size_t m = 0; *label && most && m < most->member_count; m++)
        if (!strcmp(most->members[m], label)) {
            *member = (unsigned)m;
            return VIRGA_OK;
        }
    return failure_set(failure, VIRGA_NOT_FOUND, "there is no member %s; virga info lists them", label);
}

// A variable with a single member (an orography, a mean) goes with every member of the others.
static int find_members(const struct view *view, struct view_resolved *resolved, struct failure *failure)
{
    size_t offered = 1;
    for (size_t n = 0; n < resolved->dataset->variable_count; n++)
        if (!resolved->dataset->variables[n].hidden && resolved->dataset->variables[n].member_count > offered)
            offered = resolved->dataset->variables[n].member_count;
    if (view->member >= offered)
        return failure_set(failure, VIRGA_NOT_FOUND, "member: %u is not on offer, there %s %zu", view->member,
                           offered == 1 ? "is" : "are", offered);
    resolved->member = view->member;
    for (size_t n = 0; n < resolved->layer_count; n++) {
        struct view_resolved_layer *layer = &resolved->layers[n];
        layer->member = view->member < layer->of->member_count ? view->member : 0;
        if (layer->look.visible && layer->series && !has_member(resolved, layer, layer->member))
            return failure_set(failure, VIRGA_NOT_FOUND, "member: %zu of %s is not in the run of %s", layer->member, layer->of->id,
                               resolved->dataset->runs[resolved->run].time.iso);
    }
    return VIRGA_OK;
}

static int find_differences(struct view_resolved *resolved, struct failure *failure)
{
    int status = VIRGA_OK;
    for (size_t n = 0; n < resolved->layer_count && status == VIRGA_OK; n++)
        if (resolved->layers[n].look.minus.used)
            status = view_minus_resolve(resolved, n, failure);
    return status;
}

// Fields that a layer is made of.
static size_t fields_of(const struct view_resolved_layer *layer)
{
    return layer->minus.used ? 2 : 1;
}

// The page holds four fields at most; where layers have more, the visible ones go first.
static void place(struct view_resolved *resolved)
{
    size_t held = 0, fields = 0;
    for (size_t n = 0; n < resolved->layer_count; n++)
        fields += fields_of(&resolved->layers[n]);
    for (size_t n = 0; n < resolved->layer_count; n++) {
        struct view_resolved_layer *layer = &resolved->layers[n];
        if (fields > VIEW_PLACED_MAX && !layer->look.visible)
            continue;
        held += fields_of(layer);
        layer->placed = held <= VIEW_PLACED_MAX && layer->series;
    }
}

// A difference begins and ends where both do.
static void trim_times(struct view_resolved *resolved)
{
    const struct view_resolved_layer *first = &resolved->layers[resolved->first];
    while (resolved->time_count > 1 && view_resolved_step(first, resolved->times[0].seconds) < 0) {
        resolved->times++;
        resolved->time_count--;
    }
    while (resolved->time_count > 1 && view_resolved_step(first, resolved->times[resolved->time_count - 1].seconds) < 0)
        resolved->time_count--;
}

static int find_times(struct view_resolved *resolved, struct failure *failure)
{
    resolved->first = resolved->layer_count;
    for (size_t n = resolved->layer_count; n-- > 0;) {
        bool constant = catalog_is_constant(resolved->layers[n].of), found = resolved->first < resolved->layer_count;
        if (resolved->layers[n].series && (!constant || !found || catalog_is_constant(resolved->layers[resolved->first].of)))
            resolved->first = n;
    }
    if (resolved->first == resolved->layer_count)
        return failure_set(failure, VIRGA_NOT_FOUND, resolved->layer_count ? "layers: none of them is in the run of %s" : "layers: there is none",
                           resolved->dataset->runs[resolved->run].time.iso);
    resolved->times = resolved->layers[resolved->first].series->times;
    resolved->time_count = resolved->layers[resolved->first].series->time_count;
    trim_times(resolved);
    return VIRGA_OK;
}

void view_resolved_title(const struct view_resolved_layer *layer, char title[VIEW_TITLE_TEXT])
{
    const char *difference = layer->difference, *between = strncmp(difference, "minus", strlen("minus")) == 0 ? " " : *difference ? ", " : "";
    snprintf(title, VIEW_TITLE_TEXT, "%s%s%s", layer->title, between, difference);
}

// The titles of what is visible: "Cloud area fraction, wind speed".
static void write_title(struct view_resolved *resolved)
{
    size_t used = 0;
    for (size_t n = 0; n < resolved->layer_count; n++) {
        const struct view_resolved_layer *layer = &resolved->layers[n];
        char title[VIEW_TITLE_TEXT];
        view_resolved_title(layer, title);
        if (!layer->look.visible || !layer->placed || used + 2 + strlen(title) >= sizeof resolved->title)
            continue;
        snprintf(resolved->title + used, sizeof resolved->title - used, "%s%s", used ? ", " : "", title);
        used = strlen(resolved->title);
    }
}

int view_resolve(const struct view *view, const struct catalog *catalog, struct view_resolved *resolved, struct failure *failure)
{
    memset(resolved, 0, sizeof *resolved);
    int status = find_dataset(view, catalog, resolved, failure);
    if (status == VIRGA_OK)
        status = find_run(view, resolved, failure);
    for (size_t n = 0; status == VIRGA_OK && n < view->layer_count; n++) {
        status = find_variable(view, n, resolved, failure);
        resolved->layer_count++;
    }
    if (status == VIRGA_OK)
        status = find_members(view, resolved, failure);
    if (status == VIRGA_OK)
        status = find_differences(resolved, failure);
    if (status == VIRGA_OK)
        status = find_times(resolved, failure);
    if (status != VIRGA_OK)
        return status;
    place(resolved);
    write_title(resolved);
    return VIRGA_OK;
}

// Smallest and largest value of the variable's first step, from its table; NaN where all is missing.
static int read_range(const struct view_resolved *resolved, const struct view_resolved_layer *layer, struct brick_fetch *fetch,
                      double range[2], struct failure *failure)
{
    const struct field_ref field = view_resolved_field(resolved, layer, 0);
    struct step_table *table = NULL;
    int status = brick_fetch_table(fetch, &field, &table, failure);
    if (status != VIRGA_OK)
        return status;
    range[0] = table->lowest;
    range[1] = table->highest;
    step_table_free(table);
    return VIRGA_OK;
}

static int check_colour_map(const struct view_resolved_layer *layer, size_t index, struct failure *failure)
{
    char list[LIST_TEXT] = "";
    if (colour_map_find(layer->look.colour_map))
        return VIRGA_OK;
    for (size_t n = 0; colour_map_name(n); n++)
        list_add(list, colour_map_name(n));
    return failure_set(failure, VIRGA_NOT_FOUND, "layers[%zu].colour_map: \"%s\" is not known; there are %s", index,
                       layer->look.colour_map, list);
}

static int complete(struct view_resolved *resolved, size_t index, struct brick_fetch *fetch, struct failure *failure)
{
    struct view_resolved_layer *layer = &resolved->layers[index];
    struct failure why = {0};
    double range[2];
    bool asked = layer->series && !layer->look.has_range && !layer->minus.used && presets_need_data(layer->of);
    int status = asked ? read_range(resolved, layer, fetch, range, &why) : VIRGA_OK;
    if (status != VIRGA_OK)
        return failure_set(failure, status, "layers[%zu]: %s", index, why.message);
    status = presets_fill(layer->of, asked ? range : NULL, &layer->look);
    if (status != VIRGA_OK)
        return failure_set(failure, status, "layers[%zu]: out of memory", index);
    presets_units(layer->of, layer->look.units, layer->minus.used, &layer->units);
    return check_colour_map(layer, index, failure);
}

int view_complete(struct view_resolved *resolved, const struct brick_fetch_options *options, struct failure *failure)
{
    struct brick_fetch *fetch = brick_fetch_new(options);
    int status = fetch ? VIRGA_OK : failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    for (size_t n = 0; status == VIRGA_OK && n < resolved->layer_count; n++)
        status = complete(resolved, n, fetch, failure);
    brick_fetch_free(fetch);
    return status;
}

static size_t nearest(const struct catalog_time *times, size_t count, double seconds)
{
    size_t best = 0;
    for (size_t n = 1; n < count; n++)
        if (fabs(times[n].seconds - seconds) < fabs(times[best].seconds - seconds))
            best = n;
    return best;
}

enum cf_calendar view_resolved_calendar(const struct view_resolved *resolved)
{
    enum cf_calendar calendar = CALENDAR_STANDARD;
    cf_calendar_parse(resolved->layers[resolved->first].of->calendar, &calendar);
    return calendar;
}

// The run's time, counted in the calendar of the first layer.
static int run_seconds(const struct view_resolved *resolved, double *seconds)
{
    return cf_time_parse(view_resolved_calendar(resolved), resolved->dataset->runs[resolved->run].time.iso, seconds);
}

// Seconds that a rule means, counted in the same calendar.
static int wanted_seconds(const struct view_resolved *resolved, const char *rule, double now, double *seconds)
{
    if (strcmp(rule, "nearest to now") == 0) {
        *seconds = now;
        return VIRGA_OK;
    }
    if (rule[0] != 'T')
        return cf_time_parse(view_resolved_calendar(resolved), rule, seconds);
    char *end;
    double hours = strtod(rule + 1, &end);
    int status = run_seconds(resolved, seconds);
    *seconds += 3600 * hours;
    return status == VIRGA_OK && end > rule + 1 && !*end && isfinite(hours) ? VIRGA_OK : VIRGA_INVALID;
}

int view_resolve_seconds(const struct view_resolved *resolved, const char *rule, double now, double *seconds,
                         struct failure *failure)
{
    if (wanted_seconds(resolved, rule, now, seconds) == VIRGA_OK && isfinite(*seconds))
        return VIRGA_OK;
    return failure_set(failure, VIRGA_INVALID, "time: \"%s\" is no time of the calendar \"%s\"", rule,
                       resolved->layers[resolved->first].of->calendar);
}

int view_resolve_time(const struct view_resolved *resolved, const char *rule, double now, size_t *step, bool *exact,
                      struct failure *failure)
{
    double seconds;
    int status = view_resolve_seconds(resolved, rule, now, &seconds, failure);
    if (status != VIRGA_OK)
        return status;
    *step = nearest(resolved->times, resolved->time_count, seconds);
    *exact = strcmp(rule, "nearest to now") == 0 || strcmp(rule, "T+0") == 0 ||
             fabs(resolved->times[*step].seconds - seconds) <= same_time;
    return VIRGA_OK;
}

void view_resolved_lead(const struct view_resolved *resolved, size_t step, char rule[VIEW_TIME_TEXT])
{
    double run = resolved->times[step].seconds;
    run_seconds(resolved, &run);
    double hours = (resolved->times[step].seconds - run) / 3600;
    snprintf(rule, VIEW_TIME_TEXT, "T%c%.6f", hours < 0 ? '-' : '+', fmin(999999, fabs(hours)));
    size_t end = strlen(rule);
    while (rule[end - 1] == '0')
        end--;
    rule[rule[end - 1] == '.' ? end - 1 : end] = '\0';
}

struct field_ref view_resolved_field(const struct view_resolved *resolved, const struct view_resolved_layer *layer, size_t step)
{
    return (struct field_ref){.dataset = resolved->dataset, .variable = layer->variable, .run = resolved->run,
                              .member = layer->member, .step = step};
}

struct field_ref view_resolved_minus_field(const struct view_resolved *resolved, const struct view_resolved_layer *layer, size_t step)
{
    return (struct field_ref){.dataset = resolved->dataset, .variable = layer->minus.variable, .run = layer->minus.run,
                              .member = layer->minus.member, .step = step};
}

static ptrdiff_t step_at(const struct catalog_variable *of, const struct catalog_series *series, double seconds)
{
    for (size_t n = 0; series && n < series->time_count; n++)
        if (catalog_is_constant(of) || fabs(series->times[n].seconds - seconds) < same_step)
            return (ptrdiff_t)n;
    return -1;
}

ptrdiff_t view_resolved_minus_step(const struct view_resolved_layer *layer, double seconds)
{
    return layer->minus.used ? step_at(layer->minus.of, layer->minus.series, seconds) : -1;
}

ptrdiff_t view_resolved_step(const struct view_resolved_layer *layer, double seconds)
{
    bool lacks = layer->minus.used && view_resolved_minus_step(layer, seconds) < 0;
    return lacks ? -1 : step_at(layer->of, layer->series, seconds);
}

static enum view_form form_of(const struct view_resolved_layer *layer)
{
    return !layer->of->vertical ? VIEW_FORM_GROUND : *layer->look.level ? VIEW_FORM_SLICE : VIEW_FORM_VOLUME;
}

size_t view_resolved_drawn(const struct view_resolved *resolved, double seconds, enum view_form form, size_t layers[VIEW_DRAWN_MAX])
{
    size_t count = 0, fields = 0;
    for (size_t n = 0; n < resolved->layer_count; n++) {
        const struct view_resolved_layer *layer = &resolved->layers[n];
        size_t more = form == VIEW_FORM_VOLUME ? fields_of(layer) : 1;
        if (!layer->placed || !layer->look.visible || form_of(layer) != form || fields + more > VIEW_DRAWN_MAX ||
            view_resolved_step(layer, seconds) < 0)
            continue;
        fields += more;
        layers[count++] = n;
    }
    return count;
}
