/* SPDX-License-Identifier: MIT */
/*
 * Counters: every byte a GPU moves, by the unit that asked and by where it went. Counted at
 * the requester; a peer's BAR1 shows what it served.
 */
#ifndef STATS_H
#define STATS_H

#include <stdio.h>

#include "types.h"

struct gpu;

enum stats_kind {
	STATS_SYSTEM_READ,
	STATS_SYSTEM_WRITE,
	STATS_PEER_READ,
	STATS_PEER_WRITE,
	STATS_VRAM_READ,
	STATS_VRAM_WRITE,
	STATS_KINDS,
};

#define STATS_CLIENTS 6 /* CLIENT_COUNT */

struct stats {
	u64 bytes[STATS_CLIENTS][STATS_KINDS];
	u64 bar1_read, bar1_write, bar1_peer_read, bar1_peer_write;
	u64 across; /* to and from peers, by the switch above both and not by way of the root */
	u64 interrupts, interrupts_lost;
};

/* One JSON object, without a newline. Takes gpu->lock. */
void stats_print(struct gpu *gpu, FILE *out);

#endif
