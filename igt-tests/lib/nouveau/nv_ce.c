// SPDX-License-Identifier: MIT
/*
 * Copy engine of Pascal. Methods and fields as in NVIDIA's published clc0b5.h; IGT's cla0b5.h would
 * cut addresses to 40 bits, and a user pointer has 47.
 */
#include "igt.h"
#include "nouveau/nv_ce.h"
#include "nouveau/nv_device.h"

#define SUBCHANNEL 4 /* where nouveau expects the copy class */

#define SET_OBJECT	  0x000
#define SET_SEMAPHORE_A	  0x240
#define LAUNCH_DMA	  0x300
#define OFFSET_IN_UPPER	  0x400
#define LINE_LENGTH_IN	  0x418
#define OFFSET_OUT_UPPER  0x408
#define SET_REMAP_CONST_A 0x700

#define LAUNCH_NON_PIPELINED 0x002
#define LAUNCH_FLUSH	     0x004
#define LAUNCH_SEMAPHORE_1   0x008 /* one word, after the transfer */
#define LAUNCH_SRC_PITCH     0x080
#define LAUNCH_DST_PITCH     0x100
#define LAUNCH_REMAP	     0x400

#define PASCAL_DMA_COPY_A 0xc0b5
#define PASCAL_DMA_COPY_B 0xc1b5

/* REMAP_COMPONENTS: one destination component of 4 bytes, taken from CONST_A */
#define REMAP_FILL32 (3 << 16 | 4)

#define METHODS(chan, method, ...)                                                  \
	do {                                                                        \
		const uint32_t data_[] = { __VA_ARGS__ };                           \
		nv_chan_method(chan, SUBCHANNEL, method, ARRAY_SIZE(data_), data_); \
	} while (0)

/* Once for each channel, before the first of the functions below. */
void nv_ce_init(struct nv_chan *chan, uint32_t chipset)
{
	METHODS(chan, SET_OBJECT,
		chipset == NV_CHIPSET_GP100 ? PASCAL_DMA_COPY_A : PASCAL_DMA_COPY_B);
}

void nv_ce_copy(struct nv_chan *chan, uint64_t dst, uint64_t src, uint32_t len)
{
	METHODS(chan, OFFSET_IN_UPPER, src >> 32, src, dst >> 32, dst);
	METHODS(chan, LINE_LENGTH_IN, len, 1);
	METHODS(chan, LAUNCH_DMA,
		LAUNCH_NON_PIPELINED | LAUNCH_FLUSH | LAUNCH_SRC_PITCH | LAUNCH_DST_PITCH);
}

void nv_ce_fill32(struct nv_chan *chan, uint64_t dst, uint32_t value, uint32_t words)
{
	METHODS(chan, SET_REMAP_CONST_A, value, 0, REMAP_FILL32);
	METHODS(chan, OFFSET_OUT_UPPER, dst >> 32, dst);
	METHODS(chan, LINE_LENGTH_IN, words, 1);
	METHODS(chan, LAUNCH_DMA,
		LAUNCH_NON_PIPELINED | LAUNCH_FLUSH | LAUNCH_SRC_PITCH | LAUNCH_DST_PITCH |
			LAUNCH_REMAP);
}

/* Writes @payload to @va after everything before it. */
void nv_ce_release(struct nv_chan *chan, uint64_t va, uint32_t payload)
{
	METHODS(chan, SET_SEMAPHORE_A, va >> 32, va, payload);
	METHODS(chan, LAUNCH_DMA, LAUNCH_FLUSH | LAUNCH_SEMAPHORE_1);
}
