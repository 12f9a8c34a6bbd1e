// SPDX-License-Identifier: Apache-2.0
// What the texts of a map's layer mean, what is refused, and when two layers look the same.
#include "../field/made_file.h"

#include "server/map_layer.h"

static const double new_year = 1577836800, hour = 3600;  // 2020-01-01T00Z

// Temperature on two pressures for two members, a wind by components, cloud, and the ground.
static void write_run(const char *name, double run, float first) {
    static const double pressures[] = {1000, 500}, members[] = {0, 7};
    float data[3 * 2 * 2 * 12];
    int nc = made_create(name), dims[5], plain[4];
    for (size_t n = 0; n < sizeof data / sizeof *data; n++) data[n] = first + (float)n;
    plain[0] = dims[0] = made_even_axis(nc, "time", 3, run, 1, "time", "hours since 2020-01-01");
    dims[1] = made_axis(nc, "realization", 2, members, "realization", "1");
    plain[1] = dims[2] = made_axis(nc, "plev", 2, pressures, "air_pressure", "hPa");
    plain[2] = dims[3] = made_even_axis(nc, "lat", 3, 50, 1, "latitude", "degrees_north");
    plain[3] = dims[4] = made_even_axis(nc, "lon", 4, 0, 1, "longitude", "degrees_east");
    made_scalar(nc, "forecast_reference_time", run, "forecast_reference_time", "hours since 2020-01-01");
    NC(nc_put_var_float(nc, made_var(nc, "ta", NC_FLOAT, 5, dims, "air_temperature", "K"), data));
    NC(nc_put_var_float(nc, made_var(nc, "u", NC_FLOAT, 4, plain, "eastward_wind", "m s-1"), data));
    NC(nc_put_var_float(nc, made_var(nc, "v", NC_FLOAT, 4, plain, "northward_wind", "m s-1"), data));
    NC(nc_put_var_float(nc, made_var(nc, "cl", NC_FLOAT, 4, plain, "cloud_area_fraction_in_atmosphere_layer", "1"), data));
    NC(nc_put_var_float(nc, made_var(nc, "orog", NC_FLOAT, 2, plain + 2, "surface_altitude", "m"), data));
    NC(nc_close(nc));
}

static struct catalog *open_one(const char *name, float first) {
    write_run(name, 0, first);
    return made_open(name);
}

static int try(struct catalog *catalog, struct map_ask ask, struct map_layer *layer, struct failure *failure) {
    *failure = (struct failure){0};
    if (!ask.dataset) ask.dataset = catalog->datasets[0].id;
    return map_layer_resolve(catalog, &ask, new_year + hour, layer, failure);
}

static struct map_layer get(struct catalog *catalog, struct map_ask ask) {
    struct map_layer layer;
    struct failure failure;
    if (try(catalog, ask, &layer, &failure)) fail_msg("%s", failure.message);
    return layer;
}

static void refused(struct catalog *catalog, struct map_ask ask, int status, const char *words) {
    struct map_layer layer;
    struct failure failure;
    int got = try(catalog, ask, &layer, &failure);
    if (got != status || !strstr(failure.message, words)) fail_msg("%d \"%s\" where %d with \"%s\" was expected", got, failure.message, status, words);
    map_layer_destroy(&layer);
}

static void test_what_is_not_said(void **state) {
    (void)state;
    struct catalog *catalog = open_one("plain.nc", 280);
    struct map_layer layer = get(catalog, (struct map_ask){.variable = "ta"});
    assert_int_equal(layer.surface.kind, SURFACE_LEVEL);
    assert_true(layer.surface.value == 0 && layer.field.step == 1 && layer.field.member == 0 && !layer.partner.dataset);
    assert_int_equal(layer.keeping, MAP_KEEP_LATEST);
    assert_int_equal(layer.style.draw, MAP_FILL);
    assert_string_equal(map_layer_time(&layer)->iso, "2020-01-01T01:00:00Z");
    assert_string_equal(map_layer_run(&layer)->iso, "2020-01-01T00:00:00Z");
    map_layer_destroy(&layer);
    layer = get(catalog, (struct map_ask){.variable = "orog", .level = ""});
    assert_int_equal(layer.surface.kind, SURFACE_OWN);
    map_layer_destroy(&layer);
    map_layer_destroy(&layer);  // once more is allowed
    catalog_unref(catalog);
}

static void test_how_long_it_may_be_kept(void **state) {
    (void)state;
    struct catalog *catalog = open_one("keep.nc", 280);
    struct map_ask ask = {.variable = "ta", .run = "2020-01-01T00:00:00Z"};
    struct map_layer layer = get(catalog, ask);
    char edition[MAP_KEY];
    assert_int_equal(layer.keeping, MAP_KEEP_LATEST);  // no time is named
    map_layer_destroy(&layer);
    ask.time = "2020-01-01T02:00:00Z";
    layer = get(catalog, ask);
    assert_int_equal(layer.keeping, MAP_KEEP_NAMED);
    strcpy(edition, layer.edition);
    map_layer_destroy(&layer);
    ask.edition = edition;
    layer = get(catalog, ask);
    assert_int_equal(layer.keeping, MAP_KEEP_EVER);
    map_layer_destroy(&layer);
    ask.run = "latest";
    layer = get(catalog, ask);
    assert_int_equal(layer.keeping, MAP_KEEP_LATEST);
    map_layer_destroy(&layer);
    edition[0] ^= 1;
    refused(catalog, ask, VIRGA_CHANGED, "edition");
    catalog_unref(catalog);
}

