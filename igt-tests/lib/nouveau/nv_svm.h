/* SPDX-License-Identifier: MIT */
/*
 * Shared virtual memory of nouveau: one SVM address space on one device file, memory of this
 * process that is migrated to it, and where the CPU's page tables say each page is.
 */
#ifndef NV_SVM_H
#define NV_SVM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NV_PAGE_SIZE 4096ul
#define NV_HUGE_SIZE (2ul << 20)

struct nv_svm {
	int fd;
	void *cutout; /* reserved in this process for the driver's own GPU mappings */
	size_t cutout_size;
};

/* Pages of a range by place. */
struct nv_residency {
	size_t none;
	size_t ram;
	size_t vram;  /* of some GPU: device-private */
	size_t other; /* swapped out, being migrated, ... */
};

int __nv_svm_init(int fd, uint64_t addr, uint64_t size);
void *nv_svm_reserve(size_t size);
void nv_svm_init(struct nv_svm *svm, int fd);
void nv_svm_fini(struct nv_svm *svm);

int __nv_svm_bind(int fd, unsigned int command, uint32_t target, const void *ptr, size_t len,
		  uint64_t *result);
int __nv_svm_migrate(const struct nv_svm *svm, const void *ptr, size_t len);
uint64_t nv_svm_migrate(const struct nv_svm *svm, const void *ptr, size_t len);
int __nv_svm_migrate_home(const struct nv_svm *svm, const void *ptr, size_t len);
uint64_t nv_svm_migrate_home(const struct nv_svm *svm, const void *ptr, size_t len);
void nv_svm_require_target_cpu(const struct nv_svm *svm);
int __nv_svm_prefetch(const struct nv_svm *svm, const void *ptr, size_t len);
uint64_t nv_svm_prefetch(const struct nv_svm *svm, const void *ptr, size_t len);
bool nv_svm_has_prefetch(const struct nv_svm *svm);
void nv_svm_require_prefetch(const struct nv_svm *svm);

void nv_require_pagemap(void);
void nv_pagemap_read(const void *ptr, size_t len, uint64_t *entries);
void nv_residency(const void *ptr, size_t len, struct nv_residency *residency);
size_t nv_private_pages(const void *ptr, size_t len);
void nv_assert_private(const void *ptr, size_t len);
void nv_assert_ram(const void *ptr, size_t len);
bool nv_is_huge_page(const void *ptr);

uint32_t *nv_alloc(size_t len);
uint32_t *nv_alloc_huge(size_t len);
uint32_t nv_pattern(uint32_t seed, size_t word);
void nv_fill(void *ptr, size_t len, uint32_t seed);
size_t __nv_check(const void *ptr, size_t len, uint32_t seed);
void nv_check(const void *ptr, size_t len, uint32_t seed);

#endif
