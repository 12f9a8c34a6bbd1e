// SPDX-License-Identifier: Apache-2.0
#include "server/session.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "server/layer_memory.h"

enum stage_kind { STAGE_COARSE, STAGE_VISIBLE, STAGE_REFINE };
enum { MAX_STAGES = 3 * (1 + VIEW_MAX_AHEAD), NO_STAGE = INT_MAX };

struct pending {
    bool used, ready;
    uint32_t slot, level, x, y, z;
    size_t ahead;
    bool refinement;
};

struct session {
    struct session_calls calls;
    struct session_scratch *scratch;
    bool active;
    struct session_interest interest;
    struct view_frustum frustum;
    struct layer_memory *layers[VIEW_MAX_LAYERS];
    struct layer_slot *window[VIEW_MAX_LAYERS][1 + VIEW_MAX_AHEAD];  // NULL where the layer has no such step
    uint64_t interests;
    uint32_t last_serial;
    size_t in_flight;
    struct pending pending[SESSION_MAX_PENDING];
    size_t pending_count;
    // Where the order has got to.
    int stage, blocked;  // blocked: the first stage that waits for a table or boxes
    bool loaded, more, degraded, finished;
    uint64_t cost[MAX_STAGES];
    struct view_brick *queue;
    size_t queue_count, queue_at, queue_room;
};

int session_scratch_init(struct session_scratch *scratch, size_t capacity) {
    scratch->items = malloc(capacity * sizeof *scratch->items);
    scratch->capacity = scratch->items ? capacity : 0;
    return scratch->items ? VIRGA_OK : VIRGA_NO_MEMORY;
}

void session_scratch_destroy(struct session_scratch *scratch) {
    free(scratch->items);
    *scratch = (struct session_scratch){0};
}

struct session *session_new(const struct session_calls *calls, struct session_scratch *scratch) {
    struct session *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->calls = *calls;
    s->scratch = scratch;
    return s;
}

// Slots and what is asked for them.

static void forget_pending(struct session *s, size_t i) {
    s->pending[i].used = false;
    s->pending_count--;
}

static void cancel_pending(struct session *s, const struct layer_slot *slot) {
    for (size_t i = 0; i < SESSION_MAX_PENDING; i++) {
        struct pending *p = &s->pending[i];
        if (!p->used || p->slot != slot->serial) continue;
        if (!p->ready) s->calls.cancel(s->calls.user, p->slot, p->level, p->x, p->y, p->z);
        forget_pending(s, i);
    }
}

static void leave_window(struct session *s, const struct layer_memory *layer, struct layer_slot *slot) {
    cancel_pending(s, slot);
    layer_slot_clear(layer, slot, SLOT_PENDING);
    if (slot->field) s->calls.release(s->calls.user, slot->field);
    slot->field = NULL;
    slot->in_window = false;
}

static void drop_slot(struct session *s, const struct layer_memory *layer, struct layer_slot *slot) {
    leave_window(s, layer, slot);
    layer_slot_empty(slot);
}

static void leave_windows(struct session *s, struct layer_memory *layer) {
    for (size_t i = 0; i < SESSION_MAX_SLOTS; i++)
        if (layer->slots[i].used) leave_window(s, layer, &layer->slots[i]);
}

static void free_layer(struct session *s, struct layer_memory *layer) {
    if (layer) leave_windows(s, layer);
    layer_memory_free(layer);
}

void session_free(struct session *s) {
    if (!s) return;
    for (size_t i = 0; i < VIEW_MAX_LAYERS; i++) free_layer(s, s->layers[i]);
    free(s->queue);
    free(s);
}

static struct layer_slot *find_serial(struct session *s, uint32_t serial, struct layer_memory **layer) {
    for (size_t l = 0; l < VIEW_MAX_LAYERS; l++) {
        struct layer_slot *slot = s->layers[l] ? layer_memory_serial(s->layers[l], serial) : NULL;
        if (!slot) continue;
        *layer = s->layers[l];
        return slot;
    }
    return NULL;
}

// Interests.

