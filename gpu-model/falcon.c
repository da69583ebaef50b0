/* SPDX-License-Identifier: MIT */
/*
 * Falcon registers: memories by programmed I/O, context bind, interrupts, start.
 * Source: published gp106 hw_falcon header; falcon prose of envytools. Memory sizes of the
 * GP100's falcons and the timing of the bind states are inference.
 */
#include <string.h>

#include "gpu.h"

enum {
	IRQSCLR = 0x004,
	IRQMSET = 0x010,
	IRQMCLR = 0x014,
	IRQMASK = 0x018,
	NXTCTX = 0x054,
	CTXACK = 0x058,
	BIND_STATUS = 0x0dc,
	HWCFG = 0x108,
	DMACTL = 0x10c,
	HWCFG1 = 0x12c,
	CPUCTL_ALIAS = 0x130,
	IMEM_FIRST = 0x180, /* 4 ports, 16 bytes apart: control, data, tag */
	IMEM_LAST = 0x1bf,
	DMEM_FIRST = 0x1c0, /* 8 ports, 8 bytes apart: control, data */
	DMEM_LAST = 0x1ff,
	ICD_RDATA = 0x20c,
	PMU_BIND = 0x480,
	PMU_REGS_LAST = 0xfff,
	GR_FALCON_REGS_LAST = 0x3ff, /* above it: FECS's own registers (fecs.c) */
};

#define IRQ_CTXSW	 BIT(3)
#define IRQ_HALT	 BIT(4)
#define CPUCTL_STARTCPU	 BIT(1)
#define CPUCTL_HALTED	 BIT(4)
#define CPUCTL_ALIAS_EN	 BIT(6)
#define DMACTL_SCRUBBING (BIT(1) | BIT(2))
#define CTXACK_CTXSW	 BIT(1)
#define MEMC_OFFSET	 0xfffc
#define MEMC_AINCW	 BIT(24)
#define MEMC_AINCR	 BIT(25)
#define BIND_WAIT_ACK	 5

/* IMEM 64 KiB and DMEM 24 KiB, in blocks of 256 bytes. */
#define HWCFG_VALUE (0x60u << 9 | 0x100)
/* Version 5, security level 0, one port to each memory. */
#define HWCFG1_VALUE 0x1105

static const u32 falcon_base[FALCON_COUNT] = {
	[FALCON_PMU] = 0x10a000,
	[FALCON_FECS] = 0x409000,
	[FALCON_GPCCS] = 0x41a000,
};

static struct falcon *falcon_of(struct gpu *gpu, u32 addr)
{
	for (size_t i = 0; i < FALCON_COUNT; i++)
		if ((addr & ~UINT32_C(0xfff)) == falcon_base[i])
			return &gpu->falcons.falcon[i];
	return NULL; /* not reached: only these ranges are registered */
}

static u32 *reg(struct falcon *falcon, u32 offset)
{
	return &falcon->regs[offset / 4];
}

static void update_irq(struct gpu *gpu, struct falcon *falcon)
{
	if (falcon == &gpu->falcons.falcon[FALCON_PMU])
		pmc_set_intr(gpu, PMC_INTR_PMU,
			     *reg(falcon, FALCON_IRQSTAT) & *reg(falcon, IRQMASK));
}

void falcon_halt(struct gpu *gpu, struct falcon *falcon)
{
	falcon->running = false;
	*reg(falcon, FALCON_CPUCTL) |= CPUCTL_HALTED;
	*reg(falcon, FALCON_IRQSTAT) |= IRQ_HALT;
	update_irq(gpu, falcon);
}

void falcon_reset(struct gpu *gpu, enum falcon_id id)
{
	struct falcon *falcon = &gpu->falcons.falcon[id];

	memset(falcon->regs, 0, sizeof(falcon->regs));
	memset(falcon->imem, 0, sizeof(falcon->imem));
	memset(falcon->dmem, 0, sizeof(falcon->dmem));
	falcon->running = false;
	falcon->bind_state = 0;
	falcon->space = (struct mmu_space){ 0 };
	*reg(falcon, FALCON_CPUCTL) = CPUCTL_HALTED;
	update_irq(gpu, falcon);
}

static void bind(struct gpu *gpu, struct falcon *falcon, u32 val)
{
	mmu_space_load(gpu, bits(val, 29, 28), bits(val, 27, 0) << 12, &falcon->space);
	falcon->bind_state = BIND_WAIT_ACK;
	*reg(falcon, FALCON_IRQSTAT) |= IRQ_CTXSW;
	update_irq(gpu, falcon);
}

