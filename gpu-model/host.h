/* SPDX-License-Identifier: MIT */
/*
 * Host (PFIFO): channels, runlists, PBDMAs.
 * Source: published gp106 hw_fifo/hw_pbdma/hw_ram/hw_ccsr headers and the
 * prose of open-gpu-doc manuals/volta/gv100 (dev_fifo, dev_pbdma, dev_ram).
 */
#ifndef HOST_H
#define HOST_H

#include "mmu.h"
#include "types.h"

struct gpu;
struct channel;

struct host {
	struct host_state *state; /* pfifo.h: private to host.c, pbdma.c, runlist.c */
};

/* One round over the channels; returns ns until the next is due, 0 for at once, or UINT64_MAX. Engine thread. */
u64 host_run(struct gpu *gpu);
/* PFIFO INTR_0 sources that other units raise. */
void host_set_mmu_fault(struct gpu *gpu, unsigned int unit);
void host_raise(struct gpu *gpu, u32 intr0_bits);
/*
 * Whether what the engine thread is doing for a channel has become void (engine, Host or PCI reset,
 * unbind). To be asked after anything that may have dropped gpu->lock.
 */
bool host_cancelled(const struct gpu *gpu);
/* The engine of a PMC ENABLE bit has been reset: no context on it, nothing in flight. */
void host_engine_reset(struct gpu *gpu, unsigned int pmc_bit);
/* The instance block address (and aperture) of the channel on the GR engine, for FECS. */
bool host_gr_channel(struct gpu *gpu, enum aperture *aperture, u64 *inst);

/* GR's context has finished its work, or cannot go on with it. */
void host_gr_idle(struct gpu *gpu);
void host_gr_faulted(struct gpu *gpu);

extern const struct unit host_unit;

#endif
