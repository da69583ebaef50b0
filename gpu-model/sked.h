/* SPDX-License-Identifier: MIT */
/*
 * SKED and the SMs behind it: grids of the one context that is on GR, their CTAs spread over the
 * TPCs, and turns for the warps of these. Grids run on while Host does other things, and while
 * some of their warps wait for a fault to be replayed.
 */
#ifndef SKED_H
#define SKED_H

#include "fault.h"
#include "gr.h"
#include "mmu.h"
#include "qmd.h"
#include "types.h"

struct gpu;
struct channel;
struct cta;
struct grid;
struct warp;

#define SKED_GRIDS 64 /* that may wait at a time */
#define SKED_WARPS (GR_TPCS * SM_WARPS)

/* What a grid takes from the context that launches it. */
struct sked_state {
	u64 program_region, shared_window, local_window;
	u64 local_bytes; /* of local memory that software set aside for a TPC */
};

struct sked {
	struct mmu_space space; /* of the context on GR */
	struct grid *grids;	/* in the order of their launch */
	unsigned int grid_count;
	struct cta *ctas; /* that are on an SM */
	struct {
		unsigned int ctas, warps, registers, shared;
	} used[GR_TPCS]; /* one SM each */
	unsigned int next_tpc;
	/* Warps that can run, in turns. */
	struct warp *ready[SKED_WARPS];
	unsigned int ready_first, ready_count;
	unsigned int retries; /* warps that a replay woke, and that have not tried again yet */
	bool halted;	      /* by a fatal fault, or by FECS; until reset */
	bool running;	      /* the engine thread is at it */
	bool cancelled;	      /* and what it is at has become void */
	u64 instructions;
};

/* Whether work of the context is unfinished: there is no switching away from it then. */
bool sked_busy(const struct gpu *gpu);
/* Whether one more grid can be taken. */
bool sked_has_room(const struct gpu *gpu);
/* A grid for the channel, whose context is on GR. Wrong ones raise SKED's exception. */
void sked_launch(struct gpu *gpu, const struct channel *channel, const struct sked_state *state,
		 const u32 words[QMD_WORDS]);
/* Let warps run for a while. Engine thread; returns the ns until it wants another, 0 for at once. */
u64 sked_run(struct gpu *gpu);
/* The stalled warps try again; whether some have yet to. */
void sked_replay(struct gpu *gpu);
bool sked_replaying(const struct gpu *gpu);
/* A fault that nothing will mend: report it, halt GR, fail its channel. */
void sked_fatal(struct gpu *gpu, const struct fault_info *info);
void sked_halt(struct gpu *gpu);
void sked_reset(struct gpu *gpu);

#endif
