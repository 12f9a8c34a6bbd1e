// SPDX-License-Identifier: Apache-2.0
#include "server/pin_act.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/secret.h"

static int forbid(struct pin_command *command) {
    command->forbidden = true;
    return failure_set(&command->failure, VIRGA_INVALID, "this pin is another's");
}

// What is needed to go on: it is there (or, `deleted`: was), its owner's or an admin's, and as it was when it was read.
static int find(struct pin_command *command, struct pin_store *store, bool deleted) {
    int status = pin_store_find(store, command->id, &command->pin, &command->failure);
    if (status) return status;
    const struct pin *pin = &command->pin;
    if (pin->deleted && !deleted) return failure_set(&command->failure, VIRGA_NOT_FOUND, "this pin was deleted; it can be brought back for %d days", PIN_KEEP_DAYS);
    if (!access_may(&command->person, ACT_PIN, pin->owner)) return forbid(command);
    if (command->match == PIN_MATCH_ANY || command->match == pin->revision) return VIRGA_OK;
    return failure_set(&command->failure, VIRGA_CHANGED, "this pin was changed meanwhile, by %s: it is revision %u now", pin->changed_by, pin->revision);
}

// Counts what is there and what `more` and `bytes` would add.
static int check_room(struct pin_command *command, struct pin_store *store, int more, int64_t bytes) {
    struct pin_totals totals;
    int status = pin_store_totals(store, command->pin.owner, &totals, &command->failure);
    if (status) return status;
    if (totals.all + more > PIN_MOST) return failure_set(&command->failure, VIRGA_TOO_LARGE, "%d pins are there, which is the most; delete some", PIN_MOST);
    if (totals.of_owner + more > PIN_MOST_OF_OWNER)
        return failure_set(&command->failure, VIRGA_TOO_LARGE, "%s has %d pins, which is the most; delete some", command->pin.owner, PIN_MOST_OF_OWNER);
    if (totals.bytes + bytes > PIN_MOST_BYTES) return failure_set(&command->failure, VIRGA_TOO_LARGE, "the views of all pins take too much room; delete some");
    return VIRGA_OK;
}

// The pin, its content already the new one, gets its next revision. base: 0 where it is like none before.
static int append(struct pin_command *command, struct pin_store *store, const char *what, uint32_t base, double wall) {
    struct pin *pin = &command->pin;
    struct pin_revision revision = {.revision = pin->revision + 1, .base = base ? base : pin->revision + 1, .at = wall};
    snprintf(revision.person, sizeof revision.person, "%s", command->person.name);
    snprintf(revision.what, sizeof revision.what, "%s", what);
    int status = pin_store_append(store, pin, &revision, &command->failure);
    if (status) return status;
    pin->revision = revision.revision;
    pin->changed = wall;
    memcpy(pin->changed_by, revision.person, sizeof pin->changed_by);
    command->changes = true;
    return VIRGA_OK;
}

// The content takes the place of what was there; its reference to a view becomes the pin's.
static void replace(struct pin *pin, const struct pin_content *content) {
    shared_bytes_unref(pin->is.view);
    pin->is = *content;
}

static int add(struct pin_command *command, struct pin_store *store, double wall) {
    struct pin *pin = &command->pin;
    snprintf(pin->owner, sizeof pin->owner, "%s", command->person.name);
    pin->created = wall;
    if (!access_may(&command->person, ACT_PIN, NULL)) return forbid(command);
    if (!secret_name(pin->id, PIN_ID)) return failure_set(&command->failure, VIRGA_IO, "there are no random numbers");
    int status = check_room(command, store, 1, (int64_t)command->edit.to.view->size);
    if (!status) status = pin_store_add(store, pin, &command->failure);
    if (status) return status;
    replace(pin, &command->edit.to);
    shared_bytes_ref(pin->is.view);
    if (!command->edit.position) pin->is.position = (double)pin->sequence;
    return append(command, store, "created", 0, wall);
}

