// SPDX-License-Identifier: MIT
/**
 * TEST: nouveau SVM where allocations fail
 * Category: Core
 * Mega feature: SVM
 * Sub-category: error handling
 * Description: On each path of SVM, whatever can fail for want of memory or in a copy from or to
 * user space fails once, the first time the first of it, then the second, until nothing is left.
 * The request does what it was for or says why not, no word changes, and it works the next time
 * (Documentation/fault-injection/fault-injection.rst).
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/uio.h>

#include "igt.h"
#include "nouveau_drm.h"
#include "nouveau/nv_compute.h"
#include "nouveau/nv_device.h"
#include "nouveau/nv_svm.h"
#include "nouveau/nv_worker.h"

IGT_TEST_DESCRIPTION("Failing allocations on the paths of nouveau's SVM");

#define DEBUGFS	    "/sys/kernel/debug/"
#define NTH_MAX	    3000 /* failures on one path: more are an endless loop */
#define WORKERS_MAX 256
#define PAGE_SHIFT  12
#define PAGES	    NV_COMPUTE_BLOCK /* a shader has a thread for each */
#define LEN	    (PAGES * NV_PAGE_SIZE)
#define PART	    (LEN / 4)
#define SEED	    1
#define VALUE	    0x1000 /* of the word that a shader stores, the first of each page */

static struct nv_gpu gpu[2];
static bool has_peer;
static struct nv_worker worker[2];
static struct nv_compute compute; /* in the address space of worker[0] */
static uint32_t *keeper;	  /* a page in VRAM, so that small pages find a chunk */

/* What a path works on; new for each failure. */
static char *ptr;
static size_t len;
static struct nv_svm svm; /* of the paths that are about a file */

/* Injection: what the kernel may let fail, and on whose behalf. */

static const char *const kinds[] = { "failslab", "fail_page_alloc", "fail_usercopy" };
static int nth_fd = -1; /* counts what may fail in this thread, and lets it fail at 0 */
static bool in_workers; /* of the driver, instead of this thread: these */
static pid_t armed[WORKERS_MAX];
static unsigned int nr_armed;

static bool __set_knob(const char *kind, const char *name, const char *value)
{
	char path[128];
	bool good;
	int fd;

	snprintf(path, sizeof(path), DEBUGFS "%s/%s", kind, name);
	fd = open(path, O_WRONLY);
	good = fd >= 0 && write(fd, value, strlen(value)) == strlen(value);
	if (fd >= 0)
		close(fd);
	return good;
}

static void set_knob(const char *kind, const char *name, const char *value)
{
	igt_assert_f(__set_knob(kind, name, value), DEBUGFS "%s/%s: %s\n", kind, name,
		     strerror(errno));
}

/* Returns: whether the kernel has @function; sets where it begins and where the next one does. */
static bool find_function(const char *function, unsigned long *start, unsigned long *end)
{
	unsigned long address;
	char line[512], name[256];
	FILE *file;

	*start = 0;
	*end = ULONG_MAX;
	for (int pass = 0; pass < 2; pass++) {
		file = fopen("/proc/kallsyms", "r");
		igt_assert(file);
		while (fgets(line, sizeof(line), file)) {
			if (sscanf(line, "%lx %*c %255s", &address, name) != 2)
				continue;
			if (pass && address > *start && address < *end)
				*end = address;
			else if (!pass && !strcmp(name, function))
				*start = address;
		}
		fclose(file);
	}
	return *start;
}

/* What is asked for between these addresses, or below, is to fail, or is not. */
static bool set_range(const char *kind, const char *what, unsigned long start, unsigned long end)
{
	char name[32], text[32];
	bool good;

	snprintf(name, sizeof(name), "%s-start", what);
	snprintf(text, sizeof(text), "%#lx", start);
	good = __set_knob(kind, name, text);
	snprintf(name, sizeof(name), "%s-end", what);
	snprintf(text, sizeof(text), "%#lx", end);
	return __set_knob(kind, name, text) && good;
}

