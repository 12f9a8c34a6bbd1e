// SPDX-License-Identifier: Apache-2.0
// An engine's state (SOURCE_PROTOCOL.md, STATE) for clients: what it sent is not believed. Pure: any thread.
#ifndef VIRGA_SERVER_ENGINE_REPORT_H
#define VIRGA_SERVER_ENGINE_REPORT_H

#include <jansson.h>
#include <stdbool.h>

struct engine_report_access {
    bool for_each;  // each user has a cluster of their own
    bool own;       // this is that of the one who asks
    bool may;       // who may start and stop it
};

// Only known members of the right types, the dashboard's address only where it is http or https; whatever is wrong is left null. text: NULL or any
// bytes. NULL when out of memory; the caller unrefs it.
json_t *engine_report_json(const char *text, const struct engine_report_access *access);

#endif
