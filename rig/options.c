/* SPDX-License-Identifier: MIT */
/* The command line of rig/vm. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "options.h"
#include "say.h"

static const char usage[] =
	"usage: rig/vm [OPTION...] [-- COMMAND [ARG...]]\n"
	"Runs COMMAND as root in a virtual machine with modelled GPUs, passes its output\n"
	"through and ends with its status. Without COMMAND: an interactive shell.\n"
	"\n"
	"  --kernel NAME     patched (default), stock, debug, debug-stock, iommu, bench-stock,\n"
	"                    bench-patched or boot: the one in build/kernel/NAME\n"
	"  --gpus N          modelled GP100s, 0 to 8 (default 2; with --arch arm64 none)\n"
	"  --topology NAME   switch: all GPUs under one switch (default)\n"
	"                    roots: a root port each, the host bridge is known to route peers\n"
	"                    host-bridge: a root port each, the host bridge is not known\n"
	"                    two-switches: GPUs 0 and 1 under one, the others under a second, the\n"
	"                    host bridge is known to route peers\n"
	"                    islands: the same, the host bridge is not known\n"
	"  --vram MIB        memory of each GPU, a multiple of 64 (default 1024)\n"
	"  --bar1 MIB        how much of it a peer can see at a time, a power of two from 64\n"
	"                    on (default 1024)\n"
	"  --channels N      channels of each GPU, 64 to 4096 (default 512: nouveau clears what\n"
	"                    all the 4096 of the chip could need, which takes a while here)\n"
	"  --fault-entries N how many replayable faults each GPU's buffer has room for, and one\n"
	"                    more: 2 to 4608 (default 4608, as the chip has)\n"
	"  --iommu [NAME]    with an IOMMU: intel (default), amd or virtio, with --kernel iommu\n"
	"  --acs             ports of switches have ACS; Linux redirects peers with it if there is\n"
	"                    an IOMMU; with --kernel iommu\n"
	"  --cpu-bits N      physical address bits of the CPU, 36 to 52\n"
	"  --mem MIB         memory of the machine (default 2048)\n"
	"  --cpus N          CPUs (default 2)\n"
	"  --icount          count instructions: each takes 1 ns of the guest's time, whose time\n"
	"                    stamp counter shows how many there were; 1 CPU, no GPUs\n"
	"  --share DIR       DIR is /mnt/share in the guest, writable\n"
	"  --stats FILE      the model's byte counters, as JSON, when the run is over\n"
	"  --log FILE        the guest's kernel log (default: a new file in build/log/vm);\n"
	"                    the model's goes to FILE.model\n"
	"  --timeout S       status 124 after S seconds (default 600; 0: never, as for a shell)\n"
	"  --allow-splat     kernel warnings do not change the status\n"
	"  --stop-on-splat   end soon after the first one, whatever COMMAND is at\n"
	"  --arch NAME       x86_64 (default), or arm64: without GPUs and IOMMU, with a busybox\n"
	"                    as root; --kernel patched or stock: the one in build/kernel/arm64-NAME\n"
	"  --append STR      more kernel parameters\n"
	"  --model-arg ARG   one more argument for the model; may be repeated\n"
	"  --firmware DIR    files of NVIDIA's, DIR/nvidia/gp100/*/*.bin, in place of placeholders:\n"
	"                    nouveau loads them, and nothing executes them\n"
	"  --no-firmware     no firmware files in the guest\n"
	"  --no-nouveau      do not load nouveau\n"
	"  --processes       one model process per GPU: peers meet only through QEMU\n"
	"  --verbose         say what happens when\n"
	"\n"
	"Status: COMMAND's own; 124 timeout; 125 the guest's kernel warned, crashed, leaked\n"
	"or hung; 126 it could not boot, or the machine broke; 127 no such COMMAND.\n";

enum option_id {
	OPT_KERNEL = 1,
	OPT_ARCH,
	OPT_GPUS,
	OPT_TOPOLOGY,
	OPT_VRAM,
	OPT_BAR1,
	OPT_CHANNELS,
	OPT_FAULT_ENTRIES,
	OPT_IOMMU,
	OPT_ACS,
	OPT_CPU_BITS,
	OPT_MEM,
	OPT_CPUS,
	OPT_ICOUNT,
	OPT_SHARE,
	OPT_STATS,
	OPT_LOG,
	OPT_TIMEOUT,
	OPT_ALLOW_SPLAT,
	OPT_STOP_ON_SPLAT,
	OPT_APPEND,
	OPT_MODEL_ARG,
	OPT_FIRMWARE,
	OPT_NO_FIRMWARE,
	OPT_NO_NOUVEAU,
	OPT_PROCESSES,
	OPT_VERBOSE,
	OPT_HELP,
};

