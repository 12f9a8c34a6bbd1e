// SPDX-License-Identifier: Apache-2.0
// When exports stand still so that viewers wait less. Pure policy: no processes, threads or clocks.
//
// They do while a viewer waits for work, and for a moment after it, as one request often leads to the next. Standing still is a debt
// that is paid by running, EXPORT_PACE_RATIO times as fast. Once it has grown to EXPORT_PACE_MOST, they run for EXPORT_PACE_TURN
// whoever waits, and again each time that they have stood still for as long as such a turn pays for. So exports have at least one
// part in 1 + EXPORT_PACE_RATIO of the time, beside viewers that never stop asking, too.
#ifndef VIRGA_SERVER_EXPORT_PACE_H
#define VIRGA_SERVER_EXPORT_PACE_H

#include <stdbool.h>

enum { EXPORT_PACE_RATIO = 6 };
// Seconds. MOST: a switch of a large field is made within it, and hosts that an export asks notice nothing. TURN: short beside a
// switch that needs any work (25 ms for 2 million values), of which it then costs a few parts in a hundred; long beside what
// stopping and going on cost (0.1 ms). LINGER: between a table and the bricks that its viewer then asks for.
static const double EXPORT_PACE_MOST = 0.5, EXPORT_PACE_TURN = 0.005, EXPORT_PACE_LINGER = 0.005;

struct export_pace {  // zeroed: they run
    bool still;       // they stand still
    bool turn;        // they run though somebody waits
    double debt;      // seconds, 0 … EXPORT_PACE_MOST
    bool waited;      // at the last look
    double quiet;     // when they may go on after the last wait
    double looked;    // the last look
};

// What is right from `now` on, in seconds of a clock that never goes back; `waits`: whether a viewer does. To be called whenever that
// has changed. Returns when to look again though it has not; HUGE_VAL: never.
double export_pace_look(struct export_pace *pace, bool waits, double now);

#endif
