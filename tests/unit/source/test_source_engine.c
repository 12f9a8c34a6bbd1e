// SPDX-License-Identifier: Apache-2.0
// What an engine is asked, and what it answers.
#include "engine_fixture.h"

#include <sys/stat.h>

static void a_dataset_is_listed_and_read(void **state) {
    (void)state;
    struct set set = set_of_this();
    struct source_engine_counts counts;
    assert_int_equal(0, starts_of(&set));  // nothing starts before it is asked
    struct source *source = fixture_open(set.pool, address_of("good"));
    assert_true(source_identity(source)->device == UINT64_MAX - 1 && source_identity(source)->size != 0);
    assert_true(source_reduces_early(source) && !source_inventory(source)->index);
    assert_string_equal(address_of("good"), source_path(source));
    source_unref(source);
    assert_reads(&set, "good");
    source_engine_counts(set.engine, &counts);
    assert_true(counts.traffic.requests == 1 && counts.traffic.read == 1000 && counts.traffic.sent == 100 && counts.traffic.received == POINTS * 4);
    assert_int_equal(1, starts_of(&set));
    end_set(&set);
}

static void the_edition_is_part_of_the_identity(void **state) {
    (void)state;
    struct set set = set_of_this();
    struct source *one = fixture_open(set.pool, address_of("one")), *again = fixture_open(set.pool, address_of("one")), *two = fixture_open(set.pool, address_of("two"));
    assert_true(source_identity_equal(source_identity(one), source_identity(again)));
    assert_false(source_identity_equal(source_identity(one), source_identity(two)));
    source_unref(one);
    source_unref(again);
    source_unref(two);
    end_set(&set);
}

static void a_relative_address_is_made_absolute(void **state) {
    (void)state;
    char before[512];
    assert_non_null(getcwd(before, sizeof before));
    struct set set = set_of_this();
    struct source *whole = fixture_open(set.pool, address_of("place"));
    assert_int_equal(0, chdir(fixture_folder));
    struct source *relative = fixture_open(set.pool, "zarr:place"), *dotted = fixture_open(set.pool, "zarr:./place");
    assert_int_equal(0, chdir(before));
    assert_true(source_identity(whole)->inode == source_identity(relative)->inode && source_identity(dotted)->inode == source_identity(whole)->inode);
    source_unref(whole);
    source_unref(relative);
    source_unref(dotted);
    end_set(&set);
}

static void answers_come_in_any_order(void **state) {
    (void)state;
    struct set set = set_of_this();
    struct reading readings[REVERSED];
    for (int i = 0; i < REVERSED; i++) begin_reading(&readings[i], &set, "reversed");
    for (int i = 0; i < REVERSED; i++) {
        pthread_join(readings[i].thread, NULL);
        if (readings[i].status) fail_msg("%s", readings[i].failure.message);
        assert_true(((const float *)readings[i].slab.data)[POINTS - 1] == POINTS - 1);
    }
    for (int i = 0; i < REVERSED; i++)
        for (int j = 0; j < i; j++) assert_ptr_not_equal(readings[i].slab.data, readings[j].slab.data);
    for (int i = 0; i < REVERSED; i++) source_slab_release(&readings[i].slab);
    end_set(&set);
}

struct told {
    atomic_int count;
    pthread_mutex_t lock;
    char last[256];
};

static void take_state(void *context, const char *json) {
    struct told *told = context;
    atomic_fetch_add(&told->count, 1);
    pthread_mutex_lock(&told->lock);
    snprintf(told->last, sizeof told->last, "%.250s", json);
    pthread_mutex_unlock(&told->lock);
}

static void assert_told(struct told *told, const char *words) {
    double end = clock_monotonic() + PATIENCE;
    bool found = false;
    while (!found && clock_monotonic() < end) {
        pthread_mutex_lock(&told->lock);
        found = strstr(told->last, words);
        pthread_mutex_unlock(&told->lock);
        if (!found) nap();
    }
    if (!found) fail_msg("not told %s but %s", words, told->last);
}

static void a_flood_of_states_is_told_at_most_four_times_a_second(void **state) {
    (void)state;
    struct set set = set_of_this();
    struct told told = {.lock = PTHREAD_MUTEX_INITIALIZER};
    source_engine_on_state(set.engine, take_state, &told);
    double before = clock_monotonic();
    assert_reads(&set, "floods");
    assert_told(&told, "\"tasks\": 19999");  // the last of them
    double took = clock_monotonic() - before;
    if (atomic_load(&told.count) > 3 + (int)(4 * took)) fail_msg("%d in %g s", atomic_load(&told.count), took);
    source_engine_on_state(set.engine, NULL, NULL);
    char *json = source_engine_state(set.engine);
    assert_string_equal("{\"state\": \"running\", \"tasks\": 19999}", json);
    free(json);
    end_set(&set);
}

