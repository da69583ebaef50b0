// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of device-private memory without a device.
 */
#include <kunit/test.h>
#include <kunit/visibility.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/leafops.h>
#include <linux/memremap.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/swapops.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#define GRANULE_ORDER	(PAGE_SHIFT - 3)
#define GRANULE_NR	(1UL << GRANULE_ORDER)

static unsigned long freed_pages;

/* As drivers that allocate struct pages along with their memory do it. */
static void test_folio_free(struct folio *folio)
{
	struct dev_pagemap *pgmap = folio->pgmap;
	const unsigned long nr_pages = folio_nr_pages(folio);

	freed_pages += nr_pages;
	device_private_depopulate(pgmap,
				  device_private_page_nr(pgmap, &folio->page),
				  nr_pages);
}

static vm_fault_t test_migrate_to_ram(struct vm_fault *vmf)
{
	return VM_FAULT_SIGBUS;
}

static const struct dev_pagemap_ops test_ops = {
	.folio_free	= test_folio_free,
	.migrate_to_ram	= test_migrate_to_ram,
};

static struct dev_pagemap *new_pgmap(struct kunit *test)
{
	struct dev_pagemap *pgmap;

	pgmap = kunit_kzalloc(test, sizeof(*pgmap), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pgmap);
	pgmap->type = MEMORY_DEVICE_PRIVATE;
	pgmap->ops = &test_ops;
	pgmap->owner = pgmap;
	return pgmap;
}

static unsigned long capacity(void)
{
	return device_private_size / sizeof(struct page);
}

static bool is_populated(const struct dev_pagemap *pgmap, unsigned long nr)
{
	return vmalloc_to_page(device_private_page(pgmap, nr));
}

static bool becomes_unpopulated(const struct dev_pagemap *pgmap,
				unsigned long nr)
{
	int i;

	for (i = 0; i < 200 && is_populated(pgmap, nr); i++)
		msleep(100);
	return !is_populated(pgmap, nr);
}

static void test_exhaustion(struct kunit *test)
{
	struct dev_pagemap *a = new_pgmap(test), *b = new_pgmap(test);

	KUNIT_EXPECT_EQ(test, -ENOSPC,
			device_private_register(a, capacity() + 1, NUMA_NO_NODE));
	KUNIT_EXPECT_EQ(test, -ENOSPC,
			device_private_register(a, ULONG_MAX, NUMA_NO_NODE));

	KUNIT_ASSERT_EQ(test, 0, device_private_register(a, 1, NUMA_NO_NODE));
	KUNIT_EXPECT_EQ(test, -ENOSPC,
			device_private_register(b, capacity(), NUMA_NO_NODE));
	device_private_unregister(a);
}

static void test_reuse(struct kunit *test)
{
	struct dev_pagemap *a = new_pgmap(test), *b = new_pgmap(test);
	struct dev_pagemap *c = new_pgmap(test);
	struct page *page;

	KUNIT_ASSERT_EQ(test, 0, device_private_register(a, 3 * GRANULE_NR, 0));
	KUNIT_ASSERT_EQ(test, 0, device_private_register(b, 1, 0));
	page = device_private_page(a, 0);
	KUNIT_ASSERT_EQ(test, 0, device_private_populate(a, 0, 3 * GRANULE_NR));
	page->zone_device_data = a;
	device_private_unregister(a);
	KUNIT_EXPECT_NULL(test, vmalloc_to_page(page));

	KUNIT_ASSERT_EQ(test, 0, device_private_register(c, 3 * GRANULE_NR, 0));
	KUNIT_EXPECT_PTR_EQ(test, page, device_private_page(c, 0));
	KUNIT_ASSERT_EQ(test, 0, device_private_populate(c, 0, 1));
	KUNIT_EXPECT_PTR_EQ(test, c, page_pgmap(page));
	KUNIT_EXPECT_NULL(test, page->zone_device_data);
	device_private_unregister(c);
	device_private_unregister(b);
}

