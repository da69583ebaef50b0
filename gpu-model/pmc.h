/* SPDX-License-Identifier: MIT */
/*
 * PMC: identification, interrupt tree, unit enables.
 * Source: published GP100 dev_boot.h and open-gpu-doc pascal/gp100-msi-intr.txt.
 */
#ifndef PMC_H
#define PMC_H

#include "types.h"

struct gpu;

/* Bits of NV_PMC_INTR(0). */
enum pmc_intr {
	PMC_INTR_CE5 = 2,
	PMC_INTR_CE0 = 5,
	PMC_INTR_CE1 = 6,
	PMC_INTR_CE2 = 7,
	PMC_INTR_PFIFO = 8,
	PMC_INTR_REPLAYABLE_FAULT = 9,
	PMC_INTR_CE3 = 10,
	PMC_INTR_CE4 = 11,
	PMC_INTR_PGRAPH = 12,
	PMC_INTR_PTIMER = 20,
	PMC_INTR_PMU = 24,
	PMC_INTR_PBUS = 28,
	PMC_INTR_PRIV_RING = 30,
};

/* Bits of NV_PMC_ENABLE. */
enum pmc_enable {
	PMC_ENABLE_CE0 = 6,
	PMC_ENABLE_CE1 = 7,
	PMC_ENABLE_PFIFO = 8,
	PMC_ENABLE_PGRAPH = 12,
	PMC_ENABLE_PWR = 13,
	PMC_ENABLE_PFB = 20,
	PMC_ENABLE_CE2 = 21,
	PMC_ENABLE_CE3 = 22,
	PMC_ENABLE_CE4 = 23,
	PMC_ENABLE_CE5 = 24,
};

typedef void (*pmc_reset_fn)(struct gpu *gpu, unsigned int bit);

struct pmc {
	u32 intr, intr_en[2], enable, pbdma_enable;
	bool line;  /* what the interrupt tree asks for now */
	bool armed; /* an MSI may be sent */
	pmc_reset_fn reset[32];
};

/* Level of one interrupt input of leaf 0; sends an MSI on the tree's rising edge. */
void pmc_set_intr(struct gpu *gpu, enum pmc_intr bit, bool level);
/* XVE_CYA_2 written: the next assertion, or a line still up, sends another MSI. */
void pmc_msi_rearm(struct gpu *gpu);
/* Have fn called when ENABLE bit goes from 1 to 0. */
void pmc_on_reset(struct gpu *gpu, enum pmc_enable bit, pmc_reset_fn fn);

extern const struct unit pmc_unit;

#endif
