// SPDX-License-Identifier: Apache-2.0
#include "source/engine_launch.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "source/source_url.h"

static const char INSTALLED_PYTHON[] = "/usr/lib/virga/engine/bin/python3";

struct engine_launch {
    struct source_engine_options options;
    struct arena texts;
    char *own_slabs;  // the host of `slabs`, or NULL
    int own_port;
};

// ---- options ----

static char *keep(struct engine_launch *l, const char *text) { return text ? arena_text(&l->texts, text, strlen(text)) : NULL; }

// The text, or where none is given the other one, which may be NULL.
static char *keep_given(struct engine_launch *l, const char *text, const char *otherwise, bool *whole) {
    const char *chosen = text && *text ? text : otherwise;
    char *kept = keep(l, chosen);
    *whole = *whole && (kept || !chosen);
    return kept;
}

static const char *const *keep_list(struct engine_launch *l, const char *const *list, size_t count, bool *whole) {
    const char **copy = arena_new(&l->texts, count + 1, sizeof *copy);
    *whole = *whole && copy;
    for (size_t i = 0; copy && i < count; i++) *whole = (copy[i] = keep(l, list[i])) && *whole;
    return copy;
}

// Beside the folder of this program (a build, or an installation), else where packages put it.
static char *find_python(struct engine_launch *l) {
    char path[4096 + 32];
    ssize_t n = readlink("/proc/self/exe", path, 4096);
    for (int up = 0; up < 2 && n > 0; up++)
        while (n > 0 && path[--n] != '/') continue;
    if (n > 0) {
        snprintf(path + n, sizeof path - (size_t)n, "/engine/bin/python3");
        if (!access(path, X_OK)) return keep(l, path);
    }
    return keep(l, INSTALLED_PYTHON);
}

static int copy_options(struct engine_launch *l, const struct source_engine_options *o) {
    bool whole = true;
    l->options = *o;
    l->options.python = o->python && *o->python ? keep(l, o->python) : find_python(l);
    l->options.cluster = keep_given(l, o->cluster, "none", &whole);
    l->options.workers = keep_given(l, o->workers, NULL, &whole);
    l->options.slabs = keep_given(l, o->slabs, NULL, &whole);
    l->options.schemes = keep_list(l, o->schemes, o->scheme_count, &whole);
    l->options.products = keep_list(l, o->products, o->product_count, &whole);
    return whole && l->options.python ? VIRGA_OK : VIRGA_NO_MEMORY;
}

const char *engine_launch_kind(const struct engine_launch *l) {
    const char *cluster = l->options.cluster;
    if (!strncmp(cluster, "local", 5)) return "local";
    if (!strncmp(cluster, "tcp://", 6) || !strncmp(cluster, "tls://", 6)) return "shared";
    return strncmp(cluster, "gateway:", 8) ? "none" : "gateway";
}

static int check_options(struct engine_launch *l, struct failure *failure) {
    const char *cluster = l->options.cluster, *slabs = l->options.slabs;
    struct source_url url;
    bool local = !strcmp(cluster, "local") || !strncmp(cluster, "local:", 6);
    if (strcmp(cluster, "none") && (!strcmp(engine_launch_kind(l), "none") || (!strncmp(cluster, "local", 5) && !local)))
        return failure_set(failure, VIRGA_INVALID, "%s is no cluster: none, local, local:N, tcp://HOST:PORT, tls://HOST:PORT or gateway:URL", cluster);
    if (!slabs || !strcmp(slabs, "off")) return VIRGA_OK;
    if (source_url_parse_host(slabs, 0, &url)) return failure_set(failure, VIRGA_INVALID, "%s is no HOST or HOST:PORT for slabs", slabs);
    l->own_port = url.port;
    l->own_slabs = keep(l, url.host);
    return l->own_slabs ? VIRGA_OK : failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
}

int engine_launch_new(const struct source_engine_options *options, struct engine_launch **launch, struct failure *failure) {
    struct engine_launch *l = calloc(1, sizeof *l);
    *launch = NULL;
    int status = l ? copy_options(l, options) : VIRGA_NO_MEMORY;
    if (status) failure_set(failure, status, "out of memory");
    else status = check_options(l, failure);
    if (status) engine_launch_free(l);
    else *launch = l;
    return status;
}

void engine_launch_free(struct engine_launch *l) {
    if (!l) return;
    arena_destroy(&l->texts);
    free(l);
}

const struct source_engine_options *engine_launch_options(const struct engine_launch *l) { return &l->options; }

// ---- the child ----

int engine_launch_installed(const struct engine_launch *l, struct failure *failure) {
    if (l->options.socket >= 0 || !access(l->options.python, X_OK)) return VIRGA_OK;
    return failure_set(failure, VIRGA_NOT_FOUND, "the engine is not installed (there is no %s): run server/engine, or name its Python in the setting engine-python",
                       l->options.python);
}

struct word_list {
    struct arena room;
    const char **words;
    size_t count, most;
};

static void add_words(struct word_list *list, const char *option, const char *value) {
    if (!value) return;
    if (list->count + 2 < list->most) {
        list->words[list->count++] = option;
        list->words[list->count++] = value;
    }
}

