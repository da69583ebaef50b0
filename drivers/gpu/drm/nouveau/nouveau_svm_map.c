// SPDX-License-Identifier: MIT
/*
 * The pages that an SVM address space has mapped to the GPU.
 */
#include "nouveau_svm_map.h"
#include "nouveau_dmem.h"
#include "nouveau_drv.h"
#include "nouveau_svm.h"
#include "nouveau_svm_trace.h"

#include <linux/hmm.h>
#include <linux/hmm-dma.h>
#include <linux/pci-p2pdma.h>
#include <linux/sched/mm.h>

#include <nvif/vmm.h>

/**
 * DOC: SVM mappings
 *
 * All that is behind a PTE of an SVM address space is recorded, in windows of
 * 2 MiB of it: what HMM said the page is, and the PFNMAP entry made of it, which
 * has the DMA address.  nvkm writes that into PTEs and knows nothing more of
 * them.  A window holds small pages, or one huge page, recorded as page 0.
 *
 * &nouveau_svmm.mutex protects the records and keeps them in step with the PTEs:
 * nouveau_svm_map() is called with it held, after the sequence of an interval
 * notifier was checked under it, and nouveau_svm_unmap() by the MMU notifier.  So
 * a record tells what is true, and a page that is recorded need not be mapped
 * again.
 *
 * Memory reclaim calls MMU notifiers, which take the mutex.  So windows are
 * allocated by nouveau_svm_window_get() before it is taken, and nvkm, which
 * allocates page tables and parts of its nodes, is called without reclaim.
 */
struct nouveau_svm_window {
	unsigned long base;
	unsigned int users;	/* between _get() and _put() */
	unsigned int nr;	/* pages recorded */
	bool huge;
	struct nouveau_svm_page {
		unsigned long pfn;	/* of hmm_range_fault() */
		u64 phys;		/* of PFNMAP, 0: not mapped */
	} *pages;
};

static struct device *nouveau_svm_dev(struct nouveau_svmm *svmm)
{
	return svmm->vmm->cli->drm->dev->dev;
}

void nouveau_svm_map_init(struct nouveau_svmm *svmm)
{
	xa_init(&svmm->windows);
}

/* The GPU must have lost the mappings, or be about to lose the address space. */
void nouveau_svm_map_fini(struct nouveau_svmm *svmm)
{
	lockdep_assert_held(&svmm->mutex);
	nouveau_svm_unmap(svmm, 0, ULONG_MAX, "close");
	WARN_ON(!xa_empty(&svmm->windows));
}

static struct nouveau_svm_window *nouveau_svm_window_new(void)
{
	struct nouveau_svm_window *win = kzalloc_obj(*win);

	if (win) {
		win->pages = kvcalloc(NOUVEAU_SVM_WINDOW_PAGES,
				      sizeof(*win->pages), GFP_KERNEL);
		if (win->pages)
			return win;
		kfree(win);
	}
	return NULL;
}

static void nouveau_svm_window_free(struct nouveau_svm_window *win)
{
	kvfree(win->pages);
	kfree(win);
}

/**
 * nouveau_svm_window_get() - make room for records of mappings
 * @svmm: the address space
 * @addr: an address in the window
 *
 * Context: May sleep. &nouveau_svmm.mutex must not be held.
 * Return: the window, to be given back with nouveau_svm_window_put(), or NULL
 * when there is no memory.
 */
struct nouveau_svm_window *nouveau_svm_window_get(struct nouveau_svmm *svmm,
						  unsigned long addr)
{
	unsigned long index = addr >> NOUVEAU_SVM_WINDOW_SHIFT;
	struct nouveau_svm_window *win, *old;

	for (;;) {
		mutex_lock(&svmm->mutex);
		win = xa_load(&svmm->windows, index);
		if (win)
			win->users++;
		mutex_unlock(&svmm->mutex);
		if (win)
			return win;

		win = nouveau_svm_window_new();
		if (!win)
			return NULL;
		win->base = addr & NOUVEAU_SVM_WINDOW_MASK;
		win->users = 1;
		old = xa_cmpxchg(&svmm->windows, index, NULL, win, GFP_KERNEL);
		if (!old)
			return win;
		nouveau_svm_window_free(win);
		if (xa_is_err(old))
			return NULL;
	}
}

