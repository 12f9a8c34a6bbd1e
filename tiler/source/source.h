// SPDX-License-Identifier: Apache-2.0
// A source answers as a netCDF file does: it lists dimensions, variables, attributes and chunk shapes, and reads
// hyperslabs of raw stored numbers, optionally reduced before they travel. It knows nothing of their meaning.
// Sources live in child processes (reader children, the engine child) behind one protocol, SOURCE_PROTOCOL.md.
#ifndef VIRGA_SOURCE_SOURCE_H
#define VIRGA_SOURCE_SOURCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/status.h"

enum { SOURCE_MAX_RANK = 16, SOURCE_MAX_NAME = 256 };

enum source_type {  // of stored numbers, native byte order in slabs
    SOURCE_I8, SOURCE_U8, SOURCE_I16, SOURCE_U16, SOURCE_I32, SOURCE_U32, SOURCE_I64, SOURCE_U64, SOURCE_F32, SOURCE_F64,
    SOURCE_CHAR,    // one byte a character (fixed-length strings such as WRF's Times)
    SOURCE_STRING,  // attributes only: text; variables of this type cannot be read as slabs
    SOURCE_OTHER,   // compound, opaque, …: listed, never read
};

// Bytes of one stored number of this type; 0 for SOURCE_STRING and SOURCE_OTHER.
size_t source_type_size(enum source_type type);

// All text in an inventory is valid UTF-8: what a file holds in Latin-1 is converted, and what is neither shows '?'.
struct source_attribute {
    char *name;
    enum source_type type;
    size_t count;     // numbers in values, or bytes in text
    char *text;       // zero-terminated for SOURCE_CHAR and SOURCE_STRING (first string of an array), else NULL
    double *numbers;  // values as double for numeric types, else NULL
    int64_t *integers;  // the exact values for integer types, else NULL; SOURCE_U64 above INT64_MAX wraps
};

struct source_dimension {
    char *name;  // "group/name" below the root group
    size_t length;
    bool unlimited;
};

struct source_variable {
    char *name;  // "group/name" below the root group
    enum source_type type;
    int rank;                            // 0 for a scalar
    size_t dimensions[SOURCE_MAX_RANK];  // indices into the inventory's dimensions, slowest first
    size_t chunk[SOURCE_MAX_RANK];       // stored chunk shape; the whole shape where storage is contiguous
    bool chunked;
    bool has_netcdf_fill;                // netcdf_fill marks what was never written (false where _FillValue is set, for
                                         // one-byte types and where the file says that nothing is filled)
    double netcdf_fill;                  // the library's default fill of the type, or NaN where !has_netcdf_fill
    size_t attribute_count;
    struct source_attribute *attributes;
};

struct source_inventory {  // immutable once returned
    size_t dimension_count;
    struct source_dimension *dimensions;
    size_t variable_count;
    struct source_variable *variables;
    size_t attribute_count;  // global
    struct source_attribute *attributes;
    char *format;            // "netCDF-4", "netCDF classic", …
    size_t note_count;       // what was left out and why ("variable x: compound type"), for the problems list
    char **notes;
    // What the reader wants kept for the file's next opening, which is then fast: opaque bytes, or NULL and 0. Only between a
    // child and source.c; a source that is open has none.
    const uint8_t *index;
    size_t index_bytes;
};

// Of a file, for editions and to notice replacement. Of a store (a folder of many files): device and inode of the folder, and in
// size and mtime_ns a hash over name, inode, size and modification time of its groups' and arrays' folders and of the documents
// (.zgroup, .zarray, .zattrs, …) in them. So a document that changes, and a chunk that is added, removed or put in place by renaming
// are noticed; a chunk that is overwritten where it is, or in a folder below its array's, is not.
struct source_identity {
    uint64_t device, inode, size;
    int64_t mtime_ns;
};

struct slab_memory;
struct source_pool;  // the reader children; any thread
struct source;       // one opened file; any thread; immutable

