// SPDX-License-Identifier: MIT
/*
 * How fast, and by which way, GPUs of nouveau use this process's memory: in RAM, in their own VRAM,
 * and in each other's. One table of cases, each measured for every GPU or every pair of GPUs, with
 * peer-to-peer on and off. All data is verified.
 */
#include <getopt.h>
#include <math.h>

#include "igt.h"
#include "nouveau_drm.h"
#include "nouveau/nv_ce.h"
#include "nouveau/nv_compute.h"
#include "nouveau/nv_device.h"
#include "nouveau/nv_model.h"
#include "nouveau/nv_svm.h"
#include "nouveau/nv_worker.h"
#include "nv_report.h"

#define KiB	    1024ul
#define MiB	    (1024 * KiB)
#define CHUNK	    NV_WORKER_SIZE
#define MAX_SIZE    1024 /* MiB */
#define MAX_SAMPLES 99
#define WAIT_MS	    120000
#define RAM	    (-1)

#define EXIT_MISMATCH 1
#define EXIT_USAGE    2
#define EXIT_NOTHING  77

/* A GPU at work, and where its VRAM takes what it reads. */
struct node {
	struct nv_worker worker;
	struct nv_compute compute;
	struct nv_bo vram;
};

static struct {
	struct nv_gpu gpus[NV_MAX_GPUS];
	struct node nodes[NV_MAX_GPUS];
	int nr_gpus;
	bool prefetch;
	int p2p_param; /* as it was before */
	size_t size;
	int samples;
	bool huge;
	bool json;
	uint32_t seed;	/* of the latest buffer */
	bool wrong;	/* the latest data */
	bool any_wrong; /* any data */
} bench;

/* What a measurement found, beside the time; NAN: nobody counted. */
static struct {
	double start, seconds;
	struct nv_model_stats before;
	double peer, ram_read, ram_write; /* bytes that GPUs moved so, a byte of payload */
	double faults;			  /* of one GPU */
	double to_ram;			  /* pages that left VRAM for RAM, of 2 MiB */
	bool direct;
} measured;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);

	return ts.tv_sec + ts.tv_nsec * 1e-9;
}

static void start(void)
{
	if (nv_model_present())
		nv_model_stats(&measured.before);
	measured.start = now();
}

static void add_bytes(const struct nv_model_bytes *bytes, double payload)
{
	measured.peer += (bytes->peer_read + bytes->peer_write) / payload;
	measured.ram_read += bytes->system_read / payload;
	measured.ram_write += bytes->system_write / payload;
}

/* Returns: the seconds since start(). */
static double stop(size_t payload)
{
	struct nv_model_stats moved;

	measured.seconds = now() - measured.start;
	if (nv_model_present()) {
		nv_model_stats_since(&moved, &measured.before);
		measured.peer = measured.ram_read = measured.ram_write = 0;
		add_bytes(&moved.ce, payload);
		add_bytes(&moved.gr, payload);
	}

	return measured.seconds;
}

static double gb_per_second(size_t payload)
{
	return payload / stop(payload) / 1e9;
}

/* Buffers: patterns that no earlier buffer had */

static void fill(char *ptr, size_t len)
{
	for (size_t at = 0; at < len; at += CHUNK)
		nv_fill(ptr + at, CHUNK, bench.seed + at / CHUNK);
}

static void check(const void *ptr, size_t at)
{
	const size_t bad = __nv_check(ptr, CHUNK, bench.seed + at / CHUNK);

	if (!bad)
		return;
	fprintf(stderr, "nv_svm_bench: %zu words of 2 MiB at %#zx are wrong\n", bad, at);
	bench.wrong = true;
}

/* @len bytes in RAM or in the VRAM of the GPU @where. */
static char *buffer(int where, size_t len)
{
	char *ptr = (char *)(bench.huge ? nv_alloc_huge(len) : nv_alloc(len));

	bench.seed += 2 * MAX_SIZE * MiB / CHUNK;
	fill(ptr, len);
	if (where != RAM) {
		nv_svm_migrate(&bench.nodes[where].worker.svm, ptr, len);
		nv_assert_private(ptr, len);
	}

	return ptr;
}

