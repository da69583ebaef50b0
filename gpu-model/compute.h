/* SPDX-License-Identifier: MIT */
/* The compute class C0C0. Source: open-gpu-doc classes/compute/clc0c0.h. */
#ifndef COMPUTE_H
#define COMPUTE_H

#include "types.h"

struct gpu;
struct channel;

/* What a channel has told its compute object so far. */
struct compute_context {
	u64 program_region, shared_window, local_window;
	u64 local_bytes;
	u64 qmd, inline_qmd; /* addresses */
	u64 semaphore;
	u32 payload;
	/* Inline to memory. */
	struct {
		u32 line_length, line_count, pitch;
		u64 offset, semaphore;
		u32 payload, launch;
		u64 done, total; /* bytes of the transfer in progress */
	} i2m;
};

/* What became of a method of GR. */
enum gr_result {
	GR_DONE,
	GR_ILLEGAL,   /* no such method or class; to be raised by the caller */
	GR_BAD_DATA,  /* no such value for it; to be raised by the caller */
	GR_RETRY,     /* not now */
	GR_FAULT,     /* MMU fault, reported; the channel is dead */
	GR_CANCELLED, /* the channel was taken away meanwhile */
};

/* One method. gpu->lock held, engine thread; the channel's context is on GR. */
enum gr_result compute_method(struct gpu *gpu, struct channel *channel, u32 method, u32 data);

#endif
