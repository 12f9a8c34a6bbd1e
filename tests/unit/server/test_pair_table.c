// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/pair_table.h"

static const int things[600];
static const void *const screen = &things[0], *const remote = &things[1], *const other = &things[2];
static char code[PAIR_CODE + 1], key[SECRET_TEXT + 1];
static struct failure failure;

// Numbers that a test lays down, the last again and again.
struct drawn {
    uint32_t numbers[4];
    size_t count, at;
};

static bool draw(void *context, void *bytes, size_t size) {
    struct drawn *drawn = context;
    assert_int_equal(size, sizeof(uint32_t));
    memcpy(bytes, &drawn->numbers[drawn->at], size);
    if (drawn->at + 1 < drawn->count) drawn->at++;
    return drawn->count > 0;
}

static int open_table(void **state) { return (*state = pair_table_new(NULL, NULL)) ? 0 : -1; }
static int close_table(void **state) {
    pair_table_free(*state);
    return 0;
}

static int offer(struct pair_table *t, const void *who, double now) { return pair_table_offer(t, who, 1, now, code, &failure); }
static int join(struct pair_table *t, const void *who, const char *text, double now) {
    return pair_table_join(t, who, 1, text, "Phone", now, key, &failure);
}
static void pair(struct pair_table *t) {
    assert_int_equal(offer(t, screen, 0), VIRGA_OK);
    assert_int_equal(join(t, remote, code, 1), VIRGA_OK);
}

// A code that is not the one on offer, another for each n.
static const char *wrong_code(int n) {
    static char text[PAIR_CODE + 1];
    snprintf(text, sizeof text, "%04u", (unsigned)(atoi(code) + 1 + n % 9998) % 10000u);
    return text;
}

static void test_a_code_lets_one_remote_in(void **state) {
    int at = 7;
    pair(*state);
    assert_int_equal(strlen(code), PAIR_CODE);
    assert_int_equal(strspn(code, "0123456789"), PAIR_CODE);
    struct pair_screen *paired = pair_table_find(*state, remote, &at);
    assert_non_null(paired);
    assert_int_equal(at, 0);
    assert_string_equal(paired->remotes[0].name, "Phone");
    assert_int_equal(join(*state, other, code, 2), VIRGA_NOT_FOUND);
    assert_non_null(strstr(failure.message, "5 minutes"));
}

static void test_a_code_is_void_after_its_time(void **state) {
    assert_int_equal(offer(*state, screen, 100), VIRGA_OK);
    assert_int_equal(join(*state, remote, code, 100 + PAIR_SECONDS), VIRGA_NOT_FOUND);
    assert_int_equal(offer(*state, screen, 500), VIRGA_OK);
    assert_int_equal(join(*state, remote, code, 499.9 + PAIR_SECONDS), VIRGA_OK);
}

static void test_a_new_code_replaces_the_old_and_keeps_the_remotes(void **state) {
    char first[PAIR_CODE + 1];
    int at;
    pair(*state);
    do {
        memcpy(first, code, sizeof first);
        assert_int_equal(offer(*state, screen, 2), VIRGA_OK);
    } while (!strcmp(first, code));
    assert_int_equal(offer(*state, screen, 3), VIRGA_OK);
    assert_int_equal(join(*state, other, code, 4), VIRGA_OK);
    const struct pair_screen *paired = pair_table_find(*state, remote, &at);
    assert_ptr_equal(pair_table_find(*state, other, &at), paired);
    assert_int_equal(at, 1);
}

static void test_four_remotes_and_no_more(void **state) {
    for (int i = 1; i <= PAIR_REMOTES; i++) {
        assert_int_equal(offer(*state, screen, i), VIRGA_OK);
        assert_int_equal(join(*state, &things[i], code, i), VIRGA_OK);
    }
    assert_int_equal(offer(*state, screen, 10), VIRGA_OK);
    assert_int_equal(join(*state, &things[9], code, 10), VIRGA_TOO_LARGE);
    pair_table_leave(*state, &things[2], false);  // one that is away gives way
    assert_int_equal(join(*state, &things[9], code, 10), VIRGA_OK);
}

static void test_both_ends_with_the_screen(void **state) {
    int at;
    pair(*state);
    char kept[SECRET_TEXT + 1];
    memcpy(kept, key, sizeof kept);
    assert_int_equal(offer(*state, screen, 1), VIRGA_OK);
    pair_table_leave(*state, screen, false);
    assert_null(pair_table_find(*state, remote, &at));
    assert_int_equal(join(*state, other, code, 2), VIRGA_NOT_FOUND);
    assert_int_equal(pair_table_return(*state, other, 1, kept, 2, &failure), VIRGA_NOT_FOUND);
}

