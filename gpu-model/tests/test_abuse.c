/* SPDX-License-Identifier: MIT */
/*
 * A guest that writes anything anywhere: registers, BARs and configuration space of two GPUs
 * that have work. Whatever it does, each access is answered, and a reset puts all right again.
 * The same accesses each time; as many again from another seed with ABUSE_SEED.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "bench.h"
#include "wire.h"

#define ROUNDS	   6
#define ACCESSES   4000
#define SECONDS	   300
#define SEM	   UINT64_C(0x400000000)
#define COPY	   (2 | BIT(2) | BIT(7) | BIT(8))
#define COPY_BYTES 0x8000

enum {
	BAR0 = 0,
	BAR1 = 1,
	BAR3 = 3,
	CONFIG = 7,
	DEVICE_RESET = 13,
};

/* Where registers with a will of their own are; the rest of BAR0 is tried, too. */
static const struct {
	u32 first, bytes;
} hot[] = {
	{ 0x000000, 0x400 },  { 0x001100, 0x44 },   { 0x001700, 0x20 },	  { 0x002000, 0x1000 },
	{ 0x003080, 0x40 },   { 0x009100, 0x400 },  { 0x040000, 0x160 },  { 0x042000, 0x160 },
	{ 0x070000, 0x14 },   { 0x088000, 0x1000 }, { 0x100c00, 0x100 },  { 0x104400, 0x300 },
	{ 0x10a000, 0x1000 }, { 0x300000, 0x2000 }, { 0x400000, 0x1000 }, { 0x409000, 0x1000 },
	{ 0x41a000, 0x400 },  { 0x700000, 0x1000 }, { 0x800000, 0x100 },
};

struct fixture {
	struct bench *bench[2];
	struct bench_channel channel[2];
	struct wire *wire;
	u64 free[2], sem[2];
	u64 random;
};

static u64 next(struct fixture *f)
{
	f->random ^= f->random << 13;
	f->random ^= f->random >> 7;
	f->random ^= f->random << 17;
	return f->random;
}

static u32 below(struct fixture *f, u32 limit)
{
	return (u32)(next(f) >> 32) % limit;
}

/* Small numbers, addresses of things that are there, single bits, and noise. */
static u64 value(struct fixture *f, unsigned int gpu)
{
	switch (below(f, 6)) {
	case 0:
		return below(f, 16);
	case 1:
		return BIT_ULL(below(f, 64));
	case 2:
		return f->channel[gpu].inst >> 12 | (u64)below(f, 16) << 28;
	case 3:
		return ~UINT64_C(0) << below(f, 64);
	case 4:
		return below(f, (u32)BENCH_VRAM) & ~0xfffu;
	}
	return next(f);
}

static u32 register_address(struct fixture *f)
{
	size_t i = below(f, ARRAY_SIZE(hot) + 1);

	if (i == ARRAY_SIZE(hot))
		return below(f, 16 << 20);
	return hot[i].first + below(f, hot[i].bytes);
}

/* A channel with a pushbuffer that copies, and one page of it that anybody may spoil. */
static void work(struct fixture *f, unsigned int gpu, u32 release)
{
	struct bench_channel *channel = &f->channel[gpu];

	push_method(channel, 4, 0x400, 0);
	push_method(channel, 4, 0x404, 0x2000000);
	push_method(channel, 4, 0x408, 0);
	push_method(channel, 4, 0x40c, 0x2000000 + COPY_BYTES);
	push_method(channel, 4, 0x418, COPY_BYTES);
	push_method(channel, 4, 0x300, COPY);
	push_method(channel, 4, 0x240, (u32)(SEM >> 32));
	push_method(channel, 4, 0x244, (u32)SEM);
	push_method(channel, 4, 0x248, release);
	push_method(channel, 4, 0x300, 1 << 3);
	bench_kick(channel);
}

