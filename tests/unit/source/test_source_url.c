// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka after what it needs
#include <cmocka.h>
#include <string.h>

#include "source/source_url.h"

static void addresses_are_told_from_files(void **state) {
    (void)state;
    static const char *const urls[] = {"http://a/b.nc", "https://a", "dap2://x/", "ftp://a", "HTTP://A/", "s3://bucket"};
    static const char *const files[] = {"", "a.nc", "/http://a", "http:/a", "://a", "./http://a", "1://a", "a b://c", "http"};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) assert_true(source_url_like(urls[i]));
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) assert_false(source_url_like(files[i]));
}

static void an_address_is_taken_apart(void **state) {
    (void)state;
    static const struct { const char *text, *host, *rest; int port; bool secure; } good[] = {
        {"http://Example.ORG/a/b.nc", "example.org", "/a/b.nc", 80, false}, {"https://h", "h", "", 443, true},
        {"dap2://h:8080/x?t[0:1:2]", "h", "/x?t[0:1:2]", 8080, false}, {"http://[::1]:81/a", "::1", "/a", 81, false},
        {"HTTPS://10.0.0.1:65535/", "10.0.0.1", "/", 65535, true}, {"http://h/a@b:c", "h", "/a@b:c", 80, false}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct source_url url;
        struct failure failure = {0};
        if (source_url_parse(good[i].text, &url, &failure)) fail_msg("%s: %s", good[i].text, failure.message);
        assert_string_equal(url.host, good[i].host);
        assert_string_equal(url.rest, good[i].rest);
        assert_int_equal(url.port, good[i].port);
        assert_int_equal(url.secure, good[i].secure);
    }
}

static void what_is_no_address_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "ftp://h/a", "file:///etc/passwd", "dap4://h/a", "http://", "http:///a", "http://user@h/a", "http://user:word@h/a", "http://h:0/", "http://h:65536/",
        "http://h:/", "http://h:8a/", "http://h:000080/", "http://h/a b", "http://h/a\r\nX: y", "http://h/\x7f", "http://h/\xc3\xa9", "http://h/#mode=bytes",
        "http://[::1/", "http://::1/", "http://[]/", "http://.h/", "http://-h/", "http://h%00/", "http://h?x", "http://a\\@b/", "http://h\t/"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct source_url url;
        struct failure failure = {0};
        if (source_url_parse(bad[i], &url, &failure) != VIRGA_INVALID) fail_msg("%s was taken", bad[i]);
        assert_true(*failure.message);
    }
    char longest[400] = "http://";
    memset(longest + 7, 'a', 300);
    struct source_url url;
    assert_int_equal(source_url_parse(longest, &url, NULL), VIRGA_INVALID);
}

static bool allowed(const char *text, const char *host) {
    struct source_url url;
    assert_int_equal(source_url_parse(text, &url, NULL), VIRGA_OK);
    return source_url_allowed(&url, &host, 1);
}

static void a_host_is_allowed_by_name_and_port(void **state) {
    (void)state;
    assert_true(allowed("http://h/a", "h"));
    assert_true(allowed("https://h/a", "H"));
    assert_true(allowed("http://h:80/a", "h"));
    assert_true(allowed("http://h:8080/a", "h:8080"));
    assert_true(allowed("http://[::1]:8080/a", "[::1]:8080"));
    assert_false(allowed("http://h:8080/a", "h"));
    assert_false(allowed("http://h:443/a", "h"));
    assert_false(allowed("http://h/a", "h:8080"));
    assert_false(allowed("http://evil.h/a", "h"));
    assert_false(allowed("http://h.evil/a", "h"));
    assert_false(allowed("http://h/a", ""));
    assert_false(allowed("http://h/a", "*"));
    assert_false(allowed("http://h/a", "http://h"));
    struct source_url url;
    assert_int_equal(source_url_parse("http://h/", &url, NULL), VIRGA_OK);
    assert_false(source_url_allowed(&url, NULL, 0));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_told_from_files),
        cmocka_unit_test(an_address_is_taken_apart),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(a_host_is_allowed_by_name_and_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
