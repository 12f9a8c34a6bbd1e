// SPDX-License-Identifier: Apache-2.0
#include "source/source_pool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "source/source_proxy.h"

enum { MAX_READERS = 64, ADDRESS_READERS = 2, ENGINE_READS = 8, RECENT_FILES = 8, ASK_TRIES = 4, START_TRIES = 3 };
static const double START_SECONDS = 30, SOON_SECONDS = 0.05, LATER_SECONDS = 2, LOOK_SECONDS = 2, IDLE_CPU_SECONDS = 1;

enum slot_state {
    SLOT_EMPTY,  // the keeper is to start a child
    SLOT_IDLE,
    SLOT_BUSY,   // a request's thread has it
    SLOT_DEAD,   // the keeper is to clear it away
};

struct pool_slot {
    enum slot_state state;
    struct source_process *process;
    bool log_ended;     // the keeper's
    double not_before;  // when to try starting again
    double cpu;         // seconds that the child had used when it became idle
    uint64_t used;      // order of last use
    struct source_identity recent[RECENT_FILES];
    size_t recent_next;
};

struct source_pool {
    struct source_limits limits;
    char *reader_path, *index_folder;
    const char *argv[5];
    char parent[16], memory[24];
    pthread_t keeper;  // starts every child, so that none outlives it, and clears them away
    int wake;          // of the keeper
    atomic_bool stop;  // what is being read is to end
    atomic_uint_fast64_t next_request, slab_bytes;
    struct source_condemned *condemned;
    void (*on_condemned)(void *context);  // set before anything is asked
    void *on_condemned_context;
    pthread_mutex_t lock;
    pthread_cond_t changed;  // a slot became idle, or starting failed, or stopping
    bool stopping, failed, keeper_runs;  // lock
    struct failure start_failure;        // lock; why the last start failed
    int start_failures;                  // lock; in a row; `failed` once they are START_TRIES
    size_t restarts;                     // lock
    size_t users;                        // lock; threads within source_pool_ask
    uint64_t uses;                       // lock
    struct source_proxy *proxy;          // of children for addresses, else NULL; set before they start
    struct source_proxy *waiting_proxy;  // lock; what `addresses` will get, or NULL
    struct source_pool *addresses;       // lock; the children for addresses, once one is asked for
    struct source_engine *engine;        // or NULL; set before anything is asked
    uint64_t seed;                       // of identities of what the engine opens
    atomic_size_t references;            // the owner's and each source's
    struct pool_slot slots[MAX_READERS]; // lock, but `process` of a busy slot is its request's
};

void source_limits_default(struct source_limits *limits) {
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    *limits = (struct source_limits){
        .readers = cores < 2 ? 2 : cores > 8 ? 8 : (int)cores,
        .open_seconds = 20,
        .read_seconds = 60,
        .child_memory = (size_t)1 << 30,
        .max_slab_bytes = (size_t)256 << 20,
        .max_inventory_bytes = (size_t)16 << 20,
        .max_index_bytes = (size_t)256 << 20,
    };
}

const struct source_limits *source_pool_limits(const struct source_pool *pool) { return &pool->limits; }
int source_pool_readers(const struct source_pool *pool) { return pool->limits.readers ? pool->limits.readers : ENGINE_READS; }
uint64_t source_pool_next_request(struct source_pool *pool) { return atomic_fetch_add(&pool->next_request, 1) + 1; }

void source_pool_count_slab(struct source_pool *pool, size_t bytes) { atomic_fetch_add_explicit(&pool->slab_bytes, bytes, memory_order_relaxed); }

struct source_condemned *source_pool_condemned(struct source_pool *pool) { return pool->condemned; }

void source_pool_on_condemned(struct source_pool *pool, void (*told)(void *context), void *context) {
    pool->on_condemned = told;
    pool->on_condemned_context = context;
}

size_t source_pool_save_condemned(struct source_pool *pool, struct source_condemnation *list, size_t room) {
    return source_condemned_save(pool->condemned, list, room);
}

