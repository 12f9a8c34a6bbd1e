// SPDX-License-Identifier: Apache-2.0
// Pieces of slabs as workers send them, right and wrong.
#include "slab_pieces.h"

#include <zlib.h>

#include "base/clock.h"

static void pieces_of_any_shape_find_their_place(void **state) {
    (void)state;
    for (int arrays = 1; arrays <= 4; arrays += 3) {
        struct slab_layout layout = small_layout;
        struct slab_receiver_options options;
        slab_receiver_options_default(&options);
        layout.arrays = arrays;
        struct set s = set_of(&options, &layout);
        uint64_t received;
        int fd = connect_to(&s);
        assert_int_equal(SLAB_TAKEN, deliver(&s, fd, BOX(0, 0, 0), BOX(1, ROWS, COLUMNS)));  // in one run
        assert_int_equal(SLAB_TAKEN, deliver(&s, fd, BOX(1, 0, 0), BOX(2, 2, COLUMNS)));     // in two
        assert_int_equal(SLAB_TAKEN, deliver(&s, fd, BOX(1, 2, 0), BOX(2, 2, 3)));           // in rows
        assert_int_equal(SLAB_TAKEN, deliver(&s, fd, BOX(1, 2, 3), BOX(1, 2, 2)));
        assert_int_equal(SLAB_TAKEN, deliver(&s, fd, BOX(2, 2, 3), BOX(1, 1, 2)));
        assert_int_equal(SLAB_TAKEN, deliver(&s, fd, BOX(2, 3, 3), BOX(1, 1, 1)));
        assert_int_equal(SLAB_TAKEN, deliver(&s, fd, BOX(2, 3, 4), BOX(1, 1, 1)));
        assert_true(end_expecting(&s, &received));
        assert_int_equal(POINTS * 4 * arrays, received);
        assert_numbers(&s);
        close(fd);
        free_set(&s);
    }
}

static void a_large_slab_comes_over_many_connections(void **state) {
    (void)state;
    const struct slab_layout layout = {.rank = 3, .arrays = 1, .count = {16, 200, 300}, .each = 4};
    struct slab_receiver_options options;
    slab_receiver_options_default(&options);
    struct set s = set_of(&options, &layout);
    uint8_t *piece = malloc(8 << 20);
    int fds[16];
    for (size_t z = 0; z < 16; z++) {  // none waits for the answer of another; some in long runs, some in rows
        const size_t start[] = {z, 0, 0}, count[] = {1, 200, z % 2 ? 300 : 299}, rest[] = {z, 0, 299}, column[] = {1, 200, 1};
        fds[z] = connect_to(&s);
        send_all(fds[z], piece, make_piece(&s, start, count, piece));
        if (!(z % 2)) send_all(fds[z], piece, make_piece(&s, rest, column, piece));
    }
    for (size_t z = 0; z < 16; z++) {
        for (size_t i = 0; i < 2 - z % 2; i++) assert_int_equal(SLAB_TAKEN, take_answer(fds[z]));
        close(fds[z]);
    }
    assert_true(end_expecting(&s, NULL));
    assert_numbers(&s);
    free(piece);
    free_set(&s);
}

static void bytes_may_come_one_by_one(void **state) {
    (void)state;
    struct set s = small_set();
    uint8_t piece[1024];
    int fd = connect_to(&s);
    size_t bytes = make_piece(&s, whole_start, whole_count, piece);
    for (size_t i = 0; i < bytes; i++) send_all(fd, piece + i, 1);
    assert_int_equal(SLAB_TAKEN, take_answer(fd));
    assert_true(end_expecting(&s, NULL));
    assert_numbers(&s);
    close(fd);
    free_set(&s);
}

static void a_forged_token_writes_nothing(void **state) {
    (void)state;
    struct set s = small_set(), forged = s;
    int fd = connect_to(&s);
    for (int i = 0; i < 16; i++) {
        forged.token[i] ^= 1;
        assert_int_equal(SLAB_UNKNOWN, deliver(&forged, fd, whole_start, whole_count));
        forged.token[i] ^= 1;
    }
    for (size_t i = 0; i < POINTS; i++) assert_true(((const float *)s.memory->at)[i] == 0);
    assert_int_equal(SLAB_TAKEN, deliver(&s, fd, whole_start, whole_count));  // the connection lives
    assert_true(end_expecting(&s, NULL));
    close(fd);
    free_set(&s);
}