/* Pages of 2 MiB of it that are not in VRAM. */
static double pages_in_ram(const char *ptr, size_t len)
{
	const size_t pages = len / NV_PAGE_SIZE;

	return (double)(pages - nv_private_pages(ptr, len)) / (len / CHUNK);
}

/* The CPU looks at it, so it comes to RAM. */
static void check_buffer(char *ptr, size_t len)
{
	for (size_t at = 0; at < len; at += CHUNK)
		check(ptr + at, at);
	munmap(ptr, len);
}

/* A thousand faults of an emulated GPU take seconds. */
static void finish(struct nv_chan *chan)
{
	igt_assert_eq(__nv_chan_submit(chan), 0);
	igt_assert_eq(__nv_chan_wait(chan, WAIT_MS), 0);
}

static void copy_chunks(struct node *node, uint64_t dst, uint64_t src)
{
	for (size_t at = 0; at < bench.size; at += CHUNK)
		nv_ce_copy(&node->worker.chan, dst + at, src + at, CHUNK);
}

static void copy(struct node *node, uint64_t dst, uint64_t src)
{
	copy_chunks(node, dst, src);
	finish(&node->worker.chan);
}

static void fill_vram(struct node *node)
{
	struct nv_worker *worker = &node->worker;

	bench.seed += 2 * MAX_SIZE * MiB / CHUNK;
	for (size_t at = 0; at < bench.size; at += CHUNK) {
		nv_fill(worker->ram.map, CHUNK, bench.seed + at / CHUNK);
		nv_ce_copy(&worker->chan, node->vram.va + at, worker->ram.va, CHUNK);
		finish(&worker->chan);
	}
}

static void check_vram(struct node *node)
{
	struct nv_worker *worker = &node->worker;

	for (size_t at = 0; at < bench.size; at += CHUNK) {
		nv_ce_copy(&worker->chan, worker->ram.va, node->vram.va + at, CHUNK);
		finish(&worker->chan);
		check(worker->ram.map, at);
	}
}

/*
 * The driver gives up what takes it a second, as bringing pages to RAM may; to ask again goes on.
 */
static void map(struct node *node, const void *ptr, size_t len)
{
	uint64_t pages = 0;

	for (int i = 0; i < 100 && pages != len / NV_PAGE_SIZE; i++)
		pages = nv_svm_prefetch(&node->worker.svm, ptr, len);
	igt_assert_eq_u64(pages, len / NV_PAGE_SIZE);
}

/* Bandwidth. To map the pages is part of it, and where they cannot be mapped, to move them. */

static double read_ce(int row, int column)
{
	struct node *node = &bench.nodes[row];
	char *ptr = buffer(column, bench.size);
	double value;

	start();
	map(node, ptr, bench.size);
	copy(node, node->vram.va, (uintptr_t)ptr);
	value = gb_per_second(bench.size);
	measured.to_ram = pages_in_ram(ptr, bench.size);
	check_vram(node);
	check_buffer(ptr, bench.size);

	return value;
}

static double write_ce(int row, int column)
{
	struct node *node = &bench.nodes[row];
	char *ptr = buffer(column, bench.size);
	double value;

	fill_vram(node);
	start();
	map(node, ptr, bench.size);
	copy(node, (uintptr_t)ptr, node->vram.va);
	value = gb_per_second(bench.size);
	measured.to_ram = pages_in_ram(ptr, bench.size);
	check_buffer(ptr, bench.size);

	return value;
}

static double read_ram_ce(int row, int column)
{
	return read_ce(column, RAM);
}

static double write_ram_ce(int row, int column)
{
	return write_ce(column, RAM);
}