void source_pool_load_condemned(struct source_pool *pool, const struct source_condemnation *list, size_t count) {
    source_condemned_load(pool->condemned, list, count);
}

static void wake_keeper(struct source_pool *pool) { wakeup_send(pool->wake); }

// Keeper, without the lock: the slot is EMPTY, so nobody else touches it. Returns whether a child runs.
static bool start_child(struct source_pool *pool, struct pool_slot *slot) {
    struct source_process_options options = {
        .argv = pool->argv, .memory_limit = pool->limits.child_memory, .start_seconds = START_SECONDS, .stop = &pool->stop};
    struct source_process *process;
    struct failure failure;
    int status = source_process_start(&options, &process, &failure);
    pthread_mutex_lock(&pool->lock);
    if (status) {
        if (pool->start_failures < START_TRIES) pool->start_failures++;
        pool->failed = pool->start_failures == START_TRIES;
        slot->not_before = clock_monotonic() + (pool->failed ? LATER_SECONDS : SOON_SECONDS);
        pool->start_failure = failure;
        if (pool->failed) log_error("source", "%s", failure.message);
    } else {
        *slot = (struct pool_slot){.state = SLOT_IDLE, .process = process, .used = slot->used, .cpu = source_process_cpu(process)};
        pool->failed = false;
        pool->start_failures = 0;
    }
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
    return status == VIRGA_OK;
}

// Keeper: clears the dead away and starts what is missing. Returns seconds until a start is to be tried again, or -1.
static double tend_slots(struct source_pool *pool) {
    double next = -1;
    for (int i = 0; i < pool->limits.readers; i++) {
        struct pool_slot *slot = &pool->slots[i];
        pthread_mutex_lock(&pool->lock);
        struct source_process *dead = slot->state == SLOT_DEAD ? slot->process : NULL;
        if (slot->state == SLOT_DEAD) {
            *slot = (struct pool_slot){.state = SLOT_EMPTY, .used = slot->used};
            pool->restarts++;
        }
        double wait = slot->not_before - clock_monotonic();
        bool start = slot->state == SLOT_EMPTY && wait <= 0 && !pool->stopping;
        if (slot->state == SLOT_EMPTY && wait > 0 && (next < 0 || wait < next)) next = wait;
        pthread_mutex_unlock(&pool->lock);
        source_process_free(dead);
        if (start && !start_child(pool, slot)) next = SOON_SECONDS;
    }
    return next;
}

// Keeper: waits for a wake-up, a child's words or a child's end.
static void listen_to_children(struct source_pool *pool, double seconds) {
    struct pollfd polls[MAX_READERS + 1] = {{.fd = pool->wake, .events = POLLIN}};
    pthread_mutex_lock(&pool->lock);
    for (int i = 0; i < pool->limits.readers; i++) {
        struct pool_slot *slot = &pool->slots[i];
        bool listening = (slot->state == SLOT_IDLE || slot->state == SLOT_BUSY) && !slot->log_ended;
        polls[i + 1] = (struct pollfd){.fd = listening ? source_process_log_fd(slot->process) : -1, .events = POLLIN};
    }
    pthread_mutex_unlock(&pool->lock);
    poll(polls, (nfds_t)pool->limits.readers + 1, seconds < 0 ? -1 : (int)(seconds * 1000) + 1);
    if (polls[0].revents) wakeup_clear(pool->wake);
    for (int i = 0; i < pool->limits.readers; i++) {
        struct pool_slot *slot = &pool->slots[i];
        if (!polls[i + 1].revents) continue;
        bool more = source_process_log(slot->process);  // only the keeper frees processes
        if (more || !(polls[i + 1].revents & (POLLHUP | POLLERR))) continue;
        pthread_mutex_lock(&pool->lock);
        slot->log_ended = true;
        if (slot->state == SLOT_IDLE) slot->state = SLOT_DEAD;
        pthread_mutex_unlock(&pool->lock);
    }
}

