// SPDX-License-Identifier: Apache-2.0
#include "field/position_index.h"

#include <stdlib.h>

#include "base/status.h"

static void put(struct position_slot *slots, size_t room, struct position_slot slot) {
    size_t n = slot.hash & (room - 1);
    while (slots[n].position) n = (n + 1) & (room - 1);
    slots[n] = slot;
}

static int grow(struct position_index *index) {
    size_t room = index->room ? 2 * index->room : 64;
    struct position_slot *slots = calloc(room, sizeof *slots);
    if (!slots) return VIRGA_NO_MEMORY;
    for (size_t n = 0; n < index->room; n++)
        if (index->slots[n].position) put(slots, room, index->slots[n]);
    free(index->slots);
    index->slots = slots;
    index->room = room;
    return VIRGA_OK;
}

int position_index_add(struct position_index *index, uint64_t hash, size_t position) {
    if (2 * (index->count + 1) > index->room && grow(index)) return VIRGA_NO_MEMORY;
    put(index->slots, index->room, (struct position_slot){hash, position + 1});
    index->count++;
    return VIRGA_OK;
}

size_t position_index_next(const struct position_index *index, uint64_t hash, size_t *at) {
    while (index->room && *at < index->room) {
        const struct position_slot *slot = &index->slots[(hash + (*at)++) & (index->room - 1)];
        if (!slot->position) return SIZE_MAX;
        if (slot->hash == hash) return slot->position - 1;
    }
    return SIZE_MAX;
}

void position_index_destroy(struct position_index *index) {
    free(index->slots);
    *index = (struct position_index){0};
}
