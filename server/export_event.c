// SPDX-License-Identifier: Apache-2.0
#include "server/export_event.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

// A whole number from 0 to `most`; false where it is absent or something else.
static bool take(const json_t *value, uint32_t most, uint32_t *out) {
    json_int_t n = json_integer_value(value);
    if (!json_is_integer(value) || n < 0 || n > (json_int_t)most) return false;
    *out = (uint32_t)n;
    return true;
}

static bool read_event(const json_t *root, struct export_event *event) {
    const char *name = json_string_value(json_object_get(root, "event"));
    const json_t *size = json_object_get(root, "size");
    if (!name) return false;
    if (!strcmp(name, "begin")) {
        event->kind = EXPORT_EVENT_BEGIN;
        if (!take(json_array_get(size, 0), 65536, &event->width) || !take(json_array_get(size, 1), 65536, &event->height)) event->width = event->height = 0;
        return take(json_object_get(root, "frames"), 10000000, &event->frames) && event->frames;
    }
    if (!strcmp(name, "frame")) {
        event->kind = EXPORT_EVENT_FRAME;
        return take(json_object_get(root, "frame"), 9999999, &event->number);
    }
    if (!strcmp(name, "error")) {
        const char *message = json_string_value(json_object_get(root, "message"));
        event->kind = EXPORT_EVENT_ERROR;
        snprintf(event->message, sizeof event->message, "%s", message && *message ? message : "the export failed");
        utf8_clean(event->message);
        return true;
    }
    event->kind = EXPORT_EVENT_DONE;
    return !strcmp(name, "done");
}

bool export_event_parse(const char *line, struct export_event *event) {
    *event = (struct export_event){0};
    json_t *root = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    bool known = read_event(root, event);
    json_decref(root);
    if (!known) event->kind = EXPORT_EVENT_NONE;
    return known;
}
