/* SPDX-License-Identifier: MIT */
/* Tests of klog.c and lines.c: what counts as a complaint of the kernel, and what is shown of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "../klog.h"
#include "../say.h"

/* As printed by Linux 7.3, with and without CONFIG_PRINTK_CALLER. */
static const char *const complaints[] = {
	"[    0.993971] WARNING: w.c:2 at w+0xb/0x1000 [w], CPU#0: insmod/41",
	"[    0.993971][   T41] WARNING: w.c:2 at w+0xb/0x1000 [w], CPU#0: insmod/41",
	"[   12.000001] WARNING: possible circular locking dependency detected",
	"[   12.000001] WARNING: inconsistent lock state",
	"[   12.000001] WARNING: suspicious RCU usage",
	"[   12.000001][    C1] BUG: KASAN: slab-use-after-free in nouveau_fence_update+0x1/0x2",
	"[    3.141592] BUG: kernel NULL pointer dereference, address: 0000000000000008",
	"[    3.141592] BUG: Bad page state in process sh  pfn:12345",
	"[    3.141592] BUG: sleeping function called from invalid context at mm/slub.c:1",
	"[    3.141592] kernel BUG at mm/hmm.c:123!",
	"[    3.141592] Oops: 0000 [#1] PREEMPT SMP",
	"[    3.141592] Oops: general protection fault, probably for non-canonical address 0x1",
	"[  150.000000] INFO: task modprobe:42 blocked for more than 120 seconds.",
	"[   60.000000] watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [sh:40]",
	"[   60.000000] rcu: INFO: rcu_preempt self-detected stall on CPU",
	"[   60.000000] kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)",
	"[   60.000000] kmemleak: Cannot allocate a kmemleak_object structure",
	"[   60.000000] DMA-API: debugging out of memory - disabling",
	"[   60.000000] DMA-API: cacheline tracking ENOMEM, dma-debug disabled",
	"[   60.000000] ODEBUG: Out of memory. ODEBUG disabled",
	"[   60.000000] INFO: lockdep is turned off.",
	"** 38 printk messages dropped **",
	"[   60.000000] UBSAN: shift-out-of-bounds in drivers/a.c:1:2",
	"[    1.347530] Kernel panic - not syncing: sysrq triggered crash",
	"[    2.000000] DMAR: [DMA Read NO_PASID] Request device [03:00.0] fault addr 0x8000000000 "
	"[fault reason 0x06] PTE Read access is not set",
	"[    2.000000] nouveau 0000:03:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x000a "
	"address=0x8000000000 flags=0x0000]",
	"[    2.000000] virtio_iommu virtio0: page fault from EP 768 at 0x8000000000 [R]",
};

static const char *const peaceful[] = {
	"",
	"[",
	"[    0.000000] Linux version 7.3.4",
	"[    0.000000] Spectre V2 : WARNING is not at the beginning",
	"[    0.000000] kmemleak: Kernel memory leak detector initialized (mem pool available: 1)",
	"[    0.000000] debug: DEBUG: INFO: nothing",
	"[    0.000000] clocksource: Watchdog remote CPU 1 read timed out",
	"[    0.000000] nouveau 0000:03:00.0: bios: DCB table not found",
	"[    0.500000] DMAR: Intel(R) Virtualization Technology for Directed I/O",
	"[    5.000000] [IGT] nouveau_svm: starting subtest BUG",
	"[    5.000000] sh[40]: segfault at 0 ip 1 sp 2 error 4 in sh[1,2]",
};

static void test_what_is_a_complaint(void **)
{
	for (size_t i = 0; i < sizeof(complaints) / sizeof(*complaints); i++)
		if (!klog_is_complaint(complaints[i]))
			fail_msg("missed: %s", complaints[i]);
	for (size_t i = 0; i < sizeof(peaceful) / sizeof(*peaceful); i++)
		if (klog_is_complaint(peaceful[i]))
			fail_msg("false alarm: %s", peaceful[i]);
}

static void feed(struct klog *log, const char *text)
{
	klog_feed(log, text, strlen(text));
}

static void test_splat(void **)
{
	struct klog log = {};

	klog_open(&log, "/dev/null");
	feed(&log, "before\r\ntext of the WARN");
	feed(&log, "()\r\nWARNI");
	assert_int_equal(log.complaints, 0);
	feed(&log, "NG: here\nafter\nBUG: second\n");
	klog_end(&log);
	assert_int_equal(log.complaints, 2);
	assert_false(log.panic);
	assert_int_equal(log.splat_count, 4);
	assert_string_equal(log.splat[0], "text of the WARN()");
	assert_string_equal(log.splat[1], "WARNING: here");
	assert_string_equal(log.splat[3], "BUG: second");
}

static void test_panic_without_newline(void **)
{
	struct klog log = {};

	klog_open(&log, "/dev/null");
	feed(&log, "[    1.0] Kernel panic - not syncing: oh");
	assert_false(log.panic);
	klog_end(&log);
	assert_true(log.panic);
}

static void test_last_lines_and_bounds(void **)
{
	static char flood[3 * LINE_MAX_LENGTH];
	struct klog log = {};

	klog_open(&log, "/dev/null");
	for (int i = 0; i < 1000; i++)
		feed(&log, "WARNING: again\n");
	assert_int_equal(log.splat_count, KLOG_SPLAT_LINES);
	memset(flood, 'x', sizeof(flood));
	klog_feed(&log, flood, sizeof(flood));
	assert_int_equal(strlen(log.last[(log.last_count - 1) % KLOG_LAST_LINES]), LINE_MAX_LENGTH);
	klog_end(&log);
}

static void test_full_disk(void **)
{
	struct klog log = {};

	klog_open(&log, "/dev/full");
	feed(&log, "WARNING: the log cannot be kept, but is still read\n");
	assert_int_equal(log.complaints, 1);
	assert_int_not_equal(log.error, 0);
	klog_end(&log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_a_complaint),
		cmocka_unit_test(test_splat),
		cmocka_unit_test(test_panic_without_newline),
		cmocka_unit_test(test_last_lines_and_bounds),
		cmocka_unit_test(test_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
