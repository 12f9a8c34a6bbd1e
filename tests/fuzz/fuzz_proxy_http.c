// SPDX-License-Identifier: Apache-2.0
// Headers that pass through the proxy of OPeNDAP: a reader's request, or, where the first byte is not 'Q', a server's answer.
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "source/proxy_http.h"

static char out[PROXY_HTTP_RESPONSE_BYTES + 1024];

// What is sent on is one header: no empty line but at its end.
static void check_header(size_t bytes) {
    if (bytes < 4 || bytes > sizeof out || proxy_http_header(out, bytes) != bytes) abort();
}

static void request(const char *text, size_t bytes) {
    static struct proxy_http_request asked;
    struct failure failure = {0};
    if (proxy_http_parse_request(text, bytes, &asked, &failure)) {
        if (!*failure.message) abort();
        return;
    }
    if (asked.url.port < 1 || asked.url.port > 65535 || !*asked.url.host || strpbrk(asked.url.host, " /@\r\n[]?#\\")) abort();
    size_t n = asked.tunnel ? 0 : proxy_http_write_request(&asked, text, bytes, out, sizeof out);
    if (n) check_header(n);
}

static void response(const char *text, size_t bytes) {
    struct proxy_http_response answer;
    size_t n;
    if (!proxy_http_take_response(text, bytes, &answer, out, sizeof out, &n, NULL)) check_header(n);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    char *text = size > 1 ? malloc(size - 1) : NULL;
    if (!text) return 0;
    memcpy(text, bytes + 1, size - 1);
    size_t header = proxy_http_header(text, size - 1);
    if (header && header <= PROXY_HTTP_RESPONSE_BYTES) (*bytes == 'Q' ? request : response)(text, header);
    free(text);
    return 0;
}
