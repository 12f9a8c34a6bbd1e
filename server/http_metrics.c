// SPDX-License-Identifier: Apache-2.0
// What the server counts, for Prometheus: /metrics. Everything is counted where it happens, by a number that is there already or a histogram without a
// lock; here it is only written down.
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "server/client_place.h"
#include "server/export_service.h"
#include "server/http_router.h"
#include "server/map_service.h"
#include "server/metrics_text.h"
#include "server/pin_pictures.h"
#include "server/pin_service.h"
#include "server/web_access.h"

enum { MOST_DATASETS = 200, LABEL = 300 };

// Counting.

// Where the request under way is counted.
static struct web_answers *answers_of(const struct peer *peer) {
    size_t count = http_route_count(), number = count + 1;
    if (peer->route) number = http_route_number(peer->route);
    else if (peer->reply.status < 400) number = count;
    return &peer->server->answers[number];
}

void http_count(struct peer *peer) {
    struct web_answers *answers = answers_of(peer);
    int class = peer->reply.status / 100;
    histogram_add(&answers->seconds, clock_monotonic() - peer->began);
    answers->classes[class >= 0 && class <= 5 ? class : 0]++;
}

// Writing.

static void one(struct metrics_text *text, const char *name, const char *type, const char *help, double value) {
    metrics_text_family(text, name, type, help);
    metrics_text_number(text, NULL, value);
}

static void labelled(struct metrics_text *text, const char *label, const char *of, double value) {
    char words[LABEL];
    metrics_text_number(text, metrics_text_label(words, sizeof words, label, of), value);
}

static void times(struct metrics_text *text, const char *name, const char *help, const struct histogram *of) {
    metrics_text_family(text, name, "histogram", help);
    metrics_text_histogram(text, NULL, of);
}

static double seconds_of(struct timeval t) { return (double)t.tv_sec + 1e-6 * (double)t.tv_usec; }

static void write_process(struct metrics_text *text) {
    struct rusage used;
    long pages[2] = {0};
    FILE *file = fopen("/proc/self/statm", "re");
    bool read = file && fscanf(file, "%ld %ld", &pages[0], &pages[1]) == 2;
    if (file) fclose(file);
    getrusage(RUSAGE_SELF, &used);
    metrics_text_family(text, "virga_build_info", "gauge", "1; the version is the label.");
    labelled(text, "version", VIRGA_VERSION, 1);
    one(text, "process_cpu_seconds_total", "counter", "Processor time of the server's own process.", seconds_of(used.ru_utime) + seconds_of(used.ru_stime));
    if (read) one(text, "process_resident_memory_bytes", "gauge", "Memory of the server's own process.", (double)pages[1] * (double)sysconf(_SC_PAGESIZE));
}

static void write_connections(struct metrics_text *text, const struct web_server *server) {
    const struct web_counters *c = &server->counters;
    size_t in_flight = 0, memory = 0, pending = 0;
    for (const struct peer *p = server->peers; p; p = p->next) ws_count(p, &in_flight, &memory, &pending);
    one(text, "virga_phase", "gauge", "0 starting, 1 serving, 2 stopping.", server->phase);
    one(text, "virga_connections", "gauge", "Connections that are open.", (double)server->peer_count);
    one(text, "virga_connections_total", "counter", "Connections so far.", (double)c->connections);
    one(text, "virga_refused_total", "counter", "Connections and requests that were refused.", (double)c->refused);
    one(text, "virga_sessions", "gauge", "Websockets of pages that are open.", (double)server->client_count);
    one(text, "virga_sessions_total", "counter", "Websockets of pages so far.", (double)c->websockets);
    one(text, "virga_session_memory_bytes", "gauge", "Memory of all sessions.", (double)memory);
    one(text, "virga_session_in_flight_bytes", "gauge", "Bytes sent that pages have not acknowledged yet.", (double)in_flight);
    one(text, "virga_session_waiting_bricks", "gauge", "Bricks that sessions have asked of the brick store.", (double)pending);
    one(text, "virga_user_spaces", "gauge", "Users with a space of their own.", (double)user_spaces_count(server->spaces));
    one(text, "virga_messages_total", "counter", "Messages that pages sent.", (double)c->messages);
    one(text, "virga_bad_messages_total", "counter", "Messages that ended their websocket.", (double)c->bad_messages);
    one(text, "virga_sent_bytes_total", "counter", "Bytes sent, over HTTP and websockets.", (double)c->bytes_sent);
    one(text, "virga_sent_batches_total", "counter", "Batches sent to pages.", (double)c->batches);
    one(text, "virga_sent_bricks_total", "counter", "Bricks sent to pages.", (double)c->bricks_sent);
    one(text, "virga_sent_tables_total", "counter", "Step tables sent to pages.", (double)c->tables_sent);
}

