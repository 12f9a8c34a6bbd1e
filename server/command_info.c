// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/app.h"
#include "server/command_line.h"
#include "server/commands.h"

static const char help[] =
    "Usage: virga info [OPTION…] PATH…\n"
    "\n"
    "Says what is in forecast files: datasets, runs, grid, variables with shape, heights,\n"
    "times and precision; and what cannot be shown, and why. A PATH is a netCDF or\n"
    "GRIB file, a Zarr store, a folder or a glob in quotes. Reads metadata and coordinates\n"
    "only.\n"
    "\n"
    "  -j, --json               for programs: one JSON object\n"
    "      --state DIR          where the precision of unknown variables is kept, if there\n"
    "      --readers N          processes that read files\n"
    "      --opendap-hosts H    a host or HOST:PORT that may be asked for datasets behind OPeNDAP\n"
    "      --engine WHERE       the Dask cluster that reads what engine addresses name; this and\n"
    "                           --engine-… as for virga serve\n"
    "      --reader PROGRAM     the reader program (virga-reader beside this one)\n"
    "      --log-level LEVEL    error, warning, info or debug\n"
    "      --log-format FORMAT  text or json\n"
    "  -c, --config FILE        the configuration file\n"
    "  -h, --help\n"
    "\n"
    "Examples:\n"
    "  virga info forecast.nc\n"
    "  virga info --json /data/ukv | jq '.datasets[].variables[].name'\n"
    "\n"
    "Exit status: 0 something can be shown, 1 nothing can, 2 wrong use.\n";

static const struct option_spec specs[] = {COMMAND_LINE_SETTINGS, {"json", 'j', false}, {NULL, 0, false}};

static int take(void *user, const char *name, const char *value, struct failure *failure) {
    (void)name, (void)value, (void)failure;
    *(bool *)user = true;
    return VIRGA_OK;
}

// Prints text that came out of a file: it must not reach a terminal's controls.
static void put(FILE *out, const char *text) {
    for (; text && *text; text++) putc((unsigned char)*text < 0x20 || *text == 0x7f ? ' ' : *text, out);
}

static void print_problems(FILE *out, const struct catalog *catalog) {
    for (size_t i = 0; i < catalog->problem_count; i++) {
        const struct catalog_problem *p = &catalog->problems[i];
        fputs("  ", out);
        put(out, p->file);
        if (p->file && p->variable) fputs(", ", out);
        put(out, p->variable);
        fputs(": ", out);
        put(out, p->reason);
        putc('\n', out);
    }
}

static void print_place(const double place[2]) {
    printf("%.2f°%c %.2f°%c", fabs(place[1]), place[1] < 0 ? 'S' : 'N', fabs(place[0]), place[0] < 0 ? 'W' : 'E');
}

static void print_axis(const struct grid *grid, const struct grid_axis *axis) {
    double spacing = axis->n > 1 ? (axis->values[axis->n - 1] - axis->values[0]) / (double)(axis->n - 1) : 0;
    const char *about = axis->regular && !grid_is_curvilinear(grid) ? "" : "about ";
    if (grid_is_curvilinear(grid)) spacing = grid->km_per_unit[axis == &grid->y] * 1000;
    if (grid->angular) printf("%s%.4g°", about, spacing);
    else if (spacing >= 1000) printf("%s%.4g km", about, spacing / 1000);
    else printf("%s%.4g m", about, spacing);
}

static void print_grid(const struct grid *grid) {
    printf("  grid    %zu × %zu columns, ", grid->x.n, grid->y.n);
    print_axis(grid, &grid->x);
    printf(" × ");
    print_axis(grid, &grid->y);
    printf("%s\n          from ", grid->wraps ? ", around the globe" : "");
    print_place(grid->corners[0]);
    printf(" to ");
    print_place(grid->corners[2]);
    printf("\n          %s\n", grid_is_curvilinear(grid) ? "curvilinear: latitude and longitude of every column" : grid->proj);
}

static void print_runs(const struct catalog_dataset *set) {
    for (size_t r = 0; r < set->run_count; r++) {
        const struct catalog_run *run = &set->runs[r];
        printf("  %s  %s", r ? "     " : "runs ", run->time.iso);
        if (!run->complete) printf("  incomplete: %zu of %zu steps", run->expected - run->missing, run->expected);
        printf("%s\n", (int)r == set->latest && set->run_count > 1 ? "  latest" : "");
    }
}

// Whether the method says more than the coordinate's own name does.
static bool method_adds_to_coordinate(const struct level_map *map) {
    if (!strcmp(map->method, "coordinate")) return false;
    size_t n = 0;
    for (const char *c = map->coordinate ? map->coordinate : ""; c[n] && (map->method[n] == c[n] || c[n] == '_'); n++) continue;
    return map->method[n] || (map->coordinate && map->coordinate[n]);
}

// A 2-D variable's place, where its file tells it.
static void print_single_level(const struct catalog_dataset *set, size_t variable) {
    struct catalog_level level;
    if (!catalog_single_level(set, variable, &level)) printf("      on the ground or at one level\n");
    else if (!strcmp(level.kind, "pressure")) printf("      at %.6g hPa\n", level.value / 100);
    else if (!strcmp(level.kind, "hybrid_height")) printf("      at the hybrid height of %.6g m\n", level.value);
    else printf("      at %.6g m above %s\n", level.value, strcmp(level.kind, "altitude") ? "the ground" : "mean sea level");
}

