// SPDX-License-Identifier: Apache-2.0
#include "render/picture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "render/composite.h"
#include "render/picture_scene.h"
#include "render/ray_marcher.h"
#include "render/slice_draw.h"

int picture_maker_new(const struct picture_options *options, struct picture_maker **result, struct failure *failure) {
    struct picture_maker *maker = calloc(1, sizeof *maker);
    *result = NULL;
    if (!maker) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    maker->options = *options;
    maker->ahead = -1;
    maker->fetch = (struct brick_fetch_options){
        .catalog = options->catalog, .store = options->bricks, .background = options->background, .stop = options->stop};
    maker->volumes = field_volumes_new(&maker->fetch, options->team, options->memory);
    maker->spaces = layer_spaces_new(options->catalog, options->stop);
    maker->planes = plane_cache_new(options->memory / 4);
    maker->basemaps = options->basemaps ? options->basemaps : basemap_cache_new(1, options->memory / 4);
    if (options->world_folder) maker->world_folder = strdup(options->world_folder);
    if (!maker->volumes || !maker->spaces || !maker->planes || !maker->basemaps || (options->world_folder && !maker->world_folder)) {
        picture_maker_free(maker);
        return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    }
    *result = maker;
    return VIRGA_OK;
}

static void free_planes(struct picture_maker *maker) {
    free(maker->ground);
    free(maker->distance);
    free(maker->marched);
    maker->ground = maker->distance = maker->marched = NULL;
    maker->width = maker->height = 0;
    maker->ground_key = (struct picture_key){0};
}

void picture_maker_free(struct picture_maker *maker) {
    if (!maker) return;
    free_planes(maker);
    light_grid_destroy(&maker->shade);
    skip_grid_destroy(&maker->skip);
    basemap_unref(maker->basemap);
    if (!maker->options.basemaps) basemap_cache_free(maker->basemaps);
    picture_slices_drop(maker);
    plane_cache_free(maker->planes);
    layer_spaces_free(maker->spaces);
    field_volumes_free(maker->volumes);
    free(maker->world_folder);
    free(maker);
}

// --- What a view means.

int picture_resolve(struct picture_maker *maker, const struct view *view, double now, struct picture_moment *moment, struct failure *failure) {
    bool exact;
    *moment = (struct picture_moment){0};
    maker->now = now;
    int status = picture_mean(maker, view, failure);
    if (!status) status = view_resolve_time(&maker->resolved, view->time, now, &moment->step, &exact, failure);
    if (status || exact) return status;
    return failure_set(failure, VIRGA_INVALID, "time: \"%s\" is not a step of this run; the nearest is %s", view->time,
                       maker->resolved.times[moment->step].iso);
}

int picture_camera(struct picture_maker *maker, const struct view *view, struct view_camera *camera, struct failure *failure) {
    *camera = view->camera;
    if (view->has_camera) return VIRGA_OK;
    int status = picture_mean(maker, view, failure);
    if (!status) status = picture_domain(maker, view, failure);
    if (!status) camera_frame(camera, &maker->box, view->exaggeration, picture_aspect(view));
    return status;
}

void picture_say(struct picture_maker *maker, const char *note, bool calm) {
    snprintf(maker->note, sizeof maker->note, "%s", note ? note : "");
    maker->calm = calm;
}

// --- Drawing.

static int make_planes(struct picture_maker *maker, unsigned width, unsigned height) {
    if (maker->ground && maker->width == width && maker->height == height) return VIRGA_OK;
    const size_t pixels = (size_t)width * height;
    free_planes(maker);
    maker->ground = memory_new_aligned(64, pixels, 4 * sizeof *maker->ground);
    maker->distance = memory_new_aligned(64, pixels, sizeof *maker->distance);
    maker->marched = memory_new_aligned(64, pixels, 4 * sizeof *maker->marched);
    if (!maker->ground || !maker->distance || !maker->marched) {
        free_planes(maker);
        return VIRGA_NO_MEMORY;
    }
    maker->width = width;
    maker->height = height;
    return VIRGA_OK;
}

// Ground and lines; those of the picture before, where nothing of them has changed.
static int draw_ground(struct picture_maker *maker, const struct view *view, const struct scene *scene) {
    const struct basemap_show show = {.coastlines = view->coastlines, .graticule = view->graticule, .terrain = view->terrain, .box = view->height_axis};
    struct picture_key key = picture_ground_key(maker, scene);
    picture_key_add(&key, &show, sizeof show);
    picture_key_add(&key, &view->antialiasing, sizeof view->antialiasing);
    if (picture_key_same(&key, &maker->ground_key)) return VIRGA_OK;
    maker->ground_key = (struct picture_key){0};
    int status = basemap_draw(maker->basemap, maker->options.team, scene, &show, view->antialiasing, maker->ground, maker->distance);
    if (!status && scene->slice_count) status = slice_draw(maker->options.team, scene, view->antialiasing, maker->ground, maker->distance);
    if (!status) maker->ground_key = key;
    return status;
}

