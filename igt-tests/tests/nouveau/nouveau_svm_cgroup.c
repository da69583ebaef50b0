// SPDX-License-Identifier: MIT
/**
 * TEST: nouveau SVM and limits of control groups
 * Category: Core
 * Mega feature: SVM
 * Sub-category: memory pressure
 * Description: VRAM of migrated pages is charged to the control group of who migrates them, as that
 * of buffers is, and the limit of a group holds. The controller is dmem, of version 2. Tier 1.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "igt.h"
#include "nouveau_drm.h"
#include "nouveau/nv_chan.h"
#include "nouveau/nv_device.h"
#include "nouveau/nv_svm.h"

IGT_TEST_DESCRIPTION("Limits of control groups, with nouveau's SVM");

#define MiB	    (1ul << 20)
#define CHUNK	    NV_HUGE_SIZE /* what a group is charged for a page */
#define RACE_ROUNDS 100

static struct nv_gpu gpu;
static struct nv_svm svm;

static char root[64] = "/sys/fs/cgroup";
static bool mounted;
static char home[PATH_MAX]; /* the group that this process comes from */
static char region[64];	    /* the VRAM of the GPU, in the controller's files */

static void path_of(char *path, size_t size, const char *group, const char *file)
{
	igt_assert((size_t)snprintf(path, size, "%s/%s/%s", root, group, file) < size);
}

static int group_write(const char *group, const char *file, const char *text)
{
	char path[PATH_MAX];
	int fd, ret = 0;

	path_of(path, sizeof(path), group, file);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		ret = -errno;
	if (fd >= 0)
		close(fd);
	return ret;
}

/* The region's number in a file of a group. */
static bool group_read(const char *group, const char *file, uint64_t *value)
{
	char path[PATH_MAX], line[256], name[sizeof(region)], text[32];
	bool found = false;
	FILE *f;

	path_of(path, sizeof(path), group, file);
	f = fopen(path, "r");
	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f))
		found = sscanf(line, "%63s %31s", name, text) == 2 && !strcmp(name, region);
	fclose(f);
	if (found)
		*value = strtoull(text, NULL, 10);
	return found;
}

static uint64_t charged(const char *group)
{
	uint64_t bytes = 0;

	igt_assert_f(group_read(group, "dmem.current", &bytes), "no %s in dmem.current of %s\n",
		     region, group);
	return bytes;
}

static void set_bytes(const char *group, const char *file, uint64_t bytes)
{
	char text[128];

	snprintf(text, sizeof(text), "%s %" PRIu64, region, bytes);
	igt_assert_eq(group_write(group, file, text), 0);
}

static void group_create(const char *group)
{
	char path[PATH_MAX];

	path_of(path, sizeof(path), group, "");
	igt_assert_f(!mkdir(path, 0755), "%s: %m\n", path);
}

static int __group_remove(const char *group)
{
	char path[PATH_MAX];

	path_of(path, sizeof(path), group, "");
	return rmdir(path) ? -errno : 0;
}

static void group_remove(const char *group)
{
	igt_assert_eq(__group_remove(group), 0);
}

static void enter(const char *group)
{
	igt_assert_eq(group_write(group, "cgroup.procs", "0"), 0);
}

/* Pages that are not in VRAM never got there, or went home: this tells which, if a test fails. */
static void debug_counters(void)
{
	struct nv_counters counters;

	if (nv_counters_read(&gpu, &counters))
		igt_debug("pages so far: %" PRIu64 " to VRAM, %" PRIu64 " to RAM\n",
			  counters.migrated_to_vram, counters.migrated_to_ram);
}

