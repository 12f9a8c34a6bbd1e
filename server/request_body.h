// SPDX-License-Identifier: Apache-2.0
#ifndef VIRGA_SERVER_REQUEST_BODY_H
#define VIRGA_SERVER_REQUEST_BODY_H

#include <jansson.h>

#include "base/status.h"

// The object in a request's body, which has no members but `names` (ends with NULL), no member twice, and nests no deeper than a view document may. *root is
// the caller's also where it fails (or NULL): VIRGA_INVALID with words. Any thread.
int request_body_load(const char *json, size_t size, const char *const *names, json_t **root, struct failure *failure);

#endif
