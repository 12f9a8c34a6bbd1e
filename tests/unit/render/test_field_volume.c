// SPDX-License-Identifier: Apache-2.0
// Fields between pictures: exactly the bricks asked for, within a cap, tried again after failures that pass; and what of their cells shows,
// against looking at every place. The store reads from a stand-in for the field layer.
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "brick/brick_store_private.h"
#include "brick/lattice.h"
#include "made_columns.h"
#include "render/brick_cells.h"
#include "render/field_volume.h"

enum { NX = 150, NY = 110, NZ = 21, STEPS = 8 };

// --- The stand-in: a rough ball of high values that moves with the step, missing in a corner.

static int fail_reads;  // so many reads to come fail
static int fail_status;

static double value_at(size_t x, size_t y, size_t z, size_t step) {
    if (x < 20 && y < 20) return NAN;
    const double dx = (double)x - 40 - 8 * (double)step, dy = (double)y - 55, dz = ((double)z - 9) * 3;
    return 100 * exp(-(dx * dx + dy * dy + dz * dz) / 300) * (1 + 0.8 * sin(2.1 * (double)x) * cos(1.7 * (double)y) * sin(2.3 * (double)z)) + 0.01 * (double)(x % 7);
}

static int fake_plan(const struct field_ref *field, size_t max_bytes, struct field_box **boxes, size_t *count, struct failure *failure) {
    (void)max_bytes, (void)failure, (void)field;
    *count = 1;
    *boxes = calloc(1, sizeof **boxes);
    **boxes = (struct field_box){.nx = NX, .ny = NY, .nz = NZ};
    return VIRGA_OK;
}

static atomic_bool hangs;  // reading does not come to an end, but when it is given up

static int fake_read(const struct field_ref *field, const struct field_box *box, double *values, struct failure *failure) {
    while (atomic_load(&hangs) && !(field->stop && atomic_load(field->stop))) sched_yield();
    if (field->stop && atomic_load(field->stop)) return failure_set(failure, VIRGA_CANCELLED, "nobody wants it");
    if (__atomic_fetch_sub(&fail_reads, 1, __ATOMIC_SEQ_CST) > 0) return failure_set(failure, fail_status, "the reader of file.nc died");
    for (size_t z = 0; z < box->nz; z++)
        for (size_t y = 0; y < box->ny; y++)
            for (size_t x = 0; x < box->nx; x++) *values++ = value_at(box->x0 + x, box->y0 + y, box->z0 + z, field->step);
    return VIRGA_OK;
}

static struct catalog *fake_ref(struct catalog *catalog) { return catalog; }
static void fake_unref(struct catalog *catalog) { (void)catalog; }

static double fake_seconds;
static double fake_now(void) { return fake_seconds += 3; }  // failures are forgotten by the next question

static const struct field_access ACCESS = {.plan = fake_plan, .read = fake_read, .ref = fake_ref, .unref = fake_unref};

static struct grid grid;
static struct catalog_variable variable;
static struct catalog_series series;
static struct catalog_run run;
static struct catalog_dataset dataset;
static struct catalog catalog;

static void describe(void) {
    static double xs[NX], ys[NY];
    static char id[] = "cloud";
    for (int i = 0; i < NX; i++) xs[i] = i * 1000;
    for (int i = 0; i < NY; i++) ys[i] = i * 1000;
    grid = (struct grid){.x = {.n = NX, .values = xs}, .y = {.n = NY, .values = ys}, .km_per_unit = {0.001, 0.001}};
    variable = (struct catalog_variable){.id = id, .nx = NX, .ny = NY, .nz = NZ, .member_count = 1, .lattice = {0, lattice_step(0.05), 0.05}};
    series = (struct catalog_series){.present = true, .time_count = STEPS, .edition = "0123456789abcdef0123456789abcdef"};
    run = (struct catalog_run){.series = &series};
    dataset = (struct catalog_dataset){.grid = &grid, .variable_count = 1, .variables = &variable, .run_count = 1, .runs = &run};
    catalog = (struct catalog){.dataset_count = 1, .datasets = &dataset};
}

