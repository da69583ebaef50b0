// SPDX-License-Identifier: MIT
/*
 * Gets a buffer from GPU 0's private VRAM to where GPU 1 uses it, its own VRAM, in one of three ways,
 * and says what that cost:
 *
 * copy     GPU 1's copy engine reads the pages where they are, after PREFETCH; on a kernel without
 *          PREFETCH they migrate.
 * shader   A shader of GPU 1 reads the pages, and faults.
 * migrate  SVM_BIND of GPU 1 migrates the pages; on a kernel that leaves the pages of other GPUs
 *          alone the CPU has to touch them before, to bring them to RAM.
 */
#include <getopt.h>
#include <sys/resource.h>

#include "igt.h"
#include "nouveau_drm.h"
#include "nouveau/nv_ce.h"
#include "nouveau/nv_compute.h"
#include "nouveau/nv_device.h"
#include "nouveau/nv_model.h"
#include "nouveau/nv_svm.h"
#include "nouveau/nv_worker.h"

#define CHUNK	 NV_WORKER_SIZE
#define MAX_SIZE (128ul << 20)

struct demo {
	struct nv_gpu gpus[2];
	struct nv_svm owner;
	struct nv_worker importer;
	const struct part *part;
	bool prefetch;
	char *ptr;
	size_t size;
	struct nv_bo dst; /* for the copy in GPU 1's VRAM */
	bool migrated;	  /* instead of copied */
	size_t touched;	  /* pages that the CPU brought to RAM for that */
	struct nv_compute compute;
};

struct part {
	const char *name;
	void (*move)(struct demo *demo);
};

struct result {
	uint64_t cpu_faults;
	uint64_t gpu_faults; /* of GPU 1 */
	uint64_t migrations_to_ram;
	bool has_bytes;
	struct nv_model_bytes bytes;	  /* payload */
	uint64_t link_in[2], link_out[2]; /* DMA over each GPU's PCIe link, as the GPU sees it */
	bool verified;
	double seconds;
};

static const char usage[] =
	"Usage: nv_p2p_demo [--part PART] [--size MIB] [--huge] [--json]\n"
	"Gets MIB (64) from GPU 0's private VRAM to where GPU 1 uses it; needs two Pascal GPUs and root.\n"
	"  --part PART  copy: by GPU 1's copy engine (default); shader: by a shader that faults;\n"
	"               migrate: by SVM_BIND\n"
	"  --size MIB   an even number up to 128\n"
	"  --huge       in huge pages\n"
	"  --json       one JSON object on stdout instead of text\n";

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);

	return ts.tv_sec + ts.tv_nsec * 1e-9;
}

static uint64_t cpu_faults(void)
{
	struct rusage rusage;

	getrusage(RUSAGE_SELF, &rusage);

	return rusage.ru_minflt + rusage.ru_majflt;
}

static void prepare(struct demo *demo, bool huge)
{
	for (int i = 0; i < 2; i++) {
		nv_gpu_open(&demo->gpus[i], i);
		igt_require_f(nv_is_pascal(&demo->gpus[i]), "%s is not a Pascal GPU\n",
			      demo->gpus[i].slot);
	}
	nv_svm_init(&demo->owner, drm_reopen_driver(demo->gpus[0].fd));
	nv_worker_create(&demo->importer, &demo->gpus[1]);
	demo->prefetch = nv_svm_has_prefetch(&demo->importer.svm);
	nv_bo_create(&demo->dst, demo->importer.svm.fd, demo->size, NOUVEAU_GEM_DOMAIN_VRAM);
	nv_chan_attach(&demo->importer.chan, &demo->dst);
	nv_compute_create(&demo->compute, demo->importer.svm.fd, demo->gpus[1].chipset);
	nv_chan_attach(&demo->compute.chan, &demo->dst);

	demo->ptr = (char *)(huge ? nv_alloc_huge(demo->size) : nv_alloc(demo->size));
	for (size_t at = 0; at < demo->size; at += CHUNK)
		nv_fill(demo->ptr + at, CHUNK, at);
	nv_svm_migrate(&demo->owner, demo->ptr, demo->size);
	nv_assert_private(demo->ptr, demo->size);
}

