// SPDX-License-Identifier: Apache-2.0
// For x86-64-v4: compiled with -march=x86-64-v4 (CMakeLists.txt).
#if defined(__x86_64__)
#define PACKET_WIDTH 16
#define PACKET_CODE march_code_v4
#define PACKET_ISA "x86-64-v4"
#include "render/ray_packet.h"
#else
typedef int ray_marcher_v4_is_not_for_this_processor;
#endif
