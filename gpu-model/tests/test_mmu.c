/* SPDX-License-Identifier: MIT */
/*
 * The page walk, against the published format (open-gpu-doc pascal/gp100-mmu-format.pdf): every
 * entry here is written out bit by bit, with nothing taken from the model.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench.h"

#define VA	  UINT64_C(0x1234567890000) /* every level's index is another one */
#define PD3_INDEX 2			    /* bits 48:47 */
#define PD2_INDEX 0x8d			    /* bits 46:38 */
#define PD1_INDEX 0x2b			    /* bits 37:29 */
#define PD0_INDEX 0x3c			    /* bits 28:21 */
#define BIG_INDEX 0x9			    /* bits 20:16 */
#define PT_INDEX  0x90			    /* bits 20:12 */

#define PD3 UINT64_C(0x700000)
#define PD2 UINT64_C(0x701000)
#define PD1 UINT64_C(0x702000)
#define PD0 UINT64_C(0x703000)
#define BIG UINT64_C(0x704100) /* 256 bytes are enough, and their alignment */
#define PT  UINT64_C(0x705000)

#define VALID	   UINT64_C(0x01)
#define VIDEO	   (UINT64_C(0) << 1)
#define PEER	   (UINT64_C(1) << 1)
#define COHERENT   (UINT64_C(2) << 1)
#define VOLATILE   UINT64_C(0x08)
#define PRIVILEGE  UINT64_C(0x20)
#define READ_ONLY  UINT64_C(0x40)
#define NO_ATOMICS UINT64_C(0x80)
#define PDE_VIDEO  (UINT64_C(1) << 1)

struct fixture {
	struct bench *bench;
	struct mmu_space space;
};

static void put(struct fixture *f, u64 addr, u64 val)
{
	bench_set_vram32(f->bench, addr, (u32)val);
	bench_set_vram32(f->bench, addr + 4, (u32)(val >> 32));
}

static u64 entry(u64 addr)
{
	return addr >> 12 << 8;
}

static void set_pd3(struct fixture *f, u64 val)
{
	put(f, PD3 + 8 * PD3_INDEX, val);
}

static void set_pd0_big(struct fixture *f, u64 val)
{
	put(f, PD0 + 16 * PD0_INDEX, val);
}

static void set_pd0_small(struct fixture *f, u64 val)
{
	put(f, PD0 + 16 * PD0_INDEX + 8, val);
}

static void set_big(struct fixture *f, u64 val)
{
	put(f, BIG + 8 * BIG_INDEX, val);
}

static void set_pt(struct fixture *f, u64 val)
{
	put(f, PT + 8 * PT_INDEX, val);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->bench = bench_new();
	f->space = (struct mmu_space){
		.pdb = PD3, .limit = (UINT64_C(1) << 49) - 1, .ver2 = true, .big_64k = true
	};
	set_pd3(f, entry(PD2) | PDE_VIDEO);
	put(f, PD2 + 8 * PD2_INDEX, entry(PD1) | PDE_VIDEO);
	put(f, PD1 + 8 * PD1_INDEX, entry(PD0) | PDE_VIDEO);
	set_pd0_big(f, BIG >> 8 << 4 | PDE_VIDEO);
	set_pd0_small(f, entry(PT) | PDE_VIDEO);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	bench_delete(f->bench);
	free(f);
	return 0;
}

static enum mmu_fault translate(struct fixture *f, u64 va, enum mmu_access access, bool privileged,
				struct mmu_page *page)
{
	enum mmu_fault fault;

	pthread_mutex_lock(&f->bench->gpu->lock);
	mmu_tlb_invalidate(f->bench->gpu);
	fault = mmu_translate(f->bench->gpu, &f->space, va, access, privileged, page);
	pthread_mutex_unlock(&f->bench->gpu->lock);
	return fault;
}

static enum mmu_fault walk(struct fixture *f, struct mmu_page *page)
{
	return translate(f, VA + 0x123, MMU_READ, false, page);
}

