// SPDX-License-Identifier: Apache-2.0
// The two clocks. Any thread.
#ifndef VIRGA_BASE_CLOCK_H
#define VIRGA_BASE_CLOCK_H

// Seconds since some fixed moment; never goes back. For deadlines and durations.
double clock_monotonic(void);
// Seconds since 1970-01-01T00:00:00Z, as the system has it; may jump. For what people read.
double clock_wall(void);

#endif
