/* SPDX-License-Identifier: MIT */
/* Compute work as a driver launches it: QMDs, CTAs, faults with their replay and cancel, traps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "bench.h"
#include "sass.h"

#define GR_RUNLIST  0
#define CE_RUNLIST  1
#define COMPUTE	    1 /* subchannel */
#define GRID_DONE   0x900d0000u
#define BUFFER	    0x700000u /* VRAM; BAR2 is physical after reset, so its address as well */
#define CODE_VA	    UINT64_C(0x140000000)
#define QMD_VA	    UINT64_C(0x140010000)
#define CONSTANT_VA UINT64_C(0x140020000)
#define RESULT_VA   UINT64_C(0x140030000)
#define DATA_VA	    UINT64_C(0x150000000)
#define HOLE_VA	    UINT64_C(0x180000000) /* nothing is mapped there to begin with */

#define REPLAY		0x8000000b
#define REPLAY_ACK	0x80000013
#define CANCEL_TARGETED 0x8000001b
#define CANCEL_GLOBAL	0x80000023

enum access {
	READ,
	WRITE,
	ATOMIC,
	PREFETCH
};

struct fixture {
	struct bench *bench;
	struct bench_channel gr, ce;
	u64 code, qmd, constant, result; /* VRAM */
	u32 done;			 /* grids launched */
};

/*
 * Thread i of the grid: R0 = i, R2:R3 = c[0][0] + (i << c[0][8]). Blocks are of 32 threads.
 * What follows does something with that address.
 */
#define PROLOGUE                        \
	"S2R R0, SR_TID.X\n"            \
	"S2R R1, SR_CTAID.X\n"          \
	"ISCADD R0, R1, R0, 0x5\n"      \
	"SHL R4, R0, c[0x0][0x8]\n"     \
	"IADD R2.CC, R4, c[0x0][0x0]\n" \
	"MOV R5, c[0x0][0x4]\n"         \
	"IADD.X R3, R5, RZ\n"           \
	"IADD32I R6, R0, 0x1\n"

static const char store_kernel[] = PROLOGUE "STG.E [R2], R6\n"
					    "EXIT\n";
static const char load_kernel[] = PROLOGUE "LDG.E R7, [R2]\n"
					   "SHL R4, R0, 0x2\n"
					   "IADD R8.CC, R4, c[0x0][0x10]\n"
					   "MOV R5, c[0x0][0x14]\n"
					   "IADD.X R9, R5, RZ\n"
					   "STG.E [R8], R7\n"
					   "EXIT\n";
static const char reduce_kernel[] = PROLOGUE "RED.E.ADD [R2], R6\n"
					     "EXIT\n";
static const char prefetch_kernel[] = PROLOGUE "CCTL.E.PF2 [R2]\n"
					       "EXIT\n";
/* A hint, and then a store where c[0][0x10] says, by the first thread alone. */
static const char prefetch_store_kernel[] = PROLOGUE "CCTL.E.PF2 [R2]\n"
						     "MOV R8, c[0x0][0x10]\n"
						     "MOV R9, c[0x0][0x14]\n"
						     "STG.E [R8], R6\n"
						     "EXIT\n";
static const char spin_kernel[] = "loop:\n"
				  "BRA loop\n";

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->bench = bench_new();
	bench_channel(f->bench, &f->ce, 2, CE_RUNLIST, true);
	bench_channel(f->bench, &f->gr, 1, GR_RUNLIST, false);
	bench_set_vram32(f->bench, f->gr.inst + 0x210, 0x1000 | 4);
	bench_set_vram32(f->bench, f->gr.inst + 0x200,
			 (u32)f->bench->pdb | BIT(11) | BIT(10) | BIT(5) | BIT(4));
	f->code = bench_map_new(f->bench, CODE_VA, 0x1000);
	f->qmd = bench_map_new(f->bench, QMD_VA, 0x1000);
	f->constant = bench_map_new(f->bench, CONSTANT_VA, 0x1000);
	f->result = bench_map_new(f->bench, RESULT_VA, 0x1000);
	bench_set_reg(f->bench, 0x2a70, BUFFER);
	bench_set_reg(f->bench, 0x2a70, BUFFER | 1);
	push_method(&f->gr, COMPUTE, 0x000, 0xc0c0);
	push_method(&f->gr, COMPUTE, 0x1608, (u32)(CODE_VA >> 32));
	push_method(&f->gr, COMPUTE, 0x160c, (u32)CODE_VA);
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

static void qmd_field(struct fixture *f, unsigned int hi, unsigned int lo, u32 val)
{
	u64 at = f->qmd + lo / 32 * 4;
	u32 mask = hi - lo == 31 ? ~0u : (BIT(hi - lo + 1) - 1) << lo % 32;

	assert_int_equal(hi / 32, lo / 32);
	bench_set_vram32(f->bench, at,
			 (bench_vram32(f->bench, at) & ~mask) | (val << lo % 32 & mask));
}

/* A QMD of blocks of 32 threads, at the start of QMD_VA, with the parameters of the prologue. */
static void prepare(struct fixture *f, const char *source, u32 ctas, u64 base, u32 shift)
{
	u64 code[128];
	size_t words = sass_program(source, code, ARRAY_SIZE(code));

	memcpy(f->bench->gpu->fb.vram + f->code, code, words * 8);
	memset(f->bench->gpu->fb.vram + f->qmd, 0, 256);
	qmd_field(f, 583, 580, 2);
	qmd_field(f, 579, 576, 1);
	qmd_field(f, 415, 384, ctas);
	qmd_field(f, 431, 416, 1);
	qmd_field(f, 463, 448, 1);
	qmd_field(f, 607, 592, 32);
	qmd_field(f, 623, 608, 1);
	qmd_field(f, 639, 624, 1);
	qmd_field(f, 991, 984, 16);
	qmd_field(f, 640, 640, 1);
	qmd_field(f, 1055, 1024, (u32)CONSTANT_VA);
	qmd_field(f, 1072, 1056, (u32)(CONSTANT_VA >> 32));
	qmd_field(f, 1087, 1075, 0x100 >> 4);
	qmd_field(f, 138, 138, 1);
	qmd_field(f, 767, 736, (u32)(RESULT_VA + 0xff0));
	qmd_field(f, 775, 768, (u32)((RESULT_VA + 0xff0) >> 32));
	qmd_field(f, 831, 800, GRID_DONE + ++f->done);
	bench_set_vram32(f->bench, f->constant, (u32)base);
	bench_set_vram32(f->bench, f->constant + 4, (u32)(base >> 32));
	bench_set_vram32(f->bench, f->constant + 8, shift);
	bench_set_vram32(f->bench, f->constant + 0x10, (u32)RESULT_VA);
	bench_set_vram32(f->bench, f->constant + 0x14, (u32)(RESULT_VA >> 32));
}

static void launch(struct fixture *f)
{
	push_method(&f->gr, COMPUTE, 0x2b4, (u32)(QMD_VA >> 8));
	push_method(&f->gr, COMPUTE, 0x2bc, 3);
	bench_kick(&f->gr);
	bench_run(f->bench);
}

static void run(struct fixture *f, const char *source, u32 ctas, u64 base, u32 shift)
{
	prepare(f, source, ctas, base, shift);
	launch(f);
}

static bool grid_done(struct fixture *f)
{
	return bench_vram32(f->bench, f->result + 0xff0) == GRID_DONE + f->done;
}

/* Entry i of the fault buffer, its VALID bit taken away. */
static void assert_entry(struct fixture *f, u32 i, u64 va, enum access access, u32 client, u32 type)
{
	u32 at = BUFFER + 32 * i;

	assert_int_equal(bench_vram32(f->bench, at), (u32)f->gr.inst);
	assert_int_equal(bench_vram32(f->bench, at + 8), (u32)va);
	assert_int_equal(bench_vram32(f->bench, at + 12), va >> 32);
	assert_int_equal(bench_vram32(f->bench, at + 28),
			 BIT(31) | (u32)access << 16 | client << 8 | type);
	bench_set_vram32(f->bench, at + 28, 0);
}

