// SPDX-License-Identifier: Apache-2.0
// GetFeatureInfo: the values at a pixel of a map, at full resolution.
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "render/presets.h"
#include "server/http_wms.h"
#include "server/xml_writer.h"
#include "tile/map_places.h"

struct info_layer {
    char name[WMS_NAME];
    struct map_layer layer;
    struct wms_level level;
    struct plane *plane, *partner;
    double value, direction;  // NaN: missing; direction: of barbs and arrows, the other field
};

struct info_job {
    struct http_map_job map;  // first
    enum wms_info info;
    struct map_frame pixel;   // the pixel alone, with a reference to its CRS
    double place[2];          // longitude and latitude; NaN outside the CRS
    size_t count;
    struct info_layer layers[MAP_PICTURE_LAYERS];
};

static void destroy(struct http_job *job) {
    struct info_job *info = (struct info_job *)job;
    for (size_t n = 0; n < info->count; n++) {
        plane_unref(info->layers[n].plane);
        plane_unref(info->layers[n].partner);
        map_layer_destroy(&info->layers[n].layer);
    }
    map_crs_unref(info->pixel.crs);
}

// Values.

static int get_planes(struct map_job *map, struct map_service *service, struct failure *failure) {
    struct info_job *info = (struct info_job *)http_map_job_of(map);
    int status = VIRGA_OK;
    for (size_t n = 0; !status && n < info->count; n++) {
        struct info_layer *l = &info->layers[n];
        status = map_service_plane(service, &l->layer, false, &map->stop, &l->plane, failure);
        if (!status && l->layer.partner.dataset) status = map_service_plane(service, &l->layer, true, &map->stop, &l->partner, failure);
    }
    return status;
}

static int sample(const struct map_frame *pixel, struct info_layer *l, struct failure *failure) {
    struct map_places *places = NULL;
    double i, j;
    l->value = l->direction = NAN;
    int status = map_places_new(l->layer.field.dataset->grid, pixel, &places, failure);
    if (!status && map_places_at(places, 0, 0, &i, &j)) {
        l->value = plane_sample(l->plane, i, j);
        if (l->partner) l->direction = plane_sample(l->partner, i, j);
    }
    map_places_free(places);
    return status;
}

// Seven digits are more than any forecast has.
static double rounded(double value) {
    char text[40];
    snprintf(text, sizeof text, "%.7g", value);
    return strtod(text, NULL);
}

// "-12.3 °C", as legends have it; "" where it is missing.
static void write_shown(const struct info_layer *l, char *text, size_t room) {
    struct preset_units units;
    presets_units(&l->layer.shown, "", false, &units);
    text[0] = '\0';
    if (!isnan(l->value)) snprintf(text, room, "%.6g%s%s", l->value * units.scale + units.offset, *units.label ? " " : "", units.label);
}

static void title_of(const struct info_layer *l, char *text, size_t room) {
    char title[PRESET_TITLE_TEXT], level[SURFACE_TITLE];
    presets_title(map_layer_variable(&l->layer), title);
    surface_title(&l->layer.surface, level);
    if (l->level.there && *l->level.units) snprintf(level, sizeof level, "%.6g %s", l->level.value, l->level.units);  // of levels with units, these say more than their number
    snprintf(text, room, "%s%s%s", title, *level ? ", " : "", level);
}

static const char *partner_name(const struct info_layer *l) { return l->layer.partner.dataset->variables[l->layer.partner.variable].id; }

// Forms.

enum { TITLE = PRESET_TITLE_TEXT + SURFACE_TITLE + 4 };

