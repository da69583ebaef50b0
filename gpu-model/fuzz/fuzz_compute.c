/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: compute work. The input is steps of an operation, a place and a word: what a user
 * can do (methods of the class, words of the QMD, of the parameters, of page tables), and what a
 * driver does meanwhile (replays, cancels, resets, preemption, commands of FECS).
 */
#include <string.h>

#include "bench.h"
#include "fuzz.h"
#include "sass.h"

#define CODE_VA	    0x1000000u
#define QMD_VA	    0x1001000u
#define CONSTANT_VA 0x1002000u
#define DATA_VA	    0x1003000u
#define STEPS_MAX   32

/* A load, an atomic and a store of words that the parameters place. */
static const char source[] = "S2R R0, SR_TID.X\n"
			     "S2R R1, SR_CTAID.X\n"
			     "ISCADD R0, R1, R0, 0x5\n"
			     "SHL R4, R0, c[0x0][0x8]\n"
			     "IADD R2.CC, R4, c[0x0][0x0]\n"
			     "IADD.X R3, RZ, c[0x0][0x4]\n"
			     "LDG.E R5, [R2]\n"
			     "RED.E.ADD [R2], R5\n"
			     "IADD R2.CC, R2, c[0x0][0xc]\n"
			     "IADD.X R3, R3, RZ\n"
			     "STG.E [R2], R0\n"
			     "EXIT\n";

/* QMD_MAJOR_VERSION and so on: one that runs. Word, value. */
static const u32 qmd_words[][2] = {
	{ 4, 0x400 },
	{ 12, 4 },
	{ 13, 1 },
	{ 14, 1 },
	{ 18, 0x200021 },
	{ 19, 0x10001 },
	{ 20, 1 },
	{ 30, 16 << 24 },
	{ 32, CONSTANT_VA },
	{ 33, 0x100 << 15 },
	{ 23, DATA_VA + 0xf00 },
};

static struct bench *bench;
static u64 heap;
static u64 qmd, constant;

static void set_up(struct bench_channel *channel)
{
	static u64 code[64];
	static size_t words;
	u64 at;

	if (!bench) {
		bench = bench_new();
		heap = bench->free;
		words = sass_program(source, code, ARRAY_SIZE(code));
	}
	bench_restart(bench, heap);
	bench_channel(bench, channel, 3, 0, false);
	bench_set_vram32(bench, channel->inst + 0x200, (u32)bench->pdb | BIT(11) | BIT(10) | 0x30);
	bench_set_vram32(bench, channel->inst + 0x210, 4);
	at = bench_map_new(bench, CODE_VA, 0x4000);
	memcpy(bench->gpu->fb.vram + at, code, words * 8);
	qmd = at + 0x1000;
	constant = at + 0x2000;
	for (size_t i = 0; i < ARRAY_SIZE(qmd_words); i++)
		bench_set_vram32(bench, qmd + 4 * qmd_words[i][0], qmd_words[i][1]);
	bench_set_vram32(bench, constant, DATA_VA);
	bench_set_vram32(bench, constant + 8, 2);
	bench_set_vram32(bench, constant + 12, 64);
	bench_set_reg(bench, 0x2a70, 0x700001);
	for (u32 reg = 0x400130; reg <= 0x40013c; reg += 4)
		bench_set_reg(bench, reg, ~0u);
	bench_set_reg(bench, 0x41ac94, ~0u);
	for (u32 reg = 0x419d0c; reg <= 0x419e4c; reg += 0x20)
		bench_set_reg(bench, reg, ~0u);
	push_method(channel, 1, 0, 0xc0c0);
	push_method(channel, 1, 0x160c, CODE_VA);
}

static void run(void)
{
	pthread_mutex_lock(&bench->gpu->lock);
	engine_step(bench->gpu);
	pthread_mutex_unlock(&bench->gpu->lock);
}

static void step(struct bench_channel *channel, u8 op, u16 at, u32 word)
{
	static const u32 registers[] = { 0x100cbc, 0x2a70,   0x2a7c,   0x2a84,	 0x2634,   0x2630,
					 0x262c,   0x2a0c,   0x2a30,   0x259c,	 0x409500, 0x409504,
					 0x400100, 0x407020, 0x504648, 0x504650, 0x40108 };

	switch (op % 8) {
	case 0:
		if (channel->words < BENCH_PUSH_BYTES / 8)
			push_method(channel, 1, at & 0x3ffc, word);
		break;
	case 1:
		bench_set_vram32(bench, qmd + 4 * (at % 64), word);
		break;
	case 2:
		bench_set_vram32(bench, constant + 4 * (at % 4), word);
		break;
	case 3: /* launch, as it stands */
		if (channel->words < BENCH_PUSH_BYTES / 8) {
			push_method(channel, 1, 0x2b4, QMD_VA >> 8);
			push_method(channel, 1, 0x2bc, 3);
		}
		bench_kick(channel);
		run();
		break;
	case 4:
		bench_set_reg(bench, registers[at % ARRAY_SIZE(registers)], word);
		run();
		break;
	case 5: /* a replay, after a page came or went */
		bench_map(bench, DATA_VA + 0x1000 * (at % 16), APERTURE_VIDMEM, qmd + 0x2000,
			  0x1000, word & 0xfe);
		bench_set_reg(bench, 0x100cbc, word & 1 ? 0x8000000b : 0x80000013);
		run();
		break;
	case 6: /* resets of GR and of Host, and the channel again */
		bench_set_reg(bench, 0x200, ~(at & (BIT(12) | BIT(8))));
		bench_set_reg(bench, 0x200, ~0u);
		run();
		break;
	case 7:
		if (bench->free + 0x10000 < BENCH_VRAM && channel->put < 32) {
			bench_set_vram32(bench, channel->inst + 0x200,
					 bench_vram32(bench, channel->inst + 0x200) ^
						 (word & 0x30));
			bench_runlist(bench, 0, channel, at & 1);
			bench_set_reg(bench, 0x800004 + 8 * 3, at & 2 ? 0x400 : 0x800);
		}
		run();
		break;
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct bench_channel channel;

	set_up(&channel);
	for (unsigned int i = 0; i < STEPS_MAX && size >= 7; i++, data += 7, size -= 7) {
		u32 word;
		u16 at;

		memcpy(&at, data + 1, sizeof(at));
		memcpy(&word, data + 3, sizeof(word));
		step(&channel, data[0], at, word);
	}
	bench_kick(&channel);
	run();
	return 0;
}
