// SPDX-License-Identifier: Apache-2.0
// Basemaps that several makers of pictures share, and that outlive a catalog: they are found by what they are made from, not by where that lies in memory.
// Any thread.
#ifndef VIRGA_RENDER_BASEMAP_CACHE_H
#define VIRGA_RENDER_BASEMAP_CACHE_H

#include "render/basemap.h"

struct basemap_cache;

// most: basemaps that are kept, the least used one leaving first. memory: of each, as in basemap_options. NULL when out of memory.
struct basemap_cache *basemap_cache_new(size_t most, size_t memory);
void basemap_cache_free(struct basemap_cache *cache);   // NULL is allowed
void basemap_cache_clear(struct basemap_cache *cache);  // what others hold stays until they give it back
// With a reference for the caller; options->memory does not matter. One that is not there is made, while others wait. The codes of basemap_new.
int basemap_cache_get(struct basemap_cache *cache, const struct basemap_options *options, struct basemap **basemap, struct failure *failure);

#endif
