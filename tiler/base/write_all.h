// SPDX-License-Identifier: Apache-2.0
// Any thread.
#ifndef VIRGA_BASE_WRITE_ALL_H
#define VIRGA_BASE_WRITE_ALL_H

#include <stddef.h>

// Writes all bytes to a descriptor that blocks, in as many turns as it takes. 0, or an errno: then some of them may have been written.
int write_all(int fd, const void *bytes, size_t size);

#endif