// Keeper: a child that is asked nothing has nothing to do. (One that is asked has one thread, so its time limit bounds its CPU time.)
static void end_busy_idlers(struct source_pool *pool) {
    pthread_mutex_lock(&pool->lock);
    for (int i = 0; i < pool->limits.readers; i++) {
        struct pool_slot *slot = &pool->slots[i];
        if (slot->state != SLOT_IDLE || source_process_cpu(slot->process) - slot->cpu < IDLE_CPU_SECONDS) continue;
        slot->state = SLOT_DEAD;
        log_warning("source", "child %d works though it is asked nothing: ended", (int)source_process_pid(slot->process));
    }
    pthread_mutex_unlock(&pool->lock);
}

static void *keeper_main(void *argument) {
    struct source_pool *pool = argument;
    for (;;) {
        double retry = tend_slots(pool);
        pthread_mutex_lock(&pool->lock);
        bool stopping = pool->stopping;
        for (int i = 0; i < pool->limits.readers; i++) stopping = stopping && pool->slots[i].state != SLOT_BUSY;
        pthread_mutex_unlock(&pool->lock);
        if (stopping) break;
        listen_to_children(pool, retry < 0 || retry > LOOK_SECONDS ? LOOK_SECONDS : retry);
        end_busy_idlers(pool);
    }
    for (int i = 0; i < pool->limits.readers; i++) source_process_free(pool->slots[i].process);
    return NULL;
}

static bool slot_had(const struct pool_slot *slot, const struct source_identity *identity) {
    for (size_t i = 0; i < RECENT_FILES; i++)
        if (source_identity_equal(&slot->recent[i], identity)) return true;
    return false;
}

// With the lock: an idle child, if possible one that has the file open, else the one longest unused.
static struct pool_slot *choose_slot(struct source_pool *pool, const struct source_identity *identity) {
    struct pool_slot *best = NULL;
    for (int i = 0; i < pool->limits.readers; i++) {
        struct pool_slot *slot = &pool->slots[i];
        if (slot->state != SLOT_IDLE) continue;
        if (slot_had(slot, identity)) return slot;
        if (!best || slot->used < best->used) best = slot;
    }
    return best;
}

static bool any_child(const struct source_pool *pool) {
    for (int i = 0; i < pool->limits.readers; i++)
        if (pool->slots[i].process) return true;
    return false;
}

static int take_slot(struct source_pool *pool, const struct source_identity *identity, struct pool_slot **taken,
                     const char *about, struct failure *failure) {
    int status = VIRGA_OK;
    struct pool_slot *slot = NULL;
    pthread_mutex_lock(&pool->lock);
    while (!pool->stopping && !(slot = choose_slot(pool, identity)) && !(pool->failed && !any_child(pool)))
        pthread_cond_wait(&pool->changed, &pool->lock);
    if (pool->stopping) {
        status = failure_set(failure, VIRGA_CANCELLED, "%s: not read, the program is ending", about);
    } else if (!slot) {
        status = failure_set(failure, VIRGA_IO, "%s: not read: %s", about, pool->start_failure.message);
    } else {
        slot->state = SLOT_BUSY;
        slot->used = ++pool->uses;
        if (!slot_had(slot, identity)) slot->recent[slot->recent_next++ % RECENT_FILES] = *identity;
        *taken = slot;
    }
    pthread_mutex_unlock(&pool->lock);
    return status;
}

static void give_slot(struct source_pool *pool, struct pool_slot *slot, bool alive) {
    double cpu = alive ? source_process_cpu(slot->process) : 0;
    pthread_mutex_lock(&pool->lock);
    slot->cpu = cpu;
    slot->state = alive ? SLOT_IDLE : SLOT_DEAD;
    bool tend = !alive || pool->stopping || slot->log_ended;
    if (slot->log_ended) slot->state = SLOT_DEAD;
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
    if (tend) wake_keeper(pool);
}

static int ask_some_child(struct source_pool *pool, const struct source_identity *identity, struct source_question *question,
                          struct source_answer *answer, struct failure *failure) {
    for (int i = 0; i < ASK_TRIES; i++) {
        struct pool_slot *slot = NULL;
        int status = take_slot(pool, identity, &slot, question->about, failure);
        if (status) return status;
        status = source_process_ask(slot->process, question, answer, failure);
        give_slot(pool, slot, status == VIRGA_OK && !answer->retire);
        if (status != VIRGA_AGAIN) return status;
    }
    return failure_set(failure, VIRGA_GONE, "%s: the readers end before they can be asked", question->about);
}

