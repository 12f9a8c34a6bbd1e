// SPDX-License-Identifier: Apache-2.0
// Pictures of exports over HTTP. Handlers as in http_router.h; the id is well-formed.
#ifndef VIRGA_SERVER_HTTP_EXPORT_FILES_H
#define VIRGA_SERVER_HTTP_EXPORT_FILES_H

#include "server/http_router.h"

int http_export_frame(const struct http_request *request, const char *id, const char *number);
int http_export_zip(const struct http_request *request, const char *id);
// Answers that a view cannot be exported; of a dataset that only its user sees, and an export's own process therefore does not, says so.
int http_export_refuse(struct peer *peer, int status, const char *message);
int http_export_preview(const struct http_request *request);

struct thread_command;
// Gives the export service a command that posts the job, an answer under way, when it has run. HTTP_LATER, or the answer that it is busy; then the job is freed.
int http_export_ask(struct http_job *job, struct thread_command *command);

#endif