// Every place where something was answered, in turn: NULL at the end.
static const struct web_answers *next_place(const struct web_server *server, size_t *number, char *label, size_t room) {
    size_t count = http_route_count();
    while (*number < count + 2 && !server->answers[*number].seconds.nanoseconds) ++*number;
    if (*number == count + 2) return NULL;
    const struct http_route *route = *number < count ? http_route_at(*number) : NULL;
    char name[LABEL];
    snprintf(name, sizeof name, "%s%s%s", route ? "/" : "", route ? route->path : *number == count ? "page" : "none", route && route->prefix ? "*" : "");
    metrics_text_label(label, room, "route", name);
    return &server->answers[(*number)++];
}

static void write_requests(struct metrics_text *text, const struct web_server *server) {
    static const char *const classes[] = {"other", "1xx", "2xx", "3xx", "4xx", "5xx"};
    const struct web_answers *answers;
    char label[LABEL], both[LABEL + 32];
    metrics_text_family(text, "virga_http_requests_total", "counter", "Requests answered, by route and class of status.");
    for (size_t n = 0; (answers = next_place(server, &n, label, sizeof label));)
        for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
            if (!answers->classes[i]) continue;
            snprintf(both, sizeof both, "%s,status=\"%s\"", label, classes[i]);
            metrics_text_number(text, both, (double)answers->classes[i]);
        }
    metrics_text_family(text, "virga_http_request_seconds", "histogram", "From a request's header to its answer's.");
    for (size_t n = 0; (answers = next_place(server, &n, label, sizeof label));) metrics_text_histogram(text, label, &answers->seconds);
}

static void write_times(struct metrics_text *text, const struct web_server *server) {
    times(text, "virga_first_batch_seconds", "From a page's interest to the first batch for it.", &server->times.first_batch);
    times(text, "virga_interest_seconds", "From a page's interest until all that it wants was sent.", &server->times.done);
    times(text, "virga_step_build_seconds", "Reading a field and making its pyramid.", brick_store_step_seconds(server->app->bricks));
}

static void write_store(struct metrics_text *text, const struct app *app) {
    struct brick_store_stats s = {0};
    brick_store_stats(app->bricks, &s);
    one(text, "virga_store_memory_bytes", "gauge", "Bricks, tables and fields in memory.", (double)s.memory);
    one(text, "virga_store_memory_limit_bytes", "gauge", "The setting cache-memory.", (double)app->config.cache_memory);
    one(text, "virga_store_spool_bytes", "gauge", "Fields in the spool on disk.", (double)s.spooled);
    one(text, "virga_store_spool_limit_bytes", "gauge", "The setting spool-limit.", (double)app->config.spool_limit);
    one(text, "virga_store_hits_total", "counter", "Requests for bricks and tables that were answered at once.", (double)s.hits);
    one(text, "virga_store_misses_total", "counter", "Requests for bricks and tables that had to wait.", (double)s.misses);
    one(text, "virga_bricks_encoded_total", "counter", "Bricks encoded.", (double)s.bricks_encoded);
    one(text, "virga_steps_read_total", "counter", "Fields read completely.", (double)s.steps_read);
    one(text, "virga_read_bytes_total", "counter", "Bytes of values asked of files and engines.", (double)s.chunks_bytes_read);
}

