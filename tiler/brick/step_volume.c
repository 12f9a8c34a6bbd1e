// SPDX-License-Identifier: Apache-2.0
#include "brick/step_volume.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory.h"
#include "brick/lattice.h"
#include "base/multiversion.h"

enum { NARROW_REACH = 32767, WIDE_ROW = 8 };  // rows longer than WIDE_ROW times what is wanted are read in part

static const int16_t NARROW_MISSING = INT16_MIN;

struct step_volume {
    pthread_rwlock_t lock;  // read: put and get; write: what changes the representation
    atomic_size_t references;
    struct pyramid_shape shape;
    uint32_t finest;  // level
    size_t voxels, start[PYRAMID_MAX_LEVELS];  // first voxel of each level from the finest on
    size_t width;                              // lock; 2 or 4 bytes a voxel
    bool based;                                // lock; base is in force
    int32_t base;                              // lock; of narrow voxels
    void *memory;                              // lock; or NULL
    int file;                                  // lock; or -1
};

static size_t level_voxels(const struct pyramid_level *l) { return (size_t)l->n[0] * l->n[1] * l->n[2]; }

size_t step_volume_voxels(const struct pyramid_shape *shape, uint32_t base) {
    size_t sum = 0;
    for (uint32_t i = base; i < shape->level_count; i++) sum += level_voxels(&shape->levels[i]);
    return sum;
}

// Pages of their own, so that freeing gives them back at once.
static void *pages_new(size_t bytes) {
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

// A file without a name, with all its room on disk taken, so that a full disk is an error now.
static int file_new(const char *dir, size_t bytes, int *file, struct failure *failure) {
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) {
        char path[4096];
        if ((size_t)snprintf(path, sizeof path, "%s/virga-XXXXXX", dir) >= sizeof path)
            return failure_set(failure, VIRGA_INVALID, "the name of the spool folder is too long");
        fd = mkostemp(path, O_CLOEXEC);
        if (fd < 0) return failure_set(failure, VIRGA_IO, "no spool file can be made in %s: %s", dir, strerror(errno));
        unlink(path);
    }
    const int error = posix_fallocate(fd, 0, (off_t)bytes);
    if (error) {
        close(fd);
        return failure_set(failure, VIRGA_IO, "no room for %zu MB of field values in the spool folder %s: %s", bytes >> 20, dir,
                           strerror(error));
    }
    *file = fd;
    return VIRGA_OK;
}

int step_volume_new(const struct pyramid_shape *shape, uint32_t base, const char *spool_dir, struct step_volume **volume,
                    struct failure *failure) {
    struct step_volume *v = calloc(1, sizeof *v);
    *volume = NULL;
    if (!v) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    if (pthread_rwlock_init(&v->lock, NULL)) {
        free(v);
        return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    }
    v->shape = *shape;
    v->finest = base;
    v->file = -1;
    atomic_init(&v->references, 1);
    int status = VIRGA_OK;
    for (uint32_t l = base; l < shape->level_count; l++) {
        const struct pyramid_level *level = &shape->levels[l];
        size_t voxels;
        if (memory_multiply((size_t)level->n[0] * level->n[1], level->n[2], &voxels) ||
            memory_add(v->voxels, voxels, &v->voxels) || v->voxels > SIZE_MAX / 16) {
            status = failure_set(failure, VIRGA_TOO_LARGE, "the field is too large");
            goto fail;
        }
        v->start[l] = v->voxels - voxels;
    }
    v->width = spool_dir ? 4 : 2;
    if (spool_dir) {
        if ((status = file_new(spool_dir, v->voxels * v->width, &v->file, failure))) goto fail;
    } else if (!(v->memory = pages_new(v->voxels * v->width))) {
        status = failure_set(failure, VIRGA_NO_MEMORY, "out of memory for %zu MB of field values", v->voxels * v->width >> 20);
        goto fail;
    }
    *volume = v;
    return VIRGA_OK;
fail:
    step_volume_free(v);
    return status;
}

struct step_volume *step_volume_ref(struct step_volume *v) {
    atomic_fetch_add_explicit(&v->references, 1, memory_order_relaxed);
    return v;
}

void step_volume_free(struct step_volume *v) {
    if (!v || atomic_fetch_sub_explicit(&v->references, 1, memory_order_acq_rel) != 1) return;
    if (v->memory) munmap(v->memory, v->voxels * v->width);
    if (v->file >= 0) close(v->file);
    pthread_rwlock_destroy(&v->lock);
    free(v);
}

// --- Between int32 and what is stored.

MULTIVERSION
static void narrow(size_t count, const int32_t *q, int32_t base, int16_t *out) {
    for (size_t i = 0; i < count; i++)
        out[i] = q[i] == LATTICE_MISSING ? NARROW_MISSING : (int16_t)((uint32_t)q[i] - (uint32_t)base);
}

