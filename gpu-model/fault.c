/* SPDX-License-Identifier: MIT */
/*
 * MMU faults as software sees them: registers of each unit for fatal ones, a buffer in memory
 * for replayable ones. Source: published GP100 dev_fault.h, clb069.h; gp106 hw_fifo. On this
 * chip the buffer's address is virtual, in BAR2's space.
 */
#include <stdatomic.h>
#include <string.h>

#include "gpu.h"
#include "pfifo.h"

enum {
	PFIFO_FAULT_INST_0 = 0x002800, /* then LO, HI, INFO; 16 bytes a unit */
	PFIFO_FAULT_LAST = 0x0029ff,
	PFIFO_REPLAY_FAULT_BUFFER_LO = 0x002a70,
	PFIFO_REPLAY_FAULT_BUFFER_HI = 0x002a74,
	PFIFO_REPLAY_FAULT_BUFFER_SIZE = 0x002a78,
	PFIFO_REPLAY_FAULT_BUFFER_GET = 0x002a7c,
	PFIFO_REPLAY_FAULT_BUFFER_PUT = 0x002a80,
	PFIFO_REPLAY_FAULT_BUFFER_INFO = 0x002a84,
};

#define BUFFER_ENABLE BIT(0)
#define BUFFER_INDEX  0x3fff

#define INFO_OVERFLOW	    BIT(0)
#define INFO_WRITE_NACK	    BIT(24)
#define INFO_WHILE_DISABLED BIT(28)

#define ENTRY_WORDS 8
#define ENTRY_VALID BIT(31)
#define PAGE_MASK   UINT64_C(0xfff)

/* Type, client, access and GPC lie the same way in the registers and in an entry's last word. */
static u32 info_word(const struct fault_info *info)
{
	return (u32)info->type | info->client << 8 | (u32)info->access << 16 |
	       (info->hub ? BIT(20) : 0) | info->gpc << 24;
}

void fault_report(struct gpu *gpu, const struct fault_info *info)
{
	struct fault_regs *regs = &gpu->fault.unit[info->unit];

	gpu->fault.reported++;
	gpu_log(gpu, GPU_WARN, "MMU fault: unit %u type %x access %x client %s %#x at %#llx",
		info->unit, info->type, info->access, info->hub ? "HUB" : "GPC", info->client,
		(unsigned long long)info->va);
	if (gpu->host.state->mmu_fault & BIT(info->unit)) {
		/* the registers still hold one that software has not seen */
		host_raise(gpu, PFIFO_INTR_DROPPED_MMU_FAULT);
		return;
	}
	*regs = (struct fault_regs){
		.inst = (u32)info->inst_aperture << 28 | (info->inst >> 12 & 0x0fffffff),
		.va_lo = (u32)info->va,
		.va_hi = (u32)(info->va >> 32),
		.info = info_word(info),
	};
	host_set_mmu_fault(gpu, info->unit);
}

/* A level, so that software finds what it has not yet taken out whenever it unmasks. */
static void buffer_update(struct gpu *gpu)
{
	const struct fault *fault = &gpu->fault;

	pmc_set_intr(gpu, PMC_INTR_REPLAYABLE_FAULT,
		     (fault->buffer_lo & BUFFER_ENABLE) && fault->get != fault->put);
}

static void buffer_error(struct gpu *gpu, u32 info)
{
	gpu->fault.info |= info;
	host_raise(gpu, PFIFO_INTR_REPLAYABLE_FAULT_ERROR);
}

