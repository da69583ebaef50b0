// SPDX-License-Identifier: MIT
/**
 * TEST: nouveau SVM stress
 * Category: Core
 * Mega feature: SVM
 * Sub-category: coherence
 * Description: Threads count in the same pages, some by the CPU, some by shaders of each GPU, while
 * they move the pages about: not one addition may get lost. NV_STRESS_ROUNDS and NV_STRESS_SEED in
 * the environment ask for more, and for what a run before did.
 */
#include <pthread.h>

#include "igt.h"
#include "nouveau_drm.h"
#include "nouveau/nv_compute.h"
#include "nouveau/nv_device.h"
#include "nouveau/nv_svm.h"

IGT_TEST_DESCRIPTION("Counters that CPU and GPUs share with nouveau's SVM");

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

#define PAGES	    8		     /* that are in use */
#define BLOCK	    NV_COMPUTE_BLOCK /* words: what one addition is made to, by a warp or a loop */
#define PAGE_BLOCKS (NV_PAGE_SIZE / sizeof(uint32_t) / BLOCK)
#define CPU_THREADS 2
#define GPU_THREADS 2 /* for each GPU */
#define MAX_ACTORS  (CPU_THREADS + GPU_THREADS * NV_MAX_GPUS)

_Static_assert(1 + MAX_ACTORS < PAGE_BLOCKS,
	       "a page has a block for all, one for each, and some left");

static struct nv_gpu gpus[NV_MAX_GPUS];
static int nr_gpus;

/*
 * What all threads count in. Of each page that is used, block 0 is everybody's, block 1 + n of
 * thread n.
 */
static struct arena {
	uint32_t *words;
	size_t len;
	size_t stride; /* bytes from one page that is used to the next */
	bool huge;
	unsigned int rounds;
} arena;

static struct actor {
	pthread_t thread;
	int index;
	bool cpu;
	struct nv_svm svm;
	struct nv_compute compute; /* not of the CPU's threads */
	uint32_t random;
	uint32_t own[PAGES]; /* added to each word of its own block */
	uint32_t shared[PAGES],
		additions[PAGES]; /* to word i of everybody's: shared + i * additions */
	unsigned int collapsed;
	char error[128]; /* the first one; threads cannot assert */
} actors[MAX_ACTORS];
static int nr_actors;

static unsigned int from_environment(const char *name, unsigned int otherwise)
{
	const char *value = getenv(name);

	return value ? strtoul(value, NULL, 0) : otherwise;
}

static unsigned int random_below(struct actor *actor, unsigned int limit)
{
	actor->random = actor->random * 1664525 + 1013904223;

	return (actor->random >> 8) % limit;
}

static uint32_t *block(int page, int nr)
{
	return arena.words + page * arena.stride / sizeof(uint32_t) + nr * BLOCK;
}

static void fail(struct actor *actor, const char *what, int page, long value)
{
	snprintf(actor->error, sizeof(actor->error), "thread %d (%s), page %d: %s: %ld",
		 actor->index, actor->cpu ? "CPU" : "GPU", page, what, value);
}

static void run_kernel(struct actor *actor, const struct nv_kernel *kernel, int page, int nr,
		       uint32_t value)
{
	uint32_t *words = block(page, nr);
	const struct nv_kernel_args args = {
		.dst = (uintptr_t)words,
		.dst_shift = 2,
		.value = value,
	};
	int ret;

	nv_compute_grid(&actor->compute, kernel, BLOCK, &args);
	ret = __nv_chan_submit(&actor->compute.chan);
	if (!ret) /* all the others want the page, too */
		ret = __nv_chan_wait(&actor->compute.chan, 5 * NV_CHAN_WAIT_MS);
	if (ret)
		fail(actor, "a shader that adds", page, ret);
}

/* Word i of everybody's block becomes i + value more, atomically. */
static void add_shared(struct actor *actor, int page)
{
	const uint32_t value = random_below(actor, 1000);
	uint32_t *words = block(page, 0);

	actor->shared[page] += value;
	actor->additions[page]++;
	if (!actor->cpu)
		return run_kernel(actor, &nv_kernel_add, page, 0, value);
	for (uint32_t i = 0; i < BLOCK; i++)
		__atomic_fetch_add(&words[i], i + value, __ATOMIC_RELAXED);
}

/* The words of its own become value more: a load and a store, as nobody else is there. */
static void add_own(struct actor *actor, int page)
{
	const uint32_t value = random_below(actor, 1000), was = actor->own[page];
	volatile uint32_t *words = block(page, 1 + actor->index);

	actor->own[page] += value;
	if (!actor->cpu)
		return run_kernel(actor, &nv_kernel_increment, page, 1 + actor->index, value);
	for (int i = 0; i < BLOCK; i++) {
		if (words[i] != was)
			return fail(actor, "a word of its own is off", page, words[i] - was);
		words[i] += value;
	}
}

/* The page, or all of them, to the GPU's VRAM; to RAM, and to one huge page there, if it can be. */
static void move(struct actor *actor, int page)
{
	const bool all = random_below(actor, 2);
	const void *ptr = all ? arena.words : block(page, 0);
	const size_t len = all ? arena.len : NV_PAGE_SIZE;
	int ret;

	if (!actor->cpu)
		ret = __nv_svm_migrate(&actor->svm, ptr, len);
	else
		ret = __nv_svm_migrate_home(&actor->svm, ptr, len);
	if (ret)
		return fail(actor, "SVM_BIND", page, ret);
	if (actor->cpu && arena.huge)
		actor->collapsed += !madvise(arena.words, arena.len, MADV_COLLAPSE);
}

