// SPDX-License-Identifier: Apache-2.0
#ifndef VIRGA_SERVER_JSON_TIME_H
#define VIRGA_SERVER_JSON_TIME_H

#include <jansson.h>

// Seconds of the wall clock as "2026-01-31T06:00:00Z"; null for 0. Any thread.
json_t *json_time(double wall);

#endif
