// SPDX-License-Identifier: Apache-2.0
#include "source/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/clock.h"
#include "source/source_address.h"
#include "source/source_broker.h"
#include "source/source_index.h"
#include "source/source_of_engine.h"
#include "source/source_pool.h"
#include "source/source_proxy.h"
#include "source/source_store.h"

static const uint64_t ADDRESS_DEVICE = UINT64_MAX;  // of identities that are no file's
static const int64_t LOOK_AGAIN_MS = 60000;

struct source {  // immutable but for the count and the looks
    atomic_size_t references;
    struct source_pool *pool;   // the owner, or of an address the owner's for those
    struct source_pool *owner;  // one reference
    char *path;
    struct source_identity identity;  // of an address: its hash for the inode, its contents' token for the size
    struct source_store *store;  // NULL for a file
    bool address;
    struct source_of_engine engine;  // `engine` in it is NULL where readers opened it
    atomic_int_fast64_t looked_ms;    // when its list of contents was last looked at; addresses only, as is the next
    atomic_int_fast64_t looks;        // how often: a child that has it open from an earlier look opens it anew
    struct arena arena;  // holds the inventory
    struct source_inventory inventory;
};

size_t source_type_size(enum source_type type) {
    static const unsigned char sizes[] = {1, 1, 2, 2, 4, 4, 8, 8, 4, 8, 1, 0, 0};
    return (unsigned)type < sizeof sizes ? sizes[type] : 0;
}

static struct source_identity identity_of(const struct stat *s) {
    return (struct source_identity){.device = s->st_dev, .inode = s->st_ino, .size = (uint64_t)s->st_size,
                                    .mtime_ns = (int64_t)s->st_mtim.tv_sec * 1000000000 + s->st_mtim.tv_nsec};
}

static const char *kind_of_file(mode_t mode) {
    return S_ISDIR(mode) ? "a folder" : S_ISFIFO(mode) ? "a pipe" : S_ISSOCK(mode) ? "a socket" : "a device";
}

static int kind_failure(const char *path, mode_t mode, struct failure *failure) {
    if (S_ISLNK(mode))
        return failure_set(failure, VIRGA_UNSUPPORTED, "%s: is a symbolic link; name the file that it points at", path);
    return failure_set(failure, VIRGA_UNSUPPORTED, "%s: is %s, not a file", path, kind_of_file(mode));
}

static bool may_be_lent(int fd, const struct stat *s) {
    return S_ISREG(s->st_mode) || (S_ISDIR(s->st_mode) && source_store_at(fd));
}

// Opens a regular file, or a folder that is a store, to lend to a child; never waits for a pipe's writer and never follows a link
// at the path's end. What the path names is looked at first, since opening a device may set it going, and again once open.
static int open_file(const char *path, int *fd, struct stat *s, struct failure *failure) {
    *fd = -1;
    if (!lstat(path, s) && !S_ISREG(s->st_mode) && !S_ISDIR(s->st_mode)) return kind_failure(path, s->st_mode, failure);
    *fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
    if (*fd < 0 && errno == ELOOP) return kind_failure(path, S_IFLNK, failure);
    if (*fd < 0 && (errno == ENOENT || errno == ENOTDIR)) return failure_set(failure, VIRGA_NOT_FOUND, "%s: no such file", path);
    if (*fd < 0 || fstat(*fd, s)) {
        int error = errno;
        if (*fd >= 0) close(*fd);
        *fd = -1;
        return failure_set(failure, VIRGA_IO, "%s: cannot be opened: %s", path, strerror(error));
    }
    if (may_be_lent(*fd, s)) return VIRGA_OK;
    close(*fd);
    *fd = -1;
    return kind_failure(path, s->st_mode, failure);
}

static int changed_failure(const char *path, struct failure *failure) {
    return failure_set(failure, VIRGA_CHANGED, "%s: the file changed since it was opened; start again to see it as it is now", path);
}

