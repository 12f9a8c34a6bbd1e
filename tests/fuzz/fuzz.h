// SPDX-License-Identifier: Apache-2.0
// What every fuzz target defines: one run on some bytes; 0.
#ifndef VIRGA_TESTS_FUZZ_H
#define VIRGA_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

// The bytes as a text, for free(); NULL when out of memory.
static inline char *fuzz_text(const uint8_t *bytes, size_t size) {
    char *text = calloc(1, size + 1);
    if (text && size) memcpy(text, bytes, size);
    return text;
}

#endif
