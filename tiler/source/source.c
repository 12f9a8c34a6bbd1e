// SPDX-License-Identifier: Apache-2.0
#include "source/source.h"

size_t source_type_size(enum source_type type) {
    static const unsigned char sizes[] = {1, 1, 2, 2, 4, 4, 8, 8, 4, 8, 1, 0, 0};
    return (unsigned)type < sizeof sizes ? sizes[type] : 0;
}
