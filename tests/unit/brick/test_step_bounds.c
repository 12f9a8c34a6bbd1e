// SPDX-License-Identifier: Apache-2.0
// Volumes that begin with a coarse level, and tables made before the finer ones are there: from whichever level they come, the levels are those of
// the whole field within one lattice step, and the table is the same one and bounds every brick of every level, borders included.
#include "made_field.h"

#include "brick/brick_key.h"

// The voxels of a level, as field_reduce would give them.
struct blocks { size_t n[3]; double *numbers; struct field_blocks blocks; };

static void blocks_make(struct blocks *b, const struct made *m, uint32_t level) {
    const struct pyramid_level *l = &m->shape.levels[level];
    size_t total = 1;
    for (int a = 0; a < 3; a++) total *= b->n[a] = l->n[a];
    b->numbers = malloc(4 * total * sizeof *b->numbers);
    b->blocks = (struct field_blocks){b->numbers, b->numbers + total, b->numbers + 2 * total, b->numbers + 3 * total};
    for (size_t n = 0; n < total; n++) b->blocks.mean[n] = b->blocks.count[n] = 0, b->blocks.least[n] = b->blocks.most[n] = NAN;
    const double *value = m->values;
    for (uint32_t z = 0; z < m->nz; z++)
        for (uint32_t y = 0; y < m->ny; y++)
            for (uint32_t x = 0; x < m->nx; x++, value++) {
                const size_t at = ((size_t)(z / l->scale[2]) * b->n[1] + y / l->scale[1]) * b->n[0] + x / l->scale[0];
                if (isnan(*value)) continue;
                b->blocks.mean[at] += *value;
                b->blocks.count[at]++;
                b->blocks.least[at] = fmin(b->blocks.least[at], *value);
                b->blocks.most[at] = fmax(b->blocks.most[at], *value);
            }
    for (size_t n = 0; n < total; n++) b->blocks.mean[n] /= b->blocks.count[n];
}

// Adds the layers of a level in turn, from the top down, each in two pieces where it has two rows.
static int add_layers(struct volume_tiler *tiler, const struct blocks *b, struct failure *failure) {
    int status = VIRGA_OK;
    for (size_t k = b->n[2]; k-- > 0 && !status;)
        for (size_t part = 0; part < 2 && !status; part++) {
            const size_t half = b->n[1] / 2, y0 = part ? half : 0, rows = part ? b->n[1] - half : half, at = (k * b->n[1] + y0) * b->n[0];
            const struct field_box box = {0, y0, k, b->n[0], rows, 1};
            const struct field_blocks blocks = {b->blocks.mean + at, b->blocks.least + at, b->blocks.most + at, b->blocks.count + at};
            if (rows) status = volume_tiler_add_blocks(tiler, &box, &blocks, failure);
        }
    return status;
}

struct coarse { struct step_volume *volume; struct step_table *table; };

static int coarse_make(const struct made *m, uint32_t level, const char *spool, struct coarse *coarse, struct failure *failure) {
    struct step_volume *volume;
    struct blocks b;
    assert_int_equal(step_volume_new(&m->shape, level, spool, &volume, failure), VIRGA_OK);
    struct volume_tiler *tiler = volume_tiler_new(&m->lattice, volume, TABLE_OF_BOUNDS);
    assert_non_null(tiler);
    int status = VIRGA_OK;
    if (level == 0) {
        double *values = malloc((size_t)m->nx * m->ny * m->nz * sizeof *values);
        memcpy(values, m->values, (size_t)m->nx * m->ny * m->nz * sizeof *values);
        status = volume_tiler_add(tiler, &(struct field_box){0, 0, 0, m->nx, m->ny, m->nz}, values, failure);
        free(values);
    } else {
        blocks_make(&b, m, level);
        status = add_layers(tiler, &b, failure);
        free(b.numbers);
    }
    if (!status) status = volume_tiler_finish(tiler, &coarse->table, &coarse->volume, failure);
    volume_tiler_free(tiler);
    return status;
}

static void coarse_destroy(struct coarse *c) {
    step_volume_free(c->volume);
    step_table_free(c->table);
}

typedef void (*brick_check)(const struct made *m, const struct coarse *c, uint32_t level, const uint32_t at[3], void *user);