static void begin(struct fixture *f)
{
	struct gpu *gpus[2];

	for (unsigned int i = 0; i < 2; i++) {
		gpus[i] = f->bench[i]->gpu;
		f->free[i] = f->bench[i]->free;
		bench_channel(f->bench[i], &f->channel[i], 3, 1, true);
		bench_map_new(f->bench[i], 0x2000000, 2 * COPY_BYTES);
		f->sem[i] = bench_map_new(f->bench[i], SEM, 0x1000);
		bench_set_vram32(f->bench[i], f->sem[i], 0);
	}
	f->wire = wire_new(gpus, 2);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(wire_map_ram(f->wire, i, i), 0);
		wire_enable(f->wire, i);
	}
}

static void end(struct fixture *f)
{
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(wire_request(f->wire, i, DEVICE_RESET, NULL, 0, -1, NULL, 0), 0);
	wire_delete(f->wire);
	for (unsigned int i = 0; i < 2; i++) {
		dma_map_remove(&f->bench[i]->gpu->bus.map, 0, UINT64_MAX);
		memset(f->bench[i]->gpu->fb.vram, 0, BENCH_VRAM);
		bench_restart(f->bench[i], f->free[i]);
	}
}

static void access_one(struct fixture *f, unsigned int gpu)
{
	static const u32 regions[] = { BAR0, BAR0, BAR0, BAR0, BAR1, BAR1, BAR3, CONFIG };
	u32 region = regions[below(f, ARRAY_SIZE(regions))], len = 1u << below(f, 4);
	u64 offset, data[8], at = below(f, 8);
	int error;

	for (size_t i = 0; i < ARRAY_SIZE(data); i++)
		data[i] = value(f, gpu);
	if (region == BAR0)
		offset = register_address(f);
	else if (region == CONFIG)
		offset = below(f, at ? 0x100 : 0x1001);
	else
		offset = at ? f->channel[gpu].inst + below(f, 0x80000)
			    : below(f, region == BAR3 ? 32 << 20 : (u32)BENCH_VRAM);
	if (!below(f, 3))
		offset &= ~UINT64_C(3);
	if (!below(f, 50))
		len = below(f, sizeof(data) + 1);
	/* what is inside a region is answered, what is not is refused, neither hangs */
	error = below(f, 3) ? wire_write(f->wire, gpu, region, offset, data, len)
			    : wire_read(f->wire, gpu, region, offset, data, len);
	assert_true(!error || error == 22);
}

static void abused(void **state)
{
	struct fixture *f = *state;

	for (unsigned int round = 0; round < ROUNDS; round++) {
		begin(f);
		for (unsigned int i = 0; i < ACCESSES; i++) {
			unsigned int gpu = below(f, 2);

			access_one(f, gpu);
			if (!(i % 64))
				work(f, gpu, i);
			if (!(i % 256)) /* or nothing would reach the bus any more */
				wire_enable(f->wire, gpu);
			wire_answer(f->wire);
		}
		for (unsigned int i = 0; i < 2; i++)
			assert_int_equal(wire_read32(f->wire, i, BAR0, 0), chip_gp100.boot0);
		end(f);
		/* as if nothing had been */
		begin(f);
		for (unsigned int i = 0; i < 2; i++) {
			const u32 *word = (const u32 *)(f->bench[i]->gpu->fb.vram + f->sem[i]);

			work(f, i, 1);
			assert_true(wire_pump(f->wire, word, 0));
			assert_int_equal(*word, 1);
		}
		end(f);
	}
}

static int setup(void **state)
{
	const char *seed = getenv("ABUSE_SEED");
	struct fixture *f = calloc(1, sizeof(*f));

	f->random = seed ? strtoull(seed, NULL, 0) | 1 : UINT64_C(0x9e3779b97f4a7c15);
	f->bench[0] = bench_new();
	f->bench[1] = bench_new();
	gpu_log_to(fopen("/dev/null", "w"), GPU_ERROR);
	alarm(SECONDS); /* a hang is a failure */
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	bench_delete(f->bench[0]);
	bench_delete(f->bench[1]);
	free(f);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(abused, setup, teardown),
	};

	return cmocka_run_group_tests_name("abuse", tests, NULL, NULL);
}
