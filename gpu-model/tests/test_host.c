/* SPDX-License-Identifier: MIT */
/* Host: registers, channel RAM, runlists, preemption, recovery. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench.h"

#define CHANNEL(id) (0x800004 + 8 * (id))
#define INST(id)    (0x800000 + 8 * (id))

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

/* A release of 4 bytes at va by Host. */
static void push_release(struct bench_channel *channel, u64 va, u32 payload)
{
	push_method(channel, 0, 0x10, (u32)(va >> 32));
	push_method(channel, 0, 0x14, (u32)va);
	push_method(channel, 0, 0x18, payload);
	push_method(channel, 0, 0x1c, 2 | BIT(20) | BIT(24));
}

static void identifies(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(bench_reg(bench, 0x2004) & 0xff, chip_gp100.pbdmas);
	assert_int_equal(bench_reg(bench, 0x2008), 4096);
	for (unsigned int i = 0; i < chip_gp100.pbdmas; i++)
		assert_int_equal(bench_reg(bench, 0x2390 + 4 * i), BIT(i));
}

static void runs_and_writes_back(void **state)
{
	struct bench *bench = *state;
	struct bench_channel channel;
	u64 memory;

	bench_channel(bench, &channel, 3, 1, false);
	memory = bench_map_new(bench, 0x1000000, 0x1000);
	push_release(&channel, 0x1000010, 0x1234);
	push_method(&channel, 0, 0x50, 0xabcd); /* SET_REFERENCE */
	bench_kick(&channel);
	assert_int_equal(bench_vram32(bench, memory + 0x10), 0);
	assert_true(bench_run(bench) == UINT64_MAX);
	assert_int_equal(bench_vram32(bench, memory + 0x10), 0x1234);
	/* USERD: GP_GET, REF, and the end of the segment as GET and TOP_LEVEL_GET */
	assert_int_equal(bench_vram32(bench, channel.userd + 0x88), 1);
	assert_int_equal(bench_vram32(bench, channel.userd + 0x48), 0xabcd);
	assert_int_equal(bench_vram32(bench, channel.userd + 0x44), channel.push_va + 40);
	assert_int_equal(bench_vram32(bench, channel.userd + 0x58), channel.push_va + 40);
	assert_int_equal(bench_vram32(bench, channel.userd + 0x5c), BIT(31));
	/* RAMFC: GP_GET */
	assert_int_equal(bench_vram32(bench, channel.inst + 0x14), 1);
}

static void ring_wraps(void **state)
{
	struct bench *bench = *state;
	struct bench_channel channel;
	u64 memory;

	bench_channel(bench, &channel, 0, 1, false);
	memory = bench_map_new(bench, 0x1000000, 0x1000);
	for (u32 i = 0; i < 3 * BENCH_RING_ENTRIES; i++) {
		push_release(&channel, 0x1000000, i + 1);
		bench_kick(&channel);
		bench_run(bench);
		assert_int_equal(bench_vram32(bench, memory), i + 1);
	}
}

static void disabled_keeps_its_work(void **state)
{
	struct bench *bench = *state;
	struct bench_channel channel;
	u64 memory;

	bench_channel(bench, &channel, 0, 1, false);
	memory = bench_map_new(bench, 0x1000000, 0x1000);
	bench_set_reg(bench, CHANNEL(0), 0x800);
	assert_int_equal(bench_reg(bench, CHANNEL(0)) & 1, 0);
	push_release(&channel, 0x1000000, 7);
	bench_kick(&channel);
	bench_run(bench);
	assert_int_equal(bench_vram32(bench, memory), 0);
	bench_set_reg(bench, CHANNEL(0), 0x400);
	bench_run(bench);
	assert_int_equal(bench_vram32(bench, memory), 7);
}

