// SPDX-License-Identifier: Apache-2.0
#include "field/catalog_members.h"

#include <stdlib.h>
#include <string.h>

enum { MEMBERS_MAX = 4096 };

static int by_label(const void *a, const void *b) {
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;
    char *x_end, *y_end;
    double p = strtod(x, &x_end), q = strtod(y, &y_end);
    bool numbers = *x && *y && !*x_end && !*y_end;
    if (numbers && p != q) return p < q ? -1 : 1;
    return strverscmp(x, y);  // r2i1p1f1 before r10i1p1f1
}

static bool same_members(const struct cf_variable *a, const struct cf_variable *b) {
    if (a->member_count != b->member_count) return false;
    for (size_t m = 0; m < a->member_count; m++)
        if (strcmp(a->members[m], b->members[m]) != 0) return false;
    return true;
}

// Most pieces bring the members of the first again.
int member_list_add(struct member_list *list, const struct cf_variable *piece) {
    if (!list->first) list->first = piece;
    else if (same_members(list->first, piece)) return VIRGA_OK;
    else list->apart = true;
    const char **grown = realloc(list->labels, (list->count + piece->member_count) * sizeof *grown);
    if (!grown) return VIRGA_NO_MEMORY;
    list->labels = grown;
    for (size_t m = 0; m < piece->member_count; m++) list->labels[list->count++] = piece->members[m];
    return VIRGA_OK;
}

void member_list_sort(struct member_list *list) {
    if (!list->apart) return;  // the file's own order
    size_t unique = 0;
    qsort(list->labels, list->count, sizeof *list->labels, by_label);
    for (size_t n = 0; n < list->count; n++)
        if (unique == 0 || strcmp(list->labels[unique - 1], list->labels[n]) != 0) list->labels[unique++] = list->labels[n];
    list->count = unique < MEMBERS_MAX ? unique : MEMBERS_MAX;
}

size_t member_list_find(const struct member_list *list, const char *label) {
    const char **found = bsearch(&label, list->labels, list->count, sizeof *list->labels, by_label);
    return found ? (size_t)(found - list->labels) : list->count;
}

void member_list_destroy(struct member_list *list) { free(list->labels); }
