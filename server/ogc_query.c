// SPDX-License-Identifier: Apache-2.0
#include "server/ogc_query.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "field/cf_time.h"

// --- Times.

static bool is_open(const char *text, size_t length) { return !length || (length == 2 && !strncmp(text, "..", 2)); }

static int take_time(const char *text, size_t length, char time[OGC_TIME_TEXT], struct failure *failure) {
    time[0] = '\0';
    if (is_open(text, length)) return VIRGA_OK;
    if (length >= OGC_TIME_TEXT) return failure_set(failure, VIRGA_INVALID, "datetime: \"%.40s…\" is no time", text);
    memcpy(time, text, length);
    time[length] = '\0';
    return VIRGA_OK;
}

int ogc_datetime_parse(const char *text, struct ogc_datetime *datetime, struct failure *failure) {
    const char *slash = strchr(text, '/');
    *datetime = (struct ogc_datetime){.said = *text != '\0', .interval = slash != NULL};
    if (!slash) return take_time(text, strlen(text), datetime->from, failure);
    if (strchr(slash + 1, '/')) return failure_set(failure, VIRGA_INVALID, "datetime = \"%.60s\" must be a time, or two with one \"/\" between", text);
    int status = take_time(text, (size_t)(slash - text), datetime->from, failure);
    return status ? status : take_time(slash + 1, strlen(slash + 1), datetime->to, failure);
}

static int parse_time(const char *text, const char *calendar_name, double open, double *seconds, struct failure *failure) {
    enum cf_calendar calendar;
    *seconds = open;
    if (!*text || (!cf_calendar_parse(calendar_name, &calendar) && !cf_time_parse(calendar, text, seconds))) return VIRGA_OK;
    return failure_set(failure, VIRGA_INVALID, "datetime: \"%.50s\" must be like 2026-01-31T12:00:00Z", text);
}

int ogc_datetime_range(const struct ogc_datetime *datetime, const char *calendar, double *from, double *to, struct failure *failure) {
    int status = parse_time(datetime->from, calendar, -INFINITY, from, failure);
    if (!status) status = parse_time(datetime->to, calendar, INFINITY, to, failure);
    if (!status && datetime->said && !datetime->interval) *to = *from;
    return status;
}

int ogc_datetime_steps(const struct ogc_datetime *datetime, const struct catalog_variable *variable, const struct catalog_series *series, size_t *first, size_t *count,
                       struct failure *failure) {
    const double same = 0.5;  // seconds
    double from, to;
    int status = ogc_datetime_range(datetime, variable->calendar, &from, &to, failure);
    *first = *count = 0;
    for (size_t t = 0; t < series->time_count && !status; t++) {
        double seconds = series->times[t].seconds;
        if (!(seconds > from - same && seconds < to + same)) continue;
        if (!*count) *first = t;
        *count += 1;
    }
    return status;
}

// --- Heights.

static int no_height(const char *text, struct failure *failure) {
    return failure_set(failure, VIRGA_INVALID,
                       "z = \"%.60s\" must be a height in metres, a list (500,1000; at most %d), a range (500/2000), or R10/0/250 for ten of them from 0, every 250", text, OGC_HEIGHTS);
}

// A number that ends at one of `ends`, or at the end of the text.
static bool take_number(const char **at, const char *ends, double *number) {
    char *end;
    if (!strchr("+-.0123456789", **at) || !**at) return false;
    *number = strtod(*at, &end);
    if (end == *at || !(fabs(*number) <= 1e6) || strcspn(*at, "xXpP") < (size_t)(end - *at) || (*end && !strchr(ends, *end))) return false;
    *at = end;
    return true;
}

static bool take_repeated(const char *text, struct ogc_heights *heights) {
    double count, from, step;
    text++;
    if (!take_number(&text, "/", &count) || *text++ != '/' || !take_number(&text, "/", &from) || *text++ != '/' || !take_number(&text, "", &step)) return false;
    if (!(count >= 1 && count <= OGC_HEIGHTS) || count != floor(count)) return false;
    heights->kind = OGC_HEIGHTS_LIST;
    heights->count = (size_t)count;
    for (size_t n = 0; n < heights->count; n++) heights->values[n] = from + step * (double)n;
    return true;
}

