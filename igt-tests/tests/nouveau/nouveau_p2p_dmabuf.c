// SPDX-License-Identifier: MIT
/**
 * TEST: nouveau dma-buf between two GPUs
 * Category: Core
 * Mega feature: PRIME
 * Sub-category: peer-to-peer
 * Description: A buffer in the VRAM of one GPU (the exporter) is used by another (the importer) as
 * a dma-buf. nouveau offers no peer-to-peer there: it pins the buffer in RAM for as long as
 * somebody imports it, so each byte crosses the link of the exporter, and then that of the
 * importer. That is measured here, on any kernel, as what SVM between GPUs is to be compared with.
 * Every subtest has one dynamic subtest for each ordered pair of GPUs: gpu<exporter>-gpu<importer>.
 */
#include "igt.h"
#include "nouveau_drm.h"
#include "nouveau/nv_ce.h"
#include "nouveau/nv_chan.h"
#include "nouveau/nv_device.h"
#include "nouveau/nv_model.h"
#include "nouveau/nv_svm.h"
#include "nouveau/nv_worker.h"

IGT_TEST_DESCRIPTION("One GPU uses a buffer of another as a dma-buf with nouveau");

#define LEN	    (1ul << 20)
#define PATIENCE_NS 10000000000ull /* with what a driver does at a time of its own */

static struct nv_gpu gpus[NV_MAX_GPUS];
static int nr_gpus;

/* A GPU with a copy engine, a buffer in its VRAM, and one in RAM to look at that from. No SVM. */
struct user {
	int fd;
	struct nv_chan chan;
	struct nv_bo vram;
	struct nv_bo ram;
};

struct pair {
	struct nv_gpu *exporter_gpu;
	struct nv_gpu *importer_gpu;
	struct user exporter;
	struct user importer;
	struct nv_bo bo;       /* of the exporter, in VRAM if it may */
	struct nv_bo imported; /* the same as the importer sees it; the CPU does not */
	int dmabuf;
};

static void user_create(struct user *user, const struct nv_gpu *gpu)
{
	user->fd = drm_reopen_driver(gpu->fd);
	nv_chan_create(&user->chan, user->fd, NOUVEAU_FIFO_ENGINE_CE);
	nv_ce_init(&user->chan, gpu->chipset);
	nv_bo_create(&user->vram, user->fd, LEN, NOUVEAU_GEM_DOMAIN_VRAM);
	nv_bo_create(&user->ram, user->fd, LEN,
		     NOUVEAU_GEM_DOMAIN_GART | NOUVEAU_GEM_DOMAIN_COHERENT);
	nv_chan_attach(&user->chan, &user->vram);
	nv_chan_attach(&user->chan, &user->ram);
}

static void user_destroy(struct user *user)
{
	nv_chan_destroy(&user->chan);
	nv_bo_destroy(&user->ram);
	nv_bo_destroy(&user->vram);
	drm_close_driver(user->fd);
}

/* Lets go of a GPU whose driver went away: its files answer no ioctl any more. */
static void user_abandon(struct user *user)
{
	struct nv_bo *bos[] = { &user->vram, &user->ram, &user->chan.push, &user->chan.sem };

	for (int i = 0; i < ARRAY_SIZE(bos); i++)
		nv_bo_unmap(bos[i]);
	drm_close_driver(user->fd);
}

static void copy(struct user *user, const struct nv_bo *dst, const struct nv_bo *src)
{
	nv_ce_copy(&user->chan, dst->va, src->va, LEN);
	nv_chan_run(&user->chan);
}

/* Puts the pattern of @seed into the user's VRAM. */
static void fill(struct user *user, uint32_t seed)
{
	nv_fill(user->ram.map, LEN, seed);
	copy(user, &user->vram, &user->ram);
}

/* Asserts that the user's VRAM holds the pattern of @seed. */
static void check(struct user *user, uint32_t seed)
{
	copy(user, &user->ram, &user->vram);
	nv_check(user->ram.map, LEN, seed);
}

static struct drm_nouveau_gem_info info(const struct nv_bo *bo)
{
	struct drm_nouveau_gem_info info = { .handle = bo->handle };

	do_ioctl(bo->fd, DRM_IOCTL_NOUVEAU_GEM_INFO, &info);

	return info;
}

/* Where a buffer is that may be in either place. */
static void assert_in(const struct nv_bo *bo, uint32_t domain)
{
	igt_assert_eq_u32(info(bo).domain, domain);
}

