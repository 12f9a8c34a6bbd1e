// SPDX-License-Identifier: Apache-2.0
// Step tables and bricks of the store for one who waits: many are asked for at once, a bounded number at a time, and they come in any
// order. One thread calls, which is no worker of the store's pool.
#ifndef VIRGA_RENDER_BRICK_FETCH_H
#define VIRGA_RENDER_BRICK_FETCH_H

#include <stdatomic.h>

#include "brick/brick_store.h"
#include "brick/step_table.h"

struct brick_fetch;

struct brick_fetch_options {
    struct catalog *catalog;  // all must outlive it
    struct brick_store *store;
    bool background;          // it gives way: what it asks for comes after all that anybody else wants
    const atomic_bool *stop;  // once true, what is waited for is given up: VIRGA_CANCELLED, within a quarter of a second. Or NULL
};
struct brick_fetch *brick_fetch_new(const struct brick_fetch_options *options);  // NULL when out of memory
void brick_fetch_free(struct brick_fetch *fetch);  // takes back what was asked for; NULL is allowed

// The step table of a field, of the pyramid of its variable; the caller frees it. What fails but may work when tried again is tried
// again. The codes of the store.
int brick_fetch_table(struct brick_fetch *fetch, const struct field_ref *field, struct step_table **table, struct failure *failure);

struct brick_name { uint32_t level, x, y, z; };

// Begins with bricks of a field; `names` is kept by the caller until the last has come.
void brick_fetch_start(struct brick_fetch *fetch, const struct field_ref *field, const struct brick_name *names, size_t count);
struct brick_arrival {
    size_t index;                // in names
    struct shared_bytes *bytes;  // a reference that is the caller's
};
// Waits for some of them: how many came (at most `room`), 0 when all have, or the code of the first failure: then nothing is wanted
// any more.
int brick_fetch_next(struct brick_fetch *fetch, struct brick_arrival *arrivals, size_t room, struct failure *failure);

// Lets the store make ready what will be wanted soon: the table of a field, and bricks of it. Never waits.
void brick_fetch_ahead(struct brick_fetch *fetch, const struct field_ref *field, const struct brick_name *names, size_t count);
// Of what was asked for ahead nothing more is wanted that is not begun.
void brick_fetch_ahead_stop(struct brick_fetch *fetch);

#endif
