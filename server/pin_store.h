// SPDX-License-Identifier: Apache-2.0
// Pins and their revisions in the database, over a connection of its own. On one thread. Writes stand in a transaction that the caller begins and ends, so that
// many are one write to the disk. Failures are VIRGA_IO or VIRGA_TOO_LARGE (the disk is full) with words, or VIRGA_NO_MEMORY.
#ifndef VIRGA_SERVER_PIN_STORE_H
#define VIRGA_SERVER_PIN_STORE_H

#include "server/pin.h"
#include "server/state_database.h"

struct pin_store;

struct pin_revision {
    uint32_t revision, base;  // base: the one whose content it has again, or itself
    double at;                // wall clock
    char person[ACCESS_NAME + 1], what[PIN_WHAT];
    struct pin_content was;   // view: NULL where it was not asked for, else one reference
};

int pin_store_new(const struct state_database *database, struct pin_store **out, struct failure *failure);
void pin_store_free(struct pin_store *store);

// A transaction, and within it steps, each of which is taken back or stays.
int pin_store_begin(struct pin_store *store, struct failure *failure);
// Nothing stays where it fails.
int pin_store_commit(struct pin_store *store, struct failure *failure);
int pin_store_step_begin(struct pin_store *store, struct failure *failure);
int pin_store_step_end(struct pin_store *store, bool stays, struct failure *failure);

// Within a transaction.
// All that are there (deleted: those that are not), by rising sequence. The caller releases and frees them.
int pin_store_load(struct pin_store *store, bool deleted, struct pin **pins, size_t *count, struct failure *failure);
// There or deleted, as it is now. VIRGA_NOT_FOUND.
int pin_store_find(struct pin_store *store, const char *id, struct pin *pin, struct failure *failure);
// Fills pin->sequence.
int pin_store_add(struct pin_store *store, struct pin *pin, struct failure *failure);
// The pin's newest revision is `revision` from now on, with the pin's content, and it is deleted or not as pin->deleted says; revisions that are too many go.
int pin_store_append(struct pin_store *store, const struct pin *pin, const struct pin_revision *revision, struct failure *failure);
// One of them with its view. VIRGA_NOT_FOUND: it is not kept (any more). before: the newest one before `number`.
int pin_store_revision(struct pin_store *store, const struct pin *pin, uint32_t number, bool before, struct pin_revision *revision, struct failure *failure);
// All, newest first, without views, at most PIN_MOST_REVISIONS; the caller frees them.
int pin_store_history(struct pin_store *store, const struct pin *pin, struct pin_revision **revisions, size_t *count, struct failure *failure);
// Pins that are there, of all and of an owner, and the bytes of their views.
struct pin_totals { int64_t all, of_owner, bytes; };
int pin_store_totals(struct pin_store *store, const char *owner, struct pin_totals *totals, struct failure *failure);
// Deleted ones go that were deleted before this moment of the wall clock, or that are more than are kept.
int pin_store_purge(struct pin_store *store, double before, struct failure *failure);

#endif
