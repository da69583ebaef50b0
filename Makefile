# SPDX-License-Identifier: MIT
# From an empty Debian machine to a green run. Every target is a script in
# rig/ (or a build tool run inside the toolbox); each knows what is up to date.

.SUFFIXES:
MAKEFLAGS += --no-builtin-rules
.NOTPARALLEL:
ENTER := rig/enter

.PHONY: help check toolbox
help:
	@echo 'make demo            two modelled GPUs, stock and patched kernel, one report'
	@echo 'make test            all tests; last line: N passed, N failed, N skipped'
	@echo
	@echo 'What these are made of:'
	@echo 'make check           does this machine have what the rig needs?'
	@echo 'make toolbox         build/toolbox: the Debian root where all is built and run'
	@echo 'make clean           remove build/ (downloads and ccache stay in the user cache)'
	@echo
	@echo 'MIRROR=URL           Debian mirror, if not the one of this machine'
	@echo 'V=1                  show the output of each step instead of logging it'

check:
	@rig/check
toolbox:
	@rig/toolbox

.PHONY: clean
clean:
	@rig/clean
