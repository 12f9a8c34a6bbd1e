// SPDX-License-Identifier: Apache-2.0
// How deeply a JSON text nests, asked before it is parsed, so that no parser recurses deeply for a client. Pure: any thread.
#ifndef VIRGA_SERVER_JSON_DEPTH_H
#define VIRGA_SERVER_JSON_DEPTH_H

#include <stdbool.h>
#include <stddef.h>

// Whether arrays and objects nest more than `most` deep, what stands in strings aside. Of a text that is not JSON it may say either.
bool json_depth_exceeds(const char *json, size_t size, int most);

#endif
