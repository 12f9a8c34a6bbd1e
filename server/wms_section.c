// SPDX-License-Identifier: Apache-2.0
#include "server/wms_section.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "render/presets.h"
#include "render/section_picture.h"
#include "server/covjson.h"
#include "server/map_section.h"
#include "server/ogc_edr.h"
#include "server/ogc_wkt.h"

enum { VERTICES = 1000, MOST_ACROSS = 1200, MOST_DOWN = 600, LINE_TEXT = 160 };
enum section_format { SECTION_PICTURE, SECTION_CSV, SECTION_JSON };

struct section_job {
    struct http_map_job map;  // first
    bool transect;
    enum section_format format;
    struct map_layer layer;
    struct ogc_wkt wkt;             // longitude and latitude
    struct section_options options;
    struct lettering_area area;
    double top, bottom;             // that were asked for; NaN: as suits it
    // What was read.
    struct section_line line;
    double marks[VERTICES];
    struct section section;
    double *exact;                  // heights of a profile's levels
};

// --- What is asked for. Service thread.

static const char *given(const struct wms_query *query, const char *key) {
    const char *text = wms_parameter(query->parameters, key);
    return text ? text : "";
}

static int read_format(const struct wms_query *query, struct section_job *job, struct wms_exception *e) {
    const char *text = *given(query, "INFO_FORMAT") ? given(query, "INFO_FORMAT") : given(query, "FORMAT");
    job->options.format = !strcasecmp(text, "image/jpeg") || !strcasecmp(text, "image/jpg") ? IMAGE_JPEG : IMAGE_PNG;
    job->options.quality = 90;
    job->map.job.type = image_type(job->options.format);
    if (!*text || !strcasecmp(text, "image/png") || job->options.format == IMAGE_JPEG) return VIRGA_OK;
    job->format = !strcasecmp(text, "text/csv") ? SECTION_CSV : SECTION_JSON;
    job->map.job.type = job->format == SECTION_CSV ? "text/csv; charset=utf-8" : COVJSON_TYPE;
    if (job->format == SECTION_CSV || !strcasecmp(text, "application/json") || !strcasecmp(text, COVJSON_TYPE)) return VIRGA_OK;
    return wms_exception_set(e, VIRGA_INVALID, "InvalidFormat", "FORMAT", "FORMAT = \"%.60s\" is none of image/png, image/jpeg, text/csv and application/json", text);
}

static int read_number(const struct wms_query *query, const char *key, double low, double high, double *number, struct wms_exception *e) {
    const char *text = given(query, key);
    struct failure failure = {0};
    if (map_query_number(key, text, low, high, number, &failure)) return wms_exception_set(e, VIRGA_INVALID, "InvalidParameterValue", key, "%s", failure.message);
    return VIRGA_OK;
}

static int read_looks(const struct wms_query *query, struct section_job *job, struct wms_exception *e) {
    double width = job->transect ? 900 : 400, height = job->transect ? 450 : 600;
    job->top = job->bottom = NAN;
    int status = read_number(query, "WIDTH", SECTION_SIDE_MIN, SECTION_SIDE_MAX, &width, e);
    if (!status) status = read_number(query, "HEIGHT", SECTION_SIDE_MIN, SECTION_SIDE_MAX, &height, e);
    if (!status) status = read_number(query, "TOP", -1e6, 1e6, &job->top, e);
    if (!status) status = read_number(query, "BOTTOM", -1e6, 1e6, &job->bottom, e);
    job->options.width = (unsigned)width;
    job->options.height = (unsigned)height;
    return status;
}

