// SPDX-License-Identifier: Apache-2.0
#include "server/ogc_documents.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "render/presets.h"
#include "server/covjson.h"
#include "server/map_times.h"

#define CRS84 "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
#define CRS84_WKT "GEOGCS[\"WGS 84 (CRS84)\",DATUM[\"WGS_1984\",SPHEROID[\"WGS 84\",6378137,298.257223563]],PRIMEM[\"Greenwich\",0],UNIT[\"degree\",0.0174532925199433]," \
                  "AXIS[\"Longitude\",EAST],AXIS[\"Latitude\",NORTH],AUTHORITY[\"OGC\",\"CRS84\"]]"
#define JSON "application/json"

enum { ADDRESS = 1400, TITLE = 512 };

static void clean(char *to, size_t room, const char *text) {
    snprintf(to, room, "%s", text);
    utf8_clean(to);
}

static json_t *link_to(const char *rel, const char *type, const char *title, const char *root, const char *path) {
    return json_pack("{s:s, s:s, s:s, s:s+}", "rel", rel, "type", type, "title", title, "href", root, path);
}

static void id_of(const struct ogc_collection *c, char id[TITLE]) {
    if (c->variable < 0) snprintf(id, TITLE, "%.250s", c->dataset->id);
    else snprintf(id, TITLE, "%.250s:%.250s", c->dataset->id, c->dataset->variables[c->variable].id);
}

int ogc_collection_find(const struct catalog *catalog, const char *id, struct ogc_collection *collection, struct failure *failure) {
    char dataset[TITLE];
    const char *colon = strchr(id, ':');
    size_t length = colon ? (size_t)(colon - id) : strlen(id);
    *collection = (struct ogc_collection){.variable = -1};
    if (length < sizeof dataset) {
        memcpy(dataset, id, length);
        dataset[length] = '\0';
        collection->dataset = catalog_find_dataset(catalog, dataset);
    }
    const struct catalog_dataset *set = collection->dataset;
    for (size_t v = 0; set && colon && v < set->variable_count; v++)
        if (!set->variables[v].hidden && !strcmp(set->variables[v].id, colon + 1)) collection->variable = (int)v;
    if (set && (!colon || collection->variable >= 0)) return VIRGA_OK;
    return failure_set(failure, VIRGA_NOT_FOUND, "there is no collection \"%.100s\"", id);
}

// --- The API itself.

json_t *ogc_landing(const char *root) {
    return json_pack("{s:s, s:s, s:[o, o, o, o, o, o]}", "title", "virga", "description", "Numerical weather forecasts as map tiles, and as values at places and along lines", "links",
                     link_to("self", JSON, "This document", root, ""),
                     link_to("service-desc", "application/vnd.oai.openapi+json;version=3.0", "What there is to ask for, as OpenAPI 3.0", root, "api"),
                     link_to("conformance", JSON, "Conformance classes that this API keeps to", root, "conformance"),
                     link_to("http://www.opengis.net/def/rel/ogc/1.0/conformance", JSON, "Conformance classes that this API keeps to", root, "conformance"),
                     link_to("data", JSON, "Collections", root, "collections"),
                     link_to("http://www.opengis.net/def/rel/ogc/1.0/tiling-schemes", JSON, "Tile matrix sets", root, "tileMatrixSets"));
}

json_t *ogc_conformance(void) {
    static const char *const classes[] = {
        "ogcapi-common-1/1.0/conf/core", "ogcapi-common-1/1.0/conf/landing-page", "ogcapi-common-1/1.0/conf/json", "ogcapi-common-1/1.0/conf/oas30",
        "ogcapi-common-2/1.0/conf/collections", "ogcapi-edr-1/1.1/conf/core", "ogcapi-edr-1/1.1/conf/collections", "ogcapi-edr-1/1.1/conf/json", "ogcapi-edr-1/1.1/conf/covjson",
        "ogcapi-edr-1/1.1/conf/oas30", "ogcapi-tiles-1/1.0/conf/core", "ogcapi-tiles-1/1.0/conf/tileset", "ogcapi-tiles-1/1.0/conf/tilesets-list",
        "ogcapi-tiles-1/1.0/conf/geodata-tilesets", "ogcapi-tiles-1/1.0/conf/png", "ogcapi-tiles-1/1.0/conf/jpeg", "ogcapi-tiles-1/1.0/conf/oas30",
        "tms/2.0/conf/tilematrixset", "tms/2.0/conf/json-tilematrixset"};
    json_t *array = json_array();
    for (size_t n = 0; n < sizeof classes / sizeof *classes; n++) {
        char uri[200];
        snprintf(uri, sizeof uri, "http://www.opengis.net/spec/%s", classes[n]);
        json_array_append_new(array, json_string(uri));
    }
    return json_pack("{s:o}", "conformsTo", array);
}

