// SPDX-License-Identifier: Apache-2.0
// Websocket messages (PROTOCOL.md) from and to text and bytes. No sockets, no threads: any thread may call.
#ifndef VIRGA_SERVER_WS_MESSAGE_H
#define VIRGA_SERVER_WS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "server/export_job.h"
#include "server/pair_table.h"
#include "server/pin.h"
#include "server/secret.h"
#include "server/view_priority.h"

enum {
    WS_MAX_TEXT = 16 * 1024,  // bytes of a client's message
    WS_MAX_ID = 255,          // bytes of an id
    WS_MAX_DROPPED = 512,     // bricks named in one drop message
    WS_MAX_EXPORTS = 32,      // jobs in one exports message
    WS_MAX_PINS = 32,         // pins in one pins message
    WS_BATCH_HEAD = 12,       // bytes before the parts of a batch
    WS_PART_HEAD = 20,        // bytes before a part's payload
};

enum ws_message_kind { WS_INTEREST, WS_ACK, WS_PING, WS_DROP, WS_EXPORTS, WS_USER, WS_PAIR, WS_PINS, WS_UNKNOWN };

struct ws_layer {
    char variable[WS_MAX_ID + 1];
    char run[WS_MAX_ID + 1];  // "": the interest's
    char edition[WS_MAX_ID + 1];  // of the series that `time` and `steps` count in, as the client knows it; "": whatever it is
    bool has_member;          // false: the interest's
    uint32_t member;
    struct opacity_curve opacity;
};

struct ws_interest {
    uint32_t generation;
    char dataset[WS_MAX_ID + 1], run[WS_MAX_ID + 1];
    uint32_t member;
    size_t layer_count;  // 1 … VIEW_MAX_LAYERS
    struct ws_layer layers[VIEW_MAX_LAYERS];
    uint32_t time;
    int direction;    // -1, 0, 1
    double rate;      // steps a second
    uint32_t steps;   // 0 … VIEW_MAX_AHEAD
    struct view_priority_camera camera;
    uint64_t budget;  // voxel bytes
    uint32_t max_level;
    bool reports_drops;  // the page tells what it lets go
    bool holds_nothing;  // … and has nothing (any more)
};

struct ws_drop {
    char variable[WS_MAX_ID + 1];
    uint32_t step;
    bool all;  // the whole step, its table too
    size_t count;
    struct { uint32_t level, x, y, z; } bricks[WS_MAX_DROPPED];
};

// A screen asks for a code where all is empty.
struct ws_pair {
    bool end;                      // the pairing is over
    char code[PAIR_CODE + 1];      // or: to join the screen that shows it
    char key[SECRET_TEXT + 1];     // or: to come back
    char name[4 * PAIR_NAME + 1];  // what a remote calls itself
};

struct ws_message {
    enum ws_message_kind kind;
    uint64_t ack;    // bytes
    uint64_t ping;
    bool watch;      // exports, pins
    char session[SECRET_TEXT + 1];  // user; "": nobody
    struct ws_pair pair;
    char type[32];   // of an unknown message, cleaned
    struct ws_interest interest;
    struct ws_drop drop;
};

// Reads one text message. VIRGA_OK (an unknown type too, as WS_UNKNOWN); VIRGA_INVALID with a short reason in *failure when
// it breaks the rules: then *message means nothing.
int ws_message_parse(const char *text, size_t size, struct ws_message *message, struct failure *failure);

// Each writes JSON text into `out` (zero-terminated) and returns its length, or a negative code when it does not fit.
int ws_message_hello(char *out, size_t room, uint32_t window, bool users);
int ws_message_pong(char *out, size_t room, uint64_t id);
int ws_message_done(char *out, size_t room, uint32_t generation, bool degraded);
int ws_message_error(char *out, size_t room, uint32_t generation, const char *text);
// datasets: a JSON array of the ids of those that changed, or NULL: any may have. The caller frees the text. NULL when out of memory.
char *ws_message_catalog(const char *datasets);
int ws_message_user(char *out, size_t room, bool known);
// The caller frees the text. NULL when out of memory.
char *ws_message_exports(const struct export_job *jobs, size_t count, bool all);
char *ws_message_pins(const struct pin *pins, size_t count, bool all, bool more, const struct access_person *person);
struct ws_step {
    uint32_t generation, layer, step;
    const char *variable, *edition, *time, *geometry;
};
int ws_message_step(char *out, size_t room, const struct ws_step *step);

struct ws_part {
    uint8_t kind;  // 1 step table, 2 brick
    uint8_t layer;
    uint16_t level;
    uint32_t step;
    uint16_t x, y, z;
    uint32_t size;  // bytes of the payload
};
// Writes a batch's or a part's head in place.
void ws_batch_head(uint8_t out[WS_BATCH_HEAD], uint32_t generation, uint32_t parts);
void ws_part_head(uint8_t out[WS_PART_HEAD], const struct ws_part *part);

#endif
