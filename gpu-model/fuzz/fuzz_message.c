/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: the vfio-user server. The input is a stream, either as it is or as a list of
 * messages whose headers are right: command, length of the payload, payload.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "fuzz.h"
#include "machine.h"

#define COMMANDS 16
#define NO_REPLY 0x10

static struct bench *bench;

struct input {
	const u8 *data;
	size_t size;
	int sock;
};

static void *drain(void *arg)
{
	char bytes[65536];

	while (read(*(int *)arg, bytes, sizeof(bytes)) > 0)
		continue;
	return NULL;
}

static void send_all(int sock, const void *data, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = send(sock, (const u8 *)data + done, len - done, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		done += (size_t)n;
	}
}

static void *feed(void *arg)
{
	const struct input *input = arg;
	const u8 *at = input->data + 1, *end = input->data + input->size;

	if (input->data[0] & 1) {
		send_all(input->sock, at, (size_t)(end - at));
		at = end;
	}
	while (end - at >= 2) {
		size_t len = at[1];
		struct {
			u16 id, command;
			u32 size, flags, error;
		} header = { .id = 1,
			     .command = at[0] % COMMANDS,
			     .flags = at[0] & 0x80 ? NO_REPLY : 0 };

		at += 2;
		if (len > (size_t)(end - at))
			len = (size_t)(end - at);
		header.size = (u32)(sizeof(header) + len);
		send_all(input->sock, &header, sizeof(header));
		send_all(input->sock, at, len);
		at += len;
	}
	shutdown(input->sock, SHUT_WR);
	return NULL;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input input = { .data = data, .size = size };
	pthread_t feeder, drainer;
	struct vfio_user vu;
	struct gpu *gpu;
	int pair[2];

	if (!size)
		return 0;
	if (!bench) {
		bench = bench_new();
		gpu_log_to(fopen("/dev/null", "w"), GPU_ERROR);
	}
	gpu = bench->gpu;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) || vfio_user_init(&vu, gpu, pair[0]))
		abort();
	input.sock = pair[1];
	if (pthread_create(&drainer, NULL, drain, &pair[1]) ||
	    pthread_create(&feeder, NULL, feed, &input))
		abort();
	vfio_user_serve(&vu);
	shutdown(pair[0], SHUT_RDWR);
	pthread_join(feeder, NULL);
	pthread_join(drainer, NULL);
	vfio_user_fini(&vu);
	close(pair[1]);
	pthread_mutex_lock(&gpu->lock);
	dma_map_remove(&gpu->bus.map, 0, UINT64_MAX);
	pthread_mutex_unlock(&gpu->lock);
	return 0;
}
