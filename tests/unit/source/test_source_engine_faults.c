// SPDX-License-Identifier: Apache-2.0
// Engines that die, lie, take too much or do not start.
#include "engine_fixture.h"

static void a_read_is_tried_again_where_the_engine_died(void **state) {
    (void)state;
    struct set set = set_of_this();
    assert_reads(&set, "dies-once");
    assert_int_equal(2, starts_of(&set));
    end_set(&set);
}

static void but_only_once(void **state) {
    (void)state;
    struct set set = set_of_this();
    struct source_slab slab;
    struct failure failure;
    assert_int_equal(VIRGA_GONE, try_read(&set, "dies", &slab, &failure));
    if (!strstr(failure.message, "the engine ended") || !strstr(failure.message, "dies")) fail_msg("%s", failure.message);
    assert_int_equal(2, starts_of(&set));
    assert_reads(&set, "good");
    end_set(&set);
}

static void a_task_that_failed_is_not_tried_again(void **state) {
    (void)state;
    struct set set = set_of_this();
    assert_read_fails(&set, "refuses", VIRGA_UNREADABLE, "v: a chunk is damaged");
    assert_false(is_marked("refuses", "asked-again"));
    assert_open_fails(set.pool, address_of("missing"), VIRGA_NOT_FOUND, "missing: there is no such store");
    assert_int_equal(1, starts_of(&set));
    end_set(&set);
}

static void forged_answers_end_the_engine_and_nothing_else(void **state) {
    (void)state;
    static const char *const names[] = {"forged-length", "forged-number", "forged-kind", "forged-version", "forged-bytes", "forged-delivery"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct set set = set_of_this();
        assert_read_fails(&set, names[i], VIRGA_GONE, "");
        assert_reads(&set, "good");
        assert_true(starts_of(&set) >= 2);
        end_set(&set);
    }
}

static void a_second_answer_ends_the_engine(void **state) {
    (void)state;
    struct set set = set_of_this();
    struct source_slab slab;
    struct failure failure;
    if (!try_read(&set, "forged-twice", &slab, &failure)) source_slab_release(&slab);
    double end = clock_monotonic() + PATIENCE;
    while (starts_of(&set) < 2 && clock_monotonic() < end) assert_reads(&set, "good");
    assert_true(starts_of(&set) >= 2);
    end_set(&set);
}

static void an_inventory_that_makes_no_sense_is_refused(void **state) {
    (void)state;
    struct set set = set_of_this();
    assert_open_fails(set.pool, address_of("nonsense"), VIRGA_GONE, "");
    assert_reads(&set, "good");
    end_set(&set);
}

static void one_that_takes_too_much_memory_is_ended(void **state) {
    (void)state;
    struct set set = set_of_this();
    assert_read_fails(&set, "eats", VIRGA_TOO_LARGE, "engine-memory");
    assert_reads(&set, "good");
    end_set(&set);
}

static void assert_does_not_start(const char *product, double seconds, const char *words) {
    struct set set = set_with_product(product, seconds);
    assert_open_fails(set.pool, address_of("good"), VIRGA_IO, words);
    char *json = source_engine_state(set.engine);
    assert_true(strstr(json, "\"state\": \"failed\"") && strstr(json, words));
    free(json);
    end_set(&set);
}

static void one_that_does_not_start_says_why(void **state) {
    (void)state;
    assert_does_not_start("exits", PATIENCE, "No module named virga_engine");
    assert_does_not_start("says nothing", 0.2, "in time");
}

static void one_of_another_protocol_is_ended(void **state) {
    (void)state;
    static const char *const products[] = {"says other", "speaks first"};
    for (size_t i = 0; i < 2; i++) {
        struct set set = set_with_product(products[i], PATIENCE);
        assert_open_fails(set.pool, address_of("good"), VIRGA_GONE, "protocol");
        end_set(&set);
    }
}

static void a_failing_start_is_not_tried_for_long(void **state) {
    (void)state;
    struct set set = set_with_product("exits", PATIENCE);
    struct source *source;
    struct failure failure = {0};
    for (int i = 0; i < 20 && !strstr(failure.message, "(in "); i++) assert_int_equal(VIRGA_IO, source_open(set.pool, address_of("good"), &source, &failure));
    assert_non_null(strstr(failure.message, "(in "));
    assert_true(starts_of(&set) <= 5);  // after 0.5, 1 and 2 s; what would wait longer is refused at once
    double since = clock_monotonic();
    for (int i = 0; i < 15; i++) assert_open_fails(set.pool, address_of("good"), VIRGA_IO, "could not be started");
    assert_true((double)starts_of(&set) <= 5 + (clock_monotonic() - since) / 4);
    end_set(&set);
}

static void one_that_is_not_there_is_named(void **state) {
    (void)state;
    struct source_engine_options options = options_of_this();
    struct failure failure;
    options.python = "/nowhere/python3";
    struct set set = set_of(&options);
    assert_open_fails(set.pool, address_of("good"), VIRGA_NOT_FOUND, "server/engine");
    assert_open_fails(set.pool, address_of("good"), VIRGA_NOT_FOUND, "/nowhere/python3");
    assert_int_equal(VIRGA_NOT_FOUND, source_engine_installed(set.engine, &failure));
    assert_int_equal(VIRGA_NOT_FOUND, source_engine_start(set.engine, &failure));
    end_set(&set);
}

static int run_all(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_read_is_tried_again_where_the_engine_died),
        TEST(but_only_once),
        TEST(a_task_that_failed_is_not_tried_again),
        TEST(forged_answers_end_the_engine_and_nothing_else),
        TEST(a_second_answer_ends_the_engine),
        TEST(an_inventory_that_makes_no_sense_is_refused),
        TEST(one_that_takes_too_much_memory_is_ended),
        TEST(one_that_does_not_start_says_why),
        TEST(one_of_another_protocol_is_ended),
        TEST(a_failing_start_is_not_tried_for_long),
        TEST(one_that_is_not_there_is_named),
    };
    return cmocka_run_group_tests_name("source_engine_faults", tests, NULL, NULL);
}

int main(int argc, char **argv) { return run_as_child_or(argc, argv, run_all); }
