// SPDX-License-Identifier: Apache-2.0
// A small field, stored with its axes and levels in any order.
#ifndef VIRGA_TESTS_FIELD_MADE_ORDER_H
#define VIRGA_TESTS_FIELD_MADE_ORDER_H

#include "made_file.h"

enum { NX = 7, NY = 5, NZ = 6 };  // of the file

static inline double truth(size_t i, size_t j, size_t k) { return 200 + (double)i + 10 * (double)j + 0.5 * (double)k; }

struct order {
    bool lon_down, lat_down;
    size_t level[NZ];        // stored index of level k, upward
    int position[3];         // of z, y, x among the stored dimensions
    size_t chunk[3];         // z, y, x; 0: contiguous
};

// A pressure-level file in some order. Level k (upward) has pressure 1000 - 100 k hPa.
static inline void write_ordered(const char *name, const struct order *o) {
    double lon[NX], lat[NY], lev[NZ], *data = malloc(NX * NY * NZ * sizeof *data);
    size_t shape[3], chunk[3];
    int axis[3], dims[3];
    for (size_t i = 0; i < NX; i++) lon[o->lon_down ? NX - 1 - i : i] = 10 + (double)i;
    for (size_t j = 0; j < NY; j++) lat[o->lat_down ? NY - 1 - j : j] = 40 + (double)j;
    for (size_t k = 0; k < NZ; k++) lev[o->level[k]] = 1000 - 100 * (double)k;
    int nc = made_create(name);
    axis[0] = made_axis(nc, "lev", NZ, lev, "air_pressure", "hPa");
    axis[1] = made_axis(nc, "lat", NY, lat, "latitude", "degrees_north");
    axis[2] = made_axis(nc, "lon", NX, lon, "longitude", "degrees_east");
    const size_t n[3] = {NZ, NY, NX};
    for (int a = 0; a < 3; a++) dims[o->position[a]] = axis[a], shape[o->position[a]] = n[a], chunk[o->position[a]] = o->chunk[a];
    int v = made_var(nc, "t", NC_FLOAT, 3, dims, "air_temperature", "K");
    if (o->chunk[0]) NC(nc_def_var_chunking(nc, v, NC_CHUNKED, chunk));
    for (size_t k = 0; k < NZ; k++)
        for (size_t j = 0; j < NY; j++)
            for (size_t i = 0; i < NX; i++) {
                size_t at[3];
                at[o->position[0]] = o->level[k];
                at[o->position[1]] = o->lat_down ? NY - 1 - j : j;
                at[o->position[2]] = o->lon_down ? NX - 1 - i : i;
                data[(at[0] * shape[1] + at[1]) * shape[2] + at[2]] = truth(i, j, k);
            }
    NC(nc_put_var_double(nc, v, data));
    NC(nc_close(nc));
    free(data);
}

#endif
