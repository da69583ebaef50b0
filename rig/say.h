/* SPDX-License-Identifier: MIT */
/* What the VM runner tells its user, and the statuses of its own. */
#ifndef RIG_SAY_H
#define RIG_SAY_H

/* Any other status is that of the command in the guest. */
enum {
	STATUS_TIMEOUT = 124,
	STATUS_SPLAT = 125,  /* the guest's kernel found fault with itself */
	STATUS_NO_RUN = 126, /* the machine could not boot, or broke */
	STATUS_SIGNAL = 128, /* plus the signal that ended the runner */
};

void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Only before anything was started: does not clean up. */
void __attribute__((noreturn, format(printf, 1, 2))) die(const char *format, ...);

#endif