static void a_piece_for_what_is_over_is_ignored(void **state) {
    (void)state;
    struct set s = small_set();
    static uint8_t piece[1024];
    int fd = connect_to(&s), late = connect_to(&s);
    size_t bytes = make_piece(&s, whole_start, whole_count, piece);
    struct set unknown = s;
    unknown.token[0] ^= 1;
    send_all(late, piece, bytes / 2);  // within its numbers
    assert_int_equal(SLAB_UNKNOWN, deliver(&unknown, fd, BOX(0, 0, 0), BOX(1, 1, 1)));  // once answered, the other has begun
    assert_false(end_expecting(&s, NULL));
    memset(s.memory->at, 0x7f, s.memory->bytes);
    assert_int_equal(SLAB_UNKNOWN, deliver(&s, fd, whole_start, whole_count));
    send_all(late, piece + bytes / 2, bytes - bytes / 2);
    assert_int_equal(SLAB_UNKNOWN, take_answer(late));
    for (size_t i = 0; i < s.memory->bytes; i++) assert_true(((const uint8_t *)s.memory->at)[i] == 0x7f);
    close(fd);
    close(late);
    free_set(&s);
}

static void damaged_numbers_do_not_count(void **state) {
    (void)state;
    struct set s = small_set();
    static uint8_t piece[1024];
    int fd = connect_to(&s);
    size_t bytes = make_piece(&s, whole_start, whole_count, piece);
    piece[bytes - 3] ^= 1;
    send_all(fd, piece, bytes);
    assert_int_equal(SLAB_DAMAGED, take_answer(fd));
    assert_true(is_closed(fd));
    close(fd);
    fd = connect_to(&s);
    assert_int_equal(SLAB_TAKEN, deliver(&s, fd, whole_start, whole_count));
    assert_true(end_expecting(&s, NULL));
    assert_numbers(&s);
    close(fd);
    free_set(&s);
}

// Of a worker that has no XXH3.
static void a_piece_may_have_a_crc_instead(void **state) {
    (void)state;
    struct set s = small_set();
    static uint8_t piece[1024];
    size_t bytes = make_piece(&s, whole_start, whole_count, piece), header = SLAB_PIECE_BEGIN + 3 * 16 + 16;
    int fd = connect_to(&s);
    piece[7] |= SLAB_PIECE_CRC;
    send_all(fd, piece, bytes);  // with the other sum
    assert_int_equal(SLAB_DAMAGED, take_answer(fd));
    close(fd);
    add(piece, header - 8, crc32(crc32(0, NULL, 0), piece + header, (unsigned)(bytes - header)), 8);
    fd = connect_to(&s);
    send_all(fd, piece, bytes);
    assert_int_equal(SLAB_TAKEN, take_answer(fd));
    assert_true(end_expecting(&s, NULL));
    assert_numbers(&s);
    close(fd);
    free_set(&s);
}

static void what_was_taken_is_not_spoilt_by_a_damaged_copy(void **state) {
    (void)state;
    struct set s = small_set();
    static uint8_t piece[1024];
    int fd = connect_to(&s);
    size_t bytes = make_piece(&s, BOX(1, 0, 0), BOX(2, ROWS, COLUMNS), piece);
    assert_int_equal(SLAB_TAKEN, deliver(&s, fd, whole_start, whole_count));
    assert_int_equal(SLAB_TAKEN, deliver(&s, fd, whole_start, whole_count));  // a task that ran twice
    piece[bytes - 3] ^= 1;
    send_all(fd, piece, bytes);
    assert_int_equal(SLAB_DAMAGED, take_answer(fd));
    assert_true(end_expecting(&s, NULL));
    assert_numbers(&s);
    close(fd);
    free_set(&s);
}

static void a_connection_that_ends_within_a_piece_leaves_it_out(void **state) {
    (void)state;
    struct set s = small_set();
    static uint8_t piece[1024];
    size_t bytes = make_piece(&s, whole_start, whole_count, piece);
    for (size_t cut = 1; cut < bytes; cut += 7) {
        int fd = connect_to(&s);
        send_all(fd, piece, cut);
        close(fd);
    }
    int fd = connect_to(&s);
    assert_int_equal(SLAB_TAKEN, deliver(&s, fd, BOX(0, 0, 0), BOX(2, ROWS, COLUMNS)));
    assert_false(end_expecting(&s, NULL));
    close(fd);
    free_set(&s);
}

