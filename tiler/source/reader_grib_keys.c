// SPDX-License-Identifier: Apache-2.0
// What a field is: parameter, level, time and member, by ecCodes' tables where WMO's and the centres' own tables are needed, and
// by the stored numbers otherwise.
#include <eccodes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source/reader_grib_known.h"

enum { TEXT = 256, DATA_MISSING = 255 };

static const int64_t longest_lead = 400LL * 366 * 86400;  // seconds

struct describing {
    struct grib_index *index;
    const struct grib_headers *headers;
    codes_handle *handle;
    struct grib_numbers numbers;      // edition 2
    struct grib_parameter parameter;  // texts below
    struct grib_field *field;
    char short_name[TEXT], cf_var_name[TEXT], name[TEXT], units[TEXT], standard_name[TEXT], type_of_level[TEXT], step_type[TEXT];
    char suffix[96], described[TEXT];
};

static bool get_text(codes_handle *h, const char *key, char out[TEXT]) {
    size_t n = TEXT;
    if (codes_get_string(h, key, out, &n) || !strcmp(out, "unknown") || !strcmp(out, "not_found")) *out = 0;
    out[TEXT - 1] = 0;
    return *out;
}

// False where there is no such key, or the message says "missing".
static bool get_number(codes_handle *h, const char *key, long *out) {
    int error = 0;
    *out = 0;
    if (codes_get_long(h, key, out)) return false;
    return !codes_is_missing(h, key, &error) || error;
}

static long number_or(codes_handle *h, const char *key, long otherwise) {
    long value;
    return get_number(h, key, &value) ? value : otherwise;
}

static int refuse(const struct describing *d, const char *why) {
    const char *level = *d->type_of_level ? d->type_of_level : "unknown level";
    grib_index_note(d->index, "%s (%s): %s", *d->short_name ? d->short_name : "a field", level, why);
    return VIRGA_UNSUPPORTED;
}

// --- times -------------------------------------------------------------------------------------------------------------

static int64_t days_before(int64_t year, int64_t month) {  // from 1970-01-01 to the month's first day, Gregorian
    int64_t y = month <= 2 ? year - 1 : year, m = (month + 9) % 12;
    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 - 719468;
}

static bool date_seconds(int64_t year, int64_t month, int64_t day, int64_t hour, int64_t minute, int64_t second, int64_t *out) {
    if (year < 1700 || year > 2400 || month < 1 || month > 12 || day < 1 || hour < 0 || hour > 24 || minute < 0 || minute > 59 || second < 0 || second > 60)
        return false;
    int64_t next = month == 12 ? days_before(year + 1, 1) : days_before(year, month + 1);
    if (day > next - days_before(year, month)) return false;
    *out = ((days_before(year, month) + day - 1) * 24 + hour) * 3600 + minute * 60 + second;
    return true;
}

static bool add_months(int64_t from, int64_t months, int64_t *out) {
    int64_t day = from >= 0 ? from / 86400 : -((86399 - from) / 86400), year = 1600, month = 1;
    while (days_before(year + 1, 1) <= day) year++;
    while (month < 12 && days_before(year, month + 1) <= day) month++;
    int64_t count = year * 12 + month - 1 + months;
    if (count < 1700 * 12 || count > 2400 * 12) return false;
    *out = (days_before(count / 12, count % 12 + 1) + day - days_before(year, month)) * 86400 + from - day * 86400;
    return true;
}

// `from` + `count` units of code table 4.4 (edition 1: table 4).
static bool add_units(int64_t from, int edition, long unit, int64_t count, int64_t *out) {
    static const int64_t seconds[] = {60, 3600, 86400, 0, 0, 0, 0, 0, 0, 0, 10800, 21600, 43200, 1, 0};
    static const int months[] = {0, 0, 0, 1, 12, 120, 360, 1200};
    int64_t one = unit >= 0 && unit <= 14 ? seconds[unit] : 0;
    if (edition == 1) one = unit == 13 ? 900 : unit == 14 ? 1800 : unit == 254 ? 1 : one;
    if (count > INT32_MAX || count < -INT32_MAX) return false;
    if (!one && unit >= 3 && unit <= 7) return count < 100000 && count > -100000 && add_months(from, count * months[unit], out);
    *out = from + count * one;
    return one != 0;
}

static int set_times(const struct describing *d, int64_t reference, int64_t start, int64_t end) {
    if (end < reference) return refuse(d, "its forecast time lies before its reference time");
    if (end - reference > longest_lead) return refuse(d, "its forecast time is out of range");
    d->field->reference = reference;
    d->field->valid = end;
    d->field->interval = end > start ? end - start : 0;
    return VIRGA_OK;
}

