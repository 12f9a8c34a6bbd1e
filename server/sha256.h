// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4). Any thread.
#ifndef VIRGA_SERVER_SHA256_H
#define VIRGA_SERVER_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_BYTES = 32 };

void sha256(const void *data, size_t size, uint8_t hash[SHA256_BYTES]);

#endif