/* In parts, as a stock driver loses what is more than one copy. */
static uint32_t *to_vram(size_t len, uint32_t seed)
{
	uint32_t *ptr = nv_alloc(len);
	size_t part;

	nv_fill(ptr, len, seed);
	for (size_t i = 0; i < len; i += part) {
		part = len - i < NV_HUGE_SIZE ? len - i : NV_HUGE_SIZE;
		igt_debug("%p, %zu pages: %" PRIu64 " migrated\n", (char *)ptr + i,
			  part / NV_PAGE_SIZE, nv_svm_migrate(&svm, (char *)ptr + i, part));
	}
	debug_counters();
	return ptr;
}

/* Memory in VRAM that group b has, and that nobody may take. */
static uint32_t *others(size_t len)
{
	uint32_t *ptr;

	enter("b");
	ptr = to_vram(len, 2);
	nv_assert_private(ptr, len);
	enter("a");
	return ptr;
}

static void check_others(uint32_t *ptr, size_t len)
{
	nv_assert_private(ptr, len);
	nv_check(ptr, len, 2);
	munmap(ptr, len);
}

static void check_private(const void *ptr, size_t len, size_t max)
{
	const size_t pages = nv_private_pages(ptr, len);

	igt_assert_f(pages <= max / NV_PAGE_SIZE, "%zu of %zu pages are in VRAM\n", pages,
		     len / NV_PAGE_SIZE);
}

static void check_limit(uint64_t max)
{
	const uint64_t bytes = charged("a");

	igt_assert_f(bytes <= max, "charged for %" PRIu64 " bytes, and allowed %" PRIu64 "\n",
		     bytes, max);
}

static void test_charge(void)
{
	const size_t len = 4 * CHUNK;
	uint32_t *ptr, *one;

	ptr = to_vram(len - NV_PAGE_SIZE, 1);
	igt_assert_eq_u64(charged("a"), len);
	igt_assert_eq_u64(charged("b"), 0);

	/* There is room for it in what the other group has. */
	one = others(NV_PAGE_SIZE);
	igt_assert_eq_u64(charged("a"), len);
	igt_assert_eq_u64(charged("b"), CHUNK);
	check_others(one, NV_PAGE_SIZE);

	nv_check(ptr, len - NV_PAGE_SIZE, 1);
	munmap(ptr, len - NV_PAGE_SIZE);
	/* The driver keeps empty chunks for a moment. */
	for (int ms = 0; ms < 2000 && (charged("a") || charged("b")); ms += 10)
		usleep(10000);
	igt_assert_eq_u64(charged("a"), 0);
	igt_assert_eq_u64(charged("b"), 0);
}

static void test_limit(void)
{
	const size_t max = 4 * CHUNK, len = 2 * max;
	uint32_t *other, *ptr;

	set_bytes("a", "dmem.max", max);
	other = others(2 * CHUNK);

	ptr = to_vram(len, 1);
	check_limit(max);
	/* What came last is there. */
	nv_assert_private((char *)ptr + len - max, max);
	nv_assert_ram(ptr, len - max);

	nv_check(ptr, len, 1);
	check_others(other, 2 * CHUNK);
	munmap(ptr, len);
}

/*
 * A group at its limit makes room all the time, while the driver gives back what is empty. When
 * that is what makes room, no other group has to. It takes some luck to be there at that moment.
 */
static void test_limit_race(void)
{
	uint32_t *other, *ptr;
	char *half;

	set_bytes("a", "dmem.max", CHUNK);
	other = others(CHUNK);
	ptr = to_vram(2 * CHUNK, 1);
	for (int i = 0; i < RACE_ROUNDS; i++) {
		half = (char *)ptr + i % 2 * CHUNK;
		igt_assert_eq(__nv_svm_migrate(&svm, half, CHUNK), 0);
		check_limit(CHUNK);
		nv_assert_private(half, CHUNK);
		nv_assert_private(other, CHUNK);
	}
	nv_check(ptr, 2 * CHUNK, 1);
	check_others(other, CHUNK);
	munmap(ptr, 2 * CHUNK);
}

