/* SPDX-License-Identifier: MIT */
/* See vfio_user.h. Source: QEMU's docs/interop/vfio-user.rst, and what QEMU 11.1 does. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "gpu.h"
#include "vfio_user.h"

enum command {
	VERSION = 1,
	DMA_MAP = 2,
	DMA_UNMAP = 3,
	DEVICE_GET_INFO = 4,
	DEVICE_GET_REGION_INFO = 5,
	DEVICE_GET_IRQ_INFO = 7,
	DEVICE_SET_IRQS = 8,
	REGION_READ = 9,
	REGION_WRITE = 10,
	DMA_READ = 11,
	DMA_WRITE = 12,
	DEVICE_RESET = 13,
	REGION_WRITE_MULTI = 15,
};

struct header {
	u16 id, command;
	u32 size, flags, error;
};

#define FLAG_TYPE_MASK	0x0f
#define FLAG_TYPE_REPLY 0x01
#define FLAG_NO_REPLY	0x10
#define FLAG_ERROR	0x20

#define MAX_FDS	      16
#define MAX_TRANSFER  (1u << 20)
#define MESSAGE_BYTES (MAX_TRANSFER + 4096)
/* QEMU 11.1 takes a short write of its reply for a whole one: larger reads break the stream. */
#define DMA_READ_BYTES	(32u << 10)
#define DMA_WRITE_BYTES (256u << 10)
#define OUR_FIRST_ID	0x8000

/* Not longer than QEMU's request, or QEMU gives up. */
static const char capabilities[] =
	"{\"capabilities\":{\"max_msg_fds\":16,\"max_data_xfer_size\":1048576,"
	"\"write_multiple\":true}}";

struct version {
	u16 major, minor;
};

struct dma_map_request {
	u32 argsz, flags;
	u64 offset, addr, size;
};

struct dma_unmap_request {
	u32 argsz, flags;
	u64 addr, size;
};

#define DMA_MAP_READ  BIT(0)
#define DMA_MAP_WRITE BIT(1)
#define DMA_UNMAP_ALL BIT(1)

struct region_access {
	u64 offset;
	u32 region, count;
};

struct region_write_multi {
	u64 offset;
	u32 region, count;
	u64 data;
};

struct dma_access {
	u64 addr, count;
};

struct message {
	struct header header;
	const u8 *data;
	size_t len;
	int fds[MAX_FDS];
	unsigned int fd_count;
};

static int send_all(struct vfio_user *vu, struct iovec *iov, int count)
{
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = (size_t)count };
	int err = 0;

	pthread_mutex_lock(&vu->send_lock);
	while (msg.msg_iovlen && !err) {
		ssize_t n = sendmsg(vu->sock, &msg, MSG_NOSIGNAL);

		if (n < 0) {
			if (errno != EINTR)
				err = -errno;
			continue;
		}
		while (msg.msg_iovlen && (size_t)n >= msg.msg_iov->iov_len) {
			n -= (ssize_t)msg.msg_iov->iov_len;
			msg.msg_iov++;
			msg.msg_iovlen--;
		}
		if (msg.msg_iovlen) {
			msg.msg_iov->iov_base = (u8 *)msg.msg_iov->iov_base + n;
			msg.msg_iov->iov_len -= (size_t)n;
		}
	}
	pthread_mutex_unlock(&vu->send_lock);
	return err;
}

static int reply(struct vfio_user *vu, const struct message *message, void *data, size_t len)
{
	struct header header = { .id = message->header.id,
				 .command = message->header.command,
				 .size = (u32)(sizeof(header) + len),
				 .flags = FLAG_TYPE_REPLY };
	struct iovec iov[] = { { &header, sizeof(header) }, { data, len } };

	if (message->header.flags & FLAG_NO_REPLY)
		return 0;
	return send_all(vu, iov, len ? 2 : 1);
}

static int reply_error(struct vfio_user *vu, const struct message *message, int error)
{
	struct header header = { .id = message->header.id,
				 .command = message->header.command,
				 .size = sizeof(header),
				 .flags = FLAG_TYPE_REPLY | FLAG_ERROR,
				 .error = (u32)error };
	struct iovec iov = { &header, sizeof(header) };

	if (message->header.flags & FLAG_NO_REPLY)
		return 0;
	return send_all(vu, &iov, 1);
}

static void take_fds(struct message *message, struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			if (message->fd_count < MAX_FDS)
				message->fds[message->fd_count++] = fd;
			else
				close(fd);
		}
	}
}

