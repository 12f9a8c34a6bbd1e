// SPDX-License-Identifier: Apache-2.0
#include "source/source_engine.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "source/engine_launch.h"
#include "source/engine_requests.h"
#include "source/engine_state.h"
#include "source/source_address.h"
#include "source/source_engine_ask.h"

enum { LOG_LINES = 50, END_MS = 2000, FREE_MS = 5000, MESSAGES_AT_ONCE = 64 };
static const double WATCH_SECONDS = 1, FIRST_WAIT = 0.5, LONGEST_WAIT = 30, WAITED_FOR = 3, TRIM_SECONDS = 30;
static const size_t KEEP_SLABS = (size_t)256 << 20;

enum child_state {
    CHILD_NONE,
    CHILD_STARTING,  // it has not said hello
    CHILD_READY,
    CHILD_GONE,      // the other end of an inherited socket has closed: for good
};

struct source_engine {
    struct engine_launch *launch;
    struct slab_pool *slabs;
    struct engine_state state;
    atomic_uint_fast64_t next_request;
    pthread_mutex_t receiver_lock;
    struct slab_receiver *receiver;  // receiver_lock
    bool receiver_tried;             // receiver_lock
    pthread_t thread;
    int wake;  // of the thread

    // the thread's
    struct source_child child;
    struct engine_link link;
    struct source_child_lines lines;
    char last_line[256];             // of stderr
    double awake, looked;            // seconds that the thread was there to look, and when it last did
    double hello_by;                 // of those seconds
    double watched_at, trimmed_at;
    double not_before;               // when the child may be started again
    unsigned failures;               // in a row
    struct failure last_end;
    enum child_state child_state;

    struct engine_requests requests;

    pthread_mutex_t lock;
    bool stopping, distrusted, want_start, want_stop;  // lock, as are the counts
    struct source_engine_counts counts;
};

void source_engine_options_default(struct source_engine_options *options) {
    *options = (struct source_engine_options){
        .socket = -1, .memory = (size_t)4 << 30, .start_seconds = 60, .open_seconds = 120, .read_seconds = 300, .cancel_seconds = 20};
}

const struct source_engine_options *source_engine_options(const struct source_engine *e) { return engine_launch_options(e->launch); }
uint64_t source_engine_next_request(struct source_engine *e) { return atomic_fetch_add(&e->next_request, 1) + 1; }
struct slab_pool *source_engine_slabs(struct source_engine *e) { return e->slabs; }
char *source_engine_state(struct source_engine *e) { return engine_state_copy(&e->state); }
bool source_engine_has_cluster(const struct source_engine *e) { return strcmp(engine_launch_kind(e->launch), "none") != 0; }
int source_engine_installed(const struct source_engine *e, struct failure *failure) { return engine_launch_installed(e->launch, failure); }

bool source_engine_takes(const struct source_engine *e, const char *path) {
    const struct source_engine_options *o = engine_launch_options(e->launch);
    return source_address_has_kind(path) || source_address_has_scheme(path, o->schemes, o->scheme_count);
}

void source_engine_on_state(struct source_engine *e, void (*told)(void *context, const char *json), void *context) {
    engine_state_listen(&e->state, told, context);
}

static void wake_thread(void *context) {
    const struct source_engine *e = context;
    wakeup_send(e->wake);
}

struct slab_receiver *source_engine_receiver(struct source_engine *e) {
    struct failure failure;
    pthread_mutex_lock(&e->receiver_lock);
    if (!e->receiver_tried && engine_launch_receiver(e->launch, &e->receiver, &failure)) log_warning("engine", "%s", failure.message);
    e->receiver_tried = true;
    struct slab_receiver *receiver = e->receiver;
    pthread_mutex_unlock(&e->receiver_lock);
    return receiver;
}

// ---- what others ask of it ----

int source_engine_ask(struct source_engine *e, const struct source_engine_question *question, struct source_engine_answer *answer,
                      struct failure *failure) {
    return engine_requests_ask(&e->requests, question, answer, failure);
}

static void set_flag(struct source_engine *e, bool *flag) {
    pthread_mutex_lock(&e->lock);
    *flag = true;
    pthread_mutex_unlock(&e->lock);
    wake_thread(e);
}

void source_engine_distrust(struct source_engine *e) { set_flag(e, &e->distrusted); }
void source_engine_stop_cluster(struct source_engine *e) { set_flag(e, &e->want_stop); }