static void assert_page(struct fixture *f, unsigned int shift, enum aperture aperture, u64 addr)
{
	struct mmu_page page;

	assert_int_equal(walk(f, &page), MMU_FAULT_NONE);
	assert_int_equal(page.shift, shift);
	assert_int_equal(page.aperture, aperture);
	assert_true(page.addr == addr);
	assert_true(page.span == (UINT64_C(1) << shift) - ((VA + 0x123) & ((1u << shift) - 1)));
	assert_false(page.sparse);
}

static void small_page(void **state)
{
	set_pt(*state, entry(0x1234000) | VIDEO | VALID);
	assert_page(*state, 12, APERTURE_VIDMEM, 0x1234123);
}

static void big_page(void **state)
{
	struct fixture *f = *state;

	set_big(f, entry(0x5670000) | VIDEO | VALID);
	set_pt(f, entry(0x1234000) | VIDEO | VALID); /* the big one wins */
	assert_page(f, 16, APERTURE_VIDMEM, 0x5670123);
}

static void huge_page(void **state)
{
	struct fixture *f = *state;

	set_pd0_big(f, entry(0x2600000) | VIDEO | VALID);
	assert_page(f, 21, APERTURE_VIDMEM, 0x2600000 + ((VA + 0x123) & 0x1fffff));
}

static void big_pages_of_128k(void **state)
{
	struct fixture *f = *state;

	f->space.big_64k = false;
	put(f, BIG + 8 * (BIG_INDEX / 2), entry(0x5660000) | VIDEO | VALID);
	assert_page(f, 17, APERTURE_VIDMEM, 0x5660000 + ((VA + 0x123) & 0x1ffff));
}

static void apertures(void **state)
{
	struct fixture *f = *state;
	struct mmu_page page;

	/* 47 bits of bus address, 53:8 */
	set_pt(f, entry(UINT64_C(0x7edcba987000)) | COHERENT | VOLATILE | VALID);
	assert_page(f, 12, APERTURE_SYS_COH, UINT64_C(0x7edcba987123));
	set_pt(f, entry(UINT64_C(0x7edcba987000)) | COHERENT | (1 << 1) | VALID);
	assert_page(f, 12, APERTURE_SYS_NCOH, UINT64_C(0x7edcba987123));
	/* video addresses end at bit 32: what is above are compression tags */
	set_pt(f, entry(0x1234000) | UINT64_C(0x3ffff) << 36 | VIDEO | VALID);
	assert_page(f, 12, APERTURE_VIDMEM, 0x1234123);
	set_pt(f, entry(0x1234000) | PEER | VALID); /* none is set up */
	assert_int_equal(walk(f, &page), MMU_FAULT_APERTURE);
}

static void kinds(void **state)
{
	struct fixture *f = *state;
	struct mmu_page page;

	set_pt(f, entry(0x1234000) | UINT64_C(0xfe) << 56 | VALID);
	assert_int_equal(walk(f, &page), MMU_FAULT_NONE);
	assert_int_equal(page.kind, 0xfe);
	set_pt(f, entry(0x1234000) | UINT64_C(0xff) << 56 | VALID);
	assert_int_equal(walk(f, &page), MMU_FAULT_KIND);
}

static void permissions(void **state)
{
	struct fixture *f = *state;
	struct mmu_page page;

	set_pt(f, entry(0x1000) | READ_ONLY | VALID);
	assert_int_equal(translate(f, VA, MMU_READ, false, &page), MMU_FAULT_NONE);
	assert_int_equal(translate(f, VA, MMU_PREFETCH, false, &page), MMU_FAULT_NONE);
	assert_int_equal(translate(f, VA, MMU_WRITE, false, &page), MMU_FAULT_RO);
	assert_int_equal(translate(f, VA, MMU_ATOMIC, false, &page), MMU_FAULT_RO);
	set_pt(f, entry(0x1000) | NO_ATOMICS | VALID);
	assert_int_equal(translate(f, VA, MMU_WRITE, false, &page), MMU_FAULT_NONE);
	assert_int_equal(translate(f, VA, MMU_ATOMIC, false, &page), MMU_FAULT_ATOMIC);
	set_pt(f, entry(0x1000) | PRIVILEGE | VALID);
	assert_int_equal(translate(f, VA, MMU_READ, false, &page), MMU_FAULT_PRIV);
	assert_int_equal(translate(f, VA, MMU_READ, true, &page), MMU_FAULT_NONE);
}

