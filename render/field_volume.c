// SPDX-License-Identifier: Apache-2.0
#include "render/field_volume.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "brick/brick_codec.h"
#include "render/brick_cells.h"

enum { BATCH = 64 };  // bricks decoded at a time

struct field_volumes {
    struct brick_fetch *fetch;
    struct render_team *team;
    size_t memory;
    struct field_volume *list;
    uint64_t clock, version, trimmed;  // volumes used after `trimmed` are in use
    int32_t *q;                        // [thread][BRICK_MAX_VOXELS]
};

static size_t bricks_of(const struct pyramid_level *level) { return (size_t)level->bricks[0] * level->bricks[1] * level->bricks[2]; }

static size_t index_of(const struct pyramid_level *level, uint32_t x, uint32_t y, uint32_t z) {
    return ((size_t)z * level->bricks[1] + y) * level->bricks[0] + x;
}

static void volume_free(struct field_volume *v) {
    if (!v) return;
    for (uint32_t l = 0; l < v->shape.level_count; l++) {
        for (size_t b = 0; v->cells[l] && b < bricks_of(&v->shape.levels[l]); b++) free(v->cells[l][b]);
        free(v->cells[l]);
    }
    brick_volume_free(v->volume);
    step_table_free(v->table);
    free(v);
}

struct field_volumes *field_volumes_new(const struct brick_fetch_options *fetch, struct render_team *team, size_t memory) {
    struct field_volumes *volumes = calloc(1, sizeof *volumes);
    if (!volumes) return NULL;
    volumes->team = team;
    volumes->memory = memory;
    volumes->fetch = brick_fetch_new(fetch);
    volumes->q = calloc(render_team_threads(team), BRICK_MAX_VOXELS * sizeof *volumes->q);
    if (volumes->fetch && volumes->q) return volumes;
    field_volumes_free(volumes);
    return NULL;
}

void field_volumes_free(struct field_volumes *volumes) {
    if (!volumes) return;
    for (struct field_volume *v = volumes->list, *next; v; v = next) {
        next = v->next;
        volume_free(v);
    }
    brick_fetch_free(volumes->fetch);
    free(volumes->q);
    free(volumes);
}

// --- Which fields there are.

static bool is_of(const struct field_volume *v, const struct field_ref *field) {
    return v->field.step == field->step && v->field.member == field->member && !strcmp(v->edition, catalog_step_edition(field));
}

static void recount(struct field_volume *v) {
    v->memory = sizeof *v + step_table_memory(v->table) + brick_volume_memory(v->volume);
    for (uint32_t l = 0; l < v->shape.level_count; l++) {
        v->memory += bricks_of(&v->shape.levels[l]) * sizeof *v->cells[l];
        for (size_t b = 0; b < bricks_of(&v->shape.levels[l]); b++) v->memory += v->cells[l][b] ? sizeof **v->cells[l] : 0;
    }
}

static int volume_new(struct field_volumes *volumes, const struct field_ref *field, struct field_volume **result, struct failure *failure) {
    struct field_volume *v = calloc(1, sizeof *v);
    if (!v) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    v->field = *field;
    memcpy(v->edition, catalog_step_edition(field), sizeof v->edition);
    brick_store_shape(field->dataset, field->variable, &v->shape);
    int status = brick_fetch_table(volumes->fetch, field, &v->table, failure);
    if (!status && (status = brick_volume_new(&v->shape, &v->volume))) failure_set(failure, status, "out of memory");
    for (uint32_t l = 0; !status && l < v->shape.level_count; l++)
        if (!(v->cells[l] = calloc(bricks_of(&v->shape.levels[l]), sizeof *v->cells[l]))) status = failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    if (status) {
        volume_free(v);
        return status;
    }
    v->version = ++volumes->version;
    brick_volume_finish(v->volume, v->table);
    recount(v);
    *result = v;
    return VIRGA_OK;
}

int field_volumes_get(struct field_volumes *volumes, const struct field_ref *field, struct field_volume **result, struct failure *failure) {
    struct field_volume *v = volumes->list;
    while (v && !is_of(v, field)) v = v->next;
    if (!v) {
        int status = volume_new(volumes, field, &v, failure);
        if (status) return status;
        v->next = volumes->list;
        volumes->list = v;
    }
    v->used = ++volumes->clock;
    *result = v;
    return VIRGA_OK;
}

