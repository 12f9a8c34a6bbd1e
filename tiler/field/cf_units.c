// SPDX-License-Identifier: Apache-2.0
#include "field/cf_units.h"

#include <math.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>
#include <udunits2.h>

#include "base/status.h"

enum { UNITS_MAX_TEXT = 96 };

static pthread_mutex_t units_lock = PTHREAD_MUTEX_INITIALIZER;
static ut_system *units_system;  // guarded by units_lock; lives as long as the process

static const char *alias(const char *text) {
    static const struct { const char *from, *to; } table[] = {
        {"gpm", "m"}, {"geopotential meter", "m"}, {"geopotential metre", "m"}, {"kts", "knot"}, {"kt", "knot"},
        {"mb", "hPa"}, {"mbar", "hPa"}, {"degK", "K"}, {"degC", "celsius"}, {"(0 - 1)", "1"}, {"fraction", "1"},
        {"m2/s2", "m2 s-2"}, {"dbz", "1"}, {"dBZ", "1"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(text, table[i].from) == 0) return table[i].to;
    return text;
}

// Needs units_lock.
static ut_unit *parse(const char *text) {
    char copy[UNITS_MAX_TEXT];
    if (!text || strlen(text) >= sizeof copy) return NULL;
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < 32 || (unsigned char)*c > 126) return NULL;
    if (strcasestr(text, "since")) return NULL;
    strcpy(copy, alias(text));
    if (!units_system) {
        ut_set_error_message_handler(ut_ignore);
        units_system = ut_read_xml(NULL);
    }
    return units_system ? ut_parse(units_system, ut_trim(copy, UT_ASCII), UT_ASCII) : NULL;
}

int cf_units_convert(const char *from, const char *to, double *scale, double *offset) {
    int status = VIRGA_INVALID;
    pthread_mutex_lock(&units_lock);
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
    pthread_mutex_unlock(&units_lock);
    return status;
}

bool cf_units_convertible(const char *from, const char *to) {
    double scale, offset;
    return cf_units_convert(from, to, &scale, &offset) == VIRGA_OK;
}

bool cf_units_dimensionless(const char *units) { return cf_units_convertible(units, "1"); }