static int check_unchanged(const struct source *source, int fd, struct failure *failure) {
    struct stat s;
    if (fstat(fd, &s)) return failure_set(failure, VIRGA_IO, "%s: %s", source->path, strerror(errno));
    struct source_identity now = source->store ? source_store_identity(source->store, fd) : identity_of(&s);
    return source_identity_equal(&now, &source->identity) ? VIRGA_OK : changed_failure(source->path, failure);
}

// The same file, as it was when it was opened: by path for a replaced one, by time and size for one written to.
static int reopen_file(const struct source *source, int *fd, struct failure *failure) {
    struct stat s;
    int status = open_file(source->path, fd, &s, failure);
    if (status == VIRGA_NOT_FOUND) return failure_set(failure, VIRGA_CHANGED, "%s: the file is gone since it was opened", source->path);
    if (status) return status;
    status = S_ISDIR(s.st_mode) == (source->store != NULL) ? check_unchanged(source, *fd, failure) :
                                                             changed_failure(source->path, failure);
    if (!status) return VIRGA_OK;
    close(*fd);
    *fd = -1;
    return status;
}

// Opens the file for the first time, and learns what it will be known by.
static int meet_file(struct source *source, int *fd, struct failure *failure) {
    struct stat s;
    struct failure why;
    int status = open_file(source->path, fd, &s, failure);
    if (status) return status;
    source->identity = identity_of(&s);
    if (!S_ISDIR(s.st_mode)) return VIRGA_OK;
    status = source_store_new(*fd, &source->store, &why);
    if (status) return failure_set(failure, status, "%s: %s", source->path, why.message);
    source->identity = source_store_identity(source->store, *fd);
    return VIRGA_OK;
}

