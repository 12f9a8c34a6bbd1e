// SPDX-License-Identifier: Apache-2.0
// Which picture is drawn next, and what is told of a pin.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
// cmocka after what it needs
#include <cmocka.h>
#include <math.h>

#include "server/pin_pictures_private.h"

static struct pin_pictures pictures;
static struct pin_drawer *const one = &pictures.drawers[0], *const two = &pictures.drawers[1];

static int clear(void **state) {
    (void)state;
    pin_entries_clear(&pictures.entries);
    pictures = (struct pin_pictures){.drawer_count = 2};
    one->pictures = two->pictures = &pictures;
    return 0;
}

// One whose picture is to be drawn: its key is not that of a picture.
static struct pin_entry *add(const char *id, int64_t sequence, uint64_t fields, uint64_t look) {
    struct pin_entry *entry = pin_entries_add(&pictures.entries, id);
    assert_non_null(entry);
    entry->sequence = sequence;
    entry->meant = true;
    entry->meaning = (struct pin_meaning){.fields = fields, .look = look, .stale_from = INFINITY, .shown = {.run = "run", .valid = "valid"}};
    snprintf(entry->meaning.key, sizeof entry->meaning.key, "key of %s", id);
    return entry;
}

static void draw(struct pin_entry *entry) {
    snprintf(entry->picture.key, sizeof entry->picture.key, "%s", entry->meaning.key);
    entry->shown = entry->meaning.shown;
    entry->drawn = 5;
}

static void they_are_found_by_name(void **state) {
    char id[PIN_ID + 1];
    (void)state;
    for (int n = 0; n < 500; n++) {
        snprintf(id, sizeof id, "%d", n * 7919 % 500);
        add(id, n, 0, 0);
    }
    for (int n = 0; n < 500; n += 2) {
        snprintf(id, sizeof id, "%d", n);
        pin_entries_remove(&pictures.entries, pin_entries_find(&pictures.entries, id));
    }
    for (int n = 0; n < 500; n++) {
        snprintf(id, sizeof id, "%d", n);
        const struct pin_entry *found = pin_entries_find(&pictures.entries, id);
        assert_int_equal(found != NULL, n % 2);
        if (found) assert_string_equal(found->id, id);
    }
    assert_int_equal(pictures.entries.count, 250);
}

static struct pin_entry *next(struct pin_drawer *drawer) { return pin_entries_next(&pictures.entries, drawer, 1000); }

static void what_somebody_looks_at_is_first(void **state) {
    (void)state;
    struct pin_entry *a = add("c", 1, 1, 1), *b = add("b", 2, 2, 2), *c = add("a", 3, 3, 3);
    assert_ptr_equal(next(one), a);
    c->looked = 990;
    b->looked = 500;  // long ago
    assert_ptr_equal(next(one), c);
    draw(c);
    assert_ptr_equal(next(one), a);
    draw(a), draw(b);
    assert_null(next(one));
}

static void what_is_at_hand_is_used(void **state) {
    (void)state;
    struct pin_entry *a = add("a", 1, 1, 1), *b = add("b", 2, 2, 1), *c = add("c", 3, 2, 2);
    one->fields = 2, one->look = 2;
    assert_ptr_equal(next(one), c);
    one->look = 9;
    assert_ptr_equal(next(one), b);
    one->fields = 9;
    assert_ptr_equal(next(one), a);
    one->entry = a;  // the other one reads for something else meanwhile
    a->drawer = one;
    assert_ptr_equal(next(two), b);
    one->entry = b;
    a->drawer = NULL, b->drawer = one;
    draw(a);
    assert_ptr_equal(next(two), c);
}

static void what_failed_rests_and_what_means_nothing_is_not_drawn(void **state) {
    (void)state;
    struct pin_entry *a = add("a", 1, 1, 1);
    a->failures = 1, a->again = 1001;
    assert_null(next(one));
    assert_true(pin_entries_again(&pictures.entries, 1000) == 1001);
    assert_ptr_equal(pin_entries_next(&pictures.entries, one, 1001), a);
    a->failures = 0, a->meant = false;
    assert_null(next(one));
    a->meant = true, a->meaning.status = VIRGA_NOT_FOUND;
    assert_null(next(one));
    assert_true(isinf(pin_entries_again(&pictures.entries, 1000)));
}

