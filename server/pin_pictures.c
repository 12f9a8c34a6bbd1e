// SPDX-License-Identifier: Apache-2.0
#include "server/pin_pictures.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "server/pin_pictures_private.h"

enum { BATCH = 16, LOOK_SECONDS = 15 };  // pins looked up at a time; between two looks at the clock
enum { BASEMAPS = 3, BASEMAP_MEMORY = 24 << 20 };  // a thumbnail's sketch takes 4 MiB
static const double TELL_SECONDS = 0.1;

// --- What is kept.

static void forget_bytes(struct pin_pictures *pictures, struct pin_picture *picture) {
    if (picture->bytes) pictures->memory -= picture->bytes->size;
    shared_bytes_unref(picture->bytes);
    picture->bytes = NULL;
}

static void drop_picture(struct pin_pictures *pictures, struct pin_picture *picture) {
    forget_bytes(pictures, picture);
    *picture = (struct pin_picture){0};
}

// Beyond the cap those go that nobody asked for for longest; the one just made stays.
static void trim(struct pin_pictures *pictures, const struct pin_entry *keep) {
    while (pictures->memory > PIN_MEMORY) {
        struct pin_entry *oldest = NULL;
        for (size_t i = 0; i < pictures->entries.count; i++) {
            struct pin_entry *entry = pictures->entries.list[i];
            if (entry != keep && (entry->picture.bytes || entry->before.bytes) && (!oldest || entry->used < oldest->used)) oldest = entry;
        }
        if (!oldest) return;
        drop_picture(pictures, &oldest->before);
        forget_bytes(pictures, &oldest->picture);
    }
}

static void put_picture(struct pin_pictures *pictures, struct pin_entry *entry, const char *key, struct shared_bytes *bytes, double drawn) {
    drop_picture(pictures, &entry->before);
    entry->before = entry->picture;
    entry->picture = (struct pin_picture){.bytes = bytes};
    snprintf(entry->picture.key, sizeof entry->picture.key, "%s", key);
    entry->shown = entry->meaning.shown;
    entry->drawn = drawn;
    entry->used = ++pictures->uses;
    if (bytes) pictures->memory += bytes->size;
    trim(pictures, entry);
}

void pin_pictures_put(struct pin_pictures *pictures, struct pin_entry *entry, struct shared_bytes *bytes) {
    put_picture(pictures, entry, entry->meaning.key, bytes, clock_wall());
}

struct shared_bytes *pin_pictures_said(struct pin_pictures *pictures, const char *tag) {
    for (size_t n = 0; n < PIN_SAID; n++) {
        struct pin_said *said = &pictures->said[n];
        if (!said->bytes || strcmp(said->tag, tag)) continue;
        said->used = ++pictures->uses;
        return shared_bytes_ref(said->bytes);
    }
    return NULL;
}

static void forget_said(struct pin_pictures *pictures, struct pin_said *said) {
    if (said->bytes) pictures->said_bytes -= said->bytes->size;
    shared_bytes_unref(said->bytes);
    *said = (struct pin_said){0};
}

static struct pin_said *oldest_said(struct pin_pictures *pictures, bool empty) {
    struct pin_said *oldest = NULL;
    for (size_t n = 0; n < PIN_SAID; n++) {
        struct pin_said *said = &pictures->said[n];
        if ((said->bytes || empty) && (!oldest || said->used < oldest->used)) oldest = said;
    }
    return oldest;
}

void pin_pictures_keep_said(struct pin_pictures *pictures, const char *tag, struct shared_bytes *bytes) {
    struct pin_said *said;
    while (pictures->said_bytes + bytes->size > PIN_SAID_BYTES && (said = oldest_said(pictures, false))) forget_said(pictures, said);
    if (bytes->size > PIN_SAID_BYTES) return;
    said = oldest_said(pictures, true);
    forget_said(pictures, said);
    *said = (struct pin_said){.bytes = shared_bytes_ref(bytes), .used = ++pictures->uses};
    snprintf(said->tag, sizeof said->tag, "%s", tag);
    pictures->said_bytes += bytes->size;
}

