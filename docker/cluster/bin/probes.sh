# Whether the servers answer, asked over the wire with nothing but bash: a JVM or a Python for each
# health check would cost more than the answer.

# The NameNode's own word: it is not in safe mode, and a DataNode is there.
hdfs_answers() {
  local answer
  answer=$(
    exec 2>/dev/null 3<>/dev/tcp/127.0.0.1/9870 &&
      printf 'GET /jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState HTTP/1.0\r\n\r\n' >&3 &&
      timeout 3 cat <&3
  )
  [[ $answer =~ \"FSState\"\ :\ \"Operational\" && $answer =~ \"NumLiveDataNodes\"\ :\ [1-9] ]]
}

# getRow("hbase:meta", "health", {}) in Thrift's binary protocol. It is answered when ZooKeeper, the
# Master and the RegionServer all do their part.
hbase_answers() {
  local call answer frame=""
  call='\x80\x01\x00\x01'"$(thrift_string getRow)$(thrift_int 1)" # call, its name, its number
  call+='\x0b\x00\x01'"$(thrift_string hbase:meta)"              # field 1, a string: the table
  call+='\x0b\x00\x02'"$(thrift_string health)"                  # field 2, a string: the row
  call+='\x0d\x00\x03\x0b\x0b'"$(thrift_int 0)"                  # field 3, a map, empty: attributes
  call+='\x00'                                                   # no more fields
  if [ "${THRIFT_FRAMED:-0}" = 1 ]; then
    frame=$(thrift_int "$(printf '%b' "$call" | wc -c)")
  fi
  answer=$(
    exec 2>/dev/null 3<>/dev/tcp/127.0.0.1/9090 &&
      printf '%b' "$frame$call" >&3 &&
      timeout 5 head -c $((21 + (${#frame} > 0) * 4)) <&3 | od -An -v -tx1 | tr -d ' \n'
  )
  # a reply (and no exception: 80010003) whose field 0 is a list, that is the rows
  [[ $answer == *80010002*0f0000 ]]
}

# four bytes, as an escape for printf
thrift_int() {
  printf '\\x%02x' $(($1 >> 24 & 255)) $(($1 >> 16 & 255)) $(($1 >> 8 & 255)) $(($1 & 255))
}

thrift_string() { printf '%s%s' "$(thrift_int ${#1})" "$1"; }

# a listener on this port of loopback
listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# All of them run, too: the NameNode counts a DataNode that died as alive for a while.
health() {
  local name
  for name in "${SERVERS[@]}"; do
    running "$name" || return 1
  done
  hdfs_answers && hbase_answers
}
