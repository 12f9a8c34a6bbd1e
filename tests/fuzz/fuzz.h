// SPDX-License-Identifier: Apache-2.0
// What every fuzz target defines: one run on some bytes; 0.
#ifndef VIRGA_TESTS_FUZZ_H
#define VIRGA_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#endif
