// SPDX-License-Identifier: MIT
/*
 * nouveau GPUs: opening, place in the PCI tree, debugfs counters, module parameter, bind/unbind.
 */
#include <fcntl.h>
#include <glob.h>
#include <linux/pci_regs.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "igt.h"
#include "nouveau_drm.h"
#include "nouveau/nv_device.h"

#define P2P_PARAM "/sys/module/nouveau/parameters/svm_p2p"

static unsigned int nr_cards(void)
{
	glob_t cards = {};
	unsigned int nr;

	glob("/dev/dri/card*", 0, NULL, &cards);
	nr = cards.gl_pathc;
	globfree(&cards);

	return nr;
}

/**
 * __nv_gpu_open:
 * @gpu: filled in
 * @index: counts nouveau devices only, in the order of the card nodes or of the --device filters
 *
 * Returns: whether there is such a GPU.
 */
bool __nv_gpu_open(struct nv_gpu *gpu, unsigned int index)
{
	char link[64];
	uint64_t chipset;
	struct stat st;

	memset(gpu, 0, sizeof(*gpu));
	gpu->fd = -1;

	/*
	 * Asking for one card more than there are makes the library load the driver, or without
	 * DRIVER_NOUVEAU every driver it knows.
	 */
	for (unsigned int i = 0; i < nr_cards(); i++) {
		int fd = __drm_open_driver_another(i, DRIVER_NOUVEAU);

		if (fd < 0)
			return false;
		if (is_nouveau_device(fd) && !index--) {
			gpu->fd = fd;
			break;
		}
		drm_close_driver(fd);
	}
	if (gpu->fd < 0)
		return false;

	igt_assert_eq(fstat(gpu->fd, &st), 0);
	snprintf(link, sizeof(link), "/sys/dev/char/%u:%u/device", major(st.st_rdev),
		 minor(st.st_rdev));
	igt_assert_f(realpath(link, gpu->path), "%s: %s\n", link, strerror(errno));
	gpu->slot = strrchr(gpu->path, '/') + 1;
	chipset = nv_getparam(gpu->fd, NOUVEAU_GETPARAM_CHIPSET_ID);
	gpu->chipset = chipset;

	return true;
}

/**
 * nv_gpu_open:
 * @gpu: filled in
 * @index: counts nouveau devices
 *
 * Skips when there is no such GPU.
 */
void nv_gpu_open(struct nv_gpu *gpu, unsigned int index)
{
	igt_require_f(__nv_gpu_open(gpu, index), "needs %u GPU(s) driven by nouveau\n", index + 1);
}

/* Opens all Pascal GPUs that nouveau drives, in their order. Returns: how many. */
int nv_gpu_open_all(struct nv_gpu gpus[NV_MAX_GPUS])
{
	int nr = 0;

	for (int i = 0; nr < NV_MAX_GPUS && __nv_gpu_open(&gpus[nr], i); i++) {
		if (nv_is_pascal(&gpus[nr]))
			nr++;
		else
			nv_gpu_close(&gpus[nr]);
	}

	return nr;
}

void nv_gpu_close(struct nv_gpu *gpu)
{
	if (gpu->fd >= 0)
		drm_close_driver(gpu->fd);
	gpu->fd = -1;
}

int __nv_getparam(int fd, uint64_t param, uint64_t *value)
{
	struct drm_nouveau_getparam getparam = { .param = param };

	if (igt_ioctl(fd, DRM_IOCTL_NOUVEAU_GETPARAM, &getparam))
		return -errno;
	*value = getparam.value;

	return 0;
}

uint64_t nv_getparam(int fd, uint64_t param)
{
	uint64_t value;

	igt_assert_eq(__nv_getparam(fd, param, &value), 0);

	return value;
}

/* Pascal is the one family on which nouveau offers SVM. */
bool nv_is_pascal(const struct nv_gpu *gpu)
{
	return gpu->chipset >= NV_CHIPSET_GP100 && gpu->chipset < NV_CHIPSET_GV100;
}

