// SPDX-License-Identifier: Apache-2.0
// How an engine is, as text: what it said last, or what is known of it here. Any thread, but for engine_state_tell.
#ifndef VIRGA_SOURCE_ENGINE_STATE_H
#define VIRGA_SOURCE_ENGINE_STATE_H

#include <pthread.h>
#include <stdbool.h>

struct engine_state {
    pthread_mutex_t lock;
    char *latest;        // lock
    bool untold;         // lock
    double told_at;      // the telling thread's
    pthread_mutex_t telling;  // held while somebody is told; before `lock` where both are
    void (*told)(void *context, const char *json);  // telling
    void *context;                                  // telling
};

void engine_state_init(struct engine_state *state);
void engine_state_destroy(struct engine_state *state);
// Copied; the one before stays where there is no memory for it.
void engine_state_set(struct engine_state *state, const char *json);
// One made here, in the form of a STATE: `cluster` and `word` as there, message or NULL.
void engine_state_make(struct engine_state *state, const char *cluster, const char *word, const char *message);
char *engine_state_copy(struct engine_state *state);  // the caller frees it; NULL without memory
// Whoever is told from now on, or NULL: once this returns, nobody who was told before is being told.
void engine_state_listen(struct engine_state *state, void (*told)(void *context, const char *json), void *context);
// Tells the latest where it was not told yet, and none was in the last quarter of a second. Returns seconds until it may be told, or -1.
double engine_state_tell(struct engine_state *state, double now);

#endif
