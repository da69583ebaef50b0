/* SPDX-License-Identifier: MIT */
/* Copy engines: class C0B5 through a channel, as a driver uses it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "bench.h"

#define SRC UINT64_C(0x200000000)
#define DST UINT64_C(0x300000000)
#define SEM UINT64_C(0x400000000)

#define AREA_BYTES 0x40000

#define PIPELINED     1u
#define NON_PIPELINED 2u
#define FLUSH	      BIT(2)
#define SEM_ONE_WORD  (1u << 3)
#define SEM_FOUR_WORD (2u << 3)
#define SRC_PITCH     BIT(7)
#define DST_PITCH     BIT(8)
#define PITCH	      (SRC_PITCH | DST_PITCH)
#define MULTI_LINE    BIT(9)
#define REMAP	      BIT(10)
#define SRC_PHYSICAL  BIT(12)
#define DST_PHYSICAL  BIT(13)
#define PHYSICAL      (SRC_PHYSICAL | DST_PHYSICAL)

struct fixture {
	struct bench *bench;
	struct bench_channel channel;
	u64 src, dst, sem; /* VRAM behind SRC, DST, SEM */
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->bench = bench_new();
	bench_channel(f->bench, &f->channel, 3, 1, true);
	f->src = bench_map_new(f->bench, SRC, AREA_BYTES);
	f->dst = bench_map_new(f->bench, DST, AREA_BYTES);
	f->sem = bench_map_new(f->bench, SEM, 0x1000);
	push_method(&f->channel, 4, 0, 0xc0b5);
	for (u32 i = 0; i < AREA_BYTES; i += 4)
		bench_set_vram32(f->bench, f->src + i, i * 2654435761u);
	memset(f->bench->gpu->fb.vram + f->dst, 0xee, AREA_BYTES);
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

static u8 *vram(struct fixture *f, u64 addr)
{
	return f->bench->gpu->fb.vram + addr;
}

static void method(struct fixture *f, u32 method, u32 data)
{
	push_method(&f->channel, 4, method, data);
}

static void run(struct fixture *f)
{
	bench_kick(&f->channel);
	bench_run(f->bench);
}

static void operands(struct fixture *f, u64 in, u64 out, u32 pitch_in, u32 pitch_out, u32 length,
		     u32 lines)
{
	push(&f->channel, 1u << 29 | 8u << 16 | 4u << 13 | 0x400 >> 2);
	push(&f->channel, (u32)(in >> 32));
	push(&f->channel, (u32)in);
	push(&f->channel, (u32)(out >> 32));
	push(&f->channel, (u32)out);
	push(&f->channel, pitch_in);
	push(&f->channel, pitch_out);
	push(&f->channel, length);
	push(&f->channel, lines);
}

static void semaphore(struct fixture *f, u64 va, u32 payload)
{
	method(f, 0x240, (u32)(va >> 32));
	method(f, 0x244, (u32)va);
	method(f, 0x248, payload);
}

static void assert_launch_error(struct fixture *f, u32 error)
{
	run(f);
	assert_int_equal(bench_reg(f->bench, 0x104410), BIT(2));
	assert_int_equal(bench_reg(f->bench, 0x104418), error);
	assert_int_equal(bench_reg(f->bench, 0x100) & BIT(5), BIT(5));
	bench_set_reg(f->bench, 0x104410, BIT(2));
	assert_int_equal(bench_reg(f->bench, 0x100) & BIT(5), 0);
}

static void linear(void **state)
{
	struct fixture *f = *state;

	operands(f, SRC + 3, DST + 5, 0, 0, 0x12345, 0);
	semaphore(f, SEM + 4, 0x1234);
	method(f, 0x300, NON_PIPELINED | FLUSH | PITCH | SEM_ONE_WORD);
	run(f);
	assert_memory_equal(vram(f, f->src + 3), vram(f, f->dst + 5), 0x12345);
	assert_int_equal(*vram(f, f->dst + 4), 0xee);
	assert_int_equal(*vram(f, f->dst + 5 + 0x12345), 0xee);
	assert_int_equal(bench_vram32(f->bench, f->sem + 4), 0x1234);
	assert_int_equal(bench_vram32(f->bench, f->sem + 8), 0);
}