size_t field_volumes_memory(const struct field_volumes *volumes) {
    size_t sum = 0;
    for (const struct field_volume *v = volumes->list; v; v = v->next) sum += v->memory;
    return sum;
}

void field_volumes_trim(struct field_volumes *volumes) {
    size_t held = field_volumes_memory(volumes);
    while (held > volumes->memory) {
        struct field_volume **oldest = NULL;
        for (struct field_volume **v = &volumes->list; *v; v = &(*v)->next)
            if ((*v)->used <= volumes->trimmed && (!oldest || (*v)->used < (*oldest)->used)) oldest = v;
        if (!oldest) break;
        struct field_volume *gone = *oldest;
        *oldest = gone->next;
        held -= gone->memory;
        volume_free(gone);
    }
    volumes->trimmed = volumes->clock;
}

// --- Bricks.

struct decoding {
    struct field_volumes *volumes;
    struct field_volume *volume;
    const struct brick_name *names;
    struct brick_arrival arrivals[BATCH];
    pthread_mutex_t lock;  // guards all below, and the volume's bricks
    int status;
    struct failure failure;
};

static void fail(struct decoding *d, int status, const struct brick_name *b) {
    pthread_mutex_lock(&d->lock);
    if (!d->status)
        d->status = failure_set(&d->failure, status, "brick %u/%u-%u-%u of %s cannot be used: %s", b->level, b->x, b->y, b->z,
                                d->volume->field.dataset->variables[d->volume->field.variable].id, status_name(status));
    pthread_mutex_unlock(&d->lock);
}

static void decode_one(void *argument, size_t index, size_t thread) {
    struct decoding *d = argument;
    struct field_volume *v = d->volume;
    const struct shared_bytes *bytes = d->arrivals[index].bytes;
    const struct brick_name *b = &d->names[d->arrivals[index].index];
    int32_t *q = d->volumes->q + thread * BRICK_MAX_VOXELS;
    struct brick_box box;
    brick_box_init(&box, &v->shape, b->level, b->x, b->y, b->z);
    struct brick_cells *cells = malloc(sizeof *cells);
    int status = cells ? brick_decode(bytes->data, bytes->size, box.size, NULL, q) : VIRGA_NO_MEMORY;
    if (!status) {
        brick_cells_fill(cells, &v->shape, b->level, (uint32_t[3]){b->x, b->y, b->z}, &box, q);
        pthread_mutex_lock(&d->lock);
        status = brick_volume_put(v->volume, b->level, b->x, b->y, b->z, q);
        if (!status) {
            struct brick_cells **slot = &v->cells[b->level][index_of(&v->shape.levels[b->level], b->x, b->y, b->z)];
            free(*slot);
            *slot = cells;
            cells = NULL;
        }
        pthread_mutex_unlock(&d->lock);
    }
    free(cells);
    if (status) fail(d, status, b);
}

// Fetches and decodes; what has come by the time something fails stays.
static int bring(struct field_volumes *volumes, struct field_volume *v, const struct brick_name *names, size_t count, struct failure *failure) {
    struct decoding *d = calloc(1, sizeof *d);
    if (!d) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    d->volumes = volumes;
    d->volume = v;
    d->names = names;
    pthread_mutex_init(&d->lock, NULL);
    brick_fetch_start(volumes->fetch, &v->field, names, count);
    int got;
    while (!d->status && (got = brick_fetch_next(volumes->fetch, d->arrivals, BATCH, &d->failure)) != 0) {
        if (got < 0) {
            d->status = got;
            break;
        }
        render_team_run(volumes->team, (size_t)got, decode_one, d);
        for (int n = 0; n < got; n++) shared_bytes_unref(d->arrivals[n].bytes);
    }
    int status = d->status;
    if (status && failure) *failure = d->failure;
    pthread_mutex_destroy(&d->lock);
    free(d);
    return status;
}

static void drop(struct field_volume *v, uint32_t level, uint32_t x, uint32_t y, uint32_t z) {
    struct brick_cells **slot = &v->cells[level][index_of(&v->shape.levels[level], x, y, z)];
    brick_volume_drop(v->volume, level, x, y, z);
    free(*slot);
    *slot = NULL;
}

