// SPDX-License-Identifier: Apache-2.0
#include "server/field_cache.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

enum { MAX_IDLE = 48 };  // entries kept that nobody holds

enum job_kind { JOB_TABLE, JOB_MAP, JOB_BOXES };

// Work for an entry on other threads. Owned by the entry until its letter is delivered; an orphan (no part) frees itself.
struct field_job {
    struct letter letter;  // first
    enum job_kind kind;
    struct entry_part *part;  // service thread
    struct service_mailbox *mailbox;
    struct catalog *catalog;  // one reference
    struct field_ref field;
    struct pyramid_shape shape;
    atomic_bool posted;
    struct level_map *map;  // JOB_BOXES: what to work from; JOB_MAP: the result
    // Results.
    int status;
    struct failure failure;
    struct shared_bytes *bytes;
    struct view_table *table;
    struct brick_boxes *boxes;
};

struct entry_part {  // the private part of an entry
    struct field_entry entry;
    struct field_cache *cache;
    struct entry_part *next;
    size_t references;
    uint64_t used;  // when last released
    size_t ahead;   // as asked of the store
    bool map_known;
    struct level_map *map;
    struct view_table *table;
    struct brick_boxes *boxes;
    struct field_job *jobs[3];  // by kind, while under way
};

struct field_cache {
    struct brick_store *store;
    struct worker_pool *helpers;
    struct service_mailbox *mailbox;
    field_changed changed;
    void *user;
    struct entry_part *entries;
    uint64_t clock;
};

int field_priority_table(size_t ahead) { return ahead ? 2000 - 20 * (int)ahead : 3000; }
int field_priority_brick(size_t ahead, bool refinement) {
    if (refinement) return 1000 - 20 * (int)ahead;
    return ahead ? 1500 - 20 * (int)ahead : 2500;
}

struct field_cache *field_cache_new(struct brick_store *store, struct worker_pool *helpers, struct service_mailbox *mailbox,
                                    field_changed changed, void *user) {
    struct field_cache *cache = calloc(1, sizeof *cache);
    if (cache) *cache = (struct field_cache){.store = store, .helpers = helpers, .mailbox = mailbox, .changed = changed, .user = user};
    return cache;
}

// Jobs.

static void job_free(struct field_job *job) {
    shared_bytes_unref(job->bytes);
    view_table_unref(job->table);
    brick_boxes_unref(job->boxes);
    level_map_unref(job->map);
    catalog_unref(job->catalog);
    free(job);
}

static void entry_take(struct entry_part *part, struct field_job *job);

static void job_delivered(struct letter *letter) {
    struct field_job *job = (struct field_job *)letter;
    if (job->part) {
        job->part->jobs[job->kind] = NULL;
        entry_take(job->part, job);
    }
    job_free(job);
}

static void job_post(struct field_job *job) {
    atomic_store(&job->posted, true);
    service_mailbox_post(job->mailbox, &job->letter);
}

static struct field_job *job_new(struct entry_part *part, enum job_kind kind) {
    struct field_job *job = calloc(1, sizeof *job);
    if (!job) return NULL;
    job->letter.deliver = job_delivered;
    job->kind = kind;
    job->part = part;
    job->mailbox = part->cache->mailbox;
    job->catalog = catalog_ref(part->entry.catalog);
    job->field = part->entry.field;
    brick_store_shape(job->field.dataset, job->field.variable, &job->shape);
    return job;
}

static void parse_table(struct field_job *job) {
    if (!job->bytes) job->status = job->status ? job->status : VIRGA_INTERNAL;
    else job->status = view_table_parse(job->bytes->data, job->bytes->size, &job->shape, &job->table, &job->failure);
}

static void table_done(void *user, int status, struct shared_bytes *bytes, const struct failure *failure) {
    struct field_job *job = user;
    job->status = status;
    job->bytes = bytes;
    if (failure) job->failure = *failure;
    if (status == VIRGA_OK) parse_table(job);
    job_post(job);
}

static void map_run(void *argument, bool cancelled) {
    struct field_job *job = argument;
    job->status = cancelled ? VIRGA_CANCELLED : catalog_level_map(job->catalog, &job->field, &job->map, &job->failure);
    job_post(job);
}

static void boxes_run(void *argument, bool cancelled) {
    struct field_job *job = argument;
    if (!cancelled) job->boxes = brick_boxes_new(job->field.dataset->grid, job->map, &job->shape);
    job_post(job);
}

// Starts a helper's job; false when the queue is full or out of memory.
static bool start_helper(struct entry_part *part, enum job_kind kind, worker_job run, int priority) {
    struct field_job *job = job_new(part, kind);
    if (!job) return false;
    if (kind == JOB_BOXES) job->map = level_map_ref(part->map);
    part->jobs[kind] = job;
    if (worker_pool_try_add(part->cache->helpers, LANE_COMPUTE, priority, run, job) == VIRGA_OK) return true;
    part->jobs[kind] = NULL;
    job_free(job);
    return false;
}

