// SPDX-License-Identifier: Apache-2.0
// What a command does with the rows of pins. On the pin service's thread.
#ifndef VIRGA_SERVER_PIN_ACT_H
#define VIRGA_SERVER_PIN_ACT_H

#include "server/pin_service.h"

// Within a transaction, as a step of it: fills what comes of the command and returns its status. wall: the moment.
int pin_act(struct pin_command *command, struct pin_store *store, double wall);

#endif
