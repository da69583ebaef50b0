/* SPDX-License-Identifier: MIT */
/* See wire.h. The protocol is written out here apart from the model's. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "wire.h"

enum {
	DMA_MAP = 2,
	DMA_UNMAP = 3,
	REGION_READ = 9,
	REGION_WRITE = 10,
	DMA_READ = 11,
	DMA_WRITE = 12,
};

enum {
	BAR0 = 0,
	BAR1 = 1,
	CONFIG = 7
};

#define REPLY	  1u
#define NO_REPLY  0x10u
#define ERROR	  0x20u
#define RAM_BYTES (4u << 20)

/* The bench itself must work; where it does not, there is nothing to test. */
static void must(bool ok)
{
	if (!ok)
		abort();
}

static void *serve(void *arg)
{
	vfio_user_serve(arg);
	return NULL;
}

struct wire *wire_new(struct gpu *const *gpus, unsigned int count)
{
	struct wire *wire = calloc(1, sizeof(*wire));

	wire->count = count;
	machine_init(&wire->machine);
	wire->machine.count = count;
	wire->ram_bytes = RAM_BYTES;
	wire->ram_fd = memfd_create("guest-ram", MFD_CLOEXEC);
	must(!ftruncate(wire->ram_fd, RAM_BYTES));
	wire->ram = mmap(NULL, RAM_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, wire->ram_fd, 0);
	for (unsigned int i = 0; i < count; i++) {
		struct port *port = &wire->machine.port[i];
		int pair[2];

		must(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
		port->machine = &wire->machine;
		port->gpu = gpus[i];
		must(!vfio_user_init(&port->vu, port->gpu, pair[0]));
		wire->port[i].sock = pair[1];
		pthread_mutex_lock(&port->gpu->lock);
		port->gpu->bus.ops = &port_bus_ops;
		port->gpu->bus.ctx = port;
		pthread_mutex_unlock(&port->gpu->lock);
		must(!engine_start(port->gpu));
		must(!pthread_create(&wire->port[i].server, NULL, serve, &port->vu));
	}
	return wire;
}

void wire_delete(struct wire *wire)
{
	for (unsigned int i = 0; i < wire->count; i++) {
		shutdown(wire->port[i].sock, SHUT_RDWR);
		pthread_join(wire->port[i].server, NULL);
		engine_stop(wire->machine.port[i].gpu);
		vfio_user_fini(&wire->machine.port[i].vu);
		close(wire->port[i].sock);
		for (unsigned int q = 0; q < wire->port[i].queued; q++)
			free(wire->port[i].queue[q].data);
	}
	munmap(wire->ram, wire->ram_bytes);
	close(wire->ram_fd);
	free(wire);
}

void wire_send(struct wire *wire, unsigned int gpu, const void *data, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = send(wire->port[gpu].sock, (const u8 *)data + done, len - done,
				 MSG_NOSIGNAL);

		if (n <= 0)
			return; /* what comes back, or does not, is the test's business */
		done += (size_t)n;
	}
}

static bool receive_bytes(int sock, void *buf, size_t len)
{
	return !len || recv(sock, buf, len, MSG_WAITALL) == (ssize_t)len;
}

static bool receive(struct wire *wire, unsigned int gpu, struct wire_message *message)
{
	int sock = wire->port[gpu].sock;

	if (!receive_bytes(sock, &message->header, sizeof(message->header)))
		return false;
	message->len = message->header.size - sizeof(message->header);
	message->data = malloc(message->len + 1);
	if (receive_bytes(sock, message->data, message->len))
		return true;
	free(message->data);
	return false;
}

static void send_with_fd(struct wire *wire, unsigned int gpu, const struct wire_header *header,
			 int fd)
{
	struct iovec iov = { (void *)(uintptr_t)header, sizeof(*header) };
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.bytes,
			      .msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	must(sendmsg(wire->port[gpu].sock, &msg, MSG_NOSIGNAL) == sizeof(*header));
}

