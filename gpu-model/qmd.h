/* SPDX-License-Identifier: MIT */
/*
 * QMD, the queue meta data that describes a grid of compute work.
 * Source: open-gpu-doc classes/compute/clc0c0qmd.h, layout QMDV02_01.
 */
#ifndef QMD_H
#define QMD_H

#include "semaphore.h"
#include "types.h"

#define QMD_WORDS     64
#define QMD_CONSTANTS 8
#define QMD_RELEASES  2

/* What SKED finds wrong: bits of its SKED_HWW_ESR, as open drivers name them. */
#define SKED_ESR_CONSTANT_BUFFER_SIZE	   BIT(7)
#define SKED_ESR_LOCAL_MEMORY_SIZE_POS	   BIT(9)
#define SKED_ESR_LOCAL_MEMORY_SIZE_NEG	   BIT(10)
#define SKED_ESR_REGISTER_COUNT		   BIT(13)
#define SKED_ESR_TOTAL_THREADS		   BIT(18)
#define SKED_ESR_PROGRAM_OFFSET		   BIT(20)
#define SKED_ESR_SHARED_MEMORY_SIZE	   BIT(21)
#define SKED_ESR_CTA_THREAD_DIMENSION_ZERO BIT(23)
#define SKED_ESR_MEMORY_WINDOW_OVERLAP	   BIT(24)
#define SKED_ESR_TOTAL_REGISTER_COUNT	   BIT(26)

/* Of one SM of a GP100. */
#define SM_SHARED_BYTES	      (64u << 10)
#define SM_REGISTER_FILE      65536u
#define SM_WARPS	      64u
#define SM_CTAS		      32u
#define CTA_THREADS	      1024u
#define CTA_SHARED_BYTES      (48u << 10)
#define CTA_BARRIERS	      16u
#define REGISTERS_PER_THREAD  255u
#define CONSTANT_BUFFER_BYTES (64u << 10)

struct qmd_release {
	bool enable, one_word, reduce, is_signed;
	enum semaphore_reduction op;
	u64 address;
	u32 payload;
};

struct qmd {
	u32 program_offset;
	u32 grid[3], block[3];
	u32 registers, barriers;
	u32 shared_bytes, local_bytes; /* the latter a thread */
	struct {
		bool valid;
		u64 address;
		u32 bytes;
	} constant[QMD_CONSTANTS];
	struct qmd_release release[QMD_RELEASES];
	bool is_queue, has_dependent; /* neither is modelled */
};

/* Whether the words are of the layout that this chip knows. */
bool qmd_known(const u32 words[QMD_WORDS]);
/* Read them out; returns what is wrong with them, 0 for nothing. */
u32 qmd_parse(const u32 words[QMD_WORDS], struct qmd *qmd);

#endif
