// SPDX-License-Identifier: MIT
/**
 * TEST: nouveau SVM fuzzing
 * Category: Core
 * Mega feature: SVM
 * Sub-category: API
 * Description: Requests at random: the driver takes what its interface allows and refuses the rest,
 * and no word of memory changes. NV_FUZZ_ROUNDS and NV_FUZZ_SEED in the environment ask for more of
 * them, and for others.
 */
#include <pthread.h>
#include <sys/ioctl.h>

#include "drm-uapi-experimental/nouveau_drm_experimental.h"
#include "igt.h"
#include "nouveau_drm.h"
#include "nouveau/nv_device.h"
#include "nouveau/nv_svm.h"

IGT_TEST_DESCRIPTION("Random requests to nouveau's SVM ioctls");

#define ARENA_SIZE  NV_HUGE_SIZE
#define ARENA_PAGES (ARENA_SIZE / NV_PAGE_SIZE)
#define ARENA_SEED  1
#define CHECK_EVERY 64 /* requests */
#define MIGRATE	    NOUVEAU_SVM_BIND_COMMAND__MIGRATE
#define PREFETCH    NOUVEAU_SVM_BIND_COMMAND__PREFETCH
#define VRAM	    NOUVEAU_SVM_BIND_TARGET__GPU_VRAM

static struct nv_gpu gpu;
static struct nv_svm svm;
static uint32_t *arena; /* as many 4K pages of words as a huge page has */
static bool stock;	/* a kernel without PREFETCH, and with only VRAM as a target */
static uint64_t random_state;

static unsigned int from_environment(const char *name, unsigned int otherwise)
{
	const char *value = getenv(name);

	return value ? strtoul(value, NULL, 0) : otherwise;
}

static unsigned int rounds(void)
{
	return from_environment("NV_FUZZ_ROUNDS", SLOW_QUICK(100000, 600));
}

static uint64_t random_64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;

	return random_state;
}

static unsigned int random_below(unsigned int limit)
{
	return (random_64() >> 16) % limit;
}

static uint64_t near(uint64_t value)
{
	return value + (random_below(5) - 2) * NV_PAGE_SIZE;
}

/* What somebody who errs, or who means ill, would try. */
static uint64_t random_value(void)
{
	switch (random_below(7)) {
	case 0:
		return near(0);
	case 1:
		return near(1ull << random_below(64));
	case 2:
		return near((uintptr_t)arena + random_below(ARENA_SIZE));
	case 3:
		return near((uintptr_t)svm.cutout);
	case 4:
		return random_below(8);
	case 5:
		return -(uint64_t)random_below(8);
	default:
		return random_64() >> random_below(64);
	}
}

static void random_damage(void *request, size_t size)
{
	uint64_t *fields = request;
	uint64_t *field = &fields[random_below(size / sizeof(*fields))];

	if (random_below(2))
		*field = random_value();
	else
		*field ^= 1ull << random_below(64);
}

static struct drm_nouveau_svm_bind random_bind(void)
{
	const unsigned int first = random_below(ARENA_PAGES);
	const unsigned int count = 1 + random_below(ARENA_PAGES - first);
	const unsigned int kind = stock ? 0 : random_below(3);

	return (struct drm_nouveau_svm_bind){
		.header = (kind == 2 ? PREFETCH : MIGRATE) << NOUVEAU_SVM_BIND_COMMAND_SHIFT |
			  (uint64_t)(kind == 0 ? VRAM : 0) << NOUVEAU_SVM_BIND_TARGET_SHIFT,
		.va_start = (uintptr_t)arena + first * NV_PAGE_SIZE,
		.va_end = (uintptr_t)arena + (first + count) * NV_PAGE_SIZE,
		.npages = count,
	};
}

