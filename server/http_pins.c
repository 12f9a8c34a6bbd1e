// SPDX-License-Identifier: Apache-2.0
// Pins: /api/pins and what is below, and the links /pin/ID. What blocks is done by the pin service's thread, as a command that is also an answer under way.
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/http_router.h"
#include "server/json_time.h"
#include "server/pin_service.h"
#include "server/web_user.h"

enum { LISTED = 100 };

struct pins_job {
    struct http_job job;  // first
    struct pin_command command;
    int answer;           // the HTTP status of success
    char warning[512];    // about the view, or ""
    char before[PIN_ID + 2];
};

static int off(struct peer *peer) { return http_answer_error(peer, 501, peer->server->pins_off); }

static json_t *json_of(const struct peer *peer, const struct pin *pin, bool view) { return pin_json(pin, &peer->caller.person, view); }

static void tag(struct peer *peer, const struct pin *pin) { snprintf(peer->reply.etag, sizeof peer->reply.etag, "\"%u\"", pin->revision); }

// Reading.

static int list(const struct http_request *request) {
    struct peer *peer = request->peer;
    char before[PIN_ID + 2], group[3 * PIN_GROUP + 1];
    bool has_before = http_query(peer, "before", before, sizeof before), has_group = http_query(peer, "group", group, sizeof group), more = false;
    size_t count = 0;
    struct pin *pins = malloc(LISTED * sizeof *pins);
    if (!pins) return http_answer_error(peer, 503, "out of memory");
    bool known = pin_table_list(pin_service_table(peer->server->pins), has_before ? before : NULL, has_group ? group : NULL, pins, LISTED, &count, &more);
    json_t *all = json_array();
    for (size_t i = 0; i < count; i++) json_array_append_new(all, json_of(peer, &pins[i], false));
    pin_table_release(pins, count);
    if (known) return http_answer_json(peer, 200, json_pack("{s:o, s:b}", "pins", all, "more", more), 0);
    json_decref(all);
    return http_answer_error(peer, 404, "there is no such pin to begin before");
}

static int one(const struct http_request *request, const char *id) {
    struct peer *peer = request->peer;
    struct pin pin;
    if (!pin_table_get(pin_service_table(peer->server->pins), id, &pin)) return http_answer_error(peer, 404, "there is no such pin");
    int status = http_answer_json(peer, 200, json_of(peer, &pin, true), 0);
    if (status == 200) tag(peer, &pin);
    pin_release(&pin);
    return status;
}

// What came of a command.

static int refuse(struct peer *peer, struct pins_job *job) {
    struct pin_command *command = &job->command;
    const char *words = command->failure.message;
    if (command->forbidden) {
        int status = web_user_may(peer, ACT_PIN, command->act == PIN_ADD ? NULL : command->pin.owner, &words);
        return http_answer_error(peer, status ? status : 403, words);
    }
    switch (command->status) {
        case VIRGA_CHANGED: break;
        case VIRGA_INVALID: return http_answer_error(peer, 409, words);
        case VIRGA_TOO_LARGE: return http_answer_error(peer, 507, words);
        default: return http_answer_error(peer, http_status_of(command->status), words[0] ? words : status_name(command->status));
    }
    int status = http_answer_json(peer, 412, json_pack("{s:{s:i, s:s}, s:o}", "error", "status", 412, "message", words, "pin", json_of(peer, &command->pin, true)), 0);
    if (status == 412) tag(peer, &command->pin);
    return status;
}

static json_t *what_json(const char *what) {
    json_t *all = json_array();
    for (const char *at = what; *at;) {
        size_t length = strcspn(at, ",");
        json_array_append_new(all, json_stringn(at, length));
        at += length + strspn(at + length, ", ");
    }
    return all;
}

static json_t *revision_json(const struct pin_revision *revision) {
    const struct pin_content *was = &revision->was;
    json_t *root = json_pack("{s:I, s:o, s:s, s:o, s:s, s:s, s:f}", "revision", (json_int_t)revision->revision, "at", json_time(revision->at), "by", revision->person,
                             "what", what_json(revision->what), "title", was->title, "group", was->group, "position", was->position);
    if (root && revision->base != revision->revision) json_object_set_new(root, "as", json_integer(revision->base));
    if (root && was->view) json_object_set_new(root, "view", pin_json_of(was->view));
    return root;
}

