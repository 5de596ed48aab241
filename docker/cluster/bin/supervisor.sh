# Keeps the servers running. In $RUN: NAME.pid while a server runs, NAME.hold while it must not,
# `stopping` once all shall end.

STOP_SECONDS=10

pid_of() { cat "$RUN/$1.pid" 2>/dev/null; }
running() { local pid; pid=$(pid_of "$1") && kill -0 "$pid" 2>/dev/null; }
held() { [ -e "$RUN/$1.hold" ]; }
stopping() { [ -e "$RUN/stopping" ]; }
say() { echo "$(date -u +%FT%TZ) $*"; }
nap() { sleep "$1" & wait $!; } # unlike sleep, ends when a signal comes

run() {
  mkdir -p "$RUN" "$LOGS" && rm -f "$RUN"/* || exit 1
  # auto: the container's own address, for the other containers of its network
  [ "${DATANODE_HOST:-}" = auto ] && DATANODE_HOST=$(hostname -i | cut -d' ' -f1)
  export DATANODE_HOST
  trap 'touch "$RUN/stopping"' TERM INT

  keep namenode &
  keep datanode &
  # HBase looks again only after 10 s when it comes too early
  until hdfs_answers || stopping; do nap 0.2; done
  keep hbase &
  keep thrift &
  until stopping; do
    nap 2
    end_half_dead_hbase
  done

  local i
  for ((i = ${#SERVERS[@]} - 1; i >= 0; i--)); do
    end "${SERVERS[i]}"
  done
  wait
}

# start NAME, and again whenever it ends
keep() {
  local name=$1 status
  until stopping; do
    if held "$name"; then
      nap 0.2
      continue
    fi
    (launch "$name") >>"$LOGS/$name.log" 2>&1 &
    echo $! >"$RUN/$name.pid"
    say "$name started"
    wait $! 2>/dev/null # bash would tell of a killed job
    status=$?
    rm -f "$RUN/$name.pid"
    say "$name ended with status $status"
    stopping || nap 1
  done
}

# Stop NAME in order; kill it when that takes too long. HBase may end its ZooKeeper before its
# RegionServer has signed off, and hang for up to a minute with everything written long since; the
# Thrift server may wait for idle clients.
end() {
  local name=$1 pid end=$((SECONDS + STOP_SECONDS))
  pid=$(pid_of "$name") || return 0
  kill -TERM "$pid" 2>/dev/null
  kill -CONT "$pid" 2>/dev/null # it may be paused
  while kill -0 "$pid" 2>/dev/null; do
    ((SECONDS < end)) || kill -KILL "$pid" 2>/dev/null
    nap 0.1
  done
}

# A RegionServer that gave up leaves its JVM running: the Master's port open and its own closed.
half_dead_for=0
end_half_dead_hbase() {
  if running hbase && ! held hbase && listening 16000 && ! listening 16020; then
    half_dead_for=$((half_dead_for + 1))
  else
    half_dead_for=0
  fi
  if ((half_dead_for == 3)); then
    say "the RegionServer is gone: ending HBase"
    kill -KILL "$(pid_of hbase)"
    half_dead_for=0
  fi
}

signal_all() {
  local signal=$1 name pids=()
  shift
  for name; do
    running "$name" || fail "$name does not run"
    pids+=("$(pid_of "$name")")
  done
  kill "-$signal" "${pids[@]}"
}

hold_down() {
  local name
  for name; do
    touch "$RUN/$name.hold"
    end "$name"
  done
}

let_go() {
  local name
  for name; do
    rm -f "$RUN/$name.hold"
  done
}
