/* SPDX-License-Identifier: MIT */
/*
 * In the guest: what device-private memory costs. A line of JSON for each result;
 * with `rig/vm --icount`, an instruction is a ns and a tick.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

#define PAGE	    4096ul
#define HUGE	    (2ul << 20)
#define HUGE_PAGES  (HUGE / PAGE)
#define GIB_PAGES   ((1ul << 30) / PAGE)
#define LOOP_ROUNDS 100000
#define REPEAT	    16 /* of which the one counts that no interrupt came into */

static int device;

/* A number that stands behind `name` in a file. */
static long number_in(const char *path, const char *name)
{
	FILE *file = fopen(path, "re");
	size_t length = strlen(name);
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, length) && strchr(": ", line[length])) {
			fclose(file);
			return atol(line + length + 1);
		}
	errx(1, "%s has no %s", path, name);
}

static long memmap_bytes(void)
{
	return number_in("/proc/vmstat", "nr_memmap_pages") * (long)PAGE;
}

static long free_bytes(void)
{
	return number_in("/proc/meminfo", "MemFree") * 1024;
}

/* What the memory costs so far, or why there is none. */
static void report_memory(unsigned long gib, unsigned long percent, const char *error, uint64_t ns,
			  long memmap, long free)
{
	printf("{\"what\": \"memory\", \"gib\": %lu, \"percent\": %lu, \"error\": \"%s\", "
	       "\"ns\": %" PRIu64 ", \"memmap_bytes\": %ld, \"all_bytes\": %ld}\n",
	       gib, percent, error, ns, memmap_bytes() - memmap, free - free_bytes());
}

static void bench_memory(unsigned long gib)
{
	struct bench_memory memory = { .pages = gib * GIB_PAGES };
	struct bench_memory tenth = { .pages = memory.pages / 10 };
	long memmap = memmap_bytes(), free = free_bytes();

	if (ioctl(device, BENCH_REGISTER, &memory)) {
		const char *error = strerrorname_np(errno);

		report_memory(gib, 0, error, 0, memmap, free);
		report_memory(gib, 10, error, 0, memmap, free);
		return;
	}
	report_memory(gib, 0, "", memory.ns, memmap, free);
	if (ioctl(device, BENCH_POPULATE, &tenth))
		err(1, "a tenth of %lu GiB", gib);
	report_memory(gib, 10, "", tenth.ns, memmap, free);
	if (ioctl(device, BENCH_UNREGISTER))
		err(1, "BENCH_UNREGISTER");
}

static uint64_t ticks_of(enum bench_loop_id id, bool private)
{
	struct bench_loop loop = { .id = id, .private = private, .rounds = LOOP_ROUNDS };

	if (ioctl(device, BENCH_LOOP, &loop))
		err(1, "BENCH_LOOP %d", id);
	return loop.ticks;
}

static void bench_loops(void)
{
	static const struct {
		enum bench_loop_id id;
		bool private;
		const char *name;
	} loops[] = {
		{ BENCH_PAGE_TO_PFN, false, "page to PFN" },
		{ BENCH_PAGE_TO_INDEX, true, "page to index" },
		{ BENCH_PFN_TO_PAGE, false, "PFN to page" },
		{ BENCH_INDEX_TO_PAGE, true, "index to page" },
		{ BENCH_PAGE_TO_NUMBER, false, "page to page number, RAM" },
		{ BENCH_PAGE_TO_NUMBER, true, "page to page number, private" },
		{ BENCH_NUMBER_TO_PAGE, false, "page number to page, RAM" },
		{ BENCH_NUMBER_TO_PAGE, true, "page number to page, private" },
		{ BENCH_IS_PRIVATE, false, "is_device_private_page(), RAM" },
		{ BENCH_IS_PRIVATE, true, "is_device_private_page(), private" },
	};

	for (size_t i = 0; i < sizeof(loops) / sizeof(*loops); i++) {
		uint64_t empty = ticks_of(BENCH_LOOP_EMPTY, loops[i].private);
		uint64_t ticks = ticks_of(loops[i].id, loops[i].private);

		printf("{\"what\": \"loop\", \"name\": \"%s\", \"ticks\": %.2f}\n", loops[i].name,
		       (double)(ticks - empty) / LOOP_ROUNDS);
	}
}

