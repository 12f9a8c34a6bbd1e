// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/wms_query.h"

static struct wms_parameters parameters;
static struct wms_query query;
static struct wms_exception exception;

// Reads "A=1&B=2".
static int reads(const char *text) {
    char copy[WMS_TEXT];
    memset(&parameters, 0, sizeof parameters);
    strcpy(copy, text);
    for (char *save = NULL, *part = strtok_r(copy, "&", &save); part; part = strtok_r(NULL, "&", &save))
        assert_int_equal(wms_parameters_add(&parameters, part), VIRGA_OK);
    return wms_query_read(&parameters, &query, &exception);
}

#define MAP "SERVICE=WMS&VERSION=1.3.0&REQUEST=GetMap"
#define REST "&LAYERS=d/t&STYLES=&CRS=CRS:84&BBOX=-10,40,20,60&WIDTH=300&HEIGHT=200&FORMAT=image/png"

static void test_a_map(void **state) {
    (void)state;
    assert_int_equal(reads(MAP REST "&transparent=TRUE&BGCOLOR=0xff8000&time=2026-01-01T00:00:00Z&ELEVATION=850&DIM_REFERENCE_TIME=2025-12-31T12:00:00Z"), VIRGA_OK);
    assert_int_equal(query.request, WMS_MAP);
    assert_int_equal(query.version, WMS_1_3_0);
    assert_int_equal(query.layer_count, 1);
    assert_string_equal(query.layers[0], "d/t");
    assert_string_equal(query.styles[0], "");
    assert_string_equal(query.crs, "CRS:84");
    assert_true(query.box[0] == -10 && query.box[1] == 40 && query.box[2] == 20 && query.box[3] == 60);
    assert_int_equal(query.width, 300);
    assert_int_equal(query.height, 200);
    assert_int_equal(query.format, IMAGE_PNG);
    assert_true(query.transparent);
    assert_int_equal(query.background[1], 0x80);
    assert_string_equal(query.dimensions.time, "2026-01-01T00:00:00Z");
    assert_string_equal(query.dimensions.elevation, "850");
    assert_string_equal(query.dimensions.run, "2025-12-31T12:00:00Z");
    assert_string_equal(query.dimensions.member, "");
}

static void test_only_1_3_0_has_latitude_first(void **state) {
    (void)state;
    assert_int_equal(reads(MAP "&LAYERS=a&STYLES=&CRS=EPSG:4326&BBOX=40,-10,60,20&WIDTH=3&HEIGHT=2&FORMAT=image/png"), VIRGA_OK);
    assert_true(query.box[0] == -10 && query.box[1] == 40 && query.box[2] == 20 && query.box[3] == 60);
    assert_int_equal(reads("VERSION=1.1.1&REQUEST=GetMap&LAYERS=a&STYLES=&SRS=EPSG:4326&BBOX=-10,40,20,60&WIDTH=3&HEIGHT=2&FORMAT=image/png"), VIRGA_OK);
    assert_true(query.box[0] == -10 && query.box[1] == 40 && query.box[2] == 20 && query.box[3] == 60);
    assert_int_equal(reads(MAP "&LAYERS=a&STYLES=&CRS=EPSG:3857&BBOX=1,2,3,4&WIDTH=3&HEIGHT=2&FORMAT=image/png"), VIRGA_OK);
    assert_true(query.box[0] == 1 && query.box[1] == 2 && query.box[2] == 3 && query.box[3] == 4);
}

static void test_versions_are_negotiated(void **state) {
    (void)state;
    static const struct { const char *asked; enum wms_version answered; } known[] = {
        {"", WMS_1_3_0}, {"1.3.0", WMS_1_3_0}, {"1.1.1", WMS_1_1_1}, {"1.0.0", WMS_1_1_1}, {"1.2.0", WMS_1_1_1}, {"1.1.0", WMS_1_1_1}, {"2.0.0", WMS_1_3_0}, {"x", WMS_1_3_0}};
    for (size_t n = 0; n < sizeof known / sizeof *known; n++) {
        char text[100];
        snprintf(text, sizeof text, "service=WMS&request=GetCapabilities&version=%s", known[n].asked);
        assert_int_equal(reads(text), VIRGA_OK);
        assert_int_equal(query.version, known[n].answered);
    }
}