static void a_cluster_is_started_and_stopped_by_wish(void **state) {
    (void)state;
    struct source_engine_options options = options_of_this();
    struct failure failure;
    options.cluster = "local:1";
    struct set set = set_of(&options);
    struct told told = {.lock = PTHREAD_MUTEX_INITIALIZER};
    char *json = source_engine_state(set.engine);
    assert_true(strstr(json, "\"cluster\": \"local\"") && strstr(json, "\"state\": \"stopped\""));
    free(json);
    source_engine_on_state(set.engine, take_state, &told);
    source_engine_stop_cluster(set.engine);  // nothing runs
    assert_int_equal(VIRGA_OK, source_engine_start(set.engine, &failure));
    assert_told(&told, "told to start");
    source_engine_stop_cluster(set.engine);
    assert_told(&told, "told to stop");
    assert_int_equal(1, starts_of(&set));
    end_set(&set);
}

static void a_chattering_engine_holds_nothing_up(void **state) {
    (void)state;
    struct set set = set_of_this();
    assert_reads(&set, "chatters");
    end_set(&set);
}

static struct set set_with_pieces(void) {
    struct source_engine_options options = options_of_this();
    options.cluster = "local:1";
    return set_of(&options);
}

static void slabs_come_in_pieces(void **state) {
    (void)state;
    struct set set = set_with_pieces();
    struct source_engine_counts counts;
    assert_reads(&set, "pieces");
    assert_reads(&set, "pieces");
    assert_reads(&set, "good");  // by its descriptor
    source_engine_counts(set.engine, &counts);
    assert_true(counts.traffic.requests == 3 && counts.traffic.received == 3 * POINTS * 4);
    end_set(&set);
}

static void a_slab_of_which_pieces_lack_is_refused(void **state) {
    (void)state;
    struct set set = set_with_pieces();
    assert_reads(&set, "pieces");  // so that the memory used again holds all the right numbers
    assert_read_fails(&set, "pieces-half", VIRGA_GONE, "only a part");
    assert_reads(&set, "pieces");
    assert_int_equal(1, starts_of(&set));
    end_set(&set);
}

struct other_end {
    int socket;
    pthread_t thread;
};

static void *serve_other_end(void *argument) {
    child_socket = ((struct other_end *)argument)->socket;
    child_serve();
    return NULL;
}

static void the_other_end_of_a_socket_can_be_the_engine(void **state) {
    (void)state;
    int sockets[2];
    struct source_engine_options options = options_of_this();
    struct source *source;
    struct failure failure;
    assert_int_equal(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets));
    struct other_end other = {.socket = sockets[1]};
    assert_int_equal(0, pthread_create(&other.thread, NULL, serve_other_end, &other));
    options.python = "/nowhere";
    options.socket = sockets[0];
    struct set set = set_of(&options);
    assert_int_equal(VIRGA_OK, source_engine_installed(set.engine, &failure));
    assert_int_equal(VIRGA_OK, source_open(set.pool, "notebook:forecast", &source, &failure));
    source_unref(source);
    assert_reads(&set, "good");
    shutdown(sockets[1], SHUT_RDWR);
    pthread_join(other.thread, NULL);
    assert_open_fails(set.pool, "notebook:forecast", VIRGA_GONE, "show it again");
    end_set(&set);
    close(sockets[1]);
    child_socket = 3;
}

static void addresses_are_refused_where_no_engine_is(void **state) {
    (void)state;
    struct source_pool *pool = fixture_pool(1, PATIENCE);
    struct set set = set_of_this();
    assert_open_fails(pool, address_of("good"), VIRGA_UNSUPPORTED, "");
    assert_open_fails(set.pool, "/etc/hostname", VIRGA_INVALID, "");  // and a pool of an engine opens no files
    assert_open_fails(set.pool, "s3://bucket/store.zarr", VIRGA_INVALID, "");  // its scheme was not named
    source_pool_free(pool);
    end_set(&set);
}

