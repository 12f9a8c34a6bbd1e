// SPDX-License-Identifier: Apache-2.0
// The header of a netCDF classic, 64-bit offset or CDF-5 file, held against the file's size: netCDF-C believes what it
// claims (and allocates it), and reads zeros where a truncated file has nothing. One thread.
#ifndef VIRGA_SOURCE_READER_CLASSIC_H
#define VIRGA_SOURCE_READER_CLASSIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct reader_classic_variable {
    uint64_t begin;  // of its first number, or of its part of the first record
    bool record;     // its slowest dimension is the unlimited one
};

struct reader_classic {  // zeroed: not a classic file, nothing is checked
    uint64_t file_bytes, record_bytes;
    size_t variable_count;
    struct reader_classic_variable *variables;  // as the library numbers them
};

// Reads and checks the header of the file at fd. VIRGA_UNREADABLE with a message where it claims more than the file can
// hold; VIRGA_OK and *header empty where the file does not begin with "CDF".
int reader_classic_open(int fd, struct reader_classic *header, struct failure *failure);
void reader_classic_close(struct reader_classic *header);

// Whether the file reaches as far as the last number of a slab of a variable of this shape.
bool reader_classic_holds(const struct reader_classic *header, size_t variable, int rank, const size_t *lengths,
                          const size_t *start, const size_t *count, size_t type_bytes);

#endif