struct source_limits {
    int readers;               // children, 1 to 64
    double open_seconds;       // to list a file
    double read_seconds;       // to read a slab
    size_t child_memory;       // bytes of address space or resident size of a child
    size_t max_slab_bytes;     // of one read's answer
    size_t max_inventory_bytes;
    const char *index_folder;  // (copied) where what readers want remembered of files is kept, or NULL: nowhere (source_index.h)
    size_t max_index_bytes;    // of all that together
};

void source_limits_default(struct source_limits *limits);

// reader_path: the virga-reader program, or NULL to look beside this program. Children start at once.
int source_pool_new(const char *reader_path, const struct source_limits *limits, struct source_pool **pool,
                    struct failure *failure);
// Which hosts may be asked for datasets behind OPeNDAP ("host" for the usual ports, or "host:port"): none before this, and a path that is
// an address (source_url.h) is refused. At most once, before any is opened. VIRGA_INVALID names one that is no host.
int source_pool_allow_hosts(struct source_pool *pool, const char *const *hosts, size_t count, struct failure *failure);
// The engine (source_engine.h) that opens what readers cannot; it is freed after the pool. At most once, before anything is opened.
struct source_engine;
void source_pool_set_engine(struct source_pool *pool, struct source_engine *engine);
// A pool without readers, which opens nothing but addresses that the engine takes: of one person's own engine, say. Only the sizes of limits count. Its
// sources have identities that no other pool's have, so that nothing made from them is taken for another person's.
int source_pool_new_engine(struct source_engine *engine, const struct source_limits *limits, struct source_pool **pool, struct failure *failure);
// Any thread. Ends what is being read and refuses what comes later (VIRGA_CANCELLED), so that a program that ends waits for
// no disk. source_pool_free is still to be called.
void source_pool_stop(struct source_pool *pool);
// Waits for running requests; NULL allowed. Sources may be unreferenced later; what is read from them then is refused (VIRGA_CANCELLED).
void source_pool_free(struct source_pool *pool);
// Children replaced since start because they died, were late or had met a malformed file: for metrics and tests.
size_t source_pool_restarts(struct source_pool *pool);
int source_pool_readers(const struct source_pool *pool);
// Any thread. VIRGA_IO with the reason while there is no child and none can be started.
int source_pool_check(struct source_pool *pool, struct failure *failure);

// A file that harmed its reader when it was listed, and is not listed again until its identity changes.
struct source_condemnation {
    struct source_identity identity;
    int status;
    char words[256];  // the failure, without the file's name
};

// What harms readers is remembered in the pool by identity and refused at once, with the words of its failure: a file that ended a
// child when it was listed, or two when it was read; for 10 minutes where the children were merely late. So asking for it in a loop costs
// a bounded number of children.
// told: called when a file was condemned, on the thread that asked for it. Set it before anything is opened.
void source_pool_on_condemned(struct source_pool *pool, void (*told)(void *context), void *context);
// How many were, so far: when it grows, source_is_condemned may have changed.
size_t source_pool_condemned_count(struct source_pool *pool);
// Those condemned for good when they were listed, to be kept over a restart: fills list, at most `room`, and returns how many.
size_t source_pool_save_condemned(struct source_pool *pool, struct source_condemnation *list, size_t room);
void source_pool_load_condemned(struct source_pool *pool, const struct source_condemnation *list, size_t count);
// Bytes of slabs asked for since start: likewise.
uint64_t source_pool_slab_bytes(struct source_pool *pool);

// Whether the folder at this path is a store (Zarr), which source_open takes as it takes a file; false for all else.
bool source_is_store(const char *path);

// What a file, or a store, would be known by if it was opened now: it is looked at, and no child is asked. False where there is none.
bool source_identify(const char *path, struct source_identity *identity);
bool source_identity_equal(const struct source_identity *a, const struct source_identity *b);

