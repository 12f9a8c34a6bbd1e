// SPDX-License-Identifier: Apache-2.0
// Field boxes to a step volume, its pyramid, bricks and table, against plain computations.
#include "made_field.h"

#include "brick/volume_sample.h"

// Plain mean over the covered block; *share of it that is present.
static double block_mean(const struct made *m, const uint32_t scale[3], const uint32_t at[3], double *share) {
    const uint32_t n[3] = {m->nx, m->ny, m->nz};
    uint32_t lo[3], hi[3];
    for (int a = 0; a < 3; a++) {
        lo[a] = at[a] * scale[a];
        hi[a] = lo[a] + scale[a] < n[a] ? lo[a] + scale[a] : n[a];
    }
    long double sum = 0, count = 0, all = 0;
    for (uint32_t z = lo[2]; z < hi[2]; z++)
        for (uint32_t y = lo[1]; y < hi[1]; y++)
            for (uint32_t x = lo[0]; x < hi[0]; x++, all++) {
                const double v = source_at(m, x, y, z);
                if (isnan(v)) continue;
                sum += v;
                count++;
            }
    *share = (double)(count / all);
    return (double)(sum / count);
}

static void expect_levels(const struct made *m) {
    for (uint32_t l = 0; l < m->shape.level_count; l++) {
        const struct pyramid_level *level = &m->shape.levels[l];
        for (uint32_t z = 0; z < level->n[2]; z++)
            for (uint32_t y = 0; y < level->n[1]; y++)
                for (uint32_t x = 0; x < level->n[0]; x++) {
                    double share;
                    const double mean = block_mean(m, level->scale, (const uint32_t[]){x, y, z}, &share);
                    const int32_t q = voxel(m, l, x, y, z);
                    assert_int_equal(q == LATTICE_MISSING, share < 0.5);
                    if (q == LATTICE_MISSING) continue;
                    const double decoded = lattice_to_value(&m->lattice, q);
                    assert_true(fabs(decoded - mean) <= m->lattice.epsilon);
                    if (fabs(mean) <= lattice_float32_limit(&m->lattice))
                        assert_true(fabs((double)(float)decoded - mean) <= m->lattice.epsilon);
                }
    }
}

struct decoded_brick {
    struct brick_box box;
    int32_t q[BRICK_MAX_VOXELS];
};

// A brick by way of its bytes and its table entry.
static void decode_brick(const struct made *m, struct brick_encoder *encoder, uint32_t level, uint32_t x, uint32_t y, uint32_t z,
                         struct decoded_brick *brick) {
    uint32_t size[3];
    struct shared_bytes *bytes;
    const struct step_table_entry *entry = step_table_at(m->table, level, x, y, z);
    brick_box_init(&brick->box, &m->shape, level, x, y, z);
    assert_int_equal(volume_tiler_brick(m->volume, level, x, y, z, size, brick->q, NULL), VIRGA_OK);
    assert_memory_equal(size, brick->box.size, sizeof size);
    assert_int_equal(brick_encode(encoder, size, brick->q, NULL, &bytes), VIRGA_OK);
    const size_t count = (size_t)size[0] * size[1] * size[2];
    assert_int_equal(bytes->size == 0, entry->kind == BRICK_MISSING || entry->kind == BRICK_CONSTANT);
    if (bytes->size) {
        assert_int_equal(bytes->data[3], entry->kind == BRICK_MASKED);
        memset(brick->q, 0x55, sizeof brick->q);
        assert_int_equal(brick_decode(bytes->data, bytes->size, size, NULL, brick->q), VIRGA_OK);
    } else {
        for (size_t i = 0; i < count; i++) brick->q[i] = entry->kind == BRICK_CONSTANT ? entry->lowest : LATTICE_MISSING;
    }
    shared_bytes_unref(bytes);
}

