/* SPDX-License-Identifier: MIT */
/* Copy engines, class C0B5. Source: open-gpu-doc classes/dma-copy/clc0b5.h. */
#ifndef CE_H
#define CE_H

#include "types.h"

struct gpu;
struct channel;

#define CE_MAX 6 /* of any chip */

struct ce_regs {
	u32 intr, intr_en, launch_err;
};

struct ce {
	struct ce_regs regs[CE_MAX];
	/* Data in flight: one launch runs at a time. */
	u8 *source, *result;
	u64 unyielded; /* bytes moved since others last had gpu->lock */
};

/* Methods 0x100 to 0x73c, one word each: what a channel has told its copy engine so far. */
#define CE_METHOD_FIRST 0x100
#define CE_METHOD_LAST	0x73c

struct ce_context {
	u32 method[(CE_METHOD_LAST - CE_METHOD_FIRST) / 4 + 1];
};

/* As a channel starts out. */
void ce_context_reset(struct ce_context *context);

/* What became of a method. */
enum ce_result {
	CE_DONE,
	CE_ILLEGAL_METHOD, /* PBDMA INTR_1 HCE_ILLEGAL_MTHD */
	CE_ILLEGAL_OP,	   /* HCE_RE_ILLEGAL_OP */
	CE_ALIGN,	   /* HCE_RE_ALIGNB */
	CE_PRIV,	   /* HCE_PRIV: physical operand on an unprivileged channel */
	CE_FAULT,	   /* MMU fault, reported; the channel is dead */
	CE_BLOCKED,	   /* a BLOCKING interrupt is not yet cleared: try again */
	CE_CANCELLED,	   /* the channel or engine was reset meanwhile: touch neither */
};

/* One engine method of a channel on copy engine "index". gpu->lock held, engine thread. */
enum ce_result ce_method(struct gpu *gpu, unsigned int index, struct channel *channel, u32 method,
			 u32 data);

extern const struct unit ce_unit;

#endif