static void assert_malformed(void (*spoil)(uint8_t *piece)) {
    struct set s = small_set();
    static uint8_t piece[1024];
    int fd = connect_to(&s);
    size_t bytes = make_piece(&s, BOX(1, 1, 1), BOX(2, 3, 4), piece);
    spoil(piece);
    send_all(fd, piece, bytes);
    int answer = take_answer(fd);
    if (answer != SLAB_MALFORMED) fail_msg("%d", answer);
    assert_true(is_closed(fd));
    close(fd);
    assert_false(end_expecting(&s, NULL));
    free_set(&s);
}

static void spoil_magic(uint8_t *p) { p[0] = 'X'; }
static void spoil_version(uint8_t *p) { p[4] = 2; }
static void spoil_rank(uint8_t *p) { p[6] = 2; }
static void spoil_rank_beyond(uint8_t *p) { p[6] = 17; }
static void spoil_arrays(uint8_t *p) { p[7] = 4; }
static void spoil_arrays_beyond(uint8_t *p) { p[7] = 3; }
static void spoil_start(uint8_t *p) { p[24] = 2; }
static void spoil_count(uint8_t *p) { p[24 + 16 + 8] = 4; }
static void spoil_nothing_in_it(uint8_t *p) { p[24 + 8] = 0; }
static void spoil_huge(uint8_t *p) { memset(p + 24, 0xff, 16); }
static void spoil_sum_of_start_and_count(uint8_t *p) { memset(p + 24, 0xff, 8); }
static void spoil_bytes(uint8_t *p) { p[24 + 48]++; }
static void spoil_bytes_huge(uint8_t *p) { memset(p + 24 + 48, 0xff, 8); }

static void what_does_not_fit_is_refused(void **state) {
    (void)state;
    void (*const spoils[])(uint8_t *) = {spoil_magic, spoil_version, spoil_rank, spoil_rank_beyond, spoil_arrays, spoil_arrays_beyond, spoil_start,
                                         spoil_count, spoil_nothing_in_it, spoil_huge, spoil_sum_of_start_and_count, spoil_bytes, spoil_bytes_huge};
    for (size_t i = 0; i < sizeof spoils / sizeof *spoils; i++) assert_malformed(spoils[i]);
}

static void a_forged_token_may_not_send_without_end(void **state) {
    (void)state;
    struct set s = small_set();
    static uint8_t piece[1024];
    int fd = connect_to(&s);
    make_piece(&s, whole_start, whole_count, piece);
    piece[8] ^= 1;
    add(piece, 24 + 48, MOST_PIECE + 1, 8);
    send_all(fd, piece, 24 + 48 + 16);
    assert_int_equal(SLAB_MALFORMED, take_answer(fd));
    close(fd);
    free_set(&s);
}

// Two write the same box at once: the second waits, and what it brings counts only if the first breaks off.
static void assert_overlap(bool first_ends) {
    struct set s = small_set();
    static uint8_t piece[1024], other[1024];
    size_t bytes = make_piece(&s, BOX(0, 0, 0), BOX(3, 4, 4), piece), others = make_piece(&s, BOX(0, 0, 1), BOX(3, 4, 4), other);
    int first = connect_to(&s), second = connect_to(&s), third = connect_to(&s);
    send_all(first, piece, bytes - 10);
    assert_int_equal(SLAB_TAKEN, deliver(&s, third, BOX(0, 0, 4), BOX(3, 4, 1)));  // once answered, the first has begun
    send_all(second, other, others);
    struct pollfd p = {.fd = second, .events = POLLIN};
    assert_int_equal(0, poll(&p, 1, 50));
    if (first_ends) {
        send_all(first, piece + bytes - 10, 10);
        assert_int_equal(SLAB_TAKEN, take_answer(first));
        assert_int_equal(SLAB_TAKEN, take_answer(second));
        close(first);
    } else {
        close(first);
        assert_int_equal(SLAB_TAKEN, take_answer(second));
        assert_int_equal(SLAB_TAKEN, deliver(&s, third, BOX(0, 0, 0), BOX(3, 4, 1)));
    }
    assert_true(end_expecting(&s, NULL));
    assert_numbers(&s);
    close(second);
    close(third);
    free_set(&s);
}

static void two_that_write_the_same_box_take_turns(void **state) {
    (void)state;
    assert_overlap(true);
    assert_overlap(false);
}