static void runlist_is_asynchronous(void **state)
{
	struct bench *bench = *state;
	struct bench_channel channel;
	u64 memory;

	bench_channel(bench, &channel, 5, 2, false);
	memory = bench_map_new(bench, 0x1000000, 0x1000);
	bench_set_reg(bench, 0x2a00, ~0u);
	bench_runlist(bench, 2, &channel, 0);
	assert_int_equal(bench_reg(bench, 0x2284 + 16), BIT(20));
	bench_run(bench);
	assert_int_equal(bench_reg(bench, 0x2284 + 16), 0);
	assert_int_equal(bench_reg(bench, 0x2a00), BIT(2));
	assert_int_equal(bench_reg(bench, 0x2100) & BIT(30), BIT(30));
	assert_int_equal(bench_reg(bench, 0x0100) & BIT(8), BIT(8));
	bench_set_reg(bench, 0x2a00, BIT(2));
	assert_int_equal(bench_reg(bench, 0x2100), 0);
	assert_int_equal(bench_reg(bench, 0x0100) & BIT(8), 0);

	push_release(&channel, 0x1000000, 7);
	bench_kick(&channel);
	bench_run(bench);
	assert_int_equal(bench_vram32(bench, memory), 0);
	bench_runlist(bench, 2, &channel, 1);
	bench_run(bench);
	assert_int_equal(bench_vram32(bench, memory), 7);
}

static void runlists_share_the_engine_thread(void **state)
{
	struct bench *bench = *state;
	struct bench_channel channel[3];
	u64 memory;

	memory = bench_map_new(bench, 0x1000000, 0x1000);
	for (unsigned int i = 0; i < 3; i++) {
		bench_channel(bench, &channel[i], i, i < 2 ? 1 : 4, false);
		push_release(&channel[i], 0x1000000 + 4 * i, 0x50 + i);
		bench_kick(&channel[i]);
	}
	bench_runlist(bench, 1, channel, 2);
	bench_run(bench);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(bench_vram32(bench, memory + 4 * i), 0x50 + i);
}

static void blocked_runlist_waits(void **state)
{
	struct bench *bench = *state;
	struct bench_channel channel;
	u64 memory;

	bench_channel(bench, &channel, 0, 1, false);
	memory = bench_map_new(bench, 0x1000000, 0x1000);
	bench_set_reg(bench, 0x2630, BIT(1));
	push_release(&channel, 0x1000000, 7);
	bench_kick(&channel);
	bench_run(bench);
	assert_int_equal(bench_vram32(bench, memory), 0);
	bench_set_reg(bench, 0x2630, 0);
	bench_run(bench);
	assert_int_equal(bench_vram32(bench, memory), 7);
}

static void preempt_completes(void **state)
{
	struct bench *bench = *state;
	struct bench_channel channel;

	bench_channel(bench, &channel, 9, 1, false);
	push_method(&channel, 4, 0, 0xc0b5);
	bench_kick(&channel);
	bench_run(bench);
	/* CE0 has the TSG's context */
	assert_int_equal(bench_reg(bench, 0x2640 + 8), BIT(13) | BIT(12) | 9);
	bench_set_reg(bench, 0x2634, BIT(24) | 9);
	assert_int_equal(bench_reg(bench, 0x2634) & BIT(20), BIT(20));
	bench_run(bench);
	assert_int_equal(bench_reg(bench, 0x2634) & BIT(20), 0);
	assert_int_equal(bench_reg(bench, 0x2640 + 8), 0);
}

static void acquire_waits_and_goes_on(void **state)
{
	struct bench *bench = *state;
	struct bench_channel channel;
	u64 memory;

	bench_channel(bench, &channel, 0, 1, false);
	memory = bench_map_new(bench, 0x1000000, 0x1000);
	push_method(&channel, 0, 0x10, 0);
	push_method(&channel, 0, 0x14, 0x1000000);
	push_method(&channel, 0, 0x18, 5);
	push_method(&channel, 0, 0x1c, 4 | BIT(12)); /* ACQ_GEQ */
	push_release(&channel, 0x1000004, 7);
	bench_kick(&channel);
	assert_true(bench_run(bench) < UINT64_MAX);
	assert_int_equal(bench_reg(bench, CHANNEL(0)) >> 24 & 0xf, 3); /* PENDING_ACQUIRE */
	assert_int_equal(bench_vram32(bench, memory + 4), 0);
	bench_set_vram32(bench, memory, 4);
	assert_true(bench_run(bench) < UINT64_MAX);
	bench_set_vram32(bench, memory, 0x80000000 + 4); /* not circularly greater */
	assert_int_equal(bench_vram32(bench, memory + 4), 0);
	bench_set_vram32(bench, memory, 6);
	assert_true(bench_run(bench) == UINT64_MAX);
	assert_int_equal(bench_vram32(bench, memory + 4), 7);
}