// A pool of files with an engine for what its readers do not read, and a store of Zarr 3.
static struct source_pool *pool_before_an_engine(const char *python, const char *store, struct source_engine **engine) {
    struct source_pool *pool = fixture_pool(1, PATIENCE);
    struct source_engine_options options = options_of_this();
    struct failure failure;
    char metadata[64];
    if (python) options.python = python;
    assert_int_equal(VIRGA_OK, source_engine_new(&options, engine, &failure));
    source_pool_set_engine(pool, *engine);
    snprintf(metadata, sizeof metadata, "%s/zarr.json", store);
    assert_int_equal(0, mkdir(fixture_path(store), 0700));
    fixture_write(fixture_path(metadata), "{\"zarr_format\": 3, \"node_type\": \"group\"}", 40);
    return pool;
}

static void files_that_readers_do_not_read_go_to_the_engine(void **state) {
    (void)state;
    struct source_engine *engine;
    struct source *source;
    struct failure failure;
    uint8_t pp[300] = {0, 0, 1, 0, [260] = 0, 0, 1, 0}, um[300] = {[7] = 20, [15] = 1, [39] = 3};
    struct source_pool *pool = pool_before_an_engine(NULL, "three.zarr", &engine);
    fixture_write(fixture_path("noname"), pp, sizeof pp);
    fixture_write(fixture_path("umfile"), um, sizeof um);
    fixture_write(fixture_path("short.PP"), pp, 8);
    fixture_write(fixture_path("a.zarr.zip"), "PK\3\4 and so on", 14);
    const char *const paths[] = {fixture_path("three.zarr"), fixture_path("noname"), fixture_path("umfile"), fixture_path("short.PP"), fixture_path("a.zarr.zip")};
    for (size_t i = 0; i < 5; i++) {
        if (source_open(pool, paths[i], &source, &failure)) fail_msg("%s", failure.message);
        assert_string_equal("made up", source_inventory(source)->format);
        assert_string_equal(paths[i], source_path(source));
        source_unref(source);
    }
    fixture_write(fixture_path("text"), "no forecast", 11);
    assert_open_fails(pool, fixture_path("text"), VIRGA_UNREADABLE, "");
    source_pool_free(pool);
    source_engine_free(engine);
}

static void where_it_is_not_installed_the_message_says_how(void **state) {
    (void)state;
    static const char *const names[] = {"new.zarr", "a.pp"};
    struct source_engine *engine;
    struct source_pool *pool = pool_before_an_engine("/nowhere/python3", "new.zarr", &engine);
    fixture_write(fixture_path("a.pp"), "x", 1);
    for (size_t i = 0; i < 2; i++) {
        assert_open_fails(pool, fixture_path(names[i]), VIRGA_UNSUPPORTED, "server/engine");
        assert_open_fails(pool, fixture_path(names[i]), VIRGA_UNSUPPORTED, names[i]);
    }
    source_pool_free(pool);
    source_engine_free(engine);
}

// NULL: as it is.
static void check_options(const char *cluster, const char *slabs, int status) {
    struct source_engine_options options = options_of_this();
    struct source_engine *engine;
    struct failure failure;
    if (cluster) options.cluster = cluster;
    if (slabs) options.slabs = slabs;
    assert_int_equal(status, source_engine_new(&options, &engine, &failure));
    if (!status) source_engine_free(engine);
}

static void options_that_make_no_sense_are_refused(void **state) {
    (void)state;
    static const char *const clusters[] = {"elsewhere", "localhost", "http://x", ""}, *const places[] = {"a b", "host:99999", "off"};
    for (size_t i = 0; i < 4; i++) check_options(clusters[i], NULL, *clusters[i] ? VIRGA_INVALID : VIRGA_OK);
    for (size_t i = 0; i < 3; i++) check_options(NULL, places[i], i < 2 ? VIRGA_INVALID : VIRGA_OK);
}

static int run_all(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_dataset_is_listed_and_read),
        TEST(the_edition_is_part_of_the_identity),
        TEST(a_relative_address_is_made_absolute),
        TEST(answers_come_in_any_order),
        TEST(a_flood_of_states_is_told_at_most_four_times_a_second),
        TEST(a_cluster_is_started_and_stopped_by_wish),
        TEST(a_chattering_engine_holds_nothing_up),
        TEST(slabs_come_in_pieces),
        TEST(a_slab_of_which_pieces_lack_is_refused),
        TEST(the_other_end_of_a_socket_can_be_the_engine),
        TEST(addresses_are_refused_where_no_engine_is),
        TEST(files_that_readers_do_not_read_go_to_the_engine),
        TEST(where_it_is_not_installed_the_message_says_how),
        TEST(options_that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests_name("source_engine", tests, NULL, NULL);
}

int main(int argc, char **argv) { return run_as_child_or(argc, argv, run_all); }
