// SPDX-License-Identifier: Apache-2.0
// Keeps what crashed readers when it was listed in a file of the state folder, so that a restart does not meet it again.
#ifndef VIRGA_SERVER_CONDEMNED_FILES_H
#define VIRGA_SERVER_CONDEMNED_FILES_H

#include "source/source.h"

// Takes what an earlier run of this version found to the pool; a file that is not there, or makes no sense, says nothing. Main thread,
// before anything is opened.
void condemned_files_load(struct source_pool *pool, const char *state_dir);
// Writes what the pool knows now, in place of what was there (by renaming). VIRGA_IO or VIRGA_NO_MEMORY with a message. Any thread,
// one at a time.
int condemned_files_save(struct source_pool *pool, const char *state_dir, struct failure *failure);

#endif
