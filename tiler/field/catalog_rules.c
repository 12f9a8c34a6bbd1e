// SPDX-License-Identifier: Apache-2.0
// Which runs are complete, which one "latest" means, and which are on offer (struct catalog_rules).
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "field/catalog_group.h"

static const double same_time = 2, day = 86400;  // seconds; lead times are written with at most six decimals of an hour

// The rules, and what was counted: [run][variable] pieces of steps that are there up to the lead that counts.
struct tally {
    const struct catalog_dataset *d;
    struct catalog_rules rules;
    size_t *counts;
};

static bool counts(const struct catalog_variable *v) { return !v->from->constant && !v->hidden; }

static size_t count_of(const struct tally *t, size_t run, size_t variable) { return t->counts[run * t->d->variable_count + variable]; }

// Members in files of their own are counted each, and so are levels.
static size_t places_of(const struct catalog_variable *v) { return v->from->members_apart ? v->member_count : v->from->stack ? v->nz : 1; }

static bool is_there(const struct field_step *piece, const struct catalog_variable *v) { return v->from->stack ? piece->file != NULL : !piece->absent; }

static size_t count_steps(const struct tally *t, size_t run, size_t variable) {
    const struct catalog_variable *v = &t->d->variables[variable];
    const struct catalog_series *series = &t->d->runs[run].series[variable];
    size_t count = 0, places = places_of(v);
    double last = t->rules.expected_lead > 0 ? t->d->runs[run].time.seconds + t->rules.expected_lead + same_time : INFINITY;
    for (size_t s = 0; s < series->time_count; s++)
        for (size_t m = 0; m < places && series->times[s].seconds <= last; m++) count += is_there(run_piece(v, run, s * places + m), v);
    return count;
}

static size_t total_of(const struct tally *t, size_t run) {
    size_t total = 0;
    for (size_t v = 0; v < t->d->variable_count; v++) total += count_of(t, run, v);
    return total;
}

// Steps of the variable that has most.
static size_t steps_of(const struct tally *t, size_t run) {
    size_t most = 0;
    for (size_t v = 0; v < t->d->variable_count; v++) {
        size_t steps = (count_of(t, run, v) + places_of(&t->d->variables[v]) - 1) / places_of(&t->d->variables[v]);
        if (steps > most) most = steps;
    }
    return most;
}

static bool same_hour(const struct catalog_run *a, const struct catalog_run *b) {
    double apart = fabs(fmod(a->time.seconds - b->time.seconds, day));
    return apart < same_time || apart > day - same_time;
}

// The fullest other run of the same hour of day, or else the fullest of all, the earliest of several.
static size_t fullest(const struct tally *t, size_t run) {
    size_t best = run, best_total = 0, all = 0, all_total = 0;
    for (size_t r = 0; r < t->d->run_count; r++) {
        size_t total = total_of(t, r);
        if (total > all_total) all = r, all_total = total;
        if (r != run && same_hour(&t->d->runs[r], &t->d->runs[run]) && total > best_total) best = r, best_total = total;
    }
    return best != run ? best : all;
}

// The run whose steps are expected of this one; earlier ones are judged already.
static size_t model_of(const struct tally *t, size_t run) {
    for (size_t r = run; r-- > 0;)
        if (t->d->runs[r].complete && same_hour(&t->d->runs[r], &t->d->runs[run])) return r;
    return fullest(t, run);
}

static size_t most_of(const struct tally *t, size_t variable) {
    size_t most = 0;
    for (size_t r = 0; r < t->d->run_count; r++)
        if (count_of(t, r, variable) > most) most = count_of(t, r, variable);
    return most;
}

static bool has_member(const struct tally *t, size_t run, size_t variable, size_t member) {
    const struct catalog_variable *v = &t->d->variables[variable];
    for (size_t s = 0; s < t->d->runs[run].series[variable].time_count; s++)
        if (!v->from->runs[run].steps[s * v->member_count + member].absent) return true;
    return false;
}

// Runs of a lagged ensemble have members of their own each: then steps are compared and members are not.
static bool shares_members(const struct tally *t, size_t a, size_t b, size_t variable) {
    const struct catalog_variable *v = &t->d->variables[variable];
    bool shares = !v->from->members_apart;
    for (size_t m = 0; !shares && m < v->member_count; m++) shares = has_member(t, a, variable, m) && has_member(t, b, variable, m);
    return shares;
}

// How much of a variable is expected of a run.
static size_t needed_of(const struct tally *t, size_t model, size_t variable) {
    size_t most, wanted = t->rules.expected_steps * places_of(&t->d->variables[variable]);
    if (!t->rules.expected_steps && !(t->rules.expected_lead > 0)) return count_of(t, model, variable);
    most = most_of(t, variable);
    return t->rules.expected_steps && most > wanted ? wanted : most;
}

// Steps that a run lacks of a variable.
static size_t lacking_of(const struct tally *t, size_t run, size_t model, size_t variable) {
    size_t need = needed_of(t, model, variable), have = count_of(t, run, variable), places = places_of(&t->d->variables[variable]);
    if (!shares_members(t, run, model, variable) && have > 0) {
        need = t->d->runs[model].series[variable].time_count;
        have = t->d->runs[run].series[variable].time_count;
        places = 1;
    }
    return need > have ? (need - have + places - 1) / places : 0;
}

