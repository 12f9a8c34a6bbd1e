// SPDX-License-Identifier: Apache-2.0
// Tiles of maps, what tells map clients of them (TileJSON), and legends: /tiles/DATASET/VARIABLE/….
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/http_maps.h"
#include "server/map_query.h"
#include "tile/tile_matrix.h"

enum { TILE_QUALITY = 85 };

// A request below "tiles/": DATASET/VARIABLE/WHAT.
struct tile_request {
    struct peer *peer;
    const char *dataset, *variable;
    const struct map_query *query;
    http_map_refusal refuse;  // or NULL
};

// --- What is asked for.

static bool take_name(const char **path, char *name, size_t room) {
    size_t length = strcspn(*path, "/");
    if (!length || length >= room || (*path)[length] != '/') return false;
    memcpy(name, *path, length);
    name[length] = '\0';
    *path += length + 1;
    return true;
}

// "12": no sign, no more digits than a number has.
static bool take_number(const char **text, unsigned *number) {
    size_t digits = strspn(*text, "0123456789");
    if (!digits || digits > 9 || (digits > 1 && **text == '0')) return false;
    *number = (unsigned)strtoul(*text, NULL, 10);
    *text += digits;
    return true;
}

static int refuse(const struct tile_request *request, int code, const char *words) {
    return (request->refuse ? request->refuse : http_map_refuse)(request->peer, http_map_status(code), code, words);
}

// --- Tiles.

struct tile {
    unsigned zoom, column, row;
    double size, scale;
    enum image_format format;
};

// "Z/X/Y.png", "Z/X/Y@2x.png", "Z/X/Y.jpg".
static bool parse_tile(const char *what, struct tile *tile) {
    *tile = (struct tile){.size = 256, .scale = 1};
    if (!take_number(&what, &tile->zoom) || *what++ != '/' || !take_number(&what, &tile->column) || *what++ != '/' || !take_number(&what, &tile->row)) return false;
    if (!strncmp(what, "@2x", 3)) {
        tile->size = 512;
        tile->scale = 2;
        what += 3;
    }
    tile->format = !strcmp(what, ".png") ? IMAGE_PNG : IMAGE_JPEG;
    return !tile->format || !strcmp(what, ".jpg") || !strcmp(what, ".jpeg");
}

static int set_options(const struct map_query *query, const struct tile *tile, struct map_picture_options *options, struct failure *failure) {
    double quality = TILE_QUALITY;
    *options = (struct map_picture_options){.format = tile->format, .transparent = tile->format == IMAGE_PNG, .background = {255, 255, 255}, .scale = tile->scale};
    int status = map_query_number("quality", query->quality, 1, 100, &quality, failure);
    if (!status) status = map_query_number("scale", query->scale, 1, MAP_PICTURE_SCALE_MAX, &options->scale, failure);
    if (!status) status = map_query_flag("transparent", query->transparent, &options->transparent, failure);
    if (!status) status = map_query_colour("background", query->background, options->background, failure);
    options->quality = tile->format == IMAGE_JPEG ? (int)quality : 0;
    return status;
}

static int set_frame(const struct map_query *query, const struct tile *tile, struct map_frame *frame, struct failure *failure) {
    const char *name = *query->tms ? query->tms : "WebMercatorQuad";
    const struct tile_matrix_set *set = tile_matrix_find(name);
    double size = tile->size;
    if (!set) return failure_set(failure, VIRGA_INVALID, "tms = \"%.40s\" is no tile matrix set here: there are WebMercatorQuad and WorldCRS84Quad", name);
    if (*query->size && strcmp(query->size, "256") && strcmp(query->size, "512")) return failure_set(failure, VIRGA_INVALID, "size = \"%.20s\" must be 256 or 512", query->size);
    if (*query->size) size = atof(query->size);
    return tile_matrix_frame(set, tile->zoom, tile->column, tile->row, (unsigned)size, frame, failure);
}

// --- Legends.

