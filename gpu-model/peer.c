/* SPDX-License-Identifier: MIT */
/*
 * Bus requests that leave a GPU. Those to a peer below the same switch are carried across by that
 * switch, if the machine has one. For all others QEMU is the authority, with its bridges and its
 * IOMMU, on what answers at an address. The first bytes of each page are read through QEMU, and of a
 * page that is written to, written; when they were seen to arrive at a peer in this process, the rest
 * of the page is copied here, until something changes that might lead elsewhere.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "machine.h"

#define PAGE_BYTES  UINT64_C(4096)
#define PROOF_BYTES 8

static const char *const mode_names[] = { "auto", "qemu", "compare" };

/* Changes when this GPU's configuration space is written, or what it can reach is mapped anew. */
static u64 own_generation(const struct gpu *gpu)
{
	return gpu->pci.generation + gpu->bus.map.generation;
}

static bool bar1_holds(const struct gpu *gpu, u64 addr, size_t len, u64 *offset)
{
	u64 base, size = gpu->pci.bar_size[1];

	if (!pci_bar_address(gpu, 1, &base) || addr < base || addr - base >= size ||
	    len > size - (addr - base))
		return false;
	*offset = addr - base;
	return true;
}

static void bar1_access(struct gpu *gpu, u64 offset, void *rbuf, const void *wbuf, size_t len)
{
	if (wbuf)
		bar1_write(gpu, offset, wbuf, len, CLIENT_OTHER);
	else
		bar1_read(gpu, offset, rbuf, len, CLIENT_OTHER);
}

/* A port of a switch compares an address with the others' windows before it sends it upwards. */
static bool cross_switch(const struct port *port, u64 addr, void *rbuf, const void *wbuf,
			 size_t len)
{
	const struct machine *machine = port->machine;
	bool found = false;
	u64 offset;

	for (unsigned int i = 0; port->below && i < machine->count && !found; i++) {
		struct gpu *gpu = machine->port[i].gpu;

		if (gpu == port->gpu || machine->port[i].below != port->below)
			continue;
		pthread_mutex_lock(&gpu->lock);
		found = bar1_holds(gpu, addr, len, &offset);
		if (found)
			bar1_access(gpu, offset, rbuf, wbuf, len);
		pthread_mutex_unlock(&gpu->lock);
	}
	if (found) {
		pthread_mutex_lock(&port->gpu->lock);
		port->gpu->stats.across += len;
		pthread_mutex_unlock(&port->gpu->lock);
	}
	return found;
}

static int message(struct port *port, u64 addr, void *rbuf, const void *wbuf, size_t len)
{
	return wbuf ? vfio_user_dma_write(&port->vu, addr, wbuf, len)
		    : vfio_user_dma_read(&port->vu, addr, rbuf, len);
}

/*
 * Read bytes at an address through QEMU, and tell by the proof at which peer's BAR1 they were
 * asked for, if at any: one peer once, which holds the same bytes there. Only the place in the
 * page is known, so another read of the guest's, at that moment and place, may be taken for ours.
 * The caller holds proof_lock, as a GPU has one witness.
 */
static int read_arrives(struct port *port, u64 addr, struct proof *proof)
{
	struct machine *machine = port->machine;
	u8 here[PROOF_BYTES], there[PROOF_BYTES];
	unsigned int seen = 0;
	u64 offset, fault_va, generations[MACHINE_GPUS];
	int err;

	proof->peer = NULL;
	for (unsigned int i = 0; i < machine->count; i++) {
		struct gpu *gpu = machine->port[i].gpu;

		pthread_mutex_lock(&gpu->lock);
		generations[i] = gpu->pci.generation;
		if (gpu == port->gpu)
			proof->own = own_generation(gpu);
		else
			bar1_witness(gpu, false, addr, PAGE_BYTES - 1);
		pthread_mutex_unlock(&gpu->lock);
	}
	err = vfio_user_dma_read(&port->vu, addr, there, sizeof(there));
	for (unsigned int i = 0; i < machine->count; i++) {
		struct gpu *gpu = machine->port[i].gpu;
		unsigned int n;

		if (gpu == port->gpu)
			continue;
		pthread_mutex_lock(&gpu->lock);
		n = bar1_witnessed(gpu, false, &offset);
		seen += n;
		if (n &&
		    mmu_read(gpu, &gpu->bars.bar1.space, offset, here, sizeof(here), CLIENT_OTHER,
			     &fault_va) == MMU_FAULT_NONE &&
		    !memcmp(here, there, sizeof(here))) {
			proof->peer = gpu;
			proof->offset = offset & ~(PAGE_BYTES - 1);
			proof->peers = generations[i];
		}
		pthread_mutex_unlock(&gpu->lock);
	}
	machine->proofs++;
	if (err || seen != 1)
		proof->peer = NULL;
	return err;
}

