// SPDX-License-Identifier: Apache-2.0
// What the server opens for a child while that answers a request: the child may open nothing by path, so it asks (WANT) and is
// granted a descriptor, read-only, of what lies in one of a few spaces. One struct a request; one thread.
#ifndef VIRGA_SOURCE_SOURCE_BROKER_H
#define VIRGA_SOURCE_SOURCE_BROKER_H

#include "source/source_protocol.h"

struct source_proxy;

struct source_broker {
    int folder;                     // lent with the request, whose inside may be asked for; -1 where a file or none is lent
    const char *index_folder;       // of source_index.h, or NULL
    const struct source_identity *identity;  // of the request's file
    uint32_t asked[SOURCE_SPACES];  // so far
    struct source_proxy *proxy;     // where a reader of OPeNDAP's connections end; NULL for all others, which have no network
    uint64_t request;               // its number, for the proxy
};

// Opens what was asked for. VIRGA_OK with *fd, the caller's; or what the child is told: VIRGA_NOT_FOUND (also for all that is
// outside the space, or neither a file nor, inside a lent folder, a folder), VIRGA_IO (*fd is -1), VIRGA_TOO_LARGE (more than a
// request may ask for; connections too). VIRGA_INVALID: no child that keeps to the protocol asks this, or goes on after it was told that it is too much.
int source_broker_open(struct source_broker *broker, const struct source_want *want, int *fd);

#endif
