// SPDX-License-Identifier: Apache-2.0
#include "server/service_notify.h"

#include <systemd/sd-daemon.h>

#include "base/log.h"

static void tell(int result) {
    if (result < 0) log_debug("serve", "the service manager was not told: error %d", -result);
}

void service_notify_ready(const char *status) { tell(sd_notifyf(0, "READY=1\nSTATUS=%s", status)); }
void service_notify_reloading(void) { tell(sd_notify(0, "RELOADING=1\nSTATUS=reading the configuration")); }
void service_notify_stopping(void) { tell(sd_notify(0, "STOPPING=1\nSTATUS=ending what is being answered")); }
void service_notify_alive(void) { tell(sd_notify(0, "WATCHDOG=1")); }

double service_notify_alive_every(void) {
    uint64_t microseconds = 0;
    return sd_watchdog_enabled(0, &microseconds) > 0 ? 0.5e-6 * (double)microseconds : 0;
}
