// SPDX-License-Identifier: Apache-2.0
// A configuration that was read anew beside the one in force: what differs, and what of that a running server can take. One thread at a time.
#ifndef VIRGA_SERVER_CONFIG_RELOAD_H
#define VIRGA_SERVER_CONFIG_RELOAD_H

#include "server/config.h"

// Whether a running server can take another value; the others need another start.
bool config_is_live(enum config_key key);
// The value in the file's own syntax, the lines of a list one below the other; the caller frees it. NULL when out of memory.
char *config_value(const struct config *config, enum config_key key);
// Puts the value of `from`, and where it stands, in force in `to`, which has a copy of its own. VIRGA_OK or VIRGA_NO_MEMORY, which may leave a list half filled.
int config_take(struct config *to, const struct config *from, enum config_key key);
// Fills `to` with a copy that has texts of its own, for config_destroy, which is due in every case. VIRGA_OK or VIRGA_NO_MEMORY.
int config_copy(struct config *to, const struct config *from);

#endif
