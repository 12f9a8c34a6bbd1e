// SPDX-License-Identifier: Apache-2.0
#include "render/map_message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "render/lettering.h"

enum { SIZE = 13, MARGIN = 6, LINES_MAX = 40 };

static void fill(struct image *image, const struct map_picture_options *options) {
    bool clear = options->transparent && options->format == IMAGE_PNG;
    for (size_t n = 0; n < (size_t)image->width * image->height; n++) {
        memcpy(&image->pixels[4 * n], options->background, 3);
        image->pixels[4 * n + 3] = clear ? 0 : 255;
    }
}

// The first words that fit a line, one at least; the rest of the text.
static const char *take_line(struct lettering *lettering, const struct lettering_style *style, const char *text, int width, char line[LETTERING_TEXT_MAX]) {
    size_t taken = 0;
    for (size_t end = 0; text[end] && end < LETTERING_TEXT_MAX - 1;) {
        end += strspn(text + end, " ");
        end += strcspn(text + end, " ");
        if (end >= LETTERING_TEXT_MAX) break;
        snprintf(line, LETTERING_TEXT_MAX, "%.*s", (int)end, text);
        if (taken && lettering_width(lettering, style, line) > width) break;
        taken = end;
    }
    if (!taken) taken = strnlen(text, LETTERING_TEXT_MAX - 1);
    snprintf(line, LETTERING_TEXT_MAX, "%.*s", (int)taken, text);
    return text + taken + strspn(text + taken, " ");
}

static int write_words(struct image *image, const char *text) {
    const struct lettering_style style = {.size = SIZE, .colour = 0x000000ff};
    const struct lettering_area area = {0, 0, (int)image->width, (int)image->height};
    int width = (int)image->width - 2 * MARGIN, y = MARGIN;
    struct lettering lettering;
    struct lettering_sheet sheet;
    char line[LETTERING_TEXT_MAX];
    lettering_init(&lettering);
    int status = lettering_begin(&sheet, &area);
    for (int n = 0; !status && *text && n < LINES_MAX && width > 0 && y < (int)image->height; n++, y += lettering_line(SIZE)) {
        text = take_line(&lettering, &style, text, width, line);
        lettering_rimmed(&lettering, &sheet, &style, line, MARGIN, y, 2, 0xffffffff);
    }
    int laid = lettering_lay(&sheet, image);
    lettering_destroy(&lettering);
    return status ? status : laid;
}

int map_message_draw(unsigned width, unsigned height, const char *text, const struct map_picture_options *options, uint8_t **bytes, size_t *size, struct failure *failure) {
    const struct image_options encoding = {.format = options->format, .quality = options->quality};
    struct image image;
    *bytes = NULL;
    int status = image_init(&image, width, height);
    if (status) return failure_set(failure, status, "no picture of %u × %u pixels can be made", width, height);
    fill(&image, options);
    if (text) status = write_words(&image, text);
    status = status ? failure_set(failure, status, "out of memory") : image_encode(&image, &encoding, bytes, size, failure);
    image_destroy(&image);
    return status;
}
