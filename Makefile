# SPDX-License-Identifier: MIT
# From an empty Debian machine to a green run. Each target is a script in rig/
# that knows what is up to date, so make only puts them in order.

.SUFFIXES:
.NOTPARALLEL:
KERNELS = kernel-stock kernel-patched kernel-debug kernel-debug-stock kernel-iommu \
	kernel-bench-stock kernel-bench-patched kernel-off-stock kernel-off-patched \
	kernel-arm64-stock kernel-arm64-patched

.PHONY: help demo test test-iommu test-debug test-arm64 bench soak bench-mm shell check toolbox toolbox-cross \
	linux export series igt-series check-series check-series-arch check-series-boot \
	$(KERNELS) host host-arm64 firmware clean

help:
	@echo 'make demo            two modelled GPUs, stock and patched kernel, one report'
	@echo 'make test            all tests; last line: N passed, N failed, N skipped'
	@echo 'make test-iommu      each IOMMU and mode, or none, with each way between GPUs'
	@echo 'make test-debug      the IGT and HMM tests on a kernel with KASAN, lockdep, kmemleak; slow'
	@echo 'make test-arm64      the HMM tests and KUnit suites on an emulated arm64, stock and patched'
	@echo 'make soak            subtests in random order on that kernel: MINUTES=60, SEED=N'
	@echo 'make bench           stock against patched kernel as a page of plots and matrices, with what'
	@echo '                     bench-mm measures, which MM=0 leaves out; GPUS=N TOPOLOGY=NAME'
	@echo 'make bench-mm        what device-private memory costs, stock and patched kernel'
	@echo
	@echo 'What these are made of, each on its own:'
	@echo 'make check           does this machine have what the rig needs?'
	@echo 'make toolbox         build/toolbox: the Debian root where all is built and run'
	@echo 'make toolbox-cross   build/toolbox-cross: the same with cross compilers and QEMU for arm64'
	@echo 'make linux           build/linux: base and series as a git tree; build/linux-stock: base'
	@echo 'make kernel-stock    build/kernel/stock: kernel, modules and mm selftests'
	@echo 'make kernel-patched  the same with the series'
	@echo 'make kernel-debug    the same with the series, KASAN, lockdep, kmemleak, failslab'
	@echo 'make kernel-debug-stock  stock with these: which of its bugs they see'
	@echo 'make kernel-iommu    the same with the series and all IOMMUs that QEMU has'
	@echo 'make kernel-bench-stock, kernel-bench-patched, kernel-off-stock, kernel-off-patched'
	@echo '                     those that bench-mm compares'
	@echo 'make kernel-arm64-stock, kernel-arm64-patched'
	@echo '                     those for arm64, without nouveau'
	@echo 'make host            build/host: GPU model, VM runner, IGT tests'
	@echo 'make host-arm64      build/host-arm64: what a guest of arm64 needs of that'
	@echo 'make firmware        build/firmware: placeholders that only our guests see'
	@echo 'make shell           a shell in the toolbox'
	@echo 'make clean           remove build/ (downloads and ccache stay in the user cache)'
	@echo
	@echo 'For work on the series:'
	@echo 'make export          write the commits of build/linux back to patches/ and the folders'
	@echo 'make check-series    round trip; each patch: checkpatch, compiler, sparse'
	@echo 'make check-series-arch  what it touches compiles for other CPUs, with clang, and with'
	@echo '                     all options'
	@echo 'make check-series-boot  each commit boots, passes its HMM tests, and migrates'
	@echo 'make series          build/series: mails for git send-email; SIGNOFF="Name <address>"'
	@echo 'make igt-series      build/igt-series: the IGT tests as mails for igt-dev;'
	@echo '                     IGT_SRC=PATH: an IGT tree they are made for; SIGNOFF as above'
	@echo
	@echo 'MIRROR=URL           Debian mirror, if not the one of this machine'
	@echo 'LINUX_SRC=PATH       base: a kernel tree or tarball instead of Debian'"'"'s package'
	@echo 'V=1                  show the output of each step instead of logging it'

demo: kernel-stock kernel-patched host firmware
	@rig/demo

test: kernel-stock kernel-patched host firmware
	@rig/test

test-iommu: kernel-patched kernel-iommu host firmware
	@rig/test --iommu

test-debug: kernel-debug host firmware
	@rig/test hmm-debug igt-debug igt-debug-iommu reload-debug

test-arm64: kernel-arm64-stock kernel-arm64-patched host host-arm64
	@rig/test hmm-arm64-stock hmm-arm64-patched hmm-coherent-arm64-stock \
		hmm-coherent-arm64-patched kunit-arm64

soak: kernel-debug host firmware
	@rig/soak

bench: kernel-stock kernel-patched host firmware $(if $(filter 0,$(MM)),,bench-mm)
	@rig/bench-gpu

bench-mm: kernel-bench-stock kernel-bench-patched kernel-off-stock kernel-off-patched host
	@rig/bench-mm

check:
	@rig/check && echo 'This machine has what the rig needs.'

toolbox:
	@rig/toolbox

toolbox-cross:
	@rig/toolbox-cross

linux: toolbox
	@rig/linux

$(KERNELS): kernel-%: linux
	@rig/kernel $*

kernel-arm64-stock kernel-arm64-patched: toolbox-cross

host: toolbox
	@rig/host

host-arm64: toolbox-cross
	@rig/host arm64

firmware: host
	@rig/firmware

shell: toolbox
	@rig/enter bash

export: toolbox
	@rig/export

check-series: kernel-patched
	@rig/check-series

check-series-arch: linux toolbox-cross
	@rig/check-series-arch

check-series-boot: linux host firmware
	@rig/check-series-boot

series: linux
	@rig/series

igt-series: toolbox
	@rig/igt-series

clean:
	@rig/clean
