// SPDX-License-Identifier: MIT
#define CREATE_TRACE_POINTS
#include "nouveau_svm_trace.h"