// --- Extents.

static bool is_shown(const struct ogc_collection *c, size_t variable) {
    return c->variable < 0 ? !c->dataset->variables[variable].hidden : variable == (size_t)c->variable;
}

// run: index, or -1 for all.
static bool is_run(int run, size_t r) { return run < 0 || (size_t)run == r; }

static json_t *spatial_extent(const struct ogc_collection *c) {
    double box[4];
    if (c->box) memcpy(box, c->box, sizeof box);
    else map_crs_bounds_degrees(c->dataset->grid, box);
    if (box[2] > 180) box[2] -= 360;  // over the date line: west is larger than east
    return json_pack("{s:[[f, f, f, f]], s:s}", "bbox", box[0], box[1], box[2], box[3], "crs", CRS84);
}

// The variable with the most steps, for lists; -1 where none has any.
static int longest(const struct ogc_collection *c, int run) {
    size_t most = 0;
    int best = -1;
    for (size_t v = 0; v < c->dataset->variable_count; v++) {
        size_t count = 0;
        for (size_t r = 0; r < c->dataset->run_count; r++)
            if (is_run(run, r) && c->dataset->runs[r].series[v].present) count += c->dataset->runs[r].series[v].time_count;
        if (!is_shown(c, v) || count <= most || catalog_is_constant(&c->dataset->variables[v])) continue;
        most = count;
        best = (int)v;
    }
    return best;
}

static json_t *list_times(const struct catalog_time *times, size_t count) {
    json_t *array = json_array();
    struct map_interval interval;
    for (size_t at = 0; map_times_next(times, count, &at, &interval);) {
        char period[MAP_TIMES_PERIOD], text[CATALOG_TIME_TEXT + MAP_TIMES_PERIOD + 24];
        const char *first = times[interval.first].iso;
        map_times_period(interval.period, period);
        if (interval.count > 1) snprintf(text, sizeof text, "R%zu/%s/%s", interval.count, first, period);
        json_array_append_new(array, json_string(interval.count > 1 ? text : first));
    }
    return array;
}

// Times are listed where the document is of one collection.
static json_t *temporal_extent(const struct ogc_collection *c, int run, bool listed) {
    const struct catalog_dataset *set = c->dataset;
    const struct catalog_time *first = NULL, *last = NULL;
    int variable = longest(c, run);
    for (size_t r = 0; r < set->run_count && variable >= 0; r++) {
        const struct catalog_series *series = &set->runs[r].series[variable];
        if (!is_run(run, r) || !series->present || !series->time_count) continue;
        if (!first || series->times[0].seconds < first->seconds) first = &series->times[0];
        if (!last || series->times[series->time_count - 1].seconds > last->seconds) last = &series->times[series->time_count - 1];
    }
    if (!first) return NULL;
    json_t *extent = json_pack("{s:[[s, s]], s:s}", "interval", first->iso, last->iso, "trs",
                               "TIMECRS[\"DateTime\",TDATUM[\"Gregorian Calendar\"],CS[TemporalDateTime,1],AXIS[\"Time (T)\",future]]");
    if (!listed) return extent;
    struct catalog_time *times = NULL;
    size_t count = 0;
    const struct catalog_series *series = run < 0 ? NULL : &set->runs[run].series[variable];
    if (!series && map_times_all(set, (size_t)variable, &times, &count)) return extent;
    json_object_set_new(extent, "values", series ? list_times(series->times, series->time_count) : list_times(times, count));
    free(times);
    return extent;
}

static json_t *height_text(double height) {
    char text[40];
    snprintf(text, sizeof text, "%.7g", height);
    return json_string(text);
}

static json_t *vertical_extent(const struct ogc_collection *c, bool listed) {
    const struct level_map *map = NULL;
    double low = INFINITY, high = -INFINITY;
    for (size_t v = 0; v < c->dataset->variable_count; v++) {
        const struct level_map *m = is_shown(c, v) ? c->dataset->variables[v].level_map : NULL;
        if (!m || (map && m->datum != map->datum)) continue;
        map = m;
        low = fmin(low, m->lowest);
        high = fmax(high, m->highest);
    }
    if (!map) return NULL;
    const char *system = map->datum == DATUM_SEA ? "VERTCRS[\"Height above mean sea level\",VDATUM[\"Mean sea level\"],CS[vertical,1],AXIS[\"height (H)\",up],LENGTHUNIT[\"metre\",1]]"
                                                 : "VERTCRS[\"Height above the ground\",VDATUM[\"Ground\"],CS[vertical,1],AXIS[\"height (H)\",up],LENGTHUNIT[\"metre\",1]]";
    json_t *extent = json_pack("{s:[[o, o]], s:s}", "interval", height_text(low), height_text(high), "vrs", system), *values = json_array();
    for (size_t k = 0; listed && c->variable >= 0 && k < map->level_count; k++) json_array_append_new(values, height_text(map->nominal[k]));
    if (json_array_size(values)) json_object_set(extent, "values", values);
    json_decref(values);
    return extent;
}

