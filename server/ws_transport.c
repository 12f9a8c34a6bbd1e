// SPDX-License-Identifier: Apache-2.0
// A websocket client: its session, what it asked of the brick store, and one lws_write for each writable callback. What to
// send is session.c's to say. Service thread.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "server/http_origin.h"
#include "server/http_router.h"
#include "server/pin_pictures.h"
#include "server/session_interest.h"
#include "server/web_access.h"
#include "server/ws_client.h"
#include "server/ws_pair.h"

enum { BURST_SECONDS = 2, MIN_BURST = 64 };

// A brick asked of the store. An orphan (no client) frees itself when its letter comes.
struct brick_request {
    struct letter letter;  // first
    struct ws_client *client;
    struct web_server *server;
    struct catalog *catalog;  // one reference
    struct field_ref field;
    uint32_t slot, level, x, y, z;
    atomic_bool posted;
    int status;
    char problem[200];
};

// What the session asks of us.

static struct session_field *get_field(void *user, uint32_t layer, uint32_t step, size_t ahead) {
    struct ws_client *client = user;
    const struct interest_layer *named = &client->layers[layer];
    struct field_ref field = {.dataset = client->dataset, .variable = named->variable, .run = named->run, .member = named->member, .step = step};
    size_t free_one = 0;
    while (free_one < WS_MAX_FIELDS && client->fields[free_one]) free_one++;
    struct field_entry *entry = free_one < WS_MAX_FIELDS ? field_cache_get(client->server->fields, client->catalog, &field, ahead) : NULL;
    if (!entry) return NULL;
    client->fields[free_one] = entry;
    if (entry->known.state == FIELD_FAILED) ws_push_error(client, entry->problem);
    return &entry->known;
}

static void keep_field(void *user, struct session_field *field, size_t ahead) {
    struct ws_client *client = user;
    field_cache_hurry(client->server->fields, (struct field_entry *)field, ahead);
}

static void release_field(void *user, struct session_field *field) {
    struct ws_client *client = user;
    for (size_t i = 0; i < WS_MAX_FIELDS; i++)
        if (client->fields[i] && &client->fields[i]->known == field) {
            client->fields[i] = NULL;
            break;
        }
    field_cache_release(client->server->fields, (struct field_entry *)field);
}

static void request_free(struct brick_request *request) {
    catalog_unref(request->catalog);
    free(request);
}

static void abandon(struct ws_client *client, size_t i) {
    struct brick_request *request = client->requests[i];
    client->requests[i] = NULL;
    request->client = NULL;
    brick_store_cancel(client->server->app->bricks, request);
    if (!atomic_load(&request->posted)) request_free(request);
}

static void cancel_brick(void *user, uint32_t slot, uint32_t level, uint32_t x, uint32_t y, uint32_t z) {
    struct ws_client *client = user;
    for (size_t i = 0; i < SESSION_MAX_PENDING; i++) {
        const struct brick_request *r = client->requests[i];
        if (r && r->slot == slot && r->level == level && r->x == x && r->y == y && r->z == z) abandon(client, i);
    }
}

static void request_delivered(struct letter *letter) {
    struct brick_request *request = (struct brick_request *)letter;
    struct ws_client *client = request->client;
    for (size_t i = 0; client && i < SESSION_MAX_PENDING; i++)
        if (client->requests[i] == request) client->requests[i] = NULL;
    if (client) {
        session_brick_ready(client->session, request->slot, request->level, request->x, request->y, request->z, request->status != VIRGA_OK);
        if (request->status) ws_push_error(client, request->problem);
        lws_callback_on_writable(client->peer->wsi);
    }
    request_free(request);
}

static void request_done(void *user, int status, struct shared_bytes *bytes, const struct failure *failure) {
    struct brick_request *request = user;
    shared_bytes_unref(bytes);  // the store keeps it; it is fetched again when its turn to be sent has come
    request->status = status;
    snprintf(request->problem, sizeof request->problem, "%.190s", failure && failure->message[0] ? failure->message : status_name(status));
    atomic_store(&request->posted, true);
    service_mailbox_post(request->server->mailbox, &request->letter);
}

