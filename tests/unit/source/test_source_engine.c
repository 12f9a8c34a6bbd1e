// SPDX-License-Identifier: Apache-2.0
// An engine that misbehaves: this program started as its child plays it, by the name of what it is asked for, or by its products.
#include "source_fixture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <xxhash.h>

#include "base/clock.h"
#include "child_processes.h"
#include "source/source_channel.h"
#include "source/source_engine.h"
#include "source/source_protocol.h"

enum { ROWS = 4, COLUMNS = 6, POINTS = ROWS * COLUMNS, REVERSED = 4 };

static void nap(void) { nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL); }

static const char *name_of(const char *path) { return strrchr(path, '/') ? strrchr(path, '/') + 1 : path; }

// ---- the child ----

static int child_socket = 3;
static const char *child_slabs;
static char *held[16];  // paths of requests that are not answered yet
static uint64_t held_requests[16], held_bytes[16];
static int held_slabs[16];
static size_t held_count;

static void child_raw(const void *bytes, size_t size) {
    const struct source_channel channel = {.socket = child_socket};
    if (source_channel_send(&channel, bytes, size, NULL, 0)) _exit(1);
}

static void child_send(struct source_frame *frame) {
    child_raw(frame->data, frame->size);
    source_frame_free(frame);
}

static void child_mark(const char *path, const char *what) {
    char marker[SOURCE_MAX_PATH + 32];
    snprintf(marker, sizeof marker, "%s.%s", strchr(path, '/'), what);
    int fd = open(marker, O_CREAT | O_WRONLY | O_TRUNC, 0600);
    dprintf(fd, "%d", (int)getpid());
    close(fd);
}

static bool child_marked(const char *path, const char *what) {
    char marker[SOURCE_MAX_PATH + 32];
    snprintf(marker, sizeof marker, "%s.%s", strchr(path, '/'), what);
    return !access(marker, F_OK);
}

static void child_inventory(uint64_t request) {
    struct source_dimension dims[] = {{"y", ROWS, false}, {"x", COLUMNS, false}};
    struct source_variable v = {.name = "v", .type = SOURCE_F32, .rank = 2, .dimensions = {0, 1}, .chunk = {1, COLUMNS}};
    struct source_inventory all = {.dimension_count = 2, .dimensions = dims, .variable_count = 1, .variables = &v, .format = "made up",
                                   .index = (const uint8_t *)"edition", .index_bytes = 7};
    struct source_frame frame;
    source_encode_inventory(request, &all, 1 << 16, &frame);
    child_send(&frame);
}

static void child_fail(uint64_t request, int status, const char *words) {
    struct failure failure = {.status = status};
    struct source_frame frame;
    snprintf(failure.message, sizeof failure.message, "%s", words);
    source_encode_failure(request, &failure, false, &frame);
    child_send(&frame);
}

static void child_fill(int slab, size_t bytes) {
    float *numbers = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, slab, 0);
    if (numbers == MAP_FAILED) _exit(7);
    for (size_t i = 0; i < bytes / 4; i++) numbers[i] = (float)i;
    munmap(numbers, bytes);
}

static void child_slab(uint64_t request, size_t bytes, bool delivered) {
    struct source_slab_answer slab = {SOURCE_F32, bytes / 4, bytes, 1000, 100, delivered};
    struct source_frame frame;
    source_encode_slab(request, &slab, &frame);
    child_send(&frame);
}

static void child_states(int count) {
    for (int i = 0; i < count; i++) {
        char json[64];
        struct source_frame frame;
        snprintf(json, sizeof json, "{\"state\": \"running\", \"tasks\": %d}", i);
        source_encode_state(json, &frame);
        child_send(&frame);
    }
}

// Rows `from` to ROWS of the answer, one piece each; returns whether all were taken.
static bool child_deliver(const uint8_t *token, size_t from) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(strchr(child_slabs, ':') + 1))};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool taken = true;
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    if (connect(fd, (struct sockaddr *)&to, sizeof to)) _exit(8);
    for (uint64_t row = from; row < ROWS; row++) {
        struct __attribute__((packed)) {
            char magic[4];
            uint16_t version;
            uint8_t rank, arrays, token[16];
            uint64_t box[4], bytes, sum;
            float numbers[COLUMNS];
        } piece = {.magic = "VSLB", .version = 1, .rank = 2, .arrays = 1, .box = {row, 1, 0, COLUMNS}, .bytes = COLUMNS * 4};
        uint8_t answer = 9;
        memcpy(piece.token, token, 16);
        for (size_t i = 0; i < COLUMNS; i++) piece.numbers[i] = (float)(row * COLUMNS + i);
        piece.sum = XXH3_64bits((const uint8_t *)&piece + sizeof piece - COLUMNS * 4, COLUMNS * 4);
        if (send(fd, &piece, sizeof piece, 0) != sizeof piece || recv(fd, &answer, 1, 0) != 1) _exit(9);
        taken = taken && !answer;
    }
    close(fd);
    return taken;
}

static void child_hold(uint64_t request, const char *path, int slab, size_t bytes) {
    held_requests[held_count] = request;
    held_slabs[held_count] = dup(slab);
    held_bytes[held_count] = bytes;
    held[held_count++] = strdup(path);
    child_mark(path, "held");
}

