/* SPDX-License-Identifier: MIT */
/*
 * Pascal's copy engine (classes C0B5 and C1B5) with its full 49-bit virtual addresses. The methods
 * are queued on a channel and run with nv_chan_run(). A page that the GPU's page tables do not hold
 * kills the channel: on Pascal only shader accesses can fault and replay.
 */
#ifndef NV_CE_H
#define NV_CE_H

#include <stdint.h>

#include "nouveau/nv_chan.h"

void nv_ce_init(struct nv_chan *chan, uint32_t chipset);
void nv_ce_copy(struct nv_chan *chan, uint64_t dst, uint64_t src, uint32_t len);
void nv_ce_fill32(struct nv_chan *chan, uint64_t dst, uint32_t value, uint32_t words);
void nv_ce_release(struct nv_chan *chan, uint64_t va, uint32_t payload);

#endif