static void pages_as_ttm_moves_them(void **state)
{
	struct fixture *f = *state;

	operands(f, SRC, DST, 0x1000, 0x1000, 0x1000, AREA_BYTES / 0x1000);
	method(f, 0x300, 0x386);
	run(f);
	assert_memory_equal(vram(f, f->src), vram(f, f->dst), AREA_BYTES);
}

static void lines_with_pitch(void **state)
{
	struct fixture *f = *state;

	operands(f, SRC, DST, 100, 256, 60, 50);
	method(f, 0x300, PIPELINED | PITCH | MULTI_LINE);
	operands(f, SRC + 49 * 100, DST + 0x8000, (u32)-100, 256, 60, 50); /* upside down */
	method(f, 0x300, PIPELINED | PITCH | MULTI_LINE);
	run(f);
	for (unsigned int y = 0; y < 50; y++) {
		assert_memory_equal(vram(f, f->src + 100 * y), vram(f, f->dst + 256 * y), 60);
		assert_int_equal(*vram(f, f->dst + 256 * y + 60), 0xee);
		assert_memory_equal(vram(f, f->src + 100 * (49 - y)),
				    vram(f, f->dst + 0x8000 + 256 * y), 60);
	}
}

static void scattered_pages(void **state)
{
	struct fixture *f = *state;

	/* destination pages in reverse order */
	for (u32 page = 0; page < 16; page++)
		bench_map(f->bench, DST + page * 0x1000, APERTURE_VIDMEM,
			  f->dst + (15 - page) * 0x1000, 0x1000, 0);
	operands(f, SRC + 0x800, DST, 0, 0, 0x10000, 1);
	method(f, 0x300, NON_PIPELINED | PITCH);
	run(f);
	for (u32 page = 0; page < 16; page++)
		assert_memory_equal(vram(f, f->src + 0x800 + page * 0x1000),
				    vram(f, f->dst + (15 - page) * 0x1000), 0x1000);
}

static void physical(void **state)
{
	struct fixture *f = *state;

	method(f, 0x260, 0);
	method(f, 0x264, 0);
	operands(f, f->src, f->dst, 0x1000, 0x1000, 0x1000, 8);
	method(f, 0x300, 0x3386);
	run(f);
	assert_memory_equal(vram(f, f->src), vram(f, f->dst), 0x8000);
	assert_int_equal(*vram(f, f->dst + 0x8000), 0xee);
}

/* As a driver clears a page: constants A and B as the two halves of an 8-byte pixel. */
static void clear(void **state)
{
	struct fixture *f = *state;

	method(f, 0x264, 0);
	method(f, 0x700, 0x11111111);
	method(f, 0x704, 0x22222222);
	method(f, 0x708, 4 | 5 << 4 | 3 << 16 | 1 << 24);
	operands(f, 0, f->dst, 0, 0, 0x20000 >> 3, 0);
	method(f, 0x300, NON_PIPELINED | FLUSH | PITCH | REMAP | DST_PHYSICAL);
	run(f);
	for (u32 i = 0; i < 0x20000; i += 8) {
		assert_int_equal(bench_vram32(f->bench, f->dst + i), 0x11111111);
		assert_int_equal(bench_vram32(f->bench, f->dst + i + 4), 0x22222222);
	}
	assert_int_equal(*vram(f, f->dst + 0x20000), 0xee);
}

static void remap_components(void **state)
{
	struct fixture *f = *state;

	/* 3 components of 2 bytes to 4: z, no write, constant A, x */
	method(f, 0x700, 0xabcd);
	method(f, 0x708, 2 | 6 << 4 | 4 << 8 | 0 << 12 | 1 << 16 | 2 << 20 | 3 << 24);
	operands(f, SRC, DST, 60, 80, 10, 3);
	method(f, 0x300, NON_PIPELINED | PITCH | REMAP | MULTI_LINE);
	run(f);
	for (unsigned int y = 0; y < 3; y++) {
		for (unsigned int x = 0; x < 10; x++) {
			const u8 *in = vram(f, f->src + 60 * y + 6 * x);
			const u8 *out = vram(f, f->dst + 80 * y + 8 * x);

			assert_memory_equal(out, in + 4, 2);
			assert_memory_equal(out + 2, "\xee\xee", 2);
			assert_memory_equal(out + 4, "\xcd\xab", 2);
			assert_memory_equal(out + 6, in, 2);
		}
	}
}

