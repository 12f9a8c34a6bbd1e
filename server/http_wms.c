// SPDX-License-Identifier: Apache-2.0
#include "server/http_wms.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "render/map_message.h"
#include "server/web_user.h"
#include "server/wms_section.h"
#include "server/wms_capabilities.h"
#include "server/xml_writer.h"

// Of the request under way. VIRGA_TOO_LARGE: there are more than are taken.
static int read_parameters(const struct peer *peer, struct wms_parameters *parameters) {
    char part[WEB_MAX_HEADER];
    int status = VIRGA_OK;
    memset(parameters, 0, sizeof *parameters);
    for (int n = 0; !status && lws_hdr_copy_fragment(peer->wsi, part, sizeof part, WSI_TOKEN_HTTP_URI_ARGS, n) >= 0; n++) status = wms_parameters_add(parameters, part);
    return status;
}

// Exceptions.

// What was asked for wrongly is answered as well as anything: clients read the exception, not HTTP's status. What we could not do is told by both.
static int status_of(int code) { return code == VIRGA_INVALID || code == VIRGA_NOT_FOUND ? 200 : http_map_status(code); }

static int answer_text(struct peer *peer, int status, enum wms_version version, const struct wms_exception *exception) {
    size_t size;
    char *text = wms_exception_write(version, exception, &size);
    if (!text) return http_answer_error(peer, 503, "out of memory");
    peer->reply.encoding = NULL;
    peer->reply.etag[0] = '\0';
    peer->reply.cache = "no-store";
    http_answer(peer, status, wms_exception_type(version), shared_bytes_copy(text, size));
    free(text);
    return status;
}

struct message_job {
    struct http_map_job map;  // first
    unsigned width, height;
    struct map_picture_options options;
    bool empty;
    char text[512];
};

static int draw_message(struct map_job *map, struct map_service *service, struct failure *failure) {
    struct message_job *job = (struct message_job *)http_map_job_of(map);
    uint8_t *bytes;
    size_t size;
    (void)service;
    int status = map_message_draw(job->width, job->height, job->empty ? NULL : job->text, &job->options, &bytes, &size, failure);
    if (status) return status;
    job->map.job.body = shared_bytes_copy(bytes, size);
    free(bytes);
    return job->map.job.body ? VIRGA_OK : failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
}

static struct map_picture_options picture_options(const struct wms_query *query) {
    struct map_picture_options options = {.format = query->format, .quality = 90, .transparent = query->transparent, .scale = query->scale ? query->scale : 1};
    memcpy(options.background, query->background, sizeof options.background);
    return options;
}

static int answer_picture(struct peer *peer, const struct wms_query *query, const struct wms_exception *exception) {
    struct message_job *job = (struct message_job *)http_map_job_new(peer, sizeof *job, NULL);
    if (!job) return http_answer_error(peer, 503, "out of memory");
    job->width = query->width;
    job->height = query->height;
    job->options = picture_options(query);
    job->empty = query->refusal == WMS_REFUSE_BLANK;
    snprintf(job->text, sizeof job->text, "%s", exception->failure.message);
    job->map.map.work = draw_message;
    job->map.job.type = image_type(query->format);
    job->map.job.cache = "no-store";
    return http_map_job_start(&job->map);
}

enum { LARGEST_LAYERS = 4 };  // how many layers a map of the largest size may have

static bool has_size(const struct peer *peer, const struct wms_query *query) {
    const unsigned most = (unsigned)peer->server->app->config.map_max_size;
    return query->width && query->height && query->width <= most && query->height <= most;
}

int http_wms_except(struct peer *peer, const struct wms_query *query, const struct wms_exception *exception) {
    int status = status_of(exception->failure.status);
    if (query->refusal != WMS_REFUSE_XML && status == 200 && has_size(peer, query)) return answer_picture(peer, query, exception);
    return answer_text(peer, status, query->version, exception);
}

int http_wms_refuse(struct peer *peer, int status, int code, const char *message) {
    struct wms_parameters parameters;
    struct wms_query query;
    struct wms_exception exception;
    read_parameters(peer, &parameters);
    wms_query_read(&parameters, &query, &exception);
    wms_exception_set(&exception, code, NULL, NULL, "%s", message);
    return answer_text(peer, status >= 500 ? status : status_of(code), query.version, &exception);
}

// Layers.

// A line of the header, as long as there is room.
static void warn(struct peer *peer, const char *what, const char *name, const char *value, const char *units) {
    char line[200];
    size_t at = strlen(peer->reply.more);
    int size = snprintf(line, sizeof line, "Warning: 99 %s value used: %s=%s%s%s\r\n", what, name, value, *units ? " " : "", units);
    if (size < 0 || (size_t)size >= sizeof line || (size_t)size + at >= sizeof peer->reply.more || strstr(peer->reply.more, line)) return;
    memcpy(peer->reply.more + at, line, (size_t)size + 1);
}

