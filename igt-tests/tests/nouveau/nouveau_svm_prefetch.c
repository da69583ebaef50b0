// SPDX-License-Identifier: MIT
/**
 * TEST: nouveau SVM with shaders that prefetch
 * Category: Core
 * Mega feature: SVM
 * Sub-category: replayable faults
 * Description: A shader says that it will read memory, which the GPU has no mapping of, and stores
 * elsewhere. A hint may fault, as any access may, but nobody waits for it. Tier 3.
 */
#include <inttypes.h>

#include "igt.h"
#include "nouveau_drm.h"
#include "nouveau/nv_compute.h"
#include "nouveau/nv_device.h"
#include "nouveau/nv_model.h"
#include "nouveau/nv_svm.h"

IGT_TEST_DESCRIPTION("Prefetches of shaders that fault, with nouveau's SVM");

#define PAGES	   64
#define LEN	   (PAGES * NV_PAGE_SIZE)
#define PAGE_SHIFT 12
#define VALUE	   5
#define NOWHERE	   0x123456789000ul

static struct nv_gpu gpu;
static struct nv_svm svm;

/* Thread i hints at page i from @hint on, and stores to page i of other memory, which faults. */
static void hint_and_store(const void *hint)
{
	uint32_t *ptr = nv_alloc(LEN);
	const struct nv_kernel_args args = {
		.dst = (uintptr_t)ptr,
		.src = (uintptr_t)hint,
		.dst_shift = PAGE_SHIFT,
		.src_shift = PAGE_SHIFT,
		.value = VALUE,
	};
	struct nv_compute compute;

	nv_compute_create(&compute, svm.fd, gpu.chipset);
	nv_compute_run(&compute, &nv_kernel_hinted_fill, PAGES, &args);
	for (unsigned int i = 0; i < PAGES; i++)
		igt_assert_eq_u32(ptr[i * NV_PAGE_SIZE / sizeof(*ptr)], i + VALUE);
	nv_compute_destroy(&compute);
	munmap(ptr, LEN);
}

static void test_hint(void)
{
	uint32_t *src = nv_alloc(LEN);

	nv_fill(src, LEN, 1);
	hint_and_store(src);
	nv_check(src, LEN, 1);
	munmap(src, LEN);
}

/* No page of it is ever mapped, so that each hint faults, and at least one store. */
static void test_nowhere(void)
{
	struct nv_model_stats before, stats;
	uint64_t faults = 0;

	if (nv_model_present())
		nv_model_stats(&before);
	hint_and_store((void *)NOWHERE);
	if (!nv_model_present())
		return;
	nv_model_stats_since(&stats, &before);
	for (int i = 0; i < NV_MAX_GPUS; i++)
		faults += stats.faults[i];
	igt_assert_f(faults > PAGES, "%" PRIu64 " faults\n", faults);
}

/* Where the driver has its own mappings, and none just there. */
static void test_cutout(void)
{
	hint_and_store((char *)svm.cutout + svm.cutout_size - LEN);
}

static const struct {
	const char *name;
	void (*run)(void);
	const char *describe;
} subtests[] = {
	{ "prefetch-hint", test_hint, "A shader prefetches pages of its process" },
	{ "prefetch-hint-nowhere", test_nowhere, "Prefetches of what is not there do no harm" },
	{ "prefetch-hint-cutout", test_cutout,
	  "Prefetches of what is the driver's, and not mapped, do no harm" },
};

/**
 * SUBTEST: prefetch-hint
 * Description: A shader prefetches pages of its process
 *
 * SUBTEST: prefetch-hint-nowhere
 * Description: Prefetches of what is not there do no harm
 *
 * SUBTEST: prefetch-hint-cutout
 * Description: Prefetches of what is the driver's, and not mapped, do no harm
 */
int igt_main()
{
	igt_fixture()
	{
		nv_gpu_open(&gpu, 0);
		igt_require_f(nv_is_pascal(&gpu), "needs a Pascal GPU\n");
	}

	for (int i = 0; i < ARRAY_SIZE(subtests); i++) {
		igt_describe(subtests[i].describe);
		igt_subtest(subtests[i].name)
		{
			nv_svm_init(&svm, drm_reopen_driver(gpu.fd));
			subtests[i].run();
			nv_svm_fini(&svm);
		}
	}

	igt_fixture()
	{
		nv_gpu_close(&gpu);
	}
}