int source_engine_start(struct source_engine *e, struct failure *failure) {
    int status = engine_launch_installed(e->launch, failure);
    if (!status) set_flag(e, &e->want_start);
    return status;
}

void source_engine_stop(struct source_engine *e) {
    engine_requests_stop(&e->requests);
    set_flag(e, &e->stopping);
}

void source_engine_counts(struct source_engine *e, struct source_engine_counts *counts) {
    pthread_mutex_lock(&e->lock);
    *counts = e->counts;
    pthread_mutex_unlock(&e->lock);
    counts->on_the_way = engine_requests_count(&e->requests);
}

void source_engine_count(struct source_engine *e, const struct source_traffic *more) {
    pthread_mutex_lock(&e->lock);
    struct source_traffic *t = &e->counts.traffic;
    t->requests += more->requests;
    t->read += more->read;
    t->sent += more->sent;
    t->received += more->received;
    pthread_mutex_unlock(&e->lock);
}

// ---- the child; on the thread ----

static void take_line(void *context, const char *line) {
    struct source_engine *e = context;
    if (!strncmp(line, "info: ", 6)) {
        log_info("engine", "%s", line + 6);
        return;
    }
    bool warning = !strncmp(line, "warning: ", 9);
    snprintf(e->last_line, sizeof e->last_line, "%.*s", (int)sizeof e->last_line - 1, line + (warning ? 9 : 0));
    if (warning) log_warning("engine", "%s", line + 9);
    else log_debug("engine", "%s", line);
}

static bool has_engine(const struct source_engine *e) { return e->link.socket >= 0; }
static bool is_inherited(const struct source_engine *e) { return engine_launch_options(e->launch)->socket >= 0; }

// Ends the child and its group, and reads what it last printed. `grace`: how long it may end by itself.
static void end_child(struct source_engine *e, int grace) {
    engine_link_reset(&e->link, -1);
    if (e->child.socket >= 0) close(e->child.socket);
    e->child.socket = -1;
    if (e->child.pid <= 0) return;
    if (grace) source_child_reap(&e->child, grace);
    source_child_kill(&e->child);
    if (!source_child_reap(&e->child, END_MS)) log_warning("engine", "process %d does not end; left behind", (int)e->child.pid);
    while (source_child_read_lines(e->child.log, &e->lines)) continue;
    source_child_close(&e->child);
}

static double waiting_time(unsigned failures) {
    double seconds = FIRST_WAIT * ldexp(1, failures > 8 ? 8 : (int)failures - 1);
    return seconds < LONGEST_WAIT ? seconds : LONGEST_WAIT;
}

// What is said of one that ended by itself.
static void explain_end(const struct source_engine *e, bool ready, struct failure *why) {
    char how[64] = "";
    int status = e->child.wait_status;
    if (is_inherited(e)) {
        failure_set(why, VIRGA_GONE, "the process that held this data has ended; show it again from there");
        return;
    }
    if (e->child.reaped && WIFSIGNALED(status)) snprintf(how, sizeof how, " (%s)", strsignal(WTERMSIG(status)));
    else if (e->child.reaped && WIFEXITED(status)) snprintf(how, sizeof how, " (exit status %d)", WEXITSTATUS(status));
    if (ready) failure_set(why, VIRGA_GONE, "the engine ended%s; it is started again", how);
    else failure_set(why, VIRGA_IO, "the engine could not be started%s%s%.200s; see that it is whole: server/engine", how, *e->last_line ? ": " : "", e->last_line);
}

// The child is over, by its own end (why NULL) or since it may not go on.
static void lose_child(struct source_engine *e, const struct failure *why) {
    struct failure failure;
    bool ready = e->child_state == CHILD_READY, inherited = is_inherited(e);
    end_child(e, why || inherited ? 0 : END_MS);
    if (inherited) shutdown(engine_launch_options(e->launch)->socket, SHUT_RDWR);  // the other end is told, too
    if (why && inherited) failure_set(&failure, why->status, "the process that held this data did not answer as it should and was let go; show it again from there");
    else if (why) failure = *why;
    else explain_end(e, ready, &failure);
    if (inherited && !why) log_info("engine", "%s", failure.message);  // it comes and goes as it likes
    else log_warning("engine", "%s", failure.message);
    engine_state_make(&e->state, engine_launch_kind(e->launch), "failed", failure.message);
    pthread_mutex_lock(&e->lock);
    e->child_state = inherited ? CHILD_GONE : CHILD_NONE;
    e->failures++;
    e->not_before = clock_monotonic() + waiting_time(e->failures);
    e->last_end = failure;
    e->distrusted = false;
    e->want_start = e->want_start && ready;  // one that cannot be started is not tried again unasked
    pthread_mutex_unlock(&e->lock);
    engine_requests_fail(&e->requests, !ready, &failure, ready && failure.status == VIRGA_GONE && !inherited);
}

