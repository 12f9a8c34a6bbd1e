// SPDX-License-Identifier: Apache-2.0
// Whether a file is whole: nobody has it open for writing, or, where the kernel does not tell, it has been closed or still for a while. Pure but for
// file_writers_of; the clock is passed. One thread.
#ifndef VIRGA_SERVER_FILE_WRITERS_H
#define VIRGA_SERVER_FILE_WRITERS_H

#include <stdbool.h>

#include "source/source.h"

enum file_writers { FILE_WRITERS_NONE, FILE_WRITERS_SOME, FILE_WRITERS_UNKNOWN };

// Asks the kernel for a moment's read lease, which it grants to the file's owner (or CAP_LEASE) where nobody writes. Unknown: of others' files, on file
// systems without leases, of folders. Never blocks. SIGIO is ignored from the first call on.
enum file_writers file_writers_of(const char *path);

struct file_activity;  // what was seen of files lately, by device and inode

struct file_activity *file_activity_new(void);  // NULL when out of memory
void file_activity_free(struct file_activity *activity);
// Something was written to it. True: that is news, since it counted as closed.
bool file_activity_written(struct file_activity *activity, const struct source_identity *identity);
// Whoever wrote it closed it, or it was put in place by renaming.
void file_activity_closed(struct file_activity *activity, const struct source_identity *identity);
// Its permissions or times changed: if it was closed, it is so still.
void file_activity_touched(struct file_activity *activity, const struct source_identity *identity);
// Events were lost: whatever was thought to be written or closed is not known any more.
void file_activity_lost(struct file_activity *activity, double now);

// A look at all files begins; those that nobody asks for until it ends are forgotten. first: what is there already counts without having been still.
void file_activity_begin(struct file_activity *activity, bool first);
// Whether a file counts. Where it does not only because it must be still for `settle` seconds, *again (if later) becomes the time to look again.
bool file_activity_is_whole(struct file_activity *activity, const struct source_identity *identity, enum file_writers writers, double settle, double now, double *again);
void file_activity_end(struct file_activity *activity);

#endif
