// SPDX-License-Identifier: Apache-2.0
#include "tile/surface.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "field/standard_atmosphere.h"

enum { NUMBER_LETTERS = 24 };
static const double foot = 0.3048;

// What a kind is called, how its numbers are written, and within which limits they are.
static const struct kind {
    const char *name, *units, *word;  // word: the whole text, of kinds without a number
    double to_value;                  // the kind's value for 1 of units
    double least, most;               // of the value
} kinds[SURFACE_KINDS] = {
    [SURFACE_OWN] = {"", "", "", 1, 0, 0},
    [SURFACE_LEVEL] = {"model-level", "1", NULL, 1, 0, 9999},
    [SURFACE_HEIGHT] = {"height", "m", NULL, 1, -1000, 150000},
    [SURFACE_ABOVE_GROUND] = {"height-above-ground", "m", NULL, 1, 0, 150000},
    [SURFACE_PRESSURE] = {"pressure", "hPa", NULL, 100, 0.001, 200000},
    [SURFACE_FLIGHT_LEVEL] = {"flight-level", "FL", NULL, 1, 0, 2000},
    [SURFACE_THETA] = {"potential-temperature", "K", NULL, 1, 50, 10000},
    [SURFACE_MAXIMUM] = {"maximum", "", "max", 1, 0, 0},
    [SURFACE_SUM] = {"sum", "", "sum", 1, 0, 0},
    [SURFACE_TOP] = {"top", "", "top", 1, -1e30, 1e30},
    [SURFACE_BASE] = {"base", "", "base", 1, -1e30, 1e30},
};

static const char HOW[] = "say 850hPa, 1500m, 100m-above-ground, FL100, 300K, k5, max, sum, top or base";

static bool has_threshold(enum surface_kind kind) { return kind == SURFACE_TOP || kind == SURFACE_BASE; }
static bool has_number(enum surface_kind kind) { return kinds[kind].units[0] != '\0'; }

// --- Texts.

// A decimal number at the start of a short text; *end is behind it. NaN where there is none, so that "inf", "nan" and "0x1" are no numbers.
static double number_at(const char *text, const char **end) {
    const size_t length = strspn(text, "+-.0123456789eE");
    char copy[NUMBER_LETTERS + 1], *stop;
    *end = text;
    if (length == 0 || length > NUMBER_LETTERS) return NAN;
    memcpy(copy, text, length);
    copy[length] = '\0';
    const double number = strtod(copy, &stop);
    *end = text + (stop - copy);
    return stop == copy || !isfinite(number) ? NAN : number;
}

// Two numbers that are written alike are the same.
static double as_written(double number) {
    char text[NUMBER_LETTERS + 8];
    snprintf(text, sizeof text, "%.9g", number);
    return strtod(text, NULL) + 0.0;  // no negative zero
}

int surface_of_number(enum surface_kind kind, double number, struct surface *surface, struct failure *failure) {
    const struct kind *k = &kinds[kind];
    const double value = as_written(number) * k->to_value;
    if (!has_number(kind) || !(value >= k->least && value <= k->most))
        return failure_set(failure, VIRGA_INVALID, "no surface is at %.9g %s: from %.9g to %.9g there may be", number, k->units, k->least / k->to_value,
                           k->most / k->to_value);
    if (kind == SURFACE_LEVEL && value != floor(value)) return failure_set(failure, VIRGA_INVALID, "model levels have whole numbers, from k0 at the bottom");
    *surface = (struct surface){kind, value};
    return VIRGA_OK;
}

static int parse_suffixed(const char *text, struct surface *surface, struct failure *failure) {
    static const struct { const char *suffix; enum surface_kind kind; double scale; } suffixes[] = {
        {"hPa", SURFACE_PRESSURE, 1},         {"Pa", SURFACE_PRESSURE, 0.01}, {"m-above-ground", SURFACE_ABOVE_GROUND, 1},
        {"m", SURFACE_HEIGHT, 1},             {"km", SURFACE_HEIGHT, 1000},   {"K", SURFACE_THETA, 1},
        {"km-above-ground", SURFACE_ABOVE_GROUND, 1000},
    };
    const char *end;
    const double number = number_at(text, &end);
    for (size_t n = 0; !isnan(number) && n < sizeof suffixes / sizeof *suffixes; n++)
        if (strcmp(end, suffixes[n].suffix) == 0) return surface_of_number(suffixes[n].kind, number * suffixes[n].scale, surface, failure);
    return failure_set(failure, VIRGA_INVALID, "\"%.40s\" is no level: %s", text, HOW);
}

static int parse_threshold(const char *text, enum surface_kind kind, struct surface *surface, struct failure *failure) {
    const char *end = text;
    const double number = *text == ':' ? number_at(text + 1, &end) : NAN;
    if (*text && (isnan(number) || *end)) return failure_set(failure, VIRGA_INVALID, "\":%.40s\" is no threshold: say %s:0.5", text + 1, kinds[kind].word);
    if (*text && !(fabs(number) <= kinds[kind].most)) return failure_set(failure, VIRGA_INVALID, "the threshold %g is too large", number);
    *surface = (struct surface){kind, *text ? as_written(number) : NAN};
    return VIRGA_OK;
}

