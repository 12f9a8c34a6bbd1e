// SPDX-License-Identifier: Apache-2.0
// Looks of made-up variables. tests/web/view_command.test.mjs holds the same code against the page's, over whole files.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "field/derived.h"
#include "made_dataset.h"
#include "render/presets.h"

static struct made_dataset made;
static struct view_layer layer;

static int setup(void **state)
{
    (void)state;
    made_dataset_init(&made);
    return 0;
}

static struct catalog_variable *variable(const char *standard_name, const char *units, bool vertical)
{
    made_variable(&made, MADE_TA, "v", standard_name, units, vertical);
    return &made.variables[MADE_TA];
}

static void fill(const struct catalog_variable *v, const double *data)
{
    layer = (struct view_layer){.visible = true};
    assert_int_equal(presets_fill(v, data, &layer), VIRGA_OK);
    assert_true(layer.has_range && layer.range[1] > layer.range[0] && layer.opacity_count > 0);
    for (size_t n = 1; n < layer.opacity_count; n++)
        assert_true(layer.opacity[n][0] >= layer.opacity[n - 1][0]);
}

static void by_name_by_unit_by_data(void **state)
{
    (void)state;
    fill(variable("upward_air_velocity", "m s-1", true), NULL);
    assert_string_equal(layer.colour_map, "purple_white_green");
    fill(variable("", "m/s", true), (const double[]){0, 30});
    assert_string_equal(layer.colour_map, "wind");
    assert_true(layer.range[0] == 0 && layer.range[1] == 30);
    fill(variable("", "Bq m-3", true), (const double[]){2, 12});
    assert_string_equal(layer.colour_map, "lagoon");
    assert_true(layer.opacity[1][0] == 4 && layer.opacity[2][0] == 8);
    fill(variable("air_temperature", "Pa", true), NULL);  // its unit does not fit its name
    assert_string_equal(layer.colour_map, "pressure");
}

static void in_its_own_units(void **state)
{
    (void)state;
    fill(variable("air_temperature", "degC", true), NULL);
    assert_true(layer.range[0] == -63.15 && layer.range[1] == 36.85);
    assert_string_equal(layer.units, "°C");
    fill(variable("cloud_area_fraction_in_atmosphere_layer", "%", true), NULL);
    assert_true(layer.range[1] == 100 && layer.opacity[layer.opacity_count - 1][0] == 100);
    fill(variable("precipitation_flux", "mm h-1", false), NULL);
    assert_string_equal(layer.colour_map, "rain");
    assert_true(layer.range[1] == 10.8);
}

static void what_the_view_says_stays(void **state)
{
    (void)state;
    const struct catalog_variable *v = variable("air_temperature", "K", true);
    layer = (struct view_layer){.colour_map = "grey", .has_range = true, .range = {1, 2}, .units = "K", .opacity_count = 1, .opacity = {{5, 0.5}}};
    assert_int_equal(presets_fill(v, NULL, &layer), VIRGA_OK);
    assert_string_equal(layer.colour_map, "grey");
    assert_string_equal(layer.units, "K");
    assert_true(layer.range[0] == 1 && layer.range[1] == 2 && layer.opacity_count == 1 && layer.opacity[0][0] == 5);
}

static void shallow_data_get_all_colours(void **state)
{
    (void)state;
    fill(variable("air_temperature", "K", true), (const double[]){280.1, 283.4});
    assert_true(layer.range[0] == 280 && layer.range[1] == 283.5);  // steps of 0.5
    fill(variable("air_temperature", "K", true), (const double[]){230, 300});
    assert_true(layer.range[0] == 210 && layer.range[1] == 310);
    fill(variable("wind_speed", "m s-1", true), (const double[]){3, 4});  // whose colours have a meaning
    assert_true(layer.range[0] == 0 && layer.range[1] == 60);
}

static void shallow_volumes_are_denser(void **state)
{
    (void)state;
    made.map.lowest = 0, made.map.highest = 5000;
    fill(variable("cloud_area_fraction_in_atmosphere_layer", "1", true), NULL);
    assert_true(fabs(layer.opacity[3][1] - (1 - 0.5 * 0.5)) < 1e-9);  // 0.5, twice
    made.map.highest = 10;
    fill(variable("cloud_area_fraction_in_atmosphere_layer", "1", true), NULL);
    assert_true(layer.opacity[3][1] <= 1 && layer.opacity[3][1] > 0.999);
}

static void the_ground_is_painted(void **state)
{
    (void)state;
    fill(variable("surface_air_pressure", "Pa", false), NULL);
    assert_int_equal(layer.opacity_count, 2);
    assert_true(layer.opacity[0][1] == 0.85 && layer.opacity[1][0] == layer.range[1]);
    fill(variable("cloud_area_fraction", "1", false), NULL);
    assert_true(layer.opacity[0][1] == 0);
}

static void any_data_give_a_range(void **state)
{
    (void)state;
    const double odd[][2] = {{5, 5}, {NAN, NAN}, {-INFINITY, INFINITY}, {0, 0}, {1e300, 1e300}, {1e13, 1e13 + 4}, {-1e-300, 1e-300}, {7, 3}};
    for (size_t n = 0; n < sizeof odd / sizeof *odd; n++) {
        fill(variable("", "Bq m-3", true), odd[n]);
        fill(variable("air_temperature", "K", true), odd[n]);
    }
    made_variable(&made, MADE_TA, "v", "", "", true);
    made.variables[MADE_TA].lattice = (struct lattice_spec){0};
    fill(&made.variables[MADE_TA], NULL);
}