static u32 pending(struct fixture *f)
{
	u32 size = bench_reg(f->bench, 0x2a78);

	return (bench_reg(f->bench, 0x2a80) + size - bench_reg(f->bench, 0x2a7c)) % size;
}

/* As a driver does once it has dealt with all entries. */
static void drain(struct fixture *f)
{
	bench_set_reg(f->bench, 0x2a7c, bench_reg(f->bench, 0x2a80));
}

static void replay(struct fixture *f)
{
	bench_set_reg(f->bench, 0x100cbc, REPLAY);
	bench_run(f->bench);
}

/* What the driver does with a channel that has failed. */
static void recover(struct fixture *f)
{
	bench_set_reg(f->bench, 0x259c, ~0u);
	bench_set_reg(f->bench, 0x800004 + 8 * f->gr.id, 0x800);
	bench_set_reg(f->bench, 0x200, ~BIT(12));
	bench_set_reg(f->bench, 0x200, ~0u);
	bench_runlist(f->bench, GR_RUNLIST, NULL, 0);
	bench_set_reg(f->bench, 0x262c, BIT(GR_RUNLIST));
	bench_set_reg(f->bench, 0x800000 + 8 * f->gr.id, 0);
	bench_run(f->bench);
}

/* A channel like the first, in its place. */
static void new_channel(struct fixture *f, unsigned int id)
{
	u64 pdb = f->gr.inst;

	pdb = bench_vram32(f->bench, pdb + 0x200);
	bench_channel(f->bench, &f->gr, id, GR_RUNLIST, false);
	bench_set_vram32(f->bench, f->gr.inst + 0x210, 0x1000 | 4);
	bench_set_vram32(f->bench, f->gr.inst + 0x200, (u32)pdb);
	push_method(&f->gr, COMPUTE, 0x000, 0xc0c0);
	push_method(&f->gr, COMPUTE, 0x1608, (u32)(CODE_VA >> 32));
	push_method(&f->gr, COMPUTE, 0x160c, (u32)CODE_VA);
}

/* The copy engine's channel is still well. */
static void assert_others_well(struct fixture *f)
{
	u64 data = f->result + 0x800;

	bench_set_vram32(f->bench, data, 0);
	push_method(&f->ce, 4, 0x000, 0xc0b5);
	push_method(&f->ce, 4, 0x240, (u32)((RESULT_VA + 0x800) >> 32));
	push_method(&f->ce, 4, 0x244, (u32)(RESULT_VA + 0x800));
	push_method(&f->ce, 4, 0x248, 0x77);
	push_method(&f->ce, 4, 0x300, 1 << 3);
	bench_kick(&f->ce);
	bench_run(f->bench);
	assert_int_equal(bench_vram32(f->bench, data), 0x77);
}

static void launch_by_pushbuffer(void **state)
{
	struct fixture *f = *state;
	u64 data = bench_map_new(f->bench, DATA_VA, 0x1000);

	run(f, store_kernel, 1, DATA_VA, 2);
	assert_true(grid_done(f));
	for (u32 i = 0; i < 32; i++)
		assert_int_equal(bench_vram32(f->bench, data + 4 * i), i + 1);
	assert_int_equal(bench_vram32(f->bench, data + 4 * 32), 0);
	assert_int_equal(pending(f), 0);
	assert_int_equal(bench_reg(f->bench, 0x400100), 0);
	/* idle, so that the context can leave */
	assert_int_equal(bench_reg(f->bench, 0x2640) & BIT(31), 0);
}

static void many_ctas(void **state)
{
	struct fixture *f = *state;
	u64 data = bench_map_new(f->bench, DATA_VA, 0x40000);

	run(f, store_kernel, 2000, DATA_VA, 2);
	assert_true(grid_done(f));
	for (u32 i = 0; i < 2000 * 32; i++)
		assert_int_equal(bench_vram32(f->bench, data + 4 * i), i + 1);
	/* none at all is done at once */
	prepare(f, store_kernel, 0, DATA_VA, 2);
	launch(f);
	assert_true(grid_done(f));
}

static void three_dimensions(void **state)
{
	static const char source[] = "S2R R0, SR_CTAID.X\n"
				     "S2R R1, SR_CTAID.Y\n"
				     "S2R R4, SR_CTAID.Z\n"
				     "S2R R5, SR_TID.X\n"
				     "S2R R6, SR_TID.Y\n"
				     "S2R R7, SR_TID.Z\n"
				     "ISCADD R0, R1, R0, 0x2\n"
				     "ISCADD R0, R4, R0, 0x4\n"
				     "ISCADD R5, R6, R5, 0x2\n"
				     "ISCADD R5, R7, R5, 0x4\n"
				     "ISCADD R0, R0, R5, 0x6\n"
				     "SHL R4, R0, 0x2\n"
				     "IADD R2.CC, R4, c[0x0][0x0]\n"
				     "MOV R5, c[0x0][0x4]\n"
				     "IADD.X R3, R5, RZ\n"
				     "IADD32I R6, R0, 0x1\n"
				     "STG.E [R2], R6\n"
				     "EXIT\n";
	struct fixture *f = *state;
	u64 data = bench_map_new(f->bench, DATA_VA, 0x4000);

	prepare(f, source, 4, DATA_VA, 0);
	qmd_field(f, 431, 416, 4);
	qmd_field(f, 463, 448, 4);
	qmd_field(f, 607, 592, 4);
	qmd_field(f, 623, 608, 4);
	qmd_field(f, 639, 624, 4);
	launch(f);
	assert_true(grid_done(f));
	for (u32 i = 0; i < 64 * 64; i++)
		assert_int_equal(bench_vram32(f->bench, data + 4 * i), i + 1);
}

static void fault_is_reported_and_replayed(void **state)
{
	struct fixture *f = *state;
	u64 data;

	run(f, store_kernel, 1, HOLE_VA, 2);
	assert_int_equal(pending(f), 1);
	assert_entry(f, 0, HOLE_VA, WRITE, 1, 0);
	assert_int_equal(bench_reg(f->bench, 0x100) & BIT(9), BIT(9));
	assert_false(grid_done(f));
	assert_int_equal(bench_reg(f->bench, 0x2640) & BIT(31), BIT(31)); /* busy */
	drain(f);
	/* not mended: it faults again */
	replay(f);
	assert_int_equal(pending(f), 1);
	assert_entry(f, 1, HOLE_VA, WRITE, 1, 0);
	drain(f);
	data = bench_map_new(f->bench, HOLE_VA, 0x1000);
	/* mapped, but nobody said so */
	bench_run(f->bench);
	assert_false(grid_done(f));
	replay(f);
	assert_true(grid_done(f));
	assert_int_equal(pending(f), 0);
	for (u32 i = 0; i < 32; i++)
		assert_int_equal(bench_vram32(f->bench, data + 4 * i), i + 1);
}

