// SPDX-License-Identifier: Apache-2.0
// As web/view/units.js: which units a variable's numbers are written in, and how units and variables are called.
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "field/cf_units.h"
#include "render/presets.h"

static const double same = 1e-9;

// Whether a unit is another's number for number; of differences, which have no offset, only the scale counts.
static bool is_unit(const char *units, const char *other, bool difference)
{
    double scale, offset;
    if (strcmp(units, other) == 0)
        return true;
    if (cf_units_convert(units, other, &scale, &offset) != VIRGA_OK)
        return false;
    return fabs(scale - 1) < same && (difference || fabs(offset) < same);
}

static struct cf_units_choice choose(const struct catalog_variable *variable, const char *wanted, bool difference)
{
    struct cf_units_choice choices[UNITS_CHOICES_MAX];
    size_t count = cf_units_choices(variable->units, variable->standard_name, difference, choices);
    for (size_t n = 0; *wanted && n < count; n++)
        if (is_unit(wanted, choices[n].units, difference))
            return choices[n];
    return choices[0];
}

// Copies whole characters, as many as there is room for.
static void copy(char *out, size_t room, const char *text)
{
    size_t used = 0;
    for (size_t n = utf8_length(text); *text && n > 0 && used + n < room; n = utf8_length(text)) {
        memcpy(out + used, text, n);
        used += n;
        text += n;
    }
    out[used] = '\0';
}

// Numbers that follow a letter are powers: "m s-1", "m s**-1" and "m s^-1" are m s⁻¹.
static const char *power(const char *text, const char *start)
{
    if (text == start || !isalpha((unsigned char)text[-1]))
        return NULL;
    text += strncmp(text, "**", 2) == 0 ? 2 : *text == '^';
    const char *number = text;
    text += *text == '-';
    return isdigit((unsigned char)*text) ? number : NULL;
}

static const char *raised(char c)
{
    static const char *const signs[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
    return c == '-' ? "⁻" : signs[c - '0'];
}

static void write_label(const char *units, char label[VIEW_UNITS_TEXT])
{
    static const struct { const char *units, *label; } known[] = {
        {"degC", "°C"}, {"degF", "°F"}, {"m s-1", "m/s"}, {"km h-1", "km/h"}, {"kg kg-1", "kg/kg"}, {"g kg-1", "g/kg"}, {"mm h-1", "mm/h"},
        {"degree", "°"}, {"1", ""}};
    char text[4 * VIEW_UNITS_TEXT];
    size_t used = 0;
    for (size_t n = 0; n < sizeof known / sizeof *known; n++)
        if (strcmp(units, known[n].units) == 0) {
            strcpy(label, known[n].label);
            return;
        }
    for (const char *at = units; *at && used < sizeof text - 8;) {
        const char *number = power(at, units);
        if (!number) {
            text[used++] = *at++;
            continue;
        }
        for (at = number; (at == number && *at == '-') || (isdigit((unsigned char)*at) && used < sizeof text - 8); at++)
            used += (size_t)sprintf(text + used, "%s", raised(*at));
    }
    text[used] = '\0';
    copy(label, VIEW_UNITS_TEXT, text);
}

bool presets_convert(const struct catalog_variable *from, const struct catalog_variable *to, double *scale, double *offset)
{
    const char *own = cf_units_canonical(from->units), *other = cf_units_canonical(to->units);
    *scale = 1;
    *offset = 0;
    if (strcmp(own, other) == 0)
        return true;
    int status = cf_units_convert(own, other, scale, offset);
    if (catalog_is_difference(from))
        *offset = 0;
    return status == VIRGA_OK && *scale > 0;
}

void presets_units(const struct catalog_variable *variable, const char *wanted, bool difference, struct preset_units *units)
{
    struct cf_units_choice choice = choose(variable, wanted, difference || catalog_is_difference(variable));
    copy(units->units, sizeof units->units, choice.units);
    write_label(cf_units_canonical(choice.units), units->label);
    units->scale = choice.scale;
    units->offset = choice.offset;
}

// What is made of all members is called what is before the last comma, and what it is.
static void write_statistic(const char *long_name, const char *statistic, char *text, size_t room)
{
    const char *comma = strrchr(long_name, ',');
    size_t length = comma && comma[1] == ' ' ? (size_t)(comma - long_name) : strlen(long_name);
    snprintf(text, room, "%.*s, %s", (int)(length < room ? length : room), long_name, statistic);
}

static void write_words(const char *name, char *text, size_t room)
{
    snprintf(text, room, "%s", name);
    for (char *c = text; *c; c++)
        if (*c == '_')
            *c = ' ';
}

void presets_title(const struct catalog_variable *variable, char title[PRESET_TITLE_TEXT])
{
    const char *statistic = catalog_statistic(variable);
    char text[2 * PRESET_TITLE_TEXT];
    bool derived = catalog_is_derived(variable) && *variable->standard_name;  // its long name tells where from, and is too long
    if (statistic && *variable->long_name)
        write_statistic(variable->long_name, statistic, text, sizeof text);
    else if (!derived && *variable->long_name)
        snprintf(text, sizeof text, "%s", variable->long_name);
    else if (*variable->standard_name)
        write_words(variable->standard_name, text, sizeof text);
    else
        snprintf(text, sizeof text, "%s", *variable->name ? variable->name : variable->id);
    copy(title, PRESET_TITLE_TEXT, text);
    if (islower((unsigned char)*title))
        *title = (char)toupper((unsigned char)*title);
}
