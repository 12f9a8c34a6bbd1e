// SPDX-License-Identifier: Apache-2.0
// The Web Map Service over HTTP. Service thread, but where it is said.
#ifndef VIRGA_SERVER_HTTP_WMS_H
#define VIRGA_SERVER_HTTP_WMS_H

#include "server/http_maps.h"
#include "server/wms_layer.h"

// Answers with an exception in the form that the request asks for.
int http_wms_except(struct peer *peer, const struct wms_query *query, const struct wms_exception *exception);
// An http_map_refusal: the same, for what fails later on.
int http_wms_refuse(struct peer *peer, int status, int code, const char *message);

// One layer of a request that has been read: what its name, the dimensions and, where with_style, its style and the parameters of ncWMS mean. Says in the reply's header which
// values were taken where others were asked for or none (WMS 1.3.0, C.4.2 and C.4.3). dataset: the only one that is meant, or NULL. VIRGA_OK with *layer, for
// map_layer_destroy, and *level; else its exception.
int http_wms_layer(struct peer *peer, const struct wms_query *query, size_t number, const char *dataset, bool with_style, struct map_layer *layer, struct wms_level *level,
                   struct wms_exception *exception);
// The frame of a request for a map of such layers; with a reference to its CRS. VIRGA_OK or VIRGA_INVALID.
int http_wms_frame(struct peer *peer, const struct wms_query *query, const struct map_layer *layers, size_t count, struct map_frame *frame, struct wms_exception *exception);

// GetCapabilities and GetFeatureInfo: what a handler returns.
int http_wms_capabilities(struct peer *peer, const struct wms_query *query, const char *dataset);
int http_wms_info(struct peer *peer, const struct wms_query *query, const char *dataset);

#endif
