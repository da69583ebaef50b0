// SPDX-License-Identifier: MIT
/**
 * TEST: nouveau SVM on one GPU
 * Category: Core
 * Mega feature: SVM
 * Sub-category: migration and copy-engine access
 * Description: Memory that moves between RAM and VRAM keeps its content, through every change of
 * the address space. Subtests of tier 1 need SVM_BIND alone; those of tier 2 let the copy engine
 * access pages that PREFETCH (or a migration) put into the GPU's page tables.
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "igt.h"
#include "nouveau_drm.h"
#include "nouveau/nv_ce.h"
#include "nouveau/nv_chan.h"
#include "nouveau/nv_device.h"
#include "nouveau/nv_ksm.h"
#include "nouveau/nv_model.h"
#include "nouveau/nv_survivor.h"
#include "nouveau/nv_svm.h"
#include "nouveau/nv_worker.h"

IGT_TEST_DESCRIPTION("Migration and copy-engine access with nouveau's SVM on one GPU");

#define KiB 1024ul
#define MiB (1024 * KiB)

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

static struct nv_gpu gpu;
static struct nv_svm svm;
static struct nv_worker worker;

/* Tier 1: migration, seen by the CPU */

static void to_vram(void *ptr, size_t len, uint32_t seed)
{
	nv_fill(ptr, len, seed);
	nv_svm_migrate(&svm, ptr, len);
	nv_assert_private(ptr, len);
}

static void require_huge(const void *ptr)
{
	igt_require_f(nv_is_huge_page(ptr),
		      "got no huge page (see /sys/kernel/mm/transparent_hugepage/enabled)\n");
}

static void migrate_and_back(char *ptr, size_t len)
{
	for (uint32_t round = 0; round < 2; round++) {
		to_vram(ptr, len, round);
		nv_check(ptr, len, round);
		nv_assert_ram(ptr, len);
	}
	munmap(ptr, len);
}

static void test_migrate(size_t len)
{
	migrate_and_back((char *)nv_alloc(len), len);
}

static void test_migrate_thp(void)
{
	char *ptr = (char *)nv_alloc_huge(NV_HUGE_SIZE);

	*ptr = 1;
	require_huge(ptr);
	migrate_and_back(ptr, NV_HUGE_SIZE);
}

static void test_migrate_thp_split(void)
{
	const size_t head = 16 * NV_PAGE_SIZE, tail_len = NV_HUGE_SIZE - 17 * NV_PAGE_SIZE;
	char *ptr = (char *)nv_alloc_huge(NV_HUGE_SIZE), *tail = ptr + head + NV_PAGE_SIZE;

	nv_fill(ptr, head, 1);
	nv_fill(tail, tail_len, 2);
	require_huge(ptr);
	nv_svm_migrate(&svm, ptr, NV_HUGE_SIZE);
	nv_assert_private(ptr, NV_HUGE_SIZE);
	munmap(ptr + head, NV_PAGE_SIZE);
	nv_check(ptr, head, 1);
	nv_svm_migrate(&svm, ptr, NV_HUGE_SIZE);
	nv_assert_private(ptr, head);
	nv_assert_private(tail, tail_len);
	nv_check(ptr, head, 1);
	nv_check(tail, tail_len, 2);
	munmap(ptr, NV_HUGE_SIZE);
}

/* The CPU's fault splits the huge page, and is after another page of it than the first. */
static void test_migrate_thp_split_tail(void)
{
	const size_t half = NV_HUGE_SIZE / 2;
	char *ptr = (char *)nv_alloc_huge(NV_HUGE_SIZE);

	nv_fill(ptr, half, 1);
	nv_fill(ptr + half, half, 2);
	require_huge(ptr);
	nv_svm_migrate(&svm, ptr, NV_HUGE_SIZE);
	nv_assert_private(ptr, NV_HUGE_SIZE);
	munmap(ptr + half - NV_PAGE_SIZE, NV_PAGE_SIZE);
	nv_check(ptr + half, half, 2);
	nv_check(ptr, half - NV_PAGE_SIZE, 1);
	munmap(ptr, NV_HUGE_SIZE);
}

/* What is not split comes home as a whole. */
static void test_migrate_thp_whole(void)
{
	char *ptr = (char *)nv_alloc_huge(2 * NV_HUGE_SIZE), *huge = ptr + NV_HUGE_SIZE;

	nv_fill(huge, NV_HUGE_SIZE, 1);
	require_huge(huge);
	nv_svm_migrate(&svm, huge - MiB, NV_HUGE_SIZE + MiB);
	nv_assert_private(huge, NV_HUGE_SIZE);
	igt_assert_eq_u32(*(volatile uint32_t *)huge, nv_pattern(1, 0));
	nv_assert_ram(huge, NV_HUGE_SIZE);
	nv_check(huge, NV_HUGE_SIZE, 1);
	munmap(ptr, 2 * NV_HUGE_SIZE);
}

static void test_migrate_result(void)
{
	uint32_t *ptr = nv_alloc(64 * KiB);

	nv_fill(ptr, 64 * KiB, 1);
	nv_svm_migrate(&svm, ptr, NV_PAGE_SIZE);
	igt_assert_eq_u64(nv_svm_migrate(&svm, ptr, 64 * KiB), 15);
	igt_assert_eq_u64(nv_svm_migrate(&svm, ptr, 64 * KiB), 0);
	munmap(ptr, 64 * KiB);
}

static void assert_fdinfo(const char *key, uint64_t bytes)
{
	uint64_t is;

	igt_require_f(nv_fdinfo(svm.fd, key, &is), "this driver has no %s in fdinfo\n", key);
	igt_assert_f(is == bytes, "%s is %llu instead of %llu\n", key, (unsigned long long)is,
		     (unsigned long long)bytes);
}

/* What this file has mapped, and the buffers that it has. */
static void test_fdinfo(void)
{
	const size_t len = 64 * KiB;
	uint32_t *ptr = nv_alloc(len);
	uint64_t vram, gart;
	struct nv_bo bo;

	assert_fdinfo("drm-resident-svm-vram", 0);
	assert_fdinfo("drm-resident-svm-ram", 0);
	nv_fill(ptr, len, 1);
	nv_svm_migrate(&svm, ptr, len);
	assert_fdinfo("drm-resident-svm-vram", len);
	assert_fdinfo("drm-total-svm-vram", len);
	nv_check(ptr, NV_PAGE_SIZE, 1);
	assert_fdinfo("drm-resident-svm-vram", len - NV_PAGE_SIZE);
	if (nv_svm_has_prefetch(&svm)) {
		nv_svm_prefetch(&svm, ptr, len);
		assert_fdinfo("drm-resident-svm-ram", NV_PAGE_SIZE);
	}
	munmap(ptr, len);
	assert_fdinfo("drm-resident-svm-vram", 0);
	assert_fdinfo("drm-resident-svm-ram", 0);
	assert_fdinfo("drm-resident-svm-peer", 0);

	igt_assert(nv_fdinfo(svm.fd, "drm-total-vram", &vram));
	igt_assert(nv_fdinfo(svm.fd, "drm-total-gart", &gart));
	nv_bo_create(&bo, svm.fd, MiB, NOUVEAU_GEM_DOMAIN_VRAM);
	assert_fdinfo("drm-total-vram", vram + MiB);
	assert_fdinfo("drm-total-gart", gart);
	nv_bo_destroy(&bo);
	assert_fdinfo("drm-total-vram", vram);
}

static void test_migrate_again(void)
{
	uint64_t before[16], after[16];
	uint32_t *ptr = nv_alloc(64 * KiB);

	to_vram(ptr, 64 * KiB, 1);
	nv_pagemap_read(ptr, 64 * KiB, before);
	nv_svm_migrate(&svm, ptr, 64 * KiB);
	nv_pagemap_read(ptr, 64 * KiB, after);
	igt_assert_f(!memcmp(before, after, sizeof(before)), "pages moved inside VRAM\n");
	nv_check(ptr, 64 * KiB, 1);
	munmap(ptr, 64 * KiB);
}

static void test_migrate_partial(void)
{
	char *ptr = (char *)nv_alloc(48 * NV_PAGE_SIZE);
	char *middle = ptr + 16 * NV_PAGE_SIZE, *end = middle + 16 * NV_PAGE_SIZE;
	const size_t third = 16 * NV_PAGE_SIZE;

	nv_fill(ptr, 3 * third, 1);
	nv_svm_migrate(&svm, middle, third);
	nv_assert_ram(ptr, third);
	nv_assert_private(middle, third);
	nv_assert_ram(end, third);
	nv_check(ptr, 3 * third, 1);
	munmap(ptr, 3 * third);
}

/* Pages of all kinds in one range: touched, never touched, forbidden, unmapped, of a file. */
static void test_migrate_holes(void)
{
	char *ptr = (char *)nv_alloc(5 * NV_PAGE_SIZE), *file = ptr + 4 * NV_PAGE_SIZE;
	int fd = memfd_create("igt", 0);

	igt_assert(fd >= 0 && !ftruncate(fd, NV_PAGE_SIZE));
	igt_assert(mmap(file, NV_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
			0) == file);
	close(fd);
	nv_fill(ptr, NV_PAGE_SIZE, 1);
	nv_fill(ptr + 2 * NV_PAGE_SIZE, NV_PAGE_SIZE, 2);
	nv_fill(file, NV_PAGE_SIZE, 3);
	igt_assert_eq(mprotect(ptr + 2 * NV_PAGE_SIZE, NV_PAGE_SIZE, PROT_NONE), 0);
	munmap(ptr + 3 * NV_PAGE_SIZE, NV_PAGE_SIZE);

	nv_svm_migrate(&svm, ptr, 5 * NV_PAGE_SIZE);
	nv_assert_private(ptr, NV_PAGE_SIZE);
	nv_assert_ram(file, NV_PAGE_SIZE);

	nv_check(ptr, NV_PAGE_SIZE, 1);
	for (int i = 0; i < NV_PAGE_SIZE; i++)
		igt_assert_eq(ptr[NV_PAGE_SIZE + i], 0);
	igt_assert_eq(mprotect(ptr + 2 * NV_PAGE_SIZE, NV_PAGE_SIZE, PROT_READ), 0);
	nv_check(ptr + 2 * NV_PAGE_SIZE, NV_PAGE_SIZE, 2);
	nv_check(file, NV_PAGE_SIZE, 3);
	munmap(ptr, 5 * NV_PAGE_SIZE);
}

static void test_migrate_repeat(void)
{
	const size_t len = 64 * KiB;
	uint32_t *ptr = nv_alloc(len);
	const int rounds = SLOW_QUICK(100, 10);

	for (int i = 0; i < rounds; i++) {
		to_vram(ptr, len, i);
		nv_check(ptr, len, i);
	}
	munmap(ptr, len);
}

static void test_cpu_fault_back(void)
{
	const int pages = 16;
	char *ptr = (char *)nv_alloc(pages * NV_PAGE_SIZE);

	to_vram(ptr, pages * NV_PAGE_SIZE, 1);
	for (int i = 0; i < pages; i++) {
		char *page = ptr + i * 5 % pages * NV_PAGE_SIZE; /* every page once, not in order */
		volatile uint32_t *word = (uint32_t *)page + i;
		uint32_t old = *word;

		nv_assert_ram(page, NV_PAGE_SIZE);
		*word = ~old;
		*word = old;
	}
	nv_assert_ram(ptr, pages * NV_PAGE_SIZE);
	nv_check(ptr, pages * NV_PAGE_SIZE, 1);
	munmap(ptr, pages * NV_PAGE_SIZE);
}

static void test_cpu_write_back(void)
{
	uint32_t *ptr = nv_alloc(NV_PAGE_SIZE), old;

	nv_fill(ptr, NV_PAGE_SIZE, 1);
	old = ptr[7];
	nv_svm_migrate(&svm, ptr, NV_PAGE_SIZE);
	nv_assert_private(ptr, NV_PAGE_SIZE);
	ptr[7] = ~old;
	nv_assert_ram(ptr, NV_PAGE_SIZE);
	igt_assert_eq_u32(ptr[7], ~old);
	ptr[7] = old;
	nv_check(ptr, NV_PAGE_SIZE, 1);
	munmap(ptr, NV_PAGE_SIZE);
}

struct toucher {
	pthread_t thread;
	char *ptr;
	size_t len;
	uint32_t seed;
	size_t bad;
};

static void *toucher_main(void *arg)
{
	struct toucher *toucher = arg;

	toucher->bad = __nv_check(toucher->ptr, toucher->len, toucher->seed);

	return NULL;
}

static void test_cpu_fault_threads(bool same_page)
{
	const size_t len = 32 * KiB;
	struct toucher touchers[4];
	const int rounds = SLOW_QUICK(50, 4);
	char *ptr = (char *)nv_alloc(len * ARRAY_SIZE(touchers));

	for (int i = 0; i < rounds; i++) {
		for (int t = 0; t < ARRAY_SIZE(touchers); t++) {
			touchers[t] = (struct toucher){
				.ptr = same_page ? ptr : ptr + t * len,
				.len = len,
				.seed = same_page ? i : i + t,
			};
			nv_fill(touchers[t].ptr, len, touchers[t].seed);
		}
		nv_svm_migrate(&svm, ptr, len * ARRAY_SIZE(touchers));
		for (int t = 0; t < ARRAY_SIZE(touchers); t++)
			igt_assert_eq(pthread_create(&touchers[t].thread, NULL, toucher_main,
						     &touchers[t]),
				      0);
		for (int t = 0; t < ARRAY_SIZE(touchers); t++) {
			pthread_join(touchers[t].thread, NULL);
			igt_assert_eq_u64(touchers[t].bad, 0);
		}
	}
	munmap(ptr, len * ARRAY_SIZE(touchers));
}

/*
 * A thread that repeats one thing until told to stop, or until it fails. Not on a stack that a
 * failure unwinds.
 */
static struct racer {
	pthread_t thread;
	int (*step)(void); /* 0 or -errno */
	char *ptr;
	size_t len;
	int round;
	int ret;
	volatile bool stop;
} racer;

static void *racer_main(void *arg)
{
	for (racer.round = 0; !racer.stop && !racer.ret; racer.round++)
		racer.ret = racer.step();

	return NULL;
}

static void racer_start(int (*step)(void))
{
	racer.step = step;
	racer.stop = false;
	racer.ret = 0;
	igt_assert_eq(pthread_create(&racer.thread, NULL, racer_main, NULL), 0);
}

static void racer_join(void)
{
	racer.stop = true;
	pthread_join(racer.thread, NULL);
	igt_assert_eq(racer.ret, 0);
}

static int step_migrate(void)
{
	return __nv_svm_migrate(&svm, racer.ptr, racer.len);
}

static void test_migrate_race(void)
{
	const int rounds = SLOW_QUICK(500, 20);

	racer.len = 64 * KiB;
	racer.ptr = (char *)nv_alloc(racer.len);
	nv_fill(racer.ptr, racer.len, 0);
	racer_start(step_migrate);
	for (int i = 0; i < rounds; i++) {
		nv_check(racer.ptr, racer.len, i);
		nv_fill(racer.ptr, racer.len, i + 1);
	}
	racer_join();
	nv_check(racer.ptr, racer.len, rounds);
	munmap(racer.ptr, racer.len);
}

