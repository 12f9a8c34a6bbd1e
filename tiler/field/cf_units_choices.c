// SPDX-License-Identifier: Apache-2.0
// The units that people expect to choose between, each kind's SI unit first.
#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/status.h"
#include "field/cf_units.h"

enum { KINDS = 10 };

// `usual` is what most people read; NULL where that depends on what the variable is.
static const struct kind { const char *names[UNITS_CHOICES_MAX], *usual; } kinds[KINDS] = {
    {{"K", "degC", "degF"}, "degC"},
    {{"m s-1", "kt", "km h-1"}, "m s-1"},
    {{"Pa", "hPa"}, "hPa"},
    {{"kg m-2 s-1", "mm h-1"}, "mm h-1"},
    {{"kg m-2", "mm"}, "mm"},
    {{"m", "km", "ft"}, "m"},
    {{"Pa s-1", "hPa h-1"}, "Pa s-1"},
    {{"kg kg-1", "g kg-1"}, "g kg-1"},
    {{"1", "%"}, "%"},
    {{"degree"}, "degree"},
};

// Millimetres of liquid water, of 1000 kg m-3, and kilograms on a square metre are the same number.
static int convert(const char *from, const char *to, double *scale, double *offset) {
    static const char *const same[][2] = {{"kg m-2 s-1", "mm s-1"}, {"mm s-1", "kg m-2 s-1"}, {"kg m-2", "mm"}, {"mm", "kg m-2"}};
    double in_scale, in_offset, out_scale, out_offset;
    int status = cf_units_convert(from, to, scale, offset);
    for (size_t n = 0; status && n < sizeof same / sizeof *same; n++)
        if (!cf_units_convert(from, same[n][0], &in_scale, &in_offset) && !cf_units_convert(same[n][1], to, &out_scale, &out_offset) && in_offset == 0 && out_offset == 0) {
            *scale = in_scale * out_scale, *offset = 0;
            return VIRGA_OK;
        }
    return status;
}

static bool is_ratio(const char *units) { return strstr(units, "kg") || strstr(units, "g/") || strncmp(units, "g ", 2) == 0; }

// To UDUNITS a share, a mixing ratio and an angle are all plain numbers: the text tells them apart.
static bool of_kind(const char *units, size_t kind) {
    const char *first = kinds[kind].names[0];
    if (!cf_units_convertible(units, first)) return false;
    if (strcmp(first, "kg kg-1") == 0) return is_ratio(units);
    bool angle = strncasecmp(units, "deg", 3) == 0 || strncmp(units, "°", 2) == 0 || strncasecmp(units, "rad", 3) == 0;
    if (strcmp(first, "degree") == 0) return angle;
    if (strcmp(first, "1") == 0) return !angle && !is_ratio(units) && !strstr(units, "mol") && !strstr(units, "m3") && !strcasestr(units, "dbz");
    return true;
}

static const struct kind *kind_of(const char *units) {
    for (size_t k = 0; k < KINDS; k++)
        if (of_kind(units, k)) return &kinds[k];
    return NULL;
}

static const struct kind *kind_named(const char *first) {
    for (size_t k = 0; k < KINDS; k++)
        if (strcmp(kinds[k].names[0], first) == 0) return &kinds[k];
    return NULL;
}

static bool nearly(double a, double b) { return fabs(a - b) <= 1e-9 * fmax(fabs(a), fabs(b)); }

const char *cf_units_canonical(const char *units) {
    const struct kind *kind = kind_of(units);
    double scale, offset;
    for (size_t n = 0; kind && n < UNITS_CHOICES_MAX && kind->names[n]; n++)
        if (!cf_units_convert(units, kind->names[n], &scale, &offset) && nearly(scale, 1) && fabs(offset) < 1e-9) return kind->names[n];
    return !kind || cf_units_convert(units, "mm h-1", &scale, &offset) || !nearly(scale, 1) ? units : "mm h-1";
}

static bool named(const char *standard_name, const char *const *words) {
    for (; *words; words++)
        if (strstr(standard_name, *words)) return true;
    return false;
}

