/* SPDX-License-Identifier: MIT */
/*
 * gp100: the GPUs of one machine, each served on a socket to which QEMU's vfio-user-pci
 * connects. Runs until the last client has gone.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "control.h"
#include "machine.h"

struct options {
	const char *dir, *stats, *log;
	unsigned int gpus, first;
	u64 vram, bar1; /* MiB */
	u32 channels, fault_entries;
	unsigned int below[MACHINE_GPUS], switches;
	enum peer_mode mode;
	struct engine_delay delay;
	int ready_fd;
};

static const char usage[] =
	"usage: gp100 --gpus N --dir DIR [option...]\n"
	"  --gpus N         GPUs to make; sockets are DIR/gpuI.sock and DIR/control.sock\n"
	"  --first I        number of the first one (0)\n"
	"  --vram MIB       memory of each (1024)\n"
	"  --bar1 MIB       size of each one's BAR1, a power of two (1024)\n"
	"  --channels N     channels of each (4096)\n"
	"  --fault-entries N\n"
	"                   entries of each one's buffer of replayable faults (4608)\n"
	"  --peer MODE      auto, qemu (all through QEMU) or compare (both)\n"
	"  --switch N       the switch above a GPU, which carries requests to others below it\n"
	"                   across, without QEMU; 0: none; once for each GPU (0)\n"
	"  --delay ce=US,gr=US,host=US,mmu=US  slow units down\n"
	"  --stats FILE     write the counters there at the end, as JSON\n"
	"  --log FILE       log there, in detail, instead of warnings to stderr\n"
	"  --ready-fd FD    write one byte there when the sockets listen\n";

static void fail(const char *what, const char *detail)
{
	fprintf(stderr, "gp100: %s: %s\n", what, detail);
	exit(2);
}

static u64 number(const char *name, const char *text, u64 min, u64 max)
{
	char *end;
	unsigned long long val;

	errno = 0;
	val = strtoull(text, &end, 0);
	if (errno || end == text || *end || *text == '-' || val < min || val > max) {
		fprintf(stderr, "gp100: %s wants a number from %llu to %llu, not \"%s\"\n", name,
			(unsigned long long)min, (unsigned long long)max, text);
		exit(2);
	}
	return val;
}

static void parse_delays(struct engine_delay *delay, char *text)
{
	for (char *save, *item = strtok_r(text, ",", &save); item;
	     item = strtok_r(NULL, ",", &save)) {
		char *us = strchr(item, '=');

		if (us)
			*us++ = '\0';
		if (!us || !control_set_delay(delay, item, us))
			fail("--delay wants ce=US,gr=US,host=US,mmu=US, not", item);
	}
}

static enum peer_mode parse_mode(const char *text)
{
	if (!strcmp(text, "auto"))
		return PEER_AUTO;
	if (!strcmp(text, "qemu"))
		return PEER_QEMU;
	if (!strcmp(text, "compare"))
		return PEER_COMPARE;
	fail("--peer wants auto, qemu or compare, not", text);
	return PEER_AUTO;
}

static struct options parse(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "gpus", required_argument, NULL, 'g' },
		{ "dir", required_argument, NULL, 'd' },
		{ "first", required_argument, NULL, 'f' },
		{ "vram", required_argument, NULL, 'v' },
		{ "bar1", required_argument, NULL, 'b' },
		{ "channels", required_argument, NULL, 'c' },
		{ "fault-entries", required_argument, NULL, 'F' },
		{ "peer", required_argument, NULL, 'p' },
		{ "switch", required_argument, NULL, 'S' },
		{ "delay", required_argument, NULL, 'D' },
		{ "stats", required_argument, NULL, 's' },
		{ "log", required_argument, NULL, 'l' },
		{ "ready-fd", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct options o = { .vram = 1024, .bar1 = 1024, .ready_fd = -1 };
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'g':
			o.gpus = (unsigned int)number("--gpus", optarg, 1, MACHINE_GPUS);
			break;
		case 'd':
			o.dir = optarg;
			break;
		case 'f':
			o.first = (unsigned int)number("--first", optarg, 0, 255);
			break;
		case 'v':
			o.vram = number("--vram", optarg, 64, 1 << 17);
			break;
		case 'b':
			o.bar1 = number("--bar1", optarg, 64, 1 << 17);
			break;
		case 'c':
			o.channels = (u32)number("--channels", optarg, 64, chip_gp100.channels);
			break;
		case 'F':
			o.fault_entries = (u32)number("--fault-entries", optarg, 2,
						      chip_gp100.fault_buffer_entries);
			break;
		case 'p':
			o.mode = parse_mode(optarg);
			break;
		case 'S':
			if (o.switches == MACHINE_GPUS)
				fail("more than there are GPUs", "--switch");
			o.below[o.switches++] = (unsigned int)number("--switch", optarg, 0, 255);
			break;
		case 'D':
			parse_delays(&o.delay, optarg);
			break;
		case 's':
			o.stats = optarg;
			break;
		case 'l':
			o.log = optarg;
			break;
		case 'r':
			o.ready_fd = (int)number("--ready-fd", optarg, 0, 1 << 20);
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			fputs(usage, stderr);
			exit(2);
		}
	}
	if (!o.gpus || !o.dir || optind != argc) {
		fputs(usage, stderr);
		exit(2);
	}
	return o;
}

