// SPDX-License-Identifier: Apache-2.0
// What changed in a table since somebody was told last. Each row has the number of its last change; the last few rows that went are remembered by name. What a
// client has seen is one number, so that a client that does not read costs nothing. Under the lock of the table it is part of.
#ifndef VIRGA_SERVER_CHANGE_LOG_H
#define VIRGA_SERVER_CHANGE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CHANGE_LOG_ID = 16, CHANGE_LOG_GONE = 64 };  // hexadecimal digits of a row's name; rows that are gone and remembered

struct change_log {
    uint64_t changes;    // of any row: the number of the last one
    struct { char id[CHANGE_LOG_ID + 1]; uint64_t changed; } gone[CHANGE_LOG_GONE];  // a ring
    size_t gone_next;
    uint64_t forgotten;  // who has seen no more than this does not know of all that are gone
};

// What a client has been told; zeroed: nothing.
struct change_seen {
    uint64_t changed, since;
};

// The table's rows, for reading the numbers of their changes: a uint64_t at `offset` in each of `count` rows of `size` bytes.
struct change_rows {
    const void *rows;
    size_t count, size, offset;
};

struct change {
    const void *row;  // NULL: one that is gone
    const char *id;   // of one that is gone
    uint64_t changed;
};

void change_log_init(struct change_log *log);
// A row was removed.
void change_log_removed(struct change_log *log, const char *id);
// The changes since what was seen, longest ago first, at most `most`; moves *seen on. Pointers hold until the table or its log changes. *all: what was known
// before must be forgotten, as all are told anew. What was gone before the client knew anything is nothing to it.
size_t change_log_since(const struct change_log *log, const struct change_rows *rows, struct change_seen *seen, struct change *changes, size_t most, bool *all);

#endif
