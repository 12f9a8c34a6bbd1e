// SPDX-License-Identifier: Apache-2.0
// What the field layer carries with it: assets/quantisation.json.
#ifndef VIRGA_FIELD_FIELD_ASSETS_H
#define VIRGA_FIELD_FIELD_ASSETS_H

#include "base/embedded.h"

extern const struct embedded_file field_assets[];

#endif
