// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/export_pace.h"

static const double a_moment = 1e-6;  // beside the lengths of the policy

static void test_they_run_while_nobody_waits(void **state) {
    (void)state;
    struct export_pace pace = {0};
    assert_true(export_pace_look(&pace, false, 100) == HUGE_VAL);
    assert_false(pace.still);
    assert_true(export_pace_look(&pace, false, 200) == HUGE_VAL);
    assert_false(pace.still);
}

static void test_they_stand_still_at_once_and_go_on_a_moment_after(void **state) {
    (void)state;
    struct export_pace pace = {0};
    export_pace_look(&pace, true, 100);
    assert_true(pace.still);
    double next = export_pace_look(&pace, false, 100.02);
    assert_true(pace.still && next > 100.02 && next <= 100.02 + EXPORT_PACE_LINGER + a_moment);
    assert_true(export_pace_look(&pace, false, next + a_moment) == HUGE_VAL);
    assert_false(pace.still);
}

static void test_what_follows_soon_finds_them_still(void **state) {
    (void)state;
    struct export_pace pace = {0};
    export_pace_look(&pace, true, 100);
    export_pace_look(&pace, false, 100.02);
    export_pace_look(&pace, true, 100.02 + EXPORT_PACE_LINGER / 2);
    assert_true(pace.still);
    double next = export_pace_look(&pace, false, 100.06);
    assert_true(pace.still && next > 100.06);
    export_pace_look(&pace, false, next);
    assert_false(pace.still);
}

static void test_nobody_who_waits_is_no_reason_to_begin(void **state) {
    (void)state;
    struct export_pace pace = {0};
    export_pace_look(&pace, false, 0);  // from the very first moment of a clock, too
    assert_false(pace.still);
    export_pace_look(&pace, true, 1);
    export_pace_look(&pace, false, 1.01);
    export_pace_look(&pace, false, 1.01 + EXPORT_PACE_LINGER);
    export_pace_look(&pace, false, 1.01 + EXPORT_PACE_LINGER + a_moment);
    assert_false(pace.still);
}

static void test_a_long_wait_is_interrupted_by_short_turns(void **state) {
    (void)state;
    struct export_pace pace = {0};
    double next = export_pace_look(&pace, true, 100);
    assert_true(pace.still && fabs(next - 100 - EXPORT_PACE_MOST) < a_moment);
    for (int turn = 0; turn < 10; turn++) {
        double began = next, ended = export_pace_look(&pace, true, began);
        assert_false(pace.still);
        assert_true(fabs(ended - began - EXPORT_PACE_TURN) < a_moment);
        next = export_pace_look(&pace, true, ended);
        assert_true(pace.still);
        assert_true(fabs(next - ended - EXPORT_PACE_TURN * EXPORT_PACE_RATIO) < a_moment);
    }
}

static void test_running_pays_for_the_next_wait(void **state) {
    (void)state;
    struct export_pace pace = {0};
    export_pace_look(&pace, true, 100);
    export_pace_look(&pace, false, 100.4);
    export_pace_look(&pace, false, 100.4 + EXPORT_PACE_LINGER);  // a debt of 0.405, and they run for half of it
    double paid = 0.2 / EXPORT_PACE_RATIO, next = export_pace_look(&pace, true, 100.4 + EXPORT_PACE_LINGER + paid);
    assert_true(pace.still);
    double debt = 0.4 + EXPORT_PACE_LINGER - 0.2;
    assert_true(fabs(next - (100.4 + EXPORT_PACE_LINGER + paid) - (EXPORT_PACE_MOST - debt)) < a_moment);
    export_pace_look(&pace, false, 200);  // however late somebody looks, the debt is bounded
    assert_true(pace.debt <= EXPORT_PACE_MOST);
}

// Looked at when it says, or sooner: as whoever waits comes and goes at random.
static double share_beside(double busy, double idle, double seconds) {
    struct export_pace pace = {0};
    double now = 1000, runs = 0, longest = 0, since = now;
    bool waits = false;
    for (double change = now; now < 1000 + seconds;) {
        if (now >= change) {
            waits = !waits;
            change = now + (waits ? busy : idle);
        }
        bool was = pace.still;
        double next = fmin(export_pace_look(&pace, waits, now), change);
        if (pace.still != was) since = now;
        if (pace.still) longest = fmax(longest, next - since);
        else runs += next - now;
        assert_true(next > now);
        now = next;
    }
    assert_true(longest <= EXPORT_PACE_MOST + a_moment);
    return runs / seconds;
}

static void test_they_always_have_their_share(void **state) {
    (void)state;
    static const double busy[] = {0.0001, 0.001, 0.004, 0.02, 0.1, 0.6, 5, 1000}, idle[] = {0.0001, 0.0009, 0.003, 0.02, 1};
    for (size_t i = 0; i < sizeof busy / sizeof *busy; i++)
        for (size_t j = 0; j < sizeof idle / sizeof *idle; j++) {
            double share = share_beside(busy[i], idle[j], 60), least = 1.0 / (1 + EXPORT_PACE_RATIO);
            if (share < least * 0.98) fail_msg("%g s of waiting and %g s without leave a share of %g", busy[i], idle[j], share);
        }
    assert_true(share_beside(0.025, 0.1, 60) > 0.7);  // a viewer who looks at each step
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_they_run_while_nobody_waits),
        cmocka_unit_test(test_they_stand_still_at_once_and_go_on_a_moment_after),
        cmocka_unit_test(test_what_follows_soon_finds_them_still),
        cmocka_unit_test(test_nobody_who_waits_is_no_reason_to_begin),
        cmocka_unit_test(test_a_long_wait_is_interrupted_by_short_turns),
        cmocka_unit_test(test_running_pays_for_the_next_wait),
        cmocka_unit_test(test_they_always_have_their_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
