// SPDX-License-Identifier: Apache-2.0
// One file, understood: its grids, vertical coordinates, time axes, and the variables that can be placed; and what cannot be
// and why. Reads metadata and coordinates only. Immutable once opened; any thread.
#ifndef VIRGA_FIELD_CF_FILE_H
#define VIRGA_FIELD_CF_FILE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "field/cf_grid.h"
#include "field/cf_helpers.h"
#include "field/cf_packing.h"
#include "field/cf_time.h"
#include "field/cf_vertical.h"
#include "field/grid.h"
#include "field/level_map.h"
#include "source/source.h"

struct cf_move { int x, y; };

struct cf_grid_slot {
    int x_variable, y_variable, mapping;  // in the inventory; mapping may be CF_NO_VARIABLE
    bool columns;                         // x_variable and y_variable are two-dimensional longitude and latitude
    size_t x_dimension, y_dimension;      // in the inventory
    struct grid *grid;                    // NULL when refused
    struct cf_axis_order x, y;
    uint64_t hash;                        // of projection and axes
    struct cf_move *moves;                // [move_count] columns and rows of this grid before the first stored ones at each time, or NULL
    size_t move_count;
    bool staggered;                       // wind from it is formed on another grid of the file
    struct failure failure;
};

struct cf_time_axis {
    int time, reference, period;  // variables in the inventory, or CF_NO_VARIABLE
    int dimension, run_dimension; // in the inventory, or -1; with a run dimension count is runs × steps, the steps of each run together
    enum cf_calendar calendar;
    size_t count;
    double *seconds;              // [count], NaN where a time is missing
    double *run;                  // [count], NaN where unknown
    char note[256];               // what a person should know of them, or ""
    bool refused;
    struct failure failure;
};

// Averaging along an axis: point n stands between the stored points n + shift and n + shift + 1, both counted as the axis goes
// when normalised, and has the mean of the two.
struct cf_average {
    bool on;
    bool wraps;  // beyond the last stored point comes the first
    bool hold;   // where one of the two does not exist the other stands alone; else the number is missing
    int shift;
};

struct cf_variable {
    size_t index;                // in the inventory
    int grid, vertical, time;    // in this file; vertical and time may be -1
    int stored_grid, stored_vertical;  // where its numbers are stored: others than grid and vertical only along averaged axes
    struct cf_average average[3];      // x, y, z
    int plus;                    // a variable of the same shape whose values are added, or CF_NO_VARIABLE
    struct cf_packing plus_packing;
    double constant;             // added to its values
    bool hold;                   // beside a grid that moves the nearest stored number stands; else it is missing there
    bool made;                   // averaged or summed: not as stored
    bool hidden;                 // made to tell where other variables' levels and ground are: not on offer
    char *apart;                 // see cf_apart.h
    char *name, *long_name;      // in place of what the inventory says, or NULL
    const char *standard_name, *units;  // likewise; static or the source's
    int x, y, z, t, run, member; // positions among the variable's dimensions, or -1
    int extra;                   // of a dimension that none of these is: the variable is the slice at extra_index of it; or -1
    size_t extra_index;
    size_t steps_per_run;        // with a run dimension: time / steps_per_run is the run's place, the rest the step's
    size_t level_count;          // 1 without a vertical dimension
    size_t member_count;
    char **members;              // labels
    struct cf_packing packing;
    bool categories;             // its numbers are codes (flag_values): nothing lies between them
    enum cf_helper helper;       // what it may tell about where others are …
    double helper_scale, helper_offset;  // … in that unit: value * scale + offset
};

#define CF_VOXELS_MAX ((size_t)1 << 34)  // of a variable at one time

struct cf_file_problem { int variable; char reason[256]; };  // variable in the inventory, or -1 for the whole file

struct cf_file {
    atomic_size_t references;
    struct source *source;  // one reference
    bool wrf;               // output of WRF, see cf_wrf.h
    size_t grid_count, vertical_count, time_count, variable_count, problem_count;
    struct cf_grid_slot *grids;
    struct cf_vertical *verticals;
    struct cf_time_axis *times;
    struct cf_variable *variables;
    struct cf_file_problem *problems;
};

// Takes a reference of its own on source. VIRGA_OK (*file may hold no variables, but then a problem), or an error code
// when the file cannot be read at all. Blocks.
int cf_file_new(struct source *source, struct cf_file **file, struct failure *failure);
struct cf_file *cf_file_ref(struct cf_file *file);  // one more reference, which cf_file_free takes back
void cf_file_free(struct cf_file *file);  // NULL allowed