/* By the words of the interface. */
static bool is_valid(const struct drm_nouveau_svm_bind *bind)
{
	const uint64_t header = bind->header;
	const uint8_t command = header >> NOUVEAU_SVM_BIND_COMMAND_SHIFT;
	const uint8_t priority = header >> NOUVEAU_SVM_BIND_PRIORITY_SHIFT;
	const uint32_t target = header >> NOUVEAU_SVM_BIND_TARGET_SHIFT;

	if (bind->reserved0 || bind->reserved1 || bind->stride)
		return false;
	if (header & ~NOUVEAU_SVM_BIND_VALID_MASK)
		return false;
	if ((bind->va_start & -NV_PAGE_SIZE) >= ALIGN(bind->va_end, NV_PAGE_SIZE))
		return false;
	if (command == PREFETCH)
		return !stock && !target && !priority;
	return command == MIGRATE && (target == VRAM || (!stock && !target));
}

static void check_arena(void)
{
	nv_check(arena, ARENA_SIZE, ARENA_SEED);
}

static void test_bind(void)
{
	for (unsigned int i = 0; i < rounds(); i++) {
		struct drm_nouveau_svm_bind bind = random_bind(), sent;
		int ret;

		for (unsigned int damage = random_below(4); damage; damage--)
			random_damage(&bind, sizeof(bind));
		sent = bind;
		ret = igt_ioctl(svm.fd, DRM_IOCTL_NOUVEAU_SVM_BIND, &bind) ? -errno : 0;
		igt_assert_f(ret == (is_valid(&sent) ? 0 : -EINVAL),
			     "request %u: %s for header %#llx, %#llx to %#llx, stride %#llx, "
			     "reserved %#llx and %#llx\n",
			     i, strerror(-ret), (long long)sent.header, (long long)sent.va_start,
			     (long long)sent.va_end, (long long)sent.stride,
			     (long long)sent.reserved0, (long long)sent.reserved1);
		if (i % CHECK_EVERY == 0)
			check_arena();
	}
	check_arena();
}

/* Whatever window is agreed on, the file works, or does nothing. */
static void test_init(void)
{
	for (unsigned int i = 0; i < rounds() / 16; i++) {
		struct drm_nouveau_svm_init init = {
			.unmanaged_addr = (uintptr_t)svm.cutout,
			.unmanaged_size = svm.cutout_size,
		};
		const int fd = drm_reopen_driver(gpu.fd);
		int ret;

		random_damage(&init, sizeof(init));
		ret = __nv_svm_init(fd, init.unmanaged_addr, init.unmanaged_size);
		igt_assert_f(!ret || ret == -EINVAL, "window %u: %s for %#llx bytes at %#llx\n", i,
			     strerror(-ret), (long long)init.unmanaged_size,
			     (long long)init.unmanaged_addr);
		igt_assert_eq(__nv_svm_bind(fd, MIGRATE, VRAM, arena, NV_PAGE_SIZE, NULL), ret);
		nv_check(arena, NV_PAGE_SIZE, ARENA_SEED);
		drm_close_driver(fd);
	}
	check_arena();
}

/* Where there is no memory: an answer goes where the request came from. */
static char *random_hole(void)
{
	switch (random_below(3)) {
	case 0:
		return (char *)(uintptr_t)near(0);
	case 1:
		return (char *)svm.cutout + random_below(svm.cutout_size);
	default:
		return (char *)(uintptr_t)near(1ull << (48 + random_below(16)));
	}
}

