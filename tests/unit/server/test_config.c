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
#include <unistd.h>

#include "server/config.h"

extern char **environ;
static char folder[] = "/tmp/virga-config-XXXXXX";
static char file[64];

// Writes a configuration file and reads it on top of *config.
static int read_text(struct config *config, const char *text, struct failure *failure) {
    FILE *out = fopen(file, "w");
    fputs(text, out);
    fclose(out);
    return config_read_file(config, file, failure);
}

static int refused(const char *key, const char *value) {
    struct config config;
    struct failure failure = {0};
    config_defaults(&config);
    int status = config_set(&config, key, value, &failure);
    config_destroy(&config);
    return status == VIRGA_INVALID && strstr(failure.message, key) && strstr(failure.message, "must be");
}

static void defaults_are_those_written_down(void **state) {
    (void)state;
    struct config c;
    setenv("XDG_STATE_HOME", "/somewhere/state", 1);
    config_defaults(&c);
    assert_string_equal(c.listen_host, "127.0.0.1");
    assert_int_equal(c.listen_port, 8080);
    assert_string_equal(c.state_dir, "/somewhere/state/virga");
    assert_string_equal(c.base_path, "/");
    assert_int_equal(c.cache_memory, 256 << 20);
    assert_true(c.spool_limit == (size_t)8 << 30);
    assert_true(c.workers >= 1 && c.readers >= 1 && c.readers <= 4 && c.readers <= c.workers);
    assert_int_equal(c.path_count, 0);
    config_destroy(&c);
    unsetenv("XDG_STATE_HOME");
}

static void later_steps_win_over_earlier_ones(void **state) {
    (void)state;
    struct config c;
    config_defaults(&c);
    assert_int_equal(VIRGA_OK, read_text(&c, "workers = 3\nreaders = 3\nidle-seconds = 3\n", NULL));
    setenv("VIRGA_READERS", "5", 1);
    setenv("VIRGA_IDLE_SECONDS", "5", 1);
    assert_int_equal(VIRGA_OK, config_read_environment(&c, NULL));
    assert_int_equal(VIRGA_OK, config_set(&c, "idle-seconds", "7", NULL));
    unsetenv("VIRGA_READERS");
    unsetenv("VIRGA_IDLE_SECONDS");
    assert_int_equal(c.workers, 3);
    assert_int_equal(c.readers, 5);
    assert_int_equal(c.idle_seconds, 7);
    assert_non_null(strstr(c.origin[CONFIG_WORKERS], ".ini:1"));
    assert_string_equal(c.origin[CONFIG_READERS], "VIRGA_READERS");
    assert_string_equal(c.origin[CONFIG_IDLE_SECONDS], "--idle-seconds");
    assert_string_equal(c.origin[CONFIG_LISTEN], "default");
    config_destroy(&c);
}

static void a_list_grows_within_a_step_and_is_replaced_by_the_next(void **state) {
    (void)state;
    struct config c;
    config_defaults(&c);
    assert_int_equal(VIRGA_OK, read_text(&c, "paths = /a\n  /b\n[virga]\npaths = /c\nembed-host = one.org two.org\n", NULL));
    assert_int_equal(c.path_count, 3);
    assert_string_equal(c.paths[1], "/b");
    assert_int_equal(c.embed_host_count, 2);
    setenv("VIRGA_PATHS", "/d:/e", 1);
    assert_int_equal(VIRGA_OK, config_read_environment(&c, NULL));
    unsetenv("VIRGA_PATHS");
    assert_int_equal(c.path_count, 2);
    assert_string_equal(c.paths[1], "/e");
    assert_int_equal(VIRGA_OK, config_set(&c, "paths", "/f", NULL));
    assert_int_equal(VIRGA_OK, config_set(&c, "paths", "/g", NULL));
    assert_int_equal(c.path_count, 2);
    assert_string_equal(c.paths[0], "/f");
    config_destroy(&c);
}