static void write_xml_layer(struct xml_writer *xml, const struct info_layer *l) {
    char title[TITLE], number[XML_NUMBER], shown[100];
    title_of(l, title, sizeof title);
    write_shown(l, shown, sizeof shown);
    xml_open(xml, "FeatureInfo");
    xml_text(xml, "layer", l->name);
    xml_text(xml, "title", title);
    xml_text(xml, "time", map_layer_time(&l->layer)->iso);
    xml_text(xml, "reference_time", map_layer_run(&l->layer)->iso);
    if (l->level.there) xml_number(xml, "elevation", l->level.value);
    xml_text(xml, "value", isnan(l->value) ? "none" : xml_number_text(rounded(l->value), number));
    xml_text(xml, "units", l->layer.shown.units);
    xml_text(xml, "shown", shown);
    if (l->partner && !isnan(l->direction)) {
        xml_open(xml, "partner");
        xml_attribute(xml, "variable", partner_name(l));
        xml_write(xml, xml_number_text(rounded(l->direction), number));
        xml_close(xml);
    }
    if (*l->plane->method) xml_text(xml, "method", l->plane->method);
    xml_close(xml);
}

// As ncWMS has it, and a little more.
static char *write_xml(const struct info_job *info) {
    struct xml_writer *xml = xml_writer_new(NULL);
    xml_open(xml, "FeatureInfoResponse");
    xml_number(xml, "longitude", rounded(info->place[0]));
    xml_number(xml, "latitude", rounded(info->place[1]));
    for (size_t n = 0; n < info->count; n++) write_xml_layer(xml, &info->layers[n]);
    return xml_writer_end(xml, NULL);
}

static json_t *number_or_null(double value) { return isfinite(value) ? json_real(rounded(value)) : json_null(); }

static json_t *json_layer(const struct info_job *info, const struct info_layer *l) {
    char title[TITLE], shown[100];
    title_of(l, title, sizeof title);
    write_shown(l, shown, sizeof shown);
    json_t *properties = json_pack("{s:s, s:s, s:s, s:s, s:o, s:s, s:s}", "layer", l->name, "title", title, "time", map_layer_time(&l->layer)->iso, "reference_time",
                                   map_layer_run(&l->layer)->iso, "value", number_or_null(l->value), "units", l->layer.shown.units, "shown", shown);
    if (properties && l->level.there) json_object_set_new(properties, "elevation", number_or_null(l->level.value));
    if (properties && l->partner) json_object_set_new(properties, partner_name(l), number_or_null(l->direction));
    if (properties && *l->plane->method) json_object_set_new(properties, "method", json_string(l->plane->method));
    return json_pack("{s:s, s:s, s:{s:s, s:[o, o]}, s:o}", "type", "Feature", "id", l->name, "geometry", "type", "Point", "coordinates", number_or_null(info->place[0]),
                     number_or_null(info->place[1]), "properties", properties);
}

// GeoJSON: a point for each layer.
static char *write_json(const struct info_job *info) {
    json_t *features = json_array(), *root = json_pack("{s:s, s:o}", "type", "FeatureCollection", "features", features);
    for (size_t n = 0; root && n < info->count; n++) json_array_append_new(features, json_layer(info, &info->layers[n]));
    char *text = root ? json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
    json_decref(root);
    return text;
}

static char *write_text(const struct info_job *info) {
    char *text = NULL, title[TITLE], shown[100];
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out) return NULL;
    fprintf(out, "longitude %.5f, latitude %.5f\n", info->place[0], info->place[1]);
    for (size_t n = 0; n < info->count; n++) {
        const struct info_layer *l = &info->layers[n];
        title_of(l, title, sizeof title);
        write_shown(l, shown, sizeof shown);
        fprintf(out, "%s at %s: %s", title, map_layer_time(&l->layer)->iso, *shown ? shown : "none");
        if (l->partner && !isnan(l->direction)) fprintf(out, ", %s %.6g", partner_name(l), l->direction);
        fprintf(out, " (%s, run of %s)\n", l->name, map_layer_run(&l->layer)->iso);
    }
    return fclose(out) ? (free(text), NULL) : text;
}

