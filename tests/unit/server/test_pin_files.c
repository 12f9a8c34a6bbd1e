// SPDX-License-Identifier: Apache-2.0
// Pictures on disk: whole or not at all, and nothing else stays in their folder.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka after what it needs
#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/pin_files.h"

static char folder[] = "/tmp/virga-pins-XXXXXX";
static const char id[] = "0123456789abcdef", key[] = "00112233445566778899aabbccddeeff", other[] = "ff112233445566778899aabbccddee00";

static struct shared_bytes *jpeg(size_t size) {
    uint8_t *fill;
    struct shared_bytes *bytes = shared_bytes_new(size, &fill);
    memset(fill, 7, size);
    fill[0] = fill[size - 2] = 0xFF;
    fill[1] = 0xD8;
    fill[size - 1] = 0xD9;
    return bytes;
}

static char *path_of(const char *name) {
    static char path[300];
    snprintf(path, sizeof path, "%s/pins/%s", folder, name);
    return path;
}

static void put(const char *name, const char *text) {
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static bool keep_one(void *user, const struct pin_file *file) {
    assert_string_equal(file->id, id);
    assert_true(file->written > 1e9);
    *(int *)user += 1;
    return !strcmp(file->key, key);
}

static void test_what_is_written_is_read(void **state) {
    (void)state;
    struct shared_bytes *bytes = jpeg(5000);
    assert_true(pin_file_write(folder, id, key, bytes));
    struct shared_bytes *again = pin_file_read(folder, id, key);
    assert_non_null(again);
    assert_true(again->size == bytes->size && !memcmp(again->data, bytes->data, bytes->size));
    shared_bytes_unref(again);
    assert_null(pin_file_read(folder, id, other));
    pin_file_remove(folder, id, key);
    assert_null(pin_file_read(folder, id, key));
    shared_bytes_unref(bytes);
}

static void test_half_a_file_is_none(void **state) {
    (void)state;
    struct shared_bytes *bytes = jpeg(5000);
    char name[100];
    assert_true(pin_file_write(folder, id, key, bytes));
    snprintf(name, sizeof name, "%s-%s.jpg", id, key);
    assert_int_equal(truncate(path_of(name), 4000), 0);
    assert_null(pin_file_read(folder, id, key));
    assert_int_equal(truncate(path_of(name), 0), 0);
    assert_null(pin_file_read(folder, id, key));
    assert_int_equal(truncate(path_of(name), (off_t)100 << 20), 0);
    assert_null(pin_file_read(folder, id, key));
    shared_bytes_unref(bytes);
}

static void test_only_what_is_wanted_stays(void **state) {
    (void)state;
    struct shared_bytes *bytes = jpeg(100);
    int asked = 0;
    char name[100];
    assert_true(pin_file_write(folder, id, key, bytes) && pin_file_write(folder, id, other, bytes));
    put("notes.txt", "x"), put("0123456789abcdef-0011.jpg", "x"), put("0123456789abcdef-00112233445566778899aabbccddeeff.part", "x");
    assert_int_equal(symlink("/etc/passwd", path_of("0123456789abcdef-aa112233445566778899aabbccddeeff.jpg")), 0);
    assert_int_equal(mkdir(path_of("kept"), 0700), 0);
    pin_files_sweep(folder, keep_one, &asked);
    assert_int_equal(asked, 2);
    snprintf(name, sizeof name, "%s-%s.jpg", id, key);
    assert_int_equal(access(path_of(name), F_OK), 0);
    snprintf(name, sizeof name, "%s-%s.jpg", id, other);
    assert_int_not_equal(access(path_of(name), F_OK), 0);
    assert_int_not_equal(access(path_of("notes.txt"), F_OK), 0);
    assert_int_not_equal(access(path_of("0123456789abcdef-00112233445566778899aabbccddeeff.part"), F_OK), 0);
    assert_int_equal(access("/etc/passwd", F_OK), 0);
    assert_int_equal(rmdir(path_of("kept")), 0);
    shared_bytes_unref(bytes);
}

static void test_what_cannot_be_written_is_left(void **state) {
    (void)state;
    struct shared_bytes *bytes = jpeg(100);
    assert_false(pin_file_write("/nonexistent", id, key, bytes));
    pin_files_sweep("/nonexistent", keep_one, NULL);
    shared_bytes_unref(bytes);
}

static void test_keys(void **state) {
    (void)state;
    assert_true(pin_key_valid(key));
    assert_false(pin_key_valid("") || pin_key_valid("00112233445566778899aabbccddeef") || pin_key_valid("00112233445566778899aabbccddeeff0") ||
                 pin_key_valid("00112233445566778899AABBCCDDEEFF") || pin_key_valid("../12233445566778899aabbccddeeff"));
}

static int make_folder(void **state) {
    (void)state;
    struct failure failure = {0};
    return !mkdtemp(folder) || pin_files_start(folder, &failure) || pin_files_start(folder, &failure);
}

static int remove_folder(void **state) {
    int asked = 0;
    (void)state;
    pin_file_remove(folder, id, key);
    pin_files_sweep(folder, keep_one, &asked);
    return rmdir(path_of("")) || rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read), cmocka_unit_test(test_half_a_file_is_none), cmocka_unit_test(test_only_what_is_wanted_stays),
        cmocka_unit_test(test_what_cannot_be_written_is_left), cmocka_unit_test(test_keys),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