static void test_alignment(struct kunit *test)
{
	struct dev_pagemap *pgmaps[8];
	int i, j;

	for (i = 0; i < ARRAY_SIZE(pgmaps); i++) {
		const unsigned long nr_pages = i * GRANULE_NR + 1;
		struct page *page;

		pgmaps[i] = new_pgmap(test);
		KUNIT_ASSERT_EQ(test, 0,
				device_private_register(pgmaps[i], nr_pages, 0));
		page = device_private_page(pgmaps[i], 0);
		KUNIT_EXPECT_TRUE(test, IS_ALIGNED((__force unsigned long)
					page_to_device_private_index(page),
					GRANULE_NR));
		if (is_power_of_2(sizeof(struct page)))
			KUNIT_EXPECT_EQ(test, 0, (unsigned long)page %
					(GRANULE_NR * sizeof(struct page)));
		for (j = 0; j < i; j++) {
			struct page *other = device_private_page(pgmaps[j], 0);

			KUNIT_EXPECT_TRUE(test, page + nr_pages <= other ||
					  other + j * GRANULE_NR + 1 <= page);
		}
	}
	for (i = 0; i < ARRAY_SIZE(pgmaps); i++)
		device_private_unregister(pgmaps[i]);
}

static void test_population(struct kunit *test)
{
	struct dev_pagemap *pgmap = new_pgmap(test);
	struct page *page;

	KUNIT_ASSERT_EQ(test, 0,
			device_private_register(pgmap, 4 * GRANULE_NR, 0));
	KUNIT_EXPECT_FALSE(test, is_populated(pgmap, 0));

	/* The last page of granule 0, granule 1, the first one of granule 2. */
	KUNIT_ASSERT_EQ(test, 0, device_private_populate(pgmap, GRANULE_NR - 1,
							 GRANULE_NR + 2));
	KUNIT_EXPECT_TRUE(test, is_populated(pgmap, 0));
	KUNIT_EXPECT_TRUE(test, is_populated(pgmap, GRANULE_NR));
	KUNIT_EXPECT_TRUE(test, is_populated(pgmap, 2 * GRANULE_NR));
	KUNIT_EXPECT_FALSE(test, is_populated(pgmap, 3 * GRANULE_NR));

	page = device_private_page(pgmap, GRANULE_NR - 1);
	KUNIT_EXPECT_TRUE(test, is_device_private_page(page));
	KUNIT_EXPECT_TRUE(test, is_zone_device_page(page));
	KUNIT_EXPECT_PTR_EQ(test, pgmap, page_pgmap(page));
	KUNIT_EXPECT_EQ(test, 0, page_count(page));
	KUNIT_EXPECT_TRUE(test, node_online(page_to_nid(page)));
	KUNIT_EXPECT_EQ(test, GRANULE_NR - 1,
			device_private_page_nr(pgmap, page));

	/* As long as one page is wanted, its granule stays. */
	device_private_depopulate(pgmap, GRANULE_NR - 1, 1);
	device_private_depopulate(pgmap, GRANULE_NR, GRANULE_NR - 1);
	KUNIT_EXPECT_TRUE(test, becomes_unpopulated(pgmap, 0));
	KUNIT_EXPECT_TRUE(test, is_populated(pgmap, GRANULE_NR));
	KUNIT_EXPECT_TRUE(test, is_populated(pgmap, 2 * GRANULE_NR));
	device_private_depopulate(pgmap, 2 * GRANULE_NR - 1, 2);
	KUNIT_EXPECT_TRUE(test, becomes_unpopulated(pgmap, GRANULE_NR));
	KUNIT_EXPECT_TRUE(test, becomes_unpopulated(pgmap, 2 * GRANULE_NR));

	device_private_unregister(pgmap);
}

/* The node that struct pages are on that shall be on node @nid. */
static int node_of_pages(struct kunit *test, int nid)
{
	struct dev_pagemap *pgmap = new_pgmap(test);
	int is;

	KUNIT_ASSERT_EQ(test, 0, device_private_register(pgmap, 1, nid));
	is = pgmap->private.nid;
	KUNIT_ASSERT_TRUE_MSG(test, numa_valid_node(is) && node_online(is),
			      "node %d for node %d", is, nid);
	KUNIT_ASSERT_EQ(test, 0, device_private_populate(pgmap, 0, 1));
	KUNIT_EXPECT_EQ(test, is, page_to_nid(device_private_page(pgmap, 0)));
	device_private_unregister(pgmap);
	return is;
}

/* What is no node, or none that is online, gives way to one that is. */
static void test_nodes(struct kunit *test)
{
	int nid, offline = 0;

	for_each_online_node(nid)
		KUNIT_EXPECT_EQ(test, nid, node_of_pages(test, nid));

	/* With all of them online this is no node. */
	while (numa_valid_node(offline) && node_online(offline))
		offline++;
	node_of_pages(test, offline);
	node_of_pages(test, NUMA_NO_NODE);
	node_of_pages(test, INT_MIN);
	node_of_pages(test, MAX_NUMNODES);
	node_of_pages(test, INT_MAX);
}

