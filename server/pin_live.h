// SPDX-License-Identifier: Apache-2.0
// What a pin shows at the moment: what its rules mean in a catalog now, and how that is told. Pure: the clock is passed in. Any thread.
#ifndef VIRGA_SERVER_PIN_LIVE_H
#define VIRGA_SERVER_PIN_LIVE_H

#include <jansson.h>
#include <stdint.h>

#include "render/picture.h"
#include "server/pin_files.h"
#include "server/pin_stale.h"

enum { PIN_WORDS = 300 };  // bytes

// A run and time that a picture is of.
struct pin_shown {
    char run[CATALOG_TIME_TEXT], valid[CATALOG_TIME_TEXT];  // ISO 8601; "": of none
    double lead_hours;
    bool complete;             // the run has all steps that are expected of it
    size_t expected, missing;  // of them
};

struct pin_meaning {
    int status;                // VIRGA_OK, or why the view means nothing now: VIRGA_AGAIN where its step is to come still, else as view_resolve
    char words[PIN_WORDS];     // why
    struct picture_moment moment;
    struct pin_shown shown;
    uint64_t fingerprint;      // of the dataset, in this catalog; 0: it is not on offer
    char key[PIN_KEY + 1];     // of the picture: two pictures of the same size with the same key are the same, but for what is written on them
    uint64_t fields, look;     // pictures with the same numbers are made from the same fields, and look into them with the same light and colours
    bool calendar;             // the run can be held against the clock
    double run_at;             // its reference time, seconds since 1970 UTC
    double stale_from;         // from when on it is stale; infinite: never
    double now;                // when it was asked, wall clock
    double from, until;        // wall clock: between them the same step is meant; infinite where the clock does not matter
};

// What the view means. stale_after: as in pin_stale_from. The view's captions, title and size are not looked at.
void pin_mean(const struct view *view, const struct catalog *catalog, double now, double stale_after, struct pin_meaning *meaning);

enum pin_state {
    PIN_WAITING,  // a picture is being made; what is told is of the one before, if there is one
    PIN_FRESH,
    PIN_STALE,    // it shows what its rules mean, but a newer run should have come
    PIN_FAILED,   // there is no picture, and words why
};

struct pin_live {
    enum pin_state state;
    struct pin_shown shown;  // of the picture, or of the one that is being made where there is none
    char words[PIN_WORDS];
    char key[PIN_KEY + 1];   // of the picture; "": there is none
    double drawn;            // wall clock; 0: not yet
};

// As PROTOCOL.md has it. NULL when out of memory.
json_t *pin_live_json(const struct pin_live *live);
// What is written under a picture for somebody who sees no more than it: "Run 4 h old", or why it is stale.
void pin_note(const struct pin_meaning *meaning, double now, char words[PIN_WORDS]);

#endif
