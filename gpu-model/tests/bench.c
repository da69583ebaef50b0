/* SPDX-License-Identifier: MIT */
/* See bench.h. Register and structure layouts are spelled out here, apart from the model's. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

enum {
	USERD_BASE = 0x200000, /* of all channels; BAR1 is left physical: offsets are VRAM's */
	RUNLIST_BASE = 0x500000,
	RUNLIST_STRIDE = 0x1000,
	HEAP_BASE = 0x600000,
};

static void start(struct bench *bench)
{
	bench_set_reg(bench, 0x000200, 0xffffffff);
	bench_set_reg(bench, 0x000204, 0xffffffff);
	bench_set_reg(bench, 0x002254, BIT(28) | USERD_BASE >> 12);
	bench_set_reg(bench, 0x002140, 0x7fffffff);
	for (unsigned int i = 0; i < chip_gp100.pbdmas; i++) {
		bench_set_reg(bench, 0x04010c + i * 0x2000, 0xfffffeff);
		bench_set_reg(bench, 0x04014c + i * 0x2000, 0xffffffff);
	}
	bench->pdb = bench_alloc(bench, 0x1000, 0x1000);
}

struct bench *bench_new(void)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	const struct gpu_config config = {
		.chip = &chip_gp100,
		.vram_bytes = BENCH_VRAM,
		.bar1_bytes = BENCH_VRAM,
	};

	gpu_log_to(stderr, GPU_ERROR); /* the guest's mistakes are the point of many tests */
	bench->gpu = gpu_create(&config);
	if (!bench->gpu)
		abort();
	bench->free = HEAP_BASE;
	start(bench);
	return bench;
}

void bench_restart(struct bench *bench, u64 free)
{
	memset(bench->gpu->fb.vram + free, 0, bench->free - free);
	bench->free = free;
	pthread_mutex_lock(&bench->gpu->lock);
	gpu_reset(bench->gpu);
	pthread_mutex_unlock(&bench->gpu->lock);
	start(bench);
}

void bench_delete(struct bench *bench)
{
	gpu_destroy(bench->gpu);
	free(bench);
}

u64 bench_run(struct bench *bench)
{
	u64 wait;

	pthread_mutex_lock(&bench->gpu->lock);
	do
		wait = engine_step(bench->gpu);
	while (!wait);
	pthread_mutex_unlock(&bench->gpu->lock);
	return wait;
}

u64 bench_alloc(struct bench *bench, u64 bytes, u64 align)
{
	u64 addr = (bench->free + align - 1) & ~(align - 1);

	bench->free = addr + bytes;
	if (bench->free > BENCH_VRAM)
		abort();
	return addr;
}

u32 bench_reg(struct bench *bench, u32 addr)
{
	u32 val;

	pthread_mutex_lock(&bench->gpu->lock);
	val = (u32)mmio_read(bench->gpu, addr, 4);
	pthread_mutex_unlock(&bench->gpu->lock);
	return val;
}

void bench_set_reg(struct bench *bench, u32 addr, u32 val)
{
	pthread_mutex_lock(&bench->gpu->lock);
	mmio_write(bench->gpu, addr, val, 4);
	pthread_mutex_unlock(&bench->gpu->lock);
}

u32 bench_vram32(struct bench *bench, u64 addr)
{
	u32 val;

	memcpy(&val, bench->gpu->fb.vram + addr, sizeof(val));
	return val;
}

void bench_set_vram32(struct bench *bench, u64 addr, u32 val)
{
	memcpy(bench->gpu->fb.vram + addr, &val, sizeof(val));
}

static u64 vram64(struct bench *bench, u64 addr)
{
	return (u64)bench_vram32(bench, addr + 4) << 32 | bench_vram32(bench, addr);
}

static void set_vram64(struct bench *bench, u64 addr, u64 val)
{
	bench_set_vram32(bench, addr, (u32)val);
	bench_set_vram32(bench, addr + 4, (u32)(val >> 32));
}

/* The table a directory entry leads to, made if it is not there. */
static u64 descend(struct bench *bench, u64 entry)
{
	u64 pde = vram64(bench, entry);

	if (!pde) {
		pde = bench_alloc(bench, 0x1000, 0x1000) >> 12 << 8 | 1 << 1;
		set_vram64(bench, entry, pde);
	}
	return pde >> 8 << 12;
}

void bench_map(struct bench *bench, u64 va, enum aperture aperture, u64 addr, u64 bytes, u32 flags)
{
	for (u64 done = 0; done < bytes; done += 0x1000, va += 0x1000, addr += 0x1000) {
		u64 pd2 = descend(bench, bench->pdb + 8 * bits(va, 48, 47));
		u64 pd1 = descend(bench, pd2 + 8 * bits(va, 46, 38));
		u64 pd0 = descend(bench, pd1 + 8 * bits(va, 37, 29));
		u64 pt = descend(bench, pd0 + 16 * bits(va, 28, 21) + 8);

		set_vram64(bench, pt + 8 * bits(va, 20, 12),
			   addr >> 12 << 8 | (u64)aperture << 1 | flags | 1);
	}
	bench_set_reg(bench, 0x100cbc, 0x80000003);
}

