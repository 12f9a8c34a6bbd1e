// SPDX-License-Identifier: Apache-2.0
// Files of assets/ as they were when the program was built (embed.cmake). Immutable, any thread.
#ifndef VIRGA_BASE_EMBEDDED_H
#define VIRGA_BASE_EMBEDDED_H

struct embedded_file {  // a list of these ends with a NULL name
    const char *name;   // without folders
    const char *text;   // ends with a zero byte
};

// The text of that name, or NULL.
const char *embedded_text(const struct embedded_file *files, const char *name);

#endif
