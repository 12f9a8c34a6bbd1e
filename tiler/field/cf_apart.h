// SPDX-License-Identifier: Apache-2.0
// What tells a variable from another of the same name, grid and level in another file: a maximum over time from what holds at a time,
// the 90th percentile from the 10th.
#ifndef VIRGA_FIELD_CF_APART_H
#define VIRGA_FIELD_CF_APART_H

#include "source/source.h"

// In words, such as "maximum over time, percentile 90"; "" where nothing does. Reads single numbers. NULL: out of memory. The caller frees it.
char *cf_apart(struct source *source, const struct source_variable *variable);

#endif
