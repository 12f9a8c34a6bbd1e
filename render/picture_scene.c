// SPDX-License-Identifier: Apache-2.0
// From what a view means to a scene. The page's are #makeScene in web/viewer.js and web/gl/stage.js.
#include "render/picture_scene.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "render/brick_cells.h"
#include "render/difference_cells.h"
#include "render/view_domain.h"

void picture_key_add(struct picture_key *key, const void *bytes, size_t size) {
    struct { struct picture_key before, now; } both = {.before = *key};
    const XXH128_hash_t hash = XXH3_128bits(bytes, size);
    both.now = (struct picture_key){hash.low64, hash.high64};
    const XXH128_hash_t sum = XXH3_128bits(&both, sizeof both);
    *key = (struct picture_key){sum.low64, sum.high64};
}

bool picture_key_same(const struct picture_key *a, const struct picture_key *b) { return a->low == b->low && a->high == b->high; }

// --- What the view means.

// Whether two views mean the same but for what is looked at anew for each picture.
static bool same_meaning(const struct view *a, const struct view *b) {
    return !strcmp(a->dataset, b->dataset) && !strcmp(a->run, b->run) && a->member == b->member &&
           a->layer_count == b->layer_count && !memcmp(a->layers, b->layers, a->layer_count * sizeof *a->layers);
}

int picture_mean(struct picture_maker *maker, const struct view *view, struct failure *failure) {
    if (maker->resolved_once && same_meaning(view, &maker->seen)) return VIRGA_OK;
    maker->resolved_once = false;
    int status = view_resolve(view, maker->options.catalog, &maker->resolved, failure);
    if (!status) status = view_complete(&maker->resolved, &maker->fetch, failure);
    if (status) return status;
    maker->seen = *view;
    maker->resolved_once = true;
    maker->drawn = 0;
    return VIRGA_OK;
}

bool picture_blended(const struct picture_maker *maker, const struct picture_moment *moment) {
    return moment->blend > 0 && moment->step + 1 < maker->resolved.time_count;
}

double picture_seconds(const struct picture_maker *maker, const struct picture_moment *moment) {
    const struct catalog_time *times = maker->resolved.times;
    const double here = times[moment->step].seconds;
    return picture_blended(maker, moment) ? round(here + moment->blend * (times[moment->step + 1].seconds - here)) : here;
}

// --- The domain.

// When the view itself is: what box and ground belong to, whichever moment is drawn of it.
static double own_seconds(const struct picture_maker *maker, const struct view *view) {
    size_t step = 0;
    bool exact;
    if (view_resolve_time(&maker->resolved, view->time, maker->now, &step, &exact, NULL)) step = 0;
    return maker->resolved.times[step].seconds;
}

int picture_domain(struct picture_maker *maker, const struct view *view, struct failure *failure) {
    struct view_domain domain;
    struct picture_key key = {0};
    int status = view_domain_find(&maker->resolved, maker->spaces, own_seconds(maker, view), &domain, failure);
    if (status) return status;
    if (view->coastlines && !maker->world_folder)
        return failure_set(failure, VIRGA_NOT_FOUND, "map.coastlines: there are no coastlines here; install the page's packages, or set it to false");
    picture_key_add(&key, &domain.box, sizeof domain.box);
    picture_key_add(&key, &maker->resolved.dataset, sizeof maker->resolved.dataset);
    if (domain.ground) picture_key_add(&key, domain.ground->id, sizeof domain.ground->id);
    maker->above_ground = domain.main->map && domain.main->map->datum == DATUM_GROUND;
    bool enough = !(view->coastlines && maker->without_world);
    if (maker->basemap && enough && picture_key_same(&key, &maker->domain_key)) return VIRGA_OK;
    basemap_unref(maker->basemap);
    maker->basemap = NULL;
    struct basemap_options options = {.grid = maker->resolved.dataset->grid, .ground = domain.ground ? domain.ground->reach.ground : NULL,
                                      .box = domain.box, .world_folder = maker->world_folder};
    struct failure missing = {0};
    status = basemap_cache_get(maker->basemaps, &options, &maker->basemap, &missing);
    maker->without_world = status == VIRGA_NOT_FOUND && !view->coastlines;
    if (maker->without_world) {  // then what is above the sea is land
        options.world_folder = NULL;
        status = basemap_cache_get(maker->basemaps, &options, &maker->basemap, &missing);
    }
    if (status) return failure_set(failure, status, "%s", missing.message);
    maker->box = domain.box;
    maker->domain_key = key;
    return VIRGA_OK;
}

