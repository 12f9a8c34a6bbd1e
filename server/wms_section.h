// SPDX-License-Identifier: Apache-2.0
// GetVerticalProfile and GetTransect, as ncWMS has them: a layer's values over height at POINT=x y, and along LINESTRING=x y,x y,… (also as well-known text), both in the request's
// CRS and in its order of axes. FORMAT (or INFO_FORMAT): image/png, image/jpeg, text/csv (rows of longitude, latitude, height and value) or application/json (CoverageJSON, as OGC
// API EDR has it). Pictures are WIDTH × HEIGHT; TOP and BOTTOM are the metres that they show. Of layers of any kind the variable's own levels are meant.
#ifndef VIRGA_SERVER_WMS_SECTION_H
#define VIRGA_SERVER_WMS_SECTION_H

#include "server/http_wms.h"

// What a handler returns. dataset: the only one that is meant, or NULL. Service thread.
int wms_section_answer(struct peer *peer, const struct wms_query *query, const char *dataset);

#endif