static void lose_child_because(struct source_engine *e, int status, const char *words) {
    struct failure why;
    failure_set(&why, status, "%s", words);
    lose_child(e, &why);
}

static void lose_broken_child(struct source_engine *e) {
    lose_child_because(e, VIRGA_GONE, "the engine broke its protocol and was ended; it is started again");
}

static void start_child(struct source_engine *e) {
    const struct source_engine_options *o = engine_launch_options(e->launch);
    struct slab_receiver *receiver = source_engine_receiver(e);
    struct failure failure;
    int status = VIRGA_OK;
    e->last_line[0] = '\0';
    e->lines = (struct source_child_lines){.most = LOG_LINES, .take = take_line, .context = e};
    if (o->socket < 0) {
        engine_state_make(&e->state, engine_launch_kind(e->launch), "starting", NULL);
        status = engine_launch_start(e->launch, receiver ? slab_receiver_address(receiver) : NULL, &e->child, &failure);
    }
    engine_link_reset(&e->link, status ? -1 : o->socket >= 0 ? o->socket : e->child.socket);
    e->hello_by = e->awake + o->start_seconds;
    pthread_mutex_lock(&e->lock);
    e->child_state = CHILD_STARTING;
    e->counts.starts++;
    pthread_mutex_unlock(&e->lock);
    if (status) lose_child(e, &failure);
}

// ---- messages; on the thread ----

static int limit_of(void *context, const struct source_header *header, size_t *most) {
    struct source_engine *e = context;
    bool ready = e->child_state == CHILD_READY, fits = ready && engine_requests_expects(&e->requests, header, most);
    if (header->kind == SOURCE_HELLO || header->kind == SOURCE_STATE) {
        fits = !header->request && ready == (header->kind == SOURCE_STATE);
        *most = SOURCE_MAX_REQUEST_BYTES;
    }
    return fits ? VIRGA_OK : VIRGA_INVALID;
}

static void say_resting(struct source_engine *e) {
    engine_state_make(&e->state, engine_launch_kind(e->launch), source_engine_has_cluster(e) ? "stopped" : "none", NULL);
}

static int take_hello(struct source_engine *e, const uint8_t *body, size_t bytes) {
    struct source_hello hello;
    if (source_decode_hello(body, bytes, &hello)) return VIRGA_INVALID;
    log_debug("engine", "process %d: %s", (int)e->child.pid, hello.name);
    say_resting(e);  // until it says more
    pthread_mutex_lock(&e->lock);
    e->child_state = CHILD_READY;
    pthread_mutex_unlock(&e->lock);
    return VIRGA_OK;
}

static int take_state(struct source_engine *e, const uint8_t *body, size_t bytes) {
    char *json = malloc(SOURCE_MAX_STATE_BYTES + 1);
    int status = json ? source_decode_state(body, bytes, json) : VIRGA_NO_MEMORY;
    if (!status) engine_state_set(&e->state, json);
    free(json);
    return status;
}

static int take_message(struct source_engine *e) {
    struct source_header header;
    uint8_t *body = NULL;
    int status = engine_link_receive(&e->link, limit_of, e, &header, &body);
    if (status) return status;
    if (header.kind == SOURCE_HELLO) status = take_hello(e, body, header.body_bytes);
    else if (header.kind == SOURCE_STATE) status = take_state(e, body, header.body_bytes);
    else {
        engine_requests_answer(&e->requests, &header, body);
        e->failures = 0;
        return VIRGA_OK;
    }
    free(body);
    return status;
}

static void take_messages(struct source_engine *e) {
    int status = VIRGA_OK;
    for (int i = 0; i < MESSAGES_AT_ONCE && !status; i++) status = take_message(e);
    if (status == VIRGA_GONE) lose_child(e, NULL);
    else if (status == VIRGA_INVALID) lose_broken_child(e);
    else if (status == VIRGA_NO_MEMORY) lose_child_because(e, VIRGA_NO_MEMORY, "out of memory for what the engine answered");
}

