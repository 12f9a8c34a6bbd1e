// SPDX-License-Identifier: Apache-2.0
// Coasts, borders and land of the world: a TopoJSON file of world-atlas (Natural Earth), checked. Immutable once read; any thread.
#ifndef VIRGA_RENDER_WORLD_ATLAS_H
#define VIRGA_RENDER_WORLD_ATLAS_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

// Runs of points: run n is points[first[n]] … points[first[n + 1] − 1], longitude and latitude in degrees.
struct atlas_lines {
    size_t count, point_count;
    size_t *first;        // [count + 1]
    double (*points)[2];
};

struct world_atlas {
    struct atlas_lines coasts, borders;
    struct atlas_lines rings;  // of land, closed
    size_t polygon_count;
    size_t *polygon;           // [polygon_count + 1] first ring of each
};

// detail: "10m", "50m" or "110m". VIRGA_OK, VIRGA_NO_MEMORY; VIRGA_NOT_FOUND, VIRGA_UNREADABLE or VIRGA_IO with the file's name
// and what to do.
int world_atlas_read(const char *folder, const char *detail, struct world_atlas *atlas, struct failure *failure);
// The same from a file's text. name: for messages.
int world_atlas_parse(char *text, size_t size, const char *name, struct world_atlas *atlas, struct failure *failure);
void world_atlas_destroy(struct world_atlas *atlas);  // a zeroed one is allowed

#endif
