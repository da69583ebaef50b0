/* SPDX-License-Identifier: MIT */
/* The shader core runs programs: arithmetic, divergence, barriers, atomics, faults, traps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sass.h"
#include "sm_bench.h"

/* R0 = global thread, R2:R3 = address of its word in the first parameter's array */
#define PROLOGUE                                \
	"S2R R0, SR_CTAID.X\n"                  \
	"S2R R1, SR_TID.X\n"                    \
	"XMAD.MRG R4, R0, c[0x0][0x8].H1, RZ\n" \
	"XMAD R5, R0, c[0x0][0x8], R1\n"        \
	"XMAD.PSL.CBCC R0, R0.H1, R4.H1, R5\n"  \
	"SHL R4, R0, 0x2\n"                     \
	"SHR.U32 R5, R0, 0x1e\n"                \
	"IADD R2.CC, R4, c[0x0][0x140]\n"       \
	"IADD.X R3, R5, c[0x0][0x144]\n"

static void expect_exit(struct sm_bench *bench)
{
	struct sm_warp *warp = NULL;
	enum sm_result result = sm_bench_run(bench, &warp);

	if (result == SM_TRAP)
		fail_msg("%s at %x: %016llx", sm_error_name(warp->trap.error), warp->trap.pc,
			 (unsigned long long)warp->trap.encoding);
	assert_int_equal(result, SM_EXIT);
}

static void expect_trap(const char *source, enum sm_error error)
{
	struct sm_bench *bench = sm_bench_new(source, 1, 32);
	struct sm_warp *warp = NULL;

	assert_int_equal(sm_bench_run(bench, &warp), SM_TRAP);
	assert_string_equal(sm_error_name(warp->trap.error), sm_error_name(error));
	assert_int_equal(sm_step(warp), SM_TRAP);
	free(bench);
}

/*
 * The value that lane's R0 has after the lines, with R4 .. R7 as given. P0 is true in odd lanes.
 */
static u32 lane_result(const char *lines, const u32 in[4], unsigned int lane)
{
	char source[1024];
	struct sm_bench *bench;
	u32 out;

	snprintf(source, sizeof(source),
		 "LDC.64 R4, c[0x0][0x148]\n"
		 "LDC.64 R6, c[0x0][0x150]\n"
		 "S2R R3, SR_LANEID\n"
		 "LOP.AND R2, R3, 0x1\n"
		 "ISETP.NE.AND P0, PT, R2, RZ, PT\n"
		 "%s\n"
		 "SHL R2, R3, 0x2\n"
		 "IADD R2.CC, R2, c[0x0][0x140]\n"
		 "IADD.X R3, RZ, c[0x0][0x144]\n"
		 "STG.E [R2], R0\n"
		 "EXIT\n",
		 lines);
	bench = sm_bench_new(source, 1, 32);
	for (unsigned int i = 0; i < 4; i++)
		sm_bench_param(bench, 8 + 4 * i, in[i], 4);
	expect_exit(bench);
	out = *sm_bench_word(bench, 4 * lane);
	free(bench);
	return out;
}

