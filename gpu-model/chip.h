/* SPDX-License-Identifier: MIT */
/* What tells one chip from another: data, one table a chip. */
#ifndef CHIP_H
#define CHIP_H

#include "types.h"

#define GR_TPCS 2 /* of the one GPC */

/* PTOP engine types */
enum {
	ENGINE_TYPE_GRAPHICS = 0x00,
	ENGINE_TYPE_LCE = 0x13,
};

struct chip_engine {
	const char *name;
	u8 type, inst;
	u8 engine, runlist;
	u8 intr, reset; /* bits of PMC INTR and ENABLE */
	u8 fault;	/* MMU engine id */
	u8 hub_client;	/* by which its faults are reported */
	u32 base;	/* PRI base */
};

struct chip {
	const char *name;
	u16 vendor, device, subvendor, subdevice;
	u32 boot0;
	u32 channels, pbdmas, runlists;
	u32 fault_buffer_entries;
	u32 ltcs, slices_per_ltc, fbps, fbpas_per_fbp;
	unsigned int dma_bits; /* width of a bus address */
	const struct chip_engine *engines;
	unsigned int engine_count;
	const u32 *pbdma_runlists; /* mask of runlists served, one word a PBDMA */
	u8 vbios_version[5];	   /* major, chip, minor, micro, patch */
};

extern const struct chip chip_gp100;

#endif
