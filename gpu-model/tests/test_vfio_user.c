/* SPDX-License-Identifier: MIT */
/* The protocol on the wire: what QEMU asks, and what nobody should. */
#include <errno.h>
#include <linux/vfio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "bench.h"
#include "wire.h"

enum {
	VERSION = 1,
	DMA_MAP = 2,
	DMA_UNMAP = 3,
	GET_INFO = 4,
	GET_REGION_INFO = 5,
	GET_IRQ_INFO = 7,
	SET_IRQS = 8,
	REGION_READ = 9,
	REGION_WRITE_MULTI = 15,
	DEVICE_RESET = 13,
};

enum {
	BAR0 = 0,
	BAR1 = 1,
	BAR3 = 3,
	CONFIG = 7
};

struct fixture {
	struct bench *bench;
	struct wire *wire;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->bench = bench_new();
	f->wire = wire_new(&f->bench->gpu, 1);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	wire_delete(f->wire);
	bench_delete(f->bench);
	free(f);
	return 0;
}

static void version(void **state)
{
	struct fixture *f = *state;
	const char request[] = "\0\0\0\0{\"capabilities\":{\"pgsizes\":4096,\"max_msg_fds\":16}}";
	char reply[256] = { 0 };

	assert_int_equal(wire_request(f->wire, 0, VERSION, request, sizeof(request), -1, reply,
				      sizeof(reply)),
			 0);
	assert_memory_equal(reply, "\0\0\0\0{\"capabilities\":{", 20);
	assert_non_null(strstr(reply + 4, "\"write_multiple\":true"));
	assert_true(strlen(reply + 4) + 5 <= 214); /* QEMU's own, which must not be exceeded */
}

static void info(void **state)
{
	struct fixture *f = *state;
	struct vfio_device_info device = { .argsz = 16 };
	struct vfio_irq_info irq = { .argsz = 16, .index = VFIO_PCI_MSI_IRQ_INDEX };
	static const u64 sizes[] = { 16 << 20, BENCH_VRAM, 0, 32 << 20, 0, 0, 0, 4096, 0 };

	assert_int_equal(wire_request(f->wire, 0, GET_INFO, &device, 16, -1, &device, 16), 0);
	assert_int_equal(device.flags, VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET);
	assert_int_equal(device.num_regions, 9);
	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct vfio_region_info region = { .argsz = sizeof(region), .index = i };

		assert_int_equal(wire_request(f->wire, 0, GET_REGION_INFO, &region, sizeof(region),
					      -1, &region, sizeof(region)),
				 0);
		assert_int_equal(region.size, sizes[i]);
		assert_int_equal(region.flags & VFIO_REGION_INFO_FLAG_MMAP, 0);
	}
	assert_int_equal(wire_request(f->wire, 0, GET_IRQ_INFO, &irq, 16, -1, &irq, 16), 0);
	assert_int_equal(irq.count, 1);
}

static void config_space(void **state)
{
	struct fixture *f = *state;
	u64 bar1;

	assert_int_equal(wire_read32(f->wire, 0, CONFIG, 0), 0x15f810de);
	assert_int_equal(wire_read32(f->wire, 0, CONFIG, 8), 0x030200a1);
	wire_write32(f->wire, 0, CONFIG, 0, 0); /* read-only */
	assert_int_equal(wire_read32(f->wire, 0, CONFIG, 0), 0x15f810de);
	/* sizing */
	wire_write32(f->wire, 0, CONFIG, 0x10, ~0u);
	assert_int_equal(wire_read32(f->wire, 0, CONFIG, 0x10), 0xff000000);
	wire_write32(f->wire, 0, CONFIG, 0x14, ~0u);
	wire_write32(f->wire, 0, CONFIG, 0x18, ~0u);
	assert_int_equal(wire_read(f->wire, 0, CONFIG, 0x14, &bar1, 8), 0);
	assert_true(bar1 == (~(BENCH_VRAM - 1) | 0xc));
	/* the list of capabilities ends */
	for (u32 at = wire_read32(f->wire, 0, CONFIG, 0x34) & 0xff, n = 0; at; n++) {
		assert_true(n < 8);
		at = wire_read32(f->wire, 0, CONFIG, at) >> 8 & 0xff;
	}
	/* as a whole, as QEMU reads it */
	{
		u8 all[4096];

		assert_int_equal(wire_read(f->wire, 0, CONFIG, 0, all, sizeof(all)), 0);
		assert_int_equal(all[0], 0xde);
	}
}