/* What single instructions make of R4 .. R7, by hand from what the PTX manual says. */
static const struct {
	const char *lines;
	u32 in[4], out;
} arithmetic[] = {
	{ "IADD R0, R4, R5", { 5, 7 }, 12 },
	{ "IADD R0, R4, -R5", { 5, 7 }, (u32)-2 },
	{ "IADD R0, -R4, 0x3", { 5 }, (u32)-2 },
	{ "IADD.SAT R0, R4, R5", { 0x7fffffff, 1 }, 0x7fffffff },
	{ "IADD.SAT R0, R4, R5", { 0x80000000, (u32)-1 }, 0x80000000 },
	{ "IADD RZ.CC, R4, R5\nIADD.X R0, R6, R7", { 0xffffffff, 1, 2, 3 }, 6 },
	{ "IADD RZ.CC, R4, -R5\nIADD.X R0, R6, -R7", { 0, 1, 5, 3 }, 1 },
	{ "IADD RZ.CC, R4, -R5\nIADD.X R0, R6, -R7", { 1, 1, 5, 3 }, 2 },
	{ "IADD32I R0, R4, -0x10000000", { 0x20000000 }, 0x10000000 },
	{ "IADD3 R0, R4, R5, -R6", { 10, 20, 3 }, 27 },
	{ "IADD3 RZ.CC, R4, R5, R6\nIADD3.X R0, R7, RZ, RZ",
	  { 0xffffffff, 0xffffffff, 0xffffffff, 7 },
	  9 },
	{ "IADD3.RS R0, R4, R5, R6", { 0x10000, 0x20000, 5 }, 8 },
	{ "IADD3 R0, R4.H1, R5.H0, RZ", { 0x00050001, 0x00070002 }, 7 },
	{ "ISCADD R0, R4, R5, 0x3", { 5, 7 }, 47 },
	{ "ISCADD R0, -R4, R5, 0x1", { 5, 7 }, (u32)-3 },
	{ "LEA R0, R4, R5, 0x4", { 5, 7 }, 87 },
	{ "LEA RZ.CC, R4, R6, 0x4\nLEA.HI.X R0, R4, R7, R5, 0x4",
	  { 0xf0000000, 1, 0x20000000, 9 },
	  9 + 0x1f },
	{ "XMAD R0, R4, R5, R6", { 0x10003, 0x20005, 100 }, 115 },
	{ "XMAD R0, R4.H1, R5.H1, R6", { 0x10003, 0x20005, 100 }, 102 },
	{ "XMAD.S16.S16 R0, R4, R5, RZ", { 0xffff, 5 }, (u32)-5 },
	{ "XMAD.PSL R0, R4, R5, R6", { 3, 5, 1 }, (15 << 16) + 1 },
	{ "XMAD.CHI R0, R4, R5, R6", { 3, 5, 0x70001 }, 22 },
	{ "XMAD.CLO R0, R4, R5, R6", { 3, 5, 0x70001 }, 16 },
	/* 32 by 32 bits, as compilers do it */
	{ "XMAD R0, R4, R5, RZ\nXMAD.MRG R6, R4, R5.H1, RZ\nXMAD.PSL.CBCC R0, R4.H1, R6.H1, R0",
	  { 0x12345678, 0x9abcdef1 },
	  (u32)(0x12345678u * 0x9abcdef1u) },
	{ "IMUL R0, R4, R5", { 0x12345, 0x6789a }, (u32)(0x12345u * 0x6789au) },
	{ "IMUL.U32.U32.HI R0, R4, R5", { 0xffffffff, 0xffffffff }, 0xfffffffe },
	{ "IMUL.HI R0, R4, R5", { 0xffffffff, 0xffffffff }, 0 },
	{ "IMAD R0, R4, R5, R6", { 7, 6, 1 }, 43 },
	{ "IMNMX R0, R4, R5, PT", { (u32)-1, 1 }, (u32)-1 },
	{ "IMNMX.U32 R0, R4, R5, PT", { (u32)-1, 1 }, 1 },
	{ "IMNMX R0, R4, R5, !PT", { (u32)-1, 1 }, 1 },
	{ "SHL R0, R4, R5", { 1, 31 }, 0x80000000 },
	{ "SHL R0, R4, R5", { 1, 32 }, 0 },
	{ "SHL.W R0, R4, R5", { 1, 33 }, 2 },
	{ "SHR R0, R4, 0x4", { 0x80000000 }, 0xf8000000 },
	{ "SHR.U32 R0, R4, 0x4", { 0x80000000 }, 0x08000000 },
	{ "SHR R0, R4, R5", { 0x80000000, 40 }, 0xffffffff },
	{ "SHF.L.U64 R0, R4, 0x8, R5", { 0x12345678, 0x9abcdef0 }, 0xbcdef012 },
	{ "SHF.R.U64 R0, R4, 0x8, R5", { 0x12345678, 0x9abcdef0 }, 0xf0123456 },
	{ "SHF.R.U64 R0, R4, R6, R5", { 0x12345678, 0x9abcdef0, 36 }, 0x09abcdef },
	{ "SHF.R.S64 R0, R4, R6, R5", { 0x12345678, 0x9abcdef0, 63 }, 0xffffffff },
	{ "SHF.L.W R0, R4, 0x10, R4", { 0x12345678 }, 0x56781234 },
	{ "BFE.U32 R0, R4, 0x808", { 0x12345678 }, 0x56 },
	{ "BFE R0, R4, 0x810", { 0x12f45678 }, 0xfffffff4 },
	{ "BFE R0, R4, 0x818", { 0x82345678 }, 0xffffff82 },
	{ "BFE R0, R4, 0x1018", { 0x82345678 }, 0xffffff82 },
	{ "BFE.U32.BREV R0, R4, 0x2000", { 0x80000001 }, 0x80000001 },
	{ "BFI R0, R4, 0x808, R5", { 0xab, 0x11111111 }, 0x1111ab11 },
	{ "FLO.U32 R0, R4", { 0x00010000 }, 16 },
	{ "FLO.U32 R0, R4", { 0 }, 0xffffffff },
	{ "FLO.U32.SH R0, R4", { 0x00010000 }, 15 },
	{ "POPC R0, ~R4", { 0x0000ffff }, 16 },
	{ "LOP.XOR R0, R4, ~R5", { 0xff00ff00, 0x0ff00ff0 }, 0x0f0f0f0f },
	{ "LOP.PASS_B R0, RZ, ~R4", { 0x12345678 }, 0xedcba987 },
	{ "LOP32I.OR R0, R4, 0x80000001", { 0x10 }, 0x80000011 },
	{ "LOP3.LUT R0, R4, R5, R6, 0xe8", { 0xf0f0f0f0, 0xff00ff00, 0xaaaaaaaa }, 0xfaa0faa0 },
	{ "LOP3.LUT R0, R4, R5, R6, 0x96", { 1, 2, 4 }, 7 },
	{ "PRMT R0, R4, 0x1054, R5", { 0x33221100, 0x77665544 }, 0x11005544 },
	{ "PRMT R0, R4, 0x8, R5", { 0x33221180 }, 0x808080ff },
	{ "SEL R0, R4, R5, P0", { 1, 2 }, 1 },
	{ "SEL R0, R4, R5, !P0", { 1, 2 }, 2 },
	{ "MOV32I R0, 0xdeadbeef", { 0 }, 0xdeadbeef },
	{ "I2I.S32.S8 R0, R4.B1", { 0x0000ff00 }, 0xffffffff },
	{ "I2I.U8.S32.SAT R0, R4", { 300 }, 255 },
	{ "I2I.U8.S32.SAT R0, R4", { (u32)-3 }, 0 },
	{ "I2I.S32.S32 R0, |R4|", { (u32)-3 }, 3 },
	{ "ISET.LT.AND R0, R4, R5, PT", { (u32)-1, 1 }, 0xffffffff },
	{ "ISET.LT.U32.AND R0, R4, R5, PT", { (u32)-1, 1 }, 0 },
	{ "ISET.BF.GE.AND R0, R4, R5, PT", { 2, 2 }, 0x3f800000 },
	{ "ISET.LT.OR R0, R4, R5, P0", { 2, 2 }, 0xffffffff },
	{ "ICMP.LT R0, R4, R5, R6", { 10, 20, (u32)-1 }, 10 },
	{ "ICMP.LT R0, R4, R5, R6", { 10, 20, 1 }, 20 },
	/* 64 bit comparison: lower halves by subtraction, upper with .X */
	{ "IADD RZ.CC, R4, -R5\nISETP.LT.U32.X.AND P1, PT, R6, R7, PT\nSEL R0, R4, RZ, P1",
	  { 1, 2, 3, 3 },
	  1 },
	{ "IADD RZ.CC, R4, -R5\nISETP.LT.U32.X.AND P1, PT, R6, R7, PT\nSEL R0, R4, RZ, P1",
	  { 2, 2, 3, 3 },
	  0 },
	{ "IADD RZ.CC, R4, -R5\nISETP.GE.X.AND P1, PT, R6, R7, PT\nSEL R0, R4, RZ, P1",
	  { 9, 2, (u32)-4, (u32)-3 },
	  0 },
	{ "ISETP.GT.AND P1, P2, R4, R5, PT\nSEL R0, R4, R5, P1\nSEL R0, R0, RZ, !P2", { 9, 2 }, 9 },
	{ "PSETP.AND.OR P1, PT, P0, !P0, !PT\nSEL R0, R4, R5, P1", { 1, 2 }, 2 },
	{ "PSETP.XOR.AND P1, PT, P0, PT, PT\nSEL R0, R4, R5, P1", { 1, 2 }, 2 },
	{ "P2R R0, PR, RZ, 0x1", { 0 }, 1 },
	{ "P2R.B1 R0, PR, R4, 0x1", { 0x12345678 }, 0x12345778 },
	{ "R2P PR, R4, 0x7e\nSEL R0, R4, RZ, P3", { 8 }, 8 },
	{ "ISET.EQ.AND RZ.CC, R4, R5, PT\nCSETP.NEU.AND P1, PT, CC, PT\nSEL R0, R6, R7, P1",
	  { 3, 3, 1, 2 },
	  1 },
	{ "LOP.AND.NZ P1, RZ, R4, R5\nSEL R0, R6, R7, P1", { 1, 2, 3, 4 }, 4 },
	{ "VOTE.ANY R0, PT, P0", { 0 }, 0xaaaaaaaa },
	{ "VOTE.ALL P1, P0\nSEL R0, R4, R5, P1", { 1, 2 }, 2 },
	{ "SHFL.IDX PT, R0, R3, 0x3, 0x1f", { 0 }, 3 },
	{ "SHFL.BFLY PT, R0, R3, 0x1, 0x1f", { 0 }, 6 },
	{ "SHFL.UP P1, R0, R3, 0x8, 0x0", { 0 }, 7 },
	{ "SHFL.DOWN P1, R0, R3, 0x2, 0x1f", { 0 }, 9 },
	{ "FADD R0, R4, R5", { 0x3f800000, 0x40000000 }, 0x40400000 },
	{ "FADD R0, -|R4|, 0.5", { 0xbf800000 }, 0xbf000000 },
	{ "FMUL R0, R4, R5", { 0x40000000, 0x40400000 }, 0x40c00000 },
	{ "FFMA R0, R4, R5, -R6", { 0x40000000, 0x40400000, 0x3f800000 }, 0x40a00000 },
	{ "FADD.RZ R0, R4, R5", { 0x3f800000, 0xa0000000 }, 0x3f7fffff },
	{ "FADD R0, R4, R5", { 0x3f800000, 0xa0000000 }, 0x3f800000 },
	{ "FADD.FTZ R0, R4, RZ", { 0x00000001 }, 0 },
	{ "FSETP.LT.AND P1, PT, R4, R5, PT\nSEL R0, R6, R7, P1", { 0x7fc00000, 0, 1, 2 }, 2 },
	{ "FSETP.GEU.AND P1, PT, R4, R5, PT\nSEL R0, R6, R7, P1", { 0x7fc00000, 0, 1, 2 }, 1 },
	{ "MUFU.RCP R0, R4", { 0x40800000 }, 0x3e800000 },
	{ "I2F.F32.S32 R0, R4", { (u32)-2 }, 0xc0000000 },
	{ "I2F.F32.U32.RP R0, R4", { 0x01000001 }, 0x4b800001 },
	{ "F2I.S32.F32.TRUNC R0, R4", { 0xc0200000 }, (u32)-2 },
	{ "F2I.S32.F32.FLOOR R0, R4", { 0xc0200000 }, (u32)-3 },
	{ "F2I.U32.F32.TRUNC R0, R4", { 0x7f800000 }, 0xffffffff },
};