/* Two GPUs read from each other at once. */
static double bidirectional_ce(int row, int column)
{
	struct node *nodes[] = { &bench.nodes[row], &bench.nodes[column] };
	const int from[] = { column, row };
	uint32_t seeds[2];
	char *ptrs[2];
	double value;

	if (row == column)
		return NAN;
	for (int i = 0; i < 2; i++) {
		ptrs[i] = buffer(from[i], bench.size);
		seeds[i] = bench.seed;
	}
	start();
	for (int i = 0; i < 2; i++) {
		map(nodes[i], ptrs[i], bench.size);
		copy_chunks(nodes[i], nodes[i]->vram.va, (uintptr_t)ptrs[i]);
	}
	for (int i = 0; i < 2; i++)
		igt_assert_eq(__nv_chan_submit(&nodes[i]->worker.chan), 0);
	for (int i = 0; i < 2; i++)
		igt_assert_eq(__nv_chan_wait(&nodes[i]->worker.chan, WAIT_MS), 0);
	value = gb_per_second(2 * bench.size);
	measured.to_ram =
		(pages_in_ram(ptrs[0], bench.size) + pages_in_ram(ptrs[1], bench.size)) / 2;
	for (int i = 0; i < 2; i++) {
		bench.seed = seeds[i];
		check_vram(nodes[i]);
		check_buffer(ptrs[i], bench.size);
	}
	bench.seed = seeds[1];

	return value;
}

static void copy_sm(struct node *node, uint64_t dst, uint64_t src)
{
	const struct nv_kernel_args args = {
		.dst = dst,
		.src = src,
		.dst_shift = 2,
		.src_shift = 2,
	};

	nv_compute_grid(&node->compute, &nv_kernel_copy, bench.size / sizeof(uint32_t), &args);
	finish(&node->compute.chan);
}

static double read_sm(int row, int column)
{
	struct node *node = &bench.nodes[row];
	char *ptr = buffer(column, bench.size);
	double value;

	start();
	copy_sm(node, node->vram.va, (uintptr_t)ptr);
	value = gb_per_second(bench.size);
	measured.to_ram = pages_in_ram(ptr, bench.size);
	check_vram(node);
	check_buffer(ptr, bench.size);

	return value;
}

static double write_sm(int row, int column)
{
	struct node *node = &bench.nodes[row];
	char *ptr = buffer(column, bench.size);
	double value;

	fill_vram(node);
	start();
	copy_sm(node, (uintptr_t)ptr, node->vram.va);
	value = gb_per_second(bench.size);
	measured.to_ram = pages_in_ram(ptr, bench.size);
	check_buffer(ptr, bench.size);

	return value;
}

/* One warp, which waits for each load before it makes the next one */

/* Reads a word each 1 << @shift bytes, and checks their sum. */
static void sum_words(struct node *node, const char *ptr, size_t at, unsigned int shift,
		      unsigned int count)
{
	const volatile uint32_t *sums = node->worker.ram.map;
	const struct nv_kernel_args args = {
		.dst = node->worker.ram.va,
		.src = (uintptr_t)ptr + at,
		.dst_shift = 2,
		.src_shift = shift,
		.count = count,
	};
	uint32_t is = 0, want = 0, word;

	nv_compute_grid(&node->compute, &nv_kernel_sum_all, NV_COMPUTE_BLOCK, &args);
	finish(&node->compute.chan);
	for (int i = 0; i < NV_COMPUTE_BLOCK; i++)
		is += sums[i];
	for (unsigned int i = 0; i < count; i++) {
		word = (at + ((size_t)i << shift)) / sizeof(word);
		want += nv_pattern(bench.seed, word);
	}
	if (is != want) {
		fprintf(stderr, "nv_svm_bench: the sum of %u words is %#x instead of %#x\n", count,
			is, want);
		bench.wrong = true;
	}
}

#define LINES	   2048u /* of 128 bytes, one load of a warp each */
#define LINE	   128
#define WARP_SHIFT 7 /* a word in each of 32 lines: one page a load */