static int find_level(const struct wms_query *query, const struct wms_layer *layer, struct wms_level *level, struct wms_exception *exception) {
    bool threshold = layer->kind == SURFACE_TOP || layer->kind == SURFACE_BASE;
    return wms_layer_level(layer, threshold ? query->dimensions.threshold : query->dimensions.elevation, level, exception);
}

static void warn_of_level(struct peer *peer, const struct wms_level *level) {
    char number[XML_NUMBER];
    if (level->there && (level->usual || level->nearest)) warn(peer, level->usual ? "Default" : "Nearest", level->name, xml_number_text(level->value, number), level->units);
}

static void warn_of_times(struct peer *peer, const struct map_layer *layer) {
    if (catalog_is_constant(map_layer_variable(layer))) return;
    if (!layer->time.time_said) warn(peer, "Default", "time", map_layer_time(layer)->iso, "ISO8601");
    else if (!layer->time.exact) warn(peer, "Nearest", "time", map_layer_time(layer)->iso, "ISO8601");
    if (!layer->time.run_said) warn(peer, "Default", "reference_time", map_layer_run(layer)->iso, "ISO8601");
}

static int check_times(const struct wms_layer *layer, const struct wms_query *query, struct wms_exception *exception) {
    struct map_time found;
    struct failure failure = {0};
    const char *time = query->dimensions.time, *run = query->dimensions.run;
    if (map_times_find(layer->dataset, layer->variable, run, "", clock_wall(), &found, &failure))
        return wms_exception_set(exception, VIRGA_INVALID, "InvalidDimensionValue", "DIM_REFERENCE_TIME", "%s", failure.message);
    if (map_times_find(layer->dataset, layer->variable, run, time, clock_wall(), &found, &failure))
        return wms_exception_set(exception, VIRGA_INVALID, "InvalidDimensionValue", "TIME", "%s", failure.message);
    return VIRGA_OK;
}

static int check_style(const char *text, struct wms_exception *exception) {
    struct map_style style;
    struct failure failure = {0};
    if (map_style_parse(text, &style, &failure) == VIRGA_OK) return VIRGA_OK;
    return wms_exception_set(exception, VIRGA_INVALID, "StyleNotDefined", "STYLES", "%s", failure.message);
}

// Whether it is what was said of colours that cannot be, and not the style.
static bool options_are_wrong(struct catalog *catalog, const struct map_ask *ask) {
    struct map_ask plain = *ask;
    struct map_layer layer;
    memset(plain.options, 0, sizeof plain.options);
    bool wrong = map_layer_resolve(catalog, &plain, clock_wall(), &layer, NULL) == VIRGA_OK;
    map_layer_destroy(&layer);
    return wrong;
}

// Which parameter a failure is of: each is tried apart.
static int resolve(struct catalog *catalog, const struct map_ask *ask, const struct wms_query *query, const struct wms_layer *meant, struct map_layer *layer,
                   struct wms_exception *exception) {
    struct failure failure = {0};
    int status = map_layer_resolve(catalog, ask, clock_wall(), layer, &failure);
    if (!status) return VIRGA_OK;
    map_layer_destroy(layer);
    if (check_times(meant, query, exception) || check_style(ask->style, exception)) return exception->failure.status;
    if (status == VIRGA_NOT_FOUND) return wms_exception_set(exception, VIRGA_INVALID, "InvalidDimensionValue", ask->member && *ask->member ? "DIM_MEMBER" : "TIME", "%s", failure.message);
    if (status != VIRGA_INVALID) return wms_exception_set(exception, status, NULL, NULL, "%s", failure.message);
    if (options_are_wrong(catalog, ask)) return wms_exception_set(exception, VIRGA_INVALID, "InvalidParameterValue", "COLORSCALERANGE", "%s", failure.message);
    return wms_exception_set(exception, VIRGA_INVALID, "StyleNotDefined", "STYLES", "%s", failure.message);
}

int http_wms_layer(struct peer *peer, const struct wms_query *query, size_t number, const char *dataset, bool with_style, struct map_layer *layer, struct wms_level *level,
                   struct wms_exception *exception) {
    struct catalog *catalog = web_user_catalog(peer->server, peer->caller.user);
    struct wms_layer meant;
    int status = wms_layer_find(catalog, dataset, query->layers[number], &meant, exception);
    if (!status) status = find_level(query, &meant, level, exception);
    if (status) return status;
    struct map_ask ask = {.dataset = meant.dataset->id, .variable = meant.dataset->variables[meant.variable].id, .run = query->dimensions.run, .time = query->dimensions.time,
                          .member = query->dimensions.member, .level = level->text, .style = with_style ? query->styles[number] : ""};
    for (size_t n = 0; with_style && n < WMS_OPTIONS; n++) {
        ask.options[n].option = wms_option_names[n];
        ask.options[n].value = query->options[n];
    }
    status = resolve(catalog, &ask, query, &meant, layer, exception);
    if (status) return status;
    warn_of_times(peer, layer);
    warn_of_level(peer, level);
    return VIRGA_OK;
}

