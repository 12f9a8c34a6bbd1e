// SPDX-License-Identifier: Apache-2.0
// What is on offer: datasets, their runs, variables, members and times, understood from CF once for every source.
// A catalog is an immutable snapshot, refcounted, readable from any thread.
#ifndef VIRGA_FIELD_CATALOG_H
#define VIRGA_FIELD_CATALOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "field/grid.h"
#include "field/level_map.h"
#include "source/source.h"

enum { CATALOG_TIME_TEXT = 32 };

struct lattice_spec {  // value = v0 + q * step; |decoded - source| ≤ epsilon
    double v0, step, epsilon;
};

// One valid time in one run. Calendar time is kept as text because other calendars have no POSIX second.
struct catalog_time {
    char iso[CATALOG_TIME_TEXT];  // "2009-11-19T10:00:00Z" in the variable's calendar
    double seconds;               // since 1970-01-01 counted in the same calendar: for order, differences and blending
};

struct catalog_problem {
    char *variable;  // or NULL when the whole file is meant
    char *file;
    char *reason;
};

struct variable_source;  // private: which file, source variable, dimensions and packing hold which step and member

struct catalog_variable {
    char *id;             // unique in the dataset, safe in URLs ([A-Za-z0-9_.-])
    char *name;           // as in the file (or of the derived quantity)
    char *standard_name;  // "" when the file has none
    char *long_name;      // "" when none
    char *units;          // as in the file, UDUNITS text; "1" when none
    double valid[2];      // from where to where the file calls values valid, which may be wrong; infinite where it says nothing
    char *note;           // what a reader of its values should know, in English; NULL: nothing
    bool derived;         // computed from others (wind_speed …)
    bool hidden;          // only there to place others' levels and ground; not on offer
    bool vertical;        // false: a 2-D variable (volume of one level without a vertical coordinate)
    size_t nx, ny, nz;
    size_t member_count;
    char **members;       // labels: "0", "1", … from the realization coordinate; one entry "" when there is no member axis
    char *calendar;       // CF name, "standard" by default
    struct lattice_spec lattice;
    struct level_map *level_map;  // of the latest run's first step; NULL when not vertical (see catalog_level_map)
    struct variable_source *from;
};

struct catalog_series {  // a variable in one run
    bool present;        // false: this run lacks the variable
    size_t time_count;
    struct catalog_time *times;  // increasing
    char edition[33];    // hex: hash of all its steps' editions
    char (*editions)[33];  // [time_count], see catalog_step_edition; hex: hash of the identities of the files behind a step, grid, level map, lattice, format version
};

struct catalog_run {
    struct catalog_time time;  // forecast reference time
    bool complete;             // all steps that are expected of it are there (catalog_rules)
    size_t expected, missing;  // steps; of those expected, how many lack a variable or are not there at all. 0 missing: complete
    struct catalog_series *series;  // [variable_count]
};

struct catalog_dataset {
    char *id;     // derives from the configured path and the grouping; [A-Za-z0-9_.-]
    char *title;
    struct grid *grid;
    size_t variable_count;
    struct catalog_variable *variables;
    size_t run_count;
    struct catalog_run *runs;  // oldest first
    int latest;                // the run that "latest" means where nobody asks for a step; -1 only without runs
    bool latest_has_step;      // the rule in force (catalog_rules)
    uint64_t fingerprint;      // another one where runs, times, editions, names or what else is said of it may differ
    int terrain;               // index of the 2-D variable that holds the ground height, or -1
};

struct catalog {
    size_t dataset_count;
    struct catalog_dataset *datasets;
    size_t problem_count;
    struct catalog_problem *problems;
    uint64_t fingerprint;             // another one where anything that catalog_to_json tells may differ
    size_t file_count, opened_count;  // files and addresses behind it, also unreadable ones; of these, how many were opened for it
};

