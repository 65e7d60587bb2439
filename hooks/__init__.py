"""The local half, in the order things happen. Every file stands in this map once.

install            install, install_text, uninstall: one command and its way back
  where git looks  place, sharing, capture_files, config_hooks, hook_files, everywhere, runtime, pre_commit.sh
  other managers   managers, native_files, insertion
  agents' own      agent_adapters, agent_settings, hook_forms, json_text
  shown at once    proof; later by doctor, diagnoses, diagnoses_of_person, status

agent event        checkpoint -> agents/ -> observe, meanwhile, named_files, snapshot, staged -> tool_events,
                   evidence, unwritten, digest; session_models for the trailers
git commit         capture.sh -> capture_look.sh, capture_processes.sh, capture_marks.sh, capture_agent.sh,
                   capture_trailers.sh, capture_note.sh -> journal   (sh and git alone, no Python)
git push           capture_push.sh -> push, push_notice

records            build -> batch: what is known of each
  who and what     builder, who, catalogue, processes, seen_agents, seen_reviews, raw_commit, commits
  which lines      edits, landed, left_behind, moved_away, renamed, git_ai_notes
  made from what   lineage, commit_map, rekey
  kept             store
published          lacking, publish, publish_by_hand, attest, sign, keys, remote
others'            fetch_records, published, known_records, unrecorded, verify

people ask         show, blame, blame_lines, blame_told, log, export, ranges, paging
before a pull      check, planned, local_facts, local_merge, policy_commands, policy_check, policy_test, policy_file,
                   floor_file
any history        scan, scan_asked, scan_reading, scan_history, scan_objects, scan_records, scan_merges, scan_count,
                   scan_progress; told by scan_report, scan_text, scan_json, scan_page, scan_plot

everywhere         cli, command_group (the command), repo, objects (git), on_screen, whole_file, version
"""
