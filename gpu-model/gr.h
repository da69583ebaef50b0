/* SPDX-License-Identifier: MIT */
/*
 * PGRAPH: floor-sweeping, exceptions, object classes, and the FECS command mailbox. Compute work
 * is in compute.c (methods), sked.c (grids) and utlb.c (faults).
 */
#ifndef GR_H
#define GR_H

#include "compute.h"
#include "types.h"
#include "utlb.h"

struct gpu;
struct channel;

struct gr {
	u32 mailbox[8];
	u32 current_ctx;
	bool ctxsw_stopped;
	u32 intr, intr_en;
	u32 warp_esr[GR_TPCS], global_esr[GR_TPCS], sked_esr;
	u32 hub[0x20000 / 4];  /* registers 0x400000 to 0x41ffff */
	u32 gpc[0x100000 / 4]; /* registers 0x500000 to 0x5fffff */
	struct utlb utlb[UTLB_COUNT];
};

/* A method of an engine object on the GR runlist: raised and done if it is illegal. */
enum gr_result gr_method(struct gpu *gpu, struct channel *channel, unsigned int subchannel,
			 u32 class, u32 method, u32 data);
/* A warp of a TPC's SM has met an error; the code is that of SM_HWW_WARP_ESR. */
void gr_sm_exception(struct gpu *gpu, unsigned int tpc, unsigned int warp, u32 error);
/* SKED refuses a grid; bits of SKED_HWW_ESR. */
void gr_sked_exception(struct gpu *gpu, u32 error);

extern const struct unit gr_unit, fecs_unit;

#endif