bool fault_buffer_push(struct gpu *gpu, const struct fault_info *info)
{
	struct fault *fault = &gpu->fault;
	u32 size = gpu->config.fault_entries, put = fault->put;
	u64 base = bits(fault->buffer_hi, 7, 0) << 32 | (fault->buffer_lo & 0xfffff000);
	u64 now = ptimer_now(gpu), inst = info->inst >> 12, va = info->va & ~PAGE_MASK, fault_va;
	const u32 entry[ENTRY_WORDS] = {
		(u32)info->inst_aperture << 8 | (u32)inst << 12,
		(u32)(inst >> 20),
		(u32)va,
		(u32)(va >> 32),
		(u32)now,
		(u32)(now >> 32),
		0,
		info_word(info) | ENTRY_VALID,
	};

	if (!(fault->buffer_lo & BUFFER_ENABLE)) {
		buffer_error(gpu, INFO_WHILE_DISABLED);
		return false;
	}
	if (put >= size || fault->get == (put + 1) % size) {
		fault->overflows++;
		buffer_error(gpu, INFO_OVERFLOW);
		return false;
	}
	/* VALID, in the last word, is written last */
	base += (u64)put * sizeof(entry);
	if (mmu_write(gpu, bar2_space(gpu), base, entry, sizeof(entry) - 4, CLIENT_OTHER,
		      &fault_va) != MMU_FAULT_NONE) {
		buffer_error(gpu, INFO_WRITE_NACK);
		return false;
	}
	atomic_thread_fence(memory_order_release);
	if (mmu_write(gpu, bar2_space(gpu), base + sizeof(entry) - 4, &entry[ENTRY_WORDS - 1], 4,
		      CLIENT_OTHER, &fault_va) != MMU_FAULT_NONE) {
		buffer_error(gpu, INFO_WRITE_NACK);
		return false;
	}
	gpu->fault.reported++;
	fault->put = (put + 1) % size;
	buffer_update(gpu);
	return true;
}

static u32 unit_read(struct gpu *gpu, u32 addr)
{
	const struct fault_regs *regs = &gpu->fault.unit[(addr - PFIFO_FAULT_INST_0) / 16];

	switch (addr % 16) {
	case 0x0:
		return regs->inst;
	case 0x4:
		return regs->va_lo;
	case 0x8:
		return regs->va_hi;
	}
	return regs->info;
}

static void unit_write(struct gpu *gpu, u32 addr, u32 val)
{
	/* read-only */
	(void)gpu;
	(void)addr;
	(void)val;
}

static u32 buffer_read(struct gpu *gpu, u32 addr)
{
	switch (addr) {
	case PFIFO_REPLAY_FAULT_BUFFER_LO:
		return gpu->fault.buffer_lo;
	case PFIFO_REPLAY_FAULT_BUFFER_HI:
		return gpu->fault.buffer_hi;
	case PFIFO_REPLAY_FAULT_BUFFER_SIZE:
		return gpu->config.fault_entries;
	case PFIFO_REPLAY_FAULT_BUFFER_GET:
		return gpu->fault.get;
	case PFIFO_REPLAY_FAULT_BUFFER_PUT:
		return gpu->fault.put;
	}
	return gpu->fault.info;
}

static void buffer_write(struct gpu *gpu, u32 addr, u32 val)
{
	switch (addr) {
	case PFIFO_REPLAY_FAULT_BUFFER_LO:
		gpu->fault.buffer_lo = val & ~(UINT32_C(0xfff) & ~BUFFER_ENABLE);
		break;
	case PFIFO_REPLAY_FAULT_BUFFER_HI:
		gpu->fault.buffer_hi = val & 0xff;
		break;
	case PFIFO_REPLAY_FAULT_BUFFER_GET:
		gpu->fault.get = val & BUFFER_INDEX;
		break;
	case PFIFO_REPLAY_FAULT_BUFFER_INFO:
		gpu->fault.info &= ~val;
		break;
	}
	buffer_update(gpu);
}

static const struct mmio_range fault_ranges[] = {
	{ PFIFO_FAULT_INST_0, PFIFO_FAULT_LAST, "FAULT", unit_read, unit_write },
	{ PFIFO_REPLAY_FAULT_BUFFER_LO, PFIFO_REPLAY_FAULT_BUFFER_INFO + 3, "FAULT", buffer_read,
	  buffer_write },
};

static void fault_reset(struct gpu *gpu)
{
	const struct fault counters = {
		.reported = gpu->fault.reported,
		.overflows = gpu->fault.overflows,
	};

	gpu->fault = counters;
	buffer_update(gpu);
}

static void fault_init(struct gpu *gpu)
{
	for (size_t i = 0; i < ARRAY_SIZE(fault_ranges); i++)
		mmio_register(gpu, &fault_ranges[i]);
}

const struct unit fault_unit = { .name = "FAULT", .init = fault_init, .reset = fault_reset };
