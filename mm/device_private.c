// SPDX-License-Identifier: GPL-2.0
/*
 * Device-private memory: struct pages of memory that the CPU cannot address.
 */
#include <linux/cleanup.h>
#include <linux/device.h>
#include <linux/device_private.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/kasan.h>
#include <linux/leafops.h>
#include <linux/maple_tree.h>
#include <linux/memremap.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include "internal.h"
#include "mm_init.h"

/**
 * DOC: device-private memory
 *
 * The struct pages of all device-private memory are in one array, for which
 * nothing but kernel address space is reserved.  The index of a page is its place
 * there, so that page and index are an addition apart, and to be device-private
 * is to have an address in the array.
 *
 * device_private_register() gives a page map a range of indices.  That is all:
 * struct pages come, a granule of device memory at a time, when
 * device_private_populate() asks for the first page of the granule, and go some
 * time after device_private_depopulate() was called for the last one.  Before
 * they go, there is a grace period of RCU, as code that reads page tables without
 * their lock, hmm_range_fault() for one, may look at a page that is free by then.
 *
 * The array is aligned as large as folios get, as compound_head() wants it.
 */

/*
 * As small as it can be while its struct pages, which have a multiple of 8 bytes,
 * fill whole pages. That is a PMD where entries have 8 bytes; but how large a PMD
 * is, powerpc knows only once it runs.
 */
#define GRANULE_ORDER	(PAGE_SHIFT - 3)
#define GRANULE_NR	(1UL << GRANULE_ORDER)
#define GRANULE_BYTES	(GRANULE_NR * sizeof(struct page))
#define GRANULE_PAGES	(GRANULE_BYTES / PAGE_SIZE)

/* Enough for 256 TiB of device memory, if pages have 4 KiB. */
#define ARRAY_BYTES	(4UL << 40)

struct granule {
	unsigned long nr;
	unsigned long users;		/* populated pages; under drained_lock */
	struct list_head drained;
	struct page *pages[GRANULE_PAGES];
};

unsigned long device_private_base __ro_after_init;
EXPORT_SYMBOL_GPL(device_private_base);
unsigned long device_private_size __ro_after_init;
EXPORT_SYMBOL_GPL(device_private_size);

static struct vm_struct *array_area __ro_after_init;

/* Ranges of granules that belong to page maps. */
static DEFINE_MTREE(pgmap_tree);

/* Granules that have struct pages; changed under granules_mutex. */
static DEFINE_XARRAY(granules);
static DEFINE_MUTEX(granules_mutex);

/* Granules without users, until they are gone or have users again. */
static LIST_HEAD(drained_granules);
static DEFINE_SPINLOCK(drained_lock);

static void granules_reclaim(struct work_struct *work);
static DECLARE_DELAYED_WORK(granules_reclaim_work, granules_reclaim);

static unsigned long granule_start(const struct granule *granule)
{
	return device_private_base + granule->nr * GRANULE_BYTES;
}

static void granule_free(struct granule *granule)
{
	int i;

	for (i = 0; i < GRANULE_PAGES && granule->pages[i]; i++) {
		__free_page(granule->pages[i]);
		memmap_pages_add(-1L);
	}
	kfree(granule);
}

static struct granule *granule_alloc(unsigned long nr, int nid)
{
	struct granule *granule;
	int i;

	granule = kzalloc_obj(*granule);
	if (!granule)
		return NULL;
	granule->nr = nr;
	INIT_LIST_HEAD(&granule->drained);
	for (i = 0; i < GRANULE_PAGES; i++) {
		granule->pages[i] = alloc_pages_node(nid, GFP_KERNEL, 0);
		if (!granule->pages[i]) {
			granule_free(granule);
			return NULL;
		}
		memmap_pages_add(1L);
	}
	return granule;
}

static void granule_unmap(struct granule *granule)
{
	unsigned long start = granule_start(granule);

	vm_area_unmap_pages(array_area, start, start + GRANULE_BYTES);
	granule_free(granule);
}

static int granule_map(struct granule *granule, struct dev_pagemap *pgmap)
{
	unsigned long start = granule_start(granule);
	struct page *page = (struct page *)start;
	int ret, i;

	ret = vm_area_map_pages(array_area, start, start + GRANULE_BYTES,
				granule->pages);
	if (ret)
		return ret;

	for (i = 0; i < GRANULE_NR; i++)
		init_device_private_page(page + i, pgmap->private.nid, pgmap);

	ret = xa_err(xa_store(&granules, granule->nr, granule, GFP_KERNEL));
	if (ret)
		vm_area_unmap_pages(array_area, start, start + GRANULE_BYTES);
	return ret;
}

