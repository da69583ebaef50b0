// SPDX-License-Identifier: MIT
/*
 * TEST: nouveau SVM with shaders
 * Category: Core
 * Mega feature: SVM
 * Sub-category: replayable faults
 * Description: A shader uses memory of the process that the GPU has no mapping of: it faults, the
 * driver maps the page, and the shader goes on. Tier 3. Nothing here prepares pages for the GPU, so
 * that a stock kernel runs these as well.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "igt.h"
#include "nouveau_drm.h"
#include "nouveau/nv_compute.h"
#include "nouveau/nv_device.h"
#include "nouveau/nv_model.h"
#include "nouveau/nv_svm.h"
#include "nouveau/nv_worker.h"

IGT_TEST_DESCRIPTION("Replayable page faults of shaders with nouveau's SVM");

#define KiB 1024ul
#define MiB (1024 * KiB)

#define WORD_SHIFT   2
#define PAGE_SHIFT   12
#define RESULT_SIZE  (256 * KiB)
#define MANY_PAGES   5024 /* more than the fault buffer has entries (4608 on the model) */
#define WILD_POINTER 0x123456789000ul

/* A GPU with an SVM address space, a channel for shaders in it, and memory they need no fault for. */
struct shader {
	struct nv_svm svm;
	struct nv_compute compute;
	struct nv_bo result;
};

static struct nv_gpu gpu;
static struct shader shader;
static int patience_ms;

static void shader_create(struct shader *s)
{
	nv_svm_init(&s->svm, drm_reopen_driver(gpu.fd));
	nv_compute_create(&s->compute, s->svm.fd, gpu.chipset);
	nv_bo_create(&s->result, s->svm.fd, RESULT_SIZE,
		     NOUVEAU_GEM_DOMAIN_GART | NOUVEAU_GEM_DOMAIN_COHERENT);
	nv_chan_attach(&s->compute.chan, &s->result);
}

static void shader_destroy(struct shader *s)
{
	nv_compute_destroy(&s->compute);
	nv_bo_destroy(&s->result);
	nv_svm_fini(&s->svm);
}

/* Waits for what was queued. A channel that is killed meanwhile takes no more work. */
static void finish(struct shader *s)
{
	struct nv_chan *chan = &s->compute.chan;
	int ret = __nv_chan_submit(chan), waited;

	for (waited = 0; !ret && __nv_chan_wait(chan, patience_ms / 50); waited++) {
		igt_assert_f(waited < 50, "channel %d: the shader does not come to its end\n",
			     chan->id);
		ret = __nv_chan_submit(chan);
	}
	igt_assert_f(!ret, "channel %d, while its shader ran: %s\n", chan->id, strerror(-ret));
}

/* Every word at @ptr, or every @stride-th, as the shader reads it. */
static void read_words(struct shader *s, const void *ptr, unsigned int threads, unsigned int shift)
{
	const struct nv_kernel_args args = {
		.dst = s->result.va,
		.src = (uintptr_t)ptr,
		.dst_shift = WORD_SHIFT,
		.src_shift = shift,
	};

	igt_assert(threads * sizeof(uint32_t) <= s->result.size);
	memset(s->result.map, 0xee, threads * sizeof(uint32_t));
	nv_compute_grid(&s->compute, &nv_kernel_copy, threads, &args);
	finish(s);
}

static void write_words(struct shader *s, void *ptr, unsigned int threads, unsigned int shift,
			uint32_t value)
{
	const struct nv_kernel_args args = {
		.dst = (uintptr_t)ptr,
		.dst_shift = shift,
		.value = value,
	};

	nv_compute_grid(&s->compute, &nv_kernel_fill, threads, &args);
	finish(s);
}

static void add_words(struct shader *s, void *ptr, unsigned int threads, unsigned int shift,
		      uint32_t value)
{
	const struct nv_kernel_args args = {
		.dst = (uintptr_t)ptr,
		.dst_shift = shift,
		.value = value,
	};

	nv_compute_grid(&s->compute, &nv_kernel_add, threads, &args);
	finish(s);
}

/* The word of each thread is its number plus @value. */
static void check_words(const void *ptr, unsigned int threads, unsigned int shift, uint32_t value)
{
	for (unsigned int i = 0; i < threads; i++) {
		const uint32_t is =
			*(volatile const uint32_t *)((const char *)ptr + ((size_t)i << shift));

		igt_assert_f(is == value + i, "word of thread %u is %#x instead of %#x\n", i, is,
			     value + i);
	}
}

static void test_buffer(void)
{
	const unsigned int threads = 1024;
	uint32_t *map = shader.result.map;
	const struct nv_kernel_args args = {
		.dst = shader.result.va,
		.src = shader.result.va + 64 * KiB,
		.dst_shift = WORD_SHIFT,
		.src_shift = WORD_SHIFT,
	};

	nv_fill(map + 64 * KiB / 4, threads * 4, 1);
	nv_compute_run(&shader.compute, &nv_kernel_copy, threads, &args);
	nv_check(map, threads * 4, 1);
}

static void test_read(size_t len)
{
	uint32_t *ptr = nv_alloc(len);

	nv_fill(ptr, len, 1);
	read_words(&shader, ptr, len / 4, WORD_SHIFT);
	nv_check(shader.result.map, len, 1);
	munmap(ptr, len);
}

/* What the CPU never touched. */
static void test_read_untouched(void)
{
	uint32_t *ptr = nv_alloc(64 * KiB), *result = shader.result.map;

	read_words(&shader, ptr, 64 * KiB / 4, WORD_SHIFT);
	for (size_t i = 0; i < 64 * KiB / 4; i++)
		igt_assert_eq(result[i], 0);
	/* a zero page that was read is not one that may be written */
	write_words(&shader, ptr, 64 * KiB / 4, WORD_SHIFT, 5);
	check_words(ptr, 64 * KiB / 4, WORD_SHIFT, 5);
	munmap(ptr, 64 * KiB);
}

static void test_write(size_t len)
{
	uint32_t *ptr = nv_alloc(len);

	write_words(&shader, ptr, len / 4, WORD_SHIFT, 7);
	check_words(ptr, len / 4, WORD_SHIFT, 7);
	/* mapped by now */
	write_words(&shader, ptr, len / 4, WORD_SHIFT, 8);
	check_words(ptr, len / 4, WORD_SHIFT, 8);
	munmap(ptr, len);
}

static void test_atomic(void)
{
	const size_t len = 64 * KiB;
	uint32_t *ptr = nv_alloc(len);

	for (uint32_t round = 1; round <= 3; round++) {
		add_words(&shader, ptr, len / 4, WORD_SHIFT, 0);
		for (uint32_t i = 0; i < len / 4; i++)
			igt_assert_f(ptr[i] == 2 * round * i - i, "word %u is %#x after round %u\n",
				     i, ptr[i], round);
		for (uint32_t i = 0; i < len / 4; i++)
			ptr[i] += i;
	}
	munmap(ptr, len);
}

/* All threads at one word: the sum shows each of them, once. */
static void test_atomic_one_word(void)
{
	const unsigned int threads = 4096;
	uint32_t *ptr = nv_alloc(NV_PAGE_SIZE);
	const struct nv_kernel_args args = {
		.dst = (uintptr_t)ptr,
		.dst_shift = 32, /* shifts of 32 and more give 0 */
		.value = 1,
	};

	nv_compute_grid(&shader.compute, &nv_kernel_add, threads, &args);
	finish(&shader);
	igt_assert_eq(*ptr, threads * (threads + 1) / 2);
	munmap(ptr, NV_PAGE_SIZE);
}

/* Adds to what any kind of private mapping has. */
static void add_to_mapping(uint32_t *ptr, size_t len)
{
	const uint32_t value = 5;

	nv_fill(ptr, len, 1);
	add_words(&shader, ptr, len / 4, WORD_SHIFT, value);
	for (uint32_t i = 0; i < len / 4; i++)
		igt_assert_f(ptr[i] == nv_pattern(1, i) + i + value,
			     "word %u is %#x instead of %#x\n", i, ptr[i],
			     nv_pattern(1, i) + i + value);
}

/* The page is split where the GPU has a part of it for itself; the other parts stay as they are. */
static void test_atomic_thp(void)
{
	const size_t at = MiB, len = 64 * KiB, behind = at + len;
	char *ptr = (char *)nv_alloc_huge(NV_HUGE_SIZE);

	nv_fill(ptr, at, 2);
	nv_fill(ptr + behind, NV_HUGE_SIZE - behind, 3);
	igt_require_f(nv_is_huge_page(ptr),
		      "got no huge page (see transparent_hugepage/enabled)\n");
	add_to_mapping((uint32_t *)(ptr + at), len);
	nv_check(ptr, at, 2);
	nv_check(ptr + behind, NV_HUGE_SIZE - behind, 3);
	munmap(ptr, NV_HUGE_SIZE);
}

static void test_atomic_stack(void)
{
	uint32_t words[16 * KiB / 4] __attribute__((aligned(NV_PAGE_SIZE)));

	add_to_mapping(words, sizeof(words));
}