static void child_answer_reversed(void) {
    while (held_count) {
        held_count--;
        child_fill(held_slabs[held_count], held_bytes[held_count]);
        child_slab(held_requests[held_count], held_bytes[held_count], false);
        close(held_slabs[held_count]);
        free(held[held_count]);
    }
}

static void child_eat(void) {
    for (;;) {
        volatile char *p = malloc(1 << 20);
        for (size_t i = 0; p && i < 1 << 20; i += 4096) p[i] = 1;
        nap();
    }
}

static void child_cancel(uint64_t request) {
    for (size_t i = 0; i < held_count; i++) {
        if (held_requests[i] != request) continue;
        child_mark(held[i], "cancelled");
        if (!strcmp(name_of(held[i]), "clings")) return;
        if (!strcmp(name_of(held[i]), "answers-late")) child_slab(request, held_bytes[i], false);
        else child_fail(request, VIRGA_CANCELLED, "given up");
    }
}

static void child_garble(const char *name, uint64_t request, size_t bytes) {
    struct source_frame frame;
    struct source_slab_answer slab = {.type = SOURCE_F32, .elements = bytes / 4, .bytes = bytes};
    source_encode_slab(request, &slab, &frame);
    if (!strcmp(name, "forged-length")) memset(frame.data, 0xff, 4);
    if (!strcmp(name, "forged-number")) frame.data[8] ^= 0x55;
    if (!strcmp(name, "forged-kind")) frame.data[6] = SOURCE_INVENTORY;
    if (!strcmp(name, "forged-version")) frame.data[4] = 1;
    if (!strcmp(name, "forged-bytes")) frame.data[SOURCE_HEADER_BYTES + 9]++;
    if (!strcmp(name, "forged-delivery")) frame.data[frame.size - 1] = 1;
    if (!strcmp(name, "forged-twice")) child_raw(frame.data, frame.size);
    child_send(&frame);
}

static void child_read(uint64_t request, const struct source_read_message *read, int slab) {
    const char *name = name_of(read->path);
    if (!strncmp(name, "forged-", 7)) {
        child_garble(name, request, read->slab_bytes);
        return;
    }
    if (!strcmp(name, "waits") || !strcmp(name, "clings") || !strcmp(name, "answers-late") || !strcmp(name, "reversed")) {
        child_hold(request, read->path, slab, read->slab_bytes);
        if (!strcmp(name, "reversed") && held_count == REVERSED) child_answer_reversed();
        return;
    }
    if (!strcmp(name, "dies")) raise(SIGKILL);
    if (!strcmp(name, "dies-once") && !child_marked(read->path, "died")) {
        child_mark(read->path, "died");
        raise(SIGKILL);
    }
    if (!strcmp(name, "eats")) child_eat();
    if (!strcmp(name, "waits-for-word")) {
        child_mark(read->path, "held");
        while (!child_marked(read->path, "word")) nap();
    }
    if (!strcmp(name, "refuses")) {
        child_mark(read->path, child_marked(read->path, "asked") ? "asked-again" : "asked");
        child_fail(request, VIRGA_UNREADABLE, "a chunk is damaged");
        return;
    }
    if (!strcmp(name, "floods")) child_states(20000);
    bool pieces = !strncmp(name, "pieces", 6);
    if (pieces && !child_deliver(read->token, !strcmp(name, "pieces-half") ? 2 : 0)) _exit(10);
    if (!pieces) child_fill(slab, read->slab_bytes);
    child_slab(request, read->slab_bytes, pieces);
}

static void child_open(uint64_t request, const char *path) {
    const char *name = name_of(path);
    if (!strcmp(name, "chatters"))
        for (int i = 0; i < 20000; i++)
            if (write(STDERR_FILENO, "a library's opinion\n", 20) < 0 && errno != EAGAIN) _exit(1);
    if (!strcmp(name, "nonsense")) {
        child_raw("\x02\x00\x00\x00\x02\x00\x03\x00", 8);
        child_raw(&request, 8);
        child_raw("xx", 2);
        return;
    }
    if (!strcmp(name, "spawns") && !fork()) {
        child_mark(path, "spawned");
        for (;;) pause();
    }
    if (!strcmp(name, "missing")) child_fail(request, VIRGA_NOT_FOUND, "there is no such store");
    else child_inventory(request);
}

static void child_take(const struct source_header *header, const uint8_t *body, int slab) {
    static struct source_open open;
    static struct source_read_message read;
    bool start;
    if (header->kind == SOURCE_OPEN && !source_decode_open(body, header->body_bytes, &open)) child_open(header->request, open.path);
    if (header->kind == SOURCE_READ && !source_decode_read(body, header->body_bytes, &read)) child_read(header->request, &read, slab);
    if (header->kind == SOURCE_CANCEL) child_cancel(header->request);
    if (header->kind == SOURCE_CLUSTER && !source_decode_cluster(body, header->body_bytes, &start)) {
        struct source_frame frame;
        source_encode_state(start ? "{\"state\": \"told to start\"}" : "{\"state\": \"told to stop\"}", &frame);
        child_send(&frame);
    }
}

