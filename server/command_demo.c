// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/commands.h"
#include "server/demo_forecast.h"
#include "server/options.h"

static const char help[] =
    "Usage: virga demo --out DIR [options]\n"
    "\n"
    "Writes a made-up CF forecast, a cyclone that crosses the British Isles: one netCDF-4 file a run, hourly steps.\n"
    "\n"
    "  --out DIR           folder for virga-demo_*.nc; made if absent; left alone if it holds this forecast already\n"
    "  --size SIZE         small (160x200 columns, 38 levels, 13 steps; the default), ukv (621x810, 37 levels, 36 steps),\n"
    "                      or NXxNYxNZxNT\n"
    "  --runs N            runs, 6 hours apart; 2, for ukv 1\n"
    "  --variables A,B,…   some of the names below, or all; for ukv cloud fraction and temperature\n"
    "  --deflate LEVEL     0 (none) to 9; 1\n"
    "  --start TIME        reference time of the first run, such as 2026-04-18T00Z, the default\n"
    "  --force             replace another demonstration in DIR\n"
    "  --quiet             no progress lines\n"
    "\n"
    "Examples:\n"
    "  virga demo --out /tmp/demo && virga serve /tmp/demo\n"
    "  virga demo --out /tmp/ukv --size ukv --variables air_temperature\n"
    "\n"
    "Example:\n"
    "  virga demo --out build/demo-forecast && virga serve build/demo-forecast\n"
    "\n"
    "Variables:\n";

static int help_to(FILE *stream) {
    fputs(help, stream);
    for (int v = 0; v < DEMO_VARIABLE_COUNT; v++) fprintf(stream, "  %-44s %s\n", demo_variables[v].name, demo_variables[v].long_name);
    return EXIT_DONE;
}

static int wrong(const char *what, const char *value, const char *wanted) {
    fprintf(stderr, "virga demo: %s '%s': %s; see virga demo --help\n", what, value, wanted);
    return EXIT_WRONG_USE;
}

// A whole number within limits, ended by `end`; NULL if it is not one, else the place after it.
static const char *take_number(const char *text, char end, int least, int most, int *value) {
    char *after;
    if (*text < '0' || *text > '9') return NULL;
    errno = 0;
    long number = strtol(text, &after, 10);
    if (errno || number < least || number > most || *after != end) return NULL;
    *value = (int)number;
    return end ? after + 1 : after;
}

struct arguments {
    struct demo_plan plan;
    const char *size;
    int runs;  // 0: as the size has it
    bool variables, quiet;
};

static bool take_size(struct demo_plan *plan, const char *size) {
    if (strcmp(size, "small") == 0) size = "160x200x38x13";
    if (strcmp(size, "ukv") == 0) size = "621x810x37x36";
    const char *at = take_number(size, 'x', 2, 20000, &plan->nx);
    if (at) at = take_number(at, 'x', 2, 20000, &plan->ny);
    if (at) at = take_number(at, 'x', 1, 500, &plan->nk);
    return at && take_number(at, 0, 1, 1000, &plan->nt);
}

static bool take_variables(struct arguments *arguments, const char *list) {
    arguments->variables = true;
    memset(arguments->plan.wanted, 0, sizeof arguments->plan.wanted);
    for (const char *end = list; *end; list = end + 1) {
        end = strchrnul(list, ',');
        size_t length = (size_t)(end - list);
        bool known = false;
        for (int v = 0; v < DEMO_VARIABLE_COUNT; v++) {
            bool all = length == 3 && strncmp(list, "all", 3) == 0;
            if (!all && (strncmp(demo_variables[v].name, list, length) != 0 || demo_variables[v].name[length])) continue;
            arguments->plan.wanted[v] = known = true;
        }
        if (!known) return false;
    }
    return true;
}

// ISO 8601 with an hour and Z: 2026-04-18T00Z, 2026-04-18T00:00Z.
static bool take_start(struct demo_plan *plan, const char *text) {
    struct tm utc = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H", &utc);
    if (end && strncmp(end, ":00", 3) == 0) end += 3;
    if (end && strncmp(end, ":00", 3) == 0) end += 3;
    if (!end || strcmp(end, "Z") != 0) return false;
    plan->start = timegm(&utc);
    return utc.tm_year >= 0;
}

enum { OPTION_OUT, OPTION_SIZE, OPTION_RUNS, OPTION_VARIABLES, OPTION_DEFLATE, OPTION_START, OPTION_FORCE, OPTION_QUIET, OPTION_HELP };
static const struct option_spec specs[] = {
    [OPTION_OUT] = {"out", 'o', true},         [OPTION_SIZE] = {"size", 0, true},       [OPTION_RUNS] = {"runs", 0, true},
    [OPTION_VARIABLES] = {"variables", 0, true}, [OPTION_DEFLATE] = {"deflate", 0, true}, [OPTION_START] = {"start", 0, true},
    [OPTION_FORCE] = {"force", 0, false},      [OPTION_QUIET] = {"quiet", 0, false},    [OPTION_HELP] = {"help", 'h', false}, {0}};

