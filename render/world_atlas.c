// SPDX-License-Identifier: Apache-2.0
// A file's arcs are most of it: they are read as numbers right from the text. What is left (objects that list arcs) goes through
// jansson.
#include "render/world_atlas.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"

enum { FILE_MOST = 64 << 20, POINTS_MOST = 8 << 20, LINES_MOST = 1 << 20, DEPTH_MOST = 8 };

struct reading {
    const char *name;
    struct failure *failure;
    struct atlas_lines arcs;
    double scale[2], translate[2];
};

static int bad(const struct reading *r, const char *what) {
    return failure_set(r->failure, VIRGA_UNREADABLE,
                       "%s: not a TopoJSON file of world-atlas (%s); install it again with `npm ci` in web, or leave coastlines "
                       "out (map.coastlines false)", r->name, what);
}

static int no_memory(const struct reading *r) { return failure_set(r->failure, VIRGA_NO_MEMORY, "%s: out of memory", r->name); }

// --- lines that grow ---------------------------------------------------------------------------------------------------

static bool add_point(struct atlas_lines *lines, size_t *room, const double point[2]) {
    double (*points)[2] = memory_one_more(lines->points, lines->point_count, room, sizeof *points);
    if (!points) return false;
    lines->points = points;
    memcpy(lines->points[lines->point_count++], point, sizeof(double[2]));
    return true;
}

// Ends a line; `first` has room for powers of two.
static bool end_line(struct atlas_lines *lines) {
    if ((lines->count & (lines->count + 1)) == 0) {
        size_t *first = realloc(lines->first, (2 * lines->count + 3) * sizeof *first);
        if (!first) return false;
        lines->first = first;
        first[0] = 0;
    }
    lines->first[++lines->count] = lines->point_count;
    return true;
}

static void lines_destroy(struct atlas_lines *lines) {
    free(lines->first);
    free(lines->points);
    *lines = (struct atlas_lines){0};
}

void world_atlas_destroy(struct world_atlas *atlas) {
    lines_destroy(&atlas->coasts);
    lines_destroy(&atlas->borders);
    lines_destroy(&atlas->rings);
    free(atlas->polygon);
    *atlas = (struct world_atlas){0};
}

// --- the text ----------------------------------------------------------------------------------------------------------

