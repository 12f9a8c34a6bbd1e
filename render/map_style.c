// SPDX-License-Identifier: Apache-2.0
#include "render/map_style.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "render/colour_map.h"

enum { NUMBER_TEXT = 32, VALUE_TEXT = 80 };

const struct map_style map_style_default = {.draw = MAP_FILL, .opacity = 1};

static const char *const draw_names[] = {[MAP_FILL] = "fill", [MAP_CONTOURS] = "contours", [MAP_FILL_CONTOURS] = "fill-contours",
                                         [MAP_BARBS] = "barbs", [MAP_ARROWS] = "arrows", [MAP_VALUES] = "values"};
static const char inverted_suffix[] = "-inv";

bool map_style_fills(const struct map_style *style) { return style->draw == MAP_FILL || style->draw == MAP_FILL_CONTOURS; }
bool map_style_has_lines(const struct map_style *style) { return style->draw == MAP_CONTOURS || style->draw == MAP_FILL_CONTOURS; }
bool map_style_is_wind(const struct map_style *style) { return style->draw == MAP_BARBS || style->draw == MAP_ARROWS; }

// --- values of options ---------------------------------------------------------------------------------------------------

// What a client wrote, short enough for a message and without what could disturb it.
static const char *quoted(const char *text, char out[VALUE_TEXT]) {
    size_t n = 0;
    for (; text[n] && n < VALUE_TEXT - 4; n++) out[n] = (unsigned char)text[n] < ' ' || (unsigned char)text[n] > '~' ? '?' : text[n];
    strcpy(out + n, text[n] ? "..." : "");
    return out;
}

// A finite number that ends at one of `ends` (or the text's end); where it ends, or NULL. No spaces, no hexadecimal.
static const char *read_number(const char *text, const char *ends, double *number) {
    const size_t length = strspn(text, "0123456789+-.eE");
    char plain[NUMBER_TEXT], *end;
    if (length == 0 || length >= sizeof plain || (text[length] && !strchr(ends, text[length]))) return NULL;
    memcpy(plain, text, length);
    plain[length] = '\0';
    *number = strtod(plain, &end);
    if (*number == 0) *number = 0;  // not −0
    return *end || !isfinite(*number) ? NULL : text + length;
}

static bool read_range(const char *value, struct map_style *style) {
    if (strcmp(value, "auto") == 0) {
        style->range_kind = MAP_RANGE_FIELD;
        style->range[0] = style->range[1] = 0;
        return true;
    }
    double low, high;
    const char *comma = read_number(value, ",", &low);
    if (!comma || *comma != ',' || !read_number(comma + 1, "", &high) || !(low < high)) return false;
    style->range_kind = MAP_RANGE_SAID;
    style->range[0] = low;
    style->range[1] = high;
    return true;
}

static bool read_share(const char *value, double *share) { return read_number(value, "", share) && *share >= 0 && *share <= 1; }

static bool read_interval(const char *value, double *interval) { return read_number(value, "", interval) && *interval > 0; }

static bool read_bands(const char *value, unsigned *bands) {
    double number;
    if (strspn(value, "0123456789") != strlen(value) || !read_number(value, "", &number)) return false;
    *bands = number >= 2 && number <= MAP_STYLE_BANDS_MAX ? (unsigned)number : 0;
    return *bands > 0;
}

static bool read_switch(const char *value, bool *on) {
    *on = !*value || strcmp(value, "true") == 0;
    return *on || strcmp(value, "false") == 0;
}

static bool read_rgb(const char *value, uint8_t rgb[3]) {
    if (strlen(value) != 6 || strspn(value, "0123456789abcdefABCDEF") != 6) return false;
    const unsigned long word = strtoul(value, NULL, 16);
    for (int c = 0; c < 3; c++) rgb[c] = (uint8_t)(word >> (16 - 8 * c));
    return true;
}

static bool read_beyond(const char *value, struct map_beyond *beyond) {
    *beyond = (struct map_beyond){.kind = MAP_EXTEND};
    if (strcmp(value, "extend") == 0) return true;
    beyond->kind = strcmp(value, "transparent") == 0 ? MAP_TRANSPARENT : MAP_COLOUR;
    return beyond->kind == MAP_TRANSPARENT || read_rgb(value, beyond->rgb);
}

static bool set_range(struct map_style *style, const char *value) { return read_range(value, style); }
static bool set_bands(struct map_style *style, const char *value) { return read_bands(value, &style->bands); }
static bool set_log(struct map_style *style, const char *value) { return read_switch(value, &style->log_scale); }
static bool set_below(struct map_style *style, const char *value) { return read_beyond(value, &style->below); }
static bool set_above(struct map_style *style, const char *value) { return read_beyond(value, &style->above); }
static bool set_opacity(struct map_style *style, const char *value) { return read_share(value, &style->opacity); }
static bool set_interval(struct map_style *style, const char *value) { return read_interval(value, &style->interval); }
static bool set_ink(struct map_style *style, const char *value) { return style->has_ink = read_rgb(value, style->ink); }

static bool set_fade(struct map_style *style, const char *value) {
    bool on;
    if (!read_switch(value, &on)) return false;
    style->fade = on ? MAP_FADE_ON : MAP_FADE_OFF;
    return true;
}

