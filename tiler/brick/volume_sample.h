// SPDX-License-Identifier: Apache-2.0
// The value at a place, from decoded bricks: trilinear in (i, j, k) over the voxels that are present, absent where their
// share of the weights is under one half or outside the grid.
#ifndef VIRGA_BRICK_VOLUME_SAMPLE_H
#define VIRGA_BRICK_VOLUME_SAMPLE_H

#include "brick/brick_store.h"

// Voxels of one level, wherever they are held.
struct volume_access {
    uint32_t n[3];
    bool wraps_x;
    struct lattice_spec lattice;
    // Lattice integer (or LATTICE_MISSING) of a voxel inside; VIRGA_OK or an error, which ends the sample.
    int (*voxel)(void *user, uint32_t x, uint32_t y, uint32_t z, int32_t *q);
    void *user;
};

// i, j, k: fractional voxel indices, 0 … n − 1 (i up to n where the grid wraps). *value is NaN where absent. Returns VIRGA_OK or
// what voxel() returned.
int volume_sample(const struct volume_access *access, double i, double j, double k, double *value);

// The same from the store's bricks of level 0, for `count` places above one another: values[n] at k[n]. Of a field whose source is far
// (field_reads_far) only the columns around are read, and quantised as its bricks are. Blocks until they are read: not on the service
// thread, nor on a worker of the store's pool. VIRGA_OK (values NaN where absent), or what the store failed with.
int brick_samples_at(struct brick_store *store, struct catalog *catalog, const struct field_ref *field, double i, double j,
                     const double *k, size_t count, double *values, struct failure *failure);

// Values above one place of the grid.
struct sample_column {
    double i, j;      // NaN: a place outside, where all values are NaN
    size_t count;
    const double *k;  // [count]
    double *values;   // [count], filled
};
enum { SAMPLE_FEW_COLUMNS = 8 };
// The same at many places, best in the order of a path: neighbours share what is read and decoded. Of a field that the store does not hold
// (brick_store_volume) no more than SAMPLE_FEW_COLUMNS columns are read and quantised as a far one's, and nothing is kept; for more it is read whole.
// VIRGA_CANCELLED once *field->stop is true.
int brick_samples_along(struct brick_store *store, struct catalog *catalog, const struct field_ref *field, const struct sample_column *columns,
                        size_t count, struct failure *failure);

#endif