static bool in_window(const struct session_layer *layer, size_t ahead, uint32_t step) {
    if (layer->before == (int64_t)step) return true;
    for (size_t d = 0; d <= ahead; d++)
        if (layer->steps[d] == (int64_t)step) return true;
    return false;
}

// Keeps the memories of layers that are wanted again, in their new places; frees the others.
static int move_layers(struct session *s, const struct session_interest *interest) {
    struct layer_memory *old[VIEW_MAX_LAYERS];
    int status = VIRGA_OK;
    memcpy(old, s->layers, sizeof old);
    memset(s->layers, 0, sizeof s->layers);
    for (size_t l = 0; l < interest->layer_count; l++)
        for (size_t o = 0; o < VIEW_MAX_LAYERS && !s->layers[l] && !interest->forget; o++)
            if (old[o] && !strcmp(old[o]->identity, interest->layers[l].identity)) {
                s->layers[l] = old[o];
                old[o] = NULL;
            }
    for (size_t o = 0; o < VIEW_MAX_LAYERS; o++) free_layer(s, old[o]);
    for (size_t l = 0; l < interest->layer_count; l++) {
        if (!s->layers[l]) s->layers[l] = layer_memory_new(&interest->layers[l]);
        if (!s->layers[l]) status = VIRGA_NO_MEMORY;
    }
    return status;
}

static void leave_behind(struct session *s, size_t l) {
    struct layer_memory *layer = s->layers[l];
    const struct session_layer *wanted = &s->interest.layers[l];
    for (size_t i = 0; i < SESSION_MAX_SLOTS; i++) {
        struct layer_slot *slot = &layer->slots[i];
        if (!slot->used) continue;
        bool near = in_window(wanted, s->interest.ahead, slot->step);
        if (!near && !s->interest.keep) drop_slot(s, layer, slot);
        else if (!near || wanted->before == (int64_t)slot->step) leave_window(s, layer, slot);
        else layer_slot_clear(layer, slot, SLOT_FAILED);
    }
}

// What was sent of a step whose data are others now is worth nothing.
static struct layer_slot *take_slot(struct session *s, struct layer_memory *layer, uint32_t step, uint64_t name) {
    struct layer_slot *slot = layer_memory_step(layer, step);
    if (slot && slot->name == name) return slot;
    if (slot) drop_slot(s, layer, slot);
    slot = layer_memory_spare(layer);
    if (!slot) return NULL;  // cannot be: the window is smaller than the slots
    if (slot->used) drop_slot(s, layer, slot);
    return layer_slot_begin(layer, slot, step, name, ++s->last_serial) ? NULL : slot;
}

static int enter_window(struct session *s, size_t l) {
    for (size_t d = 0; d <= s->interest.ahead; d++) {
        int64_t step = s->interest.layers[l].steps[d];
        if (step < 0) continue;
        struct layer_slot *slot = take_slot(s, s->layers[l], (uint32_t)step, s->interest.layers[l].names[d]);
        if (!slot) return VIRGA_NO_MEMORY;
        slot->in_window = true;
        slot->last_wanted = s->interests;
        slot->given_up = false;
        if (slot->field) s->calls.keep(s->calls.user, slot->field, d);
        else if (d == 0) slot->field = s->calls.get(s->calls.user, (uint32_t)l, slot->step, d);
        if (!slot->field && d == 0) return VIRGA_NO_MEMORY;
        s->window[l][d] = slot;
    }
    return VIRGA_OK;
}

// The steps ahead are asked for once the step in view is here: what makes it has the processors to itself.
static void look_ahead(struct session *s) {
    for (size_t l = 0; l < s->interest.layer_count; l++)
        if (s->window[l][0] && s->window[l][0]->field->state == FIELD_LOADING) return;
    for (size_t d = 1; d <= s->interest.ahead; d++)
        for (size_t l = 0; l < s->interest.layer_count; l++) {
            struct layer_slot *slot = s->window[l][d];
            if (!slot || slot->field || slot->given_up) continue;
            slot->field = s->calls.get(s->calls.user, (uint32_t)l, slot->step, d);
            slot->given_up = !slot->field;
        }
}

