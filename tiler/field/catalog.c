// SPDX-License-Identifier: Apache-2.0
// A catalog's life: opening, counting references, finding, and taking apart.
#include "field/catalog.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "field/catalog_group.h"

const char *catalog_without_file(const char *reason, const char *file) {
    const size_t length = strlen(file);
    return !strncmp(reason, file, length) && !strncmp(reason + length, ": ", 2) ? reason + length + 2 : reason;
}

int catalog_add_problem(struct catalog *catalog, const char *variable, const char *file, const char *reason) {
    struct catalog_problem *grown = cf_grow(catalog->problems, catalog->problem_count, sizeof *grown);
    if (!grown) return VIRGA_NO_MEMORY;
    catalog->problems = grown;
    struct catalog_problem *p = &grown[catalog->problem_count++];
    p->variable = variable ? strdup(variable) : NULL;
    p->file = strdup(file);
    p->reason = strdup(catalog_without_file(reason, file));
    if (!p->file || !p->reason || (variable && !p->variable)) return VIRGA_NO_MEMORY;
    if (p->variable) utf8_clean(p->variable);
    utf8_clean(p->file);
    utf8_clean(p->reason);
    return VIRGA_OK;
}

const char catalog_direction_note[] = "between grid points a direction is interpolated as a number: across north the value between is no direction";

int catalog_add_note(struct catalog_variable *v, const char *note) {
    char *longer;
    if (asprintf(&longer, "%s%s%s", v->note ? v->note : "", v->note ? "; " : "", note) < 0) return VIRGA_NO_MEMORY;
    free(v->note);
    v->note = longer;
    return VIRGA_OK;
}

char *catalog_variable_id(const struct catalog_dataset *d, const char *name) {
    size_t length = strlen(name);
    char *id = malloc(length + 24);
    if (!id) return NULL;
    for (size_t n = 0; n <= length; n++) {
        char c = name[n];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || (c == '.' && n > 0);
        id[n] = plain || c == 0 ? c : '_';
    }
    if (length == 0) strcpy(id, "_"), length = 1;
    for (unsigned again = 2;; again++) {
        bool taken = false;
        for (size_t v = 0; v < d->variable_count && !taken; v++) taken = d->variables[v].id && strcmp(d->variables[v].id, id) == 0;
        if (!taken) return id;
        snprintf(id + length, 24, "_%u", again);
    }
}

struct catalog_variable *catalog_add_variable(struct catalog_dataset *d, struct dataset_shared *shared) {
    size_t index = d->variable_count;
    struct catalog_variable *grown = cf_grow(d->variables, index, sizeof *grown);
    if (!grown) return NULL;
    d->variables = grown;
    for (size_t r = 0; r < d->run_count; r++) {
        struct catalog_series *series = cf_grow(d->runs[r].series, index, sizeof *series);
        if (!series) return NULL;
        d->runs[r].series = series;
    }
    struct variable_source *from = calloc(1, sizeof *from);
    if (!from) return NULL;
    from->runs = calloc(d->run_count + 1, sizeof *from->runs);
    if (!from->runs) {
        free(from);
        return NULL;
    }
    from->shared = shared;
    from->outside = NAN;
    from->u = from->v = NO_VARIABLE;
    for (size_t h = 0; h < HELP_COUNT; h++) from->helpers[h] = NO_VARIABLE;
    grown[index].from = from;
    d->variable_count++;
    return &grown[index];
}

static void destroy_variable(struct catalog_variable *v, size_t run_count) {
    for (size_t m = 0; v->members && m < v->member_count; m++) free(v->members[m]);
    free(v->members);
    free(v->id);
    free(v->name);
    free(v->standard_name);
    free(v->long_name);
    free(v->units);
    free(v->note);
    free(v->calendar);
    level_map_unref(v->level_map);
    for (size_t r = 0; v->from && r < run_count; r++) {
        level_map_unref(v->from->runs[r].map);
        free(v->from->runs[r].steps);
        free(v->from->runs[r].levels);
    }
    if (v->from) free(v->from->runs);
    if (v->from) level_stack_free(v->from->stack);
    free(v->from);
}