static void fail(struct entry_part *part, int status, const char *why) {
    if (part->entry.known.state == FIELD_FAILED) return;
    part->entry.known.state = FIELD_FAILED;
    snprintf(part->entry.problem, sizeof part->entry.problem, "%.250s", why && why[0] ? why : status_name(status));
}

static void check_ready(struct entry_part *part) {
    struct field_entry *entry = &part->entry;
    if (entry->known.state != FIELD_LOADING || !part->table) return;
    entry->known.table = part->table;
    entry->known.table_bytes = entry->table->size;
    entry->known.state = FIELD_READY;
}

static bool same_boxes(const struct entry_part *a, const struct entry_part *b) {
    const struct catalog_variable *va = &a->entry.field.dataset->variables[a->entry.field.variable];
    const struct catalog_variable *vb = &b->entry.field.dataset->variables[b->entry.field.variable];
    return a->entry.field.dataset == b->entry.field.dataset && a->map_known && b->map_known &&
           !strcmp(a->entry.geometry, b->entry.geometry) && va->nx == vb->nx && va->ny == vb->ny && va->nz == vb->nz;
}

// Boxes are the same for all steps of one geometry: taken from another entry, waited for, or made.
static void want_boxes(struct entry_part *part) {
    for (struct entry_part *other = part->cache->entries; other; other = other->next) {
        if (other == part || !same_boxes(part, other)) continue;
        if (other->jobs[JOB_BOXES]) return;  // its delivery serves all of them
        if (!other->boxes) continue;
        part->boxes = brick_boxes_ref(other->boxes);
        part->entry.known.boxes = part->boxes;
        return;
    }
    if (!start_helper(part, JOB_BOXES, boxes_run, -1)) part->entry.known.without_boxes = true;
}

static void take_table(struct entry_part *part, struct field_job *job) {
    if (job->status) {
        fail(part, job->status, job->failure.message);
    } else {
        part->entry.table = shared_bytes_ref(job->bytes);
        part->table = view_table_ref(job->table);
    }
    check_ready(part);
}

// A field whose heights cannot be had is shown nowhere; if its table is out already, its bricks count as in view.
static void take_map(struct entry_part *part, struct field_job *job) {
    if (job->status) {
        if (part->entry.known.state == FIELD_LOADING) fail(part, job->status, job->failure.message);
        part->entry.known.without_boxes = true;
        return;
    }
    part->map_known = true;
    part->map = level_map_ref(job->map);
    want_boxes(part);
}

static void give_boxes(struct entry_part *part, struct brick_boxes *boxes) {
    if (part->boxes || part->entry.known.without_boxes) return;
    part->boxes = brick_boxes_ref(boxes);
    part->entry.known.boxes = part->boxes;
    part->entry.known.without_boxes = !boxes;
    part->cache->changed(part->cache->user, &part->entry);
}

static void entry_take(struct entry_part *part, struct field_job *job) {
    struct field_cache *cache = part->cache;
    if (job->kind == JOB_TABLE) take_table(part, job);
    if (job->kind == JOB_MAP) take_map(part, job);
    if (job->kind != JOB_BOXES) {
        cache->changed(cache->user, &part->entry);
        return;
    }
    for (struct entry_part *other = cache->entries; other; other = other->next)
        if (other != part && same_boxes(part, other)) give_boxes(other, job->boxes);
    give_boxes(part, job->boxes);
}

// Entries.

static void ask_table(struct entry_part *part) {
    struct field_cache *cache = part->cache;
    struct field_job *job = job_new(part, JOB_TABLE);
    if (!job) {
        fail(part, VIRGA_NO_MEMORY, NULL);
        return;
    }
    part->jobs[JOB_TABLE] = job;
    struct shared_bytes *bytes = NULL;
    int status = brick_store_table(cache->store, job->catalog, &job->field, field_priority_table(part->ahead), &bytes, table_done, job,
                                   &job->failure);
    if (status == VIRGA_AGAIN) return;
    part->jobs[JOB_TABLE] = NULL;
    job->status = status;
    job->bytes = bytes;
    if (status == VIRGA_OK) parse_table(job);
    take_table(part, job);
    job_free(job);
}

// Ends a job under way; an answer that is in the mail is thrown away on delivery.
static void end_job(struct entry_part *part, enum job_kind kind) {
    struct field_job *job = part->jobs[kind];
    if (!job) return;
    part->jobs[kind] = NULL;
    job->part = NULL;
    if (kind == JOB_TABLE) {
        brick_store_cancel(part->cache->store, job);
        if (!atomic_load(&job->posted)) job_free(job);
    } else {
        worker_pool_cancel(part->cache->helpers, job);  // posts it, or it is running and will
    }
}

