// SPDX-License-Identifier: Apache-2.0
// Maps are made once for all who ask for the same, given up when nobody wants them, refused when too many are asked for, and kept within the cap.
#include "../field/made_file.h"

#include <pthread.h>

#include "server/map_service.h"
#include "tile/tile_matrix.h"

enum { MOST = 64 };

static struct catalog *catalog;
static struct worker_pool *pool;
static struct brick_store *bricks;

static void write_file(void) {
    float data[2 * 19 * 36];
    int nc = made_create("globe.nc"), dims[3];
    for (size_t n = 0; n < sizeof data / sizeof *data; n++) data[n] = 250 + (float)(n % 60);
    dims[0] = made_even_axis(nc, "time", 2, 0, 1, "time", "hours since 2020-01-01");
    dims[1] = made_even_axis(nc, "lat", 19, -90, 10, "latitude", "degrees_north");
    dims[2] = made_even_axis(nc, "lon", 36, 0, 10, "longitude", "degrees_east");
    NC(nc_put_var_float(nc, made_var(nc, "tas", NC_FLOAT, 3, dims, "air_temperature", "K"), data));
    NC(nc_close(nc));
}

static int begin(void **state) {
    if (made_begin(state)) return -1;
    write_file();
    catalog = made_open("globe.nc");
    pool = worker_pool_new((const int[LANE_COUNT]){1, 1}, 64);
    return brick_store_new(pool, &(struct brick_store_options){.memory = 16 << 20}, &bricks);
}

static int end(void **state) {
    brick_store_free(bricks);
    worker_pool_free(pool);
    catalog_unref(catalog);
    return made_end(state);
}

static struct map_service *new_service(size_t memory) {
    struct map_service *service = NULL;
    struct failure failure;
    const struct map_service_options options = {.bricks = bricks, .memory = memory, .drawers = 2, .waiters = 2};
    if (map_service_new(&options, &service, &failure)) fail_msg("%s", failure.message);
    return service;
}

// A tile of the globe at zoom 4, of a style of its own for each number.
static void make_drawing(struct map_drawing *drawing, unsigned number, char key[MAP_KEY]) {
    char interval[20];
    struct failure failure = {0};
    memset(drawing, 0, sizeof *drawing);
    snprintf(interval, sizeof interval, "%u", 1 + number / 256);
    const struct map_ask ask = {.dataset = catalog->datasets[0].id, .variable = "tas", .style = "fill-contours", .options = {{"interval", interval}}};
    if (map_layer_resolve(catalog, &ask, 0, &drawing->layers[0], &failure)) fail_msg("%s", failure.message);
    drawing->count = 1;
    drawing->options = (struct map_picture_options){.format = IMAGE_PNG, .transparent = true, .scale = 1};
    if (tile_matrix_frame(tile_matrix_at(0), 4, number % 16, number / 16 % 16, 256, &drawing->frame, &failure)) fail_msg("%s", failure.message);
    map_drawing_key(drawing, key);
}

// --- Those who wait.

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

struct client {
    struct map_waiter waiter;  // first
    bool told;
    int status;
    struct shared_bytes *bytes;
};

