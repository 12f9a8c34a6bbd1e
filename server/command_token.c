// SPDX-License-Identifier: Apache-2.0
// virga token: makes, lists and revokes what people and programs sign in with.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/folder.h"
#include "server/access_store.h"
#include "server/command_line.h"
#include "server/commands.h"
#include "server/config_private.h"

static const char help[] =
    "Usage: virga token create --name NAME [--role ROLE] [--expires TIME] [OPTION…]\n"
    "       virga token list [OPTION…]\n"
    "       virga token revoke NUMBER [OPTION…]\n"
    "\n"
    "Makes, lists and revokes tokens, with which people and programs sign in to a server whose\n"
    "setting auth has \"token\". It works beside a running server, which heeds it within a second,\n"
    "as the user that the server runs as, with the same state folder.\n"
    "\n"
    "create prints the token once, on a line of its own; what is kept is a hash. Who has it may\n"
    "do what its role says, until it expires or is revoked, and so may the browsers that signed\n"
    "in with it.\n"
    "\n"
    "  viewer       look\n"
    "  forecaster   and make pins and exports, and change their own\n"
    "  admin        and change everybody's, start and stop the cluster, read /metrics\n"
    "\n"
    "      --name NAME          whose it is, as others will read it (1 to 64 bytes). Tokens of\n"
    "                           one name are one person's\n"
    "      --role ROLE          viewer, forecaster or admin (forecaster)\n"
    "      --expires TIME       such as 90d, 12h or 30m (90d); 0: never\n"
    "      --state DIR          the server's state folder\n"
    "                           ($XDG_STATE_HOME/virga or ~/.local/state/virga)\n"
    "  -c, --config FILE        the server's configuration file, where that names the folder\n"
    "  -h, --help\n"
    "\n"
    "Examples:\n"
    "  virga token create --name ada --role forecaster --expires 90d\n"
    "  virga token list\n"
    "  virga token revoke 3\n"
    "\n"
    "Exit status: 0 done, 1 failed, 2 wrong use.\n";

static const struct option_spec specs[] = {{"help", 'h', false}, {"config", 'c', true}, {"state", 0, true}, {"name", 0, true}, {"role", 0, true},
                                           {"expires", 0, true}, {"log-level", 0, true}, {"log-format", 0, true}, {NULL, 0, false}};

struct token_flags {
    const char *name;
    enum access_role role;
    double expires;  // seconds from now; 0: never
    bool making;     // an option was given that only create has
};

static int take(void *user, const char *name, const char *value, struct failure *failure) {
    struct token_flags *flags = user;
    flags->making = true;
    if (!strcmp(name, "name")) {
        flags->name = value;
        return access_name_valid(value) ? VIRGA_OK
                                        : failure_set(failure, VIRGA_INVALID, "--name: a name has 1 to %d bytes of UTF-8, no control characters and no space at its ends, and is not \"%s\"",
                                                      ACCESS_NAME, ACCESS_LOCAL);
    }
    if (!strcmp(name, "role")) return access_role_parse(value, &flags->role) ? VIRGA_OK : failure_set(failure, VIRGA_INVALID, "--role %.40s: viewer, forecaster or admin", value);
    return config_parse_time(value, &flags->expires) ? VIRGA_OK : failure_set(failure, VIRGA_INVALID, "--expires %.40s: a time such as 90d, 12h or 30m; 0: never", value);
}


static const char *day(double seconds, const char *none, char text[32]) {
    time_t whole = (time_t)seconds;
    struct tm t;
    if (!(seconds > 0) || !gmtime_r(&whole, &t)) return none;
    strftime(text, 32, "%Y-%m-%d %H:%M", &t);
    return text;
}

static int create_token(sqlite3 *handle, const struct token_flags *flags, struct failure *failure) {
    char text[SECRET_TEXT + 1], until[32];
    double now = clock_wall();
    struct access_token token = {.person.role = flags->role, .created = now, .expires = flags->expires > 0 ? now + flags->expires : 0};
    snprintf(token.person.name, sizeof token.person.name, "%s", flags->name);
    if (!secret_make(text)) return failure_set(failure, VIRGA_IO, "the kernel gives no random numbers");
    sha256(text, SECRET_TEXT, token.hash);
    int status = access_store_add_token(handle, &token, failure);
    if (!status) {
        fprintf(stderr, "token %lld of %s (%s), valid until %s UTC; it is shown this once:\n", (long long)token.id, token.person.name, access_role_name(token.person.role),
                day(token.expires, "it is revoked, in", until));
        if (puts(text) < 0 || fflush(stdout)) status = failure_set(failure, VIRGA_IO, "cannot write the token; revoke number %lld", (long long)token.id);
    }
    explicit_bzero(text, sizeof text);
    return status;
}