static void test_munmap_race(void)
{
	const int rounds = SLOW_QUICK(500, 40);

	racer.len = 16 * KiB;
	racer.ptr = (char *)nv_alloc(racer.len);
	racer_start(step_migrate);
	for (int i = 0; i < rounds; i++) {
		void *ptr = mmap(racer.ptr, racer.len, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

		igt_assert(ptr == racer.ptr);
		nv_fill(ptr, racer.len, i);
		nv_check(ptr, racer.len, i);
		munmap(ptr, racer.len);
	}
	racer_join();
}

static struct nv_bo moved_bo;

static int step_ttm_moves(void)
{
	struct drm_nouveau_gem_pushbuf_bo bos[2] = {
		{ .handle = worker.chan.push.handle, .valid_domains = NOUVEAU_GEM_DOMAIN_GART },
		{ .handle = moved_bo.handle },
	};
	/* Empty of work: what counts is the validation, which moves the buffer. */
	struct drm_nouveau_gem_pushbuf_push push = { .offset = worker.chan.push.size - 8,
						     .length = 8 };
	struct drm_nouveau_gem_pushbuf submit = {
		.channel = worker.chan.id,
		.nr_buffers = 2,
		.buffers = (uintptr_t)bos,
		.nr_push = 1,
		.push = (uintptr_t)&push,
	};

	bos[0].read_domains = bos[0].valid_domains;
	bos[1].valid_domains = racer.round & 1 ? NOUVEAU_GEM_DOMAIN_VRAM : NOUVEAU_GEM_DOMAIN_GART;
	bos[1].write_domains = bos[1].valid_domains;

	return igt_ioctl(worker.svm.fd, DRM_IOCTL_NOUVEAU_GEM_PUSHBUF, &submit) ? -errno : 0;
}

static void test_migrate_while_ttm_moves(void)
{
	const size_t len = 128 * KiB;
	char *ptr = (char *)nv_alloc(len);
	const int rounds = SLOW_QUICK(300, 12);
	uint32_t *nops = worker.chan.push.map + worker.chan.push.size - 8;

	nv_bo_create(&moved_bo, worker.svm.fd, 256 * KiB,
		     NOUVEAU_GEM_DOMAIN_VRAM | NOUVEAU_GEM_DOMAIN_GART);
	memset(nops, 0, 8);
	nv_fill(moved_bo.map, 4 * KiB, 0xb0);
	racer_start(step_ttm_moves);
	for (int i = 0; i < rounds; i++) {
		nv_fill(ptr, len, i);
		nv_svm_migrate(&worker.svm, ptr, len);
		nv_check(ptr, len, i);
	}
	racer_join();
	igt_info("%d moves of a buffer object beside %d migrations\n", racer.round, rounds);
	nv_check(moved_bo.map, 4 * KiB, 0xb0);
	nv_bo_destroy(&moved_bo);
	munmap(ptr, len);
}

/* The address space changes under migrated pages */

static void test_munmap(size_t offset, size_t pages)
{
	const size_t total = 16, after = offset + pages;
	char *ptr = (char *)nv_alloc(total * NV_PAGE_SIZE);

	for (int i = 0; i < total; i++)
		nv_fill(ptr + i * NV_PAGE_SIZE, NV_PAGE_SIZE, i);
	nv_svm_migrate(&svm, ptr, total * NV_PAGE_SIZE);
	nv_assert_private(ptr, total * NV_PAGE_SIZE);
	munmap(ptr + offset * NV_PAGE_SIZE, pages * NV_PAGE_SIZE);
	for (int i = 0; i < total; i++)
		if (i < offset || i >= after)
			nv_check(ptr + i * NV_PAGE_SIZE, NV_PAGE_SIZE, i);
	/* What comes in its place is new. */
	igt_assert(mmap(ptr + offset * NV_PAGE_SIZE, pages * NV_PAGE_SIZE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED);
	nv_svm_migrate(&svm, ptr, total * NV_PAGE_SIZE);
	for (size_t i = offset * NV_PAGE_SIZE; i < after * NV_PAGE_SIZE; i += 64)
		igt_assert_eq(ptr[i], 0);
	munmap(ptr, total * NV_PAGE_SIZE);
}

static void test_mremap(int flags)
{
	const size_t len = 64 * KiB;
	char *ptr = (char *)nv_alloc(len), *to = (char *)nv_alloc(len);
	char *moved;

	to_vram(ptr, len, 1);
	moved = mremap(ptr, len, len, MREMAP_MAYMOVE | MREMAP_FIXED | flags, to);
	igt_assert_f(moved == to, "mremap: %s\n", strerror(errno));
	nv_assert_private(to, len);
	nv_check(to, len, 1);
	if (flags & MREMAP_DONTUNMAP) {
		for (size_t i = 0; i < len; i += 64)
			igt_assert_eq(ptr[i], 0);
		munmap(ptr, len);
	}
	munmap(to, len);
}

/* One after the other: what happens at the same time is the business of the race subtests. */
static void test_fork_read(void)
{
	const size_t len = 64 * KiB;
	uint32_t *ptr = nv_alloc(len);

	to_vram(ptr, len, 1);
	igt_fork(child, 1) nv_check(ptr, len, 1);
	igt_waitchildren();
	nv_check(ptr, len, 1);
	munmap(ptr, len);
}

static void test_fork_write_cow(void)
{
	const size_t len = 64 * KiB;
	uint32_t *ptr = nv_alloc(len);

	to_vram(ptr, len, 1);
	igt_fork(child, 1)
	{
		nv_fill(ptr, len, 2);
		nv_check(ptr, len, 2);
	}
	igt_waitchildren();
	nv_check(ptr, len, 1);
	nv_svm_migrate(&svm, ptr, len);
	nv_check(ptr, len, 1);
	munmap(ptr, len);
}

static void test_fork_child_exit(void)
{
	const size_t len = 64 * KiB;
	uint32_t *ptr = nv_alloc(len);

	to_vram(ptr, len, 1);
	igt_fork(child, 4) _exit(0);
	igt_waitchildren();
	nv_assert_private(ptr, len);
	nv_check(ptr, len, 1);
	munmap(ptr, len);
}

static void test_madvise_dontneed(void)
{
	const size_t len = 64 * KiB;
	char *ptr = (char *)nv_alloc(len);

	to_vram(ptr, len, 1);
	igt_assert_eq(madvise(ptr, len / 2, MADV_DONTNEED), 0);
	for (size_t i = 0; i < len / 2; i += 64)
		igt_assert_eq(ptr[i], 0);
	nv_fill(ptr, len / 2, 1);
	nv_check(ptr, len, 1);
	munmap(ptr, len);
}

/* Advice that must not change content, whatever else it does. */
static void test_madvise(int advice)
{
	char *ptr = (char *)nv_alloc_huge(NV_HUGE_SIZE);
	int ret;

	igt_assert(!madvise(ptr, NV_HUGE_SIZE, MADV_NOHUGEPAGE) || errno == EINVAL);
	nv_fill(ptr, NV_HUGE_SIZE, 1);
	nv_svm_migrate(&svm, ptr, 64 * NV_PAGE_SIZE);
	nv_assert_private(ptr, 64 * NV_PAGE_SIZE);
	ret = madvise(ptr, NV_HUGE_SIZE, advice) ? errno : 0;
	igt_info("madvise: %s\n", strerror(ret));
	nv_check(ptr, NV_HUGE_SIZE, 1);
	munmap(ptr, NV_HUGE_SIZE);
}

static void test_mlock(void)
{
	const size_t len = 64 * KiB;
	uint32_t *ptr = nv_alloc(len);

	nv_fill(ptr, len, 1);
	igt_assert_eq(mlock(ptr, len), 0);
	nv_svm_migrate(&svm, ptr, len);
	nv_check(ptr, len, 1);
	igt_assert_eq(munlock(ptr, len), 0);
	nv_svm_migrate(&svm, ptr, len);
	igt_assert_eq(mlock(ptr, len), 0);
	nv_check(ptr, len, 1);
	munmap(ptr, len);
}

/* MADV_FREE lets the kernel drop a page until it is written again. */
static void test_madvise_free(void)
{
	const size_t len = 64 * KiB, words = len / sizeof(uint32_t);
	uint32_t *ptr = nv_alloc(len), *was = malloc(len);

	igt_assert(was);
	nv_fill(was, len, 1);
	to_vram(ptr, len, 1);
	igt_assert_eq(madvise(ptr, len, MADV_FREE), 0);
	nv_fill(ptr, len / 2, 2);
	nv_check(ptr, len / 2, 2);
	for (size_t i = words / 2; i < words; i++)
		igt_assert_f(!ptr[i] || ptr[i] == was[i], "word %zu is %#x\n", i, ptr[i]);
	free(was);
	munmap(ptr, len);
}

/* A pipe that pages are spliced into holds a reference to each of them. */
static void test_gup_vmsplice(void)
{
	const size_t len = 32 * KiB;
	uint32_t *ptr = nv_alloc(len), *copy = malloc(len);
	struct iovec iov = { .iov_base = ptr, .iov_len = len };
	int ends[2];

	igt_assert(copy);
	igt_assert_eq(pipe(ends), 0);
	to_vram(ptr, len, 1);
	igt_assert_eq_u64(vmsplice(ends[1], &iov, 1, 0), len);
	nv_assert_ram(ptr, len);
	nv_svm_migrate(&svm, ptr, len);
	nv_assert_ram(ptr, len);
	nv_fill(ptr, len, 2);
	igt_assert_eq_u64(read(ends[0], copy, len), len);
	nv_check(copy, len, 2);
	nv_svm_migrate(&svm, ptr, len);
	nv_assert_private(ptr, len);
	nv_check(ptr, len, 2);
	close(ends[0]);
	close(ends[1]);
	free(copy);
	munmap(ptr, len);
}

static void test_userfaultfd(void)
{
	const size_t len = 64 * KiB, half = len / 2;
	char *ptr = (char *)nv_alloc(len), *from = malloc(half);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = {
		.range = { .start = (uintptr_t)ptr, .len = len },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	struct uffdio_copy fill = {
		.dst = (uintptr_t)ptr,
		.src = (uintptr_t)from,
		.len = half,
	};
	struct nv_residency is;
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	igt_assert(from);
	igt_require_f(fd >= 0, "needs CONFIG_USERFAULTFD\n");
	igt_assert_eq(ioctl(fd, UFFDIO_API, &api), 0);
	igt_assert_eq(ioctl(fd, UFFDIO_REGISTER, &range), 0);
	nv_fill(from, half, 1);
	igt_assert_eq(ioctl(fd, UFFDIO_COPY, &fill), 0);
	nv_svm_migrate(&svm, ptr, len);
	nv_assert_private(ptr, half);
	nv_residency(ptr + half, half, &is);
	igt_assert_eq_u64(is.none, half / NV_PAGE_SIZE);

	fill.dst += half;
	nv_fill(from, half, 2);
	igt_assert_eq(ioctl(fd, UFFDIO_COPY, &fill), 0);
	close(fd);
	nv_check(ptr, half, 1);
	nv_check(ptr + half, half, 2);
	free(from);
	munmap(ptr, len);
}

static void test_ksm(void)
{
	const size_t len = 64 * KiB;
	char *ptr = (char *)nv_alloc(4 * len);

	nv_ksm_require();
	for (int i = 0; i < 4; i++)
		nv_fill(ptr + i * len, len, 1);
	nv_svm_migrate(&svm, ptr, len);
	nv_assert_private(ptr, len);
	igt_assert_eq(madvise(ptr, 4 * len, MADV_MERGEABLE), 0);
	nv_ksm_merge();
	nv_svm_migrate(&svm, ptr + len, len);
	nv_fill(ptr + len, len, 2);
	nv_check(ptr, len, 1);
	nv_check(ptr + len, len, 2);
	nv_check(ptr + 2 * len, len, 1);
	nv_check(ptr + 3 * len, len, 1);
	nv_ksm_stop();
	munmap(ptr, 4 * len);
}

static void test_counters(void)
{
	const size_t len = 64 * KiB, pages = len / NV_PAGE_SIZE;
	uint32_t *ptr = nv_alloc(len);
	struct nv_counters before, now;

	igt_require_f(nv_counters_read(&gpu, &before), "this kernel has no debugfs file svm\n");
	to_vram(ptr, len, 1);
	nv_counters_read(&gpu, &now);
	igt_assert_eq_u64(now.migrated_to_vram, before.migrated_to_vram + pages);
	igt_assert_eq_u64(now.migrated_to_ram, before.migrated_to_ram);
	nv_check(ptr, len, 1);
	nv_counters_read(&gpu, &now);
	igt_assert_eq_u64(now.migrated_to_vram, before.migrated_to_vram + pages);
	igt_assert_eq_u64(now.migrated_to_ram, before.migrated_to_ram + pages);
	munmap(ptr, len);
}

static void test_compact(void)
{
	int fd = open("/proc/sys/vm/compact_memory", O_WRONLY);
	const size_t len = 512 * KiB;
	char *ptr;

	igt_require_f(fd >= 0, "needs CONFIG_COMPACTION\n");
	ptr = (char *)nv_alloc(len);
	nv_fill(ptr, len, 1);
	/* Every second page, so that compaction meets both kinds. */
	for (size_t i = 0; i < len; i += 2 * NV_PAGE_SIZE)
		nv_svm_migrate(&svm, ptr + i, NV_PAGE_SIZE);
	igt_assert_eq(write(fd, "1", 1), 1);
	close(fd);
	nv_check(ptr, len, 1);
	munmap(ptr, len);
}

/* The process, the file or the driver goes away under migrated pages */

static void assert_gpu_works(void)
{
	struct nv_svm other;
	uint32_t *ptr = nv_alloc(64 * KiB);

	nv_svm_init(&other, drm_reopen_driver(gpu.fd));
	nv_fill(ptr, 64 * KiB, 0xa11);
	nv_svm_migrate(&other, ptr, 64 * KiB);
	nv_assert_private(ptr, 64 * KiB);
	nv_check(ptr, 64 * KiB, 0xa11);
	munmap(ptr, 64 * KiB);
	nv_svm_fini(&other);
}

static void test_exit_while_mapped(void)
{
	igt_fork(child, 1)
	{
		struct nv_svm mine;
		uint32_t *ptr = nv_alloc(64 * KiB);

		nv_svm_init(&mine, drm_reopen_driver(gpu.fd));
		nv_fill(ptr, 64 * KiB, 1);
		nv_svm_migrate(&mine, ptr, 64 * KiB);
		nv_assert_private(ptr, 64 * KiB);
		_exit(0);
	}
	igt_waitchildren();
	assert_gpu_works();
}

static sigjmp_buf no_room;

static void on_sigbus(int sig)
{
	siglongjmp(no_room, sig);
}

/*
 * A buffer that is larger than BAR1 cannot be mapped there, at the second access as at the first.
 */
static void test_bar1_overflow(void)
{
	const uint64_t bar1 = nv_bar1_size(&gpu);
	const uint64_t vram = nv_getparam(gpu.fd, NOUVEAU_GETPARAM_FB_SIZE);
	const uint64_t size = ALIGN(bar1 + MiB, 2 * MiB);
	struct sigaction action = { .sa_handler = on_sigbus }, before;
	int fd = drm_reopen_driver(gpu.fd);
	struct nv_bo bo;

	igt_require_f(size + 64 * MiB < vram, "BAR1 has room for all of VRAM\n");
	nv_bo_create(&bo, fd, size, NOUVEAU_GEM_DOMAIN_VRAM);
	sigaction(SIGBUS, &action, &before);
	for (volatile int i = 0; i < 3; i++) {
		if (!sigsetjmp(no_room, true)) {
			igt_info("read %08x\n", *(volatile uint32_t *)bo.map);
			igt_assert_f(false, "access %d reads what is not in the buffer\n", i);
		}
	}
	sigaction(SIGBUS, &before, NULL);
	nv_bo_destroy(&bo);
	drm_close_driver(fd);
}

static void test_kill_while_migrating(void)
{
	for (int i = 0; i < 4; i++) {
		struct igt_helper_process helper = { .use_SIGKILL = true };

		igt_fork_helper(&helper)
		{
			struct nv_svm mine;
			uint32_t *ptr = nv_alloc(1 * MiB);

			nv_svm_init(&mine, drm_reopen_driver(gpu.fd));
			for (;;) {
				nv_fill(ptr, 1 * MiB, 1);
				nv_svm_migrate(&mine, ptr, 1 * MiB);
			}
		}
		usleep(100000 + 37000 * i);
		igt_stop_helper(&helper); /* aborts when it ended before that */
	}
	assert_gpu_works();
}

static void test_close_while_private(void)
{
	struct nv_svm other;
	uint32_t *ptr = nv_alloc(64 * KiB);

	nv_svm_init(&other, drm_reopen_driver(gpu.fd));
	nv_fill(ptr, 64 * KiB, 1);
	nv_svm_migrate(&other, ptr, 64 * KiB);
	nv_svm_fini(&other);
	nv_check(ptr, 64 * KiB, 1);
	munmap(ptr, 64 * KiB);
}

/*
 * A buffer that has to be in VRAM finds no room there unless some of the pages go. A driver that
 * does not evict pages refuses the buffer. Either way the pages keep their content.
 */
static void test_evict(void)
{
	const uint64_t vram = nv_getparam(gpu.fd, NOUVEAU_GETPARAM_FB_SIZE);
	const size_t len = 16 * MiB;
	char *ptr = (char *)nv_alloc_huge(len);
	struct nv_counters before, after;
	bool counts = nv_counters_read(&gpu, &before);
	size_t evicted;
	uint64_t free;
	struct nv_bo bo;
	int fd, ret;

	to_vram(ptr, len, 1);
	free = vram - nv_getparam(svm.fd, NOUVEAU_GETPARAM_VRAM_USED);
	/* A file of its own: the window of an SVM address space is too small for it. */
	fd = drm_reopen_driver(gpu.fd);
	/* Other buffers can move, too, but there is not that much of them. */
	ret = __nv_bo_create(&bo, fd, ALIGN(free, 2 * MiB) + len / 2, NOUVEAU_GEM_DOMAIN_VRAM);
	evicted = len / NV_PAGE_SIZE - nv_private_pages(ptr, len);
	if (counts)
		nv_counters_read(&gpu, &after);
	igt_info("the buffer: %s, pages evicted: %zu of %zu\n", strerror(-ret), evicted,
		 len / NV_PAGE_SIZE);
	nv_check(ptr, len, 1);
	if (!ret)
		nv_bo_destroy(&bo);
	drm_close_driver(fd);
	munmap(ptr, len);

	igt_require_f(counts, "data is right, but without debugfs file svm this kernel does not "
			      "tell what it evicted\n");
	igt_assert_eq(ret, 0);
	igt_assert(evicted);
	igt_assert_eq_u64(after.migrated_to_ram - before.migrated_to_ram, evicted);
}

/* What pages in VRAM cost: VRAM, and struct pages in RAM */

struct cost {
	uint64_t vram;
	uint64_t struct_pages; /* bytes, of all memory in the machine */
};

static bool vmstat(const char *key, uint64_t *value)
{
	FILE *file = fopen("/proc/vmstat", "r");
	const size_t len = strlen(key);
	char line[128];
	bool found = false;

	igt_assert_f(file, "/proc/vmstat: %s\n", strerror(errno));
	while (!found && fgets(line, sizeof(line), file))
		if (!strncmp(line, key, len) && line[len] == ' ') {
			*value = strtoull(line + len, NULL, 10);
			found = true;
		}
	fclose(file);

	return found;
}

static void cost_read(struct cost *cost)
{
	uint64_t pages;

	igt_require_f(vmstat("nr_memmap_pages", &pages),
		      "this kernel does not count the memory of struct pages\n");
	cost->struct_pages = pages * NV_PAGE_SIZE;
	cost->vram = nv_getparam(gpu.fd, NOUVEAU_GETPARAM_VRAM_USED);
}

/* Once nothing has been given back for longer than it lingers: 2 s. */
static void cost_settled(struct cost *cost)
{
	struct cost was = {};

	cost_read(cost);
	for (int same = 0; same < 25; same++) {
		if (was.vram != cost->vram || was.struct_pages != cost->struct_pages)
			same = 0;
		was = *cost;
		usleep(100000);
		cost_read(cost);
	}
}

/* For @len of VRAM in use, no matter how it came there, with a chunk to spare. */
static void assert_cost(const struct cost *idle, size_t len)
{
	const uint64_t most = len + NV_HUGE_SIZE, struct_page_max = 128;
	struct cost now;

	cost_read(&now);
	igt_info("%zu KiB in VRAM: %lld KiB of VRAM, %lld KiB of struct pages\n", len / KiB,
		 (long long)(now.vram - idle->vram) / 1024,
		 (long long)(now.struct_pages - idle->struct_pages) / 1024);
	igt_assert(now.vram >= idle->vram + len);
	igt_assert(now.vram <= idle->vram + most);
	igt_assert(now.struct_pages > idle->struct_pages);
	igt_assert(now.struct_pages <= idle->struct_pages + most / NV_PAGE_SIZE * struct_page_max);
}

static void assert_cost_becomes(const struct cost *idle, size_t len)
{
	const uint64_t most = len ? len + NV_HUGE_SIZE : 0;
	struct timespec start = {};
	struct cost now;

	do {
		usleep(50000);
		cost_read(&now);
	} while (now.vram > idle->vram + most && igt_nsec_elapsed(&start) < 10000000000);
	igt_info("VRAM was given back after %llu ms\n",
		 (unsigned long long)igt_nsec_elapsed(&start) / 1000000);
	igt_assert_f(now.vram <= idle->vram + most, "%llu KiB of VRAM are still in use\n",
		     (unsigned long long)(now.vram - idle->vram) / 1024);
	if (len) {
		assert_cost(idle, len);
		return;
	}
	while (now.struct_pages > idle->struct_pages && igt_nsec_elapsed(&start) < 20000000000) {
		usleep(50000);
		cost_read(&now);
	}
	igt_assert_f(now.struct_pages <= idle->struct_pages,
		     "%llu KiB of struct pages are still there\n",
		     (unsigned long long)(now.struct_pages - idle->struct_pages) / 1024);
}

static void test_release_touch(void)
{
	const size_t len = 4 * MiB;
	char *ptr = (char *)nv_alloc(len);
	struct cost idle;

	cost_settled(&idle);
	to_vram(ptr, len, 1);
	assert_cost(&idle, len);
	nv_check(ptr, len, 1);
	nv_assert_ram(ptr, len);
	assert_cost_becomes(&idle, 0);
	munmap(ptr, len);
}

static void test_release_munmap(void)
{
	const size_t len = 4 * MiB;
	char *ptr = (char *)nv_alloc(len);
	struct cost idle;

	cost_settled(&idle);
	to_vram(ptr, len, 1);
	assert_cost(&idle, len);
	munmap(ptr, len);
	assert_cost_becomes(&idle, 0);
}

static void test_release_exit(void)
{
	const size_t len = 4 * MiB;
	struct cost idle;

	cost_settled(&idle);
	igt_fork(child, 1)
	{
		char *ptr = (char *)nv_alloc(len);
		struct nv_svm mine;

		nv_svm_init(&mine, drm_reopen_driver(gpu.fd));
		nv_fill(ptr, len, 1);
		nv_svm_migrate(&mine, ptr, len);
		nv_assert_private(ptr, len);
		assert_cost(&idle, len);
		_exit(0);
	}
	igt_waitchildren();
	assert_cost_becomes(&idle, 0);
}

/* Of a huge page that is split, the parts go one by one; the last takes the chunk with it. */
static void test_release_thp(void)
{
	const size_t part = 64 * KiB;
	char *ptr = (char *)nv_alloc_huge(NV_HUGE_SIZE);
	struct cost idle;

	for (size_t i = 0; i < NV_HUGE_SIZE; i += part)
		nv_fill(ptr + i, part, i);
	require_huge(ptr);
	cost_settled(&idle);
	nv_svm_migrate(&svm, ptr, NV_HUGE_SIZE);
	nv_assert_private(ptr, NV_HUGE_SIZE);
	assert_cost(&idle, NV_HUGE_SIZE);
	munmap(ptr + part, part);
	nv_check(ptr, part, 0);
	munmap(ptr + 3 * part, NV_HUGE_SIZE - 3 * part);
	assert_cost_becomes(&idle, part);
	nv_check(ptr + 2 * part, part, 2 * part);
	assert_cost_becomes(&idle, 0);
	munmap(ptr, NV_HUGE_SIZE);
}

/* Half of the pages stay: what they do not use is given back, and they stay as they are. */
static void test_release_half(void)
{
	const size_t len = 8 * MiB, half = len / 2;
	char *ptr = (char *)nv_alloc(len);
	struct cost idle;

	cost_settled(&idle);
	nv_fill(ptr, half, 1);
	nv_fill(ptr + half, half, 2);
	nv_svm_migrate(&svm, ptr, len);
	assert_cost(&idle, len);
	munmap(ptr, half);
	assert_cost_becomes(&idle, half);
	nv_assert_private(ptr + half, half);
	nv_check(ptr + half, half, 2);
	assert_cost_becomes(&idle, 0);
	munmap(ptr, len);
}

/* VRAM that was small pages is good for huge ones, and the other way around. */
static void test_chunk_reuse(void)
{
	char *small = (char *)nv_alloc(NV_HUGE_SIZE), *huge = (char *)nv_alloc_huge(NV_HUGE_SIZE);
	struct cost idle;

	*huge = 1;
	require_huge(huge);
	cost_settled(&idle);
	for (uint32_t round = 0; round < 3; round++) {
		to_vram(small, NV_HUGE_SIZE, round);
		nv_check(small, NV_HUGE_SIZE, round);
		to_vram(huge, NV_HUGE_SIZE, round + 100);
		assert_cost(&idle, NV_HUGE_SIZE);
		nv_check(huge, NV_HUGE_SIZE, round + 100);
		igt_assert(nv_is_huge_page(huge));
	}
	munmap(small, NV_HUGE_SIZE);
	munmap(huge, NV_HUGE_SIZE);
}

/* The copy engine reads the pages that a child shares, others go to VRAM and back, for ever. */
static void use_shared(struct nv_survivor *survivor, bool huge, bool child_keeps_file)
{
	const size_t len = NV_HUGE_SIZE, own_len = 64 * KiB;
	char *shared = (char *)(huge ? nv_alloc_huge(len) : nv_alloc(len));
	char *own = (char *)nv_alloc(own_len);
	struct nv_worker mine;

	nv_worker_create(&mine, &gpu);
	nv_fill(shared, len, 1);
	igt_assert(!huge || nv_is_huge_page(shared));
	nv_svm_migrate(&mine.svm, shared, len);
	nv_assert_private(shared, len);
	/* Where the process may write, PREFETCH asks for a copy of its own. */
	igt_assert_eq(mprotect(shared, len, PROT_READ), 0);
	if (nv_survivor_fork(survivor)) {
		if (!child_keeps_file)
			nv_worker_abandon(&mine);
		nv_survivor_look(survivor, shared, len, 1);
	}
	for (uint32_t round = 0;; round++) {
		igt_assert_eq_u64(nv_svm_prefetch(&mine.svm, shared, len), len / NV_PAGE_SIZE);
		nv_worker_read(&mine, shared, len);
		nv_fill(own, own_len, round);
		nv_svm_migrate(&mine.svm, own, own_len);
		nv_check(own, own_len, round);
		if (!round) {
			nv_worker_check(&mine, len, 1);
			nv_survivor_used(survivor);
		}
	}
}

/*
 * The process that had its pages brought to VRAM is killed while its GPU uses them, and a child has
 * them too. That is the end of its file, or not, as the child has that as well. VRAM is given back
 * with the last one.
 */
static void test_kill_while_shared(bool huge)
{
	const int rounds = SLOW_QUICK(20, 4);
	struct nv_survivor survivor;
	struct cost idle;

	nv_svm_require_prefetch(&svm);
	igt_emit_ignore_dmesg_regex(NV_KILLED_DMESG);
	cost_settled(&idle);
	for (int i = 0; i < rounds; i++) {
		nv_survivor_init(&survivor);
		igt_fork_helper(&survivor.victim) use_shared(&survivor, huge, i & 1);
		nv_survivor_wait(&survivor);
		usleep(i * 7000);
		nv_survivor_kill(&survivor);
		nv_survivor_assert(&survivor, NV_HUGE_SIZE);
		assert_cost_becomes(&idle, 0);
	}
	assert_gpu_works();
}

/* Who gets VRAM next, for buffers, finds nothing there of a process that had pages in it. */
static void test_release_clears(void)
{
	const size_t len = NV_HUGE_SIZE, pages = len / NV_PAGE_SIZE, words = NV_PAGE_SIZE / 4;
	const uint32_t seed = 0x5ec4e7;
	char *ptr = (char *)nv_alloc(len);
	struct nv_bo bos[16];
	struct cost idle;
	int fd;

	cost_settled(&idle);
	to_vram(ptr, len, seed);
	munmap(ptr, len);
	assert_cost_becomes(&idle, 0);

	fd = drm_reopen_driver(gpu.fd);
	for (int i = 0; i < ARRAY_SIZE(bos); i++) {
		nv_bo_create(&bos[i], fd, len, NOUVEAU_GEM_DOMAIN_VRAM);
		for (size_t page = 0; page < pages; page++) {
			const size_t word = page % words;
			const uint32_t is = ((volatile uint32_t *)bos[i].map)[page * words + word];

			for (size_t was = 0; was < pages; was++)
				igt_assert_f(is != nv_pattern(seed, was * words + word),
					     "page %zu of buffer %d was page %zu of a process\n",
					     page, i, was);
		}
	}
	for (int i = 0; i < ARRAY_SIZE(bos); i++)
		nv_bo_destroy(&bos[i]);
	drm_close_driver(fd);
}

static int step_come_and_go(void)
{
	const uint32_t seed = racer.round;
	int ret;

	nv_fill(racer.ptr, racer.len, seed);
	ret = __nv_svm_migrate(&svm, racer.ptr, racer.len);
	if (ret)
		return ret;
	usleep(racer.round % 8 * 1000);
	if (__nv_check(racer.ptr, racer.len, seed))
		return -EIO;
	usleep(96000 + racer.round % 16 * 1000);

	return 0;
}

/* Chunks become empty at about the time when somebody wants pages again. */
static void test_release_race(void)
{
	const size_t len = 64 * KiB;
	const int rounds = SLOW_QUICK(200, 40);
	char *ptr = (char *)nv_alloc(len);

	racer.len = len;
	racer.ptr = (char *)nv_alloc(len);
	racer_start(step_come_and_go);
	for (int i = 0; i < rounds; i++) {
		to_vram(ptr, len, i);
		nv_check(ptr, len, i);
		usleep(90000 + i % 32 * 1000);
	}
	racer_join();
	munmap(ptr, len);
	munmap(racer.ptr, len);
}

/* More pages than VRAM has room for */

/* Returns: the size of VRAM, in whole huge pages. */
static size_t overcommit_require(void)
{
	const uint64_t vram = nv_getparam(gpu.fd, NOUVEAU_GETPARAM_FB_SIZE);
	const uint64_t ram = (uint64_t)sysconf(_SC_PHYS_PAGES) * NV_PAGE_SIZE;

	igt_require_f(vram <= SLOW_QUICK(16ul << 30, 256 * MiB),
		      "filling %llu MiB of VRAM takes too long here\n",
		      (unsigned long long)(vram / MiB));
	igt_require_f(ram >= 4 * vram, "there is too little RAM for twice the VRAM\n");

	return vram - vram % NV_HUGE_SIZE;
}

/* Twice the VRAM, with a pattern for each 2 MiB of it. */
static char *overcommit_alloc(bool huge, size_t *len)
{
	char *ptr;

	*len = 2 * overcommit_require();
	ptr = (char *)(huge ? nv_alloc_huge(*len) : nv_alloc(*len));
	for (size_t i = 0; i < *len; i += NV_HUGE_SIZE)
		nv_fill(ptr + i, NV_HUGE_SIZE, i);
	if (huge)
		require_huge(ptr);

	return ptr;
}

static void overcommit_migrate(const char *ptr, size_t i)
{
	const uint64_t pages = nv_svm_migrate(&svm, ptr + i, NV_HUGE_SIZE);

	igt_assert_f(pages == NV_HUGE_SIZE / NV_PAGE_SIZE,
		     "%llu pages migrated of the 2 MiB after the first %zu\n",
		     (unsigned long long)pages, i / MiB);
}

/* The GPU reads all of it where it is. Its buffer is in RAM, as VRAM is full. */
static void overcommit_check_gpu(const char *ptr, size_t len)
{
	struct nv_chan chan;
	struct nv_bo ram;

	nv_chan_create(&chan, svm.fd, NOUVEAU_FIFO_ENGINE_CE);
	nv_ce_init(&chan, gpu.chipset);
	nv_bo_create(&ram, svm.fd, NV_HUGE_SIZE,
		     NOUVEAU_GEM_DOMAIN_GART | NOUVEAU_GEM_DOMAIN_COHERENT);
	nv_chan_attach(&chan, &ram);
	for (size_t i = 0; i < len; i += NV_HUGE_SIZE) {
		igt_assert_eq_u64(nv_svm_prefetch(&svm, ptr + i, NV_HUGE_SIZE),
				  NV_HUGE_SIZE / NV_PAGE_SIZE);
		nv_ce_copy(&chan, ram.va, (uintptr_t)(ptr + i), NV_HUGE_SIZE);
		nv_chan_run(&chan);
		nv_check(ram.map, NV_HUGE_SIZE, i);
	}
	nv_chan_destroy(&chan);
	nv_bo_destroy(&ram);
}

static void overcommit_check(char *ptr, size_t len)
{
	if (nv_svm_has_prefetch(&svm))
		overcommit_check_gpu(ptr, len);
	for (size_t i = 0; i < len; i += NV_HUGE_SIZE)
		nv_check(ptr + i, NV_HUGE_SIZE, i);
	nv_assert_ram(ptr, len);
}

/* All that migrates gets there, and what was there for the longest makes room. */
static void test_overcommit(bool huge)
{
	struct nv_counters before, now;
	size_t len, pages, resident, moved, ideal;
	char *ptr = overcommit_alloc(huge, &len);
	bool counts = nv_counters_read(&gpu, &before);

	for (size_t i = 0; i < len; i += NV_HUGE_SIZE)
		overcommit_migrate(ptr, i);
	pages = len / NV_PAGE_SIZE;
	resident = nv_private_pages(ptr, len);
	igt_info("%zu of %zu pages are in VRAM\n", resident, pages);
	igt_assert(resident >= pages / 4); /* half of VRAM */
	nv_assert_ram(ptr, NV_HUGE_SIZE);
	nv_assert_private(ptr + len - NV_HUGE_SIZE, NV_HUGE_SIZE);
	if (counts) {
		nv_counters_read(&gpu, &now);
		moved = now.migrated_to_vram - before.migrated_to_vram + now.migrated_to_ram -
			before.migrated_to_ram;
		ideal = pages + pages - resident;
		igt_info("%zu pages moved, an ideal LRU had moved %zu\n", moved, ideal);
		igt_assert(moved <= 2 * ideal);
	}
	overcommit_check(ptr, len);
	munmap(ptr, len);
}

/* What is used all the time stays, however much else comes and goes. */
static void test_overcommit_hot(void)
{
	size_t len;
	char *ptr = overcommit_alloc(false, &len);

	nv_svm_require_prefetch(&svm);
	overcommit_migrate(ptr, 0);
	for (size_t i = NV_HUGE_SIZE; i < len; i += NV_HUGE_SIZE) {
		overcommit_migrate(ptr, i);
		nv_svm_prefetch(&svm, ptr, NV_HUGE_SIZE);
		nv_assert_private(ptr, NV_HUGE_SIZE);
	}
	nv_assert_ram(ptr + NV_HUGE_SIZE, NV_HUGE_SIZE);
	overcommit_check(ptr, len);
	munmap(ptr, len);
}

/* Buffers that must be in VRAM get there: an old one that had to leave, and a new one. */
static void test_overcommit_buffers(void)
{
	struct nv_worker other;
	struct nv_bo bo;
	size_t len;
	char *ptr = overcommit_alloc(false, &len);

	nv_worker_create(&other, &gpu);
	nv_worker_fill(&other, 64 * KiB, 1);
	for (size_t i = 0; i < len; i += NV_HUGE_SIZE)
		overcommit_migrate(ptr, i);
	nv_worker_check(&other, 64 * KiB, 1);
	nv_bo_create(&bo, svm.fd, len / 8, NOUVEAU_GEM_DOMAIN_VRAM);
	nv_worker_check(&other, 64 * KiB, 1);
	nv_bo_destroy(&bo);
	nv_worker_destroy(&other);
	overcommit_check(ptr, len);
	munmap(ptr, len);
}

static void vm_map(int fd, struct nv_bo *bo, uint64_t va)
{
	struct drm_nouveau_vm_bind_op op = {
		.op = DRM_NOUVEAU_VM_BIND_OP_MAP,
		.handle = bo->handle,
		.addr = va,
		.range = bo->size,
	};
	struct drm_nouveau_vm_bind bind = { .op_count = 1, .op_ptr = (uintptr_t)&op };

	do_ioctl(fd, DRM_IOCTL_NOUVEAU_VM_BIND, &bind);
}

/* Runs the methods at @va, and waits for them. */
static void vm_exec(int fd, int channel, uint64_t va, uint32_t len)
{
	struct drm_nouveau_exec_push push = { .va = va, .va_len = len };
	struct drm_nouveau_sync sync = { .flags = DRM_NOUVEAU_SYNC_SYNCOBJ };
	struct drm_nouveau_exec exec = {
		.channel = channel,
		.push_count = 1,
		.push_ptr = (uintptr_t)&push,
		.sig_count = 1,
		.sig_ptr = (uintptr_t)&sync,
	};

	igt_assert_eq(drmSyncobjCreate(fd, 0, &sync.handle), 0);
	do_ioctl(fd, DRM_IOCTL_NOUVEAU_EXEC, &exec);
	igt_assert_eq(drmSyncobjWait(fd, &sync.handle, 1, INT64_MAX, 0, NULL), 0);
	drmSyncobjDestroy(fd, sync.handle);
}

/*
 * A buffer that VM_BIND maps leaves VRAM for pages, and is needed there again: by VM_BIND and EXEC.
 */
static void test_overcommit_vm_bind(void)
{
	struct drm_nouveau_vm_init init = { .kernel_managed_addr = 1ul << 39,
					    .kernel_managed_size = 1ul << 32 };
	const uint32_t nop[] = { 1 << 29 | 1 << 16 | 0x8 >> 2, 0 };
	const uint64_t va = 1ul << 32, push_va = 1ul << 31;
	struct drm_nouveau_channel_alloc alloc = { .fb_ctxdma_handle = ~0u,
						   .tt_ctxdma_handle = NOUVEAU_FIFO_ENGINE_CE };
	struct drm_nouveau_channel_free channel_free = {};
	int fd = drm_reopen_driver(gpu.fd);
	struct nv_bo bo, push;
	size_t len;
	char *ptr = overcommit_alloc(false, &len);

	do_ioctl(fd, DRM_IOCTL_NOUVEAU_VM_INIT, &init);
	do_ioctl(fd, DRM_IOCTL_NOUVEAU_CHANNEL_ALLOC, &alloc);
	nv_bo_create(&bo, fd, len / 8, NOUVEAU_GEM_DOMAIN_VRAM);
	nv_bo_create(&push, fd, NV_PAGE_SIZE, NOUVEAU_GEM_DOMAIN_GART);
	memcpy(push.map, nop, sizeof(nop));
	for (size_t i = 0; i < bo.size; i += NV_PAGE_SIZE)
		*(volatile uint32_t *)((char *)bo.map + i) = i;
	vm_map(fd, &push, push_va);

	for (size_t i = 0; i < len; i += NV_HUGE_SIZE)
		overcommit_migrate(ptr, i);
	vm_map(fd, &bo, va);
	vm_exec(fd, alloc.channel, push_va, sizeof(nop));

	for (size_t i = 0; i < len; i += NV_HUGE_SIZE)
		overcommit_migrate(ptr, i);
	vm_exec(fd, alloc.channel, push_va, sizeof(nop));

	for (size_t i = 0; i < bo.size; i += NV_PAGE_SIZE)
		igt_assert_eq_u32(*(volatile uint32_t *)((char *)bo.map + i), i);
	overcommit_check(ptr, len);
	channel_free.channel = alloc.channel;
	do_ioctl(fd, DRM_IOCTL_NOUVEAU_CHANNEL_FREE, &channel_free);
	nv_bo_destroy(&push);
	nv_bo_destroy(&bo);
	drm_close_driver(fd);
	munmap(ptr, len);
}

/* Each alone has room, all together have not. They take VRAM from each other all the time. */
static void test_overcommit_race(void)
{
	const int rounds = SLOW_QUICK(20, 1);
	const size_t len = overcommit_require() / 2;

	igt_fork(child, 3)
	{
		char *ptr = (char *)nv_alloc(len);
		uint64_t migrated = 0;
		struct nv_svm mine;

		nv_svm_init(&mine, drm_reopen_driver(gpu.fd));
		for (int i = 0; i < rounds; i++) {
			nv_fill(ptr, len, child * rounds + i);
			migrated += nv_svm_migrate(&mine, ptr, len);
			nv_check(ptr, len, child * rounds + i);
		}
		igt_assert(migrated);
		nv_svm_fini(&mine);
	}
	igt_waitchildren();
}

static void test_unbind(bool huge)
{
	const size_t len = huge ? NV_HUGE_SIZE : 256 * KiB;
	uint32_t *ptr = huge ? nv_alloc_huge(len) : nv_alloc(len);

	nv_fill(ptr, len, 1);
	if (huge)
		require_huge(ptr);
	nv_svm_migrate(&svm, ptr, len);
	nv_assert_private(ptr, len);
	nv_driver_unbind(&gpu);
	nv_check(ptr, len, 1);
	nv_svm_fini(&svm);
	nv_gpu_rebind(&gpu);
	assert_gpu_works();
	munmap(ptr, len);
	nv_svm_init(&svm, drm_reopen_driver(gpu.fd));
}

/*
 * VRAM does not stay where it is while the GPU sleeps: with some of it free below them, pages that
 * were just moved away and back would be in another place afterwards. The GPU must know.
 */
static void test_suspend(bool huge)
{
	const size_t len = huge ? NV_HUGE_SIZE : 256 * KiB;
	char *in_vram = (char *)(huge ? nv_alloc_huge(len) : nv_alloc(len));
	char *in_ram = (char *)nv_alloc(len);
	struct nv_bo below;

	nv_svm_require_prefetch(&worker.svm);
	nv_bo_create(&below, worker.svm.fd, 256 * MiB, NOUVEAU_GEM_DOMAIN_VRAM);
	nv_fill(in_vram, len, 1);
	nv_fill(in_ram, len, 2);
	if (huge)
		require_huge(in_vram);
	nv_svm_migrate(&worker.svm, in_vram, len);
	nv_assert_private(in_vram, len);
	nv_svm_prefetch(&worker.svm, in_vram, len);
	nv_svm_prefetch(&worker.svm, in_ram, len);
	nv_worker_read(&worker, in_vram, len);
	nv_worker_check(&worker, len, 1);
	nv_bo_destroy(&below);

	igt_system_suspend_autoresume(SUSPEND_STATE_FREEZE, SUSPEND_TEST_PLATFORM);

	nv_svm_prefetch(&worker.svm, in_vram, len);
	nv_svm_prefetch(&worker.svm, in_ram, len);
	nv_worker_read(&worker, in_vram, len);
	nv_worker_check(&worker, len, 1);
	nv_worker_fill(&worker, len, 3);
	nv_worker_write(&worker, in_vram, len);
	nv_check(in_vram, len, 3);
	nv_worker_write(&worker, in_ram, len);
	nv_check(in_ram, len, 3);

	nv_svm_migrate(&worker.svm, in_vram, len);
	nv_assert_private(in_vram, len);
	nv_worker_read(&worker, in_vram, len);
	nv_worker_check(&worker, len, 3);
	nv_check(in_vram, len, 3);
	munmap(in_vram, len);
	munmap(in_ram, len);
}

/* Reads the file @name in the GPU's power/, or writes @text to it. */
static void power_read(const char *name, char *text, size_t size)
{
	char path[PATH_MAX + 64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/power/%s", gpu.path, name);
	file = fopen(path, "r");
	text[0] = '\0';
	if (!file)
		return;
	if (fgets(text, size, file))
		text[strcspn(text, "\n")] = '\0';
	fclose(file);
}

static void power_write(const char *name, const char *text)
{
	char path[PATH_MAX + 64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/power/%s", gpu.path, name);
	file = fopen(path, "w");
	igt_assert_f(file && fputs(text, file) >= 0 && !fclose(file), "%s: %s\n", path,
		     strerror(errno));
}

static bool sleeps(void)
{
	char status[32];

	power_read("runtime_status", status, sizeof(status));
	return !strcmp(status, "suspended");
}

/*
 * What the process does with its memory while the GPU sleeps, which is none of the GPU's business.
 */
static void use_memory_meanwhile(char *ptr, size_t len)
{
	int status;
	pid_t child;

	nv_assert_ram(ptr, len);
	nv_check(ptr, len, 1);
	igt_assert_eq(mprotect(ptr, len, PROT_READ), 0);
	igt_assert_eq(mprotect(ptr, len, PROT_READ | PROT_WRITE), 0);
	child = fork();
	igt_assert(child >= 0);
	if (!child)
		_exit(0);
	igt_assert(waitpid(child, &status, 0) == child && !status);
	igt_assert_eq(madvise(ptr, NV_PAGE_SIZE, MADV_DONTNEED), 0);
	nv_fill(ptr, len, 4);
	sleep(2); /* for what the driver does later */
	igt_assert_f(sleeps(), "the GPU was woken up\n");
}

/*
 * Where the driver may turn off a GPU that has nothing to do, nothing is in VRAM or mapped then,
 * and what becomes of the process's memory does not wake it.
 */
static void test_runtime_suspend(bool huge)
{
	const size_t len = huge ? NV_HUGE_SIZE : 256 * KiB;
	char *ptr = (char *)(huge ? nv_alloc_huge(len) : nv_alloc(len));
	char control[32], delay[32];

	nv_svm_require_prefetch(&worker.svm);
	power_read("control", control, sizeof(control));
	igt_require_f(!strcmp(control, "auto"),
		      "the driver does not let this GPU sleep: nouveau.runpm=1\n");
	power_read("autosuspend_delay_ms", delay, sizeof(delay));
	nv_fill(ptr, len, 1);
	if (huge)
		require_huge(ptr);
	nv_svm_migrate(&worker.svm, ptr, len);
	nv_assert_private(ptr, len);
	nv_svm_prefetch(&worker.svm, ptr, len);
	nv_worker_read(&worker, ptr, len);
	nv_worker_check(&worker, len, 1);

	power_write("autosuspend_delay_ms", "200");
	for (int i = 0; i < 1200 && !sleeps(); i++)
		usleep(100000);
	igt_assert_f(sleeps(), "the GPU does not fall asleep\n");
	use_memory_meanwhile(ptr, len);
	power_write("autosuspend_delay_ms", delay);

	nv_svm_prefetch(&worker.svm, ptr, len);
	nv_worker_read(&worker, ptr, len);
	nv_worker_check(&worker, len, 4);
	nv_svm_migrate(&worker.svm, ptr, len);
	nv_assert_private(ptr, len);
	nv_worker_fill(&worker, len, 3);
	nv_svm_prefetch(&worker.svm, ptr, len);
	nv_worker_write(&worker, ptr, len);
	nv_check(ptr, len, 3);
	munmap(ptr, len);
}

/* No ioctl reaches a device that is gone. */
static void assert_dead(const struct nv_worker *old, const void *ptr)
{
	struct drm_nouveau_channel_free channel_free = { .channel = old->chan.id };
	struct drm_nouveau_gem_new new = { .info = { .size = 4096,
						     .domain = NOUVEAU_GEM_DOMAIN_GART } };
	struct drm_gem_close gem_close = { .handle = old->vram.handle };
	struct drm_syncobj_create syncobj = {};
	const struct {
		unsigned long request;
		void *arg;
	} ioctls[] = {
		{ DRM_IOCTL_NOUVEAU_CHANNEL_FREE, &channel_free },
		{ DRM_IOCTL_NOUVEAU_GEM_NEW, &new },
		{ DRM_IOCTL_GEM_CLOSE, &gem_close },
		{ DRM_IOCTL_SYNCOBJ_CREATE, &syncobj },
	};
	uint64_t value;

	igt_assert_eq(__nv_getparam(old->svm.fd, NOUVEAU_GETPARAM_CHIPSET_ID, &value), -ENODEV);
	igt_assert_eq(__nv_svm_migrate(&old->svm, ptr, NV_PAGE_SIZE), -ENODEV);
	igt_assert_eq(__nv_svm_prefetch(&old->svm, ptr, NV_PAGE_SIZE), -ENODEV);
	igt_assert_eq(nv_bo_wait(&old->vram), -ENODEV);
	for (int i = 0; i < ARRAY_SIZE(ioctls); i++) {
		igt_assert_eq(igt_ioctl(old->svm.fd, ioctls[i].request, ioctls[i].arg), -1);
		igt_assert_eq(errno, ENODEV);
	}
}

/* A mapping of a buffer outlives what is in it. */
static void touch(const struct nv_bo *bo)
{
	*(volatile uint32_t *)bo->map = 1;
	igt_assert_eq_u32(*(volatile uint32_t *)bo->map, 1);
}

/*
 * The driver goes while there are files, a channel, and buffers that are mapped and exported.
 * They go when it is bound again already, @files_first or last.
 */
static void test_unbind_open(bool files_first)
{
	const int idle = drm_reopen_driver(gpu.fd);
	const size_t len = 64 * KiB;
	char *in_vram = (char *)nv_alloc(len), *in_ram = (char *)nv_alloc(len);
	struct nv_worker old;
	int vram_buf, ram_buf;

	nv_svm_require_prefetch(&worker.svm);
	nv_fill(in_vram, len, 1);
	nv_fill(in_ram, len, 2);
	nv_svm_migrate(&worker.svm, in_vram, len);
	nv_assert_private(in_vram, len);
	nv_svm_prefetch(&worker.svm, in_ram, len);
	nv_worker_read(&worker, in_ram, len);
	nv_worker_check(&worker, len, 2);
	igt_assert_eq(drmPrimeHandleToFD(worker.svm.fd, worker.vram.handle, 0, &vram_buf), 0);
	igt_assert_eq(drmPrimeHandleToFD(worker.svm.fd, worker.ram.handle, 0, &ram_buf), 0);
	touch(&worker.vram);

	nv_driver_unbind(&gpu);
	nv_assert_ram(in_vram, len);
	nv_check(in_vram, len, 1);
	nv_check(in_ram, len, 2);
	assert_dead(&worker, in_vram);
	touch(&worker.vram);
	touch(&worker.ram);

	old = worker;
	nv_gpu_rebind(&gpu);
	assert_gpu_works();
	if (files_first) {
		nv_svm_fini(&old.svm);
		touch(&old.vram);
		close(vram_buf);
		close(ram_buf);
		nv_bo_unmap(&old.ram);
		nv_bo_unmap(&old.vram);
		nv_bo_unmap(&old.chan.push);
		nv_bo_unmap(&old.chan.sem);
	} else {
		close(ram_buf);
		nv_worker_abandon(&old);
		close(vram_buf);
	}
	drm_close_driver(idle);
	assert_gpu_works();

	munmap(in_vram, len);
	munmap(in_ram, len);
	nv_worker_create(&worker, &gpu);
}

/* Pages move, and are mapped, up to the moment when the driver goes. */
static void test_unbind_race(void)
{
	const int rounds = SLOW_QUICK(10, 3);

	racer.len = 256 * KiB;
	racer.ptr = (char *)nv_alloc(racer.len);
	for (int i = 0; i < rounds; i++) {
		nv_fill(racer.ptr, racer.len, i);
		racer_start(step_migrate);
		usleep(20000 + 13000 * i);
		nv_check(racer.ptr, racer.len, i);
		nv_driver_unbind(&gpu);
		pthread_join(racer.thread, NULL);
		igt_assert_eq(racer.ret, -ENODEV);
		nv_assert_ram(racer.ptr, racer.len);
		nv_check(racer.ptr, racer.len, i);

		nv_gpu_rebind(&gpu);
		nv_svm_fini(&svm);
		nv_svm_init(&svm, drm_reopen_driver(gpu.fd));
	}
	assert_gpu_works();
	munmap(racer.ptr, racer.len);
}

/* Tier 2: the copy engine at work on pages in the GPU's page tables */

static void test_ce_fence(void)
{
	const int delay_us = 20000;
	const uint64_t half = NV_WORKER_SIZE / 2;
	int ret;

	/* On a board, a second of copying does what the model's delay does: wait must sleep. */
	if (nv_model_present()) {
		nv_model_delay("ce", delay_us);
		nv_ce_copy(&worker.chan, worker.vram.va, worker.vram.va + half, 4096);
	} else {
		for (int i = 0; i < 1000; i++)
			nv_ce_copy(&worker.chan, worker.vram.va, worker.vram.va + half, half);
	}
	igt_assert_eq(__nv_chan_submit(&worker.chan), 0);
	igt_set_timeout(5, "wait for the fence of a copy-engine channel");
	ret = nv_bo_wait(&worker.vram);
	igt_reset_timeout();
	if (nv_model_present())
		nv_model_delay("ce", 0);
	igt_assert_eq(ret, 0);
	igt_assert_eq(__nv_chan_wait(&worker.chan, 0), 0);
}

static void reset_delay(int sig)
{
	if (nv_model_present())
		nv_model_delay("ce", 0);
}

/* A copy that does not end in time must not count as done; nor may it spoil anything later. */
static void test_migrate_engine_stuck(void)
{
	const unsigned int delay_us = 18 * 1000 * 1000; /* the driver waits for 15 s */
	const size_t len = NV_PAGE_SIZE;
	uint32_t *ptr = nv_alloc(len);

	nv_model_require();
	igt_emit_ignore_dmesg_regex("DMEM: copy failed");
	nv_fill(ptr, len, 1);
	nv_model_delay("ce", delay_us);
	nv_svm_migrate(&svm, ptr, len);
	nv_model_delay("ce", 0);
	nv_assert_ram(ptr, len);
	nv_fill(ptr, len, 2);
	usleep(delay_us - 15 * 1000 * 1000 + 500 * 1000);
	nv_check(ptr, len, 2);

	nv_svm_migrate(&svm, ptr, len);
	nv_assert_private(ptr, len);
	nv_check(ptr, len, 2);
	munmap(ptr, len);
}

/*
 * A child touches a huge page that it shares. While the page is on its way to RAM, the parent
 * unmaps it, which must not take it from the child.
 */
static void test_fork_munmap_thp(void)
{
	const bool model = nv_model_present();
	const unsigned int delay_us = 300000;

	for (int round = 0; round < (model ? 1 : 100); round++) {
		char *ptr = (char *)nv_alloc_huge(NV_HUGE_SIZE);

		*ptr = 1;
		require_huge(ptr);
		to_vram(ptr, NV_HUGE_SIZE, 1);
		if (model)
			nv_model_delay("ce", delay_us);
		igt_fork(child, 1) nv_check(ptr, NV_HUGE_SIZE, 1);
		usleep(model ? delay_us / 3 : round * 10);
		munmap(ptr, NV_HUGE_SIZE);
		igt_waitchildren();
		if (model)
			nv_model_delay("ce", 0);
	}
	assert_gpu_works();
}

/* Home to RAM, by SVM_BIND with the CPU as its target */

static uint64_t minor_faults(void)
{
	struct rusage rusage;

	getrusage(RUSAGE_SELF, &rusage);

	return rusage.ru_minflt;
}

static void go_home(char *ptr, size_t len)
{
	struct nv_model_stats before, moved;
	uint64_t faults, result;

	nv_svm_require_target_cpu(&svm);
	to_vram(ptr, len, 1);
	if (nv_model_present())
		nv_model_stats(&before);
	faults = minor_faults();
	result = nv_svm_migrate_home(&svm, ptr, len);
	faults = minor_faults() - faults;
	igt_assert_eq_u64(result, len / NV_PAGE_SIZE);
	igt_assert_eq_u64(faults, 0);
	if (nv_model_present()) {
		nv_model_stats_since(&moved, &before);
		igt_assert_eq_u64(moved.ce.system_write, len);
		igt_assert_eq_u64(moved.ce.system_read, 0);
	}
	nv_assert_ram(ptr, len);
	nv_check(ptr, len, 1);
	igt_assert_eq_u64(nv_svm_migrate_home(&svm, ptr, len), 0);
}

static void test_target_cpu(size_t len)
{
	char *ptr = (char *)nv_alloc(len);

	go_home(ptr, len);
	munmap(ptr, len);
}

static void test_target_cpu_thp(void)
{
	char *ptr = (char *)nv_alloc_huge(NV_HUGE_SIZE);

	*ptr = 1;
	require_huge(ptr);
	go_home(ptr, NV_HUGE_SIZE);
	require_huge(ptr);
	munmap(ptr, NV_HUGE_SIZE);
}

/* A part of a huge page, which is not its beginning, comes home; the rest stays. */
static void test_target_cpu_thp_part(void)
{
	const size_t part = 64 * KiB;
	char *ptr = (char *)nv_alloc_huge(NV_HUGE_SIZE);

	nv_svm_require_target_cpu(&svm);
	*ptr = 1;
	require_huge(ptr);
	to_vram(ptr, NV_HUGE_SIZE, 1);
	igt_assert_eq_u64(nv_svm_migrate_home(&svm, ptr + part, part), part / NV_PAGE_SIZE);
	nv_assert_private(ptr, part);
	nv_assert_ram(ptr + part, part);
	nv_assert_private(ptr + 2 * part, NV_HUGE_SIZE - 2 * part);
	nv_check(ptr, NV_HUGE_SIZE, 1);
	munmap(ptr, NV_HUGE_SIZE);
}

/* Pages in VRAM, in RAM, never touched, forbidden in VRAM, unmapped, of a file. */
static void test_target_cpu_mixed(void)
{
	char *ptr = (char *)nv_alloc(6 * NV_PAGE_SIZE);
	char *forbidden = ptr + 3 * NV_PAGE_SIZE, *file = ptr + 5 * NV_PAGE_SIZE;
	int fd = memfd_create("igt", 0);

	nv_svm_require_target_cpu(&svm);
	igt_assert(fd >= 0 && !ftruncate(fd, NV_PAGE_SIZE));
	igt_assert(mmap(file, NV_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
			0) == file);
	close(fd);
	nv_fill(file, NV_PAGE_SIZE, 3);
	nv_fill(ptr + NV_PAGE_SIZE, NV_PAGE_SIZE, 2);
	to_vram(ptr, NV_PAGE_SIZE, 1);
	to_vram(forbidden, NV_PAGE_SIZE, 4);
	igt_assert_eq(mprotect(forbidden, NV_PAGE_SIZE, PROT_NONE), 0);
	munmap(ptr + 4 * NV_PAGE_SIZE, NV_PAGE_SIZE);

	igt_assert_eq_u64(nv_svm_migrate_home(&svm, ptr, 6 * NV_PAGE_SIZE), 2);
	nv_assert_ram(ptr, 2 * NV_PAGE_SIZE);
	nv_check(ptr, NV_PAGE_SIZE, 1);
	nv_check(ptr + NV_PAGE_SIZE, NV_PAGE_SIZE, 2);
	nv_check(file, NV_PAGE_SIZE, 3);
	for (int i = 0; i < NV_PAGE_SIZE; i++)
		igt_assert_eq(ptr[2 * NV_PAGE_SIZE + i], 0);
	igt_assert_eq(mprotect(forbidden, NV_PAGE_SIZE, PROT_READ), 0);
	nv_check(forbidden, NV_PAGE_SIZE, 4);
	munmap(ptr, 6 * NV_PAGE_SIZE);
}

/* After fork() the pages are shared, and read-only. */
static void test_target_cpu_fork(void)
{
	const size_t len = 64 * KiB;
	uint32_t *ptr = nv_alloc(len);
	int go[2];

	nv_svm_require_target_cpu(&svm);
	igt_assert_eq(pipe(go), 0);
	to_vram(ptr, len, 1);
	igt_fork(child, 1)
	{
		char byte;

		close(go[1]);
		igt_assert_eq(read(go[0], &byte, 1), 1);
		nv_check(ptr, len, 1);
	}
	igt_assert_eq_u64(nv_svm_migrate_home(&svm, ptr, len), len / NV_PAGE_SIZE);
	nv_assert_ram(ptr, len);
	nv_fill(ptr, len, 2);
	igt_assert_eq(write(go[1], "", 1), 1);
	igt_waitchildren();
	close(go[0]);
	close(go[1]);
	nv_check(ptr, len, 2);
	munmap(ptr, len);
}

/* One thread brings the pages home and uses them while another takes them to VRAM. */
static void test_target_cpu_race(void)
{
	const int rounds = SLOW_QUICK(500, 20);

	nv_svm_require_target_cpu(&svm);
	racer.len = 64 * KiB;
	racer.ptr = (char *)nv_alloc(racer.len);
	nv_fill(racer.ptr, racer.len, 0);
	racer_start(step_migrate);
	for (int i = 0; i < rounds; i++) {
		nv_svm_migrate_home(&svm, racer.ptr, racer.len);
		nv_check(racer.ptr, racer.len, i);
		nv_fill(racer.ptr, racer.len, i + 1);
	}
	racer_join();
	nv_svm_migrate_home(&svm, racer.ptr, racer.len);
	nv_assert_ram(racer.ptr, racer.len);
	nv_check(racer.ptr, racer.len, rounds);
	munmap(racer.ptr, racer.len);
}

static void test_ce_basic(void)
{
	const uint32_t *ram = worker.ram.map;

	nv_worker_fill(&worker, 64 * KiB, 1);
	nv_worker_check(&worker, 64 * KiB, 1);
	nv_ce_fill32(&worker.chan, worker.ram.va, 0x5eed, 1000);
	nv_ce_release(&worker.chan, worker.ram.va + 4000, 0xd01e);
	nv_chan_run(&worker.chan);
	for (int i = 0; i < 1000; i++)
		igt_assert_eq_u32(ram[i], 0x5eed);
	igt_assert_eq_u32(ram[1000], 0xd01e);
}

static void test_prefetch_sys(void)
{
	const size_t len = 64 * KiB;
	uint32_t *ptr = nv_alloc(len);

	nv_svm_require_prefetch(&worker.svm);
	nv_fill(ptr, len, 1);
	igt_assert_eq_u64(nv_svm_prefetch(&worker.svm, ptr, len), len / NV_PAGE_SIZE);
	nv_assert_ram(ptr, len);
	nv_worker_read(&worker, ptr, len);
	nv_worker_check(&worker, len, 1);
	nv_worker_fill(&worker, len, 2);
	nv_worker_write(&worker, ptr, len);
	nv_assert_ram(ptr, len);
	nv_check(ptr, len, 2);
	munmap(ptr, len);
}

static void prefetch_vram(char *ptr, size_t len)
{
	struct nv_model_stats before, moved = {};

	nv_svm_require_prefetch(&worker.svm);
	nv_fill(ptr, len, 1);
	nv_svm_migrate(&worker.svm, ptr, len);
	igt_assert_eq_u64(nv_svm_prefetch(&worker.svm, ptr, len), len / NV_PAGE_SIZE);
	nv_assert_private(ptr, len);

	if (nv_model_present())
		nv_model_stats(&before);
	nv_worker_read(&worker, ptr, len);
	if (nv_model_present())
		nv_model_stats_since(&moved, &before);
	igt_assert_eq_u64(moved.ce.system_read + moved.ce.system_write, 0);
	nv_worker_check(&worker, len, 1);

	nv_worker_fill(&worker, len, 2);
	nv_worker_write(&worker, ptr, len);
	nv_assert_private(ptr, len);
	nv_check(ptr, len, 2);
	nv_assert_ram(ptr, len);
	munmap(ptr, len);
}

static void test_prefetch_vram(void)
{
	prefetch_vram((char *)nv_alloc(64 * KiB), 64 * KiB);
}

static void test_prefetch_thp(void)
{
	char *ptr = (char *)nv_alloc_huge(NV_HUGE_SIZE);

	*ptr = 1;
	require_huge(ptr);
	prefetch_vram(ptr, NV_HUGE_SIZE);
}

/*
 * Pages in VRAM that a child shares come home one by one before the GPU may write to them. All of
 * them take longer than HMM goes on with a range that is invalidated, as each of them does.
 */
static void test_prefetch_slow(void)
{
	const unsigned int delay_us = 30000;
	const size_t len = 256 * KiB;
	char *ptr = (char *)nv_alloc(len);
	uint64_t pages;
	int go[2];

	nv_svm_require_prefetch(&worker.svm);
	igt_assert_eq(pipe(go), 0);
	nv_fill(ptr, len, 1);
	nv_svm_migrate(&worker.svm, ptr, len);
	nv_assert_private(ptr, len);
	igt_fork(child, 1)
	{
		char byte;

		close(go[1]);
		igt_assert_eq(read(go[0], &byte, 1), 1);
		nv_check(ptr, len, 1);
	}
	if (nv_model_present())
		nv_model_delay("ce", delay_us);
	pages = nv_svm_prefetch(&worker.svm, ptr, len);
	if (nv_model_present())
		nv_model_delay("ce", 0);
	igt_assert_eq_u64(pages, len / NV_PAGE_SIZE);
	nv_worker_fill(&worker, len, 2);
	nv_worker_write(&worker, ptr, len);
	igt_assert_eq(write(go[1], "", 1), 1);
	igt_waitchildren();
	close(go[0]);
	close(go[1]);
	nv_check(ptr, len, 2);
	munmap(ptr, len);
}

static void test_prefetch_shmem(void)
{
	const size_t len = 64 * KiB;
	char *ptr = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	igt_assert(ptr != MAP_FAILED);
	nv_svm_require_prefetch(&worker.svm);
	nv_fill(ptr, len, 1);
	nv_svm_migrate(&worker.svm, ptr, len);
	nv_assert_ram(ptr, len);
	igt_assert_eq_u64(nv_svm_prefetch(&worker.svm, ptr, len), len / NV_PAGE_SIZE);
	nv_worker_read(&worker, ptr, len);
	nv_worker_check(&worker, len, 1);
	nv_worker_fill(&worker, len, 2);
	nv_worker_write(&worker, ptr, len);
	igt_fork(child, 1) nv_check(ptr, len, 2);
	igt_waitchildren();
	nv_check(ptr, len, 2);
	munmap(ptr, len);
}

static void test_prefetch_ro(void)
{
	const size_t len = 16 * KiB;
	char *ptr = (char *)nv_alloc(len);

	nv_svm_require_prefetch(&worker.svm);
	igt_emit_ignore_dmesg_regex(NV_KILLED_DMESG);
	nv_fill(ptr, len, 1);
	igt_assert_eq(mprotect(ptr, len, PROT_READ), 0);
	igt_assert_eq_u64(nv_svm_prefetch(&worker.svm, ptr, len), len / NV_PAGE_SIZE);
	nv_worker_read(&worker, ptr, len);
	nv_worker_check(&worker, len, 1);
	nv_worker_fill(&worker, len, 2);
	nv_worker_write_faults(&worker, ptr, len);
	nv_check(ptr, len, 1);
	munmap(ptr, len);
}

static void test_prefetch_untouched(void)
{
	const size_t len = 64 * KiB;
	char *ptr = (char *)nv_alloc(len), *zero = worker.ram.map;

	nv_svm_require_prefetch(&worker.svm);
	igt_assert_eq_u64(nv_svm_prefetch(&worker.svm, ptr, len), len / NV_PAGE_SIZE);
	nv_worker_read(&worker, ptr, len);
	nv_fill(zero, len, 1);
	nv_ce_copy(&worker.chan, worker.ram.va, worker.vram.va, len);
	nv_chan_run(&worker.chan);
	for (size_t i = 0; i < len; i++)
		igt_assert_eq(zero[i], 0);
	nv_worker_fill(&worker, len, 2);
	nv_worker_write(&worker, ptr, len);
	nv_check(ptr, len, 2);
	munmap(ptr, len);
}

static void test_prefetch_mixed(void)
{
	const int pages = 16;
	char *ptr = (char *)nv_alloc(pages * NV_PAGE_SIZE);

	nv_svm_require_prefetch(&worker.svm);
	nv_fill(ptr, pages * NV_PAGE_SIZE, 1);
	for (int i = 0; i < pages; i += 3)
		nv_svm_migrate(&worker.svm, ptr + i * NV_PAGE_SIZE, NV_PAGE_SIZE);
	igt_assert_eq_u64(nv_svm_prefetch(&worker.svm, ptr, pages * NV_PAGE_SIZE), pages);
	for (int i = 0; i < pages; i++)
		igt_assert_eq_u64(nv_private_pages(ptr + i * NV_PAGE_SIZE, NV_PAGE_SIZE),
				  i % 3 == 0);
	nv_worker_read(&worker, ptr, pages * NV_PAGE_SIZE);
	nv_worker_check(&worker, pages * NV_PAGE_SIZE, 1);
	munmap(ptr, pages * NV_PAGE_SIZE);
}

/* A semaphore and a fill at a user address: they have more than 40 bits. */
static void test_ce_user_address(void)
{
	uint32_t *ptr = nv_alloc(NV_PAGE_SIZE);

	nv_svm_require_prefetch(&worker.svm);
	igt_require_f((uintptr_t)ptr >> 40, "mmap() gave a low address\n");
	nv_fill(ptr, NV_PAGE_SIZE, 1);
	nv_svm_prefetch(&worker.svm, ptr, NV_PAGE_SIZE);
	nv_ce_fill32(&worker.chan, (uintptr_t)ptr, 0x5eed, 100);
	nv_ce_release(&worker.chan, (uintptr_t)&ptr[100], 0xd01e);
	nv_chan_run(&worker.chan);
	for (int i = 0; i < 100; i++)
		igt_assert_eq_u32(ptr[i], 0x5eed);
	igt_assert_eq_u32(ptr[100], 0xd01e);
	munmap(ptr, NV_PAGE_SIZE);
}

/* A migration to VRAM leaves the pages mapped for the GPU that they were migrated to. */
static void test_gpu_read_after_migrate(void)
{
	const size_t len = 64 * KiB;
	uint32_t *ptr = nv_alloc(len);

	nv_fill(ptr, len, 1);
	nv_svm_migrate(&worker.svm, ptr, len);
	nv_worker_read(&worker, ptr, len);
	nv_worker_check(&worker, len, 1);
	nv_assert_private(ptr, len);
	munmap(ptr, len);
}

/* The GPU has the pages mapped in RAM, then they migrate: no access may reach the old place. */
static void test_gpu_write_after_migrate(bool prefetch_again)
{
	const size_t len = 64 * KiB;
	uint32_t *ptr = nv_alloc(len);

	nv_svm_require_prefetch(&worker.svm);
	nv_fill(ptr, len, 1);
	nv_svm_prefetch(&worker.svm, ptr, len);
	nv_worker_fill(&worker, len, 2);
	nv_svm_migrate(&worker.svm, ptr, len);
	if (prefetch_again)
		nv_svm_prefetch(&worker.svm, ptr, len);
	nv_worker_write(&worker, ptr, len);
	nv_assert_private(ptr, len);
	nv_check(ptr, len, 2);
	munmap(ptr, len);
}

static void test_bad_address(void)
{
	struct nv_worker other;

	igt_emit_ignore_dmesg_regex(NV_KILLED_DMESG);
	nv_worker_create(&other, &gpu);
	nv_worker_read_faults(&worker, (void *)0x123456789000, NV_PAGE_SIZE);
	nv_worker_fill(&other, 64 * KiB, 3);
	nv_worker_check(&other, 64 * KiB, 3);
	nv_worker_destroy(&other);
	assert_gpu_works();
}

/* After @change the GPU must not reach the old page any more. */
static void test_revoke(void (*change)(char *ptr, size_t len), bool private)
{
	const size_t len = 16 * KiB;
	char *ptr = (char *)nv_alloc(len);

	nv_svm_require_prefetch(&worker.svm);
	igt_emit_ignore_dmesg_regex(NV_KILLED_DMESG);
	nv_fill(ptr, len, 1);
	if (private)
		nv_svm_migrate(&worker.svm, ptr, len);
	nv_svm_prefetch(&worker.svm, ptr, len);
	nv_worker_read(&worker, ptr, len);
	nv_worker_check(&worker, len, 1);
	change(ptr, len);
	nv_worker_read_faults(&worker, ptr, len);
	munmap(ptr, len);
}

static void change_munmap(char *ptr, size_t len)
{
	munmap(ptr, len);
}

static void change_dontneed(char *ptr, size_t len)
{
	igt_assert_eq(madvise(ptr, len, MADV_DONTNEED), 0);
}

static void change_none(char *ptr, size_t len)
{
	igt_assert_eq(mprotect(ptr, len, PROT_NONE), 0);
}

static void change_touch(char *ptr, size_t len)
{
	nv_check(ptr, len, 1);
}

static void test_mprotect_ro(void)
{
	const size_t len = 16 * KiB;
	char *ptr = (char *)nv_alloc(len);

	nv_svm_require_prefetch(&worker.svm);
	igt_emit_ignore_dmesg_regex(NV_KILLED_DMESG);
	nv_fill(ptr, len, 1);
	nv_svm_migrate(&worker.svm, ptr, len);
	nv_svm_prefetch(&worker.svm, ptr, len);
	igt_assert_eq(mprotect(ptr, len, PROT_READ), 0);
	nv_svm_prefetch(&worker.svm, ptr, len);
	nv_worker_read(&worker, ptr, len);
	nv_worker_check(&worker, len, 1);
	nv_worker_fill(&worker, len, 2);
	nv_worker_write_faults(&worker, ptr, len);
	nv_check(ptr, len, 1);
	munmap(ptr, len);
}

/* The GPU writes to a page that fork() made read-only: parent and child must part. */
static void test_gpu_write_after_fork(void)
{
	const size_t len = 16 * KiB;
	uint32_t *ptr = nv_alloc(len);
	int go[2];

	nv_svm_require_prefetch(&worker.svm);
	igt_assert_eq(pipe(go), 0);
	nv_fill(ptr, len, 1);
	nv_svm_migrate(&worker.svm, ptr, len);
	nv_svm_prefetch(&worker.svm, ptr, len);
	nv_worker_fill(&worker, len, 2);
	igt_fork(child, 1)
	{
		char byte;

		close(go[1]);
		igt_assert_eq(read(go[0], &byte, 1), 1);
		nv_check(ptr, len, 1);
	}
	nv_svm_prefetch(&worker.svm, ptr, len);
	nv_worker_write(&worker, ptr, len);
	igt_assert_eq(write(go[1], "", 1), 1);
	igt_waitchildren();
	close(go[0]);
	close(go[1]);
	nv_check(ptr, len, 2);
	munmap(ptr, len);
}

static void test_mremap_prefetch(void)
{
	const size_t len = 64 * KiB;
	char *ptr = (char *)nv_alloc(len), *to = (char *)nv_alloc(len);

	nv_svm_require_prefetch(&worker.svm);
	nv_fill(ptr, len, 1);
	nv_svm_migrate(&worker.svm, ptr, len);
	nv_svm_prefetch(&worker.svm, ptr, len);
	igt_assert(mremap(ptr, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	nv_svm_prefetch(&worker.svm, to, len);
	nv_assert_private(to, len);
	nv_worker_read(&worker, to, len);
	nv_worker_check(&worker, len, 1);
	nv_check(to, len, 1);
	munmap(to, len);
}

static int step_prefetch(void)
{
	return __nv_svm_prefetch(&worker.svm, racer.ptr, racer.len);
}

static void test_prefetch_race(void)
{
	const int rounds = SLOW_QUICK(300, 20);

	nv_svm_require_prefetch(&worker.svm);
	racer.len = 16 * KiB;
	racer.ptr = (char *)nv_alloc(racer.len);
	racer_start(step_prefetch);
	for (int i = 0; i < rounds; i++) {
		nv_fill(racer.ptr, racer.len, i);
		nv_svm_migrate(&worker.svm, racer.ptr, racer.len);
		nv_check(racer.ptr, racer.len, i);
		madvise(racer.ptr, racer.len, MADV_DONTNEED);
	}
	racer_join();
	/* No mapping of an older page may have stayed. */
	nv_fill(racer.ptr, racer.len, 0xf1);
	nv_svm_prefetch(&worker.svm, racer.ptr, racer.len);
	nv_worker_read(&worker, racer.ptr, racer.len);
	nv_worker_check(&worker, racer.len, 0xf1);
	munmap(racer.ptr, racer.len);
}

static void test_exit_while_prefetched(void)
{
	nv_svm_require_prefetch(&worker.svm);
	igt_fork(child, 1)
	{
		struct nv_worker mine;
		uint32_t *ptr = nv_alloc(128 * KiB);

		nv_worker_create(&mine, &gpu);
		nv_fill(ptr, 128 * KiB, 1);
		nv_svm_migrate(&mine.svm, ptr, 64 * KiB);
		nv_svm_prefetch(&mine.svm, ptr, 128 * KiB);
		nv_worker_read(&mine, ptr, 128 * KiB);
		_exit(0);
	}
	igt_waitchildren();
	assert_gpu_works();
}

/* Tier 1 runs in an SVM address space, tier 2 with a channel in it. */

/* Memory without a free huge page: all that was free, of which little is kept. */
struct fragments {
	char *small, *huge;
	size_t small_len, huge_len;
};

static size_t free_memory(void)
{
	FILE *file = fopen("/proc/meminfo", "r");
	char line[128];
	size_t kib = 0;

	igt_assert(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "MemFree: %zu", &kib) == 1)
			break;
	fclose(file);
	return kib * KiB;
}

static bool compaction_moves_locked_pages(bool yes)
{
	int fd = open("/proc/sys/vm/compact_unevictable_allowed", O_WRONLY);
	bool done = fd >= 0 && write(fd, yes ? "1" : "0", 1) == 1;

	close(fd);
	return done;
}

static void restore_compaction(int sig)
{
	compaction_moves_locked_pages(true);
}

/* One page of each huge page that could be is locked, the others are freed. */
static void keep_one_of_each_huge_page(char *ptr, size_t len)
{
	const size_t pages = len / NV_PAGE_SIZE, blocks = 1 << 20;
	uint64_t *places = calloc(pages, sizeof(*places));
	bool *seen = calloc(blocks, sizeof(*seen));
	size_t start = 0;

	igt_assert(places && seen);
	nv_pagemap_read(ptr, len, places);
	for (size_t i = 0; i <= pages; i++) {
		size_t block = i < pages ? (places[i] & ((1ull << 55) - 1)) / 512 % blocks : 0;

		if (i < pages && seen[block])
			continue;
		if (i < pages) {
			seen[block] = true;
			igt_assert_eq(mlock(ptr + i * NV_PAGE_SIZE, NV_PAGE_SIZE), 0);
		}
		if (i > start)
			igt_assert_eq(madvise(ptr + start * NV_PAGE_SIZE,
					      (i - start) * NV_PAGE_SIZE, MADV_DONTNEED),
				      0);
		start = i + 1;
	}
	free(seen);
	free(places);
}

static void fragments_create(struct fragments *f)
{
	const size_t reserve = 64 * MiB;

	igt_install_exit_handler(restore_compaction);
	igt_require_f(compaction_moves_locked_pages(false),
		      "this kernel does not leave locked pages where they are\n");
	igt_assert(free_memory() > 2 * reserve);
	f->small_len = (free_memory() - reserve) / NV_HUGE_SIZE * NV_HUGE_SIZE;
	f->small = (char *)nv_alloc(f->small_len);
	for (size_t at = 0; at < f->small_len; at += NV_PAGE_SIZE)
		f->small[at] = 1;
	keep_one_of_each_huge_page(f->small, f->small_len);
	/* What is whole yet is taken whole. */
	f->huge_len = 4 * reserve;
	f->huge = (char *)nv_alloc_huge(f->huge_len);
	for (size_t at = 0; at < f->huge_len; at += NV_HUGE_SIZE) {
		f->huge[at] = 1;
		if (!nv_is_huge_page(f->huge + at))
			break;
	}
}

static void fragments_destroy(struct fragments *f)
{
	munmap(f->small, f->small_len);
	munmap(f->huge, f->huge_len);
	restore_compaction(0);
}

/* There is memory, but no huge page: the CPU gets the page that it asked for. */
static void test_cpu_fault_fragmented(void)
{
	uint32_t *ptr = nv_alloc_huge(NV_HUGE_SIZE);
	const size_t last = NV_HUGE_SIZE / sizeof(*ptr) - 1;
	struct fragments fragments;

	nv_fill(ptr, NV_HUGE_SIZE, 1);
	nv_svm_migrate(&svm, ptr, NV_HUGE_SIZE);
	nv_assert_private(ptr, NV_HUGE_SIZE);
	fragments_create(&fragments);
	igt_set_timeout(10, "a CPU fault where there is no huge page");
	igt_assert_eq_u32(((volatile uint32_t *)ptr)[last], nv_pattern(1, last));
	igt_reset_timeout();
	igt_assert_eq_u64(nv_private_pages(ptr, NV_HUGE_SIZE), NV_HUGE_SIZE / NV_PAGE_SIZE - 1);
	nv_check(ptr, NV_HUGE_SIZE, 1);
	fragments_destroy(&fragments);
	munmap(ptr, NV_HUGE_SIZE);
}

static void run_t1(void (*run)(void))
{
	nv_svm_init(&svm, drm_reopen_driver(gpu.fd));
	run();
	nv_svm_fini(&svm);
}

static void run_t2(void (*run)(void))
{
	nv_worker_create(&worker, &gpu);
	run();
	nv_worker_destroy(&worker);
}

/* Arguments make a subtest of a function. */
#define VARIANT(name, call)    \
	static void name(void) \
	{                      \
		call;          \
	}
VARIANT(migrate_4k, test_migrate(4 * KiB))
VARIANT(migrate_64k, test_migrate(64 * KiB))
VARIANT(migrate_2m, test_migrate(2 * MiB))
VARIANT(migrate_16m, test_migrate(16 * MiB))
VARIANT(target_cpu_4k, test_target_cpu(4 * KiB))
VARIANT(target_cpu_2m, test_target_cpu(2 * MiB))
VARIANT(cpu_fault_threads, test_cpu_fault_threads(false))
VARIANT(cpu_fault_threads_same_page, test_cpu_fault_threads(true))
VARIANT(kill_while_shared, test_kill_while_shared(false))
VARIANT(kill_while_shared_thp, test_kill_while_shared(true))
VARIANT(munmap_whole, test_munmap(0, 16))
VARIANT(munmap_partial, test_munmap(11, 5))
VARIANT(munmap_middle, test_munmap(5, 6))
VARIANT(mremap_plain, test_mremap(0))
VARIANT(mremap_dontunmap, test_mremap(MREMAP_DONTUNMAP))
VARIANT(madvise_pageout, test_madvise(MADV_PAGEOUT))
VARIANT(madvise_hugepage, test_madvise(MADV_HUGEPAGE))
VARIANT(madvise_collapse, test_madvise(MADV_COLLAPSE))
VARIANT(overcommit_small, test_overcommit(false))
VARIANT(overcommit_thp, test_overcommit(true))
VARIANT(suspend_vram, test_suspend(false))
VARIANT(suspend_thp, test_suspend(true))
VARIANT(runtime_suspend_vram, test_runtime_suspend(false))
VARIANT(runtime_suspend_thp, test_runtime_suspend(true))
VARIANT(unbind_small, test_unbind(false))
VARIANT(unbind_thp, test_unbind(true))
VARIANT(unbind_open, test_unbind_open(false))
VARIANT(unbind_open_files_first, test_unbind_open(true))
VARIANT(gpu_write_after_migrate, test_gpu_write_after_migrate(false))
VARIANT(gpu_write_after_migrate_prefetch, test_gpu_write_after_migrate(true))
VARIANT(revoke_munmap, test_revoke(change_munmap, false))
VARIANT(revoke_munmap_vram, test_revoke(change_munmap, true))
VARIANT(revoke_dontneed, test_revoke(change_dontneed, false))
VARIANT(revoke_dontneed_vram, test_revoke(change_dontneed, true))
VARIANT(revoke_mprotect, test_revoke(change_none, false))
VARIANT(revoke_mprotect_vram, test_revoke(change_none, true))
VARIANT(revoke_cpu_fault, test_revoke(change_touch, true))

static const struct subtest {
	const char *name;
	void (*tier)(void (*run)(void));
	void (*run)(void);
	const char *describe;
} subtests[] = {
	{ "migrate-4k", run_t1, migrate_4k, "A page goes to VRAM and back as it was" },
	{ "migrate-64k", run_t1, migrate_64k, "Pages go to VRAM and back as they were" },
	{ "migrate-2m", run_t1, migrate_2m, "Small pages of 2 MiB go to VRAM and back" },
	{ "migrate-16m", run_t1, migrate_16m, "A long row of small pages goes to VRAM and back" },
	{ "migrate-thp", run_t1, test_migrate_thp, "A huge page goes to VRAM and back as it was" },
	{ "migrate-thp-split", run_t1, test_migrate_thp_split,
	  "A huge page in VRAM survives losing a part" },
	{ "migrate-thp-split-tail", run_t1, test_migrate_thp_split_tail,
	  "The CPU gets the page that it asked for of a huge page that lost a part" },
	{ "migrate-thp-whole", run_t1, test_migrate_thp_whole,
	  "A huge page stays whole, wherever the range that it is in starts" },
	{ "migrate-result", run_t1, test_migrate_result,
	  "SVM_BIND reports the pages that it migrated" },
	{ "fdinfo", run_t1, test_fdinfo,
	  "Fdinfo shows the file's buffers and what it has mapped of the process" },
	{ "migrate-again", run_t1, test_migrate_again,
	  "Migrating what is there already changes nothing" },
	{ "migrate-partial", run_t1, test_migrate_partial, "Only the asked range migrates" },
	{ "migrate-holes", run_t1, test_migrate_holes,
	  "Pages that cannot migrate do not disturb those that can" },
	{ "migrate-repeat", run_t1, test_migrate_repeat, "Pages go to VRAM and back many times" },
	{ "migrate-engine-stuck", run_t1, test_migrate_engine_stuck,
	  "Pages stay where they are when the copy engine does not answer" },
	{ "migrate-race", run_t1, test_migrate_race,
	  "Pages keep their content while CPU and driver both want them" },
	{ "target-cpu-4k", run_t1, target_cpu_4k, "SVM_BIND brings a page home to RAM" },
	{ "target-cpu-2m", run_t1, target_cpu_2m, "SVM_BIND brings many pages home to RAM" },
	{ "target-cpu-thp", run_t1, test_target_cpu_thp,
	  "SVM_BIND brings a huge page home to RAM in one piece" },
	{ "target-cpu-thp-part", run_t1, test_target_cpu_thp_part,
	  "SVM_BIND brings a part of a huge page home to RAM" },
	{ "target-cpu-mixed", run_t1, test_target_cpu_mixed,
	  "SVM_BIND brings home what is in VRAM, counts that, and leaves the rest alone" },
	{ "target-cpu-fork", run_t1, test_target_cpu_fork,
	  "Pages that SVM_BIND brings home after fork() are a copy for each process" },
	{ "target-cpu-race", run_t1, test_target_cpu_race,
	  "Pages keep their content while one thread brings them home and another takes them away" },
	{ "cpu-fault-back", run_t1, test_cpu_fault_back, "A CPU access brings its page back" },
	{ "cpu-write-back", run_t1, test_cpu_write_back,
	  "A CPU write brings the rest of its page back" },
	{ "cpu-fault-fragmented", run_t1, test_cpu_fault_fragmented,
	  "A CPU access to a huge page brings back one page if there is no huge page in RAM" },
	{ "cpu-fault-threads", run_t1, cpu_fault_threads,
	  "Threads fault their own pages back at the same time" },
	{ "cpu-fault-threads-same-page", run_t1, cpu_fault_threads_same_page,
	  "Threads fault the same pages back at the same time" },
	{ "munmap-whole", run_t1, munmap_whole,
	  "What comes in place of an unmapped range in VRAM is empty" },
	{ "munmap-partial", run_t1, munmap_partial,
	  "Unmapping the end of a range in VRAM leaves the rest as it was" },
	{ "munmap-middle", run_t1, munmap_middle,
	  "Unmapping the middle of a range in VRAM leaves the rest as it was" },
	{ "munmap-race", run_t1, test_munmap_race,
	  "Pages mapped and unmapped while the driver migrates them keep their content" },
	{ "mremap", run_t1, mremap_plain, "Pages in VRAM move to another address" },
	{ "mremap-dontunmap", run_t1, mremap_dontunmap,
	  "Pages in VRAM move to another address and leave an empty range" },
	{ "fork-read", run_t1, test_fork_read, "A child sees its parent's pages in VRAM" },
	{ "fork-write-cow", run_t1, test_fork_write_cow, "A child's writes stay its own" },
	{ "fork-child-exit", run_t1, test_fork_child_exit,
	  "A child's exit leaves the pages in VRAM" },
	{ "fork-munmap-thp", run_t1, test_fork_munmap_thp,
	  "A huge page that is on its way to RAM for a child stays its own when the parent unmaps it" },
	{ "madvise-dontneed", run_t1, test_madvise_dontneed, "Discarded pages read as zero" },
	{ "madvise-free", run_t1, test_madvise_free,
	  "Pages in VRAM that may be freed read as they were or as zero, written ones as written" },
	{ "madvise-pageout", run_t1, madvise_pageout,
	  "Advice to page out leaves pages in VRAM as they were" },
	{ "madvise-hugepage", run_t1, madvise_hugepage,
	  "Advice to use huge pages leaves pages in VRAM as they were" },
	{ "madvise-collapse", run_t1, madvise_collapse,
	  "Collapsing to a huge page leaves pages in VRAM as they were" },
	{ "mlock", run_t1, test_mlock,
	  "Locked pages keep their content when they migrate, pages in VRAM when they are locked" },
	{ "gup-vmsplice", run_t1, test_gup_vmsplice,
	  "A kernel's reference brings pages back to RAM and keeps them there" },
	{ "userfaultfd", run_t1, test_userfaultfd,
	  "Pages that userfaultfd fills migrate; pages that are missing are left missing" },
	{ "ksm", run_t1, test_ksm, "Equal pages in RAM and VRAM stay apart when one is written" },
	{ "counters", run_t1, test_counters,
	  "The driver counts the pages that it migrates to VRAM and to RAM" },
	{ "compact", run_t1, test_compact, "Memory compaction leaves pages in VRAM as they were" },
	{ "exit-while-mapped", run_t1, test_exit_while_mapped,
	  "A process exits with pages in VRAM, and the GPU works on" },
	{ "kill-while-migrating", run_t1, test_kill_while_migrating,
	  "A process is killed while it migrates, and the GPU works on" },
	{ "kill-while-shared", run_t1, kill_while_shared,
	  "A process is killed while its GPU uses pages that its child has, too" },
	{ "kill-while-shared-thp", run_t1, kill_while_shared_thp,
	  "A process is killed while its GPU uses a huge page that its child has, too" },
	{ "close-while-private", run_t1, test_close_while_private,
	  "Pages survive the close of the file they were migrated with" },
	{ "bar1-overflow", run_t1, test_bar1_overflow,
	  "A buffer that is larger than BAR1 gives no access to other buffers" },
	{ "evict", run_t1, test_evict,
	  "Pages in VRAM make room for a buffer that has to be there, and keep their content" },
	{ "release-touch", run_t1, test_release_touch,
	  "Pages that came home leave no VRAM in use and no struct pages behind" },
	{ "release-munmap", run_t1, test_release_munmap,
	  "Pages in VRAM that are unmapped leave no VRAM in use and no struct pages behind" },
	{ "release-exit", run_t1, test_release_exit,
	  "A process that exits leaves no VRAM in use and no struct pages behind" },
	{ "release-thp", run_t1, test_release_thp,
	  "The last part of a huge page in VRAM that goes leaves nothing behind" },
	{ "release-half", run_t1, test_release_half,
	  "VRAM of pages that went is given back beside pages that stay" },
	{ "release-clears", run_t1, test_release_clears,
	  "Buffers in VRAM that was given back show nothing of the pages that were there" },
	{ "release-race", run_t1, test_release_race,
	  "Pages migrate and come home while VRAM is given back" },
	{ "chunk-reuse", run_t1, test_chunk_reuse,
	  "VRAM is good for small and for huge pages, whatever it was before" },

	{ "ce-basic", run_t2, test_ce_basic,
	  "The copy engine copies, fills and releases semaphores" },
	{ "ce-fence-delay", run_t2, test_ce_fence,
	  "A wait for a copy-engine channel that takes its time ends" },
	{ "ce-user-address", run_t2, test_ce_user_address,
	  "Fill and semaphore reach addresses above 40 bits" },
	{ "migrate-while-ttm-moves", run_t2, test_migrate_while_ttm_moves,
	  "Pages and buffer objects that move at the same time keep their content" },
	{ "prefetch-sys", run_t2, test_prefetch_sys,
	  "The GPU reads and writes pages in RAM where they are" },
	{ "prefetch-vram", run_t2, test_prefetch_vram,
	  "The GPU reads and writes pages in its VRAM where they are" },
	{ "prefetch-thp", run_t2, test_prefetch_thp,
	  "The GPU reads and writes a huge page in its VRAM" },
	{ "prefetch-shmem", run_t2, test_prefetch_shmem,
	  "The GPU reads and writes shared memory, which does not migrate" },
	{ "prefetch-ro", run_t2, test_prefetch_ro,
	  "The GPU reads read-only memory, and cannot write to it" },
	{ "prefetch-untouched", run_t2, test_prefetch_untouched,
	  "Memory never touched before is zero for the GPU, and takes its writes" },
	{ "prefetch-slow", run_t2, test_prefetch_slow,
	  "Pages that take long to come home are waited for" },
	{ "prefetch-mixed", run_t2, test_prefetch_mixed,
	  "The GPU reads a range that is partly in RAM, partly in VRAM" },
	{ "prefetch-race", run_t2, test_prefetch_race,
	  "A prefetch that races with changes leaves no stale mapping" },
	{ "gpu-read-after-migrate", run_t2, test_gpu_read_after_migrate,
	  "Migrated pages are mapped for the GPU" },
	{ "gpu-write-after-migrate", run_t2, gpu_write_after_migrate,
	  "After a migration the GPU writes to the new place" },
	{ "gpu-write-after-migrate-prefetch", run_t2, gpu_write_after_migrate_prefetch,
	  "After a migration and a prefetch the GPU writes to the new place" },
	{ "gpu-write-after-fork", run_t2, test_gpu_write_after_fork,
	  "The GPU's write after fork() is not seen by the child" },
	{ "mremap-prefetch", run_t2, test_mremap_prefetch,
	  "The GPU reads moved pages at their new place" },
	{ "mprotect-ro", run_t2, test_mprotect_ro,
	  "The GPU cannot write to memory that became read-only" },
	{ "revoke-munmap", run_t2, revoke_munmap, "Unmapped RAM is out of the GPU's reach" },
	{ "revoke-munmap-vram", run_t2, revoke_munmap_vram,
	  "Unmapped VRAM is out of the GPU's reach" },
	{ "revoke-dontneed", run_t2, revoke_dontneed, "Discarded RAM is out of the GPU's reach" },
	{ "revoke-dontneed-vram", run_t2, revoke_dontneed_vram,
	  "Discarded VRAM is out of the GPU's reach" },
	{ "revoke-mprotect", run_t2, revoke_mprotect, "Forbidden RAM is out of the GPU's reach" },
	{ "revoke-mprotect-vram", run_t2, revoke_mprotect_vram,
	  "Forbidden VRAM is out of the GPU's reach" },
	{ "revoke-cpu-fault", run_t2, revoke_cpu_fault,
	  "VRAM that went back to RAM is out of the GPU's reach" },
	{ "exit-while-prefetched", run_t2, test_exit_while_prefetched,
	  "A process exits with pages mapped for the GPU, and the GPU works on" },
	{ "bad-address", run_t2, test_bad_address,
	  "An access to nowhere kills its channel and no other" },

	{ "overcommit", run_t1, overcommit_small,
	  "Twice the VRAM migrates, and what was there for the longest makes room" },
	{ "overcommit-thp", run_t1, overcommit_thp,
	  "Twice the VRAM migrates in huge pages, and the oldest make room" },
	{ "overcommit-hot", run_t1, test_overcommit_hot,
	  "Pages that the GPU uses stay in VRAM while others come and go" },
	{ "overcommit-buffers", run_t1, test_overcommit_buffers,
	  "Buffers get VRAM that is full of pages" },
	{ "overcommit-vm-bind", run_t1, test_overcommit_vm_bind,
	  "A buffer that VM_BIND maps gets VRAM that is full of pages" },
	{ "overcommit-race", run_t1, test_overcommit_race,
	  "Processes that take VRAM from each other all the time keep their pages' content" },

	{ "suspend-vram", run_t2, suspend_vram,
	  "The GPU uses the pages that it had in VRAM and in RAM before it slept" },
	{ "suspend-thp", run_t2, suspend_thp,
	  "The GPU uses the huge page that it had in VRAM before it slept" },
	{ "runtime-suspend-vram", run_t2, runtime_suspend_vram,
	  "A GPU with nothing to do sleeps, without pages, and the CPU's use of them does not wake it" },
	{ "runtime-suspend-thp", run_t2, runtime_suspend_thp, "The same with a huge page" },
	{ "unbind", run_t1, unbind_small, "Pages in VRAM survive the driver" },
	{ "unbind-thp", run_t1, unbind_thp, "A huge page in VRAM survives the driver" },
	{ "unbind-race", run_t1, test_unbind_race,
	  "Pages that are migrating when the driver goes are in RAM then" },
	{ "unbind-open", run_t2, unbind_open,
	  "The driver goes, and comes back, while a channel and buffers of it are in use" },
	{ "unbind-open-files-first", run_t2, unbind_open_files_first,
	  "Buffers stay mapped and exported when driver and files are gone" },
};

/**
 * SUBTEST: migrate-4k
 * Description: A page goes to VRAM and back as it was
 *
 * SUBTEST: migrate-64k
 * Description: Pages go to VRAM and back as they were
 *
 * SUBTEST: migrate-2m
 * Description: Small pages of 2 MiB go to VRAM and back
 *
 * SUBTEST: migrate-16m
 * Description: A long row of small pages goes to VRAM and back
 *
 * SUBTEST: migrate-thp
 * Description: A huge page goes to VRAM and back as it was
 *
 * SUBTEST: migrate-thp-split
 * Description: A huge page in VRAM survives losing a part
 *
 * SUBTEST: migrate-thp-split-tail
 * Description: The CPU gets the page that it asked for of a huge page that lost a part
 *
 * SUBTEST: migrate-thp-whole
 * Description: A huge page stays whole, wherever the range that it is in starts
 *
 * SUBTEST: migrate-result
 * Description: SVM_BIND reports the pages that it migrated
 *
 * SUBTEST: fdinfo
 * Description: Fdinfo shows the file's buffers and what it has mapped of the process
 *
 * SUBTEST: migrate-again
 * Description: Migrating what is there already changes nothing
 *
 * SUBTEST: migrate-partial
 * Description: Only the asked range migrates
 *
 * SUBTEST: migrate-holes
 * Description: Pages that cannot migrate do not disturb those that can
 *
 * SUBTEST: migrate-repeat
 * Description: Pages go to VRAM and back many times
 *
 * SUBTEST: migrate-engine-stuck
 * Description: Pages stay where they are when the copy engine does not answer
 *
 * SUBTEST: migrate-race
 * Description: Pages keep their content while CPU and driver both want them
 *
 * SUBTEST: target-cpu-4k
 * Description: SVM_BIND brings a page home to RAM
 *
 * SUBTEST: target-cpu-2m
 * Description: SVM_BIND brings many pages home to RAM
 *
 * SUBTEST: target-cpu-thp
 * Description: SVM_BIND brings a huge page home to RAM in one piece
 *
 * SUBTEST: target-cpu-thp-part
 * Description: SVM_BIND brings a part of a huge page home to RAM
 *
 * SUBTEST: target-cpu-mixed
 * Description: SVM_BIND brings home what is in VRAM, counts that, and leaves the rest alone
 *
 * SUBTEST: target-cpu-fork
 * Description: Pages that SVM_BIND brings home after fork() are a copy for each process
 *
 * SUBTEST: target-cpu-race
 * Description: Pages keep their content while one thread brings them home and another takes them
 *   away
 *
 * SUBTEST: cpu-fault-back
 * Description: A CPU access brings its page back
 *
 * SUBTEST: cpu-write-back
 * Description: A CPU write brings the rest of its page back
 *
 * SUBTEST: cpu-fault-fragmented
 * Description: A CPU access to a huge page brings back one page if there is no huge page in RAM
 *
 * SUBTEST: cpu-fault-threads
 * Description: Threads fault their own pages back at the same time
 *
 * SUBTEST: cpu-fault-threads-same-page
 * Description: Threads fault the same pages back at the same time
 *
 * SUBTEST: munmap-whole
 * Description: What comes in place of an unmapped range in VRAM is empty
 *
 * SUBTEST: munmap-partial
 * Description: Unmapping the end of a range in VRAM leaves the rest as it was
 *
 * SUBTEST: munmap-middle
 * Description: Unmapping the middle of a range in VRAM leaves the rest as it was
 *
 * SUBTEST: munmap-race
 * Description: Pages mapped and unmapped while the driver migrates them keep their content
 *
 * SUBTEST: mremap
 * Description: Pages in VRAM move to another address
 *
 * SUBTEST: mremap-dontunmap
 * Description: Pages in VRAM move to another address and leave an empty range
 *
 * SUBTEST: fork-read
 * Description: A child sees its parent's pages in VRAM
 *
 * SUBTEST: fork-write-cow
 * Description: A child's writes stay its own
 *
 * SUBTEST: fork-child-exit
 * Description: A child's exit leaves the pages in VRAM
 *
 * SUBTEST: fork-munmap-thp
 * Description: A huge page that is on its way to RAM for a child stays its own when the parent
 *   unmaps it
 *
 * SUBTEST: madvise-dontneed
 * Description: Discarded pages read as zero
 *
 * SUBTEST: madvise-free
 * Description: Pages in VRAM that may be freed read as they were or as zero, written ones as
 *   written
 *
 * SUBTEST: madvise-pageout
 * Description: Advice to page out leaves pages in VRAM as they were
 *
 * SUBTEST: madvise-hugepage
 * Description: Advice to use huge pages leaves pages in VRAM as they were
 *
 * SUBTEST: madvise-collapse
 * Description: Collapsing to a huge page leaves pages in VRAM as they were
 *
 * SUBTEST: mlock
 * Description: Locked pages keep their content when they migrate, pages in VRAM when they are
 *   locked
 *
 * SUBTEST: gup-vmsplice
 * Description: A kernel's reference brings pages back to RAM and keeps them there
 *
 * SUBTEST: userfaultfd
 * Description: Pages that userfaultfd fills migrate; pages that are missing are left missing
 *
 * SUBTEST: ksm
 * Description: Equal pages in RAM and VRAM stay apart when one is written
 *
 * SUBTEST: counters
 * Description: The driver counts the pages that it migrates to VRAM and to RAM
 *
 * SUBTEST: compact
 * Description: Memory compaction leaves pages in VRAM as they were
 *
 * SUBTEST: exit-while-mapped
 * Description: A process exits with pages in VRAM, and the GPU works on
 *
 * SUBTEST: kill-while-migrating
 * Description: A process is killed while it migrates, and the GPU works on
 *
 * SUBTEST: kill-while-shared
 * Description: A process is killed while its GPU uses pages that its child has, too
 *
 * SUBTEST: kill-while-shared-thp
 * Description: A process is killed while its GPU uses a huge page that its child has, too
 *
 * SUBTEST: close-while-private
 * Description: Pages survive the close of the file they were migrated with
 *
 * SUBTEST: bar1-overflow
 * Description: A buffer that is larger than BAR1 gives no access to other buffers
 *
 * SUBTEST: evict
 * Description: Pages in VRAM make room for a buffer that has to be there, and keep their content
 *
 * SUBTEST: release-touch
 * Description: Pages that came home leave no VRAM in use and no struct pages behind
 *
 * SUBTEST: release-munmap
 * Description: Pages in VRAM that are unmapped leave no VRAM in use and no struct pages behind
 *
 * SUBTEST: release-exit
 * Description: A process that exits leaves no VRAM in use and no struct pages behind
 *
 * SUBTEST: release-thp
 * Description: The last part of a huge page in VRAM that goes leaves nothing behind
 *
 * SUBTEST: release-half
 * Description: VRAM of pages that went is given back beside pages that stay
 *
 * SUBTEST: release-clears
 * Description: Buffers in VRAM that was given back show nothing of the pages that were there
 *
 * SUBTEST: release-race
 * Description: Pages migrate and come home while VRAM is given back
 *
 * SUBTEST: chunk-reuse
 * Description: VRAM is good for small and for huge pages, whatever it was before
 *
 * SUBTEST: ce-basic
 * Description: The copy engine copies, fills and releases semaphores
 *
 * SUBTEST: ce-fence-delay
 * Description: A wait for a copy-engine channel that takes its time ends
 *
 * SUBTEST: ce-user-address
 * Description: Fill and semaphore reach addresses above 40 bits
 *
 * SUBTEST: migrate-while-ttm-moves
 * Description: Pages and buffer objects that move at the same time keep their content
 *
 * SUBTEST: prefetch-sys
 * Description: The GPU reads and writes pages in RAM where they are
 *
 * SUBTEST: prefetch-vram
 * Description: The GPU reads and writes pages in its VRAM where they are
 *
 * SUBTEST: prefetch-thp
 * Description: The GPU reads and writes a huge page in its VRAM
 *
 * SUBTEST: prefetch-shmem
 * Description: The GPU reads and writes shared memory, which does not migrate
 *
 * SUBTEST: prefetch-ro
 * Description: The GPU reads read-only memory, and cannot write to it
 *
 * SUBTEST: prefetch-untouched
 * Description: Memory never touched before is zero for the GPU, and takes its writes
 *
 * SUBTEST: prefetch-slow
 * Description: Pages that take long to come home are waited for
 *
 * SUBTEST: prefetch-mixed
 * Description: The GPU reads a range that is partly in RAM, partly in VRAM
 *
 * SUBTEST: prefetch-race
 * Description: A prefetch that races with changes leaves no stale mapping
 *
 * SUBTEST: gpu-read-after-migrate
 * Description: Migrated pages are mapped for the GPU
 *
 * SUBTEST: gpu-write-after-migrate
 * Description: After a migration the GPU writes to the new place
 *
 * SUBTEST: gpu-write-after-migrate-prefetch
 * Description: After a migration and a prefetch the GPU writes to the new place
 *
 * SUBTEST: gpu-write-after-fork
 * Description: The GPU's write after fork() is not seen by the child
 *
 * SUBTEST: mremap-prefetch
 * Description: The GPU reads moved pages at their new place
 *
 * SUBTEST: mprotect-ro
 * Description: The GPU cannot write to memory that became read-only
 *
 * SUBTEST: revoke-munmap
 * Description: Unmapped RAM is out of the GPU's reach
 *
 * SUBTEST: revoke-munmap-vram
 * Description: Unmapped VRAM is out of the GPU's reach
 *
 * SUBTEST: revoke-dontneed
 * Description: Discarded RAM is out of the GPU's reach
 *
 * SUBTEST: revoke-dontneed-vram
 * Description: Discarded VRAM is out of the GPU's reach
 *
 * SUBTEST: revoke-mprotect
 * Description: Forbidden RAM is out of the GPU's reach
 *
 * SUBTEST: revoke-mprotect-vram
 * Description: Forbidden VRAM is out of the GPU's reach
 *
 * SUBTEST: revoke-cpu-fault
 * Description: VRAM that went back to RAM is out of the GPU's reach
 *
 * SUBTEST: exit-while-prefetched
 * Description: A process exits with pages mapped for the GPU, and the GPU works on
 *
 * SUBTEST: bad-address
 * Description: An access to nowhere kills its channel and no other
 *
 * SUBTEST: overcommit
 * Description: Twice the VRAM migrates, and what was there for the longest makes room
 *
 * SUBTEST: overcommit-thp
 * Description: Twice the VRAM migrates in huge pages, and the oldest make room
 *
 * SUBTEST: overcommit-hot
 * Description: Pages that the GPU uses stay in VRAM while others come and go
 *
 * SUBTEST: overcommit-buffers
 * Description: Buffers get VRAM that is full of pages
 *
 * SUBTEST: overcommit-vm-bind
 * Description: A buffer that VM_BIND maps gets VRAM that is full of pages
 *
 * SUBTEST: overcommit-race
 * Description: Processes that take VRAM from each other all the time keep their pages' content
 *
 * SUBTEST: suspend-vram
 * Description: The GPU uses the pages that it had in VRAM and in RAM before it slept
 *
 * SUBTEST: suspend-thp
 * Description: The GPU uses the huge page that it had in VRAM before it slept
 *
 * SUBTEST: runtime-suspend-vram
 * Description: A GPU with nothing to do sleeps, without pages, and the CPU's use of them does not
 *   wake it
 *
 * SUBTEST: runtime-suspend-thp
 * Description: The same with a huge page
 *
 * SUBTEST: unbind
 * Description: Pages in VRAM survive the driver
 *
 * SUBTEST: unbind-thp
 * Description: A huge page in VRAM survives the driver
 *
 * SUBTEST: unbind-race
 * Description: Pages that are migrating when the driver goes are in RAM then
 *
 * SUBTEST: unbind-open
 * Description: The driver goes, and comes back, while a channel and buffers of it are in use
 *
 * SUBTEST: unbind-open-files-first
 * Description: Buffers stay mapped and exported when driver and files are gone
 */
int igt_main()
{
	igt_fixture()
	{
		nv_gpu_open(&gpu, 0);
		igt_require_f(nv_is_pascal(&gpu), "needs a Pascal GPU\n");
		nv_require_pagemap();
		igt_install_exit_handler(reset_delay);
	}

	for (int i = 0; i < ARRAY_SIZE(subtests); i++) {
		igt_describe(subtests[i].describe);
		igt_subtest(subtests[i].name) subtests[i].tier(subtests[i].run);
	}

	igt_fixture()
	{
		nv_gpu_close(&gpu);
	}
}