bool source_identify(const char *path, struct source_identity *identity) {
    struct stat s;
    struct source_store *store = NULL;
    int fd;
    if (stat(path, &s)) return false;
    *identity = identity_of(&s);
    if (!S_ISDIR(s.st_mode)) return true;
    if ((fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) return false;
    int status = source_store_new(fd, &store, NULL);
    if (!status) *identity = source_store_identity(store, fd);
    source_store_free(store);
    close(fd);
    return !status;
}

// What a request expects, for the check of its answer.
struct expected {
    enum source_message_kind kind;
    struct source *source;                  // INVENTORY goes to it
    const struct source_slab_shape *shape;  // SLAB: what it must say
    struct failure theirs;                  // FAILURE: the child's own
    uint64_t token;                         // of the answer
    uint64_t key;                           // SLAB: what the request is remembered by where it harms a library
};

static int take_inventory(struct source *source, const uint8_t *body, size_t bytes) {
    const struct source_limits *limits = source_pool_limits(source->pool);
    struct source_inventory *inventory = &source->inventory;
    int status = source_decode_inventory(body, bytes, &source->arena, inventory);
    if (!status && inventory->index_bytes)  // not kept: the next opening takes longer
        source_index_keep(limits->index_folder, &source->identity, inventory->index, inventory->index_bytes, limits->max_index_bytes);
    inventory->index = NULL;
    inventory->index_bytes = 0;
    return status;
}

static int check_failure(struct expected *e, struct source_answer *answer) {
    int status = source_decode_failure(answer->body, answer->header.body_bytes, &e->theirs, &answer->retire);
    if (!status && answer->retire && e->kind == SOURCE_SLAB && !e->source->address)
        source_condemned_fail_slab(source_pool_condemned(e->source->pool), e->key, &e->theirs, clock_monotonic());
    return status;
}

static int check_answer(void *context, struct source_answer *answer) {
    struct expected *e = context;
    const uint8_t *body = answer->body;
    size_t bytes = answer->header.body_bytes;
    struct source_slab_answer slab;
    e->token = source_inventory_token(body, bytes);
    if (answer->header.kind == SOURCE_FAILURE) return check_failure(e, answer);
    if (answer->header.kind != e->kind) return VIRGA_INVALID;
    if (e->kind == SOURCE_INVENTORY) return take_inventory(e->source, body, bytes);
    if (source_decode_slab(body, bytes, &slab)) return VIRGA_INVALID;
    bool right = slab.type == e->shape->type && slab.elements == e->shape->elements && slab.bytes == e->shape->bytes;
    return right ? VIRGA_OK : VIRGA_INVALID;
}

// What the proxy knows about it says more than the library's words or a child's late answer.
static int explain_network(const struct source *source, const struct source_question *question, const struct failure *theirs, int status,
                           struct failure *failure) {
    struct failure why;
    if (status == VIRGA_CANCELLED || status == VIRGA_NO_MEMORY) return status;
    if (source_proxy_reason(source_pool_proxy(source->pool), question->request, &why))
        return failure_set(failure, why.status, "%s: %s", source->path, why.message);
    if (status == VIRGA_UNREADABLE && !strncasecmp(source->path, "https", 5))
        return failure_set(failure, status, "%s: %s (or its certificate is not one that this machine trusts)", source->path,
                           theirs->message);
    if (status == VIRGA_TIMED_OUT) return failure_set(failure, status, "%s: it was not read within %g s", source->path, question->seconds);
    return status;
}

static int check_condemned(const struct source *source, bool reading, struct failure *failure) {
    struct failure why;
    struct source_condemned *table = source_pool_condemned(source->pool);
    if (!source_condemned_find(table, &source->identity, reading, clock_monotonic(), &why)) return VIRGA_OK;
    return failure_set(failure, why.status, "%s: %s", source->path, why.message);
}

bool source_reduces_early(const struct source *source) { return source->engine.engine != NULL; }

bool source_is_condemned(const struct source *source, struct failure *failure) { return check_condemned(source, true, failure) != VIRGA_OK; }

// Sends the question's frame (freed here) and turns a child's failure into this request's.
static int ask(struct source_pool *pool, const struct source *source, struct source_question *question,
               struct expected *expected, struct failure *failure) {
    struct source_answer answer = {0};
    struct source_broker broker = {.folder = source->store ? question->fds[0] : -1, .index_folder = source_pool_limits(pool)->index_folder,
                                   .identity = &source->identity, .proxy = source_pool_proxy(pool), .request = question->request};
    question->broker = &broker;
    question->about = source->path;
    question->check = check_answer;
    question->context = expected;
    int status = source_pool_ask(pool, &source->identity, question, &answer, failure);
    bool theirs = !status && answer.header.kind == SOURCE_FAILURE;
    free(answer.body);
    source_frame_free(&question->frame);
    if (theirs) status = failure_set(failure, expected->theirs.status, "%s: %s", source->path, expected->theirs.message);
    return status && source->address ? explain_network(source, question, &expected->theirs, status, failure) : status;
}

// The identity that a child knows a source by now.
static struct source_identity identity_now(const struct source *source) {
    struct source_identity identity = source->identity;
    if (source->address) identity.mtime_ns = atomic_load(&source->looks);
    return identity;
}

static int ask_inventory(struct source *source, int fd, struct failure *failure) {
    const struct source_limits *limits = source_pool_limits(source->pool);
    struct source_question question = {.request = source_pool_next_request(source->pool), .fds = {fd, -1}, .fd_count = fd >= 0,
                                       .seconds = limits->open_seconds, .max_body = limits->max_inventory_bytes};
    struct expected expected = {.kind = SOURCE_INVENTORY, .source = source};
    struct source_open *open = calloc(1, sizeof *open);
    if (!open) return failure_set(failure, VIRGA_NO_MEMORY, "%s: out of memory", source->path);
    open->identity = identity_now(source);
    open->max_inventory_bytes = limits->max_inventory_bytes;
    snprintf(open->path, sizeof open->path, "%s", source->path);
    int status = source_encode_open(question.request, open, &question.frame);
    free(open);
    if (status) return failure_set(failure, status, "%s: out of memory", source->path);
    status = ask(source->pool, source, &question, &expected, failure);
    if (!status && source->address) source->identity.size = expected.token;
    return status;
}

static int open_address(struct source *source, struct failure *failure) {
    struct source_url url;
    struct failure why;
    int status = source_url_parse(source->path, &url, &why);
    if (!status) status = source_pool_for_address(source->pool, &url, &source->pool, &why);
    if (status) return failure_set(failure, status, "%s: %s", source->path, why.message);
    source->identity = (struct source_identity){.device = ADDRESS_DEVICE, .inode = XXH3_64bits(source->path, strlen(source->path))};
    atomic_store(&source->looked_ms, (int64_t)(clock_monotonic() * 1000));
    status = check_condemned(source, false, failure);
    return status ? status : ask_inventory(source, -1, failure);
}

// Whether an address still lists what it did; asked once a minute, by whoever reads then. Another one goes on meanwhile.
static int look_again(struct source *source, struct failure *failure) {
    int_fast64_t now = (int64_t)(clock_monotonic() * 1000), before = atomic_load(&source->looked_ms);
    if (now - before < LOOK_AGAIN_MS || !atomic_compare_exchange_strong(&source->looked_ms, &before, now)) return VIRGA_OK;
    struct source look = {.pool = source->pool, .path = source->path, .address = true, .identity = source->identity,
                          .arena.limit = source->arena.limit};
    look.identity.size = 0;
    atomic_init(&look.looks, atomic_load(&source->looks) + 1);
    int status = ask_inventory(&look, -1, failure);
    arena_destroy(&look.arena);
    if (status) return status;
    if (look.identity.size != source->identity.size) {
        atomic_store(&source->looked_ms, 0);  // the next one finds the same
        return failure_set(failure, VIRGA_CHANGED, "%s: the dataset changed since it was opened; start again to see it as it is now", source->path);
    }
    atomic_store(&source->looks, atomic_load(&look.looks));
    return VIRGA_OK;
}

// ---- what an engine opens ----

// The pool is ending, or has ended.
static int refuse_to_read(const struct source *source, struct failure *failure) {
    return failure_set(failure, VIRGA_CANCELLED, "%s: not read, its engine is ending", source->path);
}

static int list_by_engine(struct source *source, const char *address, struct failure *failure) {
    const struct source_limits *limits = source_pool_limits(source->pool);
    struct failure why;
    const atomic_bool *stop = source_pool_begin(source->pool);
    if (!stop) return refuse_to_read(source, failure);
    int status = source_of_engine_init(&source->engine, source_pool_engine(source->pool), address, source_pool_seed(source->pool), &why);
    if (!status) status = source_of_engine_list(&source->engine, limits->max_inventory_bytes, stop, &source->arena, &source->inventory, &why);
    source_pool_end(source->pool);
    source->identity = source->engine.identity;
    return status ? failure_set(failure, status, "%s: %s", source->path, why.message) : VIRGA_OK;
}

// A file or folder that readers do not read, as an address of this kind.
static int list_file_by_engine(struct source *source, const char *kind, struct failure *failure) {
    struct failure why;
    char *address = NULL, *whole = NULL;
    struct source_engine *engine = source_pool_engine(source->pool);
    if (source_engine_installed(engine, &why)) return failure_set(failure, VIRGA_UNSUPPORTED, "%s: is read through the engine: %s", source->path, why.message);
    whole = realpath(source->path, NULL);
    int status = whole && asprintf(&address, "%s:%s", kind, whole) >= 0 ? list_by_engine(source, address, failure) :
                 failure_set(failure, VIRGA_NO_MEMORY, "%s: out of memory", source->path);
    free(whole);
    free(address);
    return status;
}

// A field that readers list and cannot read, since they lack its codec.
static bool lacks_codec(const struct source *source) {
    for (size_t i = 0; source->store && i < source->inventory.variable_count; i++)
        if (source->inventory.variables[i].type == SOURCE_OTHER && source->inventory.variables[i].rank >= 2) return true;
    return false;
}

// Of a store that readers refuse, or of which they read only a part, the engine reads all. What readers said stands where there is no engine.
static int turn_to_engine(struct source *source, int status, struct failure *failure) {
    bool refused = source->store && status == VIRGA_UNSUPPORTED, partly = !status && lacks_codec(source);
    if (!refused && !partly) return status;  // the pool may have ended meanwhile
    struct source_engine *engine = source_pool_engine(source->pool);
    struct failure missing;
    if (!engine) return status;
    if (source_engine_installed(engine, &missing)) {
        struct failure said = *failure;
        return status ? failure_set(failure, status, "%.220s; the engine reads it, but %s", said.message, missing.message) : status;
    }
    source_store_free(source->store);
    source->store = NULL;
    arena_destroy(&source->arena);
    return list_file_by_engine(source, "zarr", failure);
}

// Whether a path is an engine's: one that readers of OPeNDAP may ask stays theirs.
static bool is_for_engine(struct source_pool *pool, const char *path) {
    struct source_engine *engine = source_pool_engine(pool);
    struct source_url url;
    if (!engine || !source_engine_takes(engine, path)) return false;
    return source_address_has_kind(path) || source_url_parse(path, &url, NULL) || !source_pool_allows(pool, &url);
}

static int open_file_by_readers(struct source *source, struct failure *failure) {
    int fd = -1, status = meet_file(source, &fd, failure);
    if (status) return status;
    const char *kind = source->store || !source_pool_engine(source->pool) ? NULL : source_of_engine_kind(source->path, fd);
    if (!kind) status = check_condemned(source, false, failure);
    if (!kind && !status) status = ask_inventory(source, fd, failure);
    if (!kind && !status) status = check_unchanged(source, fd, failure);
    close(fd);
    return kind ? list_file_by_engine(source, kind, failure) : turn_to_engine(source, status, failure);
}

static int open_anything(struct source *source, struct failure *failure) {
    const char *path = source->path;
    if (is_for_engine(source->pool, path)) return list_by_engine(source, path, failure);
    if (source_address_has_kind(path)) return failure_set(failure, VIRGA_UNSUPPORTED, "%s: is an address for the engine, and there is none here", path);
    source->address = source_url_like(path);
    if (!source_pool_limits(source->pool)->readers)
        return failure_set(failure, VIRGA_INVALID, "%s: only addresses of an engine can be opened here", path);
    return source->address ? open_address(source, failure) : open_file_by_readers(source, failure);
}

int source_open(struct source_pool *pool, const char *path, struct source **source, struct failure *failure) {
    *source = NULL;
    if (strlen(path) > SOURCE_MAX_PATH) return failure_set(failure, VIRGA_INVALID, "%.200s…: the name is too long", path);
    struct source *s = calloc(1, sizeof *s);
    if (s) s->path = strdup(path);
    if (!s || !s->path) {
        free(s);
        return failure_set(failure, VIRGA_NO_MEMORY, "%s: out of memory", path);
    }
    s->pool = s->owner = source_pool_ref(pool);
    s->arena.limit = source_pool_limits(pool)->max_inventory_bytes * 16;  // small texts take 16 times their bytes here
    atomic_init(&s->references, 1);
    struct failure why;
    int status = open_anything(s, &why);
    if (status) failure_set(failure, status, "%s", why.message);
    if (status) source_unref(s);
    else *source = s;
    return status;
}

struct source *source_ref(struct source *source) {
    if (source) atomic_fetch_add_explicit(&source->references, 1, memory_order_relaxed);
    return source;
}

void source_unref(struct source *source) {
    if (!source || atomic_fetch_sub_explicit(&source->references, 1, memory_order_acq_rel) != 1) return;
    arena_destroy(&source->arena);
    source_store_free(source->store);
    source_of_engine_destroy(&source->engine);
    source_pool_unref(source->owner);
    free(source->path);
    free(source);
}

const char *source_path(const struct source *source) { return source->path; }
const struct source_inventory *source_inventory(const struct source *source) { return &source->inventory; }
const struct source_identity *source_identity(const struct source *source) { return &source->identity; }

const struct source_variable *source_find_variable(const struct source *source, const char *name) {
    const struct source_inventory *all = &source->inventory;
    for (size_t i = 0; i < all->variable_count; i++)
        if (!strcmp(all->variables[i].name, name)) return &all->variables[i];
    return NULL;
}

const struct source_attribute *source_find_attribute(const struct source_attribute *list, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++)
        if (!strcmp(list[i].name, name)) return &list[i];
    return NULL;
}

