// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/ws_message.h"

static struct ws_message message;
static struct failure failure;

static int parse(const char *text) {
    memset(&failure, 0, sizeof failure);
    return ws_message_parse(text, strlen(text), &message, &failure);
}

#define CAMERA "{\"eye\":[0,-900,700],\"target\":[0,0,2],\"up\":[0,0,1],\"fov\":40,\"width\":1280,\"height\":720,\"exaggeration\":20}"
#define INTEREST(LAYERS, REST) \
    "{\"type\":\"interest\",\"generation\":7,\"dataset\":\"d\",\"run\":\"latest\",\"member\":0,\"layers\":" LAYERS ",\"time\":3," \
    "\"budget\":1000000" REST "}"
#define LAYER "[{\"variable\":\"t\",\"opacity\":[[250,0],[260,0.5]]}]"

static void test_interest_is_read(void **state) {
    (void)state;
    assert_int_equal(parse(INTEREST(LAYER, ",\"direction\":-1,\"rate\":4,\"steps\":3,\"max_level\":1,\"have\":\"kept\",\"camera\":" CAMERA)), VIRGA_OK);
    const struct ws_interest *i = &message.interest;
    assert_int_equal(message.kind, WS_INTEREST);
    assert_int_equal(i->generation, 7);
    assert_string_equal(i->dataset, "d");
    assert_string_equal(i->run, "latest");
    assert_int_equal(i->layer_count, 1);
    assert_string_equal(i->layers[0].variable, "t");
    assert_int_equal(i->layers[0].opacity.count, 2);
    assert_true(i->layers[0].opacity.opacity[1] == 0.5);
    assert_int_equal(i->time, 3);
    assert_int_equal(i->direction, -1);
    assert_true(i->rate == 4);
    assert_int_equal(i->steps, 3);
    assert_int_equal(i->max_level, 1);
    assert_true(i->reports_drops);
    assert_false(i->camera.whole);
    assert_true(i->camera.eye[1] == -900 && i->camera.width == 1280 && i->camera.exaggeration == 20);
}

static void test_what_is_left_out_has_a_meaning(void **state) {
    (void)state;
    assert_int_equal(parse(INTEREST("[{\"variable\":\"t\"}]", "")), VIRGA_OK);
    assert_true(message.interest.camera.whole);
    assert_true(message.interest.layers[0].opacity.all);
    assert_string_equal(message.interest.layers[0].run, "");
    assert_false(message.interest.layers[0].has_member);
    assert_int_equal(message.interest.direction, 0);
    assert_true(message.interest.rate == 0);
    assert_false(message.interest.reports_drops);
}

static void test_a_layer_may_name_its_own_run_and_member(void **state) {
    (void)state;
    assert_int_equal(parse(INTEREST("[{\"variable\":\"t\"},{\"variable\":\"t\",\"run\":\"2026-01-01T00:00:00Z\",\"member\":2}]", "")), VIRGA_OK);
    assert_string_equal(message.interest.layers[1].run, "2026-01-01T00:00:00Z");
    assert_true(message.interest.layers[1].has_member && message.interest.layers[1].member == 2);
}

