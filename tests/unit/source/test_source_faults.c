// SPDX-License-Identifier: Apache-2.0
// Files and events that a pool of real readers must survive: each fails one request, with the file's name, and the pool
// reads on.
#include "source_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"
#include "child_processes.h"

static char this_program[512];

static void assert_refused(const char *path, int status, const char *words) {
    struct source_pool *pool = fixture_pool(1, 20);
    struct source *source;
    struct failure failure;
    double before = clock_monotonic();
    assert_int_equal(status, source_open(pool, path, &source, &failure));
    assert_true(clock_monotonic() - before < 15);
    assert_null(source);
    if (!strstr(failure.message, path) || !strstr(failure.message, words)) fail_msg("it says: %s", failure.message);
    fixture_assert_reads(pool);
    source_pool_free(pool);
}

static void a_missing_file_is_named(void **state) {
    (void)state;
    assert_refused(fixture_path("missing.nc"), VIRGA_NOT_FOUND, "no such file");
}

static void a_folder_is_refused(void **state) {
    (void)state;
    assert_refused(fixture_folder, VIRGA_UNSUPPORTED, "folder");
}

static void a_pipe_is_refused_without_waiting(void **state) {
    (void)state;
    const char *path = fixture_path("pipe.nc");
    assert_int_equal(0, mkfifo(path, 0600));
    assert_refused(path, VIRGA_UNSUPPORTED, "pipe");
}

static void a_device_is_refused(void **state) {
    (void)state;
    assert_refused("/dev/zero", VIRGA_UNSUPPORTED, "device");
}

static void a_link_is_refused(void **state) {
    (void)state;
    const char *path = fixture_path("link.nc");
    assert_int_equal(0, symlink("/dev/zero", path));
    assert_refused(path, VIRGA_UNSUPPORTED, "link");
}

static void an_empty_file_is_refused(void **state) {
    (void)state;
    const char *path = fixture_path("empty.nc");
    fixture_write(path, "", 0);
    assert_refused(path, VIRGA_UNREADABLE, "empty");
}

static void text_is_refused(void **state) {
    (void)state;
    const char *path = fixture_path("text.nc");
    fixture_write(path, "netcdf x {\n}\n", 13);
    assert_refused(path, VIRGA_UNREADABLE, "neither a netCDF nor a GRIB file");
}

static void a_grib_file_without_fields_is_refused(void **state) {
    (void)state;
    const char *path = fixture_path("f.grib2");
    fixture_write(path, "GRIB\0\0\0\2........7777", 20);
    assert_refused(path, VIRGA_UNREADABLE, "no field in it can be read");
}

static void other_formats_are_named(void **state) {
    (void)state;
    uint8_t pp[512] = {0, 0, 1, 0, [260] = 0, 0, 1, 0};
    const char *path = fixture_path("f.pp");
    fixture_write(path, pp, sizeof pp);
    assert_refused(path, VIRGA_UNSUPPORTED, "UM PP files are not read");
}

static void a_file_that_may_not_be_read_is_named(void **state) {
    (void)state;
    const char *path = fixture_path("secret.nc");
    fixture_write(path, "x", 1);
    chmod(path, 0);
    if (geteuid() == 0) return;  // root may read all
    assert_refused(path, VIRGA_IO, "Permission denied");
}

static void a_name_cannot_break_the_message(void **state) {
    (void)state;
    const char *path = fixture_path("a\nb\xff.nc");
    struct source_pool *pool = fixture_pool(1, 20);
    struct source *source;
    struct failure failure;
    assert_int_equal(VIRGA_NOT_FOUND, source_open(pool, path, &source, &failure));
    assert_null(strchr(failure.message, '\n'));
    assert_non_null(strstr(failure.message, "a b?.nc"));
    source_pool_free(pool);
}

