// SPDX-License-Identifier: MIT
/**
 * TEST: nouveau SVM interface
 * Category: Core
 * Mega feature: SVM
 * Sub-category: API
 * Description: Arguments, states and errors of SVM_INIT and SVM_BIND.
 */

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "drm-uapi-experimental/nouveau_drm_experimental.h"
#include "igt.h"
#include "nouveau_drm.h"
#include "nouveau/nv_ce.h"
#include "nouveau/nv_chan.h"
#include "nouveau/nv_device.h"
#include "nouveau/nv_svm.h"
#include "nouveau/nv_worker.h"

IGT_TEST_DESCRIPTION("Arguments, states and errors of nouveau's SVM ioctls");

#define MIGRATE NOUVEAU_SVM_BIND_COMMAND__MIGRATE
#define VRAM	NOUVEAU_SVM_BIND_TARGET__GPU_VRAM
#define BUFFERS 256

/* Rounds of a race, and mappings that SVM_INIT has to lock. */
#define RACE_ROUNDS   50
#define RACE_MAPPINGS 2048

static const struct invalid_bind {
	const char *name;
	const char *describe;
	struct drm_nouveau_svm_bind change; /* xor-ed over a valid request, va_end added */
} invalid_binds[] = {
	{ "reserved0", "Reserved field 0 must be zero", { .reserved0 = 1 } },
	{ "reserved1", "Reserved field 1 must be zero", { .reserved1 = 1 } },
	{ "header-bits", "Header bits without a meaning must be zero", { .header = 1ull << 48 } },
	{ "cmd", "A command nobody defined is refused", { .header = 0xff } },
	{ "target", "A target nobody defined is refused", { .header = 1ull << 17 } },
	{ "stride", "Strided ranges are not offered", { .stride = 8192 } },
	{ "empty", "An empty range is refused", { .va_end = -NV_PAGE_SIZE } },
	{ "reversed",
	  "A range that ends before it starts is refused",
	  { .va_end = -2 * NV_PAGE_SIZE } },
};

static struct nv_gpu gpu;

static void open_svm(struct nv_svm *svm)
{
	nv_svm_init(svm, drm_reopen_driver(gpu.fd));
}

static int vm_init(int fd)
{
	struct drm_nouveau_vm_init init = {
		.kernel_managed_addr = 1ull << 38,
		.kernel_managed_size = 1ull << 30,
	};

	return igt_ioctl(fd, DRM_IOCTL_NOUVEAU_VM_INIT, &init) ? -errno : 0;
}

static void test_init(void)
{
	struct nv_svm svm;

	open_svm(&svm);
	nv_svm_fini(&svm);
}

static void test_init_twice(void)
{
	struct nv_svm svm;

	open_svm(&svm);
	igt_assert_eq(__nv_svm_init(svm.fd, (uintptr_t)svm.cutout, svm.cutout_size), -EBUSY);
	nv_svm_fini(&svm);
}

/* Memory of a file that is taken away all the time. */
struct puncher {
	int fd;
	atomic_bool stop;
};

static void *punch(void *arg)
{
	struct puncher *puncher = arg;
	intptr_t err = 0;

	while (!puncher->stop && !err)
		if (fallocate(puncher->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
			      NV_PAGE_SIZE))
			err = errno;
	return (void *)err;
}

/*
 * Who takes memory of a file away waits for the locks of all mappings, which SVM_INIT has, and goes
 * on when it lets go of them, one after the other.
 */
static void test_init_race(void)
{
	struct puncher puncher = { .fd = memfd_create("igt", 0) };
	const size_t len = RACE_MAPPINGS * NV_PAGE_SIZE;
	pthread_t thread;
	void *err;
	char *all;

	igt_assert(puncher.fd >= 0 && !ftruncate(puncher.fd, NV_PAGE_SIZE));
	all = mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	igt_assert(all != MAP_FAILED);
	igt_assert(mmap(all, NV_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			puncher.fd, 0) == all);
	/* mappings of their own, each with a lock */
	for (char *ptr = all + NV_PAGE_SIZE; ptr < all + len; ptr += 2 * NV_PAGE_SIZE) {
		igt_assert_eq(mprotect(ptr, NV_PAGE_SIZE, PROT_READ | PROT_WRITE), 0);
		*ptr = 1;
	}
	igt_assert_eq(pthread_create(&thread, NULL, punch, &puncher), 0);
	for (int round = 0; round < RACE_ROUNDS; round++)
		test_init();
	puncher.stop = true;
	igt_assert_eq(pthread_join(thread, &err), 0);
	igt_assert_f(!err, "fallocate: %s\n", strerror((intptr_t)err));
	munmap(all, len);
	close(puncher.fd);
}

