// SPDX-License-Identifier: Apache-2.0
// What is asked of pins: the first byte chooses a new pin, a change, a revision or a tag.
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "render/view.h"
#include "server/pin_request.h"

// What was taken passes the checks that it went through, and is written as JSON.
static void look_at(const struct pin_edit *edit, bool fresh) {
    const struct access_person person = {.name = "p", .role = ACCESS_ADMIN};
    const struct pin_content *to = &edit->to;
    struct view *view = malloc(sizeof *view);
    if ((fresh || edit->title) && (!to->title[0] || strlen(to->title) > PIN_TITLE || !utf8_valid(to->title))) abort();
    if (strlen(to->group) > PIN_GROUP || !utf8_valid(to->group) || (fresh || edit->view) != (to->view != NULL)) abort();
    if (view && to->view && view_parse((const char *)to->view->data, to->view->size, view, NULL)) abort();
    struct pin pin = {.id = "0123456789abcdef", .is = *to};
    json_t *root = edit->title ? pin_json(&pin, &person, to->view != NULL) : NULL;
    if (edit->title && !root) abort();
    json_decref(root);
    free(view);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    struct failure failure;
    struct pin_edit edit;
    uint32_t revision;
    if (!size) return 0;
    char *text = fuzz_text(bytes + 1, size - 1);
    if (!text) return 0;
    bool fresh = bytes[0] == 'n';
    switch (bytes[0]) {
        case 'n': case 'c':
            if (pin_request_edit(text, size - 1, fresh, &edit, &failure)) break;
            look_at(&edit, fresh);
            pin_edit_release(&edit);
            break;
        case 'r':
            if (!pin_request_revision(text, size - 1, &revision, &failure) && (revision < 1 || revision > INT32_MAX)) abort();
            break;
        default:
            if (pin_request_match(text) < PIN_MATCH_NONE || pin_request_match(text) > INT32_MAX) abort();
    }
    free(text);
    return 0;
}
