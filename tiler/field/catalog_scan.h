// SPDX-License-Identifier: Apache-2.0
// From configured paths to opened files.
#ifndef VIRGA_FIELD_CATALOG_SCAN_H
#define VIRGA_FIELD_CATALOG_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "field/catalog.h"
#include "field/cf_file.h"
#include "field/position_index.h"
#include "source/source.h"

struct scanned_file {
    char *path;            // as found; where that is a link to a file, what it points at
    struct source_identity stamp;  // as it was found; inode 0: there is no file
    bool left_out;         // it does not count, as if it was not there (catalog_options.is_whole)
    const char *base;      // the folder its configured path stands for, owned by scanned_files
    struct cf_file *file;  // one reference; NULL when it could not be read: then failure says why
    struct failure failure;
};

// A configured path stands for a folder: itself, or the one that holds the file, or the one before a glob's first
// wildcard; made absolute by its text alone, so that a link to the newest run keeps its name. What one folder's paths find
// belongs together, whether they were given as a folder, a glob or, by the shell, as many files.
struct scanned_files {
    size_t count, room;
    struct scanned_file *files;
    const struct catalog_options *options;  // while it is made, as is the next
    const struct scanned_files *before;  // while it is made, or NULL
    size_t opened;         // how many were opened for this, or tried to be
    struct position_index by_place, by_path;  // files with an inode by that, others by path; all by path
    size_t base_count;
    char **bases;
};

// Files under paths: a file, a folder that is a Zarr store (which counts as a file), any other folder (searched through; files that
// are neither netCDF, HDF5, GRIB nor UM files by their first bytes or their names are passed over in it), or a glob. An address of a dataset
// (source_address.h) counts as one file, stands for what comes before its last slash or its first wildcard, and is not looked into. Opens them in parallel through
// the pool. Paths that name nothing get an entry with a failure. before: what was found last time, from which files that have not changed are
// taken, or NULL.
int catalog_scan(struct source_pool *pool, const char *const *paths, size_t path_count, const struct catalog_options *options,
                 const struct scanned_files *before, struct scanned_files *files, struct failure *failure);
void scanned_files_destroy(struct scanned_files *files);

#endif