/* Free granules that are on @list and have no users. */
static void granules_free(struct list_head *list)
{
	struct granule *granule, *next;

	lockdep_assert_held(&granules_mutex);
	if (list_empty(list))
		return;
	list_for_each_entry(granule, list, drained)
		xa_erase(&granules, granule->nr);
	synchronize_rcu();
	list_for_each_entry_safe(granule, next, list, drained)
		granule_unmap(granule);
}

static void granules_reclaim(struct work_struct *work)
{
	LIST_HEAD(list);

	guard(mutex)(&granules_mutex);
	spin_lock_irq(&drained_lock);
	list_splice_init(&drained_granules, &list);
	spin_unlock_irq(&drained_lock);
	granules_free(&list);
}

static void granule_put(struct granule *granule, unsigned long nr_pages)
{
	unsigned long flags;

	spin_lock_irqsave(&drained_lock, flags);
	if (!WARN_ON_ONCE(!granule || granule->users < nr_pages)) {
		granule->users -= nr_pages;
		if (!granule->users) {
			list_add(&granule->drained, &drained_granules);
			schedule_delayed_work(&granules_reclaim_work, HZ);
		}
	}
	spin_unlock_irqrestore(&drained_lock, flags);
}

/* What has users stays: another needs neither memory nor the mutex for it. */
static bool granule_get_used(unsigned long nr, unsigned long nr_pages)
{
	struct granule *granule;

	guard(rcu)();
	guard(spinlock_irq)(&drained_lock);
	granule = xa_load(&granules, nr);
	if (!granule || !granule->users)
		return false;
	granule->users += nr_pages;
	return true;
}

static int granule_get(struct dev_pagemap *pgmap, unsigned long nr,
		       unsigned long nr_pages)
{
	struct granule *new = NULL, *granule;
	int ret = 0;

	if (granule_get_used(nr, nr_pages))
		return 0;

	/* Allocate without the mutex, which those who free memory may take. */
	if (!xa_load(&granules, nr)) {
		new = granule_alloc(nr, pgmap->private.nid);
		if (!new)
			return -ENOMEM;
	}

	guard(mutex)(&granules_mutex);
	granule = xa_load(&granules, nr);
	if (!granule) {
		if (!new)
			return -EAGAIN;
		ret = granule_map(new, pgmap);
		if (!ret) {
			granule = new;
			new = NULL;
		}
	}
	if (granule) {
		spin_lock_irq(&drained_lock);
		granule->users += nr_pages;
		list_del_init(&granule->drained);
		spin_unlock_irq(&drained_lock);
	}
	if (new)
		granule_free(new);
	return ret;
}

static unsigned long pgmap_first_granule(const struct dev_pagemap *pgmap)
{
	return (__force unsigned long)pgmap->private.first >> GRANULE_ORDER;
}

static unsigned long pgmap_nr_granules(const struct dev_pagemap *pgmap)
{
	return DIV_ROUND_UP(pgmap->private.nr_pages, GRANULE_NR);
}

static bool pgmap_has_pages(const struct dev_pagemap *pgmap,
			    unsigned long first, unsigned long nr_pages)
{
	return first <= pgmap->private.nr_pages &&
	       nr_pages <= pgmap->private.nr_pages - first;
}

/* How many of the pages [first, end) are in the granule of the first one? */
static unsigned long pages_in_granule(unsigned long first, unsigned long end)
{
	return min(end, ALIGN(first + 1, GRANULE_NR)) - first;
}

/**
 * device_private_populate() - get the struct pages of some pages
 * @pgmap: the page map
 * @first: the first page, counted from the start of @pgmap
 * @nr_pages: how many
 *
 * After that, device_private_page() may be accessed for each of them, until
 * device_private_depopulate() was called as often.
 *
 * Context: May sleep.
 * Return: 0; -EINVAL if @pgmap has no such pages; -ENOMEM.
 */
int device_private_populate(struct dev_pagemap *pgmap, unsigned long first,
			    unsigned long nr_pages)
{
	const unsigned long end = first + nr_pages;
	unsigned long i, n;
	int ret;

	if (WARN_ON_ONCE(!pgmap_has_pages(pgmap, first, nr_pages)))
		return -EINVAL;

	for (i = first; i < end; i += n) {
		const unsigned long nr = pgmap_first_granule(pgmap) +
					 (i >> GRANULE_ORDER);

		n = pages_in_granule(i, end);
		do {
			ret = granule_get(pgmap, nr, n);
		} while (ret == -EAGAIN);
		if (ret) {
			device_private_depopulate(pgmap, first, i - first);
			return ret;
		}
		cond_resched();
	}
	return 0;
}
EXPORT_SYMBOL_GPL(device_private_populate);

