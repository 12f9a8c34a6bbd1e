// SPDX-License-Identifier: Apache-2.0
// OGC API: /ogc/….
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "server/covjson.h"
#include "server/http_address.h"
#include "server/http_maps.h"
#include "server/ogc_api.h"
#include "server/ogc_documents.h"
#include "server/ogc_edr.h"
#include "server/web_user.h"

#define EXCEPTION_TYPE "application/problem+json"

enum { PARTS = 9 };

// Exceptions of OGC API Common, which are those of RFC 7807 with a code.
static int refuse(struct peer *peer, int status, int code, const char *message) {
    http_map_refuse(peer, status, code, message);
    const char *name = code == VIRGA_NOT_FOUND ? "NotFound" : code == VIRGA_INVALID || code == VIRGA_UNSUPPORTED ? "InvalidParameterValue" : code == VIRGA_TOO_LARGE ? "TooLarge" : "NoApplicableCode";
    json_t *root = json_pack("{s:s, s:s, s:s, s:i, s:s, s:s}", "type", "about:blank", "title", status_name(code), "code", name, "status", status, "detail", message, "description", message);
    http_answer_json(peer, status, root, 0);
    if (root) peer->reply.type = EXCEPTION_TYPE;
    return status;
}

// What is too much for one answer is the client's to change.
static int status_of(int code) { return code == VIRGA_TOO_LARGE ? 400 : http_map_status(code); }
static int refuse_failure(struct peer *peer, int code, const struct failure *failure) { return refuse(peer, status_of(code), code, failure->message); }
static int refuse_nothing(struct peer *peer) { return refuse(peer, 404, VIRGA_NOT_FOUND, "there is nothing at this address; the landing page (ogc) leads to what there is"); }

// A request below "ogc/", cut at its slashes.
struct ogc_request {
    struct peer *peer;
    size_t count;
    const char *parts[PARTS];
    char path[PARTS * 64];
    char root[HTTP_ADDRESS + 8];
};

static int check_format(const struct peer *peer, struct failure *failure) {
    char format[64];
    if (http_query(peer, "f", format, sizeof format) || !*format) return ogc_format_check(format, "json application/json", failure);
    return failure_set(failure, VIRGA_INVALID, "f is none of the formats: json");
}

static int answer(const struct ogc_request *r, json_t *root) {
    struct failure failure = {0};
    if (check_format(r->peer, &failure)) {
        json_decref(root);
        return refuse_failure(r->peer, VIRGA_INVALID, &failure);
    }
    if (!root) return refuse(r->peer, 503, VIRGA_NO_MEMORY, "out of memory");
    int status = http_answer_json(r->peer, 200, root, JSON_REAL_PRECISION(17));
    r->peer->reply.cache = "no-cache";
    return status;
}

// "&key=value", escaped as a query wants it.
static void add_words(char *words, size_t room, const char *key, const char *value) {
    size_t at = strlen(words);
    if (!*value) return;
    at += (size_t)snprintf(words + at, room - at, "&%s=", key);
    for (const char *c = value; *c && at + 4 < room; c++) {
        bool plain = strchr("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-._~,:/", *c);
        at += (size_t)snprintf(words + at, room - at, plain ? "%c" : "%%%02X", (unsigned char)*c);
    }
}

// --- Values.

struct edr_job {
    struct http_map_job map;  // first
    struct ogc_edr_query query;
};

static int read_values(struct map_job *map, struct map_service *service, struct failure *failure) {
    struct edr_job *job = (struct edr_job *)http_map_job_of(map);
    char *json;
    (void)service;
    int status = ogc_edr_answer(job->map.job.catalog, job->map.job.server->app->bricks, &job->query, &map->stop, &json, failure);
    if (status) return status;
    job->map.job.body = shared_bytes_copy(json, strlen(json));
    free(json);
    return job->map.job.body ? VIRGA_OK : failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
}

static void destroy_job(struct http_job *job) { ogc_edr_destroy(&((struct edr_job *)job)->query); }

static int refuse_job(struct peer *peer, int status, int code, const char *message) { return refuse(peer, code == VIRGA_TOO_LARGE && status == 503 ? 400 : status, code, message); }

