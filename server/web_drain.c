// SPDX-License-Identifier: Apache-2.0
#include "server/web_drain.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/service_notify.h"
#include "server/ws_client.h"

// LOOK: how often it is looked whether all have ended. IDLE: a request may be on its way over a connection without any. CLOSE: to answer a websocket's end.
enum { LOOK_USECS = 20000 };
static const double IDLE_SECONDS = 0.2, CLOSE_SECONDS = 1;

static bool listens_at(int fd, int port) {
    int listens = 0;
    struct sockaddr_storage at;
    socklen_t size = sizeof listens, room = sizeof at;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) || !listens || getsockname(fd, (struct sockaddr *)&at, &room)) return false;
    if (at.ss_family == AF_INET) return ntohs(((struct sockaddr_in *)&at)->sin_port) == port;
    return at.ss_family == AF_INET6 && ntohs(((struct sockaddr_in6 *)&at)->sin6_port) == port;
}

// The library has no call to close its listening socket and keep connections: what never has anything to say takes the socket's place, which closes it.
static void replace(int fd) {
    int silent = eventfd(0, EFD_CLOEXEC);
    if (silent < 0 || dup3(silent, fd, O_CLOEXEC) < 0) log_warning("serve", "cannot close the listening socket: %s", strerror(errno));
    if (silent >= 0) close(silent);
}

static void stop_listening(const struct web_server *server) {
    DIR *folder = opendir("/proc/self/fd");
    int port = lws_get_vhost_listen_port(server->vhost);
    for (const struct dirent *entry; folder && (entry = readdir(folder));) {
        char *end;
        long fd = strtol(entry->d_name, &end, 10);
        if (end != entry->d_name && !*end && listens_at((int)fd, port)) replace((int)fd);
    }
    if (folder) closedir(folder);
}

static void look_again(lws_sorted_usec_list_t *list) {
    struct web_server *server = lws_container_of(list, struct web_server, drain_look);
    lws_sul_schedule(server->context, 0, list, look_again, LOOK_USECS);  // the loop wakes, and looks
}

void web_send_sockets_away(struct web_server *server, const char *words) {
    for (struct peer *peer = server->peers; peer; peer = peer->next) {
        if (!peer->client && !peer->source) continue;
        peer->restart = true;
        if (peer->client) peer->client->closing = words;
        else ws_source_close(peer, words);
        lws_callback_on_writable(peer->wsi);
    }
}

void web_drain_begin(struct web_server *server) {
    server->phase = WEB_DRAINING;
    server->drain_began = clock_monotonic();
    log_info("serve", "asked to stop: nobody is let in any more, and %zu connections end", server->peer_count);
    service_notify_stopping();
    stop_listening(server);
    for (struct peer *peer = server->peers; peer; peer = peer->next)
        if (peer->replying && peer->fresh) peer->reply.close = true;
    web_send_sockets_away(server, "the server restarts");
    look_again(&server->drain_look);
}

static bool is_answering(const struct peer *peer) { return peer->body || peer->job || peer->replying; }

// How many are not to be broken off yet, after so many seconds.
static size_t count_waiting(const struct web_server *server, double after) {
    size_t count = 0;
    for (const struct peer *peer = server->peers; peer; peer = peer->next)
        count += is_answering(peer) || after < (peer->client || peer->source ? CLOSE_SECONDS : IDLE_SECONDS);
    return count;
}

bool web_drain_is_over(const struct web_server *server) {
    double after = clock_monotonic() - server->drain_began;
    size_t waiting = count_waiting(server, after);
    if (!waiting) return true;
    if (after < server->app->config.drain_seconds) return false;
    log_warning("serve", "%zu connections are broken off after %d seconds (setting drain-seconds)", waiting, server->app->config.drain_seconds);
    return true;
}
