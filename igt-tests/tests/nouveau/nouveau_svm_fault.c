// SPDX-License-Identifier: MIT
/**
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
#include <linux/magic.h>
#include <linux/mman.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "igt.h"
#include "nouveau_drm.h"
#include "nouveau/nv_ce.h"
#include "nouveau/nv_compute.h"
#include "nouveau/nv_device.h"
#include "nouveau/nv_kmsg.h"
#include "nouveau/nv_ksm.h"
#include "nouveau/nv_model.h"
#include "nouveau/nv_svm.h"
#include "nouveau/nv_worker.h"

IGT_TEST_DESCRIPTION("Replayable page faults of shaders with nouveau's SVM");

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

#define KiB 1024ul
#define MiB (1024 * KiB)
#define GiB (1024 * MiB)

#define WORD_SHIFT   2
#define PAGE_SHIFT   12
#define RESULT_SIZE  (256 * KiB)
#define MANY_PAGES   5024 /* more than the fault buffer has entries (4608 on the model) */
#define WILD_POINTER 0x123456789000ul
#define WILD_40_BITS 0x9876543000ul /* for what takes no longer address */

/*
 * A GPU with an SVM address space, a channel for shaders in it, and memory they need no fault for.
 */
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

/* What nobody touched: a zero page that was read is not one that may be written. */
static void use_untouched(void *ptr, size_t len)
{
	const uint32_t *result = shader.result.map;

	read_words(&shader, ptr, len / 4, WORD_SHIFT);
	for (size_t i = 0; i < len / 4; i++)
		igt_assert_eq(result[i], 0);
	write_words(&shader, ptr, len / 4, WORD_SHIFT, 5);
	check_words(ptr, len / 4, WORD_SHIFT, 5);
}

