// SPDX-License-Identifier: Apache-2.0
#include "server/pin_request.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "render/view_resolve.h"
#include "server/request_body.h"

static const double farthest = 1e9;  // position

void pin_edit_release(struct pin_edit *edit) {
    shared_bytes_unref(edit->to.view);
    *edit = (struct pin_edit){0};
}

// Control characters become spaces. False: no text, or longer than `room` - 1 bytes.
static bool take_text(const json_t *value, char *out, size_t room) {
    const char *text = json_string_value(value);
    size_t length = json_string_length(value);
    if (!text || length >= room || strlen(text) != length) return false;
    memcpy(out, text, length + 1);
    utf8_clean(out);
    return true;
}

static int take_title(const json_t *value, char *out, struct failure *failure) {
    if (take_text(value, out, PIN_TITLE + 1) && out[strspn(out, " ")]) return VIRGA_OK;
    return failure_set(failure, VIRGA_INVALID, "title: expected a text of 1 to %d bytes", PIN_TITLE);
}

static int take_group(const json_t *value, char *out, struct failure *failure) {
    if (take_text(value, out, PIN_GROUP + 1)) return VIRGA_OK;
    return failure_set(failure, VIRGA_INVALID, "group: expected a text of at most %d bytes", PIN_GROUP);
}

static int take_position(const json_t *value, double *out, struct failure *failure) {
    *out = json_number_value(value);
    if (json_is_number(value) && fabs(*out) <= farthest) return VIRGA_OK;
    return failure_set(failure, VIRGA_INVALID, "position: expected a number within ±%g", farthest);
}

static int check_view(const char *text, struct failure *failure) {
    struct failure why;
    struct view *view = malloc(sizeof *view);
    int status = view ? view_parse(text, strlen(text), view, &why) : failure_set(&why, VIRGA_NO_MEMORY, "out of memory");
    free(view);
    return status ? failure_set(failure, status, status == VIRGA_INVALID && strncmp(why.message, "view", 4) ? "view.%.480s" : "%.480s", why.message) : VIRGA_OK;
}

static int take_view(const json_t *value, struct shared_bytes **out, struct failure *failure) {
    if (!json_is_object(value)) return failure_set(failure, VIRGA_INVALID, "view: expected a view document");
    char *text = json_dumps(value, JSON_COMPACT);
    int status = text ? check_view(text, failure) : failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    if (!status && !(*out = shared_bytes_copy(text, strlen(text)))) status = failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    free(text);
    return status;
}

void pin_request_check(const struct shared_bytes *text, const struct catalog *catalog, char *words, size_t room) {
    struct failure failure = {0};
    struct view *view = malloc(sizeof *view);
    struct view_resolved *resolved = malloc(sizeof *resolved);
    if (view && resolved && !view_parse((const char *)text->data, text->size, view, &failure)) view_resolve(view, catalog, resolved, &failure);
    snprintf(words, room, "%s", failure.message);
    free(resolved);
    free(view);
}

int pin_request_edit(const char *json, size_t size, bool fresh, struct pin_edit *edit, struct failure *failure) {
    static const char *const names[] = {"title", "group", "position", "view", NULL};
    json_t *root;
    *edit = (struct pin_edit){0};
    int status = request_body_load(json, size, names, &root, failure);
    const json_t *title = json_object_get(root, "title"), *group = json_object_get(root, "group"), *position = json_object_get(root, "position"),
                 *view = json_object_get(root, "view");
    edit->title = title || fresh, edit->group = group != NULL, edit->position = position != NULL, edit->view = view || fresh;
    if (!status && edit->title) status = take_title(title, edit->to.title, failure);
    if (!status && edit->group) status = take_group(group, edit->to.group, failure);
    if (!status && edit->position) status = take_position(position, &edit->to.position, failure);
    if (!status && edit->view) status = take_view(view, &edit->to.view, failure);
    if (status) pin_edit_release(edit);
    json_decref(root);
    return status;
}

int pin_request_revision(const char *json, size_t size, uint32_t *revision, struct failure *failure) {
    static const char *const names[] = {"revision", NULL};
    json_t *root;
    int status = request_body_load(json, size, names, &root, failure);
    json_int_t n = json_integer_value(json_object_get(root, "revision"));
    if (!status && (n < 1 || n > INT32_MAX)) status = failure_set(failure, VIRGA_INVALID, "revision: expected a whole number from 1");
    *revision = status ? 0 : (uint32_t)n;
    json_decref(root);
    return status;
}

int pin_request_empty(const char *json, size_t size, struct failure *failure) {
    static const char *const names[] = {NULL};
    json_t *root = NULL;
    int status = size ? request_body_load(json, size, names, &root, failure) : VIRGA_OK;
    json_decref(root);
    return status;
}

int64_t pin_request_match(const char *header) {
    char *end;
    header += strspn(header, " \t");
    if (*header == '*') return PIN_MATCH_ANY;
    if (*header++ != '"' || *header < '1' || *header > '9') return PIN_MATCH_NONE;
    long long revision = strtoll(header, &end, 10);
    return revision <= INT32_MAX && *end == '"' && !end[1 + strspn(end + 1, " \t")] ? revision : PIN_MATCH_NONE;
}