static void faults(void **state)
{
	struct fixture *f = *state;
	struct mmu_page page;

	assert_int_equal(walk(f, &page), MMU_FAULT_PTE);
	/* an invalid big PTE with PRIVILEGE: small ones are not looked at */
	set_pt(f, entry(0x1000) | VALID);
	set_big(f, PRIVILEGE);
	assert_int_equal(walk(f, &page), MMU_FAULT_PTE);
	set_big(f, 0);
	set_pd0_small(f, 0);
	assert_int_equal(walk(f, &page), MMU_FAULT_PTE);
	set_pd0_big(f, 0);
	assert_int_equal(walk(f, &page), MMU_FAULT_PDE);
	set_pd3(f, 0);
	assert_int_equal(walk(f, &page), MMU_FAULT_PDE);
	f->space.limit = VA - 1;
	assert_int_equal(walk(f, &page), MMU_FAULT_VA_LIMIT);
	f->space.limit = ~UINT64_C(0);
	assert_int_equal(translate(f, UINT64_C(1) << 49, MMU_READ, false, &page),
			 MMU_FAULT_VA_LIMIT);
}

static void assert_sparse(struct fixture *f, unsigned int shift)
{
	struct mmu_page page;

	assert_int_equal(walk(f, &page), MMU_FAULT_NONE);
	assert_true(page.sparse);
	assert_int_equal(page.shift, shift);
}

static void sparse(void **state)
{
	struct fixture *f = *state;

	set_pt(f, VOLATILE);
	assert_sparse(f, 12);
	set_big(f, VOLATILE);
	assert_sparse(f, 16);
	set_pd0_big(f, VOLATILE);
	set_pd0_small(f, 0);
	assert_sparse(f, 21);
	put(f, PD1 + 8 * PD1_INDEX, VOLATILE);
	assert_sparse(f, 29);
	set_pd3(f, VOLATILE);
	assert_sparse(f, 47);
}

static void instance_block(void **state)
{
	struct fixture *f = *state;
	struct mmu_space space;

	bench_set_vram32(f->bench, 0x710200, 0x89abc000 | 2 | BIT(4) | BIT(10));
	bench_set_vram32(f->bench, 0x710204, 0x12);
	bench_set_vram32(f->bench, 0x710208, 0xffff0000);
	bench_set_vram32(f->bench, 0x71020c, 0x1ffff);
	pthread_mutex_lock(&f->bench->gpu->lock);
	mmu_space_load(f->bench->gpu, APERTURE_VIDMEM, 0x710000, &space);
	pthread_mutex_unlock(&f->bench->gpu->lock);
	assert_int_equal(space.pdb_aperture, APERTURE_SYS_COH);
	assert_true(space.pdb == UINT64_C(0x1289abc000));
	assert_true(space.limit == UINT64_C(0x1ffffffff0fff));
	assert_true(space.ver2 && space.replay_tex && !space.replay_gcc && !space.big_64k);
	assert_true(space.inst == 0x710000);
}

/* Entries stay cached until software says otherwise, and no longer; faults are not cached. */
static void tlb(void **state)
{
	struct fixture *f = *state;
	struct gpu *gpu = f->bench->gpu;
	struct mmu_page page;
	u64 walks;

	assert_int_equal(walk(f, &page), MMU_FAULT_PTE);
	set_pt(f, entry(0x1000) | VALID);
	pthread_mutex_lock(&gpu->lock);
	assert_int_equal(mmu_translate(gpu, &f->space, VA, MMU_READ, false, &page), MMU_FAULT_NONE);
	walks = gpu->mmu.walks;
	assert_int_equal(mmu_translate(gpu, &f->space, VA + 8, MMU_READ, false, &page),
			 MMU_FAULT_NONE);
	assert_true(gpu->mmu.walks == walks && page.addr == 0x1008);
	pthread_mutex_unlock(&gpu->lock);
	set_pt(f, entry(0x2000) | VALID);
	bench_set_reg(f->bench, 0x100cbc, 0x80000001);
	assert_int_equal(bench_reg(f->bench, 0x100cbc) >> 31, 0);
	assert_true(bench_reg(f->bench, 0x100c80) & BIT(15));
	assert_true(bench_reg(f->bench, 0x100c80) >> 16 & 0xff);
	pthread_mutex_lock(&gpu->lock);
	assert_int_equal(mmu_translate(gpu, &f->space, VA, MMU_READ, false, &page), MMU_FAULT_NONE);
	assert_true(page.addr == 0x2000);
	pthread_mutex_unlock(&gpu->lock);
}