static void test_read_untouched(void)
{
	uint32_t *ptr = nv_alloc(64 * KiB);

	use_untouched(ptr, 64 * KiB);
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

/* The file's page, which the GPU may have mapped to read, is copied for the process. */
static void test_atomic_file_private(void)
{
	const size_t len = 64 * KiB;
	const int fd = memfd_create("igt", 0);
	uint32_t *file, *ptr;

	igt_assert(fd >= 0 && !ftruncate(fd, len));
	file = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ptr = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	igt_assert(file != MAP_FAILED && ptr != MAP_FAILED);
	nv_fill(file, len, 3);
	read_words(&shader, ptr, len / 8, WORD_SHIFT);
	nv_check(shader.result.map, len / 2, 3);
	add_words(&shader, ptr, len / 4, WORD_SHIFT, 5);
	for (uint32_t i = 0; i < len / 4; i++)
		igt_assert_eq_u32(ptr[i], nv_pattern(3, i) + i + 5);
	nv_check(file, len, 3);
	munmap(ptr, len);
	munmap(file, len);
	close(fd);
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

/* As a whole it is too much for a fault: what is around each is mapped. */
static void test_hugetlb_1g(void)
{
	const size_t len = 1ul << 30, middle = len / 2 + 7 * NV_HUGE_SIZE;
	char *ptr = mmap(NULL, len, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_HUGE_1GB, -1, 0);

	igt_require_f(ptr != MAP_FAILED,
		      "got no page of 1 GiB (boot with hugepagesz=1G hugepages=1)\n");
	use_mapping(ptr, RESULT_SIZE);
	use_mapping(ptr + middle - RESULT_SIZE / 2, RESULT_SIZE);
	use_mapping(ptr + len - RESULT_SIZE, RESULT_SIZE);
	munmap(ptr, len);
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

/* Pages that another file has in VRAM move, and the shader follows. */
static void test_vram_other_file(void)
{
	const size_t len = 64 * KiB;
	uint32_t *ptr = nv_alloc(len);
	struct nv_svm other;

	nv_svm_init(&other, drm_reopen_driver(gpu.fd));
	for (uint32_t round = 0; round < 3; round++) {
		nv_fill(ptr, len, round);
		read_words(&shader, ptr, len / 4, WORD_SHIFT);
		nv_check(shader.result.map, len, round);
		nv_svm_migrate(&other, ptr, len);
		nv_assert_private(ptr, len);
		read_words(&shader, ptr, len / 4, WORD_SHIFT);
		nv_check(shader.result.map, len, round);
		nv_assert_private(ptr, len);
	}
	nv_svm_fini(&other);
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

/*
 * Shaders whose code or constants are in memory of the process: GCC fetches them, and faults, too
 */

#define PROGRAM_THREADS 1024

/* Behind the results in the buffer object, for what does not fault. */
#define BUFFER_SOURCE	 (64 * KiB)
#define BUFFER_CODE	 (128 * KiB)
#define BUFFER_CONSTANTS (192 * KiB)

/* The same memory for the CPU and for the GPU. */
struct place {
	char *map;
	uint64_t va;
};

struct program {
	const struct nv_kernel *kernel;
	struct place code, constants;
};

static struct place in_memory(char *ptr)
{
	return (struct place){ ptr, (uintptr_t)ptr };
}

static struct place in_buffer(size_t at)
{
	return (struct place){ (char *)shader.result.map + at, shader.result.va + at };
}

/*
 * Where memory goes across a boundary of 2 MiB: no driver maps pages beyond it along with a fault.
 */
static char *edge_of(uint32_t *memory)
{
	return (char *)(((uintptr_t)memory + NV_HUGE_SIZE) & -NV_HUGE_SIZE);
}

static void write_program(const struct program *program, uint32_t value)
{
	const struct nv_kernel_args args = {
		.dst = shader.result.va,
		.src = shader.result.va + BUFFER_SOURCE,
		.dst_shift = WORD_SHIFT,
		.src_shift = WORD_SHIFT,
		.value = value,
	};

	memcpy(program->code.map, program->kernel->code, program->kernel->size);
	nv_kernel_constants(program->constants.map, PROGRAM_THREADS / NV_COMPUTE_BLOCK,
			    NV_COMPUTE_BLOCK, &args);
}

static void queue_program(const struct program *program)
{
	nv_compute_grid_at(&shader.compute, program->kernel, PROGRAM_THREADS, program->code.va,
			   program->constants.va);
}

static void run_program(const struct program *program)
{
	memset(shader.result.map, 0xee, PROGRAM_THREADS << WORD_SHIFT);
	queue_program(program);
	finish(&shader);
}

/* Faults of the GPU so far, as its model or its driver counts them. Returns: whether one does. */
static bool count_faults(uint64_t *faults)
{
	struct nv_model_stats stats;
	struct nv_counters counters;

	if (nv_model_present()) {
		nv_model_stats(&stats);
		*faults = 0;
		for (int i = 0; i < NV_MAX_GPUS; i++)
			*faults += stats.faults[i];
		return true;
	}
	if (!nv_counters_read(&gpu, &counters))
		return false;
	*faults = counters.gpu_faults;
	return true;
}

/* Nothing but @program faults, and that at least on both sides of an edge. */
static void run_faulting_program(const struct program *program)
{
	uint64_t before, after;
	const bool counts = count_faults(&before);

	run_program(program);
	if (!counts)
		return;
	count_faults(&after);
	igt_assert_f(after - before >= 2, "%" PRIu64 " faults instead of 2\n", after - before);
}

/*
 * That part of @program which is in @memory goes across an edge, so that its second half faults
 * when the first one has been used. Then there is other code at the same place, and then other
 * memory.
 */
static void run_programs(uint32_t *memory, struct program *program)
{
	igt_assert(nv_kernel_copy.size > NV_COMPUTE_ALIGN_CODE);
	nv_fill((char *)shader.result.map + BUFFER_SOURCE, PROGRAM_THREADS << WORD_SHIFT, 1);
	for (uint32_t round = 0; round < 3; round++) {
		program->kernel = &nv_kernel_copy;
		write_program(program, round);
		run_faulting_program(program);
		nv_check(shader.result.map, PROGRAM_THREADS << WORD_SHIFT, 1);
		program->kernel = &nv_kernel_fill;
		write_program(program, round);
		run_program(program);
		check_words(shader.result.map, PROGRAM_THREADS, WORD_SHIFT, round);
		igt_assert_eq(madvise(memory, 2 * NV_HUGE_SIZE, MADV_DONTNEED), 0);
	}
	munmap(memory, 2 * NV_HUGE_SIZE);
}

static void test_program_fault(void)
{
	uint32_t *memory = nv_alloc(2 * NV_HUGE_SIZE);
	struct program program = {
		.code = in_memory(edge_of(memory) - NV_COMPUTE_ALIGN_CODE),
		.constants = in_buffer(BUFFER_CONSTANTS),
	};

	run_programs(memory, &program);
}

static void test_constants_fault(void)
{
	uint32_t *memory = nv_alloc(2 * NV_HUGE_SIZE);
	struct program program = {
		.code = in_buffer(BUFFER_CODE),
		.constants = in_memory(edge_of(memory) - NV_COMPUTE_ALIGN_CONSTANTS),
	};

	run_programs(memory, &program);
}

/*
 * Code and constants in VRAM are used there. Another file migrates them, as a driver may map for a
 * file what it migrated for it, and here it has to be asked by a fault.
 */
static void test_program_in_vram(void)
{
	const size_t len = 2 * NV_PAGE_SIZE;
	struct nv_model_stats before, stats;
	struct nv_svm other;

	nv_svm_init(&other, drm_reopen_driver(gpu.fd));
	nv_fill((char *)shader.result.map + BUFFER_SOURCE, PROGRAM_THREADS << WORD_SHIFT, 1);
	for (int round = 0; round < 3; round++) {
		uint32_t *memory = nv_alloc(2 * NV_HUGE_SIZE);
		char *ptr = edge_of(memory) - NV_PAGE_SIZE;
		const struct program program = {
			.kernel = &nv_kernel_copy,
			.code = in_memory(edge_of(memory) - NV_COMPUTE_ALIGN_CODE),
			.constants = in_memory(ptr),
		};

		write_program(&program, 0);
		nv_svm_migrate(&other, ptr, len);
		nv_assert_private(ptr, len);
		if (nv_model_present())
			nv_model_stats(&before);
		run_faulting_program(&program);
		if (nv_model_present()) {
			nv_model_stats_since(&stats, &before);
			/* the words that it copies, and no more */
			igt_assert_eq_u64(stats.gr.system_read, PROGRAM_THREADS << WORD_SHIFT);
		}
		nv_assert_private(ptr, len);
		nv_check(shader.result.map, PROGRAM_THREADS << WORD_SHIFT, 1);
		munmap(memory, 2 * NV_HUGE_SIZE);
	}
	nv_svm_fini(&other);
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
 * Three grids at a time: an atomic to private memory, and reads of a file and stores to new pages
 * at higher addresses, which the driver handles after it, in one batch.
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

/*
 * Faults of one batch on two places, @distance apart. Returns: how many faults there were, of which
 * 2 * NV_COMPUTE_BLOCK are needed, if something counts them.
 */
static uint64_t fault_on_two_places(size_t distance)
{
	const unsigned int threads = NV_COMPUTE_BLOCK;
	const size_t len = threads * NV_PAGE_SIZE, size = distance + len;
	char *all = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	const uint32_t *result = shader.result.map;
	uint64_t before = 0, after = 0;

	igt_assert(all != MAP_FAILED);
	igt_assert(!madvise(all, size, MADV_NOHUGEPAGE) || errno == EINVAL);
	for (int place = 0; place < 2; place++) {
		char *ptr = all + place * distance;

		igt_assert_eq(mprotect(ptr, len, PROT_READ | PROT_WRITE), 0);
		nv_fill(ptr, len, 1 + place);
	}
	memset(shader.result.map, 0, 2 * threads << WORD_SHIFT);
	count_faults(&before);
	if (nv_model_present())
		nv_model_irq_delay(500000); /* the driver looks when all have faulted */
	for (int place = 0; place < 2; place++) {
		const struct nv_kernel_args args = {
			.dst = shader.result.va + (place * threads << WORD_SHIFT),
			.src = (uintptr_t)all + place * distance,
			.dst_shift = WORD_SHIFT,
			.src_shift = PAGE_SHIFT,
		};

		nv_compute_grid(&shader.compute, &nv_kernel_copy, threads, &args);
	}
	finish(&shader);
	if (nv_model_present())
		nv_model_irq_delay(0);
	count_faults(&after);
	for (unsigned int i = 0; i < 2 * threads; i++) {
		const char *ptr = all + i / threads * distance + i % threads * NV_PAGE_SIZE;

		igt_assert_eq_u32(result[i], *(const uint32_t *)ptr);
	}
	munmap(all, size);
	return after - before;
}

/* The difference of these addresses is negative if it is cut to 32 bits. */
static void test_far_batch(void)
{
	const uint64_t near = fault_on_two_places(1 * GiB), far = fault_on_two_places(3 * GiB);

	igt_info("%" PRIu64 " faults on places 1 GiB apart, %" PRIu64 " on places 3 GiB apart\n",
		 near, far);
	if (nv_model_present())
		igt_assert_f(far <= near, "there were faults that came twice\n");
}

/* What was queued last can never end: the driver kills its channel some time later. */
static void assert_killed(struct nv_chan *chan)
{
	igt_assert_f(!nv_chan_ends(chan), "channel %d: its work came to its end\n", chan->id);
}

static void assert_works(struct shader *s)
{
	uint32_t *ptr = nv_alloc(16 * KiB);

	write_words(s, ptr, 16 * KiB / 4, WORD_SHIFT, 1);
	check_words(ptr, 16 * KiB / 4, WORD_SHIFT, 1);
	munmap(ptr, 16 * KiB);
}

/*
 * What was queued on @doomed kills it, by a fault of @client at @addr if that is known. A channel
 * that was there before and one made after it are not killed.
 */
static void assert_kills_only(struct nv_chan *doomed, uint64_t addr, const char *client)
{
	struct nv_worker copier;
	struct shader other;
	int kmsg;

	igt_emit_ignore_dmesg_regex(NV_KILLED_DMESG);
	nv_worker_create(&copier, &gpu);
	shader_create(&other);
	assert_works(&other);
	kmsg = nv_kmsg_open();
	assert_killed(doomed);
	assert_works(&other);
	nv_worker_fill(&copier, 64 * KiB, 3);
	nv_worker_check(&copier, 64 * KiB, 3);
	if (client)
		nv_kmsg_assert_killed(kmsg, doomed, addr, client);
	else
		close(kmsg);
	shader_destroy(&other);
	nv_worker_destroy(&copier);
	shader_create(&other);
	assert_works(&other);
	shader_destroy(&other);
}

static void test_killed(const struct nv_kernel *kernel, uint64_t addr)
{
	const struct nv_kernel_args args = {
		.dst = kernel == &nv_kernel_copy ? shader.result.va : addr,
		.src = addr,
		.dst_shift = WORD_SHIFT,
		.src_shift = WORD_SHIFT,
	};

	nv_compute_grid(&shader.compute, kernel, 1024, &args);
	assert_kills_only(&shader.compute.chan, 0, NULL);
}

/* A program that is nowhere. */
static void test_wild_program(void)
{
	const struct program program = {
		.kernel = &nv_kernel_fill,
		.code = { .va = WILD_POINTER },
		.constants = in_buffer(BUFFER_CONSTANTS),
	};

	queue_program(&program);
	assert_kills_only(&shader.compute.chan, program.code.va, NV_CLIENT_GCC);
}

/* A program that goes on where the process has nothing that can be read. */
static void test_wild_program_end(void)
{
	uint32_t *memory = nv_alloc(2 * NV_HUGE_SIZE);
	char *edge = edge_of(memory);
	const struct program program = {
		.kernel = &nv_kernel_copy,
		.code = in_memory(edge - NV_COMPUTE_ALIGN_CODE),
		.constants = in_buffer(BUFFER_CONSTANTS),
	};

	write_program(&program, 1);
	igt_assert_eq(mprotect(edge, NV_PAGE_SIZE, PROT_NONE), 0);
	queue_program(&program);
	assert_kills_only(&shader.compute.chan, (uintptr_t)edge, NV_CLIENT_GCC);
	munmap(memory, 2 * NV_HUGE_SIZE);
}

static void test_wild_constants(void)
{
	struct program program = {
		.kernel = &nv_kernel_fill,
		.code = in_buffer(BUFFER_CODE),
		.constants = in_buffer(BUFFER_CONSTANTS),
	};

	write_program(&program, 1);
	program.constants.va = WILD_POINTER;
	queue_program(&program);
	assert_kills_only(&shader.compute.chan, program.constants.va, NV_CLIENT_GCC);
}

/* Host writes a semaphore, on the runlists of both engines. */
static void test_wild_semaphore(void)
{
	static const uint32_t engines[] = { NOUVEAU_FIFO_ENGINE_GR, NOUVEAU_FIFO_ENGINE_CE };

	for (int i = 0; i < ARRAY_SIZE(engines); i++) {
		struct nv_chan doomed;

		nv_chan_create(&doomed, shader.svm.fd, engines[i]);
		nv_chan_release(&doomed, WILD_40_BITS, 1);
		assert_kills_only(&doomed, WILD_40_BITS, NV_CLIENT_HOST);
		nv_chan_destroy(&doomed);
	}
}

/* SKED reads the descriptor of a grid. */
static void test_wild_qmd(void)
{
	nv_compute_launch(&shader.compute, WILD_40_BITS);
	assert_kills_only(&shader.compute.chan, WILD_40_BITS, NV_CLIENT_SKED);
}

/* Without SVM_INIT no fault is replayable, be it of a load or store, of code or of constants. */
static void test_wild_no_svm(void)
{
	static const struct {
		bool code, constants;
		const char *client;
	} faults[] = {
		{ false, false, NV_CLIENT_GPC }, /* the store */
		{ true, false, NV_CLIENT_GCC },
		{ false, true, NV_CLIENT_GCC },
	};
	const struct nv_kernel_args args = { .dst = WILD_POINTER };

	for (int i = 0; i < ARRAY_SIZE(faults); i++) {
		const int fd = drm_reopen_driver(gpu.fd);
		struct nv_compute doomed;
		struct nv_bo bo;

		nv_compute_create(&doomed, fd, gpu.chipset);
		nv_bo_create(&bo, fd, 2 * NV_PAGE_SIZE,
			     NOUVEAU_GEM_DOMAIN_GART | NOUVEAU_GEM_DOMAIN_COHERENT);
		nv_chan_attach(&doomed.chan, &bo);
		memcpy(bo.map, nv_kernel_wild.code, nv_kernel_wild.size);
		nv_kernel_constants((char *)bo.map + NV_PAGE_SIZE, 1, NV_COMPUTE_BLOCK, &args);
		nv_compute_grid_at(&doomed, &nv_kernel_wild, NV_COMPUTE_BLOCK,
				   faults[i].code ? WILD_POINTER : bo.va,
				   faults[i].constants ? WILD_POINTER : bo.va + NV_PAGE_SIZE);
		assert_kills_only(&doomed.chan, WILD_POINTER, faults[i].client);
		nv_compute_destroy(&doomed);
		nv_bo_destroy(&bo);
		drm_close_driver(fd);
	}
}

static void test_store_read_only(const struct nv_kernel *kernel)
{
	uint32_t *ptr = nv_alloc(NV_PAGE_SIZE);

	nv_fill(ptr, NV_PAGE_SIZE, 1);
	igt_assert_eq(mprotect(ptr, NV_PAGE_SIZE, PROT_READ), 0);
	test_killed(kernel, (uintptr_t)ptr);
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

/* The process changes its memory between two shaders */

#define AREA_LEN   (64 * KiB)
#define AREA_FROM  (5 * NV_PAGE_SIZE) /* the part that changes, where it is not all */
#define AREA_END   (11 * NV_PAGE_SIZE)
#define AREA_VALUE 100 /* of the first shader */
#define AREA_STEP  10000

/* Memory that the GPU has mapped: a shader stored to all of it, AREA_VALUE + i to word i. */
static char *area_create(bool in_vram)
{
	char *ptr = (char *)nv_alloc(AREA_LEN);

	nv_fill(ptr, AREA_LEN, 1);
	if (in_vram)
		nv_svm_migrate(&shader.svm, ptr, AREA_LEN);
	write_words(&shader, ptr, AREA_LEN / 4, WORD_SHIFT, AREA_VALUE);
	if (in_vram)
		nv_assert_private(ptr, AREA_LEN);
	return ptr;
}

/*
 * In bytes @from to @end of an area a shader finds @value + i in word i, and so does the process;
 * and the process finds what a shader stores there.
 */
static void area_assert(char *ptr, size_t from, size_t end, uint32_t value)
{
	const unsigned int words = (end - from) / 4;
	const uint32_t first = value + from / 4;

	if (!words)
		return;
	read_words(&shader, ptr + from, words, WORD_SHIFT);
	check_words(shader.result.map, words, WORD_SHIFT, first);
	check_words(ptr + from, words, WORD_SHIFT, first);
	write_words(&shader, ptr + from, words, WORD_SHIFT, first + AREA_STEP);
	check_words(ptr + from, words, WORD_SHIFT, first + AREA_STEP);
}

/* Whatever a shader does there kills its channel, and not another one of the same file. */
static void assert_out_of_reach(const char *ptr)
{
	static const struct nv_kernel *const kernels[] = { &nv_kernel_copy, &nv_kernel_fill,
							   &nv_kernel_add };

	igt_emit_ignore_dmesg_regex(NV_KILLED_DMESG);
	for (int i = 0; i < ARRAY_SIZE(kernels); i++) {
		const uint64_t addr = (uintptr_t)ptr + i * NV_PAGE_SIZE;
		const struct nv_kernel_args args = {
			.dst = kernels[i] == &nv_kernel_copy ? shader.result.va : addr,
			.src = addr,
			.dst_shift = WORD_SHIFT,
			.src_shift = WORD_SHIFT,
		};
		struct nv_compute doomed;

		nv_compute_create(&doomed, shader.svm.fd, gpu.chipset);
		nv_chan_attach(&doomed.chan, &shader.result);
		nv_compute_grid(&doomed, kernels[i], NV_COMPUTE_BLOCK, &args);
		assert_killed(&doomed.chan);
		nv_compute_destroy(&doomed);
	}
	assert_works(&shader);
}

static void test_munmap(size_t from, size_t end, bool in_vram)
{
	char *ptr = area_create(in_vram);

	igt_assert_eq(munmap(ptr + from, end - from), 0);
	area_assert(ptr, 0, from, AREA_VALUE);
	area_assert(ptr, end, AREA_LEN, AREA_VALUE);
	assert_out_of_reach(ptr + from);
	igt_assert(mmap(ptr + from, end - from, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == ptr + from);
	use_untouched(ptr + from, end - from);
	munmap(ptr, AREA_LEN);
}

/* What was there before is there again, as the stores of those that were killed never came. */
static void test_mprotect_none(bool in_vram)
{
	char *ptr = area_create(in_vram);

	igt_assert_eq(mprotect(ptr + AREA_FROM, AREA_END - AREA_FROM, PROT_NONE), 0);
	area_assert(ptr, 0, AREA_FROM, AREA_VALUE);
	area_assert(ptr, AREA_END, AREA_LEN, AREA_VALUE);
	assert_out_of_reach(ptr + AREA_FROM);
	igt_assert_eq(mprotect(ptr + AREA_FROM, AREA_END - AREA_FROM, PROT_READ | PROT_WRITE), 0);
	area_assert(ptr, AREA_FROM, AREA_END, AREA_VALUE);
	munmap(ptr, AREA_LEN);
}

/* The part moves into the middle of other memory that the GPU has mapped, too. */
static void test_mremap(int flags, bool in_vram)
{
	const size_t len = AREA_END - AREA_FROM;
	char *ptr = area_create(in_vram), *to = area_create(false);

	write_words(&shader, to, AREA_LEN / 4, WORD_SHIFT, 1);
	igt_assert(mremap(ptr + AREA_FROM, len, len, MREMAP_MAYMOVE | MREMAP_FIXED | flags,
			  to + AREA_FROM) == to + AREA_FROM);
	area_assert(to, AREA_FROM, AREA_END, AREA_VALUE);
	area_assert(to, 0, AREA_FROM, 1);
	area_assert(to, AREA_END, AREA_LEN, 1);
	area_assert(ptr, 0, AREA_FROM, AREA_VALUE);
	area_assert(ptr, AREA_END, AREA_LEN, AREA_VALUE);
	if (flags & MREMAP_DONTUNMAP)
		use_untouched(ptr + AREA_FROM, len);
	else
		assert_out_of_reach(ptr + AREA_FROM);
	area_assert(to, AREA_FROM, AREA_END, AREA_VALUE + AREA_STEP);
	munmap(ptr, AREA_LEN);
	munmap(to, AREA_LEN);
}

/*
 * While there is a child, the process writes to one half, and so leaves the pages of it to the
 * child. When that exits, they are freed, and others may have them; the other half is the process's
 * alone again.
 */
static void test_fork_child_exit(bool in_vram)
{
	const size_t half = AREA_LEN / 2;
	char *ptr = area_create(in_vram), *others;
	int gate[2];

	igt_assert_eq(pipe(gate), 0);
	igt_fork(child, 1)
	{
		char byte;

		close(gate[1]);
		igt_assert_eq(read(gate[0], &byte, 1), 1);
		check_words(ptr, AREA_LEN / 4, WORD_SHIFT, AREA_VALUE);
	}
	for (uint32_t i = 0; i < half / 4; i++)
		((uint32_t *)ptr)[i] = i;
	igt_assert_eq(write(gate[1], "", 1), 1);
	igt_waitchildren();
	close(gate[0]);
	close(gate[1]);
	others = (char *)nv_alloc(AREA_LEN);
	nv_fill(others, AREA_LEN, 2);
	area_assert(ptr, 0, half, 0);
	area_assert(ptr, half, AREA_LEN, AREA_VALUE);
	nv_check(others, AREA_LEN, 2);
	munmap(others, AREA_LEN);
	munmap(ptr, AREA_LEN);
}

/* Returns: whether Linux takes all pages at @ptr away when it is asked to. */
static bool reclaimed(void *ptr, size_t len)
{
	struct nv_residency is;

	for (int i = 0; i < 100; i++) {
		igt_assert_eq(madvise(ptr, len, MADV_PAGEOUT), 0);
		nv_residency(ptr, len, &is);
		if (is.none == len / NV_PAGE_SIZE)
			return true;
		usleep(10000);
	}
	return false;
}

/*
 * Linux drops what is MADV_FREE and was not written since. Nobody but the driver knows what a GPU
 * wrote. The second half of the memory is left alone, to show that Linux does it; on one CPU, as
 * each has pages in a list of its own that nobody else takes from.
 */
static void test_madvise_free(bool huge)
{
	char *ptr = (char *)nv_alloc_huge(2 * NV_HUGE_SIZE), *alone = ptr + NV_HUGE_SIZE;
	cpu_set_t all, one;

	igt_assert_eq(sched_getaffinity(0, sizeof(all), &all), 0);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	igt_assert_eq(sched_setaffinity(0, sizeof(one), &one), 0);
	if (!huge)
		igt_assert(!madvise(ptr, 2 * NV_HUGE_SIZE, MADV_NOHUGEPAGE) || errno == EINVAL);
	nv_fill(ptr, AREA_LEN, 1);
	nv_fill(alone, AREA_LEN, 1);
	igt_require_f(!huge || (nv_is_huge_page(ptr) && nv_is_huge_page(alone)),
		      "got no huge page (see transparent_hugepage/enabled)\n");
	igt_assert_eq(madvise(ptr, 2 * NV_HUGE_SIZE, MADV_FREE), 0);
	write_words(&shader, ptr, AREA_LEN / 4, WORD_SHIFT, AREA_VALUE);
	igt_require_f(reclaimed(alone, AREA_LEN), "Linux does not drop what is MADV_FREE\n");
	reclaimed(ptr, AREA_LEN);
	area_assert(ptr, 0, AREA_LEN, AREA_VALUE);
	igt_assert_eq(sched_setaffinity(0, sizeof(all), &all), 0);
	munmap(ptr, 2 * NV_HUGE_SIZE);
}

/* Pages of a file leave RAM and come back: of the end of this program, which nobody else maps. */
static void test_madvise_pageout(void)
{
	const int fd = open("/proc/self/exe", O_RDONLY);
	char *want = malloc(AREA_LEN), *ptr;
	uint64_t before, after;
	off_t at;

	igt_assert(fd >= 0 && want);
	at = (lseek(fd, 0, SEEK_END) - AREA_LEN) & -NV_PAGE_SIZE;
	igt_assert(at > 0);
	igt_assert_eq(pread(fd, want, AREA_LEN, at), AREA_LEN);
	ptr = mmap(NULL, AREA_LEN, PROT_READ, MAP_SHARED, fd, at);
	igt_assert(ptr != MAP_FAILED);
	read_words(&shader, ptr, AREA_LEN / 4, WORD_SHIFT);
	igt_assert(!memcmp(shader.result.map, want, AREA_LEN));
	igt_require_f(reclaimed(ptr, AREA_LEN), "Linux keeps the pages of this program in RAM\n");
	if (count_faults(&before)) {
		read_words(&shader, ptr, AREA_LEN / 4, WORD_SHIFT);
		igt_assert(count_faults(&after));
		igt_assert_f(after > before, "the GPU had the pages that were taken away\n");
	} else {
		read_words(&shader, ptr, AREA_LEN / 4, WORD_SHIFT);
	}
	igt_assert(!memcmp(shader.result.map, want, AREA_LEN));
	munmap(ptr, AREA_LEN);
	free(want);
	close(fd);
}

/* Small pages that the GPU has mapped become a huge one. */
static void test_madvise_hugepage(void)
{
	char *ptr = (char *)nv_alloc_huge(NV_HUGE_SIZE);

	igt_assert_eq(madvise(ptr, NV_HUGE_SIZE, MADV_NOHUGEPAGE), 0);
	write_words(&shader, ptr, NV_HUGE_SIZE / 4, WORD_SHIFT, 3);
	igt_assert_eq(madvise(ptr, NV_HUGE_SIZE, MADV_HUGEPAGE), 0);
	igt_require_f(!madvise(ptr, NV_HUGE_SIZE, MADV_COLLAPSE) && nv_is_huge_page(ptr),
		      "MADV_COLLAPSE makes no huge page here\n");
	read_words(&shader, ptr + MiB, RESULT_SIZE / 4, WORD_SHIFT);
	check_words(shader.result.map, RESULT_SIZE / 4, WORD_SHIFT, 3 + MiB / 4);
	check_words(ptr, NV_HUGE_SIZE / 4, WORD_SHIFT, 3);
	write_words(&shader, ptr, NV_HUGE_SIZE / 4, WORD_SHIFT, 4);
	check_words(ptr, NV_HUGE_SIZE / 4, WORD_SHIFT, 4);
	munmap(ptr, NV_HUGE_SIZE);
}

/* Pages are locked where the CPU sees them; from there they may go to VRAM, locked or not. */
static void test_mlock(bool in_vram)
{
	char *ptr = area_create(in_vram), *untouched = (char *)nv_alloc(AREA_LEN);

	igt_assert_eq(mlock(ptr, AREA_LEN), 0);
	igt_assert_eq(mlock(untouched, AREA_LEN), 0);
	nv_assert_ram(ptr, AREA_LEN);
	nv_assert_ram(untouched, AREA_LEN);
	area_assert(ptr, 0, AREA_LEN, AREA_VALUE);
	use_untouched(untouched, AREA_LEN);
	if (in_vram)
		nv_svm_migrate(&shader.svm, ptr, AREA_LEN);
	igt_assert_eq(munlock(ptr, AREA_LEN), 0);
	area_assert(ptr, 0, AREA_LEN, AREA_VALUE + AREA_STEP);
	munmap(untouched, AREA_LEN);
	munmap(ptr, AREA_LEN);
}

/*
 * The memory is what it was after the GPU slept, in RAM, in VRAM, and where nobody was yet. A
 * channel of the model forgets what was bound to it when the GPU sleeps, so it is another one that
 * looks.
 */
static void test_suspend(void)
{
	char *ram = area_create(false), *vram = area_create(true),
	     *fresh = (char *)nv_alloc(AREA_LEN);

	igt_system_suspend_autoresume(SUSPEND_STATE_FREEZE, SUSPEND_TEST_PLATFORM);

	nv_compute_destroy(&shader.compute);
	nv_compute_create(&shader.compute, shader.svm.fd, gpu.chipset);
	nv_chan_attach(&shader.compute.chan, &shader.result);
	use_untouched(fresh, AREA_LEN);
	area_assert(ram, 0, AREA_LEN, AREA_VALUE);
	area_assert(vram, 0, AREA_LEN, AREA_VALUE);
	munmap(fresh, AREA_LEN);
	munmap(vram, AREA_LEN);
	munmap(ram, AREA_LEN);
}

/* Linux's own test of long-term pins: mm/gup_test.h, which is no header for programs. */
#define GUP_TEST	  "/sys/kernel/debug/gup_test"
#define PIN_FOR_WRITE	  1
#define IOCTL_PIN_START	  _IOW('g', 7, struct longterm_pin)
#define IOCTL_PIN_STOP	  _IO('g', 8)
#define IOCTL_PIN_CONTENT _IOW('g', 9, uint64_t)

struct longterm_pin {
	uint64_t addr, size;
	uint32_t flags;
};

/* What other devices that pinned the memory for good find in it. */
static void pin_check(int fd, uint32_t value, uint32_t factor)
{
	uint32_t *copy = malloc(AREA_LEN);
	uint64_t addr = (uintptr_t)copy;

	igt_assert(copy);
	do_ioctl(fd, IOCTL_PIN_CONTENT, &addr);
	for (uint32_t i = 0; i < AREA_LEN / 4; i++)
		igt_assert_f(copy[i] == value + i * factor,
			     "word %u of the pinned page is %#x instead of %#x\n", i, copy[i],
			     value + i * factor);
	free(copy);
}

/* What is pinned stays in RAM, and the same pages are what shaders use. */
static void test_gup_longterm(bool in_vram)
{
	const int fd = open(GUP_TEST, O_RDWR);
	char *ptr = area_create(in_vram);
	struct longterm_pin pin = {
		.addr = (uintptr_t)ptr,
		.size = AREA_LEN,
		.flags = PIN_FOR_WRITE,
	};

	igt_require_f(fd >= 0, "needs CONFIG_GUP_TEST (" GUP_TEST ")\n");
	do_ioctl(fd, IOCTL_PIN_START, &pin);
	nv_assert_ram(ptr, AREA_LEN);
	pin_check(fd, AREA_VALUE, 1);
	area_assert(ptr, 0, AREA_LEN, AREA_VALUE);
	pin_check(fd, AREA_VALUE + AREA_STEP, 1);
	nv_svm_migrate(&shader.svm, ptr, AREA_LEN);
	nv_assert_ram(ptr, AREA_LEN);
	add_words(&shader, ptr, AREA_LEN / 4, WORD_SHIFT, 1);
	pin_check(fd, AREA_VALUE + AREA_STEP + 1, 2);
	do_ioctl(fd, IOCTL_PIN_STOP, NULL);
	close(fd);
	munmap(ptr, AREA_LEN);
}

/*
 * KSM gives what two shaders stored alike the same pages, to read. A store is to one of them alone.
 */
static void test_ksm(void)
{
	char *ptr = area_create(false), *twin = area_create(false);
	uint64_t pages[2][AREA_LEN / NV_PAGE_SIZE];

	nv_ksm_require();
	igt_assert_eq(madvise(ptr, AREA_LEN, MADV_MERGEABLE), 0);
	igt_assert_eq(madvise(twin, AREA_LEN, MADV_MERGEABLE), 0);
	nv_ksm_merge();
	nv_pagemap_read(ptr, AREA_LEN, pages[0]);
	nv_pagemap_read(twin, AREA_LEN, pages[1]);
	igt_assert_f(!memcmp(pages[0], pages[1], sizeof(pages[0])), "KSM merged other pages\n");
	read_words(&shader, twin, AREA_LEN / 4, WORD_SHIFT);
	check_words(shader.result.map, AREA_LEN / 4, WORD_SHIFT, AREA_VALUE);
	area_assert(ptr, 0, AREA_LEN, AREA_VALUE);
	area_assert(twin, 0, AREA_LEN, AREA_VALUE);
	check_words(ptr, AREA_LEN / 4, WORD_SHIFT, AREA_VALUE + AREA_STEP);
	nv_ksm_stop();
	munmap(twin, AREA_LEN);
	munmap(ptr, AREA_LEN);
}

/*
 * Every other page is freed, so that there is room to move to; of the rest a shader stored to the
 * first word of one in four.
 */
#define GAPS_LEN   (32 * MiB)
#define GAPS_SHIFT (PAGE_SHIFT + 3)
#define GAPS_PAGES (GAPS_LEN >> GAPS_SHIFT)

static char *gaps_create(void)
{
	char *ptr = (char *)nv_alloc(GAPS_LEN);

	for (size_t at = 0; at < GAPS_LEN; at += NV_PAGE_SIZE)
		ptr[at] = 1;
	for (size_t at = NV_PAGE_SIZE; at < GAPS_LEN; at += 2 * NV_PAGE_SIZE)
		igt_assert_eq(madvise(ptr + at, NV_PAGE_SIZE, MADV_DONTNEED), 0);
	write_words(&shader, ptr, GAPS_PAGES, GAPS_SHIFT, AREA_VALUE);
	return ptr;
}

/* Returns: how many of the shader's pages Linux moved when it was asked to move what it can. */
static size_t gaps_compact(const char *ptr)
{
	const size_t pages = GAPS_LEN / NV_PAGE_SIZE;
	uint64_t *before = calloc(2 * pages, sizeof(*before)), *after = before + pages;
	const int fd = open("/proc/sys/vm/compact_memory", O_WRONLY);
	size_t moved = 0;

	igt_require_f(fd >= 0, "needs CONFIG_COMPACTION\n");
	igt_assert(before);
	nv_pagemap_read(ptr, GAPS_LEN, before);
	igt_assert_eq(write(fd, "1", 1), 1);
	nv_pagemap_read(ptr, GAPS_LEN, after);
	for (size_t i = 0; i < pages; i += pages / GAPS_PAGES)
		moved += after[i] != before[i];
	free(before);
	close(fd);
	return moved;
}

/*
 * Some do not move, as there is no gap above them; with what was left of one try the next has more.
 */
static void test_compaction(void)
{
	char *tries[5];
	size_t moved = 0;
	int count = 0;

	while (count < ARRAY_SIZE(tries) && moved < 8) {
		char *ptr = tries[count++] = gaps_create();

		moved += gaps_compact(ptr);
		read_words(&shader, ptr, GAPS_PAGES, GAPS_SHIFT);
		check_words(shader.result.map, GAPS_PAGES, WORD_SHIFT, AREA_VALUE);
		write_words(&shader, ptr, GAPS_PAGES, GAPS_SHIFT, AREA_STEP);
		check_words(ptr, GAPS_PAGES, GAPS_SHIFT, AREA_STEP);
	}
	igt_info("%zu pages moved\n", moved);
	igt_require_f(moved, "Linux moved none of the pages\n");
	while (count)
		munmap(tries[--count], GAPS_LEN);
}

/* A file below TMPDIR that is more than memory. Its name is gone at once. */
static int create_file(int *direct)
{
	const char *dir = getenv("TMPDIR");
	char path[PATH_MAX];
	struct statfs fs;
	int fd;

	snprintf(path, sizeof(path), "%s/nouveau_svm_fault.XXXXXX", dir ? dir : "/tmp");
	fd = mkstemp(path);
	igt_require_f(fd >= 0, "%s: %s\n", path, strerror(errno));
	*direct = open(path, O_RDONLY | O_DIRECT);
	igt_assert_eq(statfs(path, &fs), 0);
	unlink(path);
	igt_require_f(fs.f_type != TMPFS_MAGIC && fs.f_type != OVERLAYFS_SUPER_MAGIC,
		      "%s is in RAM: set TMPDIR to a directory on a disk, or what is like one\n",
		      dir ? dir : "/tmp");
	igt_require_f(*direct >= 0, "%s: O_DIRECT: %s\n", dir, strerror(errno));
	return fd;
}

/*
 * A file system writes back what was stored to a mapping, for which it makes that read-only, and is
 * told of the next store. What it wrote is read past the page cache.
 */
static void test_file_write_back(void)
{
	int direct;
	const int fd = create_file(&direct);
	uint32_t *ptr, *on_disk = (uint32_t *)nv_alloc(AREA_LEN);

	igt_assert_eq(ftruncate(fd, AREA_LEN), 0);
	ptr = mmap(NULL, AREA_LEN, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	igt_assert_f(ptr != MAP_FAILED, "mmap of a file: %s\n", strerror(errno));
	for (uint32_t round = 1; round <= 3; round++) {
		write_words(&shader, ptr, AREA_LEN / 4, WORD_SHIFT, round);
		igt_assert_eq(msync(ptr, AREA_LEN, MS_SYNC), 0);
		igt_assert_eq(pread(direct, on_disk, AREA_LEN, 0), AREA_LEN);
		check_words(on_disk, AREA_LEN / 4, WORD_SHIFT, round);
		check_words(ptr, AREA_LEN / 4, WORD_SHIFT, round);
	}
	nv_fill(on_disk, AREA_LEN, 1);
	igt_assert_eq(pwrite(fd, on_disk, AREA_LEN, 0), AREA_LEN);
	read_words(&shader, ptr, AREA_LEN / 4, WORD_SHIFT);
	nv_check(shader.result.map, AREA_LEN, 1);
	munmap(on_disk, AREA_LEN);
	munmap(ptr, AREA_LEN);
	close(direct);
	close(fd);
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

struct beside {
	bool stop;
	int passes;
};

/*
 * Kills channels by @kill while another process does @work, which faults, and looks at every word.
 */
static void test_beside(void (*work)(void), void (*kill)(int round), int rounds)
{
	volatile struct beside *shared =
		mmap(NULL, NV_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status, ended = 0;
	pid_t child;

	igt_assert(shared != MAP_FAILED);
	igt_emit_ignore_dmesg_regex(NV_KILLED_DMESG);
	child = fork();
	igt_assert(child >= 0);
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		shader_create(&shader); /* its own */
		for (; !shared->stop; shared->passes++)
			work();
		shader_destroy(&shader);
		_exit(0);
	}
	while (!shared->passes && !ended) {
		usleep(1000);
		ended = waitpid(child, &status, WNOHANG);
	}
	for (int i = 0; i < rounds && !ended; i++) {
		kill(i);
		reset_model(0);
		ended = waitpid(child, &status, WNOHANG);
	}
	shared->stop = true;
	igt_assert(ended || waitpid(child, &status, 0) == child);
	igt_info("%d passes of the other process beside %d channels killed\n", shared->passes,
		 rounds);
	igt_assert_f(!status, "nothing was wrong with the other process\n");
	munmap((void *)shared, NV_PAGE_SIZE);
}

static void store_words(void)
{
	assert_works(&shader);
}

static void slow_mmu(void)
{
	if (nv_model_present())
		nv_model_delay("mmu", 100000);
}

/*
 * The first cancel makes the driver reset the engine, while others of the same channel are still
 * to come, and another process faults at the same units. A slow MMU brings all that together.
 */
static void kill_shader(int round)
{
	const struct nv_kernel_args args = { .dst = WILD_POINTER, .dst_shift = WORD_SHIFT };
	struct nv_compute doomed;

	nv_compute_create(&doomed, shader.svm.fd, gpu.chipset);
	slow_mmu();
	nv_compute_grid(&doomed, &nv_kernel_fill, 1024, &args);
	assert_killed(&doomed.chan);
	usleep(500000); /* the last cancel has been done */
	nv_compute_destroy(&doomed);
}

static void test_wild_beside(void)
{
	test_beside(store_words, kill_shader, 10);
}

static void fetch_program(void)
{
	uint32_t *memory = nv_alloc(2 * NV_PAGE_SIZE);
	const struct program program = {
		.kernel = &nv_kernel_fill,
		.code = in_memory((char *)memory),
		.constants = in_memory((char *)memory + NV_PAGE_SIZE),
	};

	write_program(&program, 1);
	run_program(&program);
	check_words(shader.result.map, PROGRAM_THREADS, WORD_SHIFT, 1);
	munmap(memory, 2 * NV_PAGE_SIZE);
}

/* As kill_shader(), with several faults of the one unit that fetches code for all SMs. */
static void kill_program(int round)
{
	struct nv_compute doomed;

	nv_compute_create(&doomed, shader.svm.fd, gpu.chipset);
	slow_mmu();
	for (int i = 0; i < 8; i++)
		nv_compute_grid_at(&doomed, &nv_kernel_fill, NV_COMPUTE_BLOCK,
				   WILD_POINTER + i * NV_PAGE_SIZE,
				   shader.result.va + BUFFER_CONSTANTS);
	assert_killed(&doomed.chan);
	usleep(500000); /* the last cancel has been done */
	nv_compute_destroy(&doomed);
}

static void test_wild_program_beside(void)
{
	test_beside(fetch_program, kill_program, 5);
}

/*
 * In turn a copy engine, Host with that engine's runlist, and Host with the runlist that the other
 * process's shaders are on. None of these faults is replayable.
 */
static void kill_copier(int round)
{
	const bool copy = round % 3 == 0;
	struct nv_chan doomed;

	nv_chan_create(&doomed, shader.svm.fd,
		       round % 3 == 2 ? NOUVEAU_FIFO_ENGINE_GR : NOUVEAU_FIFO_ENGINE_CE);
	if (round / 3 % 2)
		slow_mmu();
	if (copy) {
		nv_ce_init(&doomed, gpu.chipset);
		nv_ce_copy(&doomed, shader.result.va, WILD_POINTER, 64 * KiB);
	} else {
		nv_chan_release(&doomed, WILD_40_BITS, 1);
	}
	assert_killed(&doomed);
	nv_chan_destroy(&doomed);
}

static void test_wild_copy_beside(void)
{
	test_beside(store_words, kill_copier, 12);
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
		assert_killed(&doomed.chan);
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
		assert_killed(&doomed.chan);
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

/*
 * Contexts of several processes take turns on the engine, and fault there, each in its own memory.
 */
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
	assert_killed(&shader.compute.chan);
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
		if (!nv_chan_ends(&shader.compute.chan)) {
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
		igt_assert_f(nv_chan_ends(&shader.compute.chan),
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
		igt_assert(nv_chan_ends(&shader.compute.chan));
		igt_assert_eq(write(gate[1], "", 1), 1);
		igt_waitchildren();
		close(gate[0]);
		close(gate[1]);
		check_words(ptr, RACE_WORDS, WORD_SHIFT, RACE_VALUE + round);
	}
	munmap(ptr, RACE_LEN);
}

/*
 * The shader stores to every other word, the process to those between, and as both are the first in
 * a page now and then, both make it. With @in_vram the pages are brought to VRAM again and again.
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
		igt_assert_f(nv_chan_ends(&shader.compute.chan),
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
		ended = nv_chan_ends(&shader.compute.chan);
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
 * Hints where the driver has its own mappings, of which nothing can come, and a store behind them.
 * On the model the driver looks at the fault buffer only when all of them have faulted. With a
 * buffer that has no room for the store it does not see that.
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
			void *dst = nv_alloc(512 * NV_PAGE_SIZE);
			const struct nv_kernel_args args = {
				.dst = (uintptr_t)dst,
				.dst_shift = PAGE_SHIFT,
			};
			struct shader own;

			shader_create(&own);
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

/*
 * Files that are closed while a fault of theirs kills the channel: before the driver waits for the
 * channel to be idle, while it does, or just when it begins.
 */
static void test_wild_close(void)
{
	const struct nv_kernel_args args = {
		.dst = WILD_POINTER,
		.dst_shift = WORD_SHIFT,
	};

	igt_emit_ignore_dmesg_regex(NV_KILLED_DMESG);
	for (int round = 0; round < 10; round++) {
		struct shader own;
		int ret;

		shader_create(&own);
		nv_compute_grid(&own.compute, &nv_kernel_fill, NV_COMPUTE_BLOCK, &args);
		if (nv_model_present())
			nv_model_irq_delay(round * 500);
		ret = __nv_chan_submit(&own.compute.chan);
		igt_assert_f(!ret || ret == -ENODEV, "%s\n", strerror(-ret)); /* killed as soon */
		nv_compute_abandon(&own.compute);
		munmap(own.result.map, own.result.size);
		nv_svm_fini(&own.svm);
		reset_model(0);
	}
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

/* The page at @ptr is to be served. */
static void served_register(struct served *served, void *ptr)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	served->ptr = ptr;
	served->fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	igt_require_f(served->fd >= 0, "needs CONFIG_USERFAULTFD\n");
	range.range.start = (uintptr_t)served->ptr;
	range.range.len = NV_PAGE_SIZE;
	igt_assert_eq(ioctl(served->fd, UFFDIO_API, &api), 0);
	igt_assert_eq(ioctl(served->fd, UFFDIO_REGISTER, &range), 0);
}

static void served_create(struct served *served)
{
	served_register(served, nv_alloc(NV_PAGE_SIZE));
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

/* Who waits for less than a second reports it once: nobody has the GPU try again meanwhile. */
static void test_userfaultfd_once(void)
{
	const uint64_t short_ns = 900000000;
	int rounds = 0;

	for (int round = 0; round < 8; round++) {
		struct uffdio_zeropage zero = { .range.len = NV_PAGE_SIZE };
		uint64_t before, after, waited;
		struct timespec start = {};
		struct served served;

		igt_require_f(count_faults(&before), "this kernel has no debugfs file svm\n");
		served_create(&served);
		zero.range.start = (uintptr_t)served.ptr;
		igt_nsec_elapsed(&start);
		served_store(&shader, &served, round);
		usleep(400000);
		igt_assert_eq(ioctl(served.fd, UFFDIO_ZEROPAGE, &zero), 0);
		igt_assert_eq(__nv_chan_wait(&shader.compute.chan, ENDS_S * 1000), 0);
		waited = igt_nsec_elapsed(&start);
		check_words(served.ptr, NV_COMPUTE_BLOCK, WORD_SHIFT, round);
		served_destroy(&served);
		if (waited > short_ns)
			continue;
		count_faults(&after);
		igt_assert_eq_u64(after - before, 1);
		rounds++;
	}
	igt_require_f(rounds, "this machine is too slow to serve a page within a second\n");
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
 * The engine has one context at a time, and a shader that waits cannot leave it. When others want
 * it, the driver ends the channel that has it after a timeout, as it does for a shader that hangs.
 * So the one that waits may be killed; the others go on, and what they fault on is handled.
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
 * A process exits while its shader waits for a page that nobody serves. Linux closes files one
 * after the other: its userfaultfd is older than its device file, or newer, or another process has
 * it, too. A mapping of the device file keeps it open until the memory of the process goes.
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

/*
 * A shader faults on pages that it may not use, which kills its channel, and on one behind them, of
 * which the driver gets to know at the same time, and which nobody serves. When the driver has no
 * more to wait for, the engine has no user any more.
 */
static void test_userfaultfd_engine(void)
{
	const unsigned int pages = NV_COMPUTE_BLOCK;
	const size_t len = pages * NV_PAGE_SIZE;
	char *ptr = (char *)nv_alloc(len);
	const struct nv_kernel_args args = {
		.dst = (uintptr_t)ptr,
		.dst_shift = PAGE_SHIFT,
	};
	struct served served;
	int left;

	igt_assert_eq(mprotect(ptr, len - NV_PAGE_SIZE, PROT_NONE), 0);
	served_register(&served, ptr + len - NV_PAGE_SIZE);
	igt_emit_ignore_dmesg_regex(NV_KILLED_DMESG);
	if (nv_model_present())
		nv_model_irq_delay(500000);
	nv_compute_grid(&shader.compute, &nv_kernel_fill, pages, &args);
	igt_assert_eq(__nv_chan_submit(&shader.compute.chan), 0);
	if (!nv_model_present()) {
		struct pollfd asked = { .fd = served.fd, .events = POLLIN };

		igt_require_f(poll(&asked, 1, ENDS_S * 1000) == 1,
			      "this GPU does not report these faults at a time\n");
	}
	served_wait(&served, true);
	reset_model(0);
	for (left = 100; left && !__nv_chan_submit(&shader.compute.chan); left--)
		usleep(50000);
	igt_assert_f(left, "the channel was not killed\n");

	nv_compute_free_object(&shader.compute);
	munmap(ptr, len);
	close(served.fd); /* who waits looks once more, and finds no page */
	usleep(200000); /* the fault is cancelled while the dead channel is still there */
	shader_destroy(&shader);
	shader_create(&shader);
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
VARIANT(munmap_partial, test_munmap(0, AREA_FROM, false))
VARIANT(munmap_middle, test_munmap(AREA_FROM, AREA_END, false))
VARIANT(munmap_middle_vram, test_munmap(AREA_FROM, AREA_END, true))
VARIANT(mprotect_none, test_mprotect_none(false))
VARIANT(mprotect_none_vram, test_mprotect_none(true))
VARIANT(mremap_plain, test_mremap(0, false))
VARIANT(mremap_vram, test_mremap(0, true))
VARIANT(mremap_dontunmap, test_mremap(MREMAP_DONTUNMAP, false))
VARIANT(mremap_dontunmap_vram, test_mremap(MREMAP_DONTUNMAP, true))
VARIANT(fork_child_exit, test_fork_child_exit(false))
VARIANT(fork_child_exit_vram, test_fork_child_exit(true))
VARIANT(madvise_free, test_madvise_free(false))
VARIANT(madvise_free_thp, test_madvise_free(true))
VARIANT(mlock_ram, test_mlock(false))
VARIANT(mlock_vram, test_mlock(true))
VARIANT(gup_longterm, test_gup_longterm(false))
VARIANT(gup_longterm_vram, test_gup_longterm(true))
VARIANT(write_read_only, test_store_read_only(&nv_kernel_fill))
VARIANT(atomic_read_only, test_store_read_only(&nv_kernel_add))
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
	{ "atomic-file-private", test_atomic_file_private,
	  "A shader adds to a private mapping of a file, not to the file" },
	{ "atomic-shared", test_atomic_shared,
	  "An atomic to shared memory kills its channel and nothing else" },
	{ "atomic-hugetlb", test_atomic_hugetlb,
	  "An atomic to a page of hugetlbfs kills its channel and nothing else" },
	{ "shader-exchange", test_exchange, "Atomics return what was there" },
	{ "file-shared", file_shared, "A shader reads and writes a file by a shared mapping" },
	{ "file-private", file_private, "A shader writes to a private mapping, not to the file" },
	{ "file-program", test_file_program, "A shader reads the program's own file" },
	{ "hugetlb", test_hugetlb, "A shader reads and writes a page of hugetlbfs" },
	{ "hugetlb-1g", test_hugetlb_1g, "A shader reads and writes a page of 1 GiB" },
	{ "stack", test_stack, "A shader reads and writes the stack" },
	{ "many-pages", test_many_pages, "More pages fault than the fault buffer has entries" },
	{ "thp", test_thp, "A shader reads and writes a huge page" },
	{ "vram", test_vram, "A shader reads and writes pages in VRAM" },
	{ "vram-other-file", test_vram_other_file,
	  "A shader reads pages in VRAM that go there and back for another file" },
	{ "vram-atomic", test_vram_atomic, "A shader adds to words in VRAM, which stay there" },
	{ "vram-thp", test_vram_thp,
	  "A shader reads and writes the middle of a huge page in VRAM" },
	{ "program-fault", test_program_fault,
	  "A shader's code is in memory of the process, where the GPU fetches it by faults" },
	{ "constants-fault", test_constants_fault,
	  "A shader's constants are in memory of the process, where the GPU fetches them by faults" },
	{ "program-in-vram", test_program_in_vram,
	  "A shader's code and constants are pages of the process in VRAM, and stay there" },
	{ "read-only", test_read_only, "A shader reads what is read-only" },
	{ "remap", test_remap, "A shader follows when memory is discarded and made anew" },
	{ "fork-write", fork_write, "What a shader writes after fork() is its process's own" },
	{ "fork-write-vram", fork_write_vram,
	  "What a shader writes to VRAM after fork() is its process's own" },
	{ "munmap-partial", munmap_partial,
	  "What is unmapped is out of a shader's reach, the rest of the mapping is not" },
	{ "munmap-middle", munmap_middle,
	  "What is unmapped is out of a shader's reach, memory on both sides is not" },
	{ "munmap-middle-vram", munmap_middle_vram,
	  "What is unmapped is out of a shader's reach, VRAM on both sides is not" },
	{ "mprotect-none", mprotect_none, "What is PROT_NONE is out of a shader's reach" },
	{ "mprotect-none-vram", mprotect_none_vram,
	  "What is PROT_NONE is out of a shader's reach, and stays in VRAM" },
	{ "mremap", mremap_plain, "A shader follows memory that moves to another address" },
	{ "mremap-vram", mremap_vram, "A shader follows VRAM that moves to another address" },
	{ "mremap-dontunmap", mremap_dontunmap,
	  "A shader follows memory that moves, and finds none of it where it was" },
	{ "mremap-dontunmap-vram", mremap_dontunmap_vram,
	  "A shader follows VRAM that moves, and finds none of it where it was" },
	{ "fork-child-exit", fork_child_exit,
	  "A shader has its process's memory when a child has come and gone" },
	{ "fork-child-exit-vram", fork_child_exit_vram,
	  "A shader has its process's VRAM when a child has come and gone" },
	{ "madvise-free", madvise_free, "What a shader stores to MADV_FREE memory is not dropped" },
	{ "madvise-free-thp", madvise_free_thp,
	  "What a shader stores to a MADV_FREE huge page is not dropped" },
	{ "madvise-pageout", test_madvise_pageout,
	  "A shader reads what left RAM after it had read it" },
	{ "madvise-hugepage", test_madvise_hugepage,
	  "A shader follows when small pages become a huge one" },
	{ "mlock", mlock_ram, "A shader uses locked memory" },
	{ "mlock-vram", mlock_vram, "A shader follows VRAM that is locked in RAM" },
	{ "gup-longterm", gup_longterm,
	  "A shader and who pinned the memory for long use the same pages" },
	{ "gup-longterm-vram", gup_longterm_vram,
	  "A shader follows VRAM that somebody pins in RAM for long" },
	{ "ksm", test_ksm, "A shader's store changes none of the pages that were merged" },
	{ "compaction", test_compaction, "A shader follows pages that Linux moves together" },
	{ "file-write-back", test_file_write_back,
	  "A shader's stores to a file are on disk after msync()" },
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
	{ "far-batch", test_far_batch,
	  "Pages that are far from each other fault at a time, and each once" },
	{ "wild-read", wild_read, "A wild read kills its channel and nothing else" },
	{ "wild-write", wild_write, "A wild write kills its channel and nothing else" },
	{ "wild-atomic", wild_atomic, "A wild atomic kills its channel and nothing else" },
	{ "wild-many", test_wild_many, "The driver works on after any number of wild pointers" },
	{ "wild-beside", test_wild_beside, "A wild pointer kills no channel of another process" },
	{ "wild-beside-vram", test_wild_beside_vram,
	  "Pages in VRAM keep their content when wild pointers kill channels" },
	{ "wild-copy-beside", test_wild_copy_beside,
	  "Wild pointers of copy engines and Host kill no channel of another process" },
	{ "wild-program", test_wild_program,
	  "A wild pointer to code kills its channel and nothing else" },
	{ "wild-program-beside", test_wild_program_beside,
	  "A wild pointer to code kills no channel of another process that fetches its own" },
	{ "wild-program-end", test_wild_program_end,
	  "Code that runs off its memory kills its channel and nothing else" },
	{ "wild-constants", test_wild_constants,
	  "A wild pointer to constants kills its channel and nothing else" },
	{ "wild-semaphore", test_wild_semaphore,
	  "A semaphore at a wild pointer kills its channel and nothing else" },
	{ "wild-qmd", test_wild_qmd,
	  "A wild pointer to a grid's descriptor kills its channel and nothing else" },
	{ "wild-no-svm", test_wild_no_svm,
	  "Wild pointers without SVM_INIT kill their channels and nothing else" },
	{ "processes", test_processes, "Shaders of several processes fault at a time" },
	{ "write-read-only", write_read_only,
	  "A write to what is read-only kills its channel and nothing else" },
	{ "atomic-read-only", atomic_read_only,
	  "An atomic to what is read-only kills its channel and nothing else" },
	{ "illegal-instruction", test_illegal_instruction,
	  "A shader that traps is killed, and nothing else" },
	{ "exit-while-faulting", test_exit_while_faulting,
	  "A process may exit while its shader faults" },
	{ "close-while-faulting", test_close_while_faulting,
	  "A file may be closed while its shader faults" },
	{ "wild-close", test_wild_close,
	  "A file may be closed while a fault is about to kill its channel" },
	{ "suspend", test_suspend, "A shader uses memory after the GPU slept" },
	{ "userfaultfd-shader", userfaultfd_read,
	  "A shader reads a page that user space serves after a while" },
	{ "userfaultfd-shader-write", userfaultfd_write,
	  "A shader writes to a page that user space serves after a while" },
	{ "userfaultfd-once", test_userfaultfd_once,
	  "A shader that waits for user space for less than a second faults once" },
	{ "userfaultfd-beside", test_userfaultfd_beside,
	  "A shader that waits for user space holds up no faults of other processes" },
	{ "userfaultfd-exit", test_userfaultfd_exit,
	  "A process may exit while its shader waits for user space" },
	{ "userfaultfd-exit-held", test_userfaultfd_exit_held,
	  "A process may exit while its shader waits for another process" },
	{ "userfaultfd-close", test_userfaultfd_close,
	  "A file may be closed while its shader waits for user space" },
	{ "userfaultfd-engine", test_userfaultfd_engine,
	  "The last user of the engine may go while a fault of its shader waits for user space" },
	{ "userfaultfd-unbind", test_userfaultfd_unbind,
	  "The driver may go while a shader waits for user space" },
	{ "unbind-while-faulting", test_unbind_while_faulting,
	  "The driver may go while a shader faults" },
};

/**
 * SUBTEST: shader-buffer
 * Description: A shader copies inside a buffer object
 *
 * SUBTEST: shader-read-4k
 * Description: A shader reads a page of the process
 *
 * SUBTEST: shader-read-64k
 * Description: A shader reads pages of the process
 *
 * SUBTEST: shader-read-untouched
 * Description: A shader reads zeros where the process never was, and then writes there
 *
 * SUBTEST: shader-write-4k
 * Description: A shader writes a page of the process
 *
 * SUBTEST: shader-write-64k
 * Description: A shader writes pages of the process
 *
 * SUBTEST: shader-atomic
 * Description: A shader and the process add to the same words in turn
 *
 * SUBTEST: shader-atomic-one-word
 * Description: All threads add to one word, each once
 *
 * SUBTEST: atomic-thp
 * Description: A shader adds to words in the middle of a huge page
 *
 * SUBTEST: atomic-stack
 * Description: A shader adds to words on the stack
 *
 * SUBTEST: atomic-untouched
 * Description: A shader adds to what it has read where the process never was
 *
 * SUBTEST: atomic-file-private
 * Description: A shader adds to a private mapping of a file, not to the file
 *
 * SUBTEST: atomic-shared
 * Description: An atomic to shared memory kills its channel and nothing else
 *
 * SUBTEST: atomic-hugetlb
 * Description: An atomic to a page of hugetlbfs kills its channel and nothing else
 *
 * SUBTEST: shader-exchange
 * Description: Atomics return what was there
 *
 * SUBTEST: file-shared
 * Description: A shader reads and writes a file by a shared mapping
 *
 * SUBTEST: file-private
 * Description: A shader writes to a private mapping, not to the file
 *
 * SUBTEST: file-program
 * Description: A shader reads the program's own file
 *
 * SUBTEST: hugetlb
 * Description: A shader reads and writes a page of hugetlbfs
 *
 * SUBTEST: hugetlb-1g
 * Description: A shader reads and writes a page of 1 GiB
 *
 * SUBTEST: stack
 * Description: A shader reads and writes the stack
 *
 * SUBTEST: many-pages
 * Description: More pages fault than the fault buffer has entries
 *
 * SUBTEST: thp
 * Description: A shader reads and writes a huge page
 *
 * SUBTEST: vram
 * Description: A shader reads and writes pages in VRAM
 *
 * SUBTEST: vram-other-file
 * Description: A shader reads pages in VRAM that go there and back for another file
 *
 * SUBTEST: vram-atomic
 * Description: A shader adds to words in VRAM, which stay there
 *
 * SUBTEST: vram-thp
 * Description: A shader reads and writes the middle of a huge page in VRAM
 *
 * SUBTEST: program-fault
 * Description: A shader's code is in memory of the process, where the GPU fetches it by faults
 *
 * SUBTEST: constants-fault
 * Description: A shader's constants are in memory of the process, where the GPU fetches them by
 *   faults
 *
 * SUBTEST: program-in-vram
 * Description: A shader's code and constants are pages of the process in VRAM, and stay there
 *
 * SUBTEST: read-only
 * Description: A shader reads what is read-only
 *
 * SUBTEST: remap
 * Description: A shader follows when memory is discarded and made anew
 *
 * SUBTEST: fork-write
 * Description: What a shader writes after fork() is its process's own
 *
 * SUBTEST: fork-write-vram
 * Description: What a shader writes to VRAM after fork() is its process's own
 *
 * SUBTEST: munmap-partial
 * Description: What is unmapped is out of a shader's reach, the rest of the mapping is not
 *
 * SUBTEST: munmap-middle
 * Description: What is unmapped is out of a shader's reach, memory on both sides is not
 *
 * SUBTEST: munmap-middle-vram
 * Description: What is unmapped is out of a shader's reach, VRAM on both sides is not
 *
 * SUBTEST: mprotect-none
 * Description: What is PROT_NONE is out of a shader's reach
 *
 * SUBTEST: mprotect-none-vram
 * Description: What is PROT_NONE is out of a shader's reach, and stays in VRAM
 *
 * SUBTEST: mremap
 * Description: A shader follows memory that moves to another address
 *
 * SUBTEST: mremap-vram
 * Description: A shader follows VRAM that moves to another address
 *
 * SUBTEST: mremap-dontunmap
 * Description: A shader follows memory that moves, and finds none of it where it was
 *
 * SUBTEST: mremap-dontunmap-vram
 * Description: A shader follows VRAM that moves, and finds none of it where it was
 *
 * SUBTEST: fork-child-exit
 * Description: A shader has its process's memory when a child has come and gone
 *
 * SUBTEST: fork-child-exit-vram
 * Description: A shader has its process's VRAM when a child has come and gone
 *
 * SUBTEST: madvise-free
 * Description: What a shader stores to MADV_FREE memory is not dropped
 *
 * SUBTEST: madvise-free-thp
 * Description: What a shader stores to a MADV_FREE huge page is not dropped
 *
 * SUBTEST: madvise-pageout
 * Description: A shader reads what left RAM after it had read it
 *
 * SUBTEST: madvise-hugepage
 * Description: A shader follows when small pages become a huge one
 *
 * SUBTEST: mlock
 * Description: A shader uses locked memory
 *
 * SUBTEST: mlock-vram
 * Description: A shader follows VRAM that is locked in RAM
 *
 * SUBTEST: gup-longterm
 * Description: A shader and who pinned the memory for long use the same pages
 *
 * SUBTEST: gup-longterm-vram
 * Description: A shader follows VRAM that somebody pins in RAM for long
 *
 * SUBTEST: ksm
 * Description: A shader's store changes none of the pages that were merged
 *
 * SUBTEST: compaction
 * Description: A shader follows pages that Linux moves together
 *
 * SUBTEST: file-write-back
 * Description: A shader's stores to a file are on disk after msync()
 *
 * SUBTEST: revoke-munmap-race
 * Description: A file is left alone when it is unmapped under a shader that stores to it
 *
 * SUBTEST: revoke-replace-race
 * Description: A file is left alone when other memory replaces it under a shader that stores to it
 *
 * SUBTEST: revoke-mprotect-race
 * Description: A file is left alone when it becomes read-only under a shader that stores to it
 *
 * SUBTEST: reuse-race
 * Description: Pages that are freed under a shader that stores to them keep what others put there
 *
 * SUBTEST: fork-race
 * Description: A child's memory stays as it is at fork() under a shader that stores to it
 *
 * SUBTEST: cpu-write-race
 * Description: A shader and the process write to the same pages
 *
 * SUBTEST: cpu-write-race-vram
 * Description: A shader and the process write to pages that go to VRAM and back
 *
 * SUBTEST: atomic-cpu-race
 * Description: A shader and the process add to the same words at a time
 *
 * SUBTEST: busy-write
 * Description: A shader faults on a page while others are taken away all the time
 *
 * SUBTEST: busy-atomic
 * Description: An atomic of a shader faults while pages are taken away all the time
 *
 * SUBTEST: overflow-hints
 * Description: A shader's store goes on behind hints that fill the fault buffer
 *
 * SUBTEST: lost-interrupts
 * Description: A shader that faults goes on when an interrupt gets lost
 *
 * SUBTEST: mixed-batch
 * Description: Atomics, reads of a file and stores to new pages fault at a time
 *
 * SUBTEST: far-batch
 * Description: Pages that are far from each other fault at a time, and each once
 *
 * SUBTEST: wild-read
 * Description: A wild read kills its channel and nothing else
 *
 * SUBTEST: wild-write
 * Description: A wild write kills its channel and nothing else
 *
 * SUBTEST: wild-atomic
 * Description: A wild atomic kills its channel and nothing else
 *
 * SUBTEST: wild-many
 * Description: The driver works on after any number of wild pointers
 *
 * SUBTEST: wild-beside
 * Description: A wild pointer kills no channel of another process
 *
 * SUBTEST: wild-beside-vram
 * Description: Pages in VRAM keep their content when wild pointers kill channels
 *
 * SUBTEST: wild-copy-beside
 * Description: Wild pointers of copy engines and Host kill no channel of another process
 *
 * SUBTEST: wild-program
 * Description: A wild pointer to code kills its channel and nothing else
 *
 * SUBTEST: wild-program-beside
 * Description: A wild pointer to code kills no channel of another process that fetches its own
 *
 * SUBTEST: wild-program-end
 * Description: Code that runs off its memory kills its channel and nothing else
 *
 * SUBTEST: wild-constants
 * Description: A wild pointer to constants kills its channel and nothing else
 *
 * SUBTEST: wild-semaphore
 * Description: A semaphore at a wild pointer kills its channel and nothing else
 *
 * SUBTEST: wild-qmd
 * Description: A wild pointer to a grid's descriptor kills its channel and nothing else
 *
 * SUBTEST: wild-no-svm
 * Description: Wild pointers without SVM_INIT kill their channels and nothing else
 *
 * SUBTEST: processes
 * Description: Shaders of several processes fault at a time
 *
 * SUBTEST: write-read-only
 * Description: A write to what is read-only kills its channel and nothing else
 *
 * SUBTEST: atomic-read-only
 * Description: An atomic to what is read-only kills its channel and nothing else
 *
 * SUBTEST: illegal-instruction
 * Description: A shader that traps is killed, and nothing else
 *
 * SUBTEST: exit-while-faulting
 * Description: A process may exit while its shader faults
 *
 * SUBTEST: close-while-faulting
 * Description: A file may be closed while its shader faults
 *
 * SUBTEST: wild-close
 * Description: A file may be closed while a fault is about to kill its channel
 *
 * SUBTEST: suspend
 * Description: A shader uses memory after the GPU slept
 *
 * SUBTEST: userfaultfd-shader
 * Description: A shader reads a page that user space serves after a while
 *
 * SUBTEST: userfaultfd-shader-write
 * Description: A shader writes to a page that user space serves after a while
 *
 * SUBTEST: userfaultfd-once
 * Description: A shader that waits for user space for less than a second faults once
 *
 * SUBTEST: userfaultfd-beside
 * Description: A shader that waits for user space holds up no faults of other processes
 *
 * SUBTEST: userfaultfd-exit
 * Description: A process may exit while its shader waits for user space
 *
 * SUBTEST: userfaultfd-exit-held
 * Description: A process may exit while its shader waits for another process
 *
 * SUBTEST: userfaultfd-close
 * Description: A file may be closed while its shader waits for user space
 *
 * SUBTEST: userfaultfd-engine
 * Description: The last user of the engine may go while a fault of its shader waits for user space
 *
 * SUBTEST: userfaultfd-unbind
 * Description: The driver may go while a shader waits for user space
 *
 * SUBTEST: unbind-while-faulting
 * Description: The driver may go while a shader faults
 */
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
