/* SPDX-License-Identifier: MIT */
/* The small units that a driver meets while it probes: PMC, PTIMER, PTOP, PROM, BARs, router. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench.h"
#include "vbios.h"

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

static void identification(void **state)
{
	assert_int_equal(bench_reg(*state, 0), 0x130000a1);
	assert_int_equal(bench_reg(*state, 0x88000), 0x15f810de); /* configuration space's mirror */
	bench_set_reg(*state, 0, 0);
	assert_int_equal(bench_reg(*state, 0), 0x130000a1);
}

static unsigned int msis;

static void count_msi(void *ctx)
{
	(void)ctx;
	msis++;
}

/* MSI enabled and armed, nothing pending. */
static void enable_msi(struct bench *bench)
{
	msis = 0;
	bench->gpu->pci.irq = count_msi;
	bench_set_reg(bench, 0x88004, 6); /* memory, bus master */
	bench_set_reg(bench, 0x88068, 0x10000);
	bench_set_reg(bench, 0x88704, 0);
}

/* The tree's output is sent on its rise, once per arming. */
static void interrupts(void **state)
{
	struct bench *bench = *state;

	enable_msi(bench);
	bench_set_reg(bench, 0x1a0, BIT(31));
	assert_int_equal(bench_reg(bench, 0x100), BIT(31));
	assert_int_equal(msis, 0);
	bench_set_reg(bench, 0x160, BIT(31));
	assert_int_equal(bench_reg(bench, 0x140), BIT(31));
	assert_int_equal(msis, 1);
	bench_set_reg(bench, 0x180, BIT(31)); /* masked and unmasked, but not re-armed */
	bench_set_reg(bench, 0x160, BIT(31));
	assert_int_equal(msis, 1);
	bench_set_reg(bench, 0x88704, 0);
	assert_int_equal(msis, 2);
	bench_set_reg(bench, 0x1a0, 0);
	bench_set_reg(bench, 0x88704, 0);
	assert_int_equal(msis, 2);
}

/* An interrupt that gets lost does so after it was sent: it is not armed any more. */
static void lost_interrupts(void **state)
{
	struct bench *bench = *state;

	enable_msi(bench);
	bench->gpu->pci.msi_drop = 2;
	bench_set_reg(bench, 0x160, BIT(31));
	bench_set_reg(bench, 0x1a0, BIT(31));
	assert_int_equal(msis, 0);
	bench_set_reg(bench, 0x180, BIT(31));
	bench_set_reg(bench, 0x160, BIT(31));
	assert_int_equal(msis, 0);
	assert_int_equal(bench->gpu->pci.msi_drop, 1);
	bench_set_reg(bench, 0x88704, 0); /* sent again, as the line is up */
	assert_int_equal(msis, 0);
	assert_int_equal(bench->gpu->pci.msi_drop, 0);
	bench_set_reg(bench, 0x88704, 0);
	assert_int_equal(msis, 1);
	assert_int_equal(bench->gpu->stats.interrupts, 1);
	assert_int_equal(bench->gpu->stats.interrupts_lost, 2);
	/* the latest arrives after all, once, when no more are to get lost */
	pci_msi_drop(bench->gpu, 2);
	bench_set_reg(bench, 0x88704, 0);
	assert_int_equal(msis, 1);
	pci_msi_drop(bench->gpu, 0);
	assert_int_equal(msis, 2);
	pci_msi_drop(bench->gpu, 0);
	assert_int_equal(msis, 2);
	/* one that nobody would have got is not lost */
	bench->gpu->pci.msi_drop = 1;
	bench_set_reg(bench, 0x88068, 0);
	bench_set_reg(bench, 0x88704, 0);
	assert_int_equal(bench->gpu->pci.msi_drop, 1);
}

/* The engine's next step, and what it waits for. */
static u64 step(struct bench *bench)
{
	u64 wait;

	pthread_mutex_lock(&bench->gpu->lock);
	wait = engine_step(bench->gpu);
	pthread_mutex_unlock(&bench->gpu->lock);
	return wait;
}

