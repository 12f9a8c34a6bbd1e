// SPDX-License-Identifier: Apache-2.0
#include "server/access_service.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "server/access_store.h"
#include "server/state_statement.h"

enum { LOOK_MS = 400, MOST_COMMANDS = 64, MOST_USED = 32 };

struct access_service {
    sqlite3 *handle;       // the thread's, once it runs
    int64_t version;       // of the data, when it was loaded
    bool failing;          // which was said
    struct access_table table;
    struct thread_inbox inbox;
    bool has_table;
};

struct access_table *access_service_table(struct access_service *service) { return &service->table; }

int access_service_ask(struct access_service *service, struct thread_command *command) { return thread_inbox_ask(&service->inbox, command); }

static int load(struct access_service *service, struct failure *failure) {
    struct access_token *tokens;
    struct access_login *logins;
    size_t token_count, login_count;
    int status = access_store_load(service->handle, &tokens, &token_count, &logins, &login_count, failure);
    if (!status) access_table_set(&service->table, tokens, token_count, logins, login_count);
    return status;
}

// Changes with every commit of another connection. -1: not known.
static int64_t data_version(sqlite3 *handle) { return state_statement_number(handle, "PRAGMA data_version", -1); }

// What cannot be read leaves nothing valid: a token that was revoked meanwhile must not go on.
static void look(struct access_service *service) {
    struct failure failure;
    int64_t version = data_version(service->handle);
    if (version >= 0 && version == service->version && !service->failing) return;
    int status = load(service, &failure);
    if (status && !service->failing) log_warning("access", "nobody is let in by a token or a login until they can be read: %s", failure.message);
    if (status) access_table_set(&service->table, NULL, 0, NULL, 0);
    service->failing = status != VIRGA_OK;
    service->version = version;
}

static void write_used(struct access_service *service) {
    int64_t ids[MOST_USED];
    double days[MOST_USED];
    struct failure failure;
    size_t count = access_table_used(&service->table, ids, days, MOST_USED);
    for (size_t i = 0; i < count; i++)
        if (access_store_used(service->handle, ids[i], days[i], &failure)) log_debug("access", "%s", failure.message);
}

static void *serve(void *argument) {
    struct access_service *service = argument;
    bool stopping = false;
    while (!stopping) {
        thread_inbox_wait(&service->inbox, LOOK_MS);
        struct thread_command *commands = thread_inbox_take(&service->inbox, &stopping);
        thread_inbox_run_all(commands, service, stopping);
        if (!stopping) look(service);
        write_used(service);
    }
    return NULL;
}

// One's own commits leave the version as it is.
int access_service_begin_login(struct access_service *service, const struct access_login *login, struct failure *failure) {
    int status = access_store_add_login(service->handle, login, failure);
    return status ? status : load(service, failure);
}

int access_service_end_login(struct access_service *service, const uint8_t hash[SECRET_HASH], struct failure *failure) {
    int status = access_store_end_login(service->handle, hash, failure);
    return status ? status : load(service, failure);
}

int access_service_new(const struct state_database *database, struct access_service **out, struct failure *failure) {
    struct access_service *service = *out = calloc(1, sizeof *service);
    if (!service) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    int status = thread_inbox_init(&service->inbox, MOST_COMMANDS, failure);
    if (!status && access_table_init(&service->table)) status = failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    service->has_table = !status;
    if (!status) status = state_database_connect(database, &service->handle, failure);
    if (!status) service->version = data_version(service->handle);
    if (!status) status = load(service, failure);
    if (!status) status = thread_inbox_serve(&service->inbox, serve, service, failure);
    if (!status) return VIRGA_OK;
    access_service_free(service);
    *out = NULL;
    return status;
}

void access_service_free(struct access_service *service) {
    if (!service) return;
    thread_inbox_stop(&service->inbox);
    sqlite3_close(service->handle);
    if (service->has_table) access_table_destroy(&service->table);
    thread_inbox_destroy(&service->inbox);
    free(service);
}
