// SPDX-License-Identifier: Apache-2.0
// A dimension that is neither place nor time nor member (soil layers, wavelengths, thresholds) makes a variable of each of its points.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "field/cf_attributes.h"
#include "field/cf_file.h"

enum { SLICES_MAX = 100, SLICES_OF_FILE_MAX = 1000 };

bool cf_may_slice(size_t length) { return length <= SLICES_MAX; }

// The coordinate along a dimension: its own, or one that the variable names. CF_NO_VARIABLE where there is none with numbers.
static int coordinate_of(const struct source *source, const struct source_variable *v, size_t dimension) {
    const struct source_inventory *inventory = source_inventory(source);
    int own = cf_coordinate_variable(source, dimension);
    if (own != CF_NO_VARIABLE && inventory->variables[own].type <= SOURCE_F64) return own;
    const char *at = cf_text_or_empty(v, "coordinates");
    for (int n; (n = cf_next_variable(source, v, &at)) != CF_NO_VARIABLE;) {
        const struct source_variable *c = &inventory->variables[n];
        if (c->rank == 1 && c->dimensions[0] == dimension && c->type <= SOURCE_F64) return n;
    }
    return CF_NO_VARIABLE;
}

// Numbers that name the points, each another; NULL where there are none.
static double *labels_of(struct cf_file *file, int coordinate, size_t count) {
    double *values = NULL;
    size_t n = 0;
    if (coordinate == CF_NO_VARIABLE || cf_file_numbers(file->source, (size_t)coordinate, SLICES_MAX, &values, &n, NULL)) return NULL;
    bool good = n == count;
    for (size_t a = 0; a < count && good; a++) {
        good = isfinite(values[a]);
        for (size_t b = 0; b < a && good; b++) good = values[a] != values[b];
    }
    if (good) return values;
    free(values);
    return NULL;
}

static int name_slice(struct cf_file *file, struct cf_variable *v, const char *dimension, const double *labels, size_t count, const char *units) {
    struct cf_texts texts = cf_variable_texts(file, v);
    const char *called = *texts.long_name ? texts.long_name : texts.name;
    char *name = NULL, *long_name = NULL;
    int status;
    if (labels) {
        status = asprintf(&name, "%s_%s_%.6g", texts.name, dimension, labels[v->extra_index]) < 0 ||
                 asprintf(&long_name, "%s, %s %.6g%s%s", called, dimension, labels[v->extra_index], *units ? " " : "", units) < 0;
    } else {
        status = asprintf(&name, "%s_%s_%zu", texts.name, dimension, v->extra_index + 1) < 0 ||
                 asprintf(&long_name, "%s, %s %zu of %zu", called, dimension, v->extra_index + 1, count) < 0;
    }
    free(v->name);
    free(v->long_name);
    v->name = name, v->long_name = long_name;
    return status ? VIRGA_NO_MEMORY : VIRGA_OK;
}

static size_t slices_of_file(const struct cf_file *file) {
    size_t count = 0;
    for (size_t n = 0; n < file->variable_count; n++) count += file->variables[n].extra >= 0;
    return count;
}

int cf_slices_add(struct cf_file *file, size_t index, struct failure *failure) {
    const struct source_variable *stored = cf_file_variable(file, file->variables[index].index);
    const struct source_dimension *dimension = &source_inventory(file->source)->dimensions[stored->dimensions[file->variables[index].extra]];
    size_t count = dimension->length;
    const char *name = cf_base_name(dimension->name);
    if (slices_of_file(file) + count > SLICES_OF_FILE_MAX)
        return failure_set(failure, VIRGA_TOO_LARGE, "its dimension %.60s of length %zu has no coordinate that says what it is, and the file has too many of this kind to show each point",
                           name, count);
    int coordinate = coordinate_of(file->source, stored, stored->dimensions[file->variables[index].extra]), status = VIRGA_OK;
    double *labels = labels_of(file, coordinate, count);
    const char *units = coordinate == CF_NO_VARIABLE ? "" : cf_text_or_empty(cf_file_variable(file, (size_t)coordinate), "units");
    if (strcmp(units, "1") == 0) units = "";
    for (size_t n = 1; n < count && !status; n++) {
        struct cf_variable *slice = cf_variable_copy(file, index);
        if (!slice) status = VIRGA_NO_MEMORY;
        else slice->extra_index = n, status = name_slice(file, slice, name, labels, count, units);
    }
    if (!status) status = name_slice(file, &file->variables[index], name, labels, count, units);
    free(labels);
    return status;
}
