// SPDX-License-Identifier: GPL-2.0
/*
 * bench_mm: counts what device-private memory costs the kernel it is loaded in.
 * A device with no memory at all: what it holds is lost, so that only the kernel's
 * own work is in what is counted.
 */
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/hmm.h>
#include <linux/memremap.h>
#include <linux/migrate.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/timex.h>

#include "bench.h"
#include "private_pages.h"

static DEFINE_MUTEX(bench_lock);
static struct dev_pagemap *device_memory;
static unsigned long device_pages; /* that were populated */
static atomic_long_t pages_in_use;

static void folio_free(struct folio *folio)
{
	atomic_long_sub(folio_nr_pages(folio), &pages_in_use);
}

/* The program takes its pages back before it looks at them. */
static vm_fault_t migrate_to_ram(struct vm_fault *vmf)
{
	return VM_FAULT_SIGBUS;
}

static const struct dev_pagemap_ops device_ops = {
	.folio_free = folio_free,
	.migrate_to_ram = migrate_to_ram,
};

static int bench_register(struct bench_memory *memory)
{
	u64 start;
	int ret;

	if (device_memory)
		return -EINVAL;
	device_memory = kzalloc(sizeof(*device_memory), GFP_KERNEL);
	if (!device_memory)
		return -ENOMEM;
	device_memory->type = MEMORY_DEVICE_PRIVATE;
	device_memory->ops = &device_ops;
	device_memory->owner = &device_memory;

	start = ktime_get_ns();
	ret = private_register(device_memory, memory->pages);
	memory->ns = ktime_get_ns() - start;
	if (ret) {
		kfree(device_memory);
		device_memory = NULL;
	}
	return ret;
}

static int bench_populate(struct bench_memory *memory)
{
	u64 start;
	int ret;

	if (!device_memory || device_pages)
		return -EINVAL;
	start = ktime_get_ns();
	ret = private_populate(device_memory, memory->pages);
	memory->ns = ktime_get_ns() - start;
	if (!ret)
		device_pages = memory->pages;
	return ret;
}

static int bench_unregister(void)
{
	if (!device_memory)
		return -EINVAL;
	private_unregister(device_memory);
	kfree(device_memory);
	device_memory = NULL;
	device_pages = 0;
	return 0;
}

/*
 * Each round reads its input anew, and whatever else the conversion needs, as a
 * walk of page tables would have to.
 */
#define ROUNDS(expression)                                               \
	({                                                               \
		u64 begin = get_cycles();                                \
                                                                         \
		for (u64 i = 0; i < rounds; i++) {                       \
			page = READ_ONCE(input->page);                   \
			number = READ_ONCE(input->number);               \
			asm volatile("" : : "r"(expression) : "memory"); \
		}                                                        \
		get_cycles() - begin;                                    \
	})

struct loop_input {
	struct page *page;
	unsigned long number;
};

static u64 rounds_of(enum bench_loop_id id, const struct loop_input *input, u64 rounds)
{
	struct page *page;
	unsigned long number;

	switch (id) {
	case BENCH_LOOP_EMPTY:
		return ROUNDS(page);
	case BENCH_PAGE_TO_PFN:
		return ROUNDS(page_to_pfn(page));
	case BENCH_PFN_TO_PAGE:
		return ROUNDS(pfn_to_page(number));
	case BENCH_PAGE_TO_INDEX:
		return ROUNDS(page_to_index(page));
	case BENCH_INDEX_TO_PAGE:
		return ROUNDS(index_to_page(number));
	case BENCH_PAGE_TO_NUMBER:
		return ROUNDS(page_to_pageno(page));
	case BENCH_NUMBER_TO_PAGE:
		return ROUNDS(pageno_to_page(number));
	case BENCH_IS_PRIVATE:
		return ROUNDS((unsigned long)is_device_private_page(page));
	default:
		return 0;
	}
}

static int bench_loop(struct bench_loop *loop)
{
	struct loop_input input = { .page = ZERO_PAGE(0) };
	unsigned long flags;

	if (loop->id >= BENCH_LOOPS || (loop->private && !device_pages))
		return -EINVAL;
	if (loop->private)
		input.page = private_page(device_memory, 0);
	if (loop->id == BENCH_INDEX_TO_PAGE)
		input.number = page_to_index(input.page);
	else
		input.number = page_to_pageno(input.page);

	local_irq_save(flags);
	loop->ticks = rounds_of(loop->id, &input, loop->rounds);
	local_irq_restore(flags);
	return 0;
}

static bool invalidate(struct mmu_interval_notifier *notifier,
		       const struct mmu_notifier_range *range, unsigned long seq)
{
	mmu_interval_set_seq(notifier, seq);
	return true;
}

static const struct mmu_interval_notifier_ops notifier_ops = { .invalidate = invalidate };

static int bench_find(struct bench_range *range)
{
	struct mmu_interval_notifier notifier;
	struct hmm_range hmm = {
		.notifier = &notifier,
		.start = range->start,
		.end = range->start + (range->pages << PAGE_SHIFT),
		.dev_private_owner = &device_memory,
	};
	u64 begin;
	int ret;

	hmm.hmm_pfns = kvcalloc(range->pages, sizeof(*hmm.hmm_pfns), GFP_KERNEL);
	if (!hmm.hmm_pfns)
		return -ENOMEM;
	ret = mmu_interval_notifier_insert(&notifier, current->mm, hmm.start, hmm.end - hmm.start,
					   &notifier_ops);
	if (ret)
		goto out;
	hmm.notifier_seq = mmu_interval_read_begin(&notifier);
	mmap_read_lock(current->mm);
	begin = get_cycles();
	ret = hmm_range_fault(&hmm);
	range->ticks = get_cycles() - begin;
	mmap_read_unlock(current->mm);
	mmu_interval_notifier_remove(&notifier);

	range->done = 0;
	for (unsigned long i = 0; i < range->pages; i++)
		range->done += !!(hmm.hmm_pfns[i] & HMM_PFN_VALID);
out:
	kvfree(hmm.hmm_pfns);
	return ret;
}

