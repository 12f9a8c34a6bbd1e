// SPDX-License-Identifier: Apache-2.0
// Slabs read through the engine into memory: bench_engine --help tells the rest. Prints one line of JSON a round.
#include <getopt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/clock.h"
#include "base/log.h"
#include "source/source_engine.h"

static const char help[] =
    "bench_engine [options] ADDRESS VARIABLE\n"
    "Reads VARIABLE of ADDRESS (zarr:PATH, …; or a path that the engine reads) in pieces along its slowest dimension, several at once, and prints for\n"
    "each round a line {\"round\", \"seconds\", \"slab_bytes\", \"mb_per_s\", \"stored_mb_per_s\", \"read\", \"sent\", \"received\", \"requests\", \"sum\"}:\n"
    "slab_bytes are the bytes of slabs that came, mb_per_s those in 10^6 a second, stored_mb_per_s the bytes of the stored points that were asked for, read\n"
    "and sent what the engine counted, received what arrived, sum an XXH3-64 of all slabs in order. The first round starts child and cluster: \"cold\" is its time to\n"
    "the first slab.\n"
    "  --python PATH        the engine's Python (default as virga's)\n"
    "  --cluster SPEC       none, local, local:N, tcp://HOST:PORT, … (default none)\n"
    "  --workers MIN:MAX    of the cluster\n"
    "  --slabs PLACE        HOST[:PORT] or off (default as virga's)\n"
    "  --reduce KIND        none, stride or mean (default none)\n"
    "  --block N[,N…]       of the reduction, for each dimension (default 1)\n"
    "  --split N            points of the slowest dimension in each request (default 1)\n"
    "  --parallel N         requests at once (default 4)\n"
    "  --rounds N           (default 3)\n"
    "  --unsummed           leaves the slabs unread\n"
    "  --step               waits for a line on stdin before each round, and ends where there is none\n"
    "  --log                the engine's lines on stderr\n";

enum { MOST_PARALLEL = 64 };

struct bench {
    struct source *source;
    struct source_slab_request pattern;
    size_t split, length, pieces;
    int parallel;
    bool step, unsummed;
    atomic_size_t next, slab_bytes;
    atomic_bool failed;
    double begun;
    _Atomic double first;
    uint64_t *sums;  // of each piece
};

static void *read_pieces(void *argument) {
    struct bench *b = argument;
    for (size_t n; (n = atomic_fetch_add(&b->next, 1)) < b->pieces && !atomic_load(&b->failed);) {
        struct source_slab_request request = b->pattern;
        struct source_slab slab;
        struct failure failure;
        double none = 0;
        if (request.rank) {
            request.start[0] = n * b->split;
            request.count[0] = b->length - request.start[0] < b->split ? b->length - request.start[0] : b->split;
        }
        if (source_read(b->source, &request, &slab, &failure)) {
            fprintf(stderr, "%s\n", failure.message);
            atomic_store(&b->failed, true);
            return NULL;
        }
        atomic_compare_exchange_strong(&b->first, &none, clock_monotonic() - b->begun);
        atomic_fetch_add(&b->slab_bytes, slab.bytes);
        if (!b->unsummed) b->sums[n] = XXH3_64bits(slab.data, slab.bytes);
        source_slab_release(&slab);
    }
    return NULL;
}

static double stored_bytes(const struct bench *b) {
    const struct source_inventory *all = source_inventory(b->source);
    const struct source_variable *v = &all->variables[b->pattern.variable];
    double bytes = (double)source_type_size(v->type);
    for (int d = 0; d < v->rank; d++) bytes *= (double)all->dimensions[v->dimensions[d]].length;
    return bytes;
}

static int run_round(struct bench *b, struct source_engine *engine, int round) {
    pthread_t threads[MOST_PARALLEL];
    struct source_engine_counts before, after;
    source_engine_counts(engine, &before);
    atomic_store(&b->next, 0);
    atomic_store(&b->slab_bytes, 0);
    atomic_store(&b->first, 0);
    b->begun = clock_monotonic();
    int started = 0;
    while (started < b->parallel && !pthread_create(&threads[started], NULL, read_pieces, b)) started++;
    for (int i = 0; i < started; i++) pthread_join(threads[i], NULL);
    double seconds = clock_monotonic() - b->begun, bytes = (double)atomic_load(&b->slab_bytes);
    source_engine_counts(engine, &after);
    if (atomic_load(&b->failed)) return 1;
    printf("{\"round\": %d, \"seconds\": %.4f, \"cold\": %.4f, \"slab_bytes\": %.0f, \"mb_per_s\": %.1f, \"stored_mb_per_s\": %.1f, \"read\": %llu, \"sent\": %llu, "
           "\"received\": %llu, \"requests\": %llu, \"sum\": \"%016llx\"}\n", round, seconds, atomic_load(&b->first), bytes, bytes / seconds / 1e6,
           stored_bytes(b) / seconds / 1e6, (unsigned long long)(after.traffic.read - before.traffic.read), (unsigned long long)(after.traffic.sent - before.traffic.sent),
           (unsigned long long)(after.traffic.received - before.traffic.received), (unsigned long long)(after.traffic.requests - before.traffic.requests),
           (unsigned long long)XXH3_64bits(b->sums, b->pieces * sizeof *b->sums));
    fflush(stdout);
    return 0;
}