static void print_levels(const struct catalog_dataset *set, size_t variable) {
    const struct catalog_variable *v = &set->variables[variable];
    const struct level_map *map = v->level_map;
    if (!v->vertical || !map) {
        print_single_level(set, variable);
        return;
    }
    printf("      %zu level%s, %.0f to %.0f m above %s (", v->nz, v->nz == 1 ? "" : "s", map->lowest, map->highest,
           map->datum == DATUM_SEA ? "mean sea level" : "the ground");
    bool sigma_pressure = map->coordinate && !strcmp(map->coordinate, "hybrid_sigma_pressure");
    for (const char *c = sigma_pressure ? "hybrid sigma-pressure" : map->coordinate; c && *c; c++) putchar(*c == '_' ? ' ' : *c);
    if (method_adds_to_coordinate(map)) printf(" by %s", map->method);
    printf(")\n      heights within %.2g m below 3 km, %.2g m above", map->error_low, map->error_high);
    if (map->tested_columns == map->nx * map->ny) printf("\n");
    else printf(", by %zu of %zu columns\n", map->tested_columns, map->nx * map->ny);
}

static void print_times(const struct catalog_dataset *set, size_t variable) {
    if (!set->run_count) return;
    const struct catalog_series *s = &set->runs[set->latest].series[variable];
    if (!s->present || !s->time_count) printf("      not in the latest run\n");
    else if (s->time_count == 1) printf("      1 step, %s", s->times[0].iso);
    else printf("      %zu steps, %s to %s", s->time_count, s->times[0].iso, s->times[s->time_count - 1].iso);
    const char *calendar = set->variables[variable].calendar;
    bool usual = !calendar || !strcmp(calendar, "standard") || !strcmp(calendar, "gregorian") || !strcmp(calendar, "proleptic_gregorian");
    if (s->present && s->time_count) printf("%s%s%s\n", usual ? "" : " (", usual ? "" : calendar, usual ? "" : " calendar)");
}

static void print_variable(const struct catalog_dataset *set, size_t index) {
    const struct catalog_variable *v = &set->variables[index];
    const char *long_name = v->long_name && *v->long_name ? v->long_name : v->standard_name;
    printf("\n    ");
    put(stdout, v->name);
    printf("  [");
    put(stdout, v->units);
    printf("]%s", v->derived ? "  derived" : "");
    if (long_name && *long_name && strcmp(long_name, v->name)) fputs("  ", stdout), put(stdout, long_name);
    printf("\n      %zu × %zu × %zu", v->nx, v->ny, v->nz);
    if (v->member_count > 1) printf(", %zu members", v->member_count);
    printf(", shown within %.3g%s", v->lattice.epsilon, strcmp(v->units, "1") ? " " : "");
    put(stdout, strcmp(v->units, "1") ? v->units : "");
    putchar('\n');
    if (isfinite(v->valid[0]) || isfinite(v->valid[1])) printf("      valid from %.6g to %.6g, says its file\n", v->valid[0], v->valid[1]);
    if (v->note) printf("      note: "), put(stdout, v->note), putchar('\n');
    print_levels(set, index);
    print_times(set, index);
}

static void print_dataset(const struct catalog_dataset *set) {
    put(stdout, set->title && *set->title ? set->title : set->id);
    printf("\n  id      %s\n", set->id);
    print_runs(set);
    print_grid(set->grid);
    printf("  variables\n");
    for (size_t v = 0; v < set->variable_count; v++)
        if (!set->variables[v].hidden) print_variable(set, v);
    printf("\n");
}

static int print_text(const struct catalog *catalog) {
    for (size_t i = 0; i < catalog->dataset_count; i++) print_dataset(&catalog->datasets[i]);
    if (catalog->problem_count) printf("Not shown:\n");
    print_problems(stdout, catalog);
    return fflush(stdout) || ferror(stdout) ? EXIT_FAILED : EXIT_DONE;
}

static int print_json(const struct catalog *catalog) {
    char *text = app_catalog_json(catalog);
    if (!text) {
        fprintf(stderr, "virga info: out of memory\n");
        return EXIT_FAILED;
    }
    bool failed = puts(text) < 0 || fflush(stdout);
    free(text);
    return failed ? EXIT_FAILED : EXIT_DONE;
}

static int info(const struct config *config, bool json) {
    struct failure failure = {0};
    struct app app;
    if (app_init_catalog(&app, config, &failure) != VIRGA_OK) {
        fprintf(stderr, "virga info: %s\n", failure.message);
        return EXIT_FAILED;
    }
    int done = EXIT_DONE;
    bool empty = !app.catalog->dataset_count;
    if (empty) {
        fprintf(stderr, "virga info: nothing in these files can be shown:\n");
        print_problems(stderr, app.catalog);
    }
    if (json) done = print_json(app.catalog);
    else if (!empty) done = print_text(app.catalog);
    app_destroy(&app);
    return empty ? EXIT_FAILED : done;
}

int command_info(int argc, char **argv) {
    bool json = false;
    struct command_line line = {.name = "info", .help = help, .specs = specs, .take = take, .user = &json};
    struct config config;
    int done = command_line_read(&line, argc, argv, &config);
    if (done < 0 && !config.path_count) done = command_line_wrong(&line, "name the files or folders to look at");
    else if (done < 0) done = info(&config, json);
    config_destroy(&config);
    return done;
}
