/* SPDX-License-Identifier: MIT */
/* PGRAPH: floor-sweeping, FECS command mailbox, object classes. No shaders yet. */
#ifndef GR_H
#define GR_H

#include "types.h"

struct gpu;
struct channel;

struct gr {
	u32 mailbox[8];
	u32 current_ctx;
	bool ctxsw_stopped;
};

/* A method of an engine object on the GR runlist. Returns false for an illegal one. */
bool gr_method(struct gpu *gpu, struct channel *channel, unsigned int subchannel, u32 class,
	       u32 method, u32 data);

extern const struct unit gr_unit;

#endif