static int times2(struct describing *d) {
    const struct grib_numbers *n = &d->numbers;
    const uint8_t *one = d->headers->message + 16;
    int64_t reference, start, end;
    if (!date_seconds((int64_t)one[12] << 8 | one[13], one[14], one[15], one[16], one[17], one[18], &reference))
        return refuse(d, "its reference time is no date");
    if (!n->has_lead) {
        char why[120];
        snprintf(why, sizeof why, "its product definition (template %d) is not known, or has no forecast time",
                 d->headers->section4[7] << 8 | d->headers->section4[8]);
        return refuse(d, why);
    }
    if (!add_units(reference, 2, n->unit, n->lead, &start)) return refuse(d, "the unit of its forecast time is not understood");
    end = start;
    bool dated = n->has_range && date_seconds(n->end[0], n->end[1], n->end[2], n->end[3], n->end[4], n->end[5], &end);
    if (n->has_range && !dated && !add_units(start, 2, n->range_unit, n->range, &end)) return refuse(d, "the interval that it stands for is not understood");
    if (one[11] == 2) {  // the reference time is when the forecast is valid
        int64_t all = end - reference;
        reference -= all, start -= all, end -= all;
    }
    return set_times(d, reference, start, end);
}

static int times1(struct describing *d) {
    const uint8_t *p = d->headers->message + 8;
    int64_t reference, start, end;
    int from = p[18], to = p[19], range = p[20];
    int64_t year = p[24] > 0 ? (p[24] - 1) * 100 + p[12] : 1900 + p[12];
    if (!date_seconds(year, p[13], p[14], p[15], p[16], 0, &reference)) return refuse(d, "its reference time is no date");
    int64_t first = range == 10 ? from << 8 | to : from, last = range >= 2 && range <= 5 ? to : first;
    if (range == 1) first = last = 0;
    if (!add_units(reference, 1, p[17], first, &start) || !add_units(reference, 1, p[17], last, &end))
        return refuse(d, "the unit of its forecast time is not understood");
    static const int statistics[] = {[3] = 0, [4] = 1, [5] = 4};
    if (range >= 3 && range <= 5) d->parameter.statistic = statistics[range];
    if (range > 10) snprintf(d->suffix, sizeof d->suffix, "range%d", range);
    return set_times(d, reference, start, end);
}

// --- levels ------------------------------------------------------------------------------------------------------------

struct level_type {
    int type;
    enum grib_vertical kind;
    double scale;   // to the units of the kind
    bool layer;
    double from;    // value = from + scale * stored, where not 0
};

// Code table 3 of edition 1.
static const struct level_type types1[] = {
    {100, GRIB_PRESSURE, 100, false, 0}, {210, GRIB_PRESSURE, 1, false, 0}, {101, GRIB_PRESSURE, 1000, true, 0},
    {121, GRIB_PRESSURE, -100, true, 110000}, {103, GRIB_ALTITUDE, 1, false, 0}, {104, GRIB_ALTITUDE, 100, true, 0},
    {105, GRIB_HEIGHT, 1, false, 0}, {125, GRIB_HEIGHT, 0.01, false, 0}, {106, GRIB_HEIGHT, 100, true, 0},
    {107, GRIB_SIGMA, 1e-4, false, 0}, {108, GRIB_SIGMA, 0.01, true, 0}, {128, GRIB_SIGMA, -0.001, true, 1.1},
    {109, GRIB_HYBRID, 1, false, 0}, {110, GRIB_HYBRID, 1, true, 0}, {111, GRIB_DEPTH, 0.01, false, 0}, {112, GRIB_DEPTH, 0.01, true, 0},
    {160, GRIB_DEPTH, 1, false, 0}, {113, GRIB_THETA, 1, false, 0}, {114, GRIB_THETA, -1, true, 475},
    {20, GRIB_NUMBER, 0.01, false, 0}, {115, GRIB_NUMBER, 1, false, 0}, {116, GRIB_NUMBER, 1, true, 0}, {117, GRIB_NUMBER, 1, false, 0},
    {119, GRIB_NUMBER, 1e-4, false, 0}, {120, GRIB_NUMBER, 0.01, true, 0}, {141, GRIB_NUMBER, 1, true, 0},
};

