// SPDX-License-Identifier: Apache-2.0
// The store against a stand-in for the field layer that counts, blocks and fails on demand.
#include "made_store.h"

#include "brick/volume_sample.h"

// --- Promises.

static void simultaneous_requests_share_one_read_and_one_encoding(void **state) {
    (void)state;
    struct fixture f = open_store(64 << 20, NULL, 0);
    struct reply replies[60];
    set_gate(true);
    for (int i = 0; i < 60; i++) {
        if (i % 2)
            ask_table(f.store, 3, &replies[i]);
        else
            ask_brick(f.store, 3, 0, 1, 1, 0, &replies[i]);
    }
    wait_until_reading(2);
    set_gate(false);
    for (int i = 0; i < 60; i++) {
        wait_reply(&replies[i]);
        assert_int_equal(replies[i].status, VIRGA_OK);
        assert_int_equal(replies[i].calls, 1);
        if (i >= 2) assert_ptr_equal(replies[i].bytes, replies[i % 2].bytes);
    }
    for (int i = 0; i < 60; i++) shared_bytes_unref(replies[i].bytes);
    struct brick_store_stats stats;
    brick_store_stats(f.store, &stats);
    assert_int_equal(stats.steps_read, 1);
    assert_int_equal(stats.bricks_encoded, 1);
    assert_int_equal(stats.misses, 60);
    assert_int_equal(reads, (NZ + BOX_LEVELS - 1) / BOX_LEVELS);
    assert_int_equal(stats.chunks_bytes_read, (size_t)NX * NY * NZ * sizeof(double));
    struct shared_bytes *again = get_brick(f.store, 3, 0, 1, 1, 0);  // now at once
    shared_bytes_unref(again);
    brick_store_stats(f.store, &stats);
    assert_int_equal(stats.hits, 1);
    close_store(&f);
}

static void bricks_hold_the_field(void **state) {
    (void)state;
    struct fixture f = open_store(64 << 20, NULL, 0);
    for (uint32_t y = 0; y < 3; y++)
        for (uint32_t x = 0; x < 4; x++) expect_brick(f.store, 7, x, y);
    close_store(&f);
}

static void a_brick_without_voxels_that_differ_has_no_bytes(void **state) {
    (void)state;
    struct fixture f = open_store(64 << 20, NULL, 0);
    variable.lattice.v0 = 1e6;  // everything is one lattice value
    variable.lattice.step = 1e9;
    struct shared_bytes *bytes = get_brick(f.store, 0, 0, 3, 2, 0);
    assert_int_equal(bytes->size, 0);
    shared_bytes_unref(bytes);
    struct reply r;
    ask_brick(f.store, 0, 0, 2, 2, 0, &r);  // known from the table by now: no job
    assert_int_equal(r.status, VIRGA_OK);
    assert_int_equal(r.bytes->size, 0);
    shared_bytes_unref(r.bytes);
    close_store(&f);
}

static void what_is_not_there_is_not_found(void **state) {
    (void)state;
    struct fixture f = open_store(64 << 20, NULL, 0);
    struct reply r;
    ask_brick(f.store, 0, 0, 4, 0, 0, &r);
    assert_int_equal(r.status, VIRGA_NOT_FOUND);
    ask_brick(f.store, 0, 9, 0, 0, 0, &r);
    assert_int_equal(r.status, VIRGA_NOT_FOUND);
    ask_brick(f.store, STEPS, 0, 0, 0, 0, &r);
    assert_int_equal(r.status, VIRGA_NOT_FOUND);
    ask_table(f.store, STEPS, &r);
    assert_int_equal(r.status, VIRGA_NOT_FOUND);
    assert_int_equal(reads, 0);
    close_store(&f);
}

static size_t volume_bytes(void) {
    struct pyramid_shape shape;
    brick_store_shape(&dataset, 0, &shape);
    return 2 * step_volume_voxels(&shape, 0);
}

