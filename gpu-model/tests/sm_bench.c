/* SPDX-License-Identifier: MIT */
/* See sm_bench.h. */
#include <stdlib.h>
#include <string.h>

#include "sass.h"
#include "sm_bench.h"

#define STEPS_MAX 20000

static struct sm_bench *bench_of(struct sm_warp *warp)
{
	return warp->cta->owner;
}

static u32 on_access(struct sm_warp *warp, struct sm_access *access)
{
	struct sm_bench *bench = bench_of(warp);
	u32 done = 0;

	for (unsigned int lane = 0; lane < SM_LANES; lane++) {
		u64 at = access->va[lane] - SM_BENCH_VA, old = 0, result;
		u8 *memory;

		if (!(access->lanes >> lane & 1) || at >= SM_BENCH_BYTES ||
		    bench->absent[at / SM_BENCH_PAGE])
			continue;
		memory = bench->memory + at;
		done |= BIT(lane);
		switch (access->type) {
		case SM_LOAD:
			memcpy(access->data[lane], memory, access->bytes);
			bench->loads++;
			break;
		case SM_STORE:
			memcpy(memory, access->data[lane], access->bytes);
			bench->stores++;
			break;
		default:
			memcpy(&old, memory, access->bytes);
			result = sm_atomic_result(access, lane, old);
			memcpy(memory, &result, access->bytes);
			memcpy(access->data[lane], &old, sizeof(old));
			bench->atomics++;
		}
	}
	return done;
}

static enum sm_mem on_fetch(struct sm_warp *warp, u32 pc, u64 bundle[4])
{
	struct sm_bench *bench = bench_of(warp);

	if (bench->code_absent) {
		warp->fault.va = pc;
		return SM_MEM_FAULT;
	}
	if (pc / 8 + 4 > bench->words)
		return SM_MEM_OUT_OF_RANGE;
	memcpy(bundle, bench->code + pc / 8, SM_BUNDLE_BYTES);
	return SM_MEM_OK;
}

static enum sm_mem on_constant(struct sm_warp *warp, u32 bank, u32 offset, u32 *word)
{
	struct sm_bench *bench = bench_of(warp);

	if (bank || offset + 4 > SM_BENCH_CONSTANTS)
		return SM_MEM_OUT_OF_RANGE;
	if (bench->constants_absent) {
		warp->fault.va = offset;
		return SM_MEM_FAULT;
	}
	memcpy(word, bench->constants + offset, sizeof(*word));
	return SM_MEM_OK;
}

static void on_prefetch(struct sm_warp *warp, u64 va)
{
	struct sm_bench *bench = bench_of(warp);

	bench->prefetches++;
	bench->prefetched = va;
}

static u64 on_time(struct sm_warp *warp)
{
	return bench_of(warp)->time++;
}

static const struct sm_ops ops = {
	.access = on_access,
	.fetch = on_fetch,
	.constant = on_constant,
	.prefetch = on_prefetch,
	.time = on_time,
};

struct sm_bench *sm_bench_new(const char *source, u32 grid, u32 block)
{
	struct sm_bench *bench = calloc(1, sizeof(*bench));

	if (!bench)
		abort();
	if (source)
		bench->words = sass_program(source, bench->code, SM_BENCH_CODE);
	bench->grid = grid;
	bench->block = block;
	bench->cta = (struct sm_cta){
		.ops = &ops,
		.owner = bench,
		.ntid = { block, 1, 1 },
		.registers = 64,
		.barriers = SM_BARRIERS,
		.shared_bytes = SM_BENCH_SHARED,
		.shared = bench->shared,
		.local_bytes = SM_BENCH_LOCAL,
		.shared_window = 0x1000000,
		.local_window = 0x2000000,
	};
	memcpy(bench->constants + 0x8, &block, sizeof(block));
	memcpy(bench->constants + 0x14, &grid, sizeof(grid));
	sm_bench_param(bench, 0, SM_BENCH_VA, 8);
	return bench;
}

void sm_bench_load_words(struct sm_bench *bench, const u64 *code, size_t words)
{
	if (words > SM_BENCH_CODE)
		abort();
	memcpy(bench->code, code, words * sizeof(*code));
	bench->words = words;
}

void sm_bench_param(struct sm_bench *bench, unsigned int offset, u64 value, size_t bytes)
{
	memcpy(bench->constants + SM_BENCH_PARAMS + offset, &value, bytes);
}

u32 *sm_bench_word(struct sm_bench *bench, unsigned int offset)
{
	return (u32 *)(void *)(bench->memory + offset);
}

void sm_bench_start(struct sm_bench *bench, u32 ctaid)
{
	bench->cta.ctaid[0] = ctaid;
	sm_cta_init(&bench->cta);
	for (u32 i = 0; i < bench->cta.warps; i++)
		sm_warp_start(&bench->warp[i], &bench->cta, i, 0, bench->local[i]);
}

static void replay(struct sm_bench *bench, const struct sm_warp *warp)
{
	bench->faults++;
	if (warp->fault.type == SM_FETCH)
		bench->code_absent = false;
	else if (warp->fault.type == SM_CONSTANT)
		bench->constants_absent = false;
	else
		bench->absent[(warp->fault.va - SM_BENCH_VA) / SM_BENCH_PAGE % SM_BENCH_PAGES] =
			false;
}

enum sm_result sm_bench_run(struct sm_bench *bench, struct sm_warp **which)
{
	u32 steps = 0;

	for (u32 ctaid = 0; ctaid < bench->grid; ctaid++) {
		u32 warps, left, moved;

		sm_bench_start(bench, ctaid);
		warps = bench->cta.warps;
		do {
			left = moved = 0;
			for (u32 i = 0; i < warps; i++) {
				struct sm_warp *warp = &bench->warp[i];
				enum sm_result result = sm_step(warp);

				*which = warp;
				if (result == SM_TRAP || ++steps == STEPS_MAX)
					return result;
				if (result == SM_FAULT)
					replay(bench, warp);
				left += result != SM_EXIT;
				moved += result == SM_CONTINUE || result == SM_FAULT;
			}
			if (left && !moved)
				return SM_WAIT;
		} while (left);
	}
	return SM_EXIT;
}
