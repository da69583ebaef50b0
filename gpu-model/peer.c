/* SPDX-License-Identifier: MIT */
/*
 * Bus requests that leave a GPU. QEMU is the authority on what answers at an address. Where a
 * peer in this process seems to, the first bytes of each page are also read through QEMU, once
 * in every generation of the machine's configuration. If that read arrived at the peer, where
 * it should, and has brought what is there, the rest of the page is copied here.
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

/* Changes whenever any GPU's configuration space is written, or the bus is mapped anew. */
static u64 generation(struct machine *machine)
{
	u64 sum = 1;

	for (unsigned int i = 0; i < machine->count; i++) {
		struct gpu *gpu = machine->port[i].gpu;

		pthread_mutex_lock(&gpu->lock);
		sum += gpu->pci.generation + gpu->bus.map.generation;
		pthread_mutex_unlock(&gpu->lock);
	}
	return sum;
}

/* The GPU whose BAR1 holds all of the range, and the range's offset in it. */
static struct gpu *find_peer(const struct port *port, u64 addr, size_t len, u64 *offset)
{
	struct machine *machine = port->machine;
	struct gpu *found = NULL;

	for (unsigned int i = 0; i < machine->count && !found; i++) {
		struct gpu *gpu = machine->port[i].gpu;
		u64 base, size = gpu->pci.bar_size[1];

		if (gpu == port->gpu)
			continue;
		pthread_mutex_lock(&gpu->lock);
		if (pci_bar_address(gpu, 1, &base) && addr >= base && addr - base < size &&
		    len <= size - (addr - base)) {
			found = gpu;
			*offset = addr - base;
		}
		pthread_mutex_unlock(&gpu->lock);
	}
	return found;
}

static void direct(struct gpu *peer, u64 offset, void *rbuf, const void *wbuf, size_t len)
{
	pthread_mutex_lock(&peer->lock);
	if (wbuf)
		bar1_write(peer, offset, wbuf, len, CLIENT_OTHER);
	else
		bar1_read(peer, offset, rbuf, len, CLIENT_OTHER);
	pthread_mutex_unlock(&peer->lock);
}

/*
 * Read the first bytes of the page both ways. That they agree is not enough, as an IOMMU may
 * lead elsewhere and memory is often full of zeros: the peer must have been asked for them.
 */
static bool prove(struct port *port, struct gpu *peer, u64 page, u64 offset)
{
	u8 here[PROOF_BYTES], there[PROOF_BYTES];
	u64 fault_va;
	bool good;

	pthread_mutex_lock(&port->machine->proof_lock);
	pthread_mutex_lock(&peer->lock);
	bar1_witness(peer, offset);
	pthread_mutex_unlock(&peer->lock);
	good = !vfio_user_dma_read(&port->vu, page, there, sizeof(there));
	pthread_mutex_lock(&peer->lock);
	good = bar1_witnessed(peer) && good &&
	       mmu_read(peer, &peer->bars.bar1.space, offset, here, sizeof(here), CLIENT_OTHER,
			&fault_va) == MMU_FAULT_NONE;
	pthread_mutex_unlock(&peer->lock);
	pthread_mutex_unlock(&port->machine->proof_lock);
	port->machine->proofs++;
	return good && !memcmp(here, there, sizeof(here));
}

static bool proven(struct port *port, struct gpu *peer, u64 addr, u64 offset, size_t len)
{
	u64 now = generation(port->machine);
	u64 first = addr & ~(PAGE_BYTES - 1);

	if (now != port->generation) {
		memset(port->proven, 0, sizeof(port->proven));
		port->generation = now;
	}
	for (u64 page = first; page < addr + len; page += PAGE_BYTES) {
		u64 *slot = &port->proven[page / PAGE_BYTES % PROVEN_SLOTS];

		if (*slot == page)
			continue;
		if (!prove(port, peer, page, offset - (addr - page)))
			return false;
		*slot = page;
	}
	return true;
}

static bool compare(struct port *port, struct gpu *peer, u64 addr, u64 offset, void *rbuf,
		    const void *wbuf, size_t len)
{
	u8 chunk[PAGE_BYTES];
	int err = wbuf ? vfio_user_dma_write(&port->vu, addr, wbuf, len)
		       : vfio_user_dma_read(&port->vu, addr, rbuf, len);

	if (err)
		return false;
	/* a write through QEMU is posted: a read through it comes after */
	if (wbuf && vfio_user_dma_read(&port->vu, addr, chunk, 1))
		return false;
	for (size_t done = 0; done < len; done += sizeof(chunk)) {
		size_t n = len - done < sizeof(chunk) ? len - done : sizeof(chunk);

		direct(peer, offset + done, chunk, NULL, n);
		if (!memcmp(chunk, (wbuf ? (const u8 *)wbuf : (const u8 *)rbuf) + done, n))
			continue;
		port->machine->mismatches++;
		gpu_log(port->gpu, GPU_ERROR, "peer bytes at %#llx differ between the ways",
			(unsigned long long)(addr + done));
	}
	return true;
}

static bool peer_access(void *ctx, u64 addr, void *rbuf, const void *wbuf, size_t len)
{
	struct port *port = ctx;
	struct gpu *peer;
	u64 offset = 0;

	if (port->machine->mode == PEER_QEMU)
		return false;
	peer = find_peer(port, addr, len, &offset);
	if (!peer)
		return false;
	if (port->machine->mode == PEER_COMPARE)
		return compare(port, peer, addr, offset, rbuf, wbuf, len);
	if (!proven(port, peer, addr, offset, len))
		return false;
	direct(peer, offset, rbuf, wbuf, len);
	return true;
}

static bool peer_read(void *ctx, u64 addr, void *buf, size_t len)
{
	return peer_access(ctx, addr, buf, NULL, len);
}

static bool peer_write(void *ctx, u64 addr, const void *buf, size_t len)
{
	return peer_access(ctx, addr, NULL, buf, len);
}

static int message_read(void *ctx, u64 addr, void *buf, size_t len)
{
	struct port *port = ctx;

	return vfio_user_dma_read(&port->vu, addr, buf, len);
}

static int message_write(void *ctx, u64 addr, const void *buf, size_t len)
{
	struct port *port = ctx;

	return vfio_user_dma_write(&port->vu, addr, buf, len);
}

const struct bus_ops port_bus_ops = {
	.dma_read = message_read,
	.dma_write = message_write,
	.peer_read = peer_read,
	.peer_write = peer_write,
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
