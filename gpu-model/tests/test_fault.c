/* SPDX-License-Identifier: MIT */
/* Fault reporting: the registers of each unit, and the replayable-fault buffer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench.h"

#define BUFFER	   0x700000u /* VRAM; BAR2 is physical after reset, so its address as well */
#define PMC_INTR   0x000100
#define PMC_REPLAY BIT(9)

static const struct fault_info fatal = {
	.unit = FAULT_UNIT_GRAPHICS,
	.type = MMU_FAULT_PTE,
	.access = MMU_WRITE,
	.client = 7,
	.gpc = 3,
	.va = UINT64_C(0x123456789abc),
	.inst_aperture = APERTURE_SYS_COH,
	.inst = 0x765432000,
};

static int setup(void **state)
{
	*state = bench_new();
	return 0;
}

static int teardown(void **state)
{
	bench_delete(*state);
	return 0;
}

static bool push_fault(struct bench *bench, const struct fault_info *info)
{
	bool pushed;

	pthread_mutex_lock(&bench->gpu->lock);
	pushed = fault_buffer_push(bench->gpu, info);
	pthread_mutex_unlock(&bench->gpu->lock);
	return pushed;
}

static void report(struct bench *bench, const struct fault_info *info)
{
	pthread_mutex_lock(&bench->gpu->lock);
	fault_report(bench->gpu, info);
	pthread_mutex_unlock(&bench->gpu->lock);
}

static void enable(struct bench *bench)
{
	bench_set_reg(bench, 0x2a74, 0);
	bench_set_reg(bench, 0x2a70, BUFFER);
	bench_set_reg(bench, 0x2a70, BUFFER | 1);
}

static void registers_of_a_unit(void **state)
{
	struct bench *bench = *state;
	struct fault_info second = fatal;

	report(bench, &fatal);
	assert_int_equal(bench_reg(bench, 0x259c), BIT(0));
	assert_int_equal(bench_reg(bench, 0x2100), BIT(28));
	assert_int_equal(bench_reg(bench, PMC_INTR) & BIT(8), BIT(8));
	assert_int_equal(bench_reg(bench, 0x2800), 2u << 28 | 0x765432);
	assert_int_equal(bench_reg(bench, 0x2804), 0x56789abc);
	assert_int_equal(bench_reg(bench, 0x2808), 0x1234);
	assert_int_equal(bench_reg(bench, 0x280c), 2 | 7 << 8 | 1 << 16 | 3 << 24);
	/* a second one before software has seen the first is dropped, and said to be */
	second.va = 0;
	report(bench, &second);
	assert_int_equal(bench_reg(bench, 0x2804), 0x56789abc);
	assert_int_equal(bench_reg(bench, 0x2100), BIT(28) | BIT(27));
	bench_set_reg(bench, 0x259c, BIT(0));
	bench_set_reg(bench, 0x2100, BIT(27));
	assert_int_equal(bench_reg(bench, 0x2100), 0);
	report(bench, &second);
	assert_int_equal(bench_reg(bench, 0x2804), 0);
}

static void bar1_fault(void **state)
{
	struct bench *bench = *state;
	u64 inst = bench_alloc(bench, 0x1000, 0x1000);
	u32 val;

	bench_set_vram32(bench, inst + 0x200, (u32)bench->pdb | BIT(10) | BIT(11));
	bench_set_vram32(bench, inst + 0x208, 0xfffff000);
	bench_set_vram32(bench, inst + 0x20c, 0x1ffff);
	bench_set_reg(bench, 0x1704, BIT(31) | (u32)(inst >> 12));
	pthread_mutex_lock(&bench->gpu->lock);
	bar1_read(bench->gpu, 0x5008, &val, 4, CLIENT_CPU);
	pthread_mutex_unlock(&bench->gpu->lock);
	assert_int_equal(val, 0xffffffff);
	assert_int_equal(bench_reg(bench, 0x259c), BIT(FAULT_UNIT_BAR1));
	assert_int_equal(bench_reg(bench, 0x2840), inst >> 12);
	assert_int_equal(bench_reg(bench, 0x2844), 0x5008);
	assert_int_equal(bench_reg(bench, 0x284c), 0 | 7 << 8 | BIT(20));
}

static void buffer_entry(void **state)
{
	struct bench *bench = *state;
	u64 now = ptimer_now(bench->gpu), stamp;

	enable(bench);
	assert_int_equal(bench_reg(bench, 0x2a78), chip_gp100.fault_buffer_entries);
	assert_int_equal(bench_reg(bench, PMC_INTR) & PMC_REPLAY, 0);
	assert_true(push_fault(bench, &fatal));
	assert_int_equal(bench_reg(bench, 0x2a80), 1);
	assert_int_equal(bench_reg(bench, PMC_INTR) & PMC_REPLAY, PMC_REPLAY);
	assert_int_equal(bench_vram32(bench, BUFFER), 0x65432000 | 2 << 8);
	assert_int_equal(bench_vram32(bench, BUFFER + 4), 0x7);
	assert_int_equal(bench_vram32(bench, BUFFER + 8), 0x56789000);
	assert_int_equal(bench_vram32(bench, BUFFER + 12), 0x1234);
	stamp = (u64)bench_vram32(bench, BUFFER + 20) << 32 | bench_vram32(bench, BUFFER + 16);
	assert_true(stamp >= now && stamp <= ptimer_now(bench->gpu));
	assert_int_equal(bench_vram32(bench, BUFFER + 28),
			 2 | 7 << 8 | 1 << 16 | 3 << 24 | BIT(31));
	bench_set_reg(bench, 0x2a7c, 1);
	assert_int_equal(bench_reg(bench, PMC_INTR) & PMC_REPLAY, 0);
}