static void refused(const char *text, const char *code, const char *locator) {
    int status = reads(text);
    if (status != VIRGA_INVALID || strcmp(exception.code, code) || strcmp(exception.locator, locator))
        fail_msg("%s: %d %s %s: %s", text, status, exception.code, exception.locator, exception.failure.message);
    assert_true(strlen(exception.failure.message) > 5);
}

static void test_what_is_missing_or_wrong_is_told(void **state) {
    (void)state;
    refused("", "MissingParameterValue", "REQUEST");
    refused("REQUEST=GetTile", "OperationNotSupported", "REQUEST");
    refused("REQUEST=GetCapabilities", "MissingParameterValue", "SERVICE");
    refused("REQUEST=GetCapabilities&SERVICE=WFS", "InvalidParameterValue", "SERVICE");
    refused("REQUEST=GetMap" REST, "MissingParameterValue", "VERSION");
    refused("REQUEST=GetMap&VERSION=1.2.0" REST, "InvalidParameterValue", "VERSION");
    static const struct { const char *rest, *code, *locator; } maps[] = {
        {"&LAYERS=a&STYLES=&CRS=CRS:84&BBOX=0,0,1,1&WIDTH=1&HEIGHT=1", "MissingParameterValue", "FORMAT"},
        {"&LAYERS=a&STYLES=&CRS=CRS:84&BBOX=0,0,1,1&WIDTH=1&HEIGHT=1&FORMAT=image/gif", "InvalidFormat", "FORMAT"},
        {"&LAYERS=a&STYLES=&CRS=CRS:84&BBOX=0,0,1,1&HEIGHT=1&FORMAT=image/png", "MissingParameterValue", "WIDTH"},
        {"&LAYERS=a&STYLES=&CRS=CRS:84&BBOX=0,0,1,1&WIDTH=0&HEIGHT=1&FORMAT=image/png", "InvalidParameterValue", "WIDTH"},
        {"&LAYERS=a&STYLES=&CRS=CRS:84&BBOX=0,0,1,1&WIDTH=-5&HEIGHT=1&FORMAT=image/png", "InvalidParameterValue", "WIDTH"},
        {"&LAYERS=a&STYLES=&CRS=CRS:84&BBOX=0,0,1,1&WIDTH=1&HEIGHT=99999999999999999999&FORMAT=image/png", "InvalidParameterValue", "HEIGHT"},
        {"&LAYERS=&STYLES=&CRS=CRS:84&BBOX=0,0,1,1&WIDTH=1&HEIGHT=1&FORMAT=image/png", "MissingParameterValue", "LAYERS"},
        {"&LAYERS=a,&STYLES=&CRS=CRS:84&BBOX=0,0,1,1&WIDTH=1&HEIGHT=1&FORMAT=image/png", "LayerNotDefined", "LAYERS"},
        {"&LAYERS=a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q&STYLES=&CRS=CRS:84&BBOX=0,0,1,1&WIDTH=1&HEIGHT=1&FORMAT=image/png", "InvalidParameterValue", "LAYERS"},
        {"&LAYERS=a&CRS=CRS:84&BBOX=0,0,1,1&WIDTH=1&HEIGHT=1&FORMAT=image/png", "MissingParameterValue", "STYLES"},
        {"&LAYERS=a&STYLES=a,b&CRS=CRS:84&BBOX=0,0,1,1&WIDTH=1&HEIGHT=1&FORMAT=image/png", "StyleNotDefined", "STYLES"},
        {"&LAYERS=a,b,c&STYLES=a,b&CRS=CRS:84&BBOX=0,0,1,1&WIDTH=1&HEIGHT=1&FORMAT=image/png", "StyleNotDefined", "STYLES"},
        {"&LAYERS=a&STYLES=&BBOX=0,0,1,1&WIDTH=1&HEIGHT=1&FORMAT=image/png", "MissingParameterValue", "CRS"},
        {"&LAYERS=a&STYLES=&CRS=EPSG:99999&BBOX=0,0,1,1&WIDTH=1&HEIGHT=1&FORMAT=image/png", "InvalidCRS", "CRS"},
        {"&LAYERS=a&STYLES=&CRS=%2Bproj&BBOX=0,0,1,1&WIDTH=1&HEIGHT=1&FORMAT=image/png", "InvalidCRS", "CRS"},
        {"&LAYERS=a&STYLES=&CRS=CRS:84&WIDTH=1&HEIGHT=1&FORMAT=image/png", "MissingParameterValue", "BBOX"},
        {"&LAYERS=a&STYLES=&CRS=CRS:84&BBOX=0,0,1&WIDTH=1&HEIGHT=1&FORMAT=image/png", "InvalidParameterValue", "BBOX"},
        {"&LAYERS=a&STYLES=&CRS=CRS:84&BBOX=0,0,1,1,1&WIDTH=1&HEIGHT=1&FORMAT=image/png", "InvalidParameterValue", "BBOX"},
        {"&LAYERS=a&STYLES=&CRS=CRS:84&BBOX=nan,0,1,1&WIDTH=1&HEIGHT=1&FORMAT=image/png", "InvalidParameterValue", "BBOX"},
        {"&LAYERS=a&STYLES=&CRS=CRS:84&BBOX=0,0,1e999,1&WIDTH=1&HEIGHT=1&FORMAT=image/png", "InvalidParameterValue", "BBOX"},
        {"&LAYERS=a&STYLES=&CRS=CRS:84&BBOX=0x0,0,1,1&WIDTH=1&HEIGHT=1&FORMAT=image/png", "InvalidParameterValue", "BBOX"},
        {"&LAYERS=a&STYLES=&CRS=CRS:84&BBOX=1,0,1,1&WIDTH=1&HEIGHT=1&FORMAT=image/png", "InvalidParameterValue", "BBOX"},
    };
    for (size_t n = 0; n < sizeof maps / sizeof *maps; n++) {
        char text[1000];
        snprintf(text, sizeof text, MAP "%s", maps[n].rest);
        refused(text, maps[n].code, maps[n].locator);
    }
    refused("VERSION=1.1.1&REQUEST=GetMap&LAYERS=a&STYLES=&SRS=EPSG:1&BBOX=0,0,1,1&WIDTH=1&HEIGHT=1&FORMAT=image/png", "InvalidSRS", "SRS");
    refused(MAP REST "&TIME=2026-01-01/2026-01-02/PT1H", "InvalidDimensionValue", "TIME");
    refused(MAP REST "&ELEVATION=850,500", "InvalidDimensionValue", "ELEVATION");
    refused(MAP REST "&ELEVATION=850,8500", "InvalidDimensionValue", "ELEVATION");
    refused(MAP REST "&ELEVATION=850,", "InvalidDimensionValue", "ELEVATION");
    refused(MAP REST "&BGCOLOR=red", "InvalidParameterValue", "BGCOLOR");
    refused(MAP REST "&TRANSPARENT=maybe", "InvalidParameterValue", "TRANSPARENT");
    refused(MAP REST "&EXCEPTIONS=json", "InvalidParameterValue", "EXCEPTIONS");
    refused(MAP REST "&SLD=http://127.0.0.1/x", "InvalidParameterValue", "SLD");
    refused(MAP REST "&SLD_BODY=<x/>", "InvalidParameterValue", "SLD_BODY");
}

