// SPDX-License-Identifier: Apache-2.0
// For aarch64, whose vectors every compiler for it uses.
#if defined(__aarch64__)
#define PACKET_WIDTH 4
#define PACKET_CODE march_code_neon
#define PACKET_ISA "aarch64"
#include "render/ray_packet.h"
#else
typedef int ray_marcher_neon_is_not_for_this_processor;
#endif