const struct source_variable *cf_file_variable(const struct cf_file *file, size_t index);
// What a variable is called; "" where nothing says so, "1" for units. Owned by the file.
struct cf_texts { const char *name, *standard_name, *long_name, *units; };
struct cf_texts cf_variable_texts(const struct cf_file *file, const struct cf_variable *variable);
bool cf_is_averaged(const struct cf_variable *variable);  // along any axis
// All numbers of a small variable, unpacked, NaN where missing. The caller frees *values. VIRGA_TOO_LARGE over `limit`.
int cf_file_numbers(struct source *source, size_t variable, size_t limit, double **values, size_t *count, struct failure *failure);
// All that a variable of text holds, as stored and without an end: rows of letters where it has two dimensions. Its size is the caller's affair; the caller frees
// it. Or an error code.
int cf_file_letters(struct source *source, size_t variable, char **letters, struct failure *failure);

// The pieces below are private to cf_*.c.
enum cf_role { ROLE_NONE, ROLE_X, ROLE_Y, ROLE_Z, ROLE_T, ROLE_MEMBER, ROLE_RUN };
enum cf_role cf_role_of(const struct source *source, const struct source_variable *coordinate);
// The single number with a role among the coordinates that a variable names, or CF_NO_VARIABLE.
int cf_scalar_with_role(const struct source *source, const struct source_variable *variable, enum cf_role role);
// Fills `members` and `member_count` of a variable whose dimensions are known. coordinate: of its member dimension, or CF_NO_VARIABLE.
// VIRGA_OK or an error code.
int cf_members_fill(struct cf_file *file, const struct source_variable *variable, int coordinate, struct cf_variable *out, struct failure *failure);
// Whether members of an ensemble are counted by a coordinate or dimension of this name.
bool cf_is_member_name(const char *name);
// Whether levels are counted by a dimension of this name, as far as habit goes: "level", "lev_2", "height1".
bool cf_is_level_name(const char *name);
// Whether a coordinate is a true longitude or latitude by its standard name, units or name.
bool cf_is_longitude(const struct source_variable *coordinate);
bool cf_is_latitude(const struct source_variable *coordinate);
bool cf_is_lonlat(const struct source_variable *coordinate);
// Finds or makes the vertical coordinate of a dimension (or, dimension -1, of a scalar coordinate `scalar`): index in
// file->verticals, also of a refused one, or a negative code.
int cf_vertical_find(struct cf_file *file, const struct source_variable *variable, int dimension, int scalar, struct failure *failure);
// Likewise for a variable's time, by the dimensions of its steps and its runs (-1: it has none): index in file->times, -1
// without time (static), or below -1 when out of memory.
int cf_time_find(struct cf_file *file, const struct source_variable *variable, int dimension, int run_dimension, struct failure *failure);
// Whether a coordinate counts time since the start of a run: by its standard name, or by a usual name and a unit of time.
bool cf_time_is_lead(const struct source_variable *coordinate);
// The one time that such a variable's run starts at, where no dimension has it; or CF_NO_VARIABLE.
int cf_time_start(const struct source *source, const struct source_variable *variable);
// Whether a dimension whose coordinate, if any, has no role has times all the same: dates as text, or an auxiliary coordinate.
bool cf_time_is_dimension(const struct source *source, size_t dimension);
// Says what cannot be used and why; variable in the inventory, or -1 for the whole file.
void cf_problem(struct cf_file *file, int variable, const char *format, ...) __attribute__((format(printf, 3, 4)));
// Index in file->grids, also of a refused one, or -1 when out of memory. x and y: coordinate variables in the inventory.
int cf_grid_find(struct cf_file *file, const struct source_variable *variable, int x, int y);
// A copy of a variable with members and texts of its own, at the end of file->variables. NULL: out of memory.
struct cf_variable *cf_variable_copy(struct cf_file *file, size_t index);
// Whether a dimension of this length and without another role may be cut into slices, a variable each.
bool cf_may_slice(size_t length);
// Makes the variable at `index`, which has an extra dimension, its first slice and adds the others after it. VIRGA_OK, VIRGA_TOO_LARGE
// where the file has too many already (nothing is changed), or VIRGA_NO_MEMORY.
int cf_slices_add(struct cf_file *file, size_t index, struct failure *failure);
// Adds what stands between stored points: see cf_stagger.c. VIRGA_OK or VIRGA_NO_MEMORY.
int cf_stagger_add(struct cf_file *file);
void *cf_grow(void *array, size_t count, size_t size);  // room for one more of zeroed items; NULL: out of memory, array kept

#endif
