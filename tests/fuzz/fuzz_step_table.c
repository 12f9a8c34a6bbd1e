// SPDX-License-Identifier: Apache-2.0
// Step tables as bytes; what is read can be written, and is then read as the same.
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/shared_bytes.h"
#include "brick/step_table.h"

static struct shared_bytes *written(const struct step_table *table) {
    struct shared_bytes *bytes = NULL;
    if (step_table_encode(table, &bytes)) abort();
    return bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    struct step_table *table = NULL, *again = NULL;
    if (step_table_decode(bytes, size, &table)) return 0;
    struct shared_bytes *once = written(table);
    if (step_table_decode(once->data, once->size, &again)) abort();
    struct shared_bytes *twice = written(again);
    if (once->size != twice->size || memcmp(once->data, twice->data, once->size)) abort();
    shared_bytes_unref(once);
    shared_bytes_unref(twice);
    step_table_free(table);
    step_table_free(again);
    return 0;
}
