// SPDX-License-Identifier: Apache-2.0
// Map styles: one text for each, every option, what is refused, and what a variable's preset fills in.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "made_dataset.h"
#include "render/map_style.h"
#include "render/map_wind.h"

static void parsed(const char *text, struct map_style *style) {
    struct failure failure = {0};
    if (map_style_parse(text, style, &failure)) fail_msg("\"%s\": %s", text, failure.message);
}

static void assert_text(const char *text, const char *canonical) {
    struct map_style style, again;
    char written[MAP_STYLE_TEXT], twice[MAP_STYLE_TEXT];
    parsed(text, &style);
    map_style_write(&style, written);
    assert_string_equal(written, canonical);
    parsed(written, &again);
    map_style_write(&again, twice);
    assert_string_equal(twice, canonical);
}

static void test_a_style_has_one_text(void **state) {
    (void)state;
    assert_text("", "fill");
    assert_text("fill", "fill");
    assert_text("fill/thermal", "fill/thermal");
    assert_text("fill/thermal-inv", "fill/thermal-inv");
    assert_text("/thermal", "fill/thermal");
    assert_text("barbs;ink=00FF0a", "barbs;ink=00ff0a");
    assert_text("contours;interval=4e2", "contours;interval=400");
    assert_text("fill-contours/rain;above=FF0000;below=transparent;bands=020;log;range=0.1,1e2;opacity=.8",
                "fill-contours/rain;range=0.1,100;bands=20;log;below=transparent;above=ff0000;opacity=0.8");
    assert_text("fill;log=false;below=extend;opacity=1;range=1,2;range=auto", "fill;range=auto");
    assert_text("fill;range=-0,0.30000000000000004", "fill;range=0,0.30000000000000004");
    assert_text("values;fade=false", "values;fade=false");
}

static void test_the_longest_text_has_room(void **state) {
    (void)state;
    assert_text("fill-contours/purple_white_green-inv;range=-1.2345678901234567e-101,1.2345678901234567e+101;bands=253;log;below=transparent;"
                "above=transparent;fade=false;opacity=0.12345678901234567;interval=1.2345678901234567e+101;ink=123456",
                "fill-contours/purple_white_green-inv;range=-1.2345678901234567e-101,1.2345678901234567e+101;bands=253;log;below=transparent;"
                "above=transparent;fade=false;opacity=0.12345678901234566;interval=1.2345678901234567e+101;ink=123456");
}

static void test_what_is_wrong_is_refused_in_words(void **state) {
    (void)state;
    static const char *const wrong[] = {"boxfill", "fill/", "fill/nothing", "fill/-inv", "fill/thermal/rain", "fill;", "fill;range", "fill;range=1", "fill;range=2,1",
        "fill;range=1,1", "fill;range=1,2,3", "fill;range=nan,1", "fill;range=0,inf", "fill;range=0x1,2", "fill;range= 1,2", "fill;range=1e999,2", "fill;bands=1",
        "fill;bands=254", "fill;bands=1e1", "fill;bands=-3", "fill;bands=", "fill;log=1", "fill;below=red", "fill;above=12345", "fill;above=1234567", "fill;above=12345g",
        "fill;opacity=1.1", "fill;opacity=-0.1", "fill;opacity=", "fill;interval=0", "fill;interval=-1", "fill;interval=x", "fill;ink=", "fill;colour=ff0000", "FILL",
        "fill;range=1,2 ", "\xff\n", "%s%n"};
    for (size_t n = 0; n < sizeof wrong / sizeof *wrong; n++) {
        struct map_style style;
        struct failure failure = {0};
        if (map_style_parse(wrong[n], &style, &failure) != VIRGA_INVALID) fail_msg("\"%s\" was taken", wrong[n]);
        assert_int_not_equal(strlen(failure.message), 0);
        for (const char *c = failure.message; *c; c++) assert_true(*c >= ' ' && *c <= '~');
    }
    char longer[2 * MAP_STYLE_TEXT];
    struct map_style style;
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(map_style_parse(longer, &style, NULL), VIRGA_INVALID);
    memcpy(longer, "fill/", 5);
    longer[300] = '\0';
    assert_int_equal(map_style_parse(longer, &style, NULL), VIRGA_INVALID);
}

static void completed(const char *text, const struct catalog_variable *variable, const double field[2], const char *canonical) {
    struct map_style style;
    struct failure failure = {0};
    char written[MAP_STYLE_TEXT];
    parsed(text, &style);
    assert_int_equal(map_style_complete(&style, variable, field, &failure), VIRGA_OK);
    map_style_write(&style, written);
    assert_string_equal(written, canonical);
}

static void test_presets_fill_in_what_is_open(void **state) {
    struct made_dataset *made = *state;
    const struct catalog_variable *ta = &made->variables[MADE_TA];
    const double field[2] = {250, 260};
    completed("fill", ta, NULL, "fill/temperature;range=210,310;fade=false;interval=2.5");
    completed("fill", ta, field, "fill/temperature;range=210,310;fade=false;interval=2.5");
    completed("fill/wind;range=auto", ta, field, "fill/wind;range=249.65,260.15;fade=false;interval=2.5");  // -23.5 to -13 °C
    completed("fill;range=auto", ta, NULL, "fill/temperature;range=auto;fade=false;interval=2.5");
    completed("contours;interval=1", ta, NULL, "contours;range=210,310;fade=false;interval=1");
    completed("contours", &made->variables[MADE_HIDDEN], NULL, "contours;range=60000,104000;fade=false;interval=2000");
}

