// SPDX-License-Identifier: MIT
/*
 * Device private memory, as other devices reach it: through BAR1.
 */
#include "nouveau_dmem_p2p.h"
#include "nouveau_drv.h"
#include "nouveau_svm_trace.h"

#include <core/memory.h>
#include <subdev/bar.h>
#include <subdev/fb.h>
#include <subdev/mmu.h>

#include <linux/hmm.h>
#include <linux/moduleparam.h>
#include <linux/pci-p2pdma.h>
#include <linux/seq_file.h>
#include <linux/string_choices.h>

MODULE_PARM_DESC(svm_p2p, "Let other devices access the VRAM pages of SVM (default: true)");
static bool nouveau_svm_p2p = true;
module_param_named(svm_p2p, nouveau_svm_p2p, bool, 0644);

/**
 * DOC: peer-to-peer
 *
 * BAR1 has page tables of its own, so what is in VRAM has to be mapped there
 * before another device can reach it.  That is done in windows of 2 MiB, when a
 * page is asked for; a window that is there is used again.
 *
 * A BAR1 that is as large as VRAM has a window for all of it.  Of a smaller one,
 * half may become windows; the other half is left to mappings of buffers by the
 * CPU, which have no other way.  When there is no room for one more, the window
 * that was asked for least recently is recycled: hmm_revoke_aliases() has the
 * importers drop their mappings, then it shows other VRAM.  Importers that still
 * use the pages come back for them, and get another window.  Devices do not tell
 * what they access, so what counts is when they asked.
 *
 * A window stays for NOUVEAU_DMEM_WINDOW_MS at least, so that who got it can make
 * use of it.  Else two importers might take it away from one another all the time,
 * or one that asks for more windows than there are might never have all of them.
 * If all windows are so young there is no alias now, and the page that was asked
 * for goes to system memory.
 *
 * There are no aliases with runtime power management: an access from another
 * device does not wake up this one.
 *
 * &nouveau_dmem_p2p.mutex is taken with the mmap lock held, and MMU notifiers are
 * called under it, so nothing that those take may be held when it is taken.
 */
#define NOUVEAU_DMEM_WINDOW_MS 20

struct nouveau_dmem_window {
	struct list_head lru;
	struct page *pages; /* the first that it shows */
	u64 vram;
	struct nvkm_vma *vma;
	unsigned long used; /* jiffies */
};

static const char *nouveau_dmem_p2p_obstacle(struct nouveau_drm *drm)
{
	if (!dev_is_pci(drm->dev->dev))
		return "it is no PCI device";
	if (nouveau_pmops_runtime())
		return "runtime power management may turn it off, see nouveau.runpm";
	return NULL;
}

static u64 nouveau_dmem_bar1_size(struct nouveau_drm *drm)
{
	struct nvkm_device *device = nvxx_device(drm);

	return device->func->resource_size(device, NVKM_BAR1_FB);
}

static u64 nouveau_dmem_bar1_addr(struct nouveau_drm *drm)
{
	struct nvkm_device *device = nvxx_device(drm);

	return device->func->resource_addr(device, NVKM_BAR1_FB);
}

static unsigned int nouveau_dmem_window_max(struct nouveau_drm *drm)
{
	const u64 vram = drm->client.device.info.ram_user;
	const u64 bar1 = nouveau_dmem_bar1_size(drm);

	return (bar1 < vram ? bar1 / 2 : vram) >> NOUVEAU_DMEM_WINDOW_SHIFT;
}

/**
 * nouveau_dmem_p2p_init() - find out how others reach the VRAM of a device
 * @drm: the device
 *
 * Context: May sleep.
 */
void nouveau_dmem_p2p_init(struct nouveau_drm *drm)
{
	struct nouveau_dmem_p2p *p2p = &drm->p2p;
	struct pci_dev *pdev;
	int bar, ret;

	mutex_init(&p2p->mutex);
	xa_init(&p2p->windows);
	INIT_LIST_HEAD(&p2p->lru);

	p2p->obstacle = nouveau_dmem_p2p_obstacle(drm);
	if (p2p->obstacle)
		return;

	p2p->obstacle = "the kernel offers no peer-to-peer DMA";
	pdev = to_pci_dev(drm->dev->dev);
	ret = pcim_p2pdma_init(pdev);
	if (ret) {
		NV_DEBUG(drm, "DMEM: no peer-to-peer: %d\n", ret);
		return;
	}

	for (bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		if (pci_resource_start(pdev, bar) == nouveau_dmem_bar1_addr(drm))
			p2p->provider = pcim_p2pdma_provider(pdev, bar);
	}
	if (p2p->provider) {
		p2p->obstacle = NULL;
		p2p->max = nouveau_dmem_window_max(drm);
	}
}

static struct nvkm_vmm *nouveau_dmem_bar1_vmm(struct nouveau_drm *drm)
{
	return nvkm_bar_bar1_vmm(nvxx_device(drm));
}

