// SPDX-License-Identifier: Apache-2.0
// A variable's valid times and the forecast reference time they belong to.
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "field/cf_attributes.h"
#include "field/cf_file.h"
#include "field/cf_units.h"
#include "field/cf_wrf.h"

enum { TIMES_MAX = 1 << 17, TIME_TEXT_MAX = 64 };
static const double longest_lead = 60 * 86400.0;

// A coordinate with this standard name that fits the variable: named by it first, else any in the file if `anywhere`.
static int find_coordinate(const struct source *source, const struct source_variable *v, int dimension, const char *standard_name, bool anywhere) {
    const struct source_inventory *inventory = source_inventory(source);
    const char *at = cf_text_or_empty(v, "coordinates");
    for (int n; (n = cf_next_variable(source, v, &at)) != CF_NO_VARIABLE;)
        if (cf_text_is(&inventory->variables[n], "standard_name", standard_name)) return n;
    for (size_t n = 0; anywhere && n < inventory->variable_count; n++) {
        const struct source_variable *c = &inventory->variables[n];
        if (!cf_text_is(c, "standard_name", standard_name)) continue;
        if (cf_is_scalar(source, c) || (dimension >= 0 && c->rank == 1 && c->dimensions[0] == (size_t)dimension)) return (int)n;
    }
    return CF_NO_VARIABLE;
}

// --- which variables tell times ----------------------------------------------------------------------------------------

static bool tells_times(const struct source_variable *c) { return c->type <= SOURCE_F64 && cf_time_units_like(cf_text(c, "units")); }

// Dates as text, such as WRF's Times: [time][letters].
static bool tells_dates(const struct source_variable *c, size_t dimension) {
    return c->type == SOURCE_CHAR && c->rank == 2 && c->dimensions[0] == dimension &&
           (strcasestr(cf_base_name(c->name), "time") || strcasestr(cf_base_name(c->name), "date"));
}

// Times of each run and each step: both dimensions, in either order.
static bool tells_both(const struct source_variable *c, size_t run, size_t step) {
    return c->rank == 2 && tells_times(c) && ((c->dimensions[0] == run && c->dimensions[1] == step) || (c->dimensions[0] == step && c->dimensions[1] == run));
}

static int find_dates(const struct source *source, size_t dimension) {
    const struct source_inventory *inventory = source_inventory(source);
    for (size_t n = 0; n < inventory->variable_count; n++)
        if (tells_dates(&inventory->variables[n], dimension)) return (int)n;
    return CF_NO_VARIABLE;
}

// What xarray and machine-learned models call forecast periods, without a standard name.
static bool is_period(const struct source_variable *c) {
    static const char *const names[] = {"prediction_timedelta", "lead_time", "leadtime", "lead", "step", "forecast_hour", "forecast_time", "fhour", NULL};
    double scale, offset;
    const char *standard_name = cf_text_or_empty(c, "standard_name");
    if (strcasecmp(standard_name, "forecast_period") == 0) return true;
    if (*standard_name || c->rank > 1 || c->type > SOURCE_F64 || cf_units_convert(cf_text_or_empty(c, "units"), "s", &scale, &offset) || offset != 0) return false;
    for (size_t n = 0; names[n]; n++)
        if (strcasecmp(cf_base_name(c->name), names[n]) == 0) return true;
    return false;
}

bool cf_time_is_lead(const struct source_variable *coordinate) { return is_period(coordinate); }

// Whether a variable has one number for each point of the dimension; others of length 1 (a single run, a batch) count for nothing.
static bool is_along(const struct source_inventory *inventory, const struct source_variable *v, size_t dimension) {
    size_t on = 0, longer = 0;
    for (int d = 0; d < v->rank; d++) {
        if (v->dimensions[d] == dimension) on++;
        else longer += inventory->dimensions[v->dimensions[d]].length != 1;
    }
    return on == 1 && longer == 0;
}

static int find_on(const struct source *source, size_t dimension, bool (*tells)(const struct source_variable *)) {
    const struct source_inventory *inventory = source_inventory(source);
    for (size_t n = 0; n < inventory->variable_count; n++)
        if (inventory->variables[n].rank <= 2 && is_along(inventory, &inventory->variables[n], dimension) && tells(&inventory->variables[n])) return (int)n;
    return CF_NO_VARIABLE;
}

