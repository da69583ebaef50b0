/* SPDX-License-Identifier: MIT */
/*
 * KSM, which merges pages of equal content in memory that is MADV_MERGEABLE. It runs from
 * nv_ksm_merge() until nv_ksm_stop(), or the end of the program.
 */
#ifndef NV_KSM_H
#define NV_KSM_H

void nv_ksm_require(void);
void nv_ksm_merge(void);
void nv_ksm_stop(void);

#endif
