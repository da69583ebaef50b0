/* SPDX-License-Identifier: MIT */
/*
 * PGRAPH: register storage, floor-sweeping, interrupts and methods. No shader runs: a compute
 * launch raises ILLEGAL_METHOD, and the log says why.
 * Source: gp106 hw_gr; open-gpu-doc classes/compute/clc0c0.h. One GPC with two TPCs is our
 * choice; a P100 has six GPCs of up to five.
 */
#include <string.h>

#include "gpu.h"

enum {
	PGRAPH_FIRST = 0x400000,
	PGRAPH_INTR = 0x400100,
	PGRAPH_INTR_EN = 0x40013c,
	PGRAPH_TRAPPED_ADDR = 0x400704,
	PGRAPH_TRAPPED_DATA_LO = 0x400708,
	PGRAPH_STATUS = 0x400700,
	PGRAPH_ENGINE_STATUS = 0x40060c,
	PGRAPH_FE_PWR_MODE = 0x404170,
	PGRAPH_FE_OBJECT_TABLE = 0x404200, /* class of each subchannel */
	PGRAPH_LAST = 0x41ffff,
	GPC_FIRST = 0x500000,
	GPC0_GPM_PD_PES_TPC_MASK = 0x500c30, /* one word a PES */
	GPC0_FS_GPC = 0x502608,
	GPC_LAST = 0x5fffff,
};

#define INTR_ILLEGAL_METHOD BIT(4)
#define INTR_ILLEGAL_CLASS  BIT(5)
#define FE_PWR_MODE_REQ	    BIT(4)
#define TPC_COUNT	    2

enum {
	CLASS_PASCAL_COMPUTE_A = 0xc0c0
};

enum {
	METHOD_SET_OBJECT = 0x000,
	C0C0_SEND_PCAS_A = 0x2b4, /* address of the QMD */
	C0C0_SEND_PCAS_B = 0x2b8,
	C0C0_SEND_SIGNALING_PCAS_B = 0x2bc,
};

static const u32 classes[GR_CLASS_COUNT] = { 0x902d, 0xa140, 0xc097, CLASS_PASCAL_COMPUTE_A };

static u32 *gr_reg(struct gpu *gpu, u32 addr)
{
	return addr >= GPC_FIRST ? &gpu->gr.gpc[(addr - GPC_FIRST) / 4]
				 : &gpu->gr.hub[(addr - PGRAPH_FIRST) / 4];
}

static void gr_update(struct gpu *gpu)
{
	pmc_set_intr(gpu, PMC_INTR_PGRAPH, gpu->gr.intr & gpu->gr.intr_en);
}

static void gr_raise(struct gpu *gpu, u32 intr, unsigned int subchannel, u32 class, u32 method,
		     u32 data)
{
	*gr_reg(gpu, PGRAPH_TRAPPED_ADDR) = subchannel << 16 | method;
	*gr_reg(gpu, PGRAPH_TRAPPED_DATA_LO) = data;
	*gr_reg(gpu, PGRAPH_FE_OBJECT_TABLE + 4 * (subchannel & 7)) = class;
	gpu->gr.intr |= intr;
	gr_update(gpu);
}

static int class_index(u32 class)
{
	for (int i = 0; i < GR_CLASS_COUNT; i++)
		if (classes[i] == class)
			return i;
	return -1;
}

static bool is_launch(u32 class, u32 method)
{
	return class == CLASS_PASCAL_COMPUTE_A &&
	       (method == C0C0_SEND_PCAS_B || method == C0C0_SEND_SIGNALING_PCAS_B);
}

bool gr_method(struct gpu *gpu, struct channel *channel, unsigned int subchannel, u32 class,
	       u32 method, u32 data)
{
	int index = class_index(class & 0xffff);

	(void)channel;
	if (index < 0) {
		gpu_log(gpu, GPU_WARN, "GR: class %04x is not one of this chip", class & 0xffff);
		gr_raise(gpu, INTR_ILLEGAL_CLASS, subchannel, class, method, data);
		return false;
	}
	if (method / 4 >= GR_METHOD_COUNT || is_launch(classes[index], method)) {
		gpu_log(gpu, GPU_WARN, "GR: class %04x method %04x: %s", classes[index], method,
			method / 4 < GR_METHOD_COUNT ? "shaders are not modelled, launch refused"
						     : "no such method");
		gr_raise(gpu, INTR_ILLEGAL_METHOD, subchannel, class, method, data);
		return false;
	}
	gpu->gr.method[index][method / 4] = data;
	if (method == METHOD_SET_OBJECT)
		*gr_reg(gpu, PGRAPH_FE_OBJECT_TABLE + 4 * (subchannel & 7)) = classes[index];
	return true;
}

static u32 gr_read(struct gpu *gpu, u32 addr)
{
	switch (addr) {
	case PGRAPH_INTR:
		return gpu->gr.intr;
	case PGRAPH_INTR_EN:
		return gpu->gr.intr_en;
	case PGRAPH_STATUS: /* always idle */
	case PGRAPH_ENGINE_STATUS:
		return 0;
	}
	return *gr_reg(gpu, addr);
}

static void gr_write(struct gpu *gpu, u32 addr, u32 val)
{
	switch (addr) {
	case PGRAPH_INTR:
		gpu->gr.intr &= ~val;
		gr_update(gpu);
		return;
	case PGRAPH_INTR_EN:
		gpu->gr.intr_en = val;
		gr_update(gpu);
		return;
	case PGRAPH_FE_PWR_MODE: /* the request is done at once */
		val &= ~FE_PWR_MODE_REQ;
		break;
	case GPC0_FS_GPC:
	case GPC0_GPM_PD_PES_TPC_MASK:
	case GPC0_GPM_PD_PES_TPC_MASK + 4:
		return; /* read-only */
	}
	*gr_reg(gpu, addr) = val;
}

/* FECS and GPCCS lie between (falcon.c, fecs.c). */
static const struct mmio_range gr_ranges[] = {
	{ PGRAPH_FIRST, 0x408fff, "GR", gr_read, gr_write },
	{ 0x40a000, 0x419fff, "GR", gr_read, gr_write },
	{ 0x41a400, PGRAPH_LAST, "GR", gr_read, gr_write },
	{ GPC_FIRST, GPC_LAST, "GR", gr_read, gr_write },
};

static void gr_reset(struct gpu *gpu)
{
	memset(&gpu->gr, 0, sizeof(gpu->gr));
	*gr_reg(gpu, GPC0_FS_GPC) = TPC_COUNT;
	*gr_reg(gpu, GPC0_GPM_PD_PES_TPC_MASK) = BIT(TPC_COUNT) - 1;
	gr_update(gpu);
}

static void gr_pmc_reset(struct gpu *gpu, unsigned int bit)
{
	gr_reset(gpu);
	host_engine_reset(gpu, bit);
	falcon_reset(gpu, FALCON_FECS);
	falcon_reset(gpu, FALCON_GPCCS);
}

static void gr_init(struct gpu *gpu)
{
	for (size_t i = 0; i < ARRAY_SIZE(gr_ranges); i++)
		mmio_register(gpu, &gr_ranges[i]);
	pmc_on_reset(gpu, PMC_ENABLE_PGRAPH, gr_pmc_reset);
}

const struct unit gr_unit = { .name = "GR", .init = gr_init, .reset = gr_reset };
