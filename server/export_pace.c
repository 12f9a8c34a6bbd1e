// SPDX-License-Identifier: Apache-2.0
#include "server/export_pace.h"

#include <math.h>

static const double turn_pays = EXPORT_PACE_TURN * EXPORT_PACE_RATIO, tiny = 1e-9;

static void count_time(struct export_pace *pace, double now) {
    double passed = fmax(0, now - pace->looked);
    pace->debt = pace->still ? fmin(EXPORT_PACE_MOST, pace->debt + passed) : fmax(0, pace->debt - passed * EXPORT_PACE_RATIO);
    pace->looked = now;
}

static void take_turns(struct export_pace *pace) {
    if (pace->turn) pace->turn = pace->debt > EXPORT_PACE_MOST - turn_pays + tiny;
    else pace->turn = pace->debt > EXPORT_PACE_MOST - tiny;
}

double export_pace_look(struct export_pace *pace, bool waits, double now) {
    count_time(pace, now);
    take_turns(pace);
    if (pace->waited && !waits) pace->quiet = now + EXPORT_PACE_LINGER;
    pace->waited = waits;
    pace->still = !pace->turn && (waits || (pace->still && now < pace->quiet));
    if (pace->still) return fmin(now + EXPORT_PACE_MOST - pace->debt, waits ? HUGE_VAL : pace->quiet);
    return waits ? now + (pace->debt - EXPORT_PACE_MOST + turn_pays) / EXPORT_PACE_RATIO : HUGE_VAL;
}