// Memory that a child fills; here it is only read. What is there from this source's last read is taken again: a child that went astray can only have
// changed numbers of the file that it went astray on.
static int map_slab(size_t bytes, struct source_slab *slab, const char *path, struct failure *failure) {
    if (slab->lent && slab->mapping_bytes >= bytes) return VIRGA_OK;
    source_slab_release(slab);
    slab->mapping_bytes = bytes;
    slab->mapping = MAP_FAILED;
    slab->fd = slab_memory_file(bytes);
    slab->lent = slab->fd >= 0;
    if (slab->lent) slab->mapping = mmap(NULL, bytes, PROT_READ, MAP_SHARED, slab->fd, 0);
    if (slab->mapping != MAP_FAILED) return VIRGA_OK;
    int error = errno;
    slab->mapping = NULL;
    source_slab_release(slab);
    return failure_set(failure, VIRGA_NO_MEMORY, "%s: no shared memory of %zu bytes: %s", path, bytes, strerror(error));
}

void source_slab_release(struct source_slab *slab) {
    if (slab->mapping) munmap(slab->mapping, slab->mapping_bytes);
    if (slab->lent) close(slab->fd);
    slab_memory_unref(slab->memory);
    *slab = (struct source_slab){0};
}

static int slab_shape(const struct source *source, const struct source_slab_request *request,
                      struct source_slab_shape *shape, struct failure *failure) {
    const struct source_inventory *all = &source->inventory;
    if (request->variable >= all->variable_count)
        return failure_set(failure, VIRGA_INVALID, "%s: has no variable number %zu", source->path, request->variable);
    const struct source_variable *v = &all->variables[request->variable];
    size_t lengths[SOURCE_MAX_RANK];
    for (int d = 0; d < v->rank; d++) lengths[d] = all->dimensions[v->dimensions[d]].length;
    struct failure why;
    int status = source_slab_shape(request, v->type, v->rank, lengths, source_pool_limits(source->pool)->max_slab_bytes, shape,
                                   &why);
    return status ? failure_set(failure, status, "%s: %s: %s", source->path, v->name, why.message) : VIRGA_OK;
}