static bool may_begin(const struct bench *b) {
    for (int c; b->step && (c = getchar()) != '\n';)
        if (c == EOF) return false;
    return true;
}

static int prepare(struct bench *b, const char *variable, const char *blocks) {
    const struct source_inventory *all = source_inventory(b->source);
    const struct source_variable *v = source_find_variable(b->source, variable);
    if (!v) return fprintf(stderr, "it has no variable %s\n", variable), 1;
    b->pattern.variable = (size_t)(v - all->variables);
    b->pattern.rank = v->rank;
    b->pattern.scale = 1;
    for (int d = 0; d < v->rank; d++) {
        b->pattern.count[d] = all->dimensions[v->dimensions[d]].length;
        b->pattern.block[d] = strtoul(blocks, NULL, 10);
        if (!b->pattern.block[d]) b->pattern.block[d] = 1;
        const char *comma = strchr(blocks, ',');
        if (comma) blocks = comma + 1;
    }
    b->length = v->rank ? b->pattern.count[0] : 1;
    b->pieces = (b->length + b->split - 1) / b->split;
    b->sums = calloc(b->pieces + 1, sizeof *b->sums);
    return !b->sums;
}

static int run(struct bench *b, const struct source_engine_options *options, const char *address, const char *variable, const char *blocks, int rounds) {
    struct source_engine *engine = NULL;
    struct source_pool *pool = NULL;
    struct source_limits limits;
    struct failure failure;
    source_limits_default(&limits);
    int status = source_engine_new(options, &engine, &failure);
    if (!status) status = source_pool_new_engine(engine, &limits, &pool, &failure);
    if (!status) status = source_open(pool, address, &b->source, &failure);
    if (status) fprintf(stderr, "%s\n", failure.message);
    if (!status) status = prepare(b, variable, blocks);
    for (int round = 0; round < rounds && !status && may_begin(b); round++) status = run_round(b, engine, round);
    source_unref(b->source);
    source_pool_free(pool);
    source_engine_free(engine);
    free(b->sums);
    return status ? 1 : 0;
}

int main(int argc, char **argv) {
    static const struct option names[] = {{"python", 1, NULL, 'p'}, {"cluster", 1, NULL, 'c'}, {"workers", 1, NULL, 'w'}, {"slabs", 1, NULL, 's'},
                                          {"reduce", 1, NULL, 'r'}, {"block", 1, NULL, 'b'}, {"split", 1, NULL, 'n'}, {"parallel", 1, NULL, 'j'},
                                          {"rounds", 1, NULL, 'o'}, {"step", 0, NULL, 't'}, {"unsummed", 0, NULL, 'u'}, {"log", 0, NULL, 'l'}, {"help", 0, NULL, 'h'}, {NULL, 0, NULL, 0}};
    struct source_engine_options options;
    struct bench b = {.split = 1, .parallel = 4};
    const char *blocks = "1";
    int rounds = 3, option;
    source_engine_options_default(&options);
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1)
        switch (option) {
        case 'p': options.python = optarg; break;
        case 'c': options.cluster = optarg; break;
        case 'w': options.workers = optarg; break;
        case 's': options.slabs = optarg; break;
        case 'r': b.pattern.reduction = !strcmp(optarg, "mean") ? REDUCE_MEAN : !strcmp(optarg, "stride") ? REDUCE_STRIDE : REDUCE_NONE; break;
        case 'b': blocks = optarg; break;
        case 'n': b.split = strtoul(optarg, NULL, 10); break;
        case 'j': b.parallel = atoi(optarg); break;
        case 'o': rounds = atoi(optarg); break;
        case 't': b.step = true; break;
        case 'u': b.unsummed = true; break;
        case 'l': log_configure(LOG_LEVEL_DEBUG, false); break;
        case 'h': fputs(help, stdout); return 0;
        default: return 2;
        }
    if (argc - optind != 2 || !b.split || b.parallel < 1 || b.parallel > MOST_PARALLEL) return fputs(help, stderr), 2;
    return run(&b, &options, argv[optind], argv[optind + 1], blocks, rounds);
}