/* Microseconds of one load, from what more loads take longer. */
static double latency(int row, int column)
{
	struct node *node = &bench.nodes[row];
	char *ptr = buffer(column, CHUNK);
	const size_t half = CHUNK / 2;
	double few, many;

	sum_words(node, ptr, 0, 12, CHUNK / NV_PAGE_SIZE);
	start();
	sum_words(node, ptr, 0, 2, LINES / 4 * NV_COMPUTE_BLOCK);
	few = stop(LINES / 4 * LINE);
	start();
	sum_words(node, ptr, half, 2, LINES * NV_COMPUTE_BLOCK);
	many = stop(LINES * LINE);
	check_buffer(ptr, CHUNK);

	return (many - few) * 1e6 / (LINES - LINES / 4);
}

static double latency_ram(int row, int column)
{
	return latency(column, RAM);
}

/* Of @gpu so far. The model counts whatever the driver does. */
static double faults_of(int gpu)
{
	struct nv_counters counters;
	struct nv_model_stats stats;

	if (nv_model_present()) {
		nv_model_stats(&stats);
		return stats.faults[gpu];
	}

	return nv_counters_read(&bench.gpus[gpu], &counters) ? counters.gpu_faults : NAN;
}

/* Microseconds a page, of the first touch of 2 MiB in order. */
static double first_touch(int row, int column)
{
	const unsigned int pages = CHUNK / NV_PAGE_SIZE;
	struct node *node = &bench.nodes[row];
	char *ptr = buffer(column, CHUNK);
	const double before = faults_of(row);
	double value;

	start();
	sum_words(node, ptr, 0, WARP_SHIFT, pages * NV_COMPUTE_BLOCK);
	value = stop(CHUNK) * 1e6 / pages;
	measured.faults = faults_of(row) - before;
	measured.to_ram = pages_in_ram(ptr, CHUNK);
	check_buffer(ptr, CHUNK);

	return value;
}

static double first_touch_ram(int row, int column)
{
	return first_touch(column, RAM);
}

/* Migration */

static void touch(const char *ptr, size_t len)
{
	for (size_t at = 0; at < len; at += NV_PAGE_SIZE)
		*(const volatile char *)(ptr + at);
}

static double to_device(int row, int column)
{
	char *ptr = buffer(RAM, bench.size);
	double value;

	start();
	nv_svm_migrate(&bench.nodes[column].worker.svm, ptr, bench.size);
	value = gb_per_second(bench.size);
	nv_assert_private(ptr, bench.size);
	check_buffer(ptr, bench.size);

	return value;
}

static double to_host(int row, int column)
{
	char *ptr = buffer(column, bench.size);
	double value;

	start();
	touch(ptr, bench.size);
	value = gb_per_second(bench.size);
	nv_assert_ram(ptr, bench.size);
	check_buffer(ptr, bench.size);

	return value;
}

/* All 0 where the driver does not count. */
static struct nv_counters counters_of(int gpu)
{
	struct nv_counters counters = {};

	nv_counters_read(&bench.gpus[gpu], &counters);

	return counters;
}

/* Where SVM_BIND leaves pages of another GPU alone, the CPU has to touch them first. */
static double to_other_device(int row, int column)
{
	const uint64_t pages = bench.size / NV_PAGE_SIZE;
	struct nv_svm *svm = &bench.nodes[row].worker.svm;
	struct nv_counters was, is, owner;
	double value;
	char *ptr;

	if (row == column)
		return NAN;
	ptr = buffer(column, bench.size);
	was = counters_of(row);
	owner = counters_of(column);
	start();
	nv_svm_migrate(svm, ptr, bench.size);
	is = counters_of(row);
	measured.direct = is.migrated_from_peer - was.migrated_from_peer == pages;
	if (is.migrated_to_vram - was.migrated_to_vram < pages) {
		touch(ptr, bench.size);
		measured.to_ram = pages_in_ram(ptr, bench.size);
		nv_svm_migrate(svm, ptr, bench.size);
	} else {
		measured.to_ram = counters_of(column).migrated_to_ram - owner.migrated_to_ram;
		measured.to_ram /= bench.size / CHUNK;
	}
	value = gb_per_second(bench.size);
	nv_assert_private(ptr, bench.size);
	check_buffer(ptr, bench.size);

	return value;
}

/* Routes */