static void each_brick(const struct made *m, const struct coarse *c, uint32_t from, brick_check check, void *user) {
    for (uint32_t l = from; l < m->shape.level_count; l++) {
        const struct pyramid_level *level = &m->shape.levels[l];
        for (uint32_t z = 0; z < level->bricks[2]; z++)
            for (uint32_t y = 0; y < level->bricks[1]; y++)
                for (uint32_t x = 0; x < level->bricks[0]; x++) check(m, c, l, (const uint32_t[3]){x, y, z}, user);
    }
}

static int32_t q_mine[BRICK_MAX_VOXELS], q_true[BRICK_MAX_VOXELS];

struct differences { size_t voxels, differ; };

static void check_voxels(const struct made *m, const struct coarse *c, uint32_t level, const uint32_t at[3], void *user) {
    struct differences *d = user;
    const struct step_table_entry *entry = step_table_at(c->table, level, at[0], at[1], at[2]);
    uint32_t size[3];
    assert_int_equal(volume_tiler_brick(c->volume, level, at[0], at[1], at[2], size, q_mine, NULL), VIRGA_OK);
    assert_int_equal(volume_tiler_brick(m->volume, level, at[0], at[1], at[2], size, q_true, NULL), VIRGA_OK);
    for (size_t n = 0; n < (size_t)size[0] * size[1] * size[2]; n++, d->voxels++) {
        assert_int_equal(q_mine[n] == LATTICE_MISSING, q_true[n] == LATTICE_MISSING);
        if (q_mine[n] == LATTICE_MISSING) continue;
        d->differ += q_mine[n] != q_true[n];
        assert_true(labs((long)q_mine[n] - q_true[n]) <= 1);
        assert_true(q_mine[n] >= entry->lowest && q_mine[n] <= entry->highest);
    }
}

static void check_entry(const struct made *m, const struct coarse *c, uint32_t level, const uint32_t at[3], void *user) {
    const struct step_table_entry *bound = step_table_at(c->table, level, at[0], at[1], at[2]), *e = step_table_at(m->table, level, at[0], at[1], at[2]);
    size_t *certain = user;
    if (e->kind != BRICK_MISSING) assert_true(bound->kind != BRICK_MISSING && bound->lowest <= e->lowest && bound->highest >= e->highest);
    if (bound->kind == BRICK_MISSING) assert_int_equal(e->kind, BRICK_MISSING);
    if (bound->kind == BRICK_CONSTANT) assert_true(e->kind == BRICK_CONSTANT && e->lowest == bound->lowest && bound->highest == bound->lowest);
    if (bound->kind == BRICK_FULL) assert_true(e->kind == BRICK_FULL || e->kind == BRICK_CONSTANT);
    certain[bound->kind]++;
}

static void expect_same_table(const struct step_table *a, const struct step_table *b) {
    struct shared_bytes *bytes[2];
    assert_int_equal(step_table_encode(a, &bytes[0]), VIRGA_OK);
    assert_int_equal(step_table_encode(b, &bytes[1]), VIRGA_OK);
    assert_int_equal(bytes[0]->size, bytes[1]->size);
    assert_memory_equal(bytes[0]->data, bytes[1]->data, bytes[0]->size);
    shared_bytes_unref(bytes[0]);
    shared_bytes_unref(bytes[1]);
}

static void a_table_made_before_bounds_every_level_whichever_it_came_from(void **state) {
    (void)state;
    for (size_t c = 0; c < CASE_COUNT; c++) {
        struct made m;
        struct coarse first, other;
        struct failure failure;
        size_t certain[4] = {0};
        make_case(&m, c, NULL);
        assert_int_equal(coarse_make(&m, m.shape.level_count - 1, NULL, &first, &failure), VIRGA_OK);
        each_brick(&m, &first, 0, check_entry, certain);
        if (CASES[c].f == nothing) assert_true(certain[BRICK_MISSING] > 0 && certain[BRICK_MASKED] == 0);
        if (CASES[c].f == flat) assert_true(certain[BRICK_CONSTANT] > 0 && certain[BRICK_FULL] == 0);
        if (CASES[c].f == weather) assert_true((m.nx == 1 || certain[BRICK_FULL] > 0) && certain[BRICK_MASKED] == 0);
        for (uint32_t level = 0; level + 1 < m.shape.level_count; level++) {
            assert_int_equal(coarse_make(&m, level, NULL, &other, &failure), VIRGA_OK);
            expect_same_table(first.table, other.table);
            coarse_destroy(&other);
        }
        if (!isnan(m.table->lowest)) {
            const double wider[2] = {m.table->lowest - first.table->lowest, first.table->highest - m.table->highest};
            for (int end = 0; end < 2; end++) assert_true(wider[end] >= 0 && wider[end] < 1.001 * m.lattice.step);
        }
        coarse_destroy(&first);
        unmake(&m);
    }
}