// wanted: [all bricks of all levels], level after level.
static bool drop_others(struct field_volume *v, const uint8_t *wanted) {
    bool changed = false;
    size_t at = 0;
    for (uint32_t l = 0; l < v->shape.level_count; l++) {
        const struct pyramid_level *level = &v->shape.levels[l];
        for (uint32_t z = 0; z < level->bricks[2]; z++)
            for (uint32_t y = 0; y < level->bricks[1]; y++)
                for (uint32_t x = 0; x < level->bricks[0]; x++, at++)
                    if (!wanted[at] && v->cells[l][index_of(level, x, y, z)]) {
                        drop(v, l, x, y, z);
                        changed = true;
                    }
    }
    return changed;
}

// What brick_volume_finish would choose for a brick of the finest level if all that is wanted were here is needed.
static void need(const struct field_volume *v, const size_t *start, const uint8_t *wanted, uint32_t x, uint32_t y, uint32_t z, uint8_t *needed) {
    for (uint32_t l = 0; l < v->shape.level_count; l++) {
        const struct pyramid_level *level = &v->shape.levels[l];
        const size_t at = index_of(level, x / level->scale[0], y / level->scale[1], z / level->scale[2]);
        if (v->table->levels[l].entries[at].kind <= BRICK_CONSTANT) return;
        if (!wanted[start[l] + at]) continue;
        needed[start[l] + at] = 1;
        return;
    }
}

// Flags of all bricks of all levels, level after level: those that are chosen and will be read somewhere, as no finer ones are.
static uint8_t *wanted_flags(const struct field_volume *v, const struct brick_choice *choices, size_t count) {
    size_t start[PYRAMID_MAX_LEVELS + 1] = {0};
    const uint32_t *bricks = v->shape.levels[0].bricks;
    for (uint32_t l = 0; l < v->shape.level_count; l++) start[l + 1] = start[l] + bricks_of(&v->shape.levels[l]);
    uint8_t *wanted = calloc(start[v->shape.level_count], 1), *needed = calloc(start[v->shape.level_count], 1);
    for (size_t n = 0; wanted && n < count; n++) {
        const struct brick_choice *c = &choices[n];
        wanted[start[c->level] + index_of(&v->shape.levels[c->level], c->x, c->y, c->z)] = 1;
    }
    for (uint32_t z = 0; wanted && needed && z < bricks[2]; z++)
        for (uint32_t y = 0; y < bricks[1]; y++)
            for (uint32_t x = 0; x < bricks[0]; x++) need(v, start, wanted, x, y, z, needed);
    if (!wanted) {
        free(needed);
        needed = NULL;
    }
    free(wanted);
    return needed;
}

static bool is_wanted(const struct field_volume *v, const uint8_t *wanted, const struct brick_choice *c) {
    size_t at = index_of(&v->shape.levels[c->level], c->x, c->y, c->z);
    for (uint32_t l = 0; l < c->level; l++) at += bricks_of(&v->shape.levels[l]);
    return wanted[at];
}

int field_volumes_fill(struct field_volumes *volumes, struct field_volume *v, const struct brick_choice *choices, size_t count,
                       struct failure *failure) {
    uint8_t *wanted = wanted_flags(v, choices, count);
    struct brick_name *names = calloc(count + 1, sizeof *names);
    size_t lacking = 0;
    int status = wanted && names ? VIRGA_OK : failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    if (!status) {
        bool changed = drop_others(v, wanted);
        for (size_t n = 0; n < count; n++) {
            const struct brick_choice *c = &choices[n];
            if (is_wanted(v, wanted, c) && !v->cells[c->level][index_of(&v->shape.levels[c->level], c->x, c->y, c->z)]) names[lacking++] = (struct brick_name){c->level, c->x, c->y, c->z};
        }
        if (lacking) status = bring(volumes, v, names, lacking, failure);
        if (changed || lacking) {
            brick_volume_finish(v->volume, v->table);
            v->version = ++volumes->version;
            recount(v);
        }
    }
    free(wanted);
    free(names);
    return status;
}