/* Does a page stay in the owner's VRAM when the importer maps it? */
static double can_map(int row, int column)
{
	const size_t len = CHUNK;
	bool stays;
	char *ptr;

	if (row == column)
		return 1;
	ptr = buffer(column, len);
	map(&bench.nodes[row], ptr, len);
	stays = nv_private_pages(ptr, len) == len / NV_PAGE_SIZE;
	check_buffer(ptr, len);

	return stays;
}

static void measure_pair(struct report_pair *pair)
{
	const struct nv_gpu *owner = &bench.gpus[pair->owner];
	const struct nv_gpu *importer = &bench.gpus[pair->importer];

	pair->route = nv_route(owner, importer);
	pair->p2p = bench.prefetch && can_map(pair->importer, pair->owner);
	nv_p2p_reason(owner, importer, pair->p2p, pair->reason, sizeof(pair->reason));
}

static void report_all_pairs(void)
{
	struct report_pair pairs[NV_MAX_GPUS * NV_MAX_GPUS];
	int nr_pairs = 0;

	for (int importer = 0; importer < bench.nr_gpus; importer++) {
		for (int owner = 0; owner < bench.nr_gpus; owner++) {
			if (importer == owner)
				continue;
			pairs[nr_pairs] =
				(struct report_pair){ .owner = owner, .importer = importer };
			measure_pair(&pairs[nr_pairs++]);
		}
	}
	report_pairs(pairs, nr_pairs);
}

static void topo(void)
{
	struct report_case c = {
		.name = "topology",
		.description = "Route between GPU(row) and GPU(column): PIX a common PCIe switch, "
			       "PHB one host bridge, SYS neither",
		.p2p = REPORT_P2P_ANY,
		.rows = bench.nr_gpus,
		.columns = bench.nr_gpus,
	};

	for (int row = 0; row < bench.nr_gpus; row++)
		for (int column = 0; column < bench.nr_gpus; column++)
			c.text[row][column] =
				row == column ? "X"
					      : nv_route_name(nv_route(&bench.gpus[row],
								       &bench.gpus[column]));
	report_case(&c);
}

/* Cases */

enum case_flags {
	PAIRS = 1,     /* rows are GPUs, too; otherwise there is one, for RAM */
	NEED_MAP = 2,  /* pages must be mapped in advance, for a copy engine */
	BANDWIDTH = 4, /* has a sum, and bytes that cross links */
	FAULTS = 8,    /* counts faults */
	MOVES = 16,    /* tells whether pages moved directly */
	NO_TIME = 32,  /* one measurement is enough */
};