static bool is_loading(const struct layer_slot *slot) { return slot->field ? slot->field->state == FIELD_LOADING : !slot->given_up; }
static bool has_failed(const struct layer_slot *slot) { return slot->field ? slot->field->state == FIELD_FAILED : slot->given_up; }

static void start_over(struct session *s) {
    s->stage = 0;
    s->blocked = NO_STAGE;
    s->loaded = s->more = s->degraded = s->finished = false;
    s->queue_count = s->queue_at = 0;
    memset(s->cost, 0, sizeof s->cost);
}

void session_clear(struct session *s, uint32_t generation) {
    for (size_t l = 0; l < VIEW_MAX_LAYERS; l++) {
        free_layer(s, s->layers[l]);
        s->layers[l] = NULL;
    }
    memset(s->window, 0, sizeof s->window);
    s->active = false;
    s->interest.generation = generation;
    start_over(s);
}

void session_let_go(struct session *s) {
    for (size_t l = 0; l < VIEW_MAX_LAYERS; l++)
        if (s->layers[l]) leave_windows(s, s->layers[l]);
    memset(s->window, 0, sizeof s->window);
    s->active = false;
    start_over(s);
}

int session_set_interest(struct session *s, const struct session_interest *interest) {
    memset(s->window, 0, sizeof s->window);
    s->interests++;
    int status = move_layers(s, interest);
    s->interest = *interest;
    if (s->interest.ahead > VIEW_MAX_AHEAD) s->interest.ahead = VIEW_MAX_AHEAD;
    view_frustum_init(&s->frustum, &interest->camera);
    for (size_t l = 0; l < interest->layer_count && !status; l++) leave_behind(s, l);
    for (size_t l = 0; l < interest->layer_count && !status; l++) status = enter_window(s, l);
    start_over(s);
    s->active = !status;
    if (status) session_clear(s, interest->generation);
    else look_ahead(s);
    return status;
}

uint32_t session_generation(const struct session *s) { return s->interest.generation; }

static struct layer_slot *find_step(struct layer_memory *layer, const char *variable, uint32_t step) {
    return layer && !strcmp(layer->variable, variable) ? layer_memory_step(layer, step) : NULL;
}

void session_drop_step(struct session *s, const char *variable, uint32_t step) {
    for (size_t l = 0; l < VIEW_MAX_LAYERS; l++) {
        struct layer_slot *slot = find_step(s->layers[l], variable, step);
        if (!slot) continue;
        if (!slot->in_window) {
            drop_slot(s, s->layers[l], slot);
            continue;
        }
        layer_slot_clear(s->layers[l], slot, SLOT_SENT);
        slot->told = SLOT_UNTOLD;
    }
}

void session_drop_brick(struct session *s, const char *variable, uint32_t step, uint32_t level, uint32_t x, uint32_t y, uint32_t z) {
    for (size_t l = 0; l < VIEW_MAX_LAYERS; l++) {
        struct layer_slot *slot = find_step(s->layers[l], variable, step);
        struct brick_key key = {.level = level, .x = x, .y = y, .z = z};
        if (slot && brick_key_inside(&key, &s->layers[l]->shape))
            layer_slot_mark(s->layers[l], slot, SLOT_SENT, level, x, y, z, false);
    }
}

// Credits.

void session_ack(struct session *s, uint64_t bytes) { s->in_flight -= bytes < s->in_flight ? (size_t)bytes : s->in_flight; }
size_t session_in_flight(const struct session *s) { return s->in_flight; }
size_t session_credit(const struct session *s) { return s->in_flight < SESSION_WINDOW ? SESSION_WINDOW - s->in_flight : 0; }
size_t session_pending(const struct session *s) { return s->pending_count; }

size_t session_memory(const struct session *s) {
    size_t bytes = sizeof *s + s->queue_room * sizeof *s->queue;
    for (size_t l = 0; l < VIEW_MAX_LAYERS; l++)
        if (s->layers[l]) bytes += layer_memory_bytes(s->layers[l]);
    return bytes;
}