/**
 * nv_route:
 *
 * A device's sysfs path names every bridge above it, so the route is what two paths have in common:
 * /sys/devices/pci<domain>:<bus> is the host bridge, anything below it a bridge of the fabric.
 */
enum nv_route nv_route(const struct nv_gpu *a, const struct nv_gpu *b)
{
	int common = 0;

	for (int i = 0; a->path[i] && a->path[i] == b->path[i]; i++)
		common += a->path[i] == '/';

	/* The slashes of "/sys/devices/pci0000:00/" are 4, each bridge adds one. */
	return common > 4 ? NV_ROUTE_PIX : common == 4 ? NV_ROUTE_PHB : NV_ROUTE_SYS;
}

const char *nv_route_name(enum nv_route route)
{
	static const char *const names[] = { "PIX", "PHB", "SYS" };

	return names[route];
}

const char *nv_route_text(enum nv_route route)
{
	static const char *const texts[] = {
		"a common PCIe switch",
		"separate root ports of one host bridge",
		"different host bridges",
	};

	return texts[route];
}

static uint32_t config_read(int fd, unsigned int offset)
{
	uint32_t value = 0;

	igt_assert_eq(pread(fd, &value, sizeof(value), offset), sizeof(value));

	return value;
}

/* ACS control of the device at @path, 0 when it has none. */
static unsigned int acs_control(const char *path)
{
	char file[PATH_MAX + 8];
	unsigned int offset = 0x100, control = 0;
	int fd;

	snprintf(file, sizeof(file), "%s/config", path);
	fd = open(file, O_RDONLY);
	igt_assert_f(fd >= 0, "%s: %s\n", file, strerror(errno));
	if (lseek(fd, 0, SEEK_END) > offset) {
		for (int i = 0; offset && i < 64; i++) {
			uint32_t header = config_read(fd, offset);

			if ((header & 0xffff) == PCI_EXT_CAP_ID_ACS)
				control = config_read(fd, offset + PCI_ACS_CAP) >> 16;
			offset = header >> 20;
		}
	}
	close(fd);

	return control;
}

static bool redirects_above(const struct nv_gpu *gpu, size_t common)
{
	char path[PATH_MAX];
	bool redirects = false;

	snprintf(path, sizeof(path), "%s", gpu->path);
	for (char *end = strrchr(path, '/'); end > path + common; end = strrchr(path, '/')) {
		*end = 0;
		redirects |= acs_control(path) & (PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_EC);
	}

	return redirects;
}

/*
 * Whether a port between @a, @b and the bridge above both sends what they want of each other
 * upwards.
 */
bool nv_acs_redirects(const struct nv_gpu *a, const struct nv_gpu *b)
{
	size_t common = 0;

	for (size_t i = 0; a->path[i] && a->path[i] == b->path[i]; i++)
		if (a->path[i] == '/')
			common = i;

	return redirects_above(a, common) || redirects_above(b, common);
}

/**
 * nv_iommu_type:
 *
 * Returns: the kernel's word for how an IOMMU treats @gpu: DMA (strict), DMA-FQ (lazy), identity
 * (passthrough); "none" without an IOMMU. Valid until the next call.
 */
const char *nv_iommu_type(const struct nv_gpu *gpu)
{
	static char type[32];
	char file[PATH_MAX + 32];
	FILE *f;

	snprintf(file, sizeof(file), "%s/iommu_group/type", gpu->path);
	f = fopen(file, "r");
	if (!f)
		return "none";
	igt_assert_eq(fscanf(f, "%31s", type), 1);
	fclose(f);

	return type;
}

bool nv_iommu_translates(const struct nv_gpu *gpu)
{
	return !strncmp(nv_iommu_type(gpu), "DMA", 3);
}

/* First and last byte of BAR1, the window to VRAM, in the CPU's physical address space. */
static void bar1(const struct nv_gpu *gpu, unsigned long long *first, unsigned long long *last)
{
	char file[PATH_MAX + 16];
	FILE *f;

	snprintf(file, sizeof(file), "%s/resource", gpu->path);
	f = fopen(file, "r");
	igt_assert_f(f, "%s: %s\n", file, strerror(errno));
	for (int i = 0; i < 2; i++)
		igt_assert_eq(fscanf(f, "%llx %llx %*x", first, last), 2);
	fclose(f);
}

