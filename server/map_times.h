// SPDX-License-Identifier: Apache-2.0
// Which run and step a text means, and lists of times as few intervals. Pure: the clock is passed in. Any thread.
//
// A run is a reference time (ISO 8601) or "latest"; where none is said, the latest run that has the time asked for. A time is a valid time (ISO 8601, in the variable's
// calendar), a lead time in hours ("T+6"), or "current" or nothing: the step nearest to now. A time between two steps means the nearest one, which is said (`exact`); one beyond
// the ends by more than half of the distance between steps there means none.
#ifndef VIRGA_SERVER_MAP_TIMES_H
#define VIRGA_SERVER_MAP_TIMES_H

#include <stdbool.h>
#include <stddef.h>

#include "field/catalog.h"

enum { MAP_TIMES_PERIOD = 40 };

struct map_time {
    size_t run, step;
    bool run_said, time_said;  // as times of the calendar: the same texts mean this very step for as long as the dataset has it
    bool exact;                // the step has the very time that was asked for
};

// VIRGA_OK; VIRGA_INVALID: `run` or `time` is no such text; VIRGA_NOT_FOUND: there is no such run, or it has no such time, or lacks the variable. NULL is "".
// now: seconds since 1970 UTC.
int map_times_find(const struct catalog_dataset *dataset, size_t variable, const char *run, const char *time, double now, struct map_time *found, struct failure *failure);

// Seconds that a text other than "current" and "" means: run is the reference time in the variable's calendar. VIRGA_OK or VIRGA_INVALID with words.
int map_times_parse(const struct catalog_variable *variable, const char *text, double run, double *seconds, struct failure *failure);

// The step whose time is nearest. count ≥ 1; times rise.
size_t map_times_nearest(const struct catalog_time *times, size_t count, double seconds);

// `count` times from times[first] on, `period` seconds apart; or one alone, with period 0.
struct map_interval {
    size_t first, count;
    double period;
};
// Goes through times from *at (0 at first) in intervals, each as long as can be; two times that are no part of a longer one stand alone. False at the end.
bool map_times_next(const struct catalog_time *times, size_t count, size_t *at, struct map_interval *interval);
// A period as ISO 8601 writes it: "PT1H", "P1DT12H", "PT0.5S".
void map_times_period(double seconds, char text[MAP_TIMES_PERIOD]);

// The valid times of a variable in all runs on offer, rising, each once. VIRGA_OK with *times, which the caller frees (NULL where there are none), or VIRGA_NO_MEMORY.
int map_times_all(const struct catalog_dataset *dataset, size_t variable, struct catalog_time **times, size_t *count);

#endif
