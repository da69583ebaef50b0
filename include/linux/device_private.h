/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Device-private pages: struct pages of memory that the CPU cannot address.
 * See Documentation/mm/device-private.rst.
 */
#ifndef _LINUX_DEVICE_PRIVATE_H
#define _LINUX_DEVICE_PRIVATE_H

#include <linux/bits.h>
#include <linux/mm_types.h>
#include <linux/mmzone.h>
#include <linux/pgtable.h>

/**
 * typedef device_private_index_t - which device-private page
 *
 * A type of its own, for sparse: an index is no PFN, and it is not to be shown
 * to anybody outside of memory management.
 */
typedef unsigned long __bitwise device_private_index_t;

/*
 * What stands in a page number for a device-private page: this bit, which no PFN
 * has, and the index below.  A constant, even where MAX_PHYSMEM_BITS is not.
 */
#ifdef CONFIG_DEVICE_PRIVATE
#ifdef MAX_POSSIBLE_PHYSMEM_BITS
#define DEVICE_PRIVATE_TAG_SHIFT	(MAX_POSSIBLE_PHYSMEM_BITS - PAGE_SHIFT)
#else
#define DEVICE_PRIVATE_TAG_SHIFT	(MAX_PHYSMEM_BITS - PAGE_SHIFT)
#endif
#define DEVICE_PRIVATE_TAG		BIT(DEVICE_PRIVATE_TAG_SHIFT)
#else
#define DEVICE_PRIVATE_TAG		0UL
#endif

/* The array of all device-private struct pages. */
extern unsigned long device_private_base;
extern unsigned long device_private_size;

/**
 * is_device_private_page() - is this page device-private?
 * @page: any page, in use or not
 *
 * Return: true if it is.
 */
static inline bool is_device_private_page(const struct page *page)
{
	return IS_ENABLED(CONFIG_DEVICE_PRIVATE) &&
	       (unsigned long)page - device_private_base < device_private_size;
}

/**
 * folio_is_device_private() - is this folio device-private?
 * @folio: any folio
 *
 * Return: true if it is.
 */
static inline bool folio_is_device_private(const struct folio *folio)
{
	return is_device_private_page(&folio->page);
}

/**
 * page_to_device_private_index() - index of a device-private page
 * @page: a page for which is_device_private_page() is true
 *
 * Return: the index.
 */
static inline device_private_index_t
page_to_device_private_index(const struct page *page)
{
	return (__force device_private_index_t)
	       (page - (const struct page *)device_private_base);
}

/**
 * device_private_index_to_page() - device-private page of an index
 * @index: what page_to_device_private_index() returned
 *
 * Return: the page.
 */
static inline struct page *
device_private_index_to_page(device_private_index_t index)
{
	return (struct page *)device_private_base +
	       (__force unsigned long)index;
}

/*
 * Page numbers
 *
 * Non-present page table entries, page_vma_mapped_walk() and the arrays of
 * migrate_vma and HMM name a page by a number, whichever kind of page it is:
 * the page number ("pageno").  Consecutive pages of a folio have consecutive
 * numbers, and the numbers of different pages differ.
 */

/**
 * pageno_is_device_private() - is this the number of a device-private page?
 * @pageno: what page_to_pageno() returned
 *
 * Return: true if it is, false if it is a PFN.
 */
static inline bool pageno_is_device_private(unsigned long pageno)
{
	return IS_ENABLED(CONFIG_DEVICE_PRIVATE) && (pageno & DEVICE_PRIVATE_TAG);
}

/**
 * page_to_pageno() - page number of any page
 * @page: the page
 *
 * Return: its PFN, or what stands for it if the page is device-private.
 */
static inline unsigned long page_to_pageno(const struct page *page)
{
	if (is_device_private_page(page))
		return DEVICE_PRIVATE_TAG |
		       (__force unsigned long)page_to_device_private_index(page);
	return page_to_pfn(page);
}

/**
 * folio_to_pageno() - page number of the first page of any folio
 * @folio: the folio
 *
 * Return: the number, see page_to_pageno().
 */
static inline unsigned long folio_to_pageno(const struct folio *folio)
{
	return page_to_pageno(&folio->page);
}

/**
 * pageno_to_page() - page of a page number
 * @pageno: what page_to_pageno() returned
 *
 * Return: the page.
 */
static inline struct page *pageno_to_page(unsigned long pageno)
{
	if (pageno_is_device_private(pageno))
		return device_private_index_to_page((__force device_private_index_t)
						    (pageno & ~DEVICE_PRIVATE_TAG));
	return pfn_to_page(pageno);
}

#endif /* _LINUX_DEVICE_PRIVATE_H */
