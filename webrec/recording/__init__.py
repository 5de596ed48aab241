"""[1] → [3] What happens to an event: into the raw log, then into its visitor's recent row.

`recorder` is what callers see. `segments` are those of the log that this process writes, `overlay`,
`page_texts` and `claims` hold what of them waits for the store, `flusher` writes that, `recovery`
replays what dead writers left, `shipping` and `background` keep it going. `cells` says how events
add up.
"""
