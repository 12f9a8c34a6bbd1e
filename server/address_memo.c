// SPDX-License-Identifier: Apache-2.0
#include "server/address_memo.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { PLACES = 4096, LONGEST = 2048 };  // addresses; bytes of one that is remembered

struct place {
    char *address;
    size_t length;
    struct address_meaning meaning;
};

struct address_memo {
    struct catalog *catalog;  // one reference, or NULL
    struct place places[PLACES];
};

struct address_memo *address_memo_new(void) { return calloc(1, sizeof(struct address_memo)); }

static void clear(struct address_memo *memo) {
    for (size_t n = 0; n < PLACES; n++) {
        free(memo->places[n].address);
        memo->places[n].address = NULL;
    }
    if (memo->catalog) catalog_unref(memo->catalog);
    memo->catalog = NULL;
}

void address_memo_free(struct address_memo *memo) {
    if (memo) clear(memo);
    free(memo);
}

static struct place *place_of(struct address_memo *memo, const char *address, size_t length) { return &memo->places[XXH3_64bits(address, length) % PLACES]; }

const struct address_meaning *address_memo_find(struct address_memo *memo, const struct catalog *catalog, const char *address, size_t length) {
    const struct place *place = place_of(memo, address, length);
    if (memo->catalog != catalog || !place->address || place->length != length || memcmp(place->address, address, length)) return NULL;
    return &place->meaning;
}

void address_memo_put(struct address_memo *memo, struct catalog *catalog, const char *address, size_t length, const struct address_meaning *meaning) {
    if (memo->catalog != catalog) {
        clear(memo);
        memo->catalog = catalog_ref(catalog);
    }
    struct place *place = place_of(memo, address, length);
    char *copy = length <= LONGEST ? malloc(length + 1) : NULL;
    if (!copy) return;
    memcpy(copy, address, length);
    free(place->address);
    *place = (struct place){copy, length, *meaning};
}
