/* SPDX-License-Identifier: MIT */
/*
 * A small GPU on the bench: page tables, channels and runlists as a driver would make them,
 * engines stepped by the test. Addresses of memory the test sees are offsets into VRAM.
 */
#ifndef BENCH_H
#define BENCH_H

#include "gpu.h"

struct bench {
	struct gpu *gpu;
	u64 pdb;  /* of the one address space */
	u64 free; /* VRAM from here on is unused */
	u32 runlist_entries[16];
};

struct bench_channel {
	struct bench *bench;
	unsigned int id, runlist;
	u64 inst, userd, ring, push; /* VRAM */
	u64 ring_va, push_va;
	u32 put, words, segment;
};

#define BENCH_VRAM	   (UINT64_C(64) << 20)
#define BENCH_RING_ENTRIES 64
#define BENCH_PUSH_BYTES   0x10000

#define PTE_READ_ONLY 0x40u

struct bench *bench_new(void);
void bench_delete(struct bench *bench);

/* All units reset, and memory from "free" on cleared and free again: a new start, but quick. */
void bench_restart(struct bench *bench, u64 free);

/* Run the engines until they have nothing to do but wait; returns what they want to wait for. */
u64 bench_run(struct bench *bench);

u64 bench_alloc(struct bench *bench, u64 bytes, u64 align);
/* Map [va, va + bytes) in small pages; flags are PTE bits. */
void bench_map(struct bench *bench, u64 va, enum aperture aperture, u64 addr, u64 bytes, u32 flags);
/* Map VRAM just allocated; returns its VRAM address. */
u64 bench_map_new(struct bench *bench, u64 va, u64 bytes);

u32 bench_reg(struct bench *bench, u32 addr);
void bench_set_reg(struct bench *bench, u32 addr, u32 val);
u32 bench_vram32(struct bench *bench, u64 addr);
void bench_set_vram32(struct bench *bench, u64 addr, u32 val);

/* A channel, bound, enabled, and in the runlist, alone in a TSG of its own number. */
void bench_channel(struct bench *bench, struct bench_channel *channel, unsigned int id,
		   unsigned int runlist, bool privileged);
/* Commit the runlist again as the first n channels of the array; 0 empties it. */
void bench_runlist(struct bench *bench, unsigned int runlist, const struct bench_channel *channels,
		   unsigned int n);

/* Append to the pushbuffer. */
void push(struct bench_channel *channel, u32 word);
void push_method(struct bench_channel *channel, unsigned int subchannel, u32 method, u32 data);
/* Make what was pushed a segment, and kick. */
void bench_kick(struct bench_channel *channel);
/* A GP entry as given, and kick. */
void bench_kick_entry(struct bench_channel *channel, u32 lo, u32 hi);

#endif