u64 bench_map_new(struct bench *bench, u64 va, u64 bytes)
{
	u64 addr = bench_alloc(bench, bytes, 0x1000);

	bench_map(bench, va, APERTURE_VIDMEM, addr, bytes, 0);
	return addr;
}

void bench_runlist(struct bench *bench, unsigned int runlist, const struct bench_channel *channels,
		   unsigned int n)
{
	u64 list = RUNLIST_BASE + runlist * RUNLIST_STRIDE;

	for (unsigned int i = 0; i < n; i++) {
		bench_set_vram32(bench, list + 16 * i, 1u << 26 | BIT(13) | channels[i].id);
		bench_set_vram32(bench, list + 16 * i + 8, channels[i].id);
		bench_set_vram32(bench, list + 16 * i + 12, (u32)(channels[i].inst >> 12));
	}
	bench_set_reg(bench, 0x002270, (u32)(list >> 12));
	bench_set_reg(bench, 0x002274, runlist << 20 | 2 * n);
}

void bench_channel(struct bench *bench, struct bench_channel *channel, unsigned int id,
		   unsigned int runlist, bool privileged)
{
	u64 inst = bench_alloc(bench, 0x1000, 0x1000), va = UINT64_C(0x10000000) * (id + 1);

	*channel = (struct bench_channel){
		.bench = bench,
		.id = id,
		.runlist = runlist,
		.inst = inst,
		.userd = USERD_BASE + id * 0x200,
		.ring_va = va,
		.push_va = va + 0x1000,
	};
	channel->ring = bench_map_new(bench, channel->ring_va, 0x1000);
	channel->push = bench_map_new(bench, channel->push_va, BENCH_PUSH_BYTES);
	memset(bench->gpu->fb.vram + channel->userd, 0, 0x200);
	bench_set_vram32(bench, inst + 0x08, (u32)channel->userd);
	bench_set_vram32(bench, inst + 0x10, 0xface);
	bench_set_vram32(bench, inst + 0x30, 0xfffff902);
	bench_set_vram32(bench, inst + 0x48, (u32)channel->ring_va);
	bench_set_vram32(bench, inst + 0x4c, (u32)(channel->ring_va >> 32) | 6 << 16);
	bench_set_vram32(bench, inst + 0x84, 0x20400000);
	bench_set_vram32(bench, inst + 0x94, 0x30000fff);
	bench_set_vram32(bench, inst + 0xe4, privileged ? 0x20 : 0);
	bench_set_vram32(bench, inst + 0xf4, privileged ? 0x100 : 0);
	bench_set_vram32(bench, inst + 0x200, (u32)bench->pdb | BIT(10) | BIT(11));
	bench_set_vram32(bench, inst + 0x208, 0xfffff000);
	bench_set_vram32(bench, inst + 0x20c, 0x1ffff);
	bench_set_reg(bench, 0x800000 + 8 * id, BIT(31) | (u32)(inst >> 12));
	bench_set_reg(bench, 0x800004 + 8 * id, 0x400);
	bench_runlist(bench, runlist, channel, 1);
	bench_run(bench);
}

void push(struct bench_channel *channel, u32 word)
{
	bench_set_vram32(channel->bench, channel->push + 4 * channel->words++, word);
}

void push_method(struct bench_channel *channel, unsigned int subchannel, u32 method, u32 data)
{
	push(channel, 1u << 29 | 1u << 16 | subchannel << 13 | method >> 2);
	push(channel, data);
}

void bench_kick_entry(struct bench_channel *channel, u32 lo, u32 hi)
{
	u64 ring = channel->ring + 8 * channel->put;
	struct gpu *gpu = channel->bench->gpu;

	bench_set_vram32(channel->bench, ring, lo);
	bench_set_vram32(channel->bench, ring + 4, hi);
	channel->put = (channel->put + 1) % BENCH_RING_ENTRIES;
	pthread_mutex_lock(&gpu->lock);
	bar1_write(gpu, channel->userd + 0x8c, &channel->put, 4, CLIENT_CPU);
	pthread_mutex_unlock(&gpu->lock);
}

void bench_kick(struct bench_channel *channel)
{
	u64 va = channel->push_va + 4 * channel->segment;

	bench_kick_entry(channel, (u32)va,
			 (u32)(va >> 32) | (channel->words - channel->segment) << 10);
	channel->segment = channel->words;
	if (4 * channel->words >
	    BENCH_PUSH_BYTES / 2) { /* what was pushed last has been run by then */
		channel->words = 0;
		channel->segment = 0;
	}
}
