// SPDX-License-Identifier: Apache-2.0
// How a value of each kind of setting is read, printed and emptied.
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/config_private.h"

const struct config_setting *config_setting_of(enum config_key key) {
    const struct config_setting *const tables[] = {config_server_settings, config_catalog_settings, config_engine_settings, config_access_settings};
    size_t n = 0;
    while (n < 3 && !tables[n][key].name) n++;
    return &tables[n][key];
}

static void *member(struct config *config, size_t at) { return (char *)config + at; }
static const void *member_of(const struct config *config, size_t at) { return (const char *)config + at; }

// Reading.

bool config_parse_integer(const char *text, long low, long high, int *number) {
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno || end == text || *end || isspace((unsigned char)*text) || value < low || value > high) return false;
    *number = (int)value;
    return true;
}

static bool parse_size(const char *text, double low, size_t *size) {
    char *end;
    if (!isdigit((unsigned char)*text)) return false;
    double value = strtod(text, &end);
    while (*end == ' ') end++;
    static const char units[] = "KMGT";
    const char *unit = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
    if (unit) {
        value = ldexp(value, 10 * (int)(unit - units + 1));
        end++;
        if (*end == 'i') end++;
    }
    if (*end == 'B') end++;
    if (*end || !(value >= low) || value > ldexp(1, 46)) return false;
    *size = (size_t)value;
    return true;
}

bool config_parse_time(const char *text, double *seconds) {
    char *end;
    double number = isdigit((unsigned char)*text) ? strtod(text, &end) : NAN;
    if (!(number >= 0) || (*end && end[1]) || (!*end && number > 0)) return false;
    double unit = *end == 'd' ? 86400 : *end == 'h' ? 3600 : *end == 'm' ? 60 : *end ? NAN : 1;
    if (!(number * unit <= 3650 * 86400.0)) return false;
    *seconds = number * unit;
    return true;
}

static bool parse_number(const char *text, const struct config_setting *s, double *out) {
    char *end;
    double number = isdigit((unsigned char)*text) ? strtod(text, &end) : NAN;
    bool zero = s->or_zero && !strcmp(text, "0");
    if (!zero && (!(number >= s->low && number <= s->high) || *end)) return false;
    *out = number;
    return true;
}

bool config_copy_text(char *to, size_t room, const char *text) {
    size_t length = strlen(text);
    if (!length || length >= room) return false;
    memcpy(to, text, length + 1);
    return true;
}

static bool parse_text(const char *text, const struct config_setting *s, char *to) {
    size_t length = strlen(text);
    if (length < (size_t)s->low || length >= (size_t)s->high) return false;
    memcpy(to, text, length + 1);
    return true;
}

static bool parse_switch(const char *text, const struct config_setting *s, bool *on) {
    bool yes = !strcmp(text, s->words[1]);
    if (!yes && strcmp(text, s->words[0])) return false;
    *on = yes;
    return true;
}

static bool parse(struct config *config, const struct config_setting *s, const char *value) {
    void *to = member(config, s->at);
    switch (s->kind) {
    case SETTING_INTEGER: return config_parse_integer(value, (long)s->low, (long)s->high, to);
    case SETTING_SIZE: return parse_size(value, s->low, to);
    case SETTING_NUMBER: return parse_number(value, s, to);
    case SETTING_TIME: return config_parse_time(value, to);
    case SETTING_TEXT: return parse_text(value, s, to);
    case SETTING_SWITCH: return parse_switch(value, s, to);
    case SETTING_OWN: case SETTING_LIST: case SETTING_LINES: break;  // which have their own way
    }
    return false;
}

const char *config_set_value(struct config *config, enum config_key key, const char *value) {
    const struct config_setting *s = config_setting_of(key);
    if (s->set) return s->set(config, value);
    return parse(config, s, value) ? NULL : s->allowed;
}

// Printing.

static void print_size(FILE *out, size_t size) {
    static const char units[] = "TGMK";
    for (int i = 0; units[i]; i++) {
        size_t unit = (size_t)1 << (10 * (4 - i));
        if (size && size % unit == 0) {
            fprintf(out, "%zu%c", size / unit, units[i]);
            return;
        }
    }
    fprintf(out, "%zu", size);
}

void config_print_time(FILE *out, double seconds) {
    static const struct { double seconds; char name; } units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}};
    size_t i = 0;
    while (i < 2 && fmod(seconds, units[i].seconds) != 0) i++;
    if (seconds > 0) fprintf(out, "%.15g%c", seconds / units[i].seconds, units[i].name);
    else fputc('0', out);
}

static void print_list(FILE *out, const char *texts, size_t each, size_t count) {
    for (size_t i = 0; i < count; i++) fprintf(out, "%s%s", i ? " " : "", texts + i * each);
}

void config_print_value(FILE *out, const struct config *config, enum config_key key) {
    const struct config_setting *s = config_setting_of(key);
    const void *is = member_of(config, s->at);
    if (s->print) {
        s->print(out, config);
        return;
    }
    switch (s->kind) {
    case SETTING_INTEGER: fprintf(out, "%d", *(const int *)is); break;
    case SETTING_SIZE: print_size(out, *(const size_t *)is); break;
    case SETTING_NUMBER: fprintf(out, "%g", *(const double *)is); break;
    case SETTING_TIME: config_print_time(out, *(const double *)is); break;
    case SETTING_TEXT: fputs(is, out); break;
    case SETTING_SWITCH: fputs(s->words[*(const bool *)is], out); break;
    case SETTING_LIST: print_list(out, is, s->each, *(const size_t *)member_of(config, s->count_at)); break;
    case SETTING_OWN: case SETTING_LINES: break;
    }
}

// Lists.

void config_clear_list(struct config *config, enum config_key key) {
    const struct config_setting *s = config_setting_of(key);
    if (s->clear) s->clear(config);
    if (s->kind != SETTING_LIST && s->kind != SETTING_LINES) return;
    size_t *count = member(config, s->count_at);
    char **lines = member(config, s->at);
    while (s->kind == SETTING_LINES && *count) free(lines[--*count]);
    *count = 0;
}

char *const *config_lines(const struct config *config, enum config_key key, size_t *count) {
    const struct config_setting *s = config_setting_of(key);
    *count = s->kind == SETTING_LINES ? *(const size_t *)member_of(config, s->count_at) : 0;
    return s->kind == SETTING_LINES ? member_of(config, s->at) : NULL;
}
