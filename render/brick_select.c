// SPDX-License-Identifier: Apache-2.0
#include "render/brick_select.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "render/scene_axis.h"

struct span { double low, high; };

struct brick_places {
    struct pyramid_shape shape;
    struct span *spans[PYRAMID_MAX_LEVELS][3];  // [level][axis][brick]: X and Y in scene km, Z in metres above the datum
};

// Level-0 indices between which a brick lies, held inside the grid.
static struct span indices_of(const struct pyramid_shape *shape, uint32_t level, int axis, uint32_t b) {
    const struct pyramid_level *l = &shape->levels[level];
    const double last = (double)shape->levels[0].n[axis] - 1, scale = l->scale[axis];
    const double from = (double)b * BRICK_CORE, to = fmin(from + BRICK_CORE, l->n[axis]);
    return (struct span){fmin(last, fmax(0, from * scale - 0.5)), fmin(last, fmax(0, to * scale - 0.5))};
}

static void fill_spans(struct brick_places *places, const struct grid *grid, const struct level_reach *reach, uint32_t level, int axis) {
    for (uint32_t b = 0; b < places->shape.levels[level].bricks[axis]; b++) {
        const struct span at = indices_of(&places->shape, level, axis, b);
        struct span *span = &places->spans[level][axis][b];
        if (axis < 2) {
            *span = (struct span){scene_axis_km(grid, axis, at.low), scene_axis_km(grid, axis, at.high)};
            continue;
        }
        double low[2], high[2];
        level_reach_level(reach, at.low, low);
        level_reach_level(reach, at.high, high);
        *span = (struct span){low[0], high[1]};
    }
}

int brick_places_new(const struct grid *grid, const struct level_reach *reach, const struct pyramid_shape *shape, struct brick_places **result) {
    struct brick_places *places = calloc(1, sizeof *places);
    *result = NULL;
    if (!places) return VIRGA_NO_MEMORY;
    places->shape = *shape;
    for (uint32_t l = 0; l < shape->level_count; l++)
        for (int axis = 0; axis < 3; axis++) {
            if (!(places->spans[l][axis] = calloc(shape->levels[l].bricks[axis], sizeof **places->spans[l]))) {
                brick_places_free(places);
                return VIRGA_NO_MEMORY;
            }
            fill_spans(places, grid, reach, l, axis);
        }
    *result = places;
    return VIRGA_OK;
}

void brick_places_free(struct brick_places *places) {
    if (!places) return;
    for (uint32_t l = 0; l < places->shape.level_count; l++)
        for (int axis = 0; axis < 3; axis++) free(places->spans[l][axis]);
    free(places);
}

// --- What a camera sees of a brick.

struct look { bool inside; double pixels, centre; };

static struct look look_at(const struct brick_places *places, const struct brick_camera *camera, uint32_t level, const uint32_t b[3]) {
    const struct pyramid_level *l = &places->shape.levels[level];
    const double *m = camera->matrices.all, *eye = camera->matrices.eye;
    struct span s[3];
    for (int axis = 0; axis < 3; axis++) s[axis] = places->spans[level][axis][b[axis]];
    s[2] = (struct span){s[2].low / 1000 * camera->exaggeration, s[2].high / 1000 * camera->exaggeration};
    int outside[6] = {0};
    double centre = INFINITY, away = 0;
    for (int corner = 0; corner < 8; corner++) {
        double p[3], clip[4];
        for (int axis = 0; axis < 3; axis++) p[axis] = corner >> axis & 1 ? s[axis].high : s[axis].low;
        for (int r = 0; r < 4; r++) clip[r] = m[r] * p[0] + m[4 + r] * p[1] + m[8 + r] * p[2] + m[12 + r];
        for (int axis = 0; axis < 3; axis++) {
            outside[2 * axis] += clip[axis] < -clip[3];
            outside[2 * axis + 1] += clip[axis] > clip[3];
        }
        if (clip[3] > 0) centre = fmin(centre, hypot(clip[0] / clip[3], clip[1] / clip[3]));
    }
    struct look look = {.inside = true, .centre = fmin(centre, 4)};
    for (int side = 0; side < 6; side++) look.inside = look.inside && outside[side] < 8;
    for (int axis = 0; axis < 3; axis++) {
        const double beyond = fmax(fmax(s[axis].low - eye[axis], 0), eye[axis] - s[axis].high);
        away += beyond * beyond;
    }
    double spacing = -INFINITY;
    for (int axis = 0; axis < 2; axis++) {
        const double cells = fmax(1, fmin(BRICK_CORE, l->n[axis]) - 1);
        spacing = fmax(spacing, (s[axis].high - s[axis].low) / cells);
    }
    look.pixels = spacing * camera->matrices.projection[5] * camera->height / 2 / fmax(sqrt(away), 1e-6);
    return look;
}

// --- From the coarsest level down.

