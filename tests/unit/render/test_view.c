// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "render/view.h"

#define FOLDER VIRGA_SOURCE_DIR "/tests/view/"

// The whole file, zero-terminated; the caller frees it.
static char *read_file(const char *path, size_t *n)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("cannot open %s", path);
    char *text = calloc(1, 1 << 18);
    assert_non_null(text);
    *n = fread(text, 1, (1 << 18) - 1, file);
    fclose(file);
    return text;
}

typedef void each_function(const char *stem, const char *path);

// Calls `each` for every *.json of a folder; returns how many there were.
static int for_each_json(const char *folder, each_function *each)
{
    DIR *directory = opendir(folder);
    if (!directory)
        fail_msg("cannot open %s", folder);
    int count = 0;
    for (const struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
        size_t length = strlen(entry->d_name);
        if (length < 6 || strcmp(entry->d_name + length - 5, ".json") != 0)
            continue;
        char stem[512], path[1024];
        snprintf(stem, sizeof stem, "%s%.*s", folder, (int)length - 5, entry->d_name);
        snprintf(path, sizeof path, "%s.json", stem);
        each(stem, path);
        count++;
    }
    closedir(directory);
    return count;
}

static void accept_file(const char *stem, const char *path)
{
    (void)stem;
    size_t n;
    char *json = read_file(path, &n);
    struct view view;
    struct failure failure = {0};
    if (view_parse(json, n, &view, &failure) != VIRGA_OK)
        fail_msg("%s: %s", path, failure.message);
    free(json);
}

static void refuse_file(const char *stem, const char *path)
{
    size_t n, ignored;
    char *json = read_file(path, &n), companion[1024];
    snprintf(companion, sizeof companion, "%s.txt", stem);
    char *expected = read_file(companion, &ignored);
    expected[strcspn(expected, "\n")] = '\0';
    struct view view;
    struct failure failure = {0};
    assert_int_equal(view_parse(json, n, &view, &failure), VIRGA_INVALID);
    if (strncmp(failure.message, expected, strlen(expected)) != 0 || expected[0] == '\0')
        fail_msg("%s: \"%s\" should begin with \"%s\"", path, failure.message, expected);
    free(expected);
    free(json);
}

static void test_good_documents_are_accepted(void **state)
{
    (void)state;
    assert_true(for_each_json(FOLDER "good/", accept_file) >= 10);
}

static void test_bad_documents_are_refused_by_field(void **state)
{
    (void)state;
    assert_true(for_each_json(FOLDER "bad/", refuse_file) >= 50);
}

static void parse_ok(const char *json, struct view *view)
{
    struct failure failure = {0};
    if (view_parse(json, strlen(json), view, &failure) != VIRGA_OK)
        fail_msg("%s", failure.message);
}

static void test_defaults(void **state)
{
    (void)state;
    static struct view view;
    memset(&view, 0xff, sizeof view);
    parse_ok("{\"version\": 1, \"dataset\": \"d\", \"layers\": [{\"variable\": \"v\"}]}", &view);
    assert_string_equal(view.run, "latest");
    assert_string_equal(view.time, "T+0");
    assert_int_equal(view.member, 0);
    assert_int_equal(view.layer_count, 1);
    assert_true(view.layers[0].visible && view.layers[0].shading);
    assert_false(view.layers[0].has_range);
    assert_int_equal(view.layers[0].opacity_count, 0);
    assert_string_equal(view.layers[0].colour_map, "");
    assert_false(view.has_camera);
    assert_false(view.sun_by_time);
    assert_true(view.exaggeration == 15 && view.sun_azimuth == 225 && view.sun_elevation == 40 && view.ambient == 0.35);
    assert_true(view.coastlines && view.graticule && view.terrain && view.height_axis && view.shadows);
    assert_true(view.size[0] == 0 && view.size[1] == 0);
    assert_true(view.captions.show && view.captions.legend && !view.captions.has_title && !view.transparent);
    assert_string_equal(view.captions.title, "");
    assert_string_equal(view.captions.attribution, "");
    assert_int_equal(view.antialiasing, 2);
}

