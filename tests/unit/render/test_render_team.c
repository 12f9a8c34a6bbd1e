// SPDX-License-Identifier: Apache-2.0
// Every piece is done once, by one thread at a time, whatever the number of threads; a team may be used again and again.
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "render/render_team.h"

enum { PIECES = 10000, THREADS = 5 };

struct tally {
    atomic_int done[PIECES];
    atomic_int inside[THREADS];
    atomic_int faults;
};

static void count(void *argument, size_t index, size_t thread) {
    struct tally *tally = argument;
    if (thread >= THREADS || atomic_fetch_add(&tally->inside[thread], 1)) atomic_fetch_add(&tally->faults, 1);
    atomic_fetch_add(&tally->done[index], 1);
    if (thread < THREADS) atomic_fetch_sub(&tally->inside[thread], 1);
}

static void check_rounds(size_t threads, bool background) {
    static struct tally tally;
    struct render_team *team = render_team_new(threads, background);
    assert_non_null(team);
    assert_int_equal(render_team_threads(team), threads);
    for (int round = 1; round <= 20; round++) {
        size_t pieces = round % 2 ? PIECES : 3;  // more than there are threads, and fewer
        for (size_t n = 0; n < PIECES; n++) atomic_store(&tally.done[n], 0);
        render_team_run(team, pieces, count, &tally);
        for (size_t n = 0; n < PIECES; n++) assert_int_equal(atomic_load(&tally.done[n]), n < pieces);
    }
    assert_int_equal(atomic_load(&tally.faults), 0);
    render_team_run(team, 0, count, &tally);
    render_team_free(team);
}

static void every_piece_once(void **state) {
    (void)state;
    for (size_t threads = 1; threads <= THREADS; threads++) check_rounds(threads, false);
}

static void count_asked(void *user) { atomic_fetch_add((atomic_size_t *)user, 1); }

static void threads_ask_before_each_piece(void **state) {
    (void)state;
    static struct tally tally;
    for (size_t threads = 1; threads <= THREADS; threads++) {
        atomic_size_t asked = 0;
        struct render_team *team = render_team_new(threads, false);
        assert_non_null(team);
        render_team_before_pieces(team, count_asked, &asked);
        render_team_run(team, PIECES, count, &tally);
        assert_int_equal(atomic_load(&asked), PIECES + threads);  // each also before it finds that there are no more
        render_team_before_pieces(team, NULL, NULL);
        render_team_run(team, PIECES, count, &tally);
        assert_int_equal(atomic_load(&asked), PIECES + threads);
        render_team_free(team);
    }
}

static void default_is_one_a_processor(void **state) {
    (void)state;
    struct render_team *team = render_team_new(0, false);
    assert_non_null(team);
    assert_true(render_team_threads(team) >= 1);
    render_team_free(team);
    render_team_free(NULL);
}

// Last: the caller's thread gives way from here on.
static void in_the_background(void **state) {
    (void)state;
    check_rounds(2, true);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_piece_once), cmocka_unit_test(default_is_one_a_processor), cmocka_unit_test(threads_ask_before_each_piece), cmocka_unit_test(in_the_background),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
