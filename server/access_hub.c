// SPDX-License-Identifier: Apache-2.0
#include "server/access_hub.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

enum { MOST_ANSWER = 256 * 1024, REMEMBERED = 256, CONNECT_SECONDS = 5, ANSWER_SECONDS = 10, ADDRESS = 1400 };

struct remembered {
    uint8_t hash[SECRET_HASH];
    double until;  // 0: free
    bool valid;
    char name[ACCESS_NAME + 1];
};

struct access_hub {
    char address[512], token[ACCESS_HUB_TOKEN + 1], service[64], client[80], callback[768];
    pthread_mutex_t lock;
    bool has_lock;
    struct remembered remembered[REMEMBERED];  // lock
};

// A word that may stand in a header.
static bool is_word(const char *text) {
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] <= ' ' || (unsigned char)text[i] >= 0x7f) return false;
    return length > 0 && length <= ACCESS_HUB_TOKEN;
}

static int read_token(struct access_hub *hub, const char *path, struct failure *failure) {
    const char *variable = getenv("JUPYTERHUB_API_TOKEN");
    if (!path[0]) {
        snprintf(hub->token, sizeof hub->token, "%s", variable ? variable : "");
    } else {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t size = fd < 0 ? -1 : read(fd, hub->token, sizeof hub->token - 1);
        int reason = errno;
        if (fd >= 0) close(fd);
        if (size < 0) return failure_set(failure, VIRGA_IO, "auth-hub-token-file: cannot read %.300s: %s", path, strerror(reason));
        while (size && isspace((unsigned char)hub->token[size - 1])) size--;
        hub->token[size] = '\0';
    }
    if (is_word(hub->token)) return VIRGA_OK;
    return failure_set(failure, VIRGA_INVALID, "auth = jupyterhub needs the token of the service at the hub, one word: in the file that auth-hub-token-file names, or in JUPYTERHUB_API_TOKEN");
}

int access_hub_new(const struct config *config, struct access_hub **out, struct failure *failure) {
    struct access_hub *hub = *out = calloc(1, sizeof *hub);
    if (!hub) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    snprintf(hub->address, sizeof hub->address, "%s", config->auth_hub);
    snprintf(hub->service, sizeof hub->service, "%s", config->auth_hub_service);
    snprintf(hub->client, sizeof hub->client, "service-%s", config->auth_hub_service);
    if (config->auth_hub_callback[0]) snprintf(hub->callback, sizeof hub->callback, "%s", config->auth_hub_callback);
    else snprintf(hub->callback, sizeof hub->callback, "%soauth_callback", config->base_path);
    hub->has_lock = !pthread_mutex_init(&hub->lock, NULL);
    int status = hub->has_lock && !curl_global_init(CURL_GLOBAL_DEFAULT) ? VIRGA_OK : failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    if (!status) status = read_token(hub, config->auth_hub_token_file, failure);
    if (!status) return VIRGA_OK;
    access_hub_free(hub);
    *out = NULL;
    return status;
}

void access_hub_free(struct access_hub *hub) {
    if (!hub) return;
    if (hub->has_lock) pthread_mutex_destroy(&hub->lock);
    explicit_bzero(hub->token, sizeof hub->token);
    free(hub);
}

// What it said before.

int access_hub_remembered(struct access_hub *hub, const uint8_t hash[SECRET_HASH], double now, char name[ACCESS_NAME + 1]) {
    int status = VIRGA_AGAIN;
    pthread_mutex_lock(&hub->lock);
    for (size_t i = 0; i < REMEMBERED; i++) {
        const struct remembered *r = &hub->remembered[i];
        if (now >= r->until || !secret_equal(r->hash, hash)) continue;
        status = r->valid ? VIRGA_OK : VIRGA_INVALID;
        memcpy(name, r->name, sizeof r->name);
    }
    pthread_mutex_unlock(&hub->lock);
    return status;
}

// In place of what it said of the same token, else of what ends first.
static void remember(struct access_hub *hub, const char *token, const char *name, double now) {
    struct remembered made = {.until = now + ACCESS_HUB_SECONDS, .valid = name != NULL};
    sha256(token, strlen(token), made.hash);
    snprintf(made.name, sizeof made.name, "%s", name ? name : "");
    pthread_mutex_lock(&hub->lock);
    struct remembered *place = hub->remembered;
    for (size_t i = 0; i < REMEMBERED; i++) {
        struct remembered *r = &hub->remembered[i];
        if (secret_equal(r->hash, made.hash)) {
            place = r;
            break;
        }
        if (r->until < place->until) place = r;
    }
    *place = made;
    pthread_mutex_unlock(&hub->lock);
}

// Asking.

struct answer {
    char *text;
    size_t size;
};

static size_t take(char *data, size_t one, size_t count, void *user) {
    struct answer *answer = user;
    size_t size = one * count;
    if (answer->size + size > MOST_ANSWER) return 0;
    char *more = realloc(answer->text, answer->size + size + 1);
    if (!more) return 0;
    memcpy(more + answer->size, data, size);
    answer->text = more;
    answer->size += size;
    answer->text[answer->size] = '\0';
    return size;
}

// GET, or POST of a form. The hub's HTTP status, or VIRGA_IO with words. No redirection is followed, for it would be shown the token, too.
static int ask(struct access_hub *hub, const char *path, const char *authorization, const char *form, struct answer *answer, struct failure *failure) {
    char address[ADDRESS], why[CURL_ERROR_SIZE] = "";
    long said = 0;
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = authorization ? curl_slist_append(NULL, authorization) : NULL;
    if (!curl || (authorization && !headers)) {
        curl_slist_free_all(headers);
        curl_easy_cleanup(curl);
        return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    }
    snprintf(address, sizeof address, "%s/hub/api/%s", hub->address, path);
    curl_easy_setopt(curl, CURLOPT_URL, address);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)ANSWER_SECONDS);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "virga/" VIRGA_VERSION);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    if (form) curl_easy_setopt(curl, CURLOPT_POSTFIELDS, form);
    CURLcode result = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &said);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    if (!result) return (int)said;
    return failure_set(failure, VIRGA_IO, "the JupyterHub does not answer: %.200s", why[0] ? why : curl_easy_strerror(result));
}