// --- What is told.

static struct shared_bytes *live_text(const struct pin_entry *entry, double wall) {
    struct pin_live live;
    pin_entry_live(entry, wall, &live);
    json_t *root = pin_live_json(&live);
    char *text = root ? json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(12)) : NULL;
    json_decref(root);
    struct shared_bytes *bytes = text ? shared_bytes_copy(text, strlen(text)) : NULL;
    free(text);
    return bytes;
}

static void tell_now(struct pin_pictures *pictures) {
    pictures->untold = false;
    pictures->told_at = clock_monotonic();
    pictures->options.changed(pictures->options.user);
}

void pin_pictures_tell(struct pin_pictures *pictures, struct pin_entry *entry) {
    struct shared_bytes *text = live_text(entry, clock_wall()), *told = entry->told;
    if (!text || (told && told->size == text->size && !memcmp(told->data, text->data, text->size))) {
        shared_bytes_unref(text);
        return;
    }
    shared_bytes_unref(told);
    entry->told = text;
    pin_table_set_live(pictures->options.table, entry->id, entry->revision, text);
    pictures->untold = true;
    if (clock_monotonic() >= pictures->told_at + TELL_SECONDS) tell_now(pictures);
    else pthread_cond_signal(&pictures->for_minder);
}

// --- The minder: which pins there are.

static void remove_entry(struct pin_pictures *pictures, struct pin_entry *entry) {
    pin_drawer_outdated(pictures, entry);
    for (size_t n = 0; n < pictures->drawer_count; n++)
        if (pictures->drawers[n].entry == entry) pictures->drawers[n].entry = NULL;
    if (entry->on_disk) pin_file_remove(pictures->options.config->state_dir, entry->id, entry->picture.key);
    pictures->disk -= entry->on_disk;
    drop_picture(pictures, &entry->before);
    drop_picture(pictures, &entry->picture);
    pin_entries_remove(&pictures->entries, entry);
}

static void take_pin(struct pin_pictures *pictures, const struct pin *pin) {
    struct pin_entry *entry = pin_entries_find(&pictures->entries, pin->id);
    if (pin->deleted > 0) {
        if (entry) remove_entry(pictures, entry);
        return;
    }
    if (entry && entry->revision == pin->revision) return;
    if (!entry && !(entry = pin_entries_add(&pictures->entries, pin->id))) return;  // out of memory: it has no picture
    snprintf(entry->title, sizeof entry->title, "%s", pin->is.title);
    shared_bytes_unref(entry->view);
    shared_bytes_unref(entry->told);
    entry->told = NULL;
    entry->view = shared_bytes_ref(pin->is.view);
    entry->sequence = pin->sequence;
    entry->revision = pin->revision;
    entry->meant = false;
}

static void take_pins(struct pin_pictures *pictures) {
    struct pin pins[PIN_CHANGES];
    size_t count;
    bool all = false;
    do {
        count = pin_table_changed(pictures->options.table, &pictures->seen, pins, PIN_CHANGES, &all);
        for (size_t i = pictures->entries.count; all && i-- > 0;) remove_entry(pictures, pictures->entries.list[i]);
        for (size_t i = 0; i < count; i++) {
            take_pin(pictures, &pins[i]);
            pin_release(&pins[i]);
        }
    } while (count == PIN_CHANGES);
}

// --- The minder: what they mean.

struct asked {
    char id[PIN_ID + 1], dataset[sizeof((struct view){0}).dataset];
    uint32_t revision;
    struct shared_bytes *view;
    struct pin_meaning meaning;
};

static bool is_to_be_asked(const struct pin_entry *entry, double wall) {
    return !entry->meant || wall < entry->meaning.from || wall >= entry->meaning.until;
}

