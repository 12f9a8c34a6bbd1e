// SPDX-License-Identifier: Apache-2.0
// Pictures of exports over HTTP. Handlers as in http_router.h; the id is well-formed.
#ifndef VIRGA_SERVER_HTTP_EXPORT_FILES_H
#define VIRGA_SERVER_HTTP_EXPORT_FILES_H

#include "server/http_router.h"

int http_export_frame(const struct http_request *request, const char *id, const char *number);
int http_export_zip(const struct http_request *request, const char *id);
int http_export_preview(const struct http_request *request);

#endif