static void test_init_unsupported(void)
{
	int fd;

	igt_require_f(!nv_is_pascal(&gpu), "needs a GPU that is not a Pascal\n");
	fd = drm_reopen_driver(gpu.fd);
	igt_assert_eq(__nv_svm_init(fd, 1ull << 38, 1ull << 30), -ENOSYS);
	drm_close_driver(fd);
}

static void test_init_overflow(void)
{
	struct nv_svm svm;
	int fd;

	test_init();
	fd = drm_reopen_driver(gpu.fd);
	igt_assert_eq(__nv_svm_init(fd, -NV_PAGE_SIZE, 2 * NV_PAGE_SIZE), -EINVAL);
	igt_assert_eq(__nv_svm_init(fd, 1ull << 62, NV_PAGE_SIZE), -EINVAL);
	/* A refused window leaves the file usable. */
	nv_svm_init(&svm, fd);
	nv_svm_fini(&svm);
}

static void migrate_and_check(const struct nv_svm *svm)
{
	uint32_t *ptr = nv_alloc(NV_PAGE_SIZE);

	nv_fill(ptr, NV_PAGE_SIZE, 1);
	nv_svm_migrate(svm, ptr, NV_PAGE_SIZE);
	nv_check(ptr, NV_PAGE_SIZE, 1);
	munmap(ptr, NV_PAGE_SIZE);
}

static void test_init_after_channel(void)
{
	struct nv_chan chan;
	struct nv_svm svm;
	int fd;

	test_init();
	fd = drm_reopen_driver(gpu.fd);
	nv_chan_create(&chan, fd, NOUVEAU_FIFO_ENGINE_CE);
	nv_svm_init(&svm, fd);
	migrate_and_check(&svm);
	nv_chan_run(&chan);
	nv_chan_destroy(&chan);
	nv_svm_fini(&svm);
}

/* A buffer that lives on as another holds it, and whose only handle here is closed. */
static void test_init_then_close(void)
{
	struct drm_prime_handle prime = {};
	struct nv_bo closed, seen;
	struct nv_chan chan;
	struct nv_svm svm;
	int fd;

	test_init();
	fd = drm_reopen_driver(gpu.fd);
	nv_chan_create(&chan, fd, NOUVEAU_FIFO_ENGINE_CE);
	nv_ce_init(&chan, gpu.chipset);
	nv_bo_create(&closed, fd, NV_PAGE_SIZE, NOUVEAU_GEM_DOMAIN_GART);
	nv_bo_create(&seen, fd, NV_PAGE_SIZE, NOUVEAU_GEM_DOMAIN_GART);
	nv_fill(closed.map, closed.size, 1);
	nv_fill(seen.map, seen.size, 2);
	prime.handle = closed.handle;
	do_ioctl(fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime);
	nv_svm_init(&svm, fd);
	nv_bo_destroy(&closed);

	igt_emit_ignore_dmesg_regex(NV_KILLED_DMESG);
	nv_chan_attach(&chan, &seen);
	nv_ce_copy(&chan, seen.va, closed.va, closed.size);
	igt_assert_f(!nv_chan_ends(&chan), "the copy came to its end\n");
	nv_check(seen.map, seen.size, 2);

	close(prime.fd);
	nv_bo_destroy(&seen);
	nv_chan_destroy(&chan);
	nv_svm_fini(&svm);
}

/* Whether the two may share a file is the driver's choice; memory must survive either choice. */
static void test_vm_init(bool svm_first)
{
	struct nv_svm svm;
	int fd, ret;

	test_init();
	fd = drm_reopen_driver(gpu.fd);
	svm = (struct nv_svm){ .fd = fd,
			       .cutout = nv_svm_reserve(1 << 30),
			       .cutout_size = 1 << 30 };
	ret = svm_first ? __nv_svm_init(fd, (uintptr_t)svm.cutout, svm.cutout_size) : vm_init(fd);
	igt_assert_eq(ret, 0);
	ret = svm_first ? vm_init(fd) : __nv_svm_init(fd, (uintptr_t)svm.cutout, svm.cutout_size);
	igt_info("%s after %s: %s\n", svm_first ? "VM_INIT" : "SVM_INIT",
		 svm_first ? "SVM_INIT" : "VM_INIT", ret ? strerror(-ret) : "accepted");
	if (svm_first || !ret)
		migrate_and_check(&svm);
	nv_svm_fini(&svm);
}