/**
 * device_private_depopulate() - give back the struct pages of some pages
 * @pgmap: the page map
 * @first: the first page, counted from the start of @pgmap
 * @nr_pages: how many
 *
 * The pages must be free, and are not to be accessed any more.  The numbers need
 * not be those of one call of device_private_populate(): what counts is each page.
 *
 * Context: Any, so that &dev_pagemap_ops.folio_free may call it.
 */
void device_private_depopulate(struct dev_pagemap *pgmap, unsigned long first,
			       unsigned long nr_pages)
{
	const unsigned long end = first + nr_pages;
	unsigned long i, n;

	if (WARN_ON_ONCE(!pgmap_has_pages(pgmap, first, nr_pages)))
		return;

	for (i = first; i < end; i += n) {
		n = pages_in_granule(i, end);
		granule_put(xa_load(&granules, pgmap_first_granule(pgmap) +
					       (i >> GRANULE_ORDER)), n);
	}
}
EXPORT_SYMBOL_GPL(device_private_depopulate);

/*
 * Is there a struct page of this device-private page?  If so, it stays until the
 * end of the RCU read-side critical section that the caller is in.
 */
bool device_private_page_exists(const struct page *page)
{
	const unsigned long index =
		(__force unsigned long)page_to_device_private_index(page);

	return xa_load(&granules, index >> GRANULE_ORDER);
}

static void pgmap_ref_release(struct percpu_ref *ref)
{
	complete(&container_of(ref, struct dev_pagemap, ref)->done);
}

static bool pgmap_is_complete(const struct dev_pagemap *pgmap)
{
	return pgmap->type == MEMORY_DEVICE_PRIVATE && pgmap->owner &&
	       pgmap->ops && pgmap->ops->migrate_to_ram &&
	       pgmap->ops->folio_free;
}

/**
 * device_private_register() - announce device-private memory
 * @pgmap: page map with @type, @ops and @owner filled in
 * @nr_pages: how many pages the device has
 * @nid: NUMA node that struct pages shall be on; if it is NUMA_NO_NODE, or not
 *	online, it is a node near the CPU that this runs on
 *
 * This costs nothing but numbers.  Before it hands out pages, the driver asks for
 * their struct pages with device_private_populate().  Page 0, and with it every
 * page whose number is a multiple of the size of a folio, can be the first page of
 * such a folio, up to the size of a PMD.
 *
 * Context: May sleep.
 * Return: 0; -EINVAL if @pgmap is not complete; -ENOSPC if there is no room for
 * so many pages; -ENOMEM.
 */
int device_private_register(struct dev_pagemap *pgmap, unsigned long nr_pages,
			    int nid)
{
	const unsigned long max = device_private_size / GRANULE_BYTES;
	unsigned long granule;
	int ret;

	if (WARN_ON_ONCE(!pgmap_is_complete(pgmap) || !nr_pages))
		return -EINVAL;
	if (nr_pages > max << GRANULE_ORDER)
		return -ENOSPC;

	/* Struct pages carry the node, and what charges pages looks it up. */
	if (!numa_valid_node(nid) || !node_online(nid))
		nid = numa_mem_id();
	pgmap->private.nr_pages = nr_pages;
	pgmap->private.nid = nid;

	init_completion(&pgmap->done);
	ret = percpu_ref_init(&pgmap->ref, pgmap_ref_release, 0, GFP_KERNEL);
	if (ret)
		return ret;

	ret = mtree_alloc_range(&pgmap_tree, &granule, pgmap,
				pgmap_nr_granules(pgmap), 0, max - 1,
				GFP_KERNEL);
	if (ret) {
		percpu_ref_exit(&pgmap->ref);
		return ret == -EBUSY ? -ENOSPC : ret;
	}
	pgmap->private.first = (__force device_private_index_t)
			       (granule << GRANULE_ORDER);
	return 0;
}
EXPORT_SYMBOL_GPL(device_private_register);

/**
 * device_private_unregister() - take back device-private memory
 * @pgmap: what device_private_register() was called with
 *
 * Waits until all pages are free: the driver first migrates to system memory
 * what is in use, and allocates no more.  Struct pages that are still populated
 * go.
 *
 * Context: May sleep.
 */