static void buffer_fills_and_wraps(void **state)
{
	struct bench *bench = *state;
	u32 size = chip_gp100.fault_buffer_entries;

	enable(bench);
	for (u32 i = 0; i < size - 1; i++)
		assert_true(push_fault(bench, &fatal));
	assert_false(push_fault(bench, &fatal));
	assert_int_equal(bench_reg(bench, 0x2a84), BIT(0));
	assert_int_equal(bench_reg(bench, 0x2100), BIT(25));
	bench_set_reg(bench, 0x2a84, BIT(0));
	bench_set_reg(bench, 0x2100, BIT(25));
	assert_int_equal(bench_reg(bench, 0x2a84), 0);
	bench_set_reg(bench, 0x2a7c, 5);
	assert_true(push_fault(bench, &fatal));
	assert_int_equal(bench_reg(bench, 0x2a80), 0);
	bench_set_reg(bench, 0x2a7c, 0);
	assert_int_equal(bench_reg(bench, PMC_INTR) & PMC_REPLAY, 0);
}

/* What had no room is counted, through resets as well. */
static void smaller_buffer(void **state)
{
	struct bench *bench = *state;

	bench->gpu->config.fault_entries = 2;
	enable(bench);
	assert_int_equal(bench_reg(bench, 0x2a78), 2);
	assert_int_equal(bench->gpu->fault.overflows, 0);
	assert_true(push_fault(bench, &fatal));
	assert_false(push_fault(bench, &fatal));
	assert_int_equal(bench_reg(bench, 0x2a80), 1);
	assert_int_equal(bench_reg(bench, 0x2a84), BIT(0));
	assert_int_equal(bench->gpu->fault.overflows, 1);
	assert_int_equal(bench->gpu->fault.reported, 1);
	/* what is acknowledged is raised again by the next that finds no room */
	bench_set_reg(bench, 0x2a84, BIT(0));
	bench_set_reg(bench, 0x2100, BIT(25));
	assert_int_equal(bench_reg(bench, 0x2100), 0);
	assert_false(push_fault(bench, &fatal));
	assert_int_equal(bench_reg(bench, 0x2a84), BIT(0));
	assert_int_equal(bench_reg(bench, 0x2100), BIT(25));
	assert_int_equal(bench->gpu->fault.overflows, 2);
	bench_set_reg(bench, 0x2a7c, 1);
	assert_true(push_fault(bench, &fatal));
	assert_int_equal(bench_reg(bench, 0x2a80), 0);
	bench_set_reg(bench, 0x200, ~BIT(8));
	bench_set_reg(bench, 0x200, ~0u);
	assert_int_equal(bench->gpu->fault.overflows, 2);
	assert_int_equal(bench->gpu->fault.reported, 2);
}

static void disabled_buffer(void **state)
{
	struct bench *bench = *state;

	assert_false(push_fault(bench, &fatal));
	assert_int_equal(bench_reg(bench, 0x2a84), BIT(28));
	assert_int_equal(bench_reg(bench, 0x2a80), 0);
}

static void buffer_in_no_memory(void **state)
{
	struct bench *bench = *state;
	u64 inst = bench_alloc(bench, 0x1000, 0x1000);

	bench_set_vram32(bench, inst + 0x200, (u32)bench->pdb | BIT(10) | BIT(11));
	bench_set_vram32(bench, inst + 0x20c, 0x1ffff);
	bench_set_reg(bench, 0x1714, BIT(31) | (u32)(inst >> 12));
	enable(bench);
	assert_false(push_fault(bench, &fatal));
	assert_int_equal(bench_reg(bench, 0x2a84), BIT(24)); /* WRITE_NACK */
}

static void pointers_off_the_end(void **state)
{
	struct bench *bench = *state;

	enable(bench);
	for (u32 get = 0; get < 0x5000; get += 0x123) {
		bench_set_reg(bench, 0x2a7c, get);
		bench_set_reg(bench, 0x2a80, get); /* read-only */
		push_fault(bench, &fatal);
	}
	assert_true(bench_reg(bench, 0x2a80) < chip_gp100.fault_buffer_entries);
	bench_set_reg(bench, 0x200, ~BIT(8));
	bench_set_reg(bench, 0x200, ~0u);
	assert_int_equal(bench_reg(bench, 0x2a7c), 0);
	assert_int_equal(bench_reg(bench, 0x2a80), 0);
	assert_int_equal(bench_reg(bench, 0x2a70), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(registers_of_a_unit, setup, teardown),
		cmocka_unit_test_setup_teardown(bar1_fault, setup, teardown),
		cmocka_unit_test_setup_teardown(buffer_entry, setup, teardown),
		cmocka_unit_test_setup_teardown(buffer_fills_and_wraps, setup, teardown),
		cmocka_unit_test_setup_teardown(smaller_buffer, setup, teardown),
		cmocka_unit_test_setup_teardown(disabled_buffer, setup, teardown),
		cmocka_unit_test_setup_teardown(buffer_in_no_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(pointers_off_the_end, setup, teardown),
	};

	return cmocka_run_group_tests_name("fault", tests, NULL, NULL);
}
