// SPDX-License-Identifier: MIT
/**
 * TEST: nouveau SVM tracing
 * Category: Core
 * Mega feature: SVM
 * Sub-category: observability
 * Description: The tracepoints of nouveau's SVM tell what became of pages, and only that.
 */
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "igt.h"
#include "nouveau_drm.h"
#include "nouveau/nv_compute.h"
#include "nouveau/nv_device.h"
#include "nouveau/nv_svm.h"
#include "nouveau/nv_worker.h"

IGT_TEST_DESCRIPTION("Tracepoints of nouveau's SVM");

#define PAGES	   NV_COMPUTE_BLOCK /* a shader has a thread for each */
#define LEN	   (PAGES * NV_PAGE_SIZE)
#define PAGE_SHIFT 12

static struct nv_gpu gpu[2];
static bool has_peer;
static struct nv_svm svm[2];

/* A trace buffer of the test's own, so that it disturbs nobody who traces. */
static int trace_fd = -1; /* its directory */

static void trace_write(const char *name, const char *text)
{
	int fd = openat(trace_fd, name, O_WRONLY | O_TRUNC);

	igt_assert_f(fd >= 0, "%s: %s\n", name, strerror(errno));
	igt_assert_f(write(fd, text, strlen(text)) == strlen(text), "%s: %s\n", name,
		     strerror(errno));
	close(fd);
}

#define TRACEFS	 "/sys/kernel/tracing"
#define INSTANCE TRACEFS "/instances/igt-nouveau"

static void trace_remove(int sig)
{
	if (trace_fd < 0)
		return;
	close(trace_fd);
	trace_fd = -1;
	rmdir(INSTANCE);
}

/* Who has no systemd may have tracefs without a mount of it. */
static void trace_create(void)
{
	if (access(TRACEFS "/events", F_OK))
		igt_require_f(!mount("tracefs", TRACEFS, "tracefs", 0, NULL), "no tracefs: %s\n",
			      strerror(errno));
	igt_require_f(!access(TRACEFS "/events/nouveau_svm", F_OK),
		      "this kernel has no tracepoints of nouveau's SVM\n");
	igt_assert_f(!mkdir(INSTANCE, 0700) || errno == EEXIST, "%s: %s\n", INSTANCE,
		     strerror(errno));
	trace_fd = open(INSTANCE, O_RDONLY | O_DIRECTORY);
	igt_assert(trace_fd >= 0);
	igt_install_exit_handler(trace_remove);
	trace_write("events/nouveau_svm/enable", "1");
}

/* What the driver handles in one go ends at a boundary of 2 MiB: it is not in there. */
static uint32_t *alloc(void)
{
	uint32_t *ptr = nv_alloc(2 * LEN);

	return (uint32_t *)ALIGN((uintptr_t)ptr, LEN);
}

static void trace_clear(void)
{
	trace_write("trace", "");
}

static unsigned int trace_vcount(const char *name, const char *what)
{
	char line[512];
	int fd = openat(trace_fd, "trace", O_RDONLY);
	FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
	unsigned int count = 0;

	igt_assert(file);
	while (fgets(line, sizeof(line), file)) {
		if (line[0] != '#')
			igt_debug("%s", line);
		if (strstr(line, name) && strstr(line, what))
			count++;
	}
	fclose(file);
	return count;
}

/* Asserts how many lines have @event, the GPU and @text, which is printf()'s. */
__attribute__((format(printf, 4, 5))) static void
trace_assert(unsigned int want, const char *event, const struct nv_gpu *of, const char *text, ...)
{
	char name[64], what[192];
	unsigned int is;
	va_list args;

	snprintf(name, sizeof(name), " nouveau_svm_%s: %s ", event, of->slot);
	va_start(args, text);
	vsnprintf(what, sizeof(what), text, args);
	va_end(args);
	is = trace_vcount(name, what);
	igt_assert_f(is == want, "%u lines with%sand %s instead of %u\n", is, name, what, want);
}