static const struct option long_options[] = {
	{ "kernel", required_argument, NULL, OPT_KERNEL },
	{ "arch", required_argument, NULL, OPT_ARCH },
	{ "gpus", required_argument, NULL, OPT_GPUS },
	{ "topology", required_argument, NULL, OPT_TOPOLOGY },
	{ "vram", required_argument, NULL, OPT_VRAM },
	{ "bar1", required_argument, NULL, OPT_BAR1 },
	{ "channels", required_argument, NULL, OPT_CHANNELS },
	{ "fault-entries", required_argument, NULL, OPT_FAULT_ENTRIES },
	{ "iommu", optional_argument, NULL, OPT_IOMMU },
	{ "acs", no_argument, NULL, OPT_ACS },
	{ "cpu-bits", required_argument, NULL, OPT_CPU_BITS },
	{ "mem", required_argument, NULL, OPT_MEM },
	{ "cpus", required_argument, NULL, OPT_CPUS },
	{ "icount", no_argument, NULL, OPT_ICOUNT },
	{ "share", required_argument, NULL, OPT_SHARE },
	{ "stats", required_argument, NULL, OPT_STATS },
	{ "log", required_argument, NULL, OPT_LOG },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "allow-splat", no_argument, NULL, OPT_ALLOW_SPLAT },
	{ "stop-on-splat", no_argument, NULL, OPT_STOP_ON_SPLAT },
	{ "append", required_argument, NULL, OPT_APPEND },
	{ "model-arg", required_argument, NULL, OPT_MODEL_ARG },
	{ "firmware", required_argument, NULL, OPT_FIRMWARE },
	{ "no-firmware", no_argument, NULL, OPT_NO_FIRMWARE },
	{ "no-nouveau", no_argument, NULL, OPT_NO_NOUVEAU },
	{ "processes", no_argument, NULL, OPT_PROCESSES },
	{ "verbose", no_argument, NULL, OPT_VERBOSE },
	{ "help", no_argument, NULL, OPT_HELP },
	{},
};

#define NO_NUMBER (-1)

static int number(const char *name, int low, int high)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(optarg, &end, 10);
	if (errno || end == optarg || *end || value < low || value > high)
		die("%s %s: a number from %d to %d is wanted", name, optarg, low, high);
	return value;
}

/* MiB */
static int memory_of_host(void)
{
	return sysconf(_SC_PHYS_PAGES) / ((1 << 20) / sysconf(_SC_PAGESIZE));
}

/* `choices` are separated by blanks. */
static const char *choice(const char *name, const char *choices)
{
	size_t length = strlen(optarg);

	for (const char *at = choices; length && (at = strstr(at, optarg)); at += length)
		if ((at == choices || at[-1] == ' ') && (at[length] == ' ' || !at[length]))
			return optarg;
	die("%s %s: one of these is wanted: %s", name, optarg, choices);
}

/* The name may follow behind a blank, too, where another word would be the command. */
static const char *iommu(char **argv)
{
	static const char *const names[] = { "intel", "amd", "virtio" };

	for (size_t i = 0; !optarg && argv[optind] && i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(argv[optind], names[i]))
			optarg = argv[optind++];
	return optarg ? choice("--iommu", "intel amd virtio") : "intel";
}

static void use_arm64(struct options *options)
{
	char *kernel;

	if (options->gpus || options->iommu || options->acs)
		die("--arch arm64: such a guest has no GPUs and no IOMMU");
	if (options->cpu_bits || options->icount)
		die("--arch arm64: --cpu-bits and --icount are for x86_64");
	if (strcmp(options->kernel, "patched") && strcmp(options->kernel, "stock"))
		die("--arch arm64: there is no kernel %s, but patched and stock", options->kernel);
	if (asprintf(&kernel, "arm64-%s", options->kernel) < 0)
		die("out of memory");
	options->kernel = kernel;
	options->host = "host-arm64";
	options->toolbox = "toolbox-cross";
}

