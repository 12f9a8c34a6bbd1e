// SPDX-License-Identifier: Apache-2.0
#include "server/pin_live.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/utf8.h"
#include "render/view_resolve.h"
#include "render/view_write.h"

// --- What the clock has to do with it.

static bool by_clock(const struct view *view) { return !strcmp(view->time, "nearest to now"); }

// Between which moments the step is the nearest one.
static void set_span(const struct view_resolved *resolved, size_t step, struct pin_meaning *meaning) {
    const struct catalog_time *times = resolved->times;
    if (step > 0) meaning->from = (times[step - 1].seconds + times[step].seconds) / 2;
    if (step + 1 < resolved->time_count) meaning->until = (times[step].seconds + times[step + 1].seconds) / 2;
}

// Where the run ended more than a step ago, the step nearest to now is not near any more.
static double end_of(const struct view_resolved *resolved) {
    const size_t n = resolved->time_count;
    return n > 1 ? 2 * resolved->times[n - 1].seconds - resolved->times[n - 2].seconds : INFINITY;
}

static void set_stale(const struct view *view, const struct view_resolved *resolved, double after, struct pin_meaning *meaning) {
    struct pin_runs runs;
    meaning->calendar = pin_runs_of(resolved->dataset, resolved->run, &runs);
    meaning->run_at = runs.shown;
    if (!meaning->calendar || strcmp(view->run, "latest") != 0) return;
    meaning->stale_from = pin_stale_from(&runs, after);
    if (by_clock(view)) meaning->stale_from = fmin(meaning->stale_from, end_of(resolved));
}

// --- The key.

static void add(XXH3_state_t *state, const void *bytes, size_t size) { XXH3_128bits_update(state, bytes, size); }
static void add_text(XXH3_state_t *state, const char *text) { add(state, text, strlen(text) + 1); }

// The levels of one member may change though the step's numbers do not.
static void add_edition(XXH3_state_t *state, const struct field_ref *field) {
    char geometry[33];
    field_geometry_id(field, geometry);
    add_text(state, catalog_step_edition(field));
    add_text(state, geometry);
}

// Presets may look at a variable's first step, and the first step's range.
static void add_layer(XXH3_state_t *state, const struct view_resolved *resolved, const struct view_resolved_layer *layer, double seconds) {
    const ptrdiff_t step = view_resolved_step(layer, seconds), minus = view_resolved_minus_step(layer, seconds);
    struct field_ref field = view_resolved_field(resolved, layer, 0);
    if (layer->series) add_edition(state, &field);
    field.step = step < 0 ? 0 : (size_t)step;
    if (step >= 0) add_edition(state, &field);
    if (minus < 0) return;
    field = view_resolved_minus_field(resolved, layer, (size_t)minus);
    add_edition(state, &field);
}

// The ground is that of the newest run that has it.
static void add_ground(XXH3_state_t *state, const struct catalog_dataset *dataset) {
    struct field_ref field = {.dataset = dataset, .variable = (size_t)dataset->terrain};
    for (size_t run = dataset->run_count; dataset->terrain >= 0 && run-- > 0;) {
        if (!dataset->runs[run].series[dataset->terrain].present) continue;
        field.run = run;
        add_edition(state, &field);
        return;
    }
}

// What the picture looks like besides: the document without what is written on it, and without its camera where `still`.
static int add_view(XXH3_state_t *state, const struct view *view, bool still) {
    struct view bare = *view;
    bare.captions = (struct view_captions){0};
    bare.size[0] = bare.size[1] = 0;
    if (still) bare.has_camera = false;
    char *text = view_write(&bare, false);
    if (!text) return VIRGA_NO_MEMORY;
    add_text(state, text);
    free(text);
    return VIRGA_OK;
}

static void add_fields(XXH3_state_t *state, const struct view_resolved *resolved, double seconds) {
    add_text(state, VIRGA_VERSION);
    add(state, &seconds, sizeof seconds);
    for (size_t n = 0; n < resolved->layer_count; n++) add_layer(state, resolved, &resolved->layers[n], seconds);
    add_ground(state, resolved->dataset);
}

static int set_keys(const struct view *view, const struct view_resolved *resolved, struct pin_meaning *meaning) {
    XXH3_state_t *state = XXH3_createState();
    const double seconds = resolved->times[meaning->moment.step].seconds;
    if (!state) return VIRGA_NO_MEMORY;
    XXH3_128bits_reset(state);
    add_fields(state, resolved, seconds);
    meaning->fields = XXH3_128bits_digest(state).low64;
    int status = add_view(state, view, true);
    meaning->look = XXH3_128bits_digest(state).low64;
    if (!status) status = add_view(state, view, false);
    const XXH128_hash_t hash = XXH3_128bits_digest(state);
    XXH3_freeState(state);
    snprintf(meaning->key, sizeof meaning->key, "%016llx%016llx", (unsigned long long)hash.high64, (unsigned long long)hash.low64);
    return status;
}

// --- What it means.

