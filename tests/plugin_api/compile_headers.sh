#!/bin/sh
# compile_headers.sh COMPILER INCLUDE_DIR: every public header compiles alone, as C++20 and without a warning.
# A compiler that is not installed is a failure: what is not checked is not promised.
set -eu
compiler=$1 include=$2
command -v "$compiler" >/dev/null || { echo "$compiler is not installed (see packaging/debian-packages)" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

count=0
for header in $(cd "$include" && find sg -name '*.hpp' | sort); do
    # Twice, so that a missing include guard shows.
    printf '#include <%s>\n#include <%s>\n' "$header" "$header" >"$work/$(echo "$header" | tr / _).cpp"
    count=$((count + 1))
done
[ "$count" -ge 10 ] || { echo "only $count headers found below $include" >&2; exit 1; }

# -isystem for what comes from the distribution: only our own headers are judged.
find "$work" -name '*.cpp' | sort | xargs -n 1 -P 2 "$compiler" -std=c++20 -fsyntax-only -DFMT_HEADER_ONLY \
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Woverloaded-virtual \
    -Werror -I "$include"
echo "$count headers compile alone with $compiler"
