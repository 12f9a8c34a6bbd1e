// SPDX-License-Identifier: Apache-2.0
// Which picture an address of maps meant when it was last asked for, so that what is asked for again and again is looked up at once. An address means the same for as long as
// the catalog that it was resolved in is in force, unless it depends on the clock. Not locked: one thread.
#ifndef VIRGA_SERVER_ADDRESS_MEMO_H
#define VIRGA_SERVER_ADDRESS_MEMO_H

#include <stdbool.h>
#include <stddef.h>

#include "server/map_layer.h"

struct address_memo;

struct address_meaning {
    char key[MAP_KEY];         // map_drawing_key
    const char *type, *cache;  // static texts: Content-Type, Cache-Control
};

struct address_memo *address_memo_new(void);  // NULL when out of memory
void address_memo_free(struct address_memo *memo);
// address: any bytes. NULL where nothing is remembered of it in this catalog; else valid until the next call.
const struct address_meaning *address_memo_find(struct address_memo *memo, const struct catalog *catalog, const char *address, size_t length);
// Remembers it; another address may be forgotten. Takes a reference to the catalog, and forgets all that was resolved in another one.
void address_memo_put(struct address_memo *memo, struct catalog *catalog, const char *address, size_t length, const struct address_meaning *meaning);

#endif
