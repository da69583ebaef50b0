/* SPDX-License-Identifier: MIT */
/*
 * Bus-master DMA of one GPU: addresses on its side of the PCIe link.
 * Guest RAM that QEMU announced with a file is accessed in place; everything
 * else, a peer's BAR1 included, is up to bus_ops (peer.c).
 */
#ifndef BUS_H
#define BUS_H

#include "dma_map.h"
#include "types.h"

struct gpu;

/* Physical address space of an access, with the codes of a PTE's APERTURE field. */
enum aperture {
	APERTURE_VIDMEM = 0,
	APERTURE_PEER = 1,
	APERTURE_SYS_COH = 2,
	APERTURE_SYS_NCOH = 3,
};

/* Who asks: decides in which counter the bytes go. */
enum client {
	CLIENT_CPU,   /* the guest's CPUs through BAR1, BAR2, PRAMIN */
	CLIENT_HOST,  /* PBDMA: GP entries, pushbuffers, semaphores, USERD, runlists */
	CLIENT_CE,    /* copy-engine payload and semaphores */
	CLIENT_GR,    /* shaders, and what feeds and ends them */
	CLIENT_MMU,   /* page-table walks */
	CLIENT_OTHER, /* fault buffer, falcons */
	CLIENT_COUNT,
};

struct bus_ops {
	/*
	 * One DMA request to the other side of the link, completed when this
	 * returns: 0, or a negative errno (nobody decodes the address, bus
	 * master off, IOMMU fault). Called without gpu->lock.
	 */
	int (*dma_read)(void *ctx, u64 addr, void *buf, size_t len);
	int (*dma_write)(void *ctx, u64 addr, const void *buf, size_t len);
};

struct bus {
	struct dma_map map;
	const struct bus_ops *ops;
	void *ctx;
};

/*
 * Read or write physical memory. Caller holds gpu->lock.
 *
 * Returns 0, or -EIO when no one answers at that address, in which case a
 * read fills buf with ones (PCIe unsupported request) and a write is lost.
 * An access to the system apertures that is not announced guest RAM needs a
 * round trip through QEMU: on the engine thread the lock is DROPPED during it,
 * so callers must re-check what they rely on; on any other thread, where
 * QEMU may be waiting for us, it is refused with -EDEADLK and logged.
 * Without bus mastering (PCI COMMAND bit 2) system accesses fail.
 */
int mem_read(struct gpu *gpu, enum aperture aperture, u64 addr, void *buf, size_t len,
	     enum client client);
int mem_write(struct gpu *gpu, enum aperture aperture, u64 addr, const void *buf, size_t len,
	      enum client client);

/* Little-endian words; all ones when nobody answers. */
u32 mem_read32(struct gpu *gpu, enum aperture aperture, u64 addr, enum client client);
u64 mem_read64(struct gpu *gpu, enum aperture aperture, u64 addr, enum client client);
int mem_write32(struct gpu *gpu, enum aperture aperture, u64 addr, u32 val, enum client client);

#endif
