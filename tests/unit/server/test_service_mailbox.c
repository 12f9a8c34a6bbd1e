// SPDX-License-Identifier: Apache-2.0
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "server/service_mailbox.h"

enum { THREADS = 4, EACH = 20000 };

struct numbered {
    struct letter letter;
    int thread, number;
};

static struct service_mailbox *mailbox;
static int last[THREADS], delivered;

static void deliver(struct letter *letter) {
    struct numbered *n = (struct numbered *)letter;
    assert_int_equal(n->number, last[n->thread] + 1);  // in the order in which its thread posted
    last[n->thread] = n->number;
    delivered++;
    free(n);
}

static void *post(void *argument) {
    int thread = *(int *)argument;
    for (int i = 1; i <= EACH; i++) {
        struct numbered *n = malloc(sizeof *n);
        *n = (struct numbered){.letter = {.deliver = deliver}, .thread = thread, .number = i};
        service_mailbox_post(mailbox, &n->letter);
    }
    return NULL;
}

static void test_letters_of_many_threads_all_arrive_in_order(void **state) {
    (void)state;
    pthread_t threads[THREADS];
    int numbers[THREADS];
    mailbox = service_mailbox_new();
    for (int t = 0; t < THREADS; t++) {
        numbers[t] = t;
        pthread_create(&threads[t], NULL, post, &numbers[t]);
    }
    while (delivered < THREADS * EACH / 2) service_mailbox_deliver(mailbox);
    for (int t = 0; t < THREADS; t++) pthread_join(threads[t], NULL);
    service_mailbox_wake(mailbox);  // nobody to wake: nothing happens
    service_mailbox_free(mailbox);  // delivers the rest
    assert_int_equal(delivered, THREADS * EACH);
}

static int again;
static void deliver_again(struct letter *letter) {
    if (++again < 3) service_mailbox_post(mailbox, letter);
}

static void test_a_delivery_may_post(void **state) {
    (void)state;
    struct letter letter = {.deliver = deliver_again};
    mailbox = service_mailbox_new();
    service_mailbox_post(mailbox, &letter);
    service_mailbox_deliver(mailbox);
    assert_int_equal(again, 1);
    service_mailbox_deliver(mailbox);
    service_mailbox_deliver(mailbox);
    service_mailbox_deliver(mailbox);
    assert_int_equal(again, 3);
    service_mailbox_free(mailbox);
    service_mailbox_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_letters_of_many_threads_all_arrive_in_order),
        cmocka_unit_test(test_a_delivery_may_post),
    };
    return cmocka_run_group_tests_name("service_mailbox", tests, NULL, NULL);
}