static void test_bad_messages_are_refused_with_a_reason(void **state) {
    (void)state;
    static const char *const bad[] = {
        "", "{", "[]", "null", "17", "\"interest\"", "{}", "{\"type\":3}", "{\"type\":\"ack\"}", "{\"type\":\"ack\",\"bytes\":-1}",
        "{\"type\":\"ack\",\"bytes\":1e300}", "{\"type\":\"ack\",\"bytes\":0.5}", "{\"type\":\"ack\",\"bytes\":\"9\"}",
        "{\"type\":\"ack\",\"bytes\":99999999999999999999}", "{\"type\":\"ack\",\"bytes\":NaN}", "{\"type\":\"ping\",\"id\":-2}",
        "{\"type\":\"ack\",\"bytes\":1,\"bytes\":2}",
        "{\"type\":\"interest\"}",
        INTEREST("[]", ""), INTEREST("{}", ""), INTEREST("[1]", ""), INTEREST("[{}]", ""), INTEREST("[{\"variable\":\"\"}]", ""),
        INTEREST("[{\"variable\":\"a\"},{\"variable\":\"a\"},{\"variable\":\"a\"},{\"variable\":\"a\"},{\"variable\":\"a\"}]", ""),
        INTEREST("[{\"variable\":\"t\",\"run\":7}]", ""), INTEREST("[{\"variable\":\"t\",\"member\":-1}]", ""), INTEREST("[{\"variable\":\"t\",\"member\":\"1\"}]", ""),
        INTEREST("[{\"variable\":\"t\",\"opacity\":[]}]", ""), INTEREST("[{\"variable\":\"t\",\"opacity\":[[1]]}]", ""),
        INTEREST("[{\"variable\":\"t\",\"opacity\":[[1,-0.1]]}]", ""), INTEREST("[{\"variable\":\"t\",\"opacity\":[[2,0],[1,0]]}]", ""),
        INTEREST("[{\"variable\":\"t\",\"opacity\":[[1e999,0]]}]", ""), INTEREST("[{\"variable\":\"t\",\"opacity\":[[1,1e10]]}]", ""),
        INTEREST(LAYER, ",\"direction\":2"), INTEREST(LAYER, ",\"rate\":-1"), INTEREST(LAYER, ",\"rate\":1e9"),
        INTEREST(LAYER, ",\"steps\":9"), INTEREST(LAYER, ",\"steps\":-1"), INTEREST(LAYER, ",\"max_level\":-1"),
        INTEREST(LAYER, ",\"camera\":[]"), INTEREST(LAYER, ",\"camera\":{}"), INTEREST(LAYER, ",\"have\":[]"),
        INTEREST(LAYER, ",\"camera\":{\"eye\":[0,1e7,0],\"target\":[0,0,0],\"up\":[0,0,1],\"fov\":40,\"width\":1,\"height\":1,\"exaggeration\":1}"),
        INTEREST(LAYER, ",\"camera\":{\"eye\":[0,1],\"target\":[0,0,0],\"up\":[0,0,1],\"fov\":40,\"width\":1,\"height\":1,\"exaggeration\":1}"),
        INTEREST(LAYER, ",\"camera\":{\"eye\":[0,1,0],\"target\":[0,0,0],\"up\":[0,0,1],\"fov\":180,\"width\":1,\"height\":1,\"exaggeration\":1}"),
        INTEREST(LAYER, ",\"camera\":{\"eye\":[0,1,0],\"target\":[0,0,0],\"up\":[0,0,1],\"fov\":40,\"width\":0,\"height\":1,\"exaggeration\":1}"),
        "{\"type\":\"interest\",\"generation\":-1,\"dataset\":\"d\",\"layers\":" LAYER ",\"time\":0,\"budget\":0}",
        "{\"type\":\"interest\",\"generation\":4294967296,\"dataset\":\"d\",\"layers\":" LAYER ",\"time\":0,\"budget\":0}",
        "{\"type\":\"interest\",\"generation\":1,\"dataset\":\"d\",\"layers\":" LAYER ",\"time\":-1,\"budget\":0}",
        "{\"type\":\"interest\",\"generation\":1,\"dataset\":\"d\",\"layers\":" LAYER ",\"time\":0,\"budget\":-5}",
        "{\"type\":\"interest\",\"generation\":1,\"dataset\":\"a\\u0000b\",\"layers\":" LAYER ",\"time\":0,\"budget\":5}",
        "{\"type\":\"drop\"}", "{\"type\":\"drop\",\"variable\":\"t\",\"step\":-1}", "{\"type\":\"drop\",\"variable\":\"t\",\"step\":1,\"bricks\":[[1,2,3]]}",
        "{\"type\":\"drop\",\"variable\":\"t\",\"step\":1,\"bricks\":[[1,2,3,-4]]}", "{\"type\":\"drop\",\"variable\":\"t\",\"step\":1,\"bricks\":7}",
        "[[[[[[[[[[[[]]]]]]]]]]]]", "{\"type\":\"ack\",\"bytes\":1} trailing", "\xff\xfe", "{\"type\":\"\xc3\x28\"}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (parse(bad[i]) == VIRGA_OK) fail_msg("accepted: %s", bad[i]);
        assert_int_equal(failure.status, VIRGA_INVALID);
        assert_true(failure.message[0]);
    }
}

