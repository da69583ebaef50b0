/* SPDX-License-Identifier: MIT */
/* GPUs and the bus: DMA to RAM by file and by message, and to each other's BAR1 on every way. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "bench.h"
#include "wire.h"

#define SEM	  UINT64_C(0x400000000)
#define AREA	  0x100000u
#define PHYS_COPY (2 | BIT(2) | BIT(7) | BIT(8) | BIT(12) | BIT(13))
#define VIDMEM	  0
#define SYSMEM	  1

struct fixture {
	struct bench *bench[2];
	struct bench_channel channel;
	struct wire *wire;
	u64 area[2]; /* VRAM of each */
	u64 sem;
	u32 releases;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct gpu *gpus[2];

	for (unsigned int i = 0; i < 2; i++) {
		f->bench[i] = bench_new();
		gpus[i] = f->bench[i]->gpu;
		f->area[i] = bench_alloc(f->bench[i], AREA, 0x1000);
		for (u32 at = 0; at < AREA; at += 4)
			bench_set_vram32(f->bench[i], f->area[i] + at, (at + i) * 2654435761u);
	}
	bench_channel(f->bench[0], &f->channel, 3, 1, true);
	f->sem = bench_map_new(f->bench[0], SEM, 0x1000);
	f->wire = wire_new(gpus, 2);
	wire_enable(f->wire, 0);
	wire_enable(f->wire, 1);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	wire_delete(f->wire);
	bench_delete(f->bench[0]);
	bench_delete(f->bench[1]);
	free(f);
	return 0;
}

static u8 *vram(struct fixture *f, unsigned int gpu, u64 addr)
{
	return f->bench[gpu]->gpu->fb.vram + addr;
}

static void method(struct fixture *f, u32 method, u32 data)
{
	push_method(&f->channel, 4, method, data);
}

static void copy(struct fixture *f, u32 src_target, u64 src, u32 dst_target, u64 dst, u32 len)
{
	const u32 *word = (const u32 *)vram(f, 0, f->sem);

	method(f, 0x260, src_target);
	method(f, 0x264, dst_target);
	method(f, 0x400, (u32)(src >> 32));
	method(f, 0x404, (u32)src);
	method(f, 0x408, (u32)(dst >> 32));
	method(f, 0x40c, (u32)dst);
	method(f, 0x418, len);
	method(f, 0x300, PHYS_COPY);
	method(f, 0x240, (u32)(SEM >> 32));
	method(f, 0x244, (u32)SEM);
	method(f, 0x248, f->releases + 1);
	method(f, 0x300, 1 << 3);
	bench_kick(&f->channel);
	assert_true(wire_pump(f->wire, word, f->releases));
	f->releases++;
}

static u64 stat(struct fixture *f, enum stats_kind kind)
{
	return f->bench[0]->gpu->stats.bytes[CLIENT_CE][kind];
}

static void ram(struct fixture *f, bool with_file)
{
	assert_int_equal(wire_map_ram(f->wire, 0, with_file), 0);
	copy(f, VIDMEM, f->area[0], SYSMEM, 0x12340, 0x54321);
	assert_memory_equal(f->wire->ram + 0x12340, vram(f, 0, f->area[0]), 0x54321);
	memset(f->wire->ram + 0x200000, 0x77, 0x10000);
	copy(f, SYSMEM, 0x200000, VIDMEM, f->area[0], 0x10000);
	assert_memory_equal(f->wire->ram + 0x200000, vram(f, 0, f->area[0]), 0x10000);
	assert_int_equal(stat(f, STATS_SYSTEM_WRITE), 0x54321);
	assert_int_equal(stat(f, STATS_SYSTEM_READ), 0x10000);
	assert_int_equal(stat(f, STATS_PEER_READ) + stat(f, STATS_PEER_WRITE), 0);
}

static void ram_by_file(void **state)
{
	ram(*state, true);
}

static void ram_by_message(void **state)
{
	ram(*state, false);
}

