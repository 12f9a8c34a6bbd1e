// SPDX-License-Identifier: Apache-2.0
#include "server/ws_message.h"

#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/utf8.h"
#include "server/json_depth.h"

enum { MAX_DEPTH = 8 };  // of nested arrays and objects; jansson's own limit is far higher

// Numbers. Each refuses what is not there, not a number, not finite, or out of its range, and says which field.

static int number(const json_t *object, const char *key, double lo, double hi, double *out, struct failure *failure) {
    const json_t *value = json_object_get(object, key);
    if (!json_is_number(value)) return failure_set(failure, VIRGA_INVALID, "\"%s\" must be a number", key);
    double v = json_number_value(value);
    if (!(v >= lo && v <= hi)) return failure_set(failure, VIRGA_INVALID, "\"%s\" must lie in %g … %g", key, lo, hi);
    *out = v;
    return VIRGA_OK;
}

static int integer(const json_t *object, const char *key, int64_t lo, int64_t hi, int64_t *out, struct failure *failure) {
    const json_t *value = json_object_get(object, key);
    double v = json_number_value(value);
    if (!json_is_number(value) || !(fabs(v) <= 9007199254740992.0) || v != floor(v))
        return failure_set(failure, VIRGA_INVALID, "\"%s\" must be a whole number", key);
    int64_t i = json_is_integer(value) ? json_integer_value(value) : (int64_t)v;
    if (i < lo || i > hi)
        return failure_set(failure, VIRGA_INVALID, "\"%s\" must lie in %lld … %lld", key, (long long)lo, (long long)hi);
    *out = i;
    return VIRGA_OK;
}

static int integer_or(const json_t *object, const char *key, int64_t lo, int64_t hi, int64_t otherwise, int64_t *out,
                      struct failure *failure) {
    *out = otherwise;
    return json_object_get(object, key) ? integer(object, key, lo, hi, out, failure) : VIRGA_OK;
}

static int unsigned_32(const json_t *object, const char *key, uint32_t hi, uint32_t *out, struct failure *failure) {
    int64_t i = 0;
    int status = integer(object, key, 0, hi, &i, failure);
    *out = (uint32_t)i;
    return status;
}

static int text(const json_t *object, const char *key, bool required, char out[WS_MAX_ID + 1], struct failure *failure) {
    const json_t *value = json_object_get(object, key);
    out[0] = '\0';
    if (!value && !required) return VIRGA_OK;
    size_t length = json_string_length(value);
    if (!json_is_string(value) || !length || length > WS_MAX_ID || strlen(json_string_value(value)) != length)
        return failure_set(failure, VIRGA_INVALID, "\"%s\" must be a text of 1 to %d bytes", key, WS_MAX_ID);
    memcpy(out, json_string_value(value), length + 1);
    return VIRGA_OK;
}

static int vector(const json_t *object, const char *key, double limit, double out[3], struct failure *failure) {
    const json_t *value = json_object_get(object, key);
    for (size_t i = 0; i < 3; i++) {
        out[i] = json_number_value(json_array_get(value, i));
        if (json_array_size(value) != 3 || !json_is_number(json_array_get(value, i)) || !(fabs(out[i]) <= limit))
            return failure_set(failure, VIRGA_INVALID, "\"%s\" must be three numbers within ±%g", key, limit);
    }
    return VIRGA_OK;
}

// Interest.

static int parse_curve(const json_t *points, struct opacity_curve *curve, struct failure *failure) {
    *curve = (struct opacity_curve){.all = true};
    if (!points || json_is_null(points)) return VIRGA_OK;
    size_t count = json_array_size(points);
    if (!json_is_array(points) || count < 1 || count > VIEW_MAX_CURVE)
        return failure_set(failure, VIRGA_INVALID, "\"opacity\" must be null or 1 to %d pairs", VIEW_MAX_CURVE);
    curve->all = false;
    curve->count = count;
    for (size_t i = 0; i < count; i++) {
        const json_t *pair = json_array_get(points, i), *value = json_array_get(pair, 0), *opacity = json_array_get(pair, 1);
        if (json_array_size(pair) != 2 || !json_is_number(value) || !json_is_number(opacity))
            return failure_set(failure, VIRGA_INVALID, "\"opacity\" must hold pairs of numbers");
        curve->value[i] = json_number_value(value);
        curve->opacity[i] = json_number_value(opacity);
        if (!isfinite(curve->value[i]) || (i && curve->value[i] < curve->value[i - 1]))
            return failure_set(failure, VIRGA_INVALID, "the values of \"opacity\" must not fall");
        if (!(curve->opacity[i] >= 0 && curve->opacity[i] <= 1e9))
            return failure_set(failure, VIRGA_INVALID, "opacities must lie in 0 … 1e9");
    }
    return VIRGA_OK;
}

