// SPDX-License-Identifier: Apache-2.0
// How a field is drawn on a map, as a text that stands in URLs: "fill/thermal;range=210,310;bands=20". Pure, any thread.
//
// A style text is WHAT[/COLOUR_MAP[-inv]][;OPTION=VALUE …]: WHAT one of
//   fill            colours
//   contours        lines of equal value, labelled
//   fill-contours   both
//   barbs, arrows   wind, of a field and its partner (map_wind.h); with a colour map they are coloured by speed
//   values          the numbers themselves, for clients that colour by themselves (map_picture.h)
// and OPTION one of
//   range=LOW,HIGH  of the colour map, in the variable's own units; or `range=auto`: what there is of the field at that time
//   bands=N         so many colours, 2 to 253
//   log             the colour map is even in the logarithm of the value; range must be above 0 (`log=true`, `log=false` too)
//   below=, above=  what is beyond the range: `extend` (the end's own colour, as without), `transparent`, or RRGGBB
//   fade            what there is little of lets the map below through, as the preset's opacities have it (rain, clouds: so without a
//                   colour map of its own; `fade=true`, `fade=false` too)
//   opacity=0.8     of the whole layer, 0 to 1
//   interval=400    between contours, in the variable's own units
//   ink=RRGGBB      of lines and symbols
// Options stand in any order; the last of two counts.
#ifndef VIRGA_RENDER_MAP_STYLE_H
#define VIRGA_RENDER_MAP_STYLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "field/catalog.h"
#include "render/view.h"

enum { MAP_STYLE_COLOUR_MAP = 64, MAP_STYLE_TEXT = 400, MAP_STYLE_BANDS_MAX = 253 };

enum map_draw { MAP_FILL, MAP_CONTOURS, MAP_FILL_CONTOURS, MAP_BARBS, MAP_ARROWS, MAP_VALUES };
enum map_range { MAP_RANGE_PRESET, MAP_RANGE_SAID, MAP_RANGE_FIELD };
enum map_fade { MAP_FADE_PRESET, MAP_FADE_ON, MAP_FADE_OFF };
enum map_beyond_kind { MAP_EXTEND, MAP_TRANSPARENT, MAP_COLOUR };

struct map_beyond {
    enum map_beyond_kind kind;
    uint8_t rgb[3];  // MAP_COLOUR
};

struct map_style {
    enum map_draw draw;
    char colour_map[MAP_STYLE_COLOUR_MAP];  // "": the preset's (fill), or none (lines and symbols)
    bool inverted;                          // the colour map from its other end
    enum map_range range_kind;
    double range[2];  // rising, in the variable's own units; in force where range_kind is MAP_RANGE_SAID
    unsigned bands;   // 0: as many colours as there are
    bool log_scale;
    struct map_beyond below, above;
    enum map_fade fade;
    double opacity;
    double interval;  // 0: a usual one for the variable
    bool has_ink;
    uint8_t ink[3];
    // Of a complete style (map_style_complete) that fades: value, opacity 0 to 1; linear between, held beyond. 0: opaque.
    size_t alpha_count;
    double alpha[VIEW_OPACITY_MAX][2];
};

extern const struct map_style map_style_default;  // "fill"

// A style's text; "" is the default's. VIRGA_OK or VIRGA_INVALID: the message says what is wrong and what may stand there; *style is
// undefined then.
int map_style_parse(const char *text, struct map_style *style, struct failure *failure);
// One option of a style that has been parsed, for protocols that have them as parameters of their own. As above; an unknown option is
// VIRGA_INVALID, too.
int map_style_set(struct map_style *style, const char *option, const char *value, struct failure *failure);
// The one text of a style: map_style_parse takes it, and two styles have the same if and only if they are the same.
void map_style_write(const struct map_style *style, char text[MAP_STYLE_TEXT]);

// What a style leaves open for a variable (colour map, range, interval, fading) by its preset (presets.h), so that all maps of the variable look
// alike. field: smallest and largest value of the field at hand, or NULL where they are not known. They are used by range=auto and by variables without a usual
// range (presets_follow_field): rounded outwards. Afterwards range_kind is MAP_RANGE_SAID, or MAP_RANGE_FIELD where the field decides and is not known: then a guess
// stands in range, and the style may be completed once more. VIRGA_OK, VIRGA_NO_MEMORY, or VIRGA_INVALID (a logarithmic scale over a
// range that is not above 0).
int map_style_complete(struct map_style *style, const struct catalog_variable *variable, const double field[2], struct failure *failure);

bool map_style_fills(const struct map_style *style);     // fill, fill-contours
bool map_style_has_lines(const struct map_style *style); // contours, fill-contours
bool map_style_is_wind(const struct map_style *style);   // barbs, arrows: a partner is needed

// Every style offered for a variable, in order: name ("fill", "fill/thermal", "contours") and title for people. wind: whether it has a
// partner. False beyond the last.
bool map_style_offered(size_t index, bool wind, char name[MAP_STYLE_TEXT], char title[MAP_STYLE_TEXT]);

#endif