// The order.

static int stage_count(const struct session *s) { return 3 + 3 * (int)s->interest.ahead; }

static enum stage_kind stage_kind(const struct session *s, int stage, size_t *d) {
    int n = (int)s->interest.ahead;
    *d = 0;
    if (stage < 2) return stage == 0 ? STAGE_COARSE : STAGE_VISIBLE;
    if (stage < 2 + n) return *d = (size_t)(stage - 1), STAGE_COARSE;
    if (stage < 2 + 2 * n) return *d = (size_t)(stage - 1 - n), STAGE_VISIBLE;
    *d = (size_t)(stage - 2 - 2 * n);
    return STAGE_REFINE;
}

static void block(struct session *s) {
    if (s->stage < s->blocked) s->blocked = s->stage;
}

static void select_layer(struct session *s, enum stage_kind kind, size_t l, size_t d, struct view_list *list) {
    struct layer_slot *slot = s->window[l][d];
    if (!slot || has_failed(slot)) return;
    if (is_loading(slot) || slot->told != SLOT_TABLE_SENT) {
        if (kind == STAGE_COARSE || is_loading(slot)) block(s);
        return;
    }
    const struct session_layer *layer = &s->interest.layers[l];
    struct view_frustum whole = {.whole = true, .exaggeration = 1};
    const struct view_frustum *frustum = &s->frustum;
    if (!frustum->whole && !slot->field->boxes && kind != STAGE_COARSE) {
        if (!slot->field->without_boxes) {
            block(s);
            return;
        }
        frustum = &whole;
    }
    struct view_field field = {.shape = &layer->shape, .table = slot->field->table, .boxes = slot->field->boxes, .curve = &layer->curve,
                               .v0 = layer->v0, .step = layer->step, .layer = (uint8_t)l, .max_level = s->interest.max_level};
    if (kind == STAGE_COARSE) view_select_coarsest(frustum, &field, list);
    else if (kind == STAGE_VISIBLE) view_select_visible(frustum, &field, 2, INFINITY, list);
    else view_select_visible(frustum, &field, 1, 2, list);
}

// Bricks that this stage may have within the budget.
static size_t stage_allowance(const struct session *s, size_t d) {
    uint64_t share = s->interest.playing ? s->interest.budget / (s->interest.ahead + 1) : s->interest.budget, used = 0;
    for (int stage = 0; stage < s->stage; stage++) {
        size_t of;
        stage_kind(s, stage, &of);
        if (!s->interest.playing || of == d) used += s->cost[stage];
    }
    uint64_t left = share > used ? (share - used) / SESSION_BRICK_COST : 0;
    return left > SIZE_MAX ? SIZE_MAX : (size_t)left;
}

static bool to_be_sent(const struct session *s, const struct view_brick *b, size_t d) {
    const struct layer_memory *layer = s->layers[b->layer];
    const struct layer_slot *slot = s->window[b->layer][d];
    for (enum slot_bit bit = 0; bit < SLOT_BITS; bit++)
        if (layer_slot_has(layer, slot, bit, b->level, b->x, b->y, b->z)) return false;
    return true;
}

static bool queue_room(struct session *s, size_t wanted) {
    if (wanted > SESSION_QUEUE) wanted = SESSION_QUEUE;
    if (wanted <= s->queue_room) return true;
    struct view_brick *queue = realloc(s->queue, wanted * sizeof *queue);
    if (!queue) return s->queue_room > 0;
    s->queue = queue;
    s->queue_room = wanted;
    return true;
}