uint64_t nv_bar1_address(const struct nv_gpu *gpu)
{
	unsigned long long first, last;

	bar1(gpu, &first, &last);

	return first;
}

uint64_t nv_bar1_size(const struct nv_gpu *gpu)
{
	unsigned long long first, last;

	bar1(gpu, &first, &last);

	return last - first + 1;
}

/* Whether every page of VRAM can be reached from outside. */
bool nv_bar1_holds_vram(const struct nv_gpu *gpu)
{
	return nv_bar1_size(gpu) >= nv_getparam(gpu->fd, NOUVEAU_GETPARAM_FB_SIZE);
}

struct number {
	const char *name;
	uint64_t *value;
};

/* Reads "name: number" lines of a file in debugfs, if there is that file. */
static bool read_numbers(const struct nv_gpu *gpu, const char *file, const struct number *numbers,
			 int count)
{
	char text[4096] = "";

	if (!igt_debugfs_exists(gpu->fd, file, O_RDONLY))
		return false;

	igt_debugfs_read(gpu->fd, file, text);
	for (int i = 0; i < count; i++) {
		const char *line = strstr(text, numbers[i].name);

		igt_assert_f(line, "debugfs file %s has no line '%s'\n", file, numbers[i].name);
		*numbers[i].value = strtoull(line + strlen(numbers[i].name), NULL, 0);
	}

	return true;
}

/**
 * nv_counters_read:
 *
 * Returns: whether the driver has these counters.
 */
bool nv_counters_read(const struct nv_gpu *gpu, struct nv_counters *counters)
{
	const struct number numbers[] = {
		{ "gpu_faults:", &counters->gpu_faults },
		{ "migrated_to_ram:", &counters->migrated_to_ram },
		{ "migrated_to_vram:", &counters->migrated_to_vram },
		{ "migrated_from_peer:", &counters->migrated_from_peer },
		{ "peer_mappings:", &counters->peer_mappings },
	};

	return read_numbers(gpu, "svm", numbers, ARRAY_SIZE(numbers));
}

/**
 * nv_p2p_read:
 *
 * Returns: whether the driver tells about windows of BAR1.
 */
bool nv_p2p_read(const struct nv_gpu *owner, struct nv_p2p *p2p)
{
	const struct number numbers[] = {
		{ "bar1:", &p2p->bar1 },
		{ "vram:", &p2p->vram },
		{ "windows:", &p2p->windows },
		{ "windows_max:", &p2p->windows_max },
		{ "windows_recycled:", &p2p->windows_recycled },
	};

	return read_numbers(owner, "p2p", numbers, ARRAY_SIZE(numbers));
}

/**
 * nv_p2p_peer:
 * @text: how the importer reaches the owner's VRAM, as the driver says it, or "none, " and why not
 *
 * Returns: whether the driver says anything.
 */
bool nv_p2p_peer(const struct nv_gpu *owner, const struct nv_gpu *importer, char *text, size_t size)
{
	char file[4096] = "", name[64];
	const char *line;

	if (!igt_debugfs_exists(owner->fd, "p2p", O_RDONLY))
		return false;

	igt_debugfs_read(owner->fd, "p2p", file);
	snprintf(name, sizeof(name), "peer %s: ", importer->slot);
	line = strstr(file, name);
	igt_assert_f(line, "debugfs file p2p has no line '%s'\n", name);
	line += strlen(name);
	snprintf(text, size, "%.*s", (int)strcspn(line, "\n"), line);

	return true;
}

/**
 * nv_fdinfo:
 * @fd: an open device file of this process
 * @key: for example drm-resident-svm-vram
 * @bytes: its value
 *
 * Returns: whether the driver says so (Documentation/gpu/drm-usage-stats.rst).
 */
