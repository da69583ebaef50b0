/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: the shader core. The input is which pages are absent, registers, and code: words
 * as they are, or published encodings with a few bits turned, so that most of them decode.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "sm_bench.h"
#include "sm_listings.h"

#define STEPS_MAX 2000
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

static u64 instruction(const u8 **data, size_t *size)
{
	u64 pick = take(data, size, 2), a, b;

	if (pick & 0x8000)
		return take(data, size, 8);
	a = take(data, size, 1);
	b = take(data, size, 1);
	return cuobjdump_sm_60[pick % ARRAY_SIZE(cuobjdump_sm_60)].encoding ^
	       (a ? BIT_ULL(a & 63) : 0) ^ (b ? BIT_ULL(b & 63) : 0);
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
	/* addresses that are often right, and numbers that are not */
	for (u32 i = 0; i < warps; i++)
		for (unsigned int lane = 0; lane < SM_LANES; lane++)
			for (unsigned int r = 0; r < 32; r++)
				bench->warp[i].r[r][lane] =
					r & 1	? (u32)(SM_BENCH_VA >> 32)
					: r & 2 ? (u32)SM_BENCH_VA + 16 * lane
						: (u32)take(&data, &size, lane ? 0 : 4) + 8 * lane;
	for (unsigned int i = 0; i < WORDS_MAX; i++)
		bench->code[i] = i % 4 ? instruction(&data, &size) : 0;
	for (u32 step = 0; step < STEPS_MAX; step++)
		for (u32 i = 0; i < warps; i++) {
			enum sm_result result = sm_step(&bench->warp[i]);

			check(&bench->warp[i], result);
			if (result == SM_FAULT && step % 8 == 7)
				memset(bench->absent, 0, sizeof(bench->absent));
		}
	return 0;
}
