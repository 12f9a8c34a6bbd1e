// SPDX-License-Identifier: Apache-2.0
// Zips against Python's zipfile, which knows nothing of us; also such as need ZIP64, as files with holes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "base/status.h"
#include "server/zip_layout.h"

static const uint64_t GIB = (uint64_t)1 << 30;

// Bytes `at` … of entry e.
static void content(size_t e, uint64_t at, uint8_t *out, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = (uint8_t)((at + i) * 31 + e * 7 + ((at + i) >> 8));
}

static struct zip_layout *make(const uint64_t *sizes, size_t count) {
    struct zip_layout *zip = zip_layout_new();
    char name[40];
    for (size_t e = 0; e < count; e++) {
        uint8_t data[5000];
        uint32_t crc = 0;
        if (sizes[e] <= sizeof data) {
            content(e, 0, data, (size_t)sizes[e]);
            crc = (uint32_t)crc32(0, data, (unsigned)sizes[e]);
        }
        snprintf(name, sizeof name, "%05zu.png", e);
        assert_int_equal(zip_layout_add(zip, name, sizes[e], crc), VIRGA_OK);
    }
    return zip;
}

// The whole as one array, made of pieces of at most `step` bytes.
static uint8_t *whole(const struct zip_layout *zip, size_t step) {
    size_t size = (size_t)zip_layout_size(zip), at = 0;
    uint8_t *out = malloc(size);
    struct zip_piece piece;
    while (at < size) {
        assert_int_equal(zip_layout_piece(zip, at, &piece), VIRGA_OK);
        assert_true(piece.count > 0);
        size_t n = piece.count < step ? (size_t)piece.count : step;
        assert_true(n <= size - at);
        if (piece.bytes) memcpy(out + at, piece.bytes, n);
        else content(piece.entry, piece.from, out + at, n);
        at += n;
    }
    assert_int_equal(zip_layout_piece(zip, size, &piece), VIRGA_NOT_FOUND);
    assert_int_equal(zip_layout_piece(zip, UINT64_MAX, &piece), VIRGA_NOT_FOUND);
    return out;
}

