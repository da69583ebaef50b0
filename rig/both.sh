# SPDX-License-Identifier: MIT
# Shared by scripts that run the same on the stock and on the patched kernel, which
# source it after common.sh.
# shellcheck shell=sh disable=SC2154 # common.sh's

# both NAME OUT VM-OPTION... -- COMMAND...: COMMAND in a guest of either kernel, both at
# a time. Leaves in OUT/KERNEL what COMMAND puts in its share, kernel.log, stats.json,
# messages, and as status 0, or 1 for what COMMAND calls lost data; dies of all else.
both()
{
	name=$1 out=$2
	shift 2
	began=$(date +%s)
	start stock "$(cpu 0)" "$@"
	stock=$!
	start patched "$(cpu 1)" "$@"
	patched=$!
	trap 'kill $stock $patched 2>/dev/null || :; wait' EXIT
	finish patched $patched
	finish stock $stock
	trap - EXIT
}

# start KERNEL CPU VM-OPTION... -- COMMAND...: its run, as $!. Of the guest's CPUs, QEMU
# and the GPUs one waits for another most of the time: one CPU of the host takes no
# longer than two.
start()
{
	kernel=$1 cpu=$2 dir=$out/$1
	shift 2
	mkdir -p "$dir"
	# What a stock kernel complains of is its own affair.
	[ "$kernel" != stock ] || set -- --allow-splat "$@"
	taskset -c "$cpu" rig/vm --kernel "$kernel" --share "$dir" --log "$dir/kernel.log" \
		--stats "$dir/stats.json" "$@" 2>"$dir/messages" 9>&- &
}

# finish KERNEL PID
finish()
{
	rc=0
	wait "$2" || rc=$?
	[ "$rc" -le 1 ] || {
		cat "$out/$1/messages" >&2
		die "the $1 run failed with status $rc (kernel log: ${out#"$TOP"/}/$1/kernel.log)"
	}
	echo "$rc" >"$out/$1/status"
	printf '[%4d s] %s: %s kernel\n' "$(($(date +%s) - began))" "$name" "$1"
}