// Every stored voxel, border included, is the level's voxel: so neighbours agree. And the table bounds what is present.
static void expect_bricks(const struct made *m) {
    struct brick_encoder *encoder = brick_encoder_new();
    struct decoded_brick *brick = malloc(sizeof *brick);
    for (uint32_t l = 0; l < m->shape.level_count; l++) {
        const struct pyramid_level *level = &m->shape.levels[l];
        for (uint32_t bz = 0; bz < level->bricks[2]; bz++)
            for (uint32_t by = 0; by < level->bricks[1]; by++)
                for (uint32_t bx = 0; bx < level->bricks[0]; bx++) {
                    decode_brick(m, encoder, l, bx, by, bz, brick);
                    const struct step_table_entry *entry = step_table_at(m->table, l, bx, by, bz);
                    const int32_t *q = brick->q;
                    for (uint32_t z = 0; z < brick->box.size[2]; z++)
                        for (uint32_t y = 0; y < brick->box.size[1]; y++)
                            for (uint32_t x = 0; x < brick->box.size[0]; x++, q++) {
                                const int64_t gx = (brick->box.lo[0] + x + level->n[0]) % level->n[0];
                                assert_int_equal(*q, voxel(m, l, gx, brick->box.lo[1] + y, brick->box.lo[2] + z));
                                if (*q != LATTICE_MISSING) assert_true(*q >= entry->lowest && *q <= entry->highest);
                            }
                }
    }
    free(brick);
    brick_encoder_free(encoder);
}

static void expect_table_bytes(const struct made *m) {
    struct shared_bytes *bytes;
    struct step_table *back;
    assert_int_equal(step_table_encode(m->table, &bytes), VIRGA_OK);
    assert_int_equal(step_table_decode(bytes->data, bytes->size, &back), VIRGA_OK);
    assert_int_equal(back->level_count, m->shape.level_count);
    assert_memory_equal(&back->lowest, &m->table->lowest, sizeof(double));
    assert_memory_equal(&back->highest, &m->table->highest, sizeof(double));
    for (uint32_t l = 0; l < back->level_count; l++) {
        const struct pyramid_level *level = &m->shape.levels[l];
        assert_memory_equal(back->levels[l].n, level->n, sizeof level->n);
        for (uint32_t z = 0; z < level->bricks[2]; z++)
            for (uint32_t y = 0; y < level->bricks[1]; y++)
                for (uint32_t x = 0; x < level->bricks[0]; x++) {
                    const struct step_table_entry *a = step_table_at(m->table, l, x, y, z), *b = step_table_at(back, l, x, y, z);
                    assert_true(a->kind == b->kind && a->lowest == b->lowest && a->highest == b->highest);
                }
    }
    step_table_free(back);
    shared_bytes_unref(bytes);
}

static void every_voxel_is_within_epsilon_and_means_are_means(void **state) {
    (void)state;
    for (size_t c = 0; c < CASE_COUNT; c++) {
        struct made m;
        make_case(&m, c, NULL);
        expect_levels(&m);
        unmake(&m);
    }
}

static void bricks_hold_the_voxels_and_agree_at_their_borders(void **state) {
    (void)state;
    for (size_t c = 0; c < CASE_COUNT; c++) {
        struct made m;
        make_case(&m, c, NULL);
        expect_bricks(&m);
        expect_table_bytes(&m);
        unmake(&m);
    }
}

static void a_file_holds_the_same_as_memory(void **state) {
    (void)state;
    for (size_t c = 0; c < CASE_COUNT; c++) {
        struct made m;
        random_state = 4711;
        make_case(&m, c, P_tmpdir);
        assert_int_equal(step_volume_memory(m.volume), 0);
        assert_int_equal(step_volume_spooled(m.volume), 4 * step_volume_voxels(&m.shape, 0));
        expect_levels(&m);
        expect_bricks(&m);
        unmake(&m);
    }
}

static void spooling_changes_nothing(void **state) {
    (void)state;
    for (size_t c = 0; c < CASE_COUNT; c++) {
        struct made m;
        make_case(&m, c, NULL);
        const size_t bytes = step_volume_memory(m.volume);
        assert_int_equal(bytes, (CASES[c].f == extremes ? 4 : 2) * step_volume_voxels(&m.shape, 0));
        assert_int_equal(step_volume_spool(m.volume, P_tmpdir, NULL), VIRGA_OK);
        assert_int_equal(step_volume_memory(m.volume), 0);
        assert_int_equal(step_volume_spooled(m.volume), bytes);
        expect_levels(&m);
        expect_bricks(&m);
        unmake(&m);
    }
}

static void a_spool_folder_that_is_not_there_is_an_error(void **state) {
    (void)state;
    struct pyramid_shape shape;
    struct step_volume *volume;
    struct failure failure;
    pyramid_shape_init(&shape, 8, 8, 8, false, 1, 1);
    assert_int_equal(step_volume_new(&shape, 0, "/nonexistent/folder", &volume, &failure), VIRGA_IO);
    assert_non_null(strstr(failure.message, "/nonexistent/folder"));
    assert_null(volume);
}

