// SPDX-License-Identifier: Apache-2.0
// Which proxies are believed, and where the client behind them is. Pure: any thread.
#ifndef VIRGA_SERVER_ACCESS_NETWORK_H
#define VIRGA_SERVER_ACCESS_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ACCESS_ADDRESS = 64 };  // room for a numeric address as text

// Addresses with the same first bits. IPv4 addresses are kept as IPv6 knows them (::ffff:0:0/96).
struct access_network {
    uint8_t bytes[16];
    unsigned bits;  // 0 to 128
};

// "192.0.2.7", "192.0.2.0/24", "2001:db8::/32". False for any other text, and for an address that has bits behind its prefix.
bool access_network_parse(const char *text, struct access_network *network);
// Whether a numeric address lies in one of them. An IPv4 address and the same as IPv6 are one.
bool access_network_has(const struct access_network *networks, size_t count, const char *address);

// Where a request was sent from: `peer`, the connection's address, or, where that is one of the proxies, the last address in `forwarded` (X-Forwarded-For: each
// proxy adds where it was asked from; NULL: absent) that is none. What stands before it may be made up.
void access_network_client(const struct access_network *proxies, size_t count, const char *peer, const char *forwarded, char out[ACCESS_ADDRESS]);

#endif