static void test_a_remote_comes_back_by_its_key(void **state) {
    int at;
    pair(*state);
    pair_table_leave(*state, remote, false);
    assert_null(pair_table_find(*state, remote, &at));
    assert_int_equal(pair_table_return(*state, other, 1, "forged", 10000, &failure), VIRGA_NOT_FOUND);
    assert_int_equal(pair_table_return(*state, other, 1, key, 10000, &failure), VIRGA_OK);
    assert_ptr_equal(pair_table_find(*state, other, &at)->who, screen);
    pair_table_leave(*state, other, true);  // it has let go for good
    assert_int_equal(pair_table_return(*state, other, 1, key, 10000, &failure), VIRGA_NOT_FOUND);
}

static void test_nobody_is_two(void **state) {
    pair(*state);
    assert_int_equal(offer(*state, remote, 2), VIRGA_INVALID);
    assert_int_equal(offer(*state, screen, 2), VIRGA_OK);
    assert_int_equal(join(*state, screen, code, 2), VIRGA_INVALID);
    assert_int_equal(join(*state, remote, code, 2), VIRGA_INVALID);
}

static void test_guesses_of_a_place_are_limited_within_any_minute(void **state) {
    int wrong = 0;
    assert_int_equal(offer(*state, screen, 1000), VIRGA_OK);
    for (int tenth = 0; tenth < 600; tenth++) wrong += join(*state, other, wrong_code(tenth), 1000 + tenth / 10.0) == VIRGA_NOT_FOUND;
    assert_in_range(wrong, PAIR_GUESSES / 2, PAIR_GUESSES);
    while (join(*state, other, wrong_code(0), 1060) == VIRGA_NOT_FOUND) continue;
    assert_int_equal(join(*state, other, code, 1060), VIRGA_NO_MEMORY);  // nor is the right one heard
    assert_non_null(strstr(failure.message, "try again"));
    assert_int_equal(pair_table_join(*state, remote, 2, code, "", 1060, key, &failure), VIRGA_OK);  // others may go on
    assert_int_equal(offer(*state, screen, 1060), VIRGA_OK);
    assert_int_equal(join(*state, other, code, 1061 + 60), VIRGA_OK);
}

static void test_guesses_of_all_close_pairing_for_a_while(void **state) {
    int wrong = 0;
    pair(*state);
    assert_int_equal(offer(*state, screen, 1000), VIRGA_OK);
    for (int i = 0; i < 500; i++)
        wrong += pair_table_join(*state, other, (client_place)(100 + i), wrong_code(i), "", 1000 + i / 10.0, (char[SECRET_TEXT + 1]){0}, &failure) == VIRGA_NOT_FOUND;
    assert_in_range(wrong, PAIR_ALL_GUESSES / 2, PAIR_ALL_GUESSES);
    assert_int_equal(pair_table_join(*state, other, 9, code, "", 1050, (char[SECRET_TEXT + 1]){0}, &failure), VIRGA_NO_MEMORY);
    assert_non_null(strstr(failure.message, "closed"));
    pair_table_leave(*state, remote, false);
    assert_int_equal(pair_table_return(*state, remote, 1, key, 1050, &failure), VIRGA_OK);  // who was in comes back
    assert_int_equal(offer(*state, screen, 1050 + PAIR_LOCKED_SECONDS), VIRGA_OK);
    assert_int_equal(join(*state, other, code, 1051 + PAIR_LOCKED_SECONDS), VIRGA_OK);
}

static void test_codes_are_drawn_evenly_and_never_twice_at_a_time(void **state) {
    struct drawn drawn = {.numbers = {4294960000u, 4294967295u, 427, 42}, .count = 3};  // the first two lie beyond the last whole ten thousand
    struct pair_table *t = pair_table_new(draw, &drawn);
    (void)state;
    assert_int_equal(offer(t, screen, 0), VIRGA_OK);
    assert_string_equal(code, "0427");
    assert_int_equal(offer(t, other, 0), VIRGA_IO);  // nothing else comes
    drawn.count = 4;
    assert_int_equal(offer(t, other, 0), VIRGA_OK);
    assert_string_equal(code, "0042");
    drawn.count = 0;
    assert_int_equal(offer(t, remote, 0), VIRGA_IO);  // no random numbers
    pair_table_free(t);
}

static void test_codes_that_wait_are_few(void **state) {
    int waiting = 0, here = 0;
    for (int i = 0; i < 30; i++) here += !offer(*state, &things[i], 0);
    assert_int_equal(here, PAIR_WAITING_EACH);
    for (int i = 30; i < 300; i++) waiting += !pair_table_offer(*state, &things[i], (client_place)i, 0, code, &failure);
    assert_int_equal(here + waiting, PAIR_WAITING);
    assert_int_equal(offer(*state, &things[0], 1), VIRGA_OK);  // another in place of its own
    assert_int_equal(offer(*state, &things[599], PAIR_SECONDS + 1), VIRGA_OK);
}