static void test_an_exception_comes_in_the_form_asked_for(void **state) {
    (void)state;
    refused(MAP "&EXCEPTIONS=INIMAGE", "MissingParameterValue", "FORMAT");
    assert_int_equal(query.refusal, WMS_REFUSE_IN_IMAGE);
    refused("REQUEST=GetMap&VERSION=1.1.1&EXCEPTIONS=application/vnd.ogc.se_blank&FORMAT=image/png&WIDTH=7&HEIGHT=8", "MissingParameterValue", "LAYERS");
    assert_int_equal(query.refusal, WMS_REFUSE_BLANK);
    assert_int_equal(query.version, WMS_1_1_1);
    assert_int_equal(query.width, 7);
    refused("REQUEST=GetFeatureInfo&VERSION=1.1.1&EXCEPTIONS=BLANK", "MissingParameterValue", "WIDTH");
    assert_int_equal(query.refusal, WMS_REFUSE_XML);
}

static void test_parameters_of_ncwms(void **state) {
    (void)state;
    assert_int_equal(reads(MAP REST "&COLORSCALERANGE=-1.5,2e1&NUMCOLORBANDS=20&LOGSCALE=TRUE&ABOVEMAXCOLOR=0xFF8000&BELOWMINCOLOR=transparent&OPACITY=40"), VIRGA_OK);
    assert_string_equal(query.options[WMS_RANGE], "-1.5,20");
    assert_string_equal(query.options[WMS_BANDS], "20");
    assert_string_equal(query.options[WMS_LOG], "true");
    assert_string_equal(query.options[WMS_ABOVE], "ff8000");
    assert_string_equal(query.options[WMS_BELOW], "transparent");
    assert_true(fabs(atof(query.options[WMS_OPACITY]) - 0.4) < 1e-9);
    assert_int_equal(reads(MAP REST "&COLORSCALERANGE=auto&ABOVEMAXCOLOR=extend&BELOWMINCOLOR=0x00FF8000"), VIRGA_OK);
    assert_string_equal(query.options[WMS_RANGE], "auto");
    assert_string_equal(query.options[WMS_ABOVE], "extend");
    assert_string_equal(query.options[WMS_BELOW], "transparent");
    assert_int_equal(reads(MAP REST "&COLORSCALERANGE=default"), VIRGA_OK);
    assert_string_equal(query.options[WMS_RANGE], "");
    refused(MAP REST "&COLORSCALERANGE=2,1", "InvalidParameterValue", "COLORSCALERANGE");
    refused(MAP REST "&COLORSCALERANGE=1,1", "InvalidParameterValue", "COLORSCALERANGE");
    refused(MAP REST "&NUMCOLORBANDS=1", "InvalidParameterValue", "NUMCOLORBANDS");
    refused(MAP REST "&NUMCOLORBANDS=1000", "InvalidParameterValue", "NUMCOLORBANDS");
    refused(MAP REST "&LOGSCALE=2", "InvalidParameterValue", "LOGSCALE");
    refused(MAP REST "&ABOVEMAXCOLOR=mauve", "InvalidParameterValue", "ABOVEMAXCOLOR");
    refused(MAP REST "&OPACITY=101", "InvalidParameterValue", "OPACITY");
}