static json_t *history_json(const struct pin_command *command) {
    json_t *all = json_array();
    for (size_t i = 0; i < command->count; i++) json_array_append_new(all, revision_json(&command->revisions[i]));
    return json_pack("{s:s, s:I, s:o}", "id", command->pin.id, "revision", (json_int_t)command->pin.revision, "revisions", all);
}

// Newest first, a page of them.
static int answer_deleted(struct peer *peer, const struct pins_job *job) {
    const struct pin_command *command = &job->command;
    json_t *all = json_array();
    size_t i = command->count, listed = 0;
    if (job->before[0])
        while (i && strcmp(command->deleted[i - 1].id, job->before)) i--;
    if (job->before[0] && i) i--;
    for (; i && listed < LISTED; i--, listed++) json_array_append_new(all, json_of(peer, &command->deleted[i - 1], false));
    return http_answer_json(peer, 200, json_pack("{s:o, s:b}", "pins", all, "more", i > 0), 0);
}

static int answer_pin(struct peer *peer, const struct pins_job *job) {
    const struct pin *pin = &job->command.pin;
    json_t *root = json_of(peer, pin, true);
    if (root && job->warning[0]) json_object_set_new(root, "warning", json_string(job->warning));
    int status = http_answer_json(peer, job->answer, root, 0);
    if (status != job->answer) return status;
    tag(peer, pin);
    if (status == 201) snprintf(peer->reply.more, sizeof peer->reply.more, "Location: %.180sapi/pins/%s\r\n", peer->server->app->config.base_path, pin->id);
    return status;
}

static void finish(struct http_job *http, struct peer *peer) {
    struct pins_job *job = (struct pins_job *)http;
    struct pin_command *command = &job->command;
    if (command->status) {
        refuse(peer, job);
        return;
    }
    switch (command->act) {
        case PIN_LIST_DELETED: answer_deleted(peer, job); return;
        case PIN_HISTORY: http_answer_json(peer, 200, history_json(command), 0); return;
        case PIN_REVISION: http_answer_json(peer, 200, revision_json(command->revisions), 0); return;
        case PIN_DELETE:
            http_answer(peer, 204, NULL, NULL);
            tag(peer, &command->pin);
            return;
        default: answer_pin(peer, job);
    }
}

static void done(struct pin_command *command) { http_job_post(&lws_container_of(command, struct pins_job, command)->job); }

static void destroy(struct http_job *job) { pin_command_release(&((struct pins_job *)job)->command); }

// Asking.

static struct pins_job *new_job(struct peer *peer, enum pin_act act, const char *id) {
    struct pins_job *job = (struct pins_job *)http_job_new(peer, sizeof *job, NULL);
    if (!job) return NULL;
    job->job.finish = finish;
    job->job.destroy = destroy;
    job->command.done = done;
    job->command.act = act;
    job->command.person = peer->caller.person;
    job->command.match = PIN_MATCH_ANY;
    job->answer = act == PIN_ADD ? 201 : 200;
    if (id) memcpy(job->command.id, id, sizeof job->command.id);
    return job;
}

static int ask(struct pins_job *job) {
    job->job.will_post = true;
    return pin_service_ask(job->job.server->pins, &job->command) ? http_job_busy(&job->job) : HTTP_LATER;
}

static int look(const struct http_request *request, enum pin_act act, const char *id, uint32_t number) {
    struct pins_job *job = new_job(request->peer, act, id);
    if (!job) return http_answer_error(request->peer, 503, "out of memory");
    job->command.number = number;
    if (act == PIN_LIST_DELETED) http_query(request->peer, "before", job->before, sizeof job->before);
    return ask(job);
}

// What changes a pin. 0, or the status of a refusal.
static int take_match(struct pins_job *job) {
    struct peer *peer = job->job.peer;
    char header[100];
    if (job->command.act == PIN_ADD) return 0;
    if (!lws_hdr_total_length(peer->wsi, WSI_TOKEN_HTTP_IF_MATCH)) return 428;
    job->command.match = http_header(peer->wsi, WSI_TOKEN_HTTP_IF_MATCH, header, sizeof header) ? pin_request_match(header) : PIN_MATCH_NONE;
    return 0;
}

