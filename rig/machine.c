/* SPDX-License-Identifier: MIT */
/* The virtual machine, as a command line for QEMU: one board, some ways to plug GPUs into it. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "job.h"
#include "machine.h"
#include "say.h"

#define BOOT_ARGS "panic=-1 mitigations=off printk.devkmsg=on log_buf_len=1M"

/* no_timer_check: a busy host may be too late for the ticks that this check wants to see. */
#define BOOT_ARGS_X86_64 " console=ttyS0 tsc=reliable no_timer_check"
#define BOOT_ARGS_ARM64	 " console=ttyAMA0"

/*
 * An emulated CPU that checks all it does is slow, and not stuck. no5lvl: KASAN may mistake an
 * address while features of the CPU are looked for (Documentation/findings.md).
 */
#define DEBUG_ARGS " no5lvl watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=120"

const char *const channel_names[CHANNELS] = {
	[CHANNEL_STATUS] = PORT_STATUS,
	[CHANNEL_IN] = PORT_IN,
	[CHANNEL_OUT] = PORT_OUT,
	[CHANNEL_ERR] = PORT_ERR,
};

/*
 * Linux lets peers talk under a common switch, or across a host bridge that it
 * knows to route between its ports. It knows those of AMD CPUs since Zen (family
 * 17h), and not the one of this board.
 */
#define CPU_ZEN	  ",vendor=AuthenticAMD,family=23,model=49,stepping=0"
#define CPU_OLDER ",vendor=AuthenticAMD,family=15,model=107,stepping=1"

static const struct topology {
	const char *name;
	int below_first; /* GPUs below the first switch, before the second gets some; 0: no switch */
	const char *cpu;
} topologies[] = {
	{ "switch", MAX_GPUS, "" }, { "two-switches", 2, CPU_ZEN },  { "islands", 2, CPU_OLDER },
	{ "roots", 0, CPU_ZEN },    { "host-bridge", 0, CPU_OLDER }, {},
};

static const struct iommu {
	const char *name;
	const char *device;
} iommus[] = {
	{ "intel", "intel-iommu,intremap=on,caching-mode=on" },
	{ "amd", "amd-iommu,intremap=on,dma-remap=on" },
	{ "virtio", "virtio-iommu-pci" },
	{},
};

/* A file /dev/kvm proves nothing: it may be there without a CPU that can do it. */
static bool kvm_usable(void)
{
	FILE *file = access("/dev/kvm", R_OK | W_OK) ? NULL : fopen("/proc/cpuinfo", "re");
	char line[8192];
	bool usable = false;

	while (file && !usable && fgets(line, sizeof(line), file))
		if (!strncmp(line, "flags", 5))
			usable = strstr(line, " vmx ") || strstr(line, " svm ");
	if (file)
		fclose(file);
	return usable;
}

#ifdef __x86_64__
struct instant {
	long long ns;
	long long ticks;
};

static long long now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

/* Both clocks at once: of several tries the one that nothing came between. */
static struct instant instant_take(void)
{
	struct instant instant = {};
	long long best = 0;

	for (int i = 0; i < 20; i++) {
		long long before = now_ns();
		long long ticks = __builtin_ia32_rdtsc();
		long long width = now_ns() - before;

		if (!i || width < best) {
			instant = (struct instant){ before, ticks };
			best = width;
		}
	}
	return instant;
}

/*
 * TCG hands the guest this host's time stamp counter. A guest that measures its
 * rate itself is wrong by any factor when the host is busy, and so is all its time.
 */
static long long tsc_khz(void)
{
	const struct timespec wait = { .tv_nsec = 10000000 };
	struct instant start = instant_take(), end;

	nanosleep(&wait, NULL);
	end = instant_take();
	return (end.ticks - start.ticks) * 1000000 / (end.ns - start.ns);
}
#endif

/* KHz; 0: the guest finds out by itself. */
static long long guest_tsc_khz(const struct options *options)
{
	if (options->arm64)
		return 0;
	if (options->icount)
		return 1000000;
#ifdef __x86_64__
	if (!kvm_usable())
		return tsc_khz();
#endif
	return 0;
}

static const struct topology *topology_find(const char *name)
{
	const struct topology *topology = topologies;

	while (topology->name && strcmp(topology->name, name))
		topology++;
	if (!topology->name)
		die("no topology %s", name);
	return topology;
}

static const char *iommu_device(const char *name)
{
	const struct iommu *iommu = iommus;

	while (iommu->name && strcmp(iommu->name, name))
		iommu++;
	if (!iommu->name)
		die("no IOMMU %s", name);
	return iommu->device;
}

/* Counted from 0. */
static int switch_above(const struct topology *topology, int gpu)
{
	return gpu >= topology->below_first;
}

int machine_switch(const struct options *options, int gpu)
{
	const struct topology *topology = topology_find(options->topology);

	return topology->below_first && !options->acs ? switch_above(topology, gpu) + 1 : 0;
}