/* GOBs of 64 bytes by 8 lines, sectors of 16 by 2 within; written out apart from the model's. */
static u64 swizzle(u32 x, u32 y, u32 width, u32 block_gobs)
{
	u32 gob_x = x / 64, gob_y = y / 8, block_y = gob_y / block_gobs;
	u64 gob = ((u64)block_y * ((width + 63) / 64) + gob_x) * block_gobs + gob_y % block_gobs;

	return gob * 512 + x % 64 / 32 * 256 + y % 8 / 2 * 64 + x % 32 / 16 * 32 + y % 2 * 16 +
	       x % 16;
}

static void surface(struct fixture *f, u32 first, u32 block, u32 width, u32 height, u32 depth,
		    u32 layer, u32 x, u32 y)
{
	method(f, first, block | 1 << 12);
	method(f, first + 0x4, width);
	method(f, first + 0x8, height);
	method(f, first + 0xc, depth);
	method(f, first + 0x10, layer);
	method(f, first + 0x14, y << 16 | x);
}

static void block_linear(void **state)
{
	struct fixture *f = *state;

	/* a rectangle of 200 by 37 at (24, 9) in a surface of 300 by 64, blocks of 2 GOBs */
	operands(f, SRC, DST, 200, 0, 200, 37);
	surface(f, 0x70c, 1 << 4, 300, 64, 1, 0, 24, 9);
	method(f, 0x300, NON_PIPELINED | SRC_PITCH | MULTI_LINE);
	run(f);
	for (u32 y = 0; y < 37; y++)
		for (u32 x = 0; x < 200; x++)
			assert_int_equal(*vram(f, f->dst + swizzle(24 + x, 9 + y, 300, 2)),
					 *vram(f, f->src + 200 * y + x));
	assert_int_equal(*vram(f, f->dst + swizzle(23, 9, 300, 2)), 0xee);
	/* and back, out of a copy with other blocks */
	operands(f, DST, DST + 0x10000, 0, 0, 200, 37);
	surface(f, 0x728, 1 << 4, 300, 64, 1, 0, 24, 9);
	surface(f, 0x70c, 3 << 4 | 1 << 8, 256, 40, 4, 3, 0, 0);
	method(f, 0x300, NON_PIPELINED | MULTI_LINE);
	operands(f, DST + 0x10000, DST + 0x30000, 0, 200, 200, 37);
	surface(f, 0x728, 3 << 4 | 1 << 8, 256, 40, 4, 3, 0, 0);
	method(f, 0x300, NON_PIPELINED | DST_PITCH | MULTI_LINE);
	run(f);
	assert_memory_equal(vram(f, f->src), vram(f, f->dst + 0x30000), 200 * 37);
}

static void semaphores(void **state)
{
	struct fixture *f = *state;
	u64 stamp;

	semaphore(f, SEM + 0x20, 0x99);
	method(f, 0x300, SEM_FOUR_WORD); /* no transfer at all */
	semaphore(f, SEM + 0x40, 5);
	method(f, 0x300, SEM_ONE_WORD | 5 << 14 | BIT(19)); /* add */
	method(f, 0x300, SEM_ONE_WORD | 5 << 14 | BIT(19));
	run(f);
	stamp = (u64)bench_vram32(f->bench, f->sem + 0x2c) << 32 |
		bench_vram32(f->bench, f->sem + 0x28);
	assert_int_equal(bench_vram32(f->bench, f->sem + 0x20), 0x99);
	assert_true(stamp && stamp <= ptimer_now(f->bench->gpu));
	assert_int_equal(bench_vram32(f->bench, f->sem + 0x40), 10);
}

