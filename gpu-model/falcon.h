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

enum falcon_id {
	FALCON_PMU,
	FALCON_FECS,
	FALCON_GPCCS,
	FALCON_COUNT
};

/* Offsets of the registers that firmware's stand-ins use. */
enum {
	FALCON_IRQSTAT = 0x008,
	FALCON_MAILBOX0 = 0x040,
	FALCON_CPUCTL = 0x100,
};

struct falcon {
	u32 regs[0x1000 / 4];
	u8 imem[FALCON_MEM_BYTES], dmem[FALCON_MEM_BYTES];
	bool running;
	unsigned int bind_state;
	struct mmu_space space; /* what the bound instance block gives it for DMA */
	/* The firmware's stand-in, called when software starts the processor. Set once, at init. */
	void (*start)(struct gpu *gpu, struct falcon *falcon);
};

struct falcons {
	struct falcon falcon[FALCON_COUNT];
	u64 wpr_start, wpr_end; /* write-protected region that ACR set up; 0 when none */
	u32 wpr_index;		/* which of them PFB's WPR_INFO shows */
	bool acr_loaded;
};

/* The firmware has come to its end: HALTED, and its interrupt. */
void falcon_halt(struct gpu *gpu, struct falcon *falcon);
/* To power-on state, memories included. */
void falcon_reset(struct gpu *gpu, enum falcon_id id);

/* acr: the secure-boot firmware on the PMU, and the WPR registers of PFB. */
extern const struct unit falcon_unit, acr_unit;

#endif
