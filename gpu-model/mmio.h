/* SPDX-License-Identifier: MIT */
/*
 * BAR0 register router, and the burn-down: which registers the guest touched
 * that no unit models.
 */
#ifndef MMIO_H
#define MMIO_H

#include <stdio.h>

#include "types.h"

struct gpu;

#define BAR0_SIZE UINT32_C(0x1000000)

/*
 * Registers first..last (byte addresses, inclusive) belong to a unit. Handlers get the BAR0
 * address, aligned to 4, with gpu->lock held. A handler that meets a register of its range it
 * does not model calls mmio_unmodelled_read()/_write(): plain storage that shows in the burn-down.
 */
struct mmio_range {
	u32 first, last;
	const char *unit;
	u32 (*read)(struct gpu *gpu, u32 addr);
	void (*write)(struct gpu *gpu, u32 addr, u32 val);
};

/*
 * Registers that are mere storage, or constants (writable = 0). "count" registers
 * lie "stride" bytes apart. Named as NVIDIA publishes them where it does.
 */
struct mmio_plain {
	u32 addr;
	const char *name;
	u32 reset;
	u32 writable; /* mask of writable bits */
	u32 count, stride;
};

struct mmio;

/* Called from unit init. Ranges must not overlap; a plain register inside a range overrides it. */
void mmio_register(struct gpu *gpu, const struct mmio_range *range);
void mmio_register_plain(struct gpu *gpu, const struct mmio_plain *regs, size_t count);

/* Stored value of a plain register, from inside the model. */
u32 mmio_peek(struct gpu *gpu, u32 addr);

u32 mmio_unmodelled_read(struct gpu *gpu, u32 addr);
void mmio_unmodelled_write(struct gpu *gpu, u32 addr, u32 val);

/* An access of the guest: 1, 2, 4 or 8 bytes, naturally aligned. Caller holds gpu->lock. */
u64 mmio_read(struct gpu *gpu, u32 addr, unsigned int size);
void mmio_write(struct gpu *gpu, u32 addr, u64 val, unsigned int size);

/* Made before any unit registers, and forgotten after the last. */
void mmio_init(struct gpu *gpu);
void mmio_fini(struct gpu *gpu);
/* Plain registers to their reset values, unmodelled ones to 0; what was touched stays known. */
void mmio_reset(struct gpu *gpu);

/* One line for each register touched that no unit models; returns their number. */
unsigned int mmio_burn_down(struct gpu *gpu, FILE *out);

/*
 * The next access of a register holds up who makes it for so long, once: as a hypervisor does
 * that gives the CPU to others there. 0 us: none does. Caller holds gpu->lock.
 */
void mmio_hold(struct gpu *gpu, u32 addr, u32 us);
/* How long the access just made is to be held up, in us; asked for after it, under its lock. */
u32 mmio_held(struct gpu *gpu);

struct mmio {
	struct mmio_table *table;
	u64 reads, writes;
	u32 hold_addr, hold_us, held_us;
};

#endif
