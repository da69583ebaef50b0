# SPDX-License-Identifier: MIT
# Shared by rig/series and rig/igt-series, which source it: commits as mails.
# SIGNOFF="Name <address>": the sender. VERSION=N: a [PATCH vN] series.
# shellcheck shell=sh

SIGNOFF=${SIGNOFF:-}

# sender_mails TREE DIR ARG...: git format-patch of TREE to DIR. Without a sender the
# mails carry the authors of the commits and no sign-off.
sender_mails()
(
	tree=$1 dir=$2
	shift 2
	if [ -n "$SIGNOFF" ]; then
		case $SIGNOFF in
		*\ \<*@*\>) ;;
		*) die "SIGNOFF=$SIGNOFF: it should read 'Name <address>'" ;;
		esac
		GIT_COMMITTER_NAME=${SIGNOFF% <*}
		GIT_COMMITTER_EMAIL=${SIGNOFF##*<}
		GIT_COMMITTER_EMAIL=${GIT_COMMITTER_EMAIL%>}
		export GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL
		set -- --signoff --from="$SIGNOFF" "$@"
	fi
	git -C "$tree" format-patch -q --output-directory "$dir" --cover-letter \
		--notes --thread=shallow --no-signature ${VERSION:+-v "$VERSION"} "$@" || exit

	# The commits have no person as their author: they are the sender's. git
	# indents notes under a heading; on the lists they stand as they are.
	for f in "$dir"/*.patch; do
		awk -v sender="${SIGNOFF%% <*}" '
		     !body && /^$/ { body = 1; print; next }
		     body && sender && /^From: rig <rig@localhost>$/ { getline; next }
		     sender && /^rig \([0-9]+\):$/ { sub(/^rig/, sender) }
		     /^---$/ { below = 1 }
		     /^diff --git / { below = notes = 0 }
		     below && /^Notes:$/ { notes = 1; next }
		     notes && /^ [^ ]/ { notes = 0 }
		     notes { sub(/^    /, "") }
		     { print }' "$f" >"$f.new" && mv "$f.new" "$f" || exit
	done
)

# cover MAIL TEXT: the cover letter, from a subject line, an empty line, and the text.
cover()
{
	awk -v text="$2" '
		/\*\*\* SUBJECT HERE \*\*\*/ { getline s < text; sub(/\*\*\* SUBJECT HERE \*\*\*/, s) }
		/\*\*\* BLURB HERE \*\*\*/ { getline line < text; while ((getline line < text) > 0) print line; next }
		{ print }' "$1" >"$1.new"
	mv "$1.new" "$1"
}

# how_to_send DIR ADDRESS: the last words.
how_to_send()
{
	say "${0##*/}: to send them: git send-email ${2:+--to=$2 }${1#"$TOP"/}/*.patch"
	[ -n "$SIGNOFF" ] || say "${0##*/}: no sign-off yet: make ${0##*/} SIGNOFF='Name <address>'"
}
