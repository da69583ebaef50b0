/* SPDX-License-Identifier: MIT */
/* PBDMA: decoding, host methods, and the interrupts of everything illegal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench.h"

#define PBDMA1	 0x042000
#define METHOD0	 (PBDMA1 + 0xc0)
#define DATA0	 (PBDMA1 + 0xc4)
#define INTR_0	 (PBDMA1 + 0x108)
#define INTR_1	 (PBDMA1 + 0x148)
#define MEMORY	 0x1000000u
#define MTHD_NOP 0x80600008u /* what a driver puts in METHOD0 to go on */

struct fixture {
	struct bench *bench;
	struct bench_channel channel;
	u64 memory; /* what MEMORY maps */
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->bench = bench_new();
	bench_channel(f->bench, &f->channel, 3, 1, false);
	f->memory = bench_map_new(f->bench, MEMORY, 0x1000);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	bench_delete(f->bench);
	free(f);
	return 0;
}

static void run(struct fixture *f)
{
	bench_kick(&f->channel);
	bench_run(f->bench);
}

static u32 memory(struct fixture *f, u32 offset)
{
	return bench_vram32(f->bench, f->memory + offset);
}

static void push_semaphore(struct fixture *f, u32 va, u32 payload, u32 op)
{
	push(&f->channel, 1u << 29 | 4u << 16 | 0x10 >> 2);
	push(&f->channel, 0);
	push(&f->channel, va);
	push(&f->channel, payload);
	push(&f->channel, op);
}

/* What is in the way of the next method is taken away as a driver does it; then work goes on. */
static void assert_trapped_and_go_on(struct fixture *f, u32 reg, u32 intr)
{
	struct bench *bench = f->bench;

	assert_int_equal(bench_reg(bench, reg), intr);
	assert_int_equal(bench_reg(bench, 0x25a0), BIT(1));
	assert_int_equal(bench_reg(bench, 0x2100) & BIT(29), BIT(29));
	assert_int_equal(bench_reg(bench, PBDMA1 + 0x120) & 0xfff, 3);
	assert_int_equal(bench_reg(bench, 0x3084) & 0xe000, BIT(13));
	bench_set_reg(bench, METHOD0, MTHD_NOP);
	bench_set_reg(bench, reg, intr);
	assert_int_equal(bench_reg(bench, 0x2100) & BIT(29), 0);
	bench_run(bench);
	assert_int_equal(bench_reg(bench, 0x25a0), 0);
	assert_int_equal(bench_reg(bench, 0x3084), 0);
	push_semaphore(f, MEMORY + 0xff0, 0x600d, 2 | BIT(24));
	run(f);
	assert_int_equal(memory(f, 0xff0), 0x600d);
}

static void sequences(void **state)
{
	struct fixture *f = *state;
	struct bench_channel *c = &f->channel;

	for (unsigned int i = 0; i < 8; i++)
		push(c, 0); /* NOP */
	/* incrementing */
	push_semaphore(f, MEMORY, 1, 2 | BIT(24));
	/* non-incrementing: the last payload counts */
	push(c, 3u << 29 | 3u << 16 | 0x18 >> 2);
	push(c, 7);
	push(c, 8);
	push(c, 9);
	push_method(c, 0, 0x14, MEMORY + 4);
	push_method(c, 0, 0x1c, 2 | BIT(24));
	/* immediate */
	push(c, 4u << 29 | 0x123u << 16 | 0x18 >> 2);
	push_method(c, 0, 0x14, MEMORY + 8);
	push_method(c, 0, 0x1c, 2 | BIT(24));
	/* increment once: SEMAPHORE_C, then D twice */
	push_method(c, 0, 0x14, MEMORY + 12);
	push(c, 5u << 29 | 3u << 16 | 0x18 >> 2);
	push(c, 0x55);
	push(c, 2 | BIT(24));
	push(c, 2 | BIT(24));
	/* the older layout: count in 28:18, byte address in 12:2 */
	push(c, 1u << 18 | 0x18);
	push(c, 0x66);
	push_method(c, 0, 0x14, MEMORY + 16);
	push_method(c, 0, 0x1c, 2 | BIT(24));
	push(c, 7u << 29); /* END_PB_SEGMENT: what follows is not looked at */
	push_semaphore(f, MEMORY, 99, 2 | BIT(24));
	run(f);
	assert_int_equal(memory(f, 0), 1);
	assert_int_equal(memory(f, 4), 9);
	assert_int_equal(memory(f, 8), 0x123);
	assert_int_equal(memory(f, 12), 0x55);
	assert_int_equal(memory(f, 16), 0x66);
	assert_int_equal(bench_reg(f->bench, INTR_0), 0);
}

