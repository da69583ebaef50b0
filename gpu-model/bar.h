/* SPDX-License-Identifier: MIT */
/*
 * BAR1 (VRAM aperture), BAR2 (instance-memory aperture, PCI BAR 3) and the
 * PRAMIN window: what the guest's CPUs and peers see of GPU memory.
 */
#ifndef BAR_H
#define BAR_H

#include "mmu.h"
#include "types.h"

struct gpu;

struct bar {
	u32 block; /* NV_PBUS_BARx_BLOCK as written */
	struct mmu_space space;
};

struct bars {
	struct bar bar1, bar2;
	/*
	 * Host's USERD window on BAR1: a write at an offset in [snoop_first, snoop_last] is
	 * reported after it has been stored. Set by host.c.
	 */
	u64 snoop_first, snoop_last;
	void (*snoop)(struct gpu *gpu, u64 offset, size_t len);
	/* What has come to BAR1 by way of QEMU, for peer.c's proofs; reads, then writes. */
	struct bar1_witness {
		bool on;
		u64 offset, mask;
		unsigned int seen;
	} witness[2];
};

/*
 * An access of any length at a BAR offset; gpu->lock held. client is CLIENT_CPU, or CLIENT_OTHER
 * for a peer that was found to be in this process. Faulting reads give ones.
 */
void bar1_read(struct gpu *gpu, u64 offset, void *buf, size_t len, enum client client);
void bar1_write(struct gpu *gpu, u64 offset, const void *buf, size_t len, enum client client);
void bar2_read(struct gpu *gpu, u64 offset, void *buf, size_t len);
void bar2_write(struct gpu *gpu, u64 offset, const void *buf, size_t len);
/*
 * Look out for accesses that come from QEMU at a BAR1 offset, of which only the bits in mask
 * count: reads of 8 bytes are not counted as a CPU's then, writes as a peer's. Afterwards, how
 * many came, and at which offset the last. gpu->lock held.
 */
void bar1_witness(struct gpu *gpu, bool write, u64 offset, u64 mask);
unsigned int bar1_witnessed(struct gpu *gpu, bool write, u64 *offset);
/* The address space behind BAR2, in which the replayable-fault buffer lives. */
const struct mmu_space *bar2_space(const struct gpu *gpu);

extern const struct unit bar_unit;

#endif