static void nouveau_svm_window_drop(struct nouveau_svmm *svmm,
				    struct nouveau_svm_window *win)
{
	if (win->users || win->nr)
		return;

	xa_erase(&svmm->windows, win->base >> NOUVEAU_SVM_WINDOW_SHIFT);
	nouveau_svm_window_free(win);
}

/**
 * nouveau_svm_window_put() - counterpart of nouveau_svm_window_get()
 * @svmm: the address space
 * @win: the window; freed if there is nothing in it
 *
 * Context: May sleep. &nouveau_svmm.mutex must not be held.
 */
void nouveau_svm_window_put(struct nouveau_svmm *svmm,
			    struct nouveau_svm_window *win)
{
	mutex_lock(&svmm->mutex);
	win->users--;
	nouveau_svm_window_drop(svmm, win);
	mutex_unlock(&svmm->mutex);
}

static size_t nouveau_svm_page_size(const struct nouveau_svm_window *win)
{
	return win->huge ? NOUVEAU_SVM_WINDOW_SIZE : PAGE_SIZE;
}

static unsigned long nouveau_svm_page_va(const struct nouveau_svm_window *win,
					 const struct nouveau_svm_page *page)
{
	return win->base + ((page - win->pages) << PAGE_SHIFT);
}

static u64 nouveau_svm_dma_map(struct nouveau_svmm *svmm,
			       struct nouveau_svm_window *win,
			       struct nouveau_svm_page *page,
			       struct pci_p2pdma_map_state *p2pdma_state)
{
	dma_addr_t dma;
	struct hmm_dma_map map = {
		.pfn_list = &page->pfn,
		.dma_list = &dma,
		.dma_entry_size = nouveau_svm_page_size(win),
	};

	return hmm_dma_map_pfn(nouveau_svm_dev(svmm), &map, 0, p2pdma_state);
}

static void nouveau_svm_dma_unmap(struct nouveau_svmm *svmm,
				  struct nouveau_svm_window *win,
				  struct nouveau_svm_page *page)
{
	dma_addr_t dma = page->phys & NVIF_VMM_PFNMAP_V0_ADDR;
	struct hmm_dma_map map = {
		.pfn_list = &page->pfn,
		.dma_list = &dma,
		.dma_entry_size = nouveau_svm_page_size(win),
	};

	hmm_dma_unmap_pfn(nouveau_svm_dev(svmm), &map, 0);
}

static enum nouveau_svm_place nouveau_svm_place(unsigned long pfn)
{
	if (hmm_pfn_is_private(pfn))
		return NOUVEAU_SVM_VRAM;
	return hmm_pfn_is_alias(pfn) ? NOUVEAU_SVM_PEER : NOUVEAU_SVM_RAM;
}

static void nouveau_svm_count(struct nouveau_svmm *svmm,
			      struct nouveau_svm_window *win,
			      unsigned long pfn, int sign)
{
	s64 nr = nouveau_svm_page_size(win) >> PAGE_SHIFT;

	svmm->mapped[nouveau_svm_place(pfn)] += sign * nr;
	if (hmm_pfn_is_alias(pfn))
		atomic64_add(sign * nr,
			     &svmm->vmm->cli->drm->svm_stats.peer_mappings);
}

/* Forget a page whose PTE has been cleared. */
static void nouveau_svm_release(struct nouveau_svmm *svmm,
				struct nouveau_svm_window *win,
				struct nouveau_svm_page *page, const char *reason)
{
	unsigned long pfn = page->pfn;

