// SPDX-License-Identifier: Apache-2.0
#include "field/cf_units.h"

#include <ctype.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <udunits2.h>

#include "base/status.h"

enum { UNITS_MAX_TEXT = 96 };

static pthread_mutex_t units_lock = PTHREAD_MUTEX_INITIALIZER;
static ut_system *units_system;  // guarded by units_lock; lives as long as the process

struct spelling { const char *from, *to; };

// Spellings that mean something else to UDUNITS (mb is a millibarn, C a coulomb), or nothing. In files they mean these.
static const char *alias(const char *text) {
    static const struct spelling exact[] = {
        {"gpm", "m"}, {"gp m", "m"}, {"geopotential meter", "m"}, {"geopotential metre", "m"}, {"gpdm", "dam"}, {"gpdam", "dam"}, {"m of water equivalent", "m"},
        {"kts", "knot"}, {"kt", "knot"}, {"mph", "mile h-1"}, {"mps", "m s-1"}, {"ms-1", "m s-1"}, {"ms^-1", "m s-1"}, {"ms**-1", "m s-1"},
        {"mb", "hPa"}, {"mbar", "hPa"}, {"hpa", "hPa"}, {"hPA", "hPa"}, {"HPA", "hPa"}, {"pa", "Pa"}, {"PA", "Pa"},
        {"degK", "K"}, {"deg K", "K"}, {"degree K", "K"}, {"degrees K", "K"}, {"degrees kelvin", "K"}, {"degrees Kelvin", "K"}, {"k", "K"},
        {"C", "celsius"}, {"degC", "celsius"}, {"deg C", "celsius"}, {"degree C", "celsius"}, {"degrees C", "celsius"}, {"degrees celsius", "celsius"},
        {"degrees Celsius", "celsius"}, {"deg F", "degF"}, {"deg", "degree"}, {"degrees F", "degF"}, {"degrees true", "degree"},
        {"-", "1"}, {"~", "1"}, {"0-1", "1"}, {"0 - 1", "1"}, {"(0-1)", "1"}, {"(0 - 1)", "1"}, {"0/1", "1"}, {"m2/s2", "m2 s-2"},
    };
    static const struct spelling words[] = {  // in any case
        {"fraction", "1"}, {"proportion", "1"}, {"ratio", "1"}, {"numeric", "1"}, {"number", "1"}, {"count", "1"}, {"index", "1"}, {"code", "1"},
        {"none", "1"}, {"unitless", "1"}, {"dimensionless", "1"}, {"non-dimensional", "1"}, {"nondimensional", "1"}, {"non-dim", "1"}, {"boolean", "1"},
        {"flag", "1"}, {"pct", "%"}, {"okta", "0.125"}, {"oktas", "0.125"}, {"octa", "0.125"}, {"octas", "0.125"}, {"gm/kg", "g/kg"}, {"gm kg-1", "g/kg"}, {"dbz", "1"},
    };
    for (size_t i = 0; i < sizeof exact / sizeof *exact; i++)
        if (strcmp(text, exact[i].from) == 0) return exact[i].to;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(text, words[i].from) == 0) return words[i].to;
    return text;
}

// What people write instead of what UDUNITS reads: a minus sign, a degree sign, powers above the line, braces around powers.
static void plain_text(const char *text, char out[UNITS_MAX_TEXT]) {
    static const struct spelling signs[] = {{"\u2212", "-"}, {"\u00b7", "."}, {"\u22c5", "."}, {"\u00b0", "deg"}, {"\u207b", "-"}, {"\u00b9", "1"},
                                                              {"\u00b2", "2"}, {"\u00b3", "3"}, {"\u2074", "4"}, {"{", ""}, {"}", ""}, {"$", ""}, {"[", ""}, {"]", ""}};
    size_t n = 0;
    while (*text && n < UNITS_MAX_TEXT - 4) {
        size_t i = 0, length = 0;
        for (; i < sizeof signs / sizeof *signs; i++)
            if (strncmp(text, signs[i].from, length = strlen(signs[i].from)) == 0) break;
        if (i < sizeof signs / sizeof *signs) n += (size_t)sprintf(out + n, "%s", signs[i].to), text += length;
        else out[n++] = *text++;
    }
    out[n] = 0;
    while (n > 0 && (out[n - 1] == ' ' || out[n - 1] == '\t' || out[n - 1] == '\n')) out[--n] = 0;
    memmove(out, out + strspn(out, " \t\n"), strlen(out + strspn(out, " \t\n")) + 1);
}