static void levels1(struct describing *d) {
    const uint8_t *p = d->headers->message + 8;
    int type = p[9];
    const struct level_type *found = NULL;
    for (size_t i = 0; i < sizeof types1 / sizeof *types1 && !found; i++)
        if (types1[i].type == type) found = &types1[i];
    bool known = found || (type >= 1 && type <= 9) || type == 102 || type == 200 || type == 201 || type == 0;
    d->parameter.kind = found ? (int)found->kind : known ? GRIB_SINGLE : GRIB_NUMBER;
    d->parameter.layer = found && found->layer;
    if (d->parameter.layer) {
        d->field->level = found->from + found->scale * p[10];
        d->field->level2 = found->from + found->scale * p[11];
    } else {
        int value = p[10] << 8 | p[11];
        d->field->level = found ? found->from + found->scale * value : known ? 0 : value;
    }
    if (!*d->type_of_level) snprintf(d->type_of_level, sizeof d->type_of_level, "level%d", type);
}

// Code table 4.5 of edition 2.
static enum grib_vertical kind2(long type) {
    switch (type) {
    case 100: return GRIB_PRESSURE;
    case 102: return GRIB_ALTITUDE;
    case 103: return GRIB_HEIGHT;
    case 104: return GRIB_SIGMA;
    case 105:
    case 119: return GRIB_HYBRID;
    case 106:
    case 160: return GRIB_DEPTH;
    case 107: return GRIB_THETA;
    case 118: return GRIB_HYBRID_HEIGHT;
    case 255: return GRIB_SINGLE;
    default: break;
    }
    return (type >= 1 && type <= 15) || type == 17 || type == 18 || type == 101 || (type >= 162 && type <= 166) ? GRIB_SINGLE : GRIB_NUMBER;
}

static double scaled(codes_handle *h, const char *factor_key, const char *value_key) {
    long factor, value;
    if (!get_number(h, value_key, &value)) return NAN;
    if (!get_number(h, factor_key, &factor)) factor = 0;
    if (factor > 20 || factor < -20) return NAN;
    if (value & 0x80000000) value = -(value & 0x7fffffff);  // ecCodes leaves the sign in the highest bit
    return factor > 0 ? (double)value / pow(10, (double)factor) : (double)value * pow(10, (double)-factor);
}

static void numbers2(struct describing *d) {
    static const char *const ends[6] = {"yearOfEndOfOverallTimeInterval", "monthOfEndOfOverallTimeInterval", "dayOfEndOfOverallTimeInterval",
                                        "hourOfEndOfOverallTimeInterval", "minuteOfEndOfOverallTimeInterval", "secondOfEndOfOverallTimeInterval"};
    codes_handle *h = d->handle;
    struct grib_numbers *n = &d->numbers;
    if (grib_known_numbers(d->headers->section4, d->headers->section4_bytes, n)) return;
    *n = (struct grib_numbers){.first = number_or(h, "typeOfFirstFixedSurface", 255), .second = number_or(h, "typeOfSecondFixedSurface", 255)};
    n->level = scaled(h, "scaleFactorOfFirstFixedSurface", "scaledValueOfFirstFixedSurface");
    n->level2 = n->second == 255 ? NAN : scaled(h, "scaleFactorOfSecondFixedSurface", "scaledValueOfSecondFixedSurface");
    n->has_lead = get_number(h, "forecastTime", &n->lead);
    n->unit = number_or(h, "indicatorOfUnitOfTimeRange", -1);
    n->has_range = get_number(h, "lengthOfTimeRange", &n->range);
    n->range_unit = number_or(h, "indicatorOfUnitForTimeRange", -1);
    for (int i = 0; i < 6; i++) n->end[i] = number_or(h, ends[i], -1);
    n->member = number_or(h, "perturbationNumber", -1);
}

static void levels2(struct describing *d) {
    const struct grib_numbers *n = &d->numbers;
    struct grib_field *f = d->field;
    f->level = n->level;
    f->level2 = n->level2;
    d->parameter.kind = kind2(n->first);
    d->parameter.layer = n->second != 255;
    if (isnan(f->level)) d->parameter.kind = GRIB_SINGLE, f->level = 0;
    if (d->parameter.layer && isnan(f->level2)) f->level2 = 0;
    if (d->parameter.kind == GRIB_SINGLE && (!d->parameter.layer || (f->level == 0 && f->level2 == 0))) f->level = 0, f->level2 = NAN;
    if (!strcmp(d->type_of_level, "isobaricInPa")) strcpy(d->type_of_level, "isobaricInhPa");  // one axis for both
    if (*d->type_of_level) return;
    if (n->second == 255) snprintf(d->type_of_level, sizeof d->type_of_level, "level%ld", n->first);
    else snprintf(d->type_of_level, sizeof d->type_of_level, "level%ld_%ld", n->first, n->second);
}

