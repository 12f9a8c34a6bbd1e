// SPDX-License-Identifier: Apache-2.0
// The reader's end of the broker: what may not be opened here is asked of the server, which lends a descriptor. Libraries need
// not know: confine.c turns their calls into these. One thread; everything is async-signal-safe.
#ifndef VIRGA_SOURCE_READER_BROKER_H
#define VIRGA_SOURCE_READER_BROKER_H

#include <stdint.h>

#include "source/source_protocol.h"

// socket: of the protocol. request: the one that is being answered, or 0: then all is refused, since the server expects no
// question. A grant that makes no sense ends the process.
void reader_broker_begin(int socket, uint64_t request);
void reader_broker_end(void);

// A descriptor of the caller's, read-only and close-on-exec, at its start; or an errno below zero: -ENOENT (not there, or outside
// of the space), -ENAMETOOLONG, -EMFILE (too many in this request), -EACCES. SOURCE_LIBRARY takes an absolute path,
// SOURCE_INSIDE one within the folder that was lent with the request ("" for itself).
int reader_broker_want(enum source_space space, const char *path);

#endif
