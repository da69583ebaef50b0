/* SPDX-License-Identifier: MIT */
/*
 * PTIMER: a nanosecond clock that runs with CLOCK_MONOTONIC, and its alarm.
 * Source: published dev_timer.h; gp106 hw_timer. That an alarm rings once is inference.
 */
#include <time.h>

#include "gpu.h"

enum {
	PTIMER_INTR_0 = 0x009100,
	PTIMER_INTR_EN_0 = 0x009140,
	PTIMER_TIME_0 = 0x009400,
	PTIMER_TIME_1 = 0x009410,
	PTIMER_ALARM_0 = 0x009420,
};

#define INTR_ALARM  BIT(0)
#define TIME_0_NSEC 0xffffffe0 /* 31:5 */
#define TIME_1_NSEC 0x1fffffff /* 28:0 */

static const struct mmio_plain ptimer_plain[] = {
	{ 0x009200, "NV_PTIMER_NUMERATOR", .writable = ~0u },
	{ 0x009210, "NV_PTIMER_DENOMINATOR", .writable = ~0u },
	{ 0x009220, "NV_PTIMER_TIMER_MULTIPLIER", .writable = ~0u },
};

u64 ptimer_now(const struct gpu *gpu)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000000000 + (u64)ts.tv_nsec + (u64)gpu->ptimer.offset;
}

/* The alarm is a comparison with TIME_0: one that was missed comes a turn of it later. */
static void find_due(struct gpu *gpu)
{
	u64 now = ptimer_now(gpu);

	gpu->ptimer.alarm_due = now + (u32)(gpu->ptimer.alarm - (u32)(now & TIME_0_NSEC));
}

static void ptimer_set(struct gpu *gpu, u64 now)
{
	gpu->ptimer.offset += (s64)(now - ptimer_now(gpu));
	find_due(gpu);
	engine_kick(gpu);
}

static void ptimer_update(struct gpu *gpu)
{
	pmc_set_intr(gpu, PMC_INTR_PTIMER, gpu->ptimer.intr & gpu->ptimer.intr_en);
}

u64 ptimer_run(struct gpu *gpu)
{
	struct ptimer *timer = &gpu->ptimer;
	u64 now = ptimer_now(gpu);

	if (!timer->alarm_armed)
		return UINT64_MAX;
	if (now < timer->alarm_due)
		return timer->alarm_due - now;
	timer->alarm_armed = false;
	timer->intr |= INTR_ALARM;
	ptimer_update(gpu);
	return UINT64_MAX;
}

static u32 ptimer_read(struct gpu *gpu, u32 addr)
{
	switch (addr) {
	case PTIMER_INTR_0:
		return gpu->ptimer.intr;
	case PTIMER_INTR_EN_0:
		return gpu->ptimer.intr_en;
	case PTIMER_TIME_0:
		return ptimer_now(gpu) & TIME_0_NSEC;
	case PTIMER_TIME_1:
		return ptimer_now(gpu) >> 32 & TIME_1_NSEC;
	case PTIMER_ALARM_0:
		return gpu->ptimer.alarm;
	}
	return mmio_unmodelled_read(gpu, addr);
}

static void ptimer_write(struct gpu *gpu, u32 addr, u32 val)
{
	switch (addr) {
	case PTIMER_INTR_0:
		gpu->ptimer.intr &= ~val;
		ptimer_update(gpu);
		return;
	case PTIMER_INTR_EN_0:
		gpu->ptimer.intr_en = val & INTR_ALARM;
		ptimer_update(gpu);
		return;
	case PTIMER_TIME_0:
		ptimer_set(gpu, (ptimer_now(gpu) & ~UINT64_C(0xffffffff)) | (val & TIME_0_NSEC));
		return;
	case PTIMER_TIME_1:
		ptimer_set(gpu, (u64)(val & TIME_1_NSEC) << 32 | (u32)ptimer_now(gpu));
		return;
	case PTIMER_ALARM_0:
		gpu->ptimer.alarm = val & TIME_0_NSEC;
		gpu->ptimer.alarm_armed = true;
		find_due(gpu);
		engine_kick(gpu);
		return;
	}
	mmio_unmodelled_write(gpu, addr, val);
}

static const struct mmio_range ptimer_range = { 0x009100, 0x0094ff, "PTIMER", ptimer_read,
						ptimer_write };

static void ptimer_init(struct gpu *gpu)
{
	mmio_register(gpu, &ptimer_range);
	mmio_register_plain(gpu, ptimer_plain, ARRAY_SIZE(ptimer_plain));
}

static void ptimer_reset(struct gpu *gpu)
{
	gpu->ptimer = (struct ptimer){ 0 };
}

const struct unit ptimer_unit = { .name = "PTIMER", .init = ptimer_init, .reset = ptimer_reset };
