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

#include "render/view_write.h"

#define FOLDER VIRGA_SOURCE_DIR "/tests/view/good/"

static struct view view, again;

static void parse(const char *json, size_t n, struct view *out)
{
    struct failure failure = {0};
    if (view_parse(json, n, out, &failure))
        fail_msg("%s in %.*s", failure.message, (int)n, json);
}

// What was written is read back as the same view: written again, it is the same text.
static void comes_back(bool lines)
{
    char *text = view_write(&view, lines);
    assert_non_null(text);
    parse(text, strlen(text), &again);
    char *twice = view_write(&again, lines);
    assert_non_null(twice);
    assert_string_equal(twice, text);
    free(twice);
    free(text);
}

static void every_good_document_comes_back(void **state)
{
    (void)state;
    static char json[1 << 17];
    DIR *folder = opendir(FOLDER);
    assert_non_null(folder);
    int count = 0;
    for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        char path[1024];
        if (!strstr(entry->d_name, ".json"))
            continue;
        snprintf(path, sizeof path, "%s%s", FOLDER, entry->d_name);
        FILE *file = fopen(path, "rb");
        assert_non_null(file);
        parse(json, fread(json, 1, sizeof json, file), &view);
        fclose(file);
        comes_back(true);
        comes_back(false);
        count++;
    }
    closedir(folder);
    assert_true(count > 10);
}

static void nothing_is_lost(void **state)
{
    (void)state;
    static const char json[] =
        "{\"version\": 1, \"dataset\": \"d\", \"run\": \"2009-11-19T03:00:00Z\", \"time\": \"T+6\", \"member\": 2, \"layers\": [{\"variable\": \"v\", \"visible\": false,"
        " \"colour_map\": \"grey\", \"range\": [-1.5e-7, 3e20], \"units\": \"\\u00b0C\", \"opacity\": [[1e-300, 0], [0.1, 0.123456789]], \"shading\": false}, {\"variable\": \"w\"}],"
        " \"camera\": {\"mode\": \"fly\", \"eye\": [1, 2.125, -3], \"target\": [0, 0, 0], \"up\": [0, 1, 0], \"fov\": 12.5}, \"light\": {\"sun\": \"time\", \"shadows\": false,"
        " \"ambient\": 0.1}, \"exaggeration\": 7.5, \"map\": {\"coastlines\": false, \"graticule\": true, \"terrain\": false, \"height_axis\": false}, \"size\": [640, 480],"
        " \"captions\": {\"show\": false, \"title\": \"a \\\"b\\\" \\\\ \\u00fc\", \"attribution\": \"me\", \"legend\": false}, \"antialiasing\": 4, \"transparent\": true}";
    parse(json, sizeof json - 1, &view);
    char *text = view_write(&view, true);
    assert_non_null(text);
    parse(text, strlen(text), &again);
    free(text);
    assert_string_equal(again.run, "2009-11-19T03:00:00Z");
    assert_int_equal(again.member, 2);
    assert_true(!again.layers[0].visible && !again.layers[0].shading && again.layers[1].visible && !again.layers[1].has_range);
    assert_true(again.layers[0].range[0] == -1.5e-7 && again.layers[0].range[1] == 3e20);
    assert_true(again.layers[0].opacity[0][0] == 1e-300 && again.layers[0].opacity[1][1] == 0.123456789);
    assert_string_equal(again.layers[0].units, "°C");
    assert_true(again.camera.mode == VIEW_FLY && again.camera.eye[1] == 2.125 && again.camera.fov == 12.5);
    assert_true(again.sun_by_time && !again.shadows && again.ambient == 0.1 && again.exaggeration == 7.5);
    assert_true(!again.coastlines && again.graticule && !again.terrain && !again.height_axis);
    assert_true(again.size[0] == 640 && again.size[1] == 480);
    assert_string_equal(again.captions.title, "a \"b\" \\ ü");
    assert_true(!again.captions.show && !again.captions.legend && again.antialiasing == 4 && again.transparent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_good_document_comes_back), cmocka_unit_test(nothing_is_lost)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