static void memory_stays_within_the_cap_and_spooled_steps_are_not_read_again(void **state) {
    (void)state;
    const size_t cap = 3 << 20;
    struct fixture f = open_store(cap, P_tmpdir, 1 << 30);
    assert_true(STEPS * volume_bytes() > cap);
    struct reply replies[STEPS];
    for (int i = 0; i < STEPS; i++) ask_table(f.store, (size_t)i, &replies[i]);
    struct brick_store_stats stats;
    for (int i = 0; i < STEPS; i++) {
        wait_reply(&replies[i]);
        assert_int_equal(replies[i].status, VIRGA_OK);
        shared_bytes_unref(replies[i].bytes);
        brick_store_stats(f.store, &stats);
        assert_true(stats.memory <= cap);
    }
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < STEPS; i++) expect_brick(f.store, i, 1 + (uint32_t)round, 1);
    brick_store_stats(f.store, &stats);
    assert_true(stats.memory <= cap);
    assert_true(stats.spooled > 0);
    for (int i = 0; i < STEPS; i++) assert_int_equal(boxes_of_step[i], (NZ + BOX_LEVELS - 1) / BOX_LEVELS);
    close_store(&f);
}

static void without_a_spool_steps_are_dropped_and_read_again(void **state) {
    (void)state;
    const size_t cap = 3 << 20;
    struct fixture f = open_store(cap, NULL, 0);
    struct brick_store_stats stats;
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < STEPS; i++) {
            expect_brick(f.store, i, 1 + (uint32_t)round, 1);
            brick_store_stats(f.store, &stats);
            assert_true(stats.memory <= cap);
        }
    assert_int_equal(stats.spooled, 0);
    assert_true(stats.steps_read > STEPS);
    close_store(&f);
}

static void the_spool_stays_within_its_limit(void **state) {
    (void)state;
    const size_t limit = 5 * volume_bytes();
    struct fixture f = open_store(2500000, P_tmpdir, limit);
    struct brick_store_stats stats;
    for (size_t i = 0; i < STEPS; i++) {
        expect_brick(f.store, i, 1, 1);
        brick_store_stats(f.store, &stats);
        assert_true(stats.spooled <= limit);
    }
    assert_true(stats.spooled > 0);
    close_store(&f);
}

static void a_field_larger_than_the_memory_is_made_in_the_spool(void **state) {
    (void)state;
    describe();
    struct fixture f = open_store(volume_bytes() / 2, P_tmpdir, 1 << 30);
    for (uint32_t y = 0; y < 3; y++)
        for (uint32_t x = 0; x < 4; x++) expect_brick(f.store, 7, x, y);
    assert_int_equal(boxes_of_step[7], (NZ + BOX_LEVELS - 1) / BOX_LEVELS);
    close_store(&f);
    f = open_store(volume_bytes() / 2, NULL, 0);
    struct reply r;
    ask_table(f.store, 7, &r);
    wait_reply(&r);
    assert_int_equal(r.status, VIRGA_NO_MEMORY);
    assert_non_null(strstr(r.failure.message, "spool"));
    close_store(&f);
}

static void a_failed_read_fails_its_requests_and_is_tried_again_later(void **state) {
    (void)state;
    struct fixture f = open_store(64 << 20, NULL, 0);
    struct reply table, brick, again;
    fail_reads = true;
    set_gate(true);
    ask_table(f.store, 5, &table);
    ask_brick(f.store, 5, 0, 0, 0, 0, &brick);
    set_gate(false);
    wait_reply(&table);
    wait_reply(&brick);
    assert_int_equal(table.status, VIRGA_GONE);
    assert_int_equal(brick.status, VIRGA_GONE);
    assert_null(table.bytes);
    assert_string_equal(table.failure.message, "the reader of file.nc died");
    assert_string_equal(brick.failure.message, "the reader of file.nc died");
    const int before = reads;
    ask_table(f.store, 5, &again);  // at once: no busy loop
    assert_int_equal(again.status, VIRGA_GONE);
    assert_string_equal(again.failure.message, "the reader of file.nc died");
    assert_int_equal(reads, before);
    fail_reads = false;
    fake_time += 3;
    ask_table(f.store, 5, &again);
    wait_reply(&again);
    assert_int_equal(again.status, VIRGA_OK);
    shared_bytes_unref(again.bytes);
    close_store(&f);
}

