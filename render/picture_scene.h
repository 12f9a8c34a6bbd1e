// SPDX-License-Identifier: Apache-2.0
// Private to picture*.c: the maker of pictures, and the steps from what a view means to a scene that can be drawn.
#ifndef VIRGA_RENDER_PICTURE_SCENE_H
#define VIRGA_RENDER_PICTURE_SCENE_H

#include "render/basemap_cache.h"
#include "render/caption.h"
#include "render/field_volume.h"
#include "render/layer_space.h"
#include "render/picture.h"
#include "render/scene.h"
#include "render/view_resolve.h"
#include "tile/plane_cache.h"

struct picture_key { uint64_t low, high; };  // of all that something was made from

struct picture_field {
    const struct layer_space *space;
    struct field_volume *steps[2];  // the later one NULL where nothing is blended in
};

struct picture_layer {  // one that is drawn
    const struct view_resolved_layer *layer;
    struct picture_field own, minus;  // minus: of a difference what is taken away, else zero
    struct transfer transfer;
    bool cut;  // more bricks were wanted than there is memory for
};

struct picture_slice {  // a layer that is a sheet
    struct picture_layer layer;      // without fields
    struct plane *values, *heights;  // a reference each
    char key[PLANE_KEY];             // plane_key
};

enum { PICTURE_LAYERS_MAX = SCENE_VOLUMES_MAX + SCENE_DRAPES_MAX };

struct picture_maker {
    struct picture_options options;
    struct brick_fetch_options fetch;
    char note[256];
    bool calm;                       // it warns of nothing
    char *world_folder;
    struct field_volumes *volumes;
    struct layer_spaces *spaces;
    double now;                      // of the last picture_resolve
    // What the view means.
    bool resolved_once;
    struct view seen;                // the view that `resolved` is of
    struct view_resolved resolved;
    // The domain.
    struct picture_key domain_key;
    struct scene_bounds box;
    bool above_ground;               // heights are above the ground
    struct basemap_cache *basemaps;  // the options', or its own
    struct basemap *basemap;
    bool without_world;              // it knows nothing of land: the page's packages are not there, and no view wanted coastlines yet
    // Of the picture being made, and of the one before.
    struct picture_layer layers[PICTURE_LAYERS_MAX];
    size_t layer_count;
    struct picture_slice slices[SCENE_SLICES_MAX];
    size_t slice_count;
    struct plane_cache *planes;
    size_t drawn;                    // pictures so far
    struct picture_moment last;      // of the picture before
    ptrdiff_t ahead;                 // step that the store makes ready, or -1
    struct picture_key skip_key, light_key, ground_key;
    struct skip_grid skip;
    struct light_grid shade;
    unsigned width, height;          // of the three below
    float *ground, *distance, *marched;
};

// What the view means; the same view again costs nothing.
int picture_mean(struct picture_maker *maker, const struct view *view, struct failure *failure);
// Box and basemap of the view's domain.
int picture_domain(struct picture_maker *maker, const struct view *view, struct failure *failure);
// The scene of a moment: fields, skip grid, light. picture_domain comes first.
int picture_scene(struct picture_maker *maker, const struct view *view, const struct picture_moment *moment, struct scene *scene,
                  struct failure *failure);
// The slices of a moment, into the scene, which is filled otherwise. Between two steps the nearer one's are shown.
int picture_slices(struct picture_maker *maker, const struct picture_moment *moment, struct scene *scene, struct failure *failure);
void picture_slices_drop(struct picture_maker *maker);  // what they hold
// Adds all that they are made from to a key.
void picture_slices_key(const struct picture_maker *maker, struct picture_key *key);
// Whether a moment lies between two steps.
bool picture_blended(const struct picture_maker *maker, const struct picture_moment *moment);
// The valid time of a moment: seconds in the calendar of the first layer, whole ones between steps.
double picture_seconds(const struct picture_maker *maker, const struct picture_moment *moment);

// Width by height of a view's pictures.
double picture_aspect(const struct view *view);
// Key of all that the drawn ground is made from.
struct picture_key picture_ground_key(const struct picture_maker *maker, const struct scene *scene);

// Key of what came before and `size` bytes more.
void picture_key_add(struct picture_key *key, const void *bytes, size_t size);
bool picture_key_same(const struct picture_key *a, const struct picture_key *b);

// The captions of a picture, with the texts that they point to: not to be copied.
struct picture_words {
    char title[2 * PRESET_TITLE_TEXT + 256], valid[128], run[320], note[512];
    struct caption caption;
};
void picture_words_init(struct picture_words *words, const struct picture_maker *maker, const struct view *view, const struct picture_moment *moment,
                        const struct scene *scene, bool cut);

#endif
