/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: the shader core. The input is which pages are absent, code, and registers. Code is
 * words as they are, published encodings, these with a bit turned, and branches that stay in it.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "sass.h"
#include "sm_bench.h"
#include "sm_listings.h"

#define STEPS_MAX 500
#define WORDS_MAX 64
#define BLOCK	  48

static struct sm_bench *bench;

/* The next bytes of the input; zeros after its end. */
static u64 take(const u8 **data, size_t *size, size_t bytes)
{
	size_t n = *size < bytes ? *size : bytes;
	u64 v = 0;

	memcpy(&v, *data, n);
	*data += n;
	*size -= n;
	return v;
}

/* Published ones go to places of their own programs; these stay in ours. */
static const char *const control_flow[] = {
	"BRA 0x28",
	"@P0 BRA 0x88",
	"@!P1 BRA 0x148",
	"BRA CC.NE, 0xc8",
	"SSY 0x108",
	"SYNC",
	"@P0 SYNC",
	"PBK 0x168",
	"@P1 BRK",
	"PCNT 0x48",
	"@!P0 CONT",
	"CAL 0x1a8",
	"@P2 RET",
	"BRX R8 -0x10",
	"@P3 EXIT",
	"BAR.SYNC 0x1",
	"BAR.ARRIVE 0x1, 0x40",
};

static u64 instruction(u32 pc, const u8 **data, size_t *size)
{
	u64 pick = take(data, size, 2), flip, encoding = 0;

	if (pick >> 13 == 7)
		return take(data, size, 8);
	if (pick >> 13 == 6) {
		if (!sass_assemble(control_flow[pick % ARRAY_SIZE(control_flow)], pc, &encoding))
			abort();
		return encoding;
	}
	encoding = cuobjdump_sm_60[pick % ARRAY_SIZE(cuobjdump_sm_60)].encoding;
	if (pick >> 13 < 2)
		return encoding;
	flip = take(data, size, 1);
	return encoding ^ BIT_ULL(flip & 63);
}

/* Every live lane is active or waits on the stack, and nobody else is active. */
static void check(const struct sm_warp *warp, enum sm_result result)
{
	u32 somewhere = warp->active;

	if (result == SM_TRAP || result == SM_EXIT)
		return;
	if (warp->depth > SM_STACK || !warp->active || warp->active & ~warp->live)
		abort();
	for (u32 i = 0; i < warp->depth; i++)
		somewhere |= warp->stack[i].lanes;
	if (warp->live & ~somewhere)
		abort();
	if (result == SM_FAULT && warp->fault.type <= SM_ATOMIC && !warp->access.lanes)
		abort();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u32 absent, warps;

	if (!bench) {
		bench = sm_bench_new(NULL, 1, BLOCK);
		bench->words = WORDS_MAX;
		bench->cta.registers = SM_REGISTERS;
	}
	absent = (u32)take(&data, &size, 4);
	for (unsigned int i = 0; i < SM_BENCH_PAGES; i++)
		bench->absent[i] = absent >> i & 1;
	sm_bench_start(bench, 0);
	warps = bench->cta.warps;
	for (u32 i = 0; i < WORDS_MAX; i++)
		bench->code[i] = i % 4 ? instruction(8 * i, &data, &size) : 0;
	/* addresses that are often right, and numbers that are not */
	for (u32 i = 0; i < warps; i++)
		for (unsigned int r = 0; r < 32; r++) {
			u32 v = r & 1	? (u32)(SM_BENCH_VA >> 32)
				: r & 2 ? (u32)SM_BENCH_VA
					: (u32)take(&data, &size, 4);

			for (unsigned int lane = 0; lane < SM_LANES; lane++)
				bench->warp[i].r[r][lane] = r & 1 ? v : v + 8 * lane;
		}
	for (u32 step = 0; step < STEPS_MAX; step++)
		for (u32 i = 0; i < warps; i++) {
			enum sm_result result = sm_step(&bench->warp[i]);

			check(&bench->warp[i], result);
			if (result == SM_FAULT && step % 8 == 7)
				memset(bench->absent, 0, sizeof(bench->absent));
		}
	return 0;
}