static char *print(struct word_list *list, const char *format, double number) {
    char text[64];
    snprintf(text, sizeof text, format, number);
    return arena_text(&list->room, text, strlen(text));
}

static char *join(struct word_list *list, const char *const *texts, size_t count) {
    size_t size = 1;
    for (size_t i = 0; i < count; i++) size += strlen(texts[i]) + 1;
    char *joined = arena_new(&list->room, size, 1);
    for (size_t i = 0; i < count && joined; i++) {
        if (i) strcat(joined, ",");
        strcat(joined, texts[i]);
    }
    return joined;
}

static int make_command(const struct engine_launch *l, const char *module, const char *slabs, struct word_list *list) {
    const struct source_engine_options *o = &l->options;
    list->most = 24 + 2 * o->product_count;
    list->words = arena_new(&list->room, list->most, sizeof *list->words);
    if (!list->words) return VIRGA_NO_MEMORY;
    list->words[list->count++] = o->python;
    add_words(list, "-m", module);
    list->words[list->count++] = print(list, "%.0f", getpid());
    add_words(list, "--cluster", o->cluster);
    add_words(list, "--workers", o->workers);
    add_words(list, "--idle", o->idle_seconds > 0 ? print(list, "%.0f", o->idle_seconds) : NULL);
    add_words(list, "--slabs", slabs);
    add_words(list, "--schemes", o->scheme_count ? join(list, o->schemes, o->scheme_count) : NULL);
    for (size_t i = 0; i < o->product_count; i++) add_words(list, "--product", o->products[i]);
    add_words(list, "--memory", print(list, "%.0f", (double)o->memory));
    return VIRGA_OK;
}

// This program's own, but that Python takes no modules from the working folder.
static char **make_environment(struct word_list *list) {
    extern char **environ;
    size_t n = 0;
    while (environ[n]) n++;
    char **copy = arena_new(&list->room, n + 2, sizeof *copy);
    for (size_t i = 0; copy && i < n; i++) copy[i] = environ[i];
    if (copy) copy[n] = arena_text(&list->room, "PYTHONSAFEPATH=1", 16);
    return copy;
}

static int start(const struct engine_launch *l, const char *module, const char *slabs, struct source_child *child, struct failure *failure) {
    struct word_list list = {0};
    int status = engine_launch_installed(l, failure);
    if (status) return status;
    char **environment = make_environment(&list);
    status = environment ? make_command(l, module, slabs, &list) : VIRGA_NO_MEMORY;
    if (status) failure_set(failure, status, "out of memory");
    else status = source_child_start(&(struct source_child_options){.argv = list.words, .environment = environment, .group = true}, child, failure);
    arena_destroy(&list.room);
    return status;
}

int engine_launch_start(const struct engine_launch *l, const char *slabs, struct source_child *child, struct failure *failure) {
    return start(l, "virga_engine", slabs, child, failure);
}

int engine_launch_module(const struct engine_launch *l, const char *module, struct source_child *child, struct failure *failure) {
    return start(l, module, NULL, child, failure);
}

// ---- where slabs are delivered ----

// The address of this machine by which another is reached: what the kernel would send from; nothing is sent.
static int address_towards(const char *cluster, char *host, size_t room) {
    struct source_url url;
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM}, *places = NULL;
    struct sockaddr_storage own;
    socklen_t size = sizeof own;
    char port[16];
    if (source_url_parse_host(cluster + strlen("tcp://"), 8786, &url)) return VIRGA_INVALID;
    snprintf(port, sizeof port, "%d", url.port);
    if (getaddrinfo(url.host, port, &hints, &places)) return VIRGA_IO;
    int status = VIRGA_IO, fd = socket(places->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && !connect(fd, places->ai_addr, places->ai_addrlen) && !getsockname(fd, (struct sockaddr *)&own, &size) &&
        !getnameinfo((struct sockaddr *)&own, size, host, (socklen_t)room, NULL, 0, NI_NUMERICHOST))
        status = VIRGA_OK;
    if (fd >= 0) close(fd);
    freeaddrinfo(places);
    return status;
}

int engine_launch_receiver(const struct engine_launch *l, struct slab_receiver **receiver, struct failure *failure) {
    struct slab_receiver_options options;
    const char *cluster = l->options.cluster;
    char host[NI_MAXHOST] = "127.0.0.1";
    *receiver = NULL;
    bool local = !strcmp(engine_launch_kind(l), "local"), plain = !strncmp(cluster, "tcp://", 6);
    if (!l->own_slabs && (l->options.slabs || !(local || plain))) return VIRGA_OK;  // off, or over the network never in clear unless asked for
    if (!strcmp(engine_launch_kind(l), "none") && !l->own_slabs) return VIRGA_OK;
    if (!l->own_slabs && plain && address_towards(cluster, host, sizeof host))
        return failure_set(failure, VIRGA_IO, "it cannot be told by which address of this machine %s is reached; name it in the setting engine-slabs", cluster);
    slab_receiver_options_default(&options);
    options.host = l->own_slabs ? l->own_slabs : host;
    options.port = l->own_port;
    return slab_receiver_new(&options, receiver, failure);
}