// Reads "t" of a file that was opened before `change` was done to it.
static void assert_gone_after(void (*change)(const char *path), const char *name) {
    struct source_pool *pool = fixture_pool(1, 20);
    const char *path = fixture_path(name);
    fixture_make_field(path, 0, (size_t[]){1, 2, 3, 4}, NULL);
    struct source *source = fixture_open(pool, path);
    struct source_slab_request request = fixture_whole(source, "t");
    struct source_slab slab = fixture_slab(source, &request);
    source_slab_release(&slab);
    change(path);
    struct failure failure;
    assert_int_equal(VIRGA_CHANGED, source_read(source, &request, &slab, &failure));
    assert_non_null(strstr(failure.message, path));
    assert_null(slab.data);
    source_unref(source);
    fixture_assert_reads(pool);
    source_pool_free(pool);
}

static void replace_file(const char *path) {
    const char *other = fixture_path("other.nc");
    fixture_make_field(other, 0, (size_t[]){1, 2, 3, 4}, NULL);
    assert_int_equal(0, rename(other, path));
}

static void append_to_file(const char *path) {
    FILE *f = fopen(path, "ab");
    fputc(0, f);
    fclose(f);
}

static void cut_file(const char *path) { assert_int_equal(0, truncate(path, 40)); }
static void remove_file(const char *path) { assert_int_equal(0, unlink(path)); }

static void touch_file(const char *path) {
    assert_int_equal(0, utimensat(AT_FDCWD, path, (struct timespec[]){{1, 0}, {1, 0}}, 0));
}

static void a_changed_file_is_not_read(void **state) {
    (void)state;
    assert_gone_after(replace_file, "replaced.nc");
    assert_gone_after(append_to_file, "longer.nc");
    assert_gone_after(cut_file, "cut.nc");
    assert_gone_after(remove_file, "removed.nc");
    assert_gone_after(touch_file, "touched.nc");
}

static void a_changed_file_can_be_opened_again(void **state) {
    (void)state;
    struct source_pool *pool = fixture_pool(1, 20);
    const char *path = fixture_path("again.nc");
    for (size_t n = 1; n < 6; n++) {  // each time in place of the one that the child has open
        int id, x, variable;
        NC(nc_create(path, NC_CLOBBER | NC_NETCDF4, &id));
        NC(nc_def_dim(id, "x", n, &x));
        NC(nc_def_var(id, "v", NC_INT, 1, &x, &variable));
        for (size_t i = 0; i < n; i++) NC(nc_put_var1_int(id, variable, &i, (int[]){(int)(n * 10 + i)}));
        NC(nc_close(id));
        touch_file(path);
        assert_int_equal(0, utimensat(AT_FDCWD, path, (struct timespec[]){{(time_t)n, 0}, {(time_t)n, 0}}, 0));
        struct source *source = fixture_open(pool, path);
        struct source_slab_request request = fixture_whole(source, "v");
        struct source_slab slab = fixture_slab(source, &request);
        assert_int_equal(n, slab.elements);
        assert_int_equal(n * 10, *(const int *)slab.data);
        source_slab_release(&slab);
        source_unref(source);
    }
    source_pool_free(pool);
}

static void a_truncated_classic_file_never_gives_zeros_for_data(void **state) {
    (void)state;
    const char *whole = fixture_path("whole.nc"), *cut = fixture_path("half.nc");
    fixture_make_field(whole, 0, (size_t[]){4, 2, 30, 40}, NULL);
    size_t size;
    uint8_t *bytes = fixture_read(whole, &size);
    fixture_write(cut, bytes, size - 4 * 2 * 30 * 40 - 100);  // the last step and a little of the one before
    free(bytes);
    struct source_pool *pool = fixture_pool(1, 20);
    struct source *source = fixture_open(pool, cut);
    struct source_slab_request request = fixture_whole(source, "t");
    struct source_slab slab;
    struct failure failure;
    for (size_t step = 0; step < 4; step++) {
        request.start[0] = step;
        request.count[0] = 1;
        int status = source_read(source, &request, &slab, &failure);
        assert_int_equal(step < 2 ? VIRGA_OK : VIRGA_UNREADABLE, status);
        if (status) assert_non_null(strstr(failure.message, "truncated"));
        source_slab_release(&slab);
    }
    source_unref(source);
    source_pool_free(pool);
}

