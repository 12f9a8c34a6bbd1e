// SPDX-License-Identifier: Apache-2.0
// Where threads of this process that draw in the background stand still while a viewer waits, as export_pace.h says of exports.
#ifndef VIRGA_SERVER_VIEWER_GATE_H
#define VIRGA_SERVER_VIEWER_GATE_H

#include "base/status.h"
#include "base/worker_pool.h"

#define VIEWER_GATE_SERVED 0.003  // seconds in which what a viewer asks for, and its bricks are all there, has been sent

struct viewer_gate;

// A viewer waits while the pool has anything to do that somebody waits for, and for a moment after it was seen. The pool must outlive the gate, which is one of its watchers. VIRGA_NO_MEMORY with words.
int viewer_gate_new(struct worker_pool *pool, struct viewer_gate **out, struct failure *failure);
void viewer_gate_free(struct viewer_gate *gate);  // nobody may stand in it; NULL is allowed
// Any number of threads, often: stays while it is right to stand still.
void viewer_gate_pass(struct viewer_gate *gate);
// Any thread: a viewer asks for something.
void viewer_gate_seen(struct viewer_gate *gate);
// Any thread: nobody stands still any more, now and later.
void viewer_gate_open(struct viewer_gate *gate);

#endif
