// SPDX-License-Identifier: Apache-2.0
// What single users see beside what all see: datasets that were published for them, and, where the configuration gives each user a cluster, an engine of
// their own with the configured datasets that it opens. Service thread, but for the two helpers that open and close, which may take long.
//
// A space is made for a user when it is first needed and ends when nobody used it for engine-idle seconds: its engine with its cluster goes. What was
// published is remembered until its user is forgotten, and opened again when they return.
#ifndef VIRGA_SERVER_USER_SPACE_H
#define VIRGA_SERVER_USER_SPACE_H

#include "field/catalog.h"
#include "server/app.h"
#include "server/client_place.h"
#include "server/identity.h"
#include "server/service_mailbox.h"

enum { PUBLICATION_ID = 16, SPACE_PUBLICATIONS = 32, SPACE_TITLE = 200, SPACE_ADDRESS = 1024 };

struct user_spaces;

struct user_space_calls {
    void (*catalog_changed)(void *context, identity_user user);  // what the user sees is another catalog now
    void (*failed)(void *context, identity_user user, const char *words);  // what the user should see could not be opened
    void (*engine_changed)(void *context, identity_user user);   // the state of the user's own engine changed
    void *context;
};

// The identity and the mailbox must outlive them. NULL when out of memory or threads.
struct user_spaces *user_spaces_new(struct app *app, struct identity *identity, struct service_mailbox *mailbox, const struct user_space_calls *calls);
// Ends all engines and waits for them. NULL allowed. Afterwards the mailbox is to be delivered once more.
void user_spaces_free(struct user_spaces *spaces);

// Whether each user has an engine of their own.
bool user_spaces_for_each(const struct user_spaces *spaces);
// The user asks for something that needs their space: it goes on, or is made, or opened again, where they have something in it. `place`: where they come
// from. VIRGA_TOO_LARGE with words: too many users, or too many from this place, have one. Whoever something was published for is no stranger: their place does not count.
int user_spaces_enter(struct user_spaces *spaces, identity_user user, client_place place, double now, struct failure *failure);
// The user is here: the space that they have, if any, goes on.
void user_spaces_keep(struct user_spaces *spaces, identity_user user, double now);
// What the user sees, or NULL: what all see. Borrowed, until control returns to the loop.
struct catalog *user_spaces_catalog(struct user_spaces *spaces, identity_user user);
// Of that what an export's own process can open, too. NULL: what all see.
struct catalog *user_spaces_exportable(struct user_spaces *spaces, identity_user user);
// The user's own engine, started or not. NULL: there is none.
struct source_engine *user_spaces_engine(struct user_spaces *spaces, identity_user user);
size_t user_spaces_count(const struct user_spaces *spaces);

// Opens an address for this user, for whom a space is made where there is none. `done` is called once, on the service thread: with VIRGA_OK, the publication's
// id, and the id of its first dataset in the user's catalog; or with why not. Otherwise than with VIRGA_OK it is not called: VIRGA_TOO_LARGE with words.
struct publication_result {
    int status;
    struct failure failure;
    char id[PUBLICATION_ID + 1];
    const char *dataset;
};
typedef void (*publication_done)(void *context, const struct publication_result *result);
int user_spaces_publish(struct user_spaces *spaces, identity_user user, const char *address, const char *title, double now, publication_done done,
                        void *context, struct failure *failure);
// Whose publication it is; 0: there is none of this id.
identity_user user_spaces_publisher(struct user_spaces *spaces, const char *id);
// It is no longer shown. With the last one the user's space ends, unless each user has one anyway.
void user_spaces_unpublish(struct user_spaces *spaces, const char *id);

// A notebook's process answers for what it shows this user, at the other end of this socket, which is taken: "notebook:NAME" is published from there from now on.
// VIRGA_INVALID: one is connected already; VIRGA_TOO_LARGE with words.
int user_spaces_attach(struct user_spaces *spaces, identity_user user, int socket, double now, struct failure *failure);
bool user_spaces_has_notebook(const struct user_spaces *spaces, identity_user user);
// It is gone, and what it showed goes with it; the user is told.
void user_spaces_detach(struct user_spaces *spaces, identity_user user);

// Ends what the user has, now.
void user_spaces_end(struct user_spaces *spaces, identity_user user);
// What all see changed.
void user_spaces_shared_changed(struct user_spaces *spaces, struct catalog *shared);
// Once a second: ends what is over.
void user_spaces_tick(struct user_spaces *spaces, double now);

#endif
