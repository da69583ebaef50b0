// SPDX-License-Identifier: MIT
/**
 * TEST: nouveau SVM between two GPUs
 * Category: Core
 * Mega feature: SVM
 * Sub-category: peer-to-peer
 * Description: One GPU (the importer) uses pages that are in the VRAM of another (the owner), by
 * PCIe peer-to-peer where the machine allows it, by way of RAM where not. Every subtest has one
 * dynamic subtest for each ordered pair of GPUs: gpu<owner>-gpu<importer>.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>

#include "igt.h"
#include "nouveau_drm.h"
#include "nouveau/nv_ce.h"
#include "nouveau/nv_chan.h"
#include "nouveau/nv_compute.h"
#include "nouveau/nv_device.h"
#include "nouveau/nv_model.h"
#include "nouveau/nv_survivor.h"
#include "nouveau/nv_svm.h"
#include "nouveau/nv_worker.h"

IGT_TEST_DESCRIPTION("One GPU uses pages in the VRAM of another with nouveau's SVM");

#define KiB 1024ul
#define MiB (1024 * KiB)
#define TiB (1024 * 1024 * MiB)

#define WORD_SHIFT    2
#define SHADER_RESULT (NV_COMPUTE_BLOCK * sizeof(uint32_t))

static struct nv_gpu gpus[NV_MAX_GPUS];
static int nr_gpus;
static int p2p_param; /* as it was before the test */

struct pair {
	struct nv_gpu *owner_gpu;
	struct nv_gpu *importer_gpu;
	struct nv_worker owner;
	struct nv_worker importer;
};

/* What must not change, or by how much, while the importer works. */
struct meter {
	const void *ptr;
	size_t len;
	uint64_t *places;
	bool has_counters;
	struct nv_counters counters, importer_counters;
	bool has_model;
	struct nv_model_stats stats;
};

static void meter_start(struct meter *meter, const struct pair *pair, const void *ptr, size_t len)
{
	*meter = (struct meter){ .ptr = ptr, .len = len };
	meter->places = calloc(len / NV_PAGE_SIZE, sizeof(*meter->places));
	igt_assert(meter->places);
	nv_pagemap_read(ptr, len, meter->places);
	meter->has_counters = nv_counters_read(pair->owner_gpu, &meter->counters);
	meter->has_model = nv_model_present();
	if (meter->has_model)
		nv_model_stats(&meter->stats);
}

/* Asserts that the pages stayed, and that the payload went from GPU to GPU and nowhere else. */
static void meter_assert_direct(struct meter *meter, const struct pair *pair, uint64_t peer_read,
				uint64_t peer_write)
{
	const size_t size = meter->len / NV_PAGE_SIZE * sizeof(*meter->places);
	uint64_t *places = malloc(size);
	struct nv_model_stats moved;
	struct nv_counters counters;

	igt_assert(places);
	if (meter->has_model) {
		nv_model_stats_since(&moved, &meter->stats);
		igt_assert_eq_u64(moved.ce.system_read, 0);
		igt_assert_eq_u64(moved.ce.system_write, 0);
		/* a shader may say in RAM what came of it */
		igt_assert_eq_u64(moved.gr.system_read, 0);
		igt_assert(moved.gr.system_write <= SHADER_RESULT);
		igt_assert_eq_u64(moved.ce.peer_read + moved.gr.peer_read, peer_read);
		igt_assert_eq_u64(moved.ce.peer_write + moved.gr.peer_write, peer_write);
	}
	if (meter->has_counters) {
		nv_counters_read(pair->owner_gpu, &counters);
		igt_assert_eq_u64(counters.migrated_to_ram, meter->counters.migrated_to_ram);
	}
	nv_pagemap_read(meter->ptr, meter->len, places);
	igt_assert_f(!memcmp(places, meter->places, size), "pages moved\n");
	free(places);
	free(meter->places);
}

static void pair_create(struct pair *pair, struct nv_gpu *owner, struct nv_gpu *importer)
{
	pair->owner_gpu = owner;
	pair->importer_gpu = importer;
	nv_worker_create(&pair->owner, owner);
	nv_worker_create(&pair->importer, importer);
}

static void pair_destroy(struct pair *pair)
{
	nv_worker_destroy(&pair->importer);
	nv_worker_destroy(&pair->owner);
}

/* Puts the pattern of @seed into the owner's VRAM. */
static void give_to_owner(struct pair *pair, void *ptr, size_t len, uint32_t seed)
{
	nv_fill(ptr, len, seed);
	nv_svm_migrate(&pair->owner.svm, ptr, len);
	nv_assert_private(ptr, len);
}

static void importer_maps(struct pair *pair, const void *ptr, size_t len)
{
	igt_assert_eq_u64(nv_svm_prefetch(&pair->importer.svm, ptr, len), len / NV_PAGE_SIZE);
}

/* One page is the measure: does it stay in the owner's VRAM when the importer maps it? */
static bool has_p2p(struct pair *pair)
{
	uint32_t *ptr = nv_alloc(NV_PAGE_SIZE);
	bool stays;

	/*
	 * The kernel warns, once a pair, of a route that it does not trust, and of one that is
	 * longer.
	 */
	igt_emit_ignore_dmesg_regex("cannot be used for peer-to-peer DMA|P2PDMA whitelist|"
				    "ACS redirect");
	give_to_owner(pair, ptr, NV_PAGE_SIZE, 1);
	importer_maps(pair, ptr, NV_PAGE_SIZE);
	stays = nv_private_pages(ptr, NV_PAGE_SIZE);
	nv_check(ptr, NV_PAGE_SIZE, 1);
	munmap(ptr, NV_PAGE_SIZE);

	return stays;
}

static void require_p2p(struct pair *pair)
{
	enum nv_route route = nv_route(pair->owner_gpu, pair->importer_gpu);
	char why[256] = "this driver does not say why";
	bool p2p;

	nv_svm_require_prefetch(&pair->importer.svm);
	p2p = has_p2p(pair);
	if (!p2p)
		nv_p2p_peer(pair->owner_gpu, pair->importer_gpu, why, sizeof(why));
	igt_require_f(p2p,
		      "%s and %s are connected by %s (%s), and the kernel has no peer-to-peer "
		      "path there (%s): pages go by way of RAM, as peer-no-p2p-fallback checks\n",
		      pair->owner_gpu->slot, pair->importer_gpu->slot, nv_route_text(route),
		      nv_route_name(route), why);
}

/* Routes and what the kernel makes of them */

/* A switch that does not redirect carries requests across, before they come to an IOMMU. */
static bool crosses_switch(const struct pair *pair)
{
	return nv_route(pair->owner_gpu, pair->importer_gpu) == NV_ROUTE_PIX &&
	       !nv_acs_redirects(pair->owner_gpu, pair->importer_gpu);
}

static const char *peer_form(const struct pair *pair)
{
	if (crosses_switch(pair))
		return "peer-to-peer, across the switch, by bus address";
	if (nv_iommu_translates(pair->importer_gpu))
		return "peer-to-peer, through the host bridge, by I/O virtual address";
	return "peer-to-peer, through the host bridge, by physical address";
}

static void test_topology(struct pair *pair)
{
	enum nv_route route = nv_route(pair->owner_gpu, pair->importer_gpu);
	bool prefetch = nv_svm_has_prefetch(&pair->importer.svm);
	char text[256];
	bool p2p;

	p2p = prefetch && has_p2p(pair);

	igt_info("owner    %s\nimporter %s\n", pair->owner_gpu->path, pair->importer_gpu->path);
	igt_info("route    %s: %s\n", nv_route_name(route), nv_route_text(route));
	igt_info("IOMMU    %s\n", nv_iommu_type(pair->importer_gpu));
	igt_info("access   %s\n", p2p	     ? peer_form(pair)
				  : prefetch ? "by way of RAM"
					     : "by way of RAM (no PREFETCH in this kernel)");
	if (nv_p2p_peer(pair->owner_gpu, pair->importer_gpu, text, sizeof(text)))
		igt_info("driver   %s\n", text);
}

/*
 * The kernel lets peers below a common switch reach each other, unless the switch redirects peer
 * traffic upwards (ACS); the other routes are up to its list of host bridges.
 */
static void test_p2p_below_switch(struct pair *pair)
{
	enum nv_route route = nv_route(pair->owner_gpu, pair->importer_gpu);

	nv_svm_require_prefetch(&pair->importer.svm);
	igt_require_f(route == NV_ROUTE_PIX, "the GPUs have %s\n", nv_route_text(route));
	igt_require_f(!nv_acs_redirects(pair->owner_gpu, pair->importer_gpu),
		      "ACS redirects peer traffic (see pci=disable_acs_redir)\n");
	igt_require_f(nv_p2p_param_get() != 0, "switched off by nouveau.svm_p2p\n");
	igt_assert(has_p2p(pair));
}

/* The route is measured, not only read from the PCI tree. */
static void test_iommu_route(struct pair *pair)
{
	const size_t len = 64 * KiB;
	uint32_t *ptr = nv_alloc(len);
	struct nv_model_stats before, moved;

	nv_model_require();
	igt_require_f(nv_iommu_translates(pair->importer_gpu),
		      "no IOMMU translates (%s), so all routes look alike\n",
		      nv_iommu_type(pair->importer_gpu));
	require_p2p(pair);
	igt_info("%s\n", peer_form(pair));
	give_to_owner(pair, ptr, len, 1);
	importer_maps(pair, ptr, len);
	nv_model_stats(&before);
	nv_worker_read(&pair->importer, ptr, len);
	nv_worker_check(&pair->importer, len, 1);
	nv_worker_fill(&pair->importer, len, 2);
	nv_worker_write(&pair->importer, ptr, len);
	nv_model_stats_since(&moved, &before);
	igt_assert_eq_u64(moved.ce.peer_read, len);
	igt_assert_eq_u64(moved.ce.peer_write, len);
	igt_assert_eq_u64(moved.across, crosses_switch(pair) ? 2 * len : 0);
	nv_check(ptr, len, 2);
	munmap(ptr, len);
}

/* What debugfs says is what happens. */
static void test_p2p_reasons(struct pair *pair)
{
	char text[256];
	bool p2p;

	nv_svm_require_prefetch(&pair->importer.svm);
	p2p = has_p2p(pair);
	igt_require_f(nv_p2p_peer(pair->owner_gpu, pair->importer_gpu, text, sizeof(text)),
		      "this kernel has no debugfs file p2p\n");
	igt_info("%s\n", text);
	if (!p2p)
		igt_assert_f(!strncmp(text, "none, ", 6), "pages bounce, but not in debugfs\n");
	else if (crosses_switch(pair))
		igt_assert_f(!strcmp(text, "bus address"), "the switch is not used\n");
	else
		igt_assert_f(!strcmp(text, "host bridge"), "the host bridge is not used\n");

	igt_require_f(p2p_param >= 0, "no nouveau.svm_p2p\n");
	nv_p2p_param_set(false);
	nv_p2p_peer(pair->owner_gpu, pair->importer_gpu, text, sizeof(text));
	igt_assert_f(!strncmp(text, "none, ", 6) && strstr(text, "svm_p2p"),
		     "'%s' does not name the switch\n", text);
	igt_assert(!has_p2p(pair));
	nv_p2p_param_set(p2p_param);
}

/* What a program has to do where there is no peer-to-peer: RAM is always a way. */
static void test_bounce(struct pair *pair)
{
	const size_t len = 64 * KiB;
	uint32_t *ptr = nv_alloc(len);
	struct nv_model_stats before, moved;

	give_to_owner(pair, ptr, len, 1);
	if (nv_model_present())
		nv_model_stats(&before);
	for (size_t i = 0; i < len / sizeof(*ptr); i += NV_PAGE_SIZE / sizeof(*ptr))
		*(volatile uint32_t *)&ptr[i];
	nv_assert_ram(ptr, len);
	nv_svm_migrate(&pair->importer.svm, ptr, len);
	nv_assert_private(ptr, len);
	if (nv_model_present()) {
		nv_model_stats_since(&moved, &before);
		igt_assert_eq_u64(moved.ce.system_write, len);
		igt_assert_eq_u64(moved.ce.system_read, len);
		igt_assert_eq_u64(moved.ce.peer_read + moved.ce.peer_write, 0);
	}
	nv_check(ptr, len, 1);
	munmap(ptr, len);
}

/* Whether SVM_BIND moves pages from one VRAM to the other is the kernel's choice. */
static void test_migrate(struct pair *pair)
{
	const size_t len = 64 * KiB;
	uint32_t *ptr = nv_alloc(len);
	uint64_t before[16], after[16], moved;

	give_to_owner(pair, ptr, len, 1);
	nv_pagemap_read(ptr, len, before);
	moved = nv_svm_migrate(&pair->importer.svm, ptr, len);
	nv_pagemap_read(ptr, len, after);
	/* Each tells of one kernel: the pages by number, or how many moved. */
	igt_info("pages %s\n", moved || memcmp(before, after, sizeof(before)) ? "moved" : "stayed");
	nv_assert_private(ptr, len);
	nv_check(ptr, len, 1);
	munmap(ptr, len);
}

/* Out of the owner's VRAM by SVM_BIND */

static void migrate_start(struct meter *meter, const struct pair *pair, const void *ptr, size_t len)
{
	meter_start(meter, pair, ptr, len);
	if (!nv_counters_read(pair->importer_gpu, &meter->importer_counters))
		meter->has_counters = false;
}

/*
 * Asserts that @direct pages went straight from GPU to GPU, @ram by way of RAM or from there, and
 * that nothing else was copied.
 */
static void migrate_assert(struct meter *meter, const struct pair *pair, uint64_t direct,
			   uint64_t ram_write, uint64_t ram_read)
{
	struct nv_counters owner, importer;
	struct nv_model_stats moved;

	if (meter->has_model) {
		nv_model_stats_since(&moved, &meter->stats);
		igt_assert_eq_u64(moved.ce.peer_read + moved.ce.peer_write, direct * NV_PAGE_SIZE);
		igt_assert_eq_u64(moved.ce.system_write, ram_write * NV_PAGE_SIZE);
		igt_assert_eq_u64(moved.ce.system_read, ram_read * NV_PAGE_SIZE);
	}
	if (meter->has_counters) {
		nv_counters_read(pair->owner_gpu, &owner);
		nv_counters_read(pair->importer_gpu, &importer);
		igt_assert_eq_u64(importer.migrated_from_peer -
					  meter->importer_counters.migrated_from_peer,
				  direct);
		igt_assert_eq_u64(owner.migrated_to_ram - meter->counters.migrated_to_ram,
				  ram_write);
	}
	free(meter->places);
}

enum place {
	OWNERS_VRAM,
	IMPORTERS_VRAM
};

/*
 * Asserts whose VRAM all pages are in, and brings them to RAM for it: with a page of the owner the
 * importer, which has mapped all of them, loses a mapping of a peer's, with one of its own not.
 */
static void assert_place(struct pair *pair, const char *ptr, size_t len, enum place place)
{
	const uint64_t peers = place == OWNERS_VRAM ? len / NV_PAGE_SIZE : 0;
	struct nv_counters before, after;
	bool has_counters;

	importer_maps(pair, ptr, len);
	nv_assert_private(ptr, len);
	has_counters = nv_counters_read(pair->importer_gpu, &before);
	for (size_t i = 0; i < len; i += NV_PAGE_SIZE)
		*(const volatile char *)&ptr[i];
	nv_assert_ram(ptr, len);
	if (!has_counters)
		return;
	nv_counters_read(pair->importer_gpu, &after);
	igt_assert_eq_u64(before.peer_mappings - after.peer_mappings, peers);
}

/* Asserts that the importer reads @seed there without a byte on the way to the other GPU. */
static void assert_importer_has(struct pair *pair, const char *ptr, size_t len, uint32_t seed)
{
	struct nv_model_stats before, moved;

	nv_assert_private(ptr, len);
	if (nv_model_present())
		nv_model_stats(&before);
	importer_maps(pair, ptr, len);
	nv_worker_read(&pair->importer, ptr, len);
	if (nv_model_present()) {
		nv_model_stats_since(&moved, &before);
		igt_assert_eq_u64(moved.ce.peer_read + moved.ce.peer_write, 0);
		igt_assert_eq_u64(moved.ce.system_read + moved.ce.system_write, 0);
	}
	nv_worker_check(&pair->importer, len, seed);
	assert_place(pair, ptr, len, IMPORTERS_VRAM);
	nv_check(ptr, len, seed);
}

static void migrate_direct(struct pair *pair, char *ptr, size_t len)
{
	const size_t pages = len / NV_PAGE_SIZE;
	struct meter meter;

	require_p2p(pair);
	give_to_owner(pair, ptr, len, 1);
	migrate_start(&meter, pair, ptr, len);
	igt_assert_eq_u64(nv_svm_migrate(&pair->importer.svm, ptr, len), pages);
	migrate_assert(&meter, pair, pages, 0, 0);
	igt_assert_eq_u64(nv_svm_migrate(&pair->importer.svm, ptr, len), 0);
	assert_importer_has(pair, ptr, len, 1);
	munmap(ptr, len);
}

static void test_migrate_direct(struct pair *pair, size_t len)
{
	migrate_direct(pair, (char *)nv_alloc(len), len);
}

static void test_migrate_direct_thp(struct pair *pair)
{
	char *ptr = (char *)nv_alloc_huge(NV_HUGE_SIZE);

	*ptr = 1;
	igt_require_f(nv_is_huge_page(ptr),
		      "got no huge page (see transparent_hugepage/enabled)\n");
	migrate_direct(pair, ptr, NV_HUGE_SIZE);
}

/* A part of the owner's huge page, which is not its beginning; the rest stays. */
static void test_migrate_direct_thp_part(struct pair *pair)
{
	const size_t part = 64 * KiB, pages = part / NV_PAGE_SIZE;
	char *ptr = (char *)nv_alloc_huge(NV_HUGE_SIZE);
	struct meter meter;

	require_p2p(pair);
	*ptr = 1;
	igt_require_f(nv_is_huge_page(ptr),
		      "got no huge page (see transparent_hugepage/enabled)\n");
	give_to_owner(pair, ptr, NV_HUGE_SIZE, 1);
	migrate_start(&meter, pair, ptr, NV_HUGE_SIZE);
	igt_assert_eq_u64(nv_svm_migrate(&pair->importer.svm, ptr + part, part), pages);
	migrate_assert(&meter, pair, pages, 0, 0);
	assert_place(pair, ptr, part, OWNERS_VRAM);
	assert_place(pair, ptr + part, part, IMPORTERS_VRAM);
	assert_place(pair, ptr + 2 * part, NV_HUGE_SIZE - 2 * part, OWNERS_VRAM);
	nv_check(ptr, NV_HUGE_SIZE, 1);
	munmap(ptr, NV_HUGE_SIZE);
}

/* Pages of the owner, of the importer, of RAM, and none, by turns; and the owner's huge page. */
static void test_migrate_mixed(struct pair *pair)
{
	const size_t small = 32 * NV_PAGE_SIZE, quarter = 8, huge = NV_HUGE_SIZE / NV_PAGE_SIZE;
	char *ptr = (char *)nv_alloc_huge(2 * NV_HUGE_SIZE), *end = ptr + NV_HUGE_SIZE;
	struct meter meter;

	require_p2p(pair);
	igt_assert_eq(madvise(ptr, NV_HUGE_SIZE, MADV_NOHUGEPAGE), 0);
	for (size_t i = 0; i < 4 * quarter; i++) {
		char *page = ptr + i * NV_PAGE_SIZE;

		if (i % 4 == 3)
			continue;
		nv_fill(page, NV_PAGE_SIZE, i);
		if (i % 4 == 0)
			nv_svm_migrate(&pair->owner.svm, page, NV_PAGE_SIZE);
		else if (i % 4 == 1)
			nv_svm_migrate(&pair->importer.svm, page, NV_PAGE_SIZE);
	}
	munmap(ptr + small, NV_HUGE_SIZE - small);
	give_to_owner(pair, end, NV_HUGE_SIZE, 100);

	migrate_start(&meter, pair, ptr, small);
	igt_assert_eq_u64(nv_svm_migrate(&pair->importer.svm, ptr, 2 * NV_HUGE_SIZE),
			  3 * quarter + huge);
	migrate_assert(&meter, pair, quarter + huge, 0, quarter);
	assert_place(pair, ptr, small, IMPORTERS_VRAM);
	assert_importer_has(pair, end, NV_HUGE_SIZE, 100);
	for (size_t i = 0; i < 4 * quarter; i++) {
		if (i % 4 < 3)
			nv_check(ptr + i * NV_PAGE_SIZE, NV_PAGE_SIZE, i);
		else
			for (size_t j = 0; j < NV_PAGE_SIZE; j++)
				igt_assert_eq(ptr[i * NV_PAGE_SIZE + j], 0);
	}
	munmap(ptr, small);
	munmap(end, NV_HUGE_SIZE);
}

/* What is unmapped, discarded or read-only between the owner's pages. */
static void test_migrate_peer_holes(struct pair *pair)
{
	enum {
		UNMAPPED = 1,
		DISCARDED = 3,
		READ_ONLY = 5,
		COUNT = 7
	};
	char *ptr = (char *)nv_alloc(COUNT * NV_PAGE_SIZE), *page[COUNT];
	struct meter meter;

	require_p2p(pair);
	for (int i = 0; i < COUNT; i++) {
		page[i] = ptr + i * NV_PAGE_SIZE;
		give_to_owner(pair, page[i], NV_PAGE_SIZE, i);
	}
	munmap(page[UNMAPPED], NV_PAGE_SIZE);
	igt_assert_eq(madvise(page[DISCARDED], NV_PAGE_SIZE, MADV_DONTNEED), 0);
	igt_assert_eq(mprotect(page[READ_ONLY], NV_PAGE_SIZE, PROT_READ), 0);

	migrate_start(&meter, pair, ptr, NV_PAGE_SIZE);
	igt_assert_eq_u64(nv_svm_migrate(&pair->importer.svm, ptr, COUNT * NV_PAGE_SIZE),
			  COUNT - 1);
	migrate_assert(&meter, pair, COUNT - 2, 0, 0);
	for (int i = 0; i < COUNT; i++) {
		if (i == UNMAPPED)
			continue;
		assert_place(pair, page[i], NV_PAGE_SIZE, IMPORTERS_VRAM);
		if (i != DISCARDED)
			nv_check(page[i], NV_PAGE_SIZE, i);
		else
			for (size_t j = 0; j < NV_PAGE_SIZE; j++)
				igt_assert_eq(page[i][j], 0);
		munmap(page[i], NV_PAGE_SIZE);
	}
}