int wire_request(struct wire *wire, unsigned int gpu, u16 command, const void *data, size_t len,
		 int fd, void *reply, size_t room)
{
	struct wire_port *port = &wire->port[gpu];
	struct wire_header header = { .id = ++port->id & 0x7fff,
				      .command = command,
				      .size = (u32)(sizeof(header) + len) };
	struct wire_message message;
	int error;

	if (fd >= 0)
		send_with_fd(wire, gpu, &header, fd);
	else
		wire_send(wire, gpu, &header, sizeof(header));
	wire_send(wire, gpu, data, len);
	for (;;) {
		if (!receive(wire, gpu, &message))
			return ECONNRESET;
		if ((message.header.flags & 0xf) == REPLY)
			break;
		must(port->queued < WIRE_QUEUE);
		port->queue[port->queued++] = message;
	}
	must(message.header.id == header.id && message.header.command == command);
	if (reply)
		memcpy(reply, message.data, message.len < room ? message.len : room);
	error = message.header.flags & ERROR ? (int)message.header.error : 0;
	free(message.data);
	return error;
}

struct access {
	u64 offset;
	u32 region, count;
};

int wire_read(struct wire *wire, unsigned int gpu, u32 region, u64 offset, void *buf, u32 len)
{
	struct access access = { offset, region, len };
	u8 *reply = malloc(sizeof(access) + len);
	int error = wire_request(wire, gpu, REGION_READ, &access, sizeof(access), -1, reply,
				 sizeof(access) + len);

	if (!error)
		memcpy(buf, reply + sizeof(access), len);
	free(reply);
	return error;
}

int wire_write(struct wire *wire, unsigned int gpu, u32 region, u64 offset, const void *buf,
	       u32 len)
{
	struct access access = { offset, region, len };
	u8 *data = malloc(sizeof(access) + len);
	int error;

	memcpy(data, &access, sizeof(access));
	memcpy(data + sizeof(access), buf, len);
	error = wire_request(wire, gpu, REGION_WRITE, data, sizeof(access) + len, -1, NULL, 0);
	free(data);
	return error;
}

u32 wire_read32(struct wire *wire, unsigned int gpu, u32 region, u64 offset)
{
	u32 val = 0;

	must(!wire_read(wire, gpu, region, offset, &val, sizeof(val)));
	return val;
}

void wire_write32(struct wire *wire, unsigned int gpu, u32 region, u64 offset, u32 val)
{
	must(!wire_write(wire, gpu, region, offset, &val, sizeof(val)));
}

int wire_map_ram(struct wire *wire, unsigned int gpu, bool with_file)
{
	const struct {
		u32 argsz, flags;
		u64 offset, addr, size;
	} map = { sizeof(map), 3, 0, 0, wire->ram_bytes };

	return wire_request(wire, gpu, DMA_MAP, &map, sizeof(map), with_file ? wire->ram_fd : -1,
			    NULL, 0);
}

u64 wire_bar1(unsigned int gpu)
{
	return WIRE_BAR1 + gpu * (UINT64_C(1) << 30);
}

void wire_enable(struct wire *wire, unsigned int gpu)
{
	u64 bar1 = wire_bar1(gpu) | 0xc;
	u16 command = 6;

	must(!wire_write(wire, gpu, CONFIG, 0x14, &bar1, 4));
	must(!wire_write(wire, gpu, CONFIG, 0x18, (u8 *)&bar1 + 4, 4));
	must(!wire_write(wire, gpu, CONFIG, 4, &command, sizeof(command)));
}

void wire_iommu_map(struct wire *wire, u64 iova, u64 addr, u64 bytes, bool writable)
{
	must(wire->iommu_entries < WIRE_IOMMU);
	wire->iommu[wire->iommu_entries++] = (struct wire_iommu){ iova, addr, bytes, writable };
	wire->has_iommu = true;
}

void wire_iommu_unmap(struct wire *wire, unsigned int gpu, u64 iova, u64 bytes)
{
	const struct {
		u32 argsz, flags;
		u64 addr, size;
	} unmap = { sizeof(unmap), 0, iova, bytes };
	unsigned int left = 0;

	for (unsigned int i = 0; i < wire->iommu_entries; i++)
		if (wire->iommu[i].iova - iova >= bytes)
			wire->iommu[left++] = wire->iommu[i];
	wire->iommu_entries = left;
	must(!wire_request(wire, gpu, DMA_UNMAP, &unmap, sizeof(unmap), -1, NULL, 0));
}

/* false: refused */
static bool translate(struct wire *wire, u64 *addr, size_t len, bool write)
{
	for (unsigned int i = 0; i < wire->iommu_entries; i++) {
		const struct wire_iommu *entry = &wire->iommu[i];

		if (*addr < entry->iova || *addr - entry->iova > entry->bytes ||
		    len > entry->bytes - (*addr - entry->iova) || (write && !entry->writable))
			continue;
		*addr += entry->addr - entry->iova;
		return true;
	}
	wire->iommu_faults += wire->has_iommu;
	return !wire->has_iommu;
}

