// SPDX-License-Identifier: Apache-2.0
// Pictures of pins on disk, one file a picture below the state folder, so that a restart has them: STATE/pins/ID-KEY.jpg. They may be deleted at any time. Blocks.
#ifndef VIRGA_SERVER_PIN_FILES_H
#define VIRGA_SERVER_PIN_FILES_H

#include <stdbool.h>

#include "base/shared_bytes.h"
#include "base/status.h"
#include "server/pin.h"

enum {
    PIN_KEY = 32,               // hexadecimal digits of a picture's key
    PIN_FILE_PATH = 4400,
    PIN_PICTURE_MOST = 1 << 20  // bytes of a picture's file
};

// Whether the text is a key: PIN_KEY hexadecimal digits, and no more.
bool pin_key_valid(const char *text);

// Makes the folder, with these permissions: for this user only.
int pin_files_start(const char *state_dir, struct failure *failure);
struct pin_file {
    char id[PIN_ID + 1], key[PIN_KEY + 1];
    double written;  // wall clock
};
// Has `keep` decide of each file there is; others are deleted, and whatever else lies in the folder but is no folder.
void pin_files_sweep(const char *state_dir, bool (*keep)(void *user, const struct pin_file *file), void *user);

// NULL: it is not there (any more), or is no such file.
struct shared_bytes *pin_file_read(const char *state_dir, const char *id, const char *key);
// It is there as a whole, or not at all. False: it could not be written.
bool pin_file_write(const char *state_dir, const char *id, const char *key, const struct shared_bytes *bytes);
void pin_file_remove(const char *state_dir, const char *id, const char *key);

#endif