/* A header at the end of one segment, its data in the next. */
static void straddles_segments(void **state)
{
	struct fixture *f = *state;

	push(&f->channel, 1u << 29 | 4u << 16 | 0x10 >> 2);
	push(&f->channel, 0);
	run(f);
	push(&f->channel, MEMORY);
	run(f);
	push(&f->channel, 0x77);
	push(&f->channel, 2 | BIT(24));
	run(f);
	assert_int_equal(memory(f, 0), 0x77);
}

static void long_segment(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < 5000; i++)
		push_method(&f->channel, 0, 0x08, i);
	push_semaphore(f, MEMORY, 1, 2 | BIT(24));
	run(f);
	assert_int_equal(memory(f, 0), 1);
}

static void release_with_time(void **state)
{
	struct fixture *f = *state;
	u64 before = ptimer_now(f->bench->gpu), stamp;

	bench_set_vram32(f->bench, f->memory + 0x14, 0xffffffff);
	push_semaphore(f, MEMORY + 0x10, 0xabcd, 2);
	run(f);
	stamp = (u64)memory(f, 0x1c) << 32 | memory(f, 0x18);
	assert_int_equal(memory(f, 0x10), 0xabcd);
	assert_int_equal(memory(f, 0x14), 0);
	assert_true(stamp >= before && stamp <= ptimer_now(f->bench->gpu));
}

static void reductions(void **state)
{
	static const struct {
		u32 op, format, memory, payload, result;
	} table[] = {
		{ 0, 0, (u32)-5, 3, (u32)-5 },
		{ 0, 1, (u32)-5, 3, 3 },
		{ 1, 0, (u32)-5, 3, 3 },
		{ 1, 1, (u32)-5, 3, (u32)-5 },
		{ 2, 0, 0xff00, 0x0ff0, 0xf0f0 },
		{ 3, 0, 0xff00, 0x0ff0, 0x0f00 },
		{ 4, 0, 0xff00, 0x0ff0, 0xfff0 },
		{ 5, 0, 0xffffffff, 2, 1 },
		{ 6, 1, 3, 4, 4 },
		{ 6, 1, 4, 4, 0 },
		{ 7, 1, 0, 4, 4 },
		{ 7, 1, 3, 4, 2 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		bench_set_vram32(f->bench, f->memory, table[i].memory);
		push_semaphore(f, MEMORY, table[i].payload,
			       16 | table[i].op << 27 | table[i].format << 31 | BIT(24));
		run(f);
		assert_int_equal(memory(f, 0), table[i].result);
	}
	/* counting is for unsigned words only */
	push_semaphore(f, MEMORY, 1, 16 | 6u << 27 | BIT(24));
	run(f);
	assert_trapped_and_go_on(f, INTR_0, BIT(25));
}

static void bad_semaphores(void **state)
{
	struct fixture *f = *state;

	push_semaphore(f, MEMORY, 1, 3); /* no operation */
	run(f);
	assert_int_equal(bench_reg(f->bench, METHOD0), BIT(31) | 0x1c);
	assert_int_equal(bench_reg(f->bench, DATA0), 3);
	assert_trapped_and_go_on(f, INTR_0, BIT(25));
	push_semaphore(f, MEMORY + 4, 1, 2); /* 16 bytes, and not aligned to them */
	run(f);
	assert_trapped_and_go_on(f, INTR_0, BIT(25));
}

static void acquire_times_out(void **state)
{
	struct fixture *f = *state;

	/* TIMEOUT_MAN 1, EXP 0: 1024 ns */
	bench_set_vram32(f->bench, f->channel.inst + 0x30, BIT(31) | BIT(15));
	push_semaphore(f, MEMORY, 1, 1);
	bench_kick(&f->channel);
	while (!bench_reg(f->bench, INTR_0))
		bench_run(f->bench);
	assert_trapped_and_go_on(f, INTR_0, BIT(26));
}

static void illegal_methods(void **state)
{
	static const u32 methods[] = { 0x04, 0x0c, 0x38, 0x70, 0x74, 0x84, 0xfc };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		push_method(&f->channel, 2, methods[i], 0x1234);
		run(f);
		assert_int_equal(bench_reg(f->bench, METHOD0), BIT(31) | 2 << 16 | methods[i]);
		assert_int_equal(bench_reg(f->bench, DATA0), 0x1234);
		assert_trapped_and_go_on(f, INTR_0, BIT(21));
	}
}

