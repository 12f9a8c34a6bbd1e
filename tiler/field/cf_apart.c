// SPDX-License-Identifier: Apache-2.0
#include "field/cf_apart.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "field/cf_attributes.h"
#include "field/cf_file.h"

enum { WORDS_MAX = 256 };

// The statistic over time in "area: mean time: maximum (interval: 1 hour)". A sum is none: where nothing has fallen yet it is left away.
static void add_statistic(const struct source_variable *v, char words[WORDS_MAX]) {
    static const char *const statistics[] = {"maximum", "minimum", "mean", "median", "standard_deviation", "variance", "range", "mid_range", NULL};
    const char *at = cf_text_or_empty(v, "cell_methods");
    size_t length;
    bool of_time = false;
    for (const char *word; (word = cf_next_word(&at, &length));) {
        if (word[0] == '(') break;  // comments; what follows them is read as none
        if (word[length - 1] == ':') {
            of_time = length >= 5 && strncasecmp(word, "time", 4) == 0;
            continue;
        }
        for (size_t n = 0; of_time && statistics[n]; n++)
            if (length == strlen(statistics[n]) && strncasecmp(word, statistics[n], length) == 0) snprintf(words, WORDS_MAX, "%s over time", statistics[n]);
        of_time = false;
    }
}

// Single numbers that choose one of several fields, and are neither a place nor a time nor a member.
static bool chooses(const struct source *source, const struct source_variable *c) {
    static const char *const names[] = {"percentile", "quantile", "threshold", "wavelength", "radiation_wavelength", NULL};
    bool single = c->type <= SOURCE_F64 && cf_is_scalar(source, c), named = false;
    for (size_t n = 0; single && !named && names[n]; n++)
        named = strcasecmp(cf_base_name(c->name), names[n]) == 0 || cf_text_is(c, "standard_name", names[n]) || cf_text_is(c, "long_name", names[n]);
    return named;
}

static void add_number(struct source *source, size_t index, char words[WORDS_MAX]) {
    const struct source_variable *c = &source_inventory(source)->variables[index];
    const char *units = cf_text_or_empty(c, "units");
    double *values = NULL;
    size_t count = 0, used = strlen(words);
    if (cf_file_numbers(source, index, 1, &values, &count, NULL) == VIRGA_OK && count == 1 && isfinite(values[0]))
        snprintf(words + used, WORDS_MAX - used, "%s%.60s %.6g%s%.30s", used ? ", " : "", cf_base_name(c->name), values[0], *units && strcmp(units, "1") ? " " : "",
                 strcmp(units, "1") ? units : "");
    free(values);
}

char *cf_apart(struct source *source, const struct source_variable *v) {
    const struct source_inventory *inventory = source_inventory(source);
    char words[WORDS_MAX] = "";
    const char *at = cf_text_or_empty(v, "coordinates");
    add_statistic(v, words);
    for (int n; (n = cf_next_variable(source, v, &at)) != CF_NO_VARIABLE;)
        if (chooses(source, &inventory->variables[n])) add_number(source, (size_t)n, words);
    return strdup(words);
}
