/* SPDX-License-Identifier: MIT */
/* PBUS, PRIV ring, THERM, GPIO, fuses, straps, PTOP, PROM: the small units of a probe. */
#ifndef PBUS_H
#define PBUS_H

#include "types.h"
#include "vbios.h"

struct gpu;

struct pbus {
	u32 intr, intr_en;
	u32 bar0_window;
	u8 vbios[VBIOS_BYTES];
};

extern const struct unit pbus_unit, ptop_unit, fuse_unit, therm_unit, prom_unit, xve_unit;

#endif
