// SPDX-License-Identifier: Apache-2.0
// Checks of what several parts of a view document hold.
#ifndef VIRGA_RENDER_VIEW_CHECK_H
#define VIRGA_RENDER_VIEW_CHECK_H

#include "render/document.h"
#include "render/view.h"

#define VIEW_CAMERA_DEFAULTS {.mode = VIEW_ORBIT, .up = {0, 0, 1}, .fov = 40}

// A rule for time; a document_check. out: char[VIEW_TIME_TEXT].
int view_check_time(struct document *document, const json_t *value, void *out);
// A camera's members; what is absent stays as it was. Others may stand beside them.
int view_check_camera(struct document *document, const json_t *value, struct view_camera *camera);

#endif