struct selection {
    const struct brick_places *places;
    const struct step_table *table;
    const struct brick_camera *camera;
    brick_shows shows;
    const void *user;
    struct brick_choice *choices;
    size_t count, room;
};

static int choose(struct selection *s, const struct brick_choice *choice) {
    struct brick_choice *more = memory_one_more(s->choices, s->count, &s->room, sizeof *more);
    if (!more) return VIRGA_NO_MEMORY;
    s->choices = more;
    s->choices[s->count] = *choice;
    s->choices[s->count].order = s->count;
    s->count++;
    return VIRGA_OK;
}

static int visit(struct selection *s, uint32_t level, const uint32_t b[3]) {
    const struct pyramid_shape *shape = &s->places->shape;
    const struct step_table_entry *entry = step_table_at(s->table, level, b[0], b[1], b[2]);
    const bool coarsest = level == shape->level_count - 1;
    if (entry->kind == BRICK_MISSING) return VIRGA_OK;
    const bool seen = s->shows(s->user, entry->lowest, entry->highest);
    if (!seen && !coarsest) return VIRGA_OK;
    const struct look look = look_at(s->places, s->camera, level, b);
    if (!look.inside && !coarsest) return VIRGA_OK;
    const struct brick_choice choice = {level, b[0], b[1], b[2], coarsest, coarsest ? INFINITY : look.pixels / (1 + look.centre), 0};
    if (entry->kind > BRICK_CONSTANT && choose(s, &choice)) return VIRGA_NO_MEMORY;
    if (level == 0 || !seen || !look.inside || look.pixels <= BRICK_SELECT_VOXEL_PIXELS) return VIRGA_OK;
    const struct pyramid_level *here = &shape->levels[level], *finer = here - 1;
    uint32_t from[3], to[3], c[3];
    for (int axis = 0; axis < 3; axis++) {
        const uint32_t ratio = here->scale[axis] / finer->scale[axis];
        from[axis] = b[axis] * ratio;
        to[axis] = from[axis] + ratio < finer->bricks[axis] ? from[axis] + ratio : finer->bricks[axis];
    }
    for (c[2] = from[2]; c[2] < to[2]; c[2]++)
        for (c[1] = from[1]; c[1] < to[1]; c[1]++)
            for (c[0] = from[0]; c[0] < to[0]; c[0]++)
                if (visit(s, level - 1, c)) return VIRGA_NO_MEMORY;
    return VIRGA_OK;
}

static int most_wanted_first(const void *a, const void *b) {
    const struct brick_choice *x = a, *y = b;
    if (x->level != y->level) return x->level > y->level ? -1 : 1;
    if (x->priority > y->priority || x->priority < y->priority) return x->priority > y->priority ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

int brick_select(const struct brick_places *places, const struct step_table *table, const struct brick_camera *camera, brick_shows shows,
                 const void *user, struct brick_choice **choices, size_t *count) {
    struct selection s = {.places = places, .table = table, .camera = camera, .shows = shows, .user = user};
    const uint32_t last = places->shape.level_count - 1, *bricks = places->shape.levels[last].bricks;
    uint32_t b[3];
    int status = VIRGA_OK;
    for (b[2] = 0; b[2] < bricks[2]; b[2]++)
        for (b[1] = 0; b[1] < bricks[1]; b[1]++)
            for (b[0] = 0; b[0] < bricks[0] && !status; b[0]++) status = visit(&s, last, b);
    *choices = NULL;
    *count = 0;
    if (status) {
        free(s.choices);
        return status;
    }
    if (s.count) qsort(s.choices, s.count, sizeof *s.choices, most_wanted_first);
    *choices = s.choices;
    *count = s.count;
    return VIRGA_OK;
}

static size_t with_bytes(const struct step_table_level *level) {
    size_t count = 0;
    for (size_t n = 0; n < (size_t)level->bricks[0] * level->bricks[1] * level->bricks[2]; n++) count += level->entries[n].kind > BRICK_CONSTANT;
    return count;
}

int brick_select_all(const struct step_table *table, size_t most, struct brick_choice **choices, size_t *count) {
    uint32_t l = 0;
    while (l + 1 < table->level_count && with_bytes(&table->levels[l]) > most) l++;
    const struct step_table_level *level = &table->levels[l];
    struct brick_choice *list = calloc(with_bytes(level) + 1, sizeof *list);
    *choices = list;
    *count = 0;
    if (!list) return VIRGA_NO_MEMORY;
    size_t at = 0;
    for (uint32_t z = 0; z < level->bricks[2]; z++)
        for (uint32_t y = 0; y < level->bricks[1]; y++)
            for (uint32_t x = 0; x < level->bricks[0]; x++, at++)
                if (level->entries[at].kind > BRICK_CONSTANT) list[(*count)++] = (struct brick_choice){l, x, y, z, l + 1 == table->level_count, INFINITY, at};
    return VIRGA_OK;
}