// --- Fields.

struct showing { const struct transfer *transfer; const struct lattice_spec *lattice; bool always; };

static bool shows_between(const void *user, double lowest, double highest) {
    const struct showing *s = user;
    return transfer_visible(s->transfer, s->lattice->v0 + lowest * s->lattice->step, s->lattice->v0 + highest * s->lattice->step);
}

static bool shows(const void *user, int32_t lowest, int32_t highest) {
    return ((const struct showing *)user)->always || shows_between(user, lowest, highest);
}

// What one field of a difference holds does not say what shows.
static struct showing showing_of(const struct picture_layer *layer) {
    return (struct showing){&layer->transfer, &layer->layer->lattice, layer->layer->minus.used};
}

// About what a decoded brick of a variable takes.
static size_t brick_bytes(const struct catalog_variable *variable) {
    const size_t levels = variable->nz + 2 * BRICK_BORDER;
    return BRICK_MAX_SIDE * BRICK_MAX_SIDE * (levels < BRICK_MAX_SIDE ? levels : BRICK_MAX_SIDE) * sizeof(int16_t) + sizeof(struct brick_cells);
}

// Bricks that one field may have, so that both steps of all layers stay within the memory whether they are blended or not. What lies on the
// ground is small: it gets an eighth.
static size_t most_bricks(const struct picture_maker *maker, const struct picture_layer *layer) {
    size_t fields[2] = {0}, part = maker->options.memory;  // on the ground, in height
    for (size_t n = 0; n < maker->layer_count; n++) fields[maker->layers[n].own.space->map != NULL] += maker->layers[n].layer->minus.used ? 2 : 1;
    const bool volume = layer->own.space->map != NULL;
    if (fields[0] && fields[1]) part = volume ? part / 8 * 7 : part / 8;
    const size_t most = part / (2 * fields[volume] * brick_bytes(layer->layer->of));
    return most > 16 ? most : 16;
}

static int bring_step(struct picture_maker *maker, struct picture_layer *layer, struct picture_field *of, const struct field_ref *field, size_t which,
                      const struct brick_camera *camera, struct failure *failure) {
    const struct showing showing = showing_of(layer);
    const size_t most = most_bricks(maker, layer);
    struct brick_choice *choices = NULL;
    size_t count = 0;
    struct field_volume **volume = &of->steps[which];
    int status = field_volumes_get(maker->volumes, field, volume, failure);
    if (status) return status;
    if (of->space->places) status = brick_select(of->space->places, (*volume)->table, camera, shows, &showing, &choices, &count);
    else status = brick_select_all((*volume)->table, most, &choices, &count);
    if (status) return failure_set(failure, status, "out of memory");
    if (count > most) {
        layer->cut = true;
        count = most;
    } else if (!of->space->places && count && choices[0].level > 0) {
        layer->cut = true;
    }
    status = field_volumes_fill(maker->volumes, *volume, choices, count, failure);
    free(choices);
    return status;
}

// The fields of a layer at a valid time that it has; the later one for which == 1, where it is another step.
static int bring_time(struct picture_maker *maker, struct picture_layer *layer, double seconds, size_t which, const struct brick_camera *camera,
                      struct failure *failure) {
    const struct field_ref own = view_resolved_field(&maker->resolved, layer->layer, (size_t)view_resolved_step(layer->layer, seconds));
    int status = VIRGA_OK;
    if (!which || own.step != layer->own.steps[0]->field.step) status = bring_step(maker, layer, &layer->own, &own, which, camera, failure);
    if (status || !layer->layer->minus.used) return status;
    const struct field_ref minus = view_resolved_minus_field(&maker->resolved, layer->layer, (size_t)view_resolved_minus_step(layer->layer, seconds));
    if (which && minus.step == layer->minus.steps[0]->field.step) return VIRGA_OK;
    return bring_step(maker, layer, &layer->minus, &minus, which, camera, failure);
}