static void load_stage(struct session *s) {
    size_t d;
    enum stage_kind kind = stage_kind(s, s->stage, &d);
    struct view_list list = {.items = s->scratch->items, .capacity = s->scratch->capacity};
    for (size_t l = 0; l < s->interest.layer_count; l++) select_layer(s, kind, l, d, &list);
    view_list_sort(&list);
    size_t allowed = kind == STAGE_COARSE ? list.count : stage_allowance(s, d);
    if (list.count > allowed || list.overflowed) s->degraded = true;
    if (list.count > allowed) list.count = allowed;
    s->cost[s->stage] = (uint64_t)list.count * SESSION_BRICK_COST;
    s->queue_count = s->queue_at = 0;
    s->loaded = true;
    s->more = false;
    if (!queue_room(s, list.count)) return;
    for (size_t i = 0; i < list.count; i++) {
        if (!to_be_sent(s, &list.items[i], d)) continue;
        if (s->queue_count == s->queue_room) {
            s->more = true;
            break;
        }
        s->queue[s->queue_count++] = list.items[i];
    }
}

void session_field_changed(struct session *s) {
    if (s->active) look_ahead(s);
    if (s->blocked > s->stage) return;
    s->stage = s->blocked;
    s->blocked = NO_STAGE;
    s->loaded = false;
}

static void name_slot(const struct session *s, struct session_action *action, enum session_action_kind kind, uint32_t layer, size_t d) {
    const struct layer_slot *slot = s->window[layer][d];
    action->kind = kind;
    action->layer = layer;
    action->step = slot->step;
    action->field = slot->field;
    action->slot = slot->serial;
    action->ahead = d;
}

// A step whose table is here and was not sent.
static bool next_table(const struct session *s, size_t d, struct session_action *action) {
    for (uint32_t l = 0; l < s->interest.layer_count; l++) {
        const struct layer_slot *slot = s->window[l][d];
        if (!slot || !slot->field || slot->field->state != FIELD_READY || slot->told == SLOT_TABLE_SENT) continue;
        name_slot(s, action, slot->told == SLOT_UNTOLD ? SESSION_ANNOUNCE : SESSION_TABLE, l, d);
        return true;
    }
    return false;
}

static bool name_returned(struct session *s, const struct pending *p, struct session_action *action) {
    for (uint32_t l = 0; l < s->interest.layer_count; l++)
        for (size_t d = 0; d <= s->interest.ahead; d++)
            if (s->window[l][d] && s->window[l][d]->serial == p->slot) {
                name_slot(s, action, SESSION_BRICK, l, d);
                action->level = p->level;
                action->x = p->x;
                action->y = p->y;
                action->z = p->z;
                action->refinement = p->refinement;
                return true;
            }
    return false;
}

// A brick that was pending and has come.
static bool next_returned(struct session *s, struct session_action *action) {
    for (size_t i = 0; i < SESSION_MAX_PENDING; i++) {
        struct pending *p = &s->pending[i];
        if (!p->used || !p->ready) continue;
        if (name_returned(s, p, action)) return true;
        forget_pending(s, i);
    }
    return false;
}

static bool next_queued(struct session *s, struct session_action *action, enum stage_kind kind, size_t d) {
    for (; s->queue_at < s->queue_count; s->queue_at++) {
        const struct view_brick *b = &s->queue[s->queue_at];
        if (!to_be_sent(s, b, d)) continue;
        name_slot(s, action, SESSION_BRICK, b->layer, d);
        action->level = b->level;
        action->x = b->x;
        action->y = b->y;
        action->z = b->z;
        action->refinement = kind == STAGE_REFINE;
        return true;
    }
    return false;
}

// The first glance is not complete: a coarsest brick of the step in view is still being made.
static bool glance_pending(const struct session *s) {
    for (size_t i = 0; i < SESSION_MAX_PENDING; i++)
        for (size_t l = 0; s->pending[i].used && l < s->interest.layer_count; l++) {
            const struct layer_slot *slot = s->window[l][0];
            if (slot && slot->serial == s->pending[i].slot && s->pending[i].level + 1 == s->interest.layers[l].shape.level_count) return true;
        }
    return false;
}

