/* SPDX-License-Identifier: MIT */
/*
 * Falcon microcontrollers: PMU, FECS, GPCCS. Their firmware is not executed;
 * what it does is emulated at a high level (acr.c, fecs.c).
 * Source: published gp106 hw_falcon header; falcon prose of envytools.
 */
#ifndef FALCON_H
#define FALCON_H

#include "mmu.h"
#include "types.h"

struct gpu;

#define FALCON_MEM_BYTES 0x10000

enum falcon_id { FALCON_PMU, FALCON_FECS, FALCON_GPCCS, FALCON_COUNT };

struct falcon {
	u32 regs[0x1000 / 4];
	u8 imem[FALCON_MEM_BYTES], dmem[FALCON_MEM_BYTES];
	bool running;
	unsigned int bind_state;
	struct mmu_space space; /* what the bound instance block gives it for DMA */
};

struct falcons {
	struct falcon falcon[FALCON_COUNT];
	u64 wpr_start, wpr_end; /* write-protected region that ACR set up; 0 when none */
	bool acr_loaded;
};

extern const struct unit falcon_unit;

#endif
