// SPDX-License-Identifier: Apache-2.0
// What ecCodes said of parameters, remembered by what of the headers it depends on, so that it is asked once for fields that differ in
// time, member or level alone. Of the process, for all its files; one thread.
#ifndef VIRGA_SOURCE_READER_GRIB_KNOWN_H
#define VIRGA_SOURCE_READER_GRIB_KNOWN_H

#include "source/reader_grib.h"

// What section 4 of edition 2, or its like, says in numbers.
struct grib_numbers {
    long first, second;            // types of the two surfaces; 255: none
    double level, level2;          // NaN: none
    bool has_lead, has_range;
    long lead, unit, range, range_unit;
    long end[6];                   // year to second of the end of the overall interval
    long member;                   // or -1
};

// Reads section 4 of the common product definitions (0, 1, 8 and 11) by their octets. False: it is another, ask ecCodes.
bool grib_known_numbers(const uint8_t *section4, size_t bytes, struct grib_numbers *numbers);
// 0: nothing is remembered of this kind of headers.
uint64_t grib_known_key(const struct grib_headers *headers);
// The text lives as long as the process. NULL where nothing is known.
const struct grib_parameter *grib_known_find(uint64_t key);
void grib_known_add(uint64_t key, const struct grib_parameter *parameter);

#endif