// ---- the loop; on the thread ----

// What a person wants of the cluster.
static int push_wishes(struct source_engine *e) {
    bool wishes[2];
    pthread_mutex_lock(&e->lock);
    wishes[0] = e->want_stop;
    wishes[1] = e->want_start;
    e->want_stop = e->want_start = false;
    pthread_mutex_unlock(&e->lock);
    int status = VIRGA_OK;
    for (int start = 0; start < 2; start++) {
        struct source_frame frame;
        if (!wishes[start] || status) continue;
        status = source_encode_cluster(start, &frame);
        if (!status) status = engine_link_push(&e->link, frame.data, frame.size, -1);
        source_frame_free(&frame);
    }
    return status;
}

// Refuses what would have to wait long for the next start, or for ever.
static void refuse_early(struct source_engine *e, double now) {
    struct failure why;
    if (e->child_state == CHILD_GONE) engine_requests_fail(&e->requests, true, &e->last_end, false);
    if (e->child_state != CHILD_NONE || e->not_before - now <= WAITED_FOR) return;
    failure_set(&why, e->last_end.status, "%.400s (in %.0f s)", e->last_end.message, ceil(e->not_before - now));
    engine_requests_fail(&e->requests, true, &why, false);
}

static void soonest(double *next, double moment) {
    if (moment > 0 && (*next < 0 || moment < *next)) *next = moment;
}

static void watch_memory(struct source_engine *e) {
    size_t most = engine_launch_options(e->launch)->memory, resident = source_child_resident(e->child.pid);
    char words[160];
    if (!most || resident <= most) return;
    snprintf(words, sizeof words, "the engine took more memory (%zu MiB) than it may (%zu MiB, setting engine-memory) and was ended; it is started again",
             resident >> 20, most >> 20);
    lose_child_because(e, VIRGA_TOO_LARGE, words);
}

// Whether the child is to be started, were it time.
static bool is_wanted(struct source_engine *e) {
    pthread_mutex_lock(&e->lock);
    bool wanted = e->want_start;
    e->want_stop = false;  // what does not run is stopped
    pthread_mutex_unlock(&e->lock);
    return wanted || is_inherited(e) || engine_requests_queued(&e->requests);
}

// Sends what is to be sent. Returns why the child is to be ended, or VIRGA_OK.
static int send_all(struct source_engine *e) {
    int status = e->child_state == CHILD_READY ? engine_requests_push(&e->requests, &e->link, e->awake + engine_launch_options(e->launch)->cancel_seconds) : VIRGA_OK;
    bool idle = !engine_link_has_output(&e->link);  // else one that does not read would be told without end
    if (!status && e->child_state == CHILD_READY && idle) status = push_wishes(e);
    return status ? status : engine_link_flush(&e->link);
}

static bool take_distrust(struct source_engine *e) {
    pthread_mutex_lock(&e->lock);
    bool distrusted = e->distrusted && e->child_state == CHILD_READY;  // else it was another that answered
    e->distrusted = false;
    pthread_mutex_unlock(&e->lock);
    return distrusted;
}

// Ends the child where it may not go on; returns whether it did.
static bool judge_child(struct source_engine *e) {
    static const char clinging[] = "the engine did not let go of what was given up and was ended; it is started again";
    double cancel = engine_requests_first_cancel(&e->requests);
    int status = send_all(e);
    if (status == VIRGA_GONE) lose_child(e, NULL);
    else if (status) lose_child_because(e, status, "out of memory for what the engine is asked");
    else if (take_distrust(e)) lose_broken_child(e);
    else if (e->child_state == CHILD_STARTING && e->awake > e->hello_by) lose_child_because(e, VIRGA_IO, "the engine could not be started: it did not answer in time");
    else if (cancel > 0 && e->awake > cancel) lose_child_because(e, VIRGA_GONE, clinging);
    else return false;
    return true;
}

