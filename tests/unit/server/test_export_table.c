// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/export_table.h"

static struct export_table table;

static int set_up(void **state) {
    (void)state;
    return export_table_init(&table);
}

static int tear_down(void **state) {
    (void)state;
    export_table_destroy(&table);
    return 0;
}

static void put(int64_t sequence, uint32_t done) {
    struct export_job job = {.sequence = sequence, .done = done};
    snprintf(job.id, sizeof job.id, "%016llx", (unsigned long long)sequence);
    assert_int_equal(export_table_put(&table, &job), VIRGA_OK);
}

// What a client knows of each sequence: frames done, or -1.
struct client {
    struct change_seen seen;
    int known[400];
    int told, resets;
};

static struct client newcomer(void) {
    struct client client = {.told = 0};
    for (size_t i = 0; i < sizeof client.known / sizeof *client.known; i++) client.known[i] = -1;
    return client;
}

// Takes in one message of at most `most` jobs; how many it had.
static size_t take(struct client *client, size_t most) {
    struct export_job jobs[64];
    bool all;
    size_t count = export_table_changed(&table, &client->seen, jobs, most, &all);
    if (all) {
        client->resets++;
        for (size_t i = 0; i < sizeof client->known / sizeof *client->known; i++) client->known[i] = -1;
    }
    for (size_t i = 0; i < count; i++) client->known[strtoul(jobs[i].id, NULL, 16)] = jobs[i].state == EXPORT_DELETED ? -1 : (int)jobs[i].done;
    client->told += (int)count;
    return count;
}

static void take_all(struct client *client, size_t most) {
    size_t guard = 0;
    while (take(client, most) == most) assert_true(++guard < 1000);
}

static void assert_up_to_date(const struct client *client) {
    for (size_t s = 0; s < sizeof client->known / sizeof *client->known; s++) {
        int is = -1;
        for (size_t i = 0; i < table.count; i++)
            if (table.jobs[i].sequence == (int64_t)s) is = (int)table.jobs[i].done;
        assert_int_equal(client->known[s], is);
    }
}

static void test_the_list_is_newest_first_and_goes_on_where_it_stopped(void **state) {
    (void)state;
    struct export_job jobs[2];
    size_t count;
    bool more;
    for (int64_t s = 1; s <= 5; s++) put(s, 0);
    put(3, 9);  // a change is no new job
    assert_true(export_table_list(&table, NULL, NULL, jobs, 2, &count, &more));
    assert_true(count == 2 && more && jobs[0].sequence == 5 && jobs[1].sequence == 4);
    assert_true(export_table_list(&table, NULL, jobs[1].id, jobs, 2, &count, &more));
    assert_true(count == 2 && more && jobs[0].sequence == 3 && jobs[0].done == 9 && jobs[1].sequence == 2);
    assert_true(export_table_list(&table, NULL, jobs[1].id, jobs, 2, &count, &more));
    assert_true(count == 1 && !more && jobs[0].sequence == 1);
    assert_false(export_table_list(&table, NULL, "ffffffffffffffff", jobs, 2, &count, &more));
}

static void test_the_list_of_an_owner_has_only_theirs(void **state) {
    (void)state;
    static const char *const owners[] = {"ada", "bob", "", "ada", "bob", "ada"};
    struct export_job jobs[2];
    size_t count;
    bool more;
    for (int64_t s = 1; s <= 6; s++) {
        struct export_job job = {.sequence = s};
        snprintf(job.id, sizeof job.id, "%016llx", (unsigned long long)s);
        snprintf(job.owner, sizeof job.owner, "%s", owners[s - 1]);
        assert_int_equal(export_table_put(&table, &job), VIRGA_OK);
    }
    assert_true(export_table_list(&table, "ada", NULL, jobs, 2, &count, &more));
    assert_true(count == 2 && more && jobs[0].sequence == 6 && jobs[1].sequence == 4);
    assert_true(export_table_list(&table, "ada", jobs[1].id, jobs, 2, &count, &more));
    assert_true(count == 1 && !more && jobs[0].sequence == 1);
    assert_true(export_table_list(&table, "bob", NULL, jobs, 2, &count, &more));
    assert_true(count == 2 && !more && jobs[1].sequence == 2);
    assert_true(export_table_list(&table, "", NULL, jobs, 2, &count, &more));
    assert_true(count == 1 && jobs[0].sequence == 3);
    assert_true(export_table_list(&table, "eve", NULL, jobs, 2, &count, &more) && !count && !more);
    assert_false(export_table_list(&table, "bob", "0000000000000006", jobs, 2, &count, &more));  // another's is not there
}