static void both_ways(struct fixture *f, u32 len)
{
	copy(f, SYSMEM, wire_bar1(1) + f->area[1], VIDMEM, f->area[0], len);
	assert_memory_equal(vram(f, 0, f->area[0]), vram(f, 1, f->area[1]), len);
	memset(vram(f, 0, f->area[0]), 0x55, len);
	copy(f, VIDMEM, f->area[0], SYSMEM, wire_bar1(1) + f->area[1], len);
	for (u32 i = 0; i < len; i++)
		assert_int_equal(*vram(f, 1, f->area[1] + i), 0x55);
	assert_int_equal(stat(f, STATS_PEER_READ), len);
	assert_int_equal(stat(f, STATS_PEER_WRITE), len);
	assert_int_equal(stat(f, STATS_SYSTEM_READ) + stat(f, STATS_SYSTEM_WRITE), 0);
}

static void peer_direct(void **state)
{
	struct fixture *f = *state;

	both_ways(f, AREA);
	/*
	 * One read of 8 bytes a page, before its first write such a write and a read behind it,
	 * and never again while nothing changes.
	 */
	assert_int_equal(f->wire->machine.proofs, 2 * AREA / 4096);
	assert_int_equal(f->wire->region_messages, 3 * AREA / 4096);
	copy(f, VIDMEM, f->area[0], SYSMEM, wire_bar1(1) + f->area[1], AREA);
	copy(f, SYSMEM, wire_bar1(1) + f->area[1], VIDMEM, f->area[0], AREA);
	assert_int_equal(f->wire->region_messages, 3 * AREA / 4096);
	/* proofs are not traffic */
	assert_int_equal(f->bench[1]->gpu->stats.bar1_peer_write, 2 * AREA);
	assert_int_equal(f->bench[1]->gpu->stats.bar1_peer_read, 2 * AREA);
	assert_int_equal(f->bench[1]->gpu->stats.bar1_read, 0);
	assert_int_equal(f->bench[1]->gpu->stats.bar1_write, 0);
	wire_enable(f->wire, 1);
	copy(f, SYSMEM, wire_bar1(1) + f->area[1], VIDMEM, f->area[0], 4096);
	assert_int_equal(f->wire->machine.proofs, 2 * AREA / 4096 + 1);
}

static void peer_by_message(void **state)
{
	struct fixture *f = *state;

	f->wire->machine.mode = PEER_QEMU;
	both_ways(f, 0x4000);
	assert_int_equal(f->wire->machine.proofs, 0);
	assert_int_equal(f->bench[1]->gpu->stats.bar1_peer_read, 0);
}

static void peer_compared(void **state)
{
	struct fixture *f = *state;

	f->wire->machine.mode = PEER_COMPARE;
	both_ways(f, 0x3000);
	assert_int_equal(f->wire->machine.mismatches, 0);
	/* a page that is only at its beginning what QEMU says is noticed */
	f->wire->redirect_from = wire_bar1(1) + f->area[1] + 0x400;
	f->wire->redirect_to = 0;
	f->wire->redirect_bytes = 0x400;
	gpu_log_to(fopen("/dev/null", "w"), GPU_ERROR);
	copy(f, SYSMEM, wire_bar1(1) + f->area[1], VIDMEM, f->area[0], 0x400);
	copy(f, SYSMEM, wire_bar1(1) + f->area[1] + 0x400, VIDMEM, f->area[0], 0x400);
	assert_int_equal(f->wire->machine.mismatches, 1);
}

/* What QEMU does not let through does not go by the short way either. */
static void peer_out_of_reach(void **state)
{
	struct fixture *f = *state;
	u16 command = 4;

	assert_int_equal(wire_write(f->wire, 1, 7, 4, &command, 2), 0);
	copy(f, SYSMEM, wire_bar1(1) + f->area[1], VIDMEM, f->area[0], 0x2000);
	for (u32 i = 0; i < 0x2000; i++)
		assert_int_equal(*vram(f, 0, f->area[0] + i), 0xff);
	assert_int_equal(f->bench[1]->gpu->stats.bar1_peer_read, 0);
	assert_int_equal(stat(f, STATS_PEER_READ), 0);
}