/* What copy engines of all GPUs moved since then. */
static void meter_start(struct nv_model_stats *before)
{
	if (nv_model_present())
		nv_model_stats(before);
}

static void meter_assert(const struct nv_model_stats *before, uint64_t ram_write, uint64_t ram_read)
{
	struct nv_model_stats moved;

	if (!nv_model_present())
		return;
	nv_model_stats_since(&moved, before);
	igt_assert_eq_u64(moved.ce.system_write, ram_write);
	igt_assert_eq_u64(moved.ce.system_read, ram_read);
	igt_assert_eq_u64(moved.ce.peer_read + moved.ce.peer_write, 0);
}

/* A buffer in the exporter's VRAM, with the pattern of @seed, and its dma-buf. */
static void export(struct pair *pair, uint32_t seed)
{
	struct user *exporter = &pair->exporter;

	nv_bo_create(&pair->bo, exporter->fd, LEN,
		     NOUVEAU_GEM_DOMAIN_VRAM | NOUVEAU_GEM_DOMAIN_GART);
	nv_chan_attach(&exporter->chan, &pair->bo);
	fill(exporter, seed);
	copy(exporter, &pair->bo, &exporter->vram);
	igt_assert_eq(nv_bo_wait(&pair->bo), 0);
	igt_assert_eq(drmPrimeHandleToFD(exporter->fd, pair->bo.handle, 0, &pair->dmabuf), 0);
	assert_in(&pair->bo, NOUVEAU_GEM_DOMAIN_VRAM);
}

static void import(struct pair *pair)
{
	struct nv_bo *imported = &pair->imported;
	const int fd = pair->importer.fd;

	*imported = (struct nv_bo){ .fd = fd, .size = LEN, .domain = NOUVEAU_GEM_DOMAIN_GART };
	igt_assert_eq(drmPrimeFDToHandle(fd, pair->dmabuf, &imported->handle), 0);
	imported->va = info(imported).offset;
	nv_chan_attach(&pair->importer.chan, imported);
}

/* Undone in the order of a stack, as nothing was attached to the importer's channel since. */
static void forget(struct pair *pair)
{
	struct drm_gem_close gem_close = { .handle = pair->imported.handle };

	igt_assert_eq(nv_bo_wait(&pair->imported), 0);
	pair->importer.chan.nr_bos--;
	do_ioctl(pair->importer.fd, DRM_IOCTL_GEM_CLOSE, &gem_close);
}

/* To import it is what brings a buffer to RAM, once. */
static void test_attach(struct pair *pair)
{
	struct nv_model_stats before;

	export(pair, 1);
	meter_start(&before);
	import(pair);
	assert_in(&pair->bo, NOUVEAU_GEM_DOMAIN_GART);
	meter_assert(&before, LEN, 0);
	nv_check(pair->bo.map, LEN, 1);
}

static void test_read(struct pair *pair)
{
	struct nv_model_stats before;

	export(pair, 1);
	import(pair);
	meter_start(&before);
	copy(&pair->importer, &pair->importer.vram, &pair->imported);
	meter_assert(&before, 0, LEN);
	check(&pair->importer, 1);
	assert_in(&pair->bo, NOUVEAU_GEM_DOMAIN_GART);
}

/* What the importer writes the exporter reads, and the CPU: in RAM. */
static void test_write(struct pair *pair)
{
	struct nv_model_stats before;

	export(pair, 1);
	import(pair);
	fill(&pair->importer, 2);
	meter_start(&before);
	copy(&pair->importer, &pair->imported, &pair->importer.vram);
	meter_assert(&before, LEN, 0);
	nv_check(pair->bo.map, LEN, 2);
	meter_start(&before);
	copy(&pair->exporter, &pair->exporter.vram, &pair->bo);
	meter_assert(&before, 0, LEN);
	check(&pair->exporter, 2);
	assert_in(&pair->bo, NOUVEAU_GEM_DOMAIN_GART);
}

/*
 * The buffer does not come back by itself; when the exporter asks for it in VRAM, it does, once the
 * importer's driver has let go of it. It does so in a work of its own, and whoever asks too early
 * is refused.
 */
