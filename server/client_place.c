// SPDX-License-Identifier: Apache-2.0
#include "server/client_place.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <xxhash.h>

enum { V6_PREFIX = 8, V4_IN_V6 = 12 };

bool client_place_is_loopback(const char *address) {
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, address, &v4) == 1) return ntohl(v4.s_addr) >> 24 == 127;
    if (inet_pton(AF_INET6, address, &v6) != 1) return false;
    return IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[V4_IN_V6] == 127);
}

client_place client_place_of(const char *address) {
    struct in_addr v4;
    struct in6_addr v6;
    const void *bytes = address;
    size_t size = strlen(address);
    if (client_place_is_loopback(address)) return 0;
    if (inet_pton(AF_INET, address, &v4) == 1) bytes = &v4, size = sizeof v4;
    else if (inet_pton(AF_INET6, address, &v6) == 1) {
        bool mapped = IN6_IS_ADDR_V4MAPPED(&v6);
        bytes = v6.s6_addr + (mapped ? V4_IN_V6 : 0);
        size = mapped ? sizeof v4 : V6_PREFIX;
    }
    return XXH3_64bits(bytes, size) | 1;
}
