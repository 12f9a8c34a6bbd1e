// SPDX-License-Identifier: Apache-2.0
// A dataset made by hand, without files: two runs, of volumes and 2-D variables, with members.
#ifndef VIRGA_TESTS_MADE_DATASET_H
#define VIRGA_TESTS_MADE_DATASET_H

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "field/catalog_private.h"

enum { MADE_TA, MADE_CLOUD, MADE_ORO, MADE_WIND, MADE_HIDDEN, MADE_VARIABLES, MADE_RUNS = 2, MADE_STEPS = 3, MADE_MEMBERS = 3 };

struct made_dataset {
    struct catalog catalog;
    struct catalog_dataset dataset;
    struct grid grid;
    struct dataset_shared shared;
    struct level_map map;
    struct catalog_variable variables[MADE_VARIABLES];
    struct variable_source from[MADE_VARIABLES];
    struct run_source sources[MADE_VARIABLES][MADE_RUNS];
    struct field_step steps[MADE_VARIABLES][MADE_RUNS][MADE_STEPS * MADE_MEMBERS];
    struct catalog_run runs[MADE_RUNS];
    struct catalog_series series[MADE_RUNS][MADE_VARIABLES];
    struct catalog_time times[MADE_RUNS][MADE_STEPS];
};

static char *made_members[] = {"0", "1", "2"}, *made_none[] = {""};

// 2009-11-19 at `hour`.
static inline struct catalog_time made_time(int hour)
{
    struct catalog_time time = {.seconds = 1258588800.0 + 3600 * hour};
    snprintf(time.iso, sizeof time.iso, "2009-11-19T%02d:00:00Z", hour);
    return time;
}

static inline void made_variable(struct made_dataset *made, int index, const char *id, const char *standard_name, const char *units, bool vertical)
{
    struct catalog_variable *v = &made->variables[index];
    *v = (struct catalog_variable){.id = (char *)id, .name = (char *)id, .standard_name = (char *)standard_name, .long_name = "", .units = (char *)units,
                                   .valid = {-INFINITY, INFINITY}, .vertical = vertical, .nx = 10, .ny = 10, .nz = vertical ? 5 : 1, .member_count = 1,
                                   .members = made_none, .calendar = "standard", .lattice = {0, 0.1, 0.05}, .level_map = vertical ? &made->map : NULL,
                                   .from = &made->from[index]};
    made->from[index] = (struct variable_source){.shared = &made->shared, .u = NO_VARIABLE, .v = NO_VARIABLE, .runs = made->sources[index]};
}

static inline void made_series(struct made_dataset *made, int run, int index, size_t steps)
{
    made->series[run][index] = (struct catalog_series){.present = steps > 0, .time_count = steps, .times = made->times[run]};
    made->sources[index][run] = (struct run_source){.step_count = steps, .steps = made->steps[index][run]};
}

// ta (three members), cloud (in the later run only), oro (2-D, the first step only), wind, and one that is not on offer. Runs of 03 and 09
// UTC with steps each hour from the run on.
static inline void made_dataset_init(struct made_dataset *made)
{
    memset(made, 0, sizeof *made);
    made->map.lowest = 10;
    made->map.highest = 16000;
    made->grid = (struct grid){.x = {.n = 10}, .y = {.n = 10}, .angular = true, .corners = {{0, 50}, {9, 50}, {9, 59}, {0, 59}}};
    strcpy(made->grid.proj, "+proj=longlat +R=6371229 +no_defs");
    made_variable(made, MADE_TA, "ta", "air_temperature", "K", true);
    made_variable(made, MADE_CLOUD, "cloud", "cloud_area_fraction_in_atmosphere_layer", "1", true);
    made_variable(made, MADE_ORO, "oro", "surface_altitude", "m", false);
    made_variable(made, MADE_WIND, "wind", "wind_speed", "m s-1", true);
    made_variable(made, MADE_HIDDEN, "ps", "surface_air_pressure", "Pa", false);
    made->variables[MADE_HIDDEN].hidden = true;
    made->variables[MADE_TA].member_count = MADE_MEMBERS;
    made->variables[MADE_TA].members = made_members;
    made->from[MADE_TA].members_apart = true;
    for (int run = 0; run < MADE_RUNS; run++) {
        for (int step = 0; step < MADE_STEPS; step++)
            made->times[run][step] = made_time(3 + 6 * run + step);
        made->runs[run] = (struct catalog_run){.time = made_time(3 + 6 * run), .complete = true, .series = made->series[run]};
        for (int v = 0; v < MADE_VARIABLES; v++)
            made_series(made, run, v, v == MADE_CLOUD && run == 0 ? 0 : v == MADE_ORO ? 1 : MADE_STEPS);
    }
    made->dataset = (struct catalog_dataset){.id = "made", .title = "made", .grid = &made->grid, .variable_count = MADE_VARIABLES, .variables = made->variables,
                                             .run_count = MADE_RUNS, .runs = made->runs, .latest = MADE_RUNS - 1, .terrain = MADE_ORO};
    made->shared.dataset = &made->dataset;
    made->catalog = (struct catalog){.dataset_count = 1, .datasets = &made->dataset};
}

#endif
