// SPDX-License-Identifier: Apache-2.0
// For x86-64-v3: compiled with -march=x86-64-v3 (CMakeLists.txt).
#if defined(__x86_64__)
#define PACKET_WIDTH 8
#define PACKET_CODE march_code_v3
#define PACKET_ISA "x86-64-v3"
#include "render/ray_packet.h"
#else
typedef int ray_marcher_v3_is_not_for_this_processor;
#endif
