/* SPDX-License-Identifier: MIT */
/*
 * What becomes of the pages of shared virtual memory: faults of the GPU, migrations,
 * invalidations, and mappings of the VRAM of other devices.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM nouveau_svm

#if !defined(__NOUVEAU_SVM_TRACE_H__) || defined(TRACE_HEADER_MULTI_READ)
#define __NOUVEAU_SVM_TRACE_H__

#include <linux/device.h>
#include <linux/hmm.h>
#include <linux/tracepoint.h>

/* A fault as the GPU reported it. */
TRACE_EVENT(nouveau_svm_fault,
	TP_PROTO(const struct device *dev, u64 inst, u64 addr, u8 access, u8 client,
		 u8 gpc, u8 hub),
	TP_ARGS(dev, inst, addr, access, client, gpc, hub),
	TP_STRUCT__entry(
		__string(dev, dev_name(dev))
		__field(u64, inst)
		__field(u64, addr)
		__field(u8, access)
		__field(u8, client)
		__field(u8, gpc)
		__field(u8, hub)
	),
	TP_fast_assign(
		__assign_str(dev);
		__entry->inst = inst;
		__entry->addr = addr;
		__entry->access = access;
		__entry->client = client;
		__entry->gpc = gpc;
		__entry->hub = hub;
	),
	TP_printk("%s addr=0x%llx access=%s inst=0x%llx client=0x%x gpc=%u hub=%u",
		  __get_str(dev), __entry->addr,
		  __print_symbolic(__entry->access, { 0, "read" }, { 1, "write" },
				   { 2, "atomic" }, { 3, "prefetch" }),
		  __entry->inst, __entry->client, __entry->gpc, __entry->hub)
);

/* The faults in one window are handled; those that are not good were cancelled. */
TRACE_EVENT(nouveau_svm_fault_done,
	TP_PROTO(const struct device *dev, u64 start, unsigned int nr, unsigned int good),
	TP_ARGS(dev, start, nr, good),
	TP_STRUCT__entry(
		__string(dev, dev_name(dev))
		__field(u64, start)
		__field(unsigned int, nr)
		__field(unsigned int, good)
	),
	TP_fast_assign(
		__assign_str(dev);
		__entry->start = start;
		__entry->nr = nr;
		__entry->good = good;
	),
	TP_printk("%s window=0x%llx faults=%u good=%u", __get_str(dev),
		  __entry->start, __entry->nr, __entry->good)
);

/* Pages came to VRAM, or left it. The address is 0 if they are those of a whole chunk. */
TRACE_EVENT(nouveau_svm_migrate,
	TP_PROTO(const struct device *dev, const char *reason, bool to_vram, u64 addr,
		 unsigned long nr, unsigned long migrated),
	TP_ARGS(dev, reason, to_vram, addr, nr, migrated),
	TP_STRUCT__entry(
		__string(dev, dev_name(dev))
		__string(reason, reason)
		__field(bool, to_vram)
		__field(u64, addr)
		__field(unsigned long, nr)
		__field(unsigned long, migrated)
	),
	TP_fast_assign(
		__assign_str(dev);
		__assign_str(reason);
		__entry->to_vram = to_vram;
		__entry->addr = addr;
		__entry->nr = nr;
		__entry->migrated = migrated;
	),
	TP_printk("%s to=%s addr=0x%llx pages=%lu migrated=%lu reason=%s", __get_str(dev),
		  __entry->to_vram ? "VRAM" : "RAM", __entry->addr, __entry->nr,
		  __entry->migrated, __get_str(reason))
);

/* The GPU has to give up what it has mapped there. */
TRACE_EVENT(nouveau_svm_invalidate,
	TP_PROTO(const struct device *dev, u64 start, u64 end, const char *reason),
	TP_ARGS(dev, start, end, reason),
	TP_STRUCT__entry(
		__string(dev, dev_name(dev))
		__string(reason, reason)
		__field(u64, start)
		__field(u64, end)
	),
	TP_fast_assign(
		__assign_str(dev);
		__assign_str(reason);
		__entry->start = start;
		__entry->end = end;
	),
	TP_printk("%s range=0x%llx-0x%llx reason=%s", __get_str(dev), __entry->start,
		  __entry->end, __get_str(reason))
);

/* The GPU reaches a page in the VRAM of another device. */
TRACE_EVENT(nouveau_svm_peer_map,
	TP_PROTO(const struct device *dev, u64 addr, u64 size, u64 dma,
		 unsigned long hmm_pfn),
	TP_ARGS(dev, addr, size, dma, hmm_pfn),
	TP_STRUCT__entry(
		__string(dev, dev_name(dev))
		__field(u64, addr)
		__field(u64, size)
		__field(u64, dma)
		__field(bool, bus)
	),
	TP_fast_assign(
		__assign_str(dev);
		__entry->addr = addr;
		__entry->size = size;
		__entry->dma = dma;
		__entry->bus = hmm_pfn & HMM_PFN_P2PDMA_BUS;
	),
	TP_printk("%s addr=0x%llx size=0x%llx dma=0x%llx aperture=%s", __get_str(dev),
		  __entry->addr, __entry->size, __entry->dma,
		  __entry->bus ? "bus-address" : "host-bridge")
);

/* It does not any more. */
TRACE_EVENT(nouveau_svm_peer_unmap,
	TP_PROTO(const struct device *dev, u64 addr, u64 size, u64 dma,
		 unsigned long hmm_pfn, const char *reason),
	TP_ARGS(dev, addr, size, dma, hmm_pfn, reason),
	TP_STRUCT__entry(
		__string(dev, dev_name(dev))
		__string(reason, reason)
		__field(u64, addr)
		__field(u64, size)
		__field(u64, dma)
		__field(bool, bus)
	),
	TP_fast_assign(
		__assign_str(dev);
		__assign_str(reason);
		__entry->addr = addr;
		__entry->size = size;
		__entry->dma = dma;
		__entry->bus = hmm_pfn & HMM_PFN_P2PDMA_BUS;
	),
	TP_printk("%s addr=0x%llx size=0x%llx dma=0x%llx aperture=%s reason=%s",
		  __get_str(dev), __entry->addr, __entry->size, __entry->dma,
		  __entry->bus ? "bus-address" : "host-bridge", __get_str(reason))
);

/* Another device asked for VRAM of this one. An error sends the page to RAM. */
TRACE_EVENT(nouveau_svm_alias,
	TP_PROTO(const struct device *dev, u64 vram, int error),
	TP_ARGS(dev, vram, error),
	TP_STRUCT__entry(
		__string(dev, dev_name(dev))
		__field(u64, vram)
		__field(int, error)
	),
	TP_fast_assign(
		__assign_str(dev);
		__entry->vram = vram;
		__entry->error = error;
	),
	TP_printk("%s vram=0x%llx error=%d", __get_str(dev), __entry->vram,
		  __entry->error)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH ../../drivers/gpu/drm/nouveau
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE nouveau_svm_trace
#include <trace/define_trace.h>
