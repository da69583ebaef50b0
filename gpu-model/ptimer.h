/* SPDX-License-Identifier: MIT */
/* PTIMER: nanosecond clock and alarm. Source: published dev_timer.h. */
#ifndef PTIMER_H
#define PTIMER_H

#include "types.h"

struct gpu;

struct ptimer {
	s64 offset; /* added to CLOCK_MONOTONIC, as set by writes to TIME_0/TIME_1 */
	u32 alarm, intr, intr_en;
	bool alarm_armed;
	u64 alarm_due; /* when TIME_0 will next be equal to it */
};

u64 ptimer_now(const struct gpu *gpu); /* ns */
/* Raise the alarm if it is due; returns ns until it will be, or UINT64_MAX. */
u64 ptimer_run(struct gpu *gpu);

extern const struct unit ptimer_unit;

#endif