static void late_interrupts(void **state)
{
	struct bench *bench = *state;
	struct pci_function *pci = &bench->gpu->pci;
	u64 due;

	enable_msi(bench);
	pci->msi_delay_us = 1000000;
	bench_set_reg(bench, 0x160, BIT(31));
	bench_set_reg(bench, 0x1a0, BIT(31));
	due = pci->msi_due_ns;
	assert_int_not_equal(due, 0);
	assert_true(step(bench) <= UINT64_C(1000000000));
	assert_int_equal(msis, 0);
	bench_set_reg(bench, 0x88704, 0); /* a second one: they come as one, not later */
	assert_int_equal(pci->msi_due_ns, due);
	pci->msi_due_ns = 1; /* long ago */
	step(bench);
	assert_int_equal(msis, 1);
	assert_int_equal(bench->gpu->stats.interrupts, 1);
	step(bench);
	assert_int_equal(msis, 1);
	/* by the time it is due nobody may want it any more */
	bench_set_reg(bench, 0x88704, 0);
	bench_set_reg(bench, 0x88068, 0);
	pci->msi_due_ns = 1;
	step(bench);
	assert_int_equal(msis, 1);
	bench_set_reg(bench, 0x88068, 0x10000);
	bench_set_reg(bench, 0x88704, 0);
	assert_int_not_equal(pci->msi_due_ns, 0);
	pci_reset(bench->gpu);
	assert_int_equal(pci->msi_due_ns, 0);
}

static u64 now(struct bench *bench)
{
	u32 high, low;

	do {
		high = bench_reg(bench, 0x9410);
		low = bench_reg(bench, 0x9400);
	} while (high != bench_reg(bench, 0x9410));
	return (u64)high << 32 | low;
}

static void timer(void **state)
{
	struct bench *bench = *state;
	u64 before;

	bench_set_reg(bench, 0x9410, 5);
	bench_set_reg(bench, 0x9400, 0x1000);
	before = now(bench);
	assert_true(before >= (UINT64_C(5) << 32 | 0x1000) && before >> 32 == 5);
	assert_int_equal(before & 0x1f, 0);
	while (now(bench) == before)
		continue;

	bench_set_reg(bench, 0x9140, 1);
	bench_set_reg(bench, 0x9420, (u32)now(bench) + 1000000);
	bench_run(bench);
	assert_int_equal(bench_reg(bench, 0x9100), 0);
	while (!bench_reg(bench, 0x9100))
		bench_run(bench);
	assert_true((s32)((u32)now(bench) - bench_reg(bench, 0x9420)) >= 0);
	assert_int_equal(bench_reg(bench, 0x100) & BIT(20), BIT(20));
	bench_set_reg(bench, 0x9100, 1);
	assert_int_equal(bench_reg(bench, 0x100) & BIT(20), 0);
}

/* The alarm compares for equality: what lies ahead by most of a turn is waited for. */
static void far_alarm(void **state)
{
	struct bench *bench = *state;

	bench_set_reg(bench, 0x9140, 1);
	bench_set_reg(bench, 0x9420, (u32)now(bench) + 3000000000u);
	assert_in_range(bench_run(bench), 2000000000, 3000000000u);
	assert_int_equal(bench_reg(bench, 0x9100), 0);
	/* missed by a little: the next turn is the one */
	bench_set_reg(bench, 0x9420, (u32)now(bench) - 1000);
	assert_in_range(bench_run(bench), 4000000000u, UINT32_MAX);
	assert_int_equal(bench_reg(bench, 0x9100), 0);
	/* the clock is set while it is waited for */
	bench_set_reg(bench, 0x9400, bench_reg(bench, 0x9420) - 1000000000);
	assert_in_range(bench_run(bench), 500000000, 1000000000);
}

/* Words as worked out by hand from the published fields. */
static void device_info(void **state)
{
	static const u32 want[] = {
		0x8006183e, 0x80400005, 0x00000003, 0x84228c3e, 0x801040ad, 0x0000004f,
		0x88430e3e, 0x841040b5, 0x0000004f, 0x8c63aa3e, 0x881040dd, 0x0000004f,
		0x90852c3e, 0x8c1040e5, 0x0000004f, 0x94a5ae3e, 0x901040ed, 0x0000004f,
		0x98c1303e, 0x941040f5, 0x0000004f, 0,
	};

	for (u32 i = 0; i < ARRAY_SIZE(want); i++)
		assert_int_equal(bench_reg(*state, 0x22700 + 4 * i), want[i]);
}

static void memory_size(void **state)
{
	u32 mib = 0, fbps = bench_reg(*state, 0x22438), fbpas = bench_reg(*state, 0x22458);

	for (u32 i = 0; i < fbps * fbpas; i++)
		mib += bench_reg(*state, 0x90020c + 0x4000 * i);
	assert_int_equal(mib, BENCH_VRAM >> 20);
}