// Which runs are on offer, which of them are complete, and which one "latest" means. Zeroed: all runs, and the newest complete one.
//
// A run is complete when each of its variables has all its steps: by default those of the newest earlier complete run that began at the
// same hour of day, else of the fullest other run of that hour, else of the fullest run. So a run is never "latest" while it is being
// written, unless there is no other. Where no run is complete the newest one is meant.
struct catalog_rules {
    bool latest_has_step;   // "latest" means the newest run that has the step asked for (catalog_find_latest)
    size_t expected_steps;  // of a complete run, instead; 0: as above
    double expected_lead;   // seconds from the run's time up to which a complete run has its steps, instead; 0: as above
    size_t keep_runs;       // the newest that are on offer; 0: all
    double keep_seconds;    // a run that began so long before the newest one is no longer on offer; 0: all. "latest" always is
};

// Opens every file under `paths` (files, folders, globs) through the pool, reads metadata and coordinates only, and groups
// them: paths that stand for one folder (itself, a glob in it, files in it) belong together, and its name, made absolute
// without following links, is the configured path that ids derive from. Bad files and variables end in problems; fails only when nothing at all can be named (no such path) or out of
// memory. As many files at once as there are readers. options may be NULL. Blocks.
struct catalog_options {
    const char *state_dir;  // keeps the lattices of variables that the table does not know, so that they stay the same; or NULL
    const char *title;      // the datasets' title, before their own where there are several; or NULL: their own
    const struct catalog_rules *rules;  // or NULL: as zeroed ones
    // Or NULL. What was opened for it of a file that is the same since (device, inode, size, time of change) is used again, and so is what
    // was found out about its variables; what could not be read is tried again when it changed, or where that was no fault of its own.
    struct catalog *previous;
    bool relist;         // what is no file (an address) is opened again all the same, to see whether it changed
    bool allow_nothing;  // where nothing at all can be named the catalog is empty but for problems
    // Whether a file that is new or has changed counts; NULL: each does. One that is being written is left out as if it was not there. On this thread.
    bool (*is_whole)(void *context, const char *path, const struct source_identity *identity);
    void (*visit)(void *context, const char *folder);  // each folder before it is looked into, so that whoever watches it misses nothing; or NULL
    // Called after each file that was opened or refused; `done` rises by one each time, up to `total`. On any thread, one call at a
    // time, all before catalog_open returns. Must not block for long. Or NULL.
    void (*progress)(void *context, size_t done, size_t total);
    void *context;       // of both
};
int catalog_open(struct source_pool *pool, const char *const *paths, size_t path_count, const struct catalog_options *options,
                 struct catalog **catalog, struct failure *failure);
// Whether a file of this name is passed over in folders: hidden, or of a name that others give to what they have not finished.
bool catalog_passes_over(const char *name);
// One catalog that offers what all these do, in their order. Nothing is opened or read: datasets are those of the parts, of which it
// holds references, but for their ids where several have the same: later ones get "_2", "_3", … appended. The caller keeps its own
// references. VIRGA_OK or VIRGA_NO_MEMORY.
int catalog_join(struct catalog *const *parts, size_t count, struct catalog **joined, struct failure *failure);
struct catalog *catalog_ref(struct catalog *catalog);
void catalog_unref(struct catalog *catalog);

const struct catalog_dataset *catalog_find_dataset(const struct catalog *catalog, const char *id);
int catalog_find_variable(const struct catalog_dataset *dataset, const char *id);  // index by id or name, or -1
// What a person names: as above, else the first with that standard name. Index or -1.
int catalog_find_variable_named(const struct catalog_dataset *dataset, const char *name);
// run: ISO 8601 time, or "latest" or NULL. Index or -1.
int catalog_find_run(const struct catalog_dataset *dataset, const char *run);

// What is asked of the latest run: that these variables (indices; -1 and constant ones ask nothing) have a step at so many seconds, counted
// from the run's time or, where `lead` is false, as valid times are.
struct catalog_asked {
    size_t count;
    const int *variables;
    bool lead;
    double seconds;  // NaN: no step is asked for
};
// The run that "latest" means: with the rule latest_has_step the newest one that has what is asked for, if any has; else dataset->latest.
int catalog_find_latest(const struct catalog_dataset *dataset, const struct catalog_asked *asked);

// Whether values are differences (a spread), which change units without offset.
bool catalog_is_difference(const struct catalog_variable *variable);
// What a variable made of all members is of them ("mean", "spread"); NULL for others.
const char *catalog_statistic(const struct catalog_variable *variable);
// Whether the files give no time for it (an orography): its one step stands for every time.
bool catalog_is_constant(const struct catalog_variable *variable);
// Whether values are computed: from other variables, or averaged or summed.
bool catalog_is_derived(const struct catalog_variable *variable);

