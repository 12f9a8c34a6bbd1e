// SPDX-License-Identifier: Apache-2.0
// virga-reader --self-test: shows what a reader can no longer do on this machine.
#ifndef VIRGA_SOURCE_READER_SELFTEST_H
#define VIRGA_SOURCE_READER_SELFTEST_H

// Confines a child of this process, to which this one lends what a server would, and tries in it what must fail, a line each on
// stdout ("network: denied", or ALLOWED), and what must work ("a lent descriptor: readable", or NOT READABLE). Returns 0 when all
// is as it should be, else 1.
int reader_selftest(void);
// virga-reader --self-test dap: the same for a reader of OPeNDAP, which only seems to have a network ("binding: denied"; "the proxy
// answers for every host: so", or NOT SO). No host is asked.
int reader_selftest_dap(void);

#endif
