# foureyes: publishes the records of the pushed commits. Sourced by capture.sh in pre-push.
# @NOTE@

if [ -x @PYTHON@ ]; then
    # -I: the folder that git runs in belongs to whoever is being watched. -S: no start-up files of others.
    @PYTHON@ -I -S -c @CODE@ "$@" || foureyes_say 'no records were published with this push; try: foureyes publish'
else
    foureyes_say 'no records were published: the Python that installed the hooks is gone; run: foureyes install'
fi