// The bricks of a layer at a moment.
static int bring_layer(struct picture_maker *maker, const struct picture_moment *moment, struct picture_layer *layer, const struct brick_camera *camera,
                       struct failure *failure) {
    const struct catalog_time *times = maker->resolved.times;
    int status = bring_time(maker, layer, times[moment->step].seconds, 0, camera, failure);
    if (status || !picture_blended(maker, moment) || view_resolved_step(layer->layer, times[moment->step + 1].seconds) < 0) return status;
    return bring_time(maker, layer, times[moment->step + 1].seconds, 1, camera, failure);
}

// The step that the next pictures are likely to need beyond this one's, or -1.
static ptrdiff_t step_ahead(const struct picture_maker *maker, const struct picture_moment *moment) {
    const bool back = maker->drawn && moment->step < maker->last.step, moves = maker->drawn && moment->step != maker->last.step;
    const ptrdiff_t step = (ptrdiff_t)moment->step + (back ? -1 : moment->blend > 0 ? 2 : 1);
    if (!moves && moment->blend <= 0) return maker->ahead;  // it stands still, or is the first one
    return step >= 0 && step < (ptrdiff_t)maker->resolved.time_count ? step : -1;
}

// While this picture is drawn, the store makes ready what comes next.
static void look_ahead(struct picture_maker *maker, const struct picture_moment *moment) {
    const ptrdiff_t ahead = step_ahead(maker, moment);
    maker->last = *moment;
    maker->drawn++;
    if (ahead == maker->ahead) return;
    maker->ahead = ahead;
    field_volumes_ahead_stop(maker->volumes);
    for (size_t n = 0; ahead >= 0 && n < maker->layer_count; n++) {
        const struct picture_layer *layer = &maker->layers[n];
        const double seconds = maker->resolved.times[ahead].seconds;
        const ptrdiff_t own = view_resolved_step(layer->layer, seconds);
        if (own < 0) continue;
        field_volumes_ahead(maker->volumes, layer->own.steps[0], (size_t)own);
        if (layer->minus.steps[0]) field_volumes_ahead(maker->volumes, layer->minus.steps[0], (size_t)view_resolved_minus_step(layer->layer, seconds));
    }
}

static int minus_space(struct picture_maker *maker, struct picture_layer *layer, double seconds, struct failure *failure) {
    const struct field_ref field = view_resolved_minus_field(&maker->resolved, layer->layer, (size_t)view_resolved_minus_step(layer->layer, seconds));
    return layer_spaces_get(maker->spaces, &field, &layer->minus.space, failure);
}

// Whether both fields of a difference stand at the same places.
static bool same_places(const struct picture_layer *layer) { return !strcmp(layer->own.space->id, layer->minus.space->id); }

static int add_layers(struct picture_maker *maker, double seconds, enum view_form form, struct failure *failure) {
    size_t indices[VIEW_DRAWN_MAX], count = view_resolved_drawn(&maker->resolved, seconds, form, indices);
    for (size_t n = 0; n < count; n++) {
        struct picture_layer *layer = &maker->layers[maker->layer_count];
        *layer = (struct picture_layer){.layer = &maker->resolved.layers[indices[n]]};
        const struct view_layer *look = &layer->layer->look;
        const struct colour_map *map = colour_map_find(look->colour_map);
        if (!map) return failure_set(failure, VIRGA_NOT_FOUND, "layers[%zu].colour_map: there is no map \"%s\"", indices[n], look->colour_map);
        transfer_init(&layer->transfer, map, look->range, look->opacity, look->opacity_count);
        int status = view_domain_space(&maker->resolved, layer->layer, maker->spaces, seconds, &layer->own.space, failure);
        if (!status && layer->layer->minus.used) status = minus_space(maker, layer, seconds, failure);
        if (status) return status;
        maker->layer_count++;
    }
    return VIRGA_OK;
}

static void volumes_of(const struct picture_field *field, const struct brick_volume *steps[2]) {
    for (int n = 0; n < 2; n++) steps[n] = field->steps[n] ? field->steps[n]->volume : NULL;
}

