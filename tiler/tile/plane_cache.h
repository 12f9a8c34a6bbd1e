// SPDX-License-Identifier: Apache-2.0
// Planes that were made, within a cap in bytes; what was not used for longest goes first. Those who ask for the same at once share one making.
// Any thread.
#ifndef VIRGA_TILE_PLANE_CACHE_H
#define VIRGA_TILE_PLANE_CACHE_H

#include "tile/plane_make.h"

struct plane_cache;

// Everything that a plane's values depend on, as text: editions of the field's step and of what its levels are found by, variable, member, surface.
// Another one where a file was replaced. Never blocks. "" where there is no such field.
enum { PLANE_KEY = 256 };
void plane_key(const struct field_ref *field, const struct surface *surface, char key[PLANE_KEY]);

// NULL: out of memory.
struct plane_cache *plane_cache_new(size_t most_bytes);
void plane_cache_free(struct plane_cache *cache);  // nobody uses it any more; NULL allowed

// A reference, or NULL where it is not there. Never blocks for long.
struct plane *plane_cache_find(struct plane_cache *cache, const struct field_ref *field, const struct surface *surface);
// The same, made where it is not there, by plane_make. Blocks. Whoever waits for another's making gets what that came to; where the other was
// cancelled (field->stop) it is made after all. *plane gets a reference.
int plane_cache_get(struct plane_cache *cache, const struct plane_maker *maker, const struct field_ref *field, const struct surface *surface,
                    struct plane **plane, struct failure *failure);
// The surface's height (plane_make_height), likewise.
int plane_cache_get_height(struct plane_cache *cache, const struct plane_maker *maker, const struct field_ref *field, const struct surface *surface,
                           struct plane **plane, struct failure *failure);

struct plane_cache_stats { size_t memory, planes, hits, misses; };
void plane_cache_stats(struct plane_cache *cache, struct plane_cache_stats *stats);

#endif
