// SPDX-License-Identifier: Apache-2.0
// What the sub-commands share: help, options that are settings, the configuration in force, messages. Main thread.
#ifndef VIRGA_SERVER_COMMAND_LINE_H
#define VIRGA_SERVER_COMMAND_LINE_H

#include "server/config.h"
#include "server/options.h"

struct command_line {
    const char *name;                 // "serve"
    const char *help, *more_help;     // printed by --help, one behind the other; more_help may be NULL
    const struct option_spec *specs;  // of the command; options named as a setting go to the configuration
    // Takes an option that is no setting. VIRGA_OK or VIRGA_INVALID. NULL: there are none.
    int (*take)(void *user, const char *name, const char *value, struct failure *failure);
    void *user;
};

// Entries that every command with a configuration has in its specs.
#define COMMAND_LINE_SETTINGS \
    {"help", 'h', false}, {"config", 'c', true}, {"state", 0, true}, {"cache-memory", 0, true}, {"spool-limit", 0, true}, \
    {"workers", 0, true}, {"readers", 0, true}, {"reader", 0, true}, {"opendap-hosts", 0, true}, {"engine", 0, true}, {"engine-workers", 0, true}, \
    {"engine-idle", 0, true}, {"engine-memory", 0, true}, {"engine-schemes", 0, true}, {"engine-slabs", 0, true}, {"engine-product", 0, true}, \
    {"engine-python", 0, true}, {"latest", 0, true}, {"expected-steps", 0, true}, {"keep-runs", 0, true}, {"keep-time", 0, true}, \
    {"log-level", 0, true}, {"log-format", 0, true}
// What help says of them, where they are no more to the command than to virga serve.
#define COMMAND_LINE_SETTINGS_HELP \
    "      --state DIR, --cache-memory SIZE, --spool-limit SIZE, --workers N, --readers N,\n" \
    "      --opendap-hosts H, --reader PROGRAM, --engine WHERE, --engine-… VALUE,\n" \
    "      --latest RULE, --expected-steps N, --keep-runs N, --keep-time TIME,\n" \
    "      --log-level LEVEL, --log-format FORMAT\n" \
    "                           as for virga serve\n" \
    "  -c, --config FILE        the configuration file\n" \
    "  -h, --help\n"

// Reads the command line into *config (defaults, files, environment, flags; other arguments become its paths) and sets
// up the log. Returns -1 to go on, else the exit status: help was printed, or the use was wrong and was said.
// config_destroy is due in every case.
int command_line_read(const struct command_line *line, int argc, char **argv, struct config *config);
// The same configuration read anew, without a word, and nothing is set up: VIRGA_OK, or what is wrong. config_destroy is due in every case. Any thread.
int command_line_reread(const struct command_line *line, int argc, char **argv, struct config *config, struct failure *failure);
// Prints "virga NAME: MESSAGE" and a hint at the help to stderr. Returns EXIT_WRONG_USE.
int command_line_wrong(const struct command_line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
// Prints "virga NAME: MESSAGE" to stderr. Returns the exit status of that failure.
int command_line_failed(const struct command_line *line, const struct failure *failure);

#endif