static void test_without_a_usual_range_the_field_decides(void **state) {
    struct made_dataset *made = *state;
    struct catalog_variable *oro = &made->variables[MADE_ORO], *other = &made->variables[MADE_WIND];
    const double heights[2] = {-3.2, 2811}, one[2] = {0, 0};
    completed("fill", oro, NULL, "fill/terrain;range=auto;fade=false;interval=200");
    completed("fill", oro, heights, "fill/terrain;range=-200,3000;fade=false;interval=200");
    completed("fill;range=0,500", oro, heights, "fill/terrain;range=0,500;fade=false;interval=200");
    other->standard_name = "";
    other->units = "J kg-1";
    completed("fill", other, NULL, "fill/lagoon;range=auto;fade=false");
    completed("fill", other, heights, "fill/lagoon;range=-200,3000;fade=false;interval=500");
    struct map_style style;
    parsed("fill", &style);
    assert_int_equal(map_style_complete(&style, other, one, NULL), VIRGA_OK);
    assert_true(style.range[0] < 0 && style.range[1] > 0 && style.range_kind == MAP_RANGE_SAID);
    other->units = "%";
    completed("fill", other, heights, "fill/humidity;range=0,100;fade=false;interval=10");
}

static void test_clouds_let_the_map_through(void **state) {
    struct made_dataset *made = *state;
    const struct catalog_variable *cloud = &made->variables[MADE_CLOUD];
    struct map_style style;
    parsed("fill", &style);
    assert_int_equal(map_style_complete(&style, cloud, NULL, NULL), VIRGA_OK);
    assert_int_equal(style.fade, MAP_FADE_ON);
    assert_true(style.alpha_count > 1);
    assert_true(style.alpha[0][1] == 0);
    assert_true(style.alpha[style.alpha_count - 1][1] == 1);
    parsed("fill/grey", &style);
    assert_int_equal(map_style_complete(&style, cloud, NULL, NULL), VIRGA_OK);
    assert_int_equal(style.alpha_count, 0);
}

static void test_a_logarithm_needs_values_above_nothing(void **state) {
    struct made_dataset *made = *state;
    struct map_style style;
    struct failure failure = {0};
    parsed("fill;log;range=0,1", &style);
    assert_int_equal(map_style_complete(&style, &made->variables[MADE_TA], NULL, &failure), VIRGA_INVALID);
    parsed("fill;log;range=1,10", &style);
    assert_int_equal(map_style_complete(&style, &made->variables[MADE_TA], NULL, &failure), VIRGA_OK);
}

static void test_every_style_on_offer_is_one(void **state) {
    (void)state;
    char name[MAP_STYLE_TEXT], title[MAP_STYLE_TEXT], canonical[MAP_STYLE_TEXT];
    size_t count = 0, plain = 0;
    for (; map_style_offered(count, true, name, title); count++) {
        struct map_style style;
        parsed(name, &style);
        map_style_write(&style, canonical);
        assert_string_equal(name, canonical);
        assert_true(*title);
    }
    while (map_style_offered(plain, false, name, title)) assert_false(strncmp(name, "barbs", 5) == 0 || strncmp(name, "arrows", 6) == 0), plain++;
    assert_int_equal(plain + 2, count);
}

static void test_a_wind_finds_its_partner(void **state) {
    struct made_dataset *made = *state;
    enum map_wind_kind kind;
    struct catalog_variable *v = made->variables;
    assert_int_equal(map_wind_partner(&made->dataset, MADE_WIND, &kind), -1);
    v[MADE_TA] = v[MADE_WIND];
    v[MADE_TA].id = "direction_10m";
    v[MADE_TA].standard_name = "wind_from_direction";
    v[MADE_CLOUD] = v[MADE_TA];
    v[MADE_CLOUD].id = "direction";
    v[MADE_WIND].id = "speed";
    assert_int_equal(map_wind_partner(&made->dataset, MADE_WIND, &kind), MADE_TA);
    assert_int_equal(kind, MAP_WIND_SPEED_FROM);
    v[MADE_WIND].id = "speed_10m";
    v[MADE_CLOUD].nz = 1;
    assert_int_equal(map_wind_partner(&made->dataset, MADE_WIND, &kind), MADE_TA);
    assert_int_equal(map_wind_partner(&made->dataset, MADE_TA, &kind), -1);
    v[MADE_WIND].standard_name = "eastward_wind";
    assert_int_equal(map_wind_partner(&made->dataset, MADE_WIND, &kind), -1);
    v[MADE_TA].standard_name = "northward_wind";
    assert_int_equal(map_wind_partner(&made->dataset, MADE_WIND, &kind), MADE_TA);
    assert_int_equal(kind, MAP_WIND_COMPONENTS);
}

static int set_up(void **state) {
    static struct made_dataset made;
    made_dataset_init(&made);
    *state = &made;
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_style_has_one_text),
        cmocka_unit_test(test_the_longest_text_has_room),
        cmocka_unit_test(test_what_is_wrong_is_refused_in_words),
        cmocka_unit_test_setup(test_presets_fill_in_what_is_open, set_up),
        cmocka_unit_test_setup(test_without_a_usual_range_the_field_decides, set_up),
        cmocka_unit_test_setup(test_clouds_let_the_map_through, set_up),
        cmocka_unit_test_setup(test_a_logarithm_needs_values_above_nothing, set_up),
        cmocka_unit_test(test_every_style_on_offer_is_one),
        cmocka_unit_test_setup(test_a_wind_finds_its_partner, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