static void forget(struct answer *answer) {
    if (answer->text) explicit_bzero(answer->text, answer->size);
    free(answer->text);
}

static bool has_scope(const json_t *scopes, const char *service) {
    char own[128];
    size_t i;
    const json_t *scope;
    snprintf(own, sizeof own, "access:services!service=%s", service);
    json_array_foreach(scopes, i, scope) {
        const char *text = json_string_value(scope);
        if (text && (!strcmp(text, "access:services") || !strcmp(text, own))) return true;
    }
    return false;
}

int access_hub_read(const char *json, size_t size, const char *service, char name[ACCESS_NAME + 1], struct failure *failure) {
    json_t *root = json ? json_loadb(json, size, JSON_REJECT_DUPLICATES, NULL) : NULL;
    const json_t *named = json_object_get(root, "name");
    const char *text = json_string_value(named), *kind = json_string_value(json_object_get(root, "kind"));
    int status = VIRGA_OK;
    if (!text || !kind || strcmp(kind, "user") || json_string_length(named) != strlen(text) || !access_name_valid(text))
        status = failure_set(failure, VIRGA_INVALID, "the JupyterHub names nobody who could be a user here");
    else if (!has_scope(json_object_get(root, "scopes"), service))
        status = failure_set(failure, VIRGA_INVALID, "the JupyterHub does not let this user or token use this service (scope access:services!service=%s)", service);
    else
        snprintf(name, ACCESS_NAME + 1, "%s", text);
    json_decref(root);
    return status;
}

int access_hub_ask(struct access_hub *hub, const char *token, double now, char name[ACCESS_NAME + 1], struct failure *failure) {
    char header[ACCESS_HUB_TOKEN + 40];
    struct answer answer = {0};
    name[0] = '\0';
    if (!is_word(token)) return failure_set(failure, VIRGA_INVALID, "this is no token of a JupyterHub");
    snprintf(header, sizeof header, "Authorization: token %s", token);
    int said = ask(hub, "user", header, NULL, &answer, failure), status = said;
    explicit_bzero(header, sizeof header);
    if (said == 200) status = access_hub_read(answer.text, answer.size, hub->service, name, failure);
    else if (said == 401 || said == 403) status = failure_set(failure, VIRGA_INVALID, "this token is not valid at the JupyterHub");
    else if (said >= 0) status = failure_set(failure, VIRGA_IO, "the JupyterHub does not answer as it should (status %d)", said);
    if (status == VIRGA_OK || status == VIRGA_INVALID) remember(hub, token, status ? NULL : name, now);
    forget(&answer);
    return status;
}

// Form values: what is no letter or digit is escaped.
static size_t escape(const char *text, char *out, size_t room) {
    static const char digits[] = "0123456789ABCDEF";
    size_t at = 0;
    for (const unsigned char *c = (const unsigned char *)text; *c && at + 4 < room; c++) {
        if (isalnum(*c) || strchr("-._~", *c)) out[at++] = (char)*c;
        else out[at++] = '%', out[at++] = digits[*c >> 4], out[at++] = digits[*c & 15];
    }
    out[at] = '\0';
    return at;
}

int access_hub_redeem(struct access_hub *hub, const char *code, char name[ACCESS_NAME + 1], struct failure *failure) {
    char values[4][3 * sizeof hub->callback], form[4 * 3 * sizeof hub->callback + 200], token[ACCESS_HUB_TOKEN + 1] = "";
    struct answer answer = {0};
    if (!is_word(code)) return failure_set(failure, VIRGA_INVALID, "this is no code of a JupyterHub");
    escape(hub->client, values[0], sizeof values[0]);
    escape(hub->token, values[1], sizeof values[1]);
    escape(code, values[2], sizeof values[2]);
    escape(hub->callback, values[3], sizeof values[3]);
    snprintf(form, sizeof form, "client_id=%s&client_secret=%s&grant_type=authorization_code&code=%s&redirect_uri=%s", values[0], values[1], values[2], values[3]);
    int said = ask(hub, "oauth2/token", NULL, form, &answer, failure), status = said < 0 ? said : VIRGA_OK;
    json_t *root = said == 200 ? json_loadb(answer.text ? answer.text : "", answer.size, 0, NULL) : NULL;
    const char *text = json_string_value(json_object_get(root, "access_token"));
    if (text && is_word(text)) snprintf(token, sizeof token, "%s", text);
    if (!status && !token[0]) status = failure_set(failure, VIRGA_INVALID, "the JupyterHub does not take the code that came with you (status %d): sign in again", said);
    if (!status) status = access_hub_ask(hub, token, clock_monotonic(), name, failure);
    json_decref(root);
    forget(&answer);
    explicit_bzero(token, sizeof token);
    explicit_bzero(values, sizeof values);
    explicit_bzero(form, sizeof form);
    return status;
}

void access_hub_address(const struct access_hub *hub, const char *state, char *out, size_t room) {
    char client[3 * sizeof hub->client], callback[3 * sizeof hub->callback];
    escape(hub->client, client, sizeof client);
    escape(hub->callback, callback, sizeof callback);
    snprintf(out, room, "%s/hub/api/oauth2/authorize?client_id=%s&redirect_uri=%s&response_type=code&state=%s", hub->address, client, callback, state);
}
