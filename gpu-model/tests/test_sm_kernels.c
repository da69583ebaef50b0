/* SPDX-License-Identifier: MIT */
/* The IGT tests' kernels: that they are what their listings say, and do what their comments say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "nouveau/nv_kernels.h"
#include "sass.h"
#include "sm_bench.h"

#define SRC	0x8000
#define BLOCK	64
#define GRID	3
#define THREADS (BLOCK * GRID)
#define VALUE	1000

struct line {
	u64 word;
	const char *text; /* NULL: a control word */
};

#define CONTROL(word)	   { UINT64_C(word), NULL },
#define INSN(word, listed) { UINT64_C(word), listed },
#define LISTED(name, kernel) \
	{ #kernel, (const struct line[]){ NV_KERNEL_##name(CONTROL, INSN) }, &kernel }

static const struct {
	const char *name;
	const struct line *lines;
	const struct nv_kernel *kernel;
} kernels[] = {
	LISTED(COPY, nv_kernel_copy),
	LISTED(COPY_U8, nv_kernel_copy_u8),
	LISTED(COPY_U16, nv_kernel_copy_u16),
	LISTED(COPY_64, nv_kernel_copy_64),
	LISTED(COPY_128, nv_kernel_copy_128),
	LISTED(FILL, nv_kernel_fill),
	LISTED(ADD, nv_kernel_add),
	LISTED(EXCHANGE, nv_kernel_exchange),
	LISTED(INCREMENT, nv_kernel_increment),
	LISTED(FILL_ALL, nv_kernel_fill_all),
	LISTED(SUM_ALL, nv_kernel_sum_all),
	LISTED(HINTED_FILL, nv_kernel_hinted_fill),
	LISTED(WILD, nv_kernel_wild),
};

/* The text beside the encodings, assembled, gives them and the control words. */
static void test_listings(void **state)
{
	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kernels); k++) {
		size_t words = kernels[k].kernel->size / sizeof(u64);
		char source[4096] = "", text[SASS_TEXT];
		u64 code[256] = { 0 };

		for (size_t i = 0; i < words; i++) {
			const struct line *line = &kernels[k].lines[i];

			assert_int_equal(line->word, kernels[k].kernel->code[i]);
			assert_int_equal(!line->text, i % 4 == 0);
			if (!line->text)
				continue;
			strcat(strcat(source, line->text), "\n");
			assert_true(sass_print(line->word, (u32)(8 * i), text));
			assert_string_equal(text, line->text);
		}
		assert_int_equal(sass_program(source, code, ARRAY_SIZE(code)), words);
		for (size_t i = 0; i < words; i++)
			if (code[i] != kernels[k].kernel->code[i])
				fail_msg("%s: word %zu is %016llx, not %016llx", kernels[k].name, i,
					 (unsigned long long)kernels[k].kernel->code[i],
					 (unsigned long long)code[i]);
	}
}

/* dst is the start of memory, src its second quarter; each word is its own number. */
static struct sm_bench *run(const struct nv_kernel *kernel, u32 dst_shift, u32 src_shift, u32 count)
{
	struct sm_bench *bench = sm_bench_new(NULL, GRID, BLOCK);
	const struct nv_kernel_args args = {
		.dst = SM_BENCH_VA,
		.src = SM_BENCH_VA + SRC,
		.dst_shift = dst_shift,
		.src_shift = src_shift,
		.value = VALUE,
		.count = count,
	};
	struct sm_warp *warp;

	sm_bench_load_words(bench, kernel->code, kernel->size / sizeof(u64));
	nv_kernel_constants(bench->constants, GRID, BLOCK, &args);
	bench->cta.registers = kernel->registers;
	for (u32 i = 0; i < SM_BENCH_BYTES / 4; i++)
		*sm_bench_word(bench, 4 * i) = i;
	for (unsigned int i = 0; i < SM_BENCH_PAGES; i++)
		bench->absent[i] = true;
	assert_int_equal(sm_bench_run(bench, &warp), SM_EXIT);
	return bench;
}

static u32 dst(struct sm_bench *bench, u32 i, u32 shift)
{
	return *sm_bench_word(bench, i << shift);
}

static void test_copy(void **state)
{
	struct sm_bench *bench = run(&nv_kernel_copy, 3, 7, 0);

	(void)state;
	for (u32 i = 0; i < THREADS; i++) {
		assert_int_equal(dst(bench, i, 3), SRC / 4 + 32 * i);
		assert_int_equal(*sm_bench_word(bench, 8 * i + 4), 2 * i + 1);
	}
	assert_int_equal(dst(bench, THREADS, 3), 2 * THREADS);
	assert_int_equal(bench->loads, THREADS);
	assert_int_equal(bench->stores, THREADS);
	free(bench);
}