/* How many channels there are is the configuration's to say, up to what the chip has. */
static void fewer_channels(void **state)
{
	const struct gpu_config config = { .chip = &chip_gp100,
					   .vram_bytes = BENCH_VRAM,
					   .bar1_bytes = BENCH_VRAM,
					   .channels = 64 };
	struct gpu *gpu = gpu_create(&config);

	(void)state;
	assert_non_null(gpu);
	pthread_mutex_lock(&gpu->lock);
	mmio_write(gpu, 0x200, ~0u, 4);
	assert_int_equal(mmio_read(gpu, 0x2008, 4), 64);
	mmio_write(gpu, INST(63), BIT(31), 4);
	assert_int_equal(mmio_read(gpu, INST(63), 4) >> 31, 1);
	mmio_write(gpu, INST(64), BIT(31), 4);
	assert_int_equal(mmio_read(gpu, INST(64), 4) >> 31, 0);
	pthread_mutex_unlock(&gpu->lock);
	gpu_destroy(gpu);
}

static void bind_errors(void **state)
{
	struct bench *bench = *state;
	struct bench_channel channel;

	bench_channel(bench, &channel, 0, 1, false);
	bench_set_reg(bench, INST(0), BIT(31) | (u32)(channel.inst >> 12));
	assert_int_equal(bench_reg(bench, 0x2100) & 1, 1);
	assert_int_equal(bench_reg(bench, 0x252c), 1); /* NOT_UNBOUND */
	bench_set_reg(bench, 0x2100, 1);
	assert_int_equal(bench_reg(bench, 0x2100) & 1, 0);
	bench_set_reg(bench, INST(1), BIT(31) | BIT(28)); /* no such aperture */
	assert_int_equal(bench_reg(bench, 0x252c), 6);
	bench_set_reg(bench, 0x2274, 15u << 20);
	assert_int_equal(bench_reg(bench, 0x252c), 5); /* INVALID_RUNLIST */
	bench_set_reg(bench, INST(0), 0);
	assert_int_equal(bench_reg(bench, INST(0)) >> 31, 0);
}

/* An interrupt that nobody has cleared holds the channel on its PBDMA. */
static void unbind_while_running(void **state)
{
	struct bench *bench = *state;
	struct bench_channel channel;

	bench_channel(bench, &channel, 0, 1, false);
	push_method(&channel, 0, 0x04, 0); /* ILLEGAL */
	bench_kick(&channel);
	bench_run(bench);
	assert_int_equal(bits(bench_reg(bench, CHANNEL(0)), 27, 24), 5); /* ON_PBDMA */
	bench_set_reg(bench, INST(0), 0);
	assert_int_equal(bench_reg(bench, 0x252c), 3); /* UNBIND_WHILE_RUNNING */
	assert_int_equal(bench_reg(bench, INST(0)) >> 31, 1);
}

/* A channel stands in one runlist, once; a context leaves the engine with its channel. */
static void listed_twice(void **state)
{
	struct bench *bench = *state;
	struct bench_channel channel, twice[2];
	u64 memory;

	bench_channel(bench, &channel, 0, 1, false);
	memory = bench_map_new(bench, 0x1000000, 0x1000);
	twice[0] = channel;
	twice[1] = channel;
	bench_runlist(bench, 1, twice, 2);
	bench_runlist(bench, 2, &channel, 1);
	bench_run(bench);
	push_method(&channel, 4, 0, 0xc0b5);
	push_release(&channel, 0x1000000, 1);
	bench_kick(&channel);
	bench_run(bench);
	assert_int_equal(bench_vram32(bench, memory), 1);
	assert_int_equal(bench_reg(bench, 0x2648) & 0xffff, BIT(13) | BIT(12));
	bench_runlist(bench, 1, NULL, 0);
	bench_run(bench);
	assert_int_equal(bench_reg(bench, 0x2648), 0);
	push_release(&channel, 0x1000000, 2);
	bench_kick(&channel);
	bench_run(bench);
	assert_int_equal(bench_vram32(bench, memory), 1);
}

