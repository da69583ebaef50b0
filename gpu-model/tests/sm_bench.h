/* SPDX-License-Identifier: MIT */
/* A small world for the shader core: code, constants, a few pages that may be absent, a grid. */
#ifndef SM_BENCH_H
#define SM_BENCH_H

#include "sm.h"

#define SM_BENCH_VA	   UINT64_C(0x7f1234560000)
#define SM_BENCH_PAGE	   0x1000
#define SM_BENCH_PAGES	   32
#define SM_BENCH_BYTES	   (SM_BENCH_PAGE * SM_BENCH_PAGES)
#define SM_BENCH_CODE	   1024
#define SM_BENCH_CONSTANTS 0x1000
#define SM_BENCH_SHARED	   0x4000
#define SM_BENCH_LOCAL	   0x100
#define SM_BENCH_WARPS	   32
#define SM_BENCH_PARAMS	   0x140 /* where CUDA's convention for sm_60 puts parameters */

struct sm_bench {
	u64 code[SM_BENCH_CODE];
	size_t words;
	u8 memory[SM_BENCH_BYTES];	  /* at SM_BENCH_VA */
	bool absent[SM_BENCH_PAGES];	  /* faults, until somebody replays */
	u8 constants[SM_BENCH_CONSTANTS]; /* bank 0 */
	bool constants_absent, code_absent;
	u8 shared[SM_BENCH_SHARED];
	u8 local[SM_BENCH_WARPS][SM_LANES * SM_BENCH_LOCAL];
	struct sm_warp warp[SM_BENCH_WARPS];
	struct sm_cta cta;
	u32 grid, block;
	u64 time;

	/* counted: lanes' accesses that were done, faults */
	u32 loads, stores, atomics, faults, prefetches;
	u64 prefetched; /* the last address */
};

struct sm_bench *sm_bench_new(const char *source, u32 grid, u32 block);
void sm_bench_load_words(struct sm_bench *bench, const u64 *code, size_t words);
void sm_bench_param(struct sm_bench *bench, unsigned int offset, u64 value, size_t bytes);
u32 *sm_bench_word(struct sm_bench *bench, unsigned int offset);

/* A CTA's warps at the start of the program. */
void sm_bench_start(struct sm_bench *bench, u32 ctaid);

/*
 * Run a grid, the warps of a CTA in turn; a fault makes the pages that it names present. Returns
 * what ended it: SM_EXIT if all went well, SM_TRAP (the warp is *which), SM_WAIT: a deadlock.
 */
enum sm_result sm_bench_run(struct sm_bench *bench, struct sm_warp **which);

#endif
