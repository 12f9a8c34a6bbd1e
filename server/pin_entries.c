// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/memory.h"
#include "server/pin_pictures_private.h"

static const double looked_lately = 120;  // seconds

// --- The list.

// The place of an id, or where it would stand.
static size_t place_of(const struct pin_entries *entries, const char *id) {
    size_t low = 0, high = entries->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (strcmp(entries->list[middle]->id, id) < 0) low = middle + 1;
        else high = middle;
    }
    return low;
}

struct pin_entry *pin_entries_find(const struct pin_entries *entries, const char *id) {
    const size_t i = place_of(entries, id);
    return i < entries->count && !strcmp(entries->list[i]->id, id) ? entries->list[i] : NULL;
}

struct pin_entry *pin_entries_add(struct pin_entries *entries, const char *id) {
    const size_t i = place_of(entries, id);
    struct pin_entry **list = memory_one_more(entries->list, entries->count, &entries->room, sizeof(struct pin_entry *));
    if (!list) return NULL;
    entries->list = list;
    struct pin_entry *entry = calloc(1, sizeof *entry);
    if (!entry) return NULL;
    snprintf(entry->id, sizeof entry->id, "%s", id);
    memmove(entries->list + i + 1, entries->list + i, (entries->count++ - i) * sizeof *entries->list);
    return entries->list[i] = entry;
}

static void entry_free(struct pin_entry *entry) {
    shared_bytes_unref(entry->view);
    shared_bytes_unref(entry->picture.bytes);
    shared_bytes_unref(entry->before.bytes);
    shared_bytes_unref(entry->told);
    free(entry);
}

void pin_entries_remove(struct pin_entries *entries, struct pin_entry *entry) {
    const size_t i = place_of(entries, entry->id);
    memmove(entries->list + i, entries->list + i + 1, (--entries->count - i) * sizeof *entries->list);
    entry_free(entry);
}

void pin_entries_clear(struct pin_entries *entries) {
    for (size_t i = 0; i < entries->count; i++) entry_free(entries->list[i]);
    free(entries->list);
    *entries = (struct pin_entries){0};
}

// --- What is to be drawn.

static bool is_drawn(const struct pin_entry *entry) { return !strcmp(entry->picture.key, entry->meaning.key); }

// Whether its picture is to be drawn, and may be now.
static bool waits(const struct pin_entry *entry, double now) {
    return entry->meant && !entry->meaning.status && !is_drawn(entry) && !entry->drawer && (!entry->failures || now >= entry->again);
}

static bool read_elsewhere(const struct pin_drawer *drawer, const struct pin_entry *entry) {
    const struct pin_pictures *pictures = drawer->pictures;
    for (size_t n = 0; n < pictures->drawer_count; n++) {
        const struct pin_drawer *other = &pictures->drawers[n];
        if (other != drawer && other->entry && other->entry->meaning.fields == entry->meaning.fields) return true;
    }
    return false;
}

static int score_of(const struct pin_drawer *drawer, const struct pin_entry *entry, double now) {
    const bool looked = entry->looked > 0 && now - entry->looked < looked_lately;
    int score = looked ? 16 : 0;
    if (drawer->fields == entry->meaning.fields) score += drawer->look == entry->meaning.look ? 8 : 4;
    return score + (read_elsewhere(drawer, entry) ? 0 : 2);
}

struct pin_entry *pin_entries_next(const struct pin_entries *entries, const struct pin_drawer *drawer, double now) {
    struct pin_entry *best = NULL;
    int highest = -1;
    for (size_t i = 0; i < entries->count; i++) {
        struct pin_entry *entry = entries->list[i];
        if (!waits(entry, now)) continue;
        const int score = score_of(drawer, entry, now);
        if (score < highest || (score == highest && entry->sequence > best->sequence)) continue;
        highest = score;
        best = entry;
    }
    return best;
}

double pin_entries_again(const struct pin_entries *entries, double now) {
    double next = HUGE_VAL;
    for (size_t i = 0; i < entries->count; i++) {
        const struct pin_entry *entry = entries->list[i];
        if (entry->failures && entry->again > now) next = fmin(next, entry->again);
    }
    return next;
}

// --- What it shows.

void pin_entry_live(const struct pin_entry *entry, double wall, struct pin_live *live) {
    const struct pin_meaning *meaning = &entry->meaning;
    *live = (struct pin_live){.state = PIN_WAITING, .shown = entry->picture.key[0] ? entry->shown : meaning->shown};
    if (meaning->status && meaning->status != VIRGA_AGAIN) live->state = PIN_FAILED;
    else if (entry->failures) live->state = PIN_FAILED;
    else if (!meaning->status && entry->meant && is_drawn(entry)) live->state = wall >= meaning->stale_from ? PIN_STALE : PIN_FRESH;
    if (live->state == PIN_FRESH || live->state == PIN_STALE) live->shown = meaning->shown;  // a run may have become complete
    if (live->state == PIN_STALE) pin_stale_words(meaning->run_at, wall, live->words);
    else if (live->state != PIN_FRESH) snprintf(live->words, sizeof live->words, "%s", meaning->status ? meaning->words : entry->words);
    if (live->state == PIN_FAILED) {  // what it showed is not what it stands for any more
        live->shown = meaning->shown;
        return;
    }
    snprintf(live->key, sizeof live->key, "%s", entry->picture.key);
    live->drawn = entry->drawn;
}

bool pin_entry_tag(const struct pin_entry *entry, unsigned width, bool png, double wall, char note[PIN_WORDS], char tag[PIN_TAG]) {
    const struct pin_meaning *meaning = &entry->meaning;
    if (!entry->meant || meaning->status) return false;
    pin_note(meaning, wall, note);
    XXH3_state_t *state = XXH3_createState();
    if (!state) return false;
    XXH3_64bits_reset(state);
    XXH3_64bits_update(state, entry->title, strlen(entry->title) + 1);
    XXH3_64bits_update(state, note, strlen(note) + 1);
    XXH3_64bits_update(state, &entry->revision, sizeof entry->revision);  // what else the view says of captions
    XXH3_64bits_update(state, &meaning->shown.complete, sizeof meaning->shown.complete);
    snprintf(tag, PIN_TAG, "%s-%u%s-%08x", meaning->key, width, image_suffix(png ? IMAGE_PNG : IMAGE_JPEG), (unsigned)XXH3_64bits_digest(state));
    XXH3_freeState(state);
    return true;
}