// "x y,x y" becomes well-known text, which may stand there as well.
static int read_text(const struct wms_query *query, struct section_job *job, const char *key, struct wms_exception *e) {
    const char *text = given(query, key), *word = job->transect ? "LINESTRING" : "POINT";
    char *whole = malloc(strlen(text) + 16);
    struct failure failure = {0};
    if (!whole) return wms_exception_set(e, VIRGA_NO_MEMORY, NULL, NULL, "out of memory");
    if (strchr(text, '(')) strcpy(whole, text);
    else sprintf(whole, "%s(%s)", word, text);
    int status = *text ? ogc_wkt_parse(whole, VERTICES, &job->wkt, &failure) : VIRGA_INVALID;
    free(whole);
    if (!*text) return wms_exception_set(e, status, "MissingParameterValue", key, "%s must say where: x y%s", key, job->transect ? ",x y,…" : "");
    if (status) return wms_exception_set(e, status == VIRGA_TOO_LARGE ? VIRGA_INVALID : status, "InvalidParameterValue", key, "%s", failure.message);
    if (job->wkt.kind == (job->transect ? OGC_WKT_LINESTRING : OGC_WKT_POINT) && !job->wkt.has_z && !job->wkt.has_m) return VIRGA_OK;
    return wms_exception_set(e, VIRGA_INVALID, "InvalidParameterValue", key, "%s must be %s", key, job->transect ? "a line: x y,x y,…" : "a place: x y");
}

static int to_lonlat(const struct wms_query *query, const struct map_crs *crs, struct ogc_wkt *wkt, struct wms_exception *e) {
    for (size_t n = 0; n < wkt->count; n++) {
        struct ogc_wkt_place *p = &wkt->places[n];
        double x = query->north_first ? p->y : p->x, y = query->north_first ? p->x : p->y;
        if (map_crs_to_lonlat(crs, x, y, &p->x, &p->y))
            return wms_exception_set(e, VIRGA_INVALID, "InvalidParameterValue", "CRS", "%.8g %.8g is no place in %s", x, y, map_crs_name(crs));
    }
    return VIRGA_OK;
}

static int read_place(const struct wms_query *query, struct section_job *job, struct wms_exception *e) {
    const char *key = job->transect ? "LINESTRING" : "POINT";
    int status = read_text(query, job, key, e);
    if (status) return status;
    const struct map_crs *known = map_crs_find(*query->crs ? query->crs : "CRS:84");
    const struct map_crs *crs = known ? map_crs_ref(known) : map_crs_own(job->layer.field.dataset->grid);
    if (!crs) return wms_exception_set(e, VIRGA_NO_MEMORY, NULL, NULL, "out of memory");
    status = to_lonlat(query, crs, &job->wkt, e);
    map_crs_unref(crs);
    return status;
}

static int read_layer(struct peer *peer, const struct wms_query *query, const char *dataset, struct section_job *job, struct wms_exception *e) {
    struct wms_level level;
    if (query->layer_count != 1) return wms_exception_set(e, VIRGA_INVALID, "InvalidParameterValue", "LAYERS", "a section is of one layer");
    int status = http_wms_layer(peer, query, 0, dataset, job->transect, &job->layer, &level, e);
    peer->reply.more[0] = '\0';  // levels that were taken are none of this answer's; it says its times itself
    if (status || job->transect || map_layer_variable(&job->layer)->vertical) return status;
    return wms_exception_set(e, VIRGA_INVALID, "LayerNotQueryable", "LAYERS", "\"%.100s\" has no levels: there is no vertical profile of it", query->layers[0]);
}

// --- Reading. One of the threads that may wait.

static int no_memory(struct failure *failure) { return failure_set(failure, VIRGA_NO_MEMORY, "out of memory"); }

static size_t lesser(size_t a, size_t b) { return a < b ? a : b; }

static struct section_point *vertices_of(const struct section_job *job) {
    struct section_point *points = calloc(job->wkt.count, sizeof *points);
    for (size_t n = 0; points && n < job->wkt.count; n++)
        points[n] = (struct section_point){.lon = job->wkt.places[n].x, .lat = job->wkt.places[n].y, .height = NAN, .seconds = NAN};
    return points;
}

