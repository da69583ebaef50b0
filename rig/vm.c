/* SPDX-License-Identifier: MIT */
/*
 * rig/vm: runs one command in a virtual machine with modelled GPUs. Starts the
 * model, then QEMU, moves the bytes between guest and user, watches everything,
 * and says in one status what came of it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "child.h"
#include "firmware.h"
#include "guest-image.h"
#include "job.h"
#include "klog.h"
#include "lines.h"
#include "machine.h"
#include "options.h"
#include "relay.h"
#include "say.h"
#include "scratch.h"

#define MODEL_START_S 10
#define MODEL_END_S   10
#define BOOT_S	      120
#define HALT_S	      60
#define SPLAT_S	      2 /* until all of a complaint has been said */
#define DEBUG_SLOW \
	5 /* times as long for a debug kernel: its search for leaks is part of the halt */

#define KEEP_LOGS 200

#define LOG_PIPE_SIZE (1 << 20) /* what users without rights may ask for */

#define NO_STATUS (-1)

/* Why a run was stopped before the guest ended it. */
enum stop {
	STOP_NO,
	STOP_SIGNAL,
	STOP_TIMEOUT,
	STOP_BOOT,   /* it took too long */
	STOP_HALT,   /* so did the way down */
	STOP_SPLAT,  /* the kernel complained */
	STOP_MODEL,  /* the model is gone */
	STOP_OUTPUT, /* nowhere to write to */
};

struct run {
	struct options options;
	char *top;
	char *scratch;
	char *firmware; /* NULL: none */
	double start;

	struct child qemu;
	struct child models[MAX_GPUS];
	int model_count;
	int model_logs[MAX_GPUS];

	int signals;
	int channels[CHANNELS];
	struct relay in, out, err;
	struct klog log;
	struct lines reports, qemu_words, model_words;

	bool ready;
	bool over;	   /* the command is; the search for leaks follows */
	int status;	   /* of the command */
	double ended;	   /* when the command did */
	double complained; /* when the kernel did for the first time; 0: not yet */
	enum stop stop;
	int signal;	  /* for STOP_SIGNAL */
	bool link_broken; /* QEMU complained about the model */
	struct termios terminal;
	bool terminal_raw;
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec * 1e-9;
}

static void stage(const struct run *run, const char *what)
{
	if (run->options.verbose)
		say("%6.3f s  %s", now() - run->start, what);
}

/* This program is TOP/build/host/rig/vm. */
static char *find_top(void)
{
	char *path = realpath("/proc/self/exe", NULL);

	for (int i = 0; path && i < 4; i++) {
		char *slash = strrchr(path, '/');

		if (!slash)
			break;
		*slash = '\0';
	}
	if (!path || !*path)
		die("cannot find out where I am: %s", strerror(errno));
	return path;
}

static char *path_in(const char *directory, const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", directory, name) < 0)
		die("out of memory");
	return path;
}

static void require(const char *top, const char *name, const char *target)
{
	char *path = path_in(top, name);

	if (access(path, F_OK))
		die("%s is not there: run 'make %s'", name, target);
	free(path);
}

/* FILE of build/TARGET */
static void require_in_build(const char *top, const char *target, const char *file)
{
	char *name;

	if (asprintf(&name, "build/%s/%s", target, file) < 0)
		die("out of memory");
	require(top, name, target);
	free(name);
}

static void require_all(const struct run *run)
{
	const char *kernel = run->options.kernel;
	char *made;

	/* Inside the toolbox there is no need for one. */
	if (access("/.recipe", F_OK))
		require_in_build(run->top, run->options.toolbox, ".recipe");
	/* rig/kernel writes this last: an interrupted build has none. */
	if (asprintf(&made, "%s/build/kernel/%s/.made", run->top, kernel) < 0)
		die("out of memory");
	if (access(made, F_OK))
		die("no finished kernel in build/kernel/%s: run 'make kernel-%s'", kernel, kernel);
	free(made);
	require_in_build(run->top, run->options.host, "rig/guest-init");
	if (run->options.gpus)
		require(run->top, "build/host/gpu-model/gp100", "host");
	if (run->options.gpus && run->options.nouveau && run->options.firmware &&
	    !run->options.firmware_dir)
		require(run->top, "build/firmware", "firmware");
}

