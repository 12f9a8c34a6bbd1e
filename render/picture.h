// SPDX-License-Identifier: Apache-2.0
// From a view document to its picture: looks up what the view names, reads bricks, draws, writes the captions. Keeps between pictures
// what the next one is likely to need. One thread calls; its team and the store's pool help.
#ifndef VIRGA_RENDER_PICTURE_H
#define VIRGA_RENDER_PICTURE_H

#include "brick/brick_store.h"
#include "field/catalog.h"
#include "render/image.h"
#include "render/render_team.h"
#include "render/view.h"

struct basemap_cache;
struct picture_maker;

struct picture_options {
    struct catalog *catalog;       // these four, and `stop`, must outlive the maker
    struct brick_store *bricks;
    struct render_team *team;
    struct basemap_cache *basemaps; // shared with other makers; NULL: one of its own
    const char *world_folder;      // coastlines, see basemap.h; NULL: a view that wants them fails
    size_t memory;                 // bytes of decoded bricks kept between pictures, about
    bool background;               // what it asks of the store comes after all that anybody else wants, and nothing is made ready ahead
    const atomic_bool *stop;       // once true, the picture under way is given up (VIRGA_CANCELLED) as soon as it waits. Or NULL
};

int picture_maker_new(const struct picture_options *options, struct picture_maker **maker, struct failure *failure);
void picture_maker_free(struct picture_maker *maker);  // NULL is allowed

// When a picture is: between two of the first layer's steps in the view's run.
struct picture_moment {
    size_t step;   // index of the step
    double blend;  // share of the next one, 0 ≤ blend < 1
};

// What the view's rule for time means now: the step, exactly (VIRGA_INVALID with the nearest one named where there is no such step).
// now: seconds since 1970 UTC, for "nearest to now".
int picture_resolve(struct picture_maker *maker, const struct view *view, double now, struct picture_moment *moment, struct failure *failure);
// The camera that picture_draw uses for the view: its own, or the one that frames the domain. For what moves the camera from picture to picture.
int picture_camera(struct picture_maker *maker, const struct view *view, struct view_camera *camera, struct failure *failure);

// What is worth writing into a file beside the picture.
struct picture_facts {
    char run[CATALOG_TIME_TEXT], valid[CATALOG_TIME_TEXT];  // ISO 8601
    double lead_hours;
    double covered;  // share of the pixels that a volume covers visibly (alpha ≥ 1/255)
    bool degraded;   // drawn from coarser bricks than the camera could tell apart, as `memory` holds no more
};

// What captions say besides, from now on: kept here; "" or NULL: nothing. At most 255 bytes of it. calm: it warns of nothing.
void picture_say(struct picture_maker *maker, const char *note, bool calm);

// Draws the picture of a moment. view->size 0, 0 means 1280 × 720; view->camera absent frames the domain. *image is made here and the
// caller's to destroy. Messages name the view's field, or the file that could not be read.
int picture_draw(struct picture_maker *maker, const struct view *view, const struct picture_moment *moment, struct image *image,
                 struct picture_facts *facts, struct failure *failure);

#endif