// With an end that is set, a run that has not come to it lacks steps whatever others have.
static size_t lacking_at_end(const struct tally *t, size_t run, size_t steps) {
    if (t->rules.expected_steps) return steps < t->rules.expected_steps ? t->rules.expected_steps - steps : 0;
    double last = -INFINITY;
    for (size_t v = 0; v < t->d->variable_count; v++) {
        const struct catalog_series *series = &t->d->runs[run].series[v];
        if (counts(&t->d->variables[v]) && series->time_count > 0) last = fmax(last, series->times[series->time_count - 1].seconds);
    }
    return t->rules.expected_lead > 0 && isfinite(last) && last < t->d->runs[run].time.seconds + t->rules.expected_lead - same_time;
}

static void judge(const struct tally *t, size_t run, struct catalog_run *judged) {
    size_t model = model_of(t, run), steps = steps_of(t, run), missing = lacking_at_end(t, run, steps);
    bool set = t->rules.expected_steps || t->rules.expected_lead > 0;
    for (size_t v = 0; v < t->d->variable_count; v++) {
        size_t lacking = counts(&t->d->variables[v]) ? lacking_of(t, run, model, v) : 0;
        if (lacking > missing) missing = lacking;
    }
    judged->expected = steps_of(t, model);
    for (size_t r = 0; set && r < t->d->run_count; r++)
        if (steps_of(t, r) > judged->expected) judged->expected = steps_of(t, r);
    if (t->rules.expected_steps) judged->expected = t->rules.expected_steps;
    if (judged->expected < missing) judged->expected = steps + missing;
    judged->missing = missing;
    judged->complete = !missing;
}

static int find_complete(struct catalog_dataset *d, const struct catalog_rules *rules) {
    struct tally t = {.d = d, .rules = *rules, .counts = calloc(d->run_count * d->variable_count + 1, sizeof *t.counts)};
    if (!t.counts) return VIRGA_NO_MEMORY;
    for (size_t r = 0; r < d->run_count; r++)
        for (size_t v = 0; v < d->variable_count; v++)
            if (counts(&d->variables[v])) t.counts[r * d->variable_count + v] = count_steps(&t, r, v);
    for (size_t r = 0; r < d->run_count; r++) judge(&t, r, &d->runs[r]);
    free(t.counts);
    return VIRGA_OK;
}

static int find_latest(const struct catalog_dataset *d) {
    for (size_t r = d->run_count; r-- > 0;)
        if (d->runs[r].complete) return (int)r;
    return (int)d->run_count - 1;
}

static void drop_run(struct catalog_dataset *d, size_t run) {
    size_t after = d->run_count - run - 1;
    for (size_t v = 0; v < d->variable_count; v++) {
        struct run_source *runs = d->variables[v].from->runs;
        free(d->runs[run].series[v].times);
        free(runs[run].steps);
        free(runs[run].levels);
        memmove(&runs[run], &runs[run + 1], after * sizeof *runs);
        runs[d->run_count - 1] = (struct run_source){0};
    }
    free(d->runs[run].series);
    memmove(&d->runs[run], &d->runs[run + 1], after * sizeof *d->runs);
    d->run_count--;
    if (d->latest > (int)run) d->latest--;
}

// The oldest run that is not too old.
static size_t first_kept(const struct catalog_dataset *d, const struct catalog_rules *rules) {
    size_t first = rules->keep_runs && rules->keep_runs < d->run_count ? d->run_count - rules->keep_runs : 0;
    while (rules->keep_seconds > 0 && first + 1 < d->run_count && d->runs[first].time.seconds < d->runs[d->run_count - 1].time.seconds - rules->keep_seconds) first++;
    return first;
}

static bool is_anywhere(const struct catalog_dataset *d, size_t variable) {
    for (size_t r = 0; r < d->run_count; r++)
        if (d->runs[r].series[variable].present) return true;
    return false;
}

// Runs that are too old, but for the one that is "latest", and the variables that only they had.
static void drop_runs(struct catalog_dataset *d, const struct catalog_rules *rules) {
    size_t first = first_kept(d, rules);
    if (!first) return;
    for (size_t r = first; r-- > 0;)
        if ((int)r != d->latest) drop_run(d, r);
    for (size_t v = d->variable_count; v-- > 0;)
        if (!is_anywhere(d, v) && d->variable_count > 1) catalog_remove_variable(d, v);
}

int catalog_apply_rules(struct catalog_dataset *d, const struct catalog_rules *rules) {
    static const struct catalog_rules plain;
    if (!rules) rules = &plain;
    int status = find_complete(d, rules);
    d->latest = find_latest(d);
    d->latest_has_step = rules->latest_has_step;
    if (!status) drop_runs(d, rules);
    return status;
}

static bool has_step(const struct catalog_dataset *d, size_t run, size_t variable, double seconds) {
    const struct catalog_series *series = &d->runs[run].series[variable];
    for (size_t s = 0; s < series->time_count; s++)
        if (fabs(series->times[s].seconds - seconds) <= same_time) return true;
    return false;
}

static bool has_asked(const struct catalog_dataset *d, size_t run, const struct catalog_asked *asked) {
    double seconds = asked->seconds + (asked->lead ? d->runs[run].time.seconds : 0);
    bool any = false;
    for (size_t n = 0; n < asked->count; n++) {
        int v = asked->variables[n];
        if (v < 0 || (size_t)v >= d->variable_count || catalog_is_constant(&d->variables[v])) continue;
        if (!has_step(d, run, (size_t)v, seconds)) return false;
        any = true;
    }
    return any;
}

int catalog_find_latest(const struct catalog_dataset *d, const struct catalog_asked *asked) {
    if (!d->run_count) return -1;
    for (size_t r = d->run_count; d->latest_has_step && isfinite(asked->seconds) && r-- > 0;)
        if (has_asked(d, r, asked)) return (int)r;
    return d->latest;
}
