// SPDX-License-Identifier: Apache-2.0
// Small forecasts of one variable on three pressure levels.
#ifndef VIRGA_TESTS_FIELD_MADE_FORECAST_H
#define VIRGA_TESTS_FIELD_MADE_FORECAST_H

#include "made_file.h"

#include <sys/stat.h>

struct wanted_file {
    const char *name;
    double reference;       // hours since 2020-01-01; NaN: no forecast_reference_time
    size_t times;
    double first;           // hours since 2020-01-01
    const char *variable, *standard_name, *units;
    double lon0;
    const char *source;
    bool terrain;
};

static inline void write_file(const struct wanted_file *w) {
    int nc = made_create(w->name), dims[4];
    static const double pressures[] = {1000, 850, 500};
    float *data = calloc(w->times * 3 * 4 * 5, sizeof *data);
    for (size_t n = 0; n < w->times * 60; n++) data[n] = (float)(250 + n % 60);
    dims[0] = made_even_axis(nc, "time", w->times, w->first, 1, "time", "hours since 2020-01-01");
    dims[1] = made_axis(nc, "plev", 3, pressures, "air_pressure", "hPa");
    dims[2] = made_even_axis(nc, "lat", 4, 50, 1, "latitude", "degrees_north");
    dims[3] = made_even_axis(nc, "lon", 5, w->lon0, 1, "longitude", "degrees_east");
    if (!isnan(w->reference)) made_scalar(nc, "forecast_reference_time", w->reference, "forecast_reference_time", "hours since 2020-01-01");
    if (w->source) made_text(nc, NC_GLOBAL, "source", w->source);
    int v = made_var(nc, w->variable, NC_FLOAT, 4, dims, w->standard_name, w->units);
    NC(nc_put_var_float(nc, v, data));
    if (w->terrain) {
        int o = made_var(nc, "orog", NC_FLOAT, 2, dims + 2, "surface_altitude", "m");
        NC(nc_put_var_float(nc, o, data));
    }
    NC(nc_close(nc));
    free(data);
}

static inline struct wanted_file t_file(const char *name, double reference, double first, size_t times) {
    return (struct wanted_file){name, reference, times, first, "ta", "air_temperature", "K", 0, "a model", false};
}

static inline void make_subfolder(const char *name) { assert_int_equal(mkdir(made_path(name), 0700), 0); }

#endif