static void nouveau_dmem_window_del(struct nouveau_drm *drm,
				    struct nouveau_dmem_window *win)
{
	nvkm_vmm_put(nouveau_dmem_bar1_vmm(drm), &win->vma);
	drm->p2p.nr--;
	kfree(win);
}

static struct nouveau_dmem_window *nouveau_dmem_window_new(struct nouveau_drm *drm)
{
	struct nouveau_dmem_window *win;
	int ret;

	if (drm->p2p.nr == drm->p2p.max)
		return ERR_PTR(-ENOSPC);

	win = kzalloc_obj(*win);
	if (!win)
		return ERR_PTR(-ENOMEM);
	ret = nvkm_vmm_get(nouveau_dmem_bar1_vmm(drm), NOUVEAU_DMEM_WINDOW_SHIFT,
			   NOUVEAU_DMEM_WINDOW_SIZE, &win->vma);
	if (ret) {
		kfree(win);
		return ERR_PTR(ret);
	}
	drm->p2p.nr++;
	return win;
}

/* Take the window away from its pages; it shows nothing then. */
static bool nouveau_dmem_window_revoke(struct nouveau_drm *drm,
				       struct nouveau_dmem_window *win)
{
	if (!hmm_revoke_aliases(win->pages, NOUVEAU_DMEM_WINDOW_PAGES, drm->dev))
		return false;

	list_del(&win->lru);
	xa_erase(&drm->p2p.windows, win->vram >> NOUVEAU_DMEM_WINDOW_SHIFT);
	nvkm_vmm_unmap(nouveau_dmem_bar1_vmm(drm), win->vma);
	return true;
}

static struct nouveau_dmem_window *
nouveau_dmem_window_recycle(struct nouveau_drm *drm)
{
	const unsigned long age = msecs_to_jiffies(NOUVEAU_DMEM_WINDOW_MS);
	struct nouveau_dmem_window *win;

	list_for_each_entry(win, &drm->p2p.lru, lru) {
		if (time_before(jiffies, win->used + age))
			break;
		if (nouveau_dmem_window_revoke(drm, win)) {
			drm->p2p.recycled++;
			return win;
		}
	}
	return ERR_PTR(-EAGAIN);
}

static int nouveau_dmem_window_map(struct nouveau_drm *drm,
				   struct nouveau_dmem_window *win,
				   struct page *pages, u64 vram)
{
	struct nvkm_memory *memory = NULL;
	int ret;

	ret = nvkm_ram_wrap(nvxx_device(drm), vram, NOUVEAU_DMEM_WINDOW_SIZE, &memory);
	if (!ret)
		ret = nvkm_memory_map(memory, 0, nouveau_dmem_bar1_vmm(drm), win->vma,
				      NULL, 0);
	nvkm_memory_unref(&memory);
	if (ret)
		return ret;

	win->pages = pages;
	win->vram = vram;
	ret = xa_err(xa_store(&drm->p2p.windows, vram >> NOUVEAU_DMEM_WINDOW_SHIFT,
			      win, GFP_KERNEL));
	if (!ret)
		list_add_tail(&win->lru, &drm->p2p.lru);
	return ret;
}

static struct nouveau_dmem_window *
nouveau_dmem_window_get(struct nouveau_drm *drm, struct page *pages, u64 vram)
{
	struct nouveau_dmem_window *win;
	int ret;

	win = xa_load(&drm->p2p.windows, vram >> NOUVEAU_DMEM_WINDOW_SHIFT);
	if (win) {
		list_move_tail(&win->lru, &drm->p2p.lru);
		return win;
	}

	win = nouveau_dmem_window_new(drm);
	if (win == ERR_PTR(-ENOSPC))
		win = nouveau_dmem_window_recycle(drm);
	if (IS_ERR(win))
		return win;

	ret = nouveau_dmem_window_map(drm, win, pages, vram);
	if (ret) {
		nouveau_dmem_window_del(drm, win);
		return ERR_PTR(ret);
	}
	return win;
}

/**
 * nouveau_dmem_p2p_alias() - where some VRAM is in BAR1
 * @drm: the device
 * @pages: the first of NOUVEAU_DMEM_WINDOW_PAGES pages, one of which is asked for
 *	   and does not become free meanwhile
 * @vram: address of the first one, aligned to NOUVEAU_DMEM_WINDOW_SIZE
 * @provider: set to the P2P provider of BAR1
 * @phys: set to the CPU physical address of the first page
 *
 * The alias is good until somebody else needs the window, which hmm_revoke_aliases()
 * tells those who use it.
 *
 * Context: May sleep, with the mmap lock held. Calls MMU notifiers.
 * Return: 0, -EOPNOTSUPP when there is no way or it is switched off, -EAGAIN when
 * BAR1 has no room now, or the error of whatever else failed.
 */