static void test_bind_before_init(void)
{
	uint32_t *ptr = nv_alloc(NV_PAGE_SIZE);
	int fd = drm_reopen_driver(gpu.fd);

	nv_fill(ptr, NV_PAGE_SIZE, 1);
	igt_assert_eq(__nv_svm_bind(fd, MIGRATE, VRAM, ptr, NV_PAGE_SIZE, NULL), -EINVAL);
	nv_assert_ram(ptr, NV_PAGE_SIZE);
	drm_close_driver(fd);
	munmap(ptr, NV_PAGE_SIZE);
}

static void test_bind_invalid(const struct invalid_bind *invalid)
{
	uint32_t *ptr = nv_alloc(NV_PAGE_SIZE);
	struct drm_nouveau_svm_bind bind = {
		.header = MIGRATE | (uint64_t)VRAM << NOUVEAU_SVM_BIND_TARGET_SHIFT,
		.va_start = (uintptr_t)ptr,
		.va_end = (uintptr_t)ptr + NV_PAGE_SIZE,
		.npages = 1,
	};
	struct nv_svm svm;

	open_svm(&svm);
	nv_fill(ptr, NV_PAGE_SIZE, 1);
	bind.header ^= invalid->change.header;
	bind.stride ^= invalid->change.stride;
	bind.reserved0 ^= invalid->change.reserved0;
	bind.reserved1 ^= invalid->change.reserved1;
	bind.va_end += invalid->change.va_end;
	igt_assert_eq(igt_ioctl(svm.fd, DRM_IOCTL_NOUVEAU_SVM_BIND, &bind), -1);
	igt_assert_eq(errno, EINVAL);
	nv_assert_ram(ptr, NV_PAGE_SIZE);
	nv_svm_fini(&svm);
	munmap(ptr, NV_PAGE_SIZE);
}

static void test_bind_hole(void)
{
	char *ptr = (char *)nv_alloc(3 * NV_PAGE_SIZE);
	struct nv_svm svm;

	open_svm(&svm);
	nv_fill(ptr, 3 * NV_PAGE_SIZE, 1);
	munmap(ptr + NV_PAGE_SIZE, NV_PAGE_SIZE);
	nv_svm_migrate(&svm, ptr, 3 * NV_PAGE_SIZE);
	nv_assert_private(ptr, NV_PAGE_SIZE);
	nv_assert_private(ptr + 2 * NV_PAGE_SIZE, NV_PAGE_SIZE);
	nv_svm_fini(&svm);
	munmap(ptr, 3 * NV_PAGE_SIZE);
}

static void test_bind_cutout(void)
{
	struct nv_svm svm;

	open_svm(&svm);
	igt_assert_eq_u64(nv_svm_migrate(&svm, svm.cutout, NV_HUGE_SIZE), 0);
	migrate_and_check(&svm);
	nv_svm_fini(&svm);
}

static void test_bind_kernel_va(void)
{
	struct nv_svm svm;

	open_svm(&svm);
	for (int bit = 47; bit < 64; bit++) {
		int ret = __nv_svm_bind(svm.fd, MIGRATE, VRAM, (void *)(~0ul << bit), NV_PAGE_SIZE,
					NULL);

		igt_assert_f(!ret || ret == -EINVAL || ret == -EFAULT, "address %#lx: %s\n",
			     ~0ul << bit, strerror(-ret));
	}
	migrate_and_check(&svm);
	nv_svm_fini(&svm);
}

static void test_bind_other_process(void)
{
	struct nv_svm svm;

	open_svm(&svm);
	igt_fork(child, 1)
	{
		uint32_t *ptr = nv_alloc(NV_PAGE_SIZE);
		int ret;

		nv_fill(ptr, NV_PAGE_SIZE, 1);
		ret = __nv_svm_bind(svm.fd, MIGRATE, VRAM, ptr, NV_PAGE_SIZE, NULL);
		igt_assert_f(ret, "memory of one process was bound to the SVM of another\n");
		nv_assert_ram(ptr, NV_PAGE_SIZE);
	}
	igt_waitchildren();
	nv_svm_fini(&svm);
}

static void test_prefetch_invalid_target(void)
{
	uint32_t *ptr = nv_alloc(NV_PAGE_SIZE);
	struct nv_svm svm;

	open_svm(&svm);
	nv_svm_require_prefetch(&svm);
	igt_assert_eq(__nv_svm_bind(svm.fd, NOUVEAU_SVM_BIND_COMMAND__PREFETCH, VRAM, ptr,
				    NV_PAGE_SIZE, NULL),
		      -EINVAL);
	/* A priority, which stands above the command in the header, is not known there either. */
	igt_assert_eq(__nv_svm_bind(svm.fd,
				    NOUVEAU_SVM_BIND_COMMAND__PREFETCH |
					    1 << NOUVEAU_SVM_BIND_PRIORITY_SHIFT,
				    0, ptr, NV_PAGE_SIZE, NULL),
		      -EINVAL);
	nv_svm_fini(&svm);
	munmap(ptr, NV_PAGE_SIZE);
}

