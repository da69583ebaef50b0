/* SPDX-License-Identifier: MIT */
/*
 * PBUS interrupt registers and memory flushes; PRIV ring, GPIO and I2C, of which a probe
 * only needs that they are quiet. The BAR windows of PBUS are in bar.c.
 * Source: gp106 hw_bus, hw_flush; published dev_bus.h, dev_pri_ringmaster.h.
 */
#include "gpu.h"

enum {
	PBUS_INTR_0 = 0x001100,
	PBUS_INTR_EN_0 = 0x001140,
	UFLUSH_FIRST = 0x070000, /* FB_FLUSH, L2_SYSMEM_INVALIDATE, ..., L2_FLUSH_DIRTY */
	UFLUSH_LAST = 0x070013,
};

#define PBUS_INTR_MASK 0x0000000e /* PRI_SQUASH, PRI_FECSERR, PRI_TIMEOUT */

static const struct mmio_plain pbus_plain[] = {
	{ 0x009084, "NV_PTIMER_PRI_TIMEOUT_SAVE_0", .writable = ~0u },
	{ 0x009088, "NV_PTIMER_PRI_TIMEOUT_SAVE_1", .writable = ~0u },
	{ 0x101000, "NV_PEXTDEV_BOOT_0", .reset = 0x00400000 }, /* 27 MHz crystal */
	{ 0x6013d4, "NV_PDISP_VGA_CRTC", .writable = ~0u },	/* VGA ports 3d4, 3d5 */

	{ 0x12004c, "NV_PPRIV_MASTER_RING_COMMAND", .writable = ~0u },
	{ 0x120058, "NV_PPRIV_MASTER_RING_INTERRUPT_STATUS0", .reset = 0 },
	{ 0x12005c, "NV_PPRIV_MASTER_RING_INTERRUPT_STATUS1", .reset = 0 },
	{ 0x120070, "NV_PPRIV_MASTER_RING_ENUMERATE_RESULTS", .reset = 0 },
	{ 0x120074, "NV_PPRIV_MASTER_RING_ENUMERATE_RESULTS_FBP", .reset = 0 },
	{ 0x120078, "NV_PPRIV_MASTER_RING_ENUMERATE_RESULTS_GPC", .reset = 0 },

	{ 0x00dc00, "NV_PMGR_RM_INTR_MSK", .writable = ~0u },
	{ 0x00dc08, "NV_PMGR_RM_INTR_EN", .writable = ~0u },
	{ 0x00dc60, "NV_PMGR_RM_I2C_INTR", .reset = 0 },
	{ 0x00dc68, "NV_PMGR_RM_I2C_INTR_EN", .writable = ~0u },
	{ 0x00dc80, "NV_PMGR_RM_INTR_MSK_1", .reset = 0 },
	{ 0x00dc88, "NV_PMGR_RM_INTR_EN_1", .writable = ~0u },
};

static void pbus_update(struct gpu *gpu)
{
	pmc_set_intr(gpu, PMC_INTR_PBUS, gpu->pbus.intr & gpu->pbus.intr_en);
}

static u32 pbus_read(struct gpu *gpu, u32 addr)
{
	return addr == PBUS_INTR_0 ? gpu->pbus.intr : gpu->pbus.intr_en;
}

static void pbus_write(struct gpu *gpu, u32 addr, u32 val)
{
	if (addr == PBUS_INTR_0)
		gpu->pbus.intr &= ~val;
	else
		gpu->pbus.intr_en = val & PBUS_INTR_MASK;
	pbus_update(gpu);
}

/* Memory is coherent in the model: a flush is complete (PENDING, OUTSTANDING 0) when asked. */
static u32 flush_read(struct gpu *gpu, u32 addr)
{
	(void)gpu;
	(void)addr;
	return 0;
}

static void flush_write(struct gpu *gpu, u32 addr, u32 val)
{
	(void)gpu;
	(void)addr;
	(void)val;
}

static const struct mmio_range pbus_ranges[] = {
	{ PBUS_INTR_0, PBUS_INTR_0 + 3, "PBUS", pbus_read, pbus_write },
	{ PBUS_INTR_EN_0, PBUS_INTR_EN_0 + 3, "PBUS", pbus_read, pbus_write },
	{ UFLUSH_FIRST, UFLUSH_LAST, "UFLUSH", flush_read, flush_write },
};

static void pbus_init(struct gpu *gpu)
{
	for (size_t i = 0; i < ARRAY_SIZE(pbus_ranges); i++)
		mmio_register(gpu, &pbus_ranges[i]);
	mmio_register_plain(gpu, pbus_plain, ARRAY_SIZE(pbus_plain));
}

static void pbus_reset(struct gpu *gpu)
{
	gpu->pbus.intr = 0;
	gpu->pbus.intr_en = 0;
}

const struct unit pbus_unit = { .name = "PBUS", .init = pbus_init, .reset = pbus_reset };
