// SPDX-License-Identifier: Apache-2.0
// Bricks and tables as an independent decoder reads them (tests/reference/brick_decoder.py). Exit 77 without Python and numpy.
#include <dirent.h>
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

#include "base/status.h"
#include "brick/brick_codec.h"
#include "brick/brick_key.h"
#include "brick/lattice.h"
#include "brick/predictor.h"
#include "brick/step_table.h"

static char folder[] = P_tmpdir "/virga-bricks-XXXXXX";

static void write_file(const char *name, const char *suffix, const void *a, size_t a_size, const void *b, size_t b_size) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s.%s", folder, name, suffix);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(a, 1, a_size, file), a_size);
    assert_int_equal(fwrite(b, 1, b_size, file), b_size);
    assert_int_equal(fclose(file), 0);
}

static void remove_folder(void) {
    DIR *dir = opendir(folder);
    for (struct dirent *e; dir && (e = readdir(dir));) unlinkat(dirfd(dir), e->d_name, 0);
    if (dir) closedir(dir);
    rmdir(folder);
}

static int run_python(void) {
    pid_t child = fork();
    if (child == 0) {
        execlp("/usr/bin/python3", "python3", VIRGA_SOURCE_DIR "/tests/reference/check_bricks.py", folder, (char *)NULL);
        _exit(77);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int32_t voxels[BRICK_MAX_VOXELS], key_voxels[BRICK_MAX_VOXELS];

static void make_voxels(size_t count, int amplitude, bool masked, unsigned seed, int32_t *q) {
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1103515245 + 12345;
        const int32_t noise = (int32_t)((seed >> 8) % (unsigned)amplitude);
        q[i] = amplitude > 1000000 ? (int32_t)((unsigned)noise * 2654435761u) : (int32_t)(i % 34) * 3 - 500 + noise;
        if (q[i] == LATTICE_MISSING || (masked && seed >> 28 < 3)) q[i] = LATTICE_MISSING;
    }
    q[count - 1] = 17;
}

static void write_bricks(void) {
    static const uint32_t sizes[][3] = {{34, 5, 6}, {7, 3, 2}, {3, 34, 1}, {1, 1, 1}};
    static const int widths[] = {0, 1, 2, 4}, amplitudes[] = {3, 60, 20000, 100000000};
    struct brick_encoder *encoder = brick_encoder_new();
    int number = 0;
    for (int s = 0; s < 4; s++)
        for (int amplitude = 0; amplitude < 4; amplitude++)
            for (int masked = 0; masked < 2; masked++) {
                const size_t count = (size_t)sizes[s][0] * sizes[s][1] * sizes[s][2];
                make_voxels(count, amplitudes[amplitude], masked, 7u + (unsigned)number, voxels);
                make_voxels(count, amplitudes[amplitude], masked, 8u + (unsigned)number, key_voxels);
                for (int predictor = 0; predictor < PREDICTOR_COUNT; predictor++)
                    for (int w = 0; w < 4; w++) {
                        const struct brick_key_step key = {.step = 3, .q = key_voxels};
                        struct shared_bytes *bytes;
                        if (brick_encode_as(encoder, sizes[s], voxels, &key, predictor, widths[w], &bytes)) continue;
                        char name[32];
                        snprintf(name, sizeof name, "%05d", number++);
                        int32_t head[4] = {(int32_t)sizes[s][0], (int32_t)sizes[s][1], (int32_t)sizes[s][2]};
                        memcpy(&head[3], bytes->data + 4, sizeof(int32_t));
                        write_file(name, "brick", bytes->data, bytes->size, "", 0);
                        write_file(name, "q", head, sizeof head, voxels, count * sizeof *voxels);
                        if (predictor == PREDICTOR_KEY) write_file(name, "key", key_voxels, count * sizeof *key_voxels, "", 0);
                        shared_bytes_unref(bytes);
                    }
            }
    assert_true(number > 300);
    brick_encoder_free(encoder);
}

static void write_table(void) {
    struct pyramid_shape shape;
    pyramid_shape_init(&shape, 300, 200, 70, false, 1, 1);
    struct step_table *table = step_table_new(&shape);
    static int32_t entries[3 * 2000];
    size_t n = 0;
    unsigned seed = 1;
    for (uint32_t l = 0; l < table->level_count; l++)
        for (uint32_t z = 0; z < shape.levels[l].bricks[2]; z++)
            for (uint32_t y = 0; y < shape.levels[l].bricks[1]; y++)
                for (uint32_t x = 0; x < shape.levels[l].bricks[0]; x++, n += 3) {
                    struct step_table_entry *e = step_table_at(table, l, x, y, z);
                    seed = seed * 1103515245 + 12345;
                    e->kind = (uint8_t)(seed >> 20 & 3);
                    e->lowest = e->kind ? (int32_t)(seed * 2654435761u) / 2 : 0;
                    e->highest = e->kind > BRICK_CONSTANT ? e->lowest + (int32_t)(seed >> 4 & 0xffff) : e->lowest;
                    entries[n] = e->kind, entries[n + 1] = e->lowest, entries[n + 2] = e->highest;
                }
    struct shared_bytes *bytes;
    assert_int_equal(step_table_encode(table, &bytes), VIRGA_OK);
    write_file("t", "table", bytes->data, bytes->size, "", 0);
    write_file("t", "entries", entries, n * sizeof *entries, "", 0);
    shared_bytes_unref(bytes);
    step_table_free(table);
}

static int result;

static void an_independent_decoder_reads_bricks_and_tables(void **state) {
    (void)state;
    assert_non_null(mkdtemp(folder));
    write_bricks();
    write_table();
    result = run_python();
    remove_folder();
    if (result == 77) skip();
    assert_int_equal(result, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(an_independent_decoder_reads_bricks_and_tables)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (result == 77) puts("skipped: needs /usr/bin/python3 with numpy");
    return result == 77 ? 77 : failed;
}