static void test_limit_none(void)
{
	uint32_t *ptr;

	set_bytes("a", "dmem.max", 0);
	ptr = to_vram(CHUNK, 1);
	check_limit(0);
	nv_assert_ram(ptr, CHUNK);
	nv_check(ptr, CHUNK, 1);
	munmap(ptr, CHUNK);
}

static void test_limit_parent(void)
{
	const size_t max = 2 * CHUNK;
	uint32_t *other, *ptr;

	/* A group has processes or children that are limited, not both. */
	enter("b");
	igt_assert_eq(group_write("a", "cgroup.subtree_control", "+dmem"), 0);
	group_create("a/child");
	set_bytes("a", "dmem.max", max);
	other = to_vram(2 * CHUNK, 2);
	nv_assert_private(other, 2 * CHUNK);

	enter("a/child");
	ptr = to_vram(2 * max, 1);
	check_limit(max);
	nv_assert_private((char *)ptr + max, max);
	check_others(other, 2 * CHUNK);
	nv_check(ptr, 2 * max, 1);
	munmap(ptr, 2 * max);

	enter("b");
	group_remove("a/child");
	igt_assert_eq(group_write("a", "cgroup.subtree_control", "-dmem"), 0);
}

static void test_lower(void)
{
	const size_t len = 8 * CHUNK, max = 2 * CHUNK;
	uint32_t *other, *ptr;

	other = others(2 * CHUNK);
	ptr = to_vram(len, 1);
	nv_assert_private(ptr, len);

	set_bytes("a", "dmem.max", max);
	check_limit(max);
	check_private(ptr, len, max);

	nv_check(ptr, len, 1);
	check_others(other, 2 * CHUNK);
	munmap(ptr, len);
}

/* Pages make room for a buffer of their group, and for no other. */
static void test_buffer(void)
{
	const size_t max = 4 * CHUNK;
	uint32_t *other, *ptr;
	struct nv_bo bo;

	set_bytes("a", "dmem.max", max);
	other = others(2 * CHUNK);
	ptr = to_vram(max, 1);
	nv_assert_private(ptr, max);

	nv_bo_create(&bo, svm.fd, 2 * CHUNK, NOUVEAU_GEM_DOMAIN_VRAM);
	check_limit(max);
	check_private(ptr, max, max - 2 * CHUNK);

	nv_check(ptr, max, 1);
	check_others(other, 2 * CHUNK);
	nv_bo_destroy(&bo);
	munmap(ptr, max);
}

/* A group that is gone has pages in VRAM, which come home as any do. */
static void test_gone(void)
{
	const size_t len = 2 * CHUNK;
	uint32_t *ptr;

	group_create("gone");
	enter("gone");
	ptr = to_vram(len, 1);
	nv_assert_private(ptr, len);
	enter("a");
	group_remove("gone");

	nv_assert_private(ptr, len);
	nv_check(ptr, len, 1);
	nv_assert_ram(ptr, len);
	munmap(ptr, len);
}

/* Another group fills VRAM, and takes no page that is guaranteed. */
static void test_min(void)
{
	const uint64_t vram = nv_getparam(gpu.fd, NOUVEAU_GETPARAM_FB_SIZE);
	uint32_t *other, *ptr;

	igt_require_f(vram <= 128 * MiB, "filling %" PRIu64 " MiB of VRAM takes too long here\n",
		      vram / MiB);
	set_bytes("b", "dmem.min", 4 * CHUNK);
	other = others(4 * CHUNK);
	ptr = to_vram(vram, 1);
	check_private(ptr, vram, vram - 4 * CHUNK);
	check_others(other, 4 * CHUNK);
	nv_check(ptr, vram, 1);
	munmap(ptr, vram);
}

