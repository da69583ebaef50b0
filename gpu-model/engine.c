/* SPDX-License-Identifier: MIT */
/*
 * The engine thread: one a GPU. It runs channels and timers round after round, sleeps when
 * nothing can run, and is the only thread that may wait for DMA (bus.h).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "gpu.h"

#define NS_PER_SECOND UINT64_C(1000000000)
#define SETTLE_NS     UINT64_C(50000000)
/* Rounds without a pause, until others that wait for the lock get their turn. */
#define ROUNDS 16

bool engine_is_current(const struct gpu *gpu)
{
	return gpu->engine.stepping && pthread_equal(gpu->engine.runner, pthread_self());
}

void engine_kick(struct gpu *gpu)
{
	gpu->engine.kicked = true;
	if (gpu->engine.started)
		pthread_cond_signal(&gpu->engine.wake);
}

u64 engine_step(struct gpu *gpu)
{
	static u64 (*const runs[])(struct gpu *gpu) = { pci_run, ptimer_run, mmu_run, host_run,
							sked_run };
	u64 wait = UINT64_MAX;

	gpu->engine.runner = pthread_self();
	gpu->engine.stepping = true;
	gpu->engine.kicked = false;
	for (size_t i = 0; i < ARRAY_SIZE(runs); i++) {
		u64 unit_wait = runs[i](gpu);

		if (wait > unit_wait)
			wait = unit_wait;
	}
	gpu->engine.stepping = false;
	return wait;
}

static void sleep_unlocked(struct gpu *gpu, u32 us)
{
	struct timespec ts = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000L };

	pthread_mutex_unlock(&gpu->lock);
	while (nanosleep(&ts, &ts) && errno == EINTR)
		continue;
	pthread_mutex_lock(&gpu->lock);
}

void engine_block(struct gpu *gpu)
{
	gpu->engine.blocked = true;
	if (gpu->engine.started)
		pthread_cond_broadcast(&gpu->engine.settled);
}

void engine_unblock(struct gpu *gpu)
{
	gpu->engine.blocked = false;
}

/* A mutex is not fair: only a short sleep gives a waiter the time to take it. */
void engine_yield(struct gpu *gpu)
{
	sleep_unlocked(gpu, 1);
}

static struct timespec deadline(u64 ns)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	ns += (u64)now.tv_nsec;
	return (struct timespec){ .tv_sec = now.tv_sec + (time_t)(ns / NS_PER_SECOND),
				  .tv_nsec = (long)(ns % NS_PER_SECOND) };
}

void engine_sleep_us(struct gpu *gpu, u32 us)
{
	struct engine *engine = &gpu->engine;
	struct timespec until = deadline(us * UINT64_C(1000));
	int err = 0;

	engine_block(gpu);
	if (!engine->started) /* stepped by a test: there is nothing that wakes it */
		sleep_unlocked(gpu, us);
	else
		while (!engine->stop && !err)
			err = pthread_cond_timedwait(&engine->wake, &gpu->lock, &until);
	engine_unblock(gpu);
}

void engine_settle(struct gpu *gpu)
{
	struct engine *engine = &gpu->engine;
	struct timespec until;

	if (!engine->started || !(engine->kicked || engine->busy) || engine->blocked)
		return;
	until = deadline(SETTLE_NS);
	while (engine->started && (engine->kicked || engine->busy) && !engine->blocked)
		if (pthread_cond_timedwait(&engine->settled, &gpu->lock, &until))
			return;
}

/* Nothing to do for "wait" ns, unless kicked. */
static void rest(struct gpu *gpu, u64 wait)
{
	struct engine *engine = &gpu->engine;
	struct timespec until;

	engine->busy = false;
	pthread_cond_broadcast(&engine->settled);
	if (wait == UINT64_MAX) {
		pthread_cond_wait(&engine->wake, &gpu->lock);
	} else {
		until = deadline(wait);
		pthread_cond_timedwait(&engine->wake, &gpu->lock, &until);
	}
	engine->busy = true;
}

static void *engine_main(void *arg)
{
	struct gpu *gpu = arg;
	struct engine *engine = &gpu->engine;
	unsigned int rounds = 0;

	pthread_mutex_lock(&gpu->lock);
	engine->busy = true;
	while (!engine->stop) {
		u64 wait = engine_step(gpu);

		if (engine->stop)
			break;
		if (wait && !engine->kicked)
			rest(gpu, wait);
		else if (!(++rounds % ROUNDS))
			engine_yield(gpu);
	}
	engine->busy = false;
	pthread_mutex_unlock(&gpu->lock);
	return NULL;
}

int engine_start(struct gpu *gpu)
{
	struct engine *engine = &gpu->engine;
	pthread_condattr_t attr;
	int err;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	err = pthread_cond_init(&engine->wake, &attr);
	if (!err)
		err = pthread_cond_init(&engine->settled, &attr);
	pthread_condattr_destroy(&attr);
	if (err)
		return -err;
	engine->stop = false;
	err = pthread_create(&engine->thread, NULL, engine_main, gpu);
	if (err) {
		pthread_cond_destroy(&engine->wake);
		pthread_cond_destroy(&engine->settled);
		gpu_log(gpu, GPU_ERROR, "no engine thread: %s", strerror(err));
		return -err;
	}
	pthread_mutex_lock(&gpu->lock);
	engine->started = true;
	pthread_mutex_unlock(&gpu->lock);
	return 0;
}

void engine_stop(struct gpu *gpu)
{
	struct engine *engine = &gpu->engine;

	pthread_mutex_lock(&gpu->lock);
	if (!engine->started) {
		pthread_mutex_unlock(&gpu->lock);
		return;
	}
	engine->started = false;
	engine->stop = true;
	pthread_cond_signal(&engine->wake);
	pthread_cond_broadcast(&engine->settled);
	pthread_mutex_unlock(&gpu->lock);
	pthread_join(engine->thread, NULL);
	engine->stop = false; /* what is stepped from now on is not stopping */
	pthread_cond_destroy(&engine->wake);
	pthread_cond_destroy(&engine->settled);
}