void catalog_remove_variable(struct catalog_dataset *d, size_t index) {
    size_t after = d->variable_count - index - 1;
    destroy_variable(&d->variables[index], d->run_count);
    memmove(&d->variables[index], &d->variables[index + 1], after * sizeof *d->variables);
    for (size_t r = 0; r < d->run_count; r++) {
        free(d->runs[r].series[index].times);
        free(d->runs[r].series[index].editions);
        memmove(&d->runs[r].series[index], &d->runs[r].series[index + 1], after * sizeof *d->runs[r].series);
    }
    d->variable_count--;
    int gone = (int)index;
    if (d->terrain >= gone) d->terrain = d->terrain == gone ? -1 : d->terrain - 1;
    for (size_t v = 0; v < d->variable_count; v++)
        for (size_t h = 0; h < HELP_COUNT; h++) {
            int *helper = &d->variables[v].from->helpers[h];
            if (*helper >= gone) *helper = *helper == gone ? NO_VARIABLE : *helper - 1;
        }
}

void catalog_dataset_destroy(struct catalog_dataset *d) {
    struct dataset_shared *shared = d->variable_count > 0 ? d->variables[0].from->shared : NULL;
    for (size_t v = 0; v < d->variable_count; v++) destroy_variable(&d->variables[v], d->run_count);
    for (size_t r = 0; r < d->run_count; r++) {
        for (size_t v = 0; d->runs[r].series && v < d->variable_count; v++) {
            free(d->runs[r].series[v].times);
            free(d->runs[r].series[v].editions);
        }
        free(d->runs[r].series);
    }
    if (shared) {
        for (size_t n = 0; n < CACHED_MAPS; n++) level_map_unref(shared->cached[n].map);
        free(shared->directions);
        free(shared->plain_directions);
        pthread_mutex_destroy(&shared->lock);
        free(shared);
    }
    free(d->variables);
    free(d->runs);
    free(d->id);
    free(d->title);
    grid_free(d->grid);
}

static void whole_free(struct catalog_whole *whole) {
    struct catalog *c = &whole->catalog;
    if (whole->parts) {
        catalog_joined_free(whole);
        return;
    }
    for (size_t n = 0; n < c->dataset_count; n++) catalog_dataset_destroy(&c->datasets[n]);
    for (size_t n = 0; n < c->problem_count; n++) {
        free(c->problems[n].variable);
        free(c->problems[n].file);
        free(c->problems[n].reason);
    }
    scanned_files_destroy(&whole->scanned);
    free(c->datasets);
    free(c->problems);
    free(whole);
}

struct catalog *catalog_ref(struct catalog *catalog) {
    if (catalog) atomic_fetch_add(&((struct catalog_whole *)catalog)->references, 1);
    return catalog;
}

void catalog_unref(struct catalog *catalog) {
    if (catalog && atomic_fetch_sub(&((struct catalog_whole *)catalog)->references, 1) == 1) whole_free((struct catalog_whole *)catalog);
}

static bool nothing_found(const struct scanned_files *scanned) {
    for (size_t n = 0; n < scanned->count; n++)
        if (scanned->files[n].file || scanned->files[n].left_out || scanned->files[n].failure.status != VIRGA_NOT_FOUND) return false;
    return true;
}

static int give_title(struct catalog *catalog, const char *title) {
    for (size_t n = 0; title && n < catalog->dataset_count; n++) {
        struct catalog_dataset *d = &catalog->datasets[n];
        char *given = NULL;
        if (asprintf(&given, catalog->dataset_count > 1 ? "%s: %s" : "%s", title, d->title) < 0) return VIRGA_NO_MEMORY;
        free(d->title);
        d->title = given;
    }
    return VIRGA_OK;
}

// The previous catalog is only sure to be there while this one is made.
static void forget_previous(struct catalog *catalog) {
    for (size_t n = 0; n < catalog->dataset_count; n++)
        if (catalog->datasets[n].variable_count > 0) catalog->datasets[n].variables[0].from->shared->before = NULL;
}

