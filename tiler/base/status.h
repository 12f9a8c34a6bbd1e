// SPDX-License-Identifier: Apache-2.0
// Result codes and the message that travels with a failure.
//
// Every function that can fail returns int: VIRGA_OK (0) or one of the negative codes below. VIRGA_AGAIN means "not yet"
// and is no error. A function that takes a `struct failure *` fills it when, and only when, it returns a code below
// VIRGA_AGAIN; the pointer may be NULL. Messages say what, where and what to do, in one line without a newline.
#ifndef VIRGA_BASE_STATUS_H
#define VIRGA_BASE_STATUS_H

enum virga_status {
    VIRGA_OK = 0,
    VIRGA_AGAIN = -1,        // not yet: the answer comes later by the callback given
    VIRGA_NO_MEMORY = -2,    // an allocation failed or a budget is spent; only this request fails
    VIRGA_INVALID = -3,      // the caller's argument, or a client's message, is not acceptable
    VIRGA_NOT_FOUND = -4,    // no such file, dataset, variable, time or brick
    VIRGA_UNREADABLE = -5,   // a file is malformed, truncated or of a kind that cannot be read
    VIRGA_UNSUPPORTED = -6,  // understood, but cannot be placed or shown; the message says why
    VIRGA_TOO_LARGE = -7,    // over a limit
    VIRGA_TIMED_OUT = -8,
    VIRGA_CANCELLED = -9,
    VIRGA_IO = -10,          // the operating system refused: disk full, permission, broken socket
    VIRGA_GONE = -11,        // a child died, or what it had; trying again may work
    VIRGA_INTERNAL = -12,
    VIRGA_CHANGED = -13,     // a file is another than when it was opened, or is there no more; trying again is of no use
};

struct failure {
    int status;
    char message[512];
};

// Fills *failure (if not NULL) and returns `status`, so that a function can `return failure_set(...)`.
int failure_set(struct failure *failure, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));

// A short English word for a status ("not found"); never NULL; static storage.
const char *status_name(int status);

#endif
