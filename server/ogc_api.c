// SPDX-License-Identifier: Apache-2.0
#include "server/ogc_api.h"

#include <string.h>

#include "server/ogc_assets.h"

json_t *ogc_api(const char *root) {
    json_t *api = json_loads(embedded_text(ogc_assets, "ogc_api.json"), 0, NULL);
    size_t length = strlen(root);
    json_object_set_new(api, "servers", json_pack("[{s:s%}]", "url", root, length ? length - 1 : 0));  // without the slash at its end
    json_object_set_new(json_object_get(api, "info"), "version", json_string(VIRGA_VERSION));
    return api;
}
