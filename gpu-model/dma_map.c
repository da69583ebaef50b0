/* SPDX-License-Identifier: MIT */
/* See dma_map.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "dma_map.h"

void dma_map_init(struct dma_map *map)
{
	*map = (struct dma_map){ 0 };
}

void dma_map_fini(struct dma_map *map)
{
	dma_map_remove(map, 0, UINT64_MAX);
	free(map->range);
}

/* Index of the first entry that ends after addr. */
static size_t lower_bound(const struct dma_map *map, u64 addr)
{
	size_t low = 0, high = map->count;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (map->range[mid].addr + (map->range[mid].size - 1) < addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

int dma_map_add(struct dma_map *map, const struct dma_range *range)
{
	struct dma_range *grown;
	size_t at;

	if (!range->size || range->addr + (range->size - 1) < range->addr)
		return -EINVAL;
	at = lower_bound(map, range->addr);
	if (at < map->count && map->range[at].addr <= range->addr + (range->size - 1))
		return -EEXIST;
	if (map->count == map->room) {
		size_t room = map->room ? 2 * map->room : 64;

		grown = realloc(map->range, room * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		map->range = grown;
		map->room = room;
	}
	memmove(&map->range[at + 1], &map->range[at], (map->count - at) * sizeof(*map->range));
	map->range[at] = *range;
	map->count++;
	map->generation++;
	return 0;
}

void dma_map_remove(struct dma_map *map, u64 addr, u64 size)
{
	u64 last = size && addr + (size - 1) >= addr ? addr + (size - 1) : UINT64_MAX;
	size_t first = lower_bound(map, addr), end = first;

	if (!size)
		return;
	map->generation++; /* what was not in the map may have been a way to a peer */
	for (; end < map->count && map->range[end].addr <= last; end++)
		if (map->range[end].memory)
			munmap(map->range[end].memory, map->range[end].size);
	if (first == end)
		return;
	memmove(&map->range[first], &map->range[end], (map->count - end) * sizeof(*map->range));
	map->count -= end - first;
}

const struct dma_range *dma_map_find(const struct dma_map *map, u64 addr)
{
	size_t at = lower_bound(map, addr);

	return at < map->count && map->range[at].addr <= addr ? &map->range[at] : NULL;
}

const struct dma_range *dma_map_next(const struct dma_map *map, u64 addr)
{
	size_t at = lower_bound(map, addr);

	return at < map->count ? &map->range[at] : NULL;
}
