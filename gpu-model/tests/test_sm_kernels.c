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
#include "sm_insn.h"

#define OUT   0x8000
#define VALUE 1000

struct line {
	u64 word;
	const char *text; /* NULL: a control word */
};

#define CONTROL(word)	   { UINT64_C(word), NULL },
#define INSN(word, listed) { UINT64_C(word), listed },
#define LISTING(name)                           \
	(const struct line[])                   \
	{                                       \
		NV_KERNEL_##name(CONTROL, INSN) \
	}
#define KERNEL(name, words) { #name, LISTING(name), words, sizeof(words) / sizeof(*(words)) }

static const struct kernel {
	const char *name;
	const struct line *lines;
	const u64 *words;
	size_t count;
} kernels[] = {
	KERNEL(STORE, nv_kernel_store),
	KERNEL(LOAD, nv_kernel_load),
	KERNEL(ADD, nv_kernel_add),
	KERNEL(REDUCE, nv_kernel_reduce),
	KERNEL(ATOMIC_ADD, nv_kernel_atomic_add),
	KERNEL(FILL, nv_kernel_fill),
	KERNEL(SUM, nv_kernel_sum),
	KERNEL(WILD, nv_kernel_wild),
};

static void test_listings(void **state)
{
	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kernels); k++) {
		assert_int_equal(kernels[k].count % 4, 0);
		for (size_t i = 0; i < kernels[k].count; i++) {
			const struct line *line = &kernels[k].lines[i];
			char text[SASS_TEXT] = "nothing";

			assert_int_equal(line->word, kernels[k].words[i]);
			assert_int_equal(!line->text, i % 4 == 0);
			if (!line->text)
				continue;
			if (!sass_print(line->word, (u32)(8 * i), text) || strcmp(text, line->text))
				fail_msg("%s: %016llx is not %s but %s", kernels[k].name,
					 (unsigned long long)line->word, line->text, text);
		}
	}
}

/* What hardware would need that does not track registers by itself. */
static void check_control(const struct sm_insn *insn, const struct sm_control *control)
{
	bool load = insn->op == OP_LDG || insn->op == OP_ATOM || insn->op == OP_S2R;
	bool reads_late = insn->op == OP_LDG || insn->op == OP_ATOM || insn->op == OP_STG ||
			  insn->op == OP_RED;

	assert_int_equal(control->write_barrier, load ? 0 : SM_NO_BARRIER);
	assert_int_equal(control->read_barrier, reads_late ? 1 : SM_NO_BARRIER);
	if (insn->op != OP_NOP)
		assert_int_equal(control->wait_mask, 3);
	assert_int_equal(control->reuse, 0);
	if (insn->op == OP_ISETP)
		assert_true(control->stall >= 13);
	else if (insn->op != OP_NOP)
		assert_true(control->stall >= (load || reads_late ? 2 : 6));
}

static void test_control_words(void **state)
{
	struct sm_control control;
	struct sm_insn insn;

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kernels); k++)
		for (size_t i = 0; i < kernels[k].count; i++) {
			if (i % 4 == 0)
				continue;
			assert_true(sm_control(kernels[k].words[i / 4 * 4], i % 4 - 1, &control));
			assert_true(sm_decode(kernels[k].words[i], &insn));
			check_control(&insn, &control);
		}
}

/* 3 CTAs of 64 threads, array at the start of memory, out behind. */
static struct sm_bench *run(const u64 *words, size_t bytes, u32 count, u32 shift)
{
	struct sm_bench *bench = sm_bench_new(NULL, 3, 64);
	struct nv_kernel_params params = {
		.array = SM_BENCH_VA,
		.count = count,
		.shift = shift,
		.out = SM_BENCH_VA + OUT,
		.value = VALUE,
	};
	struct sm_warp *warp;

