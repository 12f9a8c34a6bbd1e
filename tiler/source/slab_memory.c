// SPDX-License-Identifier: Apache-2.0
#include "source/slab_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"

enum { KEEP_MOST = 16, LEAST_BYTES = 64 << 10 };

struct lent_memory {
    struct slab_memory memory;  // first: a slab_memory is one
    atomic_size_t references;
    struct slab_pool *pool;
    double since;               // when it was given back
    struct lent_memory *next;   // of the idle ones: those given back last come first
};

struct slab_pool {
    pthread_mutex_t lock;
    size_t keep_bytes;
    struct lent_memory *idle;       // lock
    size_t lent;                    // lock
    bool over;                      // lock; freed with the last that is lent
};

struct slab_pool *slab_pool_new(size_t keep_bytes) {
    struct slab_pool *pool = calloc(1, sizeof *pool);
    if (!pool) return NULL;
    pthread_mutex_init(&pool->lock, NULL);
    pool->keep_bytes = keep_bytes;
    return pool;
}

static void destroy(struct lent_memory *m) {
    if (m->memory.at) munmap(m->memory.at, m->memory.bytes);
    if (m->memory.fd >= 0) close(m->memory.fd);
    free(m);
}

// With the lock: takes those out of the idle ones that are there since before `moment`, beyond `most` bytes or too many; returns them.
static struct lent_memory *take_idle(struct slab_pool *pool, double moment, size_t most) {
    struct lent_memory *gone = NULL, **at = &pool->idle;
    size_t bytes = 0, count = 0;
    while (*at) {
        struct lent_memory *m = *at;
        if (m->since >= moment && bytes + m->memory.bytes <= most && count < KEEP_MOST) {
            bytes += m->memory.bytes;
            count++;
            at = &m->next;
            continue;
        }
        *at = m->next;
        m->next = gone;
        gone = m;
    }
    return gone;
}

static void destroy_all(struct lent_memory *list) {
    while (list) {
        struct lent_memory *next = list->next;
        destroy(list);
        list = next;
    }
}

static void pool_destroy(struct slab_pool *pool) {
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

void slab_pool_trim(struct slab_pool *pool, double seconds) {
    pthread_mutex_lock(&pool->lock);
    struct lent_memory *gone = take_idle(pool, clock_monotonic() - seconds, pool->keep_bytes);
    pthread_mutex_unlock(&pool->lock);
    destroy_all(gone);
}

void slab_pool_free(struct slab_pool *pool) {
    if (!pool) return;
    pthread_mutex_lock(&pool->lock);
    struct lent_memory *gone = take_idle(pool, 0, 0);
    bool last = !pool->lent;
    pool->over = true;
    pthread_mutex_unlock(&pool->lock);
    destroy_all(gone);
    if (last) pool_destroy(pool);
}

// Sizes are rounded up to an eighth of a power of two, so that slabs of nearly one size use the same memory.
static size_t rounded(size_t bytes) {
    size_t step = LEAST_BYTES;
    while (bytes / 16 > step) step *= 2;
    return bytes > SIZE_MAX - step ? 0 : (bytes + step - 1) / step * step;
}

int slab_memory_file(size_t bytes) {
    int fd = memfd_create("virga-slab", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd >= 0 && !ftruncate(fd, (off_t)bytes) && !fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)) return fd;
    int error = errno;
    if (fd >= 0) close(fd);
    errno = error;
    return -1;
}

static struct lent_memory *memory_new(size_t bytes) {
    struct lent_memory *m = calloc(1, sizeof *m);
    if (!m) return NULL;
    m->memory.fd = slab_memory_file(bytes);
    if (m->memory.fd >= 0)
        m->memory.at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, m->memory.fd, 0);
    if (m->memory.at && m->memory.at != MAP_FAILED) {
        m->memory.bytes = bytes;
        return m;
    }
    int error = errno;
    m->memory.at = NULL;
    destroy(m);
    errno = error;
    return NULL;
}

// With the lock: the smallest that is idle, large enough, and no more than twice as large.
static struct lent_memory *find_idle(struct slab_pool *pool, size_t bytes) {
    struct lent_memory **best = NULL;
    for (struct lent_memory **at = &pool->idle; *at; at = &(*at)->next) {
        size_t has = (*at)->memory.bytes;
        if (has >= bytes && has / 2 <= bytes && (!best || has < (*best)->memory.bytes)) best = at;
    }
    if (!best) return NULL;
    struct lent_memory *m = *best;
    *best = m->next;
    return m;
}

int slab_memory_get(struct slab_pool *pool, size_t bytes, struct slab_memory **memory, struct failure *failure) {
    size_t whole = rounded(bytes);
    pthread_mutex_lock(&pool->lock);
    struct lent_memory *m = find_idle(pool, bytes);
    pool->lent++;
    pthread_mutex_unlock(&pool->lock);
    if (!m && whole) m = memory_new(whole);
    if (!m) {
        int error = errno;
        pthread_mutex_lock(&pool->lock);
        pool->lent--;
        pthread_mutex_unlock(&pool->lock);
        return failure_set(failure, VIRGA_NO_MEMORY, "no shared memory of %zu bytes: %s", bytes, strerror(error));
    }
    m->pool = pool;
    atomic_init(&m->references, 1);
    *memory = &m->memory;
    return VIRGA_OK;
}

struct slab_memory *slab_memory_ref(struct slab_memory *memory) {
    atomic_fetch_add_explicit(&((struct lent_memory *)memory)->references, 1, memory_order_relaxed);
    return memory;
}

void slab_memory_unref(struct slab_memory *memory) {
    struct lent_memory *m = (struct lent_memory *)memory;
    if (!m || atomic_fetch_sub_explicit(&m->references, 1, memory_order_acq_rel) != 1) return;
    struct slab_pool *pool = m->pool;
    m->since = clock_monotonic();
    pthread_mutex_lock(&pool->lock);
    m->next = pool->idle;
    pool->idle = m;
    struct lent_memory *gone = take_idle(pool, 0, pool->over ? 0 : pool->keep_bytes);
    bool last = --pool->lent == 0 && pool->over;
    pthread_mutex_unlock(&pool->lock);
    destroy_all(gone);
    if (last) pool_destroy(pool);
}
