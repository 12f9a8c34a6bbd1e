// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka after what it needs
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source/proxy_http.h"

static struct proxy_http_request request;
static struct failure failure;

static int parse(const char *text) { return proxy_http_parse_request(text, strlen(text), &request, &failure); }

static void a_header_ends_with_its_empty_line(void **state) {
    (void)state;
    assert_int_equal(proxy_http_header("A\r\n\r\nbody", 9), 5);
    assert_int_equal(proxy_http_header("A\r\n\r", 4), 0);
    assert_int_equal(proxy_http_header("", 0), 0);
}

static void a_request_is_written_anew(void **state) {
    (void)state;
    const char *text = "GET http://H:8080/a/b.nc.dods?t[0:1] HTTP/1.1\r\nHost: somewhere.else\r\nUser-Agent: oc4.9\r\nProxy-Connection: Keep-Alive\r\n"
                       "Authorization: Basic c2VjcmV0\r\nCookie: a=b\r\nAccept: */*\r\n\r\n";
    char out[1000];
    assert_int_equal(parse(text), VIRGA_OK);
    assert_true(request.data && !request.head && !request.tunnel);
    size_t n = proxy_http_write_request(&request, text, strlen(text), out, sizeof out);
    assert_true(n > 0);
    out[n] = '\0';
    assert_string_equal(out, "GET /a/b.nc.dods?t[0:1] HTTP/1.1\r\nHost: h:8080\r\nConnection: close\r\nUser-Agent: oc4.9\r\nCookie: a=b\r\nAccept: */*\r\n\r\n");
    for (size_t room = 0; room < n; room++) assert_int_equal(proxy_http_write_request(&request, text, strlen(text), out, room), 0);
}

static void a_tunnel_has_host_and_port_only(void **state) {
    (void)state;
    assert_int_equal(parse("CONNECT h.org:443 HTTP/1.1\r\nHost: h.org:443\r\n\r\n"), VIRGA_OK);
    assert_true(request.tunnel);
    assert_string_equal(request.url.host, "h.org");
    assert_int_equal(request.url.port, 443);
}

static void other_requests_are_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "POST http://h/a HTTP/1.1\r\n\r\n", "GET /a HTTP/1.1\r\nHost: h\r\n\r\n", "GET https://h/a HTTP/1.1\r\n\r\n", "GET ftp://h/a HTTP/1.1\r\n\r\n",
        "GET http://u:p@h/a HTTP/1.1\r\n\r\n", "GET http://h/a HTTP/2.0\r\n\r\n", "GET http://h/a\r\n\r\n", "GET http://h/a b HTTP/1.1\r\n\r\n",
        "GET http://h/a HTTP/1.1\r\nContent-Length: 5\r\n\r\n", "GET http://h/a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET http://h/a HTTP/1.1\r\nNo field\r\n\r\n", "GET http://h/a HTTP/1.1\r\nA : b\r\n\r\n", "GET http://h/a HTTP/1.1\r\nA: b\nB: c\r\n\r\n",
        "GET http://h/a\nX: y HTTP/1.1\r\n\r\n", "CONNECT h:443/a HTTP/1.1\r\n\r\n", "CONNECT u@h:443 HTTP/1.1\r\n\r\n", "CONNECT h:0 HTTP/1.1\r\n\r\n", "\r\n\r\n", ""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        failure = (struct failure){0};
        if (parse(bad[i]) != VIRGA_INVALID) fail_msg("taken: %s", bad[i]);
        assert_true(*failure.message);
    }
}

static int take(const char *text, struct proxy_http_response *response, char out[1000]) {
    size_t n = 0;
    int status = proxy_http_take_response(text, strlen(text), response, out, 999, &n, &failure);
    out[n] = '\0';
    return status;
}

static void an_answer_ends_its_connection(void **state) {
    (void)state;
    struct proxy_http_response r;
    char out[1000];
    assert_int_equal(take("HTTP/1.0 404 Not Found\r\nContent-Length: 12\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\nA: b\r\n\r\n", &r, out), VIRGA_OK);
    assert_int_equal(r.status, 404);
    assert_string_equal(r.reason, "Not Found");
    assert_true(r.length == 12);
    assert_string_equal(out, "HTTP/1.1 404 Not Found\r\nContent-Length: 12\r\nA: b\r\nConnection: close\r\n\r\n");
    assert_int_equal(take("HTTP/1.1 200\r\n\r\n", &r, out), VIRGA_OK);
    assert_true(r.length == -1);
}

static void what_is_no_answer_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {"SSH-2.0\r\n\r\n", "HTTP/1.1 20\r\n\r\n", "HTTP/1.1 abc OK\r\n\r\n", "HTTP/1.1 200 OK\r\nno field\r\n\r\n", "",
                                      "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                                      "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", "HTTP/1.1 000 OK\r\n\r\n"};
    struct proxy_http_response r;
    char out[1000];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (take(bad[i], &r, out) != VIRGA_INVALID) fail_msg("taken: %s", bad[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_ends_with_its_empty_line),
        cmocka_unit_test(a_request_is_written_anew),
        cmocka_unit_test(a_tunnel_has_host_and_port_only),
        cmocka_unit_test(other_requests_are_refused),
        cmocka_unit_test(an_answer_ends_its_connection),
        cmocka_unit_test(what_is_no_answer_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
