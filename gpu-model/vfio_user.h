/* SPDX-License-Identifier: MIT */
/*
 * vfio-user: one connection to QEMU, by which a GPU is a PCI device of its guest. The socket
 * thread answers QEMU and never waits for it; DMA requests of ours are made by the engine
 * thread, and their replies are handed over by the socket thread.
 */
#ifndef VFIO_USER_H
#define VFIO_USER_H

#include <pthread.h>

#include "types.h"

struct gpu;

struct vfio_user {
	struct gpu *gpu;
	int sock, irq_fd;
	pthread_mutex_t send_lock;

	/* The DMA request in flight. */
	pthread_mutex_t dma_lock;
	pthread_cond_t dma_done;
	bool waiting, closed;
	u16 id;
	void *buf; /* of a read */
	size_t len;
	int err;

	u8 *message, *reply; /* of the socket thread */
};

int vfio_user_init(struct vfio_user *vu, struct gpu *gpu, int sock);
void vfio_user_fini(struct vfio_user *vu);
/* Answer until QEMU goes away; returns 0, or a negative errno after a broken message. */
int vfio_user_serve(struct vfio_user *vu);
/* DMA by message, not from the socket thread: 0 or a negative errno. */
int vfio_user_dma_read(struct vfio_user *vu, u64 addr, void *buf, size_t len);
int vfio_user_dma_write(struct vfio_user *vu, u64 addr, const void *buf, size_t len);

#endif
