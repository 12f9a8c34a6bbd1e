// SPDX-License-Identifier: Apache-2.0
// A copy of what a state folder must remember, made beside a running server. One thread; blocks.
#ifndef VIRGA_SERVER_STATE_BACKUP_H
#define VIRGA_SERVER_STATE_BACKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct state_backup {
    size_t files;
    uint64_t bytes;
};

// Makes the folder `out`, which must not be there yet, a state folder of its own: the database as it is at one moment, the small files beside it, and with
// `exports` their frames. What is made again (spool, index, pictures of pins) is left out. It is there whole, and on the disk, or not at all. VIRGA_NOT_FOUND: there is
// no state. VIRGA_INVALID: `out` is there. VIRGA_IO, VIRGA_NO_MEMORY.
int state_backup_make(const char *state_dir, const char *out, bool exports, struct state_backup *made, struct failure *failure);

#endif