static bool any_inside(const struct section_job *job) {
    double i, j;
    for (size_t n = 0; n < job->line.count; n++)
        if (grid_locate(job->layer.field.dataset->grid, job->line.points[n].lon, job->line.points[n].lat, &i, &j)) return true;
    return false;
}

// Up to where a picture goes: the troposphere and a little more, as far as there is any.
static void set_heights(struct section_job *job, const struct level_map *map) {
    struct section_options *o = &job->options;
    const double usual = 16000;
    o->bottom = !isnan(job->bottom) ? job->bottom : map->datum == DATUM_SEA ? fmin(0, map->lowest) : 0;
    o->top = !isnan(job->top) ? job->top : fmin(map->highest, usual);
    if (!(o->top > o->bottom)) o->top = o->bottom + 1000;
    o->height_title = map->datum == DATUM_SEA ? "km above sea" : "km above ground";
}

static int read_transect(struct section_job *job, const struct field_ref *field, struct http_job *http, struct failure *failure) {
    const struct catalog_variable *v = map_layer_variable(&job->layer);
    size_t rows = v->vertical ? lesser((size_t)job->area.height, MOST_DOWN) : 1;
    double *heights = malloc(rows * sizeof *heights);
    if (!heights) return no_memory(failure);
    for (size_t n = 0; n < rows; n++) heights[n] = job->options.top - (job->options.top - job->options.bottom) * ((double)n + 0.5) / (double)rows;
    const struct section_rows wanted = {job->format == SECTION_PICTURE ? SECTION_HEIGHTS : SECTION_LEVELS, rows, heights};
    int status = section_read(http->catalog, http->server->app->bricks, field, job->line.points, job->line.count, &wanted, &job->section, failure);
    free(heights);
    return status;
}

static int read_profile(struct section_job *job, const struct field_ref *field, struct http_job *http, struct failure *failure) {
    const struct section_rows levels = {.kind = SECTION_LEVELS};
    const struct section_point *point = &job->line.points[0];
    job->exact = malloc(map_layer_variable(&job->layer)->nz * sizeof *job->exact);
    if (!job->exact) return no_memory(failure);
    int status = section_read(http->catalog, http->server->app->bricks, field, point, 1, &levels, &job->section, failure);
    return status ? status : section_exact_heights(field, point->lon, point->lat, job->exact, failure);
}

static int lay_line(struct section_job *job, struct failure *failure) {
    struct section_point *vertices = vertices_of(job);
    size_t across = lesser((size_t)job->area.width, MOST_ACROSS);
    int status = VIRGA_NO_MEMORY;
    if (vertices && job->transect && job->format == SECTION_PICTURE) status = section_line_even(&job->line, vertices, job->wkt.count, across, job->marks);
    else if (vertices) status = section_line_init(&job->line, job->layer.field.dataset->grid, vertices, job->wkt.count, job->transect ? OGC_PLACES : 1);
    free(vertices);
    return status ? no_memory(failure) : VIRGA_OK;
}

static int read_values(struct map_job *map, struct map_service *service, struct failure *failure) {
    struct section_job *job = (struct section_job *)http_map_job_of(map);
    struct field_ref field = job->layer.field;
    struct level_map *levels = NULL;
    (void)service;
    field.stop = &map->stop;
    int status = lay_line(job, failure);
    if (!status && !any_inside(job)) status = failure_set(failure, VIRGA_INVALID, "this lies outside of the layer's area");
    if (!status) status = catalog_level_map(job->map.job.catalog, &field, &levels, failure);
    if (!status && levels) set_heights(job, levels);
    level_map_unref(levels);
    if (status) return status;
    return job->transect ? read_transect(job, &field, &job->map.job, failure) : read_profile(job, &field, &job->map.job, failure);
}

// --- Pictures.