// VIRGA_OK with the brick's bytes, VIRGA_AGAIN, or why not.
static int fetch_brick(struct ws_client *client, const struct session_action *a, struct shared_bytes **bytes, struct failure *failure) {
    size_t i = 0;
    while (i < SESSION_MAX_PENDING && client->requests[i]) i++;
    if (i == SESSION_MAX_PENDING) return VIRGA_TOO_LARGE;
    struct brick_request *request = calloc(1, sizeof *request);
    if (!request) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    const struct field_entry *entry = (const struct field_entry *)a->field;
    *request = (struct brick_request){.letter = {.deliver = request_delivered}, .client = client, .server = client->server,
                                      .catalog = catalog_ref(entry->catalog), .field = entry->field, .slot = a->slot, .level = a->level,
                                      .x = a->x, .y = a->y, .z = a->z};
    int status = brick_store_brick(client->server->app->bricks, request->catalog, &request->field, a->level, a->x, a->y, a->z,
                                   field_priority_brick(a->ahead, a->refinement), bytes, request_done, request, failure);
    if (status == VIRGA_AGAIN) client->requests[i] = request;
    else request_free(request);
    return status;
}

// Batches.

struct batch {
    uint8_t *start, *own;  // start: after LWS_PRE; own: memory of its own, for what is larger than the shared room
    size_t size, payload;
    uint32_t parts;
};

static size_t batch_room(void) { return WEB_BATCH + 256 * 1024; }

// Whether a payload may join: within the size aimed at and the client's credit. The first part always fits the size.
static bool batch_takes(const struct ws_client *client, const struct batch *batch, size_t size) {
    if (batch->parts && batch->size + WS_PART_HEAD + size > WEB_BATCH) return false;
    size_t credit = session_credit(client->session);
    return size <= credit || (!batch->parts && !session_in_flight(client->session));
}

static bool batch_add(struct batch *batch, const struct session_action *a, uint8_t kind, const struct shared_bytes *bytes) {
    size_t needs = WS_BATCH_HEAD + WS_PART_HEAD + bytes->size;
    if (!batch->parts && needs > batch_room()) {
        batch->own = malloc(LWS_PRE + needs);
        if (!batch->own) return false;
        batch->start = batch->own + LWS_PRE;
    }
    struct ws_part part = {.kind = kind, .layer = (uint8_t)a->layer, .level = (uint16_t)a->level, .step = a->step, .x = (uint16_t)a->x,
                           .y = (uint16_t)a->y, .z = (uint16_t)a->z, .size = (uint32_t)bytes->size};
    ws_part_head(batch->start + batch->size, &part);
    memcpy(batch->start + batch->size + WS_PART_HEAD, bytes->data, bytes->size);
    batch->size += WS_PART_HEAD + bytes->size;
    batch->payload += bytes->size;
    batch->parts++;
    return true;
}

static int announce(struct ws_client *client, const struct session_action *a) {
    char text[LWS_PRE + WS_ROOM_TEXT];
    const struct field_entry *entry = (const struct field_entry *)a->field;
    const struct catalog_series *series = &entry->field.dataset->runs[entry->field.run].series[entry->field.variable];
    struct ws_step step = {.generation = session_generation(client->session), .layer = a->layer, .step = a->step,
                           .variable = client->names[a->layer], .edition = entry->edition, .time = series->times[a->step].iso,
                           .geometry = entry->geometry};
    if (ws_message_step(text + LWS_PRE, WS_ROOM_TEXT, &step) < 0) return -1;
    session_announced(client->session, a);
    lws_callback_on_writable(client->peer->wsi);
    return ws_write_text(client, text);
}

// One brick or its excuse. False: the batch is full.
static bool add_brick(struct ws_client *client, struct batch *batch, const struct session_action *a) {
    struct shared_bytes *bytes = NULL;
    struct failure failure = {0};
    bool more = true;
    int status = fetch_brick(client, a, &bytes, &failure);
    if (status == VIRGA_AGAIN) {
        session_brick_pending(client->session, a);
    } else if (status) {
        session_brick_failed(client->session, a);
        ws_push_error(client, failure.message[0] ? failure.message : status_name(status));
    } else if (!bytes || !bytes->size) {
        session_brick_sent(client->session, a, 0);
    } else if (!batch_takes(client, batch, bytes->size) || !batch_add(batch, a, 2, bytes)) {
        more = false;
    } else {
        session_brick_sent(client->session, a, bytes->size);
        client->server->counters.bricks_sent++;
    }
    shared_bytes_unref(bytes);
    return more;
}

static bool add_table(struct ws_client *client, struct batch *batch, const struct session_action *a) {
    const struct shared_bytes *table = ((const struct field_entry *)a->field)->table;
    if (!batch_takes(client, batch, table->size) || !batch_add(batch, a, 1, table)) return false;
    session_table_sent(client->session, a, table->size);
    client->server->counters.tables_sent++;
    return true;
}

