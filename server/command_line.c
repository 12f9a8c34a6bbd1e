// SPDX-License-Identifier: Apache-2.0
#include "server/command_line.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "server/commands.h"

int command_line_wrong(const struct command_line *line, const char *format, ...) {
    va_list arguments;
    fprintf(stderr, "virga %s: ", line->name);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\nTry \"virga %s --help\".\n", line->name);
    return EXIT_WRONG_USE;
}

int command_line_failed(const struct command_line *line, const struct failure *failure) {
    fprintf(stderr, "virga %s: %s\n", line->name, failure->message);
    return failure->status == VIRGA_INVALID ? EXIT_WRONG_USE : EXIT_FAILED;
}

static bool is_setting(const char *name) {
    for (int k = 0; k < CONFIG_PATHS; k++)
        if (!strcmp(config_key_name((enum config_key)k), name)) return true;
    return false;
}

// First pass: is all known, is help wanted, and which file? 1 go on, 0 help, or a failure.
static int look_ahead(const struct command_line *line, int argc, char **argv, const char **file, struct failure *failure) {
    struct options options;
    const struct option_spec *spec;
    const char *value;
    int kind;
    options_init(&options, line->specs, argc, argv);
    while ((kind = options_next(&options, &spec, &value, failure)) > 0) {
        if (kind == 1 && !strcmp(spec->name, "help")) return 0;
        if (kind == 1 && !strcmp(spec->name, "config")) *file = value;
    }
    return kind < 0 ? kind : 1;
}

// Second pass: flags and paths take effect, after files and environment.
static int take_all(const struct command_line *line, int argc, char **argv, struct config *config, struct failure *failure) {
    struct options options;
    const struct option_spec *spec;
    const char *value;
    int kind, status = VIRGA_OK;
    options_init(&options, line->specs, argc, argv);
    while (status == VIRGA_OK && (kind = options_next(&options, &spec, &value, failure)) > 0) {
        if (kind == 2) status = config_set(config, "paths", value, failure);
        else if (is_setting(spec->name)) status = config_set(config, spec->name, value, failure);
        else if (strcmp(spec->name, "config") && line->take) status = line->take(line->user, spec->name, value, failure);
    }
    return status;
}

static int read_all(const struct command_line *line, int argc, char **argv, const char *file, struct config *config, struct failure *failure) {
    int status = config_read_all(config, file, failure);
    if (status == VIRGA_OK) status = take_all(line, argc, argv, config, failure);
    if (strcmp(line->name, "serve")) config->engine_for_each_user = false;  // there is one
    return status;
}

int command_line_reread(const struct command_line *line, int argc, char **argv, struct config *config, struct failure *failure) {
    struct command_line quiet = *line;
    const char *file = NULL;
    quiet.take = NULL;
    config_defaults(config);
    int ahead = look_ahead(line, argc, argv, &file, failure);
    return ahead < 0 ? ahead : read_all(&quiet, argc, argv, file, config, failure);
}

int command_line_read(const struct command_line *line, int argc, char **argv, struct config *config) {
    struct failure failure = {0};
    const char *file = NULL;
    config_defaults(config);
    int ahead = look_ahead(line, argc, argv, &file, &failure);
    if (ahead == 0) return fputs(line->help, stdout) < 0 || fputs(line->more_help ? line->more_help : "", stdout) < 0 || fflush(stdout) ? EXIT_FAILED : EXIT_DONE;
    int status = ahead < 0 ? ahead : read_all(line, argc, argv, file, config, &failure);
    if (status != VIRGA_OK) return command_line_wrong(line, "%s", failure.message);
    log_configure(config->log_level, config->log_json);
    return -1;
}