int http_wms_frame(struct peer *peer, const struct wms_query *query, const struct map_layer *layers, size_t count, struct map_frame *frame, struct wms_exception *exception) {
    struct failure failure = {0};
    if (!has_size(peer, query))
        return wms_exception_set(exception, VIRGA_INVALID, "InvalidParameterValue", query->width > (unsigned)peer->server->app->config.map_max_size ? "WIDTH" : "HEIGHT",
                                 "a map of %u × %u pixels is too large: %d a side at most", query->width, query->height, peer->server->app->config.map_max_size);
    const double side = peer->server->app->config.map_max_size;
    if ((double)query->width * query->height * (double)count > LARGEST_LAYERS * side * side)
        return wms_exception_set(exception, VIRGA_INVALID, "InvalidParameterValue", "LAYERS", "%zu layers of %u × %u pixels are too much at once: %d of the largest size, or more of smaller ones",
                                 count, query->width, query->height, LARGEST_LAYERS);
    *frame = (struct map_frame){.width = query->width, .height = query->height};
    memcpy(frame->box, query->box, sizeof frame->box);
    const struct grid *grid = layers[0].field.dataset->grid;
    const struct map_crs *crs = map_crs_find(query->crs);
    for (size_t n = 1; !crs && n < count; n++)
        if (layers[n].field.dataset->grid != grid)
            return wms_exception_set(exception, VIRGA_INVALID, "InvalidCRS", "CRS", "layers of different models have no coordinates of their own in common: ask for another CRS");
    frame->crs = crs ? map_crs_ref(crs) : map_crs_own(grid);
    if (!frame->crs) return wms_exception_set(exception, VIRGA_NO_MEMORY, NULL, NULL, "out of memory");
    if (map_frame_check(frame, &failure) == VIRGA_OK) return VIRGA_OK;
    map_crs_unref(frame->crs);
    frame->crs = NULL;
    return wms_exception_set(exception, VIRGA_INVALID, "InvalidParameterValue", "BBOX", "%s", failure.message);
}

// GetMap and GetLegendGraphic.

static int answer_drawing(struct peer *peer, const struct wms_query *query, const char *dataset, struct map_drawing *drawing) {
    struct wms_exception exception = {0};
    struct wms_level level;
    int status = VIRGA_OK;
    drawing->options = picture_options(query);
    for (size_t n = 0; !status && n < query->layer_count; n++) {
        status = http_wms_layer(peer, query, n, dataset, true, &drawing->layers[n], &level, &exception);
        if (!status) drawing->count++;
    }
    if (!status && !drawing->is_legend) status = http_wms_frame(peer, query, drawing->layers, drawing->count, &drawing->frame, &exception);
    if (!status) return http_map_answer(peer, drawing, http_wms_refuse);
    map_drawing_destroy(drawing);
    peer->reply.more[0] = '\0';
    return http_wms_except(peer, query, &exception);
}

static int answer_map(struct peer *peer, const struct wms_query *query, const char *dataset, bool is_legend) {
    struct map_drawing *drawing = calloc(1, sizeof *drawing);
    if (!drawing) return http_answer_error(peer, 503, "out of memory");
    drawing->is_legend = is_legend;
    drawing->legend = (struct map_legend_options){.width = query->width, .height = query->height, .horizontal = query->horizontal, .bar_only = query->bar_only,
                                                  .transparent = query->transparent, .scale = query->scale, .format = query->format, .quality = 90};
    int status = answer_drawing(peer, query, dataset, drawing);
    free(drawing);
    return status;
}

static int answer(struct peer *peer, const struct wms_query *query, const char *dataset) {
    switch (query->request) {
        case WMS_CAPABILITIES: return http_wms_capabilities(peer, query, dataset);
        case WMS_MAP: return answer_map(peer, query, dataset, false);
        case WMS_LEGEND: return answer_map(peer, query, dataset, true);
        case WMS_FEATURE_INFO: return http_wms_info(peer, query, dataset);
        case WMS_VERTICAL_PROFILE: case WMS_TRANSECT: break;
    }
    return wms_section_answer(peer, query, dataset);
}

int http_wms(const struct http_request *request) {
    struct peer *peer = request->peer;
    const char *dataset = *request->path ? request->path : NULL;
    struct wms_parameters parameters;
    struct wms_query query;
    struct wms_exception exception;
    int again = http_map_answer_again(peer);
    if (again >= 0) return again;
    int status = read_parameters(peer, &parameters), read = wms_query_read(&parameters, &query, &exception);
    if (status) wms_exception_set(&exception, VIRGA_INVALID, "InvalidParameterValue", NULL, "there are more than %d parameters, or more text in them than is read", WMS_PARAMETERS);
    if (status || read) return http_wms_except(peer, &query, &exception);
    if (dataset && !catalog_find_dataset(web_user_catalog(peer->server, peer->caller.user), dataset)) return http_answer_nothing(peer);
    return answer(peer, &query, dataset);
}
