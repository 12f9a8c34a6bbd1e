// SPDX-License-Identifier: Apache-2.0
#include "render/frame_writer.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/thread.h"

enum { WAITING_MAX = 2 };
static const size_t LARGE = (size_t)64 << 20;  // bytes of a picture of which only one waits

struct frame_writer {
    struct frame_writer_options options;
    pthread_t thread;
    pthread_mutex_t lock;    // all below
    pthread_cond_t changed;  // either side
    struct frame_picture waiting[WAITING_MAX];
    size_t count;
    bool ending;
    int status;              // of the first frame that failed
    struct failure failure;
};

void frame_picture_destroy(struct frame_picture *picture) {
    image_destroy(&picture->image);
    for (size_t i = 0; i < picture->text_count; i++) free(picture->texts[i].value);
    *picture = (struct frame_picture){0};
}

int frame_picture_encode(const struct frame_picture *picture, enum image_format format, int quality, uint8_t **bytes, size_t *size, struct failure *failure) {
    struct image_text texts[FRAME_TEXTS_MAX];
    for (size_t i = 0; i < picture->text_count; i++) texts[i] = (struct image_text){picture->texts[i].key, picture->texts[i].value};
    struct image_options options = {.format = format, .quality = quality, .texts = texts, .text_count = picture->text_count};
    return image_encode(&picture->image, &options, bytes, size, failure);
}

static int write_picture(const struct frame_writer *w, const struct frame_picture *picture, struct failure *failure) {
    uint8_t *bytes = NULL;
    size_t size = 0;
    int status = frame_picture_encode(picture, w->options.format, w->options.quality, &bytes, &size, failure);
    if (status == VIRGA_OK) status = frame_folder_write(w->options.folder, picture->index, bytes, size, failure);
    free(bytes);
    if (status == VIRGA_OK && w->options.written) status = w->options.written(w->options.context, picture->index, size, failure);
    return status;
}

// The next picture, or false when there will be none. The lock is held.
static bool next(struct frame_writer *w, struct frame_picture *picture) {
    while (!w->count && !w->ending) pthread_cond_wait(&w->changed, &w->lock);
    if (!w->count) return false;
    *picture = w->waiting[0];
    for (size_t i = 1; i < w->count; i++) w->waiting[i - 1] = w->waiting[i];
    w->count--;
    pthread_cond_broadcast(&w->changed);
    return true;
}

static void *live(void *argument) {
    struct frame_writer *w = argument;
    struct frame_picture picture;
    pthread_mutex_lock(&w->lock);
    while (next(w, &picture)) {
        struct failure failure = {0};
        bool skip = w->status != VIRGA_OK;
        pthread_mutex_unlock(&w->lock);
        int status = skip ? VIRGA_OK : write_picture(w, &picture, &failure);
        frame_picture_destroy(&picture);
        pthread_mutex_lock(&w->lock);
        if (status == VIRGA_OK) continue;
        w->status = status;
        w->failure = failure;
        pthread_cond_broadcast(&w->changed);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

struct frame_writer *frame_writer_new(const struct frame_writer_options *options) {
    struct frame_writer *w = calloc(1, sizeof *w);
    if (!w) return NULL;
    w->options = *options;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->changed, NULL);
    if (!thread_start(&w->thread, live, w)) return w;
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->changed);
    free(w);
    return NULL;
}

static int take_failure(const struct frame_writer *w, struct failure *failure) {
    if (failure && w->status != VIRGA_OK) *failure = w->failure;
    return w->status;
}

int frame_writer_put(struct frame_writer *w, struct frame_picture *picture, struct failure *failure) {
    size_t bytes = (size_t)picture->image.width * picture->image.height * 4, room = bytes > LARGE ? 1 : WAITING_MAX;
    pthread_mutex_lock(&w->lock);
    while (w->count >= room && w->status == VIRGA_OK) pthread_cond_wait(&w->changed, &w->lock);
    int status = take_failure(w, failure);
    if (status == VIRGA_OK) {
        w->waiting[w->count++] = *picture;
        *picture = (struct frame_picture){0};
        pthread_cond_broadcast(&w->changed);
    }
    pthread_mutex_unlock(&w->lock);
    frame_picture_destroy(picture);
    return status;
}

int frame_writer_finish(struct frame_writer *w, bool drop, struct failure *failure) {
    if (!w) return VIRGA_OK;
    pthread_mutex_lock(&w->lock);
    while (drop && w->count) frame_picture_destroy(&w->waiting[--w->count]);
    w->ending = true;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    int status = take_failure(w, failure);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->changed);
    free(w);
    return status;
}