// A slab that a library failed on costs a reader each time: the same request is answered from memory for a while.
static int ask_unless_failed(const struct source *source, struct source_question *question, struct expected *expected,
                             struct failure *failure) {
    struct source_condemned *table = source_pool_condemned(source->pool);
    const uint8_t *body = question->frame.data + SOURCE_HEADER_BYTES;  // the identity is in it, the request's number is not
    uint64_t key = XXH3_64bits(body, question->frame.size - SOURCE_HEADER_BYTES);
    struct failure why;
    if (source_condemned_slab_failed(table, key, clock_monotonic(), &why)) {
        source_frame_free(&question->frame);
        return failure_set(failure, why.status, "%s: %s", source->path, why.message);
    }
    expected->key = key;
    return ask(source->pool, source, question, expected, failure);
}

// fds: of the file, -1 for an address, and of the slab.
static int ask_slab(struct source *source, const struct source_slab_request *request, const int fds[2],
                    const struct source_slab_shape *shape, struct failure *failure) {
    bool file = fds[0] >= 0;
    struct source_question question = {.request = source_pool_next_request(source->pool), .fds = {fds[file ? 0 : 1], fds[1]}, .fd_count = file ? 2 : 1,
                                       .seconds = source_pool_limits(source->pool)->read_seconds,
                                       .max_body = SOURCE_MAX_REQUEST_BYTES, .reading = true};
    struct expected expected = {.kind = SOURCE_SLAB, .source = source, .shape = shape};
    struct source_read_message *message = calloc(1, sizeof *message);
    if (!message) return failure_set(failure, VIRGA_NO_MEMORY, "%s: out of memory", source->path);
    message->identity = identity_now(source);
    message->slab_bytes = shape->bytes;
    message->request = *request;
    snprintf(message->path, sizeof message->path, "%s", source->path);
    int status = source_encode_read(question.request, message, &question.frame);
    free(message);
    if (status) return failure_set(failure, status, "%s: out of memory", source->path);
    return ask_unless_failed(source, &question, &expected, failure);
}

