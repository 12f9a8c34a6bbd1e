// SPDX-License-Identifier: Apache-2.0
// virga-reader PARENT MEMORY [dap] (or --self-test): the child that opens forecast files or, with "dap", datasets behind OPeNDAP.
// It is started by the server with the protocol's socket as descriptor 3, confines itself and answers until the socket closes.
#include <errno.h>
#include <netcdf.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "source/confine.h"
#include "source/reader_broker.h"
#include "source/reader_dap.h"
#include "source/reader_format.h"
#include "source/reader_selftest.h"
#include "source/source_channel.h"

enum { SOCKET = 3, OPEN_FILES = 8 };

static const struct reader_format *const formats[] = {&reader_zarr, &reader_netcdf, &reader_grib};

struct open_file {
    const struct reader_format *format;  // NULL: free
    struct source_identity identity;
    int fd;
    void *file;
    uint64_t used;
};

struct reader {
    struct source_channel channel;
    struct open_file files[OPEN_FILES];
    uint64_t uses;
    size_t memory;
    bool network;  // addresses come, and no files
    bool harmed;  // a library failed on a file: it may have leaked or worse, and this process is to be replaced
};

static void close_file(struct open_file *f) {
    if (!f->format) return;
    f->format->close(f->file);
    if (f->fd >= 0) close(f->fd);
    *f = (struct open_file){0};
}

// Two Fortran records of the Met Office's Unified Model begin a PP field: a header of 256 bytes between its lengths.
static bool is_pp(int fd, const uint8_t *head, size_t bytes) {
    static const uint8_t big[4] = {0, 0, 1, 0}, little[4] = {0, 1, 0, 0};
    uint8_t end[4];
    if (bytes < 4 || pread(fd, end, sizeof end, 260) != sizeof end || memcmp(head, end, 4)) return false;
    return !memcmp(head, big, 4) || !memcmp(head, little, 4);
}

static int unknown_format(int fd, const uint8_t *head, size_t bytes, struct failure *failure) {
    if (!bytes) return failure_set(failure, VIRGA_UNREADABLE, "the file is empty");
    if (is_pp(fd, head, bytes))
        return failure_set(failure, VIRGA_UNSUPPORTED, "UM PP files are not read; convert it to netCDF, for example with Iris");
    if (bytes >= 4 && !memcmp(head, "BUFR", 4)) return failure_set(failure, VIRGA_UNSUPPORTED, "BUFR files hold observations and are not read");
    if (bytes >= 4 && !memcmp(head, "PK\3\4", 4))
        return failure_set(failure, VIRGA_UNSUPPORTED, "is a zip archive; unpack it: files, and Zarr stores as folders, are read");
    return failure_set(failure, VIRGA_UNREADABLE, "is neither a netCDF nor a GRIB file");
}

static int open_address(struct reader *r, struct open_file *f, const char *address, const struct source_identity *identity,
                        struct failure *failure) {
    int status = reader_dap_open(address, identity->size, r->memory, &f->file, failure);
    r->harmed |= status != VIRGA_OK;
    if (status) return status;
    f->format = &reader_dap;
    f->identity = *identity;
    f->fd = -1;
    return VIRGA_OK;
}

static int open_into(struct reader *r, struct open_file *f, int fd, const char *path, const struct source_identity *identity,
                     struct failure *failure) {
    uint8_t head[READER_HEAD_BYTES];
    if (r->network) return open_address(r, f, path, identity, failure);
    ssize_t got = pread(fd, head, sizeof head, 0);
    if (got < 0 && errno == EISDIR) got = 0;  // a store
    if (got < 0) return failure_set(failure, VIRGA_IO, "cannot be read from its disk");
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        if (!formats[i]->recognises(fd, head, (size_t)got)) continue;
        int status = formats[i]->open(fd, r->memory, &f->file, failure);
        r->harmed |= status && status != VIRGA_UNSUPPORTED;
        if (status) return status;
        f->format = formats[i];
        f->identity = *identity;
        f->fd = fd;
        return VIRGA_OK;
    }
    return unknown_format(fd, head, (size_t)got, failure);
}

