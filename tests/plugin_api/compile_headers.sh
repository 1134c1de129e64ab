#!/bin/sh
# compile_headers.sh alone|together COMPILER INCLUDE_DIR: every public header compiles as C++20 without a warning, each by
# itself or all in one source.
# A compiler that is not installed is a failure: what is not checked is not promised.
set -eu
how=$1 compiler=$2 include=$3
command -v "$compiler" >/dev/null || { echo "$compiler is not installed (see packaging/debian-packages)" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

count=0
for header in $(cd "$include" && find sg -name '*.hpp' | sort); do
    # Twice, so that a missing include guard shows.
    source=$(echo "$header" | tr / _)
    [ "$how" = alone ] || source=together
    printf '#include <%s>\n#include <%s>\n' "$header" "$header" >>"$work/$source.cpp"
    count=$((count + 1))
done
[ "$count" -ge 10 ] || { echo "only $count headers found below $include" >&2; exit 1; }

# -isystem for what comes from the distribution: only our own headers are judged.
find "$work" -name '*.cpp' | sort | xargs -n 1 -P 2 "$compiler" -std=c++20 -fsyntax-only -DFMT_HEADER_ONLY \
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Woverloaded-virtual \
    -Werror -I "$include"
echo "$count headers compile $how with $compiler"