static void test_migrate(void)
{
	uint32_t *ptr = alloc();
	uintptr_t addr = (uintptr_t)ptr;

	nv_fill(ptr, LEN, 1);
	trace_clear();
	igt_assert_eq_u64(nv_svm_migrate(&svm[0], ptr, LEN), PAGES);
	trace_assert(1, "migrate", &gpu[0], "to=VRAM addr=0x%lx pages=%d migrated=%d reason=bind",
		     addr, PAGES, PAGES);
	trace_assert(0, "migrate", &gpu[0], "to=RAM");
	nv_check(ptr, NV_PAGE_SIZE, 1);
	trace_assert(1, "migrate", &gpu[0], "to=RAM addr=0x%lx pages=1 migrated=1 reason=CPU fault",
		     addr);
	igt_assert_eq_u64(nv_svm_migrate_home(&svm[0], ptr, LEN), PAGES - 1);
	trace_assert(2, "migrate", &gpu[0], "to=RAM");
	trace_assert(0, "migrate", &gpu[0], "reason=evict");
	munmap(ptr, LEN);
}

static void test_invalidate(void)
{
	uint32_t *ptr = alloc();
	uintptr_t addr = (uintptr_t)ptr;

	nv_fill(ptr, LEN, 1);
	nv_svm_prefetch(&svm[0], ptr, LEN);
	trace_clear();
	igt_assert_eq(mprotect(ptr, LEN, PROT_READ), 0);
	trace_assert(1, "invalidate", &gpu[0], "range=0x%lx-0x%lx reason=protection", addr,
		     addr + LEN);
	munmap(ptr, LEN);
	trace_assert(1, "invalidate", &gpu[0], "range=0x%lx-0x%lx reason=unmap", addr, addr + LEN);
}

/*
 * A word of each page: a fault for each at least. What is handled in one go is what the GPU has
 * reported by then; the rest it reports again.
 */
static void test_fault(void)
{
	uint32_t *ptr = alloc();
	uintptr_t addr = (uintptr_t)ptr;
	const struct nv_kernel_args args = { .dst = addr, .dst_shift = PAGE_SHIFT, .value = 7 };
	struct nv_counters before, after;
	struct nv_compute compute;
	char name[64], what[64];

	nv_compute_create(&compute, svm[0].fd, gpu[0].chipset);
	igt_assert(nv_counters_read(&gpu[0], &before));
	trace_clear();
	nv_compute_run(&compute, &nv_kernel_fill, PAGES, &args);
	igt_assert(nv_counters_read(&gpu[0], &after));
	snprintf(name, sizeof(name), " nouveau_svm_fault: %s ", gpu[0].slot);
	for (int i = 0; i < PAGES; i++) {
		snprintf(what, sizeof(what), "addr=0x%lx access=write", addr + i * NV_PAGE_SIZE);
		igt_assert_f(trace_vcount(name, what), "no line with%sand %s\n", name, what);
		igt_assert_eq_u32(ptr[i * NV_PAGE_SIZE / 4], 7 + i);
	}
	trace_assert(after.gpu_faults - before.gpu_faults, "fault", &gpu[0], "addr=");
	igt_assert(trace_vcount(" nouveau_svm_fault_done: ", "good=") > 0);
	nv_compute_destroy(&compute);
	munmap(ptr, LEN);
}

/* Of a wild pointer's faults none is good. */
static void test_cancel(void)
{
	uint32_t *ptr = alloc();
	const struct nv_kernel_args args = { .dst = (uintptr_t)ptr, .dst_shift = 2 };
	struct nv_compute compute;
	int fd = drm_reopen_driver(gpu[0].fd);
	struct nv_svm own;

	igt_emit_ignore_dmesg_regex(NV_KILLED_DMESG);
	munmap(ptr, LEN);
	nv_svm_init(&own, fd);
	nv_compute_create(&compute, fd, gpu[0].chipset);
	trace_clear();
	nv_compute_grid(&compute, &nv_kernel_fill, NV_COMPUTE_BLOCK, &args);
	igt_assert_f(!nv_chan_ends(&compute.chan), "the shader came to its end\n");
	trace_assert(1, "fault", &gpu[0], "addr=0x%lx access=write", (uintptr_t)ptr);
	nv_compute_abandon(&compute);
	nv_svm_fini(&own); /* waits for who cancels; the channel goes before that is over */
	trace_assert(1, "fault_done", &gpu[0], "faults=1 good=0");
}