/* Returns 1, 0 at the end of the stream, or a negative errno. */
static int receive_all(struct vfio_user *vu, void *buf, size_t len, struct message *message)
{
	for (size_t done = 0; done < len;) {
		union {
			char bytes[CMSG_SPACE(MAX_FDS * sizeof(int))];
			struct cmsghdr align;
		} control;
		struct iovec iov = { (u8 *)buf + done, len - done };
		struct msghdr msg = { .msg_iov = &iov,
				      .msg_iovlen = 1,
				      .msg_control = control.bytes,
				      .msg_controllen = sizeof(control.bytes) };
		ssize_t n = recvmsg(vu->sock, &msg, MSG_CMSG_CLOEXEC);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == ECONNRESET ? 0 : -errno;
		take_fds(message, &msg);
		if (!n)
			return 0;
		done += (size_t)n;
	}
	return 1;
}

static void close_fds(struct message *message)
{
	for (unsigned int i = 0; i < message->fd_count; i++)
		close(message->fds[i]);
	message->fd_count = 0;
}

/* The payload as a structure; what it lacks is zero. */
static void payload(const struct message *message, void *out, size_t size)
{
	memset(out, 0, size);
	memcpy(out, message->data, message->len < size ? message->len : size);
}

static int on_version(struct vfio_user *vu, const struct message *message)
{
	struct version version = { 0, 0 };
	u8 out[sizeof(version) + sizeof(capabilities)];

	memcpy(out, &version, sizeof(version));
	memcpy(out + sizeof(version), capabilities, sizeof(capabilities));
	return reply(vu, message, out, sizeof(out));
}

/* The file's memory, or NULL: it is used by message, then. Beyond its end there would be SIGBUS. */
static u8 *map_file(int fd, const struct dma_map_request *request)
{
	int prot = PROT_READ | (request->flags & DMA_MAP_WRITE ? PROT_WRITE : 0);
	struct stat st;
	void *memory;

	if (fstat(fd, &st) || request->offset > (u64)st.st_size ||
	    request->size > (u64)st.st_size - request->offset)
		return NULL;
	memory = mmap(NULL, request->size, prot, MAP_SHARED, fd, (off_t)request->offset);
	return memory == MAP_FAILED ? NULL : memory;
}

static int on_dma_map(struct vfio_user *vu, struct message *message)
{
	struct dma_map_request request;
	struct dma_range range;
	int err;

	payload(message, &request, sizeof(request));
	range = (struct dma_range){ .addr = request.addr,
				    .size = request.size,
				    .writable = request.flags & DMA_MAP_WRITE };
	if (message->fd_count)
		range.memory = map_file(message->fds[0], &request);
	pthread_mutex_lock(&vu->gpu->lock);
	err = dma_map_add(&vu->gpu->bus.map, &range);
	pthread_mutex_unlock(&vu->gpu->lock);
	if (!err)
		return reply(vu, message, NULL, 0);
	if (range.memory)
		munmap(range.memory, range.size);
	return reply_error(vu, message, -err);
}

static int on_dma_unmap(struct vfio_user *vu, const struct message *message)
{
	struct dma_unmap_request request;

	payload(message, &request, sizeof(request));
	if (request.flags & DMA_UNMAP_ALL) {
		request.addr = 0;
		request.size = UINT64_MAX;
	}
	pthread_mutex_lock(&vu->gpu->lock);
	dma_map_remove(&vu->gpu->bus.map, request.addr, request.size);
	pthread_mutex_unlock(&vu->gpu->lock);
	return reply(vu, message, &request, sizeof(request));
}

static int on_get_info(struct vfio_user *vu, const struct message *message)
{
	struct vfio_device_info info = { .argsz = 16,
					 .flags = VFIO_DEVICE_FLAGS_RESET | VFIO_DEVICE_FLAGS_PCI,
					 .num_regions = VFIO_PCI_NUM_REGIONS,
					 .num_irqs = VFIO_PCI_NUM_IRQS };

	return reply(vu, message, &info, info.argsz);
}

static u64 region_size(const struct gpu *gpu, u32 index)
{
	if (index < PCI_BAR_COUNT)
		return gpu->pci.bar_size[index];
	return index == VFIO_PCI_CONFIG_REGION_INDEX ? PCI_CONFIG_BYTES : 0;
}

/* No region can be mapped: all are translated or have side effects. */
static int on_get_region_info(struct vfio_user *vu, const struct message *message)
{
	struct vfio_region_info info;

	payload(message, &info, sizeof(info));
	info = (struct vfio_region_info){ .argsz = sizeof(info),
					  .index = info.index,
					  .size = region_size(vu->gpu, info.index) };
	if (info.size)
		info.flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	return reply(vu, message, &info, sizeof(info));
}

