# SPDX-License-Identifier: MIT
# Shared by the rig's scripts, which source it: where things are, how long
# steps report themselves, how things end. Needs nothing but POSIX sh.
# shellcheck shell=sh disable=SC2034 # used by who sources this

TOP=$(cd "$(dirname "$0")/.." && pwd -P)
BUILD=$TOP/build
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/nouveau-p2p

say()
{
	printf '%s\n' "$*"
}

die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
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

# step WHAT COMMAND...: run it with its output in a log, say how long it took;
# while it runs, say every half minute that it still does. V=1: no log.
step()
{
	_what=$1
	shift
	if [ "${V:-0}" = 1 ]; then
		say "$_what"
		"$@"
		return
	fi
	_log=$BUILD/log/$(printf %s "$_what" | tr -cs 'a-zA-Z0-9.\n' -).log
	mkdir -p "$BUILD/log"
	_t0=$(date +%s)
	say "         $_what ..."
	_beat &
	_beat=$!
	trap 'kill "$_beat" 2>/dev/null || :' EXIT
	set +e
	(set -e; "$@") >"$_log" 2>&1 9>&- </dev/null
	_rc=$?
	set -e
	kill "$_beat" 2>/dev/null || :
	wait "$_beat" 2>/dev/null || :
	trap - EXIT
	_t=$(($(date +%s) - _t0))
	if [ "$_rc" -ne 0 ]; then
		tail -n 25 "$_log" >&2 || :
		grep -q 'No space left on device' "$_log" &&
			say "rig: the disk is full: $(df -h "$BUILD" | tail -n 1)" >&2
		die "failed after $_t s: $_what (whole log: ${_log#"$TOP"/})"
	fi
	printf '[%4d s] %s\n' "$_t" "$_what"
}

_beat()
{
	while sleep 30; do
		printf '[%4d s] %s ...\n' "$(($(date +%s) - _t0))" "$_what"
	done
}