static void test_only_the_newest_is_told(void **state) {
    struct pair_news news;
    int from;
    pair(*state);
    assert_false(pair_table_hear(*state, screen, &from, &news));
    assert_int_equal(pair_table_say(*state, remote, "one", 3), VIRGA_OK);
    assert_int_equal(pair_table_say(*state, remote, "three", 5), VIRGA_OK);
    assert_true(pair_table_hear(*state, screen, &from, &news));
    assert_int_equal(from, 0);
    assert_int_equal(news.size, 5);
    assert_memory_equal(news.bytes, "three", 5);
    assert_false(pair_table_hear(*state, screen, &from, &news));
}

static void test_remotes_take_turns(void **state) {
    struct pair_news news;
    int from, heard[2] = {0};
    pair(*state);
    assert_int_equal(offer(*state, screen, 2), VIRGA_OK);
    assert_int_equal(join(*state, other, code, 2), VIRGA_OK);
    for (int i = 0; i < 10; i++) {
        pair_table_say(*state, remote, "a", 1);  // one that says much
        pair_table_say(*state, other, "b", 1);
        assert_true(pair_table_hear(*state, screen, &from, &news));
        heard[from]++;
    }
    assert_int_equal(heard[0], 5);
}

static void test_a_screens_state_reaches_all_and_who_comes_later(void **state) {
    struct pair_news news;
    int from;
    pair(*state);
    assert_int_equal(pair_table_say(*state, screen, "12 UTC", 6), VIRGA_OK);
    assert_true(pair_table_hear(*state, remote, &from, &news));
    assert_int_equal(from, -1);
    assert_memory_equal(news.bytes, "12 UTC", 6);
    assert_false(pair_table_hear(*state, remote, &from, &news));
    assert_int_equal(offer(*state, screen, 2), VIRGA_OK);
    assert_int_equal(join(*state, other, code, 2), VIRGA_OK);
    assert_true(pair_table_hear(*state, other, &from, &news));
}

static void test_what_is_too_long_or_of_nobody_is_refused(void **state) {
    static const char much[PAIR_STATE + 1];
    pair(*state);
    assert_int_equal(pair_table_say(*state, remote, much, PAIR_UPDATE + 1), VIRGA_INVALID);
    assert_int_equal(pair_table_say(*state, remote, much, PAIR_UPDATE), VIRGA_OK);
    assert_int_equal(pair_table_say(*state, screen, much, PAIR_STATE + 1), VIRGA_INVALID);
    assert_int_equal(pair_table_say(*state, other, much, 1), VIRGA_INVALID);
}

static void test_names_are_cut_and_cleaned(void **state) {
    int at;
    assert_int_equal(offer(*state, screen, 0), VIRGA_OK);
    assert_int_equal(pair_table_join(*state, remote, 1, code, "a\nb 12345678901234567890123456789012345\xc3\xa9 and more", 0, key, &failure), VIRGA_OK);
    const char *name = pair_table_find(*state, remote, &at)->remotes[0].name;
    assert_true(strlen(name) <= PAIR_NAME);
    assert_memory_equal(name, "a b ", 4);
    assert_int_equal(offer(*state, screen, 0), VIRGA_OK);
    assert_int_equal(pair_table_join(*state, other, 1, code, "", 0, key, &failure), VIRGA_OK);
    assert_string_equal(pair_table_find(*state, other, &at)->remotes[1].name, "Remote");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_code_lets_one_remote_in, open_table, close_table),
        cmocka_unit_test_setup_teardown(test_a_code_is_void_after_its_time, open_table, close_table),
        cmocka_unit_test_setup_teardown(test_a_new_code_replaces_the_old_and_keeps_the_remotes, open_table, close_table),
        cmocka_unit_test_setup_teardown(test_four_remotes_and_no_more, open_table, close_table),
        cmocka_unit_test_setup_teardown(test_both_ends_with_the_screen, open_table, close_table),
        cmocka_unit_test_setup_teardown(test_a_remote_comes_back_by_its_key, open_table, close_table),
        cmocka_unit_test_setup_teardown(test_nobody_is_two, open_table, close_table),
        cmocka_unit_test_setup_teardown(test_guesses_of_a_place_are_limited_within_any_minute, open_table, close_table),
        cmocka_unit_test_setup_teardown(test_guesses_of_all_close_pairing_for_a_while, open_table, close_table),
        cmocka_unit_test(test_codes_are_drawn_evenly_and_never_twice_at_a_time),
        cmocka_unit_test_setup_teardown(test_codes_that_wait_are_few, open_table, close_table),
        cmocka_unit_test_setup_teardown(test_only_the_newest_is_told, open_table, close_table),
        cmocka_unit_test_setup_teardown(test_remotes_take_turns, open_table, close_table),
        cmocka_unit_test_setup_teardown(test_a_screens_state_reaches_all_and_who_comes_later, open_table, close_table),
        cmocka_unit_test_setup_teardown(test_what_is_too_long_or_of_nobody_is_refused, open_table, close_table),
        cmocka_unit_test_setup_teardown(test_names_are_cut_and_cleaned, open_table, close_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
