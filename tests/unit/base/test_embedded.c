// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/embedded.h"

static const struct embedded_file files[] = {{"a.json", "{}"}, {"b.json", "[]"}, {0}};

static void finds_by_name(void **state)
{
    (void)state;
    assert_string_equal(embedded_text(files, "b.json"), "[]");
    assert_null(embedded_text(files, "b"));
    assert_null(embedded_text(&files[2], "a.json"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(finds_by_name)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