static void return_to_vram(struct pair *pair, uint32_t seed)
{
	struct user *exporter = &pair->exporter;
	struct nv_model_stats before;
	struct timespec start = {};
	int ret;

	assert_in(&pair->bo, NOUVEAU_GEM_DOMAIN_GART);
	pair->bo.domain = NOUVEAU_GEM_DOMAIN_VRAM;
	meter_start(&before);
	igt_emit_ignore_dmesg_regex("fail ttm_validate|validating bo list|validate: -22");
	nv_ce_copy(&exporter->chan, exporter->vram.va, pair->bo.va, LEN);
	while ((ret = __nv_chan_run(&exporter->chan)) == -EINVAL &&
	       igt_nsec_elapsed(&start) < PATIENCE_NS)
		usleep(10000);
	igt_assert_eq(ret, 0);
	meter_assert(&before, 0, LEN);
	assert_in(&pair->bo, NOUVEAU_GEM_DOMAIN_VRAM);
	check(&pair->exporter, seed);
}

static void test_return(struct pair *pair)
{
	export(pair, 1);
	import(pair);
	copy(&pair->importer, &pair->importer.vram, &pair->imported);
	check(&pair->importer, 1);
	forget(pair);
	return_to_vram(pair, 1);
}

/* The same bytes get from VRAM to VRAM, as a dma-buf and as pages of SVM. */
static void test_beside_svm(struct pair *pair)
{
	uint32_t *ptr = nv_alloc(LEN);
	struct nv_worker owner, importer;
	struct nv_model_stats before, svm;

	nv_model_require();
	nv_worker_create(&owner, pair->exporter_gpu);
	nv_worker_create(&importer, pair->importer_gpu);
	nv_svm_require_prefetch(&importer.svm);
	igt_emit_ignore_dmesg_regex("cannot be used for peer-to-peer DMA|P2PDMA whitelist|"
				    "ACS redirect");
	nv_fill(ptr, LEN, 2);
	nv_svm_migrate(&owner.svm, ptr, LEN);
	nv_assert_private(ptr, LEN);
	nv_svm_prefetch(&importer.svm, ptr, LEN);
	igt_require_f(nv_private_pages(ptr, LEN),
		      "no peer-to-peer between these GPUs: SVM goes by way of RAM, too "
		      "(see topology of nouveau_svm_p2p)\n");
	nv_assert_private(ptr, LEN);

	export(pair, 1);
	meter_start(&before);
	import(pair);
	copy(&pair->importer, &pair->importer.vram, &pair->imported);
	meter_assert(&before, LEN, LEN);
	check(&pair->importer, 1);

	nv_model_stats(&before);
	nv_worker_read(&importer, ptr, LEN);
	nv_model_stats_since(&svm, &before);
	igt_assert_eq_u64(svm.ce.peer_read, LEN);
	igt_assert_eq_u64(svm.ce.peer_write, 0);
	igt_assert_eq_u64(svm.ce.system_read + svm.ce.system_write, 0);
	nv_worker_check(&importer, LEN, 2);
	igt_info("%lu KiB from VRAM to VRAM: as a dma-buf %lu KiB to RAM and %lu KiB from there, "
		 "with SVM %lu KiB from GPU to GPU\n",
		 LEN >> 10, LEN >> 10, LEN >> 10, LEN >> 10);
	nv_worker_destroy(&importer);
	nv_worker_destroy(&owner);
	munmap(ptr, LEN);
}

/* The importer's reference keeps the buffer. */
static void test_exporter_close(struct pair *pair)
{
	export(pair, 1);
	import(pair);
	close(pair->dmabuf);
	nv_bo_destroy(&pair->bo);
	user_destroy(&pair->exporter);
	copy(&pair->importer, &pair->importer.vram, &pair->imported);
	check(&pair->importer, 1);
	fill(&pair->importer, 2);
	copy(&pair->importer, &pair->imported, &pair->importer.vram);
	fill(&pair->importer, 3);
	copy(&pair->importer, &pair->importer.vram, &pair->imported);
	check(&pair->importer, 2);

	user_create(&pair->exporter, pair->exporter_gpu);
	export(pair, 4);
}

/*
 * The exporter's driver goes, and comes back, while the importer uses the buffer, which is in RAM.
 */
static void test_exporter_unbind(struct pair *pair)
{
	export(pair, 1);
	import(pair);
	nv_driver_unbind(pair->exporter_gpu);
	copy(&pair->importer, &pair->importer.vram, &pair->imported);
	check(&pair->importer, 1);
	nv_gpu_rebind(pair->exporter_gpu);
	fill(&pair->importer, 2);
	copy(&pair->importer, &pair->imported, &pair->importer.vram);
	fill(&pair->importer, 3);
	copy(&pair->importer, &pair->importer.vram, &pair->imported);
	check(&pair->importer, 2);
	forget(pair);
	close(pair->dmabuf);
	nv_bo_unmap(&pair->bo);
	user_abandon(&pair->exporter);

	user_create(&pair->exporter, pair->exporter_gpu);
	export(pair, 3);
	import(pair);
	copy(&pair->importer, &pair->importer.vram, &pair->imported);
	check(&pair->importer, 3);
}

