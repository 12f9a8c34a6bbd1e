// SPDX-License-Identifier: Apache-2.0
// What a configured path may be beside a file's: an address. Text only: nothing is looked up or connected to. Any thread.
//
// Those that only an engine opens are KIND:PLACE, with the kinds zarr, xarray (netCDF by paths, globs or addresses), grib (cfgrib), iris
// (PP, fields files, whatever Iris opens), kerchunk, published (a dataset's name on the scheduler) and notebook (one that the engine on the other end
// of an inherited socket has). A file of such a name is meant by ./NAME.
#ifndef VIRGA_SOURCE_SOURCE_ADDRESS_H
#define VIRGA_SOURCE_SOURCE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

// Whether a path is any address, of a kind above or SCHEME://…, and no file's name.
bool source_address_like(const char *path);
// Whether it is of a kind above.
bool source_address_has_kind(const char *path);
// Whether it is SCHEME://… of one of the schemes ("s3"); letters of either case.
bool source_address_has_scheme(const char *path, const char *const *schemes, size_t count);

// The address with a relative path in it made absolute by its text alone (zarr, xarray, grib, iris and kerchunk, where what follows is no
// SCHEME://…); any other text as it is. NULL without memory; the caller frees it.
char *source_address_absolute(const char *path);
// What stands for its folder: up to the last slash before a query or the first wildcard, with the kind; the whole where there is none. As above.
char *source_address_base(const char *path);
// Bytes up to the colon that ends an address in a list "A:B:C", the kind's, the scheme's and the port's own colons passed over; 0 where the
// list begins with no address.
size_t source_address_length(const char *list);

#endif
