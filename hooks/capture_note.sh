# foureyes: how a commit gets into the journal. Sourced by capture.sh after the commit.
# @NOTE@

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

# Seconds since 1970 -> foureyes_now. Where the shell has no clock: how long the machine has been up, added to what
# `date` said in this boot an hour ago or less, for starting `date` costs more than all else that is done here.
foureyes_time() {
    foureyes_now=${EPOCHSECONDS-}
    case $foureyes_now in
        '' | *[!0123456789]*) ;;
        *) return ;;
    esac
    foureyes_boot=
    foureyes_up=
    foureyes_file=$foureyes_common/foureyes/booted
    foureyes_key=
    {
        IFS=. read -r foureyes_up foureyes_rest <@PROC@/uptime
        read -r foureyes_boot <@PROC@/sys/kernel/random/boot_id
        read -r foureyes_key foureyes_was foureyes_now <"$foureyes_file"
    } 2>/dev/null
    if [ -n "$foureyes_boot" ] && [ "$foureyes_key" = "$foureyes_boot" ] && foureyes_numbers &&
        [ "$foureyes_up" -ge "$foureyes_was" ] && [ $((foureyes_up - foureyes_was)) -lt 3600 ]; then
        foureyes_now=$((foureyes_now + foureyes_up - foureyes_was))
        return
    fi
    foureyes_now=$(date +%s 2>/dev/null)
    umask @UMASK@
    { printf '%s %s %s\n' "$foureyes_boot" "$foureyes_up" "$foureyes_now" >"$foureyes_file"; } 2>/dev/null || :
}

# A file that was cut off, or written by two at once, must not reach the shell's arithmetic.
foureyes_numbers() {
    case ${#foureyes_was}:$foureyes_up:$foureyes_was:${#foureyes_now}:$foureyes_now in
        *:0* | *::* | *[!0123456789:]*) return 1 ;;
        [123456789]:*:10:*) ;;
        *) return 1 ;;
    esac
}

# What prepare-commit-msg wrote down, if the same git ran it; once.
foureyes_begun() {
    foureyes_file=$foureyes_common/foureyes/begun-$foureyes_tree
    foureyes_key=
    read -r foureyes_key foureyes_value foureyes_operation foureyes_agent foureyes_marks 2>/dev/null <"$foureyes_file"
    if [ "$foureyes_key" != "$PPID" ]; then return 1; fi
    { echo; } 2>/dev/null 1<>"$foureyes_file" || :
    foureyes_reached=${foureyes_value#-}
    foureyes_check_tick
    foureyes_operation=${foureyes_operation#-}
    foureyes_agent=${foureyes_agent#-}
}

# One line, in one write, so that parallel commits never mix. $1: the commit.
foureyes_note() {
    [ -n "$1" ] || return
    umask @UMASK@
    foureyes_file=$foureyes_common/foureyes/journal/$foureyes_tree
    if [ -n "${foureyes_everywhere-}" ] && [ ! -e "$foureyes_file" ]; then
        # These scripts are of one user: whether git's files here are a group's, only git can tell.
        case $(git config --get core.sharedRepository 2>/dev/null) in
            1 | 2 | group | all | world | everybody) umask 007 ;;
            [Tt][Rr][Uu][Ee] | [Yy][Ee][Ss] | [Oo][Nn] | [0-7]*[67][67][0-7] | [67][67][0-7]) umask 007 ;;
        esac
        mkdir -p "$foureyes_common/foureyes/journal" 2>/dev/null
    fi
    {
        printf 'v1\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "${foureyes_now:-0}" "$foureyes_hook" \
            "$foureyes_operation" "$foureyes_agent" "$foureyes_marks" "${foureyes_reached-}"
    } 2>/dev/null >>"$foureyes_file" ||
        foureyes_say "this commit was not recorded: $foureyes_file cannot be written. It stands; see: foureyes status"
}