// Where the sources end before the store, a read that they cancel must not be tried again and again.
static void a_read_that_the_source_cancels_fails_its_requests(void **state) {
    (void)state;
    struct fixture f = open_store(64 << 20, NULL, 0);
    struct reply table;
    fail_reads = true;
    fail_status = VIRGA_CANCELLED;
    ask_table(f.store, 5, &table);
    wait_reply(&table);
    assert_int_equal(table.status, VIRGA_GONE);
    fail_reads = false;
    fail_status = VIRGA_GONE;
    close_store(&f);
}

static void a_cancelled_request_hears_nothing_and_others_still_do(void **state) {
    (void)state;
    struct fixture f = open_store(64 << 20, NULL, 0);
    struct reply gone, gone_brick, kept;
    set_gate(true);
    ask_table(f.store, 1, &gone);
    ask_brick(f.store, 1, 0, 1, 1, 0, &gone_brick);
    ask_table(f.store, 1, &kept);
    brick_store_cancel(f.store, &gone);
    brick_store_cancel(f.store, &gone_brick);
    set_gate(false);
    wait_reply(&kept);
    assert_int_equal(kept.status, VIRGA_OK);
    shared_bytes_unref(kept.bytes);
    close_store(&f);
    assert_int_equal(gone.calls, 0);
    assert_int_equal(gone_brick.calls, 0);
}

static void a_build_that_nobody_waits_for_stops_early(void **state) {
    (void)state;
    struct fixture f = open_store(64 << 20, NULL, 0);
    struct reply gone, next;
    set_gate(true);
    ask_table(f.store, 1, &gone);
    wait_until_reading(2);  // both readers are in boxes of step 1
    brick_store_cancel(f.store, &gone);
    ask_table(f.store, 2, &next);
    set_gate(false);
    wait_reply(&next);
    assert_int_equal(next.status, VIRGA_OK);
    shared_bytes_unref(next.bytes);
    assert_int_equal(boxes_of_step[1], 2);
    ask_table(f.store, 1, &next);  // and may be asked for again
    wait_reply(&next);
    assert_int_equal(next.status, VIRGA_OK);
    shared_bytes_unref(next.bytes);
    close_store(&f);
}

static void who_asks_again_while_a_build_is_given_up_gets_an_answer(void **state) {
    (void)state;
    struct fixture f = open_store(64 << 20, NULL, 0);
    for (int i = 0; i < 200; i++) {
        struct reply gone, next;
        const size_t step = (size_t)i % STEPS;
        ask_brick(f.store, step, 0, (uint32_t)(i / STEPS) % 4, 1, 0, &gone);
        brick_store_cancel(f.store, &gone);
        if (gone.calls) shared_bytes_unref(gone.bytes);
        ask_table(f.store, step, &next);
        wait_reply(&next);
        assert_int_equal(next.status, VIRGA_OK);
        shared_bytes_unref(next.bytes);
    }
    close_store(&f);
}

static void what_is_urgent_overtakes_what_was_asked_for_before(void **state) {
    (void)state;
    struct fixture f = open_store(3 << 20, NULL, 0);
    struct reply early[STEPS - 1], urgent;
    set_gate(true);
    for (size_t i = 0; i < STEPS - 1; i++) ask_table_at(f.store, i, 1, &early[i]);
    wait_until_reading(2);
    ask_table_at(f.store, STEPS - 1, 5, &urgent);
    set_gate(false);
    wait_reply(&urgent);
    pthread_mutex_lock(&reply_lock);
    int before = 0;
    for (size_t i = 0; i < STEPS - 1; i++) before += early[i].calls;
    pthread_mutex_unlock(&reply_lock);
    assert_true(before < 8);
    for (size_t i = 0; i < STEPS - 1; i++) {
        wait_reply(&early[i]);
        assert_int_equal(early[i].status, VIRGA_OK);
        shared_bytes_unref(early[i].bytes);
    }
    assert_int_equal(urgent.status, VIRGA_OK);
    shared_bytes_unref(urgent.bytes);
    close_store(&f);
}

