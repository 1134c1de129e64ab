#!/bin/sh
# manual.sh PROGRAM PAGES: every command has a page that troff reads without a word and that names every option of its help.
set -eu
program=$1 pages=$2
fail() { echo "$*" >&2; exit 1; }
# shellcheck disable=SC2086  # a list of words
read_page() { zcat "$pages/$1.1.gz" | groff -man -Tutf8 -P-cbou $2 -; }

count=0
for page in sgeventd $("$program" complete '' | cut -f1 | sed 's/^/sgeventd-/'); do
    count=$((count + 1))
    [ -e "$pages/$page.1.gz" ] || fail "there is no page $page"
    said=$(read_page "$page" "-ww -z" 2>&1)
    [ -z "$said" ] || fail "$page: $said"
done
[ "$count" -gt 15 ] || fail "only $count pages"

replay=$(read_page sgeventd-replay -E)
for option in $("$program" complete replay -- | cut -f1); do
    echo "$replay" | grep -qF -e "$option" || fail "sgeventd-replay(1) does not name $option"
done
for code in 64 78 130; do
    echo "$replay" | grep -qw "$code" || fail "sgeventd-replay(1) does not name exit code $code"
done
read_page sgeventd-plugins -E | grep -q 'sgeventd plugins seek \[OPTIONS\] PLUGIN PLACE' || fail "no synopsis of seek"
echo "$count pages"