/* Owner and importer had the pages mapped where they were. */
static void test_migrate_revokes(struct pair *pair)
{
	const size_t len = 64 * KiB;
	uint32_t *ptr = nv_alloc(len);

	require_p2p(pair);
	igt_emit_ignore_dmesg_regex(NV_KILLED_DMESG);
	give_to_owner(pair, ptr, len, 1);
	igt_assert_eq_u64(nv_svm_prefetch(&pair->owner.svm, ptr, len), len / NV_PAGE_SIZE);
	importer_maps(pair, ptr, len);
	nv_worker_read(&pair->owner, ptr, len);
	nv_worker_read(&pair->importer, ptr, len);

	igt_assert_eq_u64(nv_svm_migrate(&pair->importer.svm, ptr, len), len / NV_PAGE_SIZE);
	/* The importer has them in its own VRAM now, without a PREFETCH. */
	nv_worker_fill(&pair->importer, len, 2);
	nv_worker_write(&pair->importer, ptr, len);
	nv_assert_private(ptr, len);
	/* The owner must ask, and gets them by way of the importer's BAR. */
	igt_assert_eq_u64(nv_svm_prefetch(&pair->owner.svm, ptr, len), len / NV_PAGE_SIZE);
	nv_worker_read(&pair->owner, ptr, len);
	nv_worker_check(&pair->owner, len, 2);
	nv_assert_private(ptr, len);

	igt_assert_eq_u64(nv_svm_migrate(&pair->owner.svm, ptr, len), len / NV_PAGE_SIZE);
	nv_worker_read_faults(&pair->importer, ptr, len);
	nv_check(ptr, len, 2);
	munmap(ptr, len);
}

/* What cannot go straight goes by way of RAM, in the same call. */
static void test_migrate_fallback(struct pair *pair, bool huge)
{
	const size_t len = huge ? NV_HUGE_SIZE : 64 * KiB, pages = len / NV_PAGE_SIZE;
	char *ptr = (char *)(huge ? nv_alloc_huge(len) : nv_alloc(len));
	struct meter meter;

	nv_svm_require_target_cpu(&pair->importer.svm);
	*ptr = 1;
	igt_require_f(!huge || nv_is_huge_page(ptr),
		      "got no huge page (see transparent_hugepage/enabled)\n");
	if (p2p_param >= 0)
		nv_p2p_param_set(false);
	igt_emit_ignore_dmesg_regex("cannot be used for peer-to-peer DMA");
	give_to_owner(pair, ptr, len, 1);
	migrate_start(&meter, pair, ptr, len);
	igt_assert_eq_u64(nv_svm_migrate(&pair->importer.svm, ptr, len), pages);
	migrate_assert(&meter, pair, 0, pages, pages);
	assert_importer_has(pair, ptr, len, 1);
	munmap(ptr, len);
	if (p2p_param >= 0)
		nv_p2p_param_set(p2p_param);
}

/* The engine does not answer in time: the pages are still the owner's, and whole. */
static void test_migrate_peer_stuck(struct pair *pair)
{
	const unsigned int delay_us = 18 * 1000 * 1000; /* the driver waits for 15 s */
	const size_t len = NV_PAGE_SIZE;
	char *ptr = (char *)nv_alloc(len);

	nv_model_require();
	require_p2p(pair);
	igt_emit_ignore_dmesg_regex("DMEM: copy failed");
	give_to_owner(pair, ptr, len, 1);
	nv_model_delay("ce", delay_us);
	igt_assert_eq_u64(nv_svm_migrate(&pair->importer.svm, ptr, len), 0);
	nv_model_delay("ce", 0);
	usleep(delay_us - 15 * 1000 * 1000 + 500 * 1000);
	assert_place(pair, ptr, len, OWNERS_VRAM);
	nv_check(ptr, len, 1);

	give_to_owner(pair, ptr, len, 2);
	igt_assert_eq_u64(nv_svm_migrate(&pair->importer.svm, ptr, len), 1);
	assert_place(pair, ptr, len, IMPORTERS_VRAM);
	nv_check(ptr, len, 2);
	munmap(ptr, len);
}

/* The importer brings the owner's pages home to RAM, and its own with them. */
static void test_peer_target_cpu(struct pair *pair)
{
	const size_t half = 64 * KiB, pages = half / NV_PAGE_SIZE;
	char *ptr = (char *)nv_alloc(2 * half);
	struct meter meter;

	nv_svm_require_target_cpu(&pair->importer.svm);
	nv_fill(ptr, 2 * half, 1);
	nv_svm_migrate(&pair->owner.svm, ptr, half);
	nv_svm_migrate(&pair->importer.svm, ptr + half, half);
	nv_assert_private(ptr, 2 * half);
	meter_start(&meter, pair, ptr, half);
	igt_assert_eq_u64(nv_svm_migrate_home(&pair->importer.svm, ptr, 2 * half), 2 * pages);
	if (meter.has_model) {
		struct nv_model_stats moved;

		nv_model_stats_since(&moved, &meter.stats);
		igt_assert_eq_u64(moved.ce.system_write, 2 * half);
		igt_assert_eq_u64(moved.ce.system_read, 0);
		igt_assert_eq_u64(moved.ce.peer_read + moved.ce.peer_write, 0);
	}
	free(meter.places);
	nv_assert_ram(ptr, 2 * half);
	nv_check(ptr, 2 * half, 1);
	munmap(ptr, 2 * half);
}

static void test_peer_target_cpu_thp(struct pair *pair)
{
	char *ptr = (char *)nv_alloc_huge(NV_HUGE_SIZE);
	struct meter meter;

	nv_svm_require_target_cpu(&pair->importer.svm);
	*ptr = 1;
	igt_require_f(nv_is_huge_page(ptr),
		      "got no huge page (see transparent_hugepage/enabled)\n");
	give_to_owner(pair, ptr, NV_HUGE_SIZE, 1);
	migrate_start(&meter, pair, ptr, NV_HUGE_SIZE);
	igt_assert_eq_u64(nv_svm_migrate_home(&pair->importer.svm, ptr, NV_HUGE_SIZE),
			  NV_HUGE_SIZE / NV_PAGE_SIZE);
	migrate_assert(&meter, pair, 0, NV_HUGE_SIZE / NV_PAGE_SIZE, 0);
	igt_assert(nv_is_huge_page(ptr));
	nv_check(ptr, NV_HUGE_SIZE, 1);
	munmap(ptr, NV_HUGE_SIZE);
}

static void test_fallback(struct pair *pair)
{
	const size_t len = 64 * KiB;
	uint32_t *ptr = nv_alloc(len);
	struct nv_model_stats before, moved;

	nv_svm_require_prefetch(&pair->importer.svm);
	igt_require_f(p2p_param >= 0 || !has_p2p(pair),
		      "peer-to-peer works, and no nouveau.svm_p2p switches it off\n");
	if (p2p_param >= 0)
		nv_p2p_param_set(false);

	give_to_owner(pair, ptr, len, 1);
	importer_maps(pair, ptr, len);
	nv_assert_ram(ptr, len);
	if (nv_model_present())
		nv_model_stats(&before);
	nv_worker_read(&pair->importer, ptr, len);
	if (nv_model_present()) {
		nv_model_stats_since(&moved, &before);
		igt_assert_eq_u64(moved.ce.system_read, len);
		igt_assert_eq_u64(moved.ce.peer_read + moved.ce.peer_write, 0);
	}
	nv_worker_check(&pair->importer, len, 1);
	nv_worker_fill(&pair->importer, len, 2);
	nv_worker_write(&pair->importer, ptr, len);
	nv_check(ptr, len, 2);
	munmap(ptr, len);
	if (p2p_param >= 0)
		nv_p2p_param_set(p2p_param);
}

static void restore_param(int sig)
{
	if (p2p_param >= 0)
		nv_p2p_param_set(p2p_param);
}

/* Data path */

static void copy_in(struct pair *pair, char *ptr, size_t len)
{
	struct meter meter;

	give_to_owner(pair, ptr, len, 1);
	meter_start(&meter, pair, ptr, len);
	importer_maps(pair, ptr, len);
	nv_worker_read(&pair->importer, ptr, len);
	meter_assert_direct(&meter, pair, len, 0);
	nv_worker_check(&pair->importer, len, 1);
	nv_check(ptr, len, 1);
	munmap(ptr, len);
}

static void copy_out(struct pair *pair, char *ptr, size_t len)
{
	struct meter meter;

	give_to_owner(pair, ptr, len, 1);
	nv_worker_fill(&pair->importer, len, 2);
	meter_start(&meter, pair, ptr, len);
	importer_maps(pair, ptr, len);
	nv_worker_write(&pair->importer, ptr, len);
	meter_assert_direct(&meter, pair, 0, len);
	nv_check(ptr, len, 2);
	munmap(ptr, len);
}

static void test_copy_in(struct pair *pair, size_t len)
{
	require_p2p(pair);
	copy_in(pair, (char *)nv_alloc(len), len);
}

static void test_copy_out(struct pair *pair, size_t len)
{
	require_p2p(pair);
	copy_out(pair, (char *)nv_alloc(len), len);
}

static void test_thp(struct pair *pair)
{
	char *in, *out;

	require_p2p(pair);
	in = (char *)nv_alloc_huge(NV_HUGE_SIZE);
	out = (char *)nv_alloc_huge(NV_HUGE_SIZE);
	*in = *out = 1;
	igt_require_f(nv_is_huge_page(in) && nv_is_huge_page(out),
		      "got no huge pages (see transparent_hugepage/enabled)\n");
	copy_in(pair, in, NV_HUGE_SIZE);
	copy_out(pair, out, NV_HUGE_SIZE);
}

static void test_read_stays(struct pair *pair)
{
	const size_t len = 64 * KiB;
	const int rounds = SLOW_QUICK(100, 5);
	uint32_t *ptr = nv_alloc(len);
	struct meter meter;

	require_p2p(pair);
	give_to_owner(pair, ptr, len, 1);
	meter_start(&meter, pair, ptr, len);
	for (int i = 0; i < rounds; i++) {
		importer_maps(pair, ptr, len);
		nv_worker_read(&pair->importer, ptr, len);
	}
	meter_assert_direct(&meter, pair, rounds * len, 0);
	nv_worker_check(&pair->importer, len, 1);
	munmap(ptr, len);
}

/* The owner GPU, then the CPU, see what the importer wrote. */
static void test_write_visible(struct pair *pair)
{
	const size_t len = 64 * KiB;
	uint32_t *ptr = nv_alloc(len);

	require_p2p(pair);
	give_to_owner(pair, ptr, len, 1);
	igt_assert_eq_u64(nv_svm_prefetch(&pair->owner.svm, ptr, len), len / NV_PAGE_SIZE);
	nv_worker_read(&pair->owner, ptr, len);
	nv_worker_check(&pair->owner, len, 1);

	nv_worker_fill(&pair->importer, len, 2);
	importer_maps(pair, ptr, len);
	nv_worker_write(&pair->importer, ptr, len);

	nv_worker_read(&pair->owner, ptr, len);
	nv_worker_check(&pair->owner, len, 2);
	nv_assert_private(ptr, len);
	nv_check(ptr, len, 2);
	munmap(ptr, len);
}

/* Pages of the owner, of the importer and of RAM in one range. */
static void test_mixed(struct pair *pair)
{
	const int pages = 24;
	char *ptr = (char *)nv_alloc(pages * NV_PAGE_SIZE);
	struct nv_model_stats before, moved;
	uint64_t was[24], is[24];

	require_p2p(pair);
	nv_fill(ptr, pages * NV_PAGE_SIZE, 1);
	for (int i = 0; i < pages; i++) {
		if (i % 3 == 0)
			nv_svm_migrate(&pair->owner.svm, ptr + i * NV_PAGE_SIZE, NV_PAGE_SIZE);
		else if (i % 3 == 1)
			nv_svm_migrate(&pair->importer.svm, ptr + i * NV_PAGE_SIZE, NV_PAGE_SIZE);
	}
	igt_assert_eq_u64(nv_private_pages(ptr, pages * NV_PAGE_SIZE), pages * 2 / 3);
	nv_pagemap_read(ptr, pages * NV_PAGE_SIZE, was);
	if (nv_model_present())
		nv_model_stats(&before);
	importer_maps(pair, ptr, pages * NV_PAGE_SIZE);
	nv_worker_read(&pair->importer, ptr, pages * NV_PAGE_SIZE);
	if (nv_model_present()) {
		nv_model_stats_since(&moved, &before);
		igt_assert_eq_u64(moved.ce.peer_read, pages / 3 * NV_PAGE_SIZE);
		igt_assert_eq_u64(moved.ce.system_read, pages / 3 * NV_PAGE_SIZE);
		igt_assert_eq_u64(moved.ce.system_write + moved.ce.peer_write, 0);
	}
	nv_pagemap_read(ptr, pages * NV_PAGE_SIZE, is);
	igt_assert_f(!memcmp(was, is, sizeof(was)), "pages moved\n");
	nv_worker_check(&pair->importer, pages * NV_PAGE_SIZE, 1);
	nv_check(ptr, pages * NV_PAGE_SIZE, 1);
	munmap(ptr, pages * NV_PAGE_SIZE);
}

static void test_double_map(struct pair *pair)
{
	const size_t len = 64 * KiB;
	uint32_t *ptr = nv_alloc(len);

	require_p2p(pair);
	for (int round = 0; round < 3; round++) {
		give_to_owner(pair, ptr, len, round);
		igt_assert_eq_u64(nv_svm_prefetch(&pair->owner.svm, ptr, len), len / NV_PAGE_SIZE);
		importer_maps(pair, ptr, len);
		nv_worker_read(&pair->owner, ptr, len);
		nv_worker_read(&pair->importer, ptr, len);
		nv_worker_check(&pair->owner, len, round);
		nv_worker_check(&pair->importer, len, round);
		/* The CPU takes the pages from both, and both can have them again, from RAM. */
		nv_check(ptr, len, round);
		nv_fill(ptr, len, round + 100);
		igt_assert_eq_u64(nv_svm_prefetch(&pair->owner.svm, ptr, len), len / NV_PAGE_SIZE);
		importer_maps(pair, ptr, len);
		nv_worker_read(&pair->owner, ptr, len);
		nv_worker_read(&pair->importer, ptr, len);
		nv_worker_check(&pair->owner, len, round + 100);
		nv_worker_check(&pair->importer, len, round + 100);
	}
	munmap(ptr, len);
}

static void test_pingpong(struct pair *pair)
{
	const size_t len = 64 * KiB;
	const int rounds = SLOW_QUICK(50, 4);
	uint32_t *ptr = nv_alloc(len);

	require_p2p(pair);
	nv_fill(ptr, len, 0);
	for (int i = 0; i < rounds; i++) {
		struct nv_worker *at = i & 1 ? &pair->importer : &pair->owner;
		struct nv_worker *from = i & 1 ? &pair->owner : &pair->importer;

		nv_check(ptr, len, i);
		nv_svm_migrate(&at->svm, ptr, len);
		nv_assert_private(ptr, len);
		nv_worker_fill(from, len, i + 1);
		igt_assert_eq_u64(nv_svm_prefetch(&from->svm, ptr, len), len / NV_PAGE_SIZE);
		nv_worker_write(from, ptr, len);
		nv_assert_private(ptr, len);
	}
	nv_check(ptr, len, rounds);
	munmap(ptr, len);
}

static void test_high_bar(struct pair *pair)
{
	uint64_t bar1 = nv_bar1_address(pair->owner_gpu);

	igt_require_f(bar1 >= 1 * TiB,
		      "BAR1 of %s is at %#llx: needs one above 1 TiB (a machine or guest with many "
		      "physical address bits)\n",
		      pair->owner_gpu->slot, (unsigned long long)bar1);
	require_p2p(pair);
	copy_in(pair, (char *)nv_alloc(64 * KiB), 64 * KiB);
	copy_out(pair, (char *)nv_alloc(64 * KiB), 64 * KiB);
}

/* Both GPUs at once */

struct job {
	pthread_t thread;
	struct nv_worker *worker;
	char *ptr;
	size_t len;
	int rounds;
	bool write;
	int ret;
};

static void *job_main(void *arg)
{
	struct job *job = arg;

	for (int i = 0; i < job->rounds && !job->ret; i++)
		job->ret = job->write ? __nv_worker_write(job->worker, job->ptr, job->len)
				      : __nv_worker_read(job->worker, job->ptr, job->len);

	return NULL;
}

static void run_jobs(struct job *jobs, int count)
{
	for (int i = 0; i < count; i++)
		igt_assert_eq(pthread_create(&jobs[i].thread, NULL, job_main, &jobs[i]), 0);
	for (int i = 0; i < count; i++)
		pthread_join(jobs[i].thread, NULL);
	for (int i = 0; i < count; i++)
		igt_assert_eq(jobs[i].ret, 0);
}

static void test_concurrent_read(struct pair *pair)
{
	const size_t len = 64 * KiB;
	const int rounds = SLOW_QUICK(100, 8);
	char *ptr = (char *)nv_alloc(len);
	struct job jobs[] = {
		{ .worker = &pair->owner, .ptr = ptr, .len = len, .rounds = rounds },
		{ .worker = &pair->importer, .ptr = ptr, .len = len, .rounds = rounds },
	};

	require_p2p(pair);
	give_to_owner(pair, ptr, len, 1);
	igt_assert_eq_u64(nv_svm_prefetch(&pair->owner.svm, ptr, len), len / NV_PAGE_SIZE);
	importer_maps(pair, ptr, len);
	run_jobs(jobs, 2);
	nv_assert_private(ptr, len);
	nv_worker_check(&pair->owner, len, 1);
	nv_worker_check(&pair->importer, len, 1);
	munmap(ptr, len);
}

static void test_concurrent_write_disjoint(struct pair *pair)
{
	const size_t half = 32 * KiB;
	const int rounds = SLOW_QUICK(100, 8);
	char *ptr = (char *)nv_alloc(2 * half);
	struct job jobs[] = {
		{ .worker = &pair->owner,
		  .ptr = ptr,
		  .len = half,
		  .rounds = rounds,
		  .write = true },
		{ .worker = &pair->importer,
		  .ptr = ptr + half,
		  .len = half,
		  .rounds = rounds,
		  .write = true },
	};

	require_p2p(pair);
	give_to_owner(pair, ptr, 2 * half, 1);
	nv_worker_fill(&pair->owner, half, 2);
	nv_worker_fill(&pair->importer, half, 3);
	nv_svm_prefetch(&pair->owner.svm, ptr, 2 * half);
	importer_maps(pair, ptr, 2 * half);
	run_jobs(jobs, 2);
	nv_assert_private(ptr, 2 * half);
	nv_check(ptr, half, 2);
	nv_check(ptr + half, half, 3);
	munmap(ptr, 2 * half);
}

/* Each GPU reads the other's pages: requests and answers of both cross on the way. */
static void test_concurrent_cross(struct pair *pair)
{
	const size_t len = 64 * KiB;
	const int rounds = SLOW_QUICK(100, 8);
	char *ptr = (char *)nv_alloc(2 * len);
	struct job jobs[] = {
		{ .worker = &pair->importer, .ptr = ptr, .len = len, .rounds = rounds },
		{ .worker = &pair->owner, .ptr = ptr + len, .len = len, .rounds = rounds },
	};

	require_p2p(pair);
	give_to_owner(pair, ptr, len, 1);
	nv_fill(ptr + len, len, 2);
	nv_svm_migrate(&pair->importer.svm, ptr + len, len);
	importer_maps(pair, ptr, len);
	igt_assert_eq_u64(nv_svm_prefetch(&pair->owner.svm, ptr + len, len), len / NV_PAGE_SIZE);
	run_jobs(jobs, 2);
	nv_assert_private(ptr, 2 * len);
	nv_worker_check(&pair->importer, len, 1);
	nv_worker_check(&pair->owner, len, 2);
	munmap(ptr, 2 * len);
}

/* Processes of their own, with address spaces of their own, on the same two GPUs. */
static void test_stress_procs(struct pair *pair)
{
	const size_t len = 64 * KiB;
	const int rounds = SLOW_QUICK(30, 3);

	require_p2p(pair);
	igt_fork(child, 3)
	{
		uint32_t *ptr = nv_alloc(len);
		struct pair mine;

		pair_create(&mine, pair->owner_gpu, pair->importer_gpu);
		for (int i = 0; i < rounds; i++) {
			const uint32_t seed = child << 16 | i;

			give_to_owner(&mine, ptr, len, seed);
			importer_maps(&mine, ptr, len);
			nv_worker_read(&mine.importer, ptr, len);
			nv_worker_check(&mine.importer, len, seed);
			nv_worker_fill(&mine.importer, len, ~seed);
			nv_worker_write(&mine.importer, ptr, len);
			nv_assert_private(ptr, len);
			nv_check(ptr, len, ~seed);
		}
		pair_destroy(&mine);
	}
	igt_waitchildren();
}

/* With a third GPU as the importer. */
static void pair_create_third(struct pair *other, const struct pair *pair)
{
	struct nv_gpu *third = NULL;

	for (int i = 0; i < nr_gpus; i++)
		if (&gpus[i] != pair->owner_gpu && &gpus[i] != pair->importer_gpu)
			third = &gpus[i];
	igt_require_f(third, "needs three Pascal GPUs driven by nouveau, found %d\n", nr_gpus);
	pair_create(other, pair->owner_gpu, third);
}

/* Of three GPUs one does not reach the owner: what it maps comes to RAM, and nothing else does. */
static void test_third_unreachable(struct pair *pair)
{
	const size_t len = 64 * KiB;
	uint32_t *near = nv_alloc(len), *far = nv_alloc(len);
	struct nv_model_stats before, moved;
	struct pair other;

	require_p2p(pair);
	pair_create_third(&other, pair);
	igt_require_f(!has_p2p(&other), "%s and %s reach each other, too\n", other.owner_gpu->slot,
		      other.importer_gpu->slot);
	give_to_owner(pair, near, len, 1);
	give_to_owner(pair, far, len, 2);
	importer_maps(pair, near, len);
	importer_maps(pair, far, len);
	importer_maps(&other, far, len);
	nv_assert_private(near, len);
	nv_assert_ram(far, len);

	nv_worker_fill(&other.importer, len, 3);
	nv_worker_write(&other.importer, far, len);
	importer_maps(pair, far, len);
	if (nv_model_present())
		nv_model_stats(&before);
	nv_worker_read(&pair->importer, near, len);
	nv_worker_check(&pair->importer, len, 1);
	nv_worker_read(&pair->importer, far, len);
	nv_worker_check(&pair->importer, len, 3);
	if (nv_model_present()) {
		nv_model_stats_since(&moved, &before);
		igt_assert_eq_u64(moved.ce.peer_read, len);
		igt_assert_eq_u64(moved.ce.system_read, len);
	}
	nv_assert_private(near, len);
	nv_check(near, len, 1);
	nv_check(far, len, 3);
	munmap(near, len);
	munmap(far, len);
	pair_destroy(&other);
}

