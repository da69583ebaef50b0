/* SPDX-License-Identifier: MIT */
/*
 * The other end of the wire: a small QEMU that speaks vfio-user to GPUs of this process, holds
 * guest RAM, and routes DMA requests by bus address as pci_dma_read() does. One thread.
 */
#ifndef WIRE_H
#define WIRE_H

#include "machine.h"

#define WIRE_GPUS  2
#define WIRE_BAR1  UINT64_C(0x8000000000) /* of GPU 0; each next one is 1 GiB on */
#define WIRE_QUEUE 64
#define WIRE_IOMMU 8

struct wire_header {
	u16 id, command;
	u32 size, flags, error;
};

struct wire_message {
	struct wire_header header;
	size_t len;
	u8 *data;
};

struct wire_port {
	int sock, irq_fd;
	pthread_t server;
	u16 id;
	struct wire_message queue[WIRE_QUEUE]; /* requests that came while a reply was awaited */
	unsigned int queued;
};

struct wire {
	struct machine machine;
	struct wire_port port[WIRE_GPUS];
	unsigned int count;
	u8 *ram; /* at bus address 0 */
	size_t ram_bytes;
	int ram_fd;
	u64 region_messages; /* sent for DMA of GPUs to each other */
	/* A host bridge that takes addresses here elsewhere on the bus. */
	u64 redirect_from, redirect_to, redirect_bytes;
	/* An IOMMU, once there is something in it: what it has no entry for it refuses. */
	struct wire_iommu {
		u64 iova, addr, bytes;
		bool writable;
	} iommu[WIRE_IOMMU];
	unsigned int iommu_entries;
	bool has_iommu;
	u64 iommu_faults;
	/* The guest's CPU reads there whenever a GPU reads: at an offset in GPU 1's BAR1. */
	bool cpu_reads;
	u64 cpu_offset;
};

/* Connect GPUs; their engine threads run from here on. */
struct wire *wire_new(struct gpu *const *gpus, unsigned int count);
void wire_delete(struct wire *wire);

/* Send a request, and wait for its reply: the error in it, 0 when there is none. */
int wire_request(struct wire *wire, unsigned int gpu, u16 command, const void *data, size_t len,
		 int fd, void *reply, size_t room);
/* Bytes as they are, without waiting for anything. */
void wire_send(struct wire *wire, unsigned int gpu, const void *data, size_t len);
int wire_read(struct wire *wire, unsigned int gpu, u32 region, u64 offset, void *buf, u32 len);
int wire_write(struct wire *wire, unsigned int gpu, u32 region, u64 offset, const void *buf,
	       u32 len);
u32 wire_read32(struct wire *wire, unsigned int gpu, u32 region, u64 offset);
void wire_write32(struct wire *wire, unsigned int gpu, u32 region, u64 offset, u32 val);
/* Announce guest RAM, with its file or without. */
int wire_map_ram(struct wire *wire, unsigned int gpu, bool with_file);
/* A new entry of the IOMMU; and none any more in a range, of which this GPU is told. */
void wire_iommu_map(struct wire *wire, u64 iova, u64 addr, u64 bytes, bool writable);
void wire_iommu_unmap(struct wire *wire, unsigned int gpu, u64 iova, u64 bytes);
/* Bus mastering and memory decoding on, BAR1 at its place. */
void wire_enable(struct wire *wire, unsigned int gpu);
u64 wire_bar1(unsigned int gpu);
/* Answer the DMA requests that have come. */
void wire_answer(struct wire *wire);
/* Answer DMA requests until the word at an address is no longer "old", for 10 s at most. */
bool wire_pump(struct wire *wire, const u32 *word, u32 old);

#endif
