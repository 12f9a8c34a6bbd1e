// SPDX-License-Identifier: Apache-2.0
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"

int failure_set(struct failure *failure, int status, const char *format, ...) {
    if (!failure) return status;
    failure->status = status;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(failure->message, sizeof failure->message, format, arguments);
    va_end(arguments);
    if (length < 0) failure->message[0] = '\0';
    utf8_clean(failure->message);  // one line, whatever a file's names hold
    return status;
}

const char *status_name(int status) {
    switch (status) {
    case VIRGA_OK: return "ok";
    case VIRGA_AGAIN: return "not yet";
    case VIRGA_NO_MEMORY: return "out of memory";
    case VIRGA_INVALID: return "invalid";
    case VIRGA_NOT_FOUND: return "not found";
    case VIRGA_UNREADABLE: return "unreadable";
    case VIRGA_UNSUPPORTED: return "unsupported";
    case VIRGA_TOO_LARGE: return "too large";
    case VIRGA_TIMED_OUT: return "timed out";
    case VIRGA_CANCELLED: return "cancelled";
    case VIRGA_IO: return "refused by the system";
    case VIRGA_GONE: return "gone";
    case VIRGA_CHANGED: return "changed";
    case VIRGA_INTERNAL: return "internal error";
    default: return "unknown status";
    }
}
