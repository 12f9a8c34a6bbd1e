// SPDX-License-Identifier: Apache-2.0
#include "server/map_query.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const option_names[MAP_ASK_OPTIONS] = {"range", "bands", "log", "below", "above", "opacity", "interval", "ink"};

#define TEXT(name) {#name, offsetof(struct map_query, name), sizeof ((struct map_query *)0)->name}
static const struct { const char *key; size_t offset, room; } texts[] = {
    TEXT(run), TEXT(time), TEXT(member), TEXT(level), TEXT(edition), TEXT(style), TEXT(tms), TEXT(size), TEXT(scale), TEXT(format), TEXT(transparent), TEXT(background), TEXT(quality),
    TEXT(width), TEXT(height), TEXT(horizontal), TEXT(bar), TEXT(dataset), TEXT(variable)};
#undef TEXT

// Where the text of a key goes; NULL for others.
static char *place_of(struct map_query *query, const char *key, size_t length, size_t *room) {
    for (size_t n = 0; n < sizeof texts / sizeof *texts; n++) {
        if (strncmp(texts[n].key, key, length) || texts[n].key[length]) continue;
        *room = texts[n].room;
        return (char *)query + texts[n].offset;
    }
    *room = MAP_QUERY_TEXT;
    for (size_t n = 0; n < MAP_ASK_OPTIONS; n++)
        if (!strncmp(option_names[n], key, length) && !option_names[n][length]) return query->options[n];
    return NULL;
}

int map_query_add(struct map_query *query, const char *part, struct failure *failure) {
    const size_t length = strcspn(part, "=");
    const char *value = part + length + (part[length] == '=');
    size_t room;
    char *place = length ? place_of(query, part, length, &room) : NULL;
    if (!place || *place) return VIRGA_OK;
    if (strlen(value) >= room) return failure_set(failure, VIRGA_INVALID, "%.*s: the text is too long", (int)length, part);
    memcpy(place, value, strlen(value) + 1);
    return VIRGA_OK;
}

void map_query_ask(const struct map_query *query, struct map_ask *ask) {
    const bool values = !strcmp(query->format, "values");
    *ask = (struct map_ask){.run = query->run, .time = query->time, .member = query->member, .level = query->level, .style = values ? "values" : query->style, .edition = query->edition};
    for (size_t n = 0; n < MAP_ASK_OPTIONS; n++) {
        ask->options[n].option = option_names[n];
        ask->options[n].value = query->options[n];
    }
}

// --- Values.

int map_query_number(const char *key, const char *text, double low, double high, double *value, struct failure *failure) {
    char *end = NULL;
    if (!*text) return VIRGA_OK;
    double number = strspn(text, "0123456789.") == strlen(text) ? strtod(text, &end) : low - 1;
    if (!end || *end || !(number >= low && number <= high)) return failure_set(failure, VIRGA_INVALID, "%s = \"%.40s\" must be a number from %g to %g", key, text, low, high);
    *value = number;
    return VIRGA_OK;
}

int map_query_flag(const char *key, const char *text, bool *value, struct failure *failure) {
    if (!*text) return VIRGA_OK;
    const bool yes = !strcasecmp(text, "true") || !strcmp(text, "1");
    if (!yes && strcasecmp(text, "false") && strcmp(text, "0")) return failure_set(failure, VIRGA_INVALID, "%s = \"%.40s\" must be true or false", key, text);
    *value = yes;
    return VIRGA_OK;
}

int map_query_colour(const char *key, const char *text, uint8_t rgb[3], struct failure *failure) {
    if (!*text) return VIRGA_OK;
    const char *digits = !strncasecmp(text, "0x", 2) ? text + 2 : *text == '#' ? text + 1 : text;
    if (strlen(digits) != 6 || strspn(digits, "0123456789abcdefABCDEF") != 6) return failure_set(failure, VIRGA_INVALID, "%s = \"%.40s\" must be six hexadecimal digits, RRGGBB", key, text);
    const unsigned long number = strtoul(digits, NULL, 16);
    for (int n = 0; n < 3; n++) rgb[n] = (uint8_t)(number >> (16 - 8 * n));
    return VIRGA_OK;
}

// --- Writing.

// A ';' is escaped, too: it parts queries for some who read them.
static void put(FILE *out, const char *key, const char *value) {
    if (!*value) return;
    fprintf(out, "%s%s=", ftell(out) > 0 ? "&" : "", key);
    for (const char *c = value; *c; c++) {
        if (isalnum((unsigned char)*c) || strchr("-._~,:/", *c)) fputc(*c, out);
        else fprintf(out, "%%%02X", (unsigned char)*c);
    }
}

char *map_query_of_layer(const struct map_layer *layer, bool says_member) {
    char level[SURFACE_TEXT], style[MAP_STYLE_TEXT], *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out) return NULL;
    surface_write(&layer->surface, level);
    map_style_write(&layer->style, style);
    put(out, "run", map_layer_run(layer)->iso);
    put(out, "time", map_layer_time(layer)->iso);
    put(out, "member", says_member ? map_layer_variable(layer)->members[layer->field.member] : "");
    put(out, "level", level);
    put(out, "style", style);
    put(out, "edition", layer->edition);
    if (fclose(out) == 0) return text;
    free(text);
    return NULL;
}