/* A third GPU maps the same pages. */
static void test_three_gpus(struct pair *pair)
{
	const size_t len = 64 * KiB;
	struct pair other;
	uint32_t *ptr;

	require_p2p(pair);
	pair_create_third(&other, pair);
	require_p2p(&other);
	ptr = nv_alloc(len);
	give_to_owner(pair, ptr, len, 1);
	importer_maps(pair, ptr, len);
	importer_maps(&other, ptr, len);
	nv_worker_fill(&other.importer, len, 2);
	nv_worker_write(&other.importer, ptr, len);
	nv_worker_read(&pair->importer, ptr, len);
	nv_worker_check(&pair->importer, len, 2);
	nv_assert_private(ptr, len);
	nv_check(ptr, len, 2);
	munmap(ptr, len);
	pair_destroy(&other);
}

/* Shaders of the importer touch pages that nobody mapped for them */

struct shader {
	struct nv_compute compute;
	struct nv_worker *worker;
};

static void shader_create_for(struct shader *shader, struct nv_worker *worker,
			      const struct nv_gpu *gpu)
{
	shader->worker = worker;
	nv_compute_create(&shader->compute, worker->svm.fd, gpu->chipset);
	nv_chan_attach(&shader->compute.chan, &worker->vram);
	nv_chan_attach(&shader->compute.chan, &worker->ram);
}

static void shader_create(struct shader *shader, struct pair *pair)
{
	shader_create_for(shader, &pair->importer, pair->importer_gpu);
}

static void shader_destroy(struct shader *shader)
{
	nv_compute_destroy(&shader->compute);
}

/* Into the VRAM of its GPU, for nv_worker_check(). */
static void shader_read(struct shader *shader, const void *ptr, size_t len)
{
	const struct nv_kernel_args args = {
		.dst = shader->worker->vram.va,
		.src = (uintptr_t)ptr,
		.dst_shift = WORD_SHIFT,
		.src_shift = WORD_SHIFT,
	};

	nv_compute_run(&shader->compute, &nv_kernel_copy, len >> WORD_SHIFT, &args);
}

/* Word i becomes i + value, or i + value more. */
static void shader_store(struct shader *shader, const struct nv_kernel *kernel, void *ptr,
			 size_t len, uint32_t value)
{
	const struct nv_kernel_args args = {
		.dst = (uintptr_t)ptr,
		.dst_shift = WORD_SHIFT,
		.value = value,
	};

	nv_compute_run(&shader->compute, kernel, len >> WORD_SHIFT, &args);
}

static void check_sequence(const uint32_t *ptr, size_t len, uint32_t value, uint32_t factor)
{
	for (uint32_t i = 0; i < len >> WORD_SHIFT; i++)
		igt_assert_f(ptr[i] == value + factor * i, "word %u is %#x instead of %#x\n", i,
			     ptr[i], value + factor * i);
}

static void *alloc_pages(size_t len, bool huge)
{
	char *ptr;

	if (!huge)
		return nv_alloc(len);
	ptr = (char *)nv_alloc_huge(len);
	*ptr = 1;
	igt_require_f(nv_is_huge_page(ptr),
		      "got no huge page (see transparent_hugepage/enabled)\n");

	return ptr;
}

static void test_shader_read(struct pair *pair, size_t len, bool huge)
{
	struct shader shader;
	struct meter meter;
	void *ptr;

	require_p2p(pair);
	ptr = alloc_pages(len, huge);
	shader_create(&shader, pair);
	give_to_owner(pair, ptr, len, 1);
	meter_start(&meter, pair, ptr, len);
	shader_read(&shader, ptr, len);
	meter_assert_direct(&meter, pair, len, 0);
	nv_worker_check(&pair->importer, len, 1);
	nv_check(ptr, len, 1);
	munmap(ptr, len);
	shader_destroy(&shader);
}

static void test_shader_write(struct pair *pair, size_t len, bool huge)
{
	struct shader shader;
	struct meter meter;
	void *ptr;

	require_p2p(pair);
	ptr = alloc_pages(len, huge);
	shader_create(&shader, pair);
	give_to_owner(pair, ptr, len, 1);
	meter_start(&meter, pair, ptr, len);
	shader_store(&shader, &nv_kernel_fill, ptr, len, 3);
	meter_assert_direct(&meter, pair, 0, len);
	check_sequence(ptr, len, 3, 1);
	munmap(ptr, len);
	shader_destroy(&shader);
}

/* One warp walks through 2 MiB, so that faults come one after the other. */
static void test_shader_faults(struct pair *pair, bool huge, unsigned int most)
{
	const size_t len = NV_HUGE_SIZE;
	struct nv_counters before, after;
	struct shader shader;
	uint32_t *ptr, sum = 0, is = 0, faults;
	struct nv_kernel_args args;
	struct meter meter;

	require_p2p(pair);
	igt_require_f(nv_counters_read(pair->importer_gpu, &before),
		      "this kernel has no debugfs file svm\n");
	ptr = alloc_pages(len, huge);
	shader_create(&shader, pair);
	give_to_owner(pair, ptr, len, 1);
	args = (struct nv_kernel_args){
		.dst = pair->importer.ram.va,
		.src = (uintptr_t)ptr,
		.dst_shift = WORD_SHIFT,
		.src_shift = WORD_SHIFT,
		.count = len >> WORD_SHIFT,
	};
	meter_start(&meter, pair, ptr, len);
	nv_counters_read(pair->importer_gpu, &before);
	nv_compute_run(&shader.compute, &nv_kernel_sum_all, NV_COMPUTE_BLOCK, &args);
	nv_counters_read(pair->importer_gpu, &after);
	meter_assert_direct(&meter, pair, len, 0);
	faults = after.gpu_faults - before.gpu_faults;
	igt_info("%u faults\n", faults);
	igt_assert(faults > 0 && faults <= most);
	for (size_t i = 0; i < len >> WORD_SHIFT; i++)
		sum += ptr[i];
	for (int i = 0; i < NV_COMPUTE_BLOCK; i++)
		is += ((const volatile uint32_t *)pair->importer.ram.map)[i];
	igt_assert_eq_u32(is, sum);
	munmap(ptr, len);
	shader_destroy(&shader);
}

/* Not every way between GPUs carries atomics, so the pages come to RAM. */
static void test_shader_atomic(struct pair *pair)
{
	const size_t len = 64 * KiB;
	struct shader shader;
	uint32_t *ptr;

	require_p2p(pair);
	ptr = nv_alloc(len);
	shader_create(&shader, pair);
	for (uint32_t i = 0; i < len >> WORD_SHIFT; i++)
		ptr[i] = i;
	nv_svm_migrate(&pair->owner.svm, ptr, len);
	nv_assert_private(ptr, len);
	shader_store(&shader, &nv_kernel_add, ptr, len, 5);
	check_sequence(ptr, len, 5, 2);
	nv_assert_ram(ptr, len);
	munmap(ptr, len);
	shader_destroy(&shader);
}

/* Skips where peer-to-peer works and cannot be switched off. restore_param() ends it. */
static void switch_p2p_off(struct pair *pair)
{
	igt_require_f(p2p_param >= 0 || !nv_svm_has_prefetch(&pair->importer.svm) || !has_p2p(pair),
		      "peer-to-peer works, and no nouveau.svm_p2p switches it off\n");
	if (p2p_param >= 0)
		nv_p2p_param_set(false);
}

/* Every byte that a shader reads goes to RAM first, and comes from there: twice over a link. */
static void test_shader_fallback(struct pair *pair)
{
	const size_t len = 64 * KiB;
	struct nv_model_stats before, moved;
	struct shader shader;
	uint32_t *ptr = nv_alloc(len);

	switch_p2p_off(pair);
	shader_create(&shader, pair);
	give_to_owner(pair, ptr, len, 1);
	if (nv_model_present())
		nv_model_stats(&before);
	shader_read(&shader, ptr, len);
	if (nv_model_present()) {
		nv_model_stats_since(&moved, &before);
		igt_assert_eq_u64(moved.ce.system_write, len);
		igt_assert_eq_u64(moved.gr.system_read, len);
		igt_assert_eq_u64(moved.ce.peer_read + moved.ce.peer_write, 0);
		igt_assert_eq_u64(moved.gr.peer_read + moved.gr.peer_write, 0);
	}
	nv_assert_ram(ptr, len);
	nv_worker_check(&pair->importer, len, 1);
	give_to_owner(pair, ptr, len, 2);
	shader_store(&shader, &nv_kernel_fill, ptr, len, 3);
	nv_assert_ram(ptr, len);
	check_sequence(ptr, len, 3, 1);
	munmap(ptr, len);
	shader_destroy(&shader);
	restore_param(0);
}

/* Code and constants of a shader are in the owner's VRAM as well as its data. */
static const struct nv_kernel *const program_kernel = &nv_kernel_fill;

#define PROGRAM_CONSTANTS 2048 /* in the page that has the code */
#define PROGRAM_THREADS	  1024

static void give_program_to_owner(struct shader *shader, struct pair *pair, char *page,
				  uint32_t value)
{
	const struct nv_kernel_args args = {
		.dst = shader->worker->ram.va,
		.dst_shift = WORD_SHIFT,
		.value = value,
	};

	memcpy(page, program_kernel->code, program_kernel->size);
	nv_kernel_constants(page + PROGRAM_CONSTANTS, PROGRAM_THREADS / NV_COMPUTE_BLOCK,
			    NV_COMPUTE_BLOCK, &args);
	nv_svm_migrate(&pair->owner.svm, page, NV_PAGE_SIZE);
	nv_assert_private(page, NV_PAGE_SIZE);
}

static void run_program(struct shader *shader, const char *page, uint32_t value)
{
	const size_t len = PROGRAM_THREADS << WORD_SHIFT;

	memset(shader->worker->ram.map, 0xee, len);
	nv_compute_grid_at(&shader->compute, program_kernel, PROGRAM_THREADS, (uintptr_t)page,
			   (uintptr_t)page + PROGRAM_CONSTANTS);
	nv_chan_run(&shader->compute.chan);
	check_sequence(shader->worker->ram.map, len, value, 1);
}

/* The importer fetches them by PCIe, and again when there are others at the same address. */
static void test_shader_program(struct pair *pair)
{
	struct nv_model_stats before, moved;
	char *page = (char *)nv_alloc(NV_PAGE_SIZE);
	struct shader shader;

	require_p2p(pair);
	shader_create(&shader, pair);
	for (uint32_t value = 1; value <= 3; value++) {
		give_program_to_owner(&shader, pair, page, value);
		if (nv_model_present())
			nv_model_stats(&before);
		run_program(&shader, page, value);
		nv_assert_private(page, NV_PAGE_SIZE);
		if (nv_model_present()) {
			nv_model_stats_since(&moved, &before);
			igt_assert(moved.gr.peer_read >= program_kernel->size);
			igt_assert_eq_u64(moved.gr.system_read, 0);
			igt_assert_eq_u64(moved.ce.peer_read + moved.ce.system_write, 0);
		}
	}
	munmap(page, NV_PAGE_SIZE);
	shader_destroy(&shader);
}

/* Without peer-to-peer they go to RAM first. */
static void test_shader_program_fallback(struct pair *pair)
{
	char *page = (char *)nv_alloc(NV_PAGE_SIZE);
	struct shader shader;

	switch_p2p_off(pair);
	shader_create(&shader, pair);
	give_program_to_owner(&shader, pair, page, 1);
	run_program(&shader, page, 1);
	nv_assert_ram(page, NV_PAGE_SIZE);
	munmap(page, NV_PAGE_SIZE);
	shader_destroy(&shader);
	restore_param(0);
}

/*
 * By turns pages of RAM, of the owner, of the importer, and holes that nobody touched, in one
 * window of the fault handler: each is used where it is, and a hole becomes memory of RAM.
 */
static void test_shader_mixed(struct pair *pair)
{
	const size_t len = NV_HUGE_SIZE, unit = 32 * KiB, units = len / unit, quarter = len / 4;
	char *ptr = (char *)nv_alloc_huge(2 * len), *got = (char *)pair->importer.ram.map;
	uint64_t places[NV_HUGE_SIZE / NV_PAGE_SIZE];
	static const char zero[32 * KiB];
	struct nv_model_stats before, moved;
	struct shader shader;

	require_p2p(pair);
	igt_assert_eq(madvise(ptr, 2 * len, MADV_NOHUGEPAGE), 0);
	shader_create(&shader, pair);
	for (size_t i = 0; i < units; i++) {
		char *at = ptr + i * unit;

		if (i % 4 == 3)
			continue;
		nv_fill(at, unit, i);
		if (i % 4 == 1)
			nv_svm_migrate(&pair->owner.svm, at, unit);
		else if (i % 4 == 2)
			nv_svm_migrate(&pair->importer.svm, at, unit);
	}
	if (nv_model_present())
		nv_model_stats(&before);
	shader_read(&shader, ptr, len);
	if (nv_model_present()) {
		nv_model_stats_since(&moved, &before);
		igt_assert_eq_u64(moved.gr.peer_read, quarter);
		igt_assert_eq_u64(moved.gr.system_read, 2 * quarter);
		igt_assert_eq_u64(moved.ce.system_read + moved.ce.system_write, 0);
		igt_assert_eq_u64(moved.ce.peer_read + moved.ce.peer_write, 0);
	}
	nv_ce_copy(&pair->importer.chan, pair->importer.ram.va, pair->importer.vram.va, len);
	nv_chan_run(&pair->importer.chan);
	for (size_t i = 0; i < units; i++) {
		if (i % 4 < 3)
			nv_check(got + i * unit, unit, i);
		else
			igt_assert(!memcmp(got + i * unit, zero, unit));
	}

	if (nv_model_present())
		nv_model_stats(&before);
	shader_store(&shader, &nv_kernel_fill, ptr, len, 3);
	if (nv_model_present()) {
		nv_model_stats_since(&moved, &before);
		igt_assert_eq_u64(moved.gr.peer_write, quarter);
		igt_assert_eq_u64(moved.gr.system_write, 2 * quarter);
		igt_assert_eq_u64(moved.ce.system_read + moved.ce.system_write, 0);
	}
	nv_pagemap_read(ptr, len, places);
	igt_assert_eq(nv_private_pages(ptr, len), len / NV_PAGE_SIZE / 2);
	for (size_t i = 0; i < len / NV_PAGE_SIZE; i++) { /* bit 63: in RAM */
		const size_t turn = i * NV_PAGE_SIZE / unit % 4;

		igt_assert_eq(places[i] >> 63, turn == 0 || turn == 3);
	}
	check_sequence((uint32_t *)ptr, len, 3, 1);
	munmap(ptr, 2 * len);
	shader_destroy(&shader);
}

/* After fork() the pages are read-only for parent and child: a write takes a copy. */
static void test_shader_fork(struct pair *pair)
{
	const size_t len = 64 * KiB;
	uint32_t *ptr = nv_alloc(len);
	struct shader shader;
	int gate[2];
	char byte = 0;

	require_p2p(pair);
	shader_create(&shader, pair);
	give_to_owner(pair, ptr, len, 1);
	igt_assert_eq(pipe(gate), 0);
	igt_fork(child, 1)
	{
		close(gate[1]);
		igt_assert_eq(read(gate[0], &byte, 1), 1);
		nv_check(ptr, len, 1);
	}
	shader_read(&shader, ptr, len);
	nv_worker_check(&pair->importer, len, 1);
	shader_store(&shader, &nv_kernel_fill, ptr, len, 3);
	check_sequence(ptr, len, 3, 1);
	igt_assert_eq(write(gate[1], &byte, 1), 1);
	igt_waitchildren();
	close(gate[0]);
	close(gate[1]);
	munmap(ptr, len);
	shader_destroy(&shader);
}

/* Bytes, halves, and whole lines of 128 bytes at a time, both ways. */
static void test_shader_widths(struct pair *pair)
{
	static const struct {
		const struct nv_kernel *kernel;
		unsigned int shift;
	} widths[] = {
		{ &nv_kernel_copy_u8, 0 }, { &nv_kernel_copy_u16, 1 }, { &nv_kernel_copy, 2 },
		{ &nv_kernel_copy_64, 3 }, { &nv_kernel_copy_128, 4 },
	};
	const uint64_t vram = pair->importer.vram.va;
	const size_t len = 16 * KiB;
	struct shader shader;

	require_p2p(pair);
	shader_create(&shader, pair);
	for (int i = 0; i < ARRAY_SIZE(widths); i++) {
		const unsigned int threads = len >> widths[i].shift;
		struct nv_kernel_args args = {
			.dst_shift = widths[i].shift,
			.src_shift = widths[i].shift,
		};
		uint32_t *ptr = nv_alloc(len);
		struct meter meter;

		give_to_owner(pair, ptr, len, i);
		args.dst = vram;
		args.src = (uintptr_t)ptr;
		meter_start(&meter, pair, ptr, len);
		nv_compute_run(&shader.compute, widths[i].kernel, threads, &args);
		meter_assert_direct(&meter, pair, len, 0);
		nv_worker_check(&pair->importer, len, i);

		nv_worker_fill(&pair->importer, len, ~i);
		args.dst = (uintptr_t)ptr;
		args.src = vram;
		meter_start(&meter, pair, ptr, len);
		nv_compute_run(&shader.compute, widths[i].kernel, threads, &args);
		meter_assert_direct(&meter, pair, 0, len);
		nv_check(ptr, len, ~i);
		munmap(ptr, len);
	}
	shader_destroy(&shader);
}

/* As test_shader_faults(), with stores. */
static void test_shader_faults_write(struct pair *pair, bool huge, unsigned int most)
{
	const size_t len = NV_HUGE_SIZE;
	struct nv_counters before, after;
	struct nv_kernel_args args;
	struct shader shader;
	struct meter meter;
	uint64_t faults;
	uint32_t *ptr;

	require_p2p(pair);
	igt_require_f(nv_counters_read(pair->importer_gpu, &before),
		      "this kernel has no debugfs file svm\n");
	ptr = alloc_pages(len, huge);
	shader_create(&shader, pair);
	give_to_owner(pair, ptr, len, 1);
	args = (struct nv_kernel_args){
		.dst = (uintptr_t)ptr,
		.dst_shift = WORD_SHIFT,
		.value = 7,
		.count = len >> WORD_SHIFT,
	};
	meter_start(&meter, pair, ptr, len);
	nv_counters_read(pair->importer_gpu, &before);
	nv_compute_run(&shader.compute, &nv_kernel_fill_all, NV_COMPUTE_BLOCK, &args);
	nv_counters_read(pair->importer_gpu, &after);
	meter_assert_direct(&meter, pair, 0, len);
	faults = after.gpu_faults - before.gpu_faults;
	igt_info("%llu faults\n", (unsigned long long)faults);
	igt_assert(faults > 0 && faults <= most);
	check_sequence(ptr, len, 7, 1);
	munmap(ptr, len);
	shader_destroy(&shader);
}

/* Both GPUs add to the same words at once: none of the additions may get lost. */
static void test_concurrent_inc(struct pair *pair)
{
	const size_t len = 16 * KiB;
	const int rounds = SLOW_QUICK(100, 4);
	struct nv_compute computes[2];
	struct nv_worker *workers[] = { &pair->owner, &pair->importer };
	struct nv_gpu *worker_gpus[] = { pair->owner_gpu, pair->importer_gpu };
	uint32_t *ptr = nv_alloc(len);
	const struct nv_kernel_args args = {
		.dst = (uintptr_t)ptr,
		.dst_shift = WORD_SHIFT,
		.value = 3,
	};

	require_p2p(pair);
	for (int i = 0; i < 2; i++)
		nv_compute_create(&computes[i], workers[i]->svm.fd, worker_gpus[i]->chipset);
	memset(ptr, 0, len);
	nv_svm_migrate(&pair->owner.svm, ptr, len);
	for (int round = 0; round < rounds; round++) {
		for (int i = 0; i < 2; i++) {
			nv_compute_grid(&computes[i], &nv_kernel_add, len >> WORD_SHIFT, &args);
			igt_assert_eq(__nv_chan_submit(&computes[i].chan), 0);
		}
		for (int i = 0; i < 2; i++)
			igt_assert_eq(__nv_chan_wait(&computes[i].chan, NV_CHAN_WAIT_MS), 0);
	}
	check_sequence(ptr, len, 2 * rounds * 3, 2 * rounds);
	munmap(ptr, len);
	for (int i = 0; i < 2; i++)
		nv_compute_destroy(&computes[i]);
}

/* Shaders of both GPUs at once, and nobody mapped anything for them */

/* Shader 0 is the owner's, shader 1 the importer's. */
static void shaders_create(struct shader shaders[2], struct pair *pair)
{
	shader_create_for(&shaders[0], &pair->owner, pair->owner_gpu);
	shader_create(&shaders[1], pair);
}

static void shaders_destroy(struct shader shaders[2])
{
	for (int i = 0; i < 2; i++)
		shader_destroy(&shaders[i]);
}

/* Both at the same time, each with its own arguments. */
static void shaders_run(struct shader shaders[2], const struct nv_kernel *kernel,
			unsigned int threads, const struct nv_kernel_args args[2])
{
	for (int i = 0; i < 2; i++)
		nv_compute_grid(&shaders[i].compute, kernel, threads, &args[i]);
	for (int i = 0; i < 2; i++)
		igt_assert_eq(__nv_chan_submit(&shaders[i].compute.chan), 0);
	for (int i = 0; i < 2; i++)
		igt_assert_eq(__nv_chan_wait(&shaders[i].compute.chan, NV_CHAN_WAIT_MS), 0);
}

/* Both fault on the same pages, which stay where they are. */
static void test_shader_concurrent_read(struct pair *pair)
{
	const size_t len = 64 * KiB;
	const int rounds = SLOW_QUICK(50, 4);
	struct shader shaders[2];
	struct meter meter;

	require_p2p(pair);
	shaders_create(shaders, pair);
	for (int round = 0; round < rounds; round++) {
		uint32_t *ptr = nv_alloc(len);
		struct nv_kernel_args args[2];

		for (int i = 0; i < 2; i++)
			args[i] = (struct nv_kernel_args){
				.dst = shaders[i].worker->vram.va,
				.src = (uintptr_t)ptr,
				.dst_shift = WORD_SHIFT,
				.src_shift = WORD_SHIFT,
			};
		give_to_owner(pair, ptr, len, round);
		meter_start(&meter, pair, ptr, len);
		shaders_run(shaders, &nv_kernel_copy, len >> WORD_SHIFT, args);
		meter_assert_direct(&meter, pair, len, 0);
		for (int i = 0; i < 2; i++)
			nv_worker_check(shaders[i].worker, len, round);
		nv_check(ptr, len, round);
		munmap(ptr, len);
	}
	shaders_destroy(shaders);
}

