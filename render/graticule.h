// SPDX-License-Identifier: Apache-2.0
// Lines of longitude and latitude over a domain, and where their labels stand (web/layers/graticule.js). Private to the basemap.
#ifndef VIRGA_RENDER_GRATICULE_H
#define VIRGA_RENDER_GRATICULE_H

#include "render/basemap.h"
#include "render/map_lines.h"

// Appends to both lists; *degrees is the caller's, freed with free(), also after a failure. VIRGA_OK or VIRGA_NO_MEMORY.
int graticule_add(const struct map_cut *cut, struct map_lines *lines, struct basemap_degree **degrees, size_t *degree_count);

#endif
