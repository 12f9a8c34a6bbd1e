// SPDX-License-Identifier: Apache-2.0
// What pictures carry with them: assets/presets.json and assets/colour_maps/*.json (index.json is their order).
#ifndef VIRGA_RENDER_RENDER_ASSETS_H
#define VIRGA_RENDER_RENDER_ASSETS_H

#include "base/embedded.h"

extern const struct embedded_file render_assets[];

#endif