static json_t *extent_of(const struct ogc_collection *c, int run, bool listed) {
    json_t *extent = json_pack("{s:o}", "spatial", spatial_extent(c)), *temporal = temporal_extent(c, run, listed), *vertical = vertical_extent(c, listed);
    if (temporal) json_object_set_new(extent, "temporal", temporal);
    if (vertical) json_object_set_new(extent, "vertical", vertical);
    return extent;
}

// --- Collections.

static json_t *parameter(const struct catalog_variable *v) {
    char title[PRESET_TITLE_TEXT], units[128], name[TITLE], id[TITLE + 64];
    presets_title(v, title);
    utf8_clean(title);
    clean(units, sizeof units, v->units);
    clean(name, sizeof name, v->standard_name);
    snprintf(id, sizeof id, "http://vocab.nerc.ac.uk/standard_name/%s/", name);
    return json_pack("{s:s, s:s, s:s, s:s, s:{s:s, s:s}, s:{s:s, s:s}}", "type", "Parameter", "id", v->id, "description", title, "data-type", "float", "unit", "label", units, "symbol",
                     units, "observedProperty", "id", *name ? id : v->id, "label", title);
}

static json_t *parameters(const struct ogc_collection *c) {
    json_t *object = json_object();
    for (size_t v = 0; v < c->dataset->variable_count; v++)
        if (is_shown(c, v)) json_object_set_new(object, c->dataset->variables[v].id, parameter(&c->dataset->variables[v]));
    return object;
}

static json_t *query_link(const char *title, const char *type, const char *address, const char *name) {
    json_t *variables = json_pack("{s:s, s:s, s:[s], s:s, s:[{s:s, s:s}]}", "title", title, "query_type", type, "output_formats", "CoverageJSON", "default_output_format", "CoverageJSON",
                                  "crs_details", "crs", "CRS84", "wkt", CRS84_WKT);
    return json_pack("{s:{s:s+, s:s, s:b, s:s, s:s, s:o}}", "link", "href", address, name, "rel", "data", "templated", 0, "type", COVJSON_TYPE, "title", title, "variables", variables);
}

static json_t *queries(const char *address, bool has_instances) {
    json_t *object = json_pack("{s:o, s:o}", "position", query_link("Values at a place", "position", address, "/position"), "trajectory",
                               query_link("Values along a line", "trajectory", address, "/trajectory"));
    if (has_instances)
        json_object_set_new(object, "instances", json_pack("{s:{s:s+, s:s, s:b, s:s, s:s, s:{s:s, s:s}}}", "link", "href", address, "/instances", "rel", "collection", "templated", 0,
                                                           "type", JSON, "title", "Runs", "variables", "title", "Runs", "query_type", "instances"));
    return object;
}

static void title_of(const struct ogc_collection *c, char title[TITLE]) {
    char name[PRESET_TITLE_TEXT];
    if (c->variable < 0) {
        clean(title, TITLE, c->dataset->title);
        return;
    }
    presets_title(&c->dataset->variables[c->variable], name);
    snprintf(title, TITLE, "%.250s, %.200s", name, c->dataset->title);
    utf8_clean(title);
}

// What a collection and an instance of one have alike.
static json_t *describe(const struct ogc_collection *c, int run, const char *address, const char *id, const char *title, bool listed) {
    const char *what = c->variable < 0 ? "Forecasts of several parameters on one grid" : "Forecasts of one parameter";
    return json_pack("{s:s, s:s, s:s, s:[s, s], s:o, s:[o, o], s:[s], s:[s], s:o, s:o}", "id", id, "title", title, "description", what, "keywords", "forecast", "atmosphere", "extent",
                     extent_of(c, run, listed), "links", link_to(listed ? "self" : "item", JSON, title, address, ""),
                     link_to("data", COVJSON_TYPE, "Values at a place, named by coords", address, "/position"), "crs", "CRS84", "output_formats",
                     "CoverageJSON", "data_queries", queries(address, run < 0), "parameter_names", parameters(c));
}

static json_t *collection_of(const struct ogc_collection *c, const char *root, bool listed) {
    char id[TITLE], title[TITLE], address[ADDRESS];
    id_of(c, id);
    title_of(c, title);
    snprintf(address, sizeof address, "%scollections/%s", root, id);
    json_t *object = describe(c, -1, address, id, title, listed);
    if (c->variable >= 0) json_array_append_new(json_object_get(object, "links"), link_to("http://www.opengis.net/def/rel/ogc/1.0/tilesets-map", JSON, "Map tiles", address, "/map/tiles"));
    return object;
}

