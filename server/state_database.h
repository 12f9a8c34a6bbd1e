// SPDX-License-Identifier: Apache-2.0
// STATE/virga.db (SQLite): what the server must remember. One server at a time has the folder; it opens the database once, before anybody uses it. Whoever
// keeps something there takes a connection of its own, with its own statements and transactions.
#ifndef VIRGA_SERVER_STATE_DATABASE_H
#define VIRGA_SERVER_STATE_DATABASE_H

#include <sqlite3.h>

#include "base/status.h"

struct state_database;

// Takes the folder for this server, checks the database, and makes or updates its tables. One that is damaged is moved aside with what belongs to it
// ("virga.db.damaged-…", and the folder of the exports likewise), which is logged, and a new one is begun. VIRGA_AGAIN with words: another server uses this
// state folder (after a second of waiting, as commands have it for moments). VIRGA_UNSUPPORTED: a newer virga made it. VIRGA_IO, VIRGA_NO_MEMORY.
int state_database_open(const char *state_dir, struct state_database **out, struct failure *failure);
// For a command that works beside a server, or without one: takes the folder only where tables must be made or updated, and only until that is done.
// Codes as above; VIRGA_UNSUPPORTED also where the server that has the folder is of another version.
int state_database_open_beside(const char *state_dir, struct state_database **out, struct failure *failure);
// Connections end before it. NULL is allowed.
void state_database_close(struct state_database *database);

// Any thread: a connection for one thread at a time, which sqlite3_close ends. What is committed over it is on the disk (synchronous FULL); foreign keys hold;
// a writer waits 5 s for another. Begin with BEGIN IMMEDIATE what reads and then writes. VIRGA_IO, VIRGA_UNSUPPORTED (not of this version), VIRGA_NO_MEMORY.
int state_database_connect(const struct state_database *database, sqlite3 **handle, struct failure *failure);
// What SQLite says went wrong: VIRGA_NO_MEMORY, VIRGA_TOO_LARGE (the disk is full) or VIRGA_IO, with words that begin with `what`. handle: NULL where there is none.
int state_database_failed(sqlite3 *handle, int result, const char *what, struct failure *failure);

#endif