static void ask(struct asked *asked, const struct catalog *catalog, double wall, double stale_after) {
    struct failure failure = {0};
    struct view *view = malloc(sizeof *view);
    int status = view ? view_parse((const char *)asked->view->data, asked->view->size, view, &failure) : failure_set(&failure, VIRGA_NO_MEMORY, "out of memory");
    if (!status) memcpy(asked->dataset, view->dataset, sizeof asked->dataset);
    if (!status) pin_mean(view, catalog, wall, stale_after, &asked->meaning);
    else asked->meaning = (struct pin_meaning){.status = status, .now = wall, .stale_from = INFINITY, .from = -INFINITY, .until = INFINITY};
    if (status) snprintf(asked->meaning.words, sizeof asked->meaning.words, "%.*s", PIN_WORDS - 1, failure.message);
    free(view);
}

// A clock that stands between two steps still is not asked again and again.
static void take_answer(struct pin_pictures *pictures, const struct asked *asked) {
    struct pin_entry *entry = pin_entries_find(&pictures->entries, asked->id);
    if (!entry || entry->revision != asked->revision) return;
    if (strcmp(entry->meaning.key, asked->meaning.key)) {
        entry->failures = 0;
        entry->words[0] = '\0';
        pin_drawer_outdated(pictures, entry);
    }
    entry->meaning = asked->meaning;
    memcpy(entry->dataset, asked->dataset, sizeof entry->dataset);
    entry->meant = true;
    if (pictures->ready) pin_pictures_tell(pictures, entry);  // before, there may be a picture of it on disk
}

static size_t choose(const struct pin_pictures *pictures, struct asked *asked, double wall) {
    size_t count = 0;
    for (size_t i = 0; i < pictures->entries.count && count < BATCH; i++) {
        const struct pin_entry *entry = pictures->entries.list[i];
        if (!is_to_be_asked(entry, wall)) continue;
        asked[count] = (struct asked){.revision = entry->revision, .view = shared_bytes_ref(entry->view)};
        memcpy(asked[count++].id, entry->id, sizeof entry->id);
    }
    return count;
}

// Gives the lock back while it looks things up. False: there was nothing to look up.
static bool look_up(struct pin_pictures *pictures) {
    struct asked asked[BATCH];
    const double wall = clock_wall();
    struct catalog *catalog = catalog_ref(pictures->catalog);
    const size_t count = choose(pictures, asked, wall);
    pthread_mutex_unlock(&pictures->lock);
    for (size_t i = 0; i < count; i++) {
        ask(&asked[i], catalog, wall, pictures->stale_after);
        shared_bytes_unref(asked[i].view);
    }
    pthread_mutex_lock(&pictures->lock);
    for (size_t i = 0; i < count && catalog == pictures->catalog; i++) take_answer(pictures, &asked[i]);
    catalog_unref(catalog);
    if (count) pthread_cond_broadcast(&pictures->for_drawers);
    return count > 0;
}

// --- The minder: time.

static void stop_late_ones(struct pin_pictures *pictures, double now) {
    for (size_t n = 0; n < pictures->drawer_count; n++) {
        struct pin_drawer *drawer = &pictures->drawers[n];
        if (drawer->began <= 0 || drawer->late || now - drawer->began < PIN_DRAW_SECONDS) continue;
        drawer->late = true;
        atomic_store(&drawer->stop, true);
    }
}

// Those who wait for too long, or do not any more; of all, where the service stops.
static void answer_late_ones(struct pin_pictures *pictures, double now) {
    struct failure failure;
    failure_set(&failure, VIRGA_AGAIN, "the picture is not ready yet; try again in a moment");
    for (struct pin_request **at = &pictures->requests; *at;) {
        struct pin_request *request = *at;
        if (!pictures->stopping && !atomic_load(&request->dropped) && now < request->deadline) {
            at = &request->next;
            continue;
        }
        *at = request->next;
        pictures->request_count--;
        request->done(request, pictures->stopping ? VIRGA_CANCELLED : VIRGA_AGAIN, NULL, "", &failure);
    }
    pictures->last_request = &pictures->requests;
    while (*pictures->last_request) pictures->last_request = &(*pictures->last_request)->next;
}

