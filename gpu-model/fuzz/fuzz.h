/* SPDX-License-Identifier: MIT */
/* A fuzz target, as libFuzzer and smoke.c call it. */
#ifndef FUZZ_H
#define FUZZ_H

#include "types.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#endif
