// SPDX-License-Identifier: Apache-2.0
// Private to catalog_*.c: which files' variables belong together, before runs and steps are looked at.
#ifndef VIRGA_FIELD_CATALOG_DRAFT_H
#define VIRGA_FIELD_CATALOG_DRAFT_H

#include "field/catalog_members.h"
#include "field/catalog_scan.h"
#include "field/catalog_stack.h"

enum { DRAFT_MAKERS = 2 };

struct piece { const struct cf_file *file; const struct cf_variable *variable; };

// A variable with the pieces that hold it.
struct draft_variable {
    const char *name, *standard_name, *long_name, *units;  // owned by sources
    const char *apart;           // owned by the first piece's file
    bool named_apart;            // another has its name, and `apart` tells them apart
    uint64_t level_key;
    size_t piece_count, piece_room;
    struct piece *pieces;
    struct member_list members;  // of all pieces, set when all are there
    struct level_stack *stack;   // its pieces are levels of it; NULL: each has all levels
};

// What will be a dataset.
struct draft {
    const char *base;
    const char *source_text;
    const char *makers[DRAFT_MAKERS];  // what else its files say of who made them, "" where none says; files that say nothing go with any
    bool beside;                // another draft differs from it in its source or makers alone
    uint64_t grid_hash;
    bool ensemble;
    struct cf_grid_slot *slot;  // of the first file: its grid is the dataset's
    size_t variable_count;
    struct draft_variable *variables;
};

struct drafts { size_t count; struct draft *drafts; };

// From opened files, which must outlive the drafts. VIRGA_OK or VIRGA_NO_MEMORY; *all is to be destroyed in both cases.
int drafts_make(struct drafts *all, const struct scanned_files *scanned);
void drafts_destroy(struct drafts *all);

#endif