static void software_subchannels(void **state)
{
	struct fixture *f = *state;

	push_method(&f->channel, 6, 0x404, 0x77);
	run(f);
	assert_int_equal(bench_reg(f->bench, METHOD0), BIT(31) | 6 << 16 | 0x404);
	assert_trapped_and_go_on(f, INTR_0, BIT(23));
}

static void bad_entries(void **state)
{
	static const u32 words[] = {
		6u << 29,		     /* reserved opcode */
		1u << 29 | 2u << 16 | 0xfff, /* addresses would wrap */
		5u << 29 | 2u << 16 | 0xfff,
		2u << 29 | 1u << 16 | 1u << 18, /* no such tertiary opcode */
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		push(&f->channel, words[i]);
		run(f);
		assert_int_equal(bench_reg(f->bench, PBDMA1 + 0x118), words[i]);
		assert_trapped_and_go_on(f, INTR_0, BIT(18));
	}
}

static void subdevice_masks(void **state)
{
	struct fixture *f = *state;
	struct bench_channel *c = &f->channel;

	/* the subdevice's ID is 0xfff; only the mask 0 leaves it out */
	push(c, 1u << 16);
	push_semaphore(f, MEMORY, 1, 2 | BIT(24)); /* not for us */
	push(c, 2u << 16 | 0x001 << 4);		   /* store */
	push(c, 3u << 16);			   /* use */
	push_semaphore(f, MEMORY + 4, 2, 2 | BIT(24));
	run(f);
	assert_int_equal(memory(f, 0), 0);
	assert_int_equal(memory(f, 4), 2);
}

static void gp_entries(void **state)
{
	struct fixture *f = *state;

	bench_kick_entry(&f->channel, 0, 0); /* NOP */
	bench_run(f->bench);
	assert_int_equal(bench_reg(f->bench, INTR_0), 0);
	bench_kick_entry(&f->channel, 0x1000, 1); /* ILLEGAL */
	bench_run(f->bench);
	assert_int_equal(bench_reg(f->bench, PBDMA1 + 0x110), 0x1000);
	assert_int_equal(bench_reg(f->bench, PBDMA1 + 0x114), 1);
	assert_trapped_and_go_on(f, INTR_0, BIT(15));
	bench_kick_entry(&f->channel, 0xfffffff0, 0xff | 4 << 10); /* to the very end */
	bench_run(f->bench);
	assert_trapped_and_go_on(f, INTR_0, BIT(15));
}

static void bad_gp_pointers(void **state)
{
	struct fixture *f = *state;

	f->channel.put = BENCH_RING_ENTRIES - 1;
	bench_set_vram32(f->bench, f->channel.inst + 0x14, BENCH_RING_ENTRIES + 5);
	bench_kick_entry(&f->channel, 0, 0);
	bench_run(f->bench);
	assert_int_equal(bench_reg(f->bench, INTR_0), BIT(14));
	bench_set_reg(f->bench, PBDMA1 + 0x14, 0);
	f->channel.put = 0;
	assert_trapped_and_go_on(f, INTR_0, BIT(14));
}

