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
// After confine_with_network the library that speaks HTTP may go on as if it had the network: socket() gives a connection to the
// server's proxy (reader_broker.h), connect() to anything is done at once, and what is asked about a socket is answered with 0 or
// the proxy's made-up address, 127.0.0.1 port 1. Nothing else is a socket. Certificates count as library files, and the file of
// cookies that the library insists on is an empty one that keeps nothing.
void confine_with_network(void);
// The version of Landlock that this kernel has, 0 for none. Before confine.
int confine_landlock_version(void);
int confine(size_t memory, bool *landlock, struct failure *failure);

#endif
