// SPDX-License-Identifier: Apache-2.0
// Whether what must be remembered can be written down. Any thread; may block on the disk and for a second on who writes at the moment.
#ifndef VIRGA_SERVER_STATE_CHECK_H
#define VIRGA_SERVER_STATE_CHECK_H

#include "base/status.h"

// Writes one page of STATE/virga.db that says what it said before, through a connection of its own; where there is no database yet, looks at the folder.
// VIRGA_IO with the reason.
int state_check(const char *state_dir, struct failure *failure);

#endif
