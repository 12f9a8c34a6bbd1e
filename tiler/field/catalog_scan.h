// SPDX-License-Identifier: Apache-2.0
// From configured paths to opened files.
#ifndef VIRGA_FIELD_CATALOG_SCAN_H
#define VIRGA_FIELD_CATALOG_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "field/catalog.h"
#include "field/cf_file.h"
#include "source/source.h"

struct scanned_file {
    char *path;            // as found; where that is a link to a file, what it points at
    dev_t device;
    ino_t inode;           // 0 when there is no file
    const char *base;      // the folder its configured path stands for, owned by scanned_files
    struct cf_file *file;  // NULL when it could not be read: then failure says why
    struct failure failure;
};

// A configured path stands for a folder: itself, or the one that holds the file, or the one before a glob's first
// wildcard; made absolute by its text alone, so that a link to the newest run keeps its name. What one folder's paths find
// belongs together, whether they were given as a folder, a glob or, by the shell, as many files.
struct scanned_files {
    size_t count;
    struct scanned_file *files;
    size_t base_count;
    char **bases;
};

// Files under paths: a file, a folder that is a Zarr store (which counts as a file), any other folder (searched through; files that
// are neither netCDF, HDF5, GRIB nor UM files by their first bytes or their names are passed over in it), or a glob. An address of a dataset
// (source_address.h) counts as one file, stands for what comes before its last slash or its first wildcard, and is not looked into. Opens them in parallel through
// the pool. Paths that name nothing get an entry with a failure.
int catalog_scan(struct source_pool *pool, const char *const *paths, size_t path_count, const struct catalog_options *options,
                 struct scanned_files *files, struct failure *failure);
void scanned_files_destroy(struct scanned_files *files);

#endif