static struct pin_live live_of(const struct pin_entry *entry, double wall) {
    struct pin_live live;
    pin_entry_live(entry, wall, &live);
    return live;
}

static void what_is_told_is_of_the_picture(void **state) {
    (void)state;
    struct pin_entry *a = add("a", 1, 1, 1);
    assert_int_equal(live_of(a, 0).state, PIN_WAITING);
    assert_string_equal(live_of(a, 0).shown.run, "run");  // of the one to come
    assert_true(!live_of(a, 0).key[0] && !live_of(a, 0).drawn);
    draw(a);
    a->meaning.stale_from = 100, a->meaning.run_at = 40;
    assert_int_equal(live_of(a, 99).state, PIN_FRESH);
    assert_string_equal(live_of(a, 99).key, "key of a");
    assert_int_equal(live_of(a, 100).state, PIN_STALE);
    assert_string_equal(live_of(a, 100).words, "No new run since 00Z, 1 min ago");
    strcpy(a->meaning.key, "another"), strcpy(a->meaning.shown.run, "newer");
    assert_int_equal(live_of(a, 0).state, PIN_WAITING);
    assert_string_equal(live_of(a, 0).shown.run, "run");
    assert_string_equal(live_of(a, 0).key, "key of a");
    a->failures = 1, strcpy(a->words, "the file is gone");
    assert_int_equal(live_of(a, 0).state, PIN_FAILED);
    assert_string_equal(live_of(a, 0).words, "the file is gone");
    assert_string_equal(live_of(a, 0).key, "");
    a->failures = 0, a->meaning.status = VIRGA_AGAIN, a->meaning.key[0] = '\0', strcpy(a->meaning.words, "not yet");
    assert_int_equal(live_of(a, 0).state, PIN_WAITING);
    assert_string_equal(live_of(a, 0).words, "not yet");
    a->meaning.status = VIRGA_NOT_FOUND;
    assert_int_equal(live_of(a, 0).state, PIN_FAILED);
}

static void pictures_with_captions_have_names_of_their_own(void **state) {
    char note[PIN_WORDS], tag[PIN_TAG], other[PIN_TAG];
    (void)state;
    struct pin_entry *a = add("a", 1, 1, 1);
    a->meaning.calendar = true, a->meaning.run_at = 0, a->meaning.stale_from = 1e9;
    assert_true(pin_entry_tag(a, 640, false, 7200, note, tag));
    assert_string_equal(note, "Run 2 h old");
    assert_true(pin_entry_tag(a, 640, false, 7300, note, other));
    assert_string_equal(tag, other);
    assert_true(pin_entry_tag(a, 640, false, 11000, note, other));  // another hour
    assert_string_not_equal(tag, other);
    assert_true(pin_entry_tag(a, 641, false, 7200, note, other));
    assert_string_not_equal(tag, other);
    assert_true(pin_entry_tag(a, 640, true, 7200, note, other));
    assert_string_not_equal(tag, other);
    strcpy(a->title, "Wind");
    assert_true(pin_entry_tag(a, 640, false, 7200, note, other));
    assert_string_not_equal(tag, other);
    a->meaning.status = VIRGA_NOT_FOUND;
    assert_false(pin_entry_tag(a, 640, false, 7200, note, tag));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(they_are_found_by_name, clear), cmocka_unit_test_setup(what_somebody_looks_at_is_first, clear),
        cmocka_unit_test_setup(what_is_at_hand_is_used, clear), cmocka_unit_test_setup(what_failed_rests_and_what_means_nothing_is_not_drawn, clear),
        cmocka_unit_test_setup(what_is_told_is_of_the_picture, clear), cmocka_unit_test_setup_teardown(pictures_with_captions_have_names_of_their_own, clear, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