static size_t pages_in_ram(const struct demo *demo)
{
	return demo->size / NV_PAGE_SIZE - nv_private_pages(demo->ptr, demo->size);
}

static void move_by_migration(struct demo *demo)
{
	demo->migrated = true;
	/* A stock kernel leaves the pages where they are, and reports none. */
	if (nv_svm_migrate(&demo->importer.svm, demo->ptr, demo->size))
		return;
	for (size_t at = 0; at < demo->size; at += NV_PAGE_SIZE)
		*(volatile char *)(demo->ptr + at);
	demo->touched = pages_in_ram(demo);
	nv_svm_migrate(&demo->importer.svm, demo->ptr, demo->size);
}

/* GPU 1 maps the pages where they are and copies them. */
static void move_by_copy(struct demo *demo)
{
	if (!demo->prefetch) {
		move_by_migration(demo);
		return;
	}
	nv_svm_prefetch(&demo->importer.svm, demo->ptr, demo->size);
	for (size_t at = 0; at < demo->size; at += CHUNK) {
		nv_ce_copy(&demo->importer.chan, demo->dst.va + at, (uintptr_t)demo->ptr + at,
			   CHUNK);
		nv_chan_run(&demo->importer.chan);
	}
}

static void move_by_shader(struct demo *demo)
{
	for (size_t at = 0; at < demo->size; at += CHUNK) {
		const struct nv_kernel_args args = {
			.dst = demo->dst.va + at,
			.src = (uintptr_t)demo->ptr + at,
			.dst_shift = 2,
			.src_shift = 2,
		};

		nv_compute_run(&demo->compute, &nv_kernel_copy, CHUNK / sizeof(uint32_t), &args);
	}
}

static const struct part parts[] = {
	{ "copy", move_by_copy },
	{ "shader", move_by_shader },
	{ "migrate", move_by_migration },
};

static const struct part *find_part(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (!strcmp(parts[i].name, name))
			return &parts[i];

	return NULL;
}

static void add_bytes(struct nv_model_bytes *sum, const struct nv_model_bytes *bytes)
{
	sum->system_read += bytes->system_read;
	sum->system_write += bytes->system_write;
	sum->peer_read += bytes->peer_read;
	sum->peer_write += bytes->peer_write;
}

static void measure(struct demo *demo, struct result *result)
{
	struct nv_counters counters[2];
	struct nv_model_stats stats;
	bool has_counters = nv_counters_read(&demo->gpus[0], &counters[0]);

	result->has_bytes = nv_model_present();
	if (result->has_bytes)
		nv_model_stats(&stats);
	result->cpu_faults = cpu_faults();
	result->seconds = now();

	demo->part->move(demo);

	result->seconds = now() - result->seconds;
	result->cpu_faults = cpu_faults() - result->cpu_faults;
	if (result->has_bytes) {
		struct nv_model_stats moved;

		nv_model_stats_since(&moved, &stats);
		result->bytes = moved.ce;
		add_bytes(&result->bytes, &moved.gr);
		result->gpu_faults = moved.faults[1];
		for (int i = 0; i < 2; i++) {
			const struct nv_model_bytes *own = &moved.dma[i], *other = &moved.dma[!i];

			result->link_in[i] = own->system_read + own->peer_read + other->peer_write;
			result->link_out[i] =
				own->system_write + own->peer_write + other->peer_read;
		}
	}
	result->migrations_to_ram = demo->migrated ? demo->touched : pages_in_ram(demo);
	if (has_counters) {
		nv_counters_read(&demo->gpus[0], &counters[1]);
		result->migrations_to_ram =
			counters[1].migrated_to_ram - counters[0].migrated_to_ram;
	}
}

static size_t differs(const char *what, const void *ptr, size_t at)
{
	size_t bad = __nv_check(ptr, CHUNK, at);

	if (bad)
		fprintf(stderr, "%s: %zu words differ in the 2 MiB from %#zx\n", what, bad, at);

	return bad;
}

