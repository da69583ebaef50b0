/* SPDX-License-Identifier: MIT */
/*
 * What QEMU has announced of the guest's bus address space: where guest RAM is, and in which
 * file. Any number of entries (a guest IOMMU makes thousands), kept in order of address.
 */
#ifndef DMA_MAP_H
#define DMA_MAP_H

#include "types.h"

struct dma_range {
	u64 addr, size;
	u8 *memory; /* mapped file, or NULL when QEMU gave none */
	bool writable;
};

struct dma_map {
	struct dma_range *range;
	size_t count, room;
	u64 generation; /* changes with every change */
};

void dma_map_init(struct dma_map *map);
void dma_map_fini(struct dma_map *map);
/* Takes over memory: it is unmapped with the entry. Returns 0 or a negative errno. */
int dma_map_add(struct dma_map *map, const struct dma_range *range);
/* Drop everything that touches the range: an unmap need not match what was mapped. */
void dma_map_remove(struct dma_map *map, u64 addr, u64 size);
/* The entry that holds an address, or NULL. */
const struct dma_range *dma_map_find(const struct dma_map *map, u64 addr);
/* The first entry above an address that no entry holds, or NULL. */
const struct dma_range *dma_map_next(const struct dma_map *map, u64 addr);

#endif
