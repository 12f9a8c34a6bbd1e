// SPDX-License-Identifier: Apache-2.0
// The horizontal grid of a dataset: where a volume's columns stand on Earth.
//
// Index order is normalised once, here: i grows with x (eastward on latitude-longitude grids), j grows with y
// (northward). Fractional (i, j) are found on the axes by linear interpolation between grid points. Immutable after
// construction; any thread, except that the PROJ functions take a lock of their own.
//
// A curvilinear grid is known only by the longitude and latitude of every column (lon is not NULL): its axes are then the
// column numbers 0 … n-1 themselves, and between columns places follow grid_mesh.h.
#ifndef VIRGA_FIELD_GRID_H
#define VIRGA_FIELD_GRID_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define GRID_SPHERE 6371229.0  // metres: the radius that models mostly take for the earth's

struct grid_axis {
    size_t n;
    double *values;  // n strictly increasing coordinates: degrees, metres (km axes are converted) or column numbers
    bool regular;    // |values[i] - (start + i step)| ≤ 1e-4 step everywhere (1e-3 for axes stored as float32): then start and step are in force
    double start, step;
};

struct grid {
    struct grid_axis x, y;
    bool angular;      // axes are degrees (geographic or rotated longitude, latitude); else metres in the projection
    bool wraps;        // the x axis closes around the globe: column n is column 0 again (angular and curvilinear grids)
    char proj[512];    // PROJ string made from checked numbers, from lon/lat degrees to axis coordinates, e.g.
                       // "+proj=longlat +R=6371229 +no_defs", "+proj=ob_tran +o_proj=longlat …", "+proj=laea …"; "" when curvilinear
    double *lon, *lat; // curvilinear grids: [y.n][x.n] degrees of every column, NaN where unknown; else NULL
    double corners[4][2];  // lon, lat of the outermost grid points: south-west, south-east, north-east, north-west in grid terms
    double centre[2];      // x, y of the scene's origin: the middle of the axes' ranges
    double km_per_unit[2]; // scene kilometres for one axis unit along x and along y: 0.001 for metres; for degrees
                           // (pi/180) 6371.229 cos(centre latitude of the grid's own axes) and (pi/180) 6371.229;
                           // for column numbers the median distances of neighbours
    void *transform;       // PROJ objects or the mesh, private
    atomic_int more;       // references besides the first, private
};

bool grid_is_curvilinear(const struct grid *grid);
// Of projection, axes and columns: the same for the same grid, wherever it was read.
uint64_t grid_hash(const struct grid *grid);
// Whether the axes are true longitude and latitude.
bool grid_is_lonlat(const struct grid *grid);

// Axis coordinates of a place. lon and lat in degrees. VIRGA_OK, or VIRGA_UNSUPPORTED outside the projection's domain (of a
// curvilinear grid: outside its cells).
int grid_from_lonlat(const struct grid *grid, double lon, double lat, double *x, double *y);
int grid_to_lonlat(const struct grid *grid, double x, double y, double *lon, double *lat);

// In which of the intervals between n ≥ 2 rising values a value lies: values[i] ≤ value < values[i + 1]; the first or last beyond the ends.
size_t grid_interval(const double *values, size_t n, double value);
// Fractional index on an axis: 0 … n-1 inside. wraps: the result is in [0, n) with n meaning column 0 again.
// Outside (beyond a tolerance of 1e-6 of a cell): returns false.
bool grid_axis_locate(const struct grid_axis *axis, bool wraps, double coordinate, double *index);
// Both together: fractional (i, j) of a place; false outside the grid.
bool grid_locate(const struct grid *grid, double lon, double lat, double *i, double *j);

// One more reference, for grid_free to take back.
struct grid *grid_ref(struct grid *grid);
// NULL allowed. A curvilinear grid may be shared (grid_shared.h): then the last to free it frees it.
void grid_free(struct grid *grid);

#endif
