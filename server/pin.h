// SPDX-License-Identifier: Apache-2.0
// A pin: a view that is kept, with rules for run and time. What it holds, its limits, and how it is written as JSON. Pure: any thread.
#ifndef VIRGA_SERVER_PIN_H
#define VIRGA_SERVER_PIN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/shared_bytes.h"
#include "server/access.h"

enum {
    PIN_ID = 16,                   // hexadecimal digits
    PIN_TITLE = 200,               // bytes
    PIN_GROUP = 80,
    PIN_MOST = 10000,              // that are there; as many are kept of those that were deleted
    PIN_MOST_OF_OWNER = 1000,      // likewise
    PIN_MOST_BYTES = 128 << 20,    // of the views of all that are there
    PIN_MOST_REVISIONS = 100,      // that are kept of one
    PIN_MOST_HISTORY = 256 << 10,  // bytes of their views; the newest four are kept all the same
    PIN_KEEP_DAYS = 30,            // that a deleted one can be brought back
};

// What a person may change.
struct pin_content {
    char title[PIN_TITLE + 1];  // UTF-8 without control characters, not empty
    char group[PIN_GROUP + 1];  // likewise; "": none
    double position;            // where it stands among others: rising
    struct shared_bytes *view;  // the document's text, which passed its check. One reference
};

struct pin {
    int64_t sequence;  // rises with every new pin; never used twice
    char id[PIN_ID + 1], owner[ACCESS_NAME + 1], changed_by[ACCESS_NAME + 1];
    struct pin_content is;
    uint32_t revision;            // from 1, rises with every change, also when it is deleted or brought back
    double created, changed, deleted;  // wall clock; deleted: 0 while it is there
    struct shared_bytes *live;    // its state of the moment (JSON), or NULL. One reference
    uint64_t change;              // the table's own: rises with every change of any pin or of its `live`
};

bool pin_id_valid(const char *id);
// Drops what it refers to, and zeroes it.
void pin_release(struct pin *pin);
// *to refers to the same.
void pin_copy(struct pin *to, const struct pin *from);

// As PROTOCOL.md has it; one of which nothing but the id is known is deleted. person: who asks ("may"). view: with the document. NULL when out of memory.
json_t *pin_json(const struct pin *pin, const struct access_person *person, bool view);
// Bytes that are JSON, or null.
json_t *pin_json_of(const struct shared_bytes *text);

// The members that differ, "title, view"; "" where none does.
enum { PIN_WHAT = 40 };
void pin_differences(const struct pin_content *before, const struct pin_content *after, char what[PIN_WHAT]);

// Which deleted pins are so old that they go: those deleted before this moment of the wall clock. A wall clock that jumps ahead deletes nothing that the
// monotonic one has not seen grow old, but for what a wrong clock at start says after an hour.
struct pin_clock { double wall, monotonic; };
double pin_expiry(const struct pin_clock *start, const struct pin_clock *now);

#endif
