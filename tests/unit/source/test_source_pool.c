// SPDX-License-Identifier: Apache-2.0
// A pool whose children misbehave: this program started as a child plays them, by the name of the file it is asked for.
#include "pool_child.h"

#include <pthread.h>
#include <sys/wait.h>

#include "base/clock.h"

static char this_program[512];

static struct source_pool *pool_of_this(int readers, double seconds) { return fixture_pool_of(this_program, readers, seconds, (size_t)300 << 20); }

static const char *file_called(const char *name) {
    const char *path = fixture_path(name);
    fixture_write(path, "x", 1);
    return path;
}

// The same pool still answers.
static void assert_pool_works(struct source_pool *pool) {
    struct source *source = fixture_open(pool, file_called("good"));
    struct source_slab_request request = fixture_whole(source, "v");
    struct source_slab slab = fixture_slab(source, &request);
    assert_memory_equal(((float[]){0, 1, 2, 3}), slab.data, 16);
    source_slab_release(&slab);
    source_unref(source);
}

static void assert_open_fails(const char *name, int status, const char *words) {
    struct source_pool *pool = pool_of_this(1, 20);
    struct source *source;
    struct failure failure;
    assert_int_equal(status, source_open(pool, file_called(name), &source, &failure));
    assert_int_equal(status, failure.status);
    assert_null(source);
    if (!strstr(failure.message, name) || !strstr(failure.message, words)) fail_msg("it says: %s", failure.message);
    assert_pool_works(pool);
    source_pool_free(pool);
}

static void a_child_that_is_killed_fails_one_request(void **state) {
    (void)state;
    assert_open_fails("kill", VIRGA_GONE, "ended");
}

static void a_child_that_crashes_fails_one_request(void **state) {
    (void)state;
    assert_open_fails("abort", VIRGA_GONE, "crashed");
}

static void a_child_that_gives_up_fails_one_request(void **state) {
    (void)state;
    assert_open_fails("exit", VIRGA_GONE, "status 3");
}

static void garbage_is_no_answer(void **state) {
    (void)state;
    assert_open_fails("garbage", VIRGA_GONE, "protocol");
}

static void a_huge_answer_is_not_awaited(void **state) {
    (void)state;
    assert_open_fails("huge", VIRGA_GONE, "protocol");
}

static void an_answer_to_another_request_is_refused(void **state) {
    (void)state;
    assert_open_fails("other", VIRGA_GONE, "protocol");
}

static void an_inventory_that_makes_no_sense_is_refused(void **state) {
    (void)state;
    assert_open_fails("nonsense", VIRGA_GONE, "protocol");
}

static void a_child_that_eats_memory_is_stopped(void **state) {
    (void)state;
    assert_open_fails("eat", VIRGA_TOO_LARGE, "memory");
}

static void assert_late(const char *name) {
    struct source_pool *pool = pool_of_this(1, 0.3);
    struct source *source;
    struct failure failure;
    double before = clock_monotonic();
    assert_int_equal(VIRGA_TIMED_OUT, source_open(pool, file_called(name), &source, &failure));
    double took = clock_monotonic() - before;
    if (took < 0.29 || took > 5) fail_msg("it took %g s", took);
    assert_non_null(strstr(failure.message, name));
    source_pool_free(pool);
}

static void a_child_that_hangs_is_late(void **state) {
    (void)state;
    assert_late("hang");
}

static void a_child_that_drips_is_late(void **state) {
    (void)state;
    assert_late("drip");
}

static _Noreturn void ask_what_hangs(const char *path, double seconds) {
    setpgid(0, 0);
    struct source_pool *pool = pool_of_this(1, seconds);
    struct source *source;
    _exit(source_open(pool, path, &source, NULL) == VIRGA_TIMED_OUT ? 0 : 1);
}

