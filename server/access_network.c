// SPDX-License-Identifier: Apache-2.0
#include "server/access_network.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { V4_IN_V6 = 12, V6_BITS = 128, V4_BITS = 32 };

static bool parse_address(const char *text, uint8_t bytes[16], bool *v4) {
    static const uint8_t mapped[V4_IN_V6] = {[10] = 0xff, [11] = 0xff};
    *v4 = inet_pton(AF_INET, text, bytes + V4_IN_V6) == 1;
    if (*v4) memcpy(bytes, mapped, sizeof mapped);
    return *v4 || inet_pton(AF_INET6, text, bytes) == 1;
}

static bool bit_of(const uint8_t bytes[16], unsigned n) { return bytes[n / 8] >> (7 - n % 8) & 1; }

bool access_network_parse(const char *text, struct access_network *network) {
    char address[ACCESS_ADDRESS];
    size_t length = strcspn(text, "/");
    bool v4;
    if (length >= sizeof address) return false;
    memcpy(address, text, length);
    address[length] = '\0';
    if (!parse_address(address, network->bytes, &v4)) return false;
    const char *bits = text[length] ? text + length + 1 : NULL;
    unsigned most = v4 ? V4_BITS : V6_BITS;
    if (bits && (!*bits || strlen(bits) > 3 || bits[strspn(bits, "0123456789")])) return false;
    unsigned long n = bits ? strtoul(bits, NULL, 10) : most;
    if (n > most) return false;
    network->bits = (unsigned)n + (V6_BITS - most);
    for (unsigned i = network->bits; i < V6_BITS; i++)
        if (bit_of(network->bytes, i)) return false;
    return true;
}

static bool has_prefix(const struct access_network *network, const uint8_t bytes[16]) {
    for (unsigned i = 0; i < network->bits; i++)
        if (bit_of(network->bytes, i) != bit_of(bytes, i)) return false;
    return true;
}

bool access_network_has(const struct access_network *networks, size_t count, const char *address) {
    uint8_t bytes[16];
    bool v4;
    if (!parse_address(address, bytes, &v4)) return false;
    for (size_t i = 0; i < count; i++)
        if (has_prefix(&networks[i], bytes)) return true;
    return false;
}

// "192.0.2.7", "192.0.2.7:4711", "[2001:db8::1]:4711" or "2001:db8::1", which begins at text and has `length` bytes.
static bool read_hop(const char *text, size_t length, char out[ACCESS_ADDRESS]) {
    uint8_t bytes[16];
    bool v4;
    while (length && (*text == ' ' || *text == '\t')) text++, length--;
    while (length && (text[length - 1] == ' ' || text[length - 1] == '\t')) length--;
    if (!length || length >= ACCESS_ADDRESS) return false;
    memcpy(out, text, length);
    out[length] = '\0';
    char *colon = strchr(out, ':');
    if (out[0] == '[') {
        char *end = strchr(out, ']');
        if (!end) return false;
        *end = '\0';
        memmove(out, out + 1, strlen(out + 1) + 1);
    } else if (colon && !strchr(colon + 1, ':')) {
        *colon = '\0';
    }
    return parse_address(out, bytes, &v4);
}

void access_network_client(const struct access_network *proxies, size_t count, const char *peer, const char *forwarded, char out[ACCESS_ADDRESS]) {
    char hop[ACCESS_ADDRESS];
    size_t end = forwarded ? strlen(forwarded) : 0;
    snprintf(out, ACCESS_ADDRESS, "%s", peer);
    while (end && access_network_has(proxies, count, out)) {
        size_t at = end;
        while (at && forwarded[at - 1] != ',') at--;
        if (!read_hop(forwarded + at, end - at, hop)) return;
        memcpy(out, hop, sizeof hop);
        end = at ? at - 1 : 0;
    }
}