	if (!page->phys)
		return;

	nouveau_svm_count(svmm, win, pfn, -1);
	if (hmm_pfn_is_alias(pfn))
		trace_nouveau_svm_peer_unmap(nouveau_svm_dev(svmm),
					     nouveau_svm_page_va(win, page),
					     nouveau_svm_page_size(win),
					     page->phys & NVIF_VMM_PFNMAP_V0_ADDR,
					     pfn, reason);
	nouveau_svm_dma_unmap(svmm, win, page);
	/*
	 * The GPU may have written to it. The page is still mapped to the process,
	 * or it would have been released before, so it is still there.
	 */
	if ((pfn & HMM_PFN_WRITE) && !(pfn & HMM_PFN_DEVICE))
		folio_mark_dirty(page_folio(hmm_pfn_to_page(pfn)));

	page->pfn = 0;
	page->phys = 0;
	win->nr--;
}

static void nouveau_svm_clear(struct nouveau_svmm *svmm, u64 start, u64 end)
{
	unsigned int flags = memalloc_noreclaim_save();

	nvif_object_mthd(&svmm->vmm->vmm.object, NVIF_VMM_V0_PFNCLR,
			 &(struct nvif_vmm_pfnclr_v0) {
				.addr = start,
				.size = end - start,
			 }, sizeof(struct nvif_vmm_pfnclr_v0));
	memalloc_noreclaim_restore(flags);
}

/* Unmap what is in [start, end) of one window. */
static void nouveau_svm_window_unmap(struct nouveau_svmm *svmm,
				     struct nouveau_svm_window *win,
				     unsigned long start, unsigned long end,
				     const char *reason)
{
	unsigned int i, first, last;

	/* There are no parts of a huge page. */
	if (win->huge) {
		start = win->base;
		end = win->base + NOUVEAU_SVM_WINDOW_SIZE;
	}

	if (!win->nr)
		return;

	/* Each call costs a TLB flush. */
	first = (start - win->base) >> PAGE_SHIFT;
	last = (end - win->base) >> PAGE_SHIFT;
	while (first < last && !win->pages[first].phys)
		first++;
	if (first == last)
		return;

	nouveau_svm_clear(svmm, start, end);
	for (i = first; i < last; i++)
		nouveau_svm_release(svmm, win, &win->pages[i], reason);
}

/**
 * nouveau_svm_unmap() - take pages away from the GPU
 * @svmm: the address space
 * @start: where they start
 * @end: the first address behind them
 * @reason: why, for the trace
 *
 * When it returns, the GPU does not access the pages any more, and their DMA
 * mappings are gone. A huge page that is partly in the range is unmapped as a
 * whole.
 *
 * Context: &nouveau_svmm.mutex must be held. Does not reclaim memory.
 */
void nouveau_svm_unmap(struct nouveau_svmm *svmm, unsigned long start,
		       unsigned long end, const char *reason)
{
	struct nouveau_svm_window *win;
	unsigned long index;

	lockdep_assert_held(&svmm->mutex);

	if (start >= end)
		return;

	xa_for_each_range(&svmm->windows, index, win,
			  start >> NOUVEAU_SVM_WINDOW_SHIFT,
			  (end - 1) >> NOUVEAU_SVM_WINDOW_SHIFT) {
		nouveau_svm_window_unmap(svmm, win, max(start, win->base),
					 min(end, win->base +
						  NOUVEAU_SVM_WINDOW_SIZE), reason);
		nouveau_svm_window_drop(svmm, win);
	}
}

/* Is it the same page, whatever may be done with it? */
static bool nouveau_svm_same_page(unsigned long a, unsigned long b)
{
	unsigned long mask = ~HMM_PFN_FLAGS | HMM_PFN_DEVICE;

	if ((a & HMM_PFN_DEVICE) && (b & HMM_PFN_DEVICE))
		mask |= HMM_PFN_P2PDMA | HMM_PFN_P2PDMA_BUS;
	return (a & mask) == (b & mask);
}