static void the_order_of_boxes_changes_nothing(void **state) {
    (void)state;
    struct made a, b;
    random_state = 99;
    make(&a, 97, 131, 37, false, 2000, 300, holes, 0.05, NULL, (const uint32_t[]){50, 41, 37});
    random_state = 99;
    make(&b, 97, 131, 37, false, 2000, 300, holes, 0.05, NULL, (const uint32_t[]){13, 20, 5});
    for (uint32_t l = 0; l < a.shape.level_count; l++)
        for (uint32_t z = 0; z < a.shape.levels[l].n[2]; z++)
            for (uint32_t y = 0; y < a.shape.levels[l].n[1]; y++)
                for (uint32_t x = 0; x < a.shape.levels[l].n[0]; x++) assert_int_equal(voxel(&a, l, x, y, z), voxel(&b, l, x, y, z));
    unmake(&a);
    unmake(&b);
}

static void a_coordinate_ramp_does_not_drift(void **state) {
    (void)state;
    struct made m;
    make(&m, 141, 67, 38, false, 1, 1, ramp, 0.25, NULL, (const uint32_t[]){141, 67, 5});
    for (uint32_t l = 0; l < m.shape.level_count; l++) {
        const struct pyramid_level *level = &m.shape.levels[l];
        for (uint32_t z = 0; z < level->n[2]; z += 3)
            for (uint32_t y = 0; y < level->n[1]; y += 2)
                for (uint32_t x = 0; x < level->n[0]; x++) {
                    double centre[3];
                    const uint32_t at[3] = {x, y, z}, n[3] = {141, 67, 38};
                    for (int a = 0; a < 3; a++) {
                        const double lo = (double)at[a] * level->scale[a], hi = lo + level->scale[a];
                        centre[a] = (lo + (hi < n[a] ? hi : n[a])) / 2 - 0.5;  // (I + 0.5) scale - 0.5 where not cut off
                    }
                    const double expected = centre[0] + 1000 * centre[1] + 1e6 * centre[2];
                    assert_true(fabs(lattice_to_value(&m.lattice, voxel(&m, l, x, y, z)) - expected) <= 0.25);
                }
    }
    unmake(&m);
}

static void the_pyramid_halves_as_written(void **state) {
    (void)state;
    struct pyramid_shape s;
    pyramid_shape_init(&s, 621, 810, 37, false, 1500, 500);  // 1.5 km against 0.5 km: on all axes from the start
    assert_int_equal(s.level_count, 5);
    const uint32_t nx[] = {621, 311, 156, 78, 39}, nz[] = {37, 19, 10, 5, 3};
    for (uint32_t l = 0; l < 5; l++) {
        assert_int_equal(s.levels[l].n[0], nx[l]);
        assert_int_equal(s.levels[l].n[2], nz[l]);
        assert_int_equal(s.levels[l].scale[0], 1u << l);
        assert_int_equal(s.levels[l].bricks[0], (nx[l] + 31) / 32);
    }
    pyramid_shape_init(&s, 256, 256, 70, false, 250, 500);
    const uint32_t scale_z[] = {1, 1, 2};
    assert_int_equal(s.level_count, 3);
    for (uint32_t l = 0; l < 3; l++) assert_int_equal(s.levels[l].scale[2], scale_z[l]);
    pyramid_shape_init(&s, 10, 10, 137, false, 1, 1e9);  // small in x and y: z goes on alone
    assert_int_equal(s.level_count, 3);
    assert_int_equal(s.levels[2].n[2], 35);
    pyramid_shape_init(&s, 400, 1, 1, true, 1, 0);
    assert_int_equal(s.levels[s.level_count - 1].scale[1], 1);
    pyramid_shape_init(&s, UINT32_MAX, UINT32_MAX, UINT32_MAX, true, 1, 1);
    assert_true(s.level_count <= PYRAMID_MAX_LEVELS);
}

static int voxel_of_made(void *user, uint32_t x, uint32_t y, uint32_t z, int32_t *q) {
    *q = voxel(user, 0, x, y, z);
    return VIRGA_OK;
}

