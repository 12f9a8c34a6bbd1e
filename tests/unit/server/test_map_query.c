// SPDX-License-Identifier: Apache-2.0
// Queries of maps: what is taken, what is passed over, what is refused, and that what is written is read again.
#include "../field/made_file.h"

#include "server/map_query.h"

static void test_parts(void **state) {
    (void)state;
    struct map_query query = {0};
    struct failure failure = {0};
    static const char *const parts[] = {"run=latest", "time=T+6", "time=T+9", "unknown=x", "range=1,2", "level", "=x", "", "timex=1", "tim=2", "size=512"};
    for (size_t n = 0; n < sizeof parts / sizeof *parts; n++) assert_int_equal(map_query_add(&query, parts[n], &failure), VIRGA_OK);
    assert_string_equal(query.run, "latest");
    assert_string_equal(query.time, "T+6");
    assert_string_equal(query.size, "512");
    assert_string_equal(query.level, "");
    struct map_ask ask;
    map_query_ask(&query, &ask);
    assert_string_equal(ask.options[0].option, "range");
    assert_string_equal(ask.options[0].value, "1,2");
    assert_string_equal(ask.style, "");
    map_query_add(&query, "format=values", &failure);
    map_query_ask(&query, &ask);
    assert_string_equal(ask.style, "values");
}

static void test_long_values_are_refused(void **state) {
    (void)state;
    struct map_query query = {0};
    struct failure failure = {0};
    char part[9000] = "run=";
    memset(part + 4, 'x', sizeof part - 5);
    assert_int_equal(map_query_add(&query, part, &failure), VIRGA_INVALID);
    assert_non_null(strstr(failure.message, "run"));
    memcpy(part, "rum", 3);
    assert_int_equal(map_query_add(&query, part, &failure), VIRGA_OK);
}

static void test_values(void **state) {
    (void)state;
    double number = 7;
    bool flag = true;
    uint8_t rgb[3] = {0};
    static const char *const wrong[] = {"-1", "nan", "inf", "1e9", "0x10", "12x", " 1", "2049", ".", "1.2.3"};
    assert_int_equal(map_query_number("width", "", 0, 2048, &number, NULL), VIRGA_OK);
    assert_true(number == 7);
    assert_int_equal(map_query_number("width", "1.5", 0, 2048, &number, NULL), VIRGA_OK);
    assert_true(number == 1.5);
    for (size_t n = 0; n < sizeof wrong / sizeof *wrong; n++)
        if (map_query_number("width", wrong[n], 0, 2048, &number, NULL) != VIRGA_INVALID) fail_msg("%s was taken", wrong[n]);
    assert_true(!map_query_flag("transparent", "FALSE", &flag, NULL) && !flag && !map_query_flag("transparent", "1", &flag, NULL) && flag);
    assert_int_equal(map_query_flag("transparent", "maybe", &flag, NULL), VIRGA_INVALID);
    assert_true(!map_query_colour("background", "0xFF8000", rgb, NULL) && rgb[0] == 255 && rgb[1] == 128 && rgb[2] == 0);
    assert_true(!map_query_colour("background", "#010203", rgb, NULL) && rgb[2] == 3);
    assert_int_equal(map_query_colour("background", "red", rgb, NULL), VIRGA_INVALID);
    assert_int_equal(map_query_colour("background", "0x1234567", rgb, NULL), VIRGA_INVALID);
}

// An address that is written for a layer means that layer, for good.
static void test_what_is_written_is_read_again(void **state) {
    (void)state;
    static const double pressures[] = {1000, 500};
    float data[24] = {0};
    int nc = made_create("written.nc"), dims[4];
    dims[0] = made_even_axis(nc, "time", 1, 6, 1, "time", "hours since 2020-01-01");
    dims[1] = made_axis(nc, "plev", 2, pressures, "air_pressure", "hPa");
    dims[2] = made_even_axis(nc, "lat", 3, 50, 1, "latitude", "degrees_north");
    dims[3] = made_even_axis(nc, "lon", 4, 0, 1, "longitude", "degrees_east");
    made_scalar(nc, "forecast_reference_time", 0, "forecast_reference_time", "hours since 2020-01-01");
    NC(nc_put_var_float(nc, made_var(nc, "ta", NC_FLOAT, 4, dims, "air_temperature", "K"), data));
    NC(nc_close(nc));
    struct catalog *catalog = made_open("written.nc");
    struct map_ask ask = {.dataset = catalog->datasets[0].id, .variable = "ta", .level = "700hPa", .style = "fill;bands=12;below=transparent"};
    struct map_layer layer, again;
    struct failure failure = {0};
    if (map_layer_resolve(catalog, &ask, 0, &layer, &failure)) fail_msg("%s", failure.message);
    char *text = map_query_of_layer(&layer, false), *save = NULL;
    assert_non_null(strstr(text, "run=2020-01-01T00:00:00Z&time=2020-01-01T06:00:00Z&level=700hPa&"));
    struct map_query query = {0};
    for (char *part = strtok_r(text, "&", &save); part; part = strtok_r(NULL, "&", &save)) {
        char *to = part;  // decoded as the web server's library does
        for (const char *c = part; *c; c++) {
            unsigned code;
            if (*c == '%' && sscanf(c + 1, "%2x", &code) == 1) *to++ = (char)code, c += 2;
            else *to++ = *c;
        }
        *to = '\0';
        assert_int_equal(map_query_add(&query, part, &failure), VIRGA_OK);
    }
    map_query_ask(&query, &ask);
    ask.dataset = catalog->datasets[0].id;
    ask.variable = "ta";
    if (map_layer_resolve(catalog, &ask, 1e9, &again, &failure)) fail_msg("%s", failure.message);
    assert_string_equal(again.key, layer.key);
    assert_int_equal(again.keeping, MAP_KEEP_EVER);
    free(text);
    map_layer_destroy(&layer);
    map_layer_destroy(&again);
    catalog_unref(catalog);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_parts), cmocka_unit_test(test_long_values_are_refused), cmocka_unit_test(test_values),
                                       cmocka_unit_test(test_what_is_written_is_read_again)};
    return cmocka_run_group_tests(tests, made_begin, made_end);
}
