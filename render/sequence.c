// SPDX-License-Identifier: Apache-2.0
#include "render/sequence.h"

#include <string.h>

#include "render/view_check.h"

static int check_list(struct document *document, const json_t *value, struct sequence *sequence) {
    int status = document_list(document, value, 1, SEQUENCE_TIMES_MAX);
    if (status != VIRGA_OK) return status;
    sequence->times = SEQUENCE_LIST;
    sequence->time_count = json_array_size(value);
    for (size_t i = 0; status == VIRGA_OK && i < sequence->time_count; i++) {
        size_t length = document_enter_index(document, i);
        status = view_check_time(document, json_array_get(value, i), sequence->list[i]);
        if (status == VIRGA_OK) document_leave(document, length);
    }
    return status;
}

static int check_every(struct document *document, const json_t *value, void *out) {
    return document_number(document, value, 0.01, 10000, out);
}

static int check_span(struct document *document, const json_t *value, struct sequence *sequence) {
    static const char *const names[] = {"from", "to", "every", NULL};
    sequence->times = SEQUENCE_SPAN;
    int status = document_member(document, value, "from", true, view_check_time, sequence->from);
    if (status == VIRGA_OK) status = document_member(document, value, "to", true, view_check_time, sequence->to);
    if (status == VIRGA_OK) status = document_member(document, value, "every", false, check_every, &sequence->every);
    return status == VIRGA_OK ? document_no_others(document, value, names) : status;
}

static int check_times(struct document *document, const json_t *value, void *out) {
    struct sequence *sequence = out;
    if (json_is_array(value)) return check_list(document, value, sequence);
    if (json_is_object(value)) return check_span(document, value, sequence);
    if (!json_is_string(value) || strcmp(json_string_value(value), "all"))
        return document_wrong(document, "expected \"all\", a list of times, or from and to");
    sequence->times = SEQUENCE_ALL;
    return VIRGA_OK;
}

static int check_fps(struct document *document, const json_t *value, void *out) {
    return document_number(document, value, 0.1, 240, out);
}

static int check_rate(struct document *document, const json_t *value, void *out) {
    return document_number(document, value, 0.001, 1000, out);
}

static int check_orbit(struct document *document, const json_t *value, void *out) {
    return document_number(document, value, -36000, 36000, out);
}

static int check_count(struct document *document, const json_t *value, unsigned least, unsigned most, size_t *out) {
    unsigned number = 0;
    int status = document_whole(document, value, least, most, &number);
    *out = number;
    return status;
}

static int check_frames(struct document *document, const json_t *value, void *out) {
    return check_count(document, value, 1, SEQUENCE_FRAMES_MAX, out);
}

static int check_key_frame(struct document *document, const json_t *value, void *out) {
    size_t frame;
    int status = check_count(document, value, 0, SEQUENCE_FRAMES_MAX - 1, &frame);
    *(double *)out = (double)frame;
    return status;
}

static int check_key_second(struct document *document, const json_t *value, void *out) {
    return document_number(document, value, 0, 1e6, out);
}

static const char *const at_names[] = {"frame", "second", "time"};

// One of "frame", "second" and "time".
static int check_key_place(struct document *document, const json_t *value, struct sequence_key *key) {
    int found = 0;
    for (int at = 0; at < 3; at++) {
        if (!json_object_get(value, at_names[at])) continue;
        key->at = (enum sequence_key_at)at;
        found++;
    }
    if (found != 1) return document_wrong(document, "expected one of frame, second, time");
    if (key->at == SEQUENCE_AT_TIME) return document_member(document, value, "time", true, view_check_time, key->time);
    document_check *check = key->at == SEQUENCE_AT_FRAME ? check_key_frame : check_key_second;
    return document_member(document, value, at_names[key->at], true, check, &key->number);
}

static int check_key(struct document *document, const json_t *value, struct sequence_key *key) {
    static const char *const names[] = {"frame", "second", "time", "mode", "eye", "target", "up", "fov", NULL};
    *key = (struct sequence_key){.camera = VIEW_CAMERA_DEFAULTS};
    int status = document_object(document, value);
    if (status == VIRGA_OK) status = check_key_place(document, value, key);
    if (status == VIRGA_OK) status = view_check_camera(document, value, &key->camera);
    return status == VIRGA_OK ? document_no_others(document, value, names) : status;
}

