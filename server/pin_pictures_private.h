// SPDX-License-Identifier: Apache-2.0
// Private to pin_pictures.c, pin_entries.c and pin_drawer.c.
#ifndef VIRGA_SERVER_PIN_PICTURES_PRIVATE_H
#define VIRGA_SERVER_PIN_PICTURES_PRIVATE_H

#include <pthread.h>

#include "render/basemap_cache.h"
#include "server/pin_files.h"
#include "server/pin_live.h"
#include "server/pin_pictures.h"
#include "server/viewer_gate.h"

enum {
    PIN_DRAWERS = 2,            // at most
    PIN_REQUESTS = 32,          // that wait at a time
    PIN_SAID = 32,              // pictures with captions that are kept
    PIN_SAID_BYTES = 16 << 20,  // of them
    PIN_MEMORY = 64 << 20,      // bytes of pictures without them; more are on disk only
    PIN_DISK = 512 << 20,
    PIN_DRAW_SECONDS = 60,      // that a picture may take
    PIN_WAIT_SECONDS = 20,      // that somebody waits for one
};

struct pin_drawer;

struct pin_picture {
    char key[PIN_KEY + 1];       // "": none
    struct shared_bytes *bytes;  // NULL where they are on disk only
};

// A pin, with its picture. Under the lock of the service.
struct pin_entry {
    char id[PIN_ID + 1], title[PIN_TITLE + 1];
    int64_t sequence;
    uint32_t revision;
    struct shared_bytes *view;
    char dataset[VIEW_ID_TEXT];    // that it names
    bool meant;                    // `meaning` is that of the catalog and revision in force
    struct pin_meaning meaning;
    struct pin_picture picture, before;  // the newest one, and the one that pages may still ask for
    struct pin_shown shown;        // of the picture
    double drawn;                  // wall clock
    size_t on_disk;                // bytes
    struct pin_drawer *drawer;     // at work on it, or NULL
    int failures;                  // in a row, of this key
    double again;                  // monotonic: when to try again after a failure
    char words[PIN_WORDS];         // of the failure
    double looked;                 // monotonic: when somebody last asked for its picture; 0: nobody
    uint64_t used;                 // likewise, as a number that rises
    struct shared_bytes *told;     // what was last told of it
};

// The pins by rising id.
struct pin_entries {
    struct pin_entry **list;
    size_t count, room;
};

struct pin_said {  // a picture with captions
    char tag[PIN_TAG];
    struct shared_bytes *bytes;
    uint64_t used;
};

struct pin_drawer {
    struct pin_pictures *pictures;
    pthread_t thread;
    bool started;
    atomic_bool stop;              // gives up what is being drawn
    // Under the lock:
    struct pin_entry *entry;       // what is drawn, or NULL
    bool late, outdated;           // why it was stopped
    double began;                  // monotonic; 0: nothing is drawn
    uint64_t fields, look;         // of what was drawn last
    // Its own:
    struct catalog *catalog;       // of the maker, one reference
    struct render_team *team;
    struct picture_maker *maker;
    bool rested;                   // what all drawers share was left to go, too
};

struct pin_pictures {
    struct pin_pictures_options options;
    char world_folder[4200];
    struct basemap_cache *basemaps;  // of all drawers
    double stale_after;
    struct viewer_gate *gate;
    pthread_t minder;
    bool minding;
    pthread_mutex_t lock;          // all below
    pthread_cond_t for_minder, for_drawers;
    bool untold;                   // something was not told yet
    double told_at;                // monotonic
    bool stopping, woken, ready;   // ready: drawers may begin
    struct catalog *catalog;
    struct change_seen seen;
    struct pin_entries entries;
    size_t memory, disk;           // bytes of pictures there
    uint64_t uses;
    struct pin_request *requests, **last_request;
    size_t request_count;
    struct pin_said said[PIN_SAID];
    size_t said_bytes;
    struct histogram draw_seconds;  // no lock
    struct pin_pictures_stats counts;
    size_t drawer_count;
    struct pin_drawer drawers[PIN_DRAWERS];
};

// --- pin_entries.c: no locks, no clocks.

struct pin_entry *pin_entries_find(const struct pin_entries *entries, const char *id);
struct pin_entry *pin_entries_add(struct pin_entries *entries, const char *id);  // NULL when out of memory; it is not there yet
// Frees it. The caller has taken what it refers to from whoever works on it.
void pin_entries_remove(struct pin_entries *entries, struct pin_entry *entry);
void pin_entries_clear(struct pin_entries *entries);
// The one that a drawer should draw next: those that somebody looked at lately first, then those that share what this drawer has at hand, then those that no
// other drawer reads for, then the oldest. NULL: none waits.
struct pin_entry *pin_entries_next(const struct pin_entries *entries, const struct pin_drawer *drawer, double now);
// When a picture that failed is tried again, the earliest; infinite: none is.
double pin_entries_again(const struct pin_entries *entries, double now);
// What it shows at the moment.
void pin_entry_live(const struct pin_entry *entry, double wall, struct pin_live *live);
// What its picture with captions is called, and what they say besides. False: there is no picture to come.
bool pin_entry_tag(const struct pin_entry *entry, unsigned width, bool png, double wall, char note[PIN_WORDS], char tag[PIN_TAG]);

// --- pin_pictures.c, with the lock held.

void pin_pictures_tell(struct pin_pictures *pictures, struct pin_entry *entry);          // where it changed
void pin_pictures_put(struct pin_pictures *pictures, struct pin_entry *entry, struct shared_bytes *bytes);  // the picture of its meaning; takes the reference
struct shared_bytes *pin_pictures_said(struct pin_pictures *pictures, const char *tag);  // one reference, or NULL
void pin_pictures_keep_said(struct pin_pictures *pictures, const char *tag, struct shared_bytes *bytes);

// --- pin_drawer.c

void *pin_drawer_live(void *drawer);      // a thread
void pin_drawer_outdated(struct pin_pictures *pictures, const struct pin_entry *entry);  // with the lock held: what is drawn of it is not wanted any more

#endif
