// SPDX-License-Identifier: MIT
/*
 * Compute engine of Pascal. Methods and fields as in NVIDIA's published clc0c0.h and clc0c0qmd.h
 * (QMDV02_01); C1C0 and its QMD are alike in all that is used here.
 */
#include "igt.h"
#include "nouveau_drm.h"
#include "nouveau/nv_compute.h"
#include "nouveau/nv_device.h"

#define SUBCHANNEL 1

#define SET_OBJECT			0x000
#define WAIT_FOR_IDLE			0x110
#define SET_SHADER_SHARED_MEMORY_WINDOW 0x214
#define SEND_PCAS_A			0x2b4
#define SEND_SIGNALING_PCAS_B		0x2bc
#define SET_SHADER_LOCAL_MEMORY_WINDOW	0x77c
#define SET_PROGRAM_REGION_A		0x1608
#define INVALIDATE_SHADER_CACHES_NO_WFI 0x1698

#define INVALIDATE_ALL		 0x1011 /* instructions, data, constants */
#define PCAS_INVALIDATE_SCHEDULE 3

#define PASCAL_COMPUTE_A 0xc0c0
#define PASCAL_COMPUTE_B 0xc1c0
#define OBJECT		 0xbeef0001

/* Where things are in a slot of the buffer object. */
#define CODE	  0x000
#define QMD	  0xa00
#define CONSTANTS 0xc00
#define SLOT	  0x1000
#define QMD_WORDS 64
#define SASS_60	  0x60
#define SASS_61	  0x61

/* The kernel's header names these ioctls, but no longer describes them. */
struct grobj_alloc {
	int channel;
	uint32_t handle;
	int class;
};

struct gpuobj_free {
	int channel;
	uint32_t handle;
};

#define IOCTL_GROBJ_ALLOC DRM_IOW(DRM_COMMAND_BASE + DRM_NOUVEAU_GROBJ_ALLOC, struct grobj_alloc)
#define IOCTL_GPUOBJ_FREE DRM_IOW(DRM_COMMAND_BASE + DRM_NOUVEAU_GPUOBJ_FREE, struct gpuobj_free)

#define METHODS(chan, method, ...)                                                  \
	do {                                                                        \
		const uint32_t data_[] = { __VA_ARGS__ };                           \
		nv_chan_method(chan, SUBCHANNEL, method, ARRAY_SIZE(data_), data_); \
	} while (0)

/**
 * nv_compute_create:
 * @compute: filled in
 * @fd: device file; after SVM_INIT grids run in the SVM address space
 * @chipset: of the GPU
 */
void nv_compute_create(struct nv_compute *compute, int fd, uint32_t chipset)
{
	struct nv_chan *chan = &compute->chan;
	struct grobj_alloc object = {
		.handle = OBJECT,
		.class = chipset == NV_CHIPSET_GP100 ? PASCAL_COMPUTE_A : PASCAL_COMPUTE_B,
	};

	nv_chan_create(chan, fd, NOUVEAU_FIFO_ENGINE_GR);
	compute->chipset = chipset;
	object.channel = chan->id;
	do_ioctl(fd, IOCTL_GROBJ_ALLOC, &object);
	/* In VRAM, so that all that goes over the bus is what a kernel was written for. */
	nv_bo_create(&compute->bo, fd, NV_COMPUTE_SLOTS * SLOT, NOUVEAU_GEM_DOMAIN_VRAM);
	nv_chan_attach(chan, &compute->bo);
	METHODS(chan, SET_OBJECT, object.class);
	METHODS(chan, SET_SHADER_SHARED_MEMORY_WINDOW, 0xfe000000);
	METHODS(chan, SET_SHADER_LOCAL_MEMORY_WINDOW, 0xff000000);
	compute->slot = 0;
	compute->region = compute->bo.va >> 32;
	METHODS(chan, SET_PROGRAM_REGION_A, compute->region, 0);
}

void nv_compute_destroy(struct nv_compute *compute)
{
	nv_chan_destroy(&compute->chan);
	nv_bo_destroy(&compute->bo);
}

/* Frees the object of a channel that was killed: with it goes the channel's context on the engine. */
void nv_compute_free_object(struct nv_compute *compute)
{
	struct gpuobj_free object = {
		.channel = compute->chan.id,
		.handle = OBJECT,
	};

	do_ioctl(compute->chan.fd, IOCTL_GPUOBJ_FREE, &object);
}

/* Lets go of what keeps the file open, so that closing it is its end, with the channel at work. */
void nv_compute_abandon(struct nv_compute *compute)
{
	struct nv_bo *bos[] = { &compute->bo, &compute->chan.push, &compute->chan.sem };

	for (int i = 0; i < ARRAY_SIZE(bos); i++)
		munmap(bos[i]->map, bos[i]->size);
}

/* Bits @hi:@lo of the descriptor. */
static void field(uint32_t *qmd, unsigned int hi, unsigned int lo, uint32_t value)
{
	igt_assert_f(hi / 32 == lo / 32 && (hi - lo == 31 || value >> (hi - lo + 1) == 0),
		     "%#x does not fit into bits %u:%u of a QMD\n", value, hi, lo);
	qmd[lo / 32] |= value << lo % 32;
}

