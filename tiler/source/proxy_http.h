// SPDX-License-Identifier: Apache-2.0
// The headers that pass through the proxy, read and written anew: no sockets, nothing is sent on that is not understood. Any
// thread.
#ifndef VIRGA_SOURCE_PROXY_HTTP_H
#define VIRGA_SOURCE_PROXY_HTTP_H

#include "source/source_url.h"

enum { PROXY_HTTP_REQUEST_BYTES = 16384, PROXY_HTTP_RESPONSE_BYTES = 65536 };

struct proxy_http_request {
    bool tunnel;             // CONNECT: url has host and port only
    bool head;               // HEAD: the answer has no body
    bool data;               // a path that ends as one of values does (.dods), else metadata
    struct source_url url;
    char text[PROXY_HTTP_REQUEST_BYTES];  // what url.rest points into
};

struct proxy_http_response {
    int status;
    char reason[128];        // printable
    long long length;        // of the body as it states; -1 where it does not
};

// Bytes of a header up to and with its empty line; 0 where that is not there yet.
size_t proxy_http_header(const char *text, size_t bytes);
// A reader's request by its header: GET and HEAD of http with an absolute address, or CONNECT. VIRGA_INVALID with a reason
// for all else.
int proxy_http_parse_request(const char *header, size_t bytes, struct proxy_http_request *request, struct failure *failure);
// What is asked of the server for it: only such of the reader's header fields as matter go along. Returns the bytes, 0
// without room.
size_t proxy_http_write_request(const struct proxy_http_request *request, const char *header, size_t bytes, char *out,
                                size_t room);
// A server's answer; VIRGA_INVALID with a reason. *out is its header as the reader gets it: the connection ends after it.
int proxy_http_take_response(const char *header, size_t bytes, struct proxy_http_response *response, char *out, size_t room,
                             size_t *out_bytes, struct failure *failure);

#endif
