// SPDX-License-Identifier: MIT
/*
 * Shared virtual memory of nouveau: SVM_INIT, SVM_BIND, residency from /proc/self/pagemap, and
 * buffers with a pattern that names the seed and the place it was written for.
 */
#include <fcntl.h>

#include "drm-uapi-experimental/nouveau_drm_experimental.h"
#include "igt.h"
#include "nouveau_drm.h"
#include "nouveau/nv_svm.h"

#define CUTOUT_SIZE (1ul << 30)

int __nv_svm_init(int fd, uint64_t addr, uint64_t size)
{
	struct drm_nouveau_svm_init init = { .unmanaged_addr = addr, .unmanaged_size = size };

	return igt_ioctl(fd, DRM_IOCTL_NOUVEAU_SVM_INIT, &init) ? -errno : 0;
}

/**
 * nv_svm_reserve:
 *
 * Address space that the process will not use itself, below 2^40: Host (push buffer and semaphore)
 * addresses of Pascal have 40 bits, and the driver maps its own objects in this window.
 */
void *nv_svm_reserve(size_t size)
{
	for (uintptr_t addr = 1ul << 38; addr < 1ul << 39; addr += CUTOUT_SIZE) {
		void *ptr = mmap((void *)addr, size, PROT_NONE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE,
				 -1, 0);

		if (ptr == (void *)addr)
			return ptr;
		igt_assert_f(ptr == MAP_FAILED && errno == EEXIST, "mmap: %s\n", strerror(errno));
	}
	igt_assert_f(false, "no free address space between 2^38 and 2^39\n");
}

/**
 * nv_svm_init:
 * @svm: filled in
 * @fd: a device file without SVM, and without a VM_INIT address space
 *
 * Skips where the kernel or the GPU does not offer SVM.
 */
void nv_svm_init(struct nv_svm *svm, int fd)
{
	int ret;

	svm->fd = fd;
	svm->cutout_size = CUTOUT_SIZE;
	svm->cutout = nv_svm_reserve(svm->cutout_size);
	ret = __nv_svm_init(fd, (uintptr_t)svm->cutout, svm->cutout_size);
	igt_require_f(ret != -ENOSYS, "no SVM: needs a Pascal GPU and CONFIG_DRM_NOUVEAU_SVM\n");
	igt_assert_eq(ret, 0);
}

void nv_svm_fini(struct nv_svm *svm)
{
	drm_close_driver(svm->fd);
	munmap(svm->cutout, svm->cutout_size);
}

int __nv_svm_bind(int fd, unsigned int command, uint32_t target, const void *ptr, size_t len,
		  uint64_t *result)
{
	struct drm_nouveau_svm_bind bind = {
		.header = (uint64_t)command << NOUVEAU_SVM_BIND_COMMAND_SHIFT |
			  (uint64_t)target << NOUVEAU_SVM_BIND_TARGET_SHIFT,
		.va_start = (uintptr_t)ptr,
		.va_end = (uintptr_t)ptr + len,
		.npages = len / NV_PAGE_SIZE,
	};

	if (igt_ioctl(fd, DRM_IOCTL_NOUVEAU_SVM_BIND, &bind))
		return -errno;
	if (result)
		*result = bind.result;

	return 0;
}

int __nv_svm_migrate(const struct nv_svm *svm, const void *ptr, size_t len)
{
	return __nv_svm_bind(svm->fd, NOUVEAU_SVM_BIND_COMMAND__MIGRATE,
			     NOUVEAU_SVM_BIND_TARGET__GPU_VRAM, ptr, len, NULL);
}

/**
 * nv_svm_migrate:
 *
 * Returns: what the driver reports as migrated: pages, or always 0 on kernels that do not count.
 */
uint64_t nv_svm_migrate(const struct nv_svm *svm, const void *ptr, size_t len)
{
	uint64_t result;

	igt_assert_eq(__nv_svm_bind(svm->fd, NOUVEAU_SVM_BIND_COMMAND__MIGRATE,
				    NOUVEAU_SVM_BIND_TARGET__GPU_VRAM, ptr, len, &result),
		      0);

	return result;
}

static int migrate_home(const struct nv_svm *svm, const void *ptr, size_t len, uint64_t *result)
{
	return __nv_svm_bind(svm->fd, NOUVEAU_SVM_BIND_COMMAND__MIGRATE,
			     NOUVEAU_SVM_BIND_TARGET__CPU, ptr, len, result);
}

