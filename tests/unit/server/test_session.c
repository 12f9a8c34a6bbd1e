// SPDX-License-Identifier: Apache-2.0
// The policy alone: a made-up transport whose store answers at once, late, or never.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "made_up_volume.h"
#include "base/status.h"
#include "server/session.h"

enum { STEPS = 24, BRICK_BYTES = 9000, TABLE_BYTES = 700, MAX_LOG = 60000 };

struct event {
    enum session_action_kind kind;
    uint32_t layer, step, level, x, y, z;
    size_t ahead;
    bool refinement, degraded;
};

struct bench {
    struct made_up_volume volume;
    struct view_table *table;
    struct session_field fields[VIEW_MAX_LAYERS][STEPS];
    int held[VIEW_MAX_LAYERS][STEPS];
    bool late;         // fields stay loading until the test says otherwise
    bool slow_store;   // bricks are pending first
    struct session_action waiting[SESSION_MAX_PENDING];
    size_t waiting_count, most_waiting, cancelled;
    struct session_action come[64];  // the last that the store answered
    size_t come_count;
    struct session_scratch scratch;
    struct session *session;
    struct event log[MAX_LOG];
    size_t log_count;
    size_t bytes;
};

static struct session_field *get(void *user, uint32_t layer, uint32_t step, size_t ahead) {
    (void)ahead;
    struct bench *b = user;
    b->held[layer][step]++;
    struct session_field *field = &b->fields[layer][step];
    if (!b->late && field->state == FIELD_LOADING) *field = (struct session_field){.state = FIELD_READY, .table_bytes = TABLE_BYTES, .table = b->table, .boxes = b->volume.boxes};
    return field;
}

static void keep(void *user, struct session_field *field, size_t ahead) { (void)user, (void)field, (void)ahead; }

static void release(void *user, struct session_field *field) {
    struct bench *b = user;
    for (int l = 0; l < VIEW_MAX_LAYERS; l++)
        for (int s = 0; s < STEPS; s++)
            if (&b->fields[l][s] == field) {
                assert_true(b->held[l][s] > 0);
                b->held[l][s]--;
            }
}

static bool same_brick(const struct session_action *a, uint32_t slot, uint32_t level, uint32_t x, uint32_t y, uint32_t z) {
    return a->slot == slot && a->level == level && a->x == x && a->y == y && a->z == z;
}

static void cancel(void *user, uint32_t slot, uint32_t level, uint32_t x, uint32_t y, uint32_t z) {
    struct bench *b = user;
    for (size_t i = 0; i < b->waiting_count; i++)
        if (same_brick(&b->waiting[i], slot, level, x, y, z)) {
            b->waiting[i] = b->waiting[--b->waiting_count];
            b->cancelled++;
            return;
        }
    fail_msg("cancelled what was not pending");
}

static void plain(void *user, struct step_table_entry *entry, uint32_t at[4]) {
    (void)user;
    *entry = (struct step_table_entry){.kind = BRICK_FULL, .lowest = (int32_t)(at[1] << at[0]), .highest = (int32_t)((at[1] + 1) << at[0])};
}

static struct bench *bench_new(uint32_t nx, uint32_t ny, uint32_t nz) {
    struct bench *b = calloc(1, sizeof *b);
    made_up_volume_init(&b->volume, nx, ny, nz);
    b->table = made_up_table(&b->volume, plain, NULL);
    assert_int_equal(session_scratch_init(&b->scratch, 1 << 16), VIRGA_OK);
    const struct session_calls calls = {.get = get, .keep = keep, .release = release, .cancel = cancel, .user = b};
    b->session = session_new(&calls, &b->scratch);
    return b;
}

static void bench_free(struct bench *b) {
    session_free(b->session);
    for (int l = 0; l < VIEW_MAX_LAYERS; l++)
        for (int s = 0; s < STEPS; s++) assert_int_equal(b->held[l][s], 0);
    session_scratch_destroy(&b->scratch);
    view_table_unref(b->table);
    made_up_volume_destroy(&b->volume);
    free(b);
}

