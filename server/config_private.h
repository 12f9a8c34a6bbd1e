// SPDX-License-Identifier: Apache-2.0
// Private to the configuration: its table of settings and what reads one value.
#ifndef VIRGA_SERVER_CONFIG_PRIVATE_H
#define VIRGA_SERVER_CONFIG_PRIVATE_H

#include <stdio.h>

#include "server/config.h"

// Puts one value in force; on failure it returns what is allowed instead, in words (static storage), else NULL.
typedef const char *(*config_setter)(struct config *config, const char *value);

struct config_setting {
    const char *name, *variable;  // in files and, after "--", as a flag; in the environment
    config_setter set;
};
extern const struct config_setting config_settings[CONFIG_KEY_COUNT];  // config_values.c

// Whether a setting is a list that has a line for each value, whose text may hold what separates others.
bool config_has_lines(enum config_key key);
// Empties a list; others stay as they are.
void config_clear_list(struct config *config, enum config_key key);
// A value in the file's own syntax; nothing for settings that have a line for each of their values.
void config_print_value(FILE *out, const struct config *config, enum config_key key);

// False, and nothing is written, where the text is none of these within its bounds (a text: not empty, shorter than room).
bool config_parse_integer(const char *text, long low, long high, int *number);
bool config_parse_size(const char *text, size_t low, size_t *size);
bool config_copy_text(char *to, size_t room, const char *text);

// A time such as 7d, 48h, 90m or 0 in seconds, at most 3650d.
bool config_parse_time(const char *text, double *seconds);
void config_print_time(FILE *out, double seconds);

// config_catalog.c
const char *config_set_latest(struct config *config, const char *value);
const char *config_set_expected_steps(struct config *config, const char *value);
const char *config_set_keep_runs(struct config *config, const char *value);
const char *config_set_keep_time(struct config *config, const char *value);
const char *config_set_scan_seconds(struct config *config, const char *value);
const char *config_set_settle_seconds(struct config *config, const char *value);
const char *config_set_relist_seconds(struct config *config, const char *value);
const char *config_set_stale_after(struct config *config, const char *value);
void config_print_catalog(FILE *out, const struct config *config, enum config_key key);

// config_engine.c
const char *config_set_engine(struct config *config, const char *value);
const char *config_set_engine_clusters(struct config *config, const char *value);
const char *config_set_engine_workers(struct config *config, const char *value);
const char *config_set_engine_idle(struct config *config, const char *value);
const char *config_set_engine_memory(struct config *config, const char *value);
const char *config_set_engine_schemes(struct config *config, const char *value);
const char *config_set_engine_slabs(struct config *config, const char *value);
const char *config_set_engine_product(struct config *config, const char *value);
const char *config_set_engine_python(struct config *config, const char *value);
const char *config_set_publish_token_file(struct config *config, const char *value);
void config_print_engine(FILE *out, const struct config *config, enum config_key key);

// config_access.c
const char *config_set_auth(struct config *config, const char *value);
const char *config_set_anonymous(struct config *config, const char *value);
const char *config_set_auth_proxies(struct config *config, const char *value);
const char *config_set_auth_header(struct config *config, const char *value);
const char *config_set_auth_role(struct config *config, const char *value);
const char *config_set_auth_admins(struct config *config, const char *value);
const char *config_set_auth_hub(struct config *config, const char *value);
const char *config_set_auth_hub_token_file(struct config *config, const char *value);
const char *config_set_auth_hub_service(struct config *config, const char *value);
const char *config_set_auth_hub_callback(struct config *config, const char *value);
const char *config_set_open_to_all(struct config *config, const char *value);
void config_print_access(FILE *out, const struct config *config, enum config_key key);

#endif
