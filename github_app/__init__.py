"""The server half, in the order things happen. Every file stands in this map once.

start              serve, wsgi, prefork, worker_command, separate, stopping; settings, logs, trust
  first run        setup, setup_page, setup_answer, app_manifest, credentials, credentials_command, pages

webhook            listening, slow_clients, strict_requests -> web -> webhook -> events
inbox              inbox -> group_commit -> lanes; rest_lanes where nobody may look any more
worker             working -> worker -> judge, with deps; fence, superseded: who may still write

facts              gather, each Known or Unknown
  GitHub           client, answer, answer_values, limiter, revalidated, spending; asking -> pull_query, comments
  git              mirror, git_process, mirror_bounds, machine_memory, unused_mirrors -> git_facts, range, merging
  policy           policy_in_force, org_floor, optional_permissions
  records          records, notes, fork_records, keys, commit_facts
  people           roster, pins, aged, pushes, prompters
  witnessed        seen, witnessed, pull_reads
  landed           landed, landed_query, landed_facts
evaluate           (by the pure core)
publish            review_requests, last_look -> publish -> decisions

branch moved       branch_moved -> concerned, open_pulls: who is looked at again
merge queue        merge_group, queue_query
after the merge    after_merge -> landing -> alerts, alert_text, alert_issues

sweep              sweep (what is known here); sweeper -> errands, sweep_tables, sweep_query -> sweep_installations,
                   sweep_deliveries, sweep_pulls, sweep_records

storage            storage, tables, schema, one_writer, retention, server_database
watched            metrics, redaction

commands           database_command, database_check, database_backup; dead_letters_command, dead_letters; alerts_command
                   replay; simulate, simulation
with one's token   own_token, personal_client; explain_command, explain_pull
                   doctor, publishers, branch_rules, merge_methods, branch_patterns, protected, repository_findings
"""