static int parse_layers(const json_t *root, struct ws_interest *interest, struct failure *failure) {
    const json_t *layers = json_object_get(root, "layers");
    interest->layer_count = json_array_size(layers);
    if (!json_is_array(layers) || interest->layer_count < 1 || interest->layer_count > VIEW_MAX_LAYERS)
        return failure_set(failure, VIRGA_INVALID, "\"layers\" must name 1 to %d variables", VIEW_MAX_LAYERS);
    for (size_t i = 0; i < interest->layer_count; i++) {
        const json_t *layer = json_array_get(layers, i);
        struct ws_layer *to = &interest->layers[i];
        int64_t member = 0;
        int status = text(layer, "variable", true, to->variable, failure);
        if (!status) status = parse_curve(json_object_get(layer, "opacity"), &to->opacity, failure);
        if (!status) status = text(layer, "run", false, to->run, failure);
        if (!status) status = text(layer, "edition", false, to->edition, failure);
        if (!status) status = integer_or(layer, "member", 0, 1000000, 0, &member, failure);
        if (status) return status;
        to->has_member = json_is_integer(json_object_get(layer, "member"));
        to->member = (uint32_t)member;
    }
    return VIRGA_OK;
}

static int parse_camera(const json_t *root, struct view_priority_camera *camera, struct failure *failure) {
    const json_t *from = json_object_get(root, "camera");
    *camera = (struct view_priority_camera){.whole = true};
    if (!from || json_is_null(from)) return VIRGA_OK;
    if (!json_is_object(from)) return failure_set(failure, VIRGA_INVALID, "\"camera\" must be an object or null");
    camera->whole = false;
    int status = vector(from, "eye", 1e6, camera->eye, failure);
    if (!status) status = vector(from, "target", 1e6, camera->target, failure);
    if (!status) status = vector(from, "up", 1e6, camera->up, failure);
    if (!status) status = number(from, "fov", 0.1, 179, &camera->fov, failure);
    if (!status) status = number(from, "width", 1, 65536, &camera->width, failure);
    if (!status) status = number(from, "height", 1, 65536, &camera->height, failure);
    if (!status) status = number(from, "exaggeration", 0.01, 10000, &camera->exaggeration, failure);
    return status;
}

static int parse_have(const json_t *root, struct ws_interest *interest, struct failure *failure) {
    const json_t *have = json_object_get(root, "have");
    interest->reports_drops = interest->holds_nothing = false;
    if (!json_is_string(have)) return !have || json_is_null(have) ? VIRGA_OK : failure_set(failure, VIRGA_INVALID, "\"have\" must be a text");
    interest->reports_drops = !strcmp(json_string_value(have), "kept");
    interest->holds_nothing = !strcmp(json_string_value(have), "none");
    return VIRGA_OK;
}

static int parse_interest(const json_t *root, struct ws_interest *interest, struct failure *failure) {
    int64_t direction = 0, steps = 0, budget = 0, member = 0, max_level = 0;
    int status = unsigned_32(root, "generation", UINT32_MAX, &interest->generation, failure);
    if (!status) status = text(root, "dataset", true, interest->dataset, failure);
    if (!status) status = text(root, "run", false, interest->run, failure);
    if (!status) status = integer_or(root, "member", 0, 1000000, 0, &member, failure);
    if (!status) status = parse_layers(root, interest, failure);
    if (!status) status = unsigned_32(root, "time", INT32_MAX, &interest->time, failure);
    if (!status) status = integer_or(root, "direction", -1, 1, 0, &direction, failure);
    if (!status && json_object_get(root, "rate")) status = number(root, "rate", 0, 1000, &interest->rate, failure);
    if (!status) status = integer_or(root, "steps", 0, VIEW_MAX_AHEAD, 0, &steps, failure);
    if (!status) status = parse_camera(root, &interest->camera, failure);
    if (!status) status = integer(root, "budget", 0, 1LL << 50, &budget, failure);
    if (!status) status = integer_or(root, "max_level", 0, PYRAMID_MAX_LEVELS, 0, &max_level, failure);
    if (!status) status = parse_have(root, interest, failure);
    interest->direction = (int)direction;
    interest->steps = (uint32_t)steps;
    interest->budget = (uint64_t)budget;
    interest->member = (uint32_t)member;
    interest->max_level = (uint32_t)max_level;
    return status;
}

