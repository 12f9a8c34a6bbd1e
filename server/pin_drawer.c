// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "server/pin_pictures_private.h"

enum {
    NICENESS = 10,          // less would have it wait for long with a lock that the others want, too
    QUALITY = 85,
    IDLE_SECONDS = 60,      // after which what is kept for the next picture goes
    MEMORY = 48 << 20,      // of decoded bricks
};
static const double again_first = 4, again_most = 300;  // seconds after which what failed is tried again

// What is drawn: copies, as the entry may change or go meanwhile.
struct drawing {
    struct shared_bytes *view;
    char title[PIN_TITLE + 1], note[PIN_WORDS], tag[PIN_TAG];
    struct pin_meaning meaning;
    unsigned width;           // 0: a thumbnail, without captions
    enum image_format format;
    struct shared_bytes *bytes;
    struct failure failure;
};

// --- Without the lock: the picture.

static void free_maker(struct pin_drawer *drawer) {
    picture_maker_free(drawer->maker);
    if (drawer->catalog) catalog_unref(drawer->catalog);
    drawer->maker = NULL;
    drawer->catalog = NULL;
}

// One for this catalog, which it takes over the reference to.
static int make_maker(struct pin_drawer *drawer, struct catalog *catalog, struct failure *failure) {
    const struct pin_pictures *pictures = drawer->pictures;
    if (drawer->maker && drawer->catalog == catalog) {
        catalog_unref(catalog);
        return VIRGA_OK;
    }
    free_maker(drawer);
    drawer->catalog = catalog;
    const struct picture_options options = {.catalog = catalog, .bricks = pictures->options.bricks, .team = drawer->team, .basemaps = pictures->basemaps,
                                            .world_folder = pictures->world_folder, .memory = MEMORY, .background = true, .stop = &drawer->stop};
    return picture_maker_new(&options, &drawer->maker, failure);
}

static unsigned clamp(double pixels) { return (unsigned)fmax(PIN_PICTURE_LEAST, fmin(PIN_PICTURE_WIDEST, round(pixels))); }

// In the view's proportions, with neither side longer than the longest.
static void set_size(struct view *view, unsigned width) {
    const double aspect = view->size[0] ? (double)view->size[0] / view->size[1] : (double)VIEW_USUAL_WIDTH / VIEW_USUAL_HEIGHT;
    const double w = fmin(width, PIN_PICTURE_WIDEST * fmin(1, aspect));
    view->size[0] = clamp(w);
    view->size[1] = clamp(w / aspect);
}

static void set_look(struct view *view, const struct drawing *drawing) {
    if (!drawing->width) {
        view->size[0] = PIN_THUMBNAIL_WIDTH;
        view->size[1] = PIN_THUMBNAIL_HEIGHT;
        view->captions.show = false;
        view->antialiasing = 1;  // a wall shows it smaller still
        return;
    }
    set_size(view, drawing->width);
    view->captions.show = view->captions.has_title = true;
    snprintf(view->captions.title, sizeof view->captions.title, "%s", drawing->title);
}

static int encode(struct drawing *drawing, const struct image *image, struct failure *failure) {
    const struct image_options options = {.format = drawing->format, .quality = QUALITY};
    uint8_t *bytes = NULL;
    size_t size = 0;
    int status = image_encode(image, &options, &bytes, &size, failure);
    if (status) return status;
    drawing->bytes = shared_bytes_copy(bytes, size);
    free(bytes);
    return drawing->bytes ? VIRGA_OK : failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
}

static int draw(struct pin_drawer *drawer, struct drawing *drawing, struct failure *failure) {
    struct picture_moment moment;
    struct picture_facts facts;
    struct image image;
    struct view *view = malloc(sizeof *view);
    if (!view) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    int status = view_parse((const char *)drawing->view->data, drawing->view->size, view, failure);
    if (!status) {
        set_look(view, drawing);
        picture_say(drawer->maker, drawing->width ? drawing->note : NULL, clock_wall() < drawing->meaning.stale_from);
        status = picture_resolve(drawer->maker, view, drawing->meaning.now, &moment, failure);
    }
    if (!status && !(status = picture_draw(drawer->maker, view, &moment, &image, &facts, failure))) {
        status = encode(drawing, &image, failure);
        image_destroy(&image);
    }
    free(view);
    return status;
}

// --- With the lock, but for the drawing itself.

