// SPDX-License-Identifier: Apache-2.0
// What is known to harm readers, by identity, so that it is not tried in a loop: a file that crashed its reader, swelled it or kept it
// too long, and single slabs that a library failed on. Bounded; the longest unused goes first. Any thread; `now` is of clock_monotonic.
#ifndef VIRGA_SOURCE_SOURCE_CONDEMNED_H
#define VIRGA_SOURCE_SOURCE_CONDEMNED_H

#include "source/source_process.h"

enum { SOURCE_CONDEMNED_MOST = 1024, SOURCE_FAILED_SLABS_MOST = 1024 };

struct source_condemned;

struct source_condemned *source_condemned_new(void);  // NULL when out of memory
void source_condemned_free(struct source_condemned *table);  // NULL allowed

// A child ended in this way while it listed (reading: read from) the file. Listing condemns at once, reading at the second time; a
// child that something else killed, or that was late when reading, must do so twice in a row. What was late is tried again after
// 10 minutes. words: the failure without the file's name. Returns whether the file is condemned now and was not before.
bool source_condemned_strike(struct source_condemned *table, const struct source_identity *identity, bool reading, enum source_end end,
                             int status, const char *words, double now);
// A child answered: what was late or killed before was so by chance.
void source_condemned_clear(struct source_condemned *table, const struct source_identity *identity, bool reading);

// Whether the file may not be listed (reading: read from): then the status and words of what it did, and when it is tried again. A file that may not be listed may
// not be read from either.
bool source_condemned_find(struct source_condemned *table, const struct source_identity *identity, bool reading, double now,
                           struct failure *failure);
// How often a file was condemned: changes whenever an answer of source_condemned_find may have become true. No lock.
size_t source_condemned_count(const struct source_condemned *table);

// Those that last: condemned for good when they were listed. Returns how many were written to `list`, of which `room` fit.
size_t source_condemned_save(struct source_condemned *table, struct source_condemnation *list, size_t room);
void source_condemned_load(struct source_condemned *table, const struct source_condemnation *list, size_t count);

// One slab of a file that a child could not read, by a hash of its request (with the file's identity in it): for a minute the same
// request gets the same answer, since each such answer costs a reader.
void source_condemned_fail_slab(struct source_condemned *table, uint64_t request, const struct failure *failure, double now);
bool source_condemned_slab_failed(struct source_condemned *table, uint64_t request, double now, struct failure *failure);

#endif