static void test_captions_arrive(void **state)
{
    (void)state;
    static struct view view;
    parse_ok("{\"version\": 1, \"dataset\": \"d\", \"layers\": [], \"antialiasing\": 3, \"transparent\": true,"
             " \"captions\": {\"show\": false, \"title\": \"\", \"attribution\": \"a – b\", \"legend\": false}}", &view);
    assert_true(!view.captions.show && !view.captions.legend && view.captions.has_title && view.transparent);
    assert_string_equal(view.captions.title, "");
    assert_string_equal(view.captions.attribution, "a – b");
    assert_int_equal(view.antialiasing, 3);
}

static void test_every_field_arrives(void **state)
{
    (void)state;
    size_t n;
    char *json = read_file(FOLDER "good/full.json", &n);
    static struct view view;
    assert_int_equal(view_parse(json, n, &view, NULL), VIRGA_OK);
    free(json);
    assert_string_equal(view.dataset, "demo-3f.a_1");
    assert_string_equal(view.run, "2009-11-19T03:00:00Z");
    assert_string_equal(view.time, "2009-11-19T10:30:00.5Z");
    assert_int_equal(view.member, 2);
    assert_int_equal(view.layer_count, 2);
    assert_string_equal(view.layers[0].colour_map, "cloud");
    assert_false(view.layers[0].shading);
    assert_int_equal(view.layers[0].opacity_count, 3);
    assert_true(view.layers[0].opacity[1][0] == 0.5 && view.layers[0].opacity[1][1] == 0.2);
    assert_false(view.layers[1].visible);
    assert_true(view.layers[1].has_range && view.layers[1].range[0] == 210.5 && view.layers[1].range[1] == 310);
    assert_string_equal(view.layers[1].units, "°C");
    assert_true(view.has_camera && view.camera.mode == VIEW_FLY);
    assert_true(view.camera.eye[1] == -900.25 && view.camera.target[2] == 3 && view.camera.up[2] == 1 && view.camera.fov == 40);
    assert_true(view.sun_azimuth == 0 && view.sun_elevation == -3.5 && view.ambient == 0 && !view.shadows);
    assert_true(view.exaggeration == 0.1);
    assert_false(view.coastlines || view.graticule || view.terrain || view.height_axis);
    assert_true(view.size[0] == 1280 && view.size[1] == 720);
}

static void test_every_cut_document_is_refused(void **state)
{
    (void)state;
    size_t n;
    char *json = read_file(FOLDER "good/full.json", &n);
    while (n > 0 && json[n - 1] != '}')
        n--;
    static struct view view;
    for (size_t cut = 0; cut < n; cut++) {
        char *copy = malloc(cut + 1);  // of the very size, so that a sanitizer sees a read past its end
        assert_non_null(copy);
        memcpy(copy, json, cut);
        assert_int_equal(view_parse(copy, cut, &view, NULL), VIRGA_INVALID);
        free(copy);
    }
    free(json);
}

static void test_long_unknown_name_is_cut_in_the_message(void **state)
{
    (void)state;
    char json[4096] = "{\"version\": 1, \"dataset\": \"d\", \"layers\": [], \"";
    size_t length = strlen(json);
    memset(json + length, 'x', 3000);
    strcpy(json + length + 3000, "\": 1}");
    static struct view view;
    struct failure failure = {0};
    assert_int_equal(view_parse(json, strlen(json), &view, &failure), VIRGA_INVALID);
    assert_non_null(strstr(failure.message, "x: unknown field"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_documents_are_accepted),
        cmocka_unit_test(test_bad_documents_are_refused_by_field),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_captions_arrive),
        cmocka_unit_test(test_every_field_arrives),
        cmocka_unit_test(test_every_cut_document_is_refused),
        cmocka_unit_test(test_long_unknown_name_is_cut_in_the_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
