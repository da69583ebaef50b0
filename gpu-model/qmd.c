/* SPDX-License-Identifier: MIT */
/*
 * The fields of a QMD, and their checks.
 * Source: open-gpu-doc classes/compute/clc0c0qmd.h (QMDV02_01). The limits are those published
 * for compute capability 6.0; that SKED checks just these, and alignments, is inference from the
 * names of its error bits.
 */
#include <string.h>

#include "qmd.h"

#define QMD_MAJOR_VERSION  2
#define QMD_VERSION	   1
#define LOCAL_ALIGN	   16
#define PROGRAM_ALIGN	   32
#define REGISTER_UNIT	   8 /* registers are given out to threads in such steps */
#define FIRST_CONSTANT_BIT 1024

/* Bits hi:lo of the whole, at most 32 of them. */
static u32 field(const u32 words[QMD_WORDS], unsigned int hi, unsigned int lo)
{
	u64 two = words[lo / 32];

	if (hi / 32 != lo / 32)
		two |= (u64)words[hi / 32] << 32;
	return (u32)bits(two, lo % 32 + (hi - lo), lo % 32);
}

bool qmd_known(const u32 words[QMD_WORDS])
{
	return field(words, 583, 580) == QMD_MAJOR_VERSION && field(words, 579, 576) == QMD_VERSION;
}

/* RELEASE0 and RELEASE1 are alike, 96 bits apart; their REDUCTION_OPs are in an order of their own. */
static void read_release(const u32 words[QMD_WORDS], unsigned int i, struct qmd_release *release)
{
	static const enum semaphore_reduction ops[] = {
		SEMAPHORE_ADD, SEMAPHORE_MIN, SEMAPHORE_MAX, SEMAPHORE_INC,
		SEMAPHORE_DEC, SEMAPHORE_AND, SEMAPHORE_OR,  SEMAPHORE_XOR,
	};
	unsigned int at = 96 * i;

	*release = (struct qmd_release){
		.enable = field(words, 138 + i, 138 + i),
		.address = (u64)field(words, 775 + at, 768 + at) << 32 |
			   field(words, 767 + at, 736 + at),
		.op = ops[field(words, 790 + at, 788 + at)],
		.is_signed = field(words, 793 + at, 792 + at),
		.reduce = field(words, 794 + at, 794 + at),
		.one_word = field(words, 799 + at, 799 + at),
		.payload = field(words, 831 + at, 800 + at),
	};
}

static u32 check_size(const struct qmd *qmd, u32 low, u32 high)
{
	u64 threads = (u64)qmd->block[0] * qmd->block[1] * qmd->block[2];
	u64 registers = (qmd->registers + REGISTER_UNIT - 1) / REGISTER_UNIT * REGISTER_UNIT;
	u32 error = 0;

	if (!threads)
		error |= SKED_ESR_CTA_THREAD_DIMENSION_ZERO;
	if (threads > CTA_THREADS)
		error |= SKED_ESR_TOTAL_THREADS;
	if (!qmd->registers || qmd->registers > REGISTERS_PER_THREAD)
		error |= SKED_ESR_REGISTER_COUNT;
	if (registers * threads > SM_REGISTER_FILE)
		error |= SKED_ESR_TOTAL_REGISTER_COUNT;
	if (qmd->shared_bytes > CTA_SHARED_BYTES)
		error |= SKED_ESR_SHARED_MEMORY_SIZE;
	if (low % LOCAL_ALIGN)
		error |= SKED_ESR_LOCAL_MEMORY_SIZE_POS;
	if (high % LOCAL_ALIGN)
		error |= SKED_ESR_LOCAL_MEMORY_SIZE_NEG;
	if (qmd->program_offset % PROGRAM_ALIGN)
		error |= SKED_ESR_PROGRAM_OFFSET;
	return error;
}

u32 qmd_parse(const u32 words[QMD_WORDS], struct qmd *qmd)
{
	u32 low = field(words, 951, 928), high = field(words, 983, 960), error;

	*qmd = (struct qmd){
		.program_offset = field(words, 287, 256),
		.grid = { field(words, 415, 384), field(words, 431, 416), field(words, 463, 448) },
		.block = { field(words, 607, 592), field(words, 623, 608), field(words, 639, 624) },
		.registers = field(words, 991, 984),
		.barriers = field(words, 959, 955),
		.shared_bytes = field(words, 561, 544),
		.local_bytes = low + high,
		.is_queue = field(words, 136, 136),
		.has_dependent = field(words, 141, 141),
	};
	error = check_size(qmd, low, high);
	for (unsigned int i = 0; i < QMD_CONSTANTS; i++) {
		unsigned int at = FIRST_CONSTANT_BIT + 64 * i;

		qmd->constant[i].valid = field(words, 640 + i, 640 + i);
		qmd->constant[i].address =
			(u64)field(words, at + 48, at + 32) << 32 | field(words, at + 31, at);
		qmd->constant[i].bytes = field(words, at + 63, at + 51) << 4;
		if (qmd->constant[i].valid && qmd->constant[i].bytes > CONSTANT_BUFFER_BYTES)
			error |= SKED_ESR_CONSTANT_BUFFER_SIZE;
	}
	for (unsigned int i = 0; i < QMD_RELEASES; i++)
		read_release(words, i, &qmd->release[i]);
	return error;
}
