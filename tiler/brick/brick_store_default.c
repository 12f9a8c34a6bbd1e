// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "brick/brick_store_private.h"

int brick_store_new(struct worker_pool *pool, const struct brick_store_options *options, struct brick_store **store) {
    static const struct field_access access = {
        .plan = field_plan,
        .read = field_read,
        .ref = catalog_ref,
        .unref = catalog_unref,
        .far = field_reads_far,
        .early = field_reduces_early,
        .reduce_plan = field_reduce_plan,
        .reduce = field_reduce,
    };
    return brick_store_new_with(pool, options, &access, clock_monotonic, store);
}