struct edr_texts {
    char coords[WEB_MAX_HEADER], datetime[128], z[2048], parameters[4096], crs[256], member[128], format[128];
};

// The first of each key counts. VIRGA_OK, or VIRGA_INVALID: one is too long.
static int read_texts(const struct peer *peer, struct edr_texts *t, struct failure *failure) {
    const struct { const char *key; char *text; size_t room; } all[] = {
        {"coords", t->coords, sizeof t->coords}, {"datetime", t->datetime, sizeof t->datetime}, {"z", t->z, sizeof t->z}, {"parameter-name", t->parameters, sizeof t->parameters},
        {"crs", t->crs, sizeof t->crs}, {"member", t->member, sizeof t->member}, {"f", t->format, sizeof t->format}};
    char part[WEB_MAX_HEADER];
    for (int i = 0; lws_hdr_copy_fragment(peer->wsi, part, sizeof part, WSI_TOKEN_HTTP_URI_ARGS, i) >= 0; i++)
        for (size_t n = 0; n < sizeof all / sizeof *all; n++) {
            size_t length = strlen(all[n].key);
            if (strncmp(part, all[n].key, length) || part[length] != '=' || *all[n].text) continue;
            if (strlen(part + length + 1) >= all[n].room) return failure_set(failure, VIRGA_INVALID, "%s is longer than %zu bytes", all[n].key, all[n].room - 1);
            strcpy(all[n].text, part + length + 1);
        }
    return ogc_format_check(t->format, "CoverageJSON covjson json " COVJSON_TYPE, failure);
}

static int resolve_values(struct edr_job *job, const struct ogc_collection *collection, const char *run, bool trajectory, struct failure *failure) {
    struct edr_texts *texts = calloc(1, sizeof *texts);
    if (!texts) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    const struct ogc_edr_ask ask = {
        .trajectory = trajectory, .dataset = collection->dataset->id, .variable = collection->variable < 0 ? NULL : collection->dataset->variables[collection->variable].id, .run = run,
        .coords = texts->coords, .datetime = texts->datetime, .z = texts->z, .parameters = texts->parameters, .crs = texts->crs, .member = texts->member};
    int status = read_texts(job->map.job.peer, texts, failure);
    if (!status) status = ogc_edr_resolve(job->map.job.catalog, &ask, clock_wall(), &job->query, failure);
    free(texts);
    return status;
}

static int answer_values(const struct ogc_request *r, const struct ogc_collection *collection, const char *run, bool trajectory) {
    struct failure failure = {0};
    struct edr_job *job = (struct edr_job *)http_map_job_new(r->peer, sizeof *job, refuse_job);
    if (!job) return refuse(r->peer, 503, VIRGA_NO_MEMORY, "out of memory");
    job->map.job.destroy = destroy_job;
    job->map.job.type = COVJSON_TYPE;
    job->map.job.cache = "public, max-age=30";
    job->map.map.wait = read_values;
    int status = resolve_values(job, collection, run, trajectory, &failure);
    if (!status) return http_map_job_start(&job->map);
    http_job_free(&job->map.job);
    return refuse_failure(r->peer, status, &failure);
}

// --- Map tiles.

static int answer_tile(const struct ogc_request *r, const struct ogc_collection *c, const char *set, const char *zoom, const char *row, const char *column) {
    struct failure failure = {0};
    struct map_query *query = calloc(1, sizeof *query);
    char what[80], time[MAP_QUERY_TEXT], format[64];
    if (!query) return refuse(r->peer, 503, VIRGA_NO_MEMORY, "out of memory");
    int status = http_map_query(r->peer, query, &failure);
    if (!status && !http_query(r->peer, "f", format, sizeof format)) *format = '\0';
    if (!status) status = ogc_format_check(format, "png jpeg jpg image/png image/jpeg", &failure);
    if (!status && http_query(r->peer, "datetime", time, sizeof time)) strcpy(query->time, time);
    snprintf(query->tms, sizeof query->tms, "%.40s", set);
    snprintf(what, sizeof what, "%.20s/%.20s/%.20s.%s", zoom, column, row, strstr(format, "jp") ? "jpg" : "png");
    int answered = status ? refuse_failure(r->peer, status, &failure) : http_tile(r->peer, c->dataset->id, c->dataset->variables[c->variable].id, what, query, refuse);
    free(query);
    return answered;
}

