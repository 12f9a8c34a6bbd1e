// SPDX-License-Identifier: Apache-2.0
// Fields that their source reduces: a coarse picture asks for coarse numbers only, each level is read when it is asked for and once, its bricks are those
// of the whole field within one lattice step, and the table does not change.
#define MADE_SHAPE NX = 500, NY = 300, NZ = 9
#include "made_store.h"

#include "brick/volume_sample.h"

enum { LEVELS = 4, COARSEST = LEVELS - 1 };

static int reads_of_level[LEVELS];     // fake_lock; level 0: whole reads
static size_t bytes_of_level[LEVELS];  // fake_lock
static bool cannot_reduce;

static int level_of(const uint32_t block[3]) {
    int level = 0;
    for (uint32_t b = block[0]; b > 1; b /= 2) level++;
    return level;
}

static void count_read(int level, size_t bytes) {
    pthread_mutex_lock(&fake_lock);
    reads_of_level[level]++;
    bytes_of_level[level] += bytes;
    pthread_mutex_unlock(&fake_lock);
}

static int count_and_read(const struct field_ref *field, const struct field_box *box, double *values, struct failure *failure) {
    count_read(0, box->nx * box->ny * box->nz * sizeof *values);
    return fake_read(field, box, values, failure);
}

static bool is_such(const struct field_ref *field) { return field->step < STEPS; }

static int fake_reduce_plan(const struct field_ref *field, const uint32_t block[3], size_t max_blocks, struct field_box **boxes, size_t *count,
                            struct failure *failure) {
    (void)field, (void)max_blocks, (void)failure;
    const size_t nx = (NX - 1) / block[0] + 1, ny = (NY - 1) / block[1] + 1, nz = (NZ - 1) / block[2] + 1;
    *count = nz;
    *boxes = calloc(nz, sizeof **boxes);
    for (size_t k = 0; k < nz; k++) (*boxes)[k] = (struct field_box){0, 0, k, nx, ny, 1};
    return VIRGA_OK;
}

static size_t least_of(size_t a, size_t b) { return a < b ? a : b; }

static int fake_reduce(const struct field_ref *field, const uint32_t block[3], const struct field_box *box, const struct field_blocks *blocks,
                       struct failure *failure) {
    size_t n = 0;
    count_read(level_of(block), box->nx * box->ny * box->nz * 4 * sizeof(double));
    int status = fake_wait(field, failure);
    if (status) return status;
    if (cannot_reduce) return failure_set(failure, VIRGA_UNSUPPORTED, "too large for sums");
    for (size_t k = box->z0; k < box->z0 + box->nz; k++)
        for (size_t j = box->y0; j < box->y0 + box->ny; j++)
            for (size_t i = box->x0; i < box->x0 + box->nx; i++, n++) {
                double sum = 0, count = 0, least = NAN, most = NAN;
                for (size_t z = k * block[2]; z < least_of((k + 1) * block[2], NZ); z++)
                    for (size_t y = j * block[1]; y < least_of((j + 1) * block[1], NY); y++)
                        for (size_t x = i * block[0]; x < least_of((i + 1) * block[0], NX); x++) {
                            const double v = value_at(x, y, z, field->step);
                            if (isnan(v)) continue;
                            sum += v, count++, least = fmin(least, v), most = fmax(most, v);
                        }
                blocks->mean[n] = sum / count, blocks->count[n] = count, blocks->least[n] = least, blocks->most[n] = most;
            }
    return VIRGA_OK;
}

static const struct field_access REDUCED = {.plan = fake_plan, .read = count_and_read, .ref = fake_ref, .unref = fake_unref, .far = is_such, .early = is_such,
                                            .reduce_plan = fake_reduce_plan, .reduce = fake_reduce};