static void levels_are_those_of_the_whole_field(void **state) {
    (void)state;
    for (size_t c = 0; c < CASE_COUNT; c++) {
        struct made m;
        struct failure failure;
        make_case(&m, c, NULL);
        for (uint32_t level = 0; level < m.shape.level_count; level++) {
            struct coarse coarse;
            struct differences d = {0};
            assert_int_equal(coarse_make(&m, level, level % 2 ? P_tmpdir : NULL, &coarse, &failure), VIRGA_OK);
            assert_int_equal(step_volume_base(coarse.volume), level);
            each_brick(&m, &coarse, level, check_voxels, &d);
            assert_true(d.differ <= d.voxels / 1000);  // where a mean lies half way
            coarse_destroy(&coarse);
        }
        unmake(&m);
    }
}

// On a lattice that the values have themselves, sums are exact, and so are ties.
static double on_the_lattice(uint32_t x, uint32_t y, uint32_t z) { return (int)((x * 7 + y * 5 + z * 3 + x * y) % 13) * lattice_step(0.05); }

static void on_its_own_lattice_nothing_differs(void **state) {
    (void)state;
    struct made m;
    struct failure failure;
    make(&m, 97, 70, 37, true, 2000, 300, on_the_lattice, 0.05, NULL, (const uint32_t[]){97, 70, 37});
    for (uint32_t level = 0; level < m.shape.level_count; level++) {
        struct coarse coarse;
        struct differences d = {0};
        assert_int_equal(coarse_make(&m, level, NULL, &coarse, &failure), VIRGA_OK);
        each_brick(&m, &coarse, level, check_voxels, &d);
        assert_int_equal(d.differ, 0);
        coarse_destroy(&coarse);
    }
    unmake(&m);
}

static void values_beyond_the_lattice_cannot_be_averaged(void **state) {
    (void)state;
    struct made m;
    struct coarse coarse;
    struct failure failure;
    make(&m, 97, 70, 37, false, 2000, 300, weather, 0.05, NULL, (const uint32_t[]){97, 70, 37});
    m.values[4711] = 1e20;
    assert_int_equal(coarse_make(&m, m.shape.level_count - 1, NULL, &coarse, &failure), VIRGA_UNSUPPORTED);
    m.values[4711] = 280;
    unmake(&m);
}

static void counts_and_boxes_are_checked(void **state) {
    (void)state;
    struct made m;
    struct blocks b;
    struct step_volume *volume;
    struct failure failure;
    make(&m, 97, 70, 37, false, 2000, 300, weather, 0.05, NULL, (const uint32_t[]){97, 70, 37});
    blocks_make(&b, &m, 1);
    assert_int_equal(step_volume_new(&m.shape, 1, NULL, &volume, &failure), VIRGA_OK);
    struct volume_tiler *tiler = volume_tiler_new(&m.lattice, volume, TABLE_OF_BOUNDS);
    const struct field_box whole = {0, 0, 0, b.n[0], b.n[1], b.n[2]}, outside = {1, 0, 0, b.n[0], b.n[1], b.n[2]};
    assert_int_equal(volume_tiler_add_blocks(tiler, &outside, &b.blocks, &failure), VIRGA_INTERNAL);
    assert_int_equal(volume_tiler_add(tiler, &whole, b.blocks.mean, &failure), VIRGA_INTERNAL);  // values, where blocks belong
    b.blocks.count[5] = 1e6;
    assert_int_equal(volume_tiler_add_blocks(tiler, &whole, &b.blocks, &failure), VIRGA_UNSUPPORTED);
    b.blocks.count[5] = NAN;
    assert_int_equal(volume_tiler_add_blocks(tiler, &whole, &b.blocks, &failure), VIRGA_UNSUPPORTED);
    volume_tiler_free(tiler);
    free(b.numbers);
    unmake(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_made_before_bounds_every_level_whichever_it_came_from),
        cmocka_unit_test(levels_are_those_of_the_whole_field),
        cmocka_unit_test(on_its_own_lattice_nothing_differs),
        cmocka_unit_test(values_beyond_the_lattice_cannot_be_averaged),
        cmocka_unit_test(counts_and_boxes_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
