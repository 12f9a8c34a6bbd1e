// SPDX-License-Identifier: Apache-2.0
// Pins of this server. A thread of its own has their rows in the database; all changes that wait go into one transaction, and each is answered when that is on the
// disk. What is there is a table in memory.
#ifndef VIRGA_SERVER_PIN_SERVICE_H
#define VIRGA_SERVER_PIN_SERVICE_H

#include "server/thread_inbox.h"
#include "server/pin_request.h"
#include "server/pin_store.h"
#include "server/pin_table.h"

struct pin_service;

// Reads what is there and starts the thread. `changed` is called from the thread, at most ten times a second, when the table changed by it. The database must
// outlive it. VIRGA_IO, VIRGA_NO_MEMORY with words.
int pin_service_new(const struct state_database *database, void (*changed)(void *user), void *user, struct pin_service **out, struct failure *failure);
// What was asked for is done first, or cancelled. NULL is allowed.
void pin_service_free(struct pin_service *service);
// Any thread.
struct pin_table *pin_service_table(struct pin_service *service);

enum pin_act { PIN_ADD, PIN_EDIT, PIN_DELETE, PIN_UNDO, PIN_RESTORE, PIN_REVISION, PIN_HISTORY, PIN_LIST_DELETED };

// One thing to do. What comes of it, and what is given, is the asker's: pin_command_release.
struct pin_command {
    struct thread_command command;             // the service's own, with the next three
    struct pin_command *next;
    bool changes;                       // something was written
    enum pin_act act;
    struct access_person person;        // who asks
    char id[PIN_ID + 1];                // of which pin; not of PIN_ADD and PIN_LIST_DELETED
    int64_t match;                      // the revision that it must be, or PIN_MATCH_ANY
    struct pin_edit edit;               // PIN_ADD (all of it), PIN_EDIT
    uint32_t number;                    // PIN_RESTORE, PIN_REVISION
    // On the thread, once, when it is on the disk or has failed.
    void (*done)(struct pin_command *command);
    // VIRGA_OK; VIRGA_NOT_FOUND; VIRGA_CHANGED: it has another revision (*pin is what it is now); VIRGA_INVALID: there is nothing to go back to; VIRGA_TOO_LARGE: as many
    // are there as may be, or the disk is full; VIRGA_CANCELLED: the service is going; VIRGA_IO, VIRGA_NO_MEMORY. `forbidden`: the person may not (of
    // pin->owner's pin).
    int status;
    bool forbidden;
    struct failure failure;
    struct pin pin;                     // as it is now; of PIN_LIST_DELETED nothing
    struct pin_revision *revisions;     // PIN_HISTORY; PIN_REVISION: one, with its view
    struct pin *deleted;                // PIN_LIST_DELETED: those that the person may bring back, by rising sequence
    size_t count;                       // of the list
};
// Any thread. VIRGA_TOO_LARGE: too much is asked for already; then `done` is not called.
int pin_service_ask(struct pin_service *service, struct pin_command *command);
void pin_command_release(struct pin_command *command);

#endif
