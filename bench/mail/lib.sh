# lib.sh - sourced by every benchmark here and in ../ftp.
# Gives: a work directory that goes away, the machine lock, peer start/stop, memory and CPU readings, result rows.
# Environment: BENCH_LOCK (a lock file shared with other users of the machine; none: no locking), ROUNDS, OUT (result file), KEEP=1.
set -uo pipefail
LIBDIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
BIN=$LIBDIR/.build
WORK=$(mktemp -d)
chmod 755 "$WORK"
OUT=${OUT:-$WORK/results.tsv}
ROUNDS=${ROUNDS:-5}
STARTED=()
ulimit -n "$(ulimit -Hn)"
unset SSL_CERT_FILE SSL_CERT_DIR # a CA bundle named there would be parsed anew by some servers in every session

cleanup() {
	local p
	for p in "${STARTED[@]:-}"; do [ -n "$p" ] && peer_stop "$p" >/dev/null 2>&1; done
	unlock
	[ -n "${KEEP:-}" ] || rm -rf "$WORK"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# --- the machine lock: held from the first measurement on, given up between measurements after HOLD seconds ---
HOLD=${HOLD:-140}
LOCKED=
lock() { # before each measurement
	[ -n "${BENCH_LOCK:-}" ] || return 0
	if [ -n "$LOCKED" ] && [ $((SECONDS - LOCKED)) -ge "$HOLD" ]; then unlock; sleep 0.2; fi
	if [ -z "$LOCKED" ]; then exec 9>>"$BENCH_LOCK"; flock 9; LOCKED=$SECONDS; fi
}
unlock() { [ -z "$LOCKED" ] || { exec 9>&-; LOCKED=; }; }

# --- results: bench, case, peer, round, metric, value ---
rec() { printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$@" >>"$OUT"; }
val() { awk -v k="$1" '$1 == k { print $2; exit }' "$2"; } # value of a "name value" line in a file
say() { echo "[$(date +%T)] $*" >&2; }
report() { python3 "$LIBDIR/report.py" "$OUT"; }

# --- processes ---
tree() { # all descendants of the given pids, and they themselves
	ps -e -o pid=,ppid= | awk -v roots="$*" '
		{ kids[$2] = kids[$2] " " $1 }
		END { n = split(roots, q, " "); for (i = 1; i <= n; i++) { print q[i]; m = split(kids[q[i]], k, " "); for (j = 1; j <= m; j++) q[++n] = k[j] } }'
}
pss_kib() { # sum of PSS over the process trees of the given pids
	local p
	for p in $(tree "$@"); do cat "/proc/$p/smaps_rollup" 2>/dev/null; done | awk '/^Pss:/ { s += $2 } END { print s + 0 }'
}
nproc_tree() { tree "$@" | wc -l; }
now() { date +%s.%N; }
calc() { awk "BEGIN { printf \"%.4f\", $* }"; }
wait_port() { # PORT [SECONDS]
	local i
	for ((i = 0; i < ${2:-10} * 50; i++)); do
		(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return 0
		sleep 0.02
	done
	echo "port $1 does not answer" >&2
	return 1
}
kill_wait() { # stop a pid we started; wait until it has gone
	local i
	[ -n "$1" ] && kill "$1" 2>/dev/null || return 0
	for ((i = 0; i < 500; i++)); do kill -0 "$1" 2>/dev/null || return 0; sleep 0.02; done
	kill -9 "$1" 2>/dev/null
}

# --- peers: start_NAME / stop_NAME are in peers.sh. Each peer gets its own directory and its own block of ports. ---
declare -A PORTBASE DIRS
# A control group per peer tells the CPU time of all its processes, also of those that have ended (cgroup v2, any mount point).
CGROOT=$(findmnt -t cgroup2 -n -o TARGET | head -1)
CGROOT=${CGROOT:-$WORK/no-cgroup} # without one CPU times read 0
peer_cpu_us() { awk '$1 == "usage_usec" { print $2 }' "$CGROOT/bench-$$-$1/cpu.stat" 2>/dev/null || echo 0; }
NEXTPORT=${BASEPORT:-21000} PORTSTEP=${PORTSTEP:-20}
peer_env() { # set the variables a launcher and the benchmarks use
	PEER=$1 DIR=${DIRS[$1]}
	local b=${PORTBASE[$1]}
	SMTP=$b IMAP=$((b + 1)) IMAPS=$((b + 2)) POP3=$((b + 3)) RELAY=$((b + 4)) FTP=$((b + 5)) PASVLO=$((b + 20)) PASVHI=$((b + 1619))
}
peer_start() { # NAME - sets START_S to the seconds from launch until the first port answers
	PORTBASE[$1]=$NEXTPORT DIRS[$1]=$WORK/$1
	NEXTPORT=$((NEXTPORT + PORTSTEP))
	mkdir -p "$WORK/$1"
	chmod 755 "$WORK/$1"
	peer_env "$1"
	STARTED+=("$1")
	local t0
	t0=$(now)
	mkdir -p "$CGROOT/bench-$$-$1"
	( echo $BASHPID >"$CGROOT/bench-$$-$1/cgroup.procs"; "start_${1//[-+]/_}" ) 9>&- || { say "cannot start $1"; return 1; }
	START_S=$(calc "$(now) - $t0")
}
peer_stop() {
	local i
	peer_env "$1"
	"stop_${1//[-+]/_}" 9>&-
	for ((i = 0; i < 100; i++)); do rmdir "$CGROOT/bench-$$-$1" 2>/dev/null && break; sleep 0.05; done
}
peer_pids() { cat "${DIRS[$1]}"/*.pid 2>/dev/null | tr -d ' '; } # the launcher leaves NAME.pid files of the top processes
tls_cert() { # one self-signed certificate for all peers
	[ -f "$WORK/cert.pem" ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=bench.test \
		-keyout "$WORK/key.pem" -out "$WORK/cert.pem" 2>/dev/null
}

# --- mail in and counted: by SMTP and by POP3 STAT, for all peers alike ---
mail_wait() { # FIRSTUSER USERS MESSAGES SECONDS - until that many are in their mailboxes
	timeout $(($4 + 10)) "$BIN/pop3load" -M wait -p "$POP3" -b "$1" -U "$2" -n "$3" -d "$4" >"$DIR/wait.out" ||
		{ say "$PEER: messages are missing: $(tr '\n' ' ' <"$DIR/wait.out")"; return 1; }
}
mail_seed() { # FIRSTUSER USERS EACH SIZE [THERE] - up to five sessions a user, two users at a time; THERE: what each has already
	seq "$1" $(($1 + $2 - 1)) | xargs -P 2 -I {} timeout 120 smtp-source -d -s $(($3 < 5 ? $3 : 5)) -m "$3" -l "$4" \
		-f sender@example.test -t "u{}@bench.test" "127.0.0.1:$SMTP" 9>&- &&
		mail_wait "$1" "$2" $(($2 * ($3 + ${5:-0}))) 60
}
