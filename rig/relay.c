/* SPDX-License-Identifier: MIT */
/* Moves bytes from one descriptor to another, driven by poll(). */
#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "relay.h"

static bool empty(const struct relay *relay)
{
	return relay->start == relay->end;
}

static bool again(void)
{
	return errno == EAGAIN || errno == EINTR;
}

void relay_prepare(const struct relay *relay, struct pollfd poll[2])
{
	poll[0] = (struct pollfd){ .fd = relay->eof || !empty(relay) ? -1 : relay->from,
				   .events = POLLIN };
	poll[1] = (struct pollfd){ .fd = empty(relay) ? -1 : relay->to, .events = POLLOUT };
}

void relay_turn(struct relay *relay, const struct pollfd poll[2])
{
	ssize_t n;

	if (poll[0].fd >= 0 && poll[0].revents) {
		n = read(relay->from, relay->buffer, sizeof(relay->buffer));
		if (n > 0) {
			relay->start = 0;
			relay->end = relay->error ? 0 : n;
		} else if (n == 0 || !again()) {
			relay->eof = true;
		}
	}
	if (poll[1].fd >= 0 && poll[1].revents) {
		size_t size = relay->end - relay->start;

		n = write(relay->to, relay->buffer + relay->start,
			  size < PIPE_BUF ? size : PIPE_BUF);
		if (n >= 0) {
			relay->start += n;
		} else if (!again()) {
			relay->error = errno;
			relay->start = relay->end = 0;
		}
	}
}

bool relay_done(const struct relay *relay)
{
	return relay->eof && empty(relay);
}
