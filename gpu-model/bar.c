/* SPDX-License-Identifier: MIT */
/*
 * BAR1, BAR2 (PCI BAR 3) and PRAMIN: CPU and peer access to GPU memory, with the registers
 * that bind them. Source: gp106 hw_bus, hw_pram; published dev_bus.h.
 * Identity of physical mode into VRAM is inference.
 */
#include <string.h>

#include "gpu.h"

enum {
	PBUS_BAR0_WINDOW = 0x001700,
	PBUS_BAR1_BLOCK = 0x001704,
	PBUS_BIND_STATUS = 0x001710,
	PBUS_BAR2_BLOCK = 0x001714,
	PRAMIN_FIRST = 0x700000,
	PRAMIN_LAST = 0x7fffff,
};

#define BLOCK_MODE_VIRTUAL  BIT(31)
#define CLIENT_HUB_HOST_CPU 0x07

static void bar_bind(struct gpu *gpu, struct bar *bar, u32 block)
{
	bar->block = block;
	if (block & BLOCK_MODE_VIRTUAL)
		mmu_space_load(gpu, bits(block, 29, 28), bits(block, 27, 0) << 12, &bar->space);
	else
		bar->space = (struct mmu_space){ .physical = true };
	mmu_tlb_invalidate(gpu);
}

static void bar_fault(struct gpu *gpu, const struct bar *bar, enum mmu_fault type,
		      enum mmu_access access, u64 va)
{
	fault_report(gpu,
		     &(struct fault_info){
			     .unit = bar == &gpu->bars.bar1 ? FAULT_UNIT_BAR1 : FAULT_UNIT_BAR2,
			     .type = type,
			     .access = access,
			     .hub = true,
			     .client = CLIENT_HUB_HOST_CPU,
			     .va = va,
			     .inst_aperture = bar->space.inst_aperture,
			     .inst = bar->space.inst,
		     });
}

static void bar_read(struct gpu *gpu, struct bar *bar, u64 offset, void *buf, size_t len,
		     enum client client)
{
	u64 va = offset;
	enum mmu_fault fault = mmu_read(gpu, &bar->space, offset, buf, len, client, &va);

	if (fault == MMU_FAULT_NONE)
		return;
	memset((u8 *)buf + (va - offset), 0xff, len - (va - offset));
	bar_fault(gpu, bar, fault, MMU_READ, va);
}

static void bar_write(struct gpu *gpu, struct bar *bar, u64 offset, const void *buf, size_t len,
		      enum client client)
{
	u64 va;
	enum mmu_fault fault = mmu_write(gpu, &bar->space, offset, buf, len, client, &va);

	if (fault != MMU_FAULT_NONE)
		bar_fault(gpu, bar, fault, MMU_WRITE, va);
}

void bar1_witness(struct gpu *gpu, bool write, u64 offset, u64 mask)
{
	gpu->bars.witness[write] = (struct bar1_witness){
		.on = true,
		.offset = offset,
		.mask = mask,
	};
}

unsigned int bar1_witnessed(struct gpu *gpu, bool write, u64 *offset)
{
	struct bar1_witness *witness = &gpu->bars.witness[write];

	witness->on = false;
	*offset = witness->offset;
	return witness->seen;
}

static bool see(struct bar1_witness *witness, u64 offset, enum client client)
{
	if (!witness->on || client != CLIENT_CPU || (offset ^ witness->offset) & witness->mask)
		return false;
	witness->seen++;
	witness->offset = offset;
	return true;
}

void bar1_read(struct gpu *gpu, u64 offset, void *buf, size_t len, enum client client)
{
	if (len != sizeof(u64) || !see(&gpu->bars.witness[0], offset, client))
		*(client == CLIENT_CPU ? &gpu->stats.bar1_read : &gpu->stats.bar1_peer_read) += len;
	bar_read(gpu, &gpu->bars.bar1, offset, buf, len, client);
}

