// SPDX-License-Identifier: Apache-2.0
#include "server/engine_report.h"

#include <math.h>
#include <string.h>

#include "base/utf8.h"

enum { MOST_TEXT = 300, MOST_URL = 1000 };

static bool is_one_of(const char *text, const char *const *list) {
    while (text && *list && strcmp(text, *list)) list++;
    return text && *list;
}

static const char *word(const json_t *from, const char *key, const char *const *list, const char *otherwise) {
    const char *text = json_string_value(json_object_get(from, key));
    return is_one_of(text, list) ? text : otherwise;
}

// A number that is none, negative or absurd is null.
static json_t *number(const json_t *value) {
    double n = json_number_value(value);
    if (!json_is_number(value) || !(n >= 0 && n <= 1e18)) return json_null();
    return n == floor(n) && n <= 9e15 ? json_integer((json_int_t)n) : json_real(n);
}

static json_t *text(const json_t *value) {
    char clean[MOST_TEXT + 1];
    if (!json_is_string(value)) return json_null();
    strncpy(clean, json_string_value(value), MOST_TEXT);
    clean[MOST_TEXT] = '\0';
    utf8_clean(clean);
    return json_string(clean);
}

// Nothing that a page could take for a script, and no quotes or spaces.
static json_t *web_address(const json_t *value) {
    const char *url = json_string_value(value);
    if (!url || strlen(url) > MOST_URL || (strncmp(url, "http://", 7) && strncmp(url, "https://", 8))) return json_null();
    for (const char *c = url; *c; c++)
        if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f || strchr("\"'<>\\^`{|}", *c)) return json_null();
    return json_string(url);
}

static json_t *wanted(const json_t *value) {
    if (json_array_size(value) != 2) return json_null();
    return json_pack("[o, o]", number(json_array_get(value, 0)), number(json_array_get(value, 1)));
}

json_t *engine_report_json(const char *bytes, const struct engine_report_access *access) {
    static const char *const clusters[] = {"none", "local", "shared", "gateway", NULL};
    static const char *const states[] = {"none", "starting", "running", "idle", "lost", "stopped", "failed", NULL};
    static const char *const numbers[] = {"workers", "threads", "memory", "memory_limit", "tasks", "started_seconds"};
    json_t *from = bytes ? json_loads(bytes, JSON_REJECT_DUPLICATES, NULL) : NULL;
    json_t *out = json_pack("{s:s, s:s, s:o, s:o, s:o, s:s, s:b, s:b}", "cluster", word(from, "cluster", clusters, "none"), "state",
                            word(from, "state", states, "none"), "wanted", wanted(json_object_get(from, "wanted")), "dashboard",
                            web_address(json_object_get(from, "dashboard")), "message", text(json_object_get(from, "message")), "clusters",
                            access->for_each ? "user" : "shared", "own", access->own, "may", access->may);
    for (size_t i = 0; out && i < sizeof numbers / sizeof *numbers; i++) json_object_set_new(out, numbers[i], number(json_object_get(from, numbers[i])));
    json_decref(from);
    return out;
}