/* pci_dma_read() or _write(): RAM, or a trapped BAR, 8 bytes at a time. */
static int bus_access(struct wire *wire, u64 addr, u8 *buf, size_t len, bool write)
{
	if (!translate(wire, &addr, len, write))
		return ENODEV;
	if (wire->redirect_bytes && addr >= wire->redirect_from &&
	    addr - wire->redirect_from < wire->redirect_bytes)
		addr = addr - wire->redirect_from + wire->redirect_to;
	if (addr < wire->ram_bytes && len <= wire->ram_bytes - addr) {
		memcpy(write ? wire->ram + addr : buf, write ? buf : wire->ram + addr, len);
		return 0;
	}
	for (unsigned int i = 0; i < wire->count; i++) {
		struct gpu *gpu = wire->machine.port[i].gpu;
		u64 base = wire_bar1(i);
		u16 command = (u16)wire_read32(wire, i, CONFIG, 4);

		if (!(command & 2) || addr < base || addr - base >= gpu->config.bar1_bytes)
			continue;
		for (size_t done = 0; done < len; done += 8) {
			u32 n = len - done < 8 ? (u32)(len - done) : 8;
			int error =
				write ? wire_write(wire, i, BAR1, addr - base + done, buf + done, n)
				      : wire_read(wire, i, BAR1, addr - base + done, buf + done, n);

			wire->region_messages++;
			if (error)
				return error;
		}
		return 0;
	}
	return ENODEV;
}

static void answer(struct wire *wire, unsigned int gpu, struct wire_message *message)
{
	struct {
		struct wire_header header;
		u64 addr, count;
		u8 data[1 << 20];
	} *reply = calloc(1, sizeof(*reply));
	bool write = message->header.command == DMA_WRITE;
	size_t len = 0;
	int error;

	must(write || message->header.command == DMA_READ);
	memcpy(&reply->addr, message->data, 16);
	must(reply->count <= sizeof(reply->data));
	must(!write || message->len == 16 + reply->count);
	if (wire->cpu_reads) {
		u64 word;

		must(!wire_read(wire, 1, BAR1, wire->cpu_offset, &word, sizeof(word)));
	}
	error = bus_access(wire, reply->addr, write ? message->data + 16 : reply->data,
			   reply->count, write);
	if (!error)
		len = 16 + (write ? 0 : reply->count);
	reply->header = (struct wire_header){ .id = message->header.id,
					      .command = message->header.command,
					      .size = (u32)(sizeof(reply->header) + len),
					      .flags = REPLY | (error ? ERROR : 0),
					      .error = (u32)error };
	wire_send(wire, gpu, reply, sizeof(reply->header) + len);
	free(reply);
}

static bool answer_queued(struct wire *wire)
{
	bool any = false;

	for (unsigned int i = 0; i < wire->count; i++) {
		while (wire->port[i].queued) {
			struct wire_message message = wire->port[i].queue[0];

			memmove(&wire->port[i].queue[0], &wire->port[i].queue[1],
				--wire->port[i].queued * sizeof(message));
			answer(wire, i, &message);
			free(message.data);
			any = true;
		}
	}
	return any;
}

void wire_answer(struct wire *wire)
{
	struct pollfd fd;

	do {
		for (unsigned int i = 0; i < wire->count; i++) {
			fd = (struct pollfd){ .fd = wire->port[i].sock, .events = POLLIN };
			if (poll(&fd, 1, 0) > 0 &&
			    receive(wire, i, &wire->port[i].queue[wire->port[i].queued]))
				wire->port[i].queued++;
		}
	} while (answer_queued(wire));
}

static void wait_for_requests(struct wire *wire)
{
	struct pollfd fds[WIRE_GPUS];

	for (unsigned int i = 0; i < wire->count; i++)
		fds[i] = (struct pollfd){ .fd = wire->port[i].sock, .events = POLLIN };
	if (poll(fds, wire->count, 1) <= 0)
		return;
	for (unsigned int i = 0; i < wire->count; i++)
		if ((fds[i].revents & POLLIN) &&
		    receive(wire, i, &wire->port[i].queue[wire->port[i].queued]))
			wire->port[i].queued++;
}

bool wire_pump(struct wire *wire, const u32 *word, u32 old)
{
	time_t end = time(NULL) + 10;

	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == old) {
		if (time(NULL) > end)
			return false;
		if (!answer_queued(wire))
			wait_for_requests(wire);
	}
	return true;
}