void session_next(struct session *s, struct session_action *action) {
    *action = (struct session_action){.kind = SESSION_WAIT};
    if (!s->active) return;
    if (next_returned(s, action)) return;
    while (s->stage < stage_count(s)) {
        size_t d;
        enum stage_kind kind = stage_kind(s, s->stage, &d);
        if (kind == STAGE_COARSE && next_table(s, d, action)) return;
        if (s->pending_count == SESSION_MAX_PENDING) return;
        if (!s->loaded) load_stage(s);
        if (next_queued(s, action, kind, d)) return;
        s->loaded = false;
        if (s->stage == 0 && glance_pending(s)) return;  // nothing finer may overtake it
        if (!s->more) s->stage++;
    }
    if (s->finished || s->pending_count || s->blocked != NO_STAGE) return;
    s->finished = true;
    action->kind = SESSION_FINISHED;
    action->degraded = s->degraded;
}

// Answers.

void session_announced(struct session *s, const struct session_action *action) {
    struct layer_memory *layer = NULL;
    struct layer_slot *slot = find_serial(s, action->slot, &layer);
    if (slot && slot->told == SLOT_UNTOLD) slot->told = SLOT_ANNOUNCED;
}

void session_table_sent(struct session *s, const struct session_action *action, size_t bytes) {
    struct layer_memory *layer = NULL;
    struct layer_slot *slot = find_serial(s, action->slot, &layer);
    if (slot) slot->told = SLOT_TABLE_SENT;
    s->in_flight += bytes;
    s->loaded = false;  // the coarsest bricks can be chosen now
}

static size_t find_pending(const struct session *s, uint32_t slot, uint32_t level, uint32_t x, uint32_t y, uint32_t z) {
    size_t i = 0;
    for (; i < SESSION_MAX_PENDING; i++) {
        const struct pending *p = &s->pending[i];
        if (p->used && p->slot == slot && p->level == level && p->x == x && p->y == y && p->z == z) break;
    }
    return i;
}

// What was pending has been answered, one way or another.
static void settle(struct session *s, const struct session_action *a, enum slot_bit mark) {
    struct layer_memory *layer = NULL;
    struct layer_slot *slot = find_serial(s, a->slot, &layer);
    size_t i = find_pending(s, a->slot, a->level, a->x, a->y, a->z);
    if (i < SESSION_MAX_PENDING) forget_pending(s, i);
    if (!slot) return;
    layer_slot_mark(layer, slot, SLOT_PENDING, a->level, a->x, a->y, a->z, false);
    layer_slot_mark(layer, slot, mark, a->level, a->x, a->y, a->z, true);
}

void session_brick_sent(struct session *s, const struct session_action *action, size_t bytes) {
    settle(s, action, SLOT_SENT);
    s->in_flight += bytes;
}

void session_brick_failed(struct session *s, const struct session_action *action) { settle(s, action, SLOT_FAILED); }

void session_brick_pending(struct session *s, const struct session_action *a) {
    struct layer_memory *layer = NULL;
    struct layer_slot *slot = find_serial(s, a->slot, &layer);
    size_t i = find_pending(s, a->slot, a->level, a->x, a->y, a->z);
    if (i < SESSION_MAX_PENDING) {  // it had come and was let go again by the store
        s->pending[i].ready = false;
        return;
    }
    for (i = 0; i < SESSION_MAX_PENDING && s->pending[i].used;) i++;
    if (i == SESSION_MAX_PENDING || !slot) return;
    s->pending[i] = (struct pending){.used = true, .slot = a->slot, .level = a->level, .x = a->x, .y = a->y, .z = a->z,
                                     .ahead = a->ahead, .refinement = a->refinement};
    s->pending_count++;
    layer_slot_mark(layer, slot, SLOT_PENDING, a->level, a->x, a->y, a->z, true);
}

void session_brick_ready(struct session *s, uint32_t slot, uint32_t level, uint32_t x, uint32_t y, uint32_t z, bool failed) {
    size_t i = find_pending(s, slot, level, x, y, z);
    if (i == SESSION_MAX_PENDING) return;
    s->pending[i].ready = true;
    if (!failed) return;
    struct session_action action = {.slot = slot, .level = level, .x = x, .y = y, .z = z};
    session_brick_failed(s, &action);
}
