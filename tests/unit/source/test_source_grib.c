// SPDX-License-Identifier: Apache-2.0
// GRIB files as the reader child lists and reads them, and the index that it asks to be kept. Files are made byte by byte.
#include "source_fixture.h"

#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>
#include <xxhash.h>

#include "grib_maker.h"
#include "source/source_index.h"

static struct source_pool *pool, *keeping;  // the second keeps indexes
static struct made_bytes made;
static char index_folder[512];

static void keeping_anew(void) {
    struct source_limits limits;
    source_limits_default(&limits);
    limits.readers = 1;
    limits.index_folder = index_folder;
    source_pool_free(keeping);
    assert_int_equal(VIRGA_OK, source_pool_new(VIRGA_READER, &limits, &keeping, NULL));
}

static int setup(void **state) {
    if (fixture_setup(state)) return -1;
    pool = fixture_pool(2, 60);
    snprintf(index_folder, sizeof index_folder, "%s", fixture_path("index"));
    keeping_anew();
    return 0;
}

static int teardown(void **state) {
    source_pool_free(pool);
    source_pool_free(keeping);
    return fixture_teardown(state);
}

static const char *write_made(const char *name) {
    static char path[512];
    snprintf(path, sizeof path, "%s", fixture_path(name));
    fixture_write(path, made.data, made.size);
    return path;
}

static const char *text_of(const struct source *source, const char *variable, const char *attribute) {
    const struct source_variable *v = source_find_variable(source, variable);
    if (!v) fail_msg("no variable %s", variable);
    const struct source_attribute *a = source_find_attribute(v->attributes, v->attribute_count, attribute);
    return a && a->text ? a->text : "";
}

static void numbers_of(struct source *source, const char *variable, double *out, size_t expected) {
    struct source_slab_request request = fixture_whole(source, variable);
    struct source_slab slab = fixture_slab(source, &request);
    assert_int_equal(SOURCE_F64, slab.type);
    assert_int_equal(expected, slab.elements);
    memcpy(out, slab.data, expected * sizeof *out);
    source_slab_release(&slab);
}

static bool noted(const struct source *source, const char *words) {
    const struct source_inventory *all = source_inventory(source);
    for (size_t n = 0; n < all->note_count; n++)
        if (strstr(all->notes[n], words)) return true;
    return false;
}

// --- what is listed ------------------------------------------------------------------------------------------------------

// Two runs, two steps, two members, three levels; one of the 24 fields is not there.
enum { RUNS = 2, STEPS = 2, MEMBERS = 2, LEVELS = 3, ABSENT = 17 };
static const double pressures[LEVELS] = {85000, 50000, 1000};

static double base_of(int run, int step, int member, int level) { return 1000 * (1 + run * 12 + step * 6 + member * 3 + level); }

static const char *make_cube(void) {
    made.size = 0;
    for (int n = 0; n < RUNS * STEPS * MEMBERS * LEVELS; n++) {
        struct made_field f = MADE_FIELD;
        int level = n % LEVELS, member = n / LEVELS % MEMBERS, step = n / LEVELS / MEMBERS % STEPS, run = n / LEVELS / MEMBERS / STEPS;
        f.level_type = 100, f.level = pressures[level], f.member = member, f.lead = 6 * step, f.hour = 12 * run;
        f.base = base_of(run, step, member, level);
        f.mode = n % 4 << 6;  // rows and columns from either end
        if (n != ABSENT) made_message(&made, &f);
    }
    return write_made("cube.grib2");
}

