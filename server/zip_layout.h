// SPDX-License-Identifier: Apache-2.0
// Where what lies in a zip of stored (not compressed) files, so that any range of it can be made from the files without making the rest.
// ZIP64 where it is needed (APPNOTE.TXT 6.3.10, 4.3.14 and 4.5.3). The same entries give the same bytes: every time is 1980-01-01. Pure: one thread at a
// time while entries are added, then any.
#ifndef VIRGA_SERVER_ZIP_LAYOUT_H
#define VIRGA_SERVER_ZIP_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

enum { ZIP_NAME_MAX = 255, ZIP_PIECE_MAX = 512 };

struct zip_layout;

// A run of bytes: `bytes` where `count` ≤ ZIP_PIECE_MAX bytes are the zip's own, else `count` bytes of entry `entry` from `from` on.
struct zip_piece {
    uint64_t count;
    const uint8_t *bytes;  // in `room`, or NULL for an entry's
    size_t entry;
    uint64_t from;
    uint8_t room[ZIP_PIECE_MAX];
};

// NULL when out of memory.
struct zip_layout *zip_layout_new(void);
void zip_layout_free(struct zip_layout *zip);
// Adds a file of `size` bytes with this CRC-32. VIRGA_INVALID: the name is empty, longer than ZIP_NAME_MAX or not relative; VIRGA_TOO_LARGE; VIRGA_NO_MEMORY.
int zip_layout_add(struct zip_layout *zip, const char *name, uint64_t size, uint32_t crc);
// Bytes of the whole.
uint64_t zip_layout_size(const struct zip_layout *zip);
const char *zip_layout_name(const struct zip_layout *zip, size_t entry);
// A number that differs, but for chance, where any entry differs.
uint64_t zip_layout_hash(const struct zip_layout *zip);
// The run that begins at byte `at`. VIRGA_NOT_FOUND at the end and beyond.
int zip_layout_piece(const struct zip_layout *zip, uint64_t at, struct zip_piece *piece);

#endif