struct fixture {
    struct worker_pool *pool;
    struct brick_store *store;
    struct render_team *team;
    struct field_volumes *volumes;
};

static struct fixture open_volumes_for(size_t memory, const atomic_bool *stop) {
    struct fixture f;
    const int threads[LANE_COUNT] = {2, 2};
    const struct brick_store_options options = {.memory = 64 << 20};
    describe();
    fail_reads = 0;
    f.pool = worker_pool_new(threads, 10000);
    f.team = render_team_new(2, false);
    assert_int_equal(brick_store_new_with(f.pool, &options, &ACCESS, fake_now, &f.store), VIRGA_OK);
    f.volumes = field_volumes_new(&(struct brick_fetch_options){.catalog = &catalog, .store = f.store, .background = stop != NULL, .stop = stop}, f.team, memory);
    assert_non_null(f.volumes);
    return f;
}

static struct fixture open_volumes(size_t memory) { return open_volumes_for(memory, NULL); }

static void close_volumes(struct fixture *f) {
    field_volumes_free(f->volumes);
    render_team_free(f->team);
    brick_store_free(f->store);
    worker_pool_free(f->pool);
}

static struct field_volume *get(struct fixture *f, size_t step) {
    const struct field_ref field = {.dataset = &dataset, .step = step};
    struct field_volume *volume;
    struct failure failure = {0};
    if (field_volumes_get(f->volumes, &field, &volume, &failure)) fail_msg("%s", failure.message);
    return volume;
}

static void fill(struct fixture *f, struct field_volume *volume, const struct brick_choice *choices, size_t count) {
    struct failure failure = {0};
    if (field_volumes_fill(f->volumes, volume, choices, count, &failure)) fail_msg("%s", failure.message);
}

static void fill_all(struct fixture *f, struct field_volume *volume) {
    struct brick_choice *choices;
    size_t count;
    assert_int_equal(brick_select_all(volume->table, SIZE_MAX, &choices, &count), VIRGA_OK);
    fill(f, volume, choices, count);
    free(choices);
}

struct stopping { struct worker_pool *pool; atomic_bool *stop; };

// Once reading has begun.
static void *stop_soon(void *argument) {
    const struct stopping *s = argument;
    while (!worker_pool_load(s->pool, LANE_READ)) sched_yield();
    assert_false(worker_pool_busy(s->pool));  // those who wait come last
    atomic_store(s->stop, true);
    return NULL;
}

static void test_exactly_what_is_wanted_is_there(void **state) {
    (void)state;
    struct fixture f = open_volumes(64 << 20);
    struct field_volume *v = get(&f, 1);
    const struct brick_choice coarse = {.level = v->shape.level_count - 1}, fine[] = {{.level = 0, .x = 1, .y = 1}, {.level = 0, .x = 2, .y = 1}};
    assert_true(v->shape.level_count >= 2);
    const uint64_t first = v->version;
    fill(&f, v, &coarse, 1);
    assert_true(v->version != first);
    assert_true(brick_volume_has(v->volume, coarse.level, 0, 0, 0));
    const uint64_t second = v->version;
    fill(&f, v, &coarse, 1);
    assert_true(v->version == second);  // nothing has changed
    fill(&f, v, fine, 2);
    assert_false(brick_volume_has(v->volume, coarse.level, 0, 0, 0));
    assert_true(brick_volume_has(v->volume, 0, 1, 1, 0) && brick_volume_has(v->volume, 0, 2, 1, 0));
    assert_int_equal(brick_volume_level(v->volume, 1, 1, 0), 0);
    fill(&f, v, fine + 1, 1);
    assert_false(brick_volume_has(v->volume, 0, 1, 1, 0));
    close_volumes(&f);
}

