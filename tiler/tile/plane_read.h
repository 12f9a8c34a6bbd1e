// SPDX-License-Identifier: Apache-2.0
// Private to plane_*.c: levels of a field as planes of values, one after the other.
#ifndef VIRGA_TILE_PLANE_READ_H
#define VIRGA_TILE_PLANE_READ_H

#include "brick/step_volume.h"
#include "tile/plane_make.h"

struct plane_columns {  // what a plane's level 0 holds
    size_t nx, ny;      // of the grid
    unsigned scale;
    size_t cx, cy, count;  // values along x and y, and all
    bool wraps;
};
void plane_columns_init(struct plane_columns *columns, const struct catalog_dataset *dataset, size_t most);
// Fractional index of the grid at which value c stands along an axis of n columns.
double plane_columns_at(unsigned scale, size_t c, size_t n);

struct plane_reader {
    const struct plane_columns *columns;
    struct field_ref field;
    const struct lattice_spec *lattice;  // NULL: values as read
    struct step_volume *volume;          // or NULL
    size_t end;                          // levels from here on are not wanted
    double *numbers;                     // [held][cy][cx] from level `first` on
    size_t first, held, room;
    bool by_rows;                        // one level at a time, and nothing held
    int32_t *q;
};
// exact: values as they are read, else the store's. last: the highest level that will be asked for; most: whether most levels up to it will be. Blocks.
int plane_reader_open(struct plane_reader *reader, const struct plane_maker *maker, const struct plane_columns *columns, const struct field_ref *field,
                      bool exact, size_t last, bool most, struct failure *failure);
void plane_reader_close(struct plane_reader *reader);  // also a zeroed one
// Level k into values[cy][cx], NaN where missing. Levels come cheapest upward. Blocks.
int plane_reader_level(struct plane_reader *reader, size_t k, float *values, struct failure *failure);

// VIRGA_CANCELLED once nobody waits for the field.
int plane_stopped(const struct field_ref *field, struct failure *failure);

#endif