// What a tileset is asked for with is what its tiles are asked for with.
static int answer_tileset(const struct ogc_request *r, const struct ogc_collection *c, const struct tile_matrix_set *set) {
    static const char *const keys[] = {"datetime", "run", "member", "level", "style", "range", "bands", "log", "below", "above", "opacity", "interval", "ink", "size", "scale"};
    char words[2048] = "", value[MAP_STYLE_TEXT];
    for (size_t n = 0; n < sizeof keys / sizeof *keys; n++)
        if (http_query(r->peer, keys[n], value, sizeof value)) add_words(words, sizeof words, keys[n], value);
    return answer(r, ogc_tileset(c, set, r->root, words));
}

// "map/tiles" and what is below.
static int answer_tiles(const struct ogc_request *r, const struct ogc_collection *c, size_t at) {
    const struct tile_matrix_set *set = r->count > at ? tile_matrix_find(r->parts[at]) : NULL;
    if (c->variable < 0) return refuse(r->peer, 404, VIRGA_NOT_FOUND, "map tiles are of one variable: ask its collection, named DATASET:VARIABLE");
    if (r->count == at) return answer(r, ogc_tilesets(c, r->root));
    if (!set) return refuse(r->peer, 404, VIRGA_NOT_FOUND, "there is no such tile matrix set: there are WebMercatorQuad and WorldCRS84Quad");
    if (r->count == at + 1) return answer_tileset(r, c, set);
    return r->count == at + 4 ? answer_tile(r, c, set->name, r->parts[at + 1], r->parts[at + 2], r->parts[at + 3]) : refuse_nothing(r->peer);
}

// --- Collections.

struct page_texts {
    char box[200], datetime[128], words[1100];
};

// Which ones are asked for. VIRGA_OK or VIRGA_INVALID.
static int read_page(const struct peer *peer, struct ogc_page *page, struct page_texts *t, struct failure *failure) {
    char text[64];
    double number = 0, from, to;
    *page = (struct ogc_page){0};
    *t = (struct page_texts){0};
    int status = http_query(peer, "offset", text, sizeof text) ? map_query_number("offset", text, 0, 1e9, &number, failure) : VIRGA_OK;
    page->offset = (size_t)number;
    number = OGC_PAGE;
    if (!status && http_query(peer, "limit", text, sizeof text)) status = map_query_number("limit", text, 1, 1e9, &number, failure);
    page->limit = number > OGC_PAGE_MAX ? OGC_PAGE_MAX : (size_t)number;
    if (!status && http_query(peer, "bbox", t->box, sizeof t->box)) status = ogc_box_parse(t->box, &page->has_box, page->box, failure);
    if (!status && http_query(peer, "datetime", t->datetime, sizeof t->datetime)) status = ogc_datetime_parse(t->datetime, &page->datetime, failure);
    if (!status) status = ogc_datetime_range(&page->datetime, "standard", &from, &to, failure);
    add_words(t->words, sizeof t->words, "bbox", t->box);
    add_words(t->words, sizeof t->words, "datetime", t->datetime);
    page->words = t->words;
    return status;
}

// Long lists are written by a helper.
struct list_job {
    struct http_job job;  // first
    bool instances;       // of the collection; else all collections
    struct ogc_collection collection;
    struct ogc_page page;
    struct page_texts texts;
    char root[HTTP_ADDRESS + 8];
};

static void write_list(void *argument, bool cancelled) {
    struct list_job *list = argument;
    json_t *root = cancelled         ? NULL
                   : list->instances ? ogc_instances(&list->collection, list->root, &list->page)
                                     : ogc_collections(list->job.catalog, list->root, &list->page);
    char *text = root ? json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(root);
    list->job.status = cancelled ? VIRGA_CANCELLED : text && (list->job.body = shared_bytes_copy(text, strlen(text))) ? VIRGA_OK : VIRGA_NO_MEMORY;
    free(text);
    http_job_post(&list->job);
}