static void test_what_looks_the_same_has_one_key(void **state) {
    (void)state;
    struct catalog *catalog = open_one("key.nc", 280);
    const struct map_ask same[] = {
        {.variable = "ta", .time = "T+1", .level = "850hPa"}, {.variable = "ta", .time = "2020-01-01T01:00:00Z", .level = "85000Pa", .member = "0"},
        {.variable = "ta", .run = "latest", .time = "T+1", .level = "850hPa", .style = "fill"}};
    const struct map_ask others[] = {
        {.variable = "ta", .time = "T+2", .level = "850hPa"}, {.variable = "ta", .time = "T+1", .level = "500hPa"}, {.variable = "ta", .time = "T+1", .level = "850hPa", .member = "7"},
        {.variable = "ta", .time = "T+1", .level = "850hPa", .style = "contours"}, {.variable = "ta", .time = "T+1", .level = "850hPa", .options = {{"range", "250,300"}}},
        {.variable = "u", .time = "T+1", .level = "850hPa"}};
    struct map_layer first = get(catalog, same[0]);
    for (size_t n = 1; n < sizeof same / sizeof *same; n++) {
        struct map_layer layer = get(catalog, same[n]);
        assert_string_equal(layer.key, first.key);
        assert_string_equal(layer.edition, first.edition);
        map_layer_destroy(&layer);
    }
    for (size_t n = 0; n < sizeof others / sizeof *others; n++) {
        struct map_layer layer = get(catalog, others[n]);
        assert_string_not_equal(layer.key, first.key);
        map_layer_destroy(&layer);
    }
    map_layer_destroy(&first);
    catalog_unref(catalog);
}

static void test_a_file_that_is_replaced_has_another_edition(void **state) {
    (void)state;
    struct catalog *catalog = open_one("again.nc", 280);
    struct map_layer before = get(catalog, (struct map_ask){.variable = "ta"});
    struct catalog *later;
    assert_int_equal(remove(made_path("again.nc")), 0);
    later = open_one("again.nc", 281);
    struct map_layer after = get(later, (struct map_ask){.variable = "ta"});
    assert_string_not_equal(before.edition, after.edition);
    assert_string_not_equal(before.key, after.key);
    map_layer_destroy(&before);
    map_layer_destroy(&after);
    catalog_unref(catalog);
    catalog_unref(later);
}

static void test_winds_have_partners(void **state) {
    (void)state;
    struct catalog *catalog = open_one("wind.nc", 3);
    struct map_layer layer = get(catalog, (struct map_ask){.variable = "wind_speed", .level = "500hPa", .style = "barbs"});
    assert_non_null(layer.partner.dataset);
    assert_string_equal(layer.partner.dataset->variables[layer.partner.variable].standard_name, "wind_from_direction");
    assert_int_equal(layer.partner.step, layer.field.step);
    map_layer_destroy(&layer);
    refused(catalog, (struct map_ask){.variable = "ta", .style = "barbs"}, VIRGA_INVALID, "wind");
    catalog_unref(catalog);
}

static void test_heights_are_heights(void **state) {
    (void)state;
    struct catalog *catalog = open_one("top.nc", 0);
    struct map_layer layer = get(catalog, (struct map_ask){.variable = "cl", .level = "top"});
    assert_true(layer.surface.value == 0.5);
    assert_string_equal(layer.shown.units, "m");
    assert_true(layer.style.range[1] > 1000);
    map_layer_destroy(&layer);
    refused(catalog, (struct map_ask){.variable = "ta", .level = "base"}, VIRGA_INVALID, "threshold");
    catalog_unref(catalog);
}

static void test_what_is_refused(void **state) {
    (void)state;
    struct catalog *catalog = open_one("wrong.nc", 280);
    refused(catalog, (struct map_ask){.dataset = "nowhere", .variable = "ta"}, VIRGA_NOT_FOUND, "nowhere");
    refused(catalog, (struct map_ask){.dataset = "", .variable = "ta"}, VIRGA_NOT_FOUND, "dataset");
    refused(catalog, (struct map_ask){.variable = "nothing"}, VIRGA_NOT_FOUND, "nothing");
    refused(catalog, (struct map_ask){0}, VIRGA_NOT_FOUND, "variable");
    refused(catalog, (struct map_ask){.variable = "ta", .time = "soon"}, VIRGA_INVALID, "soon");
    refused(catalog, (struct map_ask){.variable = "ta", .time = "2021-01-01T00:00:00Z"}, VIRGA_NOT_FOUND, "2020-01-01T02:00:00Z");
    refused(catalog, (struct map_ask){.variable = "ta", .member = "3"}, VIRGA_NOT_FOUND, "from 0 to 7");
    refused(catalog, (struct map_ask){.variable = "ta", .level = "k2"}, VIRGA_NOT_FOUND, "k1");
    refused(catalog, (struct map_ask){.variable = "ta", .level = "high"}, VIRGA_INVALID, "high");
    refused(catalog, (struct map_ask){.variable = "orog", .level = "850hPa"}, VIRGA_INVALID, "no levels");
    refused(catalog, (struct map_ask){.variable = "ta", .style = "paint"}, VIRGA_INVALID, "paint");
    refused(catalog, (struct map_ask){.variable = "ta", .options = {{"bands", "1000000"}}}, VIRGA_INVALID, "bands");
    catalog_unref(catalog);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_not_said), cmocka_unit_test(test_how_long_it_may_be_kept), cmocka_unit_test(test_what_looks_the_same_has_one_key),
        cmocka_unit_test(test_a_file_that_is_replaced_has_another_edition), cmocka_unit_test(test_winds_have_partners), cmocka_unit_test(test_heights_are_heights),
        cmocka_unit_test(test_what_is_refused)};
    return cmocka_run_group_tests(tests, made_begin, made_end);
}
