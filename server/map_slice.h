// SPDX-License-Identifier: Apache-2.0
// A plane's numbers as bytes, for whoever draws them (PROTOCOL.md, "Maps"): the page's slices in 3-D. Pure; any thread.
#ifndef VIRGA_SERVER_MAP_SLICE_H
#define VIRGA_SERVER_MAP_SLICE_H

#include "base/shared_bytes.h"
#include "server/map_layer.h"
#include "tile/plane.h"

// Values, and heights where they are not NULL (of the same columns), from the finest level of the planes that has at most `most` columns, or from the coarsest. *bytes
// gets one reference. VIRGA_OK or VIRGA_NO_MEMORY.
int map_slice_write(const struct map_layer *layer, const struct plane *values, const struct plane *heights, size_t most, struct shared_bytes **bytes, struct failure *failure);

#endif
