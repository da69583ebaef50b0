/* SPDX-License-Identifier: MIT */
/*
 * nouveau GPUs as the SVM tests see them: opening the n-th one, where it sits in the PCI tree,
 * and the SVM counters and switches that the driver has in debugfs and as module parameters.
 */
#ifndef NV_DEVICE_H
#define NV_DEVICE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NV_MAX_GPUS	 8
#define NV_CHIPSET_GP100 0x130
#define NV_CHIPSET_GV100 0x140

struct nv_gpu {
	int fd;
	uint32_t chipset;
	char path[PATH_MAX]; /* in sysfs: /sys/devices/pci0000:00/.../0000:03:00.0 */
	const char *slot;    /* the end of it: 0000:03:00.0 */
};

/* How far two GPUs are apart, in the words of `nvidia-smi topo -m`. */
enum nv_route {
	NV_ROUTE_PIX, /* a PCIe switch (or bridge) above both */
	NV_ROUTE_PHB, /* only the host bridge above both */
	NV_ROUTE_SYS, /* different host bridges */
};

struct nv_counters {
	uint64_t gpu_faults;	     /* since load */
	uint64_t migrated_to_ram;    /* pages since load */
	uint64_t migrated_to_vram;   /* pages since load */
	uint64_t migrated_from_peer; /* of those */
	uint64_t peer_mappings;	     /* now */
};

/* How others reach the VRAM of a GPU: debugfs file p2p. */
struct nv_p2p {
	uint64_t bar1; /* bytes */
	uint64_t vram;
	uint64_t windows; /* of 2 MiB of BAR1 that show VRAM to others now */
	uint64_t windows_max;
	uint64_t windows_recycled; /* since load */
};

bool __nv_gpu_open(struct nv_gpu *gpu, unsigned int index);
void nv_gpu_open(struct nv_gpu *gpu, unsigned int index);
int nv_gpu_open_all(struct nv_gpu gpus[NV_MAX_GPUS]);
void nv_gpu_close(struct nv_gpu *gpu);
void nv_gpu_rebind(struct nv_gpu *gpu);

int __nv_getparam(int fd, uint64_t param, uint64_t *value);
uint64_t nv_getparam(int fd, uint64_t param);
bool nv_is_pascal(const struct nv_gpu *gpu);

enum nv_route nv_route(const struct nv_gpu *a, const struct nv_gpu *b);
const char *nv_route_name(enum nv_route route);
const char *nv_route_text(enum nv_route route);
bool nv_acs_redirects(const struct nv_gpu *a, const struct nv_gpu *b);
const char *nv_iommu_type(const struct nv_gpu *gpu);
bool nv_iommu_translates(const struct nv_gpu *gpu);
uint64_t nv_bar1_address(const struct nv_gpu *gpu);
uint64_t nv_bar1_size(const struct nv_gpu *gpu);
bool nv_bar1_holds_vram(const struct nv_gpu *gpu);

bool nv_counters_read(const struct nv_gpu *gpu, struct nv_counters *counters);

bool nv_p2p_read(const struct nv_gpu *owner, struct nv_p2p *p2p);
bool nv_p2p_peer(const struct nv_gpu *owner, const struct nv_gpu *importer, char *text,
		 size_t size);
bool nv_fdinfo(int fd, const char *key, uint64_t *bytes);
int nv_p2p_param_get(void);
void nv_p2p_reason(const struct nv_gpu *owner, const struct nv_gpu *importer, bool works,
		   char *text, size_t size);
void nv_p2p_param_set(bool on);

void nv_driver_unbind(const struct nv_gpu *gpu);

#endif
