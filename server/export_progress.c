// SPDX-License-Identifier: Apache-2.0
#include "server/export_progress.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const double BAR_SECONDS = 0.1, LINE_SECONDS = 5;
enum { BAR_MAX = 40, BAR_LEAST = 6 };

int export_progress_parse(const char *name, bool terminal, enum export_progress_kind *kind) {
    static const char *const names[] = {"none", "bar", "lines", "json", "auto"};
    for (int k = 0; k < 5; k++) {
        if (strcmp(name, names[k])) continue;
        *kind = k < 4 ? (enum export_progress_kind)k : terminal ? EXPORT_PROGRESS_BAR : EXPORT_PROGRESS_LINES;
        return VIRGA_OK;
    }
    return VIRGA_INVALID;
}

static int put_json(struct export_progress *p, json_t *event) {
    char *text = event ? json_dumps(event, JSON_COMPACT) : NULL;
    bool written = text && fprintf(p->out, "%s\n", text) > 0 && !fflush(p->out);
    free(text);
    json_decref(event);
    return written ? VIRGA_OK : VIRGA_IO;
}

static double rate_of(const struct export_progress *p, double now) {
    return now > p->began && p->done > p->before ? (double)(p->done - p->before) / (now - p->began) : 0;
}

// "0:38", "1:02:03".
static void put_duration(char *text, size_t room, double seconds) {
    long whole = seconds < 3.6e8 ? (long)(seconds + 0.5) : 360000000;
    if (whole < 3600) snprintf(text, room, "%ld:%02ld", whole / 60, whole % 60);
    else snprintf(text, room, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
}

// "123/360 frames, 6.3/s, 0:38 left"
static void put_words(const struct export_progress *p, double now, char *text, size_t room) {
    char left[32];
    double rate = rate_of(p, now);
    int n = snprintf(text, room, "%zu/%zu frames", p->done, p->frames);
    if (rate <= 0) return;
    n += snprintf(text + n, room - (size_t)n, rate >= 0.995 ? ", %.1f/s" : ", %.2g/s", rate);
    put_duration(left, sizeof left, (double)(p->frames - p->done) / rate);
    snprintf(text + n, room - (size_t)n, ", %s left", left);
}

// One line, never wider than the terminal: a line that wraps could not be written over.
static void put_bar(struct export_progress *p, double now, unsigned columns) {
    char words[160], bar[BAR_MAX + 4] = "";
    put_words(p, now, words, sizeof words);
    size_t room = columns ? columns - 1 : 79, length = strlen(words);
    size_t width = room > length + 3 ? room - length - 3 : 0;
    if (width > BAR_MAX) width = BAR_MAX;
    if (width >= BAR_LEAST) {
        size_t full = p->done * width / p->frames;
        bar[0] = '[';
        for (size_t i = 0; i < width; i++) bar[1 + i] = i < full ? '=' : i == full ? '>' : ' ';
        strcpy(bar + 1 + width, "] ");
    }
    if (length > room) words[room] = '\0';
    fprintf(p->out, "\r%s%s\033[K", bar, words);
    fflush(p->out);
    p->shown = true;
}

static void clear_bar(struct export_progress *p) {
    if (!p->shown) return;
    fputs("\r\033[K", p->out);
    fflush(p->out);
    p->shown = false;
}

void export_progress_begin(struct export_progress *p, double now) {
    p->began = now;
    p->before = p->done;
    p->next = now + (p->kind == EXPORT_PROGRESS_BAR ? 0 : LINE_SECONDS);
    if (p->kind == EXPORT_PROGRESS_JSON)
        put_json(p, json_pack("{s:s, s:I, s:I, s:[i,i], s:s}", "event", "begin", "frames", (json_int_t)p->frames, "done",
                              (json_int_t)p->done, "size", (int)p->width, (int)p->height, "out", p->where));
    if (p->kind == EXPORT_PROGRESS_LINES && p->done && p->done < p->frames)
        fprintf(p->out, "%zu of %zu frames are there already\n", p->done, p->frames);
}

int export_progress_frame(struct export_progress *p, double now, unsigned columns, size_t index, const char *file, size_t bytes) {
    p->done++;
    if (p->kind == EXPORT_PROGRESS_JSON)
        return put_json(p, json_pack("{s:s, s:I, s:s, s:I}", "event", "frame", "frame", (json_int_t)index, "file", file, "bytes",
                                     (json_int_t)bytes));
    if (now < p->next || p->done == p->frames) return VIRGA_OK;
    if (p->kind == EXPORT_PROGRESS_BAR) {
        put_bar(p, now, columns);
        p->next = now + BAR_SECONDS;
    } else if (p->kind == EXPORT_PROGRESS_LINES) {
        char words[160];
        put_words(p, now, words, sizeof words);
        fprintf(p->out, "%s\n", words);
        p->next = now + LINE_SECONDS;
    }
    return VIRGA_OK;
}

int export_progress_done(struct export_progress *p, double now) {
    size_t written = p->done - p->before;
    char took[32];
    clear_bar(p);
    if (p->kind == EXPORT_PROGRESS_JSON)
        return put_json(p, json_pack("{s:s, s:I, s:I, s:f}", "event", "done", "frames", (json_int_t)p->frames, "written",
                                     (json_int_t)written, "seconds", now - p->began));
    if (p->kind == EXPORT_PROGRESS_NONE) return VIRGA_OK;
    put_duration(took, sizeof took, now - p->began);
    if (p->frames == 1) fprintf(p->out, "%s%s\n", written ? "" : "it is there already: ", p->where);
    else if (!written) fprintf(p->out, "all %zu frames are there: %s\n", p->frames, p->where);
    else fprintf(p->out, "%zu frames: %s (%zu in %s, %.1f/s)\n", p->frames, p->where, written, took, rate_of(p, now));
    return VIRGA_OK;
}

void export_progress_error(struct export_progress *p, const char *message) {
    clear_bar(p);
    if (p->kind == EXPORT_PROGRESS_JSON) put_json(p, json_pack("{s:s, s:s}", "event", "error", "message", message));
}
