/* SPDX-License-Identifier: MIT */
/*
 * THERM: one steady temperature. Source: gp106 hw_therm.
 * The reading of TEMP_SENSOR_9 is a fixed point number, degrees Celsius in bits 16:8 and up.
 */
#include "gpu.h"

#define TEMP_VALID   BIT(29)
#define TEMP_CELSIUS 40

static const struct mmio_plain therm_regs[] = {
	{ 0x020460, "NV_THERM_TEMP_SENSOR", .reset = TEMP_VALID | TEMP_CELSIUS << 8 },
};

static void therm_init(struct gpu *gpu)
{
	mmio_register_plain(gpu, therm_regs, ARRAY_SIZE(therm_regs));
}

const struct unit therm_unit = { .name = "THERM", .init = therm_init };
