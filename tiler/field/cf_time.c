// SPDX-License-Identifier: Apache-2.0
#include "field/cf_time.h"

#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/status.h"

enum { YEAR_LIMIT = 99999 };

struct date { int64_t year; int month, day; };

static const struct { const char *name; enum cf_calendar calendar; } calendar_names[] = {
    {"standard", CALENDAR_STANDARD}, {"proleptic_gregorian", CALENDAR_PROLEPTIC_GREGORIAN}, {"julian", CALENDAR_JULIAN},
    {"noleap", CALENDAR_NOLEAP}, {"all_leap", CALENDAR_ALL_LEAP}, {"360_day", CALENDAR_360_DAY},
    {"gregorian", CALENDAR_STANDARD}, {"365_day", CALENDAR_NOLEAP}, {"no_leap", CALENDAR_NOLEAP}, {"366_day", CALENDAR_ALL_LEAP},
    {"utc", CALENDAR_STANDARD}, {"tai", CALENDAR_STANDARD},
};

int cf_calendar_parse(const char *name, enum cf_calendar *calendar) {
    *calendar = CALENDAR_STANDARD;
    if (!name || !*name) return VIRGA_OK;
    for (size_t i = 0; i < sizeof calendar_names / sizeof *calendar_names; i++)
        if (strcasecmp(name, calendar_names[i].name) == 0) {
            *calendar = calendar_names[i].calendar;
            return VIRGA_OK;
        }
    return VIRGA_UNSUPPORTED;
}

const char *cf_calendar_name(enum cf_calendar calendar) {
    for (size_t i = 0; i < sizeof calendar_names / sizeof *calendar_names; i++)
        if (calendar_names[i].calendar == calendar) return calendar_names[i].name;
    return "standard";
}

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

static bool leap(enum cf_calendar calendar, int64_t year) {
    bool fourth = floor_div(year, 4) * 4 == year;
    bool gregorian = fourth && (floor_div(year, 100) * 100 != year || floor_div(year, 400) * 400 == year);
    switch (calendar) {
        case CALENDAR_NOLEAP: case CALENDAR_360_DAY: return false;
        case CALENDAR_ALL_LEAP: return true;
        case CALENDAR_JULIAN: return fourth;
        case CALENDAR_STANDARD: return year < 1583 ? fourth : gregorian;
        default: return gregorian;
    }
}

static int month_days(enum cf_calendar calendar, int64_t year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (calendar == CALENDAR_360_DAY) return 30;
    return days[month - 1] + (month == 2 && leap(calendar, year));
}

// Day number from a day that only has to be the same for all dates of one calendar.
static int64_t day_number_plain(enum cf_calendar calendar, struct date d) {
    int64_t y = d.year - 1, days;
    switch (calendar) {
        case CALENDAR_360_DAY: return d.year * 360 + (d.month - 1) * 30 + d.day - 1;
        case CALENDAR_NOLEAP: days = y * 365; break;
        case CALENDAR_ALL_LEAP: days = y * 366; break;
        case CALENDAR_JULIAN: days = y * 365 + floor_div(y, 4); break;
        default: days = y * 365 + floor_div(y, 4) - floor_div(y, 100) + floor_div(y, 400); break;
    }
    for (int m = 1; m < d.month; m++) days += month_days(calendar, d.year, m);
    return days + d.day - 1;
}

static bool before_reform(struct date d) {
    return d.year < 1582 || (d.year == 1582 && (d.month < 10 || (d.month == 10 && d.day < 15)));
}

static int64_t day_number(enum cf_calendar calendar, struct date d) {
    if (calendar != CALENDAR_STANDARD) return day_number_plain(calendar, d);
    if (!before_reform(d)) return day_number_plain(CALENDAR_PROLEPTIC_GREGORIAN, d);
    // The Julian 1582-10-05 is the Gregorian 1582-10-15.
    return day_number_plain(CALENDAR_JULIAN, d) - day_number_plain(CALENDAR_JULIAN, (struct date){1582, 10, 5}) +
           day_number_plain(CALENDAR_PROLEPTIC_GREGORIAN, (struct date){1582, 10, 15});
}

