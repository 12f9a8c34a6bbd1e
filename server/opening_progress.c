// SPDX-License-Identifier: Apache-2.0
#include "server/opening_progress.h"

#include "base/clock.h"
#include "base/log.h"

static const double FIRST_SECONDS = 0.5, TERMINAL_SECONDS = 0.1, LOG_SECONDS = 3;

bool opening_progress_at(struct opening_progress *p, double now, size_t done, size_t total) {
    if (p->next == 0) p->next = now + (p->terminal ? FIRST_SECONDS : LOG_SECONDS);
    if (now < p->next || total < 2) return false;
    p->next = now + (p->terminal ? TERMINAL_SECONDS : LOG_SECONDS);
    if (p->terminal) {
        fprintf(p->terminal, "\ropening %zu of %zu files\033[K", done, total);
        fflush(p->terminal);
        p->shown = true;
    } else {
        log_info("catalog", "opening %zu of %zu files", done, total);
    }
    return true;
}

void opening_progress_tell(void *progress, size_t done, size_t total) { opening_progress_at(progress, clock_monotonic(), done, total); }

void opening_progress_end(struct opening_progress *p) {
    if (!p->shown) return;
    fputs("\r\033[K", p->terminal);
    fflush(p->terminal);
    p->shown = false;
}