static void bad_ring(void **state)
{
	struct fixture *f = *state;

	/* a ring that goes on past 40 bits */
	bench_set_vram32(f->bench, f->channel.inst + 0x48, 0xfffff000);
	bench_set_vram32(f->bench, f->channel.inst + 0x4c, 0xff | 10 << 16);
	bench_kick_entry(&f->channel, 0, 0);
	bench_run(f->bench);
	assert_int_equal(bench_reg(f->bench, INTR_0), BIT(13));
}

static void bad_segment_pointers(void **state)
{
	struct fixture *f = *state;

	bench_set_vram32(f->bench, f->channel.inst + 0x18, 0x2000); /* GET beyond PUT */
	bench_set_vram32(f->bench, f->channel.inst + 0x5c, 0x1000);
	bench_set_reg(f->bench, 0x80001c, 0x400);
	bench_kick_entry(&f->channel, 0, 0);
	bench_run(f->bench);
	assert_int_equal(bench_reg(f->bench, INTR_0), BIT(17));
	bench_set_reg(f->bench, PBDMA1 + 0x5c, 0x2000);
	assert_trapped_and_go_on(f, INTR_0, BIT(17));
}

/* A sequence may not go on in a segment that is conditional. */
static void conditional_straddles(void **state)
{
	struct fixture *f = *state;
	u64 va = f->channel.push_va;

	push(&f->channel, 1u << 29 | 2u << 16 | 0x10 >> 2); /* two words, and one is there */
	push(&f->channel, 0);
	push(&f->channel, MEMORY);
	bench_kick_entry(&f->channel, (u32)va, (u32)(va >> 32) | 2 << 10);
	bench_kick_entry(&f->channel, (u32)(va + 8) | 1, (u32)(va >> 32) | 1 << 10);
	bench_run(f->bench);
	assert_int_equal(bench_reg(f->bench, INTR_0), BIT(30));
}

static void yields_and_masks(void **state)
{
	struct fixture *f = *state;

	bench_set_vram32(f->bench, f->memory, 0x10);
	push_method(&f->channel, 0, 0x80, 0); /* YIELD: NOP, and to others */
	push_method(&f->channel, 0, 0x80, 2);
	push_semaphore(f, MEMORY, 0x0f, 8); /* ACQ_AND waits for one of these bits */
	push_semaphore(f, MEMORY + 4, 1, 2 | BIT(24));
	run(f);
	assert_int_equal(memory(f, 4), 0);
	bench_set_vram32(f->bench, f->memory, 0x12);
	bench_run(f->bench);
	assert_int_equal(memory(f, 4), 1);
	assert_int_equal(bench_reg(f->bench, INTR_0), 0);
}

static void wrong_signature(void **state)
{
	struct fixture *f = *state;

	bench_set_vram32(f->bench, f->channel.inst + 0x10, 0xbeef);
	push_semaphore(f, MEMORY, 1, 2 | BIT(24));
	run(f);
	assert_int_equal(bench_reg(f->bench, INTR_0), BIT(31));
	assert_int_equal(bench_reg(f->bench, PBDMA1 + 0x10), 0xbeef);
	assert_int_equal(memory(f, 0), 0);
	bench_set_reg(f->bench, PBDMA1 + 0x10, 0xface);
	assert_trapped_and_go_on(f, INTR_0, BIT(31));
	assert_int_equal(memory(f, 0), 1);
}

