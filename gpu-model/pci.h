/* SPDX-License-Identifier: MIT */
/*
 * The PCI function: configuration space, BARs, MSI. QEMU emulates parts of it for the guest
 * (BARs, MSI) and forwards every write, so that this copy knows what the guest has set.
 */
#ifndef PCI_H
#define PCI_H

#include "types.h"

struct gpu;

#define PCI_CONFIG_BYTES 4096
#define PCI_BAR_COUNT	 6

struct pci_function {
	u8 config[PCI_CONFIG_BYTES];
	u8 writable[PCI_CONFIG_BYTES];
	u64 bar_size[PCI_BAR_COUNT]; /* 0: none, or the upper half of the one before */
	u64 generation;		     /* counts writes: what a proven peer path depends on */
	/* What goes wrong with MSIs on purpose, and when the one is due that is late. */
	u32 msi_delay_us, msi_drop;
	u64 msi_due_ns; /* 0: none is under way */
	bool msi_lost;	/* the latest */
	/* How an MSI leaves; set by whoever connects the GPU. */
	void (*irq)(void *ctx);
	void *irq_ctx;
};

/* Power-on contents. Caller holds gpu->lock for these and all below. */
void pci_init(struct gpu *gpu);
/* Conventional reset: what is writable goes back to its power-on value. */
void pci_reset(struct gpu *gpu);

/* 1, 2 or 4 bytes at any offset; past the end, reads give ones. */
u32 pci_config_read(struct gpu *gpu, u32 offset, unsigned int size);
void pci_config_write(struct gpu *gpu, u32 offset, u32 val, unsigned int size);

bool pci_bus_master(const struct gpu *gpu);
/* Bus address of a BAR; false while it is not decoded. */
bool pci_bar_address(const struct gpu *gpu, unsigned int bar, u64 *addr);
/* Send the MSI, if software has set one up. */
void pci_msi_send(struct gpu *gpu);
/* The next ones get lost; with 0 no more do, and the latest arrives if it was lost. */
void pci_msi_drop(struct gpu *gpu, u32 count);
/* On the engine thread: send the one that was to be late. As engine_step() for what it returns. */
u64 pci_run(struct gpu *gpu);

#endif
