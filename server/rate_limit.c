// SPDX-License-Identifier: Apache-2.0
#include "server/rate_limit.h"

#include <math.h>
#include <string.h>
#include <xxhash.h>

#include "server/client_place.h"

void rate_limit_init(struct rate_limit *limit, double burst, double per_second) {
    *limit = (struct rate_limit){.burst = burst, .per_second = per_second};
}

// Whoever has a network of IPv6 has many addresses. 0 is a free place.
static uint64_t hash_of(const char *address) {
    client_place place = client_place_of(address);
    return place ? place : XXH3_64bits(address, strlen(address)) | 1;
}

static double tokens_of(const struct rate_limit *limit, size_t at, double now) {
    return fmin(limit->burst, limit->entries[at].tokens + (now - limit->entries[at].filled) * limit->per_second);
}

bool rate_limit_has(const struct rate_limit *limit, const char *address, double now) {
    uint64_t hash = hash_of(address);
    for (size_t i = 0; i < RATE_LIMIT_ADDRESSES; i++)
        if (limit->entries[i].address == hash) return tokens_of(limit, i, now) >= 1;
    return limit->burst >= 1;
}

bool rate_limit_take(struct rate_limit *limit, const char *address, double now) {
    uint64_t hash = hash_of(address);
    size_t at = 0;
    for (size_t i = 0; i < RATE_LIMIT_ADDRESSES; i++) {
        if (limit->entries[i].address == hash) {
            at = i;
            break;
        }
        if (!limit->entries[i].address || (limit->entries[at].address && limit->entries[i].filled < limit->entries[at].filled)) at = i;
    }
    if (limit->entries[at].address != hash) {
        limit->entries[at].address = hash;
        limit->entries[at].tokens = limit->burst;
        limit->entries[at].filled = now;
    }
    double tokens = tokens_of(limit, at, now);
    limit->entries[at].tokens = tokens >= 1 ? tokens - 1 : tokens;
    limit->entries[at].filled = now;
    return tokens >= 1;
}