static struct fixture open_reduced(size_t memory, const char *spool, size_t limit) {
    memset(reads_of_level, 0, sizeof reads_of_level);
    memset(bytes_of_level, 0, sizeof bytes_of_level);
    cannot_reduce = false;
    struct fixture f = open_store_with(&REDUCED, memory, spool, limit);
    struct pyramid_shape shape;
    brick_store_shape(&dataset, 0, &shape);
    assert_int_equal(shape.level_count, LEVELS);
    return f;
}

static struct shared_bytes *get_table(struct brick_store *store, size_t step) {
    struct reply r;
    ask_table(store, step, &r);
    wait_reply(&r);
    assert_int_equal(r.status, VIRGA_OK);
    return r.bytes;
}

static size_t bytes_asked(struct brick_store *store) {
    struct brick_store_stats stats;
    brick_store_stats(store, &stats);
    return stats.chunks_bytes_read;
}

static void expect_read(int level, int times) {
    struct pyramid_shape shape;
    brick_store_shape(&dataset, 0, &shape);
    const size_t boxes = level ? shape.levels[level].n[2] : (NZ + BOX_LEVELS - 1) / BOX_LEVELS;
    assert_int_equal(reads_of_level[level], (int)boxes * times);
}

// The voxels of all bricks of a level in a row, from one store.
static int32_t *all_bricks(struct brick_store *store, size_t step, uint32_t level, size_t *count) {
    struct pyramid_shape shape;
    brick_store_shape(&dataset, 0, &shape);
    const struct pyramid_level *l = &shape.levels[level];
    int32_t *all = malloc((size_t)l->bricks[0] * l->bricks[1] * l->bricks[2] * BRICK_MAX_VOXELS * sizeof *all);
    struct shared_bytes *table_bytes = get_table(store, step);
    struct step_table *table;
    assert_int_equal(step_table_decode(table_bytes->data, table_bytes->size, &table), VIRGA_OK);
    *count = 0;
    for (uint32_t z = 0; z < l->bricks[2]; z++)
        for (uint32_t y = 0; y < l->bricks[1]; y++)
            for (uint32_t x = 0; x < l->bricks[0]; x++) {
                const struct step_table_entry *entry = step_table_at(table, level, x, y, z);
                struct shared_bytes *bytes = get_brick(store, step, level, x, y, z);
                struct brick_box box;
                brick_box_init(&box, &shape, level, x, y, z);
                const size_t n = (size_t)box.size[0] * box.size[1] * box.size[2];
                int32_t *q = all + *count;
                assert_int_equal(bytes->size == 0, entry->kind <= BRICK_CONSTANT);
                if (bytes->size) assert_int_equal(brick_decode(bytes->data, bytes->size, box.size, NULL, q), VIRGA_OK);
                for (size_t i = 0; i < n; i++) {
                    if (!bytes->size) q[i] = entry->kind == BRICK_CONSTANT ? entry->lowest : LATTICE_MISSING;
                    if (q[i] != LATTICE_MISSING) assert_true(q[i] >= entry->lowest && q[i] <= entry->highest);
                    if (entry->kind == BRICK_FULL) assert_int_not_equal(q[i], LATTICE_MISSING);
                }
                *count += n;
                shared_bytes_unref(bytes);
            }
    step_table_free(table);
    shared_bytes_unref(table_bytes);
    return all;
}

static void expect_same_level(struct brick_store *a, struct brick_store *b, size_t step, uint32_t level) {
    size_t counts[2];
    int32_t *qa = all_bricks(a, step, level, &counts[0]), *qb = all_bricks(b, step, level, &counts[1]);
    assert_int_equal(counts[0], counts[1]);
    for (size_t n = 0; n < counts[0]; n++) {
        assert_int_equal(qa[n] == LATTICE_MISSING, qb[n] == LATTICE_MISSING);
        if (qa[n] != LATTICE_MISSING) assert_true(labs((long)qa[n] - qb[n]) <= 1);
    }
    free(qa);
    free(qb);
}

// --- Promises.

