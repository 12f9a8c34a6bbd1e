// SPDX-License-Identifier: Apache-2.0
// Settings of what is on offer: which run is the latest, which are kept, and how new files are noticed.
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/config_private.h"

const char *config_set_latest(struct config *config, const char *value) {
    if (strcmp(value, "complete") && strcmp(value, "step")) return "complete (the newest run with all its steps) or step (the newest that has the step asked for)";
    config->rules.latest_has_step = *value == 's';
    return NULL;
}

// "T+48", "T+48h".
static bool parse_lead(const char *text, double *seconds) {
    char *end;
    double hours = !strncmp(text, "T+", 2) && isdigit((unsigned char)text[2]) ? strtod(text + 2, &end) : NAN;
    if (!(hours > 0 && hours <= 87600) || (*end == 'h' ? end[1] : *end)) return false;
    *seconds = 3600 * hours;
    return true;
}

const char *config_set_expected_steps(struct config *config, const char *value) {
    struct catalog_rules *rules = &config->rules;
    double lead = 0;
    int count = 0;
    if (strcmp(value, "auto") && !parse_lead(value, &lead) && !config_parse_integer(value, 1, 1000000, &count))
        return "auto (those of the run before), how many steps a complete run has, or the lead time of its last one, such as T+48";
    rules->expected_steps = (size_t)count;
    rules->expected_lead = lead;
    return NULL;
}

const char *config_set_keep_runs(struct config *config, const char *value) {
    int count;
    if (!config_parse_integer(value, 0, 20000, &count)) return "how many of the newest runs are on offer, from 1 to 20000; 0: all";
    config->rules.keep_runs = (size_t)count;
    return NULL;
}

const char *config_set_keep_time(struct config *config, const char *value) {
    return config_parse_time(value, &config->rules.keep_seconds) ? NULL : "a time such as 48h, 7d or 90m before the newest run, at most 3650d; 0: all runs are on offer";
}

static bool parse_seconds(const char *text, double low, double high, double *seconds) {
    char *end;
    double number = isdigit((unsigned char)*text) ? strtod(text, &end) : NAN;
    if (!(number >= low && number <= high) || *end) return false;
    *seconds = number;
    return true;
}

const char *config_set_scan_seconds(struct config *config, const char *value) {
    bool zero = !strcmp(value, "0");
    if (zero) config->scan_seconds = 0;
    return zero || parse_seconds(value, 0.2, 86400, &config->scan_seconds) ? NULL : "seconds, from 0.2 to 86400; 0: files are looked at once, when the server starts";
}

const char *config_set_settle_seconds(struct config *config, const char *value) {
    return parse_seconds(value, 0, 3600, &config->settle_seconds) ? NULL : "seconds, from 0 to 3600";
}

const char *config_set_relist_seconds(struct config *config, const char *value) {
    bool zero = !strcmp(value, "0");
    if (zero) config->relist_seconds = 0;
    return zero || parse_seconds(value, 1, 86400, &config->relist_seconds) ? NULL : "seconds, from 1 to 86400; 0: they are listed once, when the server starts";
}

const char *config_set_stale_after(struct config *config, const char *value) {
    double seconds = 0;
    if (strcmp(value, "auto") && !(config_parse_time(value, &seconds) && seconds > 0)) return "auto (twice the usual time between runs), or a time such as 12h or 90m";
    config->stale_after = seconds;
    return NULL;
}

static void print_expected(FILE *out, const struct catalog_rules *rules) {
    if (rules->expected_steps) fprintf(out, "%zu", rules->expected_steps);
    else if (rules->expected_lead > 0) fprintf(out, "T+%.15g", rules->expected_lead / 3600);
    else fputs("auto", out);
}

void config_print_catalog(FILE *out, const struct config *c, enum config_key key) {
    switch (key) {
    case CONFIG_LATEST: fputs(c->rules.latest_has_step ? "step" : "complete", out); break;
    case CONFIG_EXPECTED_STEPS: print_expected(out, &c->rules); break;
    case CONFIG_KEEP_RUNS: fprintf(out, "%zu", c->rules.keep_runs); break;
    case CONFIG_KEEP_TIME: config_print_time(out, c->rules.keep_seconds); break;
    case CONFIG_SCAN_SECONDS: fprintf(out, "%g", c->scan_seconds); break;
    case CONFIG_SETTLE_SECONDS: fprintf(out, "%g", c->settle_seconds); break;
    case CONFIG_RELIST_SECONDS: fprintf(out, "%g", c->relist_seconds); break;
    case CONFIG_STALE_AFTER:
        if (c->stale_after > 0) config_print_time(out, c->stale_after);
        else fputs("auto", out);
        break;
    default: break;
    }
}