// Longer than a child may take: what counts is the time before and after.
static void a_program_that_is_stopped_does_not_find_its_child_late(void **state) {
    (void)state;
    const double seconds = 0.6;
    const char *path = file_called("marks");
    char marker[SOURCE_MAX_PATH];
    int status;
    snprintf(marker, sizeof marker, "%s.asked", path);
    unlink(marker);
    double began = clock_monotonic();
    pid_t pid = fork();
    if (!pid) ask_what_hangs(path, seconds);
    setpgid(pid, pid);
    while (access(marker, F_OK)) usleep(1000);
    kill(-pid, SIGSTOP);
    double stopped = clock_monotonic();
    while (clock_monotonic() < stopped + 1.2 * seconds) usleep(1000);
    double went_on = clock_monotonic();
    kill(-pid, SIGCONT);
    unlink(marker);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    double waited = clock_monotonic() - went_on + stopped - began;
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    if (waited < 0.9 * seconds) fail_msg("it waited for only %g s", waited);
}

static void a_late_child_is_replaced(void **state) {
    (void)state;
    struct source_pool *pool = pool_of_this(1, 1);
    struct source *source;
    struct failure failure;
    assert_int_equal(VIRGA_TIMED_OUT, source_open(pool, file_called("hang"), &source, &failure));
    assert_pool_works(pool);
    assert_int_equal(1, source_pool_restarts(pool));
    source_pool_free(pool);
}

static void a_chattering_child_holds_nothing_up(void **state) {
    (void)state;
    struct source_pool *pool = pool_of_this(1, 20);
    source_unref(fixture_open(pool, file_called("chatter")));
    assert_int_equal(0, source_pool_restarts(pool));
    source_pool_free(pool);
}

static void a_child_that_speaks_unasked_is_replaced_in_silence(void **state) {
    (void)state;
    struct source_pool *pool = pool_of_this(1, 20);
    source_unref(fixture_open(pool, file_called("twice")));
    source_unref(fixture_open(pool, file_called("twice")));
    assert_pool_works(pool);
    source_pool_free(pool);
}

static int read_status(struct source_pool *pool, const char *name, struct failure *failure) {
    struct source *source = fixture_open(pool, file_called(name));
    struct source_slab_request request = fixture_whole(source, "v");
    struct source_slab slab;
    int status = source_read(source, &request, &slab, failure);
    if (!status) source_slab_release(&slab);
    source_unref(source);
    return status;
}

static void wants_that_break_the_protocol_end_the_child(void **state) {
    (void)state;
    assert_open_fails("wants-space", VIRGA_GONE, "protocol");
    assert_open_fails("wants-nonsense", VIRGA_GONE, "protocol");
    assert_open_fails("wants-for-another", VIRGA_GONE, "protocol");
    assert_open_fails("wants-inside", VIRGA_GONE, "protocol");
    assert_open_fails("wants-endlessly", VIRGA_GONE, "protocol");
}

static void wants_that_are_refused_fail_nothing(void **state) {
    (void)state;
    struct source_pool *pool = pool_of_this(1, 60);
    source_unref(fixture_open(pool, file_called("wants-outside")));
    source_unref(fixture_open(pool, file_called("wants-much")));
    assert_int_equal(0, source_pool_restarts(pool));
    source_unref(fixture_open(pool, file_called("wants-late")));  // unasked: this child is replaced, and nobody notices
    assert_pool_works(pool);
    source_pool_free(pool);
}

static void shared_memory_cannot_be_shrunk_by_a_child(void **state) {
    (void)state;
    struct source_pool *pool = pool_of_this(1, 20);
    struct failure failure;
    assert_int_equal(VIRGA_OK, read_status(pool, "shrink", &failure));
    source_pool_free(pool);
}

static void a_slab_of_the_wrong_size_is_refused(void **state) {
    (void)state;
    struct source_pool *pool = pool_of_this(1, 20);
    struct failure failure;
    assert_int_equal(VIRGA_GONE, read_status(pool, "less", &failure));
    assert_pool_works(pool);
    source_pool_free(pool);
}