static void the_table_bounds_every_interpolated_sample(void **state) {
    (void)state;
    struct made m;
    make(&m, 97, 70, 37, true, 2000, 300, holes, 0.05, NULL, (const uint32_t[]){50, 41, 37});
    const struct volume_access access = {.n = {97, 70, 37}, .wraps_x = true, .lattice = m.lattice, .voxel = voxel_of_made, .user = &m};
    size_t present = 0;
    for (int i = 0; i < 20000; i++) {
        const double x = uniform() * 97, y = uniform() * 69, z = uniform() * 36;
        double value;
        assert_int_equal(volume_sample(&access, x, y, z, &value), VIRGA_OK);
        if (isnan(value)) continue;
        present++;
        const struct step_table_entry *e = step_table_at(m.table, 0, (uint32_t)(x / 32), (uint32_t)(y / 32), (uint32_t)(z / 32));
        assert_true(value >= lattice_to_value(&m.lattice, e->lowest) - 1e-9 && value <= lattice_to_value(&m.lattice, e->highest) + 1e-9);
    }
    assert_true(present > 5000);
    unmake(&m);
}

static void samples_are_trilinear_and_absent_where_less_than_half_is_present(void **state) {
    (void)state;
    struct made m;
    make(&m, 40, 20, 10, false, 1, 1, ramp, 0.25, NULL, (const uint32_t[]){40, 20, 10});
    struct volume_access access = {.n = {40, 20, 10}, .lattice = m.lattice, .voxel = voxel_of_made, .user = &m};
    double value;
    for (int i = 0; i < 1000; i++) {
        const double x = uniform() * 39, y = uniform() * 19, z = uniform() * 9;
        assert_int_equal(volume_sample(&access, x, y, z, &value), VIRGA_OK);
        assert_true(fabs(value - (x + 1000 * y + 1e6 * z)) <= 0.25);
    }
    const double outside[][3] = {{-0.01, 0, 0}, {39.01, 0, 0}, {0, 19.5, 0}, {0, 0, 9.5}, {NAN, 0, 0}};
    for (int i = 0; i < 5; i++) {
        volume_sample(&access, outside[i][0], outside[i][1], outside[i][2], &value);
        assert_true(isnan(value));
    }
    access.wraps_x = true;
    volume_sample(&access, 39.25, 0, 0, &value);  // three quarters of column 39, a quarter of column 0
    assert_true(fabs(value - 39 * 0.75) <= 0.25);
    volume_sample(&access, 40, 0, 0, &value);
    assert_true(fabs(value) <= 0.25);
    unmake(&m);
    make(&m, 70, 70, 5, false, 1, 1, holes, 0.05, NULL, (const uint32_t[]){70, 70, 5});
    access = (struct volume_access){.n = {70, 70, 5}, .lattice = m.lattice, .voxel = voxel_of_made, .user = &m};
    for (int i = 0; i < 20000; i++) {
        const uint32_t x = random_bits() % 69, y = random_bits() % 69, z = random_bits() % 4;
        const double fx = uniform(), fy = uniform(), fz = uniform();
        double sum = 0, share = 0;
        for (int c = 0; c < 8; c++) {
            const double v = source_at(&m, x + (c & 1), y + (c >> 1 & 1), z + (c >> 2));
            const double w = (c & 1 ? fx : 1 - fx) * (c >> 1 & 1 ? fy : 1 - fy) * (c >> 2 ? fz : 1 - fz);
            if (!isnan(v)) sum += w * v, share += w;
        }
        if (fabs(share - 0.5) < 1e-9) continue;
        assert_int_equal(volume_sample(&access, x + fx, y + fy, z + fz, &value), VIRGA_OK);
        assert_int_equal(isnan(value), share < 0.5);
        if (!isnan(value)) assert_true(fabs(value - sum / share) <= 0.05);
    }
    unmake(&m);
}

static void a_field_not_covered_by_its_boxes_is_an_error(void **state) {
    (void)state;
    struct pyramid_shape shape;
    pyramid_shape_init(&shape, 100, 10, 2, false, 1, 1);
    const struct lattice_spec lattice = {0, lattice_step(0.1), 0.1};
    struct step_volume *volume;
    struct step_table *table;
    struct failure failure;
    assert_int_equal(step_volume_new(&shape, 0, NULL, &volume, &failure), VIRGA_OK);
    struct volume_tiler *tiler = volume_tiler_new(&lattice, volume, TABLE_OF_BRICKS);
    double values[1000] = {0};
    const struct field_box first = {0, 0, 0, 100, 10, 1}, outside = {1, 0, 1, 100, 10, 1};
    assert_int_equal(volume_tiler_add(tiler, &first, values, &failure), VIRGA_OK);
    assert_int_equal(volume_tiler_add(tiler, &outside, values, &failure), VIRGA_INTERNAL);
    assert_int_equal(volume_tiler_finish(tiler, &table, &volume, &failure), VIRGA_INTERNAL);
    volume_tiler_free(tiler);
}