static int child_serve(void) {
    static uint8_t body[SOURCE_MAX_REQUEST_BYTES];
    const struct source_channel channel = {.socket = child_socket};
    struct source_hello hello = {.name = "an engine of the test"};
    struct source_frame frame;
    uint8_t bytes[SOURCE_HEADER_BYTES];
    struct source_header header;
    source_encode_hello(&hello, &frame);
    child_send(&frame);
    for (;;) {
        int fds[2] = {-1, -1}, count = 0;
        if (source_channel_receive(&channel, bytes, sizeof bytes, fds, &count)) return 0;
        if (source_decode_header(bytes, &header)) return 1;
        if (source_channel_receive(&channel, body, header.body_bytes, fds, &count)) return 0;
        if (count != (header.kind == SOURCE_READ)) return 2;
        child_take(&header, body, fds[0]);
        if (count) close(fds[0]);
    }
}

// As `PYTHON -m virga_engine PARENT OPTION…`.
static int child_main(int argc, char **argv) {
    if (atoi(argv[3]) != getppid()) return 4;
    for (int i = 4; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--slabs")) child_slabs = argv[i + 1];
        if (strcmp(argv[i], "--product")) continue;
        if (!strcmp(argv[i + 1], "exits")) return fprintf(stderr, "No module named virga_engine\n"), 5;
        if (!strcmp(argv[i + 1], "says nothing")) for (;;) pause();
        if (!strcmp(argv[i + 1], "says other")) child_raw("HTTP/1.1 200 OK\r\nServer: x\r\n\r\n", 30);
        if (!strcmp(argv[i + 1], "speaks first")) child_states(1);
    }
    int status = child_serve();
    for (int i = 4; i + 1 < argc; i += 2)
        if (!strcmp(argv[i + 1], "stays")) for (;;) pause();
    return status;
}

// ---- the tests ----

static char this_program[512];

struct set {
    struct source_engine *engine;
    struct source_pool *pool;
};

static struct source_engine_options options_of_this(void) {
    struct source_engine_options options;
    source_engine_options_default(&options);
    options.python = this_program;
    options.open_seconds = options.read_seconds = options.start_seconds = 20;
    options.memory = (size_t)300 << 20;
    return options;
}

static struct set set_of(const struct source_engine_options *options) {
    struct set set;
    struct failure failure;
    struct source_limits limits;
    source_limits_default(&limits);
    if (source_engine_new(options, &set.engine, &failure) || source_pool_new_engine(set.engine, &limits, &set.pool, &failure)) fail_msg("%s", failure.message);
    return set;
}

static struct set set_of_this(void) {
    struct source_engine_options options = options_of_this();
    return set_of(&options);
}

static void end_set(struct set *set) {
    pid_t children[16];
    source_pool_free(set->pool);
    source_engine_free(set->engine);
    assert_int_equal(0, child_processes(getpid(), children, 16));
}

static const char *address_of(const char *name) {
    static _Thread_local char addresses[8][600];
    static _Thread_local int next;
    char *address = addresses[next++ % 8];
    snprintf(address, sizeof addresses[0], "zarr:%s/%s", fixture_folder, name);
    return address;
}

static void assert_marked(const char *name, const char *what) {
    char marker[64];
    double end = clock_monotonic() + 20;
    snprintf(marker, sizeof marker, "%s.%s", name, what);
    while (access(fixture_path(marker), F_OK) && clock_monotonic() < end) nap();
    if (access(fixture_path(marker), F_OK)) fail_msg("%s was not %s", name, what);
}

static int try_read(struct set *set, const char *name, struct source_slab *slab, struct failure *failure) {
    struct source *source = fixture_open(set->pool, address_of(name));
    struct source_slab_request request = fixture_whole(source, "v");
    int status = source_read(source, &request, slab, failure);
    source_unref(source);
    return status;
}

static void assert_reads(struct set *set, const char *name) {
    struct source_slab slab;
    struct failure failure;
    if (try_read(set, name, &slab, &failure)) fail_msg("%s: %s", name, failure.message);
    assert_true(slab.type == SOURCE_F32 && slab.elements == POINTS && slab.bytes == POINTS * 4);
    for (size_t i = 0; i < POINTS; i++) assert_true(((const float *)slab.data)[i] == (float)i);
    source_slab_release(&slab);
}

static size_t starts_of(struct set *set) {
    struct source_engine_counts counts;
    source_engine_counts(set->engine, &counts);
    return counts.starts;
}

static void a_dataset_is_listed_and_read(void **state) {
    (void)state;
    struct set set = set_of_this();
    struct source_traffic traffic;
    assert_int_equal(0, starts_of(&set));  // nothing starts before it is asked
    struct source *source = fixture_open(set.pool, address_of("good"));
    assert_true(source_identity(source)->device == UINT64_MAX - 1 && source_identity(source)->size != 0);
    assert_true(source_reduces_early(source) && !source_inventory(source)->index);
    assert_string_equal(address_of("good"), source_path(source));
    source_unref(source);
    assert_reads(&set, "good");
    source_pool_traffic(set.pool, &traffic);
    assert_true(traffic.requests == 1 && traffic.read == 1000 && traffic.sent == 100 && traffic.received == POINTS * 4);
    assert_int_equal(1, starts_of(&set));
    end_set(&set);
}

