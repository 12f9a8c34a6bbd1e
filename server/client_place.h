// SPDX-License-Identifier: Apache-2.0
// What an address says of where a client is. Pure: any thread.
#ifndef VIRGA_SERVER_CLIENT_PLACE_H
#define VIRGA_SERVER_CLIENT_PLACE_H

#include <stdbool.h>
#include <stdint.h>

// Equal for addresses that one client may have at a time: an IPv4 address, the first 64 bits of one of IPv6. 0: clients cannot be told apart.
typedef uint64_t client_place;

// Whether a numeric address is this machine's own (127.0.0.0/8, ::1). False for any other text.
bool client_place_is_loopback(const char *address);
// 0 for loopback addresses: behind a proxy on this machine everybody has the same. Any other text is a place.
client_place client_place_of(const char *address);

#endif