static void test_values_are_the_fields_own(void **state) {
    (void)state;
    struct fixture f = open_volumes(64 << 20);
    struct field_volume *v = get(&f, 2);
    fill_all(&f, v);
    for (uint32_t n = 0; n < 2000; n++) {
        const uint32_t x = n * 37 % NX, y = n * 53 % NY, z = n % NZ;
        const float ijk[3] = {(float)x, (float)y, (float)z};
        const double expected = value_at(x, y, z, 2);
        float q;
        const bool there = brick_volume_value(v->volume, ijk, &q);
        assert_int_equal(there, !isnan(expected));
        if (there) assert_true(fabs((double)q * variable.lattice.step - expected) < 0.051);
    }
    close_volumes(&f);
}

static void test_memory_stays_within_the_cap(void **state) {
    (void)state;
    struct fixture f = open_volumes(64 << 20);
    fill_all(&f, get(&f, 0));
    const size_t one = field_volumes_memory(f.volumes);
    close_volumes(&f);
    f = open_volumes(5 * one / 2);
    for (size_t step = 0; step < STEPS; step++) {
        fill_all(&f, get(&f, step));
        field_volumes_trim(f.volumes);
        assert_true(field_volumes_memory(f.volumes) <= 5 * one / 2);
    }
    // The last two are still there: getting them makes nothing new.
    const uint64_t newest = get(&f, STEPS - 1)->version;
    assert_true(get(&f, STEPS - 2)->version < newest);
    const size_t held = field_volumes_memory(f.volumes);
    assert_true(held > one);
    close_volumes(&f);
}

static void test_what_is_in_use_is_never_dropped(void **state) {
    (void)state;
    struct fixture f = open_volumes(1);
    struct field_volume *a = get(&f, 0), *b = get(&f, 1);
    fill_all(&f, a);
    fill_all(&f, b);
    field_volumes_trim(f.volumes);
    assert_ptr_equal(get(&f, 0), a);  // kept as it was in use until now
    field_volumes_trim(f.volumes);
    assert_true(field_volumes_memory(f.volumes) > 0);
    close_volumes(&f);
}

static void test_failures_that_pass_are_tried_again(void **state) {
    (void)state;
    struct fixture f = open_volumes(64 << 20);
    fail_status = VIRGA_GONE;
    fail_reads = 1;
    fill_all(&f, get(&f, 3));
    close_volumes(&f);
}

static void test_failures_that_stay_are_told(void **state) {
    (void)state;
    struct fixture f = open_volumes(64 << 20);
    const struct field_ref field = {.dataset = &dataset, .step = 3};
    struct field_volume *volume;
    struct failure failure = {0};
    fail_status = VIRGA_UNREADABLE;
    fail_reads = 1000;
    assert_int_equal(field_volumes_get(f.volumes, &field, &volume, &failure), VIRGA_UNREADABLE);
    assert_string_equal(failure.message, "the reader of file.nc died");
    fail_reads = 0;
    fill_all(&f, get(&f, 3));  // and it may be had later
    close_volumes(&f);
}

static void test_a_file_that_changed_is_told_of_at_once(void **state) {
    (void)state;
    struct fixture f = open_volumes(64 << 20);
    const struct field_ref field = {.dataset = &dataset, .step = 3};
    struct field_volume *volume;
    struct failure failure = {0};
    fail_status = VIRGA_CHANGED;
    fail_reads = 1;  // it would succeed the next time
    assert_int_equal(field_volumes_get(f.volumes, &field, &volume, &failure), VIRGA_CHANGED);
    close_volumes(&f);
}

// Until the store has encoded more bricks than it had, and no work is left.
static void wait_until_encoded(const struct fixture *f, size_t had, struct brick_store_stats *stats) {
    do {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        brick_store_stats(f->store, stats);
    } while (stats->bricks_encoded <= had || worker_pool_load(f->pool, LANE_READ) || worker_pool_load(f->pool, LANE_COMPUTE));
}

