// SPDX-License-Identifier: Apache-2.0
// Range requests (RFC 9110, section 14). Pure: any thread.
#ifndef VIRGA_SERVER_HTTP_RANGE_H
#define VIRGA_SERVER_HTTP_RANGE_H

#include <stdint.h>

enum http_range_kind {
    HTTP_RANGE_WHOLE,          // no range, several, or one that cannot be understood: the whole is sent (200)
    HTTP_RANGE_PART,           // 206
    HTTP_RANGE_UNSATISFIABLE,  // 416
};

struct http_range {
    uint64_t first, count;  // bytes; the whole with HTTP_RANGE_WHOLE
};

// What of `size` bytes with this strong ETag (with its quotes) a client asks for. `range` and `if_range` are the headers' texts, "" where absent.
enum http_range_kind http_range_parse(const char *range, const char *if_range, const char *etag, uint64_t size, struct http_range *out);

#endif
