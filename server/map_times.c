// SPDX-License-Identifier: Apache-2.0
#include "server/map_times.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "field/cf_time.h"

static const double same = 0.5;  // seconds between two times that are one

static bool is_current(const char *text) { return !*text || !strcmp(text, "current"); }
static bool is_latest(const char *text) { return !*text || !strcmp(text, "latest"); }
static bool is_lead(const char *text) { return *text == 'T' || *text == 't'; }

// --- What a text means.

int map_times_parse(const struct catalog_variable *variable, const char *text, double run, double *seconds, struct failure *failure) {
    enum cf_calendar calendar;
    char *end = NULL;
    if (is_lead(text)) {
        double hours = text[1] == '+' || text[1] == ' ' || text[1] == '-' ? strtod(text + 2, &end) : NAN;  // a '+' in a URL reads as a space
        *seconds = run + 3600 * (text[1] == '-' ? -hours : hours);
        if (isfinite(hours) && strspn(text + 2, "0123456789.") == strlen(text + 2) && end > text + 2 && !*end) return VIRGA_OK;
    } else if (cf_calendar_parse(variable->calendar, &calendar) == VIRGA_OK && cf_time_parse(calendar, text, seconds) == VIRGA_OK) {
        return VIRGA_OK;
    }
    return failure_set(failure, VIRGA_INVALID, "time = \"%.60s\" must be like 2026-01-31T12:00:00Z, or T+6 for six hours after the run", text);
}

size_t map_times_nearest(const struct catalog_time *times, size_t count, double seconds) {
    size_t low = 0, high = count;  // the first that is not before `seconds` lies between
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (times[middle].seconds < seconds) low = middle + 1;
        else high = middle;
    }
    if (low == count || (low > 0 && seconds - times[low - 1].seconds <= times[low].seconds - seconds)) low--;
    return low;
}

// Whether a time lies between the ends, or beyond them by no more than half of the distance between steps there.
static bool covers(const struct catalog_series *series, double seconds) {
    const struct catalog_time *t = series->times;
    size_t n = series->time_count;
    double before = n > 1 ? (t[1].seconds - t[0].seconds) / 2 : same, after = n > 1 ? (t[n - 1].seconds - t[n - 2].seconds) / 2 : same;
    return seconds >= t[0].seconds - before && seconds <= t[n - 1].seconds + after;
}

// --- Runs.

static const struct catalog_series *series_of(const struct catalog_dataset *dataset, size_t run, size_t variable) {
    const struct catalog_series *series = &dataset->runs[run].series[variable];
    return series->present && series->time_count ? series : NULL;
}

static bool has_exactly(const struct catalog_series *series, double seconds) {
    return fabs(series->times[map_times_nearest(series->times, series->time_count, seconds)].seconds - seconds) < same;
}

// What is asked for: seconds since 1970, or since the run where `lead`; NaN: nothing is.
struct asked {
    bool lead;
    double seconds;
};

static double at_run(const struct catalog_dataset *dataset, size_t run, struct asked asked) {
    return asked.lead ? dataset->runs[run].time.seconds + asked.seconds : asked.seconds;
}

static int latest(const struct catalog_dataset *dataset, size_t variable, struct asked asked) {
    int index = (int)variable;
    const struct catalog_asked question = {.count = 1, .variables = &index, .lead = asked.lead, .seconds = asked.seconds};
    return catalog_find_latest(dataset, &question);
}

// Where no run is said: the latest where it has what is asked for, else the newest that has; else the newest that has the variable.
static int any_run(const struct catalog_dataset *dataset, size_t variable, struct asked asked) {
    int run = latest(dataset, variable, asked), newest = -1;
    if (run < 0) return -1;
    const struct catalog_series *series = series_of(dataset, (size_t)run, variable);
    if (series && (isnan(asked.seconds) || has_exactly(series, at_run(dataset, (size_t)run, asked)))) return run;
    for (size_t r = dataset->run_count; r-- > 0;) {
        const struct catalog_series *other = series_of(dataset, r, variable);
        if (!other) continue;
        if (newest < 0) newest = (int)r;
        if (!isnan(asked.seconds) && has_exactly(other, at_run(dataset, r, asked))) return (int)r;
    }
    return series ? run : newest;
}

static int find_run(const struct catalog_dataset *dataset, size_t variable, const char *run, struct asked asked, struct map_time *found, struct failure *failure) {
    int index = !*run ? any_run(dataset, variable, asked) : is_latest(run) ? latest(dataset, variable, asked) : catalog_find_run(dataset, run);
    if (index < 0 && !is_latest(run) && dataset->latest >= 0)
        return failure_set(failure, VIRGA_NOT_FOUND, "there is no run \"%.60s\"; the latest is %s", run, dataset->runs[dataset->latest].time.iso);
    if (index < 0) return failure_set(failure, VIRGA_NOT_FOUND, "no run of %.100s has %.100s", dataset->id, dataset->variables[variable].id);
    found->run = (size_t)index;
    found->run_said = !is_latest(run);
    if (series_of(dataset, found->run, variable)) return VIRGA_OK;
    return failure_set(failure, VIRGA_NOT_FOUND, "the run of %s has no %.100s", dataset->runs[index].time.iso, dataset->variables[variable].id);
}