static struct session_interest interest_at(const struct bench *b, uint32_t generation, int64_t time, int along, size_t ahead, size_t layers) {
    struct session_interest i = {.generation = generation, .layer_count = layers, .ahead = ahead, .playing = along != 0,
                                 .camera = {.whole = true}, .budget = 1ULL << 40};
    for (size_t l = 0; l < layers; l++) {
        snprintf(i.layers[l].identity, sizeof i.layers[l].identity, "edition-%zu", l);
        snprintf(i.layers[l].variable, sizeof i.layers[l].variable, "v%zu", l);
        i.layers[l].shape = b->volume.shape;
        i.layers[l].curve.all = true;
        i.layers[l].step = 1;
        i.layers[l].before = time > 0 ? time - 1 : -1;
        for (size_t d = 0; d <= ahead; d++) {
            int64_t step = time + (int64_t)d * (along ? along : 1);
            i.layers[l].steps[d] = step >= 0 && step < STEPS ? step : -1;
        }
    }
    return i;
}

static void note(struct bench *b, const struct session_action *a) {
    assert_true(b->log_count < MAX_LOG);
    b->log[b->log_count++] = (struct event){.kind = a->kind, .layer = a->layer, .step = a->step, .level = a->level, .x = a->x, .y = a->y,
                                            .z = a->z, .ahead = a->ahead, .refinement = a->refinement, .degraded = a->degraded};
}

// One thing as the transport does it. False: nothing to do.
static bool turn(struct bench *b) {
    struct session_action a;
    session_next(b->session, &a);
    if (a.kind == SESSION_WAIT) return false;
    size_t bytes = a.kind == SESSION_TABLE ? TABLE_BYTES : BRICK_BYTES;
    if ((a.kind == SESSION_TABLE || a.kind == SESSION_BRICK) && bytes > session_credit(b->session)) return false;
    bool came = false;
    for (size_t i = 0; i < 64; i++) came |= same_brick(&b->come[i], a.slot, a.level, a.x, a.y, a.z);
    if (b->slow_store && a.kind == SESSION_BRICK && !came) {
        assert_true(b->waiting_count < SESSION_MAX_PENDING);
        b->waiting[b->waiting_count++] = a;
        if (b->waiting_count > b->most_waiting) b->most_waiting = b->waiting_count;
        session_brick_pending(b->session, &a);
        return true;
    }
    note(b, &a);
    if (a.kind == SESSION_ANNOUNCE) session_announced(b->session, &a);
    if (a.kind == SESSION_TABLE) session_table_sent(b->session, &a, TABLE_BYTES);
    if (a.kind == SESSION_BRICK) session_brick_sent(b->session, &a, BRICK_BYTES);
    if (a.kind == SESSION_TABLE || a.kind == SESSION_BRICK) b->bytes += bytes;
    return true;
}

// The store answers one of those that wait.
static void answer(struct bench *b, size_t i, bool failed) {
    const struct session_action a = b->waiting[i];
    b->waiting[i] = b->waiting[--b->waiting_count];
    b->come[b->come_count++ % 64] = a;
    session_brick_ready(b->session, a.slot, a.level, a.x, a.y, a.z, failed);
}

// Turns until nothing is left; everything is acknowledged at once.
static void run_all(struct bench *b) {
    do {
        session_ack(b->session, 1 << 30);
    } while (turn(b));
}

static size_t count(const struct bench *b, enum session_action_kind kind) {
    size_t n = 0;
    for (size_t i = 0; i < b->log_count; i++) n += b->log[i].kind == kind;
    return n;
}

static size_t all_bricks(const struct bench *b) {
    size_t n = 0;
    for (uint32_t l = 0; l < b->volume.shape.level_count; l++) {
        const uint32_t *bricks = b->volume.shape.levels[l].bricks;
        n += (size_t)bricks[0] * bricks[1] * bricks[2];
    }
    return n;
}