void device_private_unregister(struct dev_pagemap *pgmap)
{
	const unsigned long first = pgmap_first_granule(pgmap);
	const unsigned long last = first + pgmap_nr_granules(pgmap) - 1;
	struct granule *granule;
	unsigned long nr;
	LIST_HEAD(list);

	percpu_ref_kill(&pgmap->ref);
	wait_for_completion(&pgmap->done);
	percpu_ref_exit(&pgmap->ref);

	scoped_guard(mutex, &granules_mutex) {
		spin_lock_irq(&drained_lock);
		xa_for_each_range(&granules, nr, granule, first, last)
			list_move(&granule->drained, &list);
		spin_unlock_irq(&drained_lock);
		granules_free(&list);
	}
	mtree_erase(&pgmap_tree, first);
}
EXPORT_SYMBOL_GPL(device_private_unregister);

static void devm_device_private_release(void *pgmap)
{
	device_private_unregister(pgmap);
}

/**
 * devm_device_private_register() - announce device-private memory of a device
 * @dev: the device
 * @pgmap: page map with @type, @ops and @owner filled in
 * @nr_pages: how many pages the device has
 *
 * As device_private_register(), on the node of @dev, until its driver is unbound.
 *
 * Context: May sleep.
 * Return: 0 or what device_private_register() returns.
 */
int devm_device_private_register(struct device *dev, struct dev_pagemap *pgmap,
				 unsigned long nr_pages)
{
	int ret;

	ret = device_private_register(pgmap, nr_pages, dev_to_node(dev));
	if (ret)
		return ret;
	return devm_add_action_or_reset(dev, devm_device_private_release, pgmap);
}
EXPORT_SYMBOL_GPL(devm_device_private_register);

/**
 * devm_device_private_unregister() - take back the memory of a device early
 * @dev: the device
 * @pgmap: what devm_device_private_register() was called with
 *
 * Context: May sleep.
 */
void devm_device_private_unregister(struct device *dev,
				    struct dev_pagemap *pgmap)
{
	devm_release_action(dev, devm_device_private_release, pgmap);
}
EXPORT_SYMBOL_GPL(devm_device_private_unregister);

#ifdef CONFIG_DEBUG_VM
/* Called by page_to_pfn() of a page that has none: what it returns is wrong. */
void device_private_warn_pfn(const struct page *page)
{
	WARN_ONCE(1, "PFN of device-private page %p\n", page);
}
EXPORT_SYMBOL_GPL(device_private_warn_pfn);
#endif

static unsigned long __init array_bytes(void)
{
	unsigned long space = (VMALLOC_END - VMALLOC_START) / 8;
	unsigned long bytes = ARRAY_BYTES;

	/* Leave vmalloc() its space where there is little of it. */
	space = rounddown_pow_of_two(space);
	bytes = min(bytes, space);
	/* The shadow is memory, for reserved address space, too. */
	if (IS_ENABLED(CONFIG_KASAN_VMALLOC))
		bytes = min(bytes, 512UL << 20);
	/* An index has to leave the tag alone. */
	return min(bytes, DEVICE_PRIVATE_TAG * sizeof(struct page));
}

static int __init device_private_init(void)
{
	const unsigned long align = MAX_FOLIO_NR_PAGES * sizeof(struct page);
	const unsigned long bytes = array_bytes();

	BUILD_BUG_ON(GRANULE_BYTES % PAGE_SIZE);
	/* Page numbers fit where they are stored. */
	BUILD_BUG_ON(SWP_PAGENO_BITS > SWP_TYPE_SHIFT);
	BUILD_BUG_ON(SWP_PAGENO_BITS + MIGRATE_PFN_SHIFT > BITS_PER_LONG);
	BUILD_BUG_ON(__swp_offset(__swp_entry(0, SWP_PAGENO_MASK)) !=
		     SWP_PAGENO_MASK);

	array_area = get_vm_area(bytes + align, VM_SPARSE);
	if (!array_area) {
		pr_warn("device-private: no address space for struct pages\n");
		return 0;
	}
	device_private_base = ALIGN((unsigned long)
				    kasan_reset_tag(array_area->addr), align);
	mt_init_flags(&pgmap_tree, MT_FLAGS_ALLOC_RANGE);
	/* Last, as it is what makes pages device-private. */
	device_private_size = bytes;
	return 0;
}
subsys_initcall(device_private_init);