static void test_layers_and_styles_go_together(void **state) {
    (void)state;
    assert_int_equal(reads(MAP "&LAYERS=a,b,c&STYLES=fill,,barbs&CRS=CRS:84&BBOX=0,0,1,1&WIDTH=1&HEIGHT=1&FORMAT=image/jpeg"), VIRGA_OK);
    assert_int_equal(query.layer_count, 3);
    assert_string_equal(query.styles[0], "fill");
    assert_string_equal(query.styles[1], "");
    assert_string_equal(query.styles[2], "barbs");
    assert_int_equal(query.format, IMAGE_JPEG);
    assert_int_equal(reads(MAP "&LAYERS=a,b,c&STYLES=,,&CRS=CRS:84&BBOX=0,0,1,1&WIDTH=1&HEIGHT=1&FORMAT=image/png"), VIRGA_OK);
    assert_int_equal(reads(MAP "&LAYERS=a,b&STYLES=fill,&CRS=CRS:84&BBOX=0,0,1,1&WIDTH=1&HEIGHT=1&FORMAT=image/png"), VIRGA_OK);
    assert_string_equal(query.styles[0], "fill");
}

#define INFO "SERVICE=WMS&VERSION=1.3.0&REQUEST=GetFeatureInfo&LAYERS=a,b&STYLES=&CRS=CRS:84&BBOX=0,0,1,1&WIDTH=10&HEIGHT=20"

