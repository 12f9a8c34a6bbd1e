// SPDX-License-Identifier: Apache-2.0
// Messages between the server and a source's child process, to bytes and back: no sockets, no threads, every size
// bounded. The bytes are described in SOURCE_PROTOCOL.md. Any thread.
#ifndef VIRGA_SOURCE_SOURCE_PROTOCOL_H
#define VIRGA_SOURCE_SOURCE_PROTOCOL_H

#include "base/arena.h"
#include "source/source.h"

enum {
    SOURCE_PROTOCOL_VERSION = 2,
    SOURCE_HEADER_BYTES = 16,
    SOURCE_MAX_REQUEST_BYTES = 65536,  // body of a message to a child, and of a failure or greeting from one
    SOURCE_MAX_PATH = 4096,            // bytes of a name in OPEN and READ
    SOURCE_MAX_MISSING = 4,
    SOURCE_MAX_WANT_BYTES = 1 + 4 + SOURCE_MAX_PATH,  // body of a WANT
    SOURCE_GRANT_BYTES = 4,                           // body of a GRANT
    SOURCE_TOKEN_BYTES = 16,                          // what a piece of a slab says it is for
    SOURCE_MAX_STATE_BYTES = 16384,                   // text of a STATE
};

enum source_message_kind {
    SOURCE_HELLO = 1,  // child: started and confined
    SOURCE_OPEN,       // server, with the file's descriptor: list this file
    SOURCE_INVENTORY,  // child: answers OPEN
    SOURCE_READ,       // server, with the descriptors of file and slab memory: fill the memory
    SOURCE_SLAB,       // child: answers READ
    SOURCE_FAILURE,    // child: answers OPEN or READ
    SOURCE_WANT,       // child, while it is to answer OPEN or READ: open this for me
    SOURCE_GRANT,      // server, with the descriptor unless it is refused: answers WANT
    SOURCE_CANCEL,     // server, to an engine: the request of this number is given up
    SOURCE_STATE,      // engine, whenever it changes: how its cluster is
    SOURCE_CLUSTER,    // server, to an engine: start or stop the cluster; not answered
};

enum source_space {      // where what a child wants lies
    SOURCE_LIBRARY = 1,  // a file below a folder of source_library.h, by its absolute path
    SOURCE_INSIDE,       // a file or folder inside the folder that was lent with the request, by its path there
    SOURCE_NETWORK,      // a connection to the server's proxy, for readers of OPeNDAP; the path is empty
    SOURCE_INDEX,        // what a child asked to be kept of this request's file at an earlier opening; the path is empty
    SOURCE_SPACES,
};

struct source_header {
    size_t body_bytes;
    enum source_message_kind kind;
    uint64_t request;  // an answer repeats its request's number
};

struct source_frame {  // header and body, ready to send
    uint8_t *data;     // freed by source_frame_free
    size_t size;
};

struct source_hello {
    char name[64];  // what the child is, for the log: "virga-reader 0.1.0 netCDF 4.9.0 …"
    bool landlock;  // whether file system access is denied by Landlock too
};

struct source_open {
    struct source_identity identity;
    uint64_t max_inventory_bytes;  // of the answer's body
    char path[SOURCE_MAX_PATH + 1];  // for messages and for the name's ending; the child reads the descriptor
};

struct source_read_message {
    struct source_identity identity;
    uint64_t slab_bytes;  // size of the slab memory
    struct source_slab_request request;  // `stop` does not travel
    uint8_t token[SOURCE_TOKEN_BYTES];   // for an engine's workers (slab_receiver.h); zeros for a reader
    char path[SOURCE_MAX_PATH + 1];
};

struct source_slab_answer {
    enum source_type type;
    uint64_t elements, bytes;
    uint64_t read, sent;  // bytes of stored chunks that workers read (decoded), and bytes that left them for it; a reader says 0
    bool delivered;       // piece by piece to the slab receiver; else it is in the slab that was lent
};

struct source_want {
    enum source_space space;
    char path[SOURCE_MAX_PATH + 1];
};