int surface_parse(const char *text, struct surface *surface, struct failure *failure) {
    *surface = (struct surface){SURFACE_OWN, 0};
    if (!text || !*text) return VIRGA_OK;
    for (enum surface_kind kind = SURFACE_MAXIMUM; kind < SURFACE_KINDS; kind++) {
        const size_t length = strlen(kinds[kind].word);
        if (strncmp(text, kinds[kind].word, length) != 0) continue;
        if (has_threshold(kind) && (!text[length] || text[length] == ':')) return parse_threshold(text + length, kind, surface, failure);
        if (!text[length]) return surface->kind = kind, VIRGA_OK;
    }
    const bool level = *text == 'k', flight = text[0] == 'F' && text[1] == 'L';
    if (!level && !flight) return parse_suffixed(text, surface, failure);
    const char *end, *digits = text + (level ? 1 : 2);
    const double number = number_at(digits, &end);
    if (isnan(number) || *end || !isdigit((unsigned char)*digits)) return failure_set(failure, VIRGA_INVALID, "\"%.40s\" is no level: %s", text, HOW);
    return surface_of_number(level ? SURFACE_LEVEL : SURFACE_FLIGHT_LEVEL, number, surface, failure);
}

void surface_write(const struct surface *s, char text[SURFACE_TEXT]) {
    switch (s->kind) {
        case SURFACE_LEVEL: snprintf(text, SURFACE_TEXT, "k%.0f", s->value); return;
        case SURFACE_HEIGHT: snprintf(text, SURFACE_TEXT, "%.9gm", s->value); return;
        case SURFACE_ABOVE_GROUND: snprintf(text, SURFACE_TEXT, "%.9gm-above-ground", s->value); return;
        case SURFACE_PRESSURE: snprintf(text, SURFACE_TEXT, "%.9ghPa", s->value / 100); return;
        case SURFACE_FLIGHT_LEVEL: snprintf(text, SURFACE_TEXT, "FL%.9g", s->value); return;
        case SURFACE_THETA: snprintf(text, SURFACE_TEXT, "%.9gK", s->value); return;
        case SURFACE_TOP:
        case SURFACE_BASE:
            if (!isnan(s->value)) {
                snprintf(text, SURFACE_TEXT, "%s:%.9g", kinds[s->kind].word, s->value);
                return;
            }
            break;
        case SURFACE_OWN:
        case SURFACE_MAXIMUM:
        case SURFACE_SUM:
        case SURFACE_KINDS: break;
    }
    snprintf(text, SURFACE_TEXT, "%s", s->kind < SURFACE_KINDS ? kinds[s->kind].word : "");
}

void surface_title(const struct surface *s, char title[SURFACE_TITLE]) {
    const bool said = !isnan(s->value);
    switch (s->kind) {
        case SURFACE_OWN:
        case SURFACE_KINDS: title[0] = '\0'; break;
        case SURFACE_LEVEL: snprintf(title, SURFACE_TITLE, "model level %.0f", s->value); break;
        case SURFACE_HEIGHT: snprintf(title, SURFACE_TITLE, "%.9g m", s->value); break;
        case SURFACE_ABOVE_GROUND: snprintf(title, SURFACE_TITLE, "%.9g m above ground", s->value); break;
        case SURFACE_PRESSURE: snprintf(title, SURFACE_TITLE, "%.9g hPa", s->value / 100); break;
        case SURFACE_FLIGHT_LEVEL: snprintf(title, SURFACE_TITLE, "FL%03.9g", s->value); break;
        case SURFACE_THETA: snprintf(title, SURFACE_TITLE, "θ = %.9g K", s->value); break;
        case SURFACE_MAXIMUM: snprintf(title, SURFACE_TITLE, "column maximum"); break;
        case SURFACE_SUM: snprintf(title, SURFACE_TITLE, "sum over the column's levels"); break;
        case SURFACE_TOP:
        case SURFACE_BASE: {
            const char *which = s->kind == SURFACE_TOP ? "height of the top" : "height of the base";
            if (said) snprintf(title, SURFACE_TITLE, "%s (≥ %.9g)", which, s->value);
            else snprintf(title, SURFACE_TITLE, "%s", which);
        }
    }
}

// --- Kinds.

const char *surface_kind_name(enum surface_kind kind) { return kinds[kind].name; }
const char *surface_kind_units(enum surface_kind kind) { return kinds[kind].units; }

int surface_kind_named(const char *name) {
    for (int kind = SURFACE_LEVEL; kind < SURFACE_KINDS; kind++)
        if (strcmp(name, kinds[kind].name) == 0) return kind;
    return -1;
}

double surface_number(const struct surface *surface) { return has_number(surface->kind) ? surface->value / kinds[surface->kind].to_value : NAN; }
bool surface_gives_heights(const struct surface *surface) { return has_threshold(surface->kind); }

double surface_pressure(const struct surface *surface) {
    if (surface->kind == SURFACE_PRESSURE) return surface->value;
    return surface->kind == SURFACE_FLIGHT_LEVEL ? standard_atmosphere_pressure(surface->value * 100 * foot) : NAN;
}

double surface_threshold(const struct surface *surface, const char *units, const char *standard_name) {
    if (!has_threshold(surface->kind) || !isnan(surface->value)) return surface->value;
    if (strcmp(units, "%") == 0) return 50;
    if (strncmp(units, "kg kg", 5) == 0 || strncmp(units, "kg/kg", 5) == 0) return 1e-5;
    const bool fraction = strstr(standard_name, "fraction") && !strstr(standard_name, "mass_fraction");
    if (strstr(standard_name, "mass_fraction")) return 1e-5;
    return fraction && (strcmp(units, "1") == 0 || !*units) ? 0.5 : NAN;
}