static void fields_make_one_hypercube(void **state) {
    (void)state;
    struct source *source = fixture_open(pool, make_cube());
    const struct source_inventory *all = source_inventory(source);
    const struct source_variable *t = source_find_variable(source, "t");
    assert_string_equal("GRIB 2", all->format);
    assert_int_equal(0, all->note_count);
    assert_non_null(t);
    assert_int_equal(5, t->rank);
    static const struct { const char *name; size_t length; } dimensions[] = {{"time", 4}, {"number", 2}, {"isobaricInhPa", 3}, {"latitude", 4}, {"longitude", 6}};
    for (int d = 0; d < 5; d++) {
        assert_string_equal(dimensions[d].name, all->dimensions[t->dimensions[d]].name);
        assert_int_equal(dimensions[d].length, all->dimensions[t->dimensions[d]].length);
        assert_int_equal(d < 3 ? 1 : dimensions[d].length, t->chunk[d]);
    }
    assert_int_equal(SOURCE_F32, t->type);
    assert_string_equal("air_temperature", text_of(source, "t", "standard_name"));
    assert_string_equal("K", text_of(source, "t", "units"));
    assert_string_equal("t", text_of(source, "t", "GRIB_shortName"));
    assert_string_equal("realization", text_of(source, "number", "standard_name"));
    assert_string_equal("air_pressure", text_of(source, "isobaricInhPa", "standard_name"));
    assert_string_equal("hPa", text_of(source, "isobaricInhPa", "units"));
    assert_string_equal("latitude_longitude", text_of(source, text_of(source, "t", "grid_mapping"), "grid_mapping_name"));
    double levels[3], times[4], runs[4], latitudes[4], longitudes[6];
    numbers_of(source, "isobaricInhPa", levels, 3);
    assert_true(levels[0] == 10 && levels[1] == 500 && levels[2] == 850);
    numbers_of(source, "time", times, 4);
    numbers_of(source, "forecast_reference_time", runs, 4);
    assert_true(times[0] == 1769817600 && times[1] - times[0] == 21600 && runs[1] == runs[0] && runs[2] - runs[0] == 43200 && times[3] - runs[3] == 21600);
    numbers_of(source, "latitude", latitudes, 4);
    numbers_of(source, "longitude", longitudes, 6);
    assert_true(latitudes[0] == -20 && latitudes[3] == 10 && longitudes[0] == 0 && longitudes[5] == 50);
    source_unref(source);
}

// The number that stands at a place of the cube; levels are listed from low pressure to high.
static double cube_value(const size_t at[5]) {
    int run = (int)at[0] / STEPS, step = (int)at[0] % STEPS, level = LEVELS - 1 - (int)at[2];
    if (((run * STEPS + step) * MEMBERS + (int)at[1]) * LEVELS + level == ABSENT) return NAN;
    return base_of(run, step, (int)at[1], level) + (double)at[4] + 100 * (double)at[3];
}

static void slabs_hold_the_stored_numbers_and_nan_where_a_message_is_absent(void **state) {
    (void)state;
    struct source *source = fixture_open(pool, make_cube());
    static const size_t starts[][5] = {{0, 0, 0, 0, 0}, {1, 1, 1, 2, 3}, {3, 0, 0, 0, 5}}, counts[][5] = {{4, 2, 3, 4, 6}, {2, 1, 2, 1, 2}, {1, 2, 3, 4, 1}};
    for (int n = 0; n < 3; n++) {
        struct source_slab_request request = fixture_whole(source, "t");
        memcpy(request.start, starts[n], sizeof starts[n]);
        memcpy(request.count, counts[n], sizeof counts[n]);
        struct source_slab slab = fixture_slab(source, &request);
        const float *found = slab.data;
        size_t at[5], i[5] = {0};
        for (size_t e = 0; e < slab.elements; e++) {
            for (int d = 0; d < 5; d++) at[d] = starts[n][d] + i[d];
            double expected = cube_value(at);
            assert_true(isnan(expected) ? isnan(found[e]) : found[e] == (float)expected);
            for (int d = 4; d >= 0 && ++i[d] == counts[n][d]; d--) i[d] = 0;
        }
        source_slab_release(&slab);
    }
    source_unref(source);
}

static void means_and_strides_leave_out_what_is_absent(void **state) {
    (void)state;
    struct source *source = fixture_open(pool, make_cube());
    struct source_slab_request request = fixture_whole(source, "t");
    request.reduction = REDUCE_MEAN;
    request.block[2] = 3, request.block[3] = 2, request.block[4] = 6;
    struct source_slab slab = fixture_slab(source, &request);
    const double *mean = slab.data, *present = mean + 3 * slab.elements;
    assert_int_equal(4 * 2 * 2, slab.elements);
    for (size_t e = 0; e < slab.elements; e++) {
        double sum = 0, count = 0;
        for (size_t k = 0; k < 3 * 2 * 6; k++) {
            double v = cube_value((size_t[]){e / 4, e / 2 % 2, k / 12, e % 2 * 2 + k / 6 % 2, k % 6});
            if (!isnan(v)) sum += v, count++;
        }
        assert_true(present[e] == count && fabs(mean[e] - sum / count) < 1e-6);
    }
    source_slab_release(&slab);
    request.reduction = REDUCE_STRIDE;
    slab = fixture_slab(source, &request);
    for (size_t e = 0; e < slab.elements; e++) {
        double expected = cube_value((size_t[]){e / 4, e / 2 % 2, 0, e % 2 * 2, 0});
        assert_true(isnan(expected) ? isnan(((const float *)slab.data)[e]) : ((const float *)slab.data)[e] == (float)expected);
    }
    source_slab_release(&slab);
    source_unref(source);
}

