/* SPDX-License-Identifier: MIT */
/* Semaphores in memory, as Host and the copy engines release them. */
#ifndef SEMAPHORE_H
#define SEMAPHORE_H

#include "mmu.h"
#include "types.h"

struct gpu;

#define SEMAPHORE_BYTES 16 /* of one with a timestamp */

enum semaphore_reduction {
	SEMAPHORE_MIN = 0,
	SEMAPHORE_MAX = 1,
	SEMAPHORE_XOR = 2,
	SEMAPHORE_AND = 3,
	SEMAPHORE_OR = 4,
	SEMAPHORE_ADD = 5,
	SEMAPHORE_INC = 6,
	SEMAPHORE_DEC = 7,
	SEMAPHORE_FADD = 10, /* copy engines only */
};

/* Write the payload: 4 bytes, or 16 with a zero and the 64-bit time. gpu->lock as in mem_write(). */
enum mmu_fault semaphore_release(struct gpu *gpu, const struct mmu_space *space, u64 va,
				 u32 payload, bool timestamp, enum client client, u64 *fault_va);
/* Whether an operation exists for that signedness. */
bool semaphore_can_reduce(enum semaphore_reduction op, bool is_unsigned);
/* Combine the payload with the word at va; a fault is at va. */
enum mmu_fault semaphore_reduce(struct gpu *gpu, const struct mmu_space *space, u64 va, u32 payload,
				enum semaphore_reduction op, bool is_unsigned, enum client client);

#endif
