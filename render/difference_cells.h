// SPDX-License-Identifier: Apache-2.0
// Which cells of a volume a difference may show something in, from the ranges of the two fields it is made of. The page's is
// differenceVisibility in web/data/skip_grid.js. Pure, any thread.
#ifndef VIRGA_RENDER_DIFFERENCE_CELLS_H
#define VIRGA_RENDER_DIFFERENCE_CELLS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "render/cell_heights.h"
#include "render/field_volume.h"

struct difference_cells {
    const struct field_volume *own, *minus;           // of one shape
    const struct cell_heights *heights;               // of the own cells
    const struct cell_heights *minus_heights;         // NULL: cells of both stand at the same places
    double ratio;                                     // differences are q − ratio × q of minus
    bool (*shows)(const void *user, double lowest, double highest);  // whether differences between the two show
    const void *user;
};

// Sets visible[z][y][x], of cells as cell_heights counts them, where a difference may show; others stay. VIRGA_OK or VIRGA_NO_MEMORY.
int difference_cells_mark(const struct difference_cells *cells, uint8_t *visible);

#endif