static int read_by_engine(struct source *source, const struct source_slab_request *request, const struct source_slab_shape *shape,
                          struct source_slab *slab, struct failure *failure) {
    const char *variable = source->inventory.variables[request->variable].name;
    struct failure why;
    const atomic_bool *stop = source_pool_begin(source->pool);
    if (!stop) return refuse_to_read(source, failure);
    source_pool_count_slab(source->pool, shape->bytes);
    int status = source_of_engine_read(&source->engine, variable, request, shape, stop, slab, &why);
    source_pool_end(source->pool);
    return status ? failure_set(failure, status, "%s: %s: %s", source->path, variable, why.message) : VIRGA_OK;
}

// The file behind fd, -1 for an address, into the slab's memory.
static int read_by_readers(struct source *source, const struct source_slab_request *request, const struct source_slab_shape *shape, int fd,
                           struct source_slab *slab, struct failure *failure) {
    int status = check_condemned(source, true, failure);
    if (!status) status = map_slab(shape->bytes, slab, source->path, failure);
    if (status) return status;
    source_pool_count_slab(source->pool, shape->bytes);
    const int fds[2] = {fd, slab->fd};
    status = ask_slab(source, request, fds, shape, failure);
    return !status && fd >= 0 ? check_unchanged(source, fd, failure) : status;
}