static void hybrid_levels_have_their_own_coefficients(void **state) {
    (void)state;
    static const int levels[] = {9, 2, 5};  // of 9
    made.size = 0;
    for (int n = 0; n < 4; n++) {
        struct made_field f = MADE_FIELD;
        f.level_type = 105, f.pv = 20, f.level = n < 3 ? levels[n] : 1;
        if (n == 3) f.category = 3, f.number = 25;  // logarithm of surface pressure
        made_message(&made, &f);
    }
    struct source *source = fixture_open(pool, write_made("hybrid.grib2"));
    double number[3], ap[3], b[3], ap_bounds[6], b_bounds[6];
    assert_string_equal("atmosphere_hybrid_sigma_pressure_coordinate", text_of(source, "hybrid", "standard_name"));
    assert_string_equal("ap: ap b: b ps: lnsp", text_of(source, "hybrid", "formula_terms"));
    assert_int_equal(3, source_find_variable(source, "lnsp")->rank);
    numbers_of(source, "hybrid", number, 3);
    numbers_of(source, "ap", ap, 3);
    numbers_of(source, "b", b, 3);
    numbers_of(source, text_of(source, "ap", "bounds"), ap_bounds, 6);
    numbers_of(source, text_of(source, "b", "bounds"), b_bounds, 6);
    assert_true(number[0] == 2 && number[1] == 5 && number[2] == 9);
    for (int k = 0; k < 3; k++) {
        double low = number[k] / 9, high = (number[k] - 1) / 9;  // eta below and above
        assert_true(fabs(b_bounds[2 * k] - high * high) < 1e-6 && fabs(b_bounds[2 * k + 1] - low * low) < 1e-6);
        assert_true(fabs(ap_bounds[2 * k + 1] - 40000 * low * (1 - low)) < 0.01);
        assert_true(fabs(b[k] - (b_bounds[2 * k] + b_bounds[2 * k + 1]) / 2) < 1e-12 && fabs(ap[k] - (ap_bounds[2 * k] + ap_bounds[2 * k + 1]) / 2) < 1e-9);
    }
    source_unref(source);
}

static void levels_of_many_types_have_names_of_their_own(void **state) {
    (void)state;
    static const struct { int type, second; double level, other; const char *name; } levels[] = {
        {103, 255, 80, 0, "t_heightAboveGround"}, {100, 255, 50000, 0, "t"}, {1, 255, 0, 0, "t_surface"}, {106, 106, 0, 0.1, "t_depthBelowLandLayer_0-0.1"},
        {106, 106, 0.1, 0.4, "t_depthBelowLandLayer_0.1-0.4"}, {102, 255, 1500, 0, "t_heightAboveSea"}, {7, 255, 0, 0, "t_tropopause"}};
    made.size = 0;
    for (int n = 0; n < 7; n++) {
        struct made_field f = MADE_FIELD;
        f.level_type = levels[n].type, f.level = levels[n].level, f.second_type = levels[n].second, f.second = levels[n].other, f.base = 10000 * (n + 1);
        made_message(&made, &f);
    }
    struct source *source = fixture_open(pool, write_made("levels.grib2"));
    for (int n = 0; n < 7; n++) {
        struct source_slab_request request = fixture_whole(source, levels[n].name);
        struct source_slab slab = fixture_slab(source, &request);
        assert_true(slab.elements == 24 && ((const float *)slab.data)[7] == (float)(10000 * (n + 1) + 101));
        source_slab_release(&slab);
    }
    assert_non_null(strstr(text_of(source, "t", "coordinates"), "isobaricInhPa_500"));
    assert_string_equal("altitude", text_of(source, "heightAboveSea_1500", "standard_name"));
    assert_string_equal("height", text_of(source, "heightAboveGround_80", "standard_name"));
    source_unref(source);
}