/* The GPU maps the zero page to read; what it adds to is another one. */
static void test_atomic_untouched(void)
{
	const size_t len = 64 * KiB;
	uint32_t *ptr = nv_alloc(len), *zeros = nv_alloc(len);

	for (size_t at = 0; at < len / 4; at += NV_PAGE_SIZE / 4)
		igt_assert_eq(zeros[at], 0);
	read_words(&shader, ptr, len / 4, WORD_SHIFT);
	add_words(&shader, ptr, len / 4, WORD_SHIFT, 5);
	check_words(ptr, len / 4, WORD_SHIFT, 5);
	for (size_t i = 0; i < len / 4; i++)
		igt_assert_eq(zeros[i], 0);
	munmap(zeros, len);
	munmap(ptr, len);
}

static void test_exchange(void)
{
	const size_t len = 16 * KiB;
	uint32_t *ptr = nv_alloc(len);
	const struct nv_kernel_args args = {
		.dst = shader.result.va,
		.src = (uintptr_t)ptr,
		.dst_shift = WORD_SHIFT,
		.src_shift = WORD_SHIFT,
		.value = 9,
	};

	nv_fill(ptr, len, 2);
	nv_compute_grid(&shader.compute, &nv_kernel_exchange, len / 4, &args);
	finish(&shader);
	nv_check(shader.result.map, len, 2);
	check_words(ptr, len / 4, WORD_SHIFT, 9);
	munmap(ptr, len);
}

/* Reads and writes what is there by any kind of mapping. */
static void use_mapping(void *ptr, size_t len)
{
	nv_fill(ptr, len, 1);
	read_words(&shader, ptr, len / 4, WORD_SHIFT);
	nv_check(shader.result.map, len, 1);
	write_words(&shader, ptr, len / 4, WORD_SHIFT, 2);
	check_words(ptr, len / 4, WORD_SHIFT, 2);
}

/* Pages of a file; those of a private mapping are copied when they are written. */
static void test_file(int flags)
{
	const size_t len = 64 * KiB;
	const int fd = memfd_create("igt", 0);
	uint32_t *file, *ptr;

	igt_assert(fd >= 0 && !ftruncate(fd, len));
	file = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ptr = mmap(NULL, len, PROT_READ | PROT_WRITE, flags, fd, 0);
	igt_assert(file != MAP_FAILED && ptr != MAP_FAILED);
	nv_fill(file, len, 3);
	read_words(&shader, ptr, len / 4, WORD_SHIFT);
	nv_check(shader.result.map, len, 3);
	write_words(&shader, ptr, len / 4, WORD_SHIFT, 4);
	check_words(ptr, len / 4, WORD_SHIFT, 4);
	if (flags & MAP_SHARED)
		check_words(file, len / 4, WORD_SHIFT, 4);
	else
		nv_check(file, len, 3);
	munmap(ptr, len);
	munmap(file, len);
	close(fd);
}

/* The file of this program, in whatever filesystem: a fault may have to read from it. */
static void test_file_program(void)
{
	const int fd = open("/proc/self/exe", O_RDONLY);
	char *want = malloc(RESULT_SIZE), *ptr;
	ssize_t len;

	igt_assert(fd >= 0 && want);
	len = pread(fd, want, RESULT_SIZE, 0) & -NV_PAGE_SIZE;
	igt_assert(len >= (ssize_t)(64 * KiB));
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED); /* what this process does not map */
	ptr = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
	igt_assert(ptr != MAP_FAILED);
	read_words(&shader, ptr, len / 4, WORD_SHIFT);
	igt_assert(!memcmp(shader.result.map, want, len));
	munmap(ptr, len);
	free(want);
	close(fd);
}

static void set_hugetlb_pages(const char *count)
{
	const int fd = open("/proc/sys/vm/nr_hugepages", O_WRONLY);

	igt_require_f(fd >= 0, "this kernel has no hugetlbfs\n");
	igt_assert_eq(write(fd, count, strlen(count)), strlen(count));
	close(fd);
}

