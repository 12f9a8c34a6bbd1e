// SPDX-License-Identifier: Apache-2.0
#include "field/grid_shared.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct sharing {
    struct grid *grid;
    size_t references;
    struct sharing *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct sharing *all;  // guarded by lock, with what it holds

// NaN columns are equal where their bits are, as those of one writer.
static bool same(const struct grid *grid, const double *lon, const double *lat, size_t nx, size_t ny, bool wraps) {
    return grid->x.n == nx && grid->y.n == ny && grid->wraps == wraps && memcmp(grid->lon, lon, nx * ny * sizeof *lon) == 0 &&
           memcmp(grid->lat, lat, nx * ny * sizeof *lat) == 0;
}

struct grid *grid_shared_find(const double *lon, const double *lat, size_t nx, size_t ny, bool wraps) {
    struct grid *found = NULL;
    pthread_mutex_lock(&lock);
    for (struct sharing *s = all; s && !found; s = s->next)
        if (same(s->grid, lon, lat, nx, ny, wraps)) found = s->grid, s->references++;
    pthread_mutex_unlock(&lock);
    return found;
}

void grid_shared_add(struct grid *grid) {
    struct sharing *s = malloc(sizeof *s);
    if (!s) return;
    pthread_mutex_lock(&lock);
    *s = (struct sharing){grid, 1, all};
    all = s;
    pthread_mutex_unlock(&lock);
}

bool grid_shared_drop(struct grid *grid) {
    bool last = true;
    pthread_mutex_lock(&lock);
    for (struct sharing **at = &all; *at; at = &(*at)->next) {
        struct sharing *s = *at;
        if (s->grid != grid) continue;
        if ((last = --s->references == 0)) *at = s->next, free(s);
        break;
    }
    pthread_mutex_unlock(&lock);
    return last;
}