// --- parameter ---------------------------------------------------------------------------------------------------------

static void number_text(char *out, size_t size, double v) { snprintf(out, size, "%.6g", v); }

// Products derived from an ensemble are variables of their own.
static void products2(struct describing *d) {
    static const char *const derived[] = {"mean", "weighted_mean", "deviation_from_cluster", "normalised_deviation", "spread", "anomaly_index",
                                          "cluster_mean", "interquartile_range", "minimum", "maximum"};
    codes_handle *h = d->handle;
    long n;
    char low[32], high[32];
    if (get_number(h, "derivedForecast", &n)) {
        if (n >= 0 && n < 10) snprintf(d->suffix, sizeof d->suffix, "%s", derived[n]);
        else snprintf(d->suffix, sizeof d->suffix, "derived%ld", n);
        snprintf(d->described, sizeof d->described, "%s of all members", d->suffix);
        for (char *c = d->described; *c; c++)
            if (*c == '_') *c = ' ';
    } else if (get_number(h, "percentileValue", &n)) {
        snprintf(d->suffix, sizeof d->suffix, "p%ld", n);
        snprintf(d->described, sizeof d->described, "percentile %ld", n);
    } else if (get_number(h, "probabilityType", &n)) {
        number_text(low, sizeof low, scaled(h, "scaleFactorOfLowerLimit", "scaledValueOfLowerLimit"));
        number_text(high, sizeof high, scaled(h, "scaleFactorOfUpperLimit", "scaledValueOfUpperLimit"));
        snprintf(d->suffix, sizeof d->suffix, "probability%ld_%s_%s", n, low, high);
        const char *const words[] = {"below %s", "above %s", "between %s and %s", "above %s", "below %s"};
        char limits[80] = "";
        bool upper = n == 1 || n == 4;
        if (n == 2) snprintf(limits, sizeof limits, "between %s and %s", low, high);
        else if (n >= 0 && n <= 4) snprintf(limits, sizeof limits, "%.5s %s", words[n], upper ? high : low);
        snprintf(d->described, sizeof d->described, "probability %s", limits);
    } else if (!d->parameter.param_id && get_number(h, "constituentType", &n)) {
        snprintf(d->suffix, sizeof d->suffix, "constituent%ld", n);
    } else if (!d->parameter.param_id && get_number(h, "aerosolType", &n)) {
        snprintf(d->suffix, sizeof d->suffix, "aerosol%ld", n);
    } else if (get_number(h, "scaledValueOfCentralWaveNumber", &n)) {
        snprintf(d->suffix, sizeof d->suffix, "wave_number%ld", n);
    }
}

static void describe_parameter(struct describing *d) {
    codes_handle *h = d->handle;
    struct grib_parameter *p = &d->parameter;
    long id = 0;
    get_number(h, "paramId", &id);
    p->param_id = id > 0 ? id : 0;
    p->edition = d->headers->edition;
    p->statistic = -1;
    get_text(h, "shortName", d->short_name);
    get_text(h, "cfVarName", d->cf_var_name);
    get_text(h, "name", d->name);
    get_text(h, "units", d->units);
    get_text(h, "cfName", d->standard_name);
    get_text(h, "typeOfLevel", d->type_of_level);
    if (!get_text(h, "stepType", d->step_type)) strcpy(d->step_type, "instant");
    if (p->edition == 2) {
        p->discipline = d->headers->message[6];
        p->category = (int32_t)number_or(h, "parameterCategory", 255);
        p->number = (int32_t)number_or(h, "parameterNumber", 255);
        p->statistic = (int32_t)number_or(h, "typeOfStatisticalProcessing", -1);
    } else {
        p->discipline = d->headers->message[8 + 3];
        p->category = d->headers->message[8 + 4];
        p->number = d->headers->message[8 + 8];
    }
    if (*d->short_name) return;
    if (p->edition == 2) snprintf(d->short_name, TEXT, "param_%d_%d_%d", p->discipline, p->category, p->number);
    else snprintf(d->short_name, TEXT, "param_%d_%d", p->discipline, p->number);
}