// The failure's words without the file's name, which is added where they are used again: one file may have several names.
static const char *words_of(const char *about, const char *message) {
    size_t length = strlen(about);
    return !strncmp(message, about, length) && !strncmp(message + length, ": ", 2) ? message + length + 2 : message;
}

static void remember_end(struct source_pool *pool, const struct source_identity *identity, const struct source_question *question,
                         enum source_end end, const struct failure *failure) {
    const char *words = words_of(question->about, failure->message);
    if (pool->proxy && end == SOURCE_END_LATE) return;  // the network's fault
    if (pool->proxy) end = SOURCE_END_KILLED;           // what an address sends may be another thing in some minutes
    if (!source_condemned_strike(pool->condemned, identity, question->reading, end, failure->status, words, clock_monotonic())) return;
    log_warning("source", "%s; it is refused from now on", failure->message);
    if (pool->on_condemned) pool->on_condemned(pool->on_condemned_context);
}

const atomic_bool *source_pool_begin(struct source_pool *pool) {
    pthread_mutex_lock(&pool->lock);
    bool ends = pool->stopping;
    if (!ends) pool->users++;
    pthread_mutex_unlock(&pool->lock);
    return ends ? NULL : &pool->stop;
}

void source_pool_end(struct source_pool *pool) {
    pthread_mutex_lock(&pool->lock);
    if (--pool->users == 0) pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
}

int source_pool_ask(struct source_pool *pool, const struct source_identity *identity, struct source_question *question,
                    struct source_answer *answer, struct failure *failure) {
    question->stop = source_pool_begin(pool);
    if (!question->stop) return failure_set(failure, VIRGA_CANCELLED, "%s: not read, its reader is ending", question->about);
    struct failure why;
    int status = ask_some_child(pool, identity, question, answer, &why);
    if (!status) source_condemned_clear(pool->condemned, identity, question->reading);
    else if (answer->end != SOURCE_END_NONE) remember_end(pool, identity, question, answer->end, &why);
    source_pool_end(pool);
    return status ? failure_set(failure, status, "%s", why.message) : VIRGA_OK;
}

static char *beside_this_program(const char *name) {
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n <= 0) return NULL;
    path[n] = '\0';
    char *slash = strrchr(path, '/'), *result = NULL;
    if (slash) *slash = '\0';
    if (asprintf(&result, "%s/%s", path, name) < 0) return NULL;
    return result;
}

char *source_pool_reader_program(const char *reader_path) {
    return reader_path ? strdup(reader_path) : beside_this_program("virga-reader");
}

// Waits until every child has started, or one could not be.
static int wait_for_children(struct source_pool *pool, struct failure *failure) {
    int status = VIRGA_OK, idle = 0;
    pthread_mutex_lock(&pool->lock);
    while (!pool->failed && idle < pool->limits.readers) {
        idle = 0;
        for (int i = 0; i < pool->limits.readers; i++) idle += pool->slots[i].state == SLOT_IDLE;
        if (idle < pool->limits.readers) pthread_cond_wait(&pool->changed, &pool->lock);
    }
    if (pool->failed) status = failure_set(failure, pool->start_failure.status, "%s", pool->start_failure.message);
    pthread_mutex_unlock(&pool->lock);
    return status;
}

static int start_keeper(struct source_pool *pool, struct failure *failure) {
    int error = thread_start(&pool->keeper, keeper_main, pool);
    if (error) return failure_set(failure, VIRGA_NO_MEMORY, "no thread for the readers: %s", strerror(error));
    pool->keeper_runs = true;
    return VIRGA_OK;
}

