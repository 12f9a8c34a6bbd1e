// SPDX-License-Identifier: Apache-2.0
// Levelled log lines on stderr, as text ("2026-01-31T12:00:00.123Z info reader: opened …") or as one JSON object a line
// ({"time", "level", "area", "message"}). Any thread; a line is written with one write(2). Control characters in the
// message are escaped, so a file name cannot forge a line.
#ifndef VIRGA_BASE_LOG_H
#define VIRGA_BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_configure(enum log_level highest, bool json);  // before threads start
void log_set_level(enum log_level highest);              // any thread
int log_level_parse(const char *name, enum log_level *level);  // "error", "warning", "info", "debug"; VIRGA_OK or VIRGA_INVALID
const char *log_level_name(enum log_level level);  // as above
bool log_enabled(enum log_level level);
void log_line(enum log_level level, const char *area, const char *format, ...) __attribute__((format(printf, 3, 4)));

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) \
    do { \
        if (log_enabled(LOG_LEVEL_DEBUG)) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__); \
    } while (0)

#endif
