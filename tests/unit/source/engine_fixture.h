// SPDX-License-Identifier: Apache-2.0
// What the engine's tests share: an engine whose child is the test's own program (engine_child.h), and its pool. Nothing but what is about time depends on
// how fast the machine is: PATIENCE is for what happens anyway.
#ifndef VIRGA_TESTS_ENGINE_FIXTURE_H
#define VIRGA_TESTS_ENGINE_FIXTURE_H

#include "engine_child.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "child_processes.h"
#include "source/source_engine.h"

static const double PATIENCE = 120;  // seconds

static char this_program[512];

struct set {
    struct source_engine *engine;
    struct source_pool *pool;
};

FIXTURE struct source_engine_options options_of_this(void) {
    struct source_engine_options options;
    source_engine_options_default(&options);
    options.python = this_program;
    options.open_seconds = options.read_seconds = options.start_seconds = options.cancel_seconds = PATIENCE;
    options.memory = (size_t)300 << 20;
    return options;
}

FIXTURE struct set set_of(const struct source_engine_options *options) {
    struct set set;
    struct failure failure;
    struct source_limits limits;
    source_limits_default(&limits);
    if (source_engine_new(options, &set.engine, &failure) || source_pool_new_engine(set.engine, &limits, &set.pool, &failure)) fail_msg("%s", failure.message);
    return set;
}

FIXTURE struct set set_of_this(void) {
    struct source_engine_options options = options_of_this();
    return set_of(&options);
}

// One whose child plays what `product` says.
FIXTURE struct set set_with_product(const char *product, double start_seconds) {
    struct source_engine_options options = options_of_this();
    options.products = &product;
    options.product_count = 1;
    options.start_seconds = start_seconds;
    return set_of(&options);
}

FIXTURE void end_set(struct set *set) {
    pid_t children[16];
    source_pool_free(set->pool);
    source_engine_free(set->engine);
    assert_int_equal(0, child_processes(getpid(), children, 16));
}

FIXTURE const char *address_of(const char *name) {
    static _Thread_local char addresses[8][600];
    static _Thread_local int next;
    char *address = addresses[next++ % 8];
    snprintf(address, sizeof addresses[0], "zarr:%s/%s", fixture_folder, name);
    return address;
}

FIXTURE bool is_marked(const char *name, const char *what) {
    char marker[64];
    snprintf(marker, sizeof marker, "%s.%s", name, what);
    return !access(fixture_path(marker), F_OK);
}

FIXTURE void assert_marked(const char *name, const char *what) {
    double end = clock_monotonic() + PATIENCE;
    while (!is_marked(name, what) && clock_monotonic() < end) nap();
    if (!is_marked(name, what)) fail_msg("%s was not %s", name, what);
}

FIXTURE int try_read(struct set *set, const char *name, struct source_slab *slab, struct failure *failure) {
    struct source *source = fixture_open(set->pool, address_of(name));
    struct source_slab_request request = fixture_whole(source, "v");
    int status = source_read(source, &request, slab, failure);
    source_unref(source);
    return status;
}

FIXTURE void assert_reads(struct set *set, const char *name) {
    struct source_slab slab;
    struct failure failure;
    if (try_read(set, name, &slab, &failure)) fail_msg("%s: %s", name, failure.message);
    assert_true(slab.type == SOURCE_F32 && slab.elements == POINTS && slab.bytes == POINTS * 4);
    for (size_t i = 0; i < POINTS; i++) assert_true(((const float *)slab.data)[i] == (float)i);
    source_slab_release(&slab);
}

FIXTURE void assert_read_fails(struct set *set, const char *name, int status, const char *words) {
    struct source_slab slab;
    struct failure failure;
    assert_int_equal(status, try_read(set, name, &slab, &failure));
    if (!strstr(failure.message, words)) fail_msg("not %s but %s", words, failure.message);
}

FIXTURE void assert_open_fails(struct source_pool *pool, const char *path, int status, const char *words) {
    struct source *source;
    struct failure failure;
    assert_int_equal(status, source_open(pool, path, &source, &failure));
    if (!strstr(failure.message, words)) fail_msg("not %s but %s", words, failure.message);
}

FIXTURE size_t starts_of(struct set *set) {
    struct source_engine_counts counts;
    source_engine_counts(set->engine, &counts);
    return counts.starts;
}

// A read on a thread of its own.
struct reading {
    struct set *set;
    const char *name;
    atomic_bool stop;
    int status;
    struct failure failure;
    struct source_slab slab;
    pthread_t thread;
};

FIXTURE void *read_one(void *argument) {
    struct reading *r = argument;
    struct source *source;
    r->status = source_open(r->set->pool, address_of(r->name), &source, &r->failure);
    if (r->status) return NULL;
    struct source_slab_request request = {.rank = 2, .count = {ROWS, COLUMNS}, .block = {1, 1}, .scale = 1, .stop = &r->stop};
    r->status = source_read(source, &request, &r->slab, &r->failure);
    source_unref(source);
    return NULL;
}

FIXTURE void begin_reading(struct reading *r, struct set *set, const char *name) {
    *r = (struct reading){.set = set, .name = name};
    assert_int_equal(0, pthread_create(&r->thread, NULL, read_one, r));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

// Of a test's main: its program is the engine's child, too, which exits here.
FIXTURE int run_as_child_or(int argc, char **argv, int (*run)(void)) {
    if (argc > 3 && !strcmp(argv[1], "-m")) return child_main(argc, argv);
    return realpath(argv[0], this_program) ? run() : 1;
}

#endif
