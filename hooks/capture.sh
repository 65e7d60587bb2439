# foureyes: what git's hooks note when a commit is made. Sourced by the hooks that `foureyes install` writes, for
# POSIX sh. A person's commit passes through here without one process being started for it.
#
# Given: foureyes_hook, the hook's name; foureyes_git and foureyes_common, git's folders of this worktree and of the
# repository; foureyes_scripts, the folder of this file; foureyes_everywhere, set if that serves all repositories; the hook's arguments in $@ and its input on stdin. Nothing here ends git's command or changes its result.
# @NOTE@

foureyes_say() {
    printf 'foureyes: %s\n' "$1" >&2
}

# The nearest agent among the processes that started git -> foureyes_agent; the git commands on the way, the farthest
# wins -> foureyes_operation.
foureyes_ancestors() {
    foureyes_agent=
    foureyes_pid=$PPID
    foureyes_steps=0
    if [ ! -r @PROC@/self/status ]; then
        foureyes_table=$(ps -axo pid=,ppid=,command= 2>/dev/null)
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
        # One line that ends a name in brackets; bash takes longer over the lines of the other file, dash over this.
        IFS= read -r foureyes_words 2>/dev/null <"@PROC@/$foureyes_pid/stat"
        foureyes_name=${foureyes_words#*\(}
        foureyes_name=${foureyes_name%\)*}
        foureyes_next=${foureyes_words##*\) ? }
        foureyes_next=${foureyes_next%% *}
    else
        while read -r foureyes_key foureyes_value; do
            case $foureyes_key in
                Name:) foureyes_name=$foureyes_value ;;
                PPid:)
                    foureyes_next=$foureyes_value
                    break
                    ;;
            esac
        done 2>/dev/null <"@PROC@/$foureyes_pid/status"
    fi
    case $foureyes_name in
        git)
            # `read` drops the NUL bytes between the words.
            IFS= read -r foureyes_words 2>/dev/null <"@PROC@/$foureyes_pid/cmdline"
            foureyes_git_command
            ;;
        node* | MainThread | python* | pypy* | bun | deno)
            # A script runs under its interpreter's name. Only one that may well be an agent is worth a process of
            # ours, to see where its words end.
            IFS= read -r foureyes_words 2>/dev/null <"@PROC@/$foureyes_pid/cmdline"
            case $foureyes_words in
                @PROCESS_HINTS@)
                    foureyes_command "$(tr '\000' '\n' 2>/dev/null <"@PROC@/$foureyes_pid/cmdline")"
                    ;;
            esac
            ;;
        *) foureyes_process "$foureyes_name" ;;
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
        node | nodejs | bun | deno | python* | pypy*) ;;
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

# $1: base name of a program -> foureyes_agent
foureyes_process() {
    case $1 in
        @PROCESSES@
        *) return 1 ;;
    esac
    case $foureyes_agent in
        @PERSONS_TERMINALS@
    esac
}

# What git is in the middle of; the parent's own word for it is missing since git 2.40.
foureyes_state() {
    foureyes_operation=
    if [ -n "${GIT_REFLOG_ACTION-}" ]; then
        foureyes_clean "$GIT_REFLOG_ACTION"
        foureyes_operation=$foureyes_cleaned
    elif [ -d "$foureyes_git/rebase-merge" ]; then
        foureyes_operation=rebase
    elif [ -d "$foureyes_git/rebase-apply" ]; then
        foureyes_operation=rebase
        if [ -e "$foureyes_git/rebase-apply/applying" ]; then foureyes_operation=am; fi
    elif [ -e "$foureyes_git/CHERRY_PICK_HEAD" ]; then
        foureyes_operation=cherry-pick
    elif [ -e "$foureyes_git/REVERT_HEAD" ]; then
        foureyes_operation=revert
    elif [ -e "$foureyes_git/MERGE_HEAD" ]; then
        foureyes_operation=merge
    fi
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
    foureyes_steps=0
    while [ "$foureyes_steps" -lt 200 ]; do
        foureyes_steps=$((foureyes_steps + 1))
        foureyes_good=${foureyes_left%%[!abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:/@+-]*}
        foureyes_cleaned=$foureyes_cleaned$foureyes_good
        foureyes_left=${foureyes_left#"$foureyes_good"}
        if [ -z "$foureyes_left" ]; then break; fi
        foureyes_left=${foureyes_left#?}
    done
    if [ "${#foureyes_cleaned}" -gt 200 ]; then
        foureyes_cleaned=$(printf '%.200s' "$foureyes_cleaned")
    fi
}

# HEAD's commit -> foureyes_oid, without asking git where its files tell.
foureyes_head() {
    foureyes_oid=
    IFS= read -r foureyes_oid 2>/dev/null <"$foureyes_git/HEAD"
    case $foureyes_oid in
        'ref: '*)
            foureyes_file=$foureyes_git/${foureyes_oid#ref: }
            [ -f "$foureyes_file" ] || foureyes_file=$foureyes_common/${foureyes_oid#ref: }
            foureyes_oid=
            IFS= read -r foureyes_oid 2>/dev/null <"$foureyes_file"
            ;;
    esac
    case ${#foureyes_oid}:$foureyes_oid in
        40:*[!0123456789abcdef]* | 64:*[!0123456789abcdef]*) ;;
        40:* | 64:*) return ;;
    esac
    foureyes_oid=$(git rev-parse --verify --quiet HEAD 2>/dev/null)
}

foureyes_time() {
    foureyes_now=${EPOCHSECONDS-}
    case $foureyes_now in
        '' | *[!0123456789]*) foureyes_now=$(date +%s 2>/dev/null) ;;
    esac
}

# The file that this worktree has in our folders.
foureyes_worktree() {
    if [ "$foureyes_git" = "$foureyes_common" ]; then
        foureyes_tree=main
    else
        foureyes_tree=linked-${foureyes_git##*/}
    fi
}

# How far the agents' evidence goes -> foureyes_reached: 0 if there is none yet, empty if that cannot be told.
foureyes_evidence() {
    foureyes_reached=0
    if [ -e "$foureyes_common/foureyes/evidence/clock" ]; then
        foureyes_reached=
        IFS= read -r foureyes_reached 2>/dev/null <"$foureyes_common/foureyes/evidence/clock"
        foureyes_check_tick
    fi
}

foureyes_check_tick() {
    case ${#foureyes_reached}:$foureyes_reached in
        19:*[!0123456789]*) foureyes_reached= ;;
        19:*) ;;
        *) foureyes_reached= ;;
    esac
}