static int64_t days_since_1970(enum cf_calendar calendar, struct date d) {
    return day_number(calendar, d) - day_number(calendar, (struct date){1970, 1, 1});
}

static struct date date_of_day(enum cf_calendar calendar, int64_t days) {
    double length = calendar == CALENDAR_360_DAY ? 360 : calendar == CALENDAR_ALL_LEAP ? 366 : 365.2425;
    struct date d = {1970 + (int64_t)floor((double)days / length), 1, 1};
    while (days_since_1970(calendar, d) > days) d.year--;
    while (days_since_1970(calendar, (struct date){d.year + 1, 1, 1}) <= days) d.year++;
    while (d.month < 12 && days_since_1970(calendar, (struct date){d.year, d.month + 1, 1}) <= days) d.month++;
    d.day += (int)(days - days_since_1970(calendar, d));
    // The month of the reform has no days 5 to 14.
    if (calendar == CALENDAR_STANDARD && d.year == 1582 && d.month == 10 && d.day > 4) d.day += 10;
    return d;
}

static bool read_int(const char **at, int max_digits, int64_t *value) {
    const char *s = *at;
    int64_t v = 0;
    int n = 0;
    while (n < max_digits && isdigit((unsigned char)s[n])) v = v * 10 + (s[n++] - '0');
    if (n == 0 || isdigit((unsigned char)s[n])) return false;
    *at = s + n;
    *value = v;
    return true;
}