/* An IOMMU that leads elsewhere is not passed by, even where both places hold the same. */
static void peer_redirected(void **state)
{
	struct fixture *f = *state;
	const u32 len = 0x2000;

	memset(vram(f, 1, f->area[1]), 0, len);
	memset(f->wire->ram + 0x10000, 0, len);
	memset(f->wire->ram + 0x10010, 0x66, 16);
	f->wire->redirect_from = wire_bar1(1) + f->area[1];
	f->wire->redirect_to = 0x10000;
	f->wire->redirect_bytes = len;
	copy(f, SYSMEM, wire_bar1(1) + f->area[1], VIDMEM, f->area[0], len);
	assert_memory_equal(vram(f, 0, f->area[0]), f->wire->ram + 0x10000, len);
	/* nor when it is set up only after the way was found to be direct */
	f->wire->redirect_bytes = 0;
	copy(f, SYSMEM, wire_bar1(1) + f->area[1], VIDMEM, f->area[0], len);
	assert_int_equal(*vram(f, 0, f->area[0] + 0x10), 0);
	f->wire->redirect_bytes = len;
	assert_int_equal(wire_map_ram(f->wire, 0, true), 0); /* what is mapped has changed */
	copy(f, SYSMEM, wire_bar1(1) + f->area[1], VIDMEM, f->area[0], len);
	assert_int_equal(*vram(f, 0, f->area[0] + 0x10), 0x66);
}

#define IOVA UINT64_C(0xfff00000)

static bool is_filled(const u8 *bytes, u8 value, u32 len)
{
	for (u32 i = 0; i < len; i++)
		if (bytes[i] != value)
			return false;
	return true;
}

/* Where an IOMMU puts a peer is found out, and then used. */
static void iommu_peer(void **state)
{
	struct fixture *f = *state;
	const u32 len = 0x10000;

	wire_iommu_map(f->wire, IOVA, wire_bar1(1) + f->area[1], len, true);
	copy(f, SYSMEM, IOVA, VIDMEM, f->area[0], len);
	assert_memory_equal(vram(f, 0, f->area[0]), vram(f, 1, f->area[1]), len);
	memset(vram(f, 0, f->area[0]), 0x55, len);
	copy(f, VIDMEM, f->area[0], SYSMEM, IOVA, len);
	assert_true(is_filled(vram(f, 1, f->area[1]), 0x55, len));
	assert_int_equal(f->bench[1]->gpu->stats.bar1_peer_read, len);
	assert_int_equal(f->bench[1]->gpu->stats.bar1_peer_write, len);
	/* two reads a page, for nobody had expected it there; a write, and a read behind it */
	assert_int_equal(f->wire->region_messages, 4 * len / 4096);
	assert_int_equal(f->wire->iommu_faults, 0);
}