int catalog_open(struct source_pool *pool, const char *const *paths, size_t path_count, const struct catalog_options *options,
                 struct catalog **catalog, struct failure *failure) {
    static const struct catalog_options plain;
    struct catalog_whole *whole = calloc(1, sizeof *whole);
    *catalog = NULL;
    if (!whole) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    if (!options) options = &plain;
    atomic_init(&whole->references, 1);
    struct scanned_files *scanned = &whole->scanned;
    const struct scanned_files *before = options->previous ? &((const struct catalog_whole *)options->previous)->scanned : NULL;
    int status = catalog_scan(pool, paths, path_count, options, before, scanned, failure);
    if (!status && path_count > 0 && !options->allow_nothing && nothing_found(scanned)) {
        const char *path = scanned->count > 0 ? scanned->files[0].path : paths[0], *why = scanned->count > 0 ? scanned->files[0].failure.message : "no file matches";
        status = failure_set(failure, VIRGA_NOT_FOUND, "%.300s: %s", path, catalog_without_file(why, path));
    }
    if (!status) status = catalog_group(whole, options->rules, options->previous, failure);
    if (!status && (status = give_title(&whole->catalog, options->title))) failure_set(failure, status, "out of memory");
    if (!status) status = catalog_choose_lattices(&whole->catalog, options->state_dir, failure);
    for (size_t n = 0; !status && n < whole->catalog.dataset_count; n++)
        if ((status = catalog_set_editions(&whole->catalog.datasets[n]))) failure_set(failure, status, "out of memory");
    forget_previous(&whole->catalog);
    whole->catalog.opened_count = scanned->opened;
    whole->catalog.fingerprint = catalog_fingerprint(&whole->catalog);
    for (size_t n = 0; n < scanned->count; n++) whole->catalog.file_count += !scanned->files[n].left_out;
    if (status) whole_free(whole);
    else *catalog = &whole->catalog;
    return status;
}

const struct catalog_dataset *catalog_find_dataset(const struct catalog *catalog, const char *id) {
    for (size_t n = 0; catalog && id && n < catalog->dataset_count; n++)
        if (strcmp(catalog->datasets[n].id, id) == 0) return &catalog->datasets[n];
    return NULL;
}

const char *catalog_step_edition(const struct field_ref *field) {
    const struct catalog_series *series = &field->dataset->runs[field->run].series[field->variable];
    return series->editions ? series->editions[field->step] : series->edition;
}

int catalog_find_variable(const struct catalog_dataset *d, const char *id) {
    for (size_t v = 0; id && v < d->variable_count; v++)
        if (!d->variables[v].hidden && strcmp(d->variables[v].id, id) == 0) return (int)v;
    for (size_t v = 0; id && v < d->variable_count; v++)
        if (!d->variables[v].hidden && strcmp(d->variables[v].name, id) == 0) return (int)v;
    return -1;
}

int catalog_find_variable_named(const struct catalog_dataset *d, const char *name) {
    int index = catalog_find_variable(d, name);
    for (size_t v = 0; name && index < 0 && v < d->variable_count; v++)
        if (!d->variables[v].hidden && strcmp(d->variables[v].standard_name, name) == 0) index = (int)v;
    return index;
}

int catalog_find_run(const struct catalog_dataset *d, const char *run) {
    double seconds;
    if (d->run_count == 0) return -1;
    if (!run || !*run || strcmp(run, "latest") == 0) return d->latest;
    for (size_t r = 0; r < d->run_count; r++)
        if (strcmp(d->runs[r].time.iso, run) == 0) return (int)r;
    enum cf_calendar calendar = CALENDAR_STANDARD;
    if (d->variable_count > 0) cf_calendar_parse(d->variables[0].calendar, &calendar);
    if (cf_time_parse(calendar, run, &seconds)) return -1;
    for (size_t r = 0; r < d->run_count; r++)
        if (d->runs[r].time.seconds == seconds) return (int)r;
    return -1;
}

bool catalog_single_level(const struct catalog_dataset *d, size_t variable, struct catalog_level *level) {
    static const struct { const char *kind, *units; } kinds[] = {{"height", "m"}, {"altitude", "m"}, {"hybrid_height", "m"}, {"pressure", "Pa"}};
    const struct variable_source *from = d->variables[variable].from;
    if (from->derived) return catalog_single_level(d, (size_t)from->u, level);
    for (size_t r = d->run_count; r-- > 0 && !d->variables[variable].vertical;) {
        if (from->runs[r].step_count == 0) continue;
        const struct field_step *step = &from->runs[r].steps[0];
        if (step->variable->vertical < 0) return false;
        const struct cf_vertical *vertical = &step->file->verticals[step->variable->vertical];
        if (!vertical->a || vertical->level_count != 1 || (size_t)vertical->kind >= sizeof kinds / sizeof *kinds) return false;
        *level = (struct catalog_level){kinds[vertical->kind].kind, kinds[vertical->kind].units, vertical->a[0]};
        return true;
    }
    return false;
}