/* A driver's way out of an engine that is stuck: a fault on whatever is there. */
static void triggered_fault(void **state)
{
	struct bench *bench = *state;
	struct bench_channel channel;
	u64 memory;

	bench_channel(bench, &channel, 5, 1, false);
	memory = bench_map_new(bench, 0x1000000, 0x1000);
	push_method(&channel, 4, 0, 0xc0b5);
	bench_kick(&channel);
	bench_run(bench);
	bench_set_reg(bench, 0x2a34, BIT(8) | 21);
	assert_int_equal(bench_reg(bench, 0x259c), BIT(21));
	assert_int_equal(bench_reg(bench, 0x2800 + 16 * 21), channel.inst >> 12);
	assert_int_equal(bench_reg(bench, CHANNEL(5)) & BIT(23), BIT(23)); /* ENG_FAULTED */
	assert_int_equal(bench_reg(bench, 0x2648) & BIT(30), BIT(30));
	assert_int_equal(bench_reg(bench, 0x262c), BIT(1));
	push_release(&channel, 0x1000000, 1);
	bench_kick(&channel);
	bench_run(bench);
	assert_int_equal(bench_vram32(bench, memory), 0);

	bench_set_reg(bench, 0x2a34, 0);
	bench_set_reg(bench, 0x200, ~BIT(6));
	bench_set_reg(bench, 0x200, ~0u);
	assert_int_equal(bench_reg(bench, 0x2648), 0);
	bench_set_reg(bench, 0x259c, BIT(21));
	bench_set_reg(bench, CHANNEL(5), BIT(23));
	bench_set_reg(bench, 0x262c, BIT(1));
	bench_run(bench);
	assert_int_equal(bench_vram32(bench, memory), 1);
	/* with nothing on the engine, there is a fault without an instance */
	bench_set_reg(bench, 0x2a38, BIT(8) | 22);
	assert_int_equal(bench_reg(bench, 0x259c), BIT(22));
	assert_int_equal(bench_reg(bench, 0x2800 + 16 * 22), 0);
}

struct resetter {
	struct bench *bench;
	unsigned int bit, reads;
};

/* What a driver does on another CPU while the engine waits for the bus. */
static int reset_and_read(void *ctx, u64 addr, void *buf, size_t len)
{
	struct resetter *resetter = ctx;

	(void)addr;
	bench_set_reg(resetter->bench, 0x200, ~BIT(resetter->bit));
	bench_set_reg(resetter->bench, 0x200, ~0u);
	memset(buf, 0x55, len);
	resetter->reads++;
	return 0;
}

static int write_nowhere(void *ctx, u64 addr, const void *buf, size_t len)
{
	(void)ctx;
	(void)addr;
	(void)buf;
	(void)len;
	return -1;
}

/* The work of an engine, or of a Host, that was reset meanwhile is void. */
static void reset_in_the_midst(struct bench *bench, unsigned int bit)
{
	static const struct bus_ops ops = { .dma_read = reset_and_read,
					    .dma_write = write_nowhere };
	struct resetter resetter = { .bench = bench, .bit = bit };
	struct bench_channel channel;
	u64 free = bench->free, memory;

	bench_set_reg(bench, 0x88004, 6); /* memory, bus master */
	bench->gpu->bus.ops = &ops;
	bench->gpu->bus.ctx = &resetter;
	bench_channel(bench, &channel, 0, 1, true);
	memory = bench_map_new(bench, 0x1000000, 0x1000);
	push_method(&channel, 4, 0x260, 1); /* source: system memory, physical */
	push_method(&channel, 4, 0x404, 0x100000);
	push_method(&channel, 4, 0x40c, 0x1000000);
	push_method(&channel, 4, 0x418, 0x1000);
	push_method(&channel, 4, 0x300, 2 | BIT(7) | BIT(8) | BIT(12));
	bench_kick(&channel);
	bench_run(bench);
	assert_int_equal(resetter.reads, 1);
	assert_int_equal(bench_vram32(bench, memory), 0);
	assert_int_equal(bench_reg(bench, 0x2648), 0);
	assert_int_equal(bench_reg(bench, 0x42120), 0);

	bench_restart(bench, free);
	bench_channel(bench, &channel, 0, 1, true);
	memory = bench_map_new(bench, 0x1000000, 0x1000);
	push_release(&channel, 0x1000000, 1);
	bench_kick(&channel);
	bench_run(bench);
	assert_int_equal(bench_vram32(bench, memory), 1);
}

static void engine_reset_in_the_midst(void **state)
{
	reset_in_the_midst(*state, 6);
}

static void host_reset_in_the_midst(void **state)
{
	reset_in_the_midst(*state, 8);
}