static void test_a_message_over_the_limit_is_refused(void **state) {
    (void)state;
    char *text = malloc(WS_MAX_TEXT + 2);
    memset(text, ' ', WS_MAX_TEXT + 2);
    memcpy(text, "{\"type\":\"ping\"}", 15);
    assert_int_equal(ws_message_parse(text, WS_MAX_TEXT, &message, &failure), VIRGA_OK);
    assert_int_equal(ws_message_parse(text, WS_MAX_TEXT + 1, &message, &failure), VIRGA_INVALID);
    free(text);
}

static void test_unknown_types_are_named(void **state) {
    (void)state;
    assert_int_equal(parse("{\"type\":\"wave\\u0007hello\"}"), VIRGA_OK);
    assert_int_equal(message.kind, WS_UNKNOWN);
    assert_string_equal(message.type, "wave hello");
}

static void test_drop_names_bricks(void **state) {
    (void)state;
    assert_int_equal(parse("{\"type\":\"drop\",\"variable\":\"t\",\"step\":9}"), VIRGA_OK);
    assert_true(message.drop.all);
    assert_int_equal(parse("{\"type\":\"drop\",\"variable\":\"t\",\"step\":9,\"bricks\":[[1,2,3,4],[0,5,6,7]]}"), VIRGA_OK);
    assert_false(message.drop.all);
    assert_int_equal(message.drop.count, 2);
    assert_int_equal(message.drop.bricks[1].y, 6);
}

static void test_texts_fit_or_fail(void **state) {
    (void)state;
    char out[200];
    const struct ws_step step = {.generation = 4294967295U, .layer = 1, .step = 12, .variable = "t", .edition = "e", .time = "2026-01-01T00:00:00Z",
                                 .geometry = "g"};
    assert_true(ws_message_hello(out, sizeof out, 1048576, false) > 0);
    assert_non_null(strstr(out, "\"window\":1048576"));
    assert_true(ws_message_step(out, sizeof out, &step) > 0);
    assert_non_null(strstr(out, "\"generation\":4294967295"));
    assert_true(ws_message_step(out, 40, &step) < 0);
    assert_true(ws_message_error(out, sizeof out, 1, "a \"quoted\" \x01 \xff word") > 0);
    assert_non_null(strstr(out, "a \\\"quoted\\\"   ? word"));
    assert_true(ws_message_done(out, sizeof out, 3, true) > 0);
    assert_non_null(strstr(out, "\"degraded\":true"));
}

static void test_heads_are_as_written(void **state) {
    (void)state;
    uint8_t batch[WS_BATCH_HEAD], part[WS_PART_HEAD];
    static const uint8_t batch_bytes[] = {'V', 'B', 'A', 'T', 7, 0, 0, 0, 2, 1, 0, 0};
    static const uint8_t part_bytes[] = {2, 3, 5, 0, 0x39, 0x30, 0, 0, 1, 0, 2, 0, 0, 1, 0, 0, 0x78, 0x56, 0x34, 0x12};
    ws_batch_head(batch, 7, 258);
    ws_part_head(part, &(struct ws_part){.kind = 2, .layer = 3, .level = 5, .step = 12345, .x = 1, .y = 2, .z = 256, .size = 0x12345678});
    assert_memory_equal(batch, batch_bytes, sizeof batch);
    assert_memory_equal(part, part_bytes, sizeof part);
}

static uint32_t random_state = 12345;
static uint32_t next_random(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    return random_state ^= random_state << 5;
}

