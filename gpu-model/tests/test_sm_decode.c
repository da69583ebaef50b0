/* SPDX-License-Identifier: MIT */
/* The decoder against what NVIDIA's tools say of the same encodings, and against itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sass.h"
#include "sm_bench.h"
#include "sm_insn.h"
#include "sm_listings.h"

#define RANDOM_ENCODINGS 300000

static void check(const struct listing *at)
{
	char text[SASS_TEXT] = "nothing";
	u64 encoding = 0;

	if (!sass_print(at->encoding, at->pc, text) || strcmp(text, at->text))
		fail_msg("%016llx is %s, not %s", (unsigned long long)at->encoding, at->text, text);
	if (!sass_assemble(at->text, at->pc, &encoding) || encoding != at->encoding)
		fail_msg("%s is %016llx, not %016llx", at->text, (unsigned long long)at->encoding,
			 (unsigned long long)encoding);
}

static void test_published(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cuobjdump_sm_60); i++)
		check(&cuobjdump_sm_60[i]);
	for (size_t i = 0; i < ARRAY_SIZE(nvcc_square); i++)
		if (nvcc_square[i].text)
			check(&nvcc_square[i]);
}

/* Nobody published a listing with these: their encodings are envytools' and maxas' only. */
static bool is_unseen(enum sm_op op)
{
	return op == OP_LEPC || op == OP_IMAD || op == OP_CSET || op == OP_CCTL || op == OP_PCNT ||
	       op == OP_CONT || op == OP_KIL;
}

static void test_every_operation_is_published(void **state)
{
	bool seen[OP_COUNT] = { false };
	struct sm_insn insn;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cuobjdump_sm_60); i++)
		if (sm_decode(cuobjdump_sm_60[i].encoding, &insn))
			seen[insn.op] = true;
	for (enum sm_op op = 0; op < OP_COUNT; op++)
		if (seen[op] == is_unseen(op))
			fail_msg("operation %d: seen %d", op, seen[op]);
}

static void test_not_in_the_model(void **state)
{
	char text[SASS_TEXT];
	struct sm_insn insn;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(not_in_the_model); i++) {
		const struct listing *at = &not_in_the_model[i];

		/* a type that the operation does not have is found when it is executed */
		if (sm_decode(at->encoding, &insn) && sass_print(at->encoding, 0, text))
			fail_msg("%s is taken for %s", at->text, text);
	}
}

/* Each row is found by its own pattern, and no other row takes it. */
static void test_rows_are_distinct(void **state)
{
	unsigned int rows = 0;

	(void)state;
	for (enum sm_op op = 0; op < OP_COUNT; op++) {
		struct sm_insn row = { .op = op }, found;
		unsigned int of_this = 0;
		u64 encoding;

		while (sm_opcode_next(&row)) {
			of_this++;
			assert_true(sm_encode(&row, &encoding));
			assert_true(sm_decode(encoding, &found));
			assert_ptr_equal(found.opcode, row.opcode);
		}
		assert_int_not_equal(of_this, 0);
		rows += of_this;
	}
	assert_true(rows > OP_COUNT);
}

static u64 random_bits(void)
{
	u64 v = 0;

	for (unsigned int i = 0; i < 5; i++)
		v = v << 15 ^ (u64)rand();
	return v;
}

/* What is decoded is all that there is: encoding it again gives the same bits. */
static void test_nothing_is_lost(void **state)
{
	unsigned int known = 0;

	(void)state;
	srand(1);
	for (unsigned int i = 0; i < RANDOM_ENCODINGS; i++) {
		u64 base = cuobjdump_sm_60[i % ARRAY_SIZE(cuobjdump_sm_60)].encoding;
		u64 encoding = base ^ (random_bits() & random_bits() & random_bits()), again;
		struct sm_insn insn;

		if (!sm_decode(encoding, &insn))
			continue;
		known++;
		assert_true(sm_encode(&insn, &again));
		assert_int_equal(again, encoding);
	}
	assert_in_range(known, RANDOM_ENCODINGS / 100, RANDOM_ENCODINGS * 9 / 10);
}

