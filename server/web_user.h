// SPDX-License-Identifier: Apache-2.0
// Whose request it is, and what they see. Service thread.
#ifndef VIRGA_SERVER_WEB_USER_H
#define VIRGA_SERVER_WEB_USER_H

#include <jansson.h>

#include "server/http_origin.h"
#include "server/web_state.h"

// Makes what knows of users, and reads the publish token. Codes as the file's, with words.
int web_user_start(struct web_server *server, struct failure *failure);
void web_user_stop(struct web_server *server);

// What the header that is there says of where the request comes from.
struct web_sender {
    struct http_sender sender;  // points into this struct
    char host[300], origin[300];
    bool strange;               // there is an Origin that cannot be one: no page may send it
};
void web_user_sender(const struct peer *peer, struct web_sender *out);

// Reads who sent the request whose header is there into peer->caller. changes: it may change something, or opens a websocket.
void web_user_read(struct peer *peer, bool changes);
// What stands in Authorization behind "Bearer". False: nothing does. Whoever takes it wipes it.
bool web_user_bearer(const struct peer *peer, char *out, size_t room);
// Whether whoever sent it may do this (access_may): 0, or the HTTP status to refuse with (401: they are nobody, and should sign in; 403; 429: they tried too
// often), and words (static).
int web_user_may(struct peer *peer, enum access_act act, const char *owner, const char **words);
// Whether what somebody made is shown to whoever sent it, where it is not shown to all: to its owner and to admins; to all who see anything where nobody signs in.
bool web_user_is_shown(const struct peer *peer, const char *owner);
// Something wrong was shown for a token or a code, which now and then happens: `status`, or 429 with other words where it happens too often.
int web_user_wrong(struct peer *peer, int status, const char **words);
// Whether whoever sent it shows the publish token: 0, or the HTTP status to refuse with, and words.
int web_user_check_publisher(struct peer *peer, const char **words);
// Whoever sent it, if anybody, asks for something that needs their space: it is made, or goes on. VIRGA_TOO_LARGE with words.
int web_user_enter(struct peer *peer, struct failure *failure);

// Borrowed until control returns to the loop: what the user sees, and of it what exports can show.
struct catalog *web_user_catalog(const struct web_server *server, identity_user user);
struct catalog *web_user_exportable(const struct web_server *server, identity_user user);
// The engine that the user's cluster belongs to; NULL: they have none.
struct source_engine *web_user_engine(const struct web_server *server, identity_user user);
// Its state for whoever asks. NULL when out of memory.
json_t *web_user_engine_state(const struct web_server *server, const struct web_caller *caller);

#endif