static void test_prefetch_hole(void)
{
	char *ptr = (char *)nv_alloc(3 * NV_PAGE_SIZE);
	struct nv_svm svm;

	open_svm(&svm);
	nv_svm_require_prefetch(&svm);
	nv_fill(ptr, 3 * NV_PAGE_SIZE, 1);
	munmap(ptr + NV_PAGE_SIZE, NV_PAGE_SIZE);
	igt_assert_eq_u64(nv_svm_prefetch(&svm, ptr, 3 * NV_PAGE_SIZE), 2);
	nv_svm_fini(&svm);
	munmap(ptr, 3 * NV_PAGE_SIZE);
}

static void test_prefetch_before_init(void)
{
	uint32_t *ptr = nv_alloc(NV_PAGE_SIZE);
	struct nv_svm svm;
	int fd;

	open_svm(&svm);
	nv_svm_require_prefetch(&svm);
	nv_svm_fini(&svm);
	fd = drm_reopen_driver(gpu.fd);
	svm.fd = fd;
	igt_assert_eq(__nv_svm_prefetch(&svm, ptr, NV_PAGE_SIZE), -EINVAL);
	drm_close_driver(fd);
	munmap(ptr, NV_PAGE_SIZE);
}

/*
 * Memory of a buffer is a block for each bit of its size, and blocks may be neighbours. That no two
 * are synced as one is for the kernel to say, if it checks DMA.
 */
static void test_buffer_sync(void)
{
	struct nv_bo bos[BUFFERS];

	for (int i = 0; i < BUFFERS; i++) {
		uint32_t *words;

		nv_bo_create(&bos[i], gpu.fd, (i % 64 + 1) * NV_PAGE_SIZE, NOUVEAU_GEM_DOMAIN_GART);
		words = bos[i].map;
		igt_assert_eq(nv_bo_wait(&bos[i]), 0);
		words[0] = i;
		words[bos[i].size / 4 - 1] = ~i;
		nv_bo_flush(&bos[i]);
	}
	for (int i = 0; i < BUFFERS; i++) {
		const uint32_t *words = bos[i].map;

		igt_assert_eq(nv_bo_wait(&bos[i]), 0);
		igt_assert_eq_u32(words[0], i);
		igt_assert_eq_u32(words[bos[i].size / 4 - 1], ~i);
		nv_bo_destroy(&bos[i]);
	}
}

/* Before anything is locked. That none of that is let go then, only lockdep notices. */
static void test_vm_bind_refused(void)
{
	struct drm_nouveau_vm_bind_op op = {
		.op = DRM_NOUVEAU_VM_BIND_OP_UNMAP,
		.flags = DRM_NOUVEAU_VM_BIND_SPARSE,
		.addr = 1ull << 32,
		.range = NV_HUGE_SIZE,
	};
	struct drm_nouveau_vm_bind bind = { .op_count = 1, .op_ptr = (uintptr_t)&op };
	int fd = drm_reopen_driver(gpu.fd);

	igt_assert_eq(vm_init(fd), 0);
	igt_assert_eq(igt_ioctl(fd, DRM_IOCTL_NOUVEAU_VM_BIND, &bind), -1);
	igt_assert_eq(errno, ENOENT);
	close(fd);
}

static const struct {
	const char *name;
	const char *describe;
	void (*run)(void);
} tests[] = {
	{ "buffer-sync", "Buffers of all sizes are synced for the CPU and for the GPU",
	  test_buffer_sync },
	{ "init", "SVM can be switched on for a device file", test_init },
	{ "init-twice", "A second SVM_INIT on a file is refused", test_init_twice },
	{ "init-race", "SVM is switched on while memory is taken away", test_init_race },
	{ "init-unsupported", "SVM_INIT says so on a GPU without SVM", test_init_unsupported },
	{ "init-overflow", "A window beyond the address space is refused", test_init_overflow },
	{ "init-after-channel", "SVM and a channel that is older than it both work",
	  test_init_after_channel },
	{ "init-then-close", "A buffer older than SVM_INIT is unmapped when its handle is closed",
	  test_init_then_close },
	{ "bind-before-init", "SVM_BIND without SVM_INIT is refused", test_bind_before_init },
	{ "bind-hole", "Unmapped parts of a range are skipped", test_bind_hole },
	{ "bind-cutout", "The driver's own window does not migrate", test_bind_cutout },
	{ "bind-kernel-va", "Addresses outside user space do no harm", test_bind_kernel_va },
	{ "bind-other-process",
	  "A device file does not bind the memory of a process that is not its owner",
	  test_bind_other_process },
	{ "prefetch-invalid-target", "PREFETCH takes no target and no priority",
	  test_prefetch_invalid_target },
	{ "prefetch-hole", "PREFETCH skips unmapped parts and counts the others",
	  test_prefetch_hole },
	{ "prefetch-before-init", "PREFETCH without SVM_INIT is refused",
	  test_prefetch_before_init },
	{ "vm-bind-refused", "VM_BIND does not unmap a sparse region that is not there",
	  test_vm_bind_refused },
};

