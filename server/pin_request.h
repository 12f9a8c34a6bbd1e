// SPDX-License-Identifier: Apache-2.0
// What a client asks for in the body of a request about pins. Pure: any thread.
#ifndef VIRGA_SERVER_PIN_REQUEST_H
#define VIRGA_SERVER_PIN_REQUEST_H

#include "field/catalog.h"
#include "server/pin.h"

// A change: what is not there stays as it was.
struct pin_edit {
    bool title, group, position, view;  // which are there
    struct pin_content to;              // one reference, or NULL
};

// {"title", "group", "position", "view"}; `fresh`: of a new pin, which needs a title and a view. The view is checked by itself, not against a catalog. VIRGA_INVALID
// with a message that begins with the member, VIRGA_NO_MEMORY; then *edit holds nothing.
int pin_request_edit(const char *json, size_t size, bool fresh, struct pin_edit *edit, struct failure *failure);
void pin_edit_release(struct pin_edit *edit);
// What of a view that passed its check is not in a catalog (now), in words that may be cut; "" where all is.
void pin_request_check(const struct shared_bytes *view, const struct catalog *catalog, char *words, size_t room);
// {"revision": n}.
int pin_request_revision(const char *json, size_t size, uint32_t *revision, struct failure *failure);
// {} or nothing.
int pin_request_empty(const char *json, size_t size, struct failure *failure);

enum { PIN_MATCH_ANY = -1, PIN_MATCH_NONE = -2 };
// The revision that the header asks for; PIN_MATCH_ANY for "*", PIN_MATCH_NONE where it names no revision that there could be.
int64_t pin_request_match(const char *header);

#endif
