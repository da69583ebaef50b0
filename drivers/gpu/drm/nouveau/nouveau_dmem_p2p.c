// SPDX-License-Identifier: MIT
/*
 * Device private memory, as other devices reach it: through BAR1.
 */
#include "nouveau_dmem_p2p.h"
#include "nouveau_bo.h"
#include "nouveau_drv.h"

#include <linux/moduleparam.h>
#include <linux/pci-p2pdma.h>

MODULE_PARM_DESC(svm_p2p, "Let other devices access the VRAM pages of SVM (default: true)");
static bool nouveau_svm_p2p = true;
module_param_named(svm_p2p, nouveau_svm_p2p, bool, 0644);

/**
 * DOC: peer-to-peer
 *
 * BAR1 has page tables of its own, so what is in VRAM has to be mapped there
 * before another device can reach it.  Where BAR1 is as large as VRAM, chunks of
 * device private memory are mapped when one of their pages is asked for, and stay
 * mapped as long as they are in VRAM.  Nothing is ever taken away from there, so
 * an alias is good as long as its page is.
 *
 * With a smaller BAR1 there are no aliases.  Nor are there with runtime power
 * management: an access from another device does not wake up this one.
 */

/**
 * nouveau_dmem_p2p_provider() - the BAR through which VRAM is reached
 * @drm: the device
 *
 * Return: its P2P provider, which lives as long as the driver is bound, or NULL
 * if others cannot reach the VRAM of this device.
 */
struct p2pdma_provider *nouveau_dmem_p2p_provider(struct nouveau_drm *drm)
{
	struct nvkm_device *device = nvxx_device(drm);
	struct device *dev = drm->dev->dev;
	struct pci_dev *pdev;
	int bar, ret;

	if (!dev_is_pci(dev) || nouveau_pmops_runtime() ||
	    device->func->resource_size(device, NVKM_BAR1_FB) <
	    drm->client.device.info.ram_user)
		return NULL;

	pdev = to_pci_dev(dev);
	ret = pcim_p2pdma_init(pdev);
	if (ret) {
		NV_DEBUG(drm, "DMEM: no peer-to-peer: %d\n", ret);
		return NULL;
	}

	for (bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		if (pci_resource_start(pdev, bar) ==
		    device->func->resource_addr(device, NVKM_BAR1_FB))
			return pcim_p2pdma_provider(pdev, bar);
	}
	return NULL;
}

/**
 * nouveau_dmem_p2p_alias() - where a pinned buffer is in BAR1
 * @nvbo: the buffer
 * @phys: set to its CPU physical address
 *
 * Context: May sleep, with the mmap lock held. Takes the buffer's reservation.
 * Return: 0, -EOPNOTSUPP when this is switched off, -EAGAIN when BAR1 has no room
 * now, or the error of whatever else failed.
 */
int nouveau_dmem_p2p_alias(struct nouveau_bo *nvbo, phys_addr_t *phys)
{
	struct ttm_buffer_object *bo = &nvbo->bo;
	struct ttm_resource *res;
	int ret;

	if (!READ_ONCE(nouveau_svm_p2p))
		return -EOPNOTSUPP;

	ret = ttm_bo_reserve(bo, false, false, NULL);
	if (ret)
		return ret;

	/* Given back when the resource is freed. */
	res = bo->resource;
	if (!res->bus.offset)
		ret = bo->bdev->funcs->io_mem_reserve(bo->bdev, res);
	if (!ret)
		*phys = res->bus.offset;
	ttm_bo_unreserve(bo);

	return ret == -ENOSPC ? -EAGAIN : ret;
}
