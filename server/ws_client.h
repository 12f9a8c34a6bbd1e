// SPDX-License-Identifier: Apache-2.0
// Private to the websocket: a client, and the texts that it is sent. Service thread.
#ifndef VIRGA_SERVER_WS_CLIENT_H
#define VIRGA_SERVER_WS_CLIENT_H

#include "server/export_table.h"
#include "server/session_interest.h"
#include "server/web_state.h"

enum { WS_MAX_TEXTS = 16, WS_MAX_FIELDS = VIEW_MAX_LAYERS * (1 + VIEW_MAX_AHEAD), WS_ROOM_TEXT = 1024 };

struct brick_request;

struct ws_watch {  // of what changes in a table
    bool on, due, more;  // due: something changed, or may have; more: the last message said that another follows
    struct change_seen seen;
};

struct ws_client {
    struct peer *peer;
    struct web_server *server;
    struct session *session;
    struct catalog *catalog;                  // of the interest in force, one reference
    const struct catalog_dataset *dataset;
    struct interest_layer layers[VIEW_MAX_LAYERS];
    char names[VIEW_MAX_LAYERS][WS_MAX_ID + 1];  // as the client calls them
    struct field_entry *fields[WS_MAX_FIELDS];   // held by the session
    struct brick_request *requests[SESSION_MAX_PENDING];
    char *texts[WS_MAX_TEXTS];                   // to be sent, in order
    size_t text_count;
    char *partial;                            // a message that is coming in pieces
    size_t partial_size;
    double tokens, refilled, heard;
    double asked;                             // when the interest in force came; 0: it is counted already
    bool answered;                            // its first batch is on its way
    size_t unanswered;                        // batches sent for which an acknowledgement is free
    struct ws_watch exports, pins;
    bool engine_due;                          // its state is to be told
    enum { CATALOG_TOLD, CATALOG_LISTED, CATALOG_ANY } catalog_due;  // which datasets changed is to be told; any: it missed a list
    bool paired, steering_due;                // paired: it is or was a screen or a remote; due: the other side said something
    double updates, updated;                  // what it may say to the other side, as of then
    const char *closing;                      // why, when it is to be closed
};

// Texts to be sent in order, zero-terminated; one of negative size, or too many, is left out.
void ws_push_text(struct ws_client *client, const char *text, int size);
void ws_push_error(struct ws_client *client, const char *message);
// What the library's callbacks return. text: LWS_PRE bytes, then the text.
int ws_write_text(struct ws_client *client, char *text);
int ws_send_text(struct ws_client *client);
// A text of any length, which it frees; without memory (NULL) it is left out.
int ws_write_long(struct ws_client *client, char *text);
int ws_send_exports(struct ws_client *client);
int ws_send_pins(struct ws_client *client);
int ws_send_engine(struct ws_client *client);
int ws_send_catalog(struct ws_client *client);
void ws_watch(struct ws_client *client, struct ws_watch *watch, bool on);  // one of its own
// Who the client is from now on. -1: it has tried too often.
int ws_take_user(struct ws_client *client, const char *session);

#endif
