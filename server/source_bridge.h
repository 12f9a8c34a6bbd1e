// SPDX-License-Identifier: Apache-2.0
// Joins an engine's socket to a process elsewhere that answers the source protocol over a connection of bytes (PROTOCOL.md, "A notebook as a source"). There are
// no descriptors there, so numbers come as messages PIECE, which are written into the slab that the engine lent, in order and within its bounds; all else is
// passed on. What comes from that process is hostile. One thread of the bridge's own; the other calls: one thread, and they never wait.
#ifndef VIRGA_SERVER_SOURCE_BRIDGE_H
#define VIRGA_SERVER_SOURCE_BRIDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum {
    BRIDGE_PIECE = 12,              // kind of the message; its body: u64 offset in the slab, then bytes
    BRIDGE_MOST_PIECE = 1 << 20,    // of these
    BRIDGE_IN = 1 << 20,            // bytes that wait for the engine, and
    BRIDGE_OUT = 256 * 1024,        // for the process elsewhere, at most
};

struct source_bridge;

struct source_bridge_calls {
    void (*told)(void *context);  // on the bridge's thread: there is something to take, or room, or it is over. It may not wait, nor call the bridge
    void *context;
};

// socket: the other end of an engine's, closed by the bridge, also where this fails. VIRGA_NO_MEMORY.
int source_bridge_new(int socket, const struct source_bridge_calls *calls, struct source_bridge **bridge, struct failure *failure);
// Ends it, without waiting: the engine finds its socket closed. `told` is not called any more.
void source_bridge_stop(struct source_bridge *bridge);
// Waits for the thread, which ends at once after source_bridge_stop. Any thread; NULL allowed.
void source_bridge_free(struct source_bridge *bridge);

// Bytes that came, any part of a message. VIRGA_AGAIN: taken, but no more may come until there is room. VIRGA_TOO_LARGE: not taken, more came
// than may wait. VIRGA_GONE: it is over.
int source_bridge_put(struct source_bridge *bridge, const void *data, size_t size);
bool source_bridge_has_room(struct source_bridge *bridge);
// Bytes that are to go, at most `room`: how many; 0: none now.
size_t source_bridge_take(struct source_bridge *bridge, void *out, size_t room);
// Whether it is over, and why.
bool source_bridge_is_over(struct source_bridge *bridge, struct failure *why);

#endif
