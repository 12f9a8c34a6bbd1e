// SPDX-License-Identifier: Apache-2.0
// STATE/virga.db (SQLite): what the server must remember. One server at a time has it; one thread uses it, which it may block.
#ifndef VIRGA_SERVER_STATE_DATABASE_H
#define VIRGA_SERVER_STATE_DATABASE_H

#include <sqlite3.h>

#include "base/status.h"

struct state_database;

// Opens and checks it, makes or updates its tables. One that is damaged is moved aside with what belongs to it ("virga.db.damaged-…", and the folder of
// the exports likewise), which is logged, and a new one is begun. VIRGA_AGAIN with words: another server uses this state folder. VIRGA_UNSUPPORTED: a newer
// virga made it. VIRGA_IO, VIRGA_NO_MEMORY.
int state_database_open(const char *state_dir, struct state_database **out, struct failure *failure);
void state_database_close(struct state_database *database);
sqlite3 *state_database_handle(struct state_database *database);

#endif