static void one_that_waits_is_let_go_when_all_is_over(void **state) {
    (void)state;
    struct set s = small_set();
    static uint8_t piece[1024];
    size_t bytes = make_piece(&s, whole_start, whole_count, piece);
    int first = connect_to(&s), second = connect_to(&s), third = connect_to(&s);
    send_all(first, piece, bytes - 10);
    struct set unknown = s;
    unknown.token[0] ^= 1;
    assert_int_equal(SLAB_UNKNOWN, deliver(&unknown, third, BOX(0, 0, 0), BOX(1, 1, 1)));
    send_all(second, piece, bytes);
    assert_int_equal(SLAB_UNKNOWN, deliver(&unknown, third, BOX(0, 0, 0), BOX(1, 1, 1)));
    assert_false(end_expecting(&s, NULL));
    assert_int_equal(SLAB_UNKNOWN, take_answer(second));
    close(first);
    close(second);
    close(third);
    free_set(&s);
}

static struct set hasty_set(size_t connections) {
    struct slab_receiver_options options;
    slab_receiver_options_default(&options);
    options.connections = connections;
    options.header_seconds = options.silent_seconds = options.idle_seconds = 0.2;
    return set_of(&options, &small_layout);
}

static void slow_clients_are_closed(void **state) {
    (void)state;
    struct set s = hasty_set(8);
    static uint8_t piece[1024];
    size_t bytes = make_piece(&s, whole_start, whole_count, piece);
    const size_t sent[] = {0, 10, 60, bytes - 4};  // idle, within the header's begin, within its box, within the numbers
    for (size_t i = 0; i < sizeof sent / sizeof *sent; i++) {
        int fd = connect_to(&s);
        if (sent[i]) send_all(fd, piece, sent[i]);
        assert_true(is_closed(fd));
        close(fd);
    }
    assert_false(end_expecting(&s, NULL));
    free_set(&s);
}

static void the_longest_idle_goes_when_too_many_come(void **state) {
    (void)state;
    struct slab_receiver_options options;
    slab_receiver_options_default(&options);
    options.connections = 2;
    struct set s = set_of(&options, &small_layout);
    int first = connect_to(&s), second, third;
    assert_int_equal(SLAB_TAKEN, deliver(&s, first, BOX(0, 0, 0), BOX(1, 1, 1)));
    second = connect_to(&s);
    assert_int_equal(SLAB_TAKEN, deliver(&s, second, BOX(1, 0, 0), BOX(1, 1, 1)));
    third = connect_to(&s);
    assert_int_equal(SLAB_TAKEN, deliver(&s, third, BOX(2, 0, 0), BOX(1, 1, 1)));
    assert_true(is_closed(first));
    assert_int_equal(SLAB_TAKEN, deliver(&s, second, whole_start, whole_count));
    close(first);
    close(second);
    close(third);
    free_set(&s);
}

static void one_more_than_are_at_work_is_refused(void **state) {
    (void)state;
    struct slab_receiver_options options;
    slab_receiver_options_default(&options);
    options.connections = 2;
    struct set s = set_of(&options, &small_layout);
    static uint8_t piece[1024];
    int fds[2], answer = -1;
    for (size_t i = 0; i < 2; i++) {
        size_t bytes = make_piece(&s, BOX(i, 0, 0), BOX(1, 4, 5), piece);
        fds[i] = connect_to(&s);
        send_all(fds[i], piece, bytes - 1);
    }
    double end = clock_monotonic() + 20;
    while (answer != SLAB_BUSY && clock_monotonic() < end) {  // the two may not have been read yet
        int fd = connect_to(&s);
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, 20) == 1) answer = take_answer(fd);
        close(fd);
    }
    assert_int_equal(SLAB_BUSY, answer);
    for (size_t i = 0; i < 2; i++) close(fds[i]);
    free_set(&s);
}

static void many_tokens_at_once_stay_apart(void **state) {
    (void)state;
    struct set s = small_set();
    struct slab_memory *memory[128];
    uint8_t tokens[128][SOURCE_TOKEN_BYTES];
    struct failure failure;
    bool complete;
    uint64_t received;
    int fd = connect_to(&s);
    struct set one = s;
    for (int i = 0; i < 127; i++) {
        assert_int_equal(VIRGA_OK, slab_memory_get(s.pool, POINTS * 4, &memory[i], &failure));
        assert_int_equal(VIRGA_OK, slab_receiver_expect(s.receiver, &small_layout, memory[i], tokens[i]));
    }
    assert_int_equal(VIRGA_NO_MEMORY, slab_receiver_expect(s.receiver, &small_layout, s.memory, tokens[127]));
    memcpy(one.token, tokens[77], sizeof one.token);
    assert_int_equal(SLAB_TAKEN, deliver(&one, fd, whole_start, whole_count));
    for (int i = 0; i < 127; i++) {
        slab_receiver_end(s.receiver, tokens[i], &complete, &received);
        assert_true(complete == (i == 77));
        slab_memory_unref(memory[i]);
    }
    close(fd);
    free_set(&s);
}

