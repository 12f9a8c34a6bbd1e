// SPDX-License-Identifier: Apache-2.0
// The view document that an export draws: read, changed by what the command line says, and written out for each frame. One thread.
#ifndef VIRGA_SERVER_EXPORT_DOCUMENT_H
#define VIRGA_SERVER_EXPORT_DOCUMENT_H

#include <jansson.h>
#include <stddef.h>

#include "render/sequence.h"
#include "render/view.h"

struct export_document {
    json_t *root;               // with the changes
    struct view view;           // what it says
    struct sequence *sequence;
};

// What the command line changes: members of the document, those of "captions" and "sequence" one by one. NULL when out of memory.
json_t *export_changes_new(void);
// Takes an option of the document ("times", "fps", "size", "title", "camera-path" …; value NULL where it has none). VIRGA_NOT_FOUND: it
// is none of these. VIRGA_INVALID or VIRGA_IO with a message that begins with the option.
int export_changes_take(json_t *changes, const char *option, const char *value, struct failure *failure);

// Reads a document ("-": standard input), checks it, makes the changes, and checks it again. *document is to be destroyed in any
// case. VIRGA_IO, VIRGA_INVALID (the message begins with the view's field), VIRGA_NO_MEMORY.
int export_document_read(const char *path, const json_t *changes, struct export_document *document, struct failure *failure);
void export_document_destroy(struct export_document *document);  // a zeroed one is allowed

// Shows another member than it said. VIRGA_NO_MEMORY.
int export_document_set_member(struct export_document *document, unsigned member, struct failure *failure);

// The document that makes one frame again: its run, time (a step's) and camera put in. between: the frame's time where it is not the
// step's, or NULL. The caller frees it; NULL when out of memory.
char *export_document_frame(const struct export_document *document, const char *run, const char *time, const char *between,
                            const struct view_camera *camera);
// Rounds a camera's numbers to ten digits, so that the document has the very ones that were drawn with.
void export_document_round(struct view_camera *camera);

#endif
