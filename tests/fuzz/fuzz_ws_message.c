// SPDX-License-Identifier: Apache-2.0
// Messages of a page.
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "server/ws_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    struct failure failure;
    struct ws_message *message = malloc(sizeof *message);
    if (message && !ws_message_parse((const char *)bytes, size, message, &failure) && message->kind == WS_INTEREST &&
        (message->interest.layer_count < 1 || message->interest.layer_count > VIEW_MAX_LAYERS))
        abort();
    free(message);
    return 0;
}
