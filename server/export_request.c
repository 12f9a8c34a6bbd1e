// SPDX-License-Identifier: Apache-2.0
#include "server/export_request.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "render/sequence.h"
#include "render/view_resolve.h"
#include "server/request_body.h"

static int load(const char *json, size_t size, const char *const *names, json_t **root, struct failure *failure) {
    int status = request_body_load(json, size, names, root, failure);
    if (status) return status;
    if (!json_is_object(json_object_get(*root, "view"))) return failure_set(failure, VIRGA_INVALID, "view: expected a view document");
    return VIRGA_OK;
}

static int dump(const json_t *document, char **text, struct failure *failure) {
    *text = json_dumps(document, JSON_COMPACT);
    return *text ? VIRGA_OK : failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
}

// What is meant relative to this moment is written as what it is: a job that goes on tomorrow makes the same pictures. Strings of the document itself and, one
// after the other, of what is in it.
static void pin_now(json_t *value, const char *now) {
    const char *key;
    size_t i;
    json_t *inner;
    if (json_is_string(value) && !strcmp(json_string_value(value), "nearest to now")) json_string_set(value, now);
    if (json_is_object(value)) json_object_foreach(value, key, inner) pin_now(inner, now);
    if (json_is_array(value)) json_array_foreach(value, i, inner) pin_now(inner, now);
}

// The run of what a difference takes away, where a rule says which.
static int pin_minus(json_t *document, const struct view_resolved *resolved) {
    for (size_t n = 0; n < resolved->layer_count; n++) {
        const struct view_resolved_minus *minus = &resolved->layers[n].minus;
        json_t *asked = json_object_get(json_array_get(json_object_get(document, "layers"), n), "minus");
        if (minus->series && json_object_get(asked, "run") && json_object_set_new(asked, "run", json_string(resolved->dataset->runs[minus->run].time.iso)))
            return VIRGA_NO_MEMORY;
    }
    return VIRGA_OK;
}

static int pin(json_t *document, const struct view_resolved *resolved, struct failure *failure) {
    size_t step;
    bool exact;
    int status = view_resolve_time(resolved, "nearest to now", clock_wall(), &step, &exact, failure);
    if (status) return status;
    pin_now(json_object_get(document, "time"), resolved->times[step].iso);
    pin_now(json_object_get(document, "sequence"), resolved->times[step].iso);
    const char *run = resolved->dataset->runs[resolved->run].time.iso;
    if ((*run && json_object_set_new(document, "run", json_string(run))) || pin_minus(document, resolved))
        return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    return VIRGA_OK;
}

static int must_be_step(const struct view_resolved *resolved, const char *rule, struct failure *failure) {
    size_t step;
    bool exact;
    int status = view_resolve_time(resolved, rule, clock_wall(), &step, &exact, failure);
    if (status || exact) return status;
    return failure_set(failure, VIRGA_INVALID, "time: \"%s\" is not a step of this run; the nearest is %s", rule, resolved->times[step].iso);
}

// Checks the document, and that all that it names is in the catalog, and pins it to that. `at_step`: its time must be a step.
static int check(json_t *document, const struct catalog *catalog, bool at_step, struct view *view, struct failure *failure) {
    char *text = NULL;
    int status = dump(document, &text, failure);
    if (!status) status = view_parse(text, strlen(text), view, failure);
    free(text);
    struct view_resolved *resolved = status ? NULL : malloc(sizeof *resolved);
    if (!status) status = resolved ? view_resolve(view, catalog, resolved, failure) : failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    if (!status && at_step) status = must_be_step(resolved, view->time, failure);
    if (!status) status = pin(document, resolved, failure);
    free(resolved);
    return status;
}

static int read_name(const json_t *root, struct export_job *job, struct failure *failure) {
    const json_t *name = json_object_get(root, "name");
    job->name[0] = '\0';
    if (!name || json_is_null(name)) return VIRGA_OK;
    if (!json_is_string(name) || json_string_length(name) > EXPORT_NAME || strlen(json_string_value(name)) != json_string_length(name))
        return failure_set(failure, VIRGA_INVALID, "name: expected a text of at most %d bytes", EXPORT_NAME);
    snprintf(job->name, sizeof job->name, "%s", json_string_value(name));
    utf8_clean(job->name);
    return VIRGA_OK;
}