static void the_edition_is_part_of_the_identity(void **state) {
    (void)state;
    struct set set = set_of_this();
    struct source *one = fixture_open(set.pool, address_of("one")), *again = fixture_open(set.pool, address_of("one")), *two = fixture_open(set.pool, address_of("two"));
    assert_true(source_identity_equal(source_identity(one), source_identity(again)));
    assert_false(source_identity_equal(source_identity(one), source_identity(two)));
    source_unref(one);
    source_unref(again);
    source_unref(two);
    end_set(&set);
}

static void a_relative_address_is_made_absolute(void **state) {
    (void)state;
    char before[512];
    assert_non_null(getcwd(before, sizeof before));
    struct set set = set_of_this();
    struct source *whole = fixture_open(set.pool, address_of("place"));
    assert_int_equal(0, chdir(fixture_folder));
    struct source *relative = fixture_open(set.pool, "zarr:place"), *dotted = fixture_open(set.pool, "zarr:./place");
    assert_int_equal(0, chdir(before));
    assert_true(source_identity(whole)->inode == source_identity(relative)->inode && source_identity(dotted)->inode == source_identity(whole)->inode);
    source_unref(whole);
    source_unref(relative);
    source_unref(dotted);
    end_set(&set);
}

struct reading {
    struct set *set;
    const char *name;
    atomic_bool stop;
    int status;
    struct failure failure;
    struct source_slab slab;
    pthread_t thread;
};

static void *read_one(void *argument) {
    struct reading *r = argument;
    struct source *source;
    r->status = source_open(r->set->pool, address_of(r->name), &source, &r->failure);
    if (r->status) return NULL;
    struct source_slab_request request = {.rank = 2, .count = {ROWS, COLUMNS}, .block = {1, 1}, .scale = 1, .stop = &r->stop};
    r->status = source_read(source, &request, &r->slab, &r->failure);
    source_unref(source);
    return NULL;
}

static void begin_reading(struct reading *r, struct set *set, const char *name) {
    *r = (struct reading){.set = set, .name = name};
    assert_int_equal(0, pthread_create(&r->thread, NULL, read_one, r));
}

static void answers_come_in_any_order(void **state) {
    (void)state;
    struct set set = set_of_this();
    struct reading readings[REVERSED];
    for (int i = 0; i < REVERSED; i++) begin_reading(&readings[i], &set, "reversed");
    for (int i = 0; i < REVERSED; i++) {
        pthread_join(readings[i].thread, NULL);
        if (readings[i].status) fail_msg("%s", readings[i].failure.message);
        assert_true(((const float *)readings[i].slab.data)[POINTS - 1] == POINTS - 1);
    }
    for (int i = 0; i < REVERSED; i++)
        for (int j = 0; j < i; j++) assert_ptr_not_equal(readings[i].slab.data, readings[j].slab.data);
    for (int i = 0; i < REVERSED; i++) source_slab_release(&readings[i].slab);
    end_set(&set);
}

static size_t on_the_way(struct set *set) {
    struct source_engine_counts counts;
    source_engine_counts(set->engine, &counts);
    return counts.on_the_way;
}

static void stop_one(struct set *set, const char *name) {
    struct reading r;
    begin_reading(&r, set, name);
    assert_marked(name, "held");
    double before = clock_monotonic();
    atomic_store(&r.stop, true);
    pthread_join(r.thread, NULL);
    assert_true(r.status == VIRGA_CANCELLED && clock_monotonic() - before < 5);
    assert_null(r.slab.data);
    assert_marked(name, "cancelled");
}

static void wait_until_all_are_back(struct set *set) {
    double end = clock_monotonic() + 20;
    while (on_the_way(set) && clock_monotonic() < end) nap();
    assert_int_equal(0, on_the_way(set));
}

static void what_nobody_waits_for_is_cancelled(void **state) {
    (void)state;
    struct set set = set_of_this();
    stop_one(&set, "waits");
    wait_until_all_are_back(&set);
    stop_one(&set, "answers-late");  // an answer that was on its way is dropped
    wait_until_all_are_back(&set);
    assert_reads(&set, "good");
    assert_int_equal(1, starts_of(&set));
    end_set(&set);
}

static void one_that_does_not_let_go_is_replaced(void **state) {
    (void)state;
    struct source_engine_options options = options_of_this();
    options.cancel_seconds = 0.2;
    struct set set = set_of(&options);
    stop_one(&set, "clings");
    wait_until_all_are_back(&set);
    assert_reads(&set, "good");
    assert_int_equal(2, starts_of(&set));
    end_set(&set);
}

static void what_is_late_is_cancelled(void **state) {
    (void)state;
    struct source_engine_options options = options_of_this();
    struct source_slab slab;
    struct failure failure;
    options.read_seconds = 0.3;
    struct set set = set_of(&options);
    assert_int_equal(VIRGA_TIMED_OUT, try_read(&set, "waits", &slab, &failure));
    assert_non_null(strstr(failure.message, "0.3 s"));
    assert_marked("waits", "cancelled");
    wait_until_all_are_back(&set);
    assert_int_equal(1, starts_of(&set));
    end_set(&set);
}