/* One of the module's operations on a whole huge page's worth of memory. */
static uint64_t range_ticks(unsigned long command, void *start, bool huge)
{
	struct bench_range range = {
		.start = (uintptr_t)start,
		.pages = HUGE_PAGES,
		.huge = huge,
	};

	if (ioctl(device, command, &range))
		err(1, "command %#lx, huge %d", command, huge);
	if (range.done != HUGE_PAGES)
		errx(1, "command %#lx, huge %d: %u pages instead of %lu", command, huge, range.done,
		     HUGE_PAGES);
	return range.ticks;
}

/* Aligned, so that it is one huge page or none. */
static char *map_range(bool huge)
{
	char *map =
		mmap(NULL, 2 * HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *start = (char *)(((uintptr_t)map + HUGE - 1) & ~(HUGE - 1));

	if (map == MAP_FAILED || madvise(start, HUGE, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE))
		err(1, "cannot map memory");
	memset(start, 1, HUGE);
	return start;
}

static void bench_ranges(bool huge)
{
	static const struct {
		const char *name;
		unsigned long command;
	} steps[] = {
		{ "hmm_range_fault(), pages of RAM", BENCH_FIND },
		{ "migrate to the device", BENCH_TO_DEVICE },
		{ "hmm_range_fault(), private pages", BENCH_FIND },
		{ "migrate to RAM", BENCH_TO_RAM },
	};
	const size_t count = sizeof(steps) / sizeof(*steps);
	uint64_t best[count];
	char *start = map_range(huge);

	memset(best, 0xff, sizeof(best));
	for (int turn = 0; turn < REPEAT; turn++)
		for (size_t i = 0; i < count; i++) {
			uint64_t ticks = range_ticks(steps[i].command, start, huge);

			if (ticks < best[i])
				best[i] = ticks;
		}
	for (size_t i = 0; i < count; i++)
		printf("{\"what\": \"range\", \"name\": \"%s\", \"huge\": %s, \"ticks\": %.2f}\n",
		       steps[i].name, huge ? "true" : "false",
		       (double)best[i] / (huge ? 1 : HUGE_PAGES));
}

static void bench_count(void)
{
	struct bench_memory memory = { .pages = GIB_PAGES };
	struct bench_memory used = { .pages = HUGE_PAGES };

	if (ioctl(device, BENCH_REGISTER, &memory) || ioctl(device, BENCH_POPULATE, &used))
		err(1, "cannot have device-private memory");
	bench_loops();
	bench_ranges(false);
	bench_ranges(true);
	if (ioctl(device, BENCH_UNREGISTER))
		err(1, "BENCH_UNREGISTER");
}

static void bench_layout(void)
{
	struct bench_layout layout;

	if (ioctl(device, BENCH_LAYOUT, &layout))
		err(1, "BENCH_LAYOUT");
	printf("{\"what\": \"layout\", \"direct_map\": %" PRIu64 ", \"vmalloc_area\": %" PRIu64
	       ", \"struct_pages\": %" PRIu64 "}\n",
	       (uint64_t)layout.direct_map, (uint64_t)layout.vmalloc_area,
	       (uint64_t)layout.struct_pages);
}

int main(int argc, char **argv)
{
	/* What was measured is not lost if the kernel dies of what comes next. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	device = open(BENCH_DEVICE, O_RDWR | O_CLOEXEC);
	if (device < 0)
		err(1, "%s", BENCH_DEVICE);
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "memory") && i + 1 < argc)
			bench_memory(strtoul(argv[++i], NULL, 10));
		else if (!strcmp(argv[i], "count"))
			bench_count();
		else if (!strcmp(argv[i], "layout"))
			bench_layout();
		else
			errx(2, "usage: bench-mm [memory GIB | count | layout]...");
	return 0;
}