// Gives it back while it draws. What it begins with is taken from the entry.
static int draw_of(struct pin_drawer *drawer, struct pin_entry *entry, struct drawing *drawing) {
    struct pin_pictures *pictures = drawer->pictures;
    struct catalog *catalog = catalog_ref(pictures->catalog);
    drawing->view = shared_bytes_ref(entry->view);
    drawing->meaning = entry->meaning;
    snprintf(drawing->title, sizeof drawing->title, "%s", entry->title);
    drawer->entry = entry;
    drawer->began = clock_monotonic();
    drawer->late = drawer->outdated = drawer->rested = false;
    drawer->fields = entry->meaning.fields;
    drawer->look = entry->meaning.look;
    atomic_store(&drawer->stop, false);
    pthread_cond_signal(&pictures->for_minder);  // which looks at the clock from now on
    pthread_mutex_unlock(&pictures->lock);
    int status = make_maker(drawer, catalog, &drawing->failure);
    if (!status) status = draw(drawer, drawing, &drawing->failure);
    pthread_mutex_lock(&pictures->lock);
    shared_bytes_unref(drawing->view);
    histogram_add(&pictures->draw_seconds, clock_monotonic() - drawer->began);
    drawer->began = 0;
    if (drawer->late) status = failure_set(&drawing->failure, VIRGA_TIMED_OUT, "the picture took longer than %d seconds", PIN_DRAW_SECONDS);
    if (status && status != VIRGA_CANCELLED) pictures->counts.failures++;
    else if (!status) pictures->counts.drawn++;
    return status;
}

static void note_failure(struct pin_entry *entry, const struct failure *failure) {
    entry->again = clock_monotonic() + fmin(again_most, again_first * pow(4, entry->failures));
    entry->failures++;
    snprintf(entry->words, sizeof entry->words, "%.*s", PIN_WORDS - 1, failure->message);
    log_debug("pins", "%s: %s", entry->id, failure->message);
}

// The lock is given back while it writes; the entry stays, as it is the drawer's.
static void keep_on_disk(struct pin_drawer *drawer, struct pin_entry *entry, const struct drawing *drawing, const char *gone) {
    struct pin_pictures *pictures = drawer->pictures;
    char id[PIN_ID + 1];
    memcpy(id, entry->id, sizeof id);
    const char *state_dir = pictures->options.config->state_dir;
    const bool room = pictures->disk - entry->on_disk + drawing->bytes->size <= PIN_DISK;
    pthread_mutex_unlock(&pictures->lock);
    const size_t written = room && pin_file_write(state_dir, id, drawing->meaning.key, drawing->bytes) ? drawing->bytes->size : 0;
    if (*gone) pin_file_remove(state_dir, id, gone);
    pthread_mutex_lock(&pictures->lock);
    if (!drawer->entry) {  // it went meanwhile
        pin_file_remove(state_dir, id, drawing->meaning.key);
        return;
    }
    pictures->disk += written - entry->on_disk;
    entry->on_disk = written;
}

static void draw_entry(struct pin_drawer *drawer, struct pin_entry *entry) {
    struct pin_pictures *pictures = drawer->pictures;
    struct drawing drawing = {.format = IMAGE_JPEG};
    entry->drawer = drawer;
    const int status = draw_of(drawer, entry, &drawing);
    entry = drawer->entry;  // NULL: it has gone
    if (entry && !status) {
        char gone[PIN_KEY + 1];
        memcpy(gone, entry->picture.key, sizeof gone);
        if (!strcmp(entry->meaning.key, drawing.meaning.key)) {
            entry->failures = 0;
            pin_pictures_put(pictures, entry, shared_bytes_ref(drawing.bytes));
            pin_pictures_tell(pictures, entry);
            keep_on_disk(drawer, entry, &drawing, gone);
        }
    } else if (entry && status != VIRGA_CANCELLED && !strcmp(entry->meaning.key, drawing.meaning.key)) {
        note_failure(entry, &drawing.failure);
        pin_pictures_tell(pictures, entry);
    }
    if (drawer->entry) drawer->entry->drawer = NULL;
    drawer->entry = NULL;
    shared_bytes_unref(drawing.bytes);
}

// Whether it is not known yet what the pin means, of this revision.
static bool is_to_come(const struct pin_pictures *pictures, const struct pin_request *request) {
    const struct pin_entry *entry = pin_entries_find(&pictures->entries, request->id);
    struct pin pin;
    if (entry) return !entry->meant || entry->revision < request->revision;
    if (!pin_table_get(pictures->options.table, request->id, &pin)) return false;
    pin_release(&pin);
    return true;
}