static void interrupts(void **state)
{
	struct fixture *f = *state;

	method(f, 0x300, 2 << 5); /* NON_BLOCKING */
	semaphore(f, SEM, 1);
	method(f, 0x300, SEM_ONE_WORD | 1 << 5); /* BLOCKING */
	semaphore(f, SEM, 2);
	method(f, 0x300, SEM_ONE_WORD);
	run(f);
	assert_int_equal(bench_reg(f->bench, 0x104410), 3);
	assert_int_equal(bench_reg(f->bench, 0x100) & BIT(5), BIT(5));
	assert_int_equal(bench_vram32(f->bench, f->sem), 1);
	bench_set_reg(f->bench, 0x104410, 3);
	bench_run(f->bench);
	assert_int_equal(bench_reg(f->bench, 0x100) & BIT(5), 0);
	assert_int_equal(bench_vram32(f->bench, f->sem), 2);
}

static void render_enable(void **state)
{
	static const struct {
		u32 mode, first, second;
		bool runs;
	} table[] = {
		{ 0, 1, 1, false }, { 1, 0, 0, true },	{ 2, 0, 0, false }, { 2, 7, 0, true },
		{ 3, 5, 5, true },  { 3, 5, 6, false }, { 4, 5, 5, false }, { 4, 5, 6, true },
	};
	struct fixture *f = *state;

	for (u32 i = 0; i < ARRAY_SIZE(table); i++) {
		bench_set_vram32(f->bench, f->sem + 0x100, table[i].first);
		bench_set_vram32(f->bench, f->sem + 0x110, table[i].second);
		bench_set_vram32(f->bench, f->sem, 0);
		method(f, 0x254, (u32)(SEM >> 32));
		method(f, 0x258, (u32)SEM + 0x100);
		method(f, 0x25c, table[i].mode);
		semaphore(f, SEM, 1);
		method(f, 0x300, SEM_ONE_WORD);
		run(f);
		assert_int_equal(bench_vram32(f->bench, f->sem), table[i].runs);
	}
}

static void launch_errors(void **state)
{
	struct fixture *f = *state;

	operands(f, SRC, DST, 99, 100, 100, 2);
	method(f, 0x300, NON_PIPELINED | PITCH | MULTI_LINE);
	assert_launch_error(f, 4); /* SRC_LINE_EXCEEDS_PITCH */
	operands(f, SRC, DST, 100, (u32)-99, 100, 2);
	method(f, 0x300, NON_PIPELINED | PITCH | MULTI_LINE);
	assert_launch_error(f, 7); /* DST_LINE_EXCEEDS_NEG_PITCH */
	method(f, 0x708, 1);	   /* y of a source with one component */
	method(f, 0x300, NON_PIPELINED | PITCH | REMAP);
	assert_launch_error(f, 8);
	method(f, 0x300, 3 | PITCH);
	assert_launch_error(f, 9);
	method(f, 0x300, BIT(28));
	assert_launch_error(f, 0xa);
	semaphore(f, SEM + 4, 0);
	method(f, 0x300, SEM_FOUR_WORD);
	assert_launch_error(f, 2);
	operands(f, SRC, DST, 100, 100, 100, 2);
	surface(f, 0x70c, 0, 128, 8, 2, 2, 0, 0);
	method(f, 0x300, NON_PIPELINED | SRC_PITCH);
	assert_launch_error(f, 1);
	surface(f, 0x70c, 0, 128, 8, 1, 0, 29, 0);
	method(f, 0x300, NON_PIPELINED | SRC_PITCH);
	assert_launch_error(f, 3);
	for (u32 i = 0; i < AREA_BYTES; i++)
		assert_int_equal(*vram(f, f->dst + i), 0xee);
}