static bool same_place(const struct proof *a, const struct proof *b)
{
	return a->peer == b->peer && a->offset == b->offset && a->own == b->own &&
	       a->peers == b->peers;
}

/* Is it where the peer's BAR1 was put? With an IOMMU it mostly is not. */
static bool is_expected(const struct proof *proof)
{
	u64 offset;
	bool expected;

	pthread_mutex_lock(&proof->peer->lock);
	expected = bar1_holds(proof->peer, proof->page, PAGE_BYTES, &offset) &&
		   offset == proof->offset;
	pthread_mutex_unlock(&proof->peer->lock);
	return expected;
}

/* Find out where a page is. Returns the error of the bus, if that refuses to read it. */
static int prove(struct port *port, u64 page, struct proof *proof)
{
	struct proof again;
	int err;

	*proof = (struct proof){ .page = page };
	pthread_mutex_lock(&port->machine->proof_lock);
	err = read_arrives(port, page, proof);
	if (proof->peer && !is_expected(proof)) {
		again = *proof;
		err = read_arrives(port, page + PAGE_BYTES - PROOF_BYTES, &again);
		if (!same_place(&again, proof))
			proof->peer = NULL;
	}
	pthread_mutex_unlock(&port->machine->proof_lock);
	return err;
}

static bool still_proven(const struct port *port, const struct proof *proof)
{
	return proof->peer && proof->own == own_generation(port->gpu) &&
	       proof->peers == proof->peer->pci.generation;
}

static void lock_both(struct gpu *a, struct gpu *b)
{
	bool a_first = a->config.index < b->config.index;

	pthread_mutex_lock(a_first ? &a->lock : &b->lock);
	pthread_mutex_lock(a_first ? &b->lock : &a->lock);
}

static void unlock_both(struct gpu *a, struct gpu *b)
{
	pthread_mutex_unlock(&a->lock);
	pthread_mutex_unlock(&b->lock);
}

/*
 * Copy here what is proven. With both locks: when the removal of a map has been acknowledged,
 * nothing follows by that map.
 */
static bool direct(struct port *port, const struct proof *proof, u64 addr, void *rbuf,
		   const void *wbuf, size_t len)
{
	bool good;

	if (!proof->peer)
		return false;
	lock_both(port->gpu, proof->peer);
	good = still_proven(port, proof) && (rbuf || proof->writable);
	if (good)
		bar1_access(proof->peer, proof->offset + (addr - proof->page), rbuf, wbuf, len);
	unlock_both(port->gpu, proof->peer);
	return good;
}

static bool known(struct port *port, const struct proof *proof, u64 page)
{
	bool known = false;

	if (proof->peer && proof->page == page) {
		lock_both(port->gpu, proof->peer);
		known = still_proven(port, proof);
		unlock_both(port->gpu, proof->peer);
	}
	return known;
}

/*
 * Write the first bytes through QEMU: an IOMMU may let a page be read only. A write is posted, so
 * it has arrived when a read behind it has been answered.
 */
static int write_arrives(struct port *port, struct proof *proof, u64 addr, const void *wbuf,
			 size_t len)
{
	u64 offset = proof->offset + (addr - proof->page);
	struct gpu *peer = proof->peer;
	struct proof behind = *proof;
	bool seen;
	int err;

	pthread_mutex_lock(&port->machine->proof_lock);
	pthread_mutex_lock(&peer->lock);
	bar1_witness(peer, true, offset, UINT64_MAX);
	pthread_mutex_unlock(&peer->lock);
	err = vfio_user_dma_write(&port->vu, addr, wbuf, len);
	if (!err)
		err = read_arrives(port, proof->page, &behind);
	pthread_mutex_lock(&peer->lock);
	seen = bar1_witnessed(peer, true, &offset);
	pthread_mutex_unlock(&peer->lock);
	pthread_mutex_unlock(&port->machine->proof_lock);
	proof->writable = seen && !err && same_place(&behind, proof);
	return err;
}