static void vbios(void **state)
{
	u8 image[VBIOS_BYTES], sum = 0;
	u32 word, at = 0;

	for (u32 i = 0; i < sizeof(image); i += 4) {
		word = bench_reg(*state, 0x300000 + i);
		memcpy(image + i, &word, 4);
	}
	for (u32 i = 0; i < sizeof(image); i++)
		sum = (u8)(sum + image[i]);
	assert_int_equal(sum, 0);
	assert_memory_equal(image, "\x55\xaa", 2);
	assert_int_equal(image[2] * 512, VBIOS_BYTES);
	assert_memory_equal(image + image[0x18], "PCIR\xde\x10\xf8\x15", 8);
	while (memcmp(image + at, "\xff\xb8\x42\x49\x54", 5))
		assert_true(++at < sizeof(image) - 12);
	sum = 0;
	for (u32 i = 0; i < 12; i++)
		sum = (u8)(sum + image[at + i]);
	assert_int_equal(sum, 0);
	/* the DCB: version 4.1, its signature, and not one output */
	at = image[0x36] | image[0x37] << 8;
	assert_memory_equal(image + at, "\x41\x1b\x00\x08", 4);
	assert_memory_equal(image + at + 6, "\xcb\xbd\xdc\x4e", 4);
}

static void windows(void **state)
{
	struct bench *bench = *state;
	struct gpu *gpu = bench->gpu;
	u64 inst = bench_alloc(bench, 0x1000, 0x1000), page = bench_map_new(bench, 0x5000, 0x1000);
	u32 val = 0x12345678;

	bench_set_reg(bench, 0x1700, (u32)(page >> 16));
	bench_set_reg(bench, 0x700000 + (page & 0xffff) + 0x10, 0xcafe);
	assert_int_equal(bench_vram32(bench, page + 0x10), 0xcafe);
	bench_set_vram32(bench, inst + 0x200, (u32)bench->pdb | BIT(10) | BIT(11));
	bench_set_vram32(bench, inst + 0x208, 0x01fff000);
	bench_set_reg(bench, 0x1714, BIT(31) | (u32)(inst >> 12));
	assert_int_equal(bench_reg(bench, 0x1710), 0);
	pthread_mutex_lock(&gpu->lock);
	bar2_write(gpu, 0x5010, &val, 4);
	bar2_read(gpu, 0x5010, &val, 4);
	pthread_mutex_unlock(&gpu->lock);
	assert_int_equal(val, 0x12345678);
	assert_int_equal(bench_vram32(bench, page + 0x10), 0x12345678);
}

static void widths(void **state)
{
	struct bench *bench = *state;
	struct gpu *gpu = bench->gpu;

	pthread_mutex_lock(&gpu->lock);
	mmio_write(gpu, 0x22404, 0x11223344, 4);
	assert_int_equal(mmio_read(gpu, 0x22405, 1), 0x33);
	assert_int_equal(mmio_read(gpu, 0x22406, 2), 0x1122);
	mmio_write(gpu, 0x22406, 0xab, 1);
	assert_int_equal(mmio_read(gpu, 0x22404, 4), 0x11ab3344);
	assert_true(mmio_read(gpu, 0, 8) == 0x130000a1);
	assert_true(mmio_read(gpu, BAR0_SIZE, 4) == ~UINT64_C(0));
	pthread_mutex_unlock(&gpu->lock);
}

static void burn_down(void **state)
{
	struct bench *bench = *state;
	char text[256] = { 0 };
	FILE *out = fmemopen(text, sizeof(text) - 1, "w");

	assert_int_equal(mmio_burn_down(bench->gpu, stderr), 0);
	bench_set_reg(bench, 0x123456 & ~3u, 0x55);
	assert_int_equal(bench_reg(bench, 0x123454), 0x55);
	assert_int_equal(mmio_burn_down(bench->gpu, out), 1);
	fclose(out);
	assert_non_null(strstr(text, "123454"));
	assert_non_null(strstr(text, "1 reads, 1 writes, 00000055"));
}

static unsigned int lines_of(FILE *out)
{
	unsigned int lines = 0;

	rewind(out);
	for (int c = getc(out); c != EOF; c = getc(out))
		lines += c == '\n';
	fclose(out);
	return lines;
}

