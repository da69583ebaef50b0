/* SPDX-License-Identifier: MIT */
/* The board's VBIOS image, made in memory from the chip table. */
#ifndef VBIOS_H
#define VBIOS_H

#include "chip.h"

#define VBIOS_BYTES 0x600

void vbios_build(const struct chip *chip, u8 image[VBIOS_BYTES]);

#endif
