// SPDX-License-Identifier: Apache-2.0
// What the server carries with it: server/ogc_api.json.
#ifndef VIRGA_SERVER_OGC_ASSETS_H
#define VIRGA_SERVER_OGC_ASSETS_H

#include "base/embedded.h"

extern const struct embedded_file ogc_assets[];

#endif
