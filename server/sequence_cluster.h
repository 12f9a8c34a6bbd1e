// SPDX-License-Identifier: Apache-2.0
// Frames of an export that workers of the engine's cluster draw, each of which runs virga on its own machine (sequence_serve.h); they come back here
// and are written as those drawn here are. `PYTHON -m virga_engine.export`, a child, hands them out and takes them in. Its descriptor 3, a
// socket: to it, a u32 of bytes and a JSON object (the job); from it, items as in sequence_serve.h. It ends what it began when the socket closes.
#ifndef VIRGA_SERVER_SEQUENCE_CLUSTER_H
#define VIRGA_SERVER_SEQUENCE_CLUSTER_H

#include "server/sequence_work.h"

// Whether frames can be drawn elsewhere: VIRGA_INVALID or VIRGA_NOT_FOUND say what is in the way (a forecast that only this process reaches, no engine).
int sequence_cluster_check(const struct config *config, struct failure *failure);
// Has the frames drawn that are not there yet. As sequence_export_run, the folder being open.
int sequence_cluster_draw(struct sequence_work *work, struct failure *failure);

#endif
