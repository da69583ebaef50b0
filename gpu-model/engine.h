/* SPDX-License-Identifier: MIT */
/* The engine thread: runs channels, timers and everything that may wait for DMA. */
#ifndef ENGINE_H
#define ENGINE_H

#include <pthread.h>

#include "types.h"

struct gpu;

/* Test knobs of the first rank: a model that is too fast hides driver races. Microseconds. */
struct engine_delay {
	u32 ce;	  /* before a copy-engine launch completes */
	u32 gr;	  /* before a grid releases its semaphores */
	u32 host; /* before a kicked channel is looked at */
	u32 mmu;  /* before a TLB invalidate, replay or cancel is done */
};

struct engine {
	pthread_t thread;
	pthread_cond_t wake, settled;
	bool started, stop, kicked;
	bool busy;     /* has work, and can do it now */
	bool blocked;  /* in the midst of it, waits for DMA or sleeps */
	bool stepping; /* a thread is inside engine_step(): runner */
	pthread_t runner;
	struct engine_delay delay;
};

int engine_start(struct gpu *gpu);
void engine_stop(struct gpu *gpu); /* caller must not hold gpu->lock */
/* Something changed that a channel may wait for. Caller holds gpu->lock. */
void engine_kick(struct gpu *gpu);
/* Whether the caller is this GPU's engine thread (or a unit test that steps it). */
bool engine_is_current(const struct gpu *gpu);
/* One round over everything that can run; returns the ns until it wants another, 0 for at once. */
u64 engine_step(struct gpu *gpu);
/*
 * Wait, at most some tens of ms, until the engine thread has done what it can do by itself.
 * Engines are fast against a CPU that reads across PCIe, while this thread may be scheduled late:
 * a read that comes after a kick is answered after the work, as it would be on a real board. The
 * delays above make the opposite happen. Caller holds gpu->lock, which is dropped meanwhile.
 */
void engine_settle(struct gpu *gpu);
/* Around a wait of the engine thread for somebody else, with gpu->lock held. */
void engine_block(struct gpu *gpu);
void engine_unblock(struct gpu *gpu);
/* Sleep on the engine thread with gpu->lock dropped, or until it is to stop. */
void engine_sleep_us(struct gpu *gpu, u32 us);
/* On the engine thread: let others have gpu->lock for a moment. */
void engine_yield(struct gpu *gpu);

#endif
