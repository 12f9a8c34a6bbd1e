// SPDX-License-Identifier: Apache-2.0
// The members of a variable whose pieces may each hold some of them: one file a member is as good as all in one file.
#ifndef VIRGA_FIELD_CATALOG_MEMBERS_H
#define VIRGA_FIELD_CATALOG_MEMBERS_H

#include "field/cf_file.h"

struct member_list {
    size_t count;
    const char **labels;  // rising as numbers, where they are numbers, once it is sorted; owned by the pieces' files
    bool apart;           // pieces have different members
    const struct cf_variable *first;
};

// Adds a piece's members. VIRGA_OK or VIRGA_NO_MEMORY.
int member_list_add(struct member_list *list, const struct cf_variable *piece);
void member_list_sort(struct member_list *list);
// The place of a label; count for one that was one too many. Call when sorted.
size_t member_list_find(const struct member_list *list, const char *label);
void member_list_destroy(struct member_list *list);

#endif