static int read_format(const char *text, const struct view *view, struct export_job *job, struct failure *failure) {
    struct sequence *sequence = malloc(sizeof *sequence);
    int status = sequence ? sequence_parse(text, strlen(text), sequence, failure) : failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    if (!status) job->jpeg = sequence->has_format && sequence->format == IMAGE_JPEG;
    free(sequence);
    if (!status && job->jpeg && view->transparent) status = failure_set(failure, VIRGA_INVALID, "transparent: a JPEG cannot be; take \"png\" as sequence.format");
    return status;
}

int export_request_parse(const char *json, size_t size, const struct catalog *catalog, struct export_job *job, char **view, struct failure *failure) {
    static const char *const names[] = {"view", "name", NULL};
    json_t *root;
    struct view checked;
    *view = NULL;
    int status = load(json, size, names, &root, failure);
    if (!status) status = read_name(root, job, failure);
    if (!status) status = check(json_object_get(root, "view"), catalog, false, &checked, failure);
    if (!status) status = dump(json_object_get(root, "view"), view, failure);
    if (!status) status = read_format(*view, &checked, job, failure);
    if (!status) {
        job->width = checked.size[0] ? checked.size[0] : VIEW_USUAL_WIDTH;
        job->height = checked.size[1] ? checked.size[1] : VIEW_USUAL_HEIGHT;
    }
    json_decref(root);
    if (status) {
        free(*view);
        *view = NULL;
    }
    return status;
}

// Preview.

static int read_width(const json_t *root, unsigned *width, struct failure *failure) {
    const json_t *value = json_object_get(root, "width");
    double n = json_number_value(value);
    *width = EXPORT_PREVIEW_WIDTH;
    if (!value || json_is_null(value)) return VIRGA_OK;
    if (!json_is_number(value) || !(n >= EXPORT_PREVIEW_LEAST && n <= EXPORT_PREVIEW_MOST))
        return failure_set(failure, VIRGA_INVALID, "width: expected a number from %d to %d", EXPORT_PREVIEW_LEAST, EXPORT_PREVIEW_MOST);
    *width = (unsigned)n;
    return VIRGA_OK;
}

// The view in a frame of `most` × `most` pixels, as one picture. `full`: its own size.
static void make_small(json_t *document, const unsigned full[2], unsigned most, bool jpeg, const char *time) {
    double width = full[0] ? full[0] : VIEW_USUAL_WIDTH, height = full[1] ? full[1] : VIEW_USUAL_HEIGHT, scale = fmin(1, most / fmax(width, height));
    unsigned small[2] = {(unsigned)fmax(EXPORT_PREVIEW_LEAST, round(width * scale)), (unsigned)fmax(EXPORT_PREVIEW_LEAST, round(height * scale))};
    json_object_set_new(document, "size", json_pack("[i,i]", (int)small[0], (int)small[1]));
    json_object_set_new(document, "sequence", json_pack("{s:s}", "format", jpeg ? "jpeg" : "png"));
    if (time) json_object_set_new(document, "time", json_string(time));
}

int export_request_preview(const char *json, size_t size, const struct catalog *catalog, bool *jpeg, char **view, struct failure *failure) {
    static const char *const names[] = {"view", "width", "time", NULL};
    json_t *root;
    struct view checked;
    unsigned width = 0;
    *view = NULL;
    int status = load(json, size, names, &root, failure);
    json_t *document = json_object_get(root, "view");
    const json_t *time = json_object_get(root, "time");
    if (!status) status = read_width(root, &width, failure);
    if (!status && time && !json_is_string(time)) status = failure_set(failure, VIRGA_INVALID, "time: expected \"T+6\" or another time");
    if (!status) status = check(document, catalog, false, &checked, failure);
    if (!status) {
        *jpeg = !checked.transparent;
        make_small(document, checked.size, width, *jpeg, json_string_value(time));
        status = check(document, catalog, true, &checked, failure);  // the time is the client's
    }
    if (!status) status = dump(document, view, failure);
    json_decref(root);
    if (status) {
        free(*view);
        *view = NULL;
    }
    return status;
}