static void a_chunk_beyond_the_memory_limit_is_refused(void **state) {
    (void)state;
    const char *path = fixture_path("chunk.nc");
    int id, x, variable;
    NC(nc_create(path, NC_NETCDF4, &id));
    NC(nc_def_dim(id, "x", 300 << 20, &x));
    NC(nc_def_var(id, "v", NC_FLOAT, 1, &x, &variable));
    NC(nc_def_var_chunking(id, variable, NC_CHUNKED, (size_t[]){300 << 20}));
    NC(nc_def_var_deflate(id, variable, 0, 1, 1));
    NC(nc_close(id));
    struct source_pool *pool = fixture_pool(1, 20);
    struct source *source = fixture_open(pool, path);
    struct source_slab_request request = fixture_whole(source, "v");
    struct source_slab slab;
    struct failure failure;
    request.count[0] = 1;
    assert_int_equal(VIRGA_TOO_LARGE, source_read(source, &request, &slab, &failure));
    assert_non_null(strstr(failure.message, "chunk.nc"));
    request.count[0] = 300 << 20;
    assert_int_equal(VIRGA_TOO_LARGE, source_read(source, &request, &slab, &failure));
    source_unref(source);
    fixture_assert_reads(pool);
    source_pool_free(pool);
}

struct parallel_reader {
    struct source *source;
    const float *expected;
    int first, failed;
};

static void *read_steps(void *argument) {
    struct parallel_reader *r = argument;
    struct source_slab_request request = {.variable = 0, .rank = 4, .count = {1, 4, 50, 60}, .scale = 1};
    for (int i = 0; i < 60; i++) {
        struct source_slab slab;
        request.start[0] = (size_t)(r->first + i * 7) % 10;
        if (source_read(r->source, &request, &slab, NULL)) {
            r->failed++;
            continue;
        }
        r->failed += memcmp(slab.data, r->expected + request.start[0] * 12000, 48000) != 0;
        source_slab_release(&slab);
    }
    return NULL;
}

static void many_threads_read_one_file(void **state) {
    (void)state;
    const char *path = fixture_path("parallel.nc");
    fixture_make_field(path, NC_NETCDF4, (size_t[]){10, 4, 50, 60}, (size_t[]){1, 2, 50, 60});
    struct source_pool *pool = fixture_pool(3, 60);
    struct source *source = fixture_open(pool, path);
    struct source_slab_request request = fixture_whole(source, "t");
    struct source_slab all = fixture_slab(source, &request);
    struct parallel_reader readers[8];
    pthread_t threads[8];
    for (int i = 0; i < 8; i++) {
        readers[i] = (struct parallel_reader){.source = source, .expected = all.data, .first = i};
        pthread_create(&threads[i], NULL, read_steps, &readers[i]);
    }
    for (int i = 0; i < 8; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < 8; i++) assert_int_equal(0, readers[i].failed);
    assert_int_equal(0, source_pool_restarts(pool));
    source_slab_release(&all);
    source_unref(source);
    source_pool_free(pool);
}

static void an_idle_child_that_is_killed_is_not_noticed(void **state) {
    (void)state;
    struct source_pool *pool = fixture_pool(2, 20);
    for (int i = 0; i < 5; i++) {
        pid_t pids[8];
        int n = child_processes(getpid(), pids, 8);
        for (int k = 0; k < n; k++) {
            pid_t parent;
            char s;
            kill(pids[k], SIGKILL);
            while ((s = process_state(pids[k], &parent)) && s != 'Z') sched_yield();
        }
        fixture_assert_reads(pool);
    }
    source_pool_free(pool);
}

static void stop_child(pid_t pid) {
    pid_t parent;
    kill(pid, SIGSTOP);
    while (process_state(pid, &parent) != 'T') sched_yield();
}

struct one_read {
    struct source *source;
    int status;
    struct failure failure;
};

static void *read_once(void *argument) {
    struct one_read *r = argument;
    struct source_slab_request request = fixture_whole(r->source, "t");
    struct source_slab slab;
    r->status = source_read(r->source, &request, &slab, &r->failure);
    source_slab_release(&slab);
    return NULL;
}

