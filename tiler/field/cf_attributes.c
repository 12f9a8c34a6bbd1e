// SPDX-License-Identifier: Apache-2.0
#include "field/cf_attributes.h"

#include <math.h>
#include <string.h>
#include <strings.h>

enum { TEXT_MAX = 4096 };  // what CF says in attributes is short; longer texts are not searched for names

static const struct source_attribute *find(const struct source_variable *variable, const char *name) {
    return source_find_attribute(variable->attributes, variable->attribute_count, name);
}

const char *cf_text(const struct source_variable *variable, const char *name) {
    const struct source_attribute *a = find(variable, name);
    return a && a->text && a->count <= TEXT_MAX && strlen(a->text) <= TEXT_MAX ? a->text : NULL;
}

const char *cf_text_or_empty(const struct source_variable *variable, const char *name) {
    const char *text = cf_text(variable, name);
    return text ? text : "";
}

const char *cf_global_text(const struct source *source, const char *name) {
    const struct source_inventory *inventory = source_inventory(source);
    const struct source_attribute *a = source_find_attribute(inventory->attributes, inventory->attribute_count, name);
    return a && a->text && strlen(a->text) <= TEXT_MAX ? a->text : NULL;
}

bool cf_number_at(const struct source_variable *variable, const char *name, size_t index, double *value) {
    const struct source_attribute *a = find(variable, name);
    if (!a || !a->numbers || index >= a->count || !isfinite(a->numbers[index])) return false;
    *value = a->numbers[index];
    return true;
}

bool cf_number(const struct source_variable *variable, const char *name, double *value) {
    return cf_number_at(variable, name, 0, value);
}

bool cf_text_is(const struct source_variable *variable, const char *name, const char *text) {
    const char *have = cf_text(variable, name);
    return have && strcasecmp(have, text) == 0;
}

const char *cf_base_name(const char *name) {
    const char *slash = strrchr(name, '/');
    return slash ? slash + 1 : name;
}

static bool matches(const char *full, const char *group, size_t group_length, const char *name, size_t length) {
    return strncmp(full, group, group_length) == 0 && strncmp(full + group_length, name, length) == 0 &&
           full[group_length + length] == 0;
}

int cf_find_variable(const struct source *source, const struct source_variable *from, const char *name, size_t length) {
    const struct source_inventory *inventory = source_inventory(source);
    if (length > 0 && name[0] == '/') {
        name++, length--;
        from = NULL;
    }
    if (length == 0 || length >= SOURCE_MAX_NAME) return CF_NO_VARIABLE;
    const char *group = from ? from->name : "";
    size_t group_length = (size_t)(cf_base_name(group) - group);
    for (;;) {
        for (size_t v = 0; v < inventory->variable_count; v++)
            if (matches(inventory->variables[v].name, group, group_length, name, length)) return (int)v;
        if (group_length == 0) return CF_NO_VARIABLE;
        do group_length--;
        while (group_length > 0 && group[group_length - 1] != '/');
    }
}

int cf_coordinate_variable(const struct source *source, size_t dimension) {
    const struct source_inventory *inventory = source_inventory(source);
    if (dimension >= inventory->dimension_count) return CF_NO_VARIABLE;
    for (size_t v = 0; v < inventory->variable_count; v++) {
        const struct source_variable *variable = &inventory->variables[v];
        if (variable->rank == 1 && variable->dimensions[0] == dimension &&
            strcmp(variable->name, inventory->dimensions[dimension].name) == 0)
            return (int)v;
    }
    return CF_NO_VARIABLE;
}

bool cf_is_scalar(const struct source *source, const struct source_variable *variable) {
    return variable->rank == 0 || (variable->rank == 1 && source_inventory(source)->dimensions[variable->dimensions[0]].length == 1);
}

const char *cf_next_word(const char **at, size_t *length) {
    const char *start = *at + strspn(*at, " \t\r\n,");
    *length = strcspn(start, " \t\r\n,");
    *at = start + *length;
    return *length ? start : NULL;
}

int cf_next_variable(const struct source *source, const struct source_variable *from, const char **at) {
    size_t length;
    int n = CF_NO_VARIABLE;
    for (const char *word; n == CF_NO_VARIABLE && (word = cf_next_word(at, &length));) n = cf_find_variable(source, from, word, length);
    return n;
}

int cf_term(const struct source *source, const struct source_variable *from, const char *attribute, const char *term) {
    const char *at = cf_text(from, attribute);
    if (!at) return CF_NO_VARIABLE;
    size_t length, wanted = strlen(term);
    bool next = false;
    for (const char *word; (word = cf_next_word(&at, &length));) {
        if (next) return cf_find_variable(source, from, word, length);
        next = length == wanted + 1 && word[wanted] == ':' && strncmp(word, term, wanted) == 0;
    }
    return CF_NO_VARIABLE;
}
