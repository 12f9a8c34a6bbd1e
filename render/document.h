// SPDX-License-Identifier: Apache-2.0
// Checks a JSON document member by member. What is wrong is said with its place: "layers[0].opacity[1][0]: expected a number". Any thread.
#ifndef VIRGA_RENDER_DOCUMENT_H
#define VIRGA_RENDER_DOCUMENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

// Where the check is, as text: grown and cut back as the check goes down and up. Begins zeroed but for `failure`.
struct document {
    char path[160];
    struct failure *failure;
};

// Reads a text of at most `most` bytes; whole numbers are reals afterwards. *value is the caller's, NULL where it failed: VIRGA_INVALID with a
// message that begins with `what`, or VIRGA_NO_MEMORY.
int document_load(const char *what, const char *json, size_t n, size_t most, json_t **value, struct failure *failure);

// Checks a value and fills *out. VIRGA_OK with the path as it was, or the failure.
typedef int document_check(struct document *document, const json_t *value, void *out);

// Fills the failure with the path and a problem; VIRGA_INVALID.
int document_wrong(struct document *document, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Appends a member's name or a list's index to the path; returns the length that document_leave cuts it back to.
size_t document_enter(struct document *document, const char *name);
size_t document_enter_index(struct document *document, size_t index);
void document_leave(struct document *document, size_t length);

// Runs `check` on a member where it is present; a missing one is an error only where `required`.
int document_member(struct document *document, const json_t *object, const char *name, bool required, document_check *check, void *out);
int document_no_others(struct document *document, const json_t *object, const char *const *names);  // names end with NULL

// The kinds of value.
int document_object(struct document *document, const json_t *value);
int document_list(struct document *document, const json_t *value, size_t least, size_t most);  // least to most entries
int document_number(struct document *document, const json_t *value, double least, double most, double *out);
int document_whole(struct document *document, const json_t *value, unsigned least, unsigned most, unsigned *out);
int document_bool(struct document *document, const json_t *value, void *out);  // a document_check; out: bool
// Copies a text of 1 to room - 1 bytes; `extra` are the characters allowed beside those that `allowed` knows, or allowed is NULL.
int document_text(struct document *document, const json_t *value, char *out, size_t room, int (*allowed)(int), const char *extra,
                  const char *words);

#endif
