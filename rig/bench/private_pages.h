/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a driver has device-private memory: one interface, with the kernel's own
 * way behind it, by PFN or by index.
 */
#ifndef PRIVATE_PAGES_H
#define PRIVATE_PAGES_H

#include <linux/ioport.h>
#include <linux/memremap.h>
#include <linux/migrate.h>
#include <linux/mm.h>

#if __has_include(<linux/device_private.h>)
#include <linux/device_private.h>

static inline int private_register(struct dev_pagemap *pgmap, unsigned long pages)
{
	return device_private_register(pgmap, pages, NUMA_NO_NODE);
}

static inline void private_unregister(struct dev_pagemap *pgmap)
{
	device_private_unregister(pgmap);
}

static inline int private_populate(struct dev_pagemap *pgmap, unsigned long pages)
{
	return device_private_populate(pgmap, 0, pages);
}

static inline struct page *private_page(struct dev_pagemap *pgmap, unsigned long nr)
{
	return device_private_page(pgmap, nr);
}

static inline unsigned long private_entry(struct page *page)
{
	return migrate_pfn_from_page(page);
}

static inline unsigned long page_to_index(struct page *page)
{
	return (__force unsigned long)page_to_device_private_index(page);
}

static inline struct page *index_to_page(unsigned long index)
{
	return device_private_index_to_page((__force device_private_index_t)index);
}

#else

#define page_to_index  page_to_pfn
#define index_to_page  pfn_to_page
#define page_to_pageno page_to_pfn
#define pageno_to_page pfn_to_page

static inline int private_register(struct dev_pagemap *pgmap, unsigned long pages)
{
	struct resource *res =
		request_free_mem_region(&iomem_resource, pages << PAGE_SHIFT, "bench_mm");
	void *mapped;

	if (IS_ERR(res))
		return PTR_ERR(res);
	pgmap->range = (struct range){ res->start, res->end };
	pgmap->nr_range = 1;
	mapped = memremap_pages(pgmap, NUMA_NO_NODE);
	if (IS_ERR(mapped))
		release_mem_region(res->start, resource_size(res));
	return PTR_ERR_OR_ZERO(mapped);
}

static inline void private_unregister(struct dev_pagemap *pgmap)
{
	memunmap_pages(pgmap);
	release_mem_region(pgmap->range.start, range_len(&pgmap->range));
}

/* All of them have been there since private_register(). */
static inline int private_populate(struct dev_pagemap *pgmap, unsigned long pages)
{
	return 0;
}

static inline struct page *private_page(struct dev_pagemap *pgmap, unsigned long nr)
{
	return pfn_to_page(PHYS_PFN(pgmap->range.start) + nr);
}

static inline unsigned long private_entry(struct page *page)
{
	return migrate_pfn(page_to_pfn(page));
}

#endif
#endif