static void test_everything_comes_once_and_then_done(void **state) {
    (void)state;
    struct bench *b = bench_new(300, 200, 40);
    struct session_interest i = interest_at(b, 1, 3, 1, 2, 2);
    assert_int_equal(session_set_interest(b->session, &i), VIRGA_OK);
    run_all(b);
    assert_int_equal(count(b, SESSION_ANNOUNCE), 6);
    assert_int_equal(count(b, SESSION_TABLE), 6);
    assert_int_equal(count(b, SESSION_BRICK), 6 * all_bricks(b));
    assert_int_equal(count(b, SESSION_FINISHED), 1);
    assert_int_equal(b->log[b->log_count - 1].kind, SESSION_FINISHED);
    assert_false(b->log[b->log_count - 1].degraded);
    for (size_t p = 0; p < b->log_count; p++)
        for (size_t q = p + 1; q < b->log_count; q++)
            if (b->log[p].kind == SESSION_BRICK) assert_memory_not_equal(&b->log[p], &b->log[q], sizeof b->log[p]);
    bench_free(b);
}

static void test_order_is_the_protocols(void **state) {
    (void)state;
    struct bench *b = bench_new(300, 200, 40);
    struct session_interest i = interest_at(b, 1, 3, 1, 3, 2);
    session_set_interest(b->session, &i);
    run_all(b);
    uint32_t top = b->volume.shape.level_count - 1;
    // stages: 0 coarsest of the step in view, 1 its bricks, 2 coarsest of those ahead, 3 their bricks
    int stage = 0;
    size_t ahead = 0;
    bool told[2][STEPS] = {{false}};
    for (size_t n = 0; n < b->log_count; n++) {
        const struct event *e = &b->log[n];
        if (e->kind == SESSION_TABLE) told[e->layer][e->step] = true;
        if (e->kind != SESSION_BRICK) continue;
        assert_true(told[e->layer][e->step]);
        int now = e->ahead == 0 ? (e->level == top ? 0 : 1) : (e->level == top ? 2 : 3);
        assert_true(now >= stage);
        if (now != stage) ahead = 0;
        stage = now;
        assert_true(e->ahead >= ahead);  // nearer steps first
        ahead = e->ahead;
    }
    assert_int_equal(stage, 3);
    bench_free(b);
}

static void test_no_more_than_the_window_is_in_flight(void **state) {
    (void)state;
    struct bench *b = bench_new(600, 600, 40);
    struct session_interest i = interest_at(b, 1, 0, 0, 0, 1);
    session_set_interest(b->session, &i);
    while (turn(b)) assert_true(session_in_flight(b->session) <= SESSION_WINDOW);
    assert_true(b->bytes <= SESSION_WINDOW && b->bytes > SESSION_WINDOW - BRICK_BYTES);
    size_t before = b->log_count;
    assert_false(turn(b));
    session_ack(b->session, 5 * BRICK_BYTES);
    while (turn(b)) {}
    assert_in_range(b->log_count - before, 5, 6);
    session_ack(b->session, UINT64_MAX);  // more than was sent is as good as all
    assert_int_equal(session_in_flight(b->session), 0);
    bench_free(b);
}

static void test_a_seek_drops_what_was_queued(void **state) {
    (void)state;
    struct bench *b = bench_new(600, 600, 40);
    struct session_interest i = interest_at(b, 1, 2, 1, 3, 1);
    session_set_interest(b->session, &i);
    for (int n = 0; n < 30; n++) turn(b);
    size_t before = b->log_count;
    i = interest_at(b, 2, 15, 1, 3, 1);
    session_set_interest(b->session, &i);
    run_all(b);
    for (size_t n = before; n < b->log_count; n++)
        if (b->log[n].kind != SESSION_FINISHED) assert_in_range(b->log[n].step, 15, 18);
    bench_free(b);
}

