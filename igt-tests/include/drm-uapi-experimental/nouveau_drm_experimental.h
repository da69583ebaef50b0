/* SPDX-License-Identifier: MIT */
/*
 * nouveau UAPI that is proposed but not merged in drm-next, on top of drm-uapi/nouveau_drm.h.
 * Goes away with the header sync once it is merged.
 */
#ifndef NOUVEAU_DRM_EXPERIMENTAL_H
#define NOUVEAU_DRM_EXPERIMENTAL_H

/*
 * SVM_BIND command: fill this GPU's page tables for [va_start, va_end) without moving pages. The
 * target field is 0. result: number of pages mapped.
 */
#ifndef NOUVEAU_SVM_BIND_COMMAND__PREFETCH
#define NOUVEAU_SVM_BIND_COMMAND__PREFETCH 1
#endif

/*
 * Target of SVM_BIND's MIGRATE: RAM, for pages that are in the VRAM of any GPU. result: number of
 * pages moved.
 */
#ifndef NOUVEAU_SVM_BIND_TARGET__CPU
#define NOUVEAU_SVM_BIND_TARGET__CPU 0
#endif

#endif