static void kinds_of_access(void **state)
{
	struct fixture *f = *state;
	u64 data = bench_alloc(f->bench, 0x1000, 0x1000);

	bench_set_vram32(f->bench, data + 4 * 3, 0xabcd);
	run(f, load_kernel, 1, HOLE_VA, 2);
	assert_entry(f, 0, HOLE_VA, READ, 1, 0);
	drain(f);
	bench_map(f->bench, HOLE_VA, APERTURE_VIDMEM, data, 0x1000, PTE_READ_ONLY);
	replay(f);
	assert_true(grid_done(f));
	assert_int_equal(bench_vram32(f->bench, f->result + 4 * 3), 0xabcd);

	/* the next CTA is on the other TPC */
	run(f, store_kernel, 1, HOLE_VA, 2);
	assert_entry(f, 1, HOLE_VA, WRITE, 4, 6);
	drain(f);
	bench_map(f->bench, HOLE_VA, APERTURE_VIDMEM, data, 0x1000, 0x80);
	replay(f);
	assert_true(grid_done(f));
	assert_int_equal(bench_vram32(f->bench, data), 1);

	run(f, reduce_kernel, 1, HOLE_VA, 2);
	assert_entry(f, 2, HOLE_VA, ATOMIC, 1, 0xf);
	drain(f);
	bench_map(f->bench, HOLE_VA, APERTURE_VIDMEM, data, 0x1000, 0);
	replay(f);
	assert_true(grid_done(f));
	assert_int_equal(bench_vram32(f->bench, data + 4), 4);
}

static void a_page_a_lane(void **state)
{
	struct fixture *f = *state;
	u64 data;

	run(f, store_kernel, 2, HOLE_VA, 12);
	assert_int_equal(pending(f), 64);
	for (u32 i = 0; i < 64; i++)
		assert_entry(f, i, HOLE_VA + 0x1000 * i, WRITE, i < 32 ? 1 : 4, 0);
	drain(f);
	/* half of them: the others fault again, and what is done is not done again */
	data = bench_map_new(f->bench, HOLE_VA, 0x1000 * 16);
	replay(f);
	assert_int_equal(pending(f), 48);
	assert_int_equal(bench_vram32(f->bench, data), 1);
	bench_set_vram32(f->bench, data, 0);
	drain(f);
	bench_map(f->bench, HOLE_VA + 0x10000, APERTURE_VIDMEM, data + 0x1000, 0x1000, 0);
	for (u32 i = 17; i < 64; i++)
		bench_map(f->bench, HOLE_VA + 0x1000 * i, APERTURE_VIDMEM, data + 0x1000, 0x1000,
			  0);
	replay(f);
	assert_true(grid_done(f));
	assert_int_equal(bench_vram32(f->bench, data), 0);
}

static void atomics_happen_once(void **state)
{
	struct fixture *f = *state;
	u64 data = bench_map_new(f->bench, HOLE_VA, 0x1000), rest;

	/* lanes of the first 64 words are there, the others are not: 17 times 32 by 256 bytes */
	run(f, reduce_kernel, 1, HOLE_VA, 8);
	assert_int_equal(pending(f), 1);
	assert_entry(f, 0, HOLE_VA + 0x1000, ATOMIC, 1, 2);
	drain(f);
	for (u32 i = 0; i < 16; i++)
		assert_int_equal(bench_vram32(f->bench, data + 0x100 * i), i + 1);
	for (u32 i = 0; i < 5; i++) {
		replay(f);
		drain(f);
	}
	rest = bench_map_new(f->bench, HOLE_VA + 0x1000, 0x1000);
	replay(f);
	assert_true(grid_done(f));
	for (u32 i = 0; i < 16; i++) {
		assert_int_equal(bench_vram32(f->bench, data + 0x100 * i), i + 1);
		assert_int_equal(bench_vram32(f->bench, rest + 0x100 * i), i + 17);
	}
}

static void others_go_on(void **state)
{
	struct fixture *f = *state;
	u64 data = bench_map_new(f->bench, DATA_VA, 999 * 0x1000), first;

	/* a page a CTA: that of the first is missing, and the 999 others are run meanwhile */
	run(f, store_kernel, 1000, DATA_VA - 0x1000, 7);
	assert_int_equal(pending(f), 1);
	assert_false(grid_done(f));
	for (u32 i = 0; i < 999 * 32; i++)
		assert_int_equal(bench_vram32(f->bench, data + 128 * i), i + 33);
	assert_others_well(f);
	drain(f);
	first = bench_map_new(f->bench, DATA_VA - 0x1000, 0x1000);
	replay(f);
	assert_true(grid_done(f));
	assert_int_equal(bench_vram32(f->bench, first), 1);
}

static void one_buffer_entry_a_page(void **state)
{
	struct fixture *f = *state;

	/* 32 CTAs on two TPCs want the same page */
	run(f, store_kernel, 32, HOLE_VA, 2);
	assert_int_equal(pending(f), 2);
	assert_entry(f, 0, HOLE_VA, WRITE, 1, 0);
	assert_entry(f, 1, HOLE_VA, WRITE, 4, 0);
	drain(f);
	bench_map_new(f->bench, HOLE_VA, 0x1000);
	replay(f);
	assert_true(grid_done(f));
}

static void buffer_wraps_and_overflows(void **state)
{
	struct fixture *f = *state;
	u32 size = chip_gp100.fault_buffer_entries;
	u64 page = bench_alloc(f->bench, 0x1000, 0x1000);

	/* all that two SMs can have in flight: 64 CTAs, the limit of CTAs, a page a lane */
	run(f, store_kernel, 200, HOLE_VA, 12);
	assert_int_equal(pending(f), 2048);
	replay(f);
	assert_int_equal(pending(f), 4096);
	replay(f);
	assert_int_equal(pending(f), size - 1);
	assert_int_equal(bench_reg(f->bench, 0x2a84), BIT(0));
	assert_int_equal(bench_reg(f->bench, 0x2100) & BIT(25), BIT(25));
	bench_set_reg(f->bench, 0x2a84, BIT(0));
	bench_set_reg(f->bench, 0x2100, BIT(25));
	/* what had no room is there again after the next replay */
	drain(f);
	replay(f);
	assert_int_equal(pending(f), 2048);
	assert_int_equal(bench_reg(f->bench, 0x2a84), 0);
	for (u32 i = 0; i < 200 * 32; i++)
		bench_map(f->bench, HOLE_VA + 0x1000 * i, APERTURE_VIDMEM, page, 0x1000, 0);
	drain(f);
	replay(f);
	assert_true(grid_done(f));
	assert_int_equal(pending(f), 0);
}

static void disabled_buffer_keeps_it_waiting(void **state)
{
	struct fixture *f = *state;

	bench_set_reg(f->bench, 0x2a70, BUFFER);
	run(f, store_kernel, 1, HOLE_VA, 2);
	assert_int_equal(pending(f), 0);
	assert_int_equal(bench_reg(f->bench, 0x2a84), BIT(28));
	bench_map_new(f->bench, HOLE_VA, 0x1000);
	bench_set_reg(f->bench, 0x2a70, BUFFER | 1);
	replay(f);
	assert_true(grid_done(f));
}

static void instruction_fault(void **state)
{
	struct fixture *f = *state;

	prepare(f, store_kernel, 1, DATA_VA, 2);
	qmd_field(f, 287, 256, 0x1000);
	launch(f);
	assert_int_equal(pending(f), 1);
	assert_entry(f, 0, CODE_VA + 0x1000, READ, 0x0d, 2);
	drain(f);
	bench_map_new(f->bench, DATA_VA, 0x1000);
	bench_map(f->bench, CODE_VA + 0x1000, APERTURE_VIDMEM, f->code, 0x1000, 0);
	bench_set_reg(f->bench, 0x100cbc, REPLAY_ACK);
	bench_run(f->bench);
	assert_true(grid_done(f));
}

static void constants_at(struct fixture *f, u64 va)
{
	qmd_field(f, 1055, 1024, (u32)va);
	qmd_field(f, 1072, 1056, (u32)(va >> 32));
}