static void test_one_is_found_by_its_id(void **state) {
    (void)state;
    struct export_job job;
    put(7, 3);
    assert_true(export_table_get(&table, "0000000000000007", &job) && job.done == 3);
    export_table_remove(&table, 7);
    assert_false(export_table_get(&table, "0000000000000007", &job));
    export_table_remove(&table, 7);
}

static void test_a_client_is_told_of_what_changed_and_nothing_twice(void **state) {
    (void)state;
    struct client client = newcomer();
    assert_int_equal(take(&client, 32), 0);
    assert_int_equal(client.resets, 1);
    put(1, 0);
    put(2, 0);
    assert_int_equal(take(&client, 32), 2);
    assert_int_equal(take(&client, 32), 0);
    for (uint32_t i = 1; i < 50; i++) put(2, i);
    assert_int_equal(take(&client, 32), 1);
    export_table_remove(&table, 1);
    assert_int_equal(take(&client, 32), 1);
    assert_int_equal(client.resets, 1);
    assert_up_to_date(&client);
}

static void test_a_newcomer_gets_all_in_several_messages(void **state) {
    (void)state;
    for (int64_t s = 1; s <= 300; s++) put(s, (uint32_t)s);
    for (int64_t s = 1; s <= 200; s++) export_table_remove(&table, s);  // more than are remembered
    struct client client = newcomer();
    take_all(&client, 32);
    assert_up_to_date(&client);
    assert_int_equal(client.resets, 1);
    assert_int_equal(client.told, 100);
}

static void test_one_that_slept_through_many_deletions_starts_over(void **state) {
    (void)state;
    struct client client = newcomer();
    for (int64_t s = 1; s <= 300; s++) put(s, 0);
    take_all(&client, 64);
    for (int64_t s = 1; s <= 2 * CHANGE_LOG_GONE; s++) export_table_remove(&table, s);
    take_all(&client, 32);
    assert_int_equal(client.resets, 2);
    assert_up_to_date(&client);
}

// Everything at once, against the table itself.
static void test_clients_of_any_pace_know_the_same_in_the_end(void **state) {
    (void)state;
    struct client quick = newcomer(), slow = newcomer();
    unsigned random = 1;
    int64_t next = 1;
    for (int i = 0; i < 3000; i++) {
        random = random * 1103515245 + 12345;
        unsigned what = (random >> 16) % 10;
        if (what < 2 && next < 400) put(next++, 0);
        else if (what < 3 && table.count) export_table_remove(&table, table.jobs[(random >> 20) % table.count].sequence);
        else if (table.count) put(table.jobs[(random >> 20) % table.count].sequence, (uint32_t)i);
        if (i % 3 == 0) take(&quick, 4);
        if (i % 700 == 0) take(&slow, 2);
    }
    take_all(&quick, 4);
    take_all(&slow, 2);
    assert_up_to_date(&quick);
    assert_up_to_date(&slow);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_list_is_newest_first_and_goes_on_where_it_stopped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_list_of_an_owner_has_only_theirs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_is_found_by_its_id, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_client_is_told_of_what_changed_and_nothing_twice, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_newcomer_gets_all_in_several_messages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_that_slept_through_many_deletions_starts_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_clients_of_any_pace_know_the_same_in_the_end, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