static void fill_qmd(const struct nv_compute *compute, const struct nv_kernel *kernel,
		     uint32_t blocks, uint64_t code, uint64_t constants, uint32_t *qmd)
{
	memset(qmd, 0, QMD_WORDS * sizeof(*qmd));
	field(qmd, 583, 580, 2); /* QMD_MAJOR_VERSION */
	field(qmd, 579, 576, 1); /* QMD_VERSION */
	field(qmd, 134, 134, 1); /* SM_GLOBAL_CACHING_ENABLE */
	field(qmd, 378, 378, 1); /* API_VISIBLE_CALL_LIMIT: NO_CHECK */
	field(qmd, 366, 366, 1); /* RELEASE_MEMBAR_TYPE: FE_SYSMEMBAR */
	field(qmd, 369, 368, 1); /* CWD_MEMBAR_TYPE: L1_SYSMEMBAR */
	field(qmd, 287, 256, (uint32_t)code);
	field(qmd, 415, 384, blocks);
	field(qmd, 431, 416, 1);
	field(qmd, 463, 448, 1);
	field(qmd, 607, 592, NV_COMPUTE_BLOCK);
	field(qmd, 623, 608, 1);
	field(qmd, 639, 624, 1);
	field(qmd, 640, 640, 1); /* CONSTANT_BUFFER_VALID(0) */
	field(qmd, 1055, 1024, (uint32_t)constants);
	field(qmd, 1072, 1056, constants >> 32);
	field(qmd, 1087, 1075, NV_KERNEL_CONSTANTS >> 4);
	field(qmd, 991, 984, kernel->registers);
	field(qmd, 1023, 1016, compute->chipset == NV_CHIPSET_GP100 ? SASS_60 : SASS_61);
}

/* A descriptor names code by the lower half of its address. The upper half is of the channel. */
static void set_program_region(struct nv_compute *compute, uint32_t upper)
{
	if (compute->region == upper)
		return;
	compute->region = upper;
	METHODS(&compute->chan, WAIT_FOR_IDLE, 0);
	METHODS(&compute->chan, SET_PROGRAM_REGION_A, upper, 0);
}

/* Queues the grid that the descriptor at @qmd is of, an address below 2^40. */
void nv_compute_launch(struct nv_compute *compute, uint64_t qmd)
{
	igt_assert(qmd % 256 == 0 && qmd >> 40 == 0);
	METHODS(&compute->chan, INVALIDATE_SHADER_CACHES_NO_WFI, INVALIDATE_ALL);
	METHODS(&compute->chan, SEND_PCAS_A, qmd >> 8);
	METHODS(&compute->chan, SEND_SIGNALING_PCAS_B, PCAS_INVALIDATE_SCHEDULE);
}

/**
 * nv_compute_grid_at:
 * @code: where the code of @kernel is, in the GPU's address space; a multiple of
 * NV_COMPUTE_ALIGN_CODE
 * @constants: where its bank of constants is; a multiple of NV_COMPUTE_ALIGN_CONSTANTS
 *
 * Queues a grid of @threads whose code and constants the caller has put anywhere.
 */
void nv_compute_grid_at(struct nv_compute *compute, const struct nv_kernel *kernel,
			unsigned int threads, uint64_t code, uint64_t constants)
{
	const uint32_t offset = compute->slot++ % NV_COMPUTE_SLOTS * SLOT + QMD;

	igt_assert(threads % NV_COMPUTE_BLOCK == 0 && code % NV_COMPUTE_ALIGN_CODE == 0 &&
		   constants % NV_COMPUTE_ALIGN_CONSTANTS == 0);
	fill_qmd(compute, kernel, threads / NV_COMPUTE_BLOCK, code, constants,
		 (uint32_t *)((char *)compute->bo.map + offset));
	set_program_region(compute, code >> 32);
	nv_compute_launch(compute, compute->bo.va + offset);
}

/*
 * Queues a grid of @threads, a multiple of NV_COMPUTE_BLOCK; nv_chan_run() and the like start it.
 */
void nv_compute_grid(struct nv_compute *compute, const struct nv_kernel *kernel,
		     unsigned int threads, const struct nv_kernel_args *args)
{
	const uint32_t offset = compute->slot % NV_COMPUTE_SLOTS * SLOT;
	const uint64_t va = compute->bo.va + offset;
	char *map = (char *)compute->bo.map + offset;

	igt_assert(kernel->size <= QMD - CODE);
	memcpy(map + CODE, kernel->code, kernel->size);
	nv_kernel_constants(map + CONSTANTS, threads / NV_COMPUTE_BLOCK, NV_COMPUTE_BLOCK, args);
	nv_compute_grid_at(compute, kernel, threads, va + CODE, va + CONSTANTS);
}

void nv_compute_run(struct nv_compute *compute, const struct nv_kernel *kernel,
		    unsigned int threads, const struct nv_kernel_args *args)
{
	nv_compute_grid(compute, kernel, threads, args);
	nv_chan_run(&compute->chan);
}