static void regions(void **state)
{
	struct fixture *f = *state;
	u8 bytes[300], back[300];
	u64 both;

	assert_int_equal(wire_read32(f->wire, 0, BAR0, 0), 0x130000a1);
	assert_int_equal(wire_read(f->wire, 0, BAR0, 0, &both, 8), 0);
	assert_int_equal((u32)both, 0x130000a1);
	for (unsigned int i = 0; i < sizeof(bytes); i++)
		bytes[i] = (u8)(i * 7);
	assert_int_equal(wire_write(f->wire, 0, BAR1, 0x1234567, bytes, sizeof(bytes)), 0);
	assert_memory_equal(f->bench->gpu->fb.vram + 0x1234567, bytes, sizeof(bytes));
	assert_int_equal(wire_read(f->wire, 0, BAR3, 0x1234567, back, sizeof(back)), 0);
	assert_memory_equal(back, bytes, sizeof(bytes));
	assert_int_equal(wire_write(f->wire, 0, BAR3, 0x7654321, bytes + 1, 100), EINVAL);
	assert_int_equal(wire_write(f->wire, 0, BAR3, 0x654321, bytes + 1, 100), 0);
	assert_memory_equal(f->bench->gpu->fb.vram + 0x654321, bytes + 1, 100);
	/* two registers at a time */
	both = UINT64_C(0x0000000200000001);
	assert_int_equal(wire_write(f->wire, 0, BAR0, 0x100cc8, &both, 8), 0);
	assert_int_equal(wire_read32(f->wire, 0, BAR0, 0x100cc8), 1);
	assert_int_equal(wire_read32(f->wire, 0, BAR0, 0x100ccc), 2);
}

/*
 * The socket thread must not wait for QEMU, which may wait for it: what a BAR leads to that
 * only QEMU can reach is refused at once.
 */
static void window_to_memory_by_message(void **state)
{
	struct fixture *f = *state;

	wire_enable(f->wire, 0);
	assert_int_equal(wire_map_ram(f->wire, 0, false), 0);
	wire_write32(f->wire, 0, BAR0, 0x1700, 2 << 24); /* PRAMIN on system memory */
	wire_write32(f->wire, 0, BAR0, 0x700000, 0x55);
	assert_int_equal(wire_read32(f->wire, 0, BAR0, 0x700000), ~0u);
	assert_int_equal(f->wire->ram[0], 0);
}

