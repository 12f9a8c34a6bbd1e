// SPDX-License-Identifier: Apache-2.0
// The two clocks. Any thread.
#ifndef VIRGA_BASE_CLOCK_H
#define VIRGA_BASE_CLOCK_H

// Seconds since some fixed moment; never goes back. For deadlines and durations.
double clock_monotonic(void);
// Seconds since 1970-01-01T00:00:00Z, as the system has it; may jump. For what people read.
double clock_wall(void);
// Seconds since *looked, which becomes now, but no more than `most`: for time that counts in steps. One that took much longer than was meant to
// be waited was not spent waiting, as this program was stopped (Ctrl-Z, SIGSTOP) or did not get the processor, and its children may have fared the same.
double clock_step(double *looked, double most);

#endif