static int on_get_irq_info(struct vfio_user *vu, const struct message *message)
{
	struct vfio_irq_info info;
	bool have;

	payload(message, &info, sizeof(info));
	have = info.index == VFIO_PCI_MSI_IRQ_INDEX || info.index == VFIO_PCI_ERR_IRQ_INDEX ||
	       info.index == VFIO_PCI_REQ_IRQ_INDEX;
	info = (struct vfio_irq_info){ .argsz = sizeof(info),
				       .flags = VFIO_IRQ_INFO_EVENTFD,
				       .index = info.index,
				       .count = have };
	return reply(vu, message, &info, sizeof(info));
}

static void set_irq_fd(struct vfio_user *vu, int fd)
{
	pthread_mutex_lock(&vu->gpu->lock);
	if (vu->irq_fd >= 0)
		close(vu->irq_fd);
	vu->irq_fd = fd;
	pthread_mutex_unlock(&vu->gpu->lock);
}

static int on_set_irqs(struct vfio_user *vu, struct message *message)
{
	struct vfio_irq_set set;

	payload(message, &set, sizeof(set));
	if (set.index == VFIO_PCI_MSI_IRQ_INDEX) {
		if ((set.flags & VFIO_IRQ_SET_DATA_EVENTFD) && message->fd_count)
			set_irq_fd(vu, message->fds[--message->fd_count]);
		else if ((set.flags & VFIO_IRQ_SET_DATA_NONE) && !set.count)
			set_irq_fd(vu, -1);
	}
	return reply(vu, message, NULL, 0);
}

/* BAR0 and configuration space take words at most; longer accesses are several. */
static void piecewise(struct gpu *gpu, u32 region, u64 offset, u8 *rbuf, const u8 *wbuf, u32 count)
{
	for (u32 done = 0; done < count;) {
		u64 at = offset + done;
		unsigned int size = 8;
		u64 val = 0;

		while (at % size || size > count - done ||
		       (size > 4 && region == VFIO_PCI_CONFIG_REGION_INDEX))
			size /= 2;
		if (wbuf)
			memcpy(&val, wbuf + done, size);
		if (region == VFIO_PCI_CONFIG_REGION_INDEX) {
			if (wbuf)
				pci_config_write(gpu, (u32)at, (u32)val, size);
			else
				val = pci_config_read(gpu, (u32)at, size);
		} else if (wbuf) {
			mmio_write(gpu, (u32)at, val, size);
		} else {
			val = mmio_read(gpu, (u32)at, size);
		}
		if (rbuf)
			memcpy(rbuf + done, &val, size);
		done += size;
	}
}

static void read_bar1(struct gpu *gpu, u64 offset, u8 *buf, u32 count)
{
	engine_settle(gpu);
	bar1_read(gpu, offset, buf, count, CLIENT_CPU);
}