/* Access the word that a memory port points to, and step the pointer if told so. */
static u32 *port_word(struct falcon *falcon, u8 *mem, u32 control, u32 step)
{
	u32 *memc = reg(falcon, control);
	u32 *word = (u32 *)(mem + (*memc & MEMC_OFFSET));

	if (*memc & step)
		*memc = (*memc & ~(u32)MEMC_OFFSET) | ((*memc + 4) & MEMC_OFFSET);
	return word;
}

static bool is_imem_data(u32 offset)
{
	return offset >= IMEM_FIRST && offset <= IMEM_LAST && (offset & 0xf) == 4;
}

static bool is_dmem_data(u32 offset)
{
	return offset >= DMEM_FIRST && offset <= DMEM_LAST && (offset & 0x7) == 4;
}

static u32 falcon_read(struct gpu *gpu, u32 addr)
{
	struct falcon *falcon = falcon_of(gpu, addr);
	u32 offset = addr & 0xfff;

	if (is_imem_data(offset))
		return *port_word(falcon, falcon->imem, offset - 4, MEMC_AINCR);
	if (is_dmem_data(offset))
		return *port_word(falcon, falcon->dmem, offset - 4, MEMC_AINCR);
	switch (offset) {
	case BIND_STATUS:
	case ICD_RDATA:
		return falcon->bind_state << 12;
	case HWCFG:
		return HWCFG_VALUE;
	case HWCFG1:
		return HWCFG1_VALUE;
	case DMACTL:
		return *reg(falcon, offset) & ~DMACTL_SCRUBBING;
	}
	return *reg(falcon, offset);
}

static void start(struct gpu *gpu, struct falcon *falcon, u32 val)
{
	if (!(val & CPUCTL_STARTCPU) || falcon->running)
		return;
	*reg(falcon, FALCON_CPUCTL) &= ~CPUCTL_HALTED;
	falcon->running = true;
	falcon->start(gpu, falcon);
}

static void falcon_write(struct gpu *gpu, u32 addr, u32 val)
{
	struct falcon *falcon = falcon_of(gpu, addr);
	u32 offset = addr & 0xfff;

	if (is_imem_data(offset)) {
		*port_word(falcon, falcon->imem, offset - 4, MEMC_AINCW) = val;
		return;
	}
	if (is_dmem_data(offset)) {
		*port_word(falcon, falcon->dmem, offset - 4, MEMC_AINCW) = val;
		return;
	}
	switch (offset) {
	case IRQSCLR:
		*reg(falcon, FALCON_IRQSTAT) &= ~val;
		update_irq(gpu, falcon);
		return;
	case IRQMSET:
		*reg(falcon, IRQMASK) |= val;
		update_irq(gpu, falcon);
		return;
	case IRQMCLR:
		*reg(falcon, IRQMASK) &= ~val;
		update_irq(gpu, falcon);
		return;
	case FALCON_IRQSTAT:
	case IRQMASK:
	case HWCFG:
	case HWCFG1:
	case BIND_STATUS:
	case ICD_RDATA:
		return; /* read-only */
	case FALCON_CPUCTL:
		*reg(falcon, offset) =
			(*reg(falcon, offset) & CPUCTL_HALTED) | (val & CPUCTL_ALIAS_EN);
		start(gpu, falcon, val);
		return;
	case CPUCTL_ALIAS:
		if (*reg(falcon, FALCON_CPUCTL) & CPUCTL_ALIAS_EN)
			start(gpu, falcon, val);
		return;
	case CTXACK:
		if (val & CTXACK_CTXSW)
			falcon->bind_state = 0;
		break;
	case NXTCTX:
	case PMU_BIND:
		bind(gpu, falcon, val);
		break;
	}
	*reg(falcon, offset) = val;
}

static const struct mmio_range falcon_ranges[] = {
	{ 0x10a000, 0x10a000 + PMU_REGS_LAST, "PMU", falcon_read, falcon_write },
	{ 0x409000, 0x409000 + GR_FALCON_REGS_LAST, "FECS", falcon_read, falcon_write },
	{ 0x41a000, 0x41a000 + GR_FALCON_REGS_LAST, "GPCCS", falcon_read, falcon_write },
};

static void pmu_pmc_reset(struct gpu *gpu, unsigned int bit)
{
	(void)bit;
	falcon_reset(gpu, FALCON_PMU);
}

static void falcon_init(struct gpu *gpu)
{
	for (size_t i = 0; i < ARRAY_SIZE(falcon_ranges); i++)
		mmio_register(gpu, &falcon_ranges[i]);
	pmc_on_reset(gpu, PMC_ENABLE_PWR, pmu_pmc_reset);
}

static void falcon_unit_reset(struct gpu *gpu)
{
	for (unsigned int id = 0; id < FALCON_COUNT; id++)
		falcon_reset(gpu, id);
}

const struct unit falcon_unit = {
	.name = "FALCON",
	.init = falcon_init,
	.reset = falcon_unit_reset,
};