static void a_coarse_picture_asks_for_coarse_numbers_only(void **state) {
    (void)state;
    struct fixture f = open_reduced(64 << 20, NULL, 0);
    struct pyramid_shape shape;
    size_t count;
    brick_store_shape(&dataset, 0, &shape);
    const uint32_t *n = shape.levels[COARSEST].n;
    free(all_bricks(f.store, 1, COARSEST, &count));  // its table and all bricks of its coarsest level
    assert_int_equal(bytes_asked(f.store), (size_t)n[0] * n[1] * n[2] * 4 * sizeof(double));
    expect_read(COARSEST, 1);
    for (int level = 0; level < COARSEST; level++) assert_int_equal(reads_of_level[level], 0);
    close_store(&f);
}

static void each_level_is_read_when_it_is_asked_for_and_once(void **state) {
    (void)state;
    struct fixture f = open_reduced(64 << 20, NULL, 0);
    struct shared_bytes *first = get_table(f.store, 2), *later;
    for (int level = COARSEST; level >= 0; level--) {
        for (uint32_t at = 0; at < 2; at++) shared_bytes_unref(get_brick(f.store, 2, (uint32_t)level, at, 0, 0));
        expect_read(level, 1);
        for (int finer = 0; finer < level; finer++) assert_int_equal(reads_of_level[finer], 0);
        later = get_table(f.store, 2);
        assert_ptr_equal(first, later);  // it stays as it was
        shared_bytes_unref(later);
    }
    for (int level = COARSEST; level >= 0; level--) shared_bytes_unref(get_brick(f.store, 2, (uint32_t)level, 0, 1, 0));
    for (int level = 0; level < LEVELS; level++) expect_read(level, 1);
    shared_bytes_unref(first);
    close_store(&f);
}

static void bricks_are_those_of_the_whole_field(void **state) {
    (void)state;
    struct fixture whole = open_store(64 << 20, NULL, 0), f;
    f = open_reduced(64 << 20, NULL, 0);
    for (uint32_t level = LEVELS; level-- > 0;) expect_same_level(f.store, whole.store, 3, level);
    brick_store_free(whole.store);
    worker_pool_free(whole.pool);
    close_store(&f);
}

// A brick of the model's own level first: the table comes with it, and is the same.
static void the_table_is_the_same_whichever_level_comes_first(void **state) {
    (void)state;
    struct shared_bytes *tables[LEVELS];
    for (uint32_t level = 0; level < LEVELS; level++) {
        struct fixture f = open_reduced(64 << 20, NULL, 0);
        shared_bytes_unref(get_brick(f.store, 1, level, 1, 1, 0));
        tables[level] = get_table(f.store, 1);
        for (uint32_t other = 0; other < LEVELS; other++) expect_read((int)other, other == level);
        close_store(&f);
    }
    for (uint32_t level = 1; level < LEVELS; level++) {
        assert_int_equal(tables[level]->size, tables[0]->size);
        assert_memory_equal(tables[level]->data, tables[0]->data, tables[0]->size);
    }
    for (uint32_t level = 0; level < LEVELS; level++) shared_bytes_unref(tables[level]);
}

// Bricks of several levels at once: the finest of the most urgent ones is read, and what is finer and less urgent after it.
static void what_is_urgent_is_not_held_up_by_what_is_finer(void **state) {
    (void)state;
    struct fixture f = open_reduced(64 << 20, NULL, 0);
    struct reply table, r[3];
    set_gate(true);
    ask_table_at(f.store, 1, 9, &table);
    wait_until_reading(1);
    ask_brick_at(f.store, 1, 0, 3, 3, 0, 1, &r[0]);
    ask_brick_at(f.store, 1, 2, 1, 1, 0, 5, &r[1]);
    ask_brick_at(f.store, 1, 1, 1, 1, 0, 5, &r[2]);
    set_gate(false);
    wait_reply(&r[1]), wait_reply(&r[2]);
    assert_int_equal(reads_of_level[2], 0);  // level 1 has it
    expect_read(1, 1);
    wait_reply(&r[0]);
    expect_read(0, 1);
    for (int n = 0; n < 3; n++) {
        assert_int_equal(r[n].status, VIRGA_OK);
        shared_bytes_unref(r[n].bytes);
    }
    wait_reply(&table);
    shared_bytes_unref(table.bytes);
    close_store(&f);
}

