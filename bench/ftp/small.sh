#!/bin/bash
# small.sh [PEER...] - many small things: 4 KiB files over one control connection (EPSV for each), RETR and STOR; LIST and MLSD
# of a directory of 10,000 entries; logins/s. Environment: ROUNDS, FILES, ENTRIES, SECS, ONLY (a pattern of cases: ONLY="logins*").
. "$(dirname "$0")/lib.sh"
PEERS=("$@")
[ $# -gt 0 ] || PEERS=(vsftpd pure-ftpd proftpd)
FILES=${FILES:-5000} ENTRIES=${ENTRIES:-10000} SECS=${SECS:-2}

one() { # PEER ROUND CASE METRIC NAME ftpload-arguments
	local p=$1 r=$2 c=$3 m=$4 k=$5 o b0 b1
	[[ $c == ${ONLY:-*} ]] || return 0
	shift 5
	peer_env "$p"
	o=$DIR/o
	lock
	b0=$(peer_cpu_us "$p")
	timeout 60 "$FBIN/ftpload" -p "$FTP" "$@" >"$o" 2>"$DIR/load.err" || { say "$p: $c: $(cat "$DIR/load.err")"; return; }
	b1=$(peer_cpu_us "$p")
	rec "ftp small" "$c" "$p" "$r" "$m" "$(val "$k" "$o")"
	rec "ftp small" "$c" "$p" "$r" "server CPU, us each" "$(calc "($b1 - $b0) / $(val ops "$o")")"
	[ -z "$(val p99_ms "$o")" ] || {
		rec "ftp small" "$c" "$p" "$r" "p50 ms" "$(val p50_ms "$o")"
		rec "ftp small" "$c" "$p" "$r" "p99 ms" "$(val p99_ms "$o")"
	}
	case $c in LIST* | MLSD*) [ "$(val lines "$o")" -ge $((ENTRIES * 10)) ] || say "$p: $c: only $(val lines "$o") lines" ;; esac
}

make_root 0 "$FILES" "$ENTRIES"
for p in "${PEERS[@]}"; do peer_start "$p" || exit 1; done
for ((r = 1; r <= ROUNDS; r++)); do
	for p in "${PEERS[@]}"; do one "$p" "$r" "RETR $FILES x 4 KiB" "per s" ops_per_s -M retr -D small -n "$FILES"; done
	for p in "${PEERS[@]}"; do one "$p" "$r" "STOR $FILES x 4 KiB" "per s" ops_per_s -M stor -D up -n "$FILES" -z 4096; rm -f "$ROOT"/up/* "$WORK"/stead/d/files/1/up/*; done
	for p in "${PEERS[@]}"; do one "$p" "$r" "LIST $ENTRIES entries" "per s" ops_per_s -M list -D list -n 10; done
	for p in "${PEERS[@]}"; do
		[ "${p%-nons}" = vsftpd ] && continue # has no MLSD
		one "$p" "$r" "MLSD $ENTRIES entries" "per s" ops_per_s -M mlsd -D list -n 10
	done
	for p in "${PEERS[@]}"; do one "$p" "$r" "logins, 1 at a time" "per s" logins_per_s -M logins -c 1 -d "$SECS"; done
	for p in "${PEERS[@]}"; do one "$p" "$r" "logins, 10 at a time" "per s" logins_per_s -M logins -c 10 -d "$SECS"; done
done
unlock
report
