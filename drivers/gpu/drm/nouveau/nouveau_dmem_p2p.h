/* SPDX-License-Identifier: MIT */
#ifndef __NOUVEAU_DMEM_P2P_H__
#define __NOUVEAU_DMEM_P2P_H__
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/sizes.h>
#include <linux/types.h>
#include <linux/xarray.h>

struct nouveau_drm;
struct p2pdma_provider;
struct page;
struct seq_file;

/* What a window of BAR1 shows. */
#define NOUVEAU_DMEM_WINDOW_SHIFT 21
#define NOUVEAU_DMEM_WINDOW_SIZE BIT(NOUVEAU_DMEM_WINDOW_SHIFT)
#define NOUVEAU_DMEM_WINDOW_PAGES (NOUVEAU_DMEM_WINDOW_SIZE >> PAGE_SHIFT)

/* How other devices reach the VRAM of one. */
struct nouveau_dmem_p2p {
	struct p2pdma_provider *provider; /* of BAR1 */
	const char *obstacle;		  /* why there is none */

	struct mutex mutex;	/* protects what follows */
	struct xarray windows;	/* by VRAM address, in units of a window */
	struct list_head lru;	/* the one that was handed out last is last */
	unsigned int nr, max;
	u64 recycled;
};

#if IS_ENABLED(CONFIG_DRM_NOUVEAU_SVM)
void nouveau_dmem_p2p_init(struct nouveau_drm *drm);
int nouveau_dmem_p2p_alias(struct nouveau_drm *drm, struct page *pages, u64 vram,
			   struct p2pdma_provider **provider, phys_addr_t *phys);
void nouveau_dmem_p2p_revoke(struct nouveau_drm *drm, u64 vram, u64 size);
int nouveau_dmem_p2p_show(struct nouveau_drm *drm, struct seq_file *m);
#else
static inline int nouveau_dmem_p2p_show(struct nouveau_drm *drm,
					struct seq_file *m)
{
	return 0;
}
#endif
#endif
