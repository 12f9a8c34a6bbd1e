// SPDX-License-Identifier: Apache-2.0
// MULTIVERSION before a function compiles it for AVX2 as well; the loader picks. Results are the same bit for bit.
#ifndef VIRGA_BASE_MULTIVERSION_H
#define VIRGA_BASE_MULTIVERSION_H

// Sanitizers are not up yet when the loader picks.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(VIRGA_SANITIZED)
#define MULTIVERSION __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define MULTIVERSION
#endif

#endif