/* The owner stores to every other word, the importer to those between: none of them gets lost. */
static void test_shader_concurrent_write(struct pair *pair)
{
	const size_t len = 64 * KiB, words = len / sizeof(uint32_t);
	const int rounds = SLOW_QUICK(50, 4);
	struct shader shaders[2];

	require_p2p(pair);
	shaders_create(shaders, pair);
	for (int round = 0; round < rounds; round++) {
		uint32_t *ptr = nv_alloc(len);
		struct nv_kernel_args args[2];

		for (int i = 0; i < 2; i++)
			args[i] = (struct nv_kernel_args){
				.dst = (uintptr_t)&ptr[i],
				.dst_shift = WORD_SHIFT + 1,
				.value = (i + 1) * 100000 + round,
			};
		give_to_owner(pair, ptr, len, round);
		shaders_run(shaders, &nv_kernel_fill, words / 2, args);
		nv_assert_private(ptr, len);
		for (uint32_t i = 0; i < words; i++)
			igt_assert_f(ptr[i] == args[i % 2].value + i / 2,
				     "word %u, of GPU %u of the pair, is %#x instead of %#x\n", i,
				     i % 2, ptr[i], args[i % 2].value + i / 2);
		munmap(ptr, len);
	}
	shaders_destroy(shaders);
}

static void assert_reads_zeros(struct shader *shader, const void *ptr, size_t len)
{
	const uint32_t *got = shader->worker->ram.map;
	const struct nv_kernel_args args = {
		.dst = shader->worker->ram.va,
		.src = (uintptr_t)ptr,
		.dst_shift = WORD_SHIFT,
		.src_shift = WORD_SHIFT,
	};

	nv_compute_run(&shader->compute, &nv_kernel_copy, len >> WORD_SHIFT, &args);
	for (size_t i = 0; i < len >> WORD_SHIFT; i++)
		igt_assert_eq_u32(got[i], 0);
}

/*
 * Shared memory that each GPU has at an address of its own: it is the same memory, until the file
 * loses it, and then it is for none of them.
 */
static void test_shader_double_map(struct pair *pair)
{
	const size_t len = 64 * KiB;
	const int fd = memfd_create("igt", 0);
	struct shader shaders[2];
	char *maps[2];

	igt_assert(fd >= 0 && !ftruncate(fd, len));
	for (int i = 0; i < 2; i++) {
		maps[i] = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		igt_assert(maps[i] != MAP_FAILED);
	}
	shaders_create(shaders, pair);
	for (int round = 1; round <= 3; round++) {
		for (int i = 0; i < 2; i++) {
			nv_fill(maps[!i], len, round);
			shader_read(&shaders[i], maps[i], len);
			nv_worker_check(shaders[i].worker, len, round);
			shader_store(&shaders[i], &nv_kernel_fill, maps[i], len, round);
			shader_store(&shaders[!i], &nv_kernel_increment, maps[!i], len, 1000);
			check_sequence((uint32_t *)maps[i], len, round + 1000, 1);
			check_sequence((uint32_t *)maps[!i], len, round + 1000, 1);
		}
		igt_assert_eq(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, len), 0);
		for (int i = 0; i < 2; i++)
			assert_reads_zeros(&shaders[i], maps[i], len);
	}
	shaders_destroy(shaders);
	for (int i = 0; i < 2; i++)
		munmap(maps[i], len);
	close(fd);
}

/* The pages go away under the importer's mapping */

static void test_revoke(struct pair *pair, void (*change)(char *ptr, size_t len))
{
	const size_t len = 16 * KiB;
	char *ptr = (char *)nv_alloc(len);

	require_p2p(pair);
	igt_emit_ignore_dmesg_regex(NV_KILLED_DMESG);
	give_to_owner(pair, ptr, len, 1);
	importer_maps(pair, ptr, len);
	nv_worker_read(&pair->importer, ptr, len);
	nv_worker_check(&pair->importer, len, 1);
	change(ptr, len);
	nv_worker_read_faults(&pair->importer, ptr, len);
	munmap(ptr, len);
}

