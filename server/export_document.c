// SPDX-License-Identifier: Apache-2.0
#include "server/export_document.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "render/document.h"

// --- What the command line changes.

json_t *export_changes_new(void) { return json_pack("{s:{}, s:{}}", "captions", "sequence"); }

static int wrong(const char *option, const char *expected, struct failure *failure) {
    return failure_set(failure, VIRGA_INVALID, "--%s: expected %s", option, expected);
}

static int put(json_t *object, const char *name, json_t *value, struct failure *failure) {
    return json_object_set_new(object, name, value) ? failure_set(failure, VIRGA_NO_MEMORY, "out of memory") : VIRGA_OK;
}

// A whole number where it is one, so that it is written as it was given.
static json_t *number_of(const char *text) {
    char *end;
    double number = strtod(text, &end);
    if (end == text || *end || !isfinite(number)) return NULL;
    return number == floor(number) && fabs(number) < 1e15 ? json_integer((json_int_t)number) : json_real(number);
}

static int take_number(json_t *object, const char *name, const char *option, const char *value, struct failure *failure) {
    json_t *number = number_of(value);
    return number ? put(object, name, number, failure) : wrong(option, "a number", failure);
}

static int take_text(json_t *object, const char *name, const char *option, const char *value, struct failure *failure) {
    json_t *text = json_string(value);
    return text ? put(object, name, text, failure) : wrong(option, "text in UTF-8", failure);
}

static int take_size(json_t *changes, const char *option, const char *value, struct failure *failure) {
    unsigned width, height;
    int end = 0;
    if (value[0] < '0' || value[0] > '9' || sscanf(value, "%5ux%5u%n", &width, &height, &end) != 2 || value[end])
        return wrong(option, "a width and a height, such as 1280x720", failure);
    return put(changes, "size", json_pack("[i, i]", (int)width, (int)height), failure);
}

// FROM/TO or FROM/TO/EVERY
static int take_span(json_t *sequence, const char *option, const char *value, struct failure *failure) {
    const char *to = strchr(value, '/') + 1, *every = strchr(to, '/');
    size_t length = every ? (size_t)(every - to) : strlen(to);
    json_t *number = every ? number_of(every + 1) : NULL;
    if (every && !number) return wrong(option, "FROM/TO/EVERY, EVERY in hours", failure);
    json_t *span = json_pack("{s:s%, s:s%}", "from", value, (size_t)(to - 1 - value), "to", to, length);
    if (number) json_object_set_new(span, "every", number);
    return span ? put(sequence, "times", span, failure) : wrong(option, "text in UTF-8", failure);
}

static int take_times(json_t *sequence, const char *option, const char *value, struct failure *failure) {
    if (!strcmp(value, "all")) return put(sequence, "times", json_string(value), failure);
    if (strchr(value, '/')) return take_span(sequence, option, value, failure);
    json_t *list = json_array();
    for (const char *end = value;; value = end + 1) {
        end = strchrnul(value, ',');
        if (json_array_append_new(list, json_stringn(value, (size_t)(end - value)))) {
            json_decref(list);
            return wrong(option, "text in UTF-8", failure);
        }
        if (!*end) return put(sequence, "times", list, failure);
    }
}

// At most VIEW_TEXT_MAX bytes and one; *text is the caller's.
static int read_text(const char *path, char **text, size_t *size, struct failure *failure) {
    bool standard = !strcmp(path, "-");
    FILE *in = standard ? stdin : fopen(path, "re");
    *text = in ? malloc(VIEW_TEXT_MAX + 1) : NULL;
    errno = in ? 0 : errno;
    *size = *text ? fread(*text, 1, VIEW_TEXT_MAX + 1, in) : 0;
    int reason = errno;
    bool failed = !*text || ferror(in);
    if (in && !standard) fclose(in);
    if (!failed) return VIRGA_OK;
    free(*text);
    *text = NULL;
    return failure_set(failure, VIRGA_IO, "cannot read %s: %s", path, strerror(reason ? reason : EIO));
}

static int take_path(json_t *sequence, const char *option, const char *path, struct failure *failure) {
    char *text;
    size_t size;
    json_t *keys = NULL;
    struct failure why = {0};
    int status = read_text(path, &text, &size, failure);
    if (status != VIRGA_OK) return status;
    status = document_load(path, text, size, VIEW_TEXT_MAX, &keys, &why);
    free(text);
    if (status != VIRGA_OK) return failure_set(failure, status, "--%s: %s", option, why.message);
    return put(sequence, "camera_path", keys, failure);
}