// range=auto: what there is in the section.
static int complete_style(struct map_style *style, const struct catalog_variable *variable, const struct section *section, struct failure *failure) {
    double field[2] = {INFINITY, -INFINITY};
    if (style->range_kind != MAP_RANGE_FIELD) return VIRGA_OK;
    for (size_t n = 0; section && n < section->points * section->rows; n++) {
        field[0] = fmin(field[0], section->values[n]);
        field[1] = fmax(field[1], section->values[n]);
    }
    return map_style_complete(style, variable, field[0] < field[1] ? field : NULL, failure);
}

static int draw_transect(struct section_job *job, uint8_t **bytes, size_t *size, struct failure *failure) {
    const struct section *s = &job->section;
    const struct catalog_variable *v = map_layer_variable(&job->layer);
    float *values = malloc(s->points * s->rows * sizeof *values);
    if (!values) return no_memory(failure);
    for (size_t x = 0; x < s->points; x++)
        for (size_t y = 0; y < s->rows; y++) values[y * s->points + x] = (float)s->values[x * s->rows + y];
    const struct section_along along = {
        .length = job->marks[job->wkt.count - 1], .nx = s->points, .ny = v->vertical ? s->rows : 0, .values = values, .ground = s->ground, .marks = job->marks + 1,
        .mark_count = job->wkt.count - 2, .ends = {{job->wkt.places[0].x, job->wkt.places[0].y}, {job->wkt.places[job->wkt.count - 1].x, job->wkt.places[job->wkt.count - 1].y}}};
    struct map_style style = job->layer.style;
    job->options.style = &style;
    int status = complete_style(&style, v, s, failure);
    if (!status) status = section_picture_along(&job->options, &along, bytes, size, failure);
    free(values);
    return status;
}

static int draw_profile(struct section_job *job, uint8_t **bytes, size_t *size, struct failure *failure) {
    const struct section_profile profile = {{job->line.points[0].lon, job->line.points[0].lat}, job->section.rows, job->exact, job->section.values, job->section.ground[0]};
    return section_picture_profile(&job->options, &profile, bytes, size, failure);
}

// --- Tables.

struct table {
    char *text;
    size_t size;
    FILE *file;
};

static void write_number(FILE *file, double number, char end) {
    if (isfinite(number)) fprintf(file, "%.9g", number);
    fputc(end, file);
}

// Words of the file, as a field of a table has them.
static void write_words(FILE *file, const char *words) {
    fputc('"', file);
    for (; *words; words++) {
        if (*words == '"') fputc('"', file);
        fputc((unsigned char)*words < 32 ? ' ' : *words, file);
    }
    fputc('"', file);
}

static int write_table(struct section_job *job, uint8_t **bytes, size_t *size, struct failure *failure) {
    const struct section *s = &job->section;
    const struct catalog_variable *v = map_layer_variable(&job->layer);
    char *text = NULL, words[LINE_TEXT + 300];
    FILE *file = open_memstream(&text, size);
    if (!file) return no_memory(failure);
    snprintf(words, sizeof words, "%.200s [%.80s]", v->id, v->units);
    fprintf(file, "time,longitude,latitude,%s", v->vertical ? "height [m]," : "");
    write_words(file, words);
    fputs("\r\n", file);
    for (size_t n = 0; n < s->points * s->rows; n++) {
        const struct section_point *p = &job->line.points[n / s->rows];
        fprintf(file, "%s,", map_layer_time(&job->layer)->iso);
        write_number(file, p->lon, ',');
        write_number(file, p->lat, ',');
        if (v->vertical) write_number(file, job->exact ? job->exact[n] : s->heights[n], ',');
        write_number(file, s->values[n], '\r');
        fputc('\n', file);
    }
    bool failed = ferror(file);
    if (fclose(file) || failed) {
        free(text);
        return no_memory(failure);
    }
    *bytes = (uint8_t *)text;
    return VIRGA_OK;
}

// --- The answer.