static void non_stall_interrupt(void **state)
{
	struct bench *bench = *state;
	struct bench_channel channel;

	bench_channel(bench, &channel, 0, 1, false);
	bench_set_reg(bench, 0x2a00, ~0u);
	push_method(&channel, 0, 0x20, 0);
	bench_kick(&channel);
	bench_run(bench);
	assert_int_equal(bench_reg(bench, 0x2100), BIT(31));
	assert_int_equal(bench_reg(bench, 0x100) & BIT(8), 0); /* INTR_EN leaves it out */
	bench_set_reg(bench, 0x2140, 0xffffffff);
	assert_int_equal(bench_reg(bench, 0x100) & BIT(8), BIT(8));
	bench_set_reg(bench, 0x2100, BIT(31));
	assert_int_equal(bench_reg(bench, 0x100) & BIT(8), 0);
}

/* Host's own page fault, and a driver's recovery from it, while another runlist keeps working. */
static void host_fault_and_recovery(void **state)
{
	struct bench *bench = *state;
	struct bench_channel bad, good;
	u64 memory;

	bench_channel(bench, &bad, 0, 1, false);
	bench_channel(bench, &good, 1, 2, false);
	memory = bench_map_new(bench, 0x1000000, 0x1000);
	push_release(&bad, 0x3000000, 7);
	bench_kick(&bad);
	bench_run(bench);
	/* HOST1 serves runlist 1 */
	assert_int_equal(bench_reg(bench, 0x259c), BIT(7));
	assert_int_equal(bench_reg(bench, 0x2100) & BIT(28), BIT(28));
	assert_int_equal(bench_reg(bench, 0x2870), bad.inst >> 12);
	assert_int_equal(bench_reg(bench, 0x2874), 0x3000000);
	assert_int_equal(bench_reg(bench, 0x287c), 0 | 6 << 8 | 1 << 16 | BIT(20));
	assert_int_equal(bench_reg(bench, CHANNEL(0)) & BIT(22), BIT(22));
	assert_int_equal(bench_reg(bench, 0x262c), BIT(1));

	push_release(&good, 0x1000000, 8);
	bench_kick(&good);
	bench_run(bench);
	assert_int_equal(bench_vram32(bench, memory), 8);

	bench_set_reg(bench, 0x259c, BIT(7));
	assert_int_equal(bench_reg(bench, 0x2100) & BIT(28), 0);
	bench_set_reg(bench, 0x2630, BIT(1));
	bench_set_reg(bench, CHANNEL(0), bench_reg(bench, CHANNEL(0)) | 0x800);
	bench_runlist(bench, 1, &bad, 0);
	bench_set_reg(bench, 0x262c, BIT(1));
	bench_set_reg(bench, 0x2630, 0);
	bench_run(bench);
	bench_set_reg(bench, INST(0), 0);
	assert_int_equal(bench_reg(bench, 0x2100) & 1, 0);
	/* and its place can be taken */
	bench_channel(bench, &bad, 0, 1, false);
	push_release(&bad, 0x1000000, 9);
	bench_kick(&bad);
	bench_run(bench);
	assert_int_equal(bench_vram32(bench, memory), 9);
}

static void unit_reset_forgets_all(void **state)
{
	struct bench *bench = *state;
	struct bench_channel channel;

	bench_channel(bench, &channel, 0, 1, false);
	push_method(&channel, 0, 0x20, 0);
	bench_kick(&channel);
	bench_run(bench);
	bench_set_reg(bench, 0x200, ~BIT(8));
	bench_set_reg(bench, 0x200, ~0u);
	assert_int_equal(bench_reg(bench, 0x2100), 0);
	assert_int_equal(bench_reg(bench, INST(0)), 0);
	assert_int_equal(bench_reg(bench, CHANNEL(0)), 0);
	assert_true(bench_run(bench) == UINT64_MAX);
}

