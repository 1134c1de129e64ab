#!/bin/sh
# guide.sh SOURCE_DIRECTORY: what the guide and the headers show is what is compiled. The examples themselves are built
# by the test of a project outside the tree.
set -eu
cd "$1"
fail() { echo "$*" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

tests/docs/shown_files docs/plugins.md docs/examples '*.cpp'

# The smallest plugin: on a card, with one include, and the same in the header.
smallest=docs/examples/ready_for_review.cpp
[ "$(wc -l <$smallest)" -le 15 ] || fail "$smallest has more than 15 lines"
[ "$(grep -c '^#include' $smallest)" = 1 ] || fail "$smallest needs more than one include"
sed -n 's|^//     ||p' plugin_api/include/sg/plugin.hpp | sed 's/^ *//' >"$work/header"
grep -v '^$' $smallest | sed 's/^ *//' | cmp - "$work/header" || fail "sg/plugin.hpp shows another plugin than $smallest"
