// SPDX-License-Identifier: Apache-2.0
#include "server/metrics_text.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct metrics_text {
    FILE *out;
    char *text;
    size_t size;
    const char *name;  // of the family under way
};

struct metrics_text *metrics_text_new(void) {
    struct metrics_text *text = calloc(1, sizeof *text);
    if (text && !(text->out = open_memstream(&text->text, &text->size))) {
        free(text);
        return NULL;
    }
    return text;
}

char *metrics_text_end(struct metrics_text *text) {
    if (!text) return NULL;
    bool failed = ferror(text->out);
    failed |= fclose(text->out) != 0;
    char *all = text->text;
    free(text);
    if (!failed) return all;
    free(all);
    return NULL;
}

void metrics_text_family(struct metrics_text *text, const char *name, const char *type, const char *help) {
    text->name = name;
    fprintf(text->out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void write_value(FILE *out, double value) {
    if (isnan(value)) fputs(" NaN\n", out);
    else if (isinf(value)) fputs(value > 0 ? " +Inf\n" : " -Inf\n", out);
    else fprintf(out, " %.17g\n", value);
}

void metrics_text_number(struct metrics_text *text, const char *labels, double value) {
    fputs(text->name, text->out);
    if (labels) fprintf(text->out, "{%s}", labels);
    write_value(text->out, value);
}

void metrics_text_histogram(struct metrics_text *text, const char *labels, const struct histogram *histogram) {
    uint64_t below[HISTOGRAM_CLASSES];
    double sum = histogram_read(histogram, below);
    const char *open = labels ? "{" : "", *close = labels ? "}" : "", *comma = labels ? "," : "";
    if (!labels) labels = "";
    for (int n = 0; n < HISTOGRAM_CLASSES; n++) {
        double bound = histogram_bound(n);
        fprintf(text->out, "%s_bucket{%s%sle=\"", text->name, labels, comma);
        if (isinf(bound)) fputs("+Inf", text->out);
        else fprintf(text->out, "%g", bound);
        fprintf(text->out, "\"} %llu\n", (unsigned long long)below[n]);
    }
    fprintf(text->out, "%s_sum%s%s%s", text->name, open, labels, close);
    write_value(text->out, sum);
    fprintf(text->out, "%s_count%s%s%s %llu\n", text->name, open, labels, close, (unsigned long long)below[HISTOGRAM_CLASSES - 1]);
}

const char *metrics_text_label(char *out, size_t room, const char *name, const char *value) {
    int n = snprintf(out, room, "%s=\"", name);
    size_t at = n < 0 ? 0 : (size_t)n;
    for (const char *c = value; *c && at + 4 < room; c++) {
        if (strchr("\\\"\n", *c)) out[at++] = '\\';
        out[at++] = *c == '\n' ? 'n' : *c;
    }
    if (at + 2 <= room) memcpy(out + at, "\"", 2);
    return out;
}