static void set_shown(const struct view_resolved *resolved, size_t step, struct pin_shown *shown) {
    const struct catalog_run *run = &resolved->dataset->runs[resolved->run];
    *shown = (struct pin_shown){.complete = run->complete, .expected = run->expected, .missing = run->missing,
                                .lead_hours = (resolved->times[step].seconds - run->time.seconds) / 3600};
    snprintf(shown->run, sizeof shown->run, "%s", run->time.iso);
    snprintf(shown->valid, sizeof shown->valid, "%s", resolved->times[step].iso);
}

// A run that is still coming may have the step soon.
static int lacks_step(const struct view *view, const struct view_resolved *resolved, size_t nearest, struct failure *failure) {
    const struct catalog_run *run = &resolved->dataset->runs[resolved->run];
    if (!run->complete)
        return failure_set(failure, VIRGA_AGAIN, "%s is not there yet: the run of %s has %zu of %zu steps", view->time, run->time.iso,
                           run->expected - run->missing, run->expected);
    return failure_set(failure, VIRGA_INVALID, "time: \"%s\" is not a step of the run of %s; the nearest is %s", view->time, run->time.iso,
                       resolved->times[nearest].iso);
}

static int mean(const struct view *view, const struct catalog *catalog, double now, double stale_after, struct view_resolved *resolved,
                struct pin_meaning *meaning, struct failure *failure) {
    bool exact = false;
    int status = view_resolve(view, catalog, resolved, failure);
    if (resolved->dataset) meaning->fingerprint = resolved->dataset->fingerprint;
    if (status) return status;
    set_stale(view, resolved, stale_after, meaning);
    status = view_resolve_time(resolved, view->time, now, &meaning->moment.step, &exact, failure);
    if (status) return status;
    if (!exact) return lacks_step(view, resolved, meaning->moment.step, failure);
    if (by_clock(view)) set_span(resolved, meaning->moment.step, meaning);
    set_shown(resolved, meaning->moment.step, &meaning->shown);
    status = set_keys(view, resolved, meaning);
    return status ? failure_set(failure, status, "out of memory") : status;
}

// Who wrote the document is told "layers[0].variable: "x" is not …"; who looks at a pin reads "Variable "x" is not …".
static void set_words(const char *message, char words[PIN_WORDS]) {
    const size_t path = strspn(message, "abcdefghijklmnopqrstuvwxyz_.[]0123456789");
    const bool named = path > 0 && path < PIN_WORDS / 2 && !strncmp(message + path, ": ", 2);
    size_t begin = named ? path : 0, length = 0;
    while (begin > 0 && message[begin - 1] >= 'a' && message[begin - 1] <= 'z') begin--;
    if (named) length = (size_t)snprintf(words, PIN_WORDS, "%.*s ", (int)(path - begin), message + begin);
    snprintf(words + length, PIN_WORDS - length, "%.*s", (int)(PIN_WORDS - 1 - length), named ? message + path + 2 : message);
    if (words[0] >= 'a' && words[0] <= 'z') words[0] = (char)(words[0] - 'a' + 'A');
    utf8_clean(words);  // it may have been cut within a letter
}

void pin_mean(const struct view *view, const struct catalog *catalog, double now, double stale_after, struct pin_meaning *meaning) {
    struct view_resolved *resolved = malloc(sizeof *resolved);
    struct failure failure = {0};
    *meaning = (struct pin_meaning){.now = now, .stale_from = INFINITY, .from = -INFINITY, .until = INFINITY};
    meaning->status = resolved ? mean(view, catalog, now, stale_after, resolved, meaning, &failure) : failure_set(&failure, VIRGA_NO_MEMORY, "out of memory");
    free(resolved);
    set_words(failure.message, meaning->words);
    if (meaning->status) meaning->key[0] = '\0';
}

// --- How it is told.

static json_t *text_or_null(const char *text) { return *text ? json_string(text) : json_null(); }

static json_t *time_or_null(double seconds) {
    char iso[CF_TIME_TEXT];
    return seconds > 0 && !cf_time_text(CALENDAR_STANDARD, floor(seconds), iso) ? json_string(iso) : json_null();
}

json_t *pin_live_json(const struct pin_live *live) {
    static const char *const states[] = {[PIN_WAITING] = "waiting", [PIN_FRESH] = "fresh", [PIN_STALE] = "stale", [PIN_FAILED] = "failed"};
    const struct pin_shown *shown = &live->shown;
    const bool some = shown->run[0] != '\0';
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "state", states[live->state], "run", text_or_null(shown->run),
                     "valid", text_or_null(shown->valid), "lead_hours", some ? json_real(shown->lead_hours) : json_null(),
                     "run_complete", some ? json_boolean(shown->complete) : json_null(), "expected", some ? json_integer((json_int_t)shown->expected) : json_null(),
                     "missing", some ? json_integer((json_int_t)shown->missing) : json_null(), "words", text_or_null(live->words),
                     "key", text_or_null(live->key), "drawn", time_or_null(live->drawn));
}

void pin_note(const struct pin_meaning *meaning, double now, char words[PIN_WORDS]) {
    char age[PIN_AGE_TEXT];
    words[0] = '\0';
    if (!meaning->calendar) return;
    if (now >= meaning->stale_from) {
        pin_stale_words(meaning->run_at, now, words);
    } else if (now >= meaning->run_at) {
        pin_age_words(now - meaning->run_at, age);
        snprintf(words, PIN_WORDS, "Run %s old", age);
    }
}