static void test_arithmetic(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(arithmetic); i++) {
		u32 out = lane_result(arithmetic[i].lines, arithmetic[i].in, 7);

		if (out != arithmetic[i].out)
			fail_msg("%s: %08x, not %08x", arithmetic[i].lines, out, arithmetic[i].out);
	}
}

/* The guard and inactive lanes: only odd ones add. */
static void test_predicated(void **state)
{
	const u32 in[4] = { 5, 7 };

	(void)state;
	assert_int_equal(lane_result("MOV R0, R4\n@P0 IADD R0, R4, R5", in, 7), 12);
	assert_int_equal(lane_result("MOV R0, R4\n@P0 IADD R0, R4, R5", in, 6), 5);
	assert_int_equal(lane_result("MOV R0, R4\n@!P0 IADD R0, R4, R5", in, 6), 12);
}

static void test_vector_add(void **state)
{
	struct sm_bench *bench =
		sm_bench_new(PROLOGUE "ISETP.GE.AND P0, PT, R0, c[0x0][0x158], PT\n"
				      "@P0 EXIT\n"
				      "IADD R6.CC, R4, c[0x0][0x148]\n"
				      "IADD.X R7, R5, c[0x0][0x14c]\n"
				      "IADD R8.CC, R4, c[0x0][0x150]\n"
				      "IADD.X R9, R5, c[0x0][0x154]\n"
				      "LDG.E R10, [R2]\n"
				      "LDG.E R11, [R6]\n"
				      "IADD R10, R10, R11\n"
				      "STG.E [R8], R10\n"
				      "EXIT\n"
				      "BRA 0x100\n",
			     5, 96);
	const unsigned int n = 450;

	(void)state;
	sm_bench_param(bench, 8, SM_BENCH_VA + 0x2000, 8);
	sm_bench_param(bench, 16, SM_BENCH_VA + 0x4000, 8);
	sm_bench_param(bench, 24, n, 4);
	for (unsigned int i = 0; i < n; i++) {
		*sm_bench_word(bench, 4 * i) = i;
		*sm_bench_word(bench, 0x2000 + 4 * i) = 1000 * i;
	}
	expect_exit(bench);
	for (unsigned int i = 0; i < n; i++)
		assert_int_equal(*sm_bench_word(bench, 0x4000 + 4 * i), 1001 * i);
	assert_int_equal(*sm_bench_word(bench, 0x4000 + 4 * n), 0);
	assert_int_equal(bench->loads, 2 * n);
	assert_int_equal(bench->stores, n);
	free(bench);
}