/* rig/config/iommu.config says why one kernel alone can do these. */
static void check_kernel(const struct options *options)
{
	if (!strcmp(options->kernel, "iommu"))
		return;
	if (options->iommu && strcmp(options->iommu, "intel"))
		die("--iommu %s: the kernel %s has no driver of it: use --kernel iommu",
		    options->iommu, options->kernel);
	if (options->acs)
		die("--acs: the kernel %s does not see extended configuration space, where ACS is: "
		    "use --kernel iommu",
		    options->kernel);
}

void machine_check(const struct options *options)
{
	check_kernel(options);
	if (options->acs && !topology_find(options->topology)->below_first)
		die("--acs is for ports of a switch, and --topology %s has none",
		    options->topology);
	/* The model is told before the guest boots whether requests go up to the IOMMU. */
	if (options->acs && options->iommu &&
	    (strstr(options->append, "disable_acs_redir=") ||
	     strstr(options->append, "config_acs=")))
		die("--acs: with an IOMMU, ports redirect, whatever pci=config_acs= or "
		    "pci=disable_acs_redir= says: run without --acs");
	if (options->processes && options->iommu && options->gpus > 1 && machine_switch(options, 0))
		die("--processes: GPUs meet in QEMU alone, and its switches ask the IOMMU: use "
		    "--acs or another --topology");
}

/* Where instructions are counted, QEMU has CPUs take turns. */
static const char *accelerator(const struct options *options)
{
	if (options->icount)
		return "tcg,thread=single";
	return kvm_usable() && !options->arm64 ? "kvm" : "tcg,thread=multi";
}

static void describe_q35(struct argv *argv, const struct options *options,
			 const struct topology *topology)
{
	bool kvm = kvm_usable() && !options->icount;
	char bits[32] = "";

	if (options->cpu_bits)
		snprintf(bits, sizeof(bits), ",phys-bits=%d", options->cpu_bits);
	argv_add(argv, "qemu-system-x86_64");
	argv_option(argv, "-machine", "q35,memory-backend=mem,vmport=off,sata=off%s",
		    kvm ? ",kernel-irqchip=split" : "");
	/* Without these three, memset_io() clears VRAM by the byte instead of by eight. */
	argv_option(argv, "-cpu", "max,erms=off,fsrm=off,fsrs=off%s%s", topology->cpu, bits);
	/* Otherwise the links of root ports never report to be up after a reset. */
	argv_option(argv, "-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off");
}

static void describe_virt(struct argv *argv)
{
	argv_add(argv, "qemu-system-aarch64");
	argv_option(argv, "-machine", "virt,memory-backend=mem");
	argv_option(argv, "-cpu", "max");
}

static void describe_board(struct argv *argv, const struct options *options,
			   const struct topology *topology)
{
	if (options->arm64)
		describe_virt(argv);
	else
		describe_q35(argv, options, topology);
	argv_option(argv, "-accel", "%s", accelerator(options));
	if (options->icount)
		argv_option(argv, "-icount", "shift=0"); /* 1 ns each */
	argv_option(argv, "-smp", "%d", options->cpus);
	argv_option(argv, "-m", "%dM", options->memory);
	/* Shared: the model reads and writes these very pages. */
	argv_option(argv, "-object", "memory-backend-memfd,id=mem,size=%dM,share=on",
		    options->memory);
	argv_add(argv, "-nodefaults");
	argv_add(argv, "-no-user-config");
	argv_add(argv, "-no-reboot");
	argv_option(argv, "-display", "none");
	if (options->iommu)
		argv_option(argv, "-device", "%s", iommu_device(options->iommu));
}

/* Slots of the ports of virtio devices, behind those of GPUs. */
enum {
	SLOT_CHANNELS = 32,
	SLOT_ROOT,
	SLOT_SHARE,
};

/*
 * A virtio device that comes through suspend: 9p's driver knows of none, and channels are silent
 * after one. virtio's leaves a device alone that says it keeps its state in D3hot, for which it
 * has to be a device of PCI Express, below a port.
 */
static void describe_virtio(struct argv *argv, int slot, const char *device)
{
	argv_option(argv, "-device", "pcie-root-port,id=virtio%d,chassis=%d,slot=%d", slot, slot,
		    slot);
	argv_option(argv, "-device", "%s,bus=virtio%d,x-pcie-pm-no-soft-reset=on", device, slot);
}

static void describe_channels(struct child *qemu, const int channels[CHANNELS])
{
	struct argv *argv = &qemu->argv;

	describe_virtio(argv, SLOT_CHANNELS, "virtio-serial-pci");
	for (int i = 0; i < CHANNELS; i++) {
		int fd = child_gives(qemu, channels[i]);

		if (i == CHANNEL_LOG) {
			argv_option(argv, "-chardev", "file,id=channel%d,path=/proc/self/fd/%d", i,
				    fd);
			argv_option(argv, "-serial", "chardev:channel%d", i);
		} else {
			argv_option(argv, "-chardev", "socket,id=channel%d,fd=%d", i, fd);
			argv_option(argv, "-device", "virtserialport,chardev=channel%d,name=%s", i,
				    channel_names[i]);
		}
	}
}

