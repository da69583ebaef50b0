/* SPDX-License-Identifier: MIT */
/*
 * The GPUs of one machine: each behind a port of its own to QEMU, and what they know of each
 * other, which is no more than QEMU confirms.
 */
#ifndef MACHINE_H
#define MACHINE_H

#include <pthread.h>
#include <stdio.h>

#include "gpu.h"
#include "vfio_user.h"

#define MACHINE_GPUS 16
#define PROVEN_SLOTS 4096

struct machine;

enum peer_mode {
	PEER_AUTO,    /* in this process where QEMU has confirmed the way, else by message */
	PEER_QEMU,    /* everything by message */
	PEER_COMPARE, /* both, and they must agree */
};

struct port {
	struct machine *machine;
	struct gpu *gpu;
	struct vfio_user vu;
	int listener;
	pthread_t thread;
	/* Pages of peers that QEMU has shown to be where we think; of one generation only. */
	u64 generation;
	u64 proven[PROVEN_SLOTS];
};

struct machine {
	struct port port[MACHINE_GPUS];
	unsigned int count;
	enum peer_mode mode;
	pthread_mutex_t proof_lock; /* one proof at a time, as a GPU has one witness */
	_Atomic u64 proofs, mismatches;
};

/* Engine-thread bus requests of a port: by message, or straight to a peer's BAR1. */
extern const struct bus_ops port_bus_ops;

void machine_init(struct machine *machine);
/* The counters of all GPUs, one line of JSON. */
void machine_stats(struct machine *machine, FILE *out);
/* The same as a file, which is whole or not there: 0 or a negative errno. */
int machine_write_stats(struct machine *machine, const char *path);

#endif
