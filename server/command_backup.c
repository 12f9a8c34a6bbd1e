// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "server/command_line.h"
#include "server/commands.h"
#include "server/state_backup.h"

static const char help[] =
    "Usage: virga backup [OPTION…] --out FOLDER\n"
    "\n"
    "Copies what a server remembers (pins with their history, exports, tokens) into a new\n"
    "folder, while the server runs or not: the database as it is at one moment, and\n"
    "the frames of exports.\n"
    "\n"
    "  -o, --out FOLDER         where to; it must not be there yet\n"
    "      --without-exports    leave the frames of exports out\n"
    "      --state DIR          the state folder to copy\n"
    "  -c, --config FILE        the configuration file that names it\n"
    "  -h, --help\n"
    "\n"
    "To go back, stop the server, put the copy in the place of its state folder, and start\n"
    "it; or try the copy with virga serve --state FOLDER.\n"
    "\n"
    "Example:\n"
    "  virga backup --out \"/backup/virga-$(date +%F)\"\n"
    "\n"
    "Exit status: 0 done, 1 failed, 2 wrong use.\n";

static const struct option_spec specs[] = {{"help", 'h', false},  {"config", 'c', true}, {"state", 0, true}, {"out", 'o', true}, {"without-exports", 0, false},
                                           {"log-level", 0, true}, {"log-format", 0, true}, {NULL, 0, false}};

struct backup_flags {
    const char *out;
    bool without_exports;
};

static int take(void *user, const char *name, const char *value, struct failure *failure) {
    struct backup_flags *flags = user;
    (void)failure;
    if (!strcmp(name, "out")) flags->out = value;
    else flags->without_exports = true;
    return VIRGA_OK;
}

static int run(const struct command_line *line, const struct config *config, const struct backup_flags *flags) {
    struct state_backup made;
    struct failure failure = {0};
    if (state_backup_make(config->state_dir, flags->out, !flags->without_exports, &made, &failure)) return command_line_failed(line, &failure);
    printf("virga backup: %s holds %zu file%s, %.1f MiB, of %s\n", flags->out, made.files, made.files == 1 ? "" : "s", (double)made.bytes / 1048576, config->state_dir);
    return fflush(stdout) ? EXIT_FAILED : EXIT_DONE;
}

int command_backup(int argc, char **argv) {
    struct backup_flags flags = {.out = NULL};
    struct command_line line = {.name = "backup", .help = help, .specs = specs, .take = take, .user = &flags};
    struct config config;
    int done = command_line_read(&line, argc, argv, &config);
    if (done < 0 && !flags.out) done = command_line_wrong(&line, "name the folder with --out");
    else if (done < 0) done = run(&line, &config, &flags);
    config_destroy(&config);
    return done;
}
