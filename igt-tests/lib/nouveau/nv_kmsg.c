// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <inttypes.h>

#include "igt.h"
#include "nouveau/nv_kmsg.h"
#include "nouveau/nv_svm.h"

/* Returns: a file that has what the kernel logs from here on. */
int nv_kmsg_open(void)
{
	const int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);

	igt_assert_f(fd >= 0 && lseek(fd, 0, SEEK_END) >= 0, "/dev/kmsg: %s\n", strerror(errno));

	return fd;
}

/* The next record of the log, as a string, or false at its end. What was overwritten is skipped. */
static bool next_record(int fd, char *record, size_t size)
{
	ssize_t len;

	do
		len = read(fd, record, size - 1);
	while (len < 0 && errno == EPIPE);
	igt_assert_f(len >= 0 || errno == EAGAIN, "/dev/kmsg: %s\n", strerror(errno));
	if (len < 0)
		return false;
	record[len] = 0;

	return true;
}

/* Is @record of a fault by @client on @chan in the page at @addr? */
static bool is_fault(const char *record, const struct nv_chan *chan, uint64_t addr,
		     const char *client)
{
	const char *at = strstr(record, " at ");
	char on[32];

	snprintf(on, sizeof(on), " on channel %d [", chan->id);

	return at && (strtoull(at + 4, NULL, 16) ^ addr) < NV_PAGE_SIZE && strstr(record, client) &&
	       strstr(record, on);
}

/**
 * nv_kmsg_assert_killed:
 * @kmsg: from nv_kmsg_open(), is closed
 * @chan: a channel that was killed
 * @addr: the page that it faulted on
 * @client: NV_CLIENT_x that faulted
 *
 * Asserts that the driver logged this one fault, and killed @chan and no other channel.
 */
void nv_kmsg_assert_killed(int kmsg, const struct nv_chan *chan, uint64_t addr, const char *client)
{
	char record[8192], killed[32];
	int kills = 0, faults = 0;

	snprintf(killed, sizeof(killed), "channel %d killed!", chan->id);
	while (next_record(kmsg, record, sizeof(record))) {
		if (strstr(record, "fifo: fault ")) {
			igt_assert_f(is_fault(record, chan, addr, client),
				     "expected a fault of channel %d, %s, at %#" PRIx64 ": %s\n",
				     chan->id, client, addr, record);
			faults++;
		}
		if (strstr(record, " killed!")) {
			igt_assert_f(strstr(record, killed), "expected only %s: %s\n", killed,
				     record);
			kills++;
		}
	}
	close(kmsg);
	igt_assert_eq(faults, 1);
	igt_assert_eq(kills, 1);
}