/* What an IOMMU refuses does not go another way: what it never knew, knew, or knows to read. */
static void iommu_refuses(void **state)
{
	struct fixture *f = *state;
	const u32 len = 0x2000;
	const u64 peer = wire_bar1(1) + f->area[1];

	memset(vram(f, 1, f->area[1]), 0x11, len);
	wire_iommu_map(f->wire, IOVA, peer, len, true);
	copy(f, SYSMEM, peer, VIDMEM, f->area[0], len);
	assert_true(is_filled(vram(f, 0, f->area[0]), 0xff, len));
	copy(f, VIDMEM, f->area[0], SYSMEM, peer, len);
	assert_true(is_filled(vram(f, 1, f->area[1]), 0x11, len));
	assert_int_not_equal(f->wire->iommu_faults, 0);

	copy(f, VIDMEM, f->area[0], SYSMEM, IOVA, len);
	assert_true(is_filled(vram(f, 1, f->area[1]), 0xff, len));
	wire_iommu_unmap(f->wire, 0, IOVA, len);
	memset(vram(f, 0, f->area[0]), 0x22, len);
	copy(f, VIDMEM, f->area[0], SYSMEM, IOVA, len);
	assert_true(is_filled(vram(f, 1, f->area[1]), 0xff, len));
	copy(f, SYSMEM, IOVA, VIDMEM, f->area[0], len);
	assert_true(is_filled(vram(f, 0, f->area[0]), 0xff, len));

	wire_iommu_map(f->wire, IOVA, peer, len, false);
	memset(vram(f, 1, f->area[1]), 0x33, len);
	copy(f, SYSMEM, IOVA, VIDMEM, f->area[0], len);
	assert_true(is_filled(vram(f, 0, f->area[0]), 0x33, len));
	memset(vram(f, 0, f->area[0]), 0x44, len);
	copy(f, VIDMEM, f->area[0], SYSMEM, IOVA, len);
	assert_true(is_filled(vram(f, 1, f->area[1]), 0x33, len));
}

/* The same address, another place. */
static void iommu_remapped(void **state)
{
	struct fixture *f = *state;
	const u32 len = 0x2000;

	for (u32 round = 0; round < 4; round++) {
		u64 place = f->area[1] + round * len;

		wire_iommu_map(f->wire, IOVA, wire_bar1(1) + place, len, true);
		copy(f, SYSMEM, IOVA, VIDMEM, f->area[0], len);
		assert_memory_equal(vram(f, 0, f->area[0]), vram(f, 1, place), len);
		wire_iommu_unmap(f->wire, 0, IOVA, len);
	}
	assert_int_equal(f->wire->iommu_faults, 0);
}

/* A CPU that reads at the peer while we read elsewhere leads nobody astray. */
static void iommu_and_cpu(void **state)
{
	struct fixture *f = *state;
	const u32 len = 0x1000;

	memset(vram(f, 1, f->area[1]), 0, len);
	memset(f->wire->ram, 0, len);
	memset(f->wire->ram + 0x100, 0x66, 16);
	wire_iommu_map(f->wire, IOVA, 0, len, true);
	f->wire->cpu_reads = true;
	f->wire->cpu_offset = f->area[1];
	copy(f, SYSMEM, IOVA, VIDMEM, f->area[0], len);
	assert_memory_equal(vram(f, 0, f->area[0]), f->wire->ram, len);
}

/* Below one switch requests for BAR1 of a peer never come to the IOMMU; all others do. */
static void switch_carries(void **state)
{
	struct fixture *f = *state;
	const u16 off = 4;

	wire_iommu_map(f->wire, IOVA, 0, 0x1000, true);
	f->wire->machine.port[0].below = 1;
	f->wire->machine.port[1].below = 1;
	both_ways(f, 0x3000);
	assert_int_equal(f->bench[0]->gpu->stats.across, 2 * 0x3000);
	assert_int_equal(f->wire->machine.proofs, 0);
	assert_int_equal(f->wire->iommu_faults, 0);
	/* the window of a BAR that is not decoded is nobody's */
	assert_int_equal(wire_write(f->wire, 1, 7, 4, &off, 2), 0);
	copy(f, SYSMEM, wire_bar1(1) + f->area[1], VIDMEM, f->area[0], 0x1000);
	assert_true(is_filled(vram(f, 0, f->area[0]), 0xff, 0x1000));
	assert_int_not_equal(f->wire->iommu_faults, 0);
}

static void switches_do_not_meet(void **state)
{
	struct fixture *f = *state;

	wire_iommu_map(f->wire, IOVA, 0, 0x1000, true);
	f->wire->machine.port[0].below = 1;
	f->wire->machine.port[1].below = 2;
	memset(vram(f, 1, f->area[1]), 0x11, 0x1000);
	copy(f, SYSMEM, wire_bar1(1) + f->area[1], VIDMEM, f->area[0], 0x1000);
	assert_true(is_filled(vram(f, 0, f->area[0]), 0xff, 0x1000));
	copy(f, VIDMEM, f->area[0], SYSMEM, wire_bar1(1) + f->area[1], 0x1000);
	assert_true(is_filled(vram(f, 1, f->area[1]), 0x11, 0x1000));
	assert_int_not_equal(f->wire->iommu_faults, 0);
}