static void test_what_comes_next_is_made_ready(void **state) {
    (void)state;
    struct fixture f = open_volumes(64 << 20);
    struct brick_store_stats before, ready, after;
    struct brick_choice *choices;
    size_t count, both = 0;
    struct field_volume *v = get(&f, 3);
    assert_int_equal(brick_select_all(v->table, SIZE_MAX, &choices, &count), VIRGA_OK);
    fill(&f, v, choices, count);
    brick_store_stats(f.store, &before);
    field_volumes_ahead(f.volumes, v, 4);
    wait_until_encoded(&f, before.bricks_encoded, &ready);
    assert_int_equal(ready.steps_read, before.steps_read + 1);
    v = get(&f, 4);
    for (size_t n = 0; n < count; n++)
        if (step_table_at(v->table, choices[n].level, choices[n].x, choices[n].y, choices[n].z)->kind > BRICK_CONSTANT) choices[both++] = choices[n];
    fill(&f, v, choices, both);
    brick_store_stats(f.store, &after);
    assert_true(both > 0);
    assert_int_equal(after.misses, ready.misses);
    free(choices);
    close_volumes(&f);
}

static bool above(const void *user, int32_t low, int32_t high) {
    (void)low;
    return high >= *(const int32_t *)user;
}

// Bricks of several levels: whatever a sample shows lies in a cell that says so.
static void check_cells(struct fixture *f, const struct brick_choice *choices, size_t count, double threshold) {
    struct field_volume *v = get(f, 2);
    const int32_t least = (int32_t)(threshold / variable.lattice.step);
    const uint32_t cells[3] = {(NX + CELL_SIDE - 1) / CELL_SIDE, (NY + CELL_SIDE - 1) / CELL_SIDE, (NZ + CELL_SIDE - 1) / CELL_SIDE};
    uint8_t *visible = calloc(cells[0] * cells[1], cells[2]);
    uint32_t state = 11;
    size_t seen = 0, dark = 0;
    fill(f, v, choices, count);
    field_volume_visible(v, above, &least, visible);
    for (int n = 0; n < 200000; n++) {
        const float ijk[3] = {(float)(made_share(&state) * (NX - 1)), (float)(made_share(&state) * (NY - 1)), (float)(made_share(&state) * (NZ - 1))};
        float q;
        const uint32_t c[3] = {(uint32_t)(ijk[0] + 0.5F) / CELL_SIDE, (uint32_t)(ijk[1] + 0.5F) / CELL_SIDE, (uint32_t)(ijk[2] + 0.5F) / CELL_SIDE};
        const uint8_t shows = visible[(c[2] * cells[1] + c[1]) * cells[0] + c[0]];
        dark += !shows;
        if (!brick_volume_value(v->volume, ijk, &q) || q < (float)least) continue;
        seen++;
        if (!shows) fail_msg("%g shows at %g %g %g, in a cell said to be empty", (double)q, (double)ijk[0], (double)ijk[1], (double)ijk[2]);
    }
    assert_true(seen > 0 && dark > 50000);
    free(visible);
}

static void test_nothing_that_shows_is_in_an_empty_cell(void **state) {
    (void)state;
    struct fixture f = open_volumes(64 << 20);
    struct field_volume *v = get(&f, 2);
    const struct pyramid_level *last = &v->shape.levels[v->shape.level_count - 1];
    struct brick_choice choices[64];
    size_t count = 0;
    for (uint32_t y = 0; y < last->bricks[1]; y++)
        for (uint32_t x = 0; x < last->bricks[0]; x++)
            if (step_table_at(v->table, v->shape.level_count - 1, x, y, 0)->kind > BRICK_CONSTANT)
                choices[count++] = (struct brick_choice){.level = v->shape.level_count - 1, .x = x, .y = y};
    check_cells(&f, choices, count, 30);
    for (uint32_t x = 1; x < 3; x++) choices[count++] = (struct brick_choice){.level = 0, .x = x, .y = 1};
    for (double threshold = 30; threshold < 105; threshold += 25) check_cells(&f, choices, count, threshold);
    close_volumes(&f);
}

