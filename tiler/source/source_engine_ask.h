// SPDX-License-Identifier: Apache-2.0
// How the source layer asks an engine (source_engine.h). Any thread.
#ifndef VIRGA_SOURCE_SOURCE_ENGINE_ASK_H
#define VIRGA_SOURCE_SOURCE_ENGINE_ASK_H

#include "source/slab_receiver.h"
#include "source/source_engine.h"
#include "source/source_protocol.h"

enum { SOURCE_ENGINE_REQUESTS = 64 };  // on their way at once; more wait their turn

struct source_engine_question {
    struct source_frame frame;          // the asker's
    uint64_t request;                   // of source_engine_next_request
    enum source_message_kind answer;    // that it is to have, or FAILURE
    struct slab_memory *slab;           // lent with it, or NULL; held until the engine cannot write to it any more
    double seconds;                     // until the whole answer is here, waiting and starting counted
    size_t max_body;                    // of the answer
    const atomic_bool *stops[2];        // or NULL; once one is true: VIRGA_CANCELLED
};

struct source_engine_answer {
    enum source_message_kind kind;  // as asked for, or FAILURE; what it says is still to be decoded
    uint8_t *body;                  // freed by the caller
    size_t bytes;
    bool ended;                     // on failure: the engine ended over it, so that it may be asked again
};

uint64_t source_engine_next_request(struct source_engine *engine);
// Blocks. VIRGA_OK with an answer; VIRGA_GONE where the engine ended, VIRGA_TIMED_OUT, VIRGA_CANCELLED, VIRGA_TOO_LARGE where it took too much memory,
// VIRGA_NOT_FOUND where it is not installed, VIRGA_IO where it does not start.
int source_engine_ask(struct source_engine *engine, const struct source_engine_question *question, struct source_engine_answer *answer,
                      struct failure *failure);
// What it answered makes no sense: it is ended.
void source_engine_distrust(struct source_engine *engine);

// Where workers deliver, or NULL; made when first asked for.
struct slab_receiver *source_engine_receiver(struct source_engine *engine);
struct slab_pool *source_engine_slabs(struct source_engine *engine);
const struct source_engine_options *source_engine_options(const struct source_engine *engine);
void source_engine_count(struct source_engine *engine, const struct source_traffic *more);

#endif
