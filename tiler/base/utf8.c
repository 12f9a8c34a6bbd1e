// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

size_t utf8_length(const char *text) {
    const unsigned char *s = (const unsigned char *)text;
    size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80) return 0;  // the end of the text is no continuation either
    bool overlong = (n == 3 && s[0] == 0xe0 && s[1] < 0xa0) || (n == 4 && s[0] == 0xf0 && s[1] < 0x90);
    bool surrogate = n == 3 && s[0] == 0xed && s[1] > 0x9f;
    bool beyond = n == 4 && s[0] == 0xf4 && s[1] > 0x8f;
    return overlong || surrogate || beyond ? 0 : n;
}

void utf8_clean(char *text) {
    while (*text) {
        size_t n = utf8_length(text);
        if (!n) *text = '?';
        if (n == 1 && ((unsigned char)*text < 0x20 || *text == 0x7f)) *text = ' ';
        if (n == 2 && (unsigned char)text[0] == 0xc2 && (unsigned char)text[1] < 0xa0) text[0] = text[1] = ' ';
        text += n ? n : 1;
    }
}

void utf8_repair(char *text) {
    while (*text) {
        size_t n = utf8_length(text);
        if (!n) *text = '?';
        text += n ? n : 1;
    }
}

bool utf8_valid(const char *text) {
    size_t n = 1;
    while (n && *text) {
        n = utf8_length(text);
        text += n;
    }
    return n != 0;
}

void utf8_from_latin1(const char *text, char *out) {
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c >= 0x80) *out++ = (char)(0xc0 | c >> 6);
        *out++ = (char)(c < 0x80 ? c : 0x80 | (c & 0x3f));
    }
    *out = '\0';
}
