# What sgeventd's Tab offers in fish; the program itself knows it.
function __sgeventd_candidates
    set -l words (commandline --current-process --tokenize --cut-at-cursor)
    set -l current (commandline --current-token)
    for line in ($words[1] complete $words[2..-1] "$current" 2>/dev/null)
        if test "$line" = :files
            __fish_complete_path "$current"
        else
            echo $line
        end
    end
end
complete --command sgeventd --no-files --arguments '(__sgeventd_candidates)'