/* Of all SMs there is one GCC: warps on both want the same page, which is reported once. */
static void constant_fault(void **state)
{
	struct fixture *f = *state;
	u64 data = bench_map_new(f->bench, DATA_VA, 0x1000);

	prepare(f, store_kernel, 4, DATA_VA, 2);
	constants_at(f, HOLE_VA);
	launch(f);
	assert_int_equal(pending(f), 1);
	assert_entry(f, 0, HOLE_VA, READ, 0x0d, 0);
	drain(f);
	replay(f); /* not mended */
	assert_int_equal(pending(f), 1);
	assert_entry(f, 1, HOLE_VA, READ, 0x0d, 0);
	assert_false(grid_done(f));
	drain(f);
	bench_map(f->bench, HOLE_VA, APERTURE_VIDMEM, f->constant, 0x1000, PTE_READ_ONLY);
	replay(f);
	assert_true(grid_done(f));
	assert_int_equal(pending(f), 0);
	for (u32 i = 0; i < 4 * 32; i++)
		assert_int_equal(bench_vram32(f->bench, data + 4 * i), i + 1);
}

/* START_ACK_ALL is complete when every request has been tried again, whatever came of it. */
static void replay_acknowledged(void **state)
{
	struct fixture *f = *state;

	run(f, store_kernel, 2, HOLE_VA, 2);
	bench_set_reg(f->bench, 0x100cbc, REPLAY);
	assert_int_equal(bench_reg(f->bench, 0x100c80) & BIT(15), BIT(15));
	bench_run(f->bench);
	bench_set_reg(f->bench, 0x100cbc, REPLAY_ACK);
	assert_int_equal(bench_reg(f->bench, 0x100c80) & BIT(15), 0);
	bench_run(f->bench);
	assert_int_equal(bench_reg(f->bench, 0x100c80) & BIT(15), BIT(15));
	assert_int_equal(pending(f), 6);
	drain(f);
	/* by a host method: what comes after it sees that */
	bench_map_new(f->bench, HOLE_VA, 0x1000);
	push_method(&f->ce, 0, 0x30, 1 | 2 << 2);
	push_method(&f->ce, 0, 0x34, 9u << 27);
	push_method(&f->ce, 0, 0x10, (u32)(RESULT_VA >> 32));
	push_method(&f->ce, 0, 0x14, (u32)RESULT_VA);
	push_method(&f->ce, 0, 0x18, 0x66);
	push_method(&f->ce, 0, 0x1c, BIT(24) | 2);
	bench_kick(&f->ce);
	pthread_mutex_lock(&f->bench->gpu->lock);
	engine_step(f->bench->gpu);
	pthread_mutex_unlock(&f->bench->gpu->lock);
	assert_true(grid_done(f)); /* Host came first in that round, and waits */
	assert_int_equal(bench_vram32(f->bench, f->result), 0);
	bench_run(f->bench);
	bench_run(f->bench);
	assert_int_equal(bench_vram32(f->bench, f->result), 0x66);
}

static void assert_fatal(struct fixture *f, u64 va, u32 info)
{
	assert_int_equal(bench_reg(f->bench, 0x259c), BIT(0));
	assert_int_equal(bench_reg(f->bench, 0x2100) & BIT(28), BIT(28));
	assert_int_equal(bench_reg(f->bench, 0x2800), f->gr.inst >> 12);
	assert_int_equal(bench_reg(f->bench, 0x2804), (u32)va);
	assert_int_equal(bench_reg(f->bench, 0x2808), va >> 32);
	assert_int_equal(bench_reg(f->bench, 0x280c), info);
	assert_int_equal(bench_reg(f->bench, 0x800004 + 8 * f->gr.id) & BIT(23), BIT(23));
	assert_int_equal(bench_reg(f->bench, 0x2640) & BIT(30), BIT(30));
	assert_int_equal(bench_reg(f->bench, 0x800004 + 8 * f->ce.id) & (BIT(22) | BIT(23)), 0);
}

/* After recovery a new channel works. */
static void assert_works_again(struct fixture *f, unsigned int id)
{
	u64 data = bench_map_new(f->bench, DATA_VA, 0x1000);

	assert_int_equal(bench_reg(f->bench, 0x2640), 0);
	new_channel(f, id);
	run(f, store_kernel, 1, DATA_VA, 2);
	assert_true(grid_done(f));
	assert_int_equal(bench_vram32(f->bench, data + 4), 2);
}

static void targeted_cancel(void **state)
{
	struct fixture *f = *state;

	run(f, store_kernel, 2, HOLE_VA, 2);
	assert_int_equal(pending(f), 2);
	drain(f);
	bench_set_reg(f->bench, 0x100cbc, CANCEL_TARGETED | 0x0d << 9);	       /* GCC: nothing */
	bench_set_reg(f->bench, 0x100cbc, CANCEL_TARGETED | 1 << 9 | BIT(20)); /* a HUB's */
	bench_set_reg(f->bench, 0x100cbc, CANCEL_TARGETED | 1 << 9 | 1 << 15); /* another GPC */
	bench_run(f->bench);
	assert_int_equal(bench_reg(f->bench, 0x259c), 0);
	bench_set_reg(f->bench, 0x100cbc, CANCEL_TARGETED | 4 << 9);
	bench_run(f->bench);
	assert_fatal(f, HOLE_VA, 4 << 8 | WRITE << 16);
	/* from here on nothing of it runs, whatever is replayed */
	bench_map_new(f->bench, HOLE_VA, 0x1000);
	replay(f);
	assert_false(grid_done(f));
	assert_others_well(f);
	recover(f);
	assert_works_again(f, 3);
	assert_others_well(f);
}

/* What waits for GCC is no client of an L1, and the other way round. */
static void assert_gcc_cancelled(struct fixture *f, u64 va, u32 type)
{
	assert_int_equal(pending(f), 1);
	drain(f);
	bench_set_reg(f->bench, 0x100cbc, CANCEL_TARGETED | 1 << 9);
	bench_set_reg(f->bench, 0x100cbc, CANCEL_TARGETED | 4 << 9);
	bench_run(f->bench);
	assert_int_equal(bench_reg(f->bench, 0x259c), 0);
	bench_set_reg(f->bench, 0x100cbc, CANCEL_TARGETED | 0x0d << 9);
	bench_run(f->bench);
	assert_fatal(f, va, 0x0d << 8 | type);
	assert_false(grid_done(f));
	assert_others_well(f);
	recover(f);
	assert_works_again(f, 3);
}

static void cancel_of_a_constant(void **state)
{
	struct fixture *f = *state;

	prepare(f, store_kernel, 2, DATA_VA, 2);
	constants_at(f, HOLE_VA);
	launch(f);
	assert_gcc_cancelled(f, HOLE_VA, 0);
}

static void cancel_of_an_instruction(void **state)
{
	struct fixture *f = *state;

	prepare(f, store_kernel, 2, DATA_VA, 2);
	qmd_field(f, 287, 256, 0x1000);
	launch(f);
	assert_gcc_cancelled(f, CODE_VA + 0x1000, 2);
}

static void constant_not_replayable(void **state)
{
	struct fixture *f = *state;

	bench_set_vram32(f->bench, f->gr.inst + 0x200,
			 (u32)f->bench->pdb | BIT(11) | BIT(10) | BIT(4));
	prepare(f, store_kernel, 1, DATA_VA, 2);
	constants_at(f, HOLE_VA);
	launch(f);
	assert_int_equal(pending(f), 0);
	assert_fatal(f, HOLE_VA + 8, 0x0d << 8);
	recover(f);
	assert_works_again(f, 3);
}

static void global_cancel(void **state)
{
	struct fixture *f = *state;

	run(f, load_kernel, 4, HOLE_VA, 12);
	assert_int_equal(pending(f), 128);
	drain(f);
	bench_set_reg(f->bench, 0x100cbc, CANCEL_GLOBAL);
	bench_run(f->bench);
	assert_fatal(f, HOLE_VA, 1 << 8);
	recover(f);
	assert_works_again(f, 3);
	bench_set_reg(f->bench, 0x100cbc, CANCEL_GLOBAL); /* of nothing */
	bench_run(f->bench);
	assert_int_equal(bench_reg(f->bench, 0x259c), 0);
}