static int list_tokens(sqlite3 *handle, struct failure *failure) {
    struct access_token *tokens;
    struct access_login *logins;
    size_t count, login_count;
    int status = access_store_load(handle, &tokens, &count, &logins, &login_count, failure);
    if (status) return status;
    double now = clock_wall();
    printf("%6s  %-10s  %-16s  %-16s  %-10s  %-8s  %s\n", "number", "role", "created", "expires", "last used", "state", "name");
    for (size_t i = 0; i < count; i++) {
        const struct access_token *t = &tokens[i];
        char created[32], expires[32], used[32];
        const char *state = t->revoked > 0 ? "revoked" : t->expires > 0 && now >= t->expires ? "expired" : "valid";
        printf("%6lld  %-10s  %-16s  %-16s  %-10.10s  %-8s  %s\n", (long long)t->id, access_role_name(t->person.role), day(t->created, "", created), day(t->expires, "never", expires),
               day(t->used, "never", used), state, t->person.name);
    }
    free(tokens);
    free(logins);
    return ferror(stdout) || fflush(stdout) ? failure_set(failure, VIRGA_IO, "cannot write the list") : VIRGA_OK;
}

static int revoke_token(sqlite3 *handle, const char *text, struct failure *failure) {
    int number;
    if (!config_parse_integer(text, 1, 2147483647, &number)) return failure_set(failure, VIRGA_INVALID, "revoke: name the token's number, which `virga token list` shows");
    int status = access_store_revoke(handle, number, clock_wall(), failure);
    if (!status) printf("token %d is revoked\n", number);
    return status;
}

enum token_action { NO_ACTION, CREATE, LIST, REVOKE };

static enum token_action action_of(const struct config *config) {
    static const char *const names[] = {[CREATE] = "create", [LIST] = "list", [REVOKE] = "revoke"};
    for (enum token_action a = CREATE; config->path_count && a <= REVOKE; a++)
        if (!strcmp(config->paths[0], names[a])) return a;
    return NO_ACTION;
}

static int run(const struct command_line *line, const struct config *config, const struct token_flags *flags, enum token_action action) {
    struct failure failure = {0};
    struct state_database *database = NULL;
    sqlite3 *handle = NULL;
    int reason = action == CREATE ? folder_make(config->state_dir, 0700) : access(config->state_dir, F_OK) ? errno : 0;
    if (reason) failure_set(&failure, VIRGA_IO, "the state folder %.300s: %s; name the server's with --state", config->state_dir, strerror(reason));
    int status = reason ? failure.status : state_database_open_beside(config->state_dir, &database, &failure);
    if (!status) status = state_database_connect(database, &handle, &failure);
    if (!status && action == CREATE) status = create_token(handle, flags, &failure);
    if (!status && action == LIST) status = list_tokens(handle, &failure);
    if (!status && action == REVOKE) status = revoke_token(handle, config->paths[1], &failure);
    sqlite3_close(handle);
    state_database_close(database);
    return status ? command_line_failed(line, &failure) : EXIT_DONE;
}

int command_token(int argc, char **argv) {
    struct token_flags flags = {.role = ACCESS_FORECASTER, .expires = 90 * (double)ACCESS_DAY};
    struct command_line line = {.name = "token", .help = help, .specs = specs, .take = take, .user = &flags};
    struct config config;
    int done = command_line_read(&line, argc, argv, &config);
    if (done < 0) {
        enum token_action action = action_of(&config);
        if (action == NO_ACTION || config.path_count != (action == REVOKE ? 2 : 1)) done = command_line_wrong(&line, "say create, list, or revoke and a token's number");
        else if (action == CREATE && !flags.name) done = command_line_wrong(&line, "create: say whose it is with --name");
        else if (action != CREATE && flags.making) done = command_line_wrong(&line, "--name, --role and --expires go with create");
        else done = run(&line, &config, &flags, action);
    }
    config_destroy(&config);
    return done;
}