// In a process of its own, which can be stopped. Its status: 0 where the slab came.
static int read_what_waits(void) {
    struct source_engine_options options = options_of_this();
    struct source_slab slab;
    struct failure failure;
    options.read_seconds = 0.6;
    struct set set = set_of(&options);
    if (try_read(&set, "waits-for-word", &slab, &failure)) return 1;
    source_slab_release(&slab);
    source_pool_free(set.pool);
    source_engine_free(set.engine);
    return 0;
}

static void time_in_which_the_program_stands_still_does_not_count(void **state) {
    (void)state;
    int status;
    pid_t pid = fork();
    if (!pid) _exit(read_what_waits());
    assert_marked("waits-for-word", "held");
    kill(pid, SIGSTOP);
    double stopped = clock_monotonic();
    while (clock_monotonic() < stopped + 0.7) nap();
    fixture_write(fixture_path("waits-for-word.word"), "", 0);
    kill(pid, SIGCONT);
    assert_int_equal(pid, waitpid(pid, &status, 0));
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void a_read_is_tried_again_where_the_engine_died(void **state) {
    (void)state;
    struct set set = set_of_this();
    assert_reads(&set, "dies-once");
    assert_int_equal(2, starts_of(&set));
    end_set(&set);
}

static void but_only_once(void **state) {
    (void)state;
    struct set set = set_of_this();
    struct source_slab slab;
    struct failure failure;
    assert_int_equal(VIRGA_GONE, try_read(&set, "dies", &slab, &failure));
    if (!strstr(failure.message, "the engine ended") || !strstr(failure.message, "dies")) fail_msg("%s", failure.message);
    assert_int_equal(2, starts_of(&set));
    assert_reads(&set, "good");
    end_set(&set);
}

static void a_task_that_failed_is_not_tried_again(void **state) {
    (void)state;
    struct set set = set_of_this();
    struct source_slab slab;
    struct source *source;
    struct failure failure;
    assert_int_equal(VIRGA_UNREADABLE, try_read(&set, "refuses", &slab, &failure));
    assert_non_null(strstr(failure.message, "v: a chunk is damaged"));
    assert_int_equal(-1, access(fixture_path("refuses.asked-again"), F_OK));
    assert_int_equal(VIRGA_NOT_FOUND, source_open(set.pool, address_of("missing"), &source, &failure));
    assert_non_null(strstr(failure.message, "missing: there is no such store"));
    assert_int_equal(1, starts_of(&set));
    end_set(&set);
}

static void forged_answers_end_the_engine_and_nothing_else(void **state) {
    (void)state;
    static const char *const names[] = {"forged-length", "forged-number", "forged-kind", "forged-version", "forged-bytes", "forged-delivery"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct set set = set_of_this();
        struct source_slab slab;
        struct failure failure;
        int status = try_read(&set, names[i], &slab, &failure);
        if (status != VIRGA_GONE) fail_msg("%s: %d", names[i], status);
        assert_reads(&set, "good");
        assert_true(starts_of(&set) >= 2);
        end_set(&set);
    }
}

static void a_second_answer_ends_the_engine(void **state) {
    (void)state;
    struct set set = set_of_this();
    struct source_slab slab;
    struct failure failure;
    if (!try_read(&set, "forged-twice", &slab, &failure)) source_slab_release(&slab);
    double end = clock_monotonic() + 20;
    while (starts_of(&set) < 2 && clock_monotonic() < end) assert_reads(&set, "good");
    assert_true(starts_of(&set) >= 2);
    end_set(&set);
}

static void an_inventory_that_makes_no_sense_is_refused(void **state) {
    (void)state;
    struct set set = set_of_this();
    struct source *source;
    struct failure failure;
    assert_int_equal(VIRGA_GONE, source_open(set.pool, address_of("nonsense"), &source, &failure));
    assert_reads(&set, "good");
    end_set(&set);
}

static void one_that_takes_too_much_memory_is_ended(void **state) {
    (void)state;
    struct set set = set_of_this();
    struct source_slab slab;
    struct failure failure;
    assert_int_equal(VIRGA_TOO_LARGE, try_read(&set, "eats", &slab, &failure));
    assert_non_null(strstr(failure.message, "engine-memory"));
    assert_reads(&set, "good");
    end_set(&set);
}

static void assert_does_not_start(const char *product, double seconds, const char *words) {
    struct source_engine_options options = options_of_this();
    struct source *source;
    struct failure failure;
    options.products = &product;
    options.product_count = 1;
    options.start_seconds = seconds;
    struct set set = set_of(&options);
    assert_int_equal(VIRGA_IO, source_open(set.pool, address_of("good"), &source, &failure));
    if (!strstr(failure.message, words)) fail_msg("%s", failure.message);
    char *json = source_engine_state(set.engine);
    assert_true(strstr(json, "\"state\": \"failed\"") && strstr(json, words));
    free(json);
    end_set(&set);
}

static void one_that_does_not_start_says_why(void **state) {
    (void)state;
    assert_does_not_start("exits", 20, "No module named virga_engine");
    assert_does_not_start("says nothing", 0.2, "in time");
}

static void one_of_another_protocol_is_ended(void **state) {
    (void)state;
    static const char *const products[] = {"says other", "speaks first"};
    for (size_t i = 0; i < 2; i++) {
        struct source_engine_options options = options_of_this();
        struct source *source;
        struct failure failure;
        options.products = &products[i];
        options.product_count = 1;
        struct set set = set_of(&options);
        assert_int_equal(VIRGA_GONE, source_open(set.pool, address_of("good"), &source, &failure));
        assert_non_null(strstr(failure.message, "protocol"));
        end_set(&set);
    }
}

static void a_failing_start_is_not_tried_for_long(void **state) {
    (void)state;
    static const char *const product = "exits";
    struct source_engine_options options = options_of_this();
    struct source *source;
    struct failure failure;
    options.products = &product;
    options.product_count = 1;
    struct set set = set_of(&options);
    for (int i = 0; i < 20; i++) assert_int_equal(VIRGA_IO, source_open(set.pool, address_of("good"), &source, &failure));
    assert_non_null(strstr(failure.message, "(in "));
    assert_true(starts_of(&set) <= 5);  // after 0.5, 1 and 2 s; what would wait longer is refused at once
    end_set(&set);
}

static void one_that_is_not_there_is_named(void **state) {
    (void)state;
    struct source_engine_options options = options_of_this();
    struct source *source;
    struct failure failure;
    options.python = "/nowhere/python3";
    struct set set = set_of(&options);
    assert_int_equal(VIRGA_NOT_FOUND, source_open(set.pool, address_of("good"), &source, &failure));
    assert_true(strstr(failure.message, "server/engine") && strstr(failure.message, "/nowhere/python3"));
    assert_int_equal(VIRGA_NOT_FOUND, source_engine_installed(set.engine, &failure));
    assert_int_equal(VIRGA_NOT_FOUND, source_engine_start(set.engine, &failure));
    end_set(&set);
}

struct told {
    atomic_int count;
    pthread_mutex_t lock;
    char last[256];
};

static void take_state(void *context, const char *json) {
    struct told *told = context;
    atomic_fetch_add(&told->count, 1);
    pthread_mutex_lock(&told->lock);
    snprintf(told->last, sizeof told->last, "%.250s", json);
    pthread_mutex_unlock(&told->lock);
}

static void assert_told(struct told *told, const char *words) {
    double end = clock_monotonic() + 20;
    bool found = false;
    while (!found && clock_monotonic() < end) {
        pthread_mutex_lock(&told->lock);
        found = strstr(told->last, words);
        pthread_mutex_unlock(&told->lock);
        if (!found) nap();
    }
    if (!found) fail_msg("not told %s but %s", words, told->last);
}

static void a_flood_of_states_is_told_at_most_four_times_a_second(void **state) {
    (void)state;
    struct set set = set_of_this();
    struct told told = {.lock = PTHREAD_MUTEX_INITIALIZER};
    source_engine_on_state(set.engine, take_state, &told);
    double before = clock_monotonic();
    assert_reads(&set, "floods");
    assert_told(&told, "\"tasks\": 19999");  // the last of them
    double took = clock_monotonic() - before;
    if (atomic_load(&told.count) > 3 + (int)(4 * took)) fail_msg("%d in %g s", atomic_load(&told.count), took);
    source_engine_on_state(set.engine, NULL, NULL);
    char *json = source_engine_state(set.engine);
    assert_string_equal("{\"state\": \"running\", \"tasks\": 19999}", json);
    free(json);
    end_set(&set);
}

static void a_cluster_is_started_and_stopped_by_wish(void **state) {
    (void)state;
    struct source_engine_options options = options_of_this();
    struct failure failure;
    options.cluster = "local:1";
    struct set set = set_of(&options);
    struct told told = {.lock = PTHREAD_MUTEX_INITIALIZER};
    char *json = source_engine_state(set.engine);
    assert_true(strstr(json, "\"cluster\": \"local\"") && strstr(json, "\"state\": \"stopped\""));
    free(json);
    source_engine_on_state(set.engine, take_state, &told);
    source_engine_stop_cluster(set.engine);  // nothing runs
    assert_int_equal(VIRGA_OK, source_engine_start(set.engine, &failure));
    assert_told(&told, "told to start");
    source_engine_stop_cluster(set.engine);
    assert_told(&told, "told to stop");
    assert_int_equal(1, starts_of(&set));
    end_set(&set);
}

static void a_chattering_engine_holds_nothing_up(void **state) {
    (void)state;
    struct set set = set_of_this();
    assert_reads(&set, "chatters");
    end_set(&set);
}

static struct set set_with_pieces(void) {
    struct source_engine_options options = options_of_this();
    options.cluster = "local:1";
    return set_of(&options);
}

static void slabs_come_in_pieces(void **state) {
    (void)state;
    struct set set = set_with_pieces();
    struct source_traffic traffic;
    assert_reads(&set, "pieces");
    assert_reads(&set, "pieces");
    assert_reads(&set, "good");  // by its descriptor
    source_pool_traffic(set.pool, &traffic);
    assert_true(traffic.requests == 3 && traffic.received == 3 * POINTS * 4);
    end_set(&set);
}

static void a_slab_of_which_pieces_lack_is_refused(void **state) {
    (void)state;
    struct set set = set_with_pieces();
    struct source_slab slab;
    struct failure failure;
    assert_reads(&set, "pieces");  // so that the memory used again holds all the right numbers
    assert_int_equal(VIRGA_GONE, try_read(&set, "pieces-half", &slab, &failure));
    assert_non_null(strstr(failure.message, "only a part"));
    assert_reads(&set, "pieces");
    assert_int_equal(1, starts_of(&set));
    end_set(&set);
}

static void stopping_the_pool_ends_what_is_read(void **state) {
    (void)state;
    struct set set = set_of_this();
    struct reading r;
    begin_reading(&r, &set, "waits");
    assert_marked("waits", "held");
    source_pool_stop(set.pool);
    pthread_join(r.thread, NULL);
    assert_int_equal(VIRGA_CANCELLED, r.status);
    end_set(&set);
}

static void freeing_ends_what_is_read_and_all_that_was_started(void **state) {
    (void)state;
    struct set set = set_of_this();
    struct reading r;
    struct source_slab kept;
    struct failure failure;
    char text[32] = "";
    source_unref(fixture_open(set.pool, address_of("spawns")));
    assert_marked("spawns", "spawned");
    assert_int_equal(VIRGA_OK, try_read(&set, "good", &kept, &failure));
    begin_reading(&r, &set, "waits");
    assert_marked("waits", "held");
    source_engine_stop(set.engine);
    pthread_join(r.thread, NULL);
    assert_int_equal(VIRGA_CANCELLED, r.status);
    end_set(&set);
    FILE *f = fopen(fixture_path("spawns.spawned"), "r");
    assert_true(f && fgets(text, sizeof text, f));
    fclose(f);
    pid_t parent;
    double end = clock_monotonic() + 20;
    char left;
    while ((left = process_state(atoi(text), &parent)) && left != 'Z' && clock_monotonic() < end) nap();
    assert_true(!left || left == 'Z');
    assert_true(((const float *)kept.data)[5] == 5);  // lent beyond the engine's end
    source_slab_release(&kept);
}

static void one_that_does_not_go_is_killed(void **state) {
    (void)state;
    static const char *const product = "stays";
    struct source_engine_options options = options_of_this();
    options.products = &product;
    options.product_count = 1;
    struct set set = set_of(&options);
    assert_reads(&set, "good");
    double before = clock_monotonic();
    end_set(&set);
    assert_true(clock_monotonic() - before < 15);
}

struct other_end {
    int socket;
    pthread_t thread;
};

static void *serve_other_end(void *argument) {
    child_socket = ((struct other_end *)argument)->socket;
    child_serve();
    return NULL;
}

static void the_other_end_of_a_socket_can_be_the_engine(void **state) {
    (void)state;
    int sockets[2];
    struct source_engine_options options = options_of_this();
    struct source *source;
    struct failure failure;
    assert_int_equal(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets));
    struct other_end other = {.socket = sockets[1]};
    assert_int_equal(0, pthread_create(&other.thread, NULL, serve_other_end, &other));
    options.python = "/nowhere";
    options.socket = sockets[0];
    struct set set = set_of(&options);
    assert_int_equal(VIRGA_OK, source_engine_installed(set.engine, &failure));
    assert_int_equal(VIRGA_OK, source_open(set.pool, "notebook:forecast", &source, &failure));
    source_unref(source);
    assert_reads(&set, "good");
    shutdown(sockets[1], SHUT_RDWR);
    pthread_join(other.thread, NULL);
    assert_int_equal(VIRGA_GONE, source_open(set.pool, "notebook:forecast", &source, &failure));
    assert_non_null(strstr(failure.message, "show it again"));
    end_set(&set);
    close(sockets[1]);
    child_socket = 3;
}