static void describe_share(struct argv *argv, const char *tag, const char *path, const char *mode,
			   int slot)
{
	char device[64];

	argv_option(argv, "-fsdev", "local,id=%s,path=%s,security_model=none,multidevs=remap%s",
		    tag, path, mode);
	snprintf(device, sizeof(device), "virtio-9p-pci,fsdev=%s,mount_tag=%s", tag, tag);
	describe_virtio(argv, slot, device);
}

static void describe_root_ports(struct argv *argv, int count)
{
	for (int i = 0; i < count; i++)
		argv_option(argv, "-device",
			    "pcie-root-port,id=root%d,chassis=%d,slot=%d,x-speed=8,x-width=16", i,
			    i + 1, i + 1);
}

/*
 * QEMU's switch has no ACS. Its root port has, can be plugged into a switch, and behaves as a
 * downstream port does there; only its type is wrong.
 */
static void describe_switch_port(struct argv *argv, const struct options *options, int gpu, int bus,
				 int chassis)
{
	argv_option(argv, "-device", "%s,id=port%d,bus=switch%d,chassis=%d,slot=%d",
		    options->acs ? "pcie-root-port" : "xio3130-downstream", gpu, bus, chassis,
		    chassis);
}

static void describe_gpus(struct argv *argv, const struct options *options,
			  const struct topology *topology)
{
	bool switches = topology->below_first;
	int roots = options->gpus;

	if (switches && options->gpus)
		roots = switch_above(topology, options->gpus - 1) + 1;
	describe_root_ports(argv, roots);
	for (int i = 0; switches && i < roots; i++)
		argv_option(argv, "-device", "x3130-upstream,id=switch%d,bus=root%d", i, i);
	for (int i = 0; i < options->gpus; i++) {
		if (switches)
			describe_switch_port(argv, options, i, switch_above(topology, i),
					     roots + i + 1);
		/* One late answer would close the connection for good. */
		argv_option(argv, "-device",
			    "{\"driver\":\"vfio-user-pci\",\"id\":\"gpu%d\","
			    "\"bus\":\"%s%d\",\"addr\":\"0\",\"x-msg-timeout\":60000,"
			    "\"socket\":{\"type\":\"unix\",\"path\":\"%s/gpu%d.sock\"}}",
			    i, switches ? "port" : "root", i,
			    options->processes ? (char[]){ '0' + i, 0 } : "0", i);
	}
}

static void describe_controls(struct argv *argv, const struct options *options)
{
	int models = options->processes || !options->gpus ? options->gpus : 1;

	for (int i = 0; i < models; i++) {
		argv_option(argv, "-chardev", "socket,id=control%d,path=%d/control.sock", i, i);
		if (i == 0)
			argv_option(argv, "-device",
				    "virtserialport,chardev=control0,name=gp100.control");
		else
			argv_option(argv, "-device",
				    "virtserialport,chardev=control%d,name=gp100.control.%d", i, i);
	}
}

static void describe_boot(struct child *qemu, const struct machine *machine)
{
	const struct options *options = machine->options;
	long long khz = guest_tsc_khz(options);
	char clock[48] = "", firmware[PATH_MAX + 64] = "";
	struct argv *argv = &qemu->argv;

	argv_option(argv, "-kernel", "%s/build/kernel/%s/%s", machine->top, options->kernel,
		    options->arm64 ? "Image" : "bzImage");
	argv_option(argv, "-initrd", "/proc/self/fd/%d", child_gives(qemu, machine->image));
	if (khz)
		snprintf(clock, sizeof(clock), " tsc_early_khz=%lld", khz);
	if (machine->firmware)
		snprintf(firmware, sizeof(firmware), " firmware_class.path=%s", machine->firmware);
	argv_option(argv, "-append", BOOT_ARGS "%s%s%s%s %s",
		    options->arm64 ? BOOT_ARGS_ARM64 : BOOT_ARGS_X86_64,
		    options->debug ? DEBUG_ARGS : "", clock, firmware, options->append);
}

void machine_describe(const struct machine *machine, struct child *qemu)
{
	const struct topology *topology = topology_find(machine->options->topology);
	struct argv *argv = &qemu->argv;

	describe_board(argv, machine->options, topology);
	describe_channels(qemu, machine->channels);
	describe_controls(argv, machine->options);
	/* QEMU runs in the toolbox, where the repository is seen as well. */
	describe_share(argv, TAG_ROOT, "/", ",readonly=on", SLOT_ROOT);
	if (machine->share >= 0) {
		char path[32];

		snprintf(path, sizeof(path), "/proc/self/fd/%d", child_gives(qemu, machine->share));
		describe_share(argv, TAG_SHARE, path, "", SLOT_SHARE);
	}
	describe_gpus(argv, machine->options, topology);
	describe_boot(qemu, machine);
}
