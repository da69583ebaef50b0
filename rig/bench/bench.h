/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What bench-mm, the program, asks of bench_mm, the module, in the guest. */
#ifndef BENCH_H
#define BENCH_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define BENCH_DEVICE "/dev/bench_mm"

/*
 * BENCH_REGISTER: have device-private memory of `pages` pages, until
 * BENCH_UNREGISTER. BENCH_POPULATE: the first `pages` of them shall have struct
 * pages.
 */
struct bench_memory {
	__u64 pages;
	__u64 ns;
};

/* A range of the caller's memory; 4 KiB pages, or, if `huge`, 2 MiB ones. */
struct bench_range {
	__u64 start;
	__u64 pages;
	__u32 huge;
	__u32 done;  /* pages of 4 KiB that were found or moved */
	__u64 ticks; /* time stamp counter */
};

enum bench_loop_id {
	BENCH_LOOP_EMPTY,
	BENCH_PAGE_TO_PFN,
	BENCH_PFN_TO_PAGE,
	BENCH_PAGE_TO_INDEX, /* page_to_pfn() where private pages have a PFN */
	BENCH_INDEX_TO_PAGE,
	BENCH_PAGE_TO_NUMBER, /* of any page, as entries of page tables have it */
	BENCH_NUMBER_TO_PAGE,
	BENCH_IS_PRIVATE,
	BENCH_LOOPS,
};

struct bench_loop {
	__u32 id;      /* enum bench_loop_id */
	__u32 private; /* of a device-private page, not of one of RAM */
	__u64 rounds;
	__u64 ticks;
};

/* Where the regions begin that KASLR moves. */
struct bench_layout {
	__u64 direct_map;
	__u64 vmalloc_area;
	__u64 struct_pages;
};

#define BENCH_REGISTER	 _IOWR('b', 0, struct bench_memory)
#define BENCH_POPULATE	 _IOWR('b', 1, struct bench_memory)
#define BENCH_UNREGISTER _IO('b', 2)
#define BENCH_LOOP	 _IOWR('b', 3, struct bench_loop)
#define BENCH_FIND	 _IOWR('b', 4, struct bench_range) /* hmm_range_fault() */
#define BENCH_TO_DEVICE	 _IOWR('b', 5, struct bench_range)
#define BENCH_TO_RAM	 _IOWR('b', 6, struct bench_range)
#define BENCH_LAYOUT	 _IOR('b', 7, struct bench_layout)

#endif