// Every encoder makes a whole frame and returns VIRGA_OK, VIRGA_NO_MEMORY, or VIRGA_TOO_LARGE where a limit is passed;
// on failure *frame is empty.
int source_encode_hello(const struct source_hello *hello, struct source_frame *frame);
int source_encode_open(uint64_t request, const struct source_open *open, struct source_frame *frame);
int source_encode_inventory(uint64_t request, const struct source_inventory *inventory, size_t max_body,
                            struct source_frame *frame);
int source_encode_read(uint64_t request, const struct source_read_message *read, struct source_frame *frame);
int source_encode_slab(uint64_t request, const struct source_slab_answer *slab, struct source_frame *frame);
// retire: the child asks to be replaced, since a library may have been harmed by what it read.
int source_encode_failure(uint64_t request, const struct failure *failure, bool retire, struct source_frame *frame);
int source_encode_grant(uint64_t request, int status, struct source_frame *frame);
int source_encode_cancel(uint64_t request, struct source_frame *frame);
int source_encode_state(const char *json, struct source_frame *frame);
int source_encode_cluster(bool start, struct source_frame *frame);  // or stop
void source_frame_free(struct source_frame *frame);

// Writes the frame of a WANT to `out` and returns its bytes, or 0 where the path is too long. Async-signal-safe.
size_t source_write_want(uint64_t request, enum source_space space, const char *path,
                         uint8_t out[SOURCE_HEADER_BYTES + SOURCE_MAX_WANT_BYTES]);

// VIRGA_INVALID for another version or an unknown kind. The caller bounds body_bytes before reading a body.
int source_decode_header(const uint8_t bytes[SOURCE_HEADER_BYTES], struct source_header *header);
// Every decoder takes a whole body and returns VIRGA_OK, or VIRGA_INVALID where it is no such message, has bytes left
// over, or holds a value that no such message may have (an index out of range, an unknown type).
int source_decode_hello(const uint8_t *body, size_t bytes, struct source_hello *hello);
int source_decode_open(const uint8_t *body, size_t bytes, struct source_open *open);
// Everything that *inventory points at lives in the arena, but `index` in the body. Also VIRGA_NO_MEMORY, as the arena's limit says.
int source_decode_inventory(const uint8_t *body, size_t bytes, struct arena *arena, struct source_inventory *inventory);
// A short name of what an INVENTORY's body says: another one for another body.
uint64_t source_inventory_token(const uint8_t *body, size_t bytes);
int source_decode_read(const uint8_t *body, size_t bytes, struct source_read_message *read);
int source_decode_slab(const uint8_t *body, size_t bytes, struct source_slab_answer *slab);
// A message that is too long for *failure is cut.
int source_decode_failure(const uint8_t *body, size_t bytes, struct failure *failure, bool *retire);
int source_decode_want(const uint8_t *body, size_t bytes, struct source_want *want);
// *answer: VIRGA_OK, or why it was refused. Async-signal-safe, as is source_decode_header.
int source_decode_grant(const uint8_t *body, size_t bytes, int *answer);
// Not looked into beyond that it is valid UTF-8 (what is not shows '?') without zeros: whoever uses it parses it as what a stranger sent.
int source_decode_state(const uint8_t *body, size_t bytes, char json[SOURCE_MAX_STATE_BYTES + 1]);
int source_decode_cluster(const uint8_t *body, size_t bytes, bool *start);

// What a request's answer holds; both sides compute it.
struct source_slab_shape {
    enum source_type type;
    size_t elements, bytes;
    size_t count[SOURCE_MAX_RANK];  // numbers along each dimension of the answer
};

// Checks a request against a variable's type and dimension lengths. VIRGA_INVALID, VIRGA_UNSUPPORTED or VIRGA_TOO_LARGE
// (more than max_bytes) with a message.
int source_slab_shape(const struct source_slab_request *request, enum source_type type, int rank, const size_t *lengths,
                      size_t max_bytes, struct source_slab_shape *shape, struct failure *failure);

bool source_type_is_integer(enum source_type type);

#endif