/* A fatal fault, its recovery by unit reset, and the other engines in the meantime. */
static void fault(void **state)
{
	struct fixture *f = *state;
	struct bench *bench = f->bench;
	struct bench_channel other;

	bench_channel(bench, &other, 4, 2, true);
	bench_map(bench, DST + 0x2000, APERTURE_VIDMEM, f->dst + 0x2000, 0x1000, PTE_READ_ONLY);
	operands(f, SRC, DST, 0, 0, AREA_BYTES, 1);
	semaphore(f, SEM, 1);
	method(f, 0x300, NON_PIPELINED | PITCH | SEM_ONE_WORD);
	run(f);
	assert_int_equal(bench_reg(bench, 0x259c), BIT(21));
	assert_int_equal(bench_reg(bench, 0x2950), f->channel.inst >> 12);
	assert_int_equal(bench_reg(bench, 0x2954), (u32)DST + 0x2000);
	assert_int_equal(bench_reg(bench, 0x2958), DST >> 32);
	assert_int_equal(bench_reg(bench, 0x295c), 6 | 1 << 8 | 1 << 16 | BIT(20));
	assert_int_equal(bench_reg(bench, 0x800004 + 24) & BIT(23), BIT(23));
	/* TSG 3 on CE0: valid, busy, faulted */
	assert_int_equal(bench_reg(bench, 0x2648), 3u | BIT(12) | BIT(13) | BIT(30) | BIT(31));
	assert_int_equal(bench_vram32(bench, f->sem), 0);

	push_method(&other, 4, 0x240, (u32)(SEM >> 32));
	push_method(&other, 4, 0x244, (u32)SEM);
	push_method(&other, 4, 0x248, 0x77);
	push_method(&other, 4, 0x300, SEM_ONE_WORD);
	bench_kick(&other);
	bench_run(bench);
	assert_int_equal(bench_vram32(bench, f->sem), 0x77);

	bench_set_reg(bench, 0x259c, BIT(21));
	bench_set_reg(bench, 0x2630, BIT(1));
	bench_set_reg(bench, 0x800004 + 24, bench_reg(bench, 0x800004 + 24) | 0x800);
	bench_set_reg(bench, 0x200, ~BIT(6));
	bench_set_reg(bench, 0x200, ~0u);
	assert_int_equal(bench_reg(bench, 0x2648), 0);
	bench_runlist(bench, 1, &f->channel, 0);
	bench_set_reg(bench, 0x262c, BIT(1));
	bench_set_reg(bench, 0x2630, 0);
	bench_run(bench);
	bench_set_reg(bench, 0x800000 + 24, 0);
	assert_int_equal(bench_vram32(bench, f->sem), 0x77);

	bench_channel(bench, &f->channel, 5, 1, true);
	operands(f, SRC, DST, 0, 0, 0x1000, 1);
	semaphore(f, SEM, 2);
	method(f, 0x300, NON_PIPELINED | PITCH | SEM_ONE_WORD);
	run(f);
	assert_int_equal(bench_vram32(bench, f->sem), 2);
}

static void sparse(void **state)
{
	struct fixture *f = *state;

	/* an invalid small PTE with VOLATILE set: reads give zero, writes vanish */
	bench_map(f->bench, SRC, APERTURE_VIDMEM, 0, 0x1000, 0);
	for (u64 addr = 0x600000; addr < f->bench->free; addr += 8)
		if (bench_vram32(f->bench, addr) == 1 && !bench_vram32(f->bench, addr + 4))
			bench_set_vram32(f->bench, addr, 8);
	bench_set_reg(f->bench, 0x100cbc, 0x80000003);
	operands(f, SRC, DST, 0, 0, 0x1000, 1);
	method(f, 0x300, NON_PIPELINED | PITCH);
	run(f);
	for (u32 i = 0; i < 0x1000; i++)
		assert_int_equal(*vram(f, f->dst + i), 0);
}

