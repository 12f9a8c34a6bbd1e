// SPDX-License-Identifier: Apache-2.0
// The looks of captions: those of the page's panels (web/style.css). Colours are 0xrrggbbaa.
#ifndef VIRGA_RENDER_CAPTION_STYLE_H
#define VIRGA_RENDER_CAPTION_STYLE_H

#include <math.h>
#include <stdint.h>

static const uint32_t caption_glass = 0x11171ed1, caption_edge = 0xffffff1a, caption_text = 0xedf2f6ff, caption_muted = 0xadbac6ff, caption_warn = 0xffc864ff;
static const uint32_t label_text = 0xeef3f7ff, label_rim = 0x0a1018d9, label_axis = 0xebf0f5d9;

// How large writing is on a picture: 1 on one of 1280 × 720, upright too; less on a narrow strip; never so small that it cannot
// be read.
static inline double caption_scale(unsigned width, unsigned height) {
    return fmax(0.7, fmin(sqrt((double)width * height) / 960, fmin(width / 600.0, height / 360.0)));
}

// Of a length on a picture of scale 1, in whole pixels so that edges are sharp.
static inline int caption_pixels(double length, double scale) { return (int)fmax(1, round(length * scale)); }

#endif
