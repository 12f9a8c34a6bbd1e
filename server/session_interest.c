// SPDX-License-Identifier: Apache-2.0
#include "server/session_interest.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "brick/brick_store.h"

// The step of a series with this valid time, or -1. Times increase.
static int64_t find_time(const struct catalog_series *series, double seconds) {
    size_t lo = 0, hi = series->time_count;
    while (lo < hi) {
        size_t middle = (lo + hi) / 2;
        if (series->times[middle].seconds < seconds - 0.5) lo = middle + 1;
        else hi = middle;
    }
    return lo < series->time_count && fabs(series->times[lo].seconds - seconds) <= 0.5 ? (int64_t)lo : -1;
}

// The step `by` steps on in the times that are counted; around the end only while playing, as the page plays in a loop. -1: there is none.
static int64_t step_on(const struct ws_interest *asked, size_t count, int64_t by) {
    int64_t n = (int64_t)count, at = (int64_t)asked->time + by;
    if (at >= 0 && at < n) return at;
    if (!(asked->rate > 0) || (by < 0 ? -by : by) >= n) return -1;
    return ((at % n) + n) % n;
}

static int64_t layer_step(const struct catalog_series *first, const struct catalog_series *own, bool constant, int64_t step) {
    if (step < 0 || own == first) return step;
    return constant ? 0 : find_time(own, first->times[step].seconds);
}

static int run_of(const struct catalog_dataset *dataset, const struct ws_interest *asked, const struct ws_layer *layer) {
    const char *run = layer->run[0] ? layer->run : asked->run;
    return catalog_find_run(dataset, run[0] ? run : NULL);
}

// The series that `time` counts the steps of: of the first layer there that is not constant, or else of the first; NULL where there is none.
static const struct catalog_series *first_series(const struct catalog_dataset *dataset, const struct ws_interest *asked) {
    const struct catalog_series *first = NULL;
    for (size_t l = 0; l < asked->layer_count; l++) {
        int variable = catalog_find_variable(dataset, asked->layers[l].variable), run = run_of(dataset, asked, &asked->layers[l]);
        if (variable < 0 || run < 0 || !dataset->runs[run].series[variable].present) continue;
        const struct catalog_series *series = &dataset->runs[run].series[variable];
        if (!catalog_is_constant(&dataset->variables[variable])) return series;
        if (!first) first = series;
    }
    return first;
}

static size_t most_members(const struct catalog_dataset *dataset) {
    size_t most = 1;
    for (size_t v = 0; v < dataset->variable_count; v++)
        if (dataset->variables[v].member_count > most) most = dataset->variables[v].member_count;
    return most;
}

static uint64_t name_of(const struct catalog_dataset *dataset, const struct interest_layer *layer, int64_t step) {
    const char *edition = catalog_step_edition(&(struct field_ref){.dataset = dataset, .variable = layer->variable, .run = layer->run, .step = (size_t)step});
    return XXH3_64bits(edition, strlen(edition));
}

static int resolve_layer(const struct catalog_dataset *dataset, const struct ws_interest *asked, size_t l, struct session_interest *interest,
                         struct interest_layer *named, struct failure *failure) {
    const char *name = asked->layers[l].variable;
    const uint32_t member = asked->layers[l].has_member ? asked->layers[l].member : asked->member;
    const int run = run_of(dataset, asked, &asked->layers[l]);
    struct session_layer *layer = &interest->layers[l];
    int variable = catalog_find_variable(dataset, name);
    if (variable < 0) return failure_set(failure, VIRGA_NOT_FOUND, "no variable %s in %s", name, dataset->id);
    if (run < 0) return failure_set(failure, VIRGA_NOT_FOUND, "no run %s in %s", asked->layers[l].run, dataset->id);
    const struct catalog_variable *v = &dataset->variables[variable];
    const struct catalog_series *own = &dataset->runs[run].series[variable];
    if (!own->present) return failure_set(failure, VIRGA_NOT_FOUND, "the run of %s has no %s", dataset->runs[run].time.iso, name);
    if (asked->layers[l].edition[0] && strcmp(asked->layers[l].edition, own->edition))
        return failure_set(failure, VIRGA_CHANGED, "%s of the run of %s has changed; the catalog tells how", name, dataset->runs[run].time.iso);
    *named = (struct interest_layer){.variable = (size_t)variable, .run = (size_t)run, .member = member};
    if (member >= v->member_count) {  // a variable without members goes with every member of the others
        if (v->member_count > 1 || member >= most_members(dataset))
            return failure_set(failure, VIRGA_NOT_FOUND, "%s has no member %u", name, member);
        named->member = 0;
    }
    const struct catalog_series *first = first_series(dataset, asked);
    bool constant = catalog_is_constant(v);
    if (asked->time >= first->time_count)
        return failure_set(failure, VIRGA_NOT_FOUND, "%s has %zu times, not one with index %u", name, first->time_count, asked->time);
    snprintf(layer->identity, sizeof layer->identity, "%.100s %.100s %s %zu %zux%zux%zu", v->id, dataset->id, dataset->runs[run].time.iso, named->member, v->nx, v->ny, v->nz);
    snprintf(layer->variable, sizeof layer->variable, "%s", v->id);
    brick_store_shape(dataset, (size_t)variable, &layer->shape);
    layer->curve = asked->layers[l].opacity;
    layer->v0 = v->lattice.v0;
    layer->step = v->lattice.step;
    int along = asked->direction ? asked->direction : 1;
    layer->before = constant ? -1 : layer_step(first, own, false, step_on(asked, first->time_count, -along));
    for (size_t d = 0; d <= interest->ahead; d++) {
        layer->steps[d] = layer_step(first, own, constant, step_on(asked, first->time_count, (int64_t)d * along));
        for (size_t e = 0; e < d; e++)
            if (layer->steps[e] == layer->steps[d]) layer->steps[d] = -1;
        if (layer->steps[d] >= 0) layer->names[d] = name_of(dataset, named, layer->steps[d]);
    }
    return VIRGA_OK;
}

int session_interest_resolve(const struct catalog *catalog, const struct ws_interest *asked, struct session_interest *interest,
                             const struct catalog_dataset **dataset, struct interest_layer layers[VIEW_MAX_LAYERS],
                             struct failure *failure) {
    *dataset = catalog_find_dataset(catalog, asked->dataset);
    if (!*dataset) return failure_set(failure, VIRGA_NOT_FOUND, "no dataset %s", asked->dataset);
    int run = catalog_find_run(*dataset, asked->run[0] ? asked->run : NULL);
    if (run < 0) return failure_set(failure, VIRGA_NOT_FOUND, "no run %s in %s", asked->run, asked->dataset);
    *interest = (struct session_interest){.generation = asked->generation, .layer_count = asked->layer_count,
                                          .ahead = asked->direction ? asked->steps : 0, .playing = asked->rate > 0 && asked->direction,
                                          .camera = asked->camera, .budget = asked->budget, .max_level = asked->max_level,
                                          .keep = asked->reports_drops, .forget = asked->holds_nothing};
    int status = VIRGA_OK;
    for (size_t l = 0; l < asked->layer_count && !status; l++)
        status = resolve_layer(*dataset, asked, l, interest, &layers[l], failure);
    return status;
}
