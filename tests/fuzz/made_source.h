// SPDX-License-Identifier: Apache-2.0
// Sources made of text, in place of files: this program's source_open and source_read. A line each, words apart by blanks:
//     file                     the next file begins
//     dim NAME LENGTH
//     var TYPE NAME DIMENSION… attributes and numbers that follow are its own; before the first they are the file's
//     text NAME VALUE          an attribute, to the line's end
//     numbers NAME TYPE X…     an attribute
//     data X…                  its numbers, over and over; the last two go on as a sequence after "…"
// TYPE counts as enum source_type does. Lines that make no sense are skipped. A read outside a variable's shape aborts.
#ifndef VIRGA_TESTS_MADE_SOURCE_H
#define VIRGA_TESTS_MADE_SOURCE_H

#include "source/source.h"

enum { MADE_FILES = 3 };

// Decodes the text; made_path(n) for n below the result are paths that source_open takes. Not while sources are open.
size_t made_sources(const char *text, size_t size);
const char *made_path(size_t n);
void made_sources_clear(void);

#endif
