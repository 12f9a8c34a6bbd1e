// SPDX-License-Identifier: Apache-2.0
// For any processor: four lanes, for whatever vectors the compiler finds.
#define PACKET_WIDTH 4
#define PACKET_CODE march_code_portable
#define PACKET_ISA "portable"
#include "render/ray_packet.h"