// path: of a file; an address of a dataset behind OPeNDAP, http or https; or an address that an engine opens (source_address.h), where the
// pool has one (source_engine.h). A Zarr store that readers cannot read (also one in a .zarr.zip), and a UM file (.pp, .ff, or by its first bytes) go to the engine, too. Of
// what an engine opens the identity is made from the address and from all that its list of contents says, with a token of the data's edition. Of an address the identity is made from it and from all
// that its list of contents says (DDS and DAS); a dataset is taken for changed when that list is another one, which is looked at when it is
// read and the last look is a minute ago. Values that are replaced under the same list are not noticed.
// Blocks until a child has listed the file (metadata only). *source is refcounted; the caller owns one reference.
// Failure messages name the file.
int source_open(struct source_pool *pool, const char *path, struct source **source, struct failure *failure);
struct source *source_ref(struct source *source);
void source_unref(struct source *source);

// Whether a reduction (REDUCE_STRIDE, REDUCE_MEAN) of a large part costs far less than reading that part: of an engine's sources.
bool source_reduces_early(const struct source *source);

// Whether reading from this source is refused now, since it harmed readers; *failure says why and names the file.
bool source_is_condemned(const struct source *source, struct failure *failure);

const char *source_path(const struct source *source);
const struct source_inventory *source_inventory(const struct source *source);
const struct source_identity *source_identity(const struct source *source);
const struct source_variable *source_find_variable(const struct source *source, const char *name);
const struct source_attribute *source_find_attribute(const struct source_attribute *list, size_t count, const char *name);

enum source_reduction { REDUCE_NONE, REDUCE_STRIDE, REDUCE_MEAN };

struct source_slab_request {
    size_t variable;  // index in the inventory
    int rank;
    size_t start[SOURCE_MAX_RANK], count[SOURCE_MAX_RANK];  // in stored points, slowest first
    enum source_reduction reduction;
    size_t block[SOURCE_MAX_RANK];  // ≥ 1 a dimension for REDUCE_STRIDE and REDUCE_MEAN; the last block may be partial
    size_t lead[SOURCE_MAX_RANK];   // for REDUCE_MEAN, where start is 0: so many points (fewer than a block) are lacking from the first block
    // For REDUCE_MEAN: which stored numbers are absent (compared after conversion to double; NaN always is) and packing.
    int missing_count;
    double missing[4];
    double scale, offset;  // mean, min and max are of stored * scale + offset
    // Or NULL. Once true, reading is given up: VIRGA_CANCELLED. An engine is told, so that its cluster works no longer on it; a reader that
    // has begun reads to its end.
    const atomic_bool *stop;
};

// A slab's numbers, in memory that the child filled and this process owns. REDUCE_NONE and REDUCE_STRIDE: `type`
// numbers in row-major order. REDUCE_MEAN: `type` is SOURCE_F64 and four consecutive arrays of `elements` doubles:
// mean (NaN where nothing is present), min, max, count of present values.
struct source_slab {
    enum source_type type;
    size_t elements;  // of one array
    const void *data;
    size_t bytes;
    void *mapping;  // for source_slab_release only, as are the next two
    size_t mapping_bytes;
    struct slab_memory *memory;
    bool lent;      // its memory may be read into again, by fd
    int fd;
};

// Blocks until read. Any thread; as many run in parallel as there are readers, or of an engine 64. The file is reopened by a child when
// needed and its identity checked: VIRGA_CHANGED if it changed. VIRGA_TIMED_OUT, VIRGA_UNREADABLE, VIRGA_TOO_LARGE as named.
int source_read(struct source *source, const struct source_slab_request *request, struct source_slab *slab,
                struct failure *failure);
// The same into the memory of an earlier slab of the same source, where there is one that is large enough: making memory costs more than filling it. *slab is
// zeroed, or was given by this function for this source; released where it fails.
int source_read_again(struct source *source, const struct source_slab_request *request, struct source_slab *slab, struct failure *failure);
// Whether parts of a variable cost no more than the whole: it is a file's, and is not stored in chunks.
bool source_reads_parts(const struct source *source, size_t variable);
void source_slab_release(struct source_slab *slab);

#endif