static int32_t member_of(const struct describing *d) {
    const uint8_t *p = d->headers->message + 8;
    long number = -1, total = 0;
    if (d->headers->edition == 2) {
        number = d->numbers.member;
    } else if (d->handle) {
        number = number_or(d->handle, "number", -1);
        total = number_or(d->handle, "totalNumber", 0);
    } else if ((p[0] << 16 | p[1] << 8 | p[2]) == 52) {  // grib_known_key takes no other local part
        number = p[49];
        total = p[50];
    }
    // ECMWF's local section has a number in deterministic forecasts too: 0 of 0.
    bool told = d->headers->edition == 2 ? number >= 0 : number > 0 || (number == 0 && total > 1);
    return told && number <= INT32_MAX ? (int32_t)number : GRIB_NONE;
}

// --- into the index ----------------------------------------------------------------------------------------------------

static bool same_text(const char *a, const char *b) { return strcmp(a, b) == 0; }

static bool same_parameter(const struct grib_parameter *a, const struct grib_parameter *b) {
    return a->param_id == b->param_id && a->statistic == b->statistic && a->kind == b->kind && a->layer == b->layer &&
           (a->param_id || (a->edition == b->edition && a->discipline == b->discipline && a->category == b->category && a->number == b->number)) &&
           same_text(a->short_name, b->short_name) && same_text(a->type_of_level, b->type_of_level) && same_text(a->step_type, b->step_type) &&
           same_text(a->suffix, b->suffix);
}

static int keep_parameter(struct describing *d, uint32_t *at, struct failure *failure) {
    struct grib_index *index = d->index;
    struct grib_parameter *p = &d->parameter;
    char **const texts[] = {&p->short_name, &p->cf_var_name, &p->name, &p->units, &p->standard_name, &p->type_of_level, &p->step_type, &p->suffix, &p->described};
    char *const values[] = {d->short_name, d->cf_var_name, d->name, d->units, d->standard_name, d->type_of_level, d->step_type, d->suffix, d->described};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) *texts[i] = values[i];
    for (size_t n = index->parameter_count; n-- > 0;)
        if (same_parameter(&index->parameters[n], p)) return *at = (uint32_t)n, VIRGA_OK;
    if (index->parameter_count == GRIB_PARAMETERS_MAX) return refuse(d, "the file has more parameters than are read");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!(*texts[i] = arena_text(&index->arena, values[i], strlen(values[i])))) return failure_set(failure, VIRGA_TOO_LARGE, "its index is larger than a reader may hold");
    index->parameters[index->parameter_count] = *p;
    *at = (uint32_t)index->parameter_count++;
    return VIRGA_OK;
}

static int keep_grid(struct describing *d, uint32_t *at, struct failure *failure) {
    const struct grib_headers *headers = d->headers;
    struct grib_index *index = d->index;
    if (!headers->grid) return refuse(d, "it has no grid definition of its own, but a predefined grid, which is not read");
    for (size_t n = 0; n < index->grid_count; n++) {
        const struct grib_section *g = &index->grids[n];
        if (g->edition == headers->edition && g->size == headers->grid_bytes && !memcmp(g->bytes, headers->grid, g->size)) return *at = (uint32_t)n, VIRGA_OK;
    }
    if (index->grid_count == GRIB_GRIDS_MAX) return refuse(d, "the file has more grids than are read");
    uint8_t *copy = arena_new(&index->arena, headers->grid_bytes, 1);
    if (!copy) return failure_set(failure, VIRGA_TOO_LARGE, "its index is larger than a reader may hold");
    memcpy(copy, headers->grid, headers->grid_bytes);
    index->grids[index->grid_count] = (struct grib_section){copy, (uint32_t)headers->grid_bytes, (uint8_t)headers->edition};
    *at = (uint32_t)index->grid_count++;
    return VIRGA_OK;
}

// IBM's hexadecimal floating point in edition 1, IEEE's in edition 2.
static double stored_number(const uint8_t *p, int edition) {
    uint32_t bits = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    if (edition == 2) {
        float f;
        memcpy(&f, &bits, sizeof f);
        return f;
    }
    double value = ldexp((double)(bits & 0xffffff), 4 * ((int)(bits >> 24 & 0x7f) - 64) - 24);
    return bits >> 31 ? -value : value;
}

