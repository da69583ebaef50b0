/* SPDX-License-Identifier: MIT */
/*
 * The GP100, presented as a Tesla P100 PCIe 16GB.
 * Bit numbers and PRI bases: published GP100 dev_boot.h, dev_fault.h; PTOP prose of
 * open-gpu-doc (gv100 dev_top). NVIDIA publishes no PTOP dump of a GP100: engine and runlist
 * numbers, the number of PBDMAs and the VBIOS version are our choice. HUB clients of the
 * engines above CE2 are not published for this chip [INF].
 */
#include "chip.h"

static const struct chip_engine gp100_engines[] = {
	/* name   type           inst engine runlist intr reset fault client base */
	{ "gr", ENGINE_TYPE_GRAPHICS, 0, 0, 0, 12, 12, 0, 0, 0x400000 },
	{ "ce0", ENGINE_TYPE_LCE, 0, 1, 1, 5, 6, 21, 0x01, 0x104000 },
	{ "ce1", ENGINE_TYPE_LCE, 1, 2, 2, 6, 7, 22, 0x02, 0x104000 },
	{ "ce2", ENGINE_TYPE_LCE, 2, 3, 3, 7, 21, 27, 0x18, 0x104000 },
	{ "ce3", ENGINE_TYPE_LCE, 3, 4, 4, 10, 22, 28, 0x20, 0x104000 },
	{ "ce4", ENGINE_TYPE_LCE, 4, 5, 5, 11, 23, 29, 0x21, 0x104000 },
	{ "ce5", ENGINE_TYPE_LCE, 5, 6, 6, 2, 24, 30, 0x22, 0x104000 },
};

static const u32 gp100_pbdma_runlists[] = {
	BIT(0), BIT(1), BIT(2), BIT(3), BIT(4), BIT(5), BIT(6),
};

const struct chip chip_gp100 = {
	.name = "gp100",
	.vendor = 0x10de,
	.device = 0x15f8,
	.subvendor = 0x10de,
	.subdevice = 0x118f,
	.boot0 = 0x130000a1,
	.channels = 4096,
	.pbdmas = ARRAY_SIZE(gp100_pbdma_runlists),
	.runlists = 7,
	.fault_buffer_entries = 0x1200, /* value of the GP106; that of the GP100 is unpublished */
	.ltcs = 8,
	.slices_per_ltc = 2,
	.fbps = 4,
	.fbpas_per_fbp = 2,
	.dma_bits = 47,
	.engines = gp100_engines,
	.engine_count = ARRAY_SIZE(gp100_engines),
	.pbdma_runlists = gp100_pbdma_runlists,
	.vbios_version = { 0x86, 0x00, 0x26, 0x00, 0x01 },
};