MULTIVERSION
static void widen(size_t count, const int16_t *in, int32_t base, int32_t *q) {
    for (size_t i = 0; i < count; i++) q[i] = in[i] == NARROW_MISSING ? LATTICE_MISSING : (int32_t)((uint32_t)in[i] + (uint32_t)base);
}

static void store(const struct step_volume *v, size_t count, const int32_t *q, void *out) {
    if (v->width == 2)
        narrow(count, q, v->base, out);
    else
        memcpy(out, q, count * sizeof *q);
}

static void load(const struct step_volume *v, size_t count, const void *in, int32_t *q) {
    if (v->width == 2)
        widen(count, in, v->base, q);
    else
        memcpy(q, in, count * sizeof *q);
}

static bool fits_narrow(const struct step_volume *v, int32_t lowest, int32_t highest) {
    return lowest > highest ||
           (v->based && (int64_t)lowest - v->base >= -NARROW_REACH && (int64_t)highest - v->base <= NARROW_REACH);
}

// Makes the representation hold lowest … highest. lock is held for writing.
static int make_fit(struct step_volume *v, int32_t lowest, int32_t highest, struct failure *failure) {
    if (v->width == 4 || fits_narrow(v, lowest, highest)) return VIRGA_OK;
    if (!v->based) {
        v->based = true;
        v->base = (int32_t)(((int64_t)lowest + highest) / 2);
        if (fits_narrow(v, lowest, highest)) return VIRGA_OK;
    }
    int32_t *wide = pages_new(v->voxels * sizeof *wide);
    if (!wide) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory for %zu MB of field values", v->voxels * sizeof *wide >> 20);
    widen(v->voxels, v->memory, v->base, wide);
    munmap(v->memory, v->voxels * v->width);
    v->memory = wide;
    v->width = sizeof *wide;
    return VIRGA_OK;
}

static int file_io(int file, bool write, void *data, size_t bytes, size_t at, struct failure *failure) {
    for (size_t done = 0; done < bytes;) {
        const ssize_t n = write ? pwrite(file, (char *)data + done, bytes - done, (off_t)(at + done))
                                : pread(file, (char *)data + done, bytes - done, (off_t)(at + done));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return failure_set(failure, VIRGA_IO, "the spool file: %s", n ? strerror(errno) : "it ended early");
        done += (size_t)n;
    }
    return VIRGA_OK;
}

// --- Put.

static size_t voxel_at(const struct step_volume *v, uint32_t level, int64_t x, int64_t y, int64_t z) {
    const struct pyramid_level *l = &v->shape.levels[level];
    return v->start[level] + ((size_t)z * l->n[1] + (size_t)y) * l->n[0] + (size_t)x;
}

static int put_run(struct step_volume *v, size_t at, size_t count, const int32_t *q, struct failure *failure) {
    if (v->memory) {
        store(v, count, q, (char *)v->memory + at * v->width);
        return VIRGA_OK;
    }
    // What is in a file from the start is as wide as q, and a spooled volume is complete.
    return file_io(v->file, true, (void *)(uintptr_t)q, count * sizeof *q, at * sizeof *q, failure);
}

static int put_box(struct step_volume *v, uint32_t level, const struct voxel_box *box, const int32_t *q,
                   struct failure *failure) {
    const bool whole_rows = box->size[0] == v->shape.levels[level].n[0];
    const size_t runs = whole_rows ? 1 : box->size[1], run = whole_rows ? (size_t)box->size[0] * box->size[1] : box->size[0];
    for (uint32_t z = 0; z < box->size[2]; z++)
        for (size_t y = 0; y < runs; y++, q += run) {
            int status = put_run(v, voxel_at(v, level, box->lo[0], box->lo[1] + (int64_t)y, box->lo[2] + z), run, q, failure);
            if (status) return status;
        }
    return VIRGA_OK;
}

int step_volume_put(struct step_volume *v, uint32_t level, const struct voxel_box *box, const int32_t *q, int32_t lowest,
                    int32_t highest, struct failure *failure) {
    int status = VIRGA_OK;
    pthread_rwlock_rdlock(&v->lock);
    while (!status && v->width == 2 && !fits_narrow(v, lowest, highest)) {
        pthread_rwlock_unlock(&v->lock);
        pthread_rwlock_wrlock(&v->lock);
        status = make_fit(v, lowest, highest, failure);
        pthread_rwlock_unlock(&v->lock);
        pthread_rwlock_rdlock(&v->lock);
    }
    if (!status) status = put_box(v, level, box, q, failure);
    pthread_rwlock_unlock(&v->lock);
    return status;
}