static void a_place_that_cannot_be_had_is_told(void **state) {
    (void)state;
    struct slab_receiver_options options;
    struct slab_receiver *receiver;
    struct failure failure;
    slab_receiver_options_default(&options);
    options.host = "192.0.2.1";  // nobody's
    assert_int_equal(VIRGA_IO, slab_receiver_new(&options, &receiver, &failure));
    assert_true(strstr(failure.message, "192.0.2.1") && strstr(failure.message, "engine-slabs"));
    assert_null(receiver);
}

static void an_ipv6_address_has_brackets(void **state) {
    (void)state;
    struct slab_receiver_options options;
    struct slab_receiver *receiver;
    slab_receiver_options_default(&options);
    options.host = "::1";
    if (slab_receiver_new(&options, &receiver, NULL)) skip();
    assert_int_equal(0, strncmp(slab_receiver_address(receiver), "[::1]:", 6));
    slab_receiver_free(receiver);
}

static void memory_is_used_again_and_given_back(void **state) {
    (void)state;
    struct slab_pool *pool = slab_pool_new(3 << 20);
    struct slab_memory *a, *b, *c;
    struct failure failure;
    assert_int_equal(VIRGA_OK, slab_memory_get(pool, 1000000, &a, &failure));
    assert_true(a->bytes >= 1000000 && a->bytes < 1200000);
    void *at = a->at;
    slab_memory_unref(a);
    assert_int_equal(VIRGA_OK, slab_memory_get(pool, 1010000, &b, &failure));
    assert_ptr_equal(at, b->at);
    assert_int_equal(-1, ftruncate(b->fd, 0));  // sealed
    assert_int_equal(VIRGA_OK, slab_memory_get(pool, 100000, &c, &failure));
    assert_ptr_not_equal(at, c->at);
    slab_memory_unref(slab_memory_ref(c));
    memset(c->at, 1, c->bytes);
    slab_memory_unref(b);
    assert_int_equal(VIRGA_OK, slab_memory_get(pool, 100000, &a, &failure));
    assert_ptr_not_equal(at, a->at);  // far too large for it
    slab_pool_trim(pool, -1);
    slab_memory_unref(a);
    slab_pool_free(pool);
    memset(c->at, 2, c->bytes);  // lent beyond the pool's end
    slab_memory_unref(c);
    assert_int_equal(VIRGA_NO_MEMORY, slab_memory_get((pool = slab_pool_new(0)), SIZE_MAX, &a, &failure));
    slab_pool_free(pool);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_of_any_shape_find_their_place),
        cmocka_unit_test(a_large_slab_comes_over_many_connections),
        cmocka_unit_test(bytes_may_come_one_by_one),
        cmocka_unit_test(a_forged_token_writes_nothing),
        cmocka_unit_test(a_piece_for_what_is_over_is_ignored),
        cmocka_unit_test(damaged_numbers_do_not_count),
        cmocka_unit_test(a_piece_may_have_a_crc_instead),
        cmocka_unit_test(what_was_taken_is_not_spoilt_by_a_damaged_copy),
        cmocka_unit_test(a_connection_that_ends_within_a_piece_leaves_it_out),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(a_forged_token_may_not_send_without_end),
        cmocka_unit_test(two_that_write_the_same_box_take_turns),
        cmocka_unit_test(one_that_waits_is_let_go_when_all_is_over),
        cmocka_unit_test(slow_clients_are_closed),
        cmocka_unit_test(the_longest_idle_goes_when_too_many_come),
        cmocka_unit_test(one_more_than_are_at_work_is_refused),
        cmocka_unit_test(many_tokens_at_once_stay_apart),
        cmocka_unit_test(a_place_that_cannot_be_had_is_told),
        cmocka_unit_test(an_ipv6_address_has_brackets),
        cmocka_unit_test(memory_is_used_again_and_given_back),
    };
    return cmocka_run_group_tests_name("slab_receiver", tests, NULL, NULL);
}
