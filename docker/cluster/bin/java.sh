# How each program is started: its class path, its flags, its main class.

HDFS_CLASSES="$ROOT/conf/hdfs:$ROOT/web:$ROOT/lib/hdfs/*"
HBASE_CLASSES="$ROOT/conf/hbase:$ROOT/conf/hdfs:$ROOT/lib/hbase/*"
THRIFT_CLASSES="$ROOT/conf/thrift:$HBASE_CLASSES"
# tools/ is first: it replaces what does not fit
TOOLS_CLASSES="$ROOT/tools:$THRIFT_CLASSES:$ROOT/lib/tools/*"

# test: up quickly and small, for functional tests; perf: for measurements
QUICK="-XX:+UseSerialGC -XX:TieredStopAtLevel=1"
case ${CLUSTER_PROFILE:-test} in
  test)
    HDFS_MEMORY="-Xmx256m $QUICK"
    HBASE_MEMORY="-Xmx1g $QUICK"
    THRIFT_MEMORY="-Xmx384m $QUICK"
    ;;
  perf)
    HDFS_MEMORY="-Xmx256m -XX:+UseSerialGC"
    HBASE_MEMORY="-Xmx4g -XX:+UseG1GC"
    THRIFT_MEMORY="-Xmx1g -XX:+UseG1GC"
    ;;
  *)
    echo "CLUSTER_PROFILE must be test or perf" >&2
    exit 2
    ;;
esac

NAMENODE=org.apache.hadoop.hdfs.server.namenode.NameNode
DATANODE=org.apache.hadoop.hdfs.server.datanode.DataNode
MASTER=org.apache.hadoop.hbase.master.HMaster
THRIFT=org.apache.hadoop.hbase.thrift.ThriftServer

# java_with FAMILY CLASSES MEMORY FLAGS… MAIN ARGUMENTS…, in place of this process
java_with() {
  local family=$1 classes=$2 memory=$3
  shift 3
  # $memory is several words
  # shellcheck disable=SC2086
  exec java "@$ROOT/conf/jvm/common.args" "@$ROOT/conf/jvm/$family.args" $memory -cp "$classes" "$@"
}

# become the server NAME
launch() {
  case $1 in
    namenode)
      [ -d /data/namenode/current ] ||
        (java_with hdfs "$HDFS_CLASSES" "$HDFS_MEMORY" $NAMENODE -format -nonInteractive) || return 1
      java_with hdfs "$HDFS_CLASSES" "$HDFS_MEMORY" $NAMENODE
      ;;
    datanode) java_with hdfs "$HDFS_CLASSES" "$HDFS_MEMORY" $DATANODE ;;
    hbase) java_with hbase "$HBASE_CLASSES" "$HBASE_MEMORY" $MASTER start ;;
    thrift)
      local transport=()
      [ "${THRIFT_FRAMED:-0}" = 1 ] && transport=(-f)
      java_with hbase "$THRIFT_CLASSES" "$THRIFT_MEMORY" $THRIFT -b 0.0.0.0 -p 9090 "${transport[@]}"
      ;;
  esac
}