static int listen_at(const char *dir, const char *name)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if ((size_t)snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/%s", dir, name) >=
	    sizeof(addr.sun_path))
		fail("path too long for a socket; give a shorter --dir than", dir);
	unlink(addr.sun_path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, 1))
		fail(addr.sun_path, strerror(errno));
	return fd;
}

static void *serve(void *arg)
{
	struct port *port = arg;
	struct gpu *gpu = port->gpu;
	int err, sock = accept4(port->listener, NULL, NULL, SOCK_CLOEXEC);

	close(port->listener);
	if (sock < 0)
		fail("accept", strerror(errno));
	err = vfio_user_init(&port->vu, gpu, sock);
	if (err)
		fail("connection", strerror(-err));
	pthread_mutex_lock(&gpu->lock);
	gpu->bus.ops = &port_bus_ops;
	gpu->bus.ctx = port;
	pthread_mutex_unlock(&gpu->lock);
	if (engine_start(gpu))
		exit(1);
	err = vfio_user_serve(&port->vu);
	if (err)
		gpu_log(gpu, GPU_ERROR, "connection ended: %s", strerror(-err));
	engine_stop(gpu);
	return NULL;
}

static void make_port(struct machine *machine, unsigned int i, const struct options *o)
{
	const struct gpu_config config = {
		.chip = &chip_gp100,
		.index = o->first + i,
		.vram_bytes = o->vram << 20,
		.bar1_bytes = o->bar1 << 20,
		.channels = o->channels,
		.fault_entries = o->fault_entries,
	};
	struct port *port = &machine->port[i];
	char name[32];

	port->machine = machine;
	port->below = o->below[i];
	port->gpu = gpu_create(&config);
	if (!port->gpu)
		exit(2);
	port->gpu->engine.delay = o->delay;
	snprintf(name, sizeof(name), "gpu%u.sock", config.index);
	port->listener = listen_at(o->dir, name);
}

struct control {
	struct machine *machine;
	int listener;
};

static void *control(void *arg)
{
	struct control *control = arg;

	for (;;) {
		int fd = accept4(control->listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd >= 0)
			control_serve(control->machine, fd);
	}
	return NULL;
}

static void start_thread(pthread_t *thread, void *(*fn)(void *), void *arg)
{
	int err = pthread_create(thread, NULL, fn, arg);

	if (err)
		fail("no thread", strerror(err));
}

int main(int argc, char **argv)
{
	struct options o = parse(argc, argv);
	static struct machine machine;
	static struct control ctl;
	pthread_t control_thread;
	FILE *log = stderr;
	int err;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	if (o.log) {
		log = fopen(o.log, "w");
		if (!log)
			fail(o.log, strerror(errno));
		setlinebuf(log);
		gpu_log_to(log, GPU_INFO);
	}
	machine_init(&machine);
	machine.mode = o.mode;
	for (; machine.count < o.gpus; machine.count++)
		make_port(&machine, machine.count, &o);
	ctl = (struct control){ &machine, listen_at(o.dir, "control.sock") };
	start_thread(&control_thread, control, &ctl);
	for (unsigned int i = 0; i < machine.count; i++)
		start_thread(&machine.port[i].thread, serve, &machine.port[i]);
	if (o.ready_fd >= 0 && write(o.ready_fd, "R", 1) != 1)
		fail("--ready-fd", strerror(errno));

	for (unsigned int i = 0; i < machine.count; i++)
		pthread_join(machine.port[i].thread, NULL);
	for (unsigned int i = 0; i < machine.count; i++)
		mmio_burn_down(machine.port[i].gpu, log);
	if (o.stats) {
		err = machine_write_stats(&machine, o.stats);
		if (err)
			fail(o.stats, strerror(-err));
	}
	return 0;
}
