// SPDX-License-Identifier: Apache-2.0
// Tiles of maps, what tells map clients of them (TileJSON), and legends: /tiles/DATASET/VARIABLE/….
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "server/http_maps.h"
#include "server/map_query.h"
#include "server/web_user.h"
#include "tile/tile_matrix.h"

enum { TILE_QUALITY = 85 };

// A request below "tiles/": DATASET/VARIABLE/WHAT.
struct tile_request {
    struct peer *peer;
    char dataset[256], variable[256];
    const char *what;
    struct map_query query;
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

static int resolve(const struct tile_request *request, struct map_layer *layer, struct failure *failure) {
    struct map_ask ask;
    map_query_ask(&request->query, &ask);
    ask.dataset = request->dataset;
    ask.variable = request->variable;
    return map_layer_resolve(web_user_catalog(request->peer->server, request->peer->caller.user), &ask, clock_wall(), layer, failure);
}

static int refuse(struct peer *peer, int code, const struct failure *failure) { return http_map_refuse(peer, http_map_status(code), code, failure->message); }

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

static int answer_tile(const struct tile_request *request, const struct tile *tile) {
    struct map_drawing *drawing = calloc(1, sizeof *drawing);
    struct failure failure = {0};
    if (!drawing) return http_map_refuse(request->peer, 503, VIRGA_NO_MEMORY, "out of memory");
    int status = set_options(&request->query, tile, &drawing->options, &failure);
    if (!status) status = set_frame(&request->query, tile, &drawing->frame, &failure);
    if (!status) status = resolve(request, &drawing->layers[0], &failure);
    if (!status) drawing->count = 1;
    int answered = status ? refuse(request->peer, status, &failure) : http_map_answer(request->peer, drawing, NULL);
    map_drawing_destroy(drawing);
    free(drawing);
    return answered;
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

static int answer_legend(const struct tile_request *request) {
    struct map_drawing *drawing = calloc(1, sizeof *drawing);
    struct failure failure = {0};
    if (!drawing) return http_map_refuse(request->peer, 503, VIRGA_NO_MEMORY, "out of memory");
    drawing->is_legend = true;
    int status = set_legend(&request->query, &drawing->legend, &failure);
    if (!status) status = resolve(request, &drawing->layers[0], &failure);
    if (!status) drawing->count = 1;
    int answered = status ? refuse(request->peer, status, &failure) : http_map_answer(request->peer, drawing, NULL);
    map_drawing_destroy(drawing);
    free(drawing);
    return answered;
}

// --- The route.

int http_tiles(const struct http_request *request) {
    struct tile_request *asked = calloc(1, sizeof *asked);
    struct failure failure = {0};
    struct tile tile;
    const char *path = request->path;
    int answered;
    if (!asked) return http_map_refuse(request->peer, 503, VIRGA_NO_MEMORY, "out of memory");
    asked->peer = request->peer;
    int status = http_map_query(request->peer, &asked->query, &failure);
    if (status) answered = refuse(request->peer, status, &failure);
    else if (!take_name(&path, asked->dataset, sizeof asked->dataset) || !take_name(&path, asked->variable, sizeof asked->variable)) answered = http_answer_nothing(request->peer);
    else if (parse_tile(path, &tile)) answered = answer_tile(asked, &tile);
    else if (!strcmp(path, "legend.png")) answered = answer_legend(asked);
    else if (!strcmp(path, "tilejson.json")) answered = http_tilejson(request->peer, asked->dataset, asked->variable, &asked->query);
    else answered = http_map_refuse(request->peer, 404, VIRGA_NOT_FOUND, "expected /tiles/DATASET/VARIABLE/Z/X/Y.png or .jpg, tilejson.json or legend.png");
    free(asked);
    return answered;
}
