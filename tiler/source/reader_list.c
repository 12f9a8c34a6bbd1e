// SPDX-License-Identifier: Apache-2.0
#include "source/reader_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int reader_list_no_memory(struct failure *failure) {
    return failure_set(failure, VIRGA_TOO_LARGE, "its list of contents is larger than the limit");
}

char *reader_list_name(struct arena *arena, const char *group, const char *name) {
    size_t length = strlen(group) + strlen(name) + 2;
    char *text = arena_new(arena, length, 1);
    if (text) snprintf(text, length, "%s%s%s", group, *group ? "/" : "", name);
    return text;
}
