// SPDX-License-Identifier: Apache-2.0
#include "server/secret.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

static void write_base64url(const uint8_t *bytes, size_t size, char *out) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint32_t bits = 0;
    int have = 0;
    for (size_t i = 0; i < size; i++) {
        bits = bits << 8 | bytes[i];
        for (have += 8; have >= 6; have -= 6) *out++ = letters[bits >> (have - 6) & 63];
    }
    if (have) *out++ = letters[bits << (6 - have) & 63];
    *out = '\0';
}

bool secret_make(char text[SECRET_TEXT + 1]) {
    uint8_t bytes[32];
    bool made = getrandom(bytes, sizeof bytes, 0) == (ssize_t)sizeof bytes;
    text[0] = '\0';
    if (made) write_base64url(bytes, sizeof bytes, text);
    explicit_bzero(bytes, sizeof bytes);
    return made;
}

bool secret_name(char *text, size_t digits) {
    uint8_t bytes[16];
    bool made = getrandom(bytes, digits / 2, 0) == (ssize_t)(digits / 2);
    for (size_t i = 0; i < digits / 2; i++) snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    return made;
}

bool secret_equal(const uint8_t a[SECRET_HASH], const uint8_t b[SECRET_HASH]) {
    volatile uint8_t differs = 0;
    for (size_t i = 0; i < SECRET_HASH; i++) differs = differs | (uint8_t)(a[i] ^ b[i]);
    return !differs;
}
