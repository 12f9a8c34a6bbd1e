// SPDX-License-Identifier: Apache-2.0
#include "base/embedded.h"

#include <stddef.h>
#include <string.h>

const char *embedded_text(const struct embedded_file *files, const char *name)
{
    for (; files->name; files++)
        if (strcmp(files->name, name) == 0)
            return files->text;
    return NULL;
}
