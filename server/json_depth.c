// SPDX-License-Identifier: Apache-2.0
#include "server/json_depth.h"

bool json_depth_exceeds(const char *json, size_t size, int most) {
    int depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < size; i++) {
        char c = json[i];
        if (quoted) {
            if (c == '\\') i++;
            else if (c == '"') quoted = false;
        } else if (c == '"') {
            quoted = true;
        } else if (c == '[' || c == '{') {
            if (++depth > most) return true;
        } else if (c == ']' || c == '}') {
            depth--;
        }
    }
    return false;
}
