#!/bin/sh
# completions.sh SHELL PROGRAM SCRIPTS: presses Tab in that shell, with the script that is installed for it.
set -eu
shell=$1 program=$2 scripts=$3
PATH=$(dirname "$program"):$PATH
export PATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
touch events.jsonl
unset SGEVENTD_CONFIG

# offered LINE: what the shell offers at its end, a word a line.
case $shell in
bash)
    offered() {
        bash --norc -c '
            source "$1"
            read -ra COMP_WORDS <<<"$2"
            [[ $2 != *" " ]] || COMP_WORDS+=("")
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            $(complete -p sgeventd | sed "s/.*-F \([^ ]*\) .*/\1/")
            printf "%s\n" "${COMPREPLY[@]}"' - "$scripts/sgeventd.bash" "$1"
    }
    ;;
fish)
    # shellcheck disable=SC2016  # its own variables
    offered() {
        fish --no-config -c 'source $argv[1]; complete --do-complete $argv[2]' "$scripts/sgeventd.fish" "$1" | cut -f1
    }
    ;;
zsh)
    # A zsh in a terminal of its own, which completion needs; a second key shows what the line became.
    cat >inner.zsh <<'TXT'
fpath=($SCRIPTS $fpath)
autoload -Uz compinit
compinit -D -u
bindkey '^T' complete-word  # a terminal may turn a tab that it reads early into blanks
show_line() { zle -I; print -r -- "line<$BUFFER>" }
zle -N show_line
bindkey '^Xs' show_line
print in"ner is ready"
TXT
    offered() {
        SCRIPTS=$scripts TERM=dumb zsh -f -c '
            zmodload zsh/zpty
            zpty inner zsh -f -i
            zpty -w inner "source ./inner.zsh"
            zpty -r inner text "*inner is ready*"
            zpty -n -w inner "$1"$(print "\C-T\C-Xs")
            zpty -r inner text "*line<*>*"
            print -r -- ${${text#*line<}%%>*}' - "$1" | tr ' ' '\n'
    }
    ;;
esac

expect() { # line, a word that is offered at its end
    offered "$1" >out
    grep -qxF -- "$2" out || { echo "$shell: after '$1' there is no '$2' in:" >&2; cat out >&2; exit 1; }
}
expect 'sgeventd sandb' sandbox
expect 'sgeventd dead-letters ex' export
expect 'sgeventd replay --exec' --execute
expect 'sgeventd log-level warn' warning
expect 'sgeventd replay --output js' json
expect 'sgeventd replay --file even' events.jsonl
expect 'sgeventd import positions ev' events.jsonl
echo "$shell offers what there is"