/* Each page is reported once, and nobody waits for it. */
static void prefetch_is_reported(void **state)
{
	struct fixture *f = *state;

	bench_map_new(f->bench, DATA_VA, 0x1000);
	run(f, prefetch_kernel, 1, DATA_VA, 2);
	assert_true(grid_done(f));
	assert_int_equal(pending(f), 0);

	run(f, prefetch_kernel, 1, HOLE_VA, 11); /* two lanes a page */
	assert_true(grid_done(f));
	assert_int_equal(bench_reg(f->bench, 0x2640) & BIT(31), 0); /* the context can leave */
	assert_int_equal(pending(f), 16);
	for (u32 i = 0; i < 16; i++)
		assert_entry(f, i, HOLE_VA + 0x1000 * i, PREFETCH, 4, 0);
	drain(f);
	replay(f);
	assert_int_equal(pending(f), 0); /* nothing of it is left */
	assert_int_equal(bench_reg(f->bench, 0x259c), 0);
	assert_others_well(f);
}

/* No hint to anywhere, be it as often as it may, harms those that wait for memory. */
static void many_prefetches(void **state)
{
	struct fixture *f = *state;
	u64 data;

	run(f, prefetch_kernel, 100, HOLE_VA, 12);
	assert_true(grid_done(f));
	assert_int_equal(pending(f), 2 * 64); /* as many as two uTLBs keep */
	drain(f);
	run(f, store_kernel, 1, HOLE_VA, 2);
	assert_int_equal(pending(f), 1);
	assert_entry(f, 2 * 64, HOLE_VA, WRITE, 1, 0);
	drain(f);
	data = bench_map_new(f->bench, HOLE_VA, 0x1000);
	replay(f);
	assert_true(grid_done(f));
	assert_int_equal(bench_vram32(f->bench, data + 4), 2);
	run(f, prefetch_kernel, 1, HOLE_VA + 0x100000, 2); /* a replay later there is room again */
	assert_int_equal(pending(f), 1);
}

/* A cancel fails the request that a warp waits for, never a hint. */
static void cancel_of_a_prefetch(void **state)
{
	struct fixture *f = *state;

	run(f, prefetch_kernel, 1, HOLE_VA, 2);
	assert_true(grid_done(f));
	assert_int_equal(pending(f), 1);
	drain(f);
	bench_set_reg(f->bench, 0x100cbc, CANCEL_TARGETED | 1 << 9);
	bench_run(f->bench);
	bench_set_reg(f->bench, 0x100cbc, CANCEL_GLOBAL);
	bench_run(f->bench);
	assert_int_equal(bench_reg(f->bench, 0x259c), 0);
	bench_map_new(f->bench, DATA_VA, 0x1000);
	run(f, store_kernel, 1, DATA_VA, 2);
	assert_true(grid_done(f));

	/* but of a client of which a warp waits, too */
	prepare(f, prefetch_store_kernel, 1, HOLE_VA, 2);
	bench_set_vram32(f->bench, f->constant + 0x10, (u32)(HOLE_VA + 0x5000));
	bench_set_vram32(f->bench, f->constant + 0x14, (u32)((HOLE_VA + 0x5000) >> 32));
	launch(f);
	assert_false(grid_done(f));
	assert_int_equal(pending(f), 2);
	assert_entry(f, 1, HOLE_VA, PREFETCH, 1, 0);
	assert_entry(f, 2, HOLE_VA + 0x5000, WRITE, 1, 0);
	drain(f);
	bench_set_reg(f->bench, 0x100cbc, CANCEL_TARGETED | 1 << 9);
	bench_run(f->bench);
	assert_fatal(f, HOLE_VA + 0x5000, 1 << 8 | WRITE << 16);
	recover(f);
	assert_works_again(f, 3);
}

/* Where faults are fatal, a hint is not. */
static void prefetch_not_replayable(void **state)
{
	struct fixture *f = *state;

	bench_set_vram32(f->bench, f->gr.inst + 0x200,
			 (u32)f->bench->pdb | BIT(11) | BIT(10) | BIT(5));
	run(f, prefetch_kernel, 1, HOLE_VA, 2);
	assert_true(grid_done(f));
	assert_int_equal(pending(f), 0);
	assert_int_equal(bench_reg(f->bench, 0x259c), 0);
}

static void not_replayable(void **state)
{
	struct fixture *f = *state;

	bench_set_vram32(f->bench, f->gr.inst + 0x200,
			 (u32)f->bench->pdb | BIT(11) | BIT(10) | BIT(5));
	run(f, store_kernel, 1, HOLE_VA + 0x18, 2);
	assert_int_equal(pending(f), 0);
	assert_fatal(f, HOLE_VA + 0x18, 1 << 8 | WRITE << 16);
	recover(f);
	assert_works_again(f, 3);
}

static void bad_addresses_of_the_front_end(void **state)
{
	struct fixture *f = *state;

	push_method(&f->gr, COMPUTE, 0x2b4, (u32)(HOLE_VA >> 8));
	push_method(&f->gr, COMPUTE, 0x2bc, 3);
	bench_kick(&f->gr);
	bench_run(f->bench);
	assert_fatal(f, HOLE_VA, 0x1d << 8 | BIT(20));
	recover(f);
	assert_works_again(f, 3);

	push_method(&f->gr, COMPUTE, 0x1b00, (u32)(HOLE_VA >> 32));
	push_method(&f->gr, COMPUTE, 0x1b04, (u32)HOLE_VA);
	push_method(&f->gr, COMPUTE, 0x1b0c, BIT(28));
	bench_kick(&f->gr);
	bench_run(f->bench);
	assert_fatal(f, HOLE_VA, 0x04 << 8 | BIT(20) | WRITE << 16);
	recover(f);
	assert_works_again(f, 4);

	prepare(f, store_kernel, 1, DATA_VA, 2);
	qmd_field(f, 767, 736, (u32)HOLE_VA);
	launch(f);
	assert_int_equal(bench_reg(f->bench, 0x259c), BIT(0));
	recover(f);
	assert_works_again(f, 5);
}

static void reset_while_stalled(void **state)
{
	struct fixture *f = *state;

	run(f, store_kernel, 8, HOLE_VA, 12);
	assert_int_equal(pending(f), 256);
	recover(f);
	/* the driver may not have looked at the entries before; what it does then is harmless */
	drain(f);
	replay(f);
	bench_set_reg(f->bench, 0x100cbc, CANCEL_GLOBAL);
	bench_run(f->bench);
	assert_int_equal(bench_reg(f->bench, 0x259c), 0);
	assert_works_again(f, 3);
}

static void semaphores_wait_for_the_grid(void **state)
{
	struct fixture *f = *state;
	u64 at = f->result + 0x400;

	prepare(f, store_kernel, 1, HOLE_VA, 2);
	push_method(&f->gr, COMPUTE, 0x2b4, (u32)(QMD_VA >> 8));
	push_method(&f->gr, COMPUTE, 0x2bc, 3);
	/* Host: one that does not wait, then one that does */
	push_method(&f->gr, 0, 0x10, (u32)((RESULT_VA + 0x400) >> 32));
	push_method(&f->gr, 0, 0x14, (u32)(RESULT_VA + 0x400));
	push_method(&f->gr, 0, 0x18, 0x11);
	push_method(&f->gr, 0, 0x1c, BIT(24) | BIT(20) | 2);
	push_method(&f->gr, 0, 0x14, (u32)(RESULT_VA + 0x404));
	push_method(&f->gr, 0, 0x1c, BIT(24) | 2);
	/* the engine's own */
	push_method(&f->gr, COMPUTE, 0x1b00, (u32)((RESULT_VA + 0x410) >> 32));
	push_method(&f->gr, COMPUTE, 0x1b04, (u32)(RESULT_VA + 0x410));
	push_method(&f->gr, COMPUTE, 0x1b08, 0x22);
	push_method(&f->gr, COMPUTE, 0x1b0c, 0);
	bench_kick(&f->gr);
	bench_run(f->bench);
	assert_int_equal(bench_vram32(f->bench, at), 0x11);
	assert_int_equal(bench_vram32(f->bench, at + 4), 0);
	assert_int_equal(bench_vram32(f->bench, at + 0x10), 0);
	drain(f);
	bench_map_new(f->bench, HOLE_VA, 0x1000);
	replay(f);
	bench_run(f->bench);
	assert_true(grid_done(f));
	assert_int_equal(bench_vram32(f->bench, at + 4), 0x11);
	assert_int_equal(bench_vram32(f->bench, at + 0x10), 0x22);
}