// Whether a number in it is zero. No unit is zero of anything, and UDUNITS 2.2.28 loses memory on some such texts ("K/0K").
static bool has_zero(const char *text) {
    for (const char *at = text; *at;) {
        size_t number = strspn(at, "0123456789.");
        bool power = at > text && (isalpha((unsigned char)at[-1]) || strchr("^*%", at[-1]));
        if (number && !power && strspn(at, "0.") == number && memchr(at, '0', number)) return true;
        at += number ? number : 1;
    }
    return false;
}

// Needs units_lock.
static ut_unit *parse(const char *text) {
    char plain[UNITS_MAX_TEXT], copy[UNITS_MAX_TEXT];
    if (!text || strlen(text) >= sizeof copy) return NULL;
    if (strcasestr(text, "since")) return NULL;
    plain_text(text, plain);
    for (const char *c = plain; *c; c++)
        if ((unsigned char)*c < 32 || (unsigned char)*c > 126) return NULL;
    strcpy(copy, alias(plain));
    if (has_zero(copy)) return NULL;
    if (!units_system) {
        ut_set_error_message_handler(ut_ignore);
        units_system = ut_read_xml(NULL);
    }
    return units_system ? ut_parse(units_system, ut_trim(copy, UT_ASCII), UT_ASCII) : NULL;
}

// Needs units_lock.
static int convert(const char *from, const char *to, double *scale, double *offset) {
    int status = VIRGA_INVALID;
    ut_unit *a = parse(from), *b = parse(to);
    cv_converter *converter = NULL;
    if (!a || !b) goto out;
    status = VIRGA_UNSUPPORTED;
    converter = ut_get_converter(a, b);
    if (!converter) goto out;
    double zero = cv_convert_double(converter, 0), one = cv_convert_double(converter, 1),
           thousand = cv_convert_double(converter, 1000);
    double slope = (thousand - zero) / 1000;
    if (!isfinite(zero) || !isfinite(slope) || slope == 0 || fabs(zero + slope - one) > 1e-9 * fabs(slope) + 1e-12 * fabs(zero))
        goto out;
    *scale = slope;
    *offset = zero;
    status = VIRGA_OK;
out:
    if (converter) cv_free(converter);
    if (a) ut_free(a);
    if (b) ut_free(b);
    return status;
}

// The same few are asked about for every map and legend, and parsing them takes a hundred times as long as anything else about it.
static struct known {
    char from[UNITS_MAX_TEXT], to[UNITS_MAX_TEXT];
    bool used;
    int status;
    double scale, offset;
} known[256];  // guarded by units_lock; each in the place that its texts say, instead of what was there

static struct known *place_of(const char *from, const char *to) {
    uint32_t hash = 2166136261u;  // FNV-1a
    for (const char *c = from; *c; c++) hash = (hash ^ (uint8_t)*c) * 16777619u;
    hash *= 16777619u;
    for (const char *c = to; *c; c++) hash = (hash ^ (uint8_t)*c) * 16777619u;
    return &known[(hash ^ hash >> 16) % (sizeof known / sizeof *known)];
}

static void look_up(struct known *place, const char *from, const char *to) {
    if (place->used && !strcmp(place->from, from) && !strcmp(place->to, to)) return;
    *place = (struct known){.used = true};
    memcpy(place->from, from, strlen(from) + 1);
    memcpy(place->to, to, strlen(to) + 1);
    place->status = convert(from, to, &place->scale, &place->offset);
}

int cf_units_convert(const char *from, const char *to, double *scale, double *offset) {
    if (!from || !to || strlen(from) >= UNITS_MAX_TEXT || strlen(to) >= UNITS_MAX_TEXT) return VIRGA_INVALID;
    pthread_mutex_lock(&units_lock);
    struct known *place = place_of(from, to);
    look_up(place, from, to);
    int status = place->status;
    if (!status) {
        *scale = place->scale;
        *offset = place->offset;
    }
    pthread_mutex_unlock(&units_lock);
    return status;
}

bool cf_units_convertible(const char *from, const char *to) {
    double scale, offset;
    return cf_units_convert(from, to, &scale, &offset) == VIRGA_OK;
}

bool cf_units_dimensionless(const char *units) { return cf_units_convertible(units, "1"); }
