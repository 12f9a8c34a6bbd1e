// SPDX-License-Identifier: Apache-2.0
// What one client holds of a layer: which steps it was told of, and which of their bricks it was sent, which are on their way, and which could not be made.
// A part of its session (session.h), which alone changes it. Names and bits only, and nothing is called from here. One thread at a time.
#ifndef VIRGA_SERVER_LAYER_MEMORY_H
#define VIRGA_SERVER_LAYER_MEMORY_H

#include "server/session.h"

enum slot_told { SLOT_UNTOLD, SLOT_ANNOUNCED, SLOT_TABLE_SENT };
enum slot_bit { SLOT_SENT, SLOT_PENDING, SLOT_FAILED, SLOT_BITS };  // of each brick

struct layer_slot {  // a step of a layer
    bool used, in_window, given_up;  // given_up: its field could not be got
    uint32_t serial;
    uint32_t step;
    uint64_t name;         // of its data
    uint64_t last_wanted;  // interest number
    enum slot_told told;
    struct session_field *field;  // the session's; only in the window
    uint64_t *bits;               // SLOT_BITS × words
};

struct layer_memory {
    char identity[SESSION_MAX_IDENTITY], variable[256];
    struct pyramid_shape shape;
    size_t level_start[PYRAMID_MAX_LEVELS], bricks, words;
    struct layer_slot slots[SESSION_MAX_SLOTS];  // of different steps
};

// NULL when out of memory.
struct layer_memory *layer_memory_new(const struct session_layer *from);
void layer_memory_free(struct layer_memory *layer);  // whose fields the session let go of; NULL is allowed

// NULL: there is none.
struct layer_slot *layer_memory_step(struct layer_memory *layer, uint32_t step);
struct layer_slot *layer_memory_serial(struct layer_memory *layer, uint32_t serial);
// A slot for a step that has none: a free one, or else that out of the window which was wanted longest ago, to be emptied first. NULL: all are in the window.
struct layer_slot *layer_memory_spare(struct layer_memory *layer);

// Of a free one: nothing of the step was sent. VIRGA_NO_MEMORY leaves it free.
int layer_slot_begin(const struct layer_memory *layer, struct layer_slot *slot, uint32_t step, uint64_t name, uint32_t serial);
void layer_slot_empty(struct layer_slot *slot);
// The brick is one of the layer's shape.
bool layer_slot_has(const struct layer_memory *layer, const struct layer_slot *slot, enum slot_bit bit, uint32_t level, uint32_t x, uint32_t y, uint32_t z);
void layer_slot_mark(const struct layer_memory *layer, const struct layer_slot *slot, enum slot_bit bit, uint32_t level, uint32_t x, uint32_t y, uint32_t z,
                     bool on);
void layer_slot_clear(const struct layer_memory *layer, const struct layer_slot *slot, enum slot_bit bit);  // of all its bricks

size_t layer_memory_bytes(const struct layer_memory *layer);

#endif
