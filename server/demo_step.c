// SPDX-License-Identifier: Apache-2.0
#include "server/demo_step.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/thread.h"

enum { MAX_THREADS = 64 };
enum phase { FILL_MESH, BALANCE_MESH, FILL_COLUMNS };

struct demo_step {
    const struct demo_grid *grid;
    const struct demo_noise *noise;
    struct demo_weather *weather;
    struct demo_cells *cells;
    struct demo_row_work *work[MAX_THREADS];
    int threads;
    const struct demo_fields *fields;  // of the computation in hand
    enum phase phase;
    int rows;
    atomic_int next_row;
};

struct share {  // what one thread is given
    struct demo_step *step;
    struct demo_row_work *work;
};

struct demo_step *demo_step_new(const struct demo_grid *grid, const struct demo_noise *noise, int threads) {
    struct demo_step *step = calloc(1, sizeof *step);
    if (!step) return NULL;
    step->grid = grid, step->noise = noise;
    step->threads = threads < 1 ? 1 : threads > MAX_THREADS ? MAX_THREADS : threads;
    step->weather = demo_weather_new(grid->nx, grid->top + 1);
    step->cells = malloc(sizeof *step->cells);
    bool whole = step->weather && step->cells;
    for (int t = 0; whole && t < step->threads; t++) whole = (step->work[t] = demo_row_work_new(grid, step->weather)) != NULL;
    if (whole) return step;
    demo_step_free(step);
    return NULL;
}

void demo_step_free(struct demo_step *step) {
    if (!step) return;
    for (int t = 0; t < MAX_THREADS; t++) demo_row_work_free(step->work[t]);
    demo_weather_free(step->weather);
    free(step->cells);
    free(step);
}

static void *take_rows(void *argument) {
    struct share *share = argument;
    struct demo_step *step = share->step;
    for (int j; (j = atomic_fetch_add(&step->next_row, 1)) < step->rows;) {
        if (step->phase == FILL_MESH) demo_weather_fill_row(step->weather, step->noise, j);
        if (step->phase == BALANCE_MESH) demo_weather_balance_row(step->weather, j);
        if (step->phase == FILL_COLUMNS)
            demo_columns_fill_row(step->grid, step->weather, step->cells, step->noise, share->work, j, step->fields);
    }
    return NULL;
}

// Rows are shared out one by one; the caller works too, so a thread that cannot be made only makes it slower.
static void run_phase(struct demo_step *step, enum phase phase, int rows) {
    pthread_t thread[MAX_THREADS];
    struct share share[MAX_THREADS];
    int made = 0;
    step->phase = phase, step->rows = rows;
    atomic_store(&step->next_row, 0);
    for (int t = 0; t < step->threads; t++) share[t] = (struct share){step, step->work[t]};
    while (made + 1 < step->threads && thread_start(&thread[made], take_rows, &share[made + 1]) == 0) made++;
    take_rows(&share[0]);
    for (int t = 0; t < made; t++) pthread_join(thread[t], NULL);
}

void demo_step_compute(struct demo_step *step, double hours, int run, double lead_hours, const struct demo_fields *fields) {
    step->fields = fields;
    demo_weather_begin(step->weather, hours, run, lead_hours);
    run_phase(step, FILL_MESH, step->weather->ny);
    run_phase(step, BALANCE_MESH, step->weather->ny);
    demo_cells_place(step->cells, step->grid, step->weather);
    run_phase(step, FILL_COLUMNS, step->grid->ny);
}
