/* SPDX-License-Identifier: MIT */
/*
 * BAR0 register router: ranges with handlers, plain registers, and the burn-down of what
 * nobody models. PRI moves 32-bit words: wider accesses are two, narrower writes merge.
 */
#include <stdlib.h>
#include <string.h>

#include "gpu.h"

#define WORDS		(BAR0_SIZE / 4)
#define RANGES_MAX	64
#define SPIN_READS	200000 /* of one register in a row, until the log names it */
#define BURN_DOWN_LINES 10000

struct word {
	u32 value;
	u16 plain;	   /* index + 1 in the table of plain registers; 0 when it is none */
	u32 reads, writes; /* as a register that nobody models */
};

struct plain {
	const char *name;
	u32 addr, reset, writable;
};

struct mmio_table {
	const struct mmio_range *range[RANGES_MAX]; /* by address */
	unsigned int range_count;
	struct plain *plain;
	size_t plain_count;
	u32 *touched; /* indices of words that nobody models */
	size_t touched_count, touched_room;
	u32 last_read;
	u64 same_reads;
	struct word word[WORDS]; /* mostly never touched, so that it costs little memory */
};

void mmio_init(struct gpu *gpu)
{
	gpu->mmio.table = calloc(1, sizeof(*gpu->mmio.table));
	if (!gpu->mmio.table)
		abort(); /* out of memory before anything runs */
}

void mmio_fini(struct gpu *gpu)
{
	free(gpu->mmio.table->touched);
	free(gpu->mmio.table->plain);
	free(gpu->mmio.table);
}

static struct word *word_at(struct gpu *gpu, u32 addr)
{
	return &gpu->mmio.table->word[addr / 4];
}

/* Errors of registration are errors of the model: they end it at start. */
static void registration_error(const char *unit, u32 addr, const char *what)
{
	fprintf(stderr, "gp100: %s register %06x: %s\n", unit, addr, what);
	abort();
}

void mmio_register(struct gpu *gpu, const struct mmio_range *range)
{
	struct mmio_table *table = gpu->mmio.table;
	unsigned int i = table->range_count;

	if (i == RANGES_MAX || range->last >= BAR0_SIZE || range->first > range->last)
		registration_error(range->unit, range->first, "no room for its range");
	for (; i && table->range[i - 1]->first > range->first; i--)
		table->range[i] = table->range[i - 1];
	table->range[i] = range;
	table->range_count++;
	if ((i && table->range[i - 1]->last >= range->first) ||
	    (i + 1 < table->range_count && table->range[i + 1]->first <= range->last))
		registration_error(range->unit, range->first, "its range overlaps another");
}

static void register_one(struct gpu *gpu, const struct mmio_plain *reg, u32 addr)
{
	struct mmio_table *table = gpu->mmio.table;
	struct word *word = word_at(gpu, addr);

	if (word->plain)
		registration_error(reg->name, addr, "registered twice");
	table->plain = realloc(table->plain, (table->plain_count + 1) * sizeof(*table->plain));
	if (!table->plain || table->plain_count == UINT16_MAX)
		abort();
	table->plain[table->plain_count++] =
		(struct plain){ reg->name, addr, reg->reset, reg->writable };
	word->plain = (u16)table->plain_count;
	word->value = reg->reset;
}

void mmio_register_plain(struct gpu *gpu, const struct mmio_plain *regs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (u32 n = 0; n < (regs[i].count ? regs[i].count : 1); n++)
			register_one(gpu, &regs[i], regs[i].addr + n * regs[i].stride);
}

void mmio_reset(struct gpu *gpu)
{
	struct mmio_table *table = gpu->mmio.table;

	for (size_t i = 0; i < table->touched_count; i++)
		table->word[table->touched[i]].value = 0;
	for (size_t i = 0; i < table->plain_count; i++)
		word_at(gpu, table->plain[i].addr)->value = table->plain[i].reset;
}

u32 mmio_peek(struct gpu *gpu, u32 addr)
{
	return word_at(gpu, addr)->value;
}

static struct word *touch(struct gpu *gpu, u32 addr)
{
	struct mmio_table *table = gpu->mmio.table;
	struct word *word = word_at(gpu, addr);
	u32 *grown;

	if (word->reads || word->writes)
		return word;
	if (table->touched_count == table->touched_room) {
		table->touched_room = table->touched_room ? 2 * table->touched_room : 64;
		grown = realloc(table->touched, table->touched_room * sizeof(*grown));
		if (!grown)
			abort();
		table->touched = grown;
	}
	table->touched[table->touched_count++] = addr / 4;
	return word;
}

u32 mmio_unmodelled_read(struct gpu *gpu, u32 addr)
{
	struct word *word = touch(gpu, addr);

	if (word->reads < UINT32_MAX)
		word->reads++;
	return word->value;
}

