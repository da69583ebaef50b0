/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: the page walk. The input is an instance block's four words, then entries laid
 * over the tables of a small address space; all of it is then read and written.
 */
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "fuzz.h"

#define MAPPED	    UINT64_C(0x40000000)
#define PROBE_BYTES 0x3000

static struct bench *bench;
static u64 heap;

static void probe(const struct mmu_space *space, u64 va)
{
	static u8 bytes[PROBE_BYTES];
	struct gpu *gpu = bench->gpu;
	struct mmu_page page;
	u64 fault_va = va;

	for (enum mmu_access access = MMU_READ; access <= MMU_PREFETCH; access++)
		if (mmu_translate(gpu, space, va, access, false, &page) == MMU_FAULT_NONE &&
		    (!page.span || page.span > UINT64_C(1) << 49))
			abort();
	if (mmu_read(gpu, space, va, bytes, sizeof(bytes), CLIENT_OTHER, &fault_va) ==
	    MMU_FAULT_NONE)
		mmu_write(gpu, space, va, bytes, sizeof(bytes), CLIENT_OTHER, &fault_va);
	if (fault_va < va || fault_va - va > sizeof(bytes))
		abort();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct mmu_space space;
	u64 inst, range;
	struct gpu *gpu;

	if (!bench) {
		bench = bench_new();
		heap = bench->free;
	}
	gpu = bench->gpu;
	bench_restart(bench, heap);
	bench_map_new(bench, MAPPED, 0x4000);
	inst = bench_alloc(bench, 0x1000, 0x1000);
	range = bench->free - bench->pdb;
	if (size >= 16) {
		memcpy(gpu->fb.vram + inst + 0x200, data, 16);
		data += 16;
		size -= 16;
	}
	for (; size >= 12; data += 12, size -= 12) {
		u32 at;

		memcpy(&at, data, sizeof(at));
		memcpy(gpu->fb.vram + bench->pdb + at % (range - 8) / 8 * 8, data + 4, 8);
	}
	pthread_mutex_lock(&gpu->lock);
	mmu_tlb_invalidate(gpu);
	for (unsigned int own = 0; own < 2; own++) {
		mmu_space_load(gpu, APERTURE_VIDMEM, inst, &space);
		if (!own)
			space = (struct mmu_space){ .pdb = bench->pdb,
						    .limit = ~UINT64_C(0) >> 15,
						    .ver2 = true,
						    .big_64k = true };
		probe(&space, MAPPED);
		probe(&space, MAPPED + 0x3ff8);
		probe(&space, 0);
		probe(&space, UINT64_C(0x1fffffffff000));
		probe(&space, ~UINT64_C(0) - 0x800);
	}
	pthread_mutex_unlock(&gpu->lock);
	return 0;
}