static void a_stopped_child_is_late_and_replaced(void **state) {
    (void)state;
    const char *path = fixture_path("stopped.nc");
    fixture_make_field(path, 0, (size_t[]){1, 2, 3, 4}, NULL);
    struct source_pool *pool = fixture_pool(1, 0.5);
    struct one_read r = {.source = fixture_open(pool, path)};
    pid_t pid;
    assert_int_equal(1, child_processes(getpid(), &pid, 1));
    stop_child(pid);
    read_once(&r);
    assert_int_equal(VIRGA_TIMED_OUT, r.status);
    assert_non_null(strstr(r.failure.message, path));
    read_once(&r);
    assert_int_equal(VIRGA_OK, r.status);
    assert_int_equal(1, source_pool_restarts(pool));
    source_unref(r.source);
    source_pool_free(pool);
}

// Whether one of this process's sockets holds what its other end has not taken: the request is with the stopped child. By
// plain system calls, because a thread sanitizer takes the look at a descriptor for a race with its closing.
static bool request_is_sent(void) {
    bool sent = false;
    for (int fd = 3; fd < 256 && !sent; fd++) {
        int waiting = 0;
        sent = !syscall(SYS_ioctl, fd, SIOCOUTQ, &waiting) && waiting > 0;
    }
    return sent;
}

static void a_child_killed_while_it_reads_fails_that_request_alone(void **state) {
    (void)state;
    const char *path = fixture_path("killed.nc");
    fixture_make_field(path, 0, (size_t[]){1, 2, 3, 4}, NULL);
    struct source_pool *pool = fixture_pool(1, 20);
    struct one_read r = {.source = fixture_open(pool, path)};
    pid_t pid;
    pthread_t thread;
    assert_int_equal(1, child_processes(getpid(), &pid, 1));
    stop_child(pid);
    pthread_create(&thread, NULL, read_once, &r);
    while (!request_is_sent()) sched_yield();
    kill(pid, SIGKILL);
    pthread_join(thread, NULL);
    assert_int_equal(VIRGA_GONE, r.status);
    assert_non_null(strstr(r.failure.message, path));
    read_once(&r);
    assert_int_equal(VIRGA_OK, r.status);
    assert_int_equal(1, source_pool_restarts(pool));
    source_unref(r.source);
    source_pool_free(pool);
}

static void signals_to_the_group_do_not_end_children(void **state) {
    (void)state;
    struct source_pool *pool = fixture_pool(1, 20);
    pid_t pid;
    assert_int_equal(1, child_processes(getpid(), &pid, 1));
    kill(pid, SIGINT);
    kill(pid, SIGTERM);
    kill(pid, SIGHUP);
    fixture_assert_reads(pool);
    assert_int_equal(0, source_pool_restarts(pool));
    source_pool_free(pool);
}

static void no_child_is_left_behind(void **state) {
    (void)state;
    struct source_pool *pool = fixture_pool(3, 20);
    pid_t pids[8];
    assert_int_equal(3, child_processes(getpid(), pids, 8));
    source_pool_free(pool);
    assert_int_equal(0, child_processes(getpid(), pids, 8));
}

// Started with "serve": a server that has two readers and is killed.
static int serve(void) {
    struct source_limits limits;
    struct source_pool *pool;
    source_limits_default(&limits);
    limits.readers = 2;
    if (source_pool_new(VIRGA_READER, &limits, &pool, NULL)) return 1;
    if (write(STDOUT_FILENO, "r", 1) != 1) return 1;
    for (;;) pause();
}

static void children_end_with_a_server_that_is_killed(void **state) {
    (void)state;
    int ready[2];
    assert_int_equal(0, pipe(ready));
    pid_t server = fork();
    if (server == 0) {
        dup2(ready[1], STDOUT_FILENO);
        close(ready[1]);
        close(ready[0]);
        execl(this_program, this_program, "serve", NULL);
        _exit(1);
    }
    close(ready[1]);
    char r;
    assert_int_equal(1, read(ready[0], &r, 1));
    close(ready[0]);
    pid_t pids[8], parent;
    assert_int_equal(2, child_processes(server, pids, 8));
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    double deadline = clock_monotonic() + 20;
    for (int i = 0; i < 2; i++) {
        char s;
        while ((s = process_state(pids[i], &parent)) && s != 'Z')
            if (clock_monotonic() > deadline) fail_msg("a child outlives its server");
    }
}