static struct scene_layer scene_layer_of(const struct picture_layer *layer, double blend) {
    struct scene_layer out = {.geometry = layer->own.space->geometry, .transfer = &layer->transfer, .shading = layer->layer->look.shading};
    transfer_lookup(&layer->transfer, &layer->layer->lattice, out.lookup);
    volumes_of(&layer->own, out.steps);
    if (layer->minus.space) {
        out.minus = (struct scene_minus){.geometry = same_places(layer) ? out.geometry : layer->minus.space->geometry, .ratio = layer->layer->minus.ratio};
        volumes_of(&layer->minus, out.minus.steps);
    }
    if (out.steps[1] || out.minus.steps[1]) out.blend = blend;
    return out;
}

// --- What is made from the fields.

static void add_layer_key(struct picture_key *key, const struct picture_layer *layer) {
    const struct view_layer *look = &layer->layer->look;
    const struct picture_field *fields[2] = {&layer->own, &layer->minus};
    for (int n = 0; n < 4; n++) {
        const struct field_volume *step = fields[n / 2]->steps[n % 2];
        const uint64_t version = step ? step->version : 0;
        picture_key_add(key, &version, sizeof version);
    }
    for (int n = 0; n < 2; n++)
        if (fields[n]->space) picture_key_add(key, fields[n]->space->id, sizeof fields[n]->space->id);
    picture_key_add(key, look->colour_map, strlen(look->colour_map));
    picture_key_add(key, look->range, sizeof look->range);
    picture_key_add(key, look->opacity, look->opacity_count * sizeof *look->opacity);
}

// Where a layer may show something at one of its steps.
static int find_visible(const struct picture_layer *layer, int step, uint8_t *visible) {
    const struct showing showing = showing_of(layer);
    const struct field_volume *own = layer->own.steps[step], *minus = layer->minus.steps[step];
    if (!layer->minus.space) {
        if (own) field_volume_visible(own, shows, &showing, visible);
        return VIRGA_OK;
    }
    if (!own && !minus) return VIRGA_OK;
    const struct difference_cells cells = {
        .own = own ? own : layer->own.steps[0], .minus = minus ? minus : layer->minus.steps[0], .heights = &layer->own.space->heights,
        .minus_heights = same_places(layer) ? NULL : &layer->minus.space->heights, .ratio = layer->layer->minus.ratio, .shows = shows_between, .user = &showing};
    return difference_cells_mark(&cells, visible);
}

static int mark_layer(struct skip_grid *grid, const struct picture_layer *layer) {
    const struct layer_space *space = layer->own.space;
    const struct cell_heights *heights = &space->heights;
    uint8_t *visible = calloc((size_t)heights->count[0] * heights->count[1], heights->count[2]);
    int status = visible ? VIRGA_OK : VIRGA_NO_MEMORY;
    for (int step = 0; step < 2 && !status; step++) status = find_visible(layer, step, visible);
    if (!status) skip_grid_mark(grid, space->dataset->grid, heights, visible);
    free(visible);
    return status;
}

static int make_skip(struct picture_maker *maker, struct scene *scene, const struct picture_key *key) {
    scene->skip = scene->volume_count ? &maker->skip : NULL;
    if (!scene->volume_count || picture_key_same(key, &maker->skip_key)) return VIRGA_OK;
    skip_grid_destroy(&maker->skip);
    maker->skip_key = (struct picture_key){0};
    int status = skip_grid_init(&maker->skip, maker->resolved.dataset->grid, &maker->box);
    for (size_t n = 0; n < maker->layer_count && !status; n++)
        if (maker->layers[n].own.space->map) status = mark_layer(&maker->skip, &maker->layers[n]);
    if (!status) status = skip_grid_finish(&maker->skip);
    if (!status) maker->skip_key = *key;
    return status;
}

static int make_shade(struct picture_maker *maker, struct scene *scene, struct picture_key key) {
    scene->shade = NULL;
    if (!scene->light.shadows || !scene->volume_count) return VIRGA_OK;
    picture_key_add(&key, scene->light.direction, sizeof scene->light.direction);
    picture_key_add(&key, &scene->exaggeration, sizeof scene->exaggeration);
    for (size_t n = 0; n < scene->volume_count; n++) picture_key_add(&key, &scene->volumes[n].blend, sizeof scene->volumes[n].blend);
    scene->shade = &maker->shade;
    if (picture_key_same(&key, &maker->light_key)) return VIRGA_OK;
    light_grid_destroy(&maker->shade);
    maker->light_key = (struct picture_key){0};
    int status = light_grid_cast(maker->options.team, scene, &maker->shade);
    if (!status) maker->light_key = key;
    return status;
}

