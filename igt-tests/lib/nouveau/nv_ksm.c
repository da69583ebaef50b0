// SPDX-License-Identifier: MIT
/*
 * KSM by its files in sysfs.
 */
#include <fcntl.h>

#include "igt.h"
#include "nouveau/nv_ksm.h"

#define KSM "/sys/kernel/mm/ksm/"

static uint64_t ksm_read(const char *file)
{
	char text[32] = "";
	int fd = open(file, O_RDONLY);

	igt_assert_f(fd >= 0, "%s: %s\n", file, strerror(errno));
	igt_assert(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);

	return strtoull(text, NULL, 10);
}

static void ksm_run(const char *value)
{
	int fd = open(KSM "run", O_WRONLY);

	igt_assert_f(fd >= 0, KSM "run: %s\n", strerror(errno));
	igt_assert_eq_u64(write(fd, value, 1), 1);
	close(fd);
}

static void stop_at_exit(int sig)
{
	ksm_run("0");
}

/* Skips where there is none, or where it is not the test's. */
void nv_ksm_require(void)
{
	igt_require_f(!access(KSM "run", W_OK), "needs CONFIG_KSM\n");
	igt_require_f(!ksm_read(KSM "run"), "somebody else uses KSM (" KSM "run)\n");
}

/* What is alike by now is merged when this returns. */
void nv_ksm_merge(void)
{
	const uint64_t scans = ksm_read(KSM "full_scans");
	struct timespec start = {};

	igt_install_exit_handler(stop_at_exit);
	ksm_run("1");
	/* The first scan takes checksums, the second one merges. */
	while (ksm_read(KSM "full_scans") < scans + 3) {
		igt_assert_f(igt_nsec_elapsed(&start) < 30000000000, "KSM does not scan\n");
		usleep(1000);
	}
	igt_assert_f(ksm_read(KSM "pages_sharing"), "KSM merged nothing\n");
}

void nv_ksm_stop(void)
{
	ksm_run("0");
}