static void bad_regions(void **state)
{
	struct fixture *f = *state;
	static const struct {
		u64 offset;
		u32 region, count;
	} bad[] = {
		{ 16 << 20, BAR0, 4 },
		{ (16 << 20) - 2, BAR0, 4 },
		{ ~UINT64_C(0), BAR0, 4 },
		{ 0, 2, 4 },
		{ 0, 99, 4 },
		{ 4095, CONFIG, 2 },
		{ 0, BAR1, ~0u },
		{ BENCH_VRAM, BAR1, 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(wire_request(f->wire, 0, REGION_READ, &bad[i], 16, -1, NULL, 0),
				 EINVAL);
	assert_int_equal(wire_request(f->wire, 0, REGION_READ, NULL, 0, -1, NULL, 0), 0);
	assert_int_equal(wire_request(f->wire, 0, 77, NULL, 0, -1, NULL, 0), ENOTSUP);
	assert_int_equal(wire_read32(f->wire, 0, BAR0, 0), 0x130000a1);
}

static void write_multi(void **state)
{
	struct fixture *f = *state;
	struct {
		u64 count;
		struct {
			u64 offset;
			u32 region, count;
			u64 data;
		} write[3];
	} multi = { 3,
		    { { 0x100, BAR1, 8, UINT64_C(0x1122334455667788) },
		      { 0x200, 42, 4, 0 }, /* no such region: the others still count */
		      { 0x108, BAR1, 2, 0xabcd } } };

	assert_int_equal(
		wire_request(f->wire, 0, REGION_WRITE_MULTI, &multi, sizeof(multi), -1, NULL, 0),
		0);
	assert_int_equal(bench_vram32(f->bench, 0x100), 0x55667788);
	assert_int_equal(bench_vram32(f->bench, 0x108) & 0xffff, 0xabcd);
	multi.count = UINT64_C(1) << 60;
	assert_int_equal(
		wire_request(f->wire, 0, REGION_WRITE_MULTI, &multi, sizeof(multi), -1, NULL, 0),
		EINVAL);
}

static void interrupt(void **state)
{
	struct fixture *f = *state;
	struct vfio_irq_set set = { .argsz = sizeof(set),
				    .flags =
					    VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
				    .index = VFIO_PCI_MSI_IRQ_INDEX,
				    .count = 1 };
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	u64 count = 0;

	assert_int_equal(wire_request(f->wire, 0, SET_IRQS, &set, sizeof(set), fd, NULL, 0), 0);
	wire_enable(f->wire, 0);
	wire_write32(f->wire, 0, BAR0, 0x160, BIT(31)); /* INTR_EN: software */
	wire_write32(f->wire, 0, BAR0, 0x1a0, BIT(31));
	assert_int_equal(read(fd, &count, 8), -1); /* MSI is not enabled */
	wire_write32(f->wire, 0, BAR0, 0x1a0, 0);
	wire_write32(f->wire, 0, CONFIG, 0x68, 0x10000);
	wire_write32(f->wire, 0, BAR0, 0x88704, 0); /* re-arm */
	wire_write32(f->wire, 0, BAR0, 0x1a0, BIT(31));
	assert_int_equal(read(fd, &count, 8), 8);
	assert_int_equal(count, 1);
	/* no second one before it is re-armed, and one at once when it is */
	wire_write32(f->wire, 0, BAR0, 0x1a0, 0);
	wire_write32(f->wire, 0, BAR0, 0x1a0, BIT(31));
	assert_int_equal(read(fd, &count, 8), -1);
	wire_write32(f->wire, 0, BAR0, 0x88704, 0);
	assert_int_equal(read(fd, &count, 8), 8);
	/* QEMU takes its end back */
	set.flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER;
	set.count = 0;
	assert_int_equal(wire_request(f->wire, 0, SET_IRQS, &set, sizeof(set), -1, NULL, 0), 0);
	wire_write32(f->wire, 0, BAR0, 0x88704, 0);
	assert_int_equal(read(fd, &count, 8), -1);
	close(fd);
}

static void unmap_need_not_match(void **state)
{
	struct fixture *f = *state;
	struct {
		u32 argsz, flags;
		u64 addr, size;
	} unmap = { sizeof(unmap), 0, 0, UINT64_C(1) << 63 };

	assert_int_equal(wire_map_ram(f->wire, 0, true), 0);
	assert_int_equal(wire_map_ram(f->wire, 0, true), EEXIST);
	assert_int_equal(wire_request(f->wire, 0, DMA_UNMAP, &unmap, sizeof(unmap), -1, NULL, 0),
			 0);
	assert_int_equal(wire_request(f->wire, 0, DMA_UNMAP, &unmap, sizeof(unmap), -1, NULL, 0),
			 0);
	assert_int_equal(wire_map_ram(f->wire, 0, true), 0);
	unmap.flags = BIT(1); /* all */
	unmap.size = 0;
	assert_int_equal(wire_request(f->wire, 0, DMA_UNMAP, &unmap, sizeof(unmap), -1, NULL, 0),
			 0);
	assert_int_equal(f->bench->gpu->bus.map.count, 0);
}

/* Memory that its file does not hold is not touched here, where that would be a SIGBUS. */
static void file_too_short(void **state)
{
	struct fixture *f = *state;
	const struct dma_map *map = &f->bench->gpu->bus.map;
	static const struct {
		u64 offset, size;
	} bad[] = {
		{ 0, 8 << 20 }, { 8 << 20, 4096 }, { 4096, 4 << 20 }, { ~UINT64_C(0xfff), 8192 }
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const struct {
			u32 argsz, flags;
			u64 offset, addr, size;
		} request = { sizeof(request), 3, bad[i].offset, i << 32, bad[i].size };

		assert_int_equal(wire_request(f->wire, 0, DMA_MAP, &request, sizeof(request),
					      f->wire->ram_fd, NULL, 0),
				 0);
		assert_non_null(dma_map_find(map, i << 32));
		assert_null(dma_map_find(map, i << 32)->memory);
	}
	assert_int_equal(wire_map_ram(f->wire, 0, true), EEXIST);
}

static u64 now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000 + (u64)ts.tv_nsec / 1000000;
}

/* Who makes an access that is held up waits, once. */
static void held(void **state)
{
	struct fixture *f = *state;
	struct gpu *gpu = f->bench->gpu;
	u64 start;

	pthread_mutex_lock(&gpu->lock);
	mmio_hold(gpu, 0x9420, 1000000);
	pthread_mutex_unlock(&gpu->lock);
	start = now_ms();
	wire_write32(f->wire, 0, BAR0, 0x9410, 0);
	assert_true(now_ms() - start < 1000);
	start = now_ms();
	wire_write32(f->wire, 0, BAR0, 0x9420, 0);
	assert_true(now_ms() - start >= 1000);
	start = now_ms();
	wire_write32(f->wire, 0, BAR0, 0x9420, 0);
	assert_true(now_ms() - start < 1000);
}

/* In D3hot the function answers configuration requests, and makes no requests of its own. */
static void asleep(void **state)
{
	struct fixture *f = *state;
	u16 d3hot = 3, d0 = 0;
	u64 addr;

	wire_enable(f->wire, 0);
	assert_true(pci_bus_master(f->bench->gpu) && pci_bar_address(f->bench->gpu, 1, &addr));
	assert_int_equal(wire_write(f->wire, 0, CONFIG, 0x64, &d3hot, 2), 0);
	assert_false(pci_bus_master(f->bench->gpu) || pci_bar_address(f->bench->gpu, 1, &addr));
	assert_int_equal(wire_write(f->wire, 0, CONFIG, 0x64, &d0, 2), 0);
	assert_true(pci_bus_master(f->bench->gpu) && pci_bar_address(f->bench->gpu, 1, &addr));
	assert_int_equal(addr, wire_bar1(0));
}

static void reset(void **state)
{
	struct fixture *f = *state;

	wire_enable(f->wire, 0);
	wire_write32(f->wire, 0, BAR0, 0x140, 0);
	wire_write32(f->wire, 0, BAR0, 0x200, ~0u);
	assert_int_equal(wire_request(f->wire, 0, DEVICE_RESET, NULL, 0, -1, NULL, 0), 0);
	assert_int_equal(wire_read32(f->wire, 0, BAR0, 0x200), 0);
	assert_int_equal(wire_read32(f->wire, 0, CONFIG, 4) & 0xffff, 0);
	assert_int_equal(wire_read32(f->wire, 0, CONFIG, 0x18), 0);
	assert_int_equal(wire_read32(f->wire, 0, BAR0, 0x22438), 4); /* constants are back */
}

/* Whatever cannot be a message ends the connection, and only that. */
static void broken_stream(void **state)
{
	struct fixture *f = *state;
	static const struct wire_header bad[] = {
		{ .id = 1, .command = REGION_READ, .size = 3 },
		{ .id = 1, .command = REGION_READ, .size = ~0u },
		{ .id = 7, .command = 11, .size = 16, .flags = 1 }, /* a reply to nothing */
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		wire_send(f->wire, 0, &bad[i], sizeof(bad[i]));
		wire_delete(f->wire);
		f->wire = wire_new(&f->bench->gpu, 1);
	}
	assert_int_equal(wire_read32(f->wire, 0, BAR0, 0), 0x130000a1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(version, setup, teardown),
		cmocka_unit_test_setup_teardown(info, setup, teardown),
		cmocka_unit_test_setup_teardown(config_space, setup, teardown),
		cmocka_unit_test_setup_teardown(regions, setup, teardown),
		cmocka_unit_test_setup_teardown(window_to_memory_by_message, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_regions, setup, teardown),
		cmocka_unit_test_setup_teardown(write_multi, setup, teardown),
		cmocka_unit_test_setup_teardown(interrupt, setup, teardown),
		cmocka_unit_test_setup_teardown(unmap_need_not_match, setup, teardown),
		cmocka_unit_test_setup_teardown(file_too_short, setup, teardown),
		cmocka_unit_test_setup_teardown(held, setup, teardown),
		cmocka_unit_test_setup_teardown(asleep, setup, teardown),
		cmocka_unit_test_setup_teardown(reset, setup, teardown),
		cmocka_unit_test_setup_teardown(broken_stream, setup, teardown),
	};

	return cmocka_run_group_tests_name("vfio-user", tests, NULL, NULL);
}