// What can be told of the keys' order before the forecast is known: that of two after another which count alike.
static int check_order(struct document *document, const struct sequence *sequence) {
    for (size_t i = 1; i < sequence->key_count; i++) {
        const struct sequence_key *before = &sequence->keys[i - 1], *key = &sequence->keys[i];
        if (key->at != before->at || key->at == SEQUENCE_AT_TIME || key->number > before->number) continue;
        document_enter_index(document, i);
        document_enter(document, at_names[key->at]);
        return document_wrong(document, "expected more than the one before");
    }
    return VIRGA_OK;
}

static int check_path(struct document *document, const json_t *value, void *out) {
    struct sequence *sequence = out;
    int status = document_list(document, value, 1, SEQUENCE_KEYS_MAX);
    if (status != VIRGA_OK) return status;
    sequence->key_count = json_array_size(value);
    for (size_t i = 0; status == VIRGA_OK && i < sequence->key_count; i++) {
        size_t length = document_enter_index(document, i);
        status = check_key(document, json_array_get(value, i), &sequence->keys[i]);
        if (status == VIRGA_OK) document_leave(document, length);
    }
    return status == VIRGA_OK ? check_order(document, sequence) : status;
}

static int check_format(struct document *document, const json_t *value, void *out) {
    struct sequence *sequence = out;
    const char *name = json_is_string(value) ? json_string_value(value) : "";
    sequence->has_format = true;
    sequence->format = strcmp(name, "jpeg") ? IMAGE_PNG : IMAGE_JPEG;
    return !strcmp(name, "png") || !strcmp(name, "jpeg") ? VIRGA_OK : document_wrong(document, "expected one of png, jpeg");
}

static int check_quality(struct document *document, const json_t *value, void *out) {
    unsigned quality = 0;
    int status = document_whole(document, value, 1, 100, &quality);
    *(int *)out = (int)quality;
    return status;
}

// Members that mean nothing without frames a second.
static int check_film(struct document *document, const json_t *value, const struct sequence *sequence) {
    if (sequence->fps > 0) return VIRGA_OK;
    if (json_object_get(value, "rate")) {
        document_enter(document, "rate");
        return document_wrong(document, "expected only beside fps");
    }
    for (size_t i = 0; i < sequence->key_count; i++) {
        if (sequence->keys[i].at != SEQUENCE_AT_SECOND) continue;
        document_enter(document, "camera_path");
        document_enter_index(document, i);
        document_enter(document, "second");
        return document_wrong(document, "expected only beside fps");
    }
    return VIRGA_OK;
}

// What a view without a sequence means: one picture of its own time.
static void set_defaults(struct sequence *sequence) {
    memset(sequence, 0, sizeof *sequence);
    sequence->rate = 4;
    sequence->quality = 90;
}

int sequence_check(struct document *document, const json_t *value, void *out) {
    static const char *const names[] = {"times", "fps", "rate", "orbit", "frames", "camera_path", "format", "quality", NULL};
    struct sequence *sequence = out;
    set_defaults(sequence);
    const struct { document_check *check; void *out; } members[] = {
        {check_times, sequence}, {check_fps, &sequence->fps},   {check_rate, &sequence->rate}, {check_orbit, &sequence->orbit},
        {check_frames, &sequence->frames}, {check_path, sequence}, {check_format, sequence}, {check_quality, &sequence->quality},
    };
    int status = document_object(document, value);
    for (size_t i = 0; status == VIRGA_OK && names[i]; i++)
        status = document_member(document, value, names[i], false, members[i].check, members[i].out);
    if (status == VIRGA_OK) status = check_film(document, value, sequence);
    return status == VIRGA_OK ? document_no_others(document, value, names) : status;
}

int sequence_parse(const char *json, size_t n, struct sequence *out, struct failure *failure) {
    struct document document = {.failure = failure};
    json_t *value;
    int status = document_load("view", json, n, VIEW_TEXT_MAX, &value, failure);
    set_defaults(out);
    if (status == VIRGA_OK) status = document_member(&document, value, "sequence", false, sequence_check, out);
    json_decref(value);
    return status;
}