/* Every width, with its sign, from every kind of memory. */
static void test_widths(void **state)
{
	static const struct {
		const char *load, *store;
		u32 out[4];
	} cases[] = {
		{ ".U8", ".U8", { 0x81 } },
		{ ".S8", ".S8", { 0xffffff81 } },
		{ ".U16", ".U16", { 0x8281 } },
		{ ".S16", ".S16", { 0xffff8281 } },
		{ "", "", { 0x84838281 } },
		{ ".64", ".64", { 0x84838281, 0x88878685 } },
		{ ".128", ".128", { 0x84838281, 0x88878685, 0x8c8b8a89, 0x908f8e8d } },
	};
	static const struct {
		const char *address, *load, *store, *close;
	} spaces[] = {
		{ "IADD R4, R2, 0x20\nMOV R5, R3", "LDG.E%s R8, [R2]", "STG.E%s [R4], R12", "" },
		{ "IADD R4, R2, 0x20\nMOV R5, R3", "LD.E%s R8, [R2], P0", "ST.E%s [R4], R12, P0",
		  "" },
		{ "MOV R4, 0x20\nMOV R5, RZ", "LDS%s R8, [R4+-0x20]", "STS%s [R4], R12", "S" },
		{ "MOV R4, 0x20\nMOV R5, RZ", "LDL%s R8, [R4+-0x20]", "STL%s [R4], R12", "L" },
		/* through the windows */
		{ "MOV32I R4, 0x1000020\nMOV R5, RZ", "LD.E%s R8, [R4+-0x20], P0",
		  "ST.E%s [R4], R12, P0", "S" },
		{ "MOV32I R4, 0x2000020\nMOV R5, RZ", "LD.E%s R8, [R4+-0x20], P0",
		  "ST.E%s [R4], R12, P0", "L" },
	};

	(void)state;
	for (size_t s = 0; s < ARRAY_SIZE(spaces); s++)
		for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
			char source[1024], load[64], store[64];
			struct sm_bench *bench;
			u8 *from;

			snprintf(load, sizeof(load), spaces[s].load, cases[i].load);
			snprintf(store, sizeof(store), spaces[s].store, cases[i].store);
			snprintf(source, sizeof(source),
				 "MOV R2, c[0x0][0x140]\nMOV R3, c[0x0][0x144]\n%s\n%s\n"
				 "MOV R12, R8\nMOV R13, R9\nMOV R14, R10\nMOV R15, R11\n%s\n"
				 "STG.E.128 [R2+0x100], R12\nEXIT\n",
				 spaces[s].address, load, store);
			bench = sm_bench_new(source, 1, 1);
			from = *spaces[s].close == 'S'	 ? bench->shared
			       : *spaces[s].close == 'L' ? bench->local[0]
							 : bench->memory;
			for (unsigned int n = 0; n < 16; n++)
				from[n] = (u8)(0x81 + n);
			expect_exit(bench);
			assert_memory_equal(sm_bench_word(bench, 0x100), cases[i].out, 16);
			/* the store wrote its bytes and no more */
			assert_memory_equal(from + 0x20, from,
					    i < 2   ? 1
					    : i < 4 ? 2
						    : 4u << (i - 4));
			assert_int_equal(from[0x20 + (i < 2 ? 1 : i < 4 ? 2 : 4u << (i - 4))], 0);
			free(bench);
		}
}

/* Each lane counts down from its number in a loop of its own length; then all meet. */
static void test_divergent_loop(void **state)
{
	struct sm_bench *bench = sm_bench_new(PROLOGUE "MOV R6, RZ\n"
						       "MOV R7, R1\n"
						       "SSY done\n"
						       "loop:\n"
						       "ISETP.EQ.AND P0, PT, R7, RZ, PT\n"
						       "@P0 SYNC\n"
						       "IADD R6, R6, R7\n"
						       "IADD R7, R7, -0x1\n"
						       "BRA loop\n"
						       "done:\n"
						       "VOTE.ALL R8, PT, PT\n"
						       "ISETP.EQ.AND P1, PT, R8, -0x1, PT\n"
						       "@P1 STG.E [R2], R6\n"
						       "EXIT\n",
					      1, 32);

	(void)state;
	expect_exit(bench);
	for (unsigned int i = 0; i < 32; i++)
		assert_int_equal(*sm_bench_word(bench, 4 * i), i * (i + 1) / 2);
	free(bench);
}

/* if/else inside if, each way once, and all lanes together again after each. */
static void test_nested_branches(void **state)
{
	struct sm_bench *bench = sm_bench_new(PROLOGUE "LOP.AND R6, R1, 0x1\n"
						       "LOP.AND R7, R1, 0x2\n"
						       "ISETP.NE.AND P0, PT, R6, RZ, PT\n"
						       "ISETP.NE.AND P1, PT, R7, RZ, PT\n"
						       "SSY outer\n"
						       "@P0 BRA odd\n"
						       "MOV R8, 0x10\n"
						       "SYNC\n"
						       "odd:\n"
						       "SSY inner\n"
						       "@P1 BRA three\n"
						       "MOV R8, 0x20\n"
						       "SYNC\n"
						       "three:\n"
						       "MOV R8, 0x30\n"
						       "SYNC\n"
						       "inner:\n"
						       "VOTE.ALL R9, PT, PT\n"
						       "SYNC\n"
						       "outer:\n"
						       "VOTE.ALL R10, PT, PT\n"
						       "IADD R8, R8, R9\n"
						       "ISETP.EQ.AND P2, PT, R10, -0x1, PT\n"
						       "@P2 STG.E [R2], R8\n"
						       "EXIT\n",
					      1, 32);

	(void)state;
	expect_exit(bench);
	for (unsigned int i = 0; i < 32; i++)
		assert_int_equal(*sm_bench_word(bench, 4 * i),
				 i & 1 ? (i & 2 ? 0x30 : 0x20) + 0xaaaaaaaa : 0x10);
	free(bench);
}

