/* SPDX-License-Identifier: MIT */
/*
 * Moves bytes from one descriptor to another, driven by poll(). It never
 * blocks: a write is no larger than what POLLOUT promises of a pipe.
 */
#ifndef RIG_RELAY_H
#define RIG_RELAY_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

struct relay {
	int from, to;
	bool eof;  /* nothing more to read */
	int error; /* errno of a failed write: what comes now is dropped */
	size_t start, end;
	char buffer[32768];
};

/* Fills in the two entries; an idle side gets descriptor -1. */
void relay_prepare(const struct relay *relay, struct pollfd poll[2]);
void relay_turn(struct relay *relay, const struct pollfd poll[2]);
/* All was read and written. */
bool relay_done(const struct relay *relay);

#endif