static void a_child_that_dies_while_it_reads_is_named_by_its_file(void **state) {
    (void)state;
    struct source_pool *pool = pool_of_this(2, 20);
    struct failure failure;
    assert_int_equal(VIRGA_GONE, read_status(pool, "dies", &failure));
    assert_non_null(strstr(failure.message, "/dies"));
    assert_pool_works(pool);
    source_pool_free(pool);
}

// Asks `times` times for the same file, and for the same or another part of it; returns how many children that cost.
static size_t children_spent(struct source_pool *pool, const char *path, bool read, bool elsewhere, int times, struct failure *failure) {
    struct source *source = NULL;
    struct source_slab_request request = {.rank = 1, .count = {1}, .scale = 1};
    struct source_slab slab;
    size_t before = source_pool_restarts(pool);
    if (read) source = fixture_open(pool, path);
    for (int i = 0; i < times; i++) {
        if (elsewhere) request.start[0] = (size_t)i % 4;
        int status = read ? source_read(source, &request, &slab, failure) : source_open(pool, path, &source, failure);
        if (!status) fail_msg("%s is read", path);
    }
    if (read) source_unref(source);
    source_unref(fixture_open(pool, file_called("good")));  // with one child, all that ended are cleared away by now
    return source_pool_restarts(pool) - before;
}

static void count_condemned(void *context) { ++*(int *)context; }

static void a_file_that_crashes_its_reader_is_not_opened_again(void **state) {
    (void)state;
    struct source_pool *pool = pool_of_this(1, 20);
    struct failure first, later;
    int told = 0;
    source_pool_on_condemned(pool, count_condemned, &told);
    const char *path = file_called("abort");
    assert_int_equal(1, children_spent(pool, path, false, false, 1, &first));
    assert_int_equal(0, children_spent(pool, path, false, false, 100, &later));
    assert_int_equal(VIRGA_GONE, later.status);
    assert_memory_equal(first.message, later.message, strlen(first.message));
    assert_true(told == 1 && source_pool_condemned_count(pool) == 1);
    fixture_write(path, "another", 7);  // what it is now is not known
    assert_int_equal(1, children_spent(pool, path, false, false, 100, &later));
    struct source_condemnation kept[4];
    assert_int_equal(2, source_pool_save_condemned(pool, kept, 4));
    source_pool_free(pool);
    pool = pool_of_this(1, 20);  // as after a restart
    source_pool_load_condemned(pool, kept, 2);
    assert_int_equal(0, children_spent(pool, path, false, false, 100, &later));
    assert_non_null(strstr(later.message, "crashed"));
    source_pool_free(pool);
}

static void a_file_that_crashes_its_readers_is_read_twice_at_most(void **state) {
    (void)state;
    struct source_pool *pool = pool_of_this(1, 20);
    struct failure failure;
    struct source *source = fixture_open(pool, file_called("crashes"));
    assert_false(source_is_condemned(source, &failure));
    assert_int_equal(2, children_spent(pool, source_path(source), true, true, 100, &failure));
    assert_non_null(strstr(failure.message, "crashed"));
    assert_true(source_is_condemned(source, &failure));
    assert_non_null(strstr(failure.message, "/crashes: the reader crashed"));
    source_unref(source);
    assert_int_equal(2, children_spent(pool, file_called("dies"), true, true, 100, &failure));
    struct source_condemnation kept[4];
    assert_int_equal(0, source_pool_save_condemned(pool, kept, 4));  // it can be listed
    source_pool_free(pool);
}