/* A guest can make mistakes as long as it likes: the host's disk is not its to fill. */
static void log_has_an_end(void **state)
{
	struct bench *bench = *state;
	FILE *log = tmpfile(), *burn_down = tmpfile();

	gpu_log_to(log, GPU_WARN);
	bench_set_reg(bench, 0x1700, 0xffffff); /* PRAMIN, where there is no VRAM */
	for (u32 i = 0; i < 100000; i++)
		bench_reg(bench, 0x700000);
	gpu_log(bench->gpu, GPU_ERROR, "errors are not the guest's");
	gpu_log_to(stderr, GPU_ERROR);
	assert_in_range(lines_of(log), 1002, 20000);
	for (u32 addr = 0x900000; addr < 0xf00000; addr += 4)
		bench_reg(bench, addr);
	assert_true(mmio_burn_down(bench->gpu, burn_down) > 1000000);
	assert_in_range(lines_of(burn_down), 1000, 20000);
}

static void polls_of_a_probe_end(void **state)
{
	static const struct {
		u32 addr, mask, val;
	} polls[] = {
		{ 0x070000, 3, 0 }, { 0x001710, 0xf, 0 },     { 0x100c80, 0x8000, 0x8000 },
		{ 0x10a10c, 6, 0 }, { 0x002284, 1 << 20, 0 }, { 0x002634, 1 << 20, 0 },
		{ 0x070010, 3, 0 }, { 0x02240c, 2, 2 },	      { 0x021c04, 1, 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(polls); i++)
		assert_int_equal(bench_reg(*state, polls[i].addr) & polls[i].mask, polls[i].val);
}

/* What the chip was made with stays, whether one GPC is written to or all of them at once. */
static void floor_sweeping(void **state)
{
	static const struct {
		u32 addr, all, val;
	} regs[] = {
		{ 0x502608, 0x41a608, 2 }, /* TPCs of the GPC */
		{ 0x500c30, 0x418c30, 3 }, /* those of its first PES */
		{ 0x500c34, 0x418c34, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(regs); i++) {
		assert_int_equal(bench_reg(*state, regs[i].addr), regs[i].val);
		bench_set_reg(*state, regs[i].addr, 0x1f);
		assert_int_equal(bench_reg(*state, regs[i].addr), regs[i].val);
		bench_set_reg(*state, regs[i].all, 0x1f);
		assert_int_equal(bench_reg(*state, regs[i].addr), regs[i].val);
	}
	/* their neighbours are registers like others */
	bench_set_reg(*state, 0x418c2c, 0x1f);
	assert_int_equal(bench_reg(*state, 0x500c2c), 0x1f);
}

/* Every register of BAR0 can be read and written without harm. */
static void all_registers(void **state)
{
	struct bench *bench = *state;

	for (u32 addr = 0; addr < BAR0_SIZE; addr += 4) {
		if (addr % 0x10000 >= 0x3000 && addr > 0x900000)
			continue; /* empty space looks alike */
		bench_set_reg(bench, addr, bench_reg(bench, addr) ^ 0xa5a5a5a5);
	}
	bench_run(bench);
	bench_restart(bench, bench->free);
	assert_int_equal(bench_reg(bench, 0), 0x130000a1);
	assert_int_equal(bench_reg(bench, 0x22438), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(identification, setup, teardown),
		cmocka_unit_test_setup_teardown(interrupts, setup, teardown),
		cmocka_unit_test_setup_teardown(lost_interrupts, setup, teardown),
		cmocka_unit_test_setup_teardown(late_interrupts, setup, teardown),
		cmocka_unit_test_setup_teardown(timer, setup, teardown),
		cmocka_unit_test_setup_teardown(far_alarm, setup, teardown),
		cmocka_unit_test_setup_teardown(device_info, setup, teardown),
		cmocka_unit_test_setup_teardown(memory_size, setup, teardown),
		cmocka_unit_test_setup_teardown(vbios, setup, teardown),
		cmocka_unit_test_setup_teardown(windows, setup, teardown),
		cmocka_unit_test_setup_teardown(widths, setup, teardown),
		cmocka_unit_test_setup_teardown(burn_down, setup, teardown),
		cmocka_unit_test_setup_teardown(log_has_an_end, setup, teardown),
		cmocka_unit_test_setup_teardown(polls_of_a_probe_end, setup, teardown),
		cmocka_unit_test_setup_teardown(floor_sweeping, setup, teardown),
		cmocka_unit_test_setup_teardown(all_registers, setup, teardown),
	};

	return cmocka_run_group_tests_name("probe", tests, NULL, NULL);
}
