// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/status.h"
#include "base/utf8.h"

enum { LOG_MAX_MESSAGE = 2048, LOG_MAX_LINE = 6 * LOG_MAX_MESSAGE + 256 };

static const char *const level_names[] = {"error", "warning", "info", "debug"};
static _Atomic enum log_level highest_level = LOG_LEVEL_INFO;
static bool as_json = false;  // written before threads start

void log_configure(enum log_level highest, bool json) {
    log_set_level(highest);
    as_json = json;
}

void log_set_level(enum log_level highest) { atomic_store_explicit(&highest_level, highest, memory_order_relaxed); }

int log_level_parse(const char *name, enum log_level *level) {
    for (int i = LOG_LEVEL_ERROR; i <= LOG_LEVEL_DEBUG; i++)
        if (name && !strcmp(name, level_names[i])) {
            *level = (enum log_level)i;
            return VIRGA_OK;
        }
    return VIRGA_INVALID;
}

const char *log_level_name(enum log_level level) { return level_names[level]; }
bool log_enabled(enum log_level level) { return level <= atomic_load_explicit(&highest_level, memory_order_relaxed); }

// Appends `text` with control characters and bytes that are no UTF-8 escaped; returns the new length. out has room for
// six bytes a byte of text.
static size_t append_escaped(char *out, size_t at, const char *text) {
    for (const char *c = text; *c;) {
        const unsigned char *u = (const unsigned char *)c;
        size_t n = utf8_length(c);
        bool control = n == 0 || u[0] < 0x20 || u[0] == 0x7f || (n == 2 && u[0] == 0xc2 && u[1] < 0xa0);
        if (control) {
            n = n ? n : 1;
            for (size_t i = 0; i < n; i++) at += (size_t)sprintf(out + at, as_json ? "\\u%04x" : "\\x%02x", u[i]);
        } else {
            if (as_json && (*c == '"' || *c == '\\')) out[at++] = '\\';
            memcpy(out + at, c, n);
            at += n;
        }
        c += n;
    }
    return at;
}

static size_t append_time(char *out) {
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t n = strftime(out, 32, "%Y-%m-%dT%H:%M:%S", &utc);
    return n + (size_t)sprintf(out + n, ".%03dZ", (int)(now.tv_nsec / 1000000));
}

void log_line(enum log_level level, const char *area, const char *format, ...) {
    if (!log_enabled(level)) return;
    char message[LOG_MAX_MESSAGE], line[LOG_MAX_LINE];
    va_list arguments;
    va_start(arguments, format);
    if (vsnprintf(message, sizeof message, format, arguments) < 0) message[0] = '\0';
    va_end(arguments);
    size_t n = 0;
    if (as_json) n += (size_t)sprintf(line, "{\"time\": \"");
    n += append_time(line + n);
    n += (size_t)sprintf(line + n, as_json ? "\", \"level\": \"%s\", \"area\": \"%.32s\", \"message\": \"" : " %s %.32s: ",
                         level_names[level], area);
    n = append_escaped(line, n, message);
    n += (size_t)sprintf(line + n, as_json ? "\"}\n" : "\n");
    ssize_t written = write(STDERR_FILENO, line, n);
    (void)written;  // nowhere left to complain
}
