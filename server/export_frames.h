// SPDX-License-Identifier: Apache-2.0
// A job's folder with its frames, STATE/exports/ID. Blocks on the disk. Frames appear there whole or not at all (`virga export` sees to it).
#ifndef VIRGA_SERVER_EXPORT_FRAMES_H
#define VIRGA_SERVER_EXPORT_FRAMES_H

#include "server/export_store.h"

enum { EXPORT_PATH = 4500 };

// STATE/exports/NAME.
void export_folder(const char *state_dir, const char *name, char out[EXPORT_PATH]);
int export_folder_make(const char *folder, struct failure *failure);
// A process still has the folder: one of a server that was killed, which is dying.
bool export_folder_busy(const char *folder);
// With all that is in it; not there is fine.
void export_folder_remove(const char *folder);
// Removes what is in the folder and no frame: what a killed run left.
void export_folder_tidy(const char *folder, const struct export_job *job);
// Size and checksum of a frame. VIRGA_NOT_FOUND: it is not there (yet). VIRGA_IO.
int export_frame_read(const char *folder, const struct export_job *job, uint32_t number, struct export_frame *frame, struct failure *failure);
// Makes rows and job agree with the files, as after a kill: rows of frames that are not there go, frames without a row get one.
int export_frames_reconcile(struct export_store *store, const char *folder, struct export_job *job, struct failure *failure);
// Removes all folders in STATE/exports but those of these jobs.
void export_folders_sweep(const char *state_dir, const struct export_job *jobs, size_t count);

#endif