static void tell(struct map_waiter *waiter, int status, struct shared_bytes *bytes, const struct failure *failure) {
    struct client *client = (struct client *)waiter;
    (void)failure;
    pthread_mutex_lock(&lock);
    client->told = true;
    client->status = status;
    client->bytes = bytes;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static int ask(struct map_service *service, unsigned number, struct client *client) {
    struct map_drawing *drawing = malloc(sizeof *drawing);
    char key[MAP_KEY];
    struct failure failure = {0};
    *client = (struct client){.waiter.done = tell};
    make_drawing(drawing, number, key);
    int status = map_service_draw(service, drawing, key, &client->waiter, &failure);
    assert_int_equal(drawing->count, 0);
    free(drawing);
    return status;
}

static void await(struct client *client) {
    pthread_mutex_lock(&lock);
    while (!client->told) pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static void release(struct client *client) {
    shared_bytes_unref(client->bytes);
    client->bytes = NULL;
}

// --- A job that holds up whatever comes behind it.

struct blocker {
    struct map_job job;  // first
    bool running, go, done;
    int status;
};

static int block(struct map_job *job, struct map_service *service, struct failure *failure) {
    struct blocker *blocker = (struct blocker *)job;
    (void)service, (void)failure;
    pthread_mutex_lock(&lock);
    blocker->running = true;
    pthread_cond_broadcast(&changed);
    while (!blocker->go) pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    return atomic_load(&job->stop) ? failure_set(failure, VIRGA_CANCELLED, "stopped") : VIRGA_OK;
}

static void blocked(struct map_job *job, int status, const struct failure *failure) {
    struct blocker *blocker = (struct blocker *)job;
    (void)failure;
    pthread_mutex_lock(&lock);
    blocker->done = true;
    blocker->status = status;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void start(struct map_service *service, struct blocker *blocker, bool waits) {
    *blocker = (struct blocker){.job = {.done = blocked}};
    *(waits ? &blocker->job.wait : &blocker->job.work) = block;
    assert_int_equal(map_service_run(service, &blocker->job, NULL), VIRGA_OK);
}

static void await_running(struct blocker *blocker) {
    pthread_mutex_lock(&lock);
    while (!blocker->running) pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static void let_go(struct blocker *blocker) {
    pthread_mutex_lock(&lock);
    blocker->go = true;
    pthread_cond_broadcast(&changed);
    while (!blocker->done) pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

// --- Promises.

static void test_a_picture_is_drawn_and_kept(void **state) {
    (void)state;
    struct map_service *service = new_service(64 << 20);
    struct map_drawing *drawing = malloc(sizeof *drawing);
    struct client client;
    char key[MAP_KEY];
    make_drawing(drawing, 100, key);
    assert_null(map_service_find(service, key));
    assert_int_equal(ask(service, 100, &client), VIRGA_OK);
    await(&client);
    assert_false(map_service_drop(service, &client.waiter));
    assert_int_equal(client.status, VIRGA_OK);
    assert_memory_equal(client.bytes->data, "\x89PNG", 4);
    struct shared_bytes *kept = map_service_find(service, key);
    assert_ptr_equal(kept, client.bytes);
    struct map_service_stats stats;
    map_service_stats(service, &stats);
    assert_true(stats.hits == 1 && stats.misses == 1 && stats.drawn == 1 && stats.pictures == 1 && stats.planes == 1 && !stats.under_way);
    shared_bytes_unref(kept);
    release(&client);
    map_drawing_destroy(drawing);
    free(drawing);
    map_service_free(service);
}

static void test_the_same_is_made_once(void **state) {
    (void)state;
    struct map_service *service = new_service(64 << 20);
    struct blocker blockers[2];
    struct client clients[MOST];
    struct map_service_stats stats;
    for (int n = 0; n < 2; n++) start(service, &blockers[n], true);
    for (int n = 0; n < 2; n++) await_running(&blockers[n]);
    for (int n = 0; n < MOST; n++) assert_int_equal(ask(service, 5, &clients[n]), VIRGA_OK);
    for (int n = 0; n < MOST; n += 2) assert_true(map_service_drop(service, &clients[n].waiter));
    for (int n = 0; n < 2; n++) let_go(&blockers[n]);
    for (int n = 1; n < MOST; n += 2) {
        await(&clients[n]);
        assert_ptr_equal(clients[n].bytes->data, clients[1].bytes->data);
    }
    map_service_stats(service, &stats);
    assert_int_equal(stats.drawn, 1);
    for (int n = 0; n < MOST; n++) {
        assert_int_equal(clients[n].told, n % 2);
        release(&clients[n]);
    }
    map_service_free(service);
}

static void test_what_nobody_waits_for_is_not_drawn(void **state) {
    (void)state;
    struct map_service *service = new_service(64 << 20);
    struct blocker blockers[2];
    struct client client, other;
    struct map_service_stats stats;
    for (int n = 0; n < 2; n++) start(service, &blockers[n], true);
    for (int n = 0; n < 2; n++) await_running(&blockers[n]);
    assert_int_equal(ask(service, 7, &client), VIRGA_OK);
    assert_true(map_service_drop(service, &client.waiter));
    assert_false(map_service_drop(service, &client.waiter));  // once more is allowed
    assert_int_equal(ask(service, 7, &other), VIRGA_OK);  // does not join what was given up
    for (int n = 0; n < 2; n++) let_go(&blockers[n]);
    await(&other);
    assert_int_equal(other.status, VIRGA_OK);
    map_service_stats(service, &stats);
    assert_int_equal(stats.drawn, 1);
    assert_false(client.told);
    release(&other);
    map_service_free(service);
}

static void test_too_many_are_refused(void **state) {
    (void)state;
    struct map_service *service = new_service(64 << 20);
    struct blocker *blockers = calloc(MAP_SERVICE_QUEUE, sizeof *blockers), more = {.job = {.work = block, .done = blocked}};
    struct client client;
    struct failure failure = {0};
    struct map_service_stats stats;
    for (int n = 0; n < MAP_SERVICE_QUEUE; n++) start(service, &blockers[n], n % 2);
    assert_int_equal(map_service_run(service, &more.job, &failure), VIRGA_TOO_LARGE);
    assert_non_null(strstr(failure.message, "try again"));
    assert_int_equal(ask(service, 9, &client), VIRGA_TOO_LARGE);
    map_service_stats(service, &stats);
    assert_true(stats.under_way == MAP_SERVICE_QUEUE && stats.refused == 2);
    pthread_mutex_lock(&lock);
    for (int n = 0; n < MAP_SERVICE_QUEUE; n++) blockers[n].go = true;
    pthread_mutex_unlock(&lock);
    for (int n = 0; n < MAP_SERVICE_QUEUE; n++) let_go(&blockers[n]);
    assert_int_equal(ask(service, 9, &client), VIRGA_OK);
    await(&client);
    release(&client);
    free(blockers);
    map_service_free(service);
}

static void test_pictures_stay_within_the_cap(void **state) {
    (void)state;
    struct map_service *service = new_service(1 << 20);
    struct map_service_stats stats;
    struct client client;
    for (unsigned n = 0; n < 256; n++) {
        assert_int_equal(ask(service, n, &client), VIRGA_OK);
        await(&client);
        release(&client);
    }
    map_service_stats(service, &stats);
    assert_int_equal(stats.drawn, 256);
    assert_true(stats.memory <= 1 << 20 && stats.pictures > 0 && stats.pictures < 256);
    map_service_free(service);
}

static void test_a_job_that_is_given_up_is_told_so(void **state) {
    (void)state;
    struct map_service *service = new_service(64 << 20);
    struct blocker blocker;
    start(service, &blocker, false);
    await_running(&blocker);
    map_service_give_up(&blocker.job);
    let_go(&blocker);
    assert_int_equal(blocker.status, VIRGA_CANCELLED);
    map_service_free(service);
}

static void test_the_end_tells_everybody(void **state) {
    (void)state;
    struct map_service *service = new_service(64 << 20);
    struct client clients[MOST];
    for (int n = 0; n < MOST; n++) assert_int_equal(ask(service, (unsigned)n, &clients[n]), VIRGA_OK);
    map_service_free(service);
    for (int n = 0; n < MOST; n++) {
        assert_true(clients[n].told && (clients[n].status == VIRGA_OK || clients[n].status == VIRGA_CANCELLED));
        release(&clients[n]);
    }
    map_service_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_picture_is_drawn_and_kept), cmocka_unit_test(test_the_same_is_made_once), cmocka_unit_test(test_what_nobody_waits_for_is_not_drawn),
        cmocka_unit_test(test_too_many_are_refused), cmocka_unit_test(test_pictures_stay_within_the_cap), cmocka_unit_test(test_a_job_that_is_given_up_is_told_so),
        cmocka_unit_test(test_the_end_tells_everybody)};
    return cmocka_run_group_tests(tests, begin, end);
}