json_t *ogc_collection(const struct ogc_collection *collection, const char *root) { return collection_of(collection, root, true); }

// --- Pages of them.

// Whether any variable has something at the page's time, or has no times.
static bool is_at_time(const struct ogc_collection *c, int run, const struct ogc_datetime *datetime) {
    for (size_t v = 0; datetime->said && v < c->dataset->variable_count; v++) {
        const struct catalog_variable *variable = &c->dataset->variables[v];
        double from, to;
        if (!is_shown(c, v) || ogc_datetime_range(datetime, variable->calendar, &from, &to, NULL)) continue;
        if (catalog_is_constant(variable)) return true;
        for (size_t r = 0; r < c->dataset->run_count; r++) {
            const struct catalog_series *series = &c->dataset->runs[r].series[v];
            if (is_run(run, r) && series->present && series->time_count && series->times[0].seconds <= to && series->times[series->time_count - 1].seconds >= from) return true;
        }
    }
    return !datetime->said;
}

static bool is_there(const double box[4], const struct ogc_page *page) { return !page->has_box || ogc_boxes_meet(box, page->box); }

// Counts one more; whether it is on the page.
static bool is_on_page(const struct ogc_page *page, size_t *number) {
    size_t n = (*number)++;
    return n >= page->offset && n - page->offset < page->limit;
}

static void add_next(json_t *object, const char *address, const struct ogc_page *page, size_t count) {
    char query[ADDRESS];
    if (count <= page->offset || count - page->offset <= page->limit) return;
    snprintf(query, sizeof query, "?offset=%zu&limit=%zu%s", page->offset + page->limit, page->limit, page->words);
    json_array_append_new(json_object_get(object, "links"), link_to("next", JSON, "The next ones", address, query));
}

json_t *ogc_collections(const struct catalog *catalog, const char *root, const struct ogc_page *page) {
    json_t *array = json_array();
    size_t number = 0;
    for (size_t d = 0; d < catalog->dataset_count; d++) {
        double box[4];
        struct ogc_collection c = {.dataset = &catalog->datasets[d], .box = box};
        map_crs_bounds_degrees(c.dataset->grid, box);
        if (!is_there(box, page)) continue;
        for (c.variable = -1; c.variable < (int)c.dataset->variable_count; c.variable++) {
            if ((c.variable >= 0 && c.dataset->variables[c.variable].hidden) || !is_at_time(&c, -1, &page->datetime)) continue;
            if (is_on_page(page, &number)) json_array_append_new(array, collection_of(&c, root, false));
        }
    }
    char address[ADDRESS];
    snprintf(address, sizeof address, "%scollections", root);
    json_t *object = json_pack("{s:[o], s:o, s:I, s:I}", "links", link_to("self", JSON, "Collections", address, ""), "collections", array, "numberMatched", (json_int_t)number, "numberReturned",
                               (json_int_t)json_array_size(array));
    add_next(object, address, page, number);
    return object;
}

static json_t *instance_of(const struct ogc_collection *c, size_t run, const char *root, bool listed) {
    char id[TITLE], title[TITLE], address[ADDRESS];
    const char *time = c->dataset->runs[run].time.iso;
    id_of(c, id);
    snprintf(title, sizeof title, "Run of %s", time);
    snprintf(address, sizeof address, "%scollections/%s/instances/%s", root, id, time);
    return describe(c, (int)run, address, time, title, listed);
}

json_t *ogc_instance(const struct ogc_collection *collection, size_t run, const char *root) { return instance_of(collection, run, root, true); }

json_t *ogc_instances(const struct ogc_collection *collection, const char *root, const struct ogc_page *page) {
    json_t *array = json_array();
    char id[TITLE], address[ADDRESS];
    double box[4];
    size_t number = 0;
    const struct ogc_collection c = {collection->dataset, collection->variable, box};
    map_crs_bounds_degrees(collection->dataset->grid, box);
    for (size_t run = collection->dataset->run_count; is_there(box, page) && run-- > 0;)  // the newest first
        if (is_at_time(collection, (int)run, &page->datetime) && is_on_page(page, &number)) json_array_append_new(array, instance_of(&c, run, root, false));
    id_of(collection, id);
    snprintf(address, sizeof address, "%scollections/%s/instances", root, id);
    json_t *object = json_pack("{s:[o], s:o}", "links", link_to("self", JSON, "Runs", address, ""), "instances", array);
    add_next(object, address, page, number);
    return object;
}