static bool tells_valid_times(const struct source_variable *c) { return tells_times(c) && !cf_text_is(c, "standard_name", "forecast_reference_time"); }

static int find_both(const struct source *source, size_t run, size_t step) {
    const struct source_inventory *inventory = source_inventory(source);
    for (size_t n = 0; n < inventory->variable_count; n++)
        if (tells_both(&inventory->variables[n], run, step) && !cf_text_is(&inventory->variables[n], "standard_name", "forecast_reference_time")) return (int)n;
    return CF_NO_VARIABLE;
}

bool cf_time_is_dimension(const struct source *source, size_t dimension) {
    const struct source_inventory *inventory = source_inventory(source);
    int own = cf_coordinate_variable(source, dimension);
    double scale, offset;
    // Hours without a date are no other kind of axis; dates may stand beside them.
    if (own != CF_NO_VARIABLE && cf_units_convert(cf_text_or_empty(&inventory->variables[own], "units"), "s", &scale, &offset)) return false;
    if (find_dates(source, dimension) != CF_NO_VARIABLE || find_on(source, dimension, tells_valid_times) != CF_NO_VARIABLE) return true;
    for (size_t n = 0; n < inventory->variable_count; n++) {  // steps of several runs
        const struct source_variable *c = &inventory->variables[n];
        if (c->rank != 2 || (c->dimensions[0] != dimension && c->dimensions[1] != dimension) || !tells_times(c)) continue;
        int other = cf_coordinate_variable(source, c->dimensions[0] == dimension ? c->dimensions[1] : c->dimensions[0]);
        if (other != CF_NO_VARIABLE && cf_role_of(source, &inventory->variables[other]) == ROLE_RUN) return true;
    }
    return false;
}

// The variable with a dimension's valid times; else that of its forecast periods; else its coordinate.
static int find_time(const struct source *source, const struct source_variable *v, int dimension) {
    const struct source_inventory *inventory = source_inventory(source);
    if (dimension < 0) {
        int n = find_coordinate(source, v, -1, "time", false);
        return n != CF_NO_VARIABLE && cf_is_scalar(source, &inventory->variables[n]) ? n : CF_NO_VARIABLE;
    }
    int own = cf_coordinate_variable(source, (size_t)dimension), found;
    if (own != CF_NO_VARIABLE && tells_times(&inventory->variables[own])) return own;
    // Dates as text are exact, and single precision beside them is not.
    if ((found = find_dates(source, (size_t)dimension)) != CF_NO_VARIABLE) return found;
    if ((found = find_on(source, (size_t)dimension, tells_valid_times)) != CF_NO_VARIABLE) return found;
    if ((found = find_on(source, (size_t)dimension, is_period)) != CF_NO_VARIABLE) return found;
    return own;
}

int cf_time_start(const struct source *source, const struct source_variable *v) {
    static const char *const names[] = {"forecast_reference_time", "reference_time", "reftime", "init_time", "initial_time", "analysis_time", "time", NULL};
    int reference = find_coordinate(source, v, -1, "forecast_reference_time", true);
    for (size_t n = 0; reference == CF_NO_VARIABLE && names[n]; n++) {
        int found = cf_find_variable(source, v, names[n], strlen(names[n]));
        if (found == CF_NO_VARIABLE) continue;
        const struct source_variable *c = &source_inventory(source)->variables[found];
        if (cf_is_scalar(source, c) && tells_times(c)) reference = found;
    }
    return reference;
}

// --- reading them ------------------------------------------------------------------------------------------------------