static void addresses_are_refused_where_no_engine_is(void **state) {
    (void)state;
    struct source_pool *pool = fixture_pool(1, 20);
    struct set set = set_of_this();
    struct source *source;
    struct failure failure;
    assert_int_equal(VIRGA_UNSUPPORTED, source_open(pool, address_of("good"), &source, &failure));
    assert_int_equal(VIRGA_INVALID, source_open(set.pool, "/etc/hostname", &source, &failure));  // and a pool of an engine opens no files
    assert_int_equal(VIRGA_INVALID, source_open(set.pool, "s3://bucket/store.zarr", &source, &failure));  // its scheme was not named
    source_pool_free(pool);
    end_set(&set);
}

static void files_that_readers_do_not_read_go_to_the_engine(void **state) {
    (void)state;
    struct source_pool *pool = fixture_pool(1, 20);
    struct source_engine_options options = options_of_this();
    struct source_engine *engine;
    struct source *source;
    struct failure failure;
    uint8_t pp[300] = {0, 0, 1, 0, [260] = 0, 0, 1, 0}, um[300] = {[7] = 20, [15] = 1, [39] = 3};
    const char *store = fixture_path("three.zarr");
    assert_int_equal(VIRGA_OK, source_engine_new(&options, &engine, &failure));
    source_pool_set_engine(pool, engine);
    assert_int_equal(0, mkdir(store, 0700));
    fixture_write(fixture_path("three.zarr/zarr.json"), "{\"zarr_format\": 3, \"node_type\": \"group\"}", 40);
    fixture_write(fixture_path("noname"), pp, sizeof pp);
    fixture_write(fixture_path("umfile"), um, sizeof um);
    fixture_write(fixture_path("short.PP"), pp, 8);
    fixture_write(fixture_path("a.zarr.zip"), "PK\3\4 and so on", 14);
    const char *const paths[] = {store, fixture_path("noname"), fixture_path("umfile"), fixture_path("short.PP"), fixture_path("a.zarr.zip")};
    for (size_t i = 0; i < 5; i++) {
        if (source_open(pool, paths[i], &source, &failure)) fail_msg("%s", failure.message);
        assert_string_equal("made up", source_inventory(source)->format);
        assert_string_equal(paths[i], source_path(source));
        source_unref(source);
    }
    fixture_write(fixture_path("text"), "no forecast", 11);
    assert_int_equal(VIRGA_UNREADABLE, source_open(pool, fixture_path("text"), &source, &failure));
    source_pool_free(pool);
    source_engine_free(engine);
}

