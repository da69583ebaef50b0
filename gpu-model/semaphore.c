/* SPDX-License-Identifier: MIT */
/*
 * Semaphores in memory. Source: open-gpu-doc manuals/volta/gv100/dev_pbdma (layout, order,
 * reductions); classes/dma-copy/clc0b5.h.
 */
#include <stdatomic.h>
#include <string.h>

#include "gpu.h"
#include "semaphore.h"

enum mmu_fault semaphore_release(struct gpu *gpu, const struct mmu_space *space, u64 va,
				 u32 payload, bool timestamp, enum client client, u64 *fault_va)
{
	u64 now = ptimer_now(gpu), first = payload;
	enum mmu_fault fault;

	/* what was written before must be seen before: CPUs of the guest poll the payload */
	atomic_thread_fence(memory_order_release);
	if (!timestamp)
		return mmu_write(gpu, space, va, &payload, sizeof(payload), client, fault_va);
	fault = mmu_write(gpu, space, va + 8, &now, sizeof(now), client, fault_va);
	if (fault != MMU_FAULT_NONE)
		return fault;
	atomic_thread_fence(memory_order_release);
	return mmu_write(gpu, space, va, &first, sizeof(first), client, fault_va);
}

bool semaphore_can_reduce(enum semaphore_reduction op, bool is_unsigned)
{
	if (op == SEMAPHORE_INC || op == SEMAPHORE_DEC)
		return is_unsigned;
	return op <= SEMAPHORE_DEC || op == SEMAPHORE_FADD;
}

static u32 add_floats(u32 a, u32 b)
{
	float x, y;

	memcpy(&x, &a, sizeof(x));
	memcpy(&y, &b, sizeof(y));
	x += y;
	memcpy(&a, &x, sizeof(a));
	return a;
}

static u32 combine(enum semaphore_reduction op, bool is_unsigned, u32 v, u32 payload)
{
	bool less = is_unsigned ? v < payload : (s32)v < (s32)payload;

	switch (op) {
	case SEMAPHORE_MIN:
		return less ? v : payload;
	case SEMAPHORE_MAX:
		return less ? payload : v;
	case SEMAPHORE_XOR:
		return v ^ payload;
	case SEMAPHORE_AND:
		return v & payload;
	case SEMAPHORE_OR:
		return v | payload;
	case SEMAPHORE_ADD:
		return v + payload;
	case SEMAPHORE_INC: /* counts up to the payload, then starts over */
		return v >= payload ? 0 : v + 1;
	case SEMAPHORE_DEC: /* counts down from the payload */
		return !v || v > payload ? payload : v - 1;
	case SEMAPHORE_FADD:
		return add_floats(v, payload);
	}
	return v;
}

enum mmu_fault semaphore_reduce(struct gpu *gpu, const struct mmu_space *space, u64 va, u32 payload,
				enum semaphore_reduction op, bool is_unsigned, enum client client)
{
	struct mmu_page page;
	enum mmu_fault fault = mmu_translate(gpu, space, va, MMU_ATOMIC, false, &page);
	u32 value;

	if (fault != MMU_FAULT_NONE || page.sparse)
		return fault;
	value = mem_read32(gpu, page.aperture, page.addr, client);
	/* a word nobody takes is lost, as a posted write is */
	(void)mem_write32(gpu, page.aperture, page.addr, combine(op, is_unsigned, value, payload),
			  client);
	return MMU_FAULT_NONE;
}