// Times of single precision may lie minutes off what was meant. Where all agree with the same round minutes as far as they can
// tell, these were meant.
static void round_single(const struct cf_time_units *units, const double *values, double *seconds, size_t count) {
    static const double rounds[] = {3600, 1800, 900, 600, 300, 60, 1};
    size_t present = 0;
    double coarsest = 0;
    for (size_t n = 0; n < count; n++) {
        if (!isfinite(seconds[n])) continue;
        float value = (float)values[n];
        coarsest = fmax(coarsest, 0.5 * fabs((double)nextafterf(value, INFINITY) - (double)value) * units->seconds_per_unit);
        present++;
    }
    if (present < 2 || coarsest < 0.5) return;
    for (size_t r = 0; r < sizeof rounds / sizeof *rounds && rounds[r] > coarsest; r++) {
        bool all = true;
        for (size_t n = 0; n < count && all; n++) all = !isfinite(seconds[n]) || fabs(remainder(seconds[n], rounds[r])) <= 1.001 * coarsest;
        if (!all) continue;
        for (size_t n = 0; n < count; n++) seconds[n] = rounds[r] * round(seconds[n] / rounds[r]);
        return;
    }
}

// `calendar` is the one that holds where the variable names none.
static int read_times(struct cf_file *file, int variable, enum cf_calendar *calendar, struct cf_time_units *units, double **seconds, size_t *count,
                      struct failure *failure) {
    const struct source_variable *v = cf_file_variable(file, (size_t)variable);
    const char *text = cf_text(v, "units"), *name = cf_text(v, "calendar");
    if (!text) return failure_set(failure, VIRGA_UNSUPPORTED, "its time coordinate %.60s has no units", v->name);
    if (name && cf_calendar_parse(name, calendar)) return failure_set(failure, VIRGA_UNSUPPORTED, "its calendar \"%.40s\" is not one with dates", name);
    int status = cf_time_units_parse(text, *calendar, units);
    if (status == VIRGA_UNSUPPORTED)
        return failure_set(failure, status, "its times count from a year 0 (\"%.60s\"), which the %s calendar does not have", text, cf_calendar_name(*calendar));
    if (status) return failure_set(failure, VIRGA_UNSUPPORTED, "its time units \"%.60s\" are not understood", text);
    if ((status = cf_file_numbers(file->source, (size_t)variable, TIMES_MAX, seconds, count, failure))) return status;
    double *values = malloc((*count + 1) * sizeof *values);
    if (!values) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    for (size_t n = 0; n < *count; n++) values[n] = (*seconds)[n], (*seconds)[n] = cf_time_seconds(units, values[n]);
    if (v->type == SOURCE_F32 && !units->absolute) round_single(units, values, *seconds, *count);
    free(values);
    return VIRGA_OK;
}

// NaN where a text is no date.
static int read_dates(struct cf_file *file, int variable, enum cf_calendar calendar, double **seconds, size_t *count, struct failure *failure) {
    const struct source_inventory *inventory = source_inventory(file->source);
    const struct source_variable *v = &inventory->variables[variable];
    size_t times = inventory->dimensions[v->dimensions[0]].length, letters = inventory->dimensions[v->dimensions[1]].length;
    char *dates;
    if (times > TIMES_MAX || letters > TIME_TEXT_MAX || letters == 0) return failure_set(failure, VIRGA_UNSUPPORTED, "%.60s is no list of dates", v->name);
    if (!(*seconds = malloc((times + 1) * sizeof **seconds))) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    *count = times;
    if (times == 0) return VIRGA_OK;
    int status = cf_file_letters(file->source, (size_t)variable, &dates, failure);
    for (size_t n = 0; n < times && !status; n++) {
        char text[TIME_TEXT_MAX + 1] = "";
        memcpy(text, dates + n * letters, letters);
        if (cf_time_parse(calendar, text, &(*seconds)[n])) (*seconds)[n] = NAN;
    }
    free(dates);
    return status;
}

static int read_periods(struct cf_file *file, int variable, double **seconds, size_t *count, struct failure *failure) {
    double scale, offset;
    const struct source_variable *v = cf_file_variable(file, (size_t)variable);
    const char *units = cf_text_or_empty(v, "units");
    if (cf_units_convert(units, "s", &scale, &offset) || offset != 0)
        return failure_set(failure, VIRGA_UNSUPPORTED, "its forecast period is in \"%.40s\", which is no time", units);
    int status = cf_file_numbers(file->source, (size_t)variable, TIMES_MAX, seconds, count, failure);
    for (size_t n = 0; n < *count && !status; n++) (*seconds)[n] = round((*seconds)[n] * scale * 1000) / 1000;
    return status;
}

