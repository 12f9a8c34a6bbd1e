// SPDX-License-Identifier: Apache-2.0
// Live pictures of pins: what each pin means is looked up whenever the catalog, the pin or the time has changed, and where its picture would be another one
// it is drawn anew, once for all who look, in the background and viewers first. Threads of its own do so; what they make is told through the table of pins.
//
// A *minder* looks up what pins mean and tells of it. *Drawers*, few, each draw a picture at a time with bricks from the store that viewers have, which finds
// them warm when a pin is opened then. Nobody waits for a picture but who asked for one with something written on it, and that is bounded.
#ifndef VIRGA_SERVER_PIN_PICTURES_H
#define VIRGA_SERVER_PIN_PICTURES_H

#include <stdatomic.h>

#include "base/histogram.h"
#include "base/worker_pool.h"
#include "brick/brick_store.h"
#include "server/config.h"
#include "server/pin_table.h"

enum {
    PIN_THUMBNAIL_WIDTH = 400, PIN_THUMBNAIL_HEIGHT = 225,
    PIN_PICTURE_LEAST = 16, PIN_PICTURE_WIDEST = 1280, PIN_PICTURE_USUAL = 640,  // pixels of a picture that is asked for
    PIN_TAG = 64,  // bytes of a picture's name for caches, without quotes
};

struct pin_pictures;

struct pin_pictures_options {
    const struct config *config;  // all must outlive it
    struct worker_pool *workers;  // while it has anything to do that somebody waits for, drawers stand back (export_pace.h)
    struct brick_store *bricks;
    struct pin_table *table;
    void (*changed)(void *user);  // what is told of pins has changed; from its threads, often; must be quick, and not call this
    void *user;
};
int pin_pictures_new(const struct pin_pictures_options *options, struct catalog *catalog, struct pin_pictures **out, struct failure *failure);
// What is being drawn is given up. NULL is allowed.
void pin_pictures_free(struct pin_pictures *pictures);

// Any thread, all of these. Another catalog is in force; takes a reference of its own.
void pin_pictures_set_catalog(struct pin_pictures *pictures, struct catalog *catalog);
// A viewer asks for something: drawing stands back for a moment.
void pin_pictures_make_way(struct pin_pictures *pictures);
// The table of pins has changed.
void pin_pictures_wake(struct pin_pictures *pictures);

// The picture of a pin with this key, without anything written on it, PIN_THUMBNAIL_WIDTH wide; one reference. NULL: it is not in memory (pin_file_read may have it).
struct shared_bytes *pin_pictures_thumbnail(struct pin_pictures *pictures, const char *id, const char *key);

// A picture as it is now, with its captions: title, times, and how old it is.
struct pin_request {
    struct pin_request *next;     // the service's own, with `deadline`
    double deadline;
    char id[PIN_ID + 1];
    uint32_t revision;            // of the pin, at least
    unsigned width;               // pixels; the height is in the view's proportions
    bool png;                     // else JPEG
    atomic_bool dropped;          // any thread: nobody wants it any more; it is told of all the same
    // On one of its threads, once. VIRGA_OK with bytes (one reference) and tag; VIRGA_AGAIN: it takes too long; VIRGA_NOT_FOUND: there is no such pin; else why
    // it cannot be made.
    void (*done)(struct pin_request *request, int status, struct shared_bytes *bytes, const char *tag, const struct failure *failure);
};
// VIRGA_TOO_LARGE: too many wait; `done` is not called then.
int pin_pictures_ask(struct pin_pictures *pictures, struct pin_request *request);
// After setting `dropped`: it is told of soon, unless it is being drawn.
void pin_pictures_drop(struct pin_pictures *pictures);
// What that picture is called now, so that a client who has it needs no other: false where that is not known yet of this revision, or there is no such picture.
bool pin_pictures_tag(struct pin_pictures *pictures, const char *id, uint32_t revision, unsigned width, bool png, char tag[PIN_TAG]);

struct pin_pictures_stats {
    size_t pins, waiting, fresh, stale, failed;  // of them
    size_t drawn, failures, asked;               // since start: pictures, those that failed, and those that were asked for
    size_t memory;                               // bytes of pictures
};
void pin_pictures_stats(struct pin_pictures *pictures, struct pin_pictures_stats *stats);
// How long drawing took, picture by picture, with the wait for its bricks. As long-lived as the service.
const struct histogram *pin_pictures_seconds(const struct pin_pictures *pictures);

#endif
