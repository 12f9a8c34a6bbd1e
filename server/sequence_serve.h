// SPDX-License-Identifier: Apache-2.0
// Draws frames for another process: `virga export … --serve-frames "NOW RUN"`, as a worker of a cluster runs it (virga_engine/frame_on_worker.py).
//
// Standard input: the number of a frame (from 0) a line. Standard output: items, first of all the record without editions (frame_record.h) with the
// number SEQUENCE_ITEM_RECORD, by which both sides know that they mean the same frames; then for each number one item with the file's bytes.
//
//      0        4       8            16
//      ├────────┼───────┼────────────┤
//      │ number │ flags │ bytes      │ then the bytes          little-endian; flags: 1 drawn from coarser data than it should be, for want of memory
//
// It ends at the end of its input, and by itself where it is asked nothing for two minutes. Main thread.
#ifndef VIRGA_SERVER_SEQUENCE_SERVE_H
#define VIRGA_SERVER_SEQUENCE_SERVE_H

#include "server/sequence_work.h"

enum { SEQUENCE_ITEM_BYTES = 16, SEQUENCE_ITEM_DEGRADED = 1 };
#define SEQUENCE_ITEM_RECORD UINT32_MAX         // the record
#define SEQUENCE_ITEM_FAILURE (UINT32_MAX - 1)  // of sequence_cluster.h: a message; nothing comes after it
#define SEQUENCE_ITEM_DONE (UINT32_MAX - 2)     // of sequence_cluster.h: all frames have come

// VIRGA_OK at the end of the input. VIRGA_IO: nobody reads; or as drawing fails.
int sequence_serve(struct sequence_work *work, struct failure *failure);

#endif
