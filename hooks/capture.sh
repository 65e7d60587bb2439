# foureyes: what git's hooks note when a commit is made. Sourced by the hooks that `foureyes install` writes, for
# POSIX sh. A person's commit passes through here without one process being started for it.
#
# Given: foureyes_hook, the hook's name; foureyes_git and foureyes_common, git's folders of this worktree and of the
# repository; foureyes_scripts, the folder of this file; foureyes_everywhere, set if that serves all repositories; the hook's arguments in $@ and its input on stdin. Nothing here ends git's command or changes its result.
# @NOTE@

foureyes_say() {
    printf 'foureyes: %s\n' "$1" >&2
}

# What git is in the middle of, where no process above tells; the parent's own word for it is missing since git 2.40.
foureyes_state() {
    if [ -n "$foureyes_operation" ]; then
        :
    elif [ -n "${GIT_REFLOG_ACTION-}" ]; then
        . "$foureyes_scripts/look.sh"
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
        1:0) ;;
        19:*[!0123456789]*) foureyes_reached= ;;
        19:*) ;;
        *) foureyes_reached= ;;
    esac
}

foureyes_look_around() {
    . "$foureyes_scripts/look.sh"
    foureyes_look
}

# $1: that this git has run prepare-commit-msg before, which wrote down what it found.
foureyes_commit() {
    . "$foureyes_scripts/note.sh"
    foureyes_worktree
    if [ -z "$1" ] || ! foureyes_begun; then
        foureyes_evidence
        foureyes_look_around
    fi
    foureyes_state
    foureyes_head
    foureyes_time
    foureyes_note "$foureyes_oid"
}

case $foureyes_hook in
    prepare-commit-msg)
        # The content of a commit stands fast before its message is written. Only the first line of the file counts:
        # writing over it is cheaper than cutting it off first.
        foureyes_evidence
        foureyes_look_around
        foureyes_worktree
        umask @UMASK@
        {
            printf '%s %s %s %s %s\n' "$PPID" "${foureyes_reached:--}" "${foureyes_operation:--}" \
                "${foureyes_agent:--}" "$foureyes_marks"
        } 2>/dev/null 1<>"$foureyes_common/foureyes/begun-$foureyes_tree" || :
        if [ -n "$foureyes_agent$foureyes_strong" ]; then
            foureyes_state
            . "$foureyes_scripts/trailers.sh"
        fi
        ;;
    post-commit) foureyes_commit begun ;;
    post-applypatch) foureyes_commit '' ;;
    post-merge)
        # It also runs where nothing was committed here: a fast-forward brings in commits that others made.
        case $1$(git reflog -1 --format=%gs HEAD 2>/dev/null) in
            0*': Merge made by '* | 0*': In-index merge'*) foureyes_commit begun ;;
        esac
        ;;
    post-rewrite)
        . "$foureyes_scripts/note.sh"
        foureyes_worktree
        foureyes_look_around
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
