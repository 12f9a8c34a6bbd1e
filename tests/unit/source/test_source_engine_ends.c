// SPDX-License-Identifier: Apache-2.0
// What is given up or comes late, and how an engine ends.
#include "engine_fixture.h"

#include <sys/wait.h>

static size_t on_the_way(struct set *set) {
    struct source_engine_counts counts;
    source_engine_counts(set->engine, &counts);
    return counts.on_the_way;
}

static void give_one_up(struct set *set, const char *name) {
    struct reading r;
    begin_reading(&r, set, name);
    assert_marked(name, "held");
    double before = clock_monotonic();
    atomic_store(&r.stop, true);
    pthread_join(r.thread, NULL);
    assert_true(r.status == VIRGA_CANCELLED && clock_monotonic() - before < PATIENCE / 2);  // long before it would be late
    assert_null(r.slab.data);
}

static void stop_one(struct set *set, const char *name) {
    give_one_up(set, name);
    assert_marked(name, "cancelled");
}

static void wait_until_all_are_back(struct set *set) {
    double end = clock_monotonic() + PATIENCE;
    while (on_the_way(set) && clock_monotonic() < end) nap();
    assert_int_equal(0, on_the_way(set));
}

static void what_nobody_waits_for_is_cancelled(void **state) {
    (void)state;
    struct set set = set_of_this();
    stop_one(&set, "waits");
    wait_until_all_are_back(&set);
    stop_one(&set, "answers-late");  // an answer that was on its way is dropped
    wait_until_all_are_back(&set);
    assert_reads(&set, "good");
    assert_int_equal(1, starts_of(&set));
    end_set(&set);
}

// Returns whether the child had the time to see that it is to let go: a busy machine may not have given it any.
static bool replace_what_clings(double cancel_seconds) {
    struct source_engine_options options = options_of_this();
    options.cancel_seconds = cancel_seconds;
    struct set set = set_of(&options);
    give_one_up(&set, "clings");
    wait_until_all_are_back(&set);
    assert_reads(&set, "good");
    assert_int_equal(2, starts_of(&set));
    end_set(&set);
    return is_marked("clings", "cancelled");
}

static void one_that_does_not_let_go_is_replaced(void **state) {
    (void)state;
    double seconds = 0.2;
    while (!replace_what_clings(seconds) && seconds < PATIENCE / 4) {
        seconds *= 4;
        assert_int_equal(0, unlink(fixture_path("clings.held")));
    }
    assert_true(is_marked("clings", "cancelled"));
}

static void what_is_late_is_cancelled(void **state) {
    (void)state;
    struct source_engine_options options = options_of_this();
    options.read_seconds = 0.3;
    struct set set = set_of(&options);
    assert_read_fails(&set, "waits", VIRGA_TIMED_OUT, "0.3 s");
    assert_marked("waits", "cancelled");
    wait_until_all_are_back(&set);
    assert_int_equal(1, starts_of(&set));
    end_set(&set);
}

// In a process of its own, which can be stopped. Its status: 0 where the slab came.
static int read_what_waits(double read_seconds) {
    struct source_engine_options options = options_of_this();
    struct source_slab slab;
    struct failure failure;
    options.read_seconds = read_seconds;
    struct set set = set_of(&options);
    if (try_read(&set, "waits-for-word", &slab, &failure)) return 1;
    source_slab_release(&slab);
    source_pool_free(set.pool);
    source_engine_free(set.engine);
    return 0;
}

// Stops such a process for longer than it waits for a slab. Returns its exit status, and how long it was not stopped.
static int stand_still(double read_seconds, double *ran) {
    int status;
    double begun = clock_monotonic();
    pid_t pid = fork();
    if (!pid) _exit(read_what_waits(read_seconds));
    assert_marked("waits-for-word", "held");
    kill(pid, SIGSTOP);
    double stopped = clock_monotonic(), end = stopped + read_seconds + 0.1;
    while (clock_monotonic() < end) nap();
    fixture_write(fixture_path("waits-for-word.word"), "", 0);
    double goes = clock_monotonic();
    kill(pid, SIGCONT);
    assert_int_equal(pid, waitpid(pid, &status, 0));
    assert_true(WIFEXITED(status));
    *ran = clock_monotonic() - goes + stopped - begun;
    return WEXITSTATUS(status);
}

static void time_in_which_the_program_stands_still_does_not_count(void **state) {
    (void)state;
    double seconds = 0.6, ran;
    int status = stand_still(seconds, &ran);
    while (status && ran >= seconds && seconds < PATIENCE / 4) {  // on a busy machine it was late by itself
        seconds *= 4;
        assert_int_equal(0, unlink(fixture_path("waits-for-word.held")));
        assert_int_equal(0, unlink(fixture_path("waits-for-word.word")));
        status = stand_still(seconds, &ran);
    }
    assert_int_equal(0, status);
}

static void stopping_the_pool_ends_what_is_read(void **state) {
    (void)state;
    struct set set = set_of_this();
    struct reading r;
    begin_reading(&r, &set, "waits");
    assert_marked("waits", "held");
    source_pool_stop(set.pool);
    pthread_join(r.thread, NULL);
    assert_int_equal(VIRGA_CANCELLED, r.status);
    end_set(&set);
}

static void freeing_ends_what_is_read_and_all_that_was_started(void **state) {
    (void)state;
    struct set set = set_of_this();
    struct reading r;
    struct source_slab kept;
    struct failure failure;
    char text[32] = "";
    source_unref(fixture_open(set.pool, address_of("spawns")));
    assert_marked("spawns", "spawned");
    assert_int_equal(VIRGA_OK, try_read(&set, "good", &kept, &failure));
    begin_reading(&r, &set, "waits");
    assert_marked("waits", "held");
    source_engine_stop(set.engine);
    pthread_join(r.thread, NULL);
    assert_int_equal(VIRGA_CANCELLED, r.status);
    end_set(&set);
    FILE *f = fopen(fixture_path("spawns.spawned"), "r");
    assert_true(f && fgets(text, sizeof text, f));
    fclose(f);
    pid_t parent;
    double end = clock_monotonic() + PATIENCE;
    char left;
    while ((left = process_state(atoi(text), &parent)) && left != 'Z' && clock_monotonic() < end) nap();
    assert_true(!left || left == 'Z');
    assert_true(((const float *)kept.data)[5] == 5);  // lent beyond the engine's end
    source_slab_release(&kept);
}

static void one_that_does_not_go_is_killed(void **state) {
    (void)state;
    struct set set = set_with_product("stays", PATIENCE);
    assert_reads(&set, "good");
    double before = clock_monotonic();
    end_set(&set);
    assert_true(clock_monotonic() - before < PATIENCE);
}

static int run_all(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_nobody_waits_for_is_cancelled),
        TEST(one_that_does_not_let_go_is_replaced),
        TEST(what_is_late_is_cancelled),
        TEST(time_in_which_the_program_stands_still_does_not_count),
        TEST(stopping_the_pool_ends_what_is_read),
        TEST(freeing_ends_what_is_read_and_all_that_was_started),
        TEST(one_that_does_not_go_is_killed),
    };
    return cmocka_run_group_tests_name("source_engine_ends", tests, NULL, NULL);
}

int main(int argc, char **argv) { return run_as_child_or(argc, argv, run_all); }