static void python(const char *path, const char *script) {
    char command[2000];
    if (access("/usr/bin/python3", X_OK)) skip();
    snprintf(command, sizeof command, "/usr/bin/python3 -c 'import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); n = z.namelist(); i = z.infolist(); %s' %s", script, path);
    int status = system(command);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void path_of(char path[64]) {
    strcpy(path, "/tmp/virga-zip-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
}

static void test_python_reads_what_was_put_in(void **state) {
    (void)state;
    static const uint64_t sizes[] = {1000, 0, 1, 4999, 77};
    char path[64];
    struct zip_layout *zip = make(sizes, 5);
    uint8_t *bytes = whole(zip, SIZE_MAX);
    path_of(path);
    FILE *file = fopen(path, "wb");
    assert_int_equal(fwrite(bytes, 1, (size_t)zip_layout_size(zip), file), zip_layout_size(zip));
    fclose(file);
    python(path, "assert z.testzip() is None; assert n == [\"%05d.png\" % k for k in range(5)], n; assert [x.file_size for x in i] == [1000, 0, 1, 4999, 77];"
                 " assert all(x.date_time == (1980, 1, 1, 0, 0, 0) and x.compress_type == 0 and x.external_attr >> 16 == 0o100644 for x in i)");
    unlink(path);
    free(bytes);
    zip_layout_free(zip);
}

static void test_an_empty_one_is_one(void **state) {
    (void)state;
    char path[64];
    struct zip_layout *zip = zip_layout_new();
    uint8_t *bytes = whole(zip, 1);
    path_of(path);
    FILE *file = fopen(path, "wb");
    fwrite(bytes, 1, (size_t)zip_layout_size(zip), file);
    fclose(file);
    python(path, "assert n == []");
    unlink(path);
    free(bytes);
    zip_layout_free(zip);
}

static void test_pieces_of_any_size_give_the_same_bytes(void **state) {
    (void)state;
    static const uint64_t sizes[] = {300, 0, 0, 4000, 1};
    struct zip_layout *zip = make(sizes, 5);
    uint8_t *once = whole(zip, SIZE_MAX);
    for (size_t step = 1; step < 60; step += 7) {
        uint8_t *again = whole(zip, step);
        assert_memory_equal(once, again, (size_t)zip_layout_size(zip));
        free(again);
    }
    free(once);
    zip_layout_free(zip);
}

static void test_the_same_entries_have_the_same_hash_and_others_another(void **state) {
    (void)state;
    static const uint64_t sizes[] = {10, 20, 30}, other[] = {10, 20, 31};
    struct zip_layout *a = make(sizes, 3), *b = make(sizes, 3), *c = make(other, 3), *d = make(sizes, 2);
    assert_true(zip_layout_hash(a) == zip_layout_hash(b));
    assert_true(zip_layout_hash(a) != zip_layout_hash(c) && zip_layout_hash(a) != zip_layout_hash(d));
    zip_layout_free(a);
    zip_layout_free(b);
    zip_layout_free(c);
    zip_layout_free(d);
}

// Only the zip's own bytes are written, into a file with holes.
static void write_with_holes(const struct zip_layout *zip, const char *path) {
    FILE *file = fopen(path, "wb");
    struct zip_piece piece;
    for (uint64_t at = 0; zip_layout_piece(zip, at, &piece) == VIRGA_OK; at += piece.count) {
        if (!piece.bytes) continue;
        assert_int_equal(fseeko(file, (off_t)at, SEEK_SET), 0);
        assert_int_equal(fwrite(piece.bytes, 1, (size_t)piece.count, file), piece.count);
    }
    assert_int_equal(ftello(file), (off_t)zip_layout_size(zip));
    assert_int_equal(fclose(file), 0);
}

static void test_more_than_four_gigabytes_need_zip64(void **state) {
    (void)state;
    const uint64_t sizes[] = {3 * GIB, 3 * GIB, 5 * GIB, 10, 20};
    char path[64];
    struct zip_layout *zip = make(sizes, 5);
    path_of(path);
    write_with_holes(zip, path);
    python(path, "assert [x.file_size for x in i] == [3 << 30, 3 << 30, 5 << 30, 10, 20]; assert i[4].header_offset > 11 << 30;"
                 " assert len(z.open(n[2]).read(100)) == 100; z.fp.seek(i[3].header_offset); assert z.fp.read(4) == b\"PK\\x03\\x04\"");
    unlink(path);
    zip_layout_free(zip);
}

static void test_more_than_65534_files_need_zip64(void **state) {
    (void)state;
    enum { MANY = 65600 };
    char path[64];
    uint64_t *sizes = calloc(MANY, sizeof *sizes);
    struct zip_layout *zip = make(sizes, MANY);
    path_of(path);
    write_with_holes(zip, path);
    python(path, "assert len(n) == 65600 and n[-1] == \"65599.png\"; assert z.testzip() is None");
    unlink(path);
    free(sizes);
    zip_layout_free(zip);
}

static void test_names_that_lead_elsewhere_are_refused(void **state) {
    (void)state;
    struct zip_layout *zip = zip_layout_new();
    char name[ZIP_NAME_MAX + 2];
    memset(name, 'a', sizeof name);
    name[ZIP_NAME_MAX + 1] = '\0';
    assert_int_equal(zip_layout_add(zip, "", 1, 0), VIRGA_INVALID);
    assert_int_equal(zip_layout_add(zip, "/etc/passwd", 1, 0), VIRGA_INVALID);
    assert_int_equal(zip_layout_add(zip, "../a", 1, 0), VIRGA_INVALID);
    assert_int_equal(zip_layout_add(zip, name, 1, 0), VIRGA_INVALID);
    assert_int_equal(zip_layout_add(zip, "a", UINT64_MAX, 0), VIRGA_TOO_LARGE);
    name[ZIP_NAME_MAX] = '\0';
    assert_int_equal(zip_layout_add(zip, name, 1, 0), VIRGA_OK);
    free(whole(zip, SIZE_MAX));
    zip_layout_free(zip);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_python_reads_what_was_put_in),
        cmocka_unit_test(test_an_empty_one_is_one),
        cmocka_unit_test(test_pieces_of_any_size_give_the_same_bytes),
        cmocka_unit_test(test_the_same_entries_have_the_same_hash_and_others_another),
        cmocka_unit_test(test_more_than_four_gigabytes_need_zip64),
        cmocka_unit_test(test_more_than_65534_files_need_zip64),
        cmocka_unit_test(test_names_that_lead_elsewhere_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
