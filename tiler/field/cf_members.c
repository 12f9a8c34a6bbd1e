// SPDX-License-Identifier: Apache-2.0
// Which members of an ensemble a variable has, and what they are called: by numbers, by text, or by the head of their file.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "field/cf_attributes.h"
#include "field/cf_file.h"

enum { MEMBERS_MAX = 4096, MEMBER_TEXT_MAX = 64 };

// A member's number that stands alone: named by the variable, or not named by anything (many files' realization).
static int scalar_member(const struct source *source, const struct source_variable *v) {
    const struct source_inventory *inventory = source_inventory(source);
    int named = cf_scalar_with_role(source, v, ROLE_MEMBER);
    for (size_t n = 0; named == CF_NO_VARIABLE && n < inventory->variable_count; n++) {
        const struct source_variable *c = &inventory->variables[n];
        if (c->rank == 0 && c->type <= SOURCE_F64 && cf_text_is(c, "standard_name", "realization") &&
            cf_find_variable(source, v, cf_base_name(c->name), strlen(cf_base_name(c->name))) == (int)n)
            named = (int)n;
    }
    return named;
}

// What climate models' files say in their heads of which member they are: "r3i1p1f1", or its number. "" where they do not.
static void member_of_file(const struct source *source, char label[MEMBER_TEXT_MAX]) {
    static const char *const names[] = {"variant_label", "realization_index", "realization", NULL};
    const struct source_inventory *inventory = source_inventory(source);
    for (size_t n = 0; names[n] && !*label; n++) {
        const struct source_attribute *a = source_find_attribute(inventory->attributes, inventory->attribute_count, names[n]);
        if (a && a->text && strlen(a->text) < MEMBER_TEXT_MAX) snprintf(label, MEMBER_TEXT_MAX, "%s", a->text);
        else if (a && a->numbers && a->count == 1 && isfinite(a->numbers[0])) snprintf(label, MEMBER_TEXT_MAX, "%.10g", a->numbers[0]);
    }
}

// Members that are called by text, "r02i00p00": the variable that holds it, of the dimension (-1: of a single member) or CF_NO_VARIABLE.
static int member_texts(const struct source *source, ptrdiff_t dimension) {
    const struct source_inventory *inventory = source_inventory(source);
    for (size_t n = 0; n < inventory->variable_count; n++) {
        const struct source_variable *c = &inventory->variables[n];
        const bool of_members = cf_text_is(c, "standard_name", "realization") || cf_is_member_name(cf_base_name(c->name));
        if (c->type != SOURCE_CHAR || !of_members) continue;
        if (dimension < 0 ? c->rank == 1 : c->rank == 2 && c->dimensions[0] == (size_t)dimension) return (int)n;
    }
    return CF_NO_VARIABLE;
}

// texts: [members][letters], which the caller frees; NULL where they cannot be read or are too long for labels.
static char *read_member_texts(struct source *source, int variable, size_t members, size_t *letters) {
    const struct source_inventory *inventory = source_inventory(source);
    const struct source_variable *c = &inventory->variables[variable];
    const size_t rows = c->rank == 2 ? inventory->dimensions[c->dimensions[0]].length : 1;
    char *texts;
    *letters = inventory->dimensions[c->dimensions[c->rank - 1]].length;
    if (*letters == 0 || *letters >= MEMBER_TEXT_MAX || rows != members) return NULL;
    return cf_file_letters(source, (size_t)variable, &texts, NULL) ? NULL : texts;
}

// Ends at the first NUL, or the blanks that fill it up.
static void member_text(const char *text, size_t letters, char label[MEMBER_TEXT_MAX]) {
    size_t length = strnlen(text, letters);
    while (length > 0 && text[length - 1] == ' ') length--;
    memcpy(label, text, length);
    label[length] = 0;
}

int cf_members_fill(struct cf_file *file, const struct source_variable *v, int of_dimension, struct cf_variable *out, struct failure *failure) {
    const struct source_inventory *inventory = source_inventory(file->source);
    int coordinate = out->member >= 0 ? of_dimension : scalar_member(file->source, v);
    double *values = NULL;
    char *texts = NULL;
    size_t letters = 0, count = 0, n = out->member >= 0 ? inventory->dimensions[v->dimensions[out->member]].length : 1;
    if (n > MEMBERS_MAX) return failure_set(failure, VIRGA_UNSUPPORTED, "it has more than %d members", MEMBERS_MAX);
    if (coordinate != CF_NO_VARIABLE) cf_file_numbers(file->source, (size_t)coordinate, MEMBERS_MAX, &values, &count, NULL);
    const int named = count == n ? CF_NO_VARIABLE : member_texts(file->source, out->member >= 0 ? (ptrdiff_t)v->dimensions[out->member] : -1);
    if (named != CF_NO_VARIABLE) texts = read_member_texts(file->source, named, n, &letters);
    out->members = calloc(n, sizeof *out->members);
    if (!out->members) goto fail;
    out->member_count = n;
    for (size_t m = 0; m < n; m++) {
        char label[MEMBER_TEXT_MAX] = "";
        if (texts) member_text(texts + m * letters, letters, label);
        if (!*label && count == n && isfinite(values[m])) snprintf(label, sizeof label, "%.10g", values[m]);
        else if (!*label && out->member >= 0) snprintf(label, sizeof label, "%zu", m);
        else if (!*label) member_of_file(file->source, label);
        if (!(out->members[m] = strdup(label))) goto fail;
    }
    free(values);
    free(texts);
    return VIRGA_OK;
fail:
    free(values);
    free(texts);
    return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
}
