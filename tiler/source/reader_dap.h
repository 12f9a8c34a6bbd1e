// SPDX-License-Identifier: Apache-2.0
// Datasets behind OPeNDAP (DAP2) through netCDF-C and libcurl, in a reader of its own kind that has no network but the
// server's proxy.
#ifndef VIRGA_SOURCE_READER_DAP_H
#define VIRGA_SOURCE_READER_DAP_H

#include "source/reader_format.h"

// Before the libraries are set up: all they ask for goes to a proxy, no settings of a user's or a folder's are read.
int reader_dap_prepare(void);
// Opens the dataset at an address. token: of its list of contents as the server knows it (source_inventory_token), 0 for a
// first opening; VIRGA_GONE where it is another by now. Otherwise as reader_format's.
int reader_dap_open(const char *address, uint64_t token, size_t memory, void **file, struct failure *failure);

extern const struct reader_format reader_dap;  // list, read and close only

#endif