static bool verify(struct demo *demo)
{
	struct nv_worker *importer = &demo->importer;
	size_t bad = 0;

	if (demo->migrated && nv_private_pages(demo->ptr, demo->size) * NV_PAGE_SIZE != demo->size)
		return false;
	/* All at once, where the kernel can: else it takes a fault for each page. */
	__nv_svm_migrate_home(&demo->owner, demo->ptr, demo->size);
	for (size_t at = 0; at < demo->size; at += CHUNK) {
		if (!demo->migrated) {
			nv_ce_copy(&importer->chan, importer->ram.va, demo->dst.va + at, CHUNK);
			nv_chan_run(&importer->chan);
			bad += differs("the copy", importer->ram.map, at);
		}
		/* The source must have survived as well, or is the destination. */
		bad += differs("the source", demo->ptr + at, at);
	}

	return !bad;
}

static void print_bytes(const char *name, bool known, uint64_t bytes, bool json)
{
	printf(json ? "\"%s\": " : "%-20s", name);
	if (known)
		printf("%llu", (unsigned long long)bytes);
	else
		printf(json ? "null" : "not counted on a board");
	printf(json ? ", " : "\n");
}

static void print(const struct demo *demo, const struct result *result, bool json)
{
	const enum nv_route route = nv_route(&demo->gpus[0], &demo->gpus[1]);
	const struct nv_model_bytes *bytes = &result->bytes;
	const uint64_t peer = bytes->peer_read + bytes->peer_write;
	const bool counted = result->has_bytes;
	const bool direct =
		counted ? peer == demo->size && !bytes->system_read && !bytes->system_write
			: !result->migrations_to_ram;

	printf(json ? "{" : "");
	print_bytes("payload_bytes", true, demo->size, json);
	print_bytes("peer_bytes", counted, peer, json);
	print_bytes("ram_read_bytes", counted, bytes->system_read, json);
	print_bytes("ram_write_bytes", counted, bytes->system_write, json);
	print_bytes("gpu0_link_in_bytes", counted, result->link_in[0], json);
	print_bytes("gpu0_link_out_bytes", counted, result->link_out[0], json);
	print_bytes("gpu1_link_in_bytes", counted, result->link_in[1], json);
	print_bytes("gpu1_link_out_bytes", counted, result->link_out[1], json);
	print_bytes("gpu_faults", counted, result->gpu_faults, json);
	printf(json ? "\"cpu_faults\": %llu, \"migrations_to_ram\": %llu, \"verified\": %s, "
		      "\"route\": \"%s (%s)\", \"seconds\": %.3f}\n"
		    : "cpu_faults          %llu\n"
		      "migrations_to_ram   %llu\n"
		      "verified            %s\n"
		      "route               %s (%s)\n"
		      "seconds             %.3f\n",
	       (unsigned long long)result->cpu_faults,
	       (unsigned long long)result->migrations_to_ram, result->verified ? "true" : "false",
	       direct ? "peer" : "RAM", nv_route_name(route), result->seconds);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "part", required_argument, NULL, 'p' }, { "size", required_argument, NULL, 's' },
		{ "huge", no_argument, NULL, 'H' },	  { "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },	  {},
	};
	struct demo demo = { .size = 64ul << 20, .part = &parts[0] };
	struct result result = {};
	bool huge = false, json = false;

	for (int opt; (opt = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (opt) {
		case 'p':
			demo.part = find_part(optarg);
			break;
		case 's':
			demo.size = strtoul(optarg, NULL, 0) << 20;
			break;
		case 'H':
			huge = true;
			break;
		case 'j':
			json = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind < argc || !demo.part || !demo.size || demo.size % CHUNK ||
	    demo.size > MAX_SIZE) {
		fputs(usage, stderr);
		return 2;
	}

	/* stdout is for the result; what fails says so on stderr. */
	igt_log_level = IGT_LOG_WARN;
	prepare(&demo, huge);
	measure(&demo, &result);
	result.verified = verify(&demo);
	print(&demo, &result, json);

	return result.verified ? 0 : 1;
}