# The content of a commit stands fast before its message is written; kept for post-commit, which the same git runs.
foureyes_begin() {
    foureyes_evidence
    if [ "$foureyes_reached" != 0 ]; then
        foureyes_worktree
        { printf '%s %s\n' "$PPID" "$foureyes_reached"; } 2>/dev/null \
            >"$foureyes_common/foureyes/evidence/from-$foureyes_tree" || :
    fi
}

foureyes_begun() {
    foureyes_evidence
    if [ "$foureyes_reached" != 0 ]; then
        foureyes_worktree
        foureyes_key=
        read -r foureyes_key foureyes_value 2>/dev/null <"$foureyes_common/foureyes/evidence/from-$foureyes_tree"
        if [ "$foureyes_key" = "$PPID" ]; then
            foureyes_reached=$foureyes_value
            foureyes_check_tick
        fi
    fi
}

# One line, in one write, so that parallel commits never mix. $1: the commit.
foureyes_note() {
    [ -n "$1" ] || return
    umask 077
    if [ -n "${foureyes_everywhere-}" ] && [ ! -d "$foureyes_common/foureyes/journal" ]; then
        mkdir -p "$foureyes_common/foureyes/journal" 2>/dev/null
    fi
    foureyes_worktree
    foureyes_file=$foureyes_common/foureyes/journal/$foureyes_tree
    {
        printf 'v1\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "${foureyes_now:-0}" "$foureyes_hook" \
            "$foureyes_operation" "$foureyes_agent" "$foureyes_marks" "${foureyes_reached-}"
    } 2>/dev/null >>"$foureyes_file" ||
        foureyes_say "this commit was not recorded: $foureyes_file cannot be written. It stands; see: foureyes status"
}

foureyes_look() {
    foureyes_state
    foureyes_environment
    foureyes_ancestors
}

case $foureyes_hook in
    prepare-commit-msg)
        foureyes_begin
        foureyes_look
        if [ -n "$foureyes_agent$foureyes_strong" ]; then
            . "$foureyes_scripts/trailers.sh"
        fi
        ;;
    post-commit | post-applypatch)
        foureyes_begun
        foureyes_look
        foureyes_head
        foureyes_time
        foureyes_note "$foureyes_oid"
        ;;
    post-merge)
        # It also runs where nothing was committed here: a fast-forward brings in commits that others made.
        case $1$(git reflog -1 --format=%gs HEAD 2>/dev/null) in
            0*': Merge made by '* | 0*': In-index merge'*)
                foureyes_begun
                foureyes_look
                foureyes_head
                foureyes_time
                foureyes_note "$foureyes_oid"
                ;;
        esac
        ;;
    post-rewrite)
        foureyes_look
        foureyes_time
        foureyes_clean "$1"
        foureyes_operation=$foureyes_cleaned
        foureyes_known=$foureyes_marks
        while read -r foureyes_was foureyes_is foureyes_rest; do
            foureyes_marks="$foureyes_known${foureyes_known:+ }FOUREYES_WAS=$foureyes_was"
            foureyes_note "$foureyes_is"
        done
        ;;
    pre-push)
        . "$foureyes_scripts/push.sh"
        ;;
esac