// Runs the self-test by a shell command and holds it against what it must say; its output goes through a file, since a reader
// may write to none.
static void assert_self_test(const char *before) {
#ifdef VIRGA_SANITIZED
    const int expected = 23;  // without memory, which the parent watches in these builds
#else
    const int expected = 24;
#endif
    const char *said = fixture_path("self-test.txt");
    char line[1200];
    int denied = 0, readable = 0;
    snprintf(line, sizeof line, "%s " VIRGA_READER " --self-test >%s", before, said);
    int status = system(line);
    FILE *f = fopen(said, "r");
    while (fgets(line, sizeof line, f)) {
        denied += strstr(line, ": denied") != NULL;
        readable += strstr(line, ": readable") != NULL;
        if (strstr(line, "ALLOWED") || strstr(line, "NOT READABLE")) fail_msg("%s", line);
    }
    fclose(f);
    assert_int_equal(expected, denied);
    assert_true(readable >= 3);  // a fourth where ecCodes is installed
    assert_int_equal(0, status);
}

static void a_reader_is_confined(void **state) {
    (void)state;
    assert_self_test("exec");
}

// A service manager or a shell may have set lower limits than a reader sets itself: they stay, and it starts.
static void a_reader_starts_under_lower_limits(void **state) {
    (void)state;
    assert_self_test("ulimit -n 64; exec");
}

static void a_child_shows_its_confinement_in_proc(void **state) {
    (void)state;
    struct source_pool *pool = fixture_pool(1, 20);
    pid_t pid;
    char path[64], text[4096];
    assert_int_equal(1, child_processes(getpid(), &pid, 1));
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "r");
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    assert_non_null(strstr(text, "NoNewPrivs:\t1"));
    assert_non_null(strstr(text, "Seccomp:\t2"));
    source_pool_free(pool);
}

int main(int argc, char **argv) {
    if (argc == 2 && !strcmp(argv[1], "serve")) return serve();
    if (readlink("/proc/self/exe", this_program, sizeof this_program - 1) <= 0) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_file_is_named),
        cmocka_unit_test(a_folder_is_refused),
        cmocka_unit_test(a_pipe_is_refused_without_waiting),
        cmocka_unit_test(a_device_is_refused),
        cmocka_unit_test(a_link_is_refused),
        cmocka_unit_test(an_empty_file_is_refused),
        cmocka_unit_test(text_is_refused),
        cmocka_unit_test(a_grib_file_without_fields_is_refused),
        cmocka_unit_test(other_formats_are_named),
        cmocka_unit_test(a_file_that_may_not_be_read_is_named),
        cmocka_unit_test(a_name_cannot_break_the_message),
        cmocka_unit_test(a_changed_file_is_not_read),
        cmocka_unit_test(a_changed_file_can_be_opened_again),
        cmocka_unit_test(a_truncated_classic_file_never_gives_zeros_for_data),
        cmocka_unit_test(a_chunk_beyond_the_memory_limit_is_refused),
        cmocka_unit_test(many_threads_read_one_file),
        cmocka_unit_test(an_idle_child_that_is_killed_is_not_noticed),
        cmocka_unit_test(a_stopped_child_is_late_and_replaced),
        cmocka_unit_test(a_child_killed_while_it_reads_fails_that_request_alone),
        cmocka_unit_test(signals_to_the_group_do_not_end_children),
        cmocka_unit_test(no_child_is_left_behind),
        cmocka_unit_test(children_end_with_a_server_that_is_killed),
        cmocka_unit_test(a_reader_is_confined),
        cmocka_unit_test(a_reader_starts_under_lower_limits),
        cmocka_unit_test(a_child_shows_its_confinement_in_proc),
    };
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