static void entry_free(struct entry_part *part) {
    for (struct entry_part **at = &part->cache->entries; *at; at = &(*at)->next)
        if (*at == part) {
            *at = part->next;
            break;
        }
    bool others_wait = part->jobs[JOB_BOXES] != NULL;
    for (int kind = JOB_TABLE; kind <= JOB_BOXES; kind++) end_job(part, (enum job_kind)kind);
    for (struct entry_part *other = part->cache->entries; others_wait && other; other = other->next)
        if (same_boxes(part, other) && !other->boxes && !other->jobs[JOB_BOXES] && !other->entry.known.without_boxes) {
            want_boxes(other);  // somebody else carries on
            break;
        }
    shared_bytes_unref(part->entry.table);
    view_table_unref(part->table);
    brick_boxes_unref(part->boxes);
    level_map_unref(part->map);
    catalog_unref(part->entry.catalog);
    free(part);
}

static bool same_field(const struct entry_part *part, const struct catalog *catalog, const struct field_ref *f) {
    const struct field_ref *g = &part->entry.field;
    return part->entry.catalog == catalog && g->dataset == f->dataset && g->variable == f->variable && g->run == f->run &&
           g->member == f->member && g->step == f->step;
}

static struct entry_part *entry_new(struct field_cache *cache, struct catalog *catalog, const struct field_ref *field, size_t ahead) {
    struct entry_part *part = calloc(1, sizeof *part);
    if (!part) return NULL;
    part->cache = cache;
    part->ahead = ahead;
    part->entry.private_part = part;
    part->entry.catalog = catalog_ref(catalog);
    part->entry.field = *field;
    part->entry.edition = catalog_step_edition(field);
    field_geometry_id(field, part->entry.geometry);
    if (!part->entry.geometry[0]) snprintf(part->entry.geometry, sizeof part->entry.geometry, "surface");
    part->next = cache->entries;
    cache->entries = part;
    if (!start_helper(part, JOB_MAP, map_run, field_priority_table(ahead))) fail(part, VIRGA_TOO_LARGE, "the server is busy");
    ask_table(part);
    return part;
}

struct field_entry *field_cache_get(struct field_cache *cache, struct catalog *catalog, const struct field_ref *field, size_t ahead) {
    struct entry_part *part = cache->entries;
    while (part && !same_field(part, catalog, field)) part = part->next;
    if (part && part->entry.known.state == FIELD_FAILED && !part->references) {  // try again
        entry_free(part);
        part = NULL;
    }
    if (!part) part = entry_new(cache, catalog, field, ahead);
    if (!part) return NULL;
    part->references++;
    field_cache_hurry(cache, &part->entry, ahead);
    return &part->entry;
}

void field_cache_hurry(struct field_cache *cache, struct field_entry *entry, size_t ahead) {
    struct entry_part *part = entry->private_part;
    if (ahead >= part->ahead) return;
    part->ahead = ahead;
    struct field_job *job = part->jobs[JOB_TABLE];
    if (!job || ahead > 0) return;  // only what is in view is worth asking again
    if (atomic_load(&job->posted)) return;  // it has just come
    // First asked again, then taken back: otherwise nobody would wait for a while, and what is being read would be given up.
    part->jobs[JOB_TABLE] = NULL;
    job->part = NULL;
    ask_table(part);
    brick_store_cancel(cache->store, job);
    if (!atomic_load(&job->posted)) job_free(job);  // else it is in the mail, and thrown away on delivery
}

static void trim(struct field_cache *cache) {
    for (;;) {
        size_t idle = 0;
        struct entry_part *oldest = NULL;
        for (struct entry_part *part = cache->entries; part; part = part->next) {
            if (part->references) continue;
            idle++;
            if (!oldest || part->used < oldest->used) oldest = part;
        }
        if (idle <= MAX_IDLE) return;
        entry_free(oldest);
    }
}

void field_cache_release(struct field_cache *cache, struct field_entry *entry) {
    struct entry_part *part = entry->private_part;
    if (--part->references) return;
    part->used = ++cache->clock;
    if (part->entry.known.state == FIELD_READY) trim(cache);
    else entry_free(part);  // a step that was only passed by
}

struct level_map *field_cache_map(struct field_cache *cache, const char *geometry) {
    for (struct entry_part *part = cache->entries; part; part = part->next)
        if (part->map && !strcmp(part->map->id, geometry)) return level_map_ref(part->map);
    return NULL;
}

void field_cache_free(struct field_cache *cache) {
    if (!cache) return;
    while (cache->entries) entry_free(cache->entries);
    free(cache);
}
