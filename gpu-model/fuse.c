/* SPDX-License-Identifier: MIT */
/*
 * Fuses: nothing is floor-swept, and the display is fused off as on a Tesla board.
 * Source: published gm107 dev_fuse.h; gp106 hw_fuse.
 */
#include "gpu.h"

static const struct mmio_plain fuse_regs[] = {
	{ 0x021c00, "NV_FUSE_STATUS_OPT_CE", .reset = 0 },	/* a set bit removes a CE */
	{ 0x021c04, "NV_FUSE_STATUS_OPT_DISPLAY", .reset = 1 }, /* 1: disabled */
	{ 0x021c14, "NV_FUSE_STATUS_OPT_FBPA", .reset = 0 },
	{ 0x021d38, "NV_FUSE_STATUS_OPT_FBP", .reset = 0 },
	{ 0x021d70, "NV_FUSE_STATUS_OPT_ROP_L2_FBP", .reset = 0, .count = 16, .stride = 4 },
	{ 0x021100, "NV_FUSE_DATA", .reset = 0, .count = 0x2c0, .stride = 4 },
};

static void fuse_init(struct gpu *gpu)
{
	mmio_register_plain(gpu, fuse_regs, ARRAY_SIZE(fuse_regs));
}

const struct unit fuse_unit = { .name = "FUSE", .init = fuse_init };
