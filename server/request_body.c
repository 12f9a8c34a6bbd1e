// SPDX-License-Identifier: Apache-2.0
#include "server/request_body.h"

#include "base/utf8.h"
#include "render/document.h"
#include "server/json_depth.h"

enum { MAX_DEPTH = 32 };  // of nested arrays and objects

int request_body_load(const char *json, size_t size, const char *const *names, json_t **root, struct failure *failure) {
    json_error_t error;
    struct document document = {.failure = failure};
    *root = NULL;
    if (json_depth_exceeds(json, size, MAX_DEPTH)) return failure_set(failure, VIRGA_INVALID, "the body nests too deeply");
    *root = json_loadb(json, size, JSON_REJECT_DUPLICATES, &error);
    if (!*root) {
        utf8_clean(error.text);
        return failure_set(failure, VIRGA_INVALID, "the body is not JSON (line %d, column %d: %s)", error.line, error.column, error.text);
    }
    if (!json_is_object(*root)) return failure_set(failure, VIRGA_INVALID, "the body must be an object");
    return document_no_others(&document, *root, names);
}