/**
 * SUBTEST: buffer-sync
 * Description: Buffers of all sizes are synced for the CPU and for the GPU
 *
 * SUBTEST: init
 * Description: SVM can be switched on for a device file
 *
 * SUBTEST: init-twice
 * Description: A second SVM_INIT on a file is refused
 *
 * SUBTEST: init-race
 * Description: SVM is switched on while memory is taken away
 *
 * SUBTEST: init-unsupported
 * Description: SVM_INIT says so on a GPU without SVM
 *
 * SUBTEST: init-overflow
 * Description: A window beyond the address space is refused
 *
 * SUBTEST: init-after-channel
 * Description: SVM and a channel that is older than it both work
 *
 * SUBTEST: init-then-close
 * Description: A buffer older than SVM_INIT is unmapped when its handle is closed
 *
 * SUBTEST: bind-before-init
 * Description: SVM_BIND without SVM_INIT is refused
 *
 * SUBTEST: bind-hole
 * Description: Unmapped parts of a range are skipped
 *
 * SUBTEST: bind-cutout
 * Description: The driver's own window does not migrate
 *
 * SUBTEST: bind-kernel-va
 * Description: Addresses outside user space do no harm
 *
 * SUBTEST: bind-other-process
 * Description: A device file does not bind the memory of a process that is not its owner
 *
 * SUBTEST: prefetch-invalid-target
 * Description: PREFETCH takes no target and no priority
 *
 * SUBTEST: prefetch-hole
 * Description: PREFETCH skips unmapped parts and counts the others
 *
 * SUBTEST: prefetch-before-init
 * Description: PREFETCH without SVM_INIT is refused
 *
 * SUBTEST: vm-bind-refused
 * Description: VM_BIND does not unmap a sparse region that is not there
 *
 * SUBTEST: init-then-vm-init
 * Description: VM_INIT after SVM_INIT does no harm to memory
 *
 * SUBTEST: vm-init-then-init
 * Description: SVM_INIT after VM_INIT does no harm to memory
 *
 * SUBTEST: bind-invalid-reserved0
 * Description: Reserved field 0 must be zero
 *
 * SUBTEST: bind-invalid-reserved1
 * Description: Reserved field 1 must be zero
 *
 * SUBTEST: bind-invalid-header-bits
 * Description: Header bits without a meaning must be zero
 *
 * SUBTEST: bind-invalid-cmd
 * Description: A command nobody defined is refused
 *
 * SUBTEST: bind-invalid-target
 * Description: A target nobody defined is refused
 *
 * SUBTEST: bind-invalid-stride
 * Description: Strided ranges are not offered
 *
 * SUBTEST: bind-invalid-empty
 * Description: An empty range is refused
 *
 * SUBTEST: bind-invalid-reversed
 * Description: A range that ends before it starts is refused
 */
int igt_main()
{
	igt_fixture()
	{
		nv_gpu_open(&gpu, 0);
		nv_require_pagemap();
	}

	for (int i = 0; i < ARRAY_SIZE(tests); i++) {
		igt_describe(tests[i].describe);
		igt_subtest(tests[i].name) tests[i].run();
	}

	igt_describe("VM_INIT after SVM_INIT does no harm to memory");
	igt_subtest("init-then-vm-init") test_vm_init(true);

	igt_describe("SVM_INIT after VM_INIT does no harm to memory");
	igt_subtest("vm-init-then-init") test_vm_init(false);

	for (int i = 0; i < ARRAY_SIZE(invalid_binds); i++) {
		igt_describe(invalid_binds[i].describe);
		igt_subtest_f("bind-invalid-%s", invalid_binds[i].name)
			test_bind_invalid(&invalid_binds[i]);
	}

	igt_fixture()
	{
		nv_gpu_close(&gpu);
	}
}
