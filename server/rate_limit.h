// SPDX-License-Identifier: Apache-2.0
// How often an address may do something: a token bucket each, for a bounded number of addresses. Pure, the clock is passed in (seconds of any
// clock that only rises). One thread at a time.
#ifndef VIRGA_SERVER_RATE_LIMIT_H
#define VIRGA_SERVER_RATE_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RATE_LIMIT_ADDRESSES = 256 };

struct rate_limit {
    double burst;       // at once
    double per_second;  // on average
    struct { uint64_t address; double tokens, filled; } entries[RATE_LIMIT_ADDRESSES];
};

void rate_limit_init(struct rate_limit *limit, double burst, double per_second);
// Whether it may be done once more, now; then it counts. Of more addresses than fit, the one longest quiet is forgotten.
bool rate_limit_take(struct rate_limit *limit, const char *address, double now);
// Whether it might be done once more, now; nothing counts.
bool rate_limit_has(const struct rate_limit *limit, const char *address, double now);

#endif