static void test_what_lies_at_a_pixel(void **state) {
    (void)state;
    assert_int_equal(reads(INFO "&QUERY_LAYERS=b,a&INFO_FORMAT=application/json&I=9&J=19"), VIRGA_OK);
    assert_int_equal(query.asked_count, 2);
    assert_int_equal(query.asked[0], 1);
    assert_int_equal(query.asked[1], 0);
    assert_int_equal(query.info, WMS_INFO_JSON);
    assert_int_equal(query.column, 9);
    assert_int_equal(query.row, 19);
    refused(INFO "&QUERY_LAYERS=c&INFO_FORMAT=text/xml&I=0&J=0", "LayerNotDefined", "QUERY_LAYERS");
    refused(INFO "&INFO_FORMAT=text/xml&I=0&J=0", "MissingParameterValue", "QUERY_LAYERS");
    refused(INFO "&QUERY_LAYERS=a&INFO_FORMAT=text/xml&I=10&J=0", "InvalidPoint", "I");
    refused(INFO "&QUERY_LAYERS=a&INFO_FORMAT=text/xml&I=0&J=-1", "InvalidPoint", "J");
    refused(INFO "&QUERY_LAYERS=a&INFO_FORMAT=text/xml&J=1", "MissingParameterValue", "I");
    refused(INFO "&QUERY_LAYERS=a&INFO_FORMAT=image/png&I=0&J=0", "InvalidFormat", "INFO_FORMAT");
    refused(INFO "&QUERY_LAYERS=a&I=0&J=0", "MissingParameterValue", "INFO_FORMAT");
    refused(INFO "&QUERY_LAYERS=a&INFO_FORMAT=text/xml&I=0&J=0&FEATURE_COUNT=0", "InvalidParameterValue", "FEATURE_COUNT");
}

static void test_a_legend(void **state) {
    (void)state;
    assert_int_equal(reads("SERVICE=WMS&REQUEST=GetLegendGraphic&LAYER=d/t&STYLE=fill&WIDTH=100&VERTICAL=false&COLORBARONLY=true"), VIRGA_OK);
    assert_string_equal(query.layers[0], "d/t");
    assert_string_equal(query.styles[0], "fill");
    assert_int_equal(query.width, 100);
    assert_int_equal(query.height, 0);
    assert_true(query.horizontal && query.bar_only);
    assert_int_equal(query.format, IMAGE_PNG);
    refused("REQUEST=GetLegendGraphic&LAYER=d/t&WIDTH=100000", "InvalidParameterValue", "WIDTH");
    refused("REQUEST=GetLegendGraphic", "MissingParameterValue", "LAYER");
    refused("REQUEST=GetLegendGraphic&LAYER=a,b", "LayerNotDefined", "LAYER");
}

static void test_a_value_may_be_said_twice(void **state) {
    (void)state;
    assert_int_equal(reads(MAP REST "&TIME=2026-01-01T00:00:00Z,2026-01-01T00:00:00Z&ELEVATION=850,850,850"), VIRGA_OK);
    assert_string_equal(query.dimensions.time, "2026-01-01T00:00:00Z");
    assert_string_equal(query.dimensions.elevation, "850");
}

static void test_a_plus_that_was_not_escaped(void **state) {
    (void)state;
    assert_int_equal(reads(MAP REST "&TIME=2026-01-01T00:00:00 01:00"), VIRGA_OK);
    assert_string_equal(query.dimensions.time, "2026-01-01T00:00:00+01:00");
    assert_int_equal(reads(MAP REST "&TIME=2026-01-01 00:00"), VIRGA_OK);
    assert_string_equal(query.dimensions.time, "2026-01-01 00:00");
}