static void two_contexts(void **state)
{
	struct fixture *f = *state;
	struct bench_channel both[2];
	u64 data = bench_map_new(f->bench, DATA_VA, 0x1000);

	run(f, store_kernel, 1, HOLE_VA, 2);
	both[0] = f->gr;
	new_channel(f, 3);
	both[1] = f->gr;
	bench_runlist(f->bench, GR_RUNLIST, both, 2);
	bench_run(f->bench);
	/* the second wants GR, and cannot have it while a fault stalls the first */
	run(f, store_kernel, 1, DATA_VA, 2);
	assert_int_equal(bench_vram32(f->bench, data), 0);
	assert_int_equal(bench_reg(f->bench, 0x2640),
			 BIT(31) | BIT(28) | 3 << 16 | 7 << 13 | BIT(12) | 1);
	assert_others_well(f);
	drain(f);
	bench_map_new(f->bench, HOLE_VA, 0x1000);
	replay(f);
	bench_run(f->bench);
	assert_int_equal(bench_vram32(f->bench, data + 4), 2);
	assert_true(grid_done(f));
}

static void preempt_waits_for_replay(void **state)
{
	struct fixture *f = *state;

	run(f, store_kernel, 1, HOLE_VA, 2);
	bench_set_reg(f->bench, 0x2634, BIT(24) | 1);
	bench_run(f->bench);
	assert_int_equal(bench_reg(f->bench, 0x2634) & BIT(20), BIT(20));
	assert_int_equal(bench_reg(f->bench, 0x2640) & (7 << 13 | 0xfff), 6 << 13 | 1);
	drain(f);
	bench_map_new(f->bench, HOLE_VA, 0x1000);
	replay(f);
	bench_run(f->bench);
	assert_int_equal(bench_reg(f->bench, 0x2634) & BIT(20), 0);
	assert_int_equal(bench_reg(f->bench, 0x2640), 0);
	assert_true(grid_done(f));
}

static void pause(u32 us)
{
	struct timespec ts = { .tv_nsec = us * 1000L };

	nanosleep(&ts, NULL);
}

static void switch_takes_too_long(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(bench_reg(f->bench, 0x2a0c), 0x803fffff);
	bench_set_reg(f->bench, 0x2a0c, BIT(31) | 1000);
	run(f, store_kernel, 1, HOLE_VA, 2);
	pause(3000);
	bench_run(f->bench);
	assert_int_equal(bench_reg(f->bench, 0x2100) & BIT(8), 0); /* no switch is wanted */
	bench_set_reg(f->bench, 0x2634, BIT(24) | 1);
	bench_run(f->bench);
	pause(3000);
	bench_run(f->bench);
	assert_int_equal(bench_reg(f->bench, 0x2100) & BIT(8), BIT(8));
	assert_int_equal(bench_reg(f->bench, 0x254c), 0x0a);
	assert_int_equal(bench_reg(f->bench, 0x262c) & BIT(GR_RUNLIST), BIT(GR_RUNLIST));
	assert_others_well(f);
	bench_set_reg(f->bench, 0x2100, BIT(8));
	/* the driver's way out */
	bench_set_reg(f->bench, 0x2a30, BIT(8));
	assert_int_equal(bench_reg(f->bench, 0x259c), BIT(0));
	bench_set_reg(f->bench, 0x2a30, 0);
	recover(f);
	assert_int_equal(bench_reg(f->bench, 0x2634) & BIT(20), 0);
	assert_works_again(f, 3);
}

static void enable_exceptions(struct fixture *f)
{
	bench_set_reg(f->bench, 0x40013c, ~0u);
	bench_set_reg(f->bench, 0x400138, ~0u);
	bench_set_reg(f->bench, 0x400130, ~0u);
	bench_set_reg(f->bench, 0x41ac94, ~0u); /* all GPCs */
	bench_set_reg(f->bench, 0x419d0c, ~0u); /* all TPCs of all GPCs */
	bench_set_reg(f->bench, 0x419e44, 0xdffffe);
	bench_set_reg(f->bench, 0x419e4c, 0x105);
}

static void illegal_instruction(void **state)
{
	struct fixture *f = *state;

	enable_exceptions(f);
	prepare(f, store_kernel, 3, DATA_VA, 2);
	memset(f->bench->gpu->fb.vram + f->code + 8, 0, 8);
	launch(f);
	assert_false(grid_done(f));
	assert_int_equal(bench_reg(f->bench, 0x100) & BIT(12), BIT(12));
	assert_int_equal(bench_reg(f->bench, 0x400100), BIT(21));
	assert_int_equal(bench_reg(f->bench, 0x400108), BIT(24));
	assert_int_equal(bench_reg(f->bench, 0x400118), BIT(0));
	assert_int_equal(bench_reg(f->bench, 0x502c90), 3 << 16);
	assert_int_equal(bench_reg(f->bench, 0x504508), 2);
	assert_int_equal(bench_reg(f->bench, 0x504648) & 0xffff, 9);
	assert_int_equal(bench_reg(f->bench, 0x504650), BIT(2)); /* two warps of that SM */
	assert_int_equal(bench_reg(f->bench, 0x504e48) & 0xffff, 9);
	assert_int_equal(bench_reg(f->bench, 0x504e50), 0);
	assert_others_well(f);
	/* as the driver clears it */
	for (u32 tpc = 0; tpc < 0x1000; tpc += 0x800) {
		bench_set_reg(f->bench, 0x504648 + tpc, 0);
		bench_set_reg(f->bench, 0x504650 + tpc, ~0u);
	}
	assert_int_equal(bench_reg(f->bench, 0x400100), 0);
	assert_int_equal(bench_reg(f->bench, 0x100) & BIT(12), 0);
	recover(f);
	assert_works_again(f, 3);
}

/* Whoever has a program that the model cannot run reads in the log which instruction it lacks. */
static void log_names_the_encoding(void **state)
{
	const u64 dadd = UINT64_C(0x5c70000000470202); /* DADD R2, R2, R4 */
	struct fixture *f = *state;
	FILE *log = tmpfile();
	char text[4096] = "";

	assert_non_null(log);
	prepare(f, store_kernel, 1, DATA_VA, 2);
	memcpy(f->bench->gpu->fb.vram + f->code + 16, &dadd, sizeof(dadd));
	gpu_log_to(log, GPU_WARN);
	launch(f);
	gpu_log_to(stderr, GPU_ERROR);
	rewind(log);
	assert_true(fread(text, 1, sizeof(text) - 1, log) > 0);
	fclose(log);
	assert_non_null(strstr(text, "SM 0: warp 0 of CTA 0,0,0: ILLEGAL_INSTR_ENCODING at 0x10, "
				     "instruction 5c70000000470202"));
	recover(f);
	assert_works_again(f, 3);
}

