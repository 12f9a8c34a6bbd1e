// SPDX-License-Identifier: Apache-2.0
#include "server/pin_service.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/pin_act.h"

enum { MAX_COMMANDS = 512, TELL_MS = 100, PURGE_SECONDS = 600, PURGE_DELETED = 1000 };

struct pin_service {
    struct pin_store *store;
    struct pin_table table;          // its own lock
    struct thread_inbox commands;   // its own lock
    void (*changed)(void *user);
    void *user;
    // The thread's own.
    struct pin_command *batch, **last;  // done, but not yet on the disk
    bool telling;                    // the table changed, and `changed` is due
    double told_at, purged_at;       // monotonic clock
    unsigned deleted;                // since then
    struct pin_clock start;
};

struct pin_table *pin_service_table(struct pin_service *service) { return &service->table; }

// Within a transaction: one command is a step of it. cancelled: there is none, which `finish` says.
static void run_command(struct thread_command *base, void *context, bool cancelled) {
    struct pin_service *service = context;
    struct pin_command *command = (struct pin_command *)base;
    command->next = NULL;
    *service->last = command;
    service->last = &command->next;
    command->status = cancelled ? VIRGA_OK : pin_store_step_begin(service->store, &command->failure);
    if (cancelled || command->status) return;
    command->status = pin_act(command, service->store, clock_wall());
    int status = pin_store_step_end(service->store, !command->status, command->status ? NULL : &command->failure);
    if (!command->status) command->status = status;
}

int pin_service_ask(struct pin_service *service, struct pin_command *command) {
    command->command.run = run_command;
    return thread_inbox_ask(&service->commands, &command->command);
}

void pin_command_release(struct pin_command *command) {
    pin_edit_release(&command->edit);
    pin_release(&command->pin);
    pin_table_release(command->deleted, command->count);
    for (size_t i = 0; command->revisions && i < command->count; i++) shared_bytes_unref(command->revisions[i].was.view);
    free(command->revisions);
    command->deleted = NULL;
    command->revisions = NULL;
}

static size_t length_of(const struct thread_command *commands) {
    size_t count = 0;
    for (; commands; commands = commands->next) count++;
    return count;
}

// What is on the disk now goes into the table, and is answered; what failed is answered, too.
static void finish(struct pin_service *service, int status, const struct failure *failure) {
    struct pin_command *command = service->batch, *next;
    service->batch = NULL;
    service->last = &service->batch;
    for (; command; command = next) {
        next = command->next;
        if (status && !command->status) {
            command->status = status;
            command->failure = *failure;
        }
        if (!command->status && command->changes) {
            if (command->pin.deleted && ++service->deleted >= PURGE_DELETED) service->purged_at = 0;
            if (command->pin.deleted) pin_table_remove(&service->table, command->pin.sequence);
            else pin_table_put(&service->table, &command->pin);
            service->telling = true;
        }
        command->done(command);
    }
}

// All in one transaction: the disk is waited for once.
static void run_batch(struct pin_service *service, struct thread_command *commands, bool stopping) {
    struct failure failure;
    if (!commands) return;
    int status = stopping ? VIRGA_CANCELLED : pin_table_reserve(&service->table, length_of(commands));
    if (status) failure_set(&failure, status, status == VIRGA_CANCELLED ? "the server is going" : "out of memory");
    else status = pin_store_begin(service->store, &failure);
    bool open = !status;
    thread_inbox_run_all(commands, service, !open);
    if (open) status = pin_store_commit(service->store, &failure);
    finish(service, status, &failure);
}

// Seconds until something is due.
static int tell(struct pin_service *service, double now) {
    if (!service->telling) return PURGE_SECONDS * 1000;
    double wait = TELL_MS - (now - service->told_at) * 1000;
    if (wait > 0) return (int)wait + 1;
    service->telling = false;
    service->told_at = now;
    service->changed(service->user);
    return PURGE_SECONDS * 1000;
}

static void purge(struct pin_service *service, double now) {
    struct failure failure;
    const struct pin_clock clock = {.wall = clock_wall(), .monotonic = now};
    if (now - service->purged_at < PURGE_SECONDS) return;
    service->purged_at = now;
    service->deleted = 0;
    int status = pin_store_begin(service->store, &failure);
    if (!status) {
        status = pin_store_purge(service->store, pin_expiry(&service->start, &clock), &failure);
        int end = pin_store_commit(service->store, status ? NULL : &failure);
        if (!status) status = end;
    }
    if (status) log_warning("pin", "%s", failure.message);
}

static void *serve(void *argument) {
    struct pin_service *service = argument;
    bool stopping = false;
    while (!stopping) {
        thread_inbox_wait(&service->commands, tell(service, clock_monotonic()));
        run_batch(service, thread_inbox_take(&service->commands, &stopping), stopping);
        if (!stopping) purge(service, clock_monotonic());
    }
    return NULL;
}

static int take_up(struct pin_service *service, struct failure *failure) {
    struct pin *pins = NULL;
    size_t count = 0;
    int status = pin_store_load(service->store, false, &pins, &count, failure);
    if (!status && pin_table_reserve(&service->table, count)) status = failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < count && !status; i++) pin_table_put(&service->table, &pins[i]);
    pin_table_release(pins, count);
    return status;
}

int pin_service_new(const struct state_database *database, void (*changed)(void *user), void *user, struct pin_service **out, struct failure *failure) {
    struct pin_service *service = *out = calloc(1, sizeof *service);
    if (!service) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    service->changed = changed;
    service->user = user;
    service->last = &service->batch;
    service->start = (struct pin_clock){.wall = clock_wall(), .monotonic = clock_monotonic()};
    if (pin_table_init(&service->table)) {
        free(service);
        *out = NULL;
        return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    }
    int status = thread_inbox_init(&service->commands, MAX_COMMANDS, failure);
    if (!status) status = pin_store_new(database, &service->store, failure);
    if (!status) status = take_up(service, failure);
    if (!status) status = thread_inbox_serve(&service->commands, serve, service, failure);
    if (!status) return VIRGA_OK;
    pin_service_free(service);
    *out = NULL;
    return status;
}

void pin_service_free(struct pin_service *service) {
    if (!service) return;
    thread_inbox_stop(&service->commands);
    thread_inbox_destroy(&service->commands);
    pin_store_free(service->store);
    pin_table_destroy(&service->table);
    free(service);
}
