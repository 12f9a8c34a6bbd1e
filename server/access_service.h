// SPDX-License-Identifier: Apache-2.0
// Tokens and logins of this server, which another process may change (virga token): a thread of its own has them from the database, and looks several times a
// second whether they changed. What others ask is a table in memory.
#ifndef VIRGA_SERVER_ACCESS_SERVICE_H
#define VIRGA_SERVER_ACCESS_SERVICE_H

#include "server/access_table.h"
#include "server/thread_inbox.h"
#include "server/state_database.h"

struct access_service;

// Loads all, then starts the thread. The database must outlive it. Failures as state_database_connect, or VIRGA_NO_MEMORY.
int access_service_new(const struct state_database *database, struct access_service **out, struct failure *failure);
void access_service_free(struct access_service *service);  // NULL is allowed

// Any thread.
struct access_table *access_service_table(struct access_service *service);
// Any thread: something for the thread to do; its `service` is this one. VIRGA_TOO_LARGE: too much is asked for already; then it is not run.
int access_service_ask(struct access_service *service, struct thread_command *command);

// Within a command. When it returns, it is on the disk and in the table. Failures as access_store.h has them.
int access_service_begin_login(struct access_service *service, const struct access_login *login, struct failure *failure);
int access_service_end_login(struct access_service *service, const uint8_t hash[SECRET_HASH], struct failure *failure);

#endif
