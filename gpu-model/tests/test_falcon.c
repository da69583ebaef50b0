/* SPDX-License-Identifier: MIT */
/* Falcons: their memories and handshakes, and the stand-ins for the firmware on them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench.h"

#define PMU	0x10a000
#define FECS	0x409000
#define GPCCS	0x41a000
#define DESC_VA UINT64_C(0x340000000)
#define WPR	0x1000000u
#define WPR_END 0x1040000u

#define STARTCPU BIT(1)
#define ALIAS_EN BIT(6)
#define HALTED	 BIT(4)

struct fixture {
	struct bench *bench;
	u64 inst, desc;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->bench = bench_new();
	f->inst = bench_alloc(f->bench, 0x1000, 0x1000);
	f->desc = bench_map_new(f->bench, DESC_VA, 0x1000);
	bench_set_vram32(f->bench, f->inst + 0x200, (u32)f->bench->pdb | BIT(10) | BIT(11));
	bench_set_vram32(f->bench, f->inst + 0x208, 0xfffff000);
	bench_set_vram32(f->bench, f->inst + 0x20c, 0x1ffff);
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

static u32 reg(struct fixture *f, u32 addr)
{
	return bench_reg(f->bench, addr);
}

static void set(struct fixture *f, u32 addr, u32 val)
{
	bench_set_reg(f->bench, addr, val);
}

/* Ports step when told so, for reads and for writes each, and go round at the end. */
static void memories(void **state)
{
	static const u32 ports[][2] = { { PMU + 0x1c0, PMU + 0x1c4 },
					{ PMU + 0x1f8, PMU + 0x1fc },
					{ PMU + 0x180, PMU + 0x184 },
					{ FECS + 0x180, FECS + 0x184 } };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
		u32 control = ports[i][0], data = ports[i][1];

		set(f, control, 0xfffc | BIT(24));
		set(f, data, 0x11111111);
		set(f, data, 0x22222222);
		set(f, control, 0xfffc | BIT(25));
		assert_int_equal(reg(f, data), 0x11111111);
		assert_int_equal(reg(f, data), 0x22222222);
		set(f, control, 0);
		assert_int_equal(reg(f, data), 0x22222222);
		assert_int_equal(reg(f, data), 0x22222222);
		set(f, data, 0x33333333);
		assert_int_equal(reg(f, data), 0x33333333);
	}
	set(f, 0x200, BIT(13));
	set(f, 0x200, 0);
	set(f, PMU + 0x1c0, 0);
	assert_int_equal(reg(f, PMU + 0x1c4), 0);
}

static void bind(struct fixture *f)
{
	set(f, PMU + 0x480, BIT(30) | (u32)(f->inst >> 12));
	assert_int_equal(bits(reg(f, PMU + 0x20c), 14, 12), 5);
	set(f, PMU + 0x004, BIT(3));
	set(f, PMU + 0x058, BIT(1));
	assert_int_equal(bits(reg(f, PMU + 0x20c), 14, 12), 0);
}

static void interrupts(void **state)
{
	struct fixture *f = *state;

	set(f, PMU + 0x010, BIT(3));
	assert_int_equal(reg(f, 0x100) & BIT(24), 0);
	set(f, PMU + 0x480, BIT(30) | (u32)(f->inst >> 12));
	assert_int_equal(reg(f, PMU + 0x008), BIT(3));
	assert_int_equal(reg(f, 0x100) & BIT(24), BIT(24));
	set(f, PMU + 0x014, BIT(3));
	assert_int_equal(reg(f, 0x100) & BIT(24), 0);
	set(f, PMU + 0x010, BIT(3));
	set(f, PMU + 0x004, BIT(3));
	assert_int_equal(reg(f, 0x100) & BIT(24), 0);
}

/* As a driver runs the secure-boot firmware; returns what it leaves in the mailbox. */
static u32 run_acr_of(struct fixture *f, u64 desc_va, u32 bytes)
{
	set(f, PMU + 0x1c0, 64 | BIT(24));
	set(f, PMU + 0x1c4, (u32)desc_va);
	set(f, PMU + 0x1c4, (u32)(desc_va >> 32));
	set(f, PMU + 0x1c4, bytes);
	set(f, PMU + 0x040, 0xcafebeef);
	set(f, PMU + 0x100, STARTCPU);
	assert_int_equal(reg(f, PMU + 0x100) & HALTED, HALTED);
	assert_int_equal(reg(f, PMU + 0x008) & BIT(4), BIT(4));
	return reg(f, PMU + 0x040);
}

static u32 run_acr(struct fixture *f, u64 desc_va)
{
	return run_acr_of(f, desc_va, 0xc00);
}

static void describe(struct fixture *f, u32 id, u32 start, u32 end)
{
	bench_set_vram32(f->bench, f->desc + 0x200, id);
	bench_set_vram32(f->bench, f->desc + 0x210, start >> 8);
	bench_set_vram32(f->bench, f->desc + 0x214, end >> 8);
}

static u64 wpr(struct fixture *f, u32 index)
{
	set(f, 0x100cd4, index);
	return (u64)(reg(f, 0x100cd4) & 0xffffff00) << 8;
}