static int is_log(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* A new file in build/log/vm, where the oldest make room; names sort by time. */
static char *default_log(const char *top)
{
	char *parent = path_in(top, "build/log"), *directory = path_in(top, "build/log/vm"), *path;
	char stamp[32];
	time_t seconds = time(NULL);
	struct dirent **logs;
	int count;

	mkdir(parent, 0777);
	if (mkdir(directory, 0777) && errno != EEXIST)
		die("cannot create %s: %s", directory, strerror(errno));
	count = scandir(directory, &logs, is_log, alphasort);
	for (int i = 0; i < count; i++) {
		path = path_in(directory, logs[i]->d_name);
		if (i < count - KEEP_LOGS)
			unlink(path);
		free(path);
		free(logs[i]);
	}
	if (count >= 0)
		free(logs);
	strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", localtime(&seconds));
	if (asprintf(&path, "%s/%s-%d.log", directory, stamp, getpid()) < 0)
		die("out of memory");
	free(parent);
	free(directory);
	return path;
}

static void catch_signals(struct run *run)
{
	static const int caught[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(caught) / sizeof(*caught); i++) {
		signal(caught[i], SIG_DFL);
		sigaddset(&set, caught[i]);
	}
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	run->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (run->signals < 0)
		die("signalfd: %s", strerror(errno));
}

/* While all goes well the model's words go to its log. These begin with its name. */
static void model_says(void *, const char *line)
{
	fprintf(stderr, "%s\n", line);
}

static void qemu_says(void *context, const char *line)
{
	struct run *run = context;

	/* Said of each page of a peer's BAR1 in the IOMMU: the model asks QEMU for these. */
	if (run->options.iommu && strstr(line, "iommu map to non memory area"))
		return;
	if (strstr(line, "vfio"))
		run->link_broken = true;
	fprintf(stderr, "qemu: %s\n", line);
}

static void guest_reports(void *context, const char *line)
{
	struct run *run = context;

	if (!strcmp(line, REPORT_READY)) {
		run->ready = true;
		stage(run, "the command starts");
	} else if (!strcmp(line, REPORT_OVER)) {
		run->over = true;
	} else if (!strncmp(line, REPORT_STAGE, strlen(REPORT_STAGE))) {
		stage(run, line + strlen(REPORT_STAGE));
	} else if (!strncmp(line, REPORT_STATUS, strlen(REPORT_STATUS))) {
		run->status = atoi(line + strlen(REPORT_STATUS));
		run->ended = now();
		stage(run, "the command ended");
	}
}

/* false: no more to come */
static bool pump(int fd, struct lines *lines, lines_fn *fn, struct run *run)
{
	char data[4096];
	ssize_t n = read(fd, data, sizeof(data));

	if (n > 0)
		lines_feed(lines, data, n, fn, run);
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static void take_signals(struct run *run)
{
	struct signalfd_siginfo info;

	while (read(run->signals, &info, sizeof(info)) == sizeof(info))
		if (info.ssi_signo != SIGCHLD) {
			run->signal = info.ssi_signo;
			run->stop = STOP_SIGNAL;
		}
}

static void describe_model(struct run *run, int index, int first, int count, int ready_fd)
{
	const struct options *options = &run->options;
	struct child *model = &run->models[index];
	struct argv *argv = &model->argv;

	model->name = "the GPU model";
	argv_add(argv, "%s/build/host/gpu-model/gp100", run->top);
	argv_option(argv, "--gpus", "%d", count);
	argv_option(argv, "--first", "%d", first);
	argv_option(argv, "--dir", "%d", index);
	/* Without an IOMMU QEMU tells better what a switch carries. */
	for (int i = first; options->iommu && i < first + count; i++)
		argv_option(argv, "--switch", "%d", machine_switch(options, i));
	if (options->vram)
		argv_option(argv, "--vram", "%d", options->vram);
	if (options->bar1)
		argv_option(argv, "--bar1", "%d", options->bar1);
	if (options->fault_entries)
		argv_option(argv, "--fault-entries", "%d", options->fault_entries);
	argv_option(argv, "--channels", "%d", options->channels);
	argv_option(argv, "--stats", "%d/stats.json", index);
	argv_option(argv, "--log", "%d/log", index);
	argv_option(argv, "--ready-fd", "%d", child_gives(model, ready_fd));
	for (int i = 0; i < options->model_args.count; i++)
		argv_add(argv, "%s", options->model_args.list[i]);
}

/* The model has to listen before QEMU connects, which it does only once. */
static bool wait_for_model(struct run *run, struct child *model, int ready)
{
	double end = now() + MODEL_START_S;
	bool up = false;

	while (!up && !run->stop && now() < end) {
		struct pollfd polls[] = {
			{ .fd = ready, .events = POLLIN },
			{ .fd = model->output, .events = POLLIN },
			{ .fd = run->signals, .events = POLLIN },
		};
		char byte;

		if (poll(polls, 3, 100) < 0 && errno != EINTR)
			break;
		if (polls[1].revents && !pump(model->output, &run->model_words, model_says, run))
			break;
		if (polls[2].revents)
			take_signals(run);
		if (polls[0].revents)
			up = read(ready, &byte, 1) == 1;
		if (child_reap(model) || (polls[0].revents && !up))
			break;
	}
	close(ready);
	if (!up && !run->stop)
		run->stop = STOP_MODEL;
	return up;
}

static bool start_model(struct run *run, int index, int first, int count)
{
	struct child *model = &run->models[index];
	char name[16];
	char *directory;
	int ready[2];

	snprintf(name, sizeof(name), "%d", index);
	directory = path_in(run->scratch, name);
	if (mkdir(directory, 0777) || pipe2(ready, O_CLOEXEC)) {
		say("cannot create %s: %s", directory, strerror(errno));
		free(directory);
		return false;
	}
	free(directory);
	describe_model(run, index, first, count, ready[1]);
	run->model_count++;
	if (!child_start(model, run->top, run->scratch)) {
		say("cannot start the model: %s", strerror(errno));
		return false;
	}
	return wait_for_model(run, model, ready[0]);
}

static bool start_models(struct run *run)
{
	int gpus = run->options.gpus;

	if (!run->options.processes)
		return !gpus || start_model(run, 0, 0, gpus);
	for (int i = 0; i < gpus; i++)
		if (!start_model(run, i, i, 1))
			return false;
	return true;
}

/*
 * QEMU writes the serial console byte by byte and drops what is not taken at once. A socket takes
 * 300 such bytes, a pipe as many as it is large.
 */
static bool make_channel(enum channel channel, int pair[2])
{
	if (channel != CHANNEL_LOG)
		return !socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
	return !pipe2(pair, O_CLOEXEC) && fcntl(pair[1], F_SETPIPE_SZ, LOG_PIPE_SIZE) >= 0;
}

static bool start_qemu(struct run *run, int image, int share)
{
	struct machine machine = {
		.top = run->top,
		.options = &run->options,
		.firmware = run->firmware,
		.image = image,
		.share = share,
	};

	run->qemu.name = "QEMU";
	run->qemu.toolbox = run->options.toolbox;
	for (int i = 0; i < CHANNELS; i++) {
		int pair[2];

		if (!make_channel(i, pair)) {
			say("cannot make a channel to the guest: %s", strerror(errno));
			return false;
		}
		run->channels[i] = pair[0];
		machine.channels[i] = pair[1];
	}
	machine_describe(&machine, &run->qemu);
	if (child_start(&run->qemu, run->top, run->scratch))
		return true;
	say("cannot start QEMU: %s", strerror(errno));
	return false;
}

static void start_relays(struct run *run)
{
	/* A terminal is for the shell: a command in a loop must not eat what is typed. */
	bool input = !run->options.command || !isatty(STDIN_FILENO);

	run->in = (struct relay){
		.from = STDIN_FILENO,
		.to = run->channels[CHANNEL_IN],
		.eof = !input,
	};
	run->out = (struct relay){ .from = run->channels[CHANNEL_OUT], .to = STDOUT_FILENO };
	run->err = (struct relay){ .from = run->channels[CHANNEL_ERR], .to = STDERR_FILENO };

	if (!run->options.command && tcgetattr(STDIN_FILENO, &run->terminal) == 0) {
		struct termios raw = run->terminal;

		cfmakeraw(&raw);
		run->terminal_raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
	}
}

static void check_children(struct run *run)
{
	child_reap(&run->qemu);
	for (int i = 0; i < run->model_count; i++)
		if (child_reap(&run->models[i]) && run->qemu.pid && run->status == NO_STATUS)
			run->stop = STOP_MODEL;
}

static int limit(const struct run *run, int seconds)
{
	return run->options.debug ? seconds * DEBUG_SLOW : seconds;
}

static void check_limits(struct run *run)
{
	double time = now() - run->start;

	if (run->stop)
		return;
	if (run->log.complaints && !run->complained)
		run->complained = time;
	if (run->out.error || run->err.error)
		run->stop = STOP_OUTPUT;
	else if (run->options.stop_on_splat && run->complained && !run->over &&
		 time > run->complained + SPLAT_S)
		run->stop = STOP_SPLAT;
	else if (run->status != NO_STATUS && now() > run->ended + limit(run, HALT_S))
		run->stop = STOP_HALT;
	else if (run->status == NO_STATUS && !run->ready && time > limit(run, BOOT_S))
		run->stop = STOP_BOOT;
	else if (run->status == NO_STATUS && run->options.timeout && time > run->options.timeout)
		run->stop = STOP_TIMEOUT;
}

enum {
	AT_SIGNALS,
	AT_LOG,
	AT_REPORTS,
	AT_QEMU,
	AT_IN,
	AT_OUT = AT_IN + 2,
	AT_ERR = AT_OUT + 2,
	AT_MODELS = AT_ERR + 2,
	AT_END = AT_MODELS + MAX_GPUS,
};

/* One round of the main loop. Descriptors at their end become -1. */
static void turn(struct run *run)
{
	struct pollfd polls[AT_END] = {
		[AT_SIGNALS] = { .fd = run->signals, .events = POLLIN },
		[AT_LOG] = { .fd = run->channels[CHANNEL_LOG], .events = POLLIN },
		[AT_REPORTS] = { .fd = run->channels[CHANNEL_STATUS], .events = POLLIN },
		[AT_QEMU] = { .fd = run->qemu.output, .events = POLLIN },
	};
	char data[4096];
	ssize_t n;

	relay_prepare(&run->in, polls + AT_IN);
	relay_prepare(&run->out, polls + AT_OUT);
	relay_prepare(&run->err, polls + AT_ERR);
	for (int i = 0; i < MAX_GPUS; i++)
		polls[AT_MODELS + i] = (struct pollfd){
			.fd = i < run->model_count ? run->models[i].output : -1,
			.events = POLLIN,
		};
	if (poll(polls, AT_END, 250) < 0)
		return;

	if (polls[AT_SIGNALS].revents)
		take_signals(run);
	relay_turn(&run->in, polls + AT_IN);
	relay_turn(&run->out, polls + AT_OUT);
	relay_turn(&run->err, polls + AT_ERR);
	if (run->in.to >= 0 && relay_done(&run->in)) {
		shutdown(run->in.to, SHUT_WR);
		run->in.to = -1;
	}
	if (polls[AT_LOG].revents) {
		n = read(run->channels[CHANNEL_LOG], data, sizeof(data));
		if (n > 0)
			klog_feed(&run->log, data, n);
		else if (n == 0)
			run->channels[CHANNEL_LOG] = -1;
	}
	if (polls[AT_REPORTS].revents &&
	    !pump(run->channels[CHANNEL_STATUS], &run->reports, guest_reports, run))
		run->channels[CHANNEL_STATUS] = -1;
	if (polls[AT_QEMU].revents && !pump(run->qemu.output, &run->qemu_words, qemu_says, run))
		run->qemu.output = -1;
	for (int i = 0; i < run->model_count; i++)
		if (polls[AT_MODELS + i].revents &&
		    !pump(run->models[i].output, &run->model_words, model_says, run))
			run->models[i].output = -1;
	check_children(run);
}

/* All that QEMU wrote before it ended has been read. */
static bool drained(const struct run *run)
{
	return run->channels[CHANNEL_LOG] < 0 && run->channels[CHANNEL_STATUS] < 0 &&
	       run->qemu.output < 0 && relay_done(&run->out) && relay_done(&run->err);
}

static bool any_model(const struct run *run)
{
	for (int i = 0; i < run->model_count; i++)
		if (run->models[i].pid)
			return true;
	return false;
}

static void watch(struct run *run)
{
	double end;

	while (!run->stop && (run->qemu.pid || !drained(run))) {
		turn(run);
		check_limits(run);
	}
	child_kill(&run->qemu);
	stage(run, "QEMU ended");
	/* The model ends by itself when nobody is left to serve, and then writes its counters. */
	end = now() + (run->stop ? 1 : MODEL_END_S);
	while ((any_model(run) || run->channels[CHANNEL_LOG] >= 0) && now() < end)
		turn(run);
	stage(run, "the model ended");
}

/* Copies SOURCE to PATH by way of a new file, so that PATH is whole or not there. */
static bool deliver(const char *source, const char *path)
{
	char *temporary;
	FILE *in = fopen(source, "re"), *out;
	char data[4096];
	size_t n;
	bool good;

	if (!in) {
		say("the model left no %s: %s", strrchr(source, '/') + 1, strerror(errno));
		return false;
	}
	if (asprintf(&temporary, "%s.%d.tmp", path, getpid()) < 0)
		die("out of memory");
	out = fopen(temporary, "we");
	good = out;
	while (good && (n = fread(data, 1, sizeof(data), in)))
		good = fwrite(data, 1, n, out) == n;
	if (out && fclose(out))
		good = false;
	if (good)
		good = rename(temporary, path) == 0;
	if (!good) {
		say("cannot write %s: %s", path, strerror(errno));
		unlink(temporary);
	}
	free(temporary);
	fclose(in);
	return good;
}

static bool deliver_results(const struct run *run)
{
	bool good = true;

	for (int i = 0; i < run->model_count; i++) {
		char name[32], *source, *path;

		/* One process per GPU: one file per GPU. */
		snprintf(name, sizeof(name), "%d/log", i);
		source = path_in(run->scratch, name);
		if (asprintf(&path, i ? "%s.model.%d" : "%s.model", run->log.path, i) < 0)
			die("out of memory");
		good &= access(source, F_OK) != 0 || deliver(source, path);
		free(source);
		free(path);
		if (!run->options.stats)
			continue;
		snprintf(name, sizeof(name), "%d/stats.json", i);
		source = path_in(run->scratch, name);
		if (asprintf(&path, i ? "%s.%d" : "%s", run->options.stats, i) < 0)
			die("out of memory");
		good &= deliver(source, path);
		free(source);
		free(path);
	}
	return good;
}

static void show_log(const struct run *run)
{
	if (!run->log.last_count)
		return;
	if (run->log.complaints) {
		klog_show_splat(&run->log);
	} else {
		say("the kernel's last words:");
		klog_show_last(&run->log);
	}
	say("the whole kernel log: %s", run->log.path);
}

static int verdict_of_stop(const struct run *run)
{
	int error = run->out.error ?: run->err.error;

	switch (run->stop) {
	case STOP_SIGNAL:
		say("ended by signal %d (%s)", run->signal, strsignal(run->signal));
		return STATUS_SIGNAL + run->signal;
	case STOP_TIMEOUT:
		say("no end after %d s (--timeout)", run->options.timeout);
		show_log(run);
		return STATUS_TIMEOUT;
	case STOP_BOOT:
		say("the guest did not boot in %d s", limit(run, BOOT_S));
		show_log(run);
		return STATUS_NO_RUN;
	case STOP_HALT:
		say("the guest hangs since its command ended");
		show_log(run);
		return STATUS_SPLAT;
	case STOP_SPLAT:
		say("the guest's kernel complained:");
		show_log(run);
		return STATUS_SPLAT;
	case STOP_MODEL:
		for (int i = 0; i < run->model_count; i++)
			if (!run->models[i].pid)
				say("the GPU model %s", child_fate(&run->models[i]));
		show_log(run);
		return STATUS_NO_RUN;
	case STOP_OUTPUT:
		if (error == EPIPE)
			return STATUS_SIGNAL + SIGPIPE;
		say("cannot write the command's output: %s", strerror(error));
		return STATUS_NO_RUN;
	case STOP_NO:
		break;
	}
	return NO_STATUS;
}

/* QEMU ended by itself: did the guest? */
static int verdict_of_guest(const struct run *run)
{
	if (run->status != NO_STATUS)
		return NO_STATUS;
	if (run->log.panic)
		say("the guest's kernel panicked:");
	else
		say("QEMU %s before %s", child_fate(&run->qemu),
		    run->ready ? "the command ended" : "the guest had booted");
	show_log(run);
	return run->ready && run->log.panic ? STATUS_SPLAT : STATUS_NO_RUN;
}

static int verdict(struct run *run)
{
	int status = verdict_of_stop(run);

	if (status == NO_STATUS)
		status = verdict_of_guest(run);
	if (status != NO_STATUS)
		return status;

	if (run->log.error) {
		say("cannot write %s: %s", run->log.path, strerror(run->log.error));
		return STATUS_NO_RUN;
	}
	if (run->link_broken) {
		say("QEMU and the GPU model did not get on: see above");
		return STATUS_NO_RUN;
	}
	for (int i = 0; i < run->model_count; i++) {
		if (!child_failed(&run->models[i]))
			continue;
		say("the GPU model %s", child_fate(&run->models[i]));
		return STATUS_NO_RUN;
	}
	if (run->log.complaints && !run->options.allow_splat) {
		say("the guest's kernel complained (the command's status was %d):", run->status);
		show_log(run);
		return STATUS_SPLAT;
	}
	return run->status;
}

/* For a file that comes last: what cannot be written must not cost a whole run. */
static void make_room(const char *path)
{
	char *copy = strdup(path);

	if (!copy)
		die("out of memory");
	if (access(dirname(copy), W_OK) || (unlink(path) && errno != ENOENT))
		die("cannot write %s: %s", path, strerror(errno));
	free(copy);
}

static void prepare(struct run *run)
{
	char *build = path_in(run->top, "build/tmp");

	klog_open(&run->log, run->options.log ?: default_log(run->top));
	/* What an earlier run left must not be taken for the result of this one. */
	if (run->options.stats)
		make_room(run->options.stats);
	run->scratch = scratch_make(build);
	free(build);
	if (run->options.firmware_dir)
		run->firmware = path_in(run->scratch, "firmware");
	else if (run->options.firmware)
		run->firmware = path_in(run->top, "build/firmware");
}

static bool copy_firmware(const struct run *run)
{
	const char *directory = run->options.firmware_dir;

	return !directory || firmware_copy(directory, run->firmware);
}

int main(int argc, char **argv)
{
	static struct run run = { .status = NO_STATUS };
	int image, share = -1, status;

	run.start = now();
	options_parse(&run.options, argc, argv);
	machine_check(&run.options);
	run.top = find_top();
	if (run.options.share) {
		share = open(run.options.share, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (share < 0)
			die("--share %s: %s", run.options.share, strerror(errno));
	}
	if (run.options.firmware_dir)
		firmware_check(run.options.firmware_dir);
	require_all(&run);
	image = guest_image(run.top, &run.options);
	prepare(&run);
	catch_signals(&run);
	/* What a killed child leaves behind comes to us: we end when all of it has. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);

	if (copy_firmware(&run) && start_models(&run) && start_qemu(&run, image, share)) {
		stage(&run, "QEMU starts");
		start_relays(&run);
		watch(&run);
	} else if (!run.stop) {
		run.stop = STOP_MODEL;
	}
	for (int i = 0; i < run.model_count; i++)
		child_kill(&run.models[i]);
	while (wait(NULL) > 0 || errno == EINTR)
		;
	if (run.terminal_raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &run.terminal);
	klog_end(&run.log);
	lines_end(&run.qemu_words, qemu_says, &run);
	lines_end(&run.model_words, model_says, &run);

	status = verdict(&run);
	if (!deliver_results(&run) && status == 0)
		status = STATUS_NO_RUN;
	scratch_remove(run.scratch);
	return status;
}