static int parse_drop(const json_t *root, struct ws_drop *drop, struct failure *failure) {
    int status = text(root, "variable", true, drop->variable, failure);
    if (!status) status = unsigned_32(root, "step", INT32_MAX, &drop->step, failure);
    if (status) return status;
    const json_t *bricks = json_object_get(root, "bricks");
    drop->all = !bricks || json_is_null(bricks);
    drop->count = json_array_size(bricks);
    if (drop->all) return VIRGA_OK;
    if (!json_is_array(bricks) || drop->count > WS_MAX_DROPPED)
        return failure_set(failure, VIRGA_INVALID, "\"bricks\" must be at most %d names", WS_MAX_DROPPED);
    for (size_t i = 0; i < drop->count; i++) {
        const json_t *name = json_array_get(bricks, i);
        uint32_t *into[4] = {&drop->bricks[i].level, &drop->bricks[i].x, &drop->bricks[i].y, &drop->bricks[i].z};
        for (size_t k = 0; k < 4; k++) {
            const json_t *value = json_array_get(name, k);
            json_int_t n = json_integer_value(value);
            if (json_array_size(name) != 4 || !json_is_integer(value) || n < 0 || n > 65535)
                return failure_set(failure, VIRGA_INVALID, "a brick's name is [level, x, y, z]");
            *into[k] = (uint32_t)n;
        }
    }
    return VIRGA_OK;
}

// One of another length is nobody's, but no broken rule: it stands for a session, or a pairing, that is gone.
static int parse_secret(const json_t *root, const char *key, char secret[SECRET_TEXT + 1], struct failure *failure) {
    const json_t *value = json_object_get(root, key);
    secret[0] = '\0';
    if (!value || json_is_null(value)) return VIRGA_OK;
    if (!json_is_string(value)) return failure_set(failure, VIRGA_INVALID, "\"%s\" must be a text or null", key);
    snprintf(secret, SECRET_TEXT + 1, "%s", json_string_length(value) == SECRET_TEXT ? json_string_value(value) : "?");
    return VIRGA_OK;
}

static int parse_pair(const json_t *root, struct ws_pair *pair, struct failure *failure) {
    const json_t *code = json_object_get(root, "code"), *name = json_object_get(root, "name");
    const char *digits = json_is_string(code) ? json_string_value(code) : "";
    *pair = (struct ws_pair){.end = json_is_true(json_object_get(root, "end"))};
    if (code && (strlen(digits) != PAIR_CODE || strspn(digits, "0123456789") != PAIR_CODE))
        return failure_set(failure, VIRGA_INVALID, "\"code\" must be %d digits", PAIR_CODE);
    if (name && !json_is_string(name)) return failure_set(failure, VIRGA_INVALID, "\"name\" must be a text");
    snprintf(pair->code, sizeof pair->code, "%.4s", digits);
    snprintf(pair->name, sizeof pair->name, "%.160s", name ? json_string_value(name) : "");
    return parse_secret(root, "key", pair->key, failure);
}

static int parse_root(const json_t *root, struct ws_message *message, struct failure *failure) {
    const json_t *type = json_object_get(root, "type");
    int64_t n = 0;
    int status = VIRGA_OK;
    if (!json_is_object(root) || !json_is_string(type)) return failure_set(failure, VIRGA_INVALID, "a message is an object with a \"type\"");
    const char *name = json_string_value(type);
    if (!strcmp(name, "interest")) {
        message->kind = WS_INTEREST;
        return parse_interest(root, &message->interest, failure);
    }
    if (!strcmp(name, "ack")) {
        message->kind = WS_ACK;
        status = integer(root, "bytes", 0, 1LL << 52, &n, failure);
        message->ack = (uint64_t)n;
        return status;
    }
    if (!strcmp(name, "ping")) {
        message->kind = WS_PING;
        status = integer_or(root, "id", 0, 1LL << 52, 0, &n, failure);
        message->ping = (uint64_t)n;
        return status;
    }
    if (!strcmp(name, "drop")) {
        message->kind = WS_DROP;
        return parse_drop(root, &message->drop, failure);
    }
    bool pins = !strcmp(name, "pins");
    if (pins || !strcmp(name, "exports")) {
        const json_t *watch = json_object_get(root, "watch");
        message->kind = pins ? WS_PINS : WS_EXPORTS;
        message->watch = json_is_true(watch);
        return json_is_boolean(watch) ? VIRGA_OK : failure_set(failure, VIRGA_INVALID, "\"watch\" must be true or false");
    }
    if (!strcmp(name, "user")) {
        message->kind = WS_USER;
        return parse_secret(root, "session", message->session, failure);
    }
    if (!strcmp(name, "pair")) {
        message->kind = WS_PAIR;
        return parse_pair(root, &message->pair, failure);
    }
    message->kind = WS_UNKNOWN;
    snprintf(message->type, sizeof message->type, "%s", name);
    utf8_clean(message->type);
    return VIRGA_OK;
}

