// SPDX-License-Identifier: Apache-2.0
// Takes from this process what a reader of untrusted files does not need. For the reader child, before it opens anything.
#ifndef VIRGA_SOURCE_CONFINE_H
#define VIRGA_SOURCE_CONFINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

// Limits, no new privileges, no file system (by Landlock, where the kernel has it: *landlock says so), and only the system
// calls that reading descriptors at hand takes. Opening a path fails as if there were no such file, but "/proc/self/fd/N"
// gives a copy of descriptor N that stands at its start, "/proc/self/fd/N/path" what lies inside the folder that was lent with the
// request, and a path below a folder of source_library.h that file: both are asked of the server (reader_broker.h), whatever
// N is. stat, access and readlink answer alike. After this no thread may be started. memory: bytes of address
// space; not applied in sanitizer builds, which cannot start under it (the parent watches the resident size).
int confine(size_t memory, bool *landlock, struct failure *failure);

#endif
