/* SPDX-License-Identifier: MIT */
/* The inside of Host, shared by host.c (registers, scheduling), runlist.c and pbdma.c. */
#ifndef PFIFO_H
#define PFIFO_H

#include "channel.h"
#include "types.h"

struct gpu;

#define CHANNEL_MAX 4096
#define PBDMA_MAX   16
#define RUNLIST_MAX 16
#define ENGINE_MAX  16

/* PFIFO INTR_0 */
#define PFIFO_INTR_BIND_ERROR		  BIT(0)
#define PFIFO_INTR_SCHED_ERROR		  BIT(8)
#define PFIFO_INTR_REPLAYABLE_FAULT_ERROR BIT(25)
#define PFIFO_INTR_DROPPED_MMU_FAULT	  BIT(27)
#define PFIFO_INTR_MMU_FAULT		  BIT(28) /* this and the next two follow other registers */
#define PFIFO_INTR_PBDMA		  BIT(29)
#define PFIFO_INTR_RUNLIST_EVENT	  BIT(30)
#define PFIFO_INTR_CHANNEL		  BIT(31)

/* Words of RAMFC. A PBDMA's first registers are the same words, at the same offsets. */
enum ramfc {
	RAMFC_GP_PUT = 0,
	RAMFC_MEM_OP_A = 1,
	RAMFC_USERD = 2,
	RAMFC_USERD_HI = 3,
	RAMFC_SIGNATURE = 4,
	RAMFC_GP_GET = 5,
	RAMFC_PB_GET = 6,
	RAMFC_PB_GET_HI = 7,
	RAMFC_PB_TOP_LEVEL_GET = 8,
	RAMFC_PB_TOP_LEVEL_GET_HI = 9,
	RAMFC_REF = 10,
	RAMFC_ACQUIRE = 12,
	RAMFC_ACQUIRE_DEADLINE = 13,
	RAMFC_SEMAPHORE_A = 14, /* address, upper word */
	RAMFC_SEMAPHORE_B = 15, /* address, lower word */
	RAMFC_SEMAPHORE_C = 16, /* payload */
	RAMFC_SEMAPHORE_D = 17, /* operation */
	RAMFC_GP_BASE = 18,
	RAMFC_GP_BASE_HI = 19,
	RAMFC_GP_FETCH = 20,
	RAMFC_PB_FETCH = 21,
	RAMFC_PB_FETCH_HI = 22,
	RAMFC_PB_PUT = 23,
	RAMFC_PB_PUT_HI = 24,
	RAMFC_MEM_OP_B = 25,
	RAMFC_PB_HEADER = 33,
	RAMFC_PB_COUNT = 34,
	RAMFC_SUBDEVICE = 37,
	RAMFC_MEM_OP_C = 40,
	RAMFC_METHOD0 = 48,
	RAMFC_DATA0 = 49,
	RAMFC_HCE_CTRL = 57,
	RAMFC_CHID = 58,
	RAMFC_CONFIG = 61,
	RAMFC_WORDS = 64,
};

#define PBDMA_FETCH_WORDS 256

struct pbdma {
	unsigned int id;
	struct channel *channel; /* loaded, or NULL */
	u32 ctx[RAMFC_WORDS];	 /* RAMFC of the loaded channel */
	u32 intr[2], intr_en[2];
	u32 gp_shadow[2], hdr_shadow, hce_dbg[2];
	/* Pushbuffer words read ahead. */
	u64 fetch_addr;
	unsigned int fetch_count;
	u32 fetch[PBDMA_FETCH_WORDS];
};

/* Why a PBDMA stopped working on its channel. */
enum pbdma_result {
	PBDMA_IDLE,    /* no work left */
	PBDMA_SLICE,   /* work left, but it is others' turn */
	PBDMA_WAITING, /* on a semaphore, or on a copy engine's blocking interrupt */
	PBDMA_FROZEN,  /* interrupt pending: stays loaded until software clears it */
	PBDMA_FAULTED, /* MMU fault on a fetch or semaphore of its own */
	PBDMA_ENGINE_FAULTED,
	PBDMA_CANCELLED, /* the channel was taken away: touch it no more */
};

struct runlist {
	u32 base, length;   /* as submitted: RUNLIST_BASE, and the number of entries */
	bool pending;	    /* submitted, not yet read */
	bool stopped;	    /* after a fault, until ERROR_SCHED_DISABLE is cleared */
	unsigned int count; /* of channels in */
	unsigned int next;  /* whose turn it is */
	u16 *channels;
};

/* What an engine has on it. */
struct engine_context {
	struct channel *channel; /* NULL: nothing */
	u16 id;			 /* of the TSG, or of the channel outside of one */
	bool tsg, faulted;
	/* A switch away from it is wanted since then, to another channel or to none. */
	u64 switch_since;
	const struct channel *next;
	bool timed_out;
};

struct host_state {
	struct channel *channels;
	struct pbdma pbdma[PBDMA_MAX];
	struct runlist runlist[RUNLIST_MAX];
	struct engine_context engine[ENGINE_MAX];

	u32 intr, intr_en[2];
	u32 bind_error, sched_error, mmu_fault, runlist_event;
	u32 sched_disable, runlist_base, userd_base;
	u32 preempt;
	u32 trigger_mmu_fault[ENGINE_MAX];

	struct channel *running; /* what the engine thread is at */
	bool cancelled;
};

/* Interrupt outputs, after anything that may have changed them. */
void host_update(struct gpu *gpu);
/* Whether the running channel should give way at the next method. */
bool host_wants_stop(const struct gpu *gpu);
/* Put a channel's context on an engine. False while another cannot be switched away. */
bool host_engine_enter(struct gpu *gpu, unsigned int engine, struct channel *channel);
/* Whether the context on an engine has work that goes on without Host. */
bool host_engine_working(const struct gpu *gpu, unsigned int engine);
/* The same of the channel's context, wherever it is. */
bool host_channel_working(const struct gpu *gpu, const struct channel *channel);

/* Load a channel from its instance block; false if it was taken away meanwhile. */
bool pbdma_load(struct gpu *gpu, struct pbdma *pbdma, struct channel *channel);
/* Write the loaded channel back to RAMFC and USERD. */
void pbdma_save(struct gpu *gpu, struct pbdma *pbdma);
/* Work on the loaded channel for one slice. */
enum pbdma_result pbdma_run(struct gpu *gpu, struct pbdma *pbdma);
/* Forget the method that waits to be executed. */
void pbdma_drop_method(struct pbdma *pbdma);
u32 pbdma_read(struct gpu *gpu, u32 addr);
void pbdma_write(struct gpu *gpu, u32 addr, u32 val);

/* Take over a submitted runlist. */
void runlist_load(struct gpu *gpu, unsigned int id);
/* Contexts whose channel is gone from the list leave their engine, unless they cannot. */
void runlist_drop_contexts(struct gpu *gpu, unsigned int id);
u32 runlist_read(struct gpu *gpu, u32 addr);
void runlist_write(struct gpu *gpu, u32 addr, u32 val);

#endif
