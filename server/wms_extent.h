// SPDX-License-Identifier: Apache-2.0
// The values of a dimension in the words of WMS 1.3.0, annex C: "first/last/step" where they are regular, else each by itself. Pure; any thread.
#ifndef VIRGA_SERVER_WMS_EXTENT_H
#define VIRGA_SERVER_WMS_EXTENT_H

#include <stddef.h>

#include "field/catalog.h"

// Times in rising order, each once: "2009-11-19T10:00:00Z/2009-11-20T10:00:00Z/PT1H,2009-11-22T00:00:00Z". What is longer than `most` characters becomes its first and
// last time with the resolution 0 (annex C: any value between them may be asked for), which is true where the nearest is taken. "" for no times. The caller frees it;
// NULL when out of memory.
char *wms_extent_times(const struct catalog_time *times, size_t count, size_t most);

// Numbers, with their shortest text: "1000,925,850" in the given order, or "0/59/1". The caller frees it; NULL when out of memory.
char *wms_extent_numbers(const double *values, size_t count);

#endif
