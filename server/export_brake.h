// SPDX-License-Identifier: Apache-2.0
// Has children that draw stand still (SIGSTOP) and go on (SIGCONT), as export_pace.h says, by a thread of its own: who draws while a
// viewer waits is in the viewer's way, however low its priority is. What stands still ends as anything else does: by SIGKILL, from
// us or for the death of its parent (PR_SET_PDEATHSIG, which readers have set, too).
#ifndef VIRGA_SERVER_EXPORT_BRAKE_H
#define VIRGA_SERVER_EXPORT_BRAKE_H

#include <sys/types.h>

#include "base/status.h"
#include "base/worker_pool.h"

enum { EXPORT_BRAKE_GROUPS = 16 };

struct export_brake;

// A viewer waits while the pool has anything to do. It must outlive the brake, which is its watcher. VIRGA_NO_MEMORY with words.
int export_brake_new(struct worker_pool *pool, struct export_brake **out, struct failure *failure);
// Every group must have been removed. NULL is allowed.
void export_brake_free(struct export_brake *brake);

// Any thread. The process group is held back from now on; a seventeenth is not.
void export_brake_add(struct export_brake *brake, pid_t group);
// Any thread. No signal is sent to it once this returns, so it is to be called before its leader is waited for, as the number may then
// become another's. It may be left standing still.
void export_brake_remove(struct export_brake *brake, pid_t group);

#endif
