# SPDX-License-Identifier: MIT
# Shared by the tests that load and unload nouveau (reload-guest), which source it:
# what a run must have said, and must not. They have set tmp; status is rig/vm's,
# the guest's words are in $tmp/out, the rig's in $tmp/err, logs in $tmp/log*.
# shellcheck shell=sh disable=SC2034,SC2154 # used by, and set by, who sources this
count=0 failed=0

# check WHAT COMMAND...: passes when COMMAND succeeds; its output is the reason why not
check()
{
	what=$1
	shift
	count=$((count + 1))
	if "$@" >"$tmp/why" 2>&1; then
		echo "ok $count - $what"
	else
		failed=$((failed + 1))
		echo "not ok $count - $what"
		tail -n 30 "$tmp/why" | sed 's/^/# /'
	fi
}

# The run ended well.
good()
{
	[ "$status" = 0 ] && return
	echo "status $status"
	cat "$tmp/err" "$tmp/out"
	return 1
}

# said N WORD: the guest said it N times
said()
{
	[ "$(grep -c "^$2" "$tmp/out")" = "$1" ] && return
	echo "$2: $(grep -c "^$2" "$tmp/out") times, not $1"
	return 1
}

# quiet PROBES: nobody warned. nouveau's own warnings come as notices; the PMU
# firmware for this chip was never published, so that every board gets the one
# about it. That all probes are there shows that no line was lost. A late word
# of the boot, about the timers of an emulated CPU, is not about GPUs.
quiet()
{
	awk -v probes="$1" '
		/nouveau .*: NVIDIA GP100/ { probes-- }
		/Could not switch to high resolution mode on CPU/ { next }
		/^[a-z]+ *: *(emerg|alert|crit|err|warn) *:/ { print; bad = 1; next }
		/^[a-z]+ *: *notice *:.*nouveau/ && !/pmu: firmware unavailable$/ { print; bad = 1 }
		END {
			if (probes)
				print probes " probes are not in the log"
			exit bad || probes
		}
	' "$tmp/out"
}

# The model's log holds the guest's mistakes and, at its end, the burn-down.
nothing_unmodelled()
{
	[ -e "$tmp/log.model" ] || return
	[ ! -s "$tmp/log.model" ] && return
	cat "$tmp/log.model"
	return 1
}