// The file of this identity, opened if need be. Takes over the descriptor, which is -1 with an address.
static int get_file(struct reader *r, int fd, const char *path, const struct source_identity *identity, struct open_file **file,
                    struct failure *failure) {
    struct open_file *place = &r->files[0];
    for (struct open_file *f = r->files; f < r->files + OPEN_FILES; f++) {
        if (f->format && source_identity_equal(&f->identity, identity)) {
            if (fd >= 0) close(fd);
            f->used = ++r->uses;
            *file = f;
            return VIRGA_OK;
        }
        // The same file in an older state: a library would share what it remembers of it.
        if (f->format && f->identity.device == identity->device && f->identity.inode == identity->inode) close_file(f);
        if (!f->format) f->used = 0;
        if (f->used < place->used) place = f;
    }
    close_file(place);
    int status = open_into(r, place, fd, path, identity, failure);
    if (status) {
        if (fd >= 0) close(fd);
        return status;
    }
    place->used = ++r->uses;
    *file = place;
    return VIRGA_OK;
}

static int send_frame(const struct reader *r, struct source_frame *frame) {
    reader_broker_end();  // with the answer the server expects no more questions
    int status = source_channel_send(&r->channel, frame->data, frame->size, NULL, 0);
    source_frame_free(frame);
    return status;
}

static int send_failure(const struct reader *r, uint64_t request, const struct failure *failure) {
    struct source_frame frame;
    int status = source_encode_failure(request, failure, r->harmed, &frame);
    return status ? status : send_frame(r, &frame);
}

static int answer_open(struct reader *r, uint64_t request, const uint8_t *body, size_t bytes, int fd) {
    static struct source_open open;  // too large for comfort on the stack
    struct failure failure;
    struct open_file *file;
    struct source_frame frame;
    struct source_inventory inventory;
    struct arena arena = {0};
    if (source_decode_open(body, bytes, &open)) return VIRGA_INVALID;
    reader_broker_begin(SOCKET, request);
    arena.limit = open.max_inventory_bytes * 16;
    int status = get_file(r, fd, open.path, &open.identity, &file, &failure);
    if (!status) {
        status = file->format->list(file->file, &arena, &inventory, &failure);
        r->harmed |= status != VIRGA_OK;
    }
    int fits = status ? VIRGA_OK : source_encode_inventory(request, &inventory, open.max_inventory_bytes, &frame);
    if (fits && inventory.index) {  // what is only wanted for the next time does without
        inventory.index = NULL;
        inventory.index_bytes = 0;
        fits = source_encode_inventory(request, &inventory, open.max_inventory_bytes, &frame);
    }
    if (!status && fits)
        status = failure_set(&failure, VIRGA_TOO_LARGE, "its list of contents is larger than the limit of %llu bytes",
                             (unsigned long long)open.max_inventory_bytes);
    arena_destroy(&arena);
    if (!status && r->network)  // the server will ask for it by this
        file->identity.size = source_inventory_token(frame.data + SOURCE_HEADER_BYTES, frame.size - SOURCE_HEADER_BYTES);
    return status ? send_failure(r, request, &failure) : send_frame(r, &frame);
}

static int answer_read(struct reader *r, uint64_t request, const uint8_t *body, size_t bytes, int fd, int slab_fd) {
    static struct source_read_message message;
    struct failure failure;
    struct open_file *file;
    struct source_frame frame;
    struct source_slab_shape shape = {0};
    if (source_decode_read(body, bytes, &message)) return VIRGA_INVALID;
    reader_broker_begin(SOCKET, request);
    void *slab = mmap(NULL, message.slab_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, slab_fd, 0);
    close(slab_fd);
    int status = get_file(r, fd, message.path, &message.identity, &file, &failure);
    if (!status && slab == MAP_FAILED) status = failure_set(&failure, VIRGA_TOO_LARGE, "no memory for the slab");
    if (!status) status = file->format->read(file->file, &message.request, slab, message.slab_bytes, &shape, &failure);
    r->harmed |= status == VIRGA_UNREADABLE || status == VIRGA_TOO_LARGE;
    if (slab != MAP_FAILED) munmap(slab, message.slab_bytes);
    if (status) return send_failure(r, request, &failure);
    struct source_slab_answer answer = {.type = shape.type, .elements = shape.elements, .bytes = shape.bytes};
    status = source_encode_slab(request, &answer, &frame);
    return status ? status : send_frame(r, &frame);
}