// One field: a variable of a run at one step for one member.
struct field_ref {
    const struct catalog_dataset *dataset;
    size_t variable, run, member, step;
    const atomic_bool *stop;  // once true, what is read of it, also by another thread, is given up: VIRGA_CANCELLED. Or NULL
};

// The one level that a 2-D variable belongs to, where a scalar or one-point coordinate tells it: metres or Pa. False where none does.
struct catalog_level { const char *kind, *units; double value; };  // static: "height", "altitude", "hybrid_height" or "pressure"
bool catalog_single_level(const struct catalog_dataset *dataset, size_t variable, struct catalog_level *level);

// The edition of this very step, which must be there, for all members: what is made of it never changes under this name.
const char *catalog_step_edition(const struct field_ref *field);

// Whether this member has this step: where members come from files of their own, one may lack some, and all its values are missing.
bool catalog_has_member(const struct field_ref *field);

// The level map of this very field (it may change with run and step). *map gets a reference; NULL for 2-D variables.
// Blocks (may read). Any worker thread.
int catalog_level_map(const struct catalog *catalog, const struct field_ref *field, struct level_map **map,
                      struct failure *failure);

// The id of the field's level map, without making it: never blocks. "" for 2-D variables. Any thread.
void field_geometry_id(const struct field_ref *field, char id[33]);

// When the newest of the files behind a run was last written, as their file system says: seconds since 1970 UTC; 0 where that is not known.
double catalog_run_written(const struct catalog_dataset *dataset, size_t run);

// The field's values, slab by slab. `plan` cuts it into boxes aligned with the stored chunks so that no stored chunk is
// read twice, each of at most max_bytes of stored numbers where chunks allow.
struct field_box { size_t x0, y0, z0, nx, ny, nz; };  // normalised order: x east, y north, z up
int field_plan(const struct field_ref *field, size_t max_bytes, struct field_box **boxes, size_t *count,
               struct failure *failure);  // caller frees *boxes with free()
// Reads one box: values[z][y][x] in the variable's units, unpacked, as double, NaN where missing (_FillValue,
// missing_value, NaN; not valid_range). Derived variables are computed. Blocks; any worker thread; boxes may be
// read in parallel. `values` has room for nx * ny * nz doubles.
int field_read(const struct field_ref *field, const struct field_box *box, double *values, struct failure *failure);
// The same of a box of one level, row by row in any order, each once: what needs no array of all of it. values: [nx] of row j of the box, until take returns.
// Some may have been taken where it fails.
typedef void (*field_row_taker)(void *user, size_t j, const double *values);
int field_read_rows(const struct field_ref *field, const struct field_box *box, field_row_taker take, void *user, struct failure *failure);

// The same answers as `virga info --json`, as a JSON text that the caller frees. NULL when out of memory.
char *catalog_to_json(const struct catalog *catalog);
// The same with each variable's "pyramid", which the layer above knows: fills levels (at most `room`), returns how many.
struct catalog_pyramid_level { size_t n[3], scale[3]; };
typedef size_t (*catalog_pyramid)(const struct catalog_dataset *dataset, size_t variable, struct catalog_pyramid_level *levels, size_t room);
char *catalog_to_json_with(const struct catalog *catalog, catalog_pyramid pyramid);

// Height of the ground of every column, metres above the datum, from the dataset's terrain in the latest run that has it: what 2-D
// variables lie on. VIRGA_OK with *ground [y.n][x.n], which the caller frees, or NULL where the dataset has none; else the codes of
// field_read. Blocks.
int catalog_terrain(const struct catalog_dataset *dataset, float **ground, struct failure *failure);

// The geometry document (see server/PROTOCOL.md, "Geometry"): JSON and tables for one dataset grid and level map
// (NULL for 2-D variables), uncompressed. The caller frees *bytes with free().
int catalog_geometry(const struct catalog_dataset *dataset, const struct level_map *map, uint8_t **bytes, size_t *size);

#endif