static void test_a_section(void **state) {
    (void)state;
    assert_int_equal(reads("REQUEST=GetTransect&LAYER=d/t&LINESTRING=1 2,3 4&WIDTH=300&FORMAT=image/jpeg&COLORSCALERANGE=1,2"), VIRGA_OK);
    assert_int_equal(query.request, WMS_TRANSECT);
    assert_string_equal(query.layers[0], "d/t");
    assert_string_equal(query.crs, "CRS:84");
    assert_int_equal(query.width, 300);
    assert_int_equal(query.height, 0);
    assert_int_equal(query.format, IMAGE_JPEG);
    assert_string_equal(query.options[WMS_RANGE], "1,2");
    assert_string_equal(wms_parameter(&parameters, "linestring"), "1 2,3 4");
    refused("REQUEST=GetVerticalProfile&POINT=1 2", "MissingParameterValue", "LAYERS");
    refused("REQUEST=GetVerticalProfile&LAYERS=a&CRS=EPSG:0", "InvalidCRS", "CRS");
}

static void test_the_resolution_of_a_screen(void **state) {
    (void)state;
    static const struct { const char *text; double scale; } known[] = {
        {"", 1}, {"&DPI=100&MAP_RESOLUTION=100&FORMAT_OPTIONS=dpi:100", 1}, {"&DPI=192", 2}, {"&FORMAT_OPTIONS=dpi:288", 3}, {"&MAP_RESOLUTION=9999", 4}, {"&DPI=lots", 1}, {"&DPI=nan", 1}};
    for (size_t n = 0; n < sizeof known / sizeof *known; n++) {
        char text[1000];
        snprintf(text, sizeof text, MAP REST "%s", known[n].text);
        assert_int_equal(reads(text), VIRGA_OK);
        assert_true(query.scale == known[n].scale);
    }
    assert_int_equal(reads("REQUEST=GetLegendGraphic&LAYER=a&WIDTH=3000&HEIGHT=2000&BBOX=0,0,1,1&CRS=CRS:84&SLD_VERSION=1.1.0"), VIRGA_OK);
    assert_int_equal(query.width, 0);
}

static void test_too_many_parameters_are_not_kept(void **state) {
    (void)state;
    char part[WMS_TEXT + 10];
    memset(&parameters, 0, sizeof parameters);
    for (int n = 0; n < WMS_PARAMETERS; n++) assert_int_equal(wms_parameters_add(&parameters, "a=b"), VIRGA_OK);
    assert_int_equal(wms_parameters_add(&parameters, "a=b"), VIRGA_TOO_LARGE);
    memset(&parameters, 0, sizeof parameters);
    memset(part, 'x', sizeof part);
    part[WMS_TEXT] = '\0';
    assert_int_equal(wms_parameters_add(&parameters, part), VIRGA_TOO_LARGE);
    part[WMS_TEXT - 1] = '\0';
    assert_int_equal(wms_parameters_add(&parameters, part), VIRGA_OK);
    assert_int_equal(wms_parameters_add(&parameters, "k"), VIRGA_TOO_LARGE);
    memset(&parameters, 0, sizeof parameters);
    wms_parameters_add(&parameters, "Key");
    wms_parameters_add(&parameters, "KEY=other");
    assert_string_equal(wms_parameter(&parameters, "kEY"), "");
    assert_null(wms_parameter(&parameters, "ke"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_map),
        cmocka_unit_test(test_only_1_3_0_has_latitude_first),
        cmocka_unit_test(test_versions_are_negotiated),
        cmocka_unit_test(test_what_is_missing_or_wrong_is_told),
        cmocka_unit_test(test_an_exception_comes_in_the_form_asked_for),
        cmocka_unit_test(test_parameters_of_ncwms),
        cmocka_unit_test(test_layers_and_styles_go_together),
        cmocka_unit_test(test_what_lies_at_a_pixel),
        cmocka_unit_test(test_a_legend),
        cmocka_unit_test(test_a_value_may_be_said_twice),
        cmocka_unit_test(test_a_plus_that_was_not_escaped),
        cmocka_unit_test(test_a_section),
        cmocka_unit_test(test_the_resolution_of_a_screen),
        cmocka_unit_test(test_too_many_parameters_are_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