static int keep_pv(struct describing *d, int32_t *at, struct failure *failure) {
    const struct grib_headers *headers = d->headers;
    struct grib_index *index = d->index;
    *at = GRIB_NONE;
    if (!headers->pv || !headers->pv_count || (d->parameter.kind != GRIB_HYBRID && d->parameter.kind != GRIB_HYBRID_HEIGHT)) return VIRGA_OK;
    for (size_t n = 0; n < index->pv_count; n++) {
        bool same = index->pvs[n].count == headers->pv_count;
        for (size_t i = 0; same && i < headers->pv_count; i++) {
            double v = stored_number(headers->pv + 4 * i, headers->edition);
            same = index->pvs[n].values[i] == v || (isnan(v) && isnan(index->pvs[n].values[i]));
        }
        if (same) return *at = (int32_t)n, VIRGA_OK;
    }
    if (index->pv_count == GRIB_PV_MAX) return refuse(d, "the file has more lists of level coefficients than are read");
    double *values = arena_new(&index->arena, headers->pv_count, sizeof *values);
    if (!values) return failure_set(failure, VIRGA_TOO_LARGE, "its index is larger than a reader may hold");
    for (size_t i = 0; i < headers->pv_count; i++) values[i] = stored_number(headers->pv + 4 * i, headers->edition);
    index->pvs[index->pv_count] = (struct grib_pv){values, (uint32_t)headers->pv_count};
    *at = (int32_t)index->pv_count++;
    return VIRGA_OK;
}

static void quiet(const codes_context *context, int level, const char *message) {
    (void)context;
    if (level == GRIB_LOG_FATAL) fprintf(stderr, "ecCodes: %s\n", message);
}

static void use_known(struct describing *d, const struct grib_parameter *p) {
    char *const to[] = {d->short_name, d->cf_var_name, d->name, d->units, d->standard_name, d->type_of_level, d->step_type, d->described};
    const char *const from[] = {p->short_name, p->cf_var_name, p->name, p->units, p->standard_name, p->type_of_level, p->step_type, p->described};
    for (size_t i = 0; i < sizeof to / sizeof *to; i++) snprintf(to[i], TEXT, "%s", from[i]);
    snprintf(d->suffix, sizeof d->suffix, "%s", p->suffix);
    d->parameter = *p;
}

// Everything but the grid and its like. *key: under what the parameter may be remembered, 0 where it is already.
static int describe_field(struct describing *d, uint64_t *key) {
    *key = grib_known_key(d->headers);
    const struct grib_parameter *known = grib_known_find(*key);
    if (known) {
        *key = 0;
        use_known(d, known);
    } else {
        d->handle = codes_handle_new_from_message(NULL, d->headers->message, d->headers->bytes);
        if (!d->handle) return refuse(d, "ecCodes cannot make sense of its headers");
        describe_parameter(d);
    }
    if (d->headers->edition == 2) numbers2(d), levels2(d);
    else levels1(d);
    int status = d->headers->edition == 2 ? times2(d) : times1(d);
    if (!status && d->handle && d->headers->edition == 2) products2(d);
    if (!status) d->field->member = member_of(d);
    return status;
}

// Who made the file, by its first field: octets 5 and, in ECMWF's local part, 42 of section 1; of edition 2, octets 6 and 7 of section 1, and 8 and 9
// of section 2.
static void keep_maker(struct grib_index *index, const struct grib_headers *h) {
    const uint8_t *p = h->message + (h->edition == 2 ? 16 : 8);
    if (index->field_count > 0 || index->centre > 0 || h->bytes < 16 + 21) return;
    size_t one = h->edition == 2 ? (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3] : (size_t)p[0] << 16 | (size_t)p[1] << 8 | p[2];
    index->centre = h->edition == 2 ? p[5] << 8 | p[6] : p[4];
    if (index->centre != 98 || one > h->bytes - 16) return;
    const uint8_t *two = p + one;
    if (h->edition == 1 && one >= 49) index->stream_class = p[41];
    if (h->edition == 2 && 16 + one + 9 <= h->bytes && two[4] == 2) index->stream_class = two[7] << 8 | two[8];
}

int grib_describe(struct grib_index *index, const struct grib_headers *headers, struct grib_field *field, struct failure *failure) {
    struct describing made;
    struct describing *d = &made;
    uint64_t key;
    *d = (struct describing){.index = index, .headers = headers, .field = field};
    codes_context_set_logging_proc(codes_context_get_default(), quiet);
    field->level2 = NAN;
    int status = describe_field(d, &key);
    if (!status) keep_maker(index, headers);
    if (!status) status = keep_grid(d, &field->grid, failure);
    if (!status) status = keep_pv(d, &field->pv, failure);
    if (!status) status = keep_parameter(d, &field->parameter, failure);
    if (!status) grib_known_add(key, &index->parameters[field->parameter]);
    if (d->handle) codes_handle_delete(d->handle);
    return status;
}