	assert_int_equal(NV_KERNEL_PARAMS, SM_BENCH_PARAMS);
	sm_bench_load_words(bench, words, bytes / sizeof(*words));
	memcpy(bench->constants + NV_KERNEL_PARAMS, &params, sizeof(params));
	memcpy(bench->constants + NV_KERNEL_NTID, &(u32){ 64 }, 4);
	memcpy(bench->constants + NV_KERNEL_NCTAID, &(u32){ 3 }, 4);
	bench->cta.registers = NV_KERNEL_REGISTERS;
	for (u32 i = 0; i < OUT / 4; i++)
		*sm_bench_word(bench, 4 * i) = i;
	for (unsigned int i = 0; i < SM_BENCH_PAGES; i++)
		bench->absent[i] = true;
	assert_int_equal(sm_bench_run(bench, &warp), SM_EXIT);
	return bench;
}

#define RUN(name, count, shift) run(nv_kernel_##name, sizeof(nv_kernel_##name), count, shift)

static void test_store(void **state)
{
	struct sm_bench *bench = RUN(store, 150, 5);

	(void)state;
	for (u32 i = 0; i < OUT / 4; i++)
		assert_int_equal(*sm_bench_word(bench, 4 * i),
				 i % 8 == 0 && i / 8 < 150 ? VALUE + i / 8 : i);
	assert_int_equal(bench->stores, 150);
	free(bench);
}

static void test_load(void **state)
{
	struct sm_bench *bench = RUN(load, 150, 7);

	(void)state;
	for (u32 i = 0; i < 192; i++)
		assert_int_equal(*sm_bench_word(bench, OUT + 4 * i), i < 150 ? 32 * i : 0);
	free(bench);
}

static void test_add_and_reduce(void **state)
{
	struct sm_bench *benches[] = { RUN(add, 150, 2), RUN(reduce, 150, 2) };

	(void)state;
	for (size_t b = 0; b < ARRAY_SIZE(benches); b++) {
		for (u32 i = 0; i < 192; i++)
			assert_int_equal(*sm_bench_word(benches[b], 4 * i),
					 i < 150 ? i + VALUE : i);
		assert_int_equal(benches[b]->loads, b ? 0 : 150);
		assert_int_equal(benches[b]->atomics, b ? 150 : 0);
		free(benches[b]);
	}
}

static void test_atomic_add(void **state)
{
	struct sm_bench *bench = RUN(atomic_add, 150, 0);
	u64 sum = 0;

	(void)state;
	assert_int_equal(*sm_bench_word(bench, 0), 150 * VALUE);
	for (u32 i = 0; i < 150; i++)
		sum += *sm_bench_word(bench, OUT + 4 * i);
	assert_int_equal(sum, 150 * 149 / 2 * VALUE);
	free(bench);
}

static void test_loops(void **state)
{
	struct sm_bench *bench = RUN(fill, 1000, 3);

	(void)state;
	for (u32 i = 0; i < 2100; i++)
		assert_int_equal(*sm_bench_word(bench, 4 * i),
				 i % 2 == 0 && i / 2 < 1000 ? VALUE + i / 2 : i);
	free(bench);

	bench = RUN(sum, 1000, 2);
	for (u32 i = 0; i < 192; i++) {
		u32 sum = 0;

		for (u32 n = i; n < 1000; n += 192)
			sum += n;
		assert_int_equal(*sm_bench_word(bench, OUT + 4 * i), sum);
	}
	free(bench);
}

static void test_wild(void **state)
{
	struct sm_bench *bench = RUN(wild, 0, 0);
	struct sm_warp *warp = &bench->warp[0];
	enum sm_result result;

	(void)state;
	assert_int_equal(*sm_bench_word(bench, 0), 0);
	sm_bench_param(bench, 0, UINT64_C(0x123456789000), 8);
	sm_bench_start(bench, 0);
	do
		result = sm_step(warp);
	while (result == SM_CONTINUE);
	assert_int_equal(result, SM_FAULT);
	assert_int_equal(warp->fault.type, SM_STORE);
	assert_int_equal(warp->fault.va, UINT64_C(0x123456789000));
	free(bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_listings),       cmocka_unit_test(test_control_words),
		cmocka_unit_test(test_store),	       cmocka_unit_test(test_load),
		cmocka_unit_test(test_add_and_reduce), cmocka_unit_test(test_atomic_add),
		cmocka_unit_test(test_loops),	       cmocka_unit_test(test_wild),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