static void delay_knob(void **state)
{
	struct fixture *f = *state;
	u64 before = ptimer_now(f->bench->gpu);

	f->bench->gpu->engine.delay.ce = 20000;
	semaphore(f, SEM, 1);
	method(f, 0x300, SEM_ONE_WORD);
	run(f);
	assert_int_equal(bench_vram32(f->bench, f->sem), 1);
	assert_true(ptimer_now(f->bench->gpu) - before >= 20000000);
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

/* 64 MiB of local copies, and the same by block-linear; well under a second each is asked. */
static void speed(void **state)
{
	struct fixture *f = *state;
	u64 src = bench_map_new(f->bench, 0x500000000, 16 << 20);
	double start = seconds(), middle;

	(void)src;
	bench_map_new(f->bench, 0x600000000, 16 << 20);
	for (unsigned int i = 0; i < 4; i++) {
		operands(f, 0x500000000, 0x600000000, 0x1000, 0x1000, 0x1000, 4096);
		method(f, 0x300, 0x386);
	}
	run(f);
	middle = seconds();
	surface(f, 0x70c, 4 << 4, 4096, 4096, 1, 0, 0, 0);
	operands(f, 0x500000000, 0x600000000, 0x1000, 0x1000, 0x1000, 4096);
	method(f, 0x300, NON_PIPELINED | SRC_PITCH | MULTI_LINE);
	run(f);
	print_message("64 MiB in pages: %.3f s; 16 MiB to block-linear: %.3f s\n", middle - start,
		      seconds() - middle);
	assert_int_equal(bench_reg(f->bench, 0x104410), 0);
}

static void random_launches(void **state)
{
	struct fixture *f = *state;

	srand(3);
	for (unsigned int i = 0; i < 4000; i++) {
		operands(f, rand() % 3 ? SRC + (u32)rand() % 0x1000 : (u64)rand() << 20,
			 rand() % 3 ? DST + (u32)rand() % 0x1000 : (u64)rand() << 20,
			 (u32)rand() >> rand() % 32, (u32)rand() >> rand() % 32,
			 (u32)rand() % 0x1000, (u32)rand() % 64);
		method(f, 0x708, (u32)rand());
		surface(f, 0x70c, (u32)rand() & 0x0330, (u32)rand() % 5000, (u32)rand() % 500,
			(u32)rand() % 8, (u32)rand() % 4, (u32)rand() % 64, (u32)rand() % 64);
		surface(f, 0x728, (u32)rand() & 0x0330, (u32)rand() % 5000, (u32)rand() % 500,
			(u32)rand() % 8, (u32)rand() % 4, (u32)rand() % 64, (u32)rand() % 64);
		method(f, 0x300, (u32)rand() & 0x3fffff);
		run(f);
		bench_set_reg(f->bench, 0x104410, ~0u);
		bench_set_reg(f->bench, 0x42148, ~0u);
		bench_set_reg(f->bench, 0x259c, ~0u);
		bench_set_reg(f->bench, 0x800004 + 24, 0xc00400);
		bench_set_reg(f->bench, 0x262c, ~0u);
		bench_run(f->bench);
	}
}

/* Which copy engines there are is the chip's to say. */
static void chip_with_fewer(void **state)
{
	struct chip chip = chip_gp100;
	const struct gpu_config config = { .chip = &chip,
					   .vram_bytes = BENCH_VRAM,
					   .bar1_bytes = BENCH_VRAM };
	struct gpu *gpu;

	(void)state;
	chip.engine_count = 3; /* GR, CE0, CE1 */
	gpu = gpu_create(&config);
	assert_non_null(gpu);
	pthread_mutex_lock(&gpu->lock);
	mmio_write(gpu, 0x200, ~0u, 4);
	mmio_write(gpu, 0x200, 0, 4);
	assert_int_equal(mmio_read(gpu, 0x10448c, 4), 7); /* CE1 */
	mmio_write(gpu, 0x10450c, 7, 4);
	assert_int_equal(mmio_burn_down(gpu, stderr), 1);
	pthread_mutex_unlock(&gpu->lock);
	gpu_destroy(gpu);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(linear, setup, teardown),
		cmocka_unit_test_setup_teardown(pages_as_ttm_moves_them, setup, teardown),
		cmocka_unit_test_setup_teardown(lines_with_pitch, setup, teardown),
		cmocka_unit_test_setup_teardown(scattered_pages, setup, teardown),
		cmocka_unit_test_setup_teardown(physical, setup, teardown),
		cmocka_unit_test_setup_teardown(clear, setup, teardown),
		cmocka_unit_test_setup_teardown(remap_components, setup, teardown),
		cmocka_unit_test_setup_teardown(block_linear, setup, teardown),
		cmocka_unit_test_setup_teardown(semaphores, setup, teardown),
		cmocka_unit_test_setup_teardown(interrupts, setup, teardown),
		cmocka_unit_test_setup_teardown(render_enable, setup, teardown),
		cmocka_unit_test_setup_teardown(launch_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(fault, setup, teardown),
		cmocka_unit_test_setup_teardown(sparse, setup, teardown),
		cmocka_unit_test_setup_teardown(delay_knob, setup, teardown),
		cmocka_unit_test_setup_teardown(speed, setup, teardown),
		cmocka_unit_test_setup_teardown(random_launches, setup, teardown),
		cmocka_unit_test(chip_with_fewer),
	};

	return cmocka_run_group_tests_name("ce", tests, NULL, NULL);
}
