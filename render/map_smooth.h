// SPDX-License-Identifier: Apache-2.0
// Rounds off the corners that lines of a bilinear field have at every column. Pure, any thread.
#ifndef VIRGA_RENDER_MAP_SMOOTH_H
#define VIRGA_RENDER_MAP_SMOOTH_H

#include <stddef.h>

#include "base/status.h"

enum { MAP_SMOOTH_REACH = 16 };

// Each present value of values[ny][nx] becomes the mean of those present around it, with weights that fall evenly to 0 at `half` (to MAP_SMOOTH_REACH) steps along
// each axis; what is missing stays so. Nothing changes where half is 1 or less. VIRGA_OK or VIRGA_NO_MEMORY.
int map_smooth(float *values, size_t nx, size_t ny, double half);

#endif
