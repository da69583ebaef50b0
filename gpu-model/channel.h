/* SPDX-License-Identifier: MIT */
/*
 * A channel: what channel RAM (CCSR) and the runlists say of it, and what engines keep for it.
 * The PBDMA's own state of a channel lives in RAMFC, in its instance block, as on hardware;
 * it is in struct pbdma only while the channel is loaded (pfifo.h).
 */
#ifndef CHANNEL_H
#define CHANNEL_H

#include "ce.h"
#include "compute.h"
#include "mmu.h"
#include "types.h"

#define SUBCHANNEL_COUNT 8

struct channel {
	unsigned int id;

	/* CCSR */
	bool bound, enabled;
	enum aperture inst_aperture;
	u64 inst; /* address of the instance block */
	bool pbdma_faulted, engine_faulted;

	/* By the runlist in which it stands; listed is false when in none. */
	bool listed;
	u8 runlist, runqueue;
	u16 tsg;
	bool in_tsg;

	/* Scheduling: GP_PUT may have moved; a semaphore acquire is to be tried again. */
	bool pending, acquiring;

	/* Read from the instance block when a PBDMA loads the channel. */
	struct mmu_space space;
	bool ce_privileged; /* may use physical copy-engine operands (HCE_CTRL.HCE_PRIV_MODE) */
	u64 graphics_ctx;   /* GR context pointer, 0 when none is bound */

	/* Engine side */
	u32 object[SUBCHANNEL_COUNT]; /* SET_OBJECT data of each subchannel */
	struct ce_context ce;
	struct compute_context compute;
};

#endif