/* Requests of other sizes and directions, at the very end of memory, behind it, and nowhere. */
static void test_size(void)
{
	char *page = mmap(NULL, 2 * NV_PAGE_SIZE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	igt_assert(page != MAP_FAILED);
	igt_assert_eq(munmap(page + NV_PAGE_SIZE, NV_PAGE_SIZE), 0);
	for (unsigned int i = 0; i < 8 * rounds(); i++) {
		const unsigned int size = random_below(2) ? random_below(128) : random_below(4096);
		const unsigned long request =
			_IOC(random_below(4), DRM_IOCTL_BASE,
			     DRM_COMMAND_BASE + DRM_NOUVEAU_SVM_INIT + random_below(2), size);
		char *arg = page + NV_PAGE_SIZE - random_below(256);
		const struct drm_nouveau_svm_bind bind = random_bind();

		memset(page, 0, NV_PAGE_SIZE);
		memcpy(page + NV_PAGE_SIZE - sizeof(bind), &bind, sizeof(bind));
		if (!random_below(16))
			arg = random_hole();
		if (ioctl(svm.fd, request, arg))
			igt_assert_f(errno == EINVAL || errno == EFAULT || errno == EBUSY,
				     "request %#lx: %s\n", request, strerror(errno));
		if (i % CHECK_EVERY == 0)
			check_arena();
	}
	check_arena();
	munmap(page, NV_PAGE_SIZE);
}

struct churn {
	char *memory;
	bool stop;
};

/* Memory that comes, goes and changes, and holds nothing that anybody relies on. */
static void *churn(void *data)
{
	struct churn *churn = data;
	uint64_t random = random_state;

	while (!__atomic_load_n(&churn->stop, __ATOMIC_RELAXED)) {
		char *page;

		random = random * 6364136223846793005ull + 1442695040888963407ull;
		page = churn->memory + (random >> 40) % ARENA_PAGES * NV_PAGE_SIZE;
		switch (random >> 32 & 3) {
		case 0:
			mmap(page, NV_PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
			break;
		case 1:
			mprotect(page, NV_PAGE_SIZE, random >> 34 & 1 ? PROT_READ : PROT_NONE);
			break;
		case 2:
			madvise(page, NV_PAGE_SIZE, MADV_DONTNEED);
			break;
		case 3:
			munmap(page, NV_PAGE_SIZE);
			break;
		}
	}
	return NULL;
}

static void test_churn(void)
{
	/*
	 * Far from where the kernel puts what others map, which may use a hole as soon as it is
	 * there.
	 */
	struct churn state = { .memory = nv_svm_reserve(ARENA_SIZE) };
	pthread_t thread;

	igt_assert_eq(pthread_create(&thread, NULL, churn, &state), 0);
	for (unsigned int i = 0; i < rounds() / 4; i++) {
		struct drm_nouveau_svm_bind bind = random_bind();

		if (i % 2) {
			bind.va_start += state.memory - (char *)arena;
			bind.va_end += state.memory - (char *)arena;
		}
		do_ioctl(svm.fd, DRM_IOCTL_NOUVEAU_SVM_BIND, &bind);
		if (i % CHECK_EVERY == 0)
			check_arena();
	}
	__atomic_store_n(&state.stop, true, __ATOMIC_RELAXED);
	igt_assert_eq(pthread_join(thread, NULL), 0);
	check_arena();
	munmap(state.memory, ARENA_SIZE);
}

static const struct {
	const char *name;
	const char *describe;
	void (*run)(void);
} tests[] = {
	{ "bind", "SVM_BIND at random does what its interface says", test_bind },
	{ "init", "SVM_INIT takes any window or refuses it", test_init },
	{ "size", "Requests of any size at any address do no harm", test_size },
	{ "churn", "SVM_BIND of memory that changes all the time does no harm", test_churn },
};

/**
 * SUBTEST: bind
 * Description: SVM_BIND at random does what its interface says
 *
 * SUBTEST: init
 * Description: SVM_INIT takes any window or refuses it
 *
 * SUBTEST: size
 * Description: Requests of any size at any address do no harm
 *
 * SUBTEST: churn
 * Description: SVM_BIND of memory that changes all the time does no harm
 */
int igt_main()
{
	igt_fixture()
	{
		nv_gpu_open(&gpu, 0);
		nv_svm_init(&svm, drm_reopen_driver(gpu.fd));
		stock = !nv_svm_has_prefetch(&svm);
		arena = nv_alloc(ARENA_SIZE);
		nv_fill(arena, ARENA_SIZE, ARENA_SEED);
	}

	for (int i = 0; i < ARRAY_SIZE(tests); i++) {
		igt_describe(tests[i].describe);
		igt_subtest(tests[i].name)
		{
			random_state = from_environment("NV_FUZZ_SEED", 1) * 0x9e3779b97f4a7c15ull;
			igt_require_f(random_state, "NV_FUZZ_SEED: any number but 0\n");
			tests[i].run();
		}
	}

	igt_fixture()
	{
		nv_svm_fini(&svm);
		nv_gpu_close(&gpu);
	}
}