static void write_queues(struct metrics_text *text, const struct web_server *server) {
    const struct worker_pool *const pools[] = {server->app->workers, server->helpers, server->files};
    static const char *const names[][LANE_COUNT] = {{"read", "encode"}, {"wait", "help"}, {"files", "check"}};
    metrics_text_family(text, "virga_queue_jobs", "gauge", "Jobs that wait or run, by queue.");
    for (size_t i = 0; i < sizeof pools / sizeof *pools; i++)
        for (int lane = 0; lane < LANE_COUNT; lane++)
            labelled(text, "queue", names[i][lane], (double)worker_pool_load((struct worker_pool *)(uintptr_t)pools[i], (enum worker_lane)lane));
}

static void write_sources(struct metrics_text *text, const struct app *app) {
    struct source_engine_counts e;
    size_t restarts = source_pool_restarts(app->sources);
    source_engine_counts(app->engine, &e);
    one(text, "virga_readers", "gauge", "Reader processes.", source_pool_readers(app->sources));
    one(text, "virga_reader_restarts_total", "counter", "Reader processes that were replaced.", (double)restarts);
    one(text, "virga_condemned_files", "gauge", "Files that are refused because they harmed readers.", (double)source_pool_condemned_count(app->sources));
    one(text, "virga_engine_starts_total", "counter", "Starts of the engine of all.", (double)e.starts);
    one(text, "virga_engine_requests_total", "counter", "Slabs asked of the engine of all.", (double)e.traffic.requests);
    one(text, "virga_engine_waiting_requests", "gauge", "Slabs that are on the way from it.", (double)e.on_the_way);
    one(text, "virga_engine_received_bytes_total", "counter", "Bytes of slabs that came from it.", (double)e.traffic.received);
}

static void write_exports(struct metrics_text *text, struct export_service *exports) {
    size_t counts[EXPORT_DELETED];
    uint64_t frames;
    if (!exports) return;
    export_table_counts(export_service_table(exports), counts, &frames);
    metrics_text_family(text, "virga_exports", "gauge", "Exports, by state.");
    for (int state = 0; state < EXPORT_DELETED; state++) labelled(text, "state", export_state_name((enum export_state)state), (double)counts[state]);
    one(text, "virga_export_frames", "gauge", "Frames of the exports that are kept.", (double)frames);
}

static void write_pins(struct metrics_text *text, struct pin_service *pins) {
    if (!pins) return;
    one(text, "virga_pins", "gauge", "Pins.", (double)pin_table_count(pin_service_table(pins)));
    one(text, "virga_pin_changes_total", "counter", "Changes of pins, and of what they show.", (double)pin_table_changes(pin_service_table(pins)));
}

static void write_pictures(struct metrics_text *text, struct pin_pictures *pictures) {
    struct pin_pictures_stats s;
    if (!pictures) return;
    pin_pictures_stats(pictures, &s);
    metrics_text_family(text, "virga_pin_states", "gauge", "Pins by what their picture is.");
    labelled(text, "state", "waiting", (double)s.waiting);
    labelled(text, "state", "fresh", (double)s.fresh);
    labelled(text, "state", "stale", (double)s.stale);
    labelled(text, "state", "failed", (double)s.failed);
    one(text, "virga_pin_pictures_total", "counter", "Pictures of pins that were drawn.", (double)s.drawn);
    one(text, "virga_pin_picture_failures_total", "counter", "Pictures of pins that could not be drawn.", (double)s.failures);
    one(text, "virga_pin_picture_memory_bytes", "gauge", "Pictures of pins in memory.", (double)s.memory);
    times(text, "virga_pin_picture_seconds", "Drawing a picture of a pin.", pin_pictures_seconds(pictures));
}