static void size_of(const struct view *view, unsigned *width, unsigned *height) {
    *width = view->size[0] ? view->size[0] : VIEW_USUAL_WIDTH;
    *height = view->size[1] ? view->size[1] : VIEW_USUAL_HEIGHT;
}

double picture_aspect(const struct view *view) {
    unsigned width, height;
    size_of(view, &width, &height);
    return (double)width / height;
}

static void look_from(struct picture_maker *maker, const struct view *view, const struct picture_moment *moment, struct scene *scene) {
    double lon, lat, north;
    struct view_camera camera = view->camera;
    const double aspect = picture_aspect(view);
    if (!view->has_camera) camera_frame(&camera, &maker->box, view->exaggeration, aspect);
    camera_matrices(&camera, &maker->box, view->exaggeration, aspect, &scene->matrices);
    basemap_middle(maker->basemap, &lon, &lat, &north);
    light_init(&scene->light, view, picture_seconds(maker, moment), lon, lat, north);
}

int picture_scene(struct picture_maker *maker, const struct view *view, const struct picture_moment *moment, struct scene *scene,
                  struct failure *failure) {
    const double seconds = maker->resolved.times[moment->step].seconds;
    *scene = (struct scene){.box = maker->box, .exaggeration = view->exaggeration, .step = SCENE_FULL_STEP};
    size_of(view, &scene->width, &scene->height);
    look_from(maker, view, moment, scene);
    maker->layer_count = 0;
    int status = add_layers(maker, seconds, VIEW_FORM_VOLUME, failure);
    scene->volume_count = maker->layer_count;
    if (!status) status = add_layers(maker, seconds, VIEW_FORM_GROUND, failure);
    scene->drape_count = maker->layer_count - scene->volume_count;
    const struct brick_camera camera = {scene->matrices, scene->height, view->exaggeration};
    struct picture_key key = maker->domain_key;
    for (size_t n = 0; n < maker->layer_count && !status; n++) {
        struct picture_layer *layer = &maker->layers[n];
        if ((status = bring_layer(maker, moment, layer, &camera, failure))) break;
        const bool volume = n < scene->volume_count;
        *(volume ? &scene->volumes[n] : &scene->drapes[n - scene->volume_count]) = scene_layer_of(layer, moment->blend);
        if (volume) add_layer_key(&key, layer);
    }
    if (status) return status;
    if ((status = picture_slices(maker, moment, scene, failure))) return status;
    if (!maker->options.background) look_ahead(maker, moment);
    status = make_skip(maker, scene, &key);
    if (!status) status = make_shade(maker, scene, key);
    return status ? failure_set(failure, status, "out of memory") : VIRGA_OK;
}

// Of all that lies on the ground or shows in it.
struct picture_key picture_ground_key(const struct picture_maker *maker, const struct scene *scene) {
    struct picture_key key = maker->domain_key;
    const unsigned size[2] = {scene->width, scene->height};
    const struct light *light = &scene->light;
    picture_key_add(&key, size, sizeof size);
    picture_key_add(&key, &scene->matrices, sizeof scene->matrices);
    picture_key_add(&key, &scene->exaggeration, sizeof scene->exaggeration);
    for (size_t n = scene->volume_count; n < maker->layer_count; n++) {
        add_layer_key(&key, &maker->layers[n]);
        picture_key_add(&key, &scene->drapes[n - scene->volume_count].blend, sizeof(double));
    }
    picture_slices_key(maker, &key);
    if (scene->shade) picture_key_add(&key, &maker->light_key, sizeof maker->light_key);
    picture_key_add(&key, light->direction, sizeof light->direction);
    picture_key_add(&key, light->colour, sizeof light->colour);
    picture_key_add(&key, light->ambient, sizeof light->ambient);
    picture_key_add(&key, light->sky_low, sizeof light->sky_low);
    return key;
}