static uint32_t *alloc_hugetlb(void)
{
	uint32_t *ptr;

	set_hugetlb_pages("2");
	ptr = mmap(NULL, NV_HUGE_SIZE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	igt_require_f(ptr != MAP_FAILED, "got no page of hugetlbfs\n");
	return ptr;
}

static void free_hugetlb(uint32_t *ptr)
{
	munmap(ptr, NV_HUGE_SIZE);
	set_hugetlb_pages("0");
}

static void test_hugetlb(void)
{
	uint32_t *ptr = alloc_hugetlb();

	use_mapping(ptr + (NV_HUGE_SIZE - RESULT_SIZE) / 4, RESULT_SIZE);
	free_hugetlb(ptr);
}

static void test_stack(void)
{
	uint32_t words[16 * KiB / 4] __attribute__((aligned(NV_PAGE_SIZE)));

	use_mapping(words, sizeof(words));
}

static void test_many_pages(void)
{
	const size_t len = MANY_PAGES * NV_PAGE_SIZE;
	char *ptr = (char *)nv_alloc(len);

	write_words(&shader, ptr, MANY_PAGES, PAGE_SHIFT, 11);
	check_words(ptr, MANY_PAGES, PAGE_SHIFT, 11);
	munmap(ptr, len);
}

static void test_thp(void)
{
	char *ptr = (char *)nv_alloc_huge(NV_HUGE_SIZE);

	nv_fill(ptr, NV_HUGE_SIZE, 1);
	igt_require_f(nv_is_huge_page(ptr),
		      "got no huge page (see transparent_hugepage/enabled)\n");
	for (size_t at = 0; at < NV_HUGE_SIZE; at += RESULT_SIZE) {
		read_words(&shader, ptr + at, RESULT_SIZE / 4, WORD_SHIFT);
		igt_assert(!memcmp(shader.result.map, ptr + at, RESULT_SIZE));
	}
	write_words(&shader, ptr, NV_HUGE_SIZE / 4, WORD_SHIFT, 3);
	check_words(ptr, NV_HUGE_SIZE / 4, WORD_SHIFT, 3);
	igt_assert_f(nv_is_huge_page(ptr), "the huge page was split\n");
	munmap(ptr, NV_HUGE_SIZE);
}

/* Pages in this GPU's VRAM are used there. */
static void test_vram(void)
{
	const size_t len = 64 * KiB;
	uint32_t *ptr = nv_alloc(len);

	nv_fill(ptr, len, 1);
	nv_svm_migrate(&shader.svm, ptr, len);
	nv_assert_private(ptr, len);
	read_words(&shader, ptr, len / 4, WORD_SHIFT);
	nv_check(shader.result.map, len, 1);
	write_words(&shader, ptr, len / 4, WORD_SHIFT, 4);
	nv_assert_private(ptr, len);
	check_words(ptr, len / 4, WORD_SHIFT, 4);
	munmap(ptr, len);
}

/* For atomics, too, its own memory is where a page may stay. */
static void test_vram_atomic(void)
{
	const size_t len = 64 * KiB;
	uint32_t *ptr = nv_alloc(len);

	memset(ptr, 0, len);
	nv_svm_migrate(&shader.svm, ptr, len);
	nv_assert_private(ptr, len);
	add_words(&shader, ptr, len / 4, WORD_SHIFT, 5);
	nv_assert_private(ptr, len);
	check_words(ptr, len / 4, WORD_SHIFT, 5);
	munmap(ptr, len);
}

/* A fault in the middle of a huge page in VRAM is for that place, not for where the page starts. */
static void test_vram_thp(void)
{
	const size_t read_at = MiB, write_at = MiB + MiB / 2, behind = write_at + RESULT_SIZE;
	char *ptr = (char *)nv_alloc_huge(NV_HUGE_SIZE), *want = malloc(NV_HUGE_SIZE);

	igt_assert(want);
	nv_fill(want, NV_HUGE_SIZE, 1);
	memcpy(ptr, want, NV_HUGE_SIZE);
	igt_require_f(nv_is_huge_page(ptr),
		      "got no huge page (see transparent_hugepage/enabled)\n");
	nv_svm_migrate(&shader.svm, ptr, NV_HUGE_SIZE);
	nv_assert_private(ptr, NV_HUGE_SIZE);
	read_words(&shader, ptr + read_at, RESULT_SIZE / 4, WORD_SHIFT);
	igt_assert_f(!memcmp(shader.result.map, want + read_at, RESULT_SIZE),
		     "the shader read another part of the page\n");
	write_words(&shader, ptr + write_at, RESULT_SIZE / 4, WORD_SHIFT, 2);
	nv_assert_private(ptr, NV_HUGE_SIZE);
	check_words(ptr + write_at, RESULT_SIZE / 4, WORD_SHIFT, 2);
	igt_assert_f(!memcmp(ptr, want, write_at) &&
			     !memcmp(ptr + behind, want + behind, NV_HUGE_SIZE - behind),
		     "the shader wrote to another part of the page\n");
	free(want);
	munmap(ptr, NV_HUGE_SIZE);
}

static void test_read_only(void)
{
	const size_t len = 16 * KiB;
	uint32_t *ptr = nv_alloc(len);

	nv_fill(ptr, len, 1);
	igt_assert_eq(mprotect(ptr, len, PROT_READ), 0);
	read_words(&shader, ptr, len / 4, WORD_SHIFT);
	nv_check(shader.result.map, len, 1);
	munmap(ptr, len);
}

/* What is unmapped and mapped again under a mapping of the GPU is new memory for it, too. */
static void test_remap(void)
{
	const size_t len = 16 * KiB;
	uint32_t *ptr = nv_alloc(len);

	for (uint32_t round = 0; round < 5; round++) {
		write_words(&shader, ptr, len / 4, WORD_SHIFT, round);
		check_words(ptr, len / 4, WORD_SHIFT, round);
		igt_assert_eq(madvise(ptr, len, MADV_DONTNEED), 0);
		nv_fill(ptr, len, round);
		read_words(&shader, ptr, len / 4, WORD_SHIFT);
		nv_check(shader.result.map, len, round);
	}
	munmap(ptr, len);
}

static void test_fork_write(bool in_vram)
{
	const size_t len = 16 * KiB;
	uint32_t *ptr = nv_alloc(len);
	int to_child[2], status;
	char byte = 0;
	pid_t child;

	patience_ms = 5000; /* a driver may let this fault for ever */
	nv_fill(ptr, len, 1);
	if (in_vram)
		nv_svm_migrate(&shader.svm, ptr, len);
	igt_assert_eq(pipe(to_child), 0);
	child = fork();
	igt_assert(child >= 0);
	if (!child) {
		close(to_child[1]);
		_exit(read(to_child[0], &byte, 1) == 1 && !__nv_check(ptr, len, 1) ? 0 : 1);
	}
	write_words(&shader, ptr, len / 4, WORD_SHIFT, 6);
	check_words(ptr, len / 4, WORD_SHIFT, 6);
	igt_assert_eq(write(to_child[1], &byte, 1), 1);
	igt_assert_eq(waitpid(child, &status, 0), child);
	igt_assert_f(!status, "the child sees what the GPU wrote for its parent\n");
	close(to_child[0]);
	close(to_child[1]);
	munmap(ptr, len);
}

/*
 * Three grids at a time: an atomic to private memory, and reads of a file and stores to new pages at
 * higher addresses, which the driver handles after it, in one batch.
 */
static void test_mixed_batch(void)
{
	const unsigned int threads = NV_COMPUTE_BLOCK;
	const size_t len = threads * NV_PAGE_SIZE;
	char *all = mmap(NULL, 3 * len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *file = all + len, *fresh = all + 2 * len;
	const struct nv_kernel_args add = {
		.dst = (uintptr_t)all,
		.dst_shift = WORD_SHIFT,
		.value = 1,
	};
	const struct nv_kernel_args copy = {
		.dst = shader.result.va,
		.src = (uintptr_t)file,
		.dst_shift = WORD_SHIFT,
		.src_shift = PAGE_SHIFT,
	};
	const struct nv_kernel_args fill = {
		.dst = (uintptr_t)fresh,
		.dst_shift = PAGE_SHIFT,
		.value = 2,
	};
	const uint32_t *result = shader.result.map, *words = (const uint32_t *)file;
	int fd = memfd_create("igt", 0);

	igt_assert(all != MAP_FAILED && fd >= 0 && !ftruncate(fd, len));
	igt_assert(!madvise(all, 3 * len, MADV_NOHUGEPAGE) || errno == EINVAL);
	igt_assert(mmap(file, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == file);
	close(fd);
	nv_fill(file, len, 3);
	nv_compute_grid(&shader.compute, &nv_kernel_add, threads, &add);
	nv_compute_grid(&shader.compute, &nv_kernel_copy, threads, &copy);
	nv_compute_grid(&shader.compute, &nv_kernel_fill, threads, &fill);
	finish(&shader);
	for (unsigned int i = 0; i < threads; i++)
		igt_assert_eq(result[i], words[i * NV_PAGE_SIZE / 4]);
	check_words(all, threads, WORD_SHIFT, 1);
	check_words(fresh, threads, PAGE_SHIFT, 2);
	munmap(all, 3 * len);
}

/* What was queued last can never end: the driver kills its channel some time later. */
static void assert_killed(struct nv_compute *compute)
{
	igt_assert_f(!nv_compute_ends(compute), "the shader came to its end\n");
}

static void assert_works(struct shader *s)
{
	uint32_t *ptr = nv_alloc(16 * KiB);

	write_words(s, ptr, 16 * KiB / 4, WORD_SHIFT, 1);
	check_words(ptr, 16 * KiB / 4, WORD_SHIFT, 1);
	munmap(ptr, 16 * KiB);
}

/* The channel is killed, one that was there before and one made after it are not. */
static void test_killed(const struct nv_kernel *kernel, uint64_t addr)
{
	const struct nv_kernel_args args = {
		.dst = kernel == &nv_kernel_copy ? shader.result.va : addr,
		.src = addr,
		.dst_shift = WORD_SHIFT,
		.src_shift = WORD_SHIFT,
	};
	struct nv_worker copier;
	struct shader other;

	igt_emit_ignore_dmesg_regex(NV_KILLED_DMESG);
	nv_worker_create(&copier, &gpu);
	shader_create(&other);
	assert_works(&other);
	nv_compute_grid(&shader.compute, kernel, 1024, &args);
	assert_killed(&shader.compute);
	assert_works(&other);
	nv_worker_fill(&copier, 64 * KiB, 3);
	nv_worker_check(&copier, 64 * KiB, 3);
	shader_destroy(&other);
	nv_worker_destroy(&copier);
	shader_create(&other);
	assert_works(&other);
	shader_destroy(&other);
}

static void test_write_read_only(void)
{
	uint32_t *ptr = nv_alloc(NV_PAGE_SIZE);

	nv_fill(ptr, NV_PAGE_SIZE, 1);
	igt_assert_eq(mprotect(ptr, NV_PAGE_SIZE, PROT_READ), 0);
	test_killed(&nv_kernel_fill, (uintptr_t)ptr);
	nv_check(ptr, NV_PAGE_SIZE, 1);
	munmap(ptr, NV_PAGE_SIZE);
}

/*
 * Linux gives a device no page of a file for itself, nor one of hugetlbfs, whoever else maps them:
 * it cannot be the only one to change them.
 */
static void test_atomic_shared(void)
{
	uint32_t *ptr =
		mmap(NULL, NV_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	igt_assert(ptr != MAP_FAILED);
	nv_fill(ptr, NV_PAGE_SIZE, 1);
	test_killed(&nv_kernel_add, (uintptr_t)ptr);
	nv_check(ptr, NV_PAGE_SIZE, 1);
	munmap(ptr, NV_PAGE_SIZE);
}

static void test_atomic_hugetlb(void)
{
	uint32_t *ptr = alloc_hugetlb();

	nv_fill(ptr, NV_HUGE_SIZE, 1);
	test_killed(&nv_kernel_add, (uintptr_t)ptr);
	nv_check(ptr, NV_HUGE_SIZE, 1);
	free_hugetlb(ptr);
}

/* What subtests ask of the model. */
static void reset_model(int sig)
{
	if (!nv_model_present())
		return;
	nv_model_delay("mmu", 0);
	nv_model_irq_delay(0);
	nv_model_irq_drop(0);
}

/*
 * The first cancel makes the driver reset the engine, while others of the same channel are still
 * to come, and another process faults at the same units. A slow MMU brings all that together.
 */
static void test_wild_beside(void)
{
	const struct nv_kernel_args args = { .dst = WILD_POINTER, .dst_shift = WORD_SHIFT };
	volatile bool *stop =
		mmap(NULL, NV_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t child;
	int status, ended = 0;

	igt_assert(stop != MAP_FAILED);
	igt_emit_ignore_dmesg_regex(NV_KILLED_DMESG);
	child = fork();
	igt_assert(child >= 0);
	if (!child) {
		struct shader own;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		shader_create(&own);
		while (!*stop)
			assert_works(&own);
		shader_destroy(&own);
		_exit(0);
	}
	for (int i = 0; i < 10 && !ended; i++) {
		struct nv_compute doomed;

		nv_compute_create(&doomed, shader.svm.fd, gpu.chipset);
		if (nv_model_present())
			nv_model_delay("mmu", 100000);
		nv_compute_grid(&doomed, &nv_kernel_fill, 1024, &args);
		assert_killed(&doomed);
		usleep(500000); /* the last cancel has been done */
		reset_model(0);
		nv_compute_destroy(&doomed);
		ended = waitpid(child, &status, WNOHANG);
	}
	*stop = true;
	igt_assert(ended || waitpid(child, &status, 0) == child);
	igt_assert_f(!status, "nothing was wrong with the other process\n");
	munmap((void *)stop, NV_PAGE_SIZE);
}

/* NV_WILD_ROUNDS=N in the environment asks for more than a test run has time for. */
static int wild_rounds(void)
{
	const char *rounds = getenv("NV_WILD_ROUNDS");

	return rounds ? atoi(rounds) : SLOW_QUICK(10000, 25);
}

/* One wild pointer after the other: each costs its channel, and the driver nothing. */
static void test_wild_many(void)
{
	const uint64_t vram = nv_getparam(shader.svm.fd, NOUVEAU_GETPARAM_VRAM_USED);
	const int rounds = wild_rounds();
	struct timespec start = {};

	igt_assert(rounds > 0);
	igt_nsec_elapsed(&start);
	igt_emit_ignore_dmesg_regex(NV_KILLED_DMESG);
	for (int i = 0; i < rounds; i++) {
		const struct nv_kernel_args args = { .dst = WILD_POINTER + i * NV_PAGE_SIZE };
		struct nv_compute doomed;

		nv_compute_create(&doomed, shader.svm.fd, gpu.chipset);
		nv_compute_grid(&doomed, &nv_kernel_wild, 128, &args);
		assert_killed(&doomed);
		nv_compute_destroy(&doomed);
	}
	igt_info("%d channels killed, %.1f ms each\n", rounds,
		 igt_nsec_elapsed(&start) / 1e6 / rounds);
	assert_works(&shader);
	igt_assert_eq_u64(nv_getparam(shader.svm.fd, NOUVEAU_GETPARAM_VRAM_USED), vram);
}

/*
 * For a wild pointer the driver resets the engine and moves channels off it. What is in VRAM stays
 * as it is, and mapped where a shader used it.
 */
static void test_wild_beside_vram(void)
{
	const size_t len = 64 * KiB;
	uint32_t *small = nv_alloc(len), *unused = nv_alloc(len),
		 *huge = nv_alloc_huge(NV_HUGE_SIZE);
	char *want = malloc(NV_HUGE_SIZE);

	igt_emit_ignore_dmesg_regex(NV_KILLED_DMESG);
	igt_assert(want);
	nv_fill(want, NV_HUGE_SIZE, 3);
	nv_fill(small, len, 1);
	nv_fill(unused, len, 2);
	memcpy(huge, want, NV_HUGE_SIZE);
	nv_svm_migrate(&shader.svm, small, len);
	nv_svm_migrate(&shader.svm, unused, len);
	nv_svm_migrate(&shader.svm, huge, NV_HUGE_SIZE);
	read_words(&shader, small, len / 4, WORD_SHIFT);
	read_words(&shader, huge, RESULT_SIZE / 4, WORD_SHIFT);
	for (int i = 0; i < 3; i++) {
		const struct nv_kernel_args args = { .dst = WILD_POINTER };
		struct nv_compute doomed;

		nv_compute_create(&doomed, shader.svm.fd, gpu.chipset);
		nv_compute_grid(&doomed, &nv_kernel_wild, 1024, &args);
		assert_killed(&doomed);
		nv_compute_destroy(&doomed);
	}
	nv_assert_private(small, len);
	nv_assert_private(unused, len);
	nv_assert_private(huge, NV_HUGE_SIZE);
	read_words(&shader, small, len / 4, WORD_SHIFT);
	nv_check(shader.result.map, len, 1);
	read_words(&shader, unused, len / 4, WORD_SHIFT);
	nv_check(shader.result.map, len, 2);
	for (size_t at = 0; at < NV_HUGE_SIZE; at += RESULT_SIZE) {
		read_words(&shader, (char *)huge + at, RESULT_SIZE / 4, WORD_SHIFT);
		igt_assert(!memcmp(shader.result.map, want + at, RESULT_SIZE));
	}
	nv_check(small, len, 1);
	nv_check(unused, len, 2);
	nv_check(huge, NV_HUGE_SIZE, 3);
	free(want);
	munmap(huge, NV_HUGE_SIZE);
	munmap(unused, len);
	munmap(small, len);
}

/* Contexts of several processes take turns on the engine, and fault there, each in its own memory. */
static void test_processes(void)
{
	pid_t child[3];
	int status;

	for (int i = 0; i < ARRAY_SIZE(child); i++) {
		child[i] = fork();
		igt_assert(child[i] >= 0);
		if (!child[i]) {
			struct shader own;

			shader_create(&own);
			for (int round = 0; round < 10; round++) {
				uint32_t *ptr = nv_alloc(64 * KiB);

				write_words(&own, ptr, 16 * KiB, WORD_SHIFT, 1000 * i + round);
				check_words(ptr, 16 * KiB, WORD_SHIFT, 1000 * i + round);
				read_words(&own, ptr, 16 * KiB, WORD_SHIFT);
				check_words(own.result.map, 16 * KiB, WORD_SHIFT, 1000 * i + round);
				munmap(ptr, 64 * KiB);
			}
			shader_destroy(&own);
			_exit(0);
		}
	}
	for (int i = 0; i < ARRAY_SIZE(child); i++) {
		igt_assert_eq(waitpid(child[i], &status, 0), child[i]);
		igt_assert_f(!status, "child %d failed\n", i);
	}
}

/*
 * A shader that traps never ends. When another context wants the engine, the driver finds out, and
 * kills the channel.
 */
static void test_illegal_instruction(void)
{
	static const uint64_t code[4]; /* zeros are no instruction */
	static const struct nv_kernel illegal = { code, sizeof(code), 16 };
	const struct nv_kernel_args args = {};
	struct shader other;

	igt_emit_ignore_dmesg_regex(NV_KILLED_DMESG
				    "|nouveau [0-9a-f:.]+: (gr: |fifo: SCHED_ERROR)");
	shader_create(&other);
	assert_works(&other);
	nv_compute_grid(&shader.compute, &illegal, NV_COMPUTE_BLOCK, &args);
	igt_assert_eq(__nv_chan_submit(&shader.compute.chan), 0);
	assert_works(&other);
	assert_killed(&shader.compute);
	assert_works(&other);
	shader_destroy(&other);
}

/* The process changes memory that a shader stores to */

#define RACE_LEN   (64 * KiB)
#define RACE_WORDS (RACE_LEN >> WORD_SHIFT)
#define RACE_VALUE 0x10000000

/* Warps that store word by word, one after the other; the first store is done. */
static void start_stores(char *ptr, unsigned int words, unsigned int shift, uint32_t value)
{
	const struct nv_kernel_args args = {
		.dst = (uintptr_t)ptr,
		.dst_shift = shift,
		.value = value,
		.count = words,
	};
	const volatile uint32_t *first = (const volatile uint32_t *)ptr;

	for (int i = 0; i < 4; i++)
		nv_compute_grid(&shader.compute, &nv_kernel_fill_all, NV_COMPUTE_BLOCK, &args);
	igt_assert_eq(__nv_chan_submit(&shader.compute.chan), 0);
	for (int i = 0; i < 100000 && *first != value; i++)
		usleep(100);
	igt_assert_eq(*first, value);
}

/* Some other moment each round. */
static void let_it_run(int round)
{
	usleep(round * 700 % 5000);
}

static void change_munmap(char *ptr)
{
	igt_assert_eq(munmap(ptr, RACE_LEN), 0);
}

static void change_replace(char *ptr)
{
	igt_assert(mmap(ptr, RACE_LEN, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == ptr);
}

static void change_mprotect(char *ptr)
{
	igt_assert_eq(mprotect(ptr, RACE_LEN, PROT_READ), 0);
}

/* A file whose mapping is taken away from a shader that stores to it is left as it is by then. */
static void test_revoke_race(void (*change)(char *ptr), bool kills)
{
	const int rounds = SLOW_QUICK(50, 6);
	char *snapshot = malloc(RACE_LEN);
	int killed = 0;

	igt_assert(snapshot);
	if (kills)
		igt_emit_ignore_dmesg_regex(NV_KILLED_DMESG);
	for (int round = 0; round < rounds; round++) {
		const int fd = memfd_create("igt", 0);
		char *file, *ptr;

		igt_assert(fd >= 0 && !ftruncate(fd, RACE_LEN));
		file = mmap(NULL, RACE_LEN, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		ptr = mmap(NULL, RACE_LEN, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		igt_assert(file != MAP_FAILED && ptr != MAP_FAILED);
		close(fd);
		nv_fill(file, RACE_LEN, round);
		start_stores(ptr, RACE_WORDS, WORD_SHIFT, RACE_VALUE);
		let_it_run(round);
		change(ptr);
		memcpy(snapshot, file, RACE_LEN);
		if (!nv_compute_ends(&shader.compute)) {
			igt_assert_f(kills, "a shader was killed for a page that it may use\n");
			killed++;
			shader_destroy(&shader);
			shader_create(&shader);
		}
		igt_assert_f(!memcmp(snapshot, file, RACE_LEN),
			     "the GPU stores to a file that it has no mapping of any more\n");
		munmap(ptr, RACE_LEN);
		munmap(file, RACE_LEN);
	}
	igt_info("%d of %d shaders met their end\n", killed, rounds);
	assert_works(&shader);
	free(snapshot);
}

/* How many pages at @ptr are among those that @before lists. */
static int pages_again(const char *ptr, const uint64_t *before)
{
	uint64_t now[RACE_LEN / NV_PAGE_SIZE];
	int again = 0;

	nv_pagemap_read(ptr, RACE_LEN, now);
	for (int i = 0; i < ARRAY_SIZE(now); i++)
		for (int j = 0; j < ARRAY_SIZE(now); j++)
			again += now[i] == before[j];
	return again;
}

/* Pages are freed under a shader that stores to them, and hold other data at once. */
static void test_reuse_race(void)
{
	const int rounds = SLOW_QUICK(50, 6);
	int again = 0;

	for (int round = 0; round < rounds; round++) {
		char *ptr = (char *)nv_alloc(RACE_LEN), *other = (char *)nv_alloc(RACE_LEN);
		uint64_t pages[RACE_LEN / NV_PAGE_SIZE];

		nv_fill(ptr, RACE_LEN, round);
		nv_pagemap_read(ptr, RACE_LEN, pages);
		start_stores(ptr, RACE_WORDS, WORD_SHIFT, RACE_VALUE);
		let_it_run(round);
		igt_assert_eq(madvise(ptr, RACE_LEN, MADV_DONTNEED), 0);
		nv_fill(other, RACE_LEN, ~round);
		again += pages_again(other, pages);
		igt_assert_f(nv_compute_ends(&shader.compute),
			     "a shader was killed for a page that it may use\n");
		nv_check(other, RACE_LEN, ~round);
		munmap(other, RACE_LEN);
		munmap(ptr, RACE_LEN);
	}
	igt_info("%d of %zu pages were used again\n", again, rounds * RACE_LEN / NV_PAGE_SIZE);
	igt_assert_f(again, "Linux gave none of the freed pages to others\n");
}

/* What a child got at fork() no store of its parent's shader changes. */
static void test_fork_race(void)
{
	const int rounds = SLOW_QUICK(30, 6);
	char *ptr = (char *)nv_alloc(RACE_LEN);

	for (int round = 0; round < rounds; round++) {
		int gate[2];

		igt_assert_eq(pipe(gate), 0);
		nv_fill(ptr, RACE_LEN, round);
		start_stores(ptr, RACE_WORDS, WORD_SHIFT, RACE_VALUE + round);
		let_it_run(round);
		igt_fork(child, 1)
		{
			char *snapshot = malloc(RACE_LEN), byte;

			close(gate[1]);
			memcpy(snapshot, ptr, RACE_LEN);
			/* until the shader is done */
			igt_assert_eq(read(gate[0], &byte, 1), 1);
			igt_assert_f(!memcmp(snapshot, ptr, RACE_LEN),
				     "the child sees what the GPU wrote for its parent\n");
		}
		igt_assert(nv_compute_ends(&shader.compute));
		igt_assert_eq(write(gate[1], "", 1), 1);
		igt_waitchildren();
		close(gate[0]);
		close(gate[1]);
		check_words(ptr, RACE_WORDS, WORD_SHIFT, RACE_VALUE + round);
	}
	munmap(ptr, RACE_LEN);
}

/*
 * The shader stores to every other word, the process to those between, and as both are the first
 * in a page now and then, both make it. With @in_vram the pages are brought to VRAM again and again.
 */
static void test_cpu_write_race(bool in_vram)
{
	const int rounds = SLOW_QUICK(50, 6);

	for (int round = 0; round < rounds; round++) {
		uint32_t *ptr = nv_alloc(RACE_LEN);
		volatile uint32_t *words = ptr;

		start_stores((char *)ptr, RACE_WORDS / 2, WORD_SHIFT + 1, RACE_VALUE);
		for (int pass = 0; pass < 4; pass++) {
			let_it_run(round + pass);
			for (uint32_t i = 1; i < RACE_WORDS; i += 2)
				words[i] = pass + i;
			if (in_vram)
				nv_svm_migrate(&shader.svm, ptr, RACE_LEN);
		}
		igt_assert_f(nv_compute_ends(&shader.compute),
			     "a shader was killed for a page that it may use\n");
		for (uint32_t i = 1; i < RACE_WORDS; i += 2)
			igt_assert_f(words[i] == 3 + i, "word %u is %#x instead of %#x\n", i,
				     words[i], 3 + i);
		check_words(ptr, RACE_WORDS / 2, WORD_SHIFT + 1, RACE_VALUE);
		munmap(ptr, RACE_LEN);
	}
}

#define ADD_WORDS (4 * NV_PAGE_SIZE >> WORD_SHIFT)

struct adder {
	uint32_t *words;
	volatile bool stop;
	uint32_t passes;
};

static void *add_by_cpu(void *arg)
{
	struct adder *adder = arg;

	while (!adder->stop) {
		for (uint32_t i = 0; i < ADD_WORDS; i++)
			__atomic_add_fetch(&adder->words[i], 1, __ATOMIC_SEQ_CST);
		adder->passes++;
		usleep(100); /* the GPU has its turn */
	}
	return NULL;
}

/* Both add to the same words at a time, and nothing gets lost. */
static void test_atomic_cpu(void)
{
	const unsigned int rounds = 5, grids = 8;
	struct adder adder = { .words = nv_alloc(4 * NV_PAGE_SIZE) };
	const struct nv_kernel_args args = {
		.dst = (uintptr_t)adder.words,
		.dst_shift = WORD_SHIFT,
		.value = 1,
	};
	pthread_t thread;
	uint32_t before;

	igt_assert_eq(pthread_create(&thread, NULL, add_by_cpu, &adder), 0);
	for (int round = 0; round < rounds; round++) {
		before = adder.passes;
		for (int i = 0; i < grids; i++)
			nv_compute_grid(&shader.compute, &nv_kernel_add, ADD_WORDS, &args);
		finish(&shader);
	}
	adder.stop = true;
	igt_assert_eq(pthread_join(thread, NULL), 0);
	igt_info("%u passes of the CPU, %u in the last round\n", adder.passes,
		 adder.passes - before);
	for (uint32_t i = 0; i < ADD_WORDS; i++)
		igt_assert_f(adder.words[i] == rounds * grids * (i + 1) + adder.passes,
			     "word %u is %u instead of %u\n", i, adder.words[i],
			     rounds * grids * (i + 1) + adder.passes);
	munmap(adder.words, 4 * NV_PAGE_SIZE);
}

#define BUSY_THREADS 2
#define BUSY_SHIFT   21 /* to split a mapping takes away as much around it */

/* Takes pages away from the GPU, one after the other. */
struct protector {
	char *ptr;
	int pages;
	pthread_barrier_t *start;
};

static void *protect(void *arg)
{
	const struct protector *protector = arg;
	intptr_t failed = 0;

	pthread_barrier_wait(protector->start);
	for (int i = 0; i < protector->pages; i++)
		failed += mprotect(protector->ptr + ((size_t)i << BUSY_SHIFT), NV_PAGE_SIZE,
				   PROT_READ) != 0;
	return (void *)failed;
}

/*
 * A shader faults on one page while others are made read-only all the time, which the driver has to
 * wait for. On the model it loses patience: each takes longer than the second that it has, and less
 * than the two that it waits for the MMU, and when one is done, another waits for the mmap lock.
 */
static void test_busy(const struct nv_kernel *kernel)
{
	const bool slow = nv_model_present();
	const int mapped = NV_COMPUTE_BLOCK / BUSY_THREADS, rounds = slow ? 1 : 50;

	for (int round = 0; round < rounds; round++) {
		char *others = (char *)nv_alloc((size_t)NV_COMPUTE_BLOCK << BUSY_SHIFT);
		uint32_t *ptr = nv_alloc(NV_PAGE_SIZE);
		const struct nv_kernel_args args = {
			.dst = (uintptr_t)ptr,
			.dst_shift = WORD_SHIFT,
			.value = RACE_VALUE,
		};
		struct protector protector[BUSY_THREADS];
		pthread_t thread[BUSY_THREADS];
		pthread_barrier_t start;
		void *failed;
		bool ended;

		memset(ptr, 0, NV_PAGE_SIZE);
		write_words(&shader, others, NV_COMPUTE_BLOCK, BUSY_SHIFT, 1);
		igt_assert_eq(pthread_barrier_init(&start, NULL, BUSY_THREADS + 1), 0);
		for (int i = 0; i < BUSY_THREADS; i++) {
			protector[i].ptr = others + ((size_t)i * mapped << BUSY_SHIFT);
			protector[i].pages = slow ? 3 : mapped;
			protector[i].start = &start;
			igt_assert_eq(pthread_create(&thread[i], NULL, protect, &protector[i]), 0);
		}
		if (slow)
			nv_model_delay("mmu", 1300000);
		pthread_barrier_wait(&start);
		if (slow)
			usleep(100000); /* the first one has begun */
		nv_compute_grid(&shader.compute, kernel, NV_COMPUTE_BLOCK, &args);
		ended = nv_compute_ends(&shader.compute);
		reset_model(0);
		for (int i = 0; i < BUSY_THREADS; i++) {
			igt_assert_eq(pthread_join(thread[i], &failed), 0);
			igt_assert(!failed);
		}
		pthread_barrier_destroy(&start);
		igt_assert_f(ended, "a shader was killed for a page that it may use\n");
		check_words(ptr, NV_COMPUTE_BLOCK, WORD_SHIFT, RACE_VALUE);
		munmap(ptr, NV_PAGE_SIZE);
		munmap(others, (size_t)NV_COMPUTE_BLOCK << BUSY_SHIFT);
	}
}

/*
 * Hints where the driver has its own mappings, of which nothing can come, and a store behind them. On
 * the model the driver looks at the fault buffer only when all of them have faulted. With a buffer
 * that has no room for the store (rig/test igt-patched-faults) it does not see that.
 */
static void test_overflow_hints(void)
{
	const unsigned int hints = 128;
	uint32_t *ptr = nv_alloc(NV_PAGE_SIZE);
	const struct nv_kernel_args hint = {
		.dst = shader.result.va,
		.src = (uintptr_t)shader.svm.cutout + shader.svm.cutout_size - hints * NV_PAGE_SIZE,
		.dst_shift = WORD_SHIFT,
		.src_shift = PAGE_SHIFT,
		.value = 3,
	};
	const struct nv_kernel_args store = {
		.dst = (uintptr_t)ptr,
		.dst_shift = WORD_SHIFT,
		.value = 4,
	};
	struct nv_model_stats before, stats;

	patience_ms = 10000; /* a driver may let it wait for ever */
	if (nv_model_present()) {
		nv_model_stats(&before);
		nv_model_irq_delay(500000);
	}
	nv_compute_grid(&shader.compute, &nv_kernel_hinted_fill, hints, &hint);
	nv_compute_grid(&shader.compute, &nv_kernel_fill, NV_COMPUTE_BLOCK, &store);
	finish(&shader);
	if (nv_model_present()) {
		reset_model(0);
		nv_model_stats_since(&stats, &before);
		igt_info("%" PRIu64 " faults had no room\n", stats.overflows);
	}
	check_words(shader.result.map, hints, WORD_SHIFT, 3);
	check_words(ptr, NV_COMPUTE_BLOCK, WORD_SHIFT, 4);
	munmap(ptr, NV_PAGE_SIZE);
}

/* One interrupt, or three in a row, do not arrive. The GPU sends the next when it is re-armed. */
static void test_lost_interrupts(void)
{
	const size_t len = 64 * KiB;

	nv_model_require();
	patience_ms = 10000; /* a driver may never hear of it */
	for (unsigned int lost = 1; lost <= 3; lost += 2) {
		uint32_t *ptr = nv_alloc(len);
		struct nv_model_stats before, stats;

		nv_model_stats(&before);
		nv_model_irq_drop(lost);
		write_words(&shader, ptr, len / 4, WORD_SHIFT, lost);
		reset_model(0);
		nv_model_stats_since(&stats, &before);
		igt_assert(stats.lost >= lost);
		check_words(ptr, len / 4, WORD_SHIFT, lost);
		munmap(ptr, len);
	}
	assert_works(&shader);
}

/* Processes that end while their shaders fault. */
static void test_exit_while_faulting(void)
{
	igt_emit_ignore_dmesg_regex(NV_KILLED_DMESG);
	for (int round = 0; round < 3; round++) {
		pid_t child = fork();
		int status;

		igt_assert(child >= 0);
		if (!child) {
			struct nv_kernel_args args = { .dst_shift = PAGE_SHIFT };
			struct shader own;

			shader_create(&own);
			args.dst = (uintptr_t)nv_alloc(512 * NV_PAGE_SIZE);
			nv_compute_grid(&own.compute, &nv_kernel_fill, 512, &args);
			if (__nv_chan_submit(&own.compute.chan))
				_exit(1);
			usleep(round * 20000);
			_exit(0);
		}
		igt_assert_eq(waitpid(child, &status, 0), child);
		igt_assert_eq(status, 0);
	}
	assert_works(&shader);
}

/* Files that are closed while their shaders fault. */
static void test_close_while_faulting(void)
{
	const size_t len = 512 * NV_PAGE_SIZE;
	char *ptr = (char *)nv_alloc(len);

	igt_emit_ignore_dmesg_regex(NV_KILLED_DMESG);
	for (int round = 0; round < 3; round++) {
		const struct nv_kernel_args args = {
			.dst = (uintptr_t)ptr,
			.dst_shift = PAGE_SHIFT,
			.value = round,
		};
		struct shader own;

		shader_create(&own);
		nv_compute_grid(&own.compute, &nv_kernel_fill, 512, &args);
		igt_assert_eq(__nv_chan_submit(&own.compute.chan), 0);
		usleep(round * 1000);
		nv_compute_abandon(&own.compute);
		munmap(own.result.map, own.result.size);
		nv_svm_fini(&own.svm);
		/* what it did not write by now it will not write */
		nv_fill(ptr, len, round);
		usleep(20000);
		nv_check(ptr, len, round);
	}
	munmap(ptr, len);
	assert_works(&shader);
}

/* The driver goes while shaders fault: after that nothing changes, and the next one works. */
static void test_unbind_while_faulting(void)
{
	const size_t len = 512 * NV_PAGE_SIZE;
	char *ptr = (char *)nv_alloc(len);

	igt_emit_ignore_dmesg_regex(NV_KILLED_DMESG);
	for (int round = 0; round < 3; round++) {
		const struct nv_kernel_args args = {
			.dst = (uintptr_t)ptr,
			.dst_shift = PAGE_SHIFT,
			.value = round,
		};

		igt_assert_eq(madvise(ptr, len, MADV_DONTNEED), 0);
		nv_compute_grid(&shader.compute, &nv_kernel_fill, 512, &args);
		igt_assert_eq(__nv_chan_submit(&shader.compute.chan), 0);
		usleep(round * 1000);
		nv_driver_unbind(&gpu);
		nv_fill(ptr, len, round);
		usleep(20000);
		nv_check(ptr, len, round);
		igt_assert_eq(__nv_chan_submit(&shader.compute.chan), -ENODEV);

		nv_compute_abandon(&shader.compute);
		nv_bo_unmap(&shader.result);
		nv_svm_fini(&shader.svm);
		nv_gpu_rebind(&gpu);
		shader_create(&shader);
		assert_works(&shader);
	}
	munmap(ptr, len);
}

/* Pages that user space serves: who faults on one waits as long as that takes. */

#define SERVED_MS 1500 /* more than the second after which HMM gives up */
#define ENDS_S	  10 /* for a process that nothing holds up; the driver gives a channel 15 s to end */

struct served {
	int fd; /* userfaultfd */
	uint32_t *ptr;
};

static void served_create(struct served *served)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	served->ptr = nv_alloc(NV_PAGE_SIZE);
	served->fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	igt_require_f(served->fd >= 0, "needs CONFIG_USERFAULTFD\n");
	range.range.start = (uintptr_t)served->ptr;
	range.range.len = NV_PAGE_SIZE;
	igt_assert_eq(ioctl(served->fd, UFFDIO_API, &api), 0);
	igt_assert_eq(ioctl(served->fd, UFFDIO_REGISTER, &range), 0);
}

static void served_destroy(struct served *served)
{
	close(served->fd);
	munmap(served->ptr, NV_PAGE_SIZE);
}

/* Somebody, who is on the GPU, waits for the page. */
static void served_wait(struct served *served, bool write)
{
	struct pollfd events = { .fd = served->fd, .events = POLLIN };
	struct uffd_msg msg;

	igt_assert_f(poll(&events, 1, ENDS_S * 1000) == 1, "nobody asked for the page\n");
	igt_assert_eq(read(served->fd, &msg, sizeof(msg)), sizeof(msg));
	igt_assert_eq(msg.event, UFFD_EVENT_PAGEFAULT);
	igt_assert_eq_u64(msg.arg.pagefault.address & -NV_PAGE_SIZE, (uintptr_t)served->ptr);
	igt_assert_eq(!!(msg.arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WRITE), write);
}

/* A grid of @s that stores to the page, and waits for it by now. */
static void served_store(struct shader *s, struct served *served, uint32_t value)
{
	const struct nv_kernel_args args = {
		.dst = (uintptr_t)served->ptr,
		.dst_shift = WORD_SHIFT,
		.value = value,
	};

	nv_compute_grid(&s->compute, &nv_kernel_fill, NV_COMPUTE_BLOCK, &args);
	igt_assert_eq(__nv_chan_submit(&s->compute.chan), 0);
	served_wait(served, true);
}

struct server {
	struct served served;
	bool write;
};

/* Takes its time, then fills the page. */
static void *serve(void *arg)
{
	struct server *server = arg;
	uint32_t *from = nv_alloc(NV_PAGE_SIZE);
	struct uffdio_copy fill = {
		.dst = (uintptr_t)server->served.ptr,
		.src = (uintptr_t)from,
		.len = NV_PAGE_SIZE,
	};

	nv_fill(from, NV_PAGE_SIZE, 5);
	served_wait(&server->served, server->write);
	usleep(SERVED_MS * 1000);
	igt_assert_eq(ioctl(server->served.fd, UFFDIO_COPY, &fill), 0);
	munmap(from, NV_PAGE_SIZE);
	return NULL;
}

/* What the server put there is what a shader reads, and what it has beside its own stores. */
static void test_userfaultfd_shader(bool write)
{
	const unsigned int threads = NV_PAGE_SIZE / 2 >> WORD_SHIFT;
	struct server server = { .write = write };
	uint32_t *ptr, *want = nv_alloc(NV_PAGE_SIZE);
	struct timespec start = {};
	pthread_t thread;

	served_create(&server.served);
	ptr = server.served.ptr;
	nv_fill(want, NV_PAGE_SIZE, 5);
	igt_assert_eq(pthread_create(&thread, NULL, serve, &server), 0);
	igt_nsec_elapsed(&start);
	if (write)
		write_words(&shader, ptr, threads, WORD_SHIFT, 6);
	else
		read_words(&shader, ptr, threads, WORD_SHIFT);
	igt_assert(igt_nsec_elapsed(&start) >= SERVED_MS * 1000000ull);
	igt_assert_eq(pthread_join(thread, NULL), 0);
	if (write)
		check_words(ptr, threads, WORD_SHIFT, 6);
	else
		igt_assert(!memcmp(shader.result.map, want, NV_PAGE_SIZE / 2));
	igt_assert(!memcmp(ptr + threads, want + threads, NV_PAGE_SIZE / 2));
	served_destroy(&server.served);
	munmap(want, NV_PAGE_SIZE);
}

enum {
	WAITS = 1,
	KILLED
};

/* A process whose shader waits for a page that nobody serves. It says so, and when it is killed. */
static void wait_for_ever(volatile int *state)
{
	struct served served;
	struct shader own;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	shader_create(&own);
	served_create(&served);
	served_store(&own, &served, 1);
	*state = WAITS;
	while (!__nv_chan_submit(&own.compute.chan))
		usleep(500000);
	*state = KILLED;
	for (;;)
		pause();
}

/*
 * The engine has one context at a time, and a shader that waits cannot leave it. When others want it,
 * the driver ends the channel that has it after a timeout, as it does for a shader that hangs. So the
 * one that waits may be killed; the others go on, and what they fault on is handled.
 */
static void test_userfaultfd_beside(void)
{
	volatile int *state =
		mmap(NULL, NV_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint32_t *ptr = nv_alloc(64 * KiB);
	const struct nv_kernel_args args = {
		.dst = (uintptr_t)ptr,
		.dst_shift = WORD_SHIFT,
		.value = 2,
	};
	struct timespec start = {};
	int status, ret, left;
	pid_t child;

	igt_assert(state != MAP_FAILED);
	igt_emit_ignore_dmesg_regex(NV_KILLED_DMESG "|nouveau [0-9a-f:.]+: fifo: SCHED_ERROR");
	child = fork();
	igt_assert(child >= 0);
	if (!child)
		wait_for_ever(state);
	while (!*state && !waitpid(child, &status, WNOHANG))
		usleep(10000);
	igt_assert_f(*state, "no shader waits\n");

	igt_nsec_elapsed(&start);
	nv_compute_grid(&shader.compute, &nv_kernel_fill, 64 * KiB / 4, &args);
	ret = __nv_chan_submit(&shader.compute.chan);
	for (left = 60; !ret && left && __nv_chan_wait(&shader.compute.chan, 500); left--)
		ret = __nv_chan_submit(&shader.compute.chan);
	igt_info("after %.1f s\n", igt_nsec_elapsed(&start) / 1e9);
	sleep(2); /* it looks now and then */
	igt_info("the shader that waits was %s\n", *state == KILLED ? "killed" : "not killed");
	kill(child, SIGKILL);
	igt_assert_eq(waitpid(child, &status, 0), child);
	igt_assert_f(!ret && left, "the shader beside the one that waits does not end\n");
	check_words(ptr, 64 * KiB / 4, WORD_SHIFT, 2);
	assert_works(&shader);
	munmap(ptr, 64 * KiB);
	munmap((void *)state, NV_PAGE_SIZE);
}

/* A copy of the userfaultfd of @child, whose number there is @fd. */
static int get_fd(pid_t child, int fd)
{
	const int pidfd = syscall(SYS_pidfd_open, child, 0);
	int copy;

	igt_assert(pidfd >= 0);
	copy = syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	igt_assert_f(copy >= 0, "pidfd_getfd: %s\n", strerror(errno));
	close(pidfd);
	return copy;
}

/* Whether the process whose userfaultfd @fd is still has its memory. The address is none. */
static bool has_memory(int fd, const void *src)
{
	struct uffdio_copy copy = {
		.dst = NV_PAGE_SIZE,
		.src = (uintptr_t)src,
		.len = NV_PAGE_SIZE,
	};

	igt_assert(ioctl(fd, UFFDIO_COPY, &copy));
	return errno != ESRCH;
}

enum {
	OLDER,
	NEWER,
	HELD
};

/*
 * A process exits while its shader waits for a page that nobody serves. Linux closes files one after
 * the other: its userfaultfd is older than its device file, or newer, or another process has it, too.
 * A mapping of the device file keeps it open until the memory of the process goes.
 */
static void exit_while_waiting(int uffd_is, bool mapped)
{
	int go[2], told[2], status, left, uffd = -1, copy = -1;
	uint32_t *page = nv_alloc(NV_PAGE_SIZE);
	pid_t child;
	char byte;

	igt_assert(!pipe(go) && !pipe(told));
	child = fork();
	igt_assert(child >= 0);
	if (!child) {
		struct served served;
		struct shader own;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (uffd_is == OLDER)
			served_create(&served);
		shader_create(&own);
		if (uffd_is != OLDER)
			served_create(&served);
		served_store(&own, &served, 1);
		if (!mapped) {
			nv_compute_abandon(&own.compute);
			munmap(own.result.map, own.result.size);
		}
		igt_assert_eq(write(told[1], &served.fd, sizeof(int)), sizeof(int));
		_exit(read(go[0], &byte, 1) != 1);
	}
	close(told[1]);
	igt_assert_f(read(told[0], &uffd, sizeof(uffd)) == sizeof(uffd), "no shader waits\n");
	if (uffd_is == HELD)
		copy = get_fd(child, uffd);
	igt_assert_eq(write(go[1], "", 1), 1);
	for (left = ENDS_S * 10; left && !waitpid(child, &status, WNOHANG); left--)
		usleep(100000);
	igt_assert_f(left, "a process does not get to its end\n");
	igt_assert_eq(status, 0);
	for (; uffd_is == HELD && left && has_memory(copy, page); left--)
		usleep(100000);
	igt_assert_f(left, "a process is gone, and its memory is not\n");
	igt_info("it took %.1f s\n", (ENDS_S * 10 - left) / 10.0);
	assert_works(&shader);
	if (uffd_is == HELD)
		close(copy);
	close(told[0]);
	close(go[0]);
	close(go[1]);
	munmap(page, NV_PAGE_SIZE);
}

static void test_userfaultfd_exit(void)
{
	igt_emit_ignore_dmesg_regex(NV_KILLED_DMESG);
	for (int mapped = 0; mapped < 2; mapped++) {
		exit_while_waiting(OLDER, mapped);
		exit_while_waiting(NEWER, mapped);
	}
}

static void test_userfaultfd_exit_held(void)
{
	igt_emit_ignore_dmesg_regex(NV_KILLED_DMESG);
	exit_while_waiting(HELD, true);
	exit_while_waiting(HELD, false);
}

/* The device file is closed while its shader waits for a page that nobody serves. */
static void test_userfaultfd_close(void)
{
	struct timespec start = {};
	struct served served;
	struct shader own;
	uint64_t entry;

	igt_emit_ignore_dmesg_regex(NV_KILLED_DMESG);
	served_create(&served);
	shader_create(&own);
	served_store(&own, &served, 1);
	nv_compute_abandon(&own.compute);
	munmap(own.result.map, own.result.size);
	igt_nsec_elapsed(&start);
	nv_svm_fini(&own.svm);
	igt_info("it took %.1f s\n", igt_nsec_elapsed(&start) / 1e9);
	igt_assert(igt_nsec_elapsed(&start) < ENDS_S * 1000000000ull);
	nv_pagemap_read(served.ptr, NV_PAGE_SIZE, &entry);
	igt_assert_f(!entry, "the page is there, though nobody served it\n");
	served_destroy(&served);
	assert_works(&shader);
}

/* The driver goes while a shader waits for a page that nobody serves. */
static void test_userfaultfd_unbind(void)
{
	struct timespec start = {};
	struct served served;

	igt_emit_ignore_dmesg_regex(NV_KILLED_DMESG);
	served_create(&served);
	served_store(&shader, &served, 1);
	igt_nsec_elapsed(&start);
	nv_driver_unbind(&gpu);
	igt_info("it took %.1f s\n", igt_nsec_elapsed(&start) / 1e9);

	nv_compute_abandon(&shader.compute);
	nv_bo_unmap(&shader.result);
	nv_svm_fini(&shader.svm);
	served_destroy(&served);
	nv_gpu_rebind(&gpu);
	shader_create(&shader);
	assert_works(&shader);
}

static void run(void (*test)(void))
{
	patience_ms = 40000;
	reset_model(0); /* a subtest that failed did not */
	shader_create(&shader);
	test();
	shader_destroy(&shader);
}

/* Arguments make a subtest of a function. */
#define VARIANT(name, call)    \
	static void name(void) \
	{                      \
		call;          \
	}
VARIANT(read_4k, test_read(4 * KiB))
VARIANT(read_64k, test_read(64 * KiB))
VARIANT(write_4k, test_write(4 * KiB))
VARIANT(write_64k, test_write(64 * KiB))
VARIANT(file_shared, test_file(MAP_SHARED))
VARIANT(file_private, test_file(MAP_PRIVATE))
VARIANT(fork_write, test_fork_write(false))
VARIANT(fork_write_vram, test_fork_write(true))
VARIANT(revoke_munmap_race, test_revoke_race(change_munmap, true))
VARIANT(revoke_replace_race, test_revoke_race(change_replace, false))
VARIANT(revoke_mprotect_race, test_revoke_race(change_mprotect, true))
VARIANT(cpu_write_race, test_cpu_write_race(false))
VARIANT(cpu_write_race_vram, test_cpu_write_race(true))
VARIANT(userfaultfd_read, test_userfaultfd_shader(false))
VARIANT(userfaultfd_write, test_userfaultfd_shader(true))
VARIANT(busy_write, test_busy(&nv_kernel_fill))
VARIANT(busy_atomic, test_busy(&nv_kernel_add))
VARIANT(wild_read, test_killed(&nv_kernel_copy, WILD_POINTER))
VARIANT(wild_write, test_killed(&nv_kernel_fill, WILD_POINTER))
VARIANT(wild_atomic, test_killed(&nv_kernel_add, WILD_POINTER))

static const struct {
	const char *name;
	void (*run)(void);
	const char *describe;
} subtests[] = {
	{ "shader-buffer", test_buffer, "A shader copies inside a buffer object" },
	{ "shader-read-4k", read_4k, "A shader reads a page of the process" },
	{ "shader-read-64k", read_64k, "A shader reads pages of the process" },
	{ "shader-read-untouched", test_read_untouched,
	  "A shader reads zeros where the process never was, and then writes there" },
	{ "shader-write-4k", write_4k, "A shader writes a page of the process" },
	{ "shader-write-64k", write_64k, "A shader writes pages of the process" },
	{ "shader-atomic", test_atomic, "A shader and the process add to the same words in turn" },
	{ "shader-atomic-one-word", test_atomic_one_word,
	  "All threads add to one word, each once" },
	{ "atomic-thp", test_atomic_thp, "A shader adds to words in the middle of a huge page" },
	{ "atomic-stack", test_atomic_stack, "A shader adds to words on the stack" },
	{ "atomic-untouched", test_atomic_untouched,
	  "A shader adds to what it has read where the process never was" },
	{ "atomic-shared", test_atomic_shared,
	  "An atomic to shared memory kills its channel and nothing else" },
	{ "atomic-hugetlb", test_atomic_hugetlb,
	  "An atomic to a page of hugetlbfs kills its channel and nothing else" },
	{ "shader-exchange", test_exchange, "Atomics return what was there" },
	{ "file-shared", file_shared, "A shader reads and writes a file by a shared mapping" },
	{ "file-private", file_private, "A shader writes to a private mapping, not to the file" },
	{ "file-program", test_file_program, "A shader reads the program's own file" },
	{ "hugetlb", test_hugetlb, "A shader reads and writes a page of hugetlbfs" },
	{ "stack", test_stack, "A shader reads and writes the stack" },
	{ "many-pages", test_many_pages, "More pages fault than the fault buffer has entries" },
	{ "thp", test_thp, "A shader reads and writes a huge page" },
	{ "vram", test_vram, "A shader reads and writes pages in VRAM" },
	{ "vram-atomic", test_vram_atomic, "A shader adds to words in VRAM, which stay there" },
	{ "vram-thp", test_vram_thp,
	  "A shader reads and writes the middle of a huge page in VRAM" },
	{ "read-only", test_read_only, "A shader reads what is read-only" },
	{ "remap", test_remap, "A shader follows when memory is discarded and made anew" },
	{ "fork-write", fork_write, "What a shader writes after fork() is its process's own" },
	{ "fork-write-vram", fork_write_vram,
	  "What a shader writes to VRAM after fork() is its process's own" },
	{ "revoke-munmap-race", revoke_munmap_race,
	  "A file is left alone when it is unmapped under a shader that stores to it" },
	{ "revoke-replace-race", revoke_replace_race,
	  "A file is left alone when other memory replaces it under a shader that stores to it" },
	{ "revoke-mprotect-race", revoke_mprotect_race,
	  "A file is left alone when it becomes read-only under a shader that stores to it" },
	{ "reuse-race", test_reuse_race,
	  "Pages that are freed under a shader that stores to them keep what others put there" },
	{ "fork-race", test_fork_race,
	  "A child's memory stays as it is at fork() under a shader that stores to it" },
	{ "cpu-write-race", cpu_write_race, "A shader and the process write to the same pages" },
	{ "cpu-write-race-vram", cpu_write_race_vram,
	  "A shader and the process write to pages that go to VRAM and back" },
	{ "atomic-cpu-race", test_atomic_cpu,
	  "A shader and the process add to the same words at a time" },
	{ "busy-write", busy_write,
	  "A shader faults on a page while others are taken away all the time" },
	{ "busy-atomic", busy_atomic,
	  "An atomic of a shader faults while pages are taken away all the time" },
	{ "overflow-hints", test_overflow_hints,
	  "A shader's store goes on behind hints that fill the fault buffer" },
	{ "lost-interrupts", test_lost_interrupts,
	  "A shader that faults goes on when an interrupt gets lost" },
	{ "mixed-batch", test_mixed_batch,
	  "Atomics, reads of a file and stores to new pages fault at a time" },
	{ "wild-read", wild_read, "A wild read kills its channel and nothing else" },
	{ "wild-write", wild_write, "A wild write kills its channel and nothing else" },
	{ "wild-atomic", wild_atomic, "A wild atomic kills its channel and nothing else" },
	{ "wild-many", test_wild_many, "The driver works on after any number of wild pointers" },
	{ "wild-beside", test_wild_beside, "A wild pointer kills no channel of another process" },
	{ "wild-beside-vram", test_wild_beside_vram,
	  "Pages in VRAM keep their content when wild pointers kill channels" },
	{ "processes", test_processes, "Shaders of several processes fault at a time" },
	{ "write-read-only", test_write_read_only,
	  "A write to what is read-only kills its channel and nothing else" },
	{ "illegal-instruction", test_illegal_instruction,
	  "A shader that traps is killed, and nothing else" },
	{ "exit-while-faulting", test_exit_while_faulting,
	  "A process may exit while its shader faults" },
	{ "close-while-faulting", test_close_while_faulting,
	  "A file may be closed while its shader faults" },
	{ "userfaultfd-shader", userfaultfd_read,
	  "A shader reads a page that user space serves after a while" },
	{ "userfaultfd-shader-write", userfaultfd_write,
	  "A shader writes to a page that user space serves after a while" },
	{ "userfaultfd-beside", test_userfaultfd_beside,
	  "A shader that waits for user space holds up no faults of other processes" },
	{ "userfaultfd-exit", test_userfaultfd_exit,
	  "A process may exit while its shader waits for user space" },
	{ "userfaultfd-exit-held", test_userfaultfd_exit_held,
	  "A process may exit while its shader waits for another process" },
	{ "userfaultfd-close", test_userfaultfd_close,
	  "A file may be closed while its shader waits for user space" },
	{ "userfaultfd-unbind", test_userfaultfd_unbind,
	  "The driver may go while a shader waits for user space" },
	{ "unbind-while-faulting", test_unbind_while_faulting,
	  "The driver may go while a shader faults" },
};

int igt_main()
{
	igt_fixture()
	{
		nv_gpu_open(&gpu, 0);
		igt_require_f(nv_is_pascal(&gpu), "needs a Pascal GPU\n");
		igt_install_exit_handler(reset_model);
	}

	for (int i = 0; i < ARRAY_SIZE(subtests); i++) {
		igt_describe(subtests[i].describe);
		igt_subtest(subtests[i].name) run(subtests[i].run);
	}

	igt_fixture()
	{
		nv_gpu_close(&gpu);
	}
}
