/* SPDX-License-Identifier: MIT */
/*
 * PTOP: what the chip is made of; the device-info table comes from the chip's engine table.
 * Source: gp106 hw_top; open-gpu-doc manuals/volta/gv100/dev_top.
 */
#include "gpu.h"

enum {
	PTOP_DEVICE_INFO = 0x022700,
	PTOP_DEVICE_INFO_COUNT = 64,
};

enum {
	ENTRY_DATA = 1,
	ENTRY_ENUM = 2,
	ENTRY_ENGINE_TYPE = 3,
};

#define ENTRY_CHAIN BIT(31) /* the entry goes on in the next word */

#define ENUM_RESET_VALID   BIT(2)
#define ENUM_INTR_VALID	   BIT(3)
#define ENUM_RUNLIST_VALID BIT(4)
#define ENUM_ENGINE_VALID  BIT(5)
#define DATA_FAULT_VALID   BIT(2)
#define DATA_PRI_BASE	   0x00fff000

static u32 device_info(const struct chip *chip, unsigned int index)
{
	const struct chip_engine *e = &chip->engines[index / 3];

	if (index / 3 >= chip->engine_count)
		return 0;
	switch (index % 3) {
	case 0:
		return ENTRY_CHAIN | ENTRY_ENUM | ENUM_RESET_VALID | ENUM_INTR_VALID |
		       ENUM_RUNLIST_VALID | ENUM_ENGINE_VALID | (u32)e->engine << 26 |
		       (u32)e->runlist << 21 | (u32)e->intr << 15 | (u32)e->reset << 9;
	case 1:
		return ENTRY_CHAIN | ENTRY_DATA | DATA_FAULT_VALID | (u32)e->inst << 26 |
		       (e->base & DATA_PRI_BASE) | (u32)e->fault << 3;
	default:
		return ENTRY_ENGINE_TYPE | (u32)e->type << 2;
	}
}

static u32 device_info_read(struct gpu *gpu, u32 addr)
{
	return device_info(gpu->config.chip, (addr - PTOP_DEVICE_INFO) / 4);
}

static void device_info_write(struct gpu *gpu, u32 addr, u32 val)
{
	(void)gpu;
	(void)addr;
	(void)val;
}

static const struct mmio_range device_info_range = {
	PTOP_DEVICE_INFO,
	PTOP_DEVICE_INFO + 4 * PTOP_DEVICE_INFO_COUNT - 1,
	"PTOP",
	device_info_read,
	device_info_write,
};

static void ptop_init(struct gpu *gpu)
{
	const struct chip *chip = gpu->config.chip;
	const struct mmio_plain regs[] = {
		{ 0x022404, "NV_PTOP_SCRATCH0", .writable = ~0u },
		/* bit 1, devinit done: a machine's firmware has POSTed the board */
		{ 0x02240c, "NV_PTOP_SCRATCH1", .reset = 2, .writable = ~0u },
		{ 0x022438, "NV_PTOP_SCAL_NUM_FBPS", .reset = chip->fbps },
		{ 0x02243c, "NV_PTOP_SCAL_NUM_FBPAS", .reset = chip->fbps * chip->fbpas_per_fbp },
		{ 0x022450, "NV_PTOP_SCAL_NUM_LTC_PER_FBP", .reset = chip->ltcs / chip->fbps },
		{ 0x022454, "NV_PTOP_SCAL_NUM_LTCS", .reset = chip->ltcs },
		{ 0x022458, "NV_PTOP_SCAL_NUM_FBPA_PER_FBP", .reset = chip->fbpas_per_fbp },
	};

	mmio_register(gpu, &device_info_range);
	mmio_register_plain(gpu, regs, ARRAY_SIZE(regs));
}

const struct unit ptop_unit = { .name = "PTOP", .init = ptop_init };