int nouveau_dmem_p2p_alias(struct nouveau_drm *drm, struct page *pages, u64 vram,
			   struct p2pdma_provider **provider, phys_addr_t *phys)
{
	struct nouveau_dmem_p2p *p2p = &drm->p2p;
	struct nouveau_dmem_window *win;

	if (!p2p->provider || !READ_ONCE(nouveau_svm_p2p) ||
	    WARN_ON_ONCE(!IS_ALIGNED(vram, NOUVEAU_DMEM_WINDOW_SIZE)))
		return -EOPNOTSUPP;

	mutex_lock(&p2p->mutex);
	win = nouveau_dmem_window_get(drm, pages, vram);
	if (!IS_ERR(win)) {
		win->used = jiffies;
		*provider = p2p->provider;
		*phys = nouveau_dmem_bar1_addr(drm) + win->vma->addr;
	}
	mutex_unlock(&p2p->mutex);
	trace_nouveau_svm_alias(drm->dev->dev, vram, PTR_ERR_OR_ZERO(win));
	return PTR_ERR_OR_ZERO(win);
}

/**
 * nouveau_dmem_p2p_revoke() - VRAM is about to be used for something else, or to move
 * @drm: the device
 * @vram: where it starts, aligned to NOUVEAU_DMEM_WINDOW_SIZE
 * @size: how much it is
 *
 * Others do not reach it any more, on return.  Its pages, which still have to exist,
 * are free or none of them is being migrated; nobody asks for an alias of them.
 *
 * Context: May sleep. Calls MMU notifiers.
 */
void nouveau_dmem_p2p_revoke(struct nouveau_drm *drm, u64 vram, u64 size)
{
	struct nouveau_dmem_window *win;
	unsigned long index;

	mutex_lock(&drm->p2p.mutex);
	xa_for_each_range(&drm->p2p.windows, index, win,
			  vram >> NOUVEAU_DMEM_WINDOW_SHIFT,
			  (vram + size - 1) >> NOUVEAU_DMEM_WINDOW_SHIFT) {
		if (!WARN_ON(!nouveau_dmem_window_revoke(drm, win)))
			nouveau_dmem_window_del(drm, win);
	}
	mutex_unlock(&drm->p2p.mutex);
}

struct nouveau_dmem_p2p_show {
	struct nouveau_drm *drm;
	struct seq_file *m;
	const char *obstacle;
};

static int nouveau_dmem_p2p_show_peer(struct device *dev, void *data)
{
	struct nouveau_dmem_p2p_show *show = data;

	if (dev == show->drm->dev->dev)
		return 0;

	seq_printf(show->m, "peer %s: ", dev_name(dev));
	if (show->obstacle) {
		seq_printf(show->m, "none, %s\n", show->obstacle);
		return 0;
	}

	switch (pci_p2pdma_map_type(show->drm->p2p.provider, dev)) {
	case PCI_P2PDMA_MAP_BUS_ADDR:
		seq_puts(show->m, "bus address\n");
		break;
	case PCI_P2PDMA_MAP_THRU_HOST_BRIDGE:
		seq_puts(show->m, "host bridge\n");
		break;
	default:
		seq_puts(show->m, "none, the kernel trusts no route between them\n");
		break;
	}
	return 0;
}

/**
 * nouveau_dmem_p2p_show() - tell how others reach the VRAM of a device
 * @drm: the device
 * @m: where to print: what BAR1 and the switch allow, then a line for each other
 *     device of this driver, with the way in which that one reaches this one, or
 *     why it does not
 *
 * Context: May sleep.
 * Return: 0.
 */
int nouveau_dmem_p2p_show(struct nouveau_drm *drm, struct seq_file *m)
{
	const bool on = READ_ONCE(nouveau_svm_p2p);
	struct nouveau_dmem_p2p_show show = {
		.drm = drm,
		.m = m,
		.obstacle = drm->p2p.obstacle,
	};

	if (!drm->dmem)
		show.obstacle = "it has no shared virtual memory";
	else if (!on)
		show.obstacle = "switched off by nouveau.svm_p2p";

	seq_printf(m, "switch: %s\n", str_on_off(on));
	seq_printf(m, "bar1: %llu\n", nouveau_dmem_bar1_size(drm));
	seq_printf(m, "vram: %llu\n", drm->client.device.info.ram_user);
	if (drm->dmem) {
		mutex_lock(&drm->p2p.mutex);
		seq_printf(m, "windows: %u\n", drm->p2p.nr);
		seq_printf(m, "windows_max: %u\n", drm->p2p.max);
		seq_printf(m, "windows_recycled: %llu\n", drm->p2p.recycled);
		mutex_unlock(&drm->p2p.mutex);
	}
	return driver_for_each_device(drm->dev->dev->driver, NULL, &show,
				      nouveau_dmem_p2p_show_peer);
}
