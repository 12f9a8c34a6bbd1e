// SPDX-License-Identifier: Apache-2.0
// The OpenAPI 3.0 document of OGC API: server/ogc_api.json, which the program carries with it.
#ifndef VIRGA_SERVER_OGC_API_H
#define VIRGA_SERVER_OGC_API_H

#include <jansson.h>

// root: its address ("https://maps.example.org/virga/ogc/"). A new reference, or NULL when out of memory. Any thread.
json_t *ogc_api(const char *root);

#endif