static void test_repopulation(struct kunit *test)
{
	struct dev_pagemap *pgmap = new_pgmap(test);
	struct page *page;

	KUNIT_ASSERT_EQ(test, 0, device_private_register(pgmap, 2, 0));
	KUNIT_ASSERT_EQ(test, 0, device_private_populate(pgmap, 0, 1));
	page = device_private_page(pgmap, 0);
	page->zone_device_data = test;

	/* What is wanted again before it is gone does not go. */
	device_private_depopulate(pgmap, 0, 1);
	KUNIT_ASSERT_EQ(test, 0, device_private_populate(pgmap, 1, 1));
	msleep(3000);
	KUNIT_ASSERT_TRUE(test, is_populated(pgmap, 0));
	KUNIT_EXPECT_PTR_EQ(test, test, page->zone_device_data);

	/* What is gone comes as new. */
	device_private_depopulate(pgmap, 1, 1);
	KUNIT_ASSERT_TRUE(test, becomes_unpopulated(pgmap, 0));
	KUNIT_ASSERT_EQ(test, 0, device_private_populate(pgmap, 0, 2));
	KUNIT_EXPECT_NULL(test, page->zone_device_data);

	device_private_unregister(pgmap);
}

static void test_numbers(struct kunit *test)
{
	struct dev_pagemap *pgmap = new_pgmap(test);
	const unsigned long nrs[] = { 0, 1, GRANULE_NR, 3 * GRANULE_NR - 1 };
	int i;

	KUNIT_ASSERT_EQ(test, 0,
			device_private_register(pgmap, 3 * GRANULE_NR, 0));
	KUNIT_ASSERT_EQ(test, 0,
			device_private_populate(pgmap, 0, 3 * GRANULE_NR));
	for (i = 0; i < ARRAY_SIZE(nrs); i++) {
		struct page *page = device_private_page(pgmap, nrs[i]);
		const device_private_index_t index =
			page_to_device_private_index(page);
		const unsigned long mpfn = migrate_pfn_from_page(page);
		const unsigned long pageno = page_to_pageno(page);
		softleaf_t entry;

		KUNIT_EXPECT_PTR_EQ(test, page,
				    device_private_index_to_page(index));
		KUNIT_EXPECT_PTR_EQ(test, page, pageno_to_page(pageno));
		KUNIT_EXPECT_TRUE(test, pageno_is_device_private(pageno));
		/* No PFN, so that nothing takes it for one. */
		KUNIT_EXPECT_GE(test, pageno, BIT(MAX_PHYSMEM_BITS - PAGE_SHIFT));
		KUNIT_EXPECT_PTR_EQ(test, page, migrate_pfn_to_page(mpfn));

		entry = make_writable_device_private_entry_from_page(page);
		entry = softleaf_from_pte(softleaf_to_pte(entry));
		KUNIT_EXPECT_TRUE(test, softleaf_is_device_private_write(entry));
		KUNIT_EXPECT_PTR_EQ(test, page,
				    device_private_entry_to_page(entry));

		entry = make_readable_migration_entry_from_page(page);
		entry = softleaf_from_pte(softleaf_to_pte(entry));
		KUNIT_EXPECT_TRUE(test, softleaf_is_migration_read(entry));
		KUNIT_EXPECT_EQ(test, pageno, softleaf_to_pageno(entry));
	}
	device_private_unregister(pgmap);
}

/* A migration entry of @page is young and dirty when it is to be, and its number stays. */
static void expect_young_dirty(struct kunit *test, struct page *page)
{
	int bits;

	for (bits = 0; bits < 4; bits++) {
		const bool young = bits & 1, dirty = bits & 2;
		softleaf_t entry = make_writable_migration_entry_from_page(page);

		if (young)
			entry = make_migration_entry_young(entry);
		if (dirty)
			entry = make_migration_entry_dirty(entry);
		entry = softleaf_from_pte(softleaf_to_pte(entry));
		KUNIT_EXPECT_TRUE(test, softleaf_is_migration_write(entry));
		KUNIT_EXPECT_EQ(test, young, softleaf_is_migration_young(entry));
		KUNIT_EXPECT_EQ(test, dirty, softleaf_is_migration_dirty(entry));
		KUNIT_EXPECT_EQ(test, page_to_pageno(page), softleaf_to_pageno(entry));
	}
}

