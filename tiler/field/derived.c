// SPDX-License-Identifier: Apache-2.0
// What is common to all derived variables: their names, members, runs and steps.
#include "field/derived.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "field/catalog_group.h"

// Steps that all inputs have.
static int join_steps(struct catalog_dataset *d, size_t index, size_t u, size_t v) {
    struct variable_source *from = d->variables[index].from;
    for (size_t r = 0; r < d->run_count; r++) {
        const struct catalog_series *a = &d->runs[r].series[u], *b = &d->runs[r].series[v];
        struct catalog_series *series = &d->runs[r].series[index];
        struct run_source *run = &from->runs[r];
        size_t most = a->time_count < b->time_count ? a->time_count : b->time_count;
        if (most == 0) continue;
        series->times = calloc(most, sizeof *series->times);
        run->steps = calloc(most, sizeof *run->steps);
        if (!series->times || !run->steps) return VIRGA_NO_MEMORY;
        for (size_t s = 0, t = 0; s < a->time_count && t < b->time_count;) {
            double difference = a->times[s].seconds - b->times[t].seconds;
            if (difference == 0) {
                run->steps[series->time_count] = (struct field_step){.u_step = s, .v_step = t};
                series->times[series->time_count++] = a->times[s];
            }
            if (difference <= 0) s++;
            if (difference >= 0) t++;
        }
        run->step_count = series->time_count;
        series->present = series->time_count > 0;
        run->map = level_map_ref(d->variables[u].from->runs[r].map);
    }
    return VIRGA_OK;
}

static int copy_members(struct catalog_variable *to, const struct catalog_variable *from, bool folds) {
    size_t count = folds ? 1 : from->member_count;
    to->members = calloc(count, sizeof *to->members);
    if (!to->members) return VIRGA_NO_MEMORY;
    for (; to->member_count < count; to->member_count++)
        if (!(to->members[to->member_count] = strdup(folds ? "" : from->members[to->member_count]))) return VIRGA_NO_MEMORY;
    return VIRGA_OK;
}

static char *clean_text(const char *text) {
    char *copy = strdup(text);
    if (copy) utf8_clean(copy);
    return copy;
}

int derived_add(struct catalog_dataset *d, const struct derived_kind *kind, int u, int v, const struct derived_texts *texts,
                struct variable_source **added) {
    struct catalog_variable *w = catalog_add_variable(d, d->variables[u].from->shared);
    if (added) *added = NULL;
    if (!w) return VIRGA_NO_MEMORY;
    const struct catalog_variable *a = &d->variables[u];
    size_t index = d->variable_count - 1;
    w->id = catalog_variable_id(d, texts->name);
    w->name = strdup(texts->name);
    w->standard_name = strdup(texts->standard_name);
    w->long_name = clean_text(texts->long_name);
    w->units = strdup(texts->units);
    w->calendar = strdup(a->calendar);
    if (!w->id || !w->name || !w->standard_name || !w->long_name || !w->units || !w->calendar || copy_members(w, a, kind->folds_members)) return VIRGA_NO_MEMORY;
    if (kind->note && catalog_add_note(w, kind->note)) return VIRGA_NO_MEMORY;
    w->valid[0] = -INFINITY, w->valid[1] = INFINITY;
    w->derived = true;
    w->vertical = a->vertical;
    w->nx = a->nx, w->ny = a->ny, w->nz = a->nz;
    w->level_map = level_map_ref(a->level_map);
    w->from->derived = kind;
    w->from->u = u, w->from->v = v;
    w->from->constant = a->from->constant;
    int status = join_steps(d, index, (size_t)u, (size_t)(v == NO_VARIABLE ? u : v));
    bool any = false;
    for (size_t r = 0; r < d->run_count; r++) any |= d->runs[r].series[index].present;
    if (status) return status;
    if (!any) catalog_remove_variable(d, index);
    else if (added) *added = w->from;
    return VIRGA_OK;
}

int catalog_add_derived(struct catalog_dataset *d) {
    int status = derived_add_winds(d);
    if (!status) status = derived_add_temperatures(d);
    return status ? status : derived_add_member_statistics(d);
}

bool derived_name_is_taken(const struct catalog_dataset *d, const char *name) {
    for (size_t n = 0; n < d->variable_count; n++)
        if (strcmp(d->variables[n].name, name) == 0) return true;
    return false;
}

bool catalog_is_difference(const struct catalog_variable *v) { return v->from->derived == &derived_member_spread; }

const char *catalog_statistic(const struct catalog_variable *v) { return v->from->derived ? v->from->derived->statistic : NULL; }

bool catalog_is_constant(const struct catalog_variable *v) { return v->from->constant; }

bool catalog_is_derived(const struct catalog_variable *v) {
    const struct variable_source *from = v->from;
    for (size_t r = 0; !v->derived && r < from->shared->dataset->run_count; r++)
        if (from->runs[r].step_count > 0) return from->runs[r].steps[0].variable && from->runs[r].steps[0].variable->made;
    return v->derived;
}

static const struct field_step *newest_step(const struct catalog_dataset *d, const struct catalog_variable *v) {
    for (size_t r = d->run_count; r-- > 0;)
        if (v->from->runs[r].step_count > 0) return &v->from->runs[r].steps[0];
    return NULL;
}

uint64_t derived_level_key(const struct catalog_dataset *d, const struct catalog_variable *v) {
    const struct field_step *step = newest_step(d, v);
    return step && step->variable && step->variable->vertical >= 0 ? step->file->verticals[step->variable->vertical].key : 0;
}