static int edit(struct pin_command *command, struct pin_store *store, double wall) {
    struct pin *pin = &command->pin;
    const struct pin_edit *e = &command->edit;
    char what[PIN_WHAT];
    int status = find(command, store, false);
    if (status) return status;
    struct pin_content content = pin->is;
    if (e->title) memcpy(content.title, e->to.title, sizeof content.title);
    if (e->group) memcpy(content.group, e->to.group, sizeof content.group);
    if (e->position) content.position = e->to.position;
    if (e->view) content.view = e->to.view;
    pin_differences(&pin->is, &content, what);
    if (!what[0]) return VIRGA_OK;  // it is so already
    if (e->view) status = check_room(command, store, 0, (int64_t)content.view->size - (int64_t)pin->is.view->size);
    if (status) return status;
    shared_bytes_ref(content.view);
    replace(pin, &content);
    return append(command, store, what, 0, wall);
}

static int delete(struct pin_command *command, struct pin_store *store, double wall) {
    int status = find(command, store, false);
    if (status) return status;
    command->pin.deleted = wall;
    return append(command, store, "deleted", 0, wall);
}

// The pin is there, with the content of one of its revisions.
static int go_back(struct pin_command *command, struct pin_store *store, const struct pin_revision *to, const char *what, double wall) {
    struct pin *pin = &command->pin;
    int64_t before = pin->deleted ? 0 : (int64_t)pin->is.view->size;
    replace(pin, &to->was);
    int status = check_room(command, store, pin->deleted ? 1 : 0, (int64_t)pin->is.view->size - before);
    pin->deleted = 0;
    return status ? status : append(command, store, what, to->base, wall);
}

// Each undo goes one further back: what a revision took over from an earlier one, it counts as.
static int undo(struct pin_command *command, struct pin_store *store, double wall) {
    struct pin *pin = &command->pin;
    struct pin_revision now, to;
    int status = find(command, store, true);
    if (!status) status = pin_store_revision(store, pin, pin->revision, false, &now, &command->failure);
    if (status) return status;
    shared_bytes_unref(now.was.view);
    status = pin_store_revision(store, pin, now.base, true, &to, &command->failure);
    if (status == VIRGA_NOT_FOUND) return failure_set(&command->failure, VIRGA_INVALID, "there is no earlier revision to go back to");
    return status ? status : go_back(command, store, &to, pin->deleted ? "brought back" : "undone", wall);
}

static int restore(struct pin_command *command, struct pin_store *store, double wall) {
    struct pin_revision to;
    int status = find(command, store, true);
    if (!status) status = pin_store_revision(store, &command->pin, command->number, false, &to, &command->failure);
    return status ? status : go_back(command, store, &to, "restored", wall);
}

static int look_up(struct pin_command *command, struct pin_store *store) {
    int status = pin_store_find(store, command->id, &command->pin, &command->failure);
    if (!status && command->pin.deleted && !access_may(&command->person, ACT_PIN, command->pin.owner))
        status = failure_set(&command->failure, VIRGA_NOT_FOUND, "there is no such pin");
    return status;
}

static int revision(struct pin_command *command, struct pin_store *store) {
    int status = look_up(command, store);
    if (status) return status;
    if (!(command->revisions = calloc(1, sizeof *command->revisions))) return failure_set(&command->failure, VIRGA_NO_MEMORY, "out of memory");
    command->count = 1;
    return pin_store_revision(store, &command->pin, command->number, false, command->revisions, &command->failure);
}

static int history(struct pin_command *command, struct pin_store *store) {
    int status = look_up(command, store);
    return status ? status : pin_store_history(store, &command->pin, &command->revisions, &command->count, &command->failure);
}

static int list_deleted(struct pin_command *command, struct pin_store *store) {
    size_t kept = 0;
    int status = pin_store_load(store, true, &command->deleted, &command->count, &command->failure);
    for (size_t i = 0; i < command->count; i++) {
        if (access_may(&command->person, ACT_PIN, command->deleted[i].owner)) command->deleted[kept++] = command->deleted[i];
        else pin_release(&command->deleted[i]);
    }
    command->count = kept;
    return status;
}

int pin_act(struct pin_command *command, struct pin_store *store, double wall) {
    switch (command->act) {
        case PIN_ADD: return add(command, store, wall);
        case PIN_EDIT: return edit(command, store, wall);
        case PIN_DELETE: return delete(command, store, wall);
        case PIN_UNDO: return undo(command, store, wall);
        case PIN_RESTORE: return restore(command, store, wall);
        case PIN_REVISION: return revision(command, store);
        case PIN_HISTORY: return history(command, store);
        case PIN_LIST_DELETED: break;
    }
    return list_deleted(command, store);
}