static int take_option(struct arguments *arguments, long option, const char *value) {
    struct demo_plan *plan = &arguments->plan;
    switch (option) {
    case OPTION_OUT: plan->folder = value; break;
    case OPTION_SIZE:
        arguments->size = value;
        if (!take_size(plan, value)) return wrong("--size", value, "expected small, ukv or NXxNYxNZxNT such as 100x120x30x6");
        break;
    case OPTION_RUNS:
        if (!take_number(value, 0, 1, 100, &arguments->runs)) return wrong("--runs", value, "expected 1 to 100");
        break;
    case OPTION_VARIABLES:
        if (!take_variables(arguments, value)) return wrong("--variables", value, "a name in this list is not one of the forecast's");
        break;
    case OPTION_DEFLATE:
        if (!take_number(value, 0, 0, 9, &plan->deflate)) return wrong("--deflate", value, "expected 0 to 9");
        break;
    case OPTION_START:
        if (!take_start(plan, value)) return wrong("--start", value, "expected a whole hour such as 2026-04-18T00Z");
        break;
    case OPTION_FORCE: plan->force = true; break;
    case OPTION_QUIET: arguments->quiet = true; break;
    default: break;
    }
    return EXIT_DONE;
}

static void take_defaults(struct arguments *arguments) {
    struct demo_plan *plan = &arguments->plan;
    bool ukv = strcmp(arguments->size, "ukv") == 0;
    plan->runs = arguments->runs ? arguments->runs : ukv ? 1 : 2;
    if (arguments->variables) return;
    for (int v = 0; v < DEMO_VARIABLE_COUNT; v++) plan->wanted[v] = !ukv || v == DEMO_CLOUD || v == DEMO_TEMPERATURE;
}

static volatile sig_atomic_t stopped;

static void stop(int signal_number) {
    (void)signal_number;
    stopped = 1;
}

static bool show_progress(void *context, const char *file, int run, int step) {
    const struct arguments *arguments = context;
    const struct demo_plan *plan = &arguments->plan;
    int done = run * plan->nt + step + 1, all = plan->runs * plan->nt;
    bool terminal = isatty(2);
    const char *name = strrchr(file, '/');
    bool line = terminal || (step + 1) % 6 == 0 || step + 1 == plan->nt;  // a log needs no line for each step
    if (arguments->quiet || !line) return !stopped;
    fprintf(stderr, "%svirga demo: %s: step %d of %d (%d %%)%s", terminal ? "\r" : "", name ? name + 1 : file, step + 1, plan->nt, 100 * done / all,
            terminal && step + 1 < plan->nt && !stopped ? "" : "\n");
    return !stopped;
}

static int write_forecast(struct arguments *arguments) {
    struct sigaction action = {.sa_handler = stop}, before_int, before_term;
    struct failure failure;
    enum demo_outcome outcome;
    sigaction(SIGINT, &action, &before_int);
    sigaction(SIGTERM, &action, &before_term);
    int status = demo_forecast_write(&arguments->plan, show_progress, arguments, &outcome, &failure);
    sigaction(SIGINT, &before_int, NULL);
    sigaction(SIGTERM, &before_term, NULL);
    if (status != VIRGA_OK) {
        fprintf(stderr, "virga demo: %s\n", failure.message);
        return EXIT_FAILED;
    }
    if (!arguments->quiet)
        fprintf(stderr, "virga demo: %s %s\n", arguments->plan.folder, outcome == DEMO_ALREADY_THERE ? "holds this forecast already; nothing was written" : "is ready");
    return EXIT_DONE;
}

int command_demo(int argc, char **argv) {
    struct arguments arguments = {.size = "small", .plan = {.run_spacing = 6, .deflate = 1, .start = 1776470400}};
    struct options options;
    const struct option_spec *spec;
    const char *value;
    struct failure failure;
    int found;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    arguments.plan.threads = processors < 1 ? 1 : processors > 16 ? 16 : (int)processors;
    take_size(&arguments.plan, "small");
    options_init(&options, specs, argc, argv);
    while ((found = options_next(&options, &spec, &value, &failure)) == 1) {
        if (spec == &specs[OPTION_HELP]) return help_to(stdout);
        int status = take_option(&arguments, spec - specs, value);
        if (status != EXIT_DONE) return status;
    }
    if (found == 2) return wrong("unexpected argument", value, "the folder is named with --out");
    if (found < 0) {
        fprintf(stderr, "virga demo: %s; see virga demo --help\n", failure.message);
        return EXIT_WRONG_USE;
    }
    if (!arguments.plan.folder || !*arguments.plan.folder) return wrong("--out", "", "say where to write, for example --out build/demo-forecast");
    take_defaults(&arguments);
    return write_forecast(&arguments);
}