/* Lanes leave a loop by BRK out of an inner SSY, skip by CONT, return, and exit one by one. */
static void test_break_continue_call(void **state)
{
	struct sm_bench *bench = sm_bench_new(PROLOGUE "MOV R6, RZ\n"
						       "MOV R7, RZ\n"
						       "PBK out\n"
						       "loop:\n"
						       "PCNT next\n"
						       "ISETP.GE.AND P0, PT, R6, R1, PT\n"
						       "SSY inner\n"
						       "@P0 BRK\n"
						       "SYNC\n"
						       "inner:\n"
						       "IADD R6, R6, 0x1\n"
						       "LOP.AND R8, R6, 0x1\n"
						       "ISETP.NE.AND P1, PT, R8, RZ, PT\n"
						       "@P1 CONT\n"
						       "IADD R7, R7, R6\n"
						       "CONT\n"
						       "next:\n"
						       "BRA loop\n"
						       "out:\n"
						       "VOTE.ALL R9, PT, PT\n"
						       "CAL function\n"
						       "STG.E [R2], R7\n"
						       "EXIT\n"
						       "function:\n"
						       "ISETP.GT.AND P2, PT, R1, 0xf, PT\n"
						       "@P2 RET\n"
						       "IADD R7, R7, R9\n"
						       "RET\n",
					      1, 32);

	(void)state;
	expect_exit(bench);
	for (unsigned int i = 0; i < 32; i++) {
		unsigned int even = i / 2 * (i / 2 + 1);

		assert_int_equal(*sm_bench_word(bench, 4 * i), i > 15 ? even : even - 1);
	}
	free(bench);
}

/* A table of addresses, and lanes that go to different ones. */
static void test_indirect_branch(void **state)
{
	struct sm_bench *bench = sm_bench_new(PROLOGUE "LOP.AND R6, R1, 0x3\n"
						       "SHL R6, R6, 0x5\n" /* a bundle each */
						       "SSY done\n" /* 0x60: fills the bundle */
						       "NOP\n"
						       "NOP\n"
						       "BRX R6 0x0\n" /* last of its bundle */
						       "MOV R7, 0x1\nSYNC\nNOP\n"
						       "MOV R7, 0x2\nSYNC\nNOP\n"
						       "MOV R7, 0x3\nSYNC\nNOP\n"
						       "MOV R7, 0x4\nSYNC\nNOP\n"
						       "done:\n"
						       "STG.E [R2], R7\n"
						       "EXIT\n",
					      1, 32);

	(void)state;
	expect_exit(bench);
	for (unsigned int i = 0; i < 32; i++)
		assert_int_equal(*sm_bench_word(bench, 4 * i), 1 + i % 4);
	free(bench);
}

/* Contention: all threads of all CTAs at one counter; what each got is another number. */
static void test_atomic_counter(void **state)
{
	struct sm_bench *bench = sm_bench_new(PROLOGUE "MOV R6, c[0x0][0x148]\n"
						       "MOV R7, c[0x0][0x14c]\n"
						       "MOV R8, 0x1\n"
						       "ATOM.E.ADD R9, [R6], R8\n"
						       "RED.E.ADD [R6+0x4], R0\n"
						       "RED.E.MAX [R6+0x8], R0\n"
						       "STG.E [R2], R9\n"
						       "EXIT\n",
					      4, 64);
	bool seen[256] = { false };

	(void)state;
	sm_bench_param(bench, 8, SM_BENCH_VA + 0x8000, 8);
	bench->absent[8] = true;
	bench->absent[0] = true;
	expect_exit(bench);
	assert_int_equal(bench->faults, 2);
	assert_int_equal(*sm_bench_word(bench, 0x8000), 256);
	assert_int_equal(*sm_bench_word(bench, 0x8004), 255 * 128);
	assert_int_equal(*sm_bench_word(bench, 0x8008), 255);
	assert_int_equal(bench->atomics, 3 * 256);
	for (unsigned int i = 0; i < 256; i++) {
		u32 got = *sm_bench_word(bench, 4 * i);

		assert_in_range(got, 0, 255);
		assert_false(seen[got]);
		seen[got] = true;
	}
	free(bench);
}

