// SPDX-License-Identifier: Apache-2.0
// What the reader child asks of each file format: one const table of functions a format. One thread; messages do not name
// the file (the server does).
#ifndef VIRGA_SOURCE_READER_FORMAT_H
#define VIRGA_SOURCE_READER_FORMAT_H

#include "base/arena.h"
#include "source/source_protocol.h"

struct reader_format {
    const char *name;
    // head: the file's first bytes, as many as there are up to READER_HEAD_BYTES; none of a folder.
    bool (*recognises)(int fd, const uint8_t *head, size_t bytes);
    // The descriptor stays the caller's, and open as long as *file is. memory: bytes this process may use in all.
    int (*open)(int fd, size_t memory, void **file, struct failure *failure);
    // What *inventory points at lives in the arena, whose limit bounds it, or in the file.
    int (*list)(void *file, struct arena *arena, struct source_inventory *inventory, struct failure *failure);
    // Fills `out`, which has room for exactly what source_slab_shape says and `bytes` must equal.
    int (*read)(void *file, const struct source_slab_request *request, void *out, size_t bytes,
                struct source_slab_shape *shape, struct failure *failure);
    void (*close)(void *file);
};

enum { READER_HEAD_BYTES = 16 };

extern const struct reader_format reader_netcdf, reader_grib, reader_zarr;

// What reader_netcdf.open does, by a name that netCDF-C takes and not by a file's descriptor. The same functions serve *file.
int reader_netcdf_open_name(const char *name, size_t memory, void **file, struct failure *failure);

#endif
