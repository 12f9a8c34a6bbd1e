// SPDX-License-Identifier: Apache-2.0
// What one client gets, and when. Pure policy: no sockets, no threads, no clock; the transport tells it what happened and
// asks what comes next. It holds names of bricks and bits, never bytes, and its memory does not grow with what a client
// leaves unread. One thread at a time.
//
// Order (PROTOCOL.md): the step in view: tables and coarsest level of every layer, then what the camera sees down to two
// pixels; the steps ahead: all their coarsest levels, then what the camera sees of them; then everything down to one pixel.
#ifndef VIRGA_SERVER_SESSION_H
#define VIRGA_SERVER_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/view_priority.h"

enum {
    SESSION_WINDOW = 1024 * 1024,  // payload bytes in flight
    SESSION_MAX_PENDING = 16,      // bricks asked of the store and not there yet
    SESSION_MAX_SLOTS = 64,        // steps remembered a layer
    SESSION_QUEUE = 4096,          // names of bricks queued
    SESSION_BRICK_COST = 34 * 34 * 34 * 4,  // voxel bytes
    SESSION_MAX_IDENTITY = 384,
};

// What is known of a step of a layer; the transport owns it, keeps it alive until it is released, and changes it in place.
struct session_field {
    enum { FIELD_LOADING, FIELD_READY, FIELD_FAILED } state;  // ready: the table is here
    size_t table_bytes;
    const struct view_table *table;
    const struct brick_boxes *boxes;  // NULL until made; needed only with a camera
    bool without_boxes;               // they cannot be made: everything counts as in view
};

struct session_layer {
    char identity[SESSION_MAX_IDENTITY];  // what of a slot's memory may be kept: variable, run, member, shape
    char variable[256];                   // for drop messages
    struct pyramid_shape shape;
    struct opacity_curve curve;
    double v0, step;                      // lattice
    int64_t before;                       // the step before the one in view, or -1
    int64_t steps[1 + VIEW_MAX_AHEAD];    // the layer's own step in view and those ahead; -1: it has none there
    uint64_t names[1 + VIEW_MAX_AHEAD];   // of those steps: another one where the same number is of other data than before
};

struct session_interest {
    uint32_t generation;
    size_t layer_count;
    struct session_layer layers[VIEW_MAX_LAYERS];
    size_t ahead;  // entries in force after steps[0]
    bool playing;
    struct view_priority_camera camera;
    uint64_t budget;
    uint32_t max_level;
    bool keep;    // remember steps outside the window
    bool forget;  // the client holds nothing
};

enum session_action_kind {
    SESSION_WAIT,      // nothing until something happens
    SESSION_ANNOUNCE,  // say which step comes (a step message), then session_announced()
    SESSION_TABLE,     // send the slot's table, then session_table_sent()
    SESSION_BRICK,     // get the brick and send it: session_brick_sent(), _pending() or _failed()
    SESSION_FINISHED,  // say that everything wanted was sent; told once a generation
};

struct session_action {
    enum session_action_kind kind;
    uint32_t layer, step;
    struct session_field *field;
    uint32_t level, x, y, z;
    size_t ahead;     // 0: the step in view
    bool refinement;
    bool degraded;    // with SESSION_FINISHED
    uint32_t slot;    // a number of this layer's step, never used twice in a session
};

// Memory shared by all sessions of a thread, used within calls only.
struct session_scratch {
    struct view_brick *items;
    size_t capacity;
};
int session_scratch_init(struct session_scratch *scratch, size_t capacity);
void session_scratch_destroy(struct session_scratch *scratch);

struct session;

// What the session asks of its transport. `get` fetches what is known of a layer's step (`layer` is an index in the interest
// in force; NULL when out of memory); steps ahead are asked for once the step in view is no longer loading; `keep` says again how urgent it is, for each new interest; `release` lets it go;
// `cancel` is told of a pending brick that is not wanted any more and will not be answered.
struct session_calls {
    struct session_field *(*get)(void *user, uint32_t layer, uint32_t step, size_t ahead);
    void (*keep)(void *user, struct session_field *field, size_t ahead);
    void (*release)(void *user, struct session_field *field);
    void (*cancel)(void *user, uint32_t slot, uint32_t level, uint32_t x, uint32_t y, uint32_t z);
    void *user;
};

struct session *session_new(const struct session_calls *calls, struct session_scratch *scratch);
void session_free(struct session *session);

// Replaces the interest. VIRGA_NO_MEMORY leaves a session that wants nothing.
int session_set_interest(struct session *session, const struct session_interest *interest);
// Nothing is wanted any more (an interest that could not be met).
void session_clear(struct session *session, uint32_t generation);
// Lets go of all fields and of what is asked for them; what the client holds is remembered. Another interest must follow.
void session_let_go(struct session *session);
uint32_t session_generation(const struct session *session);
// The client let go of a whole step, or of one brick. Sent again, if wanted, from the next interest on.
void session_drop_step(struct session *session, const char *variable, uint32_t step);
void session_drop_brick(struct session *session, const char *variable, uint32_t step, uint32_t level, uint32_t x, uint32_t y,
                        uint32_t z);
void session_ack(struct session *session, uint64_t bytes);
// Payload bytes that may be sent now.
size_t session_credit(const struct session *session);
size_t session_in_flight(const struct session *session);
// A field of this session changed.
void session_field_changed(struct session *session);
// A pending brick (named as in its action) is there now, or will never be. Unknown ones are ignored.
void session_brick_ready(struct session *session, uint32_t slot, uint32_t level, uint32_t x, uint32_t y, uint32_t z,
                         bool failed);
size_t session_pending(const struct session *session);

void session_next(struct session *session, struct session_action *action);
void session_announced(struct session *session, const struct session_action *action);
void session_table_sent(struct session *session, const struct session_action *action, size_t bytes);
void session_brick_sent(struct session *session, const struct session_action *action, size_t bytes);
void session_brick_pending(struct session *session, const struct session_action *action);
void session_brick_failed(struct session *session, const struct session_action *action);
// Bytes this session holds, for tests and metrics.
size_t session_memory(const struct session *session);

#endif