// collection: whose instances; NULL: all collections.
static int answer_list(const struct ogc_request *r, const struct ogc_collection *collection) {
    struct failure failure = {0};
    struct list_job *list = (struct list_job *)http_job_new(r->peer, sizeof *list, NULL);
    if (!list) return refuse(r->peer, 503, VIRGA_NO_MEMORY, "out of memory");
    int status = check_format(r->peer, &failure);
    if (!status) status = read_page(r->peer, &list->page, &list->texts, &failure);
    if (status) {
        http_job_free(&list->job);
        return refuse_failure(r->peer, status, &failure);
    }
    list->instances = collection != NULL;
    if (collection) list->collection = *collection;
    strcpy(list->root, r->root);
    list->job.type = "application/json";
    list->job.cache = "no-cache";
    return http_job_start(&list->job, LANE_COMPUTE, write_list);
}

static bool is(const struct ogc_request *r, size_t part, const char *word) { return part < r->count && !strcmp(r->parts[part], word); }

static int answer_instances(const struct ogc_request *r, const struct ogc_collection *c) {
    if (r->count == 3) return answer_list(r, c);
    int run = catalog_find_run(c->dataset, r->parts[3]);
    if (run < 0) return refuse(r->peer, 404, VIRGA_NOT_FOUND, "there is no such instance of the collection: its instances are its runs");
    if (r->count == 4) return answer(r, ogc_instance(c, (size_t)run, r->root));
    if (r->count == 5 && (is(r, 4, "position") || is(r, 4, "trajectory"))) return answer_values(r, c, r->parts[3], is(r, 4, "trajectory"));
    return refuse_nothing(r->peer);
}

static int answer_collection(const struct ogc_request *r, struct catalog *catalog) {
    struct ogc_collection c;
    struct failure failure = {0};
    int status = ogc_collection_find(catalog, r->parts[1], &c, &failure);
    if (status) return refuse_failure(r->peer, status, &failure);
    if (r->count == 2) return answer(r, ogc_collection(&c, r->root));
    if (r->count == 3 && (is(r, 2, "position") || is(r, 2, "trajectory"))) return answer_values(r, &c, NULL, is(r, 2, "trajectory"));
    if (is(r, 2, "instances")) return answer_instances(r, &c);
    return is(r, 2, "map") && is(r, 3, "tiles") ? answer_tiles(r, &c, 4) : refuse_nothing(r->peer);
}

// --- The route.

static int answer_api(const struct ogc_request *r) {
    int status = answer(r, ogc_api(r->root));
    if (status == 200) r->peer->reply.type = "application/vnd.oai.openapi+json;version=3.0";
    return status;
}

static int answer_matrix_set(const struct ogc_request *r) {
    const struct tile_matrix_set *set = tile_matrix_find(r->parts[1]);
    return set ? answer(r, ogc_matrix_set(set)) : refuse(r->peer, 404, VIRGA_NOT_FOUND, "there is no such tile matrix set: there are WebMercatorQuad and WorldCRS84Quad");
}

// False: more parts than any address has.
static bool cut(struct ogc_request *r, const char *path) {
    if (strlen(path) >= sizeof r->path) return false;
    strcpy(r->path, path);
    for (char *at = r->path; *at;) {
        if (r->count == PARTS) return false;
        r->parts[r->count++] = at;
        at += strcspn(at, "/");
        if (*at) *at++ = '\0';
    }
    return true;
}

int http_ogc(const struct http_request *request) {
    struct ogc_request r = {.peer = request->peer};
    char address[HTTP_ADDRESS];
    struct catalog *catalog = web_user_catalog(request->peer->server, request->peer->caller.user);
    http_address(request->peer, address);
    snprintf(r.root, sizeof r.root, "%sogc/", address);
    if (!cut(&r, request->path)) return refuse_nothing(r.peer);
    if (!r.count) return answer(&r, ogc_landing(r.root));
    if (r.count == 1 && is(&r, 0, "conformance")) return answer(&r, ogc_conformance());
    if (r.count == 1 && is(&r, 0, "api")) return answer_api(&r);
    if (is(&r, 0, "collections")) return r.count == 1 ? answer_list(&r, NULL) : answer_collection(&r, catalog);
    if (is(&r, 0, "tileMatrixSets") && r.count <= 2) return r.count == 1 ? answer(&r, ogc_matrix_sets(r.root)) : answer_matrix_set(&r);
    return refuse_nothing(r.peer);
}