static int make(struct map_job *map, struct map_service *service, struct failure *failure) {
    struct section_job *job = (struct section_job *)http_map_job_of(map);
    const struct map_layer *layer = &job->layer;
    const struct catalog_variable *v = map_layer_variable(layer);
    char title[PRESET_TITLE_TEXT], subtitle[LINE_TEXT];
    uint8_t *bytes = NULL;
    size_t size = 0;
    (void)service;
    presets_title(v, title);
    snprintf(subtitle, sizeof subtitle, "valid %s, run %s", map_layer_time(layer)->iso, map_layer_run(layer)->iso);
    job->options.title = title;
    job->options.subtitle = subtitle;
    int (*const write)(struct section_job *, uint8_t **, size_t *, struct failure *) = job->format == SECTION_CSV ? write_table : job->transect ? draw_transect : draw_profile;
    int status = write(job, &bytes, &size, failure);
    if (!status && !(job->map.job.body = shared_bytes_copy(bytes, size))) status = no_memory(failure);
    free(bytes);
    return status;
}

// As OGC API EDR answers.
static int make_json(struct map_job *map, struct map_service *service, struct failure *failure) {
    struct section_job *job = (struct section_job *)http_map_job_of(map);
    struct http_job *http = &job->map.job;
    const struct map_layer *layer = &job->layer;
    struct ogc_edr_query *query = calloc(1, sizeof *query);
    char *json = NULL;
    (void)service;
    if (!query) return no_memory(failure);
    *query = (struct ogc_edr_query){.trajectory = job->transect, .dataset = layer->field.dataset, .run = layer->field.run, .wkt = job->wkt, .item_count = 1};
    query->items[0] = (struct ogc_edr_item){.variable = layer->field.variable, .first = layer->field.step, .count = 1, .member = layer->field.member,
                                            .constant = catalog_is_constant(map_layer_variable(layer))};
    int status = ogc_edr_answer(http->catalog, http->server->app->bricks, query, &map->stop, &json, failure);
    if (!status && !(http->body = shared_bytes_copy(json, strlen(json)))) status = no_memory(failure);
    free(json);
    free(query);
    return status == VIRGA_NOT_FOUND ? VIRGA_INVALID : status;
}

static void destroy(struct http_job *http) {
    struct section_job *job = (struct section_job *)http;
    map_layer_destroy(&job->layer);
    ogc_wkt_destroy(&job->wkt);
    section_line_destroy(&job->line);
    section_destroy(&job->section);
    free(job->exact);
}

static int read_request(struct peer *peer, const struct wms_query *query, const char *dataset, struct section_job *job, struct wms_exception *e) {
    int status = read_format(query, job, e);
    if (!status) status = read_looks(query, job, e);
    if (!status) status = read_layer(peer, query, dataset, job, e);
    if (!status) status = read_place(query, job, e);
    if (status) return status;
    job->options.variable = map_layer_variable(&job->layer);
    struct map_style style = job->layer.style;
    job->options.style = &style;
    if (complete_style(&style, job->options.variable, NULL, &e->failure) || section_picture_area(&job->options, &job->area, &e->failure)) return wms_exception_set(e, VIRGA_INVALID, "InvalidParameterValue", "WIDTH", "%s", e->failure.message);
    return VIRGA_OK;
}

int wms_section_answer(struct peer *peer, const struct wms_query *query, const char *dataset) {
    struct section_job *job = (struct section_job *)http_map_job_new(peer, sizeof *job, http_wms_refuse);
    struct wms_exception exception = {0};
    if (!job) return http_answer_error(peer, 503, "out of memory");
    job->map.job.destroy = destroy;
    job->map.job.cache = "public, max-age=30";
    job->transect = query->request == WMS_TRANSECT;
    if (read_request(peer, query, dataset, job, &exception)) {
        http_job_free(&job->map.job);
        return http_wms_except(peer, query, &exception);
    }
    job->map.map.wait = job->format == SECTION_JSON ? make_json : read_values;
    job->map.map.work = job->format == SECTION_JSON ? NULL : make;
    return http_map_job_start(&job->map);
}
