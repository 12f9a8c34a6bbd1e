// SPDX-License-Identifier: Apache-2.0
// A whole body as one gzip member. Any thread.
#ifndef VIRGA_SERVER_GZIP_H
#define VIRGA_SERVER_GZIP_H

#include <stddef.h>
#include <stdint.h>

#include "base/shared_bytes.h"

// NULL when out of memory.
struct shared_bytes *gzip_bytes(const uint8_t *data, size_t size, int level);

#endif
