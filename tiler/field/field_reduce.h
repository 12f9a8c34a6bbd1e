// SPDX-License-Identifier: Apache-2.0
// A field in blocks of its pyramid, reduced where it is stored: mean, least, most and count of present values of each block, so that a
// coarse picture needs no more bytes than it shows. Blocks until read; any worker thread.
#ifndef VIRGA_FIELD_FIELD_REDUCE_H
#define VIRGA_FIELD_FIELD_REDUCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "field/catalog.h"

// Whether each read of the field costs a way to where it is stored, whatever its size (source_reduces_early; of a derived field its inputs'
// source): such are read in larger boxes.
bool field_reads_far(const struct field_ref *field);
// Whether a coarse level of the field is to be asked for as such: its source reduces before anything travels, and field_reduce can, as far
// as is known without reading.
bool field_reduces_early(const struct field_ref *field);

// Blocks are those of the pyramid, in normalised order (x east, y north, z up): block I of an axis of n points covers the points
// I * block … min((I + 1) * block, n) - 1. Boxes here count blocks: x0 … x0 + nx - 1 of ceil(n / block).

// Cuts the field's blocks into boxes of about max_blocks blocks or fewer, along faces of stored chunks where these are near, so that few
// chunks are reduced twice. The caller frees *boxes with free(). VIRGA_UNSUPPORTED where field_reduce would say so.
int field_reduce_plan(const struct field_ref *field, const uint32_t block[3], size_t max_blocks, struct field_box **boxes, size_t *count,
                      struct failure *failure);

struct field_blocks {  // nx * ny * nz numbers each, z slowest; in the variable's units
    double *mean, *least, *most;  // NaN where no value is present
    double *count;                // of present values
};
// VIRGA_OK; VIRGA_UNSUPPORTED where the source cannot make these numbers as field_read would give them: of fields that are computed
// (derived, averaged, summed, of all members), stored on a grid that moves, or whose missing values are more than a source is told: field_read
// and one's own means are the way then. Else the codes of field_read.
int field_reduce(const struct field_ref *field, const uint32_t block[3], const struct field_box *box, const struct field_blocks *blocks,
                 struct failure *failure);

#endif