static void test_atomic_operations(void **state)
{
	static const struct {
		enum sm_atomic_op op;
		enum sm_atomic_type type;
		u64 old, value, compare, result;
	} cases[] = {
		{ SM_ATOM_ADD, SM_ATOM_U32, 0xffffffff, 2, 0, 1 },
		{ SM_ATOM_ADD, SM_ATOM_U64, 0xffffffff, 2, 0, UINT64_C(0x100000001) },
		{ SM_ATOM_ADD, SM_ATOM_F32, 0x3f800000, 0x40000000, 0, 0x40400000 },
		{ SM_ATOM_MIN, SM_ATOM_U32, 0xffffffff, 2, 0, 2 },
		{ SM_ATOM_MIN, SM_ATOM_S32, 0xffffffff, 2, 0, 0xffffffff },
		{ SM_ATOM_MAX, SM_ATOM_S64, ~UINT64_C(0), 2, 0, 2 },
		{ SM_ATOM_MAX, SM_ATOM_U64, ~UINT64_C(0), 2, 0, ~UINT64_C(0) },
		{ SM_ATOM_INC, SM_ATOM_U32, 6, 7, 0, 7 },
		{ SM_ATOM_INC, SM_ATOM_U32, 7, 7, 0, 0 },
		{ SM_ATOM_DEC, SM_ATOM_U32, 0, 7, 0, 7 },
		{ SM_ATOM_DEC, SM_ATOM_U32, 9, 7, 0, 7 },
		{ SM_ATOM_DEC, SM_ATOM_U32, 3, 7, 0, 2 },
		{ SM_ATOM_AND, SM_ATOM_U32, 12, 10, 0, 8 },
		{ SM_ATOM_OR, SM_ATOM_U32, 12, 10, 0, 14 },
		{ SM_ATOM_XOR, SM_ATOM_U64, 12, 10, 0, 6 },
		{ SM_ATOM_EXCH, SM_ATOM_U32, 12, 10, 0, 10 },
		{ SM_ATOM_CAS, SM_ATOM_U32, 12, 10, 12, 10 },
		{ SM_ATOM_CAS, SM_ATOM_U64, 12, 10, 13, 12 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool wide = cases[i].type == SM_ATOM_U64 || cases[i].type == SM_ATOM_S64;
		struct sm_access access = { .type = SM_ATOMIC,
					    .bytes = wide ? 8 : 4,
					    .op = cases[i].op,
					    .atomic_type = cases[i].type };

		access.data[3][0] = (u32)cases[i].value;
		access.compare[3] = cases[i].compare;
		assert_int_equal(sm_atomic_result(&access, 3, cases[i].old), cases[i].result);
	}
}

/* CAS in global and shared memory, both widths: what was there comes back. */
static void test_compare_and_swap(void **state)
{
	struct sm_bench *bench = sm_bench_new("MOV R2, c[0x0][0x140]\nMOV R3, c[0x0][0x144]\n"
					      "MOV R4, 0x5\nMOV R5, 0x9\n"
					      "ATOM.E.CAS R6, [R2], R4, R5\n"
					      "ATOM.E.CAS R7, [R2], R4, R5\n"
					      "STG.E.64 [R2+0x10], R6\n"
					      "LDG.E.64 R8, [R2+0x20]\n"
					      "MOV R10, 0x1\nMOV R11, 0x2\n"
					      "ATOM.E.CAS.64 R12, [R2+0x20], R8, R10\n"
					      "STG.E.64 [R2+0x28], R12\n"
					      "MOV R4, RZ\n"
					      "ATOMS.CAS R14, [0x8], R4, R5\n"
					      "EXIT\n",
					      1, 1);
	u64 *wide = (u64 *)(void *)sm_bench_word(bench, 0x20);

	(void)state;
	*sm_bench_word(bench, 0) = 5;
	wide[0] = UINT64_C(0x123456789abcdef0);
	expect_exit(bench);
	assert_int_equal(*sm_bench_word(bench, 0), 9);
	assert_int_equal(*sm_bench_word(bench, 0x10), 5);
	assert_int_equal(*sm_bench_word(bench, 0x14), 9);
	assert_int_equal(wide[0], UINT64_C(0x200000001));
	assert_int_equal(wide[1], UINT64_C(0x123456789abcdef0));
	assert_int_equal(bench->shared[8], 9);
	free(bench);
}

/* A block of 16 by 16 words is transposed through shared memory; warps meet at a barrier. */
static void test_transpose(void **state)
{
	struct sm_bench *bench = sm_bench_new(PROLOGUE "SHL R6, R1, 0x2\n"
						       "LDG.E R7, [R2]\n"
						       "STS [R6], R7\n"
						       "BAR.SYNC 0x0\n"
						       "LOP.AND R8, R1, 0xf\n"
						       "SHR.U32 R9, R1, 0x4\n"
						       "ISCADD R8, R8, R9, 0x4\n"
						       "SHL R8, R8, 0x2\n"
						       "LDS R7, [R8]\n"
						       "STG.E [R2], R7\n"
						       "EXIT\n",
					      1, 256);

	(void)state;
	for (unsigned int i = 0; i < 256; i++)
		*sm_bench_word(bench, 4 * i) = i;
	expect_exit(bench);
	for (unsigned int i = 0; i < 256; i++)
		assert_int_equal(*sm_bench_word(bench, 4 * i), i % 16 * 16 + i / 16);
	free(bench);
}

/* A sum over a CTA: a tree in shared memory, a barrier a level, then one lane writes. */
static void test_reduction(void **state)
{
	struct sm_bench *bench = sm_bench_new("S2R R0, SR_TID.X\n"
					      "SHL R1, R0, 0x2\n"
					      "STS [R1], R0\n"
					      "MOV R4, 0x200\n"
					      "loop:\n"
					      "BAR.SYNC 0x0\n"
					      "ISETP.LT.AND P0, PT, R1, R4, PT\n"
					      "IADD R5, R1, R4\n"
					      "@P0 LDS R6, [R5]\n"
					      "@P0 LDS R7, [R1]\n"
					      "@P0 IADD R7, R7, R6\n"
					      "@P0 STS [R1], R7\n"
					      "SHR.U32 R4, R4, 0x1\n"
					      "ISETP.GT.AND P1, PT, R4, 0x2, PT\n"
					      "@P1 BRA loop\n"
					      "BAR.SYNC 0x0\n"
					      "ISETP.NE.AND P2, PT, R0, RZ, PT\n"
					      "@P2 EXIT\n"
					      "MOV R2, c[0x0][0x140]\nMOV R3, c[0x0][0x144]\n"
					      "LDS R7, [RZ]\n"
					      "STG.E [R2], R7\n"
					      "EXIT\n",
					      1, 256);

	(void)state;
	expect_exit(bench);
	assert_int_equal(*sm_bench_word(bench, 0), 255 * 128);
	free(bench);
}

/* Barriers that reduce, that only some warps use, that do not wait, and exited warps. */
static void test_barriers(void **state)
{
	struct sm_bench *bench = sm_bench_new(PROLOGUE "ISETP.LT.AND P0, PT, R1, 0x25, PT\n"
						       "BAR.RED.POPC 0x0, P0\n"
						       "B2R.RESULT R6\n"
						       "BAR.RED.AND 0x1, P0\n"
						       "B2R.RESULT RZ, P1\n"
						       "BAR.RED.OR 0x2, P0\n"
						       "B2R.RESULT RZ, P2\n"
						       "@P1 IADD R6, R6, 0x64\n"
						       "@P2 IADD R6, R6, 0x3e8\n"
						       "STG.E [R2], R6\n"
						       "ISETP.LT.AND P3, PT, R1, 0x20, PT\n"
						       "@P3 EXIT\n"
						       "BAR.SYNC 0x0\n"
						       "ISETP.LT.AND P4, PT, R1, 0x40, PT\n"
						       "@P4 BRA arrive\n"
						       "BAR.SYNC 0x3, 0x40\n"
						       "EXIT\n"
						       "arrive:\n"
						       "BAR.ARRIVE 0x3, 0x40\n"
						       "EXIT\n",
					      1, 96);
	struct sm_warp *warp;

	(void)state;
	expect_exit(bench);
	for (unsigned int i = 0; i < 96; i++)
		assert_int_equal(*sm_bench_word(bench, 4 * i), 1037);
	free(bench);

	bench = sm_bench_new("BAR.SYNC 0x0, 0x60\nEXIT\n", 1, 64);
	assert_int_equal(sm_bench_run(bench, &warp), SM_WAIT);
	free(bench);
}

/* Lanes of a strided store touch a page each; each is done once, whatever was absent. */
static void test_fault_and_replay(void **state)
{
	struct sm_bench *bench = sm_bench_new("S2R R0, SR_TID.X\n"
					      "SHL R4, R0, 0xc\n"
					      "IADD R2.CC, R4, c[0x0][0x140]\n"
					      "IADD.X R3, RZ, c[0x0][0x144]\n"
					      "MOV R5, 0x1\n"
					      "ATOM.E.ADD R6, [R2], R5\n"
					      "LDG.E.64 R2, [R2]\n"
					      "EXIT\n",
					      1, 32);
	struct sm_warp *warp = &bench->warp[0];

	(void)state;
	for (unsigned int i = 0; i < 32; i++) {
		bench->absent[i] = i % 3 == 1;
		*sm_bench_word(bench, SM_BENCH_PAGE * i) = 100 * i;
		*sm_bench_word(bench, SM_BENCH_PAGE * i + 4) = i;
	}
	sm_bench_start(bench, 0);
	while (sm_step(warp) == SM_CONTINUE)
		continue;
	assert_int_equal(warp->fault.type, SM_ATOMIC);
	assert_int_equal(warp->fault.va, SM_BENCH_VA + SM_BENCH_PAGE);
	assert_int_equal(warp->access.lanes, 0x92492492);
	assert_int_equal(bench->atomics, 21);
	/* a replay that helps nobody changes nothing */
	assert_int_equal(sm_step(warp), SM_FAULT);
	assert_int_equal(bench->atomics, 21);
	bench->absent[1] = false;
	bench->absent[31] = false;
	assert_int_equal(sm_step(warp), SM_FAULT);
	assert_int_equal(bench->atomics, 23);
	assert_int_equal(warp->fault.va, SM_BENCH_VA + 4 * SM_BENCH_PAGE);
	memset(bench->absent, 0, sizeof(bench->absent));
	bench->absent[5] = true;
	assert_int_equal(sm_step(warp), SM_CONTINUE);
	assert_int_equal(bench->atomics, 32);
	/* a load over its own address */
	assert_int_equal(sm_step(warp), SM_FAULT);
	assert_int_equal(warp->fault.type, SM_LOAD);
	bench->absent[5] = false;
	assert_int_equal(sm_step(warp), SM_CONTINUE);
	for (unsigned int i = 0; i < 32; i++) {
		assert_int_equal(*sm_bench_word(bench, SM_BENCH_PAGE * i), 100 * i + 1);
		assert_int_equal(warp->r[6][i], 100 * i);
		assert_int_equal(warp->r[2][i], 100 * i + 1);
		assert_int_equal(warp->r[3][i], i);
	}
	assert_int_equal(sm_step(warp), SM_EXIT);
	assert_int_equal(sm_step(warp), SM_EXIT);
	free(bench);
}

/* Instructions and constants can be absent, too. */
static void test_fetch_fault(void **state)
{
	struct sm_bench *bench = sm_bench_new(PROLOGUE "LDC R6, c[0x0][R4+0x8]\n"
						       "STG.E [R2], R0\nEXIT\n",
					      1, 32);
	struct sm_warp *warp = &bench->warp[0];

	(void)state;
	bench->code_absent = true;
	sm_bench_start(bench, 0);
	assert_int_equal(sm_step(warp), SM_FAULT);
	assert_int_equal(warp->fault.type, SM_FETCH);
	bench->code_absent = false;
	bench->constants_absent = true;
	while (sm_step(warp) == SM_CONTINUE)
		continue;
	assert_int_equal(warp->fault.type, SM_CONSTANT);
	assert_int_equal(warp->fault.va, 8);
	bench->code_absent = true;
	expect_exit(bench);
	assert_int_equal(bench->faults, 2);
	assert_int_equal(*sm_bench_word(bench, 4 * 31), 31);
	free(bench);
}

/* A hint: to any address, without a result, by the operations and the cache that are meant. */
static void test_prefetch(void **state)
{
	static const char *const hints[] = { "PF1", "PF1.5", "PF2" };
	static const char *const others[] = { "QRY1", "WB", "IV", "IVALL", "RS", "RSLB" };
	struct sm_bench *bench;
	char source[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hints); i++) {
		sprintf(source, "MOV R2, 0x12345\nMOV R3, 0x7\nCCTL.E.%s [R2+0x10]\nEXIT\n",
			hints[i]);
		bench = sm_bench_new(source, 1, 40);
		expect_exit(bench);
		assert_int_equal(bench->prefetches, 40);
		assert_int_equal(bench->prefetched, UINT64_C(0x700012355));
		assert_int_equal(bench->faults, 0);
		free(bench);
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		sprintf(source, "CCTL.E.%s [R2]\nEXIT\n", others[i]);
		bench = sm_bench_new(source, 1, 32);
		expect_exit(bench);
		assert_int_equal(bench->prefetches, 0);
		free(bench);
	}
	/* of constants: mode 2 */
	bench = sm_bench_new("CCTL.E.PF2 [R2]\nEXIT\n", 1, 32);
	bench->code[1] |= UINT64_C(2) << 4;
	expect_exit(bench);
	assert_int_equal(bench->prefetches, 0);
	free(bench);
	expect_trap("CCTL.E.PF2 [R3]\nEXIT\n", SM_MISALIGNED_REG);
}