bool nv_fdinfo(int fd, const char *key, uint64_t *bytes)
{
	char path[64], text[4096] = "", name[64], unit[8] = "";
	unsigned long long value;
	const char *line;
	ssize_t size;
	int info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = open(path, O_RDONLY);
	igt_assert_f(info >= 0, "%s: %s\n", path, strerror(errno));
	size = read(info, text, sizeof(text) - 1);
	igt_assert(size > 0);
	close(info);

	snprintf(name, sizeof(name), "\n%s:", key);
	line = strstr(text, name);
	if (!line)
		return false;
	igt_assert(sscanf(line + strlen(name), "%llu %7s", &value, unit) >= 1);
	*bytes = value;
	if (!strcmp(unit, "KiB"))
		*bytes <<= 10;
	else if (!strcmp(unit, "MiB"))
		*bytes <<= 20;

	return true;
}

/**
 * nv_p2p_param_get:
 *
 * Returns: 1 or 0, or -1 when this driver has no such switch.
 */
int nv_p2p_param_get(void)
{
	char value = 0;
	int fd = open(P2P_PARAM, O_RDONLY);

	if (fd < 0)
		return -1;
	igt_assert_eq(read(fd, &value, 1), 1);
	close(fd);

	return value == 'Y';
}

/* What the owner's driver says of the importer, in its debugfs file p2p. */
static bool p2p_told(const struct nv_gpu *owner, const struct nv_gpu *importer, char *reason,
		     size_t size)
{
	char text[4096] = "", start[48];
	const char *line;

	if (!igt_debugfs_exists(owner->fd, "p2p", O_RDONLY))
		return false;
	igt_debugfs_read(owner->fd, "p2p", text);
	snprintf(start, sizeof(start), "peer %s: ", importer->slot);
	line = strstr(text, start);
	if (!line)
		return false;
	line += strlen(start);
	snprintf(reason, size, "%.*s", (int)strcspn(line, "\n"), line);

	return true;
}

/**
 * nv_p2p_reason:
 * @owner: has the memory
 * @importer: maps it, or cannot
 * @works: which of the two
 * @reason: filled in: by which way it works, or why it does not, as the driver says, or as this
 * machine makes likely
 * @size: of @reason
 */
void nv_p2p_reason(const struct nv_gpu *owner, const struct nv_gpu *importer, bool works,
		   char *reason, size_t size)
{
	const int param = nv_p2p_param_get();
	const char *text;

	if (p2p_told(owner, importer, reason, size))
		return;
	if (works)
		text = "peer-to-peer";
	else if (param < 0)
		text = "this kernel has no peer-to-peer for nouveau";
	else if (!param)
		text = "switched off by nouveau.svm_p2p";
	else if (!nv_bar1_holds_vram(owner))
		text = "BAR1 of the owner is smaller than its VRAM";
	else if (nv_acs_redirects(owner, importer))
		text = "ACS redirects peer traffic, see pci=disable_acs_redir";
	else
		text = "the kernel trusts no route between them";
	snprintf(reason, size, "%s", text);
}

static void write_file(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY);

	igt_assert_f(fd >= 0, "%s: %s\n", file, strerror(errno));
	igt_assert_f(write(fd, text, strlen(text)) == strlen(text), "'%s' > %s: %s\n", text, file,
		     strerror(errno));
	close(fd);
}

void nv_p2p_param_set(bool on)
{
	write_file(P2P_PARAM, on ? "Y" : "N");
}

void nv_driver_unbind(const struct nv_gpu *gpu)
{
	write_file("/sys/bus/pci/drivers/nouveau/unbind", gpu->slot);
}

/* Binds the driver again after nv_driver_unbind(), and opens the GPU by its new card node. */
void nv_gpu_rebind(struct nv_gpu *gpu)
{
	char slot[32];

	snprintf(slot, sizeof(slot), "%s", gpu->slot);
	nv_gpu_close(gpu);
	write_file("/sys/bus/pci/drivers/nouveau/bind", slot);
	for (unsigned int i = 0; i < NV_MAX_GPUS; i++) {
		nv_gpu_open(gpu, i);
		if (!strcmp(gpu->slot, slot))
			return;
		nv_gpu_close(gpu);
	}
}
