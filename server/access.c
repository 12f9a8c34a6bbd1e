// SPDX-License-Identifier: Apache-2.0
#include "server/access.h"

#include <string.h>

#include "base/utf8.h"

static const char *const role_names[] = {[ACCESS_NOBODY] = "nobody", [ACCESS_VIEWER] = "viewer", [ACCESS_FORECASTER] = "forecaster", [ACCESS_ADMIN] = "admin"};

static enum access_role least_role(enum access_act act) {
    switch (act) {
        case ACT_SEE: return ACCESS_VIEWER;
        case ACT_PIN: case ACT_EXPORT: return ACCESS_FORECASTER;
        case ACT_CLUSTER: case ACT_OPERATE: break;
    }
    return ACCESS_ADMIN;
}

bool access_may(const struct access_person *person, enum access_act act, const char *owner) {
    bool owned = act == ACT_PIN || act == ACT_EXPORT;
    if (person->role < least_role(act)) return false;
    if (!owned || person->role == ACCESS_ADMIN) return true;
    if (!person->name[0]) return false;  // nobody could tell later whose it is
    return !owner || !strcmp(owner, person->name);
}

const char *access_role_name(enum access_role role) { return role_names[role]; }

bool access_role_parse(const char *text, enum access_role *role) {
    for (enum access_role r = ACCESS_VIEWER; r <= ACCESS_ADMIN; r++) {
        if (strcmp(text, role_names[r])) continue;
        *role = r;
        return true;
    }
    return false;
}

bool access_name_valid(const char *name) {
    char clean[ACCESS_NAME + 1];
    size_t length = strnlen(name, ACCESS_NAME + 1);
    if (!length || length > ACCESS_NAME || name[0] == ' ' || name[length - 1] == ' ') return false;
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)name[i] < ' ' || name[i] == 0x7f) return false;
    memcpy(clean, name, length + 1);
    utf8_clean(clean);
    return !strcmp(clean, name) && strcmp(name, ACCESS_LOCAL);
}