/*
 * No listing has CCTL. envydis (gm107.c) and Mesa's emitter agree on its fields: opcode ef6 with
 * bit 52 for 64 bit addresses, offset >> 2 from bit 22 on, the address in 15:8, the operation in 3:0.
 */
static void test_cache_control(void **state)
{
	static const struct {
		u64 encoding;
		const char *text;
	} fields[] = {
		{ 0xef70000000070201, "CCTL.E.PF1 [R2]" },
		{ 0xef70000000070202, "CCTL.E.PF1.5 [R2]" },
		{ 0xef70000000070403, "CCTL.E.PF2 [R4]" },
		{ 0xef70000004010403, "@P1 CCTL.E.PF2 [R4+0x40]" },
		{ 0xef6000000007ff05, "CCTL.IV [RZ]" },
	};
	char text[SASS_TEXT];
	u64 code[8];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		assert_true(sass_print(fields[i].encoding, 8, text));
		assert_string_equal(text, fields[i].text);
		assert_int_equal(sass_program(fields[i].text, code, ARRAY_SIZE(code)), 4);
		assert_int_equal(code[1], fields[i].encoding);
	}
}

/* maxas' notation of the square kernel's first and last words: wait:read:write:yield:stall */
static void test_control_words(void **state)
{
	static const struct {
		u64 word;
		unsigned int slot;
		struct sm_control control;
	} published[] = {
		{ 0x001cfc00e22007f6, 0, { 6, 7, 7, 0, 0, false } },
		{ 0x001cfc00e22007f6, 1, { 1, 0, 7, 0, 0, false } },
		{ 0x001cfc00e22007f6, 2, { 15, 1, 7, 0, 0, false } },
		{ 0x001fc400fec20ff6, 0, { 6, 7, 7, 1, 1, false } },
		{ 0x081fd800fec007fd, 0, { 13, 7, 7, 0, 0, false } },
		{ 0x081fd800fec007fd, 2, { 6, 7, 7, 0, 1, false } },
		{ 0x001ffc00ffe000f1, 0, { 1, 7, 0, 0, 0, false } },
		{ 0x001f8000fc0007e0, 0, { 0, 7, 7, 0, 0, true } },
	};
	struct sm_control control;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(published); i++) {
		const struct sm_control *want = &published[i].control;

		assert_true(sm_control(published[i].word, published[i].slot, &control));
		assert_int_equal(control.stall, want->stall);
		assert_int_equal(control.write_barrier, want->write_barrier);
		assert_int_equal(control.read_barrier, want->read_barrier);
		assert_int_equal(control.wait_mask, want->wait_mask);
		assert_int_equal(control.reuse, want->reuse);
		assert_int_equal(control.yield, want->yield);
	}
	assert_false(sm_control(BIT_ULL(63), 0, &control));
	assert_false(sm_control(UINT64_C(6) << 8, 0, &control));
	assert_false(sm_control(UINT64_C(6) << (42 + 5), 2, &control));
	assert_true(sm_control(UINT64_C(6) << (42 + 5), 0, &control));
}

/* A program that NVIDIA's compiler made does what its source says. */
static void test_compiled_program(void **state)
{
	struct sm_bench *bench = sm_bench_new(NULL, 3, 128);
	const unsigned int n = 300;
	struct sm_warp *warp;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(nvcc_square); i++)
		bench->code[i] = nvcc_square[i].encoding;
	bench->words = ARRAY_SIZE(nvcc_square);
	sm_bench_param(bench, 0, n, 4);
	sm_bench_param(bench, 8, SM_BENCH_VA, 8);
	assert_int_equal(sm_bench_run(bench, &warp), SM_EXIT);
	for (unsigned int i = 0; i < 3 * 128; i++)
		assert_int_equal(*sm_bench_word(bench, 4 * (0x2710 + i)), i < n ? i * i : 0);
	free(bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_published),
		cmocka_unit_test(test_every_operation_is_published),
		cmocka_unit_test(test_not_in_the_model),
		cmocka_unit_test(test_rows_are_distinct),
		cmocka_unit_test(test_nothing_is_lost),
		cmocka_unit_test(test_cache_control),
		cmocka_unit_test(test_control_words),
		cmocka_unit_test(test_compiled_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