static void push_done(struct ws_client *client, bool degraded) {
    char text[WS_ROOM_TEXT];
    if (client->asked > 0) histogram_add(&client->server->times.done, clock_monotonic() - client->asked);
    client->asked = 0;
    ws_push_text(client, text, ws_message_done(text, sizeof text, session_generation(client->session), degraded));
}

static int send_batch(struct ws_client *client, struct batch *batch) {
    if (!batch->parts) return 0;
    client->unanswered++;
    if (client->asked > 0 && !client->answered) histogram_add(&client->server->times.first_batch, clock_monotonic() - client->asked);
    client->answered = true;
    ws_batch_head(batch->start, session_generation(client->session), batch->parts);
    client->server->counters.batches++;
    client->server->counters.bytes_sent += batch->size;
    return lws_write(client->peer->wsi, batch->start, batch->size, LWS_WRITE_BINARY) < (int)batch->size ? -1 : 0;
}

int ws_writable(struct peer *peer) {
    struct ws_client *client = peer->client;
    if (client->closing) {
        lws_close_reason(peer->wsi, (enum lws_close_status)(peer->restart ? WEB_CLOSE_RESTART : LWS_CLOSE_STATUS_POLICY_VIOLATION), (unsigned char *)(uintptr_t)client->closing, strlen(client->closing));
        return -1;
    }
    if (client->text_count) return ws_send_text(client);
    if (client->steering_due) return ws_send_steering(client);
    if (client->catalog_due) return ws_send_catalog(client);
    if (client->engine_due) return ws_send_engine(client);
    if (client->exports.due) return ws_send_exports(client);
    if (client->pins.due) return ws_send_pins(client);
    struct batch batch = {.start = client->server->batch + LWS_PRE, .size = WS_BATCH_HEAD};
    struct session_action action;
    bool more = true, again = false;
    while (more) {
        session_next(client->session, &action);
        switch (action.kind) {
            case SESSION_WAIT: more = false; break;
            case SESSION_ANNOUNCE:
                if (!batch.parts) return announce(client, &action);
                more = false;
                again = true;
                break;
            case SESSION_TABLE: again = !(more = add_table(client, &batch, &action)); break;
            case SESSION_BRICK: again = !(more = add_brick(client, &batch, &action)); break;
            case SESSION_FINISHED: push_done(client, action.degraded); break;
        }
    }
    if (again && batch.parts) lws_callback_on_writable(peer->wsi);  // without parts it waits for credit
    int result = send_batch(client, &batch);
    free(batch.own);
    return result;
}

// What the client says.

static int close_for(struct peer *peer, const char *why) {
    peer->server->counters.bad_messages++;
    lws_close_reason(peer->wsi, LWS_CLOSE_STATUS_POLICY_VIOLATION, (unsigned char *)(uintptr_t)why, strnlen(why, 120));
    return -1;
}

static void take_interest(struct ws_client *client, const struct ws_interest *asked) {
    struct session_interest interest;
    const struct catalog_dataset *dataset;
    struct interest_layer layers[VIEW_MAX_LAYERS] = {{0}};
    struct failure failure = {0};
    struct catalog *catalog = catalog_ref(web_user_catalog(client->server, client->peer->caller.user));
    int status = session_interest_resolve(catalog, asked, &interest, &dataset, layers, &failure);
    if (status == VIRGA_CHANGED) {  // what it has now goes on until it has read the catalog
        client->catalog_due = CATALOG_ANY;
        lws_callback_on_writable(client->peer->wsi);
        catalog_unref(catalog);
        return;
    }
    if (status) {
        session_clear(client->session, asked->generation);
        ws_push_error(client, failure.message);
        catalog_unref(catalog);
        return;
    }
    if (client->catalog != catalog) session_let_go(client->session);  // its fields belong to the old one
    catalog_unref(client->catalog);
    client->catalog = catalog;
    client->dataset = dataset;
    memcpy(client->layers, layers, sizeof layers);
    for (size_t l = 0; l < asked->layer_count; l++) memcpy(client->names[l], asked->layers[l].variable, sizeof client->names[l]);
    client->asked = client->heard;
    client->answered = false;
    if (session_set_interest(client->session, &interest)) ws_push_error(client, "the server is out of memory");
    lws_callback_on_writable(client->peer->wsi);
}

