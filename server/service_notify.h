// SPDX-License-Identifier: Apache-2.0
// What the service manager is told (sd_notify, Type=notify). Nothing happens where there is none that wants to know. Any thread.
#ifndef VIRGA_SERVER_SERVICE_NOTIFY_H
#define VIRGA_SERVER_SERVICE_NOTIFY_H

// It serves; after a reload, again. status: what `systemctl status` shows, in a line.
void service_notify_ready(const char *status);
void service_notify_reloading(void);
void service_notify_stopping(void);
// The service thread goes round.
void service_notify_alive(void);
// Seconds between two signs of life, half of what is waited for one; 0: nobody waits. Of the start of this process.
double service_notify_alive_every(void);

#endif
