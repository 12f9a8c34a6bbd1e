// SPDX-License-Identifier: Apache-2.0
#include "render/frame_record.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

enum { VERSION = 1 };

static json_t *editions_of(const struct frame_record *record) {
    json_t *list = json_array();
    for (size_t i = 0; i < record->edition_count; i++) json_array_append_new(list, json_string(record->editions[i]));
    return list;
}

char *frame_record_text(const struct frame_record *r) {
    json_t *root = json_pack("{s:i, s:s, s:I, s:s, s:s, s:s, s:o, s:O}", "virga_export", VERSION, "program", r->program, "frames",
                             (json_int_t)r->frames, "run", r->run, "first", r->first, "last", r->last, "editions", editions_of(r), "view",
                             r->view);
    char *text = root ? json_dumps(root, JSON_INDENT(1) | JSON_SORT_KEYS) : NULL;
    json_decref(root);
    return text;
}

size_t frame_record_frames(const char *text, size_t most) {
    json_t *root = json_loads(text, 0, NULL);
    json_int_t frames = json_integer_value(json_object_get(root, "frames"));
    json_decref(root);
    return frames < 0 ? 0 : frames > (json_int_t)most ? most : (size_t)frames;
}

void frame_record_run(const char *text, const char *program, const json_t *view, char run[FRAME_RECORD_WORDS]) {
    json_t *root = json_loads(text, 0, NULL);
    const char *by = json_string_value(json_object_get(root, "program")), *of = json_string_value(json_object_get(root, "run"));
    bool ours = by && of && !strcmp(by, program) && json_equal(json_object_get(root, "view"), view);
    snprintf(run, FRAME_RECORD_WORDS, "%s", ours ? of : "");
    json_decref(root);
}

static bool same(const json_t *a, const json_t *b, const char *name) {
    return json_equal(json_object_get(a, name), json_object_get(b, name));
}

// The first member that is not the same in both.
static const char *different_member(const json_t *a, const json_t *b) {
    const char *key;
    const json_t *value;
    json_object_foreach((json_t *)a, key, value) if (!json_equal(value, json_object_get(b, key))) return key;
    json_object_foreach((json_t *)b, key, value) if (!json_equal(value, json_object_get(a, key))) return key;
    return "";
}

static void tell(const json_t *old, const json_t *now, char words[FRAME_RECORD_WORDS]) {
    const char *text = json_string_value(json_object_get(old, "run"));
    const json_t *old_view = json_object_get(old, "view"), *view = json_object_get(now, "view");
    if (json_integer_value(json_object_get(old, "virga_export")) != VERSION)
        snprintf(words, FRAME_RECORD_WORDS, "left a record that cannot be read");
    else if (!same(old, now, "program")) snprintf(words, FRAME_RECORD_WORDS, "another version of virga made");
    else if (!same(old, now, "view"))
        snprintf(words, FRAME_RECORD_WORDS, "shows another view (its \"%.40s\" differs)", different_member(old_view, view));
    else if (!same(old, now, "run")) snprintf(words, FRAME_RECORD_WORDS, "shows another run (%.40s)", text ? text : "");
    else if (!same(old, now, "editions")) snprintf(words, FRAME_RECORD_WORDS, "was made of files that have changed since");
    else snprintf(words, FRAME_RECORD_WORDS, "shows other times");
    utf8_clean(words);
}

void frame_record_difference(const char *old, const char *text, char words[FRAME_RECORD_WORDS]) {
    words[0] = '\0';
    if (!strcmp(old, text)) return;
    json_t *before = json_loads(old, 0, NULL), *now = json_loads(text, 0, NULL);
    tell(before, now, words);
    json_decref(before);
    json_decref(now);
}
