#!/usr/bin/env bash
# A sweep as a Slurm job array, end to end: a cluster of this one machine with daemons of its own is
# started, the array submitted, its shards merged, and the result compared with a sweep in one
# process.   slurm_array.sh PROGRAM NETWORK IMAGES SBATCH_SCRIPT
# Exit code 77 says that it was skipped: it takes Slurm, munge and root.
set -euo pipefail
program=$1 network=$2 images=$3 script=$4

skip() { echo "skipped: $*"; exit 77; }
PATH=$PATH:/usr/sbin
for daemon in munged slurmctld slurmd sbatch squeue mungekey; do
    command -v "$daemon" >/dev/null || skip "$daemon is not installed (packages slurm-wlm, munge)"
done
[ "$(id -u)" = 0 ] || skip "slurmd runs as root"

folder=$(mktemp -d)
pids=()
clean_up() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$folder"
}
trap clean_up EXIT
chmod 755 "$folder"
mkdir "$folder/munge" "$folder/state" "$folder/spool"
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("", 0)); print(s.getsockname()[1])'; }
host=$(hostname -s)
cat >"$folder/slurm.conf" <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge/socket
CredType=cred/munge
SlurmctldPort=$(free_port)
SlurmdPort=$(free_port)
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=1
ReturnToService=2
MpiDefault=none
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=10 State=UP
CONF
export SLURM_CONF=$folder/slurm.conf

start() {
    "$@" >"$folder/$1.out" 2>&1 &
    pids+=($!)
}
mungekey --create --keyfile="$folder/munge/key"
start munged --foreground --force --key-file="$folder/munge/key" --socket="$folder/munge/socket" \
    --pid-file="$folder/munge/pid" --log-file="$folder/munge/log" --seed-file="$folder/munge/seed"
for _ in $(seq 50); do [ -S "$folder/munge/socket" ] && break; sleep 0.1; done
[ -S "$folder/munge/socket" ] || skip "munged does not start here: $(tail -1 "$folder/munged.out")"
start slurmctld -D -i
start slurmd -D
for _ in $(seq 150); do
    sinfo --noheader --format=%t 2>/dev/null | grep -q idle && break
    sleep 0.2
done
sinfo --noheader --format=%t 2>/dev/null | grep -q idle ||
    skip "Slurm does not start here: $(tail -1 "$folder/slurmctld.log") $(tail -1 "$folder/slurmd.log")"

cat >"$folder/plan.toml" <<PLAN
trials = 4
out = "$folder/r.h5"
[experiment]
network = "$network"
data = "$images"
images = 20
calibration_images = 8
[axes]
mapping = ["two_column", "differential"]
"faults.rate" = [0.002, 0.01]
PLAN
cd "$folder"
KIRCHNET=$program sbatch --wait --array=0-2 --cpus-per-task=1 --output="$folder/task-%a.log" \
    "$script" "$folder/plan.toml" || {
    cat "$folder"/task-*.log "$folder/slurmctld.log"
    exit 1
}
"$program" merge "$folder"/r-shard*of3.h5 -o "$folder/merged.h5"
"$program" sweep "$folder/plan.toml"
for unit in 0/0 1/3 3/2; do  # 16 units in all
    "$program" sweep "$folder/plan.toml" --out "$folder/merged.h5" --replay "$unit"
done
"$program" merge "$folder/merged.h5" "$folder/r.h5" -o "$folder/both.h5" >/dev/null 2>"$folder/note"
grep -q "16 units of 2 shards$" "$folder/note" || { cat "$folder/note"; exit 1; }
echo "three tasks of a job array gave the same 16 units as one process"