// Whatever bytes come, the answer is a code and a reason, never a crash, and numbers that were let in lie in their ranges.
static void test_mutilated_messages_are_survived(void **state) {
    (void)state;
    static const char *const seeds[] = {INTEREST(LAYER, ",\"direction\":-1,\"rate\":4,\"steps\":3,\"camera\":" CAMERA), "{\"type\":\"ack\",\"bytes\":65536}",
                                        "{\"type\":\"drop\",\"variable\":\"t\",\"step\":9,\"bricks\":[[1,2,3,4]]}", "{\"type\":\"ping\",\"id\":9}"};
    static const char *const bits[] = {"-1", "1e999", "NaN", "null", "[]", "{}", "\"", "99999999999999999999", "-0.0", "\\u0000", ",", "]", "1e-320"};
    char text[1024];
    for (int round = 0; round < 200000; round++) {
        const char *seed = seeds[next_random() % 4];
        size_t size = strlen(seed);
        memcpy(text, seed, size);
        for (uint32_t n = next_random() % 4; n-- > 0;) {
            size_t at = next_random() % size;
            const char *bit = bits[next_random() % (sizeof bits / sizeof *bits)];
            switch (next_random() % 4) {
                case 0: text[at] = (char)next_random(); break;
                case 1: size = at + 1; break;
                case 2: if (at + strlen(bit) < size) memcpy(text + at, bit, strlen(bit)); break;
                default: memmove(text + at, text + at + 1, size - at - 1), size -= size > 1;
            }
        }
        memset(&failure, 0, sizeof failure);
        int status = ws_message_parse(text, size, &message, &failure);
        if (status) {
            assert_true(failure.message[0]);
        } else if (message.kind == WS_INTEREST) {
            const struct ws_interest *i = &message.interest;
            assert_in_range(i->layer_count, 1, VIEW_MAX_LAYERS);
            assert_in_range(i->steps, 0, VIEW_MAX_AHEAD);
            assert_true(i->rate >= 0 && i->rate <= 1000);
            if (!i->camera.whole) assert_true(i->camera.fov > 0 && i->camera.fov < 180 && i->camera.width >= 1 && isfinite(i->camera.eye[0]));
        }
    }
}

static void test_pairing_is_read(void **state) {
    (void)state;
    assert_int_equal(parse("{\"type\":\"pair\"}"), VIRGA_OK);
    assert_int_equal(message.kind, WS_PAIR);
    assert_string_equal(message.pair.code, "");
    assert_int_equal(parse("{\"type\":\"pair\",\"code\":\"0427\",\"name\":\"Phone\"}"), VIRGA_OK);
    assert_string_equal(message.pair.code, "0427");
    assert_string_equal(message.pair.name, "Phone");
    assert_int_equal(parse("{\"type\":\"pair\",\"key\":\"short\"}"), VIRGA_OK);
    assert_string_equal(message.pair.key, "?");  // nobody's
    assert_int_equal(parse("{\"type\":\"pair\",\"end\":true}"), VIRGA_OK);
    assert_true(message.pair.end);
    assert_int_equal(parse("{\"type\":\"pair\",\"code\":\"427\"}"), VIRGA_INVALID);
    assert_int_equal(parse("{\"type\":\"pair\",\"code\":\"04\\u00007\"}"), VIRGA_INVALID);
    assert_int_equal(parse("{\"type\":\"pair\",\"code\":427}"), VIRGA_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_interest_is_read),
        cmocka_unit_test(test_what_is_left_out_has_a_meaning),
        cmocka_unit_test(test_a_layer_may_name_its_own_run_and_member),
        cmocka_unit_test(test_bad_messages_are_refused_with_a_reason),
        cmocka_unit_test(test_a_message_over_the_limit_is_refused),
        cmocka_unit_test(test_unknown_types_are_named),
        cmocka_unit_test(test_drop_names_bricks),
        cmocka_unit_test(test_texts_fit_or_fail),
        cmocka_unit_test(test_heads_are_as_written),
        cmocka_unit_test(test_mutilated_messages_are_survived),
        cmocka_unit_test(test_pairing_is_read),
    };
    return cmocka_run_group_tests_name("ws_message", tests, NULL, NULL);
}
