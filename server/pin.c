// SPDX-License-Identifier: Apache-2.0
#include "server/pin.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "server/json_time.h"

enum { GRACE = 3600 };

bool pin_id_valid(const char *id) { return strlen(id) == PIN_ID && strspn(id, "0123456789abcdef") == PIN_ID; }

void pin_release(struct pin *pin) {
    shared_bytes_unref(pin->is.view);
    shared_bytes_unref(pin->live);
    *pin = (struct pin){0};
}

void pin_copy(struct pin *to, const struct pin *from) {
    *to = *from;
    shared_bytes_ref(to->is.view);
    shared_bytes_ref(to->live);
}

json_t *pin_json_of(const struct shared_bytes *text) {
    json_t *value = text ? json_loadb((const char *)text->data, text->size, JSON_DECODE_ANY, NULL) : NULL;
    return value ? value : json_null();
}

json_t *pin_json(const struct pin *pin, const struct access_person *person, bool view) {
    if (!pin->is.title[0]) return json_pack("{s:s, s:b}", "id", pin->id, "deleted", 1);
    json_t *root = json_pack("{s:s, s:s, s:s, s:s, s:f, s:I, s:o, s:o, s:s, s:b, s:o}", "id", pin->id, "title", pin->is.title, "owner", pin->owner, "group",
                             pin->is.group, "position", pin->is.position, "revision", (json_int_t)pin->revision, "created", json_time(pin->created), "changed",
                             json_time(pin->changed), "changed_by", pin->changed_by, "may", access_may(person, ACT_PIN, pin->owner), "live", pin_json_of(pin->live));
    if (root && pin->deleted) json_object_set_new(root, "deleted", json_time(pin->deleted));
    if (root && view) json_object_set_new(root, "view", pin_json_of(pin->is.view));
    return root;
}

static bool same_bytes(const struct shared_bytes *a, const struct shared_bytes *b) { return a == b || (a->size == b->size && !memcmp(a->data, b->data, a->size)); }

void pin_differences(const struct pin_content *before, const struct pin_content *after, char what[PIN_WHAT]) {
    const struct { const char *name; bool differs; } members[] = {
        {"title", strcmp(before->title, after->title) != 0}, {"group", strcmp(before->group, after->group) != 0},
        {"position", before->position != after->position}, {"view", !same_bytes(before->view, after->view)}};
    size_t at = 0;
    what[0] = '\0';
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (members[i].differs) at += (size_t)snprintf(what + at, PIN_WHAT - at, "%s%s", at ? ", " : "", members[i].name);
}

double pin_expiry(const struct pin_clock *start, const struct pin_clock *now) {
    double elapsed = now->monotonic - start->monotonic;
    if (elapsed < GRACE) return 0;
    return fmin(now->wall, start->wall + elapsed) - PIN_KEEP_DAYS * 86400.0;
}
