// SPDX-License-Identifier: Apache-2.0
#include "render/render_team.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/thread.h"

struct member {
    struct render_team *team;
    pthread_t thread;
    size_t number;
};

struct render_team {
    size_t threads, started;
    bool background;
    pthread_mutex_t lock;  // round, busy and stopping
    pthread_cond_t begin, ended;
    uint64_t round;
    size_t busy;
    bool stopping;
    size_t count;          // of the round
    render_work *work;
    void *argument;
    atomic_size_t next;
    void (*wait)(void *user);
    void *user;
    struct member members[];
};

static void take_pieces(struct render_team *team, size_t thread) {
    for (;;) {
        if (team->wait) team->wait(team->user);
        size_t index = atomic_fetch_add(&team->next, 1);
        if (index >= team->count) return;
        team->work(team->argument, index, thread);
    }
}

// Only when nobody else wants the processor; where that is refused, as seldom as niceness allows.
static void give_way(void) {
    struct sched_param none = {0};
    if (sched_setscheduler(0, SCHED_IDLE, &none)) setpriority(PRIO_PROCESS, 0, 19);
}

static void *live(void *argument) {
    struct member *member = argument;
    struct render_team *team = member->team;
    uint64_t seen = 0;
    if (team->background) give_way();
    pthread_mutex_lock(&team->lock);
    for (;;) {
        while (!team->stopping && team->round == seen) pthread_cond_wait(&team->begin, &team->lock);
        if (team->stopping) break;
        seen = team->round;
        pthread_mutex_unlock(&team->lock);
        take_pieces(team, member->number);
        pthread_mutex_lock(&team->lock);
        if (--team->busy == 0) pthread_cond_signal(&team->ended);
    }
    pthread_mutex_unlock(&team->lock);
    return NULL;
}

// Those that this process may use.
static size_t processors(void) {
    cpu_set_t mine;
    return sched_getaffinity(0, sizeof mine, &mine) ? 1 : (size_t)CPU_COUNT(&mine);
}

struct render_team *render_team_new(size_t threads, bool background) {
    if (!threads) threads = processors();
    if (threads > 256) threads = 256;
    struct render_team *team = calloc(1, sizeof *team + threads * sizeof *team->members);
    if (!team) return NULL;
    team->threads = threads;
    team->background = background;
    pthread_mutex_init(&team->lock, NULL);
    pthread_cond_init(&team->begin, NULL);
    pthread_cond_init(&team->ended, NULL);
    for (size_t n = 1; n < threads; n++) {
        struct member *member = &team->members[n];
        *member = (struct member){.team = team, .number = n};
        if (thread_start(&member->thread, live, member)) {
            render_team_free(team);
            return NULL;
        }
        team->started++;
    }
    if (background) give_way();
    return team;
}

void render_team_free(struct render_team *team) {
    if (!team) return;
    pthread_mutex_lock(&team->lock);
    team->stopping = true;
    pthread_cond_broadcast(&team->begin);
    pthread_mutex_unlock(&team->lock);
    for (size_t n = 1; n <= team->started; n++) pthread_join(team->members[n].thread, NULL);
    pthread_cond_destroy(&team->ended);
    pthread_cond_destroy(&team->begin);
    pthread_mutex_destroy(&team->lock);
    free(team);
}

size_t render_team_threads(const struct render_team *team) {
    return team->threads;
}

void render_team_before_pieces(struct render_team *team, void (*wait)(void *user), void *user) {
    team->wait = wait;
    team->user = user;
}

void render_team_run(struct render_team *team, size_t count, render_work *work, void *argument) {
    if (!count) return;
    pthread_mutex_lock(&team->lock);
    team->count = count;
    team->work = work;
    team->argument = argument;
    atomic_store(&team->next, 0);
    team->busy = team->started;
    team->round++;
    pthread_cond_broadcast(&team->begin);
    pthread_mutex_unlock(&team->lock);
    take_pieces(team, 0);
    pthread_mutex_lock(&team->lock);
    while (team->busy) pthread_cond_wait(&team->ended, &team->lock);
    pthread_mutex_unlock(&team->lock);
}