// One without children, folders and engine.
static struct source_pool *pool_bare(const struct source_limits *limits) {
    struct source_pool *p = calloc(1, sizeof *p);
    struct source_condemned *condemned = p ? source_condemned_new() : NULL;
    if (!condemned) {
        free(p);
        return NULL;
    }
    p->limits = *limits;
    p->limits.index_folder = NULL;
    p->condemned = condemned;
    p->wake = -1;
    atomic_init(&p->references, 1);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->changed, NULL);
    return p;
}

// proxy: taken over unless it fails; with it the children are for addresses.
static int pool_new(const char *reader_path, const struct source_limits *limits, struct source_proxy *proxy, struct source_pool **pool,
                    struct failure *failure) {
    struct source_pool *p = pool_bare(limits);
    *pool = NULL;
    if (!p) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    p->proxy = proxy;
    p->index_folder = limits->index_folder ? strdup(limits->index_folder) : NULL;
    p->limits.index_folder = p->index_folder;
    p->reader_path = source_pool_reader_program(reader_path);
    p->wake = wakeup_new();
    snprintf(p->parent, sizeof p->parent, "%d", (int)getpid());
    snprintf(p->memory, sizeof p->memory, "%zu", limits->child_memory);
    p->argv[0] = p->reader_path;
    p->argv[1] = p->parent;
    p->argv[2] = p->memory;
    p->argv[3] = proxy ? "dap" : NULL;
    int status = p->reader_path && p->wake >= 0 ? VIRGA_OK : failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    if (!status) status = start_keeper(p, failure);
    if (!status) status = wait_for_children(p, failure);
    if (status) {
        p->proxy = NULL;
        source_pool_free(p);
    } else {
        *pool = p;
    }
    return status;
}

int source_pool_new(const char *reader_path, const struct source_limits *limits, struct source_pool **pool, struct failure *failure) {
    *pool = NULL;
    if (limits->readers < 1 || limits->readers > MAX_READERS)
        return failure_set(failure, VIRGA_INVALID, "%d readers were asked for; 1 to %d can be", limits->readers, MAX_READERS);
    return pool_new(reader_path, limits, NULL, pool, failure);
}

int source_pool_new_engine(struct source_engine *engine, const struct source_limits *limits, struct source_pool **pool, struct failure *failure) {
    static atomic_uint_fast64_t made;
    struct source_pool *p = pool_bare(limits);
    *pool = p;
    if (!p) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    p->limits.readers = 0;
    p->engine = engine;
    p->seed = atomic_fetch_add(&made, 1) + 1;
    return VIRGA_OK;
}

void source_pool_set_engine(struct source_pool *pool, struct source_engine *engine) { pool->engine = engine; }
struct source_engine *source_pool_engine(struct source_pool *pool) { return pool->engine; }
uint64_t source_pool_seed(const struct source_pool *pool) { return pool->seed; }

int source_pool_allow_hosts(struct source_pool *pool, const char *const *hosts, size_t count, struct failure *failure) {
    struct source_proxy_limits limits;
    source_proxy_limits_default(&limits);
    return count ? source_proxy_new(hosts, count, &limits, &pool->waiting_proxy, failure) : VIRGA_OK;
}

// With the lock: the proxy goes from the one that waits to the children it is for.
static int start_addresses(struct source_pool *pool, struct failure *failure) {
    struct source_limits limits = pool->limits;
    if (limits.readers > ADDRESS_READERS) limits.readers = ADDRESS_READERS;
    limits.index_folder = NULL;
    int status = pool_new(pool->reader_path, &limits, pool->waiting_proxy, &pool->addresses, failure);
    if (status) return status;
    pool->waiting_proxy = NULL;
    source_pool_on_condemned(pool->addresses, pool->on_condemned, pool->on_condemned_context);
    return VIRGA_OK;
}

// With the lock: the proxy of the children for addresses, also while there are none yet; or NULL.
static struct source_proxy *proxy_for_addresses(const struct source_pool *pool) {
    return pool->addresses ? pool->addresses->proxy : pool->waiting_proxy;
}

