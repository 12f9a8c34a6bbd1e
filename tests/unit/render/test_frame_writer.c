// SPDX-License-Identifier: Apache-2.0
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../own_folder.h"
#include "render/frame_writer.h"

enum { FRAMES = 20 };

static char root[64];
static struct frame_folder *folder;

static int make_folder(void **state) {
    (void)state;
    char path[100];
    struct frame_pattern pattern;
    if (own_folder_make(root, sizeof root)) return -1;
    snprintf(path, sizeof path, "%s/%%d.png", root);
    if (frame_pattern_parse(path, &pattern, NULL)) return -1;
    return frame_folder_open(&(struct frame_folder_options){.pattern = &pattern, .frames = FRAMES, .record = "{}"}, &folder, NULL);
}

static int remove_folder(void **state) {
    (void)state;
    frame_folder_close(folder);
    return own_folder_remove(root);
}

static struct frame_picture picture_of(size_t index) {
    struct frame_picture picture = {.index = index, .text_count = 1};
    assert_int_equal(image_init(&picture.image, 32, 16), VIRGA_OK);
    picture.texts[0].key = "Title";
    picture.texts[0].value = strdup("some text");
    return picture;
}

struct log {
    size_t order[FRAMES], count;
    size_t fails_at;  // index, or FRAMES
    pthread_mutex_t *gate;
};

static int written(void *context, size_t index, size_t bytes, struct failure *failure) {
    struct log *log = context;
    if (log->gate) {
        pthread_mutex_lock(log->gate);
        pthread_mutex_unlock(log->gate);
    }
    log->order[log->count++] = index;
    assert_true(bytes > 50 && frame_folder_has(folder, index));
    return index == log->fails_at ? failure_set(failure, VIRGA_IO, "enough at %zu", index) : VIRGA_OK;
}

static struct frame_writer *writer_with(struct log *log) {
    struct frame_writer_options options = {.folder = folder, .format = IMAGE_PNG, .written = written, .context = log};
    struct frame_writer *writer = frame_writer_new(&options);
    assert_non_null(writer);
    return writer;
}

static void frames_are_written_in_the_order_given(void **state) {
    (void)state;
    struct log log = {.fails_at = FRAMES};
    struct frame_writer *writer = writer_with(&log);
    for (size_t i = 0; i < FRAMES; i++) {
        struct frame_picture picture = picture_of((7 * i) % FRAMES);
        assert_int_equal(frame_writer_put(writer, &picture, NULL), VIRGA_OK);
        assert_null(picture.image.pixels);
    }
    assert_int_equal(frame_writer_finish(writer, false, NULL), VIRGA_OK);
    assert_int_equal(log.count, FRAMES);
    for (size_t i = 0; i < FRAMES; i++) assert_int_equal(log.order[i], (7 * i) % FRAMES);
    assert_int_equal(frame_folder_count(folder), FRAMES);
}

static void after_a_failure_nothing_more_is_written(void **state) {
    (void)state;
    struct log log = {.fails_at = 3};
    struct failure failure = {0};
    struct frame_writer *writer = writer_with(&log);
    int status = VIRGA_OK;
    size_t given = 0;
    while (status == VIRGA_OK && given < FRAMES) {
        struct frame_picture picture = picture_of(given++);
        status = frame_writer_put(writer, &picture, &failure);
        assert_null(picture.image.pixels);
    }
    assert_int_equal(status, VIRGA_IO);
    assert_string_equal(failure.message, "enough at 3");
    failure = (struct failure){0};
    assert_int_equal(frame_writer_finish(writer, false, &failure), VIRGA_IO);
    assert_string_equal(failure.message, "enough at 3");
    assert_int_equal(log.count, 4);
}

static void what_waits_can_be_dropped(void **state) {
    (void)state;
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    struct log log = {.fails_at = FRAMES, .gate = &gate};
    struct frame_writer *writer = writer_with(&log);
    pthread_mutex_lock(&gate);  // the first one cannot end before the others wait
    for (size_t i = 0; i < 2; i++) {
        struct frame_picture picture = picture_of(i);
        assert_int_equal(frame_writer_put(writer, &picture, NULL), VIRGA_OK);
    }
    pthread_mutex_unlock(&gate);
    assert_int_equal(frame_writer_finish(writer, true, NULL), VIRGA_OK);
    assert_true(log.count <= 2 && frame_folder_count(folder) == log.count);
}

static void options_that_cannot_be_are_a_failure(void **state) {
    (void)state;
    struct failure failure = {0};
    struct frame_writer *writer = frame_writer_new(&(struct frame_writer_options){.folder = folder, .format = IMAGE_JPEG, .quality = 1000});
    struct frame_picture picture = picture_of(0);
    frame_writer_put(writer, &picture, NULL);
    assert_int_equal(frame_writer_finish(writer, false, &failure), VIRGA_INVALID);
    assert_true(*failure.message);
    assert_int_equal(frame_folder_count(folder), 0);
    assert_int_equal(frame_writer_finish(NULL, false, NULL), VIRGA_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(frames_are_written_in_the_order_given),
        TEST(after_a_failure_nothing_more_is_written),
        TEST(what_waits_can_be_dropped),
        TEST(options_that_cannot_be_are_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
