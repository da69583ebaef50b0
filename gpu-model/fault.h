/* SPDX-License-Identifier: MIT */
/*
 * MMU fault reporting: the per-unit fault registers (fatal faults) and the
 * replayable-fault buffer. Source: dev_fault.h, clb069.h, gp106 hw_fifo.
 */
#ifndef FAULT_H
#define FAULT_H

#include "mmu.h"
#include "types.h"

struct gpu;

#define FAULT_UNIT_COUNT 32

/* MMU engine ids (dev_fault.h). */
enum fault_unit {
	FAULT_UNIT_GRAPHICS = 0,
	FAULT_UNIT_BAR1 = 4,
	FAULT_UNIT_BAR2 = 5,
	FAULT_UNIT_HOST0 = 6,
	FAULT_UNIT_CE0 = 21,
	FAULT_UNIT_CE1 = 22,
	FAULT_UNIT_PMU = 23,
	FAULT_UNIT_CE2 = 27,
	FAULT_UNIT_CE3 = 28,
	FAULT_UNIT_CE4 = 29,
	FAULT_UNIT_CE5 = 30,
};

struct fault_info {
	enum fault_unit unit;
	enum mmu_fault type;
	enum mmu_access access;
	bool hub; /* client type: HUB, else GPC */
	unsigned int client, gpc;
	u64 va;
	enum aperture inst_aperture;
	u64 inst;
};

struct fault {
	struct fault_regs {
		u32 inst, va_lo, va_hi, info;
	} unit[FAULT_UNIT_COUNT];
	u32 buffer_lo, buffer_hi, get, put, info;
	u64 reported;
	u64 overflows; /* requests that the buffer had no room for, each time they were made */
};

/* A fatal fault: fill the unit's registers, raise PFIFO's MMU_FAULT. gpu->lock held. */
void fault_report(struct gpu *gpu, const struct fault_info *info);
/* Append to the replayable buffer; false when it is full or disabled (the request stays pending). */
bool fault_buffer_push(struct gpu *gpu, const struct fault_info *info);

extern const struct unit fault_unit;

#endif