static void write_maps(struct metrics_text *text, const struct web_server *server) {
    struct map_service_stats s;
    map_service_stats(server->maps, &s);
    one(text, "virga_map_hits_total", "counter", "Pictures of maps that were in memory.", (double)s.hits);
    one(text, "virga_map_misses_total", "counter", "Pictures of maps that were not.", (double)s.misses);
    one(text, "virga_map_pictures_total", "counter", "Pictures of maps that were drawn.", (double)s.drawn);
    one(text, "virga_map_failures_total", "counter", "Pictures of maps that could not be drawn.", (double)s.failed);
    one(text, "virga_map_refused_total", "counter", "Maps that were refused because too many were asked for.", (double)s.refused);
    one(text, "virga_map_jobs", "gauge", "Maps that wait or are made.", (double)s.under_way);
    one(text, "virga_map_memory_bytes", "gauge", "Planes and pictures of maps in memory.", (double)s.memory);
    one(text, "virga_map_memory_limit_bytes", "gauge", "The setting map-memory.", (double)server->app->config.map_memory);
    times(text, "virga_map_draw_seconds", "Drawing a picture of a map, planes at hand.", map_service_draw_seconds(server->maps));
    times(text, "virga_map_plane_seconds", "Getting a plane: reading, or waiting for who reads it.", map_service_plane_seconds(server->maps));
}

static void write_watch(struct metrics_text *text, struct app *app) {
    struct app_catalog_stats s;
    app_catalog_stats(app, &s);
    one(text, "virga_catalog_scans_total", "counter", "Looks at all paths.", (double)s.scans);
    one(text, "virga_catalog_changes_total", "counter", "Changes of the catalog.", (double)s.changes);
    one(text, "virga_catalog_files", "gauge", "Files of the catalog, with those that cannot be read.", (double)s.files);
    one(text, "virga_catalog_scan_seconds", "gauge", "Seconds that the last look at all paths took.", s.seconds);
    one(text, "virga_catalog_unchanged_seconds", "gauge", "Time since the catalog last changed, or the server started.", clock_monotonic() - s.changed);
}

static void write_catalog(struct metrics_text *text, const struct catalog *catalog) {
    size_t shown = catalog->dataset_count < MOST_DATASETS ? catalog->dataset_count : MOST_DATASETS;
    double now = clock_wall();
    one(text, "virga_datasets", "gauge", "Datasets in the catalog of all.", (double)catalog->dataset_count);
    one(text, "virga_catalog_problems", "gauge", "Files and variables that cannot be shown.", (double)catalog->problem_count);
    metrics_text_family(text, "virga_dataset_runs", "gauge", "Runs, by dataset (the first 200).");
    for (size_t i = 0; i < shown; i++) labelled(text, "dataset", catalog->datasets[i].id, (double)catalog->datasets[i].run_count);
    metrics_text_family(text, "virga_dataset_run_age_seconds", "gauge", "Time since the reference time of the latest run, by dataset (the first 200).");
    for (size_t i = 0; i < shown; i++) {
        const struct catalog_dataset *dataset = &catalog->datasets[i];
        if (dataset->latest >= 0) labelled(text, "dataset", dataset->id, now - dataset->runs[dataset->latest].time.seconds);
    }
}

static void write_all(struct metrics_text *text, const struct web_server *server) {
    write_process(text);
    write_connections(text, server);
    write_requests(text, server);
    write_times(text, server);
    write_store(text, server->app);
    write_queues(text, server);
    write_sources(text, server->app);
    write_exports(text, server->exports);
    write_pins(text, server->pins);
    write_pictures(text, server->pictures);
    write_maps(text, server);
    write_watch(text, server->app);
    write_catalog(text, server->catalog);
}

// 0: whoever is on this machine, or may operate the server. Else the status to refuse with, and words.
static int refusal_of(struct peer *peer, const char **words) {
    bool proxied = web_access_is_proxied(peer);
    if (client_place_is_loopback(peer->address) && !proxied) return 0;
    *words = "metrics are told to this machine, and to admins";
    return proxied && !strcmp(peer->caller.person.name, ACCESS_LOCAL) ? 403 : web_user_may(peer, ACT_OPERATE, NULL, words);
}

int http_metrics(const struct http_request *request) {
    struct peer *peer = request->peer;
    const char *words = NULL;
    int refused = refusal_of(peer, &words);
    if (refused) return http_answer_error(peer, refused, words);
    struct metrics_text *text = metrics_text_new();
    if (text) write_all(text, peer->server);
    char *all = metrics_text_end(text);
    int status = all ? http_answer_text(peer, 200, "text/plain; version=0.0.4; charset=utf-8", all) : http_answer_error(peer, 503, "out of memory");
    peer->reply.cache = "no-store";
    free(all);
    return status;
}