// One message from the server; anything but VIRGA_OK ends the child.
static int answer_one(struct reader *r) {
    static uint8_t body[SOURCE_MAX_REQUEST_BYTES];
    uint8_t bytes[SOURCE_HEADER_BYTES];
    struct source_header header;
    int fds[SOURCE_CHANNEL_MAX_FDS], fd_count = 0;
    int status = source_channel_receive(&r->channel, bytes, sizeof bytes, fds, &fd_count);
    if (status) return status;
    if (source_decode_header(bytes, &header) || header.body_bytes > sizeof body) return VIRGA_INVALID;
    status = source_channel_receive(&r->channel, body, header.body_bytes, fds, &fd_count);
    if (status) return status;
    int lent = r->network ? 0 : 1;  // what is opened: with an address nothing
    bool open = header.kind == SOURCE_OPEN && fd_count == lent, read = header.kind == SOURCE_READ && fd_count == lent + 1;
    if (!open && !read) return VIRGA_INVALID;
    int fd = lent ? fds[0] : -1;
    return open ? answer_open(r, header.request, body, header.body_bytes, fd) :
                  answer_read(r, header.request, body, header.body_bytes, fd, fds[lent]);
}

// The library sets itself up before it is confined: it looks for its own files then, and starts nothing later.
static int start_library(void) {
    int error = nc_initialize();
    if (!error) error = nc_set_chunk_cache(1 << 20, 521, 0.75f);
    return error;
}

static int greet(const struct reader *r, bool landlock) {
    struct source_hello hello = {.landlock = landlock};
    struct source_frame frame;
    snprintf(hello.name, sizeof hello.name, "virga-reader %s, netCDF %.8s", VIRGA_VERSION, nc_inq_libvers());
    int status = source_encode_hello(&hello, &frame);
    return status ? status : send_frame(r, &frame);
}

static int run(const char *parent, const char *memory, bool network) {
    struct reader *r = calloc(1, sizeof *r);
    struct failure failure;
    bool landlock = false;
    if (!r) return 1;
    r->channel.socket = SOCKET;
    r->memory = strtoull(memory, NULL, 10);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != atoi(parent)) return 1;  // it ended before that took hold
    r->network = network;
    if (network && reader_dap_prepare()) return 1;
    if (network) confine_with_network();
    int status = start_library() ? failure_set(&failure, VIRGA_INTERNAL, "netCDF-C cannot be set up") : VIRGA_OK;
    if (!status) status = confine(r->memory, &landlock, &failure);
    if (status) {
        fprintf(stderr, "virga-reader: %s\n", failure.message);
        return 1;
    }
    status = greet(r, landlock);
    while (!status) status = answer_one(r);
    return status == VIRGA_GONE ? 0 : 1;
}

int main(int argc, char **argv) {
    if (argc == 2 && !strcmp(argv[1], "--self-test")) _exit(reader_selftest());
    if (argc == 3 && !strcmp(argv[1], "--self-test") && !strcmp(argv[2], "dap")) _exit(reader_selftest_dap());
    bool network = argc == 4 && !strcmp(argv[3], "dap");
    if (argc != 3 && !network) {
        fprintf(stderr, "virga-reader is started by virga, not by hand\n");
        return 2;
    }
    _exit(run(argv[1], argv[2], network));  // the libraries' own tidying may need calls that are no longer allowed
}