static int shortcut(struct port *port, u64 addr, u8 *rbuf, const u8 *wbuf, size_t len)
{
	u64 page = addr & ~(PAGE_BYTES - 1);
	struct proof *proof = &port->proven[page / PAGE_BYTES % PROVEN_SLOTS];
	size_t done = 0;
	int err;

	if (!known(port, proof, page)) {
		err = prove(port, page, proof);
		if (err && rbuf)
			return err;
	}
	if (wbuf && proof->peer && !proof->writable) {
		done = PROOF_BYTES - addr % PROOF_BYTES;
		if (done > len)
			done = len;
		err = write_arrives(port, proof, addr, wbuf, done);
		if (err || done == len)
			return err;
		wbuf += done;
	}
	if (direct(port, proof, addr + done, rbuf, wbuf, len - done))
		return 0;
	return message(port, addr + done, rbuf, wbuf, len - done);
}

/* All through QEMU, and see whether the peer has the same where we would have gone. */
static int compare(struct port *port, u64 addr, u8 *rbuf, const u8 *wbuf, size_t len)
{
	struct proof proof = { .page = addr & ~(PAGE_BYTES - 1) };
	u8 here[PAGE_BYTES];
	int err = message(port, addr, rbuf, wbuf, len);

	/* a write through QEMU is posted: a read through it comes after */
	if (!err && wbuf)
		err = vfio_user_dma_read(&port->vu, addr, here, 1);
	if (err)
		return err;
	err = prove(port, proof.page, &proof);
	if (err || !direct(port, &proof, addr, here, NULL, len))
		return err;
	if (!memcmp(here, wbuf ? wbuf : rbuf, len))
		return 0;
	port->machine->mismatches++;
	gpu_log(port->gpu, GPU_ERROR, "peer bytes at %#llx differ between the ways",
		(unsigned long long)addr);
	return 0;
}

static int page_access(struct port *port, u64 addr, u8 *rbuf, const u8 *wbuf, size_t len)
{
	if (cross_switch(port, addr, rbuf, wbuf, len))
		return 0;
	switch (port->machine->mode) {
	case PEER_QEMU:
		break;
	case PEER_COMPARE:
		return compare(port, addr, rbuf, wbuf, len);
	case PEER_AUTO:
		return shortcut(port, addr, rbuf, wbuf, len);
	}
	return message(port, addr, rbuf, wbuf, len);
}

static int port_access(struct port *port, u64 addr, u8 *rbuf, const u8 *wbuf, size_t len)
{
	int err = 0;

	for (size_t done = 0, n; done < len && !err; done += n) {
		n = PAGE_BYTES - (addr + done) % PAGE_BYTES;
		if (n > len - done)
			n = len - done;
		err = page_access(port, addr + done, rbuf ? rbuf + done : NULL,
				  wbuf ? wbuf + done : NULL, n);
	}
	return err;
}

static int port_read(void *ctx, u64 addr, void *buf, size_t len)
{
	return port_access(ctx, addr, buf, NULL, len);
}

static int port_write(void *ctx, u64 addr, const void *buf, size_t len)
{
	return port_access(ctx, addr, NULL, buf, len);
}

const struct bus_ops port_bus_ops = {
	.dma_read = port_read,
	.dma_write = port_write,
};

void machine_init(struct machine *machine)
{
	pthread_mutex_init(&machine->proof_lock, NULL);
}

void machine_stats(struct machine *machine, FILE *out)
{
	fputs("{\"gpus\":[", out);
	for (unsigned int i = 0; i < machine->count; i++) {
		if (i)
			fputc(',', out);
		stats_print(machine->port[i].gpu, out);
	}
	fprintf(out, "],\"peer_mode\":\"%s\",\"peer_proofs\":%llu,\"peer_mismatches\":%llu}\n",
		mode_names[machine->mode], (unsigned long long)machine->proofs,
		(unsigned long long)machine->mismatches);
}

int machine_write_stats(struct machine *machine, const char *path)
{
	char *new;
	FILE *out;
	int err = 0;

	if (asprintf(&new, "%s.new", path) < 0)
		return -ENOMEM;
	out = fopen(new, "we");
	if (!out) {
		err = -errno;
		goto out;
	}
	machine_stats(machine, out);
	if (ferror(out))
		err = -EIO;
	if (fclose(out) && !err)
		err = -errno;
	if (!err && rename(new, path))
		err = -errno;
	if (err)
		unlink(new);
out:
	free(new);
	return err;
}