static void test_special_registers(void **state)
{
	struct sm_bench *bench = sm_bench_new("S2R R4, SR_TID.X\nS2R R5, SR_TID.Y\n"
					      "S2R R6, SR_TID.Z\nS2R R7, SR_CTAID.X\n"
					      "S2R R8, SR_LANEID\nS2R R9, SR_LTMASK\n"
					      "S2R R10, SR_CLOCKLO\nS2R R11, SR_CLOCKLO\n"
					      "EXIT\n",
					      1, 60);
	struct sm_warp *warp = &bench->warp[1];

	(void)state;
	memcpy(bench->cta.ntid, (const u32[]){ 5, 4, 3 }, sizeof(bench->cta.ntid));
	sm_bench_start(bench, 6);
	assert_int_equal(warp->live, 0x0fffffff);
	while (sm_step(warp) == SM_CONTINUE)
		continue;
	assert_int_equal(warp->r[4][9], 41 % 5);
	assert_int_equal(warp->r[5][9], 41 / 5 % 4);
	assert_int_equal(warp->r[6][9], 41 / 20);
	assert_int_equal(warp->r[7][9], 6);
	assert_int_equal(warp->r[8][9], 9);
	assert_int_equal(warp->r[9][9], 0x1ff);
	assert_true(warp->r[11][9] > warp->r[10][9]);
	free(bench);
}

