// SPDX-License-Identifier: Apache-2.0
// What a layer that is a difference takes away, looked up in a catalog; the page's is web/view/view_minus.js. Private to view_resolve.c. Any thread.
#ifndef VIRGA_RENDER_VIEW_MINUS_H
#define VIRGA_RENDER_VIEW_MINUS_H

#include "render/view_resolve.h"

// Gives a layer whose view has a `minus`, and whose own run, variable and member are known, its `minus`, lattice and `difference`. VIRGA_NOT_FOUND,
// or VIRGA_INVALID where the two cannot be taken from each other, with a message that begins with the view's field: "layers[0].minus.run: …". A hidden
// layer that lacks only the run or a common time is no error: its series becomes NULL.
int view_minus_resolve(struct view_resolved *resolved, size_t index, struct failure *failure);

#endif