static const struct bench_case {
	const char *command;
	const char *name;
	const char *description;
	const char *unit;
	double (*measure)(int row, int column);
	unsigned int flags;
} cases[] = {
	{ "access", "device_can_access_peer", "GPU(row) maps VRAM of GPU(column) where it is",
	  "1: yes, 0: no", can_map, PAIRS | NEED_MAP | NO_TIME },

	{ "bw", "host_to_device_memcpy_ce", "memcpy CE CPU(row) -> GPU(column) bandwidth", "GB/s",
	  read_ram_ce, NEED_MAP | BANDWIDTH },
	{ "bw", "device_to_host_memcpy_ce", "memcpy CE CPU(row) <- GPU(column) bandwidth", "GB/s",
	  write_ram_ce, NEED_MAP | BANDWIDTH },
	{ "bw", "device_to_device_memcpy_read_ce",
	  "memcpy CE GPU(row) <- GPU(column) bandwidth, GPU(row) reads", "GB/s", read_ce,
	  PAIRS | NEED_MAP | BANDWIDTH },
	{ "bw", "device_to_device_memcpy_write_ce",
	  "memcpy CE GPU(row) -> GPU(column) bandwidth, GPU(row) writes", "GB/s", write_ce,
	  PAIRS | NEED_MAP | BANDWIDTH },
	{ "bw", "device_to_device_bidirectional_memcpy_read_ce",
	  "memcpy CE GPU(row) <-> GPU(column) bandwidth, both read at once", "GB/s",
	  bidirectional_ce, PAIRS | NEED_MAP | BANDWIDTH },
	{ "bw", "device_to_device_memcpy_read_sm",
	  "memcpy SM GPU(row) <- GPU(column) bandwidth, shaders of GPU(row) read", "GB/s", read_sm,
	  PAIRS | BANDWIDTH },
	{ "bw", "device_to_device_memcpy_write_sm",
	  "memcpy SM GPU(row) -> GPU(column) bandwidth, shaders of GPU(row) write", "GB/s",
	  write_sm, PAIRS | BANDWIDTH },

	{ "lat", "host_device_latency_sm", "Load latency SM CPU(row) <- GPU(column)", "us",
	  latency_ram, 0 },
	{ "lat", "device_to_device_latency_sm",
	  "Load latency SM GPU(row) <- GPU(column), VRAM of GPU(column)", "us", latency, PAIRS },

	{ "fault", "host_device_fault_sm", "First touch of pages in CPU(row) by GPU(column)",
	  "us a page", first_touch_ram, FAULTS },
	{ "fault", "device_to_device_fault_sm",
	  "First touch by GPU(row) of pages in VRAM of GPU(column)", "us a page", first_touch,
	  PAIRS | FAULTS },

	{ "migrate", "host_to_device_migrate", "SVM_BIND CPU(row) -> GPU(column) bandwidth", "GB/s",
	  to_device, BANDWIDTH },
	{ "migrate", "device_to_host_migrate", "CPU faults CPU(row) <- GPU(column) bandwidth",
	  "GB/s", to_host, BANDWIDTH },
	{ "migrate", "device_to_device_migrate",
	  "SVM_BIND GPU(row) <- GPU(column) bandwidth, after the CPU touched what it left", "GB/s",
	  to_other_device, PAIRS | BANDWIDTH | MOVES },
};

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(const struct bench_case *bc, int row, int column)
{
	const int samples = bc->flags & NO_TIME ? 1 : bench.samples;
	double values[MAX_SAMPLES];

	for (int i = 0; i < samples; i++) {
		measured.peer = measured.ram_read = measured.ram_write = NAN;
		measured.faults = measured.to_ram = NAN;
		values[i] = bc->measure(row, column);
		if (isnan(values[i]))
			return NAN;
	}
	qsort(values, samples, sizeof(values[0]), compare);

	return values[samples / 2];
}

static bool has_values(const struct report_case *c)
{
	for (int row = 0; row < c->rows; row++)
		for (int column = 0; column < c->columns; column++)
			if (!isnan(c->value[row][column]))
				return true;

	return false;
}

static void report_extra(const struct report_case *time, struct report_case *extra,
			 const char *suffix, const char *description, const char *unit)
{
	char name[REPORT_TEXT];

	snprintf(name, sizeof(name), "%s_%s", time->name, suffix);
	extra->name = name;
	extra->description = description;
	extra->unit = unit;
	extra->p2p = time->p2p;
	extra->status = time->status;
	extra->rows = time->rows;
	extra->columns = time->columns;
	if (has_values(extra))
		report_case(extra);
}