static void test_traps(void **state)
{
	(void)state;
	expect_trap("MOV R64, RZ\nEXIT\n", SM_OOR_REG);
	expect_trap("LDG.E.128 R62, [R2]\nEXIT\n", SM_OOR_REG);
	expect_trap("LDG.E.64 R5, [R2]\nEXIT\n", SM_MISALIGNED_REG);
	expect_trap("LDG.E R5, [R3]\nEXIT\n", SM_MISALIGNED_REG);
	expect_trap("MOV R2, 0x2\nLDG.E R5, [R2]\nEXIT\n", SM_MISALIGNED_ADDR);
	expect_trap("LDS R5, [0x4000]\nEXIT\n", SM_OOR_ADDR);
	expect_trap("STL [0x100], R5\nEXIT\n", SM_OOR_ADDR);
	expect_trap("MOV R5, c[0x1][0x0]\nEXIT\n", SM_INVALID_CONST_ADDR);
	expect_trap("LDC R5, c[0x3][0x0]\nEXIT\n", SM_INVALID_CONST_ADDR_LDC);
	expect_trap("SYNC\n", SM_STACK_ERROR);
	expect_trap("RET\n", SM_RET_EMPTY_STACK_ERROR);
	expect_trap("loop:\nSSY loop\nBRA loop\n", SM_STACK_ERROR);
	expect_trap("BAR.SYNC 0x0, 0x21\nEXIT\n", SM_ILLEGAL_INSTR_PARAM);
	expect_trap("BAR.SYNC 0x10\nEXIT\n", SM_ILLEGAL_INSTR_PARAM);
	expect_trap("NOP\n", SM_PC_OVERFLOW);
	expect_trap("BRA 0xc\n", SM_MISALIGNED_PC);
	expect_trap("XMAD.CSFU R8, R9, R10, R11\nEXIT\n", SM_ILLEGAL_INSTR_ENCODING);
}

/* An instruction that NVIDIA has and the model has not: DADD R2, R2, R4. */
static void test_unknown_instruction(void **state)
{
	struct sm_bench *bench = sm_bench_new("NOP\nNOP\nEXIT\n", 1, 32);
	struct sm_warp *warp = NULL;

	(void)state;
	bench->code[2] = UINT64_C(0x5c70000000470202);
	assert_int_equal(sm_bench_run(bench, &warp), SM_TRAP);
	assert_int_equal(warp->trap.error, SM_ILLEGAL_INSTR_ENCODING);
	assert_int_equal(warp->trap.encoding, UINT64_C(0x5c70000000470202));
	assert_int_equal(warp->trap.pc, 0x10);
	free(bench);

	/* a control word with a barrier that there is not */
	bench = sm_bench_new("NOP\nEXIT\n", 1, 32);
	bench->code[0] = (bench->code[0] & ~UINT64_C(0xe0)) | 6 << 5;
	assert_int_equal(sm_bench_run(bench, &warp), SM_TRAP);
	assert_int_equal(warp->trap.error, SM_ILLEGAL_INSTR_ENCODING);
	free(bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arithmetic),
		cmocka_unit_test(test_predicated),
		cmocka_unit_test(test_vector_add),
		cmocka_unit_test(test_widths),
		cmocka_unit_test(test_divergent_loop),
		cmocka_unit_test(test_nested_branches),
		cmocka_unit_test(test_break_continue_call),
		cmocka_unit_test(test_indirect_branch),
		cmocka_unit_test(test_atomic_counter),
		cmocka_unit_test(test_atomic_operations),
		cmocka_unit_test(test_compare_and_swap),
		cmocka_unit_test(test_transpose),
		cmocka_unit_test(test_reduction),
		cmocka_unit_test(test_barriers),
		cmocka_unit_test(test_fault_and_replay),
		cmocka_unit_test(test_fetch_fault),
		cmocka_unit_test(test_prefetch),
		cmocka_unit_test(test_special_registers),
		cmocka_unit_test(test_traps),
		cmocka_unit_test(test_unknown_instruction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
