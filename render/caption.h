// SPDX-License-Identifier: Apache-2.0
// Writing on a picture: title, times, legends, precision, attribution; and the labels of graticule and height axis in the scene.
// Through Cairo and Pango, the same pixels each time with the same fonts. Any thread, one picture each.
#ifndef VIRGA_RENDER_CAPTION_H
#define VIRGA_RENDER_CAPTION_H

#include "render/basemap.h"
#include "render/image.h"
#include "render/scene.h"
#include "render/transfer.h"

enum { CAPTION_LEGENDS_MAX = 4 };

struct caption_legend {
    const char *title;                    // "Cloud fraction"
    const char *units;                    // that numbers are written in: "°C"; "" or "1" for none
    double scale, offset;                 // written = value × scale + offset
    double range[2];                      // values at both ends of the colour bar
    const struct transfer *transfer;      // colour and opacity of a value
    double epsilon;                       // in the variable's own units: the picture is within ± this of the file's numbers; 0: not written
    const char *difference;               // "run 12Z minus 06Z"; "" or NULL for none
};

struct caption {
    const char *title;        // "" for none; all texts are UTF-8
    const char *valid;        // "Thu 19 Nov 2009, 10:00 UTC"
    const char *run;          // "run 03:00 UTC, T+7 h"
    const char *note;         // "between steps", "night: lit by no sun" … or ""
    bool calm;                // the note warns of nothing
    const char *attribution;  // or ""
    size_t legend_count;
    struct caption_legend legends[CAPTION_LEGENDS_MAX];
};

// Title and times top left, legends bottom right, attribution bottom left, in sizes that suit the picture's; where a picture is
// too small for all, the least of them are left out. VIRGA_OK or VIRGA_NO_MEMORY.
int caption_draw(struct image *image, const struct caption *caption);

enum { CAPTION_AREAS_MAX = CAPTION_LEGENDS_MAX + 2 };
struct caption_area { int x, y, width, height; };  // pixels

// Where caption_draw writes on a picture of this size: areas within it that do not meet. How many.
size_t caption_areas(unsigned width, unsigned height, const struct caption *caption,
                     struct caption_area areas[CAPTION_AREAS_MAX]);

struct label_options {
    bool degrees, heights;
    bool above_ground;  // heights are above the ground, not the sea
    bool top;           // all edges are labelled, as they are wherever the eye is steep over the domain's middle
    const struct caption *caption;  // labels keep clear of it, which is drawn after them; or NULL
};
// Degrees along the domain's edges and kilometres up its side, as web/layers/labels.js has them. VIRGA_OK or VIRGA_NO_MEMORY.
int label_draw(struct image *image, const struct scene *scene, const struct basemap *basemap,
               const struct label_options *options);

#endif