static void holes_and_constant_fields(void **state) {
    (void)state;
    struct made_field f = MADE_FIELD, constant = MADE_FIELD;
    made.size = 0;
    f.hole = 7;
    constant.bits = 0, constant.lead = 1, constant.base = 42;
    made_message(&made, &f);
    made_message(&made, &constant);
    struct source *source = fixture_open(pool, write_made("holes.grib2"));
    struct source_slab_request request = fixture_whole(source, "t2m");
    struct source_slab slab = fixture_slab(source, &request);
    const float *found = slab.data;
    assert_int_equal(48, slab.elements);
    for (int n = 0; n < 24; n++) {
        assert_true(n == 7 ? isnan(found[n]) : found[n] == (float)made_value(&f, n % 6, n / 6));
        assert_true(found[24 + n] == 42);
    }
    source_slab_release(&slab);
    source_unref(source);
}

// --- what is broken ------------------------------------------------------------------------------------------------------

static void a_grid_that_is_larger_than_its_message_is_left_out(void **state) {
    (void)state;
    struct made_field f = MADE_FIELD, huge = MADE_FIELD;
    made.size = 0;
    made_message(&made, &f);
    size_t second = made.size;
    huge.level_type = 1, huge.bits = 0;
    made_message(&made, &huge);
    made_patch(&made, second + 16 + 21 + 6, 32000u * 32000u, 4);  // points, Ni, Nj
    made_patch(&made, second + 16 + 21 + 30, 32000, 4);
    made_patch(&made, second + 16 + 21 + 34, 32000, 4);
    struct source *source = fixture_open(pool, write_made("huge.grib2"));
    assert_true(noted(source, "larger than a reader may hold"));
    assert_non_null(source_find_variable(source, "t2m"));
    assert_null(source_find_variable(source, "t"));
    source_unref(source);
}

static void numbers_that_are_not_there_are_an_error(void **state) {
    (void)state;
    struct made_field f = MADE_FIELD;
    struct failure failure;
    struct source_slab slab;
    made.size = 0;
    made_message(&made, &f);
    made_patch(&made, 16 + 21 + 72 + 34 + 19, 24, 1);  // bits of a number, where 16 are stored
    struct source *source = fixture_open(pool, write_made("short.grib2"));
    struct source_slab_request request = fixture_whole(source, "t2m");
    assert_int_equal(VIRGA_UNREADABLE, source_read(source, &request, &slab, &failure));
    assert_non_null(strstr(failure.message, "fewer numbers"));
    source_unref(source);
}

// Wherever a file ends, the messages before it are read.
static void a_cut_file_keeps_its_whole_messages(void **state) {
    (void)state;
    made.size = 0;
    for (int n = 0; n < 3; n++) {
        struct made_field f = MADE_FIELD;
        f.lead = n;
        made_message(&made, &f);
    }
    size_t whole = made.size, one = whole / 3;
    for (size_t cut = one; cut < whole; cut += 1 + (cut % one > 40) * 12) {
        const char *path = fixture_path("cut.grib2");
        fixture_write(path, made.data, cut);
        struct source *source = fixture_open(pool, path);
        const struct source_variable *v = source_find_variable(source, "t2m");
        assert_non_null(v);
        assert_int_equal(cut / one, source_inventory(source)->dimensions[v->dimensions[0]].length);
        assert_int_equal(cut % one >= 8, noted(source, "cut off"));
        source_unref(source);
    }
}

