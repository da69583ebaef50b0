# SPDX-License-Identifier: MIT
# Shared by the rig's scripts, which source it: where things are, how long
# steps report themselves, how things end. Needs nothing but POSIX sh.
# shellcheck shell=sh disable=SC2034 # used by who sources this

TOP=$(cd "$(dirname "$0")/.." && pwd -P)
BUILD=$TOP/build
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/nouveau-p2p

# So that the EXIT traps of scripts run on Ctrl-C, too.
trap 'exit 130' INT
trap 'exit 143' TERM

say()
{
	printf '%s\n' "$*"
}

die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# room MB: what is to be written must fit, for not every tool says so when it does not.
room()
{
	free=$(df -Pk "$BUILD" | awk 'END { print int($4 / 1024) }')
	[ "$free" -ge "$1" ] || die "$free MB free in $BUILD, $1 are needed"
}

# lock NAME: one at a time, in this build directory.
lock()
{
	mkdir -p "$BUILD" || die "cannot create $BUILD"
	exec 9>"$BUILD/.$1.lock"
	flock -n 9 || {
		say "rig: waiting for another $1 to finish"
		flock 9
	}
}

# hugepages: in the toolbox, what is run from now on maps memory as rig/hugepages.c says
hugepages()
{
	gcc -D_GNU_SOURCE -Wall -Wextra -Werror -O2 -shared -fPIC -o /run/hugepages.so "$TOP/rig/hugepages.c"
	export LD_PRELOAD=/run/hugepages.so
}

# cpu N: one of the CPUs that this process may use: 0 the first, 1 the last
cpu()
(
	cpus=$(taskset -cp $$) # ...: 0-3,7
	cpus=${cpus##* }
	[ "$1" = 0 ] && echo "${cpus%%[,-]*}" || echo "${cpus##*[,-]}"
)

# with_source PATH COMMAND...: run it in the toolbox. A source outside, a git
# tree (its HEAD), a plain tree, or a tarball, is its input: decompress makes that a
# tar stream. SOURCE_ID says which it is, and in which state.
with_source()
{
	src=$1
	shift
	if [ -e "$src/.git" ]; then
		SOURCE_ID="$src $(git -C "$src" rev-parse HEAD)"
		export SOURCE_ID
		git -C "$src" archive HEAD | "$TOP/rig/enter" "$@"
	elif [ -d "$src" ]; then
		SOURCE_ID="$src $(stat -c %Y "$src")"
		export SOURCE_ID
		tar -C "$src" -cf - . | "$TOP/rig/enter" "$@"
	elif [ -f "$src" ]; then
		SOURCE_ID="$src $(stat -c '%s %Y' "$src")"
		export SOURCE_ID
		"$TOP/rig/enter" "$@" <"$src"
	else
		die "$src: no such tree or tarball"
	fi
}

decompress()
{
	case $SOURCE_ID in
	*.xz\ *) xz -dc ;;
	*.gz\ *) gzip -dc ;;
	*.zst\ *) zstd -dc ;;
	*) cat ;;
	esac
}

# step WHAT COMMAND...: run it with its output in a log, say how long it took;
# while it runs, say every half minute that it still does. V=1: no log.
step()
(
	what=$1
	shift
	if [ "${V:-0}" = 1 ]; then
		say "$what"
		"$@"
		exit
	fi
	log=$BUILD/log/$(printf %s "$what" | tr -cs 'a-zA-Z0-9.\n' -).log
	mkdir -p "$BUILD/log"
	t0=$(date +%s)
	say "         $what ..."
	(
		trap 'kill "$nap"; exit' TERM
		while :; do
			sleep 30 &
			nap=$!
			wait "$nap"
			printf '[%4d s] %s ...\n' "$(($(date +%s) - t0))" "$what"
		done
	) &
	beat=$!
	trap 'kill "$beat" 2>/dev/null || :' EXIT
	set +e
	(set -e; "$@") >"$log" 2>&1 9>&- </dev/null
	rc=$?
	t=$(($(date +%s) - t0))
	if [ "$rc" -ne 0 ]; then
		tail -n 25 "$log" >&2
		! grep -q 'No space left on device' "$log" ||
			say "rig: the disk is full: $(df -h "$BUILD" | tail -n 1)" >&2
		die "failed after $t s: $what (whole log: ${log#"$TOP"/})"
	fi
	printf '[%4d s] %s\n' "$t" "$what"
)