static unsigned long device_entry(unsigned long nr, unsigned int order)
{
	struct page *page = private_page(device_memory, nr);

	/* Not zone_device_folio_init(): the page may look like a tail of an earlier folio. */
	zone_device_page_init(page, device_memory, order);
	if (order)
		folio_set_large_rmappable(page_folio(page));
	atomic_long_add(1 << order, &pages_in_use);
	return private_entry(page);
}

static unsigned long ram_entry(unsigned int order)
{
	struct folio *folio = folio_alloc(GFP_HIGHUSER_MOVABLE | __GFP_ZERO, order);

	if (!folio)
		return 0;
	if (order)
		folio_set_large_rmappable(folio);
	folio_lock(folio);
	return migrate_pfn(folio_pfn(folio));
}

/* Where the pages shall go; those that are not one of `order` stay. */
static void choose(struct migrate_vma *args, unsigned long pages, unsigned int order, bool to_ram)
{
	const unsigned long large = order ? MIGRATE_PFN_COMPOUND : 0;

	for (unsigned long i = 0; i < pages; i += 1 << order) {
		unsigned long entry;

		args->dst[i] = 0;
		if (!(args->src[i] & MIGRATE_PFN_MIGRATE) ||
		    (args->src[i] & MIGRATE_PFN_COMPOUND) != large)
			continue;
		entry = to_ram ? ram_entry(order) : device_entry(i, order);
		if (entry)
			args->dst[i] = entry | large | (args->src[i] & MIGRATE_PFN_WRITE);
	}
}

/* As a driver does; the first pages of the device are where pages of RAM go. */
static int bench_migrate(struct bench_range *range, bool to_ram)
{
	const unsigned int order = range->huge ? HPAGE_PMD_ORDER : 0;
	struct migrate_vma args = {
		.start = range->start,
		.end = range->start + (range->pages << PAGE_SHIFT),
		.pgmap_owner = &device_memory,
		.flags = to_ram ? MIGRATE_VMA_SELECT_DEVICE_PRIVATE : MIGRATE_VMA_SELECT_SYSTEM,
	};
	u64 begin, chosen;
	int ret;

	if (range->pages > device_pages || (!to_ram && atomic_long_read(&pages_in_use)))
		return -EINVAL;
	if (range->huge)
		args.flags |= MIGRATE_VMA_SELECT_COMPOUND;
	args.src = kvcalloc(range->pages, sizeof(*args.src), GFP_KERNEL);
	args.dst = kvcalloc(range->pages, sizeof(*args.dst), GFP_KERNEL);
	ret = -ENOMEM;
	if (!args.src || !args.dst)
		goto out;

	mmap_read_lock(current->mm);
	args.vma = vma_lookup(current->mm, range->start);
	begin = get_cycles();
	ret = migrate_vma_setup(&args);
	range->ticks = get_cycles() - begin;
	if (!ret) {
		choose(&args, range->pages, order, to_ram);
		chosen = get_cycles();
		migrate_vma_pages(&args);
		migrate_vma_finalize(&args);
		range->ticks += get_cycles() - chosen;
	}
	mmap_read_unlock(current->mm);

	range->done = 0;
	for (unsigned long i = 0; !ret && i < range->pages; i += 1 << order)
		if (args.dst[i] && (args.src[i] & MIGRATE_PFN_MIGRATE))
			range->done += 1 << order;
out:
	kvfree(args.src);
	kvfree(args.dst);
	return ret;
}

static void bench_layout(struct bench_layout *layout)
{
	layout->direct_map = PAGE_OFFSET;
	layout->vmalloc_area = VMALLOC_START;
	layout->struct_pages = VMEMMAP_START;
}

static long bench_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	void __user *user = (void __user *)argument;
	union {
		struct bench_memory memory;
		struct bench_loop loop;
		struct bench_range range;
		struct bench_layout layout;
	} data = {};
	long ret;

	if (_IOC_SIZE(command) > sizeof(data) || copy_from_user(&data, user, _IOC_SIZE(command)))
		return -EFAULT;
	guard(mutex)(&bench_lock);
	switch (command) {
	case BENCH_REGISTER:
		ret = bench_register(&data.memory);
		break;
	case BENCH_POPULATE:
		ret = bench_populate(&data.memory);
		break;
	case BENCH_UNREGISTER:
		ret = bench_unregister();
		break;
	case BENCH_LOOP:
		ret = bench_loop(&data.loop);
		break;
	case BENCH_FIND:
		ret = bench_find(&data.range);
		break;
	case BENCH_TO_DEVICE:
		ret = bench_migrate(&data.range, false);
		break;
	case BENCH_TO_RAM:
		ret = bench_migrate(&data.range, true);
		break;
	case BENCH_LAYOUT:
		bench_layout(&data.layout);
		ret = 0;
		break;
	default:
		return -ENOTTY;
	}
	if (!ret && copy_to_user(user, &data, _IOC_SIZE(command)))
		ret = -EFAULT;
	return ret;
}

static int bench_release(struct inode *inode, struct file *file)
{
	guard(mutex)(&bench_lock);
	if (device_memory)
		bench_unregister();
	return 0;
}

static const struct file_operations bench_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = bench_ioctl,
	.release = bench_release,
};

static struct miscdevice bench_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "bench_mm",
	.fops = &bench_fops,
};
module_misc_device(bench_device);

MODULE_DESCRIPTION("Costs of device-private memory");
MODULE_LICENSE("GPL");