int __nv_svm_migrate_home(const struct nv_svm *svm, const void *ptr, size_t len)
{
	return migrate_home(svm, ptr, len, NULL);
}

/**
 * nv_svm_migrate_home:
 *
 * Returns: the number of pages that went to RAM.
 */
uint64_t nv_svm_migrate_home(const struct nv_svm *svm, const void *ptr, size_t len)
{
	uint64_t result;

	igt_assert_eq(migrate_home(svm, ptr, len, &result), 0);

	return result;
}

/* As with PREFETCH, a hole is the measure. */
void nv_svm_require_target_cpu(const struct nv_svm *svm)
{
	uint32_t *hole = nv_alloc(NV_PAGE_SIZE);
	int ret;

	munmap(hole, NV_PAGE_SIZE);
	ret = __nv_svm_migrate_home(svm, hole, NV_PAGE_SIZE);
	igt_assert_f(ret == 0 || ret == -EINVAL, "a hole, to RAM: %s\n", strerror(-ret));
	igt_require_f(!ret, "SVM_BIND of this kernel does not migrate to RAM\n");
}

int __nv_svm_prefetch(const struct nv_svm *svm, const void *ptr, size_t len)
{
	return __nv_svm_bind(svm->fd, NOUVEAU_SVM_BIND_COMMAND__PREFETCH, 0, ptr, len, NULL);
}

/**
 * nv_svm_prefetch:
 *
 * Returns: the number of pages mapped for this GPU.
 */
uint64_t nv_svm_prefetch(const struct nv_svm *svm, const void *ptr, size_t len)
{
	uint64_t result;
	int ret;

	ret = __nv_svm_bind(svm->fd, NOUVEAU_SVM_BIND_COMMAND__PREFETCH, 0, ptr, len, &result);
	igt_assert_eq(ret, 0);

	return result;
}

/* Prefetching a hole does nothing where the command exists, and is -EINVAL where it does not. */
bool nv_svm_has_prefetch(const struct nv_svm *svm)
{
	uint32_t *hole = nv_alloc(NV_PAGE_SIZE);
	int ret;

	munmap(hole, NV_PAGE_SIZE);
	ret = __nv_svm_prefetch(svm, hole, NV_PAGE_SIZE);
	igt_assert_f(ret == 0 || ret == -EINVAL, "prefetch of a hole: %s\n", strerror(-ret));

	return !ret;
}

void nv_svm_require_prefetch(const struct nv_svm *svm)
{
	const bool has_prefetch = nv_svm_has_prefetch(svm);

	igt_require_f(has_prefetch,
		      "no PREFETCH in this kernel to map pages for the copy engine\n");
}

/**
 * nv_pagemap_read:
 * @ptr: start of the range, page-aligned
 * @len: its length
 * @entries: one per page; only the bits that say where a page is (Documentation/admin-guide/mm/
 * pagemap.rst). Equal entries mean that the page did not move, or, where private pages have no
 * PFN, that it is in VRAM still: whose, the driver's counters tell
 */
void nv_pagemap_read(const void *ptr, size_t len, uint64_t *entries)
{
	const uint64_t place = 3ull << 62 | ((1ull << 55) - 1);
	size_t size = len / NV_PAGE_SIZE * sizeof(*entries);
	off_t offset = (uintptr_t)ptr / NV_PAGE_SIZE * sizeof(*entries);
	int fd = open("/proc/self/pagemap", O_RDONLY);

	igt_assert_f(fd >= 0, "/proc/self/pagemap: %s\n", strerror(errno));
	igt_assert_eq_u64(pread(fd, entries, size, offset), size);
	close(fd);

	for (size_t i = 0; i < len / NV_PAGE_SIZE; i++)
		entries[i] &= place;
}

/*
 * A device-private page is a swap entry of type SWP_DEVICE_WRITE or SWP_DEVICE_READ. The kernel
 * counts its special types down from 31: PTE marker, device exclusive, device read, device write.
 */
static bool entry_is_private(uint64_t entry)
{
	unsigned int type = entry & 31;

	return entry >> 62 == 1 && (type == 28 || type == 29);
}

void nv_residency(const void *ptr, size_t len, struct nv_residency *residency)
{
	size_t pages = len / NV_PAGE_SIZE;
	uint64_t *entries = calloc(pages, sizeof(*entries));

	igt_assert(entries);
	nv_pagemap_read(ptr, len, entries);
	*residency = (struct nv_residency){};
	for (size_t i = 0; i < pages; i++) {
		if (!entries[i])
			residency->none++;
		else if (entries[i] >> 63)
			residency->ram++;
		else if (entry_is_private(entries[i]))
			residency->vram++;
		else
			residency->other++;
	}
	free(entries);
}

