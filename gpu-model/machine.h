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
	PEER_AUTO,    /* in this process where QEMU has shown the way, else by message */
	PEER_QEMU,    /* everything by message */
	PEER_COMPARE, /* both, and they must agree */
};

/*
 * Where QEMU takes requests to a page of bus addresses: to BAR1 of a peer. It holds until the
 * requester's maps, or the configuration space of either, change.
 */
struct proof {
	u64 page;
	struct gpu *peer; /* NULL: to nobody in this process */
	u64 offset;	  /* in its BAR1 */
	bool writable;	  /* a write has been seen to arrive, too */
	u64 own, peers;	  /* generations */
};

struct port {
	struct machine *machine;
	struct gpu *gpu;
	struct vfio_user vu;
	int listener;
	pthread_t thread;
	/*
	 * The switch above this GPU: requests to BAR1 of others below the same one do not leave
	 * it upwards. 0: there is none, or its ports redirect requests (ACS).
	 */
	unsigned int below;
	struct proof proven[PROVEN_SLOTS];
};

struct machine {
	struct port port[MACHINE_GPUS];
	unsigned int count;
	enum peer_mode mode;
	pthread_mutex_t proof_lock; /* one proof at a time, as a GPU has one witness */
	_Atomic u64 proofs, mismatches;
};

/* Engine-thread bus requests of a port: to a peer's BAR1 if we know, or by message. */
extern const struct bus_ops port_bus_ops;

void machine_init(struct machine *machine);
/* The counters of all GPUs, one line of JSON. */
void machine_stats(struct machine *machine, FILE *out);
/* The same as a file, which is whole or not there: 0 or a negative errno. */
int machine_write_stats(struct machine *machine, const char *path);

#endif