static void tell_all(struct pin_pictures *pictures) {
    for (size_t i = 0; i < pictures->entries.count; i++)
        if (pictures->entries.list[i]->meant) pin_pictures_tell(pictures, pictures->entries.list[i]);
}

// Seconds until the clock changes what a pin means or tells, LOOK_SECONDS at most.
static double next_look(const struct pin_pictures *pictures, double wall) {
    double wait = pictures->untold ? TELL_SECONDS : pictures->requests ? 1 : LOOK_SECONDS;
    for (size_t n = 0; n < pictures->drawer_count; n++)
        if (pictures->drawers[n].began > 0) wait = fmin(wait, 1);  // its time is limited
    for (size_t i = 0; i < pictures->entries.count; i++) {
        const struct pin_meaning *meaning = &pictures->entries.list[i]->meaning;
        if (meaning->until > wall) wait = fmin(wait, meaning->until - wall);
        if (meaning->stale_from > wall) wait = fmin(wait, meaning->stale_from - wall);
    }
    return fmax(wait, 0.05);
}

static void wait_for(struct pin_pictures *pictures, double seconds) {
    if (!pictures->woken && !pictures->stopping) condition_wait(&pictures->for_minder, &pictures->lock, clock_monotonic() + seconds);
    pictures->woken = false;
}

static bool is_wanted(struct pin_pictures *pictures, const struct pin_file *file) {
    pthread_mutex_lock(&pictures->lock);
    const struct pin_entry *entry = pin_entries_find(&pictures->entries, file->id);
    const bool wanted = entry && !strcmp(entry->meaning.key, file->key) && !entry->picture.key[0] && !pictures->stopping;
    pthread_mutex_unlock(&pictures->lock);
    return wanted;
}

// What was drawn by an earlier server and is what the pin means now.
static bool take_file(void *user, const struct pin_file *file) {
    struct pin_pictures *pictures = user;
    struct shared_bytes *bytes = is_wanted(pictures, file) ? pin_file_read(pictures->options.config->state_dir, file->id, file->key) : NULL;
    if (!bytes) return false;
    pthread_mutex_lock(&pictures->lock);
    struct pin_entry *entry = pin_entries_find(&pictures->entries, file->id);  // nobody but this thread removes any
    entry->on_disk = bytes->size;
    pictures->disk += bytes->size;
    put_picture(pictures, entry, file->key, bytes, file->written);
    pin_pictures_tell(pictures, entry);
    pthread_mutex_unlock(&pictures->lock);
    return true;
}

// With the lock. Drawers begin only then.
static void take_up(struct pin_pictures *pictures) {
    take_pins(pictures);
    while (!pictures->stopping && look_up(pictures)) continue;
    const bool stopping = pictures->stopping;
    pthread_mutex_unlock(&pictures->lock);
    if (!stopping) pin_files_sweep(pictures->options.config->state_dir, take_file, pictures);
    pthread_mutex_lock(&pictures->lock);
    pictures->ready = true;
    tell_all(pictures);
    pthread_cond_broadcast(&pictures->for_drawers);
}

static void *mind(void *argument) {
    struct pin_pictures *pictures = argument;
    double told = clock_monotonic();
    pthread_mutex_lock(&pictures->lock);
    take_up(pictures);
    while (!pictures->stopping) {
        const double now = clock_monotonic();
        take_pins(pictures);
        stop_late_ones(pictures, now);
        answer_late_ones(pictures, now);
        if (look_up(pictures)) continue;
        if (pictures->untold && now >= pictures->told_at + TELL_SECONDS) tell_now(pictures);
        if (now - told >= LOOK_SECONDS) {
            told = now;
            tell_all(pictures);
        }
        wait_for(pictures, next_look(pictures, clock_wall()));
    }
    answer_late_ones(pictures, 0);
    pthread_mutex_unlock(&pictures->lock);
    return NULL;
}