/* What is mapped is told once, and that it is taken away; before that, that the owner was asked. */
static void peer(int owner, size_t len, size_t mapped)
{
	const int importer = !owner;
	const unsigned int maps = len / mapped;
	uint32_t *ptr = mapped == NV_HUGE_SIZE ? nv_alloc_huge(len) : alloc();
	unsigned int aliases;
	char name[64];

	nv_fill(ptr, len, 1);
	igt_require_f(mapped < NV_HUGE_SIZE || nv_is_huge_page(ptr),
		      "got no huge page (see transparent_hugepage/enabled)\n");
	igt_assert_eq_u64(nv_svm_migrate(&svm[owner], ptr, len), len / NV_PAGE_SIZE);
	trace_clear();
	igt_assert_eq_u64(nv_svm_prefetch(&svm[importer], ptr, len), len / NV_PAGE_SIZE);
	igt_require_f(nv_private_pages(ptr, len), "there is no peer-to-peer path\n");
	for (int i = 0; i < maps; i++)
		trace_assert(1, "peer_map", &gpu[importer], "addr=0x%lx size=0x%zx ",
			     (uintptr_t)ptr + i * mapped, mapped);
	trace_assert(maps, "peer_map", &gpu[importer], "addr=");
	trace_assert(0, "peer_unmap", &gpu[importer], "addr=");
	snprintf(name, sizeof(name), " nouveau_svm_alias: %s ", gpu[owner].slot);
	aliases = trace_vcount(name, "error=0");
	igt_assert_f(aliases, "the owner was not asked\n");
	trace_assert(aliases, "alias", &gpu[owner], "vram=");
	munmap(ptr, len);
	trace_assert(maps, "peer_unmap", &gpu[importer], "reason=unmap");
	trace_assert(maps, "peer_unmap", &gpu[importer], "addr=");
}

static void test_peer(size_t len, size_t mapped)
{
	igt_require_f(has_peer, "needs two GPUs\n");
	/*
	 * The kernel warns, once a pair, of a route that it does not trust, and of one that is
	 * longer.
	 */
	igt_emit_ignore_dmesg_regex("cannot be used for peer-to-peer DMA|P2PDMA whitelist|"
				    "ACS redirect");
	for (int owner = 0; owner < 2; owner++)
		peer(owner, len, mapped);
}

static void test_peer_small(void)
{
	test_peer(LEN, NV_PAGE_SIZE);
}

static void test_peer_thp(void)
{
	test_peer(NV_HUGE_SIZE, NV_HUGE_SIZE);
}

static const struct {
	const char *name;
	void (*run)(void);
	const char *describe;
} subtests[] = {
	{ "migrate", test_migrate, "Migrations are told, with their reason" },
	{ "invalidate", test_invalidate, "What is taken from the GPU is told, with its reason" },
	{ "fault", test_fault, "A shader's faults are told, and that they were handled" },
	{ "cancel", test_cancel, "Faults of a wild pointer are told as such that were cancelled" },
	{ "peer", test_peer_small, "Mappings of a peer's memory are told, and their end" },
	{ "peer-thp", test_peer_thp, "A huge page of a peer is mapped by one entry" },
};

/**
 * SUBTEST: migrate
 * Description: Migrations are told, with their reason
 *
 * SUBTEST: invalidate
 * Description: What is taken from the GPU is told, with its reason
 *
 * SUBTEST: fault
 * Description: A shader's faults are told, and that they were handled
 *
 * SUBTEST: cancel
 * Description: Faults of a wild pointer are told as such that were cancelled
 *
 * SUBTEST: peer
 * Description: Mappings of a peer's memory are told, and their end
 *
 * SUBTEST: peer-thp
 * Description: A huge page of a peer is mapped by one entry
 */
int igt_main()
{
	igt_fixture()
	{
		nv_gpu_open(&gpu[0], 0);
		igt_require_f(nv_is_pascal(&gpu[0]), "needs a Pascal GPU\n");
		has_peer = __nv_gpu_open(&gpu[1], 1);
		for (int i = 0; i <= has_peer; i++)
			nv_svm_init(&svm[i], drm_reopen_driver(gpu[i].fd));
		trace_create();
	}

	for (int i = 0; i < ARRAY_SIZE(subtests); i++) {
		igt_describe(subtests[i].describe);
		igt_subtest(subtests[i].name) subtests[i].run();
	}

	igt_fixture()
	{
		for (int i = 0; i <= has_peer; i++) {
			nv_svm_fini(&svm[i]);
			nv_gpu_close(&gpu[i]);
		}
	}
}