static const struct option {
    const char *name, *wanted;
    bool (*set)(struct map_style *style, const char *value);
} options[] = {
    {"range", "two rising numbers with a comma between them, in the variable's own units, or auto", set_range},
    {"bands", "a whole number from 2 to 253", set_bands},
    {"log", "true or false", set_log},
    {"below", "extend, transparent or a colour of six hexadecimal digits", set_below},
    {"above", "extend, transparent or a colour of six hexadecimal digits", set_above},
    {"fade", "true or false", set_fade},
    {"opacity", "a number from 0 to 1", set_opacity},
    {"interval", "a number above 0, in the variable's own units", set_interval},
    {"ink", "a colour of six hexadecimal digits", set_ink},
};

int map_style_set(struct map_style *style, const char *option, const char *value, struct failure *failure) {
    char text[VALUE_TEXT];
    for (size_t n = 0; n < sizeof options / sizeof *options; n++) {
        if (strcmp(options[n].name, option) != 0) continue;
        if (options[n].set(style, value)) return VIRGA_OK;
        return failure_set(failure, VIRGA_INVALID, "%s is \"%s\"; it must be %s", option, quoted(value, text), options[n].wanted);
    }
    return failure_set(failure, VIRGA_INVALID, "a style has no option \"%s\"; there are range, bands, log, below, above, fade, opacity, interval and ink",
                       quoted(option, text));
}

// --- texts -----------------------------------------------------------------------------------------------------------------

// "" stands for no colour map.
static int read_colour_map(const char *name, struct map_style *style, struct failure *failure) {
    char plain[MAP_STYLE_COLOUR_MAP], text[VALUE_TEXT];
    const size_t suffix = sizeof inverted_suffix - 1, length = strlen(name);
    snprintf(plain, sizeof plain, "%s", name);
    style->inverted = length < sizeof plain && length > suffix && strcmp(plain + length - suffix, inverted_suffix) == 0;
    if (style->inverted) plain[length - suffix] = '\0';
    if (length >= sizeof plain || !colour_map_find(plain))
        return failure_set(failure, VIRGA_INVALID, "there is no colour map \"%s\"; the legend and the capabilities name those there are", quoted(name, text));
    strcpy(style->colour_map, plain);
    return VIRGA_OK;
}

static int read_head(char *head, struct map_style *style, struct failure *failure) {
    char *slash = strchr(head, '/'), text[VALUE_TEXT];
    if (slash) *slash++ = '\0';
    for (size_t n = 0; n < sizeof draw_names / sizeof *draw_names; n++) {
        if (*head && strcmp(head, draw_names[n]) != 0) continue;
        style->draw = (enum map_draw)n;
        return slash ? read_colour_map(slash, style, failure) : VIRGA_OK;
    }
    return failure_set(failure, VIRGA_INVALID, "there is no style \"%s\"; there are fill, contours, fill-contours, barbs, arrows and values", quoted(head, text));
}

int map_style_parse(const char *text, struct map_style *style, struct failure *failure) {
    char copy[MAP_STYLE_TEXT], *rest = copy;
    *style = map_style_default;
    if (strlen(text) >= sizeof copy) return failure_set(failure, VIRGA_INVALID, "the style is longer than %d characters", MAP_STYLE_TEXT - 1);
    strcpy(copy, text);
    int status = read_head(strsep(&rest, ";"), style, failure);
    while (!status && rest) {
        char *option = strsep(&rest, ";"), *equals = strchr(option, '=');
        if (equals) *equals++ = '\0';
        status = map_style_set(style, option, equals ? equals : "", failure);
    }
    return status;
}

struct writer { char *text; size_t used; };

static void append(struct writer *writer, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void append(struct writer *writer, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const int n = vsnprintf(writer->text + writer->used, MAP_STYLE_TEXT - writer->used, format, arguments);
    va_end(arguments);
    if (n > 0) writer->used += (size_t)n;
    if (writer->used >= MAP_STYLE_TEXT) writer->used = MAP_STYLE_TEXT - 1;
}

// The shortest text that is this number.
static const char *number_text(double number, char text[NUMBER_TEXT]) {
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, NUMBER_TEXT, "%.*g", digits, number);
        if (strtod(text, NULL) == number) break;
    }
    return text;
}

static void write_beyond(struct writer *writer, const char *name, const struct map_beyond *beyond) {
    if (beyond->kind == MAP_TRANSPARENT) append(writer, ";%s=transparent", name);
    if (beyond->kind == MAP_COLOUR) append(writer, ";%s=%02x%02x%02x", name, beyond->rgb[0], beyond->rgb[1], beyond->rgb[2]);
}

void map_style_write(const struct map_style *style, char text[MAP_STYLE_TEXT]) {
    struct writer writer = {text, 0};
    char a[NUMBER_TEXT], b[NUMBER_TEXT];
    append(&writer, "%s", draw_names[style->draw]);
    if (*style->colour_map) append(&writer, "/%s%s", style->colour_map, style->inverted ? inverted_suffix : "");
    if (style->range_kind == MAP_RANGE_FIELD) append(&writer, ";range=auto");
    if (style->range_kind == MAP_RANGE_SAID) append(&writer, ";range=%s,%s", number_text(style->range[0], a), number_text(style->range[1], b));
    if (style->bands) append(&writer, ";bands=%u", style->bands);
    if (style->log_scale) append(&writer, ";log");
    write_beyond(&writer, "below", &style->below);
    write_beyond(&writer, "above", &style->above);
    if (style->fade != MAP_FADE_PRESET) append(&writer, style->fade == MAP_FADE_ON ? ";fade" : ";fade=false");
    if (style->opacity != 1) append(&writer, ";opacity=%s", number_text(style->opacity, a));
    if (style->interval > 0) append(&writer, ";interval=%s", number_text(style->interval, a));
    if (style->has_ink) append(&writer, ";ink=%02x%02x%02x", style->ink[0], style->ink[1], style->ink[2]);
}
