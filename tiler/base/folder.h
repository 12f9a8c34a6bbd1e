// SPDX-License-Identifier: Apache-2.0
// Folders of the file system. Any thread.
#ifndef VIRGA_BASE_FOLDER_H
#define VIRGA_BASE_FOLDER_H

#include <sys/types.h>

// Makes a folder and those above it where they are absent, as mkdir -p does; new ones get this mode, less the umask. 0, or an errno.
int folder_make(const char *path, mode_t mode);

#endif
