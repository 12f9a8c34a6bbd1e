// SPDX-License-Identifier: Apache-2.0
// From what a client asks for by name to what a session works with. Pure; any thread.
#ifndef VIRGA_SERVER_SESSION_INTEREST_H
#define VIRGA_SERVER_SESSION_INTEREST_H

#include "field/catalog.h"
#include "server/session.h"
#include "server/ws_message.h"

struct interest_layer { size_t variable, run, member; };

// VIRGA_OK, or VIRGA_NOT_FOUND with what is missing. The dataset belongs to the catalog.
int session_interest_resolve(const struct catalog *catalog, const struct ws_interest *asked, struct session_interest *interest,
                             const struct catalog_dataset **dataset, struct interest_layer layers[VIEW_MAX_LAYERS],
                             struct failure *failure);

#endif
