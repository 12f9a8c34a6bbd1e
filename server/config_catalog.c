// SPDX-License-Identifier: Apache-2.0
// Settings of what is on offer: which run is the latest, which are kept, and how new files are noticed.
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/config_private.h"

// "T+48", "T+48h".
static bool parse_lead(const char *text, double *seconds) {
    char *end;
    double hours = !strncmp(text, "T+", 2) && isdigit((unsigned char)text[2]) ? strtod(text + 2, &end) : NAN;
    if (!(hours > 0 && hours <= 87600) || (*end == 'h' ? end[1] : *end)) return false;
    *seconds = 3600 * hours;
    return true;
}

static const char *set_expected_steps(struct config *config, const char *value) {
    struct catalog_rules *rules = &config->rules;
    double lead = 0;
    int count = 0;
    if (strcmp(value, "auto") && !parse_lead(value, &lead) && !config_parse_integer(value, 1, 1000000, &count))
        return "auto (those of the run before), how many steps a complete run has, or the lead time of its last one, such as T+48";
    rules->expected_steps = (size_t)count;
    rules->expected_lead = lead;
    return NULL;
}

static void print_expected(FILE *out, const struct config *config) {
    const struct catalog_rules *rules = &config->rules;
    if (rules->expected_steps) fprintf(out, "%zu", rules->expected_steps);
    else if (rules->expected_lead > 0) fprintf(out, "T+%.15g", rules->expected_lead / 3600);
    else fputs("auto", out);
}

static const char *set_keep_runs(struct config *config, const char *value) {
    int count;
    if (!config_parse_integer(value, 0, 20000, &count)) return "how many of the newest runs are on offer, from 1 to 20000; 0: all";
    config->rules.keep_runs = (size_t)count;
    return NULL;
}

static void print_keep_runs(FILE *out, const struct config *c) { fprintf(out, "%zu", c->rules.keep_runs); }

static const char *set_stale_after(struct config *config, const char *value) {
    double seconds = 0;
    if (strcmp(value, "auto") && !(config_parse_time(value, &seconds) && seconds > 0)) return "auto (twice the usual time between runs), or a time such as 12h or 90m";
    config->stale_after = seconds;
    return NULL;
}

static void print_stale_after(FILE *out, const struct config *c) {
    if (c->stale_after > 0) config_print_time(out, c->stale_after);
    else fputs("auto", out);
}

const struct config_setting config_catalog_settings[CONFIG_KEY_COUNT] = {
    [CONFIG_LATEST] = {"latest", "VIRGA_LATEST", IS_SWITCH(rules.latest_has_step, "complete", "step", "complete (the newest run with all its steps) or step (the newest that has the step asked for)")},
    [CONFIG_EXPECTED_STEPS] = {"expected-steps", "VIRGA_EXPECTED_STEPS", .set = set_expected_steps, .print = print_expected},
    [CONFIG_KEEP_RUNS] = {"keep-runs", "VIRGA_KEEP_RUNS", .set = set_keep_runs, .print = print_keep_runs},
    [CONFIG_KEEP_TIME] = {"keep-time", "VIRGA_KEEP_TIME", IS_TIME(rules.keep_seconds, "a time such as 48h, 7d or 90m before the newest run, at most 3650d; 0: all runs are on offer")},
    [CONFIG_SCAN_SECONDS] = {"scan-seconds", "VIRGA_SCAN_SECONDS", IS_NUMBER(scan_seconds, 0.2, 86400, "seconds, from 0.2 to 86400; 0: files are looked at once, when the server starts"), .or_zero = true},
    [CONFIG_SETTLE_SECONDS] = {"settle-seconds", "VIRGA_SETTLE_SECONDS", IS_NUMBER(settle_seconds, 0, 3600, "seconds, from 0 to 3600")},
    [CONFIG_RELIST_SECONDS] = {"relist-seconds", "VIRGA_RELIST_SECONDS", IS_NUMBER(relist_seconds, 1, 86400, "seconds, from 1 to 86400; 0: they are listed once, when the server starts"), .or_zero = true},
    [CONFIG_STALE_AFTER] = {"stale-after", "VIRGA_STALE_AFTER", .set = set_stale_after, .print = print_stale_after},
};