static void closing_answers_whoever_waits(void **state) {
    (void)state;
    struct fixture f = open_store(64 << 20, NULL, 0);
    struct reply r[20];
    set_gate(true);
    for (int i = 0; i < 20; i++)
        if (i & 1)
            ask_table(f.store, (size_t)i, &r[i]);
        else
            ask_brick(f.store, (size_t)i, 0, 1, 1, 0, &r[i]);
    wait_until_reading(2);
    set_gate(false);
    close_store(&f);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(r[i].calls, 1);
        assert_true(r[i].status == VIRGA_OK || r[i].status == VIRGA_CANCELLED);
        shared_bytes_unref(r[i].bytes);
    }
}

struct crowd {
    struct brick_store *store;
    unsigned seed;
    int answered;
};

static void *ask_wildly(void *argument) {
    struct crowd *c = argument;
    for (int i = 0; i < 150; i++) {
        struct reply r;
        c->seed = c->seed * 1103515245 + 12345;
        const unsigned v = c->seed >> 8;
        ask_brick(c->store, v % STEPS, v / 64 % 2, v / 128 % 2, v / 256 % 2, 0, &r);
        if (v % 3 == 0) {
            brick_store_cancel(c->store, &r);
            if (r.calls) shared_bytes_unref(r.bytes);
            continue;
        }
        wait_reply(&r);
        c->answered += r.status == VIRGA_OK;
        shared_bytes_unref(r.bytes);
    }
    return NULL;
}

static void a_crowd_that_asks_and_cancels_is_served_within_the_cap(void **state) {
    (void)state;
    const size_t cap = 3 << 20;
    struct fixture f = open_store(cap, P_tmpdir, 20 * volume_bytes());
    struct crowd crowd[6];
    pthread_t threads[6];
    for (unsigned i = 0; i < 6; i++) {
        crowd[i] = (struct crowd){.store = f.store, .seed = i * 7919 + 1};
        pthread_create(&threads[i], NULL, ask_wildly, &crowd[i]);
    }
    for (int i = 0; i < 6; i++) {
        pthread_join(threads[i], NULL);
        assert_true(crowd[i].answered > 50);
    }
    struct brick_store_stats stats;
    brick_store_stats(f.store, &stats);
    assert_true(stats.memory <= cap);
    close_store(&f);
}

static void a_place_is_sampled_from_bricks(void **state) {
    (void)state;
    struct fixture f = open_store(64 << 20, NULL, 0);
    const struct field_ref field = field_of(4);
    const double level = 5;
    double value;
    for (int i = 0; i < 40; i++) {
        const double x = 20 + i * 1.97, y = 21 + i * 1.13, z = i * 0.199;
        assert_int_equal(brick_samples_at(f.store, &catalog, &field, x, y, &z, 1, &value, NULL), VIRGA_OK);
        assert_true(fabs(value - (x + 0.01 * y + 0.5 * z + 4)) <= 0.05);
    }
    brick_samples_at(f.store, &catalog, &field, 5, 5, &level, 1, &value, NULL);
    assert_true(isnan(value));
    brick_samples_at(f.store, &catalog, &field, 99.5, 5, &level, 1, &value, NULL);
    assert_true(isnan(value));
    fail_reads = true;
    const struct field_ref other = field_of(9);
    struct failure failure;
    assert_int_equal(brick_samples_at(f.store, &catalog, &other, 5, 5, &level, 1, &value, &failure), VIRGA_GONE);
    assert_string_equal(failure.message, "the reader of file.nc died");
    close_store(&f);
}