static bool take_range(const char *text, struct ogc_heights *heights) {
    heights->kind = OGC_HEIGHTS_RANGE;
    return take_number(&text, "/", &heights->values[0]) && *text++ == '/' && take_number(&text, "", &heights->values[1]) && heights->values[0] <= heights->values[1];
}

static bool take_list(const char *text, struct ogc_heights *heights) {
    heights->kind = OGC_HEIGHTS_LIST;
    do {
        if (heights->count == OGC_HEIGHTS || !take_number(&text, ",", &heights->values[heights->count++])) return false;
    } while (*text++ == ',');
    return true;
}

int ogc_heights_parse(const char *text, struct ogc_heights *heights, struct failure *failure) {
    *heights = (struct ogc_heights){0};
    if (!*text) return VIRGA_OK;
    bool good = *text == 'R' || *text == 'r' ? take_repeated(text, heights) : strchr(text, '/') ? take_range(text, heights) : take_list(text, heights);
    return good ? VIRGA_OK : no_height(text, failure);
}

// --- Boxes.

int ogc_box_parse(const char *text, bool *said, double box[4], struct failure *failure) {
    double numbers[6];
    size_t count = 0;
    const char *at = text;
    *said = *text != '\0';
    if (!*said) return VIRGA_OK;
    while (count < 6 && take_number(&at, ",", &numbers[count])) {
        count++;
        if (*at++ != ',') break;
    }
    bool whole = count && at[-1] == '\0' && (count == 4 || count == 6);
    const size_t upper = count == 6 ? 3 : 2;
    if (whole) memcpy(box, (const double[]){numbers[0], numbers[1], numbers[upper], numbers[upper + 1]}, 4 * sizeof *box);
    if (whole && box[1] <= box[3] && fabs(box[0]) <= 360 && fabs(box[2]) <= 360 && fabs(box[1]) <= 90 && fabs(box[3]) <= 90) return VIRGA_OK;
    return failure_set(failure, VIRGA_INVALID, "bbox = \"%.80s\" must be west,south,east,north in degrees", text);
}

// East of west, by whole turns.
static double east_of(const double box[4]) { return box[2] < box[0] ? box[2] + 360 * ceil((box[0] - box[2]) / 360) : box[2]; }

bool ogc_boxes_meet(const double a[4], const double b[4]) {
    double a_east = east_of(a), b_east = east_of(b);
    if (a[1] > b[3] || b[1] > a[3]) return false;
    for (double turn = -1080; turn <= 1080; turn += 360)
        if (a[0] <= b_east + turn && b[0] + turn <= a_east) return true;
    return false;
}

// --- Names.

int ogc_crs_check(const char *text, struct failure *failure) {
    static const char *const known[] = {"", "CRS84", "CRS:84", "OGC:CRS84", "http://www.opengis.net/def/crs/OGC/1.3/CRS84", "https://www.opengis.net/def/crs/OGC/1.3/CRS84",
                                        "http://www.opengis.net/def/crs/OGC/0/CRS84", "[OGC:CRS84]"};
    for (size_t n = 0; n < sizeof known / sizeof *known; n++)
        if (!strcasecmp(text, known[n])) return VIRGA_OK;
    return failure_set(failure, VIRGA_INVALID, "crs = \"%.80s\": coordinates are given and taken in CRS84 only, that is longitude and latitude in degrees", text);
}

int ogc_format_check(const char *text, const char *names, struct failure *failure) {
    size_t length = strlen(text);
    if (!length) return VIRGA_OK;
    for (const char *at = names; *at; at += *at == ' ') {
        size_t n = strcspn(at, " ");
        if (n == length && !strncasecmp(at, text, n)) return VIRGA_OK;
        at += n;
    }
    return failure_set(failure, VIRGA_INVALID, "f = \"%.60s\" is none of the formats: %s", text, names);
}
