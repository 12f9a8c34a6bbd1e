// SPDX-License-Identifier: Apache-2.0
// The children behind a source_pool, for source.c: hands a question to a free child and replaces those that die.
#ifndef VIRGA_SOURCE_SOURCE_POOL_H
#define VIRGA_SOURCE_SOURCE_POOL_H

#include "source/source_condemned.h"
#include "source/source_process.h"

// Any thread; blocks until a child is free and has answered. Prefers a child that had the file of this identity lately.
// Remembers what files do to children, but does not look whether this one is condemned. Codes as source_process_ask, VIRGA_CANCELLED during tear-down, VIRGA_IO when no child can be started.
int source_pool_ask(struct source_pool *pool, const struct source_identity *identity, struct source_question *question,
                    struct source_answer *answer, struct failure *failure);
// The children for addresses, and the proxy behind them: started at the first call. Where the address's host may not be asked, VIRGA_INVALID
// names the setting.
struct source_url;
int source_pool_for_address(struct source_pool *pool, const struct source_url *url, struct source_pool **addresses, struct failure *failure);
struct source_proxy *source_pool_proxy(struct source_pool *addresses);  // NULL for one that opens files
const struct source_limits *source_pool_limits(const struct source_pool *pool);
uint64_t source_pool_next_request(struct source_pool *pool);
// What is known to harm readers.
struct source_condemned *source_pool_condemned(struct source_pool *pool);
// The reader program that this path stands for: itself, or where it is NULL the one beside this program. The caller frees it.
char *source_pool_reader_program(const char *reader_path);
// Keep the pool's memory beyond source_pool_free, after which everything that is asked of it is refused (VIRGA_CANCELLED).
struct source_pool *source_pool_ref(struct source_pool *pool);
void source_pool_unref(struct source_pool *pool);
// What identities of an engine's datasets depend on besides: another for each pool that source_pool_new_engine makes, 0 for others.
uint64_t source_pool_seed(const struct source_pool *pool);
struct source_engine *source_pool_engine(struct source_pool *pool);  // or NULL
// Whether readers may ask this address's host (source_pool_allow_hosts).
bool source_pool_allows(struct source_pool *pool, const struct source_url *url);
// Around what is asked of the engine for this pool: source_pool_free waits for it. The flag becomes true when the pool is stopped.
const atomic_bool *source_pool_begin(struct source_pool *pool);
void source_pool_end(struct source_pool *pool);
void source_pool_count_slab(struct source_pool *pool, size_t bytes);

#endif
