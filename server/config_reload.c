// SPDX-License-Identifier: Apache-2.0
#include "server/config_reload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/config_private.h"

static const enum config_key live[] = {
    CONFIG_MAX_CONNECTIONS, CONFIG_IDLE_SECONDS, CONFIG_DRAIN_SECONDS, CONFIG_MESSAGE_RATE, CONFIG_EMBED_HOST, CONFIG_ALLOW_ORIGIN,
    CONFIG_LATEST, CONFIG_EXPECTED_STEPS, CONFIG_KEEP_RUNS, CONFIG_KEEP_TIME, CONFIG_SCAN_SECONDS, CONFIG_SETTLE_SECONDS, CONFIG_RELIST_SECONDS,
    CONFIG_PATHS, CONFIG_ANONYMOUS, CONFIG_AUTH_PROXIES, CONFIG_AUTH_ROLE, CONFIG_AUTH_ADMINS, CONFIG_EXPORT_QUEUE, CONFIG_EXPORT_FRAMES,
    CONFIG_EXPORT_SIZE, CONFIG_EXPORT_DISK, CONFIG_EXPORT_KEEP, CONFIG_MAP_MAX_SIZE, CONFIG_LOG_LEVEL,
};

bool config_is_live(enum config_key key) {
    for (size_t i = 0; i < sizeof live / sizeof *live; i++)
        if (live[i] == key) return true;
    return false;
}

char *config_value(const struct config *config, enum config_key key) {
    char *text = NULL;
    size_t size, count;
    FILE *out = open_memstream(&text, &size);
    if (!out) return NULL;
    char *const *lines = config_lines(config, key, &count);
    for (size_t i = 0; i < count; i++) fprintf(out, "%s%s", i ? "\n" : "", lines[i]);
    config_print_value(out, config, key);
    if (fclose(out) == 0) return text;
    free(text);
    return NULL;
}

static int take_lines(struct config *to, const struct config *from, enum config_key key) {
    size_t count;
    char *const *lines = config_lines(from, key, &count);
    for (size_t i = 0; i < count; i++)
        if (config_set_value(to, key, lines[i])) return VIRGA_NO_MEMORY;
    return VIRGA_OK;
}

int config_take(struct config *to, const struct config *from, enum config_key key) {
    char *value = config_value(from, key);
    if (!value) return VIRGA_NO_MEMORY;
    config_clear_list(to, key);
    int status = config_setting_of(key)->kind == SETTING_LINES ? take_lines(to, from, key) : config_set_value(to, key, value) ? VIRGA_NO_MEMORY : VIRGA_OK;
    free(value);
    memcpy(to->origin[key], from->origin[key], sizeof to->origin[key]);
    return status;
}

int config_copy(struct config *to, const struct config *from) {
    *to = *from;
    to->path_count = to->engine_product_count = 0;
    int status = take_lines(to, from, CONFIG_PATHS);
    return status ? status : take_lines(to, from, CONFIG_ENGINE_PRODUCT);
}
