/* SPDX-License-Identifier: MIT */
/*
 * PGRAPH: register storage, floor-sweeping, interrupts and exceptions, classes.
 * Source: gp106 hw_gr; bits of SKED's and of the SMs' errors as open drivers name them. One GPC
 * with two TPCs is our choice; a P100 has six GPCs of up to five. Methods of graphics classes are
 * accepted and do nothing.
 */
#include <string.h>

#include "gpu.h"

enum {
	PGRAPH_FIRST = 0x400000,
	PGRAPH_INTR = 0x400100,
	PGRAPH_EXCEPTION = 0x400108,
	PGRAPH_CLASS_ERROR = 0x400110,
	PGRAPH_EXCEPTION1 = 0x400118, /* a bit a GPC */
	PGRAPH_EXCEPTION1_EN = 0x400130,
	PGRAPH_EXCEPTION_EN = 0x400138,
	PGRAPH_INTR_EN = 0x40013c,
	PGRAPH_STATUS = 0x400700,
	PGRAPH_TRAPPED_ADDR = 0x400704,
	PGRAPH_TRAPPED_DATA_LO = 0x400708,
	PGRAPH_ENGINE_STATUS = 0x40060c,
	PGRAPH_FE_PWR_MODE = 0x404170,
	PGRAPH_FE_OBJECT_TABLE = 0x404200, /* class of each subchannel */
	PGRAPH_SKED_HWW_ESR = 0x407020,
	PGRAPH_GPCS = 0x418000, /* writes go to each GPC */
	PGRAPH_LAST = 0x41ffff,
	GPC_FIRST = 0x500000,
	GPC0_GPM_PD_PES_TPC_MASK = 0x500c30, /* one word a PES */
	GPC0_TPCS = 0x501800,		     /* writes go to each TPC */
	GPC0_TPCS_LAST = 0x501fff,
	GPC0_FS_GPC = 0x502608,
	GPC0_EXCEPTION = 0x502c90,
	GPC0_EXCEPTION_EN = 0x502c94,
	GPC0_TPC0 = 0x504000,
	GPC_LAST = 0x5fffff,
};

/* In each TPC. */
enum {
	TPC_STRIDE = 0x800,
	TPC_EXCEPTION = 0x508,
	TPC_EXCEPTION_EN = 0x50c,
	SM_HWW_WARP_ESR_REPORT_MASK = 0x644,
	SM_HWW_WARP_ESR = 0x648,
	SM_HWW_GLOBAL_ESR_REPORT_MASK = 0x64c,
	SM_HWW_GLOBAL_ESR = 0x650,
};

#define INTR_ILLEGAL_METHOD BIT(4)
#define INTR_ILLEGAL_CLASS  BIT(5)
#define INTR_CLASS_ERROR    BIT(20)
#define INTR_EXCEPTION	    BIT(21)
#define EXCEPTION_SKED	    BIT(8)
#define EXCEPTION_GPC	    BIT(24)
#define TPC_EXCEPTION_SM    BIT(1)
#define FE_PWR_MODE_REQ	    BIT(4)
#define ENGINE_STATUS_BUSY  BIT(0)
#define ESR_RESET_ACTIVE    BIT(30)

#define GLOBAL_ESR_MULTIPLE_WARP_ERRORS BIT(2)
#define WARP_ESR_WARP_SHIFT		16 /* [INF] */
#define CLASS_ERROR_INVALID_VALUE	4

enum {
	CLASS_FERMI_TWOD_A = 0x902d,
	CLASS_KEPLER_INLINE_TO_MEMORY_B = 0xa140,
	CLASS_PASCAL_A = 0xc097,
	CLASS_PASCAL_COMPUTE_A = 0xc0c0,
};

#define METHOD_SET_OBJECT 0x000
#define METHOD_I2M_FIRST  0x180
#define METHOD_I2M_LAST	  0x1fc

static u32 *gr_reg(struct gpu *gpu, u32 addr)
{
	return addr >= GPC_FIRST ? &gpu->gr.gpc[(addr - GPC_FIRST) / 4]
				 : &gpu->gr.hub[(addr - PGRAPH_FIRST) / 4];
}

static u32 tpc_reg(struct gpu *gpu, unsigned int tpc, u32 offset)
{
	return *gr_reg(gpu, GPC0_TPC0 + TPC_STRIDE * tpc + offset);
}

/* Exceptions follow what raised them, through one enable a level. */

