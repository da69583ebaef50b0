/* SPDX-License-Identifier: MIT */
/*
 * PMC: identification, interrupt tree and MSI, unit enables.
 * Source: published GP100 dev_boot.h, gp106 hw_mc; open-gpu-doc pascal/gp100-msi-intr.txt.
 */
#include "gpu.h"

enum {
	PMC_BOOT_0 = 0x000000,
	PMC_BOOT_1 = 0x000004,
	PMC_BOOT_2 = 0x000008,
	PMC_INTR_0 = 0x000100, /* two leaves, 4 bytes apart, in each group */
	PMC_INTR_EN_0 = 0x000140,
	PMC_INTR_EN_SET_0 = 0x000160,
	PMC_INTR_EN_CLEAR_0 = 0x000180,
	PMC_INTR_SW = 0x0001a0,
	PMC_ENABLE_REG = 0x000200,
	PMC_ENABLE_PB = 0x000204,
	PMC_LAST = 0x000fff,
};

#define INTR_SW BIT(31)

static const struct mmio_plain pmc_plain[] = {
	{ PMC_BOOT_1, "NV_PMC_BOOT_1", .reset = 0 }, /* little-endian */
	{ PMC_BOOT_2, "NV_PMC_BOOT_2", .reset = 0 },
	{ 0x000120, "NV_PMC_INTR_MODE", .writable = ~0u, .count = 2, .stride = 4 },
	{ 0x0001c0, "NV_PMC_INTR_LTC", .reset = 0 },
	{ 0x0001d0, "NV_PMC_INTR_FBPA", .reset = 0 },
	{ 0x000260, "NV_PMC_ELPG_ENABLE", .writable = ~0u },
};

/* Whatever made the tree change: an MSI goes out when its output rises while armed. */
static void pmc_update(struct gpu *gpu)
{
	struct pmc *pmc = &gpu->pmc;
	bool line = pmc->intr & pmc->intr_en[0];
	bool rise = line && !pmc->line;

	pmc->line = line;
	if (rise && pmc->armed) {
		pmc->armed = false;
		pci_msi_send(gpu);
	}
}

void pmc_set_intr(struct gpu *gpu, enum pmc_intr bit, bool level)
{
	u32 intr = level ? gpu->pmc.intr | BIT(bit) : gpu->pmc.intr & ~BIT(bit);

	if (intr == gpu->pmc.intr)
		return;
	gpu->pmc.intr = intr;
	pmc_update(gpu);
}

void pmc_msi_rearm(struct gpu *gpu)
{
	gpu->pmc.armed = !gpu->pmc.line;
	if (gpu->pmc.line)
		pci_msi_send(gpu);
}

void pmc_on_reset(struct gpu *gpu, enum pmc_enable bit, pmc_reset_fn fn)
{
	gpu->pmc.reset[bit] = fn;
}

static void pmc_write_enable(struct gpu *gpu, u32 val)
{
	u32 falling = gpu->pmc.enable & ~val;

	gpu->pmc.enable = val;
	for (unsigned int bit = 0; bit < 32; bit++)
		if ((falling & BIT(bit)) && gpu->pmc.reset[bit])
			gpu->pmc.reset[bit](gpu, bit);
}

static u32 pmc_read(struct gpu *gpu, u32 addr)
{
	struct pmc *pmc = &gpu->pmc;

	switch (addr) {
	case PMC_BOOT_0:
		return gpu->config.chip->boot0;
	case PMC_INTR_0:
		return pmc->intr;
	case PMC_INTR_0 + 4: /* nothing is routed to leaf 1 */
		return 0;
	case PMC_INTR_EN_0:
	case PMC_INTR_EN_0 + 4:
		return pmc->intr_en[(addr - PMC_INTR_EN_0) / 4];
	case PMC_INTR_EN_SET_0:
	case PMC_INTR_EN_SET_0 + 4:
	case PMC_INTR_EN_CLEAR_0:
	case PMC_INTR_EN_CLEAR_0 + 4:
		return 0;
	case PMC_INTR_SW:
		return pmc->intr & INTR_SW;
	case PMC_ENABLE_REG:
		return pmc->enable;
	case PMC_ENABLE_PB:
		return pmc->pbdma_enable;
	}
	return mmio_unmodelled_read(gpu, addr);
}

static void pmc_write(struct gpu *gpu, u32 addr, u32 val)
{
	struct pmc *pmc = &gpu->pmc;

	switch (addr) {
	case PMC_BOOT_0:
	case PMC_INTR_0:
	case PMC_INTR_0 + 4:
	case PMC_INTR_EN_0:
	case PMC_INTR_EN_0 + 4:
		return; /* read-only */
	case PMC_INTR_EN_SET_0:
	case PMC_INTR_EN_SET_0 + 4:
		pmc->intr_en[(addr - PMC_INTR_EN_SET_0) / 4] |= val;
		pmc_update(gpu);
		return;
	case PMC_INTR_EN_CLEAR_0:
	case PMC_INTR_EN_CLEAR_0 + 4:
		pmc->intr_en[(addr - PMC_INTR_EN_CLEAR_0) / 4] &= ~val;
		pmc_update(gpu);
		return;
	case PMC_INTR_SW:
		pmc->intr = (pmc->intr & ~INTR_SW) | (val & INTR_SW);
		pmc_update(gpu);
		return;
	case PMC_ENABLE_REG:
		pmc_write_enable(gpu, val);
		return;
	case PMC_ENABLE_PB:
		pmc->pbdma_enable = val;
		return;
	}
	mmio_unmodelled_write(gpu, addr, val);
}

static const struct mmio_range pmc_range = { PMC_BOOT_0, PMC_LAST, "PMC", pmc_read, pmc_write };

static void pmc_init(struct gpu *gpu)
{
	mmio_register(gpu, &pmc_range);
	mmio_register_plain(gpu, pmc_plain, ARRAY_SIZE(pmc_plain));
}

static void pmc_reset(struct gpu *gpu)
{
	struct pmc *pmc = &gpu->pmc;

	pmc->intr = 0;
	pmc->intr_en[0] = 0;
	pmc->intr_en[1] = 0;
	pmc->enable = 0;
	pmc->pbdma_enable = 0;
	pmc->line = false;
	pmc->armed = true;
}

const struct unit pmc_unit = { .name = "PMC", .init = pmc_init, .reset = pmc_reset };