static void a_late_file_is_not_waited_for_again(void **state) {
    (void)state;
    struct source_pool *pool = pool_of_this(1, 0.3);
    struct failure failure;
    assert_int_equal(1, children_spent(pool, file_called("hang"), false, false, 50, &failure));
    assert_int_equal(VIRGA_TIMED_OUT, failure.status);
    assert_int_equal(2, children_spent(pool, file_called("late"), true, true, 50, &failure));
    struct source_condemnation kept[4];
    assert_int_equal(0, source_pool_save_condemned(pool, kept, 4));  // a slow disk may be faster tomorrow
    source_pool_free(pool);
}

static void a_slab_that_fails_is_remembered_alone(void **state) {
    (void)state;
    struct source_pool *pool = pool_of_this(1, 20);
    struct failure failure;
    const char *path = file_called("fails");
    assert_int_equal(1, children_spent(pool, path, true, false, 50, &failure));
    assert_int_equal(VIRGA_UNREADABLE, failure.status);
    assert_non_null(strstr(failure.message, "/fails: HDF error"));
    assert_int_equal(3, children_spent(pool, path, true, true, 50, &failure));  // three more parts
    assert_int_equal(0, source_pool_condemned_count(pool));
    source_pool_free(pool);
}

static void a_child_that_works_unasked_is_ended(void **state) {
    (void)state;
    struct source_pool *pool = pool_of_this(1, 60);
    source_unref(fixture_open(pool, file_called("burns")));  // it answers, and goes on
    double deadline = clock_monotonic() + 60;
    while (!source_pool_restarts(pool)) {
        if (clock_monotonic() > deadline) fail_msg("it goes on");
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    assert_pool_works(pool);
    source_pool_free(pool);
}

struct worker {
    struct source_pool *pool;
    char path[512];  // its own: fixture_path's places are used again
    int status;
    struct failure failure;
};

static void *open_in_thread(void *argument) {
    struct worker *w = argument;
    struct source *source;
    w->status = source_open(w->pool, w->path, &source, &w->failure);
    source_unref(source);
    return NULL;
}

static void one_hanging_child_does_not_hold_up_others(void **state) {
    (void)state;
    struct source_pool *pool = pool_of_this(2, 1);
    struct worker hanging = {.pool = pool};
    snprintf(hanging.path, sizeof hanging.path, "%s", file_called("hang"));
    pthread_t thread;
    pthread_create(&thread, NULL, open_in_thread, &hanging);
    for (int i = 0; i < 50; i++) assert_pool_works(pool);
    pthread_join(thread, NULL);
    if (hanging.status != VIRGA_TIMED_OUT) fail_msg("it says: %s", hanging.failure.message);
    source_pool_free(pool);
}

static void tear_down_waits_for_the_running_request(void **state) {
    (void)state;
    struct source_pool *pool = pool_of_this(1, 0.5);
    struct worker worker = {.pool = pool};
    snprintf(worker.path, sizeof worker.path, "%s", file_called("marks"));
    pthread_t thread;
    pthread_create(&thread, NULL, open_in_thread, &worker);
    const char *marker = fixture_path("marks.asked");
    while (access(marker, F_OK)) sched_yield();
    source_pool_free(pool);
    pthread_join(thread, NULL);
    assert_int_equal(VIRGA_TIMED_OUT, worker.status);
}

static void a_stopped_pool_waits_for_nothing(void **state) {
    (void)state;
    struct source_pool *pool = pool_of_this(1, 600);
    struct worker worker = {.pool = pool};
    snprintf(worker.path, sizeof worker.path, "%s", file_called("marks"));
    struct source *source;
    struct failure failure;
    pthread_t thread;
    const char *marker = fixture_path("marks.asked");
    unlink(marker);
    double began = clock_monotonic();
    pthread_create(&thread, NULL, open_in_thread, &worker);
    while (access(marker, F_OK)) sched_yield();
    source_pool_stop(pool);
    pthread_join(thread, NULL);
    assert_int_equal(VIRGA_CANCELLED, worker.status);
    assert_int_equal(VIRGA_CANCELLED, source_open(pool, file_called("marks"), &source, &failure));
    source_pool_free(pool);
    assert_true(clock_monotonic() - began < 300);
}

static void a_source_outlives_its_pool_and_is_no_longer_read(void **state) {
    (void)state;
    struct source_pool *pool = pool_of_this(1, 20);
    struct source *source = fixture_open(pool, file_called("good"));
    struct source_slab_request request = fixture_whole(source, "v");
    struct source_slab slab = fixture_slab(source, &request);
    struct failure failure;
    source_slab_release(&slab);
    source_pool_free(pool);
    assert_false(source_is_condemned(source, &failure));
    assert_int_equal(VIRGA_CANCELLED, source_read(source, &request, &slab, &failure));
    source_unref(source);
}

static void a_program_that_is_not_there_is_named(void **state) {
    (void)state;
    struct source_limits limits;
    struct source_pool *pool;
    struct failure failure;
    source_limits_default(&limits);
    limits.readers = 1;
    assert_int_equal(VIRGA_IO, source_pool_new("/nowhere/virga-reader", &limits, &pool, &failure));
    assert_non_null(strstr(failure.message, "/nowhere/virga-reader"));
    assert_null(pool);
    assert_int_equal(VIRGA_IO, source_pool_new("/bin/true", &limits, &pool, &failure));
    assert_non_null(strstr(failure.message, "/bin/true"));
    limits.readers = 0;
    assert_int_equal(VIRGA_INVALID, source_pool_new(this_program, &limits, &pool, &failure));
    source_pool_free(NULL);
}

int main(int argc, char **argv) {
    (void)argv;
    if (argc == 3) return child_main();
    ssize_t n = readlink("/proc/self/exe", this_program, sizeof this_program - 1);
    if (n <= 0) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_that_is_killed_fails_one_request),
        cmocka_unit_test(a_child_that_crashes_fails_one_request),
        cmocka_unit_test(a_child_that_gives_up_fails_one_request),
        cmocka_unit_test(garbage_is_no_answer),
        cmocka_unit_test(a_huge_answer_is_not_awaited),
        cmocka_unit_test(an_answer_to_another_request_is_refused),
        cmocka_unit_test(an_inventory_that_makes_no_sense_is_refused),
        cmocka_unit_test(a_child_that_eats_memory_is_stopped),
        cmocka_unit_test(a_child_that_hangs_is_late),
        cmocka_unit_test(a_child_that_drips_is_late),
        cmocka_unit_test(a_program_that_is_stopped_does_not_find_its_child_late),
        cmocka_unit_test(a_late_child_is_replaced),
        cmocka_unit_test(a_chattering_child_holds_nothing_up),
        cmocka_unit_test(a_child_that_speaks_unasked_is_replaced_in_silence),
        cmocka_unit_test(wants_that_break_the_protocol_end_the_child),
        cmocka_unit_test(wants_that_are_refused_fail_nothing),
        cmocka_unit_test(shared_memory_cannot_be_shrunk_by_a_child),
        cmocka_unit_test(a_slab_of_the_wrong_size_is_refused),
        cmocka_unit_test(a_child_that_dies_while_it_reads_is_named_by_its_file),
        cmocka_unit_test(a_file_that_crashes_its_reader_is_not_opened_again),
        cmocka_unit_test(a_file_that_crashes_its_readers_is_read_twice_at_most),
        cmocka_unit_test(a_late_file_is_not_waited_for_again),
        cmocka_unit_test(a_slab_that_fails_is_remembered_alone),
        cmocka_unit_test(a_child_that_works_unasked_is_ended),
        cmocka_unit_test(one_hanging_child_does_not_hold_up_others),
        cmocka_unit_test(tear_down_waits_for_the_running_request),
        cmocka_unit_test(a_stopped_pool_waits_for_nothing),
        cmocka_unit_test(a_source_outlives_its_pool_and_is_no_longer_read),
        cmocka_unit_test(a_program_that_is_not_there_is_named),
    };
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
