// SPDX-License-Identifier: Apache-2.0
#include "render/frame_pattern.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { LONGEST_PART = 100 };  // so that there is room for the number, and for what temporary names add

// %d or %0Nd at `at`; the place after it, or NULL.
static const char *take_number(const char *at, int *digits) {
    *digits = 0;
    if (at[1] == 'd') return at + 2;
    if (at[1] != '0' || at[2] < '1' || at[2] > '9' || at[3] != 'd') return NULL;
    *digits = at[2] - '0';
    return at + 4;
}

// Copies up to `end` with %% as %; false where there is another %, or no room.
static bool take_plain(const char **at, const char *end, char *out, size_t room) {
    size_t n = 0;
    while (*at < end) {
        if (**at == '%' && (*at)[1] != '%') break;
        if (n + 1 >= room) return false;
        if (**at == '%') ++*at;
        out[n++] = *(*at)++;
    }
    out[n] = '\0';
    return true;
}

static int wrong(const char *text, const char *problem, struct failure *failure) {
    return failure_set(failure, VIRGA_INVALID, "\"%.200s\" %s", text, problem);
}

int frame_pattern_parse(const char *text, struct frame_pattern *p, struct failure *failure) {
    const char *one = "must hold one number such as %04d, in the file's name, and no other % (%% stands for one)";
    const char *slash = strrchr(text, '/'), *at = text, *end = text + strlen(text);
    *p = (struct frame_pattern){.folder = "."};
    if (slash && (!take_plain(&at, slash, p->folder, sizeof p->folder) || at != slash)) return wrong(text, one, failure);
    if (slash) at = slash + 1;
    if (slash == text) strcpy(p->folder, "/");
    if (!take_plain(&at, end, p->before, sizeof p->before)) return wrong(text, "is too long a name", failure);
    p->numbered = at < end;
    if (p->numbered && !(at = take_number(at, &p->digits))) return wrong(text, one, failure);
    if (p->numbered && !take_plain(&at, end, p->after, sizeof p->after)) return wrong(text, "is too long a name", failure);
    if (at != end) return wrong(text, one, failure);
    if (!p->before[0] && !p->numbered) return wrong(text, "is a folder; name its files as well, such as %04d.png", failure);
    if (p->before[0] == '.') return wrong(text, "is a hidden file; begin its name with something else", failure);
    if (strlen(p->before) > LONGEST_PART || strlen(p->after) > LONGEST_PART) return wrong(text, "is too long a name", failure);
    return VIRGA_OK;
}

void frame_pattern_name(const struct frame_pattern *p, size_t index, char name[FRAME_NAME_TEXT]) {
    if (p->numbered) snprintf(name, FRAME_NAME_TEXT, "%.100s%0*zu%.100s", p->before, p->digits, index, p->after);
    else snprintf(name, FRAME_NAME_TEXT, "%s", p->before);
}

bool frame_pattern_index(const struct frame_pattern *p, const char *name, size_t most, size_t *index) {
    size_t before = strlen(p->before), after = strlen(p->after), all = strlen(name), number = 0;
    char again[FRAME_NAME_TEXT];
    *index = 0;
    if (!p->numbered) return !strcmp(name, p->before);
    if (all <= before + after) return false;
    for (size_t i = before; i < all - after; i++) {
        if (name[i] < '0' || name[i] > '9' || number > most) return false;
        number = 10 * number + (size_t)(name[i] - '0');
    }
    if (number > most) return false;
    frame_pattern_name(p, number, again);  // 007 is not frame 7 of %d
    *index = number;
    return !strcmp(again, name);
}

bool frame_pattern_format(const struct frame_pattern *p, enum image_format *format) {
    const char *end = p->numbered ? p->after : p->before, *dot = strrchr(end, '.');
    *format = dot && !strcasecmp(dot, ".png") ? IMAGE_PNG : IMAGE_JPEG;
    return dot && (*format == IMAGE_PNG || !strcasecmp(dot, ".jpg") || !strcasecmp(dot, ".jpeg"));
}
