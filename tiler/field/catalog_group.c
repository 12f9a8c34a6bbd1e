// SPDX-License-Identifier: Apache-2.0
#include "field/catalog_group.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <xxhash.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "field/catalog_draft.h"
#include "field/cf_attributes.h"
#include "field/cf_units.h"
#include "field/level_inputs.h"

enum { NAME_MAX_BYTES = 400, RUNS_MAX = 20000, PLACES_MAX = 1 << 23 };  // PLACES_MAX: steps of a run times members that are apart

// --- runs and steps ----------------------------------------------------------------------------------------------------

struct moment { double run, seconds; struct field_step step; size_t order; };

static int by_moment(const void *a, const void *b) {
    const struct moment *x = a, *y = b;
    if (x->run != y->run) return x->run < y->run ? -1 : 1;
    if (x->seconds != y->seconds) return x->seconds < y->seconds ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static int by_number(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

// Files that name no reference time belong to one run, which begins with their first time.
static double unknown_run(const struct draft *draft) {
    double first = INFINITY;
    for (size_t v = 0; v < draft->variable_count; v++)
        for (size_t p = 0; p < draft->variables[v].piece_count; p++) {
            const struct piece *piece = &draft->variables[v].pieces[p];
            if (piece->variable->time < 0) continue;
            const struct cf_time_axis *t = &piece->file->times[piece->variable->time];
            for (size_t s = 0; s < t->count; s++)
                if (isnan(t->run[s]) && t->seconds[s] < first) first = t->seconds[s];
        }
    return first;
}

static int moments_of(const struct draft_variable *v, double unknown, struct moment **result, size_t *count) {
    size_t total = 0;
    for (size_t p = 0; p < v->piece_count; p++) total += v->pieces[p].variable->time >= 0 ? v->pieces[p].file->times[v->pieces[p].variable->time].count : 0;
    struct moment *moments = calloc(total + 1, sizeof *moments);
    if (!moments) return VIRGA_NO_MEMORY;
    size_t n = 0;
    for (size_t p = 0; p < v->piece_count; p++) {
        const struct piece *piece = &v->pieces[p];
        if (piece->variable->time < 0) continue;
        const struct cf_time_axis *t = &piece->file->times[piece->variable->time];
        for (size_t s = 0; s < t->count; s++)
            if (isfinite(t->seconds[s])) {
                double run = isfinite(t->run[s]) ? t->run[s] : unknown;
                moments[n] = (struct moment){run, t->seconds[s], {.file = piece->file, .variable = piece->variable, .time = s}, n};
                n++;
            }
    }
    qsort(moments, n, sizeof *moments, by_moment);
    *result = moments;
    *count = n;
    return VIRGA_OK;
}

static enum cf_calendar calendar_of(const struct draft_variable *v) {
    for (size_t p = 0; p < v->piece_count; p++)
        if (v->pieces[p].variable->time >= 0) return v->pieces[p].file->times[v->pieces[p].variable->time].calendar;
    return CALENDAR_STANDARD;
}

static enum cf_calendar draft_calendar(const struct draft *draft) {
    for (size_t v = 0; v < draft->variable_count; v++)
        for (size_t p = 0; p < draft->variables[v].piece_count; p++)
            if (draft->variables[v].pieces[p].variable->time >= 0) return calendar_of(&draft->variables[v]);
    return CALENDAR_STANDARD;
}

static int set_time(struct catalog_time *time, enum cf_calendar calendar, double seconds) {
    time->seconds = seconds;
    return cf_time_text(calendar, seconds, time->iso);
}

static int find_runs(struct catalog_dataset *d, const struct draft *draft, double unknown) {
    double *all = NULL;
    size_t count = 0, unique = 0;
    int status = VIRGA_OK;
    for (size_t v = 0; !status && v < draft->variable_count; v++) {
        struct moment *moments;
        size_t n;
        if ((status = moments_of(&draft->variables[v], unknown, &moments, &n))) break;
        for (size_t m = 0; !status && m < n; m++) {
            if (m > 0 && moments[m].run == moments[m - 1].run) continue;
            double *grown = realloc(all, (count + 1) * sizeof *grown);
            if (grown) all = grown, all[count++] = moments[m].run;
            else status = VIRGA_NO_MEMORY;
        }
        free(moments);
    }
    if (!status && count == 0) {  // nothing in it has a time
        if (!(all = calloc(1, sizeof *all))) status = VIRGA_NO_MEMORY;
        else count = 1;
    }
    if (!status) {
        qsort(all, count, sizeof *all, by_number);
        for (size_t n = 0; n < count; n++)
            if (unique == 0 || all[n] != all[unique - 1]) all[unique++] = all[n];
        if (!(d->runs = calloc(unique, sizeof *d->runs))) status = VIRGA_NO_MEMORY;
    }
    if (!status && unique > RUNS_MAX) {  // the newest: nobody keeps that many
        memmove(all, all + unique - RUNS_MAX, RUNS_MAX * sizeof *all);
        unique = RUNS_MAX;
    }
    enum cf_calendar calendar = draft_calendar(draft);
    for (size_t r = 0; !status && r < unique; r++) {
        d->run_count++;
        if (set_time(&d->runs[r].time, calendar, all[r])) snprintf(d->runs[r].time.iso, sizeof d->runs[r].time.iso, "unknown");
    }
    free(all);
    return status;
}

// run_count when there is none.
static size_t run_index(const struct catalog_dataset *d, double seconds) {
    size_t low = 0, high = d->run_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (d->runs[middle].time.seconds < seconds) low = middle + 1;
        else high = middle;
    }
    return low < d->run_count && d->runs[low].time.seconds == seconds ? low : d->run_count;
}

static int room_for_steps(struct catalog_series *series, struct run_source *run, size_t count, size_t places, const struct level_stack *stack) {
    size_t total, levels = 0;
    if (memory_multiply(count, places, &total) || (stack && memory_multiply(count, level_stack_count(stack), &levels))) return VIRGA_NO_MEMORY;
    series->times = calloc(count, sizeof *series->times);
    run->steps = calloc(total, sizeof *run->steps);
    if (stack) run->levels = calloc(levels, sizeof *run->levels);
    return series->times && run->steps && (run->levels || !stack) ? VIRGA_OK : VIRGA_NO_MEMORY;
}

// One level of step `at`, the first one of it that comes.
static void put_level(struct run_source *run, size_t at, const struct level_stack *stack, const struct field_step *piece) {
    const size_t count = level_stack_count(stack), level = level_stack_find(stack, piece->file, piece->variable);
    struct field_step *levels = &run->levels[at * count];
    run->steps[at] = (struct field_step){.file = &stack->file, .variable = &stack->variable, .levels = levels};
    if (level < count && !levels[level].file) levels[level] = *piece;
}

// A step of one piece: for all members, or for those it has, the first one for each. A new step's other members are absent.
static void put_step(struct field_step *places, const struct field_step *step, const struct member_list *members, bool new_step) {
    if (!members->apart) {
        *places = *step;
        return;
    }
    for (size_t m = 0; new_step && m < members->count; m++) places[m] = *step, places[m].absent = true;
    for (size_t own = 0; own < step->variable->member_count; own++) {
        size_t place = member_list_find(members, step->variable->members[own]);
        if (place < members->count && places[place].absent) places[place] = *step, places[place].member = own;
    }
}

static size_t places_of(const struct member_list *members) { return members->apart ? members->count : 1; }

// A variable without time stands in every run, at the run's own time.
static int fill_constant(struct catalog_dataset *d, size_t index, const struct draft_variable *draft) {
    struct catalog_variable *v = &d->variables[index];
    v->from->constant = true;
    for (size_t r = 0; r < d->run_count; r++) {
        struct catalog_series *series = &d->runs[r].series[index];
        if (room_for_steps(series, &v->from->runs[r], 1, places_of(&draft->members), v->from->stack)) return VIRGA_NO_MEMORY;
        series->present = true;
        series->time_count = v->from->runs[r].step_count = 1;
        series->times[0] = d->runs[r].time;
        for (size_t p = 0; p < (draft->members.apart || v->from->stack ? draft->piece_count : 1); p++) {
            struct field_step step = {.file = draft->pieces[p].file, .variable = draft->pieces[p].variable};
            if (v->from->stack) put_level(&v->from->runs[r], 0, v->from->stack, &step);
            else put_step(v->from->runs[r].steps, &step, &draft->members, p == 0);
        }
    }
    return VIRGA_OK;
}

static size_t count_times(const struct moment *moments, size_t count, size_t places) {
    size_t times = 0;
    for (size_t m = 0; m < count; m++) times += m == 0 || moments[m].seconds != moments[m - 1].seconds;
    return times < PLACES_MAX / places ? times : PLACES_MAX / places;
}

static int fill_steps(struct catalog_dataset *d, size_t index, const struct draft_variable *draft, double unknown) {
    struct catalog_variable *v = &d->variables[index];
    struct moment *moments = NULL;
    size_t count = 0, places = places_of(&draft->members);
    int status = moments_of(draft, unknown, &moments, &count);
    if (!status && count == 0) status = fill_constant(d, index, draft);
    enum cf_calendar calendar = calendar_of(draft);
    for (size_t m = 0; !status && m < count;) {
        size_t end = m, r = run_index(d, moments[m].run);
        while (end < count && moments[end].run == moments[m].run) end++;
        if (r == d->run_count) {
            m = end;
            continue;
        }
        struct catalog_series *series = &d->runs[r].series[index];
        struct run_source *run = &v->from->runs[r];
        size_t room = count_times(&moments[m], end - m, places);
        if ((status = room_for_steps(series, run, room, places, v->from->stack))) break;
        series->present = true;
        for (; m < end; m++) {
            bool again = series->time_count > 0 && series->times[series->time_count - 1].seconds == moments[m].seconds;
            if (again && !draft->members.apart && !v->from->stack) continue;
            if (!again && (series->time_count == room || set_time(&series->times[series->time_count], calendar, moments[m].seconds))) continue;
            if (!again) series->time_count++;
            if (v->from->stack) put_level(run, series->time_count - 1, v->from->stack, &moments[m].step);
            else put_step(&run->steps[(series->time_count - 1) * places], &moments[m].step, &draft->members, !again);
        }
        run->step_count = series->time_count;
    }
    free(moments);
    return status;
}

// --- variables ---------------------------------------------------------------------------------------------------------

static char *clean_copy(const char *text) {
    char *copy = strndup(text, NAME_MAX_BYTES);
    if (copy) utf8_clean(copy);
    return copy;
}

// "temperature", "percentile 10 %" → "temperature_percentile_10"
static char *name_with(const char *name, const char *apart) {
    char *words = NULL, *to;
    if (asprintf(&words, "%s %s", name, apart) < 0) return NULL;
    to = words;
    for (const char *c = words; *c; c++) {
        const bool letter = !strchr(" ,:/%", *c);
        if (letter || (to > words && to[-1] != '_')) *to++ = letter ? *c : '_';
    }
    while (to > words && to[-1] == '_') to--;
    *to = 0;
    return words;
}

// A name that others have, too, says what tells it from them.
static int name_variable(struct catalog_dataset *d, struct catalog_variable *v, const struct draft_variable *draft) {
    char *name = draft->named_apart ? name_with(draft->name, draft->apart) : NULL;
    if (draft->named_apart && !name) return VIRGA_NO_MEMORY;
    v->id = catalog_variable_id(d, name ? name : draft->name);
    v->name = clean_copy(name ? name : draft->name);
    free(name);
    const char *called = *draft->long_name ? draft->long_name : *draft->standard_name ? draft->standard_name : draft->name;
    if (!draft->named_apart) v->long_name = clean_copy(draft->long_name);
    else if (asprintf(&v->long_name, "%.300s, %s", called, draft->apart) < 0) v->long_name = NULL;
    else utf8_clean(v->long_name);
    return v->id && v->name && v->long_name ? VIRGA_OK : VIRGA_NO_MEMORY;
}

static int fill_variable(struct catalog_dataset *d, struct dataset_shared *shared, struct draft_variable *draft, double unknown) {
    struct catalog_variable *v = catalog_add_variable(d, shared);
    if (!v) return VIRGA_NO_MEMORY;
    v->from->stack = draft->stack;
    draft->stack = NULL;
    const struct cf_variable *first = v->from->stack ? &v->from->stack->variable : draft->pieces[0].variable;
    const struct member_list *members = &draft->members;
    size_t index = d->variable_count - 1;
    if (name_variable(d, v, draft)) return VIRGA_NO_MEMORY;
    v->standard_name = clean_copy(draft->standard_name);
    v->units = clean_copy(draft->units);
    v->calendar = strdup(cf_calendar_name(calendar_of(draft)));
    v->members = calloc(members->count, sizeof *v->members);
    if (!v->standard_name || !v->units || !v->calendar || !v->members) return VIRGA_NO_MEMORY;
    for (v->member_count = 0; v->member_count < members->count; v->member_count++)
        if (!(v->members[v->member_count] = clean_copy(members->labels[v->member_count]))) return VIRGA_NO_MEMORY;
    v->from->members_apart = members->apart;
    if (strstr(v->standard_name, "_direction") && cf_units_convertible(v->units, "degree") && catalog_add_note(v, catalog_direction_note)) return VIRGA_NO_MEMORY;
    memcpy(v->valid, first->packing.valid, sizeof v->valid);
    for (size_t p = 0; p < draft->piece_count && !v->note; p++) {
        const struct piece *piece = &draft->pieces[p];
        const char *note = piece->variable->time >= 0 ? piece->file->times[piece->variable->time].note : "";
        if (*note && catalog_add_note(v, note)) return VIRGA_NO_MEMORY;
    }
    if (draft->pieces[0].file->grids[first->stored_grid].moves && catalog_add_note(v, "its nest moves over this grid: at each time there are values only where the nest is")) return VIRGA_NO_MEMORY;
    if (first->categories && catalog_add_note(v, "its numbers are codes: between grid points they are interpolated as numbers")) return VIRGA_NO_MEMORY;
    v->vertical = first->level_count > 1;
    v->hidden = first->hidden;
    v->nx = d->grid->x.n, v->ny = d->grid->y.n, v->nz = first->level_count;
    return fill_steps(d, index, draft, unknown);
}

static const struct field_step *any_step(const struct catalog_dataset *d, size_t variable) {
    for (size_t r = d->run_count; r-- > 0;)
        if (d->variables[variable].from->runs[r].step_count > 0) return &d->variables[variable].from->runs[r].steps[0];
    return NULL;
}

// --- names of datasets -------------------------------------------------------------------------------------------------

static const char *last_part(const char *path) {
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/') end--;
    const char *start = path + end;
    while (start > path && start[-1] != '/') start--;
    return start;
}

static int name_dataset(struct catalog_dataset *d, const struct draft *draft) {
    char slug[49] = "", key[64];
    size_t n = 0;
    const char *last = last_part(draft->base);
    for (; *last && *last != '/' && n < sizeof slug - 1; last++) {
        bool plain = (*last >= 'a' && *last <= 'z') || (*last >= 'A' && *last <= 'Z') || (*last >= '0' && *last <= '9') || *last == '-' || *last == '_';
        if (plain) slug[n++] = *last;
        else if (n > 0 && slug[n - 1] != '-') slug[n++] = '-';
    }
    while (n > 0 && slug[n - 1] == '-') n--;
    slug[n] = 0;
    uint64_t hash = XXH3_64bits(draft->base, strlen(draft->base));
    hash = XXH3_64bits_withSeed(draft->source_text, strlen(draft->source_text), hash);
    for (size_t m = 0; m < DRAFT_MAKERS; m++)
        if (*draft->makers[m]) hash = XXH3_64bits_withSeed(draft->makers[m], strlen(draft->makers[m]), hash);
    snprintf(key, sizeof key, "%016llx %016llx", (unsigned long long)draft->grid_hash, (unsigned long long)draft->ensemble);
    hash = XXH3_64bits_withSeed(key, strlen(key), hash);
    return asprintf(&d->id, "%s-%08x", *slug ? slug : "dataset", (unsigned)(hash ^ (hash >> 32))) < 0 ? VIRGA_NO_MEMORY : VIRGA_OK;
}

// The file's name where there is one file, else the folder's.
static const char *place_name(const struct draft *draft) {
    const struct cf_file *file = draft->variables[0].pieces[0].file;
    for (size_t v = 0; v < draft->variable_count; v++)
        for (size_t p = 0; p < draft->variables[v].piece_count; p++)
            if (draft->variables[v].pieces[p].file != file) return last_part(draft->base);
    return last_part(source_path(file->source));
}

static int title_dataset(struct catalog_dataset *d, const struct draft *draft) {
    const struct source *source = draft->variables[0].pieces[0].file->source;
    const char *title = cf_global_text(source, "title");
    if (!title || !*title) title = cf_global_text(source, "TITLE");
    char *given = title ? clean_copy(title) : NULL;
    char *start = given ? given + strspn(given, " ") : NULL;
    if (start && *start) d->title = strdup(start);
    else if (!draft->source_text[0] && draft->beside && *draft->makers[0]) {
        if (asprintf(&d->title, "%s (%s)", place_name(draft), draft->makers[0]) < 0) d->title = NULL;
    } else if (!draft->source_text[0]) d->title = clean_copy(place_name(draft));
    else if (asprintf(&d->title, "%s (%s)", place_name(draft), draft->source_text) < 0) d->title = NULL;
    free(given);
    if (d->title) utf8_clean(d->title);
    return d->title ? VIRGA_OK : VIRGA_NO_MEMORY;
}

static bool title_taken(const struct catalog *catalog, size_t index) {
    for (size_t b = 0; b < index; b++)
        if (strcmp(catalog->datasets[index].title, catalog->datasets[b].title) == 0) return true;
    return false;
}

// The names of its first variables, which tell a staggered grid.
static void first_names(const struct catalog_dataset *d, char text[128]) {
    size_t length = 0, count = 0;
    text[0] = 0;
    for (size_t v = 0; v < d->variable_count; v++) {
        if (d->variables[v].derived || count++ >= 3) continue;
        int n = snprintf(text + length, 128 - length, "%s%.36s", count > 1 ? ", " : "", d->variables[v].name);
        length += n > 0 ? (size_t)n : 0;
    }
    if (count > 3) snprintf(text + length, 128 - length, " …");
    utf8_clean(text);
}

// Datasets of one title differ by their grids, what stands on these, and at last their ids.
static int tell_titles_apart(struct catalog *catalog) {
    for (size_t a = 0; a < catalog->dataset_count; a++) {
        struct catalog_dataset *d = &catalog->datasets[a];
        char names[128], *longer, *given = d->title;
        if (!title_taken(catalog, a)) continue;
        first_names(d, names);
        if (asprintf(&longer, "%s (%zu × %zu: %s)", given, d->grid->x.n, d->grid->y.n, names) < 0) return VIRGA_NO_MEMORY;
        d->title = longer;
        free(given);
        if (!title_taken(catalog, a)) continue;
        if (asprintf(&longer, "%s (%s)", d->title, d->id) < 0) return VIRGA_NO_MEMORY;
        free(d->title);
        d->title = longer;
    }
    return VIRGA_OK;
}

// --- all together ------------------------------------------------------------------------------------------------------

static const char *path_of(const struct catalog_dataset *d, size_t variable) {
    const struct field_step *step = any_step(d, variable);
    return step ? source_path(step->file->source) : "";
}

// Variables whose levels cannot be placed leave, with the reason; they take nobody along but those whose heights they gave.
static int place_levels(struct catalog *catalog, struct catalog_dataset *d) {
    for (size_t v = 0; v < d->variable_count; v++) {
        struct failure why = {0};
        if (!any_step(d, v)) failure_set(&why, VIRGA_UNSUPPORTED, "it has no steps");
        else if (d->variables[v].vertical) catalog_make_maps(d, v, &why);
        if (!why.status) continue;
        int status = d->variables[v].hidden ? VIRGA_OK : catalog_add_problem(catalog, d->variables[v].name, path_of(d, v), why.message);
        if (status) return status;
        catalog_remove_variable(d, v--);
    }
    return VIRGA_OK;
}

static int join_members(struct draft_variable *v) {
    for (size_t p = 0; p < v->piece_count; p++)
        if (member_list_add(&v->members, v->pieces[p].variable)) return VIRGA_NO_MEMORY;
    member_list_sort(&v->members);
    return VIRGA_OK;
}

static int fill_dataset(struct catalog *catalog, struct catalog_dataset *d, struct draft *draft, const struct catalog_rules *rules, const struct catalog *previous) {
    struct dataset_shared *shared = calloc(1, sizeof *shared);
    double unknown = unknown_run(draft);
    int status;
    d->terrain = -1;
    if (!shared) return VIRGA_NO_MEMORY;
    pthread_mutex_init(&shared->lock, NULL);
    d->grid = grid_ref(draft->slot->grid);
    shared->dataset = d;
    shared->grid_hash = draft->grid_hash;
    if ((status = name_dataset(d, draft)) || (status = find_runs(d, draft, unknown))) goto fail;
    if ((shared->before = catalog_find_dataset(previous, d->id))) catalog_take_maps(shared, shared->before);
    for (size_t v = 0; v < draft->variable_count; v++)
        if ((status = join_members(&draft->variables[v])) || (status = fill_variable(d, shared, &draft->variables[v], unknown))) goto fail;
    if ((status = catalog_apply_rules(d, rules))) goto fail;
    level_inputs_find_helpers(d);
    if ((status = place_levels(catalog, d)) || (status = catalog_add_derived(d)) || (status = title_dataset(d, draft)))
        goto fail;
    if (d->variable_count > 0) return VIRGA_OK;
fail:
    // The variables own the shared part between them; without any it is ours to free.
    if (d->variable_count == 0) {
        pthread_mutex_destroy(&shared->lock);
        free(shared);
    }
    return status;
}

static int take_problems(struct catalog *catalog, const struct scanned_files *scanned) {
    for (size_t n = 0; n < scanned->count; n++) {
        const struct scanned_file *f = &scanned->files[n];
        int status = f->file || f->left_out ? VIRGA_OK : catalog_add_problem(catalog, NULL, f->path, f->failure.message);
        for (size_t p = 0; !status && f->file && p < f->file->problem_count; p++) {
            const struct cf_file_problem *problem = &f->file->problems[p];
            status = catalog_add_problem(catalog, problem->variable < 0 ? NULL : cf_file_variable(f->file, (size_t)problem->variable)->name, f->path, problem->reason);
        }
        if (status) return status;
    }
    return VIRGA_OK;
}

int catalog_group(struct catalog_whole *whole, const struct catalog_rules *rules, const struct catalog *previous, struct failure *failure) {
    struct catalog *catalog = &whole->catalog;
    struct drafts all = {0};
    int status = drafts_make(&all, &whole->scanned);
    if (!status) status = take_problems(catalog, &whole->scanned);
    if (!status && !(catalog->datasets = calloc(all.count + 1, sizeof *catalog->datasets))) status = VIRGA_NO_MEMORY;
    for (size_t n = 0; !status && n < all.count; n++) {
        struct catalog_dataset *d = &catalog->datasets[catalog->dataset_count++];
        status = fill_dataset(catalog, d, &all.drafts[n], rules, previous);
        if (!status && d->variable_count == 0) {
            catalog_dataset_destroy(d);
            *d = (struct catalog_dataset){0};
            catalog->dataset_count--;
        }
    }
    if (!status) status = tell_titles_apart(catalog);
    drafts_destroy(&all);
    return status ? failure_set(failure, status, "out of memory") : VIRGA_OK;
}