static const char *skip_space(const char *at) {
    while (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r') at++;
    return at;
}

// Where the value of a member of the outermost object begins and ends; false without one. The text ends with a zero.
static bool find_member(char *text, const char *key, char **begin, char **end) {
    size_t length = strlen(key), depth = 0;
    *begin = NULL;
    for (char *at = text; *at; at++) {
        if (*at == '"') {
            char *word = ++at;
            while (*at && *at != '"') at += *at == '\\' && at[1] ? 2 : 1;
            if (!*at) return false;
            if (depth != 1 || *begin || (size_t)(at - word) != length || memcmp(word, key, length) != 0) continue;
            const char *colon = skip_space(at + 1);
            if (*colon == ':') at = *begin = text + (skip_space(colon + 1) - text), at--;
        } else if (*at == '[' || *at == '{') {
            depth++;
        } else if (*at == ']' || *at == '}') {
            if (depth == 0) return false;
            depth--;
            if (*begin && depth == 1) {
                *end = at + 1;
                return true;
            }
        } else if (*at == ',' && depth == 1 && *begin) {
            return false;  // a plain value: no list
        }
    }
    return false;
}

// A number of the subset of JSON that arcs are written in.
static bool read_number(const char **at, double *number) {
    char *end;
    const char *from = skip_space(*at);
    if (*from != '-' && !(*from >= '0' && *from <= '9')) return false;
    *number = strtod(from, &end);
    *at = skip_space(end);
    return end > from && end <= from + strspn(from, "+-.0123456789eE") && isfinite(*number);
}

static bool read_sign(const char **at, char sign) {
    *at = skip_space(*at);
    if (**at != sign) return false;
    ++*at;
    return true;
}

// [x, y, …]: two numbers, and more that say nothing here.
static bool read_position(const char **at, double position[2]) {
    double more;
    if (!read_sign(at, '[') || !read_number(at, &position[0])) return false;
    if (!read_sign(at, ',') || !read_number(at, &position[1])) return false;
    while (read_sign(at, ','))
        if (!read_number(at, &more)) return false;
    return read_sign(at, ']');
}

// One arc: with a transform its positions are steps from one to the next.
static int read_arc(struct reading *r, const char **at, size_t *room, bool steps) {
    double sum[2] = {0, 0}, position[2];
    if (!read_sign(at, '[')) return bad(r, "an arc is no list");
    if (read_sign(at, ']')) return end_line(&r->arcs) ? VIRGA_OK : no_memory(r);
    do {
        if (!read_position(at, position)) return bad(r, "an arc's position is not two numbers");
        for (int d = 0; d < 2; d++) {
            sum[d] = steps ? sum[d] + position[d] : position[d];
            position[d] = sum[d] * r->scale[d] + r->translate[d];
        }
        if (!(fabs(position[0]) <= 720 && fabs(position[1]) <= 90.001)) return bad(r, "an arc leaves the Earth");
        if (r->arcs.point_count >= POINTS_MOST) return bad(r, "its arcs have too many positions");
        if (!add_point(&r->arcs, room, position)) return no_memory(r);
    } while (read_sign(at, ','));
    if (!read_sign(at, ']')) return bad(r, "an arc does not end");
    return end_line(&r->arcs) ? VIRGA_OK : no_memory(r);
}

static int read_arcs(struct reading *r, const char *at, bool steps) {
    size_t room = 0;
    if (!read_sign(&at, '[')) return bad(r, "its arcs are no list");
    if (read_sign(&at, ']')) return bad(r, "it has no arcs");
    do {
        if (r->arcs.count >= LINES_MOST) return bad(r, "it has too many arcs");
        int status = read_arc(r, &at, &room, steps);
        if (status != VIRGA_OK) return status;
    } while (read_sign(&at, ','));
    return read_sign(&at, ']') ? VIRGA_OK : bad(r, "its list of arcs does not end");
}

static int read_transform(struct reading *r, const json_t *root, bool *steps) {
    const json_t *transform = json_object_get(root, "transform");
    static const char *const names[] = {"scale", "translate"};
    r->scale[0] = r->scale[1] = 1;
    if (!(*steps = transform != NULL)) return VIRGA_OK;
    for (int n = 0; n < 2; n++)
        for (size_t d = 0; d < 2; d++) {
            const json_t *number = json_array_get(json_object_get(transform, names[n]), d);
            if (!json_is_number(number)) return bad(r, "its transform is not two scales and two translations");
            (n ? r->translate : r->scale)[d] = json_number_value(number);
        }
    return VIRGA_OK;
}

// --- objects -----------------------------------------------------------------------------------------------------------

static int arc_number(const struct reading *r, const json_t *value, size_t *arc, bool *backwards) {
    json_int_t number = json_integer_value(value);
    *arc = 0;
    *backwards = number < 0;
    if (number < 0) number = -(number + 1);  // ~n is arc n from its end
    if (!json_is_integer(value) || (uint64_t)number >= r->arcs.count) return bad(r, "an object names an arc that is not there");
    *arc = (size_t)number;
    return VIRGA_OK;
}

// Lists in lists that a geometry's arcs are; −1 for one without.
static int nesting(const json_t *object) {
    static const char *const names[] = {"LineString", "MultiLineString", "Polygon", "MultiPolygon"};
    static const int depths[] = {0, 1, 1, 2};
    const char *type = json_string_value(json_object_get(object, "type"));
    for (size_t n = 0; type && n < sizeof names / sizeof *names; n++)
        if (strcmp(type, names[n]) == 0) return depths[n];
    return -1;
}

// Calls `each` for every geometry that has arcs.
typedef int each_geometry(void *argument, const json_t *object, int nesting);

static int walk(const struct reading *r, const json_t *object, int depth, each_geometry *each, void *argument) {
    const json_t *inner = json_object_get(object, "geometries");
    size_t index;
    json_t *value;
    if (depth > DEPTH_MOST) return bad(r, "its objects are nested too deep");
    if (!inner) return nesting(object) < 0 ? VIRGA_OK : each(argument, object, nesting(object));
    json_array_foreach(inner, index, value) {
        int status = walk(r, value, depth + 1, each, argument);
        if (status != VIRGA_OK) return status;
    }
    return VIRGA_OK;
}

// --- lines -------------------------------------------------------------------------------------------------------------

// The first and the last geometry that has each arc, counted from 1; 0 for none.
struct owners {
    const struct reading *reading;
    size_t geometry;
    uint32_t (*of)[2];
};

// depth: lists that the lists of arcs stand in.
static int own_arcs(struct owners *o, const json_t *arcs, int depth) {
    size_t index, arc;
    json_t *value;
    bool backwards;
    if (!json_is_array(arcs)) return bad(o->reading, "an object's arcs are no list");
    json_array_foreach(arcs, index, value) {
        int status = depth ? own_arcs(o, value, depth - 1) : arc_number(o->reading, value, &arc, &backwards);
        if (status != VIRGA_OK) return status;
        if (depth) continue;
        if (!o->of[arc][0]) o->of[arc][0] = (uint32_t)o->geometry;
        o->of[arc][1] = (uint32_t)o->geometry;
    }
    return VIRGA_OK;
}

static int own_geometry(void *argument, const json_t *object, int depth) {
    struct owners *o = argument;
    o->geometry++;
    return own_arcs(o, json_object_get(object, "arcs"), depth);
}

// All arcs of an object; or those alone that lie between two of its geometries.
static int read_lines(const struct reading *r, const json_t *object, bool between, struct atlas_lines *lines) {
    struct owners owners = {r, 0, calloc(r->arcs.count, sizeof *owners.of)};
    size_t room = 0;
    int status = owners.of ? walk(r, object, 0, own_geometry, &owners) : no_memory(r);
    for (size_t arc = 0; arc < r->arcs.count && status == VIRGA_OK; arc++) {
        if (!owners.of[arc][0] || (between && owners.of[arc][0] == owners.of[arc][1])) continue;
        for (size_t n = r->arcs.first[arc]; n < r->arcs.first[arc + 1] && status == VIRGA_OK; n++)
            if (!add_point(lines, &room, r->arcs.points[n])) status = no_memory(r);
        if (status == VIRGA_OK && !end_line(lines)) status = no_memory(r);
    }
    free(owners.of);
    return status;
}

// --- land --------------------------------------------------------------------------------------------------------------

struct land {
    const struct reading *reading;
    struct world_atlas *atlas;
    size_t room;
};

// Arcs end to end; where they meet they have one point in common.
static int add_ring(struct land *land, const json_t *arcs) {
    const struct reading *r = land->reading;
    struct atlas_lines *rings = &land->atlas->rings;
    size_t index, arc, begin = rings->point_count;
    json_t *value;
    bool backwards;
    if (!json_is_array(arcs)) return bad(r, "a ring of land is no list");
    json_array_foreach(arcs, index, value) {
        if (arc_number(r, value, &arc, &backwards) != VIRGA_OK) return VIRGA_UNREADABLE;
        size_t first = r->arcs.first[arc], count = r->arcs.first[arc + 1] - first;
        if (rings->point_count > begin) rings->point_count--;
        if (count > POINTS_MOST - rings->point_count) return bad(r, "its land has too many positions");
        for (size_t n = 0; n < count; n++)
            if (!add_point(rings, &land->room, r->arcs.points[backwards ? first + count - 1 - n : first + n])) return no_memory(r);
    }
    if (rings->count >= LINES_MOST) return bad(r, "its land has too many rings");
    return end_line(rings) ? VIRGA_OK : no_memory(r);
}

static int add_polygon(struct land *land, const json_t *rings) {
    struct world_atlas *atlas = land->atlas;
    size_t index;
    json_t *value;
    if (!json_is_array(rings)) return bad(land->reading, "a polygon of land is no list");
    json_array_foreach(rings, index, value) {
        int status = add_ring(land, value);
        if (status != VIRGA_OK) return status;
    }
    if (atlas->polygon_count >= LINES_MOST) return bad(land->reading, "its land has too many polygons");
    size_t *polygon = realloc(atlas->polygon, (atlas->polygon_count + 2) * sizeof *polygon);
    if (!polygon) return no_memory(land->reading);
    atlas->polygon = polygon;
    if (!atlas->polygon_count) polygon[0] = 0;
    polygon[++atlas->polygon_count] = atlas->rings.count;
    return VIRGA_OK;
}

static int add_land(void *argument, const json_t *object, int depth) {
    struct land *land = argument;
    const char *type = json_string_value(json_object_get(object, "type"));
    const json_t *arcs = json_object_get(object, "arcs");
    size_t index;
    json_t *value;
    if (depth == 1 && strcmp(type, "Polygon") == 0) return add_polygon(land, arcs);
    if (depth < 2) return VIRGA_OK;
    if (!json_is_array(arcs)) return bad(land->reading, "an object's arcs are no list");
    json_array_foreach(arcs, index, value) {
        int status = add_polygon(land, value);
        if (status != VIRGA_OK) return status;
    }
    return VIRGA_OK;
}

// --- the whole ---------------------------------------------------------------------------------------------------------

// What jansson reads: the text without its arcs, which it would need far more memory for.
static int parse_rest(const struct reading *r, const char *text, const char *begin, const char *end, size_t size, json_t **root) {
    size_t before = (size_t)(begin - text), after = size - (size_t)(end - text);
    char *rest = malloc(before + after + 5);
    json_error_t error = {0};
    if (!rest) return no_memory(r);
    memcpy(rest, text, before);
    memcpy(rest + before, "null", 4);
    memcpy(rest + before + 4, end, after);
    *root = json_loadb(rest, before + 4 + after, JSON_REJECT_DUPLICATES, &error);
    free(rest);
    if (*root) return VIRGA_OK;
    int code = json_error_code(&error);  // unknown where not even a reader could be made
    return code == json_error_out_of_memory || code == json_error_unknown ? no_memory(r) : bad(r, "it is no JSON");
}

static int read_all(struct reading *r, const json_t *root, const char *arcs, struct world_atlas *atlas) {
    const json_t *objects = json_object_get(root, "objects");
    const json_t *land = json_object_get(objects, "land"), *countries = json_object_get(objects, "countries");
    struct land rings = {r, atlas, 0};
    bool steps;
    int status = read_transform(r, root, &steps);
    if (status == VIRGA_OK && (!json_is_object(land) || !json_is_object(countries)))
        status = bad(r, "it has no objects land and countries");
    if (status == VIRGA_OK) status = read_arcs(r, arcs, steps);
    if (status == VIRGA_OK) status = read_lines(r, land, false, &atlas->coasts);
    if (status == VIRGA_OK) status = read_lines(r, countries, true, &atlas->borders);
    if (status == VIRGA_OK) status = walk(r, land, 0, add_land, &rings);
    return status;
}

int world_atlas_parse(char *text, size_t size, const char *name, struct world_atlas *atlas, struct failure *failure) {
    struct reading r = {.name = name, .failure = failure};
    char *begin, *end;
    *atlas = (struct world_atlas){0};
    if (strlen(text) != size || !find_member(text, "arcs", &begin, &end)) return bad(&r, "it is no object with arcs");
    json_t *root = NULL;
    int status = parse_rest(&r, text, begin, end, size, &root);
    if (status == VIRGA_OK) status = read_all(&r, root, begin, atlas);
    json_decref(root);
    lines_destroy(&r.arcs);
    if (status != VIRGA_OK) world_atlas_destroy(atlas);
    return status;
}

// The file's bytes and a zero.
static int read_text(const char *path, FILE *file, char **text, size_t *size, struct failure *failure) {
    struct stat state;
    if (fstat(fileno(file), &state)) return failure_set(failure, VIRGA_IO, "cannot read %s: %s", path, strerror(errno));
    if (!S_ISREG(state.st_mode) || state.st_size > FILE_MOST)
        return failure_set(failure, VIRGA_UNREADABLE,
                           "%s: over 64 MiB or no file, so none of world-atlas; install it again with `npm ci` in web", path);
    *text = malloc((size_t)state.st_size + 1);
    if (!*text) return failure_set(failure, VIRGA_NO_MEMORY, "%s: out of memory", path);
    *size = fread(*text, 1, (size_t)state.st_size, file);
    (*text)[*size] = 0;
    return ferror(file) ? failure_set(failure, VIRGA_IO, "cannot read %s: %s", path, strerror(errno)) : VIRGA_OK;
}

int world_atlas_read(const char *folder, const char *detail, struct world_atlas *atlas, struct failure *failure) {
    char path[4096], *text = NULL;
    size_t size = 0;
    *atlas = (struct world_atlas){0};
    if ((size_t)snprintf(path, sizeof path, "%s/countries-%s.json", folder, detail) >= sizeof path)
        return failure_set(failure, VIRGA_INVALID, "the folder of the coastlines has too long a name");
    FILE *file = fopen(path, "rb");
    if (!file)
        return failure_set(failure, errno == ENOENT || errno == ENOTDIR ? VIRGA_NOT_FOUND : VIRGA_IO,
                           "cannot open the coastlines %s: %s; run `npm ci` in web (server/demo does), or leave them out "
                           "(map.coastlines false)", path, strerror(errno));
    int status = read_text(path, file, &text, &size, failure);
    fclose(file);
    if (status == VIRGA_OK) status = world_atlas_parse(text, size, path, atlas, failure);
    free(text);
    return status;
}