// --- Steps.

static int find_step(const struct catalog_dataset *dataset, size_t variable, const char *time, struct asked asked, double now, struct map_time *found, struct failure *failure) {
    const struct catalog_series *series = series_of(dataset, found->run, variable);
    bool none = isnan(asked.seconds);
    double seconds = none ? now : at_run(dataset, found->run, asked);
    found->time_said = !none;
    found->exact = true;
    if (catalog_is_constant(&dataset->variables[variable]) || (none && !covers(series, seconds))) return VIRGA_OK;  // the first
    found->step = map_times_nearest(series->times, series->time_count, seconds);
    found->exact = none || fabs(series->times[found->step].seconds - seconds) < same;
    if (covers(series, seconds)) return VIRGA_OK;
    return failure_set(failure, VIRGA_NOT_FOUND, "the run of %s has no %.100s at %.60s; its times are from %s to %s", dataset->runs[found->run].time.iso,
                       dataset->variables[variable].id, time, series->times[0].iso, series->times[series->time_count - 1].iso);
}

int map_times_find(const struct catalog_dataset *dataset, size_t variable, const char *run, const char *time, double now, struct map_time *found, struct failure *failure) {
    const char *run_text = run ? run : "", *time_text = time ? time : "";
    struct asked asked = {is_lead(time_text), NAN};
    *found = (struct map_time){0};
    int status = is_current(time_text) ? VIRGA_OK : map_times_parse(&dataset->variables[variable], time_text, 0, &asked.seconds, failure);
    if (!status) status = find_run(dataset, variable, run_text, asked, found, failure);
    return status ? status : find_step(dataset, variable, time_text, asked, now, found, failure);
}

// --- Lists.

bool map_times_next(const struct catalog_time *times, size_t count, size_t *at, struct map_interval *interval) {
    const double even = 1e-3;
    size_t first = *at, end = first + 1;
    if (first >= count) return false;
    double period = end < count ? times[end].seconds - times[first].seconds : 0;
    while (end < count && fabs(times[end].seconds - times[end - 1].seconds - period) < even) end++;
    if (end - first < 3) *interval = (struct map_interval){first, 1, 0};
    else *interval = (struct map_interval){first, end - first, period};
    *at = first + interval->count;
    return true;
}

void map_times_period(double seconds, char text[MAP_TIMES_PERIOD]) {
    double days = floor(seconds / 86400), rest = seconds - 86400 * days;
    double hours = floor(rest / 3600), minutes = floor((rest - 3600 * hours) / 60);
    rest -= 3600 * hours + 60 * minutes;
    int at = snprintf(text, MAP_TIMES_PERIOD, "P");
    if (days > 0) at += snprintf(text + at, (size_t)(MAP_TIMES_PERIOD - at), "%.0fD", fmin(days, 1e9));
    if (hours + minutes + rest > 0 || days <= 0) at += snprintf(text + at, (size_t)(MAP_TIMES_PERIOD - at), "T");
    if (hours > 0) at += snprintf(text + at, (size_t)(MAP_TIMES_PERIOD - at), "%.0fH", hours);
    if (minutes > 0) at += snprintf(text + at, (size_t)(MAP_TIMES_PERIOD - at), "%.0fM", minutes);
    if (rest > 0 || seconds <= 0) snprintf(text + at, (size_t)(MAP_TIMES_PERIOD - at), "%.6gS", rest);
}

static int by_time(const void *a, const void *b) {
    double x = ((const struct catalog_time *)a)->seconds, y = ((const struct catalog_time *)b)->seconds;
    return (x > y) - (x < y);
}

int map_times_all(const struct catalog_dataset *dataset, size_t variable, struct catalog_time **times, size_t *count) {
    size_t all = 0, size;
    *times = NULL;
    *count = 0;
    for (size_t r = 0; r < dataset->run_count; r++)
        if (series_of(dataset, r, variable)) all += dataset->runs[r].series[variable].time_count;
    if (!all) return VIRGA_OK;
    if (memory_multiply(all, sizeof **times, &size) || !(*times = malloc(size))) return VIRGA_NO_MEMORY;
    all = 0;
    for (size_t r = 0; r < dataset->run_count; r++) {
        const struct catalog_series *series = series_of(dataset, r, variable);
        if (!series) continue;
        memcpy(*times + all, series->times, series->time_count * sizeof **times);
        all += series->time_count;
    }
    qsort(*times, all, sizeof **times, by_time);
    for (size_t n = 0; n < all; n++)
        if (!*count || (*times)[n].seconds - (*times)[*count - 1].seconds >= same) (*times)[(*count)++] = (*times)[n];
    return VIRGA_OK;
}
