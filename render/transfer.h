// SPDX-License-Identifier: Apache-2.0
// A layer's transfer function as the tables that the picture is made with; the page's are web/gl/transfer_texture.js. Pure, any thread.
#ifndef VIRGA_RENDER_TRANSFER_H
#define VIRGA_RENDER_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "field/catalog.h"
#include "render/colour_map.h"

enum { TRANSFER_ENTRIES = 1024 };
#define TRANSFER_MOST 0.9999  // opacity per km that a point of opacity 1 is drawn with, so that tau is finite

// Entry k stands for the value low + (high − low) k / (TRANSFER_ENTRIES − 1).
struct transfer {
    double low, high;                                // values; high > low
    float data[TRANSFER_ENTRIES][4];                 // red, green, blue (sRGB-encoded, 0 to 1), tau = −log(1 − opacity per km)
    float integral[TRANSFER_ENTRIES][4];             // from the first entry up to each, in entries: colour × tau, tau
    uint16_t visible_before[TRANSFER_ENTRIES + 1];   // entries before with any opacity
};

// range: values at both ends of the colour map, rising. opacity: `count` pairs of value (not falling) and opacity per km of true
// height 0 to 1, linear between, held beyond the ends; count 0: 0.3 everywhere.
void transfer_init(struct transfer *transfer, const struct colour_map *map, const double range[2], const double (*opacity)[2],
                   size_t count);
// Whether any value between the two (inclusive) shows.
bool transfer_visible(const struct transfer *transfer, double low, double high);
// tau per km at a value.
double transfer_tau(const struct transfer *transfer, double value);
// {x, y} so that the place in the table, 0 to 1 over texels, is q x + y for lattice integers q; the entry is that × TRANSFER_ENTRIES − 0.5.
void transfer_lookup(const struct transfer *transfer, const struct lattice_spec *lattice, double lookup[2]);

#endif