static void coarse_bricks_are_there_while_a_finer_level_is_read(void **state) {
    (void)state;
    struct fixture f = open_reduced(64 << 20, NULL, 0);
    struct reply fine;
    shared_bytes_unref(get_table(f.store, 1));
    set_gate(true);
    ask_brick(f.store, 1, 0, 1, 1, 0, &fine);
    wait_until_reading(1);
    shared_bytes_unref(get_brick(f.store, 1, COARSEST, 0, 0, 0));
    shared_bytes_unref(get_table(f.store, 1));
    assert_int_equal(fine.calls, 0);
    set_gate(false);
    wait_reply(&fine);
    assert_int_equal(fine.status, VIRGA_OK);
    shared_bytes_unref(fine.bytes);
    close_store(&f);
}

static void a_finer_level_that_fails_leaves_the_coarse_one(void **state) {
    (void)state;
    struct fixture f = open_reduced(64 << 20, NULL, 0);
    struct reply fine;
    shared_bytes_unref(get_table(f.store, 1));
    pthread_mutex_lock(&fake_lock);
    fail_reads = true;
    pthread_mutex_unlock(&fake_lock);
    ask_brick(f.store, 1, 1, 1, 1, 0, &fine);
    wait_reply(&fine);
    assert_int_equal(fine.status, VIRGA_GONE);
    shared_bytes_unref(get_brick(f.store, 1, COARSEST, 0, 0, 0));
    shared_bytes_unref(get_table(f.store, 1));
    ask_brick(f.store, 1, 1, 1, 1, 0, &fine);  // at once, from memory
    assert_int_equal(fine.calls, 1);
    assert_int_equal(fine.status, VIRGA_GONE);
    pthread_mutex_lock(&fake_lock);
    fail_reads = false;
    pthread_mutex_unlock(&fake_lock);
    fake_time += 3;
    shared_bytes_unref(get_brick(f.store, 1, 1, 1, 1, 0));
    close_store(&f);
}

static void what_cannot_be_reduced_is_read_whole(void **state) {
    (void)state;
    struct fixture f = open_reduced(64 << 20, NULL, 0), whole;
    cannot_reduce = true;
    shared_bytes_unref(get_table(f.store, 3));
    expect_read(0, 1);
    const int tried = reads_of_level[COARSEST];
    whole = open_store(64 << 20, NULL, 0);
    for (uint32_t level = LEVELS; level-- > 0;) expect_same_level(f.store, whole.store, 3, level);
    expect_read(0, 1);
    assert_int_equal(reads_of_level[COARSEST], tried);  // and is not tried again
    brick_store_free(whole.store);
    worker_pool_free(whole.pool);
    close_store(&f);
}

static void reading_that_nobody_waits_for_is_given_up_at_once(void **state) {
    (void)state;
    struct fixture f = open_reduced(64 << 20, NULL, 0);
    struct reply gone, next;
    set_gate(true);  // and it stays closed
    ask_table(f.store, 1, &gone);
    wait_until_reading(1);
    brick_store_cancel(f.store, &gone);
    wait_until_nothing_is_read();
    ask_table(f.store, 2, &gone);
    wait_until_reading(1);
    brick_store_cancel(f.store, &gone);
    ask_table(f.store, 2, &next);  // somebody else, before it has ended
    set_gate(false);
    wait_reply(&next);
    assert_int_equal(next.status, VIRGA_OK);
    shared_bytes_unref(next.bytes);
    close_store(&f);
}