// --- valid times and runs ----------------------------------------------------------------------------------------------

static bool run_by_reference(struct cf_file *file, struct cf_time_axis *axis) {
    double *values = NULL;
    size_t count = 0;
    enum cf_calendar calendar = axis->calendar;
    struct cf_time_units units;
    bool found = axis->reference != CF_NO_VARIABLE && read_times(file, axis->reference, &calendar, &units, &values, &count, NULL) == VIRGA_OK &&
                 calendar == axis->calendar && (count == 1 || count == axis->count);
    for (size_t n = 0; found && n < axis->count; n++) axis->run[n] = values[count == 1 ? 0 : n];
    free(values);
    return found;
}

static bool run_by_period(struct cf_file *file, struct cf_time_axis *axis) {
    double *values = NULL;
    size_t count = 0;
    bool found = axis->period != CF_NO_VARIABLE && read_periods(file, axis->period, &values, &count, NULL) == VIRGA_OK && count == axis->count;
    for (size_t n = 0; found && n < axis->count; n++) axis->run[n] = round((axis->seconds[n] - values[n]) * 1000) / 1000;
    free(values);
    return found;
}

static bool run_of_wrf(struct cf_file *file, struct cf_time_axis *axis) {
    const char *start = file->wrf ? cf_wrf_start(file->source) : NULL;
    double seconds;
    if (!start || cf_time_parse(axis->calendar, start, &seconds)) return false;
    for (size_t n = 0; n < axis->count; n++) axis->run[n] = seconds;
    return true;
}

// "hours since" the run's own start is the habit of GRIB readers; an epoch long ago is only an epoch. One time at the epoch
// itself says nothing.
static void run_by_epoch(struct cf_time_axis *axis, const struct cf_time_units *units) {
    double first = INFINITY;
    for (size_t n = 0; n < axis->count; n++)
        if (axis->seconds[n] < first) first = axis->seconds[n];
    bool by_epoch = units && !units->absolute && first >= units->epoch && first - units->epoch <= longest_lead && (axis->count > 1 || first > units->epoch);
    for (size_t n = 0; n < axis->count; n++) axis->run[n] = by_epoch ? units->epoch : NAN;
}

static int check_count(const struct cf_time_axis *axis, size_t expected, struct failure *failure) {
    if (axis->count != expected) return failure_set(failure, VIRGA_UNSUPPORTED, "its time coordinate has %zu values for %zu steps", axis->count, expected);
    return axis->count == 0 ? failure_set(failure, VIRGA_UNSUPPORTED, "its time dimension has no steps") : VIRGA_OK;
}

static int room_for_runs(struct cf_time_axis *axis, struct failure *failure) {
    return (axis->run = calloc(axis->count + 1, sizeof *axis->run)) ? VIRGA_OK : failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
}

// One run, or times that name theirs.
static int fill_times(struct cf_file *file, struct cf_time_axis *axis, int dimension, struct failure *failure) {
    const struct source_variable *v = cf_file_variable(file, (size_t)axis->time);
    struct cf_time_units units;
    bool dates = v->type == SOURCE_CHAR, periods = !dates && is_period(v) && !tells_times(v);
    int status = dates ? read_dates(file, axis->time, axis->calendar, &axis->seconds, &axis->count, failure)
                 : periods ? read_periods(file, axis->time, &axis->seconds, &axis->count, failure)
                           : read_times(file, axis->time, &axis->calendar, &units, &axis->seconds, &axis->count, failure);
    if (!status) status = check_count(axis, dimension >= 0 ? source_inventory(file->source)->dimensions[dimension].length : 1, failure);
    if (!status) status = room_for_runs(axis, failure);
    if (status) return status;
    if (periods) {
        if (axis->reference != CF_NO_VARIABLE) cf_calendar_parse(cf_text(cf_file_variable(file, (size_t)axis->reference), "calendar"), &axis->calendar);
        if (!run_by_reference(file, axis))
            return failure_set(failure, VIRGA_UNSUPPORTED, "its steps are forecast periods, and no forecast_reference_time says since when");
        for (size_t n = 0; n < axis->count; n++) axis->seconds[n] += axis->run[n];
        return VIRGA_OK;
    }
    if (!run_by_reference(file, axis) && !run_by_period(file, axis) && !run_of_wrf(file, axis)) run_by_epoch(axis, dates ? NULL : &units);
    return VIRGA_OK;
}

