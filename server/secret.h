// SPDX-License-Identifier: Apache-2.0
// Texts that let their holder do something: made from the kernel's random numbers, kept as hashes, compared in constant time. Any thread.
#ifndef VIRGA_SERVER_SECRET_H
#define VIRGA_SERVER_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/sha256.h"

enum { SECRET_TEXT = 43, SECRET_HASH = SHA256_BYTES };  // 32 random bytes in base64url without padding; sha256() of a text

// False where the kernel has no random numbers: then nothing may be let in by it.
bool secret_make(char text[SECRET_TEXT + 1]);
// A name that nobody has: `digits` (even, at most 32) hexadecimal ones. False likewise.
bool secret_name(char *text, size_t digits);
// Takes as long wherever they differ.
bool secret_equal(const uint8_t a[SECRET_HASH], const uint8_t b[SECRET_HASH]);

#endif