static void a_read_for_several_goes_on_when_one_goes(void **state) {
    (void)state;
    struct fixture f = open_reduced(64 << 20, NULL, 0);
    struct reply gone, stays;
    set_gate(true);
    ask_table(f.store, 1, &gone);
    ask_table(f.store, 1, &stays);
    wait_until_reading(1);
    brick_store_cancel(f.store, &gone);
    set_gate(false);
    wait_reply(&stays);
    assert_int_equal(stays.status, VIRGA_OK);
    expect_read(COARSEST, 1);
    shared_bytes_unref(stays.bytes);
    close_store(&f);
}

// The cap holds, with a spool and without, while levels of many steps come and go.
static void memory_stays_within_the_cap(void **state) {
    (void)state;
    for (int spool = 0; spool < 2; spool++) {
        const size_t cap = 6 << 20;
        struct fixture f = open_reduced(cap, spool ? P_tmpdir : NULL, 64 << 20);
        for (size_t step = 0; step < 6; step++)
            for (uint32_t level = LEVELS; level-- > 0;) {
                shared_bytes_unref(get_brick(f.store, step, level, 0, 0, 0));
                shared_bytes_unref(get_table(f.store, step));
                struct brick_store_stats stats;
                brick_store_stats(f.store, &stats);
                assert_true(stats.memory <= cap);
                assert_int_equal(stats.spooled > 0 && !spool, 0);
            }
        close_store(&f);
    }
}

static void a_level_larger_than_the_memory_is_made_in_the_spool(void **state) {
    (void)state;
    struct fixture f = open_reduced(3 << 20, P_tmpdir, 64 << 20), whole = open_store(64 << 20, NULL, 0);
    for (uint32_t level = LEVELS; level-- > 0;) expect_same_level(f.store, whole.store, 4, level);
    brick_store_free(whole.store);
    worker_pool_free(whole.pool);
    close_store(&f);
}

static void a_place_is_sampled_from_its_columns_only(void **state) {
    (void)state;
    for (int wraps = 0; wraps < 2; wraps++) {
        struct fixture whole = open_store(64 << 20, NULL, 0), f = open_reduced(64 << 20, NULL, 0);
        fake_grid.wraps = wraps;
        const struct field_ref field = field_of(4);
        const double between = 3.25;
        double levels[NZ], got[NZ], wanted[NZ];
        for (int k = 0; k < NZ; k++) levels[k] = k;
        const double places[][2] = {{200.25, 100.75}, {20, 20}, {19.6, 21}, {5, 5}, {499, 299}, {499.5, 10}, {0, 0}, {300, 299.5}, {-1, 3}};
        for (size_t p = 0; p < sizeof places / sizeof *places; p++) {
            const int before = reads_of_level[0];
            assert_int_equal(brick_samples_at(f.store, &catalog, &field, places[p][0], places[p][1], levels, NZ, got, NULL), VIRGA_OK);
            assert_true(reads_of_level[0] - before <= 2);
            assert_int_equal(brick_samples_at(whole.store, &catalog, &field, places[p][0], places[p][1], levels, NZ, wanted, NULL), VIRGA_OK);
            for (int k = 0; k < NZ; k++) assert_true(got[k] == wanted[k] || (isnan(got[k]) && isnan(wanted[k])));
            assert_int_equal(brick_samples_at(f.store, &catalog, &field, places[p][0], places[p][1], &between, 1, got, NULL), VIRGA_OK);
            assert_int_equal(brick_samples_at(whole.store, &catalog, &field, places[p][0], places[p][1], &between, 1, wanted, NULL), VIRGA_OK);
            assert_true(got[0] == wanted[0] || (isnan(got[0]) && isnan(wanted[0])));
        }
        assert_int_equal(bytes_asked(f.store), 0);  // nothing was built
        assert_true(bytes_of_level[0] < 20000);
        brick_store_free(whole.store);
        worker_pool_free(whole.pool);
        close_store(&f);
        fake_grid.wraps = false;
    }
}

