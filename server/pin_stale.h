// SPDX-License-Identifier: Apache-2.0
// Whether what a pin of the latest run shows is stale: a newer run should have come by now. Pure: the clock is passed in. Any thread.
#ifndef VIRGA_SERVER_PIN_STALE_H
#define VIRGA_SERVER_PIN_STALE_H

#include <stddef.h>

#include "field/catalog.h"

// What the rule looks at. Seconds since 1970 UTC.
struct pin_runs {
    double shown;     // reference time of the run that is shown
    double interval;  // usual time from one run to the next; 0: there is one run only
    double delay;     // usual time from a run's reference time until it had been written; 0 where it is not known
};

// Of a run of the dataset: medians over the last runs up to the newest. What was written longer than two days after its reference time says nothing
// about when runs come. False where times are not those of the everyday calendar, which no clock can be held against.
bool pin_runs_of(const struct catalog_dataset *dataset, size_t run, struct pin_runs *runs);

// From when on it is stale: `after` (seconds; 0: twice the interval and at least an hour, a day where there is one run only) after the moment when the run
// that is shown had usually been there.
double pin_stale_from(const struct pin_runs *runs, double after);

// "No new run since 06Z, 14 h ago"; with the day where it is another than today's.
enum { PIN_STALE_TEXT = 96 };
void pin_stale_words(double shown, double now, char words[PIN_STALE_TEXT]);
// "14 h", "3 days", "25 min", as web/view/wall_words.js; of less than nothing (a run to come, or a clock that is wrong) "0 min".
enum { PIN_AGE_TEXT = 32 };
void pin_age_words(double seconds, char words[PIN_AGE_TEXT]);

#endif
