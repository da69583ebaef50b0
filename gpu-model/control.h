/* SPDX-License-Identifier: MIT */
/*
 * The control socket: counters, and delays of the engines, for those who test. A guest reaches
 * it by a virtio port, so that what comes from there is no more to be trusted than a register.
 */
#ifndef CONTROL_H
#define CONTROL_H

#include "machine.h"

/* "ce", "gr", "host" or "mmu", and microseconds; false when it is none of them, or too much. */
bool control_set_delay(struct engine_delay *delay, const char *name, const char *us);
/* Answer line by line until the other end is gone; closes fd. */
void control_serve(struct machine *machine, int fd);

#endif