// What is due without anything having come. Returns the moment of the next such thing, or -1.
static double do_what_is_due(struct source_engine *e) {
    double next = -1;
    e->awake += clock_step(&e->looked, 2 * WATCH_SECONDS);  // what is late was not, while this program stood still
    double now = e->looked;
    refuse_early(e, now);
    if (e->child_state == CHILD_NONE && is_wanted(e)) {
        if (now < e->not_before) return e->not_before;
        start_child(e);
        return now;
    }
    if (!has_engine(e)) return -1;
    if (judge_child(e)) return now;
    if (e->child.pid > 0 && now - e->watched_at >= WATCH_SECONDS) {
        e->watched_at = now;
        watch_memory(e);
    }
    double cancel = engine_requests_first_cancel(&e->requests);
    if (cancel > 0) soonest(&next, now + fmin(fmax(cancel - e->awake, 0), WATCH_SECONDS));
    if (e->child_state == CHILD_STARTING) soonest(&next, now + fmin(fmax(e->hello_by - e->awake, 0), WATCH_SECONDS));
    if (e->child.pid > 0) soonest(&next, e->watched_at + WATCH_SECONDS);
    return next;
}

static void wait_for_something(struct source_engine *e, double next) {
    struct pollfd polls[] = {
        {.fd = e->wake, .events = POLLIN},
        {.fd = e->link.socket, .events = (short)(POLLIN | (engine_link_has_output(&e->link) ? POLLOUT : 0))},
        {.fd = has_engine(e) ? e->child.log : -1, .events = POLLIN},
    };
    double left = next < 0 ? -1 : next - clock_monotonic();
    poll(polls, sizeof polls / sizeof *polls, next < 0 ? -1 : left <= 0 ? 0 : (int)(left * 1000) + 1);
    if (polls[0].revents) wakeup_clear(e->wake);
    if (polls[2].revents && !source_child_read_lines(e->child.log, &e->lines) && polls[2].revents & (POLLHUP | POLLERR)) {
        close(e->child.log);
        e->child.log = -1;
    }
    if (polls[1].revents & (POLLIN | POLLHUP | POLLERR)) take_messages(e);
}

static bool is_stopping(struct source_engine *e) {
    pthread_mutex_lock(&e->lock);
    bool stopping = e->stopping;
    pthread_mutex_unlock(&e->lock);
    return stopping;
}

static void *engine_main(void *argument) {
    struct source_engine *e = argument;
    struct failure over;
    while (!is_stopping(e)) {
        double next = do_what_is_due(e), now = clock_monotonic(), tell = engine_state_tell(&e->state, now);
        if (tell >= 0) soonest(&next, now + tell);
        if (now - e->trimmed_at > TRIM_SECONDS) {
            e->trimmed_at = now;
            slab_pool_trim(e->slabs, TRIM_SECONDS);
        }
        wait_for_something(e, next);
    }
    end_child(e, FREE_MS);
    failure_set(&over, VIRGA_CANCELLED, "not read, the program is ending");
    engine_requests_fail(&e->requests, true, &over, false);
    return NULL;
}

// ---- life ----

static int start_thread(struct source_engine *e, struct failure *failure) {
    int error = thread_start(&e->thread, engine_main, e);
    return error ? failure_set(failure, VIRGA_NO_MEMORY, "no thread for the engine: %s", strerror(error)) : VIRGA_OK;
}

static void destroy(struct source_engine *e) {
    engine_requests_destroy(&e->requests);
    if (e->launch && is_inherited(e)) close(engine_launch_options(e->launch)->socket);
    slab_receiver_free(e->receiver);
    if (e->wake >= 0) close(e->wake);
    engine_state_destroy(&e->state);
    pthread_mutex_destroy(&e->lock);
    pthread_mutex_destroy(&e->receiver_lock);
    slab_pool_free(e->slabs);
    engine_launch_free(e->launch);
    free(e);
}

int source_engine_new(const struct source_engine_options *options, struct source_engine **engine, struct failure *failure) {
    struct source_engine *e = calloc(1, sizeof *e);
    *engine = NULL;
    if (!e) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    engine_requests_init(&e->requests, wake_thread, e);
    pthread_mutex_init(&e->lock, NULL);
    pthread_mutex_init(&e->receiver_lock, NULL);
    engine_state_init(&e->state);
    e->child = (struct source_child){.pidfd = -1, .socket = -1, .log = -1};
    e->link.socket = -1;
    e->wake = wakeup_new();
    e->slabs = slab_pool_new(KEEP_SLABS);
    int status = e->wake >= 0 && e->slabs ? engine_launch_new(options, &e->launch, failure) : failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    if (!status) say_resting(e);
    if (!status) status = start_thread(e, failure);
    if (status) destroy(e);
    else *engine = e;
    return status;
}

void source_engine_free(struct source_engine *e) {
    if (!e) return;
    source_engine_stop(e);
    pthread_join(e->thread, NULL);
    destroy(e);
}
