"""The pure core: values in, values out. No I/O, no clock, no environment. Every file stands in this map once.

everywhere         canonical, strict_json, errors, markup, people, paths, finding

agents             agents (the catalogue), agent_mark, agent_marks, history_signs, trailers
changes            change, diff, content, hidden, stored_form, destruction
lines              attribution, line_trace, line_match, merged_lines, renamed_lines, taken_lines,
                   noted_lines; rekey over rewrites
records            record, record_fields, record_lines, record_schema, record_ref
  of others        others_notes, notes_tree; git_ai_note, git_ai_writing, agent_trace
signed             in_toto, manifest, dsse, sshsig, ssh_keys, ssh_wire -> record_check: what of it is a fact

policy             policy, policy_people
  as a file        yaml_nodes -> policy_text, policy_fields, policy_words, policy_checks, policy_around,
                   policy_problem
  paths            pattern_class, pattern_text, patterns
  floor            floor, floor_checks
  tried            policy_cases, policy_trial, rejudge, hindsight, landing

judgement          facts -> case -> rule, rules/ -> verdict, by evaluate
  where            branches, protection
  who wrote it     classes
  who is out       exclusion, unknown_people, ancestry
  who counts       reviewers, standing, owners
  fewer humans     exemption
in words           explain, explain_people, explain_work -> explanation; asking: whose review is asked for
"""
