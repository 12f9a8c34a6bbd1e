// SPDX-License-Identifier: Apache-2.0
#include "server/demo_netcdf.h"

#include <netcdf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum axis { TIME, LEVEL, RLAT, RLON, AXES };

struct demo_file {
    char *path;
    const struct demo_plan *plan;
    const struct demo_grid *grid;
    int id, run, error;  // error: the first of libnetcdf's, after which nothing more is written
    int axis[AXES], variable[DEMO_VARIABLE_COUNT];
};

static void check(struct demo_file *file, int error) {
    if (error != NC_NOERR && file->error == NC_NOERR) file->error = error;
}

static int result(const struct demo_file *file, struct failure *failure) {
    if (file->error == NC_NOERR) return VIRGA_OK;
    return failure_set(failure, VIRGA_IO, "cannot write %s: %s; see that its folder is writable and its disk has room", file->path,
                       nc_strerror(file->error));
}

static void text(struct demo_file *file, int variable, const char *name, const char *value) {
    check(file, nc_put_att_text(file->id, variable, name, strlen(value), value));
}

static int define(struct demo_file *file, const char *name, nc_type type, int rank, const int *axes, const char *standard_name,
                  const char *units) {
    int variable = -1;
    if (file->error == NC_NOERR) check(file, nc_def_var(file->id, name, type, rank, axes, &variable));
    if (file->error != NC_NOERR) return variable;
    if (standard_name) text(file, variable, "standard_name", standard_name);
    if (units) text(file, variable, "units", units);
    return variable;
}

// --- the grid ------------------------------------------------------------------------------------------------------

static void define_mapping(struct demo_file *file) {
    int v = define(file, "rotated_latitude_longitude", NC_INT, 0, NULL, NULL, NULL), zero = 0;
    text(file, v, "grid_mapping_name", "rotated_latitude_longitude");
    check(file, nc_put_att_double(file->id, v, "grid_north_pole_latitude", NC_DOUBLE, 1, &demo_pole_latitude));
    check(file, nc_put_att_double(file->id, v, "grid_north_pole_longitude", NC_DOUBLE, 1, &demo_pole_longitude));
    check(file, nc_put_att_double(file->id, v, "earth_radius", NC_DOUBLE, 1, &demo_earth_radius));
    check(file, nc_put_var_int(file->id, v, &zero));
}

static void write_axis(struct demo_file *file, const char *name, enum axis axis, const char *letter, const double *values) {
    int v = define(file, name, NC_DOUBLE, 1, &file->axis[axis], name, "degrees");
    text(file, v, "axis", letter);
    if (file->error == NC_NOERR) check(file, nc_put_var_double(file->id, v, values));
}

static void write_flat(struct demo_file *file, const char *name, const char *standard_name, const char *units, bool mapped, const float *values) {
    int v = define(file, name, NC_FLOAT, 2, &file->axis[RLAT], standard_name, units);
    if (mapped) {
        text(file, v, "grid_mapping", "rotated_latitude_longitude");
        text(file, v, "coordinates", "longitude latitude");
    }
    if (file->error == NC_NOERR && file->plan->deflate) check(file, nc_def_var_deflate(file->id, v, 1, 1, file->plan->deflate));
    if (file->error == NC_NOERR) check(file, nc_put_var_float(file->id, v, values));
}

static void write_grid(struct demo_file *file) {
    define_mapping(file);
    write_axis(file, "grid_longitude", RLON, "X", file->grid->rlon);
    write_axis(file, "grid_latitude", RLAT, "Y", file->grid->rlat);
    write_flat(file, "longitude", "longitude", "degrees_east", false, file->grid->lon);
    write_flat(file, "latitude", "latitude", "degrees_north", false, file->grid->lat);
    write_flat(file, "surface_altitude", "surface_altitude", "m", true, file->grid->orography);
    write_flat(file, "land_area_fraction", "land_area_fraction", "1", true, file->grid->land_fraction);
}