/* Skips where the kernel does not tell this process where its pages are. */
void nv_require_pagemap(void)
{
	uint32_t *ptr = nv_alloc(NV_PAGE_SIZE);
	uint64_t entry;

	*ptr = 1;
	nv_pagemap_read(ptr, NV_PAGE_SIZE, &entry);
	munmap(ptr, NV_PAGE_SIZE);
	igt_require_f(entry << 2, "needs root: /proc/self/pagemap hides where pages are\n");
}

size_t nv_private_pages(const void *ptr, size_t len)
{
	struct nv_residency residency;

	nv_residency(ptr, len, &residency);

	return residency.vram;
}

static void assert_all(const void *ptr, size_t len, bool private)
{
	size_t pages = len / NV_PAGE_SIZE;
	struct nv_residency is;

	nv_residency(ptr, len, &is);
	igt_assert_f((private ? is.vram : is.ram) == pages,
		     "of %zu pages that should be in %s, %zu are in VRAM, %zu in RAM, %zu nowhere, "
		     "%zu elsewhere\n",
		     pages, private ? "VRAM" : "RAM", is.vram, is.ram, is.none, is.other);
}

void nv_assert_private(const void *ptr, size_t len)
{
	assert_all(ptr, len, true);
}

void nv_assert_ram(const void *ptr, size_t len)
{
	assert_all(ptr, len, false);
}

/* Whether 2 MiB at @ptr are one physically contiguous, aligned piece of RAM. */
bool nv_is_huge_page(const void *ptr)
{
	uint64_t entries[NV_HUGE_SIZE / NV_PAGE_SIZE];

	nv_pagemap_read(ptr, NV_HUGE_SIZE, entries);
	for (int i = 0; i < ARRAY_SIZE(entries); i++)
		if (entries[i] != entries[0] + i)
			return false;

	return entries[0] >> 63 && entries[0] % ARRAY_SIZE(entries) == 0;
}

static void *alloc(size_t len, size_t align, int advice)
{
	size_t size = len + align;
	char *ptr = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *start = (char *)ALIGN((uintptr_t)ptr, align);

	igt_assert_f(ptr != MAP_FAILED, "mmap of %zu bytes: %s\n", size, strerror(errno));
	if (start > ptr)
		munmap(ptr, start - ptr);
	munmap(start + len, ptr + size - (start + len));
	/* -EINVAL: the kernel was built without transparent huge pages. */
	igt_assert(!madvise(start, len, advice) || errno == EINVAL);

	return start;
}

/* Anonymous memory of single pages; give it back with munmap(). */
uint32_t *nv_alloc(size_t len)
{
	return alloc(len, NV_PAGE_SIZE, MADV_NOHUGEPAGE);
}

/* Anonymous memory, 2 MiB aligned, that gets huge pages where the system has some. */
uint32_t *nv_alloc_huge(size_t len)
{
	return alloc(len, NV_HUGE_SIZE, MADV_HUGEPAGE);
}

/* What nv_fill() puts into a word. */
uint32_t nv_pattern(uint32_t seed, size_t word)
{
	return seed ^ (uint32_t)word * 0x9e3779b1;
}

void nv_fill(void *ptr, size_t len, uint32_t seed)
{
	uint32_t *words = ptr;

	for (size_t i = 0; i < len / sizeof(*words); i++)
		words[i] = nv_pattern(seed, i);
}

/* Returns: the number of words that differ. */
size_t __nv_check(const void *ptr, size_t len, uint32_t seed)
{
	const volatile uint32_t *words = ptr;
	size_t bad = 0;

	for (size_t i = 0; i < len / sizeof(*words); i++)
		bad += words[i] != nv_pattern(seed, i);

	return bad;
}

void nv_check(const void *ptr, size_t len, uint32_t seed)
{
	const volatile uint32_t *words = ptr;

	for (size_t i = 0; i < len / sizeof(*words); i++) {
		uint32_t is = words[i], want = nv_pattern(seed, i);

		igt_assert_f(is == want,
			     "byte %#zx of %#zx is %#x instead of %#x (%zu words differ)\n",
			     i * sizeof(*words), len, is, want, __nv_check(ptr, len, seed));
	}
}