static struct mmu_replay replayed;

static void on_replay(struct gpu *gpu, const struct mmu_replay *replay)
{
	(void)gpu;
	replayed = *replay;
}

static void replay_by_register(void **state)
{
	struct fixture *f = *state;

	f->bench->gpu->mmu.on_replay = on_replay;
	bench_set_reg(f->bench, 0x100cbc, 0x8000000b);
	assert_int_equal(replayed.op, MMU_REPLAY_START);
	bench_set_reg(f->bench, 0x100cbc, 0x8000001bu | 1 << 20 | 3 << 15 | 9 << 9);
	assert_int_equal(replayed.op, MMU_REPLAY_CANCEL_TARGETED);
	assert_true(replayed.hub);
	assert_int_equal(replayed.gpc, 3);
	assert_int_equal(replayed.client, 9);
}

static void copies(void **state)
{
	struct fixture *f = *state;
	struct gpu *gpu = f->bench->gpu;
	u8 in[0x2800], out[0x2800];
	u64 fault_va = 0;

	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (u8)(i * 13);
	put(f, PT + 8 * PT_INDEX, entry(0x3009000) | VALID);
	put(f, PT + 8 * (PT_INDEX + 1), entry(0x3005000) | VALID);
	put(f, PT + 8 * (PT_INDEX + 2), entry(0x3007000) | VALID);
	pthread_mutex_lock(&gpu->lock);
	assert_int_equal(
		mmu_write(gpu, &f->space, VA + 0x400, in, sizeof(in), CLIENT_OTHER, &fault_va),
		MMU_FAULT_NONE);
	assert_memory_equal(gpu->fb.vram + 0x3009400, in, 0xc00);
	assert_memory_equal(gpu->fb.vram + 0x3005000, in + 0xc00, 0x1000);
	assert_memory_equal(gpu->fb.vram + 0x3007000, in + 0x1c00, 0xc00);
	assert_int_equal(
		mmu_read(gpu, &f->space, VA + 0x400, out, sizeof(out), CLIENT_OTHER, &fault_va),
		MMU_FAULT_NONE);
	assert_memory_equal(in, out, sizeof(in));
	/* up to the page that is not there */
	memset(out, 0, sizeof(out));
	assert_int_equal(
		mmu_read(gpu, &f->space, VA + 0xc00, out, sizeof(out), CLIENT_OTHER, &fault_va),
		MMU_FAULT_PTE);
	assert_true(fault_va == VA + 0x3000);
	assert_memory_equal(out, in + 0x800, 0x2000);
	pthread_mutex_unlock(&gpu->lock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(small_page, setup, teardown),
		cmocka_unit_test_setup_teardown(big_page, setup, teardown),
		cmocka_unit_test_setup_teardown(huge_page, setup, teardown),
		cmocka_unit_test_setup_teardown(big_pages_of_128k, setup, teardown),
		cmocka_unit_test_setup_teardown(apertures, setup, teardown),
		cmocka_unit_test_setup_teardown(kinds, setup, teardown),
		cmocka_unit_test_setup_teardown(permissions, setup, teardown),
		cmocka_unit_test_setup_teardown(faults, setup, teardown),
		cmocka_unit_test_setup_teardown(sparse, setup, teardown),
		cmocka_unit_test_setup_teardown(instance_block, setup, teardown),
		cmocka_unit_test_setup_teardown(tlb, setup, teardown),
		cmocka_unit_test_setup_teardown(replay_by_register, setup, teardown),
		cmocka_unit_test_setup_teardown(copies, setup, teardown),
	};

	return cmocka_run_group_tests_name("mmu", tests, NULL, NULL);
}