static void test_a_seek_cancels_what_is_pending(void **state) {
    (void)state;
    struct bench *b = bench_new(600, 600, 40);
    b->slow_store = true;
    struct session_interest i = interest_at(b, 1, 2, 0, 0, 1);
    session_set_interest(b->session, &i);
    while (turn(b)) {}
    const int waiting = 4;  // the coarsest bricks, 2 x 2: nothing finer is asked for before they are here
    assert_int_equal(b->waiting_count, waiting);
    i = interest_at(b, 2, 9, 0, 0, 1);
    session_set_interest(b->session, &i);
    assert_int_equal(b->waiting_count, 0);
    assert_int_equal(b->cancelled, waiting);
    assert_int_equal(session_pending(b->session), 0);
    bench_free(b);
}

static void test_pending_bricks_are_bounded_and_come_in_the_end(void **state) {
    (void)state;
    struct bench *b = bench_new(300, 200, 40);
    b->slow_store = true;
    uint32_t seed = 99;
    struct session_interest i = interest_at(b, 1, 2, 0, 0, 1);
    session_set_interest(b->session, &i);
    for (int round = 0; round < 100000 && !count(b, SESSION_FINISHED); round++) {
        session_ack(b->session, 1 << 30);
        while (turn(b)) {}
        if (!b->waiting_count) continue;
        answer(b, made_up_random(&seed) % b->waiting_count, false);
    }
    assert_int_equal(b->most_waiting, SESSION_MAX_PENDING);
    assert_int_equal(count(b, SESSION_BRICK), all_bricks(b));
    assert_int_equal(count(b, SESSION_FINISHED), 1);
    bench_free(b);
}

static void test_what_was_sent_is_not_sent_again(void **state) {
    (void)state;
    struct bench *b = bench_new(300, 200, 40);
    struct session_interest i = interest_at(b, 1, 3, 1, 2, 1);
    session_set_interest(b->session, &i);
    run_all(b);
    size_t before = b->log_count;
    i = interest_at(b, 2, 4, 1, 2, 1);  // playing on: one new step
    session_set_interest(b->session, &i);
    run_all(b);
    assert_int_equal(b->log[before].step, 6);
    assert_int_equal(b->log_count - before, 2 + all_bricks(b) + 1);
    before = b->log_count;
    i = interest_at(b, 3, 3, 1, 2, 1);  // one back: the step before is remembered
    session_set_interest(b->session, &i);
    run_all(b);
    assert_int_equal(b->log_count - before, 1);
    bench_free(b);
}

static void test_steps_out_of_the_window_are_forgotten_unless_kept(void **state) {
    (void)state;
    for (int kept = 0; kept < 2; kept++) {
        struct bench *b = bench_new(300, 200, 40);
        struct session_interest i = interest_at(b, 1, 3, 0, 0, 1);
        i.keep = kept;
        session_set_interest(b->session, &i);
        run_all(b);
        i = interest_at(b, 2, 12, 0, 0, 1);
        i.keep = kept;
        session_set_interest(b->session, &i);
        run_all(b);
        if (kept) session_drop_brick(b->session, "v0", 3, 0, 1, 1, 0);
        size_t before = b->log_count;
        i = interest_at(b, 3, 3, 0, 0, 1);
        i.keep = kept;
        session_set_interest(b->session, &i);
        run_all(b);
        assert_int_equal(b->log_count - before, kept ? 2 : 2 + all_bricks(b) + 1);
        if (kept) assert_true(b->log[before].kind == SESSION_BRICK && b->log[before].x == 1 && b->log[before].y == 1);
        bench_free(b);
    }
}

static void test_dropped_steps_and_lost_pages_get_everything_again(void **state) {
    (void)state;
    struct bench *b = bench_new(300, 200, 40);
    struct session_interest i = interest_at(b, 1, 3, 0, 0, 1);
    session_set_interest(b->session, &i);
    run_all(b);
    size_t whole = b->log_count;
    session_drop_step(b->session, "other", 3);
    session_drop_step(b->session, "v0", 3);
    session_drop_brick(b->session, "v0", 3, 99, 0, 0, 0);  // no such brick: nothing happens
    i.generation = 2;
    session_set_interest(b->session, &i);
    run_all(b);
    assert_int_equal(b->log_count, 2 * whole);
    i.generation = 3;
    i.forget = true;
    session_set_interest(b->session, &i);
    run_all(b);
    assert_int_equal(b->log_count, 3 * whole);
    bench_free(b);
}