static void sleep_us(u32 us)
{
	struct timespec ts = { us / 1000000, us % 1000000 * 1000L };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

/* Returns 0 or a positive errno. */
static int region_access(struct gpu *gpu, u32 region, u64 offset, u8 *rbuf, const u8 *wbuf,
			 u32 count)
{
	u64 size = region_size(gpu, region);
	u32 held;

	if (!size || offset > size || count > size - offset)
		return EINVAL;
	pthread_mutex_lock(&gpu->lock);
	switch (region) {
	case VFIO_PCI_BAR0_REGION_INDEX:
	case VFIO_PCI_CONFIG_REGION_INDEX:
		piecewise(gpu, region, offset, rbuf, wbuf, count);
		break;
	case VFIO_PCI_BAR1_REGION_INDEX:
		if (wbuf)
			bar1_write(gpu, offset, wbuf, count, CLIENT_CPU);
		else
			read_bar1(gpu, offset, rbuf, count);
		break;
	default:
		if (wbuf)
			bar2_write(gpu, offset, wbuf, count);
		else
			bar2_read(gpu, offset, rbuf, count);
		break;
	}
	held = mmio_held(gpu);
	pthread_mutex_unlock(&gpu->lock);
	if (held)
		sleep_us(held);
	return 0;
}

static int on_region_read(struct vfio_user *vu, const struct message *message)
{
	struct region_access access;
	int error;

	payload(message, &access, sizeof(access));
	if (access.count > MAX_TRANSFER)
		return reply_error(vu, message, EINVAL);
	memcpy(vu->reply, &access, sizeof(access));
	error = region_access(vu->gpu, access.region, access.offset, vu->reply + sizeof(access),
			      NULL, access.count);
	return error ? reply_error(vu, message, error)
		     : reply(vu, message, vu->reply, sizeof(access) + access.count);
}

static int on_region_write(struct vfio_user *vu, const struct message *message)
{
	struct region_access access;
	int error = EINVAL;

	payload(message, &access, sizeof(access));
	if (message->len >= sizeof(access) && access.count <= message->len - sizeof(access))
		error = region_access(vu->gpu, access.region, access.offset, NULL,
				      message->data + sizeof(access), access.count);
	return error ? reply_error(vu, message, error)
		     : reply(vu, message, &access, sizeof(access));
}

/* Posted writes in a bunch: there is nobody to tell which of them was wrong. */
static int on_region_write_multi(struct vfio_user *vu, const struct message *message)
{
	struct region_write_multi write;
	u64 count;

	payload(message, &count, sizeof(count));
	for (u64 i = 0; i < count; i++) {
		size_t at = sizeof(count) + i * sizeof(write);

		if (at > message->len || message->len - at < sizeof(write))
			return reply_error(vu, message, EINVAL);
		memcpy(&write, message->data + at, sizeof(write));
		if (write.count > sizeof(write.data) ||
		    region_access(vu->gpu, write.region, write.offset, NULL,
				  (const u8 *)&write.data, write.count))
			gpu_log(vu->gpu, GPU_WARN, "posted write to region %u at %#llx ignored",
				write.region, (unsigned long long)write.offset);
	}
	return reply(vu, message, NULL, 0);
}

static int on_reset(struct vfio_user *vu, const struct message *message)
{
	pthread_mutex_lock(&vu->gpu->lock);
	pci_reset(vu->gpu);
	gpu_reset(vu->gpu);
	pthread_mutex_unlock(&vu->gpu->lock);
	return reply(vu, message, NULL, 0);
}

/* The reply to a DMA request of ours. */
static int on_dma_reply(struct vfio_user *vu, const struct message *message)
{
	int err = 0;

	pthread_mutex_lock(&vu->dma_lock);
	if (!vu->waiting || message->header.id != vu->id) {
		err = -EPROTO;
	} else {
		vu->err = 0;
		if (message->header.flags & FLAG_ERROR)
			vu->err = message->header.error ? -(int)message->header.error : -EIO;
		else if (vu->buf && message->len == sizeof(struct dma_access) + vu->len)
			memcpy(vu->buf, message->data + sizeof(struct dma_access), vu->len);
		else if (vu->buf)
			vu->err = -EIO;
		vu->waiting = false;
		pthread_cond_signal(&vu->dma_done);
	}
	pthread_mutex_unlock(&vu->dma_lock);
	return err;
}

static int dispatch(struct vfio_user *vu, struct message *message)
{
	if ((message->header.flags & FLAG_TYPE_MASK) == FLAG_TYPE_REPLY)
		return on_dma_reply(vu, message);
	switch (message->header.command) {
	case VERSION:
		return on_version(vu, message);
	case DMA_MAP:
		return on_dma_map(vu, message);
	case DMA_UNMAP:
		return on_dma_unmap(vu, message);
	case DEVICE_GET_INFO:
		return on_get_info(vu, message);
	case DEVICE_GET_REGION_INFO:
		return on_get_region_info(vu, message);
	case DEVICE_GET_IRQ_INFO:
		return on_get_irq_info(vu, message);
	case DEVICE_SET_IRQS:
		return on_set_irqs(vu, message);
	case REGION_READ:
		return on_region_read(vu, message);
	case REGION_WRITE:
		return on_region_write(vu, message);
	case REGION_WRITE_MULTI:
		return on_region_write_multi(vu, message);
	case DEVICE_RESET:
		return on_reset(vu, message);
	}
	return reply_error(vu, message, ENOTSUP);
}

static int serve_one(struct vfio_user *vu)
{
	struct message message = { .data = vu->message };
	int err = receive_all(vu, &message.header, sizeof(message.header), &message);

	if (err <= 0)
		goto out;
	if (message.header.size < sizeof(message.header) ||
	    message.header.size - sizeof(message.header) > MESSAGE_BYTES) {
		gpu_log(vu->gpu, GPU_ERROR, "vfio-user: a message of %u bytes makes no sense",
			message.header.size);
		err = -EPROTO;
		goto out;
	}
	message.len = message.header.size - sizeof(message.header);
	err = receive_all(vu, vu->message, message.len, &message);
	if (err <= 0)
		goto out;
	err = dispatch(vu, &message);
	if (!err)
		err = 1;
out:
	close_fds(&message);
	return err;
}

int vfio_user_serve(struct vfio_user *vu)
{
	int err;

	do
		err = serve_one(vu);
	while (err > 0);
	/* nobody answers the engine thread any more */
	pthread_mutex_lock(&vu->dma_lock);
	vu->closed = true;
	pthread_cond_signal(&vu->dma_done);
	pthread_mutex_unlock(&vu->dma_lock);
	return err == -EPIPE ? 0 : err;
}

static int dma_request(struct vfio_user *vu, enum command command, u64 addr, void *rbuf,
		       const void *wbuf, size_t len)
{
	struct dma_access access = { addr, len };
	struct header header = { .command = (u16)command };
	struct iovec iov[] = { { &header, sizeof(header) },
			       { &access, sizeof(access) },
			       { (void *)(uintptr_t)wbuf, wbuf ? len : 0 } };
	int err;

	pthread_mutex_lock(&vu->dma_lock);
	vu->id = (u16)((vu->id + 1) | OUR_FIRST_ID);
	vu->buf = rbuf;
	vu->len = len;
	vu->waiting = true;
	header.id = vu->id;
	header.size = (u32)(sizeof(header) + sizeof(access) + (wbuf ? len : 0));
	pthread_mutex_unlock(&vu->dma_lock);

	err = send_all(vu, iov, wbuf ? 3 : 2);

	pthread_mutex_lock(&vu->dma_lock);
	while (!err && vu->waiting && !vu->closed)
		pthread_cond_wait(&vu->dma_done, &vu->dma_lock);
	if (!err)
		err = vu->waiting ? -ENODEV : vu->err;
	vu->waiting = false;
	pthread_mutex_unlock(&vu->dma_lock);
	return err;
}

int vfio_user_dma_read(struct vfio_user *vu, u64 addr, void *buf, size_t len)
{
	int err = 0;

	for (size_t done = 0; done < len && !err; done += DMA_READ_BYTES) {
		size_t n = len - done < DMA_READ_BYTES ? len - done : DMA_READ_BYTES;

		err = dma_request(vu, DMA_READ, addr + done, (u8 *)buf + done, NULL, n);
	}
	return err;
}

int vfio_user_dma_write(struct vfio_user *vu, u64 addr, const void *buf, size_t len)
{
	int err = 0;

	for (size_t done = 0; done < len && !err; done += DMA_WRITE_BYTES) {
		size_t n = len - done < DMA_WRITE_BYTES ? len - done : DMA_WRITE_BYTES;

		err = dma_request(vu, DMA_WRITE, addr + done, NULL, (const u8 *)buf + done, n);
	}
	return err;
}

static void send_irq(void *ctx)
{
	const struct vfio_user *vu = ctx;
	u64 one = 1;

	if (vu->irq_fd >= 0 && write(vu->irq_fd, &one, sizeof(one)) != sizeof(one))
		gpu_log(vu->gpu, GPU_ERROR, "MSI lost: %s", strerror(errno));
}

int vfio_user_init(struct vfio_user *vu, struct gpu *gpu, int sock)
{
	*vu = (struct vfio_user){ .gpu = gpu, .sock = sock, .irq_fd = -1 };
	vu->message = malloc(MESSAGE_BYTES);
	vu->reply = malloc(MESSAGE_BYTES);
	if (!vu->message || !vu->reply) {
		free(vu->message);
		free(vu->reply);
		return -ENOMEM;
	}
	pthread_mutex_init(&vu->send_lock, NULL);
	pthread_mutex_init(&vu->dma_lock, NULL);
	pthread_cond_init(&vu->dma_done, NULL);
	pthread_mutex_lock(&gpu->lock);
	gpu->pci.irq = send_irq;
	gpu->pci.irq_ctx = vu;
	pthread_mutex_unlock(&gpu->lock);
	return 0;
}

void vfio_user_fini(struct vfio_user *vu)
{
	pthread_mutex_lock(&vu->gpu->lock);
	vu->gpu->pci.irq = NULL;
	if (vu->irq_fd >= 0)
		close(vu->irq_fd);
	pthread_mutex_unlock(&vu->gpu->lock);
	close(vu->sock);
	free(vu->message);
	free(vu->reply);
	pthread_mutex_destroy(&vu->send_lock);
	pthread_mutex_destroy(&vu->dma_lock);
	pthread_cond_destroy(&vu->dma_done);
}