static int take_body(struct pins_job *job, const struct http_request *request) {
    struct pin_command *command = &job->command;
    struct failure *failure = &command->failure;
    switch (command->act) {
        case PIN_ADD: return pin_request_edit(request->body, request->body_size, true, &command->edit, failure);
        case PIN_EDIT: return pin_request_edit(request->body, request->body_size, false, &command->edit, failure);
        case PIN_RESTORE: return pin_request_revision(request->body, request->body_size, &command->number, failure);
        default: return pin_request_empty(request->body, request->body_size, failure);
    }
}

static int change(const struct http_request *request, enum pin_act act, const char *id) {
    struct peer *peer = request->peer;
    const char *words = NULL;
    char message[sizeof((struct failure){0}).message];
    int refused = web_user_may(peer, ACT_PIN, NULL, &words);
    if (refused) return http_answer_error(peer, refused, words);
    struct pins_job *job = new_job(peer, act, id);
    if (!job) return http_answer_error(peer, 503, "out of memory");
    refused = take_match(job);
    int status = refused ? VIRGA_OK : take_body(job, request);
    if (!refused && !status) {
        if (job->command.edit.view) pin_request_check(job->command.edit.to.view, job->job.catalog, job->warning, sizeof job->warning);
        return ask(job);
    }
    memcpy(message, job->command.failure.message, sizeof message);
    http_job_free(&job->job);
    if (refused) return http_answer_error(peer, refused, "a change names the revision that it is of: If-Match: \"3\", the ETag that was read");
    return http_answer_error(peer, http_status_of(status), message);
}

// Routes.

static int collection(const struct http_request *request) {
    char deleted[8];
    if (request->method == HTTP_POST) return change(request, PIN_ADD, NULL);
    if (request->method != HTTP_GET) return http_answer_method(request->peer, "GET, HEAD, POST");
    if (http_query(request->peer, "deleted", deleted, sizeof deleted) && !strcmp(deleted, "1")) return look(request, PIN_LIST_DELETED, NULL, 0);
    return list(request);
}

static int of_one(const struct http_request *request, const char *id, const char *rest) {
    enum http_method method = request->method;
    if (!*rest) {
        if (method == HTTP_GET) return one(request, id);
        return method == HTTP_POST ? http_answer_method(request->peer, "GET, HEAD, PUT, DELETE") : change(request, method == HTTP_PUT ? PIN_EDIT : PIN_DELETE, id);
    }
    bool undo = !strcmp(rest, "/undo"), history = !strcmp(rest, "/history");
    if (undo || !strcmp(rest, "/restore"))
        return method == HTTP_POST ? change(request, undo ? PIN_UNDO : PIN_RESTORE, id) : http_answer_method(request->peer, "POST");
    if (!history && strncmp(rest, "/history/", 9)) return http_answer_nothing(request->peer);
    if (method != HTTP_GET) return http_answer_method(request->peer, "GET, HEAD");
    if (history) return look(request, PIN_HISTORY, id, 0);
    const char *number = rest + 9;
    bool valid = *number && strlen(number) < 10 && !number[strspn(number, "0123456789")];
    return valid ? look(request, PIN_REVISION, id, (uint32_t)strtoul(number, NULL, 10)) : http_answer_nothing(request->peer);
}

int http_pins(const struct http_request *request) {
    struct peer *peer = request->peer;
    char id[PIN_ID + 1] = "";
    const char *words = NULL;
    size_t length = strcspn(request->path, "/");
    int refused = web_user_may(peer, ACT_SEE, NULL, &words);
    if (refused) return http_answer_error(peer, refused, words);
    if (!peer->server->pins) return off(peer);
    if (!*request->path) return collection(request);
    if (length == PIN_ID) memcpy(id, request->path, length);
    return pin_id_valid(id) ? of_one(request, id, request->path + length) : http_answer_nothing(peer);
}

// The page says what is to be said about a pin that is not there, or that one must sign in for.
int http_pin_link(const struct http_request *request) {
    struct peer *peer = request->peer;
    char embed[8];
    if (strpbrk(request->path, "./")) return http_pin_picture(request);
    if (!pin_id_valid(request->path)) return http_answer_nothing(peer);
    bool embedded = http_query(peer, "embed", embed, sizeof embed) && !strcmp(embed, "1");
    http_answer(peer, 302, NULL, NULL);
    peer->reply.cache = "no-cache";
    snprintf(peer->reply.more, sizeof peer->reply.more, "Location: %.180s?pin=%s%s\r\n", peer->server->app->config.base_path, request->path, embedded ? "&embed=1" : "");
    return 302;
}
