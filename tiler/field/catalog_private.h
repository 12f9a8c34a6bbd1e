// SPDX-License-Identifier: Apache-2.0
// Private to catalog_*.c, field_*.c and source_sample.c: where a catalog's fields come from.
#ifndef VIRGA_FIELD_CATALOG_PRIVATE_H
#define VIRGA_FIELD_CATALOG_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "field/catalog.h"
#include "field/catalog_scan.h"
#include "field/catalog_stack.h"
#include "field/cf_file.h"
#include "field/level_heights.h"

enum { NO_VARIABLE = -1, CACHED_MAPS = 16 };
// As a field's member: the mean over all members of its variable, which field_read makes.
#define MEMBER_MEAN SIZE_MAX
struct derived_kind;  // field/derived.h
// Variables of the dataset that tell where another one's levels are.
enum level_helper { HELP_HEIGHTS, HELP_TEMPERATURE, HELP_HUMIDITY, HELP_SURFACE_PRESSURE, HELP_GROUND, HELP_SMOOTH, HELP_FIELD, HELP_FIELD_TOO, HELP_COUNT };

struct field_step {
    const struct cf_file *file;           // NULL for derived variables
    const struct cf_variable *variable;
    size_t time;                          // index on the file's time dimension
    size_t member;                        // on the file's member dimension, where the variable's members are apart
    bool absent;                          // this member lacks this step: file and variable are another's, and nothing is read
    size_t u_step, v_step;                // derived variables: steps of their inputs in the same run
    const struct field_step *levels;      // [nz] upward: where each level is, file NULL where it is missing; file and variable then stand for all. Else NULL
};

struct run_source {
    size_t step_count;
    struct field_step *steps;             // [step_count]; [step_count][member_count] where members are apart
    struct field_step *levels;            // of a stack: those of all steps; else NULL
    struct level_map *map;                // one for all steps, made when the catalog was; NULL where it is not vertical or varies
    char map_inputs[33];                  // level_inputs_id of what it was made from
};

struct variable_source {
    struct dataset_shared *shared;
    const struct derived_kind *derived;   // NULL for a file's own variable
    bool members_apart;                   // members come from several pieces: each step has a place for each member
    struct level_stack *stack;            // levels come from pieces of their own; else NULL
    int u, v;                             // inputs of derived variables, in the dataset; v may be NO_VARIABLE
    bool grid_winds;                      // the inputs blow along the grid's axes
    double outside;                       // share of its first step outside its valid range; NaN: nobody looked
    bool constant;                        // no time: one step that stands for every run
    int helpers[HELP_COUNT];              // of its levels, in the dataset, or NO_VARIABLE
    struct run_source *runs;              // [run_count]
};

struct dataset_shared {
    struct catalog_dataset *dataset;
    const struct catalog_dataset *before;  // the same of the previous catalog, while this one is made; or NULL
    uint64_t grid_hash;
    pthread_mutex_t lock;
    float *directions;                    // guarded by lock until set: [ny][nx][4] east and north parts of the grid's x and y axes
    float *plain_directions;              // likewise for winds that are eastward and northward already
    struct { char id[33]; struct level_map *map; uint64_t used; } cached[CACHED_MAPS];  // guarded by lock
    uint64_t clock;                       // guarded by lock
};

struct catalog_whole {
    struct catalog catalog;  // first
    atomic_size_t references;
    struct scanned_files scanned;
    size_t part_count;       // of a catalog that joins others: it owns no more of its datasets than their ids
    struct catalog **parts;  // references
};

void catalog_joined_free(struct catalog_whole *whole);  // what catalog_unref does when the last reference to a joined one goes

// The piece of a file that holds a field's numbers.
struct field_piece {
    const struct cf_file *file;
    const struct cf_variable *variable;
    size_t time, member;
    const atomic_bool *stop;  // as in a field_ref
    const struct field_step *levels;  // as in a field_step
};
// That of a field whose step is not absent and which is not derived.
struct field_piece field_piece_of(const struct field_ref *field, const struct field_step *step);
// One box, unpacked, NaN where missing.
int field_piece_read(const struct field_piece *piece, const struct field_box *box, double *values, struct failure *failure);
// What is asked for of any slab of it: one number, but for where along x, y and z, which the caller sets.
void field_piece_request(const struct field_piece *piece, struct source_slab_request *request);
// How many levels from k on, up to `end` at most, are stored beside one another, all upwards or all downwards: 1 or more. order: as in a cf_vertical.
size_t field_level_run(const size_t *order, size_t k, size_t end);
int field_piece_stopped(const struct field_piece *piece, struct failure *failure);  // VIRGA_CANCELLED once it is given up
// VIRGA_OK where field_reduce can make the means of a field, else its failure.
int field_reduce_supported(const struct field_ref *field, struct failure *failure);
// n: points of the grid along x, y and z. Whether the box holds any and all lie in it.
bool field_box_inside(const struct field_box *box, const size_t n[3]);
const struct field_step *field_step_of(const struct field_ref *field);  // NULL when there is no such field
// The pieces behind a run, and each of them: of a stack each level of each step, the files of which may be NULL.
size_t run_piece_count(const struct catalog_variable *variable, size_t run);
const struct field_step *run_piece(const struct catalog_variable *variable, size_t run, size_t piece);
// The input of a derived field; for one made of all members its member is MEMBER_MEAN.
struct field_ref field_input(const struct field_ref *field, bool v);
// The field of a file on whose columns and levels a field stands: itself, or a derived one's first input.
struct field_ref field_underlying(const struct field_ref *field);
// Mean, or standard deviation, over all members of a variable (the field's own member does not count), as field_read.
int field_read_members(const struct field_ref *field, const struct field_box *box, bool spread, double *values, struct failure *failure);

// The same for one column: heights[level_count] and the ground's height, metres above the datum. Blocks (reads one column).
int field_column_heights(const struct field_ref *field, size_t i, size_t j, double *heights, double *ground, struct failure *failure);
// Whether level maps differ from step to step (heights come from a field).
bool field_heights_vary(const struct field_ref *field);
// Takes over the maps kept in a dataset that is the same one of another catalog. No other thread knows `shared` yet.
void catalog_take_maps(struct dataset_shared *shared, const struct catalog_dataset *from);
// Makes the level maps that do not vary, for every run of a variable. The latest run's failure is returned.
int catalog_make_maps(struct catalog_dataset *dataset, size_t variable, struct failure *failure);

// Chooses lattices; may read the first step of variables that the table does not know and
// that were not known of the previous catalog.
int catalog_choose_lattices(struct catalog *catalog, const char *state_dir, struct failure *failure);
uint64_t catalog_fingerprint(const struct catalog *catalog);
// Fills every series' edition and the fingerprint. VIRGA_OK or VIRGA_NO_MEMORY.
int catalog_set_editions(struct catalog_dataset *dataset);

#endif
