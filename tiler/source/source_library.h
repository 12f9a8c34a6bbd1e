// SPDX-License-Identifier: Apache-2.0
// Folders of the installation whose files a library in a reader needs beside the data: ecCodes' definitions. They are fixed when
// the program is built, or by the environment that the server is started in; nothing in a file can choose them.
#ifndef VIRGA_SOURCE_SOURCE_LIBRARY_H
#define VIRGA_SOURCE_SOURCE_LIBRARY_H

#include <stddef.h>

// The folders, each absolute, with ':' between them: $ECCODES_DEFINITION_PATH, else what the installed ecCodes has by itself;
// "" for none. The text is the environment's or constant: it stays, but not past a change of the environment. Any thread.
const char *source_library_roots(void);

// The folder with the certificates of those who vouch for servers, for readers of OPeNDAP; written as the roots above. Any thread.
const char *source_library_certificates(void);

// Where `path` goes on below one of `roots`, after the slash; *root and *root_length are that folder's name within `roots`. NULL
// where it is below none. By text alone: "..", links and empty parts are for the one who opens it. Any thread, async-signal-safe.
const char *source_library_below(const char *roots, const char *path, const char **root, size_t *root_length);

#endif