static void a_path_through_a_far_field_is_read_in_few_pieces(void **state) {
    (void)state;
    enum { PLACES = 200 };
    for (int wraps = 0; wraps < 2; wraps++) {
        struct fixture f = open_reduced(64 << 20, NULL, 0);
        fake_grid.wraps = wraps;
        const struct field_ref field = field_of(4);
        const double level = 3.25;
        static double got[PLACES];
        static struct sample_column columns[PLACES];
        for (int n = 0; n < PLACES; n++)  // over the seam where there is one
            columns[n] = (struct sample_column){wraps ? fmod(400.5 + n, 500) : 200.5 + n, 50.25 + n, 1, &level, &got[n]};
        const int before = reads_of_level[0];
        assert_int_equal(brick_samples_along(f.store, &catalog, &field, columns, PLACES, NULL), VIRGA_OK);
        assert_true(reads_of_level[0] - before <= 12);
        for (int n = 0; n < PLACES; n++) {
            double one;
            assert_int_equal(brick_samples_at(f.store, &catalog, &field, columns[n].i, columns[n].j, &level, 1, &one, NULL), VIRGA_OK);
            assert_true(one == got[n] || (isnan(one) && isnan(got[n])));
        }
        close_store(&f);
        fake_grid.wraps = false;
    }
}

struct crowd_member { struct brick_store *store; uint32_t seed; };

static void *ask_wildly(void *argument) {
    struct crowd_member *me = argument;
    for (int n = 0; n < 60; n++) {
        me->seed = me->seed * 1664525 + 1013904223;
        const uint32_t bits = me->seed >> 8;
        struct reply r;
        if (bits & 1) ask_table(me->store, bits >> 1 & 3, &r);
        else ask_brick_at(me->store, bits >> 1 & 3, bits >> 3 & 3, 0, bits >> 5 & 1, 0, (int)(bits >> 6 & 3), &r);
        if (bits >> 10 & 1) {
            brick_store_cancel(me->store, &r);
            if (r.calls) shared_bytes_unref(r.bytes);
            continue;
        }
        wait_reply(&r);
        assert_int_equal(r.status, VIRGA_OK);
        shared_bytes_unref(r.bytes);
    }
    return NULL;
}

static void a_crowd_that_asks_and_cancels_is_served(void **state) {
    (void)state;
    struct fixture f = open_reduced(8 << 20, P_tmpdir, 64 << 20);
    pthread_t threads[4];
    struct crowd_member members[4];
    for (uint32_t n = 0; n < 4; n++) {
        members[n] = (struct crowd_member){f.store, n * 7919 + 1};
        assert_int_equal(pthread_create(&threads[n], NULL, ask_wildly, &members[n]), 0);
    }
    for (int n = 0; n < 4; n++) pthread_join(threads[n], NULL);
    close_store(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_coarse_picture_asks_for_coarse_numbers_only),
        cmocka_unit_test(each_level_is_read_when_it_is_asked_for_and_once),
        cmocka_unit_test(bricks_are_those_of_the_whole_field),
        cmocka_unit_test(the_table_is_the_same_whichever_level_comes_first),
        cmocka_unit_test(what_is_urgent_is_not_held_up_by_what_is_finer),
        cmocka_unit_test(coarse_bricks_are_there_while_a_finer_level_is_read),
        cmocka_unit_test(a_finer_level_that_fails_leaves_the_coarse_one),
        cmocka_unit_test(what_cannot_be_reduced_is_read_whole),
        cmocka_unit_test(reading_that_nobody_waits_for_is_given_up_at_once),
        cmocka_unit_test(a_read_for_several_goes_on_when_one_goes),
        cmocka_unit_test(memory_stays_within_the_cap),
        cmocka_unit_test(a_level_larger_than_the_memory_is_made_in_the_spool),
        cmocka_unit_test(a_place_is_sampled_from_its_columns_only),
        cmocka_unit_test(a_path_through_a_far_field_is_read_in_few_pieces),
        cmocka_unit_test(a_crowd_that_asks_and_cancels_is_served),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