// Nothing but water falls in millimetres a time.
static bool is_bare_rain(const char *units, const char *standard_name) { return !*standard_name && strncmp(units, "mm", 2) == 0; }

// Where a mass of water on the ground is given as its depth, which by its units alone is a height or a speed.
static const struct kind *kind_for(const char *units, const char *standard_name) {
    static const char *const fluxes[] = {"precipitation_flux", "rainfall_flux", "snowfall_flux", NULL};
    static const char *const amounts[] = {"precipitation_amount", "rainfall_amount", "snowfall_amount", NULL};
    const struct kind *kind = kind_of(units);
    if (!kind || strstr(standard_name, "thickness")) return kind;
    if (strcmp(kind->names[0], "m s-1") == 0 && (named(standard_name, fluxes) || is_bare_rain(units, standard_name))) return kind_named("kg m-2 s-1");
    if (strcmp(kind->names[0], "m") == 0 && named(standard_name, amounts)) return kind_named("kg m-2");
    return kind;
}

static bool is_rain_rate(const char *standard_name) {
    static const char *const rates[] = {"rainfall_rate", "precipitation_rate", "snowfall_rate", "lwe_", NULL};
    return named(standard_name, rates);
}

// Where a kind's usual unit is not usual for this variable: its own is.
static const char *usual_unit(const struct kind *kind, const char *own, const char *standard_name) {
    if (strstr(standard_name, "potential_temperature") || (strcmp(kind->names[0], "kg m-2 s-1") == 0 && is_bare_rain(own, standard_name))) return own;
    if (strcmp(kind->names[0], "m s-1") == 0) return is_rain_rate(standard_name) ? "mm h-1" : own;
    if (strcmp(kind->names[0], "m") == 0 || strcmp(kind->names[0], "Pa s-1") == 0) return own;
    return kind->usual;
}

static bool may_choose(const struct kind *kind, const char *standard_name) {
    static const char *const shares[] = {"fraction", "humidity", "probability", "mask", NULL};
    return strcmp(kind->names[0], "1") != 0 || named(standard_name, shares);
}

static void add(struct cf_units_choice *choices, size_t *count, const char *units, const char *name, bool difference) {
    double scale, offset;
    if (*count == UNITS_CHOICES_MAX || convert(units, name, &scale, &offset)) return;
    for (size_t n = 0; n < *count; n++)
        if (strcmp(choices[n].units, name) == 0 || (difference && nearly(choices[n].scale, scale))) return;
    choices[(*count)++] = (struct cf_units_choice){name, scale, difference ? 0 : offset};
}

size_t cf_units_choices(const char *units, const char *standard_name, bool difference, struct cf_units_choice choices[UNITS_CHOICES_MAX]) {
    const struct kind *kind = kind_for(units, standard_name);
    const char *own = cf_units_canonical(units);
    size_t count = 0;
    if (!kind || !may_choose(kind, standard_name)) {
        choices[0] = (struct cf_units_choice){own, 1, 0};
        return 1;
    }
    add(choices, &count, units, difference && strcmp(kind->names[0], "K") == 0 ? own : usual_unit(kind, own, standard_name), difference);
    add(choices, &count, units, own, difference);
    bool rain = strcmp(kind->names[0], "m s-1") == 0 && is_rain_rate(standard_name);
    for (size_t n = 0; n < (rain ? 1 : UNITS_CHOICES_MAX) && kind->names[n]; n++) add(choices, &count, units, kind->names[n], difference);
    if (count > 0) return count;
    choices[0] = (struct cf_units_choice){own, 1, 0};
    return 1;
}

int cf_units_show(const char *units, const char *wanted, bool difference, struct cf_units_choice *choice) {
    double scale, offset;
    int status = VIRGA_OK;
    if (strcmp(units, wanted) == 0) scale = 1, offset = 0;
    else status = convert(units, wanted, &scale, &offset);
    if (!status) *choice = (struct cf_units_choice){wanted, scale, difference ? 0 : offset};
    return status;
}