// A changed byte is read as something else, refused or left out; the reader does not end by it.
static void changed_bytes_are_survived(void **state) {
    (void)state;
    struct made_field f = MADE_FIELD, g = MADE_FIELD;
    made.size = 0;
    g.level_type = 105, g.level = 2, g.pv = 20, g.lead = 3;
    made_message(&made, &f);
    made_message(&made, &g);
    uint32_t noise = 12345;
    int gone = 0;
    for (int n = 0; n < 100; n++) {
        struct failure failure;
        struct source *source;
        noise = noise * 1664525u + 1013904223u;
        size_t at = (noise >> 8) % made.size;
        uint8_t before = made.data[at];
        made.data[at] ^= (uint8_t)(1u << (noise >> 29));
        int status = source_open(pool, write_made("changed.grib2"), &source, &failure);
        made.data[at] = before;
        gone += status == VIRGA_GONE || status == VIRGA_TIMED_OUT;
        const struct source_inventory *all = status ? NULL : source_inventory(source);
        for (size_t v = 0; all && v < all->variable_count; v++) {
            struct source_slab slab;
            struct source_slab_request request = fixture_whole(source, all->variables[v].name);
            status = source_read(source, &request, &slab, &failure);
            gone += status == VIRGA_GONE || status == VIRGA_TIMED_OUT;
            if (!status) source_slab_release(&slab);
        }
        if (all) source_unref(source);
    }
    assert_int_equal(0, gone);
}

// --- the index -----------------------------------------------------------------------------------------------------------

static char kept_path[512];

static int find_kept(const char *path, const struct stat *s, int kind, struct FTW *at) {
    (void)kind;
    if (S_ISREG(s->st_mode) && at->level == 1) snprintf(kept_path, sizeof kept_path, "%s", path);
    return 0;
}

// The one file in the index folder.
static const char *kept_index(void) {
    kept_path[0] = 0;
    nftw(index_folder, find_kept, 4, FTW_PHYS);
    assert_true(kept_path[0]);
    return kept_path;
}

static void forget_indexes(void) {
    if (!access(index_folder, F_OK)) own_folder_remove(index_folder);
}

// By a new child: what one has open it needs no index for.
static struct source *open_anew(const char *path) {
    keeping_anew();
    return fixture_open(keeping, path);
}

// The same device, inode, size and time with other bytes in it.
static void overwrite_unseen(const char *path, size_t at, const void *bytes, size_t size) {
    struct stat s;
    int fd = open(path, O_WRONLY);
    assert_true(fd >= 0 && !fstat(fd, &s));
    assert_int_equal(size, pwrite(fd, bytes, size, (off_t)at));
    assert_int_equal(0, futimens(fd, (struct timespec[]){s.st_atim, s.st_mtim}));
    close(fd);
}

static void a_second_opening_does_not_scan(void **state) {
    (void)state;
    forget_indexes();
    const char *path = make_cube();
    source_unref(open_anew(path));
    kept_index();
    // A scan would now find one field: all messages but the first begin with other letters.
    for (size_t at = 4; at + 4 < made.size; at++)
        if (!memcmp(made.data + at, "GRIB", 4)) overwrite_unseen(path, at, "BIRG", 4);
    struct source *source = open_anew(path);
    assert_int_equal(5, source_find_variable(source, "t")->rank);
    source_unref(source);
}

static void an_index_of_a_changed_file_is_not_used(void **state) {
    (void)state;
    forget_indexes();
    const char *path = make_cube();
    source_unref(open_anew(path));
    struct made_field f = MADE_FIELD;
    made.size = 0;
    made_message(&made, &f);
    fixture_write(path, made.data, made.size);
    struct source *source = open_anew(path);
    assert_null(source_find_variable(source, "t"));
    assert_non_null(source_find_variable(source, "t2m"));
    source_unref(source);
}

static void check_cube_is_listed(const char *path) {
    struct source *source = open_anew(path);
    const struct source_variable *t = source_find_variable(source, "t");
    assert_true(t && t->rank == 5);
    struct source_slab_request request = fixture_whole(source, "t");
    struct source_slab slab = fixture_slab(source, &request);
    assert_true(((const float *)slab.data)[0] == (float)cube_value((size_t[5]){0}));
    source_slab_release(&slab);
    source_unref(source);
}

static void a_damaged_index_is_made_again(void **state) {
    (void)state;
    forget_indexes();
    const char *path = make_cube();
    source_unref(open_anew(path));
    size_t size, again;
    uint8_t *good = fixture_read(kept_index(), &size);
    for (int n = 0; n < 6; n++) {
        size_t at = size * (size_t)n / 6 + (size_t)n, length = n == 5 ? size / 2 : size;
        good[at] ^= 0x40;
        fixture_write(kept_index(), good, length);
        good[at] ^= 0x40;
        check_cube_is_listed(path);
        uint8_t *kept = fixture_read(kept_index(), &again);
        assert_true(again == size && !memcmp(kept, good, size));
        free(kept);
    }
    free(good);
}

