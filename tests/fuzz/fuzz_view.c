// SPDX-License-Identifier: Apache-2.0
// View documents, as a page or a pin sends them.
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "render/view.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    struct failure failure;
    struct view *view = malloc(sizeof *view);
    if (view && !view_parse((const char *)bytes, size, view, &failure) && view->layer_count > VIEW_LAYERS_MAX) abort();
    free(view);
    return 0;
}