static bool has_volumes(const struct picture_maker *maker) {
    for (size_t n = 0; n < maker->resolved.layer_count; n++)
        if (maker->resolved.layers[n].placed && maker->resolved.layers[n].of->vertical) return true;
    return false;
}

static double covered_share(const struct picture_maker *maker, const struct scene *scene) {
    const size_t pixels = (size_t)scene->width * scene->height;
    size_t covered = 0;
    for (size_t n = 0; scene->volume_count && n < pixels; n++) covered += maker->marched[4 * n + 3] >= 1.0F / 255;
    return (double)covered / (double)pixels;
}

static bool degraded(const struct picture_maker *maker) {
    for (size_t n = 0; n < maker->layer_count; n++)
        if (maker->layers[n].cut) return true;
    return false;
}

// Labels in the scene, then the captions that they keep clear of.
static int write_on(const struct picture_maker *maker, const struct view *view, const struct picture_moment *moment, const struct scene *scene,
                    struct image *image) {
    struct picture_words words;
    picture_words_init(&words, maker, view, moment, scene, degraded(maker));
    const struct caption *caption = view->captions.show ? &words.caption : NULL;
    const struct label_options labels = {.degrees = view->graticule, .heights = view->height_axis && has_volumes(maker),
                                         .above_ground = maker->above_ground, .top = view->has_camera && view->camera.mode == VIEW_TOP,
                                         .caption = caption};
    int status = label_draw(image, scene, maker->basemap, &labels);
    return status || !caption ? status : caption_draw(image, caption);
}

static int draw(struct picture_maker *maker, const struct view *view, const struct picture_moment *moment, const struct scene *scene,
                struct image *image) {
    const bool volumes = scene->volume_count > 0;
    struct render_team *team = maker->options.team;
    int status = make_planes(maker, scene->width, scene->height);
    if (!status) status = draw_ground(maker, view, scene);
    if (!status) status = image_init(image, scene->width, scene->height);
    if (status) return status;
    if (volumes) ray_marcher_draw(team, scene, maker->distance, maker->marched);
    composite_draw(team, scene, maker->ground, volumes ? maker->marched : NULL, view->transparent, image);
    return write_on(maker, view, moment, scene, image);
}

static int tell(const struct picture_maker *maker, const struct picture_moment *moment, const struct scene *scene, struct picture_facts *facts) {
    const struct catalog_time *run = &maker->resolved.dataset->runs[maker->resolved.run].time;
    *facts = (struct picture_facts){.covered = covered_share(maker, scene), .degraded = degraded(maker)};
    const double seconds = picture_seconds(maker, moment);
    memcpy(facts->run, run->iso, sizeof facts->run);
    facts->lead_hours = (seconds - run->seconds) / 3600;
    return cf_time_text(view_resolved_calendar(&maker->resolved), seconds, facts->valid);
}

static int draw_moment(struct picture_maker *maker, const struct view *view, const struct picture_moment *moment, struct image *image,
                       struct picture_facts *facts, struct failure *failure) {
    struct scene scene;
    int status = picture_mean(maker, view, failure);
    if (!status && moment->step >= maker->resolved.time_count)
        status = failure_set(failure, VIRGA_NOT_FOUND, "time: step %zu is not in this run, which has %zu", moment->step, maker->resolved.time_count);
    if (!status) status = picture_domain(maker, view, failure);
    if (!status) status = picture_scene(maker, view, moment, &scene, failure);
    if (status) return status;
    if ((status = draw(maker, view, moment, &scene, image))) return failure_set(failure, status, "a picture of %u × %u pixels: %s", scene.width, scene.height, status_name(status));
    if (facts && (status = tell(maker, moment, &scene, facts))) return failure_set(failure, status, "time: it cannot be written");
    return VIRGA_OK;
}

int picture_draw(struct picture_maker *maker, const struct view *view, const struct picture_moment *moment, struct image *image,
                 struct picture_facts *facts, struct failure *failure) {
    *image = (struct image){0};
    int status = draw_moment(maker, view, moment, image, facts, failure);
    if (status) image_destroy(image);
    field_volumes_trim(maker->volumes);
    layer_spaces_trim(maker->spaces);
    return status;
}
