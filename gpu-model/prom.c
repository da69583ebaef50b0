/* SPDX-License-Identifier: MIT */
/* PROM: the VBIOS flash as seen in BAR0. Source: published dev_bus.h (NV_PROM). */
#include <string.h>

#include "gpu.h"
#include "vbios.h"

enum {
	PROM_FIRST = 0x300000,
	PROM_LAST = 0x3fffff,
};

/* Beyond the image the flash is empty; it reads 0 here, where an erased chip would read ones. */
static u32 prom_read(struct gpu *gpu, u32 addr)
{
	u32 offset = addr - PROM_FIRST;
	u32 val = 0;

	if (offset < VBIOS_BYTES)
		memcpy(&val, gpu->pbus.vbios + offset, sizeof(val));
	return val;
}

static void prom_write(struct gpu *gpu, u32 addr, u32 val)
{
	(void)gpu;
	(void)addr;
	(void)val; /* writing takes a serial-flash protocol, which no driver of ours speaks */
}

static const struct mmio_range prom_range = { PROM_FIRST, PROM_LAST, "PROM", prom_read,
					      prom_write };

static void prom_init(struct gpu *gpu)
{
	vbios_build(gpu->config.chip, gpu->pbus.vbios);
	mmio_register(gpu, &prom_range);
}

const struct unit prom_unit = { .name = "PROM", .init = prom_init };