// Half-built means take a few layers at most when the boxes come layer by layer, or row of tiles by row of tiles.
static void boxes_in_order_need_little_memory(void **state) {
    (void)state;
    struct pyramid_shape shape;
    pyramid_shape_init(&shape, 256, 256, 64, false, 1, 1);
    const struct lattice_spec lattice = {0, lattice_step(0.1), 0.1};
    static const uint32_t sizes[][3] = {{256, 256, 1}, {64, 64, 64}};
    for (int way = 0; way < 2; way++) {
        struct step_volume *volume;
        struct step_table *table;
        assert_int_equal(step_volume_new(&shape, 0, P_tmpdir, &volume, NULL), VIRGA_OK);
        struct volume_tiler *tiler = volume_tiler_new(&lattice, volume, TABLE_OF_BRICKS);
        const uint32_t *n = sizes[way];
        double *values = malloc((size_t)n[0] * n[1] * n[2] * sizeof *values);
        size_t most = 0;
        for (uint32_t z = 0; z < 64; z += n[2])
            for (uint32_t y = 0; y < 256; y += n[1])
                for (uint32_t x = 0; x < 256; x += n[0]) {
                    const struct field_box box = {x, y, z, n[0], n[1], n[2]};
                    for (size_t i = 0; i < (size_t)n[0] * n[1] * n[2]; i++) values[i] = (double)(i % 100);
                    assert_int_equal(volume_tiler_add(tiler, &box, values, NULL), VIRGA_OK);
                    const size_t now = volume_tiler_memory(tiler);
                    most = now > most ? now : most;
                }
        const size_t all = (size_t)12 * 128 * 128 * 32;  // sums and counts of level 1
        assert_true(most <= (way == 0 ? all / 8 : all / 2));
        assert_int_equal(volume_tiler_memory(tiler), 0);
        assert_int_equal(volume_tiler_finish(tiler, &table, &volume, NULL), VIRGA_OK);
        step_table_free(table);
        step_volume_free(volume);
        volume_tiler_free(tiler);
        free(values);
    }
}

static void mutated_tables_are_decoded_or_refused(void **state) {
    (void)state;
    struct made m;
    make(&m, 97, 70, 37, false, 2000, 300, holes, 0.05, NULL, (const uint32_t[]){97, 70, 37});
    struct shared_bytes *bytes;
    assert_int_equal(step_table_encode(m.table, &bytes), VIRGA_OK);
    uint8_t *mutated = malloc(bytes->size);
    for (int i = 0; i < 20000; i++) {
        struct step_table *table;
        memcpy(mutated, bytes->data, bytes->size);
        for (uint32_t c = random_bits() % 3 + 1; c; c--) mutated[random_bits() % bytes->size] = (uint8_t)random_bits();
        const size_t size = i % 4 ? bytes->size : random_bits() % bytes->size;
        int status = step_table_decode(mutated, size, &table);
        assert_true(status == VIRGA_OK || status == VIRGA_INVALID);
        assert_int_equal(table != NULL, status == VIRGA_OK);
        step_table_free(table);
    }
    free(mutated);
    shared_bytes_unref(bytes);
    unmake(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_voxel_is_within_epsilon_and_means_are_means),
        cmocka_unit_test(bricks_hold_the_voxels_and_agree_at_their_borders),
        cmocka_unit_test(a_file_holds_the_same_as_memory),
        cmocka_unit_test(spooling_changes_nothing),
        cmocka_unit_test(a_spool_folder_that_is_not_there_is_an_error),
        cmocka_unit_test(the_order_of_boxes_changes_nothing),
        cmocka_unit_test(a_coordinate_ramp_does_not_drift),
        cmocka_unit_test(the_pyramid_halves_as_written),
        cmocka_unit_test(the_table_bounds_every_interpolated_sample),
        cmocka_unit_test(samples_are_trilinear_and_absent_where_less_than_half_is_present),
        cmocka_unit_test(a_field_not_covered_by_its_boxes_is_an_error),
        cmocka_unit_test(boxes_in_order_need_little_memory),
        cmocka_unit_test(mutated_tables_are_decoded_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
