// SPDX-License-Identifier: Apache-2.0
// What a client asks for in the body of a request about exports. Pure: any thread.
#ifndef VIRGA_SERVER_EXPORT_REQUEST_H
#define VIRGA_SERVER_EXPORT_REQUEST_H

#include "field/catalog.h"
#include "server/export_job.h"

enum { EXPORT_PREVIEW_LEAST = 16, EXPORT_PREVIEW_WIDTH = 480, EXPORT_PREVIEW_MOST = 640 };

// {"view": VIEW, "name": text}. *view is the document as text, the caller's; *job gets name, size and format. VIRGA_INVALID and VIRGA_NOT_FOUND (something
// that the view names is not in the catalog) with a message that begins with the field.
int export_request_parse(const char *json, size_t size, const struct catalog *catalog, struct export_job *job, char **view, struct failure *failure);
// {"view": VIEW, "width": pixels, "time": rule}. *view is the document of one small picture.
int export_request_preview(const char *json, size_t size, const struct catalog *catalog, bool *jpeg, char **view, struct failure *failure);

#endif