static void test_young_dirty(struct kunit *test)
{
	struct dev_pagemap *pgmap = new_pgmap(test);
	struct page *page;

	if (!migration_entry_supports_ad())
		kunit_skip(test, "no room for young and dirty bits in swap entries");
	KUNIT_ASSERT_EQ(test, 0, device_private_register(pgmap, 2, 0));
	KUNIT_ASSERT_EQ(test, 0, device_private_populate(pgmap, 0, 2));
	expect_young_dirty(test, device_private_page(pgmap, 0));
	expect_young_dirty(test, device_private_page(pgmap, 1));
	device_private_unregister(pgmap);

	page = alloc_page(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, page);
	expect_young_dirty(test, page);
	__free_page(page);
}

static void test_ram_numbers(struct kunit *test)
{
	struct page *page = alloc_page(GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_FALSE(test, is_device_private_page(page));
	KUNIT_EXPECT_EQ(test, page_to_pfn(page), page_to_pageno(page));
	KUNIT_EXPECT_PTR_EQ(test, page, pageno_to_page(page_to_pfn(page)));
	__free_page(page);
}

static void test_folio(struct kunit *test)
{
	struct dev_pagemap *pgmap = new_pgmap(test);
	struct folio *folio;
	unsigned long i;

	KUNIT_ASSERT_EQ(test, 0,
			device_private_register(pgmap, 2 * GRANULE_NR, 0));
	KUNIT_ASSERT_EQ(test, 0, device_private_populate(pgmap, GRANULE_NR,
							 GRANULE_NR));
	folio = (struct folio *)device_private_page(pgmap, GRANULE_NR);
	zone_device_folio_init(folio, pgmap, GRANULE_ORDER);

	KUNIT_EXPECT_TRUE(test, folio_is_device_private(folio));
	for (i = 0; i < GRANULE_NR; i++) {
		struct page *page = folio_page(folio, i);

		KUNIT_ASSERT_PTR_EQ(test, folio, page_folio(page));
		KUNIT_ASSERT_TRUE(test, is_device_private_page(page));
		KUNIT_ASSERT_EQ(test, folio_to_pageno(folio) + i,
				page_to_pageno(page));
	}

	freed_pages = 0;
	folio_unlock(folio);
	folio_put(folio);
	KUNIT_EXPECT_EQ(test, GRANULE_NR, freed_pages);
	KUNIT_EXPECT_TRUE(test, becomes_unpopulated(pgmap, GRANULE_NR));
	device_private_unregister(pgmap);
}

/* Flags of pages are flags of a folio in the second page of one. */
static void test_reused_page(struct kunit *test)
{
	struct dev_pagemap *pgmap = new_pgmap(test);
	struct folio *folio;
	struct page *page;

	KUNIT_ASSERT_EQ(test, 0, device_private_register(pgmap, GRANULE_NR, 0));
	KUNIT_ASSERT_EQ(test, 0, device_private_populate(pgmap, 0, GRANULE_NR));
	page = device_private_page(pgmap, 1);
	zone_device_page_init(page, pgmap, 0);
	folio_set_active(page_folio(page));
	folio_set_reclaim(page_folio(page));
	unlock_page(page);
	put_page(page);

	KUNIT_ASSERT_EQ(test, 0, device_private_populate(pgmap, 1, 1));
	folio = page_folio(device_private_page(pgmap, 0));
	zone_device_folio_init(folio, pgmap, GRANULE_ORDER);
	KUNIT_EXPECT_FALSE(test, folio_test_has_hwpoisoned(folio));
	KUNIT_EXPECT_FALSE(test, folio_test_partially_mapped(folio));
	KUNIT_EXPECT_TRUE(test, folio_test_large_rmappable(folio));
	folio_unlock(folio);
	folio_put(folio);

	device_private_unregister(pgmap);
}

/* One page in use, where there was a large folio, between granules without any. */
static void test_migrate_range(struct kunit *test)
{
	struct dev_pagemap *pgmap = new_pgmap(test);
	const unsigned long nr = GRANULE_NR + 5;
	unsigned long *src, *dst, i;
	struct folio *folio;

	src = kunit_kcalloc(test, 3 * GRANULE_NR, sizeof(*src), GFP_KERNEL);
	dst = kunit_kcalloc(test, 3 * GRANULE_NR, sizeof(*dst), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, src);
	KUNIT_ASSERT_NOT_NULL(test, dst);
	memset(src, 0xff, 3 * GRANULE_NR * sizeof(*src));

	KUNIT_ASSERT_EQ(test, 0,
			device_private_register(pgmap, 3 * GRANULE_NR, 0));
	KUNIT_ASSERT_EQ(test, 0, device_private_populate(pgmap, nr, 1));
	KUNIT_ASSERT_EQ(test, 0, device_private_populate(pgmap, GRANULE_NR,
							 GRANULE_NR));
	folio = (struct folio *)device_private_page(pgmap, GRANULE_NR);
	zone_device_folio_init(folio, pgmap, GRANULE_ORDER);
	folio_unlock(folio);
	folio_put(folio);

	folio = (struct folio *)device_private_page(pgmap, nr);
	zone_device_folio_init(folio, pgmap, 0);
	folio_unlock(folio);

	migrate_device_range(src, device_private_page(pgmap, 0), 3 * GRANULE_NR);
	for (i = 0; i < 3 * GRANULE_NR; i++)
		KUNIT_EXPECT_EQ(test, src[i], i != nr ? 0 :
				migrate_pfn_from_page(&folio->page) |
				MIGRATE_PFN_MIGRATE);
	KUNIT_EXPECT_TRUE(test, folio_test_locked(folio));
	migrate_device_pages(src, dst, 3 * GRANULE_NR);
	migrate_device_finalize(src, dst, 3 * GRANULE_NR);
	KUNIT_EXPECT_FALSE(test, folio_test_locked(folio));
	KUNIT_EXPECT_FALSE(test, is_populated(pgmap, 0));

	folio_put(folio);
	device_private_unregister(pgmap);
}

struct teardown {
	struct work_struct work;
	struct dev_pagemap *pgmap;
	struct completion done;
};

static void teardown_work(struct work_struct *work)
{
	struct teardown *teardown = container_of(work, struct teardown, work);

	device_private_unregister(teardown->pgmap);
	complete(&teardown->done);
}

static void test_teardown_in_use(struct kunit *test)
{
	struct teardown teardown = { .pgmap = new_pgmap(test) };
	struct dev_pagemap *pgmap = teardown.pgmap;
	struct folio *folio;

	KUNIT_ASSERT_EQ(test, 0, device_private_register(pgmap, 1, 0));
	KUNIT_ASSERT_EQ(test, 0, device_private_populate(pgmap, 0, 1));
	folio = (struct folio *)device_private_page(pgmap, 0);
	zone_device_folio_init(folio, pgmap, 0);
	folio_unlock(folio);

	init_completion(&teardown.done);
	INIT_WORK_ONSTACK(&teardown.work, teardown_work);
	schedule_work(&teardown.work);
	KUNIT_EXPECT_EQ(test, 0, wait_for_completion_timeout(&teardown.done,
							     HZ / 2));
	KUNIT_EXPECT_TRUE(test, is_populated(pgmap, 0));

	folio_put(folio);
	wait_for_completion(&teardown.done);
	destroy_work_on_stack(&teardown.work);
	KUNIT_EXPECT_FALSE(test, is_populated(pgmap, 0));
}

static struct kunit_case device_private_cases[] = {
	KUNIT_CASE(test_exhaustion),
	KUNIT_CASE(test_reuse),
	KUNIT_CASE(test_alignment),
	KUNIT_CASE_SLOW(test_population),
	KUNIT_CASE(test_nodes),
	KUNIT_CASE_SLOW(test_repopulation),
	KUNIT_CASE(test_numbers),
	KUNIT_CASE(test_young_dirty),
	KUNIT_CASE(test_ram_numbers),
	KUNIT_CASE_SLOW(test_folio),
	KUNIT_CASE(test_reused_page),
	KUNIT_CASE(test_migrate_range),
	KUNIT_CASE(test_teardown_in_use),
	{}
};

static int device_private_init(struct kunit *test)
{
	if (!device_private_size)
		kunit_skip(test, "no address space for struct pages");
	return 0;
}

static struct kunit_suite device_private_suite = {
	.name = "device_private",
	.init = device_private_init,
	.test_cases = device_private_cases,
};

kunit_test_suites(&device_private_suite);

MODULE_DESCRIPTION("KUnit tests of device-private memory");
MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
MODULE_LICENSE("GPL");
