// SPDX-License-Identifier: Apache-2.0
// A JupyterHub that says who somebody is: by a token of theirs (programs), or by the hub's own page to sign in (browsers: OAuth 2, authorization code). What it
// said of a token is remembered for a minute.
#ifndef VIRGA_SERVER_ACCESS_HUB_H
#define VIRGA_SERVER_ACCESS_HUB_H

#include "server/access.h"
#include "server/config.h"
#include "server/secret.h"

enum {
    ACCESS_HUB_TOKEN = 512,        // characters of a token or a code of the hub's, at most
    ACCESS_HUB_SECONDS = 60,       // what it said is believed
    ACCESS_HUB_LOGIN_HOURS = 12,   // a browser that signed in there stays so
};

struct access_hub;

// Reads the service's token: the file of auth-hub-token-file, or else JUPYTERHUB_API_TOKEN. VIRGA_INVALID, VIRGA_IO, VIRGA_NO_MEMORY with words.
int access_hub_new(const struct config *config, struct access_hub **out, struct failure *failure);
void access_hub_free(struct access_hub *hub);  // NULL is allowed

// Any thread. Whose token this is, as far as it is remembered: VIRGA_OK, VIRGA_INVALID (it is nobody's), VIRGA_AGAIN (the hub must be asked). now: monotonic.
int access_hub_remembered(struct access_hub *hub, const uint8_t hash[SECRET_HASH], double now, char name[ACCESS_NAME + 1]);
// Blocks while it asks the hub, and remembers what it said: VIRGA_OK, VIRGA_INVALID (nobody's, or of somebody who may not use this service), VIRGA_IO (it does
// not answer as it should), VIRGA_NO_MEMORY.
int access_hub_ask(struct access_hub *hub, const char *token, double now, char name[ACCESS_NAME + 1], struct failure *failure);
// Blocks likewise: who signed in at the hub and came back with this code.
int access_hub_redeem(struct access_hub *hub, const char *code, char name[ACCESS_NAME + 1], struct failure *failure);

// Where a browser goes to sign in. `state` comes back with it.
void access_hub_address(const struct access_hub *hub, const char *state, char *out, size_t room);

// Whom an answer of the hub's API names (GET /hub/api/user): a user with a scope that lets them use the service. VIRGA_INVALID with words.
int access_hub_read(const char *json, size_t size, const char *service, char name[ACCESS_NAME + 1], struct failure *failure);

#endif