static void bad_qmd(void **state)
{
	static const struct {
		unsigned int hi, lo;
		u32 value, error;
	} bad[] = {
		{ 607, 592, 0, BIT(23) },  { 607, 592, 1025, BIT(18) },
		{ 991, 984, 0, BIT(13) },  { 561, 544, 0xc004, BIT(21) },
		{ 287, 256, 8, BIT(20) },  { 951, 928, 8, BIT(9) | BIT(12) },
		{ 983, 960, 16, BIT(12) }, { 1087, 1075, 0x1fff, BIT(7) },
	};
	struct fixture *f = *state;

	enable_exceptions(f);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		prepare(f, store_kernel, 1, DATA_VA, 2);
		qmd_field(f, bad[i].hi, bad[i].lo, bad[i].value);
		launch(f);
		assert_int_equal(bench_reg(f->bench, 0x400100), BIT(21));
		assert_int_equal(bench_reg(f->bench, 0x400108), BIT(8));
		assert_int_equal(bench_reg(f->bench, 0x407020), BIT(30) | bad[i].error);
		bench_set_reg(f->bench, 0x407020, BIT(30));
		assert_int_equal(bench_reg(f->bench, 0x400100), 0);
		assert_false(grid_done(f));
	}
	/* another layout */
	prepare(f, store_kernel, 1, DATA_VA, 2);
	qmd_field(f, 583, 580, 3);
	launch(f);
	assert_int_equal(bench_reg(f->bench, 0x400100), BIT(20));
	assert_int_equal(bench_reg(f->bench, 0x400110), 4);
	bench_set_reg(f->bench, 0x400100, BIT(20));
	/* and all is well after that */
	bench_map_new(f->bench, DATA_VA, 0x1000);
	run(f, store_kernel, 1, DATA_VA, 2);
	assert_true(grid_done(f));
}

static void illegal_methods(void **state)
{
	struct fixture *f = *state;

	bench_set_reg(f->bench, 0x40013c, ~0u);
	push_method(&f->gr, COMPUTE, 0x700, 5);
	bench_kick(&f->gr);
	bench_run(f->bench);
	assert_int_equal(bench_reg(f->bench, 0x400100), BIT(4));
	assert_int_equal(bench_reg(f->bench, 0x400704), COMPUTE << 16 | 0x700);
	assert_int_equal(bench_reg(f->bench, 0x400708), 5);
	assert_int_equal(bench_reg(f->bench, 0x404204), 0xc0c0);
	bench_set_reg(f->bench, 0x400100, BIT(4));
	push_method(&f->gr, 3, 0, 0x1234);
	bench_kick(&f->gr);
	bench_run(f->bench);
	assert_int_equal(bench_reg(f->bench, 0x400100), BIT(5));
}

static void inline_to_memory(void **state)
{
	struct fixture *f = *state;
	u64 data = bench_map_new(f->bench, DATA_VA, 0x1000);

	push_method(&f->gr, COMPUTE, 0x180, 6);
	push_method(&f->gr, COMPUTE, 0x184, 2);
	push_method(&f->gr, COMPUTE, 0x188, (u32)(DATA_VA >> 32));
	push_method(&f->gr, COMPUTE, 0x18c, (u32)DATA_VA);
	push_method(&f->gr, COMPUTE, 0x190, 0x100);
	push_method(&f->gr, COMPUTE, 0x1dc, (u32)(RESULT_VA >> 32));
	push_method(&f->gr, COMPUTE, 0x1e0, (u32)RESULT_VA);
	push_method(&f->gr, COMPUTE, 0x1e4, 0x5555);
	push_method(&f->gr, COMPUTE, 0x1b0, 0x1 | 2 << 4 | BIT(12));
	push_method(&f->gr, COMPUTE, 0x1b4, 0x44332211);
	push_method(&f->gr, COMPUTE, 0x1b4, 0x88776655);
	bench_kick(&f->gr);
	bench_run(f->bench);
	assert_int_equal(bench_vram32(f->bench, f->result), 0);
	push_method(&f->gr, COMPUTE, 0x1b4, 0xccbbaa99);
	bench_kick(&f->gr);
	bench_run(f->bench);
	assert_int_equal(bench_vram32(f->bench, data), 0x44332211);
	assert_int_equal(bench_vram32(f->bench, data + 4), 0x6655);
	assert_int_equal(bench_vram32(f->bench, data + 0x100), 0xaa998877);
	assert_int_equal(bench_vram32(f->bench, data + 0x104), 0xccbb);
	assert_int_equal(bench_vram32(f->bench, f->result), 0x5555);
	/* a QMD sent along */
	prepare(f, store_kernel, 1, DATA_VA, 2);
	push_method(&f->gr, COMPUTE, 0x318, (u32)(QMD_VA >> 40));
	push_method(&f->gr, COMPUTE, 0x31c, (u32)((QMD_VA + 0x100) >> 8));
	for (u32 i = 0; i < 64; i++)
		push_method(&f->gr, COMPUTE, 0x320 + 4 * i, bench_vram32(f->bench, f->qmd + 4 * i));
	push_method(&f->gr, COMPUTE, 0x2b4, (u32)((QMD_VA + 0x100) >> 8));
	push_method(&f->gr, COMPUTE, 0x2bc, 3);
	bench_kick(&f->gr);
	bench_run(f->bench);
	assert_true(grid_done(f));
	assert_int_equal(bench_vram32(f->bench, data), 1);
}

/* System memory: bus address n is byte n of VRAM. The first access that comes does something first. */
struct system {
	struct bench *bench;
	void (*at_first)(struct system *system);
	unsigned int accesses;
	u32 reset;
	bool empty;
};

static void reset_units(struct system *system)
{
	bench_set_reg(system->bench, 0x200, ~system->reset);
	bench_set_reg(system->bench, 0x200, ~0u);
}

static void invalidate(struct system *system)
{
	bench_set_reg(system->bench, 0x100cbc, 0x80000003);
	system->empty = bench_reg(system->bench, 0x100c80) & BIT(15);
}

static void before_access(struct system *system)
{
	if (!system->accesses++ && system->at_first)
		system->at_first(system);
}

static int system_read(void *ctx, u64 addr, void *buf, size_t len)
{
	struct system *system = ctx;

	before_access(system);
	memcpy(buf, system->bench->gpu->fb.vram + addr, len);
	return 0;
}

static int system_write(void *ctx, u64 addr, const void *buf, size_t len)
{
	struct system *system = ctx;

	before_access(system);
	memcpy(system->bench->gpu->fb.vram + addr, buf, len);
	return 0;
}

static const struct bus_ops system_ops = { .dma_read = system_read, .dma_write = system_write };

static void connect(struct fixture *f, struct system *system)
{
	system->bench = f->bench;
	f->bench->gpu->bus.ops = &system_ops;
	f->bench->gpu->bus.ctx = system;
	bench_set_reg(f->bench, 0x88004, 6); /* memory, bus master */
}

/* The work of a GR that is reset while it waits for the bus is void, whoever of it waits. */
static void reset_in_the_midst(void **state)
{
	static const u32 resets[] = { BIT(12), BIT(8), BIT(12) | BIT(8) };
	static const char *const kernels[] = { load_kernel, store_kernel, reduce_kernel };

	for (unsigned int i = 0; i < ARRAY_SIZE(resets) * 7; i++) {
		struct system system = { .at_first = reset_units, .reset = resets[i / 7] };
		struct fixture *f;
		u64 data;

		teardown(state);
		setup(state);
		f = *state;
		connect(f, &system);
		data = bench_map_new(f->bench, DATA_VA, 0x1000);
		if (i % 7 < 3)
			bench_map(f->bench, DATA_VA, APERTURE_SYS_COH, data, 0x1000, 0);
		else if (i % 7 == 3)
			bench_map(f->bench, CODE_VA, APERTURE_SYS_COH, f->code, 0x1000, 0);
		else if (i % 7 == 4)
			bench_map(f->bench, CONSTANT_VA, APERTURE_SYS_COH, f->constant, 0x1000, 0);
		else if (i % 7 == 5)
			bench_map(f->bench, QMD_VA, APERTURE_SYS_COH, f->qmd, 0x1000, 0);
		else
			bench_map(f->bench, RESULT_VA, APERTURE_SYS_COH, f->result, 0x1000, 0);
		run(f, kernels[i % 3], 30, DATA_VA, 2);
		assert_true(system.accesses);
		if (system.reset & BIT(12)) {
			assert_int_equal(bench_reg(f->bench, 0x40060c), 0);
			assert_int_equal(bench_reg(f->bench, 0x2640), 0);
			assert_true(i % 7 == 6 || !grid_done(f));
		}
	}
}

