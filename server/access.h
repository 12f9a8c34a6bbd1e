// SPDX-License-Identifier: Apache-2.0
// Who may do what. Pure: any thread. Who somebody is, is web_access's to find out; every decision is made here.
#ifndef VIRGA_SERVER_ACCESS_H
#define VIRGA_SERVER_ACCESS_H

#include <stdbool.h>
#include <stddef.h>

enum { ACCESS_NAME = 64 };  // bytes of a name

enum access_role { ACCESS_NOBODY, ACCESS_VIEWER, ACCESS_FORECASTER, ACCESS_ADMIN };  // each may what those before it may

enum access_act {
    ACT_SEE,      // whatever all see: catalog, bricks, samples, pins and their pictures, the page's websocket
    ACT_PIN,      // make pins; change or delete one
    ACT_EXPORT,   // make exports and previews; see, change or delete one
    ACT_CLUSTER,  // start and stop the cluster of all
    ACT_OPERATE,  // what tells of the program itself
};

// Zeroed: nobody.
struct access_person {
    char name[ACCESS_NAME + 1];  // "": not known, so it owns nothing
    enum access_role role;
};

// owner: NULL for something new or without an owner of its own; else the name of whoever made it: then only they themselves and admins
// may. "": its owner is not known, so only admins may. ACT_SEE, ACT_CLUSTER and ACT_OPERATE know no owners.
bool access_may(const struct access_person *person, enum access_act act, const char *owner);

// "nobody", "viewer", "forecaster", "admin".
const char *access_role_name(enum access_role role);
// Of viewer, forecaster and admin; false for any other text.
bool access_role_parse(const char *text, enum access_role *role);

// Whether a name that somebody else vouches for may be a person's: 1 to ACCESS_NAME bytes of valid UTF-8 without control characters or white
// space at an end, and not ACCESS_LOCAL.
bool access_name_valid(const char *name);
// Who asks from this machine where no authentication is configured; nobody else is called so.
#define ACCESS_LOCAL "local"

#endif