void mmio_unmodelled_write(struct gpu *gpu, u32 addr, u32 val)
{
	struct word *word = touch(gpu, addr);

	if (word->writes < UINT32_MAX)
		word->writes++;
	word->value = val;
}

static const struct mmio_range *find_range(const struct mmio_table *table, u32 addr)
{
	unsigned int low = 0, high = table->range_count;

	while (low < high) {
		unsigned int mid = (low + high) / 2;

		if (addr > table->range[mid]->last)
			low = mid + 1;
		else
			high = mid;
	}
	return low < table->range_count && addr >= table->range[low]->first ? table->range[low]
									    : NULL;
}

static u32 read32(struct gpu *gpu, u32 addr)
{
	const struct mmio_range *range;

	if (word_at(gpu, addr)->plain)
		return word_at(gpu, addr)->value;
	range = find_range(gpu->mmio.table, addr);
	return range ? range->read(gpu, addr) : mmio_unmodelled_read(gpu, addr);
}

static void write32(struct gpu *gpu, u32 addr, u32 val)
{
	struct word *word = word_at(gpu, addr);
	const struct mmio_range *range;

	if (word->plain) {
		u32 writable = gpu->mmio.table->plain[word->plain - 1].writable;

		word->value = (word->value & ~writable) | (val & writable);
		return;
	}
	range = find_range(gpu->mmio.table, addr);
	if (range)
		range->write(gpu, addr, val);
	else
		mmio_unmodelled_write(gpu, addr, val);
}

void mmio_hold(struct gpu *gpu, u32 addr, u32 us)
{
	gpu->mmio.hold_addr = addr;
	gpu->mmio.hold_us = us;
}

u32 mmio_held(struct gpu *gpu)
{
	u32 us = gpu->mmio.held_us;

	gpu->mmio.held_us = 0;
	return us;
}

static void hold(struct gpu *gpu, u32 addr, unsigned int size)
{
	if (!gpu->mmio.hold_us || gpu->mmio.hold_addr - addr >= size)
		return;
	gpu->mmio.held_us = gpu->mmio.hold_us;
	gpu->mmio.hold_us = 0;
}

/* A guest that polls one register for seconds is stuck: say on what. */
static void watch(struct gpu *gpu, u32 addr)
{
	struct mmio_table *table = gpu->mmio.table;

	if (addr != table->last_read) {
		table->last_read = addr;
		table->same_reads = 0;
	} else if (++table->same_reads == SPIN_READS) {
		gpu_log(gpu, GPU_WARN, "the guest spins on register %06x", addr);
	}
}

u64 mmio_read(struct gpu *gpu, u32 addr, unsigned int size)
{
	u64 val;

	if (addr > BAR0_SIZE - size)
		return ~UINT64_C(0);
	gpu->mmio.reads++;
	hold(gpu, addr, size);
	watch(gpu, addr);
	val = read32(gpu, addr & ~3u);
	if (size == 8)
		val |= (u64)read32(gpu, addr + 4) << 32;
	else if (size < 4)
		val = bits(val >> 8 * (addr & 3), 8 * size - 1, 0);
	return val;
}

void mmio_write(struct gpu *gpu, u32 addr, u64 val, unsigned int size)
{
	u32 word = addr & ~3u, mask;

	if (addr > BAR0_SIZE - size)
		return;
	gpu->mmio.writes++;
	hold(gpu, addr, size);
	gpu->mmio.table->last_read = ~0u;
	if (size == 8) {
		write32(gpu, word, (u32)val);
		write32(gpu, word + 4, (u32)(val >> 32));
	} else if (size == 4) {
		write32(gpu, word, (u32)val);
	} else {
		mask = (BIT(8 * size) - 1) << 8 * (addr & 3);
		write32(gpu, word,
			(read32(gpu, word) & ~mask) | ((u32)val << 8 * (addr & 3) & mask));
	}
}

static int by_index(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

unsigned int mmio_burn_down(struct gpu *gpu, FILE *out)
{
	struct mmio_table *table = gpu->mmio.table;

	if (table->touched_count)
		qsort(table->touched, table->touched_count, sizeof(*table->touched), by_index);
	for (size_t i = 0; i < table->touched_count && i < BURN_DOWN_LINES; i++) {
		u32 addr = 4 * table->touched[i];
		const struct word *word = word_at(gpu, addr);
		const struct mmio_range *range = find_range(table, addr);

		fprintf(out, "GPU %u: unmodelled register %06x (%s): %u reads, %u writes, %08x\n",
			gpu->config.index, addr, range ? range->unit : "no unit", word->reads,
			word->writes, word->value);
	}
	if (table->touched_count > BURN_DOWN_LINES)
		fprintf(out, "GPU %u: and %zu more\n", gpu->config.index,
			table->touched_count - BURN_DOWN_LINES);
	return (unsigned int)table->touched_count;
}