static void where_it_is_not_installed_the_message_says_how(void **state) {
    (void)state;
    struct source_pool *pool = fixture_pool(1, 20);
    struct source_engine_options options = options_of_this();
    struct source_engine *engine;
    struct source *source;
    struct failure failure;
    options.python = "/nowhere/python3";
    assert_int_equal(VIRGA_OK, source_engine_new(&options, &engine, &failure));
    source_pool_set_engine(pool, engine);
    assert_int_equal(0, mkdir(fixture_path("new.zarr"), 0700));
    fixture_write(fixture_path("new.zarr/zarr.json"), "{\"zarr_format\": 3, \"node_type\": \"group\"}", 40);
    fixture_write(fixture_path("a.pp"), "x", 1);
    static const char *const names[] = {"new.zarr", "a.pp"};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(VIRGA_UNSUPPORTED, source_open(pool, fixture_path(names[i]), &source, &failure));
        if (!strstr(failure.message, "server/engine") || !strstr(failure.message, names[i])) fail_msg("%s", failure.message);
    }
    source_pool_free(pool);
    source_engine_free(engine);
}

static void options_that_make_no_sense_are_refused(void **state) {
    (void)state;
    static const char *const clusters[] = {"elsewhere", "localhost", "http://x", ""}, *const places[] = {"a b", "host:99999", "off"};
    for (size_t i = 0; i < 4; i++) {
        struct source_engine_options options = options_of_this();
        struct source_engine *engine;
        struct failure failure;
        options.cluster = clusters[i];
        assert_int_equal(*clusters[i] ? VIRGA_INVALID : VIRGA_OK, source_engine_new(&options, &engine, &failure));
        if (!*clusters[i]) source_engine_free(engine);
    }
    for (size_t i = 0; i < 3; i++) {
        struct source_engine_options options = options_of_this();
        struct source_engine *engine;
        struct failure failure;
        options.slabs = places[i];
        assert_int_equal(i < 2 ? VIRGA_INVALID : VIRGA_OK, source_engine_new(&options, &engine, &failure));
        if (i == 2) source_engine_free(engine);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(int argc, char **argv) {
    if (argc > 3 && !strcmp(argv[1], "-m")) return child_main(argc, argv);
    if (!realpath(argv[0], this_program)) return 1;
    const struct CMUnitTest tests[] = {
        TEST(a_dataset_is_listed_and_read),
        TEST(the_edition_is_part_of_the_identity),
        TEST(a_relative_address_is_made_absolute),
        TEST(answers_come_in_any_order),
        TEST(what_nobody_waits_for_is_cancelled),
        TEST(one_that_does_not_let_go_is_replaced),
        TEST(what_is_late_is_cancelled),
        TEST(time_in_which_the_program_stands_still_does_not_count),
        TEST(a_read_is_tried_again_where_the_engine_died),
        TEST(but_only_once),
        TEST(a_task_that_failed_is_not_tried_again),
        TEST(forged_answers_end_the_engine_and_nothing_else),
        TEST(a_second_answer_ends_the_engine),
        TEST(an_inventory_that_makes_no_sense_is_refused),
        TEST(one_that_takes_too_much_memory_is_ended),
        TEST(one_that_does_not_start_says_why),
        TEST(one_of_another_protocol_is_ended),
        TEST(a_failing_start_is_not_tried_for_long),
        TEST(one_that_is_not_there_is_named),
        TEST(a_flood_of_states_is_told_at_most_four_times_a_second),
        TEST(a_cluster_is_started_and_stopped_by_wish),
        TEST(a_chattering_engine_holds_nothing_up),
        TEST(slabs_come_in_pieces),
        TEST(a_slab_of_which_pieces_lack_is_refused),
        TEST(stopping_the_pool_ends_what_is_read),
        TEST(freeing_ends_what_is_read_and_all_that_was_started),
        TEST(one_that_does_not_go_is_killed),
        TEST(the_other_end_of_a_socket_can_be_the_engine),
        TEST(addresses_are_refused_where_no_engine_is),
        TEST(files_that_readers_do_not_read_go_to_the_engine),
        TEST(where_it_is_not_installed_the_message_says_how),
        TEST(options_that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests_name("source_engine", tests, NULL, NULL);
}
