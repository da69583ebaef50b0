/* SPDX-License-Identifier: MIT */
/* Frame buffer: VRAM itself, its size registers (FBP/FBPA/LTC), L2 and flushes. */
#ifndef FB_H
#define FB_H

#include "types.h"

struct gpu;

struct fb {
	u8 *vram; /* anonymous shared memory of config.vram_bytes */
	int memfd;
};

extern const struct unit fb_unit;

#endif
