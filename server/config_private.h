// SPDX-License-Identifier: Apache-2.0
// Private to the configuration: its tables of settings and what reads and prints one value.
#ifndef VIRGA_SERVER_CONFIG_PRIVATE_H
#define VIRGA_SERVER_CONFIG_PRIVATE_H

#include <stddef.h>
#include <stdio.h>

#include "server/config.h"

// Puts one value in force; on failure it returns what is allowed instead, in words (static storage), else NULL.
typedef const char *(*config_setter)(struct config *config, const char *value);

// What a setting's values are, and how they are read and printed unless it has a way of its own.
enum setting_kind {
    SETTING_OWN,
    SETTING_INTEGER,  // int
    SETTING_SIZE,     // size_t; "256M", "1.5G", "256 MiB": powers of 1024
    SETTING_NUMBER,   // double
    SETTING_TIME,     // double: seconds; "7d", "48h", "90m" or 0, at most 3650d
    SETTING_TEXT,     // char[]
    SETTING_SWITCH,   // bool: one of two words
    SETTING_LIST,     // char[][], a text that spaces or commas separate
    SETTING_LINES,    // char *[], whose texts may hold what separates others: a line for each
};

struct config_setting {
    const char *name, *variable;  // in files and, after "--", as a flag; in the environment
    enum setting_kind kind;
    size_t at;                    // of its member
    double low, high;             // bounds of integers and numbers; least size; characters that a text must have, and must not
    bool or_zero;                 // a number may be 0, too
    const char *words[2];         // for false and true
    size_t each, count_at;        // bytes of a list's text; the member with the count of a list, or lines
    const char *allowed;          // in words: what it must be
    config_setter set;            // instead of the kind's way
    void (*print)(FILE *out, const struct config *config);  // likewise
    void (*clear)(struct config *config);                   // likewise, of what is a list
};

#define MEMBER_AT(member) offsetof(struct config, member)
#define IS_INTEGER(member, least, most, words) .kind = SETTING_INTEGER, .at = MEMBER_AT(member), .low = (least), .high = (most), .allowed = (words)
#define IS_SIZE(member, least, words) .kind = SETTING_SIZE, .at = MEMBER_AT(member), .low = (least), .allowed = (words)
#define IS_NUMBER(member, least, most, words) .kind = SETTING_NUMBER, .at = MEMBER_AT(member), .low = (least), .high = (most), .allowed = (words)
#define IS_TIME(member, words) .kind = SETTING_TIME, .at = MEMBER_AT(member), .allowed = (words)
#define IS_TEXT(member, least, words) .kind = SETTING_TEXT, .at = MEMBER_AT(member), .low = (least), .high = sizeof ((struct config *)NULL)->member, .allowed = (words)
#define IS_SWITCH(member, no, yes, words_) .kind = SETTING_SWITCH, .at = MEMBER_AT(member), .words = {no, yes}, .allowed = (words_)
#define IS_LIST(member, count) .kind = SETTING_LIST, .at = MEMBER_AT(member), .each = sizeof ((struct config *)NULL)->member[0], .count_at = MEMBER_AT(count)
#define IS_LINES(member, count) .kind = SETTING_LINES, .at = MEMBER_AT(member), .count_at = MEMBER_AT(count)

// Each setting stands in one of these.
extern const struct config_setting config_server_settings[CONFIG_KEY_COUNT], config_catalog_settings[CONFIG_KEY_COUNT], config_engine_settings[CONFIG_KEY_COUNT],
    config_access_settings[CONFIG_KEY_COUNT];
const struct config_setting *config_setting_of(enum config_key key);

// As config_setter. A list, or lines, grow by it.
const char *config_set_value(struct config *config, enum config_key key, const char *value);
// A value in the file's own syntax; nothing for lines.
void config_print_value(FILE *out, const struct config *config, enum config_key key);
// Empties a list; others stay as they are.
void config_clear_list(struct config *config, enum config_key key);
// The values of a setting that has a line for each; NULL of others.
char *const *config_lines(const struct config *config, enum config_key key, size_t *count);

// False, and nothing is written, where the text is none of these within its bounds (a text: not empty, shorter than room).
bool config_parse_integer(const char *text, long low, long high, int *number);
bool config_parse_time(const char *text, double *seconds);
bool config_copy_text(char *to, size_t room, const char *text);
void config_print_time(FILE *out, double seconds);

#endif
