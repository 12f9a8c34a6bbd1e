// SPDX-License-Identifier: Apache-2.0
// The JSON documents of a Zarr store, read and turned into attributes. One thread.
#ifndef VIRGA_SOURCE_READER_ZARR_DOCUMENT_H
#define VIRGA_SOURCE_READER_ZARR_DOCUMENT_H

#include <jansson.h>

#include "base/arena.h"
#include "source/source.h"

// The document's object, freed with json_decref. NaN and Infinity, which Python writes and JSON has not, are read as null.
// VIRGA_NOT_FOUND where there is no such file; VIRGA_UNREADABLE, VIRGA_TOO_LARGE; messages name the file by `name`.
int reader_zarr_document(const char *path, const char *name, json_t **document, struct failure *failure);

// Likewise, of text at hand.
int reader_zarr_document_parse(const char *text, size_t size, const char *name, json_t **document, struct failure *failure);

// One attribute, in the arena. VIRGA_UNSUPPORTED where no netCDF attribute is like it (an object, a mixed list), VIRGA_NO_MEMORY.
int reader_zarr_attribute(const char *name, const json_t *value, struct arena *arena, struct source_attribute *attribute);

#endif