int ws_message_parse(const char *json, size_t size, struct ws_message *message, struct failure *failure) {
    if (size > WS_MAX_TEXT) return failure_set(failure, VIRGA_INVALID, "a message has at most %d bytes", WS_MAX_TEXT);
    if (json_depth_exceeds(json, size, MAX_DEPTH)) return failure_set(failure, VIRGA_INVALID, "a message nests too deeply");
    message->interest.rate = 0;
    message->interest.layer_count = 0;
    json_error_t error;
    json_t *root = json_loadb(json, size, JSON_REJECT_DUPLICATES, &error);
    if (!root) return failure_set(failure, VIRGA_INVALID, "a message must be JSON (byte %d)", error.position);
    int status = parse_root(root, message, failure);
    json_decref(root);
    return status;
}

// What the server says.

static int dump(char *out, size_t room, json_t *root) {
    if (!root) return VIRGA_NO_MEMORY;
    size_t size = json_dumpb(root, out, room, JSON_COMPACT);
    json_decref(root);
    if (!size || size >= room) return VIRGA_TOO_LARGE;
    out[size] = '\0';
    return (int)size;
}

int ws_message_hello(char *out, size_t room, uint32_t window, bool users) {
    return dump(out, room, json_pack("{s:s, s:i, s:s, s:I, s:b}", "type", "hello", "version", 1, "server", "virga " VIRGA_VERSION, "window",
                                     (json_int_t)window, "users", users));
}

int ws_message_pong(char *out, size_t room, uint64_t id) {
    return dump(out, room, json_pack("{s:s, s:I}", "type", "pong", "id", (json_int_t)id));
}

int ws_message_done(char *out, size_t room, uint32_t generation, bool degraded) {
    json_t *root = json_pack("{s:s, s:I}", "type", "done", "generation", (json_int_t)generation);
    if (root && degraded) json_object_set_new(root, "degraded", json_true());
    return dump(out, room, root);
}

int ws_message_error(char *out, size_t room, uint32_t generation, const char *words) {
    char clean[400];
    snprintf(clean, sizeof clean, "%s", words);
    utf8_clean(clean);
    return dump(out, room, json_pack("{s:s, s:I, s:s}", "type", "error", "generation", (json_int_t)generation, "message", clean));
}

int ws_message_user(char *out, size_t room, bool known) { return dump(out, room, json_pack("{s:s, s:b}", "type", "user", "known", known)); }

char *ws_message_catalog(const char *datasets) {
    char *text = NULL;
    return asprintf(&text, datasets ? "{\"type\":\"catalog\",\"datasets\":%s}" : "{\"type\":\"catalog\"}", datasets) < 0 ? NULL : text;
}

char *ws_message_exports(const struct export_job *jobs, size_t count, bool all) {
    json_t *list = json_array(), *root = json_pack("{s:s, s:b, s:o}", "type", "exports", "all", all, "jobs", list);
    int failed = !root;
    for (size_t i = 0; i < count && !failed; i++) failed = json_array_append_new(list, export_job_json(&jobs[i]));
    char *text = failed ? NULL : json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(9));
    json_decref(root);
    return text;
}

char *ws_message_pins(const struct pin *pins, size_t count, bool all, bool more, const struct access_person *person) {
    json_t *list = json_array(), *root = json_pack("{s:s, s:b, s:b, s:o}", "type", "pins", "all", all, "more", more, "pins", list);
    int failed = !root;
    for (size_t i = 0; i < count && !failed; i++) failed = json_array_append_new(list, pin_json(&pins[i], person, false));
    char *text = failed ? NULL : json_dumps(root, JSON_COMPACT);
    json_decref(root);
    return text;
}

int ws_message_step(char *out, size_t room, const struct ws_step *step) {
    return dump(out, room, json_pack("{s:s, s:I, s:I, s:s, s:I, s:s, s:s, s:s}", "type", "step", "generation",
                                     (json_int_t)step->generation, "layer", (json_int_t)step->layer, "variable", step->variable, "step",
                                     (json_int_t)step->step, "edition", step->edition, "time", step->time, "geometry", step->geometry));
}

void ws_batch_head(uint8_t out[WS_BATCH_HEAD], uint32_t generation, uint32_t parts) {
    struct byte_writer w = {.at = out, .end = out + WS_BATCH_HEAD};
    bytes_write(&w, "VBAT", 4);
    bytes_write_u32(&w, generation);
    bytes_write_u32(&w, parts);
}

void ws_part_head(uint8_t out[WS_PART_HEAD], const struct ws_part *part) {
    struct byte_writer w = {.at = out, .end = out + WS_PART_HEAD};
    bytes_write_u8(&w, part->kind);
    bytes_write_u8(&w, part->layer);
    bytes_write_u16(&w, part->level);
    bytes_write_u32(&w, part->step);
    bytes_write_u16(&w, part->x);
    bytes_write_u16(&w, part->y);
    bytes_write_u16(&w, part->z);
    bytes_write_u16(&w, 0);
    bytes_write_u32(&w, part->size);
}
