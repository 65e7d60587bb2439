# foureyes: agents' markers in the environment, from the catalogue. Sourced by capture.sh.
# @NOTE@

# $1 agent, $2 sign, $3 name, $4 value, $5 what it gives
foureyes_mark() {
    case " $foureyes_marks " in
        *" $3="*) ;;
        *)
            foureyes_clean "$4"
            foureyes_marks="$foureyes_marks${foureyes_marks:+ }$3=$foureyes_cleaned"
            ;;
    esac
    if [ "$2" = strong ] && [ -z "$foureyes_strong" ]; then foureyes_strong=$1; fi
    case $5 in
        model) foureyes_model="$1:$foureyes_cleaned" ;;
        session) foureyes_sessions="$foureyes_sessions $1:${foureyes_cleaned##*-}" ;;
    esac
}

# @VARIABLES@
# One write of a journal line must stay whole.
if [ "${#foureyes_marks}" -gt 3000 ]; then
    foureyes_marks=$(printf '%.3000s' "$foureyes_marks")
fi