// The first of those who wait for a pin of which it is known what it means, off the list; or NULL.
static struct pin_request *take_request(struct pin_pictures *pictures) {
    for (struct pin_request **at = &pictures->requests; *at; at = &(*at)->next) {
        struct pin_request *request = *at;
        if (is_to_come(pictures, request)) continue;
        if (!(*at = request->next)) pictures->last_request = at;
        pictures->request_count--;
        return request;
    }
    return NULL;
}

static void put_back(struct pin_pictures *pictures, struct pin_request *request) {
    if (!(request->next = pictures->requests)) pictures->last_request = &request->next;
    pictures->requests = request;
    pictures->request_count++;
}

static void draw_request(struct pin_drawer *drawer, struct pin_request *request) {
    struct pin_pictures *pictures = drawer->pictures;
    struct pin_entry *entry = pin_entries_find(&pictures->entries, request->id);
    struct drawing drawing = {.width = request->width, .format = request->png ? IMAGE_PNG : IMAGE_JPEG};
    int status = VIRGA_OK;
    if (!entry) status = failure_set(&drawing.failure, VIRGA_NOT_FOUND, "there is no such pin");
    else if (!pin_entry_tag(entry, request->width, request->png, clock_wall(), drawing.note, drawing.tag))
        status = failure_set(&drawing.failure, entry->meaning.status, "%s", entry->meaning.words);
    if (!status && !(drawing.bytes = pin_pictures_said(pictures, drawing.tag))) {
        status = draw_of(drawer, entry, &drawing);
        drawer->entry = NULL;
        if (!status) pin_pictures_keep_said(pictures, drawing.tag, drawing.bytes);
        if (status == VIRGA_CANCELLED && drawer->outdated && !pictures->stopping) {
            put_back(pictures, request);
            return;
        }
    }
    pthread_mutex_unlock(&pictures->lock);
    request->done(request, status, drawing.bytes, drawing.tag, &drawing.failure);
    pthread_mutex_lock(&pictures->lock);
}

void pin_drawer_outdated(struct pin_pictures *pictures, const struct pin_entry *entry) {
    for (size_t n = 0; n < pictures->drawer_count; n++) {
        struct pin_drawer *drawer = &pictures->drawers[n];
        if (drawer->entry != entry) continue;
        drawer->outdated = true;
        atomic_store(&drawer->stop, true);
    }
}

// --- The thread.

static void stand_back(void *gate) { viewer_gate_pass(gate); }

// With the lock. False: nothing came for so long.
static bool wait_for_work(struct pin_pictures *pictures, double seconds) {
    return condition_wait(&pictures->for_drawers, &pictures->lock, clock_monotonic() + fmin(seconds, 3600));
}

// With the lock: something, or nothing and a wait.
static void work(struct pin_drawer *drawer) {
    struct pin_pictures *pictures = drawer->pictures;
    const double now = clock_monotonic();
    struct pin_request *request = pictures->ready ? take_request(pictures) : NULL;
    struct pin_entry *entry = request || !pictures->ready ? NULL : pin_entries_next(&pictures->entries, drawer, now);
    if (request) {
        draw_request(drawer, request);
    } else if (entry) {
        draw_entry(drawer, entry);
    } else {
        const double again = pin_entries_again(&pictures->entries, now) - now, idle = drawer->rested ? 3600 : IDLE_SECONDS;
        const bool old = drawer->maker && drawer->catalog != pictures->catalog;  // and holds files that nobody else does
        if (!old && (wait_for_work(pictures, fmin(again, idle)) || again < idle)) return;
        pthread_mutex_unlock(&pictures->lock);
        free_maker(drawer);
        if (!old) basemap_cache_clear(pictures->basemaps);
        pthread_mutex_lock(&pictures->lock);
        drawer->rested = !old;
    }
}

void *pin_drawer_live(void *argument) {
    struct pin_drawer *drawer = argument;
    struct pin_pictures *pictures = drawer->pictures;
    thread_be_nice(NICENESS);
    drawer->team = render_team_new(1, false);
    if (!drawer->team) log_error("pins", "out of memory: pictures of pins are not drawn");
    else render_team_before_pieces(drawer->team, stand_back, pictures->gate);
    pthread_mutex_lock(&pictures->lock);
    while (!pictures->stopping && drawer->team) work(drawer);
    pthread_mutex_unlock(&pictures->lock);
    free_maker(drawer);
    render_team_free(drawer->team);
    drawer->team = NULL;
    return NULL;
}
