/* SPDX-License-Identifier: MIT */
#ifndef __NOUVEAU_DMEM_P2P_H__
#define __NOUVEAU_DMEM_P2P_H__
#include <linux/types.h>

struct nouveau_bo;
struct nouveau_drm;
struct p2pdma_provider;

struct p2pdma_provider *nouveau_dmem_p2p_provider(struct nouveau_drm *drm);
int nouveau_dmem_p2p_alias(struct nouveau_bo *nvbo, phys_addr_t *phys);
#endif