/* What became read-only the importer still reads, in the owner's VRAM, and cannot write. */
static void test_mprotect_ro(struct pair *pair)
{
	const size_t len = 16 * KiB;
	char *ptr = (char *)nv_alloc(len);

	require_p2p(pair);
	igt_emit_ignore_dmesg_regex(NV_KILLED_DMESG);
	give_to_owner(pair, ptr, len, 1);
	importer_maps(pair, ptr, len);
	igt_assert_eq(mprotect(ptr, len, PROT_READ), 0);
	importer_maps(pair, ptr, len);
	nv_worker_read(&pair->importer, ptr, len);
	nv_worker_check(&pair->importer, len, 1);
	nv_assert_private(ptr, len);
	nv_worker_fill(&pair->importer, len, 2);
	nv_worker_write_faults(&pair->importer, ptr, len);
	nv_check(ptr, len, 1);
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

static void change_mprotect(char *ptr, size_t len)
{
	igt_assert_eq(mprotect(ptr, len, PROT_NONE), 0);
}

static void change_touch(char *ptr, size_t len)
{
	nv_check(ptr, len, 1);
}

/* A thread that maps for the importer until told to stop. Not on a stack that a failure unwinds. */
static struct racer {
	pthread_t thread;
	struct nv_svm svm;
	char *ptr;
	size_t len;
	int rounds;
	int ret;
	volatile bool stop;
} racer;

static void *racer_main(void *arg)
{
	for (racer.rounds = 0; !racer.stop && !racer.ret; racer.rounds++)
		racer.ret = __nv_svm_prefetch(&racer.svm, racer.ptr, racer.len);

	return NULL;
}

/* The importer maps again and again while @change takes the pages away. */
static void test_race(struct pair *pair, void (*change)(char *ptr, size_t len))
{
	const int rounds = SLOW_QUICK(300, 12);

	require_p2p(pair);
	racer.svm = pair->importer.svm;
	racer.len = 16 * KiB;
	racer.ptr = (char *)nv_alloc(racer.len);
	racer.stop = false;
	racer.ret = 0;
	igt_assert_eq(pthread_create(&racer.thread, NULL, racer_main, NULL), 0);
	for (int i = 0; i < rounds; i++) {
		igt_assert(mmap(racer.ptr, racer.len, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == racer.ptr);
		nv_fill(racer.ptr, racer.len, 1);
		nv_svm_migrate(&pair->owner.svm, racer.ptr, racer.len);
		change(racer.ptr, racer.len);
	}
	racer.stop = true;
	pthread_join(racer.thread, NULL);
	igt_assert_eq(racer.ret, 0);
	igt_info("%d prefetches beside %d changes\n", racer.rounds, rounds);

	/* No mapping of an older page may have stayed. */
	igt_assert(mmap(racer.ptr, racer.len, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == racer.ptr);
	for (uint32_t seed = 0xf0; seed < 0xf2; seed++) {
		give_to_owner(pair, racer.ptr, racer.len, seed);
		importer_maps(pair, racer.ptr, racer.len);
		nv_worker_read(&pair->importer, racer.ptr, racer.len);
		nv_worker_check(&pair->importer, racer.len, seed);
	}
	munmap(racer.ptr, racer.len);
}

/* A thread that migrates to one GPU until told to stop. */
static struct puller {
	pthread_t thread;
	struct nv_svm svm;
	char *ptr;
	size_t len;
	volatile int rounds, ret;
	volatile bool stop;
} pullers[2];

static void *puller_main(void *arg)
{
	struct puller *puller = arg;

	for (puller->rounds = 0; !puller->stop && !puller->ret; puller->rounds++)
		puller->ret = __nv_svm_migrate(&puller->svm, puller->ptr, puller->len);

	return NULL;
}

static void pullers_start(struct pair *pair, char *ptr, size_t len)
{
	for (int i = 0; i < 2; i++) {
		pullers[i] = (struct puller){
			.svm = i ? pair->importer.svm : pair->owner.svm,
			.ptr = ptr,
			.len = len,
		};
		igt_assert_eq(pthread_create(&pullers[i].thread, NULL, puller_main, &pullers[i]),
			      0);
	}
}

static void pullers_join(void)
{
	for (int i = 0; i < 2; i++)
		pullers[i].stop = true;
	for (int i = 0; i < 2; i++) {
		pthread_join(pullers[i].thread, NULL);
		igt_assert_eq(pullers[i].ret, 0);
		igt_assert(pullers[i].rounds);
		igt_info("%d migrations by GPU %d of the pair\n", pullers[i].rounds, i);
	}
}

/* Both GPUs pull the same pages at once, until the CPU has seen them move often enough. */
static void test_migrate_cross_race(struct pair *pair, bool huge)
{
	const size_t len = huge ? NV_HUGE_SIZE : 64 * KiB;
	const int moves = SLOW_QUICK(500, 20);
	char *ptr = (char *)(huge ? nv_alloc_huge(len) : nv_alloc(len));
	struct nv_counters before[2], after[2];
	uint64_t direct = 0;

	require_p2p(pair);
	igt_require_f(nv_counters_read(pair->owner_gpu, &before[0]) &&
			      nv_counters_read(pair->importer_gpu, &before[1]),
		      "this kernel has no debugfs file svm\n");
	give_to_owner(pair, ptr, len, 1);
	pullers_start(pair, ptr, len);
	for (int i = 0; i < 6000 && direct < moves * (len / NV_PAGE_SIZE); i++) {
		usleep(10000);
		nv_counters_read(pair->owner_gpu, &after[0]);
		nv_counters_read(pair->importer_gpu, &after[1]);
		direct = after[0].migrated_from_peer - before[0].migrated_from_peer +
			 after[1].migrated_from_peer - before[1].migrated_from_peer;
	}
	pullers_join();
	igt_assert_f(direct >= moves * (len / NV_PAGE_SIZE), "only %llu pages moved\n",
		     (unsigned long long)direct);
	nv_check(ptr, len, 1);
	munmap(ptr, len);
}

/*
 * A GPU that pulls may have a page back after each word that the CPU touches, and to touch all of
 * them takes a model minutes. The first and the last of each page show as much.
 */
static void edges_fill(char *ptr, size_t len, uint32_t seed)
{
	const size_t last = NV_PAGE_SIZE / sizeof(uint32_t) - 1;

	for (size_t page = 0; page < len / NV_PAGE_SIZE; page++) {
		volatile uint32_t *words = (uint32_t *)(ptr + page * NV_PAGE_SIZE);

		words[0] = nv_pattern(seed, page);
		words[last] = nv_pattern(seed + 1, page);
	}
}

static void edges_check(const char *ptr, size_t len, uint32_t seed)
{
	const size_t last = NV_PAGE_SIZE / sizeof(uint32_t) - 1;

	for (size_t page = 0; page < len / NV_PAGE_SIZE; page++) {
		const volatile uint32_t *words = (const uint32_t *)(ptr + page * NV_PAGE_SIZE);

		igt_assert_eq_u32(words[0], nv_pattern(seed, page));
		igt_assert_eq_u32(words[last], nv_pattern(seed + 1, page));
	}
}

/* The words between them, which nobody wrote since @inside was taken. */
static void inside_check(const char *ptr, size_t len, const char *inside)
{
	const size_t word = sizeof(uint32_t);

	for (size_t page = 0; page < len; page += NV_PAGE_SIZE)
		igt_assert(
			!memcmp(ptr + page + word, inside + page + word, NV_PAGE_SIZE - 2 * word));
}

/*
 * Whether a race goes on after @i rounds of the CPU: until these and those of both GPUs are enough.
 */
static bool racing(int i, int rounds)
{
	bool more = i < rounds;

	for (int gpu = 0; gpu < 2; gpu++)
		more |= pullers[gpu].rounds < 4 && !pullers[gpu].ret;
	return more;
}

/* The CPU reads and writes the pages while both GPUs pull them. */
static void test_migrate_touch_race(struct pair *pair)
{
	const size_t len = 64 * KiB;
	const int rounds = SLOW_QUICK(300, 12);
	char *ptr = (char *)nv_alloc(len), inside[64 * KiB];
	int i;

	require_p2p(pair);
	nv_fill(ptr, len, 0);
	memcpy(inside, ptr, len);
	edges_fill(ptr, len, 0);
	pullers_start(pair, ptr, len);
	for (i = 0; racing(i, rounds); i++) {
		edges_check(ptr, len, i);
		edges_fill(ptr, len, i + 1);
	}
	pullers_join();
	edges_check(ptr, len, i);
	inside_check(ptr, len, inside);
	munmap(ptr, len);
}

/* The pages are unmapped, or discarded, and others come, while both GPUs pull them. */
static void test_migrate_unmap_race(struct pair *pair, void (*change)(char *ptr, size_t len))
{
	static const char zero[64 * KiB];
	const size_t len = 64 * KiB;
	const int rounds = SLOW_QUICK(300, 12);
	char *ptr = (char *)nv_alloc(len);
	int i;

	require_p2p(pair);
	nv_fill(ptr, len, 0);
	pullers_start(pair, ptr, len);
	for (i = 0; racing(i, rounds); i++) {
		change(ptr, len);
		igt_assert(mmap(ptr, len, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == ptr);
		edges_fill(ptr, len, i);
		edges_check(ptr, len, i);
	}
	pullers_join();
	edges_check(ptr, len, i - 1);
	inside_check(ptr, len, zero);
	munmap(ptr, len);
}

/* Parent and child share the pages, which both GPUs pull, until the parent writes. */
static void test_migrate_fork_race(struct pair *pair)
{
	const size_t len = 64 * KiB;
	const int rounds = SLOW_QUICK(50, 4);
	char *ptr = (char *)nv_alloc(len), inside[64 * KiB];
	int i;

	require_p2p(pair);
	nv_fill(ptr, len, 0);
	memcpy(inside, ptr, len);
	edges_fill(ptr, len, 0);
	pullers_start(pair, ptr, len);
	for (i = 0; racing(i, rounds); i++) {
		igt_fork(child, 1) edges_check(ptr, len, i);
		edges_fill(ptr, len, i + 1);
		igt_waitchildren();
	}
	pullers_join();
	edges_check(ptr, len, i);
	inside_check(ptr, len, inside);
	munmap(ptr, len);
}

/* The owner's VRAM page is given to other data; the importer must see its own, now in RAM. */
static void test_reuse(struct pair *pair)
{
	const size_t len = 64 * KiB;
	char *ptr = (char *)nv_alloc(len), *other = (char *)nv_alloc(len);
	uint64_t was[16], is[16];
	int reused = 0;

	require_p2p(pair);
	give_to_owner(pair, ptr, len, 1);
	nv_pagemap_read(ptr, len, was);
	importer_maps(pair, ptr, len);
	nv_check(ptr, len, 1);
	give_to_owner(pair, other, len, 2);
	nv_pagemap_read(other, len, is);
	for (int i = 0; i < ARRAY_SIZE(was); i++)
		for (int j = 0; j < ARRAY_SIZE(is); j++)
			reused += was[i] == is[j];
	igt_require_f(reused, "the driver gave none of the pages to the other data\n");
	importer_maps(pair, ptr, len);
	nv_worker_read(&pair->importer, ptr, len);
	nv_worker_check(&pair->importer, len, 1);
	nv_worker_fill(&pair->importer, len, 3);
	nv_worker_write(&pair->importer, ptr, len);
	nv_check(ptr, len, 3);
	nv_check(other, len, 2);
	munmap(other, len);
	munmap(ptr, len);
}

/* How much VRAM is in use, once the driver shows none of it in BAR1. */
static uint64_t vram_without_windows(struct pair *pair)
{
	struct timespec start = {};
	struct nv_p2p p2p;

	do {
		usleep(50000);
		igt_require_f(nv_p2p_read(pair->owner_gpu, &p2p),
			      "this kernel has no debugfs file p2p\n");
	} while (p2p.windows && igt_nsec_elapsed(&start) < 10000000000);
	igt_assert_f(!p2p.windows, "%" PRIu64 " windows of BAR1 show VRAM that nobody uses\n",
		     p2p.windows);

	return nv_getparam(pair->owner.svm.fd, NOUVEAU_GETPARAM_VRAM_USED);
}

/* What a test before this one used may be on its way back yet. */
static uint64_t vram_at_rest(struct pair *pair)
{
	uint64_t vram = vram_without_windows(pair), was;

	do {
		was = vram;
		vram = vram_without_windows(pair);
	} while (vram != was);

	return vram;
}

/* The driver takes the window away first, and gives the VRAM behind it back after that. */
static void assert_vram_back(struct pair *pair, uint64_t vram)
{
	struct timespec start = {};
	uint64_t used;

	do
		used = vram_without_windows(pair);
	while (used != vram && igt_nsec_elapsed(&start) < 10000000000);
	igt_assert_eq_u64(used, vram);
}

/* When VRAM is given back, so is the window of BAR1 that showed it to the importer. */
static void test_release(struct pair *pair)
{
	const size_t len = NV_HUGE_SIZE;
	uint64_t vram;

	require_p2p(pair);
	vram = vram_at_rest(pair);
	for (uint32_t round = 0; round < 3; round++) {
		char *ptr = (char *)nv_alloc(len);
		struct nv_p2p p2p;

		give_to_owner(pair, ptr, len, round);
		importer_maps(pair, ptr, len);
		nv_worker_read(&pair->importer, ptr, len);
		nv_worker_check(&pair->importer, len, round);
		nv_assert_private(ptr, len);
		nv_p2p_read(pair->owner_gpu, &p2p);
		igt_assert(p2p.windows);
		munmap(ptr, len);
		assert_vram_back(pair, vram);
	}
}

static void test_fork_cow(struct pair *pair)
{
	const size_t len = 16 * KiB;
	uint32_t *ptr = nv_alloc(len);
	int go[2];

	require_p2p(pair);
	igt_assert_eq(pipe(go), 0);
	give_to_owner(pair, ptr, len, 1);
	importer_maps(pair, ptr, len);
	nv_worker_fill(&pair->importer, len, 2);
	igt_fork(child, 1)
	{
		char byte;

		close(go[1]);
		igt_assert_eq(read(go[0], &byte, 1), 1);
		nv_check(ptr, len, 1);
	}
	/* fork() took the write permission away, the importer asks for it again. */
	importer_maps(pair, ptr, len);
	nv_worker_write(&pair->importer, ptr, len);
	igt_assert_eq(write(go[1], "", 1), 1);
	igt_waitchildren();
	close(go[0]);
	close(go[1]);
	nv_check(ptr, len, 2);
	munmap(ptr, len);
}

static void test_counters(struct pair *pair)
{
	const size_t len = 64 * KiB;
	uint32_t *ptr = nv_alloc(len);
	struct nv_counters before, now;

	require_p2p(pair);
	igt_require_f(nv_counters_read(pair->importer_gpu, &before),
		      "this kernel has no debugfs file svm\n");
	give_to_owner(pair, ptr, len, 1);
	importer_maps(pair, ptr, len);
	nv_counters_read(pair->importer_gpu, &now);
	igt_assert_eq_u64(now.peer_mappings, before.peer_mappings + len / NV_PAGE_SIZE);
	munmap(ptr, len);
	nv_counters_read(pair->importer_gpu, &now);
	igt_assert_eq_u64(now.peer_mappings, before.peer_mappings);
}

static void test_fdinfo(struct pair *pair)
{
	const size_t len = 64 * KiB;
	uint32_t *ptr = nv_alloc(len);
	uint64_t peer, vram;

	require_p2p(pair);
	igt_require_f(nv_fdinfo(pair->importer.svm.fd, "drm-resident-svm-peer", &peer),
		      "this driver has no memory in fdinfo\n");
	igt_assert_eq_u64(peer, 0);
	give_to_owner(pair, ptr, len, 1);
	importer_maps(pair, ptr, len);
	nv_fdinfo(pair->importer.svm.fd, "drm-resident-svm-peer", &peer);
	nv_fdinfo(pair->owner.svm.fd, "drm-resident-svm-vram", &vram);
	igt_assert_eq_u64(peer, len);
	igt_assert_eq_u64(vram, len);
	munmap(ptr, len);
	nv_fdinfo(pair->importer.svm.fd, "drm-resident-svm-peer", &peer);
	igt_assert_eq_u64(peer, 0);
}

/* A buffer that has to be in VRAM and has no room there unless some of the pages go. */
static void test_evict(struct pair *pair)
{
	const uint64_t vram = nv_getparam(pair->owner_gpu->fd, NOUVEAU_GETPARAM_FB_SIZE);
	const size_t len = 32 * MiB, looked_at = 64 * KiB;
	struct nv_counters before, after;
	struct nv_bo bo;
	uint64_t free;
	char *ptr;
	int fd;

	require_p2p(pair);
	igt_require_f(nv_counters_read(pair->owner_gpu, &before),
		      "this kernel has no debugfs file svm\n");
	ptr = (char *)nv_alloc_huge(len);
	for (size_t i = 0; i < len; i += NV_HUGE_SIZE)
		nv_fill(ptr + i, looked_at, i);
	nv_svm_migrate(&pair->owner.svm, ptr, len);
	nv_assert_private(ptr, len);
	importer_maps(pair, ptr, len);
	free = vram - nv_getparam(pair->owner.svm.fd, NOUVEAU_GETPARAM_VRAM_USED);
	/* other buffers can move, too, but there is not that much of them */
	fd = drm_reopen_driver(pair->owner_gpu->fd);
	nv_bo_create(&bo, fd, ALIGN(free, 2 * MiB) + len / 2, NOUVEAU_GEM_DOMAIN_VRAM);
	nv_counters_read(pair->owner_gpu, &after);
	igt_info("%zu of %zu pages are in VRAM\n", nv_private_pages(ptr, len), len / NV_PAGE_SIZE);
	igt_assert(nv_private_pages(ptr, len) < len / NV_PAGE_SIZE);
	igt_assert(after.migrated_to_ram > before.migrated_to_ram);
	for (size_t i = 0; i < len; i += NV_HUGE_SIZE) {
		importer_maps(pair, ptr + i, looked_at);
		nv_worker_read(&pair->importer, ptr + i, looked_at);
		nv_worker_check(&pair->importer, looked_at, i);
	}
	for (size_t i = 0; i < len; i += NV_HUGE_SIZE)
		nv_check(ptr + i, looked_at, i);
	nv_bo_destroy(&bo);
	drm_close_driver(fd);
	munmap(ptr, len);
}

/* Shaders of the importer are at work while the process takes the pages away */

#define RACE_LEN   (64 * KiB)
#define RACE_VALUE 0x10000000

/*
 * Stores word by word, one for each 1 << @shift bytes: one warp after the other goes through all of
 * it.
 */
static void shader_start_stores(struct shader *shader, void *ptr, unsigned int shift,
				uint32_t value)
{
	const struct nv_kernel_args args = {
		.dst = (uintptr_t)ptr,
		.dst_shift = shift,
		.value = value,
		.count = RACE_LEN >> shift,
	};
	int ret;

	for (int i = 0; i < 4; i++)
		nv_compute_grid(&shader->compute, &nv_kernel_fill_all, NV_COMPUTE_BLOCK, &args);
	/* A store that may not be can be the end of the channel before this returns. */
	ret = __nv_chan_submit(&shader->compute.chan);
	igt_assert_f(!ret || ret == -ENODEV, "submission: %s\n", strerror(-ret));
}

static void shader_start_fill(struct shader *shader, char *ptr, uint32_t value)
{
	shader_start_stores(shader, ptr, WORD_SHIFT, value);
}

/* Each word is what it was, of @seed, or what the shader makes of it. */
static void check_old_or_new(const char *ptr, uint32_t seed, uint32_t value)
{
	const volatile uint32_t *words = (const volatile uint32_t *)ptr;

	for (uint32_t i = 0; i < RACE_LEN >> WORD_SHIFT; i++) {
		const uint32_t is = words[i];

		igt_assert_f(is == nv_pattern(seed, i) || is == value + i,
			     "word %u is %#x, neither %#x nor %#x\n", i, is, nv_pattern(seed, i),
			     value + i);
	}
}

/* Some other moment each round. */
static void let_it_run(int round)
{
	usleep(round * 700 % 5000);
}

/*
 * Pages are freed under a shader that stores to them, and given to other data in the owner's VRAM:
 * no store may reach that.
 */
static void test_shader_free_race(struct pair *pair, void (*change)(char *ptr, size_t len),
				  bool kills)
{
	const int rounds = SLOW_QUICK(50, 6);
	struct shader shader;
	int killed = 0;

	require_p2p(pair);
	if (kills)
		igt_emit_ignore_dmesg_regex(NV_KILLED_DMESG);
	shader_create(&shader, pair);
	for (int round = 0; round < rounds; round++) {
		char *ptr = (char *)nv_alloc(RACE_LEN), *other = (char *)nv_alloc(RACE_LEN);
		bool ended;

		give_to_owner(pair, ptr, RACE_LEN, round);
		shader_start_fill(&shader, ptr, RACE_VALUE);
		let_it_run(round);
		change(ptr, RACE_LEN);
		give_to_owner(pair, other, RACE_LEN, ~round);
		ended = nv_chan_ends(&shader.compute.chan);
		igt_assert_f(ended || kills, "a shader was killed for a page that it may use\n");
		nv_check(other, RACE_LEN, ~round);
		if (!ended) {
			killed++;
			shader_destroy(&shader);
			shader_create(&shader, pair);
		}
		munmap(other, RACE_LEN);
		munmap(ptr, RACE_LEN);
	}
	igt_info("%d of %d shaders met their end\n", killed, rounds);
	shader_destroy(&shader);
	/* both are as good as before */
	copy_in(pair, (char *)nv_alloc(RACE_LEN), RACE_LEN);
}

/*
 * As many grids as may be in flight. Each makes something else of every word, so any store shows.
 */
static void shader_start_fills(struct shader *shader, char *ptr, uint32_t value)
{
	for (int i = 0; i < NV_COMPUTE_SLOTS; i++) {
		const struct nv_kernel_args args = {
			.dst = (uintptr_t)ptr,
			.dst_shift = WORD_SHIFT,
			.value = value + i * RACE_LEN,
			.count = RACE_LEN >> WORD_SHIFT,
		};

		nv_compute_grid(&shader->compute, &nv_kernel_fill_all, NV_COMPUTE_BLOCK, &args);
	}
	igt_assert_eq(__nv_chan_submit(&shader->compute.chan), 0);
}

/*
 * What is in the owner's VRAM, read by the owner: a CPU that looks takes the pages from everybody.
 */
static void owner_snapshot(struct pair *pair, const char *ptr, char *snapshot)
{
	struct nv_worker *owner = &pair->owner;

	igt_assert_eq_u64(nv_svm_prefetch(&owner->svm, ptr, RACE_LEN), RACE_LEN / NV_PAGE_SIZE);
	nv_worker_read(owner, ptr, RACE_LEN);
	nv_ce_copy(&owner->chan, owner->ram.va, owner->vram.va, RACE_LEN);
	nv_chan_run(&owner->chan);
	memcpy(snapshot, owner->ram.map, RACE_LEN);
}

/*
 * Pages become read-only under a shader that stores to them: not one store comes after mprotect()
 * returned, and a shader that was not done by then is killed.
 */
static void test_shader_mprotect_race(struct pair *pair)
{
	const int rounds = SLOW_QUICK(50, 6);
	char *then = malloc(RACE_LEN), *now = malloc(RACE_LEN);
	char *ptr = (char *)nv_alloc(RACE_LEN);
	struct shader shader;
	int killed = 0;

	require_p2p(pair);
	igt_assert(then && now);
	igt_emit_ignore_dmesg_regex(NV_KILLED_DMESG);
	shader_create(&shader, pair);
	for (int round = 0; round < rounds; round++) {
		give_to_owner(pair, ptr, RACE_LEN, round);
		shader_start_fills(&shader, ptr, RACE_VALUE);
		let_it_run(round);
		igt_assert_eq(mprotect(ptr, RACE_LEN, PROT_READ), 0);
		owner_snapshot(pair, ptr, then);
		usleep(5000);
		owner_snapshot(pair, ptr, now);
		igt_assert_f(!memcmp(then, now, RACE_LEN), "a store came after mprotect()\n");
		if (!nv_chan_ends(&shader.compute.chan)) {
			killed++;
			shader_destroy(&shader);
			shader_create(&shader, pair);
		}
		nv_assert_private(ptr, RACE_LEN);
		igt_assert_f(!memcmp(then, ptr, RACE_LEN), "a store came after mprotect()\n");
		igt_assert_eq(mprotect(ptr, RACE_LEN, PROT_READ | PROT_WRITE), 0);
	}
	igt_info("%d of %d shaders met their end\n", killed, rounds);
	igt_assert_f(killed, "no shader was at work when its pages became read-only\n");
	munmap(ptr, RACE_LEN);
	shader_destroy(&shader);
	free(then);
	free(now);
	copy_in(pair, (char *)nv_alloc(RACE_LEN), RACE_LEN);
}

/* Permissions change under a shader that reads: it reads on, and the right data. */
static void test_shader_mprotect_read_race(struct pair *pair)
{
	const int rounds = SLOW_QUICK(50, 6);
	struct nv_kernel_args args = {
		.dst = pair->importer.vram.va,
		.dst_shift = WORD_SHIFT,
		.src_shift = WORD_SHIFT,
	};
	char *ptr = (char *)nv_alloc(RACE_LEN);
	struct shader shader;

	require_p2p(pair);
	shader_create(&shader, pair);
	args.src = (uintptr_t)ptr;
	for (int round = 0; round < rounds; round++) {
		give_to_owner(pair, ptr, RACE_LEN, round);
		for (int i = 0; i < 4; i++)
			nv_compute_grid(&shader.compute, &nv_kernel_copy, RACE_LEN >> WORD_SHIFT,
					&args);
		igt_assert_eq(__nv_chan_submit(&shader.compute.chan), 0);
		for (int i = 0; i < 8; i++) {
			let_it_run(round + i);
			igt_assert_eq(mprotect(ptr, RACE_LEN, PROT_READ), 0);
			igt_assert_eq(mprotect(ptr, RACE_LEN, PROT_READ | PROT_WRITE), 0);
		}
		igt_assert(nv_chan_ends(&shader.compute.chan));
		nv_assert_private(ptr, RACE_LEN);
		nv_worker_check(&pair->importer, RACE_LEN, round);
		nv_check(ptr, RACE_LEN, round);
	}
	/* and what may be written again is written */
	give_to_owner(pair, ptr, RACE_LEN, 1);
	shader_store(&shader, &nv_kernel_fill, ptr, RACE_LEN, 2);
	check_sequence((uint32_t *)ptr, RACE_LEN, 2, 1);
	munmap(ptr, RACE_LEN);
	shader_destroy(&shader);
}

/*
 * What is read-only the importer's shader reads where it is; a store kills it, and changes nothing.
 */
static void test_shader_mprotect_ro(struct pair *pair)
{
	char *ptr = (char *)nv_alloc(RACE_LEN);
	struct shader shader;
	struct meter meter;

	require_p2p(pair);
	igt_emit_ignore_dmesg_regex(NV_KILLED_DMESG);
	shader_create(&shader, pair);
	give_to_owner(pair, ptr, RACE_LEN, 1);
	igt_assert_eq(mprotect(ptr, RACE_LEN, PROT_READ), 0);
	meter_start(&meter, pair, ptr, RACE_LEN);
	shader_read(&shader, ptr, RACE_LEN);
	meter_assert_direct(&meter, pair, RACE_LEN, 0);
	nv_worker_check(&pair->importer, RACE_LEN, 1);

	shader_start_fill(&shader, ptr, RACE_VALUE);
	igt_assert_f(!nv_chan_ends(&shader.compute.chan), "a shader wrote to read-only pages\n");
	nv_assert_private(ptr, RACE_LEN);
	nv_check(ptr, RACE_LEN, 1);
	munmap(ptr, RACE_LEN);
	shader_destroy(&shader);
	copy_in(pair, (char *)nv_alloc(RACE_LEN), RACE_LEN);
}

/* What a child got at fork() no store of its parent's shader changes. */
static void test_shader_fork_race(struct pair *pair)
{
	const int rounds = SLOW_QUICK(30, 5);
	char *ptr = (char *)nv_alloc(RACE_LEN);
	struct shader shader;

	require_p2p(pair);
	shader_create(&shader, pair);
	for (int round = 0; round < rounds; round++) {
		const uint32_t value = RACE_VALUE + round;
		int gate[2];

		igt_assert_eq(pipe(gate), 0);
		give_to_owner(pair, ptr, RACE_LEN, round);
		shader_start_fill(&shader, ptr, value);
		let_it_run(round);
		igt_fork(child, 1)
		{
			char *snapshot = malloc(RACE_LEN), byte;

			close(gate[1]);
			check_old_or_new(ptr, round, value);
			memcpy(snapshot, ptr, RACE_LEN);
			/* until the shader is done */
			igt_assert_eq(read(gate[0], &byte, 1), 1);
			igt_assert_f(!memcmp(snapshot, ptr, RACE_LEN),
				     "the child sees what the GPU wrote for its parent\n");
		}
		igt_assert(nv_chan_ends(&shader.compute.chan));
		igt_assert_eq(write(gate[1], "", 1), 1);
		igt_waitchildren();
		close(gate[0]);
		close(gate[1]);
		check_sequence((uint32_t *)ptr, RACE_LEN, value, 1);
	}
	munmap(ptr, RACE_LEN);
	shader_destroy(&shader);
}

/* The CPU takes pages that a shader stores to, and the owner takes them back. */
static void test_shader_cpu_fault_race(struct pair *pair)
{
	const int rounds = SLOW_QUICK(50, 6);
	char *ptr = (char *)nv_alloc(RACE_LEN);
	struct shader shader;

	require_p2p(pair);
	shader_create(&shader, pair);
	for (int round = 0; round < rounds; round++) {
		const uint32_t value = RACE_VALUE + round;

		give_to_owner(pair, ptr, RACE_LEN, round);
		shader_start_fill(&shader, ptr, value);
		for (int i = 0; i < 3; i++) {
			let_it_run(round + i);
			check_old_or_new(ptr, round, value);
			nv_svm_migrate(&pair->owner.svm, ptr, RACE_LEN);
		}
		igt_assert(nv_chan_ends(&shader.compute.chan));
		check_sequence((uint32_t *)ptr, RACE_LEN, value, 1);
	}
	munmap(ptr, RACE_LEN);
	shader_destroy(&shader);
}

/*
 * The owner's file is closed while shaders of the importer use its pages: these stay, and usable.
 */
static void test_shader_owner_close_race(struct pair *pair)
{
	const int rounds = SLOW_QUICK(20, 4);
	char *ptr = (char *)nv_alloc(RACE_LEN);
	struct shader shader;

	require_p2p(pair);
	shader_create(&shader, pair);
	for (int round = 0; round < rounds; round++) {
		const uint32_t value = RACE_VALUE + round;
		struct nv_svm owner;

		nv_svm_init(&owner, drm_reopen_driver(pair->owner_gpu->fd));
		nv_fill(ptr, RACE_LEN, round);
		nv_svm_migrate(&owner, ptr, RACE_LEN);
		shader_start_fill(&shader, ptr, value);
		let_it_run(round);
		nv_svm_fini(&owner);
		igt_assert(nv_chan_ends(&shader.compute.chan));
		check_sequence((uint32_t *)ptr, RACE_LEN, value, 1);
	}
	munmap(ptr, RACE_LEN);
	shader_destroy(&shader);
}

/*
 * The importer's file is closed under its shader, which ends somewhere: after that nothing changes.
 */
static void test_shader_importer_close_race(struct pair *pair)
{
	const int rounds = SLOW_QUICK(20, 4);
	char *ptr = (char *)nv_alloc(RACE_LEN);

	require_p2p(pair);
	igt_emit_ignore_dmesg_regex(NV_KILLED_DMESG);
	for (int round = 0; round < rounds; round++) {
		const uint32_t value = RACE_VALUE + round;
		struct shader shader = {};
		struct nv_svm svm;

		nv_svm_init(&svm, drm_reopen_driver(pair->importer_gpu->fd));
		nv_compute_create(&shader.compute, svm.fd, pair->importer_gpu->chipset);
		give_to_owner(pair, ptr, RACE_LEN, round);
		shader_start_fill(&shader, ptr, value);
		let_it_run(round);
		nv_compute_abandon(&shader.compute);
		nv_svm_fini(&svm);
		check_old_or_new(ptr, round, value);
		give_to_owner(pair, ptr, RACE_LEN, ~round);
		usleep(20000);
		nv_check(ptr, RACE_LEN, ~round);
	}
	munmap(ptr, RACE_LEN);
	copy_in(pair, (char *)nv_alloc(RACE_LEN), RACE_LEN);
}

/*
 * Processes end while their shaders store to the owner's pages, which then are given to other data:
 * no store may reach that. Nobody tells which pages of VRAM it gets, so it is twice as many.
 */
static void test_shader_exit_race(struct pair *pair)
{
	const int rounds = SLOW_QUICK(20, 4);

	require_p2p(pair);
	igt_emit_ignore_dmesg_regex(NV_KILLED_DMESG);
	for (int round = 0; round < rounds; round++) {
		char *other = (char *)nv_alloc(2 * RACE_LEN);

		igt_fork(child, 1)
		{
			char *ptr = (char *)nv_alloc(RACE_LEN);
			struct shader shader;
			struct pair mine;

			pair_create(&mine, pair->owner_gpu, pair->importer_gpu);
			shader_create(&shader, &mine);
			give_to_owner(&mine, ptr, RACE_LEN, round);
			shader_start_fills(&shader, ptr, RACE_VALUE);
			let_it_run(round);
			_exit(0);
		}
		igt_waitchildren();
		give_to_owner(pair, other, 2 * RACE_LEN, ~round);
		usleep(20000);
		nv_check(other, 2 * RACE_LEN, ~round);
		munmap(other, 2 * RACE_LEN);
	}
	copy_in(pair, (char *)nv_alloc(RACE_LEN), RACE_LEN);
}

/*
 * SVM_BIND brings to one GPU, straight, what two others have, by turns with RAM, its own, and
 * nothing.
 */
static void test_three_migrate(struct pair *pair)
{
	enum {
		OWNER,
		THIRD,
		IMPORTER,
		RAM,
		NOTHING,
		KINDS
	};
	const size_t each = 8, len = each * KINDS * NV_PAGE_SIZE;
	struct nv_counters before, after;
	struct meter meter;
	struct pair other;
	char *ptr;

	require_p2p(pair);
	pair_create_third(&other, pair);
	require_p2p(&other);
	ptr = (char *)nv_alloc(len);
	for (size_t i = 0; i < each * KINDS; i++) {
		char *page = ptr + i * NV_PAGE_SIZE;
		struct nv_worker *const workers[] = {
			[OWNER] = &pair->owner,
			[THIRD] = &other.importer,
			[IMPORTER] = &pair->importer,
		};

		if (i % KINDS == NOTHING)
			continue;
		nv_fill(page, NV_PAGE_SIZE, i);
		if (i % KINDS < ARRAY_SIZE(workers)) {
			nv_svm_migrate(&workers[i % KINDS]->svm, page, NV_PAGE_SIZE);
			nv_assert_private(page, NV_PAGE_SIZE);
		}
	}
	migrate_start(&meter, pair, ptr, len);
	nv_counters_read(other.importer_gpu, &before);
	/* but for its own: a hole is as good as a page of zeros */
	igt_assert_eq_u64(nv_svm_migrate(&pair->importer.svm, ptr, len), 4 * each);
	migrate_assert(&meter, pair, 2 * each, 0, each);
	if (nv_counters_read(other.importer_gpu, &after))
		igt_assert_eq_u64(after.migrated_to_ram, before.migrated_to_ram);
	assert_place(pair, ptr, len, IMPORTERS_VRAM);
	for (size_t i = 0; i < each * KINDS; i++) {
		if (i % KINDS != NOTHING)
			nv_check(ptr + i * NV_PAGE_SIZE, NV_PAGE_SIZE, i);
		else
			for (size_t j = 0; j < NV_PAGE_SIZE; j++)
				igt_assert_eq(ptr[i * NV_PAGE_SIZE + j], 0);
	}
	munmap(ptr, len);
	pair_destroy(&other);
}

#define QUAD_SHIFT (WORD_SHIFT + 2)

/*
 * Of each four words of the same pages one is for the shaders of each of three GPUs, and one for
 * the process, while the pages go from GPU to GPU and to RAM: no store gets lost.
 */
static void test_three_shaders_race(struct pair *pair)
{
	const int rounds = SLOW_QUICK(30, 3), moves = 6;
	struct shader shaders[3];
	struct pair other;

	require_p2p(pair);
	pair_create_third(&other, pair);
	require_p2p(&other);
	shader_create_for(&shaders[0], &pair->owner, pair->owner_gpu);
	shader_create(&shaders[1], pair);
	shader_create(&shaders[2], &other);
	for (int round = 0; round < rounds; round++) {
		uint32_t *ptr = nv_alloc(RACE_LEN), want[4];
		volatile uint32_t *words = ptr;

		give_to_owner(pair, ptr, RACE_LEN, round);
		for (int i = 0; i < 3; i++) {
			want[i] = RACE_VALUE * (i + 1) + round;
			shader_start_stores(&shaders[i], ptr + i, QUAD_SHIFT, want[i]);
		}
		for (int move = 0; move < moves; move++) {
			struct nv_svm *to = &shaders[(round + move) % 3].worker->svm;

			let_it_run(round + move);
			nv_svm_migrate(to, ptr, RACE_LEN);
			want[3] = RACE_VALUE * 4 + move;
			for (uint32_t i = 0; move % 2 && i < RACE_LEN >> QUAD_SHIFT; i++)
				words[4 * i + 3] = want[3] + i;
		}
		for (int i = 0; i < 3; i++)
			igt_assert(nv_chan_ends(&shaders[i].compute.chan));
		for (uint32_t i = 0; i < RACE_LEN >> WORD_SHIFT; i++)
			igt_assert_f(words[i] == want[i % 4] + i / 4,
				     "word %u, of actor %u, is %#x instead of %#x\n", i, i % 4,
				     words[i], want[i % 4] + i / 4);
		munmap(ptr, RACE_LEN);
	}
	for (int i = 0; i < 3; i++)
		shader_destroy(&shaders[i]);
	pair_destroy(&other);
}

/* Three GPUs: shaders of two importers use the same pages of the owner's, which then moves them. */
static void test_three_shaders(struct pair *pair)
{
	const size_t len = 64 * KiB;
	struct shader one, two;
	struct pair other;
	uint32_t *ptr;

	require_p2p(pair);
	pair_create_third(&other, pair);
	require_p2p(&other);
	shader_create(&one, pair);
	shader_create(&two, &other);
	ptr = nv_alloc(len);

	give_to_owner(pair, ptr, len, 1);
	shader_read(&one, ptr, len);
	shader_read(&two, ptr, len);
	nv_worker_check(&pair->importer, len, 1);
	nv_worker_check(&other.importer, len, 1);
	shader_store(&one, &nv_kernel_fill, ptr, len, 2);
	shader_store(&two, &nv_kernel_increment, ptr, len, 3);
	nv_assert_private(ptr, len);
	check_sequence(ptr, len, 5, 1);

	/* the third GPU's turn to own them */
	nv_fill(ptr, len, 4);
	nv_svm_migrate(&other.importer.svm, ptr, len);
	shader_read(&one, ptr, len);
	nv_assert_private(ptr, len);
	nv_worker_check(&pair->importer, len, 4);
	shader_read(&two, ptr, len);
	nv_worker_check(&other.importer, len, 4);
	shader_store(&one, &nv_kernel_fill, ptr, len, 6);
	check_sequence(ptr, len, 6, 1);

	munmap(ptr, len);
	shader_destroy(&two);
	shader_destroy(&one);
	pair_destroy(&other);
}

/*
 * Threads, each with an address space and a channel of its own on every GPU, take turns at random:
 * CPU and GPUs read and write pages, and SVM_BIND moves them. Pages of all threads lie side by
 * side, so that what the driver does for one by ranges meets those of the others. Every word is
 * checked at every look.
 */

#define STRESS_THREADS 3
#define STRESS_PAGES   8 /* of each thread */
#define STRESS_LEN     (STRESS_THREADS * STRESS_PAGES * NV_PAGE_SIZE)

struct stress_gpu {
	struct nv_svm svm;
	struct nv_compute compute;
	struct nv_bo io;
};

static struct stress {
	pthread_t thread;
	int index;
	int rounds;
	char *all; /* the pages of all threads */
	struct stress_gpu gpus[NV_MAX_GPUS];
	uint32_t seeds[STRESS_PAGES];
	uint32_t random;
	char error[128]; /* the first one; threads cannot assert */
} stresses[STRESS_THREADS];

static unsigned int stress_random(struct stress *stress, unsigned int below)
{
	stress->random = stress->random * 1664525 + 1013904223;

	return (stress->random >> 8) % below;
}

static char *stress_page(const struct stress *stress, int page)
{
	return stress->all + (page * STRESS_THREADS + stress->index) * NV_PAGE_SIZE;
}

static void stress_error(struct stress *stress, const char *what, int page, int gpu, long value)
{
	snprintf(stress->error, sizeof(stress->error), "thread %d, page %d, GPU %d: %s: %ld",
		 stress->index, page, gpu, what, value);
}

/* A shader copies the page, or to it. */
static int stress_copy(struct stress_gpu *gpu, uint64_t dst, uint64_t src)
{
	const struct nv_kernel_args args = {
		.dst = dst,
		.src = src,
		.dst_shift = WORD_SHIFT,
		.src_shift = WORD_SHIFT,
	};

	nv_compute_grid(&gpu->compute, &nv_kernel_copy, NV_PAGE_SIZE >> WORD_SHIFT, &args);

	return __nv_chan_run(&gpu->compute.chan);
}

static void stress_gpu_reads(struct stress *stress, int page, int gpu)
{
	struct stress_gpu *sg = &stress->gpus[gpu];
	char *src = stress_page(stress, page);
	size_t bad;
	int ret;

	memset(sg->io.map, 0, NV_PAGE_SIZE);
	ret = stress_copy(sg, sg->io.va, (uintptr_t)src);
	if (ret)
		return stress_error(stress, "a shader that reads", page, gpu, ret);
	bad = __nv_check(sg->io.map, NV_PAGE_SIZE, stress->seeds[page]);
	if (bad)
		stress_error(stress, "words that a shader read wrong", page, gpu, bad);
}

static void stress_gpu_writes(struct stress *stress, int page, int gpu)
{
	struct stress_gpu *sg = &stress->gpus[gpu];
	char *dst = stress_page(stress, page);
	int ret;

	stress->seeds[page] = stress->random;
	nv_fill(sg->io.map, NV_PAGE_SIZE, stress->seeds[page]);
	ret = stress_copy(sg, (uintptr_t)dst, sg->io.va);
	if (ret)
		stress_error(stress, "a shader that writes", page, gpu, ret);
}

static void stress_cpu_reads(struct stress *stress, int page)
{
	const size_t bad = __nv_check(stress_page(stress, page), NV_PAGE_SIZE, stress->seeds[page]);

	if (bad)
		stress_error(stress, "words that the CPU read wrong", page, -1, bad);
}

static void stress_cpu_writes(struct stress *stress, int page)
{
	stress->seeds[page] = stress->random;
	nv_fill(stress_page(stress, page), NV_PAGE_SIZE, stress->seeds[page]);
}

/* New memory at the old address. */
static void stress_remap(struct stress *stress, int page)
{
	char *ptr = stress_page(stress, page);

	if (mmap(ptr, NV_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		 -1, 0) != ptr)
		return stress_error(stress, "mmap", page, -1, errno);
	stress_cpu_writes(stress, page);
}

static void stress_migrates(struct stress *stress, int page, int gpu, bool all)
{
	const char *ptr = all ? stress->all : stress_page(stress, page);
	const size_t len = all ? STRESS_LEN : NV_PAGE_SIZE;
	const int ret = __nv_svm_migrate(&stress->gpus[gpu].svm, ptr, len);

	if (ret)
		stress_error(stress, "SVM_BIND", page, gpu, ret);
}

static void stress_round(struct stress *stress)
{
	const int page = stress_random(stress, STRESS_PAGES);
	const int gpu = stress_random(stress, nr_gpus);

	switch (stress_random(stress, 10)) {
	case 0 ... 2:
		return stress_gpu_reads(stress, page, gpu);
	case 3 ... 4:
		return stress_gpu_writes(stress, page, gpu);
	case 5:
		return stress_cpu_reads(stress, page);
	case 6:
		return stress_cpu_writes(stress, page);
	case 7:
		return stress_remap(stress, page);
	default:
		return stress_migrates(stress, page, gpu, stress_random(stress, 2));
	}
}

static void *stress_main(void *arg)
{
	struct stress *stress = arg;

	for (int i = 0; i < stress->rounds && !*stress->error; i++)
		stress_round(stress);
	for (int page = 0; page < STRESS_PAGES && !*stress->error; page++)
		stress_cpu_reads(stress, page);

	return NULL;
}

static void stress_fill(struct stress *stress, int index, char *all)
{
	*stress = (struct stress){ .index = index, .all = all, .random = index };
	for (int page = 0; page < STRESS_PAGES; page++) {
		stress->random++;
		stress_cpu_writes(stress, page);
	}
}

static void stress_create(struct stress *stress, int rounds)
{
	stress->rounds = rounds;
	for (int gpu = 0; gpu < nr_gpus; gpu++) {
		struct stress_gpu *sg = &stress->gpus[gpu];

		nv_svm_init(&sg->svm, drm_reopen_driver(gpus[gpu].fd));
		nv_compute_create(&sg->compute, sg->svm.fd, gpus[gpu].chipset);
		nv_bo_create(&sg->io, sg->svm.fd, NV_PAGE_SIZE,
			     NOUVEAU_GEM_DOMAIN_GART | NOUVEAU_GEM_DOMAIN_COHERENT);
		nv_chan_attach(&sg->compute.chan, &sg->io);
	}
}

static void stress_destroy(struct stress *stress)
{
	for (int gpu = 0; gpu < nr_gpus; gpu++) {
		struct stress_gpu *sg = &stress->gpus[gpu];

		nv_compute_destroy(&sg->compute);
		nv_bo_destroy(&sg->io);
		nv_svm_fini(&sg->svm);
	}
}

static void test_stress_threads(void)
{
	const int rounds = SLOW_QUICK(5000, 60);
	char *all = (char *)nv_alloc(STRESS_LEN);

	for (int i = 0; i < STRESS_THREADS; i++)
		stress_fill(&stresses[i], i, all);
	for (int i = 0; i < STRESS_THREADS; i++)
		stress_create(&stresses[i], rounds);
	for (int i = 0; i < STRESS_THREADS; i++)
		igt_assert_eq(pthread_create(&stresses[i].thread, NULL, stress_main, &stresses[i]),
			      0);
	for (int i = 0; i < STRESS_THREADS; i++)
		pthread_join(stresses[i].thread, NULL);
	for (int i = 0; i < STRESS_THREADS; i++)
		igt_assert_f(!*stresses[i].error, "%s\n", stresses[i].error);
	for (int i = 0; i < STRESS_THREADS; i++)
		stress_destroy(&stresses[i]);
	munmap(all, STRESS_LEN);
}

/*
 * The same by processes, of which each has the same pages by fork(), in the VRAM of a GPU: what one
 * of them does with a page, or SVM_BIND does for it, the others must not notice.
 */
static void test_stress_fork(void)
{
	const int rounds = SLOW_QUICK(3000, 40), processes = 3;
	struct stress *stress = &stresses[0];
	char *all = (char *)nv_alloc(STRESS_LEN);

	stress_fill(stress, 0, all);
	stress_create(stress, rounds);
	igt_assert_eq(__nv_svm_migrate(&stress->gpus[0].svm, all, STRESS_LEN), 0);
	igt_fork(child, processes)
	{
		struct stress own = *stress;

		stress_create(&own, rounds);
		own.random = child + 1;
		stress_main(&own);
		igt_assert_f(!*own.error, "process %d: %s\n", child, own.error);
		stress_destroy(&own);
	}
	stress_main(stress);
	igt_waitchildren();
	igt_assert_f(!*stress->error, "their parent: %s\n", stress->error);
	stress_destroy(stress);
	munmap(all, STRESS_LEN);
}

/* More memory is exported than BAR1 can show at a time */

#define STEP_SHIFT 16 /* one word of each 64 KiB is looked at */

struct exported {
	struct nv_p2p before;
	char *ptr;
	size_t len;
	uint32_t seed;
};

static uint32_t *step(const struct exported *exported, size_t i)
{
	return (uint32_t *)(exported->ptr + (i << STEP_SHIFT));
}

/* Skips where BAR1 holds all of VRAM. More than BAR1 itself is asked for, not just than windows. */
static void require_small_bar1(struct pair *pair, struct nv_p2p *p2p)
{
	require_p2p(pair);
	igt_require_f(nv_p2p_read(pair->owner_gpu, p2p), "this kernel has no debugfs file p2p\n");
	igt_require_f(p2p->bar1 < p2p->vram, "BAR1 of %s holds all of its VRAM\n",
		      pair->owner_gpu->slot);
}

static void export_fill(struct pair *pair, struct exported *exported, uint32_t seed)
{
	exported->seed = seed;
	for (size_t i = 0; i < exported->len >> STEP_SHIFT; i++)
		*step(exported, i) = seed + i;
	nv_svm_migrate(&pair->owner.svm, exported->ptr, exported->len);
	nv_assert_private(exported->ptr, exported->len);
}

static void export_create(struct pair *pair, struct exported *exported, size_t len)
{
	exported->len = len;
	exported->ptr = alloc_pages(len, true);
	export_fill(pair, exported, 1);
}

/* A window that is taken away before a warp had its turn costs one more fault. */
static void run_patiently(struct nv_compute *compute, const struct nv_kernel *kernel,
			  unsigned int threads, const struct nv_kernel_args *args)
{
	nv_compute_grid(compute, kernel, threads, args);
	igt_assert_eq(__nv_chan_submit(&compute->chan), 0);
	igt_assert_eq(__nv_chan_wait(&compute->chan, 5 * NV_CHAN_WAIT_MS), 0);
}

/* The importer's shader gathers one word of each step, which all have to be right. */
static void export_read(struct shader *shader, const struct exported *exported)
{
	const uint32_t *is = (const uint32_t *)shader->worker->ram.map;
	const struct nv_kernel_args args = {
		.dst = shader->worker->ram.va,
		.src = (uintptr_t)exported->ptr,
		.dst_shift = WORD_SHIFT,
		.src_shift = STEP_SHIFT,
	};
	const size_t count = exported->len >> STEP_SHIFT;

	memset(shader->worker->ram.map, 0, count << WORD_SHIFT);
	run_patiently(&shader->compute, &nv_kernel_copy, count, &args);
	for (size_t i = 0; i < count; i++)
		igt_assert_f(is[i] == exported->seed + i, "step %zu of %zu is %#x, not %#zx\n", i,
			     count, is[i], exported->seed + i);
}

/*
 * More was used than the windows show: they were recycled, every importer lost what they do not
 * show any more, and no page was sent to RAM instead.
 */
static void export_assert_windows(const struct pair *pair, const struct exported *exported)
{
	struct nv_counters counters;
	struct nv_p2p p2p;

	nv_p2p_read(pair->owner_gpu, &p2p);
	nv_counters_read(pair->importer_gpu, &counters);
	igt_info("%" PRIu64 " windows of %" PRIu64 ", recycled %" PRIu64 " times, %" PRIu64
		 " pages mapped by the peer, %zu of %zu in VRAM\n",
		 p2p.windows, p2p.windows_max,
		 p2p.windows_recycled - exported->before.windows_recycled, counters.peer_mappings,
		 nv_private_pages(exported->ptr, exported->len), exported->len / NV_PAGE_SIZE);
	igt_assert(p2p.windows <= p2p.windows_max);
	igt_assert(p2p.windows_max * NV_HUGE_SIZE < nv_bar1_size(pair->owner_gpu));
	igt_assert(counters.peer_mappings <= p2p.windows_max * (NV_HUGE_SIZE / NV_PAGE_SIZE));
	igt_assert(p2p.windows_recycled - exported->before.windows_recycled >=
		   exported->len / NV_HUGE_SIZE - p2p.windows_max);
	nv_assert_private(exported->ptr, exported->len);
}

static void test_small_bar1_read(struct pair *pair)
{
	struct exported exported;
	struct shader shader;

	require_small_bar1(pair, &exported.before);
	shader_create(&shader, pair);
	export_create(pair, &exported, nv_bar1_size(pair->owner_gpu) + 8 * NV_HUGE_SIZE);
	for (int i = 0; i < 2; i++) {
		export_read(&shader, &exported);
		export_assert_windows(pair, &exported);
	}
	munmap(exported.ptr, exported.len);
	shader_destroy(&shader);
}

static void test_small_bar1_write(struct pair *pair)
{
	const uint32_t seed = 0x1000000;
	struct nv_kernel_args args;
	struct exported exported;
	struct shader shader;

	require_small_bar1(pair, &exported.before);
	shader_create(&shader, pair);
	export_create(pair, &exported, nv_bar1_size(pair->owner_gpu) + 8 * NV_HUGE_SIZE);
	args = (struct nv_kernel_args){
		.dst = (uintptr_t)exported.ptr,
		.dst_shift = STEP_SHIFT,
		.value = seed,
	};
	run_patiently(&shader.compute, &nv_kernel_fill, exported.len >> STEP_SHIFT, &args);
	export_assert_windows(pair, &exported);
	exported.seed = seed;
	for (size_t i = 0; i < exported.len >> STEP_SHIFT; i++)
		igt_assert_eq_u32(*step(&exported, i), exported.seed + i);
	munmap(exported.ptr, exported.len);
	shader_destroy(&shader);
}

/* The copy engine cannot fault, so its pages are mapped and copied a window at a time. */
static void test_small_bar1_copy(struct pair *pair)
{
	const size_t len = 4 * KiB;
	struct exported exported;

	require_small_bar1(pair, &exported.before);
	export_create(pair, &exported, nv_bar1_size(pair->owner_gpu) + 8 * NV_HUGE_SIZE);
	for (size_t at = 0; at < exported.len; at += NV_HUGE_SIZE) {
		importer_maps(pair, exported.ptr + at, len);
		nv_worker_read(&pair->importer, exported.ptr + at, len);
		nv_ce_copy(&pair->importer.chan, pair->importer.ram.va, pair->importer.vram.va,
			   len);
		nv_chan_run(&pair->importer.chan);
		igt_assert_eq_u32(*(volatile uint32_t *)pair->importer.ram.map,
				  exported.seed + (at >> STEP_SHIFT));
	}
	export_assert_windows(pair, &exported);
	munmap(exported.ptr, exported.len);
}

/* The importer takes all of it at once, straight; windows go as the VRAM behind them is free. */
static void test_small_bar1_migrate(struct pair *pair)
{
	struct exported exported;
	struct nv_p2p after;
	struct shader shader;
	struct meter meter;
	size_t pages;

	require_small_bar1(pair, &exported.before);
	shader_create(&shader, pair);
	export_create(pair, &exported, nv_bar1_size(pair->owner_gpu) + 8 * NV_HUGE_SIZE);
	pages = exported.len / NV_PAGE_SIZE;
	migrate_start(&meter, pair, exported.ptr, exported.len);
	igt_assert_eq_u64(nv_svm_migrate(&pair->importer.svm, exported.ptr, exported.len), pages);
	migrate_assert(&meter, pair, pages, 0, 0);
	nv_p2p_read(pair->owner_gpu, &after);
	igt_info("%" PRIu64 " windows of %" PRIu64 ", recycled %" PRIu64 " times\n", after.windows,
		 after.windows_max, after.windows_recycled - exported.before.windows_recycled);
	nv_assert_private(exported.ptr, exported.len);
	export_read(&shader, &exported);
	munmap(exported.ptr, exported.len);
	shader_destroy(&shader);
}

/* A mapping of a window that shows something else now is out of the importer's reach. */
static void test_small_bar1_revoke(struct pair *pair)
{
	struct exported exported;
	struct shader shader;
	uint32_t *first;

	require_small_bar1(pair, &exported.before);
	igt_emit_ignore_dmesg_regex(NV_KILLED_DMESG);
	shader_create(&shader, pair);
	first = alloc_pages(NV_HUGE_SIZE, true);
	give_to_owner(pair, first, NV_HUGE_SIZE, 3);
	importer_maps(pair, first, NV_HUGE_SIZE);
	nv_worker_read(&pair->importer, first, 4 * KiB);
	nv_worker_check(&pair->importer, 4 * KiB, 3);
	export_create(pair, &exported, nv_bar1_size(pair->owner_gpu));
	export_read(&shader, &exported);
	export_assert_windows(pair, &exported);
	nv_worker_read_faults(&pair->importer, first, 4 * KiB);
	nv_assert_private(first, NV_HUGE_SIZE);
	nv_check(first, NV_HUGE_SIZE, 3);
	munmap(exported.ptr, exported.len);
	munmap(first, NV_HUGE_SIZE);
	shader_destroy(&shader);
}

/* The window that was asked for least recently is the one that goes. */
static void test_small_bar1_lru(struct pair *pair)
{
	const size_t len = 4 * KiB;
	struct nv_p2p before, after;
	char *ptr, *last;
	size_t windows;

	require_small_bar1(pair, &before);
	igt_emit_ignore_dmesg_regex(NV_KILLED_DMESG);
	windows = before.windows_max;
	ptr = alloc_pages((windows + 1) * NV_HUGE_SIZE, true);
	last = ptr + windows * NV_HUGE_SIZE;
	for (size_t i = 0; i <= windows; i++)
		nv_fill(ptr + i * NV_HUGE_SIZE, len, i);
	nv_svm_migrate(&pair->owner.svm, ptr, (windows + 1) * NV_HUGE_SIZE);
	for (size_t i = 0; i < windows; i++)
		importer_maps(pair, ptr + i * NV_HUGE_SIZE, len);
	/* the first one again; and all are old enough to be taken after that */
	importer_maps(pair, ptr, len);
	usleep(100000);
	nv_p2p_read(pair->owner_gpu, &before);
	importer_maps(pair, last, len);
	nv_p2p_read(pair->owner_gpu, &after);
	igt_assert_eq_u64(after.windows, windows);
	igt_assert_eq_u64(after.windows_recycled, before.windows_recycled + 1);

	for (size_t i = 0; i <= windows; i++) {
		if (i == 1)
			continue;
		nv_worker_read(&pair->importer, ptr + i * NV_HUGE_SIZE, len);
		nv_worker_check(&pair->importer, len, i);
	}
	nv_worker_read_faults(&pair->importer, ptr + NV_HUGE_SIZE, len);
	nv_assert_private(ptr, (windows + 1) * NV_HUGE_SIZE);
	munmap(ptr, (windows + 1) * NV_HUGE_SIZE);
}

/* The owner does not reach its own pages by BAR1, so it keeps its mappings of them. */
static void test_small_bar1_own(struct pair *pair)
{
	struct exported exported;
	struct shader shader;
	uint32_t *first;

	require_small_bar1(pair, &exported.before);
	shader_create(&shader, pair);
	first = alloc_pages(NV_HUGE_SIZE, true);
	give_to_owner(pair, first, NV_HUGE_SIZE, 3);
	importer_maps(pair, first, NV_HUGE_SIZE);
	igt_assert_eq_u64(nv_svm_prefetch(&pair->owner.svm, first, NV_HUGE_SIZE),
			  NV_HUGE_SIZE / NV_PAGE_SIZE);
	export_create(pair, &exported, nv_bar1_size(pair->owner_gpu));
	export_read(&shader, &exported);
	export_assert_windows(pair, &exported);
	nv_worker_read(&pair->owner, first, 64 * KiB);
	nv_worker_check(&pair->owner, 64 * KiB, 3);
	munmap(exported.ptr, exported.len);
	munmap(first, NV_HUGE_SIZE);
	shader_destroy(&shader);
}

/* A file, a process or a driver goes away */

static void assert_pair_works(struct pair *pair)
{
	struct pair other;

	pair_create(&other, pair->owner_gpu, pair->importer_gpu);
	copy_in(&other, (char *)nv_alloc(64 * KiB), 64 * KiB);
	pair_destroy(&other);
}

static void test_importer_close(struct pair *pair)
{
	const size_t len = 64 * KiB;
	uint32_t *ptr = nv_alloc(len);
	struct nv_worker other;

	require_p2p(pair);
	nv_worker_create(&other, pair->importer_gpu);
	give_to_owner(pair, ptr, len, 1);
	igt_assert_eq_u64(nv_svm_prefetch(&other.svm, ptr, len), len / NV_PAGE_SIZE);
	nv_worker_read(&other, ptr, len);
	nv_worker_check(&other, len, 1);
	nv_worker_destroy(&other);
	nv_assert_private(ptr, len);
	nv_check(ptr, len, 1);
	munmap(ptr, len);
}

static void test_owner_close(struct pair *pair)
{
	const size_t len = 64 * KiB;
	uint32_t *ptr = nv_alloc(len);
	struct nv_svm other;

	require_p2p(pair);
	nv_svm_init(&other, drm_reopen_driver(pair->owner_gpu->fd));
	nv_fill(ptr, len, 1);
	nv_svm_migrate(&other, ptr, len);
	importer_maps(pair, ptr, len);
	nv_svm_fini(&other);
	nv_worker_read(&pair->importer, ptr, len);
	nv_worker_check(&pair->importer, len, 1);
	nv_check(ptr, len, 1);
	munmap(ptr, len);
}

static void test_exit(struct pair *pair)
{
	require_p2p(pair);
	igt_fork(child, 1)
	{
		const size_t len = 64 * KiB;
		uint32_t *ptr = nv_alloc(len);
		struct pair mine;

		pair_create(&mine, pair->owner_gpu, pair->importer_gpu);
		give_to_owner(&mine, ptr, len, 1);
		importer_maps(&mine, ptr, len);
		nv_worker_read(&mine.importer, ptr, len);
		_exit(0);
	}
	igt_waitchildren();
	assert_pair_works(pair);
}

/* Lets go of all that keeps the files of both GPUs open. */
static void pair_abandon(struct pair *pair, struct shader *shader)
{
	nv_compute_abandon(&shader->compute);
	nv_worker_abandon(&pair->importer);
	nv_worker_abandon(&pair->owner);
}

/* A shader of the importer reads the owner's pages, which a child shares, and stores to others. */
static void use_shared(struct pair *pair, struct nv_survivor *survivor, bool huge,
		       bool child_keeps_files)
{
	char *shared = alloc_pages(NV_HUGE_SIZE, huge), *own = (char *)nv_alloc(RACE_LEN);
	struct shader shader;
	struct pair mine;

	pair_create(&mine, pair->owner_gpu, pair->importer_gpu);
	shader_create(&shader, &mine);
	give_to_owner(&mine, shared, NV_HUGE_SIZE, 1);
	if (nv_survivor_fork(survivor)) {
		if (!child_keeps_files)
			pair_abandon(&mine, &shader);
		nv_survivor_look(survivor, shared, NV_HUGE_SIZE, 1);
	}
	give_to_owner(&mine, own, RACE_LEN, 2);
	shader_read(&shader, shared, NV_HUGE_SIZE);
	nv_worker_check(&mine.importer, NV_HUGE_SIZE, 1);
	nv_survivor_used(survivor);
	for (uint32_t round = 0;; round++) {
		shader_store(&shader, &nv_kernel_fill, own, RACE_LEN, round);
		shader_read(&shader, shared, NV_HUGE_SIZE);
	}
}

/*
 * The process is killed while a shader of its importer uses pages in the owner's VRAM that a child
 * has, too. The child finds them there as they were; after it, nothing is left of windows of BAR1,
 * peer mappings, and VRAM in use.
 */
static void test_kill_while_shared(struct pair *pair, bool huge)
{
	const int rounds = SLOW_QUICK(20, 4);
	struct nv_counters before, now;
	struct nv_survivor survivor;
	struct nv_p2p p2p;
	uint64_t vram;

	require_p2p(pair);
	igt_emit_ignore_dmesg_regex(NV_KILLED_DMESG);
	igt_require_f(nv_counters_read(pair->importer_gpu, &before),
		      "this kernel has no debugfs file svm\n");
	munmap(alloc_pages(NV_HUGE_SIZE, huge), NV_HUGE_SIZE); /* the victim cannot skip */
	vram = vram_at_rest(pair);
	for (int i = 0; i < rounds; i++) {
		nv_survivor_init(&survivor);
		igt_fork_helper(&survivor.victim) use_shared(pair, &survivor, huge, i & 1);
		nv_survivor_wait(&survivor);
		nv_counters_read(pair->importer_gpu, &now);
		igt_assert(now.peer_mappings >= before.peer_mappings + NV_HUGE_SIZE / NV_PAGE_SIZE);
		igt_assert(nv_p2p_read(pair->owner_gpu, &p2p) && p2p.windows);
		usleep(i * 7000);
		nv_survivor_kill(&survivor);
		nv_survivor_assert(&survivor, NV_HUGE_SIZE);
		assert_vram_back(pair, vram);
		nv_counters_read(pair->importer_gpu, &now);
		igt_assert_eq_u64(now.peer_mappings, before.peer_mappings);
	}
	assert_pair_works(pair);
}

/* See suspend-vram of nouveau_svm: what the importer has mapped moves, too. */
static void test_suspend(struct pair *pair)
{
	const size_t len = 256 * KiB;
	uint32_t *ptr = nv_alloc(len), *faulted = nv_alloc(len);
	struct shader shader;
	struct nv_bo below;

	require_p2p(pair);
	shader_create(&shader, pair);
	nv_bo_create(&below, pair->owner.svm.fd, 256 * MiB, NOUVEAU_GEM_DOMAIN_VRAM);
	give_to_owner(pair, ptr, len, 1);
	importer_maps(pair, ptr, len);
	nv_worker_read(&pair->importer, ptr, len);
	give_to_owner(pair, faulted, len, 4);
	shader_read(&shader, faulted, len);
	shader_store(&shader, &nv_kernel_fill, faulted, len, 5);
	nv_assert_private(faulted, len);
	nv_bo_destroy(&below);

	igt_system_suspend_autoresume(SUSPEND_STATE_FREEZE, SUSPEND_TEST_PLATFORM);

	importer_maps(pair, ptr, len);
	nv_worker_read(&pair->importer, ptr, len);
	nv_worker_check(&pair->importer, len, 1);
	nv_worker_fill(&pair->importer, len, 2);
	nv_worker_write(&pair->importer, ptr, len);
	nv_check(ptr, len, 2);

	give_to_owner(pair, ptr, len, 3);
	importer_maps(pair, ptr, len);
	nv_worker_read(&pair->importer, ptr, len);
	nv_worker_check(&pair->importer, len, 3);
	nv_assert_private(ptr, len);

	/* as suspend of nouveau_svm_fault has it */
	shader_destroy(&shader);
	shader_create(&shader, pair);
	shader_store(&shader, &nv_kernel_increment, faulted, len, 6);
	check_sequence(faulted, len, 5 + 6, 1);
	give_to_owner(pair, faulted, len, 7);
	shader_read(&shader, faulted, len);
	nv_worker_check(&pair->importer, len, 7);
	nv_assert_private(faulted, len);
	munmap(faulted, len);
	munmap(ptr, len);
	shader_destroy(&shader);
	assert_pair_works(pair);
}

static void test_unbind(struct pair *pair, bool owner)
{
	struct nv_gpu *gpu = owner ? pair->owner_gpu : pair->importer_gpu;
	const size_t len = 64 * KiB;
	uint32_t *ptr = nv_alloc(len);

	require_p2p(pair);
	give_to_owner(pair, ptr, len, 1);
	importer_maps(pair, ptr, len);
	nv_worker_read(&pair->importer, ptr, len);
	nv_worker_check(&pair->importer, len, 1);
	nv_driver_unbind(gpu);
	if (owner) {
		nv_assert_ram(ptr, len);
		importer_maps(pair, ptr, len);
		nv_worker_read(&pair->importer, ptr, len);
		nv_worker_check(&pair->importer, len, 1);
	} else {
		nv_assert_private(ptr, len);
	}
	nv_check(ptr, len, 1);
	munmap(ptr, len);

	nv_worker_abandon(owner ? &pair->owner : &pair->importer);
	nv_worker_destroy(owner ? &pair->importer : &pair->owner);
	nv_gpu_rebind(gpu);
	pair_create(pair, pair->owner_gpu, pair->importer_gpu);
	assert_pair_works(pair);
}

/* Owner and importer go, one right after the other, while the one maps the other's pages. */
static void test_unbind_both(struct pair *pair, bool owner_first)
{
	struct nv_gpu *first = owner_first ? pair->owner_gpu : pair->importer_gpu;
	struct nv_gpu *second = owner_first ? pair->importer_gpu : pair->owner_gpu;
	const size_t len = 256 * KiB;
	uint32_t *ptr = nv_alloc(len);

	require_p2p(pair);
	give_to_owner(pair, ptr, len, 1);
	importer_maps(pair, ptr, len);
	nv_worker_read(&pair->importer, ptr, len);
	nv_driver_unbind(first);
	nv_driver_unbind(second);
	nv_assert_ram(ptr, len);
	nv_check(ptr, len, 1);
	munmap(ptr, len);

	nv_gpu_rebind(second);
	nv_gpu_rebind(first);
	nv_worker_abandon(&pair->importer);
	nv_worker_abandon(&pair->owner);
	pair_create(pair, pair->owner_gpu, pair->importer_gpu);
	assert_pair_works(pair);
}

/*
 * A thread whose shader stores to the same pages over and over, other words each time, until it is
 * told to stop or fails. Not on a stack that a failure unwinds.
 */
static struct filler {
	pthread_t thread;
	struct shader shader;
	char *ptr;
	volatile uint32_t value; /* of the latest shader that came to its end */
	int ret;
	volatile bool stop;
} filler;

static void *filler_main(void *arg)
{
	while (!filler.stop && !filler.ret) {
		const struct nv_kernel_args args = {
			.dst = (uintptr_t)filler.ptr,
			.dst_shift = WORD_SHIFT,
			.value = filler.value + RACE_VALUE,
			.count = RACE_LEN >> WORD_SHIFT,
		};

		nv_compute_grid(&filler.shader.compute, &nv_kernel_fill_all, NV_COMPUTE_BLOCK,
				&args);
		filler.ret = __nv_chan_submit(&filler.shader.compute.chan);
		if (!filler.ret)
			filler.ret = __nv_chan_ends(&filler.shader.compute.chan);
		if (!filler.ret)
			filler.value = args.value;
	}

	return NULL;
}

/* Returns: whether another shader came to its end. */
static bool filler_goes_on(void)
{
	const uint32_t value = filler.value;

	for (int i = 0; i < 1000 && filler.value == value; i++)
		usleep(10000);

	return filler.value != value;
}

static void filler_start(struct pair *pair)
{
	filler = (struct filler){ .ptr = (char *)nv_alloc(RACE_LEN) };
	shader_create(&filler.shader, pair);
	give_to_owner(pair, filler.ptr, RACE_LEN, 1);
	igt_assert_eq(pthread_create(&filler.thread, NULL, filler_main, NULL), 0);
	igt_assert(filler_goes_on());
	nv_assert_private(filler.ptr, RACE_LEN);
}

/* The owner's driver goes while a shader of the importer stores to its pages: it goes on in RAM. */
static void test_shader_owner_unbind(struct pair *pair)
{
	const int rounds = SLOW_QUICK(10, 2);

	require_p2p(pair);
	for (int round = 0; round < rounds; round++) {
		filler_start(pair);
		usleep(round * 3000);
		nv_driver_unbind(pair->owner_gpu);
		nv_assert_ram(filler.ptr, RACE_LEN);
		igt_assert_f(filler_goes_on(), "the importer's shader stopped with the owner\n");
		filler.stop = true;
		pthread_join(filler.thread, NULL);
		igt_assert_eq(filler.ret, 0);
		check_sequence((uint32_t *)filler.ptr, RACE_LEN, filler.value, 1);
		munmap(filler.ptr, RACE_LEN);
		shader_destroy(&filler.shader);

		nv_worker_abandon(&pair->owner);
		nv_gpu_rebind(pair->owner_gpu);
		nv_worker_create(&pair->owner, pair->owner_gpu);
	}
	assert_pair_works(pair);
}

/*
 * The importer's driver goes while its shader stores to the owner's pages. That ends somewhere,
 * after which nothing changes: the pages stay where they are, and each word is of this round or the
 * last one.
 */
static void test_shader_importer_unbind(struct pair *pair)
{
	const int rounds = SLOW_QUICK(10, 2);
	char *then = malloc(RACE_LEN);

	require_p2p(pair);
	igt_assert(then);
	igt_emit_ignore_dmesg_regex(NV_KILLED_DMESG);
	for (int round = 0; round < rounds; round++) {
		filler_start(pair);
		usleep(round * 3000);
		nv_driver_unbind(pair->importer_gpu);
		nv_assert_private(filler.ptr, RACE_LEN);
		owner_snapshot(pair, filler.ptr, then);
		pthread_join(filler.thread, NULL);
		igt_assert_eq(filler.ret, -ENODEV);
		usleep(20000);
		igt_assert_f(!memcmp(then, filler.ptr, RACE_LEN),
			     "a store came when the driver was gone\n");
		for (uint32_t i = 0; i < RACE_LEN >> WORD_SHIFT; i++) {
			const uint32_t is = ((uint32_t *)then)[i] - i;

			igt_assert_f(is == filler.value || is == filler.value + RACE_VALUE,
				     "word %u is of shader %#x, not of %#x or the next\n", i, is,
				     filler.value);
		}
		munmap(filler.ptr, RACE_LEN);

		nv_compute_abandon(&filler.shader.compute);
		nv_worker_abandon(&pair->importer);
		nv_gpu_rebind(pair->importer_gpu);
		nv_worker_create(&pair->importer, pair->importer_gpu);
	}
	free(then);
	assert_pair_works(pair);
}

/* Arguments make a subtest of a function. */
#define VARIANT(name, call)                 \
	static void name(struct pair *pair) \
	{                                   \
		call;                       \
	}
VARIANT(copy_in_4k, test_copy_in(pair, 4 * KiB))
VARIANT(copy_in_64k, test_copy_in(pair, 64 * KiB))
VARIANT(copy_in_2m, test_copy_in(pair, 2 * MiB))
VARIANT(copy_out_4k, test_copy_out(pair, 4 * KiB))
VARIANT(copy_out_64k, test_copy_out(pair, 64 * KiB))
VARIANT(copy_out_2m, test_copy_out(pair, 2 * MiB))
VARIANT(migrate_direct_4k, test_migrate_direct(pair, 4 * KiB))
VARIANT(migrate_direct_2m, test_migrate_direct(pair, 2 * MiB))
VARIANT(migrate_fallback, test_migrate_fallback(pair, false))
VARIANT(migrate_fallback_thp, test_migrate_fallback(pair, true))
VARIANT(migrate_cross_race, test_migrate_cross_race(pair, false))
VARIANT(migrate_cross_race_thp, test_migrate_cross_race(pair, true))
VARIANT(migrate_munmap_race, test_migrate_unmap_race(pair, change_munmap))
VARIANT(migrate_dontneed_race, test_migrate_unmap_race(pair, change_dontneed))
VARIANT(shader_read_4k, test_shader_read(pair, 4 * KiB, false))
VARIANT(shader_read_64k, test_shader_read(pair, 64 * KiB, false))
VARIANT(shader_read_2m, test_shader_read(pair, 2 * MiB, false))
VARIANT(shader_read_thp, test_shader_read(pair, NV_HUGE_SIZE, true))
VARIANT(shader_write_4k, test_shader_write(pair, 4 * KiB, false))
VARIANT(shader_write_64k, test_shader_write(pair, 64 * KiB, false))
VARIANT(shader_write_2m, test_shader_write(pair, 2 * MiB, false))
VARIANT(shader_write_thp, test_shader_write(pair, NV_HUGE_SIZE, true))
VARIANT(shader_faults, test_shader_faults(pair, false, 8))
VARIANT(shader_faults_thp, test_shader_faults(pair, true, 1))
VARIANT(shader_faults_write, test_shader_faults_write(pair, false, 8))
VARIANT(shader_faults_write_thp, test_shader_faults_write(pair, true, 1))
VARIANT(shader_munmap_race, test_shader_free_race(pair, change_munmap, true))
VARIANT(shader_dontneed_race, test_shader_free_race(pair, change_dontneed, false))
VARIANT(revoke_munmap, test_revoke(pair, change_munmap))
VARIANT(revoke_dontneed, test_revoke(pair, change_dontneed))
VARIANT(revoke_mprotect, test_revoke(pair, change_mprotect))
VARIANT(revoke_cpu_fault, test_revoke(pair, change_touch))
VARIANT(munmap_race, test_race(pair, change_munmap))
VARIANT(cpu_fault_race, test_race(pair, change_touch))
VARIANT(dontneed_race, test_race(pair, change_dontneed))
VARIANT(kill_while_shared, test_kill_while_shared(pair, false))
VARIANT(kill_while_shared_thp, test_kill_while_shared(pair, true))
VARIANT(owner_unbind, test_unbind(pair, true))
VARIANT(importer_unbind, test_unbind(pair, false))
VARIANT(owner_importer_unbind, test_unbind_both(pair, true))
VARIANT(importer_owner_unbind, test_unbind_both(pair, false))

static const struct subtest {
	const char *name;
	void (*run)(struct pair *pair);
	const char *describe;
} subtests[] = {
	{ "topology", test_topology, "Prints how the GPUs are connected and which way data takes" },
	{ "p2p-below-switch", test_p2p_below_switch,
	  "GPUs below a common switch reach each other directly" },
	{ "iommu-route", test_iommu_route,
	  "Peers' requests come to the IOMMU unless a switch carries them across" },
	{ "p2p-reasons", test_p2p_reasons,
	  "The driver says in debugfs how peers reach VRAM, and why not" },
	{ "peer-bounce", test_bounce, "Pages get from GPU to GPU by way of RAM" },
	{ "peer-migrate", test_migrate,
	  "Pages survive SVM_BIND of one GPU while they are in the VRAM of another" },
	{ "peer-migrate-direct-4k", migrate_direct_4k,
	  "SVM_BIND moves a page from the owner's VRAM to the importer's, straight" },
	{ "peer-migrate-direct-2m", migrate_direct_2m,
	  "SVM_BIND moves many pages from the owner's VRAM to the importer's, straight" },
	{ "peer-migrate-direct-thp", test_migrate_direct_thp,
	  "SVM_BIND moves a huge page from the owner's VRAM to the importer's, straight" },
	{ "peer-migrate-direct-thp-part", test_migrate_direct_thp_part,
	  "SVM_BIND moves a part of the owner's huge page to the importer's VRAM, straight" },
	{ "peer-migrate-direct-mixed", test_migrate_mixed,
	  "SVM_BIND moves pages of the owner and of RAM, and counts what it moved" },
	{ "peer-migrate-direct-holes", test_migrate_peer_holes,
	  "SVM_BIND moves the owner's pages around what is unmapped, discarded or read-only" },
	{ "peer-migrate-direct-revokes", test_migrate_revokes,
	  "No GPU reaches the old place of pages that went from one VRAM to the other" },
	{ "peer-migrate-direct-engine-stuck", test_migrate_peer_stuck,
	  "Pages stay in the owner's VRAM when the importer's copy engine does not answer" },
	{ "peer-migrate-direct-cross-race", migrate_cross_race,
	  "Two GPUs that both want the same pages take nothing from them" },
	{ "peer-migrate-direct-cross-race-thp", migrate_cross_race_thp,
	  "Two GPUs that both want the same huge page take nothing from it" },
	{ "peer-migrate-direct-touch-race", test_migrate_touch_race,
	  "Pages keep what the CPU writes while two GPUs want them" },
	{ "peer-migrate-direct-munmap-race", migrate_munmap_race,
	  "Pages that replace others keep their content while two GPUs want them" },
	{ "peer-migrate-direct-dontneed-race", migrate_dontneed_race,
	  "Pages are discarded while two GPUs want them" },
	{ "peer-migrate-direct-fork-race", test_migrate_fork_race,
	  "Pages stay the parent's and the child's own while two GPUs want them" },
	{ "peer-migrate-fallback", migrate_fallback,
	  "Without peer-to-peer SVM_BIND moves the owner's pages by way of RAM" },
	{ "peer-migrate-fallback-thp", migrate_fallback_thp,
	  "Without peer-to-peer SVM_BIND moves the owner's huge page by way of RAM" },
	{ "peer-target-cpu", test_peer_target_cpu,
	  "SVM_BIND of the importer brings pages in either VRAM home to RAM" },
	{ "peer-target-cpu-thp", test_peer_target_cpu_thp,
	  "SVM_BIND of the importer brings the owner's huge page home to RAM" },
	{ "peer-no-p2p-fallback", test_fallback,
	  "Without peer-to-peer the importer gets the same data by way of RAM" },
	{ "peer-copy-in-4k", copy_in_4k, "The importer reads a page of the owner's VRAM" },
	{ "peer-copy-in-64k", copy_in_64k, "The importer reads pages of the owner's VRAM" },
	{ "peer-copy-in-2m", copy_in_2m, "The importer reads many pages of the owner's VRAM" },
	{ "peer-copy-out-4k", copy_out_4k, "The importer writes a page of the owner's VRAM" },
	{ "peer-copy-out-64k", copy_out_64k, "The importer writes pages of the owner's VRAM" },
	{ "peer-copy-out-2m", copy_out_2m, "The importer writes many pages of the owner's VRAM" },
	{ "peer-thp", test_thp, "The importer reads and writes a huge page of the owner's VRAM" },
	{ "peer-read-stays", test_read_stays, "However often it is read, a page stays in VRAM" },
	{ "peer-write-visible", test_write_visible,
	  "The owner and the CPU see what the importer wrote" },
	{ "peer-mixed", test_mixed,
	  "The importer reads a range of its own VRAM, the owner's and RAM in place" },
	{ "peer-double-map", test_double_map,
	  "Owner and importer read the same pages, in VRAM and again in RAM" },
	{ "peer-pingpong", test_pingpong,
	  "Data stays right while two GPUs take turns as owner and importer" },
	{ "p2p-high-bar", test_high_bar, "Peers reach a BAR above 1 TiB" },
	{ "peer-concurrent-read", test_concurrent_read,
	  "Owner and importer read the same pages at once" },
	{ "peer-concurrent-write-disjoint", test_concurrent_write_disjoint,
	  "Owner and importer write different pages at once" },
	{ "peer-concurrent-cross", test_concurrent_cross, "Two GPUs read from each other at once" },
	{ "peer-stress-procs", test_stress_procs,
	  "Processes that all use both GPUs do not see each other's data" },
	{ "peer-three-gpus", test_three_gpus,
	  "What one importer writes to the owner's VRAM another importer reads" },
	{ "peer-third-unreachable", test_third_unreachable,
	  "Only what a GPU maps that does not reach the owner comes to RAM" },
	{ "peer-shader-read-4k", shader_read_4k,
	  "A shader of the importer faults and reads a page of the owner's VRAM in place" },
	{ "peer-shader-read-64k", shader_read_64k,
	  "A shader of the importer faults and reads pages of the owner's VRAM in place" },
	{ "peer-shader-read-2m", shader_read_2m,
	  "A shader of the importer faults and reads many pages of the owner's VRAM in place" },
	{ "peer-shader-read-thp", shader_read_thp,
	  "A shader of the importer faults and reads a huge page of the owner's VRAM in place" },
	{ "peer-shader-write-4k", shader_write_4k,
	  "A shader of the importer faults and writes a page of the owner's VRAM in place" },
	{ "peer-shader-write-64k", shader_write_64k,
	  "A shader of the importer faults and writes pages of the owner's VRAM in place" },
	{ "peer-shader-write-2m", shader_write_2m,
	  "A shader of the importer faults and writes many pages of the owner's VRAM in place" },
	{ "peer-shader-write-thp", shader_write_thp,
	  "A shader of the importer faults and writes a huge page of the owner's VRAM in place" },
	{ "peer-shader-faults", shader_faults,
	  "Reading through 2 MiB of the owner's small pages takes 8 faults at most" },
	{ "peer-shader-faults-thp", shader_faults_thp,
	  "Reading through a huge page of the owner's takes one fault" },
	{ "peer-shader-atomic", test_shader_atomic,
	  "For atomics of the importer's shader the owner's pages come to RAM" },
	{ "peer-shader-no-p2p-fallback", test_shader_fallback,
	  "Without peer-to-peer a fault of the importer's shader brings the pages to RAM" },
	{ "peer-shader-program", test_shader_program,
	  "A shader of the importer has its code and constants in the owner's VRAM" },
	{ "peer-shader-program-no-p2p-fallback", test_shader_program_fallback,
	  "Without peer-to-peer the code and constants of a shader go to RAM first" },
	{ "peer-shader-mixed", test_shader_mixed,
	  "A shader of the importer uses RAM, both GPUs' VRAM and holes in place, by turns" },
	{ "peer-shader-fork-cow", test_shader_fork,
	  "What the importer's shader writes after fork() stays the parent's" },
	{ "peer-shader-widths", test_shader_widths,
	  "Shaders of the importer read and write the owner's pages by 1, 2, 4, 8 and 16 bytes" },
	{ "peer-shader-faults-write", shader_faults_write,
	  "Writing through 2 MiB of the owner's small pages takes 8 faults at most" },
	{ "peer-shader-faults-write-thp", shader_faults_write_thp,
	  "Writing through a huge page of the owner's takes one fault" },
	{ "peer-shader-munmap-race", shader_munmap_race,
	  "What is unmapped under a shader of the importer no store of it reaches any more" },
	{ "peer-shader-dontneed-race", shader_dontneed_race,
	  "What is discarded under a shader of the importer no store of it reaches any more" },
	{ "peer-shader-mprotect-race", test_shader_mprotect_race,
	  "What becomes read-only under a shader of the importer no store of it reaches any more" },
	{ "peer-shader-mprotect-read-race", test_shader_mprotect_read_race,
	  "A shader of the importer reads on while the permissions of pages change" },
	{ "peer-shader-fork-race", test_shader_fork_race,
	  "No store of a running shader of the importer gets to a child" },
	{ "peer-shader-cpu-fault-race", test_shader_cpu_fault_race,
	  "No store of the importer is lost while the CPU and the owner take turns at the pages" },
	{ "peer-shader-owner-close-race", test_shader_owner_close_race,
	  "The owner's file is closed under a running shader of the importer" },
	{ "peer-shader-importer-close-race", test_shader_importer_close_race,
	  "The importer's file is closed under its running shader" },
	{ "peer-shader-exit-race", test_shader_exit_race,
	  "A process exits under its running shader, no store of which reaches other data" },
	{ "peer-concurrent-inc", test_concurrent_inc,
	  "Owner and importer add to the same words at once, and no addition is lost" },
	{ "peer-shader-concurrent-read", test_shader_concurrent_read,
	  "Shaders of both GPUs fault on the same pages, and read them" },
	{ "peer-shader-concurrent-write-disjoint", test_shader_concurrent_write,
	  "Shaders of both GPUs fault on the same pages, and store to other words of them" },
	{ "peer-shader-double-map", test_shader_double_map,
	  "Shaders of both GPUs use shared memory, each by a mapping of its own" },
	{ "peer-three-migrate", test_three_migrate,
	  "SVM_BIND moves pages of two GPUs straight to a third" },
	{ "peer-three-shaders-race", test_three_shaders_race,
	  "Shaders of three GPUs store to pages that go from one to the other" },
	{ "peer-three-shaders", test_three_shaders,
	  "Shaders of two importers use the same pages of the owner" },
	{ "peer-mprotect-ro", test_mprotect_ro,
	  "The importer reads, but cannot write, the owner's pages that became read-only" },
	{ "peer-shader-mprotect-ro", test_shader_mprotect_ro,
	  "The importer's shader reads the owner's read-only pages in place, and dies of a store" },
	{ "peer-revoke-munmap", revoke_munmap, "Unmapped pages are out of the importer's reach" },
	{ "peer-revoke-dontneed", revoke_dontneed,
	  "Discarded pages are out of the importer's reach" },
	{ "peer-revoke-mprotect", revoke_mprotect,
	  "Forbidden pages are out of the importer's reach" },
	{ "peer-revoke-cpu-fault", revoke_cpu_fault,
	  "The old place of pages that went back to RAM is out of the importer's reach" },
	{ "peer-munmap-race", munmap_race,
	  "No stale mapping stays when the importer maps while pages are unmapped" },
	{ "peer-cpu-fault-race", cpu_fault_race,
	  "No stale mapping stays when the importer maps while the CPU takes pages" },
	{ "peer-dontneed-race", dontneed_race,
	  "No stale mapping stays when the importer maps while pages are discarded" },
	{ "peer-reuse", test_reuse, "VRAM that the owner uses anew is not seen by the importer" },
	{ "peer-release", test_release,
	  "VRAM that is given back is out of BAR1, and comes back to serve the importer again" },
	{ "peer-fork-cow", test_fork_cow, "The importer's write after fork() stays the parent's" },
	{ "peer-counters", test_counters, "The driver counts its peer mappings up and down" },
	{ "peer-fdinfo", test_fdinfo,
	  "Fdinfo shows what the importer has mapped of the owner's VRAM" },
	{ "peer-evict", test_evict,
	  "The importer reads the same data after pressure on the owner's VRAM" },
	{ "peer-small-bar1-read", test_small_bar1_read,
	  "The importer reads more of the owner's VRAM than its BAR1 can show" },
	{ "peer-small-bar1-write", test_small_bar1_write,
	  "The importer writes more of the owner's VRAM than its BAR1 can show" },
	{ "peer-small-bar1-copy", test_small_bar1_copy,
	  "The importer's copy engine reads more of the owner's VRAM than its BAR1 can show" },
	{ "peer-small-bar1-migrate", test_small_bar1_migrate,
	  "SVM_BIND moves more of the owner's VRAM than its BAR1 can show to the importer's, straight" },
	{ "peer-small-bar1-revoke", test_small_bar1_revoke,
	  "What a recycled window of BAR1 showed is out of the importer's reach" },
	{ "peer-small-bar1-lru", test_small_bar1_lru,
	  "The window of BAR1 that was asked for least recently is recycled first" },
	{ "peer-small-bar1-own", test_small_bar1_own,
	  "The owner's own mappings outlive the window of BAR1" },
	{ "peer-importer-close", test_importer_close,
	  "Pages stay in the owner's VRAM when the importer's file is closed" },
	{ "peer-owner-close", test_owner_close,
	  "The importer still reads the pages when the owner's file is closed" },
	{ "peer-exit", test_exit, "A process exits with peer mappings, and peer-to-peer works on" },
	{ "peer-kill-while-shared", kill_while_shared,
	  "A process is killed while its importer uses the owner's pages that its child has, too" },
	{ "peer-kill-while-shared-thp", kill_while_shared_thp,
	  "A process is killed while its importer uses a huge page that its child has, too" },
	{ "peer-suspend", test_suspend,
	  "The importer uses the pages that it had mapped before the GPUs slept" },
	{ "peer-owner-unbind", owner_unbind,
	  "Pages go to RAM with the owner's driver, where the importer reads them" },
	{ "peer-importer-unbind", importer_unbind,
	  "Pages stay in the owner's VRAM when the importer's driver goes" },
	{ "peer-shader-owner-unbind", test_shader_owner_unbind,
	  "A shader of the importer goes on in RAM when the owner's driver goes" },
	{ "peer-shader-importer-unbind", test_shader_importer_unbind,
	  "No store of the importer's shader comes when its driver is gone" },
	{ "peer-owner-importer-unbind", owner_importer_unbind,
	  "Pages go to RAM when the owner's driver goes, and then the importer's" },
	{ "peer-importer-owner-unbind", importer_owner_unbind,
	  "Pages go to RAM when the importer's driver goes, and then the owner's" },
};

/**
 * SUBTEST: topology
 * Description: Prints how the GPUs are connected and which way data takes
 *
 * SUBTEST: p2p-below-switch
 * Description: GPUs below a common switch reach each other directly
 *
 * SUBTEST: iommu-route
 * Description: Peers' requests come to the IOMMU unless a switch carries them across
 *
 * SUBTEST: p2p-reasons
 * Description: The driver says in debugfs how peers reach VRAM, and why not
 *
 * SUBTEST: peer-bounce
 * Description: Pages get from GPU to GPU by way of RAM
 *
 * SUBTEST: peer-migrate
 * Description: Pages survive SVM_BIND of one GPU while they are in the VRAM of another
 *
 * SUBTEST: peer-migrate-direct-4k
 * Description: SVM_BIND moves a page from the owner's VRAM to the importer's, straight
 *
 * SUBTEST: peer-migrate-direct-2m
 * Description: SVM_BIND moves many pages from the owner's VRAM to the importer's, straight
 *
 * SUBTEST: peer-migrate-direct-thp
 * Description: SVM_BIND moves a huge page from the owner's VRAM to the importer's, straight
 *
 * SUBTEST: peer-migrate-direct-thp-part
 * Description: SVM_BIND moves a part of the owner's huge page to the importer's VRAM, straight
 *
 * SUBTEST: peer-migrate-direct-mixed
 * Description: SVM_BIND moves pages of the owner and of RAM, and counts what it moved
 *
 * SUBTEST: peer-migrate-direct-holes
 * Description: SVM_BIND moves the owner's pages around what is unmapped, discarded or read-only
 *
 * SUBTEST: peer-migrate-direct-revokes
 * Description: No GPU reaches the old place of pages that went from one VRAM to the other
 *
 * SUBTEST: peer-migrate-direct-engine-stuck
 * Description: Pages stay in the owner's VRAM when the importer's copy engine does not answer
 *
 * SUBTEST: peer-migrate-direct-cross-race
 * Description: Two GPUs that both want the same pages take nothing from them
 *
 * SUBTEST: peer-migrate-direct-cross-race-thp
 * Description: Two GPUs that both want the same huge page take nothing from it
 *
 * SUBTEST: peer-migrate-direct-touch-race
 * Description: Pages keep what the CPU writes while two GPUs want them
 *
 * SUBTEST: peer-migrate-direct-munmap-race
 * Description: Pages that replace others keep their content while two GPUs want them
 *
 * SUBTEST: peer-migrate-direct-dontneed-race
 * Description: Pages are discarded while two GPUs want them
 *
 * SUBTEST: peer-migrate-direct-fork-race
 * Description: Pages stay the parent's and the child's own while two GPUs want them
 *
 * SUBTEST: peer-migrate-fallback
 * Description: Without peer-to-peer SVM_BIND moves the owner's pages by way of RAM
 *
 * SUBTEST: peer-migrate-fallback-thp
 * Description: Without peer-to-peer SVM_BIND moves the owner's huge page by way of RAM
 *
 * SUBTEST: peer-target-cpu
 * Description: SVM_BIND of the importer brings pages in either VRAM home to RAM
 *
 * SUBTEST: peer-target-cpu-thp
 * Description: SVM_BIND of the importer brings the owner's huge page home to RAM
 *
 * SUBTEST: peer-no-p2p-fallback
 * Description: Without peer-to-peer the importer gets the same data by way of RAM
 *
 * SUBTEST: peer-copy-in-4k
 * Description: The importer reads a page of the owner's VRAM
 *
 * SUBTEST: peer-copy-in-64k
 * Description: The importer reads pages of the owner's VRAM
 *
 * SUBTEST: peer-copy-in-2m
 * Description: The importer reads many pages of the owner's VRAM
 *
 * SUBTEST: peer-copy-out-4k
 * Description: The importer writes a page of the owner's VRAM
 *
 * SUBTEST: peer-copy-out-64k
 * Description: The importer writes pages of the owner's VRAM
 *
 * SUBTEST: peer-copy-out-2m
 * Description: The importer writes many pages of the owner's VRAM
 *
 * SUBTEST: peer-thp
 * Description: The importer reads and writes a huge page of the owner's VRAM
 *
 * SUBTEST: peer-read-stays
 * Description: However often it is read, a page stays in VRAM
 *
 * SUBTEST: peer-write-visible
 * Description: The owner and the CPU see what the importer wrote
 *
 * SUBTEST: peer-mixed
 * Description: The importer reads a range of its own VRAM, the owner's and RAM in place
 *
 * SUBTEST: peer-double-map
 * Description: Owner and importer read the same pages, in VRAM and again in RAM
 *
 * SUBTEST: peer-pingpong
 * Description: Data stays right while two GPUs take turns as owner and importer
 *
 * SUBTEST: p2p-high-bar
 * Description: Peers reach a BAR above 1 TiB
 *
 * SUBTEST: peer-concurrent-read
 * Description: Owner and importer read the same pages at once
 *
 * SUBTEST: peer-concurrent-write-disjoint
 * Description: Owner and importer write different pages at once
 *
 * SUBTEST: peer-concurrent-cross
 * Description: Two GPUs read from each other at once
 *
 * SUBTEST: peer-stress-procs
 * Description: Processes that all use both GPUs do not see each other's data
 *
 * SUBTEST: peer-three-gpus
 * Description: What one importer writes to the owner's VRAM another importer reads
 *
 * SUBTEST: peer-third-unreachable
 * Description: Only what a GPU maps that does not reach the owner comes to RAM
 *
 * SUBTEST: peer-shader-read-4k
 * Description: A shader of the importer faults and reads a page of the owner's VRAM in place
 *
 * SUBTEST: peer-shader-read-64k
 * Description: A shader of the importer faults and reads pages of the owner's VRAM in place
 *
 * SUBTEST: peer-shader-read-2m
 * Description: A shader of the importer faults and reads many pages of the owner's VRAM in place
 *
 * SUBTEST: peer-shader-read-thp
 * Description: A shader of the importer faults and reads a huge page of the owner's VRAM in place
 *
 * SUBTEST: peer-shader-write-4k
 * Description: A shader of the importer faults and writes a page of the owner's VRAM in place
 *
 * SUBTEST: peer-shader-write-64k
 * Description: A shader of the importer faults and writes pages of the owner's VRAM in place
 *
 * SUBTEST: peer-shader-write-2m
 * Description: A shader of the importer faults and writes many pages of the owner's VRAM in place
 *
 * SUBTEST: peer-shader-write-thp
 * Description: A shader of the importer faults and writes a huge page of the owner's VRAM in place
 *
 * SUBTEST: peer-shader-faults
 * Description: Reading through 2 MiB of the owner's small pages takes 8 faults at most
 *
 * SUBTEST: peer-shader-faults-thp
 * Description: Reading through a huge page of the owner's takes one fault
 *
 * SUBTEST: peer-shader-atomic
 * Description: For atomics of the importer's shader the owner's pages come to RAM
 *
 * SUBTEST: peer-shader-no-p2p-fallback
 * Description: Without peer-to-peer a fault of the importer's shader brings the pages to RAM
 *
 * SUBTEST: peer-shader-program
 * Description: A shader of the importer has its code and constants in the owner's VRAM
 *
 * SUBTEST: peer-shader-program-no-p2p-fallback
 * Description: Without peer-to-peer the code and constants of a shader go to RAM first
 *
 * SUBTEST: peer-shader-mixed
 * Description: A shader of the importer uses RAM, both GPUs' VRAM and holes in place, by turns
 *
 * SUBTEST: peer-shader-fork-cow
 * Description: What the importer's shader writes after fork() stays the parent's
 *
 * SUBTEST: peer-shader-widths
 * Description: Shaders of the importer read and write the owner's pages by 1, 2, 4, 8 and 16 bytes
 *
 * SUBTEST: peer-shader-faults-write
 * Description: Writing through 2 MiB of the owner's small pages takes 8 faults at most
 *
 * SUBTEST: peer-shader-faults-write-thp
 * Description: Writing through a huge page of the owner's takes one fault
 *
 * SUBTEST: peer-shader-munmap-race
 * Description: What is unmapped under a shader of the importer no store of it reaches any more
 *
 * SUBTEST: peer-shader-dontneed-race
 * Description: What is discarded under a shader of the importer no store of it reaches any more
 *
 * SUBTEST: peer-shader-mprotect-race
 * Description: What becomes read-only under a shader of the importer no store of it reaches any
 *   more
 *
 * SUBTEST: peer-shader-mprotect-read-race
 * Description: A shader of the importer reads on while the permissions of pages change
 *
 * SUBTEST: peer-shader-fork-race
 * Description: No store of a running shader of the importer gets to a child
 *
 * SUBTEST: peer-shader-cpu-fault-race
 * Description: No store of the importer is lost while the CPU and the owner take turns at the pages
 *
 * SUBTEST: peer-shader-owner-close-race
 * Description: The owner's file is closed under a running shader of the importer
 *
 * SUBTEST: peer-shader-importer-close-race
 * Description: The importer's file is closed under its running shader
 *
 * SUBTEST: peer-shader-exit-race
 * Description: A process exits under its running shader, no store of which reaches other data
 *
 * SUBTEST: peer-concurrent-inc
 * Description: Owner and importer add to the same words at once, and no addition is lost
 *
 * SUBTEST: peer-shader-concurrent-read
 * Description: Shaders of both GPUs fault on the same pages, and read them
 *
 * SUBTEST: peer-shader-concurrent-write-disjoint
 * Description: Shaders of both GPUs fault on the same pages, and store to other words of them
 *
 * SUBTEST: peer-shader-double-map
 * Description: Shaders of both GPUs use shared memory, each by a mapping of its own
 *
 * SUBTEST: peer-three-migrate
 * Description: SVM_BIND moves pages of two GPUs straight to a third
 *
 * SUBTEST: peer-three-shaders-race
 * Description: Shaders of three GPUs store to pages that go from one to the other
 *
 * SUBTEST: peer-three-shaders
 * Description: Shaders of two importers use the same pages of the owner
 *
 * SUBTEST: peer-mprotect-ro
 * Description: The importer reads, but cannot write, the owner's pages that became read-only
 *
 * SUBTEST: peer-shader-mprotect-ro
 * Description: The importer's shader reads the owner's read-only pages in place, and dies of a
 *   store
 *
 * SUBTEST: peer-revoke-munmap
 * Description: Unmapped pages are out of the importer's reach
 *
 * SUBTEST: peer-revoke-dontneed
 * Description: Discarded pages are out of the importer's reach
 *
 * SUBTEST: peer-revoke-mprotect
 * Description: Forbidden pages are out of the importer's reach
 *
 * SUBTEST: peer-revoke-cpu-fault
 * Description: The old place of pages that went back to RAM is out of the importer's reach
 *
 * SUBTEST: peer-munmap-race
 * Description: No stale mapping stays when the importer maps while pages are unmapped
 *
 * SUBTEST: peer-cpu-fault-race
 * Description: No stale mapping stays when the importer maps while the CPU takes pages
 *
 * SUBTEST: peer-dontneed-race
 * Description: No stale mapping stays when the importer maps while pages are discarded
 *
 * SUBTEST: peer-reuse
 * Description: VRAM that the owner uses anew is not seen by the importer
 *
 * SUBTEST: peer-release
 * Description: VRAM that is given back is out of BAR1, and comes back to serve the importer again
 *
 * SUBTEST: peer-fork-cow
 * Description: The importer's write after fork() stays the parent's
 *
 * SUBTEST: peer-counters
 * Description: The driver counts its peer mappings up and down
 *
 * SUBTEST: peer-fdinfo
 * Description: Fdinfo shows what the importer has mapped of the owner's VRAM
 *
 * SUBTEST: peer-evict
 * Description: The importer reads the same data after pressure on the owner's VRAM
 *
 * SUBTEST: peer-small-bar1-read
 * Description: The importer reads more of the owner's VRAM than its BAR1 can show
 *
 * SUBTEST: peer-small-bar1-write
 * Description: The importer writes more of the owner's VRAM than its BAR1 can show
 *
 * SUBTEST: peer-small-bar1-copy
 * Description: The importer's copy engine reads more of the owner's VRAM than its BAR1 can show
 *
 * SUBTEST: peer-small-bar1-migrate
 * Description: SVM_BIND moves more of the owner's VRAM than its BAR1 can show to the importer's,
 *   straight
 *
 * SUBTEST: peer-small-bar1-revoke
 * Description: What a recycled window of BAR1 showed is out of the importer's reach
 *
 * SUBTEST: peer-small-bar1-lru
 * Description: The window of BAR1 that was asked for least recently is recycled first
 *
 * SUBTEST: peer-small-bar1-own
 * Description: The owner's own mappings outlive the window of BAR1
 *
 * SUBTEST: peer-importer-close
 * Description: Pages stay in the owner's VRAM when the importer's file is closed
 *
 * SUBTEST: peer-owner-close
 * Description: The importer still reads the pages when the owner's file is closed
 *
 * SUBTEST: peer-exit
 * Description: A process exits with peer mappings, and peer-to-peer works on
 *
 * SUBTEST: peer-kill-while-shared
 * Description: A process is killed while its importer uses the owner's pages that its child has,
 *   too
 *
 * SUBTEST: peer-kill-while-shared-thp
 * Description: A process is killed while its importer uses a huge page that its child has, too
 *
 * SUBTEST: peer-suspend
 * Description: The importer uses the pages that it had mapped before the GPUs slept
 *
 * SUBTEST: peer-owner-unbind
 * Description: Pages go to RAM with the owner's driver, where the importer reads them
 *
 * SUBTEST: peer-importer-unbind
 * Description: Pages stay in the owner's VRAM when the importer's driver goes
 *
 * SUBTEST: peer-shader-owner-unbind
 * Description: A shader of the importer goes on in RAM when the owner's driver goes
 *
 * SUBTEST: peer-shader-importer-unbind
 * Description: No store of the importer's shader comes when its driver is gone
 *
 * SUBTEST: peer-owner-importer-unbind
 * Description: Pages go to RAM when the owner's driver goes, and then the importer's
 *
 * SUBTEST: peer-importer-owner-unbind
 * Description: Pages go to RAM when the importer's driver goes, and then the owner's
 *
 * SUBTEST: peer-stress-threads
 * Description: Threads use the same pages on all GPUs at random, and every word is right
 *
 * SUBTEST: peer-stress-fork
 * Description: Processes that share pages by fork() use them on all GPUs, and every word is right
 */
int igt_main()
{
	igt_fixture()
	{
		nr_gpus = nv_gpu_open_all(gpus);
		igt_require_f(nr_gpus >= 2, "needs two Pascal GPUs driven by nouveau, found %d\n",
			      nr_gpus);
		nv_require_pagemap();
		p2p_param = nv_p2p_param_get();
		igt_install_exit_handler(restore_param);
	}

	for (int i = 0; i < ARRAY_SIZE(subtests); i++) {
		igt_describe(subtests[i].describe);
		igt_subtest_with_dynamic(subtests[i].name)
		{
			for (int owner = 0; owner < nr_gpus; owner++) {
				for (int importer = 0; importer < nr_gpus; importer++) {
					if (owner == importer)
						continue;
					igt_dynamic_f("gpu%d-gpu%d", owner, importer)
					{
						struct pair pair;

						pair_create(&pair, &gpus[owner], &gpus[importer]);
						subtests[i].run(&pair);
						pair_destroy(&pair);
					}
				}
			}
		}
	}

	igt_describe("Threads use the same pages on all GPUs at random, and every word is right");
	igt_subtest("peer-stress-threads") test_stress_threads();

	igt_describe(
		"Processes that share pages by fork() use them on all GPUs, and every word is right");
	igt_subtest("peer-stress-fork") test_stress_fork();

	igt_fixture()
	{
		for (int i = 0; i < nr_gpus; i++)
			nv_gpu_close(&gpus[i]);
	}
}