static void prefetch(struct actor *actor, int page)
{
	const int ret = __nv_svm_prefetch(&actor->svm, block(page, 0), NV_PAGE_SIZE);

	if (ret)
		fail(actor, "PREFETCH", page, ret);
}

static void *actor_main(void *arg)
{
	struct actor *actor = arg;

	for (int i = 0; i < arena.rounds && !*actor->error; i++) {
		const int page = random_below(actor, PAGES);

		switch (random_below(actor, 8)) {
		case 0 ... 2:
			add_shared(actor, page);
			break;
		case 3 ... 5:
			add_own(actor, page);
			break;
		case 6:
			move(actor, page);
			break;
		default:
			prefetch(actor, page);
			break;
		}
		if (actor->cpu)
			usleep(1000); /* the GPUs have their turn */
	}

	return NULL;
}

static void actor_create(int gpu, bool cpu, uint32_t seed)
{
	struct actor *actor = &actors[nr_actors];

	*actor = (struct actor){ .index = nr_actors, .cpu = cpu, .random = seed + nr_actors };
	nv_svm_init(&actor->svm, drm_reopen_driver(gpus[gpu].fd));
	if (!cpu)
		nv_compute_create(&actor->compute, actor->svm.fd, gpus[gpu].chipset);
	nr_actors++;
}

static void actor_destroy(struct actor *actor)
{
	if (!actor->cpu)
		nv_compute_destroy(&actor->compute);
	nv_svm_fini(&actor->svm);
}

static void arena_create(bool huge)
{
	arena = (struct arena){
		.huge = huge,
		.len = huge ? NV_HUGE_SIZE : PAGES * NV_PAGE_SIZE,
		.rounds = from_environment("NV_STRESS_ROUNDS", SLOW_QUICK(5000, 40)),
	};
	arena.stride = arena.len / PAGES;
	arena.words = huge ? nv_alloc_huge(arena.len) : nv_alloc(arena.len);
	memset(arena.words, 0, arena.len);
	igt_require_f(!huge || nv_is_huge_page(arena.words),
		      "got no huge page (see /sys/kernel/mm/transparent_hugepage/enabled)\n");
}

/* Word @i of block @nr of a page that is used. */
static uint32_t expected(int page, int nr, uint32_t i)
{
	uint32_t sum = 0;

	if (nr > nr_actors)
		return 0;
	if (nr)
		return actors[nr - 1].own[page];
	for (int a = 0; a < nr_actors; a++)
		sum += actors[a].shared[page] + i * actors[a].additions[page];

	return sum;
}

/* Every word: what was counted, and where nobody counts. */
static void arena_check(void)
{
	for (size_t word = 0; word < arena.len / sizeof(uint32_t); word++) {
		const size_t byte = word * sizeof(uint32_t), in_page = byte % arena.stride;
		const int page = byte / arena.stride, nr = in_page / (BLOCK * sizeof(uint32_t));
		const bool used = in_page < NV_PAGE_SIZE;
		const uint32_t want = used ? expected(page, nr, word % BLOCK) : 0;

		igt_assert_f(arena.words[word] == want,
			     "word %zu (page %d, block %d) is %u instead of %u\n", word, page,
			     used ? nr : -1, arena.words[word], want);
	}
}

static void test_shared_counters(bool huge)
{
	const uint32_t seed = from_environment("NV_STRESS_SEED", time(NULL));
	unsigned int collapsed = 0;

	igt_emit_ignore_dmesg_regex("cannot be used for peer-to-peer DMA|P2PDMA whitelist|"
				    "ACS redirect");
	nr_actors = 0;
	for (int i = 0; i < CPU_THREADS; i++)
		actor_create(i % nr_gpus, true, seed);
	nv_svm_require_prefetch(&actors[0].svm);
	nv_svm_require_target_cpu(&actors[0].svm);
	for (int i = 0; i < GPU_THREADS * nr_gpus; i++)
		actor_create(i % nr_gpus, false, seed);
	arena_create(huge);
	igt_info("seed %u: %u rounds of %d threads on %d GPUs and %d of the CPU\n", seed,
		 arena.rounds, GPU_THREADS * nr_gpus, nr_gpus, CPU_THREADS);

	for (int i = 0; i < nr_actors; i++)
		igt_assert_eq(pthread_create(&actors[i].thread, NULL, actor_main, &actors[i]), 0);
	for (int i = 0; i < nr_actors; i++) {
		pthread_join(actors[i].thread, NULL);
		collapsed += actors[i].collapsed;
	}
	for (int i = 0; i < nr_actors; i++)
		igt_assert_f(!*actors[i].error, "%s\n", actors[i].error);
	if (huge)
		igt_info("became a huge page again %u times\n", collapsed);
	arena_check();
	munmap(arena.words, arena.len);
	for (int i = 0; i < nr_actors; i++)
		actor_destroy(&actors[i]);
}

/**
 * SUBTEST: shared-counters
 * Description: CPU and GPUs count in the same small pages, and no addition gets lost
 *
 * SUBTEST: shared-counters-thp
 * Description: CPU and GPUs count in the same huge page, and no addition gets lost
 */
int igt_main()
{
	igt_fixture()
	{
		nr_gpus = nv_gpu_open_all(gpus);
		igt_require_f(nr_gpus, "needs a Pascal GPU driven by nouveau\n");
	}

	igt_describe("CPU and GPUs count in the same small pages, and no addition gets lost");
	igt_subtest("shared-counters") test_shared_counters(false);

	igt_describe("CPU and GPUs count in the same huge page, and no addition gets lost");
	igt_subtest("shared-counters-thp") test_shared_counters(true);

	igt_fixture()
	{
		for (int i = 0; i < nr_gpus; i++)
			nv_gpu_close(&gpus[i]);
	}
}
