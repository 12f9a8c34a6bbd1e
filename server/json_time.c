// SPDX-License-Identifier: Apache-2.0
#include "server/json_time.h"

#include <time.h>

json_t *json_time(double wall) {
    char text[40];
    time_t seconds = (time_t)wall;
    struct tm t;
    if (!wall) return json_null();
    gmtime_r(&seconds, &t);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &t);
    return json_string(text);
}