/* Every byte of the elements, and none beside them. */
static void test_copy_widths(void **state)
{
	static const struct {
		const struct nv_kernel *kernel;
		u32 shift;
	} widths[] = {
		{ &nv_kernel_copy_u8, 0 },
		{ &nv_kernel_copy_u16, 1 },
		{ &nv_kernel_copy_64, 3 },
		{ &nv_kernel_copy_128, 4 },
	};

	(void)state;
	for (size_t w = 0; w < ARRAY_SIZE(widths); w++) {
		const u32 words = (THREADS << widths[w].shift) / 4;
		struct sm_bench *bench = run(widths[w].kernel, widths[w].shift, widths[w].shift, 0);

		for (u32 i = 0; i < words; i++)
			assert_int_equal(*sm_bench_word(bench, 4 * i), SRC / 4 + i);
		assert_int_equal(*sm_bench_word(bench, 4 * words), words);
		free(bench);
	}
}

static void test_fill(void **state)
{
	struct sm_bench *bench = run(&nv_kernel_fill, 5, 0, 0);

	(void)state;
	for (u32 i = 0; i < THREADS; i++) {
		assert_int_equal(dst(bench, i, 5), i + VALUE);
		assert_int_equal(*sm_bench_word(bench, 32 * i + 4), 8 * i + 1);
	}
	free(bench);
}

static void test_add(void **state)
{
	struct sm_bench *bench = run(&nv_kernel_add, 2, 0, 0);

	(void)state;
	for (u32 i = 0; i < THREADS; i++)
		assert_int_equal(dst(bench, i, 2), i + i + VALUE);
	assert_int_equal(bench->atomics, THREADS);
	free(bench);

	/* all at one word */
	bench = run(&nv_kernel_add, 32, 0, 0);
	assert_int_equal(dst(bench, 0, 0), THREADS * VALUE + THREADS * (THREADS - 1) / 2);
	free(bench);
}

static void test_exchange(void **state)
{
	struct sm_bench *bench = run(&nv_kernel_exchange, 2, 3, 0);

	(void)state;
	for (u32 i = 0; i < THREADS; i++) {
		assert_int_equal(dst(bench, i, 2), SRC / 4 + 2 * i);
		assert_int_equal(*sm_bench_word(bench, SRC + 8 * i), i + VALUE);
	}
	free(bench);
}

static void test_increment(void **state)
{
	struct sm_bench *bench = run(&nv_kernel_increment, 2, 0, 0);

	(void)state;
	for (u32 i = 0; i < THREADS; i++)
		assert_int_equal(dst(bench, i, 2), i + VALUE);
	assert_int_equal(bench->loads, THREADS);
	assert_int_equal(bench->stores, THREADS);
	free(bench);
}

static void test_loops(void **state)
{
	const u32 count = 1000;
	struct sm_bench *bench = run(&nv_kernel_fill_all, 3, 0, count);

	(void)state;
	for (u32 i = 0; i < count; i++)
		assert_int_equal(dst(bench, i, 3), i + VALUE);
	assert_int_equal(dst(bench, count, 3), 2 * count);
	assert_int_equal(bench->stores, count);
	free(bench);

	bench = run(&nv_kernel_sum_all, 2, 3, count);
	for (u32 i = 0; i < THREADS; i++) {
		u32 sum = 0;

		for (u32 n = i; n < count; n += THREADS)
			sum += SRC / 4 + 2 * n;
		assert_int_equal(dst(bench, i, 2), sum);
	}
	assert_int_equal(bench->loads, count);
	free(bench);

	/* nothing to do at all */
	bench = run(&nv_kernel_fill_all, 3, 0, 0);
	assert_int_equal(bench->stores, 0);
	free(bench);
}

static void test_hinted_fill(void **state)
{
	struct sm_bench *bench = run(&nv_kernel_hinted_fill, 3, 5, 0);

	(void)state;
	for (u32 i = 0; i < THREADS; i++)
		assert_int_equal(dst(bench, i, 3), i + VALUE);
	assert_int_equal(bench->stores, THREADS);
	assert_int_equal(bench->loads, 0);
	assert_int_equal(bench->prefetches, THREADS);
	assert_int_equal(bench->prefetched, SM_BENCH_VA + SRC + ((THREADS - 1) << 5));
	free(bench);
}

static void test_wild(void **state)
{
	const struct nv_kernel_args args = { .dst = UINT64_C(0x123456789000) };
	struct sm_bench *bench = run(&nv_kernel_wild, 0, 0, 0);
	struct sm_warp *warp = &bench->warp[0];
	enum sm_result result;

	(void)state;
	assert_int_equal(dst(bench, 0, 0), 0);
	nv_kernel_constants(bench->constants, GRID, BLOCK, &args);
	sm_bench_start(bench, 0);
	do
		result = sm_step(warp);
	while (result == SM_CONTINUE);
	assert_int_equal(result, SM_FAULT);
	assert_int_equal(warp->fault.type, SM_STORE);
	assert_int_equal(warp->fault.va, args.dst);
	free(bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_listings),    cmocka_unit_test(test_copy),
		cmocka_unit_test(test_copy_widths), cmocka_unit_test(test_fill),
		cmocka_unit_test(test_add),	    cmocka_unit_test(test_exchange),
		cmocka_unit_test(test_increment),   cmocka_unit_test(test_loops),
		cmocka_unit_test(test_hinted_fill), cmocka_unit_test(test_wild),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