int source_pool_for_address(struct source_pool *pool, const struct source_url *url, struct source_pool **addresses, struct failure *failure) {
    pthread_mutex_lock(&pool->lock);
    struct source_proxy *proxy = proxy_for_addresses(pool);
    int status = proxy ? source_proxy_allows(proxy, url, failure) :
                         failure_set(failure, VIRGA_INVALID, "%s:%d is not a host that may be asked; name it in the setting opendap-hosts",
                                     url->host, url->port);
    if (!status && pool->stopping) status = failure_set(failure, VIRGA_CANCELLED, "not read, the program is ending");
    if (!status && !pool->addresses) status = start_addresses(pool, failure);
    *addresses = pool->addresses;
    pthread_mutex_unlock(&pool->lock);
    return status;
}

bool source_pool_allows(struct source_pool *pool, const struct source_url *url) {
    pthread_mutex_lock(&pool->lock);
    struct source_proxy *proxy = proxy_for_addresses(pool);
    bool allowed = proxy && !source_proxy_allows(proxy, url, NULL);
    pthread_mutex_unlock(&pool->lock);
    return allowed;
}

struct source_proxy *source_pool_proxy(struct source_pool *addresses) { return addresses->proxy; }

static struct source_pool *addresses_of(struct source_pool *pool) {
    pthread_mutex_lock(&pool->lock);
    struct source_pool *addresses = pool->addresses;
    pthread_mutex_unlock(&pool->lock);
    return addresses;
}

uint64_t source_pool_slab_bytes(struct source_pool *pool) {
    struct source_pool *addresses = addresses_of(pool);
    return atomic_load_explicit(&pool->slab_bytes, memory_order_relaxed) + (addresses ? source_pool_slab_bytes(addresses) : 0);
}

size_t source_pool_condemned_count(struct source_pool *pool) {
    struct source_pool *addresses = addresses_of(pool);
    return source_condemned_count(pool->condemned) + (addresses ? source_pool_condemned_count(addresses) : 0);
}

size_t source_pool_restarts(struct source_pool *pool) {
    pthread_mutex_lock(&pool->lock);
    size_t restarts = pool->restarts;
    pthread_mutex_unlock(&pool->lock);
    struct source_pool *addresses = addresses_of(pool);
    return restarts + (addresses ? source_pool_restarts(addresses) : 0);
}

int source_pool_check(struct source_pool *pool, struct failure *failure) {
    int status = VIRGA_OK;
    pthread_mutex_lock(&pool->lock);
    if (pool->limits.readers && pool->failed && !any_child(pool)) status = failure_set(failure, VIRGA_IO, "no reader can be started: %s", pool->start_failure.message);
    pthread_mutex_unlock(&pool->lock);
    return status;
}

void source_pool_stop(struct source_pool *pool) {
    atomic_store(&pool->stop, true);
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
    wake_keeper(pool);
    if (pool->proxy) source_proxy_stop(pool->proxy);
    struct source_pool *addresses = addresses_of(pool);
    if (addresses) source_pool_stop(addresses);
}

struct source_pool *source_pool_ref(struct source_pool *pool) {
    atomic_fetch_add_explicit(&pool->references, 1, memory_order_relaxed);
    return pool;
}

void source_pool_unref(struct source_pool *pool) {
    if (!pool || atomic_fetch_sub_explicit(&pool->references, 1, memory_order_acq_rel) != 1) return;
    source_pool_unref(pool->addresses);
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->lock);
    source_condemned_free(pool->condemned);
    free(pool->reader_path);
    free(pool->index_folder);
    free(pool);
}

// Ends children and threads; what is asked from now on is refused.
static void end_children(struct source_pool *pool) {
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->changed);
    while (pool->users) pthread_cond_wait(&pool->changed, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
    if (pool->keeper_runs) {
        wake_keeper(pool);
        pthread_join(pool->keeper, NULL);
    }
    source_proxy_free(pool->waiting_proxy);
    source_proxy_free(pool->proxy);
    if (pool->wake >= 0) close(pool->wake);
    pool->wake = -1;
}

void source_pool_free(struct source_pool *pool) {
    if (!pool) return;
    if (pool->addresses) end_children(pool->addresses);  // its memory stays as long as ours
    end_children(pool);
    source_pool_unref(pool);
}