// --- Get.

// count voxels of a row from column x, which lies in the row: to q.
static int get_run(struct step_volume *v, size_t at, size_t count, void *scratch, int32_t *q, struct failure *failure) {
    if (v->memory) {
        load(v, count, (char *)v->memory + at * v->width, q);
        return VIRGA_OK;
    }
    int status = file_io(v->file, false, scratch, count * v->width, at * v->width, failure);
    if (!status) load(v, count, scratch, q);
    return status;
}

static int get_row(struct step_volume *v, uint32_t level, int64_t x, int64_t y, int64_t z, uint32_t count, void *scratch,
                   int32_t *q, struct failure *failure) {
    const int64_t n = v->shape.levels[level].n[0];
    int status = VIRGA_OK;
    for (uint32_t done = 0; done < count && !status;) {  // more than one piece where the grid wraps
        const int64_t from = (x + done + n) % n;
        const int64_t left = count - done, run = left < n - from ? left : n - from;
        status = get_run(v, voxel_at(v, level, from, y, z), (size_t)run, scratch, q + done, failure);
        done += (uint32_t)run;
    }
    return status;
}

// One layer of the box from a file in one read of whole rows.
static int get_layer(struct step_volume *v, uint32_t level, const struct voxel_box *box, int64_t z, void *scratch, int32_t *q,
                     struct failure *failure) {
    const int64_t n = v->shape.levels[level].n[0];
    const size_t row = (size_t)n * v->width;
    int status = file_io(v->file, false, scratch, row * box->size[1], voxel_at(v, level, 0, box->lo[1], z) * v->width, failure);
    for (uint32_t y = 0; y < box->size[1] && !status; y++)
        for (uint32_t done = 0; done < box->size[0];) {
            const int64_t from = (box->lo[0] + done + n) % n, left = box->size[0] - done, run = left < n - from ? left : n - from;
            load(v, (size_t)run, (char *)scratch + y * row + (size_t)from * v->width, q + (size_t)y * box->size[0] + done);
            done += (uint32_t)run;
        }
    return status;
}

int step_volume_get(struct step_volume *v, uint32_t level, const struct voxel_box *box, int32_t *q, struct failure *failure) {
    const size_t n = v->shape.levels[level].n[0];
    int status = VIRGA_OK;
    void *scratch = NULL;
    pthread_rwlock_rdlock(&v->lock);
    const bool layers = !v->memory && n <= (size_t)WIDE_ROW * box->size[0];
    if (!v->memory && !(scratch = malloc(n * (layers ? box->size[1] : 1) * sizeof *q))) {
        status = failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
        goto done;
    }
    for (uint32_t z = 0; z < box->size[2] && !status; z++) {
        if (layers) {
            status = get_layer(v, level, box, box->lo[2] + z, scratch, q, failure);
            q += (size_t)box->size[0] * box->size[1];
            continue;
        }
        for (uint32_t y = 0; y < box->size[1] && !status; y++, q += box->size[0])
            status = get_row(v, level, box->lo[0], box->lo[1] + y, box->lo[2] + z, box->size[0], scratch, q, failure);
    }
done:
    pthread_rwlock_unlock(&v->lock);
    free(scratch);
    return status;
}

int step_volume_spool(struct step_volume *v, const char *dir, struct failure *failure) {
    int file = -1, status = VIRGA_OK;
    pthread_rwlock_rdlock(&v->lock);  // those who read go on meanwhile
    const size_t bytes = v->voxels * v->width;
    if (v->memory) {
        status = file_new(dir, bytes, &file, failure);
        if (!status) status = file_io(file, true, v->memory, bytes, 0, failure);
    }
    pthread_rwlock_unlock(&v->lock);
    if (status || file < 0) {
        if (file >= 0) close(file);
        return status;
    }
    pthread_rwlock_wrlock(&v->lock);
    munmap(v->memory, bytes);
    v->memory = NULL;
    v->file = file;
    pthread_rwlock_unlock(&v->lock);
    return VIRGA_OK;
}

size_t step_volume_memory(struct step_volume *v) {
    pthread_rwlock_rdlock(&v->lock);
    const size_t bytes = v->memory ? v->voxels * v->width : 0;
    pthread_rwlock_unlock(&v->lock);
    return bytes;
}

size_t step_volume_spooled(struct step_volume *v) {
    pthread_rwlock_rdlock(&v->lock);
    const size_t bytes = v->file >= 0 ? v->voxels * v->width : 0;
    pthread_rwlock_unlock(&v->lock);
    return bytes;
}

const struct pyramid_shape *step_volume_shape(const struct step_volume *v) { return &v->shape; }
uint32_t step_volume_base(const struct step_volume *v) { return v->finest; }