/* A trapped channel holds up its PBDMA, and no other. */
static void frozen_pbdma(void **state)
{
	struct fixture *f = *state;
	struct bench_channel other;

	bench_channel(f->bench, &other, 8, 2, false);
	push_method(&f->channel, 0, 0x04, 0);
	run(f);
	bench_set_reg(f->bench, 0x2634, BIT(24) | 3);
	bench_run(f->bench);
	assert_int_equal(bench_reg(f->bench, 0x2634) & BIT(20), BIT(20));
	push_method(&other, 0, 0x50, 0x1234);
	bench_kick(&other);
	bench_run(f->bench);
	assert_int_equal(bench_vram32(f->bench, other.userd + 0x48), 0x1234);
	assert_trapped_and_go_on(f, INTR_0, BIT(21));
	assert_int_equal(bench_reg(f->bench, 0x2634) & BIT(20), 0);
}

static struct mmu_replay replayed;

static void on_replay(struct gpu *gpu, const struct mmu_replay *replay)
{
	(void)gpu;
	replayed = *replay;
}

static void tlb_invalidate(void **state)
{
	struct fixture *f = *state;
	struct bench_channel kernel;
	u64 invalidates;

	f->bench->gpu->mmu.on_replay = on_replay;
	push_method(&f->channel, 0, 0x34, 9u << 27);
	run(f);
	assert_trapped_and_go_on(f, INTR_0, BIT(21)); /* not privileged */

	bench_channel(f->bench, &kernel, 8, 2, true);
	invalidates = f->bench->gpu->mmu.invalidates;
	push_method(&kernel, 0, 0x28, 5 | 2 << 6);
	push_method(&kernel, 0, 0x30, 1 | 3 << 2);
	push_method(&kernel, 0, 0x34, 9u << 27);
	push_method(&kernel, 0, 0x34, 5u << 27); /* MEMBAR */
	bench_kick(&kernel);
	bench_run(f->bench);
	assert_int_equal(bench_reg(f->bench, 0x44108), 0);
	assert_true(f->bench->gpu->mmu.invalidates > invalidates);
	assert_int_equal(replayed.op, MMU_REPLAY_CANCEL_TARGETED);
	assert_int_equal(replayed.client, 5);
	assert_int_equal(replayed.gpc, 2);
}

static void engine_errors(void **state)
{
	struct fixture *f = *state;

	push_method(&f->channel, 4, 0, 0xa0b5);
	run(f);
	assert_trapped_and_go_on(f, INTR_1, BIT(4)); /* HCE_ILLEGAL_CLASS */
	push_method(&f->channel, 4, 0x104, 7);
	run(f);
	assert_int_equal(bench_reg(f->bench, PBDMA1 + 0x150), 4 << 16 | 0x104);
	assert_int_equal(bench_reg(f->bench, PBDMA1 + 0x154), 7);
	assert_trapped_and_go_on(f, INTR_1, BIT(3)); /* HCE_ILLEGAL_MTHD */
	push_method(&f->channel, 4, 0x300, 0x3386);
	run(f);
	assert_trapped_and_go_on(f, INTR_1, BIT(2)); /* HCE_PRIV */
	push_method(&f->channel, 4, 0x25c, 5);
	run(f);
	assert_trapped_and_go_on(f, INTR_1, BIT(0)); /* HCE_RE_ILLEGAL_OP */
	push_method(&f->channel, 4, 0x258, 2);
	push_method(&f->channel, 4, 0x25c, 2);
	run(f);
	assert_trapped_and_go_on(f, INTR_1, BIT(1)); /* HCE_RE_ALIGNB */
}

static void graphics(void **state)
{
	struct fixture *f = *state;
	struct bench_channel channel;

	bench_channel(f->bench, &channel, 9, 0, false);
	push_method(&channel, 1, 0, 0xc0c0);
	bench_kick(&channel);
	bench_run(f->bench);
	assert_int_equal(bench_reg(f->bench, 0x40148), BIT(31)); /* CTXNOTVALID */
	bench_set_reg(f->bench, 0x40148, BIT(31));
	bench_set_vram32(f->bench, channel.inst + 0x210, 0x5000 | 4);
	bench_run(f->bench);
	push_method(&channel, 1, 0, 0xc0c0);
	push_method(&channel, 1, 0x1234, 0x42);
	bench_kick(&channel);
	bench_run(f->bench);
	assert_int_equal(bench_reg(f->bench, 0x40148), 0);
	/* no such method: that it came to GR is seen there */
	assert_int_equal(bench_reg(f->bench, 0x400704), 1 << 16 | 0x1234);
	assert_int_equal(bench_reg(f->bench, 0x400708), 0x42);
	/* what FECS calls the current context */
	assert_int_equal(bench_reg(f->bench, 0x2640) & 0x3fff, BIT(13) | BIT(12) | 9);
}

