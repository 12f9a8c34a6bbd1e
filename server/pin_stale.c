// SPDX-License-Identifier: Apache-2.0
#include "server/pin_stale.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "field/cf_time.h"

enum { LOOK_BACK = 8 };  // runs
static const double hour = 3600, day = 86400, latest_delay = 2 * 86400.0;

static int by_size(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// The lower one where there are two in the middle; 0 of none.
static double median(double *numbers, size_t count) {
    if (!count) return 0;
    qsort(numbers, count, sizeof *numbers, by_size);
    return numbers[(count - 1) / 2];
}

static bool everyday(const struct catalog_dataset *dataset) {
    for (size_t v = 0; v < dataset->variable_count; v++) {
        enum cf_calendar calendar = CALENDAR_STANDARD;
        cf_calendar_parse(dataset->variables[v].calendar, &calendar);
        if (calendar != CALENDAR_STANDARD && calendar != CALENDAR_PROLEPTIC_GREGORIAN) return false;
    }
    return true;
}

bool pin_runs_of(const struct catalog_dataset *dataset, size_t run, struct pin_runs *runs) {
    double times[LOOK_BACK + 1], gaps[LOOK_BACK], delays[LOOK_BACK + 1];
    size_t count = 0, known = 0;
    *runs = (struct pin_runs){0};
    if (!everyday(dataset) || cf_time_parse(CALENDAR_STANDARD, dataset->runs[run].time.iso, &runs->shown)) return false;
    const size_t first = dataset->run_count > LOOK_BACK + 1 ? dataset->run_count - LOOK_BACK - 1 : 0;
    for (size_t r = first; r < dataset->run_count; r++) {
        if (cf_time_parse(CALENDAR_STANDARD, dataset->runs[r].time.iso, &times[count])) continue;
        const double delay = catalog_run_written(dataset, r) - times[count++];
        if (delay > 0 && delay <= latest_delay) delays[known++] = delay;
    }
    for (size_t n = 1; n < count; n++) gaps[n - 1] = times[n] - times[n - 1];
    runs->interval = median(gaps, count > 1 ? count - 1 : 0);
    runs->delay = median(delays, known);
    return true;
}

double pin_stale_from(const struct pin_runs *runs, double after) {
    const double usual = runs->interval > 0 ? fmax(hour, 2 * runs->interval) : day;
    return runs->shown + runs->delay + (after > 0 ? after : usual);
}

void pin_age_words(double seconds, char words[PIN_AGE_TEXT]) {
    seconds = fmax(0, seconds);
    if (seconds < 1.5 * hour) snprintf(words, PIN_AGE_TEXT, "%.0f min", round(seconds / 60));
    else if (seconds < 2 * day) snprintf(words, PIN_AGE_TEXT, "%.0f h", round(seconds / hour));
    else snprintf(words, PIN_AGE_TEXT, "%.0f days", fmin(999999, round(seconds / day)));
}

void pin_stale_words(double shown, double now, char words[PIN_STALE_TEXT]) {
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char date[16] = "", minutes[8] = "", age[PIN_AGE_TEXT];
    const time_t run = (time_t)shown;
    struct tm t;
    if (!gmtime_r(&run, &t)) memset(&t, 0, sizeof t);
    if (floor(shown / day) != floor(now / day)) snprintf(date, sizeof date, "%d %s ", t.tm_mday % 32, months[t.tm_mon % 12]);
    if (t.tm_min) snprintf(minutes, sizeof minutes, ":%02d", t.tm_min % 60);
    pin_age_words(now - shown, age);
    snprintf(words, PIN_STALE_TEXT, "No new run since %s%02d%sZ, %s ago", date, t.tm_hour % 24, minutes, age);
}