/* The importer's driver goes; a mapping of its file keeps the buffer in RAM until it is gone. */
static void test_importer_unbind(struct pair *pair)
{
	void *map;

	export(pair, 1);
	import(pair);
	copy(&pair->importer, &pair->importer.vram, &pair->imported);
	map = mmap(NULL, LEN, PROT_READ, MAP_SHARED, pair->importer.fd,
		   info(&pair->imported).map_handle);
	igt_assert(map != MAP_FAILED);
	nv_driver_unbind(pair->importer_gpu);
	copy(&pair->exporter, &pair->exporter.vram, &pair->bo);
	check(&pair->exporter, 1);
	user_abandon(&pair->importer);
	munmap(map, LEN);
	return_to_vram(pair, 1);

	nv_gpu_rebind(pair->importer_gpu);
	user_create(&pair->importer, pair->importer_gpu);
	import(pair);
	copy(&pair->importer, &pair->importer.vram, &pair->imported);
	check(&pair->importer, 1);
}

static const struct subtest {
	const char *name;
	void (*run)(struct pair *pair);
	const char *describe;
} subtests[] = {
	{ "export-vram-attach", test_attach,
	  "A buffer moves to RAM, and stays there, when another GPU imports it" },
	{ "read", test_read, "The importer reads the buffer in RAM" },
	{ "write", test_write,
	  "The importer writes the buffer in RAM, where the exporter reads it" },
	{ "return", test_return, "A buffer that nobody imports any more may be in VRAM again" },
	{ "beside-svm", test_beside_svm,
	  "What crosses the bus twice as a dma-buf crosses it once as pages of SVM" },
	{ "exporter-close", test_exporter_close,
	  "The importer uses the buffer when the exporter's file is closed" },
	{ "exporter-unbind", test_exporter_unbind,
	  "The importer uses the buffer when the exporter's driver is gone" },
	{ "importer-unbind", test_importer_unbind,
	  "The exporter uses the buffer when the importer's driver is gone" },
};

static void run(const struct subtest *subtest, struct nv_gpu *exporter, struct nv_gpu *importer)
{
	struct pair pair = { .exporter_gpu = exporter, .importer_gpu = importer };

	user_create(&pair.exporter, exporter);
	user_create(&pair.importer, importer);
	subtest->run(&pair);
	close(pair.dmabuf);
	user_destroy(&pair.importer); /* and with its file what it imported */
	nv_bo_destroy(&pair.bo);
	user_destroy(&pair.exporter);
}

/**
 * SUBTEST: export-vram-attach
 * Description: A buffer moves to RAM, and stays there, when another GPU imports it
 *
 * SUBTEST: read
 * Description: The importer reads the buffer in RAM
 *
 * SUBTEST: write
 * Description: The importer writes the buffer in RAM, where the exporter reads it
 *
 * SUBTEST: return
 * Description: A buffer that nobody imports any more may be in VRAM again
 *
 * SUBTEST: beside-svm
 * Description: What crosses the bus twice as a dma-buf crosses it once as pages of SVM
 *
 * SUBTEST: exporter-close
 * Description: The importer uses the buffer when the exporter's file is closed
 *
 * SUBTEST: exporter-unbind
 * Description: The importer uses the buffer when the exporter's driver is gone
 *
 * SUBTEST: importer-unbind
 * Description: The exporter uses the buffer when the importer's driver is gone
 */
int igt_main()
{
	igt_fixture()
	{
		nr_gpus = nv_gpu_open_all(gpus);
		igt_require_f(nr_gpus >= 2, "needs two Pascal GPUs driven by nouveau, found %d\n",
			      nr_gpus);
	}

	for (int i = 0; i < ARRAY_SIZE(subtests); i++) {
		igt_describe(subtests[i].describe);
		igt_subtest_with_dynamic(subtests[i].name)
		{
			for (int exporter = 0; exporter < nr_gpus; exporter++) {
				for (int importer = 0; importer < nr_gpus; importer++) {
					if (exporter == importer)
						continue;
					igt_dynamic_f("gpu%d-gpu%d", exporter, importer)
						run(&subtests[i], &gpus[exporter], &gpus[importer]);
				}
			}
		}
	}

	igt_fixture()
	{
		for (int i = 0; i < nr_gpus; i++)
			nv_gpu_close(&gpus[i]);
	}
}