/* The counters come as a whole file, or not at all. */
static void counters_file(void **state)
{
	struct fixture *f = *state;
	char dir[] = "/tmp/test_peer.XXXXXX", path[64], new[64], line[8192] = "";
	FILE *in;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/stats", dir);
	snprintf(new, sizeof(new), "%s/stats.new", dir);
	copy(f, SYSMEM, wire_bar1(1) + f->area[1], VIDMEM, f->area[0], 0x1000);
	assert_int_equal(machine_write_stats(&f->wire->machine, path), 0);
	in = fopen(path, "r");
	assert_non_null(in);
	assert_non_null(fgets(line, sizeof(line), in));
	fclose(in);
	assert_non_null(strstr(line, "\"peer_read_bytes\":4096"));
	assert_non_null(strstr(line, "\"peer_served_read_bytes\":4096"));
	assert_string_equal(line + strlen(line) - 2, "}\n");
	assert_int_equal(access(new, F_OK), -1);
	unlink(path);
	rmdir(dir);
	assert_int_equal(machine_write_stats(&f->wire->machine, path), -ENOENT);
}

static void no_bus_master(void **state)
{
	struct fixture *f = *state;
	u16 command = 2;

	assert_int_equal(wire_map_ram(f->wire, 0, true), 0);
	memset(f->wire->ram, 0x11, 0x1000);
	assert_int_equal(wire_write(f->wire, 0, 7, 4, &command, 2), 0);
	copy(f, VIDMEM, f->area[0], SYSMEM, 0, 0x1000);
	for (u32 i = 0; i < 0x1000; i++)
		assert_int_equal(f->wire->ram[i], 0x11);
}

/* The fast path must carry 20 MB/s at least. */
static void peer_speed(void **state)
{
	struct fixture *f = *state;
	struct timespec a, b;
	double s;

	clock_gettime(CLOCK_MONOTONIC, &a);
	for (unsigned int i = 0; i < 8; i++)
		copy(f, SYSMEM, wire_bar1(1) + f->area[1], VIDMEM, f->area[0], AREA);
	clock_gettime(CLOCK_MONOTONIC, &b);
	s = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) * 1e-9;
	print_message("peer read: %.0f MB/s\n", 8 * AREA / s / 1e6);
	assert_true(8 * AREA / s > 20e6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ram_by_file, setup, teardown),
		cmocka_unit_test_setup_teardown(ram_by_message, setup, teardown),
		cmocka_unit_test_setup_teardown(peer_direct, setup, teardown),
		cmocka_unit_test_setup_teardown(peer_by_message, setup, teardown),
		cmocka_unit_test_setup_teardown(peer_compared, setup, teardown),
		cmocka_unit_test_setup_teardown(peer_out_of_reach, setup, teardown),
		cmocka_unit_test_setup_teardown(peer_redirected, setup, teardown),
		cmocka_unit_test_setup_teardown(iommu_peer, setup, teardown),
		cmocka_unit_test_setup_teardown(iommu_refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(iommu_remapped, setup, teardown),
		cmocka_unit_test_setup_teardown(iommu_and_cpu, setup, teardown),
		cmocka_unit_test_setup_teardown(switch_carries, setup, teardown),
		cmocka_unit_test_setup_teardown(switches_do_not_meet, setup, teardown),
		cmocka_unit_test_setup_teardown(counters_file, setup, teardown),
		cmocka_unit_test_setup_teardown(no_bus_master, setup, teardown),
		cmocka_unit_test_setup_teardown(peer_speed, setup, teardown),
	};

	return cmocka_run_group_tests_name("peer", tests, NULL, NULL);
}