// --- For everybody.

void pin_pictures_set_catalog(struct pin_pictures *pictures, struct catalog *catalog) {
    pthread_mutex_lock(&pictures->lock);
    catalog_unref(pictures->catalog);
    pictures->catalog = catalog_ref(catalog);
    for (size_t i = 0; i < pictures->entries.count; i++) {
        struct pin_entry *entry = pictures->entries.list[i];
        const struct catalog_dataset *dataset = catalog_find_dataset(catalog, entry->dataset);
        if (entry->meaning.fingerprint != (dataset ? dataset->fingerprint : 0)) entry->meant = false;
    }
    pictures->woken = true;
    pthread_cond_signal(&pictures->for_minder);
    pthread_mutex_unlock(&pictures->lock);
}

void pin_pictures_make_way(struct pin_pictures *pictures) { viewer_gate_seen(pictures->gate); }

void pin_pictures_wake(struct pin_pictures *pictures) {
    pthread_mutex_lock(&pictures->lock);
    pictures->woken = true;
    pthread_cond_signal(&pictures->for_minder);
    pthread_mutex_unlock(&pictures->lock);
}

void pin_pictures_drop(struct pin_pictures *pictures) { pin_pictures_wake(pictures); }

static struct shared_bytes *bytes_of(const struct pin_entry *entry, const char *key) {
    const struct pin_picture *pictures[] = {&entry->picture, &entry->before};
    for (size_t n = 0; n < sizeof pictures / sizeof *pictures; n++)
        if (pictures[n]->bytes && !strcmp(pictures[n]->key, key)) return shared_bytes_ref(pictures[n]->bytes);
    return NULL;
}

struct shared_bytes *pin_pictures_thumbnail(struct pin_pictures *pictures, const char *id, const char *key) {
    struct shared_bytes *bytes = NULL;
    pthread_mutex_lock(&pictures->lock);
    struct pin_entry *entry = pin_entries_find(&pictures->entries, id);
    if (entry) {
        bytes = bytes_of(entry, key);
        entry->looked = clock_monotonic();
        entry->used = ++pictures->uses;
    }
    pthread_mutex_unlock(&pictures->lock);
    return bytes;
}

int pin_pictures_ask(struct pin_pictures *pictures, struct pin_request *request) {
    int status = VIRGA_OK;
    pthread_mutex_lock(&pictures->lock);
    if (pictures->request_count >= PIN_REQUESTS || pictures->stopping) {
        status = VIRGA_TOO_LARGE;
    } else {
        request->next = NULL;
        request->deadline = clock_monotonic() + PIN_WAIT_SECONDS;
        *pictures->last_request = request;
        pictures->last_request = &request->next;
        pictures->request_count++;
        pictures->counts.asked++;
        pictures->woken = true;
        pthread_cond_signal(&pictures->for_minder);  // its time is limited
        pthread_cond_signal(&pictures->for_drawers);
    }
    pthread_mutex_unlock(&pictures->lock);
    return status;
}

bool pin_pictures_tag(struct pin_pictures *pictures, const char *id, uint32_t revision, unsigned width, bool png, char tag[PIN_TAG]) {
    char note[PIN_WORDS];
    pthread_mutex_lock(&pictures->lock);
    const struct pin_entry *entry = pin_entries_find(&pictures->entries, id);
    const bool known = entry && entry->revision >= revision && pin_entry_tag(entry, width, png, clock_wall(), note, tag);
    pthread_mutex_unlock(&pictures->lock);
    return known;
}