/* An invalidate is complete when no access is under way with what was translated before it. */
static void invalidate_waits_for_access(void **state)
{
	struct system system = { .at_first = invalidate, .empty = true };
	struct fixture *f = *state;
	u64 data = bench_alloc(f->bench, 0x1000, 0x1000);

	connect(f, &system);
	bench_map(f->bench, DATA_VA, APERTURE_SYS_NCOH, data, 0x1000, 0);
	run(f, store_kernel, 1, DATA_VA, 2);
	assert_true(grid_done(f));
	assert_int_equal(system.accesses, 1); /* of the whole warp */
	assert_false(system.empty);
	assert_int_equal(bench_reg(f->bench, 0x100c80) & BIT(15), BIT(15));
	assert_int_equal(bench_vram32(f->bench, data + 4 * 31), 32);
}

static u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000000000 + (u64)ts.tv_nsec;
}

/* A replay that takes its time is not complete before; the next one waits for it. */
static void delayed_replay(void **state)
{
	struct fixture *f = *state;

	run(f, store_kernel, 1, HOLE_VA, 2);
	bench_map_new(f->bench, HOLE_VA, 0x1000);
	f->bench->gpu->engine.delay.mmu = 20000;
	replay(f);
	assert_false(grid_done(f));
	assert_int_equal(bench_reg(f->bench, 0x100c80) & BIT(15), 0);
	pause(20000);
	bench_run(f->bench);
	assert_int_equal(bench_reg(f->bench, 0x100c80) & BIT(15), BIT(15));
	assert_true(grid_done(f));
	run(f, store_kernel, 1, HOLE_VA + 0x1000, 2);
	assert_false(grid_done(f));
	bench_map_new(f->bench, HOLE_VA + 0x1000, 0x1000);
	replay(f);
	replay(f);
	assert_true(grid_done(f));
	assert_int_equal(bench_reg(f->bench, 0x100c80) & BIT(15), 0);
}

static void delay_and_reset_meanwhile(void **state)
{
	struct fixture *f = *state;
	u64 start = now_ns();

	bench_map_new(f->bench, DATA_VA, 0x1000);
	f->bench->gpu->engine.delay.gr = 20000;
	run(f, store_kernel, 1, DATA_VA, 2);
	assert_true(grid_done(f));
	assert_true(now_ns() - start >= 20000000);
	/* a grid that never ends, on the engine's own thread, while this one resets GR */
	f->bench->gpu->engine.delay.gr = 0;
	assert_int_equal(engine_start(f->bench->gpu), 0);
	prepare(f, spin_kernel, 100, DATA_VA, 2);
	push_method(&f->gr, COMPUTE, 0x2b4, (u32)(QMD_VA >> 8));
	push_method(&f->gr, COMPUTE, 0x2bc, 3);
	bench_kick(&f->gr);
	for (int i = 0; i < 1000 && !(bench_reg(f->bench, 0x40060c) & BIT(0)); i++)
		pause(1000);
	assert_int_equal(bench_reg(f->bench, 0x40060c), BIT(0));
	bench_set_reg(f->bench, 0x200, ~BIT(12));
	bench_set_reg(f->bench, 0x200, ~0u);
	for (int i = 0; i < 1000 && (bench_reg(f->bench, 0x40060c) & BIT(0)); i++)
		pause(1000);
	assert_int_equal(bench_reg(f->bench, 0x40060c), 0);
	engine_stop(f->bench->gpu);
}

static void bytes_are_counted(void **state)
{
	struct fixture *f = *state;
	u64 before, after;

	bench_map_new(f->bench, DATA_VA, 0x1000);
	run(f, store_kernel, 1, DATA_VA, 2);
	before = f->bench->gpu->stats.bytes[CLIENT_GR][STATS_VRAM_WRITE];
	run(f, store_kernel, 1, DATA_VA, 2);
	after = f->bench->gpu->stats.bytes[CLIENT_GR][STATS_VRAM_WRITE];
	assert_int_equal(after - before, 32 * 4 + 16); /* payload, and the semaphore */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(launch_by_pushbuffer, setup, teardown),
		cmocka_unit_test_setup_teardown(many_ctas, setup, teardown),
		cmocka_unit_test_setup_teardown(three_dimensions, setup, teardown),
		cmocka_unit_test_setup_teardown(fault_is_reported_and_replayed, setup, teardown),
		cmocka_unit_test_setup_teardown(kinds_of_access, setup, teardown),
		cmocka_unit_test_setup_teardown(a_page_a_lane, setup, teardown),
		cmocka_unit_test_setup_teardown(atomics_happen_once, setup, teardown),
		cmocka_unit_test_setup_teardown(others_go_on, setup, teardown),
		cmocka_unit_test_setup_teardown(one_buffer_entry_a_page, setup, teardown),
		cmocka_unit_test_setup_teardown(buffer_wraps_and_overflows, setup, teardown),
		cmocka_unit_test_setup_teardown(disabled_buffer_keeps_it_waiting, setup, teardown),
		cmocka_unit_test_setup_teardown(instruction_fault, setup, teardown),
		cmocka_unit_test_setup_teardown(constant_fault, setup, teardown),
		cmocka_unit_test_setup_teardown(replay_acknowledged, setup, teardown),
		cmocka_unit_test_setup_teardown(targeted_cancel, setup, teardown),
		cmocka_unit_test_setup_teardown(cancel_of_a_constant, setup, teardown),
		cmocka_unit_test_setup_teardown(cancel_of_an_instruction, setup, teardown),
		cmocka_unit_test_setup_teardown(constant_not_replayable, setup, teardown),
		cmocka_unit_test_setup_teardown(global_cancel, setup, teardown),
		cmocka_unit_test_setup_teardown(prefetch_is_reported, setup, teardown),
		cmocka_unit_test_setup_teardown(many_prefetches, setup, teardown),
		cmocka_unit_test_setup_teardown(cancel_of_a_prefetch, setup, teardown),
		cmocka_unit_test_setup_teardown(prefetch_not_replayable, setup, teardown),
		cmocka_unit_test_setup_teardown(not_replayable, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_addresses_of_the_front_end, setup, teardown),
		cmocka_unit_test_setup_teardown(reset_while_stalled, setup, teardown),
		cmocka_unit_test_setup_teardown(semaphores_wait_for_the_grid, setup, teardown),
		cmocka_unit_test_setup_teardown(two_contexts, setup, teardown),
		cmocka_unit_test_setup_teardown(preempt_waits_for_replay, setup, teardown),
		cmocka_unit_test_setup_teardown(switch_takes_too_long, setup, teardown),
		cmocka_unit_test_setup_teardown(illegal_instruction, setup, teardown),
		cmocka_unit_test_setup_teardown(log_names_the_encoding, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_qmd, setup, teardown),
		cmocka_unit_test_setup_teardown(illegal_methods, setup, teardown),
		cmocka_unit_test_setup_teardown(inline_to_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(delay_and_reset_meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(delayed_replay, setup, teardown),
		cmocka_unit_test_setup_teardown(reset_in_the_midst, setup, teardown),
		cmocka_unit_test_setup_teardown(invalidate_waits_for_access, setup, teardown),
		cmocka_unit_test_setup_teardown(bytes_are_counted, setup, teardown),
	};

	return cmocka_run_group_tests_name("compute", tests, NULL, NULL);
}
