/* SPDX-License-Identifier: MIT */
#ifndef __NOUVEAU_SVM_MAP_H__
#define __NOUVEAU_SVM_MAP_H__
#include <linux/bits.h>
#include <linux/mm.h>

#include <nvif/if000c.h>
#include <nvif/ioctl.h>

struct nouveau_svmm;
struct nouveau_svm_window;

/* What one huge PTE of the GPU maps. */
#define NOUVEAU_SVM_WINDOW_SHIFT 21
#define NOUVEAU_SVM_WINDOW_SIZE BIT(NOUVEAU_SVM_WINDOW_SHIFT)
#define NOUVEAU_SVM_WINDOW_MASK (~(NOUVEAU_SVM_WINDOW_SIZE - 1))
#define NOUVEAU_SVM_WINDOW_PAGES (NOUVEAU_SVM_WINDOW_SIZE >> PAGE_SHIFT)

struct nouveau_pfnmap_args {
	struct nvif_ioctl_v0_hdr i;
	struct nvif_ioctl_mthd_v0_hdr m;
	struct nvif_vmm_pfnmap_v0 p;
};

void nouveau_svm_map_init(struct nouveau_svmm *svmm);
void nouveau_svm_map_fini(struct nouveau_svmm *svmm);
struct nouveau_svm_window *nouveau_svm_window_get(struct nouveau_svmm *svmm,
						  unsigned long addr);
void nouveau_svm_window_put(struct nouveau_svmm *svmm,
			    struct nouveau_svm_window *win);
int nouveau_svm_map(struct nouveau_svmm *svmm, struct nouveau_svm_window *win,
		    unsigned long addr, unsigned long npages,
		    unsigned long *hmm_pfns, bool atomic,
		    struct nouveau_pfnmap_args *args);
void nouveau_svm_unmap(struct nouveau_svmm *svmm, unsigned long start,
		       unsigned long end, const char *reason);
#endif
