// SPDX-License-Identifier: Apache-2.0
// A world of a few straight coasts as TopoJSON, for tests.
#ifndef VIRGA_TESTS_MADE_WORLD_H
#define VIRGA_TESTS_MADE_WORLD_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// Land: an island from 0 to 20 east and 40 to 60 north, that a border along 10 east divides in two countries; another across the
// date line from 170 to 190 east and 40 to 60 north; and all that lies south of 70 south. Positions are steps of a tenth of a
// degree.
static const char made_world[] =
    "{\"type\": \"Topology\", \"bbox\": [-180, -90, 180, 90], \"transform\": {\"scale\": [0.1, 0.1], \"translate\": [0, 0]},\n"
    " \"objects\": {\n"
    "  \"countries\": {\"type\": \"GeometryCollection\", \"geometries\": [\n"
    "   {\"type\": \"Polygon\", \"arcs\": [[0, 1]], \"id\": \"1\", \"properties\": {\"name\": \"\\\"arcs\\\": [west]\"}},\n"
    "   {\"type\": \"MultiPolygon\", \"arcs\": [[[2, -2]]], \"id\": \"2\"},\n"
    "   {\"type\": \"Polygon\", \"arcs\": [[3]]}, {\"type\": \"Polygon\", \"arcs\": [[4]]}, {\"type\": null}]},\n"
    "  \"land\": {\"type\": \"GeometryCollection\", \"geometries\": [{\"type\": \"MultiPolygon\", \"arcs\": [[[0, 2]], [[3]], [[4]]]}]}},\n"
    " \"arcs\": [\n"
    "  [[100, 600], [-50, 0], [-50, 0], [0, -100], [0, -100], [50, 0], [50, 0]],\n"  // 0: around the west, from the north end of the border to its south end
    "  [[100, 400], [0, 100], [0, 100]],\n"                                          // 1: the border, northwards
    "  [[100, 400], [50, 0], [50, 0], [0, 100], [0, 100], [-50, 0], [-50, 0]],\n"    // 2: around the east, back to the north end
    "  [[1700, 400], [90, 0], [-3490, 0], [0, 100], [0, 100], [3490, 0], [-90, 0], [0, -100], [0, -100]],\n"
    "  [[-1800, -700], [900, 0], [900, 0], [900, 0], [900, 0], [-3600, 0]]]}\n";

// Writes it for all three details into a new folder, whose name the caller frees.
static inline char *made_world_folder(const char *text) {
    static const char *const details[] = {"10m", "50m", "110m"};
    char *folder = strdup("/tmp/virga-test-world-XXXXXX"), path[128];
    if (!folder || !mkdtemp(folder)) abort();
    for (int n = 0; n < 3; n++) {
        snprintf(path, sizeof path, "%s/countries-%s.json", folder, details[n]);
        FILE *file = fopen(path, "wb");
        if (!file || fputs(text, file) < 0 || fclose(file)) abort();
    }
    return folder;
}

static inline void made_world_remove(char *folder) {
    static const char *const details[] = {"10m", "50m", "110m"};
    char path[128];
    for (int n = 0; n < 3; n++) {
        snprintf(path, sizeof path, "%s/countries-%s.json", folder, details[n]);
        unlink(path);
    }
    rmdir(folder);
    free(folder);
}

#endif