void bar1_write(struct gpu *gpu, u64 offset, const void *buf, size_t len, enum client client)
{
	struct bars *bars = &gpu->bars;

	if (see(&bars->witness[1], offset, client) || client != CLIENT_CPU)
		gpu->stats.bar1_peer_write += len;
	else
		gpu->stats.bar1_write += len;
	bar_write(gpu, &bars->bar1, offset, buf, len, client);
	if (bars->snoop && len && offset <= bars->snoop_last &&
	    offset + (len - 1) >= bars->snoop_first)
		bars->snoop(gpu, offset, len);
}

void bar2_read(struct gpu *gpu, u64 offset, void *buf, size_t len)
{
	bar_read(gpu, &gpu->bars.bar2, offset, buf, len, CLIENT_CPU);
}

void bar2_write(struct gpu *gpu, u64 offset, const void *buf, size_t len)
{
	bar_write(gpu, &gpu->bars.bar2, offset, buf, len, CLIENT_CPU);
}

const struct mmu_space *bar2_space(const struct gpu *gpu)
{
	return &gpu->bars.bar2.space;
}

static u32 window_read(struct gpu *gpu, u32 addr)
{
	switch (addr) {
	case PBUS_BAR0_WINDOW:
		return gpu->pbus.bar0_window;
	case PBUS_BAR1_BLOCK:
		return gpu->bars.bar1.block;
	case PBUS_BAR2_BLOCK:
		return gpu->bars.bar2.block;
	case PBUS_BIND_STATUS: /* binds complete at once: nothing pending, nothing outstanding */
		return 0;
	}
	return mmio_unmodelled_read(gpu, addr);
}

static void window_write(struct gpu *gpu, u32 addr, u32 val)
{
	switch (addr) {
	case PBUS_BAR0_WINDOW:
		gpu->pbus.bar0_window = val;
		return;
	case PBUS_BAR1_BLOCK:
		bar_bind(gpu, &gpu->bars.bar1, val);
		return;
	case PBUS_BAR2_BLOCK:
		bar_bind(gpu, &gpu->bars.bar2, val);
		return;
	case PBUS_BIND_STATUS:
		return;
	}
	mmio_unmodelled_write(gpu, addr, val);
}

/* BAR0_WINDOW: address 39:16 in bits 23:0, target in 25:24 with the codes of a PTE's aperture. */
static u64 pramin_addr(const struct gpu *gpu, u32 addr)
{
	return (bits(gpu->pbus.bar0_window, 23, 0) << 16) + (addr - PRAMIN_FIRST);
}

static enum aperture pramin_target(const struct gpu *gpu)
{
	return bits(gpu->pbus.bar0_window, 25, 24);
}

static u32 pramin_read(struct gpu *gpu, u32 addr)
{
	return mem_read32(gpu, pramin_target(gpu), pramin_addr(gpu, addr), CLIENT_CPU);
}

static void pramin_write(struct gpu *gpu, u32 addr, u32 val)
{
	/* a write that nobody takes is lost, and logged by mem_write() */
	(void)mem_write32(gpu, pramin_target(gpu), pramin_addr(gpu, addr), val, CLIENT_CPU);
}

static const struct mmio_range bar_ranges[] = {
	{ PBUS_BAR0_WINDOW, PBUS_BAR2_BLOCK + 3, "PBUS", window_read, window_write },
	{ PRAMIN_FIRST, PRAMIN_LAST, "PRAMIN", pramin_read, pramin_write },
};

static void bar_init(struct gpu *gpu)
{
	for (size_t i = 0; i < ARRAY_SIZE(bar_ranges); i++)
		mmio_register(gpu, &bar_ranges[i]);
}

static void bar_reset(struct gpu *gpu)
{
	gpu->pbus.bar0_window = 0;
	bar_bind(gpu, &gpu->bars.bar1, 0);
	bar_bind(gpu, &gpu->bars.bar2, 0);
}

const struct unit bar_unit = { .name = "BAR", .init = bar_init, .reset = bar_reset };