static u32 tpc_exception(struct gpu *gpu, unsigned int tpc)
{
	u32 error = gpu->gr.warp_esr[tpc] & 0xffff;
	bool warp = error && error < 32 &&
		    (tpc_reg(gpu, tpc, SM_HWW_WARP_ESR_REPORT_MASK) & BIT(error));
	bool global = gpu->gr.global_esr[tpc] & tpc_reg(gpu, tpc, SM_HWW_GLOBAL_ESR_REPORT_MASK);

	return warp || global ? TPC_EXCEPTION_SM : 0;
}

static u32 gpc_exception(struct gpu *gpu)
{
	u32 mask = 0;

	for (unsigned int tpc = 0; tpc < GR_TPCS; tpc++)
		if (tpc_exception(gpu, tpc) & tpc_reg(gpu, tpc, TPC_EXCEPTION_EN))
			mask |= BIT(16 + tpc);
	return mask;
}

static u32 exception1(struct gpu *gpu)
{
	return gpc_exception(gpu) & *gr_reg(gpu, GPC0_EXCEPTION_EN) ? BIT(0) : 0;
}

static u32 exception(struct gpu *gpu)
{
	return (exception1(gpu) & *gr_reg(gpu, PGRAPH_EXCEPTION1_EN) ? EXCEPTION_GPC : 0) |
	       (gpu->gr.sked_esr ? EXCEPTION_SKED : 0);
}

static u32 interrupts(struct gpu *gpu)
{
	return gpu->gr.intr |
	       (exception(gpu) & *gr_reg(gpu, PGRAPH_EXCEPTION_EN) ? INTR_EXCEPTION : 0);
}

