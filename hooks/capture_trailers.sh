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

# What the message says already -> foureyes_named, foureyes_identified, foureyes_text. And what kind of paragraph ends
# it -> foureyes_end: `text`, `trailers`, or empty where only git can tell.
foureyes_read_message() {
    foureyes_named=
    foureyes_identified=
    foureyes_text=
    foureyes_end=title
    foureyes_blank=
    while IFS= read -r foureyes_line || { [ -n "$foureyes_line" ] && foureyes_end=; }; do
        foureyes_paragraph
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
    case $foureyes_end$foureyes_blank in
        title) foureyes_end=text ;;
        text | trailers) ;;
        *) foureyes_end= ;;
    esac
}

# One line more -> foureyes_end, and foureyes_blank if it is empty. `title` is the first paragraph: never trailers;
# `mixed` one of which only git can tell; empty a message that is left to git whatever follows.
foureyes_paragraph() {
    if [ -z "$foureyes_end" ]; then return; fi
    if [ -z "$foureyes_line" ]; then
        if [ -n "$foureyes_blank$foureyes_text" ]; then foureyes_blank=1; else foureyes_end=; fi
        return
    fi
    case $foureyes_line in
        '#'* | '---'* | [[:space:]]* | *[[:cntrl:]]*)
            foureyes_end=
            return
            ;;
    esac
    if [ -n "$foureyes_blank" ]; then
        foureyes_blank=
        foureyes_end=new
    fi
    case $foureyes_end:$foureyes_line in
        title:* | mixed:*) ;;
        new:*': '?* | trailers:*': '?*)
            foureyes_end=trailers
            case ${foureyes_line%%: *} in
                '' | *[!abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-]*) foureyes_end=mixed ;;
            esac
            ;;
        trailers:* | *:*:* | *:'('*) foureyes_end=mixed ;;
        *) foureyes_end=text ;;
    esac
}

foureyes_identify() {
    foureyes_id=
    IFS= read -r foureyes_id 2>/dev/null </proc/sys/kernel/random/uuid
    if [ -z "$foureyes_id" ]; then
        foureyes_id=$(od -An -N16 -tx1 /dev/urandom 2>/dev/null | tr -d ' \n')
    fi
}

# $@: --trailer LINE ... A message that was given with the command and has a plain end is written on; git takes apart
# every other one, and starting it costs as much as all the rest of this hook.
foureyes_add() {
    if [ "$foureyes_from:${GIT_EDITOR-}" != message:: ] || [ -z "$foureyes_end" ]; then
        git interpret-trailers --in-place --no-divider --where end --if-exists addIfDifferent --if-missing add \
            "$@" "$foureyes_message"
        return
    fi
    foureyes_text=
    if [ "$foureyes_end" = text ]; then
        foureyes_text='
'
    fi
    while [ $# -gt 1 ]; do
        foureyes_text="$foureyes_text$2
"
        shift 2
    done
    { printf '%s' "$foureyes_text"; } 2>/dev/null >>"$foureyes_message"
}

foureyes_from=${2-}
foureyes_who=${foureyes_agent:-$foureyes_strong}
foureyes_address=
# Its title and address, and how its vendor's agents name themselves; a file for each, for bash is slow to read them.
foureyes_says_who() { foureyes_end=; }
if [ -r "$foureyes_scripts/agent-$foureyes_who.sh" ]; then . "$foureyes_scripts/agent-$foureyes_who.sh"; fi
foureyes_with=${foureyes_model#"$foureyes_who:"}
if [ "$foureyes_with" = "$foureyes_model" ]; then foureyes_with=; fi
# The agent's own hooks have written down which model its session runs.
if [ -z "$foureyes_with" ]; then
    for foureyes_session in $foureyes_sessions; do
        case $foureyes_session in
            "$foureyes_who:"*)
                IFS= read -r foureyes_with 2>/dev/null \
                    <"$foureyes_common/foureyes/models/$foureyes_who-${foureyes_session#"$foureyes_who:"}"
                foureyes_clean "$foureyes_with"
                foureyes_with=$foureyes_cleaned
                ;;
        esac
    done
fi
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
        foureyes_add "$@" || foureyes_say 'the trailers of this commit could not be added; the commit goes on'
    fi
fi
