/* SPDX-License-Identifier: MIT */
/*
 * The TLBs of a GPC's clients, as far as they remember requests that faulted and wait for replay:
 * "fault and stall". Source: clb069.h, dev_fault.h (GP100); NVIDIA's UVM driver (prose of replay
 * and cancel).
 */
#ifndef UTLB_H
#define UTLB_H

#include "chip.h"
#include "mmu.h"
#include "types.h"

struct gpu;

/* One for the L1 of each TPC, and one for GCC, which has instructions and constants. */
#define UTLB_GCC     GR_TPCS
#define UTLB_COUNT   (GR_TPCS + 1)
#define UTLB_PENDING 2048 /* pages that all lanes of an SM's warps can ask for */
#define UTLB_HINTS   64	  /* prefetches that faulted; more are dropped [INF] */

struct utlb {
	unsigned int count, hints;
	struct utlb_request {
		u64 page;
		enum mmu_access access;
		enum mmu_fault type;
	} pending[UTLB_PENDING + UTLB_HINTS];
};

/*
 * A request faulted. Where the instance block allows its replay it is kept and reported, unless
 * another for the same page and access waits already; else it is a fatal fault of GR, or, for a
 * prefetch, nothing.
 */
void utlb_miss(struct gpu *gpu, unsigned int utlb, u64 va, enum mmu_access access,
	       enum mmu_fault type);
/* Forget what waits. */
void utlb_reset(struct gpu *gpu);

extern const struct unit utlb_unit;

#endif