static void inject_init(void)
{
	unsigned long start, end;

	nth_fd = open("/proc/thread-self/fail-nth", O_RDWR);
	igt_require_f(nth_fd >= 0, "this kernel has no CONFIG_FAULT_INJECTION\n");
	for (int i = 0; i < ARRAY_SIZE(kinds); i++)
		igt_require_f(__set_knob(kinds[i], "verbose", "0"), "this kernel has no %s\n",
			      kinds[i]);
	set_knob("failslab", "ignore-gfp-wait", "N");
	set_knob("fail_page_alloc", "ignore-gfp-wait", "N");
	set_knob("fail_page_alloc", "ignore-gfp-highmem", "N");
	set_knob("fail_page_alloc", "min-order", "0");
	/* The DMA checker turns itself off when it has no memory. */
	if (find_function("add_dma_entry", &start, &end))
		for (int i = 0; i < ARRAY_SIZE(kinds); i++)
			igt_require_f(
				set_range(kinds[i], "reject", start, end),
				"this kernel has no CONFIG_FAULT_INJECTION_STACKTRACE_FILTER\n");
}

static void arm(unsigned int nth)
{
	char text[16];
	int size = snprintf(text, sizeof(text), "%u", nth);

	igt_assert_eq(pwrite(nth_fd, text, size, 0), size);
}

/*
 * Returns: whether something failed. What is left over may hit the copies that these calls make,
 * and is used up then.
 */
static bool disarm(void)
{
	char left[16] = "";
	ssize_t got = pread(nth_fd, left, sizeof(left) - 1, 0);

	igt_assert(got > 0 || errno == EFAULT);
	while (pwrite(nth_fd, "0", 1, 0) != 1)
		igt_assert_eq(errno, EFAULT);
	return got > 0 && !atoi(left);
}

/* Lets fail only what one function of the driver, or what it calls, asks for; NULL: all. */
static void filter(const char *function)
{
	unsigned long start = 0, end = ULONG_MAX;

	in_workers = function;
	if (function && !find_function(function, &start, &end)) {
		nv_svm_require_prefetch(&worker[0].svm);
		igt_assert_f(false, "/proc/kallsyms has no %s\n", function);
	}
	for (int i = 0; i < ARRAY_SIZE(kinds); i++)
		igt_require_f(set_range(kinds[i], "require", start, end) || !function,
			      "this kernel has no CONFIG_FAULT_INJECTION_STACKTRACE_FILTER\n");
}

static int open_of(pid_t pid, const char *name, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return open(path, flags);
}

/* One of the kernel's workers, or the thread of an address space. */
static bool is_worker(pid_t pid)
{
	static const char *const prefixes[] = { "kworker/", "nv-svm/" };
	char comm[32] = "";
	int fd = open_of(pid, "comm", O_RDONLY);
	bool known = fd >= 0 && read(fd, comm, sizeof(comm) - 1) > 0, is = false;

	for (int i = 0; known && i < ARRAY_SIZE(prefixes); i++)
		is |= !strncmp(comm, prefixes[i], strlen(prefixes[i]));
	if (fd >= 0)
		close(fd);
	return is;
}

/* Nobody knows which of the workers will handle the faults of the GPU. */
static void arm_workers(unsigned int nth)
{
	struct dirent *entry;
	DIR *dir = opendir("/proc");
	char text[16];
	int size = snprintf(text, sizeof(text), "%u", nth);

	igt_assert(dir);
	nr_armed = 0;
	while ((entry = readdir(dir))) {
		pid_t pid = isdigit(entry->d_name[0]) ? atoi(entry->d_name) : 0;
		int fd = pid && is_worker(pid) ? open_of(pid, "fail-nth", O_WRONLY) : -1;

		if (fd < 0)
			continue;
		igt_assert(nr_armed < WORKERS_MAX);
		if (write(fd, text, size) == size)
			armed[nr_armed++] = pid;
		close(fd);
	}
	closedir(dir);
	igt_assert(nr_armed);
}

