// SPDX-License-Identifier: Apache-2.0
// Why a variable's columns make no grid of two axes, in words: meshes, tiles, lists of places. Any thread.
#ifndef VIRGA_FIELD_CF_UNPLACED_H
#define VIRGA_FIELD_CF_UNPLACED_H

#include <stdbool.h>

#include "source/source.h"

// Fills reason (and returns true) where the file tells that the variable stands on such columns; leaves it else.
bool cf_unplaced(const struct source *source, const struct source_variable *variable, char reason[256]);

#endif
