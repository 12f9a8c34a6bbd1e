// SPDX-License-Identifier: Apache-2.0
// From opened files to datasets: what belongs together, runs, steps, names.
#ifndef VIRGA_FIELD_CATALOG_GROUP_H
#define VIRGA_FIELD_CATALOG_GROUP_H

#include "field/catalog_private.h"
#include "field/catalog_scan.h"

// Fills datasets (without lattices) and problems from the files in whole->scanned. previous: as in catalog_options.
int catalog_group(struct catalog_whole *whole, const struct catalog_rules *rules, const struct catalog *previous, struct failure *failure);
// Finds out which runs are complete and which is the latest, and removes those that are not to be on offer. Call when every file's steps are
// there, before variables are derived. rules: NULL as zeroed. VIRGA_OK or VIRGA_NO_MEMORY.
int catalog_apply_rules(struct catalog_dataset *dataset, const struct catalog_rules *rules);
// A failure's words without the file's name, where it begins with it: a problem has a place of its own for that.
const char *catalog_without_file(const char *reason, const char *file);
int catalog_add_problem(struct catalog *catalog, const char *variable, const char *file, const char *reason);

// Adds to what is noted of a variable. VIRGA_OK or VIRGA_NO_MEMORY.
extern const char catalog_direction_note[];
int catalog_add_note(struct catalog_variable *variable, const char *note);

// Adds winds from their components, and mean and spread of members. Call when levels are known.
int catalog_add_derived(struct catalog_dataset *dataset);
// Room for one more variable, with its series in every run, all zeroed but variable->from (made, with runs). NULL: out of memory.
struct catalog_variable *catalog_add_variable(struct catalog_dataset *dataset, struct dataset_shared *shared);
// Removes a variable and its series; indices in other variables' sources are moved. No derived variables may exist yet.
void catalog_remove_variable(struct catalog_dataset *dataset, size_t index);
void catalog_dataset_destroy(struct catalog_dataset *dataset);
// An id from a name: other characters become '_', and "_2", "_3" … follow where it is taken. NULL: out of memory.
char *catalog_variable_id(const struct catalog_dataset *dataset, const char *name);

#endif