/* Every register of Host, with everything a driver would not write; then it must still work. */
static void wild_register_writes(void **state)
{
	struct bench *bench = *state;
	struct bench_channel channel;
	u64 memory;

	srand(1);
	bench_channel(bench, &channel, 0, 1, false);
	for (unsigned int i = 0; i < 200000; i++) {
		static const struct {
			u32 first, last;
		} ranges[] = { { 0x2000, 0x3fff },
			       { 0x40000, 0x5ffff },
			       { 0x800000, 0x80ffff },
			       { 0x104400, 0x1046ff } };
		unsigned int r = (unsigned int)rand() % 4;
		u32 addr =
			ranges[r].first + ((u32)rand() % (ranges[r].last - ranges[r].first) & ~3u);

		bench_set_reg(bench, addr, (u32)rand() << (unsigned int)rand() % 32);
		bench_reg(bench, addr);
		if (!(i % 64)) {
			pthread_mutex_lock(&bench->gpu->lock);
			engine_step(bench->gpu);
			pthread_mutex_unlock(&bench->gpu->lock);
		}
	}
	bench_set_reg(bench, 0x200, 0);
	bench_set_reg(bench, 0x200, ~0u);
	bench_set_reg(bench, 0x2254, BIT(28) | 0x200000 >> 12);
	memory = bench_map_new(bench, 0x1000000, 0x1000);
	bench_channel(bench, &channel, 7, 1, false);
	push_release(&channel, 0x1000000, 0x77);
	bench_kick(&channel);
	bench_run(bench);
	assert_int_equal(bench_vram32(bench, memory), 0x77);
}

/* With the thread of its own, and others that disturb it. */
static void engine_thread(void **state)
{
	struct bench *bench = *state;
	struct bench_channel channel;
	u64 memory;

	bench_channel(bench, &channel, 0, 1, false);
	memory = bench_map_new(bench, 0x1000000, 0x1000);
	assert_int_equal(engine_start(bench->gpu), 0);
	for (u32 i = 1; i <= 500; i++) {
		u32 seen = 0;

		push_release(&channel, 0x1000000, i);
		bench_kick(&channel);
		for (unsigned int tries = 0; seen != i; tries++) {
			assert_true(tries < 10000000);
			pthread_mutex_lock(&bench->gpu->lock);
			seen = bench_vram32(bench, memory);
			pthread_mutex_unlock(&bench->gpu->lock);
		}
	}
	engine_stop(bench->gpu);
}

/* A delay, which a guest may ask for, does not keep the machine from ending. */
static void stops_in_a_delay(void **state)
{
	struct bench *bench = *state;
	struct bench_channel channel;
	u64 before = ptimer_now(bench->gpu);
	bool asleep = false;

	bench_channel(bench, &channel, 0, 1, false);
	bench_map_new(bench, 0x1000000, 0x1000);
	bench->gpu->engine.delay.host = 60000000;
	assert_int_equal(engine_start(bench->gpu), 0);
	push_release(&channel, 0x1000000, 1);
	bench_kick(&channel);
	while (!asleep) {
		pthread_mutex_lock(&bench->gpu->lock);
		asleep = bench->gpu->engine.blocked;
		pthread_mutex_unlock(&bench->gpu->lock);
	}
	engine_stop(bench->gpu);
	assert_true(ptimer_now(bench->gpu) - before < UINT64_C(30000000000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(identifies, setup, teardown),
		cmocka_unit_test_setup_teardown(runs_and_writes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(ring_wraps, setup, teardown),
		cmocka_unit_test_setup_teardown(disabled_keeps_its_work, setup, teardown),
		cmocka_unit_test_setup_teardown(runlist_is_asynchronous, setup, teardown),
		cmocka_unit_test_setup_teardown(runlists_share_the_engine_thread, setup, teardown),
		cmocka_unit_test_setup_teardown(blocked_runlist_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(preempt_completes, setup, teardown),
		cmocka_unit_test_setup_teardown(acquire_waits_and_goes_on, setup, teardown),
		cmocka_unit_test(fewer_channels),
		cmocka_unit_test_setup_teardown(bind_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(unbind_while_running, setup, teardown),
		cmocka_unit_test_setup_teardown(listed_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(triggered_fault, setup, teardown),
		cmocka_unit_test_setup_teardown(engine_reset_in_the_midst, setup, teardown),
		cmocka_unit_test_setup_teardown(host_reset_in_the_midst, setup, teardown),
		cmocka_unit_test_setup_teardown(non_stall_interrupt, setup, teardown),
		cmocka_unit_test_setup_teardown(host_fault_and_recovery, setup, teardown),
		cmocka_unit_test_setup_teardown(unit_reset_forgets_all, setup, teardown),
		cmocka_unit_test_setup_teardown(wild_register_writes, setup, teardown),
		cmocka_unit_test_setup_teardown(engine_thread, setup, teardown),
		cmocka_unit_test_setup_teardown(stops_in_a_delay, setup, teardown),
	};

	return cmocka_run_group_tests_name("host", tests, NULL, NULL);
}
