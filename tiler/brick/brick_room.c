// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "base/log.h"
#include "brick/brick_store_private.h"

void brick_room_recount(struct brick_store *store, struct step *step) {
    store->volume_bytes -= step->held;
    store->spool_bytes -= step->spooled;
    store->meta_bytes -= step->meta;
    step->held = step->volume ? step_volume_memory(step->volume) : 0;
    step->spooled = step->volume ? step_volume_spooled(step->volume) : 0;
    step->meta = sizeof *step + (step->table ? step_table_memory(step->table) + step->table_bytes->size : 0);
    store->volume_bytes += step->held;
    store->spool_bytes += step->spooled;
    store->meta_bytes += step->meta;
}

void brick_room_set_volume(struct brick_store *store, struct step *step, struct step_volume *volume) {
    step_volume_free(step->volume);
    step->volume = volume;
    brick_room_recount(store, step);
}

static bool idle(const struct step *step) {
    return !step->spooling && !step->pins && (step->state == STEP_IDLE || step->state == STEP_FAILED) && !brick_store_wanted(step);
}

void brick_room_forget(struct brick_store *store, struct step *step) {
    struct step **slot = &store->steps[brick_key_hash(&step->key) % STEP_BUCKETS];
    while (*slot != step) slot = &(*slot)->next;
    *slot = step->next;
    *(step->newer ? &step->newer->older : &store->newest) = step->older;
    *(step->older ? &step->older->newer : &store->oldest) = step->newer;
    store->step_count--;
    brick_room_set_volume(store, step, NULL);
    store->meta_bytes -= step->meta;
    step_table_free(step->table);
    shared_bytes_unref(step->table_bytes);
    free(step);
}

void brick_room_trim_steps(struct brick_store *store) {
    struct step *newer;
    for (struct step *s = store->oldest; s && store->step_count > MOST_STEPS; s = newer) {
        newer = s->newer;
        if (idle(s)) brick_room_forget(store, s);
    }
}

static struct step *oldest_volume(struct brick_store *store) {
    struct step *s = store->oldest;
    while (s && !(s->held && !s->spooling && (store->spool_dir || !s->pins))) s = s->newer;
    return s;
}

static struct step *oldest_spooled(struct brick_store *store) {
    struct step *s = store->oldest;
    while (s && !(s->spooled && !s->spooling && !s->pins)) s = s->newer;
    return s;
}

static struct step *oldest_idle(struct brick_store *store) {
    struct step *s = store->oldest;
    while (s && !idle(s)) s = s->newer;
    return s;
}

static bool room_in_spool(struct brick_store *store, size_t bytes) {
    struct step *old;
    if (!store->spool_dir || bytes > store->spool_limit) return false;
    while (store->spool_bytes + bytes > store->spool_limit && (old = oldest_spooled(store)))
        brick_room_set_volume(store, old, NULL);
    return store->spool_bytes + bytes <= store->spool_limit;
}

// Moves a volume out of memory. lock is held, and let go meanwhile. False if nothing came of it.
static bool move_out(struct brick_store *store, struct step *step) {
    bool moved = false;
    if (room_in_spool(store, step->held)) {
        struct failure failure;
        const size_t bytes = step->held;
        struct step_volume *volume = step_volume_ref(step->volume);  // a build may put a finer one in its place meanwhile
        step->spooling = true;
        store->spool_bytes += bytes;  // reserved
        pthread_mutex_unlock(&store->lock);
        moved = step_volume_spool(volume, store->spool_dir, &failure) == VIRGA_OK;
        step_volume_free(volume);
        pthread_mutex_lock(&store->lock);
        if (!moved && !store->spool_fails) log_warning("brick", "%s; fields are read again instead", failure.message);
        store->spool_fails = !moved;
        store->spool_bytes -= bytes;
        step->spooling = false;
        brick_room_recount(store, step);
        pthread_cond_broadcast(&store->changed);
    }
    if (!moved && !step->pins && step->volume) {
        brick_room_set_volume(store, step, NULL);
        moved = true;
    }
    return moved;
}

bool brick_room_make(struct brick_store *store) {
    bool stuck = false;
    pthread_mutex_lock(&store->lock);
    while (!stuck && brick_store_used(store) > store->memory) {
        const bool many = store->volume_bytes > store->memory / 2;  // volumes and bricks share the memory
        struct step *step = oldest_volume(store);
        if (many && step && move_out(store, step)) continue;
        if (brick_cache_evict(store->cache)) continue;
        if (!many && step && move_out(store, step)) continue;
        stuck = !(step = oldest_idle(store));
        if (step) brick_room_forget(store, step);
    }
    const bool fits = brick_store_used(store) <= store->memory;
    pthread_mutex_unlock(&store->lock);
    return fits;
}
