// SPDX-License-Identifier: Apache-2.0
// Several catalogs as one.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "field/catalog_private.h"

void catalog_joined_free(struct catalog_whole *whole) {
    for (size_t n = 0; n < whole->catalog.dataset_count; n++) free(whole->catalog.datasets[n].id);
    for (size_t n = 0; n < whole->part_count; n++) catalog_unref(whole->parts[n]);
    free(whole->catalog.datasets);
    free(whole->catalog.problems);
    free(whole->parts);
    free(whole);
}

// The id, or where it is taken the first of id_2, id_3, … that is not.
static char *free_id(const struct catalog *catalog, const char *id) {
    char *chosen = strdup(id);
    for (unsigned again = 2; chosen && catalog_find_dataset(catalog, chosen); again++) {
        free(chosen);
        if (asprintf(&chosen, "%s_%u", id, again) < 0) chosen = NULL;
    }
    return chosen;
}

static int add_part(struct catalog_whole *whole, struct catalog *part) {
    struct catalog *joined = &whole->catalog;
    whole->parts[whole->part_count++] = catalog_ref(part);
    for (size_t n = 0; n < part->dataset_count; n++) {
        char *id = free_id(joined, part->datasets[n].id);
        if (!id) return VIRGA_NO_MEMORY;
        joined->datasets[joined->dataset_count] = part->datasets[n];
        joined->datasets[joined->dataset_count++].id = id;
    }
    if (part->problem_count) memcpy(joined->problems + joined->problem_count, part->problems, part->problem_count * sizeof *part->problems);
    joined->problem_count += part->problem_count;
    return VIRGA_OK;
}

int catalog_join(struct catalog *const *parts, size_t count, struct catalog **joined, struct failure *failure) {
    size_t datasets = 0, problems = 0;
    for (size_t n = 0; n < count; n++) datasets += parts[n]->dataset_count, problems += parts[n]->problem_count;
    *joined = NULL;
    struct catalog_whole *whole = calloc(1, sizeof *whole);
    if (!whole) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    atomic_init(&whole->references, 1);
    whole->parts = calloc(count + 1, sizeof *whole->parts);
    whole->catalog.datasets = calloc(datasets + 1, sizeof *whole->catalog.datasets);
    whole->catalog.problems = calloc(problems + 1, sizeof *whole->catalog.problems);
    int status = whole->parts && whole->catalog.datasets && whole->catalog.problems ? VIRGA_OK : VIRGA_NO_MEMORY;
    for (size_t n = 0; !status && n < count; n++) status = add_part(whole, parts[n]);
    if (!status) {
        whole->catalog.fingerprint = catalog_fingerprint(&whole->catalog);
        *joined = &whole->catalog;
        return VIRGA_OK;
    }
    catalog_joined_free(whole);
    return failure_set(failure, status, "out of memory");
}
