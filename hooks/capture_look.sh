# foureyes: who is at work around git: the processes above it and the environment. Sourced by capture.sh.
# @NOTE@

foureyes_look() {
    foureyes_environment
    # A process may be gone while it is looked at.
    foureyes_ancestors 2>/dev/null
}

# The nearest agent among the processes that started git -> foureyes_agent; the git commands on the way, the farthest
# wins -> foureyes_operation.
foureyes_ancestors() {
    foureyes_agent=
    foureyes_operation=
    foureyes_pid=$PPID
    foureyes_steps=0
    if [ ! -r @PROC@/self/status ]; then
        . "$foureyes_scripts/processes.sh"
        foureyes_table=$(ps -axo pid=,ppid=,command=)
    fi
    while [ "${foureyes_pid:-0}" -gt 1 ] && [ "$foureyes_steps" -lt 64 ]; do
        foureyes_steps=$((foureyes_steps + 1))
        foureyes_name=
        foureyes_next=
        foureyes_words=
        if [ -n "${foureyes_table-}" ]; then
            foureyes_row
        else
            foureyes_status
        fi
        if [ -n "$foureyes_agent" ]; then
            return
        fi
        foureyes_pid=$foureyes_next
    done
}

foureyes_status() {
    if [ -n "${BASH_VERSION-}" ]; then
        # One line with a name in brackets; bash takes longer over the lines of the other file, dash over this. And it
        # takes long to cut a long text, which only a name with blanks or brackets of its own needs.
        read -r foureyes_key foureyes_name foureyes_value foureyes_next foureyes_words <"@PROC@/$foureyes_pid/stat"
        case $foureyes_name:$foureyes_value in
            '('*'):'?) ;;
            *) foureyes_words=')' ;;
        esac
        foureyes_name=${foureyes_name#?}
        foureyes_name=${foureyes_name%?}
        case $foureyes_next$foureyes_words in
            *')'*)
                IFS= read -r foureyes_words <"@PROC@/$foureyes_pid/stat"
                foureyes_name=${foureyes_words#*\(}
                foureyes_name=${foureyes_name%\)*}
                foureyes_next=${foureyes_words##*\) ? }
                foureyes_next=${foureyes_next%% *}
                ;;
        esac
    else
        while read -r foureyes_key foureyes_value; do
            case $foureyes_key in
                Name:) foureyes_name=$foureyes_value ;;
                PPid:)
                    foureyes_next=$foureyes_value
                    break
                    ;;
            esac
        done <"@PROC@/$foureyes_pid/status"
    fi
    case $foureyes_name in
        # Known to be no agents: the long table is spared.
        @NO_AGENTS@) ;;
        git)
            # `read` drops the NUL bytes between the words.
            IFS= read -r foureyes_words <"@PROC@/$foureyes_pid/cmdline"
            foureyes_git_command
            ;;
        node* | MainThread | python* | pypy* | bun | deno)
            # A script runs under its interpreter's name.
            if [ -n "${BASH_VERSION-}" ]; then
                foureyes_script
            else
                . "$foureyes_scripts/processes.sh"
                foureyes_interpreted
            fi
            ;;
        *) foureyes_process "$foureyes_name" ;;
    esac
}

# Words end with NUL there, which bash can tell.
foureyes_script() {
    foureyes_key=
    foureyes_words=
    {
        IFS= read -r -d '' foureyes_key
        while IFS= read -r -d '' foureyes_words; do
            case $foureyes_words in
                -*) ;;
                *) break ;;
            esac
        done
    } <"@PROC@/$foureyes_pid/cmdline"
    foureyes_process "${foureyes_key##*/}" && return
    case ${foureyes_key##*/} in
        @INTERPRETERS@) foureyes_process "${foureyes_words##*/}" ;;
    esac
}

foureyes_git_command() {
    case $foureyes_words in
        git*) foureyes_words=${foureyes_words#git} ;;
        */git-core/git*) foureyes_words=${foureyes_words#*/git-core/git} ;;
        *) foureyes_words=${foureyes_words#*/bin/git} ;;
    esac
    case $foureyes_words in
        rebase*) foureyes_operation=rebase ;;
        cherry-pick*) foureyes_operation=cherry-pick ;;
        revert*) foureyes_operation=revert ;;
        pull*) foureyes_operation=pull ;;
        merge*) foureyes_operation=merge ;;
        am | am[!abcdefghijklmnopqrstuvwxyz]*) foureyes_operation=am ;;
    esac
}

# $1: base name of a program -> foureyes_agent
foureyes_process() {
    case ' @PROCESS_NAMES@ ' in
        *" $1 "*)
            . "$foureyes_scripts/processes.sh"
            foureyes_known_process "$1"
            ;;
        *) return 1 ;;
    esac
}

# Allow-listed markers -> foureyes_marks, the agent that they show -> foureyes_strong. The table is read only if one
# of its variables is set at all: a shell of an agent holds keys, and nothing but the table's names is looked at.
foureyes_environment() {
    foureyes_marks=
    foureyes_strong=
    foureyes_model=
    foureyes_sessions=
    foureyes_any=@ANY_VARIABLE@
    if [ -n "$foureyes_any" ] @ANY_FILE@; then
        . "$foureyes_scripts/marks.sh"
    fi
}

# $1 without all but the characters that a journal takes, and cut -> foureyes_cleaned
foureyes_clean() {
    foureyes_cleaned=
    foureyes_left=$1
    case $1 in
        *[!abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:/@+-]*) ;;
        *)
            foureyes_cleaned=$1
            foureyes_left=
            ;;
    esac
    foureyes_steps=0
    while [ -n "$foureyes_left" ] && [ "$foureyes_steps" -lt 200 ]; do
        foureyes_steps=$((foureyes_steps + 1))
        foureyes_good=${foureyes_left%%[!abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:/@+-]*}
        foureyes_cleaned=$foureyes_cleaned$foureyes_good
        foureyes_left=${foureyes_left#"$foureyes_good"}
        foureyes_left=${foureyes_left#?}
    done
    if [ "${#foureyes_cleaned}" -gt 200 ]; then
        foureyes_cleaned=$(printf '%.200s' "$foureyes_cleaned")
    fi
}