static void run_case(const struct bench_case *bc, enum report_p2p p2p)
{
	struct report_case c = {
		.name = bc->name,
		.description = bc->description,
		.unit = bc->unit,
		.p2p = p2p,
		.rows = bc->flags & PAIRS ? bench.nr_gpus : 1,
		.columns = bench.nr_gpus,
		.sum = bc->flags & BANDWIDTH,
	};
	struct report_case crossings = {}, peer = {}, ram_read = {}, ram_write = {};
	struct report_case faults = {}, to_ram = {}, direct = {};

	if (bc->flags & NEED_MAP && !bench.prefetch) {
		c.status = REPORT_WAIVED;
		c.waived = "this kernel has no PREFETCH to map pages";
		report_case(&c);
		return;
	}
	bench.wrong = false;
	for (int row = 0; row < c.rows; row++) {
		for (int column = 0; column < c.columns; column++) {
			const double value = median(bc, row, column);

			c.value[row][column] = value;
			peer.value[row][column] = measured.peer;
			ram_read.value[row][column] = measured.ram_read;
			ram_write.value[row][column] = measured.ram_write;
			crossings.value[row][column] =
				measured.peer + measured.ram_read + measured.ram_write;
			faults.value[row][column] = measured.faults;
			to_ram.value[row][column] = measured.to_ram;
			direct.value[row][column] = isnan(value) ? NAN : measured.direct;
		}
	}
	c.status = bench.wrong ? REPORT_ERROR : REPORT_PASSED;
	bench.any_wrong |= bench.wrong;
	if (!has_values(&c)) {
		c.status = REPORT_WAIVED;
		c.waived = "needs two GPUs";
	}
	report_case(&c);
	if (bc->flags & BANDWIDTH) {
		report_extra(&c, &crossings, "crossings", "Bytes on PCIe links",
			     "a byte of payload");
		report_extra(&c, &peer, "peer_bytes", "Of these between GPUs", "a byte of payload");
		report_extra(&c, &ram_read, "ram_read_bytes", "Of these read from RAM",
			     "a byte of payload");
		report_extra(&c, &ram_write, "ram_write_bytes", "Of these written to RAM",
			     "a byte of payload");
	}
	if (bc->flags & FAULTS)
		report_extra(&c, &faults, "count", "Faults in 2 MiB", "faults");
	if (bc->flags & PAIRS && bc->flags & (BANDWIDTH | FAULTS))
		report_extra(&c, &to_ram, "to_ram", "Pages of 2 MiB that went from VRAM to RAM",
			     "pages");
	if (bc->flags & MOVES)
		report_extra(&c, &direct, "direct",
			     "Pages moved from VRAM to VRAM by SVM_BIND alone", "1: yes, 0: no");
}

/* What does not touch another GPU's VRAM is the same with peer-to-peer on and off. */
static void run_p2p_modes(const struct bench_case *bc)
{
	if (!(bc->flags & PAIRS)) {
		run_case(bc, REPORT_P2P_ANY);
		return;
	}
	if (bench.p2p_param < 0) {
		run_case(bc, REPORT_P2P_OFF);
		return;
	}
	nv_p2p_param_set(true);
	run_case(bc, REPORT_P2P_ON);
	nv_p2p_param_set(false);
	run_case(bc, REPORT_P2P_OFF);
	nv_p2p_param_set(bench.p2p_param);
}

static void restore_param(int sig)
{
	if (bench.p2p_param >= 0)
		nv_p2p_param_set(bench.p2p_param);
}

static void run_command(const char *command)
{
	if (!strcmp(command, "topo"))
		topo();
	for (int i = 0; i < ARRAY_SIZE(cases); i++)
		if (!strcmp(cases[i].command, command))
			run_p2p_modes(&cases[i]);
}

/* Command line */

static const char *const commands[] = { "topo", "access", "bw", "lat", "fault", "migrate" };

static const char usage[] =
	"Usage: nv_svm_bench [OPTION...] COMMAND...\n"
	"How Pascal GPUs of nouveau use memory of a process, in RAM and in each other's VRAM, with\n"
	"peer-to-peer on and off; needs root. All data is verified.\n"
	"\n"
	"  topo     how the GPUs are connected, and why a pair has no peer-to-peer\n"
	"  access   which GPU can map the VRAM of which other GPU\n"
	"  bw       bandwidth of copy engines and shaders\n"
	"  lat      latency of loads of shaders\n"
	"  fault    time and number of faults when a shader touches pages for the first time\n"
	"  migrate  bandwidth of migration\n"
	"\n"
	"  --size MIB   memory a measurement, an even number up to 1024 (64; in a model 4)\n"
	"  --samples N  the median of N measurements, up to 99 (3; in a model 1)\n"
	"  --huge       in huge pages\n"
	"  --json       one JSON object, with the fields of nvbandwidth's\n"
	"\n"
	"Status: 0 done, 1 data was wrong, 2 a wrong argument, 77 nothing to run, else an error.\n";

