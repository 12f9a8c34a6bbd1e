// SPDX-License-Identifier: Apache-2.0
// Command-line options of one command: "--name value", "--name=value" and "-n value" in any order among the other
// arguments; "--" ends them. Main thread.
#ifndef VIRGA_SERVER_OPTIONS_H
#define VIRGA_SERVER_OPTIONS_H

#include <stdbool.h>

#include "base/status.h"

struct option_spec {
    const char *name;   // without the dashes; an array of these ends with a NULL name
    char letter;        // short form, or 0
    bool takes_value;
};

struct options {
    const struct option_spec *specs;
    int argc, at;
    char **argv;
    bool ended;  // "--" was seen
};

// argv[1 …] are looked at.
void options_init(struct options *options, const struct option_spec *specs, int argc, char **argv);
// The next one, in order. 1: an option, *spec and *value (NULL where it takes none) are set. 2: another argument, in
// *value. 0: no more. VIRGA_INVALID: unknown option (the message names the nearest one), or a value is missing or too much.
int options_next(struct options *options, const struct option_spec **spec, const char **value, struct failure *failure);

#endif