/* What PGRAPH cannot do is said by its own interrupt. */
static void graphics_errors(void **state)
{
	struct fixture *f = *state;
	struct bench_channel channel;

	bench_set_reg(f->bench, 0x40013c, ~0u);
	bench_channel(f->bench, &channel, 9, 0, false);
	bench_set_vram32(f->bench, channel.inst + 0x210, 0x5000 | 4);
	bench_run(f->bench);
	push_method(&channel, 2, 0, 0x9097); /* an older chip's */
	bench_kick(&channel);
	bench_run(f->bench);
	assert_int_equal(bench_reg(f->bench, 0x400100), BIT(5));
	assert_int_equal(bench_reg(f->bench, 0x100) & BIT(12), BIT(12));
	assert_int_equal(bench_reg(f->bench, 0x400704), 2 << 16);
	assert_int_equal(bench_reg(f->bench, 0x400708), 0x9097);
	bench_set_reg(f->bench, 0x400100, BIT(5));
	assert_int_equal(bench_reg(f->bench, 0x100) & BIT(12), 0);
}

static void random_pushbuffers(void **state)
{
	struct fixture *f = *state;

	srand(2);
	for (unsigned int i = 0; i < 3000; i++) {
		for (unsigned int n = 0; n < 20; n++) {
			u32 word = (u32)rand() ^ (u32)rand() << 16;

			push(&f->channel, rand() % 2 ? word : word & 0xe00f3fff);
		}
		run(f);
		bench_set_reg(f->bench, METHOD0, MTHD_NOP);
		bench_set_reg(f->bench, INTR_0, ~0u);
		bench_set_reg(f->bench, INTR_1, ~0u);
		bench_set_reg(f->bench, 0x259c, ~0u);
		bench_set_reg(f->bench, 0x800004 + 8 * 3, 0xc00400);
		bench_set_reg(f->bench, 0x262c, ~0u);
		bench_run(f->bench);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sequences, setup, teardown),
		cmocka_unit_test_setup_teardown(straddles_segments, setup, teardown),
		cmocka_unit_test_setup_teardown(long_segment, setup, teardown),
		cmocka_unit_test_setup_teardown(release_with_time, setup, teardown),
		cmocka_unit_test_setup_teardown(reductions, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_semaphores, setup, teardown),
		cmocka_unit_test_setup_teardown(acquire_times_out, setup, teardown),
		cmocka_unit_test_setup_teardown(illegal_methods, setup, teardown),
		cmocka_unit_test_setup_teardown(software_subchannels, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_entries, setup, teardown),
		cmocka_unit_test_setup_teardown(subdevice_masks, setup, teardown),
		cmocka_unit_test_setup_teardown(gp_entries, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_gp_pointers, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_ring, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_segment_pointers, setup, teardown),
		cmocka_unit_test_setup_teardown(conditional_straddles, setup, teardown),
		cmocka_unit_test_setup_teardown(yields_and_masks, setup, teardown),
		cmocka_unit_test_setup_teardown(wrong_signature, setup, teardown),
		cmocka_unit_test_setup_teardown(frozen_pbdma, setup, teardown),
		cmocka_unit_test_setup_teardown(tlb_invalidate, setup, teardown),
		cmocka_unit_test_setup_teardown(engine_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(graphics, setup, teardown),
		cmocka_unit_test_setup_teardown(graphics_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(random_pushbuffers, setup, teardown),
	};

	return cmocka_run_group_tests_name("pbdma", tests, NULL, NULL);
}