static int read_slab(struct source *source, const struct source_slab_request *request, struct source_slab *slab, struct failure *failure) {
    struct source_slab_shape shape;
    int fd = -1, status = slab_shape(source, request, &shape, failure);
    if (!status && request->stop && atomic_load(request->stop))
        return failure_set(failure, VIRGA_CANCELLED, "%s: not read, nobody waits for it any more", source->path);
    if (!status && source->engine.engine) {
        source_slab_release(slab);
        return read_by_engine(source, request, &shape, slab, failure);
    }
    if (!status) status = source->address ? look_again(source, failure) : reopen_file(source, &fd, failure);
    if (status) return status;
    status = read_by_readers(source, request, &shape, fd, slab, failure);
    if (fd >= 0) close(fd);
    if (status) return status;
    slab->type = shape.type;
    slab->elements = shape.elements;
    slab->bytes = shape.bytes;
    slab->data = slab->mapping;
    return VIRGA_OK;
}

int source_read_again(struct source *source, const struct source_slab_request *request, struct source_slab *slab, struct failure *failure) {
    const int status = read_slab(source, request, slab, failure);
    if (status) source_slab_release(slab);
    return status;
}

int source_read(struct source *source, const struct source_slab_request *request, struct source_slab *slab,
                struct failure *failure) {
    *slab = (struct source_slab){0};
    const int status = source_read_again(source, request, slab, failure);
    if (!slab->lent) return status;
    close(slab->fd);
    slab->lent = false;
    return status;
}

bool source_reads_parts(const struct source *source, size_t variable) {
    return !source->address && !source->engine.engine && variable < source->inventory.variable_count && !source->inventory.variables[variable].chunked;
}