static void secure_boot(void **state)
{
	struct fixture *f = *state;

	/* nothing runs on FECS without it */
	set(f, FECS + 0x100, STARTCPU);
	assert_int_equal(reg(f, FECS + 0x100) & HALTED, HALTED);
	assert_int_equal(reg(f, 0x409800), 0);

	bind(f);
	describe(f, 1, WPR, WPR_END);
	assert_int_equal(run_acr(f, DESC_VA), 0);
	assert_int_equal(wpr(f, 2), WPR);
	assert_int_equal(wpr(f, 3) + 0x20000, WPR_END);
	assert_int_equal(wpr(f, 9), 0);

	/* either register starts it, the alias only when it is enabled */
	set(f, FECS + 0x130, STARTCPU);
	assert_int_equal(reg(f, 0x409800), 0);
	set(f, GPCCS + 0x100, STARTCPU);
	assert_int_equal(reg(f, GPCCS + 0x100) & HALTED, 0);
	set(f, FECS + 0x100, ALIAS_EN);
	set(f, FECS + 0x130, STARTCPU);
	assert_int_equal(reg(f, FECS + 0x100) & HALTED, 0);
	assert_int_equal(reg(f, 0x409800) & 1, 1);

	/* the unload image may come with a descriptor, too: one that names no region */
	describe(f, 0, 0, 0);
	assert_int_equal(run_acr(f, DESC_VA), 0);
	assert_int_equal(wpr(f, 2) + wpr(f, 3), 0);
}

/* Data that ends before a descriptor could: it names no region, and what follows it is not its. */
static void short_images(void **state)
{
	static const u32 bytes[] = { 0x100, 0x200, 0x23c, 0 };
	struct fixture *f = *state;

	bind(f);
	for (size_t i = 0; i < ARRAY_SIZE(bytes); i++) {
		describe(f, 1, WPR, WPR_END);
		assert_int_equal(run_acr(f, DESC_VA), 0);
		assert_int_equal(wpr(f, 2), WPR);
		describe(f, 1, WPR + 0x20000, WPR_END);
		assert_int_equal(run_acr_of(f, DESC_VA, bytes[i]), 0);
		assert_int_equal(wpr(f, 2) + wpr(f, 3), 0);
	}
	/* nor need it be mapped */
	assert_int_equal(run_acr_of(f, DESC_VA + 0xf00, 0x100), 0);
	assert_int_not_equal(run_acr_of(f, DESC_VA + 0xf00, 0x104), 0);
}

static void bad_descriptors(void **state)
{
	struct fixture *f = *state;

	assert_int_not_equal(run_acr(f, DESC_VA), 0); /* bound to nothing */
	bind(f);
	assert_int_not_equal(run_acr(f, DESC_VA + 0x1000), 0);
	assert_int_not_equal(run_acr(f, ~UINT64_C(0)), 0);
	describe(f, 1, WPR_END, WPR);
	assert_int_not_equal(run_acr(f, DESC_VA), 0);
	describe(f, 1, WPR, (u32)BENCH_VRAM + 0x20000);
	assert_int_not_equal(run_acr(f, DESC_VA), 0);
	describe(f, 1, 0, ~0u);
	assert_int_not_equal(run_acr(f, DESC_VA), 0);
	assert_int_equal(wpr(f, 2) + wpr(f, 3), 0);
}

static u32 command(struct fixture *f, u32 cmd, u32 data, u32 mailbox)
{
	set(f, 0x409840, ~0u); /* clear bits of the first word, and of the second */
	set(f, 0x409844, ~0u);
	set(f, 0x409500, data);
	set(f, 0x409504, cmd);
	return reg(f, mailbox);
}

static void context_switch_firmware(void **state)
{
	static const u32 sizes[] = { 0x10, 0x16, 0x25 };
	static const u32 control[] = { 0x38, 0x39, 0x04 };
	struct fixture *f = *state;

	/* nobody answers before the firmware runs */
	for (size_t i = 0; i < ARRAY_SIZE(control); i++)
		assert_int_equal(command(f, control[i], ~0u, 0x409804), 0);
	assert_int_equal(command(f, 0x10, 0, 0x409800), 0);

	bind(f);
	describe(f, 1, WPR, WPR_END);
	run_acr(f, DESC_VA);
	set(f, GPCCS + 0x100, STARTCPU);
	set(f, FECS + 0x100, STARTCPU);
	for (size_t i = 0; i < ARRAY_SIZE(control); i++)
		assert_int_equal(command(f, control[i], ~0u, 0x409804), 1);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		assert_int_not_equal(command(f, sizes[i], 0, 0x409800), 0);
	assert_int_equal(command(f, 0x03, BIT(31) | 0x1234, 0x409800), BIT(4));
	assert_int_equal(reg(f, 0x409b00), BIT(31) | 0x1234);
	assert_int_equal(command(f, 0x09, BIT(31) | 0x1234, 0x409800), BIT(0));
	assert_int_equal(command(f, 0x77, 0, 0x409800), 0);
	/* mailboxes have words that set bits, too */
	set(f, 0x409820, 0x30);
	assert_int_equal(reg(f, 0x409800), 0x30);
	/* with the engine, its processors are reset */
	set(f, 0x200, BIT(12));
	set(f, 0x200, 0);
	assert_int_equal(reg(f, FECS + 0x100) & HALTED, HALTED);
	assert_int_equal(reg(f, 0x409800), 0);
	assert_int_equal(reg(f, 0x409b00), 0);
	for (size_t i = 0; i < ARRAY_SIZE(control); i++)
		assert_int_equal(command(f, control[i], ~0u, 0x409804), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(memories, setup, teardown),
		cmocka_unit_test_setup_teardown(interrupts, setup, teardown),
		cmocka_unit_test_setup_teardown(secure_boot, setup, teardown),
		cmocka_unit_test_setup_teardown(short_images, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_descriptors, setup, teardown),
		cmocka_unit_test_setup_teardown(context_switch_firmware, setup, teardown),
	};

	return cmocka_run_group_tests_name("falcon", tests, NULL, NULL);
}