/* Record a page. Returns whether it can be mapped. */
static bool nouveau_svm_record(struct nouveau_svmm *svmm,
			       struct nouveau_svm_window *win,
			       struct nouveau_svm_page *page,
			       unsigned long hmm_pfn,
			       struct pci_p2pdma_map_state *p2pdma_state)
{
	u64 phys;

	page->pfn = hmm_pfn & ~HMM_PFN_DMA_MAPPED;
	if (hmm_pfn_is_private(hmm_pfn)) {
		phys = nouveau_dmem_page_addr(svmm->vmm->cli->drm,
					      hmm_pfn_to_page(hmm_pfn)) |
		       NVIF_VMM_PFNMAP_V0_VRAM;
	} else {
		phys = nouveau_svm_dma_map(svmm, win, page, p2pdma_state);
		if (phys == DMA_MAPPING_ERROR) {
			page->pfn = 0;
			return false;
		}
		phys |= NVIF_VMM_PFNMAP_V0_HOST;
	}

	page->phys = phys | NVIF_VMM_PFNMAP_V0_V;
	win->nr++;
	nouveau_svm_count(svmm, win, page->pfn, 1);
	if (hmm_pfn_is_alias(page->pfn))
		trace_nouveau_svm_peer_map(nouveau_svm_dev(svmm),
					   nouveau_svm_page_va(win, page),
					   nouveau_svm_page_size(win),
					   page->phys & NVIF_VMM_PFNMAP_V0_ADDR,
					   page->pfn);
	return true;
}

/* Returns the PFNMAP entry for page @i as HMM sees it, or 0. */
static u64 nouveau_svm_map_page(struct nouveau_svmm *svmm,
				struct nouveau_svm_window *win, unsigned int i,
				unsigned long hmm_pfn, bool atomic,
				struct pci_p2pdma_map_state *p2pdma_state)
{
	struct nouveau_svm_page *page = &win->pages[i];
	unsigned long addr = win->base + (i << PAGE_SHIFT);

	/* HMM was not asked to fault it in; if it is mapped, it stays mapped. */
	if (!(hmm_pfn & HMM_PFN_VALID))
		return page->phys;

	if (page->phys && !nouveau_svm_same_page(page->pfn, hmm_pfn))
		nouveau_svm_window_unmap(svmm, win, addr, addr + PAGE_SIZE,
					 "moved");
	if (!page->phys &&
	    !nouveau_svm_record(svmm, win, page, hmm_pfn, p2pdma_state))
		return 0;

	if (hmm_pfn & HMM_PFN_WRITE) {
		page->pfn |= HMM_PFN_WRITE;
		page->phys |= NVIF_VMM_PFNMAP_V0_W;
		/* Nobody but the GPU accesses its VRAM. */
		if (atomic || hmm_pfn_is_private(page->pfn))
			page->phys |= NVIF_VMM_PFNMAP_V0_A;
	}
	return page->phys;
}

/* Neighbours mostly are in the same 2 MiB, which need not be touched for each. */
static void nouveau_svm_touch(struct nouveau_svmm *svmm, const u64 *phys,
			      unsigned long npages)
{
	u64 vram, last = U64_MAX;
	unsigned long i;

	for (i = 0; i < npages; i++) {
		if (!(phys[i] & NVIF_VMM_PFNMAP_V0_V) ||
		    (phys[i] & NVIF_VMM_PFNMAP_V0_APER) != NVIF_VMM_PFNMAP_V0_VRAM)
			continue;
		vram = ALIGN_DOWN(phys[i] & NVIF_VMM_PFNMAP_V0_ADDR, SZ_2M);
		if (vram == last)
			continue;
		nouveau_dmem_touch(svmm->vmm->cli->drm, vram);
		last = vram;
	}
}