static void take_drop(struct ws_client *client, const struct ws_drop *drop) {
    if (drop->all) session_drop_step(client->session, drop->variable, drop->step);
    for (size_t i = 0; i < drop->count; i++)
        session_drop_brick(client->session, drop->variable, drop->step, drop->bricks[i].level, drop->bricks[i].x, drop->bricks[i].y,
                           drop->bricks[i].z);
}

// A token bucket: the average allowed, with bursts of a few seconds' worth. One acknowledgement for each batch is free.
static bool pay(struct ws_client *client, enum ws_message_kind kind) {
    double rate = client->server->app->config.message_rate, most = fmax(MIN_BURST, BURST_SECONDS * rate);
    client->tokens = fmin(most, client->tokens + (client->heard - client->refilled) * rate);
    client->refilled = client->heard;
    if (kind == WS_ACK && client->unanswered) client->unanswered--;
    else client->tokens -= 1;
    return client->tokens >= 0;
}

static int take_message(struct peer *peer, const char *data, size_t size) {
    struct ws_client *client = peer->client;
    struct ws_message *message = client->server->message;
    struct failure failure = {0};
    char text[WS_ROOM_TEXT];
    client->server->counters.messages++;
    int status = ws_message_parse(data, size, message, &failure);
    if (status) return close_for(peer, failure.message);
    if (!pay(client, message->kind)) return close_for(peer, "too many messages");
    switch (message->kind) {
        case WS_INTEREST:
            if (client->server->pictures) pin_pictures_make_way(client->server->pictures);
            take_interest(client, &message->interest);
            break;
        case WS_ACK:
            session_ack(client->session, message->ack);
            lws_callback_on_writable(peer->wsi);
            break;
        case WS_PING: ws_push_text(client, text, ws_message_pong(text, sizeof text, message->ping)); break;
        case WS_USER: return ws_take_user(client, message->session) ? close_for(peer, "too many wrong sessions") : 0;
        case WS_PAIR: ws_take_pair(client, &message->pair); break;
        case WS_EXPORTS: ws_watch(client, &client->exports, message->watch); break;
        case WS_PINS: ws_watch(client, &client->pins, message->watch); break;
        case WS_DROP: take_drop(client, &message->drop); break;
        case WS_UNKNOWN:
            snprintf(text, sizeof text, "unknown message type %s", message->type);
            ws_push_error(client, text);
            break;
    }
    return 0;
}

int ws_received(struct peer *peer, const char *data, size_t size) {
    struct ws_client *client = peer->client;
    struct lws *wsi = peer->wsi;
    bool first = lws_is_first_fragment(wsi), last = lws_is_final_fragment(wsi) && !lws_remaining_packet_payload(wsi);
    if (first) client->partial_size = 0;
    if (client->partial_size + size > WS_MAX_TEXT || lws_remaining_packet_payload(wsi) > WS_MAX_TEXT)
        return close_for(peer, "a message has at most 16384 bytes");
    if (!last || client->partial_size) {
        if (!client->partial) client->partial = malloc(WS_MAX_TEXT);
        if (!client->partial) return close_for(peer, "out of memory");
        memcpy(client->partial + client->partial_size, data, size);
        client->partial_size += size;
        if (!last) return 0;
        data = client->partial;
        size = client->partial_size;
    }
    client->heard = clock_monotonic();
    int result;
    if (lws_frame_is_binary(wsi)) {
        const char *wrong = ws_take_steering(client, data, size);
        result = wrong ? close_for(peer, wrong) : 0;
    } else {
        result = take_message(peer, data, size);
    }
    if (client->partial) {
        free(client->partial);
        client->partial = NULL;
        client->partial_size = 0;
    }
    return result;
}

// Coming and going.

// Notes who asks, and whether they may.
static int take_sender(struct peer *peer, const char **words) {
    struct web_sender from;
    web_user_sender(peer, &from);
    web_user_read(peer, true);
    peer->caller.user = 0;  // that is said in a message
    *words = "this origin may not open a websocket here";
    if (from.strange || !http_origin_may_read(&peer->server->app->config, &from.sender) || web_access_is_cross_site(peer, &from)) return 403;
    return web_user_may(peer, ACT_SEE, NULL, words);
}

static bool offers_protocol(struct lws *wsi, const char *protocol) {
    char list[128];
    if (!http_header(wsi, WSI_TOKEN_PROTOCOL, list, sizeof list)) return false;
    for (char *save = NULL, *part = strtok_r(list, ", \t", &save); part; part = strtok_r(NULL, ", \t", &save))
        if (!strcmp(part, protocol)) return true;
    return false;
}