static void sizes_are_read_in_powers_of_1024(void **state) {
    (void)state;
    static const struct { const char *text; size_t size; } sizes[] = {
        {"268435456", (size_t)1 << 28}, {"256M", (size_t)1 << 28}, {"1.5G", (size_t)3 << 29}, {"16384k", (size_t)1 << 24},
        {"30 MiB", (size_t)30 << 20}, {"1GB", (size_t)1 << 30}, {"1T", (size_t)1 << 40}};
    struct config c;
    config_defaults(&c);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        assert_int_equal(VIRGA_OK, config_set(&c, "cache-memory", sizes[i].text, NULL));
        assert_true(c.cache_memory == sizes[i].size);
    }
    config_destroy(&c);
    static const char *const bad[] = {"", "-1", "1X", "lots", "1M1", "nan", "inf", "0", "1023", "99999999T", " 1G"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_true(refused("cache-memory", bad[i]));
}

static void listen_takes_host_and_port(void **state) {
    (void)state;
    struct config c;
    config_defaults(&c);
    assert_int_equal(VIRGA_OK, config_set(&c, "listen", "0.0.0.0:0", NULL));
    assert_string_equal(c.listen_host, "0.0.0.0");
    assert_int_equal(c.listen_port, 0);
    assert_int_equal(VIRGA_OK, config_set(&c, "listen", "[::1]:81", NULL));
    assert_string_equal(c.listen_host, "::1");
    assert_int_equal(VIRGA_OK, config_set(&c, "listen", ":82", NULL));
    assert_string_equal(c.listen_host, "::1");
    assert_int_equal(c.listen_port, 82);
    config_destroy(&c);
    static const char *const bad[] = {"", "host", "host:", "host:65536", "host:-1", "host:8a", "::1:80", "a b:80", "h\n:80", "[::1:80"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_true(refused("listen", bad[i]));
}

static void a_base_path_starts_and_ends_with_a_slash(void **state) {
    (void)state;
    struct config c;
    config_defaults(&c);
    assert_int_equal(VIRGA_OK, config_set(&c, "base-path", "/a/b", NULL));
    assert_string_equal(c.base_path, "/a/b/");
    assert_int_equal(VIRGA_OK, config_set(&c, "base-path", "/", NULL));
    assert_string_equal(c.base_path, "/");
    assert_int_equal(VIRGA_OK, config_set(&c, "base-path", "/user/me@x.org/proxy/", NULL));
    config_destroy(&c);
    char longest[300] = "/";
    memset(longest + 1, 'a', sizeof longest - 2);
    longest[sizeof longest - 1] = '\0';
    const char *const bad[] = {"", "a/", "//", "/a//b", "/../", "/a/./", "/a/..", "/a?b", "/a#", "/a b/", "/%2e/", "/\"", longest};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_true(refused("base-path", bad[i]));
}

static void hosts_of_datasets_are_names_with_or_without_a_port(void **state) {
    (void)state;
    struct config c;
    config_defaults(&c);
    assert_int_equal(c.opendap_host_count, 0);
    assert_int_equal(VIRGA_OK, read_text(&c, "opendap-hosts = one.org, 10.0.0.1:8080\nopendap-hosts = [::1]:81\n", NULL));
    assert_int_equal(c.opendap_host_count, 3);
    assert_string_equal(c.opendap_hosts[1], "10.0.0.1:8080");
    assert_string_equal(c.opendap_hosts[2], "[::1]:81");
    setenv("VIRGA_OPENDAP_HOSTS", "two.org", 1);
    assert_int_equal(VIRGA_OK, config_read_environment(&c, NULL));
    unsetenv("VIRGA_OPENDAP_HOSTS");
    assert_int_equal(c.opendap_host_count, 1);
    assert_string_equal(c.opendap_hosts[0], "two.org");
    config_destroy(&c);
    static const char *const bad[] = {"http://one.org", "one.org/path", "*.one.org", "one.org:0", "one.org:http", "user@one.org", "::1", "one.org:80:80"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_true(refused("opendap-hosts", bad[i]));
}

static void the_engine_is_none_local_a_scheduler_or_a_gateway(void **state) {
    (void)state;
    static const char *const good[] = {"none", "local", "local:4", "tcp://10.0.0.1:8786", "tls://scheduler.example.org:8786", "tcp://[::1]:8786",
                                       "gateway:https://hub.example.org/services/dask-gateway", "gateway:http://127.0.0.1:8000", "gateway:http://127.0.0.1:8000#a1.b-2"};
    static const char *const bad[] = {"", "all", "local:", "local:0", "local:257", "local:2x", "tcp://host", "tcp://:8786", "tcp://host:0", "tcp://host:1/x",
                                      "udp://host:1", "http://host:1", "gateway:", "gateway:hub.example.org", "gateway:file:///etc", "gateway:https://user:word@hub", "gateway:http://h:1#", "gateway:http://h:1#a/b"};
    struct config c;
    config_defaults(&c);
    assert_string_equal(c.engine, "none");
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(VIRGA_OK, config_set(&c, "engine", good[i], NULL));
        assert_string_equal(c.engine, good[i]);
    }
    config_destroy(&c);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_true(refused("engine", bad[i]));
}

static void settings_of_the_engine_are_checked(void **state) {
    (void)state;
    struct config c;
    config_defaults(&c);
    assert_false(c.engine_for_each_user);
    assert_int_equal(c.engine_idle, 600);
    assert_true(c.engine_memory == (size_t)4 << 30);
    assert_non_null(strstr(c.engine_python, "engine/bin/python3"));
    assert_int_equal(VIRGA_OK, config_set(&c, "engine-clusters", "user", NULL));
    assert_true(c.engine_for_each_user);
    assert_int_equal(VIRGA_OK, config_set(&c, "engine-workers", "0:8", NULL));
    assert_int_equal(c.engine_workers[0], 0);
    assert_int_equal(c.engine_workers[1], 8);
    assert_int_equal(VIRGA_OK, config_set(&c, "engine-workers", "3", NULL));
    assert_int_equal(c.engine_workers[0], 3);
    assert_int_equal(c.engine_workers[1], 3);
    assert_int_equal(VIRGA_OK, config_set(&c, "engine-schemes", "s3, https", NULL));
    assert_int_equal(c.engine_scheme_count, 2);
    assert_string_equal(c.engine_schemes[1], "https");
    assert_int_equal(VIRGA_OK, config_set(&c, "engine-slabs", "off", NULL));
    assert_int_equal(VIRGA_OK, config_set(&c, "engine-slabs", "10.0.0.1:7000", NULL));
    config_destroy(&c);
    static const char *const bad[][2] = {
        {"engine-clusters", "mine"}, {"engine-workers", "8:1"}, {"engine-workers", "0"}, {"engine-workers", "0:0"}, {"engine-workers", "1:2:3"},
        {"engine-workers", "-1:2"}, {"engine-workers", "1:2000"}, {"engine-idle", "0"}, {"engine-memory", "1M"}, {"engine-schemes", "S3"},
        {"engine-schemes", "s3://bucket"}, {"engine-schemes", "simplecache::s3"}, {"engine-slabs", "http://host"}, {"engine-slabs", "host:port"},
        {"engine-product", "air_temperature"}, {"engine-product", ": mean"}, {"engine-product", "t:"}, {"engine-product", "t: mean ; q: mean"},
        {"engine-product", "t: mean\n"}, {"engine-python", ""}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_true(refused(bad[i][0], bad[i][1]));
}

static void products_have_a_line_each_and_semicolons_in_the_environment(void **state) {
    (void)state;
    struct config c;
    config_defaults(&c);
    assert_int_equal(VIRGA_OK, read_text(&c, "engine-product = t: probability > 273.15\nengine-product = *: mean\n", NULL));
    assert_int_equal(c.engine_product_count, 2);
    assert_string_equal(c.engine_products[0], "t: probability > 273.15");
    setenv("VIRGA_ENGINE_PRODUCT", "t: mean; q: percentile 90", 1);
    assert_int_equal(VIRGA_OK, config_read_environment(&c, NULL));
    unsetenv("VIRGA_ENGINE_PRODUCT");
    assert_int_equal(c.engine_product_count, 2);
    assert_string_equal(c.engine_products[1], "q: percentile 90");
    config_destroy(&c);
}

static void addresses_of_the_engine_stand_among_paths(void **state) {
    (void)state;
    struct config c;
    config_defaults(&c);
    setenv("VIRGA_PATHS", "zarr:/a.zarr:/b:xarray:https://h:81/x.nc:s3://bucket/y.zarr:published:ukv", 1);
    assert_int_equal(VIRGA_OK, config_read_environment(&c, NULL));
    unsetenv("VIRGA_PATHS");
    static const char *const paths[] = {"zarr:/a.zarr", "/b", "xarray:https://h:81/x.nc", "s3://bucket/y.zarr", "published:ukv"};
    assert_int_equal(c.path_count, 5);
    for (size_t i = 0; i < 5; i++) assert_string_equal(c.paths[i], paths[i]);
    config_destroy(&c);
}

static void addresses_stand_among_paths(void **state) {
    (void)state;
    struct config c;
    config_defaults(&c);
    setenv("VIRGA_PATHS", "/a:http://h/x.nc:https://h:8443/y:/b:http://h:80", 1);
    assert_int_equal(VIRGA_OK, config_read_environment(&c, NULL));
    unsetenv("VIRGA_PATHS");
    static const char *const paths[] = {"/a", "http://h/x.nc", "https://h:8443/y", "/b", "http://h:80"};
    assert_int_equal(c.path_count, 5);
    for (size_t i = 0; i < 5; i++) assert_string_equal(c.paths[i], paths[i]);
    config_destroy(&c);
}

static void no_host_can_break_out_of_a_header(void **state) {
    (void)state;
    struct config c;
    config_defaults(&c);
    assert_int_equal(VIRGA_OK, config_set(&c, "embed-host", "https://*.example.org, hub.example.org:8000 http://localhost:*", NULL));
    assert_int_equal(c.embed_host_count, 3);
    assert_string_equal(c.embed_hosts[0], "https://*.example.org");
    assert_int_equal(VIRGA_OK, config_set(&c, "allow-origin", "http://[::1]:9", NULL));
    config_destroy(&c);
    static const char *const bad[] = {"a;b", "'self'", "http://a*", "a:*:*", "*:*:1", "a\r\nX: y", "https://", "ftp://a", "a/b"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_true(refused("embed-host", bad[i]));
    assert_true(refused("allow-origin", "example.org"));
    assert_true(refused("allow-origin", "*"));
    assert_true(refused("allow-origin", "http://localhost:*"));
    assert_true(refused("opendap-hosts", "one.org:*"));
    assert_true(refused("allow-origin", "https://*.example.org"));
}

static void numbers_outside_their_range_are_refused(void **state) {
    (void)state;
    static const char *const bad[][2] = {
        {"workers", "0"}, {"workers", "257"}, {"workers", "2x"}, {"workers", " 2"}, {"workers", "99999999999999999999"}, {"readers", "0"},
        {"readers", "65"}, {"max-connections", "0"}, {"idle-seconds", "-1"}, {"message-rate", "0"}, {"message-rate", "nan"},
        {"message-rate", "1e9"}, {"log-level", "loud"}, {"log-format", "xml"}, {"state", ""}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_true(refused(bad[i][0], bad[i][1]));
}

static void a_file_error_names_file_line_and_key(void **state) {
    (void)state;
    static const char *const bad[][2] = {
        {"# fine\nlisten = :1\nworkers = many\n", ".ini:3: workers = \"many\""},
        {"\n\nwrokers = 2\n", ".ini:3: there is no setting \"wrokers\""},
        {"workers 2\n", ".ini:1: expected"},
        {"[server]\nworkers = 2\n", ".ini:2: there is no section [server]"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct config c;
        struct failure failure = {0};
        config_defaults(&c);
        assert_int_equal(VIRGA_INVALID, read_text(&c, bad[i][0], &failure));
        assert_non_null(strstr(failure.message, bad[i][1]));
        config_destroy(&c);
    }
}

static void a_line_too_long_is_refused_and_not_cut(void **state) {
    (void)state;
    char text[5000] = "state = /";
    memset(text + 9, 'x', sizeof text - 10);
    text[sizeof text - 1] = '\0';
    struct config c;
    struct failure failure = {0};
    config_defaults(&c);
    assert_int_equal(VIRGA_INVALID, read_text(&c, text, &failure));
    assert_non_null(strstr(failure.message, ".ini:1: the line is longer"));
    config_destroy(&c);
}

static void an_absent_file_is_not_found(void **state) {
    (void)state;
    struct config c;
    struct failure failure = {0};
    config_defaults(&c);
    assert_int_equal(VIRGA_NOT_FOUND, config_read_file(&c, "/nonexistent/virga.ini", &failure));
    assert_non_null(strstr(failure.message, "/nonexistent/virga.ini"));
    config_destroy(&c);
}

static void an_unknown_key_is_refused(void **state) {
    (void)state;
    struct config c;
    struct failure failure = {0};
    config_defaults(&c);
    assert_int_equal(VIRGA_INVALID, config_set(&c, "colour", "red", &failure));
    assert_non_null(strstr(failure.message, "colour"));
    config_destroy(&c);
}

static void what_is_printed_can_be_read_back(void **state) {
    (void)state;
    struct config a, b;
    config_defaults(&a);
    const char *const values[][2] = {{"listen", "[::1]:0"}, {"base-path", "/x/"}, {"cache_memory", "8193K"}, {"workers", "9"},
                                     {"embed-host", "a.org b.org"}, {"allow-origin", "https://c.org"}, {"log-format", "json"},
                                     {"message-rate", "12.5"}, {"opendap-hosts", "d.org:81 e.org"}, {"engine", "tcp://a:1"},
                                     {"engine-workers", "0:4"}, {"engine-schemes", "s3 gs"}, {"engine-product", "t: mean"}, {"engine-product", "q: percentile 5"},
                                     {"publish-token-file", "/etc/token"}, {"map-memory", "512M"}, {"map-max-size", "2048"}, {"paths", "/data/one two.nc"}, {"paths", "/data/*.nc"}};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        assert_int_equal(VIRGA_OK, config_set(&a, values[i][0], values[i][1], NULL));
    char *text = config_to_text(&a);
    assert_non_null(strstr(text, "cache-memory = 8193K  ; --cache-memory\n"));
    config_defaults(&b);
    struct failure failure = {0};
    if (read_text(&b, text, &failure)) fail_msg("%s", failure.message);
    assert_string_equal(b.listen_host, "::1");
    assert_int_equal(b.listen_port, 0);
    assert_string_equal(b.base_path, "/x/");
    assert_int_equal(b.cache_memory, 8193 << 10);
    assert_true(b.map_memory == 512u << 20 && b.map_max_size == 2048);
    assert_int_equal(b.workers, 9);
    assert_string_equal(b.embed_hosts[1], "b.org");
    assert_int_equal(b.opendap_host_count, 2);
    assert_string_equal(b.opendap_hosts[0], "d.org:81");
    assert_true(b.log_json && b.message_rate == 12.5);
    assert_int_equal(b.path_count, 2);
    assert_string_equal(b.paths[0], "/data/one two.nc");
    assert_string_equal(b.paths[1], "/data/*.nc");
    assert_string_equal(b.state_dir, a.state_dir);
    assert_string_equal(b.engine, "tcp://a:1");
    assert_true(b.engine_workers[0] == 0 && b.engine_workers[1] == 4 && b.engine_scheme_count == 2 && b.engine_product_count == 2);
    assert_string_equal(b.engine_products[1], "q: percentile 5");
    assert_string_equal(b.engine_python, a.engine_python);
    assert_string_equal(b.publish_token_file, "/etc/token");
    free(text);
    config_destroy(&a);
    config_destroy(&b);
}

static int make_folder(void **state) {
    (void)state;
    if (!mkdtemp(folder)) return -1;
    snprintf(file, sizeof file, "%s/virga.ini", folder);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    unlink(file);
    return rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_those_written_down),
        cmocka_unit_test(later_steps_win_over_earlier_ones),
        cmocka_unit_test(a_list_grows_within_a_step_and_is_replaced_by_the_next),
        cmocka_unit_test(sizes_are_read_in_powers_of_1024),
        cmocka_unit_test(listen_takes_host_and_port),
        cmocka_unit_test(a_base_path_starts_and_ends_with_a_slash),
        cmocka_unit_test(hosts_of_datasets_are_names_with_or_without_a_port),
        cmocka_unit_test(the_engine_is_none_local_a_scheduler_or_a_gateway),
        cmocka_unit_test(settings_of_the_engine_are_checked),
        cmocka_unit_test(products_have_a_line_each_and_semicolons_in_the_environment),
        cmocka_unit_test(addresses_of_the_engine_stand_among_paths),
        cmocka_unit_test(addresses_stand_among_paths),
        cmocka_unit_test(no_host_can_break_out_of_a_header),
        cmocka_unit_test(numbers_outside_their_range_are_refused),
        cmocka_unit_test(a_file_error_names_file_line_and_key),
        cmocka_unit_test(a_line_too_long_is_refused_and_not_cut),
        cmocka_unit_test(an_absent_file_is_not_found),
        cmocka_unit_test(an_unknown_key_is_refused),
        cmocka_unit_test(what_is_printed_can_be_read_back),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