int export_changes_take(json_t *changes, const char *option, const char *value, struct failure *failure) {
    static const char *const captions[] = {"title", "attribution", NULL};
    static const char *const film[] = {"fps", "rate", "orbit", "frames", "quality", NULL};
    json_t *caption = json_object_get(changes, "captions"), *sequence = json_object_get(changes, "sequence");
    for (int i = 0; captions[i]; i++) if (!strcmp(option, captions[i])) return take_text(caption, option, option, value, failure);
    for (int i = 0; film[i]; i++) if (!strcmp(option, film[i])) return take_number(sequence, option, option, value, failure);
    if (!strcmp(option, "run")) return take_text(changes, option, option, value, failure);
    if (!strcmp(option, "antialiasing")) return take_number(changes, option, option, value, failure);
    if (!strcmp(option, "size")) return take_size(changes, option, value, failure);
    if (!strcmp(option, "transparent")) return put(changes, option, json_true(), failure);
    if (!strcmp(option, "no-captions")) return put(caption, "show", json_false(), failure);
    if (!strcmp(option, "times")) return take_times(sequence, option, value, failure);
    if (!strcmp(option, "format")) return take_text(sequence, option, option, value, failure);
    if (!strcmp(option, "camera-path")) return take_path(sequence, option, value, failure);
    return VIRGA_NOT_FOUND;
}

// --- The document.

static int change(json_t *root, const json_t *changes, struct failure *failure) {
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)changes, name, value)
    {
        json_t *mine = json_object_get(root, name);
        int failed = 0;
        if (!json_is_object(value)) failed = json_object_set(root, name, value);
        else if (json_object_size(value) && mine) failed = json_object_update(mine, value);
        else if (json_object_size(value)) failed = json_object_set_new(root, name, json_deep_copy(value));
        if (failed) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    }
    if (json_object_get(root, "size")) return VIRGA_OK;
    return put(root, "size", json_pack("[i, i]", VIEW_USUAL_WIDTH, VIEW_USUAL_HEIGHT), failure);
}

// As few digits as say the same numbers.
static char *text_of(const json_t *root) {
    char *text = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(15));
    json_t *again = text ? json_loads(text, 0, NULL) : NULL;
    bool same = again && json_equal(root, again);
    json_decref(again);
    if (same) return text;
    free(text);
    return json_dumps(root, JSON_COMPACT);
}

static int check(struct export_document *document, struct failure *failure) {
    char *text = text_of(document->root);
    if (!text) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    int status = view_parse(text, strlen(text), &document->view, failure);
    if (status == VIRGA_OK) status = sequence_parse(text, strlen(text), document->sequence, failure);
    free(text);
    return status;
}

int export_document_read(const char *path, const json_t *changes, struct export_document *document, struct failure *failure) {
    char *text = NULL;
    size_t size;
    json_error_t error;
    *document = (struct export_document){.sequence = malloc(sizeof *document->sequence)};
    if (!document->sequence) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    int status = read_text(path, &text, &size, failure);
    if (status == VIRGA_OK) status = view_parse(text, size, &document->view, failure);
    if (status == VIRGA_OK && !(document->root = json_loadb(text, size, 0, &error)))
        status = failure_set(failure, VIRGA_INVALID, "view: not JSON (line %d, column %d: %s)", error.line, error.column, error.text);
    free(text);
    if (status == VIRGA_OK) status = change(document->root, changes, failure);
    return status == VIRGA_OK ? check(document, failure) : status;
}

int export_document_set_member(struct export_document *document, unsigned member, struct failure *failure) {
    document->view.member = member;
    return put(document->root, "member", json_integer(member), failure);
}

void export_document_destroy(struct export_document *document) {
    json_decref(document->root);
    free(document->sequence);
    *document = (struct export_document){0};
}

static json_t *vector_of(const double v[3]) { return json_pack("[f, f, f]", v[0], v[1], v[2]); }

static json_t *camera_of(const struct view_camera *camera) {
    static const char *const modes[] = {[VIEW_ORBIT] = "orbit", [VIEW_FLY] = "fly", [VIEW_TOP] = "top"};
    return json_pack("{s:s, s:o, s:o, s:o, s:f}", "mode", modes[camera->mode], "eye", vector_of(camera->eye), "target",
                     vector_of(camera->target), "up", vector_of(camera->up), "fov", camera->fov);
}

char *export_document_frame(const struct export_document *document, const char *run, const char *time, const char *between,
                            const struct view_camera *camera) {
    json_t *root = json_deep_copy(document->root);
    if (!root) return NULL;
    json_object_del(root, "sequence");
    bool failed = json_object_set_new(root, "run", json_string(run)) || json_object_set_new(root, "time", json_string(time))
                  || json_object_set_new(root, "camera", camera_of(camera));
    if (between && !failed)  // only a film shows what is between the steps
        failed = json_object_set_new(root, "sequence",
                                     json_pack("{s:[s], s:f}", "times", between, "fps", document->sequence->fps)) != 0;
    char *text = failed ? NULL : text_of(root);
    json_decref(root);
    return text;
}

static void round_number(double *number) {
    char text[40];
    snprintf(text, sizeof text, "%.10g", *number);
    *number = strtod(text, NULL);
}

void export_document_round(struct view_camera *camera) {
    for (int axis = 0; axis < 3; axis++) {
        round_number(&camera->eye[axis]);
        round_number(&camera->target[axis]);
        round_number(&camera->up[axis]);
    }
    round_number(&camera->fov);
}
