/* SPDX-License-Identifier: MIT */
/* The control socket, and what a guest could do to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "bench.h"
#include "control.h"

struct fixture {
	struct machine machine;
	struct bench *bench;
	pthread_t thread;
	int server;
	FILE *out, *in;
};

static void *serve(void *arg)
{
	struct fixture *f = arg;

	control_serve(&f->machine, f->server);
	return NULL;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int pair[2];

	f->bench = bench_new();
	machine_init(&f->machine);
	f->machine.count = 1;
	f->machine.port[0].gpu = f->bench->gpu;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	f->server = pair[0];
	f->out = fdopen(pair[1], "w");
	f->in = fdopen(dup(pair[1]), "r");
	assert_int_equal(pthread_create(&f->thread, NULL, serve, f), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	fclose(f->out);
	fclose(f->in);
	pthread_join(f->thread, NULL);
	bench_delete(f->bench);
	free(f);
	return 0;
}

static void ask(struct fixture *f, const char *line, char reply[4096])
{
	fprintf(f->out, "%s\n", line);
	fflush(f->out);
	assert_non_null(fgets(reply, 4096, f->in));
}

static void stats(void **state)
{
	char reply[4096];

	ask(*state, "stats", reply);
	assert_memory_equal(reply, "{\"gpus\":[{\"index\":0,", 20);
	assert_non_null(strstr(reply, "\"interrupts_lost\":0,\"faults\":0,\"fault_overflows\":0}"));
	assert_string_equal(reply + strlen(reply) - 2, "}\n");
}

static void delays(void **state)
{
	static const char *const bad[] = { "delay ce",		"delay ce x",
					   "delay ce 5x",	"delay fb 5",
					   "delay ce 60000001", "delay host -1",
					   "delay ce ce",	"",
					   "statistics" };
	struct fixture *f = *state;
	const struct engine_delay *delay = &f->bench->gpu->engine.delay;
	char reply[4096];

	ask(f, "delay ce 5", reply);
	assert_string_equal(reply, "ok\n");
	ask(f, "delay gr 6", reply);
	assert_string_equal(reply, "ok\n");
	ask(f, "delay host 60000000\r", reply);
	assert_string_equal(reply, "ok\n");
	ask(f, "delay mmu 7", reply);
	assert_string_equal(reply, "ok\n");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		ask(f, bad[i], reply);
		assert_memory_equal(reply, "error: ", 7);
	}
	assert_int_equal(delay->ce, 5);
	assert_int_equal(delay->gr, 6);
	assert_int_equal(delay->host, 60000000);
	assert_int_equal(delay->mmu, 7);
}

static void interrupts(void **state)
{
	static const char *const bad[] = { "irq",	  "irq drop",	      "irq drop x",
					   "irq drop -1", "irq drop 1000001", "irq delay 60000001",
					   "irq late 5" };
	struct fixture *f = *state;
	const struct pci_function *pci = &f->bench->gpu->pci;
	char reply[4096];

	ask(f, "irq delay 50000", reply);
	assert_string_equal(reply, "ok\n");
	ask(f, "irq drop 3", reply);
	assert_string_equal(reply, "ok\n");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		ask(f, bad[i], reply);
		assert_memory_equal(reply, "error: ", 7);
	}
	assert_int_equal(pci->msi_delay_us, 50000);
	assert_int_equal(pci->msi_drop, 3);
	ask(f, "irq delay 0", reply);
	assert_string_equal(reply, "ok\n");
	assert_int_equal(pci->msi_delay_us, 0);
}

static void holds(void **state)
{
	static const char *const bad[] = { "hold",	     "hold 9420",	 "hold x 5",
					   "hold 9421 5",    "hold 1000000 5", "hold 9420 x",
					   "hold 9420 60000001", "hold -4 5" };
	struct fixture *f = *state;
	struct gpu *gpu = f->bench->gpu;
	char reply[4096];

	ask(f, "hold 9420 7", reply);
	assert_string_equal(reply, "ok\n");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		ask(f, bad[i], reply);
		assert_memory_equal(reply, "error: ", 7);
	}
	mmio_write(gpu, 0x941c, 0, 4);
	mmio_read(gpu, 0x9424, 4);
	assert_int_equal(mmio_held(gpu), 0);
	mmio_write(gpu, 0x9420, 0, 4);
	assert_int_equal(mmio_held(gpu), 7);
	mmio_write(gpu, 0x9420, 0, 4); /* once */
	assert_int_equal(mmio_held(gpu), 0);
	ask(f, "hold 9420 7", reply);
	assert_string_equal(reply, "ok\n");
	mmio_read(gpu, 0x9420, 8);
	assert_int_equal(mmio_held(gpu), 7);
}

/* A line without an end takes no memory, and is one mistake. */
static void endless_line(void **state)
{
	static char block[1 << 20];
	struct fixture *f = *state;
	struct rusage before, after;
	char reply[4096];

	memset(block, 'x', sizeof(block));
	getrusage(RUSAGE_SELF, &before);
	for (unsigned int i = 0; i < 64; i++)
		assert_int_equal(fwrite(block, 1, sizeof(block), f->out), sizeof(block));
	ask(f, "", reply);
	getrusage(RUSAGE_SELF, &after);
	assert_memory_equal(reply, "error: ", 7);
	assert_true(after.ru_maxrss - before.ru_maxrss < 32 << 10); /* KiB */
	ask(f, "stats", reply);
	assert_memory_equal(reply, "{\"gpus\"", 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(stats, setup, teardown),
		cmocka_unit_test_setup_teardown(delays, setup, teardown),
		cmocka_unit_test_setup_teardown(interrupts, setup, teardown),
		cmocka_unit_test_setup_teardown(holds, setup, teardown),
		cmocka_unit_test_setup_teardown(endless_line, setup, teardown),
	};

	return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