static int set_legend(const struct map_query *query, struct map_legend_options *options, struct failure *failure) {
    double width = 0, height = 0;
    *options = (struct map_legend_options){.format = IMAGE_PNG, .scale = 1};
    int status = map_query_number("width", query->width, MAP_LEGEND_SIDE_MIN, MAP_LEGEND_SIDE_MAX, &width, failure);
    if (!status) status = map_query_number("height", query->height, MAP_LEGEND_SIDE_MIN, MAP_LEGEND_SIDE_MAX, &height, failure);
    if (!status) status = map_query_number("scale", query->scale, 1, MAP_PICTURE_SCALE_MAX, &options->scale, failure);
    if (!status) status = map_query_flag("horizontal", query->horizontal, &options->horizontal, failure);
    if (!status) status = map_query_flag("bar", query->bar, &options->bar_only, failure);
    if (!status) status = map_query_flag("transparent", query->transparent, &options->transparent, failure);
    options->width = (unsigned)width;
    options->height = (unsigned)height;
    return status;
}

// --- Answers.

// tile: NULL for a legend.
static int set_drawing(const struct tile_request *request, const struct tile *tile, struct map_drawing *drawing, struct failure *failure) {
    drawing->is_legend = !tile;
    int status = tile ? set_options(request->query, tile, &drawing->options, failure) : set_legend(request->query, &drawing->legend, failure);
    if (!status && tile) status = set_frame(request->query, tile, &drawing->frame, failure);
    if (!status) status = http_map_resolve(request->peer, request->query, request->dataset, request->variable, &drawing->layers[0], failure);
    drawing->count = !status;
    return status;
}

static int answer_drawing(const struct tile_request *request, const struct tile *tile) {
    struct map_drawing *drawing = calloc(1, sizeof *drawing);
    struct failure failure = {0};
    if (!drawing) return refuse(request, VIRGA_NO_MEMORY, "out of memory");
    int status = set_drawing(request, tile, drawing, &failure);
    int answered = status ? refuse(request, status, failure.message) : http_map_answer(request->peer, drawing, request->refuse);
    map_drawing_destroy(drawing);
    free(drawing);
    return answered;
}

int http_tile(struct peer *peer, const char *dataset, const char *variable, const char *what, const struct map_query *query, http_map_refusal refusal) {
    const struct tile_request request = {peer, dataset, variable, query, refusal};
    struct tile tile;
    return parse_tile(what, &tile) ? answer_drawing(&request, &tile) : refuse(&request, VIRGA_NOT_FOUND, "there is no such tile");
}

// --- The route.

static int answer_path(struct peer *peer, const char *path, const struct map_query *query) {
    char dataset[256], variable[256];
    const struct tile_request request = {peer, dataset, variable, query, NULL};
    struct tile tile;
    if (!take_name(&path, dataset, sizeof dataset) || !take_name(&path, variable, sizeof variable)) return http_answer_nothing(peer);
    if (parse_tile(path, &tile)) return answer_drawing(&request, &tile);
    if (!strcmp(path, "legend.png")) return answer_drawing(&request, NULL);
    if (!strcmp(path, "tilejson.json")) return http_tilejson(peer, dataset, variable, query);
    return refuse(&request, VIRGA_NOT_FOUND, "expected /tiles/DATASET/VARIABLE/Z/X/Y.png or .jpg, tilejson.json or legend.png");
}

static int answer_asked(const struct http_request *request) {
    struct failure failure = {0};
    struct map_query *query = calloc(1, sizeof *query);
    if (!query) return http_map_refuse(request->peer, 503, VIRGA_NO_MEMORY, "out of memory");
    int status = http_map_query(request->peer, query, &failure);
    int answered = status ? http_map_refuse(request->peer, http_map_status(status), status, failure.message) : answer_path(request->peer, request->path, query);
    free(query);
    return answered;
}

int http_tiles(const struct http_request *request) {
    int answered = http_map_answer_again(request->peer);
    return answered >= 0 ? answered : answer_asked(request);
}