// Places of a path, back and forth over brick borders, with levels of their own.
static void expect_path(struct fixture *f, size_t step, size_t places) {
    enum { MOST = 120, LEVELS = 3 };
    const struct field_ref field = field_of(step);
    static double k[MOST][LEVELS], got[MOST][LEVELS];
    static struct sample_column columns[MOST];
    for (size_t c = 0; c < places; c++) {
        for (int n = 0; n < LEVELS; n++) k[c][n] = n + 0.013 * (double)c;
        columns[c] = (struct sample_column){c % 17 == 5 ? NAN : 15 + 0.61 * (double)(c * 7 % 113), 16 + 0.5 * (double)c, LEVELS, k[c], got[c]};
    }
    assert_int_equal(brick_samples_along(f->store, &catalog, &field, columns, places, NULL), VIRGA_OK);
    for (size_t c = 0; c < places; c++)
        for (int n = 0; n < LEVELS; n++) {
            double one;
            assert_int_equal(brick_samples_at(f->store, &catalog, &field, columns[c].i, columns[c].j, &k[c][n], 1, &one, NULL), VIRGA_OK);
            assert_true(one == got[c][n] || (isnan(one) && isnan(got[c][n])));
        }
}

static void a_path_is_sampled_as_each_of_its_places_is(void **state) {
    (void)state;
    struct fixture f = open_store(64 << 20, NULL, 0);
    struct brick_store_stats stats;
    expect_path(&f, 4, 120);
    brick_store_stats(f.store, &stats);
    assert_int_equal(stats.steps_read, 1);
    close_store(&f);
}

static void a_few_places_need_no_more_than_their_columns(void **state) {
    (void)state;
    struct fixture f = open_store(64 << 20, NULL, 0);
    struct brick_store_stats stats;
    const struct field_ref field = field_of(4);
    const double level = 2.5;
    double value = 0, other = 0;
    const struct sample_column columns[] = {{30.5, 40.25, 1, &level, &value}, {31.5, 40.5, 1, &level, &other}};
    assert_null(brick_store_volume(f.store, &field));
    assert_int_equal(brick_samples_along(f.store, &catalog, &field, columns, 2, NULL), VIRGA_OK);
    brick_store_stats(f.store, &stats);
    assert_int_equal(stats.steps_read, 0);
    expect_path(&f, 4, SAMPLE_FEW_COLUMNS);  // columns, against bricks
    struct step_volume *held = brick_store_volume(f.store, &field);
    assert_non_null(held);
    step_volume_free(held);
    atomic_bool stop = true;
    const struct field_ref stopped = {field.dataset, field.variable, field.run, field.member, field.step, &stop};
    assert_int_equal(brick_samples_along(f.store, &catalog, &stopped, columns, 2, NULL), VIRGA_CANCELLED);
    close_store(&f);
}

int main(void) {
    describe();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_is_sampled_as_each_of_its_places_is),
        cmocka_unit_test(a_few_places_need_no_more_than_their_columns),
        cmocka_unit_test(simultaneous_requests_share_one_read_and_one_encoding),
        cmocka_unit_test(bricks_hold_the_field),
        cmocka_unit_test(a_brick_without_voxels_that_differ_has_no_bytes),
        cmocka_unit_test(what_is_not_there_is_not_found),
        cmocka_unit_test(memory_stays_within_the_cap_and_spooled_steps_are_not_read_again),
        cmocka_unit_test(without_a_spool_steps_are_dropped_and_read_again),
        cmocka_unit_test(the_spool_stays_within_its_limit),
        cmocka_unit_test(a_field_larger_than_the_memory_is_made_in_the_spool),
        cmocka_unit_test(a_failed_read_fails_its_requests_and_is_tried_again_later),
        cmocka_unit_test(a_read_that_the_source_cancels_fails_its_requests),
        cmocka_unit_test(a_cancelled_request_hears_nothing_and_others_still_do),
        cmocka_unit_test(a_build_that_nobody_waits_for_stops_early),
        cmocka_unit_test(who_asks_again_while_a_build_is_given_up_gets_an_answer),
        cmocka_unit_test(what_is_urgent_overtakes_what_was_asked_for_before),
        cmocka_unit_test(closing_answers_whoever_waits),
        cmocka_unit_test(a_crowd_that_asks_and_cancels_is_served_within_the_cap),
        cmocka_unit_test(a_place_is_sampled_from_bricks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
