// SPDX-License-Identifier: Apache-2.0
#include "render/image.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "render/image_writer.h"

enum {
    KEY_MAX = 79,  // bytes, of PNG
    FIRST_CAPACITY = 1 << 18,
};

static const struct image_writer *const writers[] = {[IMAGE_PNG] = &image_png, [IMAGE_JPEG] = &image_jpeg};

static bool side_allowed(unsigned side) { return side >= 1 && side <= IMAGE_SIDE_MAX; }

int image_init(struct image *image, unsigned width, unsigned height) {
    *image = (struct image){0};
    if (!side_allowed(width) || !side_allowed(height)) return VIRGA_INVALID;
    uint8_t *pixels = calloc((size_t)width * height, 4);
    if (!pixels) return VIRGA_NO_MEMORY;
    *image = (struct image){.width = width, .height = height, .pixels = pixels};
    return VIRGA_OK;
}

void image_destroy(struct image *image) {
    free(image->pixels);
    *image = (struct image){0};
}

// As PNG wants keys: printable Latin-1 without spaces at the ends; here ASCII, which is also UTF-8.
static bool key_allowed(const char *key) {
    size_t n = strlen(key);
    if (n < 1 || n > KEY_MAX || key[0] == ' ' || key[n - 1] == ' ') return false;
    for (const char *c = key; *c; c++)
        if (*c < 0x20 || *c > 0x7e) return false;
    return true;
}

int image_check(unsigned width, unsigned height, const struct image_options *options, struct failure *failure) {
    if (!side_allowed(width) || !side_allowed(height))
        return failure_set(failure, VIRGA_INVALID, "a picture of %u × %u pixels cannot be written; sides are 1 to %d", width, height,
                           (int)IMAGE_SIDE_MAX);
    if ((unsigned)options->format >= sizeof writers / sizeof *writers)
        return failure_set(failure, VIRGA_INVALID, "no such picture format: %d", (int)options->format);
    if (options->format == IMAGE_JPEG && (options->quality < 1 || options->quality > 100))
        return failure_set(failure, VIRGA_INVALID, "a JPEG quality of %d is none; it is 1 to 100", options->quality);
    for (size_t i = 0; i < options->text_count; i++) {
        const struct image_text *text = &options->texts[i];
        if (!key_allowed(text->key))
            return failure_set(failure, VIRGA_INVALID,
                               "text %zu of the picture: its key must be 1 to %d printable ASCII characters", i, (int)KEY_MAX);
        if (!utf8_valid(text->value))
            return failure_set(failure, VIRGA_INVALID, "text \"%s\" of the picture is not UTF-8", text->key);
    }
    return VIRGA_OK;
}

bool image_bytes_append(struct image_bytes *bytes, const void *data, size_t n) {
    if (n > bytes->capacity - bytes->size) {
        size_t capacity = bytes->capacity ? bytes->capacity * 2 : FIRST_CAPACITY;
        while (n > capacity - bytes->size) capacity *= 2;
        uint8_t *grown = realloc(bytes->data, capacity);
        if (!grown) return false;
        bytes->data = grown;
        bytes->capacity = capacity;
    }
    memcpy(bytes->data + bytes->size, data, n);
    bytes->size += n;
    return true;
}

int image_encode(const struct image *image, const struct image_options *options, uint8_t **bytes, size_t *size,
                 struct failure *failure) {
    struct image_bytes file = {0};
    int status = image_check(image->width, image->pixels ? image->height : 0, options, failure);
    if (!status) status = writers[options->format]->encode(image, options, &file, failure);
    if (status) {
        free(file.data);
        file = (struct image_bytes){0};
    }
    *bytes = file.data;
    *size = file.size;
    return status;
}

const char *image_suffix(enum image_format format) { return writers[format]->suffix; }

const char *image_type(enum image_format format) { return writers[format]->type; }
