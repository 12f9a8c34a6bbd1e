// SPDX-License-Identifier: Apache-2.0
// Threads that share out the pieces of a picture. What is drawn never depends on how many there are.
#ifndef VIRGA_RENDER_RENDER_TEAM_H
#define VIRGA_RENDER_RENDER_TEAM_H

#include <stdbool.h>
#include <stddef.h>

struct render_team;

// A piece of work: index 0 … count − 1, on thread 0 … threads − 1 (never two pieces on one thread at a time).
typedef void render_work(void *argument, size_t index, size_t thread);

// threads ≥ 1, the caller's own counted; 0: one a processor that the process may use. background: they give way to every other thread of
// the machine.
// NULL when out of memory or threads.
struct render_team *render_team_new(size_t threads, bool background);
void render_team_free(struct render_team *team);  // NULL is allowed
size_t render_team_threads(const struct render_team *team);

// Each thread calls wait(user) before each piece that it takes, which may stay for a while: so that what is drawn stands back. NULL: nobody is asked.
// The caller of render_team_run, not while it runs.
void render_team_before_pieces(struct render_team *team, void (*wait)(void *user), void *user);

// Runs work(argument, 0 … count − 1), in any order, on all threads, the caller's among them; returns when all is done. One caller at
// a time; not from within work.
void render_team_run(struct render_team *team, size_t count, render_work *work, void *argument);

#endif
