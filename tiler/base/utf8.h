// SPDX-License-Identifier: Apache-2.0
// Text that came from outside, made safe to print and to put into JSON.
#ifndef VIRGA_BASE_UTF8_H
#define VIRGA_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

// Bytes (1 to 4) of the well-formed UTF-8 character at the zero-terminated text's start, the zero byte included as one
// character of 1; 0 where the bytes are no UTF-8.
size_t utf8_length(const char *text);
// Replaces control characters by spaces and bytes that are no UTF-8 by '?', in place.
void utf8_clean(char *text);
// Replaces bytes that are no UTF-8 by '?', in place; line ends and tabs stay.
void utf8_repair(char *text);
bool utf8_valid(const char *text);
// Writes Latin-1 text as UTF-8, zero-terminated; out has room for 2 * strlen(text) + 1 bytes.
void utf8_from_latin1(const char *text, char *out);

#endif