void pin_pictures_stats(struct pin_pictures *pictures, struct pin_pictures_stats *stats) {
    const double wall = clock_wall();
    pthread_mutex_lock(&pictures->lock);
    *stats = pictures->counts;
    stats->pins = pictures->entries.count;
    stats->memory = pictures->memory + pictures->said_bytes;
    size_t *const counts[] = {[PIN_WAITING] = &stats->waiting, [PIN_FRESH] = &stats->fresh, [PIN_STALE] = &stats->stale, [PIN_FAILED] = &stats->failed};
    for (size_t i = 0; i < pictures->entries.count; i++) {
        struct pin_live live;
        pin_entry_live(pictures->entries.list[i], wall, &live);
        ++*counts[live.state];
    }
    pthread_mutex_unlock(&pictures->lock);
}

// --- Coming and going.

static int init(struct pin_pictures *pictures, struct catalog *catalog, struct failure *failure) {
    const struct config *config = pictures->options.config;
    snprintf(pictures->world_folder, sizeof pictures->world_folder, "%s/node_modules/world-atlas", config->web_root);
    pictures->stale_after = config->stale_after;
    pictures->catalog = catalog_ref(catalog);
    pictures->last_request = &pictures->requests;
    pictures->drawer_count = config->workers < PIN_DRAWERS ? (size_t)config->workers : PIN_DRAWERS;
    pthread_mutex_init(&pictures->lock, NULL);
    condition_init(&pictures->for_minder);
    condition_init(&pictures->for_drawers);
    if (!(pictures->basemaps = basemap_cache_new(BASEMAPS, BASEMAP_MEMORY))) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    int status = pin_files_start(config->state_dir, failure);
    return status ? status : viewer_gate_new(pictures->options.workers, &pictures->gate, failure);
}

static int start_threads(struct pin_pictures *pictures, struct failure *failure) {
    bool started = pictures->minding = !thread_start(&pictures->minder, mind, pictures);
    for (size_t n = 0; n < pictures->drawer_count && started; n++) {
        struct pin_drawer *drawer = &pictures->drawers[n];
        drawer->pictures = pictures;
        started = drawer->started = !thread_start(&drawer->thread, pin_drawer_live, drawer);
    }
    return started ? VIRGA_OK : failure_set(failure, VIRGA_NO_MEMORY, "there are no threads left");
}

int pin_pictures_new(const struct pin_pictures_options *options, struct catalog *catalog, struct pin_pictures **out, struct failure *failure) {
    struct pin_pictures *pictures = *out = calloc(1, sizeof *pictures);
    if (!pictures) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    pictures->options = *options;
    int status = init(pictures, catalog, failure);
    if (!status) status = start_threads(pictures, failure);
    if (!status) return VIRGA_OK;
    pin_pictures_free(pictures);
    *out = NULL;
    return status;
}

static void stop_threads(struct pin_pictures *pictures) {
    pthread_mutex_lock(&pictures->lock);
    pictures->stopping = true;
    for (size_t n = 0; n < pictures->drawer_count; n++) atomic_store(&pictures->drawers[n].stop, true);
    pthread_cond_broadcast(&pictures->for_minder);
    pthread_cond_broadcast(&pictures->for_drawers);
    pthread_mutex_unlock(&pictures->lock);
    if (pictures->gate) viewer_gate_open(pictures->gate);
    for (size_t n = 0; n < pictures->drawer_count; n++)
        if (pictures->drawers[n].started) pthread_join(pictures->drawers[n].thread, NULL);
    if (pictures->minding) pthread_join(pictures->minder, NULL);
}

void pin_pictures_free(struct pin_pictures *pictures) {
    if (!pictures) return;
    stop_threads(pictures);
    viewer_gate_free(pictures->gate);
    for (size_t n = 0; n < PIN_SAID; n++) forget_said(pictures, &pictures->said[n]);
    pin_entries_clear(&pictures->entries);
    catalog_unref(pictures->catalog);
    basemap_cache_free(pictures->basemaps);
    pthread_cond_destroy(&pictures->for_drawers);
    pthread_cond_destroy(&pictures->for_minder);
    pthread_mutex_destroy(&pictures->lock);
    free(pictures);
}

const struct histogram *pin_pictures_seconds(const struct pin_pictures *pictures) { return &pictures->draw_seconds; }