static void __attribute__((noreturn, format(printf, 1, 2))) wrong_usage(const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "nv_svm_bench: ");
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, "; --help tells more\n");
	exit(EXIT_USAGE);
}

static unsigned long number(const char *name, unsigned long step, unsigned long most)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(optarg, &end, 10);
	if (errno || end == optarg || *end || *optarg == '-' || !value || value > most ||
	    value % step)
		wrong_usage("--%s %s: %s number from %lu to %lu is wanted", name, optarg,
			    step == 1 ? "a" : "an even", step, most);

	return value;
}

static bool is_command(const char *text)
{
	for (int i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(text, commands[i]))
			return true;

	return false;
}

static void parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "size", required_argument, NULL, 's' },
		{ "samples", required_argument, NULL, 'n' },
		{ "huge", no_argument, NULL, 'H' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};

	for (int opt; (opt = getopt_long(argc, argv, ":", options, NULL)) != -1;) {
		switch (opt) {
		case 's':
			bench.size = number("size", 2, MAX_SIZE) * MiB;
			break;
		case 'n':
			bench.samples = number("samples", 1, MAX_SAMPLES);
			break;
		case 'H':
			bench.huge = true;
			break;
		case 'j':
			bench.json = true;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		case ':':
			wrong_usage("%s wants a value", argv[optind - 1]);
		default:
			wrong_usage("%s is no option", argv[optind - 1]);
		}
	}
	if (optind == argc)
		wrong_usage("no command: topo, access, bw, lat, fault or migrate");
	for (int i = optind; i < argc; i++)
		if (!is_command(argv[i]))
			wrong_usage("%s is no command: topo, access, bw, lat, fault or migrate",
				    argv[i]);
}

static void node_create(struct node *node, const struct nv_gpu *gpu)
{
	nv_worker_create(&node->worker, gpu);
	nv_compute_create(&node->compute, node->worker.svm.fd, gpu->chipset);
	nv_bo_create(&node->vram, node->worker.svm.fd, bench.size, NOUVEAU_GEM_DOMAIN_VRAM);
	nv_chan_attach(&node->worker.chan, &node->vram);
	nv_chan_attach(&node->compute.chan, &node->vram);
	nv_chan_attach(&node->compute.chan, &node->worker.ram);
}

static void open_gpus(void)
{
	for (int i = 0; bench.nr_gpus < NV_MAX_GPUS; i++) {
		struct nv_gpu *gpu = &bench.gpus[bench.nr_gpus];

		if (!__nv_gpu_open(gpu, i))
			break;
		if (nv_is_pascal(gpu))
			bench.nr_gpus++;
		else
			nv_gpu_close(gpu);
	}
	if (!bench.nr_gpus) {
		fprintf(stderr, "nv_svm_bench: no Pascal GPU that nouveau drives\n");
		exit(EXIT_NOTHING);
	}
}

int main(int argc, char **argv)
{
	char all[REPORT_TEXT] = "";

	parse(argc, argv);
	/* stdout is for the result; what fails says so on stderr. */
	igt_log_level = IGT_LOG_WARN;
	open_gpus();
	nv_require_pagemap();
	bench.size = bench.size ?: (nv_model_present() ? 4 : 64) * MiB;
	bench.samples = bench.samples ?: nv_model_present() ? 1 : 3;
	bench.p2p_param = nv_p2p_param_get();
	igt_install_exit_handler(restore_param);
	for (int i = 0; i < bench.nr_gpus; i++)
		node_create(&bench.nodes[i], &bench.gpus[i]);
	bench.prefetch = nv_svm_has_prefetch(&bench.nodes[0].worker.svm);

	for (int i = optind; i < argc; i++)
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", *all ? " " : "",
			 argv[i]);
	report_begin(bench.json, all, bench.gpus, bench.nr_gpus);
	report_all_pairs();
	for (int i = optind; i < argc; i++)
		run_command(argv[i]);
	report_end(!bench.any_wrong);

	return bench.any_wrong ? EXIT_MISMATCH : 0;
}