void options_parse(struct options *options, int argc, char **argv)
{
	bool timeout_given = false;
	int id;

	*options = (struct options){
		.kernel = "patched",
		.host = "host",
		.toolbox = "toolbox",
		.topology = "switch",
		.append = "",
		.gpus = NO_NUMBER,
		.channels = 512,
		.memory = 2048,
		.cpus = 2,
		.firmware = true,
		.nouveau = true,
	};
	opterr = 0;
	while ((id = getopt_long(argc, argv, "+:", long_options, NULL)) != -1) {
		switch (id) {
		case OPT_KERNEL:
			options->kernel =
				choice("--kernel", "patched stock debug debug-stock iommu "
						   "bench-stock bench-patched boot");
			options->debug = !strncmp(options->kernel, "debug", strlen("debug"));
			break;
		case OPT_ARCH:
			options->arm64 = !strcmp(choice("--arch", "x86_64 arm64"), "arm64");
			break;
		case OPT_GPUS:
			options->gpus = number("--gpus", 0, MAX_GPUS);
			break;
		case OPT_TOPOLOGY:
			options->topology = choice("--topology",
						   "switch roots host-bridge two-switches islands");
			break;
		case OPT_VRAM:
			options->vram = number("--vram", 1, INT_MAX);
			break;
		case OPT_BAR1:
			options->bar1 = number("--bar1", 1, INT_MAX);
			break;
		case OPT_CHANNELS:
			options->channels = number("--channels", 64, 4096);
			break;
		case OPT_FAULT_ENTRIES:
			options->fault_entries = number("--fault-entries", 2, 4608);
			break;
		case OPT_IOMMU:
			options->iommu = iommu(argv);
			break;
		case OPT_ACS:
			options->acs = true;
			break;
		case OPT_CPU_BITS:
			options->cpu_bits = number("--cpu-bits", 36, 52);
			break;
		case OPT_MEM:
			options->memory = number("--mem", 128, memory_of_host());
			break;
		case OPT_CPUS:
			options->cpus = number("--cpus", 1, 64);
			break;
		case OPT_ICOUNT:
			options->icount = true;
			break;
		case OPT_SHARE:
			options->share = optarg;
			break;
		case OPT_STATS:
			options->stats = optarg;
			break;
		case OPT_LOG:
			options->log = optarg;
			break;
		case OPT_TIMEOUT:
			options->timeout = number("--timeout", 0, 1000000);
			timeout_given = true;
			break;
		case OPT_ALLOW_SPLAT:
			options->allow_splat = true;
			break;
		case OPT_STOP_ON_SPLAT:
			options->stop_on_splat = true;
			break;
		case OPT_APPEND:
			options->append = optarg;
			break;
		case OPT_MODEL_ARG:
			argv_add(&options->model_args, "%s", optarg);
			break;
		case OPT_FIRMWARE:
			options->firmware_dir = optarg;
			break;
		case OPT_NO_FIRMWARE:
			options->firmware = false;
			break;
		case OPT_NO_NOUVEAU:
			options->nouveau = false;
			break;
		case OPT_PROCESSES:
			options->processes = true;
			break;
		case OPT_VERBOSE:
			options->verbose = true;
			break;
		case OPT_HELP:
			fputs(usage, stdout);
			exit(0);
		case ':':
			die("%s wants a value; rig/vm --help shows all options", argv[optind - 1]);
		default:
			die("%s: no such option; rig/vm --help shows all", argv[optind - 1]);
		}
	}
	if (optind < argc)
		options->command = argv + optind;
	if (!timeout_given && options->command)
		options->timeout = 600;
	if (options->gpus == NO_NUMBER)
		options->gpus = options->arm64 ? 0 : 2;
	if (options->arm64)
		use_arm64(options);
	/* What the model does takes no instructions, and CPUs in turns are not counted apart. */
	if (options->icount && options->gpus)
		die("--icount: only without GPUs (--gpus 0)");
	if (options->icount)
		options->cpus = 1;
	if (options->allow_splat && options->stop_on_splat)
		die("--allow-splat or --stop-on-splat, not both");
	if (options->firmware_dir && !options->firmware)
		die("--firmware or --no-firmware, not both");
	if (options->firmware_dir && !options->gpus)
		die("--firmware is for GPUs, and there are none (--gpus 0)");
	if (options->stats && !options->gpus)
		die("--stats counts what GPUs move, and there are none (--gpus 0)");
}