// 1-JAN-1900, 01 Jan 1900.
static bool read_named_month(const char **at, struct date *d) {
    static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    const char *s = *at;
    int64_t day, year;
    if (!read_int(&s, 2, &day) || (*s != '-' && *s != ' ') || strspn(s + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") != 3) return false;
    for (int month = 1; month <= 12; month++) {
        if (strncasecmp(s + 1, months + 3 * (month - 1), 3) != 0) continue;
        const char *after = s + 4;
        if (*after != '-' && *after != ' ') return false;
        after++;
        if (!read_int(&after, 6, &year)) return false;
        *d = (struct date){year, month, (int)day};
        *at = after;
        return true;
    }
    return false;
}

static bool read_date(const char **at, struct date *d) {
    int64_t a, b, c;
    int sign = 1;
    const char *s = *at;
    if (read_named_month(at, d)) return true;
    if (*s == '-' || *s == '+') sign = *s++ == '-' ? -1 : 1;
    if (strspn(s, "0123456789") == 8 && sign > 0) {  // 20061115
        int64_t all;
        if (!read_int(&s, 8, &all)) return false;
        *d = (struct date){all / 10000, (int)(all / 100 % 100), (int)(all % 100)};
        *at = s;
        return true;
    }
    if (!read_int(&s, 6, &a)) return false;
    char separator = *s;
    if (separator != '-' && separator != '/') return false;
    s++;
    if (!read_int(&s, 4, &b)) return false;
    c = 1;
    if (*s == separator) {
        s++;
        if (!read_int(&s, 6, &c)) return false;
    } else if (separator == '/') {
        return false;
    }
    if (separator == '/' && c > 31) {  // month/day/year, or day/month/year where the first cannot be a month
        bool day_first = a > 12;
        *d = (struct date){c, (int)(day_first ? b : a), (int)(day_first ? a : b)};
    } else {
        if (b > 99 || c > 99) return false;
        *d = (struct date){sign * a, (int)b, (int)c};
    }
    *at = s;
    return true;
}

// h[:m[:s]] or hhmm[ss].
static bool read_clock(const char **at, double *seconds) {
    int64_t h, m = 0;
    double s = 0;
    const char *c = *at;
    size_t digits = strspn(c, "0123456789");
    if (digits == 4 || digits == 6) {
        int64_t all;
        if (!read_int(&c, 6, &all)) return false;
        if (digits == 6) s = (double)(all % 100), all /= 100;
        h = all / 100, m = all % 100;
    } else {
        if (!read_int(&c, 2, &h)) return false;
        if (*c == ':') {
            c++;
            if (!read_int(&c, 2, &m)) return false;
            if (*c == ':') {
                c++;
                if (!isdigit((unsigned char)*c)) return false;
                char number[16] = "";
                size_t n = strspn(c, "0123456789.");
                if (n >= sizeof number) return false;
                memcpy(number, c, n);
                char *end;
                s = strtod(number, &end);
                if (*end) return false;
                c += n;
            }
        }
    }
    if (h > 24 || m > 59 || !(s < 61)) return false;
    *seconds = (double)h * 3600 + (double)m * 60 + s;
    *at = c;
    return true;
}

// Nothing, Z, UTC, GMT, +hh, +hhmm, +h:mm; h:mm without a sign is east, as UDUNITS has it. *seconds is what to subtract.
static bool read_zone(const char **at, double *seconds) {
    static const char *const names[] = {"UTC", "GMT", "Z"};
    const char *s = *at + strspn(*at, " ");
    *seconds = 0;
    for (size_t i = 0; i < 3; i++)
        if (strncasecmp(s, names[i], strlen(names[i])) == 0) {
            s += strlen(names[i]);
            break;
        }
    if (*s == '+' || *s == '-') {
        int sign = *s++ == '-' ? -1 : 1;
        if (!read_clock(&s, seconds)) return false;
        *seconds *= sign;
    } else if (isdigit((unsigned char)*s) && !read_clock(&s, seconds)) {
        return false;
    }
    *at = s;
    return true;
}

int cf_time_parse(enum cf_calendar calendar, const char *text, double *seconds) {
    const char *s = text + strspn(text, " ");
    struct date d;
    double clock = 0, zone = 0;
    if (!read_date(&s, &d)) return VIRGA_INVALID;
    if (llabs(d.year) > YEAR_LIMIT || d.month < 1 || d.month > 12 || d.day < 1 || d.day > month_days(calendar, d.year, d.month))
        return VIRGA_INVALID;
    if ((*s == 'T' || *s == 't' || *s == ' ' || *s == '_') && isdigit((unsigned char)s[strspn(s + 1, " ") + 1])) {
        s += strspn(s + 1, " ") + 1;
        if (!read_clock(&s, &clock)) return VIRGA_INVALID;
    }
    if (!read_zone(&s, &zone) || s[strspn(s, " ")]) return VIRGA_INVALID;
    *seconds = (double)days_since_1970(calendar, d) * 86400 + clock - zone;
    return VIRGA_OK;
}

static double unit_seconds(const char *word, size_t length, enum cf_calendar calendar) {
    static const struct { const char *names; double seconds; } table[] = {
        {" s sec secs second seconds ", 1}, {" min mins minute minutes ", 60}, {" h hr hrs hour hours ", 3600},
        {" d day days ", 86400}, {" week weeks ", 604800}, {" fortnight fortnights ", 1209600}, {" ms msec msecs millisecond milliseconds ", 1e-3},
        {" microsecond microseconds ", 1e-6}, {" ns nanosecond nanoseconds ", 1e-9},
        {" common_year common_years ", 365 * 86400.0}, {" leap_year leap_years ", 366 * 86400.0},
        {" julian_year julian_years ", 365.25 * 86400}, {" gregorian_year gregorian_years ", 365.2425 * 86400},
    };
    char key[32] = " ";
    if (length == 0 || length > sizeof key - 3) return 0;
    for (size_t i = 0; i < length; i++) key[i + 1] = (char)tolower((unsigned char)word[i]);
    key[length + 1] = ' ';
    key[length + 2] = 0;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strstr(table[i].names, key)) return table[i].seconds;
    // UDUNITS' year, which CF adopts, except where the calendar itself has one length of year.
    double year = calendar == CALENDAR_360_DAY ? 360 : calendar == CALENDAR_NOLEAP ? 365 : calendar == CALENDAR_ALL_LEAP ? 366
                  : calendar == CALENDAR_JULIAN ? 365.25 : 365.242198781;
    if (strstr(" month months ", key)) return year * 86400 / 12;
    if (strstr(" year years yr ", key)) return year * 86400;
    return 0;
}

static const char *since(const char *units) {
    for (const char *s = units; (s = strcasestr(s, "since")); s += 5)
        if (s > units && isspace((unsigned char)s[-1]) && isspace((unsigned char)s[5])) return s;
    return NULL;
}

// CDO's and COARDS' "day as %Y%m%d.%f".
static bool dates_themselves(const char *units) { return strncasecmp(units, "day as %Y%m%d", 13) == 0 && (!units[13] || strcasecmp(units + 13, ".%f") == 0); }

bool cf_time_units_like(const char *units) { return units && (since(units) || dates_themselves(units)); }

bool cf_time_units_uneven(const char *units) {
    const char *word = units + strspn(units, " ");
    return strncasecmp(word, "month", 5) == 0 || strncasecmp(word, "year", 4) == 0 || strncasecmp(word, "yr", 2) == 0;
}

int cf_time_units_parse(const char *units, enum cf_calendar calendar, struct cf_time_units *result) {
    const char *word = units + strspn(units, " "), *after = since(units);
    *result = (struct cf_time_units){.calendar = calendar, .absolute = dates_themselves(units)};
    if (result->absolute) return VIRGA_OK;
    if (!after) return VIRGA_INVALID;
    size_t length = strcspn(word, " \t");
    if (word + length + strspn(word + length, " \t") != after) return VIRGA_INVALID;
    result->seconds_per_unit = unit_seconds(word, length, calendar);
    if (result->seconds_per_unit == 0) return VIRGA_INVALID;
    after += 5;
    after += strspn(after, " \t");
    bool year_0 = strtol(after, NULL, 10) == 0 && strspn(after, "0") > 0 && strspn(after, "0123456789") < 5;
    if (year_0 && (calendar == CALENDAR_STANDARD || calendar == CALENDAR_JULIAN)) return VIRGA_UNSUPPORTED;
    return cf_time_parse(calendar, after, &result->epoch);
}

// 20051128.5: noon of that day. NaN where there is no such day.
static double date_seconds(enum cf_calendar calendar, double value) {
    if (!(fabs(value) < 1e9)) return NAN;
    int64_t all = (int64_t)floor(value);
    struct date d = {all / 10000, (int)(all / 100 % 100), (int)(all % 100)};
    if (d.year < 1 || d.month < 1 || d.month > 12 || d.day < 1 || d.day > month_days(calendar, d.year, d.month)) return NAN;
    // A day's fraction of a number this large is exact to about a millisecond.
    return (double)days_since_1970(calendar, d) * 86400 + round((value - (double)all) * 86400 * 100) / 100;
}

double cf_time_seconds(const struct cf_time_units *units, double value) {
    double seconds = units->absolute ? date_seconds(units->calendar, value) : units->epoch + value * units->seconds_per_unit;
    if (!isfinite(seconds) || fabs(seconds) > (double)YEAR_LIMIT * 366 * 86400) return NAN;
    double whole = round(seconds);
    return fabs(seconds - whole) <= 0.02 ? whole : round(seconds * 1000) / 1000;
}

int cf_time_text(enum cf_calendar calendar, double seconds, char text[CF_TIME_TEXT]) {
    text[0] = 0;
    if (!isfinite(seconds) || fabs(seconds) > (double)YEAR_LIMIT * 366 * 86400) return VIRGA_TOO_LARGE;
    int64_t ms = (int64_t)llround(seconds * 1000);
    int64_t day = floor_div(ms, 86400000), rest = ms - day * 86400000;
    struct date d = date_of_day(calendar, day);
    int n = snprintf(text, CF_TIME_TEXT, "%s%04d-%02d-%02dT%02d:%02d:%02d", d.year < 0 ? "-" : "", abs((int)d.year), d.month, d.day, (int)(rest / 3600000),
                     (int)(rest / 60000 % 60), (int)(rest / 1000 % 60));
    if (n < 0 || n > CF_TIME_TEXT - 6) return VIRGA_TOO_LARGE;
    if (rest % 1000) n += snprintf(text + n, (size_t)(CF_TIME_TEXT - n), ".%03d", (int)(rest % 1000));
    snprintf(text + n, (size_t)(CF_TIME_TEXT - n), "Z");
    return VIRGA_OK;
}
