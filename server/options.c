// SPDX-License-Identifier: Apache-2.0
#include "server/options.h"

#include <stddef.h>
#include <string.h>

enum { LONGEST = 40 };

void options_init(struct options *options, const struct option_spec *specs, int argc, char **argv) {
    *options = (struct options){.specs = specs, .argc = argc, .argv = argv, .at = 1};
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

// Letters to add, drop or replace to make one word of the other.
static size_t edit_distance(const char *a, size_t length_a, const char *b) {
    size_t row[LONGEST + 1], length_b = strlen(b);
    if (length_a > LONGEST || length_b > LONGEST) return LONGEST;
    for (size_t j = 0; j <= length_b; j++) row[j] = j;
    for (size_t i = 1; i <= length_a; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= length_b; j++) {
            size_t above = row[j];
            row[j] = least(diagonal + (a[i - 1] != b[j - 1]), least(above, row[j - 1]) + 1);
            diagonal = above;
        }
    }
    return row[length_b];
}

static int unknown(const struct options *options, const char *argument, struct failure *failure) {
    const char *nearest = NULL;
    size_t best = 4, length = strcspn(argument + 2, "=");
    for (const struct option_spec *s = options->specs; s->name; s++) {
        size_t distance = argument[1] == '-' ? edit_distance(argument + 2, length, s->name) : LONGEST;
        if (distance < best && distance < strlen(s->name)) best = distance, nearest = s->name;
    }
    if (nearest) return failure_set(failure, VIRGA_INVALID, "unknown option %s; did you mean --%s?", argument, nearest);
    return failure_set(failure, VIRGA_INVALID, "unknown option %s", argument);
}

static const struct option_spec *find(const struct option_spec *specs, const char *argument) {
    size_t length = strcspn(argument + 2, "=");
    for (; specs->name; specs++) {
        if (argument[1] == '-' && strlen(specs->name) == length && !strncmp(specs->name, argument + 2, length)) return specs;
        if (argument[1] != '-' && specs->letter && argument[1] == specs->letter && !argument[2]) return specs;
    }
    return NULL;
}

int options_next(struct options *options, const struct option_spec **spec, const char **value, struct failure *failure) {
    *spec = NULL;
    *value = NULL;
    if (options->at >= options->argc) return 0;
    const char *argument = options->argv[options->at++];
    if (!options->ended && !strcmp(argument, "--")) {
        options->ended = true;
        return options_next(options, spec, value, failure);
    }
    if (options->ended || argument[0] != '-' || !argument[1]) {
        *value = argument;
        return 2;
    }
    if (!(*spec = find(options->specs, argument))) return unknown(options, argument, failure);
    const char *equals = argument[1] == '-' ? strchr(argument, '=') : NULL;
    if (equals && !(*spec)->takes_value)
        return failure_set(failure, VIRGA_INVALID, "option --%s takes no value", (*spec)->name);
    if (!(*spec)->takes_value) return 1;
    if (!equals && options->at >= options->argc)
        return failure_set(failure, VIRGA_INVALID, "option --%s needs a value after it", (*spec)->name);
    *value = equals ? equals + 1 : options->argv[options->at++];
    return 1;
}