// Times of each run and step, [run][step]. `both`: the variable that has them.
static int fill_both(struct cf_file *file, struct cf_time_axis *axis, int both, size_t run_dimension, size_t runs, size_t steps, struct failure *failure) {
    const struct source_variable *v = cf_file_variable(file, (size_t)both);
    struct cf_time_units units;
    double *stored = NULL;
    size_t count = 0;
    int status = read_times(file, both, &axis->calendar, &units, &stored, &count, failure);
    if (!status && count != runs * steps) status = failure_set(failure, VIRGA_UNSUPPORTED, "its times are not one a run and step");
    for (size_t r = 0; r < runs && !status; r++)
        for (size_t s = 0; s < steps; s++) axis->seconds[r * steps + s] = stored[v->dimensions[0] == run_dimension ? r * steps + s : s * runs + r];
    free(stored);
    return status;
}

// Steps of several runs: by times of both dimensions, else by forecast periods or else valid times that all runs share.
static int fill_runs(struct cf_file *file, struct cf_time_axis *axis, int step_dimension, size_t run_dimension, struct failure *failure) {
    const struct source_dimension *dimensions = source_inventory(file->source)->dimensions;
    size_t runs = dimensions[run_dimension].length, steps = step_dimension < 0 ? 1 : dimensions[step_dimension].length, count = 0;
    double *references = NULL, *periods = NULL;
    struct cf_time_units units;
    int reference = cf_coordinate_variable(file->source, run_dimension), status;
    if (steps == 0 || runs > TIMES_MAX / steps) return failure_set(failure, VIRGA_TOO_LARGE, "it has more than %d times", TIMES_MAX);
    axis->count = runs * steps;
    if (!(axis->seconds = calloc(axis->count + 1, sizeof *axis->seconds))) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    if ((status = room_for_runs(axis, failure)) || (status = read_times(file, reference, &axis->calendar, &units, &references, &count, failure))) goto out;
    for (size_t n = 0; n < axis->count; n++) axis->run[n] = references[n / steps];
    int both = step_dimension < 0 ? find_on(file->source, run_dimension, tells_valid_times) : find_both(file->source, run_dimension, (size_t)step_dimension);
    int period = step_dimension < 0 ? axis->period : find_on(file->source, (size_t)step_dimension, is_period);
    int shared = step_dimension < 0 ? CF_NO_VARIABLE : find_on(file->source, (size_t)step_dimension, tells_valid_times);
    if (both != CF_NO_VARIABLE) {
        status = fill_both(file, axis, both, run_dimension, runs, steps, failure);
    } else if (period != CF_NO_VARIABLE) {
        status = read_periods(file, period, &periods, &count, failure);
        if (!status && count != steps && count != 1) status = failure_set(failure, VIRGA_UNSUPPORTED, "its forecast periods are not one a step");
        for (size_t n = 0; n < axis->count && !status; n++) axis->seconds[n] = axis->run[n] + periods[count == 1 ? 0 : n % steps];
    } else if (shared != CF_NO_VARIABLE) {
        status = read_times(file, shared, &axis->calendar, &units, &periods, &count, failure);
        if (!status && count != steps) status = failure_set(failure, VIRGA_UNSUPPORTED, "its times are not one a step");
        for (size_t n = 0; n < axis->count && !status; n++) axis->seconds[n] = periods[n % steps];
    } else {
        status = failure_set(failure, VIRGA_UNSUPPORTED,
                             "it has several forecast reference times, and neither times nor forecast periods of both say when its steps are");
    }
out:
    free(references);
    free(periods);
    return status;
}

