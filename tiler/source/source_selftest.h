// SPDX-License-Identifier: Apache-2.0
// Asks a reader what confines it on this machine.
#ifndef VIRGA_SOURCE_SOURCE_SELFTEST_H
#define VIRGA_SOURCE_SOURCE_SELFTEST_H

#include <stdbool.h>

#include "base/status.h"

// Runs the reader program's self-test and waits for it, at most half a minute. reader_path: as source_pool_new takes it. *text: what it
// printed, a line a finding ("network: denied"), the caller's to free, NULL on failure. *holds: whether all is denied that must be.
// VIRGA_IO, VIRGA_TIMED_OUT, VIRGA_NO_MEMORY with a message that names the program. Any thread.
int source_selftest(const char *reader_path, char **text, bool *holds, struct failure *failure);

#endif