// CF 1.8 appendix D, "Atmosphere hybrid height coordinate": z = a + b · orog, above mean sea level.
static void write_levels(struct demo_file *file) {
    int a = define(file, "level_height", NC_FLOAT, 1, &file->axis[LEVEL], "atmosphere_hybrid_height_coordinate", "m");
    int b = define(file, "sigma", NC_FLOAT, 1, &file->axis[LEVEL], NULL, "1");
    int n = define(file, "model_level_number", NC_INT, 1, &file->axis[LEVEL], "model_level_number", "1");
    text(file, a, "axis", "Z");
    text(file, a, "positive", "up");
    text(file, a, "formula_terms", "a: level_height b: sigma orog: surface_altitude");
    text(file, b, "long_name", "share of the surface altitude added to level_height");
    text(file, n, "positive", "up");
    if (file->error == NC_NOERR) check(file, nc_put_var_float(file->id, a, file->grid->a));
    if (file->error == NC_NOERR) check(file, nc_put_var_float(file->id, b, file->grid->b));
    for (int k = 0; k < file->grid->nk && file->error == NC_NOERR; k++) {
        size_t at = (size_t)k;
        int number = k + 1;
        check(file, nc_put_var1_int(file->id, n, &at, &number));
    }
}

static void write_times(struct demo_file *file) {
    static const char *const since = "hours since 1970-01-01 00:00:00";
    double reference = (double)file->plan->start / 3600 + file->run * file->plan->run_spacing;
    int time = define(file, "time", NC_DOUBLE, 1, &file->axis[TIME], "time", since);
    int period = define(file, "forecast_period", NC_DOUBLE, 1, &file->axis[TIME], "forecast_period", "hours");
    int from = define(file, "forecast_reference_time", NC_DOUBLE, 0, NULL, "forecast_reference_time", since);
    text(file, time, "axis", "T");
    text(file, time, "calendar", "standard");
    text(file, from, "calendar", "standard");
    if (file->error == NC_NOERR) check(file, nc_put_var_double(file->id, from, &reference));
    for (int t = 0; t < file->plan->nt && file->error == NC_NOERR; t++) {
        size_t at = (size_t)t;
        double lead = t, valid = reference + t;
        check(file, nc_put_var1_double(file->id, time, &at, &valid));
        check(file, nc_put_var1_double(file->id, period, &at, &lead));
    }
}

// --- fields --------------------------------------------------------------------------------------------------------

// Whole level stacks of one time, about a megabyte each: one step is read without touching another, and several readers
// share a step.
static void chunk(const struct demo_grid *grid, bool flat, size_t shape[4]) {
    size_t deep = flat ? 1 : (size_t)grid->nk, columns = 262144 / deep, side = 32;
    while (side * side * 4 <= columns) side *= 2;
    size_t ny = (size_t)grid->ny, nx = (size_t)grid->nx, parts_y = (ny + side - 1) / side, parts_x = (nx + side - 1) / side;
    size_t horizontal[2] = {(ny + parts_y - 1) / parts_y, (nx + parts_x - 1) / parts_x};
    shape[0] = 1;
    if (!flat) shape[1] = deep;
    memcpy(shape + (flat ? 1 : 2), horizontal, sizeof horizontal);
}

static void define_field(struct demo_file *file, enum demo_variable which) {
    const struct demo_variable_spec *spec = &demo_variables[which];
    int axes[4] = {file->axis[TIME], spec->flat ? file->axis[RLAT] : file->axis[LEVEL], spec->flat ? file->axis[RLON] : file->axis[RLAT],
                   file->axis[RLON]};
    int v = define(file, spec->name, NC_FLOAT, spec->flat ? 3 : 4, axes, spec->name, spec->units);
    char rounding[96];
    size_t shape[4];
    file->variable[which] = v;
    snprintf(rounding, sizeof rounding, "values are rounded to multiples of %.9g %s", (double)spec->quantum, spec->units);
    text(file, v, "long_name", spec->long_name);
    text(file, v, "cell_methods", "time: point");
    text(file, v, "grid_mapping", "rotated_latitude_longitude");
    text(file, v, "coordinates", spec->flat ? "forecast_reference_time forecast_period longitude latitude"
                                            : "forecast_reference_time forecast_period longitude latitude model_level_number sigma");
    text(file, v, "comment", rounding);
    chunk(file->grid, spec->flat, shape);
    if (file->error == NC_NOERR) check(file, nc_def_var_chunking(file->id, v, NC_CHUNKED, shape));
    if (file->error == NC_NOERR && file->plan->deflate) check(file, nc_def_var_deflate(file->id, v, 1, 1, file->plan->deflate));
    if (file->error == NC_NOERR) check(file, nc_def_var_fill(file->id, v, NC_NOFILL, NULL));
    size_t elements = shape[0] * shape[1] * shape[2] * (spec->flat ? 1 : shape[3]);
    if (file->error == NC_NOERR) check(file, nc_set_var_chunk_cache(file->id, v, elements * sizeof(float), 11, 1.0f));
}