static char *write_html(const struct info_job *info) {
    char title[TITLE], shown[100];
    struct xml_writer *xml = xml_writer_new("<!DOCTYPE html>\n");
    xml_open(xml, "html");
    xml_attribute(xml, "xmlns", "http://www.w3.org/1999/xhtml");
    xml_open(xml, "head");
    xml_text(xml, "title", "Values");
    xml_close(xml);
    xml_open(xml, "body");
    xml_open(xml, "table");
    for (size_t n = 0; n < info->count; n++) {
        title_of(&info->layers[n], title, sizeof title);
        write_shown(&info->layers[n], shown, sizeof shown);
        xml_open(xml, "tr");
        xml_text(xml, "th", title);
        xml_text(xml, "td", *shown ? shown : "none");
        xml_text(xml, "td", map_layer_time(&info->layers[n].layer)->iso);
        xml_close(xml);
    }
    return xml_writer_end(xml, NULL);
}

static const char *type_of(enum wms_info info) {
    static const char *const types[] = {[WMS_INFO_XML] = "text/xml; charset=utf-8", [WMS_INFO_JSON] = "application/json", [WMS_INFO_TEXT] = "text/plain; charset=utf-8",
                                        [WMS_INFO_HTML] = "text/html; charset=utf-8"};
    return types[info];
}

static int write_info(struct map_job *map, struct map_service *service, struct failure *failure) {
    static char *(*const writers[])(const struct info_job *) = {
        [WMS_INFO_XML] = write_xml, [WMS_INFO_JSON] = write_json, [WMS_INFO_TEXT] = write_text, [WMS_INFO_HTML] = write_html};
    struct info_job *info = (struct info_job *)http_map_job_of(map);
    int status = VIRGA_OK;
    (void)service;
    for (size_t n = 0; !status && n < info->count; n++) status = sample(&info->pixel, &info->layers[n], failure);
    char *text = status ? NULL : writers[info->info](info);
    if (text) info->map.job.body = shared_bytes_copy(text, strlen(text));
    free(text);
    if (status || info->map.job.body) return status;
    return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
}

// The question.

static void take_pixel(struct info_job *info, const struct map_frame *frame, unsigned column, unsigned row) {
    double x[2], y[2], place[2];
    map_frame_place(frame, column, row + 1.0, &x[0], &y[0]);
    map_frame_place(frame, column + 1.0, row, &x[1], &y[1]);
    map_frame_place(frame, column + 0.5, row + 0.5, &place[0], &place[1]);
    info->pixel = (struct map_frame){.crs = frame->crs, .box = {x[0], y[0], x[1], y[1]}, .width = 1, .height = 1};
    if (map_crs_to_lonlat(frame->crs, place[0], place[1], &info->place[0], &info->place[1])) info->place[0] = info->place[1] = NAN;
}

static int prepare(struct peer *peer, const struct wms_query *query, const char *dataset, struct info_job *info, struct wms_exception *exception) {
    struct map_layer layers[MAP_PICTURE_LAYERS];
    struct map_frame frame;
    int status = VIRGA_OK;
    for (size_t n = 0; !status && n < query->asked_count; n++) {
        struct info_layer *l = &info->layers[n];
        snprintf(l->name, sizeof l->name, "%s", query->layers[query->asked[n]]);
        status = http_wms_layer(peer, query, query->asked[n], dataset, true, &l->layer, &l->level, exception);
        if (status) break;
        info->count++;
        layers[n] = l->layer;
    }
    if (!status) status = http_wms_frame(peer, query, layers, info->count, &frame, exception);
    if (!status) take_pixel(info, &frame, query->column, query->row);
    return status;
}

int http_wms_info(struct peer *peer, const struct wms_query *query, const char *dataset) {
    struct wms_exception exception = {0};
    struct info_job *info = (struct info_job *)http_map_job_new(peer, sizeof *info, http_wms_refuse);
    if (!info) return http_answer_error(peer, 503, "out of memory");
    info->info = query->info;
    info->map.job.destroy = destroy;
    info->map.job.type = type_of(query->info);
    info->map.job.cache = "no-cache";
    info->map.map.wait = get_planes;
    info->map.map.work = write_info;
    if (prepare(peer, query, dataset, info, &exception) == VIRGA_OK) return http_map_job_start(&info->map);
    http_job_free(&info->map.job);
    peer->reply.more[0] = '\0';
    return http_wms_except(peer, query, &exception);
}