// One whose sum is right and whose numbers are not: it may say anything, and the reader goes on.
static void an_index_that_lies_does_no_harm(void **state) {
    (void)state;
    forget_indexes();
    const char *path = make_cube();
    source_unref(open_anew(path));
    size_t size;
    uint8_t *good = fixture_read(kept_index(), &size), *bad = malloc(size);
    uint32_t noise = 99;
    int gone = 0;
    for (int n = 0; n < 24; n++) {
        struct failure failure;
        struct source *source;
        memcpy(bad, good, size);
        for (int k = 0; k < 1 + n % 4; k++) {
            noise = noise * 1664525u + 1013904223u;
            bad[16 + (noise >> 8) % (size - 16)] ^= (uint8_t)(noise >> 3);
        }
        uint64_t sum = XXH3_64bits(bad + 16, size - 16);
        for (int i = 0; i < 8; i++) bad[8 + i] = (uint8_t)(sum >> (8 * i));
        fixture_write(kept_index(), bad, size);
        keeping_anew();
        int status = source_open(keeping, path, &source, &failure);
        gone += status == VIRGA_GONE || status == VIRGA_TIMED_OUT;
        if (status) continue;
        const struct source_inventory *all = source_inventory(source);
        for (size_t v = 0; v < all->variable_count; v++) {
            struct source_slab slab;
            struct source_slab_request request = fixture_whole(source, all->variables[v].name);
            status = source_read(source, &request, &slab, &failure);
            gone += status == VIRGA_GONE || status == VIRGA_TIMED_OUT;
            if (!status) source_slab_release(&slab);
        }
        source_unref(source);
    }
    assert_int_equal(0, gone);
    free(good);
    free(bad);
}

static void the_folder_of_indexes_stays_within_its_bytes(void **state) {
    (void)state;
    forget_indexes();
    char bytes[1000] = "index";
    const char *folder = index_folder;
    for (uint64_t n = 0; n < 20; n++) {
        struct source_identity identity = {1, n, 3, 4};
        assert_int_equal(VIRGA_OK, source_index_keep(folder, &identity, bytes, sizeof bytes, 5000));
        struct source_identity first = {1, 0, 3, 4};
        int fd;
        assert_int_equal(VIRGA_OK, source_index_open(folder, &first, &fd));  // used all the time, so it stays
        close(fd);
        usleep(2000);  // times of files are not finer
    }
    int kept = 0, fd;
    for (uint64_t n = 0; n < 20; n++) {
        struct source_identity identity = {1, n, 3, 4};
        int status = source_index_open(folder, &identity, &fd);
        kept += status == VIRGA_OK;
        if (!status) close(fd);
        if (n == 0 || n == 19) assert_int_equal(VIRGA_OK, status);
    }
    assert_int_equal(5, kept);
    assert_int_equal(VIRGA_NOT_FOUND, source_index_open(NULL, &(struct source_identity){1, 19, 3, 4}, &fd));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_make_one_hypercube),
        cmocka_unit_test(slabs_hold_the_stored_numbers_and_nan_where_a_message_is_absent),
        cmocka_unit_test(means_and_strides_leave_out_what_is_absent),
        cmocka_unit_test(hybrid_levels_have_their_own_coefficients),
        cmocka_unit_test(levels_of_many_types_have_names_of_their_own),
        cmocka_unit_test(holes_and_constant_fields),
        cmocka_unit_test(a_grid_that_is_larger_than_its_message_is_left_out),
        cmocka_unit_test(numbers_that_are_not_there_are_an_error),
        cmocka_unit_test(a_cut_file_keeps_its_whole_messages),
        cmocka_unit_test(changed_bytes_are_survived),
        cmocka_unit_test(a_second_opening_does_not_scan),
        cmocka_unit_test(an_index_of_a_changed_file_is_not_used),
        cmocka_unit_test(a_damaged_index_is_made_again),
        cmocka_unit_test(an_index_that_lies_does_no_harm),
        cmocka_unit_test(the_folder_of_indexes_stays_within_its_bytes),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