static const struct {
	const char *name;
	void (*run)(void);
	const char *describe;
} subtests[] = {
	{ "charge", test_charge, "A group is charged for its pages, and for no other's" },
	{ "limit", test_limit,
	  "Twice as much as the limit migrates, and other groups keep theirs" },
	{ "limit-race", test_limit_race,
	  "Empty chunks that are given back meanwhile are no reason to evict what others have" },
	{ "limit-none", test_limit_none, "Who may have no VRAM gets none" },
	{ "limit-parent", test_limit_parent, "The limit of a parent holds for its children" },
	{ "limit-lower", test_lower, "A limit that is lowered brings pages to RAM" },
	{ "limit-buffer", test_buffer, "Pages make room for a buffer of their group" },
	{ "group-gone", test_gone, "Pages outlive their group" },
	{ "min", test_min, "Another group leaves alone what is guaranteed" },
};

/* Begin anew, whatever a subtest that failed has left. */
static void groups_create(void)
{
	enter(home);
	__group_remove("gone");
	__group_remove("a/child");
	__group_remove("a");
	__group_remove("b");
	group_create("a");
	group_create("b");
}

/* This process's place in the tree, where it has to be again. */
static void find_home(void)
{
	char line[PATH_MAX];
	FILE *f = fopen("/proc/self/cgroup", "r");

	igt_require_f(f, "this kernel has no control groups (CONFIG_CGROUPS)\n");
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "0::%4095s", home) == 1)
			break;
	fclose(f);
}

static void mount_groups(void)
{
	char path[PATH_MAX];
	struct stat st;

	path_of(path, sizeof(path), "", "cgroup.controllers");
	if (!stat(path, &st))
		return;
	strcpy(root, "/tmp/nouveau_svm_cgroup.XXXXXX");
	igt_assert(mkdtemp(root));
	mounted = !mount("none", root, "cgroup2", 0, NULL);
	if (!mounted)
		rmdir(root);
	igt_require_f(mounted, "cannot mount control groups of version 2: %m\n");
}

/**
 * SUBTEST: charge
 * Description: A group is charged for its pages, and for no other's
 *
 * SUBTEST: limit
 * Description: Twice as much as the limit migrates, and other groups keep theirs
 *
 * SUBTEST: limit-race
 * Description: Empty chunks that are given back meanwhile are no reason to evict what others have
 *
 * SUBTEST: limit-none
 * Description: Who may have no VRAM gets none
 *
 * SUBTEST: limit-parent
 * Description: The limit of a parent holds for its children
 *
 * SUBTEST: limit-lower
 * Description: A limit that is lowered brings pages to RAM
 *
 * SUBTEST: limit-buffer
 * Description: Pages make room for a buffer of their group
 *
 * SUBTEST: group-gone
 * Description: Pages outlive their group
 *
 * SUBTEST: min
 * Description: Another group leaves alone what is guaranteed
 */
int igt_main()
{
	igt_fixture()
	{
		uint64_t capacity;

		nv_gpu_open(&gpu, 0);
		igt_require_f(nv_is_pascal(&gpu), "needs a Pascal GPU\n");
		snprintf(region, sizeof(region), "drm/%s/vram", gpu.slot);
		find_home();
		mount_groups();
		igt_require_f(!group_write("", "cgroup.subtree_control", "+dmem"),
			      "no controller dmem here (CONFIG_CGROUP_DMEM)\n");
		igt_require_f(group_read("", "dmem.capacity", &capacity),
			      "this driver charges nobody for VRAM\n");
	}

	for (int i = 0; i < ARRAY_SIZE(subtests); i++) {
		igt_describe(subtests[i].describe);
		igt_subtest(subtests[i].name)
		{
			groups_create();
			/* What an address space itself needs is not of interest here. */
			nv_svm_init(&svm, drm_reopen_driver(gpu.fd));
			enter("a");
			subtests[i].run();
			enter(home);
			nv_svm_fini(&svm);
			group_remove("a");
			group_remove("b");
		}
	}

	igt_fixture()
	{
		if (mounted) {
			umount(root);
			rmdir(root);
		}
		nv_gpu_close(&gpu);
	}
}