static void test_another_edition_is_sent_anew(void **state) {
    (void)state;
    struct bench *b = bench_new(300, 200, 40);
    struct session_interest i = interest_at(b, 1, 3, 0, 0, 1);
    session_set_interest(b->session, &i);
    run_all(b);
    size_t whole = b->log_count;
    i.generation = 2;
    strcpy(i.layers[0].identity, "edition-new");
    session_set_interest(b->session, &i);
    run_all(b);
    assert_int_equal(b->log_count, 2 * whole);
    bench_free(b);
}

static void test_a_late_step_is_waited_for_but_holds_nobody_up(void **state) {
    (void)state;
    struct bench *b = bench_new(300, 200, 40);
    b->late = true;
    struct session_interest i = interest_at(b, 1, 3, 1, 1, 2);
    session_set_interest(b->session, &i);
    run_all(b);
    assert_int_equal(b->log_count, 0);
    const struct session_field ready = {.state = FIELD_READY, .table_bytes = TABLE_BYTES, .table = b->table};
    b->fields[1][3] = ready;  // the second layer is here first, without its boxes
    session_field_changed(b->session);
    run_all(b);
    assert_int_equal(count(b, SESSION_BRICK), all_bricks(b));
    assert_int_equal(b->held[0][4] + b->held[1][4], 0);  // nothing ahead is asked for yet
    b->fields[0][3] = (struct session_field){.state = FIELD_FAILED};
    session_field_changed(b->session);
    assert_int_equal(b->held[0][4] + b->held[1][4], 2);
    b->fields[1][4] = ready;
    session_field_changed(b->session);
    run_all(b);
    assert_int_equal(count(b, SESSION_BRICK), 2 * all_bricks(b));
    assert_int_equal(count(b, SESSION_FINISHED), 0);
    b->fields[0][4] = (struct session_field){.state = FIELD_FAILED};
    session_field_changed(b->session);
    run_all(b);
    assert_int_equal(count(b, SESSION_BRICK), 2 * all_bricks(b));
    assert_int_equal(count(b, SESSION_FINISHED), 1);
    bench_free(b);
}

static void test_with_a_camera_only_the_coarsest_comes_before_the_boxes(void **state) {
    (void)state;
    struct bench *b = bench_new(600, 600, 40);
    b->late = true;
    struct session_interest i = interest_at(b, 1, 3, 0, 0, 1);
    i.camera = (struct view_priority_camera){.eye = {0, -1, 300}, .target = {0, 0, 0}, .up = {0, 1, 0}, .fov = 40, .width = 1280, .height = 720, .exaggeration = 1};
    session_set_interest(b->session, &i);
    b->fields[0][3] = (struct session_field){.state = FIELD_READY, .table_bytes = TABLE_BYTES, .table = b->table};
    session_field_changed(b->session);
    run_all(b);
    uint32_t top = b->volume.shape.level_count - 1;
    const uint32_t *n = b->volume.shape.levels[top].bricks;
    assert_int_equal(count(b, SESSION_BRICK), n[0] * n[1] * n[2]);
    b->fields[0][3].boxes = b->volume.boxes;
    session_field_changed(b->session);
    run_all(b);
    assert_true(count(b, SESSION_BRICK) > n[0] * n[1] * n[2]);
    assert_int_equal(count(b, SESSION_FINISHED), 1);
    bench_free(b);
}

static void test_the_budget_cuts_fine_bricks_and_says_so(void **state) {
    (void)state;
    struct bench *b = bench_new(600, 600, 40);
    struct session_interest i = interest_at(b, 1, 3, 0, 0, 1);
    i.budget = 50ULL * SESSION_BRICK_COST;
    session_set_interest(b->session, &i);
    run_all(b);
    assert_int_equal(count(b, SESSION_BRICK), 50);
    assert_true(b->log[b->log_count - 1].degraded);
    uint32_t finest = 99;
    for (size_t n = 0; n < b->log_count; n++)
        if (b->log[n].kind == SESSION_BRICK) {
            assert_true(b->log[n].level <= finest);
            finest = b->log[n].level;
        }
    // The same interest again wants the same bricks: what was sent counts.
    i.generation = 2;
    session_set_interest(b->session, &i);
    run_all(b);
    assert_int_equal(count(b, SESSION_BRICK), 50);
    bench_free(b);
}

