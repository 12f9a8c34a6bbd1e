// SPDX-License-Identifier: Apache-2.0
// Catalogs that are made from the one before: what did not change is not opened again, and what is not whole does not count.
#include "made_forecast.h"

static struct catalog *open_again(const char *name, struct catalog *previous, struct catalog_options options) {
    struct catalog *catalog = NULL;
    struct failure failure = {0};
    const char *path = made_path(name);
    options.previous = previous;
    if (catalog_open(made_pool, &path, 1, &options, &catalog, &failure)) fail_msg("%s", failure.message);
    return catalog;
}

static void only_what_changed_is_opened_again(void **state) {
    (void)state;
    make_subfolder("again");
    struct wanted_file a = t_file("again/a.nc", 0, 0, 3), b = t_file("again/b.nc", 0, 3, 3), c = t_file("again/c.nc", 6, 6, 6);
    a.terrain = true;
    write_file(&a), write_file(&b);
    struct catalog *first = open_again("again", NULL, (struct catalog_options){0});
    assert_int_equal(first->opened_count, 2);
    assert_int_equal(first->file_count, 2);
    write_file(&c);
    struct catalog *second = open_again("again", first, (struct catalog_options){0});
    assert_int_equal(second->opened_count, 1);
    assert_int_equal(second->datasets[0].run_count, 2);
    assert_int_equal(second->datasets[0].latest, 1);
    assert_string_equal(second->datasets[0].id, first->datasets[0].id);
    assert_string_equal(second->datasets[0].runs[0].series[0].edition, first->datasets[0].runs[0].series[0].edition);
    assert_int_equal(first->datasets[0].run_count, 1);  // the old one stays as it was, and readable
    catalog_unref(first);
    double value = 0;
    struct field_ref field = {.dataset = &second->datasets[0], .variable = 0, .step = 4};
    assert_int_equal(field_read(&field, &(struct field_box){0, 0, 0, 1, 1, 1}, &value, NULL), VIRGA_OK);
    struct catalog *third = open_again("again", second, (struct catalog_options){0});
    assert_int_equal(third->opened_count, 0);
    b.times = 4;
    write_file(&b);  // replaced: another number of steps
    assert_int_equal(remove(made_path("again/c.nc")), 0);
    struct catalog *fourth = open_again("again", third, (struct catalog_options){0});
    assert_int_equal(fourth->opened_count, 1);
    assert_int_equal(fourth->datasets[0].run_count, 1);
    assert_int_equal(fourth->datasets[0].runs[0].series[0].time_count, 7);
    assert_string_not_equal(fourth->datasets[0].runs[0].series[0].edition, third->datasets[0].runs[0].series[0].edition);
    catalog_unref(second), catalog_unref(third), catalog_unref(fourth);
}

static void what_could_not_be_read_is_tried_again_when_it_changed(void **state) {
    (void)state;
    make_subfolder("broken");
    struct wanted_file a = t_file("broken/a.nc", 0, 0, 3), b = t_file("broken/b.nc", 0, 3, 3);
    write_file(&a);
    FILE *out = fopen(made_path("broken/b.nc"), "w");
    fputs("CDF", out);
    fclose(out);
    struct catalog *first = open_again("broken", NULL, (struct catalog_options){0});
    assert_int_equal(first->problem_count, 1);
    struct catalog *second = open_again("broken", first, (struct catalog_options){0});
    assert_int_equal(second->opened_count, 0);
    assert_int_equal(second->problem_count, 1);
    assert_string_equal(second->problems[0].reason, first->problems[0].reason);
    write_file(&b);
    struct catalog *third = open_again("broken", second, (struct catalog_options){0});
    assert_int_equal(third->opened_count, 1);
    assert_int_equal(third->problem_count, 0);
    assert_int_equal(third->datasets[0].runs[0].series[0].time_count, 6);
    catalog_unref(first), catalog_unref(second), catalog_unref(third);
}

static bool is_not_b(void *context, const char *path, const struct source_identity *identity) {
    (void)context;
    assert_true(identity->inode != 0);
    return !strstr(path, "b.nc");
}

static void a_file_that_is_being_written_does_not_count(void **state) {
    (void)state;
    make_subfolder("writing");
    struct wanted_file a = t_file("writing/a.nc", 0, 0, 3), b = t_file("writing/b.nc", 0, 3, 3);
    write_file(&a), write_file(&b);
    struct catalog *whole = open_again("writing", NULL, (struct catalog_options){0});
    struct catalog *without = open_again("writing", NULL, (struct catalog_options){.is_whole = is_not_b});
    assert_int_equal(without->datasets[0].runs[0].series[0].time_count, 3);
    assert_int_equal(without->problem_count, 0);
    assert_int_equal(without->file_count, 1);
    struct catalog *again = open_again("writing", without, (struct catalog_options){0});
    assert_int_equal(again->opened_count, 1);
    assert_int_equal(again->datasets[0].runs[0].series[0].time_count, 6);
    assert_string_equal(again->datasets[0].runs[0].series[0].edition, whole->datasets[0].runs[0].series[0].edition);
    catalog_unref(whole), catalog_unref(without), catalog_unref(again);
}

static void nothing_may_be_allowed(void **state) {
    (void)state;
    make_subfolder("nothing");
    struct catalog *empty = open_again("nothing", NULL, (struct catalog_options){.allow_nothing = true});
    assert_int_equal(empty->dataset_count, 0);
    assert_int_equal(empty->problem_count, 1);
    assert_int_equal(rmdir(made_path("nothing")), 0);
    struct catalog *gone = open_again("nothing", empty, (struct catalog_options){.allow_nothing = true});
    assert_int_equal(gone->dataset_count, 0);
    assert_int_equal(gone->problem_count, 1);
    catalog_unref(empty), catalog_unref(gone);
}

static void files_under_temporary_names_are_passed_over(void **state) {
    (void)state;
    make_subfolder("temporary");
    struct wanted_file a = t_file("temporary/a.nc", 0, 0, 3), b = t_file("temporary/b.nc.part", 0, 3, 3), c = t_file("temporary/.c.nc", 0, 6, 3);
    write_file(&a), write_file(&b), write_file(&c);
    struct catalog *catalog = made_open("temporary");
    assert_int_equal(catalog->datasets[0].runs[0].series[0].time_count, 3);
    assert_int_equal(catalog->file_count, 1);
    catalog_unref(catalog);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_changed_is_opened_again),
        cmocka_unit_test(what_could_not_be_read_is_tried_again_when_it_changed),
        cmocka_unit_test(a_file_that_is_being_written_does_not_count),
        cmocka_unit_test(nothing_may_be_allowed),
        cmocka_unit_test(files_under_temporary_names_are_passed_over),
    };
    return cmocka_run_group_tests(tests, made_begin, made_end);
}
