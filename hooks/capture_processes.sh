# foureyes: the programs of agents, from the catalogue, and the longer ways to find them: in a table of ps, and among
# the words of an interpreter. Sourced by look.sh.
# @NOTE@

# A script under its interpreter. Only one that may well be an agent is worth a process of ours, to see where its words
# end: `read` drops the NUL bytes between them.
foureyes_interpreted() {
    IFS= read -r foureyes_words <"@PROC@/$foureyes_pid/cmdline"
    case $foureyes_words in
        @PROCESS_HINTS@)
            foureyes_command "$(tr '\000' '\n' <"@PROC@/$foureyes_pid/cmdline")"
            ;;
    esac
}

# The same from one table of ps, where there is no /proc: a line of words for each process.
foureyes_row() {
    while read -r foureyes_key foureyes_value foureyes_words; do
        if [ "$foureyes_key" = "$foureyes_pid" ]; then
            foureyes_next=$foureyes_value
            break
        fi
    done <<foureyes_end
$foureyes_table
foureyes_end
    [ -n "$foureyes_next" ] || return
    foureyes_name=${foureyes_words%% *}
    if [ "${foureyes_name##*/}" = git ]; then
        foureyes_words=git${foureyes_words#* }
        foureyes_git_command
        return
    fi
    foureyes_command "$(printf '%s' "$foureyes_words" | tr ' ' '\n')"
}

# $1: a command, one word a line. The program's own name counts; a script's under an interpreter.
foureyes_command() {
    foureyes_old_ifs=$IFS
    IFS='
'
    set -f
    # shellcheck disable=SC2086 # split at line breaks, on purpose
    set -- $1
    set +f
    IFS=$foureyes_old_ifs
    [ $# -gt 0 ] || return
    foureyes_process "${1##*/}" && return
    case ${1##*/} in
        @INTERPRETERS@) ;;
        *) return ;;
    esac
    shift
    while [ $# -gt 0 ]; do
        case $1 in
            -*) shift ;;
            *)
                foureyes_process "${1##*/}"
                return
                ;;
        esac
    done
}

# $1: base name of a program that is listed -> foureyes_agent
foureyes_known_process() {
    case $1 in
        @PROCESSES@
        *) return 1 ;;
    esac
    case $foureyes_agent in
        @PERSONS_TERMINALS@
    esac
}