static void test_playing_shares_the_budget_among_steps(void **state) {
    (void)state;
    struct bench *b = bench_new(600, 600, 40);
    struct session_interest i = interest_at(b, 1, 3, 1, 3, 1);
    i.budget = 200ULL * SESSION_BRICK_COST;
    session_set_interest(b->session, &i);
    run_all(b);
    size_t of[STEPS] = {0};
    for (size_t n = 0; n < b->log_count; n++) of[b->log[n].step] += b->log[n].kind == SESSION_BRICK;
    for (int step = 3; step <= 6; step++) assert_int_equal(of[step], 50);
    bench_free(b);
}

static size_t level_bricks(const struct bench *b, uint32_t l) {
    const uint32_t *n = b->volume.shape.levels[l].bricks;
    return (size_t)n[0] * n[1] * n[2];
}

// The design's target: beyond the coarsest level, at most a quarter of the bricks.
static void test_a_camera_on_a_tenth_gets_a_small_part(void **state) {
    (void)state;
    struct bench *b = bench_new(621, 810, 37);
    struct session_interest i = interest_at(b, 1, 3, 0, 0, 1);
    double side = sqrt(621.0 * 810.0 / 10) * 2, height = side / 2 / tan(20 * acos(-1) / 180);  // looking straight down
    i.camera = (struct view_priority_camera){.eye = {100, 200, height + 20}, .target = {100, 200, 0}, .up = {0, 1, 0}, .fov = 40, .width = 1000, .height = 1000, .exaggeration = 1};
    session_set_interest(b->session, &i);
    run_all(b);
    size_t top = level_bricks(b, b->volume.shape.level_count - 1), beyond = all_bricks(b) - top, got = count(b, SESSION_BRICK) - top;
    assert_true(got > 0 && got <= beyond / 4);
    bench_free(b);
}

static void test_opacity_on_few_bricks_gets_a_small_part(void **state) {
    (void)state;
    struct bench *b = bench_new(621, 810, 37);
    struct session_interest i = interest_at(b, 1, 3, 0, 0, 1);
    i.layers[0].curve = (struct opacity_curve){.count = 4, .value = {9.5, 9.6, 9.7, 9.8}, .opacity = {0, 1, 1, 0}};  // values follow x: one brick in twenty
    session_set_interest(b->session, &i);
    run_all(b);
    size_t top = level_bricks(b, b->volume.shape.level_count - 1), beyond = all_bricks(b) - top, got = count(b, SESSION_BRICK) - top;
    assert_true(got > 0 && got <= beyond / 4);
    bench_free(b);
}

static void test_memory_does_not_grow_with_what_is_left_unread(void **state) {
    (void)state;
    struct bench *b = bench_new(621, 810, 37);
    uint32_t seed = 7;
    size_t most = 0;
    for (uint32_t g = 1; g < 3000; g++) {  // seeks wildly, never acknowledges
        struct session_interest i = interest_at(b, g, (int64_t)(made_up_random(&seed) % STEPS), (int)(made_up_random(&seed) % 3) - 1, made_up_random(&seed) % 9,
                                                1 + made_up_random(&seed) % 4);
        i.keep = made_up_random(&seed) % 2;
        assert_int_equal(session_set_interest(b->session, &i), VIRGA_OK);
        for (int n = 0; n < 20 && turn(b); n++) {}
        if (session_memory(b->session) > most) most = session_memory(b->session);
        b->log_count = 0;
    }
    assert_true(session_in_flight(b->session) <= SESSION_WINDOW);
    assert_true(most < 1 << 20);
    bench_free(b);
}