void field_volumes_ahead(struct field_volumes *volumes, const struct field_volume *like, size_t step) {
    struct field_ref field = like->field;
    struct brick_name *names = NULL;
    size_t total = 0, count = 0;
    field.step = step;
    for (uint32_t l = 0; l < like->shape.level_count; l++) total += bricks_of(&like->shape.levels[l]);
    if (!(names = calloc(total, sizeof *names))) return;  // then it comes later
    for (uint32_t l = like->shape.level_count; l-- > 0;) {
        const struct pyramid_level *level = &like->shape.levels[l];
        for (uint32_t z = 0; z < level->bricks[2]; z++)
            for (uint32_t y = 0; y < level->bricks[1]; y++)
                for (uint32_t x = 0; x < level->bricks[0]; x++)
                    if (like->cells[l][index_of(level, x, y, z)]) names[count++] = (struct brick_name){l, x, y, z};
    }
    brick_fetch_ahead(volumes->fetch, &field, names, count);
    free(names);
}

void field_volumes_ahead_stop(struct field_volumes *volumes) { brick_fetch_ahead_stop(volumes->fetch); }

// --- Cells.

struct looking {
    const struct field_volume *v;
    void (*each)(const void *user, size_t cell, int32_t lowest, int32_t highest);  // lowest > highest: nothing is there
    const void *user;
    uint32_t count[3];  // cells of the whole volume
};

static uint32_t cell_in(uint32_t cell, uint32_t scale, uint32_t brick, uint32_t count) {
    const uint32_t at = cell / scale - BRICK_CELLS * brick;
    return at < count ? at : count - 1;
}

// The cells of a brick of the finest level, from the brick that is read there.
static void look_at(const struct looking *l, uint32_t x, uint32_t y, uint32_t z) {
    const struct field_volume *v = l->v;
    const uint32_t level = brick_volume_level(v->volume, x, y, z), *scale = v->shape.levels[level].scale;
    const uint32_t b[3] = {x / scale[0], y / scale[1], z / scale[2]};
    const struct step_table_entry *entry = step_table_at(v->table, level, b[0], b[1], b[2]);
    const bool missing = entry->kind == BRICK_MISSING;
    const struct brick_cells *cells = entry->kind > BRICK_CONSTANT ? v->cells[level][index_of(&v->shape.levels[level], b[0], b[1], b[2])] : NULL;
    for (uint32_t cz = BRICK_CELLS * z; cz < BRICK_CELLS * (z + 1) && cz < l->count[2]; cz++)
        for (uint32_t cy = BRICK_CELLS * y; cy < BRICK_CELLS * (y + 1) && cy < l->count[1]; cy++)
            for (uint32_t cx = BRICK_CELLS * x; cx < BRICK_CELLS * (x + 1) && cx < l->count[0]; cx++) {
                int32_t low = missing ? 1 : entry->lowest, high = missing ? 0 : entry->highest;
                if (cells) {
                    const uint32_t at = (cell_in(cz, scale[2], b[2], cells->count[2]) * cells->count[1] + cell_in(cy, scale[1], b[1], cells->count[1])) * cells->count[0] +
                                        cell_in(cx, scale[0], b[0], cells->count[0]);
                    low = cells->low[at], high = cells->high[at];
                }
                l->each(l->user, ((size_t)cz * l->count[1] + cy) * l->count[0] + cx, low, high);
            }
}

static void look(struct looking *l) {
    const struct pyramid_level *finest = &l->v->shape.levels[0];
    for (int axis = 0; axis < 3; axis++) l->count[axis] = (finest->n[axis] + CELL_SIDE - 1) / CELL_SIDE;
    for (uint32_t z = 0; z < finest->bricks[2]; z++)
        for (uint32_t y = 0; y < finest->bricks[1]; y++)
            for (uint32_t x = 0; x < finest->bricks[0]; x++) look_at(l, x, y, z);
}

struct showing { brick_shows shows; const void *user; uint8_t *visible; };

static void show(const void *user, size_t cell, int32_t lowest, int32_t highest) {
    const struct showing *s = user;
    if (lowest <= highest && s->shows(s->user, lowest, highest)) s->visible[cell] = 1;
}

void field_volume_visible(const struct field_volume *v, brick_shows shows, const void *user, uint8_t *visible) {
    const struct showing showing = {shows, user, visible};
    look(&(struct looking){.v = v, .each = show, .user = &showing});
}

struct spanning { int32_t *low, *high; };

static void span(const void *user, size_t cell, int32_t lowest, int32_t highest) {
    const struct spanning *s = user;
    s->low[cell] = lowest, s->high[cell] = highest;
}

void field_volume_ranges(const struct field_volume *v, int32_t *low, int32_t *high) {
    const struct spanning spanning = {low, high};
    look(&(struct looking){.v = v, .each = span, .user = &spanning});
}
