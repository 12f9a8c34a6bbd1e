// SPDX-License-Identifier: Apache-2.0
// Attributes of a source's variables, checked: wrong types, empty and non-finite values read as absent. Any thread.
#ifndef VIRGA_FIELD_CF_ATTRIBUTES_H
#define VIRGA_FIELD_CF_ATTRIBUTES_H

#include <stdbool.h>
#include <stddef.h>

#include "source/source.h"

enum { CF_NO_VARIABLE = -1 };

// Text of an attribute, or NULL when absent, no text, or longer than 4096 bytes. Owned by the source.
const char *cf_text(const struct source_variable *variable, const char *name);
// The same, "" when absent.
const char *cf_text_or_empty(const struct source_variable *variable, const char *name);
const char *cf_global_text(const struct source *source, const char *name);
// First number of a numeric attribute; false when absent, empty, text or not finite.
bool cf_number(const struct source_variable *variable, const char *name, double *value);
// Number `index` of a numeric attribute.
bool cf_number_at(const struct source_variable *variable, const char *name, size_t index, double *value);
// Whether a text attribute equals `text`, letter case ignored.
bool cf_text_is(const struct source_variable *variable, const char *name, const char *text);

// A variable that an attribute of `from` names (from's own group first, then the groups above). Index or CF_NO_VARIABLE.
// `length` bytes of name count.
int cf_find_variable(const struct source *source, const struct source_variable *from, const char *name, size_t length);
// The coordinate variable of a dimension: one dimension, the same name. Index or CF_NO_VARIABLE.
int cf_coordinate_variable(const struct source *source, size_t dimension);

// Whether it has one value: no dimension, or one of length 1.
bool cf_is_scalar(const struct source *source, const struct source_variable *variable);

// Walks the words of a text separated by blanks: *at moves on, *length is the word's; NULL at the end.
const char *cf_next_word(const char **at, size_t *length);
// Walks the variables that a text of names gives, as cf_find_variable finds them; what is the name of none is passed over. CF_NO_VARIABLE at the end.
int cf_next_variable(const struct source *source, const struct source_variable *from, const char **at);
// The variable that formula_terms or the like ("a: var1 b: var2") gives for `term`. Index or CF_NO_VARIABLE.
int cf_term(const struct source *source, const struct source_variable *from, const char *attribute, const char *term);
// The name without its groups.
const char *cf_base_name(const char *name);

#endif