// Any order of events: nothing is sent twice, credits hold, and once left in peace all that is wanted has come.
static void test_wild_histories_end_well(void **state) {
    (void)state;
    for (uint32_t seed = 1; seed <= 40; seed++) {
        uint32_t r = seed * 7919;
        struct bench *b = bench_new(200, 150, 40);
        b->slow_store = true;
        b->late = true;
        struct session_interest i = interest_at(b, 0, 0, 0, 0, 1);
        for (uint32_t g = 1; g < 60; g++) {
            switch (made_up_random(&r) % 5) {
                case 0:
                    i = interest_at(b, g, (int64_t)(made_up_random(&r) % STEPS), (int)(made_up_random(&r) % 3) - 1, made_up_random(&r) % 4, 1 + made_up_random(&r) % 2);
                    session_set_interest(b->session, &i);
                    break;
                case 1: {
                    struct session_field *f = &b->fields[made_up_random(&r) % 2][made_up_random(&r) % STEPS];
                    if (f->state == FIELD_LOADING) *f = (struct session_field){.state = FIELD_READY, .table_bytes = TABLE_BYTES, .table = b->table, .boxes = b->volume.boxes};
                    session_field_changed(b->session);
                    break;
                }
                case 2: session_ack(b->session, made_up_random(&r) % 100000); break;
                case 3:
                    if (b->waiting_count) answer(b, made_up_random(&r) % b->waiting_count, made_up_random(&r) % 8 == 0);
                    break;
                default:
                    for (uint32_t n = made_up_random(&r) % 40; n > 0 && turn(b); n--) assert_true(session_in_flight(b->session) <= SESSION_WINDOW);
            }
        }
        b->late = b->slow_store = false;
        for (int l = 0; l < VIEW_MAX_LAYERS; l++)
            for (int s = 0; s < STEPS; s++)
                b->fields[l][s] = (struct session_field){.state = FIELD_READY, .table_bytes = TABLE_BYTES, .table = b->table, .boxes = b->volume.boxes};
        i.generation = 1000;
        i.forget = true;
        session_set_interest(b->session, &i);
        b->log_count = 0;
        run_all(b);
        size_t steps = 0;
        for (size_t l = 0; l < i.layer_count; l++)
            for (size_t d = 0; d <= i.ahead; d++) steps += i.layers[l].steps[d] >= 0;
        assert_int_equal(count(b, SESSION_BRICK), steps * all_bricks(b));
        assert_int_equal(count(b, SESSION_FINISHED), 1);
        bench_free(b);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_comes_once_and_then_done),
        cmocka_unit_test(test_order_is_the_protocols),
        cmocka_unit_test(test_no_more_than_the_window_is_in_flight),
        cmocka_unit_test(test_a_seek_drops_what_was_queued),
        cmocka_unit_test(test_a_seek_cancels_what_is_pending),
        cmocka_unit_test(test_pending_bricks_are_bounded_and_come_in_the_end),
        cmocka_unit_test(test_what_was_sent_is_not_sent_again),
        cmocka_unit_test(test_steps_out_of_the_window_are_forgotten_unless_kept),
        cmocka_unit_test(test_dropped_steps_and_lost_pages_get_everything_again),
        cmocka_unit_test(test_another_edition_is_sent_anew),
        cmocka_unit_test(test_a_late_step_is_waited_for_but_holds_nobody_up),
        cmocka_unit_test(test_with_a_camera_only_the_coarsest_comes_before_the_boxes),
        cmocka_unit_test(test_the_budget_cuts_fine_bricks_and_says_so),
        cmocka_unit_test(test_playing_shares_the_budget_among_steps),
        cmocka_unit_test(test_a_camera_on_a_tenth_gets_a_small_part),
        cmocka_unit_test(test_opacity_on_few_bricks_gets_a_small_part),
        cmocka_unit_test(test_memory_does_not_grow_with_what_is_left_unread),
        cmocka_unit_test(test_wild_histories_end_well),
    };
    return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