/**
 * nouveau_svm_map() - let the GPU access pages
 * @svmm: the address space
 * @win: the window that the pages are in
 * @addr: address of the first of them
 * @npages: how many they are
 * @hmm_pfns: what hmm_range_fault() says they are; an entry is not valid any more
 *	      on return, if the page could not be mapped
 * @atomic: the GPU has exclusive access and may use atomics
 * @args: room for @npages entries; describes what was mapped, on return
 *
 * If the process has a huge page there, the GPU gets the whole of it, which may
 * be more than was asked for.
 *
 * Context: &nouveau_svmm.mutex must be held, and @hmm_pfns found valid under it.
 * Return: the number of the pages that are mapped now, of those in the range,
 * or an error code.
 */
int nouveau_svm_map(struct nouveau_svmm *svmm, struct nouveau_svm_window *win,
		    unsigned long addr, unsigned long npages,
		    unsigned long *hmm_pfns, bool atomic,
		    struct nouveau_pfnmap_args *args)
{
	const unsigned int order = NOUVEAU_SVM_WINDOW_SHIFT - PAGE_SHIFT;
	unsigned int i, first = (addr - win->base) >> PAGE_SHIFT;
	struct pci_p2pdma_map_state p2pdma_state = {};
	unsigned long pfn = hmm_pfns[0];
	unsigned int flags;
	int ret, mapped = 0;
	bool huge;

	lockdep_assert_held(&svmm->mutex);

	huge = (pfn & HMM_PFN_VALID) && hmm_pfn_to_map_order(pfn) >= order &&
	       IS_ALIGNED((pfn & ~HMM_PFN_FLAGS) - first, BIT(order));
	if (win->huge != huge) {
		nouveau_svm_window_unmap(svmm, win, win->base,
					 win->base + NOUVEAU_SVM_WINDOW_SIZE,
					 "page size");
		win->huge = huge;
	}

	args->i.version = 0;
	args->i.type = NVIF_IOCTL_V0_MTHD;
	args->m.version = 0;
	args->m.method = NVIF_VMM_V0_PFNMAP;
	args->p.version = 0;
	if (huge) {
		args->p.addr = win->base;
		args->p.page = NOUVEAU_SVM_WINDOW_SHIFT;
		args->p.size = NOUVEAU_SVM_WINDOW_SIZE;
		args->p.phys[0] = nouveau_svm_map_page(svmm, win, 0, pfn - first,
						       atomic, &p2pdma_state);
	} else {
		args->p.addr = addr;
		args->p.page = PAGE_SHIFT;
		args->p.size = npages << PAGE_SHIFT;
		for (i = 0; i < npages; i++)
			args->p.phys[i] = nouveau_svm_map_page(svmm, win,
							       first + i,
							       hmm_pfns[i], atomic,
							       &p2pdma_state);
	}

	flags = memalloc_noreclaim_save();
	ret = nvif_object_ioctl(&svmm->vmm->vmm.object, args,
				struct_size(args, p.phys,
					    args->p.size >> args->p.page), NULL);
	memalloc_noreclaim_restore(flags);
	if (ret) {
		nouveau_svm_window_unmap(svmm, win, addr,
					 addr + (npages << PAGE_SHIFT), "error");
		return ret;
	}

	nouveau_svm_touch(svmm, args->p.phys, args->p.size >> args->p.page);

	/* What could not be mapped has lost its V. */
	for (i = 0; i < npages; i++, addr += PAGE_SIZE) {
		if (args->p.phys[huge ? 0 : i] & NVIF_VMM_PFNMAP_V0_V) {
			mapped++;
			continue;
		}
		hmm_pfns[i] &= ~HMM_PFN_VALID;
		if (win->pages[huge ? 0 : first + i].phys)
			nouveau_svm_window_unmap(svmm, win, addr,
						 addr + PAGE_SIZE, "error");
	}
	return mapped;
}