static int by_number(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void add_note(struct cf_time_axis *axis, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add_note(struct cf_time_axis *axis, const char *format, ...) {
    size_t used = strlen(axis->note);
    va_list arguments;
    if (used > 0 && used < sizeof axis->note - 3) used += (size_t)snprintf(axis->note + used, sizeof axis->note - used, "; ");
    va_start(arguments, format);
    vsnprintf(axis->note + used, sizeof axis->note - used, format, arguments);
    va_end(arguments);
}

// What a person should know about the times, though they can be used.
static void note_oddities(struct cf_file *file, struct cf_time_axis *axis, bool several_runs) {
    double *sorted = malloc((axis->count + 1) * sizeof *sorted);
    size_t present = 0, twice = 0;
    const struct source_variable *v = cf_file_variable(file, (size_t)axis->time);
    for (size_t n = 0; sorted && n < axis->count; n++)
        if (isfinite(axis->seconds[n])) sorted[present++] = axis->seconds[n];
    if (sorted) qsort(sorted, present, sizeof *sorted, by_number);
    bool each_run = several_runs || axis->reference != CF_NO_VARIABLE || axis->period != CF_NO_VARIABLE;  // runs overlap
    for (size_t n = 1; sorted && n < present && !each_run; n++) twice += sorted[n] == sorted[n - 1];
    if (sorted && present < axis->count)
        add_note(axis, "%zu of its %zu times are missing or no dates: these steps are left out", axis->count - present, axis->count);
    if (twice) add_note(axis, "%zu of its %zu times stand there twice: the first of each is shown", twice, axis->count);
    free(sorted);
    const char *calendar = cf_text_or_empty(v, "calendar"), *units = cf_text_or_empty(v, "units");
    if (strcasecmp(calendar, "utc") == 0 || strcasecmp(calendar, "tai") == 0)
        add_note(axis, "its calendar %.3s counts leap seconds, which are left out here: times may be up to 37 s off", calendar);
    if (axis->calendar != CALENDAR_360_DAY && cf_time_units_like(units) && cf_time_units_uneven(units))
        add_note(axis, "its times are in \"%.40s\", of one length each as UDUNITS has it: no calendar months or years", units);
}

static int fill(struct cf_file *file, struct cf_time_axis *axis, int dimension, int run_dimension, struct failure *failure) {
    if (axis->time == CF_NO_VARIABLE) return failure_set(failure, VIRGA_UNSUPPORTED, "its time dimension has no coordinate");
    int status = run_dimension >= 0 ? fill_runs(file, axis, dimension, (size_t)run_dimension, failure) : fill_times(file, axis, dimension, failure);
    if (status) return status;
    bool any = false;
    for (size_t n = 0; n < axis->count; n++) any |= isfinite(axis->seconds[n]);
    if (!any) return failure_set(failure, VIRGA_UNSUPPORTED, "its times are all missing or out of range");
    note_oddities(file, axis, run_dimension >= 0);
    return VIRGA_OK;
}

int cf_time_find(struct cf_file *file, const struct source_variable *v, int dimension, int run_dimension, struct failure *failure) {
    int time = run_dimension >= 0 ? cf_coordinate_variable(file->source, (size_t)run_dimension) : find_time(file->source, v, dimension);
    if (time == CF_NO_VARIABLE && dimension < 0) return -1;
    int reference = find_coordinate(file->source, v, dimension, "forecast_reference_time", true);
    int period = find_coordinate(file->source, v, dimension, "forecast_period", true);
    if (reference == CF_NO_VARIABLE && time != CF_NO_VARIABLE && is_period(cf_file_variable(file, (size_t)time))) reference = cf_time_start(file->source, v);
    for (size_t n = 0; n < file->time_count; n++) {
        const struct cf_time_axis *t = &file->times[n];
        bool same = t->time == time && t->reference == reference && t->period == period && t->dimension == dimension && t->run_dimension == run_dimension;
        if (same && time != CF_NO_VARIABLE) return (int)n;
    }
    struct cf_time_axis *grown = cf_grow(file->times, file->time_count, sizeof *grown);
    if (!grown) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    file->times = grown;
    struct cf_time_axis *axis = &grown[file->time_count];
    *axis = (struct cf_time_axis){.time = time, .reference = reference, .period = period, .dimension = dimension, .run_dimension = run_dimension};
    axis->refused = fill(file, axis, dimension, run_dimension, &axis->failure) != VIRGA_OK;
    return (int)file->time_count++;
}
