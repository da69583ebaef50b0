/* SPDX-License-Identifier: MIT */
/* PGRAPH: floor-sweeping, FECS command mailbox, object classes. No shaders yet. */
#ifndef GR_H
#define GR_H

#include "types.h"

struct gpu;
struct channel;

#define GR_CLASS_COUNT	4
#define GR_METHOD_COUNT 0x1000

struct gr {
	u32 mailbox[8];
	u32 current_ctx;
	bool ctxsw_stopped;
	u32 intr, intr_en;
	u32 hub[0x20000 / 4];			     /* registers 0x400000 to 0x41ffff */
	u32 gpc[0x100000 / 4];			     /* registers 0x500000 to 0x5fffff */
	u32 method[GR_CLASS_COUNT][GR_METHOD_COUNT]; /* last value of each class's methods */
};

/*
 * A method of an engine object on the GR runlist. Returns false for an
 * illegal one, after raising PGRAPH's interrupt for it.
 */
bool gr_method(struct gpu *gpu, struct channel *channel, unsigned int subchannel, u32 class,
	       u32 method, u32 data);

extern const struct unit gr_unit, fecs_unit;

#endif
