# SPDX-License-Identifier: MIT
# Sourced by tests that do something to a rig/vm while it runs. They set top, tmp
# and kernel. Needs nothing but POSIX sh: a fresh machine has no ps.
# shellcheck shell=sh disable=SC2154 # set by who sources this

# start ARGUMENT...: rig/vm in a session of its own, for the guest's command $load;
# returns when that has created $tmp/share/up
start()
{
	rm -rf "$tmp/share"
	mkdir "$tmp/share"
	setsid "$top/rig/vm" --kernel "$kernel" --log "$tmp/log" --share "$tmp/share" "$@" \
		-- sh -c "$load" >"$tmp/out" 2>"$tmp/err" </dev/null &
	session=$!
	for _ in $(seq 300); do
		[ ! -e "$tmp/share/up" ] || return 0
		kill -0 $session 2>/dev/null || return 1
		sleep 0.1
	done
	return 1
}

# The processes of the session, but for those that are already dead: PID NAME
alive()
{
	cat /proc/[0-9]*/stat 2>/dev/null | awk -v session=$session '
		{
			split($0, part, /[()]/)
			split(part[3], field, " ")
			if (field[4] == session && field[1] != "Z") {
				print part[1] part[2]
				left = 1
			}
		}
		END { exit !left }'
}

# gone [TENTHS]: none of the session is left, after so many tenths of a second
gone()
{
	for _ in $(seq "${1:-1}"); do
		alive >/dev/null || return 0
		sleep 0.1
	done
	alive | sed 's/^/# left: /'
	return 1
}

pid_of()
{
	alive | awk -v name="$1" '$2 == name { print $1 }'
}