static void gr_update(struct gpu *gpu)
{
	pmc_set_intr(gpu, PMC_INTR_PGRAPH, interrupts(gpu) & gpu->gr.intr_en);
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

void gr_sm_exception(struct gpu *gpu, unsigned int tpc, unsigned int warp, u32 error)
{
	struct gr *gr = &gpu->gr;

	if (gr->warp_esr[tpc])
		gr->global_esr[tpc] |= GLOBAL_ESR_MULTIPLE_WARP_ERRORS;
	else
		gr->warp_esr[tpc] = warp << WARP_ESR_WARP_SHIFT | error;
	gr_update(gpu);
}

void gr_sked_exception(struct gpu *gpu, u32 error)
{
	gpu->gr.sked_esr |= error;
	gr_update(gpu);
}

static enum gr_result method_of(struct gpu *gpu, struct channel *channel, unsigned int subchannel,
				u32 class, u32 method, u32 data)
{
	switch (class) {
	case CLASS_PASCAL_COMPUTE_A:
		break;
	case CLASS_KEPLER_INLINE_TO_MEMORY_B: /* that part of the compute class */
		if (method < METHOD_I2M_FIRST || method > METHOD_I2M_LAST)
			return GR_DONE;
		break;
	default:
		return GR_DONE;
	}
	if (method == METHOD_SET_OBJECT)
		*gr_reg(gpu, PGRAPH_FE_OBJECT_TABLE + 4 * (subchannel & 7)) = class;
	return compute_method(gpu, channel, method, data);
}

enum gr_result gr_method(struct gpu *gpu, struct channel *channel, unsigned int subchannel,
			 u32 class, u32 method, u32 data)
{
	enum gr_result result;

	class &= 0xffff;
	switch (class) {
	case CLASS_FERMI_TWOD_A:
	case CLASS_KEPLER_INLINE_TO_MEMORY_B:
	case CLASS_PASCAL_A:
	case CLASS_PASCAL_COMPUTE_A:
		break;
	default:
		gpu_log(gpu, GPU_WARN, "GR: class %04x is not one of this chip", class);
		gr_raise(gpu, INTR_ILLEGAL_CLASS, subchannel, class, method, data);
		return GR_DONE;
	}
	result = method_of(gpu, channel, subchannel, class, method, data);
	if (result == GR_ILLEGAL) {
		gpu_log(gpu, GPU_WARN, "GR: class %04x has no method %04x", class, method);
		gr_raise(gpu, INTR_ILLEGAL_METHOD, subchannel, class, method, data);
		return GR_DONE;
	}
	if (result == GR_BAD_DATA) {
		gpu_log(gpu, GPU_WARN, "GR: class %04x method %04x: bad or not modelled: %08x",
			class, method, data);
		*gr_reg(gpu, PGRAPH_CLASS_ERROR) = CLASS_ERROR_INVALID_VALUE;
		gr_raise(gpu, INTR_CLASS_ERROR, subchannel, class, method, data);
		return GR_DONE;
	}
	return result;
}

/* The TPC to whose registers an address belongs; false for others. */
static bool tpc_of(u32 addr, unsigned int *tpc, u32 *offset)
{
	if (addr < GPC0_TPC0 || addr >= GPC0_TPC0 + GR_TPCS * TPC_STRIDE)
		return false;
	*tpc = (addr - GPC0_TPC0) / TPC_STRIDE;
	*offset = (addr - GPC0_TPC0) % TPC_STRIDE;
	return true;
}

static u32 gr_read(struct gpu *gpu, u32 addr)
{
	unsigned int tpc;
	u32 offset;

	switch (addr) {
	case PGRAPH_INTR:
		return interrupts(gpu);
	case PGRAPH_INTR_EN:
		return gpu->gr.intr_en;
	case PGRAPH_EXCEPTION:
		return exception(gpu);
	case PGRAPH_EXCEPTION1:
		return exception1(gpu);
	case GPC0_EXCEPTION:
		return gpc_exception(gpu);
	case PGRAPH_SKED_HWW_ESR:
		return gpu->gr.sked_esr | (gpu->gr.sked_esr ? ESR_RESET_ACTIVE : 0);
	case PGRAPH_STATUS: /* methods are never in the midst of it */
		return 0;
	case PGRAPH_ENGINE_STATUS:
		return sked_busy(gpu) ? ENGINE_STATUS_BUSY : 0;
	}
	if (tpc_of(addr, &tpc, &offset)) {
		switch (offset) {
		case TPC_EXCEPTION:
			return tpc_exception(gpu, tpc);
		case SM_HWW_WARP_ESR:
			return gpu->gr.warp_esr[tpc];
		case SM_HWW_GLOBAL_ESR:
			return gpu->gr.global_esr[tpc];
		}
	}
	return *gr_reg(gpu, addr);
}

static void gpc_write(struct gpu *gpu, u32 addr, u32 val)
{
	unsigned int tpc;
	u32 offset;

	switch (addr) {
	case GPC0_FS_GPC:
	case GPC0_GPM_PD_PES_TPC_MASK:
	case GPC0_GPM_PD_PES_TPC_MASK + 4:
		return; /* read-only */
	}
	*gr_reg(gpu, addr) = val;
	if (addr >= GPC0_TPCS && addr <= GPC0_TPCS_LAST)
		for (tpc = 0; tpc < GR_TPCS; tpc++)
			gpc_write(gpu, GPC0_TPC0 + TPC_STRIDE * tpc + (addr - GPC0_TPCS), val);
	if (!tpc_of(addr, &tpc, &offset))
		return;
	if (offset == SM_HWW_WARP_ESR)
		gpu->gr.warp_esr[tpc] = val;
	else if (offset == SM_HWW_GLOBAL_ESR)
		gpu->gr.global_esr[tpc] &= ~val;
}

static void gr_write(struct gpu *gpu, u32 addr, u32 val)
{
	switch (addr) {
	case PGRAPH_INTR:
		gpu->gr.intr &= ~val;
		break;
	case PGRAPH_INTR_EN:
		gpu->gr.intr_en = val;
		break;
	case PGRAPH_SKED_HWW_ESR:
		if (val & ESR_RESET_ACTIVE)
			gpu->gr.sked_esr = 0;
		break;
	case PGRAPH_FE_PWR_MODE: /* the request is done at once */
		*gr_reg(gpu, addr) = val & ~FE_PWR_MODE_REQ;
		break;
	default:
		if (addr >= GPC_FIRST)
			gpc_write(gpu, addr, val);
		else
			*gr_reg(gpu, addr) = val;
		if (addr >= PGRAPH_GPCS && addr <= PGRAPH_LAST)
			gpc_write(gpu, GPC_FIRST + (addr - PGRAPH_GPCS), val);
	}
	gr_update(gpu);
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
	*gr_reg(gpu, GPC0_FS_GPC) = GR_TPCS;
	*gr_reg(gpu, GPC0_GPM_PD_PES_TPC_MASK) = BIT(GR_TPCS) - 1;
	sked_reset(gpu);
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

const struct unit gr_unit = {
	.name = "GR",
	.init = gr_init,
	.reset = gr_reset,
	.fini = sked_reset,
};
