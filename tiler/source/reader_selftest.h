// SPDX-License-Identifier: Apache-2.0
// virga-reader --self-test: shows what a reader can no longer do on this machine.
#ifndef VIRGA_SOURCE_READER_SELFTEST_H
#define VIRGA_SOURCE_READER_SELFTEST_H

#include <stddef.h>

struct source_broker;

// Confines a child of this process, to which this one lends what a server would, and tries in it what must fail, a line each on
// stdout ("network: denied", or ALLOWED), and what must work ("a lent descriptor: readable", or NOT READABLE). Returns 0 when all
// is as it should be, else 1.
int reader_selftest(void);
// virga-reader --self-test dap: the same for a reader of OPeNDAP, which only seems to have a network ("binding: denied"; "the proxy
// answers for every host: so", or NOT SO). No host is asked.
int reader_selftest_dap(void);

// The pieces below are for reader_selftest*.c alone.
struct reader_selftest_attempt {
    const char *name;
    int (*attempt)(void);  // below 0: denied
};

// In the confined child: a line on stdout each. Returns how many were allowed.
int reader_selftest_attempts(const struct reader_selftest_attempt *attempts, size_t count);
// Plays the server until the other end closes.
void reader_selftest_serve(int socket, struct source_broker *broker);

#endif