static bool disarm_workers(void)
{
	bool fired = false;

	for (unsigned int i = 0; i < nr_armed; i++) {
		char left[16] = "";
		int fd = open_of(armed[i], "fail-nth", O_RDWR);

		if (fd < 0)
			continue; /* it had nothing to do, and ended */
		if (pread(fd, left, sizeof(left) - 1, 0) > 0 && !atoi(left))
			fired = true;
		if (write(fd, "0", 1) != 1)
			igt_assert_eq(errno, ESRCH);
		close(fd);
	}
	return fired;
}

/* Lets fail whatever is asked for below @function, by anybody, @times over. */
static void fail_below(const char *function, unsigned int times)
{
	char text[16];

	filter(function);
	snprintf(text, sizeof(text), "%u", times);
	set_knob("failslab", "times", text);
	set_knob("failslab", "task-filter", "N");
	set_knob("failslab", "probability", "100");
}

/* Returns: how many times it may still fail. */
static unsigned int fail_no_more(void)
{
	char text[16] = "";
	int fd;

	set_knob("failslab", "probability", "0");
	fd = open(DEBUGFS "failslab/times", O_RDONLY);
	igt_assert(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	return atoi(text);
}

/* Memory, and what is right of it */

static void alloc(void)
{
	len = LEN;
	ptr = (char *)nv_alloc(len);
	nv_fill(ptr, len, SEED);
}

static void alloc_huge(void)
{
	len = NV_HUGE_SIZE;
	ptr = (char *)nv_alloc_huge(len);
	nv_fill(ptr, len, SEED);
	igt_require_f(nv_is_huge_page(ptr),
		      "got no huge page (see transparent_hugepage/enabled)\n");
}

/* Until the last chunk without pages in use has been given back, another one is not needed. */
static void alloc_huge_and_chunk(void)
{
	alloc_huge();
	usleep(300000);
}

/* A stock driver does not say how many pages there are now. */
static void migrate_part(const struct nv_svm *by, size_t part)
{
	igt_assert_eq(__nv_svm_migrate(by, ptr, part), 0);
	nv_assert_private(ptr, part);
}

static void migrate_by(const struct nv_worker *by)
{
	migrate_part(&by->svm, len);
}

static void alloc_in_vram(void)
{
	alloc();
	migrate_by(&worker[0]);
}

static void alloc_huge_in_vram(void)
{
	alloc_huge();
	migrate_by(&worker[0]);
}

static void alloc_at_peer(void)
{
	igt_require_f(has_peer, "needs two GPUs\n");
	alloc();
	migrate_by(&worker[1]);
}

static void check_data(void)
{
	nv_check(ptr, len, SEED);
}

/* As the GPU has them mapped. */
static void check_by_gpu(void)
{
	nv_worker_read(&worker[0], ptr, len);
	nv_worker_check(&worker[0], len, SEED);
}

/* SVM_INIT */

static void prepare_init(void)
{
	alloc();
	svm.fd = drm_reopen_driver(gpu[0].fd);
	svm.cutout_size = 1ul << 30;
	svm.cutout = nv_svm_reserve(svm.cutout_size);
}

static int run_init(void)
{
	return __nv_svm_init(svm.fd, (uintptr_t)svm.cutout, svm.cutout_size);
}

/* What cannot be told any more has happened. */
static void verify_init(int ret)
{
	int again = ret ? run_init() : 0;

	igt_assert_f(!again || (ret == -EFAULT && again == -EBUSY), "after %s: %s\n",
		     strerror(-ret), strerror(-again));
	migrate_part(&svm, len);
	check_data();
	nv_svm_fini(&svm);
}

/* SVM_BIND */

static int run_prefetch(void)
{
	return __nv_svm_prefetch(&worker[0].svm, ptr, len);
}

static void verify_prefetch(int ret)
{
	check_data();
	igt_assert_eq_u64(nv_svm_prefetch(&worker[0].svm, ptr, len), len / NV_PAGE_SIZE);
	check_by_gpu();
}

static int run_migrate(void)
{
	return __nv_svm_migrate(&worker[0].svm, ptr, len);
}

static void verify_migrate(int ret)
{
	check_data();
	migrate_by(&worker[0]);
	check_by_gpu();
}

static void verify_migrate_peer(int ret)
{
	check_data();
	migrate_by(&worker[1]);
	igt_assert_eq_u64(nv_svm_migrate(&worker[0].svm, ptr, len), PAGES);
	check_by_gpu();
}

static int run_home(void)
{
	return __nv_svm_migrate_home(&worker[0].svm, ptr, len);
}

static void verify_home(int ret)
{
	check_data();
	migrate_by(&worker[0]);
	igt_assert_eq_u64(nv_svm_migrate_home(&worker[0].svm, ptr, len), len / NV_PAGE_SIZE);
	nv_assert_ram(ptr, len);
	check_data();
}

/* Faults of the CPU. Without memory the access is tried again. */

static sigjmp_buf no_page;
static volatile sig_atomic_t touching;

/* Elsewhere it ends the test when the access is tried again. */
static void on_sigbus(int sig)
{
	if (touching) {
		touching = false;
		siglongjmp(no_page, 1);
	}
	signal(SIGBUS, SIG_DFL);
}

/* The mask of signals is not restored: to save it is a system call. */
static const struct sigaction on_bus = { .sa_handler = on_sigbus, .sa_flags = SA_NODEFER };

static int run_touch(void)
{
	igt_assert_f(!sigsetjmp(no_page, 0), "SIGBUS for want of memory\n");
	touching = true;
	*(volatile uint32_t *)ptr;
	touching = false;
	return 0;
}

/* The kernel itself gets an error. */
static int run_read_by_kernel(void)
{
	static uint32_t words[16];
	struct iovec local = { .iov_base = words, .iov_len = sizeof(words) };
	struct iovec remote = { .iov_base = ptr, .iov_len = sizeof(words) };

	if (process_vm_readv(getpid(), &local, 1, &remote, 1, 0) != sizeof(words))
		return -errno;
	nv_check(words, sizeof(words), SEED);
	return 0;
}

/* Faults of the GPU, on pages in VRAM, in RAM, and on such that were never touched */

static void prepare_gpu_fault(void)
{
	len = LEN;
	ptr = (char *)nv_alloc(len);
	nv_fill(ptr, LEN - PART, SEED);
	migrate_part(&worker[0].svm, PART);
}

/* Each thread stores to its page. Returns -ENODEV if the channel was killed. */
static int shader_store(uint32_t value)
{
	const struct nv_kernel_args args = {
		.dst = (uintptr_t)ptr,
		.dst_shift = PAGE_SHIFT,
		.value = value,
	};
	struct nv_chan *chan = &compute.chan;
	int ret;

	nv_compute_grid(&compute, &nv_kernel_fill, PAGES, &args);
	ret = __nv_chan_submit(chan);
	for (int i = 0; !ret && __nv_chan_wait(chan, 200); i++) {
		igt_assert_f(i < 300, "the shader neither ends nor is it killed\n");
		ret = __nv_chan_submit(chan);
	}
	return ret;
}

static int run_gpu_fault(void)
{
	return shader_store(VALUE);
}

static void check_stored(uint32_t value, bool all)
{
	const volatile uint32_t *words = (uint32_t *)ptr;
	const size_t page_words = NV_PAGE_SIZE / sizeof(*words);

	for (size_t i = 0; i < LEN / sizeof(*words); i++) {
		const uint32_t was = i < (LEN - PART) / sizeof(*words) ? nv_pattern(SEED, i) : 0;
		const uint32_t stored = i % page_words ? was : value + i / page_words;
		const uint32_t is = words[i];

		igt_assert_f(is == stored || (!all && is == was), "word %zu is %#x, not %#x\n", i,
			     is, stored);
	}
}

static void verify_gpu_fault(int ret)
{
	check_stored(VALUE, !ret);
	if (ret) {
		nv_compute_destroy(&compute);
		nv_compute_create(&compute, worker[0].svm.fd, gpu[0].chipset);
	}
	igt_assert_eq(shader_store(2 * VALUE), 0);
	check_stored(2 * VALUE, true);
}

/* munmap() of what the GPU has mapped, in the middle of it, half of which is in VRAM */

static void prepare_munmap(void)
{
	alloc();
	migrate_part(&worker[0].svm, LEN / 2);
	igt_assert_eq_u64(nv_svm_prefetch(&worker[0].svm, ptr, LEN), PAGES);
}

static int run_munmap(void)
{
	return munmap(ptr + PART, LEN / 2) ? -errno : 0;
}

static void check_words(size_t start, size_t end)
{
	const volatile uint32_t *words = (uint32_t *)ptr;

	for (size_t i = start / sizeof(*words); i < end / sizeof(*words); i++)
		igt_assert_eq_u32(words[i], nv_pattern(SEED, i));
}

/* What is there next is other memory for the GPU, too. */
static void verify_munmap(int ret)
{
	if (ret) {
		check_data();
		igt_assert_eq(run_munmap(), 0);
	}
	igt_assert(mmap(ptr + PART, LEN / 2, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == ptr + PART);
	check_words(0, PART);
	check_words(LEN - PART, LEN);
	igt_assert_eq(shader_store(VALUE), 0);
	for (uint32_t i = 0; i < PAGES; i++)
		igt_assert_eq_u32(*(uint32_t *)(ptr + i * NV_PAGE_SIZE), VALUE + i);
}

/* close() of a file whose GPU has pages mapped, and some in VRAM */

static void prepare_close(void)
{
	nv_svm_init(&svm, drm_reopen_driver(gpu[0].fd));
	alloc();
	migrate_part(&svm, LEN / 2);
	igt_assert_eq_u64(nv_svm_prefetch(&svm, ptr, LEN), PAGES);
}

static int run_close(void)
{
	return close(svm.fd) ? -errno : 0;
}

static void verify_close(int ret)
{
	igt_assert_eq(ret, 0);
	munmap(svm.cutout, svm.cutout_size);
	verify_migrate(0);
}

/*
 * DMA mappings, all of which fail for a while. That of a huge page takes an I/O virtual address of
 * its own each time, for which memory is allocated; those of small pages are kept for the next.
 */

static uint64_t result; /* of SVM_BIND, which does what it can, and says what that was */

static void alloc_huge_to_store(void)
{
	len = NV_HUGE_SIZE;
	ptr = (char *)nv_alloc_huge(len);
	nv_fill(ptr, LEN - PART, SEED);
}

static int run_dma_prefetch(void)
{
	result = nv_svm_prefetch(&worker[0].svm, ptr, len);
	return 0;
}

static void verify_dma_prefetch(int ret)
{
	igt_assert_eq_u64(result, 0);
	verify_prefetch(ret);
}

static int run_dma_migrate(void)
{
	result = nv_svm_migrate(&worker[0].svm, ptr, len);
	return 0;
}

static void verify_dma_migrate(int ret)
{
	igt_assert_eq_u64(result, 0);
	nv_assert_ram(ptr, len);
	verify_migrate(ret);
}

static int run_dma_home(void)
{
	result = nv_svm_migrate_home(&worker[0].svm, ptr, len);
	return 0;
}

static void verify_dma_home(int ret)
{
	igt_assert_eq_u64(result, 0);
	nv_assert_private(ptr, len);
	verify_home(ret);
}

static const struct path {
	const char *name;
	void (*prepare)(void);
	int (*run)(void); /* this is what fails: 0, or -errno */
	void (*verify)(int ret);
	const char *describe;
} paths[] = {
	{ "init", prepare_init, run_init, verify_init, "SVM_INIT" },
	{ "prefetch", alloc, run_prefetch, verify_prefetch, "SVM_BIND maps pages in RAM" },
	{ "prefetch-vram", alloc_in_vram, run_prefetch, verify_prefetch,
	  "SVM_BIND maps pages in VRAM" },
	{ "prefetch-peer", alloc_at_peer, run_prefetch, verify_prefetch,
	  "SVM_BIND maps pages in the VRAM of another GPU" },
	{ "migrate", alloc, run_migrate, verify_migrate, "SVM_BIND migrates pages to VRAM" },
	{ "migrate-thp", alloc_huge_and_chunk, run_migrate, verify_migrate,
	  "SVM_BIND migrates a huge page to VRAM that TTM has to give" },
	{ "migrate-peer", alloc_at_peer, run_migrate, verify_migrate_peer,
	  "SVM_BIND migrates pages from VRAM to VRAM" },
	{ "home", alloc_in_vram, run_home, verify_home, "SVM_BIND migrates pages to RAM" },
	{ "home-thp", alloc_huge_in_vram, run_home, verify_home,
	  "SVM_BIND migrates a huge page to RAM" },
	{ "cpu-fault", alloc_in_vram, run_touch, verify_migrate, "The CPU touches a page in VRAM" },
	{ "cpu-fault-thp", alloc_huge_in_vram, run_touch, verify_migrate,
	  "The CPU touches a huge page in VRAM" },
	{ "cpu-fault-kernel", alloc_in_vram, run_read_by_kernel, verify_migrate,
	  "The kernel reads a page in VRAM" },
	{ "munmap", prepare_munmap, run_munmap, verify_munmap,
	  "Pages that the GPU has mapped are unmapped" },
	{ "close", prepare_close, run_close, verify_close,
	  "The file is closed, with pages in VRAM, and mapped" },
};

static const struct {
	struct path path;
	const char *function;
} gpu_faults[] = {
	{ { "gpu-fault-read", prepare_gpu_fault, run_gpu_fault, verify_gpu_fault,
	    "The driver reads what faults there are" },
	  "nouveau_svm_fault" },
	{ { "gpu-fault", prepare_gpu_fault, run_gpu_fault, verify_gpu_fault,
	    "A shader stores to pages that the GPU has no mapping of" },
	  "nouveau_svmm_thread" },
};

static const struct {
	struct path path;
	unsigned int times; /* that memory for an address is refused: a mapping asks twice */
} dma_paths[] = {
	{ { "dma-prefetch", alloc_huge, run_dma_prefetch, verify_dma_prefetch,
	    "No DMA mapping of a huge page that SVM_BIND is to map" },
	  INT_MAX },
	{ { "dma-migrate", alloc_huge_and_chunk, run_dma_migrate, verify_dma_migrate,
	    "No DMA mapping of a huge page that SVM_BIND is to migrate to VRAM" },
	  INT_MAX },
	{ { "dma-home", alloc_huge_in_vram, run_dma_home, verify_dma_home,
	    "No DMA mapping of a huge page that SVM_BIND is to migrate to RAM" },
	  INT_MAX },
	{ { "dma-cpu-fault", alloc_huge_in_vram, run_touch, verify_migrate,
	    "No DMA mapping, for a while, when the CPU touches a huge page in VRAM" },
	  20 },
	{ { "dma-gpu-fault", alloc_huge_to_store, run_gpu_fault, verify_gpu_fault,
	    "No DMA mapping, for a while, when a shader stores to a huge page" },
	  20 },
};

/* For a request; a shader whose fault cannot be handled loses its channel. */
static bool is_clear(int ret)
{
	return in_workers ? ret == -ENODEV : ret == -ENOMEM || ret == -EFAULT;
}

/* Lets fail the @nth of what may fail while @path runs. Returns whether there were as many. */
static bool run_path(const struct path *path, unsigned int nth, unsigned int *refused)
{
	bool failed;
	int ret;

	path->prepare();
	if (in_workers)
		arm_workers(nth);
	else
		arm(nth);
	ret = path->run();
	failed = in_workers ? disarm_workers() : disarm();

	igt_debug("%u: %s, %s\n", nth, failed ? "failed" : "nothing failed", strerror(-ret));
	igt_assert_f(!ret || (failed && is_clear(ret)), "with failure %u: %s\n", nth,
		     strerror(-ret));
	*refused += ret != 0;
	path->verify(ret);
	munmap(ptr, len);
	return failed;
}

/* Most do more than a stock driver can. */
static void require_driver(const struct path *path)
{
	if (path->verify != verify_init && path->verify != verify_gpu_fault)
		nv_svm_require_prefetch(&worker[0].svm);
}

/* @function: for what is done by workers of the driver, the one that they run */
static void test_path(const struct path *path, const char *function)
{
	unsigned int nth = 0, refused = 0;

	require_driver(path);
	igt_emit_ignore_dmesg_regex("Huh VM_FAULT_OOM leaked out|imem: OOM|" NV_KILLED_DMESG);
	filter(function);
	do
		igt_assert_f(++nth <= NTH_MAX, "there is no end of what may fail\n");
	while (run_path(path, nth, &refused));
	igt_info("%u failures, of which %u were errors\n", nth - 1, refused);
	/* To close a file the driver needs no memory. */
	igt_assert_f(nth > 1 || path->run == run_close, "nothing failed\n");
}

/*
 * The first of a process, which allocates what its MMU notifiers are in. This one has made that of
 * its workers already.
 */
static void test_init_process(void)
{
	bool *failed =
		mmap(NULL, NV_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned int nth = 0;

	igt_assert(failed != MAP_FAILED);
	igt_emit_ignore_dmesg_regex("imem: OOM");
	filter(NULL);
	do {
		igt_assert_f(++nth <= NTH_MAX, "there is no end of what may fail\n");
		igt_fork(child, 1)
		{
			int ret;

			nth_fd = open("/proc/thread-self/fail-nth", O_RDWR);
			igt_assert(nth_fd >= 0);
			prepare_init();
			arm(nth);
			ret = run_init();
			*failed = disarm();
			igt_assert_f(!ret || (*failed && is_clear(ret)), "with failure %u: %s\n",
				     nth, strerror(-ret));
			verify_init(ret);
		}
		igt_waitchildren();
	} while (*failed);
	igt_info("%u failures\n", nth - 1);
	igt_assert_f(nth > 1, "nothing failed\n");
	munmap(failed, NV_PAGE_SIZE);
}

static void test_dma(const struct path *path, unsigned int times)
{
	unsigned int left;
	int ret;

	require_driver(path);
	igt_require_f(nv_iommu_translates(&gpu[0]), "no IOMMU that translates: %s\n",
		      nv_iommu_type(&gpu[0]));
	igt_emit_ignore_dmesg_regex("Huh VM_FAULT_OOM leaked out|" NV_KILLED_DMESG);
	path->prepare();
	fail_below("iommu_dma_map_phys", times);
	ret = path->run();
	left = fail_no_more();
	igt_info("%u failures: %s\n", times - left, strerror(-ret));
	igt_assert_f(left < times, "nothing failed\n");
	igt_assert_f(!ret || ret == -ENODEV, "%s\n", strerror(-ret));
	path->verify(ret);
	munmap(ptr, len);
}

static void reset(int sig)
{
	__set_knob("failslab", "probability", "0");
	for (int i = 0; i < ARRAY_SIZE(kinds); i++) {
		set_range(kinds[i], "require", 0, ULONG_MAX);
		set_range(kinds[i], "reject", 0, 0);
	}
	disarm_workers();
}

/**
 * SUBTEST: init
 * Description: SVM_INIT
 *
 * SUBTEST: prefetch
 * Description: SVM_BIND maps pages in RAM
 *
 * SUBTEST: prefetch-vram
 * Description: SVM_BIND maps pages in VRAM
 *
 * SUBTEST: prefetch-peer
 * Description: SVM_BIND maps pages in the VRAM of another GPU
 *
 * SUBTEST: migrate
 * Description: SVM_BIND migrates pages to VRAM
 *
 * SUBTEST: migrate-thp
 * Description: SVM_BIND migrates a huge page to VRAM that TTM has to give
 *
 * SUBTEST: migrate-peer
 * Description: SVM_BIND migrates pages from VRAM to VRAM
 *
 * SUBTEST: home
 * Description: SVM_BIND migrates pages to RAM
 *
 * SUBTEST: home-thp
 * Description: SVM_BIND migrates a huge page to RAM
 *
 * SUBTEST: cpu-fault
 * Description: The CPU touches a page in VRAM
 *
 * SUBTEST: cpu-fault-thp
 * Description: The CPU touches a huge page in VRAM
 *
 * SUBTEST: cpu-fault-kernel
 * Description: The kernel reads a page in VRAM
 *
 * SUBTEST: munmap
 * Description: Pages that the GPU has mapped are unmapped
 *
 * SUBTEST: close
 * Description: The file is closed, with pages in VRAM, and mapped
 *
 * SUBTEST: init-process
 * Description: SVM_INIT, the first of a process
 *
 * SUBTEST: gpu-fault-read
 * Description: The driver reads what faults there are
 *
 * SUBTEST: gpu-fault
 * Description: A shader stores to pages that the GPU has no mapping of
 *
 * SUBTEST: dma-prefetch
 * Description: No DMA mapping of a huge page that SVM_BIND is to map
 *
 * SUBTEST: dma-migrate
 * Description: No DMA mapping of a huge page that SVM_BIND is to migrate to VRAM
 *
 * SUBTEST: dma-home
 * Description: No DMA mapping of a huge page that SVM_BIND is to migrate to RAM
 *
 * SUBTEST: dma-cpu-fault
 * Description: No DMA mapping, for a while, when the CPU touches a huge page in VRAM
 *
 * SUBTEST: dma-gpu-fault
 * Description: No DMA mapping, for a while, when a shader stores to a huge page
 */
int igt_main()
{
	igt_fixture()
	{
		inject_init();
		nv_require_pagemap();
		nv_gpu_open(&gpu[0], 0);
		igt_require_f(nv_is_pascal(&gpu[0]), "needs a Pascal GPU\n");
		has_peer = __nv_gpu_open(&gpu[1], 1);
		for (int i = 0; i <= has_peer; i++)
			nv_worker_create(&worker[i], &gpu[i]);
		nv_compute_create(&compute, worker[0].svm.fd, gpu[0].chipset);
		keeper = nv_alloc(NV_PAGE_SIZE);
		*keeper = 1;
		igt_assert_eq(__nv_svm_migrate(&worker[0].svm, keeper, NV_PAGE_SIZE), 0);
		nv_assert_private(keeper, NV_PAGE_SIZE);
		sigaction(SIGBUS, &on_bus, NULL);
		igt_install_exit_handler(reset);
	}

	for (int i = 0; i < ARRAY_SIZE(paths); i++) {
		igt_describe(paths[i].describe);
		igt_subtest(paths[i].name) test_path(&paths[i], NULL);
	}
	igt_describe("SVM_INIT, the first of a process");
	igt_subtest("init-process") test_init_process();
	for (int i = 0; i < ARRAY_SIZE(gpu_faults); i++) {
		igt_describe(gpu_faults[i].path.describe);
		igt_subtest(gpu_faults[i].path.name)
			test_path(&gpu_faults[i].path, gpu_faults[i].function);
	}
	for (int i = 0; i < ARRAY_SIZE(dma_paths); i++) {
		igt_describe(dma_paths[i].path.describe);
		igt_subtest(dma_paths[i].path.name)
			test_dma(&dma_paths[i].path, dma_paths[i].times);
	}

	igt_fixture()
	{
		munmap(keeper, NV_PAGE_SIZE);
		nv_compute_destroy(&compute);
		for (int i = 0; i <= has_peer; i++) {
			nv_worker_destroy(&worker[i]);
			nv_gpu_close(&gpu[i]);
		}
	}
}
