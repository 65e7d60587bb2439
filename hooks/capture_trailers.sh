# foureyes: the trailers of a commit that an agent makes. Sourced by capture.sh in prepare-commit-msg; $1 is the file
# of the message, $2 where the message comes from.
# @NOTE@

# The repository's own setting holds at once; one from elsewhere was read when the hooks were installed.
foureyes_style() {
    foureyes_style=@STYLE@
    foureyes_section=
    while read -r foureyes_key foureyes_equals foureyes_value; do
        case $foureyes_key in
            '['*) foureyes_section=$foureyes_key ;;
            [tT]railers)
                if [ "$foureyes_section$foureyes_equals" = '[foureyes]=' ]; then foureyes_style=$foureyes_value; fi
                ;;
        esac
    done 2>/dev/null <"$foureyes_common/config"
}

# What the message says already -> foureyes_named, foureyes_identified, foureyes_text
foureyes_read_message() {
    foureyes_named=
    foureyes_identified=
    foureyes_text=
    while IFS= read -r foureyes_line || [ -n "$foureyes_line" ]; do
        case $foureyes_line in
            '# ------------------------ >8 '*) break ;;
            '' | '#'*) continue ;;
        esac
        foureyes_text=1
        case $foureyes_line in
            *[Pp][Rr][Oo][Vv][Ee][Nn][Aa][Nn][Cc][Ee]-[Ii][Dd]:*) foureyes_identified=1 ;;
            *:* | *\[*) foureyes_says_who ;;
        esac
    done 2>/dev/null <"$1"
}

# A line that names an agent of the same vendor as the one at work
foureyes_says_who() {
    case $foureyes_vendor in
        @LINES@
    esac
    foureyes_value=${foureyes_line#*:}
    foureyes_value=${foureyes_value# }
    case $foureyes_line in
        [Aa]ssisted-[Bb]y:* | [Gg]enerated-[Bb]y:* | [Aa][Ii]-[Aa]ssisted-[Bb]y:*) ;;
        *) return ;;
    esac
    case $foureyes_vendor in
        @NAMES@
    esac
}

foureyes_identify() {
    foureyes_id=
    IFS= read -r foureyes_id 2>/dev/null </proc/sys/kernel/random/uuid
    if [ -z "$foureyes_id" ]; then
        foureyes_id=$(od -An -N16 -tx1 /dev/urandom 2>/dev/null | tr -d ' \n')
    fi
}

foureyes_who=${foureyes_agent:-$foureyes_strong}
foureyes_vendor=
foureyes_address=
case $foureyes_who in
    @AGENTS@
esac
foureyes_with=${foureyes_model#"$foureyes_who:"}
if [ "$foureyes_with" = "$foureyes_model" ]; then foureyes_with=; fi
foureyes_read_message "$1"

foureyes_wanted=1
# A commit that is only moved keeps its trailers; who moved it is in the journal. And a message that nobody has
# written yet must stay empty, or git would take ours for it.
case $foureyes_operation in rebase* | cherry-pick* | am* | pull*) foureyes_wanted= ;; esac
if [ -z "$foureyes_text" ]; then foureyes_wanted=; fi

if [ -n "$foureyes_wanted" ]; then
    foureyes_style
    if [ -n "$foureyes_named" ]; then foureyes_style=none; fi
    set -- "$1"
    case $foureyes_style in
        none) ;;
        generated-by) set -- "$@" --trailer "Generated-by: $foureyes_who${foureyes_with:+:$foureyes_with}" ;;
        *)
            if [ "$foureyes_style" = co-authored-by ] && [ -n "$foureyes_address" ]; then
                set -- "$@" --trailer \
                    "Co-authored-by: $foureyes_title${foureyes_with:+ ($foureyes_with)} <$foureyes_address>"
            else
                set -- "$@" --trailer "Assisted-by: $foureyes_who${foureyes_with:+:$foureyes_with}"
            fi
            ;;
    esac
    if [ -z "$foureyes_identified" ]; then
        foureyes_identify
        if [ -n "$foureyes_id" ]; then set -- "$@" --trailer "Provenance-Id: $foureyes_id"; fi
    fi
    if [ $# -gt 1 ]; then
        foureyes_message=$1
        shift
        git interpret-trailers --in-place --no-divider --where end --if-exists addIfDifferent --if-missing add \
            "$@" "$foureyes_message" ||
            foureyes_say 'the trailers of this commit could not be added; the commit goes on'
    fi
fi