static void define_all(struct demo_file *file, const char *description) {
    static const char *const names[AXES] = {"time", "level_height", "grid_latitude", "grid_longitude"};
    size_t lengths[AXES] = {(size_t)file->plan->nt, (size_t)file->grid->nk, (size_t)file->grid->ny, (size_t)file->grid->nx};
    for (int axis = 0; axis < AXES && file->error == NC_NOERR; axis++)
        check(file, nc_def_dim(file->id, names[axis], lengths[axis], &file->axis[axis]));
    text(file, NC_GLOBAL, "Conventions", "CF-1.8");
    text(file, NC_GLOBAL, "title", "virga demonstration forecast");
    text(file, NC_GLOBAL, "source", "made from formulas by virga demo; no weather model was run");
    text(file, NC_GLOBAL, "virga_demo", description);
    for (int v = 0; v < DEMO_VARIABLE_COUNT && file->error == NC_NOERR; v++)
        if (file->plan->wanted[v]) define_field(file, (enum demo_variable)v);
}

int demo_file_create(const char *path, const struct demo_plan *plan, const struct demo_grid *grid, int run, struct demo_file **out,
                     struct failure *failure) {
    char description[1024];
    struct demo_file *file = calloc(1, sizeof *file);
    *out = NULL;
    if (!file || !(file->path = strdup(path))) {
        free(file);
        return failure_set(failure, VIRGA_NO_MEMORY, "out of memory while creating %s", path);
    }
    file->plan = plan, file->grid = grid, file->run = run, file->id = -1;
    demo_plan_describe(plan, description, sizeof description);
    check(file, nc_create(path, NC_NETCDF4 | NC_CLOBBER, &file->id));
    if (file->error == NC_NOERR) define_all(file, description);
    if (file->error == NC_NOERR) write_grid(file);
    if (file->error == NC_NOERR) write_levels(file);
    if (file->error == NC_NOERR) write_times(file);
    int status = result(file, failure);
    if (status == VIRGA_OK)
        *out = file;
    else
        demo_file_close(file, NULL);
    return status;
}

int demo_file_put(struct demo_file *file, int step, const struct demo_fields *fields, struct failure *failure) {
    for (int v = 0; v < DEMO_VARIABLE_COUNT && file->error == NC_NOERR; v++) {
        if (!fields->of[v]) continue;
        bool flat = demo_variables[v].flat;
        size_t ny = (size_t)file->grid->ny, nx = (size_t)file->grid->nx, start[4] = {(size_t)step};
        size_t count[4] = {1, flat ? ny : (size_t)file->grid->nk, flat ? nx : ny, nx};
        check(file, nc_put_vara_float(file->id, file->variable[v], start, count, fields->of[v]));
    }
    return result(file, failure);
}

int demo_file_close(struct demo_file *file, struct failure *failure) {
    if (!file) return VIRGA_OK;
    if (file->id >= 0) check(file, nc_close(file->id));
    int status = result(file, failure);
    free(file->path);
    free(file);
    return status;
}

bool demo_file_matches(const char *path, const char *description) {
    int id;
    size_t length = 0;
    bool same = false;
    if (nc_open(path, NC_NOWRITE, &id) != NC_NOERR) return false;
    if (nc_inq_attlen(id, NC_GLOBAL, "virga_demo", &length) == NC_NOERR && length == strlen(description)) {
        char *value = malloc(length + 1);
        same = value && nc_get_att_text(id, NC_GLOBAL, "virga_demo", value) == NC_NOERR && memcmp(value, description, length) == 0;
        free(value);
    }
    nc_close(id);
    return same;
}
