# foureyes: what trailers.sh has to know about one agent, from the catalogue. Sourced by it.
# @NOTE@

foureyes_title=@TITLE@
foureyes_address=@ADDRESS@

# A line of a message that names an agent of the same vendor as the one at work -> foureyes_named
foureyes_says_who() {
    case $foureyes_line in
        @LINES@
    esac
    foureyes_value=${foureyes_line#*:}
    foureyes_value=${foureyes_value# }
    case $foureyes_line in
        [Aa]ssisted-[Bb]y:* | [Gg]enerated-[Bb]y:* | [Aa][Ii]-[Aa]ssisted-[Bb]y:*) ;;
        *) return ;;
    esac
    case $foureyes_value in
        @NAMES@
    esac
}