int ws_check_handshake(struct lws *wsi, const char *protocol) {
    char version[16];
    if (!http_header(wsi, WSI_TOKEN_VERSION, version, sizeof version) || strcmp(version, "13")) return 426;
    if (!lws_hdr_total_length(wsi, WSI_TOKEN_KEY) || !offers_protocol(wsi, protocol)) return 400;
    return lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH) || lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) ? 413 : VIRGA_OK;
}

bool ws_is_asked(const struct peer *peer, struct lws *wsi, const char *path) {
    char uri[300];
    const char *below = http_header(wsi, WSI_TOKEN_GET_URI, uri, sizeof uri) ? http_below_base(peer->server, uri) : NULL;
    return below && !strcmp(below, path);
}

int ws_check_upgrade(struct peer *peer, struct lws *wsi, const char **words) {
    *words = "there is no websocket at this address";
    if (!ws_is_asked(peer, wsi, "ws")) return 404;
    int status = ws_check_handshake(wsi, "virga.1");
    *words = status == 413 ? "a request has no body here" : "a websocket here is version 13, subprotocol virga.1";
    if (status) return status;
    peer->upgrade = WEB_PROTOCOL_WS;
    return take_sender(peer, words);
}

int ws_opened(struct peer *peer) {
    char text[WS_ROOM_TEXT];
    struct ws_client *client = calloc(1, sizeof *client);
    if (!client) return -1;
    client->peer = peer;
    client->server = peer->server;
    client->heard = client->refilled = clock_monotonic();
    client->tokens = MIN_BURST;
    const struct session_calls calls = {.get = get_field, .keep = keep_field, .release = release_field, .cancel = cancel_brick, .user = client};
    client->session = session_new(&calls, &peer->server->scratch);
    if (!client->session) {
        free(client);
        return -1;
    }
    peer->client = client;
    peer->server->client_count++;
    peer->server->counters.websockets++;
    lws_set_timeout(peer->wsi, NO_PENDING_TIMEOUT, 0);
    ws_push_text(client, text, ws_message_hello(text, sizeof text, SESSION_WINDOW, user_spaces_for_each(peer->server->spaces)));
    client->engine_due = source_engine_has_cluster(peer->server->app->engine);
    return 0;
}

void ws_closed(struct peer *peer) {
    struct ws_client *client = peer->client;
    if (!client) return;
    ws_pair_closed(client);
    peer->client = NULL;
    peer->server->client_count--;
    session_free(client->session);  // lets go of its fields
    for (size_t i = 0; i < SESSION_MAX_PENDING; i++)
        if (client->requests[i]) abandon(client, i);
    for (size_t i = 0; i < client->text_count; i++) free(client->texts[i]);
    if (client->catalog) catalog_unref(client->catalog);
    free(client->partial);
    free(client);
}

void ws_tick(struct peer *peer, double now) {
    struct ws_client *client = peer->client;
    web_user_enter(peer, NULL);
    if (!web_access_holds(peer)) {
        bool told = client->closing != NULL;
        peer->caller.person = (struct access_person){0};
        client->closing = "signed out";
        if (told) lws_set_timeout(peer->wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_ASYNC);
        else lws_callback_on_writable(peer->wsi);
        return;
    }
    double silent = now - client->heard, limit = peer->server->app->config.idle_seconds;
    if (silent <= limit) return;
    client->closing = "idle for too long";
    if (silent > limit + 5) lws_set_timeout(peer->wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_ASYNC);  // it does not read either
    else lws_callback_on_writable(peer->wsi);
}

void ws_count(const struct peer *peer, size_t *in_flight, size_t *memory, size_t *pending) {
    const struct ws_client *client = peer->client;
    if (!client) return;
    *in_flight += session_in_flight(client->session);
    *memory += session_memory(client->session);
    *pending += session_pending(client->session);
}

void ws_field_changed(void *user, struct field_entry *entry) {
    struct web_server *server = user;
    for (struct peer *peer = server->peers; peer; peer = peer->next) {
        struct ws_client *client = peer->client;
        bool holds = false;
        for (size_t i = 0; client && i < WS_MAX_FIELDS; i++) holds |= client->fields[i] == entry;
        if (!holds) continue;
        if (entry->known.state == FIELD_FAILED) ws_push_error(client, entry->problem);
        session_field_changed(client->session);
        lws_callback_on_writable(peer->wsi);
    }
}