static void rounds_as_the_page(void **state)
{
    (void)state;
    fill(variable("", "Bq m-3", true), (const double[]){-4076.015625, 4076.015625});  // ties of nine digits
    assert_true(layer.range[0] == -4076.01563 && layer.range[1] == 4076.01563);
}

static void says_when_data_matter(void **state)
{
    (void)state;
    assert_true(presets_need_data(variable("air_temperature", "K", true)));
    assert_true(presets_need_data(variable("", "Bq m-3", true)));
    assert_false(presets_need_data(variable("wind_speed", "m s-1", true)));
}

static void labels(const char *units, const char *wanted, const char *label, double scale, double offset)
{
    struct preset_units shown;
    presets_units(variable("", units, true), wanted, false, &shown);
    assert_string_equal(shown.label, label);
    if (fabs(shown.scale - scale) > 1e-9 * scale || fabs(shown.offset - offset) > 1e-9)
        fail_msg("%s as %s: %.17g, %.17g", units, wanted, shown.scale, shown.offset);
}

static void units_as_people_write_them(void **state)
{
    (void)state;
    labels("K", "", "°C", 1, -273.15);
    labels("K", "K", "K", 1, 0);
    labels("K", "°C", "°C", 1, -273.15);
    labels("K", "hPa", "°C", 1, -273.15);  // cannot be: the usual one
    labels("m s**-1", "", "m/s", 1, 0);
    labels("m s-1", "kt", "kt", 3600.0 / 1852, 0);
    labels("kg kg-1", "g/kg", "g/kg", 1000, 0);
    labels("1", "", "", 1, 0);
    labels("K m2 kg-1 s-1", "", "K m² kg⁻¹ s⁻¹", 1, 0);
    labels("s**-1", "", "s⁻¹", 1, 0);
    labels("s^-12 x", "", "s⁻¹² x", 1, 0);
    labels("2m-", "", "2m-", 1, 0);
    labels("", "", "", 1, 0);
    labels("a-1234567890 b-1234567890 c-1234567890 d-1234567890", "", "a⁻¹²³⁴⁵⁶⁷⁸⁹⁰ b⁻¹²", 1, 0);  // as far as there is room
}

static void title_is(const char *long_name, const char *standard_name, const char *expected)
{
    char title[PRESET_TITLE_TEXT];
    struct catalog_variable *v = variable(standard_name, "K", true);
    v->long_name = (char *)long_name;
    presets_title(v, title);
    assert_string_equal(title, expected);
}

static void titles(void **state)
{
    (void)state;
    char many[400], title[PRESET_TITLE_TEXT];
    title_is("cloud fraction", "cloud_area_fraction", "Cloud fraction");
    title_is("", "cloud_area_fraction", "Cloud area fraction");
    title_is("", "", "V");
    title_is("Übergang", "", "Übergang");
    struct catalog_variable *v = variable("wind_speed", "m s-1", true);
    v->derived = true;
    v->long_name = "wind speed from u and v and more";
    presets_title(v, title);
    assert_string_equal(title, "Wind speed");
    v->from->derived = &derived_member_mean;
    v->long_name = "air temperature, of all members";
    presets_title(v, title);
    assert_string_equal(title, "Air temperature, mean");
    memset(many, 0, sizeof many);
    for (size_t n = 0; n < 199; n++)
        strcat(many, n == 0 ? "X" : "ä");
    v = variable("", "K", true);
    v->long_name = many;
    presets_title(v, title);
    assert_true(strlen(title) == 199 && utf8_valid(title));  // never half a letter
}

static void differences_are_about_zero(void **state)
{
    (void)state;
    struct preset_units units;
    layer = (struct view_layer){.visible = true, .minus = {.used = true}};
    assert_int_equal(presets_fill(variable("air_temperature", "K", true), (const double[]){280, 281}, &layer), VIRGA_OK);
    assert_string_equal(layer.colour_map, "blue_white_red");
    assert_string_equal(layer.units, "K");  // and no offset
    assert_true(layer.range[0] == -2 && layer.range[1] == 2 && layer.opacity_count == 6);
    for (size_t n = 0; n < layer.opacity_count; n++) {
        const double *mirror = layer.opacity[layer.opacity_count - 1 - n];
        assert_true(layer.opacity[n][0] == -mirror[0] && layer.opacity[n][1] == mirror[1]);
    }
    layer = (struct view_layer){.visible = true, .minus = {.used = true}};
    assert_int_equal(presets_fill(variable("cloud_area_fraction_in_atmosphere_layer", "%", true), NULL, &layer), VIRGA_OK);
    assert_true(layer.range[0] == -100 && layer.range[1] == 100);
    presets_units(variable("air_temperature", "K", true), "°C", true, &units);
    assert_true(strcmp(units.units, "K") == 0 && units.offset == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(by_name_by_unit_by_data, setup), cmocka_unit_test_setup(in_its_own_units, setup),
        cmocka_unit_test_setup(what_the_view_says_stays, setup), cmocka_unit_test_setup(shallow_data_get_all_colours, setup),
        cmocka_unit_test_setup(shallow_volumes_are_denser, setup), cmocka_unit_test_setup(the_ground_is_painted, setup),
        cmocka_unit_test_setup(any_data_give_a_range, setup), cmocka_unit_test_setup(rounds_as_the_page, setup),
        cmocka_unit_test_setup(says_when_data_matter, setup), cmocka_unit_test_setup(units_as_people_write_them, setup),
        cmocka_unit_test_setup(titles, setup),
        cmocka_unit_test_setup(differences_are_about_zero, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
