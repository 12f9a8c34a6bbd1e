// SPDX-License-Identifier: Apache-2.0
// virga-reader --self-test: shows what a reader can no longer do on this machine.
#ifndef VIRGA_SOURCE_READER_SELFTEST_H
#define VIRGA_SOURCE_READER_SELFTEST_H

// Confines this process and tries what must fail, a line each on stdout ("network: denied"). Returns 0 when all is denied.
int reader_selftest(void);

#endif
