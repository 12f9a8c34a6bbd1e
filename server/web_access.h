// SPDX-License-Identifier: Apache-2.0
// Who sends a request: what their token, their cookie or a proxy says, into peer->caller. Service thread. What they may is access.h's to say.
#ifndef VIRGA_SERVER_WEB_ACCESS_H
#define VIRGA_SERVER_WEB_ACCESS_H

#include "server/web_state.h"
#include "server/web_user.h"

#define WEB_ACCESS_COOKIE "virga"

enum { WEB_ACCESS_LOGIN_DAYS = 30 };  // for so long at most a browser stays signed in

// Which proxies are believed, as the configuration has it now.
void web_access_configure(struct web_server *server);
// Begins what knows of tokens and logins, where the configuration asks for it. Codes as access_service_new, with words.
int web_access_start(struct web_server *server, struct failure *failure);
void web_access_stop(struct web_server *server);

// Who sent the request whose header is there. bearer: what stands in Authorization, or NULL. changes: it may change something, or opens a websocket.
void web_access_read(struct peer *peer, const char *bearer, bool changes);
// The text of the only cookie of this name, SECRET_TEXT characters. Another site below the same domain may have added one of its own: then it cannot be told
// which is ours, and there is none.
bool web_access_cookie(const struct peer *peer, const char *name, char out[SECRET_TEXT + 1]);
// Whether a header says that it came through a proxy, of whatever kind: then the connection's address is no client's.
bool web_access_is_proxied(const struct peer *peer);
// Whether a page of another site may have made a browser send it, with what the browser adds of itself: such a request changes nothing.
bool web_access_is_cross_site(const struct peer *peer, const struct web_sender *from);
// What somebody named by a proxy or the hub may.
enum access_role web_access_role(const struct web_server *server, const char *name);
// peer->caller.unknown: asks the hub, and then goes on with the request (http_go_on). HTTP_LATER, or the status of an error answer.
int web_access_wait(struct peer *peer);
// Whether what a websocket was opened with is valid still; whose it is, and what they may, is looked up again.
bool web_access_holds(struct peer *peer);

#endif
