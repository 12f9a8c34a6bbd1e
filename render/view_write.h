// SPDX-License-Identifier: Apache-2.0
// A view as its document again. Any thread.
#ifndef VIRGA_RENDER_VIEW_WRITE_H
#define VIRGA_RENDER_VIEW_WRITE_H

#include "render/view.h"

// JSON with every member of the view but `sequence`, which struct view does not hold; view_parse reads it back. lines: broken into
// lines for people, else one line. The caller frees it; NULL when out of memory.
char *view_write(const struct view *view, bool lines);

#endif