// Lone spikes, so that a voxel that a range forgot is missed at once.
static void test_ranges_of_cells_bound_every_sample(void **state) {
    (void)state;
    static int32_t q[BRICK_MAX_VOXELS];
    struct pyramid_shape shape;
    struct brick_box box;
    struct brick_cells cells;
    uint32_t random = 5;
    const uint32_t brick[3] = {1, 1, 0};
    pyramid_shape_init(&shape, 90, 70, 30, false, 1, 1);
    brick_box_init(&box, &shape, 0, 1, 1, 0);
    for (size_t s = 0; s < BRICK_MAX_VOXELS; s++) q[s] = made_random(&random) % 60 ? 0 : (int32_t)(made_random(&random) % 2000) - 1000;
    brick_cells_fill(&cells, &shape, 0, brick, &box, q);
    assert_true(cells.count[0] == 4 && cells.count[1] == 4 && cells.count[2] == 4);
    for (int n = 0; n < 300000; n++) {
        double at[3], value = 0;
        size_t cell = 0;
        for (int axis = 2; axis >= 0; axis--) {  // in the brick's core, and as far around as it is read
            const double low = 32.0 * brick[axis] - (brick[axis] ? 0.5 : 0), high = fmin(32.0 * brick[axis] + 31.5, shape.levels[0].n[axis] - 1);
            at[axis] = low + made_share(&random) * (high - low);
            cell = cell * cells.count[axis] + (size_t)((uint32_t)(at[axis] + 0.5) - 32 * brick[axis]) / CELL_SIDE;
        }
        for (int corner = 0; corner < 8; corner++) {
            double weight = 1;
            size_t s = 0;
            for (int axis = 2; axis >= 0; axis--) {
                const double whole = floor(at[axis]), far = corner >> axis & 1;
                weight *= far != 0 ? at[axis] - whole : 1 - (at[axis] - whole);
                s = s * box.size[axis] + (size_t)fmin(whole + far - (double)box.lo[axis], box.size[axis] - 1);
            }
            value += weight * q[s];
        }
        if (value < cells.low[cell] - 1e-6 || value > cells.high[cell] + 1e-6)
            fail_msg("%g at %g %g %g is not within %d … %d", value, at[0], at[1], at[2], cells.low[cell], cells.high[cell]);
    }
}

// Who gives up is not held by a file that never answers, and nothing goes on for its sake.
static void test_what_is_given_up_is_not_waited_for(void **state) {
    (void)state;
    atomic_bool stop = false;
    struct fixture f = open_volumes_for(64 << 20, &stop);
    const struct field_ref field = {.dataset = &dataset, .step = 1};
    struct field_volume *volume = get(&f, 0);
    struct failure failure = {0};
    fill_all(&f, volume);
    atomic_store(&hangs, true);
    pthread_t stopper;
    assert_int_equal(pthread_create(&stopper, NULL, stop_soon, &(struct stopping){f.pool, &stop}), 0);
    assert_int_equal(field_volumes_get(f.volumes, &field, &volume, &failure), VIRGA_CANCELLED);
    pthread_join(stopper, NULL);
    while (worker_pool_load(f.pool, LANE_READ)) sched_yield();
    atomic_store(&hangs, false);
    atomic_store(&stop, false);
    get(&f, 1);
    close_volumes(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exactly_what_is_wanted_is_there), cmocka_unit_test(test_values_are_the_fields_own),
        cmocka_unit_test(test_memory_stays_within_the_cap),     cmocka_unit_test(test_what_is_in_use_is_never_dropped),
        cmocka_unit_test(test_failures_that_pass_are_tried_again), cmocka_unit_test(test_failures_that_stay_are_told),
        cmocka_unit_test(test_a_file_that_changed_is_told_of_at_once),
        cmocka_unit_test(test_what_comes_next_is_made_ready), cmocka_unit_test(test_what_is_given_up_is_not_waited_for),
        cmocka_unit_test(test_nothing_that_shows_is_in_an_empty_cell), cmocka_unit_test(test_ranges_of_cells_bound_every_sample),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
