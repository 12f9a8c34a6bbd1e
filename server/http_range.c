// SPDX-License-Identifier: Apache-2.0
#include "server/http_range.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

// Digits to a number that stays at its largest when there are too many. False where there is no digit.
static bool take_number(const char **text, uint64_t *number) {
    const char *at = *text;
    *number = 0;
    for (; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        *number = *number > (UINT64_MAX - digit) / 10 ? UINT64_MAX : *number * 10 + digit;
    }
    bool any = at != *text;
    *text = at;
    return any;
}

static enum http_range_kind last_bytes(uint64_t count, uint64_t size, struct http_range *out) {
    if (!count || !size) return HTTP_RANGE_UNSATISFIABLE;
    if (count > size) count = size;
    *out = (struct http_range){.first = size - count, .count = count};
    return HTTP_RANGE_PART;
}

enum http_range_kind http_range_parse(const char *range, const char *if_range, const char *etag, uint64_t size, struct http_range *out) {
    static const char unit[] = "bytes=";
    uint64_t first, last = UINT64_MAX;
    *out = (struct http_range){.count = size};
    if (!range[0] || (if_range[0] && strcmp(if_range, etag)) || strncasecmp(range, unit, sizeof unit - 1)) return HTTP_RANGE_WHOLE;
    const char *at = range + sizeof unit - 1;
    at += strspn(at, " \t");
    bool has_first = take_number(&at, &first);
    if (*at++ != '-') return HTTP_RANGE_WHOLE;
    bool has_last = take_number(&at, &last);
    at += strspn(at, " \t");
    if (*at || (!has_first && !has_last)) return HTTP_RANGE_WHOLE;
    if (!has_first) return last_bytes(last, size, out);
    if (!has_last) last = UINT64_MAX;
    if (last < first) return HTTP_RANGE_WHOLE;
    if (first >= size) return HTTP_RANGE_UNSATISFIABLE;
    if (last >= size) last = size - 1;
    *out = (struct http_range){.first = first, .count = last - first + 1};
    return HTTP_RANGE_PART;
}
